/** Many questions in few requests. What was refused within an answer is asked again by itself: `io/patience` takes it from there. */
import type { Call } from '../core/call.ts';
import { chunksOf } from '../core/chunks.ts';
import { CalmcpError } from '../core/errors.ts';
import { type RequestTokens, sendWithToken } from './access-tokens.ts';
import { pause } from './time-limit.ts';

/** Longest pause before that where the service names none, in milliseconds: a random part of it, as all come from one moment. */
const PAUSE_MS = 1_000;
const JITTER_MS = 250;

export interface BatchOptions<Answer> {
  /** Parts in one request. */
  readonly most: number;
  readonly tokens: RequestTokens;
  /**
   * Sends the parts in these places as one request.
   * @returns for each of them its answer, or its error with the service's refusal as the cause
   * @throws CalmcpError when the request as a whole failed
   */
  send(places: readonly number[], token: string): Promise<readonly (Answer | CalmcpError)[]>;
  /** Asks for one thing as if there were no batches. @throws CalmcpError */
  alone(place: number): Promise<Answer>;
  /** An error in the provider's words. */
  explain(error: CalmcpError): CalmcpError;
  /** Uniform in [0, 1): the jitter. */
  readonly random?: () => number;
}

const isRefusedToken = (result: unknown): result is CalmcpError =>
  result instanceof CalmcpError &&
  result.code === 'AUTH_REQUIRED' &&
  (result.cause as { readonly status?: unknown } | undefined)?.status === 401;

/** One request. A token that is refused for one of its parts is replaced once, and all of it asked again: it only asks. */
async function sendOnce<Answer>(
  places: readonly number[],
  { tokens, send, explain }: BatchOptions<Answer>,
): Promise<readonly (Answer | CalmcpError)[]> {
  let answers: readonly (Answer | CalmcpError)[] | undefined;
  try {
    return await sendWithToken(
      tokens,
      async (token) => {
        answers = undefined;
        answers = await send(places, token);
        const refused = answers.find(isRefusedToken);
        if (refused !== undefined) throw refused;
        return answers;
      },
      explain,
    );
  } catch (thrown) {
    // The other parts were answered all the same.
    if (answers !== undefined && isRefusedToken(thrown)) return answers;
    throw thrown;
  }
}

/**
 * Asks for `count` things that change nothing, in as few requests as may be; a single one by itself.
 * @returns one entry for each, in order: its answer, or why there is none
 */
export async function askInBatches<Answer>(
  count: number,
  options: BatchOptions<Answer>,
  call: Call,
): Promise<(Answer | CalmcpError)[]> {
  const { most, alone, explain, random = Math.random } = options;

  const failure = (thrown: unknown): CalmcpError => {
    if (!(thrown instanceof CalmcpError)) throw thrown;
    return thrown.account === undefined ? explain(thrown) : thrown;
  };

  const askAlone = (place: number): Promise<Answer | CalmcpError> => alone(place).catch(failure);

  /** What all at once was too much for may be answered by itself. */
  async function askAgain(place: number, error: CalmcpError): Promise<Answer | CalmcpError> {
    const { retryAfterMs = 0 } = error;
    const wait = Math.max(retryAfterMs + random() * JITTER_MS, random() * PAUSE_MS);
    if (performance.now() + wait >= call.deadline) return failure(error);
    await pause(wait, call.signal);
    call.countRetry?.();
    return askAlone(place);
  }

  async function askTogether(places: readonly number[]): Promise<(Answer | CalmcpError)[]> {
    let answers: readonly (Answer | CalmcpError)[];
    try {
      answers = await sendOnce(places, options);
    } catch (thrown) {
      const error = failure(thrown);
      // There are no batches here, or none as large as this. The questions can be asked all the same.
      const isRefused = error.code === 'BAD_RESPONSE' || error.code === 'NOT_FOUND';
      return isRefused ? Promise.all(places.map(askAlone)) : places.map(() => error);
    }
    return Promise.all(
      places.map(async (place, index) => {
        const answer = answers[index] ?? new CalmcpError('BAD_RESPONSE', 'a part of the answer is missing');
        if (!(answer instanceof CalmcpError)) return answer;
        const isPassing = answer.code === 'RATE_LIMITED' || answer.code === 'UNAVAILABLE';
        return isPassing ? askAgain(place, answer) : failure(answer);
      }),
    );
  }

  if (count === 1) return [await askAlone(0)];
  const places = Array.from({ length: count }, (_, place) => place);
  return (await Promise.all(chunksOf(places, most).map(askTogether))).flat();
}
