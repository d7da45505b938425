/** The clock of the machine is set by a day and more, forward and back, while calmcp runs: as processes see it. */
import { execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { listLeases } from '../../src/io/child-lease.ts';
import { childrenFolder } from '../../src/io/child-servers.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import { homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
import { commandOf, withChild } from '../children.ts';
import {
  builtEnvironment,
  googleAccounts,
  googleSignIn,
  joinAccounts,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';
import { ask } from '../operations/questions.ts';
import { type MovableClock, openMovableClock, whyNoMovableClock } from './movable-clock.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const run = promisify(execFile);
const DAY = 86_400_000;
/** Wednesday morning in the week of the sandbox, so that a day is one with meetings wherever a clock jumps to. */
const BEGINS = '2026-11-25T08:00:00Z';

type Env = Readonly<Record<string, string>>;

interface World {
  readonly sandbox: Sandbox;
  readonly clock: MovableClock;
  readonly folder: string;
  readonly env: Env;
  /** Another program of the same person, with a folder of its own and a clock that is only told to it: what is right. */
  readonly oracle: App;
}

const feedOf = ({ origin }: Sandbox): string => `  club: { provider: ics, url: "${origin}/feeds/community.ics" }\n`;

function yamlOf(sandbox: Sandbox): string {
  return (
    joinAccounts(
      microsoftAccounts(sandbox, [XEBIA, MARIMER]),
      googleAccounts(sandbox, [{ id: 'casa', ...homeGoogleClient }]),
    ) + feedOf(sandbox)
  );
}

async function signInToAll(app: App, sandbox: Sandbox): Promise<void> {
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await signIn(app, sandbox, 'marimer', 'you@marimer.example');
  await googleSignIn(app, sandbox, 'casa', 'you@home.example');
}

/** @param change what accounts.yaml has besides, for calmcp and not for the oracle */
async function openWorld(change: (yaml: string, world: Pick<World, 'sandbox' | 'env'>) => string): Promise<World> {
  const sandbox = await openSandbox({ googleRotatesRefreshTokens: true });
  const folder = await temporaryFolder();
  const clock = await openMovableClock(folder, BEGINS);
  const { CALMCP_NOW: _fixed, ...own } = builtEnvironment(folder);
  const env = { ...own, ...clock.env, TMPDIR: folder };
  const yaml = yamlOf(sandbox);
  const changed = change(yaml, { sandbox, env: clock.env });
  const { app } = await openTestApp(changed, { folder });
  await signInToAll(app, sandbox);
  await app.close();
  await writeAccounts(folder, changed);
  const { app: oracle } = await openTestApp(yaml, {
    now: () => Temporal.Instant.fromEpochMilliseconds(clock.now()),
  });
  await signInToAll(oracle, sandbox);
  return { sandbox, clock, folder, env, oracle };
}

async function openClient({ env }: World, args: readonly string[] = []): Promise<Client> {
  const client = new Client({ name: 'calmcp-test', version: '0' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [bin, 'mcp', ...args],
      env: { ...env },
      stderr: 'ignore',
    }),
  );
  onTestFinished(() => client.close());
  return client;
}

async function agendaOf(client: Client, range: string): Promise<Agenda> {
  const { isError, content, structuredContent } = await client.callTool({
    name: 'list_events',
    arguments: { range, detail: 'full' },
  });
  expect(isError, JSON.stringify(content)).toBeFalsy();
  return structuredContent as Agenda;
}

async function startDaemon({ env }: World): Promise<void> {
  const daemon = spawn(process.execPath, [bin, 'daemon', 'run'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void daemon.kill('SIGKILL'));
  let said = '';
  await new Promise<void>((resolve, reject) => {
    daemon.once('exit', (code) => reject(new Error(`the daemon ended (${code}): ${said}`)));
    daemon.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
      if (said.includes('listens at')) resolve();
    });
  });
}

/** What all answers have in common, be they for a model, which says times in short, or for a script. */
const inShort = ({ range, events, complete }: Pick<Agenda, 'range' | 'events' | 'complete'>): unknown => ({
  complete,
  range: [range.start, range.end].map((time) => Date.parse(time)),
  events: events.map(({ title, start }) => [title, Date.parse(start)]),
});

const ACCOUNTS = ['xebia', 'marimer', 'casa', 'club'];

/** Watches which refresh tokens are redeemed from now on, and whose. */
function watchRefreshes({ redemptions, google }: Sandbox): () => { readonly who: string; readonly outcome: string }[] {
  const before = [redemptions.length, google.redemptions.length];
  return () =>
    [...redemptions.slice(before[0]), ...google.redemptions.slice(before[1])].flatMap(
      ({ grant, username = '', outcome }) => (grant === 'refresh_token' ? [{ who: username, outcome }] : []),
    );
}

/** What is answered right after a jump is complete, right and newly read, and costs each account one refresh at most. */
async function checkAnswers(
  world: World,
  step: string,
  clients: readonly ((range: string) => Promise<Agenda>)[],
): Promise<void> {
  const { sandbox, clock, oracle } = world;
  const refreshes = watchRefreshes(sandbox);
  const first = await Promise.all(
    clients.flatMap((client) => ['today', 'tomorrow'].map(async (range) => ({ range, agenda: await client(range) }))),
  );
  const now = clock.now();
  const since = refreshes();
  expect(
    since.filter(({ outcome }) => outcome !== 'ok'),
    step,
  ).toEqual([]);
  expect(new Set(since.map(({ who }) => who)).size, `${step}: ${JSON.stringify(since)}`).toBe(since.length);
  for (const { range, agenda } of first) {
    expect(agenda.accounts.map(({ account, status }) => [account, status])).toEqual(
      ACCOUNTS.map((account) => [account, 'ok']),
    );
    for (const { account, asOf = '' } of agenda.accounts) {
      const age = now - Date.parse(asOf);
      expect(age, `${step}: ${account} is as of ${asOf}`).toBeGreaterThan(-1_000);
      expect(age, `${step}: ${account} is as of ${asOf}`).toBeLessThan(20_000);
    }
    const right = await ask(listEvents, oracle, { range });
    expect(right.events.length, step).toBeGreaterThan(0);
    expect(inShort(agenda), `${step}: ${range}`).toEqual(inShort(right));
  }
}

/** A day forward, back, and back again; between the jumps all is as ever. */
async function jumpAbout(world: World, clients: readonly ((range: string) => Promise<Agenda>)[]): Promise<void> {
  const { clock, sandbox } = world;
  const [client] = clients;
  if (client === undefined) throw new RangeError('no client');
  await checkAnswers(world, 'at the beginning', clients);
  // The second jump back leads to tokens that are good for days, as far as that clock knows: the vendors refuse them.
  for (const [days, areExpired] of [
    [1, false],
    [-1, false],
    [-1, true],
    [1, false],
  ] as const) {
    const step = `${days} day${areExpired ? ', tokens that are none any more' : ''}`;
    const again = await client('today');
    expect(
      again.accounts.map(({ cached }) => cached),
      step,
    ).toEqual(ACCOUNTS.map(() => true));
    await clock.jump(days * DAY);
    if (areExpired) sandbox.expireAccessTokens();
    const asked = sandbox.requests.length;
    await checkAnswers(world, step, clients);
    // The events of this week were in memory, and today's are among them.
    expect(sandbox.requests.length, step).toBeGreaterThan(asked);
  }
}

const withChildServer = (yaml: string, { sandbox, env }: Pick<World, 'sandbox' | 'env'>): string => {
  // It is given no environment but its own, and shares the clock of the machine all the same.
  const clock = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  // Over HTTP it is told its token with each request: one that has it from its environment ends with it.
  const command = ['/usr/bin/env', ...clock, ...commandOf('ms-365', sandbox)];
  return withChild(yaml, `child: ${JSON.stringify({ server: 'ms-365', transport: 'http', command })}`, ['marimer']);
};

async function childPids({ folder }: World): Promise<(number | undefined)[]> {
  const leases = await listLeases(childrenFolder(join(folder, 'state')));
  return leases.map(({ lease }) => lease.process?.pid);
}

const isCi = process.env.CI !== undefined;

test.runIf(isCi)('CI moves clocks', () => {
  expect(whyNoMovableClock).toBeUndefined();
});

describe.skipIf(whyNoMovableClock !== undefined)(
  `a clock that is set by a day${whyNoMovableClock ? ` (skipped: ${whyNoMovableClock})` : ''}`,
  () => {
    test('makes two programs that run alone read anew, with one refresh, and their child server stays', async () => {
      const world = await openWorld(withChildServer);
      const clients = [await openClient(world, ['--no-daemon']), await openClient(world, ['--no-daemon'])];
      const asking = clients.map((client) => (range: string) => agendaOf(client, range));
      await Promise.all(asking.map((each) => each('today')));
      const pids = await childPids(world);
      expect(pids).toEqual([expect.any(Number), expect.any(Number)]);
      await jumpAbout(world, asking);
      expect(await childPids(world)).toEqual(pids);
    }, 120_000);

    test('makes the daemon read anew, for its clients and for commands', async () => {
      const world = await openWorld((yaml) => yaml);
      await startDaemon(world);
      const [one, other] = [await openClient(world), await openClient(world)];
      await jumpAbout(world, [
        (range) => agendaOf(one, range),
        (range) => agendaOf(other, range),
        async (range) => {
          const { stdout } = await run(process.execPath, [bin, 'agenda', range, '--json'], { env: world.env });
          return JSON.parse(stdout) as Agenda;
        },
      ]);
      const { stdout } = await run(process.execPath, [bin, 'daemon', 'status', '--json'], { env: world.env });
      // All of it was answered by the daemon.
      expect(JSON.parse(stdout)).toMatchObject({ state: 'runs', questions: 5 * 6 + 4 });
    }, 120_000);

    test.each([1, -1])(
      'while a token is refreshed (%i) takes its lock from nobody',
      async (days) => {
        const world = await openWorld((yaml) => yaml);
        const { sandbox, clock } = world;
        const [one, other] = [await openClient(world, ['--no-daemon']), await openClient(world, ['--no-daemon'])];
        await Promise.all([agendaOf(one, 'today'), agendaOf(other, 'today')]);
        sandbox.expireAccessTokens();
        // Both read anew.
        await clock.jump(-60_000);
        const refreshes = watchRefreshes(sandbox);
        const isRefresh = ({ path }: { readonly path: string }): boolean => path === '/google/token';
        const asked = sandbox.requests.filter(isRefresh).length;
        sandbox.fail({ match: isRefresh, times: 1, delayMs: 1_500 });
        const first = agendaOf(one, 'today');
        while (sandbox.requests.filter(isRefresh).length === asked)
          await new Promise((resolve) => setTimeout(resolve, 5));
        await clock.jump(days * DAY);
        const answers = await Promise.all([first, agendaOf(other, 'today')]);
        for (const { complete, accounts } of answers) expect(complete, JSON.stringify(accounts)).toBe(true);
        const after = refreshes();
        expect(after.filter(({ who }) => who === 'you@home.example')).toEqual([
          { who: 'you@home.example', outcome: 'ok' },
        ]);
        expect(after.every(({ outcome }) => outcome === 'ok')).toBe(true);
      },
      60_000,
    );

    test('does not bring back readings that were sealed at a time which is still to come', async () => {
      const world = await openWorld((yaml) => yaml.replaceAll('    cloud:', '    cache: sealed\n    cloud:'));
      const { clock } = world;
      /** What a program of its own, that ends with it, was told of the two accounts. */
      async function told(): Promise<unknown[]> {
        const client = await openClient(world, ['--no-daemon']);
        const answer = await agendaOf(client, 'today');
        await client.close();
        expect(inShort(answer)).toEqual(inShort(await ask(listEvents, world.oracle, { range: 'today' })));
        return answer.accounts.slice(0, 2).map(({ cached = false }) => cached);
      }
      expect(await told()).toEqual([false, false]);
      // Or the rest would show nothing.
      expect(await told()).toEqual([true, true]);
      await clock.jump(-DAY);
      expect(await told()).toEqual([false, false]);
      expect(await told()).toEqual([true, true]);
      await clock.jump(DAY);
      expect(await told()).toEqual([false, false]);
    }, 60_000);
  },
);
