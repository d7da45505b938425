/** One question of a command, asked through the daemon: 60 lines, as an MCP client of the SDK takes 60 ms and more to load. */

import { CalmcpError, ERRORS, type ErrorCode } from '../../core/errors.ts';
import { ERROR_META, NOT_TAKEN } from '../../core/session-names.ts';
import { type Channel, envelopeOf, factsOf, type Message, readMessage, textOf } from '../../io/daemon-connection.ts';

export interface Question {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** Whether it may be asked again when its answer was lost. */
  readonly isRepeatable: boolean;
  /** Of this program. */
  readonly version: string;
  readonly signal: AbortSignal;
}

/** The same error as it was there, where it says so in full. */
function errorOf(parts: Readonly<Record<string, unknown>>): CalmcpError | undefined {
  const { code, message, hint, account, retryAfterMs, problems } = parts;
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code) || typeof message !== 'string') return undefined;
  const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  return new CalmcpError(code as ErrorCode, message, {
    hint: text(hint),
    account: text(account),
    retryAfterMs: typeof retryAfterMs === 'number' ? retryAfterMs : undefined,
    problems: Array.isArray(problems) ? problems.map(String) : undefined,
  });
}

/** Refused before anything was begun: by the schema of the tool, or as no such tool. */
function isNotUnderstood({ error, result }: Message): boolean {
  const INVALID_PARAMS = -32_602;
  const { isError, content } = factsOf(result);
  const [said] = Array.isArray(content) ? content : [];
  return (
    factsOf(error).code === INVALID_PARAMS ||
    (isError === true && /^(?:MCP error -32602: )?Input validation error/.test(String(factsOf(said).text)))
  );
}

/** What the daemon says to one request. @returns `undefined`: the connection broke. @throws the signal's reason */
function answerTo(channel: Channel, request: Message, signal: AbortSignal): Promise<Message | undefined> {
  return new Promise((resolve, reject) => {
    let isOpen = true;
    const settle = (act: () => void): void => {
      isOpen = false;
      signal.removeEventListener('abort', cancel);
      act();
    };
    function cancel(): void {
      channel.send(textOf({ method: 'notifications/cancelled', params: { requestId: request.id } }));
      channel.end();
      settle(() => reject(signal.reason));
    }
    channel.listen({
      line(text) {
        const message = readMessage(text);
        if (message?.method === undefined && message?.id === request.id) settle(() => resolve(message));
      },
      drain: () => undefined,
      closed: () => settle(() => resolve(undefined)),
      isAwaiting: () => isOpen,
    });
    if (signal.aborted) return cancel();
    signal.addEventListener('abort', cancel, { once: true });
    channel.send(textOf(request));
  });
}

/**
 * Asks once.
 * @returns what the operation answers, or `undefined` where it has to be asked alone: it was not begun, or may be asked again
 * @throws CalmcpError what the operation throws; UNAVAILABLE where nobody knows whether it was done
 */
export async function askThrough(
  channel: Channel,
  { tool, input, isRepeatable, version, signal }: Question,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const params = { name: tool, arguments: input, _meta: envelopeOf(version) };
  const answer = await answerTo(channel, { id: 1, method: 'tools/call', params }, signal);
  channel.end();
  const { isError, structuredContent, _meta } = factsOf(answer?.result);
  if (typeof structuredContent === 'object' && structuredContent !== null) return factsOf(structuredContent);
  const error = isError === true ? errorOf(factsOf(factsOf(_meta)[ERROR_META])) : undefined;
  if (error !== undefined) throw error;
  if (isRepeatable || factsOf(factsOf(answer?.error).data)[NOT_TAKEN] === true) return undefined;
  if (answer !== undefined && isNotUnderstood(answer))
    throw new CalmcpError('UNAVAILABLE', 'calmcp’s daemon did not understand what it was asked, so nothing was done', {
      hint: 'it may be of another version: calmcp daemon stop, or --no-daemon',
    });
  const what =
    answer === undefined ? 'the connection to calmcp’s daemon broke' : 'calmcp’s daemon gave no answer that is one';
  throw new CalmcpError('UNAVAILABLE', `${what}; nobody knows whether it was done`, {
    hint: 'look at the event before you try again',
  });
}
