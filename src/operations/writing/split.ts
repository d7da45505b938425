/** "This and all following": one series becomes two, or stays as it was. */
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import type { Call } from '../../core/provider.ts';
import { parseRecurrence, sameRecurrence } from '../../core/recurrence.ts';
import { type Split, splitAt } from '../../core/series.ts';
import { DAY } from '../../core/time.ts';
import { settle } from './settle.ts';
import type { Backend } from './target.ts';

/** How far behind the split occurrences are looked at, one by one. */
const DAYS_AHEAD = 366;
/** Called-off occurrences that are called off in the new series too. */
const MOST_CALLED_OFF = 50;

const momentOf = (time: EventTime): number =>
  time.kind === 'timed' ? time.epochMs : Date.parse(`${time.date}T00:00:00Z`);

/** Occurrences of a series from a slot on, for a year, in order. @throws CalmcpError */
export async function occurrencesFrom(
  { provider }: Pick<Backend, 'provider'>,
  calendar: Calendar,
  seriesId: string,
  slot: EventTime,
  call: Call,
): Promise<CalendarEvent[]> {
  const from = momentOf(slot) - DAY;
  const range = { start: from, end: from + DAYS_AHEAD * DAY, timeZone: 'UTC' };
  const [read] = await provider.readCalendars([calendar], range, call, 'full');
  if (read === undefined || 'error' in read) throw read?.error ?? new TypeError('a calendar was left out');
  const [problem] = read.problems ?? [];
  if (problem !== undefined) throw problem;
  return read.events
    .filter((event) => event.seriesId === seriesId && event.status !== 'cancelled' && isFrom(event, slot))
    .sort((a, b) => momentOf(a.start) - momentOf(b.start));
}

function isFrom({ recurrenceKey, start }: CalendarEvent, slot: EventTime): boolean {
  const planned = recurrenceKey === null ? momentOf(start) : Date.parse(recurrenceKey);
  return planned >= momentOf(slot);
}

export interface SplitRequest {
  readonly backend: Backend;
  readonly calendar: Calendar;
  readonly series: StoredEvent;
  readonly slot: EventTime;
  readonly wanted: EventFields;
  readonly notify: boolean;
  readonly key: string;
  readonly call: Call;
  /** A call with time of its own, for finding out and for taking back. */
  readonly rescue: <T>(work: (call: Call) => Promise<T>) => Promise<T>;
}

/**
 * The new series is made first, and the old one is cut short when it is there: whatever fails in between, no meeting is lost.
 * What fails after that takes the new series back.
 * @returns the new series, and how many occurrences the old one still has after its end
 */
export async function splitSeries(
  request: SplitRequest,
): Promise<{ readonly tail: StoredEvent; readonly left: number }> {
  const { backend, calendar, series, slot, wanted, notify, key, call } = request;
  const split = splitAt(series, slot, wanted);
  if (split.head === null) throw new TypeError('nothing stays: the whole series changes');
  const before = await occurrencesFrom(backend, calendar, series.event.id, slot, call);
  const { stored: tail } = await backend.writer.create(calendar, split.tail, { key, notify }, call);
  try {
    await callOff(request, split, before, tail);
    return { tail, left: await endSeries(request, split.head) };
  } catch (thrown) {
    await takeBack(request, tail, toCalmcpError(thrown));
    throw thrown;
  }
}

/** How many changed occurrences a split gives up. @throws CalmcpError */
export async function resetBy(
  backend: Backend,
  calendar: Calendar,
  { stored, slot }: { readonly stored: StoredEvent; readonly slot: EventTime },
  call: Call,
): Promise<number> {
  const later = await occurrencesFrom(backend, calendar, stored.event.id, slot, call);
  return later.filter(({ kind }) => kind === 'exception').length;
}

type EndRequest = Omit<SplitRequest, 'wanted' | 'key'>;

/**
 * Cuts a series short before a slot.
 * @returns how many of its later occurrences are still there, as they could not be removed
 * @throws CalmcpError where it is as it was
 */
export async function endSeries(request: EndRequest, head: string): Promise<number> {
  const { backend, calendar, series, notify, call, rescue } = request;
  const { writer } = backend;
  await settle({
    before: series,
    make: () => writer.update(calendar, series.event.id, { recurrence: head }, { etag: series.etag, notify }, call),
    look: () => rescue((own) => writer.get(calendar, series.event.id, own)),
    seen: (now) => (now !== undefined && now.etag !== series.etag && repeatsBy(now, head) ? now : undefined),
  });
  return sweep(request).catch(() => 1);
}

/** Occurrences that were changed are said to stay on Google's calendars when their series ends before them. */
async function sweep({ backend, calendar, series, slot, notify, call }: EndRequest): Promise<number> {
  const later = await occurrencesFrom(backend, calendar, series.event.id, slot, call);
  let left = 0;
  for (const { id } of later)
    try {
      const { etag } = await backend.writer.get(calendar, id, call);
      await backend.writer.delete(calendar, id, { etag, notify }, call);
    } catch (thrown) {
      if (toCalmcpError(thrown).code !== 'NOT_FOUND') left++;
    }
  return left;
}

/** What to tell about those; nothing where there are none. */
export function leftNotes(left: number): string[] {
  return left === 0
    ? []
    : [`${left} changed occurrences of the old series may still be there: list them and delete them`];
}

/** Vendors write one rule in several ways. */
function repeatsBy({ fields: { recurrence = '', start } }: StoredEvent, rule: string): boolean {
  if (recurrence === '' || start === undefined) return false;
  return sameRecurrence(parseRecurrence(recurrence), parseRecurrence(rule), start);
}

/** What was called off after the split stays so: the occurrences of the new series that the old one did not have any more. */
async function callOff(
  { backend, calendar, slot, wanted, notify, call }: SplitRequest,
  { tail: { start, recurrence } }: Split,
  before: readonly CalendarEvent[],
  tail: StoredEvent,
): Promise<void> {
  // With another rhythm, or on other days, there is nothing to compare.
  if (start === undefined || recurrence === undefined || wanted.recurrence !== undefined) return;
  const shift = momentOf(start) - momentOf(slot);
  const kept = new Set(before.map((event) => dayAt(plannedAt(event), shift)));
  const last = Math.max(...before.map(plannedAt), momentOf(slot));
  const made = await occurrencesFrom(backend, calendar, tail.event.id, start, call);
  const gone = made.filter((event) => plannedAt(event) <= last + shift && !kept.has(dayAt(plannedAt(event), 0)));
  if (gone.length > MOST_CALLED_OFF)
    throw new CalmcpError(
      'INPUT_INVALID',
      `more than ${MOST_CALLED_OFF} of the occurrences that follow were called off`,
      {
        hint: 'make a new series instead, and end this one with scope: following',
      },
    );
  for (const event of gone) {
    const stored = await backend.writer.get(calendar, event.id, call);
    await backend.writer.delete(calendar, event.id, { etag: stored.etag, notify }, call);
  }
}

const plannedAt = ({ recurrenceKey, start }: CalendarEvent): number =>
  recurrenceKey === null ? momentOf(start) : Date.parse(recurrenceKey);

/** To the half day: the clocks may change between two occurrences, and a series of calendars has one a day at most. */
const dayAt = (moment: number, shift: number): number => Math.round((moment + shift) / (DAY / 2));

async function takeBack(
  { backend: { account, writer }, calendar, notify, rescue }: SplitRequest,
  tail: StoredEvent,
  error: CalmcpError,
): Promise<void> {
  try {
    await rescue(async (call) => {
      const now = await writer.get(calendar, tail.event.id, call);
      await writer.delete(calendar, tail.event.id, { etag: now.etag, notify }, call);
    });
  } catch (thrown) {
    const cause = toCalmcpError(thrown);
    if (cause.code === 'NOT_FOUND') return;
    throw new CalmcpError(
      'CONFLICT',
      `the old series could not be ended (${error.message}), and the new one could not be taken back (${cause.message}): both are there now`,
      { account: account.id, hint: 'list the events and delete one of the two series', cause: thrown },
    );
  }
}

/** A series is shown by its first occurrence, whose id can be asked for. */
export async function shownEvent(
  backend: Backend,
  calendar: Calendar,
  stored: StoredEvent,
  call: Call,
): Promise<CalendarEvent> {
  if (!stored.isSeries) return stored.event;
  const [first] = await occurrencesFrom(backend, calendar, stored.event.id, stored.event.start, call);
  return first ?? stored.event;
}
