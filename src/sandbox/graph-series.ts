import { Temporal } from 'temporal-polyfill';
import type { EventProperties, OccurrenceChange, SandboxEvent, SandboxSeries } from './data.ts';
import { occurrenceDates } from './graph-recurrence.ts';
import { extentOf, isInWindow, type Window } from './graph-window.ts';
import { opaqueId, outlookUid } from './opaque.ts';

/** Occurrences and exceptions that touch the window. Wall-clock time of the master's zone, so the clocks may change. */
export function expandSeries(series: SandboxSeries, window: Window): SandboxEvent[] {
  const { start, end } = extentOf(series.master);
  const day = 86_400_000;
  const [from, until] = [window.start - (end - start) - day, window.end + day].map(dateOf);
  const ruled = [...datesOf(series, until)].filter((date) => from !== undefined && date >= from);
  // An exception may have been moved far into the window, or out of it.
  const dates = new Set([...ruled, ...Object.keys(series.changes)]);
  return [...dates].map((date) => occurrenceOf(series, date)).filter((event) => isInWindow(event, window));
}

/** The dates of what is left of the series. */
export function* datesOf({ master, deleted }: SandboxSeries, until = '9999-12-31'): Generator<string> {
  const { recurrence } = master.properties;
  if (recurrence === null) return;
  for (const date of occurrenceDates(recurrence, Temporal.PlainDate.from(until))) {
    if (!deleted.includes(date.toString())) yield date.toString();
  }
}

/** Whether the rule has an occurrence on the date that is not deleted. */
export function hasOccurrence(series: SandboxSeries, date: string): boolean {
  for (const each of datesOf(series, date)) if (each === date) return true;
  return false;
}

/** The nearest ones before and after, as they are now: an occurrence may not be moved to the day of either. */
export function neighboursOf(series: SandboxSeries, date: string): { before?: SandboxEvent; after?: SandboxEvent } {
  let before: string | undefined;
  for (const each of datesOf(series)) {
    if (each > date) {
      return {
        ...(before === undefined ? {} : { before: occurrenceOf(series, before) }),
        after: occurrenceOf(series, each),
      };
    }
    if (each < date) before = each;
  }
  return before === undefined ? {} : { before: occurrenceOf(series, before) };
}

/** What the rule has on a date, with what was changed there. */
export function occurrenceOf(series: SandboxSeries, date: string): SandboxEvent {
  const plain = plainOccurrence(series, date);
  const change = series.changes[date];
  if (change === undefined) return plain;
  return { ...plain, ...change, properties: { ...plain.properties, ...change.properties, type: 'exception' } };
}

/** Without the changes. */
export function plainOccurrence({ master, given }: SandboxSeries, date: string): SandboxEvent {
  const { madeOf, ...rest } = master;
  const times = timesOn(master, date);
  const ids = given[date] ?? {
    ...idsOn(master, date),
    iCalUId: datedUid(master.properties.iCalUId, date),
  };
  return {
    ...rest,
    ...times,
    id: ids.id,
    immutableId: ids.immutableId,
    seriesMaster: { id: master.id, immutableId: master.immutableId },
    properties: {
      ...master.properties,
      type: 'occurrence',
      recurrence: null,
      transactionId: null,
      iCalUId: ids.iCalUId,
      originalStart: master.isAllDay ? `${date}T00:00:00Z` : times.start,
      webLink: webLinkOf(ids.id),
    },
  };
}

/** The changes that turn one state of an occurrence into another. */
export function changeBetween(before: SandboxEvent, after: SandboxEvent): OccurrenceChange {
  const owned: readonly string[] = ['changeKey', 'lastModifiedDateTime', 'type', 'originalStart', 'recurrence'];
  const differ = (one: unknown, other: unknown) => JSON.stringify(one) !== JSON.stringify(other);
  const properties = Object.fromEntries(
    Object.entries(after.properties).filter(
      ([name, value]) => !owned.includes(name) && differ(value, before.properties[name as keyof EventProperties]),
    ),
  ) as Partial<EventProperties>;
  const { isAllDay, start, end, zone, text, intendedShowAs } = after;
  const moved = isAllDay !== before.isAllDay || start !== before.start || end !== before.end;
  return {
    ...(moved ? { isAllDay, start, end, zone } : {}),
    ...(text === undefined || text === before.text ? {} : { text }),
    ...(intendedShowAs === undefined || intendedShowAs === before.intendedShowAs ? {} : { intendedShowAs }),
    properties,
  };
}

/** The date (in the master's zone) that an id of an occurrence stands for, if it is one of this series. */
export function dateOfId(series: SandboxSeries, id: string, kind: 'id' | 'immutableId'): string | undefined {
  const known = Object.entries(series.given).find(([, ids]) => ids[kind] === id)?.[0];
  if (known !== undefined) return known;
  const [head, tail] = [series.master[kind].slice(0, -4), id.slice(-5)];
  if (id.length <= head.length || !id.startsWith(head) || tail !== 'AAEA=') return undefined;
  const days = Number.parseInt(id.slice(head.length, -5), 36);
  // Up to the year 4707, which is more than a series may last.
  if (!(days >= 0 && days < 1_000_000)) return undefined;
  const date = new Date(days * 86_400_000).toISOString().slice(0, 10);
  return date in series.given ? undefined : date;
}

/** The uid of an occurrence is that of the master with a date in it ([MS-OXOCAL] 2.2.1.27). */
function datedUid(uid: string | null, date: string): string | null {
  if (uid === null || uid.length < 40) return uid;
  return `${uid.slice(0, 32)}${outlookUid('', date).slice(32, 40)}${uid.slice(40)}`;
}

function idsOn(master: SandboxEvent, date: string) {
  const days = Math.round(Date.parse(`${date}T00:00:00Z`) / 86_400_000).toString(36);
  const on = (id: string) => `${id.slice(0, -4)}${days}AAEA=`;
  return { id: on(master.id), immutableId: on(master.immutableId) };
}

function timesOn(master: SandboxEvent, date: string): { start: string; end: string } {
  const { isAllDay, start, end, zone } = master;
  if (isAllDay) {
    const length = Temporal.PlainDate.from(start).until(end);
    return { start: date, end: Temporal.PlainDate.from(date).add(length).toString() };
  }
  const wall = (instant: string) => Temporal.Instant.from(instant).toZonedDateTimeISO(zone).toPlainDateTime();
  const length = wall(start).until(wall(end));
  const from = Temporal.PlainDate.from(date).toPlainDateTime(wall(start).toPlainTime());
  const instant = (local: Temporal.PlainDateTime) => local.toZonedDateTime(zone).toInstant().toString();
  return { start: instant(from), end: instant(from.add(length)) };
}

/** The date of an event in its own zone. */
export function startDateOf({ isAllDay, start, zone }: SandboxEvent): string {
  if (isAllDay) return start;
  return Temporal.Instant.from(start).toZonedDateTimeISO(zone).toPlainDate().toString();
}

export function webLinkOf(id: string): string {
  return `https://outlook.example/owa/?itemid=${encodeURIComponent(id)}&exvsurl=1&path=/calendar/item`;
}

export function newIds(seed: string): { id: string; immutableId: string } {
  const id = opaqueId(seed, 'AAMkAG');
  return { id, immutableId: opaqueId(id, 'AAkALg') };
}

function dateOf(instant: number): string {
  return new Date(instant).toISOString().slice(0, 10);
}
