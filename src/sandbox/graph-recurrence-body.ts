import { Temporal } from 'temporal-polyfill';
import type { DayOfWeek, Recurrence } from './data.ts';
import { fields, invalidProperty, list, oneOf, text, wholeNumber } from './graph-event-body.ts';
import { isSameZone, zoneOf } from './graph-prefer.ts';
import { weekdayNames } from './graph-recurrence.ts';
import { graphRefusal } from './graph-refusal.ts';

type Pattern = Recurrence['pattern'];
type Range = Recurrence['range'];

/** Which of dayOfMonth (d), month (m), daysOfWeek (w) and index (i) a type needs. */
const needs: Readonly<Record<Pattern['type'], string>> = {
  daily: '',
  weekly: 'w',
  absoluteMonthly: 'd',
  relativeMonthly: 'wi',
  absoluteYearly: 'dm',
  relativeYearly: 'wmi',
};

/**
 * https://learn.microsoft.com/graph/api/resources/recurrencepattern ("any property that you include that does not have a
 * supported value would result in an error") and recurrencerange. What Graph itself gives for "none" (0, 0001-01-01,
 * first) may be sent back.
 * @param start where and when the event begins: the range begins on that date, in that zone
 */
export function parseRecurrence(value: unknown, start: { date: string; zone: string; zoneName: string }): Recurrence {
  const given = fields(value, ['pattern', 'range'], 'patternedRecurrence');
  return { pattern: patternOf(given.pattern), range: rangeOf(given.range, start) };
}

function patternOf(value: unknown): Pattern {
  const names = ['type', 'interval', 'month', 'dayOfMonth', 'daysOfWeek', 'firstDayOfWeek', 'index'];
  const given = fields(value, names, 'recurrencePattern');
  const type = oneOf(Object.keys(needs) as Pattern['type'][])(given.type);
  const needed = (letter: string) => needs[type].includes(letter);
  const days = list(oneOf<DayOfWeek>(weekdayNames))(given.daysOfWeek ?? [], 'daysOfWeek');
  const pattern: Pattern = {
    type,
    interval: wholeNumber(given.interval ?? 0),
    month: wholeNumber(given.month ?? 0),
    dayOfMonth: wholeNumber(given.dayOfMonth ?? 0),
    ...(days.length === 0 ? {} : { daysOfWeek: days }),
    firstDayOfWeek: oneOf<DayOfWeek>(weekdayNames)(given.firstDayOfWeek ?? 'sunday'),
    index: oneOf(['first', 'second', 'third', 'fourth', 'last'])(given.index ?? 'first'),
  };
  const { interval, month, dayOfMonth } = pattern;
  const within = (number: number, letter: string, most: number) =>
    needed(letter) ? number >= 1 && number <= most : number === 0;
  const fits =
    interval >= 1 &&
    interval <= 999 &&
    within(month, 'm', 12) &&
    within(dayOfMonth, 'd', 31) &&
    days.length > 0 === needed('w') &&
    (needed('i') || pattern.index === 'first');
  if (!fits) throw invalidProperty();
  return pattern;
}

function rangeOf(value: unknown, start: { date: string; zone: string; zoneName: string }): Range {
  const names = ['type', 'startDate', 'endDate', 'recurrenceTimeZone', 'numberOfOccurrences'];
  const given = fields(value, names, 'recurrenceRange');
  const type = oneOf(['endDate', 'noEnd', 'numbered'])(given.type);
  const startDate = dateOf(given.startDate);
  const endDate = dateOf(given.endDate ?? '0001-01-01');
  const numberOfOccurrences = wholeNumber(given.numberOfOccurrences ?? 0);
  // "Must be the same value as the start property of the recurring event."
  if (startDate !== start.date) throw invalidProperty();
  // Another zone than the event's is refused, under whatever name (seen by mpalermiti/outlook-mcp).
  const zone = given.recurrenceTimeZone;
  if (typeof zone === 'string' && zone !== '' && !isSameZone(zoneOf(zone), start.zone)) throw invalidProperty();
  if (type === 'endDate' && endDate < startDate) throw invalidProperty();
  if (type === 'numbered' && (numberOfOccurrences < 1 || numberOfOccurrences > 999)) throw invalidProperty();
  if (endDate > '4500-09-01') {
    throw graphRefusal(400, 'ErrorRecurrenceEndDateTooBig', 'Recurrence end date can not exceed Sep 1, 4500 00:00:00.');
  }
  return {
    type,
    startDate,
    endDate: type === 'endDate' ? endDate : '0001-01-01',
    recurrenceTimeZone: start.zoneName,
    numberOfOccurrences: type === 'numbered' ? numberOfOccurrences : 0,
  };
}

function dateOf(value: unknown): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text(value))) throw invalidProperty();
  try {
    return Temporal.PlainDate.from(text(value)).toString();
  } catch {
    throw invalidProperty();
  }
}
