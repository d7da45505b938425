/** Leaves alone what fails all the time: nobody waits for it, and it gets the quiet to recover. */
import { CalmcpError } from '../core/errors.ts';
import { NOT_SENT } from '../core/not-sent.ts';
import type { Supply } from './waiting-line.ts';

/** Failures in a row, within this time, that it takes. */
const FAILURES = 5;
const WINDOW_MS = 30_000;
/** How long it is left alone: each time in a row twice as long. Short, as the network may be back any moment. */
const OPEN_MS = { first: 5_000, cap: 30_000 };
/** How long others wait to see what becomes of the one that is let through. */
const PROBE_MS = 2_000;

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface Breaker extends Supply {
  readonly state: BreakerState;
  /** How many were told at once. */
  readonly refused: number;
  /** It answered, if only to say no. */
  succeeded(): void;
  /** It did not, or asked to slow down. */
  failed(error: CalmcpError): void;
}

/**
 * One that was let in before may finish its attempts: the retry budget bounds them, and what answers one of them is there
 * again for all.
 * @param now milliseconds of a clock that nobody sets
 */
export function createBreaker(host: string, now: () => number = () => performance.now()): Breaker {
  let failures: number[] = [];
  let last: CalmcpError | undefined;
  /** Times in a row that it was found to be down; 0: closed. */
  let rounds = 0;
  let openUntil = 0;
  let probe: { readonly since: number } | undefined;
  let refused = 0;

  const state = (): BreakerState => {
    if (rounds === 0) return 'closed';
    return now() < openUntil ? 'open' : 'half-open';
  };

  function open(): void {
    rounds++;
    openUntil = now() + Math.min(OPEN_MS.first * 2 ** (rounds - 1), OPEN_MS.cap);
    probe = undefined;
    failures = [];
  }

  function refuse(ms: number): never {
    refused++;
    const retryAfterMs = Math.max(ms, last?.retryAfterMs ?? 0);
    const seconds = Math.ceil(retryAfterMs / 1_000);
    throw new CalmcpError(last?.code ?? 'UNAVAILABLE', `${host} failed several times in a row, so it was not asked`, {
      hint: `try again in ${seconds} s`,
      retryAfterMs,
      cause: NOT_SENT,
    });
  }

  return {
    get state() {
      return state();
    },
    get refused() {
      return refused;
    },
    waitFor({ again }, _ahead, leftMs) {
      if (again || state() === 'closed') return 0;
      if (state() === 'open') refuse(openUntil - now());
      if (probe === undefined) return 0;
      const wait = probe.since + PROBE_MS - now();
      if (wait <= 0 || wait >= leftMs) refuse(OPEN_MS.first);
      return wait;
    },
    take({ again }) {
      if (again || state() !== 'half-open') return () => undefined;
      const own = { since: now() };
      probe = own;
      return () => {
        // Given up without having found out anything: the next one does.
        if (probe === own) probe = undefined;
      };
    },
    succeeded() {
      rounds = 0;
      failures = [];
      probe = undefined;
    },
    failed(error) {
      last = error;
      if (rounds > 0) {
        if (state() === 'half-open') open();
        return;
      }
      const moment = now();
      failures = [...failures.filter((earlier) => moment - earlier < WINDOW_MS), moment];
      if (failures.length >= FAILURES) open();
    },
  };
}
