/** Google's refusals around one event in calmcp's words. */
import type { ErrorCode } from '../../core/errors.ts';

/** Whether one event is asked for, or changed. */
export type EventPurpose = 'event' | 'change';

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string | undefined;
}

export const NOT_KNOWN: Refusal = {
  code: 'NOT_FOUND',
  message: 'Google does not know this event',
  hint: 'list the events again: it may have been deleted or moved to another calendar',
};
const DELETED: Refusal = { code: 'NOT_FOUND', message: 'the event is deleted already' };
const STALE: Refusal = {
  code: 'CONFLICT',
  message: 'the event is another version by now',
  hint: 'read it again, and decide on what it says now',
};
const TAKEN: Refusal = { code: 'CONFLICT', message: 'an event with this id exists already' };
const NOT_WRITER: Refusal = {
  code: 'FORBIDDEN',
  message: 'this account may not change the events of this calendar',
  hint: 'its owner can give the permission to make changes to events',
};
const NOT_ORGANIZER: Refusal = {
  code: 'FORBIDDEN',
  message: 'only its organizer can change this of the event',
  hint: 'answer the invitation, or ask the organizer',
};
const NO_CHANGE: Refusal = {
  code: 'FORBIDDEN',
  message: 'Google does not let this account change this event',
  hint: 'its organizer, or the owner of the calendar, can',
};
const NO_LOOK: Refusal = { code: 'FORBIDDEN', message: 'Google does not allow this account to read this event' };
const NOT_TAKEN: Refusal = {
  code: 'INPUT_INVALID',
  message: 'Google does not take the event like this',
  hint: 'look at its times, addresses and recurrence, and leave out what is unusual',
};
const NO_TIME: Refusal = {
  code: 'INPUT_INVALID',
  message: 'the event would end before it starts',
  hint: 'give an end after the start',
};

/** @see https://developers.google.com/workspace/calendar/api/guides/errors */
const REASONS: Readonly<Record<string, Refusal>> = {
  conditionNotMet: STALE,
  deleted: DELETED,
  duplicate: TAKEN,
  forbiddenForNonOrganizer: NOT_ORGANIZER,
  requiredAccessLevel: NOT_WRITER,
  timeRangeEmpty: NO_TIME,
};

const STATUSES: Readonly<Record<number, Refusal>> = {
  400: NOT_TAKEN,
  403: NO_CHANGE,
  404: NOT_KNOWN,
  409: TAKEN,
  410: DELETED,
  412: STALE,
};

/** What Google's status and reason mean for an event; nothing where they mean nothing particular. */
export function refusalOf(status: number, reason: string | undefined, purpose: EventPurpose): Refusal | undefined {
  if (purpose === 'change') return REASONS[reason ?? ''] ?? STATUSES[status];
  if (status === 403) return NO_LOOK;
  return status === 404 || status === 410 ? NOT_KNOWN : undefined;
}
