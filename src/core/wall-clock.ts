/** Wall-clock times as numbers, and the clocks that turn them into moments. */
import { DAY, zoneClock } from './time.ts';

/**
 * A zone's wall clock. Wall-clock times are *local milliseconds*: what `Date.UTC` makes of year, month, day, hour,
 * minute and second, so that a day is always 86,400,000 of them.
 */
export interface WallClock {
  /** In a gap the offset before it applies, in a fold the first pass counts (RFC 5545 3.3.5). */
  toEpochMs(local: number): number;
  /** All instants that show this time: none in a gap, two in a fold. */
  instantsOf(local: number): readonly number[];
  toLocal(epochMs: number): number;
  /** Name of the zone, where it has one that tells the truth about that moment. */
  zoneAt(epochMs: number): string | null;
}

/** Offset from UTC in milliseconds. */
export type OffsetAt = (epochMs: number) => number;

export function createWallClock(offsetAt: OffsetAt, zoneAt: (epochMs: number) => string | null): WallClock {
  function instantsOf(local: number): number[] {
    // No zone changes its clock twice within two days: the offsets of both sides are all that come into question.
    const [before, after] = [offsetAt(local - DAY), offsetAt(local + DAY)];
    if (before === after) return [local - before];
    return [before, after].filter((offset) => offsetAt(local - offset) === offset).map((offset) => local - offset);
  }
  return {
    instantsOf,
    toEpochMs: (local) => instantsOf(local)[0] ?? local - offsetAt(local - DAY),
    toLocal: (epochMs) => epochMs + offsetAt(epochMs),
    zoneAt,
  };
}

/** The clock of a zone by IANA name or fixed offset. */
export function wallClockOf(zone: string): WallClock {
  const { offsetMinutes } = zoneClock(zone);
  return createWallClock(
    (epochMs) => offsetMinutes(epochMs) * 60_000,
    () => zone,
  );
}

/** A date or wall-clock time as written. */
export interface LocalTime {
  readonly kind: 'date' | 'timed';
  /** Local milliseconds: see {@link WallClock}. */
  readonly local: number;
  readonly utc: boolean;
}

/** Also takes what ical.js makes of sloppy values: `20261012` for a DATE-TIME comes out as `2026-10-12T::`. */
const LOCAL_TIME = /^(\d{4})-?(\d{2})-?(\d{2})(?:T(?:(\d{2}):?(\d{2}):?(\d{2})?)?:*(Z)?)?$/;

/** A DATE or DATE-TIME value; `null` for what is neither or not in the calendar. */
export function parseLocal(text: string): LocalTime | null {
  const match = LOCAL_TIME.exec(text);
  if (!match) return null;
  const [, year = '', month = '', day = '', hours, minutes = '0', seconds = '0', utc] = match;
  const date = Date.UTC(Number(year), Number(month) - 1, Number(day));
  const back = new Date(date);
  if (Number(year) < 1000 || back.getUTCMonth() !== Number(month) - 1 || back.getUTCDate() !== Number(day)) return null;
  if (hours === undefined) return { kind: 'date', local: date, utc: false };
  // A leap second 60 is the first of the next minute; 24:00 is the next midnight.
  if (Number(hours) > 24 || Number(minutes) > 59 || Number(seconds) > 60) return null;
  const local = date + ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000;
  return { kind: 'timed', local, utc: utc !== undefined };
}

/** As a value of RFC 5545 3.3.4 or 3.3.5: `20261218`, `20261218T225959Z`. */
export function formatLocal({ kind, local, utc }: LocalTime): string {
  const [date = '', time = ''] = new Date(local)
    .toISOString()
    .replaceAll(/[-:]|\.\d+Z/g, '')
    .split('T');
  return kind === 'date' ? date : `${date}T${time}${utc ? 'Z' : ''}`;
}
