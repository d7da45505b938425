/** Recurrence rules as people, models and vendors write them: the value of an RRULE (RFC 5545 3.3.10). */
import { CalmcpError } from './errors.ts';
import { FREQUENCIES, type Frequency, type Rule, WEEKDAY_CODES, type WeekdayPart } from './recurrence-rule.ts';
import { formatLocal, parseLocal } from './wall-clock.ts';

export const RECURRENCE_HELP =
  'a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=TU,TH;COUNT=10, or one of daily, weekdays, weekly, monthly, yearly';

/** Largest INTERVAL and COUNT: no series of more is ever expanded. */
const LARGEST = 9_999;

const WORDS: ReadonlyMap<string, string> = new Map([
  ['DAILY', 'FREQ=DAILY'],
  ['WEEKDAYS', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'],
  ['WEEKLY', 'FREQ=WEEKLY'],
  ['MONTHLY', 'FREQ=MONTHLY'],
  ['YEARLY', 'FREQ=YEARLY'],
]);

/** Parts that are lists of numbers, in the order that they are written in, with the largest number of each. */
const NUMBERS = {
  BYMONTH: { field: 'byMonth', least: 1, most: 12, signed: false },
  BYWEEKNO: { field: 'byWeekNo', least: 1, most: 53, signed: true },
  BYYEARDAY: { field: 'byYearDay', least: 1, most: 366, signed: true },
  BYMONTHDAY: { field: 'byMonthDay', least: 1, most: 31, signed: true },
  BYHOUR: { field: 'byHour', least: 0, most: 23, signed: false },
  BYMINUTE: { field: 'byMinute', least: 0, most: 59, signed: false },
  BYSECOND: { field: 'bySecond', least: 0, most: 60, signed: false },
  BYSETPOS: { field: 'bySetPos', least: 1, most: 366, signed: true },
} as const;
type NumberPart = keyof typeof NUMBERS;

const PARTS: ReadonlySet<string> = new Set([
  ...Object.keys(NUMBERS),
  'FREQ',
  'INTERVAL',
  'COUNT',
  'UNTIL',
  'BYDAY',
  'WKST',
]);

function invalid(message: string, hint = `give ${RECURRENCE_HELP}`): CalmcpError {
  return new CalmcpError('INPUT_INVALID', message, { hint });
}

function partsOf(text: string): ReadonlyMap<string, string> {
  const value = text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '');
  const parts = new Map<string, string>();
  for (const part of (WORDS.get(value) ?? value).split(';')) {
    const [, name = '', set = ''] = /^([A-Z]+)=([-+,:A-Z0-9]+)$/.exec(part) ?? [];
    if (name === '') throw invalid('the recurrence is not a rule');
    if (!PARTS.has(name)) throw invalid(`the recurrence has a part that RFC 5545 does not know: ${name.slice(0, 20)}`);
    if (parts.has(name)) throw invalid(`the recurrence has ${name} twice`);
    parts.set(name, set);
  }
  return parts;
}

function parseFrequency(text: string | undefined): Frequency {
  if (text === 'SECONDLY' || text === 'MINUTELY' || text === 'HOURLY')
    throw invalid(
      `FREQ=${text} repeats too often to be a calendar event`,
      'repeat it DAILY at most, such as FREQ=DAILY',
    );
  const frequency = FREQUENCIES.find((known) => known === text);
  if (frequency === undefined)
    throw invalid('the recurrence does not say how often', 'begin it with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY');
  return frequency;
}

function parsePositive(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > LARGEST)
    throw invalid(`${name} of the recurrence is not a number from 1 to ${LARGEST}`, `give it as ${name}=2`);
  return value;
}

function parseNumbers(name: NumberPart, text: string | undefined): readonly number[] | null {
  if (text === undefined) return null;
  const { least, most, signed } = NUMBERS[name];
  const values = text.split(',').map((value) => {
    const number = (signed ? /^[+-]?\d{1,3}$/ : /^\d{1,2}$/).test(value) ? Number(value) : Number.NaN;
    if (!(Math.abs(number) >= least && Math.abs(number) <= most))
      throw invalid(
        `${name} of the recurrence is not a list of numbers from ${least} to ${most}${signed ? ', or -1 to count from the end' : ''}`,
        `give it as ${name}=${Math.max(least, 1)},2`,
      );
    return number;
  });
  return [...new Set(values)].sort((a, b) => a - b);
}

function parseWeekdays(text: string | undefined): readonly WeekdayPart[] | null {
  if (text === undefined) return null;
  const found = new Map<string, WeekdayPart>();
  for (const value of text.split(',')) {
    const [, nth, code = ''] = /^([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)$/.exec(value) ?? [];
    const part = { weekday: WEEKDAY_CODES.indexOf(code), nth: Number(nth ?? 0) };
    if (code === '' || (nth !== undefined && part.nth === 0) || Math.abs(part.nth) > 53)
      throw invalid(
        'BYDAY of the recurrence is not a list of weekdays',
        'give it as BYDAY=MO,WE, or BYDAY=-1FR for the last Friday',
      );
    found.set(`${part.nth}${code}`, part);
  }
  return [...found.values()].sort((a, b) => a.weekday - b.weekday || a.nth - b.nth);
}

function parseUntil(text: string | undefined): string | null {
  if (text === undefined) return null;
  const until = parseLocal(text);
  if (until === null)
    throw invalid(
      'UNTIL of the recurrence is no date and no time',
      'give it as UNTIL=20261218 or UNTIL=20261218T170000Z',
    );
  return formatLocal(until);
}

/** What RFC 5545 3.3.10 says of parts that do not go together. */
function checkTogether(rule: Rule): void {
  const { frequency, byDay } = rule;
  const only = (part: unknown, name: string, allowed: readonly Frequency[]): void => {
    if (part !== null && !allowed.includes(frequency))
      throw invalid(
        `${name} does not go with FREQ=${frequency}`,
        `use it with FREQ=${allowed.join(' or ')}, or leave it out`,
      );
  };
  if (rule.count !== null && rule.until !== null)
    throw invalid('the recurrence has both COUNT and UNTIL', 'give one of them, such as FREQ=DAILY;COUNT=5');
  only(rule.byWeekNo, 'BYWEEKNO', ['YEARLY']);
  only(rule.byYearDay, 'BYYEARDAY', ['YEARLY']);
  only(rule.byMonthDay, 'BYMONTHDAY', ['DAILY', 'MONTHLY', 'YEARLY']);
  if (byDay?.some(({ nth }) => nth !== 0)) {
    only(byDay, 'a number in BYDAY', ['MONTHLY', 'YEARLY']);
    if (rule.byWeekNo !== null)
      throw invalid('a number in BYDAY does not go with BYWEEKNO', 'give it as FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO');
  }
  const sets = [
    byDay,
    rule.byMonth,
    rule.byWeekNo,
    rule.byYearDay,
    rule.byMonthDay,
    rule.byHour,
    rule.byMinute,
    rule.bySecond,
  ];
  if (rule.bySetPos !== null && sets.every((part) => part === null))
    throw invalid(
      'BYSETPOS needs another BY part to choose from',
      'give it as FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
    );
}

/**
 * The rule in the value of an RRULE, with or without `RRULE:` before it, in whatever case; or in one of the words daily,
 * weekdays, weekly, monthly, yearly, which leave the day to the start. UNTIL also as `2026-12-18`; {@link settleUntil} makes of
 * it what RFC 5545 wants beside a certain start.
 * @throws CalmcpError INPUT_INVALID with an example, for what RFC 5545 3.3.10 forbids, for what repeats within a day, and for an
 * INTERVAL or COUNT above 9,999
 */
export function parseRecurrence(text: string): Rule {
  const parts = partsOf(text);
  const weekStart = WEEKDAY_CODES.indexOf(parts.get('WKST') ?? 'MO');
  if (weekStart < 0) throw invalid('WKST of the recurrence is no weekday', 'give it as WKST=MO');
  const numbers = (name: NumberPart): readonly number[] | null => parseNumbers(name, parts.get(name));
  const rule: Rule = {
    frequency: parseFrequency(parts.get('FREQ')),
    interval: parsePositive('INTERVAL', parts.get('INTERVAL')) ?? 1,
    count: parsePositive('COUNT', parts.get('COUNT')),
    until: parseUntil(parts.get('UNTIL')),
    weekStart,
    byMonth: numbers('BYMONTH'),
    byWeekNo: numbers('BYWEEKNO'),
    byYearDay: numbers('BYYEARDAY'),
    byMonthDay: numbers('BYMONTHDAY'),
    byDay: parseWeekdays(parts.get('BYDAY')),
    byHour: numbers('BYHOUR'),
    byMinute: numbers('BYMINUTE'),
    bySecond: numbers('BYSECOND'),
    bySetPos: numbers('BYSETPOS'),
  };
  checkTogether(rule);
  return rule;
}

/** The value of an RRULE in normal form: parts in one order, lists ascending, nothing that goes without saying. */
export function formatRecurrence(rule: Rule): string {
  const { frequency, interval, count, until, weekStart, byDay } = rule;
  const days = byDay?.map(({ nth, weekday }) => `${nth === 0 ? '' : nth}${WEEKDAY_CODES[weekday]}`);
  const lists = (Object.keys(NUMBERS) as NumberPart[]).map(
    (name) => [name, rule[NUMBERS[name].field]?.join(',')] as const,
  );
  const last = until === null ? null : parseLocal(until);
  const parts: (readonly [string, string | number | null | undefined])[] = [
    ['FREQ', frequency],
    ['INTERVAL', interval === 1 ? null : interval],
    ...lists.slice(0, 4),
    ['BYDAY', days?.join(',')],
    ...lists.slice(4),
    ['WKST', weekStart === 0 ? null : WEEKDAY_CODES[weekStart]],
    ['COUNT', count],
    ['UNTIL', last === null ? until : formatLocal(last)],
  ];
  return parts
    .flatMap(([name, value]) => (value === null || value === undefined ? [] : [`${name}=${value}`]))
    .join(';');
}
