/** What is true of the calendars of the soak, and since when: the other half of every oracle. */
import { Temporal } from 'temporal-polyfill';

/** Epoch milliseconds, or dates (YYYY-MM-DD); the end does not belong to it. */
export type Span =
  | { readonly kind: 'timed'; readonly start: number; readonly end: number }
  | { readonly kind: 'days'; readonly start: string; readonly end: string };

/** When something became so: between the two moments, in epoch milliseconds. */
export interface Change {
  readonly begun: number;
  /** Infinity while nobody knows whether it was done at all. */
  done: number;
  /** calmcp did it, so it knows at once; or somebody else, whom it sees when it looks. */
  by: 'calmcp' | 'others';
}

/** An event as it is for a while. */
export interface Version {
  readonly account: string;
  readonly title: string;
  readonly span: Span;
  readonly isBusy: boolean;
  readonly isPrivate: boolean;
  readonly from: Change;
  to: Change | undefined;
}

/** One event: its versions follow each other without a gap. */
export interface Entry {
  readonly account: string;
  readonly versions: Version[];
}

export interface Told {
  readonly title: string;
  readonly span: Span;
}

/** When a question was asked and answered, and the moment that the answer says it speaks of; epoch milliseconds. */
export interface Asked {
  readonly asked: number;
  readonly answered: number;
  readonly asOf: number;
}

export interface Range {
  /** Dates, both of them in it. */
  readonly first: string;
  readonly last: string;
  readonly zone: string;
}

export const always: Change = { begun: 0, done: 0, by: 'others' };

const DAY = 86_400_000;

export const datesAfter = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);

export function midnight(date: string, zone: string): number {
  return Temporal.PlainDate.from(date).toZonedDateTime(zone).epochMilliseconds;
}

export function isWithin(span: Span, { first, last, zone }: Range): boolean {
  if (span.kind === 'days') return span.start <= last && span.end > first;
  return span.start < midnight(datesAfter(last, 1), zone) && span.end > midnight(first, zone);
}

export const sameSpan = (one: Span, other: Span): boolean =>
  one.kind === other.kind && one.start === other.start && one.end === other.end;

/** Whether it had certainly happened by then, for whoever was asked so. */
const hasHappened = (change: Change, { asked, asOf }: Asked): boolean =>
  change.done < (change.by === 'calmcp' ? asked : asOf);

const mayHaveHappened = (change: Change, { answered }: Asked): boolean => change.begun <= answered;

/** Whether an answer has to tell of a version, may not, or is right either way. */
export function standing(version: Version, asked: Asked): 'there' | 'gone' | 'either' {
  const { from, to } = version;
  if (!mayHaveHappened(from, asked)) return 'gone';
  if (to !== undefined && hasHappened(to, asked)) return 'gone';
  const isLeft = to !== undefined && mayHaveHappened(to, asked);
  return hasHappened(from, asked) && !isLeft ? 'there' : 'either';
}

/** Whether one of its versions is there all the time, though perhaps another one by now. */
export function isThroughout({ versions }: Entry, asked: Asked): boolean {
  const [first] = versions;
  const last = versions.at(-1);
  if (first === undefined || last === undefined) return false;
  const isEnded = last.to !== undefined && mayHaveHappened(last.to, asked);
  return hasHappened(first.from, asked) && !isEnded;
}

export interface Ledger {
  readonly entries: readonly Entry[];
  of(account: string): readonly Entry[];
  add(version: Omit<Version, 'to'>): Entry;
  /** The event is this from now on. @returns what begins */
  change(entry: Entry, next: Pick<Version, 'title' | 'span'>, change: Change): Version;
  remove(entry: Entry, change: Change): void;
  /** Nothing came of the last change of it. */
  undo(entry: Entry, change: Change): void;
  /** Forgets what no answer can be about any more. @param before epoch milliseconds */
  prune(before: number): void;
}

export function createLedger(): Ledger {
  let entries: Entry[] = [];
  const lastOf = ({ versions }: Entry): Version => {
    const last = versions.at(-1);
    if (last === undefined) throw new RangeError('an event without a version');
    return last;
  };
  return {
    get entries() {
      return entries;
    },
    of: (account) => entries.filter((entry) => entry.account === account),
    add(version) {
      const entry: Entry = { account: version.account, versions: [{ ...version, to: undefined }] };
      entries.push(entry);
      return entry;
    },
    change(entry, next, change) {
      const last = lastOf(entry);
      last.to = change;
      const version: Version = { ...last, ...next, from: change, to: undefined };
      entry.versions.push(version);
      return version;
    },
    remove(entry, change) {
      lastOf(entry).to = change;
    },
    undo(entry, change) {
      if (lastOf(entry).from === change) entry.versions.pop();
      const last = entry.versions.at(-1);
      if (last === undefined) entries = entries.filter((other) => other !== entry);
      else if (last.to === change) last.to = undefined;
    },
    prune(before) {
      entries = entries.filter((entry) => (lastOf(entry).to?.done ?? Number.POSITIVE_INFINITY) > before);
      for (const entry of entries) {
        const old = entry.versions.filter(({ to }) => to !== undefined && to.done <= before).length;
        entry.versions.splice(0, Math.min(old, entry.versions.length - 1));
      }
    },
  };
}
