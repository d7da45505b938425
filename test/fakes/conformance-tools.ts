/** The tools of the conformance suite that answer by themselves. */
import { setTimeout as wait } from 'node:timers/promises';
import { fromJsonSchema, inputRequired, type McpServer, type ServerNotifier } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { IMAGE, SOUND, said } from './conformance-media.ts';

/** What libraries for schemas like to drop. */
const JSON_SCHEMA = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;

/** https://modelcontextprotocol.io/seps/2243-http-standardization: a parameter that a header repeats. */
const WITH_HEADER = {
  type: 'object',
  properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  required: ['region'],
} as const;

export function mountTools(server: McpServer, notify: ServerNotifier): void {
  const description = 'Asked for by the conformance suite.';
  const text = (name: string, answer: string): void =>
    void server.registerTool(name, { description }, () => ({ content: [said(answer)] }));

  text('test_simple_text', 'This is a simple text response for testing.');
  // Would log, if it were asked to.
  server.registerTool('test_logging_tool', { description }, async ({ mcpReq }) => {
    await mcpReq.log('info', 'Logged where a level is set');
    return { content: [said('done')] };
  });
  server.registerTool('test_image_content', { description }, () => ({ content: [{ type: 'image', ...IMAGE }] }));
  server.registerTool('test_audio_content', { description }, () => ({ content: [{ type: 'audio', ...SOUND }] }));
  server.registerTool('test_embedded_resource', { description }, () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }));
  server.registerTool('test_multiple_content_types', { description }, () => ({
    content: [
      said('Multiple content types test:'),
      { type: 'image', ...IMAGE },
      {
        type: 'resource',
        resource: {
          uri: 'test://mixed-content-resource',
          mimeType: 'application/json',
          text: '{"test":"data","value":123}',
        },
      },
    ],
  }));
  server.registerTool('test_error_handling', { description }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool('json_schema_2020_12_tool', { description, inputSchema: fromJsonSchema(JSON_SCHEMA) }, () => ({
    content: [said('done')],
  }));

  server.registerTool('test_custom_header', { description, inputSchema: fromJsonSchema(WITH_HEADER) }, () => ({
    content: [said('done')],
  }));

  server.registerTool('test_tool_with_logging', { description }, async ({ mcpReq }) => {
    for (const step of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await mcpReq.log('info', step);
      await wait(50);
    }
    return { content: [said('done')] };
  });
  server.registerTool('test_tool_with_progress', { description }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress, total: 100 } });
      await wait(50);
    }
    return { content: [said('done')] };
  });

  // On its stream there may be nothing but notifications, whatever it asks for.
  server.registerTool('test_streaming_elicitation', { description }, () =>
    inputRequired({
      inputRequests: {
        answer: inputRequired.elicit({ message: 'Anything?', requestedSchema: z.object({ answer: z.string() }) }),
      },
    }),
  );
  server.registerTool('test_reconnection', { description }, async ({ http }) => {
    http?.closeSSE?.();
    await wait(100);
    return { content: [said('done')] };
  });
  server.registerTool('test_trigger_tool_change', { description }, () => {
    notify.toolsChanged();
    return { content: [said('done')] };
  });
  server.registerTool('test_trigger_prompt_change', { description }, () => {
    notify.promptsChanged();
    return { content: [said('done')] };
  });
}
