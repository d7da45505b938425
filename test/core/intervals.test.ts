import { describe, expect, it } from 'vitest';
import {
  firstEndingAfter,
  type Intervals,
  intersect,
  interval,
  meets,
  NOTHING,
  pairsOf,
  subtract,
  union,
  unionOf,
} from '../../src/core/intervals.ts';

const set = (...pairs: readonly (readonly [number, number])[]): Intervals =>
  unionOf(
    pairs.map(([start]) => start),
    pairs.map(([, end]) => end),
  );
const pairs = (intervals: Intervals): number[][] => [...pairsOf(intervals)].map((pair) => [...pair]);

describe('a union', () => {
  it('L02: of stretches that touch is one stretch', () => {
    expect(pairs(set([10, 11], [11, 12]))).toEqual([[10, 12]]);
    expect(pairs(set([11, 12], [10, 11]))).toEqual([[10, 12]]);
    expect(pairs(set([10, 11], [12, 13], [11, 12]))).toEqual([[10, 13]]);
    expect(pairs(union(set([10, 11]), set([11, 12])))).toEqual([[10, 12]]);
  });

  it('keeps a gap, however short', () => {
    expect(pairs(set([10, 11], [12, 13]))).toEqual([
      [10, 11],
      [12, 13],
    ]);
  });

  it('T18, T19: has nothing of a stretch without length or one that ends before it starts', () => {
    expect(pairs(set([10, 10]))).toEqual([]);
    expect(pairs(set([10, 5]))).toEqual([]);
    expect(pairs(set([10, 10], [20, 30], [40, 35]))).toEqual([[20, 30]]);
    // A point between two stretches does not make them one, and one within a stretch does not cut it.
    expect(pairs(set([0, 1], [1, 1], [2, 3], [2, 2]))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(interval(10, 10)).toEqual(NOTHING);
    expect(interval(10, 5)).toEqual(NOTHING);
  });

  it('takes stretches that lie in each other, start together, end together and come twice', () => {
    expect(pairs(set([0, 100], [10, 20], [10, 30], [90, 100], [0, 100]))).toEqual([[0, 100]]);
    expect(pairs(set([5, 6], [0, 6], [6, 9], [0, 1]))).toEqual([[0, 9]]);
    expect(pairs(set([0, 10], [2, 3], [9, 12], [13, 14]))).toEqual([
      [0, 12],
      [13, 14],
    ]);
  });

  it('sorts by number and not by text', () => {
    expect(pairs(set([900, 1_000], [10_000, 10_001], [-5, -3]))).toEqual([
      [-5, -3],
      [900, 1_000],
      [10_000, 10_001],
    ]);
  });

  it('of nothing is nothing', () => {
    expect(set()).toEqual(NOTHING);
    expect(union(NOTHING, NOTHING)).toEqual(NOTHING);
    expect(pairs(union(NOTHING, set([1, 2])))).toEqual([[1, 2]]);
  });

  it('is made without changing what it is made of', () => {
    const starts = [20, 10];
    const ends = [30, 15];
    unionOf(starts, ends);
    expect([starts, ends]).toEqual([
      [20, 10],
      [30, 15],
    ]);
  });
});

describe('what two sets have in common, and what only one has', () => {
  const busy = set([10, 20], [30, 40]);

  it('W01: those that only touch have nothing in common and take nothing from each other', () => {
    expect(pairs(intersect(busy, set([20, 30])))).toEqual([]);
    expect(pairs(subtract(busy, set([20, 30])))).toEqual([
      [10, 20],
      [30, 40],
    ]);
    expect(pairs(intersect(busy, set([19, 31])))).toEqual([
      [19, 20],
      [30, 31],
    ]);
  });

  it('free time is hours without busy time', () => {
    expect(pairs(subtract(set([9, 17]), set([10, 11], [11, 12], [16, 20])))).toEqual([
      [9, 10],
      [12, 16],
    ]);
    expect(pairs(subtract(set([9, 17]), set([9, 17])))).toEqual([]);
    expect(pairs(subtract(set([9, 17]), set([0, 99])))).toEqual([]);
    expect(pairs(subtract(NOTHING, set([9, 17])))).toEqual([]);
    expect(pairs(subtract(set([9, 17]), NOTHING))).toEqual([[9, 17]]);
    expect(pairs(subtract(set([9, 17]), set([9, 10], [16, 17])))).toEqual([[10, 16]]);
  });

  it('hours that several have in common are in the hours of each', () => {
    expect(pairs(intersect(set([9, 12], [13, 17]), set([8, 10], [11, 14], [16, 20])))).toEqual([
      [9, 10],
      [11, 12],
      [13, 14],
      [16, 17],
    ]);
    expect(pairs(intersect(busy, NOTHING))).toEqual([]);
  });
});

describe('looking into a set', () => {
  const busy = set([10, 20], [30, 40]);

  it('half-open: its starts are in and its ends are out', () => {
    expect(meets(busy, 20, 30)).toBe(false);
    expect(meets(busy, 0, 10)).toBe(false);
    expect(meets(busy, 40, 50)).toBe(false);
    expect(meets(busy, 19, 30)).toBe(true);
    expect(meets(busy, 20, 31)).toBe(true);
    expect(meets(busy, 0, 99)).toBe(true);
    expect(meets(busy, 12, 13)).toBe(true);
    expect(meets(NOTHING, 0, 99)).toBe(false);
  });

  it('nothing meets a stretch without length', () => {
    expect(meets(busy, 15, 15)).toBe(false);
    expect(meets(busy, 15, 12)).toBe(false);
  });

  it('finds the first pair that ends later', () => {
    expect([0, 10, 19, 20, 25, 39, 40, 99].map((moment) => firstEndingAfter(busy, moment))).toEqual([
      0, 0, 0, 1, 1, 1, 2, 2,
    ]);
    expect(firstEndingAfter(NOTHING, 0)).toBe(0);
  });
});
