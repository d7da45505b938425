/** What is stored of events, and how it is found, put and compared. */
import { ownedBy } from './google-build.ts';
import type { GoogleCalendar, GoogleEvent, GoogleMoment } from './google-data.ts';
import { instanceOf, type Occurrence, occurrenceOf } from './google-expand.ts';
import { googleRefusal } from './google-refusal.ts';

/**
 * An event, a series, an exception, or an instance that only the rule of its series tells of.
 * @throws the 404 for an id that the calendar does not have
 */
export function findEvent(calendar: GoogleCalendar, id: string): Occurrence {
  const stored = storedIn(calendar, id);
  if (stored !== undefined) return occurrenceOf(stored);
  const [, masterId = '', suffix = ''] = /^(.+)_(\d{8}(?:T\d{6}Z)?)$/.exec(id) ?? [];
  const master = storedIn(calendar, masterId);
  const found = master === undefined ? undefined : instanceOf(master, momentOfSuffix(suffix));
  if (found === undefined) throw googleRefusal(404, 'Not Found', { reason: 'notFound' });
  return found;
}

/** As it would be stored: an instance without an exception becomes one. */
export function storable({ id, event, start, end, masterId, originalStart }: Occurrence): GoogleEvent {
  if (event.exception !== undefined || masterId === undefined || originalStart === undefined) return event;
  const { recurrence: _, ...rest } = event;
  return { ...rest, id, start, end, exception: { masterId, originalStart } };
}

export function storedIn(calendar: GoogleCalendar, id: string): GoogleEvent | undefined {
  const found = calendar.events.find((event) => event.id === id);
  return found === undefined ? undefined : ownedBy(found, calendar.id);
}

export function put(calendar: GoogleCalendar, event: GoogleEvent): void {
  const at = calendar.events.findIndex(({ id }) => id === event.id);
  if (at < 0) calendar.events.push(event);
  else calendar.events[at] = event;
}

/** The id of the series that an event is part of, or its own. */
export function rootOf({ id, exception }: GoogleEvent): string {
  return exception?.masterId ?? id;
}

/** A series with its exceptions, or one event. */
export function familyOf(calendar: GoogleCalendar, rootId: string): GoogleEvent[] {
  return calendar.events.filter((event) => rootOf(event) === rootId).map((event) => ownedBy(event, calendar.id));
}

export function exceptionsOf(calendar: GoogleCalendar, masterId: string): GoogleEvent[] {
  return calendar.events
    .filter(({ exception }) => exception?.masterId === masterId)
    .map((event) => ownedBy(event, calendar.id));
}

export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}

function momentOfSuffix(suffix: string): GoogleMoment {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)Z)?$/.exec(suffix) ?? [];
  if (hour === undefined) return { date: `${year}-${month}-${day}` };
  return { instant: `${year}-${month}-${day}T${hour}:${minute}:${second}Z`, timeZone: 'UTC' };
}
