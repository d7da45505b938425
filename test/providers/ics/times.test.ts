import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wallTimeToEpochMs } from '../../../src/core/time.ts';
import { createZones } from '../../../src/providers/ics/zones.ts';
import { calendar, days, event, messages, only, readText, show, spans, starts } from './harness.ts';

const BERLIN_RULES = [
  'BEGIN:DAYLIGHT',
  'DTSTART:19810329T020000',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
  'RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU',
  'END:DAYLIGHT',
  'BEGIN:STANDARD',
  'DTSTART:19961027T030000',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU',
  'END:STANDARD',
];
const zone = (tzid: string, ...rules: string[]): string =>
  ['BEGIN:VTIMEZONE', `TZID:${tzid}`, ...rules, 'END:VTIMEZONE'].join('\r\n');

describe('zones', () => {
  test('T01: a start in a gap is read with the offset before it', async () => {
    const text = calendar(event('DTSTART;TZID=America/New_York:20260308T023000'));
    expect(starts(await readText(text, days('2026-03-08')))).toEqual(['2026-03-08T07:30Z']);
  });

  test('T01: a start in a gap that meets its end there takes as long as the wall clock says, and so does its series', async () => {
    const one = [
      'DTSTART;TZID=America/New_York:20260308T023000',
      'DTEND;TZID=America/New_York:20260308T033000',
      'RRULE:FREQ=DAILY;COUNT=2',
    ];
    expect(spans(await readText(calendar(event(...one)), days('2026-03-08', '2026-03-10')))).toEqual([
      '2026-03-08T07:30Z..2026-03-08T08:30Z',
      '2026-03-09T06:30Z..2026-03-09T07:30Z',
    ]);
  });

  test('T02: a start in a fold is the first pass', async () => {
    const text = calendar(event('DTSTART;TZID=America/New_York:20261101T013000'));
    expect(starts(await readText(text, days('2026-11-01')))).toEqual(['2026-11-01T05:30Z']);
  });

  test('wall-clock times are the instants that Temporal says', () => {
    const zones = createZones();
    const names = fc.constantFrom(
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Africa/Cairo',
      'Africa/Casablanca',
      'Pacific/Apia',
      'America/Santiago',
      'Asia/Kathmandu',
      '+05:30',
      'UTC',
    );
    const minutes = fc.integer({ min: Date.UTC(1975, 0, 1) / 60_000, max: Date.UTC(2040, 0, 1) / 60_000 });
    fc.assert(
      fc.property(names, minutes, (name, minute) => {
        const local = new Date(minute * 60_000).toISOString().slice(0, 16);
        expect(zones.named(name).toEpochMs(minute * 60_000)).toBe(wallTimeToEpochMs(local, name));
      }),
      { numRuns: 1000 },
    );
  });

  test('wall-clock times around every change of the clock are the instants that Temporal says', () => {
    const zones = createZones();
    for (const [name, day] of [
      ['Europe/Berlin', '2026-03-29'],
      ['Europe/Berlin', '2026-10-25'],
      ['Australia/Lord_Howe', '2026-04-05'],
      ['Australia/Lord_Howe', '2026-10-04'],
      ['Africa/Cairo', '2026-04-24'],
      ['Pacific/Apia', '2011-12-30'],
    ] as const)
      for (let minute = 0; minute < 1440; minute += 5) {
        const local = Date.parse(`${day}T00:00Z`) + minute * 60_000;
        const text = new Date(local).toISOString().slice(0, 16);
        expect([text, zones.named(name).toEpochMs(local)]).toEqual([text, wallTimeToEpochMs(text, name)]);
      }
  });

  test.each([
    ['W. Europe Standard Time', 'Europe/Berlin'],
    ['/mozilla.org/20050126_1/Europe/Berlin', 'Europe/Berlin'],
    ['Europe/Berlin', 'Europe/Berlin'],
  ])('T24: TZID %s without VTIMEZONE is %s', async (tzid, name) => {
    const found = only(await readText(calendar(event(`DTSTART;TZID="${tzid}":20261012T090000`)), days('2026-10-12')));
    expect(found.start).toEqual({ kind: 'timed', epochMs: Date.UTC(2026, 9, 12, 7), zone: name });
  });

  test('T26: embedded rules win over the name they go by, which then is not told', async () => {
    const wrong = zone(
      'Europe/Berlin',
      'BEGIN:STANDARD',
      'DTSTART:19700101T000000',
      'TZOFFSETFROM:+0500',
      'TZOFFSETTO:+0500',
      'END:STANDARD',
    );
    const found = only(
      await readText(calendar(wrong, event('DTSTART;TZID=Europe/Berlin:20261012T090000')), days('2026-10-12')),
    );
    expect(found.start).toEqual({ kind: 'timed', epochMs: Date.UTC(2026, 9, 12, 4), zone: null });
  });

  test('T26: embedded rules that agree with a known zone are told by its name', async () => {
    for (const tzid of ['Europe/Berlin', 'W. Europe Standard Time']) {
      const text = calendar(
        zone(tzid, ...BERLIN_RULES),
        event(`DTSTART;TZID=${tzid}:20260720T090000`, 'RRULE:FREQ=MONTHLY;COUNT=6'),
      );
      const read = await readText(text, days('2026-07-01', '2027-01-01'));
      expect(read.events.map(({ start }) => show(start).slice(11, 13))).toEqual(['07', '07', '07', '07', '08', '08']);
      expect(read.events.every(({ start }) => start.kind === 'timed' && start.zone === 'Europe/Berlin')).toBe(true);
    }
  });

  test('T25: a custom zone that the file describes gives the right instant and no name', async () => {
    const text = calendar(
      zone('Customized Time Zone', ...BERLIN_RULES),
      event('DTSTART;TZID=Customized Time Zone:20261012T090000'),
    );
    const found = only(await readText(text, days('2026-10-12')));
    expect(found.start).toEqual({ kind: 'timed', epochMs: Date.UTC(2026, 9, 12, 7), zone: null });
  });

  test('T26: Outlook’s rules from 1601, with UNTIL and RDATE, are understood', async () => {
    const text = calendar(
      zone(
        'Somewhere',
        'BEGIN:STANDARD',
        'DTSTART:16011028T030000',
        'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=20251026T010000Z',
        'TZOFFSETFROM:+0200',
        'TZOFFSETTO:+0100',
        'END:STANDARD',
        'BEGIN:DAYLIGHT',
        'DTSTART:16010325T020000',
        'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3;UNTIL=20250330T010000Z',
        'TZOFFSETFROM:+0100',
        'TZOFFSETTO:+0200',
        'END:DAYLIGHT',
        'BEGIN:STANDARD',
        'DTSTART:20260601T000000',
        'RDATE:20260601T000000',
        'TZOFFSETFROM:+0100',
        'TZOFFSETTO:+0330',
        'END:STANDARD',
      ),
      event('UID:a', 'DTSTART;TZID=Somewhere:20250720T090000'),
      event('UID:b', 'DTSTART;TZID=Somewhere:20260520T090000'),
      event('UID:c', 'DTSTART;TZID=Somewhere:20260720T090000'),
    );
    expect(starts(await readText(text, days('2025-07-01', '2026-08-01')))).toEqual([
      '2025-07-20T07:00Z',
      '2026-05-20T08:00Z',
      '2026-07-20T05:30Z',
    ]);
  });

  test('T27: a zone that changes every minute is one that the file does not describe', async () => {
    const rules = BERLIN_RULES.map((line) => (line.startsWith('RRULE') ? 'RRULE:FREQ=MINUTELY' : line));
    const text = calendar(
      zone('Nowhere', ...rules),
      zone('Asia/Tokyo', ...rules),
      event('UID:a', 'DTSTART;TZID=Nowhere:20261012T090000'),
      event('UID:b', 'DTSTART;TZID=Asia/Tokyo:20261012T090000'),
    );
    const read = await readText(text, days('2026-10-12'));
    expect(starts(read)).toEqual(['2026-10-12T00:00Z']);
    expect(read.problems).toHaveLength(1);
  });

  test('a zone that nobody knows makes its event a problem where it may be, and no other event', async () => {
    const text = calendar(
      event('DTSTART;TZID=Nowhere:20261012T090000'),
      event('UID:other', 'DTSTART:20261012T120000Z'),
    );
    const read = await readText(text, days('2026-10-12'));
    expect(starts(read)).toEqual(['2026-10-12T12:00Z']);
    expect(messages(read)).toEqual([
      'the event at line 4 of team.ics is in a time zone that neither the file describes nor calmcp knows',
    ]);
    expect(messages(await readText(text, days('2026-10-13')))).toHaveLength(1);
    expect(messages(await readText(text, days('2026-10-20')))).toEqual([]);
  });

  test('T22: a floating time is read in X-WR-TIMEZONE, else in the account’s zone', async () => {
    const floating = event('DTSTART:20261012T090000');
    const range = days('2026-10-12');
    expect(only(await readText(calendar(floating), range)).start).toEqual({
      kind: 'timed',
      epochMs: Date.UTC(2026, 9, 12, 7),
      zone: 'Europe/Amsterdam',
      floating: true,
    });
    const elsewhere = await readText(calendar(floating), range, { timeZone: 'America/New_York' });
    expect(starts(elsewhere)).toEqual(['2026-10-12T13:00Z']);
    expect(starts(await readText(calendar('X-WR-TIMEZONE:Asia/Tokyo', floating), range))).toEqual([
      '2026-10-12T00:00Z',
    ]);
  });
});

describe('starts and ends', () => {
  test.each([
    [
      'T23: VALUE=DATE-TIME without Z is floating and not all-day',
      ['DTSTART;VALUE=DATE-TIME:20261012T090000'],
      '2026-10-12T07:00Z..2026-10-12T07:00Z',
    ],
    ['T23: a bare date without VALUE=DATE is a date', ['DTSTART:20261012'], '2026-10-12..2026-10-13'],
    ['T20: a time without an end has no length', ['DTSTART:20261012T090000Z'], '2026-10-12T09:00Z..2026-10-12T09:00Z'],
    ['T20: a date without an end is one day', ['DTSTART;VALUE=DATE:20261012'], '2026-10-12..2026-10-13'],
    [
      'T14: a date that ends where it starts is one day',
      ['DTSTART;VALUE=DATE:20261012', 'DTEND;VALUE=DATE:20261012'],
      '2026-10-12..2026-10-13',
    ],
    [
      'an all-day event ends before its end date',
      ['DTSTART;VALUE=DATE:20261012', 'DTEND;VALUE=DATE:20261015'],
      '2026-10-12..2026-10-15',
    ],
    ['an all-day event of a week', ['DTSTART;VALUE=DATE:20261012', 'DURATION:P1W'], '2026-10-12..2026-10-19'],
    ['an all-day event of 24 hours', ['DTSTART;VALUE=DATE:20261012', 'DURATION:PT24H'], '2026-10-12..2026-10-13'],
    [
      'T15: midnight to midnight stays timed',
      ['DTSTART:20261012T000000Z', 'DTEND:20261013T000000Z'],
      '2026-10-12T00:00Z..2026-10-13T00:00Z',
    ],
    [
      'start and end in two zones',
      ['DTSTART;TZID=Europe/Berlin:20261012T090000', 'DTEND;TZID=America/New_York:20261012T050000'],
      '2026-10-12T07:00Z..2026-10-12T09:00Z',
    ],
  ])('%s', async (_, lines, expected) => {
    const read = await readText(calendar(event(...lines)), days('2026-10-12'));
    expect(spans(read)).toEqual([expected]);
    expect(only(read).warnings).toBeUndefined();
  });

  test.each([
    [
      'T19: a timed event that ends before it starts',
      ['DTSTART:20261012T090000Z', 'DTEND:20261012T080000Z'],
      '2026-10-12T09:00Z..2026-10-12T09:00Z',
    ],
    [
      'T19: an all-day event that ends before it starts',
      ['DTSTART;VALUE=DATE:20261012', 'DTEND;VALUE=DATE:20261001'],
      '2026-10-12..2026-10-13',
    ],
    [
      'a date with an end that is a time',
      ['DTSTART;VALUE=DATE:20261012', 'DTEND:20261013T120000'],
      '2026-10-12..2026-10-14',
    ],
    [
      'a time with an end that is a date',
      ['DTSTART:20261012T220000Z', 'DTEND;VALUE=DATE:20261014'],
      '2026-10-12T22:00Z..2026-10-14T00:00Z',
    ],
  ])('%s is put right with a warning', async (_, lines, expected) => {
    const read = await readText(calendar(event(...lines)), days('2026-10-12'));
    expect(spans(read)).toEqual([expected]);
    expect(only(read).warnings).toHaveLength(1);
  });

  test('W01: what ends where the range starts, or starts where it ends, is out', async () => {
    const text = calendar(
      event('UID:before', 'DTSTART:20261011T230000Z', 'DTEND:20261012T000000Z'),
      event('UID:after', 'DTSTART:20261013T000000Z', 'DTEND:20261013T010000Z'),
    );
    expect(starts(await readText(text, days('2026-10-12')))).toEqual([]);
  });

  test('W02: what is under way when the range starts is in, with its true start', async () => {
    const text = calendar(
      event('UID:single', 'DTSTART:20260901T080000Z', 'DTEND:20261201T000000Z'),
      event('UID:series', 'DTSTART:20260101T080000Z', 'DURATION:P20D', 'RRULE:FREQ=MONTHLY'),
    );
    expect(starts(await readText(text, days('2026-10-12')))).toEqual(['2026-09-01T08:00Z', '2026-10-01T08:00Z']);
  });

  test('T12: all-day events are given with a day to spare, for viewers in any zone', async () => {
    const text = calendar(
      ...['10', '11', '12', '13', '14'].map((day) => event(`UID:${day}`, `DTSTART;VALUE=DATE:202610${day}`)),
    );
    expect(starts(await readText(text, days('2026-10-12')))).toEqual(['2026-10-11', '2026-10-12', '2026-10-13']);
  });
});
