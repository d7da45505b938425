/** A report day by day, as people read it: each day with its share of every stretch, placed by the clock on the wall. */
import { addDays } from '../../core/civil-days.ts';
import { formatOffset, type ZoneClock, zoneClock } from '../../core/time.ts';
import type { FreeBusy } from '../../operations/get-free-busy.ts';
import { type Kind, type Stretch, stretchesOf } from './stretches.ts';

/** The part of a stretch that is on one day. */
export interface Share {
  readonly kind: Kind;
  readonly accounts: readonly string[];
  /** `09:00–10:00`, `from 22:00`, `until 02:00`, `all day`; with offsets on a day on which clocks change. */
  readonly times: string;
  /** Where it lies, in hours of the clock on the wall: 9.5 is half past nine, 24 the end of the day. */
  readonly top: number;
  readonly bottom: number;
}

export interface Day {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** Length in hours, where clocks change: 23, 25. */
  readonly unusualHours?: number;
  /** The part of the day that was asked about, in hours of the clock on the wall. */
  readonly top: number;
  readonly bottom: number;
  readonly shares: readonly Share[];
}

const HOUR = 3_600_000;

/** Hours since midnight that the clock shows. */
function wallHours(epochMs: number, clock: ZoneClock): number {
  return Date.parse(`1970-01-01T${clock.format(epochMs).slice(11, -6)}Z`) / HOUR;
}

/** `09:00`; with seconds where there are some. */
export function wallTime(epochMs: number, clock: ZoneClock): string {
  const text = clock.format(epochMs).slice(11, -6);
  return text.endsWith(':00') ? text.slice(0, -3) : text;
}

/** The first instant after `start` at which the offset is that of `end`: when clocks change, to the millisecond. */
export function changeBetween(start: number, end: number, clock: ZoneClock): number {
  const after = clock.offsetMinutes(end);
  let [low, high] = [start, end];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (clock.offsetMinutes(middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

/** All days that the range touches, also those on which nothing is. */
export function daysOf(answer: Pick<FreeBusy, 'range' | 'blocks' | 'free'>): Day[] {
  const clock = zoneClock(answer.range.timeZone);
  const [rangeStart, rangeEnd] = [Date.parse(answer.range.start), Date.parse(answer.range.end)];
  const stretches = stretchesOf(answer);
  const days: Day[] = [];
  let first = 0;
  for (let date = clock.date(rangeStart); clock.startOfDay(date) < rangeEnd; date = addDays(date, 1)) {
    const bounds = { start: clock.startOfDay(date), end: clock.startOfDay(addDays(date, 1)) };
    while ((stretches[first]?.end ?? Number.POSITIVE_INFINITY) <= bounds.start) first++;
    const shares: Share[] = [];
    for (let index = first; (stretches[index]?.start ?? Number.POSITIVE_INFINITY) < bounds.end; index++)
      shares.push(shareOf(stretches[index] as Stretch, bounds, clock));
    const hours = (bounds.end - bounds.start) / HOUR;
    days.push({
      date,
      ...(hours === 24 ? {} : { unusualHours: hours }),
      ...extentOf(Math.max(bounds.start, rangeStart), Math.min(bounds.end, rangeEnd), bounds.end, clock),
      shares,
    });
  }
  return days;
}

interface Bounds {
  readonly start: number;
  readonly end: number;
}

function shareOf({ start, end, kind, accounts }: Stretch, bounds: Bounds, clock: ZoneClock): Share {
  const [from, to] = [Math.max(start, bounds.start), Math.min(end, bounds.end)];
  return {
    kind,
    accounts,
    times: timesOf(start, end, bounds, clock),
    ...extentOf(from, to, bounds.end, clock),
  };
}

/**
 * From where to where on a day's wall clock. When clocks go back, an hour passes twice: what goes on meanwhile reaches
 * from the earliest to the latest time that the clock showed.
 */
function extentOf(start: number, end: number, endOfDay: number, clock: ZoneClock): { top: number; bottom: number } {
  const top = wallHours(start, clock);
  const bottom = end === endOfDay ? 24 : wallHours(end, clock);
  if (clock.offsetMinutes(end - 1) >= clock.offsetMinutes(start)) return { top, bottom };
  const change = changeBetween(start, end - 1, clock);
  const repeated = (clock.offsetMinutes(start) - clock.offsetMinutes(end - 1)) / 60;
  const back = wallHours(change, clock);
  return { top: Math.min(top, back), bottom: Math.max(bottom, back + repeated) };
}

function timesOf(start: number, end: number, bounds: Bounds, clock: ZoneClock): string {
  if (start <= bounds.start && end >= bounds.end) return 'all day';
  const changes = clock.offsetMinutes(bounds.start) !== clock.offsetMinutes(bounds.end);
  const offsetAt = (epochMs: number): string => (changes ? formatOffset(clock.offsetMinutes(epochMs)) : '');
  const from = wallTime(start, clock);
  const to = end === bounds.end ? '24:00' : wallTime(end, clock);
  // The offset that holds until then: at the very change the clock shows two times.
  const [startOffset, endOffset] = [offsetAt(start), offsetAt(end)];
  if (start < bounds.start) return `until ${[to, endOffset].filter(Boolean).join(' ')}`;
  if (end > bounds.end) return `from ${[from, startOffset].filter(Boolean).join(' ')}`;
  if (startOffset === endOffset) return [`${from}–${to}`, startOffset].filter(Boolean).join(' ');
  return `${from} ${startOffset}–${to} ${endOffset}`;
}
