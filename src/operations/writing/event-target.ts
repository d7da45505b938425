/** The event that is to be changed, as it is at this moment, and how much of its series. */
import { z } from 'zod';
import type { Account, App } from '../../accounts/registry.ts';
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { OWNER } from '../../core/disclosure.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { CalendarEvent, EventTime } from '../../core/event.ts';
import { SCOPES, type Scope, slotOf } from '../../core/series.ts';
import type { Deadline } from '../deadline.ts';
import type { Heard } from '../heard.ts';
import { holdersOf, lookUp } from '../look-up.ts';
import type { Asker } from '../operation.ts';
import type { Answered } from '../question.ts';
import { versionOf } from '../version.ts';
import { occurrencesAround } from './occurrences.ts';
import { ConflictError } from './settle.ts';
import { at, type Backend, BEFORE_WRITING, requireWritable, requireWritableCalendar } from './target.ts';

/** Milliseconds for finding the event: an account that hangs does not keep another one's event from being changed. */
const FIND_MS = 8_000;

export const targetInput = {
  id: z.string().max(200),
  account: z.string().optional().describe('Default: that of id.'),
  scope: z.enum(SCOPES).optional().describe('For recurring events.'),
  version: z.string().max(40).optional().describe('Refuse if changed since.'),
};

type Asked = z.output<z.ZodObject<typeof targetInput>> & { readonly timeZone?: string | undefined };

export interface EventTarget {
  readonly backend: Backend;
  readonly answered: Answered;
  /** The copy that was listed, and all copies of its meeting. */
  readonly copy: CalendarEvent;
  readonly copies: readonly CalendarEvent[];
  readonly scope: Scope;
  /** What is to be changed: the event itself, or its whole series. */
  readonly stored: StoredEvent;
  /** The occurrence that the change starts from: `stored` itself where it is not the series. */
  readonly occurrence: StoredEvent;
  /** When the series had planned that occurrence. */
  readonly slot: EventTime;
  /** The occurrences that a change concerns: of the year around it; none where it concerns that one alone. */
  readonly occurrences: readonly CalendarEvent[];
}

/**
 * The account that is written to, before anybody is asked: that of the reference, or the one that was named.
 * @throws CalmcpError READ_ONLY
 */
function accountsOf(app: App, { id, account }: Asked): readonly Account[] {
  const { accounts } = holdersOf(app, id, OWNER);
  const candidates = account === undefined ? accounts : [app.account(account)];
  const writable = candidates.filter(({ settings }) => settings.access === 'write');
  if (writable.length === 0 && candidates[0] !== undefined) requireWritable(candidates[0]);
  return writable;
}

/** @throws CalmcpError; ConflictError where `version` is not that of the event any more */
export async function findTarget(app: App, asked: Asked, asker: Asker, time: Deadline): Promise<EventTarget> {
  const accounts = accountsOf(app, asked);
  const {
    answered,
    merged,
    copy: named,
  } = await lookUp(
    app,
    { id: asked.id, timeZone: asked.timeZone, freshness: BEFORE_WRITING },
    { ...asker, deadlineMs: FIND_MS },
  );
  const copy = asked.account === undefined ? named : merged.copies.find(({ account }) => account === asked.account);
  if (copy === undefined)
    throw new CalmcpError('NOT_FOUND', `${asked.account} does not hold this event`, {
      hint: `it is in ${[...new Set(merged.copies.map(({ account }) => account))].join(', ')}`,
    });
  const account = accounts.find(({ id }) => id === copy.account) ?? app.account(copy.account);
  requireWritable(account);
  requireWritableCalendar(copy.calendar, account.id);
  if (copy.kind !== 'single' && asked.scope === undefined)
    throw new CalmcpError('INPUT_INVALID', 'the event repeats, and it is not said how much of it is meant', {
      hint: 'give scope: this for this one, following for this and all later ones, or all',
    });
  const scope = copy.kind === 'single' ? 'this' : (asked.scope ?? 'this');
  return at(account, time, async (backend, call) => {
    const { writer } = backend;
    const [occurrence, series] = await Promise.all([
      writer.get(copy.calendar, copy.id, call),
      scope === 'this' ? undefined : writer.get(copy.calendar, seriesIdOf(copy), call),
    ]);
    const stored = series ?? occurrence;
    // Whatever the answer is, it shows the event.
    const holders = merged.copies.map((each) => each.account);
    for (const { fields } of [occurrence, stored]) noteShown(asker.heard, fields, holders);
    const versions = [occurrence, stored].map(({ etag }) => versionOf(etag));
    if (asked.version !== undefined && !versions.includes(asked.version)) throw new ConflictError(stored);
    const slot = series === undefined ? copy.start : slotOf(copy, series);
    const around =
      series === undefined ? undefined : await occurrencesAround(backend, copy.calendar, series.event.id, slot, call);
    const occurrences = [...(scope === 'all' ? (around?.earlier ?? []) : []), ...(around?.later ?? [])];
    return { backend, answered, copy, copies: merged.copies, scope, stored, occurrence, slot, occurrences };
  });
}

/** @param holders the accounts that say it */
export function noteShown(
  heard: Heard | undefined,
  { title, location, text }: EventFields,
  holders: readonly string[],
): void {
  for (const said of [title, location, text]) heard?.note(said, holders);
}

function seriesIdOf({ seriesId, account }: CalendarEvent): string {
  if (seriesId !== undefined) return seriesId;
  throw new CalmcpError('BAD_RESPONSE', 'the event repeats, and does not say which series it is of', { account });
}
