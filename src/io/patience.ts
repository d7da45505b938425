/** The one place that repeats a request: when, how often, and that others wait meanwhile. */
import { CalmcpError } from '../core/errors.ts';
import type { Call, Logger } from '../core/provider.ts';
import { createLimiter, type Limiter } from './limiter.ts';
import { pause } from './time-limit.ts';

/**
 * Attempts for one request, the first one included. A server that asks for patience gets more of it than one that is not
 * there: somebody waits for the answer.
 */
const MAX_ATTEMPTS = { RATE_LIMITED: 5, UNAVAILABLE: 3 } as const;
/** Full-jitter exponential backoff: a random part of 1 s, 2 s, 4 s … up to 64 s. */
const BACKOFF_MS = { first: 1_000, cap: 64_000 };

export interface PatienceOptions {
  readonly account: string;
  readonly log: Logger;
  /** Requests under way at once, per host. */
  readonly concurrency: number;
  /** Uniform in [0, 1): the jitter. */
  readonly random?: (() => number) | undefined;
}

export interface PatienceTraits {
  /** Slots of the concurrency that it takes. */
  readonly weight: number;
  /** Changes nothing there, so it may be sent again though it is not known whether it arrived. */
  readonly isRepeatable: boolean;
  /** Whether an error is worth another attempt at all; default: it came from the server or from the way to it. */
  readonly isWorthIt?: (error: CalmcpError) => boolean;
}

export interface Patience {
  /** @throws what the last attempt threw */
  run<T>(host: string, traits: PatienceTraits, call: Call, attempt: () => Promise<T>): Promise<T>;
}

export function createPatience({ account, log, concurrency, random = Math.random }: PatienceOptions): Patience {
  /** Per host: the sign-in service does not wait because the calendar is throttled. */
  const hosts = new Map<string, { readonly limiter: Limiter; blockedUntil: number }>();

  function stateOf(host: string): { readonly limiter: Limiter; blockedUntil: number } {
    let state = hosts.get(host);
    if (state === undefined) {
      state = { limiter: createLimiter(concurrency), blockedUntil: 0 };
      hosts.set(host, state);
    }
    return state;
  }

  /** Waits out a pause that the server asked for, or says at once that the question cannot wait that long. */
  async function waitUntilWelcome(host: string, call: Call): Promise<void> {
    const wait = stateOf(host).blockedUntil - performance.now();
    if (wait <= 0) return;
    if (performance.now() + wait >= call.deadline)
      throw new CalmcpError('RATE_LIMITED', `${host} asked us to wait`, { retryAfterMs: wait });
    await pause(wait, call.signal);
    await waitUntilWelcome(host, call);
  }

  const cameFromThere = ({ cause, code }: CalmcpError): boolean => cause !== undefined || code === 'UNAVAILABLE';

  return {
    async run(host, { weight, isRepeatable, isWorthIt = cameFromThere }, call, attempt) {
      for (let tries = 1; ; tries++) {
        try {
          return await stateOf(host).limiter.run(weight, call.signal, async () => {
            await waitUntilWelcome(host, call);
            return attempt();
          });
        } catch (thrown) {
          if (!(thrown instanceof CalmcpError)) throw thrown;
          const { retryAfterMs } = thrown;
          // Whoever is throttled stays throttled for everybody in this account, not just for this request.
          if (retryAfterMs !== undefined && thrown.cause !== undefined)
            stateOf(host).blockedUntil = Math.max(stateOf(host).blockedUntil, performance.now() + retryAfterMs);
          call.signal.throwIfAborted();
          const attempts =
            thrown.code === 'RATE_LIMITED' || (thrown.code === 'UNAVAILABLE' && isRepeatable)
              ? MAX_ATTEMPTS[thrown.code]
              : 1;
          const backoff = random() * Math.min(BACKOFF_MS.first * 2 ** (tries - 1), BACKOFF_MS.cap);
          const wait = retryAfterMs === undefined ? backoff : retryAfterMs + random() * 250;
          if (!isWorthIt(thrown) || tries >= attempts || performance.now() + wait >= call.deadline) throw thrown;
          log.info('request repeated', {
            // A host may be as telling as a name.
            ...(call.unnamed ? {} : { account, host }),
            error: thrown.code,
            tries,
            waitMs: Math.round(wait),
          });
          await pause(wait, call.signal);
        }
      }
    },
  };
}
