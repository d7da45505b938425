import type { GoogleContext } from './google-context.ts';
import { cancelled, homeOf, passAnswer, spread } from './google-copies.ts';
import type { GoogleEvent } from './google-data.ts';
import { checkTypeOfDeletion } from './google-event-types.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { mail } from './google-mail.ts';
import { googleRefusal } from './google-refusal.ts';
import { isPerson, personIn } from './google-series.ts';
import { put, rootOf, storable } from './google-stored.ts';
import { momentOfChange, openWriting, targetOf, type Writing } from './google-write.ts';
import type { Answer, Incoming } from './http.ts';

/** https://developers.google.com/workspace/calendar/api/v3/reference/events/delete */
export function deleteEvent(
  incoming: Incoming,
  [calendarId, eventId]: readonly [string, string],
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  const writing = openWriting(incoming, calendarId, token, 'calendar.v3.Events.Delete', context);
  const event = storable(targetOf(writing, eventId));
  if (event.properties.status === 'cancelled') {
    throw googleRefusal(410, 'Resource has been deleted', { reason: 'deleted' });
  }
  checkTypeOfDeletion(event.properties.eventType);
  cancel(event, writing);
  return { status: 204, headers: {}, body: '' };
}

/**
 * The organizer cancels the meeting for everybody; anybody else takes it out of the own calendar, and declines.
 * @returns what is left of it
 */
export function cancel(event: GoogleEvent, writing: Writing): GoogleEvent {
  const { calendar, context, sendUpdates } = writing;
  const { organizer, attendees = [], sequence } = event.properties;
  const now = momentOfChange(writing, event);
  const options = { from: calendar.id, sendUpdates };
  // What was cancelled or different of a series is gone with it.
  calendar.events = calendar.events.filter(({ exception }) => exception?.masterId !== event.id);
  const gone = cancelled(event, now);
  if (isPerson(organizer, calendar.id)) {
    const left = { ...gone, properties: { ...gone.properties, sequence: sequence + 1 } };
    put(calendar, left);
    spread(rootOf(event), calendar, context.data);
    mail('cancellation', event, attendees, options, context);
    return left;
  }
  const me = personIn(attendees, calendar.id);
  if (me === undefined) {
    put(calendar, gone);
    return gone;
  }
  const answer = { ...me, responseStatus: 'declined' as const };
  const declined = attendees.map((each) => (each === me ? answer : each));
  const left = { ...gone, properties: { ...gone.properties, attendees: declined } };
  put(calendar, left);
  if (homeOf(left, context.data) !== undefined) passAnswer(left, answer, now, context.data);
  if (me.responseStatus !== 'declined') mail('response', event, [organizer], options, context);
  return left;
}
