/**
 * No question costs more requests than it has to: what the sandbox counts, beside the floor. With the list of calendars known
 * that is one request for each account, and one more for every page that a calendar has beyond its first.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Calendar, Range } from '../../src/core/event.ts';
import type { CalendarProvider, CalendarRead } from '../../src/core/provider.ts';
import {
  calendar,
  event,
  googleCalendar,
  googleEvent,
  type Sandbox,
  sharedGoogleClient,
  singleGoogleAccount,
  singleMailbox,
} from '../../src/sandbox/index.ts';
import {
  googleAccounts,
  googleSignIn,
  joinAccounts,
  lasting,
  microsoftAccounts,
  openCall,
  openSandbox,
  openTestApp,
  signIn,
  XEBIA,
} from '../harness.ts';

const you = 'you@home.example';
const range: Range = {
  start: Date.parse('2026-11-23T00:00Z'),
  end: Date.parse('2026-11-30T00:00Z'),
  timeZone: 'UTC',
};
const at = { start: '2026-11-24T10:00', end: '2026-11-24T11:00', zone: 'UTC' };

/** More calendars than one batch of either vendor takes. */
const MOST = 51;
const names = Array.from({ length: MOST }, (_, index) => `c${index + 1}`);

interface Vendor {
  readonly provider: CalendarProvider;
  /** What the vendor's calendar service was asked since it was last looked at: the inner questions of each request. */
  readonly asked: () => number[];
}

let vendors: Readonly<Record<'microsoft' | 'google' | 'ics' | 'busy', Vendor>>;
let sandbox: Sandbox;
let end: () => Promise<void>;

beforeAll(async () => {
  ({ opened: vendors, end } = await lasting(async () => {
    const many = (size: number): number[] => Array.from({ length: size }, (_, index) => index);
    // The last calendar but one has a page more.
    const sizeOf = (name: string, page: number): number => (name === 'c50' ? page + 1 : 1);
    sandbox = await openSandbox({
      data: singleMailbox(
        names.map((name) =>
          calendar(
            name,
            many(sizeOf(name, 1_000)).map((index) => event({ subject: `${name} ${index}`, ...at })),
          ),
        ),
      ),
      googleData: singleGoogleAccount(
        many(1).map((index) => googleEvent({ summary: `own ${index}`, ...at })),
        {
          others: names.map((name) =>
            googleCalendar(
              name,
              many(sizeOf(name, 2_500)).map((index) => googleEvent({ summary: `${name} ${index}`, ...at })),
              { access: { [you]: 'owner' } },
            ),
          ),
        },
      ),
    });
    const { clientId, clientSecret } = sharedGoogleClient;
    const google = googleAccounts(sandbox, [
      // What is counted here is not what may be sent in a minute.
      { id: 'google', clientId, clientSecret, more: 'limits: { perMinute: 100000 }' },
      { id: 'busy', clientId, clientSecret, more: 'access: busy' },
    ]);
    const feed = `accounts:\n  ics:\n    provider: ics\n    url: "${sandbox.origin}/feeds/community.ics"\n`;
    const { app } = await openTestApp(joinAccounts(google, microsoftAccounts(sandbox, [XEBIA]), feed));
    await signIn(app, sandbox, XEBIA.id, 'you@xebia.example');
    for (const id of ['google', 'busy']) await googleSignIn(app, sandbox, id, you);
    const of = async (id: string, isTheirs: RegExp): Promise<Vendor> => {
      let seen = sandbox.requests.length;
      return {
        provider: await app.account(id).open(),
        asked() {
          const since = sandbox.requests.slice(seen);
          seen = sandbox.requests.length;
          return since.filter(({ path }) => isTheirs.test(path)).map(({ batch }) => batch?.length ?? 1);
        },
      };
    };
    return {
      microsoft: await of(XEBIA.id, /^\/v1\.0\//),
      google: await of('google', /^\/google\/(?:calendar|batch)\//),
      busy: await of('busy', /^\/google\/(?:calendar|batch)\//),
      ics: await of('ics', /^\/feeds\//),
    };
  }));
});
afterAll(() => end());

const count = (reads: readonly CalendarRead[]): number[] =>
  reads.map((read) => {
    if ('error' in read) throw read.error;
    return read.events.length;
  });

/** The first `size` of the account, but for the one with a page more. */
const pick = (calendars: readonly Calendar[], size: number): Calendar[] =>
  calendars.filter(({ name }) => name !== 'c50' && name !== you).slice(0, size);

describe.each(['microsoft', 'google'] as const)('%s', (vendor) => {
  const most = { microsoft: 20, google: 50 }[vendor];

  test.each([1, 3, 20, 21, 50])(
    '%i calendars: the list and one reading when cold, one reading when not',
    async (size) => {
      const { provider, asked } = vendors[vendor];
      asked();
      const call = openCall();
      const calendars = pick(await provider.listCalendars(call), size);
      expect(count(await provider.readCalendars(calendars, range, call))).toEqual(calendars.map(() => 1));
      const full = Math.floor(size / most);
      const batches = [...Array<number>(full).fill(most), ...(size % most === 0 ? [] : [size % most])];
      expect(asked()).toEqual([1, ...batches]);
      expect(call.requests()).toBe(1 + batches.length);
      // Agenda or free/busy, this week or next, with texts or without: it is one reading.
      for (const depth of ['agenda', 'full'] as const) {
        const again = openCall();
        await provider.readCalendars(calendars, range, again, depth);
        expect(asked()).toEqual(batches);
        expect(again.requests()).toBe(batches.length);
      }
    },
  );

  test('a page more is one request more', async () => {
    const { provider, asked } = vendors[vendor];
    const calendars = (await provider.listCalendars(openCall())).filter(({ name }) => /^c(?:49|50|51)$/.test(name));
    asked();
    expect(count(await provider.readCalendars(calendars, range, openCall()))).toEqual([
      1,
      vendor === 'google' ? 2_501 : 1_001,
      1,
    ]);
    expect(asked()).toEqual([3, 1]);
  });
});

test('google: one more than a batch takes are two requests', async () => {
  const { provider, asked } = vendors.google;
  const calendars = (await provider.listCalendars(openCall())).filter(({ name }) => name !== 'c50');
  expect(calendars).toHaveLength(51);
  asked();
  count(await provider.readCalendars(calendars, range, openCall()));
  expect(asked()).toEqual([50, 1]);
});

test('google: that nothing has changed is learnt by one request for all calendars', async () => {
  const { provider, asked } = vendors.google;
  const reads = await provider.readCalendars(pick(await provider.listCalendars(openCall()), 20), range, openCall());
  asked();
  const marks = reads.flatMap((read) =>
    'error' in read || read.mark === undefined ? [] : [{ calendar: read.calendar, mark: read.mark }],
  );
  expect(await provider.stillHolds?.(marks, openCall())).toEqual(Array(20).fill(expect.any(String)));
  expect(asked()).toEqual([20]);
});

test('google, busy times alone: one request, as there is no list to be asked for', async () => {
  const { provider, asked } = vendors.busy;
  asked();
  const calendars = await provider.listCalendars(openCall());
  expect(count(await provider.readCalendars(calendars, range, openCall()))).toEqual([1]);
  expect(asked()).toEqual([1]);
});

test('a feed: one request for each question, answered without its text when it has not changed', async () => {
  const { provider, asked } = vendors.ics;
  asked();
  for (const status of [200, 304, 304]) {
    const call = openCall();
    const reads = await provider.readCalendars(await provider.listCalendars(call), range, call);
    expect(count(reads)).toEqual([3]);
    expect(asked()).toEqual([1]);
    expect(sandbox.requests.at(-1)).toMatchObject({ path: '/feeds/community.ics', status });
  }
});
