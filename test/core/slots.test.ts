import { describe, expect, it } from 'vitest';
import { type Intervals, interval, NOTHING, unionOf } from '../../src/core/intervals.ts';
import { type FoundSlots, findSlots, gridAfter, RANKINGS, type SlotQuestion } from '../../src/core/slots.ts';
import { zoneClock } from '../../src/core/time.ts';
import { expandWorkingHours, USUAL_HOURS, WEEKDAYS } from '../../src/core/working-hours.ts';

const ms = (instant: string): number => Date.parse(instant);
const clock = zoneClock('UTC');

/** `10:00-11:00` on Monday 2026-11-23 in UTC, or `24T10:00-24T11:00` on a day of that month. */
function stretch(text: string): [number, number] {
  const moment = (part = ''): number => ms(`2026-11-${part.includes('T') ? part : `23T${part}`}:00Z`);
  const [start, end] = text.split('-');
  return [moment(start), moment(end)];
}

const times = (...texts: readonly string[]): Intervals =>
  unionOf(
    texts.map((text) => stretch(text)[0]),
    texts.map((text) => stretch(text)[1]),
  );

/** A question about Monday from nine to five, half an hour on a grid of a quarter. */
function question(more: Partial<SlotQuestion> = {}): SlotQuestion {
  return {
    range: { start: ms('2026-11-23T00:00:00Z'), end: ms('2026-11-24T00:00:00Z') },
    notBefore: 0,
    durationMinutes: 30,
    gridMinutes: 15,
    clock,
    hours: times('09:00-17:00'),
    blocked: NOTHING,
    soft: NOTHING,
    ranking: 'earliest',
    limit: 5,
    ...more,
  };
}

function shown({ slots }: FoundSlots, { clock: of = clock, days = false } = {}): string[] {
  return slots.map(
    ({ start, end, soft }) =>
      `${days ? `${of.date(start).slice(-2)}T` : ''}${of.timeOfDay(start)}-${of.timeOfDay(end)}${soft ? ' soft' : ''}`,
  );
}

const find = (more: Partial<SlotQuestion> = {}): string[] => shown(findSlots(question(more)));

describe('slots', () => {
  it('are in the hours, on the grid, and one after the other', () => {
    expect(find()).toEqual(['09:00-09:30', '09:30-10:00', '10:00-10:30', '10:30-11:00', '11:00-11:30']);
  });

  it('L02: two meetings that touch are one block, and the slot begins where the second ends', () => {
    expect(find({ blocked: times('09:00-11:00', '11:00-12:00'), limit: 1 })).toEqual(['12:00-12:30']);
  });

  it('L03: a gap exactly as long as the slot is offered', () => {
    const blocked = times('09:00-10:00', '10:30-17:00');
    expect(find({ blocked })).toEqual(['10:00-10:30']);
    expect(find({ blocked: times('09:00-16:30') })).toEqual(['16:30-17:00']);
    expect(find({ hours: times('10:00-10:30') })).toEqual(['10:00-10:30']);
  });

  it('L04: a gap one minute shorter than the slot is not', () => {
    expect(find({ blocked: times('09:00-10:00', '10:29-17:00') })).toEqual([]);
    expect(find({ blocked: times('09:00-10:01', '10:30-17:00') })).toEqual([]);
    expect(find({ hours: times('10:00-10:29') })).toEqual([]);
  });

  it('L06: a slot begins on the grid, not where a meeting happens to end', () => {
    expect(find({ blocked: times('09:00-10:07'), limit: 1 })).toEqual(['10:15-10:45']);
    expect(find({ blocked: times('09:00-10:07'), gridMinutes: 1, limit: 1 })).toEqual(['10:07-10:37']);
    expect(find({ blocked: times('09:00-10:07'), gridMinutes: 60, limit: 1 })).toEqual(['11:00-11:30']);
    expect(find({ hours: times('09:05-10:00') })).toEqual(['09:15-09:45']);
  });

  it('L06: a gap that is long enough and holds no point of the grid has no slot, and says how long it is', () => {
    const found = findSlots(question({ blocked: times('09:00-10:01', '10:44-17:00') }));
    expect(found).toMatchObject({ slots: [], emptyReason: 'noGap', longestFreeMinutes: 43 });
  });

  it('do not begin off the grid by a second', () => {
    const blocked = unionOf([ms('2026-11-23T09:00:00Z')], [ms('2026-11-23T10:00:00.001Z')]);
    expect(find({ blocked, limit: 1 })).toEqual(['10:15-10:45']);
  });

  it('touch the edges of the range and do not cross them', () => {
    const range = { start: ms('2026-11-23T10:00:00Z'), end: ms('2026-11-23T11:15:00Z') };
    expect(find({ range })).toEqual(['10:00-10:30', '10:30-11:00']);
    expect(find({ range, durationMinutes: 75 })).toEqual(['10:00-11:15']);
    expect(find({ range, durationMinutes: 76 })).toEqual([]);
  });

  it('may last over midnight, where the hours do', () => {
    const hours = expandWorkingHours({ days: WEEKDAYS, start: '00:00', end: '24:00' }, clock, question().range);
    const range = { start: ms('2026-11-23T00:00:00Z'), end: ms('2026-11-25T00:00:00Z') };
    const blocked = times('00:00-23:30', '24T00:30-24T23:59');
    expect(find({ hours, range, blocked, durationMinutes: 60 })).toEqual(['23:30-00:30']);
  });

  it('L07: begin with the first instant after a gap in which the hours would begin', () => {
    const berlin = zoneClock('Europe/Berlin');
    const range = { start: berlin.startOfDay('2026-03-29'), end: berlin.startOfDay('2026-03-30') };
    const hours = expandWorkingHours({ days: WEEKDAYS, start: '02:30', end: '06:00' }, berlin, range);
    const found = findSlots(question({ range, hours, clock: berlin, limit: 1 }));
    expect(found.slots.map(({ start }) => berlin.format(start))).toEqual(['2026-03-29T03:00:00+02:00']);
  });

  it('L12: of the same question are the same, in the same order', () => {
    for (const ranking of RANKINGS) {
      const one = question({ ranking, blocked: times('10:00-10:30', '13:00-15:00'), soft: times('11:00-12:00') });
      expect(findSlots(one)).toEqual(findSlots(one));
      expect(new Set(findSlots(one).slots.map(({ start }) => start)).size).toBe(findSlots(one).slots.length);
    }
  });

  it('L13: begin no sooner than they may, rounded up to the grid', () => {
    const notBefore = ms('2026-11-23T11:01:00Z');
    expect(find({ notBefore, limit: 1 })).toEqual(['11:15-11:45']);
    expect(find({ notBefore: ms('2026-11-23T11:00:00Z'), limit: 1 })).toEqual(['11:00-11:30']);
    expect(find({ notBefore: ms('2026-11-23T11:00:00.001Z'), limit: 1 })).toEqual(['11:15-11:45']);
    expect(find({ notBefore: ms('2026-11-22T11:00:00Z'), limit: 1 })).toEqual(['09:00-09:30']);
  });

  it.each([0, -30, 0.5, 30.5, Number.NaN])('L11: a slot of %d minutes is a mistake of who asks', (durationMinutes) => {
    expect(() => findSlots(question({ durationMinutes }))).toThrow(TypeError);
  });

  it.each([0, -15, 7, 1.5, 2_880])('a grid of %d minutes does not divide the day', (gridMinutes) => {
    expect(() => findSlots(question({ gridMinutes }))).toThrow(TypeError);
  });
});

describe('L10: where there is none, it is told why', () => {
  it.each([
    ['there are no hours', { hours: NOTHING }, 'outsideHours', 0],
    ['the hours are too short', { durationMinutes: 481 }, 'outsideHours', 480],
    ['the hours are too short in the range', { hours: times('23:45-24T10:00') }, 'outsideHours', 15],
    ['the hours have gone by', { notBefore: ms('2026-11-23T17:00:00Z') }, 'tooSoon', 0],
    ['what is left of them is too short', { notBefore: ms('2026-11-23T16:45:00Z') }, 'tooSoon', 15],
    ['the range has gone by', { notBefore: ms('2026-12-24T00:00:00Z') }, 'tooSoon', 0],
    ['all is taken', { blocked: times('08:00-18:00') }, 'noGap', 0],
    ['every gap is too short', { blocked: times('09:20-16:40') }, 'noGap', 20],
    ['what is free has gone by', { blocked: times('12:00-17:00'), notBefore: ms('2026-11-23T12:00:00Z') }, 'noGap', 0],
  ] as const)('%s', (_, more, emptyReason, longestFreeMinutes) => {
    expect(findSlots(question(more))).toEqual({ slots: [], emptyReason, longestFreeMinutes });
  });

  it('and where there is one, nothing is', () => {
    expect(findSlots(question())).not.toHaveProperty('emptyReason');
  });
});

describe('the grid', () => {
  it.each([
    ['Asia/Kathmandu', 60, '2026-11-23T09:20:00+05:45', '2026-11-23T10:00:00+05:45'],
    ['Asia/Kathmandu', 30, '2026-11-23T09:20:00+05:45', '2026-11-23T09:30:00+05:45'],
    ['Asia/Kolkata', 60, '2026-11-23T09:00:01+05:30', '2026-11-23T10:00:00+05:30'],
    ['Asia/Kolkata', 60, '2026-11-23T09:00:00+05:30', '2026-11-23T09:00:00+05:30'],
    ['America/St_Johns', 120, '2026-11-23T09:00:00-03:30', '2026-11-23T10:00:00-03:30'],
    ['Pacific/Marquesas', 1_440, '2026-11-23T00:00:01-09:30', '2026-11-24T00:00:00-09:30'],
  ])('T08: of %s is that of its wall clock (every %i minutes)', (zone, minutes, from, expected) => {
    const local = zoneClock(zone);
    expect(local.format(gridAfter(ms(from), minutes, local))).toBe(expected);
  });

  it.each([
    // Berlin goes from 02:00 to 03:00 on 2026-03-29, and from 03:00 back to 02:00 on 2026-10-25.
    ['Europe/Berlin', 15, '2026-03-29T01:50:00+01:00', '2026-03-29T03:00:00+02:00'],
    ['Europe/Berlin', 120, '2026-03-29T00:10:00+01:00', '2026-03-29T04:00:00+02:00'],
    ['Europe/Berlin', 720, '2026-03-29T00:10:00+01:00', '2026-03-29T12:00:00+02:00'],
    ['Europe/Berlin', 1_440, '2026-03-29T00:10:00+01:00', '2026-03-30T00:00:00+02:00'],
    ['Europe/Berlin', 15, '2026-10-25T02:50:00+02:00', '2026-10-25T02:00:00+01:00'],
    ['Europe/Berlin', 60, '2026-10-25T02:10:00+02:00', '2026-10-25T02:00:00+01:00'],
    ['Europe/Berlin', 120, '2026-10-25T02:10:00+02:00', '2026-10-25T02:00:00+01:00'],
    ['Europe/Berlin', 80, '2026-10-25T02:50:00+02:00', '2026-10-25T02:40:00+01:00'],
    ['Europe/Berlin', 1_440, '2026-10-25T00:00:01+02:00', '2026-10-26T00:00:00+01:00'],
    // Lord Howe Island changes its clocks by half an hour: 02:00 to 02:30, and 02:00 back to 01:30.
    ['Australia/Lord_Howe', 60, '2026-10-04T01:10:00+10:30', '2026-10-04T03:00:00+11:00'],
    ['Australia/Lord_Howe', 60, '2026-04-05T01:10:00+11:00', '2026-04-05T02:00:00+10:30'],
    ['Australia/Lord_Howe', 90, '2026-04-05T01:31:00+11:00', '2026-04-05T01:30:00+10:30'],
    // Apia had no 2011-12-30 at all.
    ['Pacific/Apia', 1_440, '2011-12-29T08:00:00-10:00', '2011-12-31T00:00:00+14:00'],
  ])('T01, T02: of %s goes on over a change of clocks (every %i minutes from %s)', (zone, minutes, from, expected) => {
    const local = zoneClock(zone);
    expect(local.format(gridAfter(ms(from), minutes, local))).toBe(expected);
  });

  it('T08: is that of the viewer, whoever is asked', () => {
    const nepal = zoneClock('Asia/Kathmandu');
    const found = findSlots(question({ clock: nepal, gridMinutes: 30, limit: 2 }));
    expect(found.slots.map(({ start }) => nepal.format(start))).toEqual([
      '2026-11-23T15:00:00+05:45',
      '2026-11-23T15:30:00+05:45',
    ]);
  });
});

describe('what may be used last', () => {
  it('L09: comes after everything that is free, and says so', () => {
    expect(find({ soft: times('09:00-16:30') })).toEqual([
      '16:30-17:00',
      '09:00-09:30 soft',
      '09:30-10:00 soft',
      '10:00-10:30 soft',
      '10:30-11:00 soft',
    ]);
    expect(find({ soft: times('09:00-16:30'), limit: 1 })).toEqual(['16:30-17:00']);
  });

  it('L09: is soft when a minute of it is, and not when it only touches', () => {
    expect(find({ soft: times('09:29-09:31'), gridMinutes: 30, hours: times('09:00-10:30') })).toEqual([
      '10:00-10:30',
      '09:00-09:30 soft',
      '09:30-10:00 soft',
    ]);
    expect(find({ soft: times('08:00-09:00'), limit: 1 })).toEqual(['09:00-09:30']);
  });

  it('is not used where it is taken as well', () => {
    expect(find({ soft: times('09:00-17:00'), blocked: times('09:00-16:30') })).toEqual(['16:30-17:00 soft']);
  });

  it('is found beside the free slots that it overlaps, in every order', () => {
    // Free: 09:00-10:00. Soft on the grid: 09:15, 09:30 and so on, of which the first ones overlap the free slot.
    const more = { hours: times('09:00-11:00'), soft: times('10:00-11:00'), durationMinutes: 60, limit: 5 } as const;
    for (const ranking of RANKINGS) expect(find({ ...more, ranking })).toEqual(['09:00-10:00', '10:00-11:00 soft']);
  });
});

describe('the order of slots', () => {
  const week = { start: ms('2026-11-23T00:00:00Z'), end: ms('2026-11-28T00:00:00Z') };
  const hours = expandWorkingHours({ ...USUAL_HOURS, end: '17:00' }, clock, week);

  it('limitPerDay leaves room for other days', () => {
    const found = findSlots(question({ range: week, hours, limitPerDay: 2 }));
    expect(shown(found, { days: true })).toEqual([
      '23T09:00-09:30',
      '23T09:30-10:00',
      '24T09:00-09:30',
      '24T09:30-10:00',
      '25T09:00-09:30',
    ]);
  });

  it('limitPerDay counts days as the viewer has them', () => {
    // 10:00 and 16:00 in UTC are one day in Kiritimati, and 09:00 is the day before.
    const far = zoneClock('Pacific/Kiritimati');
    const found = findSlots(question({ hours: times('09:00-11:00', '16:00-17:00'), clock: far, limitPerDay: 1 }));
    expect(shown(found, { clock: far, days: true })).toEqual(['23T23:00-23:30', '24T00:00-00:30']);
  });

  it('limitPerDay counts soft and free slots together', () => {
    expect(find({ soft: times('09:00-16:30'), limitPerDay: 2 })).toEqual(['16:30-17:00', '09:00-09:30 soft']);
  });

  it('spread takes one a day, mornings and afternoons in turn, as far apart as the limit allows', () => {
    const found = findSlots(question({ range: week, hours, ranking: 'spread' }));
    expect(shown(found, { days: true })).toEqual([
      '23T09:00-09:30',
      '24T14:00-14:30',
      '25T09:00-09:30',
      '26T14:00-14:30',
      '27T09:00-09:30',
    ]);
    expect(shown(findSlots(question({ range: week, hours, ranking: 'spread', limit: 2 })), { days: true })).toEqual([
      '23T09:00-09:30',
      '27T14:00-14:30',
    ]);
    expect(shown(findSlots(question({ range: week, hours, ranking: 'spread', limit: 1 })), { days: true })).toEqual([
      '23T09:00-09:30',
    ]);
  });

  it('spread on one day takes slots that are far from each other', () => {
    expect(find({ ranking: 'spread', limit: 3 })).toEqual(['09:00-09:30', '12:45-13:15', '16:30-17:00']);
  });

  it('spread of what is used last begins with what the free slots have left', () => {
    const days = { start: ms('2026-11-23T00:00:00Z'), end: ms('2026-11-25T00:00:00Z') };
    const found = findSlots(
      question({
        range: days,
        hours: times('09:00-12:00', '24T09:00-24T12:00'),
        soft: times('10:00-12:00', '24T10:00-24T12:00'),
        durationMinutes: 60,
        gridMinutes: 30,
        ranking: 'spread',
        limit: 4,
      }),
    );
    expect(shown(found, { days: true })).toEqual([
      '23T09:00-10:00',
      '24T09:00-10:00',
      '23T10:00-11:00 soft',
      '24T10:00-11:00 soft',
    ]);
  });

  it('spread finds as many as there are where slots of two days overlap', () => {
    // Of the second day only 00:00 and 00:30 are left, and the slot of the first one lasts until 00:30.
    const found = findSlots(
      question({
        range: { start: ms('2026-11-23T00:00:00Z'), end: ms('2026-11-25T00:00:00Z') },
        hours: times('23:30-24T01:30'),
        durationMinutes: 60,
        gridMinutes: 30,
        ranking: 'spread',
      }),
    );
    expect(shown(found)).toEqual(['23:30-00:30', '00:30-01:30']);
  });

  it('compact fills gaps first, then what is beside a meeting, and keeps long stretches whole', () => {
    const blocked = times('10:00-11:00', '11:30-12:00');
    expect(find({ ranking: 'compact', blocked, limit: 4 })).toEqual([
      '11:00-11:30',
      '09:30-10:00',
      '12:00-12:30',
      '09:00-09:30',
    ]);
    const [first, second] = findSlots(question({ ranking: 'compact', blocked, limit: 2 })).slots;
    expect(first).toMatchObject({ follows: true, precedes: true });
    expect(second).toMatchObject({ follows: false, precedes: true });
  });

  it('L12: earliest is by time; of one start there is one slot', () => {
    const starts = findSlots(question({ range: week, hours, limit: 100 })).slots.map(({ start }) => start);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(starts).toHaveLength(80);
  });

  it('a year of minutes is searched to its end', () => {
    const year = { start: ms('2026-01-01T00:00:00Z'), end: ms('2027-01-01T00:00:00Z') };
    const { slots } = findSlots(
      question({ range: year, hours: interval(year.start, year.end), ranking: 'spread', gridMinutes: 1, limit: 100 }),
    );
    expect(slots).toHaveLength(100);
  });
});
