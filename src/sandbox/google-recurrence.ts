import { Temporal } from 'temporal-polyfill';
import type { GoogleMoment } from './google-data.ts';

/** The rules that the sandbox's data needs: DAILY, WEEKLY and YEARLY with INTERVAL, COUNT, UNTIL, and BYDAY for WEEKLY. */
export interface Rule {
  readonly frequency: 'DAILY' | 'WEEKLY' | 'YEARLY';
  readonly interval: number;
  readonly count: number | undefined;
  /** Epoch milliseconds, inclusive. */
  readonly until: number | undefined;
  /** ISO weekdays, 1 = Monday; empty: that of the start. */
  readonly weekdays: readonly number[];
}

const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];

/** @throws RangeError for a rule that the sandbox cannot play: better no series than a wrong one */
export function parseRule(lines: readonly string[]): Rule {
  const [line = '', ...rest] = lines;
  const refuse = () => new RangeError(`The sandbox cannot expand ${JSON.stringify(lines)}.`);
  if (rest.length > 0 || !line.startsWith('RRULE:')) throw refuse();
  const parts = new Map(line.slice('RRULE:'.length).split(';').map(splitOnce));
  const known = ['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'WKST'];
  const frequency = parts.get('FREQ');
  if ([...parts.keys()].some((name) => !known.includes(name))) throw refuse();
  if (frequency !== 'DAILY' && frequency !== 'WEEKLY' && frequency !== 'YEARLY') throw refuse();
  if (parts.has('BYDAY') && frequency !== 'WEEKLY') throw refuse();
  if ((parts.get('WKST') ?? 'MO') !== 'MO') throw refuse();
  const days = (parts.get('BYDAY') ?? '').split(',').filter((day) => day !== '');
  if (days.some((day) => !weekdays.includes(day))) throw refuse();
  const [count, interval, until] = [parts.get('COUNT'), parts.get('INTERVAL'), parts.get('UNTIL')];
  return {
    frequency,
    interval: interval === undefined ? 1 : Number(interval),
    count: count === undefined ? undefined : Number(count),
    until: until === undefined ? undefined : untilOf(until),
    weekdays: days.map((day) => weekdays.indexOf(day) + 1).sort((one, other) => one - other),
  };
}

/** The original starts of a series up to `before` (epoch milliseconds, exclusive), the first one first. */
export function* startsOf(first: GoogleMoment, rule: Rule, before: number): Generator<GoogleMoment> {
  const isDate = 'date' in first;
  const zone = isDate ? 'UTC' : first.timeZone;
  const local = isDate
    ? Temporal.PlainDateTime.from(first.date)
    : Temporal.Instant.from(first.instant).toZonedDateTimeISO(zone).toPlainDateTime();
  let given = 0;
  for (const candidate of candidates(local, rule)) {
    // A wall time that the clocks jump over moves by the width of the gap, as RFC 5545 3.3.5 has it.
    const at = candidate.toZonedDateTime(zone, { disambiguation: 'compatible' }).toInstant();
    if (at.epochMilliseconds >= before) return;
    if (rule.until !== undefined && at.epochMilliseconds > rule.until) return;
    if (rule.count !== undefined && given >= rule.count) return;
    given += 1;
    yield isDate ? { date: candidate.toPlainDate().toString() } : { instant: at.toString(), timeZone: zone };
  }
}

function* candidates(first: Temporal.PlainDateTime, rule: Rule): Generator<Temporal.PlainDateTime> {
  const { frequency, interval, weekdays: days } = rule;
  if (frequency === 'WEEKLY' && days.length > 0) {
    const monday = first.subtract({ days: first.dayOfWeek - 1 });
    for (let week = 0; ; week += interval) {
      for (const day of days) {
        const candidate = monday.add({ days: 7 * week + day - 1 });
        if (Temporal.PlainDateTime.compare(candidate, first) >= 0) yield candidate;
      }
    }
  }
  const unit = ({ DAILY: 'days', WEEKLY: 'weeks', YEARLY: 'years' } as const)[frequency];
  for (let step = 0; ; step += interval) yield first.add({ [unit]: step });
}

function untilOf(text: string): number {
  const [, date = '', time = '235959'] = /^(\d{8})(?:T(\d{6})Z)?$/.exec(text) ?? [];
  const value = Date.parse(
    `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}Z`,
  );
  if (Number.isNaN(value)) throw new RangeError(`UNTIL=${text} is neither a date nor a UTC time.`);
  return value;
}

function splitOnce(part: string): [string, string] {
  const at = part.indexOf('=');
  return [part.slice(0, at), part.slice(at + 1)];
}
