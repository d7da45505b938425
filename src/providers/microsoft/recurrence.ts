/**
 * Recurrence rules as Graph has them.
 * @see https://learn.microsoft.com/graph/api/resources/recurrencepattern
 * @see https://learn.microsoft.com/graph/api/resources/recurrencerange
 */
import type {
  DayOfWeek,
  PatternedRecurrence,
  RecurrencePattern,
  RecurrenceRange,
  WeekIndex,
} from '@microsoft/microsoft-graph-types';
import { CalmcpError } from '../../core/errors.ts';
import type { EventTime } from '../../core/event.ts';
import { lastDayOf, withUntil } from '../../core/recurrence.ts';
import type { Rule, WeekdayPart } from '../../core/recurrence-rule.ts';
import { parseZone, wallTimeToEpochMs } from '../../core/time.ts';
import { wallClockOf } from '../../core/wall-clock.ts';

const DAYS: readonly DayOfWeek[] = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
const INDEXES: readonly (readonly [WeekIndex, number])[] = [
  ['first', 1],
  ['second', 2],
  ['third', 3],
  ['fourth', 4],
  ['last', -1],
];
/** Sets of weekdays that Outlook names: of any other, "the second Monday or Wednesday" may mean one thing or the other. */
const NAMED_SETS: ReadonlySet<string> = new Set(['0,1,2,3,4,5,6', '0,1,2,3,4', '5,6']);
const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const SHORTEST = LONGEST.with(1, 28);
/** https://learn.microsoft.com/exchange/client-developer/web-service-reference/numberofoccurrences */
const MOST_OCCURRENCES = 999;
/** https://learn.microsoft.com/exchange/client-developer/web-service-reference/dailyrecurrence */
const MOST_BETWEEN = { DAILY: 999, WEEKLY: 99, MONTHLY: 99, YEARLY: 99 };

function refusal(what: string, hint: string): CalmcpError {
  return new CalmcpError('INPUT_INVALID', `Microsoft 365 cannot hold a series ${what}`, { hint });
}

const PATTERNS =
  'it can repeat daily, weekly on any days, and each month or year on one day: BYMONTHDAY=15, BYMONTHDAY=-1, BYDAY=2TU, BYDAY=-1FR, or BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1';

/** A start on the clock of the zone that the series lives by. */
interface Civil {
  readonly date: string;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

function civilOf(start: EventTime, zone: string): Civil {
  const local = start.kind === 'date' ? Date.parse(start.date) : wallClockOf(zone).toLocal(start.epochMs);
  const date = new Date(local);
  return {
    date: date.toISOString().slice(0, 10),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    weekday: (date.getUTCDay() + 6) % 7,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}

function checkTimes({ byHour, byMinute, bySecond }: Rule, { hour, minute, second }: Civil): void {
  const differs = (list: readonly number[] | null, own: number): boolean => list !== null && list.join() !== `${own}`;
  if (differs(byHour, hour) || differs(byMinute, minute) || differs(bySecond, second))
    throw refusal(
      'at another time of day than its start',
      'leave out BYHOUR, BYMINUTE and BYSECOND: the time is that of the start',
    );
}

/**
 * The day of the month that Graph is told. It takes the last day of a month that has no such day, where RFC 5545 leaves that
 * month out: https://learn.microsoft.com/exchange/client-developer/web-service-reference/dayofmonth
 * @param month where it is always the same
 */
function dayOfMonth({ byMonthDay, bySetPos }: Rule, start: Civil, month: number | null): number {
  const [shortest, longest] = month === null ? [28, 31] : [SHORTEST[month - 1] ?? 28, LONGEST[month - 1] ?? 31];
  const days = byMonthDay ?? [start.day];
  const last = days.at(-1) ?? 0;
  if (days.join() === '-1' && (bySetPos === null || bySetPos.join() === '-1')) return longest;
  // "The 30th, or the last day before": BYMONTHDAY=28,29,30;BYSETPOS=-1.
  if (bySetPos?.join() === '-1' && days[0] === 28 && days.length === last - 27) return Math.min(last, longest);
  if (days.length !== 1 || bySetPos !== null || last < 1) throw refusal('on such days of the month', PATTERNS);
  if (last <= shortest) return last;
  const others = Array.from({ length: last - 27 }, (_, index) => 28 + index).join(',');
  throw refusal(
    `on the ${last}th that skips the months without one`,
    last === 31 || month !== null
      ? 'give BYMONTHDAY=-1 for the last day of the month'
      : `give BYMONTHDAY=${others};BYSETPOS=-1 for the ${last}th or else the last day of the month`,
  );
}

function relative({ byDay, bySetPos }: Rule): Pick<RecurrencePattern, 'daysOfWeek' | 'index'> {
  const days = byDay ?? [];
  const numbers = new Set(days.map(({ nth }) => nth));
  const [position, ...more] = [...numbers].filter((nth) => nth !== 0).concat(bySetPos ?? []);
  const index = INDEXES.find(([, number]) => number === position)?.[0];
  const set = days.map(({ weekday }) => weekday);
  const isOne = days.length === 1;
  const isNamed = !numbers.has(position ?? 0) && (NAMED_SETS.has(set.join()) || position === 1);
  if (index === undefined || more.length > 0 || !(isOne || isNamed))
    throw refusal('on such days of the month', PATTERNS);
  return { daysOfWeek: set.map((weekday) => DAYS[weekday] ?? 'monday'), index };
}

function patternOf(rule: Rule, start: Civil): RecurrencePattern {
  const { frequency, interval, byDay, byMonth, byMonthDay, bySetPos, weekStart } = rule;
  if (rule.byWeekNo !== null || rule.byYearDay !== null) throw refusal('by weeks or days of the year', PATTERNS);
  if (frequency === 'HOURLY' || frequency === 'MINUTELY') throw refusal('that repeats within a day', PATTERNS);
  if (interval > MOST_BETWEEN[frequency])
    throw refusal(
      'with so much time in between',
      `INTERVAL of FREQ=${frequency} is ${MOST_BETWEEN[frequency]} at most`,
    );
  checkTimes(rule, start);
  if (frequency === 'DAILY' || frequency === 'WEEKLY') {
    if (byMonth !== null || byMonthDay !== null || bySetPos !== null)
      throw refusal('on some of the days that it repeats on', PATTERNS);
    if (frequency === 'DAILY' && byDay === null) return { type: 'daily', interval };
    if (frequency === 'DAILY' && interval > 1) throw refusal('every few days, but on some weekdays alone', PATTERNS);
    const daysOfWeek = (byDay ?? [start]).map(({ weekday }) => DAYS[weekday] ?? 'monday');
    return { type: 'weekly', interval, daysOfWeek, firstDayOfWeek: DAYS[weekStart] ?? 'monday' };
  }
  if (byDay !== null && byMonthDay !== null) throw refusal('on weekdays and days of the month at once', PATTERNS);
  if (frequency === 'MONTHLY') {
    if (byMonth !== null)
      throw refusal('in some months alone', 'give FREQ=YEARLY with one BYMONTH, or a series for each month');
    if (byDay !== null) return { type: 'relativeMonthly', interval, ...relative(rule) };
    const month = interval % 12 === 0 ? start.month : null;
    return { type: 'absoluteMonthly', interval, dayOfMonth: dayOfMonth(rule, start, month) };
  }
  const [month = start.month, ...months] = byMonth ?? [];
  if (months.length > 0) throw refusal('in several months of a year', 'give one BYMONTH, or a series for each month');
  if (byMonth === null && (byDay !== null || byMonthDay !== null))
    throw refusal('on days of a year without a month', `name one month, such as BYMONTH=${start.month}; ${PATTERNS}`);
  if (byDay !== null) return { type: 'relativeYearly', interval, ...relative(rule), month };
  return { type: 'absoluteYearly', interval, dayOfMonth: dayOfMonth(rule, start, month), month };
}

/**
 * A rule as Graph takes it. The end by UNTIL is the last date that an occurrence can be on in `zone`. Without
 * `recurrenceTimeZone`: that of the event's start is used, which has to be `zone` too.
 * @param zone that the series lives by, and that Graph is told the start in: a canonical IANA name
 * @throws CalmcpError INPUT_INVALID with what Graph can hold
 */
export function toPattern(rule: Rule, start: EventTime, zone: string): PatternedRecurrence {
  const there: EventTime = start.kind === 'date' ? start : { ...start, zone };
  const civil = civilOf(there, zone);
  const pattern = patternOf(rule, civil);
  const startDate = civil.date;
  const endDate = lastDayOf(rule, there);
  if (rule.count !== null) {
    if (rule.count > MOST_OCCURRENCES)
      throw refusal(`of ${rule.count} occurrences`, `give a COUNT of ${MOST_OCCURRENCES} at most, or UNTIL`);
    return { pattern, range: { type: 'numbered', startDate, numberOfOccurrences: rule.count } };
  }
  if (endDate === null) return { pattern, range: { type: 'noEnd', startDate } };
  if (endDate < startDate)
    throw new CalmcpError('INPUT_INVALID', 'the series ends before it begins', { hint: 'give a later UNTIL' });
  return { pattern, range: { type: 'endDate', startDate, endDate } };
}

function malformed(what: string): CalmcpError {
  return new CalmcpError('BAD_RESPONSE', `Microsoft sent a series ${what}`);
}

function weekdaysOf(days: RecurrencePattern['daysOfWeek'], nth: number): WeekdayPart[] {
  const found = (days ?? []).map((day) => DAYS.indexOf(day));
  if (found.length === 0 || found.includes(-1)) throw malformed('on weekdays that are none');
  return [...new Set(found)].sort((a, b) => a - b).map((weekday) => ({ weekday, nth }));
}

function relativeDays({ daysOfWeek, index }: RecurrencePattern): Pick<Rule, 'byDay' | 'bySetPos'> {
  const [, position] = INDEXES.find(([name]) => name === (index ?? 'first')) ?? [];
  if (position === undefined) throw malformed('on weekdays of the month without saying which');
  return (daysOfWeek ?? []).length === 1
    ? { byDay: weekdaysOf(daysOfWeek, position), bySetPos: null }
    : { byDay: weekdaysOf(daysOfWeek, 0), bySetPos: [position] };
}

function absoluteDays(
  { dayOfMonth: day = 0 }: RecurrencePattern,
  month: number | null,
): Pick<Rule, 'byMonthDay' | 'bySetPos'> {
  const [shortest, longest] = month === null ? [28, 31] : [SHORTEST[month - 1] ?? 28, LONGEST[month - 1] ?? 31];
  if (!(Number.isInteger(day) && day >= 1 && day <= 31)) throw malformed('on a day of the month that is none');
  if (day <= shortest) return { byMonthDay: [day], bySetPos: null };
  if (day >= longest) return { byMonthDay: [-1], bySetPos: null };
  return { byMonthDay: Array.from({ length: day - 27 }, (_, index) => 28 + index), bySetPos: [-1] };
}

function daysOf(pattern: RecurrencePattern): Partial<Rule> {
  const { type } = pattern;
  if (type === 'daily') return { frequency: 'DAILY' };
  if (type === 'weekly')
    return {
      frequency: 'WEEKLY',
      byDay: weekdaysOf(pattern.daysOfWeek, 0),
      weekStart: Math.max(0, DAYS.indexOf(pattern.firstDayOfWeek ?? 'sunday')),
    };
  if (type === 'relativeMonthly') return { frequency: 'MONTHLY', ...relativeDays(pattern) };
  if (type === 'absoluteMonthly') return { frequency: 'MONTHLY', ...absoluteDays(pattern, null) };
  const { month = 0 } = pattern;
  if (!(Number.isInteger(month) && month >= 1 && month <= 12)) throw malformed('in a month that is none');
  if (type === 'relativeYearly') return { frequency: 'YEARLY', byMonth: [month], ...relativeDays(pattern) };
  if (type === 'absoluteYearly') return { frequency: 'YEARLY', byMonth: [month], ...absoluteDays(pattern, month) };
  throw malformed('by a pattern that it does not document');
}

/** The time of day of the start on the last date, in the zone that the date is of. */
function lastTime(range: RecurrenceRange, start: EventTime): EventTime {
  const { endDate, recurrenceTimeZone } = range;
  if (!/^\d{4}-\d{2}-\d{2}$/.test(endDate ?? '') || endDate === '0001-01-01')
    throw malformed('with an end that is no date');
  const date = endDate ?? '';
  if (start.kind === 'date') return { kind: 'date', date };
  // Outlook makes up names such as "Customized Time Zone".
  const zone = parseZone(recurrenceTimeZone ?? '') ?? start.zone ?? 'UTC';
  const timeOfDay = new Date(wallClockOf(zone).toLocal(start.epochMs)).toISOString().slice(11, -1);
  return { ...start, epochMs: wallTimeToEpochMs(`${date}T${timeOfDay}`, zone) };
}

/**
 * The rule in what Graph says of a series, in the zone that its range names, else that of `start`. UNTIL is a UTC instant, or a
 * date where the start is one.
 * @param start of the series
 * @throws CalmcpError BAD_RESPONSE for what Graph does not document
 */
export function fromPattern({ pattern, range }: PatternedRecurrence, start: EventTime): Rule {
  if (!pattern || !range) throw malformed('without a pattern or without a range');
  const { interval = 1 } = pattern;
  if (!(Number.isInteger(interval) && interval >= 1)) throw malformed('with an interval that is none');
  const rule: Rule = {
    frequency: 'DAILY',
    interval,
    count: null,
    until: null,
    weekStart: 0,
    byMonth: null,
    byWeekNo: null,
    byYearDay: null,
    byMonthDay: null,
    byDay: null,
    byHour: null,
    byMinute: null,
    bySecond: null,
    bySetPos: null,
    ...daysOf(pattern),
  };
  if (range.type === 'noEnd') return rule;
  if (range.type === 'endDate') return withUntil(rule, lastTime(range, start));
  const { numberOfOccurrences: count = 0 } = range;
  if (range.type !== 'numbered' || !(Number.isInteger(count) && count >= 1))
    throw malformed('with a range that is none');
  return { ...rule, count };
}
