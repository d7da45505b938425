import { requireScope } from './google-auth.ts';
import { listCalendars } from './google-calendar-list.ts';
import { changeEvent } from './google-change.ts';
import type { GoogleContext } from './google-context.ts';
import { deleteEvent } from './google-delete.ts';
import { listEvents } from './google-events.ts';
import { queryFreeBusy } from './google-free-busy.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { insertEvent } from './google-insert.ts';
import { getCalendar, getColors, getListEntry, getSettings } from './google-lookups.ts';
import { getEvent, listInstances } from './google-one-event.ts';
import { badParameter } from './google-refusal.ts';
import type { GoogleMethod } from './google-scopes.ts';
import type { Answer, Incoming } from './http.ts';

interface Route {
  readonly verb: string;
  /** `{}` stands for an id. */
  readonly path: string;
  readonly method: GoogleMethod;
  play(incoming: Incoming, ids: readonly [string, string], token: GoogleAccessToken, context: GoogleContext): Answer;
}

const events = 'calendars/{}/events';
const event = 'calendars/{}/events/{}';

/** The part of the Calendar API v3 that the sandbox has. */
const routes: readonly Route[] = [
  route('GET', 'users/me/calendarList', 'CalendarList.List', (incoming, _, { user }, context) =>
    listCalendars(incoming, user, context),
  ),
  route('GET', 'users/me/calendarList/{}', 'CalendarList.Get', (incoming, [id], token, context) =>
    getListEntry(incoming, id, token, context),
  ),
  route('GET', 'users/me/settings', 'Settings.List', (incoming, _, token, context) =>
    getSettings(incoming, undefined, token, context),
  ),
  route('GET', 'users/me/settings/{}', 'Settings.Get', (incoming, [name], token, context) =>
    getSettings(incoming, name, token, context),
  ),
  route('GET', 'colors', 'Colors.Get', (incoming) => getColors(incoming)),
  route('GET', 'calendars/{}', 'Calendars.Get', (incoming, [id], token, context) =>
    getCalendar(incoming, id, token, context),
  ),
  route('POST', 'freeBusy', 'Freebusy.Query', (incoming, _, token, context) => queryFreeBusy(incoming, token, context)),
  route('GET', events, 'Events.List', (incoming, [id], token, context) => listEvents(incoming, id, token, context)),
  route('POST', events, 'Events.Insert', (incoming, [id], token, context) => insertEvent(incoming, id, token, context)),
  route('GET', event, 'Events.Get', getEvent),
  route('PATCH', event, 'Events.Patch', (incoming, ids, token, context) =>
    changeEvent(incoming, ids, 'patch', token, context),
  ),
  route('PUT', event, 'Events.Update', (incoming, ids, token, context) =>
    changeEvent(incoming, ids, 'update', token, context),
  ),
  route('DELETE', event, 'Events.Delete', deleteEvent),
  route('GET', `${event}/instances`, 'Events.Instances', listInstances),
];

function route(verb: string, path: string, name: string, play: Route['play']): Route {
  return { verb, path, method: `calendar.v3.${name}` as GoogleMethod, play };
}

/** @returns nothing where there is no such method */
export function answerCalendar(
  incoming: Incoming,
  path: string,
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer | undefined {
  for (const { verb, path: pattern, method, play } of routes) {
    const ids = incoming.method === verb ? idsIn(path, pattern) : undefined;
    if (ids === undefined) continue;
    requireScope(token, method);
    const [one = '', other = ''] = ids;
    return play(incoming, [one, other], token, context);
  }
  return undefined;
}

function idsIn(path: string, pattern: string): string[] | undefined {
  const [segments, wanted] = [path.split('/'), pattern.split('/')];
  const fits =
    segments.length === wanted.length &&
    segments.every((segment, index) => (wanted[index] === '{}' ? segment !== '' : segment === wanted[index]));
  return fits ? segments.filter((_, index) => wanted[index] === '{}').map(decodeSegment) : undefined;
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badParameter('calendarId', 'The path is not encoded well.', 'badRequest');
  }
}
