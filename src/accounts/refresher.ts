/** Looks in the background at what was asked about of late, so that the next question is answered from memory. */
import { setMaxListeners } from 'node:events';
import { toCalmcpError } from '../core/errors.ts';
import type { Call, Logger } from '../core/provider.ts';
import { limitedSignal } from '../io/time-limit.ts';
import type { Wanted } from './readings.ts';
import type { Account } from './registry.ts';

/** How often is looked which account is due, in milliseconds. */
const TICK_MS = 5_000;
/** Between two looks while somebody asks: within the minute that an answer may be old. */
const USUAL_MS = 45_000;
/** For so long after a question its account is looked at as often; then half as often each time. */
const FRESH_MS = 300_000;
const LONGEST_MS = 900_000;
/** The longest while nothing fails: what was read is forgotten after ten minutes. */
const LONGEST_IDLE_MS = 480_000;
/** For so long after its last question an account is looked at at all. */
const WANTED_MS = 7_200_000;
/** Part of an interval by which looks are spread, so that many accounts are not asked in one moment. */
const JITTER = 0.2;
/** Readings of one account that are kept up: what somebody has open. */
const MOST_OF_ONE = 2;
const LOOK_MS = 20_000;

export interface RefresherOptions {
  readonly accounts: () => readonly Pick<Account, 'id' | 'readings'>[];
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic: () => number;
  /** Whether the machine is to be spared now: on battery, on a network that is paid for. */
  readonly isPaused: () => Promise<boolean>;
  readonly log: Logger;
  readonly closed: AbortSignal;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

interface State {
  /** Milliseconds between two looks. */
  interval: number;
  /** Looks that failed since the last one that did not. */
  failures: number;
  /** Not before this moment. */
  due: number;
}

/** Milliseconds until the next look. */
export function intervalAfter(
  before: number,
  {
    askedAgo,
    changed,
    failures,
    retryAfterMs = 0,
  }: { askedAgo: number; changed: boolean; failures: number; retryAfterMs?: number },
): number {
  if (failures > 0) return Math.max(retryAfterMs, Math.min(USUAL_MS * 2 ** failures, LONGEST_MS));
  if (askedAgo <= FRESH_MS) return USUAL_MS;
  // A calendar in which something happens is looked at again soon, whoever asks.
  return Math.min(changed ? Math.max(before, USUAL_MS) : before * 2, LONGEST_IDLE_MS);
}

export interface Refresher {
  /** Looks at whatever is due. Runs by itself; for tests. */
  tick(): Promise<void>;
  isPaused(): boolean;
  end(): void;
}

export function startRefresher({
  accounts,
  monotonic,
  isPaused,
  log,
  closed,
  random = Math.random,
}: RefresherOptions): Refresher {
  // One listener for each look; they end with its time limit.
  setMaxListeners(Number.POSITIVE_INFINITY, closed);
  const states = new WeakMap<object, State>();
  const busy = new WeakSet<object>();
  let paused = false;

  const spread = (interval: number): number => interval * (1 + JITTER * (random() - 1));

  function openCall(): Call {
    return {
      signal: limitedSignal(LOOK_MS, () => new Error('a look in the background took too long'), closed),
      deadline: performance.now() + LOOK_MS,
      countRequest: () => undefined,
      background: true,
    };
  }

  async function look(account: Pick<Account, 'id' | 'readings'>, wanted: readonly Wanted[]): Promise<void> {
    const { readings } = account;
    const state = states.get(readings) ?? { interval: USUAL_MS, failures: 0, due: 0 };
    states.set(readings, state);
    const newest = Math.max(...wanted.map(({ readAt }) => readAt));
    const askedAgo = monotonic() - Math.max(...wanted.map(({ askedAt }) => askedAt));
    // Somebody asks again, after a while in which nobody did.
    if (askedAgo <= FRESH_MS && state.failures === 0) state.interval = USUAL_MS;
    if (monotonic() < Math.max(state.due, newest + spread(state.interval))) return;
    try {
      let changed = false;
      for (const each of wanted) changed = (await each.refresh(openCall())) || changed;
      state.failures = 0;
      state.interval = intervalAfter(state.interval, { askedAgo, changed, failures: 0 });
    } catch (thrown) {
      const error = toCalmcpError(thrown);
      state.failures++;
      state.interval = intervalAfter(state.interval, {
        askedAgo,
        changed: false,
        failures: state.failures,
        ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
      });
      state.due = monotonic() + state.interval;
      if (!closed.aborted) log.info('account not looked at', { account: account.id, error });
    }
  }

  async function tick(): Promise<void> {
    const due = accounts().flatMap((account) => {
      const wanted = account.readings.wanted
        .filter(({ askedAt, isLight }) => isLight && monotonic() - askedAt <= WANTED_MS)
        .slice(0, MOST_OF_ONE);
      return wanted.length === 0 || busy.has(account.readings) ? [] : [{ account, wanted }];
    });
    if (due.length === 0) return;
    paused = await isPaused();
    if (paused) return;
    await Promise.all(
      due.map(async ({ account, wanted }) => {
        busy.add(account.readings);
        await look(account, wanted).finally(() => busy.delete(account.readings));
      }),
    );
  }

  const timer = setInterval(() => {
    tick().catch((error: unknown) => log.error('looking in the background failed', { error }));
  }, TICK_MS).unref();

  return {
    tick,
    isPaused: () => paused,
    end: () => clearInterval(timer),
  };
}
