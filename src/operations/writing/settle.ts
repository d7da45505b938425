/** What became of a change whose answer got lost. Nothing is done twice, and nothing is said to be done that is not. */
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import type { EventTime } from '../../core/event.ts';

/** After these nobody knows whether it was done; everything else is a refusal. */
const UNKNOWN = new Set(['UNAVAILABLE', 'BAD_RESPONSE', 'INTERNAL']);

export function isOutcomeUnknown(error: CalmcpError): boolean {
  return UNKNOWN.has(error.code);
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

/** Whether an event is as it was to become. */
export function holds(now: EventFields, wanted: EventFields): boolean {
  const { start, end, attendees, reminders, categories, title, text, location, ...simple } = wanted;
  if (start !== undefined && (now.start === undefined || timeText(start) !== timeText(now.start))) return false;
  if (end !== undefined && (now.end === undefined || timeText(end) !== timeText(now.end))) return false;
  if (attendees !== undefined && addresses(attendees) !== addresses(now.attendees)) return false;
  if (reminders !== undefined && list(reminders) !== list(now.reminders)) return false;
  if (categories !== undefined && list(categories) !== list(now.categories)) return false;
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
  /** As it is at this moment; `undefined` when it is gone. Has time of its own. */
  look(): Promise<StoredEvent | undefined>;
  /** What it is when the change is there; `undefined` when it is not. */
  seen(now: StoredEvent | undefined): T | undefined;
}

/**
 * Makes a change, and finds out about one whose answer got lost.
 * @throws ConflictError when it is another version by now; UNAVAILABLE that says whether it was made
 */
export async function settle<T>({ before, make, look, seen }: Attempt<T>): Promise<T> {
  try {
    return await make();
  } catch (thrown) {
    const error = toCalmcpError(thrown);
    if (error.code === 'CONFLICT') {
      const current = await look().catch(() => undefined);
      throw current === undefined ? error : new ConflictError(current, error);
    }
    if (!isOutcomeUnknown(error)) throw error;
    let now: StoredEvent | undefined;
    try {
      now = await look();
    } catch (cause) {
      throw new CalmcpError('UNAVAILABLE', `${error.message}; nobody knows whether the change was made`, {
        account: error.account,
        hint: 'look at the event before you try again',
        cause,
      });
    }
    const done = seen(now);
    if (done !== undefined) return done;
    if (now !== undefined && now.etag !== before.etag) throw new ConflictError(now, error);
    throw new CalmcpError('UNAVAILABLE', `${error.message}; the change was not made`, {
      account: error.account,
      hint: error.hint ?? 'try again later',
      retryAfterMs: error.retryAfterMs,
      cause: error,
    });
  }
}
