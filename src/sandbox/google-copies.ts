/**
 * One meeting on several calendars: what the organizer changes goes to all copies, an answer goes to the organizer's
 * and from there to all. https://developers.google.com/workspace/calendar/api/concepts/inviting-attendees-to-events
 */
import type { GoogleAttendee, GoogleCalendar, GoogleData, GoogleEvent, GoogleEventProperties } from './google-data.ts';
import { instanceOf } from './google-expand.ts';
import { followSeries, isPerson, personIn } from './google-series.ts';
import { familyOf, findEvent, put, rootOf, storable, storedIn } from './google-stored.ts';

/** Each copy has its own; all other properties are shared. */
const ownOfCopy = ['reminders', 'colorId', 'transparency', 'visibility'] as const;

/** Whether a change of this property stays on the calendar that it is made on. `extendedProperties` has both kinds. */
export function isOwnOfCopy(name: string): boolean {
  return ownOfCopy.some((own) => own === name);
}

/** The calendar of the organizer, where the sandbox has it and the event is on it. */
export function homeOf(event: GoogleEvent, { calendars }: GoogleData): GoogleCalendar | undefined {
  const { organizer, privateCopy } = event.properties;
  if (privateCopy === true) return undefined;
  return calendars.find(
    ({ id, events }) =>
      isPerson(organizer, id) && events.some((each) => each.id === rootOf(event) || each.id === event.id),
  );
}

/** Brings the copies of one event or series up to date with the organizer's. */
export function spread(rootId: string, home: GoogleCalendar, data: GoogleData): void {
  const family = familyOf(home, rootId);
  const master = family.find(({ id }) => id === rootId);
  for (const calendar of data.calendars.filter((each) => each !== home)) {
    for (const original of family) {
      const attendee = personIn(original.properties.attendees ?? [], calendar.id);
      const copy = calendar.events.find(({ id }) => id === original.id);
      const isCopy = copy?.properties.iCalUID === original.properties.iCalUID;
      if (copy !== undefined && !isCopy) continue;
      if (attendee !== undefined) put(calendar, copyOf(original, copy ?? storedIn(calendar, rootId), attendee));
      else if (copy !== undefined) put(calendar, cancelled(copy, original.properties.updated));
    }
    calendar.events = calendar.events.filter(
      ({ id, exception }) =>
        exception?.masterId !== rootId ||
        family.some((original) => original.id === id) ||
        (master?.properties.status !== 'cancelled' &&
          master !== undefined &&
          instanceOf(master, exception.originalStart) !== undefined),
    );
  }
}

export function cancelled(event: GoogleEvent, updated: string): GoogleEvent {
  return { ...event, properties: { ...event.properties, status: 'cancelled', updated } };
}

/** Who took a meeting out of the own calendar, and thereby declined, does not get it back by its next change. */
function copyOf(original: GoogleEvent, copy: GoogleEvent | undefined, attendee: GoogleAttendee): GoogleEvent {
  const isRemoved = copy?.properties.status === 'cancelled' && attendee.responseStatus === 'declined';
  const status = isRemoved ? 'cancelled' : original.properties.status;
  const shared = Object.entries(original.properties).filter(([name]) => !isOwnOfCopy(name));
  const properties = Object.fromEntries(shared) as unknown as GoogleEventProperties;
  const { extendedProperties } = original.properties;
  const own = copy?.properties;
  const extended = {
    ...(extendedProperties?.shared === undefined ? {} : { shared: extendedProperties.shared }),
    ...(own?.extendedProperties?.private === undefined ? {} : { private: own.extendedProperties.private }),
  };
  const { extendedProperties: _, ...rest } = properties;
  return {
    ...original,
    properties: {
      ...rest,
      ...Object.fromEntries(ownOfCopy.flatMap((name) => (own?.[name] === undefined ? [] : [[name, own[name]]]))),
      ...(Object.keys(extended).length === 0 ? {} : { extendedProperties: extended }),
      reminders: own?.reminders ?? { useDefault: true },
      status,
    },
  };
}

/** What somebody answered, on the own calendar, goes to the organizer's and to all other copies. */
export function passAnswer(event: GoogleEvent, answer: GoogleAttendee, updated: string, data: GoogleData): void {
  const home = homeOf(event, data);
  if (home === undefined) return;
  const before = storable(findEvent(home, event.id));
  const attendees = (before.properties.attendees ?? []).map((each) => (isPerson(each, answer.email) ? answer : each));
  const after = { ...before, properties: { ...before.properties, attendees, updated } };
  put(home, after);
  followSeries(home, before, after, data);
  spread(rootOf(event), home, data);
}
