import { createHash } from 'node:crypto';
import { Temporal } from 'temporal-polyfill';
import { meeting } from './google-conference.ts';
import type {
  GoogleAccessRole,
  GoogleAttendee,
  GoogleCalendar,
  GoogleClient,
  GoogleData,
  GoogleEvent,
  GoogleEventProperties,
  GoogleListEntry,
  GooglePerson,
  GoogleResponse,
  GoogleUser,
} from './google-data.ts';
import { parseRule, startsOf } from './google-recurrence.ts';
import { endFor, instanceSuffix, instantOfMoment, momentOf } from './google-time.ts';

/** Everything but start and end has a default; any property of the resource may be given as it should come out. */
export interface GoogleEventInput extends Partial<GoogleEventProperties> {
  /** Local time in `zone` (YYYY-MM-DDTHH:MM), or YYYY-MM-DD for an all-day event. */
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
  /** IANA name. Default: Europe/Amsterdam. */
  readonly zone?: string;
  /** Default: whoever owns the calendar. */
  readonly organizedBy?: GooglePerson;
  /** Others than the owner of the calendar and the organizer. */
  readonly invited?: readonly GooglePerson[];
  /** My answer to someone else's invitation. Default: accepted. */
  readonly response?: GoogleResponse;
  /** Seed of a Meet link. */
  readonly meet?: string;
}

export interface GoogleSeriesInput extends GoogleEventInput {
  /** One line, as in `RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6`. */
  readonly rule: string;
  /** Dates (YYYY-MM-DD, of the original start) whose instance was deleted. */
  readonly cancelled?: readonly string[];
  /** What is different on such a date: becomes an exception. */
  readonly changed?: Readonly<Record<string, Partial<GoogleEventInput>>>;
}

const defaultZone = 'Europe/Amsterdam';

/** Stands for the owner until an event is on a calendar. */
const owner: GooglePerson = { email: '' };

export function googleEvent(input: GoogleEventInput): GoogleEvent {
  const { start, end, zone = defaultZone } = input;
  const seed = JSON.stringify([input.summary, start, end, zone, input.organizedBy?.email]);
  return eventOf(input, googleId(seed));
}

/** The master of a series, and its exceptions and cancelled instances: what `events.list` gives without singleEvents. */
export function googleSeries(input: GoogleSeriesInput): GoogleEvent[] {
  const { rule, cancelled = [], changed = {}, ...plain } = input;
  const id = googleId(JSON.stringify([plain.summary, plain.start, plain.end, plain.zone, rule]));
  const master = eventOf(plain, id);
  const wanted = new Set([...cancelled, ...Object.keys(changed)]);
  const exceptions = [...startsOf(master.start, parseRule([rule]), horizon(wanted))]
    .map((originalStart) => ({ originalStart, date: localDate(originalStart) }))
    .filter(({ date }) => wanted.delete(date))
    .map(({ originalStart, date }) => exceptionOf(plain, master, originalStart, changed[date]));
  if (wanted.size > 0) throw new RangeError(`No instance of ${rule} is on ${[...wanted].join(', ')}.`);
  return [{ ...master, recurrence: [rule] }, ...exceptions];
}

function exceptionOf(
  plain: GoogleEventInput,
  master: GoogleEvent,
  originalStart: GoogleEvent['start'],
  change: Partial<GoogleEventInput> | undefined,
): GoogleEvent {
  const id = `${master.id}_${instanceSuffix(originalStart)}`;
  const exception = { masterId: master.id, originalStart };
  const end = endFor(originalStart, master.start, master.end);
  const { iCalUID } = master.properties;
  if (change === undefined) {
    return {
      ...master,
      id,
      start: originalStart,
      end,
      exception,
      properties: { ...master.properties, status: 'cancelled' },
    };
  }
  if ((change.start === undefined) !== (change.end === undefined)) throw new RangeError('Move an instance with both.');
  const changed = eventOf({ ...plain, iCalUID, ...change }, id);
  return { ...changed, ...(change.start === undefined ? { start: originalStart, end } : {}), exception };
}

/** `count` quarters of an hour, one after the other. */
export function manyGoogleEvents(count: number, start: string, summary = 'Event'): GoogleEvent[] {
  const first = Temporal.PlainDateTime.from(start);
  return Array.from({ length: count }, (_, index) =>
    googleEvent({
      summary: `${summary} ${index + 1}`,
      start: first.add({ minutes: 15 * index }).toString(),
      end: first.add({ minutes: 15 * (index + 1) }).toString(),
      zone: 'UTC',
    }),
  );
}

/** A calendar; `id` is the address of its person for a primary one. */
export function googleCalendar(
  id: string,
  events: readonly GoogleEvent[],
  options: Partial<Omit<GoogleCalendar, 'id' | 'events'>> = {},
): GoogleCalendar {
  return {
    id,
    summary: id,
    timeZone: defaultZone,
    access: { [id]: 'owner' },
    ...options,
    events: events.map((event) => ownedBy(event, id)),
  };
}

export const googleClientId = '111111111111-shared.apps.googleusercontent.com';
export const googleClientSecret = 'GOCSPX-sandbox-shared';

export const sharedGoogleClient: GoogleClient = {
  clientId: googleClientId,
  clientSecret: googleClientSecret,
  name: 'calmcp',
};

export function googleUser(
  number: number,
  username: string,
  calendarList: GoogleListEntry[],
  options: Partial<Omit<GoogleUser, 'username' | 'calendarList'>> = {},
): GoogleUser {
  return { sub: `1000000000000000000${number}`, username, displayName: 'You', ...options, calendarList };
}

/** The smallest data: one client, one personal account, its primary calendar and perhaps others. */
export function singleGoogleAccount(
  events: readonly GoogleEvent[],
  options: { username?: string; others?: readonly GoogleCalendar[] } = {},
): GoogleData {
  const { username = 'you@home.example', others = [] } = options;
  const calendars = [googleCalendar(username, events), ...others];
  return {
    clients: [sharedGoogleClient],
    users: [
      googleUser(
        1,
        username,
        calendars.map(({ id }) => ({ calendarId: id, selected: true })),
      ),
    ],
    calendars,
  };
}

/** The role of a person on a calendar, if any. */
export function roleOn(calendar: GoogleCalendar, username: string): GoogleAccessRole | undefined {
  return calendar.access[username] ?? calendar.access['*'];
}

function eventOf(input: GoogleEventInput, id: string): GoogleEvent {
  const { start, end, zone = defaultZone, organizedBy, invited, response, meet, ...properties } = input;
  const from = momentOf(start, zone);
  const startsAt = instantOfMoment(from, zone);
  const attendees = attendeesOf(organizedBy, invited, response);
  return {
    id,
    start: from,
    end: momentOf(end, zone),
    properties: {
      status: 'confirmed',
      created: daysBefore(startsAt, 14),
      updated: daysBefore(startsAt, 3),
      creator: organizedBy ?? owner,
      organizer: organizedBy ?? owner,
      iCalUID: `${id.replace(/_.*$/, '')}@google.com`,
      sequence: 0,
      ...(attendees.length === 0 ? {} : { attendees }),
      ...(meet === undefined ? {} : meeting(meet)),
      reminders: { useDefault: true },
      eventType: 'default',
      ...properties,
    },
  };
}

function attendeesOf(
  organizedBy: GooglePerson | undefined,
  invited: readonly GooglePerson[] = [],
  response: GoogleResponse = 'accepted',
): GoogleAttendee[] {
  if (organizedBy === undefined && invited.length === 0) return [];
  const me: GoogleAttendee =
    organizedBy === undefined
      ? { ...owner, organizer: true, responseStatus: 'accepted' }
      : { ...owner, responseStatus: response };
  return [
    ...(organizedBy === undefined ? [] : [{ ...organizedBy, organizer: true, responseStatus: 'accepted' as const }]),
    me,
    ...invited.map((person) => ({ ...person, responseStatus: 'needsAction' as const })),
  ];
}

/** Who is left open is whoever owns the calendar. */
export function ownedBy(event: GoogleEvent, id: string): GoogleEvent {
  const known = <Person extends GooglePerson>(person: Person): Person =>
    person.email === '' ? { ...person, email: id } : person;
  const { creator, organizer, attendees } = event.properties;
  return {
    ...event,
    properties: {
      ...event.properties,
      creator: known(creator),
      organizer: known(organizer),
      ...(attendees === undefined ? {} : { attendees: attendees.map(known) }),
    },
  };
}

/** 26 of the characters that base32hex has: a-v and 0-9. */
function googleId(seed: string): string {
  const alphabet = '0123456789abcdefghijklmnopqrstuv';
  return [...createHash('sha256').update(seed).digest().subarray(0, 26)].map((byte) => alphabet[byte % 32]).join('');
}

function localDate(moment: GoogleEvent['start']): string {
  if ('date' in moment) return moment.date;
  return Temporal.Instant.from(moment.instant).toZonedDateTimeISO(moment.timeZone).toPlainDate().toString();
}

function horizon(dates: ReadonlySet<string>): number {
  return Math.max(0, ...[...dates].map((date) => Date.parse(date) + 2 * 86_400_000));
}

function daysBefore(instant: number, days: number): string {
  return new Date(instant - days * 86_400_000).toISOString();
}
