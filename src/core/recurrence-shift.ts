/** What a rule becomes when its series is moved to another day. */
import { CalmcpError } from './errors.ts';
import type { EventTime } from './event.ts';
import type { Rule, WeekdayPart } from './recurrence-rule.ts';
import { firstSlot, lastDayOf, localOf, momentOf, slotsOf, withUntil } from './recurrence-slots.ts';
import { DAY } from './time.ts';
import { wallClockOf } from './wall-clock.ts';

/** A start as its own clock shows it. */
interface Civil {
  /** Days since 1970-01-01. */
  readonly day: number;
  readonly month: number;
  readonly dayOfMonth: number;
  readonly monthLength: number;
  readonly dayOfYear: number;
  readonly yearLength: number;
  /** Monday is 0. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

function civilOf(time: EventTime): Civil {
  const date = new Date(localOf(time));
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const day = Math.floor(date.getTime() / DAY);
  const yearStart = Date.UTC(year, 0, 1) / DAY;
  return {
    day,
    month: month + 1,
    dayOfMonth: date.getUTCDate(),
    monthLength: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
    dayOfYear: day - yearStart + 1,
    yearLength: Date.UTC(year + 1, 0, 1) / DAY - yearStart,
    weekday: (date.getUTCDay() + 6) % 7,
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  };
}

function unclear(): CalmcpError {
  return new CalmcpError(
    'INPUT_INVALID',
    'the series repeats by a rule that does not tell what it becomes on the new day',
    {
      hint: 'give the new recurrence as well, such as FREQ=WEEKLY;BYDAY=TU',
    },
  );
}

/** The one value of a list that is the old start's own becomes that of the new one; what does not change may be any list. */
function moved(list: readonly number[] | null, from: number, to: number): readonly number[] | null {
  if (list === null || from === to) return list;
  if (list.length !== 1 || list[0] !== from) throw unclear();
  return [to];
}

/** "The second Tuesday" of wherever: which one the new day is. */
function movedNth({ nth }: WeekdayPart, [position, size]: readonly [number, number], to: Civil): WeekdayPart {
  if (nth === 0) return { nth, weekday: to.weekday };
  if (nth === -1) {
    if (position + 7 <= size) throw unclear();
    return { nth, weekday: to.weekday };
  }
  const found = Math.ceil(position / 7);
  // Not every month has a fifth one: whoever moves there may mean the last.
  if (nth < 0 || (found === 5 && nth !== 5 && size <= 31)) throw unclear();
  return { nth: found, weekday: to.weekday };
}

function movedDays(rule: Rule, from: Civil, to: Civil): readonly WeekdayPart[] | null {
  const { byDay, frequency } = rule;
  const shift = (((to.day - from.day) % 7) + 7) % 7;
  if (byDay === null || (shift === 0 && byDay.every(({ nth }) => nth === 0))) return byDay;
  if (!byDay.some(({ weekday }) => weekday === from.weekday)) throw unclear();
  if (frequency === 'WEEKLY') {
    // Monday to Friday is a rhythm of its own, which nobody wants from Tuesday to Saturday.
    if (byDay.map(({ weekday }) => weekday).join() === '0,1,2,3,4') throw unclear();
    return byDay
      .map((part) => ({ ...part, weekday: (part.weekday + shift) % 7 }))
      .sort((a, b) => a.weekday - b.weekday);
  }
  const [day, ...more] = byDay;
  if (frequency === 'DAILY' || day === undefined || more.length > 0) throw unclear();
  const ofYear = frequency === 'YEARLY' && rule.byMonth === null;
  return [movedNth(day, ofYear ? [to.dayOfYear, to.yearLength] : [to.dayOfMonth, to.monthLength], to)];
}

/**
 * "Every other week on Thursday and Sunday", moved by a day, is Friday of one week and Monday of the next: they stay together
 * where the week begins a day later too.
 */
function movedWeekStart({ frequency, byDay, interval, weekStart }: Rule, from: Civil, to: Civil): number {
  const shift = (((to.day - from.day) % 7) + 7) % 7;
  if (frequency !== 'WEEKLY' || interval === 1 || byDay === null) return weekStart;
  const goesOver = new Set(byDay.map(({ weekday }) => ((weekday - weekStart + 7) % 7) + shift >= 7));
  return goesOver.size > 1 ? (weekStart + shift) % 7 : weekStart;
}

function movedMonthDays({ byMonthDay }: Rule, from: Civil, to: Civil): readonly number[] | null {
  const isLast = ({ dayOfMonth, monthLength }: Civil): boolean => dayOfMonth === monthLength;
  if (byMonthDay?.join() === '-1' && isLast(from) && isLast(to)) return byMonthDay;
  return moved(byMonthDay, from.dayOfMonth, to.dayOfMonth);
}

/** BYDAY=TU;BYSETPOS=2 is BYDAY=2TU, where BYDAY is of a month. */
function withoutPosition(rule: Rule): Rule {
  const [position, ...others] = rule.bySetPos ?? [];
  const [day, ...more] = rule.byDay ?? [];
  const ofMonth = rule.frequency === 'MONTHLY' || (rule.frequency === 'YEARLY' && rule.byMonth?.length === 1);
  if (!ofMonth || position === undefined || day === undefined || day.nth !== 0) return rule;
  if (others.length > 0 || more.length > 0 || rule.byMonthDay !== null || Math.abs(position) > 5) return rule;
  return { ...rule, bySetPos: null, byDay: [{ ...day, nth: position }] };
}

function shiftDays(old: Rule, from: Civil, to: Civil): Rule {
  if (to.day === from.day) return old;
  const rule = withoutPosition(old);
  if (rule.byYearDay !== null || rule.byWeekNo !== null || rule.bySetPos !== null) throw unclear();
  if (rule.byDay !== null && rule.byMonthDay !== null) throw unclear();
  const isYearly = rule.frequency === 'YEARLY' || rule.frequency === 'MONTHLY';
  return {
    ...rule,
    byDay: movedDays(rule, from, to),
    weekStart: movedWeekStart(rule, from, to),
    byMonthDay: movedMonthDays(rule, from, to),
    byMonth: isYearly && rule.byMonth?.length === 1 ? moved(rule.byMonth, from.month, to.month) : rule.byMonth,
  };
}

/** UNTIL for the moved series to have as many occurrences as the old one. */
function shiftUntil(old: Rule, from: EventTime, rule: Rule, to: EventTime): Rule {
  const { frequency, byMonth, byMonthDay, byHour, byMinute, bySecond } = old;
  const isSteady = [byMonth, byMonthDay, byHour, byMinute, bySecond].every((part) => part === null);
  const lastDay = lastDayOf(old, from);
  if ((frequency === 'WEEKLY' || frequency === 'DAILY') && isSteady && lastDay !== null) {
    // All move by the same time on the clock: so does the end.
    const local = Date.parse(lastDay) + localOf(to) - Math.floor(localOf(from) / DAY) * DAY;
    if (to.kind === 'date') return withUntil(rule, { kind: 'date', date: new Date(local).toISOString().slice(0, 10) });
    const epochMs = wallClockOf(to.zone ?? 'UTC').toEpochMs(local);
    return withUntil(rule, { ...to, epochMs: Math.max(to.epochMs, epochMs) });
  }
  const count = slotsOf(old, from).length;
  const last = slotsOf({ ...rule, until: null, count }, to).at(-1);
  return last === undefined ? rule : withUntil(rule, last);
}

function fits(rule: Rule, start: EventTime): boolean {
  const first = firstSlot({ ...rule, until: null }, start);
  return first !== null && momentOf(first) === momentOf(start);
}

/**
 * The rule of a series whose start moves from one day, time or zone to another: BYDAY, BYMONTHDAY, BYMONTH, BYHOUR and BYMINUTE
 * that say what the old start is say what the new one is. Several weekdays of a weekly rule move together; the second Tuesday
 * becomes the nth weekday that the new day is, the last stays the last. UNTIL moves so that there are as many occurrences as
 * before, COUNT stays.
 * @throws CalmcpError INPUT_INVALID where the rule does not tell what is meant: the new recurrence has to be given then
 */
export function shiftRecurrence(rule: Rule, from: EventTime, to: EventTime): Rule {
  const zoneOf = (time: EventTime): string | null => (time.kind === 'date' ? null : time.zone);
  if (from.kind === to.kind && momentOf(from) === momentOf(to) && zoneOf(from) === zoneOf(to)) return rule;
  const [old, now] = [civilOf(from), civilOf(to)];
  const days = shiftDays(rule, old, now);
  const wasFitting = fits(rule, from);
  const time = (list: readonly number[] | null, before: number, after: number): readonly number[] | null => {
    // The one hour of a rule that fits is that of its start, also where a gap moved that forward.
    if (list?.length === 1 && wasFitting) return [after];
    return moved(list, before, after);
  };
  const times = {
    byHour: time(rule.byHour, old.hour, now.hour),
    byMinute: time(rule.byMinute, old.minute, now.minute),
  };
  const shifted = { ...days, ...(to.kind === 'date' ? { byHour: null, byMinute: null, bySecond: null } : times) };
  if (wasFitting && !fits(shifted, to)) throw unclear();
  return rule.until === null ? shifted : shiftUntil(rule, from, shifted, to);
}
