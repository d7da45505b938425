/** What is asked of a mailbox, whatever way leads to it; and the direct way. */
import type { Span } from '../../core/chunks.ts';
import type { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { Call, ReadDepth } from '../../core/provider.ts';
import type { Graph, GraphChange } from './graph.ts';
import {
  CALENDAR_FIELDS,
  EVENT_FIELDS,
  FULL_EVENT_FIELDS,
  type GraphCalendar,
  type GraphEvent,
  STORED_EVENT_FIELDS,
} from './map.ts';
import { requestOf } from './schedule.ts';

/** Largest page of a calendar view: https://learn.microsoft.com/graph/api/calendar-list-calendarview */
export const VIEW_PAGE = 1_000;
export const CALENDARS_PAGE = 100;

/** Which event of which calendar. */
export interface EventAddress {
  readonly calendar: Calendar;
  readonly id: string;
}

/** An event to be written, in Graph's words: https://learn.microsoft.com/graph/api/resources/event */
export type EventBody = Readonly<Record<string, unknown>>;

/** https://learn.microsoft.com/graph/api/event-accept and its like */
export type AnswerVerb = 'accept' | 'tentativelyAccept' | 'decline';

export interface Mailbox {
  /** Whether what is sent goes through somebody else's tools, which do not take all of it. */
  readonly viaChild: boolean;
  /** @throws CalmcpError when the list is not known completely. @param fields besides the usual ones */
  calendars(call: Call, fields?: readonly string[]): Promise<GraphCalendar[]>;
  /** Per calendar: all of its occurrences that overlap the window, or why there is no telling. */
  views(
    calendars: readonly Calendar[],
    window: Span,
    depth: ReadDepth,
    call: Call,
  ): Promise<readonly (GraphEvent[] | CalmcpError)[]>;
  /** The same of one calendar, with these fields alone. @throws CalmcpError */
  view(calendar: Calendar, window: Span, fields: readonly string[], call: Call): Promise<GraphEvent[]>;
  /** The answer of `getSchedule`. */
  schedule(people: readonly string[], window: Span, call: Call): Promise<unknown>;
  /** An event, an occurrence or a series with all that can be set of it, or with these fields alone. */
  event(address: EventAddress, call: Call, fields?: readonly string[]): Promise<GraphEvent>;
  /** The text as it is stored, with its markup: not through a child server. */
  readonly markup?: (address: EventAddress, call: Call) => Promise<string>;
  /** With its `transactionId`, so asked again where nobody knows whether it was done. */
  create(calendar: Calendar, body: EventBody, call: Call): Promise<GraphEvent>;
  /** Never asked again. @param version `changeKey` of what may be changed, as far as this way can tell it */
  change(address: EventAddress, body: EventBody, version: string, call: Call): Promise<GraphEvent>;
  remove(address: EventAddress, version: string, call: Call): Promise<void>;
  answer(address: EventAddress, verb: AnswerVerb, body: EventBody, call: Call): Promise<void>;
  close?(): Promise<void>;
}

export const fieldsOf = (depth: ReadDepth): readonly string[] => (depth === 'full' ? FULL_EVENT_FIELDS : EVENT_FIELDS);

const calendarPath = ({ id }: Calendar): string => `/me/calendars/${encodeURIComponent(id)}`;

function viewPath(calendar: Calendar, { start, end }: Span, fields: readonly string[]): string {
  const query = new URLSearchParams({
    startDateTime: new Date(start).toISOString(),
    endDateTime: new Date(end).toISOString(),
    $select: fields.join(','),
    $top: String(VIEW_PAGE),
  });
  return `${calendarPath(calendar)}/calendarView?${query}`;
}

const eventPath = ({ calendar, id }: EventAddress): string =>
  `${calendarPath(calendar)}/events/${encodeURIComponent(id)}`;

const selected = (fields: readonly string[]): string => `?${new URLSearchParams({ $select: fields.join(',') })}`;

export function openMailbox(graph: Graph): Mailbox {
  const write = (change: GraphChange, call: Call): Promise<GraphEvent> =>
    graph.write(change, call) as Promise<GraphEvent>;

  return {
    viaChild: false,
    calendars(call, fields = []) {
      const query = new URLSearchParams({
        $select: [...CALENDAR_FIELDS, ...fields].join(','),
        $top: String(CALENDARS_PAGE),
      });
      return graph.list<GraphCalendar>(`/me/calendars?${query}`, call);
    },
    views: (calendars, window, depth, call) =>
      graph.listMany<GraphEvent>(
        calendars.map((calendar) => viewPath(calendar, window, fieldsOf(depth))),
        call,
      ),
    view: (calendar, window, fields, call) => graph.list<GraphEvent>(viewPath(calendar, window, fields), call),
    schedule: (people, window, call) => graph.post('/me/calendar/getSchedule', requestOf(people, window), call),
    event: async (address, call, fields = STORED_EVENT_FIELDS) =>
      (await graph.read(`${eventPath(address)}${selected(fields)}`, call)) as GraphEvent,
    async markup(address, call) {
      const row = (await graph.read(`${eventPath(address)}${selected(['body'])}`, call, true)) as GraphEvent;
      return row.body?.content ?? '';
    },
    create: (calendar, body, call) =>
      write({ method: 'POST', path: `${calendarPath(calendar)}/events`, body, repeatable: true }, call),
    change: (address, body, version, call) => write({ method: 'PATCH', path: eventPath(address), body, version }, call),
    async remove(address, version, call) {
      await write({ method: 'DELETE', path: eventPath(address), version }, call);
    },
    async answer(address, verb, body, call) {
      await write({ method: 'POST', path: `${eventPath(address)}/${verb}`, body }, call);
    },
  };
}
