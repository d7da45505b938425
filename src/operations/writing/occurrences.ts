/** The occurrences of one series, as reading tells them. */
import type { StoredEvent } from '../../core/change.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import type { Call } from '../../core/provider.ts';
import { DAY } from '../../core/time.ts';
import type { Backend } from './target.ts';

/** How far on each side of a slot occurrences are looked at, one by one. */
export const DAYS_AROUND = 366;

export const momentOf = (time: EventTime): number =>
  time.kind === 'timed' ? time.epochMs : Date.parse(`${time.date}T00:00:00Z`);

/** When the series had planned it, in epoch milliseconds; of whole days midnight in UTC. */
export const plannedAt = ({ recurrenceKey, start }: CalendarEvent): number =>
  recurrenceKey === null ? momentOf(start) : Date.parse(recurrenceKey);

async function occurrencesIn(
  { provider }: Pick<Backend, 'provider'>,
  calendar: Calendar,
  seriesId: string,
  { start, end }: { readonly start: number; readonly end: number },
  call: Call,
): Promise<CalendarEvent[]> {
  const [read] = await provider.readCalendars([calendar], { start, end, timeZone: 'UTC' }, call, 'full');
  if (read === undefined || 'error' in read) throw read?.error ?? new TypeError('a calendar was left out');
  const [problem] = read.problems ?? [];
  if (problem !== undefined) throw problem;
  return read.events
    .filter((event) => event.seriesId === seriesId && event.status !== 'cancelled')
    .sort((a, b) => momentOf(a.start) - momentOf(b.start));
}

/** Occurrences that were planned for a slot or later, for a year, in order. @throws CalmcpError */
export async function occurrencesFrom(
  backend: Pick<Backend, 'provider'>,
  calendar: Calendar,
  seriesId: string,
  slot: EventTime,
  call: Call,
): Promise<readonly CalendarEvent[]> {
  // One that was planned for later may have been moved to a day before.
  return (await occurrencesAround(backend, calendar, seriesId, slot, call)).later;
}

/** Those of the year before a slot, and those of the year from it on. @throws CalmcpError */
export async function occurrencesAround(
  backend: Pick<Backend, 'provider'>,
  calendar: Calendar,
  seriesId: string,
  slot: EventTime,
  call: Call,
): Promise<{ readonly earlier: readonly CalendarEvent[]; readonly later: readonly CalendarEvent[] }> {
  const at = momentOf(slot);
  const window = { start: at - DAYS_AROUND * DAY, end: at + DAYS_AROUND * DAY };
  const all = await occurrencesIn(backend, calendar, seriesId, window, call);
  return {
    earlier: all.filter((event) => plannedAt(event) < at),
    later: all.filter((event) => plannedAt(event) >= at),
  };
}

/** A series is shown by its first occurrence, whose id can be asked for. It is there, also when that cannot be read. */
export async function shownEvent(
  backend: Backend,
  calendar: Calendar,
  stored: StoredEvent,
  call: Call,
): Promise<CalendarEvent> {
  if (!stored.isSeries) return stored.event;
  const [first] = await occurrencesFrom(backend, calendar, stored.event.id, stored.event.start, call).catch(() => []);
  return first ?? stored.event;
}
