/** Which stretch of time is read, so that questions about neighbouring days share one reading. Pure. */

import { addDays, weekdayOf } from './civil-days.ts';
import type { CalendarEvent, EventTime, Range } from './event.ts';
import { DAY, zoneClock } from './time.ts';

/**
 * The weeks that a range lies in, from Monday to Monday on the clock of its zone (ISO 8601 weeks), with a day more on both sides:
 * some questions look a day around what they are asked about, and are to find it in the same reading.
 */
export function wholeWeeks(range: Range): Range {
  const weeks = known.get(range) ?? weeksOf(range);
  known.set(range, weeks);
  return weeks;
}

/** All accounts of a question are asked about the same range. */
const known = new WeakMap<Range, Range>();

function weeksOf({ start, end, timeZone }: Range): Range {
  const clock = zoneClock(timeZone);
  const monday = (epochMs: number): string => {
    const date = clock.date(epochMs);
    return addDays(date, -weekdayOf(date));
  };
  const [from, to] = end - DAY > start + DAY ? [start + DAY, end - DAY] : [start, end];
  return {
    start: clock.startOfDay(monday(from)) - DAY,
    end: clock.startOfDay(addDays(monday(Math.max(from, to - 1)), 7)) + DAY,
    timeZone,
  };
}

const momentOf = (time: EventTime): number =>
  time.kind === 'timed' ? time.epochMs : Date.parse(`${time.date}T00:00:00Z`);

/**
 * The events of a longer reading that a reading of `range` alone would have brought: those of a day more on both sides, as
 * all-day events lie elsewhere on other clocks (T12).
 */
export function eventsWithin(events: readonly CalendarEvent[], { start, end }: Range): CalendarEvent[] {
  const [from, to] = [start - DAY, end + DAY];
  // One whose time is none is not left out either: it is told that its calendar was not understood.
  return events.filter((event) => !(momentOf(event.start) > to || momentOf(event.end) < from));
}
