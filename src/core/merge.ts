/** Many mailboxes, one list: every meeting once, in order. */
import { busyOf, isAtLeast, mostSevere } from './busy.ts';
import { busyOnly, OTHER_ACCOUNTS } from './disclosure.ts';
import type { Busy, CalendarEvent } from './event.ts';
import { endKey, meetingKey, normalizeUid, startKey } from './identity.ts';
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
  const moved = new Set(copies.map(startKey)).size > 1;
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
  const byId = new Map<string, CalendarEvent>();
  for (const event of events) {
    const id = JSON.stringify([event.account, event.calendar.id, event.id]);
    const known = byId.get(id);
    if (known === undefined || compareVersions(event, known) < 0) byId.set(id, event);
  }
  return [...byId.values()];
}

/** A total order, so that which row came first does not matter. */
function compareVersions(a: CalendarEvent, b: CalendarEvent): number {
  return (
    (b.updated ?? 0) - (a.updated ?? 0) ||
    (b.sequence ?? 0) - (a.sequence ?? 0) ||
    text(JSON.stringify(a), JSON.stringify(b))
  );
}

/**
 * One calendar holds a meeting once. Where it holds several things of one UID at different times (who is invited to two
 * occurrences of a series gets two single events; a feed may use one UID for everything), they are different meetings,
 * told apart by their start in all calendars.
 */
function splitByStart(groups: ReadonlyMap<string, readonly CalendarEvent[]>): Map<string, CalendarEvent[]> {
  const split = new Map<string, CalendarEvent[]>();
  for (const [key, copies] of groups) {
    const starts = new Map<string, string>();
    const several = copies.some((copy) => {
      const calendar = JSON.stringify([copy.account, copy.calendar.id]);
      const known = starts.get(calendar);
      starts.set(calendar, startKey(copy));
      return known !== undefined && known !== startKey(copy);
    });
    for (const copy of copies) add(split, several ? `${key}|${startKey(copy)}` : key, copy);
  }
  return split;
}

/**
 * Copies of one occurrence whose series is not known to every mailbox: who was invited to a single occurrence holds a
 * single event with the UID of the series. It joins the occurrence of that UID that starts at the same moment.
 */
function joinSingles(groups: ReadonlyMap<string, readonly CalendarEvent[]>): Map<string, CalendarEvent[]> {
  const momentOf = (copy: CalendarEvent): string | null =>
    meetingKey(copy) === null ? null : `${normalizeUid(copy.uid ?? '')}|${startKey(copy)}`;
  const occurrences = new Map<string, string>();
  for (const [key, copies] of groups)
    for (const copy of copies) {
      const moment = momentOf(copy);
      if (copy.kind === 'single' || moment === null) continue;
      const known = occurrences.get(moment);
      if (known === undefined || key < known) occurrences.set(moment, key);
    }
  const joined = new Map<string, CalendarEvent[]>();
  for (const [key, copies] of groups)
    for (const copy of copies) {
      const target = copy.kind === 'single' ? occurrences.get(momentOf(copy) ?? '') : undefined;
      add(joined, target ?? key, copy);
    }
  return joined;
}

function add(groups: Map<string, CalendarEvent[]>, key: string, event: CalendarEvent): void {
  const group = groups.get(key);
  if (group) group.push(event);
  else groups.set(key, [event]);
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
  const groups = new Map<string, CalendarEvent[]>();
  for (const event of distinct(events))
    add(groups, meetingKey(event) ?? JSON.stringify(['', event.account, event.calendar.id, event.id]), event);
  return sortMerged(
    [...splitByStart(joinSingles(groups)).values()].flatMap((copies) => mergeGroup(copies, order)),
    clock,
  );
}

function sortMerged(merged: readonly MergedEvent[], clock: ZoneClock): MergedEvent[] {
  return merged
    .map((item) => ({ item, span: spanOf(item.event, clock), day: clock.date(spanOf(item.event, clock).start) }))
    .sort(
      (a, b) =>
        text(a.day, b.day) ||
        Number(a.item.event.start.kind !== 'date') - Number(b.item.event.start.kind !== 'date') ||
        a.span.start - b.span.start ||
        a.span.end - b.span.end ||
        text(a.item.event.title ?? '', b.item.event.title ?? '') ||
        text(a.item.event.account, b.item.event.account) ||
        text(a.item.event.calendar.id, b.item.event.calendar.id) ||
        text(a.item.event.id, b.item.event.id),
    )
    .map(({ item }) => item);
}
