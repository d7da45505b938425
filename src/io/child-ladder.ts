/** How soon something that keeps crashing is started again, and when it is left alone. No clock: times are handed in. */

/** Crashes without a stable time in between before it is left alone. */
const MOST_CRASHES = 5;

export interface Ladder {
  /**
   * @param now milliseconds of any clock that only goes forward
   * @returns milliseconds to wait, or nothing when it is to be left alone
   */
  crashed(now: number): number | undefined;
  /** Milliseconds until it is started again; 0 when that time has come. */
  waiting(now: number): number;
  readonly crashes: number;
  readonly isLeftAlone: boolean;
  /** Whether somebody who waits for it may try before its time: once in each pause. */
  takeAttempt(): boolean;
  /** It ran for long enough, or somebody asked for a fresh start. */
  forgive(): void;
}

/**
 * Full jitter: a random part of `first`, doubled with each crash, up to `cap`.
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function createLadder({
  first,
  cap,
  random,
}: {
  readonly first: number;
  readonly cap: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}): Ladder {
  let crashes = 0;
  let until = 0;
  let attempts = 0;
  return {
    crashed(now) {
      crashes++;
      attempts = 1;
      if (crashes >= MOST_CRASHES) return undefined;
      const wait = random() * Math.min(first * 2 ** (crashes - 1), cap);
      until = now + wait;
      return wait;
    },
    waiting: (now) => Math.max(0, until - now),
    get crashes() {
      return crashes;
    },
    get isLeftAlone() {
      return crashes >= MOST_CRASHES;
    },
    takeAttempt() {
      attempts--;
      return attempts >= 0;
    },
    forgive() {
      crashes = 0;
      until = 0;
    },
  };
}
