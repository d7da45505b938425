import type { GoogleAccessRole, GoogleCalendar, GoogleMoment, GooglePerson } from './google-data.ts';
import type { Occurrence } from './google-expand.ts';
import { etagOf, type Item } from './google-pages.ts';
import { inZone } from './google-time.ts';

export interface EventView {
  readonly calendar: GoogleCalendar;
  readonly role: GoogleAccessRole;
  /** That times are written in. */
  readonly timeZone: string;
  readonly maxAttendees: number | undefined;
  /** Without it, a cancelled instance is no more than a stub. */
  readonly singleEvents: boolean;
}

export function isCancelled({ event }: Occurrence): boolean {
  return event.properties.status === 'cancelled';
}

export function renderEvent(occurrence: Occurrence, view: EventView): Item {
  const item = fieldsOf(occurrence, view);
  return { kind: 'calendar#event', etag: etagOfEvent(occurrence), ...item };
}

/**
 * The same however it is shown; an instance without an exception has that of its series.
 * https://developers.google.com/workspace/calendar/api/guides/version-resources
 */
export function etagOfEvent({ event }: Occurrence): string {
  return etagOf(event);
}

function fieldsOf(occurrence: Occurrence, view: EventView): Item {
  const { event, id, masterId, originalStart } = occurrence;
  const { properties } = event;
  const write = (moment: GoogleMoment) => renderMoment(moment, view.timeZone);
  const instance = {
    ...(masterId === undefined ? {} : { recurringEventId: masterId }),
    ...(originalStart === undefined ? {} : { originalStartTime: write(originalStart) }),
  };
  if (isCancelled(occurrence) && (masterId !== undefined || !view.singleEvents)) {
    return { id, status: 'cancelled', ...instance };
  }
  const { iCalUID, updated, status, transparency, eventType } = properties;
  const times = { start: write(occurrence.start), end: write(occurrence.end) };
  const htmlLink = `https://www.google.com/calendar/event?eid=${Buffer.from(`${id} ${view.calendar.id}`).toString('base64url')}`;
  // Seen with the real service: googleworkspace/go-samples#33.
  if (view.role === 'freeBusyReader' || (view.role === 'reader' && isSecret(properties.visibility))) {
    const busy = transparency === undefined ? {} : { transparency };
    return { id, status, htmlLink, updated, ...times, ...instance, ...busy, visibility: 'private', iCalUID, eventType };
  }
  const isMaster = event.recurrence !== undefined && masterId === undefined;
  return {
    id,
    htmlLink,
    ...properties,
    creator: withSelf(properties.creator, view),
    organizer: withSelf(properties.organizer, view),
    ...times,
    ...(isMaster ? { recurrence: event.recurrence } : {}),
    ...instance,
    ...attendeesOf(occurrence, view),
  };
}

/**
 * Over maxAttendees, only the person remains; where guests may not see each other as well, and then nothing but
 * guestsCanSeeOtherGuests tells: attendeesOmitted is documented for maxAttendees alone.
 * https://developers.google.com/workspace/calendar/api/v3/reference/events#attendeesOmitted
 */
function attendeesOf({ event }: Occurrence, view: EventView): object {
  const { attendees, guestsCanSeeOtherGuests, organizer } = event.properties;
  if (attendees === undefined) return {};
  const all = attendees.map((attendee) => withSelf(attendee, view));
  if (guestsCanSeeOtherGuests === false && !('self' in withSelf(organizer, view))) {
    return { attendees: all.filter((attendee) => 'self' in attendee) };
  }
  if (view.maxAttendees === undefined || all.length <= view.maxAttendees) return { attendees: all };
  return { attendees: all.filter((attendee) => 'self' in attendee), attendeesOmitted: true };
}

function withSelf<Person extends GooglePerson>(person: Person, { calendar }: EventView): Person {
  return person.email.toLowerCase() === calendar.id.toLowerCase() ? { ...person, self: true } : person;
}

function isSecret(visibility: string | undefined): boolean {
  return visibility === 'private' || visibility === 'confidential';
}

function renderMoment(moment: GoogleMoment, zone: string): object {
  if ('date' in moment) return { date: moment.date };
  return { dateTime: inZone(Date.parse(moment.instant), zone), timeZone: moment.timeZone };
}
