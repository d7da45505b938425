import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../src/io/limiter.ts';

const forever = new AbortController().signal;
/** Lets everything that can go on do so. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A task that runs until it is told to stop. */
function task(): { readonly run: () => Promise<void>; started: boolean; end: () => void } {
  let end = (): void => {};
  const done = new Promise<void>((resolve) => {
    end = resolve;
  });
  const self = {
    started: false,
    end,
    run: () => {
      self.started = true;
      return done;
    },
  };
  return self;
}

describe('a limiter', () => {
  it('runs as many as it has slots, and the next in the order in which they came', async () => {
    const limiter = createLimiter(2);
    const tasks = [task(), task(), task(), task()];
    const runs = tasks.map(({ run }) => limiter.run(1, forever, run));
    await settled();
    expect(tasks.map(({ started }) => started)).toEqual([true, true, false, false]);
    tasks[1]?.end();
    await settled();
    expect(tasks.map(({ started }) => started)).toEqual([true, true, true, false]);
    for (const { end } of tasks) end();
    await Promise.all(runs);
  });

  it('gives back what the task gave, and its slot also after a failure', async () => {
    const limiter = createLimiter(1);
    await expect(limiter.run(1, forever, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(
      limiter.run(1, forever, () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await limiter.run(1, forever, () => Promise.resolve(7))).toBe(7);
  });

  it('a heavy task waits for all it needs and is not overtaken', async () => {
    const limiter = createLimiter(4);
    const [light, heavy, last] = [task(), task(), task()];
    const runs = [
      limiter.run(1, forever, light.run),
      limiter.run(4, forever, heavy.run),
      limiter.run(1, forever, last.run),
    ];
    await settled();
    expect([light.started, heavy.started, last.started]).toEqual([true, false, false]);
    light.end();
    await settled();
    expect([heavy.started, last.started]).toEqual([true, false]);
    heavy.end();
    await settled();
    expect(last.started).toBe(true);
    last.end();
    await Promise.all(runs);
  });

  it('a task heavier than all slots takes all of them', async () => {
    const limiter = createLimiter(2);
    const [heavy, next] = [task(), task()];
    const runs = [limiter.run(9, forever, heavy.run), limiter.run(1, forever, next.run)];
    await settled();
    expect([heavy.started, next.started]).toEqual([true, false]);
    heavy.end();
    await settled();
    next.end();
    await Promise.all(runs);
    expect(next.started).toBe(true);
  });

  it('an abort while waiting frees the place, and whoever it held up goes on', async () => {
    const limiter = createLimiter(2);
    const [running, heavy, light] = [task(), task(), task()];
    const abort = new AbortController();
    const runs = [limiter.run(1, forever, running.run), limiter.run(1, forever, light.run)];
    await settled();
    const [blocked, behind] = [task(), task()];
    const refused = limiter.run(2, abort.signal, heavy.run);
    runs.push(limiter.run(1, forever, blocked.run), limiter.run(1, forever, behind.run));
    light.end();
    await settled();
    expect([heavy.started, blocked.started]).toEqual([false, false]);
    abort.abort(new Error('gave up'));
    await expect(refused).rejects.toThrow('gave up');
    await settled();
    expect([heavy.started, blocked.started, behind.started]).toEqual([false, true, false]);
    for (const { end } of [running, blocked, behind]) end();
    await Promise.all(runs);
  });

  it('refuses at once who has given up already, and takes no slot for it', async () => {
    const limiter = createLimiter(1);
    await expect(limiter.run(1, AbortSignal.abort(new Error('late')), () => Promise.resolve())).rejects.toThrow('late');
    expect(await limiter.run(1, forever, () => Promise.resolve('free'))).toBe('free');
  });

  it('an abort of what runs already is the task’s own affair', async () => {
    const limiter = createLimiter(1);
    const abort = new AbortController();
    const running = task();
    const run = limiter.run(1, abort.signal, running.run);
    await settled();
    abort.abort();
    const next = limiter.run(1, forever, () => Promise.resolve('next'));
    running.end();
    await run;
    expect(await next).toBe('next');
  });

  it('serves a waiting question before background work, whatever its place', async () => {
    const limiter = createLimiter(1);
    const [running, errand, question] = [task(), task(), task()];
    const runs = [
      limiter.run(1, forever, running.run),
      limiter.run(1, forever, errand.run, true),
      limiter.run(1, forever, question.run),
    ];
    running.end();
    await settled();
    expect([errand.started, question.started]).toEqual([false, true]);
    question.end();
    await settled();
    expect(errand.started).toBe(true);
    errand.end();
    await Promise.all(runs);
  });

  it('lets background work have all slots but one, so that a question starts at once', async () => {
    const limiter = createLimiter(4);
    const errands = Array.from({ length: 10 }, task);
    const runs = errands.map(({ run }) => limiter.run(1, forever, run, true));
    await settled();
    expect(errands.filter(({ started }) => started)).toHaveLength(3);
    const question = task();
    runs.push(limiter.run(1, forever, question.run));
    await settled();
    expect(question.started).toBe(true);
    for (const { end } of [question, ...errands]) end();
    await Promise.all(runs);
    expect(errands.every(({ started }) => started)).toBe(true);
  });

  it('weighs what is heavy in full in the background too: it waits until nothing else runs', async () => {
    const limiter = createLimiter(4);
    const [light, batch, question] = [task(), task(), task()];
    const runs = [limiter.run(1, forever, light.run), limiter.run(4, forever, batch.run, true)];
    await settled();
    expect(batch.started).toBe(false);
    light.end();
    await settled();
    expect(batch.started).toBe(true);
    runs.push(limiter.run(1, forever, question.run));
    await settled();
    // A fifth request at once would be refused.
    expect(question.started).toBe(false);
    batch.end();
    await settled();
    expect(question.started).toBe(true);
    question.end();
    await Promise.all(runs);
  });

  it('with one slot only still runs background work', async () => {
    expect(await createLimiter(1).run(1, forever, () => Promise.resolve('done'), true)).toBe('done');
  });

  it('never has more under way than slots, and loses none, whatever comes, fails and gives up', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 5 }),
        fc.array(
          fc.record({
            weight: fc.integer({ min: 1, max: 6 }),
            turns: fc.nat(4),
            fails: fc.boolean(),
            abortAt: fc.option(fc.nat(6)),
            background: fc.boolean(),
          }),
          { maxLength: 25 },
        ),
        async (slots, jobs) => {
          const limiter = createLimiter(slots);
          let used = 0;
          const runs = jobs.map(async ({ weight, turns, fails, abortAt, background }) => {
            const abort = new AbortController();
            const taken = Math.min(weight, slots);
            const job = async (): Promise<void> => {
              used += taken;
              expect(used).toBeLessThanOrEqual(slots);
              for (let turn = 0; turn < turns; turn++) await settled();
              used -= taken;
              if (fails) throw new Error('failed');
            };
            const run = limiter.run(weight, abort.signal, job, background);
            if (abortAt !== null) {
              for (let turn = 0; turn < abortAt; turn++) await Promise.resolve();
              abort.abort(new Error('aborted'));
            }
            await run.catch((error: Error) => {
              if (!['failed', 'aborted'].includes(error.message)) throw error;
            });
          });
          await Promise.all(runs);
          expect(used).toBe(0);
          // All slots are back.
          expect(await limiter.run(slots, forever, () => Promise.resolve('all'))).toBe('all');
        },
      ),
      { numRuns: 200 },
    );
  });
});
