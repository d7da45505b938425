/** Google's calendars and events in calmcp's words. Pure. */

import { addDays } from '../../core/civil-days.ts';
import { CalmcpError } from '../../core/errors.ts';
import type {
  Attendee,
  Busy,
  Calendar,
  CalendarEvent,
  EventTime,
  EventType,
  Person,
  Response,
  Sensitivity,
} from '../../core/event.ts';
import { recurrenceKeyOf } from '../../core/identity.ts';
import { joinAddressIn, plainText } from '../../core/plain-text.ts';
import { parseZone } from '../../core/time.ts';
import type { calendar_v3 } from './client.ts';

export type GoogleCalendar = calendar_v3.Schema$CalendarListEntry;
export type GoogleEvent = calendar_v3.Schema$Event;

export const CALENDAR_FIELDS =
  'kind,nextPageToken,items(id,summary,summaryOverride,accessRole,primary,selected,hidden,deleted,backgroundColor)';

export const EVENT_FIELDS =
  'kind,nextPageToken,nextSyncToken,items(id,status,summary,location,start,end,endTimeUnspecified,recurringEventId,originalStartTime,transparency,visibility,iCalUID,sequence,updated,etag,attendees(self,responseStatus),organizer(self,email,displayName),hangoutLink,conferenceData(entryPoints(entryPointType,uri)),eventType,htmlLink,extendedProperties(private))';

/** With people and texts, which make an answer many times as large. */
export const FULL_EVENT_FIELDS = EVENT_FIELDS.replace(
  'attendees(self,responseStatus)',
  'attendees(self,email,displayName,responseStatus,optional,resource),attendeesOmitted,guestsCanSeeOtherGuests,description',
);

/** Private property of a block that calmcp put there to stand for a meeting of another account (D09). */
const MIRROR = 'calmcpMirror';

/** Asked for by name: what a listing holds by default differs from one version of the API to the next. */
export const EVENT_TYPES = ['default', 'outOfOffice', 'focusTime', 'workingLocation', 'birthday', 'fromGmail'];

function malformed(account: string, what: string): CalmcpError {
  return new CalmcpError('BAD_RESPONSE', `Google sent ${what}`, { account });
}

export function mapCalendar(row: GoogleCalendar, account: string): Calendar {
  if (typeof row?.id !== 'string') throw malformed(account, 'a calendar without an id');
  const { accessRole } = row;
  return {
    id: row.id,
    name: row.summaryOverride || row.summary || '(no name)',
    isDefault: row.primary === true,
    access:
      accessRole === 'owner' || accessRole === 'writer' ? 'write' : accessRole === 'reader' ? 'read' : 'free-busy',
    // Not shown in the person's own calendar, so not counted unless it is asked for by name (W11).
    ...(row.hidden === true || (row.selected !== true && row.primary !== true) ? { hidden: true as const } : {}),
    ...(row.backgroundColor ? { color: row.backgroundColor } : {}),
  };
}

interface Place {
  readonly account: string;
  readonly calendar: Calendar;
}

function mapTime(time: calendar_v3.Schema$EventDateTime | undefined, account: string): EventTime {
  if (time?.date) return { kind: 'date', date: time.date };
  const epochMs = Date.parse(time?.dateTime ?? '');
  if (Number.isNaN(epochMs)) throw malformed(account, 'an event without a time');
  return { kind: 'timed', epochMs, zone: time?.timeZone ? parseZone(time.timeZone) : null };
}

function mapTimes(row: GoogleEvent, account: string): { start: EventTime; end: EventTime; warnings: string[] } {
  // Of an instance that was called off, Google promises no more than where it would have been (R03):
  // https://developers.google.com/workspace/calendar/api/v3/reference/events#status
  const start = mapTime(row.start ?? (row.status === 'cancelled' ? row.originalStartTime : undefined), account);
  const end = row.end === undefined || row.endTimeUnspecified === true ? start : mapTime(row.end, account);
  if (start.kind === 'date') {
    const last = end.kind === 'date' && end.date > start.date ? end.date : addDays(start.date, 1);
    return { start, end: { kind: 'date', date: last }, warnings: [] };
  }
  if (end.kind === 'date') throw malformed(account, 'an event that mixes a date and a time');
  const swapped = end.epochMs < start.epochMs;
  return {
    start,
    end: swapped ? start : end,
    warnings: swapped ? ['ends before it starts; shown without duration'] : [],
  };
}

const TYPES: ReadonlySet<string> = new Set(EVENT_TYPES);

function typeOf(row: GoogleEvent, { id }: Calendar): EventType {
  if (id.includes('#holiday@group.v.calendar.google.com')) return 'holiday';
  if (id.includes('#contacts@group.v.calendar.google.com')) return 'birthday';
  return TYPES.has(row.eventType ?? '') ? (row.eventType as EventType) : 'default';
}

const RESPONSES: Readonly<Record<string, Response>> = {
  needsAction: 'notResponded',
  declined: 'declined',
  tentative: 'tentative',
  accepted: 'accepted',
};

function responseOf({ organizer, attendees = [] }: GoogleEvent): Response {
  const own = attendees.find(({ self }) => self === true);
  // An organizer who declined their own meeting has declined.
  if (own?.responseStatus === 'declined') return 'declined';
  if (organizer?.self === true) return 'organizer';
  return RESPONSES[own?.responseStatus ?? ''] ?? 'none';
}

function recurrenceKey({ recurringEventId, originalStartTime }: GoogleEvent): string | null {
  if (!recurringEventId) return null;
  if (originalStartTime?.date) return originalStartTime.date;
  const epochMs = Date.parse(originalStartTime?.dateTime ?? '');
  return Number.isNaN(epochMs) ? null : recurrenceKeyOf(epochMs);
}

function mapPerson({ email, displayName }: { email?: string | null; displayName?: string | null }): Person {
  const name = displayName?.trim();
  return {
    ...(name && name.toLowerCase() !== email?.toLowerCase() ? { name } : {}),
    ...(email ? { email } : {}),
  };
}

function mapAttendee(row: calendar_v3.Schema$EventAttendee): Attendee {
  return {
    ...mapPerson(row),
    response: RESPONSES[row.responseStatus ?? ''] ?? 'none',
    ...(row.optional === true ? { optional: true } : {}),
    ...(row.resource === true ? { resource: true } : {}),
  };
}

/**
 * Who is invited, where that was asked for: without {@link FULL_EVENT_FIELDS} nobody in the list has a name or an
 * address. Where guests may not see each other, Google gives the asker alone and says no more about it (C06).
 */
function mapAttendees(row: GoogleEvent): Partial<CalendarEvent> {
  const { attendees = [], attendeesOmitted, guestsCanSeeOtherGuests, organizer } = row;
  const asked = attendees.some(({ email, displayName }) => email || displayName);
  const hidden = attendeesOmitted === true || (guestsCanSeeOtherGuests === false && organizer?.self !== true);
  return {
    ...(asked ? { attendees: attendees.map(mapAttendee) } : {}),
    ...(hidden ? { attendeesOmitted: true } : {}),
  };
}

const SENSITIVITIES: Readonly<Record<string, Sensitivity>> = { private: 'private', confidential: 'confidential' };

/** @throws CalmcpError BAD_RESPONSE for a row that cannot be placed in time: one that is left out would read as free */
export function mapEvent(row: GoogleEvent, { account, calendar }: Place): CalendarEvent {
  if (typeof row?.id !== 'string') throw malformed(account, 'an event without an id');
  const { start, end, warnings } = mapTimes(row, account);
  const key = recurrenceKey(row);
  const video = row.conferenceData?.entryPoints?.find(({ entryPointType }) => entryPointType === 'video')?.uri;
  const location = row.location?.trim();
  const text = plainText(row.description ?? '');
  const join = video || row.hangoutLink || joinAddressIn(location ?? '') || joinAddressIn(text);
  const type = typeOf(row, calendar);
  const own = key === null ? null : start.kind === 'date' ? start.date : recurrenceKeyOf(start.epochMs);
  const base = {
    account,
    calendar,
    id: row.id,
    start,
    end,
    status: row.status === 'cancelled' ? 'cancelled' : row.status === 'tentative' ? 'tentative' : 'confirmed',
    updated: Date.parse(row.updated ?? '') || null,
    // What Google took from a mail cannot be given another time or title (S16):
    // https://developers.google.com/workspace/calendar/api/guides/event-types
    readOnly: calendar.access !== 'write' || row.eventType === 'fromGmail',
    ...(warnings.length === 0 ? {} : { warnings }),
  } as const;
  // Whoever may see no more than busy times gets no more from us either, whatever the answer holds (W14).
  if (calendar.access === 'free-busy')
    return { ...base, ...OPAQUE, busy: row.transparency === 'transparent' ? 'free' : 'busy' };
  return {
    ...base,
    uid: row.iCalUID ?? `${row.recurringEventId ?? row.id}@google.com`,
    recurrenceKey: key,
    kind:
      row.recurringEventId === undefined || row.recurringEventId === null
        ? 'single'
        : key === own
          ? 'occurrence'
          : 'exception',
    ...(row.recurringEventId ? { seriesId: row.recurringEventId } : {}),
    title: row.summary ? row.summary : null,
    ...(text === '' ? {} : { text }),
    ...(location ? { location } : {}),
    ...(join ? { join } : {}),
    busy: row.transparency === 'transparent' ? 'free' : type === 'outOfOffice' ? 'oof' : 'busy',
    sensitivity: SENSITIVITIES[row.visibility ?? ''] ?? 'normal',
    myResponse: responseOf(row),
    type,
    ...(row.organizer ? { organizer: mapPerson(row.organizer) } : {}),
    ...mapAttendees(row),
    ...(row.htmlLink ? { webLink: row.htmlLink } : {}),
    ...(row.etag ? { etag: row.etag } : {}),
    ...(typeof row.sequence === 'number' ? { sequence: row.sequence } : {}),
    ...(row.extendedProperties?.private?.[MIRROR] === '1' ? { mirror: true as const } : {}),
  };
}

/** What is said of an event of which only its time is known. */
const OPAQUE = {
  uid: null,
  recurrenceKey: null,
  kind: 'single',
  title: 'Busy',
  sensitivity: 'normal',
  myResponse: 'none',
  type: 'default',
} as const;

/** A busy stretch of which nothing else is known. */
export function mapBlock(
  { start, end }: { start?: string | null; end?: string | null },
  { account, calendar }: Place,
): CalendarEvent {
  const [from, to] = [Date.parse(start ?? ''), Date.parse(end ?? '')];
  if (Number.isNaN(from) || Number.isNaN(to)) throw malformed(account, 'a busy time that is none');
  const at = (epochMs: number): EventTime => ({ kind: 'timed', epochMs, zone: null });
  const busy: Busy = 'busy';
  return {
    account,
    calendar,
    id: `busy ${from} ${to}`,
    start: at(from),
    end: at(to),
    ...OPAQUE,
    busy,
    status: 'confirmed',
    updated: null,
    readOnly: true,
  };
}
