/**
 * What must hold for any calendars at all, against models that are too slow to use and too simple to be wrong.
 * CALMCP_PROPERTY_RUNS=20000 npx vitest run test/core/properties.test.ts looks harder.
 */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it, vi } from 'vitest';
import { isBlocking, mostSevere } from '../../src/core/busy.ts';
import { blocksOf, type ClockOf, layer, type OwnedBlock, unionOfBlocks } from '../../src/core/busy-blocks.ts';
import { findConflicts } from '../../src/core/conflicts.ts';
import { DISCLOSURES, type Disclosure, disclose, OWNER, type Sharing } from '../../src/core/disclosure.ts';
import type { BlockingBusy, Busy, CalendarEvent } from '../../src/core/event.ts';
import {
  firstEndingAfter,
  type Intervals,
  intersect,
  interval,
  meets,
  NOTHING,
  pairsOf,
  subtract,
  union,
  unionOf,
} from '../../src/core/intervals.ts';
import { findLikeness } from '../../src/core/likeness.ts';
import { type MergedEvent, mergeEvents } from '../../src/core/merge.ts';
import { foldText, matches, parseQuery } from '../../src/core/search.ts';
import { findSlots, RANKINGS, type SlotQuestion } from '../../src/core/slots.ts';
import { DAY, overlaps, spanOf, zoneClock } from '../../src/core/time.ts';
import { expandWorkingHours, WEEKDAYS, type WorkingHours } from '../../src/core/working-hours.ts';
import { type EventItem, toItem } from '../../src/operations/event-item.ts';
import { isListed } from '../../src/operations/list-events.ts';
import { parseReference, referenceOf } from '../../src/operations/reference.ts';
import { at, event, on } from './events.ts';

const RUNS = Number(process.env.CALMCP_PROPERTY_RUNS ?? 1_000);
vi.setConfig({ testTimeout: 60_000 * Math.max(1, RUNS / 1_000) });
const options = { numRuns: RUNS };
const ALWAYS = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

const MINUTE = 60_000;
const QUARTER = 15 * MINUTE;
const ms = (instant: string): number => Date.parse(instant);
const ALL_ZONES = Intl.supportedValuesOf('timeZone');
/** Of every kind: half and quarter hours, DST of an hour and of half an hour, at midnight and in Ramadan, both ends of the world. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Nuuk',
  'America/Santiago',
  'Africa/Cairo',
  'Africa/Casablanca',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  'Pacific/Pago_Pago',
  '+05:30',
];
/** Days on which some of them change their clocks, as days since 1970. */
const DAYS = [
  '2026-02-14',
  '2026-03-07',
  '2026-03-21',
  '2026-03-28',
  '2026-04-04',
  '2026-04-23',
  '2026-09-05',
  '2026-09-26',
  '2026-10-03',
  '2026-10-24',
  '2026-10-31',
].map((date) => ms(date) / DAY);

const offsets = new Map<string, Map<number, number>>();

/** Offset in minutes by Temporal and nothing else. Clocks change on the quarter of an hour. */
function offsetAt(zone: string, epochMs: number): number {
  const quarter = Math.floor(epochMs / QUARTER);
  let known = offsets.get(zone);
  if (known === undefined) {
    known = new Map();
    offsets.set(zone, known);
  }
  let offset = known.get(quarter);
  if (offset === undefined) {
    offset =
      Temporal.Instant.fromEpochMilliseconds(quarter * QUARTER).toZonedDateTimeISO(zone).offsetNanoseconds / 60e9;
    known.set(quarter, offset);
  }
  return offset;
}

/** What a wall clock shows, as minutes since the beginning of 1970 there. */
const wallMinutes = (zone: string, epochMs: number): number => Math.floor(epochMs / MINUTE) + offsetAt(zone, epochMs);
const dateOf = (zone: string, epochMs: number): number => Math.floor(wallMinutes(zone, epochMs) / 1_440);

const pairs = (intervals: Intervals): number[][] => [...pairsOf(intervals)].map((pair) => [...pair]);

/** Whether an array of pairs is one that the algebra promises: in order, none empty, none touching the next. */
function isCanonical(intervals: Intervals): boolean {
  return intervals.every((moment, index) => index === 0 || moment > (intervals[index - 1] as number));
}

describe('the algebra of intervals, against a row of boxes', () => {
  const SIZE = 40;
  const stretches = fc.array(fc.tuple(fc.integer({ min: 0, max: SIZE }), fc.integer({ min: 0, max: SIZE })), {
    maxLength: 12,
  });
  type Stretches = readonly (readonly [number, number])[];
  const setOf = (list: Stretches): Intervals =>
    unionOf(
      list.map(([start]) => start),
      list.map(([, end]) => end),
    );
  const boxesOf = (list: Stretches): boolean[] =>
    Array.from({ length: SIZE }, (_, box) => list.some(([start, end]) => start <= box && box < end));
  const boxesIn = (intervals: Intervals): boolean[] => boxesOf(pairs(intervals) as [number, number][]);

  it('a union is what is in any of its stretches, in the one form there is for it', () => {
    fc.assert(
      fc.property(stretches, (list) => {
        const set = setOf(list);
        expect(boxesIn(set)).toEqual(boxesOf(list));
        expect(isCanonical(set)).toBe(true);
        expect(set).toEqual(setOf([...list].reverse()));
      }),
      options,
    );
  });

  it('union, intersection and difference are those of the boxes', () => {
    fc.assert(
      fc.property(stretches, stretches, (a, b) => {
        const [inA, inB] = [boxesOf(a), boxesOf(b)];
        const cases = [
          [union(setOf(a), setOf(b)), inA.map((box, index) => box || inB[index])],
          [intersect(setOf(a), setOf(b)), inA.map((box, index) => box && inB[index])],
          [subtract(setOf(a), setOf(b)), inA.map((box, index) => box && !inB[index])],
        ] as const;
        for (const [result, boxes] of cases) {
          expect(boxesIn(result)).toEqual(boxes);
          expect(isCanonical(result)).toBe(true);
        }
        expect(union(setOf(a), setOf(b))).toEqual(setOf([...a, ...b]));
      }),
      options,
    );
  });

  it('looking into a set finds what the boxes hold', () => {
    fc.assert(
      fc.property(stretches, fc.nat(SIZE), fc.nat(SIZE), (list, start, end) => {
        const set = setOf(list);
        expect(meets(set, start, end)).toBe(boxesOf(list).slice(start, Math.max(start, end)).some(Boolean));
        const found = pairs(set).findIndex((pair) => (pair[1] as number) > start);
        expect(firstEndingAfter(set, start)).toBe(found < 0 ? set.length / 2 : found);
      }),
      options,
    );
  });
});

describe('blocks laid over each other', () => {
  const SEVERITY: readonly BlockingBusy[] = ['tentative', 'unknown', 'busy', 'oof'];
  const block: fc.Arbitrary<OwnedBlock> = fc.record({
    owner: fc.constantFrom('a', 'b', 'c'),
    busy: fc.constantFrom(...SEVERITY),
    start: fc.integer({ min: -10, max: 50 }),
    end: fc.integer({ min: -10, max: 50 }),
  });
  const range = { start: 0, end: 40 };
  const covers = (one: { start: number; end: number }, box: number): boolean => one.start <= box && box < one.end;

  it('tell of every moment how severe the worst is, and of every block who makes it so', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const layers = layer(blocks, range);
        for (let box = range.start; box < range.end; box++) {
          const worst = blocks
            .filter((one) => covers(one, box))
            .map(({ busy }) => busy)
            .sort((a, b) => SEVERITY.indexOf(b) - SEVERITY.indexOf(a))[0];
          expect(layers.filter((one) => covers(one, box)).map(({ busy }) => busy)).toEqual(
            worst === undefined ? [] : [worst],
          );
        }
        for (const one of layers) {
          expect(one.end).toBeGreaterThan(one.start);
          expect([one.start >= range.start, one.end <= range.end]).toEqual([true, true]);
          const owners = blocks.filter(
            (other) =>
              other.busy === one.busy && other.start < other.end && other.start < one.end && one.start < other.end,
          );
          expect([...one.owners].sort()).toEqual([...new Set(owners.map(({ owner }) => owner))].sort());
        }
      }),
      options,
    );
  });

  it('follow each other without overlap, and what touches differs', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const layers = layer(blocks, range);
        for (const [index, one] of layers.entries()) {
          const next = layers[index + 1];
          if (next === undefined) continue;
          expect(next.start).toBeGreaterThanOrEqual(one.end);
          if (next.start === one.end) expect(next.busy).not.toBe(one.busy);
        }
      }),
      options,
    );
  });

  it('and what is free make up the range, and have nothing in common', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const whole = interval(range.start, range.end);
        const busy = unionOfBlocks(layer(blocks, range));
        const free = subtract(whole, busy);
        expect(union(busy, free)).toEqual(whole);
        expect(intersect(busy, free)).toEqual(NOTHING);
      }),
      options,
    );
  });

  it('of two ranges that touch are those of the whole, but for the cut', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), fc.integer({ min: 1, max: 39 }), (blocks, cut) => {
        const parts = [...layer(blocks, { start: 0, end: cut }), ...layer(blocks, { start: cut, end: 40 })];
        for (const busy of SEVERITY)
          expect(unionOfBlocks(parts.filter((one) => one.busy === busy))).toEqual(
            unionOfBlocks(layer(blocks, range).filter((one) => one.busy === busy)),
          );
      }),
      options,
    );
  });

  it('with an account that is unknown have no free time at all, and no less that is busy', () => {
    fc.assert(
      fc.property(fc.array(block, { maxLength: 12 }), (blocks) => {
        const unknown: OwnedBlock = { ...range, busy: 'unknown', owner: 'gone' };
        const layers = layer([...blocks, unknown], range);
        expect(unionOfBlocks(layers)).toEqual(interval(range.start, range.end));
        for (const busy of ['busy', 'oof'] as const)
          expect(layers.filter((one) => one.busy === busy)).toEqual(
            layer(blocks, range).filter((one) => one.busy === busy),
          );
      }),
      options,
    );
  });
});

const ACCOUNTS = ['alpha-one', 'alpha-two', 'beta', 'gamma'];
/** Lives far from everybody else. */
const FAR = { account: 'gamma', zone: 'Pacific/Kiritimati' };
const FIRST_DAY = ms('2026-03-28');
const dayAfter = (days: number): string => new Date(FIRST_DAY + days * DAY).toISOString().slice(0, 10);

const OUTLOOK =
  '040000008200E00074C5B7101A82E008000000005025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B';
const UIDS = ['«U1»', '«U2»', OUTLOOK, OUTLOOK.replace(/^(.{32}).{8}/, '$107EA0A0C')];

const times = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(36), fc.constantFrom(0, 1, 2, 2, 3, 4, 8, 40)).map(([from, length]) => ({
      start: at(new Date(FIRST_DAY + from * 2 * QUARTER).toISOString(), 'Asia/Tokyo'),
      end: at(new Date(FIRST_DAY + (from * 2 + length) * QUARTER).toISOString(), 'Asia/Tokyo'),
    })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.nat(2), fc.integer({ min: 1, max: 2 })).map(([from, length]) => ({
      start: on(dayAfter(from)),
      end: on(dayAfter(from + length)),
    })),
  },
);

/** Few values for everything that brings copies together, and texts that tell from where they come. */
const anyEvents: fc.Arbitrary<CalendarEvent[]> = fc
  .array(
    fc.record({
      account: fc.constantFrom(...ACCOUNTS),
      calendar: fc.constantFrom('one', 'two'),
      uid: fc.option(fc.constantFrom(...UIDS)),
      kind: fc.constantFrom('single', 'single', 'occurrence', 'exception'),
      recurrenceKey: fc.constantFrom(null, '2026-03-28T09:00:00Z'),
      times,
      title: fc.constantFrom(null, 'Budget', 'Busy', 'own'),
      busy: fc.constantFrom<Busy>('free', 'workingElsewhere', 'tentative', 'busy', 'busy', 'oof', 'unknown'),
      status: fc.constantFrom('confirmed', 'confirmed', 'tentative', 'cancelled'),
      myResponse: fc.constantFrom('organizer', 'accepted', 'declined', 'notResponded', 'none'),
      type: fc.constantFrom('default', 'default', 'default', 'focusTime', 'workingLocation'),
      sensitivity: fc.constantFrom('normal', 'normal', 'normal', 'private'),
      sequence: fc.constantFrom(undefined, 0, 1),
      updated: fc.constantFrom(null, 1, 2),
      readOnly: fc.boolean(),
      fromFeed: fc.constantFrom(undefined, undefined, true),
      mirror: fc.constantFrom(undefined, undefined, undefined, true),
    }),
    { maxLength: 12 },
  )
  .map((list) =>
    list.map(({ account, calendar, times: when, title, sequence, fromFeed, mirror, ...fields }, index) =>
      event({
        ...(fields as Partial<CalendarEvent>),
        ...when,
        account,
        calendar: { id: `«K${calendar}»`, name: `«N${account}»`, isDefault: false, access: 'read' },
        id: `«I${index}»`,
        title: title === 'own' ? `«T${index}»` : title,
        location: `«L${index}»`,
        text: `«X${index}»`,
        organizer: { name: `«O${index}»` },
        ...(sequence === undefined ? {} : { sequence }),
        ...(fromFeed === undefined ? {} : { fromFeed }),
        ...(mirror === undefined ? {} : { mirror }),
        ...(account === FAR.account && when.start.kind === 'date' ? { ownerZone: FAR.zone } : {}),
      }),
    ),
  );

const VIEWER = 'Europe/Berlin';
const viewer = zoneClock(VIEWER);
const clockOf: ClockOf = ({ ownerZone = VIEWER }) => zoneClock(ownerZone);
const merge = (events: Iterable<CalendarEvent>): MergedEvent[] =>
  mergeEvents(events, { clock: viewer, order: (account) => ACCOUNTS.indexOf(account) });
const blocked = (events: Iterable<CalendarEvent>): Intervals => unionOfBlocks(blocksOf(merge(events), clockOf));

function items(events: Iterable<CalendarEvent>, audience: string = OWNER): EventItem[] {
  const listed = merge(events).filter((merged) => isListed(merged, true));
  return listed.map((merged) => itemOf(merged, audience));
}

const itemOf = (merged: MergedEvent, audience: string): EventItem =>
  toItem(merged, { audience, clock: viewer, detail: 'full', likeness: findLikeness([]) });

const RANGE = { start: FIRST_DAY - DAY, end: FIRST_DAY + 6 * DAY, timeZone: VIEWER };

describe('any events at all', () => {
  const shuffled = anyEvents.chain((events) =>
    fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
  );

  it('have the same answers in whatever order they come', () => {
    const answers = (events: readonly CalendarEvent[]): string => {
      const merged = merge(events);
      const likeness = findLikeness(merged);
      const conflicts = findConflicts(merged, { range: ALWAYS, clockOf, isSame: () => false, limit: 99 });
      return JSON.stringify([
        merged.map((one) => toItem(one, { audience: OWNER, clock: viewer, detail: 'full', likeness })),
        layer(blocksOf(merged, clockOf), RANGE),
        conflicts.count,
        conflicts.pairs.map(({ start, end, events: both }) => [start, end, both.map((one) => one.event.id)]),
      ]);
    };
    fc.assert(
      fc.property(shuffled, ([events, others]) => {
        expect(answers(others)).toBe(answers(events));
      }),
      options,
    );
  });

  it('of two ranges that touch are those of the whole, and only what lies over the cut is in both', () => {
    fc.assert(
      fc.property(anyEvents, fc.integer({ min: -20, max: 200 }), (events, quarter) => {
        const cut = FIRST_DAY + quarter * QUARTER;
        const merged = merge(events);
        const within = (start: number, end: number): MergedEvent[] =>
          merged.filter((one) => overlaps(spanOf(one.event, viewer), { start, end, timeZone: VIEWER }));
        const [before, after] = [within(RANGE.start, cut), within(cut, RANGE.end)];
        for (const one of merged) {
          const { start, end } = spanOf(one.event, viewer);
          const isIn = [before.includes(one), after.includes(one)];
          expect(isIn).toEqual([start < cut, end > cut || start >= cut]);
          expect(isIn.every(Boolean)).toBe(start < cut && cut < end);
        }
        expect(new Set([...before, ...after])).toEqual(new Set(within(RANGE.start, RANGE.end)));
      }),
      options,
    );
  });

  it('with one more take as much time as before, or more', () => {
    fc.assert(
      fc.property(anyEvents, anyEvents, (events, more) => {
        // A UID of its own: a copy of a meeting may well say that it was moved or called off.
        const added = more.slice(0, 1).map((one) => ({ ...one, id: 'added', uid: '«added»' }));
        expect(subtract(blocked(events), blocked([...events, ...added]))).toEqual(NOTHING);
      }),
      options,
    );
  });

  it('take exactly the time of those that block, moment by moment', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        // Without copies: what merging makes of those is in merge.test.ts.
        const alone = events.map((one) => ({ ...one, uid: null }));
        const layers = layer(blocksOf(merge(alone), clockOf), RANGE);
        const seen = alone.map((one) => ({ ...one, busyAlone: merge([one])[0]?.busy ?? 'free' }));
        // Told at the end: 700 moments of a thousand weeks are many expectations.
        const wrong: unknown[] = [];
        for (let moment = RANGE.start; moment < RANGE.end; moment += QUARTER) {
          const busy = seen
            .filter((one) => {
              const zone = one.ownerZone ?? VIEWER;
              const now = wallMinutes(zone, moment) / 1_440;
              const at = (time: CalendarEvent['start']): boolean =>
                time.kind === 'timed' ? time.epochMs <= moment : ms(time.date) / DAY <= now;
              return at(one.start) && !at(one.end);
            })
            .map(({ busyAlone }) => busyAlone)
            .reduce(mostSevere, 'free');
          const [found, ...others] = layers.filter(({ start, end }) => start <= moment && moment < end);
          const wanted = isBlocking(busy) ? busy : undefined;
          if (others.length > 0 || found?.busy !== wanted) wrong.push({ moment, wanted, found, others });
        }
        expect(wrong).toEqual([]);
      }),
      options,
    );
  });

  it('are in conflict exactly where two meetings take one moment', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const merged = merge(events);
        const { pairs: found, count } = findConflicts(merged, {
          range: ALWAYS,
          clockOf,
          isSame: () => false,
          limit: 999,
        });
        const name = (both: readonly MergedEvent[]): string =>
          both
            .map((one) => one.event.id)
            .sort()
            .join();
        const expected = merged.flatMap((a, index) =>
          merged.slice(index + 1).flatMap((b) => {
            // As long as the copy that lasts longest.
            const [one, other] = [a, b].map((both) => unionOfBlocks(blocksOf([both], clockOf)));
            if (!one?.length || !other?.length) return [];
            const start = Math.max(one[0] ?? 0, other[0] ?? 0);
            const end = Math.min(one.at(-1) ?? 0, other.at(-1) ?? 0);
            return start < end ? [`${name([a, b])} ${start}-${end}`] : [];
          }),
        );
        expect(found.map((pair) => `${name(pair.events)} ${pair.start}-${pair.end}`).sort()).toEqual(expected.sort());
        expect(count).toBe(expected.length);
        expect(found.every((pair, index) => index === 0 || pair.start >= (found[index - 1]?.start ?? 0))).toBe(true);
      }),
      options,
    );
  });
});

describe('what an audience sees', () => {
  const CLIENTS: Readonly<Record<string, string>> = { 'alpha-one': 'A', 'alpha-two': 'A', beta: 'B', gamma: 'C' };
  const blind = (text: string): string => createHmac('sha256', 'key').update(text).digest('base64url');
  type Shares = Readonly<Record<string, Disclosure>>;
  const shares = (...levels: readonly Disclosure[]): fc.Arbitrary<Shares> =>
    fc.record(Object.fromEntries(ACCOUNTS.map((account) => [account, fc.constantFrom(...levels)])));
  const sharingOf = (account: string, levels: Shares): Sharing => ({
    client: CLIENTS[account] ?? account,
    share: levels[account] ?? 'busy',
  });
  const shown = (events: readonly CalendarEvent[], levels: Shares, audience = 'B'): CalendarEvent[] =>
    events.flatMap((one) => disclose(one, { audience, blind, ...sharingOf(one.account, levels) }) ?? []);
  /** Marks that tell from which event a text is, and its account, calendar, uid or zone. */
  const marksIn = (value: unknown): Set<string> =>
    new Set(JSON.stringify(value).match(/«[^»]*»|alpha-one|alpha-two|gamma|Asia\/Tokyo|Kiritimati/g) ?? []);

  it('has nothing in it that may not be shown', () => {
    fc.assert(
      fc.property(anyEvents, shares('none', 'busy', 'masked', 'title', 'full'), (events, levels) => {
        const allowed = new Set<string>();
        for (const one of events) {
          const mine = CLIENTS[one.account] === 'B';
          const level = mine ? 'full' : levels[one.account];
          if (one.sensitivity !== 'normal') continue;
          const marks = [...marksIn([one.title, ...(level === 'full' ? [one.location, 'Asia/Tokyo'] : [])])];
          if (level === 'title' || level === 'full') for (const mark of marks) allowed.add(mark);
          if (mine) allowed.add(`«N${one.account}»`);
        }
        for (const mark of marksIn(items(shown(events, levels), 'B'))) expect(allowed).toContain(mark);
      }),
      options,
    );
  });

  it('is made of events that hold no word of what is hidden', () => {
    fc.assert(
      fc.property(anyEvents, shares('busy', 'masked'), (events, levels) => {
        const hidden = events.filter(({ account }) => CLIENTS[account] !== 'B');
        // Where the owner of an account lives places their days; it is not shown.
        for (const mark of marksIn(shown(hidden, levels))) expect(mark).toBe('Kiritimati');
      }),
      options,
    );
  });

  it('is the same, whatever hidden events say', () => {
    fc.assert(
      fc.property(anyEvents, shares('busy', 'masked'), fc.string(), (events, levels, words) => {
        const others = events.map((one): CalendarEvent => {
          if (CLIENTS[one.account] === 'B') return one;
          const zoned = (time: CalendarEvent['start']): CalendarEvent['start'] =>
            time.kind === 'date' ? time : { ...time, zone: 'America/Lima' };
          return {
            ...one,
            title: words,
            text: words,
            location: words,
            categories: [words],
            warnings: [words],
            attendees: [{ name: words, response: 'declined' }],
            // Whether two copies are one organizer's does count: that shows which is old.
            organizer: { ...one.organizer, name: words },
            calendar: { ...one.calendar, name: words, color: words },
            start: zoned(one.start),
            end: zoned(one.end),
          };
        });
        expect(items(shown(others, levels), 'B')).toEqual(items(shown(events, levels), 'B'));
      }),
      options,
    );
  });

  it('of one event is more at a higher level, and most for its client and its owner', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        for (const one of events) {
          const marks = DISCLOSURES.map((level) =>
            marksIn(
              items(shown([one], Object.fromEntries(ACCOUNTS.map((account) => [account, level])), 'nobody'), 'nobody'),
            ),
          );
          marks.push(
            marksIn(items(shown([one], {}, CLIENTS[one.account]), CLIENTS[one.account])),
            marksIn(items([one])),
          );
          for (const [index, lower] of marks.entries())
            for (const mark of lower) expect(marks[index + 1] ?? lower).toContain(mark);
        }
      }),
      options,
    );
  });

  it('is what one sees of every meeting by itself: redaction and merging commute', () => {
    fc.assert(
      fc.property(anyEvents, shares('busy', 'masked', 'title', 'full'), (events, levels) => {
        const apart = merge(events).flatMap(({ copies }) => items(shown(copies, levels), 'B'));
        const together = items(shown(events, levels), 'B');
        const texts = (list: readonly EventItem[]): string[] => list.map((item) => JSON.stringify(item)).sort();
        expect(texts(together)).toEqual(texts(apart));
      }),
      options,
    );
  });

  it('takes no less time than it does for the owner', () => {
    fc.assert(
      fc.property(anyEvents, shares('busy', 'masked', 'title', 'full'), (events, levels) => {
        expect(pairs(subtract(blocked(events), blocked(shown(events, levels))))).toEqual([]);
      }),
      options,
    );
  });

  it('is nothing of what is not shared at all', () => {
    fc.assert(
      fc.property(anyEvents, shares('none', 'busy', 'title'), (events, levels) => {
        const rest = events.filter(({ account }) => CLIENTS[account] === 'B' || levels[account] !== 'none');
        expect(items(shown(events, levels), 'B')).toEqual(items(shown(rest, levels), 'B'));
      }),
      options,
    );
  });
});

describe('slots, against a search minute by minute', () => {
  interface Case extends Omit<SlotQuestion, 'clock' | 'hours' | 'blocked' | 'soft'> {
    readonly zone: string;
    readonly hours: Intervals;
    readonly meetings: readonly (readonly [number, number])[];
    readonly maybes: readonly (readonly [number, number])[];
  }

  const timeOfDay = fc.nat(47).map((half) => `${String(half >> 1).padStart(2, '0')}:${half % 2 === 0 ? '00' : '30'}`);
  const workingHours: fc.Arbitrary<WorkingHours> = fc
    .tuple(fc.subarray([...WEEKDAYS], { minLength: 4 }), timeOfDay, fc.oneof(timeOfDay, fc.constant('24:00')))
    .filter(([, start, end]) => start < end)
    .map(([days, start, end]) => ({ days, start, end }));

  const anyCase: fc.Arbitrary<Case> = fc
    .record({
      zone: fc.constantFrom(...ZONES),
      day: fc.constantFrom(...DAYS),
      from: fc.nat(288),
      length: fc.integer({ min: 6, max: 60 * 12 }),
      hours: fc.array(fc.tuple(fc.constantFrom(...ZONES), workingHours), { maxLength: 2 }),
      meetings: fc.array(fc.tuple(fc.nat(900), fc.constantFrom(-3, 0, 1, 3, 6, 12, 30, 100)), { maxLength: 8 }),
      maybes: fc.array(fc.tuple(fc.nat(900), fc.constantFrom(0, 3, 12, 100)), { maxLength: 3 }),
      buffer: fc.constantFrom(0, 0, 0, 5, 7),
      odd: fc.constantFrom(0, 0, 1, 30_001),
      notBefore: fc.integer({ min: -50, max: 800 }),
      durationMinutes: fc.constantFrom(1, 15, 30, 45, 60, 61, 180, 600, 1_440),
      gridMinutes: fc.constantFrom(1, 5, 15, 15, 30, 45, 60, 80, 90, 120, 480, 720, 1_440),
      ranking: fc.constantFrom(...RANKINGS),
      limit: fc.integer({ min: 1, max: 8 }),
      limitPerDay: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    })
    .map(({ zone, day, from, length, hours, meetings, maybes, buffer, odd, notBefore, ...fields }) => {
      const FIVE = 5 * MINUTE;
      const start = day * DAY + from * FIVE;
      const end = start + length * FIVE;
      const stretch = ([at, size]: readonly [number, number], around: number): [number, number] =>
        size <= 0
          ? [start + at * FIVE, start + (at + size) * FIVE]
          : [start + at * FIVE - around - odd, start + (at + size) * FIVE + around];
      return {
        ...fields,
        zone,
        range: { start, end },
        notBefore: start + notBefore * FIVE + odd,
        hours: hours
          .map(([where, when]) => expandWorkingHours(when, zoneClock(where), { start, end }))
          .reduce(intersect, interval(start - DAY, end + DAY)),
        meetings: meetings.map((one) => stretch(one, buffer * MINUTE)),
        maybes: maybes.map((one) => stretch(one, 0)),
      };
    });

  const setOf = (list: readonly (readonly [number, number])[]): Intervals =>
    unionOf(
      list.map(([start]) => start),
      list.map(([, end]) => end),
    );
  const search = ({ zone, meetings, maybes, ...question }: Case) =>
    findSlots({ ...question, clock: zoneClock(zone), blocked: setOf(meetings), soft: setOf(maybes) });
  const meetsAny = (list: readonly (readonly [number, number])[], start: number, end: number): boolean =>
    list.some(([from, to]) => from < to && from < end && start < to);
  const isOnGrid = ({ zone, gridMinutes }: Case, moment: number): boolean =>
    moment % MINUTE === 0 && wallMinutes(zone, moment) % gridMinutes === 0;

  /** Every slot that could be taken, soft or not, in the order of time. */
  function candidates(question: Case): { start: number; end: number; soft: boolean }[] {
    const { range, durationMinutes, notBefore, hours, meetings, maybes } = question;
    const found: { start: number; end: number; soft: boolean }[] = [];
    for (let start = Math.ceil(range.start / MINUTE) * MINUTE; start < range.end; start += MINUTE) {
      if (!isOnGrid(question, start)) continue;
      const end = start + durationMinutes * MINUTE;
      if (start < notBefore || end > range.end || meetsAny(meetings, start, end)) continue;
      if (!pairs(hours).some(([from, to]) => (from as number) <= start && end <= (to as number))) continue;
      found.push({ start, end, soft: meetsAny(maybes, start, end) });
    }
    return found;
  }

  function canAdd(
    slot: { start: number; end: number },
    taken: readonly { start: number; end: number }[],
    { zone, limitPerDay = Number.POSITIVE_INFINITY }: Case,
  ): boolean {
    const day = dateOf(zone, slot.start);
    return (
      taken.every((other) => other.end <= slot.start || slot.end <= other.start) &&
      taken.filter((other) => dateOf(zone, other.start) === day).length < limitPerDay
    );
  }

  it('every slot is free, in everybody’s hours, on the viewer’s grid, not too soon, and beside the others', () => {
    fc.assert(
      fc.property(anyCase, (question) => {
        const { range, durationMinutes, notBefore, hours, meetings, maybes, limit } = question;
        const { slots } = search(question);
        expect(slots.length).toBeLessThanOrEqual(limit);
        for (const [index, slot] of slots.entries()) {
          const { start, end, soft } = slot;
          expect(end - start).toBe(durationMinutes * MINUTE);
          expect([start >= range.start, end <= range.end, start >= notBefore]).toEqual([true, true, true]);
          expect(meetsAny(meetings, start, end)).toBe(false);
          expect(pairs(intersect(hours, interval(start, end)))).toEqual([[start, end]]);
          expect(isOnGrid(question, start)).toBe(true);
          expect(soft).toBe(meetsAny(maybes, start, end));
          expect(canAdd(slot, slots.slice(0, index), question)).toBe(true);
        }
        const firstSoft = slots.findIndex(({ soft }) => soft);
        if (firstSoft >= 0) expect(slots.slice(firstSoft).every(({ soft }) => soft)).toBe(true);
      }),
      options,
    );
  });

  it('none is found where there is none, and no room is left for one more', () => {
    fc.assert(
      fc.property(anyCase, (question) => {
        const { slots, emptyReason } = search(question);
        const possible = candidates(question);
        expect(slots.length === 0).toBe(possible.length === 0);
        expect(emptyReason === undefined).toBe(possible.length > 0);
        if (slots.length < question.limit)
          for (const slot of possible) expect(canAdd(slot, slots, question)).toBe(false);
        // A soft one is taken only when no free one is left.
        if (slots.some(({ soft }) => soft)) {
          const clean = slots.filter(({ soft }) => !soft);
          for (const slot of possible) if (!slot.soft) expect(canAdd(slot, clean, question)).toBe(false);
        }
      }),
      options,
    );
  });

  it('the earliest are those that one finds who takes one after the other', () => {
    fc.assert(
      fc.property(anyCase, (any) => {
        const question: Case = { ...any, ranking: 'earliest' };
        const possible = candidates(question);
        const taken: typeof possible = [];
        for (const soft of [false, true])
          for (const slot of possible)
            if (slot.soft === soft && taken.length < question.limit && canAdd(slot, taken, question)) taken.push(slot);
        expect(search(question).slots.map(({ start, end, soft }) => ({ start, end, soft }))).toEqual(taken);
      }),
      options,
    );
  });

  it('where there is none, the reason is the first that is true', () => {
    fc.assert(
      fc.property(anyCase, (question) => {
        const { emptyReason, longestFreeMinutes } = search(question);
        const { hours, range, notBefore, meetings, durationMinutes } = question;
        const longest = (set: Intervals): number =>
          Math.max(0, ...pairs(set).map(([from = 0, to = 0]) => Math.floor((to - from) / MINUTE)));
        const bookable = intersect(hours, interval(range.start, range.end));
        const ahead = intersect(bookable, interval(notBefore, range.end));
        expect(longestFreeMinutes).toBe(longest(subtract(ahead, setOf(meetings))));
        if (emptyReason === undefined) return;
        expect(emptyReason).toBe(
          longest(bookable) < durationMinutes ? 'outsideHours' : longest(ahead) < durationMinutes ? 'tooSoon' : 'noGap',
        );
      }),
      options,
    );
  });

  it('L12: the same question has the same answer, in whatever order the meetings come', () => {
    fc.assert(
      fc.property(anyCase, (question) => {
        const others = {
          ...question,
          meetings: [...question.meetings].reverse(),
          maybes: [...question.maybes].reverse(),
        };
        expect(search(others)).toEqual(search(question));
      }),
      options,
    );
  });

  it('one more meeting, or less of the hours, makes no slot possible that was not', () => {
    fc.assert(
      fc.property(anyCase, fc.nat(800), fc.nat(100), (question, from, length) => {
        const start = question.range.start + from * MINUTE;
        const more = { ...question, meetings: [...question.meetings, [start, start + length * MINUTE] as const] };
        const possible = new Set(candidates(question).map((slot) => slot.start));
        for (const slot of search(more).slots) expect(possible).toContain(slot.start);
        const less = { ...question, hours: subtract(question.hours, interval(start, start + length * MINUTE)) };
        for (const slot of search(less).slots) expect(possible).toContain(slot.start);
      }),
      options,
    );
  });
});

describe('working hours, against a clock that is read every minute', () => {
  /** Where and when clocks change, in five years. */
  const CHANGES = ALL_ZONES.flatMap((zone) => {
    const found: { zone: string; day: number }[] = [];
    let next = Temporal.Instant.from('2024-01-01T00:00Z').toZonedDateTimeISO(zone).getTimeZoneTransition('next');
    while (next && next.year < 2029) {
      found.push({ zone, day: Math.floor(next.epochMilliseconds / DAY) });
      next = next.getTimeZoneTransition('next');
    }
    return found;
  });

  function naive({ days, start, end }: WorkingHours, zone: string, range: { start: number; end: number }): Intervals {
    const minutes = (text: string): number => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
    const [from, until] = [minutes(start), minutes(end)];
    const starts: number[] = [];
    const ends: number[] = [];
    let open: { readonly day: number; readonly from: number } | undefined;
    let closedOn: number | undefined;
    for (let moment = range.start - 2 * DAY; moment < range.end + 2 * DAY; moment += MINUTE) {
      const wall = wallMinutes(zone, moment);
      const day = Math.floor(wall / 1_440);
      const time = wall - day * 1_440;
      // It ends when the clock first shows the end, or another day.
      if (open !== undefined && (day !== open.day || time >= until)) {
        starts.push(open.from);
        ends.push(moment);
        closedOn = open.day;
        open = undefined;
      }
      // 1970-01-01 was a Thursday.
      const works = days.includes(WEEKDAYS[(day + 3) % 7] as (typeof WEEKDAYS)[number]);
      if (open === undefined && works && day !== closedOn && time >= from) {
        if (time >= until) closedOn = day;
        else open = { day, from: moment };
      }
    }
    return unionOf(starts, ends);
  }

  it('are the same', () => {
    const clockTime = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom('00', '01', '15', '30', '59'))
      .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${minute}`);
    const where = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...CHANGES) },
      {
        weight: 1,
        arbitrary: fc.record({ zone: fc.constantFrom(...ALL_ZONES), day: fc.integer({ min: 18_300, max: 22_000 }) }),
      },
    );
    fc.assert(
      fc.property(
        where,
        fc.subarray([...WEEKDAYS], { minLength: 1 }),
        clockTime,
        fc.oneof(clockTime, fc.constant('24:00')),
        fc.nat(47),
        fc.integer({ min: 1, max: 60 }),
        ({ zone, day }, days, start, end, from, length) => {
          fc.pre(start < end);
          const begin = (day - 1) * DAY + from * 2 * QUARTER;
          const range = { start: begin, end: begin + length * 2 * QUARTER };
          const cut = interval(range.start, range.end);
          const found = expandWorkingHours({ days, start, end }, zoneClock(zone), range);
          expect(isCanonical(found)).toBe(true);
          expect(pairs(intersect(found, cut))).toEqual(pairs(intersect(naive({ days, start, end }, zone, range), cut)));
        },
      ),
      options,
    );
  });
});

describe('a time that is written', () => {
  const written = (zone: string, epochMs: number): void => {
    for (const precision of ['seconds', 'minutes'] as const) {
      const text = zoneClock(zone).format(epochMs, precision);
      if (Temporal.Instant.from(text).epochMilliseconds !== epochMs)
        throw new Error(`${zone}: ${new Date(epochMs).toISOString()} was written ${text} (${precision})`);
    }
  };

  it('is read as the same moment, in every zone around every change of its clocks', () => {
    for (const zone of ALL_ZONES) {
      const changes: number[] = [ms('2026-06-15T12:34:56.789Z')];
      let next = Temporal.Instant.from('2025-06-01T00:00Z').toZonedDateTimeISO(zone).getTimeZoneTransition('next');
      while (next && next.year < 2028) {
        changes.push(next.epochMilliseconds);
        next = next.getTimeZoneTransition('next');
      }
      for (const change of changes)
        for (const seconds of [-3_600, -1_800, -1, -0.001, 0, 0.001, 1, 59, 60, 1_799, 1_800, 3_599, 3_600])
          written(zone, change + seconds * 1_000);
    }
  });

  it('is read as the same moment, in any zone at any time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ALL_ZONES, ...ZONES),
        fc.integer({ min: ms('1900-01-01T00:00:00Z'), max: ms('2199-12-31T00:00:00Z') }),
        fc.constantFrom(1, 1_000, MINUTE),
        (zone, epochMs, unit) => written(zone, Math.floor(epochMs / unit) * unit),
      ),
      options,
    );
  });
});

describe('the short name of an event', () => {
  const accountId = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/);
  const named = fc
    .record({
      account: accountId,
      id: fc.string({ unit: 'binary', minLength: 1 }),
      calendar: fc.string({ unit: 'binary' }),
      day: fc.integer({ min: ms('1900-01-01') / DAY, max: ms('2200-01-01') / DAY }),
      time: fc.option(fc.nat(DAY - 1)),
    })
    .map(({ account, id, calendar, day, time }) =>
      event({
        account,
        id,
        calendar: { id: calendar, name: '', isDefault: true, access: 'read' },
        start:
          time === null
            ? on(new Date(day * DAY).toISOString().slice(0, 10))
            : { kind: 'timed', epochMs: day * DAY + time, zone: null },
      }),
    );

  it('is at most 24 characters, leads back to it, and tells its account and its day', () => {
    fc.assert(
      fc.property(named, fc.string(), (one, audience) => {
        const name = referenceOf(one, audience);
        expect(name.length).toBeLessThanOrEqual(24);
        expect(name).toMatch(/^[a-z0-9][a-z0-9_-]*\.[0-9a-z]+$/);
        for (const said of [name, ` ${name.toUpperCase()} `]) {
          const reference = parseReference(said);
          expect(reference?.names(one, audience)).toBe(true);
          expect(reference?.isOf(one.account)).toBe(true);
        }
        const { start } = one;
        const day = start.kind === 'date' ? ms(start.date) : Math.floor(start.epochMs / DAY) * DAY;
        expect(parseReference(name)?.day).toBe(day);
        expect(referenceOf(one, audience)).toBe(name);
      }),
      options,
    );
  });

  it('names neither another event, nor one of another account, nor what another audience was told', () => {
    fc.assert(
      fc.property(named, named, fc.string(), fc.string(), (one, other, audience, stranger) => {
        fc.pre(audience !== stranger);
        const reference = parseReference(referenceOf(one, audience));
        expect(reference?.names(one, stranger)).toBe(false);
        expect(reference?.names({ ...one, id: `${one.id}x` }, audience)).toBe(false);
        expect(reference?.names({ ...one, account: `${one.account.slice(0, 40)}x` }, audience)).toBe(false);
        if (other.account !== one.account || other.id !== one.id) expect(reference?.names(other, audience)).toBe(false);
        // On whatever day it is now.
        expect(reference?.names({ ...one, start: other.start }, audience)).toBe(true);
      }),
      options,
    );
  });

  it('is told from anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const reference = parseReference(text);
        if (reference !== undefined) expect(text.trim().length).toBeLessThanOrEqual(24);
      }),
      options,
    );
  });
});

describe('folding', () => {
  const WORDS = [
    'Réunion',
    'STRAẞE',
    'İstanbul',
    'ısparta',
    'ΟΔΟΣ',
    'ﬃ',
    '会議',
    'Ｂudget',
    'פגישה',
    '👩\u200d💻',
    'e\u0301\u0323',
    '\u00a0',
    '"',
    ' ',
  ];
  const anyText = fc
    .array(
      fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary', maxLength: 4 })),
      {
        maxLength: 6,
      },
    )
    .map((parts) => parts.join(''))
    // Half of a character is not one; an iota below is a letter of its own in capitals.
    .filter((text) => !/\p{Cs}/u.test(text) && !text.normalize('NFKD').includes('\u0345'));
  const variants = (text: string): string[] => [
    text.toUpperCase(),
    text.toLowerCase(),
    text.normalize('NFC'),
    text.normalize('NFD'),
    text.toUpperCase().normalize('NFD'),
  ];

  it('is done once and for all, and sees neither case nor how accents are written', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const folded = foldText(text);
        expect(foldText(folded)).toBe(folded);
        for (const variant of variants(text)) expect(foldText(variant)).toBe(folded);
      }),
      options,
    );
  });

  it('finds every word of a title, however it is written', () => {
    fc.assert(
      fc.property(anyText, (title) => {
        for (const word of title.split(/\s+/u))
          for (const variant of variants(word)) {
            const query = parseQuery(variant);
            if (query.length === 0) continue;
            for (const written of [title, ...variants(title)])
              if (!matches(event({ title: written }), query))
                throw new Error(`${JSON.stringify(variant)} is not found in ${JSON.stringify(written)}`);
          }
      }),
      options,
    );
  });
});
