import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { startProcessorTime } from '../../processor-time.ts';
import { calendar, days, event, messages, only, readText, spans, starts } from './harness.ts';

const BERLIN = 'TZID=Europe/Berlin';
const weekly = (...more: string[]): string =>
  event(`DTSTART;${BERLIN}:20261005T090000`, `DTEND;${BERLIN}:20261005T100000`, 'SUMMARY:Weekly', ...more);

describe('series', () => {
  test('T04: nine o’clock stays nine o’clock over a DST change', async () => {
    const text = calendar(event(`DTSTART;${BERLIN}:20260316T090000`, 'RRULE:FREQ=WEEKLY'));
    expect(starts(await readText(text, days('2026-03-20', '2026-04-07')))).toEqual([
      '2026-03-23T08:00Z',
      '2026-03-30T07:00Z',
      '2026-04-06T07:00Z',
    ]);
  });

  test('T01: an occurrence in a gap is moved forward by its length', async () => {
    // RFC 5545 3.3.10 says both that such instances MUST be ignored and that they are read as 3.3.5 says. Google,
    // Exchange and ical.js move them forward, and an appointment that is shown an hour late is safer than one that is not.
    const text = calendar(event('DTSTART;TZID=America/New_York:20260307T023000', 'RRULE:FREQ=DAILY;COUNT=3'));
    expect(starts(await readText(text, days('2026-03-01', '2026-04-01')))).toEqual([
      '2026-03-07T07:30Z',
      '2026-03-08T07:30Z',
      '2026-03-09T06:30Z',
    ]);
  });

  test('R01: a moved occurrence is gone from its old day and there on its new one, under its old slot', async () => {
    const text = calendar(
      weekly('RRULE:FREQ=WEEKLY'),
      event(
        `RECURRENCE-ID;${BERLIN}:20261012T090000`,
        `DTSTART;${BERLIN}:20261020T140000`,
        `DTEND;${BERLIN}:20261020T150000`,
      ),
    );
    expect(starts(await readText(text, days('2026-10-12')))).toEqual([]);
    const moved = only(await readText(text, days('2026-10-20')));
    expect(moved).toMatchObject({
      kind: 'exception',
      recurrenceKey: '2026-10-12T07:00:00Z',
      id: 'one@example.org|2026-10-12T07:00:00Z',
      seriesId: 'one@example.org',
    });
  });

  test('R02: an occurrence that moved into the range from years away is present', async () => {
    const text = calendar(
      weekly('RRULE:FREQ=WEEKLY;COUNT=4'),
      event(`RECURRENCE-ID;${BERLIN}:20261012T090000`, `DTSTART;${BERLIN}:20290103T090000`),
    );
    expect(starts(await readText(text, days('2029-01-03')))).toEqual(['2029-01-03T08:00Z']);
  });

  test.each([
    ['EXDATE in the zone', [`EXDATE;${BERLIN}:20261012T090000`]],
    ['R12: EXDATE in UTC', ['EXDATE:20261012T070000Z']],
    ['R12: EXDATE as a date', ['EXDATE;VALUE=DATE:20261012']],
    ['R12: EXDATE without a zone', ['EXDATE:20261012T090000']],
  ])('R03: %s removes the occurrence', async (_, lines) => {
    const read = await readText(
      calendar(weekly('RRULE:FREQ=WEEKLY;COUNT=3', ...lines)),
      days('2026-10-01', '2026-11-01'),
    );
    expect(starts(read)).toEqual(['2026-10-05T07:00Z', '2026-10-19T07:00Z']);
  });

  test('R03: a cancelled exception is absent and its slot stays empty', async () => {
    const text = calendar(
      weekly('RRULE:FREQ=WEEKLY;COUNT=3'),
      event('RECURRENCE-ID:20261012T070000Z', `DTSTART;${BERLIN}:20261012T090000`, 'STATUS:CANCELLED'),
    );
    expect(starts(await readText(text, days('2026-10-12')))).toEqual([]);
  });

  test('R05: an exception has its own fields, and the others keep theirs', async () => {
    const text = calendar(
      weekly('RRULE:FREQ=WEEKLY;COUNT=2'),
      event(
        `RECURRENCE-ID;${BERLIN}:20261012T090000`,
        `DTSTART;${BERLIN}:20261012T090000`,
        'DURATION:PT3H',
        'SUMMARY:Longer',
      ),
    );
    const read = await readText(text, days('2026-10-01', '2026-11-01'));
    expect(read.events.map(({ title, kind }) => [title, kind])).toEqual([
      ['Weekly', 'occurrence'],
      ['Longer', 'exception'],
    ]);
    expect(spans(read)[1]).toBe('2026-10-12T07:00Z..2026-10-12T10:00Z');
  });

  test('R07: a change to this and all following makes the series unknown, and nothing else', async () => {
    const text = calendar(
      weekly('RRULE:FREQ=WEEKLY'),
      event(`RECURRENCE-ID;RANGE=THISANDFUTURE;${BERLIN}:20261012T090000`, `DTSTART;${BERLIN}:20261012T110000`),
      event('UID:other', 'DTSTART:20261012T120000Z'),
    );
    const read = await readText(text, days('2026-10-12'));
    expect(starts(read)).toEqual(['2026-10-12T12:00Z']);
    expect(messages(read)).toEqual([
      'the event at line 4 of team.ics has a change to "this and all following", which is not supported',
    ]);
    expect(messages(await readText(text, days('2020-10-12')))).toEqual([]);
  });

  test('R08: a series without an end is expanded in the range alone, however old it is', async () => {
    const text = calendar(event('DTSTART:19700101T080000Z', 'RRULE:FREQ=DAILY'));
    expect(starts(await readText(text, days('2026-10-12', '2026-10-14')))).toEqual([
      '2026-10-12T08:00Z',
      '2026-10-13T08:00Z',
    ]);
  });

  test.each([
    ['every second', 'FREQ=SECONDLY', 'repeats every few seconds, which is not expanded'],
    ['every minute for a year', 'FREQ=MINUTELY', 'repeats too often to be expanded'],
    [
      'every second of the day',
      `FREQ=DAILY;BYHOUR=${[...Array(24).keys()]};BYMINUTE=${[...Array(60).keys()]}`,
      'repeats too often to be expanded',
    ],
    ['a minute of the year', 'FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30', 'repeats too often to be expanded'],
    ['a count that takes too long', 'FREQ=MINUTELY;COUNT=100000000', 'repeats too often to be expanded'],
    ['a frequency that is none', 'FREQ=FORTNIGHTLY', 'cannot be read (event)'],
    ['another calendar', 'RSCALE=HEBREW;FREQ=YEARLY', 'repeats in another calendar than the Gregorian one'],
    ['a third Monday of the week', 'FREQ=WEEKLY;BYDAY=3MO', 'repeats by a rule that RFC 5545 does not know'],
  ])('R09: %s is a problem of that series, and its siblings are read', async (_, rule, message) => {
    const text = calendar(
      event('DTSTART:20250101T080000Z', `RRULE:${rule}`),
      event('UID:other', 'DTSTART:20261012T120000Z'),
    );
    const spent = startProcessorTime();
    const read = await readText(text, days('2026-01-01', '2027-01-01'));
    expect(spent()).toBeLessThan(1500);
    expect(starts(read)).toEqual(['2026-10-12T12:00Z']);
    expect(messages(read)).toEqual([`the event at line 4 of team.ics ${message}`]);
  });

  test('R09: a rule that cannot be expanded is no problem for a range that it cannot reach', async () => {
    const text = calendar(event('DTSTART:20250101T080000Z', 'RRULE:FREQ=SECONDLY;UNTIL=20250201T000000Z'));
    expect(messages(await readText(text, days('2024-10-12')))).toEqual([]);
    expect(messages(await readText(text, days('2026-10-12')))).toEqual([]);
    expect(messages(await readText(text, days('2025-01-12')))).toHaveLength(1);
  });

  test.each([
    ['in UTC', 'UNTIL=20261019T070000Z', 3],
    ['in UTC, a second early', 'UNTIL=20261019T065959Z', 2],
    ['local', 'UNTIL=20261019T090000', 3],
    ['a date, which is included', 'UNTIL=20261019', 3],
    // RFC 5545 3.8.5.3: DTSTART is the first instance of the recurrence set.
    ['before the start', 'UNTIL=20200101T000000Z', 1],
  ])('R10: UNTIL %s', async (_, until, count) => {
    const read = await readText(calendar(weekly(`RRULE:FREQ=WEEKLY;${until}`)), days('2026-10-01', '2027-01-01'));
    expect(read.events).toHaveLength(count);
    expect(read.events[0]?.warnings?.length ?? 0).toBe(count === 1 ? 1 : 0);
  });

  test.each(['UNTIL=20261014', 'UNTIL=20261014T000000Z', 'UNTIL=20261014T215959Z', 'UNTIL=20261014T000000'])(
    'R10: an all-day series %s ends on the 14th',
    async (until) => {
      const text = calendar(event('DTSTART;VALUE=DATE:20261012', `RRULE:FREQ=DAILY;${until}`));
      expect(starts(await readText(text, days('2026-10-01', '2026-11-01')))).toEqual([
        '2026-10-12',
        '2026-10-13',
        '2026-10-14',
      ]);
    },
  );

  test('R13: RDATE adds occurrences, one with a PERIOD has its own length', async () => {
    const read = await readText(
      calendar(
        weekly(
          `RDATE;${BERLIN}:20261007T090000,20261005T090000`,
          'RDATE;VALUE=PERIOD:20261008T070000Z/20261008T073000Z,20261009T070000Z/PT3H',
          'RDATE;VALUE=DATE:20261010',
        ),
      ),
      days('2026-10-01', '2026-11-01'),
    );
    expect(spans(read)).toEqual([
      '2026-10-05T07:00Z..2026-10-05T08:00Z',
      '2026-10-07T07:00Z..2026-10-07T08:00Z',
      '2026-10-08T07:00Z..2026-10-08T07:30Z',
      '2026-10-09T07:00Z..2026-10-09T10:00Z',
      '2026-10-10T07:00Z..2026-10-10T08:00Z',
    ]);
  });

  test.each([
    // RFC 5545 3.8.5.3: "If the duration of the recurring component is specified with the DTEND property, then the same
    // exact duration will apply to all the members"; with DURATION "the same nominal duration will apply".
    ['DTEND is exact', `DTEND;${BERLIN}:20261018T220000`, 24],
    ['DURATION of a day is nominal', 'DURATION:P1D', 25],
    ['DURATION of 24 hours is exact', 'DURATION:PT24H', 24],
    ['DURATION of a day and an hour is both', 'DURATION:P1DT1H', 26],
  ])('an occurrence over a DST change: %s', async (_, length, hours) => {
    const text = calendar(event(`DTSTART;${BERLIN}:20261017T220000`, length, 'RRULE:FREQ=WEEKLY'));
    const read = await readText(text, days('2026-10-25'));
    const { start, end } = only(read);
    if (start.kind !== 'timed' || end.kind !== 'timed') throw new Error('not timed');
    expect((end.epochMs - start.epochMs) / 3_600_000).toBe(hours);
  });

  test('exceptions without their series are listed', async () => {
    const text = calendar(event(`RECURRENCE-ID;${BERLIN}:20261012T090000`, `DTSTART;${BERLIN}:20261012T100000`));
    expect(only(await readText(text, days('2026-10-12')))).toMatchObject({
      kind: 'exception',
      recurrenceKey: '2026-10-12T07:00:00Z',
    });
  });

  test('D04: two instances of a series have two ids', async () => {
    const read = await readText(calendar(weekly('RRULE:FREQ=WEEKLY')), days('2026-10-01', '2026-12-01'));
    expect(new Set(read.events.map(({ id }) => id)).size).toBe(read.events.length);
  });

  test('of two copies of one event the one with the higher SEQUENCE wins, whatever their order', async () => {
    const newer = weekly('SEQUENCE:2', 'LOCATION:new');
    const older = event(`DTSTART;${BERLIN}:20261006T090000`, 'SEQUENCE:1', 'LOCATION:old');
    for (const text of [calendar(newer, older), calendar(older, newer)])
      expect(only(await readText(text, days('2026-10-01', '2026-11-01'))).location).toBe('new');
  });

  test('different events under one UID are all kept', async () => {
    const text = calendar(event('DTSTART:20261012T100000Z'), event('DTSTART:20261012T140000Z'));
    const read = await readText(text, days('2026-10-12'));
    expect(starts(read)).toEqual(['2026-10-12T10:00Z', '2026-10-12T14:00Z']);
    expect(read.events.map(({ recurrenceKey }) => recurrenceKey)).toEqual([
      '2026-10-12T10:00:00Z',
      '2026-10-12T14:00:00Z',
    ]);
  });

  test.each([
    ['yearly on February 29', '20240229', 'FREQ=YEARLY', ['2024-02-29', '2028-02-29']],
    ['monthly on the 31st', '20261031', 'FREQ=MONTHLY;COUNT=3', ['2026-10-31', '2026-12-31', '2027-01-31']],
    [
      'the 53rd Sunday of years that have one',
      '20231231',
      'FREQ=YEARLY;BYDAY=53SU;COUNT=2',
      ['2023-12-31', '2028-12-31'],
    ],
    [
      'a Friday that is the second and the 13th',
      '20260213',
      'FREQ=MONTHLY;BYDAY=2FR;BYMONTHDAY=13;COUNT=2',
      ['2026-02-13', '2026-03-13'],
    ],
    ['a second Monday that is the 13th', '20260413', 'FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=13;COUNT=2', ['2026-04-13']],
    [
      'a start that does not match its rule',
      '20261014',
      'FREQ=WEEKLY;BYDAY=MO;COUNT=3',
      ['2026-10-14', '2026-10-19', '2026-10-26'],
    ],
    [
      'R14: every other week, by WKST',
      '20261013',
      'FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=TU,SU;COUNT=3',
      ['2026-10-13', '2026-10-25', '2026-10-27'],
    ],
    [
      'the last weekday of the month',
      '20261030',
      'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3',
      ['2026-10-30', '2026-11-30', '2026-12-31'],
    ],
    ['lower case and a stray semicolon', '20261012', 'freq=daily;count=2;', ['2026-10-12', '2026-10-13']],
    [
      'week 53 by a count from the end',
      '20260101',
      'FREQ=YEARLY;BYWEEKNO=-1;BYDAY=MO;COUNT=3',
      ['2026-01-01', '2026-12-28', '2027-12-27'],
    ],
  ])('%s', async (_, start, rule, expected) => {
    const text = calendar(event(`DTSTART;VALUE=DATE:${start}`, `RRULE:${rule}`));
    const found = new Set<string>();
    for (let year = 2024; year < 2029; year++)
      for (const date of starts(await readText(text, days(`${year}-01-01`, `${year + 1}-01-01`)))) found.add(date);
    expect([...found].sort()).toEqual(expected);
  });

  test('an hourly series has no hour in a gap and two in a fold', async () => {
    const text = calendar(event(`DTSTART;${BERLIN}:20260101T000000`, 'RRULE:FREQ=HOURLY'));
    expect((await readText(text, days('2026-03-29'))).events).toHaveLength(24);
    expect((await readText(text, days('2026-10-25'))).events).toHaveLength(24);
  });
});

describe('properties', () => {
  const rules = fc
    .record({
      frequency: fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'),
      interval: fc.integer({ min: 1, max: 5 }),
      day: fc.option(fc.subarray(['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'], { minLength: 1 }), { nil: undefined }),
      month: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 }), {
        nil: undefined,
      }),
      start: fc.integer({ min: 0, max: 900 }),
    })
    .map(({ start, ...rule }) => ({ ...rule, start: new Date(Date.UTC(2024, 0, 1 + start)) }));
  type Plan = typeof rules extends fc.Arbitrary<infer T> ? T : never;

  const dateText = (date: Date): string => date.toISOString().slice(0, 10).replaceAll('-', '');
  const textOf = ({ frequency, interval, day, month, start }: Plan): string =>
    calendar(
      event(
        `DTSTART;VALUE=DATE:${dateText(start)}`,
        `RRULE:FREQ=${frequency};INTERVAL=${interval}${day ? `;BYDAY=${day}` : ''}${month ? `;BYMONTH=${month}` : ''}`,
      ),
    );

  /** Day by day: is this day one? Nothing in common with periods and candidates. */
  function isOccurrence({ frequency, interval, day, month, start }: Plan, date: Date): boolean {
    if (date.getTime() === start.getTime()) return true;
    if (date < start) return false;
    const weekday = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
    const number = (moment: Date): number => moment.getTime() / 86_400_000;
    const monday = (moment: Date): number => number(moment) - ((moment.getUTCDay() + 6) % 7);
    const years = date.getUTCFullYear() - start.getUTCFullYear();
    const months = years * 12 + date.getUTCMonth() - start.getUTCMonth();
    const distance = {
      DAILY: number(date) - number(start),
      WEEKLY: (monday(date) - monday(start)) / 7,
      MONTHLY: months,
      YEARLY: years,
    };
    if (distance[frequency as keyof typeof distance] % interval !== 0) return false;
    if (month && !month.includes(date.getUTCMonth() + 1)) return false;
    if (day) return day.includes(weekday[date.getUTCDay()] ?? '');
    if (frequency === 'WEEKLY') return date.getUTCDay() === start.getUTCDay();
    if (frequency === 'DAILY') return true;
    if (date.getUTCDate() !== start.getUTCDate()) return false;
    return frequency === 'MONTHLY' || month !== undefined || date.getUTCMonth() === start.getUTCMonth();
  }

  test('expansion agrees with asking every single day', async () => {
    await fc.assert(
      fc.asyncProperty(rules, fc.integer({ min: 0, max: 1200 }), async (rule, offset) => {
        const from = new Date(Date.UTC(2024, 0, 1 + offset));
        const to = new Date(from.getTime() + 300 * 86_400_000);
        const expected: string[] = [];
        for (let at = from.getTime() - 86_400_000; at <= to.getTime(); at += 86_400_000)
          if (isOccurrence(rule, new Date(at))) expected.push(new Date(at).toISOString().slice(0, 10));
        const read = await readText(textOf(rule), { start: from.getTime(), end: to.getTime(), timeZone: 'UTC' });
        const found = starts(read);
        // A day to spare is allowed on both sides: only what is in the range must agree.
        const inside = (list: string[]): string[] =>
          list.filter((date) => Date.parse(date) >= from.getTime() && Date.parse(date) < to.getTime());
        expect(inside(found)).toEqual(inside(expected));
      }),
      { numRuns: 150 },
    );
  });

  test('two adjoining ranges give what both together give', async () => {
    const zone = fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe');
    const hour = fc.integer({ min: 0, max: 23 });
    await fc.assert(
      fc.asyncProperty(rules, zone, hour, fc.integer({ min: 1, max: 369 }), async (rule, timeZone, at, middle) => {
        const text = textOf(rule).replace(
          /DTSTART;VALUE=DATE:(\d+)/,
          `DTSTART;TZID=${timeZone}:$1T${String(at).padStart(2, '0')}3000`,
        );
        const start = Date.UTC(2026, 0, 1);
        const cut = start + middle * 86_400_000;
        const end = start + 370 * 86_400_000;
        const ids = async (from: number, to: number): Promise<string[]> =>
          (await readText(text, { start: from, end: to, timeZone })).events.map(({ id }) => id);
        const whole = await ids(start, end);
        const halves = [...(await ids(start, cut)), ...(await ids(cut, end))];
        expect([...new Set(halves)].sort()).toEqual([...whole].sort());
      }),
      { numRuns: 60 },
    );
  });
});
