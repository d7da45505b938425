/** What a change of one occurrence means for its series. Pure. */
import type { EventFields, StoredEvent } from './change.ts';
import { addDays } from './civil-days.ts';
import { CalmcpError } from './errors.ts';
import type { CalendarEvent, EventTime } from './event.ts';
import { formatRecurrence, parseRecurrence, shiftRecurrence, splitRecurrence } from './recurrence.ts';
import { wallTimeToEpochMs, zoneClock } from './time.ts';

export const SCOPES = ['this', 'following', 'all'] as const;
export type Scope = (typeof SCOPES)[number];

interface Times {
  readonly start: EventTime;
  readonly end: EventTime;
}

/** When the series had planned an occurrence, on the clock of the series. */
export function slotOf({ recurrenceKey, start }: CalendarEvent, series: StoredEvent): EventTime {
  const first = series.fields.start;
  if (recurrenceKey === null) return start;
  if (/^\d{4}-\d{2}-\d{2}$/.test(recurrenceKey)) return { kind: 'date', date: recurrenceKey };
  return { kind: 'timed', epochMs: Date.parse(recurrenceKey), zone: first?.kind === 'timed' ? first.zone : null };
}

/** @throws CalmcpError BAD_RESPONSE where it has none */
export function timesOf({ fields, event }: StoredEvent): Times {
  const { start, end } = fields;
  if (start === undefined || end === undefined)
    throw new CalmcpError('BAD_RESPONSE', 'the event came without its times', { account: event.account });
  return { start, end };
}

/** @throws CalmcpError BAD_RESPONSE for a series that does not say how it repeats */
export function ruleOf({ fields, event }: StoredEvent): ReturnType<typeof parseRecurrence> {
  if (fields.recurrence === undefined || fields.recurrence === '')
    throw new CalmcpError('BAD_RESPONSE', 'the series does not say how it repeats', { account: event.account });
  return parseRecurrence(fields.recurrence);
}

const dateIn = (time: EventTime, zone: string): string =>
  time.kind === 'date' ? time.date : zoneClock(zone).date(time.epochMs);

const daysFrom = (first: string, last: string): number =>
  Math.round((Date.parse(`${last}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / 86_400_000);

function lengthOf({ start, end }: Times): number {
  if (start.kind === 'date' || end.kind === 'date') return 0;
  return end.epochMs - start.epochMs;
}

/** `time` moved by as many civil days as lie between two others, at the time of day of the second one. */
function moved(time: EventTime, from: EventTime, to: EventTime): EventTime {
  if (to.kind === 'date') {
    const zone = time.kind === 'timed' ? (time.zone ?? 'UTC') : from.kind === 'timed' ? (from.zone ?? 'UTC') : 'UTC';
    return { kind: 'date', date: addDays(dateIn(time, zone), daysFrom(dateIn(from, zone), to.date)) };
  }
  const zone = to.zone ?? 'UTC';
  const clock = zoneClock(zone);
  const date = addDays(dateIn(time, zone), daysFrom(dateIn(from, zone), clock.date(to.epochMs)));
  return { kind: 'timed', epochMs: wallTimeToEpochMs(`${date}T${clock.timeOfDay(to.epochMs)}`, zone), zone: to.zone };
}

/**
 * The times of the first occurrence when the one in `slot` gets other times: all move by as many days, to the same time of
 * day.
 */
export function timesOfAll(series: StoredEvent, slot: EventTime, wanted: Times): Times {
  const start = moved(timesOf(series).start, slot, wanted.start);
  if (start.kind === 'date' || wanted.end.kind === 'date') {
    const days =
      wanted.start.kind === 'date' && wanted.end.kind === 'date' ? daysFrom(wanted.start.date, wanted.end.date) : 1;
    return { start, end: { kind: 'date', date: addDays(start.kind === 'date' ? start.date : '', days) } };
  }
  return { start, end: { kind: 'timed', epochMs: start.epochMs + lengthOf(wanted), zone: wanted.end.zone } };
}

/** The fields to set of the whole series, so that the occurrence in `slot` gets those asked for. @throws CalmcpError */
export function changeOfAll(series: StoredEvent, slot: EventTime, wanted: EventFields): EventFields {
  const { start, end } = wanted;
  if (start === undefined || end === undefined) return wanted;
  const times = timesOfAll(series, slot, { start, end });
  return { ...wanted, ...times, ...shifted(series, timesOf(series).start, times.start, ruleOf(series), wanted) };
}

function shifted(
  { fields }: StoredEvent,
  from: EventTime,
  to: EventTime,
  rule: ReturnType<typeof parseRecurrence>,
  wanted: EventFields,
): Pick<EventFields, 'recurrence'> {
  if (wanted.recurrence !== undefined) return { recurrence: wanted.recurrence };
  const recurrence = formatRecurrence(shiftRecurrence(rule, from, to));
  return recurrence === fields.recurrence ? {} : { recurrence };
}

/** Rule of a series that ends right before `slot`; `null` where nothing would be left. @throws CalmcpError INPUT_INVALID */
export function endOfSeries(series: StoredEvent, slot: EventTime): string | null {
  const { head } = splitRecurrence(ruleOf(series), timesOf(series).start, slot);
  return head === null ? null : formatRecurrence(head);
}

export interface Split {
  /** Rule of what stays as it is; `null` when the slot is the first one, so that all of it changes. */
  readonly head: string | null;
  /** The series that begins in the slot, whole. */
  readonly tail: EventFields;
}

/** @throws CalmcpError INPUT_INVALID when the slot is none of the series */
export function splitAt(series: StoredEvent, slot: EventTime, wanted: EventFields): Split {
  const { head, tail } = splitRecurrence(ruleOf(series), timesOf(series).start, slot);
  const planned: Times = { start: slot, end: endAt(slot, timesOf(series)) };
  const times =
    wanted.start === undefined || wanted.end === undefined ? planned : { start: wanted.start, end: wanted.end };
  const { type, ...fields } = series.fields;
  return {
    head: head === null ? null : formatRecurrence(head),
    tail: {
      ...fields,
      ...(type === undefined || type === 'default' ? {} : { type }),
      ...wanted,
      ...times,
      recurrence: wanted.recurrence ?? formatRecurrence(shiftRecurrence(tail, slot, times.start)),
    },
  };
}

/** When an occurrence in `slot` ends, if it lasts as long as the series says. */
export function endAt(slot: EventTime, times: Times): EventTime {
  if (slot.kind === 'date')
    return {
      kind: 'date',
      date:
        times.start.kind === 'date' && times.end.kind === 'date'
          ? addDays(slot.date, daysFrom(times.start.date, times.end.date))
          : addDays(slot.date, 1),
    };
  return {
    kind: 'timed',
    epochMs: slot.epochMs + lengthOf(times),
    zone: times.end.kind === 'timed' ? times.end.zone : slot.zone,
  };
}
