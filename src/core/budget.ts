/** What may be asked of a service, how much of it is used, and who keeps to it. */
import type { Call } from './call.ts';
import type { CalmcpError } from './errors.ts';

export interface Limits {
  /** Requests under way at the same time. */
  readonly atOnce?: number | undefined;
  /** Requests in any 60 seconds; left out: as many as come. */
  readonly perMinute?: number | undefined;
}

/** What an account has asked for since it was opened. */
export interface Traffic {
  /** Sent, repetitions included. */
  readonly requests: number;
  readonly retries: number;
  /** Answered with "slow down". */
  readonly throttled: number;
  /** Told at once, as what was asked had failed all the time. */
  readonly refusedByBreaker: number;
  /** `open`: it is left alone; `half-open`: the next question finds out whether it is back. Of the worst of its hosts. */
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** Not sent yet. */
  readonly waiting: number;
  readonly running: number;
}

export interface PatienceTraits {
  /** Slots that it takes; default 1. */
  readonly weight?: number | undefined;
  /** Requests that the service counts it as; default 1. */
  readonly cost?: number | undefined;
  /** May be sent again though it is not known whether it arrived. */
  readonly isRepeatable: boolean;
  /** It can change nothing there. */
  readonly isRead?: boolean;
  /**
   * Whether an error is of the service's making, and so worth another attempt; default: all that have a cause, and
   * UNAVAILABLE. Where it is given, a question that ran out of time says nothing of the service.
   */
  readonly isWorthIt?: (error: CalmcpError) => boolean;
  /** It failed so as a part of another request, and is sent again by itself. */
  readonly after?: CalmcpError | undefined;
}

/** Sends what is to be sent within the account's budgets, and again where that may help. */
export interface Patience {
  /**
   * @param host what is asked, as messages and the log call it
   * @throws what the last attempt threw; RATE_LIMITED or UNAVAILABLE where it was not even sent
   */
  run<T>(host: string, traits: PatienceTraits, call: Call, attempt: () => Promise<T>): Promise<T>;
}
