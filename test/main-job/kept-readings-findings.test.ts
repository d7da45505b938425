/** Ways in which what was kept could be told wrongly: each was one once, or was looked for. */
import { readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../src/accounts/load.ts';
import { startRefresher } from '../../src/accounts/refresher.ts';
import { type App, openApp } from '../../src/accounts/registry.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import type { Calendar, CalendarEvent } from '../../src/core/event.ts';
import type { CalendarRead, Call, Logger, ProviderDefinition } from '../../src/core/provider.ts';
import { type ChangeStamp, openChangeStamp } from '../../src/io/change-stamp.ts';
import { openSecretStores } from '../../src/io/secret-store.ts';
import { createEvent } from '../../src/operations/create-event.ts';
import { getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { listCalendars } from '../../src/operations/list-calendars.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { event as anyEvent } from '../core/events.ts';
import { NOW, noChildren, openCall, openSandbox, openTestApp, silentLog, temporaryFolder } from '../harness.ts';
import { ask, openAccounts } from '../operations/questions.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const WEEK = { range: 'this week' } as const;

const calendarOf = (id: string): Calendar => ({ id, name: id, isDefault: id === 'events', access: 'write' });

/** A backend that several processes ask, and that a test tells what to say. */
interface Backend {
  /** Titles of what is at Tuesday 09:00, by calendar. */
  readonly titles: Map<string, string[]>;
  /** Of readings so far. */
  reads: number;
  /** Called before calendars are listed. */
  list(): Promise<void> | void;
  /** Called before a reading answers, with how many there were before. */
  before(call: Call, reads: number): Promise<void> | void;
  /** Whose answer is an error. */
  readonly failing: Map<string, CalmcpError>;
  extra: readonly CalendarEvent[];
  /** Nothing is known of the time before it, in epoch milliseconds. */
  since: number;
}

function openBackend(): Backend {
  return {
    titles: new Map([['events', ['Standup']]]),
    reads: 0,
    list: () => undefined,
    before: () => undefined,
    failing: new Map(),
    extra: [],
    since: 0,
  };
}

const AT = { start: Date.parse('2026-11-24T08:00:00Z'), end: Date.parse('2026-11-24T09:00:00Z') };

function providerOf(backends: Readonly<Record<string, Backend>>): ProviderDefinition {
  const backendOf = (options: unknown): Backend =>
    backends[(options as { where: string }).where] ??
    (() => {
      throw new TypeError('no such backend');
    })();
  const provider: ProviderDefinition = {
    type: 'scripted',
    title: 'behaves as a test tells it',
    options: z.strictObject({ where: z.string() }),
    signInMethods: () => ['browser'],
    // As a child server does it, whose sign-in is its own.
    signIn: async () => ({ id: '1', username: 'somebody' }),
    async open(options, { account }) {
      const backend = backendOf(options);
      return {
        async listCalendars() {
          await backend.list();
          return [...backend.titles.keys()].map(calendarOf);
        },
        async readCalendars(calendars, range, call) {
          const reads = backend.reads++;
          const told = calendars.map((calendar): CalendarRead => {
            const error = backend.failing.get(calendar.id);
            if (error !== undefined) return { calendar, error };
            const events = (backend.titles.get(calendar.id) ?? []).map((title, index) =>
              anyEvent({
                account,
                calendar,
                id: `${title} ${index}`,
                title,
                start: { kind: 'timed', epochMs: AT.start, zone: 'UTC' },
                end: { kind: 'timed', epochMs: AT.end, zone: 'UTC' },
              }),
            );
            const problems =
              range.start < backend.since ? [new CalmcpError('BAD_RESPONSE', 'tells a part of this range only')] : [];
            return { calendar, asOf: Date.parse(NOW), events: [...events, ...backend.extra], problems };
          });
          await backend.before(call, reads);
          return told;
        },
      };
    },
  };
  return provider;
}

interface Process {
  readonly app: App;
  apply(accounts: string): void;
}

interface Machine {
  readonly stamp: ChangeStamp;
  pass(milliseconds: number): void;
  readonly monotonic: () => number;
  start(accounts: string, more?: { readonly log?: Logger }): Process;
  sealedFiles(): Promise<number>;
}

async function openMachine(backends: Readonly<Record<string, Backend>>): Promise<Machine> {
  const folder = await temporaryFolder();
  const state = join(folder, 'state');
  let passed = 0;
  const monotonic = (): number => performance.now() + passed;
  const provider = providerOf(backends);
  const configOf = (accounts: string) =>
    parseConfig(
      {
        name: 'accounts.yaml',
        text: `version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:\n${accounts}`,
        env: {},
        readReference: () => undefined,
      },
      [provider],
    );
  const stamp = openChangeStamp(state);
  const now = Temporal.Instant.from(NOW);
  return {
    stamp,
    monotonic,
    pass: (milliseconds) => {
      passed += milliseconds;
    },
    start(accounts, { log = silentLog } = {}) {
      const secrets = openSecretStores({ folder: state, keystore: 'keyfile' });
      const app = openApp({
        config: configOf(accounts),
        secrets: (key) => secrets.scope(key),
        fetch: () => {
          throw new TypeError('no network');
        },
        readFile: async () => [],
        now: () => now,
        systemTimeZone: 'Europe/Amsterdam',
        children: noChildren,
        log,
        sign: async (text) => String(text.length),
        changes: stamp,
        keeping: {
          monotonic,
          wall: () => Date.now() + passed,
          watchClocks: () => ({ check: () => undefined, end: () => undefined }),
        },
      });
      onTestFinished(() => app.close());
      return { app, apply: (changed) => app.apply(configOf(changed)) };
    },
    sealedFiles: async () => (await readdir(state).catch(() => [])).filter((name) => name.endsWith('.sealed')).length,
  };
}

const titles = ({ events }: { events: readonly { title?: string | null | undefined }[] }): unknown[] =>
  events.map(({ title }) => title).sort();

const SEALED = '  work: { provider: scripted, where: here, cache: sealed }\n';
const PLAIN = '  work: { provider: scripted, where: here }\n';
const OFF = '  work: { provider: scripted, where: here, cache: off }\n';

describe('what is sealed', () => {
  it('is not told any more after a change by another process, also when it is sealed after that', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const { app } = machine.start(SEALED);
    await ask(listEvents, app, WEEK);
    here.titles.set('events', ['Standup', 'Written by a command']);
    await machine.stamp.note();
    await app.close();
    expect(titles(await ask(listEvents, machine.start(SEALED).app, WEEK))).toEqual(['Standup', 'Written by a command']);
  });

  it('is not told after such a change either where it was opened before the first question about events', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const first = machine.start(SEALED).app;
    await ask(listEvents, first, WEEK);
    await first.close();
    const { app } = machine.start(SEALED);
    await ask(listCalendars, app, {});
    here.titles.set('events', ['Moved']);
    await machine.stamp.note();
    expect(titles(await ask(listEvents, app, WEEK))).toEqual(['Moved']);
  });

  it('is not told of an account that was made anew under the same id, of another backend or with less access', async () => {
    const [here, there] = [openBackend(), openBackend()];
    there.titles.set('events', ['Of another person']);
    const machine = await openMachine({ here, there });
    const { app } = machine.start(SEALED);
    await ask(listEvents, app, WEEK);
    await app.close();
    const other = machine.start(SEALED.replace('where: here', 'where: there')).app;
    expect(titles(await ask(listEvents, other, WEEK))).toEqual(['Of another person']);
    await other.close();
    const less = machine.start(SEALED.replace('where: there', 'where: here').replace('}', ', access: busy }')).app;
    expect((await ask(listEvents, less, WEEK)).accounts[0]?.cached).toBeUndefined();
  });

  it('goes when accounts.yaml says that nothing is to be sealed any more', async () => {
    const machine = await openMachine({ here: openBackend() });
    for (const changed of [PLAIN, OFF]) {
      const { app, apply } = machine.start(SEALED);
      await ask(listEvents, app, WEEK);
      apply(changed);
      await expect.poll(() => machine.sealedFiles()).toBe(0);
      await ask(listEvents, app, WEEK);
      await app.close();
      expect(await machine.sealedFiles()).toBe(0);
    }
  });

  it('goes with a sign-out also where it was sealed before accounts.yaml was changed', async () => {
    const machine = await openMachine({ here: openBackend() });
    const { app } = machine.start(SEALED);
    await ask(listEvents, app, WEEK);
    await app.close();
    expect(await machine.sealedFiles()).toBe(1);
    await machine.start(PLAIN).app.account('work').signOut();
    expect(await machine.sealedFiles()).toBe(0);
  });

  it('does not come back with a question that was under way when its account was removed', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const { app, apply } = machine.start(SEALED);
    let release: (() => void) | undefined;
    here.list = () => new Promise<void>((resolve) => (release = resolve));
    const asked = ask(listEvents, app, WEEK);
    await expect.poll(() => release).toBeDefined();
    const { readings } = app.account('work');
    apply('  other: { provider: scripted, where: here }\n');
    await new Promise((resolve) => setTimeout(resolve, 20));
    release?.();
    expect(titles(await asked)).toEqual(['Standup']);
    expect(readings.stats()).toMatchObject({ kept: 0, events: 0 });
    await app.close();
    expect(await machine.sealedFiles()).toBe(0);
  });
});

describe('what is kept', () => {
  it('does not hide an event whose time is none: its calendar is unknown, as in a live answer', async () => {
    const here = openBackend();
    here.extra = [
      anyEvent({
        account: 'work',
        calendar: calendarOf('events'),
        id: 'none',
        start: { kind: 'timed', epochMs: Number.NaN, zone: 'UTC' },
        end: { kind: 'timed', epochMs: Number.NaN, zone: 'UTC' },
      }),
    ];
    here.titles.set('second', ['Fine']);
    for (const cache of [OFF, PLAIN, SEALED]) {
      const { app } = (await openMachine({ here })).start(cache);
      for (const _round of [1, 2]) {
        const answer = await ask(listEvents, app, WEEK).catch((error: unknown) => error as CalmcpError);
        expect(answer, cache).toMatchObject({ code: 'BAD_RESPONSE' });
      }
    }
  });

  it('does not go back to the time before a change that was seen, with a longer reading that took longer', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const { app } = machine.start(PLAIN);
    let release = (): void => undefined;
    here.before = (_call, reads) => (reads === 0 ? new Promise<void>((resolve) => (release = resolve)) : undefined);
    const long = ask(getFreeBusy, app, { range: 'next 30 days' });
    await expect.poll(() => here.reads).toBe(1);
    machine.pass(10);
    here.titles.set('events', ['Standup', 'New']);
    expect(titles(await ask(listEvents, app, { ...WEEK, maxAgeSeconds: 0 }))).toEqual(['New', 'Standup']);
    release();
    await long;
    expect(titles(await ask(listEvents, app, { range: 'next 30 days' }))).toEqual(['New', 'Standup']);
  });

  it('is read anew once for all who are told the older one at one moment', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const { app } = machine.start(PLAIN);
    await ask(listEvents, app, WEEK);
    machine.pass(5 * MINUTE);
    here.before = () => new Promise((resolve) => setTimeout(resolve, 20));
    const { readings } = app.account('work');
    const range = { ...AT, timeZone: 'UTC' };
    const answers = await Promise.all(
      Array.from({ length: 16 }, () =>
        readings.read([calendarOf('events')], range, 'agenda', { maxAgeMs: MINUTE, staleMs: 10 * MINUTE }, openCall()),
      ),
    );
    expect(new Set(answers.map(({ origin }) => origin))).toEqual(new Set(['stale']));
    await expect.poll(async () => (await ask(listEvents, app, WEEK)).accounts[0]?.status).toBe('ok');
    expect(here.reads).toBe(2);
  });

  it('is not told after a sign-in, also where that is a child server’s own', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const [{ app }, { app: command }] = [machine.start(PLAIN), machine.start(PLAIN)];
    const prompts = {
      method: 'browser' as const,
      deviceCode: () => undefined,
      openUrl: async () => undefined,
      pasteAnswer: async () => '',
    };
    for (const signingIn of [app, command]) {
      await ask(listEvents, app, WEEK);
      expect((await ask(listEvents, app, WEEK)).accounts[0]?.cached).toBe(true);
      await signingIn.account('work').signIn(prompts, openCall());
      here.titles.set('events', ['Of whoever signed in']);
      expect(titles(await ask(listEvents, app, WEEK))).toEqual(['Of whoever signed in']);
    }
  });

  it('names no account in the log when it is read anew for somebody who may not know it', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const said: string[] = [];
    const note = (message: string, details?: object): void => void said.push(`${message} ${JSON.stringify(details)}`);
    const log: Logger = { error: note, warn: note, info: note, debug: note };
    const accounts = '  secret-client: { provider: scripted, where: here, client: initech, share: busy }\n';
    const { app } = machine.start(accounts, { log });
    await ask(listEvents, app, { ...WEEK, audience: 'acme' });
    machine.pass(5 * MINUTE);
    let failed = false;
    here.before = () => {
      failed = true;
      throw new CalmcpError('UNAVAILABLE', 'is down');
    };
    expect((await ask(listEvents, app, { ...WEEK, audience: 'acme' })).accounts[0]?.status).toBe('stale');
    await expect.poll(() => failed).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(said.join('\n')).not.toContain('secret-client');
  });
});

describe('a reading of whole weeks of which a part is not known', () => {
  it('says nothing of the day that is asked about, if that is known', async () => {
    const here = openBackend();
    here.since = Date.parse('2026-11-23T00:00:00Z');
    const machine = await openMachine({ here });
    for (const cache of [OFF, PLAIN, SEALED]) {
      const { app } = machine.start(cache);
      for (const _round of [1, 2]) {
        expect((await ask(listEvents, app, { range: '2026-11-24' })).accounts, cache).toMatchObject([{ status: 'ok' }]);
        expect((await ask(listEvents, app, { range: '2026-11-22' })).accounts, cache).toMatchObject([
          { status: 'partial' },
        ]);
      }
    }
  });

  it('is read once where there is nothing amiss, and twice at most', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const { app } = machine.start(PLAIN);
    for (const range of ['2026-11-24', '2026-11-25']) await ask(listEvents, app, { range });
    expect(here.reads).toBe(1);
    here.since = Date.parse('2026-12-24T00:00:00Z');
    await ask(listEvents, app, { range: '2026-11-24', maxAgeSeconds: 0 });
    expect(here.reads).toBe(3);
    expect((await ask(listEvents, app, { range: '2026-11-24' })).accounts).toMatchObject([
      { status: 'partial', cached: true },
    ]);
    expect(here.reads).toBe(3);
    machine.pass(2 * MINUTE);
    here.before = () => new Promise((resolve) => setTimeout(resolve, 20));
    const { readings } = app.account('work');
    const day = { ...AT, timeZone: 'UTC' };
    await Promise.all(
      Array.from({ length: 16 }, () =>
        readings.read([calendarOf('events')], day, 'agenda', { maxAgeMs: MINUTE }, openCall()),
      ),
    );
    expect(here.reads).toBe(5);
  });
});

it('a feed is fetched once for the first question, though its list of calendars is made from it as well', async () => {
  const sandbox = await openSandbox();
  const keeping = {
    monotonic: () => performance.now(),
    wall: () => Date.now(),
    watchClocks: () => ({ check: () => undefined, end: () => undefined }),
  };
  const app = await openAccounts(
    `  feed: { provider: ics, url: "${sandbox.origin}/feeds/community.ics" }\n`,
    {},
    { keeping },
  );
  const requests = async (maxAgeSeconds: number): Promise<unknown> =>
    (await ask(listEvents, app, { ...WEEK, maxAgeSeconds })).accounts[0]?.requests;
  expect([await requests(60), await requests(60), await requests(0)]).toEqual([1, 0, 1]);
  expect(sandbox.requests.filter(({ path }) => path.startsWith('/feeds/'))).toHaveLength(2);
});

describe('looks in the background', () => {
  function refresherOf({ app }: Process, { monotonic }: Machine) {
    const refresher = startRefresher({
      accounts: () => app.accounts,
      monotonic,
      isPaused: async () => false,
      log: silentLog,
      closed: new AbortController().signal,
      random: () => 1,
    });
    refresher.end();
    return refresher;
  }

  it('are as far apart after one calendar of several could not be read as after a failure of all', async () => {
    const here = openBackend();
    here.titles.set('second', []);
    const machine = await openMachine({ here });
    const world = machine.start(PLAIN);
    const refresher = refresherOf(world, machine);
    await ask(listEvents, world.app, WEEK);
    here.failing.set('second', new CalmcpError('UNAVAILABLE', 'is down'));
    for (let tick = 0; tick < 24; tick++) {
      machine.pass(5 * SECOND);
      await refresher.tick();
    }
    // The first answer, and a look after 45 s; the next one after 90 s more.
    expect(here.reads).toBe(2);
    expect((await ask(listEvents, world.app, WEEK)).accounts[0]?.status).toBe('partial');
  });

  it('keep up what nobody asked about for an hour, and are as close as ever when somebody asks again', async () => {
    const here = openBackend();
    const machine = await openMachine({ here });
    const world = machine.start(PLAIN);
    const refresher = refresherOf(world, machine);
    const pass = async (milliseconds: number): Promise<void> => {
      for (let left = milliseconds; left > 0; left -= 5 * SECOND) {
        machine.pass(5 * SECOND);
        await refresher.tick();
        for (const { readings } of world.app.accounts) readings.sweep();
      }
    };
    await ask(listEvents, world.app, WEEK);
    await pass(60 * MINUTE);
    const { accounts } = await ask(listEvents, world.app, WEEK);
    expect(accounts[0]?.cached).toBe(true);
    await pass(2 * MINUTE);
    expect((await ask(listEvents, world.app, WEEK)).accounts[0]).toMatchObject({ status: 'ok', cached: true });
  });
});

it('a file of this machine is read for every question, and what was made here is told at once', async () => {
  const keeping = {
    monotonic: () => performance.now(),
    wall: () => Date.now(),
    watchClocks: () => ({ check: () => undefined, end: () => undefined }),
  };
  const folder = await temporaryFolder();
  const fileOf = (title: string): string =>
    `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:20261124T080000Z\r\nDTEND:20261124T090000Z\r\nSUMMARY:${title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
  await writeFile(join(folder, 'own.ics'), fileOf('Before'));
  const app = await openAccounts(
    `  file: { provider: ics, path: ${JSON.stringify(join(folder, 'own.ics'))} }\n  written: { provider: memory, access: write }\n`,
    {},
    { keeping },
  );
  expect(titles(await ask(listEvents, app, WEEK))).toEqual(['Before']);
  await writeFile(join(folder, 'own.ics'), fileOf('After'));
  await ask(createEvent, app, {
    account: 'written',
    title: 'Made',
    start: '2026-11-25T10:00',
    end: '2026-11-25T11:00',
  });
  expect(titles(await ask(listEvents, app, WEEK))).toEqual(['After', 'Made']);
  await writeFile(join(folder, 'own.ics'), fileOf('Later'));
  const answer = await ask(listEvents, app, WEEK);
  expect(titles(answer)).toEqual(['Later', 'Made']);
  expect(answer.accounts.some(({ cached }) => cached)).toBe(false);
});

it('a live question is not told from a feed that was fetched before it was asked', async () => {
  let title = 'old';
  const server = createServer((_request, response) => {
    const text = [
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:x',
      'BEGIN:VEVENT',
      'UID:1',
      'DTSTAMP:20260101T000000Z',
      'DTSTART:20261123T100000Z',
      'DTEND:20261123T110000Z',
      `SUMMARY:${title}`,
      'END:VEVENT',
      'END:VCALENDAR',
      '',
    ].join('\r\n');
    setTimeout(() => response.writeHead(200, { 'content-type': 'text/calendar' }).end(text), 400);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const { app } = await openTestApp(
    `version: 1\naccounts:\n  feed: { provider: ics, url: "http://127.0.0.1:${port}/a.ics" }\n`,
    {
      keeping: {
        monotonic: () => performance.now(),
        wall: () => Date.now(),
        watchClocks: () => ({ check: () => undefined, end: () => undefined }),
      },
    },
  );
  const live = listEvents.input.parse({ range: '2026-11-23', timeZone: 'UTC', maxAgeSeconds: 0 });
  const gone = new AbortController();
  const first = listEvents.run(app, live, { signal: gone.signal }).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 200));
  title = 'new';
  const second = listEvents.run(app, live, { signal: new AbortController().signal });
  await new Promise((resolve) => setTimeout(resolve, 50));
  gone.abort(new Error('given up'));
  await first;
  expect((await second).events.map((event) => event.title)).toEqual(['new']);
});
