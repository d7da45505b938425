/** What every reading question has in common: what may be asked, and what is said about what was read. */
import { z } from 'zod';
import type { App } from '../accounts/registry.ts';
import { ACCOUNT_STATUSES } from '../core/coverage.ts';
import type { Range } from '../core/event.ts';
import { parseRange, RANGE_HELP } from '../core/range.ts';
import { createZoneClock, requireZone } from '../core/time.ts';

export const accountsInput = z
  .union([z.string(), z.array(z.string())])
  .optional()
  .describe('Account id or ids; omitted = all.');

export const timeZoneInput = z.string().optional().describe('Zone of the answer, e.g. Europe/Amsterdam.');

export const rangeInput = {
  range: z
    .string()
    .optional()
    .describe(`${RANGE_HELP}. Default: today. Words are resolved here, do not compute dates.`),
  from: z.string().optional().describe('Instead of range: a date or time, e.g. 2026-12-01T09:00.'),
  to: z.string().optional().describe('End for from, exclusive; a bare date includes that day.'),
};

export const coverageOutput = z
  .array(
    z.object({
      account: z.string(),
      status: z.enum(ACCOUNT_STATUSES),
      calendars: z.number().optional(),
      skipped: z.number().optional().describe('Calendars left out by configuration.'),
      asOf: z.string().optional(),
      requests: z.number().optional(),
      message: z.string().optional(),
      hint: z.string().optional(),
      retryAfterSeconds: z.number().optional(),
      problems: z.array(z.string()).optional(),
    }),
  )
  .describe('Every account asked. One that is not ok is unknown, not free.');

export const rangeOutput = z.object({ start: z.string(), end: z.string(), timeZone: z.string() });

export const noticesOutput = z.array(z.string()).optional().describe('About calmcp itself: tell the person.');

/** What an answer says of calmcp itself, where there is something to say. */
export function noticesOf({ notices }: App): { notices?: string[] } {
  return notices.length === 0 ? {} : { notices: [...notices] };
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
  const clock = createZoneClock(range.timeZone);
  return { start: clock.format(range.start), end: clock.format(range.end), timeZone: range.timeZone };
}
