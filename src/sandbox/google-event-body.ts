import { fieldsOf, given, invalid, isObject, type JsonObject } from './google-body.ts';
import type {
  GoogleAttendee,
  GoogleEvent,
  GoogleEventProperties,
  GoogleEventType,
  GoogleExtendedProperties,
  GoogleMoment,
  GoogleReminder,
} from './google-data.ts';
import { type EventTimes, readTimes } from './google-event-times.ts';
import { eventShape } from './google-fields.ts';
import { badParameter, googleRefusal } from './google-refusal.ts';
import { inZone } from './google-time.ts';

/** What a request can set, but for conference data, which has rules of its own. */
const settable = [
  'status',
  'summary',
  'description',
  'location',
  'colorId',
  'transparency',
  'visibility',
  'sequence',
  'attendees',
  'guestsCanInviteOthers',
  'guestsCanModify',
  'guestsCanSeeOtherGuests',
  'anyoneCanAddSelf',
  'reminders',
  'extendedProperties',
  'source',
  'attachments',
  'eventType',
  'workingLocationProperties',
  'outOfOfficeProperties',
  'focusTimeProperties',
] as const satisfies readonly (keyof GoogleEventProperties)[];

export type Settable = Pick<GoogleEventProperties, (typeof settable)[number]>;

/** What a request asks an event to be. */
export interface WantedEvent extends EventTimes {
  readonly properties: Settable;
}

const maxReminders = 5;
const maxReminderMinutes = 40_320;
const maxAttachments = 25;
const mostColors = 11;

/** The event as a resource that a PATCH is laid over. */
export function resourceOf({ start, end, recurrence, properties }: GoogleEvent): JsonObject {
  const own = Object.fromEntries(settable.map((name) => [name, properties[name]]));
  return given({ ...own, start: momentResource(start), end: momentResource(end), recurrence });
}

function momentResource(moment: GoogleMoment): JsonObject {
  if ('date' in moment) return { date: moment.date };
  return { dateTime: inZone(Date.parse(moment.instant), moment.timeZone), timeZone: moment.timeZone };
}

/** @throws the 400 for a field that no event has. The real API lets a misspelled one pass, and then does not set it. */
export function refuseUnknown(body: JsonObject): void {
  const unknown = Object.keys(body).find((name) => !(name in eventShape));
  if (unknown !== undefined) throw badParameter(unknown, `Unknown field "${unknown}" (to the sandbox).`);
}

/**
 * Validates a resource. Defaults come out as absent, as in the API's answers. What is read-only is ignored.
 * https://developers.google.com/workspace/calendar/api/v3/reference/events#resource-representations
 */
export function readResource(body: JsonObject, zone: string, organizer: string): WantedEvent {
  const fields = fieldsOf(body);
  const flag = (name: string, byDefault: boolean) => {
    const value = fields.flag(name);
    return value === byDefault ? undefined : value;
  };
  const text = (name: string) => fields.text(name) || undefined;
  const transparency = fields.choice('transparency', ['opaque', 'transparent']);
  const visibility = fields.choice('visibility', ['default', 'public', 'private', 'confidential']);
  const properties: Settable = given({
    status: fields.choice('status', ['confirmed', 'tentative', 'cancelled']) ?? 'confirmed',
    summary: text('summary'),
    description: text('description'),
    location: text('location'),
    colorId: readColor(text('colorId')),
    transparency: transparency === 'opaque' ? undefined : transparency,
    visibility: visibility === 'default' ? undefined : visibility,
    sequence: fields.integer('sequence') ?? 0,
    attendees: readAttendees(fields.list('attendees') ?? [], organizer),
    guestsCanInviteOthers: flag('guestsCanInviteOthers', true),
    guestsCanModify: flag('guestsCanModify', false),
    guestsCanSeeOtherGuests: flag('guestsCanSeeOtherGuests', true),
    anyoneCanAddSelf: flag('anyoneCanAddSelf', false),
    reminders: readReminders(fields.object('reminders') ?? {}),
    extendedProperties: readExtended(fields.object('extendedProperties')),
    source: readSource(fields.object('source')),
    attachments: readAttachments(fields.list('attachments') ?? []),
    eventType: fields.choice('eventType', eventTypes) ?? 'default',
    // What they hold is for google-event-types.ts to judge.
    workingLocationProperties: fields.object('workingLocationProperties') as Settable['workingLocationProperties'],
    outOfOfficeProperties: fields.object('outOfOfficeProperties'),
    focusTimeProperties: fields.object('focusTimeProperties'),
  });
  return { ...readTimes(body, zone), properties };
}

export const eventTypes: readonly GoogleEventType[] = [
  'birthday',
  'default',
  'focusTime',
  'fromGmail',
  'outOfOffice',
  'workingLocation',
];

/** Absent answers become needsAction: whoever leaves them out of a list takes everybody's answer back. */
function readAttendees(values: readonly unknown[], organizer: string): readonly GoogleAttendee[] | undefined {
  const attendees = values.map((value, index): GoogleAttendee => {
    if (!isObject(value)) throw invalid('Invalid attendee.');
    const fields = fieldsOf(value, `attendees[${index}].`);
    const email = fields.text('email') ?? '';
    if (email === '') throw googleRefusal(400, 'Missing attendee email.', { reason: 'required' });
    if (!/^[^\s@<>,;]+@[^\s@<>,;]+$/.test(email)) throw invalid('Invalid attendee email.');
    return given({
      email,
      displayName: fields.text('displayName'),
      organizer: email.toLowerCase() === organizer.toLowerCase() ? true : undefined,
      resource: fields.flag('resource') || undefined,
      optional: fields.flag('optional') || undefined,
      responseStatus:
        fields.choice('responseStatus', ['needsAction', 'declined', 'tentative', 'accepted']) ?? 'needsAction',
      comment: fields.text('comment') || undefined,
      additionalGuests: fields.integer('additionalGuests') || undefined,
    });
  });
  return attendees.length === 0 ? undefined : attendees;
}

function readReminders(body: JsonObject): Settable['reminders'] {
  const fields = fieldsOf(body, 'reminders.');
  const overrides = (fields.list('overrides') ?? []).map((value, index): GoogleReminder => {
    if (!isObject(value)) throw invalid('Invalid reminder.');
    const override = fieldsOf(value, `reminders.overrides[${index}].`);
    const [method, minutes] = [override.choice('method', ['email', 'popup']), override.integer('minutes')];
    if (method === undefined || minutes === undefined) {
      throw googleRefusal(400, 'A reminder needs a method and minutes.', { reason: 'required' });
    }
    if (minutes < 0 || minutes > maxReminderMinutes) throw invalid('Invalid reminder minutes.');
    return { method, minutes };
  });
  if (overrides.length > maxReminders) throw invalid('Too many override reminders.');
  const useDefault = fields.flag('useDefault') ?? (overrides.length === 0 && !('overrides' in body));
  if (useDefault && overrides.length > 0) {
    const message = 'Cannot specify both default reminders and overrides at the same time.';
    throw googleRefusal(400, message, {
      domain: 'calendar',
      reason: 'cannotUseDefaultRemindersAndSpecifyOverride',
    });
  }
  return { useDefault, ...(overrides.length === 0 ? {} : { overrides }) };
}

/** https://developers.google.com/workspace/calendar/api/guides/extended-properties#limits */
function readExtended(body: JsonObject | undefined): GoogleExtendedProperties | undefined {
  const fields = fieldsOf(body ?? {}, 'extendedProperties.');
  const read = (name: 'private' | 'shared') => {
    const entries = Object.entries(fields.object(name) ?? {}).map(([key, value]): [string, string] => {
      if (typeof value !== 'string' || key.length > 44 || value.length > 1024) {
        throw invalid(`Invalid extended property ${key}.`);
      }
      return [key, value];
    });
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };
  const extended = given({ private: read('private'), shared: read('shared') });
  return Object.keys(extended).length === 0 ? undefined : extended;
}

function readSource(body: JsonObject | undefined): Settable['source'] | undefined {
  if (body === undefined) return undefined;
  const fields = fieldsOf(body, 'source.');
  const url = fields.text('url') ?? '';
  if (!/^https?:\/\/\S+$/.test(url)) throw invalid('Invalid source URL.');
  return given({ url, title: fields.text('title') });
}

function readAttachments(values: readonly unknown[]): Settable['attachments'] | undefined {
  if (values.length > maxAttachments) throw invalid('Too many attachments.');
  const attachments = values.map((value) => {
    const fields = fieldsOf(isObject(value) ? value : {}, 'attachments.');
    const fileUrl = fields.text('fileUrl') ?? '';
    if (fileUrl === '') throw googleRefusal(400, 'Missing attachment URL.', { reason: 'required' });
    return given({ fileUrl, title: fields.text('title'), mimeType: fields.text('mimeType') });
  });
  return attachments.length === 0 ? undefined : attachments;
}

function readColor(colorId: string | undefined): string | undefined {
  if (colorId === undefined) return undefined;
  if (!/^\d+$/.test(colorId) || Number(colorId) < 1 || Number(colorId) > mostColors) throw invalid('Invalid color ID.');
  return colorId;
}
