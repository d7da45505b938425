import type { Mailbox, OccurrenceChange, SandboxCalendar, SandboxEvent, SandboxSeries } from './data.ts';
import {
  changeBetween,
  dateOfId,
  datesOf,
  expandSeries,
  hasOccurrence,
  occurrenceOf,
  plainOccurrence,
  startDateOf,
} from './graph-series.ts';
import { isInWindow, type Window } from './graph-window.ts';

/** Where something of a calendar was found: it can be written back there. */
export type Found =
  | { readonly kind: 'single'; readonly calendar: SandboxCalendar; readonly event: SandboxEvent }
  | {
      readonly kind: 'master';
      readonly calendar: SandboxCalendar;
      readonly event: SandboxEvent;
      readonly series: SandboxSeries;
    }
  | {
      readonly kind: 'occurrence';
      readonly calendar: SandboxCalendar;
      readonly event: SandboxEvent;
      readonly series: SandboxSeries;
      /** On which the rule has it. */
      readonly date: string;
    };

export function eventsIn(calendar: SandboxCalendar, window: Window): SandboxEvent[] {
  const written = (calendar.series ?? []).flatMap((series) => expandSeries(series, window));
  return [...calendar.events.filter((event) => isInWindow(event, window)), ...written];
}

/** What a list of events holds: single ones and masters. */
export function itemsOf(calendar: SandboxCalendar): SandboxEvent[] {
  const single = calendar.events.filter(({ seriesMaster }) => seriesMaster === null);
  return [...single, ...seriesOf(calendar).map(({ master }) => master)];
}

/** The written series, and the given ones as if they had been written. */
export function seriesOf(calendar: SandboxCalendar): SandboxSeries[] {
  const given = new Map<string, SandboxSeries>();
  for (const { seriesMaster } of calendar.events) {
    if (seriesMaster?.given === undefined || given.has(seriesMaster.id)) continue;
    given.set(seriesMaster.id, givenSeries(calendar, seriesMaster.given.master, seriesMaster.given.deleted));
  }
  return [...(calendar.series ?? []), ...given.values()];
}

export function findById(
  calendars: readonly SandboxCalendar[],
  id: string,
  kind: 'id' | 'immutableId',
): Found | undefined {
  for (const calendar of calendars) {
    const event = calendar.events.find((each) => each[kind] === id);
    const all = seriesOf(calendar);
    if (event !== undefined) {
      // Until it is written to, an occurrence of a given series is what the data say.
      const series = all.find(({ master }) => master.id === event.seriesMaster?.id);
      const date = series === undefined ? undefined : dateOfId(series, id, kind);
      if (series === undefined || date === undefined) return { kind: 'single', calendar, event };
      return { kind: 'occurrence', calendar, event, series, date };
    }
    for (const series of all) {
      if (series.master[kind] === id) return { kind: 'master', calendar, event: series.master, series };
      const date = dateOfId(series, id, kind);
      if (date !== undefined && hasOccurrence(series, date)) {
        return { kind: 'occurrence', calendar, event: occurrenceOf(series, date), series, date };
      }
    }
  }
  return undefined;
}

/** A copy of a meeting: all mailboxes know it by the same uid. */
export function findByUid(
  mailbox: Mailbox,
  uid: string,
  isOrganizer: boolean,
): Extract<Found, { kind: 'single' | 'master' }> | undefined {
  const wanted = ({ properties }: SandboxEvent) => properties.iCalUId === uid && properties.isOrganizer === isOrganizer;
  for (const calendar of mailbox.calendars) {
    const event = calendar.events.find((each) => each.seriesMaster === null && wanted(each));
    if (event !== undefined) return { kind: 'single', calendar, event };
    const series = seriesOf(calendar).find(({ master }) => wanted(master));
    if (series !== undefined) return { kind: 'master', calendar, event: series.master, series };
  }
  return undefined;
}

/** In the place of what has this id, whatever it was; nothing at all without a new one. The arrays stay the same ones. */
export function put(calendar: SandboxCalendar, id: string, next: SandboxEvent | SandboxSeries | undefined): void {
  calendar.series ??= [];
  const { events, series } = calendar;
  const isIt = (event: SandboxEvent) =>
    event.id === id || (event.seriesMaster?.given !== undefined && event.seriesMaster.id === id);
  const [eventAt, seriesAt] = [events.findIndex(isIt), series.findIndex(({ master }) => master.id === id)];
  events.splice(0, events.length, ...events.filter((event) => !isIt(event)));
  series.splice(0, series.length, ...series.filter(({ master }) => master.id !== id));
  if (next === undefined) return;
  if ('master' in next) series.splice(seriesAt < 0 ? series.length : seriesAt, 0, next);
  else events.splice(eventAt < 0 ? events.length : eventAt, 0, next);
}

export function withChange(series: SandboxSeries, date: string, change: OccurrenceChange): SandboxSeries {
  const before = series.changes[date];
  const properties = { ...before?.properties, ...change.properties };
  return { ...series, changes: { ...series.changes, [date]: { ...before, ...change, properties } } };
}

export function withoutOccurrence(series: SandboxSeries, date: string): SandboxSeries {
  const { [date]: _, ...changes } = series.changes;
  return { ...series, changes, deleted: [...series.deleted, date] };
}

function givenSeries(calendar: SandboxCalendar, master: SandboxEvent, deleted: readonly string[]): SandboxSeries {
  const occurrences = calendar.events.filter(({ seriesMaster }) => seriesMaster?.id === master.id);
  const dated = occurrences.map((event) => {
    const original = { ...master, start: event.properties.originalStart ?? '' };
    return { event, date: master.isAllDay ? original.start.slice(0, 10) : startDateOf(original) };
  });
  const known = new Set(dated.map(({ date }) => date));
  const whole: SandboxSeries = { master, changes: {}, deleted, given: {} };
  const bare: SandboxSeries = {
    ...whole,
    // A test may have taken one out of the array.
    deleted: [...deleted, ...[...datesOf(whole)].filter((date) => !known.has(date))],
    given: Object.fromEntries(
      dated.map(({ event: { id, immutableId, properties }, date }) => [
        date,
        { id, immutableId, iCalUId: properties.iCalUId },
      ]),
    ),
  };
  const changed = dated.filter(({ event }) => event.properties.type === 'exception');
  return {
    ...bare,
    changes: Object.fromEntries(
      changed.map(({ event, date }) => [date, changeBetween(plainOccurrence(bare, date), event)]),
    ),
  };
}
