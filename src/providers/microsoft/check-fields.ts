/** What Exchange cannot hold, told before it is asked. Pure. */
import { type EventFields, MAX_REMINDER_MINUTES, type StoredEvent } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import { type DraftOptions, namedZone, recurrenceBody, timesOf } from './draft.ts';

export interface CheckOptions {
  readonly account: string;
  readonly timeZone: string;
  readonly viaChild: boolean;
}

/** https://learn.microsoft.com/graph/api/resources/event */
const MOST_ATTENDEES = 500;

/** What a meeting is for everybody in it: whoever was invited cannot change it for the others. */
const OF_THE_ORGANIZER = ['start', 'end', 'attendees', 'online', 'recurrence'] as const satisfies (keyof EventFields)[];

/** @throws CalmcpError INPUT_INVALID. @param now what is changed; none where it is new */
export function checkFields(fields: EventFields, now: StoredEvent | undefined, options: CheckOptions): void {
  const { account } = options;
  const refuse = (message: string, hint: string): never => {
    throw new CalmcpError('INPUT_INVALID', message, { account, hint });
  };
  if (fields.color !== undefined)
    refuse('Outlook events have no colour of their own', 'give a category: Outlook shows the colour of that');
  checkReminders(fields, refuse);
  checkType(fields, now, refuse);
  if ((fields.attendees?.length ?? 0) > MOST_ATTENDEES)
    refuse(`an Outlook event has at most ${MOST_ATTENDEES} attendees`, 'invite a distribution list');
  if (now !== undefined) checkChange(fields, now, options, refuse);
  checkTimes(fields, now, refuse);
  checkRecurrence(fields, now, options, refuse);
}

type Refuse = (message: string, hint: string) => never;

function checkReminders({ reminders = [] }: EventFields, refuse: Refuse): void {
  if (reminders.length > 1) refuse('an Outlook event has one reminder', 'give one number of minutes, or none');
  if (reminders.some((minutes) => !Number.isInteger(minutes) || minutes < 0 || minutes > MAX_REMINDER_MINUTES))
    refuse(`a reminder comes 0 to ${MAX_REMINDER_MINUTES} minutes before the start`, 'give whole minutes');
}

function checkType({ type = 'default', busy, location }: EventFields, now: StoredEvent | undefined, refuse: Refuse) {
  if (type === 'default') return;
  if (now !== undefined)
    refuse(
      'the kind of an event cannot be changed',
      'change what it does to your time (busy) instead, or make another one',
    );
  if (type === 'focusTime')
    refuse(
      'Outlook has no focus time that a program could make',
      'make an event that shows you as busy, with a category such as “Focus time”',
    );
  const shown = type === 'outOfOffice' ? 'oof' : 'workingElsewhere';
  if (busy !== undefined && busy !== shown)
    refuse(`Outlook tells this by showing you as ${shown}`, `leave busy out, or give ${shown}`);
  if (type !== 'workingLocation') return;
  if (!location?.trim()) refuse('a working location is somewhere', 'give the location: home, or the name of a place');
  if (/^office\b/i.test(location ?? ''))
    refuse(
      'Outlook has no event for working from the office',
      'leave it out, or set it in Outlook under work hours and location',
    );
}

function checkChange(fields: EventFields, now: StoredEvent, { viaChild }: CheckOptions, refuse: Refuse): void {
  const { event } = now;
  const theirs = OF_THE_ORGANIZER.filter((name) => fields[name] !== undefined);
  const isOfSomebodyElse = event.myResponse !== 'organizer' && event.organizer !== undefined;
  if (isOfSomebodyElse && theirs.length > 0)
    refuse(
      `${theirs.join(', ')} of this event can be changed by its organizer alone`,
      'ask the organizer, or answer the invitation',
    );
  if (fields.recurrence !== undefined && !now.isSeries && event.kind !== 'single')
    refuse('one occurrence has no recurrence of its own', 'change that of the whole series');
  if (fields.online === false && now.fields.online === true)
    // "Outlook ignores any further changes to isOnlineMeeting": the event's properties.
    refuse(
      'Microsoft does not let an online meeting become another one',
      'delete it, and create one that is not online',
    );
  if (fields.text !== undefined && now.fields.online === true && viaChild)
    refuse(
      'through a child server, the text of an online meeting cannot be changed without losing the way into it',
      'leave out child: for this account, or change it in Outlook',
    );
  if (fields.recurrence === '' && now.isSeries && viaChild)
    refuse(
      'through a child server, a series cannot become a single event',
      'leave out child: for this account, or delete the series and create an event',
    );
}

function checkTimes(fields: EventFields, now: StoredEvent | undefined, refuse: Refuse): void {
  if (fields.start === undefined && fields.end === undefined && now !== undefined) return;
  const { start, end } = timesOf(fields, now && { row: {}, stored: now });
  if (start === undefined || end === undefined) refuse('a new event has a start and an end', 'give both');
  if (start.kind !== end.kind)
    refuse(
      'start and end are both dates, or both times',
      'give both anew to make it an all-day event, or no longer one',
    );
  const isReversed =
    start.kind === 'date'
      ? end.kind === 'date' && end.date <= start.date
      : end.kind === 'timed' && end.epochMs < start.epochMs;
  if (isReversed)
    refuse('it ends before it starts', 'give an end after the start; of all-day events, the day after the last');
}

function checkRecurrence(
  fields: EventFields,
  now: StoredEvent | undefined,
  { timeZone }: CheckOptions,
  refuse: Refuse,
): void {
  const options: DraftOptions = { timeZone, held: now && { row: {}, stored: now } };
  if (Object.keys(recurrenceBody(fields, options)).length === 0) return;
  const { start } = timesOf(fields, options.held);
  if (fields.recurrence !== '' && start?.kind === 'timed' && namedZone(start.zone) === undefined)
    refuse('a series lives by the clock of a place', 'give the start with a zone such as Europe/Amsterdam');
}
