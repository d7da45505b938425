/** What else there is at the time of an event that is about to be written, in all accounts. */
import type { App } from '../../accounts/registry.ts';
import { isBlocking } from '../../core/busy.ts';
import { spanOfCopy } from '../../core/busy-blocks.ts';
import type { EventFields } from '../../core/change.ts';
import { toCalmcpError } from '../../core/errors.ts';
import type { EventTime } from '../../core/event.ts';
import { findLikeness, type Likeness } from '../../core/likeness.ts';
import type { MergedEvent } from '../../core/merge.ts';
import { MAX_RANGE_DAYS } from '../../core/range.ts';
import { parseRecurrence, slotsOf } from '../../core/recurrence.ts';
import { foldText } from '../../core/search.ts';
import { DAY, spanOf } from '../../core/time.ts';
import type { Detail } from '../event-item.ts';
import { isListed } from '../list-events.ts';
import type { Asker } from '../operation.ts';
import { type Answered, parseQuestion, readQuestion } from '../question.ts';
import { BEFORE_WRITING } from './target.ts';

/** Milliseconds that other accounts have: a slow one does not hold up what is to be written. */
const LOOK_MS = 6_000;
/** How far ahead the occurrences of a series are looked at. */
const DAYS_LOOKED_AHEAD = 90;
/** Occurrences of a series that are looked at. */
const MOST_LOOKED_AT = 60;
/** Events of each kind that are shown. */
const MOST = 10;

export interface Planned {
  readonly title: string | null;
  readonly start: EventTime;
  readonly end: EventTime;
  /** Whether it takes time at all. */
  readonly blocks: boolean;
}

export interface Around {
  readonly answered: Answered;
  readonly likeness: Likeness;
  readonly conflicts: readonly MergedEvent[];
  readonly conflictCount: number;
  /** Same title and time: perhaps it is there already. */
  readonly duplicates: readonly MergedEvent[];
}

/** The occurrences that are looked at for conflicts. */
export function plannedOf({ title, start, end, busy, recurrence }: EventFields): Planned[] {
  if (start === undefined || end === undefined) return [];
  const one = { title: title ?? null, start, end, blocks: busy !== 'free' && busy !== 'workingElsewhere' };
  if (recurrence === undefined || recurrence === '') return [one];
  const from = momentOf(start);
  const slots = slotsOf(parseRecurrence(recurrence), start, { from, to: from + DAYS_LOOKED_AHEAD * DAY });
  return slots.slice(0, MOST_LOOKED_AT).map((slot) => ({ ...one, start: slot, end: endAt(slot, start, end) }));
}

const momentOf = (time: EventTime): number =>
  time.kind === 'timed' ? time.epochMs : Date.parse(`${time.date}T00:00:00Z`);

function endAt(slot: EventTime, start: EventTime, end: EventTime): EventTime {
  const length = momentOf(end) - momentOf(start);
  if (slot.kind === 'timed') return { ...slot, epochMs: slot.epochMs + length };
  return { kind: 'date', date: new Date(momentOf(slot) + length).toISOString().slice(0, 10) };
}

const touches = (a: { start: number; end: number }, b: { start: number; end: number }): boolean =>
  a.start < b.end && b.start < a.end;

/**
 * @returns nothing where no account could be read
 * @param planned one event, or the occurrences of a series, in order
 * @param isItself the events that are to be changed, and so are in nobody's way
 */
export async function lookAround(
  app: App,
  planned: readonly Planned[],
  { timeZone, detail }: { readonly timeZone: string; readonly detail: Detail },
  isItself: (merged: MergedEvent) => boolean,
  asker: Asker,
): Promise<Around | undefined> {
  if (planned.length === 0) return undefined;
  const question = parseQuestion(app, { timeZone, range: 'today' });
  const { clock } = question;
  const spans = planned.map((one) => ({ ...spanOf(one, clock), planned: one }));
  const start = Math.min(...spans.map((span) => span.start));
  const end = Math.max(...spans.map((span) => span.end), start + 1);
  const range = { start, end: Math.min(end, start + MAX_RANGE_DAYS * DAY), timeZone: question.range.timeZone };
  const answered = await readQuestion(
    app,
    { ...question, range },
    { ...asker, deadlineMs: LOOK_MS },
    { detail, freshness: BEFORE_WRITING },
  ).catch((thrown: unknown) => {
    asker.signal.throwIfAborted();
    if (toCalmcpError(thrown).code === 'INTERNAL') throw thrown;
    return undefined;
  });
  if (answered === undefined) return undefined;
  const events = answered.events.filter((merged) => isListed(merged, false) && !isItself(merged));
  const likeness = findLikeness(events);
  const titles = new Set(planned.map(({ title }) => foldText(title ?? '')));
  const conflicts: MergedEvent[] = [];
  const duplicates: MergedEvent[] = [];
  for (const merged of events) {
    const own = merged.copies.map((copy) => spanOfCopy(merged, copy, answered.clockOf));
    const met = spans.filter((span) => own.some((one) => touches(one, span)));
    if (met.length === 0 || likeness.mirrors.has(merged)) continue;
    const title = merged.event.title === null ? undefined : foldText(merged.event.title);
    if (title !== undefined && title !== '' && titles.has(title)) duplicates.push(merged);
    else if (isBlocking(merged.busy) && met.some((span) => span.planned.blocks)) conflicts.push(merged);
  }
  return {
    answered,
    likeness,
    conflicts: conflicts.slice(0, MOST),
    conflictCount: conflicts.length,
    duplicates: duplicates.slice(0, MOST),
  };
}
