import type { SandboxCalendar, SandboxData, SandboxEvent } from './data.ts';
import type { AccessToken } from './grants.ts';
import { requireCalendars, requireCalendarWriting, requireMailboxSettings, requireUser } from './graph-auth.ts';
import { text } from './graph-event-body.ts';
import { context, pageOf, sorted } from './graph-page.ts';
import { parsePreferences } from './graph-prefer.ts';
import { calendarProperties, eventProperties } from './graph-properties.ts';
import { parseQuery } from './graph-query.ts';
import { graphRefusal, itemNotFound } from './graph-refusal.ts';
import { renderCalendar, renderEvent } from './graph-render.ts';
import { parseParameters, respond } from './graph-respond.ts';
import { getSchedule, workingHoursOf } from './graph-schedule.ts';
import { expandSeries } from './graph-series.ts';
import { eventsIn, type Found, findById, itemsOf } from './graph-store.ts';
import { parseWindow } from './graph-window.ts';
import { cancelEvent, createEvent, deleteEvent, updateEvent, type WriteCall, type Writing } from './graph-writes.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** Graph v1.0, as far as calendars need it, for one authenticated request. */
export function answerGraph(incoming: Incoming, token: AccessToken, writing: Writing): Answer {
  const [, version, me, ...rest] = incoming.path.split('/').map(decodeSegment);
  if (version !== 'v1.0') throw unknownSegment(version);
  if (me !== 'me') throw unknownSegment(me);
  const { play, asks, method = 'GET' } = route(rest, incoming.method);
  if (incoming.method !== method) {
    throw graphRefusal(405, 'ErrorInvalidRequest', `${incoming.method} is not allowed here (by the sandbox).`);
  }
  asks(token);
  const preferences = parsePreferences(incoming.headers.prefer);
  const answer = play({ incoming, token, data: writing.data, writing, preferences });
  return preferences.applied === ''
    ? answer
    : { ...answer, headers: { ...answer.headers, 'preference-applied': preferences.applied } };
}

interface Call {
  readonly incoming: Incoming;
  readonly token: AccessToken;
  readonly data: SandboxData;
  readonly writing: Writing;
  readonly preferences: ReturnType<typeof parsePreferences>;
}

interface Route {
  /** Default: GET. */
  readonly method?: string;
  readonly asks: (token: AccessToken) => unknown;
  readonly play: (call: Call) => Answer;
}

function route(path: readonly string[], method: string): Route {
  const [first, second] = path;
  const calendars = (play: Route['play']): Route => ({ asks: requireCalendars, play });
  if (first === undefined) return { asks: requireUser, play: me };
  if (first === 'mailboxSettings' && path.length === 1) return { asks: requireMailboxSettings, play: mailboxSettings };
  if (first === 'calendarView' && path.length === 1) return calendars((call) => calendarView(call, undefined));
  if (first === 'events') return eventRoute(undefined, path.slice(1));
  if (first === 'calendar') return calendarRoute(undefined, path.slice(1));
  if (first === 'calendars' && path.length === 1) return calendars(listCalendars);
  if (first === 'calendars') return calendarRoute(second, path.slice(2));
  throw unknownSegment(first);

  function calendarRoute(id: string | undefined, tail: readonly string[]): Route {
    if (tail.length === 0) return calendars((call) => getCalendar(call, id));
    if (tail[0] === 'calendarView' && tail.length === 1) return calendars((call) => calendarView(call, id));
    if (tail[0] === 'events') return eventRoute(id, tail.slice(1));
    if (tail[0] === 'getSchedule' && tail.length === 1) {
      // The one action that only asks. https://learn.microsoft.com/graph/api/calendar-getschedule
      return { ...calendars((call) => schedule(call, id)), method: 'POST' };
    }
    throw unknownSegment(tail[0]);
  }

  function eventRoute(calendarId: string | undefined, tail: readonly string[]): Route {
    const [id, action, ...rest] = tail;
    if (rest.length > 0) throw unknownSegment(rest[0]);
    if (id === undefined) {
      return method === 'POST'
        ? writes((call) => create(call, calendarId))
        : calendars((call) => list(call, calendarId));
    }
    const found = (call: Call) => locate(call, calendarId, id);
    if (action === 'instances') return calendars((call) => instances(call, found(call)));
    if (action === 'cancel') return writes((call) => cancel(call, found(call)));
    if (action === 'accept' || action === 'tentativelyAccept' || action === 'decline') {
      return writes((call) => answered(() => respond(writeCall(call), found(call), action)));
    }
    if (action !== undefined) throw unknownSegment(action);
    if (method === 'PATCH') return writes((call) => eventAnswer(call, updateEvent(writeCall(call), found(call))));
    if (method === 'DELETE') {
      return writes((call) => {
        deleteEvent(writeCall(call), found(call));
        return { status: 204, headers: {}, body: '' };
      });
    }
    return calendars((call) => eventAnswer(call, found(call).event));
  }

  function writes(play: Route['play']): Route {
    // An action is a POST; what is at the event itself was chosen by its method.
    const asked = ['PATCH', 'DELETE'].includes(method) && path.at(-2) === 'events' ? method : 'POST';
    return { asks: requireCalendarWriting, play, method: asked };
  }
}

function create(call: Call, calendarId: string | undefined): Answer {
  const event = createEvent(writeCall(call), findCalendar(call, calendarId));
  return { ...eventAnswer(call, event), status: 201 };
}

function cancel(call: Call, found: Found): Answer {
  const given = parseParameters(call.incoming, 'cancel', ['comment']);
  return answered(() => cancelEvent(writeCall(call), found, text(given.get('comment') ?? '')));
}

/** 202 without a body. */
function answered(play: () => void): Answer {
  play();
  return { status: 202, headers: {}, body: '' };
}

function writeCall(call: Call): WriteCall {
  return { ...call, mailbox: mailboxOf(call) };
}

function me({ incoming, token: { user } }: Call): Answer {
  const all = { id: user.oid, displayName: user.displayName, userPrincipalName: user.username, mail: user.username };
  const names = incoming.query.get('$select')?.split(',') ?? Object.keys(all);
  const selected = Object.entries(all).filter(([name]) => names.includes(name));
  return json({ '@odata.context': context(incoming, 'users/$entity'), ...Object.fromEntries(selected) });
}

function mailboxSettings(call: Call): Answer {
  const { timeZone } = mailboxOf(call);
  return json({
    '@odata.context': context(call.incoming, "users('me')/mailboxSettings"),
    timeZone,
    dateFormat: 'yyyy-MM-dd',
    timeFormat: 'HH:mm',
    language: { locale: 'en-GB', displayName: 'English (United Kingdom)' },
    workingHours: workingHoursOf(timeZone),
  });
}

function listCalendars(call: Call): Answer {
  const query = parseQuery(call.incoming.query, {
    type: 'calendar',
    properties: calendarProperties,
    options: ['$top', '$skip', '$select', '$count'],
    maximumTop: 999,
  });
  const mailbox = mailboxOf(call);
  return pageOf(mailbox.calendars, query, call, 'calendars', (each) => renderCalendar(each, mailbox, query.select));
}

function getCalendar(call: Call, id: string | undefined): Answer {
  const { select } = parseQuery(call.incoming.query, {
    type: 'calendar',
    properties: calendarProperties,
    options: ['$select'],
  });
  const calendar = findCalendar(call, id);
  return json({
    '@odata.context': context(call.incoming, "users('me')/calendars/$entity"),
    ...renderCalendar(calendar, mailboxOf(call), select),
  });
}

function calendarView(call: Call, calendarId: string | undefined): Answer {
  const query = parseQuery(call.incoming.query, {
    type: 'event',
    properties: eventProperties,
    options: ['$top', '$skip', '$select', '$orderby', '$count'],
  });
  const window = parseWindow(call.incoming.query);
  const { basicOnly } = requireCalendars(call.token);
  const events = eventsIn(findCalendar(call, calendarId), window);
  const view = { ...call.preferences, basicOnly, select: query.select, inCalendarView: true };
  return pageOf(sorted(events, query), query, call, 'calendarView', (event) => renderEvent(event, view));
}

/** Single events and masters, as they are kept. https://learn.microsoft.com/graph/api/user-list-events */
function list(call: Call, calendarId: string | undefined): Answer {
  const query = parseQuery(call.incoming.query, {
    type: 'event',
    properties: eventProperties,
    options: ['$top', '$skip', '$select', '$orderby', '$count'],
  });
  const events = sorted(itemsOf(findCalendar(call, calendarId)), query);
  const view = { ...call.preferences, ...requireCalendars(call.token), select: query.select, inCalendarView: false };
  return pageOf(events, query, call, 'events', (event) => renderEvent(event, view));
}

/** https://learn.microsoft.com/graph/api/event-list-instances */
function instances(call: Call, found: Found): Answer {
  const query = parseQuery(call.incoming.query, {
    type: 'event',
    properties: eventProperties,
    options: ['$top', '$skip', '$select', '$orderby', '$count'],
  });
  const window = parseWindow(call.incoming.query);
  if (found.kind !== 'master') {
    throw graphRefusal(
      400,
      'ErrorInvalidRequest',
      "Your request can't be completed. This event is not a series master.",
    );
  }
  const view = { ...call.preferences, ...requireCalendars(call.token), select: query.select, inCalendarView: false };
  const events = expandSeries(found.series, window);
  return pageOf(sorted(events, query), query, call, 'events', (event) => renderEvent(event, view));
}

/** One event. Of a series, only the master says which dates are gone, and only when asked. */
function eventAnswer(call: Call, event: SandboxEvent): Answer {
  const { select } = parseQuery(call.incoming.query, {
    type: 'event',
    properties: eventProperties,
    options: ['$select'],
  });
  const view = { ...call.preferences, ...requireCalendars(call.token), select, inCalendarView: false };
  return json({
    '@odata.context': context(call.incoming, "users('me')/events/$entity"),
    ...renderEvent(event, view),
    ...(select?.includes('cancelledOccurrences') ? { cancelledOccurrences: cancelledOf(call, event) } : {}),
  });
}

function cancelledOf(call: Call, { id, immutableId }: SandboxEvent): string[] {
  const found = findById(mailboxOf(call).calendars, id, 'id');
  const shown = call.preferences.immutableIds ? immutableId : id;
  return found?.kind === 'master' ? found.series.deleted.map((date) => `OID.${shown}.${date}`) : [];
}

/** In the calendar that the path names, or in any of the mailbox. */
function locate(call: Call, calendarId: string | undefined, eventId: string): Found {
  const anywhere = calendarId === undefined && call.incoming.path.startsWith('/v1.0/me/events/');
  const calendars = anywhere ? mailboxOf(call).calendars : [findCalendar(call, calendarId)];
  const found = findById(calendars, eventId, call.preferences.immutableIds ? 'immutableId' : 'id');
  if (found === undefined) throw notFound(eventId);
  return found;
}

/** Whoever's calendar it is called on must have it; what comes back is about the people asked for. */
function schedule(call: Call, calendarId: string | undefined): Answer {
  findCalendar(call, calendarId);
  return getSchedule(call);
}

function mailboxOf({ data, token }: Call) {
  const found = data.mailboxes.find(({ username }) => username === token.user.username);
  if (found !== undefined) return found;
  throw graphRefusal(
    404,
    'MailboxNotEnabledForRESTAPI',
    'The mailbox is either inactive, soft-deleted, or is hosted on-premise.',
  );
}

/** The default calendar without an id. */
function findCalendar(call: Call, id: string | undefined): SandboxCalendar {
  const found = mailboxOf(call).calendars.find((each) => (id === undefined ? each.isDefaultCalendar : each.id === id));
  if (found === undefined) throw notFound(id ?? '');
  return found;
}

function notFound(id: string) {
  return /^[\w=-]{32,}$/.test(id) ? itemNotFound() : graphRefusal(400, 'ErrorInvalidIdMalformed', 'Id is malformed.');
}

function unknownSegment(segment: string | undefined) {
  return graphRefusal(400, 'BadRequest', `Resource not found for the segment '${segment ?? ''}'.`);
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw graphRefusal(400, 'BadRequest', 'The path is not encoded well.');
  }
}
