/** Many mailboxes, one list: every meeting once, in order. */
import { busyOf, isAtLeast, isBlocking, mostSevere } from './busy.ts';
import { busyOnly, OTHER_ACCOUNTS } from './disclosure.ts';
import type { Busy, CalendarEvent } from './event.ts';
import { endKey, slotKey, startKey, uidOf } from './identity.ts';
import { spanOf, type ZoneClock } from './time.ts';

/** One meeting, with all its copies. */
export interface MergedEvent {
  /** The copy whose fields are shown. */
  readonly event: CalendarEvent;
  /** Every copy, the shown one first. */
  readonly copies: readonly CalendarEvent[];
  /** The most that any copy does to its owner's time. */
  readonly busy: Busy;
  /** Copies that still stand at another time than the shown one, and are known to be old. */
  readonly staleCopies: readonly CalendarEvent[];
  /** All copies of the meeting, shown or not: the same array for all items that one meeting is shown as. */
  readonly group: readonly CalendarEvent[];
}

/** Position of an account in the configuration: the last resort where two copies are equally good. */
export type AccountOrder = (account: string) => number;

const NONE: readonly CalendarEvent[] = [];

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const isOrganized = ({ myResponse }: CalendarEvent): boolean => myResponse === 'organizer';
const isFeed = ({ fromFeed }: CalendarEvent): boolean => fromFeed === true;
/** True before false. */
const first = (a: boolean, b: boolean): number => Number(b) - Number(a);

const organizerOf = ({ organizerKey, organizer }: CalendarEvent): string | undefined =>
  organizerKey ?? organizer?.email?.toLowerCase();

/** Whether both name an organizer, and not the same: then one of them may say nothing of the other. */
function areOfOthers(a: CalendarEvent, b: CalendarEvent): boolean {
  const [one, other] = [organizerOf(a), organizerOf(b)];
  return one !== undefined && other !== undefined && one !== other;
}

/** Copies of one meeting that stand at one time, and those at other times that are known to be old. */
interface Meeting {
  readonly copies: readonly CalendarEvent[];
  readonly old: readonly CalendarEvent[];
}

/**
 * Which copy tells most, best first; total, so that no order of input shows through. A copy that was called off says so
 * for one guest (who was taken off the list, say), unless it is that of the organizer of all.
 */
function rankCopies(copies: readonly CalendarEvent[], order: AccountOrder): CalendarEvent[] {
  // A backend that does not tell is not one whose copy is old: compare only what all of them tell.
  const sequenced = copies.every(({ sequence }) => sequence !== undefined);
  const dated = copies.every(({ updated }) => updated !== null);
  const newest = (a: CalendarEvent, b: CalendarEvent): number =>
    (sequenced ? (b.sequence ?? 0) - (a.sequence ?? 0) : 0) || (dated ? (b.updated ?? 0) - (a.updated ?? 0) : 0);
  const isCalledOff = (copy: CalendarEvent): boolean =>
    copy.status === 'cancelled' && !(isOrganized(copy) && !copies.some((other) => areOfOthers(copy, other)));
  return [...copies].sort(
    (a, b) =>
      first(!isFeed(a), !isFeed(b)) ||
      first(!isCalledOff(a), !isCalledOff(b)) ||
      first(!a.readOnly, !b.readOnly) ||
      first(isOrganized(a), isOrganized(b)) ||
      newest(a, b) ||
      order(a.account) - order(b.account) ||
      text(a.account, b.account) ||
      text(a.calendar.id, b.calendar.id) ||
      text(a.id, b.id),
  );
}

/**
 * How surely a copy shows that another one, at another time, is old, so that its time is free: the organizer's own copy
 * (3), a later version of the invitation (2), a live copy beside a feed's (1). 0: not at all, and the meeting may be at
 * either time. An invitation of somebody else that has the UID of a meeting must not free its time. When a copy was
 * last changed shows nothing: an answer changes it as well.
 */
function proofBy(by: CalendarEvent, copy: CalendarEvent): number {
  if (areOfOthers(by, copy)) return 0;
  if (isFeed(by) === isFeed(copy) && by.status === 'cancelled' && copy.status !== 'cancelled' && !isOrganized(by))
    return 0;
  if (isOrganized(by) !== isOrganized(copy)) return isOrganized(by) && !(isFeed(by) && !isFeed(copy)) ? 3 : 0;
  const [ours, theirs] = [by.sequence, copy.sequence];
  if (ours !== undefined && theirs !== undefined && ours !== theirs && organizerOf(by) === organizerOf(copy))
    return ours > theirs ? 2 : 0;
  return isFeed(copy) && !isFeed(by) ? 1 : 0;
}

/**
 * Copies of one meeting. Those at other times that are known to be old stay with the copy that shows it; where nothing
 * does, each time is a meeting of its own.
 */
function settle(copies: readonly CalendarEvent[]): Iterable<Meeting> {
  if (!haveMoved(copies)) return [{ copies, old: NONE }];
  const times = [...groupBy(copies, startKey)]
    .sort(([a], [b]) => text(String(a), String(b)))
    .map(([, alike]) => ({ copies: alike, old: [] as CalendarEvent[] }));
  const proof = (by: Meeting, copy: CalendarEvent): number => Math.max(...by.copies.map((one) => proofBy(one, copy)));
  const isOld = (time: Meeting): boolean =>
    time.copies.every((copy) => times.some((other) => other !== time && proof(other, copy) > 0));
  const left = times.filter((time) => !isOld(time));
  if (left.length === 0) return times;
  for (const time of times) {
    if (left.includes(time)) continue;
    const proofs = left.map((other) => Math.min(...time.copies.map((copy) => proof(other, copy))));
    const best = left[proofs.indexOf(Math.max(...proofs))];
    // Old by a copy that is old itself, or each copy by another one: it stays where it is.
    if (best === undefined || Math.max(...proofs) === 0) left.push(time);
    else best.old.push(...time.copies);
  }
  return left;
}

/** @param group all copies of the meeting, shown or not */
function mergeCopies({ copies, old }: Meeting, order: AccountOrder, group?: readonly CalendarEvent[]): MergedEvent {
  const [only] = copies;
  if (only !== undefined && copies.length === 1 && old.length === 0)
    return { event: only, copies, busy: busyOf(only), staleCopies: NONE, group: group ?? copies };
  const ranked = rankCopies(copies, order);
  const stale = rankCopies(old, order);
  const all = [...ranked, ...stale];
  return {
    event: all[0] as CalendarEvent,
    copies: all,
    // Declined in one mailbox and accepted in another is accepted: the copies that count are those that block.
    busy: all.map(busyOf).reduce(mostSevere),
    staleCopies: ranked.length === 0 ? NONE : stale,
    group: group ?? all,
  };
}

/** Whether one item takes all the time that another one takes: then nothing is missed where that one is not shown. */
function takesAsMuch(one: MergedEvent, other: MergedEvent): boolean {
  const placeOf = ({ event, staleCopies }: MergedEvent, copy: CalendarEvent): string => {
    const at = staleCopies.includes(copy) ? event : copy;
    return `${startKey(at)} ${endKey(at)} ${copy.ownerZone}`;
  };
  return other.copies.every(
    (copy) =>
      !isBlocking(busyOf(copy)) ||
      other.event.status === 'cancelled' ||
      // What was called off takes no time, whatever a copy of it still says (blocksOf).
      (one.event.status !== 'cancelled' &&
        one.copies.some((own) => placeOf(one, own) === placeOf(other, copy) && isAtLeast(busyOf(own), busyOf(copy)))),
  );
}

/** From the copy that says most to the one that says least. */
const SHOWING = ['full', 'title', 'masked', 'busy'] as const;

/**
 * One meeting, as one item, unless copies of it may be shown to different degrees: those are never mixed. Where the
 * audience holds a copy itself, that copy is what it sees. Time that the meeting takes and that is not shown by then
 * is a busy stretch of nobody in particular: less would call it free.
 */
function mergeGroup(meeting: Meeting, order: AccountOrder): MergedEvent[] {
  const { copies, old } = meeting;
  const whole = old.length === 0 ? copies : [...copies, ...old];
  const isOwn = ({ account }: CalendarEvent): boolean => account !== OTHER_ACCOUNTS;
  if (whole.every((copy) => isOwn(copy) && copy.disclosed === undefined)) return [mergeCopies(meeting, order)];
  const group = rankCopies(whole, order);
  const holdsOwn = whole.some(isOwn);
  const only = (shows: (copy: CalendarEvent) => boolean): Meeting => ({
    copies: copies.filter(shows),
    old: old.filter(shows),
  });
  const levels = SHOWING.map((level) =>
    only((copy) => (copy.disclosed ?? 'full') === level && (isOwn(copy) || !holdsOwn)),
  );
  const unnamed = (copy: CalendarEvent): CalendarEvent => ({ ...busyOnly(copy), account: OTHER_ACCOUNTS });
  const shown: MergedEvent[] = [];
  for (const alike of [...levels, { copies: copies.map(unnamed), old: old.map(unnamed) }]) {
    if (alike.copies.length + alike.old.length === 0) continue;
    const merged = mergeCopies(alike, order, group);
    if (!shown.some((other) => takesAsMuch(other, merged))) shown.push(merged);
  }
  return shown;
}

/** The newest of the rows that a backend returned twice for one event (pages that overlap, a write between them). */
function distinct(events: Iterable<CalendarEvent>): CalendarEvent[] {
  const newest: CalendarEvent[] = [];
  // Maps in maps: one text of several ids would have to be unambiguous whatever they are, and cost more than the rest.
  const accounts = new Map<string, Map<string, Map<string, number>>>();
  for (const event of events) {
    const calendars = getOrMake(accounts, event.account);
    const positions = getOrMake(calendars, event.calendar.id);
    const position = positions.get(event.id);
    if (position === undefined) positions.set(event.id, newest.push(event) - 1);
    else if (compareVersions(event, newest[position] as CalendarEvent) < 0) newest[position] = event;
  }
  return newest;
}

function getOrMake<K, V>(maps: Map<string, Map<K, V>>, key: string): Map<K, V> {
  let map = maps.get(key);
  if (map === undefined) {
    map = new Map();
    maps.set(key, map);
  }
  return map;
}

/** A total order, so that which row came first does not matter. */
function compareVersions(a: CalendarEvent, b: CalendarEvent): number {
  return (
    (b.updated ?? 0) - (a.updated ?? 0) ||
    (b.sequence ?? 0) - (a.sequence ?? 0) ||
    text(JSON.stringify(a), JSON.stringify(b))
  );
}

/** Whether copies of one meeting stand at different times. */
function haveMoved(copies: readonly CalendarEvent[]): boolean {
  return copies.some((copy, index) => index > 0 && startKey(copy) !== startKey(copies[0] as CalendarEvent));
}

/**
 * One calendar holds a meeting once. Where it holds several things of one UID at different times (who is invited to two
 * occurrences of a series gets two single events; a feed may use one UID for everything), they are different meetings,
 * told apart by their start in all calendars.
 */
function splitByStart(copies: CalendarEvent[]): Iterable<CalendarEvent[]> {
  if (!haveMoved(copies)) return [copies];
  const calendars = groupBy(copies, ({ account, calendar }) => JSON.stringify([account, calendar.id]));
  return [...calendars.values()].some(haveMoved) ? groupBy(copies, startKey).values() : [copies];
}

/**
 * The meetings among the events of one UID: a single one, or the occurrences of a series, by slot. Not every mailbox
 * knows the series: who was invited to a single occurrence holds a single event with the UID of the series. It joins the
 * occurrence that starts at the same moment.
 */
function bySlot(events: CalendarEvent[]): Iterable<CalendarEvent[]> {
  const occurrences = events.filter(({ kind }) => kind !== 'single');
  if (occurrences.length === 0) return [events];
  const slots = new Map<string | number, string>();
  if (occurrences.length < events.length)
    for (const occurrence of occurrences) {
      const known = slots.get(startKey(occurrence));
      const slot = slotKey(occurrence);
      if (known === undefined || slot < known) slots.set(startKey(occurrence), slot);
    }
  return groupBy(
    events,
    (event) => (event.kind === 'single' ? slots.get(startKey(event)) : undefined) ?? slotKey(event),
  ).values();
}

/** All copies of each meeting. */
function* meetingsIn(events: readonly CalendarEvent[]): Generator<Meeting> {
  // What has no UID is only ever itself.
  for (const [uid, alike] of groupBy(events, uidOf))
    if (uid === null) for (const event of alike) yield { copies: [event], old: NONE };
    else if (alike.length === 1) yield { copies: alike, old: NONE };
    else for (const slot of bySlot(alike)) for (const copies of splitByStart(slot)) yield* settle(copies);
}

function groupBy<K>(events: readonly CalendarEvent[], keyOf: (event: CalendarEvent) => K): Map<K, CalendarEvent[]> {
  const groups = new Map<K, CalendarEvent[]>();
  for (const event of events) add(groups, keyOf(event), event);
  return groups;
}

function add<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

/**
 * Merges what all accounts returned into one list, each meeting once, ordered by instant: all-day events first in
 * their day, then start, end, title and id. The result does not depend on the order of its input.
 * @param clock the zone that all-day events are placed in
 */
export function mergeEvents(
  events: Iterable<CalendarEvent>,
  { clock, order }: { readonly clock: ZoneClock; readonly order: AccountOrder },
): MergedEvent[] {
  return inOrder(itemsOf(distinct(events), order), clock);
}

/** The items of an answer, in no order. */
function* itemsOf(events: readonly CalendarEvent[], order: AccountOrder): Generator<MergedEvent> {
  for (const meeting of meetingsIn(events)) for (const item of mergeGroup(meeting, order)) yield item;
}

function inOrder(items: Iterable<MergedEvent>, clock: ZoneClock): MergedEvent[] {
  const unordered: MergedEvent[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  // The positions of each day's all-day events, and of its others: many short lists are sorted sooner than a long one.
  const days = new Map<number, number[]>();
  for (const item of items) {
    const { start, end } = spanOf(item.event, clock);
    add(days, 2 * clock.dayNumber(start) + Number(item.event.start.kind !== 'date'), unordered.length);
    unordered.push(item);
    starts.push(start);
    ends.push(end);
  }
  const compare = (a: number, b: number): number =>
    (starts[a] as number) - (starts[b] as number) ||
    (ends[a] as number) - (ends[b] as number) ||
    byTitle((unordered[a] as MergedEvent).event, (unordered[b] as MergedEvent).event);
  const ordered: MergedEvent[] = [];
  for (const [, positions] of [...days].sort(([a], [b]) => a - b))
    for (const position of positions.sort(compare)) ordered.push(unordered[position] as MergedEvent);
  return ordered;
}

function byTitle(a: CalendarEvent, b: CalendarEvent): number {
  return (
    text(a.title ?? '', b.title ?? '') ||
    // What may not be told apart is in an order that tells nothing.
    text(a.busy, b.busy) ||
    text(a.account, b.account) ||
    text(a.calendar.id, b.calendar.id) ||
    text(a.id, b.id)
  );
}
