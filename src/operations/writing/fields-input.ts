/** What people and models say about an event they want, as {@link EventFields}. */
import { z } from 'zod';
import { type EventFields, type Invitee, MADE_TYPES, MAX_REMINDER_MINUTES } from '../../core/change.ts';
import { addDays } from '../../core/civil-days.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { EventTime } from '../../core/event.ts';
import { MOMENT_HELP, type Moment, type MomentContext, parseMoment } from '../../core/moment.ts';
import { parsePerson } from '../../core/person.ts';
import { formatRecurrence, parseRecurrence } from '../../core/recurrence.ts';
import { neutralize, neutralizeLines } from '../../core/text.ts';
import { isRealTime, zoneClock } from '../../core/time.ts';
import { wholeNumber } from '../envelope.ts';

/** Outlook's limit: https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcmsg */
const LONGEST_TITLE = 255;
const LONGEST_TEXT = 30_000;
const MOST_ATTENDEES = 500;
const DEFAULT_MINUTES = 30;
const MINUTE = 60_000;

const people = z.array(z.string()).max(MOST_ATTENDEES);

/** What both a new event and a changed one can be given. */
export const fieldsInput = {
  location: z.string().max(1_000).optional(),
  text: z.string().max(LONGEST_TEXT).optional(),
  busy: z.enum(['free', 'tentative', 'busy', 'oof', 'workingElsewhere']).optional(),
  sensitivity: z.enum(['normal', 'personal', 'private', 'confidential']).optional(),
  online: z.boolean().optional().describe('Teams or Meet link.'),
  reminders: z.array(wholeNumber(0, MAX_REMINDER_MINUTES)).max(5).optional().describe('Minutes before.'),
  categories: z.array(z.string().max(255)).max(25).optional().describe('Microsoft only.'),
  color: z.string().max(40).optional().describe('Google only.'),
  repeat: z.string().max(500).optional().describe('RRULE: FREQ=WEEKLY;COUNT=5.'),
};

export const newEventInput = {
  title: z.string().max(LONGEST_TITLE),
  start: z.string().max(80).describe(`${MOMENT_HELP}.`),
  end: z.string().max(80).optional().describe('Exclusive, or +45m. Default +30m or one day.'),
  attendees: people.optional(),
  optionalAttendees: people.optional(),
  ...fieldsInput,
  type: z.enum(MADE_TYPES).optional().describe('Google only.'),
};

export const changedEventInput = {
  title: newEventInput.title.optional(),
  start: z.string().max(80).optional().describe('Keeps its length without end.'),
  end: z.string().max(80).optional(),
  addAttendees: people.optional(),
  removeAttendees: people.optional(),
  ...fieldsInput,
};

type FieldsAsked = z.output<z.ZodObject<typeof fieldsInput>>;
export type NewEventAsked = z.output<z.ZodObject<typeof newEventInput>>;
export type ChangeAsked = z.output<z.ZodObject<typeof changedEventInput>>;

function invalid(message: string, hint: string): CalmcpError {
  return new CalmcpError('INPUT_INVALID', message, { hint });
}

function parseInvitee(text: string): Invitee {
  const person = parsePerson(text);
  if (person?.email === undefined)
    throw invalid(
      `${JSON.stringify(neutralize(text).slice(0, 80))} is no e-mail address`,
      'give attendees as name@client.example or Name <name@client.example>',
    );
  return { ...(person.name === undefined ? {} : { name: neutralize(person.name) }), email: person.email };
}

const addressOf = ({ email }: Invitee): string => email.toLowerCase();

/** Nobody twice; whoever is both has to come. */
export function parseInvitees(needed: readonly string[] = [], optional: readonly string[] = []): Invitee[] {
  const all = [
    ...needed.map(parseInvitee),
    ...optional.map((text): Invitee => ({ ...parseInvitee(text), optional: true })),
  ];
  return all.filter((one, index) => all.findIndex((other) => addressOf(other) === addressOf(one)) === index);
}

/** What is written is as visible as what is read: nothing in it steers a screen, or hides. */
function clean(name: string, value: unknown): unknown {
  if (typeof value === 'string') return name === 'text' ? neutralizeLines(value) : neutralize(value);
  return Array.isArray(value) ? value.map((each) => clean(name, each)) : value;
}

function simpleFields({ repeat, ...asked }: FieldsAsked): EventFields {
  const defined = Object.entries(asked).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, clean(name, value)]],
  );
  return {
    ...Object.fromEntries(defined),
    ...(repeat === undefined
      ? {}
      : { recurrence: repeat.trim() === '' ? '' : formatRecurrence(parseRecurrence(repeat)) }),
  };
}

const LENGTH = /^\s*\+?\s*(?:(?<hours>\d{1,3})\s*h)?\s*(?:(?<minutes>\d{1,4})\s*m(?:in)?)?\s*$/i;

/** `+1h30m` in milliseconds. */
function lengthOf(text: string): number | undefined {
  const { hours, minutes } = LENGTH.exec(text)?.groups ?? {};
  if (hours === undefined && minutes === undefined) return undefined;
  return (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE;
}

const later = (time: EventTime & { kind: 'timed' }, ms: number): EventTime => ({ ...time, epochMs: time.epochMs + ms });

/** The civil day that a moment lies on, on the clock of a zone. */
const dayOf =
  (time: EventTime) =>
  (timeZone: string): string =>
    time.kind === 'date' ? time.date : zoneClock(timeZone).date(time.epochMs);

/** @throws CalmcpError INPUT_INVALID for an end that is not after its start, or of the other kind */
function checkOrder(start: EventTime, end: EventTime): void {
  if (start.kind !== end.kind)
    throw invalid('start and end are not of one kind', 'give two dates for an all-day event, else two times');
  if (!isRealTime(end)) throw invalid('the end is no time that a calendar has', 'give an earlier one');
  const isOrdered =
    start.kind === 'date'
      ? end.kind === 'date' && end.date > start.date
      : end.kind === 'timed' && end.epochMs >= start.epochMs;
  if (!isOrdered)
    throw invalid(
      'the end is not after the start',
      start.kind === 'date' ? `the end of whole days is the day after: ${addDays(start.date, 1)}` : 'give a later end',
    );
}

/** An end that is no length. Without a zone it is read as its start was, and is in `zone`. */
function readEnd(
  text: string,
  from: EventTime,
  begun: Moment | undefined,
  zone: string | null,
  context: MomentContext,
): EventTime {
  const asked = { ...context, timeZone: begun?.readIn ?? context.timeZone, dayIn: dayOf(from) };
  const { time, hasOwnZone } = parseMoment(text, 'end', asked);
  return hasOwnZone || time.kind === 'date' || zone === null ? time : { ...time, zone };
}

function parseEnd(
  text: string | undefined,
  from: EventTime,
  begun: Moment | undefined,
  context: MomentContext,
): EventTime {
  const length = text === undefined ? undefined : lengthOf(text);
  if (from.kind === 'date') {
    if (length !== undefined) throw invalid('whole days have no length in hours', 'give the end as a date');
    if (text === undefined) return { kind: 'date', date: addDays(from.date, 1) };
    return readEnd(text, from, begun, null, context);
  }
  if (text === undefined || length !== undefined) return later(from, length ?? DEFAULT_MINUTES * MINUTE);
  return readEnd(text, from, begun, from.zone, context);
}

/** @throws CalmcpError INPUT_INVALID */
export function parseNewEvent(
  { title, start, end, attendees, optionalAttendees, type, ...rest }: NewEventAsked,
  context: MomentContext,
): EventFields & { readonly start: EventTime; readonly end: EventTime } {
  const moment = parseMoment(start, 'start', context);
  const to = parseEnd(end, moment.time, moment, context);
  checkOrder(moment.time, to);
  const invited = parseInvitees(attendees, optionalAttendees);
  return {
    title: neutralize(title),
    start: moment.time,
    end: to,
    ...simpleFields(rest),
    ...(invited.length === 0 ? {} : { attendees: invited }),
    ...(type === undefined || type === 'default' ? {} : { type }),
  };
}

/** Changed times; a zone that was not named stays that of the event. */
function parseTimes(
  { start, end }: Pick<ChangeAsked, 'start' | 'end'>,
  now: { readonly start: EventTime; readonly end: EventTime },
  context: MomentContext,
): Pick<EventFields, 'start' | 'end'> {
  if (start === undefined && end === undefined) return {};
  const inOwnZone = ({ time, hasOwnZone }: Moment, before: EventTime): EventTime =>
    hasOwnZone || time.kind === 'date' || before.kind === 'date' ? time : { ...time, zone: before.zone ?? time.zone };
  const begun = start === undefined ? undefined : parseMoment(start, 'start', { ...context, dayIn: dayOf(now.start) });
  const from = begun === undefined ? now.start : inOwnZone(begun, now.start);
  let to: EventTime;
  const length = end === undefined ? undefined : lengthOf(end);
  if (end !== undefined && length === undefined) to = endIn(end, from, begun, now, context);
  else if (length !== undefined || from.kind !== now.start.kind) to = parseEnd(end, from, begun, context);
  else if (from.kind === 'timed' && now.start.kind === 'timed' && now.end.kind === 'timed')
    to = { ...now.end, epochMs: from.epochMs + (now.end.epochMs - now.start.epochMs), zone: endZone(from, now) };
  else if (from.kind === 'date' && now.start.kind === 'date' && now.end.kind === 'date')
    to = { kind: 'date', date: addDays(from.date, daysBetween(now.start.date, now.end.date)) };
  else to = parseEnd(undefined, from, begun, context);
  checkOrder(from, to);
  return { start: from, end: to };
}

/** An end without a zone of its own has that of its start where one was named for it, else the one that it had. */
function endIn(
  text: string,
  from: EventTime,
  begun: Moment | undefined,
  now: { readonly start: EventTime; readonly end: EventTime },
  context: MomentContext,
): EventTime {
  if (from.kind === 'date') return readEnd(text, from, begun, null, context);
  return readEnd(text, from, begun, begun?.hasOwnZone ? from.zone : endZone(from, now), context);
}

/** An end in the zone of its start stays in it. */
function endZone(
  from: EventTime & { kind: 'timed' },
  now: { readonly start: EventTime; readonly end: EventTime },
): string | null {
  const [before, after] = [now.start, now.end];
  if (before.kind !== 'timed' || after.kind !== 'timed') return from.zone;
  return before.zone === after.zone ? from.zone : after.zone;
}

function daysBetween(first: string, last: string): number {
  return Math.round((Date.parse(`${last}T00:00:00Z`) - Date.parse(`${first}T00:00:00Z`)) / 86_400_000);
}

/**
 * @param now the event that is changed, at the time that was shown
 * @throws CalmcpError INPUT_INVALID; also where nothing is asked for
 */
export function parseChange(
  { title, start, end, addAttendees, removeAttendees, ...rest }: ChangeAsked,
  now: {
    readonly start: EventTime;
    readonly end: EventTime;
    readonly attendees?: readonly Invitee[] | undefined;
  },
  context: MomentContext,
): EventFields {
  const { attendees = [] } = now;
  const removed = new Set(parseInvitees(removeAttendees).map(addressOf));
  const strangers = [...removed].filter((email) => !attendees.some((one) => addressOf(one) === email));
  if (strangers.length > 0)
    throw invalid(
      `not invited: ${strangers.map((email) => neutralize(email)).join(', ')}`,
      'calmcp event get tells who is',
    );
  const added = parseInvitees(addAttendees).filter(
    (one) => !attendees.some((each) => addressOf(each) === addressOf(one)),
  );
  const fields: EventFields = {
    ...(title === undefined ? {} : { title: neutralize(title) }),
    ...parseTimes({ start, end }, now, context),
    ...simpleFields(rest),
    ...(removed.size + added.length === 0
      ? {}
      : { attendees: [...attendees.filter((one) => !removed.has(addressOf(one))), ...added] }),
  };
  if (Object.keys(fields).length === 0)
    throw invalid('nothing is to be changed', 'name what is to be different, such as title or start');
  return fields;
}
