import { Temporal } from 'temporal-polyfill';
import type { SandboxCalendar, SandboxEvent, SandboxSeries } from './data.ts';
import { touched, withChanges } from './graph-draft.ts';
import { type EventChanges, invalidProperty } from './graph-event-body.ts';
import type { Item } from './graph-meetings.ts';
import { isSameZone } from './graph-prefer.ts';
import { occurrenceDates } from './graph-recurrence.ts';
import { graphRefusal } from './graph-refusal.ts';
import type { GraphRules } from './graph-rules.ts';
import { changeBetween, hasOccurrence, neighboursOf, occurrenceOf, startDateOf } from './graph-series.ts';
import { withChange } from './graph-store.ts';

/** A single event or a new one, which may become a series. */
export function changedSingle(
  before: SandboxEvent,
  changes: EventChanges,
  calendar: SandboxCalendar,
  now: number,
): Item {
  const changed = touched(withChanges(before, changes, calendar), now);
  const { seriesMaster, properties } = changed;
  // Of a series that the data hold in parts.
  const after =
    seriesMaster === null ? changed : { ...changed, properties: { ...properties, type: 'exception' as const } };
  return after.properties.recurrence === null
    ? after
    : { master: atFirstOccurrence(after), changes: {}, deleted: [], given: {} };
}

/**
 * A change of the master reaches all occurrences; what an exception says otherwise stays, unless the pattern or the times
 * of day change: see `GraphRules.exceptionsOnRangeChange`.
 */
export function changedMaster(
  series: SandboxSeries,
  changes: EventChanges,
  calendar: SandboxCalendar,
  { now, rules }: { now: number; rules: GraphRules },
): Item {
  const { master } = series;
  const asked = withChanges(withRangeOf(master, changes), changes, calendar);
  const after = touched(asked, now);
  // "recurrence": null makes one event of a series, at the time of its first occurrence.
  if (after.properties.recurrence === null) {
    return { ...after, properties: { ...after.properties, type: 'singleInstance' } };
  }
  const placed = atFirstOccurrence(after);
  const next: SandboxSeries = { ...series, master: placed };
  const [ruleBefore, ruleAfter] = [master.properties.recurrence, placed.properties.recurrence];
  const sameRule = JSON.stringify(ruleBefore?.pattern) === JSON.stringify(ruleAfter?.pattern);
  const sameRange = JSON.stringify(ruleBefore?.range) === JSON.stringify(ruleAfter?.range);
  const keeps = sameRange || (rules.exceptionsOnRangeChange ?? 'kept') === 'kept';
  if (!sameRule || !keeps || timesOfDay(master) !== timesOfDay(placed)) return { ...next, changes: {}, deleted: [] };
  const whole = { ...next, deleted: [] };
  return {
    ...next,
    changes: Object.fromEntries(Object.entries(series.changes).filter(([date]) => hasOccurrence(whole, date))),
    deleted: series.deleted.filter((date) => hasOccurrence(whole, date)),
  };
}

/** An occurrence that is changed is an exception from then on, also when nothing is different. */
export function changedOccurrence(
  series: SandboxSeries,
  date: string,
  changes: EventChanges,
  calendar: SandboxCalendar,
): SandboxSeries {
  const { recurrence } = changes;
  if (recurrence !== undefined && recurrence !== null) {
    // The code is what Exchange has for a property that cannot be set; what Graph answers is not written down.
    throw graphRefusal(400, 'ErrorInvalidPropertySet', 'Set action is invalid for property.');
  }
  const { recurrence: _, ...others } = changes;
  const before = occurrenceOf(series, date);
  const after = withChanges(before, others, calendar);
  refuseCrossing(series, date, before, after);
  return withChange(series, date, changeBetween(before, after));
}

/** https://learn.microsoft.com/graph/api/event-update#response */
function refuseCrossing(series: SandboxSeries, date: string, before: SandboxEvent, after: SandboxEvent): void {
  const day = (event: SandboxEvent) => startDateOf({ ...event, zone: series.master.zone });
  if (before.start === after.start && before.end === after.end) return;
  const neighbours = neighboursOf(series, date);
  const tooEarly = neighbours.before !== undefined && day(after) <= day(neighbours.before);
  const tooLate = neighbours.after !== undefined && day(after) >= day(neighbours.after);
  if (!tooEarly && !tooLate) return;
  throw graphRefusal(
    400,
    'ErrorOccurrenceCrossingBoundary',
    'Modified occurrence is crossing or overlapping adjacent occurrence.',
  );
}

/**
 * The range begins where the event does, also when only the event is moved. Another zone needs the recurrence with it
 * (seen by mpalermiti/outlook-mcp).
 */
function withRangeOf(master: SandboxEvent, { start, recurrence: given }: EventChanges): SandboxEvent {
  const { recurrence } = master.properties;
  if (recurrence === null || start === undefined || given !== undefined) return master;
  if (!isSameZone(start.zone.iana, master.zone)) throw invalidProperty();
  const startDate = start.local.toPlainDate().toString();
  const { range } = recurrence;
  if (range.type === 'endDate' && range.endDate < startDate) throw invalidProperty();
  return {
    ...master,
    properties: { ...master.properties, recurrence: { ...recurrence, range: { ...range, startDate } } },
  };
}

/** "The first occurrence of the meeting may be this date or later, depending on the recurrence pattern." */
function atFirstOccurrence(event: SandboxEvent): SandboxEvent {
  const { recurrence } = event.properties;
  if (recurrence === null) throw new TypeError('no series');
  const [first] = occurrenceDates(recurrence, Temporal.PlainDate.from('4500-09-01'));
  if (first === undefined) throw invalidProperty();
  const properties = { ...event.properties, type: 'seriesMaster' as const };
  const days = Temporal.PlainDate.from(startDateOf(event)).until(first);
  if (days.days === 0) return { ...event, properties };
  const moved = (time: string) =>
    event.isAllDay
      ? Temporal.PlainDate.from(time).add(days).toString()
      : Temporal.Instant.from(time).toZonedDateTimeISO(event.zone).add(days).toInstant().toString();
  const range = { ...recurrence.range, startDate: first.toString() };
  return {
    ...event,
    start: moved(event.start),
    end: moved(event.end),
    properties: { ...properties, recurrence: { ...recurrence, range } },
  };
}

function timesOfDay({ isAllDay, start, end, zone }: SandboxEvent): string {
  if (isAllDay) return `days ${Temporal.PlainDate.from(start).until(end).days}`;
  const wall = (time: string) => Temporal.Instant.from(time).toZonedDateTimeISO(zone).toPlainDateTime();
  return `${wall(start).toPlainTime()} ${wall(start).until(wall(end))} ${zone}`;
}
