import { describe, expect, it } from 'vitest';
import { intersect, interval, pairsOf } from '../../src/core/intervals.ts';
import { DAY, zoneClock } from '../../src/core/time.ts';
import { expandWorkingHours, USUAL_HOURS, WEEKDAYS, type WorkingHours } from '../../src/core/working-hours.ts';

const iso = (epochMs: number): string => new Date(epochMs).toISOString().replace(':00.000Z', 'Z');

/** A range of civil days of a zone, the last one included. */
function days(zone: string, first: string, last = first): { start: number; end: number } {
  const clock = zoneClock(zone);
  return { start: clock.startOfDay(first), end: clock.startOfDay(iso(Date.parse(last) + DAY).slice(0, 10)) };
}

/** Those that meet the range: the days at its edges come whole. */
function expand(hours: Partial<WorkingHours>, zone: string, range: { start: number; end: number }): string[] {
  const found = expandWorkingHours({ ...USUAL_HOURS, ...hours }, zoneClock(zone), range);
  return [...pairsOf(found)]
    .filter(([start, end]) => start < range.end && end > range.start)
    .map(([start, end]) => `${iso(start)}..${iso(end)}`);
}

const ALL_DAY: WorkingHours = { days: WEEKDAYS, start: '00:00', end: '24:00' };
const EVERY_DAY = { days: WEEKDAYS };

describe('working hours', () => {
  it('are on the days that were said, on the clock of their owner', () => {
    expect(expand({}, 'Europe/Amsterdam', days('Europe/Amsterdam', '2026-11-20', '2026-11-23'))).toEqual([
      '2026-11-20T08:00Z..2026-11-20T16:30Z',
      '2026-11-23T08:00Z..2026-11-23T16:30Z',
    ]);
    expect(expand({ days: ['sun'] }, 'UTC', days('UTC', '2026-11-16', '2026-11-30'))).toEqual([
      '2026-11-22T09:00Z..2026-11-22T17:30Z',
      '2026-11-29T09:00Z..2026-11-29T17:30Z',
    ]);
  });

  it('T04: move with the clocks', () => {
    expect(expand(EVERY_DAY, 'Europe/Berlin', days('Europe/Berlin', '2026-03-28', '2026-03-29'))).toEqual([
      '2026-03-28T08:00Z..2026-03-28T16:30Z',
      '2026-03-29T07:00Z..2026-03-29T15:30Z',
    ]);
  });

  it.each([
    ['', '2026-02-16', '14:00Z..16:00Z'],
    [' during the weeks in which only America has changed its clocks', '2026-03-09', '13:00Z..16:00Z'],
    [' on the last of those days', '2026-03-27', '13:00Z..16:00Z'],
    [' when Europe has followed', '2026-03-30', '13:00Z..15:00Z'],
  ])('L01: of New York and Berlin have two or three hours in common%s', (_, day, expected) => {
    const range = days('Europe/Berlin', day);
    const hours = { ...USUAL_HOURS, start: '09:00', end: '17:00' };
    const common = ['America/New_York', 'Europe/Berlin']
      .map((zone) => expandWorkingHours(hours, zoneClock(zone), range))
      .reduce(intersect, interval(range.start, range.end));
    expect([...pairsOf(common)].map(([start, end]) => `${iso(start).slice(11)}..${iso(end).slice(11)}`)).toEqual([
      expected,
    ]);
  });

  it('L07: that begin in a gap begin with the first instant after it', () => {
    // 02:00 to 03:00 does not exist on that day.
    const range = days('Europe/Berlin', '2026-03-29');
    expect(expand({ ...EVERY_DAY, start: '02:30', end: '06:00' }, 'Europe/Berlin', range)).toEqual([
      '2026-03-29T01:00Z..2026-03-29T04:00Z',
    ]);
    expect(expand({ ...EVERY_DAY, start: '02:00', end: '06:00' }, 'Europe/Berlin', range)).toEqual([
      '2026-03-29T01:00Z..2026-03-29T04:00Z',
    ]);
    expect(expand({ ...EVERY_DAY, start: '03:00', end: '06:00' }, 'Europe/Berlin', range)).toEqual([
      '2026-03-29T01:00Z..2026-03-29T04:00Z',
    ]);
  });

  it('L07: that end in a gap end where it begins, and those that lie in one are none', () => {
    const range = days('Europe/Berlin', '2026-03-29');
    expect(expand({ ...EVERY_DAY, start: '01:00', end: '02:30' }, 'Europe/Berlin', range)).toEqual([
      '2026-03-29T00:00Z..2026-03-29T01:00Z',
    ]);
    expect(expand({ ...EVERY_DAY, start: '02:10', end: '02:50' }, 'Europe/Berlin', range)).toEqual([]);
  });

  it('L07: that begin at a midnight which does not exist begin with the day', () => {
    const range = days('Africa/Cairo', '2026-04-24');
    for (const start of ['00:00', '00:30', '01:00'])
      expect(expand({ ...EVERY_DAY, start, end: '03:00' }, 'Africa/Cairo', range)).toEqual([
        '2026-04-23T22:00Z..2026-04-24T00:00Z',
      ]);
  });

  it('T02: begin with the first pass of a time that comes twice, and go on through the second', () => {
    const range = days('Europe/Berlin', '2026-10-25');
    expect(expand({ ...EVERY_DAY, start: '02:30', end: '06:00' }, 'Europe/Berlin', range)).toEqual([
      '2026-10-25T00:30Z..2026-10-25T05:00Z',
    ]);
    expect(expand({ ...EVERY_DAY, start: '01:00', end: '03:00' }, 'Europe/Berlin', range)).toEqual([
      '2026-10-24T23:00Z..2026-10-25T02:00Z',
    ]);
  });

  it('T03: around the clock are one stretch, also on the days of 23 and 25 hours', () => {
    for (const [first, last] of [
      ['2026-03-07', '2026-03-09'],
      ['2026-10-31', '2026-11-02'],
    ] as const) {
      const range = days('America/New_York', first, last);
      const [pair, ...more] = [...pairsOf(expandWorkingHours(ALL_DAY, zoneClock('America/New_York'), range))];
      expect(more).toEqual([]);
      expect(pair?.[0]).toBeLessThanOrEqual(range.start);
      expect(pair?.[1]).toBeGreaterThanOrEqual(range.end);
    }
  });

  it('are there for a range that begins or ends in the middle of them', () => {
    const noon = Date.parse('2026-11-23T12:00:00Z');
    expect(expand({}, 'Europe/Amsterdam', { start: noon, end: noon + 1 })).toEqual([
      '2026-11-23T08:00Z..2026-11-23T16:30Z',
    ]);
  });

  it('T07: of a zone far away are found though its days are others than those of the range', () => {
    // Monday in Kiritimati begins on Sunday at 10:00 UTC.
    const range = days('UTC', '2026-11-22');
    expect(expand({ days: ['mon'] }, 'Pacific/Kiritimati', range)).toEqual(['2026-11-22T19:00Z..2026-11-23T03:30Z']);
    expect(expand({ days: ['sat'] }, 'Pacific/Pago_Pago', range)).toEqual(['2026-11-21T20:00Z..2026-11-22T04:30Z']);
  });

  it('T07: of a day that a zone skipped are none (Apia, 2011-12-30)', () => {
    const range = days('Pacific/Apia', '2011-12-29', '2011-12-31');
    expect(expand(EVERY_DAY, 'Pacific/Apia', range)).toEqual([
      '2011-12-29T19:00Z..2011-12-30T03:30Z',
      '2011-12-30T19:00Z..2011-12-31T03:30Z',
    ]);
  });

  it('L15: of two who work on other days have only the days in common', () => {
    const range = days('Europe/Amsterdam', '2026-11-22', '2026-11-28');
    const clock = zoneClock('Europe/Amsterdam');
    const common = intersect(
      expandWorkingHours({ ...USUAL_HOURS, days: ['sun', 'mon', 'tue', 'wed', 'thu'] }, clock, range),
      expandWorkingHours(USUAL_HOURS, clock, range),
    );
    expect([...pairsOf(common)].map(([start]) => clock.date(start))).toEqual([
      '2026-11-23',
      '2026-11-24',
      '2026-11-25',
      '2026-11-26',
    ]);
  });

  it('of no range are none', () => {
    const noon = Date.parse('2026-11-23T12:00:00Z');
    expect(expand({}, 'UTC', { start: noon, end: noon })).toEqual([]);
    expect(expand({}, 'UTC', { start: noon, end: noon - DAY })).toEqual([]);
  });
});
