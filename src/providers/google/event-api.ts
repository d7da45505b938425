/** How one event is asked for and changed, whatever way leads to it; and the direct way. */
import type { Call } from '../../core/provider.ts';
import type { GoogleClient } from './client.ts';
import type { GoogleEvent } from './map.ts';
import type { GoogleChange } from './to-google.ts';

export interface Answered {
  readonly responseStatus: 'accepted' | 'tentative' | 'declined';
  readonly comment?: string;
}

/**
 * Rows have an `etag`, and ids are those of a calendar and an event in it. What changes something is sent once, and fails with
 * CONFLICT where the row is another version by now.
 */
export interface EventApi {
  /** Refuses what this way cannot do to an event that is there. @throws CalmcpError READ_ONLY */
  checkChange?(notify: boolean): void;
  /** @throws CalmcpError NOT_FOUND; what was deleted may also be a row that says `cancelled` */
  event(calendar: string, id: string, call: Call): Promise<GoogleEvent>;
  /** May be sent again, as the row has an id. @throws CalmcpError CONFLICT where there is, or was, an event of this id */
  insert(calendar: string, row: GoogleEvent, notify: boolean, call: Call): Promise<GoogleEvent>;
  patch(calendar: string, row: GoogleEvent, change: GoogleChange, notify: boolean, call: Call): Promise<GoogleEvent>;
  remove(calendar: string, id: string, etag: string, notify: boolean, call: Call): Promise<void>;
  /** Answers for whoever owns the calendar, who is invited. */
  respond(calendar: string, row: GoogleEvent, answered: Answered, notify: boolean, call: Call): Promise<GoogleEvent>;
}

/** Said with every change: what Google does without it differs from one method to the next. */
export const sendUpdates = (notify: boolean): 'all' | 'none' => (notify ? 'all' : 'none');

/** Whether there are more people invited than the row says. */
const isCutShort = ({ attendeesOmitted, guestsCanSeeOtherGuests, organizer }: GoogleEvent): boolean =>
  attendeesOmitted === true || (guestsCanSeeOtherGuests === false && organizer?.self !== true);

/**
 * A list of attendees takes the place of the one before, so the others go along as they are; If-Match sees to it that they are.
 * Where not all are known, the answer alone is sent, which Google must be told.
 * @see https://developers.google.com/workspace/calendar/api/v3/reference/events#attendeesOmitted
 */
export function answerOf(row: GoogleEvent, answered: Answered): GoogleChange {
  const attendees = (row.attendees ?? []).map((one) => (one.self === true ? { ...one, ...answered } : one));
  if (!isCutShort(row)) return { attendees };
  return { attendeesOmitted: true, attendees: attendees.filter(({ self }) => self === true) };
}

export function openEventApi(client: GoogleClient): EventApi {
  const patch: EventApi['patch'] = (calendarId, { id, etag }, change, notify, call) =>
    client.request(
      call,
      (api, request) =>
        api.events.patch(
          {
            calendarId,
            eventId: id ?? '',
            sendUpdates: sendUpdates(notify),
            ...('conferenceData' in change ? { conferenceDataVersion: 1 } : {}),
            requestBody: change as GoogleEvent,
          },
          request,
        ),
      { purpose: 'change', ...(etag ? { etag } : {}) },
    );
  return {
    event: (calendarId, eventId, call) =>
      client.request(call, (api, request) => api.events.get({ calendarId, eventId }, request), { purpose: 'event' }),
    insert: (calendarId, row, notify, call) =>
      client.request(
        call,
        (api, request) =>
          api.events.insert(
            {
              calendarId,
              sendUpdates: sendUpdates(notify),
              ...(row.conferenceData === undefined ? {} : { conferenceDataVersion: 1 }),
              requestBody: row,
            },
            request,
          ),
        { purpose: 'change', safe: true },
      ),
    patch,
    async remove(calendarId, eventId, etag, notify, call) {
      await client.request(
        call,
        (api, request) => api.events.delete({ calendarId, eventId, sendUpdates: sendUpdates(notify) }, request),
        { purpose: 'change', etag },
      );
    },
    respond: (calendar, row, answered, notify, call) => patch(calendar, row, answerOf(row, answered), notify, call),
  };
}
