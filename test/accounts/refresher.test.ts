/** The daemon looks by itself at what is asked about, as often as it pays, and only then. */
import { describe, expect, it } from 'vitest';
import { intervalAfter, type Refresher, startRefresher } from '../../src/accounts/refresher.ts';
import type { App } from '../../src/accounts/registry.ts';
import { createEvent } from '../../src/operations/create-event.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
import {
  googleAccounts,
  googleSignIn,
  joinAccounts,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  silentLog,
  XEBIA,
} from '../harness.ts';
import { ask } from '../operations/questions.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

interface World {
  readonly sandbox: Sandbox;
  readonly app: App;
  readonly elsewhere: App;
  readonly refresher: Refresher;
  /** Lets time pass in steps of five seconds, as the daemon looks. */
  pass(milliseconds: number): Promise<void>;
  pause(isPaused: boolean): void;
  /** Requests to a vendor since the last call. */
  asked(): { readonly method: string; readonly path: string }[];
}

async function openWorld(accounts: 'graph' | 'google' | 'both'): Promise<World> {
  const sandbox = await openSandbox();
  const microsoft = microsoftAccounts(sandbox, [XEBIA]);
  const home = googleAccounts(sandbox, [{ id: 'home', ...homeGoogleClient, more: 'access: write' }]);
  const yaml = accounts === 'graph' ? microsoft : accounts === 'google' ? home : joinAccounts(microsoft, home);
  let time = 0;
  let paused = false;
  const keeping = {
    monotonic: () => time,
    wall: () => time,
    watchClocks: () => ({ check: () => undefined, end: () => undefined }),
  };
  const { app } = await openTestApp(yaml, { keeping });
  const { app: elsewhere } = await openTestApp(yaml);
  for (const each of [app, elsewhere]) {
    if (accounts !== 'google') await signIn(each, sandbox, 'xebia', 'you@xebia.example');
    if (accounts !== 'graph') await googleSignIn(each, sandbox, 'home', 'you@home.example');
  }
  const closing = new AbortController();
  const refresher = startRefresher({
    accounts: () => app.accounts,
    monotonic: () => time,
    isPaused: async () => paused,
    log: silentLog,
    closed: closing.signal,
    random: () => 1,
  });
  refresher.end();
  let seen = 0;
  return {
    sandbox,
    app,
    elsewhere,
    refresher,
    async pass(milliseconds) {
      for (const end = time + milliseconds; time < end; ) {
        time += Math.min(5 * SECOND, end - time);
        await refresher.tick();
      }
    },
    pause: (isPaused) => {
      paused = isPaused;
    },
    asked() {
      const requests = sandbox.requests.slice(seen);
      seen = sandbox.requests.length;
      return requests.filter(({ path }) => !/\/oauth2\/|\/token$|openid/.test(path));
    },
  };
}

const WEEK = { range: 'this week' } as const;

describe('a calendar that somebody asks about', () => {
  it('is looked at within the minute, so that the next answer is fresh and costs nothing', async () => {
    const world = await openWorld('graph');
    await ask(listEvents, world.app, WEEK);
    for (let round = 0; round < 4; round++) {
      await world.pass(70 * SECOND);
      world.asked();
      const { accounts } = await ask(listEvents, world.app, WEEK);
      expect(accounts).toMatchObject([{ status: 'ok', cached: true, requests: 0 }]);
      expect(world.asked()).toEqual([]);
    }
    expect(world.app.account('xebia').readings.stats()).toMatchObject({ misses: 1, stale: 0, hits: 4 });
  });

  it('at Google is not read again as long as Google says that nothing has changed', async () => {
    const world = await openWorld('google');
    await ask(listEvents, world.app, WEEK);
    world.asked();
    await world.pass(100 * SECOND);
    const looks = world.asked();
    // One request for each look, whatever the number of calendars.
    expect(looks).toHaveLength(2);
    expect(world.app.account('home').readings.stats()).toMatchObject({ confirmed: 2, refreshed: 0 });
    const kept = await ask(listEvents, world.app, WEEK);
    expect(kept.accounts).toMatchObject([{ status: 'ok', cached: true }]);

    await ask(createEvent, world.elsewhere, {
      account: 'home',
      title: 'New at home',
      start: '2026-11-25T10:00',
      end: '2026-11-25T11:00',
    });
    await world.pass(50 * SECOND);
    world.asked();
    const after = await ask(listEvents, world.app, WEEK);
    expect(after.events.map(({ title }) => title)).toContain('New at home');
    expect(after.accounts).toMatchObject([{ status: 'ok', cached: true }]);
    expect(world.asked()).toEqual([]);
  });

  it('at Google is read again when its sync token is no good any more', async () => {
    const world = await openWorld('google');
    await ask(listEvents, world.app, WEEK);
    world.sandbox.google.expireSyncTokens();
    await world.pass(50 * SECOND);
    expect(world.app.account('home').readings.stats()).toMatchObject({ confirmed: 0, refreshed: 1 });
    await world.pass(50 * SECOND);
    expect(world.app.account('home').readings.stats()).toMatchObject({ confirmed: 1, refreshed: 1 });
  });

  it('is read as a whole every half hour, whatever its marks say', async () => {
    const world = await openWorld('google');
    await ask(listEvents, world.app, WEEK);
    for (let round = 0; round < 16; round++) {
      await world.pass(2 * MINUTE);
      await ask(listEvents, world.app, WEEK);
    }
    expect(world.app.account('home').readings.stats().refreshed).toBe(1);
  });
});

describe('a calendar that nobody asks about any more', () => {
  it('is looked at half as often each time, and after two hours not at all', async () => {
    const world = await openWorld('graph');
    await ask(listEvents, world.app, WEEK);
    await world.pass(5 * MINUTE);
    world.asked();
    await world.pass(30 * MINUTE);
    const looks = world.asked().filter(({ path }) => /batch|calendarView/.test(path));
    expect(looks.length).toBeGreaterThan(1);
    expect(looks.length).toBeLessThan(8);
    await world.pass(100 * MINUTE);
    world.asked();
    await world.pass(60 * MINUTE);
    expect(world.asked()).toEqual([]);
  });

  it('is not looked at while the machine is to be spared, and told as it is afterwards', async () => {
    const world = await openWorld('graph');
    await ask(listEvents, world.app, WEEK);
    world.pause(true);
    world.asked();
    await world.pass(3 * MINUTE);
    expect(world.asked()).toEqual([]);
    expect(world.refresher.isPaused()).toBe(true);
    expect((await ask(listEvents, world.app, WEEK)).accounts[0]?.status).toBe('stale');
    world.pause(false);
    await world.pass(10 * SECOND);
    expect(world.refresher.isPaused()).toBe(false);
  });
});

it('a look that fails is told by the next question, delays the next look and disturbs no other account', async () => {
  const world = await openWorld('both');
  await ask(listEvents, world.app, WEEK);
  world.sandbox.revoke('you@xebia.example');
  world.sandbox.expireAccessTokens();
  await world.pass(50 * SECOND);
  await world.pass(20 * SECOND);
  const answer = await ask(listEvents, world.app, WEEK);
  expect(answer.complete).toBe(false);
  expect(answer.accounts).toMatchObject([
    { account: 'xebia', status: 'needs-login' },
    { account: 'home', status: 'ok' },
  ]);
});

it('the interval follows who asks, what changes and what fails', () => {
  const usual = { askedAgo: 10 * SECOND, changed: false, failures: 0 };
  expect(intervalAfter(45_000, usual)).toBe(45_000);
  expect(intervalAfter(800_000, usual)).toBe(45_000);
  expect(intervalAfter(45_000, { ...usual, askedAgo: 6 * MINUTE })).toBe(90_000);
  expect(intervalAfter(90_000, { ...usual, askedAgo: 6 * MINUTE, changed: true })).toBe(90_000);
  // Shorter than what is kept is told, so that there is something to tell at once.
  expect(intervalAfter(400_000, { ...usual, askedAgo: 60 * MINUTE })).toBe(480_000);
  expect(intervalAfter(45_000, { ...usual, failures: 1 })).toBe(90_000);
  expect(intervalAfter(45_000, { ...usual, failures: 9 })).toBe(900_000);
  expect(intervalAfter(45_000, { ...usual, failures: 1, retryAfterMs: 3_600_000 })).toBe(3_600_000);
});
