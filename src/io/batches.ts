/** Many questions in few requests. What was refused within an answer is asked again by itself: `io/patience` takes it from there. */
import { chunksOf } from '../core/chunks.ts';
import { CalmcpError } from '../core/errors.ts';
import { type RequestTokens, sendWithToken } from './access-tokens.ts';

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
  /**
   * Asks for one thing as if there were no batches.
   * @param after what became of it as a part of one
   * @throws CalmcpError
   */
  alone(place: number, after?: CalmcpError): Promise<Answer>;
  /** An error in the provider's words. */
  explain(error: CalmcpError): CalmcpError;
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
): Promise<(Answer | CalmcpError)[]> {
  const { most, alone, explain } = options;

  const failure = (thrown: unknown): CalmcpError => {
    if (!(thrown instanceof CalmcpError)) throw thrown;
    return thrown.account === undefined ? explain(thrown) : thrown;
  };

  const askAlone = (place: number, after?: CalmcpError): Promise<Answer | CalmcpError> =>
    alone(place, after).catch(failure);

  async function askTogether(places: readonly number[]): Promise<(Answer | CalmcpError)[]> {
    let answers: readonly (Answer | CalmcpError)[];
    try {
      answers = await sendOnce(places, options);
    } catch (thrown) {
      const error = failure(thrown);
      // There are no batches here, or none as large as this. The questions can be asked all the same.
      const isRefused = error.code === 'BAD_RESPONSE' || error.code === 'NOT_FOUND';
      return isRefused ? Promise.all(places.map((place) => askAlone(place))) : places.map(() => error);
    }
    return Promise.all(
      places.map(async (place, index) => {
        const answer = answers[index] ?? new CalmcpError('BAD_RESPONSE', 'a part of the answer is missing');
        if (!(answer instanceof CalmcpError)) return answer;
        const isPassing = answer.code === 'RATE_LIMITED' || answer.code === 'UNAVAILABLE';
        // What all at once was too much for may be answered by itself.
        return isPassing ? askAlone(place, answer) : failure(answer);
      }),
    );
  }

  if (count === 1) return [await askAlone(0)];
  const places = Array.from({ length: count }, (_, place) => place);
  return (await Promise.all(chunksOf(places, most).map(askTogether))).flat();
}
