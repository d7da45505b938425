/** Real double bookings: two different meetings that want one person at one time. */
import { isBlocking } from './busy.ts';
import type { ClockOf } from './busy-blocks.ts';
import type { MergedEvent } from './merge.ts';
import { spanOf } from './time.ts';

export interface Conflict {
  /** What the two have in common, in epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** In the order of their starts. */
  readonly events: readonly [MergedEvent, MergedEvent];
}

export interface Conflicts {
  /** By start, then in the order of the events. At most as many as asked for. */
  readonly pairs: readonly Conflict[];
  /** How many there are in all. */
  readonly count: number;
}

/**
 * Pairs of meetings that overlap, and whose time is not free. Copies of one meeting are one meeting here already
 * (merge.ts); meetings that only touch are none, and neither is an event without duration (L17).
 * @param isSame whether two are likely one and the same for a reason that merging may not go by
 */
export function findConflicts(
  events: readonly MergedEvent[],
  {
    clockOf,
    isSame,
    limit,
  }: {
    readonly clockOf: ClockOf;
    readonly isSame: (a: MergedEvent, b: MergedEvent) => boolean;
    readonly limit: number;
  },
): Conflicts {
  const spans = events
    .filter(({ busy }) => isBlocking(busy))
    .map((event) => ({ event, ...spanOf(event.event, clockOf(event.event)) }))
    .filter(({ start, end }) => end > start)
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const pairs: Conflict[] = [];
  let count = 0;
  let active: typeof spans = [];
  for (const next of spans) {
    active = active.filter(({ end }) => end > next.start);
    for (const other of active) {
      if (isSame(other.event, next.event)) continue;
      count++;
      if (pairs.length < limit)
        pairs.push({ start: next.start, end: Math.min(other.end, next.end), events: [other.event, next.event] });
    }
    active.push(next);
  }
  return { pairs, count };
}
