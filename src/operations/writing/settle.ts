/** What became of a change whose answer got lost. Nothing is done twice, and nothing is said to be done that is not. */
import type { EventFields, NotifyOption, StoredEvent } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { Calendar, EventTime } from '../../core/event.ts';
import { wasNotSent } from '../../core/not-sent.ts';
import type { Call } from '../../core/provider.ts';
import { parseRecurrence, sameRecurrence } from '../../core/recurrence.ts';
import { orAbort } from '../deadline.ts';
import { type Backend, rescue } from './target.ts';

/** After these nobody knows whether it was done; everything else is a refusal. */
const UNKNOWN = new Set(['UNAVAILABLE', 'BAD_RESPONSE', 'INTERNAL']);

function isOutcomeUnknown(error: CalmcpError): boolean {
  return UNKNOWN.has(error.code) && !wasNotSent(error);
}

/** The event is another version by now: with that version, to look at before anything else is done. */
export class ConflictError extends CalmcpError {
  readonly current: StoredEvent;

  constructor(current: StoredEvent, cause?: unknown) {
    super('CONFLICT', 'the event has changed since: nothing was done', {
      account: current.event.account,
      hint: 'look at it as it is now; with its version the change can be made',
      cause,
    });
    this.current = current;
  }
}

const timeText = (time: EventTime): string => (time.kind === 'date' ? time.date : String(time.epochMs));
const addresses = (people: EventFields['attendees']): string =>
  (people ?? [])
    .map(({ email }) => email.toLowerCase())
    .sort()
    .join();
const list = (values: readonly (string | number)[] | undefined): string =>
  [...(values ?? [])].map(String).sort().join();
const line = (text: string | undefined): string => (text ?? '').replaceAll(/\s+/g, ' ').trim();

/** Vendors write one rule in several ways. */
export function repeatsBy({ recurrence = '', start }: EventFields, rule: string): boolean {
  if (recurrence === '' || rule === '' || start === undefined) return recurrence === rule;
  return sameRecurrence(parseRecurrence(recurrence), parseRecurrence(rule), start);
}

/** Whether an event is as it was to become. */
export function holds(now: EventFields, wanted: EventFields): boolean {
  const { start, end, attendees, reminders, categories, title, text, location, recurrence, ...simple } = wanted;
  if (start !== undefined && (now.start === undefined || timeText(start) !== timeText(now.start))) return false;
  if (end !== undefined && (now.end === undefined || timeText(end) !== timeText(now.end))) return false;
  if (attendees !== undefined && addresses(attendees) !== addresses(now.attendees)) return false;
  if (reminders !== undefined && list(reminders) !== list(now.reminders)) return false;
  if (categories !== undefined && list(categories) !== list(now.categories)) return false;
  if (recurrence !== undefined && !repeatsBy(now, recurrence)) return false;
  for (const [wantedLine, nowLine] of [
    [title, now.title],
    [text, now.text],
    [location, now.location],
  ])
    if (wantedLine !== undefined && line(wantedLine) !== line(nowLine)) return false;
  return (Object.keys(simple) as (keyof typeof simple)[]).every(
    (name) => (now[name] ?? defaultOf(name)) === simple[name],
  );
}

function defaultOf(name: keyof EventFields): unknown {
  if (name === 'busy') return 'busy';
  if (name === 'sensitivity') return 'normal';
  if (name === 'online') return false;
  return name === 'type' ? 'default' : '';
}

interface Attempt<T> {
  /** The version that is to be changed. */
  readonly before: StoredEvent;
  /** Makes the change, once. */
  make(): Promise<T>;
  /** As it is at this moment. Has time of its own. @throws CalmcpError NOT_FOUND when it is gone */
  look(): Promise<StoredEvent>;
  /** What it is when the change is there; `undefined` when it is not. @param now `undefined` when it is gone */
  seen(now: StoredEvent | undefined): T | undefined;
}

/** As it is; `undefined` when it is gone. */
async function present(look: () => Promise<StoredEvent>): Promise<StoredEvent | undefined> {
  try {
    return await look();
  } catch (thrown) {
    if (toCalmcpError(thrown).code === 'NOT_FOUND') return undefined;
    throw thrown;
  }
}

/** Whether somebody said no, rather than nothing: what nobody answered may still be done. */
export function isRefusal(error: CalmcpError): boolean {
  const { cause } = error;
  if (wasNotSent(error)) return true;
  if (cause instanceof CalmcpError) return isRefusal(cause);
  return Boolean((cause as { readonly status?: unknown } | undefined)?.status);
}

/**
 * Makes a change, and finds out about one whose answer got lost.
 * @throws ConflictError when it is another version by now; UNAVAILABLE that says whether it was made
 */
export async function settle<T>({ before, make, look, seen }: Attempt<T>, { signal }: Call): Promise<T> {
  try {
    return await orAbort(make(), signal);
  } catch (thrown) {
    const error = toCalmcpError(thrown);
    if (error.code === 'CONFLICT') {
      const current = await look().catch(() => undefined);
      throw current === undefined ? error : new ConflictError(current, error);
    }
    if (!isOutcomeUnknown(error)) throw error;
    const { account, message, retryAfterMs } = error;
    const unknown = (what: string, hint: string, cause: unknown = error): CalmcpError =>
      new CalmcpError('UNAVAILABLE', `${message}; ${what}`, { account, hint, retryAfterMs, cause });
    let now: StoredEvent | undefined;
    try {
      now = await present(look);
    } catch (cause) {
      throw unknown('nobody knows whether the change was made', 'look at the event before you try again', cause);
    }
    const done = seen(now);
    if (done !== undefined) return done;
    if (now === undefined)
      throw new CalmcpError('NOT_FOUND', `${message}; the event is gone by now`, {
        account,
        hint: 'list the events again',
      });
    if (now.etag !== before.etag)
      throw unknown(
        'the event has changed since, by this change or by another one',
        'look at it as it is now before you try again',
      );
    if (isRefusal(error)) throw unknown('the change was not made', error.hint ?? 'try again later');
    throw unknown('the change is not there so far', 'look at the event in a moment, and try again if it is as it was');
  }
}

/** Deletes a version of an event, which may be one occurrence or a whole series. @throws as {@link settle} does */
export async function removeOnce(
  { writer }: Pick<Backend, 'writer'>,
  calendar: Calendar,
  before: StoredEvent,
  { notify }: NotifyOption,
  call: Call,
): Promise<void> {
  const { etag, event } = before;
  await settle(
    {
      before,
      make: () => writer.delete(calendar, event.id, { etag, notify }, call).then(() => null),
      look: () => rescue((own) => writer.get(calendar, event.id, own)),
      seen: (now) => (now === undefined ? null : undefined),
    },
    call,
  );
}

/**
 * Makes what its key makes once, however often it is asked for.
 * @throws CalmcpError UNAVAILABLE that says so where nobody knows whether it was made
 */
export async function createOnce<T>(make: () => Promise<T>, { signal }: Call): Promise<T> {
  const attempt = (): Promise<T> => orAbort(make(), signal);
  try {
    return await attempt().catch((thrown: unknown) => {
      if (signal.aborted || !isOutcomeUnknown(toCalmcpError(thrown))) throw thrown;
      return attempt();
    });
  } catch (thrown) {
    const error = toCalmcpError(thrown);
    if (!isOutcomeUnknown(error)) throw error;
    throw new CalmcpError('UNAVAILABLE', `${error.message}; nobody knows whether it was created`, {
      account: error.account,
      hint: 'ask for exactly the same again: it is created once',
      retryAfterMs: error.retryAfterMs,
      cause: error,
    });
  }
}
