/** Two events that look like one, though nothing proves it: told, never hidden. */
import { isBlocking } from './busy.ts';
import { endKey, startKey } from './identity.ts';
import type { MergedEvent } from './merge.ts';
import { foldText } from './search.ts';

/** What tools that copy busy time between calendars call their blocks: Reclaim, OneCal, OGCS and others. */
const PLACEHOLDERS = new Set(['busy', 'blocked', 'block', 'unavailable', 'not available', 'personal commitment']);
/** Two titles that agree so far are the same. */
const COMPARED_CHARACTERS = 300;

export interface Likeness {
  /** Blocks that probably only keep the time of an event of another account. */
  readonly mirrors: ReadonlySet<MergedEvent>;
  /** The earlier one in order that an event is perhaps the same as: equal times and titles, and no UID that proves it. */
  readonly duplicates: ReadonlyMap<MergedEvent, MergedEvent>;
  /** Whether two events of different calendars have equal times and titles, so that they are perhaps one. */
  mayBeOne(a: MergedEvent, b: MergedEvent): boolean;
}

/** An event with what it is compared by, worked out once. */
interface Compared {
  readonly merged: MergedEvent;
  /** Folded; `null` where there is none, or where it may not be shown. */
  readonly title: string | null;
  readonly place: string;
  readonly organizer: string | undefined;
}

const timesKey = ({ event }: MergedEvent): string => `${startKey(event)} ${endKey(event)}`;
const holdersOf = ({ copies }: MergedEvent): string => [...new Set(copies.map(({ account }) => account))].sort().join();

function comparedOf(merged: MergedEvent): Compared {
  const { account, calendar, title, disclosed, organizer } = merged.event;
  return {
    merged,
    // Masked titles are all the same, and who may not see a title shall not learn that two are.
    title: title === null || disclosed !== undefined ? null : foldText(title.slice(0, COMPARED_CHARACTERS)),
    place: `${account} ${calendar.id}`,
    organizer: organizer?.email?.toLowerCase(),
  };
}

/** Nothing but a name: no people, no place. */
function isPlaceholder({ merged: { event }, title }: Compared): boolean {
  return title !== null && PLACEHOLDERS.has(title) && !event.location && !event.join && !event.attendees?.length;
}

const differ = (a: string | undefined, b: string | undefined): boolean => a !== undefined && b !== undefined && a !== b;

function looksSame(a: Compared, b: Compared): boolean {
  return a.title !== null && a.title === b.title && a.place !== b.place && !differ(a.organizer, b.organizer);
}

/** Blocks at the time of an event of another account that takes time itself: what is free casts no block (D09). */
function findMirrors(group: readonly Compared[]): MergedEvent[] {
  const placeholders = group.filter(isPlaceholder);
  if (placeholders.length === 0) return [];
  const holders = new Set(
    group.filter((one) => !isPlaceholder(one) && isBlocking(one.merged.busy)).map(({ merged }) => holdersOf(merged)),
  );
  return placeholders.flatMap(({ merged }) =>
    [...holders].some((holder) => holder !== holdersOf(merged)) ? [merged] : [],
  );
}

/**
 * Looks for blocks that mirror an event of another account at exactly the same time (D09), and for events that have
 * the same times and title in another calendar.
 * @param events merged, in the order of the answer
 */
export function findLikeness(events: readonly MergedEvent[]): Likeness {
  const groups = new Map<string, MergedEvent[]>();
  for (const event of events) {
    const group = groups.get(timesKey(event));
    if (group) group.push(event);
    else groups.set(timesKey(event), [event]);
  }
  const known = new Map<MergedEvent, Compared>();
  const compare = (merged: MergedEvent): Compared => {
    let compared = known.get(merged);
    if (compared === undefined) {
      compared = comparedOf(merged);
      known.set(merged, compared);
    }
    return compared;
  };
  const mirrors = new Set<MergedEvent>();
  const duplicates = new Map<MergedEvent, MergedEvent>();
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    const compared = group.map(compare);
    for (const mirror of findMirrors(compared)) mirrors.add(mirror);
    // Of each calendar and organizer, one of a title stands for all: a thousand at one time are not compared in pairs.
    const seen = new Map<string, Map<string, Compared>>();
    for (const one of compared) {
      if (one.title === null || mirrors.has(one.merged)) continue;
      const alike = seen.get(one.title) ?? new Map<string, Compared>();
      seen.set(one.title, alike);
      const earlier = [...alike.values()].find((other) => looksSame(other, one));
      if (earlier) duplicates.set(one.merged, earlier.merged);
      const key = JSON.stringify([one.place, one.organizer]);
      if (!alike.has(key)) alike.set(key, one);
    }
  }
  return {
    mirrors,
    duplicates,
    mayBeOne: (a, b) =>
      startKey(a.event) === startKey(b.event) &&
      endKey(a.event) === endKey(b.event) &&
      looksSame(compare(a), compare(b)),
  };
}
