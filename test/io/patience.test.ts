import { afterEach, describe, expect, it } from 'vitest';
import type { Limits, PatienceTraits } from '../../src/core/budget.ts';
import type { Call } from '../../src/core/call.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import { wasNotSent } from '../../src/core/not-sent.ts';
import { createPatience, type PatienceOptions } from '../../src/io/patience.ts';
import { createRegistration } from '../../src/io/registration.ts';
import { silentLog } from '../harness.ts';

const HOST = 'graph.example';
const enders: (() => void)[] = [];
afterEach(() => {
  for (const end of enders.splice(0)) end();
});

interface TestCall extends Call {
  readonly retries: () => number;
  readonly abort: (reason: unknown) => void;
}

const late = new CalmcpError('UNAVAILABLE', 'did not answer within its time');
function ask(ms = 10_000, background = false): TestCall {
  let retries = 0;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(late), ms);
  enders.push(() => clearTimeout(timer));
  return {
    signal: controller.signal,
    deadline: performance.now() + ms,
    background,
    countRequest: () => undefined,
    countRetry: () => retries++,
    retries: () => retries,
    abort: (reason) => controller.abort(reason),
  };
}

/** Takes no real time between attempts unless it was asked for. */
const open = ({ limits = {}, ...more }: Partial<Omit<PatienceOptions, 'limits'>> & { limits?: Limits } = {}) =>
  createPatience({
    account: 'work',
    log: silentLog,
    random: () => 0,
    ...more,
    limits: { ...limits, atOnce: limits.atOnce ?? 4 },
  });

const READ: PatienceTraits = { isRepeatable: true, isRead: true };
const WRITE: PatienceTraits = { isRepeatable: false };
const refusal = (status: number, retryAfterMs?: number, body = ''): CalmcpError =>
  new CalmcpError(status === 429 ? 'RATE_LIMITED' : status === 403 ? 'FORBIDDEN' : 'UNAVAILABLE', `HTTP ${status}`, {
    retryAfterMs,
    cause: { status, body },
  });
/** An attempt that fails as often as there are errors, and notes when it was made. */
function failing(...errors: readonly (CalmcpError | undefined)[]) {
  const made: number[] = [];
  return {
    made,
    attempt: async (): Promise<string> => {
      made.push(performance.now());
      const error = errors[Math.min(made.length, errors.length) - 1];
      if (error !== undefined) throw error;
      return 'fine';
    },
  };
}
const caught = (promise: Promise<unknown>): Promise<CalmcpError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown) => thrown,
  );
const hang = (call: Call) => (): Promise<never> =>
  new Promise((_, reject) => call.signal.addEventListener('abort', () => reject(call.signal.reason)));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the budget of retries', () => {
  it('gives a single question all its attempts, and tells it of each repetition', async () => {
    const call = ask();
    const { made, attempt } = failing(refusal(429));
    const patience = open();
    expect((await caught(patience.run(HOST, READ, call, attempt))).code).toBe('RATE_LIMITED');
    expect([made.length, call.retries()]).toEqual([5, 4]);
    expect(patience.stats()).toMatchObject({ requests: 5, retries: 4, throttled: 5, waiting: 0, running: 0 });
  });

  it('is a reserve, and a tenth of the traffic: what is beyond is told at once', async () => {
    let moment = 0;
    const patience = open({ now: () => moment });
    const storm = async (): Promise<number> => {
      const before = patience.stats().retries;
      for (let count = 0; count < 20; count++) {
        // What answers no closes the breaker and earns a little.
        await caught(patience.run(HOST, READ, ask(), failing(refusal(403)).attempt));
        await caught(patience.run(HOST, READ, ask(), failing(refusal(503)).attempt));
      }
      return patience.stats().retries - before;
    };
    // Ten, and one for each ten first attempts.
    expect(await storm()).toBe(13);
    expect(await storm()).toBe(4);
    moment += 30_000;
    expect(await storm()).toBeGreaterThanOrEqual(8);
  });
});

describe('the time between attempts', () => {
  it('is never less than Retry-After, nor than our own backoff, and a little more than both at random', async () => {
    const patience = open({ random: () => 0.2 });
    const { made, attempt } = failing(refusal(429, 100), refusal(429, 0), undefined);
    expect(await patience.run(HOST, READ, ask(), attempt)).toBe('fine');
    const [first = 0, second = 0, third = 0] = made;
    // 0.2 of 1 s is more than 100 ms and its jitter; then 0.2 of 2 s.
    expect(second - first).toBeGreaterThanOrEqual(199);
    expect(third - second).toBeGreaterThanOrEqual(399);
    expect(third - second).toBeLessThan(1_000);
    const other = failing(refusal(429, 300), undefined);
    await open({ random: () => 0.2 }).run(HOST, READ, ask(), other.attempt);
    expect((other.made[1] ?? 0) - (other.made[0] ?? 0)).toBeGreaterThanOrEqual(349);
  });

  it('ends with a deadline that has moved', async () => {
    const patience = open({ random: () => 0.999 });
    const call = ask();
    let deadline = performance.now() + 10_000;
    const moving: Call = {
      ...call,
      get deadline() {
        return deadline;
      },
    };
    const { made, attempt } = failing(refusal(503));
    const failure = caught(
      patience.run(HOST, READ, moving, () => {
        deadline = performance.now() + 100;
        return attempt();
      }),
    );
    expect((await failure).message).toBe('HTTP 503');
    expect(made).toHaveLength(1);
  });
});

describe('an open breaker', () => {
  const trip = async (patience: ReturnType<typeof open>, host = HOST): Promise<void> => {
    for (let count = 0; count < 5; count++)
      await caught(patience.run(host, WRITE, ask(), failing(refusal(503)).attempt));
    expect(patience.stats().breaker).toBe('open');
  };

  it('tells a question at once and sends nothing, and leaves other hosts and accounts alone', async () => {
    const patience = open();
    await trip(patience);
    const { made, attempt } = failing(undefined);
    expect(await caught(patience.run(HOST, READ, ask(), attempt))).toMatchObject({ code: 'UNAVAILABLE' });
    expect([made.length, patience.stats().refusedByBreaker]).toEqual([0, 1]);
    expect(await patience.run('login.example', READ, ask(), attempt)).toBe('fine');
    expect(await open().run(HOST, READ, ask(), attempt)).toBe('fine');
  });

  it('lets one through after a while: its success helps all who wait, its failure tells them', async () => {
    let moment = 0;
    const patience = open({ now: () => moment });
    await trip(patience);
    moment += 5_000;
    const probing = ask();
    const probe = caught(patience.run(HOST, READ, probing, () => hang(probing)()));
    await turn();
    const waiting = failing(undefined);
    const waits = caught(patience.run(HOST, READ, ask(), waiting.attempt));
    await turn();
    expect([waiting.made.length, patience.stats()]).toMatchObject([
      0,
      { running: 1, waiting: 1, breaker: 'half-open' },
    ]);
    moment += 1_000;
    probing.abort(new Error('the asker left'));
    expect((await probe).message).toBe('the asker left');
    // It found out nothing, so the next one does.
    await expect(waits).rejects.toThrow('it did not fail');
    expect(patience.stats()).toMatchObject({ breaker: 'closed', waiting: 0, running: 0 });

    await trip(patience);
    moment += 5_000;
    let fail = (): void => undefined;
    const failed = caught(
      patience.run(HOST, WRITE, ask(), () => new Promise((_, reject) => (fail = () => reject(refusal(503))))),
    );
    await turn();
    const told = caught(patience.run(HOST, READ, ask(), waiting.attempt));
    await turn();
    fail();
    expect((await failed).message).toBe('HTTP 503');
    expect((await told).message).toContain('was not asked');
    expect(patience.stats().breaker).toBe('open');
  });

  it('is not opened by refusals', async () => {
    const patience = open();
    for (let count = 0; count < 6; count++) {
      await caught(patience.run(HOST, READ, ask(), failing(refusal(403)).attempt));
      await caught(patience.run(HOST, WRITE, ask(), failing(refusal(503)).attempt));
    }
    expect(patience.stats().breaker).toBe('closed');
  });

  it('is opened by a server that lets deadlines pass, not by askers who leave, nor by those who gave it no time', async () => {
    const [hanging, left, short, child] = [1, 2, 3, 4].map(() => open({ limits: { atOnce: 5 } }));
    const five = (patience: ReturnType<typeof open> | undefined, ms: number, traits = READ, after?: number) =>
      Array.from({ length: 5 }, async () => {
        const call = ask(ms);
        if (after !== undefined) setTimeout(() => call.abort(new CalmcpError('UNAVAILABLE', 'it was answered')), after);
        await caught(patience?.run(HOST, traits, call, hang(call)) ?? Promise.resolve());
      });
    const isWorthIt = ({ cause }: CalmcpError): boolean => cause !== undefined;
    await Promise.all([
      ...five(hanging, 1_050),
      ...five(left, 5_000, READ, 1_050),
      ...five(short, 100),
      // Whether a child server hangs is its supervisor's to find out.
      ...five(child, 1_050, { ...READ, isWorthIt }),
    ]);
    expect([hanging, left, short, child].map((each) => each?.stats().breaker)).toEqual([
      'open',
      'closed',
      'closed',
      'closed',
    ]);
  });

  it('lets those finish that were let in before: a burst that fails once is no answer less', async () => {
    const patience = open({ limits: { atOnce: 8 } });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => patience.run(HOST, READ, ask(), failing(refusal(503), undefined).attempt)),
    );
    expect(answers).toEqual(Array.from({ length: 8 }, () => 'fine'));
    expect(patience.stats()).toMatchObject({ requests: 16, retries: 8, breaker: 'closed' });
  });

  it('and a pause do not hide what became of a request that was sent before', async () => {
    const patience = open({ random: () => 0.05 });
    const { made, attempt } = failing(refusal(503));
    const running = caught(patience.run(HOST, READ, ask(5_000), attempt));
    await turn();
    await caught(patience.run(HOST, READ, ask(5_000), failing(refusal(429, 60_000)).attempt));
    expect([(await running).message, made.length]).toEqual(['HTTP 503', 1]);
  });

  it('says that a change was not sent, unless something was sent for it before', async () => {
    const patience = open();
    await trip(patience);
    const change = ask();
    expect(wasNotSent(await caught(patience.run(HOST, WRITE, change, failing(undefined).attempt)))).toBe(true);

    const other = open();
    const read = ask();
    await other.run(HOST, READ, read, failing(undefined).attempt);
    const begun = ask();
    await other.run(HOST, WRITE, begun, failing(undefined).attempt);
    await trip(other);
    expect(wasNotSent(await caught(other.run(HOST, WRITE, read, failing(undefined).attempt)))).toBe(true);
    const after = await caught(other.run(HOST, READ, { ...begun }, failing(undefined).attempt));
    expect([after.code, after.hint, wasNotSent(after)]).toEqual(['UNAVAILABLE', 'try again in 5 s', false]);
  });

  it('of a child server is opened by what the vendor says, not by what happens to the child', async () => {
    const patience = open();
    const isWorthIt = ({ cause }: CalmcpError): boolean => cause !== undefined;
    for (let count = 0; count < 6; count++) {
      const died = failing(new CalmcpError('UNAVAILABLE', 'it has ended'));
      await caught(patience.run('its child server', { ...READ, isWorthIt }, ask(), died.attempt));
      expect(died.made).toHaveLength(1);
    }
    expect(patience.stats().breaker).toBe('closed');
  });
});

describe('a rate', () => {
  it('paces what comes after the burst, questions first', async () => {
    const patience = open({ limits: { atOnce: 20, perMinute: 1_200 } });
    const order: string[] = [];
    const one = (name: string, call = ask()): Promise<unknown> =>
      patience.run(HOST, READ, call, async () => order.push(name));
    await patience.run(HOST, { ...READ, cost: 599 }, ask(), async () => undefined);
    const errand = ask(60_000, true);
    const began = performance.now();
    const burst = one('burst');
    const waiting = caught(one('errand', errand));
    const others = [one('first'), one('second'), one('third')];
    await burst;
    expect(order).toEqual(['burst']);
    await Promise.all(others);
    // 600 a minute is one each 100 ms.
    expect(performance.now() - began).toBeGreaterThanOrEqual(290);
    expect(order).toEqual(['burst', 'first', 'second', 'third']);
    // A part of the burst is there for questions alone.
    expect(patience.stats().waiting).toBe(1);
    errand.abort(late);
    expect(await waiting).toBe(late);
  });

  it('that is used up beyond the deadline is an error at once, whose hint names the setting', async () => {
    const patience = open({ limits: { perMinute: 10 } });
    for (let count = 0; count < 5; count++) await patience.run(HOST, READ, ask(), async () => undefined);
    const began = performance.now();
    const { made, attempt } = failing(undefined);
    expect(await caught(patience.run(HOST, READ, ask(5_000), attempt))).toMatchObject({
      code: 'RATE_LIMITED',
      hint: 'raise limits.perMinute of work in accounts.yaml if it may do more, or try again later',
    });
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(made).toHaveLength(0);
  });

  it('is left by a question that is given up, and the next one moves up', async () => {
    const patience = open({ limits: { perMinute: 240 } });
    await patience.run(HOST, { ...READ, cost: 120 }, ask(), async () => undefined);
    const gone = ask();
    const leaving = caught(patience.run(HOST, READ, gone, async () => undefined));
    const began = performance.now();
    const next = patience.run(HOST, READ, ask(), async () => performance.now() - began);
    gone.abort(late);
    expect(await leaving).toBe(late);
    // 500 ms each: the first place, not the second.
    expect(await next).toBeLessThan(900);
    expect(patience.stats()).toMatchObject({ requests: 2, waiting: 0 });
  });
});

describe('an app registration', () => {
  const isForAll = ({ body }: { body: string }): boolean => body.includes('ApplicationThrottled');
  const accounts = (count: number, limits: Limits = {}, now?: () => number) => {
    const registration = createRegistration('11111111', limits, now);
    return Array.from({ length: count }, (_, index) => open({ account: `a${index}`, registration, isForAll }));
  };
  /** How many run at once over all of `patiences` when each is asked four times. */
  async function most(patiences: readonly ReturnType<typeof open>[]): Promise<number> {
    let running = 0;
    let peak = 0;
    const work = async (): Promise<void> => {
      peak = Math.max(peak, ++running);
      await turn();
      running--;
    };
    await Promise.all(patiences.flatMap((each) => Array.from({ length: 4 }, () => each.run(HOST, READ, ask(), work))));
    return peak;
  }

  it('has so many requests at once over all its accounts', async () => {
    expect(await most(accounts(3))).toBe(12);
    expect(await most(accounts(3, { atOnce: 7 }))).toBe(7);
  });

  it('falls to four at once for some minutes after it was throttled as a whole, and pauses as it was asked to', async () => {
    let moment = 0;
    const all = accounts(3, {}, () => moment);
    const [first, second] = all;
    if (first === undefined || second === undefined) throw new TypeError();
    const throttled = failing(refusal(429, 200, '{"error":{"code":"ApplicationThrottled"}}'));
    const running = caught(first.run(HOST, WRITE, ask(150), throttled.attempt));
    await running;
    const began = throttled.made[0] ?? 0;
    expect(await second.run(HOST, READ, ask(), async () => performance.now() - began)).toBeGreaterThanOrEqual(200);
    expect(await most(all)).toBe(4);
    moment += 300_000;
    expect(await most(all)).toBe(12);
  });

  it('does not suffer from what concerns one account', async () => {
    const all = accounts(3);
    await caught(all[0]?.run(HOST, WRITE, ask(100), failing(refusal(429, 60_000)).attempt) ?? Promise.resolve());
    expect(await most(all.slice(1))).toBe(8);
    expect((await caught(all[0]?.run(HOST, READ, ask(), async () => 1) ?? Promise.resolve())).code).toBe(
      'RATE_LIMITED',
    );
  });

  it('serves a question of one account before the background work of another', async () => {
    const [first, second] = accounts(2, { atOnce: 1 });
    const order: string[] = [];
    const holder = ask();
    const held = caught(first?.run(HOST, READ, holder, hang(holder)) ?? Promise.resolve());
    await turn();
    const errand = first?.run(HOST, READ, ask(10_000, true), async () => order.push('errand'));
    const question = second?.run(HOST, READ, ask(), async () => order.push('question'));
    holder.abort(late);
    await held;
    await Promise.all([errand, question]);
    expect(order).toEqual(['question', 'errand']);
  });

  it('has a rate of its own, and says so', async () => {
    const [first, second] = accounts(2, { perMinute: 10 });
    for (let count = 0; count < 5; count++) await first?.run(HOST, READ, ask(), async () => undefined);
    expect(await caught(second?.run(HOST, READ, ask(1_000), async () => 1) ?? Promise.resolve())).toMatchObject({
      code: 'RATE_LIMITED',
      hint: expect.stringContaining('registrations.11111111.perMinute'),
    });
  });

  it('gives one account what another one does not use while it waits for a pause of its own', async () => {
    const [first, second] = accounts(2, { perMinute: 100 });
    await caught(first?.run(HOST, WRITE, ask(100), failing(refusal(429, 3_000)).attempt) ?? Promise.resolve());
    const waiter = ask();
    const waiting = Array.from({ length: 20 }, () =>
      caught(first?.run(HOST, { ...READ, cost: 4 }, waiter, async () => 1) ?? Promise.resolve()),
    );
    await turn();
    const began = performance.now();
    expect(await second?.run(HOST, READ, ask(2_000), async () => 'fine')).toBe('fine');
    expect(performance.now() - began).toBeLessThan(500);
    waiter.abort(late);
    await Promise.all(waiting);
  });

  it('that was throttled has a place left for others when one account hangs', async () => {
    const registration = createRegistration('11111111', {});
    const [first, second] = [open({ account: 'a', registration }), open({ account: 'b', registration })];
    registration.at(HOST).throttled(0);
    const holder = ask();
    const held = Array.from({ length: 4 }, () => caught(first.run(HOST, READ, holder, hang(holder))));
    await turn();
    expect(await second.run(HOST, READ, ask(2_000), async () => 'fine')).toBe('fine');
    holder.abort(late);
    await Promise.all(held);
  });
});
