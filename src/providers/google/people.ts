/**
 * Busy times without events, of people and of calendars: what `freeBusy.query` is asked, and its answers. Pure.
 * @see https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query
 */
import { chunksOf, type Span, spansOf } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import { intersect, interval, pairsOf, unionOf } from '../../core/intervals.ts';
import { DAY } from '../../core/time.ts';
import type { calendar_v3 } from './client.ts';

/** Calendars in one query (`calendarExpansionMax`). */
const MOST_CALENDARS = 50;
/** Google refuses more than about 90 days as `timeRangeTooLong`: https://github.com/calcom/cal.diy/pull/11962 */
const LONGEST = 60 * DAY;
const SECOND = 1_000;

/** What was told of one calendar, or why there is no telling. */
export type Told = { readonly spans: readonly Span[] } | { readonly error: CalmcpError };

export const chunkCalendars = (ids: readonly string[]): string[][] => chunksOf(ids, MOST_CALENDARS);

/** Full seconds around the range: the API takes fractions of one for none. */
export const chunkTime = (range: Span): Span[] => spansOf(range, { unit: SECOND, longest: LONGEST });

export function requestOf(ids: readonly string[], { start, end }: Span): calendar_v3.Schema$FreeBusyRequest {
  return {
    timeMin: new Date(start).toISOString(),
    timeMax: new Date(end).toISOString(),
    items: ids.map((id) => ({ id })),
  };
}

/** How a refusal is put: of a calendar of the account's own, or of somebody else. */
export interface Wording {
  readonly notFound: { readonly message: string; readonly hint?: string };
  readonly failed: { readonly message: string; readonly hint?: string };
}

/**
 * One entry for each of `ids`: what is left out of the answer, or not told in full, is an error.
 * @throws CalmcpError BAD_RESPONSE for an answer that does not say that it is about busy times
 */
export function readAnswer(
  answer: calendar_v3.Schema$FreeBusyResponse | null,
  ids: readonly string[],
  account: string,
  wording: Wording,
): Map<string, Told> {
  if (answer?.kind !== 'calendar#freeBusy' || typeof answer.calendars !== 'object' || answer.calendars === null)
    throw new CalmcpError('BAD_RESPONSE', 'Google answered with something that are no busy times', { account });
  const entries = Object.entries(answer.calendars);
  return new Map(
    ids.map((id) => {
      const [, entry] =
        entries.find(([key]) => key === id) ?? entries.find(([key]) => key.toLowerCase() === id.toLowerCase()) ?? [];
      return [id, readCalendar(entry, account, wording)] as const;
    }),
  );
}

function readCalendar(
  entry: calendar_v3.Schema$FreeBusyCalendar | null | undefined,
  account: string,
  { notFound, failed }: Wording,
): Told {
  const malformed = (what: string): Told => ({
    error: new CalmcpError('BAD_RESPONSE', `Google sent ${what}`, { account }),
  });
  const { busy, errors } = entry ?? {};
  // Beside an error there is an empty list of busy times.
  if (errors !== undefined && errors !== null && !(Array.isArray(errors) && errors.length === 0)) {
    const missing = Array.isArray(errors) && errors[0]?.reason === 'notFound';
    const { message, hint } = missing ? notFound : failed;
    return {
      error: new CalmcpError(missing ? 'NOT_FOUND' : 'UNAVAILABLE', message, { account, hint, cause: errors }),
    };
  }
  if (!Array.isArray(busy)) return malformed('no busy times for one of those asked for');
  const spans: Span[] = [];
  for (const time of busy as readonly (calendar_v3.Schema$TimePeriod | null)[]) {
    const [start, end] = [toEpochMs(time?.start), toEpochMs(time?.end)];
    if (start === undefined || end === undefined || end < start) return malformed('a busy time that is none');
    spans.push({ start, end });
  }
  return { spans };
}

/** RFC 3339 with its offset: without one it would be a time of this machine's zone. */
function toEpochMs(text: string | null | undefined): number | undefined {
  if (!/T.*(?:Z|[+-]\d\d:\d\d)$/i.test(text ?? '')) return undefined;
  const epochMs = Date.parse(text ?? '');
  return Number.isNaN(epochMs) ? undefined : epochMs;
}

/** What was told in parts, cut to the range, what touches or overlaps as one; or why one of them is missing. */
export function joinParts(parts: readonly Told[], range: Span): Told {
  const missing = parts.find((part) => 'error' in part);
  if (missing !== undefined) return missing;
  const spans = parts.flatMap((part) => ('error' in part ? [] : part.spans));
  const time = unionOf(
    spans.map(({ start }) => start),
    spans.map(({ end }) => end),
  );
  return {
    spans: [...pairsOf(intersect(time, interval(range.start, range.end)))].map(([start, end]) => ({ start, end })),
  };
}
