/** Cuts a series short, and sees to it that the rest of it stays as it was. */
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { toCalmcpError } from '../../core/errors.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import type { Call } from '../../core/provider.ts';
import { occurrencesAround, plannedAt } from './occurrences.ts';
import { holds, repeatsBy, settle } from './settle.ts';
import { type Backend, rescue } from './target.ts';

export interface EndRequest {
  readonly backend: Backend;
  readonly calendar: Calendar;
  readonly series: StoredEvent;
  /** The first occurrence that goes. */
  readonly slot: EventTime;
  readonly notify: boolean;
  readonly call: Call;
}

/** What of a changed occurrence is put back. */
const KEPT = ['title', 'start', 'end', 'location', 'text', 'busy', 'sensitivity'] as const;

/**
 * @param head the rule of what stays
 * @returns what could not be kept as it was, in words; nothing, as a rule
 * @throws CalmcpError where the series is as it was
 */
export async function endSeries(request: EndRequest, head: string): Promise<readonly string[]> {
  const { backend, calendar, series, slot, notify, call } = request;
  const { writer } = backend;
  const { id } = series.event;
  const { earlier } = await occurrencesAround(backend, calendar, id, slot, call);
  const exceptions = await Promise.all(
    earlier.filter(({ kind }) => kind === 'exception').map((event) => writer.get(calendar, event.id, call)),
  );
  await settle(
    {
      before: series,
      make: () => writer.update(calendar, id, { recurrence: head }, { etag: series.etag, notify }, call),
      look: () => rescue((own) => writer.get(calendar, id, own)),
      seen: (now) => (now !== undefined && now.etag !== series.etag && repeatsBy(now.fields, head) ? now : undefined),
    },
    call,
  );
  // The cut is made: what fails from here on is told, and undoes nothing.
  return rescue((own) => tidy({ ...request, call: own }, earlier, exceptions)).catch(() => [
    'whether changed occurrences of the old series are as they were could not be looked at: list them',
  ]);
}

/** How many of `all` could not be seen to. */
async function failures<T>(all: readonly T[], work: (one: T) => Promise<unknown>): Promise<number> {
  let failed = 0;
  for (const one of all)
    try {
      await work(one);
    } catch (thrown) {
      if (toCalmcpError(thrown).code !== 'NOT_FOUND') failed++;
    }
  return failed;
}

/**
 * What vendors make of the changed occurrences of a series that gets another end differs: Google is said to keep those after it,
 * and Outlook to forget those before it.
 */
async function tidy(
  { backend: { writer, ...backend }, calendar, series, slot, notify, call }: EndRequest,
  before: readonly CalendarEvent[],
  exceptions: readonly StoredEvent[],
): Promise<string[]> {
  const now = await occurrencesAround(backend, calendar, series.event.id, slot, call);
  const remove = async ({ id }: CalendarEvent): Promise<void> => {
    const { etag } = await writer.get(calendar, id, call);
    await writer.delete(calendar, id, { etag, notify }, call);
  };
  const known = new Set(before.map(plannedAt));
  const left = await failures(now.later, remove);
  // Called off before, and back again.
  const back = await failures(
    now.earlier.filter((event) => !known.has(plannedAt(event))),
    remove,
  );
  const changed = await failures(exceptions, async ({ event, fields }) => {
    const current = now.earlier.find((each) => plannedAt(each) === plannedAt(event));
    if (current === undefined) throw new TypeError('it is gone');
    const wanted = Object.fromEntries(
      KEPT.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])),
    );
    const stored = await writer.get(calendar, current.id, call);
    if (holds(stored.fields, wanted as EventFields)) return;
    await writer.update(calendar, current.id, wanted as EventFields, { etag: stored.etag, notify }, call);
  });
  return [
    ...(left === 0 ? [] : [`${left} changed occurrences of the old series are still there after its end: delete them`]),
    ...(back === 0 ? [] : [`${back} occurrences that were called off are there again: delete them`]),
    ...(changed === 0 ? [] : [`${changed} changed occurrences of the old series have lost their changes`]),
  ];
}
