/** The tools of the conformance suite that ask something back: of the person, of a model, for roots. */
import { randomBytes } from 'node:crypto';
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  createRequestStateCodec,
  type ElicitRequestFormParams,
  type InputRequests,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { said } from './conformance-media.ts';

const description = 'Asked for by the conformance suite.';
const name = z.object({ name: z.string() });

const requestState = createRequestStateCodec<string>({ key: randomBytes(32) });

const options = (...values: string[]) => values.map((value) => ({ const: value, title: value.toUpperCase() }));

/** All kinds of fields that a form of an elicitation can have. */
const FORMS: Readonly<Record<string, ElicitRequestFormParams['requestedSchema']['properties']>> = {
  test_elicitation_sep1034_defaults: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  test_elicitation_sep1330_enums: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: options('value1', 'value2', 'value3') },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['One', 'Two', 'Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: options('value1', 'value2', 'value3') } },
  },
};

const question = (text: string, maxTokens: number): InputRequests[string] =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: said(text) }], maxTokens });

export function mountInputTools(server: McpServer): void {
  /** A tool that asks once, and answers with what it heard. */
  const asking = (
    tool: string,
    inputRequests: InputRequests,
    reply: (heard: ServerContext['mcpReq']) => string | undefined,
  ): void =>
    void server.registerTool(tool, { description }, ({ mcpReq }) => {
      const text = reply(mcpReq);
      return text === undefined ? inputRequired({ inputRequests }) : { content: [said(text)] };
    });

  asking(
    'test_input_required_result_elicitation',
    { user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: name }) },
    ({ inputResponses }) => {
      const answer = acceptedContent(inputResponses, 'user_name', name);
      return answer && `Hello, ${answer.name}!`;
    },
  );
  asking(
    'test_input_required_result_sampling',
    { capital_question: question('What is the capital of France?', 100) },
    ({ inputResponses }) => {
      const answer = inputResponse(inputResponses, 'capital_question');
      return answer.kind === 'sampling' ? JSON.stringify(answer.result.content) : undefined;
    },
  );
  // In the era of 2025 the SDK asks the client itself, where a way leads back to it.
  const prompt = z.object({ prompt: z.string() });
  server.registerTool('test_sampling', { description, inputSchema: prompt }, ({ prompt: text }, { mcpReq }) => {
    const answer = inputResponse(mcpReq.inputResponses, 'sampled');
    return answer.kind === 'sampling'
      ? { content: [said(`LLM response: ${JSON.stringify(answer.result.content)}`)] }
      : inputRequired({ inputRequests: { sampled: question(text, 100) } });
  });
  const message = z.object({ message: z.string() });
  const reader = z.object({ username: z.string(), email: z.string() });
  server.registerTool('test_elicitation', { description, inputSchema: message }, ({ message: text }, { mcpReq }) => {
    const answer = acceptedContent(mcpReq.inputResponses, 'reader', reader);
    return answer === undefined
      ? inputRequired({ inputRequests: { reader: inputRequired.elicit({ message: text, requestedSchema: reader }) } })
      : { content: [said(`User response: ${JSON.stringify(answer)}`)] };
  });
  for (const [tool, properties] of Object.entries(FORMS))
    asking(
      tool,
      { form: inputRequired.elicit({ message: 'Please fill in', requestedSchema: { type: 'object', properties } }) },
      ({ inputResponses }) => {
        const answer = inputResponse(inputResponses, 'form');
        return answer.kind === 'elicit' ? `Elicitation completed: action=${answer.action}` : undefined;
      },
    );

  // No client of the suite declares sampling where it calls this one.
  asking('test_missing_capability', { question: question('Anything?', 10) }, () => undefined);
  asking('test_input_required_result_list_roots', { client_roots: inputRequired.listRoots() }, ({ inputResponses }) => {
    const answer = inputResponse(inputResponses, 'client_roots');
    return answer.kind === 'roots' ? answer.roots.map(({ uri }) => uri).join(' ') : undefined;
  });

  server.registerTool('test_input_required_result_capabilities', { description }, ({ mcpReq: { envelope } }) => {
    // The SDK passes the envelope on as it came, and has no type for it.
    const can = (envelope as { [CLIENT_CAPABILITIES_META_KEY]?: ClientCapabilities })?.[CLIENT_CAPABILITIES_META_KEY];
    return inputRequired({
      inputRequests: {
        ...(can?.sampling && { question: question('Anything?', 10) }),
        ...(can?.elicitation && { name: inputRequired.elicit({ message: 'Your name?', requestedSchema: name }) }),
      },
    });
  });

  const stateful = (tool: string, last: string, rounds: InputRequests[]): void =>
    void server.registerTool(tool, { description }, async (context) => {
      const state = context.mcpReq.requestState<string>();
      const round = state === undefined ? 0 : Number(await requestState.verify(state, context));
      const inputRequests = rounds[round];
      return inputRequests === undefined
        ? { content: [said(last)] }
        : inputRequired({ inputRequests, requestState: await requestState.mint(String(round + 1)) });
    });
  const confirm = {
    confirm: inputRequired.elicit({ message: 'Please confirm', requestedSchema: z.object({ ok: z.boolean() }) }),
  };
  stateful('test_input_required_result_request_state', 'state-ok', [confirm]);
  stateful('test_input_required_result_tampered_state', 'state-ok', [confirm]);
  stateful('test_input_required_result_multiple_inputs', 'done', [
    {
      user_name: inputRequired.elicit({ message: 'What is your name?', requestedSchema: name }),
      greeting: question('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    },
  ]);
  stateful('test_input_required_result_multi_round', 'done', [
    { step1: inputRequired.elicit({ message: 'Step 1: What is your name?', requestedSchema: name }) },
    {
      step2: inputRequired.elicit({
        message: 'Step 2: What is your favorite color?',
        requestedSchema: z.object({ color: z.string() }),
      }),
    },
  ]);
}
