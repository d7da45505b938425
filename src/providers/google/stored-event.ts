/** One event as Google holds it, in calmcp's words. Pure. */
import { type EventFields, type Invitee, MADE_TYPES, type StoredEvent } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent } from '../../core/event.ts';
import { recurrenceKeyOf } from '../../core/identity.ts';
import { colorOf } from './colors.ts';
import { workingLocationWords } from './event-words.ts';
import { type GoogleEvent, mapEvent } from './map.ts';
import { hasMeet } from './to-google.ts';

const ruleIn = (row: GoogleEvent): string | undefined =>
  row.recurrence?.find((line) => /^RRULE:/i.test(line))?.slice('RRULE:'.length);

/** Google leaves the organizer out of nothing but events of nobody else. */
const isMine = ({ organizer }: GoogleEvent): boolean => organizer?.self === true || organizer?.email === undefined;

const isSeries = ({ recurrence }: GoogleEvent): boolean => (recurrence ?? []).length > 0;

/** What Google says of a Meet link that it was asked for: it may take a while. */
function conferenceWarning({ conferenceData }: GoogleEvent): string | undefined {
  const status = conferenceData?.createRequest?.status?.statusCode;
  if (status === 'pending') return 'Google is still making the Meet link; read the event again in a moment';
  return status === 'failure' ? 'Google could not make a Meet link' : undefined;
}

function inviteesOf({ attendees = [], organizer }: GoogleEvent): Invitee[] {
  const host = organizer?.email?.toLowerCase();
  return attendees.flatMap(({ email, displayName, optional, organizer: isHost }) => {
    if (!email || isHost === true || email.toLowerCase() === host) return [];
    return [
      {
        email,
        ...(displayName ? { name: displayName } : {}),
        ...(optional === true ? { optional: true as const } : {}),
      },
    ];
  });
}

function fieldsOf(row: GoogleEvent, event: CalendarEvent): EventFields {
  const invitees = inviteesOf(row);
  const minutes = row.reminders?.overrides?.map((one) => one.minutes ?? 0) ?? [];
  const color = colorOf(row.colorId);
  const rule = ruleIn(row);
  const type = MADE_TYPES.find((made) => made === event.type && made !== 'default');
  const location = type === 'workingLocation' ? workingLocationWords(row.workingLocationProperties) : event.location;
  const isPrivate = event.sensitivity !== 'normal';
  return {
    ...(event.title === null ? {} : { title: event.title }),
    start: event.start,
    end: event.end,
    ...(event.text === undefined ? {} : { text: event.text }),
    ...(location === undefined ? {} : { location }),
    ...(row.transparency === 'transparent' ? { busy: 'free' as const } : {}),
    ...(type === 'outOfOffice' ? { busy: 'oof' as const } : {}),
    ...(isPrivate ? { sensitivity: event.sensitivity } : {}),
    ...(invitees.length === 0 ? {} : { attendees: invitees }),
    ...(hasMeet(row) ? { online: true } : {}),
    ...(row.reminders?.useDefault === false ? { reminders: [...new Set(minutes)].sort((a, b) => a - b) } : {}),
    ...(color === undefined ? {} : { color }),
    ...(rule === undefined ? {} : { recurrence: rule }),
    ...(type === undefined ? {} : { type }),
  };
}

/** @throws CalmcpError BAD_RESPONSE for what is no event */
export function storedEvent(row: GoogleEvent, account: string, calendar: Calendar): StoredEvent {
  const mapped = mapEvent(row, { account, calendar });
  if (!row.etag) throw new CalmcpError('BAD_RESPONSE', 'Google sent an event without a version', { account });
  const warning = conferenceWarning(row);
  const event: CalendarEvent = {
    ...mapped,
    etag: row.etag,
    ...(warning === undefined ? {} : { warnings: [...(mapped.warnings ?? []), warning] }),
    ...(isSeries(row) ? firstOccurrence(mapped) : {}),
  };
  return { event, fields: fieldsOf(row, event), etag: row.etag, isSeries: isSeries(row), isMine: isMine(row) };
}

/** A series has the times of its first occurrence. */
function firstOccurrence({ id, start }: CalendarEvent): Partial<CalendarEvent> {
  const recurrenceKey = start.kind === 'date' ? start.date : recurrenceKeyOf(start.epochMs);
  return { kind: 'occurrence', seriesId: id, recurrenceKey };
}
