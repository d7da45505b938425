/** "This and all following": one series becomes two, or stays as it was. */
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { CalendarEvent } from '../../core/event.ts';
import { type Split, splitAt } from '../../core/series.ts';
import { type EndRequest, endSeries } from './end-series.ts';
import { callOffAgain } from './exceptions.ts';
import { momentOf, occurrencesFrom } from './occurrences.ts';
import { createOnce, isRefusal, removeOnce, repeatsBy } from './settle.ts';
import { rescue } from './target.ts';

/** Milliseconds in which a change that was given up may still arrive. */
const ARRIVAL_MS = 1_500;

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
    const notes = await callOff(request, split, before, tail);
    return { tail, notes: [...notes, ...(await endSeries(request, split.head))] };
  } catch (thrown) {
    await takeBack(request, tail, toCalmcpError(thrown));
    throw thrown;
  }
}

/** What was called off after the split stays so: the occurrences of the new series that the old one did not have any more. */
async function callOff(
  { backend, calendar, series, slot, wanted, notify, call }: SplitRequest,
  { tail: { start, recurrence } }: Split,
  before: readonly CalendarEvent[],
  tail: StoredEvent,
): Promise<string[]> {
  // With another rhythm, or on other days, there is nothing to compare.
  if (start === undefined || recurrence === undefined || wanted.recurrence !== undefined) return [];
  const now = await occurrencesFrom(backend, calendar, tail.event.id, start, call);
  return callOffAgain(
    backend,
    calendar,
    { series, before, now, shift: momentOf(start) - momentOf(slot) },
    notify,
    call,
  );
}

/** @param error why the old series was not ended */
async function takeBack(request: SplitRequest, tail: StoredEvent, error: CalmcpError): Promise<void> {
  const { backend, calendar, notify } = request;
  try {
    await rescue(async (call) => {
      const now = await backend.writer.get(calendar, tail.event.id, call);
      await removeOnce(backend, calendar, now, { notify }, call);
    });
    if (error.code === 'UNAVAILABLE' && !isRefusal(error)) await undoLateEnd(request);
  } catch (thrown) {
    const cause = toCalmcpError(thrown);
    if (cause.code === 'NOT_FOUND') return;
    throw new CalmcpError(
      'CONFLICT',
      `the old series could not be ended (${error.message}), and it is not as it was (${cause.message}): look at both series`,
      {
        account: backend.account.id,
        hint: 'list the events: delete the new series, or end the old one',
        cause: thrown,
      },
    );
  }
}

/** An end that was given up may still have arrived: then the old series gets its own rule back. */
async function undoLateEnd({ backend: { writer }, calendar, series, notify }: SplitRequest): Promise<void> {
  const { recurrence = '' } = series.fields;
  await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
  await rescue(async (call) => {
    const now = await writer.get(calendar, series.event.id, call);
    if (now.etag === series.etag || repeatsBy(now.fields, recurrence)) return;
    await writer.update(calendar, series.event.id, { recurrence }, { etag: now.etag, notify }, call);
  });
}
