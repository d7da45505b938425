/** Many mailboxes, one list: every meeting once, in order. */
import { busyOf, isAtLeast, mostSevere } from './busy.ts';
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
  /** Copies that still stand at another time than the shown one. */
  readonly staleCopies: readonly CalendarEvent[];
}

/** Position of an account in the configuration: the last resort where two copies are equally good. */
export type AccountOrder = (account: string) => number;

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Which copy tells the truth best, best first; total, so that no order of input shows through. Copies at different
 * times are one meeting that moved: then its organizer is right, else the newest, whoever may write to it. A copy that
 * was called off says so for one guest (who was taken off the list, say), unless it is the organizer's.
 */
function rankCopies(copies: readonly CalendarEvent[], order: AccountOrder): CalendarEvent[] {
  const moved = haveMoved(copies);
  // A backend that does not tell is not one whose copy is old: compare only what all of them tell.
  const sequenced = copies.every(({ sequence }) => sequence !== undefined);
  const dated = copies.every(({ updated }) => updated !== null);
  const newest = (a: CalendarEvent, b: CalendarEvent): number =>
    (sequenced ? (b.sequence ?? 0) - (a.sequence ?? 0) : 0) || (dated ? (b.updated ?? 0) - (a.updated ?? 0) : 0);
  const organized = (copy: CalendarEvent): number => Number(copy.myResponse === 'organizer');
  const calledOff = (copy: CalendarEvent): number => Number(copy.status === 'cancelled' && !organized(copy));
  return [...copies].sort(
    (a, b) =>
      Number(a.fromFeed ?? false) - Number(b.fromFeed ?? false) ||
      calledOff(a) - calledOff(b) ||
      (moved ? organized(b) - organized(a) || newest(a, b) : 0) ||
      Number(a.readOnly) - Number(b.readOnly) ||
      organized(b) - organized(a) ||
      newest(a, b) ||
      order(a.account) - order(b.account) ||
      text(a.account, b.account) ||
      text(a.calendar.id, b.calendar.id) ||
      text(a.id, b.id),
  );
}

const NONE: readonly CalendarEvent[] = [];

function alone(copies: readonly [CalendarEvent]): MergedEvent {
  return { event: copies[0], copies, busy: busyOf(copies[0]), staleCopies: NONE };
}

function mergeCopies(copies: readonly CalendarEvent[], order: AccountOrder): MergedEvent {
  const ranked = rankCopies(copies, order);
  const event = ranked[0] as CalendarEvent;
  return {
    event,
    copies: ranked,
    // Declined in one mailbox and accepted in another is accepted: the copies that count are those that block.
    busy: ranked.map(busyOf).reduce(mostSevere),
    staleCopies: ranked.filter((copy) => startKey(copy) !== startKey(event)),
  };
}

/** From the copy that says most to the one that says least. */
const SHOWING = ['full', 'title', 'masked', 'busy'] as const;

/**
 * One meeting, as one item, unless copies of it may be shown to different degrees: those are never mixed. Where the
 * audience holds a copy itself, that copy is what it sees, and nothing of a copy in another account but busy time that
 * its own does not show already.
 */
function mergeGroup(copies: readonly CalendarEvent[], order: AccountOrder): MergedEvent[] {
  const isOther = ({ account }: CalendarEvent): boolean => account === OTHER_ACCOUNTS;
  if (copies.every((copy) => copy.disclosed === undefined && !isOther(copy))) return [mergeCopies(copies, order)];
  const own = copies.filter((copy) => !isOther(copy));
  const others = copies.filter(isOther);
  const shown: MergedEvent[] = [];
  for (const side of [own, own.length === 0 ? others : others.map(busyOnly)])
    for (const level of SHOWING) {
      const alike = side.filter(({ disclosed = 'full' }) => disclosed === level);
      if (alike.length === 0) continue;
      const merged = mergeCopies(alike, order);
      const isKnown = shown.some(
        ({ event, busy }) =>
          startKey(event) === startKey(merged.event) &&
          endKey(event) === endKey(merged.event) &&
          isAtLeast(busy, merged.busy),
      );
      if (!isKnown) shown.push(merged);
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
  const [first] = copies;
  return first !== undefined && copies.some((copy) => startKey(copy) !== startKey(first));
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
  const rows = distinct(events);
  const agenda = createAgenda(rows.length, clock);
  for (const [uid, alike] of groupBy(rows, uidOf)) {
    // What has no UID is only ever itself.
    if (uid === null) for (const event of alike) agenda.add(alone([event]));
    else if (isAlone(alike)) agenda.add(alone(alike));
    else
      for (const slot of bySlot(alike))
        for (const copies of splitByStart(slot)) for (const item of mergeGroup(copies, order)) agenda.add(item);
  }
  return agenda.inOrder();
}

const isAlone = (copies: readonly CalendarEvent[]): copies is readonly [CalendarEvent] => copies.length === 1;

interface Agenda {
  readonly add: (item: MergedEvent) => void;
  readonly inOrder: () => MergedEvent[];
}

function createAgenda(most: number, clock: ZoneClock): Agenda {
  // Each day is a list of its own, or two: many short lists of places are sorted in a third of the time of a long one.
  const days = new Map<number, number[]>();
  const starts = new Float64Array(most);
  const ends = new Float64Array(most);
  const items: MergedEvent[] = [];
  const compare = (a: number, b: number): number =>
    (starts[a] as number) - (starts[b] as number) ||
    (ends[a] as number) - (ends[b] as number) ||
    byTitle((items[a] as MergedEvent).event, (items[b] as MergedEvent).event);
  return {
    add(item) {
      const { start, end } = spanOf(item.event, clock);
      const place = items.push(item) - 1;
      starts[place] = start;
      ends[place] = end;
      add(days, clock.dayNumber(start) * 2 + Number(item.event.start.kind !== 'date'), place);
    },
    inOrder() {
      const ordered: MergedEvent[] = [];
      for (const [, places] of [...days].sort(([a], [b]) => a - b))
        for (const place of places.sort(compare)) ordered.push(items[place] as MergedEvent);
      return ordered;
    },
  };
}

function byTitle(a: CalendarEvent, b: CalendarEvent): number {
  return (
    text(a.title ?? '', b.title ?? '') ||
    text(a.account, b.account) ||
    text(a.calendar.id, b.calendar.id) ||
    text(a.id, b.id)
  );
}
