/** What people and models say for a stretch of time, resolved here and by nobody else. */
import { Temporal } from 'temporal-polyfill';
import { CalmcpError } from './errors.ts';
import type { Range } from './event.ts';
import { requireZone } from './time.ts';

/** Longest range one question may span. */
export const MAX_RANGE_DAYS = 370;

export const RANGE_HELP =
  'today, tomorrow, this week, next week, this weekend, next 10 days, this month, friday, next friday (of next week), 2026-12-01, 2026-12-01..2026-12-05 (last day included), 2026-W49 or 2026-12';

/** The same in a few words, for whom each of them costs. */
export const SHORT_RANGE_HELP = 'today, next week, next 10 days, friday, 2026-12-01..2026-12-05, 2026-W49';

const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];

export interface RangeInput {
  /** Words such as `next week`. */
  readonly range?: string | undefined;
  /** Instead of words: a date, a local time or an RFC 3339 time. */
  readonly from?: string | undefined;
  /** Exclusive; a bare date includes that day. */
  readonly to?: string | undefined;
}

export interface RangeContext {
  readonly now: Temporal.Instant;
  /** Canonical zone of the answer. */
  readonly timeZone: string;
}

function invalid(message: string, hint = `ranges are: ${RANGE_HELP}`): CalmcpError {
  return new CalmcpError('INPUT_INVALID', message, { hint });
}

function parseDate(text: string): Temporal.PlainDate {
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    throw invalid(`${text} is not a day of the calendar`, 'give a date as 2026-12-01');
  }
}

/** Monday of an ISO 8601 week. Week 1 is the one with January 4th in it. */
function isoWeekStart(year: number, week: number): Temporal.PlainDate {
  const fourth = Temporal.PlainDate.from({ year, month: 1, day: 4 });
  const start = fourth.subtract({ days: fourth.dayOfWeek - 1 }).add({ weeks: week - 1 });
  if (week < 1 || start.add({ days: 3 }).year !== year) throw invalid(`the year ${year} has no week ${week}`);
  return start;
}

/** First day and the day after the last one. */
export type Days = readonly [first: Temporal.PlainDate, after: Temporal.PlainDate];

/** The days that words mean, seen from `today`; `null` for words that it does not know. @throws CalmcpError INPUT_INVALID */
export function daysOf(words: string, today: Temporal.PlainDate): Days | null {
  const week = today.subtract({ days: today.dayOfWeek - 1 });
  const month = today.with({ day: 1 });
  const one = (day: Temporal.PlainDate): Days => [day, day.add({ days: 1 })];
  switch (words) {
    case 'today':
      return one(today);
    case 'tomorrow':
      return one(today.add({ days: 1 }));
    case 'yesterday':
      return one(today.subtract({ days: 1 }));
    case 'this week':
      return [week, week.add({ weeks: 1 })];
    case 'next week':
      return [week.add({ weeks: 1 }), week.add({ weeks: 2 })];
    case 'last week':
      return [week.subtract({ weeks: 1 }), week];
    case 'this month':
      return [month, month.add({ months: 1 })];
    case 'next month':
      return [month.add({ months: 1 }), month.add({ months: 2 })];
    case 'last month':
      return [month.subtract({ months: 1 }), month];
  }
  const weekday = WEEKDAYS.indexOf(words);
  if (weekday >= 0) return one(today.add({ days: (weekday + 1 - today.dayOfWeek + 7) % 7 }));
  const later = WEEKDAYS.indexOf(words.replace(/^next /, ''));
  if (later >= 0) return one(week.add({ weeks: 1, days: later }));
  const weekend = /^(?:(this|next) )?weekend$/.exec(words);
  if (weekend) {
    const saturday = week.add({ days: weekend[1] === 'next' ? 12 : 5 });
    return [saturday, saturday.add({ days: 2 })];
  }

  const count = /^(next|last) (\d{1,3}) (day|week)s?$/.exec(words);
  if (count) {
    const days = Number(count[2]) * (count[3] === 'week' ? 7 : 1);
    if (days === 0) throw invalid(`${words} is no time at all`);
    return count[1] === 'next' ? [today, today.add({ days })] : [today.subtract({ days }), today];
  }
  const isoWeek = /^(\d{4})-w(\d{2})$/.exec(words);
  if (isoWeek) {
    const start = isoWeekStart(Number(isoWeek[1]), Number(isoWeek[2]));
    return [start, start.add({ weeks: 1 })];
  }
  if (/^\d{4}-\d{2}$/.test(words)) {
    const first = parseDate(`${words}-01`);
    return [first, first.add({ months: 1 })];
  }
  if (/^\d{4}-\d{2}-\d{2}$/.test(words)) return one(parseDate(words));
  const dates = /^(\d{4}-\d{2}-\d{2})(?:\s*\.\.\s*| to )(\d{4}-\d{2}-\d{2})$/.exec(words);
  if (dates) return [parseDate(dates[1] ?? ''), parseDate(dates[2] ?? '').add({ days: 1 })];
  return null;
}

function parseMoment(text: string, name: 'from' | 'to', timeZone: string): number {
  const trimmed = text.trim();
  try {
    if (/^\d{4}-\d{2}-\d{2}$/.test(trimmed)) {
      const date = Temporal.PlainDate.from(trimmed, { overflow: 'reject' });
      return (name === 'to' ? date.add({ days: 1 }) : date).toZonedDateTime(timeZone).epochMilliseconds;
    }
    if (/^\d{4}-\d{2}-\d{2}[t ].*(?:z|[+-]\d{2}:?\d{2})$/i.test(trimmed))
      return Temporal.Instant.from(trimmed).epochMilliseconds;
    if (/^\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(?::\d{2})?$/i.test(trimmed))
      return Temporal.PlainDateTime.from(trimmed, { overflow: 'reject' }).toZonedDateTime(timeZone).epochMilliseconds;
  } catch {
    // the message below is the better one
  }
  throw invalid(
    `cannot read ${name} ${JSON.stringify(text)}`,
    `give ${name} as 2026-03-02T09:00, 2026-03-02T09:00:00+01:00 or 2026-03-02`,
  );
}

/**
 * Resolves a range in the zone of the answer. Weeks start on Monday (ISO 8601); `next 10 days` starts today; a weekday
 * is the coming one, today included, and with `next` that of next week.
 * @throws CalmcpError INPUT_INVALID for words it does not know, an end not after its start, or more than
 * {@link MAX_RANGE_DAYS} days
 */
export function parseRange(input: RangeInput, { now, timeZone }: RangeContext): Range {
  const zone = requireZone(timeZone);
  let start: number;
  let end: number;
  if (input.from !== undefined || input.to !== undefined) {
    if (input.range !== undefined) throw invalid('give either a range or from and to, not both');
    if (input.from === undefined || input.to === undefined)
      throw invalid('from and to belong together', 'give both, for example from 2026-03-02 to 2026-03-06');
    start = parseMoment(input.from, 'from', zone);
    end = parseMoment(input.to, 'to', zone);
  } else {
    const said = input.range ?? 'today';
    const today = now.toZonedDateTimeISO(zone).toPlainDate();
    const days = daysOf(said.trim().toLowerCase().replaceAll(/\s+/g, ' '), today);
    if (days === null) throw invalid(`cannot read the range ${JSON.stringify(said)}`);
    [start, end] = [days[0].toZonedDateTime(zone).epochMilliseconds, days[1].toZonedDateTime(zone).epochMilliseconds];
  }
  if (end === start) throw invalid('the range is empty: it ends as it starts', 'give a later end');
  if (end < start) throw invalid('the range ends before it starts', 'put the earlier end first');
  const first = Temporal.Instant.fromEpochMilliseconds(start).toZonedDateTimeISO(zone);
  if (end > first.add({ days: MAX_RANGE_DAYS }).epochMilliseconds)
    throw invalid(
      `the range spans more than ${MAX_RANGE_DAYS} days`,
      `ask for at most ${MAX_RANGE_DAYS} days at a time`,
    );
  return { start, end, timeZone: zone };
}
