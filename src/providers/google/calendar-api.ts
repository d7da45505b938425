/** What is asked of the Calendar API, whatever way leads to it; and the direct way. */
import type { Span } from '../../core/chunks.ts';
import type { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { Call, ReadDepth } from '../../core/provider.ts';
import type { calendar_v3, GoogleClient, RequestKind } from './client.ts';
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

export interface EventsRead {
  readonly rows: readonly GoogleEvent[];
  /** Why the rows may not be all of them. */
  readonly problems?: readonly CalmcpError[];
}

export interface CalendarApi extends EventApi {
  /** @throws CalmcpError when the list is not known completely */
  calendars(call: Call): Promise<GoogleCalendar[]>;
  /** All occurrences that overlap the window. @throws CalmcpError */
  events(calendar: Calendar, window: Span, depth: ReadDepth, call: Call): Promise<EventsRead>;
  /** The answer of `freeBusy.query`. */
  freeBusy(
    ids: readonly string[],
    window: Span,
    kind: RequestKind,
    call: Call,
  ): Promise<calendar_v3.Schema$FreeBusyResponse | null>;
  close?(): Promise<void>;
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
    async events({ id }, { start, end }, depth, call) {
      const pages = await client.pages('calendar#events', call, (api, pageToken, request) =>
        api.events.list(
          {
            calendarId: id,
            timeMin: new Date(start).toISOString(),
            timeMax: new Date(end).toISOString(),
            singleEvents: true,
            showDeleted: false,
            showHiddenInvitations: false,
            eventTypes: EVENT_TYPES,
            maxResults: EVENTS_PAGE,
            fields: depth === 'full' ? FULL_EVENT_FIELDS : EVENT_FIELDS,
            ...(pageToken === undefined ? {} : { pageToken }),
          },
          request,
        ),
      );
      return { rows: pages.flatMap(({ items }) => items ?? []) };
    },
    freeBusy: (ids, window, kind, call) =>
      client.request(
        call,
        (api, request) => api.freebusy.query({ requestBody: requestOf(ids, window) }, request),
        kind,
      ),
  };
}
