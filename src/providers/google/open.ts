import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, Range } from '../../core/event.ts';
import type { CalendarProvider, CalendarRead, Call, ProviderContext, ReadDepth } from '../../core/provider.ts';
import { DAY } from '../../core/time.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { createGoogleClient } from './client.ts';
import {
  CALENDAR_FIELDS,
  EVENT_FIELDS,
  EVENT_TYPES,
  FULL_EVENT_FIELDS,
  mapBlock,
  mapCalendar,
  mapEvent,
} from './map.ts';
import { endpointsOf, type GoogleOptions } from './options.ts';

/** Largest pages: https://developers.google.com/workspace/calendar/api/v3/reference/events/list */
const EVENTS_PAGE = 2_500;
const CALENDARS_PAGE = 250;
/** Calendars in one free/busy query: https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query */
const FREE_BUSY_ITEMS = 50;

/** A day more on both sides: all-day events belong to civil days, and lie elsewhere on Google's clock (T12). */
const padded = (range: Range) => ({
  timeMin: new Date(range.start - DAY).toISOString(),
  timeMax: new Date(range.end + DAY).toISOString(),
});

export function openGoogle(options: GoogleOptions, context: ProviderContext, tokens: RequestTokens): CalendarProvider {
  const { account, access, now } = context;
  const client = createGoogleClient(endpointsOf(options).calendar, context, tokens);

  async function readEvents(calendar: Calendar, range: Range, call: Call, depth: ReadDepth): Promise<CalendarRead> {
    const asOf = now().epochMilliseconds;
    const pages = await client.pages('calendar#events', call, (api, pageToken, request) =>
      api.events.list(
        {
          calendarId: calendar.id,
          ...padded(range),
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
    const rows = pages.flatMap(({ items }) => items ?? []);
    return { calendar, asOf, events: rows.map((row) => mapEvent(row, { account, calendar })) };
  }

  /** With `access: busy` there is no more to be had than busy times, and each calendar may refuse on its own. */
  async function readBusy(calendars: readonly Calendar[], range: Range, call: Call): Promise<CalendarRead[]> {
    const asOf = now().epochMilliseconds;
    const { calendars: answers } = await client.request(call, (api, request) =>
      api.freebusy.query({ requestBody: { ...padded(range), items: calendars.map(({ id }) => ({ id })) } }, request),
    );
    return calendars.map((calendar): CalendarRead => {
      const { busy, errors = [] } = answers?.[calendar.id] ?? {};
      if (busy === undefined || errors.length > 0) {
        const missing = errors[0]?.reason === 'notFound';
        return {
          calendar,
          error: new CalmcpError(
            missing ? 'NOT_FOUND' : 'UNAVAILABLE',
            'Google does not tell the busy times of this calendar',
            { account, cause: errors },
          ),
        };
      }
      return { calendar, asOf, events: busy.map((block) => mapBlock(block, { account, calendar })) };
    });
  }

  const failed =
    (calendar: Calendar) =>
    (thrown: unknown): CalendarRead => {
      if (thrown instanceof CalmcpError) return { calendar, error: thrown };
      throw thrown;
    };

  return {
    async listCalendars(call) {
      // Without permission for the list there is one calendar that is known to be there.
      if (access === 'busy') return [{ id: 'primary', name: 'Primary', isDefault: true, access: 'free-busy' }];
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
      return pages
        .flatMap(({ items }) => items ?? [])
        .filter(({ deleted }) => deleted !== true)
        .map((row) => mapCalendar(row, account));
    },
    async readCalendars(calendars, range, call, depth = 'agenda') {
      if (access !== 'busy')
        return Promise.all(
          calendars.map((calendar) => readEvents(calendar, range, call, depth).catch(failed(calendar))),
        );
      const chunks = Array.from({ length: Math.ceil(calendars.length / FREE_BUSY_ITEMS) }, (_, index) =>
        calendars.slice(index * FREE_BUSY_ITEMS, (index + 1) * FREE_BUSY_ITEMS),
      );
      const reads = await Promise.all(
        chunks.map((chunk) =>
          readBusy(chunk, range, call).catch((thrown: unknown) => chunk.map((calendar) => failed(calendar)(thrown))),
        ),
      );
      return reads.flat();
    },
  };
}
