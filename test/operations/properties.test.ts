/** What must hold between the answers to different questions about the same calendars, whatever is in them. */
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import type { Busy, CalendarEvent } from '../../src/core/event.ts';
import { type Intervals, intersect, interval, NOTHING, pairsOf, subtract, unionOf } from '../../src/core/intervals.ts';
import { DAY } from '../../src/core/time.ts';
import { findFreeTime } from '../../src/operations/find-free-time.ts';
import { type FreeBusy, getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { at, on } from '../core/events.ts';
import { ask, down, at as now, openScripted, type ScriptedAccount } from './questions.ts';

const RUNS = Math.ceil(Number(process.env.CALMCP_PROPERTY_RUNS ?? 1_000) / 5);
vi.setConfig({ testTimeout: 60_000 * Math.max(1, RUNS / 200) });
const options = { numRuns: RUNS };

const QUARTER = 900_000;
const FIRST_DAY = Date.parse('2026-03-28T00:00:00Z');
const ZONES = ['Europe/Amsterdam', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Kiritimati', 'Australia/Lord_Howe'];
const dayAfter = (days: number): string => new Date(FIRST_DAY + days * DAY).toISOString().slice(0, 10);

const times = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.integer({ min: -10, max: 290 }), fc.constantFrom(0, 1, 2, 4, 6, 30))
      .map(([from, length]) => ({
        start: at(new Date(FIRST_DAY + from * QUARTER).toISOString()),
        end: at(new Date(FIRST_DAY + (from + length) * QUARTER).toISOString()),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.integer({ min: -1, max: 3 }), fc.integer({ min: 1, max: 2 })).map(([from, length]) => ({
      start: on(dayAfter(from)),
      end: on(dayAfter(from + length)),
    })),
  },
);

const events: fc.Arbitrary<Partial<CalendarEvent>[]> = fc.array(
  fc
    .record({
      times,
      busy: fc.constantFrom<Busy>('free', 'workingElsewhere', 'tentative', 'busy', 'busy', 'busy', 'oof', 'unknown'),
      myResponse: fc.constantFrom('none', 'none', 'accepted', 'declined', 'notResponded'),
      type: fc.constantFrom('default', 'default', 'focusTime', 'birthday'),
      sensitivity: fc.constantFrom('normal', 'private'),
      mirror: fc.constantFrom(undefined, undefined, true),
    })
    .map(({ times: when, mirror, ...fields }) => ({
      ...(fields as Partial<CalendarEvent>),
      ...when,
      ...(mirror === undefined ? {} : { mirror }),
    })),
  { maxLength: 6 },
);

const account: fc.Arbitrary<ScriptedAccount> = fc
  .record({
    events,
    zone: fc.option(fc.constantFrom(...ZONES)),
    start: fc.nat(12),
    length: fc.integer({ min: 2, max: 11 }),
  })
  .map(({ events: own, zone, start, length }) => {
    const two = (hour: number): string => `"${String(hour).padStart(2, '0')}:00"`;
    const hours = `workingHours: { days: [mon, tue, wed, thu, fri, sat, sun], start: ${two(start)}, end: ${two(start + length)} }`;
    return { events: own, settings: zone === null ? hours : `timeZone: ${zone}, ${hours}` };
  });
const accounts = fc.record({ a: account, b: account }, { requiredKeys: ['a'] });

const asked = fc
  .record({ from: fc.nat(190), length: fc.integer({ min: 4, max: 100 }), timeZone: fc.constantFrom(...ZONES) })
  .map(({ from, length, timeZone }) => ({
    from: new Date(FIRST_DAY + from * QUARTER).toISOString(),
    to: new Date(FIRST_DAY + (from + length) * QUARTER).toISOString(),
    timeZone,
  }));
type Asked = { from: string; to: string; timeZone: string; audience?: string };

const early = { now: now('2026-01-01T00:00:00Z') };
const open = (list: Readonly<Record<string, ScriptedAccount>>): App => openScripted(list, early);
const setOf = (list: readonly { start: string; end: string }[]): Intervals =>
  unionOf(
    list.map(({ start }) => Date.parse(start)),
    list.map(({ end }) => Date.parse(end)),
  );
const pairs = (set: Intervals): number[][] => [...pairsOf(set)].map((pair) => [...pair]);
const layersOf = ({ blocks }: FreeBusy, ...busy: readonly string[]): Intervals =>
  setOf(blocks.filter((block) => busy.includes(block.busy)));

describe('free time and free/busy', () => {
  test('agree: a slot is free time, or soft and over no more than tentative time', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, asked, async (list, question) => {
        const app = open(list);
        const freeBusy = await ask(getFreeBusy, app, question);
        const { slots } = await ask(findFreeTime, app, { ...question, durationMinutes: 15, limit: 100 });
        const free = setOf(freeBusy.free);
        const taken = layersOf(freeBusy, 'busy', 'oof', 'unknown');
        for (const slot of slots) {
          const time = setOf([slot]);
          if (slot.soft) expect(pairs(intersect(time, taken))).toEqual([]);
          else expect(pairs(subtract(time, free))).toEqual([]);
        }
        // On a grid of a quarter every free half hour has room for a quarter.
        if (slots.length === 0)
          for (const [start = 0, end = 0] of pairs(free)) expect(end - start).toBeLessThan(2 * QUARTER);
      }),
      options,
    );
  });

  test('keep the time around meetings free that is asked for', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, asked, fc.constantFrom(5, 15, 50), async (list, question, buffer) => {
        const app = open(list);
        const buffers = { bufferBefore: buffer, bufferAfter: 15, tentativeAs: 'busy' } as const;
        const { slots } = await ask(findFreeTime, app, { ...question, ...buffers, durationMinutes: 15, limit: 100 });
        const meetings = Object.values(list).flatMap((one) =>
          (one?.events ?? []).flatMap(({ start, end, busy, myResponse, type }) =>
            start?.kind === 'timed' &&
            end?.kind === 'timed' &&
            start.epochMs < end.epochMs &&
            busy !== 'free' &&
            busy !== 'workingElsewhere' &&
            myResponse !== 'declined' &&
            type !== 'birthday'
              ? [{ start: start.epochMs - buffer * 60_000, end: end.epochMs + 15 * 60_000 }]
              : [],
          ),
        );
        for (const slot of slots)
          for (const { start, end } of meetings)
            expect(Date.parse(slot.start) < end && start < Date.parse(slot.end)).toBe(false);
      }),
      options,
    );
  });

  test('with one more meeting have no more free time', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, events, asked, async (list, more, question) => {
        const before = await ask(getFreeBusy, open(list), question);
        const added = { ...list, a: { ...list.a, events: [...(list.a.events ?? []), ...more] } };
        const after = await ask(getFreeBusy, open(added), question);
        expect(pairs(subtract(setOf(after.free), setOf(before.free)))).toEqual([]);
      }),
      options,
    );
  });

  test('with an account that is gone have none at all, and say so at every slot', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, asked, async (list, question) => {
        const app = open({
          ...list,
          gone: { error: down, settings: 'workingHours: { days: [mon], start: "00:00", end: "23:59" }' },
        });
        const freeBusy = await ask(getFreeBusy, app, question);
        expect(freeBusy).toMatchObject({ complete: false, free: [] });
        const whole = interval(Date.parse(question.from), Date.parse(question.to));
        expect(setOf(freeBusy.blocks)).toEqual(whole);
        const { slots, complete } = await ask(findFreeTime, app, { ...question, durationMinutes: 15, hours: 'any' });
        expect(complete).toBe(false);
        for (const slot of slots) expect(slot.unverified).toEqual(['gone']);
      }),
      options,
    );
  });

  test('of two ranges that touch are those of the whole', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, asked, asked, async (list, question, other) => {
        const app = open(list);
        const [from, middle, to] = [question.from, question.to, other.to].sort() as [string, string, string];
        fc.pre(from < middle && middle < to);
        const of = (start: string, end: string) =>
          ask(getFreeBusy, app, { from: start, to: end, timeZone: question.timeZone });
        const [first, second, whole] = await Promise.all([of(from, middle), of(middle, to), of(from, to)]);
        expect(setOf([...first.free, ...second.free])).toEqual(setOf(whole.free));
        for (const busy of ['tentative', 'busy', 'oof'])
          expect(unionOfBoth(layersOf(first, busy), layersOf(second, busy))).toEqual(layersOf(whole, busy));
      }),
      options,
    );
  });

  test('are for an audience what they are for the owner, where busy time is shared', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, asked, async (list, question: Asked) => {
        const app = open(list);
        const mine = await ask(getFreeBusy, app, question);
        for (const audience of ['a', 'stranger']) {
          const theirs = await ask(getFreeBusy, app, { ...question, audience });
          expect(theirs.free).toEqual(mine.free);
          expect(theirs.blocks.map(({ start, end, busy }) => [start, end, busy])).toEqual(
            mine.blocks.map(({ start, end, busy }) => [start, end, busy]),
          );
        }
      }),
      options,
    );
  });
});

const unionOfBoth = (a: Intervals, b: Intervals): Intervals =>
  unionOf(
    [...pairsOf(a), ...pairsOf(b)].map(([start]) => start),
    [...pairsOf(a), ...pairsOf(b)].map(([, end]) => end),
  );

describe('an agenda', () => {
  test('of two ranges that touch has what the whole has, and twice only what lies over the cut', async () => {
    await fc.assert(
      fc.asyncProperty(accounts, asked, asked, async (list, question, other) => {
        const app = open(list);
        const [from, middle, to] = [question.from, question.to, other.to].sort() as [string, string, string];
        fc.pre(from < middle && middle < to);
        const of = async (start: string, end: string) =>
          (await ask(listEvents, app, { from: start, to: end, timeZone: question.timeZone })).events;
        const [first, second, whole] = await Promise.all([of(from, middle), of(middle, to), of(from, to)]);
        const ids = (items: typeof whole): (string | undefined)[] => items.map(({ id }) => id);
        expect(new Set(ids([...first, ...second]))).toEqual(new Set(ids(whole)));
        for (const item of first)
          if (ids(second).includes(item.id) && !item.allDay)
            expect([
              item.start < item.end,
              Date.parse(item.start) < Date.parse(middle),
              Date.parse(middle) < Date.parse(item.end),
            ]).toEqual([true, true, true]);
      }),
      options,
    );
  });

  test('and free/busy tell of the same time', async () => {
    await fc.assert(
      fc.asyncProperty(events, asked, async (own, question) => {
        // Without days: those lie where their owner lives, and blocks have no title to tell them by.
        const timed = own.filter(({ start, mirror }) => start?.kind === 'timed' && !mirror);
        const app = open({ a: { events: timed } });
        const agenda = await ask(listEvents, app, question);
        const freeBusy = await ask(getFreeBusy, app, question);
        const range = interval(Date.parse(question.from), Date.parse(question.to));
        const busy = setOf(agenda.events.filter((item) => item.busy !== 'free' && item.busy !== 'workingElsewhere'));
        expect(intersect(busy, range)).toEqual(setOf(freeBusy.blocks));
        expect(intersect(setOf(freeBusy.free), setOf(freeBusy.blocks))).toEqual(NOTHING);
      }),
      options,
    );
  });
});
