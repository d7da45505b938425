import { Temporal } from 'temporal-polyfill';
import type { DayOfWeek, Recurrence } from './data.ts';

type Pattern = Recurrence['pattern'];

/** In the order of ISO weekdays, 1 = Monday. */
export const weekdayNames = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const satisfies readonly DayOfWeek[];

const ordinals = { first: 0, second: 1, third: 2, fourth: 3, last: -1 } as const;

/** The dates on which a rule has an occurrence, in order, up to `until` (inclusive). */
export function* occurrenceDates(
  { pattern, range }: Recurrence,
  until: Temporal.PlainDate,
): Generator<Temporal.PlainDate> {
  const start = Temporal.PlainDate.from(range.startDate);
  const stated = range.type === 'endDate' ? Temporal.PlainDate.from(range.endDate) : until;
  const last = Temporal.PlainDate.compare(stated, until) < 0 ? stated : until;
  const limit = range.type === 'numbered' ? range.numberOfOccurrences : Number.POSITIVE_INFINITY;
  let count = 0;
  for (let period = 0; count < limit; period++) {
    const begin = periodStart(pattern, start, period);
    if (Temporal.PlainDate.compare(begin, last) > 0) return;
    for (const date of datesIn(pattern, begin)) {
      if (Temporal.PlainDate.compare(date, start) < 0) continue;
      if (Temporal.PlainDate.compare(date, last) > 0 || count === limit) return;
      count += 1;
      yield date;
    }
  }
}

/** The first day of a day, week, month or year that the pattern looks at. */
function periodStart({ type, interval, firstDayOfWeek, month }: Pattern, start: Temporal.PlainDate, period: number) {
  const steps = period * interval;
  if (type === 'daily') return start.add({ days: steps });
  if (type === 'weekly') {
    // Which week a day is in depends on where weeks begin: with an interval of 2 that decides what is skipped.
    const back = (start.dayOfWeek - isoWeekday(firstDayOfWeek) + 7) % 7;
    return start.subtract({ days: back }).add({ weeks: steps });
  }
  if (type === 'absoluteMonthly' || type === 'relativeMonthly') return start.with({ day: 1 }).add({ months: steps });
  return start.with({ month, day: 1 }).add({ years: steps });
}

function datesIn(
  { type, dayOfMonth, daysOfWeek = [], index }: Pattern,
  begin: Temporal.PlainDate,
): Temporal.PlainDate[] {
  if (type === 'daily') return [begin];
  const wanted = daysOfWeek.map(isoWeekday);
  const days = (count: number) => Array.from({ length: count }, (_, offset) => begin.add({ days: offset }));
  if (type === 'weekly') return days(7).filter((day) => wanted.includes(day.dayOfWeek));
  if (type === 'absoluteMonthly' || type === 'absoluteYearly') {
    // A month that is too short has it on its last day:
    // https://learn.microsoft.com/exchange/client-developer/web-service-reference/dayofmonth
    return [begin.with({ day: Math.min(dayOfMonth, begin.daysInMonth) })];
  }
  // Of several weekdays, the first, second, ... day that is any of them.
  const found = days(begin.daysInMonth)
    .filter((day) => wanted.includes(day.dayOfWeek))
    .at(ordinals[index]);
  return found === undefined ? [] : [found];
}

function isoWeekday(day: DayOfWeek): number {
  return weekdayNames.indexOf(day) + 1;
}
