/**
 * One RRULE line (RFC 5545 3.3.10) in wall-clock time, period by period. The sandbox's own, and written otherwise than
 * `providers/ics`: an oracle may not share code with what it judges.
 */
import { Temporal } from 'temporal-polyfill';

export interface Rule {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';
  readonly interval: number;
  readonly count: number | undefined;
  /** Epoch milliseconds, inclusive; of dates, as if they were UTC. */
  readonly until: number | undefined;
  /** Whether UNTIL is written as a date. */
  readonly untilIsDate: boolean;
  /** ISO weekday, 1 = Monday. */
  readonly weekStart: number;
  /** `nth` is 0 for every one. */
  readonly weekdays: readonly { readonly day: number; readonly nth: number }[];
  readonly monthDays: readonly number[];
  readonly months: readonly number[];
  readonly positions: readonly number[];
}

const names = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const known = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'WKST', 'BYDAY', 'BYMONTHDAY', 'BYMONTH', 'BYSETPOS'];

/** @throws RangeError for what is no rule, or one that the sandbox cannot play: better no series than a wrong one */
export function parseRuleLine(line: string): Rule {
  const refuse = () => new RangeError(`The sandbox cannot expand ${JSON.stringify(line)}.`);
  const pairs = line
    .slice('RRULE:'.length)
    .split(';')
    .map((part): [string, string] => {
      const [name = '', value = '', ...rest] = part.split('=');
      if (value === '' || rest.length > 0 || !known.includes(name)) throw refuse();
      return [name, value];
    });
  const parts = new Map(pairs);
  if (parts.size !== pairs.length || !line.startsWith('RRULE:')) throw refuse();
  const numbers = (name: string, most: number, negative: boolean) =>
    (parts.get(name)?.split(',') ?? []).map((text) => {
      const value = Number(text);
      if (!/^[+-]?\d+$/.test(text) || value === 0 || Math.abs(value) > most || (value < 0 && !negative)) throw refuse();
      return value;
    });
  const one = (name: string) => numbers(name, 1_000_000, false).at(0);
  const frequency = parts.get('FREQ');
  if (frequency !== 'DAILY' && frequency !== 'WEEKLY' && frequency !== 'MONTHLY' && frequency !== 'YEARLY') {
    throw refuse();
  }
  const rule: Rule = {
    frequency,
    interval: one('INTERVAL') ?? 1,
    count: one('COUNT'),
    until: untilOf(parts.get('UNTIL')),
    untilIsDate: parts.get('UNTIL')?.includes('T') === false,
    weekStart: names.indexOf(parts.get('WKST') ?? 'MO') + 1,
    weekdays: (parts.get('BYDAY')?.split(',') ?? []).map((text) => {
      const [, nth = '', name = ''] = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(text) ?? [];
      if (!names.includes(name) || Number(nth) < -53 || Number(nth) > 53 || /^[+-]?0/.test(nth)) throw refuse();
      return { day: names.indexOf(name) + 1, nth: Number(nth) };
    }),
    monthDays: numbers('BYMONTHDAY', 31, true),
    months: numbers('BYMONTH', 12, false),
    positions: numbers('BYSETPOS', 366, true),
  };
  if (!isPlayable(rule)) throw refuse();
  return rule;
}

/** 3.3.10: COUNT and UNTIL exclude each other, ordinals need a month or a year, BYSETPOS something to pick from. */
function isPlayable({ frequency, count, until, weekStart, weekdays, monthDays, months, positions }: Rule): boolean {
  const byDay = weekdays.length > 0;
  const ordinals = weekdays.some(({ nth }) => nth !== 0);
  return (
    !(count !== undefined && until !== undefined) &&
    weekStart > 0 &&
    (!ordinals || frequency === 'MONTHLY' || frequency === 'YEARLY') &&
    !(frequency === 'WEEKLY' && monthDays.length > 0) &&
    (positions.length === 0 || byDay || monthDays.length > 0 || months.length > 0)
  );
}

/** The local times that the rule gives from `first` on, in order; none after `last`. */
export function* candidatesOf(
  first: Temporal.PlainDateTime,
  rule: Rule,
  last: Temporal.PlainDateTime,
): Generator<Temporal.PlainDateTime> {
  const time = first.toPlainTime();
  const start = first.toPlainDate();
  for (let step = 0; ; step += rule.interval) {
    const days = periodOf(start, rule, step);
    const [begin] = days;
    if (begin === undefined || Temporal.PlainDate.compare(begin, last.toPlainDate()) > 0) return;
    const fitting = days.filter((day) => fits(day, start, rule));
    for (const day of picked(fitting, rule.positions)) {
      if (Temporal.PlainDate.compare(day, start) >= 0) yield day.toPlainDateTime(time);
    }
  }
}

/** The days that may count of the period that is `step` of the frequency's units after that of the start. */
function periodOf(start: Temporal.PlainDate, rule: Rule, step: number): Temporal.PlainDate[] {
  const { frequency, weekStart } = rule;
  if (frequency === 'DAILY') return [start.add({ days: step })];
  if (frequency === 'WEEKLY') {
    const begin = start.subtract({ days: (start.dayOfWeek - weekStart + 7) % 7 }).add({ weeks: step });
    return daysFrom(begin, 7);
  }
  if (frequency === 'MONTHLY') return monthFrom(start.with({ day: 1 }).add({ months: step }));
  const year = start.with({ month: 1, day: 1 }).add({ years: step });
  return monthsOf(start, rule).flatMap((month) => monthFrom(year.with({ month })));
}

function monthsOf(start: Temporal.PlainDate, { months, weekdays, monthDays }: Rule): number[] {
  if (months.length > 0) return [...new Set(months)].sort((one, other) => one - other);
  if (weekdays.length === 0 && monthDays.length === 0) return [start.month];
  return Array.from({ length: 12 }, (_, index) => index + 1);
}

function monthFrom(begin: Temporal.PlainDate): Temporal.PlainDate[] {
  return daysFrom(begin, begin.daysInMonth);
}

function daysFrom(begin: Temporal.PlainDate, length: number): Temporal.PlainDate[] {
  return Array.from({ length }, (_, index) => begin.add({ days: index }));
}

function fits(day: Temporal.PlainDate, start: Temporal.PlainDate, rule: Rule): boolean {
  const { frequency, months, monthDays, weekdays } = rule;
  if (months.length > 0 && !months.includes(day.month)) return false;
  if (monthDays.length > 0 && !monthDays.some((wanted) => isNth(wanted, day.day, day.daysInMonth))) return false;
  if (weekdays.length > 0) {
    const inYear = frequency === 'YEARLY' && months.length === 0;
    const [at, of] = inYear ? [day.dayOfYear, day.daysInYear] : [day.day, day.daysInMonth];
    if (!weekdays.some((wanted) => wanted.day === day.dayOfWeek && isNthWeek(wanted.nth, at, of))) return false;
  }
  if (weekdays.length > 0 || monthDays.length > 0 || frequency === 'DAILY') return true;
  // What no part says, the start says.
  if (frequency === 'WEEKLY') return day.dayOfWeek === start.dayOfWeek;
  return day.day === start.day && (frequency === 'MONTHLY' || months.length > 0 || day.month === start.month);
}

function isNth(wanted: number, at: number, of: number): boolean {
  return wanted > 0 ? at === wanted : at === of + 1 + wanted;
}

function isNthWeek(nth: number, at: number, of: number): boolean {
  if (nth === 0) return true;
  return nth > 0 ? Math.ceil(at / 7) === nth : Math.ceil((of + 1 - at) / 7) === -nth;
}

function picked(days: readonly Temporal.PlainDate[], positions: readonly number[]): readonly Temporal.PlainDate[] {
  if (positions.length === 0) return days;
  return days.filter((_, index) => positions.some((wanted) => isNth(wanted, index + 1, days.length)));
}

function untilOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const [, date = '', time = '235959'] = /^(\d{8})(?:T(\d{6})Z)?$/.exec(text) ?? [];
  const value = Date.parse(
    `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`,
  );
  if (Number.isNaN(value)) throw new RangeError(`UNTIL=${text} is neither a date nor a UTC time.`);
  return value;
}
