/** The times that a recurrence rule gives a series, and where such a series can be cut in two. */
import { CalmcpError } from './errors.ts';
import type { EventTime } from './event.ts';
import { createBudget, expandRule, fitsStart, type Rule, RuleError } from './recurrence-rule.ts';
import { formatRecurrence } from './recurrence-text.ts';
import { DAY, zoneClock } from './time.ts';
import { formatLocal, parseLocal, type WallClock, wallClockOf } from './wall-clock.ts';

const SECOND = 1_000;
/** What a wall clock can be off from the moments around it, a day that a zone skipped included. */
const PAD = 2 * DAY;
/** Expansion ends here: the last years that are written with four digits. */
const LAST = Date.UTC(9999, 0, 1);
/** The calendar repeats itself after 400 years: what has not come by then never comes. */
const CYCLE = 146_097 * DAY;

/** `[from, to)` in epoch milliseconds; all-day slots count as the UTC midnights of their dates. */
export interface SlotWindow {
  readonly from?: number;
  readonly to?: number;
}

/** A series with its moments as numbers: epoch milliseconds, or the UTC midnights of dates. */
interface Series {
  readonly rule: Rule;
  readonly isAllDay: boolean;
  /** The start, in local milliseconds. */
  readonly start: number;
  /** Last moment there may be. */
  readonly until: number;
  momentOf(local: number): number;
  localOf(moment: number): number;
  timeAt(moment: number): EventTime;
}

/** A moment as a number: epoch milliseconds, or the UTC midnight of a date. */
export const momentOf = (time: EventTime): number =>
  time.kind === 'date' ? Date.parse(`${time.date}T00:00:00Z`) : time.epochMs;

/** The clock that a timed series lives by: UTC where its zone is unknown. */
const clockOf = (start: EventTime & { kind: 'timed' }): WallClock => wallClockOf(start.zone ?? 'UTC');

/** A time as its clock shows it, in local milliseconds (`WallClock`). */
export function localOf(time: EventTime): number {
  return time.kind === 'date' ? momentOf(time) : clockOf(time).toLocal(time.epochMs);
}

/** The last moment that an UNTIL allows beside a clock; `null`: beside dates. */
function lastMoment(until: string, clock: WallClock | null): number {
  const { kind, local, utc } = parseLocal(until) ?? { kind: 'date', local: Number.NaN, utc: false };
  if (clock === null) return Math.floor(local / DAY) * DAY;
  // A date includes its whole day; a time without zone is one of the event's own.
  if (kind === 'date') return clock.toEpochMs(local + DAY) - SECOND;
  return utc ? local : clock.toEpochMs(local);
}

function seriesOf(rule: Rule, start: EventTime): Series {
  const timeAt = (moment: number): EventTime =>
    start.kind === 'date'
      ? { kind: 'date', date: new Date(moment).toISOString().slice(0, 10) }
      : { ...start, epochMs: moment };
  const clock = start.kind === 'date' ? null : clockOf(start);
  const until = rule.until === null ? Number.POSITIVE_INFINITY : lastMoment(rule.until, clock);
  if (clock === null) {
    const same = (value: number): number => value;
    // A date has no time of day to choose (RFC 5545 3.3.10).
    const days = { ...rule, byHour: null, byMinute: null, bySecond: null };
    return { rule: days, isAllDay: true, start: momentOf(start), until, momentOf: same, localOf: same, timeAt };
  }
  const moment = momentOf(start);
  const local = clock.toLocal(moment);
  return {
    rule,
    isAllDay: false,
    start: local,
    until,
    // The start is itself, also in the second pass of an hour that the clock shows twice.
    momentOf: (other) => (other === local ? moment : clock.toEpochMs(other)),
    localOf: clock.toLocal,
    timeAt,
  };
}

function withinBudget<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    if (!(thrown instanceof RuleError)) throw thrown;
    throw new CalmcpError('INPUT_INVALID', 'the series has too many occurrences', {
      hint: 'end it with COUNT or UNTIL, such as FREQ=DAILY;COUNT=30, or ask about a shorter time',
    });
  }
}

/**
 * UNTIL as RFC 5545 3.3.10 wants it beside this start: a UTC instant for timed events, where a date means the end of that day
 * in their zone; a date for all-day ones. Anything else stays.
 */
export function settleUntil(rule: Rule, start: EventTime): Rule {
  if (rule.until === null) return rule;
  const series = seriesOf(rule, start);
  return withUntil(rule, series.timeAt(series.until));
}

/** The rule with an end: `last` is the last time there may be. COUNT gives way to it. */
export function withUntil(rule: Rule, last: EventTime): Rule {
  const isDate = last.kind === 'date';
  return { ...rule, count: null, until: formatLocal({ kind: last.kind, local: momentOf(last), utc: !isDate }) };
}

/**
 * All slots of a series within a window, in order, each once: as many as there are of the RFC's occurrences, save where a gap in
 * the clocks makes two of them one. Gaps and folds as in RFC 5545 3.3.5: what falls into a gap moves forward by its length, an
 * hour that comes twice has the slot in its first pass. The start is always the first slot (3.8.5.3).
 * @throws CalmcpError INPUT_INVALID for more than 10,000 slots
 */
export function slotsOf(rule: Rule, start: EventTime, window: SlotWindow = {}): readonly EventTime[] {
  const series = seriesOf(rule, start);
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = window;
  const local = (moment: number): number => (Number.isFinite(moment) ? series.localOf(moment) : moment);
  const range = {
    from: Math.max(series.start, local(from) - PAD),
    to: Math.max(series.start + 1, Math.min(LAST, local(to) + PAD, local(series.until) + PAD)),
  };
  const found = new Set<number>();
  withinBudget(() => {
    for (const at of expandRule(series.rule, series.start, range, createBudget())) {
      const moment = series.momentOf(at);
      if (moment >= from && moment < to && (moment <= series.until || at === series.start)) found.add(moment);
    }
  });
  return [...found].sort((a, b) => a - b).map(series.timeAt);
}

/** Whether a start is what its rule makes of a time in a gap: nobody can start at 02:30 on the day that has none. */
function fitsBeforeGap({ rule, start, localOf: toLocal, momentOf: toMoment }: Series): boolean {
  const moment = toMoment(start);
  const gap = start - moment - (toLocal(moment - DAY) - (moment - DAY));
  return gap > 0 && toMoment(start - gap) === moment && fitsStart(rule, start - gap);
}

/**
 * The first time at or after `start` that the rule itself gives: `start`, where that fits the rule. `null` where there is none,
 * because the rule chooses days that no year has or ends too soon.
 */
export function firstSlot(rule: Rule, start: EventTime): EventTime | null {
  const series = seriesOf({ ...rule, count: null }, start);
  let first: number | undefined;
  if (fitsStart(series.rule, series.start) || fitsBeforeGap(series)) first = series.start;
  else {
    const range = { from: series.start + 1, to: Math.min(LAST, series.start + CYCLE) };
    try {
      first = expandRule(series.rule, series.start, range, createBudget()).next().value ?? undefined;
    } catch (thrown) {
      // 100,000 days, weeks or months without a single one.
      if (!(thrown instanceof RuleError)) throw thrown;
    }
  }
  if (first === undefined || series.momentOf(first) > series.until) return null;
  return series.timeAt(series.momentOf(first));
}

/**
 * Refuses a start that does not fit its rule: the RFC leaves undefined what that means (3.8.5.3), and every vendor makes
 * something else of it.
 * @throws CalmcpError INPUT_INVALID naming the first start that fits
 */
export function checkStart(rule: Rule, start: EventTime): void {
  const first = firstSlot(rule, start);
  if (first !== null && momentOf(first) === momentOf(start)) return;
  const text = formatRecurrence(rule);
  if (first === null)
    throw new CalmcpError('INPUT_INVALID', `${text} never happens from the start of the event on`, {
      hint: 'give a later UNTIL, or days that there are',
    });
  throw new CalmcpError('INPUT_INVALID', `the event does not start at a time that ${text} chooses`, {
    hint: `start it on ${writtenOf(first)}, the first such time, or change the recurrence`,
  });
}

function writtenOf(time: EventTime): string {
  return time.kind === 'date' ? time.date : zoneClock(time.zone ?? 'UTC').format(time.epochMs, 'minutes');
}

/** The last day that UNTIL leaves for an occurrence at the time of day of `start`, in the zone of that. `null` without UNTIL. */
export function lastDayOf(rule: Rule, start: EventTime): string | null {
  if (rule.until === null) return null;
  const series = seriesOf(rule, start);
  const day = Math.floor(series.localOf(series.until) / DAY) * DAY;
  const timeOfDay = series.start - Math.floor(series.start / DAY) * DAY;
  const last = series.momentOf(day + timeOfDay) > series.until ? day - DAY : day;
  return new Date(last).toISOString().slice(0, 10);
}

const LONGEST_PERIOD = {
  DAILY: DAY,
  WEEKLY: 7 * DAY,
  MONTHLY: 31 * DAY,
  YEARLY: 366 * DAY,
  HOURLY: DAY,
  MINUTELY: DAY,
};

/**
 * Whether two rules give a start the same series, however they are written: the same slots for 14 times their interval, and the
 * same last one. @throws CalmcpError INPUT_INVALID for one with an end after more than 10,000 slots
 */
export function sameRecurrence(one: Rule, other: Rule, start: EventTime): boolean {
  const isEndless = ({ count, until }: Rule): boolean => count === null && until === null;
  if (isEndless(one) !== isEndless(other)) return false;
  const period = Math.max(...[one, other].map(({ frequency, interval }) => LONGEST_PERIOD[frequency] * interval));
  const window = isEndless(one) ? { to: Math.min(LAST, momentOf(start) + 14 * period) } : {};
  const [ours, theirs] = [one, other].map((rule) => slotsOf(rule, start, window).map(momentOf).join());
  return ours === theirs;
}

interface Place {
  /** How many times of the rule come before it: counted only where the rule has a COUNT. */
  readonly before: number;
  readonly local: number;
}

/** Where a slot is in its series; of two times that a gap makes one, the later. */
function find(series: Series, slot: number): Place | undefined {
  const around = series.localOf(slot);
  const range = { from: series.rule.count === null ? around - PAD : series.start, to: around + PAD };
  if (slot > series.until) return undefined;
  return withinBudget(() => {
    let found: Place | undefined;
    let before = 0;
    for (const local of expandRule(series.rule, series.start, range, createBudget())) {
      if (series.momentOf(local) === slot) found = { before, local };
      before++;
    }
    return found;
  });
}

/**
 * Cuts a series for "this and following": the slots of `head` (which starts where the series did) and of `tail` (which starts at
 * `slot`) together are those of the series, and none is in both. `head` ends by UNTIL, `tail` as the series did: by its UNTIL,
 * or by what `head` leaves of its COUNT, in which removed occurrences count too (RFC 5545 3.8.5.3). Where `slot` was moved
 * forward by a gap, `tail` names its time of day (BYHOUR, BYMINUTE), so that one night does not move all that follow.
 * @param start of the series, whose zone is the one it lives by; `null`: UTC
 * @param slot as {@link slotsOf} gives it, wherever its occurrence was moved
 * @returns `head` is `null` where `slot` is the first
 * @throws CalmcpError INPUT_INVALID when `slot` is none of the series
 */
export function splitRecurrence(
  rule: Rule,
  start: EventTime,
  slot: EventTime,
): { readonly head: Rule | null; readonly tail: Rule } {
  const series = seriesOf(rule, start);
  const moment = momentOf(slot);
  const place = slot.kind === start.kind ? find(series, moment) : undefined;
  if (place === undefined)
    throw new CalmcpError('INPUT_INVALID', 'the series has no occurrence at that time', {
      hint: 'name an occurrence by the time that the series planned for it; list the events again to see them',
    });
  if (moment === series.momentOf(series.start)) return { head: null, tail: settleUntil(rule, start) };
  const gap = series.localOf(moment) - place.local;
  // Samoa had no 30 December 2011: a series that skips a whole day there would change its step.
  if (Math.floor(place.local / DAY) !== Math.floor((place.local + gap) / DAY))
    throw new CalmcpError('INPUT_INVALID', 'the series cannot be cut at a day that its zone does not have', {
      hint: 'change the occurrence before it or after it',
    });
  const begin = new Date(series.start);
  const own =
    gap === 0
      ? {}
      : { byHour: rule.byHour ?? [begin.getUTCHours()], byMinute: rule.byMinute ?? [begin.getUTCMinutes()] };
  const tail = { ...rule, ...own, count: rule.count === null ? null : rule.count - place.before };
  const last = moment - (series.isAllDay ? DAY : SECOND);
  return { head: withUntil(rule, series.timeAt(last)), tail: settleUntil(tail, start) };
}
