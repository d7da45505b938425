/** Graph's errors in calmcp's words. Its own text stays in the cause. */
import { CalmcpError, type ErrorCode } from '../../core/errors.ts';
import type { HttpFailure } from '../../io/http.ts';

const failureIn = ({ cause }: CalmcpError): Partial<HttpFailure> | undefined =>
  cause as Partial<HttpFailure> | undefined;

function errorIn(error: CalmcpError): Readonly<Record<string, unknown>> {
  const body: unknown = failureIn(error)?.body;
  try {
    const parsed = (typeof body === 'string' ? JSON.parse(body) : body) as { error?: Record<string, unknown> } | null;
    return parsed?.error ?? {};
  } catch {
    return {};
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** The word that Graph has for what went wrong, `ErrorItemNotFound`. */
const graphCode = (error: CalmcpError): string | undefined => textOf(errorIn(error).code);

/** Of whatever was asked. */
export function explain(error: CalmcpError, account: string, scope: string, remedy: string): CalmcpError {
  // Only what Graph said is put into other words: a keystore that does not open is no refusal of Microsoft's.
  if (failureIn(error)?.status === undefined) return error.of(account);
  const as = (message: string, hint: string, kind = error.code): CalmcpError =>
    new CalmcpError(kind, message, { account, hint, cause: error.cause });
  if (error.code === 'AUTH_REQUIRED') return as('Microsoft no longer accepts the sign-in', remedy);
  if (graphCode(error) === 'MailboxNotEnabledForRESTAPI')
    return as('this account has no mailbox in Microsoft 365', 'sign in as somebody who has one', 'FORBIDDEN');
  if (error.code === 'FORBIDDEN')
    return as(
      'Microsoft does not allow this account to read calendars',
      `the token lacks ${scope}, or an administrator forbids it; ${remedy}`,
    );
  return error.of(account);
}

/**
 * Whether a new event was refused as its `transactionId` has made another one: https://github.com/alcionai/corso/issues/2490
 * @returns the id of that one, where Graph tells it, or an empty text
 */
export function takenBy(thrown: unknown): string | undefined {
  if (!(thrown instanceof CalmcpError) || graphCode(thrown) !== 'ErrorDuplicateTransactionId') return undefined;
  return textOf(errorIn(thrown)['@event.existingEventId']) ?? '';
}

type Words = readonly [matches: RegExp, code: ErrorCode, message: string, hint: string];

/**
 * What Graph says to a change, first match first.
 * https://learn.microsoft.com/graph/api/event-update#response,
 * https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode
 */
const WORDS: readonly Words[] = [
  [
    /^ErrorIrresolvableConflict$/,
    'CONFLICT',
    'the event was changed in the meantime',
    'look at it as it is now, and decide anew',
  ],
  [
    /^ErrorOccurrenceCrossingBoundary$/,
    'INPUT_INVALID',
    'an occurrence cannot be moved to the day of the one before or after it, or beyond',
    'delete the occurrence and create an event of its own, or move the series',
  ],
  [
    /^ErrorOccurrenceTimeSpanTooBig$/,
    'INPUT_INVALID',
    'the occurrences of a series may not overlap',
    'make them shorter, or repeat them less often',
  ],
  [
    /Recurren/,
    'INPUT_INVALID',
    'Microsoft does not take this recurrence',
    'see that the start is one of its days, and that it does not end before it',
  ],
  [
    /^ErrorInvalidRecipient|^ErrorInvalidSmtp|^ErrorNonExistentMailbox/,
    'INPUT_INVALID',
    'somebody among the attendees cannot be invited',
    'check the addresses',
  ],
  [
    /TimeZone/,
    'INPUT_INVALID',
    'this mailbox knows no such time zone',
    'give an IANA name such as Europe/Amsterdam, or UTC',
  ],
  [
    /^ErrorCalendarIsOrganizerFor/,
    'INPUT_INVALID',
    'this is your own meeting: there is nobody to answer',
    'change it, or delete it',
  ],
  [
    /^ErrorCalendarIsCancelledFor|^ErrorCalendarMeetingIsOutOfDate|^ErrorCalendarMeetingRequestIsOutOfDate/,
    'CONFLICT',
    'this meeting was called off or changed by its organizer',
    'look at it as it is now',
  ],
  [
    /^ErrorCalendarEndDateIsEarlierThanStartDate|^ErrorCalendarDurationIsTooLong/,
    'INPUT_INVALID',
    'Microsoft does not take these times',
    'check start and end',
  ],
  [
    /^ErrorPropertyValidationFailure|^ErrorInvalidPropertySet|^ErrorInvalidRequest$|^ErrorInvalidArgument/,
    'INPUT_INVALID',
    'Microsoft does not take one of these values',
    'change fewer things at once to find out which one',
  ],
  [
    /^ErrorInvalidId/,
    'NOT_FOUND',
    'Microsoft knows no event with this id',
    'list the events again: it may have been moved or deleted',
  ],
];

/** Another sentence for what {@link explain} has said, where a change was asked for. */
export function explainChange(thrown: unknown): unknown {
  if (!(thrown instanceof CalmcpError)) return thrown;
  const { account, cause, retryAfterMs } = thrown;
  const as = (code: ErrorCode, message: string, hint: string): CalmcpError =>
    new CalmcpError(code, message, { account, hint, retryAfterMs, cause });
  const { status } = failureIn(thrown) ?? {};
  if (thrown.code === 'UNAVAILABLE')
    return as(
      'UNAVAILABLE',
      thrown.message,
      thrown.hint ?? 'it may have been done all the same: look before you try again',
    );
  if (typeof status !== 'number') return thrown;
  const code = graphCode(thrown) ?? '';
  if (thrown.code === 'FORBIDDEN' && status === 403 && code !== 'MailboxNotEnabledForRESTAPI')
    return as(
      'FORBIDDEN',
      'Microsoft does not allow this account to change this calendar',
      `it is somebody else’s, or ${thrown.hint ?? 'the token lacks Calendars.ReadWrite'}`,
    );
  const words = status < 500 ? WORDS.find(([matches]) => matches.test(code)) : undefined;
  if (words !== undefined) return as(words[1], words[2], words[3]);
  if (status === 412)
    return as('CONFLICT', 'the event was changed in the meantime', 'look at it as it is now, and decide anew');
  if (thrown.code === 'CONFLICT')
    return as('CONFLICT', 'something else changed this calendar at the same time', 'look at it, then try again');
  if (thrown.code === 'NOT_FOUND')
    return as('NOT_FOUND', 'Microsoft knows no such event', 'list the events again: it may have been moved or deleted');
  if (thrown.code === 'BAD_RESPONSE' && status >= 400)
    return as(
      'INPUT_INVALID',
      `Microsoft refused the change (${/^[A-Za-z.]{1,60}$/.test(code) ? code : `HTTP ${status}`})`,
      'change fewer things at once to find out which one it does not take',
    );
  return thrown;
}
