import { Temporal } from 'temporal-polyfill';
import type { GoogleMoment } from './google-data.ts';
import { candidatesOf, parseRuleLine, type Rule } from './google-rule.ts';

/** What the `recurrence` of an event says. */
export interface Recurrence {
  /** None where all dates are named (RDATE alone). */
  readonly rule: Rule | undefined;
  /** Values of RDATE and EXDATE lines. */
  readonly added: readonly ListedDate[];
  readonly excluded: readonly ListedDate[];
}

/** Without a zone: a date, or a time in the zone of the event. */
interface ListedDate {
  readonly local: string;
  readonly zone: string | undefined;
}

/**
 * One RRULE at most, and lines of RDATE and EXDATE.
 * @throws RangeError for what the sandbox cannot play (EXRULE, several rules): better no series than a wrong one
 */
export function parseRule(lines: readonly string[]): Recurrence {
  const rules = lines.filter((line) => line.startsWith('RRULE:'));
  const dates = (name: string) => lines.filter((line) => line.startsWith(name)).flatMap(datesOf);
  const [added, excluded] = [dates('RDATE'), dates('EXDATE')];
  const understood = lines.every((line) => /^(RRULE:|RDATE[:;]|EXDATE[:;])/.test(line));
  if (!understood || rules.length > 1 || (rules.length === 0 && added.length === 0)) {
    throw new RangeError(`The sandbox cannot expand ${JSON.stringify(lines)}.`);
  }
  const [rule] = rules;
  return { rule: rule === undefined ? undefined : parseRuleLine(rule), added, excluded };
}

/** The original starts of a series up to `before` (epoch milliseconds, exclusive), the first one first. */
export function* startsOf(first: GoogleMoment, recurrence: Recurrence, before: number): Generator<GoogleMoment> {
  const { rule, added, excluded } = recurrence;
  const zone = 'date' in first ? 'UTC' : first.timeZone;
  const gone = new Set(excluded.map((date) => instantOf(date, zone)));
  const extra = added.map((date) => instantOf(date, zone)).filter((instant) => instant < before);
  const given = rule === undefined ? [startInstant(first), ...extra].values() : ruled(first, zone, rule, before);
  // What is named may lie anywhere, so where something is, all is gathered before it is put in order.
  const all = extra.length === 0 ? given : [...new Set([...given, ...extra])].sort((one, other) => one - other);
  for (const instant of all) {
    if (!gone.has(instant)) yield momentAt(instant, first, zone);
  }
}

function* ruled(first: GoogleMoment, zone: string, rule: Rule, before: number): Generator<number> {
  const local = Temporal.Instant.fromEpochMilliseconds(startInstant(first)).toZonedDateTimeISO(zone).toPlainDateTime();
  const end = Math.min(before, rule.until ?? Number.POSITIVE_INFINITY);
  const last = Temporal.Instant.fromEpochMilliseconds(end).toZonedDateTimeISO(zone).toPlainDateTime();
  let given = 0;
  for (const candidate of candidatesOf(local, rule, last)) {
    // A wall time that the clocks jump over moves by the width of the gap, as RFC 5545 3.3.5 has it.
    const at = candidate.toZonedDateTime(zone, { disambiguation: 'compatible' }).epochMilliseconds;
    if (at >= before || at > (rule.until ?? at) || given >= (rule.count ?? Number.POSITIVE_INFINITY)) return;
    given += 1;
    yield at;
  }
}

function startInstant(first: GoogleMoment): number {
  return 'date' in first ? Date.parse(`${first.date}T00:00:00Z`) : Date.parse(first.instant);
}

function momentAt(instant: number, first: GoogleMoment, zone: string): GoogleMoment {
  const at = Temporal.Instant.fromEpochMilliseconds(instant);
  if ('date' in first) return { date: at.toZonedDateTimeISO('UTC').toPlainDate().toString() };
  return { instant: at.toString(), timeZone: zone };
}

/** `EXDATE;TZID=Europe/Amsterdam:20261026T090000`, `EXDATE:20261026T080000Z`, `EXDATE;VALUE=DATE:20261026`. */
function datesOf(line: string): ListedDate[] {
  const [, parameters = '', values = ''] = /^[A-Z]+((?:;[^:]*)?):(.+)$/.exec(line) ?? [];
  const tzid = /;TZID=([^;]+)/.exec(parameters)?.[1];
  return values.split(',').map((value) => {
    const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?$/.exec(value);
    if (match === null) throw new RangeError(`${line} names no dates.`);
    const [, year, month, day, hour = '00', minute = '00', second = '00', utc] = match;
    return { local: `${year}-${month}-${day}T${hour}:${minute}:${second}`, zone: utc === 'Z' ? 'UTC' : tzid };
  });
}

function instantOf({ local, zone }: ListedDate, own: string): number {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(zone ?? own).epochMilliseconds;
}
