/** Occurrences that are not as their series: what a change of the series does to them, and whom it concerns. */
import type { StoredEvent } from '../../core/change.ts';
import type { Calendar, CalendarEvent, EventTime } from '../../core/event.ts';
import type { Call } from '../../core/provider.ts';
import { slotsOf } from '../../core/recurrence.ts';
import { ruleOf, timesOf } from '../../core/series.ts';
import { neutralize } from '../../core/text.ts';
import { DAY } from '../../core/time.ts';
import { DAYS_AROUND, momentOf, plannedAt } from './occurrences.ts';
import { peopleOf } from './people.ts';
import { removeOnce } from './settle.ts';
import type { Backend } from './target.ts';

/** Occurrences that are called off again, one by one. */
const MOST_CALLED_OFF = 50;
/** The clocks may change between two occurrences, and a series of calendars has one a day at most. */
const SAME_DAY = DAY / 4;

const TOLD = ['title', 'location', 'busy', 'sensitivity'] as const;

/** Google tells of an occurrence only when it was moved that it is not as the others. */
function isOwn(event: CalendarEvent, series: StoredEvent): boolean {
  return event.kind === 'exception' || TOLD.some((name) => event[name] !== series.event[name]);
}

/** Those invited to single occurrences, besides those of the series. */
export function guestsOf(occurrences: readonly CalendarEvent[], { fields }: StoredEvent): string[] {
  const ofSeries = peopleOf(fields.attendees);
  const all = occurrences.flatMap(({ attendees = [], organizer }) =>
    attendees.flatMap(({ email, response }) =>
      email === undefined || response === 'organizer' || email.toLowerCase() === organizer?.email?.toLowerCase()
        ? []
        : [neutralize(email.toLowerCase())],
    ),
  );
  return [...new Set(all)].filter((one) => !ofSeries.includes(one));
}

interface Changed {
  readonly series: StoredEvent;
  readonly slot: EventTime;
  readonly occurrences: readonly CalendarEvent[];
  /** Whether the change reaches back before the slot. */
  readonly isWhole: boolean;
}

/**
 * Slots of the year around one that have no occurrence, in epoch milliseconds: they were called off. Nothing where the series
 * has occurrences that its rule does not give (added ones, or a rule that its server reads in another way): then a slot
 * without one says nothing, and must not be taken for a reason to delete.
 */
function calledOff({ series, slot, occurrences, isWhole }: Changed): number[] | undefined {
  const at = momentOf(slot);
  const range = { from: isWhole ? at - DAYS_AROUND * DAY : at, to: at + DAYS_AROUND * DAY };
  const there = new Set(occurrences.map(plannedAt));
  const slots = slotsOf(ruleOf(series), timesOf(series).start, range).map(momentOf);
  const given = new Set(slots);
  const isStrange = (moment: number): boolean => moment >= range.from && moment < range.to && !given.has(moment);
  return [...there].some(isStrange) ? undefined : slots.filter((moment) => !there.has(moment));
}

/** What becomes of occurrences that are not as the others when their series gets other times, or is cut. */
export function notesOnChanged({ series, slot, occurrences, isWhole }: Changed): string[] {
  const at = momentOf(slot);
  const end = at + DAYS_AROUND * DAY;
  const own = occurrences.filter((event) => isOwn(event, series)).length;
  const rule = ruleOf(series);
  const isLonger = slotsOf(rule, timesOf(series).start, { from: end, to: end + DAYS_AROUND * DAY }).length > 0;
  const isEarlier = isWhole && momentOf(timesOf(series).start) < at - DAYS_AROUND * DAY;
  const date = (moment: number): string => new Date(moment).toISOString().slice(0, 10);
  return [
    ...(own === 0 ? [] : [`changed by themselves, and like the others then: ${own}`]),
    ...(isLonger ? [`what was called off after ${date(end)} is there again`] : []),
    ...(isEarlier ? [`what was called off before ${date(at - DAYS_AROUND * DAY)} is there again`] : []),
  ];
}

/** The series as it was. */
interface Moved extends Changed {
  /** Its occurrences, as they are now. */
  readonly now: readonly CalendarEvent[];
  /** Milliseconds that each of them has moved by. */
  readonly shift: number;
}

/**
 * What was called off stays so: occurrences of the series as it is now that had none in their place before.
 * @returns what the person has to see to, in words
 */
export async function callOffAgain(
  backend: Backend,
  calendar: Calendar,
  { now, shift, ...was }: Moved,
  notify: boolean,
  call: Call,
): Promise<string[]> {
  const missing = calledOff(was);
  if (missing === undefined) return ['what of the series was called off could not be told: list the events'];
  if (missing.length === 0) return [];
  const { frequency } = ruleOf(was.series);
  // The second Wednesday of a month may come before its second Tuesday: what has moved where is not to be told.
  if (frequency !== 'DAILY' && frequency !== 'WEEKLY' && Math.abs(shift) > SAME_DAY)
    return ['what was called off is there again: list the events and delete it'];
  const gone = now.filter((event) => missing.some((moment) => Math.abs(plannedAt(event) - shift - moment) < SAME_DAY));
  for (const event of gone.slice(0, MOST_CALLED_OFF)) {
    const stored = await backend.writer.get(calendar, event.id, call);
    await removeOnce(backend, calendar, stored, { notify }, call);
  }
  return [];
}

/** Whether more were called off than are called off again one by one. */
export function areTooManyCalledOff(changed: Changed): boolean {
  return (calledOff(changed)?.length ?? 0) > MOST_CALLED_OFF;
}
