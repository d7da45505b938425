/** What must hold for any series: CALMCP_PROPERTY_RUNS=20000 npx vitest run test/core/recurrence-properties.test.ts looks harder. */
import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it, vi } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import type { EventTime } from '../../src/core/event.ts';
import {
  firstSlot,
  formatRecurrence,
  momentOf,
  parseRecurrence,
  sameRecurrence,
  settleUntil,
  shiftRecurrence,
  slotsOf,
  splitRecurrence,
} from '../../src/core/recurrence.ts';
import type { Rule } from '../../src/core/recurrence-rule.ts';
import { DAY } from '../../src/core/time.ts';

const RUNS = Number(process.env.CALMCP_PROPERTY_RUNS ?? 1_000);
vi.setConfig({ testTimeout: 60_000 * Math.max(1, RUNS / 1_000) });
const options = { numRuns: RUNS };

const HALF_HOUR = 1_800_000;
/** Gaps and folds of an hour and of half an hour, at night, at midnight, and both ends of the world. */
const ZONES = [
  null,
  'Europe/Amsterdam',
  'America/New_York',
  'America/Los_Angeles',
  'America/St_Johns',
  'America/Santiago',
  'America/Havana',
  'Africa/Cairo',
  'Asia/Beirut',
  'Australia/Lord_Howe',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
  '+05:30',
];

const changes = new Map<string, number[]>();

/** When a zone changes its clocks, from 2025 to 2028. */
function changesOf(zone: string | null): readonly number[] {
  let found = changes.get(zone ?? '');
  if (found === undefined) {
    found = [];
    let next = Temporal.Instant.from('2025-01-01T00:00Z')
      .toZonedDateTimeISO(zone ?? 'UTC')
      .getTimeZoneTransition('next');
    while (next && next.year < 2029) {
      found.push(next.epochMilliseconds);
      next = next.getTimeZoneTransition('next');
    }
    changes.set(zone ?? '', found);
  }
  return found;
}

/** Half of them within a few days of a change of the clocks. */
const timed = fc
  .record({
    zone: fc.constantFrom(...ZONES),
    near: fc.boolean(),
    change: fc.nat(7),
    day: fc.integer({ min: 20_089, max: 21_500 }),
    ago: fc.constantFrom(0, 1, 2, 7, 14, 28, 30, 31),
    steps: fc.integer({ min: -6, max: 47 }),
  })
  .map(({ zone, near, change, day, ago, steps }): EventTime => {
    const all = changesOf(zone);
    const base = near && all.length > 0 ? (all[change % all.length] ?? 0) - ago * DAY : day * DAY;
    return { kind: 'timed', epochMs: base + steps * HALF_HOUR, zone };
  });
const allDay = fc
  .integer({ min: 20_089, max: 21_500 })
  .map((day): EventTime => ({ kind: 'date', date: new Date(day * DAY).toISOString().slice(0, 10) }));
const anyStart = fc.oneof({ weight: 4, arbitrary: timed }, { weight: 1, arbitrary: allDay });

const some = (values: readonly (string | number)[], maxLength = 3): fc.Arbitrary<string> =>
  fc.subarray([...values], { minLength: 1, maxLength }).map((list) => list.join());
const WEEKDAYS = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'];
const NTH = WEEKDAYS.flatMap((day) => [1, 2, 3, 4, -1, -2].map((nth) => `${nth}${day}`));
const MONTH_DAYS = [1, 2, 13, 15, 28, 29, 30, 31, -1, -2];
const part = (name: string, values: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  values.map((value) => `${name}=${value}`);

const DAYS_OF: Readonly<Record<string, fc.Arbitrary<string>>> = {
  DAILY: fc.oneof(fc.constant(''), part('BYDAY', some(WEEKDAYS, 5)), part('BYMONTHDAY', some(MONTH_DAYS))),
  WEEKLY: fc.oneof(fc.constant(''), part('BYDAY', some(WEEKDAYS, 5))),
  MONTHLY: fc.oneof(
    fc.constant(''),
    part('BYMONTHDAY', some(MONTH_DAYS)),
    part('BYDAY', some(NTH)),
    part('BYDAY', some(WEEKDAYS, 5)),
    fc.tuple(some(WEEKDAYS, 5), some([1, 2, -1], 2)).map(([days, positions]) => `BYDAY=${days};BYSETPOS=${positions}`),
  ),
  YEARLY: fc.oneof(
    fc.constant(''),
    part('BYMONTH', some([1, 2, 3, 10, 11])),
    part('BYYEARDAY', some([1, 60, 100, -1])),
    part('BYDAY', some(['20MO', '-1SU', '5TU'])),
    fc.tuple(some([2, 3, 10]), some(NTH)).map(([months, days]) => `BYMONTH=${months};BYDAY=${days}`),
    fc.tuple(some([2, 3, 10]), some(MONTH_DAYS)).map(([months, days]) => `BYMONTH=${months};BYMONTHDAY=${days}`),
    part('BYWEEKNO', some([1, 20, 44, 53, -1])),
  ),
};

interface Made {
  readonly rule: Rule;
  readonly start: EventTime;
}

/** With an end: COUNT, or UNTIL at or between two slots. */
const made = (times: fc.Arbitrary<string>, starts = anyStart): fc.Arbitrary<Made> =>
  fc.constantFrom('DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY').chain((frequency) =>
    fc
      .record({
        start: starts,
        days: DAYS_OF[frequency] ?? fc.constant(''),
        interval: fc.constantFrom(1, 1, 2, 3),
        times,
        weekStart: fc.constantFrom('', 'WKST=SU'),
        count: fc.integer({ min: 1, max: 25 }),
        until: fc.option(fc.constantFrom(-1, 0, 1, 3_600, 40_000)),
      })
      .map(({ start, days, interval, times: more, weekStart, count, until }) => {
        const parts = [`FREQ=${frequency}`, `INTERVAL=${interval}`, days, more, weekStart, `COUNT=${count}`];
        const rule = parseRecurrence(parts.filter((text) => text !== '').join(';'));
        if (until === null) return { rule, start };
        const last = momentOf(slotsOf(rule, start).at(-1) as EventTime) + until * 1_000;
        const end = new Date(Math.max(last, momentOf(start))).toISOString();
        return { rule: settleUntil({ ...rule, count: null, until: end.replace('.000', '') }, start), start };
      }),
  );
const noTimes = fc.constant('');
const anySeries = made(fc.constantFrom('', '', 'BYHOUR=2', 'BYHOUR=1,2,3', 'BYHOUR=0,23'));

describe('a rule', () => {
  it('is the same after it was written and read', () => {
    fc.assert(
      fc.property(anySeries, ({ rule }) => {
        const text = formatRecurrence(rule);
        expect(parseRecurrence(text)).toEqual(rule);
        expect(parseRecurrence(`rrule:${text.toLowerCase()}`)).toEqual(rule);
        expect(formatRecurrence(parseRecurrence(text))).toBe(text);
      }),
      options,
    );
  });

  it('is read, or refused with a hint', () => {
    const piece = fc.constantFrom(
      'FREQ=',
      'DAILY',
      'WEEKLY',
      ';',
      'BYDAY=',
      'MO',
      '-1',
      ',',
      'COUNT=',
      '0',
      'UNTIL=',
      '2026',
      'T',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece, { maxLength: 9 }).map((list) => list.join('')),
        ),
        (text) => {
          try {
            expect(parseRecurrence(formatRecurrence(parseRecurrence(text)))).toEqual(parseRecurrence(text));
          } catch (thrown) {
            if (!(thrown instanceof CalmcpError)) throw thrown;
            expect([thrown.code, typeof thrown.hint]).toEqual(['INPUT_INVALID', 'string']);
          }
        },
      ),
      options,
    );
  });
});

describe('a series', () => {
  it('has slots in order, each once, the first of them its start', () => {
    fc.assert(
      fc.property(anySeries, ({ rule, start }) => {
        const moments = slotsOf(rule, start).map(momentOf);
        expect(moments[0]).toBe(momentOf(start));
        expect(moments).toEqual([...new Set(moments)].sort((a, b) => a - b));
      }),
      options,
    );
  });

  it('has in two windows what it has in one', () => {
    fc.assert(
      fc.property(anySeries, fc.nat(24), ({ rule, start }, pick) => {
        const all = slotsOf(rule, start);
        const cut = momentOf(all[pick % all.length] as EventTime);
        expect([...slotsOf(rule, start, { to: cut }), ...slotsOf(rule, start, { from: cut })]).toEqual(all);
      }),
      options,
    );
  });

  it('starts where its rule starts, or later', () => {
    fc.assert(
      fc.property(anySeries, ({ rule, start }) => {
        const endless = { ...rule, count: null, until: null };
        const first = firstSlot(endless, start);
        if (first === null) return;
        expect(momentOf(first)).toBeGreaterThanOrEqual(momentOf(start));
        expect(firstSlot(endless, first)).toEqual(first);
        // Nothing in between, for somebody who counts: the second slot of the series.
        if (momentOf(first) > momentOf(start)) expect(slotsOf({ ...endless, count: 2 }, start).at(1)).toEqual(first);
      }),
      options,
    );
  });
});

describe('a series cut in two', () => {
  it('has the slots that it had, none of them twice', () => {
    fc.assert(
      fc.property(anySeries, fc.nat(24), ({ rule, start }, pick) => {
        const all = slotsOf(rule, start);
        const slot = all[pick % all.length] as EventTime;
        const { head, tail } = splitRecurrence(rule, start, slot);
        const before = head === null ? [] : slotsOf(head, start);
        expect([...before, ...slotsOf(tail, slot)]).toEqual(all);
        expect(before).toHaveLength(pick % all.length);
        expect(head === null).toBe(pick % all.length === 0);
      }),
      options,
    );
  });

  it('goes on as it did where it has no end', () => {
    fc.assert(
      fc.property(anySeries, fc.nat(24), ({ rule, start }, pick) => {
        const endless = { ...rule, count: null, until: null };
        const some = slotsOf(rule, start);
        const slot = some[pick % some.length] as EventTime;
        const { tail } = splitRecurrence(endless, start, slot);
        const window = { from: momentOf(slot), to: momentOf(slot) + 800 * DAY };
        expect([tail.count, tail.until]).toEqual([null, null]);
        expect(slotsOf(tail, slot, window)).toEqual(slotsOf(endless, start, window));
      }),
      options,
    );
  });

  it('can be read by whoever reads RFC 5545', () => {
    fc.assert(
      fc.property(anySeries, fc.nat(24), ({ rule, start }, pick) => {
        const all = slotsOf(rule, start);
        const { head, tail } = splitRecurrence(rule, start, all[pick % all.length] as EventTime);
        for (const half of [head, tail])
          if (half !== null) expect(parseRecurrence(formatRecurrence(half))).toEqual(half);
        if (head?.until) expect(head.until).toMatch(start.kind === 'date' ? /^\d{8}$/ : /^\d{8}T\d{6}Z$/);
      }),
      options,
    );
  });

  it('is no other series when it is cut nowhere', () => {
    fc.assert(
      fc.property(anySeries, ({ rule, start }) => {
        expect(sameRecurrence(rule, splitRecurrence(rule, start, start).tail, start)).toBe(true);
      }),
      options,
    );
  });
});

describe('a series that is moved', () => {
  it('begins at its new start and has as many occurrences, or asks what is meant', () => {
    let shifted = 0;
    fc.assert(
      fc.property(
        made(noTimes),
        fc.integer({ min: -40, max: 40 }),
        fc.integer({ min: -30, max: 30 }),
        (series, days, steps) => {
          const { rule } = series;
          // Whoever moves a series has one whose start fits its rule.
          const start = firstSlot(rule, series.start);
          if (start === null) return;
          const to: EventTime =
            start.kind === 'date'
              ? { kind: 'date', date: new Date(momentOf(start) + days * DAY).toISOString().slice(0, 10) }
              : { ...start, epochMs: start.epochMs + days * DAY + steps * HALF_HOUR };
          let moved: Rule;
          try {
            moved = shiftRecurrence(rule, start, to);
          } catch (thrown) {
            if (!(thrown instanceof CalmcpError)) throw thrown;
            return;
          }
          shifted++;
          expect(firstSlot({ ...moved, until: null }, to)).toEqual(to);
          expect(slotsOf(moved, to)).toHaveLength(slotsOf(rule, start).length);
          expect(shiftRecurrence(rule, start, start)).toEqual(rule);
        },
      ),
      options,
    );
    expect(shifted).toBeGreaterThan(RUNS / 4);
  });
});
