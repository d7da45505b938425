/** What people and models say for the moment at which an event begins or ends. */
import { Temporal } from 'temporal-polyfill';
import { CalmcpError } from './errors.ts';
import type { EventTime } from './event.ts';
import { daysOf } from './range.ts';
import { isRealTime, parseZone, requireZone, zoneClock } from './time.ts';

export const MOMENT_HELP =
  '2026-12-01T10:00, 2026-12-01T10:00[America/New_York], tomorrow 14:00, or a date for all-day';

export interface MomentContext {
  readonly now: Temporal.Instant;
  /** Canonical zone that a time without one is read in. */
  readonly timeZone: string;
  /** The day that a bare time of day belongs to, on the clock of a zone. */
  readonly dayIn?: ((timeZone: string) => string) | undefined;
}

export interface Moment {
  readonly time: EventTime;
  /** Whether the zone was named, rather than taken from the context. */
  readonly hasOwnZone: boolean;
  /** What it was read in: the zone, or an offset that its zone does not have then. What is said beside it means the same. */
  readonly readIn: string;
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const TIME_OF_DAY = /^(?:(?<words>\S.*?)\s+(?:at\s+)?)?(?<clock>\d{1,2}:\d{2})$/i;
const LOCAL = /^(?<date>\d{4}-\d{2}-\d{2})[t ](?<clock>\d{2}:\d{2}(?::\d{2})?)(?<offset>z|[+-]\d{2}:?\d{2})?$/i;

function unreadable(name: string, text: string): CalmcpError {
  return new CalmcpError('INPUT_INVALID', `cannot read ${name} ${JSON.stringify(text.slice(0, 60))}`, {
    hint: `give ${name} as ${MOMENT_HELP}`,
  });
}

/**
 * A date, a local time, a time with an offset (RFC 3339), each with or without a zone in brackets (RFC 9557), or a day in
 * words with a time of day.
 * @param name of the input, for messages
 * @throws CalmcpError INPUT_INVALID, also for a time that the clocks of its zone skip, and for an offset that its zone does not
 * have then
 */
export function parseMoment(text: string, name: string, context: MomentContext): Moment {
  const [, said = '', bracket] = /^\s*(.*?)\s*(?:\[([^\]]+)\])?\s*$/.exec(text) ?? [];
  const timeZone = bracket === undefined ? context.timeZone : requireZone(bracket);
  const hasOwnZone = bracket !== undefined;
  const today = context.now.toZonedDateTimeISO(timeZone).toPlainDate();
  const words = said.toLowerCase().replaceAll(/\s+/g, ' ');
  const local = LOCAL.exec(said)?.groups;
  if (local !== undefined) {
    const time = timed(name, text, local.date ?? '', local.clock ?? '', local.offset, timeZone);
    return { time, hasOwnZone, readIn: readInOf(time, local.offset, timeZone) };
  }
  const byWords = TIME_OF_DAY.exec(words)?.groups;
  if (byWords !== undefined) {
    const day = byWords.words === undefined ? context.dayIn?.(timeZone) : singleDay(byWords.words, today)?.toString();
    if (day === undefined) throw unreadable(name, text);
    return {
      time: timed(name, text, day, (byWords.clock ?? '').padStart(5, '0'), undefined, timeZone),
      hasOwnZone,
      readIn: timeZone,
    };
  }
  const day = singleDay(words, today);
  if (day === undefined) throw unreadable(name, text);
  if (hasOwnZone)
    throw new CalmcpError('INPUT_INVALID', `${name} is a whole day, which has no zone`, {
      hint: 'leave the zone out, or give a time of day',
    });
  return { time: { kind: 'date', date: day.toString() }, hasOwnZone, readIn: timeZone };
}

function singleDay(words: string, today: Temporal.PlainDate): Temporal.PlainDate | undefined {
  const days = DATE.test(words) || /^[a-z]/.test(words) ? daysOf(words, today) : null;
  return days?.[0].add({ days: 1 }).equals(days[1]) ? days[0] : undefined;
}

function readInOf(time: EventTime, offset: string | undefined, timeZone: string): string {
  const zone = offset === undefined ? null : parseZone(offset);
  if (zone === null || time.kind === 'date') return timeZone;
  const offsetIn = (name: string): number => zoneClock(name).offsetMinutes(time.epochMs);
  return offsetIn(zone) === offsetIn(timeZone) ? timeZone : zone;
}

function instantOf(text: string): Temporal.Instant | undefined {
  try {
    return Temporal.Instant.from(text);
  } catch {
    return undefined;
  }
}

function timed(
  name: string,
  text: string,
  date: string,
  clock: string,
  offset: string | undefined,
  timeZone: string,
): EventTime {
  let wall: Temporal.PlainDateTime;
  try {
    wall = Temporal.PlainDateTime.from(`${date}T${clock}`, { overflow: 'reject' });
  } catch {
    throw unreadable(name, text);
  }
  const zoned = wall.toZonedDateTime(timeZone);
  if (!isRealTime({ kind: 'timed', epochMs: zoned.epochMilliseconds, zone: timeZone })) throw unreadable(name, text);
  if (offset !== undefined) {
    const instant = instantOf(`${date}T${clock}${offset}`);
    if (instant === undefined) throw unreadable(name, text);
    if (text.includes('[') && !instant.toZonedDateTimeISO(timeZone).toPlainDateTime().equals(wall))
      throw new CalmcpError('INPUT_INVALID', `${name} has an offset that ${timeZone} does not have then`, {
        hint: 'leave the offset out: the zone tells it',
      });
    return { kind: 'timed', epochMs: instant.epochMilliseconds, zone: timeZone };
  }
  if (!zoned.toPlainDateTime().equals(wall))
    throw new CalmcpError(
      'INPUT_INVALID',
      `${name} ${clock} does not exist on ${date} in ${timeZone}: the clocks skip it`,
      {
        hint: `the next time there is ${zoned.toPlainTime().toString({ smallestUnit: 'minute' })}`,
      },
    );
  return { kind: 'timed', epochMs: zoned.epochMilliseconds, zone: timeZone };
}
