/** Real double bookings: two different meetings that want one person at one time. */
import { blocksOf, type ClockOf } from './busy-blocks.ts';
import { OTHER_ACCOUNTS } from './disclosure.ts';
import type { MergedEvent } from './merge.ts';

/** Where counting ends: a feed of thousands of events at one time has millions of pairs. */
export const MOST_COUNTED = 100_000;

export interface Conflict {
  /** What the two have in common within the range, in epoch milliseconds. */
  readonly start: number;
  readonly end: number;
  /** In the order of their starts. */
  readonly events: readonly [MergedEvent, MergedEvent];
}

export interface Conflicts {
  /** By start, then in the order of the events. At most as many as asked for. */
  readonly pairs: readonly Conflict[];
  /** How many there are in all, up to {@link MOST_COUNTED}. */
  readonly count: number;
}

/**
 * Pairs of meetings that overlap in the range, and whose time is not free. Copies of one meeting are one meeting here
 * (merge.ts), also where they are shown as several items; meetings that only touch are no pair, and neither is an event
 * without duration (L17). Two that both may not be shown are nobody's business who asks.
 * @param isSame whether two are likely one and the same for a reason that merging may not go by
 */
export function findConflicts(
  events: readonly MergedEvent[],
  {
    range,
    clockOf,
    isSame,
    limit,
  }: {
    readonly range: { readonly start: number; readonly end: number };
    readonly clockOf: ClockOf;
    readonly isSame: (a: MergedEvent, b: MergedEvent) => boolean;
    readonly limit: number;
  },
): Conflicts {
  const spans = events
    .flatMap((event) => {
      // A copy may last longer than the one that is shown.
      const blocks = blocksOf([event], clockOf);
      const start = Math.max(range.start, Math.min(...blocks.map((block) => block.start)));
      const end = Math.min(range.end, Math.max(...blocks.map((block) => block.end)));
      return end > start ? [{ event, start, end }] : [];
    })
    .sort((a, b) => a.start - b.start || b.end - a.end);
  const isHidden = ({ event }: MergedEvent): boolean => event.account === OTHER_ACCOUNTS;
  const pairs: Conflict[] = [];
  let count = 0;
  let active: typeof spans = [];
  for (const next of spans) {
    active = active.filter(({ end }) => end > next.start);
    for (const other of active) {
      const [a, b] = [other.event, next.event];
      if (a.group === b.group || (isHidden(a) && isHidden(b)) || isSame(a, b)) continue;
      if (count === MOST_COUNTED) return { pairs, count };
      count++;
      if (pairs.length < limit) pairs.push({ start: next.start, end: Math.min(other.end, next.end), events: [a, b] });
    }
    active.push(next);
  }
  return { pairs, count };
}
