/** What one question carries through every layer. */
export interface Call {
  /** Aborts when the deadline passes or the asker gives up; its reason is the error to report. */
  readonly signal: AbortSignal;
  /** Moment by which the answer must be there, in milliseconds of `performance.now()`. May move: read it when it is needed. */
  readonly deadline: number;
  /** Moment at which it was asked, in milliseconds of `performance.now()`: what was read before that is not live. */
  readonly since?: number;
  /** Notes one HTTP request made for this question. */
  countRequest(): void;
  /** Notes that one of them was sent again. */
  countRetry?(): void;
  /** Nobody waits for the answer: questions that somebody waits for go first. */
  readonly background?: boolean;
  /** The answer is for somebody who may not learn the account's name: not even a log tells it. */
  readonly unnamed?: true;
}
