/** What all accounts of one app registration share: a vendor counts their requests together, too. */
import type { Limits } from '../core/budget.ts';
import { createPause, type Pause } from './pause.ts';
import { createSlots } from './slots.ts';
import { createTokenBucket } from './token-bucket.ts';
import { createWaitingLine, type Supply, type WaitingLine } from './waiting-line.ts';

/** Requests at once after the registration as a whole was throttled: what Outlook is said to grant it at least. */
const AT_ONCE_THROTTLED = 4;
/** How long that holds, in milliseconds. */
const THROTTLED_MS = 300_000;

export interface RegistrationHost {
  /** One for all its accounts: their questions go before their background work. */
  readonly line: WaitingLine;
  readonly supplies: readonly Supply[];
  /** Requests at once of any one of its accounts: one that hangs leaves something to the others. */
  readonly atOnceEach: number;
  /** The registration was asked to slow down, not just one of its accounts. @param pauseMs for how long nobody may ask */
  throttled(pauseMs: number): void;
}

export interface Registration {
  /** Each service counts for itself: signing in does not wait for calendars. */
  at(host: string): RegistrationHost;
}

/**
 * @param name how accounts.yaml calls it
 * @param now milliseconds of a clock that nobody sets
 */
export function createRegistration(
  name: string,
  { atOnce = Number.POSITIVE_INFINITY, perMinute }: Limits,
  now: () => number = () => performance.now(),
): Registration {
  const hosts = new Map<string, RegistrationHost>();

  function open(host: string): RegistrationHost {
    let throttledUntil = 0;
    const pause: Pause = createPause(host);
    const most = (): number => (now() < throttledUntil ? Math.min(AT_ONCE_THROTTLED, atOnce) : atOnce);
    const slots = createSlots(most);
    const hint = `raise registrations.${name}.perMinute in accounts.yaml if the registration may do more, or try again later`;
    return {
      line: createWaitingLine(),
      get atOnceEach() {
        return Math.max(1, most() - 1);
      },
      supplies: [pause, slots, ...(perMinute === undefined ? [] : [createTokenBucket({ perMinute, hint, host, now })])],
      throttled(pauseMs) {
        throttledUntil = now() + THROTTLED_MS;
        pause.extend(pauseMs);
      },
    };
  }

  return {
    at(host) {
      const known = hosts.get(host) ?? open(host);
      hosts.set(host, known);
      return known;
    },
  };
}
