/** The hours in which somebody can be booked. */

import { addDays, weekdayOf } from './civil-days.ts';
import { type Intervals, NOTHING, unionOf } from './intervals.ts';
import { firstInstantAt, type ZoneClock } from './time.ts';

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export interface WorkingHours {
  readonly days: readonly Weekday[];
  /** `HH:MM` */
  readonly start: string;
  /** `HH:MM`, later than `start`; `24:00` is the end of the day. */
  readonly end: string;
}

/** What holds where accounts.yaml says nothing. */
export const USUAL_HOURS: WorkingHours = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], start: '09:00', end: '17:30' };

/**
 * Working hours day by day on somebody's own clock, so that they move with DST; hours that begin in a gap begin with
 * the first instant after it. Not cut to the range: the days at its edges are whole.
 */
export function expandWorkingHours(
  { days, start, end }: WorkingHours,
  clock: ZoneClock,
  range: { readonly start: number; readonly end: number },
): Intervals {
  if (range.end <= range.start) return NOTHING;
  const starts: number[] = [];
  const ends: number[] = [];
  const last = clock.date(range.end);
  for (let date = clock.date(range.start); date <= last; date = addDays(date, 1)) {
    if (!days.includes(WEEKDAYS[weekdayOf(date)] as Weekday)) continue;
    starts.push(firstInstantAt(`${date}T${start}`, clock.timeZone));
    ends.push(end === '24:00' ? clock.startOfDay(addDays(date, 1)) : firstInstantAt(`${date}T${end}`, clock.timeZone));
  }
  return unionOf(starts, ends);
}
