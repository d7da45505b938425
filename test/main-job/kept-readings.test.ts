/** What was read for one question answers the next one: no longer than it may, and never past a change. */
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { openChangeStamp } from '../../src/io/change-stamp.ts';
import { createEvent } from '../../src/operations/create-event.ts';
import { findConflicts } from '../../src/operations/find-conflicts.ts';
import { findFreeTime } from '../../src/operations/find-free-time.ts';
import { getEvent } from '../../src/operations/get-event.ts';
import { getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { searchEvents } from '../../src/operations/search-events.ts';
import { updateEvent } from '../../src/operations/update-event.ts';
import { calendar, event, type Sandbox, singleMailbox } from '../../src/sandbox/index.ts';
import {
  cli,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';
import { ask } from '../operations/questions.ts';

const YOU = 'you@xebia.example';
const MINUTE = 60_000;

interface World {
  readonly sandbox: Sandbox;
  readonly app: App;
  readonly folder: string;
  /** Lets time pass, for whoever does not look at the wall. */
  pass(milliseconds: number): void;
  /** The clock of the machine is set, or it has slept. */
  jump(): void;
  /** The same person, at a machine that this one knows nothing of. */
  readonly elsewhere: App;
  /** Requests for events so far. */
  reads(): number;
}

const yamlOf = (sandbox: Sandbox, more = ''): string =>
  microsoftAccounts(sandbox, [{ ...XEBIA, username: YOU }]).replace(
    `username: ${YOU}`,
    `username: ${YOU}\n    access: write${more}`,
  );

async function openWorld(more = ''): Promise<World> {
  const sandbox = await openSandbox({
    data: singleMailbox(
      [
        calendar('Calendar', [event({ subject: 'Standup', start: '2026-11-24T09:00', end: '2026-11-24T09:15' })]),
        calendar('Side', []),
      ],
      YOU,
    ),
  });
  let passed = 0;
  let jumped = (): void => undefined;
  const keeping = {
    monotonic: () => performance.now() + passed,
    wall: () => Date.now() + passed,
    watchClocks: (onJump: () => void) => {
      jumped = onJump;
      return { check: () => undefined, end: () => undefined };
    },
  };
  const { app, folder } = await openTestApp(yamlOf(sandbox, more), { keeping });
  const { app: elsewhere } = await openTestApp(yamlOf(sandbox), { folder: await temporaryFolder() });
  await signIn(app, sandbox, 'xebia', YOU);
  await signIn(elsewhere, sandbox, 'xebia', YOU);
  return {
    sandbox,
    app,
    folder,
    elsewhere,
    pass: (milliseconds) => {
      passed += milliseconds;
    },
    jump: () => jumped(),
    reads: () => sandbox.requests.filter(({ path }) => /calendarView|\$batch/.test(path)).length,
  };
}

const titles = ({ events }: { events: readonly { title?: string | null | undefined }[] }): unknown[] =>
  events.map(({ title }) => title);

const newEvent = { title: 'Moved in', start: '2026-11-25T10:00', end: '2026-11-25T11:00', account: 'xebia' } as const;

describe('what was read for one question', () => {
  let world: World;

  it('answers the next ones about that week, of whatever kind, without a request', async () => {
    world = await openWorld();
    const first = await ask(listEvents, world.app, { range: 'this week' });
    expect(first.accounts).toMatchObject([{ status: 'ok', requests: 2 }]);
    expect(first.accounts[0]?.cached).toBeUndefined();
    const before = world.sandbox.requests.length;
    for (const range of ['this week', 'today', 'tomorrow', '2026-11-29']) {
      const again = await ask(listEvents, world.app, { range });
      expect(again.accounts, range).toMatchObject([{ status: 'ok', requests: 0, cached: true, calendars: 2 }]);
    }
    await ask(getFreeBusy, world.app, { range: 'today' });
    await ask(findConflicts, world.app, { range: 'this week' });
    expect(titles(await ask(listEvents, world.app, { range: '2026-11-24' }))).toEqual(['Standup']);
    expect(titles(await ask(listEvents, world.app, { range: '2026-11-25' }))).toEqual([]);
    expect(world.sandbox.requests.length).toBe(before);
  });

  it('is the same answer as a live one', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    for (const range of ['today', '2026-11-24', 'this week', '2026-11-29']) {
      const [kept, live] = [
        await ask(listEvents, world.app, { range }),
        await ask(listEvents, world.elsewhere, { range }),
      ];
      expect(kept.accounts[0]?.cached).toBe(true);
      expect({ ...kept, accounts: [] }).toEqual({ ...live, accounts: [] });
    }
  });

  it('is told by its age: asOf is the moment it was read at', async () => {
    let now = Date.parse('2026-11-23T08:00:00Z');
    const { Temporal } = await import('temporal-polyfill');
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]), {
      now: () => Temporal.Instant.fromEpochMilliseconds(now),
      keeping: {
        monotonic: () => now,
        wall: () => now,
        watchClocks: () => ({ check: () => undefined, end: () => undefined }),
      },
    });
    await signIn(app, sandbox, 'xebia', YOU);
    await ask(listEvents, app, { range: 'today' });
    now += 40_000;
    const { accounts } = await ask(listEvents, app, { range: 'today' });
    expect(accounts).toMatchObject([{ asOf: '2026-11-23T08:00:00Z', cached: true, status: 'ok' }]);
    expect(accounts[0]?.requests).toBe(0);
  });

  it('is good for a minute; a longer range is read anew at once', async () => {
    world = await openWorld();
    await ask(getFreeBusy, world.app, { range: 'this week' });
    world.pass(59_000);
    expect((await ask(getFreeBusy, world.app, { range: 'this week' })).accounts[0]?.cached).toBe(true);
    world.pass(2_000);
    expect((await ask(getFreeBusy, world.app, { range: 'this week' })).accounts[0]?.cached).toBeUndefined();
    expect((await ask(getFreeBusy, world.app, { range: 'next 30 days' })).accounts[0]?.cached).toBeUndefined();
    expect((await ask(getFreeBusy, world.app, { range: 'next week' })).accounts[0]?.cached).toBe(true);
  });

  it('is not told where somebody wants it live, or younger than it is', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    await ask(createEvent, world.elsewhere, newEvent);
    expect(titles(await ask(listEvents, world.app, { range: 'this week' }))).toEqual(['Standup']);
    expect(titles(await ask(listEvents, world.app, { range: 'this week', maxAgeSeconds: 0 }))).toEqual([
      'Standup',
      'Moved in',
    ]);
    world.pass(20_000);
    const before = world.reads();
    await ask(listEvents, world.app, { range: 'this week', maxAgeSeconds: 30 });
    expect(world.reads()).toBe(before);
    await ask(listEvents, world.app, { range: 'this week', maxAgeSeconds: 10 });
    expect(world.reads()).toBe(before + 1);
  });

  it('never answers where slots are proposed: they are free at this moment', async () => {
    world = await openWorld();
    const wish = { range: '2026-11-25', durationMinutes: 60, hours: '10:00-11:00' } as const;
    await ask(listEvents, world.app, { range: 'this week' });
    expect((await ask(findFreeTime, world.app, wish)).slots).toHaveLength(1);
    await ask(createEvent, world.elsewhere, newEvent);
    expect((await ask(findFreeTime, world.app, wish)).slots).toEqual([]);
    // And what that showed is what others are told from now on.
    expect(titles(await ask(listEvents, world.app, { range: '2026-11-25' }))).toEqual(['Moved in']);
  });

  it('is told as stale for ten minutes by the agenda alone, while it is read anew', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    await ask(createEvent, world.elsewhere, newEvent);
    world.pass(5 * MINUTE);
    const before = world.reads();
    const stale = await ask(listEvents, world.app, { range: 'this week' });
    expect(stale).toMatchObject({ complete: true, accounts: [{ status: 'stale', cached: true, requests: 0 }] });
    expect(stale.accounts[0]?.asOf).toBeDefined();
    expect(stale.accounts[0]?.message).toContain('read anew');
    expect(titles(stale)).toEqual(['Standup']);
    await expect.poll(() => world.reads()).toBe(before + 1);
    await expect
      .poll(async () => titles(await ask(listEvents, world.app, { range: 'this week' })))
      .toEqual(['Standup', 'Moved in']);
    world.pass(5 * MINUTE);
    expect((await ask(getFreeBusy, world.app, { range: 'this week' })).accounts).toMatchObject([{ status: 'ok' }]);
    expect((await ask(searchEvents, world.app, { query: 'standup' })).accounts).toMatchObject([{ status: 'ok' }]);
    world.pass(11 * MINUTE);
    expect((await ask(listEvents, world.app, { range: 'this week' })).accounts).toMatchObject([{ status: 'ok' }]);
  });

  it('is not told as stale once it could not be read anew: then the failure is told', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    world.sandbox.revoke(YOU);
    world.sandbox.expireAccessTokens();
    world.pass(2 * MINUTE);
    expect((await ask(listEvents, world.app, { range: 'this week' })).accounts[0]?.status).toBe('stale');
    await expect
      .poll(() =>
        ask(listEvents, world.app, { range: 'this week' }).then(
          ({ accounts }) => accounts,
          ({ code }) => code,
        ),
      )
      .toBe('AUTH_REQUIRED');
  });

  it('is not told after a change of one’s own, also where that failed', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    await ask(createEvent, world.app, newEvent);
    const after = await ask(listEvents, world.app, { range: 'this week' });
    expect(titles(after)).toEqual(['Standup', 'Moved in']);
    expect(after.accounts[0]?.cached).toBeUndefined();
    const id = after.events[1]?.id ?? '';
    await ask(getEvent, world.app, { id });
    world.sandbox.fail({ match: ({ method }) => method === 'PATCH', status: 403, times: 1 });
    await expect(ask(updateEvent, world.app, { id, title: 'Renamed' })).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await ask(listEvents, world.app, { range: 'this week' })).accounts[0]?.cached).toBeUndefined();
  });

  it('is not told after a change by another process of this machine', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    const stamp = openChangeStamp(join(world.folder, 'state'));
    const { app: here } = await openTestApp(yamlOf(world.sandbox), { folder: world.folder, changes: stamp });
    const { app: daemon } = await openTestApp(yamlOf(world.sandbox), {
      folder: world.folder,
      changes: stamp,
      keeping: {
        monotonic: () => performance.now(),
        wall: () => Date.now(),
        watchClocks: () => ({ check: () => undefined, end: () => undefined }),
      },
    });
    await ask(listEvents, daemon, { range: 'this week' });
    expect((await ask(listEvents, daemon, { range: 'this week' })).accounts[0]?.cached).toBe(true);
    await ask(createEvent, here, newEvent);
    expect(titles(await ask(listEvents, daemon, { range: 'this week' }))).toEqual(['Standup', 'Moved in']);
  });

  it('is not told to somebody who has signed in since, or after everybody has signed out', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    const { app: other } = await openTestApp(yamlOf(world.sandbox), { folder: world.folder });
    await other.account('xebia').signOut();
    await expect(ask(listEvents, world.app, { range: 'this week' })).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
  });

  it('is not told after the clock was set or the machine has slept', async () => {
    world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    world.jump();
    expect((await ask(listEvents, world.app, { range: 'this week' })).accounts[0]?.cached).toBeUndefined();
  });

  it('finds an event that was made elsewhere after the last reading, by its id', async () => {
    world = await openWorld();
    const made = await ask(createEvent, world.elsewhere, newEvent);
    await ask(listEvents, world.app, { range: 'this week' });
    const later = await ask(createEvent, world.elsewhere, {
      ...newEvent,
      title: 'Later',
      start: '2026-11-26T10:00',
      end: '2026-11-26T11:00',
    });
    for (const { event: listed } of [made, later])
      expect((await ask(getEvent, world.app, { id: listed?.id ?? '' })).event.title).toBe(listed?.title);
  });

  it('is kept nowhere with cache: off', async () => {
    world = await openWorld('\n    cache: off');
    for (let round = 0; round < 2; round++)
      expect((await ask(listEvents, world.app, { range: 'today' })).accounts[0]?.cached).toBeUndefined();
    expect(world.reads()).toBe(2);
  });

  it('with a calendar that fails now is read again at the next question', async () => {
    world = await openWorld();
    world.sandbox.fail({ match: ({ path }) => path.includes('calendarView'), inBatch: true, status: 400, times: 1 });
    const partial = await ask(listEvents, world.app, { range: 'this week' });
    expect(partial.accounts[0]?.status).toBe('partial');
    const whole = await ask(listEvents, world.app, { range: 'this week' });
    expect(whole).toMatchObject({ complete: true, accounts: [{ status: 'ok' }] });
    expect(whole.accounts[0]?.cached).toBeUndefined();
  });
});

describe('with cache: sealed', () => {
  const clocks = (passed = 0) => ({
    monotonic: () => performance.now(),
    wall: () => Date.now() + passed,
    watchClocks: () => ({ check: () => undefined, end: () => undefined }),
  });

  async function openSealed(): Promise<World & { again(passed?: number): Promise<App> }> {
    const world = await openWorld('\n    cache: sealed');
    const changes = openChangeStamp(join(world.folder, 'state'));
    const yaml = yamlOf(world.sandbox, '\n    cache: sealed');
    return {
      ...world,
      again: async (passed = 0) =>
        (await openTestApp(yaml, { folder: world.folder, changes, keeping: clocks(passed) })).app,
    };
  }

  it('the next start tells what the last one read, by its age', async () => {
    const world = await openSealed();
    const first = await world.again();
    await ask(listEvents, first, { range: 'this week' });
    await first.close();
    const before = world.sandbox.requests.length;
    const kept = await ask(listEvents, await world.again(), { range: 'this week' });
    expect(kept.accounts).toMatchObject([{ cached: true, requests: 0 }]);
    expect(titles(kept)).toEqual(['Standup']);
    expect(world.sandbox.requests.length).toBe(before);
    expect((await ask(listEvents, await world.again(5 * MINUTE), { range: 'this week' })).accounts[0]?.status).toBe(
      'stale',
    );
    // Too old, and from the future as a clock that was set back would have it: neither is told.
    for (const passed of [11 * MINUTE, -24 * 60 * MINUTE])
      expect(
        (await ask(listEvents, await world.again(passed), { range: 'this week' })).accounts[0]?.cached,
      ).toBeUndefined();
  });

  it('no word of it can be read on disk, and nothing stays after a change, a sign-out or the removal of the account', async () => {
    const world = await openSealed();
    const state = join(world.folder, 'state');
    const filled = async (): Promise<void> => {
      const app = await world.again();
      await ask(listEvents, app, { range: 'this week' });
      await app.close();
    };
    const isTold = async (): Promise<boolean> => {
      const app = await world.again();
      const told = await ask(listEvents, app, { range: 'this week' }).then(
        ({ accounts }) => accounts[0]?.cached === true,
        () => false,
      );
      return told;
    };
    await filled();
    for (const name of await readdir(state))
      expect(await readFile(join(state, name), 'latin1')).not.toContain('Standup');
    expect(await isTold()).toBe(true);
    await openChangeStamp(state).note();
    expect(await isTold()).toBe(false);

    await filled();
    const sealed = async (): Promise<number> =>
      (await readdir(state)).filter((name) => name.endsWith('.sealed')).length;
    const before = await sealed();
    const app = await world.again();
    await app.account('xebia').signOut();
    expect(await sealed()).toBe(before - 2);
    expect(await isTold()).toBe(false);
  });

  it('goes with the account that is taken out of accounts.yaml', async () => {
    const world = await openSealed();
    const app = await world.again();
    await ask(listEvents, app, { range: 'this week' });
    await app.close();
    const state = join(world.folder, 'state');
    const sealed = async (): Promise<number> =>
      (await readdir(state)).filter((name) => name.endsWith('.sealed')).length;
    expect(await sealed()).toBe(2);
    await writeAccounts(world.folder, yamlOf(world.sandbox, '\n    cache: sealed'));
    expect((await cli(world.folder, ['accounts', 'remove', 'xebia', '--yes'])).status).toBe(0);
    expect(await sealed()).toBe(1);
  });

  it('a damaged file is read past, and a full disk keeps nobody from an answer', async () => {
    const world = await openSealed();
    const app = await world.again();
    await ask(listEvents, app, { range: 'this week' });
    await app.close();
    const state = join(world.folder, 'state');
    const name = `${createHash('sha256').update('readings_xebia').digest('hex')}.sealed`;
    await writeFile(join(state, name), 'nonsense');
    const next = await world.again();
    expect((await ask(listEvents, next, { range: 'this week' })).accounts).toMatchObject([{ status: 'ok' }]);
  });
});

describe('many questions at one moment', () => {
  it('are one reading, which goes on as long as one of them is waited for', async () => {
    const world = await openWorld();
    await ask(listEvents, world.app, { range: 'next month' });
    const before = world.reads();
    world.sandbox.fail({ match: ({ path }) => /calendarView|batch/.test(path), delayMs: 150, times: 1 });
    const first = new AbortController();
    const asked = [first.signal, ...Array.from({ length: 15 }, () => new AbortController().signal)].map((signal) =>
      listEvents.run(world.app, listEvents.input.parse({ range: 'this week' }), { signal }),
    );
    setTimeout(() => first.abort(new Error('not wanted any more')), 50);
    const answers = await Promise.allSettled(asked);
    expect(answers[0]?.status).toBe('rejected');
    expect(answers.slice(1).every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(world.reads()).toBe(before + 1);
    expect(world.app.account('xebia').readings.stats()).toMatchObject({ joined: 15 });
  });

  it('end their request when nobody waits any more', async () => {
    const world = await openWorld();
    await ask(listEvents, world.app, { range: 'next month' });
    let ended = false;
    world.sandbox.fail({ match: ({ path }) => /calendarView|batch/.test(path), hang: true, times: 1 });
    const gone = new AbortController();
    const before = world.reads();
    const asked = [1, 2].map(() =>
      listEvents.run(world.app, listEvents.input.parse({ range: 'this week' }), { signal: gone.signal }),
    );
    await expect.poll(() => world.reads(), { interval: 5 }).toBe(before + 1);
    gone.abort(new Error('not wanted any more'));
    for (const each of asked) await expect(each).rejects.toThrow();
    ended = true;
    // The fault held the connection until the client closed it: the next question is served at once.
    const started = performance.now();
    expect((await ask(listEvents, world.app, { range: 'this week' })).complete).toBe(true);
    expect(ended && performance.now() - started).toBeLessThan(5_000);
  });

  it('that must be live do not share one that had begun before', async () => {
    const world = await openWorld();
    await ask(listEvents, world.app, { range: 'this week' });
    const before = world.reads();
    world.sandbox.fail({ match: ({ path }) => /calendarView|batch/.test(path), delayMs: 100, times: 2 });
    const live = { range: 'this week', maxAgeSeconds: 0 } as const;
    const one = ask(listEvents, world.app, live);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await Promise.all([one, ask(listEvents, world.app, live)]);
    expect(world.reads()).toBe(before + 2);
  });
});
