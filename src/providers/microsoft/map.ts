/** Graph's calendars and events in calmcp's words. Pure. */
import type { Calendar as GraphCalendar, Event as GraphEvent } from '@microsoft/microsoft-graph-types';
import { addDays } from '../../core/civil-days.ts';
import { CalmcpError } from '../../core/errors.ts';
import type {
  Attendee,
  Busy,
  Calendar,
  CalendarEvent,
  EventTime,
  Person,
  Response,
  Sensitivity,
} from '../../core/event.ts';
import { recurrenceKeyOf } from '../../core/identity.ts';
import { joinAddressIn, plainText } from '../../core/plain-text.ts';
import { parseZone, wallTimeToEpochMs } from '../../core/time.ts';

export type { GraphCalendar, GraphEvent };

/** What is asked for of a calendar. */
export const CALENDAR_FIELDS = [
  'id',
  'name',
  'isDefaultCalendar',
  'canEdit',
  'canViewPrivateItems',
  'hexColor',
  'owner',
] as const;

/**
 * What is asked for of an event. `lastModifiedDateTime` cannot be selected on a calendar view:
 * https://learn.microsoft.com/graph/api/calendar-list-calendarview#optional-query-parameters
 */
export const EVENT_FIELDS = [
  'id',
  'iCalUId',
  'subject',
  'start',
  'end',
  'isAllDay',
  'showAs',
  'sensitivity',
  'isCancelled',
  'isOrganizer',
  'responseStatus',
  'organizer',
  'location',
  'onlineMeeting',
  'onlineMeetingUrl',
  'type',
  'seriesMasterId',
  'originalStart',
  'originalStartTimeZone',
  'originalEndTimeZone',
  'categories',
  'webLink',
  'changeKey',
] as const;

/** With people and texts, which make an answer many times as large. */
export const FULL_EVENT_FIELDS = [...EVENT_FIELDS, 'attendees', 'hideAttendees', 'body'] as const;

/** With all that can be set. */
export const STORED_EVENT_FIELDS = [
  ...FULL_EVENT_FIELDS,
  'recurrence',
  'isReminderOn',
  'reminderMinutesBeforeStart',
  'isOnlineMeeting',
  'responseRequested',
] as const;

function malformed(account: string, what: string): CalmcpError {
  return new CalmcpError('BAD_RESPONSE', `Microsoft sent ${what}`, { account });
}

export const sameAddress = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** @param mine address of the person whose mailbox it is, where that is known: a calendar of their own has no owner */
export function mapCalendar(row: GraphCalendar, account: string, mine?: string): Calendar {
  if (typeof row?.id !== 'string') throw malformed(account, 'a calendar without an id');
  const owner = row.owner?.address;
  const isMine = row.isDefaultCalendar === true || (owner && mine ? sameAddress(owner, mine) : false);
  return {
    id: row.id,
    name: row.name ?? '(no name)',
    isDefault: row.isDefaultCalendar === true,
    access: row.canEdit === false ? 'read' : 'write',
    ...(row.hexColor ? { color: row.hexColor } : {}),
    ...(owner && !(mine && isMine) ? { owner } : {}),
    ...(row.canViewPrivateItems === false && !isMine ? { hidesPrivate: true as const } : {}),
  };
}

const BUSY: ReadonlySet<string> = new Set<Busy>(['free', 'workingElsewhere', 'tentative', 'busy', 'oof']);
const SENSITIVITY: ReadonlySet<string> = new Set<Sensitivity>(['normal', 'personal', 'private', 'confidential']);
const RESPONSES: Readonly<Record<string, Response>> = {
  organizer: 'organizer',
  accepted: 'accepted',
  tentativelyAccepted: 'tentative',
  declined: 'declined',
  notResponded: 'notResponded',
  none: 'none',
};

export interface Place {
  readonly account: string;
  readonly calendar: Calendar;
}

/** `2026-10-12T09:00:00.0000000` in the zone that comes beside it: UTC, since that was asked for, but read all the same. */
function toEpochMs(time: GraphEvent['start'], account: string): number {
  const { dateTime, timeZone } = time ?? {};
  if (typeof dateTime !== 'string') throw malformed(account, 'an event without a time');
  const local = dateTime.slice(0, 23).replace(/Z$/, '');
  const zone = parseZone(timeZone ?? 'UTC');
  if (zone === null) throw malformed(account, 'a time in a zone that is none');
  const epochMs = Date.parse(`${local}Z`);
  if (Number.isNaN(epochMs)) throw malformed(account, 'a time that is none');
  return zone === 'UTC' ? epochMs : wallTimeToEpochMs(local, zone);
}

function mapTimes(row: GraphEvent, account: string): { start: EventTime; end: EventTime; warnings: string[] } {
  if (row.isAllDay === true) {
    // Midnight to midnight whatever the zone: the dates are what was meant (T11).
    const start = row.start?.dateTime?.slice(0, 10);
    const end = row.end?.dateTime?.slice(0, 10);
    if (start === undefined || end === undefined) throw malformed(account, 'an event without a time');
    return {
      start: { kind: 'date', date: start },
      end: { kind: 'date', date: end > start ? end : addDays(start, 1) },
      warnings: [],
    };
  }
  const zone = row.originalStartTimeZone ? parseZone(row.originalStartTimeZone) : null;
  const endZone = row.originalEndTimeZone ? parseZone(row.originalEndTimeZone) : zone;
  const start = toEpochMs(row.start, account);
  const end = toEpochMs(row.end, account);
  return {
    start: { kind: 'timed', epochMs: start, zone },
    end: { kind: 'timed', epochMs: Math.max(start, end), zone: endZone },
    warnings: end < start ? ['ends before it starts; shown without duration'] : [],
  };
}

function recurrenceKey(row: GraphEvent): string | null {
  if (row.type === 'singleInstance' || !row.originalStart) return null;
  if (row.isAllDay === true) return row.originalStart.slice(0, 10);
  const epochMs = Date.parse(row.originalStart);
  return Number.isNaN(epochMs) ? null : recurrenceKeyOf(epochMs);
}

/** An Exchange address (`/O=EXCHANGELABS/…`) stands where somebody has no mail address: it is none. */
function mapPerson(emailAddress: NonNullable<GraphEvent['organizer']>['emailAddress']): Person {
  const name = emailAddress?.name?.trim();
  const address = emailAddress?.address?.trim();
  const email = address?.includes('@') ? address : undefined;
  return { ...(name && !(email && sameAddress(name, email)) ? { name } : {}), ...(email ? { email } : {}) };
}

function mapAttendee({ emailAddress, type, status }: NonNullable<GraphEvent['attendees']>[number]): Attendee {
  return {
    ...mapPerson(emailAddress),
    response: RESPONSES[status?.response ?? 'none'] ?? 'none',
    ...(type === 'optional' ? { optional: true } : {}),
    ...(type === 'resource' ? { resource: true } : {}),
  };
}

/**
 * Who is invited, where that was asked for. With `hideAttendees`, "each attendee only sees themselves": the list is not
 * the list then (C06). https://learn.microsoft.com/graph/api/resources/event#properties
 */
function mapAttendees({ attendees, hideAttendees, isOrganizer }: GraphEvent): Partial<CalendarEvent> {
  return {
    ...(attendees && attendees.length > 0 ? { attendees: attendees.map(mapAttendee) } : {}),
    ...(hideAttendees === true && isOrganizer !== true ? { attendeesOmitted: true } : {}),
  };
}

/** Plain text was asked for; HTML that comes all the same is made plain. */
export function mapText({ body }: GraphEvent): string | undefined {
  const content = body?.content ?? '';
  const text = body?.contentType === 'html' ? plainText(content) : content.replaceAll('\r\n', '\n').trim();
  return text === '' ? undefined : text;
}

/**
 * Whether no more than busy time may be told of it (W13). Graph was seen to list private events that it refuses to give
 * one by one, so it is for us to hide them; what is not said to be harmless counts as private.
 * https://github.com/microsoftgraph/microsoft-graph-docs/issues/14494
 */
export function isHidden({ sensitivity }: GraphEvent, { hidesPrivate }: Calendar): boolean {
  return hidesPrivate === true && sensitivity !== 'normal' && sensitivity !== 'personal';
}

/** What is said of an event of which only its time may be known. */
const OPAQUE = {
  uid: null,
  recurrenceKey: null,
  kind: 'single',
  title: 'Busy',
  myResponse: 'none',
  type: 'default',
} as const;

/** @throws CalmcpError BAD_RESPONSE for a row that cannot be placed in time: one that is left out would read as free */
export function mapEvent(row: GraphEvent, { account, calendar }: Place): CalendarEvent {
  if (typeof row?.id !== 'string') throw malformed(account, 'an event without an id');
  // A calendar view holds what a series comes down to, and never the series: its own time is that of its first
  // occurrence, years ago perhaps (R17). Left out in silence, occurrences that nobody expanded would read as free time.
  // https://learn.microsoft.com/graph/api/calendar-list-calendarview
  if (row.type === 'seriesMaster') throw malformed(account, 'a series in place of its occurrences');
  const { start, end, warnings } = mapTimes(row, account);
  const base = {
    account,
    calendar,
    id: row.id,
    start,
    end,
    busy: BUSY.has(row.showAs ?? '') ? (row.showAs as Busy) : 'unknown',
    status: row.isCancelled === true ? 'cancelled' : 'confirmed',
    sensitivity: SENSITIVITY.has(row.sensitivity ?? '') ? (row.sensitivity as Sensitivity) : 'normal',
    updated: null,
    readOnly: calendar.access !== 'write',
    ...(warnings.length === 0 ? {} : { warnings }),
  } as const;
  if (isHidden(row, calendar)) return { ...base, ...OPAQUE };
  const location = row.location?.displayName?.trim();
  const text = mapText(row);
  const join =
    row.onlineMeeting?.joinUrl || row.onlineMeetingUrl || joinAddressIn(location ?? '') || joinAddressIn(text ?? '');
  const response =
    row.isOrganizer === true ? 'organizer' : (RESPONSES[row.responseStatus?.response ?? 'none'] ?? 'none');
  return {
    ...base,
    uid: row.iCalUId ?? null,
    recurrenceKey: recurrenceKey(row),
    kind: row.type === 'occurrence' ? 'occurrence' : row.type === 'exception' ? 'exception' : 'single',
    ...(row.seriesMasterId ? { seriesId: row.seriesMasterId } : {}),
    title: row.subject ? row.subject : null,
    ...(text === undefined ? {} : { text }),
    ...(location ? { location } : {}),
    ...(join ? { join } : {}),
    myResponse: response,
    type: 'default',
    ...(row.organizer?.emailAddress ? { organizer: mapPerson(row.organizer.emailAddress) } : {}),
    ...mapAttendees(row),
    ...(row.categories && row.categories.length > 0 ? { categories: row.categories } : {}),
    ...(row.webLink ? { webLink: row.webLink } : {}),
    // And not `@odata.etag`, which a child server leaves out; the one is the other in quotes.
    ...(row.changeKey ? { etag: row.changeKey } : {}),
  };
}
