import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it } from 'vitest';
import type { Range } from '../../src/core/event.ts';
import { MAX_RANGE_DAYS, parseRange, type RangeInput } from '../../src/core/range.ts';
import { DAY, zoneClock } from '../../src/core/time.ts';

const HOUR = 3_600_000;

/** Friday, in the evening of Amsterdam. */
const NOW = '2026-11-20T20:30:00Z';

const parse = (input: RangeInput, timeZone = 'Europe/Amsterdam', now = NOW): Range =>
  parseRange(input, { now: Temporal.Instant.from(now), timeZone });

/** The range as `first day..day after the last`, which it must be exactly. */
function days(input: RangeInput, timeZone?: string, now?: string): string {
  const { start, end, timeZone: zone } = parse(input, timeZone, now);
  const clock = zoneClock(zone);
  expect(clock.startOfDay(clock.date(start))).toBe(start);
  expect(clock.startOfDay(clock.date(end))).toBe(end);
  return `${clock.date(start)}..${clock.date(end)}`;
}

const refusal = (fields: Record<string, unknown> = {}) => expect.objectContaining({ code: 'INPUT_INVALID', ...fields });

describe('words', () => {
  it.each([
    ['today', '2026-11-20..2026-11-21'],
    ['tomorrow', '2026-11-21..2026-11-22'],
    ['yesterday', '2026-11-19..2026-11-20'],
    ['this week', '2026-11-16..2026-11-23'],
    ['next week', '2026-11-23..2026-11-30'],
    ['last week', '2026-11-09..2026-11-16'],
    ['next 10 days', '2026-11-20..2026-11-30'],
    ['next 1 day', '2026-11-20..2026-11-21'],
    ['next 2 weeks', '2026-11-20..2026-12-04'],
    ['last 7 days', '2026-11-13..2026-11-20'],
    ['this month', '2026-11-01..2026-12-01'],
    ['next month', '2026-12-01..2027-01-01'],
    ['last month', '2026-10-01..2026-11-01'],
    ['friday', '2026-11-20..2026-11-21'],
    ['saturday', '2026-11-21..2026-11-22'],
    ['thursday', '2026-11-26..2026-11-27'],
    ['2026-12-01', '2026-12-01..2026-12-02'],
    ['2026-12-01..2026-12-05', '2026-12-01..2026-12-06'],
    ['2026-12-01 .. 2026-12-01', '2026-12-01..2026-12-02'],
    ['2026-W49', '2026-11-30..2026-12-07'],
    ['2026-12', '2026-12-01..2027-01-01'],
    ['2028-02', '2028-02-01..2028-03-01'],
    ['2028-02-29', '2028-02-29..2028-03-01'],
    ['  NEXT   Week\t', '2026-11-23..2026-11-30'],
    ['2026-w49', '2026-11-30..2026-12-07'],
    ['FRIDAY', '2026-11-20..2026-11-21'],
  ])('%s is %s', (words, expected) => {
    expect(days({ range: words })).toBe(expected);
  });

  it('is today where nothing was said', () => {
    expect(days({})).toBe('2026-11-20..2026-11-21');
  });

  it('takes the day that it is in the zone of the answer', () => {
    expect(days({ range: 'today' }, 'Asia/Tokyo')).toBe('2026-11-21..2026-11-22');
    expect(days({ range: 'today' }, 'America/Los_Angeles')).toBe('2026-11-20..2026-11-21');
    expect(days({ range: 'this week' }, 'Asia/Tokyo', '2026-11-22T16:00:00Z')).toBe('2026-11-23..2026-11-30');
    expect(days({ range: 'this week' }, 'Europe/Amsterdam', '2026-11-22T16:00:00Z')).toBe('2026-11-16..2026-11-23');
    expect(days({ range: 'next month' }, '+14:00', '2026-12-31T11:00:00Z')).toBe('2027-02-01..2027-03-01');
  });

  it('a month has its own number of days, whatever day today is', () => {
    expect(days({ range: 'next month' }, 'UTC', '2026-01-31T12:00:00Z')).toBe('2026-02-01..2026-03-01');
    expect(days({ range: 'last month' }, 'UTC', '2026-03-31T12:00:00Z')).toBe('2026-02-01..2026-03-01');
  });

  it('a week starts on Monday, on a Sunday as on a Monday', () => {
    expect(days({ range: 'this week' }, 'UTC', '2026-11-22T23:59:59Z')).toBe('2026-11-16..2026-11-23');
    expect(days({ range: 'this week' }, 'UTC', '2026-11-23T00:00:00Z')).toBe('2026-11-23..2026-11-30');
  });

  it('a week in which the clocks change is an hour shorter or longer', () => {
    const hours = (range: string, zone: string): number => {
      const { start, end } = parse({ range }, zone);
      return (end - start) / HOUR;
    };
    expect(hours('2026-W13', 'Europe/Amsterdam')).toBe(167);
    expect(hours('2026-W43', 'Europe/Amsterdam')).toBe(169);
    expect(hours('2026-W13', 'UTC')).toBe(168);
    expect(hours('2026-03-08', 'America/New_York')).toBe(23);
    expect(hours('2026-04-24', 'Africa/Cairo')).toBe(23);
  });
});

describe('ISO weeks', () => {
  it.each([
    ['2026-W01', '2025-12-29..2026-01-05'],
    ['2026-W53', '2026-12-28..2027-01-04'],
    ['2020-W53', '2020-12-28..2021-01-04'],
    ['2027-W01', '2027-01-04..2027-01-11'],
    ['2025-W52', '2025-12-22..2025-12-29'],
  ])('%s is %s', (week, expected) => {
    expect(days({ range: week })).toBe(expected);
  });

  it.each(['2025-W53', '2027-W53', '2026-W54', '2026-W00', '2026-W99'])('%s is no week', (week) => {
    expect(() => parse({ range: week })).toThrowError(refusal({ message: expect.stringContaining('has no week') }));
  });

  it('the week of any day starts on the Monday before it', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1971-01-01'), max: new Date('2199-01-01'), noInvalidDate: true }),
        (moment) => {
          const date = Temporal.PlainDate.from(moment.toISOString().slice(0, 10));
          const week = `${String(date.yearOfWeek)}-W${String(date.weekOfYear).padStart(2, '0')}`;
          const monday = date.subtract({ days: date.dayOfWeek - 1 });
          expect(days({ range: week }, 'UTC')).toBe(`${monday}..${monday.add({ days: 7 })}`);
        },
      ),
    );
  });
});

describe('from and to', () => {
  const span = (from: string, to: string, zone?: string): string => {
    const { start, end } = parse({ from, to }, zone);
    return `${new Date(start).toISOString()} ${new Date(end).toISOString()}`;
  };

  it('are dates, with the last day included', () => {
    expect(days({ from: '2026-12-01', to: '2026-12-05' })).toBe('2026-12-01..2026-12-06');
    expect(days({ from: '2026-12-01', to: '2026-12-01' })).toBe('2026-12-01..2026-12-02');
  });

  it('are local times in the zone of the answer, or instants', () => {
    expect(span('2026-12-01T09:00', '2026-12-01 17:30:15')).toBe('2026-12-01T08:00:00.000Z 2026-12-01T16:30:15.000Z');
    expect(span('2026-12-01T09:00', '2026-12-01T17:30', 'Asia/Kathmandu')).toBe(
      '2026-12-01T03:15:00.000Z 2026-12-01T11:45:00.000Z',
    );
    expect(span('2026-12-01T09:00Z', '2026-12-01T12:00:00-05:00')).toBe(
      '2026-12-01T09:00:00.000Z 2026-12-01T17:00:00.000Z',
    );
    expect(span('2026-12-01t06:00:00.5z', ' 2026-12-01T12:00:00+0530 ')).toBe(
      '2026-12-01T06:00:00.500Z 2026-12-01T06:30:00.000Z',
    );
  });

  it('T01, T02: a local time in a gap is the one after it, and in a fold the first one', () => {
    expect(span('2026-03-08T02:30', '2026-03-08T12:00Z', 'America/New_York')).toMatch(/^2026-03-08T07:30:00/);
    expect(span('2026-11-01T01:30', '2026-11-01T12:00Z', 'America/New_York')).toMatch(/^2026-11-01T05:30:00/);
  });

  it.each([
    '',
    'tomorrow',
    '2026-02-30',
    '2026-13-01',
    '2026-12-01T25:00',
    '2026-12-01T09',
    '09:00',
    '2026-12',
    '2026-12-01T09:00+99:00',
    '2026-12-01T09:00:00+01:00[Europe/Berlin]',
    '+002026-12-01T09:00:00Z',
    '+275760-09-13T00:00:00Z',
    '2026-12-01T09:00 or so',
    'x2026-12-01T09:00Z',
    '\u202e2026-12-01',
  ])('%j is no moment, and the refusal says what is', (text) => {
    for (const input of [
      { from: text, to: '2026-12-05' },
      { from: '2026-01-01', to: text },
    ])
      expect(() => parse(input)).toThrowError(
        refusal({
          message: expect.stringContaining(JSON.stringify(text)),
          hint: expect.stringContaining('2026-03-02T09:00'),
        }),
      );
  });

  it('belong together, and not beside a range', () => {
    expect(() => parse({ from: '2026-12-01' })).toThrowError(refusal({ hint: expect.stringContaining('both') }));
    expect(() => parse({ to: '2026-12-01' })).toThrowError(refusal());
    expect(() => parse({ from: '2026-12-01', to: '2026-12-02', range: 'today' })).toThrowError(refusal());
    expect(() => parse({ from: '2026-12-01', range: 'today' })).toThrowError(refusal());
  });
});

describe('what is no range', () => {
  it.each([
    '',
    '   ',
    'someday',
    'next',
    'next year',
    'next ten days',
    'next 0 days',
    'last 0 weeks',
    'next -3 days',
    'next 1000 days',
    'next 1.5 weeks',
    '2026',
    '2026-1',
    '2026-12-1',
    '2026-13',
    '2026-00',
    '2026-02-29',
    '2026-12-32',
    '2026-W1',
    '2026-W049',
    '2026-12-01..',
    '..2026-12-01',
    '2026-12-01..2026-12-32',
    '2026-12-01...2026-12-05',
    '2026-12-01..2026-12-05..2026-12-09',
    '01-12-2026',
    '２０２６-12-01',
    '2026-12-01T09:00',
    'today; drop table',
  ])('W09: %j is refused', (range) => {
    expect(() => parse({ range })).toThrowError(refusal());
  });

  it('W09: an end not after its start is refused', () => {
    for (const input of [
      { range: '2026-12-05..2026-12-01' },
      { from: '2026-12-01T09:00', to: '2026-12-01T08:59' },
      { from: '2026-12-03', to: '2026-12-01' },
    ])
      expect(() => parse(input)).toThrowError(refusal({ message: 'the range ends before it starts' }));
    for (const input of [
      { from: '2026-12-01T09:00', to: '2026-12-01T09:00' },
      { from: '2026-12-02', to: '2026-12-01' },
    ])
      expect(() => parse(input)).toThrowError(refusal({ message: 'the range is empty: it ends as it starts' }));
  });

  it('a day that the zone skipped is refused and not answered with nothing', () => {
    expect(() => parse({ range: '2011-12-30' }, 'Pacific/Apia')).toThrowError(refusal());
    expect(days({ range: '2011-12-29..2011-12-31' }, 'Pacific/Apia')).toBe('2011-12-29..2012-01-01');
  });

  it.each(['UTC', 'Europe/Amsterdam', 'America/New_York', 'Australia/Lord_Howe'])(
    `W09: ${MAX_RANGE_DAYS} days are taken and one more is not, wherever the clocks change (%s)`,
    (zone) => {
      for (let month = 1; month <= 12; month++) {
        const first = Temporal.PlainDate.from({ year: 2026, month, day: 1 });
        const most = `${first}..${first.add({ days: MAX_RANGE_DAYS - 1 })}`;
        const tooMany = `${first}..${first.add({ days: MAX_RANGE_DAYS })}`;
        expect(days({ range: most }, zone)).toBe(`${first}..${first.add({ days: MAX_RANGE_DAYS })}`);
        expect(() => parse({ range: tooMany }, zone)).toThrowError(
          refusal({ message: `the range spans more than ${MAX_RANGE_DAYS} days` }),
        );
      }
      expect(() => parse({ range: `next ${MAX_RANGE_DAYS} days` }, zone)).not.toThrow();
      expect(() => parse({ range: `next ${MAX_RANGE_DAYS + 1} days` }, zone)).toThrowError(refusal());
      expect(() => parse({ from: '2026-01-01', to: '9999-12-31' }, zone)).toThrowError(refusal());
    },
  );

  it('T31: an unknown zone is refused by name', () => {
    expect(() => parse({ range: 'today' }, 'Mars/Olympus_Mons')).toThrowError(
      refusal({ message: expect.stringContaining('Mars/Olympus_Mons') }),
    );
  });
});

it('every range made of words is not empty, starts and ends with a day, and is not too long', () => {
  const words = fc.oneof(
    fc.constantFrom('today', 'tomorrow', 'yesterday', 'monday', 'sunday'),
    fc.tuple(fc.constantFrom('this', 'next', 'last'), fc.constantFrom('week', 'month')).map((pair) => pair.join(' ')),
    fc
      .tuple(fc.constantFrom('next', 'last'), fc.nat(400), fc.constantFrom('day', 'days', 'week', 'weeks'))
      .map((parts) => parts.join(' ')),
    fc
      .tuple(fc.integer({ min: 1900, max: 2200 }), fc.nat(60))
      .map(([year, week]) => `${year}-W${String(week).padStart(2, '0')}`),
    fc
      .tuple(fc.integer({ min: 1900, max: 2200 }), fc.nat(13))
      .map(([year, month]) => `${year}-${String(month).padStart(2, '0')}`),
    fc
      .date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
    fc.string(),
  );
  fc.assert(
    fc.property(
      words,
      fc.constantFrom(...Intl.supportedValuesOf('timeZone')),
      fc.date({ min: new Date('1990-01-01'), max: new Date('2090-01-01'), noInvalidDate: true }),
      (range, zone, now) => {
        let parsed: Range;
        try {
          parsed = parse({ range }, zone, now.toISOString());
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'INPUT_INVALID' });
          return;
        }
        expect(parsed.start).toBeLessThan(parsed.end);
        expect(parsed.end - parsed.start).toBeLessThanOrEqual(MAX_RANGE_DAYS * DAY + 26 * HOUR);
        for (const edge of [parsed.start, parsed.end]) {
          const moment = Temporal.Instant.fromEpochMilliseconds(edge).toZonedDateTimeISO(parsed.timeZone);
          expect(moment.startOfDay().epochMilliseconds).toBe(edge);
        }
      },
    ),
    { numRuns: 1_000 },
  );
});
