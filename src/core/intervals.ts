/** The algebra of busy and free time: sets of half-open intervals of epoch milliseconds, in linear time. */

/**
 * A set of instants: `start, end` pairs in one array, each start before its end, in order, and no pair touching the
 * next one (what touches is one interval: RFC 5545 3.8.2.6 merges free/busy periods the same way).
 */
export type Intervals = Float64Array;

export const NOTHING: Intervals = new Float64Array(0);

/** One interval; empty or backwards ones are nothing. */
export function interval(start: number, end: number): Intervals {
  return end > start ? Float64Array.of(start, end) : NOTHING;
}

/** The pairs one by one. */
export function* pairsOf(intervals: Intervals): Generator<readonly [start: number, end: number]> {
  for (let at = 0; at < intervals.length; at += 2) yield [intervals[at] as number, intervals[at + 1] as number];
}

/**
 * The union of any number of stretches, in any order. Starts and ends are sorted apart and swept with a depth counter,
 * in O(n log n) without an object per stretch.
 * @param starts and the end of each at the same index of `ends`; a stretch that does not end after it starts is nothing
 */
export function unionOf(starts: ArrayLike<number>, ends: ArrayLike<number>): Intervals {
  const from = new Float64Array(starts.length);
  const to = new Float64Array(starts.length);
  let count = 0;
  for (let index = 0; index < starts.length; index++) {
    const [start, end] = [starts[index] as number, ends[index] as number];
    if (!(end > start)) continue;
    from[count] = start;
    to[count] = end;
    count++;
  }
  const opened = from.subarray(0, count).sort();
  const closed = to.subarray(0, count).sort();
  const result = new Float64Array(count * 2);
  let length = 0;
  let depth = 0;
  let close = 0;
  for (let open = 0; open < count; open++) {
    const start = opened[open] as number;
    // What ends exactly here touches what starts here: the starts come first.
    while ((closed[close] as number) < start) {
      depth--;
      if (depth === 0) result[length++] = closed[close] as number;
      close++;
    }
    if (depth === 0) result[length++] = start;
    depth++;
  }
  if (count > 0) result[length++] = closed[count - 1] as number;
  return result.slice(0, length);
}

/** Two sets swept together; `keep` says by which of them a moment is in that decides whether it is in the result. */
function combine(a: Intervals, b: Intervals, keep: (inA: boolean, inB: boolean) => boolean): Intervals {
  const result = new Float64Array(a.length + b.length + 2);
  let length = 0;
  let [atA, atB] = [0, 0];
  let inside = false;
  while (atA < a.length || atB < b.length) {
    const moment = Math.min(a[atA] ?? Number.POSITIVE_INFINITY, b[atB] ?? Number.POSITIVE_INFINITY);
    if (a[atA] === moment) atA++;
    if (b[atB] === moment) atB++;
    // An odd position is within a pair.
    if (keep(atA % 2 === 1, atB % 2 === 1) === inside) continue;
    inside = !inside;
    result[length++] = moment;
  }
  return result.slice(0, length);
}

export function union(a: Intervals, b: Intervals): Intervals {
  return combine(a, b, (inA, inB) => inA || inB);
}

export function intersect(a: Intervals, b: Intervals): Intervals {
  return combine(a, b, (inA, inB) => inA && inB);
}

/** What is in `a` and not in `b`: free time is working hours without what is busy. */
export function subtract(a: Intervals, b: Intervals): Intervals {
  return combine(a, b, (inA, inB) => inA && !inB);
}

/** Index of the first pair that ends after `moment`, counted in pairs; the number of pairs where there is none. */
export function firstEndingAfter(intervals: Intervals, moment: number): number {
  let low = 0;
  let high = intervals.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((intervals[middle * 2 + 1] as number) > moment) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Whether any instant of `[start, end)` is in the set. */
export function meets(intervals: Intervals, start: number, end: number): boolean {
  const next = intervals[firstEndingAfter(intervals, start) * 2];
  return next !== undefined && next < end && end > start;
}
