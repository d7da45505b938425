/** Opens the provider on texts, without a file or a network. */
import { Temporal } from 'temporal-polyfill';
import type { CalendarEvent, EventTime, Range } from '../../../src/core/event.ts';
import type { CalendarProvider, CalendarRead, Call, ProviderContext, ReadFile } from '../../../src/core/provider.ts';
import { createHttp } from '../../../src/io/http.ts';
import { ics } from '../../../src/providers/ics/index.ts';
import type { IcsOptions } from '../../../src/providers/ics/options.ts';
import { noChildren } from '../../harness.ts';

export function callOf(signal: AbortSignal = new AbortController().signal): Call {
  return { signal, deadline: performance.now() + 10_000, countRequest: () => {} };
}

/** HTTP without its patience. */
export const plainFetch: ProviderContext['fetch'] = createHttp({
  fetch,
  patience: { run: (_host, _traits, _call, attempt) => attempt() },
});

export function contextOf(more: Partial<ProviderContext> = {}): ProviderContext {
  const quiet = (): void => {};
  return {
    account: 'team',
    fetch: plainFetch,
    patience: { run: (_host, _traits, _call, attempt) => attempt() },
    secrets: {
      load: async () => undefined,
      save: async () => {},
      remove: async () => {},
      version: async () => 'none',
      exclusively: (work) => work(),
    },
    share: (_key, create) => create(),
    readFile: async () => [],
    access: 'read',
    timeZone: 'Europe/Amsterdam',
    now: () => Temporal.Instant.from('2026-10-12T06:00:00Z'),
    closed: new AbortController().signal,
    children: noChildren,
    log: { error: quiet, warn: quiet, info: quiet, debug: quiet },
    ...more,
  };
}

export function filesOf(files: Readonly<Record<string, string>>): ReadFile {
  return async () => Object.entries(files).map(([name, text]) => ({ name, text }));
}

export function calendar(...lines: readonly string[]): string {
  return ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');
}

export function event(...lines: readonly string[]): string {
  const uid = lines.some((line) => line.startsWith('UID')) ? [] : ['UID:one@example.org'];
  return ['BEGIN:VEVENT', ...uid, ...lines, 'END:VEVENT'].join('\r\n');
}

export interface Setting {
  readonly timeZone?: string;
  readonly options?: Partial<IcsOptions>;
}

export async function openText(text: string, { timeZone, options }: Setting = {}): Promise<CalendarProvider> {
  const readFile = filesOf({ 'team.ics': text });
  return ics.open({ path: 'team.ics', ...options }, contextOf({ readFile, ...(timeZone ? { timeZone } : {}) }));
}

/** `2026-10-12` is that day in UTC; two of them are a half-open range of days. */
export function days(from: string, to?: string): Range {
  const start = Temporal.Instant.from(`${from}T00:00Z`).epochMilliseconds;
  const end = to === undefined ? start + 86_400_000 : Temporal.Instant.from(`${to}T00:00Z`).epochMilliseconds;
  return { start, end, timeZone: 'UTC' };
}

export type Readable = Extract<CalendarRead, { events: unknown }>;

export async function readText(text: string, range: Range, setting?: Setting): Promise<Readable> {
  return readOnly(await openText(text, setting), range);
}

/** The one calendar of a provider. */
export async function readOnly(provider: CalendarProvider, range: Range): Promise<Readable> {
  const call = callOf();
  const [read] = await provider.readCalendars(await provider.listCalendars(call), range, call);
  if (read === undefined) throw new Error('nothing was read');
  if ('error' in read) throw read.error;
  return read;
}

export function show(time: EventTime): string {
  return time.kind === 'date' ? time.date : new Date(time.epochMs).toISOString().replace(':00.000Z', 'Z');
}

/** `2026-10-12T07:00Z..2026-10-12T08:00Z`, in order. */
export function spans(read: Readable): string[] {
  return read.events.map((found) => `${show(found.start)}..${show(found.end)}`).sort();
}

export function starts(read: Readable): string[] {
  return read.events.map((found) => show(found.start)).sort();
}

export function messages(read: Readable): string[] {
  return (read.problems ?? []).map(({ message }) => message);
}

export function only(read: Readable): CalendarEvent {
  const [first] = read.events;
  if (first === undefined || read.events.length !== 1) throw new Error(`${read.events.length} events instead of one`);
  return first;
}
