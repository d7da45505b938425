/**
 * What was read of one account, kept for the next question. All calendars of an account are kept from one reading: of two
 * readings at two moments, an event that was moved in between could be in neither, and its time would read as free.
 */
import { CalmcpError, toCalmcpError } from '../core/errors.ts';
import type { Calendar, Range } from '../core/event.ts';
import type { CalendarProvider, CalendarRead, Call, Logger, ReadDepth } from '../core/provider.ts';
import { DAY } from '../core/time.ts';
import { eventsWithin, wholeWeeks } from '../core/windows.ts';
import { limitedSignal } from '../io/time-limit.ts';
import type { Kept, SealedReadings } from './sealed-readings.ts';
import { type SharedWork, shareWork } from './shared-work.ts';
import type { Shelf } from './shelf.ts';

/** Milliseconds that a list of calendars is good for: they come and go rarely. */
export const CALENDARS_MS = 300_000;
/** So much earlier it is read again in the background. */
const LIST_EARLIER_MS = 60_000;
/** What is older is of no use to any question. */
export const OLDEST_MS = 600_000;
/** Readings of one account: what one person asks about in a few minutes. */
const MOST_OF_ONE = 12;
/** Longest stretch that is kept up in the background: a month in whole weeks. */
const LIGHT_MS = 46 * DAY;
/** Time that a reading has which nobody waits for. */
const BACKGROUND_MS = 20_000;
/** Milliseconds after which it is read anew though its backend says that nothing changed: what it does not tell is not missed for ever. */
const WHOLE_MS = 1_800_000;

/** How old an answer may be. */
export interface Freshness {
  /** Milliseconds since it was read; 0: it is read after this moment. */
  readonly maxAgeMs: number;
  /** Up to this age an older one is told, labelled as stale, while it is read anew. */
  readonly staleMs?: number | undefined;
}

export const LIVE: Freshness = { maxAgeMs: 0 };

export interface AccountRead {
  readonly reads: readonly CalendarRead[];
  /** Whether it was in memory, and whether it is older than was asked for. */
  readonly origin: 'live' | 'kept' | 'stale';
}

export interface ReadingStats {
  /** Questions told from memory, those of them that were stale, those that joined a reading under way, and readings. */
  readonly hits: number;
  readonly stale: number;
  readonly joined: number;
  readonly misses: number;
  /** Readings in memory, and their events. */
  readonly kept: number;
  readonly events: number;
  /** Looks in the background: those that found everything as it was for less than a reading, and readings. */
  readonly confirmed: number;
  readonly refreshed: number;
}

export interface Readings {
  /** @throws CalmcpError */
  calendars(call: Call, freshness?: Freshness): Promise<readonly Calendar[]>;
  /** As {@link CalendarProvider.readCalendars}, from memory where that is fresh enough. @throws CalmcpError */
  read(
    calendars: readonly Calendar[],
    range: Range,
    depth: ReadDepth,
    freshness: Freshness,
    call: Call,
  ): Promise<AccountRead>;
  /** Nothing that was read, or is being read now, answers a later question. */
  forget(): void;
  /** Seals what is still to be sealed; what is read from now on is not kept. */
  close(): Promise<void>;
  stats(): ReadingStats;
  /** Forgets what is too old to be told to anybody. */
  sweep(): void;
  /** What questions were told from, that which was asked about last first. */
  readonly wanted: readonly Wanted[];
}

/** A reading that questions were told from. */
export interface Wanted {
  /** Milliseconds of the monotonic clock. */
  readonly askedAt: number;
  readonly readAt: number;
  /** Small enough to be read again and again. */
  readonly isLight: boolean;
  /**
   * Looks whether it still holds, and reads it anew where not. @returns whether anything had changed
   * @throws CalmcpError also where a part of it could not be read
   */
  refresh(call: Call): Promise<boolean>;
}

interface Snapshot {
  readonly calendars: readonly Calendar[];
  /** Ids of the calendars, in order. */
  readonly key: string;
  readonly range: Range;
  readonly depth: ReadDepth;
  reads: readonly CalendarRead[];
  /** Milliseconds of the monotonic clock at which it was begun to be read, or looked at. */
  readAt: number;
  /** At which it was last read as a whole. */
  readonly wholeAt: number;
  askedAt: number;
  /** The sign-in it was read with. */
  readonly version: string;
  /** It could not be read anew: it is told to nobody once it is too old. */
  failed: boolean;
}

interface Listing {
  readonly readAt: number;
  readonly version: string;
  readonly work: SharedWork<readonly Calendar[]>;
}

interface Flight {
  readonly key: string;
  readonly range: Range;
  readonly depth: ReadDepth;
  readonly readAt: number;
  readonly version: string;
  readonly work: SharedWork<readonly CalendarRead[]>;
}

export interface ReadingsOptions {
  readonly account: string;
  readonly open: () => Promise<CalendarProvider>;
  /** Differs when somebody else may have signed in. */
  readonly version: () => Promise<string>;
  /** Milliseconds; the clock that nobody sets. */
  readonly monotonic: () => number;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Epoch milliseconds of the machine. */
  readonly wall: () => number;
  readonly shelf: Shelf;
  readonly sealed?: SealedReadings | undefined;
  readonly log: Logger;
  readonly closed: AbortSignal;
}

const keyOf = (calendars: readonly Calendar[]): string => JSON.stringify(calendars.map(({ id }) => id));

const touches = (one: Range, other: Range): boolean => one.start < other.end && other.start < one.end;

const includes = (whole: Range, part: Range): boolean => whole.start <= part.start && whole.end >= part.end;

const isLight = ({ depth, range }: Pick<Snapshot, 'depth' | 'range'>): boolean =>
  depth === 'agenda' && range.end - range.start <= LIGHT_MS;

/** Errors that the next question will meet as well: a calendar that may not be read. */
const LASTING = new Set(['FORBIDDEN', 'NOT_FOUND']);

function isWorthKeeping(reads: readonly CalendarRead[]): boolean {
  return reads.every((read) => ('error' in read ? LASTING.has(read.error.code) : true));
}

/** What is not known of a whole week may be known of the day that is asked about. */
const hasProblems = (reads: readonly CalendarRead[]): boolean =>
  reads.some((read) => 'events' in read && read.problems !== undefined && read.problems.length > 0);

/** By which a reading is known again, whenever it was made. */
function fingerprintOf(reads: readonly CalendarRead[]): string {
  const parts = reads.flatMap((read): unknown[] =>
    'error' in read ? [read.error.code] : read.events.map(({ id, etag, start, end }) => [id, etag, start, end]),
  );
  return parts
    .map((part) => JSON.stringify(part))
    .sort()
    .join();
}

function eventsOf(reads: readonly CalendarRead[]): number {
  return reads.reduce((sum, read) => sum + ('events' in read ? read.events.length : 0), 0);
}

/** @returns as {@link Readings}, with nothing kept: for a program that answers one question and ends */
export function directReadings(open: () => Promise<CalendarProvider>): Readings {
  return {
    calendars: async (call) => (await open()).listCalendars(call),
    read: async (calendars, range, depth, _freshness, call) => ({
      reads: await (await open()).readCalendars(calendars, range, call, depth),
      origin: 'live',
    }),
    forget: () => undefined,
    close: async () => undefined,
    sweep: () => undefined,
    stats: () => NOTHING_YET,
    wanted: [],
  };
}

const NOTHING_YET: ReadingStats = {
  hits: 0,
  stale: 0,
  joined: 0,
  misses: 0,
  kept: 0,
  events: 0,
  confirmed: 0,
  refreshed: 0,
};

export function openReadings(options: ReadingsOptions): Readings {
  const { account, open, version, monotonic, now, wall, shelf, sealed, log, closed } = options;
  const counts = { hits: 0, stale: 0, joined: 0, misses: 0, confirmed: 0, refreshed: 0 };
  /** Those that were read last come first. */
  let snapshots: readonly Snapshot[] = [];
  let flights: readonly Flight[] = [];
  /** What began under another number may not be kept. */
  let generation = 0;
  let list: { readonly calendars: readonly Calendar[]; readonly readAt: number; readonly version: string } | undefined;
  let listing: Listing | undefined;
  let isClosed = false;

  function drop(snapshot: Snapshot): void {
    snapshots = snapshots.filter((other) => other !== snapshot);
    shelf.remove(snapshot);
  }

  function keep(snapshot: Snapshot): void {
    if (isClosed) return;
    // Whoever has been told of a change is not told of the time before it by an older reading, be it one that took longer.
    const met = snapshots.filter((other) => other.key === snapshot.key && touches(snapshot.range, other.range));
    if (met.some((other) => other.readAt > snapshot.readAt)) return;
    for (const other of snapshots) if (other.key !== snapshot.key || met.includes(other)) drop(other);
    snapshots = [snapshot, ...snapshots];
    for (const other of snapshots.slice(MOST_OF_ONE)) drop(other);
    shelf.put(snapshot, eventsOf(snapshot.reads), () => drop(snapshot));
    sealed?.save(keptNow);
  }

  const keptNow = (): Kept => {
    const toEpoch = (readAt: number): number => wall() - (monotonic() - readAt);
    return {
      list: list === undefined ? undefined : { ...list, readAt: toEpoch(list.readAt) },
      readings: snapshots.map(({ calendars, range, depth, reads, readAt, version }) => ({
        calendars,
        range,
        depth,
        reads,
        readAt: toEpoch(readAt),
        version,
      })),
    };
  };

  /** What was sealed by the last one, before anything is read. */
  async function restore({ load }: SealedReadings): Promise<void> {
    const began = generation;
    const kept = await load();
    if (generation !== began) return;
    const ageOf = ({ readAt }: { readonly readAt: number }): number => wall() - readAt;
    const isUseful = (each: { readonly readAt: number }): boolean => ageOf(each) >= 0 && ageOf(each) <= OLDEST_MS;
    if (kept.list !== undefined && isUseful(kept.list))
      list ??= { ...kept.list, readAt: monotonic() - ageOf(kept.list) };
    for (const reading of kept.readings.filter(isUseful)) {
      const readAt = monotonic() - ageOf(reading);
      const { calendars, range, depth, reads, version } = reading;
      const key = keyOf(calendars);
      keep({ calendars, key, range, depth, reads, readAt, wholeAt: readAt, askedAt: readAt, version, failed: false });
    }
  }
  let restored: Promise<void> | undefined;
  const ready = (): Promise<void> | undefined => {
    if (sealed !== undefined) restored ??= restore(sealed);
    return restored;
  };

  function forget(): void {
    generation++;
    for (const snapshot of snapshots) drop(snapshot);
    flights = [];
    list = undefined;
    listing = undefined;
    sealed?.save(keptNow);
  }

  function startFlight(
    calendars: readonly Calendar[],
    range: Range,
    depth: ReadDepth,
    provider: CalendarProvider,
    signedIn: string,
    askedAt?: number,
  ): Flight {
    const began = generation;
    const readAt = monotonic();
    const key = keyOf(calendars);
    const work = shareWork(async (call) => {
      try {
        const reads = await provider.readCalendars(calendars, range, call, depth);
        // One that was deleted since it was listed.
        if (reads.some((read) => 'error' in read && read.error.code === 'NOT_FOUND')) list = undefined;
        if (generation === began && isWorthKeeping(reads))
          keep({
            calendars,
            key,
            range,
            depth,
            reads,
            readAt,
            wholeAt: readAt,
            askedAt: askedAt ?? readAt,
            version: signedIn,
            failed: false,
          });
        return reads;
      } finally {
        flights = flights.filter((other) => other !== flight);
      }
    });
    const flight: Flight = { key, range, depth, readAt, version: signedIn, work };
    flights = [...flights, flight];
    return flight;
  }

  const background = ({ unnamed }: Pick<Call, 'unnamed'>): Call => ({
    signal: limitedSignal(BACKGROUND_MS, () => new CalmcpError('UNAVAILABLE', 'did not answer in time'), closed),
    deadline: performance.now() + BACKGROUND_MS,
    countRequest: () => undefined,
    background: true,
    ...(unnamed ? { unnamed } : {}),
  });

  function startListing(provider: CalendarProvider, signedIn: string): Listing {
    const began = generation;
    const readAt = monotonic();
    const mine: Listing = {
      readAt,
      version: signedIn,
      work: shareWork(async (call) => {
        try {
          const calendars = await provider.listCalendars(call);
          if (generation === began) list = { calendars, readAt, version: signedIn };
          return calendars;
        } finally {
          if (listing === mine) listing = undefined;
        }
      }),
    };
    listing = mine;
    return mine;
  }

  /** For a question that has been answered from memory. */
  function goOn(asked: Call, work: (call: Call) => Promise<unknown>): void {
    work(background(asked)).catch((thrown: unknown) => {
      if (!asked.unnamed) log.info('account not read again', { account, error: toCalmcpError(thrown) });
    });
  }

  /** @param range what is read anew of it */
  async function readAnew(
    snapshot: Snapshot,
    { range, depth }: Pick<Snapshot, 'range' | 'depth'>,
    call: Call,
  ): Promise<readonly CalendarRead[]> {
    const { key, calendars, askedAt } = snapshot;
    try {
      const [provider, signedIn] = await Promise.all([open(), version()]);
      // Nothing is waited for from here on: many questions at one moment are one reading.
      const flight =
        flights.find(
          (each) => !each.work.isGivenUp && each.key === key && includes(each.range, range) && each.depth === depth,
        ) ?? startFlight(calendars, range, depth, provider, signedIn, askedAt);
      const reads = await flight.work.join(call);
      snapshot.failed = !isWorthKeeping(reads);
      return reads;
    } catch (thrown) {
      snapshot.failed = true;
      throw thrown;
    }
  }

  async function calendars(
    call: Call,
    { maxAgeMs, staleMs = 0 }: Freshness = { maxAgeMs: CALENDARS_MS },
  ): Promise<readonly Calendar[]> {
    const provider = await open();
    if (provider.isLocal) return provider.listCalendars(call);
    const [signedIn] = await Promise.all([version(), ready()]);
    const isGood = (known: { readAt: number; version: string } | undefined, age: number): boolean =>
      known !== undefined && known.version === signedIn && age > 0 && monotonic() - known.readAt <= age;
    if (list !== undefined && isGood(list, maxAgeMs)) return list.calendars;
    const under =
      listing !== undefined && !listing.work.isGivenUp && isGood(listing, maxAgeMs)
        ? listing
        : startListing(provider, signedIn);
    if (list === undefined || !isGood(list, staleMs)) return under.work.join(call);
    goOn(call, under.work.join);
    return list.calendars;
  }

  async function refresh(snapshot: Snapshot, call: Call): Promise<boolean> {
    const [provider, signedIn] = await Promise.all([open(), version()]);
    if (snapshot.version !== signedIn || !snapshots.includes(snapshot)) {
      drop(snapshot);
      return true;
    }
    await calendars(call, { maxAgeMs: CALENDARS_MS - LIST_EARLIER_MS });
    const began = generation;
    const readAt = monotonic();
    const { reads } = snapshot;
    const marked = reads.flatMap((read) =>
      'events' in read && read.mark !== undefined ? [{ calendar: read.calendar, mark: read.mark }] : [],
    );
    if (provider.stillHolds !== undefined && marked.length === reads.length && readAt - snapshot.wholeAt < WHOLE_MS) {
      const asOf = now();
      const marks = await provider.stillHolds(marked, call).catch((thrown: unknown) => {
        snapshot.failed = true;
        throw thrown;
      });
      if (generation !== began) return true;
      if (marks.every((mark) => mark !== undefined)) {
        snapshot.reads = reads.map((read, index) => {
          const mark = marks[index];
          if (mark === undefined) throw new TypeError(`the provider of ${account} left out a mark`);
          return { ...read, asOf, mark };
        });
        snapshot.readAt = readAt;
        snapshot.failed = false;
        counts.confirmed++;
        return false;
      }
    }
    const after = await readAnew(snapshot, snapshot, call);
    counts.refreshed++;
    for (const read of after) if ('error' in read && !LASTING.has(read.error.code)) throw read.error;
    return fingerprintOf(after) !== fingerprintOf(reads);
  }

  function told({ reads }: { readonly reads: readonly CalendarRead[] }, range: Range): readonly CalendarRead[] {
    return reads.map((read) => ('error' in read ? read : { ...read, events: eventsWithin(read.events, range) }));
  }

  return {
    forget,
    async close() {
      isClosed = true;
      const sealing = sealed?.close();
      for (const snapshot of snapshots) drop(snapshot);
      await sealing;
    },
    calendars,
    async read(calendars, range, depth, { maxAgeMs, staleMs = 0 }, call) {
      const provider = await open();
      if (provider.isLocal)
        return { reads: await provider.readCalendars(calendars, range, call, depth), origin: 'live' };
      const [signedIn] = await Promise.all([version(), ready()]);
      const key = keyOf(calendars);
      const time = monotonic();
      const fits = (known: Pick<Snapshot, 'key' | 'range' | 'depth' | 'version'>): boolean =>
        known.key === key &&
        known.version === signedIn &&
        includes(known.range, range) &&
        (depth === 'agenda' || known.depth === 'full');
      const isExact = (known: Range): boolean => known.start === range.start && known.end === range.end;
      const [kept] = snapshots
        .filter((known) => fits(known) && (isExact(known.range) || !hasProblems(known.reads)))
        .sort((one, other) => other.readAt - one.readAt);
      const age = kept === undefined ? Number.POSITIVE_INFINITY : time - kept.readAt;
      if (kept !== undefined && maxAgeMs > 0 && age <= maxAgeMs) {
        counts.hits++;
        kept.askedAt = time;
        shelf.touch(kept);
        return { reads: told(kept, range), origin: 'kept' };
      }
      if (kept !== undefined && age <= staleMs && !kept.failed) {
        counts.hits++;
        counts.stale++;
        kept.askedAt = time;
        // Of a long one, no more than was asked for.
        const part = isLight(kept) ? kept : { range: wholeWeeks(range), depth };
        goOn(call, (own) => readAnew(kept, part, own));
        return { reads: told(kept, range), origin: 'stale' };
      }
      const under = flights.find(
        (flight) => !flight.work.isGivenUp && maxAgeMs > 0 && time - flight.readAt <= maxAgeMs && fits(flight),
      );
      if (under !== undefined) counts.joined++;
      else counts.misses++;
      const flight = under ?? startFlight(calendars, wholeWeeks(range), depth, provider, signedIn);
      const whole = await flight.work.join(call);
      if (!hasProblems(whole) || isExact(flight.range)) return { reads: told({ reads: whole }, range), origin: 'live' };
      const exact =
        flights.find(
          (other) => !other.work.isGivenUp && other.readAt >= flight.readAt && isExact(other.range) && fits(other),
        ) ?? startFlight(calendars, range, depth, provider, signedIn);
      return { reads: told({ reads: await exact.work.join(call) }, range), origin: 'live' };
    },
    stats: () => ({
      ...counts,
      kept: snapshots.length,
      events: snapshots.reduce((sum, { reads }) => sum + eventsOf(reads), 0),
    }),
    sweep() {
      for (const snapshot of snapshots) if (monotonic() - snapshot.readAt > OLDEST_MS) drop(snapshot);
    },
    get wanted() {
      return [...snapshots]
        .sort((one, other) => other.askedAt - one.askedAt)
        .map((snapshot) => ({
          askedAt: snapshot.askedAt,
          readAt: snapshot.readAt,
          isLight: isLight(snapshot),
          refresh: (call: Call) => refresh(snapshot, call),
        }));
    },
  };
}
