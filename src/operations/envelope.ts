/** What every reading question has in common: what may be asked, and what is said about what was read. */
import { z } from 'zod';
import type { Freshness } from '../accounts/readings.ts';
import type { App } from '../accounts/registry.ts';
import { ACCOUNT_STATUSES } from '../core/coverage.ts';
import { OWNER } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import type { Range } from '../core/event.ts';
import { parseRange, SHORT_RANGE_HELP } from '../core/range.ts';
import { neutralize } from '../core/text.ts';
import { requireZone, zoneClock } from '../core/time.ts';

/** A whole number within limits, refused in words. */
export function wholeNumber(least: number, most: number): z.ZodNumber {
  const error = `give a whole number from ${least} to ${most}`;
  return z.number({ error }).int({ error }).min(least, { error }).max(most, { error });
}

export const accountsInput = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .describe('Omitted = all.');

export const timeZoneInput = z.string().optional().describe('IANA; of the answer.');

export const rangeInput = {
  range: z.string().optional().describe(`${SHORT_RANGE_HELP}. Default today. Never compute dates yourself.`),
  from: z.string().optional().describe('With to, instead of range: 2026-12-01T09:00.'),
  to: z.string().optional().describe('Exclusive; a bare date includes that day.'),
};

/** Seconds that what is told may be old, unless asked otherwise. */
const USUAL_AGE = 60;
/** Seconds that what is told at once may be old, while it is read anew. */
const STALE_AGE = 600;

export const freshnessInput = {
  maxAgeSeconds: wholeNumber(0, STALE_AGE).optional().describe('0 = live.'),
};

/** How old an answer may be: what was asked for, else a minute. @param stale whether one that is older may be told at once */
export function freshnessOf(
  { maxAgeSeconds }: { maxAgeSeconds?: number | undefined },
  stale: 'stale' | 'never' = 'never',
): Freshness {
  if (maxAgeSeconds !== undefined) return { maxAgeMs: maxAgeSeconds * 1_000 };
  return { maxAgeMs: USUAL_AGE * 1_000, ...(stale === 'stale' ? { staleMs: STALE_AGE * 1_000 } : {}) };
}

export const coverageOutput = z
  .array(
    z.object({
      account: z.string(),
      status: z.enum(ACCOUNT_STATUSES),
      calendars: z.number().optional(),
      skipped: z.number().optional().describe('Calendars left out by configuration.'),
      asOf: z.string().optional(),
      requests: z.number().optional(),
      retries: z.number().optional(),
      cached: z.literal(true).optional().describe('Told from memory.'),
      message: z.string().optional(),
      hint: z.string().optional(),
      retryAfterSeconds: z.number().optional(),
      problems: z.array(z.string()).optional(),
    }),
  )
  .describe('Every account asked. One that is not ok is unknown, not free.');

export const rangeOutput = z.object({ start: z.string(), end: z.string(), timeZone: z.string() });

export const noticesOutput = z.array(z.string()).optional().describe('About calmcp itself: tell the person.');

export const audienceInput = z.string().optional().describe('Client who gets the answer: only what they may see.');

export const audienceOutput = z.string().optional().describe('Whom this answer is for, when not for the owner.');

/** Whom an answer is for. @throws CalmcpError INPUT_INVALID for a name that is none */
export function audienceOf({ audience }: { audience?: string | undefined }): string {
  if (audience === undefined) return OWNER;
  // A name with something invisible in it is another name, and could become that of the owner.
  if (audience !== '' && audience.length <= 80 && audience === neutralize(audience)) return audience;
  throw new CalmcpError('INPUT_INVALID', 'the audience has no name', {
    hint: 'name a client of accounts.yaml, or leave audience out to see everything',
  });
}

/** What an answer says of calmcp itself, where there is something to say. */
export function noticesOf({ notices, accounts }: App, audience: string = OWNER): { notices?: string[] } {
  const all = [...notices];
  if (audience !== OWNER) {
    // They name accounts.
    if (all.length > 0) all.splice(0, all.length, 'accounts.yaml cannot be used as it is now: run calmcp doctor');
    if (!accounts.some(({ sharing }) => sharing.client === audience))
      all.push(`no account belongs to ${audience}: it sees what every account shares with others`);
  }
  return all.length === 0 ? {} : { notices: all };
}

/** Resolves what was asked for in the zone of the answer. */
export function resolveRange(
  app: App,
  input: {
    range?: string | undefined;
    from?: string | undefined;
    to?: string | undefined;
    timeZone?: string | undefined;
  },
): Range {
  return parseRange(input, { now: app.now(), timeZone: requireZone(input.timeZone ?? app.timeZone) });
}

export function describeRange(range: Range): z.output<typeof rangeOutput> {
  const clock = zoneClock(range.timeZone);
  return { start: clock.format(range.start), end: clock.format(range.end), timeZone: range.timeZone };
}
