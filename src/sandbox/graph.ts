import type { SandboxCalendar, SandboxData, SandboxEvent } from './data.ts';
import type { AccessToken } from './grants.ts';
import { requireCalendars, requireMailboxSettings, requireUser } from './graph-auth.ts';
import { parsePreferences } from './graph-prefer.ts';
import { calendarProperties, eventProperties } from './graph-properties.ts';
import { parseQuery, type Query } from './graph-query.ts';
import { graphRefusal, itemNotFound } from './graph-refusal.ts';
import { renderCalendar, renderEvent } from './graph-render.ts';
import { getSchedule, workingHoursOf } from './graph-schedule.ts';
import { extentOf, isInWindow, parseWindow } from './graph-window.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** Graph v1.0, as far as reading calendars needs it, for one authenticated request. */
export function answerGraph(incoming: Incoming, token: AccessToken, data: SandboxData): Answer {
  const [, version, me, ...rest] = incoming.path.split('/').map(decodeSegment);
  if (version !== 'v1.0') throw unknownSegment(version);
  if (me !== 'me') throw unknownSegment(me);
  // The one action that only asks. https://learn.microsoft.com/graph/api/calendar-getschedule
  const method = rest.at(-1) === 'getSchedule' ? 'POST' : 'GET';
  if (incoming.method !== method) {
    throw graphRefusal(
      405,
      'ErrorInvalidRequest',
      `The sandbox is for reading: ${incoming.method} is not allowed here.`,
    );
  }
  const { play, asks } = route(rest);
  asks(token);
  const preferences = parsePreferences(incoming.headers.prefer);
  const answer = play({ incoming, token, data, preferences });
  return preferences.applied === ''
    ? answer
    : { ...answer, headers: { ...answer.headers, 'preference-applied': preferences.applied } };
}

interface Call {
  readonly incoming: Incoming;
  readonly token: AccessToken;
  readonly data: SandboxData;
  readonly preferences: ReturnType<typeof parsePreferences>;
}

interface Route {
  readonly asks: (token: AccessToken) => unknown;
  readonly play: (call: Call) => Answer;
}

function route(path: readonly string[]): Route {
  const [first, second, third, fourth] = path;
  const calendars = (play: Route['play']): Route => ({ asks: requireCalendars, play });
  if (first === undefined) return { asks: requireUser, play: me };
  if (first === 'mailboxSettings' && path.length === 1) return { asks: requireMailboxSettings, play: mailboxSettings };
  if (first === 'calendarView' && path.length === 1) return calendars((call) => calendarView(call, undefined));
  if (first === 'events' && path.length === 2) return calendars((call) => getEvent(call, undefined, second ?? ''));
  if (first === 'calendar') return calendarRoute(undefined, path.slice(1));
  if (first === 'calendars' && path.length === 1) return calendars(listCalendars);
  if (first === 'calendars') return calendarRoute(second, path.slice(2));
  throw unknownSegment([first, second, third, fourth].find((segment) => segment !== undefined));

  function calendarRoute(id: string | undefined, tail: readonly string[]): Route {
    if (tail.length === 0) return calendars((call) => getCalendar(call, id));
    if (tail[0] === 'calendarView' && tail.length === 1) return calendars((call) => calendarView(call, id));
    if (tail[0] === 'events' && tail.length === 2) return calendars((call) => getEvent(call, id, tail[1] ?? ''));
    if (tail[0] === 'getSchedule' && tail.length === 1) return calendars((call) => schedule(call, id));
    throw unknownSegment(tail[0]);
  }
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
  const events = findCalendar(call, calendarId).events.filter((event) => isInWindow(event, window));
  const view = { ...call.preferences, basicOnly, select: query.select, inCalendarView: true };
  return pageOf(sorted(events, query), query, call, 'calendarView', (event) => renderEvent(event, view));
}

function getEvent(call: Call, calendarId: string | undefined, eventId: string): Answer {
  const { select } = parseQuery(call.incoming.query, {
    type: 'event',
    properties: eventProperties,
    options: ['$select'],
  });
  const { immutableIds } = call.preferences;
  const calendars =
    calendarId === undefined && call.incoming.path.startsWith('/v1.0/me/events/')
      ? mailboxOf(call).calendars
      : [findCalendar(call, calendarId)];
  const event = calendars
    .flatMap(({ events }) => events)
    .find((each) => (immutableIds ? each.immutableId : each.id) === eventId);
  if (event === undefined) throw notFound(eventId);
  const { basicOnly } = requireCalendars(call.token);
  return json({
    '@odata.context': context(call.incoming, "users('me')/events/$entity"),
    ...renderEvent(event, { ...call.preferences, basicOnly, select, inCalendarView: false }),
  });
}

/** Whoever's calendar it is called on must have it; what comes back is about the people asked for. */
function schedule(call: Call, calendarId: string | undefined): Answer {
  findCalendar(call, calendarId);
  return getSchedule(call);
}

/** Without $orderby the service promises no order, and was seen to give the last ones first: microsoft-graph-docs#6201. */
function sorted(events: readonly SandboxEvent[], { orderBy }: Query): SandboxEvent[] {
  const property = orderBy?.property ?? 'start';
  const direction = orderBy?.descending === false ? 1 : -1;
  return events
    .map((event) => ({ event, at: extentOf(event)[property] }))
    .sort((one, other) => direction * (one.at - other.at))
    .map(({ event }) => event);
}

/** https://learn.microsoft.com/graph/paging: ten to a page unless asked otherwise. */
function pageOf<Item>(
  items: readonly Item[],
  query: Query,
  { incoming, preferences }: Call,
  name: string,
  render: (item: Item) => unknown,
): Answer {
  const size = query.top ?? preferences.pageSize ?? 10;
  const until = query.skip + size;
  const next = new URLSearchParams(incoming.query);
  next.set('$skip', String(until));
  return json({
    '@odata.context': context(incoming, `users('me')/${name}`),
    ...(query.count ? { '@odata.count': items.length } : {}),
    value: items.slice(query.skip, until).map(render),
    ...(until < items.length ? { '@odata.nextLink': `${incoming.origin}${incoming.path}?${next}` } : {}),
  });
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

function context({ origin }: Incoming, what: string): string {
  return `${origin}/v1.0/$metadata#${what}`;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw graphRefusal(400, 'BadRequest', 'The path is not encoded well.');
  }
}
