import { fieldsOf, given, invalid, type JsonObject } from './google-body.ts';
import { type Conference, readConference } from './google-conference.ts';
import type { GoogleContext } from './google-context.ts';
import { spread } from './google-copies.ts';
import type { GoogleEvent } from './google-data.ts';
import { readResource } from './google-event-body.ts';
import { checkNewType, checkType } from './google-event-types.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { mail } from './google-mail.ts';
import type { Parameters } from './google-query.ts';
import { googleRefusal } from './google-refusal.ts';
import { put } from './google-stored.ts';
import { answerWith, bodyOf, momentOfChange, newEventId, openWriting } from './google-write.ts';
import type { Answer, Incoming } from './http.ts';

/** https://developers.google.com/workspace/calendar/api/v3/reference/events/insert */
export function insertEvent(
  incoming: Incoming,
  calendarId: string,
  token: GoogleAccessToken,
  context: GoogleContext,
): Answer {
  const writing = openWriting(incoming, calendarId, token, 'calendar.v3.Events.Insert', context);
  const { calendar, parameters, sendUpdates } = writing;
  const body = bodyOf(writing);
  const fields = fieldsOf(body);
  const id = readId(fields.text('id')) ?? newEventId();
  const iCalUID = fields.text('iCalUID') ?? `${id}@google.com`;
  const wanted = readResource(body, calendar.timeZone, calendar.id);
  if (wanted.properties.status === 'cancelled') throw invalid('A new event cannot be cancelled.');
  checkNewType(wanted.properties.eventType);
  checkType(wanted, calendar, context.data.users);
  // Also by one that was deleted: googleapis/google-api-ruby-client#1811.
  if (calendar.events.some((event) => event.id === id || event.properties.iCalUID === iCalUID)) {
    throw googleRefusal(409, 'The requested identifier already exists.', { reason: 'duplicate' });
  }
  const { properties, ...times } = wanted;
  const { attachments, ...rest } = properties;
  const now = momentOfChange(writing);
  const { user } = token;
  const isOwn = user.username === calendar.id;
  const event: GoogleEvent = {
    id,
    ...times,
    properties: {
      ...rest,
      ...given({ attachments: parameters.flag('supportsAttachments') === true ? attachments : undefined }),
      ...conferenceOf(body, parameters),
      created: now,
      updated: now,
      creator: { email: user.username },
      organizer: isOwn ? { email: calendar.id } : { email: calendar.id, displayName: calendar.summary },
      iCalUID,
    },
  };
  put(calendar, event);
  spread(id, calendar, context.data);
  mail('invitation', event, event.properties.attendees ?? [], { from: calendar.id, sendUpdates }, context);
  return answerWith(event, writing);
}

/** "Version 0 assumes no conference data support and ignores conference data in the event's body." */
export function conferenceVersion(parameters: Parameters): 0 | 1 {
  const version = parameters.integer('conferenceDataVersion', { minimum: 0, maximum: 1_000_000 }) ?? 0;
  if (version > 1) throw invalid('Invalid value for conferenceDataVersion: it is 0 or 1.');
  return version === 1 ? 1 : 0;
}

function conferenceOf(body: JsonObject, parameters: Parameters): Conference {
  const conference = fieldsOf(body).object('conferenceData');
  return conferenceVersion(parameters) === 0 || conference === undefined ? {} : readConference(conference, {});
}

/** "characters allowed in the ID are those used in base32hex encoding", 5 to 1024 of them. */
function readId(id: string | undefined): string | undefined {
  if (id !== undefined && !/^[0-9a-v]{5,1024}$/.test(id)) throw invalid('Invalid resource id value.');
  return id;
}
