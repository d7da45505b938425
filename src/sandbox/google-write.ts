/** What the methods that change events have in common: who may, what is there, which version, and the answer. */
import { randomBytes } from 'node:crypto';
import { insufficientScopes } from './google-auth.ts';
import { parseBody } from './google-body.ts';
import { roleOn } from './google-build.ts';
import type { GoogleContext } from './google-context.ts';
import type { GoogleAccessRole, GoogleCalendar, GoogleEvent } from './google-data.ts';
import { refuseUnknown } from './google-event-body.ts';
import { findCalendar } from './google-events.ts';
import { type Occurrence, occurrenceOf } from './google-expand.ts';
import { eventShape, selectFields } from './google-fields.ts';
import type { GoogleAccessToken } from './google-grants.ts';
import { readSendUpdates, type SendUpdates } from './google-mail.ts';
import { type Parameters, readParameters } from './google-query.ts';
import { googleRefusal } from './google-refusal.ts';
import { etagOfEvent, renderEvent } from './google-render.ts';
import { coversWriting, type GoogleMethod } from './google-scopes.ts';
import { findEvent } from './google-stored.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** One request to change something on one calendar. */
export interface Writing {
  readonly calendar: GoogleCalendar;
  readonly token: GoogleAccessToken;
  readonly context: GoogleContext;
  readonly incoming: Incoming;
  readonly parameters: Parameters;
  readonly sendUpdates: SendUpdates;
}

const shared = ['sendNotifications', 'sendUpdates'];
const ofResources = ['alwaysIncludeEmail', 'conferenceDataVersion', 'maxAttendees', 'supportsAttachments'];

export function openWriting(
  incoming: Incoming,
  calendarId: string,
  token: GoogleAccessToken,
  method: GoogleMethod,
  context: GoogleContext,
): Writing {
  const takesResource = !method.endsWith('.Delete');
  const parameters = readParameters(incoming.query, [...shared, ...(takesResource ? ofResources : [])]);
  const calendar = findCalendar(calendarId, token, context);
  const role = roleOn(calendar, token.user.username);
  if (!coversWriting(token.scopes, { owned: role === 'owner' })) throw insufficientScopes(method);
  if (role !== 'owner' && role !== 'writer') {
    throw googleRefusal(403, 'You need to have writer access to this calendar.', {
      domain: 'calendar',
      reason: 'requiredAccessLevel',
    });
  }
  return { calendar, token, context, incoming, parameters, sendUpdates: readSendUpdates(parameters) };
}

/** @throws the 400 for a body that is no event */
export function bodyOf({ incoming }: Writing) {
  const body = parseBody(incoming.body);
  refuseUnknown(body);
  return body;
}

/**
 * The event, in the version that the request is about.
 * @throws the 404 for one that is not there, the 412 for another version than If-Match names
 */
export function targetOf({ calendar, incoming }: Writing, eventId: string): Occurrence {
  const found = findEvent(calendar, eventId);
  const wanted = incoming.headers['if-match'];
  if (wanted !== undefined && wanted !== '*' && wanted !== etagOfEvent(found)) {
    throw googleRefusal(412, 'Precondition Failed', {
      reason: 'conditionNotMet',
      locationType: 'header',
      location: 'If-Match',
    });
  }
  return found;
}

/** When this change happens: later than all that happened to the event, however fast the clock. */
export function momentOfChange({ context }: Writing, before?: GoogleEvent): string {
  const last = before === undefined ? 0 : Date.parse(before.properties.updated) + 1;
  return new Date(Math.max(context.now(), last)).toISOString();
}

/** A UUID-like id as the service makes them: 26 characters of base32hex. */
export function newEventId(): string {
  return [...randomBytes(26)].map((byte) => '0123456789abcdefghijklmnopqrstuv'[byte % 32]).join('');
}

export function forbidden() {
  return googleRefusal(403, 'Forbidden', { reason: 'forbidden' });
}

/** The event as whoever asks sees it now. */
export function answerWith(event: GoogleEvent, { calendar, token, parameters, incoming }: Writing): Answer {
  return answerEvent(occurrenceOf(event), {
    calendar,
    role: roleOn(calendar, token.user.username) ?? 'reader',
    timeZone: calendar.timeZone,
    maxAttendees: parameters.integer('maxAttendees', { minimum: 1, maximum: 1_000_000 }),
    fields: incoming.query.get('fields'),
  });
}

export function answerEvent(
  occurrence: Occurrence,
  view: {
    readonly calendar: GoogleCalendar;
    readonly role: GoogleAccessRole;
    readonly timeZone: string;
    readonly maxAttendees: number | undefined;
    readonly fields: string | null;
  },
): Answer {
  // A deleted event is told in full, but for a cancelled instance, which is no more than a stub.
  const item = renderEvent(occurrence, { ...view, singleEvents: true });
  return json(selectFields(item, view.fields, eventShape), { etag: String(item.etag) });
}
