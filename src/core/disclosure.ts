/**
 * Who may see what. An answer for an audience is made of events that were cut down right after they were read: what
 * comes later (merging, search, ranking, errors, references) cannot show what it never had.
 */
import { busyOf, isBlocking } from './busy.ts';
import type { CalendarEvent, EventTime } from './event.ts';
import { normalizeUid } from './identity.ts';

/** From nothing to everything: each level shows what the one before shows, and more. */
export const DISCLOSURES = ['none', 'busy', 'masked', 'title', 'full'] as const;
export type Disclosure = (typeof DISCLOSURES)[number];

/** The audience that sees everything: the person whose calendars these are. No client may be called so. */
export const OWNER = 'owner';

/** Stands for whatever account the audience may not know of. No account id looks like it. */
export const OTHER_ACCOUNTS = 'other accounts';

/** Titles of level `masked`: of another client's events, and of private ones in the audience's own account. */
const MASKED_TITLE = 'Client work';
const PRIVATE_TITLE = 'Private';

export interface Sharing {
  /** Disclosure group of the account. */
  readonly client: string;
  /** What audiences other than that group may see of it. */
  readonly share: Disclosure;
}

/** How much of an account an audience may see: its owner all, a client all of its own, others what is shared. */
export function disclosureTo(audience: string, { client, share }: Sharing): Disclosure {
  return audience === OWNER || audience === client ? 'full' : share;
}

/** Whether an audience may know the account by name: only as its owner, or as the client that it belongs to. */
export function mayName(audience: string, { client }: Sharing): boolean {
  return audience === OWNER || audience === client;
}

function lesser(a: Disclosure, b: Disclosure): Disclosure {
  return DISCLOSURES.indexOf(a) <= DISCLOSURES.indexOf(b) ? a : b;
}

export interface Disclosing extends Sharing {
  readonly audience: string;
  /**
   * A text that is equal for equal {@link identifiersOf} and tells nothing about them, good for one answer: copies of one
   * meeting are still known as such.
   */
  readonly blind: (text: string) => string;
}

const calendarKey = ({ account, calendar }: CalendarEvent): string => JSON.stringify([account, calendar.id]);
const eventKey = ({ account, calendar, id }: CalendarEvent): string => JSON.stringify([account, calendar.id, id]);
const uidKey = ({ uid }: CalendarEvent): string | null =>
  uid === null || uid.trim() === '' ? null : JSON.stringify(normalizeUid(uid));

const organizerKeyOf = ({ organizer }: CalendarEvent): string | null =>
  organizer?.email === undefined ? null : JSON.stringify([organizer.email.toLowerCase()]);

/** What of an event is replaced by something that tells nothing. */
export function identifiersOf(event: CalendarEvent): string[] {
  const keys = [calendarKey(event), eventKey(event), uidKey(event), organizerKeyOf(event)];
  return keys.filter((key) => key !== null);
}

/**
 * The event as an audience may see it, or `null` where it may know nothing of it. What is not of normal sensitivity is
 * masked for everybody but the owner, in the audience's own account too.
 */
export function disclose(event: CalendarEvent, { audience, blind, ...sharing }: Disclosing): CalendarEvent | null {
  if (audience === OWNER) return event;
  const granted = disclosureTo(audience, sharing);
  const level = event.sensitivity === 'normal' ? granted : lesser(granted, 'masked');
  if (level === 'none') return null;
  const named = mayName(audience, sharing);
  const [key, organizer] = [uidKey(event), organizerKeyOf(event)];
  const uid = key === null ? null : blind(key);
  const organizerKey = organizer === null ? {} : { organizerKey: blind(organizer) };
  if (named && level === 'full') return { ...event, uid, ...organizerKey };
  const names = {
    account: named ? event.account : OTHER_ACCOUNTS,
    // Two calendars stay two, and have no name. One of the audience's own stays one, whatever of it is masked: what a
    // calendar holds under one UID at two times is two meetings (merge.ts).
    calendar: {
      id: named ? event.calendar.id : blind(calendarKey(event)),
      name: '',
      isDefault: true,
      access: event.calendar.access,
    },
    id: blind(eventKey(event)),
    uid,
    ...organizerKey,
  };
  if (level === 'full') return { ...event, ...names };
  const title = level === 'title' ? event.title : named ? PRIVATE_TITLE : MASKED_TITLE;
  return level === 'busy'
    ? busyOnly({ ...event, ...names })
    : { ...busyOnly({ ...event, ...names }), title, disclosed: level };
}

/**
 * What remains of an event of which no more than busy time is shown: its times, what it does to its owner's time, and
 * what ranks the copies of one meeting.
 */
export function busyOnly(event: CalendarEvent): CalendarEvent {
  const { account, calendar, id, uid, recurrenceKey, kind, start, end, status, myResponse, updated, readOnly } = event;
  const { sequence, fromFeed, mirror, ownerZone, organizerKey } = event;
  return {
    account,
    calendar,
    id,
    uid,
    recurrenceKey,
    kind,
    start: withoutZone(start),
    end: withoutZone(end),
    title: null,
    // Where somebody works is not what they do with their time.
    busy: isBlocking(busyOf(event)) ? busyOf(event) : 'free',
    status: status === 'tentative' ? 'confirmed' : status,
    sensitivity: 'normal',
    myResponse,
    type: 'default',
    updated,
    readOnly,
    ...(sequence === undefined ? {} : { sequence }),
    ...(fromFeed === undefined ? {} : { fromFeed }),
    ...(mirror === undefined ? {} : { mirror }),
    ...(ownerZone === undefined ? {} : { ownerZone }),
    ...(organizerKey === undefined ? {} : { organizerKey }),
    disclosed: 'busy',
  };
}

/** The zone in which somebody made an event says where they were. */
function withoutZone(time: EventTime): EventTime {
  return time.kind === 'date' ? time : { kind: 'timed', epochMs: time.epochMs, zone: null };
}
