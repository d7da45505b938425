/** What all questions about events begin with: who is asked about what, for whom, and what was read. */
import { z } from 'zod';
import { type Freshness, LIVE } from '../accounts/readings.ts';
import type { Account, App } from '../accounts/registry.ts';
import type { ClockOf } from '../core/busy-blocks.ts';
import { type AccountCoverage, isComplete } from '../core/coverage.ts';
import { mayName, OTHER_ACCOUNTS, OWNER } from '../core/disclosure.ts';
import type { Range } from '../core/event.ts';
import { type Intervals, intersect, interval } from '../core/intervals.ts';
import { type MergedEvent, mergeEvents } from '../core/merge.ts';
import type { ReadDepth } from '../core/provider.ts';
import { overlaps, spanOf, type ZoneClock, zoneClock } from '../core/time.ts';
import { expandWorkingHours, type WorkingHours } from '../core/working-hours.ts';
import {
  accountsInput,
  audienceInput,
  audienceOf,
  audienceOutput,
  coverageOutput,
  describeRange,
  noticesOf,
  noticesOutput,
  rangeInput,
  rangeOutput,
  resolveRange,
  timeZoneInput,
} from './envelope.ts';
import { type Detail, idOf } from './event-item.ts';
import { readEvents, selectAccounts } from './fan-out.ts';
import type { Heard } from './heard.ts';
import type { Asker } from './operation.ts';

export const questionInput = {
  ...rangeInput,
  accounts: accountsInput,
  timeZone: timeZoneInput,
  audience: audienceInput,
};

export const questionOutput = {
  notices: noticesOutput,
  audience: audienceOutput,
  range: rangeOutput,
  complete: z.boolean().describe('false: an account is missing; its time is unknown, not free.'),
  accounts: coverageOutput,
};

/** How every answer begins. */
export type Head = z.output<z.ZodObject<typeof questionOutput>>;

type Asked = z.output<z.ZodObject<typeof questionInput>>;

export interface Question {
  readonly audience: string;
  readonly range: Range;
  /** The clock that the answer is given in. */
  readonly clock: ZoneClock;
  readonly clockOf: ClockOf;
  readonly accounts: readonly Account[];
}

export interface Answered extends Question {
  readonly head: Head;
  /** Merged and in order; the days around the range are in it too, as all-day events lie differently on other clocks. */
  readonly events: readonly MergedEvent[];
  /** Whether all of it was read just now. */
  readonly isLive: boolean;
  /** Where what is told of these events is noted. */
  readonly heard: Heard | undefined;
  /** Accounts of which not everything is known, by the names that the audience may hear. */
  readonly unknown: readonly string[];
}

/**
 * Resolves what was asked, before anybody is asked.
 * @param usual the range where none is given
 * @throws CalmcpError
 */
export function parseQuestion(app: App, asked: Asked, usual = 'today'): Question {
  const audience = audienceOf(asked);
  const accounts = selectAccounts(app, asked.accounts, audience);
  const isBounded = asked.range !== undefined || asked.from !== undefined || asked.to !== undefined;
  const range = resolveRange(app, isBounded ? asked : { ...asked, range: usual });
  const clock = zoneClock(range.timeZone);
  return {
    audience,
    accounts,
    range,
    clock,
    clockOf: ({ ownerZone = range.timeZone }) => zoneClock(ownerZone),
  };
}

/** In a compact answer: what was read just now, as ever, is not worth saying. */
function shortCoverage({
  asOf,
  requests: _requests,
  retries: _retries,
  cached: _cached,
  ...coverage
}: AccountCoverage): AccountCoverage {
  return coverage.status === 'ok' || asOf === undefined ? coverage : { ...coverage, asOf };
}

export function headOf(
  app: App,
  { audience, range }: Question,
  coverage: readonly AccountCoverage[],
  detail: Detail = 'full',
): Head {
  return {
    ...noticesOf(app, audience),
    ...(audience === OWNER ? {} : { audience }),
    range: describeRange(range),
    complete: isComplete(coverage),
    accounts: (detail === 'full' ? [...coverage] : coverage.map(shortCoverage)) as Head['accounts'],
  };
}

/** What is in the range on the reader's clock: timed events by instants, all-day ones by civil dates (T12). */
export function eventsInRange({ events, range, clock }: Answered): MergedEvent[] {
  return events.filter(({ event }) => overlaps(spanOf(event, clock), range));
}

/** Where events lie in an answer that is given in parts. Those without an id are known by what is shown of them. */
export function placesOf({ clock, audience }: Answered): {
  startOf: (merged: MergedEvent) => number;
  keyOf: (merged: MergedEvent) => string;
} {
  return {
    startOf: ({ event }) => spanOf(event, clock).start,
    keyOf: (merged) => {
      const { event, busy } = merged;
      return idOf(merged, audience) ?? JSON.stringify([event.start.kind, spanOf(event, clock).end, event.title, busy]);
    },
  };
}

/** When all accounts asked can be booked, on the clocks of their owners, within the range. */
export function commonHours(
  { accounts, range }: Question,
  hoursOf: (account: Account) => WorkingHours = ({ workingHours }) => workingHours,
): Intervals {
  // Most accounts have the hours of the others.
  const kinds = new Map(
    accounts.map((account): [string, [WorkingHours, ZoneClock]] => {
      const hours = hoursOf(account);
      return [JSON.stringify([hours, account.timeZone]), [hours, zoneClock(account.timeZone)]];
    }),
  );
  return [...kinds.values()]
    .map(([hours, clock]) => expandWorkingHours(hours, clock, range))
    .reduce(intersect, interval(range.start, range.end));
}

/** The same question with so many milliseconds more on both sides. */
export function widened(question: Question, marginMs: number): Question {
  const { start, end, timeZone } = question.range;
  return { ...question, range: { start: start - marginMs, end: end + marginMs, timeZone } };
}

/**
 * Asks all accounts at once.
 * @param marginMs how far around the range events count as well
 */
export async function readQuestion(
  app: App,
  question: Question,
  asker: Asker,
  {
    depth = 'agenda',
    marginMs = 0,
    detail = 'full',
    freshness = LIVE,
  }: {
    readonly depth?: ReadDepth;
    readonly marginMs?: number;
    readonly detail?: Detail;
    readonly freshness?: Freshness;
  } = {},
): Promise<Answered> {
  const { events, coverage, unknown, isLive } = await readEvents(
    app,
    { ...widened(question, marginMs), depth, freshness },
    asker,
  );
  const order = (id: string): number => app.accounts.findIndex((account) => account.id === id);
  return {
    ...question,
    heard: asker.heard,
    head: headOf(app, question, coverage, detail),
    isLive,
    events: mergeEvents(events, { clock: question.clock, order }),
    unknown: [
      ...new Set(unknown.map(({ id, sharing }) => (mayName(question.audience, sharing) ? id : OTHER_ACCOUNTS))),
    ],
  };
}
