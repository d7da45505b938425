/** `calmcp mcp` beside a daemon, as processes: small, quick, and none the worse for whatever becomes of the daemon. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { plainMcp } from '../../src/cli/daemon/plain-mcp.ts';
import { memoryOf, processOf } from '../../src/io/process-table.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import {
  endDaemonOf,
  eventually,
  openClient,
  openDaemon,
  openWire,
  otherVersion,
  recordOf,
  runDaemon,
  runProgram,
  type Said,
  sessionsOf,
  startProgram,
  type Wire,
} from '../daemons.ts';
import {
  lasting,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const root = join(import.meta.dirname, '../..');

const FIXED = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  home: { provider: memory, access: write, events: [{ title: Review, start: 2026-11-23T10:00 }] }
`;

async function home(accounts = FIXED): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  endDaemonOf(folder);
  return folder;
}

const USED = /info the daemon is used/;
const today = { range: 'today' };
const titlesOf = ({ result }: Said): string[] =>
  (result?.structuredContent?.events ?? []).map(({ title }: { title: string }) => title);

describe('a client that is attached to a daemon', () => {
  test('has a process of less than 60 MB, that ends as soon as the client has gone', async () => {
    const folder = await home();
    await openDaemon(folder);
    const wire = await openClient(folder);
    expect(titlesOf(await wire.call('list_events', today))).toEqual(['Review']);
    expect(wire.said()).toMatch(USED);
    // 48 MB where a bare Node has 41; other versions of Node bring other 10 MB.
    expect((await memoryOf([wire.pid])) ?? 0).toBeLessThan(70 * 1_048_576);
    expect(await sessionsOf(folder)).toBe(1);
    expect(await wire.leave()).toMatchObject({ status: 0, ms: expect.toSatisfy((ms: number) => ms < 1_000) });
    await eventually(async () => (await sessionsOf(folder)) === 0);
  });

  test('loads nothing of the server, of the commands and of the providers', async () => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ['src/main.ts'],
      outdir: await temporaryFolder(),
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      external: ['@napi-rs/keyring'],
      loader: { '.yaml': 'text' },
      metafile: true,
      write: false,
    });
    const { outputs } = metafile;
    const entryOf = (source: string): string =>
      Object.keys(outputs).find((path) => outputs[path]?.entryPoint === source) ?? '';
    const loaded = new Set<string>();
    const load = (path: string): void => {
      if (loaded.has(path)) return;
      loaded.add(path);
      for (const { path: next, kind } of outputs[path]?.imports ?? [])
        if (kind === 'import-statement' && outputs[next]) load(next);
    };
    for (const source of ['src/main.ts', 'src/cli/daemon/serve-through-daemon.ts']) {
      expect(entryOf(source)).not.toBe('');
      load(entryOf(source));
    }
    const sources = [...loaded].flatMap((path) => Object.keys(outputs[path]?.inputs ?? {})).sort();
    expect(sources).toContain('src/cli/daemon/relay.ts');
    expect(
      sources.filter(
        (source) =>
          !/^(?:package\.json|src\/(?:main|core\/(?:errors|lines|session-names)|io\/[\w-]+|cli\/daemon\/[\w-]+)\.ts)$/.test(
            source,
          ),
      ),
    ).toEqual([]);
    expect([...loaded].reduce((bytes, path) => bytes + (outputs[path]?.bytes ?? 0), 0)).toBeLessThan(150_000);
  });

  test('is served what the options say, in whatever form they are typed', async () => {
    const folder = await home();
    await openDaemon(folder);
    for (const args of [
      ['mcp', '--read-only', '--tools', 'list_events,find_free_time', '--config', 'accounts.yaml'],
      ['--log=info', 'mcp', '--tools=list_events,find_free_time'],
    ]) {
      const wire = await openClient(folder, args);
      const { result } = await wire.ask('tools/list');
      expect(result.tools.map(({ name }: { name: string }) => name)).toEqual(['list_events', 'find_free_time']);
      expect(wire.said()).toMatch(USED);
    }
  });

  test('its question is given up in the daemon when the client goes', async () => {
    const { folder, sandbox, arrived } = await openSlow();
    await openDaemon(folder);
    sandbox.fail({ match: ({ path }) => isGraph(path), delayMs: 15_000 });
    const wire = await openClient(folder);
    wire.call('list_events', today).catch(() => undefined);
    await arrived(isGraph);
    expect(await wire.leave()).toMatchObject({ status: 0, ms: expect.toSatisfy((ms: number) => ms < 1_000) });
    await eventually(async () => (await sessionsOf(folder)) === 0);
  });
});

describe('what is wrong with the command line is said as without a daemon:', () => {
  let folder = '';
  let end = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const { opened, end: remove } = await lasting(temporaryFolder);
    folder = opened;
    await writeAccounts(folder, FIXED);
    const daemon = await runDaemon(folder);
    end = async () => {
      daemon.kill('SIGKILL');
      await daemon.ended;
      await remove();
    };
  });

  afterAll(() => end());

  test.each([
    [['mcp', '--tools', 'list_event'], 64],
    [['mcp', '--tools', ','], 64],
    [['mcp', '--read-only', '--tools', 'create_event'], 64],
    [['mcp', '--nope'], 64],
    [['mcp', '--log', 'loud'], 64],
    [['mcp', '--json'], 64],
    [['mcp', '--help'], 0],
  ])('%j', async (args, status) => {
    const [through, alone] = await Promise.all([
      runProgram(folder, args),
      runProgram(folder, [...args, '--no-daemon']),
    ]);
    expect({ ...through, ms: 0 }).toEqual({ ...alone, ms: 0, status });
  });
});

describe('plain forms of the command line', () => {
  test.each<[string, ReturnType<typeof plainMcp>]>([
    ['mcp', {}],
    ['mcp --read-only', { readOnly: true }],
    ['--config a.yaml mcp --tools a,b --log info', { config: 'a.yaml', tools: ['a', 'b'], log: 'info' }],
    ['mcp --tools ,', { tools: [] }],
    ['', undefined],
    ['agenda', undefined],
    ['mcp mcp', undefined],
    ['mcp --help', undefined],
    ['mcp --config', undefined],
    ['mcp --config --read-only', undefined],
    ['mcp --config a --config b', undefined],
    ['mcp --tools=a', undefined],
    ['mcp -- x', undefined],
    ['mcp constructor', undefined],
    ['mcp --no-daemon', undefined],
  ])('%s', (words, choice) => {
    expect(plainMcp(words === '' ? [] : words.split(' '))).toEqual(choice);
  });
});

describe('a client works alone', () => {
  test('with --no-daemon, and beside a daemon of other accounts or another clock', async () => {
    const folder = await home();
    await openDaemon(folder);
    const other = await openClient(folder, ['mcp'], { env: { CALMCP_NOW: '2026-11-24T08:00:00Z' } });
    expect(titlesOf(await other.call('list_events', today))).toEqual([]);
    const told = await openClient(folder, ['mcp', '--no-daemon']);
    expect(titlesOf(await told.call('list_events', today))).toEqual(['Review']);
    const elsewhere = await openClient(folder, ['mcp', '--config', 'none.yaml']);
    expect((await elsewhere.call('list_events', today)).result.isError).toBe(true);
    expect(await sessionsOf(folder)).toBe(0);
    expect([other.said(), elsewhere.said()]).toEqual([
      expect.stringMatching(/the daemon is not used why=it was started with another accounts\.yaml/),
      expect.stringMatching(/the daemon is not used/),
    ]);
  });

  test('beside one that hangs, within little more than two seconds', async () => {
    const folder = await home();
    const daemon = await openDaemon(folder);
    daemon.kill('SIGSTOP');
    const started = performance.now();
    const wire = await openClient(folder);
    expect(performance.now() - started).toBeLessThan(6_000);
    expect(titlesOf(await wire.call('list_events', today))).toEqual(['Review']);
    expect(wire.said()).toMatch(/the daemon is not used why=it does not answer/);
  });
});

interface SlowWorld {
  readonly folder: string;
  readonly sandbox: Sandbox;
  arrived(fits: (path: string, method: string) => boolean, count?: number): Promise<void>;
}

const isGraph = (path: string): boolean => path.startsWith('/v1.0/');
const isCreation = (path: string, method: string): boolean => method === 'POST' && path.endsWith('/events');

/** An account that takes its time when it is told to. */
async function openSlow(): Promise<SlowWorld> {
  const sandbox = await openSandbox();
  const yaml = microsoftAccounts(sandbox, [XEBIA]).replace(
    'provider: microsoft',
    'provider: microsoft\n    access: write',
  );
  const { app, folder } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await writeAccounts(folder, yaml);
  sandbox.requests.splice(0);
  endDaemonOf(folder);
  return {
    folder,
    sandbox,
    arrived: (fits, count = 1) =>
      eventually(() => sandbox.requests.filter(({ path, method }) => fits(path, method)).length >= count),
  };
}

const week = { range: 'this week' };
const LUNCH = { title: 'Lunch', start: '2026-11-25T12:00', account: 'xebia' };

describe('a daemon that is killed with -9', () => {
  test('while nobody asks anything is not missed', async () => {
    const folder = await home();
    const daemon = await openDaemon(folder);
    const wire = await openClient(folder);
    daemon.kill('SIGKILL');
    await daemon.ended;
    expect(titlesOf(await wire.call('list_events', today))).toEqual(['Review']);
    expect(wire.said()).toMatch(/goes on without the daemon/);
    expect(await wire.leave()).toMatchObject({ status: 0 });
  });

  test('in the middle of a question: it is answered all the same, with its progress', async () => {
    const { folder, sandbox, arrived } = await openSlow();
    const daemon = await openDaemon(folder);
    sandbox.fail({ match: ({ path }) => isGraph(path), delayMs: 10_000, times: 1 });
    const wire = await openClient(folder);
    const asked = wire.ask('tools/call', { name: 'list_events', arguments: week, _meta: { progressToken: 7 } });
    await arrived(isGraph);
    daemon.kill('SIGKILL');
    const { result } = await asked;
    expect(result).toMatchObject({ structuredContent: { complete: true } });
    expect(wire.lines.filter(({ method }) => method === 'notifications/progress').length).toBeGreaterThan(0);
    expect(wire.lines.filter(({ id }) => id === 2)).toHaveLength(1);
  });

  test('in the middle of a change: the client is told that nobody knows, and it was made once at most', async () => {
    const { folder, sandbox, arrived } = await openSlow();
    const daemon = await openDaemon(folder);
    sandbox.fail({ match: ({ path, method }) => isCreation(path, method), delayMs: 300 });
    const wire = await openClient(folder);
    const asked = wire.call('create_event', LUNCH);
    await arrived(isCreation);
    daemon.kill('SIGKILL');
    expect((await asked).result).toMatchObject({
      isError: true,
      content: [
        { text: expect.stringMatching(/^UNAVAILABLE: .* nobody knows whether it was done\nlook at the event/) },
      ],
    });
    expect((await wire.call('list_events', week)).result).toMatchObject({ structuredContent: { complete: true } });
    expect(sandbox.requests.filter(({ path, method }) => isCreation(path, method))).toHaveLength(1);
  });

  test('and one with defaults.daemon: auto is followed by a new one', async () => {
    const folder = await home(FIXED.replace('Amsterdam }', 'Amsterdam, daemon: auto }'));
    const wire = await openClient(folder);
    expect(wire.said()).toMatch(USED);
    const first = await recordOf(folder);
    process.kill(first?.pid ?? 0, 'SIGKILL');
    expect(titlesOf(await wire.call('list_events', today))).toEqual(['Review']);
    const second = await recordOf(folder);
    expect([second?.pid === first?.pid, await sessionsOf(folder)]).toEqual([false, 1]);
    expect(await wire.leave()).toMatchObject({ status: 0 });
  });
});

test('a daemon that is replaced by a newer one is missed by none of its clients, nor is what they ask meanwhile', async () => {
  const { folder, sandbox, arrived } = await openSlow();
  await openDaemon(folder);
  const old = await recordOf(folder);
  const wires = await Promise.all([openClient(folder), openClient(folder), openClient(folder)]);
  sandbox.fail({ match: ({ path }) => isGraph(path), delayMs: 2_500, times: 1 });
  const [busy] = wires as [Wire, Wire, Wire];
  const slow = busy.call('list_events', week);
  await arrived(isGraph);
  const replacing = startProgram(folder, ['daemon', 'start'], { program: await otherVersion('99.0.0') });
  await eventually(async () => (await recordOf(folder))?.pid !== old?.pid);
  // Asked while the old one ends.
  const now = await Promise.all(wires.map((wire) => wire.call('list_events', { range: 'tomorrow' })));
  for (const { result } of [...now, await slow])
    expect(result).toMatchObject({ structuredContent: { complete: true } });
  expect((await replacing.result).status).toBe(0);
  // The old one may have answered all of them yet.
  for (const wire of wires) {
    expect((await wire.call('list_events', { range: 'tomorrow' })).result).toMatchObject({
      structuredContent: { complete: true },
    });
    await eventually(async () => /the daemon is used .*version=99\.0\.0/.test(wire.said()));
  }
  expect((await recordOf(folder))?.version).toBe('99.0.0');
  expect(await sessionsOf(folder)).toBe(3);
});

test('what a client was told keeps to its barrier with the next daemon, and without one', async () => {
  const folder = await home(`version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  alpha: { provider: memory, client: a, events: [{ title: Project Bluebird layoffs plan, start: 2026-11-23T10:00 }] }
  beta: { provider: memory, access: write, client: b }
`);
  await openDaemon(folder);
  const wire = await openClient(folder);
  const write = async (title: string): Promise<string> => {
    const asked = { account: 'beta', title, start: '2026-12-01T10:00', dryRun: true };
    return (await wire.call('create_event', asked)).result?.content[0].text.split(':')[0];
  };
  const check = async (): Promise<void> =>
    expect([await write('Project Bluebird layoffs plan'), await write('Dentist')]).toEqual([
      'FORBIDDEN',
      expect.stringMatching(/^PREVIEW/),
    ]);
  expect(await write('Project Bluebird layoffs plan')).toMatch(/^PREVIEW/);
  await wire.call('list_events', today);
  await check();
  await runProgram(folder, ['daemon', 'stop']);
  await openDaemon(folder);
  await check();
  process.kill((await recordOf(folder))?.pid ?? 0, 'SIGKILL');
  await check();
  expect(wire.said()).toMatch(/goes on without the daemon/);
});

test('a client of 2026-07-28, which opens no session, is not told of a broken one either', async () => {
  const folder = await home();
  const daemon = await openDaemon(folder);
  const wire = openWire(folder);
  const _meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': { name: 'calmcp-test', version: '0' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const ask = (): Promise<Said> => wire.ask('tools/call', { name: 'list_events', arguments: today, _meta });
  expect((await wire.ask('server/discover', { _meta })).result).toHaveProperty('supportedVersions');
  expect(titlesOf(await ask())).toEqual(['Review']);
  expect(wire.said()).toMatch(USED);
  daemon.kill('SIGKILL');
  await daemon.ended;
  const { result } = await ask();
  expect([result.resultType, result.structuredContent.events.length]).toEqual(['complete', 1]);
});

test('Ctrl-C, and a service manager’s SIGTERM, end an attached client', async () => {
  const folder = await home();
  await openDaemon(folder);
  const wire = await openClient(folder);
  process.kill(wire.pid, 'SIGTERM');
  await eventually(async () => (await sessionsOf(folder)) === 0);
  await eventually(async () => (await processOf(wire.pid)) === undefined);
});
