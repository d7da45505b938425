/** What is asked of the Calendar API, whatever way leads to it; and the direct way. */
import type { Span } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { Call, ReadDepth } from '../../core/provider.ts';
import type { calendar_v3, GoogleClient, ListQuestion, RequestKind } from './client.ts';
import { type EventApi, openEventApi } from './event-api.ts';
import {
  CALENDAR_FIELDS,
  EVENT_FIELDS,
  EVENT_TYPES,
  FULL_EVENT_FIELDS,
  type GoogleCalendar,
  type GoogleEvent,
} from './map.ts';
import { requestOf } from './people.ts';

/** Largest pages: https://developers.google.com/workspace/calendar/api/v3/reference/events/list */
const EVENTS_PAGE = 2_500;
const CALENDARS_PAGE = 250;

const EVENTS = 'calendar#events';

/** Those that a question about events may have, but for the page. */
type EventParameters = Pick<
  calendar_v3.Params$Resource$Events$List,
  | 'singleEvents'
  | 'showHiddenInvitations'
  | 'eventTypes'
  | 'maxResults'
  | 'timeMin'
  | 'timeMax'
  | 'syncToken'
  | 'fields'
>;

/** What of a question about events a sync has to repeat: https://developers.google.com/workspace/calendar/api/guides/sync */
const ALWAYS = {
  singleEvents: true,
  // `showDeleted` is left out: false is its default, and a sync does not take it.
  showHiddenInvitations: false,
  eventTypes: EVENT_TYPES,
  maxResults: EVENTS_PAGE,
};

/** Enough to see whether there is anything. */
const SYNC_FIELDS = 'kind,nextPageToken,nextSyncToken,items(id)';

export interface EventsRead {
  readonly rows: readonly GoogleEvent[];
  /** What {@link CalendarApi.stillHolds} takes. */
  readonly mark?: string;
  /** Why the rows may not be all of them. */
  readonly problems?: readonly CalmcpError[];
}

export interface CalendarApi extends EventApi {
  /** @throws CalmcpError when the list is not known completely */
  calendars(call: Call): Promise<GoogleCalendar[]>;
  /** Per calendar: all occurrences that overlap the window, or why there is no telling. */
  eventsOf(
    calendars: readonly Calendar[],
    window: Span,
    depth: ReadDepth,
    call: Call,
  ): Promise<readonly (EventsRead | CalmcpError)[]>;
  /**
   * Whether the windows that were read have stayed as they were; left out where this way gives no marks. A mark vouches for the
   * very window that was read and for nothing beside it: what lay outside and was not changed is never told of, however far
   * time goes on ("sliding-window hole").
   * @see CalendarProvider.stillHolds
   */
  stillHolds?(
    read: readonly { readonly calendar: Calendar; readonly mark: string }[],
    call: Call,
  ): Promise<readonly (string | undefined)[]>;
  /** The answer of `freeBusy.query`. */
  freeBusy(
    ids: readonly string[],
    window: Span,
    kind: RequestKind,
    call: Call,
  ): Promise<calendar_v3.Schema$FreeBusyResponse | null>;
  close?(): Promise<void>;
}

/** One question about the events of a calendar, for Google's client and for a batch. */
function questionOf({ id }: Calendar, parameters: EventParameters): ListQuestion<calendar_v3.Schema$Events> {
  const query = Object.entries(parameters).flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, String(each)]),
  );
  return {
    address: `/calendar/v3/calendars/${encodeURIComponent(id)}/events?${new URLSearchParams(query)}`,
    send: (api, pageToken, request) =>
      api.events.list({ calendarId: id, ...parameters, ...(pageToken === undefined ? {} : { pageToken }) }, request),
  };
}

/** What another version of calmcp asked with is no mark for this one. */
const markOf = (syncToken: string): string => JSON.stringify([ALWAYS, syncToken]);

function syncTokenIn(mark: string): string | undefined {
  try {
    const [always, syncToken] = JSON.parse(mark) as readonly unknown[];
    const isOurs = JSON.stringify(always) === JSON.stringify(ALWAYS);
    return isOurs && typeof syncToken === 'string' && syncToken !== '' ? syncToken : undefined;
  } catch {
    return undefined;
  }
}

/** It stands on the last page alone. */
function markIn(pages: readonly calendar_v3.Schema$Events[]): string | undefined {
  const syncToken = pages.at(-1)?.nextSyncToken;
  return syncToken ? markOf(syncToken) : undefined;
}

/**
 * Whether it is said of a calendar's token, or of the calendar: 410 for a token that is too old or from before a change of who
 * may see what, 400 for one that it does not know, 403 and 404 for a calendar that is no longer there for us.
 */
function isAnswer({ code, cause }: CalmcpError): boolean {
  const { status } = (cause ?? {}) as { readonly status?: unknown };
  return code !== 'RATE_LIMITED' && [400, 403, 404, 410].includes(Number(status));
}

export function openCalendarApi(client: GoogleClient): CalendarApi {
  return {
    ...openEventApi(client),
    async calendars(call) {
      const pages = await client.pages('calendar#calendarList', call, (api, pageToken, request) =>
        api.calendarList.list(
          {
            maxResults: CALENDARS_PAGE,
            showHidden: true,
            fields: CALENDAR_FIELDS,
            ...(pageToken === undefined ? {} : { pageToken }),
          },
          request,
        ),
      );
      return pages.flatMap(({ items }) => items ?? []);
    },
    async eventsOf(calendars, { start, end }, depth, call) {
      const lists = await client.pagesOfEach(
        EVENTS,
        calendars.map((calendar) =>
          questionOf(calendar, {
            ...ALWAYS,
            timeMin: new Date(start).toISOString(),
            timeMax: new Date(end).toISOString(),
            fields: depth === 'full' ? FULL_EVENT_FIELDS : EVENT_FIELDS,
          }),
        ),
        call,
      );
      return lists.map((pages) => {
        if (pages instanceof CalmcpError) return pages;
        const mark = markIn(pages);
        return { rows: pages.flatMap(({ items }) => items ?? []), ...(mark === undefined ? {} : { mark }) };
      });
    },
    async stillHolds(read, call) {
      const asked = read.flatMap(({ calendar, mark }, place) => {
        const syncToken = syncTokenIn(mark);
        // Without the token it would be a question about all events there are.
        if (syncToken === undefined) return [];
        return [{ place, question: questionOf(calendar, { ...ALWAYS, syncToken, fields: SYNC_FIELDS }) }];
      });
      const lists = await client.pagesOfEach(
        EVENTS,
        asked.map(({ question }) => question),
        call,
      );
      const unanswered = lists.filter((pages) => pages instanceof CalmcpError && !isAnswer(pages));
      if (unanswered[0] instanceof CalmcpError && unanswered.length === lists.length) throw unanswered[0];
      const held = new Map(
        lists.map((pages, index) => {
          const isSame = !(pages instanceof CalmcpError) && pages.every(({ items }) => (items ?? []).length === 0);
          return [asked[index]?.place, isSame ? markIn(pages) : undefined];
        }),
      );
      return read.map((_, place) => held.get(place));
    },
    freeBusy: (ids, window, kind, call) =>
      client.request(
        call,
        (api, request) => api.freebusy.query({ requestBody: requestOf(ids, window) }, request),
        kind,
      ),
  };
}
