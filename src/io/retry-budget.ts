/** What repetitions may cost: where much fails, repeating all of it would double the load on what is down. */

/** Repetitions for each first attempt. */
const SHARE = 0.1;
/** Repetitions at hand without any traffic before: a single question gets all its attempts. */
const RESERVE = 10;
/** A quiet account gets its reserve back within this time. */
const REFILL_MS = 60_000;

export interface RetryBudget {
  /** A first attempt is made. */
  earn(): void;
  /** @returns whether one more repetition is within the budget, which then pays for it */
  spend(): boolean;
}

/** @param now milliseconds of a clock that nobody sets */
export function createRetryBudget(now: () => number = () => performance.now()): RetryBudget {
  let left = RESERVE;
  let asOf = now();
  const add = (amount: number): void => {
    left = Math.min(RESERVE, left + amount);
  };
  return {
    earn: () => add(SHARE),
    spend() {
      const moment = now();
      add(((moment - asOf) / REFILL_MS) * RESERVE);
      asOf = moment;
      if (left < 1) return false;
      left--;
      return true;
    },
  };
}
