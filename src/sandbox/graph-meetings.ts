import { randomUUID } from 'node:crypto';
import type {
  EventProperties,
  Mailbox,
  OccurrenceChange,
  Person,
  SandboxData,
  SandboxEvent,
  SandboxSeries,
} from './data.ts';
import { isSame, never, touched } from './graph-draft.ts';
import { hasOccurrence, newIds, occurrenceOf, webLinkOf } from './graph-series.ts';
import { type Found, findByUid, put } from './graph-store.ts';
import type { SandboxMail } from './records.ts';

/** What is needed to tell others. */
export interface Post {
  readonly data: SandboxData;
  readonly mails: SandboxMail[];
  readonly now: () => number;
}

export type Item = SandboxEvent | SandboxSeries;

export function eventOf(item: Item): SandboxEvent {
  return 'master' in item ? item.master : item;
}

/** One mail to each of these people. */
export function mail(
  { mails }: Post,
  kind: SandboxMail['kind'],
  { properties }: SandboxEvent,
  to: readonly Person[],
  comment?: string,
  from: Person = properties.organizer.emailAddress,
): void {
  for (const person of to) {
    if (isSame(person, from)) continue;
    const subject = properties.subject ?? '';
    const said = comment === undefined || comment === '' ? {} : { comment };
    mails.push({ vendor: 'microsoft', from: from.address, to: person.address, kind, subject, ...said });
  }
}

/** Whom a meeting was sent to. */
export function invitedTo({ properties }: SandboxEvent): Person[] {
  return properties.attendees.map(({ emailAddress }) => emailAddress);
}

/** Whether everybody has to answer anew. */
export function isMoved(before: SandboxEvent, after: SandboxEvent): boolean {
  const when = ({ start, end, isAllDay, properties }: SandboxEvent) =>
    JSON.stringify([start, end, isAllDay, properties.recurrence]);
  return when(before) !== when(after);
}

/** Whether those invited are told. Categories, reminders and showAs are one's own business. */
export function isNews(before: SandboxEvent, after: SandboxEvent): boolean {
  const seen = ({ properties }: SandboxEvent) =>
    JSON.stringify([properties.subject, properties.body, properties.location, properties.locations]);
  return isMoved(before, after) || seen(before) !== seen(after);
}

/**
 * Brings the copies in the sandbox's other mailboxes in line with the organizer's: made for who is invited, cancelled for
 * who is not any more.
 */
export function syncCopies(post: Post, organizer: Mailbox, item: Item, options: { moved: boolean }): void {
  const event = eventOf(item);
  for (const mailbox of post.data.mailboxes) {
    if (mailbox === organizer) continue;
    const copy = findByUid(mailbox, event.properties.iCalUId ?? '', false);
    if (isInvited(event, mailbox)) {
      const calendar = copy?.calendar ?? mailbox.calendars.find(({ isDefaultCalendar }) => isDefaultCalendar);
      if (calendar === undefined) continue;
      put(calendar, copy?.event.id ?? '', copyFor(mailbox, item, copy, options.moved, post.now()));
    } else if (copy !== undefined) {
      cancelCopy(copy, post.now());
    }
  }
}

/** A cancelled meeting stays in the calendars of others, marked, until they take it out. */
export function cancelCopies(post: Post, organizer: Mailbox, item: Item): void {
  for (const mailbox of post.data.mailboxes) {
    if (mailbox === organizer) continue;
    const copy = findByUid(mailbox, eventOf(item).properties.iCalUId ?? '', false);
    if (copy !== undefined) cancelCopy(copy, post.now());
  }
}

function cancelCopy(copy: Extract<Found, { kind: 'single' | 'master' }>, now: number): void {
  const { event, calendar } = copy;
  const properties = { ...event.properties, ...cancelled(event) };
  const gone = touched({ ...event, properties }, now);
  if (copy.kind === 'single') {
    put(calendar, event.id, gone);
    return;
  }
  const changes = Object.fromEntries(
    Object.entries(copy.series.changes).map(([date, change]) => [
      date,
      { ...change, properties: { ...change.properties, ...cancelled(occurrenceOf(copy.series, date)) } },
    ]),
  );
  put(calendar, event.id, { ...copy.series, master: gone, changes });
}

function cancelled({ properties }: SandboxEvent) {
  const subject = properties.isCancelled ? properties.subject : `Canceled: ${properties.subject ?? ''}`;
  return { subject, isCancelled: true, showAs: 'free' as const };
}

function isInvited(event: SandboxEvent, { username }: Mailbox): boolean {
  return invitedTo(event).some(({ address }) => address.toLowerCase() === username.toLowerCase());
}

/** What an attendee sees of a changed occurrence as its organizer has it. */
const shared = [
  'subject',
  'body',
  'bodyPreview',
  'importance',
  'sensitivity',
  'location',
  'locations',
  'attendees',
  'isOnlineMeeting',
  'onlineMeetingProvider',
  'onlineMeeting',
  'originalStartTimeZone',
  'originalEndTimeZone',
  'hideAttendees',
  'allowNewTimeProposals',
  'responseRequested',
] as const;

/** What is the attendee's own. */
const own = ['responseStatus', 'showAs', 'isReminderOn', 'reminderMinutesBeforeStart', 'categories'] as const;

function copyFor(mailbox: Mailbox, item: Item, copy: ReturnType<typeof findByUid>, moved: boolean, now: number): Item {
  const event = eventOf(item);
  const ids = copy === undefined ? newIds(randomUUID()) : { id: copy.event.id, immutableId: copy.event.immutableId };
  const anew = moved || copy?.event.properties.isCancelled === true;
  const { madeOf, ...rest } = event;
  const mine: SandboxEvent = touched(
    {
      ...rest,
      ...ids,
      intendedShowAs: event.properties.showAs,
      properties: {
        ...event.properties,
        createdDateTime: copy?.event.properties.createdDateTime ?? event.properties.lastModifiedDateTime,
        transactionId: null,
        isOrganizer: false,
        isReminderOn: true,
        reminderMinutesBeforeStart: 15,
        categories: [],
        webLink: webLinkOf(ids.id),
        ...unanswered(event),
        ...(copy === undefined || anew ? {} : pick(copy.event.properties, own)),
        attendees: visibleTo(mailbox, event),
      },
    },
    now,
  );
  if (!('master' in item)) return mine;
  const prior = copy?.kind === 'master' ? copy.series : undefined;
  return seriesCopy(mailbox, item, mine, anew ? undefined : prior, prior?.given ?? {});
}

function seriesCopy(
  mailbox: Mailbox,
  series: SandboxSeries,
  master: SandboxEvent,
  prior: SandboxSeries | undefined,
  given: SandboxSeries['given'],
): SandboxSeries {
  const dates = new Set([...Object.keys(series.changes), ...Object.keys(prior?.changes ?? {}), ...series.deleted]);
  // What the attendee took out stays out, whatever the organizer does.
  const deleted = prior?.deleted ?? [];
  const changes: Record<string, OccurrenceChange> = {};
  for (const date of dates) {
    if (deleted.includes(date)) continue;
    const [theirs, mine] = [series.changes[date], prior?.changes[date]];
    const { properties, intendedShowAs, ...times } = theirs ?? {};
    const whole = occurrenceOf(series, date);
    const uninvited = properties?.attendees !== undefined && !isInvited(whole, mailbox);
    const timesMoved = theirs?.start !== mine?.start || theirs?.end !== mine?.end;
    changes[date] = {
      ...times,
      properties: {
        ...pick(properties ?? {}, shared),
        ...(properties?.attendees === undefined ? {} : { attendees: visibleTo(mailbox, whole) }),
        ...(timesMoved ? unanswered(whole) : pick(mine?.properties ?? {}, own)),
        ...(uninvited || series.deleted.includes(date) ? cancelled(whole) : {}),
      },
    };
  }
  const kept = Object.entries(changes).filter(([date]) => series.deleted.includes(date) || hasOccurrence(series, date));
  return { master, changes: Object.fromEntries(kept), deleted, given };
}

function unanswered({ properties }: SandboxEvent): Pick<EventProperties, 'responseStatus' | 'showAs'> {
  return {
    responseStatus: { response: 'notResponded', time: never },
    showAs: properties.showAs === 'free' ? 'free' : 'tentative',
  };
}

/** Nobody but the organizer sees who has answered what; with hideAttendees, an invitation names nobody else. */
function visibleTo({ username }: Mailbox, { properties }: SandboxEvent): EventProperties['attendees'] {
  const { attendees, hideAttendees } = properties;
  return attendees
    .filter(({ emailAddress }) => !hideAttendees || emailAddress.address.toLowerCase() === username.toLowerCase())
    .map(({ type, emailAddress }) => ({ type, status: { response: 'none', time: never }, emailAddress }));
}

function pick(from: Partial<EventProperties>, names: readonly (keyof EventProperties)[]): Partial<EventProperties> {
  return Object.fromEntries(names.filter((name) => name in from).map((name) => [name, from[name]]));
}
