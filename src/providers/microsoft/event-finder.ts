/** Events found by what they were created with, or by what they are. */

import type { Span } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, EventTime } from '../../core/event.ts';
import type { Call } from '../../core/provider.ts';
import { DAY } from '../../core/time.ts';
import type { Mailbox } from './mailbox.ts';
import type { GraphEvent } from './map.ts';

const MINUTE = 60_000;

/** What somebody's day at `start` is within, wherever they are. */
export function around(start: EventTime, days: number): Span {
  const wide = days * DAY;
  if (start.kind === 'timed') return { start: start.epochMs - MINUTE - wide, end: start.epochMs + MINUTE + wide };
  const midnight = Date.parse(`${start.date}T00:00:00Z`);
  return { start: midnight - wide, end: midnight + DAY + wide };
}

const FIELDS = ['id', 'type', 'seriesMasterId', 'transactionId', 'iCalUId'] as const;

/** Nothing where it is gone. */
export async function orNothing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (thrown) {
    if (thrown instanceof CalmcpError && thrown.code === 'NOT_FOUND') return undefined;
    throw thrown;
  }
}

/**
 * The id of the event, or the series, that was created with a `transactionId`. A view has the occurrences of a series in place
 * of it, and nothing says that those carry what it was created with: it is asked itself.
 */
export async function findCreated(
  mailbox: Mailbox,
  calendar: Calendar,
  window: Span,
  transactionId: string,
  isSeries: boolean,
  call: Call,
): Promise<string | undefined> {
  const rows = await mailbox.view(calendar, window, FIELDS, call);
  const found = rows.find((row) => row.transactionId === transactionId);
  if (found !== undefined) return found.seriesMasterId ?? found.id;
  if (!isSeries) return undefined;
  const series = [...new Set(rows.flatMap(({ seriesMasterId }) => seriesMasterId ?? []))];
  const masters = await Promise.all(
    series.map((id) => orNothing(mailbox.event({ calendar, id }, call, ['id', 'transactionId']))),
  );
  return masters.find((row) => row?.transactionId === transactionId)?.id;
}

/** The id that an event has now: Exchange may make another one of a meeting that is answered. */
export async function findAgain(
  mailbox: Mailbox,
  calendar: Calendar,
  { id, iCalUId }: GraphEvent,
  start: EventTime,
  call: Call,
): Promise<string | undefined> {
  if (!iCalUId) return undefined;
  const rows = await mailbox.view(calendar, around(start, 1), FIELDS, call);
  return rows.find((row) => row.iCalUId === iCalUId && row.id !== id)?.id;
}
