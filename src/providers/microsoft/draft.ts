/** What is to be set of an event, in Graph's words. Pure. https://learn.microsoft.com/graph/api/resources/event#properties */
import type { EventFields, Invitee } from '../../core/change.ts';
import { addDays } from '../../core/civil-days.ts';
import type { EventTime } from '../../core/event.ts';
import { parseRecurrence, sameRecurrence } from '../../core/recurrence.ts';
import type { Rule } from '../../core/recurrence-rule.ts';
import { DAY, sameZone, wallTimeToEpochMs, zoneClock } from '../../core/time.ts';
import { withTextAbove } from './join-details.ts';
import type { EventBody } from './mailbox.ts';
import { type GraphEvent, sameAddress } from './map.ts';
import { toPattern } from './recurrence.ts';
import type { HeldEvent } from './stored.ts';

export interface DraftOptions {
  /** The account's. */
  readonly timeZone: string;
  /** What is changed; none where it is new. */
  readonly held?: HeldEvent | undefined;
  /** Of online meetings, where this is to become one. */
  readonly provider?: string | undefined;
  /** The text of {@link held} as it is stored, where the join details below it must stay. */
  readonly markup?: string | undefined;
}

/** A zone that Graph takes: by its name. https://learn.microsoft.com/graph/api/resources/datetimetimezone */
export const namedZone = (zone: string | null): string | undefined =>
  zone === null || /^[+-]/.test(zone) ? undefined : zone;

/** In its own zone, where the clock there tells this moment from all others: not in the second pass of an hour in autumn. */
function timeOf(time: EventTime, timeZone: string) {
  if (time.kind === 'date')
    // Midnight to midnight in one zone: that of the account, whose days it is about for whoever asks about busy times.
    return { dateTime: `${time.date}T00:00:00`, timeZone: namedZone(timeZone) ?? 'UTC' };
  const zone = namedZone(time.zone);
  if (zone !== undefined) {
    const local = zoneClock(zone).format(time.epochMs).slice(0, 19);
    if (wallTimeToEpochMs(local, zone) === Math.floor(time.epochMs / 1_000) * 1_000)
      return { dateTime: local, timeZone: zone };
  }
  return { dateTime: new Date(time.epochMs).toISOString().slice(0, 19), timeZone: 'UTC' };
}

/** Start and end as they will be. A start that moves takes the end along. */
export function timesOf({ start, end }: EventFields, held?: HeldEvent): { start?: EventTime; end?: EventTime } {
  const before = held?.stored.event;
  const from = start ?? before?.start;
  if (end !== undefined || before === undefined || from === undefined)
    return { ...(from ? { start: from } : {}), ...(end ? { end } : {}) };
  return { start: from, end: moved(before.end, before.start, from) };
}

function moved(end: EventTime, before: EventTime, start: EventTime): EventTime {
  if (start.kind === 'timed' && before.kind === 'timed' && end.kind === 'timed')
    return { ...end, epochMs: end.epochMs + start.epochMs - before.epochMs };
  if (start.kind === 'date' && before.kind === 'date' && end.kind === 'date')
    return { kind: 'date', date: addDays(end.date, (Date.parse(start.date) - Date.parse(before.date)) / DAY) };
  return end;
}

function timesBody(fields: EventFields, { held, timeZone }: DraftOptions): EventBody {
  if (fields.start === undefined && fields.end === undefined) return {};
  const { start, end } = timesOf(fields, held);
  if (start === undefined || end === undefined) return {};
  return { start: timeOf(start, timeZone), end: timeOf(end, timeZone), isAllDay: start.kind === 'date' };
}

/** Whether a series begins on another day, or lives by another zone: its rule is told with both. */
function isElsewhere(before: EventTime, after: EventTime, timeZone: string): boolean {
  const [one, other] = [timeOf(before, timeZone), timeOf(after, timeZone)];
  return one.dateTime.slice(0, 10) !== other.dateTime.slice(0, 10) || !sameZone(one.timeZone, other.timeZone);
}

const withoutEnd = (rule: Rule): Rule => ({ ...rule, count: null, until: null });

/**
 * Exchange may drop the exceptions of a series whose pattern changes. So a rule that stays as it is, is left out, and one that
 * ends at another time is told with the pattern in Exchange's own words.
 * https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxocal/4b92fb85-db55-4251-8e81-e319361218e1
 */
export function recurrenceBody(fields: EventFields, { held, timeZone }: DraftOptions): EventBody {
  const before = held?.stored;
  if (fields.recurrence === '') return before?.isSeries ? { recurrence: null } : {};
  const { start } = timesOf(fields, held);
  const known = before?.fields.recurrence;
  const wanted = fields.recurrence ?? known;
  if (wanted === undefined || start === undefined) return {};
  const stays = before !== undefined && !isElsewhere(before.event.start, start, timeZone);
  if (stays && wanted === known) return {};
  const rule = parseRecurrence(wanted);
  const recurrence = toPattern(rule, start, timeOf(start, timeZone).timeZone);
  if (!stays || known === undefined) return { recurrence };
  const knownRule = parseRecurrence(known);
  if (sameRecurrence(rule, knownRule, start)) return {};
  const own = held?.row.recurrence;
  if (!own || !sameRecurrence(withoutEnd(rule), withoutEnd(knownRule), start)) return { recurrence };
  const recurrenceTimeZone = own.range?.recurrenceTimeZone || recurrence.range?.recurrenceTimeZone;
  return { recurrence: { pattern: own.pattern, range: { ...recurrence.range, recurrenceTimeZone } } };
}

type GraphAttendee = NonNullable<GraphEvent['attendees']>[number];

const addressOf = ({ emailAddress }: GraphAttendee): string => emailAddress?.address ?? '';

function kindOf({ optional, resource }: Invitee, before?: GraphAttendee): string {
  if (resource || before?.type === 'resource') return 'resource';
  return optional ? 'optional' : 'required';
}

/**
 * The list replaces what was there: whoever stays is sent back with what they have answered. Rooms and devices stay, as nobody
 * who lists people means to give up a room by it; so does the organizer, where the list has them.
 */
function attendeesBody({ attendees }: EventFields, { held }: DraftOptions): EventBody {
  if (attendees === undefined) return {};
  const before = held?.row.attendees ?? [];
  const organizer = held?.row.organizer?.emailAddress?.address ?? '';
  const isInvited = (row: GraphAttendee): boolean => attendees.some(({ email }) => sameAddress(email, addressOf(row)));
  const stays = before.filter(
    (row) => !isInvited(row) && (row.type === 'resource' || sameAddress(addressOf(row), organizer)),
  );
  const invited = attendees.map((invitee) => {
    const known = before.find((row) => sameAddress(addressOf(row), invitee.email));
    const name = invitee.name ?? known?.emailAddress?.name;
    return {
      ...known,
      type: kindOf(invitee, known),
      emailAddress: { address: invitee.email, ...(name ? { name } : {}) },
    };
  });
  return { attendees: [...stays, ...invited] };
}

/**
 * Outlook has no kinds of events. Being out of office, and working elsewhere, it tells by what an event does to one's time.
 * https://learn.microsoft.com/graph/api/resources/event#properties (showAs)
 */
function typeBody({ type, title, location = '' }: EventFields): EventBody {
  if (type === 'outOfOffice') return { showAs: 'oof' };
  if (type !== 'workingLocation') return {};
  return { showAs: 'workingElsewhere', ...(title === undefined ? { subject: `Working from ${location}` } : {}) };
}

function textBody({ text }: EventFields, { held, markup }: DraftOptions): EventBody {
  if (text === undefined) return {};
  const joinUrl = held?.row.onlineMeeting?.joinUrl ?? undefined;
  const html = markup === undefined ? undefined : withTextAbove(markup, text, joinUrl);
  if (html !== undefined) return { body: { contentType: 'html', content: html } };
  return { body: { contentType: 'text', content: text } };
}

function remindersBody({ reminders }: EventFields): EventBody {
  if (reminders === undefined) return {};
  const [minutes] = reminders;
  return minutes === undefined ? { isReminderOn: false } : { isReminderOn: true, reminderMinutesBeforeStart: minutes };
}

function onlineBody({ online }: EventFields, { held, provider }: DraftOptions): EventBody {
  if (online === undefined || online === held?.stored.fields.online) return {};
  return { isOnlineMeeting: online, ...(online && provider ? { onlineMeetingProvider: provider } : {}) };
}

/** Of fields that `checkFields` has let through; empty where nothing is to be set. */
export function draftOf(fields: EventFields, options: DraftOptions): EventBody {
  const { title, location, busy, sensitivity, categories } = fields;
  return {
    ...(title === undefined ? {} : { subject: title }),
    ...timesBody(fields, options),
    ...recurrenceBody(fields, options),
    ...textBody(fields, options),
    ...(location === undefined ? {} : { location: { displayName: location } }),
    ...(busy === undefined ? {} : { showAs: busy }),
    ...typeBody(fields),
    ...(sensitivity === undefined ? {} : { sensitivity }),
    ...attendeesBody(fields, options),
    ...onlineBody(fields, options),
    ...remindersBody(fields),
    ...(categories === undefined ? {} : { categories }),
  };
}
