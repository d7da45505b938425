import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weekdayOf } from '../../src/core/civil-days.ts';
import { DAY, zoneClock } from '../../src/core/time.ts';
import { eventsWithin, wholeWeeks } from '../../src/core/windows.ts';
import { event } from './events.ts';

const RUNS = Number(process.env.CALMCP_PROPERTY_RUNS ?? 1_000);
const ZONES = ['Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'America/Sao_Paulo', '+05:45'];
const zone = fc.constantFrom(...ZONES);
const moment = fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2028-01-01') });
const range = fc
  .tuple(moment, fc.integer({ min: 1, max: 60 * DAY }), zone)
  .map(([start, length, timeZone]) => ({ start, end: start + length, timeZone }));

describe('the weeks that are read for a question', () => {
  it('hold all that was asked about, begin the day before a Monday and end the day after one, on the clock of the zone', () => {
    fc.assert(
      fc.property(range, (asked) => {
        const whole = wholeWeeks(asked);
        const clock = zoneClock(asked.timeZone);
        expect(whole.start).toBeLessThanOrEqual(asked.start);
        expect(whole.end).toBeGreaterThanOrEqual(asked.end);
        for (const monday of [whole.start + DAY, whole.end - DAY]) {
          expect(weekdayOf(clock.date(monday))).toBe(0);
          expect(clock.startOfDay(clock.date(monday))).toBe(monday);
        }
        // No more than a week and a day on either side.
        expect(asked.start - whole.start).toBeLessThanOrEqual(8 * DAY + 3_600_000);
        expect(whole.end - asked.end).toBeLessThanOrEqual(8 * DAY + 3_600_000);
      }),
      { numRuns: RUNS },
    );
  });

  it('are the same for a day of the week, the whole week, and either with a day around it', () => {
    const timeZone = 'Europe/Amsterdam';
    const clock = zoneClock(timeZone);
    const [monday, next] = [clock.startOfDay('2026-11-23'), clock.startOfDay('2026-11-30')];
    const week = wholeWeeks({ start: monday, end: next, timeZone });
    for (const [start, end] of [
      [monday, monday + DAY],
      [next - DAY, next],
      [monday - DAY, next + DAY],
      [monday - DAY, monday + 2 * DAY],
      [next - 2 * DAY, next + DAY],
    ] as const)
      expect(wholeWeeks({ start, end, timeZone })).toEqual(week);
    expect(week).toEqual({ start: monday - DAY, end: next + DAY, timeZone });
  });

  it('are weeks across a change of the clocks, too', () => {
    const timeZone = 'America/New_York';
    const clock = zoneClock(timeZone);
    const { start, end } = wholeWeeks({
      start: clock.startOfDay('2026-11-01'),
      end: clock.startOfDay('2026-11-02'),
      timeZone,
    });
    expect([clock.format(start + DAY), clock.format(end - DAY)]).toEqual([
      '2026-10-26T00:00:00-04:00',
      '2026-11-02T00:00:00-05:00',
    ]);
  });
});

it('of a longer reading those events are told that touch the range or the day around it', () => {
  fc.assert(
    fc.property(
      range,
      fc.array(fc.tuple(moment, fc.integer({ min: 0, max: 3 * DAY })), { maxLength: 20 }),
      (asked, times) => {
        const events = times.map(([start, length], index) =>
          event({
            id: String(index),
            start: { kind: 'timed', epochMs: start, zone: null },
            end: { kind: 'timed', epochMs: start + length, zone: null },
          }),
        );
        const told = new Set(eventsWithin(events, asked));
        for (const [index, [start, length]] of times.entries()) {
          const touches = start <= asked.end + DAY && start + length >= asked.start - DAY;
          expect(told.has(events[index] as never)).toBe(touches);
        }
      },
    ),
    { numRuns: RUNS },
  );
});

it('an all-day event is told wherever on earth its day touches the range', () => {
  const day = event({
    start: { kind: 'date', date: '2026-11-24' },
    end: { kind: 'date', date: '2026-11-25' },
  });
  for (const timeZone of ['Pacific/Kiritimati', 'Pacific/Midway', 'Europe/Amsterdam']) {
    const clock = zoneClock(timeZone);
    const [start, end] = [clock.startOfDay('2026-11-24'), clock.startOfDay('2026-11-25')];
    expect(eventsWithin([day], { start, end, timeZone })).toEqual([day]);
    expect(eventsWithin([day], { start: end - 1, end, timeZone })).toEqual([day]);
  }
});
