import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, Range } from '../../core/event.ts';
import type { CalendarProvider, CalendarRead, ProviderContext, ReadDepth } from '../../core/provider.ts';
import { DAY } from '../../core/time.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { cloudOf } from './cloud.ts';
import { createGraph } from './graph.ts';
import {
  CALENDAR_FIELDS,
  EVENT_FIELDS,
  FULL_EVENT_FIELDS,
  type GraphCalendar,
  type GraphEvent,
  mapCalendar,
  mapEvent,
} from './map.ts';
import type { MicrosoftOptions } from './options.ts';
import { scopesOf } from './scopes.ts';

/** Largest page of a calendar view: https://learn.microsoft.com/graph/api/calendar-list-calendarview */
const PAGE_SIZE = 1_000;

function viewPath({ id }: Calendar, range: Range, depth: ReadDepth): string {
  const query = new URLSearchParams({
    // A day more on both sides: all-day events are placed in UTC here and belong to civil days (T12).
    startDateTime: new Date(range.start - DAY).toISOString(),
    endDateTime: new Date(range.end + DAY).toISOString(),
    $select: (depth === 'full' ? FULL_EVENT_FIELDS : EVENT_FIELDS).join(','),
    $top: String(PAGE_SIZE),
  });
  return `/me/calendars/${encodeURIComponent(id)}/calendarView?${query}`;
}

export function openMicrosoft(
  options: MicrosoftOptions,
  context: ProviderContext,
  tokens: RequestTokens,
): CalendarProvider {
  const { account, access, now } = context;
  const graph = createGraph(cloudOf(options).graph, context, scopesOf(access).join(' '), tokens);
  return {
    async listCalendars(call) {
      const query = new URLSearchParams({ $select: CALENDAR_FIELDS.join(','), $top: '100' });
      const rows = await graph.list<GraphCalendar>(`/me/calendars?${query}`, call);
      return rows.map((row) => mapCalendar(row, account));
    },
    async readCalendars(calendars, range, call, depth = 'agenda') {
      const asOf = now().epochMilliseconds;
      const lists = await graph.listMany<GraphEvent>(
        calendars.map((calendar) => viewPath(calendar, range, depth)),
        call,
      );
      return calendars.map((calendar, index): CalendarRead => {
        const rows = lists[index];
        if (rows === undefined || rows instanceof CalmcpError)
          return { calendar, error: rows ?? new CalmcpError('INTERNAL', 'not read', { account }) };
        try {
          return { calendar, asOf, events: rows.map((row) => mapEvent(row, { account, calendar })) };
        } catch (thrown) {
          if (thrown instanceof CalmcpError) return { calendar, error: thrown };
          throw thrown;
        }
      });
    },
  };
}
