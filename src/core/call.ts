/** What one question carries through every layer. */
export interface Call {
  /** Aborts when the deadline passes or the asker gives up; its reason is the error to report. */
  readonly signal: AbortSignal;
  /** Moment by which the answer must be there, in milliseconds of `performance.now()`. */
  readonly deadline: number;
  /** Notes one HTTP request made for this question. */
  countRequest(): void;
  /** The answer is for somebody who may not learn the account's name: not even a log tells it. */
  readonly unnamed?: true;
}
