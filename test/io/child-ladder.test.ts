import { expect, test } from 'vitest';
import { createLadder } from '../../src/io/child-ladder.ts';

const times = { first: 1_000, cap: 6_000 };

test('each crash doubles the longest wait up to the cap, and the wait is a random part of it', () => {
  const parts = [1, 0.5, 0.25, 1];
  const ladder = createLadder({ ...times, random: () => parts.shift() ?? Number.NaN });
  expect([1, 2, 3, 4].map(() => ladder.crashed(0))).toEqual([1_000, 1_000, 1_000, 6_000]);
});

test('with the fifth crash it is left alone', () => {
  const ladder = createLadder({ ...times, random: () => 0 });
  for (let crash = 1; crash <= 4; crash++) {
    expect(ladder.crashed(0)).toBe(0);
    expect(ladder.isLeftAlone).toBe(false);
  }
  expect(ladder.crashed(0)).toBeUndefined();
  expect(ladder.isLeftAlone).toBe(true);
  ladder.forgive();
  expect([ladder.isLeftAlone, ladder.crashes, ladder.waiting(0)]).toEqual([false, 0, 0]);
});

test('the wait passes with the clock', () => {
  const ladder = createLadder({ ...times, random: () => 1 });
  ladder.crashed(10_000);
  expect([10_000, 10_400, 11_000, 99_000].map((now) => ladder.waiting(now))).toEqual([1_000, 600, 0, 0]);
});

test('one attempt before its time in each pause, and none before the first crash', () => {
  const ladder = createLadder({ ...times, random: () => 1 });
  expect(ladder.takeAttempt()).toBe(false);
  ladder.crashed(0);
  expect([ladder.takeAttempt(), ladder.takeAttempt(), ladder.takeAttempt()]).toEqual([true, false, false]);
  ladder.crashed(0);
  expect([ladder.takeAttempt(), ladder.takeAttempt()]).toEqual([true, false]);
});
