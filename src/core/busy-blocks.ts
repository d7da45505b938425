/** From merged events to blocks of time: whose, how busy, and all of them laid over each other. */
import { busyOf, isBlocking } from './busy.ts';
import type { BlockingBusy, BusyBlock, CalendarEvent } from './event.ts';
import { type Intervals, intersect, interval, meets, NOTHING, pairsOf, subtract, union, unionOf } from './intervals.ts';
import type { MergedEvent } from './merge.ts';
import { spanOf, type ZoneClock } from './time.ts';

/** A block with whoever it belongs to. */
export interface OwnedBlock extends BusyBlock {
  readonly owner: string;
}

/** A block of the answer: how busy it is, and who makes it so. */
export interface LayeredBlock extends BusyBlock {
  readonly owners: readonly string[];
}

/** From the most to the least severe. */
const LAYERS = ['oof', 'busy', 'unknown', 'tentative'] as const satisfies readonly BlockingBusy[];

/** The clock that an all-day event is placed by when it comes to somebody's time: its owner's, else that of the question. */
export type ClockOf = (event: CalendarEvent) => ZoneClock;

/** Where a copy of a meeting lies: at the meeting's own time, wherever that copy still has it. */
export function spanOfCopy(
  { event, staleCopies }: MergedEvent,
  copy: CalendarEvent,
  clockOf: ClockOf,
): { start: number; end: number } {
  // The days of an all-day meeting are those of whoever holds the copy.
  return spanOf(staleCopies.includes(copy) ? event : copy, clockOf(copy));
}

/**
 * What merged events do to the time of the accounts that hold them. Events without duration block nothing (T18), and
 * neither do those that were called off, whatever a copy still says.
 */
export function blocksOf(events: readonly MergedEvent[], clockOf: ClockOf): OwnedBlock[] {
  return events.flatMap((merged) =>
    (merged.event.status === 'cancelled' ? [] : merged.copies).flatMap((copy) => {
      const busy = busyOf(copy);
      const { start, end } = spanOfCopy(merged, copy, clockOf);
      return isBlocking(busy) && end > start ? { start, end, busy, owner: copy.account } : [];
    }),
  );
}

export function unionOfBlocks(blocks: readonly { readonly start: number; readonly end: number }[]): Intervals {
  return unionOf(
    blocks.map(({ start }) => start),
    blocks.map(({ end }) => end),
  );
}

/**
 * Blocks laid over each other: no two overlap, the most severe wins, and what touches and is equally severe is one.
 * Together with what is free they make up the range.
 */
export function layer(
  blocks: readonly OwnedBlock[],
  range: { readonly start: number; readonly end: number },
): LayeredBlock[] {
  const within = interval(range.start, range.end);
  const owners = [...new Set(blocks.map(({ owner }) => owner))];
  const layers: LayeredBlock[] = [];
  let covered: Intervals = NOTHING;
  for (const busy of LAYERS) {
    const alike = blocks.filter((block) => block.busy === busy);
    if (alike.length === 0) continue;
    const whole = intersect(unionOfBlocks(alike), within);
    const own = owners.map((owner) => ({ owner, time: unionOfBlocks(alike.filter((block) => block.owner === owner)) }));
    for (const [start, end] of pairsOf(subtract(whole, covered)))
      layers.push({
        start,
        end,
        busy,
        owners: own.filter(({ time }) => meets(time, start, end)).map(({ owner }) => owner),
      });
    covered = union(covered, whole);
  }
  return layers.sort((a, b) => a.start - b.start);
}
