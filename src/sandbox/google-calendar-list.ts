import { roleOn } from './google-build.ts';
import type { GoogleContext } from './google-context.ts';
import type { GoogleAccessRole, GoogleCalendar, GoogleListEntry, GoogleUser } from './google-data.ts';
import { calendarListShape, selectFields } from './google-fields.ts';
import { etagOf, type Item } from './google-pages.ts';
import { readParameters } from './google-query.ts';
import { badParameter } from './google-refusal.ts';
import { type Answer, type Incoming, json } from './http.ts';

const roles: readonly GoogleAccessRole[] = ['freeBusyReader', 'reader', 'writer', 'owner'];

/** https://developers.google.com/workspace/calendar/api/v3/reference/calendarList/list */
export function listCalendars({ query }: Incoming, user: GoogleUser, { data, pages }: GoogleContext): Answer {
  const known = ['maxResults', 'minAccessRole', 'pageToken', 'showDeleted', 'showHidden', 'syncToken'];
  const parameters = readParameters(query, known);
  const pageSize = parameters.integer('maxResults', { minimum: 1, maximum: 250 }) ?? 100;
  const least = roles.indexOf(parameters.choice('minAccessRole', roles) ?? 'freeBusyReader');
  const [showDeleted, showHidden] = [parameters.flag('showDeleted'), parameters.flag('showHidden')];
  const syncing = query.has('syncToken');
  if (syncing && query.has('minAccessRole')) throw restricted('minAccessRole');
  if (syncing && showDeleted === false) throw restricted('showDeleted');
  if (syncing && showHidden === false) throw restricted('showHidden');

  const entries = () =>
    user.calendarList
      .filter(({ deleted, hidden }) => syncing || ((showDeleted || !deleted) && (showHidden || !hidden)))
      .flatMap((entry) => {
        const calendar = data.calendars.find(({ id }) => id === entry.calendarId);
        const role = calendar === undefined ? undefined : roleOn(calendar, user.username);
        return calendar === undefined || role === undefined || roles.indexOf(role) < least
          ? []
          : [renderEntry(entry, calendar, role, user)];
      });
  const page = pages.page({
    list: `calendarList of ${user.sub}`,
    query,
    pageSize,
    syncParameters: [],
    syncable: !query.has('minAccessRole'),
    items: entries,
    stub: (item) => ({
      kind: 'calendar#calendarListEntry',
      etag: etagOf([item, 'deleted']),
      id: item.id,
      deleted: true,
    }),
  });
  const body = { kind: 'calendar#calendarList', etag: etagOf(page.items), ...page };
  return json(selectFields(body, query.get('fields'), calendarListShape));
}

/** Fields that are false are left out, as the service does. */
export function renderEntry(
  entry: GoogleListEntry,
  calendar: GoogleCalendar,
  accessRole: GoogleAccessRole,
  user: GoogleUser,
): Item {
  const { summaryOverride, selected, hidden, deleted, defaultReminders = [] } = entry;
  const item: Item = {
    kind: 'calendar#calendarListEntry',
    id: calendar.id,
    summary: calendar.summary,
    ...(calendar.description === undefined ? {} : { description: calendar.description }),
    timeZone: calendar.timeZone,
    ...(summaryOverride === undefined ? {} : { summaryOverride }),
    colorId: entry.colorId ?? '14',
    backgroundColor: entry.backgroundColor ?? '#9fe1e7',
    foregroundColor: '#000000',
    ...(hidden === true ? { hidden } : {}),
    ...(selected === true ? { selected } : {}),
    accessRole,
    defaultReminders,
    ...(calendar.id === user.username ? { primary: true } : {}),
    ...(deleted === true ? { deleted } : {}),
    conferenceProperties: { allowedConferenceSolutionTypes: ['hangoutsMeet'] },
  };
  return { ...item, etag: etagOf(item) };
}

function restricted(name: string) {
  return badParameter(name, 'Sync token cannot be used with other request restrictions', 'invalid');
}
