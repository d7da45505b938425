/** The resources and prompts of the conformance suite. */
import {
  acceptedContent,
  completable,
  inputRequired,
  type McpServer,
  ResourceTemplate,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { IMAGE, said } from './conformance-media.ts';

export function mountResources(server: McpServer): void {
  const description = 'Asked for by the conformance suite.';
  const text = (uri: string, body: string): void =>
    void server.registerResource(uri.slice('test://'.length), uri, { description, mimeType: 'text/plain' }, () => ({
      contents: [{ uri, mimeType: 'text/plain', text: body }],
    }));
  text('test://static-text', 'This is the content of the static text resource.');
  text('test://watched-resource', 'Nobody changes this.');
  server.registerResource(
    'static-binary',
    'test://static-binary',
    { description, mimeType: 'image/png' },
    ({ href }) => ({
      contents: [{ uri: href, mimeType: IMAGE.mimeType, blob: IMAGE.data }],
    }),
  );
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { description, mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }),
        },
      ],
    }),
  );
  server.server.registerCapabilities({ resources: { subscribe: true } });
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

export function mountPrompts(server: McpServer): void {
  const description = 'Asked for by the conformance suite.';
  server.registerPrompt('test_simple_prompt', { description }, () => ({
    messages: [{ role: 'user', content: said('This is a simple prompt for testing.') }],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description, argsSchema: z.object({ arg1: completable(z.string(), () => ['park', 'party']), arg2: z.string() }) },
    ({ arg1, arg2 }) => ({
      messages: [{ role: 'user', content: said(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`) }],
    }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description, argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri: resourceUri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
          },
        },
        { role: 'user', content: said('Please process the embedded resource above.') },
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description }, () => ({
    messages: [
      { role: 'user', content: { type: 'image', ...IMAGE } },
      { role: 'user', content: said('Please analyze the image above.') },
    ],
  }));
  const context = z.object({ context: z.string() });
  server.registerPrompt('test_input_required_result_prompt', { description }, ({ mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'user_context', context);
    if (answer === undefined)
      return inputRequired({
        inputRequests: {
          user_context: inputRequired.elicit({
            message: 'What context should the prompt use?',
            requestedSchema: context,
          }),
        },
      });
    return { messages: [{ role: 'user', content: said(`Context: ${answer.context}`) }] };
  });
}
