/** What is asked of a mailbox, whatever way leads to it; and the direct way. */
import type { Span } from '../../core/chunks.ts';
import type { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { Call, ReadDepth } from '../../core/provider.ts';
import type { Graph } from './graph.ts';
import { CALENDAR_FIELDS, EVENT_FIELDS, FULL_EVENT_FIELDS, type GraphCalendar, type GraphEvent } from './map.ts';
import { requestOf } from './schedule.ts';

/** Largest page of a calendar view: https://learn.microsoft.com/graph/api/calendar-list-calendarview */
export const VIEW_PAGE = 1_000;
export const CALENDARS_PAGE = 100;

export interface Mailbox {
  /** @throws CalmcpError when the list is not known completely */
  calendars(call: Call): Promise<GraphCalendar[]>;
  /** Per calendar: all of its occurrences that overlap the window, or why there is no telling. */
  views(
    calendars: readonly Calendar[],
    window: Span,
    depth: ReadDepth,
    call: Call,
  ): Promise<readonly (GraphEvent[] | CalmcpError)[]>;
  /** The answer of `getSchedule`. */
  schedule(people: readonly string[], window: Span, call: Call): Promise<unknown>;
  close?(): Promise<void>;
}

export const fieldsOf = (depth: ReadDepth): string => (depth === 'full' ? FULL_EVENT_FIELDS : EVENT_FIELDS).join(',');

function viewPath({ id }: Calendar, { start, end }: Span, depth: ReadDepth): string {
  const query = new URLSearchParams({
    startDateTime: new Date(start).toISOString(),
    endDateTime: new Date(end).toISOString(),
    $select: fieldsOf(depth),
    $top: String(VIEW_PAGE),
  });
  return `/me/calendars/${encodeURIComponent(id)}/calendarView?${query}`;
}

export function openMailbox(graph: Graph): Mailbox {
  return {
    calendars(call) {
      const query = new URLSearchParams({ $select: CALENDAR_FIELDS.join(','), $top: String(CALENDARS_PAGE) });
      return graph.list<GraphCalendar>(`/me/calendars?${query}`, call);
    },
    views: (calendars, window, depth, call) =>
      graph.listMany<GraphEvent>(
        calendars.map((calendar) => viewPath(calendar, window, depth)),
        call,
      ),
    schedule: (people, window, call) => graph.post('/me/calendar/getSchedule', requestOf(people, window), call),
  };
}
