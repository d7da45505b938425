import { given, invalid, type JsonObject, patched } from './google-body.ts';
import { type Conference, readConference } from './google-conference.ts';
import type { GoogleContext } from './google-context.ts';
import { homeOf, isOwnOfCopy, passAnswer, spread } from './google-copies.ts';
import type { GoogleEvent, GoogleEventProperties } from './google-data.ts';
import { cancel } from './google-delete.ts';
import { readResource, resourceOf, type WantedEvent } from './google-event-body.ts';
import { checkType, checkTypeOfChange } from './google-event-types.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { addedGuests, attendeesOfCopy } from './google-guests.ts';
import { conferenceVersion } from './google-insert.ts';
import { mail } from './google-mail.ts';
import { googleRefusal } from './google-refusal.ts';
import { followSeries, isPerson, personIn } from './google-series.ts';
import { isSame, put, rootOf, storable, storedIn } from './google-stored.ts';
import { answerWith, bodyOf, forbidden, momentOfChange, openWriting, targetOf, type Writing } from './google-write.ts';
import type { Answer, Incoming } from './http.ts';

/**
 * https://developers.google.com/workspace/calendar/api/v3/reference/events/patch and .../update
 * @param method an update replaces all that can be set: what it leaves out is gone
 */
export function changeEvent(
  incoming: Incoming,
  [calendarId, eventId]: readonly [string, string],
  method: 'patch' | 'update',
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  const name = method === 'patch' ? 'calendar.v3.Events.Patch' : 'calendar.v3.Events.Update';
  const writing = openWriting(incoming, calendarId, token, name, context);
  const { calendar } = writing;
  const body = bodyOf(writing);
  const before = storable(targetOf(writing, eventId));
  const { status, eventType, organizer, attendees = [] } = before.properties;
  // With a status, a deleted event is restored; without one the answer was seen in googleapis/google-api-ruby-client#1811.
  if (status === 'cancelled' && body.status !== 'confirmed' && body.status !== 'tentative') throw forbidden();
  checkTypeOfChange(eventType, body);
  if (before.exception !== undefined && Array.isArray(body.recurrence) && body.recurrence.length > 0) {
    throw invalid('An instance of a recurring event cannot have a recurrence.');
  }
  const asked = method === 'patch' ? patched(resourceOf(before), body) : replaced(before, body);
  const isOrganizer = isPerson(organizer, calendar.id);
  const isOmitted = body.attendeesOmitted === true;
  const wanted = readResource(asked, calendar.timeZone, organizer.email);
  checkType(wanted, calendar, context.data.users);
  if (wanted.properties.status === 'cancelled') return answerWith(cancel(before, writing), writing);
  const people =
    isOrganizer && !isOmitted
      ? (wanted.properties.attendees ?? [])
      : attendeesOfCopy(attendees, wanted.properties.attendees ?? [], calendar.id, isOmitted);
  const after = changed(before, wanted, people, body, method, writing);
  if (isOrganizer) changeForAll(before, after, writing);
  else changeCopy(before, after, writing);
  return answerWith(storable(targetAfter(writing, eventId, after)), writing);
}

/** What an update asks for. What cannot be changed does not have to be repeated. */
function replaced(before: GoogleEvent, body: JsonObject): JsonObject {
  const { eventType, sequence, status } = before.properties;
  return patched({ eventType, sequence, ...(status === 'tentative' ? {} : { status }) }, body);
}

function changed(
  before: GoogleEvent,
  { start, end, recurrence, properties }: WantedEvent,
  people: NonNullable<GoogleEventProperties['attendees']>,
  body: JsonObject,
  method: 'patch' | 'update',
  writing: Writing,
): GoogleEvent {
  const { attendees: _, attachments, ...wanted } = properties;
  const old = before.properties;
  const { id, exception } = before;
  if (wanted.sequence < old.sequence) {
    throw invalid(
      'Invalid sequence value. The specified sequence number is below the current sequence number of the resource.',
    );
  }
  const times = { start, end, ...given({ recurrence }) };
  const isMoved = !isSame(times, { start: before.start, end: before.end, ...given({ recurrence: before.recurrence }) });
  const fixed = [
    'created',
    'updated',
    'creator',
    'organizer',
    'iCalUID',
    'privateCopy',
    'locked',
    'birthdayProperties',
  ];
  const kept = Object.fromEntries(Object.entries(old).filter(([name]) => fixed.includes(name)));
  const supported = writing.parameters.flag('supportsAttachments') === true;
  const next = {
    ...kept,
    ...wanted,
    sequence: Math.max(wanted.sequence, old.sequence + (isMoved ? 1 : 0)),
    ...given({ attachments: supported ? attachments : old.attachments }),
    ...conferenceAfter(old, body, method, writing),
    ...(people.length === 0 ? {} : { attendees: people }),
  } as GoogleEventProperties;
  const event: GoogleEvent = { id, ...times, ...given({ exception }), properties: next };
  // "Note that changing reminders does not also change the updated property of the enclosing event."
  const isTouched = changesOf(before, event).some((name) => name !== 'reminders');
  return isTouched ? { ...event, properties: { ...next, updated: momentOfChange(writing, before) } } : event;
}

function conferenceAfter(
  { hangoutLink, conferenceData }: Conference,
  body: JsonObject,
  method: 'patch' | 'update',
  { parameters }: Writing,
): Conference {
  const before = given({ hangoutLink, conferenceData });
  if (conferenceVersion(parameters) === 0) return before;
  const asked = body.conferenceData;
  if (asked === undefined && method === 'patch') return before;
  return asked === undefined || asked === null ? {} : readConference(asked as JsonObject, before);
}

/** The names of what differs, `start`, `end` and `recurrence` among them; `extendedProperties` only where shared. */
function changesOf(before: GoogleEvent, after: GoogleEvent): string[] {
  const flat = ({ start, end, recurrence, properties }: GoogleEvent): JsonObject => {
    const { updated: _, extendedProperties, ...rest } = properties;
    return {
      ...rest,
      start,
      end,
      recurrence,
      extendedProperties: extendedProperties?.shared,
      // Belongs to the copy, as colours and reminders do.
      'extendedProperties.private': extendedProperties?.private,
    };
  };
  const [one, other] = [flat(before), flat(after)];
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.filter((name) => !isSame(one[name], other[name]));
}

function sharedChanges(before: GoogleEvent, after: GoogleEvent): string[] {
  const notShared = ['attendees', 'sequence', 'extendedProperties.private'];
  return changesOf(before, after).filter((name) => !isOwnOfCopy(name) && !notShared.includes(name));
}

/** On the organizer's calendar: what changes here changes everywhere. */
function changeForAll(before: GoogleEvent, after: GoogleEvent, { calendar, context, sendUpdates }: Writing): void {
  put(calendar, after);
  if (after.exception === undefined) followSeries(calendar, before, after, context.data);
  spread(rootOf(after), calendar, context.data);
  const [old, now] = [before.properties.attendees ?? [], after.properties.attendees ?? []];
  const options = { from: calendar.id, sendUpdates };
  mail('invitation', after, addedGuests(old, now), options, context);
  mail('cancellation', after, addedGuests(now, old), options, context);
  if (sharedChanges(before, after).length === 0) return;
  const stayed = now.filter(({ email }) => personIn(old, email) !== undefined);
  mail('update', after, stayed, options, context);
}

/**
 * On a copy: what is the copy's own changes here, an answer goes to the organizer, and the rest is the organizer's.
 * https://developers.google.com/workspace/calendar/api/guides/errors#403_forbidden_for_non-organizer
 */
function changeCopy(before: GoogleEvent, after: GoogleEvent, writing: Writing): void {
  const { calendar, context, sendUpdates } = writing;
  const { data } = context;
  const { guestsCanModify, guestsCanInviteOthers, organizer, locked } = before.properties;
  const [old, now] = [before.properties.attendees ?? [], after.properties.attendees ?? []];
  const isShared = sharedChanges(before, after).length > 0;
  const guests = addedGuests(old, now);
  if (isShared && locked === true) throw forbidden();
  if ((isShared && guestsCanModify !== true) || (guests.length > 0 && guestsCanInviteOthers === false)) {
    throw googleRefusal(403, 'Shared properties can only be changed by the organizer of the event.', {
      domain: 'calendar',
      reason: 'forbiddenForNonOrganizer',
    });
  }
  put(calendar, after);
  if (after.exception === undefined) followSeries(calendar, before, after, data);
  const home = homeOf(after, data);
  const options = { from: calendar.id, sendUpdates };
  if (home !== undefined && (isShared || guests.length > 0)) {
    const original = storable(targetOf({ ...writing, calendar: home, incoming: unconditional(writing) }, after.id));
    const next = { ...withShared(original, after, isShared), properties: sharedOf(original, after, isShared, guests) };
    put(home, next);
    if (next.exception === undefined) followSeries(home, original, next, data);
    spread(rootOf(next), home, data);
  }
  mail('invitation', after, guests, options, context);
  const [answeredBefore, answer] = [personIn(old, calendar.id), personIn(now, calendar.id)];
  if (answer === undefined || isSame(answeredBefore, answer)) return;
  passAnswer(after, answer, after.properties.updated, data);
  mail('response', after, [organizer], { ...options, comment: answer.comment }, context);
}

/** The organizer's event is found whatever version of the copy the request was about. */
function unconditional({ incoming }: Writing): Incoming {
  const { 'if-match': _, ...headers } = incoming.headers;
  return { ...incoming, headers };
}

function withShared(original: GoogleEvent, { start, end, recurrence }: GoogleEvent, isShared: boolean): GoogleEvent {
  if (!isShared) return original;
  const { recurrence: _, ...rest } = original;
  return { ...rest, start, end, ...given({ recurrence }) };
}

function sharedOf(
  original: GoogleEvent,
  copy: GoogleEvent,
  isShared: boolean,
  guests: NonNullable<GoogleEventProperties['attendees']>,
): GoogleEventProperties {
  const isFixed = (name: string) => isOwnOfCopy(name) || name === 'attendees' || name === 'extendedProperties';
  const own = Object.entries(original.properties);
  const fromCopy = Object.entries(copy.properties).filter(([name]) => !isFixed(name));
  const properties = Object.fromEntries(
    isShared ? [...fromCopy, ...own.filter(([name]) => isFixed(name))] : own,
  ) as unknown as GoogleEventProperties;
  const extended = given({
    private: original.properties.extendedProperties?.private,
    shared: (isShared ? copy : original).properties.extendedProperties?.shared,
  });
  const { extendedProperties: _, ...rest } = properties;
  const attendees = [...(original.properties.attendees ?? []), ...guests];
  return {
    ...rest,
    updated: copy.properties.updated,
    ...(Object.keys(extended).length === 0 ? {} : { extendedProperties: extended }),
    ...(attendees.length === 0 ? {} : { attendees }),
  };
}

/** As it is stored when all copies have been brought up to date. */
function targetAfter({ calendar }: Writing, eventId: string, after: GoogleEvent) {
  const event = storedIn(calendar, eventId) ?? after;
  const { exception } = event;
  return {
    id: event.id,
    event,
    start: event.start,
    end: event.end,
    ...(exception === undefined ? {} : { masterId: exception.masterId, originalStart: exception.originalStart }),
  };
}
