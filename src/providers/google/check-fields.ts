/** What Google Calendar can hold of an event: what it cannot is refused before anything is sent. Pure. */
import { type EventFields, MAX_REMINDER_MINUTES, type MadeType, type StoredEvent } from '../../core/change.ts';
import { addDays } from '../../core/civil-days.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { EventTime, EventType } from '../../core/event.ts';
import { parseRecurrence } from '../../core/recurrence.ts';
import { isRealTime } from '../../core/time.ts';
import { COLORS, colorIdOf } from './colors.ts';
import { zoneNameOf } from './event-words.ts';

/** https://developers.google.com/workspace/calendar/api/v3/reference/events#reminders.overrides */
const MAX_REMINDERS = 5;

const STATUS_TYPES = {
  focusTime: 'focus time',
  outOfOffice: 'an out-of-office event',
  workingLocation: 'a working location',
} as const;
type StatusType = keyof typeof STATUS_TYPES;

/** Types that only somebody's own calendar can hold: https://developers.google.com/workspace/calendar/api/guides/calendar-status */
export const isStatusType = (type: EventType | MadeType | undefined): type is StatusType =>
  type !== undefined && type in STATUS_TYPES;

function invalid(message: string, hint: string): CalmcpError {
  return new CalmcpError('INPUT_INVALID', message, { hint });
}

/** @throws CalmcpError INPUT_INVALID @param now the event that is changed; none where it is new */
export function checkFields(fields: EventFields, now?: StoredEvent): void {
  const type = now?.event.type ?? fields.type ?? 'default';
  checkType(fields, type, now);
  checkBusy(fields, type);
  checkTimes(fields, type, now);
  checkRecurrence(fields, now);
  checkPeople(fields, type, now);
  const { sensitivity, categories = [], color, reminders } = fields;
  if (sensitivity === 'personal')
    throw invalid('Google knows no personal events', 'use sensitivity: private, which hides the details from others');
  if (sensitivity !== undefined && sensitivity !== 'normal' && type === 'workingLocation')
    throw invalid('a working location is there for others to see', 'leave out sensitivity');
  if (categories.length > 0)
    throw invalid('Google has no categories', `use color instead, one of ${COLORS.join(', ')}`);
  if (color !== undefined && color.trim() !== '' && colorIdOf(color) === undefined)
    throw invalid('Google has no such color', `use one of ${COLORS.join(', ')}`);
  if (reminders !== undefined) checkReminders(reminders);
}

function checkType(fields: EventFields, type: EventType, now: StoredEvent | undefined): void {
  if (now !== undefined && fields.type !== undefined && fields.type !== now.event.type)
    throw invalid('the type of an event cannot be changed', 'delete it, and create another one of the type you want');
  if (type === 'outOfOffice' && fields.text)
    throw invalid('an out-of-office event has no text at Google', 'say it in the title');
  if (type !== 'workingLocation') return;
  const isMissing = fields.location === undefined ? now === undefined : fields.location.trim() === '';
  if (isMissing)
    throw invalid('a working location needs a place', 'give location: home, office, office: <label>, or a place');
}

/**
 * An event is busy or free at Google. Its own status "tentative" says that the meeting is not certain to take place, to all who
 * are invited, which is another matter.
 */
function checkBusy({ busy }: EventFields, type: EventType): void {
  if (busy === undefined) return;
  if (isStatusType(type)) {
    const own = { focusTime: ['busy'], outOfOffice: ['busy', 'oof'], workingLocation: ['free'] }[type];
    if (!own.includes(busy))
      throw invalid(
        `${STATUS_TYPES[type]} is always ${type === 'workingLocation' ? 'free' : 'busy'}`,
        'leave out busy',
      );
    return;
  }
  if (busy === 'oof')
    throw invalid('an event is busy or free at Google', 'for time out of office create one with type: outOfOffice');
  if (busy === 'workingElsewhere')
    throw invalid('an event is busy or free at Google', 'to say where you work create one with type: workingLocation');
  if (busy === 'tentative') throw invalid('an event is busy or free at Google', 'use busy: busy or busy: free');
}

const isBefore = (one: EventTime, other: EventTime): boolean =>
  one.kind === 'date' || other.kind === 'date'
    ? one.kind === 'date' && other.kind === 'date' && one.date < other.date
    : one.epochMs < other.epochMs;

function checkTimes(fields: EventFields, type: EventType, now: StoredEvent | undefined): void {
  if (now !== undefined && fields.start === undefined && fields.end === undefined) return;
  const start = fields.start ?? now?.event.start;
  const end = fields.end ?? now?.event.end;
  if (start === undefined || end === undefined) throw invalid('an event needs a start and an end', 'give both');
  if (start.kind !== end.kind)
    throw invalid('start and end are a date and a time', 'give both as dates, or both as times');
  if (!isRealTime(start) || !isRealTime(end)) throw invalid('start or end is no time', 'give real dates and times');
  if (isBefore(end, start) || (start.kind === 'date' && !isBefore(start, end)))
    throw invalid(
      'the event would end before it starts',
      'give an end after the start; that of whole days is exclusive',
    );
  if (start.kind === 'timed' || end.kind === 'timed' || !isStatusType(type)) return;
  if (type !== 'workingLocation')
    throw invalid(`${STATUS_TYPES[type]} cannot last whole days at Google`, 'give start and end as times');
  if (addDays(start.date, 1) !== end.date)
    throw invalid('a working location lasts one whole day, or from one time to another', 'make one for each day');
}

function checkRecurrence(fields: EventFields, now: StoredEvent | undefined): void {
  const { recurrence } = fields;
  if (recurrence !== undefined) {
    if (now !== undefined && !now.isSeries && now.event.kind !== 'single')
      throw invalid('one occurrence does not repeat', 'change the recurrence of the whole series: scope: all');
    if (recurrence !== '') parseRecurrence(recurrence);
  }
  const repeats = recurrence === undefined ? now?.isSeries === true : recurrence !== '';
  if (!repeats) return;
  // What is not changed stays as Google has it.
  const times =
    now === undefined || !now.isSeries
      ? [fields.start ?? now?.event.start, fields.end ?? now?.event.end]
      : [fields.start, fields.end];
  for (const time of times)
    if (time?.kind === 'timed' && zoneNameOf(time.zone) === undefined)
      throw invalid('what repeats at Google needs a zone to live by', 'give an IANA zone such as Europe/Amsterdam');
}

function checkPeople({ attendees }: EventFields, type: EventType, now: StoredEvent | undefined): void {
  if (attendees === undefined) return;
  if (attendees.length > 0 && isStatusType(type))
    throw invalid(`nobody can be invited to ${STATUS_TYPES[type]}`, 'leave out attendees');
  for (const { email } of attendees)
    if (!/^[^\s@]+@[^\s@]+$/.test(email)) throw invalid('somebody invited has no e-mail address', 'give name@host');
  if (now?.event.attendeesOmitted === true)
    throw invalid('not all who are invited can be seen, so the list cannot be changed', 'ask the organizer');
}

function checkReminders(reminders: readonly number[]): void {
  if (reminders.length > MAX_REMINDERS)
    throw invalid('an event has five reminders at most at Google', 'leave out the least useful ones');
  if (reminders.some((minutes) => !Number.isInteger(minutes) || minutes < 0 || minutes > MAX_REMINDER_MINUTES))
    throw invalid(
      'a reminder comes up to four weeks before the start',
      `give minutes from 0 to ${MAX_REMINDER_MINUTES}`,
    );
}
