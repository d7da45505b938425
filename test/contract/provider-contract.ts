/**
 * What every provider must do. A provider's test calls it with a fixture that holds {@link STORY}; a case that a
 * backend cannot play is named in `skip`, with its reason.
 */
import { describe, expect, test } from 'vitest';
import type { Calendar, CalendarEvent, Range } from '../../src/core/event.ts';
import type { CalendarProvider, CalendarRead } from '../../src/core/provider.ts';
import { overlaps, spanOf, zoneClock } from '../../src/core/time.ts';
import { openCall } from '../harness.ts';

export const ZONE = 'Europe/Amsterdam';
export const ACCOUNT = 'contract';

/** An event in words that every fixture can be made of: local times in {@link ZONE}, dates for whole days. */
export interface StoryEvent {
  readonly title: string;
  readonly start: string;
  readonly end: string;
}

/** Single events around the week of 2026-11-23, and what lies on its edges. */
export const STORY: readonly StoryEvent[] = [
  { title: 'ends as the week begins', start: '2026-11-22T23:00', end: '2026-11-23T00:00' },
  { title: 'began before the week', start: '2026-11-22T23:00', end: '2026-11-23T01:00' },
  { title: 'plain', start: '2026-11-24T10:00', end: '2026-11-24T11:00' },
  { title: 'without duration', start: '2026-11-25T12:00', end: '2026-11-25T12:00' },
  { title: 'whole day', start: '2026-11-26', end: '2026-11-27' },
  { title: 'last whole day', start: '2026-11-29', end: '2026-11-30' },
  { title: 'whole day after', start: '2026-11-30', end: '2026-12-01' },
  { title: 'goes on after the week', start: '2026-11-29T23:00', end: '2026-11-30T02:00' },
  { title: 'begins as the week ends', start: '2026-11-30T00:00', end: '2026-11-30T01:00' },
];

/** Weekly on Tuesdays 16:00-17:00 from 2026-11-03, eight times; moved 11-24 to 11-26 09:00, called off on 12-01. */
export const SERIES = {
  title: 'series',
  start: '2026-11-03T16:00',
  end: '2026-11-03T17:00',
  count: 8,
  moved: { from: '2026-11-24T16:00', to: '2026-11-26T09:00', end: '2026-11-26T10:00' },
  cancelled: '2026-12-01T16:00',
} as const;

export interface Fixture {
  readonly provider: CalendarProvider;
  /** Makes the backend fail from now on. */
  breakDown(): Promise<void>;
}

export type ContractCase = 'series' | 'break down';

export interface ContractOptions {
  open(): Promise<Fixture>;
  /** Cases that this backend cannot play, each with its reason. */
  readonly skip?: Readonly<Partial<Record<ContractCase, string>>>;
}

const clock = zoneClock(ZONE);

function rangeOf(from: string, to: string): Range {
  return { start: clock.startOfDay(from), end: clock.startOfDay(to), timeZone: ZONE };
}

const WEEK = rangeOf('2026-11-23', '2026-11-30');

async function read(provider: CalendarProvider, range: Range): Promise<readonly CalendarEvent[]> {
  const calendars = await provider.listCalendars(openCall());
  const reads = await provider.readCalendars(calendars, range, openCall());
  return reads.flatMap((entry) => eventsOf(entry)).filter((event) => overlaps(spanOf(event, clock), range));
}

function eventsOf(entry: CalendarRead): readonly CalendarEvent[] {
  if ('error' in entry) throw entry.error;
  expect(entry.problems ?? []).toEqual([]);
  return entry.events;
}

const told = ({ title, start, end }: CalendarEvent): string =>
  [
    title,
    ...[start, end].map((time) =>
      time.kind === 'date' ? time.date : clock.format(time.epochMs, 'minutes').slice(0, 16),
    ),
  ].join(' ');

const expected = (events: readonly StoryEvent[]): string[] =>
  events.map(({ title, start, end }) => `${title} ${start} ${end}`).sort();

const singles = (events: readonly CalendarEvent[]): string[] =>
  events
    .filter(({ kind }) => kind === 'single')
    .map(told)
    .sort();

export function providerContract(name: string, { open, skip = {} }: ContractOptions): void {
  const playable = (kase: ContractCase): typeof test => (skip[kase] === undefined ? test : (test.skip as typeof test));
  const reason = (kase: ContractCase): string => (skip[kase] === undefined ? '' : ` (skipped: ${skip[kase]})`);

  describe(`${name} keeps the provider contract`, () => {
    test('calendars have ids of their own, names, and at most one default', async () => {
      const { provider } = await open();
      const calendars = await provider.listCalendars(openCall());
      expect(calendars.length).toBeGreaterThan(0);
      expect(new Set(calendars.map(({ id }) => id)).size).toBe(calendars.length);
      for (const calendar of calendars) expect(calendar.name).not.toBe('');
      expect(calendars.filter(({ isDefault }) => isDefault).length).toBeLessThanOrEqual(1);
    });

    test('everything that overlaps the range is read, at its right time, and nothing twice', async () => {
      const { provider } = await open();
      expect(singles(await read(provider, WEEK))).toEqual(
        expected(STORY.filter(({ title }) => !/^(?:ends as|whole day after|begins as)/.test(title))),
      );
    });

    test('a range read in two halves is the range read at once', async () => {
      const { provider } = await open();
      const whole = (await read(provider, WEEK)).map(({ id }) => id);
      const halves = [
        ...(await read(provider, rangeOf('2026-11-23', '2026-11-26'))),
        ...(await read(provider, rangeOf('2026-11-26', '2026-11-30'))),
      ].map(({ id }) => id);
      expect([...new Set(halves)].sort()).toEqual([...whole].sort());
      expect(new Set(whole).size).toBe(whole.length);
    });

    test('an event belongs to the account and calendar it was asked of, and does not end before it starts', async () => {
      const { provider } = await open();
      const calendars = await provider.listCalendars(openCall());
      for (const entry of await provider.readCalendars(calendars, WEEK, openCall()))
        for (const event of eventsOf(entry)) {
          expect([event.account, event.calendar.id]).toEqual([ACCOUNT, entry.calendar.id]);
          expect(event.end.kind).toBe(event.start.kind);
          const { start, end } = spanOf(event, clock);
          expect(end).toBeGreaterThanOrEqual(start);
        }
    });

    test('every calendar that is asked for is answered, one that does not exist with its error', async () => {
      const { provider } = await open();
      const calendars = await provider.listCalendars(openCall());
      const gone: Calendar = { id: `${calendars[0]?.id}-gone`, name: 'gone', isDefault: false, access: 'read' };
      const reads = await provider.readCalendars([...calendars, gone], WEEK, openCall());
      expect(reads.map(({ calendar }) => calendar.id).sort()).toEqual([...calendars, gone].map(({ id }) => id).sort());
      for (const entry of reads) expect('error' in entry, entry.calendar.name).toBe(entry.calendar.id === gone.id);
    });

    test('a range without events is an empty list and no error', async () => {
      const { provider } = await open();
      expect(await read(provider, rangeOf('2020-02-01', '2020-02-02'))).toEqual([]);
    });

    test('a call that was given up does not answer', async () => {
      const { provider } = await open();
      const calendars = await provider.listCalendars(openCall());
      const reason = new Error('given up');
      const call = { ...openCall(), signal: AbortSignal.abort(reason) };
      const outcome = await provider.readCalendars(calendars, WEEK, call).catch((thrown: unknown) => thrown);
      // What needs no waiting may answer; what does must not come back with fewer events.
      if (outcome !== reason)
        for (const entry of outcome as CalendarRead[]) expect('error' in entry || entry.events.length > 0).toBe(true);
    });

    playable('series')(
      `a series is its occurrences: the moved one where it is now, the one called off nowhere${reason('series')}`,
      async () => {
        const { provider } = await open();
        const own = (events: readonly CalendarEvent[]): CalendarEvent[] =>
          events.filter(({ kind, status }) => kind !== 'single' && status !== 'cancelled');
        const weeks = own(await read(provider, rangeOf('2026-11-16', '2026-12-14')));
        expect(weeks.map(told).sort()).toEqual([
          'series 2026-11-17T16:00 2026-11-17T17:00',
          'series 2026-11-26T09:00 2026-11-26T10:00',
          'series 2026-12-08T16:00 2026-12-08T17:00',
        ]);
        expect(weeks.map(({ recurrenceKey }) => recurrenceKey).sort()).toEqual([
          '2026-11-17T15:00:00Z',
          '2026-11-24T15:00:00Z',
          '2026-12-08T15:00:00Z',
        ]);
        expect(new Set(weeks.map(({ id }) => id)).size).toBe(3);
        // R01 and R02: gone from where it was, present where it went, also when only that day is asked.
        expect(own(await read(provider, rangeOf('2026-11-24', '2026-11-25')))).toEqual([]);
        expect(own(await read(provider, rangeOf('2026-11-26', '2026-11-27'))).map(({ kind }) => kind)).toEqual([
          'exception',
        ]);
      },
    );

    playable('break down')(`a backend that fails is an error, never an empty list${reason('break down')}`, async () => {
      const { provider, breakDown } = await open();
      const calendars = await provider.listCalendars(openCall());
      await breakDown();
      await expect(provider.listCalendars(openCall(3_000))).rejects.toMatchObject({ name: 'CalmcpError' });
      const reads = await provider.readCalendars(calendars, WEEK, openCall(3_000)).catch((thrown: unknown) => thrown);
      if (Array.isArray(reads)) for (const entry of reads) expect(entry).toHaveProperty('error.name', 'CalmcpError');
      else expect(reads).toMatchObject({ name: 'CalmcpError' });
    });
  });
}
