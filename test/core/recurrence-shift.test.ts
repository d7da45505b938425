import { describe, expect, test } from 'vitest';
import type { CalmcpError } from '../../src/core/errors.ts';
import type { EventTime } from '../../src/core/event.ts';
import { formatRecurrence, parseRecurrence, shiftRecurrence, slotsOf } from '../../src/core/recurrence.ts';
import { at, on } from './events.ts';

const shift = (rule: string, from: EventTime, to: EventTime): string =>
  formatRecurrence(shiftRecurrence(parseRecurrence(rule), from, to));

describe('a series that is moved to another day', () => {
  test.each([
    ['nothing names the day', 'FREQ=WEEKLY;COUNT=5', '2026-10-13', '2026-10-15', 'FREQ=WEEKLY;COUNT=5'],
    ['its one weekday', 'FREQ=WEEKLY;BYDAY=TU', '2026-10-13', '2026-10-15', 'FREQ=WEEKLY;BYDAY=TH'],
    ['all weekdays together', 'FREQ=WEEKLY;BYDAY=MO,WE', '2026-10-12', '2026-10-13', 'FREQ=WEEKLY;BYDAY=TU,TH'],
    ['over the end of the week', 'FREQ=WEEKLY;BYDAY=MO,SA', '2026-10-17', '2026-10-18', 'FREQ=WEEKLY;BYDAY=TU,SU'],
    [
      'a week later',
      'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
      '2026-10-12',
      '2026-10-19',
      'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR',
    ],
    ['the second Tuesday', 'FREQ=MONTHLY;BYDAY=2TU', '2026-10-13', '2026-10-22', 'FREQ=MONTHLY;BYDAY=4TH'],
    [
      'the second Tuesday by position',
      'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2',
      '2026-10-13',
      '2026-10-14',
      'FREQ=MONTHLY;BYDAY=2WE',
    ],
    ['the last Friday', 'FREQ=MONTHLY;BYDAY=-1FR', '2026-10-30', '2026-10-29', 'FREQ=MONTHLY;BYDAY=-1TH'],
    ['its day of the month', 'FREQ=MONTHLY;BYMONTHDAY=15', '2026-10-15', '2026-10-20', 'FREQ=MONTHLY;BYMONTHDAY=20'],
    [
      'the last day of the month',
      'FREQ=MONTHLY;BYMONTHDAY=-1',
      '2026-10-31',
      '2026-11-30',
      'FREQ=MONTHLY;BYMONTHDAY=-1',
    ],
    [
      'its day of the year',
      'FREQ=YEARLY;BYMONTH=10;BYMONTHDAY=15',
      '2026-10-15',
      '2026-11-20',
      'FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=20',
    ],
    [
      'its weekday of a month',
      'FREQ=YEARLY;BYMONTH=10;BYDAY=2TU',
      '2026-10-13',
      '2026-11-05',
      'FREQ=YEARLY;BYMONTH=11;BYDAY=1TH',
    ],
    ['its weekday of the year', 'FREQ=YEARLY;BYDAY=20MO', '2026-05-18', '2026-05-26', 'FREQ=YEARLY;BYDAY=21TU'],
    ['UNTIL', 'FREQ=WEEKLY;BYDAY=TU;UNTIL=20261027', '2026-10-13', '2026-10-15', 'FREQ=WEEKLY;BYDAY=TH;UNTIL=20261029'],
    // The second Wednesday of October is after the second Tuesday, that of December before it.
    [
      'UNTIL of a month',
      'FREQ=MONTHLY;BYDAY=2TU;UNTIL=20261208',
      '2026-10-13',
      '2026-10-14',
      'FREQ=MONTHLY;BYDAY=2WE;UNTIL=20261209',
    ],
    [
      'not at all',
      'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2;UNTIL=20261208',
      '2026-10-13',
      '2026-10-13',
      'FREQ=MONTHLY;BYDAY=TU;BYSETPOS=2;UNTIL=20261208',
    ],
  ])('%s', (_, rule, from, to, expected) => {
    expect(shift(rule, on(from), on(to))).toBe(expected);
  });

  test.each([
    ['Monday to Friday', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR', '2026-10-12', '2026-10-13'],
    ['a weekday that was not its own', 'FREQ=WEEKLY;BYDAY=WE', '2026-10-13', '2026-10-15'],
    ['weekdays of a daily rule', 'FREQ=DAILY;BYDAY=MO,WE', '2026-10-12', '2026-10-13'],
    ['a fifth that few months have', 'FREQ=MONTHLY;BYDAY=2TU', '2026-10-13', '2026-10-29'],
    ['the last to one that is not', 'FREQ=MONTHLY;BYDAY=-1FR', '2026-10-30', '2026-10-22'],
    ['several days of a month', 'FREQ=MONTHLY;BYMONTHDAY=1,15', '2026-10-01', '2026-10-02'],
    ['several numbered weekdays', 'FREQ=MONTHLY;BYDAY=1MO,3MO', '2026-10-05', '2026-10-06'],
    ['the last day to the one before', 'FREQ=MONTHLY;BYMONTHDAY=-1', '2026-10-31', '2026-10-30'],
    ['the last weekday', 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2026-10-30', '2026-10-29'],
    ['Friday the 13th', 'FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13', '2026-11-13', '2026-11-12'],
    ['out of its season', 'FREQ=WEEKLY;BYDAY=TU;BYMONTH=9,10', '2026-10-13', '2026-11-12'],
    ['one of several months', 'FREQ=YEARLY;BYMONTH=3,10;BYMONTHDAY=15', '2026-10-15', '2026-11-15'],
    ['a numbered week', 'FREQ=YEARLY;BYWEEKNO=42;BYDAY=TU', '2026-10-13', '2026-10-14'],
  ])('%s: what is meant has to be said', (_, rule, from, to) => {
    let error: CalmcpError | undefined;
    try {
      shift(rule, on(from), on(to));
    } catch (thrown) {
      error = thrown as CalmcpError;
    }
    expect(error?.code).toBe('INPUT_INVALID');
    expect(error?.hint).toContain('give the new recurrence as well');
  });
});

describe('a series that is moved to another time', () => {
  const start = at('2026-10-13T07:00:00Z');
  const rule = 'FREQ=WEEKLY;BYDAY=TU;UNTIL=20261027T080000Z';

  test('later on the same day keeps its last occurrence', () => {
    const later = at('2026-10-13T12:00:00Z');
    expect(shift(rule, start, later)).toBe('FREQ=WEEKLY;BYDAY=TU;UNTIL=20261027T130000Z');
    expect(slotsOf(parseRecurrence(shift(rule, start, later)), later)).toHaveLength(3);
  });

  test('to a zone with other clock changes keeps its last occurrence', () => {
    // New York changes its clocks a week after Amsterdam.
    const there = at('2026-10-13T13:00:00Z', 'America/New_York');
    expect(shift(rule, start, there)).toBe('FREQ=WEEKLY;BYDAY=TU;UNTIL=20261027T130000Z');
  });

  test('is another day where its zone says so', () => {
    const evening = at('2026-10-14T02:00:00Z', 'America/Los_Angeles');
    expect(shift('FREQ=WEEKLY;BYDAY=TU', evening, at('2026-10-14T17:00:00Z', 'America/Los_Angeles'))).toBe(
      'FREQ=WEEKLY;BYDAY=WE',
    );
    expect(shift('FREQ=WEEKLY;BYDAY=TU', evening, at('2026-10-13T17:00:00Z', 'America/Los_Angeles'))).toBe(
      'FREQ=WEEKLY;BYDAY=TU',
    );
  });

  test('takes its hour along', () => {
    expect(shift('FREQ=DAILY;BYHOUR=9;BYMINUTE=0', start, at('2026-10-13T12:30:00Z'))).toBe(
      'FREQ=DAILY;BYHOUR=14;BYMINUTE=30',
    );
    expect(() => shift('FREQ=DAILY;BYHOUR=9,14', start, at('2026-10-13T08:00:00Z'))).toThrow('does not tell');
  });

  test('out of a gap, where its rule names the hour before it', () => {
    const gap = at('2026-03-29T01:30:00Z');
    expect(shift('FREQ=DAILY;BYHOUR=2;BYMINUTE=30', gap, at('2026-03-29T08:00:00Z'))).toBe(
      'FREQ=DAILY;BYHOUR=10;BYMINUTE=0',
    );
  });

  test('and made all-day ends on a date', () => {
    expect(shift(rule, start, on('2026-10-14'))).toBe('FREQ=WEEKLY;BYDAY=WE;UNTIL=20261028');
    expect(shift('FREQ=WEEKLY;BYDAY=WE;UNTIL=20261028', on('2026-10-14'), start)).toBe(rule);
  });
});
