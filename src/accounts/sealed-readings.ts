/** Readings of one account sealed on disk, for the next start: with `cache: sealed` in accounts.yaml alone. */
import type { Calendar, Range } from '../core/event.ts';
import type { CalendarRead, Logger, ReadDepth, SecretStore } from '../core/provider.ts';
import { isRealTime } from '../core/time.ts';

/** Of what is sealed: another one is not read. */
const FORMAT = 2;
/** Milliseconds between a reading and its sealing, which takes those along that come meanwhile. */
const PAUSE_MS = 2_000;

export interface KeptReading {
  readonly calendars: readonly Calendar[];
  readonly range: Range;
  readonly depth: ReadDepth;
  readonly reads: readonly CalendarRead[];
  /** Epoch milliseconds. */
  readonly readAt: number;
  /** The sign-in it was read with. */
  readonly version: string;
}

export interface KeptList {
  readonly calendars: readonly Calendar[];
  readonly readAt: number;
  readonly version: string;
}

export interface Kept {
  readonly list: KeptList | undefined;
  readonly readings: readonly KeptReading[];
}

export interface SealedReadings {
  /** What was sealed before, as far as nobody has changed anything since. Nothing where it cannot be opened. */
  load(): Promise<Kept>;
  /** Seals what `kept` tells in a moment. */
  save(kept: () => Kept): void;
  /** @throws CalmcpError when the disk refuses */
  wipe(): Promise<void>;
  /** Seals what is still to be sealed. */
  close(): Promise<void>;
}

const NOTHING: Kept = { list: undefined, readings: [] };

interface Sealed extends Kept {
  readonly format: number;
  readonly changes: string;
  readonly source: string;
}

/** Whole readings alone: why a calendar could not be read is found out anew, and JSON has no word for a time that is none. */
const isWhole = ({ reads }: KeptReading): boolean =>
  reads.every(
    (read) =>
      'events' in read &&
      (read.problems === undefined || read.problems.length === 0) &&
      read.events.every(({ start, end }) => isRealTime(start) && isRealTime(end)),
  );

export function openSealedReadings({
  account,
  store,
  source,
  version,
  changes,
  seenChanges,
  log,
}: {
  readonly account: string;
  readonly store: SecretStore;
  /** What the account is made from: what was read of another one that was called so is not its own. */
  readonly source: string;
  /** The sign-in of this moment. */
  readonly version: () => Promise<string>;
  /** Differs when somebody has changed a calendar since. */
  readonly changes: () => Promise<string>;
  /** As {@link changes} was before anything was read that is kept now. */
  readonly seenChanges: () => string | undefined;
  readonly log: Logger;
}): SealedReadings {
  let waiting: { readonly timer: NodeJS.Timeout; readonly kept: () => Kept } | undefined;
  let writing: Promise<void> = Promise.resolve();
  let isWiped = false;

  function write(kept: Kept, seen: string | undefined): void {
    writing = writing.then(async () => {
      if (isWiped || seen === undefined) return;
      try {
        const signedIn = await version();
        const isOwn = (each: { readonly version: string }): boolean => each.version === signedIn;
        const list = kept.list !== undefined && isOwn(kept.list) ? kept.list : undefined;
        const readings = kept.readings.filter((each) => isOwn(each) && isWhole(each));
        // Nothing comes back after another process has signed out, not even an empty file.
        if (list === undefined && readings.length === 0 && (await store.version()) === 'none') return;
        const sealed: Sealed = { format: FORMAT, changes: seen, source, list, readings };
        // Under its lock, where what a killed one has left half written is removed.
        await store.exclusively(() => store.save(JSON.stringify(sealed)));
      } catch (error) {
        // A full disk, say: the next start asks anew.
        log.info('readings not sealed', { account, error });
      }
    });
  }

  function settle(): void {
    if (waiting === undefined) return;
    clearTimeout(waiting.timer);
    const { kept } = waiting;
    waiting = undefined;
    write(kept(), seenChanges());
  }

  return {
    async load() {
      try {
        const text = await store.load();
        if (text === undefined) return NOTHING;
        const sealed = JSON.parse(text) as Sealed;
        const { list, readings } = sealed;
        const isOurs = sealed.format === FORMAT && sealed.source === source && sealed.changes === (await changes());
        return isOurs ? { list, readings } : NOTHING;
      } catch (error) {
        log.info('sealed readings not used', { account, error });
        return NOTHING;
      }
    },
    save(kept) {
      if (waiting !== undefined) return;
      waiting = { kept, timer: setTimeout(settle, PAUSE_MS).unref() };
    },
    async wipe() {
      isWiped = true;
      clearTimeout(waiting?.timer);
      waiting = undefined;
      await writing;
      if ((await store.version()) !== 'none') await store.remove();
      isWiped = false;
    },
    async close() {
      settle();
      await writing;
    },
  };
}
