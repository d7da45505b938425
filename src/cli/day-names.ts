/** Days in words, and where they end. */
import { DAY_NAMES, MONTH_NAMES } from '../core/calendar-words.ts';
import { addDays, weekdayOf } from '../core/civil-days.ts';

/** `Monday 23`, and its month. */
function partsOf(day: string): { readonly short: string; readonly month: string } {
  const date = new Date(`${day}T00:00:00Z`);
  return {
    short: `${DAY_NAMES[weekdayOf(day)]} ${date.getUTCDate()}`,
    month: MONTH_NAMES[date.getUTCMonth()] ?? '',
  };
}

/** `Monday 23 November 2026` */
export function dayName(day: string): string {
  const { short, month } = partsOf(day);
  return `${short} ${month} ${day.slice(0, 4)}`;
}

/** `Monday 23, Wednesday 25 to Friday 27 and Sunday 29 November`, of days in their order. */
export function dayList(days: readonly string[]): string {
  const runs: string[][] = [];
  for (const day of days) {
    const run = runs.at(-1);
    if (run !== undefined && addDays(run.at(-1) ?? '', 1) === day) run.push(day);
    else runs.push([day]);
  }
  // Two days in a row are named one by one.
  const groups = runs.flatMap((run) => (run.length > 2 ? [[run[0] ?? '', run.at(-1) ?? '']] : run.map((day) => [day])));
  const named = groups.flat();
  // A month is named once, behind the last of its days.
  const names = new Map(
    named.map((day, index) => {
      const { short, month } = partsOf(day);
      const next = named[index + 1];
      return [day, next !== undefined && partsOf(next).month === month ? short : `${short} ${month}`];
    }),
  );
  const texts = groups.map((group) => group.map((day) => names.get(day)).join(' to '));
  return [texts.slice(0, -1).join(', '), texts.at(-1)].filter(Boolean).join(' and ');
}

/** Also of a date: that is when it begins. */
export const isMidnight = (time: string): boolean => time.length === 10 || time.slice(11, 19) === '00:00:00';

/** The last day on which something is that ends then: at midnight it is over before the day begins. */
export function finalDayOf({ start, end }: { readonly start: string; readonly end: string }): string {
  const [startDay, endDay] = [start.slice(0, 10), end.slice(0, 10)];
  return isMidnight(end) && endDay > startDay ? addDays(endDay, -1) : endDay;
}
