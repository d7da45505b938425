/** Free slots: where everybody's hours are and nobody's time is taken, on the grid, best first. */
import { firstEndingAfter, type Intervals, intersect, interval, meets, pairsOf, subtract } from './intervals.ts';
import type { ZoneClock } from './time.ts';

const MINUTE = 60_000;

/**
 * `earliest`: by time. `spread`: over the days of the range, and over the parts of a day. `compact`: beside what is
 * there already, so that long free stretches stay whole.
 */
export const RANKINGS = ['earliest', 'spread', 'compact'] as const;
export type Ranking = (typeof RANKINGS)[number];

export interface SlotQuestion {
  readonly range: { readonly start: number; readonly end: number };
  /** Earliest start: now and the notice that is wanted, in epoch milliseconds. */
  readonly notBefore: number;
  /** Whole minutes, more than none. */
  readonly durationMinutes: number;
  /** Slots start at multiples of so many minutes on this clock; divides a day. */
  readonly gridMinutes: number;
  readonly clock: ZoneClock;
  /** When all can be booked. */
  readonly hours: Intervals;
  /** What is taken, with the time that is to be kept free around it. */
  readonly blocked: Intervals;
  /** What may be used where nothing else is left. */
  readonly soft: Intervals;
  readonly ranking: Ranking;
  readonly limit: number;
  readonly limitPerDay?: number | undefined;
}

export interface Slot {
  readonly start: number;
  readonly end: number;
  /** Over time that may be used last. */
  readonly soft: boolean;
  /** Something ends as it starts, or starts as it ends. */
  readonly follows: boolean;
  readonly precedes: boolean;
}

/** Why there is no slot: the first of these that is true. */
export type EmptyReason =
  /** The range has no working hours that are long enough. */
  | 'outsideHours'
  /** It had, and they have gone by, or are too near. */
  | 'tooSoon'
  /** All of them are taken. */
  | 'noGap';

export interface FoundSlots {
  /** Best first; no two overlap. What is soft comes after all that is not. */
  readonly slots: readonly Slot[];
  readonly emptyReason?: EmptyReason;
  /** The longest stretch that is free, on the grid or not, in minutes; for the person whose question has no answer. */
  readonly longestFreeMinutes: number;
}

/** The first moment after `from` at which the clock has another offset than then; `until` has another one. */
function changeBetween(from: number, until: number, clock: ZoneClock): number {
  const offset = clock.offsetMinutes(from);
  let [before, after] = [from, until];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (clock.offsetMinutes(middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** The first moment on the grid that is not before `moment`, on the wall clock of a zone. */
export function gridAfter(moment: number, gridMinutes: number, clock: ZoneClock): number {
  const grid = gridMinutes * MINUTE;
  for (let from = moment; ; ) {
    const offset = clock.offsetMinutes(from) * MINUTE;
    const aligned = Math.ceil((from + offset) / grid) * grid - offset;
    if (clock.offsetMinutes(aligned) * MINUTE === offset) return aligned;
    // The clock changes before that: from there on the grid is that of the time after it.
    from = changeBetween(from, aligned, clock);
  }
}

function candidatesIn(open: Intervals, question: SlotQuestion): Slot[] {
  const { durationMinutes, gridMinutes, clock, soft, blocked } = question;
  const duration = durationMinutes * MINUTE;
  const found: Slot[] = [];
  const edges = new Set(blocked);
  for (const [from, to] of pairsOf(open))
    for (
      let start = gridAfter(from, gridMinutes, clock);
      start + duration <= to;
      start = gridAfter(start + 1, gridMinutes, clock)
    ) {
      const end = start + duration;
      found.push({
        start,
        end,
        soft: meets(soft, start, end),
        follows: edges.has(start),
        precedes: edges.has(end),
      });
    }
  return found;
}

const overlap = (a: Slot, b: Slot): boolean => a.start < b.end && b.start < a.end;

/** Takes candidates in order as long as they overlap none that was taken, up to the limits. */
function take(candidates: readonly Slot[], taken: Slot[], { clock, limit, limitPerDay }: SlotQuestion): void {
  const perDay = new Map<string, number>();
  for (const { start } of taken) perDay.set(clock.date(start), (perDay.get(clock.date(start)) ?? 0) + 1);
  for (const slot of candidates) {
    if (taken.length >= limit) return;
    const day = clock.date(slot.start);
    if ((perDay.get(day) ?? 0) >= (limitPerDay ?? Number.POSITIVE_INFINITY)) continue;
    if (taken.some((other) => overlap(other, slot))) continue;
    taken.push(slot);
    perDay.set(day, (perDay.get(day) ?? 0) + 1);
  }
}

const byTime = (a: Slot, b: Slot): number => a.start - b.start;

/** Beside two others, beside one, beside none; then the smaller gap, which is worth least otherwise. */
function byCompactness(candidates: readonly Slot[], open: Intervals): Slot[] {
  const gapOf = ({ start }: Slot): number => {
    const at = firstEndingAfter(open, start) * 2;
    return (open[at + 1] as number) - (open[at] as number);
  };
  const touches = ({ follows, precedes }: Slot): number => Number(follows) + Number(precedes);
  return candidates
    .map((slot) => ({ slot, touches: touches(slot), gap: gapOf(slot) }))
    .sort((a, b) => b.touches - a.touches || a.gap - b.gap || byTime(a.slot, b.slot))
    .map(({ slot }) => slot);
}

/**
 * One slot a day, on days as far apart as the limit allows, morning and afternoon in turn; then a second one a day, as
 * far from the first as may be, and so on. What is left comes last, by time: it takes the place of one that overlaps a
 * slot of the day before.
 */
function bySpread(candidates: readonly Slot[], clock: ZoneClock, limit: number): Slot[] {
  const days = new Map<string, Slot[]>();
  for (const slot of candidates) {
    const day = clock.date(slot.start);
    const known = days.get(day);
    if (known) known.push(slot);
    else days.set(day, [slot]);
  }
  const list = [...days.values()];
  const step = Math.max(1, (list.length - 1) / Math.max(1, limit - 1));
  const first = new Set(Array.from({ length: Math.min(limit, list.length) }, (_, index) => Math.round(index * step)));
  const ordered = [...list.filter((_, index) => first.has(index)), ...list.filter((_, index) => !first.has(index))];
  const chosen: Slot[] = [];
  const perDay = ordered.map((slots, index) => {
    const from = (time: string): Slot | undefined => slots.find((slot) => clock.timeOfDay(slot.start) >= time);
    const start = (index % 2 === 0 ? undefined : (from('14:00') ?? from('12:00'))) ?? slots[0];
    return { slots, chosen: start === undefined ? [] : [start] };
  });
  chosen.push(...perDay.flatMap((day) => day.chosen));
  for (let added = true; added && chosen.length < limit; ) {
    added = false;
    for (const day of perDay) {
      const distance = (slot: Slot): number =>
        Math.min(...day.chosen.map((other) => Math.max(other.start - slot.end, slot.start - other.end)));
      const [next] = day.slots
        .filter((slot) => distance(slot) >= 0)
        .sort((a, b) => distance(b) - distance(a) || byTime(a, b));
      if (next === undefined) continue;
      day.chosen.push(next);
      chosen.push(next);
      added = true;
    }
  }
  return [...chosen, ...candidates];
}

function longest(intervals: Intervals): number {
  let most = 0;
  for (const [start, end] of pairsOf(intervals)) most = Math.max(most, Math.floor((end - start) / MINUTE));
  return most;
}

/**
 * Slots of one length. The same question has the same answer, in the same order (L12).
 * @throws TypeError for a length or a grid that is none
 */
export function findSlots(question: SlotQuestion): FoundSlots {
  const { range, notBefore, durationMinutes, gridMinutes, clock, hours, blocked, ranking, limit } = question;
  if (!Number.isInteger(durationMinutes) || durationMinutes < 1) throw new TypeError('a slot has whole minutes');
  if (!Number.isInteger(gridMinutes) || gridMinutes < 1 || 1_440 % gridMinutes !== 0)
    throw new TypeError('a grid divides the day');
  const bookable = intersect(hours, interval(range.start, range.end));
  const ahead = intersect(bookable, interval(notBefore, range.end));
  const open = subtract(ahead, blocked);
  const longestFreeMinutes = longest(open);
  const candidates = candidatesIn(open, question);
  if (candidates.length === 0) {
    const emptyReason =
      longest(bookable) < durationMinutes ? 'outsideHours' : longest(ahead) < durationMinutes ? 'tooSoon' : 'noGap';
    return { slots: [], emptyReason, longestFreeMinutes };
  }
  const slots: Slot[] = [];
  for (const soft of [false, true]) {
    const alike = candidates.filter((slot) => slot.soft === soft && !slots.some((other) => overlap(other, slot)));
    const before = slots.length;
    // Candidates are in the order of time.
    const ranked =
      ranking === 'compact'
        ? byCompactness(alike, open)
        : ranking === 'spread'
          ? bySpread(alike, clock, limit - before)
          : alike;
    take(ranked, slots, question);
    // Spread is a choice and not an order: it is read day by day.
    if (ranking === 'spread') slots.splice(before, slots.length, ...slots.slice(before).sort(byTime));
  }
  return { slots, longestFreeMinutes };
}
