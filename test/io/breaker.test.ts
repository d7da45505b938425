import { describe, expect, it } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import { wasNotSent } from '../../src/core/not-sent.ts';
import { createBreaker } from '../../src/io/breaker.ts';
import type { Need } from '../../src/io/waiting-line.ts';

const question: Need = { weight: 1, cost: 1, background: false, again: false };
const repetition: Need = { ...question, again: true };
const FOREVER = Number.POSITIVE_INFINITY;
const down = new CalmcpError('UNAVAILABLE', 'graph.example is having trouble (HTTP 503)', { cause: { status: 503 } });
const busy = new CalmcpError('RATE_LIMITED', 'slow down', { retryAfterMs: 60_000, cause: { status: 429 } });

function open() {
  let moment = 1_000;
  const breaker = createBreaker('graph.example', () => moment);
  return {
    breaker,
    pass: (ms: number) => {
      moment += ms;
    },
    fail: (times: number, error = down) => {
      for (let count = 0; count < times; count++) breaker.failed(error);
    },
    /** What somebody is told who asks now; nothing where it is let through. */
    told: (need = question): CalmcpError | undefined => {
      try {
        expect(breaker.waitFor(need, 0, FOREVER)).toBe(0);
        return undefined;
      } catch (thrown) {
        if (thrown instanceof CalmcpError) return thrown;
        throw thrown;
      }
    },
  };
}

describe('a breaker', () => {
  it('opens after five failures in a row, and says what the last one was', () => {
    const { breaker, fail, told } = open();
    fail(4);
    expect([breaker.state, told()]).toEqual(['closed', undefined]);
    fail(1);
    expect(breaker.state).toBe('open');
    const error = told();
    expect(error).toMatchObject({
      code: 'UNAVAILABLE',
      message: 'graph.example failed several times in a row, so it was not asked',
      hint: 'try again in 5 s',
      retryAfterMs: 5_000,
    });
    expect(error !== undefined && wasNotSent(error)).toBe(true);
    expect(breaker.refused).toBe(1);
  });

  it('passes on how long a throttling lasts', () => {
    const { fail, told } = open();
    fail(5, busy);
    expect(told()).toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 60_000, hint: 'try again in 60 s' });
  });

  it('stays closed when an answer comes in between', () => {
    const { breaker, fail } = open();
    fail(4);
    breaker.succeeded();
    fail(4);
    expect(breaker.state).toBe('closed');
  });

  it('stays closed when the failures lie far apart', () => {
    const { breaker, fail, pass } = open();
    for (let count = 0; count < 20; count++) {
      fail(1);
      pass(7_600);
    }
    expect(breaker.state).toBe('closed');
  });

  it('lets one through when its time is over; others see what becomes of it, for two seconds at most', () => {
    const { breaker, fail, pass, told } = open();
    fail(5);
    pass(5_000);
    expect([breaker.state, told()]).toEqual(['half-open', undefined]);
    breaker.take(question);
    expect(breaker.waitFor(question, 0, FOREVER)).toBe(2_000);
    expect(() => breaker.waitFor(question, 0, 1_000)).toThrow('was not asked');
    pass(2_000);
    expect(told()).toMatchObject({ code: 'UNAVAILABLE' });
    breaker.succeeded();
    expect([breaker.state, told()]).toEqual(['closed', undefined]);
  });

  it('opens again, for twice as long, when that one fails, up to half a minute', () => {
    const { breaker, fail, pass } = open();
    fail(5);
    for (const seconds of [5, 10, 20, 30, 30]) {
      expect(breaker.state).toBe('open');
      pass(seconds * 1_000 - 1);
      expect(breaker.state).toBe('open');
      pass(1);
      expect(breaker.state).toBe('half-open');
      breaker.take(question);
      fail(1);
    }
  });

  it('lets the next one through when the first gives up without having found out anything', () => {
    const { breaker, fail, pass, told } = open();
    fail(5);
    pass(5_000);
    breaker.take(question)();
    expect(told()).toBeUndefined();
  });

  it('does not stop the repetitions of what was let in before, and closes when one of them is answered', () => {
    const { breaker, fail, told } = open();
    fail(5);
    expect(told(repetition)).toBeUndefined();
    breaker.take(repetition);
    fail(1);
    expect(breaker.state).toBe('open');
    breaker.succeeded();
    expect(told()).toBeUndefined();
  });
});
