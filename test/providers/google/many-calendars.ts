/** A Google account with many calendars, each with one event of its own name. */
import type { App } from '../../../src/accounts/registry.ts';
import type { Calendar, Range } from '../../../src/core/event.ts';
import type { CalendarProvider, CalendarRead } from '../../../src/core/provider.ts';
import {
  type GoogleCalendar,
  type GoogleEvent,
  googleCalendar,
  googleEvent,
  type Sandbox,
  type SandboxRequest,
  sharedGoogleClient,
  singleGoogleAccount,
} from '../../../src/sandbox/index.ts';
import { googleAccounts, googleSignIn, openCall, openSandbox, openTestApp } from '../../harness.ts';

export const you = 'you@home.example';
export const BATCH = '/google/batch/calendar/v3';

export const WEEK: Range = {
  start: Date.parse('2026-11-23T00:00Z'),
  end: Date.parse('2026-11-30T00:00Z'),
  timeZone: 'UTC',
};

export const eventOf = (summary: string, day = '2026-11-24'): GoogleEvent =>
  googleEvent({ summary, start: `${day}T10:00`, end: `${day}T11:00`, zone: 'UTC' });

export const owned = (id: string, events: readonly GoogleEvent[] = [eventOf(id)]): GoogleCalendar =>
  googleCalendar(id, events, { access: { [you]: 'owner' } });

/** `c1` and so on. */
export const calendars = (count: number): GoogleCalendar[] =>
  Array.from({ length: count }, (_, index) => owned(`c${index + 1}`));

export interface Opened {
  readonly sandbox: Sandbox;
  readonly app: App;
  readonly provider: CalendarProvider;
  /** What the Calendar API was asked since it was last looked at. */
  readonly asked: () => SandboxRequest[];
}

/** @param others besides the primary calendar, which is empty unless `own` says otherwise */
export async function openMany(
  others: readonly GoogleCalendar[],
  { own = [] as readonly GoogleEvent[], more = '', deadlineMs = 10_000 } = {},
): Promise<Opened> {
  const sandbox = await openSandbox({ googleData: singleGoogleAccount(own, { others }) });
  const { clientId, clientSecret } = sharedGoogleClient;
  const { app } = await openTestApp(googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more }]), {
    deadlineMs,
  });
  await googleSignIn(app, sandbox, 'home', you);
  let seen = sandbox.requests.length;
  const asked = (): SandboxRequest[] => {
    const since = sandbox.requests.slice(seen);
    seen = sandbox.requests.length;
    return since.filter(({ path }) => /^\/google\/(?:calendar|batch)\//.test(path));
  };
  return { sandbox, app, provider: await app.account('home').open(), asked };
}

export const calendarOf = (id: string): Calendar => ({ id, name: id, isDefault: id === you, access: 'write' });

export function readAll(
  provider: CalendarProvider,
  ids: readonly string[],
  call = openCall(),
): Promise<readonly CalendarRead[]> {
  return provider.readCalendars(ids.map(calendarOf), WEEK, call);
}

/** Titles, or the code of the error. */
export const told = (read: CalendarRead): (string | null)[] | string =>
  'error' in read ? read.error.code : read.events.map(({ title }) => title);
