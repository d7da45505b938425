/** "This and all following": one series becomes two, or stays as it was. */
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { CalendarEvent } from '../../core/event.ts';
import { type Split, splitAt } from '../../core/series.ts';
import { type EndRequest, endSeries } from './end-series.ts';
import { callOffAgain } from './exceptions.ts';
import { momentOf, occurrencesAround, occurrencesFrom } from './occurrences.ts';
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
  const { earlier, later } = await occurrencesAround(backend, calendar, series.event.id, slot, call);
  const { stored: tail } = await createOnce(
    () => backend.writer.create(calendar, split.tail, { key, notify }, call),
    call,
  );
  let lateEnd: string | undefined;
  try {
    const notes = await callOff(request, split, later, tail);
    lateEnd = split.head;
    return { tail, notes: [...notes, ...(await endSeries(request, split.head))] };
  } catch (thrown) {
    const error = toCalmcpError(thrown);
    const wasEnded = await takeBack(request, { tail, head: lateEnd, before: [...earlier, ...later] }, error);
    if (!wasEnded) throw thrown;
    throw new CalmcpError('UNAVAILABLE', `${error.message}; it was made late, and is taken back`, {
      account: backend.account.id,
      hint: 'list the events before you try again: changed and called-off occurrences may be like the others now',
      cause: thrown,
    });
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
    { series, slot, occurrences: before, isWhole: false, now, shift: momentOf(start) - momentOf(slot) },
    notify,
    call,
  );
}

interface Begun {
  readonly tail: StoredEvent;
  /** What the old series may have been cut to; nothing where that was not begun. */
  readonly head: string | undefined;
  /** The occurrences of the old series, as they were. */
  readonly before: readonly CalendarEvent[];
}

/**
 * The new series goes when the old one is known to be whole, not before.
 * @param error why the old series was not ended
 * @returns whether the old one had been ended all the same
 */
async function takeBack(request: SplitRequest, { tail, head, before }: Begun, error: CalmcpError): Promise<boolean> {
  const { backend, calendar, notify } = request;
  const both = (cause: unknown, what: string): CalmcpError =>
    new CalmcpError('CONFLICT', `the old series could not be ended (${error.message}), and ${what}`, {
      account: backend.account.id,
      hint: 'list the events and delete one of the two series',
      cause,
    });
  let wasEnded = false;
  if (head !== undefined && error.code === 'UNAVAILABLE')
    try {
      wasEnded = await undoLateEnd(request, { head, before }, isRefusal(error) ? 0 : ARRIVAL_MS);
    } catch (thrown) {
      const { message } = toCalmcpError(thrown);
      throw both(thrown, `nobody knows whether it is as it was (${message}): the new one was kept`);
    }
  try {
    await rescue(async (call) => {
      const now = await backend.writer.get(calendar, tail.event.id, call);
      await removeOnce(backend, calendar, now, { notify }, call);
    });
  } catch (thrown) {
    const cause = toCalmcpError(thrown);
    if (cause.code !== 'NOT_FOUND')
      throw both(thrown, `the new one could not be taken back (${cause.message}): both are there now`);
  }
  return wasEnded;
}

/** An end whose answer got lost may be there, or still arrive: then the old series gets its own rule back. */
async function undoLateEnd(
  { backend, calendar, series, slot, notify }: SplitRequest,
  { head, before }: { readonly head: string; readonly before: readonly CalendarEvent[] },
  arrivalMs: number,
): Promise<boolean> {
  const { writer } = backend;
  const { recurrence = '' } = series.fields;
  const { id } = series.event;
  if (arrivalMs > 0) await new Promise((resolve) => setTimeout(resolve, arrivalMs));
  const wasEnded = await rescue(async (call) => {
    const now = await writer.get(calendar, id, call);
    if (now.etag === series.etag || !repeatsBy(now.fields, head)) return false;
    await writer.update(calendar, id, { recurrence }, { etag: now.etag, notify }, call);
    return true;
  });
  if (!wasEnded) return false;
  // All meetings are there: one that was called off and is there again is told by the hint.
  await rescue(async (call) => {
    const { earlier, later } = await occurrencesAround(backend, calendar, id, slot, call);
    const was = { series, slot, occurrences: before, isWhole: true };
    await callOffAgain(backend, calendar, { ...was, now: [...earlier, ...later], shift: 0 }, notify, call);
  }).catch(() => undefined);
  return true;
}
