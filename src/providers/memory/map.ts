import { addDays } from '../../core/civil-days.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent, EventTime, Person } from '../../core/event.ts';
import { parsePerson } from '../../core/person.ts';
import type { MemoryEvent } from './options.ts';
import { parseTime } from './parse-time.ts';

interface Place {
  readonly id: string;
  readonly account: string;
  readonly calendar: Calendar;
  readonly timeZone: string;
}

function readTime(text: string, { timeZone, account }: Place): EventTime {
  const time = parseTime(text, timeZone);
  // Checked when accounts.yaml was loaded (options.ts).
  if (time === null) throw new CalmcpError('CONFIG_INVALID', 'an event has no time', { account });
  return time;
}

function readPerson(text: string, { account }: Place): Person {
  const person = parsePerson(text);
  // Checked as well.
  if (person === null) throw new CalmcpError('CONFIG_INVALID', 'an event names nobody', { account });
  return person;
}

/** A start in a DST gap moves forward, and may meet the end: then the event lasts as long as its wall-clock times say. */
function notBefore(end: EventTime, start: EventTime, entry: MemoryEvent): EventTime {
  if (end.kind !== 'timed' || start.kind !== 'timed' || end.epochMs > start.epochMs) return end;
  const wall = (text = ''): number => Date.parse(`${text.slice(0, 16)}Z`);
  return { ...end, epochMs: start.epochMs + Math.max(0, wall(entry.end) - wall(entry.start)) };
}

export function mapEvent(entry: MemoryEvent, place: Place): CalendarEvent {
  const { id, account, calendar } = place;
  const start = readTime(entry.start, place);
  const end = entry.end === undefined ? undefined : notBefore(readTime(entry.end, place), start, entry);
  return {
    account,
    calendar,
    id,
    uid: entry.uid ?? null,
    recurrenceKey: null,
    kind: 'single',
    start,
    end: end ?? (start.kind === 'date' ? { kind: 'date', date: addDays(start.date, 1) } : start),
    title: entry.title ?? null,
    busy: entry.busy,
    status: 'confirmed',
    sensitivity: entry.sensitivity,
    myResponse: entry.response,
    type: 'default',
    updated: null,
    readOnly: true,
    ...(entry.location === undefined ? {} : { location: entry.location }),
    ...(entry.text === undefined ? {} : { text: entry.text }),
    ...(entry.organizer === undefined ? {} : { organizer: readPerson(entry.organizer, place) }),
    ...(entry.attendees === undefined || entry.attendees.length === 0
      ? {}
      : { attendees: entry.attendees.map((text) => ({ ...readPerson(text, place), response: 'none' as const })) }),
  };
}
