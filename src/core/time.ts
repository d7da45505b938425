/** Zones, civil days and the way times are written. Everything about DST is decided here and nowhere else. */
import { Temporal } from 'temporal-polyfill';
import { findIana } from 'windows-iana';
import { CalmcpError } from './errors.ts';
import type { EventTime, Range } from './event.ts';

const MINUTE = 60_000;
export const DAY = 86_400_000;

/**
 * Zone names that occur in the field and are in no table: Outlook's own spellings, Windows zones that CLDR dropped,
 * and IANA renames that an older ICU does not know yet.
 * @see https://github.com/unicode-org/cldr/blob/main/common/supplemental/windowsZones.xml
 */
const ZONE_ALIASES: ReadonlyMap<string, string> = new Map([
  ['tzone://microsoft/utc', 'UTC'],
  ['z', 'UTC'],
  ['coordinated universal time', 'UTC'],
  ['kamchatka standard time', 'Asia/Kamchatka'],
  ['mid-atlantic standard time', 'Etc/GMT+2'],
  ['europe/kyiv', 'Europe/Kiev'],
  ['america/ciudad_juarez', 'America/Ojinaga'],
  ['asia/qostanay', 'Asia/Almaty'],
  ['pacific/kanton', 'Pacific/Enderbury'],
]);

const FIXED_OFFSET = /^(?:UTC|GMT)?\s*([+-])(\d{1,2})(?::?([0-5]\d))?$/i;

function ianaZone(name: string): string | null {
  // Temporal also takes the zone out of a whole date and time, which is not what anybody means by a zone.
  if (!/^[a-z]/i.test(name)) return null;
  try {
    return Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(name).timeZoneId;
  } catch {
    return null;
  }
}

/**
 * A zone as calmcp uses it: an IANA name in its usual spelling, or a fixed offset `+hh:mm`.
 * Understands IANA names, Windows names, `+02:00`, `GMT+2` and the paths that some producers put before a name
 * (`/mozilla.org/20050126_1/Europe/Berlin`). `null` for what names no zone (`Customized Time Zone`).
 */
export function parseZone(name: string): string | null {
  const trimmed = name.trim();
  // It stands in every event, and costs more than reading the rest of it.
  let zone = parsed.get(trimmed);
  if (zone === undefined) {
    zone = readZone(trimmed);
    if (parsed.size >= MOST_NAMES) parsed.clear();
    if (trimmed.length <= LONGEST_NAME) parsed.set(trimmed, zone);
  }
  return zone;
}

const parsed = new Map<string, string | null>();
const MOST_NAMES = 500;
const LONGEST_NAME = 100;

function readZone(trimmed: string): string | null {
  const offset = FIXED_OFFSET.exec(trimmed);
  if (offset) {
    const [, sign = '+', hours = '0', minutes = '00'] = offset;
    if (Number(hours) > 14) return null;
    return Number(hours) === 0 && minutes === '00' ? 'UTC' : `${sign}${hours.padStart(2, '0')}:${minutes}`;
  }
  const known = ianaZone(trimmed);
  if (known !== null) return known;
  const alias = ZONE_ALIASES.get(trimmed.toLowerCase());
  if (alias !== undefined) return ianaZone(alias);
  const windows = findIana(trimmed)[0];
  if (windows !== undefined) return ianaZone(windows);
  if (!trimmed.startsWith('/')) return null;
  const parts = trimmed.slice(1).split('/');
  const tails = [3, 2, 1].filter((length) => length < parts.length).map((length) => parts.slice(-length).join('/'));
  return tails.map(ianaZone).find((zone) => zone !== null) ?? null;
}

/** {@link parseZone} for a zone that a person named. @throws CalmcpError INPUT_INVALID naming it */
export function requireZone(name: string): string {
  const zone = parseZone(name);
  if (zone === null)
    throw new CalmcpError('INPUT_INVALID', `unknown time zone ${JSON.stringify(name)}`, {
      hint: 'give an IANA name such as Europe/Amsterdam, or an offset such as +02:00',
    });
  return zone;
}

/** Whether two names mean one zone (`Europe/Kyiv` and `Europe/Kiev`, `US/Pacific` and `America/Los_Angeles`). */
export function sameZone(a: string, b: string): boolean {
  if (a === b) return true;
  const epoch = Temporal.Instant.fromEpochMilliseconds(0);
  return epoch.toZonedDateTimeISO(a).equals(epoch.toZonedDateTimeISO(b));
}

/** Reads the clock of one zone, remembering where its offset changes: many events cost one look-up. */
export interface ZoneClock {
  readonly timeZone: string;
  /** Offset from UTC in minutes; the rare offsets with seconds (before 1972) are rounded. */
  offsetMinutes(epochMs: number): number;
  /** `2026-11-23T10:00:00+01:00`; with `minutes`, `2026-11-23T10:00+01:00` where no second is lost by it. */
  format(epochMs: number, precision?: 'seconds' | 'minutes'): string;
  /** Civil date `YYYY-MM-DD`. */
  date(epochMs: number): string;
  /** The same as a number: days since 1970-01-01. */
  dayNumber(epochMs: number): number;
  /** Time of day `HH:MM`. */
  timeOfDay(epochMs: number): string;
  /** First instant of a civil day: not always midnight, where a DST gap lies over it. */
  startOfDay(date: string): number;
}

interface OffsetSpan {
  readonly from: number;
  readonly to: number;
  readonly minutes: number;
}

/** So many are kept: of people's zones, and not of all that a feed can think of. */
const MOST_ZONES = 100;
const MOST_SPANS = 100;
const MOST_DAYS = 1_000;

const clocks = new Map<string, ZoneClock>();

/** @throws RangeError for what {@link parseZone} does not give */
export function zoneClock(timeZone: string): ZoneClock {
  let clock = clocks.get(timeZone);
  if (clock === undefined) {
    clock = createZoneClock(timeZone);
    if (clocks.size >= MOST_ZONES) clocks.clear();
    clocks.set(timeZone, clock);
  }
  return clock;
}

function createZoneClock(timeZone: string): ZoneClock {
  const spans: OffsetSpan[] = [];
  const dayStarts = new Map<string, number>();

  function span(epochMs: number): OffsetSpan {
    const known = spans.find((candidate) => epochMs >= candidate.from && epochMs < candidate.to);
    if (known) return known;
    const moment = Temporal.Instant.fromEpochMilliseconds(Math.floor(epochMs)).toZonedDateTimeISO(timeZone);
    const next = moment.getTimeZoneTransition('next');
    // 'previous' is exclusive, so ask from the next millisecond: a moment that is itself a transition starts its span.
    const previous = moment.add({ milliseconds: 1 }).getTimeZoneTransition('previous');
    const found = {
      from: previous?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
      to: next?.epochMilliseconds ?? Number.POSITIVE_INFINITY,
      minutes: Math.round(moment.offsetNanoseconds / 60e9),
    };
    spans.unshift(found);
    spans.length = Math.min(spans.length, MOST_SPANS);
    return found;
  }

  const wall = (epochMs: number): string =>
    new Date(Math.floor(epochMs) + span(epochMs).minutes * MINUTE).toISOString();

  return {
    timeZone,
    offsetMinutes: (epochMs) => span(epochMs).minutes,
    format(epochMs, precision = 'seconds') {
      const text = wall(epochMs);
      const time = text.slice(0, text.endsWith('.000Z') ? -5 : -1);
      const short = precision === 'minutes' && time.endsWith(':00') ? time.slice(0, -3) : time;
      return short + formatOffset(span(epochMs).minutes);
    },
    date: (epochMs) => wall(epochMs).slice(0, -14),
    dayNumber: (epochMs) => Math.floor((epochMs + span(epochMs).minutes * MINUTE) / DAY),
    timeOfDay: (epochMs) => wall(epochMs).slice(-13, -8),
    startOfDay(date) {
      let start = dayStarts.get(date);
      if (start === undefined) {
        start = Temporal.PlainDate.from(date).toZonedDateTime(timeZone).epochMilliseconds;
        if (dayStarts.size >= MOST_DAYS) dayStarts.clear();
        dayStarts.set(date, start);
      }
      return start;
    },
  };
}

/** `+01:00`; UTC is `+00:00`, which RFC 3339 4.3 reserves for a known offset of zero. */
export function formatOffset(minutes: number): string {
  const size = Math.abs(minutes);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/**
 * The instant of a wall-clock time: in a gap the time before it applies (02:30 becomes 03:30), in a fold the first
 * pass (RFC 5545 3.3.5).
 * @param local `YYYY-MM-DDTHH:MM[:SS[.fff]]`, without offset
 */
export function wallTimeToEpochMs(local: string, timeZone: string): number {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(timeZone).epochMilliseconds;
}

/** Offsets have no seconds since then (Liberia was the last one). */
const EXACT_SINCE = Date.parse('1973-01-01T00:00:00Z');

/**
 * The first instant at which a clock shows a wall-clock time or a later one of that day: where the time lies in a gap,
 * the instant of the jump; in a fold, the first pass.
 * @param local `YYYY-MM-DDTHH:MM`, without offset
 */
export function firstInstantAt(local: string, timeZone: string): number {
  const clock = zoneClock(timeZone);
  const asUtc = Date.parse(`${local}Z`);
  // On most days no clock changes, and there is nothing to decide.
  const offset = clock.offsetMinutes(asUtc - DAY);
  if (asUtc > EXACT_SINCE && clock.offsetMinutes(asUtc + DAY) === offset && clock.offsetMinutes(asUtc) === offset)
    return asUtc - offset * MINUTE;
  const wanted = Temporal.PlainDateTime.from(local);
  const found = wanted.toZonedDateTime(timeZone);
  if (found.toPlainDateTime().equals(wanted)) return found.epochMilliseconds;
  return found.add({ milliseconds: 1 }).getTimeZoneTransition('previous')?.epochMilliseconds ?? found.epochMilliseconds;
}

const REAL_DATE = /^\d{4}-\d{2}-\d{2}$/;
/** Years 0001 to 9999: what four digits can write. */
const EARLIEST = Date.parse('0001-01-02T00:00:00Z');
const LATEST = Date.parse('9999-12-30T00:00:00Z');

/** Whether a time is one: a real day of the calendar, or a moment within the years that can be written. */
export function isRealTime(time: EventTime): boolean {
  if (time.kind === 'timed') return time.epochMs >= EARLIEST && time.epochMs <= LATEST;
  const day = Date.parse(`${time.date}T00:00:00Z`);
  return (
    REAL_DATE.test(time.date) && day >= EARLIEST && day <= LATEST && new Date(day).toISOString().startsWith(time.date)
  );
}

/** The stretch of time an event covers for somebody whose clock is `clock`: all-day events follow the viewer's days. */
export function spanOf(
  event: { readonly start: EventTime; readonly end: EventTime },
  clock: ZoneClock,
): { start: number; end: number } {
  const at = (time: EventTime): number => (time.kind === 'timed' ? time.epochMs : clock.startOfDay(time.date));
  return { start: at(event.start), end: at(event.end) };
}

/**
 * Whether a span is in a half-open range: overlapping it, or, for one without duration, starting in it
 * (RFC 4791 9.9). A span that merely touches an edge is out; one that ends before it starts is a point (T19).
 */
export function overlaps(span: { readonly start: number; readonly end: number }, range: Range): boolean {
  if (span.end <= span.start) return span.start >= range.start && span.start < range.end;
  return span.start < range.end && span.end > range.start;
}
