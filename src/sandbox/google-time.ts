import { Temporal } from 'temporal-polyfill';
import type { GoogleMoment } from './google-data.ts';

/** Epoch milliseconds; a date begins at the midnight of `zone`. */
export function instantOfMoment(moment: GoogleMoment, zone: string): number {
  if ('instant' in moment) return Date.parse(moment.instant);
  return Temporal.PlainDate.from(moment.date).toZonedDateTime(zone).epochMilliseconds;
}

/** From local time in `zone` (YYYY-MM-DDTHH:MM), or a date. */
export function momentOf(local: string, zone: string): GoogleMoment {
  if (!local.includes('T')) return { date: local };
  const instant = Temporal.PlainDateTime.from(local).toZonedDateTime(zone).toInstant();
  return { instant: instant.toString(), timeZone: zone };
}

/** `start` moved along by as much as `end` is after `first`: elapsed time for an instant, days for a date. */
export function endFor(start: GoogleMoment, first: GoogleMoment, end: GoogleMoment): GoogleMoment {
  if ('date' in start && 'date' in first && 'date' in end) {
    const days = Temporal.PlainDate.from(first.date).until(end.date).days;
    return { date: Temporal.PlainDate.from(start.date).add({ days }).toString() };
  }
  if ('instant' in start && 'instant' in first && 'instant' in end) {
    const length = Date.parse(end.instant) - Date.parse(first.instant);
    return { instant: utc(Date.parse(start.instant) + length), timeZone: end.timeZone };
  }
  throw new RangeError('The start and the end of an event are two times or two dates.');
}

/** The suffix of an instance's id: `20261123T080000Z` or `20261123`. */
export function instanceSuffix(moment: GoogleMoment): string {
  return ('date' in moment ? moment.date : moment.instant).replace(/[-:]/g, '').replace(/\.\d+/, '');
}

/** RFC 3339 with the offset of `zone`, as the API writes it: Z for UTC. */
export function inZone(instant: number, zone: string): string {
  const zoned = Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(zone);
  const text = zoned.toString({ timeZoneName: 'never', smallestUnit: 'second' });
  return zone === 'UTC' ? text.replace('+00:00', 'Z') : text;
}

export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^(UTC|[A-Z][\w+-]*(\/[\w+-]+)+)$/.test(name);
  } catch {
    return false;
  }
}

export function utc(instant: number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}
