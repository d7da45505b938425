/** One merged event as an answer shows it, in one zone, at one level of detail. */
import { z } from 'zod';
import { OTHER_ACCOUNTS } from '../core/disclosure.ts';
import type { CalendarEvent, TimedEventTime } from '../core/event.ts';
import type { Likeness } from '../core/likeness.ts';
import type { MergedEvent } from '../core/merge.ts';
import { neutralizeShort, webAddress } from '../core/text.ts';
import { sameZone, type ZoneClock, zoneClock } from '../core/time.ts';
import type { Heard } from './heard.ts';
import { referenceOf } from './reference.ts';

export const detailInput = z.enum(['compact', 'full']).default('full').describe('compact leaves out defaults.');

export type Detail = z.output<typeof detailInput>;

export const eventItem = z.object({
  id: z.string().optional().describe('Begins with the account. Missing: only its time may be shown.'),
  title: z.string().nullable().optional(),
  start: z.string().describe('Date when allDay.'),
  end: z.string().describe('Exclusive; time of day when on the day of start.'),
  allDay: z.literal(true).optional(),
  accounts: z.array(z.string()).optional().describe('Whose mailboxes hold it, when not only that of id.'),
  calendar: z.string().optional(),
  busy: z.enum(['free', 'workingElsewhere', 'tentative', 'busy', 'oof']).optional().describe('Default busy.'),
  status: z.enum(['tentative', 'cancelled']).optional(),
  response: z.enum(['tentative', 'declined', 'notResponded']).optional(),
  location: z.string().optional(),
  join: z.string().optional(),
  recurring: z.literal(true).optional(),
  private: z.literal(true).optional(),
  zone: z.string().optional().describe('Zone it was made in, or whose days it takes, when not that of the answer.'),
  floating: z.literal(true).optional().describe('Has no zone of its own: the same wall-clock time everywhere.'),
  mirror: z.literal(true).optional().describe('Only blocks the time of an event in another account.'),
  possibleDuplicateOf: z.string().optional(),
  notes: z.array(z.string()).optional(),
});

export type EventItem = z.output<typeof eventItem>;

export interface ItemContext {
  readonly audience: string;
  readonly clock: ZoneClock;
  readonly detail: Detail;
  readonly likeness: Likeness;
  readonly heard?: Heard | undefined;
}

function notesOf({ event, copies, staleCopies }: MergedEvent, clock: ZoneClock): string[] {
  const notes = copies.flatMap(({ warnings }) => warnings ?? []);
  for (const copy of staleCopies)
    notes.push(
      `${copy.account} still has it at ${copy.start.kind === 'date' ? copy.start.date : clock.format(copy.start.epochMs, 'minutes')}`,
    );
  if (copies.some(haveAllDeclined)) notes.push('all others declined');
  if (event.start.kind === 'timed' && event.end.kind === 'timed' && event.start.epochMs === event.end.epochMs)
    notes.push('no duration: blocks no time');
  return [...new Set(notes)];
}

/** More of a title or a place than anybody reads: what is longer was sent to fill somebody's context. */
const LONGEST_LINE = 500;
/** The same for what a calendar, a person or a category is called. */
const LONGEST_NAME = 120;

/** A title or a place, in one line that is safe to print. */
export const titleText = (foreign: string): string => neutralizeShort(foreign, LONGEST_LINE);

export const nameText = (foreign: string): string => neutralizeShort(foreign, LONGEST_NAME);

/** Nobody else is coming (S07): it still takes its owner's time. */
function haveAllDeclined({ attendees = [], organizer }: CalendarEvent): boolean {
  const others = attendees.filter(
    ({ response, resource, email }) =>
      response !== 'organizer' &&
      !resource &&
      (email === undefined || email.toLowerCase() !== organizer?.email?.toLowerCase()),
  );
  return others.length > 0 && others.every(({ response }) => response === 'declined');
}

/** The answer that matters most of all the mailboxes' answers to one invitation. */
function responseOf(copies: readonly CalendarEvent[]): EventItem['response'] {
  const rank = ['organizer', 'accepted', 'tentative', 'notResponded', 'none', 'declined'];
  const [best] = copies.map(({ myResponse }) => myResponse).sort((a, b) => rank.indexOf(a) - rank.indexOf(b));
  return best === 'tentative' || best === 'declined' || best === 'notResponded' ? best : undefined;
}

/** Its reference, where the audience may have one: what is not shown in full cannot be asked for either. */
export function idOf({ event }: MergedEvent, audience: string): string | undefined {
  return event.disclosed === undefined && event.account !== OTHER_ACCOUNTS ? referenceOf(event, audience) : undefined;
}

export function toItem(merged: MergedEvent, { audience, clock, detail, likeness, heard }: ItemContext): EventItem {
  const { event, copies, busy } = merged;
  // What is masked says nothing, and those who may not be named are not named here either.
  const holders = copies.flatMap(({ account }) => (account === OTHER_ACCOUNTS ? [] : [account]));
  if (event.disclosed === undefined) {
    heard?.note(event.title, holders);
    heard?.note(event.location, holders);
  }
  const full = detail === 'full';
  const times = formatTimes(event.start, event.end, clock, full);
  const shownBusy = busy === 'unknown' ? 'busy' : busy;
  const title = event.title === null ? null : titleText(event.title);
  if (event.disclosed === 'busy') return { ...times, busy: shownBusy };
  if (event.disclosed !== undefined) return { title, ...times, ...(shownBusy === 'busy' ? {} : { busy: shownBusy }) };
  const id = idOf(merged, audience);
  const accounts = [...new Set(copies.map(({ account }) => account))].filter((account) => account !== OTHER_ACCOUNTS);
  const response = responseOf(copies);
  const notes = notesOf(merged, clock);
  const join = event.join === undefined ? undefined : webAddress(event.join);
  const zone = event.start.kind === 'timed' ? otherZone(event.start, clock) : dayZone(event, clock);
  const original = likeness.duplicates.get(merged);
  const duplicateOf = original === undefined ? undefined : idOf(original, audience);
  return {
    ...(id === undefined ? {} : { id }),
    title,
    ...times,
    ...(accounts.length > (full ? 0 : 1) ? { accounts } : {}),
    ...((full || !event.calendar.isDefault) && event.calendar.name !== ''
      ? { calendar: nameText(event.calendar.name) }
      : {}),
    ...(shownBusy === 'busy' ? {} : { busy: shownBusy }),
    ...(event.status === 'confirmed' ? {} : { status: event.status }),
    ...(response === undefined ? {} : { response }),
    ...(event.location ? { location: titleText(event.location) } : {}),
    ...(join === undefined ? {} : { join }),
    ...(event.kind === 'single' ? {} : { recurring: true as const }),
    ...(event.sensitivity === 'private' || event.sensitivity === 'confidential' ? { private: true as const } : {}),
    ...(zone === undefined ? {} : { zone }),
    ...(event.start.kind === 'timed' && event.start.floating ? { floating: true as const } : {}),
    ...(likeness.mirrors.has(merged) ? { mirror: true as const } : {}),
    ...(duplicateOf === undefined ? {} : { possibleDuplicateOf: duplicateOf }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

/** The zone an event was made in, where its clock shows another time than that of the answer. */
function otherZone({ zone, epochMs }: TimedEventTime, clock: ZoneClock): string | undefined {
  if (zone === null || zone === clock.timeZone) return undefined;
  return zoneClock(zone).offsetMinutes(epochMs) === clock.offsetMinutes(epochMs) ? undefined : zone;
}

/** The zone whose days an all-day event takes, where those of the answer are others. */
function dayZone({ account, ownerZone }: CalendarEvent, { timeZone }: ZoneClock): string | undefined {
  if (ownerZone === undefined || account === OTHER_ACCOUNTS) return undefined;
  return sameZone(ownerZone, timeZone) ? undefined : ownerZone;
}

function formatTimes(
  start: CalendarEvent['start'],
  end: CalendarEvent['end'],
  clock: ZoneClock,
  full: boolean,
): Pick<EventItem, 'start' | 'end' | 'allDay'> {
  if (start.kind === 'date')
    return { start: start.date, end: end.kind === 'date' ? end.date : start.date, allDay: true };
  return formatSpan(start.epochMs, end.kind === 'timed' ? end.epochMs : start.epochMs, clock, full);
}

/** A stretch of time as answers write it: whole, or minutes, and the time of day alone for an end on the same day. */
export function formatSpan(
  start: number,
  end: number,
  clock: ZoneClock,
  full: boolean,
): { start: string; end: string } {
  if (full) return { start: clock.format(start), end: clock.format(end) };
  const sameDay = clock.date(start) === clock.date(end) && clock.offsetMinutes(start) === clock.offsetMinutes(end);
  const wholeMinutes = end % 60_000 === 0;
  return {
    start: clock.format(start, 'minutes'),
    end: sameDay && wholeMinutes ? clock.timeOfDay(end) : clock.format(end, 'minutes'),
  };
}
