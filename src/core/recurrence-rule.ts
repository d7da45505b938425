/**
 * Recurrence rules (RFC 5545 3.3.10) in wall-clock time. Works period by period: gather the days of a year, month,
 * week or day that all BY parts agree on, combine them with the times of day, pick by BYSETPOS.
 * Why not a library: docs/decisions/0006-recurrence-expansion.md.
 */
import { DAY } from './time.ts';

export const FREQUENCIES = ['YEARLY', 'MONTHLY', 'WEEKLY', 'DAILY', 'HOURLY', 'MINUTELY'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

export const WEEKDAY_CODES = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const HOUR = 3_600_000;
const MINUTE = 60_000;

export interface WeekdayPart {
  /** Monday is 0. */
  readonly weekday: number;
  /** 1 is the first of the month or year, -1 the last; 0 is every one. */
  readonly nth: number;
}

export interface Rule {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count: number | null;
  /** The value of an UNTIL; see `parseLocal`. */
  readonly until: string | null;
  readonly weekStart: number;
  readonly byMonth: readonly number[] | null;
  readonly byWeekNo: readonly number[] | null;
  readonly byYearDay: readonly number[] | null;
  readonly byMonthDay: readonly number[] | null;
  readonly byDay: readonly WeekdayPart[] | null;
  readonly byHour: readonly number[] | null;
  readonly byMinute: readonly number[] | null;
  readonly bySecond: readonly number[] | null;
  readonly bySetPos: readonly number[] | null;
}

/** A rule that calmcp does not expand. Its message ends the sentence "the event at line 7 ...". */
export class RuleError extends Error {}

/** Work one series may cause (T27). */
export interface Budget {
  spendPeriod(): void;
  spendOccurrence(): void;
}

const MAX_OCCURRENCES = 10_000;
const MAX_PERIODS = 100_000;

export function createBudget(): Budget {
  let [occurrences, periods] = [0, 0];
  const tooLarge = (): RuleError => new RuleError('repeats too often to be expanded');
  return {
    spendPeriod() {
      if (++periods > MAX_PERIODS) throw tooLarge();
    },
    spendOccurrence() {
      if (++occurrences > MAX_OCCURRENCES) throw tooLarge();
    },
  };
}

/** Of a day, counted from 1970-01-01. */
const weekdayOf = (day: number): number => (((day + 3) % 7) + 7) % 7;
const dayNumber = (year: number, month: number, day: number): number => Date.UTC(year, month - 1, day) / DAY;

/** First day of week 1, the first one with four days in the year. */
function firstWeek(year: number, weekStart: number): number {
  const first = dayNumber(year, 1, 1);
  const into = (weekdayOf(first) - weekStart + 7) % 7;
  return into <= 3 ? first - into : first - into + 7;
}

/** Position of something in `size` of its kind, from the front and from the back, is one of `wanted`. */
function isAmong(wanted: readonly number[] | null, position: number, size: number): boolean {
  return wanted === null || wanted.includes(position) || wanted.includes(position - size - 1);
}

function dayMatches(rule: Rule, day: number): boolean {
  const date = new Date(day * DAY);
  const [year, month, dayOfMonth] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
  if (rule.byMonth !== null && !rule.byMonth.includes(month)) return false;
  const monthLength = dayNumber(year, month + 1, 1) - dayNumber(year, month, 1);
  if (!isAmong(rule.byMonthDay, dayOfMonth, monthLength)) return false;
  const yearStart = dayNumber(year, 1, 1);
  const dayOfYear = day - yearStart + 1;
  const yearLength = dayNumber(year + 1, 1, 1) - yearStart;
  if (!isAmong(rule.byYearDay, dayOfYear, yearLength)) return false;
  if (rule.byDay === null) return true;
  const weekday = weekdayOf(day);
  // "The third Monday" is one of the month, except in a yearly rule that names no month.
  const ofYear = rule.frequency === 'YEARLY' && rule.byMonth === null;
  const [position, size] = ofYear ? [dayOfYear, yearLength] : [dayOfMonth, monthLength];
  const nth = Math.ceil(position / 7);
  const nthLast = -Math.ceil((size - position + 1) / 7);
  return rule.byDay.some(
    (part) => part.weekday === weekday && (part.nth === 0 || part.nth === nth || part.nth === nthLast),
  );
}

/** What the rule leaves open is as in DTSTART (RFC 5545 3.3.10). */
function complete(rule: Rule, start: number): Rule {
  const date = new Date(start);
  const day = Math.floor(start / DAY);
  const { frequency } = rule;
  const noDay = rule.byDay === null && rule.byMonthDay === null && rule.byYearDay === null;
  const filled = { ...rule };
  if (noDay && (frequency === 'WEEKLY' || rule.byWeekNo !== null)) filled.byDay = [{ weekday: weekdayOf(day), nth: 0 }];
  else if (noDay && (frequency === 'MONTHLY' || frequency === 'YEARLY')) {
    filled.byMonthDay = [date.getUTCDate()];
    if (frequency === 'YEARLY' && rule.byMonth === null) filled.byMonth = [date.getUTCMonth() + 1];
  }
  if (frequency !== 'MINUTELY') {
    if (frequency !== 'HOURLY') filled.byHour ??= [date.getUTCHours()];
    filled.byMinute ??= [date.getUTCMinutes()];
  }
  filled.bySecond ??= [date.getUTCSeconds()];
  return filled;
}

interface Period {
  /** Local milliseconds that nothing in it comes before. */
  readonly begin: number;
  readonly days: readonly number[];
  /** Hours and minutes, where the period is shorter than a day. */
  readonly hour?: number;
  readonly minute?: number;
}

interface Periods {
  at(index: number): Period;
  /** Index of a period at or before a local time. */
  indexOf(local: number): number;
}

function periodsOf(rule: Rule, start: number): Periods {
  const date = new Date(start);
  const day = Math.floor(start / DAY);
  const { interval, weekStart } = rule;
  const filter = (first: number, length: number): number[] =>
    Array.from({ length }, (_, index) => first + index).filter((candidate) => dayMatches(rule, candidate));
  const month = (year: number, number: number): number[] => {
    const first = dayNumber(year, number, 1);
    return filter(first, dayNumber(year, number + 1, 1) - first);
  };

  switch (rule.frequency) {
    case 'YEARLY': {
      const { byWeekNo } = rule;
      // A week belongs to the year that has four of its days: the week of DTSTART tells the year to count from.
      let anchor = date.getUTCFullYear();
      if (byWeekNo !== null)
        if (day >= firstWeek(anchor + 1, weekStart)) anchor++;
        else if (day < firstWeek(anchor, weekStart)) anchor--;
      const months = rule.byMonth ?? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
      return {
        indexOf: (local) => Math.floor((new Date(local).getUTCFullYear() - 1 - anchor) / interval),
        at(index) {
          const year = anchor + index * interval;
          if (byWeekNo === null)
            return { begin: Date.UTC(year, 0, 1), days: months.flatMap((number) => month(year, number)) };
          const first = firstWeek(year, weekStart);
          const weeks = (firstWeek(year + 1, weekStart) - first) / 7;
          const numbers = Array.from({ length: weeks }, (_, week) => week + 1);
          const wanted = numbers.filter((week) => isAmong(byWeekNo, week, weeks));
          return { begin: first * DAY, days: wanted.flatMap((week) => filter(first + (week - 1) * 7, 7)) };
        },
      };
    }
    case 'MONTHLY': {
      const months = (moment: Date): number => moment.getUTCFullYear() * 12 + moment.getUTCMonth();
      const anchor = months(date);
      return {
        indexOf: (local) => Math.floor((months(new Date(local)) - anchor) / interval),
        at(index) {
          const [year, number] = [Math.floor((anchor + index * interval) / 12), ((anchor + index * interval) % 12) + 1];
          const wanted = rule.byMonth?.includes(number) ?? true;
          return { begin: Date.UTC(year, number - 1, 1), days: wanted ? month(year, number) : [] };
        },
      };
    }
    case 'WEEKLY': {
      const anchor = day - ((weekdayOf(day) - weekStart + 7) % 7);
      return {
        indexOf: (local) => Math.floor((local / DAY - anchor) / (7 * interval)),
        at: (index) => ({
          begin: (anchor + index * interval * 7) * DAY,
          days: filter(anchor + index * interval * 7, 7),
        }),
      };
    }
    case 'DAILY':
      return {
        indexOf: (local) => Math.floor((local / DAY - day) / interval),
        at: (index) => ({ begin: (day + index * interval) * DAY, days: filter(day + index * interval, 1) }),
      };
    default: {
      const unit = rule.frequency === 'HOURLY' ? HOUR : MINUTE;
      const anchor = Math.floor(start / unit);
      return {
        indexOf: (local) => Math.floor((local / unit - anchor) / interval),
        at(index) {
          const begin = (anchor + index * interval) * unit;
          const moment = new Date(begin);
          const [hour, minute] = [moment.getUTCHours(), moment.getUTCMinutes()];
          const wanted =
            (rule.byHour?.includes(hour) ?? true) &&
            (unit === HOUR || (rule.byMinute?.includes(minute) ?? true)) &&
            dayMatches(rule, Math.floor(begin / DAY));
          const days = wanted ? [Math.floor(begin / DAY)] : [];
          return unit === HOUR ? { begin, days, hour } : { begin, days, hour, minute };
        },
      };
    }
  }
}

/** Times of day in milliseconds, ascending. */
function timesOf(rule: Rule, { hour, minute }: Period): number[] {
  const hours = hour === undefined ? (rule.byHour ?? []) : [hour];
  const minutes = minute === undefined ? (rule.byMinute ?? []) : [minute];
  const seconds = rule.bySecond ?? [];
  return hours.flatMap((h) => minutes.flatMap((m) => seconds.map((s) => h * HOUR + m * MINUTE + s * 1_000)));
}

function pick(set: readonly number[], positions: readonly number[]): number[] {
  return set.filter((_, index) => isAmong(positions, index + 1, set.length));
}

/**
 * Local times of a rule in `[from, to)`, ascending. DTSTART is always the first of them and counts, whether it matches
 * the rule or not: RFC 5545 3.8.5.3 calls it "the first instance in the recurrence set" (and its not matching
 * undefined), so that an event is never missing on the very day it was entered for. UNTIL is the caller's.
 * @param start DTSTART in local milliseconds
 * @throws RuleError when it takes more than `budget`
 */
export function* expandRule(
  rule: Rule,
  start: number,
  { from, to }: { readonly from: number; readonly to: number },
  budget: Budget,
): Generator<number, void> {
  if (start >= from && start < to) yield start;
  const filled = complete(rule, start);
  const periods = periodsOf(filled, start);
  const { count, bySetPos } = rule;
  // Without COUNT nothing before the range matters. With it, everything does, unless each period has exactly one.
  const steady =
    (rule.frequency === 'DAILY' || rule.frequency === 'WEEKLY') &&
    [
      rule.byMonth,
      rule.byYearDay,
      rule.byMonthDay,
      rule.byDay,
      rule.byHour,
      rule.byMinute,
      rule.bySecond,
      bySetPos,
    ].every((part) => part === null);
  let index = count === null || steady ? Math.max(0, periods.indexOf(from) - 1) : 0;
  let counted = steady && index > 0 ? index : 1;

  for (; ; index++) {
    const period = periods.at(index);
    if (period.begin >= to || (count !== null && counted >= count)) return;
    budget.spendPeriod();
    if (period.days.length === 0) continue;
    const times = timesOf(filled, period);
    if (bySetPos !== null && period.days.length * times.length > MAX_OCCURRENCES)
      throw new RuleError('repeats too often to be expanded');
    let set: Iterable<number> = combine(period.days, times);
    if (bySetPos !== null) set = pick([...set], bySetPos);
    for (const local of set) {
      if (local <= start) continue;
      if (local >= to || (count !== null && counted >= count)) return;
      counted++;

      budget.spendOccurrence();
      if (local >= from) yield local;
    }
  }
}

function* combine(days: readonly number[], times: readonly number[]): Generator<number, void> {
  for (const day of days) for (const time of times) yield day * DAY + time;
}

/**
 * Whether the rule itself would choose the time that a series starts at.
 * @param start DTSTART in local milliseconds
 */
export function fitsStart(rule: Rule, start: number): boolean {
  const filled = complete(rule, start);
  const period = periodsOf(filled, start).at(0);
  const set = [...combine(period.days, timesOf(filled, period))];
  return (rule.bySetPos === null ? set : pick(set, rule.bySetPos)).includes(start);
}
