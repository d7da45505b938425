import type { Mailbox, Person, SandboxCalendar, SandboxEvent } from './data.ts';
import type { AccessToken } from './grants.ts';
import { changedMaster, changedOccurrence, changedSingle } from './graph-changes.ts';
import { blankEvent, isSame, never, touched } from './graph-draft.ts';
import { type EventChanges, isObject, type Json, parseEventBody } from './graph-event-body.ts';
import {
  cancelCopies,
  eventOf,
  type Item,
  invitedTo,
  isMoved,
  isNews,
  mail,
  type Post,
  syncCopies,
} from './graph-meetings.ts';
import { graphRefusal } from './graph-refusal.ts';
import type { GraphRules } from './graph-rules.ts';
import { occurrenceOf } from './graph-series.ts';
import { type Found, put, withoutOccurrence } from './graph-store.ts';
import type { Incoming } from './http.ts';

export interface Writing extends Post {
  readonly rules: GraphRules;
}

export interface WriteCall {
  readonly incoming: Incoming;
  readonly token: AccessToken;
  readonly mailbox: Mailbox;
  readonly writing: Writing;
}

/** https://learn.microsoft.com/graph/api/user-post-events */
export function createEvent(call: WriteCall, calendar: SandboxCalendar): SandboxEvent {
  refuseReadOnly(calendar);
  const { incoming, token, mailbox, writing } = call;
  const changes = parseEventBody(incoming);
  const madeOf = canonical(JSON.parse(incoming.body));
  const repeated = knownTransaction(call, changes, madeOf);
  if (repeated !== undefined) return repeated;
  const owner = calendar.owner ?? { name: token.user.displayName, address: mailbox.username };
  const now = writing.now();
  const blank = { ...blankEvent(changes, owner, now), madeOf };
  const item = changedSingle(blank, changes, calendar, now);
  put(calendar, '', item);
  if (!eventOf(item).properties.isDraft) invite(call, item);
  return eventOf(item);
}

/** https://learn.microsoft.com/graph/api/event-update */
export function updateEvent(call: WriteCall, found: Found): SandboxEvent {
  refuseStale(call.incoming, found);
  refuseReadOnly(found.calendar);
  const changes = parseEventBody(call.incoming);
  const { transactionId } = found.event.properties;
  if (changes.transactionId !== undefined && changes.transactionId !== transactionId) {
    // "You cannot change transactionId in a subsequent update": the code is Exchange's for what cannot be set.
    throw graphRefusal(400, 'ErrorInvalidPropertySet', 'Set action is invalid for property.');
  }
  const now = call.writing.now();
  const { calendar, event: before } = found;
  if (found.kind === 'occurrence') {
    const { series, date } = found;
    const next = changedOccurrence(series, date, changes, calendar);
    const whole = { ...next, master: touched(next.master, now) };
    put(calendar, series.master.id, whole);
    const after = occurrenceOf(whole, date);
    if (!after.properties.isOrganizer || after.properties.isDraft) return after;
    const told = tellOfUpdate(call, before, after, changes);
    if (told) syncCopies(call.writing, call.mailbox, whole, { moved: false });
    return after;
  }
  const item =
    found.kind === 'single'
      ? changedSingle(before, changes, calendar, now)
      : changedMaster(found.series, changes, calendar, { now, rules: call.writing.rules });
  const after = eventOf(item);
  const moved = isMoved(before, after);
  // After another time, all answers are void.
  const settled = moved && after.properties.isOrganizer ? unansweredBy(item) : item;
  put(calendar, before.id, settled);
  if (!after.properties.isOrganizer || after.properties.isDraft) return after;
  if (before.properties.isDraft) invite(call, settled);
  else {
    const told = tellOfUpdate(call, before, after, changes);
    if (isNews(before, after)) tellOfExceptions(call, settled);
    if (told) syncCopies(call.writing, call.mailbox, settled, { moved });
  }
  return eventOf(settled);
}

/** Of a meeting, the organizer's own is a cancellation: https://learn.microsoft.com/graph/api/event-delete */
export function deleteEvent(call: WriteCall, found: Found): void {
  refuseStale(call.incoming, found);
  refuseReadOnly(found.calendar);
  remove(call, found);
}

/** https://learn.microsoft.com/graph/api/event-cancel */
export function cancelEvent(call: WriteCall, found: Found, comment: string): void {
  refuseReadOnly(found.calendar);
  if (!found.event.properties.isOrganizer) {
    throw graphRefusal(
      400,
      'ErrorInvalidRequest',
      "Your request can't be completed. You need to be an organizer to cancel a meeting.",
    );
  }
  remove(call, found, comment);
}

/** https://learn.microsoft.com/graph/errors: a calendar that one may only look at. */
export function refuseReadOnly({ canEdit }: SandboxCalendar): void {
  if (!canEdit) throw graphRefusal(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}

function remove({ writing, mailbox }: WriteCall, found: Found, comment?: string): void {
  const { calendar, event } = found;
  const { isOrganizer, isDraft } = event.properties;
  if (isOrganizer && !isDraft) mail(writing, 'cancellation', event, invitedTo(event), comment);
  if (found.kind !== 'occurrence') {
    put(calendar, event.id, undefined);
    if (isOrganizer) cancelCopies(writing, mailbox, event);
    return;
  }
  const left = withoutOccurrence(found.series, found.date);
  const series = { ...left, master: touched(left.master, writing.now()) };
  put(calendar, series.master.id, series);
  if (isOrganizer && !isDraft) syncCopies(writing, mailbox, series, { moved: false });
}

function invite({ writing, mailbox }: WriteCall, item: Item): void {
  mail(writing, 'invitation', eventOf(item), invitedTo(eventOf(item)));
  syncCopies(writing, mailbox, item, { moved: false });
}

/**
 * "An event update that includes only the attendees property in the request body sends a meeting update to only the
 * attendees that have changed." https://learn.microsoft.com/graph/api/event-update
 * @returns whether anybody was told
 */
function tellOfUpdate(
  { writing }: WriteCall,
  before: SandboxEvent,
  after: SandboxEvent,
  changes: EventChanges,
): boolean {
  const [were, are] = [invitedTo(before), invitedTo(after)];
  const isIn = (people: readonly Person[]) => (person: Person) => people.some((each) => isSame(each, person));
  const added = are.filter((person) => !isIn(were)(person));
  const removed = were.filter((person) => !isIn(are)(person));
  const onlyAttendees = changes.names.every((name) => name === 'attendees' || name.startsWith('@odata.'));
  const news = isNews(before, after) || (!onlyAttendees && added.length + removed.length > 0);
  mail(writing, 'cancellation', after, removed);
  mail(writing, 'invitation', after, added);
  if (news) mail(writing, 'update', after, are.filter(isIn(were)));
  return news || added.length + removed.length > 0;
}

/** "One for the master series and one per instance that has been updated." https://learn.microsoft.com/graph/api/event-update */
function tellOfExceptions({ writing }: WriteCall, item: Item): void {
  if (!('master' in item)) return;
  for (const date of Object.keys(item.changes)) {
    const exception = occurrenceOf(item, date);
    mail(writing, 'update', exception, invitedTo(exception));
  }
}

function unansweredBy(item: Item): Item {
  const event = eventOf(item);
  const attendees = event.properties.attendees.map(({ type, emailAddress }) => ({
    type,
    status: { response: 'none' as const, time: never },
    emailAddress,
  }));
  const reset = { ...event, properties: { ...event.properties, attendees } };
  return 'master' in item ? { ...item, master: reset } : reset;
}

/** A client that did not hear the answer asks again with the same transactionId: see `GraphRules.repeatedTransaction`. */
function knownTransaction({ mailbox, incoming, writing }: WriteCall, { transactionId }: EventChanges, madeOf: string) {
  if (transactionId === undefined || transactionId === null || transactionId === '') return undefined;
  const earlier = mailbox.calendars
    .flatMap(({ events, series = [] }) => [...events, ...series.map(({ master }) => master)])
    .find(({ properties }) => properties.transactionId === transactionId);
  if (earlier === undefined) return undefined;
  if (earlier.madeOf === madeOf && (writing.rules.repeatedTransaction ?? 'same') === 'same') return earlier;
  const immutable = /IdType\s*=\s*"?ImmutableId/i.test(incoming.headers.prefer ?? '');
  throw graphRefusal(
    400,
    'ErrorDuplicateTransactionId',
    "Your request can't be completed. The TransactionId specified in the request has already been used to create a different event.",
    {},
    { '@event.existingEventId': immutable ? earlier.immutableId : earlier.id },
  );
}

/** One text for all orders of the members. */
function canonical(value: unknown): string {
  const sorted = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(sorted);
    if (!isObject(each)) return each;
    const object: Json = each;
    return Object.fromEntries(
      Object.keys(object)
        .sort()
        .map((name) => [name, sorted(object[name])]),
    );
  };
  return JSON.stringify(sorted(value));
}

/** https://learn.microsoft.com/answers/questions/271870: 412 with this code. */
function refuseStale({ headers }: Incoming, { event }: Found): void {
  const asked = headers['if-match'];
  if (asked === undefined || asked.trim() === '*') return;
  const tags = asked.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (tags.includes(`"${event.properties.changeKey}"`)) return;
  throw graphRefusal(
    412,
    'ErrorIrresolvableConflict',
    'The send or update operation could not be performed because the change key passed in the request does not match the current change key for the item.',
  );
}
