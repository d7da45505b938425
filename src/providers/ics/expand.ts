/** Events and series to the occurrences in a range. Pure: no clock, no network. */
import type { EventTime, Range } from '../../core/event.ts';
import { recurrenceKeyOf } from '../../core/identity.ts';
import { createBudget, expandRule, RuleError } from '../../core/recurrence-rule.ts';
import { DAY, overlaps } from '../../core/time.ts';
import type { LocalTime } from '../../core/wall-clock.ts';
import type { Problem } from './parse.ts';
import { dateOf, type ExtraTime, isDuration, type ParsedEvent, type TimeValue } from './read-event.ts';
import type { Duration } from './values.ts';

/** One master (none, where only exceptions of it were sent) and the exceptions to it, by slot. */
export interface Series {
  readonly uid: string | null;
  readonly master: ParsedEvent | null;
  readonly exceptions: ReadonlyMap<number, ParsedEvent>;
  /** Several events share this UID, so each goes by its own start. */
  readonly shared: boolean;
}

export interface Occurrence {
  readonly event: ParsedEvent;
  readonly kind: 'single' | 'occurrence' | 'exception';
  readonly recurrenceKey: string | null;
  readonly start: EventTime;
  readonly end: EventTime;
  readonly warnings: readonly string[];
}

/** How far a zone that nobody knows can be from UTC, and dates from anybody's days. */
const PAD = DAY;
/** A change to "this and all following" may move them: so far around it a range is in doubt (R07). */
const MOVED_BY = 366 * DAY;

const isoDate = (local: number): string => new Date(local).toISOString().slice(0, 10);

/** What tells the slots of a series apart: epoch milliseconds, or the local midnight of a date. */
function slotOf(time: TimeValue, master: ParsedEvent): number {
  const { start } = master;
  if (start.kind === 'date') return dateOf(time, start.clock);
  if (time.kind === 'date') return start.clock.toEpochMs(time.local + (((start.local % DAY) + DAY) % DAY));
  return (time.floating ? start.clock : time.clock).toEpochMs(time.local);
}

function byNewest(a: ParsedEvent, b: ParsedEvent): number {
  return a.sequence - b.sequence || a.stamp - b.stamp;
}

/** Groups the events of one file by UID. */
export function groupSeries(events: readonly ParsedEvent[]): Series[] {
  const groups = new Map<string | ParsedEvent, ParsedEvent[]>();
  for (const event of events) {
    const key = event.uid ?? event;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [event]);
    else group.push(event);
  }
  return [...groups.values()].flatMap(seriesOf);
}

function seriesOf(group: readonly ParsedEvent[]): Series[] {
  const uid = group[0]?.uid ?? null;
  const masters = mastersOf(group.filter(({ recurrenceId }) => recurrenceId === null));
  const exceptions = group.filter(({ recurrenceId }) => recurrenceId !== null).sort(byNewest);
  const shared = masters.length > 1;
  // Of two copies of one exception the newer, which comes later, wins.
  const by = (master: ParsedEvent | undefined, list: readonly ParsedEvent[]): ReadonlyMap<number, ParsedEvent> =>
    new Map(list.map((event) => [slotOf(event.recurrenceId ?? event.start, master ?? event), event]));
  if (masters.length <= 1) {
    const [master] = masters;
    return [{ uid, master: master ?? null, exceptions: by(master, exceptions), shared }];
  }
  // An exception belongs to the master that began last before it.
  const parts = masters.map((master) => ({ master, begin: slotOf(master.start, master), list: [] as ParsedEvent[] }));
  for (const event of exceptions) {
    const slot = slotOf(event.recurrenceId ?? event.start, masters[0] as ParsedEvent);
    let [low, high] = [0, parts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((parts[middle]?.begin ?? 0) <= slot) low = middle;
      else high = middle - 1;
    }
    parts[low]?.list.push(event);
  }
  return parts.map(({ master, list }) => ({ uid, master, exceptions: by(master, list), shared }));
}

/**
 * The events that are one by their UID: the highest SEQUENCE wins, and the newest copy of what starts at one time. What
 * is left are different events under one UID, which RFC 5545 3.8.4.7 forbids and producers write: all are kept.
 */
function mastersOf(masters: readonly ParsedEvent[]): ParsedEvent[] {
  const highest = masters.reduce((most, { sequence }) => Math.max(most, sequence), 0);
  const latest = masters.filter(({ sequence }) => sequence === highest).sort(byNewest);
  const byStart = new Map(latest.map((event) => [slotOf(event.start, event), event]));
  return [...byStart].sort(([a], [b]) => a - b).map(([, event]) => event);
}

interface Span {
  readonly start: EventTime;
  readonly end: EventTime;
  readonly warning: string | null;
}

function timed(epochMs: number, { clock, floating }: TimeValue): EventTime {
  const time = { kind: 'timed', epochMs, zone: clock.zoneAt(epochMs) } as const;
  return floating ? { ...time, floating } : time;
}

/** Length of an all-day event in days; a time of day at its end lies within a day, which then is covered whole. */
function daysLong(end: TimeValue | Duration | null, first: number): number {
  if (end === null) return 1;
  if (isDuration(end)) return end.days + Math.ceil(end.ms / DAY);
  return Math.ceil(end.local / DAY) - Math.floor(first / DAY);
}

/**
 * Start and end of the occurrence in `slot`. A length that was given by an end is exact, one that was given as a
 * DURATION is nominal: days by the clock on the wall, hours by the clock that ticks (RFC 5545 3.8.5.3 and 3.3.6).
 */
function spanAt(event: ParsedEvent, slot: number, own?: ExtraTime): Span {
  const { start } = event;
  const end = own?.end ?? event.end;
  if (start.kind === 'date') {
    const days = daysLong(end, own?.time.local ?? start.local);
    return {
      start: { kind: 'date', date: isoDate(slot) },
      end: { kind: 'date', date: isoDate(slot + Math.max(days, 1) * DAY) },
      warning: days < 0 ? 'it ends before it starts: taken as one day' : null,
    };
  }
  const { clock } = start;
  let endMs = slot;
  let endsIn = start;
  if (end !== null && isDuration(end))
    endMs = (end.days === 0 ? slot : clock.toEpochMs(clock.toLocal(slot) + end.days * DAY)) + end.ms;
  else if (end !== null) {
    const from = own?.end === undefined ? clock.toEpochMs(start.local) : slot;
    const to = end.kind === 'date' ? clock.toEpochMs(end.local) : end.clock.toEpochMs(end.local);
    // A start in a gap moves towards its end: what is shorter for that would be shorter, or nothing, in the whole series.
    const moved = own?.end === undefined && end.clock === clock ? clock.toLocal(from) - start.local : 0;
    endMs = slot + (to - from) + moved;
    if (end.kind === 'timed') endsIn = end;
  }
  return {
    start: timed(slot, start),
    end: timed(Math.max(slot, endMs), endsIn),
    warning: endMs < slot ? 'it ends before it starts: taken as a moment' : null,
  };
}

function isIn({ start, end }: Span, range: Range): boolean {
  const at = (time: EventTime): number => (time.kind === 'timed' ? time.epochMs : Date.parse(time.date));
  const pad = start.kind === 'date' ? PAD : 0;
  return overlaps({ start: at(start), end: at(end) }, { ...range, start: range.start - pad, end: range.end + pad });
}

/** Upper bound of what an occurrence lasts, in milliseconds. */
function longest({ start, end }: ParsedEvent): number {
  if (end === null) return DAY;
  const length = isDuration(end)
    ? end.days * DAY + end.ms
    : end.clock.toEpochMs(end.local) - start.clock.toEpochMs(start.local);
  return Math.max(length, 0) + DAY;
}

function isBefore(until: LocalTime | null, slot: number, local: number, { start }: ParsedEvent): boolean {
  if (until === null) return true;
  if (start.kind === 'date') return local <= dateOf(until, start.clock);
  // A date includes its whole day; a time without zone is one of the event's own (R10).
  if (until.kind === 'date') return local < until.local + DAY;
  return until.utc ? slot <= until.local : local <= until.local;
}

/** Slots of a series that may matter to a range, each with the RDATE it comes from if it has a length of its own. */
function slotsOf(master: ParsedEvent, range: Range): Map<number, ExtraTime | undefined> {
  const { start, rules, extra } = master;
  const window = { from: range.start - longest(master) - 2 * PAD, to: range.end + 2 * PAD };
  const slots = new Map<number, ExtraTime | undefined>([[slotOf(start, master), undefined]]);
  const budget = createBudget();
  for (const { rule, until } of rules) {
    const to = Math.min(window.to, until === null ? Number.POSITIVE_INFINITY : until.local + 2 * PAD);
    const ticking = rule.frequency === 'HOURLY' || rule.frequency === 'MINUTELY';
    for (const local of expandRule(rule, start.local, { from: window.from, to }, budget)) {
      // Every hour on the hour: the hour that is skipped has no occurrence, the one that is repeated has two.
      const found =
        start.kind === 'date' ? [local] : ticking ? start.clock.instantsOf(local) : [start.clock.toEpochMs(local)];
      for (const slot of found) if (isBefore(until, slot, local, master)) slots.set(slot, undefined);
    }
  }
  for (const time of extra) slots.set(slotOf(time.time, master), time.end === undefined ? undefined : time);
  const dates = new Set<number>();
  for (const time of master.excluded)
    if (time.kind === 'timed' || start.kind === 'date') slots.delete(slotOf(time, master));
    else dates.add(time.local);
  if (dates.size > 0)
    for (const slot of slots.keys())
      if (dates.has(Math.floor(start.clock.toLocal(slot) / DAY) * DAY)) slots.delete(slot);
  return slots;
}

const isRecurring = ({ rules, extra, unexpandable }: ParsedEvent): boolean =>
  rules.length > 0 || extra.length > 0 || unexpandable !== null;

/**
 * All occurrences of a series that overlap `range`, all-day ones with a day to spare, or why they are not known.
 * `range` itself decides nothing else: the occurrences of two adjoining ranges are those of both together.
 */
export function expandSeries(series: Series, range: Range): { occurrences: Occurrence[] } | { problem: Problem } {
  const { master, exceptions } = series;
  const events = [...(master === null ? [] : [master]), ...exceptions.values()];
  const problem = (message: string): { problem: Problem } => ({ problem: { line: events[0]?.raw.line ?? 0, message } });

  if (master !== null && master.unexpandable !== null && !master.cancelled && !isElsewhere(master, range))
    return problem(master.unexpandable.message);
  try {
    if (events.some(({ thisAndFuture }) => thisAndFuture)) {
      const wide = { ...range, start: range.start - MOVED_BY, end: range.end + MOVED_BY };
      const doubtful = occurrencesOf(series, wide).length > 0;
      return doubtful
        ? problem('has a change to "this and all following", which is not supported')
        : { occurrences: [] };
    }
    const unplaced = events.find((event) => event.unplaced !== null);
    if (unplaced?.unplaced) {
      const wide = { ...range, start: range.start - PAD, end: range.end + PAD };
      return occurrencesOf(series, wide).length > 0 ? problem(unplaced.unplaced) : { occurrences: [] };
    }
    return { occurrences: occurrencesOf(series, range) };
  } catch (thrown) {
    if (thrown instanceof RuleError) return problem(thrown.message);
    throw thrown;
  }
}

/** Whether a series begins after the range or was over before it, whatever its rule says. */
function isElsewhere(master: ParsedEvent, range: Range): boolean {
  const { start, extra, unexpandable } = master;
  if (extra.length > 0) return false;
  const until = unexpandable?.until?.local ?? Number.POSITIVE_INFINITY;
  return start.clock.toEpochMs(start.local) - 2 * PAD >= range.end || until + longest(master) + 2 * PAD <= range.start;
}

function occurrencesOf({ master, exceptions, shared }: Series, range: Range): Occurrence[] {
  const found: Occurrence[] = [];
  const add = (event: ParsedEvent, kind: Occurrence['kind'], slot: number | null, span: Span, more: string[]): void => {
    if (!isIn(span, range)) return;
    const warnings = [...event.warnings, ...(span.warning === null ? [] : [span.warning]), ...more];
    const key = slot === null ? null : (master ?? event).start.kind === 'date' ? isoDate(slot) : recurrenceKeyOf(slot);
    found.push({ event, kind, recurrenceKey: key, start: span.start, end: span.end, warnings });
  };

  if (master !== null && !isRecurring(master) && exceptions.size === 0) {
    const slot = slotOf(master.start, master);
    const more = shared ? ['another event has the same UID'] : [];
    add(master, shared ? 'occurrence' : 'single', shared ? slot : null, spanAt(master, slot), more);
    return found;
  }
  if (master !== null) {
    const early = master.rules.some(({ until }) => until !== null && until.local + DAY < master.start.local);
    const more = early ? ['it repeats until before it starts: only its start is taken'] : [];
    for (const [slot, own] of slotsOf(master, range))
      if (!exceptions.has(slot)) add(master, 'occurrence', slot, spanAt(master, slot, own), more);
  }
  // An exception without its series, or for a slot that the series no longer has, is still somebody's appointment.
  for (const [slot, event] of exceptions)
    if (!event.cancelled) {
      const at = slotOf(event.start, event);
      add(event, 'exception', slot, spanAt(event, at), []);
    }
  return found;
}
