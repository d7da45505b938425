/** Two events that look like one, though nothing proves it: told, never hidden. */
import { isBlocking } from './busy.ts';
import type { CalendarEvent } from './event.ts';
import { endKey, startKey } from './identity.ts';
import type { MergedEvent } from './merge.ts';
import { foldText } from './search.ts';

/**
 * What tools that copy busy time between calendars call their blocks (Reclaim, OneCal, OGCS and others), and Google
 * what may be seen as busy time only.
 */
const PLACEHOLDERS = new Set(
  [
    'busy',
    'blocked',
    'block',
    'hold',
    'private',
    'unavailable',
    'personal commitment',
    'reserved',
    'not available',
  ].map(foldText),
);

export interface Likeness {
  /** Events of another account that this one is probably a block for. */
  readonly mirrors: ReadonlySet<MergedEvent>;
  /** The earlier one in order that an event is perhaps the same as: equal times and titles, and no UID that proves it. */
  readonly duplicates: ReadonlyMap<MergedEvent, MergedEvent>;
}

const timesKey = ({ event }: MergedEvent): string => `${startKey(event)} ${endKey(event)}`;

function isPlaceholder({ title, attendees = [], disclosed }: CalendarEvent): boolean {
  return disclosed === undefined && attendees.length === 0 && title !== null && PLACEHOLDERS.has(foldText(title));
}

const holders = ({ copies }: MergedEvent): string => [...new Set(copies.map(({ account }) => account))].sort().join();

function looksSame({ event: a }: MergedEvent, { event: b }: MergedEvent): boolean {
  if (a.title === null || b.title === null || foldText(a.title) !== foldText(b.title)) return false;
  const organizers = [a.organizer?.email?.toLowerCase(), b.organizer?.email?.toLowerCase()];
  return organizers[0] === undefined || organizers[1] === undefined || organizers[0] === organizers[1];
}

const placeOf = ({ event: { account, calendar } }: MergedEvent): string => `${account} ${calendar.id}`;

/**
 * Looks for blocks that mirror an event of another account at exactly the same time (D09), and for events that have
 * the same times and title in another calendar. What is free casts no block.
 * @param events merged, in the order of the answer
 */
export function findLikeness(events: readonly MergedEvent[]): Likeness {
  const groups = new Map<string, MergedEvent[]>();
  for (const event of events) {
    const group = groups.get(timesKey(event));
    if (group) group.push(event);
    else groups.set(timesKey(event), [event]);
  }
  const mirrors = new Set<MergedEvent>();
  const duplicates = new Map<MergedEvent, MergedEvent>();
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    for (const event of group)
      if (
        isPlaceholder(event.event) &&
        group.some(
          (other) => !isPlaceholder(other.event) && isBlocking(other.busy) && holders(other) !== holders(event),
        )
      )
        mirrors.add(event);
    for (const [index, event] of group.entries()) {
      const earlier = group
        .slice(0, index)
        .find((other) => !mirrors.has(event) && placeOf(other) !== placeOf(event) && looksSame(other, event));
      if (earlier) duplicates.set(event, duplicates.get(earlier) ?? earlier);
    }
  }
  return { mirrors, duplicates };
}
