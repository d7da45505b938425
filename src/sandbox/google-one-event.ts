import { insufficientScopes } from './google-auth.ts';
import { roleOn } from './google-build.ts';
import type { GoogleContext } from './google-context.ts';
import type { GoogleAccessRole, GoogleCalendar } from './google-data.ts';
import { findCalendar } from './google-events.ts';
import { expand, type Occurrence } from './google-expand.ts';
import { eventsShape, selectFields } from './google-fields.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { etagOf, type Item } from './google-pages.ts';
import { parseTime, readParameters } from './google-query.ts';
import { badParameter } from './google-refusal.ts';
import { etagOfEvent, isCancelled, renderEvent } from './google-render.ts';
import { coversEvents, type GoogleMethod } from './google-scopes.ts';
import { familyOf, findEvent } from './google-stored.ts';
import { instantOfMoment } from './google-time.ts';
import { answerEvent } from './google-write.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** https://developers.google.com/workspace/calendar/api/v3/reference/events/get: deleted events too. */
export function getEvent(
  incoming: Incoming,
  [calendarId, eventId]: readonly [string, string],
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  const parameters = readParameters(incoming.query, ['alwaysIncludeEmail', 'maxAttendees', 'timeZone']);
  const { calendar, role } = readable(calendarId, token, 'calendar.v3.Events.Get', context);
  const found = findEvent(calendar, eventId);
  const etag = etagOfEvent(found);
  if (incoming.headers['if-none-match'] === etag) return { status: 304, headers: { etag }, body: '' };
  return answerEvent(found, {
    calendar,
    role,
    timeZone: parameters.zone('timeZone') ?? calendar.timeZone,
    maxAttendees: parameters.integer('maxAttendees', { minimum: 1, maximum: 1_000_000 }),
    fields: incoming.query.get('fields'),
  });
}

/** https://developers.google.com/workspace/calendar/api/v3/reference/events/instances */
export function listInstances(
  { query }: Incoming,
  [calendarId, eventId]: readonly [string, string],
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  const known = ['alwaysIncludeEmail', 'maxAttendees', 'maxResults', 'originalStart', 'pageToken', 'showDeleted'];
  const parameters = readParameters(query, [...known, 'timeMax', 'timeMin', 'timeZone']);
  const { calendar, role } = readable(calendarId, token, 'calendar.v3.Events.Instances', context);
  const { event } = findEvent(calendar, eventId);
  if (event.recurrence === undefined || event.id !== eventId) {
    throw badParameter('eventId', 'The event is not a recurring event.', 'invalid');
  }
  const timeZone = parameters.zone('timeZone') ?? calendar.timeZone;
  const view = {
    calendar,
    role,
    timeZone,
    maxAttendees: parameters.integer('maxAttendees', { minimum: 1, maximum: 1_000_000 }),
    singleEvents: true,
  };
  const showDeleted = parameters.flag('showDeleted') ?? false;
  const original = parameters.text('originalStart');
  const window = {
    from: parameters.time('timeMin') ?? Number.NEGATIVE_INFINITY,
    to: parameters.time('timeMax') ?? Number.POSITIVE_INFINITY,
  };
  const isAsked = (occurrence: Occurrence) =>
    (showDeleted || !isCancelled(occurrence)) &&
    (original === undefined || isOriginal(occurrence, original, calendar.timeZone));
  const items = (): Item[] =>
    expand({ ...calendar, events: familyOf(calendar, event.id) }, window, true, context.now())
      .filter(isAsked)
      .sort((one, other) => (one.id < other.id ? -1 : 1))
      .map((occurrence) => renderEvent(occurrence, view));
  const page = context.pages.page({
    list: `instances of ${event.id} on ${calendar.id} for ${token.user.sub}`,
    query,
    pageSize: parameters.integer('maxResults', { minimum: 1, maximum: 2500 }) ?? 250,
    syncParameters: [],
    syncable: false,
    items,
    stub: (item) => item,
  });
  const body = {
    kind: 'calendar#events',
    etag: etagOf(page.items),
    summary: calendar.summary,
    updated: new Date(context.now()).toISOString(),
    timeZone,
    accessRole: role,
    ...page,
  };
  return json(selectFields(body, query.get('fields'), eventsShape));
}

function isOriginal({ originalStart }: Occurrence, asked: string, zone: string): boolean {
  if (originalStart === undefined) return false;
  if ('date' in originalStart) return originalStart.date === asked;
  return instantOfMoment(originalStart, zone) === parseTime('originalStart', asked);
}

function readable(
  calendarId: string,
  token: GoogleAccessToken,
  method: GoogleMethod,
  context: GoogleContext,
): { readonly calendar: GoogleCalendar; readonly role: GoogleAccessRole } {
  const calendar = findCalendar(calendarId, token, context);
  const role = roleOn(calendar, token.user.username) ?? 'freeBusyReader';
  const which = { owned: role === 'owner', open: calendar.access['*'] !== undefined };
  if (!coversEvents(token.scopes, which)) throw insufficientScopes(method);
  return { calendar, role };
}
