/** What a client looks up before it writes: a calendar, its zone, the colours. */

import { roleOn } from './google-build.ts';
import { renderEntry } from './google-calendar-list.ts';
import type { GoogleContext } from './google-context.ts';
import { findCalendar } from './google-events.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { etagOf } from './google-pages.ts';
import { readParameters } from './google-query.ts';
import { googleRefusal } from './google-refusal.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** https://developers.google.com/workspace/calendar/api/v3/reference/calendarList/get */
export function getListEntry(
  { query }: Incoming,
  calendarId: string,
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  readParameters(query, []);
  const calendar = findCalendar(calendarId, token, context);
  const entry = token.user.calendarList.find((each) => each.calendarId === calendar.id);
  const role = roleOn(calendar, token.user.username);
  if (entry === undefined || role === undefined) throw googleRefusal(404, 'Not Found', { reason: 'notFound' });
  return json(renderEntry(entry, calendar, role, token.user));
}

/** https://developers.google.com/workspace/calendar/api/v3/reference/calendars/get */
export function getCalendar(
  { query }: Incoming,
  calendarId: string,
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  readParameters(query, []);
  const { id, summary, description, timeZone } = findCalendar(calendarId, token, context);
  const item = {
    kind: 'calendar#calendar',
    id,
    summary,
    ...(description === undefined ? {} : { description }),
    timeZone,
    conferenceProperties: { allowedConferenceSolutionTypes: ['hangoutsMeet'] },
  };
  return json({ ...item, etag: etagOf(item) });
}

/** The names that the web page has for them are not in it. https://developers.google.com/workspace/calendar/api/v3/reference/colors/get */
const eventColors = [
  '#a4bdfc',
  '#7ae7bf',
  '#dbadff',
  '#ff887c',
  '#fbd75b',
  '#ffb878',
  '#46d6db',
  '#e1e1e1',
  '#5484ed',
  '#51b749',
  '#dc2127',
];

export function getColors({ query }: Incoming): Answer {
  readParameters(query, []);
  const colors = (backgrounds: readonly string[]) =>
    Object.fromEntries(
      backgrounds.map((background, index) => [String(index + 1), { background, foreground: '#1d1d1d' }]),
    );
  return json({
    kind: 'calendar#colors',
    updated: '2012-02-14T00:00:00.000Z',
    calendar: colors(['#ac725e', '#d06b64', '#f83a22']),
    event: colors(eventColors),
  });
}

/** https://developers.google.com/workspace/calendar/api/v3/reference/settings */
export function getSettings(
  { query }: Incoming,
  name: string | undefined,
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  readParameters(query, name === undefined ? ['maxResults', 'pageToken', 'syncToken'] : []);
  const { timeZone } = findCalendar('primary', token, context);
  const values: Readonly<Record<string, string>> = { timezone: timeZone, locale: 'en', weekStart: '1' };
  const items = Object.entries(values).map(([id, value]) => ({
    kind: 'calendar#setting',
    etag: etagOf([id, value]),
    id,
    value,
  }));
  if (name === undefined) return json({ kind: 'calendar#settings', etag: etagOf(items), items });
  const found = items.find(({ id }) => id === name);
  if (found === undefined) throw googleRefusal(404, 'Not Found', { reason: 'notFound' });
  return json(found);
}
