import { fieldsOf, type JsonObject } from './google-body.ts';
import type { GoogleCalendar, GoogleEventType, GoogleUser } from './google-data.ts';
import type { WantedEvent } from './google-event-body.ts';
import { badParameter, googleRefusal } from './google-refusal.ts';

const malformed: Partial<Record<GoogleEventType, string>> = {
  focusTime: 'malformedFocusTimeEvent',
  outOfOffice: 'malformedOutOfOfficeEvent',
  workingLocation: 'malformedWorkingLocationEvent',
};

const declineModes = ['declineNone', 'declineAllConflictingInvitations', 'declineOnlyNewConflictingInvitations'];

/** What may be set of an event that Google makes itself. https://developers.google.com/workspace/calendar/api/guides/event-types */
const ofGooglesOwn: Partial<Record<GoogleEventType, readonly string[]>> = {
  birthday: ['colorId', 'summary', 'reminders', 'start', 'end'],
  fromGmail: [
    'colorId',
    'reminders',
    'visibility',
    'transparency',
    'status',
    'attendees',
    'attendeesOmitted',
    'extendedProperties',
  ],
};

/**
 * What the type of an event asks of it. https://developers.google.com/workspace/calendar/api/guides/calendar-status
 * Reasons and the sentences on working locations and birthdays were seen in reports (kellylford/QuickMail#294 and
 * others); that of the description too, that out of office takes none.
 */
export function checkType(wanted: WantedEvent, calendar: GoogleCalendar, users: readonly GoogleUser[]): void {
  const { properties } = wanted;
  const { eventType } = properties;
  for (const name of ['focusTime', 'outOfOffice', 'workingLocation'] as const) {
    if (properties[`${name}Properties`] !== undefined && eventType !== name) {
      throw refuse(malformed[name] ?? '', `${name}Properties requires an event type of ${name}`);
    }
  }
  const reason = malformed[eventType];
  if (reason === undefined) return;
  const no = (message: string) => refuse(reason, message);
  if (!users.some(({ username }) => username === calendar.id)) {
    throw no(`A ${eventType} event must be on a primary calendar.`);
  }
  if (properties.attendees !== undefined) throw no(`A ${eventType} event cannot have attendees.`);
  if (eventType === 'workingLocation') checkWorkingLocation(wanted, no);
  else checkAbsence(wanted, no);
}

type Refuse = (message: string) => Error;

function checkAbsence({ start, properties }: WantedEvent, no: Refuse): void {
  const { eventType, description } = properties;
  if ('date' in start) throw no(`A ${eventType} event cannot be an all-day event.`);
  if (eventType === 'outOfOffice' && description !== undefined) {
    throw no('An out of office event cannot have a description.');
  }
  const body = (eventType === 'outOfOffice' ? properties.outOfOfficeProperties : properties.focusTimeProperties) ?? {};
  const fields = fieldsOf(body as JsonObject, `${eventType}Properties.`);
  fields.choice('autoDeclineMode', declineModes);
  fields.text('declineMessage');
  fields.choice('chatStatus', ['available', 'doNotDisturb']);
}

function checkWorkingLocation({ start, end, properties }: WantedEvent, no: Refuse): void {
  const { workingLocationProperties, transparency, visibility, location } = properties;
  const fields = fieldsOf((workingLocationProperties ?? {}) as JsonObject, 'workingLocationProperties.');
  const type = fields.choice('type', ['homeOffice', 'officeLocation', 'customLocation']);
  if (type === undefined) throw no('A working location event must have a type of working location.');
  if (transparency !== 'transparent') throw no('A working location event must be transparent.');
  if (visibility !== 'public') throw no('A working location event must be public.');
  if (location !== undefined) throw no('A working location event cannot have a location.');
  if ('date' in start && 'date' in end && Date.parse(end.date) - Date.parse(start.date) !== 86_400_000) {
    throw no('An all-day working location event must be exactly one day long.');
  }
}

/** @throws the 400 for an event that only Google makes */
export function checkNewType(eventType: GoogleEventType): void {
  if (ofGooglesOwn[eventType] === undefined) return;
  throw refuse('eventTypeRestriction', `The event type '${eventType}' cannot be created (in the sandbox).`);
}

/** @throws the 400 for a change that the type of the event does not allow, or of the type */
export function checkTypeOfChange(before: GoogleEventType, body: JsonObject): void {
  if (body.eventType !== undefined && body.eventType !== null && body.eventType !== before) {
    throw badParameter('eventType', 'The type of an event cannot be changed.', 'invalid');
  }
  const open = ofGooglesOwn[before];
  const other = Object.keys(body).find((name) => name !== 'eventType' && open?.includes(name) === false);
  if (other !== undefined) throw restricted(before);
}

/** @throws the 400 for a birthday */
export function checkTypeOfDeletion(eventType: GoogleEventType): void {
  if (eventType === 'birthday') throw restricted(eventType);
}

function restricted(eventType: GoogleEventType) {
  const message = `Attempt made to modify '${eventType}' event in a way that is not valid for this event type.`;
  return refuse('eventTypeRestriction', message);
}

function refuse(reason: string, message: string) {
  return googleRefusal(400, message, { domain: 'calendar', reason });
}
