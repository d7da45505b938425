/** Kept events as everything else sees them. Pure. */
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { addDays } from '../../core/civil-days.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import { recurrenceKeyOf } from '../../core/identity.ts';
import { parseRecurrence, slotsOf } from '../../core/recurrence.ts';
import { DAY } from '../../core/time.ts';
import type { Kept } from './store.ts';

interface Place {
  readonly account: string;
  readonly calendar: Calendar;
}

interface Times {
  readonly start: EventTime;
  readonly end: EventTime;
}

/** Between the series and the key of one of its occurrences. */
const MARK = '@';

export const etagOf = ({ sequence }: Kept): string => String(sequence);

export function splitId(id: string): { readonly series: string; readonly key: string | undefined } {
  const at = id.indexOf(MARK);
  return at < 0 ? { series: id, key: undefined } : { series: id.slice(0, at), key: id.slice(at + 1) };
}

export const keyOf = (time: EventTime): string => (time.kind === 'date' ? time.date : recurrenceKeyOf(time.epochMs));

function timesOf({ start, end }: EventFields): Times {
  if (start === undefined || end === undefined) throw new TypeError('an event without a time was kept');
  return { start, end };
}

function endAt(slot: EventTime, { start, end }: Times): EventTime {
  if (slot.kind === 'timed' && start.kind === 'timed' && end.kind === 'timed')
    return { ...end, epochMs: slot.epochMs + (end.epochMs - start.epochMs) };
  if (slot.kind === 'date' && start.kind === 'date' && end.kind === 'date')
    return {
      kind: 'date',
      date: addDays(slot.date, Math.round((Date.parse(end.date) - Date.parse(start.date)) / DAY)),
    };
  return slot;
}

function toEvent(kept: Kept, fields: EventFields, { account, calendar }: Place): CalendarEvent {
  const { title, location, text, categories } = fields;
  return {
    account,
    calendar,
    id: kept.id,
    uid: `${kept.id}@calmcp`,
    recurrenceKey: null,
    kind: 'single',
    ...timesOf(fields),
    title: title === undefined || title === '' ? null : title,
    ...(location ? { location } : {}),
    ...(text ? { text } : {}),
    ...(categories === undefined || categories.length === 0 ? {} : { categories }),
    busy: fields.busy ?? 'busy',
    status: 'confirmed',
    sensitivity: fields.sensitivity ?? 'normal',
    myResponse: 'organizer',
    type: 'default',
    etag: etagOf(kept),
    sequence: kept.sequence,
    updated: kept.updated,
    readOnly: false,
  };
}

const isSeries = ({ fields: { recurrence } }: Kept): boolean => recurrence !== undefined && recurrence !== '';

/** The fields of one occurrence: its own where it was changed. */
function fieldsAt(kept: Kept, slot: EventTime): EventFields {
  const { recurrence: _rule, ...fields } = kept.fields;
  return { ...fields, start: slot, end: endAt(slot, timesOf(fields)), ...kept.changed[keyOf(slot)] };
}

function occurrence(kept: Kept, slot: EventTime, place: Place): CalendarEvent {
  const key = keyOf(slot);
  return {
    ...toEvent(kept, fieldsAt(kept, slot), place),
    id: `${kept.id}${MARK}${key}`,
    recurrenceKey: key,
    kind: kept.changed[key] === undefined ? 'occurrence' : 'exception',
    seriesId: kept.id,
  };
}

function slotsIn({ fields, gone }: Kept, window: { from?: number; to?: number }): EventTime[] {
  const slots = slotsOf(parseRecurrence(fields.recurrence ?? ''), timesOf(fields).start, window);
  return slots.filter((slot) => !gone.includes(keyOf(slot)));
}

/** Whether the series has that occurrence: its rule may have ended since it was changed. */
function isPlanned(kept: Kept, slot: EventTime): boolean {
  const at = slot.kind === 'timed' ? slot.epochMs : Date.parse(`${slot.date}T00:00:00Z`);
  return !Number.isNaN(at) && slotsIn(kept, { from: at, to: at + 1 }).some((each) => keyOf(each) === keyOf(slot));
}

/** All occurrences that may lie in a window of epoch milliseconds. @throws CalmcpError for a series without bounds */
export function eventsOf(
  kept: Kept,
  window: { readonly start: number; readonly end: number },
  place: Place,
): CalendarEvent[] {
  if (!isSeries(kept)) return [toEvent(kept, kept.fields, place)];
  const times = timesOf(kept.fields);
  const length =
    times.start.kind === 'timed' && times.end.kind === 'timed' ? times.end.epochMs - times.start.epochMs : 31 * DAY;
  const near = slotsIn(kept, { from: window.start - length, to: window.end });
  const keys = new Set(near.map(keyOf));
  // One that was moved may lie in the window though its slot does not.
  const moved = Object.keys(kept.changed)
    .filter((key) => !keys.has(key))
    .map((key) => slotOfKey(key, times.start))
    .filter((slot) => isPlanned(kept, slot));
  return [...near, ...moved].map((slot) => occurrence(kept, slot, place));
}

function slotOfKey(key: string, start: EventTime): EventTime {
  return start.kind === 'date' ? { kind: 'date', date: key } : { ...start, epochMs: Date.parse(key) };
}

/** By its id; `undefined` where there is none. */
export function storedAt(kept: Kept, key: string | undefined, place: Place): StoredEvent | undefined {
  const etag = etagOf(kept);
  if (key === undefined)
    return {
      event: toEvent(kept, kept.fields, place),
      fields: kept.fields,
      etag,
      isSeries: isSeries(kept),
      isMine: true,
    };
  if (!isSeries(kept) || kept.gone.includes(key)) return undefined;
  const { start } = timesOf(kept.fields);
  const slot = slotOfKey(key, start);
  if (!isPlanned(kept, slot)) return undefined;
  return { event: occurrence(kept, slot, place), fields: fieldsAt(kept, slot), etag, isSeries: false, isMine: true };
}
