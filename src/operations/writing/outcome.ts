/** What a change did, or would do. */
import { z } from 'zod';
import type { App } from '../../accounts/registry.ts';
import type { EventFields, StoredEvent } from '../../core/change.ts';
import { OWNER } from '../../core/disclosure.ts';
import type { CalendarEvent, EventTime } from '../../core/event.ts';
import { findLikeness } from '../../core/likeness.ts';
import { type MergedEvent, mergeEvents } from '../../core/merge.ts';
import { describeRecurrence, parseRecurrence } from '../../core/recurrence.ts';
import { neutralize, neutralizeShort } from '../../core/text.ts';
import type { ZoneClock } from '../../core/time.ts';
import { coverageOutput, noticesOf, noticesOutput } from '../envelope.ts';
import { type Detail, eventItem, toItem } from '../event-item.ts';
import { versionOf } from '../version.ts';
import type { Around } from './around.ts';

/** Characters of a text that a list of changes shows. */
const SHOWN_TEXT = 120;
const SHOWN_PEOPLE = 50;

export const OUTCOMES = ['preview', 'created', 'existed', 'updated', 'deleted', 'responded', 'conflict'] as const;

const writtenItem = eventItem.extend({
  version: z.string().optional(),
  repeats: z.string().optional(),
});

export const outcomeOutput = z.object({
  notices: noticesOutput,
  outcome: z
    .enum(OUTCOMES)
    .describe(
      'preview: nothing was done. existed: it was there by this key. conflict: nothing was done, event is as it is now.',
    ),
  account: z.string(),
  calendar: z.string().optional(),
  event: writtenItem.optional().describe('As it is now, or would be.'),
  changes: z.array(z.object({ field: z.string(), from: z.string().optional(), to: z.string() })).optional(),
  mails: z.array(z.string()).optional().describe('Who is e-mailed about it.'),
  mailCount: z.number().optional(),
  needs: z.array(z.string()).optional().describe('What the real call needs besides.'),
  notes: z.array(z.string()).optional(),
  conflicts: z.array(eventItem).optional().describe('At the same time, in any account.'),
  conflictCount: z.number().optional(),
  possibleDuplicates: z.array(eventItem).optional(),
  complete: z.boolean().optional().describe('false: an account was not read, there may be more conflicts.'),
  accounts: coverageOutput.optional(),
});

export type Outcome = z.output<typeof outcomeOutput>;
export type WrittenItem = z.output<typeof writtenItem>;

/** One event by itself, as a list would show it. */
export function itemOf(event: CalendarEvent, clock: ZoneClock, detail: Detail): z.output<typeof eventItem> {
  const merged = mergeEvents([event], { clock, order: () => 0 });
  const [first] = merged;
  if (first === undefined) throw new TypeError('one event is one event');
  return toItem(first, { audience: OWNER, clock, detail, likeness: findLikeness(merged) });
}

/** @param event the one whose id is given: of a series its first occurrence */
export function writtenItemOf(
  stored: StoredEvent,
  event: CalendarEvent,
  clock: ZoneClock,
  detail: Detail,
): WrittenItem {
  const rule = stored.fields.recurrence;
  const { id, ...item } = itemOf(event, clock, detail);
  return {
    // A series by itself is nothing that is listed: its occurrences are asked for.
    ...(id === undefined || (stored.isSeries && event.id === stored.event.id) ? {} : { id }),
    ...item,
    version: versionOf(stored.etag),
    ...(rule === undefined || rule === ''
      ? {}
      : { recurring: true as const, repeats: describe(rule, stored.fields.start) }),
  };
}

function describe(rule: string, start: EventTime | undefined): string {
  try {
    return describeRecurrence(parseRecurrence(rule), start);
  } catch {
    // One that a vendor holds and calmcp would not write.
    return neutralize(rule);
  }
}

export function timeText(time: EventTime, clock: ZoneClock): string {
  if (time.kind === 'date') return time.date;
  const zone = time.zone === null || time.zone === clock.timeZone ? '' : `[${time.zone}]`;
  return clock.format(time.epochMs, 'minutes') + zone;
}

const short = (text: string): string => neutralizeShort(text, SHOWN_TEXT);

function valueText({ start }: EventFields, name: keyof EventFields, value: unknown, clock: ZoneClock): string {
  if (name === 'start' || name === 'end') return timeText(value as EventTime, clock);
  if (name === 'attendees')
    return (value as NonNullable<EventFields['attendees']>)
      .slice(0, SHOWN_PEOPLE)
      .map(({ email, optional }) => neutralize(email) + (optional ? ' (optional)' : ''))
      .join(', ');
  if (name === 'recurrence') return value === '' ? 'once' : describe(String(value), start);
  if (name === 'reminders')
    return (value as readonly number[]).length === 0 ? 'none' : `${(value as readonly number[]).join(', ')} min before`;
  if (Array.isArray(value)) return value.map((each) => short(String(each))).join(', ');
  return short(String(value));
}

/** What of `wanted` is not so yet. */
export function changesOf(
  now: EventFields | undefined,
  wanted: EventFields,
  clock: ZoneClock,
): NonNullable<Outcome['changes']> {
  return (Object.keys(wanted) as (keyof EventFields)[]).flatMap((name) => {
    const to = valueText({ ...now, ...wanted }, name, wanted[name], clock);
    const before = now?.[name];
    const from = before === undefined ? undefined : valueText(now ?? {}, name, before, clock);
    if (from === to) return [];
    return [{ field: name === 'recurrence' ? 'repeat' : name, ...(from === undefined ? {} : { from }), to }];
  });
}

/** The part of an outcome that tells what else there is at that time. */
export function aroundOf(
  around: Around | undefined,
  detail: Detail,
): Pick<Outcome, 'conflicts' | 'conflictCount' | 'possibleDuplicates' | 'complete' | 'accounts'> {
  if (around === undefined) return { complete: false };
  const { answered, likeness, conflicts, conflictCount, duplicates } = around;
  const items = (events: readonly MergedEvent[]) =>
    events.map((merged) => toItem(merged, { ...answered, detail, likeness }));
  return {
    complete: answered.head.complete,
    accounts: answered.head.accounts,
    conflicts: items(conflicts),
    ...(conflictCount > conflicts.length ? { conflictCount } : {}),
    ...(duplicates.length === 0 ? {} : { possibleDuplicates: items(duplicates) }),
  };
}

export function noticesFor(app: App): Pick<Outcome, 'notices'> {
  return noticesOf(app);
}
