import { describe, expect, test } from 'vitest';
import type { CalmcpError } from '../../src/core/errors.ts';
import type { EventTime } from '../../src/core/event.ts';
import {
  checkStart,
  describeRecurrence,
  firstSlot,
  formatRecurrence,
  parseRecurrence,
  sameRecurrence,
  settleUntil,
  slotsOf,
  splitRecurrence,
} from '../../src/core/recurrence.ts';
import { at, on } from './events.ts';

const iso = (time: EventTime | undefined | null): string | undefined =>
  time?.kind === 'timed' ? new Date(time.epochMs).toISOString().replace(':00.000Z', 'Z') : time?.date;
const slots = (rule: string, start: EventTime, window = {}): (string | undefined)[] =>
  slotsOf(parseRecurrence(rule), start, window).map(iso);

function split(rule: string, start: EventTime, slot: EventTime): { head: string | null; tail: string; all: string[] } {
  const { head, tail } = splitRecurrence(parseRecurrence(rule), start, slot);
  const all = [...(head === null ? [] : slotsOf(head, start)), ...slotsOf(tail, slot)];
  return {
    head: head && formatRecurrence(head),
    tail: formatRecurrence(tail),
    all: all.map((time) => iso(time) ?? ''),
  };
}

function refusalOf(work: () => unknown): CalmcpError {
  try {
    work();
  } catch (thrown) {
    return thrown as CalmcpError;
  }
  throw new Error('nothing was refused');
}

describe('a rule as text', () => {
  test.each([
    ['RRULE:freq=weekly;byday=th,tu;interval=2', 'FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH'],
    ['weekly', 'FREQ=WEEKLY'],
    [' Weekdays ', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR'],
    ['daily', 'FREQ=DAILY'],
    ['monthly', 'FREQ=MONTHLY'],
    ['yearly', 'FREQ=YEARLY'],
    ['COUNT=3;FREQ=DAILY;INTERVAL=1;WKST=MO', 'FREQ=DAILY;COUNT=3'],
    ['FREQ=MONTHLY;BYDAY=+2TU,-1FR,2TU', 'FREQ=MONTHLY;BYDAY=2TU,-1FR'],
    ['FREQ=DAILY;UNTIL=2026-12-18', 'FREQ=DAILY;UNTIL=20261218'],
    ['FREQ=DAILY;UNTIL=20261218T225959Z', 'FREQ=DAILY;UNTIL=20261218T225959Z'],
    ['FREQ=DAILY;UNTIL=2026-12-18T09:00', 'FREQ=DAILY;UNTIL=20261218T090000'],
    ['FREQ=YEARLY;WKST=SU;BYWEEKNO=20,-1;BYDAY=MO', 'FREQ=YEARLY;BYWEEKNO=-1,20;BYDAY=MO;WKST=SU'],
  ])('%s is %s', (text, expected) => {
    expect(formatRecurrence(parseRecurrence(text))).toBe(expected);
  });

  test.each([
    ['', 'not a rule'],
    ['fortnightly', 'not a rule'],
    ['FREQ=WEEKLY;', 'not a rule'],
    ['FREQ=WEEKLY\nRRULE:FREQ=DAILY', 'not a rule'],
    ['BYDAY=MO', 'does not say how often'],
    ['FREQ=NEVER', 'does not say how often'],
    ['FREQ=HOURLY', 'too often to be a calendar event'],
    ['FREQ=MINUTELY;COUNT=2', 'too often'],
    ['FREQ=SECONDLY', 'too often'],
    ['FREQ=DAILY;FREQ=DAILY', 'FREQ twice'],
    ['FREQ=DAILY;BYEASTER=0', 'does not know: BYEASTER'],
    ['FREQ=DAILY;INTERVAL=0', 'INTERVAL'],
    ['FREQ=DAILY;INTERVAL=-1', 'INTERVAL'],
    ['FREQ=DAILY;INTERVAL=1.5', 'not a rule'],
    ['FREQ=DAILY;COUNT=0', 'COUNT'],
    ['FREQ=DAILY;COUNT=10000', 'COUNT'],
    ['FREQ=DAILY;COUNT=2;UNTIL=20261218', 'both COUNT and UNTIL'],
    ['FREQ=DAILY;UNTIL=20261318', 'UNTIL'],
    ['FREQ=DAILY;UNTIL=tomorrow', 'UNTIL'],
    ['FREQ=WEEKLY;BYDAY=1MO', 'does not go with FREQ=WEEKLY'],
    ['FREQ=DAILY;BYDAY=-1MO', 'does not go with FREQ=DAILY'],
    ['FREQ=YEARLY;BYWEEKNO=3;BYDAY=1MO', 'does not go with BYWEEKNO'],
    ['FREQ=MONTHLY;BYDAY=0MO', 'BYDAY'],
    ['FREQ=MONTHLY;BYDAY=54MO', 'BYDAY'],
    ['FREQ=WEEKLY;BYDAY=MON', 'BYDAY'],
    ['FREQ=WEEKLY;BYMONTHDAY=3', 'BYMONTHDAY does not go'],
    ['FREQ=MONTHLY;BYMONTHDAY=32', 'BYMONTHDAY'],
    ['FREQ=MONTHLY;BYMONTHDAY=0', 'BYMONTHDAY'],
    ['FREQ=MONTHLY;BYYEARDAY=3', 'BYYEARDAY does not go'],
    ['FREQ=MONTHLY;BYWEEKNO=3', 'BYWEEKNO does not go'],
    ['FREQ=YEARLY;BYMONTH=13', 'BYMONTH'],
    ['FREQ=YEARLY;BYMONTH=-1', 'BYMONTH'],
    ['FREQ=DAILY;BYHOUR=24', 'BYHOUR'],
    ['FREQ=DAILY;BYSETPOS=1', 'BYSETPOS needs'],
    ['FREQ=DAILY;WKST=XX', 'WKST'],
  ])('%j is refused, with an example', (text, message) => {
    const error = refusalOf(() => parseRecurrence(text));
    expect(error.code).toBe('INPUT_INVALID');
    expect(error.message).toContain(message);
    expect(error.hint).toMatch(/=|daily/i);
  });

  test('UNTIL becomes of the kind that its start wants', () => {
    const settled = (until: string, start: EventTime): string =>
      formatRecurrence(settleUntil(parseRecurrence(`FREQ=DAILY;UNTIL=${until}`), start));
    expect(settled('20261218', at('2026-10-12T07:00:00Z'))).toBe('FREQ=DAILY;UNTIL=20261218T225959Z');
    expect(settled('20261218', at('2026-10-12T07:00:00Z', 'America/Los_Angeles'))).toBe(
      'FREQ=DAILY;UNTIL=20261219T075959Z',
    );
    expect(settled('20261218T090000', at('2026-10-12T07:00:00Z'))).toBe('FREQ=DAILY;UNTIL=20261218T080000Z');
    expect(settled('20261218T090000Z', at('2026-10-12T07:00:00Z', null))).toBe('FREQ=DAILY;UNTIL=20261218T090000Z');
    expect(settled('20261218T090000Z', on('2026-10-12'))).toBe('FREQ=DAILY;UNTIL=20261218');
  });
});

describe('the slots of a series', () => {
  test('keep their time on the wall when the clocks change', () => {
    expect(slots('FREQ=DAILY;COUNT=3', at('2026-10-24T07:00:00Z'))).toEqual([
      '2026-10-24T07:00Z',
      '2026-10-25T08:00Z',
      '2026-10-26T08:00Z',
    ]);
    expect(slots('FREQ=DAILY;COUNT=3', at('2026-10-31T13:00:00Z', 'America/New_York'))).toEqual([
      '2026-10-31T13:00Z',
      '2026-11-01T14:00Z',
      '2026-11-02T14:00Z',
    ]);
  });

  test('move forward in a gap, and are in the first pass of an hour that comes twice', () => {
    expect(slots('FREQ=DAILY;COUNT=3', at('2026-03-28T01:30:00Z'))).toEqual([
      '2026-03-28T01:30Z',
      '2026-03-29T01:30Z',
      '2026-03-30T00:30Z',
    ]);
    expect(slots('FREQ=DAILY;COUNT=3', at('2026-10-24T00:30:00Z'))).toEqual([
      '2026-10-24T00:30Z',
      '2026-10-25T00:30Z',
      '2026-10-26T01:30Z',
    ]);
  });

  test('begin with the start itself, in whatever pass it is', () => {
    expect(slots('FREQ=DAILY;COUNT=2', at('2026-10-25T01:30:00Z'))).toEqual(['2026-10-25T01:30Z', '2026-10-26T01:30Z']);
  });

  test('are once where a gap makes one of two, and in order', () => {
    expect(slots('FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30;COUNT=8', at('2026-03-28T01:00:00Z'))).toEqual([
      '2026-03-28T01:00Z',
      '2026-03-28T01:30Z',
      '2026-03-28T02:00Z',
      '2026-03-28T02:30Z',
      '2026-03-29T01:00Z',
      '2026-03-29T01:30Z',
    ]);
  });

  test('are cut to a half-open window, and end with UNTIL', () => {
    const window = { from: Date.parse('2026-10-19T07:00:00Z'), to: Date.parse('2026-11-02T08:00:00Z') };
    expect(slots('weekly', at('2026-10-12T07:00:00Z'), window)).toEqual(['2026-10-19T07:00Z', '2026-10-26T08:00Z']);
    expect(slots('FREQ=WEEKLY;UNTIL=20261026', at('2026-10-12T07:00:00Z'))).toHaveLength(3);
    expect(slots('FREQ=WEEKLY;UNTIL=20261026T075959Z', at('2026-10-12T07:00:00Z'))).toHaveLength(2);
    expect(slots('FREQ=WEEKLY;UNTIL=20261026', on('2026-10-12'))).toEqual(['2026-10-12', '2026-10-19', '2026-10-26']);
  });

  test('keep the zone of the start', () => {
    expect(slotsOf(parseRecurrence('FREQ=DAILY;COUNT=2'), at('2026-10-12T07:00:00Z')).at(-1)).toEqual(
      at('2026-10-13T07:00:00Z'),
    );
  });

  test('all-day ones have no time of day to choose', () => {
    expect(slots('FREQ=DAILY;BYHOUR=9,14;COUNT=2', on('2026-10-12'))).toEqual(['2026-10-12', '2026-10-13']);
  });

  test('too many are an error', () => {
    const error = refusalOf(() => slots('daily', on('2026-10-12')));
    expect([error.code, error.message]).toEqual(['INPUT_INVALID', 'the series has too many occurrences']);
  });
});

describe('the first slot', () => {
  test.each([
    ['weekly', at('2026-10-12T07:00:00Z'), '2026-10-12T07:00Z'],
    ['FREQ=WEEKLY;BYDAY=TU', at('2026-10-12T07:00:00Z'), '2026-10-13T07:00Z'],
    ['FREQ=WEEKLY;BYDAY=SU', at('2026-10-24T07:00:00Z'), '2026-10-25T08:00Z'],
    ['FREQ=MONTHLY;BYDAY=-1FR', on('2026-10-12'), '2026-10-30'],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', on('2026-10-30'), '2026-10-30'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', on('2026-10-12'), '2028-02-29'],
    ['FREQ=DAILY;BYHOUR=14;COUNT=1', at('2026-10-12T07:00:00Z'), '2026-10-12T12:00Z'],
    // Monday in Auckland, Sunday in UTC.
    ['FREQ=WEEKLY;BYDAY=MO', at('2026-10-11T20:00:00Z', 'Pacific/Auckland'), '2026-10-11T20:00Z'],
    ['FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', on('2026-10-12'), undefined],
    ['FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30', on('2026-10-12'), undefined],
    ['FREQ=WEEKLY;BYDAY=TU;UNTIL=20261012', on('2026-10-12'), undefined],
    ['FREQ=WEEKLY;UNTIL=20261011', on('2026-10-12'), undefined],
  ])('of %s from %o is %s', (rule, start, expected) => {
    expect(iso(firstSlot(parseRecurrence(rule), start))).toBe(expected);
  });

  test('a start that does not fit its rule is refused, with the first that does', () => {
    checkStart(parseRecurrence('FREQ=WEEKLY;BYDAY=MO'), at('2026-10-12T07:00:00Z'));
    const error = refusalOf(() => checkStart(parseRecurrence('FREQ=WEEKLY;BYDAY=TU'), at('2026-10-12T07:00:00Z')));
    expect(error.message).toBe('the event does not start at a time that FREQ=WEEKLY;BYDAY=TU chooses');
    expect(error.hint).toContain('2026-10-13T09:00+02:00');
    expect(refusalOf(() => checkStart(parseRecurrence('FREQ=DAILY;UNTIL=20261011'), on('2026-10-12'))).message).toBe(
      'FREQ=DAILY;UNTIL=20261011 never happens from the start of the event on',
    );
  });
});

describe('a series cut in two', () => {
  test('Amsterdam, 25 October 2026: the head ends right before the slot of the new offset', () => {
    expect(split('FREQ=WEEKLY;COUNT=4', at('2026-10-18T07:00:00Z'), at('2026-10-25T08:00:00Z'))).toEqual({
      head: 'FREQ=WEEKLY;UNTIL=20261025T075959Z',
      tail: 'FREQ=WEEKLY;COUNT=3',
      all: ['2026-10-18T07:00Z', '2026-10-25T08:00Z', '2026-11-01T08:00Z', '2026-11-08T08:00Z'],
    });
  });

  test('Amsterdam, 25 October 2026: in the hour that comes twice', () => {
    expect(split('FREQ=DAILY;COUNT=3', at('2026-10-24T00:30:00Z'), at('2026-10-25T00:30:00Z'))).toEqual({
      head: 'FREQ=DAILY;UNTIL=20261025T002959Z',
      tail: 'FREQ=DAILY;COUNT=2',
      all: ['2026-10-24T00:30Z', '2026-10-25T00:30Z', '2026-10-26T01:30Z'],
    });
    expect(refusalOf(() => split('FREQ=DAILY', at('2026-10-24T00:30:00Z'), at('2026-10-25T01:30:00Z'))).code).toBe(
      'INPUT_INVALID',
    );
  });

  test('Amsterdam, 29 March 2026: in the gap, the tail goes back to its time the day after', () => {
    const start = at('2026-03-28T01:30:00Z');
    const slot = at('2026-03-29T01:30:00Z');
    expect(split('FREQ=DAILY;COUNT=4', start, slot)).toEqual({
      head: 'FREQ=DAILY;UNTIL=20260329T012959Z',
      tail: 'FREQ=DAILY;BYHOUR=2;BYMINUTE=30;COUNT=3',
      all: ['2026-03-28T01:30Z', '2026-03-29T01:30Z', '2026-03-30T00:30Z', '2026-03-31T00:30Z'],
    });
    checkStart(splitRecurrence(parseRecurrence('daily'), start, slot).tail, slot);
  });

  test('New York, 1 November 2026', () => {
    const zone = 'America/New_York';
    expect(
      split('FREQ=DAILY;UNTIL=20261102T235959Z', at('2026-10-31T13:00:00Z', zone), at('2026-11-01T14:00:00Z', zone)),
    ).toEqual({
      head: 'FREQ=DAILY;UNTIL=20261101T135959Z',
      tail: 'FREQ=DAILY;UNTIL=20261102T235959Z',
      all: ['2026-10-31T13:00Z', '2026-11-01T14:00Z', '2026-11-02T14:00Z'],
    });
  });

  test('Auckland: a Monday morning, which is Sunday in UTC', () => {
    const zone = 'Pacific/Auckland';
    expect(
      split('FREQ=WEEKLY;BYDAY=MO;COUNT=3', at('2026-09-20T20:00:00Z', zone), at('2026-09-27T19:00:00Z', zone)),
    ).toEqual({
      head: 'FREQ=WEEKLY;BYDAY=MO;UNTIL=20260927T185959Z',
      tail: 'FREQ=WEEKLY;BYDAY=MO;COUNT=2',
      all: ['2026-09-20T20:00Z', '2026-09-27T19:00Z', '2026-10-04T19:00Z'],
    });
  });

  test('Los Angeles: a Monday evening, which is Tuesday in UTC', () => {
    const zone = 'America/Los_Angeles';
    expect(
      split(
        'FREQ=MONTHLY;BYDAY=1MO;UNTIL=20261207',
        at('2026-10-06T02:00:00Z', zone),
        at('2026-11-03T03:00:00Z', zone),
      ),
    ).toEqual({
      head: 'FREQ=MONTHLY;BYDAY=1MO;UNTIL=20261103T025959Z',
      tail: 'FREQ=MONTHLY;BYDAY=1MO;UNTIL=20261208T075959Z',
      all: ['2026-10-06T02:00Z', '2026-11-03T03:00Z', '2026-12-08T03:00Z'],
    });
  });

  test('all-day: the head ends on a date', () => {
    expect(split('FREQ=MONTHLY;BYMONTHDAY=1;COUNT=3', on('2026-10-01'), on('2026-11-01'))).toEqual({
      head: 'FREQ=MONTHLY;BYMONTHDAY=1;UNTIL=20261031',
      tail: 'FREQ=MONTHLY;BYMONTHDAY=1;COUNT=2',
      all: ['2026-10-01', '2026-11-01', '2026-12-01'],
    });
  });

  test('at the second and at the last of a COUNT', () => {
    const start = at('2026-10-12T07:00:00Z');
    expect(split('FREQ=DAILY;COUNT=5', start, at('2026-10-13T07:00:00Z'))).toMatchObject({
      head: 'FREQ=DAILY;UNTIL=20261013T065959Z',
      tail: 'FREQ=DAILY;COUNT=4',
    });
    expect(split('FREQ=DAILY;COUNT=5', start, at('2026-10-16T07:00:00Z'))).toMatchObject({
      head: 'FREQ=DAILY;UNTIL=20261016T065959Z',
      tail: 'FREQ=DAILY;COUNT=1',
    });
  });

  test('at the first there is no head, and the tail is the series', () => {
    const start = at('2026-10-12T07:00:00Z');
    expect(split('FREQ=DAILY;COUNT=5', start, start)).toMatchObject({ head: null, tail: 'FREQ=DAILY;COUNT=5' });
  });

  test('where its zone is unknown, it lives by UTC', () => {
    expect(split('FREQ=DAILY;COUNT=2', at('2026-03-28T01:30:00Z', null), at('2026-03-29T01:30:00Z', null)).all).toEqual(
      ['2026-03-28T01:30Z', '2026-03-29T01:30Z'],
    );
  });

  test.each([
    ['between two slots', 'daily', at('2026-10-12T07:00:00Z'), at('2026-10-13T08:00:00Z')],
    ['before the start', 'daily', at('2026-10-12T07:00:00Z'), at('2026-10-11T07:00:00Z')],
    ['after COUNT', 'FREQ=DAILY;COUNT=2', at('2026-10-12T07:00:00Z'), at('2026-10-14T07:00:00Z')],
    ['after UNTIL', 'FREQ=DAILY;UNTIL=20261013', at('2026-10-12T07:00:00Z'), at('2026-10-14T07:00:00Z')],
    ['of the other kind', 'daily', at('2026-10-12T00:00:00Z', 'UTC'), on('2026-10-13')],
  ])('a time %s is no slot', (_, rule, start, slot) => {
    expect(refusalOf(() => split(rule, start, slot)).message).toBe('the series has no occurrence at that time');
  });

  test('a day that Samoa never had cannot be cut at', () => {
    const zone = 'Pacific/Apia';
    const start = at('2011-12-29T19:00:00Z', zone);
    const slot = slotsOf(parseRecurrence('FREQ=DAILY;INTERVAL=1;COUNT=4'), start);
    expect(slot.map(iso)).toEqual(['2011-12-29T19:00Z', '2011-12-30T19:00Z', '2011-12-31T19:00Z']);
    // A Friday that was skipped: what falls on it moves to the Saturday.
    const weekly = at('2011-12-23T19:00:00Z', zone);
    const moved = slotsOf(parseRecurrence('FREQ=WEEKLY;COUNT=2'), weekly).at(-1) as EventTime;
    expect(refusalOf(() => split('weekly', weekly, moved)).message).toContain('a day that its zone does not have');
  });
});

describe('two rules', () => {
  const start = at('2026-10-13T07:00:00Z');
  const same = (one: string, other: string): boolean =>
    sameRecurrence(parseRecurrence(one), parseRecurrence(other), start);

  test('are the same when they give the same series', () => {
    expect(same('weekly', 'FREQ=WEEKLY;BYDAY=TU;WKST=SU')).toBe(true);
    expect(same('FREQ=WEEKLY;UNTIL=20261027T075959Z', 'FREQ=WEEKLY;BYDAY=TU;UNTIL=20261020T070000Z')).toBe(true);
    expect(same('FREQ=WEEKLY;COUNT=2', 'FREQ=WEEKLY;UNTIL=20261020')).toBe(true);
  });

  test('are not when one day is another', () => {
    expect(same('weekly', 'FREQ=WEEKLY;BYDAY=TU,WE')).toBe(false);
    expect(same('weekly', 'FREQ=WEEKLY;COUNT=500')).toBe(false);
    expect(same('FREQ=WEEKLY;UNTIL=20261027', 'FREQ=WEEKLY;UNTIL=20261026')).toBe(false);
    expect(same('monthly', 'FREQ=MONTHLY;BYDAY=2TU')).toBe(false);
  });
});

describe('a rule in words', () => {
  test.each([
    ['FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20261218', 'every week on Tuesday and Thursday until 2026-12-18'],
    ['FREQ=MONTHLY;INTERVAL=2;BYDAY=-1FR;COUNT=10', 'every 2 months on the last Friday, 10 times'],
    ['daily', 'every day'],
    ['weekly', 'every week'],
    ['FREQ=DAILY;INTERVAL=3;COUNT=1', 'every 3 days, once'],
    ['weekdays', 'every week on Monday to Friday'],
    ['FREQ=WEEKLY;BYDAY=MO,WE,FR', 'every week on Monday, Wednesday and Friday'],
    ['FREQ=MONTHLY;BYMONTHDAY=1,15', 'every month on days 1 or 15'],
    ['FREQ=MONTHLY;BYMONTHDAY=-1', 'every month on the last day'],
    ['FREQ=MONTHLY;BYMONTHDAY=-2', 'every month on the second to last day'],
    ['FREQ=MONTHLY;BYMONTHDAY=28,29,30;BYSETPOS=-1', 'every month on the last of days 28, 29 or 30'],
    ['FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', 'every month on the last weekday'],
    ['FREQ=MONTHLY;BYDAY=MO,WE;BYSETPOS=1', 'every month on the first of Monday and Wednesday'],
    ['FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', 'every month on Friday that is day 13'],
    ['FREQ=YEARLY;BYMONTH=3,9;BYDAY=2TU', 'every year on the second Tuesday in March and September'],
    ['FREQ=YEARLY;BYDAY=22MO', 'every year on the 22nd Monday'],
    ['FREQ=YEARLY;BYYEARDAY=100', 'every year on day 100 of the year'],
    ['FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', 'every year on Monday in week 20'],
    ['FREQ=DAILY;BYHOUR=9,14', 'every day at hours 9 and 14'],
  ])('%s is %j', (rule, expected) => {
    expect(describeRecurrence(parseRecurrence(rule))).toBe(expected);
  });

  test('its end is the last day of an occurrence, where the start is known', () => {
    const start = at('2026-10-13T07:00:00Z');
    const { head } = splitRecurrence(parseRecurrence('weekly'), start, at('2026-10-27T08:00:00Z'));
    expect(head && describeRecurrence(head, start)).toBe('every week until 2026-10-26');
    const evening = at('2026-10-14T02:00:00Z', 'America/Los_Angeles');
    expect(describeRecurrence(parseRecurrence('FREQ=DAILY;UNTIL=20261017T020000Z'), evening)).toBe(
      'every day until 2026-10-16',
    );
  });
});
