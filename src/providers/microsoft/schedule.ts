/**
 * Busy times of other people: what `getSchedule` is asked, and its answers in calmcp's words. Pure.
 * @see https://learn.microsoft.com/graph/api/calendar-getschedule
 */
import type { FreeBusyError, ScheduleInformation, ScheduleItem } from '@microsoft/microsoft-graph-types';
import { chunksOf, type Span, spansOf } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { BlockingBusy, BusyBlock } from '../../core/event.ts';
import { intersect, interval, pairsOf, unionOf } from '../../core/intervals.ts';
import { DAY, parseZone, wallTimeToEpochMs } from '../../core/time.ts';

/**
 * People in one request, and "less than 62 days".
 * @see https://learn.microsoft.com/graph/outlook-get-free-busy-schedule#limits-and-error-conditions
 */
const MOST_PEOPLE = 20;
const LONGEST = 60 * DAY;
const HOUR = 3_600_000;

/** What one answer told of one person in its window. `tooMuch`: there is more than it may hold, so ask about less time. */
export type Told =
  | { readonly blocks: readonly BusyBlock[] }
  | { readonly error: CalmcpError; readonly tooMuch?: boolean };

/** Addresses are compared without regard to case. */
export const keyOf = (address: string): string => address.trim().toLowerCase();

export function chunkPeople(people: readonly string[]): string[][] {
  const once = [...new Map(people.map((person) => [keyOf(person), person.trim()])).values()];
  return chunksOf(once, MOST_PEOPLE);
}

/** Full hours around the range: the view's slots, which are an hour here, must not be longer than what is asked about. */
export const chunkTime = (range: Span): Span[] => spansOf(range, { unit: HOUR, longest: LONGEST });

/** Two halves of a window; none of one that is no longer than a day. */
export function halve({ start, end }: Span): readonly [Span, Span] | undefined {
  if (end - start <= DAY) return undefined;
  const middle = start + Math.floor((end - start) / (2 * HOUR)) * HOUR;
  return [
    { start, end: middle },
    { start: middle, end },
  ];
}

export function requestOf(people: readonly string[], { start, end }: Span) {
  const time = (epochMs: number) => ({ dateTime: new Date(epochMs).toISOString().slice(0, 19), timeZone: 'UTC' });
  return { schedules: people, startTime: time(start), endTime: time(end), availabilityViewInterval: HOUR / 60_000 };
}

/**
 * By {@link keyOf}, one entry for each of `people`: who is left out of the answer, or not told of in full, is an error.
 * @throws CalmcpError BAD_RESPONSE for an answer that is no list of schedules
 */
export function readSchedules(body: unknown, people: readonly string[], account: string): Map<string, Told> {
  const { value } = (body ?? {}) as { readonly value?: readonly (ScheduleInformation | null)[] };
  if (!Array.isArray(value))
    throw new CalmcpError('BAD_RESPONSE', 'Microsoft answered without a list of schedules', { account });
  return new Map(
    people.map((person) => {
      const own = value.filter((row) => keyOf(String(row?.scheduleId ?? '')) === keyOf(person));
      const told =
        own.length === 1
          ? readSchedule(own[0] ?? {}, account)
          : malformed('no single schedule for this person', account);
      return [keyOf(person), told] as const;
    }),
  );
}

const malformed = (what: string, account: string): Told => ({
  error: new CalmcpError('BAD_RESPONSE', `Microsoft sent ${what}`, { account }),
});

function readSchedule({ error, scheduleItems, availabilityView }: ScheduleInformation, account: string): Told {
  if (error !== null && error !== undefined) return explain(error, account);
  if (!Array.isArray(scheduleItems)) return malformed('a schedule without its items', account);
  // A merged view alone comes from servers that hide what it is made of: its digits say busy where no item does.
  if (scheduleItems.length === 0 && /[^0]/.test(availabilityView ?? ''))
    return malformed('a schedule that says busy without saying when', account);
  const blocks: BusyBlock[] = [];
  for (const item of scheduleItems) {
    const [start, end] = [toEpochMs(item?.start), toEpochMs(item?.end)];
    if (start === undefined || end === undefined || end < start)
      return malformed('a schedule with a time that is none', account);
    const busy = busyOf(item);
    // Without duration it keeps nobody busy.
    if (busy !== undefined && start < end) blocks.push({ start, end, busy });
  }
  return { blocks };
}

const BUSY: Readonly<Record<string, BlockingBusy | undefined>> = {
  free: undefined,
  workingelsewhere: undefined,
  tentative: 'tentative',
  busy: 'busy',
  oof: 'oof',
};

/** Nothing for what is free. The documentation writes `busy` and `Busy`. */
function busyOf({ status }: ScheduleItem): BlockingBusy | undefined {
  const said = String(status).toLowerCase();
  return Object.hasOwn(BUSY, said) ? BUSY[said] : 'unknown';
}

/** `2026-10-12T09:00:00.0000000` in the zone that comes beside it: UTC, since that was asked for, but read all the same. */
function toEpochMs(time: ScheduleItem['start'] | undefined): number | undefined {
  const local = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?/.exec(time?.dateTime ?? '')?.[0];
  const zone = parseZone(time?.timeZone ?? 'UTC');
  if (local === undefined || zone === null) return undefined;
  try {
    return wallTimeToEpochMs(local, zone);
  } catch {
    return undefined;
  }
}

/** @see https://learn.microsoft.com/exchange/client-developer/web-service-reference/responsecode */
function explain({ responseCode, message }: FreeBusyError, account: string): Told {
  const refuse = (
    code: 'NOT_FOUND' | 'FORBIDDEN' | 'UNAVAILABLE',
    text: string,
    hint: string,
    tooMuch = false,
  ): Told => ({
    error: new CalmcpError(code, text, { account, hint, cause: { responseCode, message } }),
    tooMuch,
  });
  // https://learn.microsoft.com/troubleshoot/exchange/calendars/cannot-view-another-user-calendar-free-busy-information
  if (String(responseCode) === '5006' || /too many calendar entries/i.test(String(message)))
    return refuse(
      'UNAVAILABLE',
      'there is too much in this calendar for Microsoft to tell',
      'ask about less time',
      true,
    );
  if (responseCode === 'ErrorMailRecipientNotFound')
    return refuse(
      'NOT_FOUND',
      'Microsoft knows nobody with this address here',
      'check the address; people of other organisations cannot be asked about',
    );
  if (responseCode === 'ErrorNoFreeBusyAccess')
    return refuse('FORBIDDEN', 'this person does not share busy times', 'ask the person to share them');
  return refuse('UNAVAILABLE', 'Microsoft cannot tell the busy times of this person now', 'try again later');
}

/** @throws TypeError for somebody who was not asked about */
export function toldOf(answer: ReadonlyMap<string, Told>, key: string): Told {
  const told = answer.get(key);
  if (told === undefined) throw new TypeError('a person was not asked about');
  return told;
}

/** What was told in parts: all of it, or why one of them is missing. */
export function joinParts(parts: readonly Told[]): Told {
  const missing = parts.find((part) => 'error' in part);
  return missing ?? { blocks: parts.flatMap((part) => ('error' in part ? [] : part.blocks)) };
}

/** All that was told of one person, cut to the range: what touches or overlaps and is equally busy is one block. */
export function joinBlocks(blocks: readonly BusyBlock[], range: Span): BusyBlock[] {
  const within = interval(range.start, range.end);
  return [...new Set(blocks.map(({ busy }) => busy))]
    .flatMap((busy) => {
      const alike = blocks.filter((block) => block.busy === busy);
      const time = unionOf(
        alike.map(({ start }) => start),
        alike.map(({ end }) => end),
      );
      return [...pairsOf(intersect(time, within))].map(([start, end]) => ({ start, end, busy }));
    })
    .sort((a, b) => a.start - b.start || a.end - b.end);
}
