/** Recurrence rules in plain English. */
import { DAY_NAMES, MONTH_NAMES } from './calendar-words.ts';
import type { EventTime } from './event.ts';
import type { Rule, WeekdayPart } from './recurrence-rule.ts';
import { lastDayOf } from './recurrence-slots.ts';
import { parseLocal } from './wall-clock.ts';

const ORDINALS = ['', 'first', 'second', 'third', 'fourth', 'fifth'];
const UNITS = { DAILY: 'day', WEEKLY: 'week', MONTHLY: 'month', YEARLY: 'year', HOURLY: 'hour', MINUTELY: 'minute' };
/** Sets of days that have a name. */
const SETS: ReadonlyMap<string, string> = new Map([
  ['0,1,2,3,4,5,6', 'day'],
  ['0,1,2,3,4', 'weekday'],
  ['5,6', 'weekend day'],
]);

function listOf(words: readonly string[], last = 'and'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

function ordinal(number: number): string {
  if (number === -1) return 'last';
  if (number < 0) return `${ordinal(-number)} to last`;
  if (number < ORDINALS.length) return ORDINALS[number] ?? '';
  const ending = Math.floor((number % 100) / 10) === 1 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${ending}`;
}

const nameOfSet = (days: readonly WeekdayPart[]): string | undefined =>
  days.every(({ nth }) => nth === 0) ? SETS.get(days.map(({ weekday }) => weekday).join()) : undefined;

function weekdaysOf({ byDay, bySetPos }: Rule): string | null {
  if (byDay === null) return null;
  const names = byDay.map(({ nth, weekday }) => `${nth === 0 ? '' : `the ${ordinal(nth)} `}${DAY_NAMES[weekday]}`);
  if (bySetPos !== null) return `on the ${listOf(bySetPos.map(ordinal))} ${nameOfSet(byDay) ?? `of ${listOf(names)}`}`;
  return `on ${nameOfSet(byDay) === 'weekday' ? 'Monday to Friday' : listOf(names)}`;
}

function monthDaysOf({ byDay, byMonthDay, bySetPos }: Rule): string | null {
  if (byMonthDay === null) return null;
  const [ends, days] = [byMonthDay.filter((day) => day < 0), byMonthDay.filter((day) => day > 0)];
  const words = [
    ...(days.length === 0 ? [] : [`${days.length === 1 ? 'day' : 'days'} ${listOf(days.map(String), 'or')}`]),
    ...ends.map((day) => `the ${ordinal(day)} day`),
  ];
  const picked = byDay === null && bySetPos !== null ? `the ${listOf(bySetPos.map(ordinal))} of ` : '';
  return `${byDay === null ? 'on' : 'that is'} ${picked}${listOf(words, 'or')}`;
}

function endOf(rule: Rule, start: EventTime | undefined): string {
  if (rule.count !== null) return rule.count === 1 ? ', once' : `, ${rule.count} times`;
  if (rule.until === null) return '';
  const written = parseLocal(rule.until);
  const day =
    start === undefined ? written && new Date(written.local).toISOString().slice(0, 10) : lastDayOf(rule, start);
  return ` until ${day}`;
}

/**
 * `every week on Tuesday and Thursday until 2026-12-18`, `every 2 months on the last Friday, 10 times`.
 * @param start of the series: the end then is the last day that an occurrence can be on, in its zone. Without it, the date of
 * UNTIL as it is written.
 */
export function describeRecurrence(rule: Rule, start?: EventTime): string {
  const { interval, byWeekNo, byYearDay, byMonth, byHour, byMinute } = rule;
  const unit = UNITS[rule.frequency];
  const numbers = (name: string, values: readonly number[] | null): string | null =>
    values && `in ${name}${values.length === 1 ? '' : 's'} ${listOf(values.map(String))}`;
  const parts = [
    interval === 1 ? `every ${unit}` : `every ${interval} ${unit}s`,
    weekdaysOf(rule),
    monthDaysOf(rule),
    byYearDay && `on ${byYearDay.length === 1 ? 'day' : 'days'} ${listOf(byYearDay.map(String))} of the year`,
    numbers('week', byWeekNo),
    byMonth && `in ${listOf(byMonth.map((month) => MONTH_NAMES[month - 1] ?? ''))}`,
    byHour && `at ${byHour.length === 1 ? 'hour' : 'hours'} ${listOf(byHour.map(String))}`,
    byMinute && `at ${byMinute.length === 1 ? 'minute' : 'minutes'} ${listOf(byMinute.map(String))}`,
  ];
  return parts.filter((part) => part !== null).join(' ') + endOf(rule, start);
}
