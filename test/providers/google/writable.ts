/** A Google account that may be written to, by either way, with other people around it. */

import type { EventWriter, StoredEvent } from '../../../src/core/change.ts';
import type { Calendar, CalendarEvent } from '../../../src/core/event.ts';
import type { CalendarProvider } from '../../../src/core/provider.ts';
import {
  type GoogleCalendar,
  type GoogleData,
  type GoogleEvent,
  googleCalendar,
  googleUser,
  type Sandbox,
  type SandboxRequest,
  sharedGoogleClient,
  googleSignIn as signInAtGoogle,
} from '../../../src/sandbox/index.ts';
import { childLine, withChild } from '../../children.ts';
import { googleAccounts, googleSignIn, openCall, openSandbox, openTestApp } from '../../harness.ts';

export type Way = 'direct' | 'child';

export const YOU = 'you@home.example';
export const MATE = 'mate@home.example';
/** Has no calendar at Google. */
export const GUEST = 'guest@away.example';
export const CLUB = 'club@group.calendar.google.com';
export const ZONE = 'Europe/Amsterdam';

const CALENDAR_SCOPE = 'openid email https://www.googleapis.com/auth/calendar';

export interface Writable {
  readonly sandbox: Sandbox;
  readonly provider: CalendarProvider;
  readonly writer: EventWriter;
  readonly mine: Calendar;
  /** Another calendar, that is the person's own too. */
  readonly club: Calendar;
  /** What Google holds, by its id. */
  held(id: string, calendar?: string): GoogleEvent | undefined;
  /** All events of a calendar that overlap two days, as any question reads them. */
  read(from: string, to: string, calendar?: Calendar): Promise<CalendarEvent[]>;
  /** A request to Google by the mate. */
  asMate(method: string, path: string, body?: object): Promise<Record<string, unknown>>;
  /** What was asked of Google about events while `work` was done. */
  asked(work: () => Promise<unknown>): Promise<SandboxRequest[]>;
  /** As the provider reads it now. */
  get(id: string): Promise<StoredEvent>;
}

function dataOf(events: readonly GoogleEvent[], others: readonly GoogleCalendar[]): GoogleData {
  const calendars = [
    googleCalendar(YOU, events),
    googleCalendar(CLUB, [], { summary: 'Club', access: { [CLUB]: 'owner', [YOU]: 'owner' } }),
    ...others,
  ];
  const listed = calendars.map(({ id }) => ({ calendarId: id, selected: true }));
  return {
    clients: [sharedGoogleClient],
    users: [
      googleUser(1, YOU, listed),
      googleUser(2, MATE, [{ calendarId: MATE, selected: true }], { displayName: 'Mate' }),
    ],
    calendars: [...calendars, googleCalendar(MATE, [])],
  };
}

export interface WritableOptions {
  readonly events?: readonly GoogleEvent[];
  readonly others?: readonly GoogleCalendar[];
  readonly told?: Readonly<Record<string, string>>;
}

export async function openWritable(
  way: Way,
  { events = [], others = [], told = {} }: WritableOptions = {},
): Promise<Writable> {
  const sandbox = await openSandbox({ googleData: dataOf(events, others) });
  const { clientId, clientSecret } = sharedGoogleClient;
  const plain = googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more: 'access: write' }]);
  const yaml = way === 'direct' ? plain : withChild(plain, childLine('google-calendar', sandbox, {}, told), ['home']);
  const { app } = await openTestApp(yaml);
  await googleSignIn(app, sandbox, 'home', YOU);
  const { accessToken } = await signInAtGoogle(sandbox, { username: MATE, clientId, scope: CALENDAR_SCOPE });
  const provider = await app.account('home').open();
  const { writer } = provider;
  if (writer === undefined) throw new TypeError('the account cannot be written to');
  // Which starts a child server, on a machine that may be busy.
  const calendars = await provider.listCalendars(openCall(30_000));
  const named = (id: string): Calendar => {
    const found = calendars.find((calendar) => calendar.id === id);
    if (found === undefined) throw new RangeError(`no calendar ${id}`);
    return found;
  };
  const mine = named(YOU);

  return {
    sandbox,
    provider,
    writer,
    mine,
    club: named(CLUB),
    held: (id, calendar = YOU) =>
      sandbox.google.data.calendars.find((one) => one.id === calendar)?.events.find((event) => event.id === id),
    async read(from, to, calendar = mine) {
      const range = { start: Date.parse(`${from}T00:00:00Z`), end: Date.parse(`${to}T00:00:00Z`), timeZone: ZONE };
      const [read] = await provider.readCalendars([calendar], range, openCall(), 'full');
      if (read === undefined || 'error' in read) throw read?.error ?? new TypeError('nothing was read');
      if (read.problems !== undefined) throw read.problems[0];
      return [...read.events];
    },
    async asMate(method, path, body) {
      const response = await fetch(`${sandbox.origin}/google/calendar/v3/calendars/${MATE}/${path}`, {
        method,
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
      return response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>);
    },
    async asked(work) {
      const before = sandbox.requests.length;
      await work();
      return sandbox.requests.slice(before).filter(({ path }) => path.startsWith('/google/calendar/'));
    },
    get: (id) => writer.get(mine, id, openCall()),
  };
}

/** A moment on the clock of a zone. */
export const at = (instant: string, zone: string | null = ZONE) =>
  ({ kind: 'timed', epochMs: Date.parse(instant), zone }) as const;

export const day = (date: string) => ({ kind: 'date', date }) as const;

/** Keys as the operations make them, one for each event that a test makes. */
let made = 0;
export const freshKey = (): string => `k${(++made).toString(36)}`;
