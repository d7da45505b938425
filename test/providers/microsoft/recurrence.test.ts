import type { PatternedRecurrence } from '@microsoft/microsoft-graph-types';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { CalmcpError } from '../../../src/core/errors.ts';
import type { EventTime } from '../../../src/core/event.ts';
import {
  checkStart,
  firstSlot,
  formatRecurrence,
  parseRecurrence,
  sameRecurrence,
  slotsOf,
  splitRecurrence,
} from '../../../src/core/recurrence.ts';
import { wallTimeToEpochMs } from '../../../src/core/time.ts';
import { fromPattern, toPattern } from '../../../src/providers/microsoft/recurrence.ts';
import { at, on } from '../../core/events.ts';

const RUNS = Number(process.env.CALMCP_PROPERTY_RUNS ?? 1_000);
vi.setConfig({ testTimeout: 60_000 * Math.max(1, RUNS / 1_000) });
const options = { numRuns: RUNS };

const AMSTERDAM = 'Europe/Amsterdam';
const tuesday = at('2026-10-13T07:00:00Z');
const made = (rule: string, start: EventTime = tuesday, zone = AMSTERDAM): PatternedRecurrence =>
  toPattern(parseRecurrence(rule), start, zone);
const WORKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'];

describe('a rule for Graph', () => {
  test.each([
    ['FREQ=DAILY;INTERVAL=3', { type: 'daily', interval: 3 }],
    ['FREQ=DAILY;BYHOUR=9;BYMINUTE=0', { type: 'daily', interval: 1 }],
    ['weekly', { type: 'weekly', interval: 1, daysOfWeek: ['tuesday'], firstDayOfWeek: 'monday' }],
    [
      'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH;WKST=SU',
      { type: 'weekly', interval: 2, daysOfWeek: ['tuesday', 'thursday'], firstDayOfWeek: 'sunday' },
    ],
    [
      'FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR',
      { type: 'weekly', interval: 1, daysOfWeek: WORKDAYS, firstDayOfWeek: 'monday' },
    ],
    ['monthly', { type: 'absoluteMonthly', interval: 1, dayOfMonth: 13 }],
    ['FREQ=MONTHLY;BYMONTHDAY=28', { type: 'absoluteMonthly', interval: 1, dayOfMonth: 28 }],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', { type: 'absoluteMonthly', interval: 1, dayOfMonth: 31 }],
    ['FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1', { type: 'absoluteMonthly', interval: 1, dayOfMonth: 30 }],
    ['FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31', { type: 'absoluteMonthly', interval: 12, dayOfMonth: 31 }],
    ['FREQ=MONTHLY;BYDAY=2TU', { type: 'relativeMonthly', interval: 1, daysOfWeek: ['tuesday'], index: 'second' }],
    [
      'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2',
      { type: 'relativeMonthly', interval: 1, daysOfWeek: ['tuesday'], index: 'second' },
    ],
    [
      'FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR',
      { type: 'relativeMonthly', interval: 2, daysOfWeek: ['friday'], index: 'last' },
    ],
    [
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      { type: 'relativeMonthly', interval: 1, daysOfWeek: WORKDAYS, index: 'last' },
    ],
    ['FREQ=MONTHLY;BYDAY=1MO,1WE;BYSETPOS=1', null],
    [
      'FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=1',
      { type: 'relativeMonthly', interval: 1, daysOfWeek: ['monday', 'wednesday'], index: 'first' },
    ],
    ['yearly', { type: 'absoluteYearly', interval: 1, dayOfMonth: 13, month: 10 }],
    ['FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=31', { type: 'absoluteYearly', interval: 1, dayOfMonth: 31, month: 1 }],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1', { type: 'absoluteYearly', interval: 1, dayOfMonth: 29, month: 2 }],
    [
      'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH',
      { type: 'relativeYearly', interval: 1, daysOfWeek: ['thursday'], index: 'fourth', month: 11 },
    ],
  ])('%s', (rule, pattern) => {
    if (pattern === null) expect(() => made(rule)).toThrow('cannot hold');
    else expect(made(rule)).toEqual({ pattern, range: { type: 'noEnd', startDate: '2026-10-13' } });
  });

  // It would end up on other days: https://learn.microsoft.com/exchange/client-developer/web-service-reference/dayofmonth
  test.each([
    ['the 31st, which Graph moves to the 30th', 'FREQ=MONTHLY;BYMONTHDAY=31', 'BYMONTHDAY=-1'],
    ['the 30th, which February has not', 'FREQ=MONTHLY;BYMONTHDAY=30', 'BYMONTHDAY=28,29,30;BYSETPOS=-1'],
    ['29 February', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', 'BYMONTHDAY=-1'],
    ['two days of a month', 'FREQ=MONTHLY;BYMONTHDAY=1,15', 'BYMONTHDAY=15'],
    ['the second to last day', 'FREQ=MONTHLY;BYMONTHDAY=-2', 'BYMONTHDAY=-1'],
    ['a fifth Tuesday', 'FREQ=MONTHLY;BYDAY=5TU', 'BYDAY=2TU'],
    ['two numbered weekdays', 'FREQ=MONTHLY;BYDAY=1TU,3TU', 'BYDAY=2TU'],
    ['every Tuesday of a month', 'FREQ=MONTHLY;BYDAY=TU', 'BYDAY=2TU'],
    ['the second of two weekdays', 'FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=2', 'BYSETPOS=-1'],
    ['Friday the 13th', 'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', 'BYDAY=-1FR'],
    ['some months', 'FREQ=MONTHLY;BYMONTH=3,6', 'FREQ=YEARLY'],
    ['two months of a year', 'FREQ=YEARLY;BYMONTH=3,6', 'one BYMONTH'],
    ['a Monday of the year', 'FREQ=YEARLY;BYDAY=20MO', 'BYMONTH=10'],
    ['a week of the year', 'FREQ=YEARLY;BYWEEKNO=20', 'BYMONTHDAY=15'],
    ['a day of the year', 'FREQ=YEARLY;BYYEARDAY=100', 'BYMONTHDAY=15'],
    ['two times of a day', 'FREQ=DAILY;BYHOUR=9,14', 'leave out BYHOUR'],
    ['another time than the start', 'FREQ=DAILY;BYHOUR=14', 'leave out BYHOUR'],
    ['a season', 'FREQ=WEEKLY;BYMONTH=6', 'weekly on any days'],
    ['every other day, if it is a Monday', 'FREQ=DAILY;INTERVAL=2;BYDAY=MO', 'weekly on any days'],
    ['a thousand occurrences', 'FREQ=DAILY;COUNT=1000', '999'],
    ['every hundred weeks', 'FREQ=WEEKLY;INTERVAL=100', '99'],
    ['an end before the start', 'FREQ=DAILY;UNTIL=20261012', 'later UNTIL'],
  ])('%s is refused, with what it can hold', (_, rule, hint) => {
    let error: CalmcpError | undefined;
    try {
      made(rule);
    } catch (thrown) {
      error = thrown as CalmcpError;
    }
    expect(error?.code).toBe('INPUT_INVALID');
    expect(error?.hint).toContain(hint);
  });

  test('ends by number or by date, in the days of its zone', () => {
    expect(made('FREQ=DAILY;COUNT=10').range).toEqual({
      type: 'numbered',
      startDate: '2026-10-13',
      numberOfOccurrences: 10,
    });
    const evening = at('2026-10-14T02:00:00Z', 'America/Los_Angeles');
    const until = (text: string): unknown => made(`FREQ=DAILY;UNTIL=${text}`, evening, 'America/Los_Angeles').range;
    expect(until('20261017T020000Z')).toEqual({ type: 'endDate', startDate: '2026-10-13', endDate: '2026-10-16' });
    expect(until('20261017T015959Z')).toMatchObject({ endDate: '2026-10-15' });
    const morning = at('2026-10-11T20:00:00Z', 'Pacific/Auckland');
    expect(made('FREQ=WEEKLY;UNTIL=20261018T200000Z', morning, 'Pacific/Auckland').range).toEqual({
      type: 'endDate',
      startDate: '2026-10-12',
      endDate: '2026-10-19',
    });
    expect(made('FREQ=DAILY;UNTIL=20261016', on('2026-10-13')).range).toMatchObject({ endDate: '2026-10-16' });
  });

  test('cut for this and following, does not reach the day of the cut', () => {
    const slot = at('2026-10-27T08:00:00Z');
    const { head, tail } = splitRecurrence(parseRecurrence('FREQ=WEEKLY;COUNT=5'), tuesday, slot);
    expect(head && toPattern(head, tuesday, AMSTERDAM).range).toMatchObject({ endDate: '2026-10-26' });
    expect(toPattern(tail, slot, AMSTERDAM).range).toEqual({
      type: 'numbered',
      startDate: '2026-10-27',
      numberOfOccurrences: 3,
    });
    // In the gap of 29 March: the slot is at 03:30, the head's own time of day is 02:30.
    const night = at('2026-03-28T01:30:00Z');
    const gap = at('2026-03-29T01:30:00Z');
    const cut = splitRecurrence(parseRecurrence('daily'), night, gap);
    expect(cut.head && toPattern(cut.head, night, AMSTERDAM).range).toMatchObject({ endDate: '2026-03-28' });
    expect(() => toPattern(cut.tail, gap, AMSTERDAM)).toThrow('another time of day than its start');
  });
});

describe('what Graph says of a series', () => {
  /** All that Graph sends, with its values for what does not apply. */
  const sent = (pattern: object, range: object = { type: 'noEnd' }): PatternedRecurrence =>
    ({
      pattern: { interval: 1, month: 0, dayOfMonth: 0, firstDayOfWeek: 'sunday', index: 'first', ...pattern },
      range: {
        startDate: '2026-10-13',
        endDate: '0001-01-01',
        recurrenceTimeZone: 'W. Europe Standard Time',
        numberOfOccurrences: 0,
        ...range,
      },
    }) as PatternedRecurrence;
  const read = (pattern: object, range?: object, start: EventTime = tuesday): string =>
    formatRecurrence(fromPattern(sent(pattern, range), start));

  test.each([
    [{ type: 'daily', interval: 2 }, 'FREQ=DAILY;INTERVAL=2'],
    [{ type: 'weekly', daysOfWeek: ['thursday', 'tuesday'] }, 'FREQ=WEEKLY;BYDAY=TU,TH;WKST=SU'],
    [{ type: 'absoluteMonthly', dayOfMonth: 15 }, 'FREQ=MONTHLY;BYMONTHDAY=15'],
    [{ type: 'absoluteMonthly', dayOfMonth: 29 }, 'FREQ=MONTHLY;BYMONTHDAY=28,29;BYSETPOS=-1'],
    [{ type: 'absoluteMonthly', dayOfMonth: 31 }, 'FREQ=MONTHLY;BYMONTHDAY=-1'],
    [{ type: 'relativeMonthly', daysOfWeek: ['friday'], index: 'last' }, 'FREQ=MONTHLY;BYDAY=-1FR'],
    [{ type: 'relativeMonthly', daysOfWeek: WORKDAYS }, 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1'],
    [{ type: 'absoluteYearly', dayOfMonth: 29, month: 2 }, 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1'],
    [{ type: 'absoluteYearly', dayOfMonth: 31, month: 12 }, 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=31'],
    [
      { type: 'relativeYearly', daysOfWeek: ['thursday'], index: 'fourth', month: 11 },
      'FREQ=YEARLY;BYMONTH=11;BYDAY=4TH',
    ],
  ])('%o is %s', (pattern, expected) => {
    expect(read(pattern)).toBe(expected);
  });

  test('its end is the last time it can happen, in the zone of its range', () => {
    const range = { type: 'endDate', endDate: '2026-10-27' };
    expect(read({ type: 'daily' }, range)).toBe('FREQ=DAILY;UNTIL=20261027T080000Z');
    expect(read({ type: 'daily' }, { ...range, recurrenceTimeZone: 'Customized Time Zone' })).toBe(
      'FREQ=DAILY;UNTIL=20261027T080000Z',
    );
    expect(read({ type: 'daily' }, { ...range, recurrenceTimeZone: 'UTC' })).toBe('FREQ=DAILY;UNTIL=20261027T070000Z');
    expect(read({ type: 'daily' }, range, on('2026-10-13'))).toBe('FREQ=DAILY;UNTIL=20261027');
    expect(read({ type: 'daily' }, { type: 'numbered', numberOfOccurrences: 3 })).toBe('FREQ=DAILY;COUNT=3');
  });

  test.each([
    ['no pattern', { type: undefined }, undefined],
    ['a pattern of its own', { type: 'lunar' }, undefined],
    ['no interval', { type: 'daily', interval: 0 }, undefined],
    ['no weekday', { type: 'weekly', daysOfWeek: [] }, undefined],
    ['no day', { type: 'absoluteMonthly' }, undefined],
    ['no month', { type: 'absoluteYearly', dayOfMonth: 1 }, undefined],
    ['no end', { type: 'daily' }, { type: 'endDate' }],
    ['no number', { type: 'daily' }, { type: 'numbered' }],
    ['no range', { type: 'daily' }, { type: 'sometime' }],
  ])('%s is an error, not a guess', (_, pattern, range) => {
    expect(() => read(pattern, range)).toThrow('Microsoft sent a series');
  });
});

describe('there and back', () => {
  const zone = fc.constantFrom(
    'UTC',
    AMSTERDAM,
    'America/New_York',
    'America/Los_Angeles',
    'Pacific/Auckland',
    'Asia/Kolkata',
  );
  const start = fc.oneof(
    fc
      .tuple(zone, fc.integer({ min: 20_089, max: 21_500 }), fc.integer({ min: 0, max: 47 }))
      .map(([name, day, step]): EventTime => {
        const local = new Date(day * 86_400_000 + step * 1_800_000).toISOString().slice(0, -1);
        return { kind: 'timed', epochMs: wallTimeToEpochMs(local, name), zone: name };
      }),
    fc
      .integer({ min: 20_089, max: 21_500 })
      .map((day): EventTime => ({ kind: 'date', date: new Date(day * 86_400_000).toISOString().slice(0, 10) })),
  );
  const weekdays = fc.subarray(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'], { minLength: 1 }).map((days) => days.join());
  const nth = fc.tuple(fc.constantFrom(1, 2, 3, 4, -1), fc.constantFrom('MO', 'WE', 'SU'));
  const set = fc.constantFrom('MO,TU,WE,TH,FR', 'SA,SU', 'MO,TU,WE,TH,FR,SA,SU');
  const ofMonth = fc.oneof(
    fc.constantFrom(1, 15, 28, -1).map((day) => `BYMONTHDAY=${day}`),
    fc.constantFrom('28,29', '28,29,30').map((days) => `BYMONTHDAY=${days};BYSETPOS=-1`),
    nth.map(([number, day]) => `BYDAY=${number}${day}`),
    fc.tuple(set, fc.constantFrom(1, 2, 3, 4, -1)).map(([days, number]) => `BYDAY=${days};BYSETPOS=${number}`),
  );
  const held = fc.oneof(
    fc.constantFrom('FREQ=DAILY', 'FREQ=MONTHLY', 'FREQ=YEARLY', 'FREQ=WEEKLY'),
    fc.tuple(weekdays, fc.constantFrom('', ';WKST=SU')).map(([days, wkst]) => `FREQ=WEEKLY;BYDAY=${days}${wkst}`),
    ofMonth.map((days) => `FREQ=MONTHLY;${days}`),
    fc.tuple(fc.integer({ min: 1, max: 12 }), ofMonth).map(([month, days]) => `FREQ=YEARLY;BYMONTH=${month};${days}`),
  );
  const end = fc.oneof(
    fc.constant(null),
    fc.integer({ min: 1, max: 12 }).map((count) => ({ count, seconds: null })),
    fc.record({ count: fc.integer({ min: 1, max: 12 }), seconds: fc.constantFrom(0, 1, 3_600, 50_000) }),
  );

  test('a rule that Graph can hold gives the same series, and the same pattern again', () => {
    let kept = 0;
    fc.assert(
      fc.property(held, fc.integer({ min: 1, max: 4 }), start, end, (text, interval, from, ending) => {
        const endless = parseRecurrence(`${text};INTERVAL=${interval}`);
        const first = firstSlot(endless, from);
        if (first === null) return;
        let rule = ending === null ? endless : { ...endless, count: ending.count };
        if (ending !== null && ending.seconds !== null) {
          const last = slotsOf(rule, first).at(-1) as EventTime;
          const moment = last.kind === 'date' ? Date.parse(last.date) : last.epochMs;
          const until = new Date(moment + ending.seconds * 1_000).toISOString().replace('.000', '');
          rule = { ...endless, until };
        }
        checkStart(rule, first);
        const its = first.kind === 'date' ? 'UTC' : (first.zone ?? 'UTC');
        let pattern: PatternedRecurrence;
        try {
          pattern = toPattern(rule, first, its);
        } catch (thrown) {
          // The 29th to the 31st, where months without one are left out.
          if (!(thrown instanceof CalmcpError && thrown.message.includes('skips the months'))) throw thrown;
          return;
        }
        kept++;
        const back = fromPattern(pattern, first);
        expect(sameRecurrence(back, rule, first)).toBe(true);
        expect(toPattern(back, first, its)).toEqual(pattern);
      }),
      options,
    );
    expect(kept).toBeGreaterThan(RUNS / 2);
  });
});
