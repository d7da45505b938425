import { insufficientScopes } from './google-auth.ts';
import { roleOn } from './google-build.ts';
import type { GoogleContext } from './google-context.ts';
import type { GoogleAccessRole, GoogleCalendar, GoogleEventType } from './google-data.ts';
import { eventTypes } from './google-event-body.ts';
import { expand, type Occurrence, type Window } from './google-expand.ts';
import { eventsShape, selectFields } from './google-fields.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { etagOf, type Item } from './google-pages.ts';
import { type Parameters, parseTime, readParameters } from './google-query.ts';
import { badParameter, googleRefusal } from './google-refusal.ts';
import { isCancelled, renderEvent } from './google-render.ts';
import { coversEvents } from './google-scopes.ts';
import { instantOfMoment } from './google-time.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** https://developers.google.com/workspace/calendar/api/v3/reference/events/list#parameters */
const known = [
  'alwaysIncludeEmail',
  'iCalUID',
  'maxAttendees',
  'maxResults',
  'orderBy',
  'pageToken',
  'q',
  'showDeleted',
  'showHiddenInvitations',
  'singleEvents',
  'syncToken',
  'timeMax',
  'timeMin',
  'timeZone',
  'updatedMin',
];

/** Not together with a sync token. */
const restrictions = ['iCalUID', 'orderBy', 'q', 'timeMin', 'timeMax', 'updatedMin'];

interface Question {
  readonly singleEvents: boolean;
  readonly showDeleted: boolean;
  readonly showHiddenInvitations: boolean;
  readonly orderBy: 'startTime' | 'updated' | undefined;
  readonly types: readonly GoogleEventType[];
  readonly words: readonly string[];
  readonly iCalUID: string | undefined;
  readonly updatedMin: number | undefined;
}

export function listEvents(
  incoming: Incoming,
  calendarId: string,
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  const { query } = incoming;
  const parameters = readParameters(query, known, ['eventTypes']);
  const calendar = findCalendar(calendarId, token, context);
  const role = roleOn(calendar, token.user.username) ?? 'freeBusyReader';
  const which = { owned: role === 'owner', open: calendar.access['*'] !== undefined };
  if (!coversEvents(token.scopes, which)) throw insufficientScopes('calendar.v3.Events.List');
  const question = readQuestion(parameters, query);
  const pageSize = parameters.integer('maxResults', { minimum: 1, maximum: 2500 }) ?? 250;
  const maxAttendees = parameters.integer('maxAttendees', { minimum: 1, maximum: 1_000_000 });
  const timeZone = parameters.zone('timeZone') ?? calendar.timeZone;
  parameters.flag('alwaysIncludeEmail');

  const view = { calendar, role, timeZone, maxAttendees, singleEvents: question.singleEvents };
  const page = context.pages.page({
    // A sync token does not outlive the role that it was issued to.
    list: `events of ${calendar.id} for ${token.user.sub}, ${role}`,
    query,
    pageSize,
    syncParameters: ['eventTypes', 'maxAttendees', 'showHiddenInvitations', 'singleEvents', 'timeZone'],
    syncable: !['iCalUID', 'orderBy', 'q', 'updatedMin'].some((name) => query.has(name)),
    items: (origin) =>
      find(calendar, role, { ...question, window: windowOf(origin) }, context).map((each) => renderEvent(each, view)),
    stub: stubOf,
  });
  const entry = token.user.calendarList.find((each) => each.calendarId === calendar.id);
  const body = {
    kind: 'calendar#events',
    etag: etagOf(page.items),
    summary: calendar.summary,
    description: calendar.description ?? '',
    updated: new Date(context.now()).toISOString(),
    timeZone,
    accessRole: role,
    defaultReminders: entry?.defaultReminders ?? [],
    ...page,
  };
  return json(selectFields(body, query.get('fields'), eventsShape));
}

/** @throws the 404 for what is not there, or is not for this person: the two look the same */
export function findCalendar(id: string, { user }: GoogleAccessToken, { data }: GoogleContext): GoogleCalendar {
  const wanted = id === 'primary' ? user.username : id;
  const found = data.calendars.find((calendar) => calendar.id === wanted);
  if (found === undefined || roleOn(found, user.username) === undefined) {
    throw googleRefusal(404, 'Not Found', { reason: 'notFound' });
  }
  return found;
}

function readQuestion(parameters: Parameters, query: URLSearchParams): Question {
  const syncing = query.has('syncToken');
  const window = windowOf(query);
  if (window.to <= window.from) throw timeRangeEmpty();
  const singleEvents = parameters.flag('singleEvents') ?? false;
  const orderBy = parameters.choice('orderBy', ['startTime', 'updated']);
  if (orderBy === 'startTime' && !singleEvents) {
    throw badParameter('orderBy', 'The requested ordering is not available for the particular query.', 'invalid');
  }
  const showDeleted = parameters.flag('showDeleted');
  if (syncing && (restrictions.some((name) => query.has(name)) || showDeleted === false)) {
    throw badParameter('syncToken', 'Sync token cannot be used with other request restrictions', 'invalid');
  }
  const updatedMin = parameters.time('updatedMin');
  return {
    singleEvents,
    showDeleted: showDeleted ?? updatedMin !== undefined,
    showHiddenInvitations: parameters.flag('showHiddenInvitations') ?? false,
    orderBy,
    types: parameters.choices('eventTypes', eventTypes),
    words: (parameters.text('q') ?? '')
      .toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== ''),
    iCalUID: parameters.text('iCalUID'),
    updatedMin,
  };
}

function windowOf(query: URLSearchParams): Window {
  const [timeMin, timeMax] = [query.get('timeMin'), query.get('timeMax')];
  return {
    from: timeMin === null ? Number.NEGATIVE_INFINITY : parseTime('timeMin', timeMin),
    to: timeMax === null ? Number.POSITIVE_INFINITY : parseTime('timeMax', timeMax),
  };
}

function find(
  calendar: GoogleCalendar,
  role: GoogleAccessRole,
  question: Question & { readonly window: Window },
  context: GoogleContext,
): Occurrence[] {
  const { singleEvents, showDeleted, types, words, iCalUID, updatedMin } = question;
  const found = expand(calendar, question.window, singleEvents, context.now()).filter((occurrence) => {
    const { properties } = occurrence.event;
    // The cancelled instances of a living series are part of it, unless it is expanded.
    const shown = !isCancelled(occurrence) || showDeleted || (!singleEvents && occurrence.originalStart !== undefined);
    return (
      shown &&
      (types.length === 0 || types.includes(properties.eventType)) &&
      (iCalUID === undefined || properties.iCalUID === iCalUID) &&
      (updatedMin === undefined || Date.parse(properties.updated) >= updatedMin) &&
      (question.showHiddenInvitations || occurrence.event.hiddenInvitation !== true) &&
      (words.length === 0 || (role !== 'freeBusyReader' && words.every((word) => textOf(occurrence).includes(word))))
    );
  });
  return sorted(found, question.orderBy, calendar.timeZone);
}

/** Without orderBy the order is promised to be stable, and nothing else: here by id, which says nothing. */
function sorted(found: Occurrence[], orderBy: Question['orderBy'], zone: string): Occurrence[] {
  const key = ({ event, start }: Occurrence): number => {
    if (orderBy === undefined) return 0;
    return orderBy === 'updated' ? Date.parse(event.properties.updated) : instantOfMoment(start, zone);
  };
  return found.sort((one, other) => key(one) - key(other) || (one.id < other.id ? -1 : 1));
}

function textOf({ event }: Occurrence): string {
  const { summary, description, location, organizer, attendees = [] } = event.properties;
  const people = [organizer, ...attendees].flatMap(({ email, displayName }) => [email, displayName]);
  return [summary, description, location, ...people].join('\n').toLowerCase();
}

/** What a sync says of something deleted: perhaps no more than this. */
function stubOf(item: Item): Item {
  const { id, recurringEventId, originalStartTime } = item;
  const stub = { kind: 'calendar#event', etag: etagOf([item, 'deleted']), id, status: 'cancelled' };
  return recurringEventId === undefined ? stub : { ...stub, recurringEventId, originalStartTime };
}

function timeRangeEmpty() {
  return googleRefusal(400, 'The specified time range is empty.', {
    domain: 'calendar',
    reason: 'timeRangeEmpty',
    location: 'timeMax',
    locationType: 'parameter',
  });
}
