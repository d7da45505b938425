/** Graph's calendars and events in calmcp's words. Pure. */
import type { Calendar as GraphCalendar, Event as GraphEvent } from '@microsoft/microsoft-graph-types';
import { CalmcpError } from '../../core/errors.ts';
import type { Busy, Calendar, CalendarEvent, EventTime, Response, Sensitivity } from '../../core/event.ts';
import { recurrenceKeyOf } from '../../core/identity.ts';
import { meetingAddressIn } from '../../core/text.ts';
import { addDays, parseZone, wallTimeToEpochMs } from '../../core/time.ts';

export type { GraphCalendar, GraphEvent };

/** What is asked for of a calendar. */
export const CALENDAR_FIELDS = ['id', 'name', 'isDefaultCalendar', 'canEdit', 'hexColor', 'owner'] as const;

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
  'categories',
  'webLink',
] as const;

/** With people and texts, which make an answer many times as large. */
export const FULL_EVENT_FIELDS = [...EVENT_FIELDS, 'attendees', 'hideAttendees', 'body'] as const;

function malformed(account: string, what: string): CalmcpError {
  return new CalmcpError('BAD_RESPONSE', `Microsoft sent ${what}`, { account });
}

export function mapCalendar(row: GraphCalendar, account: string): Calendar {
  if (typeof row?.id !== 'string') throw malformed(account, 'a calendar without an id');
  const owner = row.owner?.address;
  return {
    id: row.id,
    name: row.name ?? '(no name)',
    isDefault: row.isDefaultCalendar === true,
    access: row.canEdit === false ? 'read' : 'write',
    ...(row.hexColor ? { color: row.hexColor } : {}),
    ...(owner ? { owner } : {}),
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

interface Place {
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
  const start = toEpochMs(row.start, account);
  const end = toEpochMs(row.end, account);
  return {
    start: { kind: 'timed', epochMs: start, zone },
    end: { kind: 'timed', epochMs: Math.max(start, end), zone },
    warnings: end < start ? ['ends before it starts; shown without duration'] : [],
  };
}

function recurrenceKey(row: GraphEvent): string | null {
  if (row.type === 'singleInstance' || !row.originalStart) return null;
  if (row.isAllDay === true) return row.originalStart.slice(0, 10);
  const epochMs = Date.parse(row.originalStart);
  return Number.isNaN(epochMs) ? null : recurrenceKeyOf(epochMs);
}

/** @throws CalmcpError BAD_RESPONSE for a row that cannot be placed in time: one that is left out would read as free */
export function mapEvent(row: GraphEvent, { account, calendar }: Place): CalendarEvent {
  if (typeof row?.id !== 'string') throw malformed(account, 'an event without an id');
  const { start, end, warnings } = mapTimes(row, account);
  const location = row.location?.displayName?.trim();
  const join = row.onlineMeeting?.joinUrl ?? row.onlineMeetingUrl ?? meetingAddressIn(location ?? '');
  const organizer = row.organizer?.emailAddress;
  const response =
    row.isOrganizer === true ? 'organizer' : (RESPONSES[row.responseStatus?.response ?? 'none'] ?? 'none');
  return {
    account,
    calendar,
    id: row.id,
    uid: row.iCalUId ?? null,
    recurrenceKey: recurrenceKey(row),
    kind: row.type === 'occurrence' ? 'occurrence' : row.type === 'exception' ? 'exception' : 'single',
    ...(row.seriesMasterId ? { seriesId: row.seriesMasterId } : {}),
    start,
    end,
    title: row.subject ? row.subject : null,
    ...(location ? { location } : {}),
    ...(join ? { join } : {}),
    busy: BUSY.has(row.showAs ?? '') ? (row.showAs as Busy) : 'unknown',
    status: row.isCancelled === true ? 'cancelled' : 'confirmed',
    sensitivity: SENSITIVITY.has(row.sensitivity ?? '') ? (row.sensitivity as Sensitivity) : 'normal',
    myResponse: response,
    type: 'default',
    ...(organizer
      ? {
          organizer: {
            ...(organizer.name ? { name: organizer.name } : {}),
            ...(organizer.address ? { email: organizer.address } : {}),
          },
        }
      : {}),
    ...(row.categories && row.categories.length > 0 ? { categories: row.categories } : {}),
    ...(row.webLink ? { webLink: row.webLink } : {}),
    updated: null,
    readOnly: calendar.access !== 'write',
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}
