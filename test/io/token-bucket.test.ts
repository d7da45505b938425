import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import { createTokenBucket } from '../../src/io/token-bucket.ts';
import type { Need } from '../../src/io/waiting-line.ts';

const need = (more: Partial<Need> = {}): Need => ({ weight: 1, cost: 1, background: false, again: false, ...more });
const FOREVER = Number.POSITIVE_INFINITY;

function open(perMinute: number) {
  let moment = 5_000;
  const bucket = createTokenBucket({ perMinute, hint: 'raise it', host: 'graph.example', now: () => moment });
  /** Takes as many of one as it lets through now. */
  const drain = (more: Partial<Need> = {}): number => {
    for (let taken = 0; ; taken++) {
      if (taken > 100_000) throw new Error('it lets everything through');
      if (bucket.waitFor(need(more), 0, FOREVER) > 0) return taken;
      bucket.take(need(more));
    }
  };
  return {
    bucket,
    drain,
    now: () => moment,
    pass: (ms: number) => {
      moment += ms;
    },
  };
}

describe('a token bucket', () => {
  it('lets half a minute’s worth through at once, and then as much over each minute', () => {
    const { drain, pass } = open(600);
    expect(drain()).toBe(300);
    pass(1_000);
    expect(drain()).toBe(5);
    pass(60_000);
    expect(drain()).toBe(300);
    pass(3_600_000);
    expect(drain()).toBe(300);
  });

  it('says how long it takes until the next one may go, behind those that are before it', () => {
    const { bucket, drain } = open(600);
    drain();
    expect(bucket.waitFor(need(), 0, FOREVER)).toBeCloseTo(200);
    expect(bucket.waitFor(need(), 9, FOREVER)).toBeCloseTo(2_000);
  });

  it('counts a batch as all that is in it', () => {
    const { drain } = open(600);
    expect(drain({ cost: 20 })).toBe(15);
  });

  it('refuses at once what would have to wait beyond its deadline, and says which setting it is', () => {
    const { bucket, drain } = open(60);
    drain();
    try {
      bucket.waitFor(need(), 0, 1_999);
      expect.unreachable();
    } catch (thrown) {
      expect(thrown).toBeInstanceOf(CalmcpError);
      expect(thrown).toMatchObject({
        code: 'RATE_LIMITED',
        message: 'graph.example: it would take more than 60 requests a minute',
        hint: 'raise it',
        retryAfterMs: 2_000,
      });
    }
    expect(bucket.waitFor(need(), 0, 2_001)).toBeCloseTo(2_000);
  });

  it('keeps a part for questions that background work cannot use up', () => {
    const { drain } = open(600);
    expect(drain({ background: true })).toBe(225);
    expect(drain()).toBe(75);
  });

  it('lets through what costs more than it holds when it is full, and makes up for it afterwards', () => {
    const { bucket, pass } = open(10);
    expect(bucket.waitFor(need({ cost: 20 }), 0, FOREVER)).toBe(0);
    bucket.take(need({ cost: 20 }));
    expect(bucket.waitFor(need(), 0, FOREVER)).toBeCloseTo((16 / 5) * 60_000);
    pass((16 / 5) * 60_000 + 1);
    expect(bucket.waitFor(need(), 0, FOREVER)).toBe(0);
  });

  it('never lets more through in any 60 seconds than was configured', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 2_000 }),
        fc.array(fc.record({ gap: fc.integer({ min: 0, max: 30_000 }), background: fc.boolean() }), { maxLength: 30 }),
        (perMinute, turns) => {
          const { drain, pass, now } = open(perMinute);
          const sent: { at: number; count: number }[] = [];
          for (const { gap, background } of turns) {
            pass(gap);
            sent.push({ at: now(), count: drain({ background }) });
          }
          for (const { at } of sent) {
            const inWindow = sent.filter((each) => each.at >= at && each.at < at + 60_000);
            const total = inWindow.reduce((sum, { count }) => sum + count, 0);
            expect(total).toBeLessThanOrEqual(perMinute);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
