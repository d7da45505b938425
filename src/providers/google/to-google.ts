/** What is set of an event in Google's words. Pure; `checkFields` has seen it. */
import type { EventFields, Invitee, MadeType } from '../../core/change.ts';
import type { calendar_v3 } from './client.ts';
import { colorIdOf } from './colors.ts';
import { changedTimeOf, descriptionOf, timeOf, workingLocationOf, workingLocationWords } from './event-words.ts';
import type { GoogleEvent } from './map.ts';

/** What is changed; `null` removes. */
export type GoogleChange = { readonly [Name in keyof GoogleEvent]?: GoogleEvent[Name] | null };

type GoogleAttendee = calendar_v3.Schema$EventAttendee;

/** What a working location is called, as Google's own page would. */
function workingTitle(words: string): string {
  const { type, officeLocation } = workingLocationOf(words);
  if (type === 'homeOffice') return 'Home';
  return type === 'officeLocation' ? (officeLocation?.label ?? 'Office') : words.trim();
}

/**
 * What is special about a type. Nobody's invitation is declined because of an event that calmcp made: that would be an answer
 * to other people that nobody asked for.
 * @see https://developers.google.com/workspace/calendar/api/guides/calendar-status#create-update
 */
function typeOf(type: MadeType, location: string | undefined): GoogleEvent {
  switch (type) {
    case 'default':
      return {};
    case 'focusTime':
      return { eventType: type, transparency: 'opaque', focusTimeProperties: { autoDeclineMode: 'declineNone' } };
    case 'outOfOffice':
      return { eventType: type, transparency: 'opaque', outOfOfficeProperties: { autoDeclineMode: 'declineNone' } };
    case 'workingLocation':
      return {
        eventType: type,
        transparency: 'transparent',
        visibility: 'public',
        workingLocationProperties: workingLocationOf(location ?? ''),
        summary: workingTitle(location ?? ''),
      };
  }
}

/** The fields that are written the same whether the event is there already or not. */
function plainFields({ title, text, busy, sensitivity, color }: EventFields): GoogleEvent {
  return {
    ...(title === undefined ? {} : { summary: title }),
    ...(text === undefined ? {} : { description: descriptionOf(text) }),
    ...(busy === undefined ? {} : { transparency: busy === 'free' ? 'transparent' : 'opaque' }),
    ...(sensitivity === undefined ? {} : { visibility: sensitivity === 'normal' ? 'default' : sensitivity }),
    ...(color === undefined || color.trim() === '' ? {} : { colorId: colorIdOf(color) ?? null }),
  };
}

const addressOf = (email: string | null | undefined): string => (email ?? '').trim().toLowerCase();

const once = (invited: readonly Invitee[]): readonly Invitee[] => [
  ...new Map(invited.map((one) => [addressOf(one.email), one])).values(),
];

const newAttendee = ({ email, name, optional }: Invitee): GoogleAttendee => ({
  email: email.trim(),
  ...(name === undefined ? {} : { displayName: name }),
  ...(optional === true ? { optional } : {}),
});

/** Whether an entry is that of the organizer, who stays. */
const isOrganizer = ({ organizer }: GoogleEvent, attendee: GoogleAttendee): boolean =>
  attendee.organizer === true || addressOf(attendee.email) === addressOf(organizer?.email);

/** Those who stay keep what Google holds of them: response, comment, guests of their own, whether it is a room. */
function attendeesOf(invited: readonly Invitee[], row: GoogleEvent): GoogleAttendee[] {
  const before = row.attendees ?? [];
  const organizer = before.filter((one) => isOrganizer(row, one));
  const others = once(invited).filter(({ email }) => addressOf(email) !== addressOf(row.organizer?.email));
  return [
    ...organizer,
    ...others.map((one): GoogleAttendee => {
      const known = before.find(({ email }) => addressOf(email) === addressOf(one.email));
      if (known === undefined) return newAttendee(one);
      const isOptional = one.optional === true;
      return (known.optional === true) === isOptional ? known : { ...known, optional: isOptional };
    }),
  ];
}

/** One that is there already keeps its kind: a mail stays a mail. */
function remindersOf(minutes: readonly number[], row: GoogleEvent = {}): NonNullable<GoogleEvent['reminders']> {
  const before = row.reminders?.overrides ?? [];
  const overrides = [...new Set(minutes)].flatMap((wanted) => {
    const known = before.filter((one) => one.minutes === wanted);
    return known.length === 0 ? [{ method: 'popup', minutes: wanted }] : known;
  });
  return { useDefault: false, overrides };
}

const isRule = (line: string): boolean => /^RRULE/i.test(line);

/** Days that were left out of a series, or added to it, stay so under another rule. */
function recurrenceOf(rule: string, row: GoogleEvent = {}): string[] {
  if (rule === '') return [];
  return [`RRULE:${rule.trim().replace(/^RRULE:/i, '')}`, ...(row.recurrence ?? []).filter((line) => !isRule(line))];
}

/** @param requestId one id makes one conference */
const meet = (requestId: string): calendar_v3.Schema$ConferenceData => ({
  createRequest: { requestId, conferenceSolutionKey: { type: 'hangoutsMeet' } },
});

/** Whether an event has a Meet link, or is about to get one. */
export function hasMeet({ hangoutLink, conferenceData }: GoogleEvent): boolean {
  const { createRequest, conferenceSolution } = conferenceData ?? {};
  return (
    Boolean(hangoutLink) ||
    conferenceSolution?.key?.type === 'hangoutsMeet' ||
    (createRequest?.conferenceSolutionKey?.type === 'hangoutsMeet' && createRequest.status?.statusCode === 'pending')
  );
}

export function newEvent(id: string, fields: EventFields): GoogleEvent {
  const { start, end, location, attendees, reminders, recurrence, online, type = 'default' } = fields;
  if (start === undefined || end === undefined) throw new TypeError('an event without a time was not refused');
  return {
    id,
    ...(location && type !== 'workingLocation' ? { location } : {}),
    ...plainFields(fields),
    ...(attendees === undefined || attendees.length === 0 ? {} : { attendees: once(attendees).map(newAttendee) }),
    ...(reminders === undefined ? {} : { reminders: remindersOf(reminders) }),
    ...(recurrence ? { recurrence: recurrenceOf(recurrence) } : {}),
    ...(online === true ? { conferenceData: meet(id) } : {}),
    ...typeOf(type, location),
    ...(fields.title ? { summary: fields.title } : {}),
    start: timeOf(start),
    end: timeOf(end),
  };
}

/** @param requestId of a conference that is made for it; one for each version of the event */
export function changedEvent(row: GoogleEvent, fields: EventFields, requestId: string): GoogleChange {
  const { start, end, location, attendees, reminders, recurrence, online, color } = fields;
  const isWorkingLocation = row.eventType === 'workingLocation';
  const { visibility, ...plain } = plainFields(fields);
  return {
    ...plain,
    // A working location stays public, which is what "normal" means there.
    ...(visibility === undefined || isWorkingLocation ? {} : { visibility }),
    ...(color !== undefined && color.trim() === '' && row.colorId ? { colorId: null } : {}),
    ...(start === undefined ? {} : { start: changedTimeOf(start) }),
    ...(end === undefined ? {} : { end: changedTimeOf(end) }),
    ...(location === undefined ? {} : isWorkingLocation ? movedTo(location, row, fields) : { location }),
    ...(attendees === undefined ? {} : { attendees: attendeesOf(attendees, row) }),
    ...(reminders === undefined ? {} : { reminders: remindersOf(reminders, row) }),
    ...(recurrence === undefined ? {} : { recurrence: recurrenceOf(recurrence, row) }),
    ...(online === true && !hasMeet(row) ? { conferenceData: meet(requestId) } : {}),
    ...(online === false && row.conferenceData ? { conferenceData: null } : {}),
  };
}

/** A title that named the place before names the new one. */
function movedTo(location: string, row: GoogleEvent, { title }: EventFields): GoogleChange {
  const before = workingLocationWords(row.workingLocationProperties);
  const follows = title === undefined && before !== undefined && row.summary === workingTitle(before);
  return {
    workingLocationProperties: workingLocationOf(location),
    ...(follows ? { summary: workingTitle(location) } : {}),
  };
}
