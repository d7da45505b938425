/** Graph's event as it can be written again. Pure. */
import type { EventFields, Invitee, SetBusy, StoredEvent } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { CalendarEvent } from '../../core/event.ts';
import { formatRecurrence } from '../../core/recurrence.ts';
import { withoutJoinDetails } from './join-details.ts';
import { type GraphEvent, isHidden, mapEvent, mapText, type Place, sameAddress } from './map.ts';
import { fromPattern } from './recurrence.ts';

/** As Graph sent it, and as it reads here. */
export interface HeldEvent {
  readonly row: GraphEvent;
  readonly stored: StoredEvent;
}

/** Whoever is invited, the organizer aside, who stands in the list of some events. */
function invitees({ attendees = [], organizer }: CalendarEvent): Invitee[] {
  return attendees.flatMap(({ email, name, optional, resource }) =>
    email === undefined || sameAddress(email, organizer?.email ?? '')
      ? []
      : [
          {
            email,
            ...(name === undefined ? {} : { name }),
            ...(optional ? { optional } : {}),
            ...(resource ? { resource } : {}),
          },
        ],
  );
}

function fieldsOf(row: GraphEvent, event: CalendarEvent): EventFields {
  const isOnline = row.isOnlineMeeting === true;
  const text = isOnline ? withoutJoinDetails(mapText(row) ?? '') : mapText(row);
  const attendees = invitees(event);
  const minutes = row.reminderMinutesBeforeStart;
  return {
    ...(event.title === null ? {} : { title: event.title }),
    start: event.start,
    end: event.end,
    ...(text ? { text } : {}),
    ...(event.location === undefined ? {} : { location: event.location }),
    ...(event.busy === 'unknown' ? {} : { busy: event.busy satisfies SetBusy }),
    sensitivity: event.sensitivity,
    ...(attendees.length === 0 ? {} : { attendees }),
    online: isOnline,
    reminders: row.isReminderOn === true && typeof minutes === 'number' ? [minutes] : [],
    ...(event.categories === undefined ? {} : { categories: event.categories }),
    ...(row.type === 'seriesMaster' && row.recurrence
      ? { recurrence: formatRecurrence(fromPattern(row.recurrence, event.start)) }
      : {}),
  };
}

/** @throws CalmcpError BAD_RESPONSE for what is no event, FORBIDDEN for one whose content is not this account's to see */
export function holdEvent(row: GraphEvent, place: Place): HeldEvent {
  const { account, calendar } = place;
  if (isHidden(row, calendar))
    throw new CalmcpError('FORBIDDEN', 'this event is private, and whoever owns the calendar does not share those', {
      account,
      hint: 'ask them to change it',
    });
  const isSeries = row?.type === 'seriesMaster';
  // The times of a series are those of its first occurrence.
  const event = mapEvent(isSeries ? { ...row, type: 'singleInstance', seriesMasterId: null } : row, place);
  if (event.etag === undefined)
    throw new CalmcpError('BAD_RESPONSE', 'Microsoft sent an event without its version', { account });
  return {
    row,
    stored: { event, fields: fieldsOf(row, event), etag: event.etag, isSeries, isMine: row.isOrganizer === true },
  };
}
