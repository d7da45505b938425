/** "This and all following": one series becomes two, or stays as it was. */
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import type { Call } from '../../core/provider.ts';
import { type Split, splitAt } from '../../core/series.ts';
import { DAY } from '../../core/time.ts';
import { type EndRequest, endSeries } from './end-series.ts';
import { momentOf, occurrencesFrom, plannedAt } from './occurrences.ts';
import { createOnce, removeOnce } from './settle.ts';
import { type Backend, rescue } from './target.ts';

/** Called-off occurrences that are called off in the new series too. */
const MOST_CALLED_OFF = 50;
/** The clocks may change between two occurrences, and a series of calendars has one a day at most. */
const SAME_DAY = DAY / 4;

export interface SplitRequest extends EndRequest {
  readonly wanted: EventFields;
  readonly key: string;
}

/**
 * The new series is made first, and the old one is cut short when it is there: whatever fails in between, no meeting is lost.
 * What fails after that takes the new series back.
 * @returns the new series, and what of the old one could not be kept as it was
 */
export async function splitSeries(
  request: SplitRequest,
): Promise<{ readonly tail: StoredEvent; readonly notes: readonly string[] }> {
  const { backend, calendar, series, slot, wanted, notify, key, call } = request;
  const split = splitAt(series, slot, wanted);
  if (split.head === null) throw new TypeError('nothing stays: the whole series changes');
  const before = await occurrencesFrom(backend, calendar, series.event.id, slot, call);
  const { stored: tail } = await createOnce(
    () => backend.writer.create(calendar, split.tail, { key, notify }, call),
    call,
  );
  try {
    await callOff(request, split, before, tail);
    return { tail, notes: await endSeries(request, split.head) };
  } catch (thrown) {
    await takeBack(request, tail, toCalmcpError(thrown));
    throw thrown;
  }
}

const TOLD = ['title', 'location', 'busy', 'sensitivity'] as const;

/** How many changed occurrences a split gives up. @throws CalmcpError */
export async function resetBy(
  backend: Backend,
  calendar: Calendar,
  { stored, slot }: { readonly stored: StoredEvent; readonly slot: EventTime },
  call: Call,
): Promise<number> {
  const later = await occurrencesFrom(backend, calendar, stored.event.id, slot, call);
  // Google tells of an occurrence only when it was moved that it is not as the others.
  const isOwn = (event: CalendarEvent): boolean =>
    event.kind === 'exception' || TOLD.some((name) => event[name] !== stored.event[name]);
  return later.filter(isOwn).length;
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
  const kept = before.map((event) => plannedAt(event) + shift);
  const last = Math.max(...kept, momentOf(start));
  const isKept = (moment: number): boolean => kept.some((each) => Math.abs(each - moment) < SAME_DAY);
  const made = await occurrencesFrom(backend, calendar, tail.event.id, start, call);
  const gone = made.filter((event) => plannedAt(event) <= last && !isKept(plannedAt(event)));
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
    await removeOnce(backend, calendar, stored, { notify }, call);
  }
}

async function takeBack(
  { backend, calendar, notify }: SplitRequest,
  tail: StoredEvent,
  error: CalmcpError,
): Promise<void> {
  try {
    await rescue(async (call) => {
      const now = await backend.writer.get(calendar, tail.event.id, call);
      await removeOnce(backend, calendar, now, { notify }, call);
    });
  } catch (thrown) {
    const cause = toCalmcpError(thrown);
    if (cause.code === 'NOT_FOUND') return;
    throw new CalmcpError(
      'CONFLICT',
      `the old series could not be ended (${error.message}), and the new one could not be taken back (${cause.message}): both are there now`,
      { account: backend.account.id, hint: 'list the events and delete one of the two series', cause: thrown },
    );
  }
}
