/** The one place that repeats a request: when, how often, and who has to wait meanwhile. */
import type { Limits, Patience, Traffic } from '../core/budget.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Call, Logger } from '../core/provider.ts';
import { type Breaker, createBreaker } from './breaker.ts';
import { createPause, type Pause } from './pause.ts';
import type { Registration, RegistrationHost } from './registration.ts';
import { createRetryBudget } from './retry-budget.ts';
import { createSlots } from './slots.ts';
import { pause } from './time-limit.ts';
import { createTokenBucket } from './token-bucket.ts';
import { createWaitingLine, type Supply, type WaitingLine } from './waiting-line.ts';

/**
 * Attempts for one request, the first one included. A server that asks for patience gets more of it than one that is not
 * there: somebody waits for the answer.
 */
const MAX_ATTEMPTS = { RATE_LIMITED: 5, UNAVAILABLE: 3 } as const;
/** Full-jitter exponential backoff: a random part of 1 s, 2 s, 4 s … up to 64 s. */
const BACKOFF_MS = { first: 1_000, cap: 64_000 };
/** Those who were all told the same time do not come back at the same moment: milliseconds, and a part of that time. */
const JITTER = { least: 250, part: 0.1 };
/** A question that was given up at its deadline tells something of the server when that had so many milliseconds to answer. */
const FAIR_CHANCE_MS = 1_000;
/** A timer may fire that much before its time, in milliseconds. */
const TIMER_SLACK_MS = 20;

export interface PatienceOptions {
  readonly account: string;
  readonly log: Logger;
  /** Of the account, for each host. */
  readonly limits: Limits & { readonly atOnce: number };
  /** What it shares with other accounts. */
  readonly registration?: Registration | undefined;
  /** Whether a throttling is about the registration, not just about this account. */
  readonly isForAll?: ((failure: { readonly status: number; readonly body: string }) => boolean) | undefined;
  /** Uniform in [0, 1): the jitter. */
  readonly random?: (() => number) | undefined;
  /** Milliseconds of a clock that nobody sets, for what is counted over time. */
  readonly now?: (() => number) | undefined;
}

/** The budgets of one account, and how much of them is used. */
export interface AccountPatience extends Patience {
  stats(): Traffic;
}

/** What one host may be asked. */
interface Host {
  readonly line: WaitingLine;
  readonly pause: Pause;
  readonly breaker: Breaker;
  readonly supplies: readonly Supply[];
  readonly shared: RegistrationHost | undefined;
}

const cameFromThere = ({ cause, code }: CalmcpError): boolean => cause !== undefined || code === 'UNAVAILABLE';

export function createPatience({
  account,
  log,
  limits,
  registration,
  isForAll,
  random = Math.random,
  now = () => performance.now(),
}: PatienceOptions): AccountPatience {
  /** Each for itself: the sign-in service does not wait because the calendar is throttled. */
  const hosts = new Map<string, Host>();
  const budget = createRetryBudget(now);
  /** Questions for which something was sent that may have changed something. */
  const changing = new WeakSet<AbortSignal>();
  const count = { requests: 0, retries: 0, throttled: 0, waiting: 0, running: 0 };

  function open(host: string): Host {
    const shared = registration?.at(host);
    const breaker = createBreaker(host, now);
    const quiet = createPause(host);
    const { atOnce, perMinute } = limits;
    const hint = `raise limits.perMinute of ${account} in accounts.yaml if it may do more, or try again later`;
    const bucket = perMinute === undefined ? [] : [createTokenBucket({ perMinute, hint, host, now })];
    return {
      line: shared?.line ?? createWaitingLine(),
      pause: quiet,
      breaker,
      supplies: [
        breaker,
        quiet,
        createSlots(() => Math.min(atOnce, shared?.atOnceEach ?? atOnce)),
        ...bucket,
        ...(shared?.supplies ?? []),
      ],
      shared,
    };
  }

  function hostOf(name: string): Host {
    const known = hosts.get(name) ?? open(name);
    hosts.set(name, known);
    return known;
  }

  /** Waits for its turn. @throws CalmcpError, after which nothing was sent */
  async function enter(host: Host, need: Parameters<WaitingLine['enter']>[0], call: Call): Promise<() => void> {
    count.waiting++;
    try {
      return await host.line.enter(need, host.supplies, call);
    } catch (thrown) {
      // What was sent earlier for this question may have been done, whatever is told of this request.
      if (thrown instanceof CalmcpError && thrown.cause !== undefined && changing.has(call.signal))
        throw new CalmcpError(thrown.code, thrown.message, { hint: thrown.hint, retryAfterMs: thrown.retryAfterMs });
      throw thrown;
    } finally {
      count.waiting--;
    }
  }

  /**
   * Whoever is throttled stays throttled for everybody in this account, not just for this request.
   * @returns milliseconds that we were asked to wait, and a little more
   */
  function heed(host: Host, { code, retryAfterMs, cause }: CalmcpError): number {
    if (code === 'RATE_LIMITED') count.throttled++;
    const wait =
      retryAfterMs === undefined ? 0 : retryAfterMs + random() * Math.max(JITTER.least, JITTER.part * retryAfterMs);
    if (cause === undefined) return wait;
    host.pause.extend(wait);
    const { status, body } = cause as { readonly status?: unknown; readonly body?: unknown };
    if (
      code === 'RATE_LIMITED' &&
      typeof status === 'number' &&
      typeof body === 'string' &&
      isForAll?.({ status, body })
    )
      host.shared?.throttled(wait);
    return wait;
  }

  /** What a failure says of the service. @returns as {@link heed} */
  function learn(host: Host, failure: CalmcpError, isWorthIt: (error: CalmcpError) => boolean): number {
    const asked = heed(host, failure);
    const isTrouble = failure.code === 'RATE_LIMITED' || failure.code === 'UNAVAILABLE';
    if (!isTrouble) host.breaker.succeeded();
    else if (isWorthIt(failure)) host.breaker.failed(failure);
    return asked;
  }

  return {
    async run(name, traits, call, attempt) {
      const { weight = 1, cost = 1, isRepeatable, isRead = false, isWorthIt = cameFromThere, after } = traits;
      const host = hostOf(name);
      let failure = after;
      let asked = after === undefined ? 0 : learn(host, after, isWorthIt);

      /** Until it may be sent again. @throws the failure where it may not, or not in time */
      async function waitAfter(last: CalmcpError, tries: number): Promise<void> {
        const { code } = last;
        const attempts = code === 'RATE_LIMITED' || (code === 'UNAVAILABLE' && isRepeatable) ? MAX_ATTEMPTS[code] : 1;
        const backoff = random() * Math.min(BACKOFF_MS.first * 2 ** (tries - 1), BACKOFF_MS.cap);
        const wait = Math.max(asked, backoff);
        if (!isWorthIt(last) || tries >= attempts || performance.now() + wait >= call.deadline) throw last;
        // A host may be as telling as a name.
        const told = { ...(call.unnamed ? {} : { account, host: name }), error: code, tries };
        if (!budget.spend()) {
          log.info('request not repeated: too many were of late', told);
          throw last;
        }
        log.info('request repeated', { ...told, waitMs: Math.round(wait) });
        await pause(wait, call.signal);
      }

      for (let tries = after === undefined ? 1 : 2; ; tries++) {
        if (failure !== undefined) await waitAfter(failure, tries - 1);
        const need = {
          weight,
          cost,
          // Somebody may come to wait for what was begun for nobody.
          get background() {
            return call.background === true;
          },
          again: tries > 1,
        };
        let leave: () => void;
        try {
          leave = await enter(host, need, call);
        } catch (refused) {
          call.signal.throwIfAborted();
          // What became of the request that was sent is told, not that it may not be sent again.
          throw failure ?? refused;
        }
        if (tries === 1) budget.earn();
        else {
          count.retries++;
          call.countRetry?.();
        }
        count.requests++;
        count.running++;
        if (!isRead) changing.add(call.signal);
        const began = performance.now();
        try {
          const value = await attempt();
          host.breaker.succeeded();
          if (!call.unnamed)
            log.debug('asked', { account, host: name, ms: Math.round(performance.now() - began), tries });
          return value;
        } catch (thrown) {
          const moment = performance.now();
          if (call.signal.aborted) {
            // An asker who changes their mind says nothing of the server; one that waited for it in vain does.
            const isLate = moment >= call.deadline - TIMER_SLACK_MS && moment - began >= FAIR_CHANCE_MS;
            if (isLate && traits.isWorthIt === undefined)
              host.breaker.failed(new CalmcpError('UNAVAILABLE', `${name} did not answer in time`));
            throw call.signal.reason;
          }
          if (!(thrown instanceof CalmcpError)) throw thrown;
          failure = thrown;
          if (!call.unnamed)
            log.debug('asked in vain', {
              account,
              host: name,
              ms: Math.round(moment - began),
              tries,
              error: thrown.code,
            });
          asked = learn(host, thrown, isWorthIt);
        } finally {
          count.running--;
          // Not before it is known what became of it: the next one goes by that.
          leave();
        }
      }
    },
    stats() {
      const breakers = [...hosts.values()].map(({ breaker }) => breaker);
      const worst = (['open', 'half-open'] as const).find((state) => breakers.some((each) => each.state === state));
      return {
        ...count,
        refusedByBreaker: breakers.reduce((sum, { refused }) => sum + refused, 0),
        breaker: worst ?? 'closed',
      };
    },
  };
}
