/** Apps to ask questions of: on accounts.yaml with files beside it, or on events as a test tells them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Temporal } from 'temporal-polyfill';
import { onTestFinished } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../src/accounts/load.ts';
import { type App, type AppOptions, openApp } from '../../src/accounts/registry.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import type { Calendar, CalendarEvent } from '../../src/core/event.ts';
import type { CalendarProvider, ProviderDefinition, ReadDepth } from '../../src/core/provider.ts';
import { DAY, overlaps, spanOf, zoneClock } from '../../src/core/time.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { event as anyEvent } from '../core/events.ts';
import { NOW, noChildren, openTestApp, silentLog, temporaryFolder } from '../harness.ts';

/** Asks as every face of calmcp does: what was said is parsed first. */
export function ask<Input extends z.ZodObject, Output extends z.ZodObject>(
  operation: Operation<Input, Output>,
  app: App,
  input: z.input<Input>,
): Promise<z.output<Output>> {
  return operation.run(app, operation.input.parse(input), { signal: new AbortController().signal });
}

export const at = (instant: string): (() => Temporal.Instant) => {
  const now = Temporal.Instant.from(instant);
  return () => now;
};

/** The real providers: accounts under `accounts:`, indented by two, and the files that they name. */
export async function openAccounts(
  accounts: string,
  files: Readonly<Record<string, string>> = {},
  options: Partial<AppOptions> = {},
): Promise<App> {
  const folder = await temporaryFolder();
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  const { app } = await openTestApp(`version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:\n${accounts}`, {
    folder,
    ...options,
  });
  return app;
}

export interface ScriptedAccount {
  readonly events?: readonly Partial<CalendarEvent>[];
  /** Keys of accounts.yaml, as in `client: acme, share: title`. */
  readonly settings?: string;
  readonly error?: CalmcpError;
  readonly freeBusy?: CalendarProvider['freeBusy'];
  readonly asked?: (range: { start: number; end: number }, depth: ReadDepth | undefined) => void;
}

/**
 * Accounts that hold events as a test tells them. They give what the port promises and not one event more: what is in
 * the range, whole days with a day to spare.
 */
export function openScripted(
  accounts: Readonly<Record<string, ScriptedAccount>>,
  options: Partial<AppOptions> = {},
): App {
  const calendar: Calendar = { id: 'events', name: 'Events', isDefault: true, access: 'read' };
  const scripted: ProviderDefinition = {
    type: 'scripted',
    title: 'behaves as a test tells it',
    options: z.strictObject({}),
    async open(_options, { account, now }) {
      const { events = [], error, freeBusy, asked } = accounts[account] ?? {};
      const own = events.map((fields, index) => anyEvent({ account, calendar, id: String(index), ...fields }));
      return {
        async listCalendars() {
          if (error !== undefined) throw error;
          return [...new Map([calendar, ...own.map((one) => one.calendar)].map((one) => [one.id, one])).values()];
        },
        async readCalendars(calendars, range, _call, depth) {
          asked?.(range, depth);
          const clock = zoneClock(range.timeZone);
          const isIn = (one: CalendarEvent): boolean => {
            const spare = one.start.kind === 'date' ? DAY : 0;
            return overlaps(spanOf(one, clock), { ...range, start: range.start - spare, end: range.end + spare });
          };
          return calendars.map((each) => ({
            calendar: each,
            events: own.filter((one) => one.calendar.id === each.id && isIn(one)),
            asOf: now().epochMilliseconds,
          }));
        },
        ...(freeBusy === undefined ? {} : { freeBusy }),
      };
    },
  };
  const entries = Object.entries(accounts).map(
    ([id, { settings }]) => `  ${id}: { provider: scripted${settings === undefined ? '' : `, ${settings}`} }`,
  );
  const text = `version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:\n${entries.join('\n')}\n`;
  const app = openApp({
    config: parseConfig({ name: 'accounts.yaml', text, env: {}, readReference: () => undefined }, [scripted]),
    secrets: () => {
      throw new TypeError('no secrets');
    },
    fetch: () => {
      throw new TypeError('no network');
    },
    readFile: async () => [],
    now: at(NOW),
    systemTimeZone: 'Europe/Amsterdam',
    children: noChildren,
    log: silentLog,
    sign: async (text) => String(text.length),
    ...options,
  });
  onTestFinished(() => app.close());
  return app;
}

export const down = new CalmcpError('UNAVAILABLE', 'the server is down');
