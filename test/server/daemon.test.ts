/** `calmcp daemon` as processes: started, found, finished, killed, replaced, and what is left of it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type DaemonRecord, isDaemonAlive, readDaemonRecord } from '../../src/io/daemon-record.ts';
import { builtEnvironment, cli, openSandbox, temporaryFolder, writeAccounts } from '../harness.ts';
import { call, type LineClient, openLines, SCRIPT } from './line-client.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const root = join(import.meta.dirname, '../..');
/** What the built program says it is. */
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const SYSTEM_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const isRoot = process.getuid?.() === 0;

const FIXED = `version: 1
accounts:
  home: { provider: memory, access: write, events: [{ title: Review, start: 2026-11-23T10:00 }] }
`;

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Home {
  readonly folder: string;
  readonly state: string;
  /** Runs a command to its end: in this process, or as a program of its own. */
  run(
    args: readonly string[],
    more?: { readonly env?: Record<string, string>; readonly program?: string },
  ): Promise<Result>;
  /** `daemon run`, until it is ended. */
  keep(args?: readonly string[], env?: Record<string, string>): Promise<ChildProcess & { readonly log: () => string }>;
  record(): Promise<DaemonRecord | undefined>;
  open(session?: object): Promise<LineClient>;
}

async function spawned(program: string, args: readonly string[], env: Record<string, string>): Promise<Result> {
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  return { status, stdout, stderr };
}

function gone(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

async function openHome(accounts = FIXED): Promise<Home> {
  const folder = await temporaryFolder();
  const state = join(folder, 'state');
  await writeAccounts(folder, accounts);
  const record = (): Promise<DaemonRecord | undefined> => readDaemonRecord(state);
  const started = new Set<number>();
  onTestFinished(async () => {
    const last = await record();
    if (last !== undefined) started.add(last.pid);
    for (const pid of started) gone(pid);
  });
  const environment = (env: Record<string, string> = {}): Record<string, string> => ({
    ...builtEnvironment(folder),
    TMPDIR: folder,
    ...env,
  });
  return {
    folder,
    state,
    record,
    async run(args, { env = {}, program } = {}) {
      const { TZ: systemTimeZone = SYSTEM_ZONE } = env;
      const result =
        program === undefined
          ? await cli(folder, args, { env: environment(env), systemTimeZone, version })
          : await spawned(program, args, environment(env));
      const now = await record();
      if (now !== undefined) started.add(now.pid);
      return result;
    },
    async keep(args = [], env = {}) {
      const child = spawn(process.execPath, [bin, 'daemon', 'run', ...args], {
        env: environment(env),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      started.add(child.pid ?? 0);
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text) => {
        said += text;
      });
      await eventually(async () => said.includes('listens at') || child.exitCode !== null);
      return Object.assign(child, { log: () => said });
    },
    async open(session = SCRIPT) {
      const now = await record();
      if (now === undefined) throw new Error('no daemon runs');
      return openLines(now.socket, session);
    },
  };
}

/** @throws when it does not become so within 10 s */
async function eventually(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 10_000; !(await holds()); ) {
    if (performance.now() > end) throw new Error(`not within 10 s: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const isGone = async (record: DaemonRecord): Promise<boolean> => !(await isDaemonAlive(record));

/** @throws where none runs */
async function recordOf(home: Home): Promise<DaemonRecord> {
  const record = await home.record();
  if (record === undefined) throw new Error('no daemon runs');
  return record;
}

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);
const filesOf = async (home: Home): Promise<string[]> => (await readdir(home.state)).sort();

const today = call('list_events', { range: 'today' });
const titlesIn = (answer: {
  readonly result?: { readonly structuredContent?: { readonly events: { title: string }[] } };
}) => answer.result?.structuredContent?.events.map(({ title }) => title);

describe('daemon', () => {
  test('starts by itself, answers, tells how it is, and finishes without a trace', async () => {
    const home = await openHome();
    expect(await home.run(['daemon'])).toMatchObject({ status: 3, stdout: /^No daemon runs/ });
    const { status, stdout } = await home.run(['daemon', 'start']);
    const { pid, socket } = await recordOf(home);
    expect([status, stdout]).toEqual([0, expect.stringContaining(`The daemon started: process ${pid},`)]);
    expect(stdout).toContain(`Socket: ${socket}\n`);
    const private_ = [home.state, socket, join(home.state, 'daemon.json'), join(home.state, 'daemon.log')];
    expect(await Promise.all(private_.map(modeOf))).toEqual(['700', '600', '600', '600']);

    const client = await home.open();
    expect(titlesIn(await client.ask(...today))).toEqual(['Review']);

    const again = await home.run(['daemon', 'start', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({ outcome: 'running', pid, usedHere: true });
    const told = JSON.parse((await home.run(['daemon', 'status', '--json'])).stdout);
    expect(told).toMatchObject({
      state: 'runs',
      pid,
      questions: 1,
      usedHere: true,
      outdated: false,
      sessions: { now: 2 },
      accounts: [{ id: 'home', provider: 'memory' }],
    });
    expect(told.memory.rss).toBeGreaterThan(10_000_000);
    const shown = await home.run(['daemon', 'status']);
    expect(shown).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/^The daemon runs\.\n[\s\S]*questions +1\n/),
    });

    expect(await home.run(['daemon', 'stop'])).toMatchObject({ status: 0, stdout: 'The daemon has finished.\n' });
    await client.closed;
    expect(await filesOf(home)).toEqual(['daemon.log']);
    expect(await home.run(['daemon', 'stop'])).toMatchObject({ status: 0, stdout: 'No daemon runs.\n' });
    expect(await readFile(join(home.state, 'daemon.log'), 'utf8')).not.toContain('Review');
  });

  test('is one: a second is refused, and of several that start at one moment one wins and all say so', async () => {
    const home = await openHome();
    const all = await Promise.all(Array.from({ length: 4 }, () => home.run(['daemon', 'start', '--json'])));
    const { pid } = await recordOf(home);
    expect(all.map(({ status, stderr }) => [status, stderr])).toEqual(Array.from({ length: 4 }, () => [0, '']));
    expect(new Set(all.map(({ stdout }) => JSON.parse(stdout).pid))).toEqual(new Set([pid]));
    expect(await home.run(['daemon', 'run'])).toMatchObject({
      status: 75,
      stderr: expect.stringContaining(`a daemon runs already (process ${pid}`),
    });
    expect(await recordOf(home)).toMatchObject({ pid });
  });

  test('that was killed is noticed, and the next one starts as if nothing had been', async () => {
    const home = await openHome();
    const killed = await home.keep();
    const client = await home.open();
    expect(titlesIn(await client.ask(...today))).toEqual(['Review']);
    killed.kill('SIGKILL');
    await client.closed;
    const status = await home.run(['daemon', 'status']);
    expect([status.status, status.stdout]).toEqual([
      3,
      expect.stringMatching(/No daemon runs[\s\S]*\/daemon\.json\n[\s\S]*\/daemon\.sock\n/),
    ]);
    const kept = await home.keep();
    expect(titlesIn(await (await home.open()).ask(...today))).toEqual(['Review']);
    kept.kill('SIGKILL');
    await once(kept, 'exit');
    expect((await home.run(['daemon', 'stop'])).stdout).toBe('No daemon runs.\n');
    expect(await filesOf(home)).toEqual([]);
  });

  test('is never taken for a process that was given its number', async () => {
    const home = await openHome();
    const killed = await home.keep();
    const left = await recordOf(home);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const innocent = spawn('sleep', ['60']);
    onTestFinished(() => void innocent.kill('SIGKILL'));
    const forged = { ...left, pid: innocent.pid };
    await writeFile(join(home.state, 'daemon.json'), JSON.stringify(forged), { mode: 0o600 });
    expect((await home.run(['daemon', 'status'])).status).toBe(3);
    expect((await home.run(['daemon', 'stop'])).stdout).toBe('No daemon runs.\n');
    await writeFile(join(home.state, 'daemon.json'), JSON.stringify(forged), { mode: 0o600 });
    await home.keep();
    expect(innocent.exitCode ?? innocent.signalCode).toBe(null);
  });

  test('that hangs is told as such within seconds, and stop ends it', async () => {
    const home = await openHome();
    const hung = await home.keep();
    hung.kill('SIGSTOP');
    const [status, start, second] = await Promise.all([
      home.run(['daemon', 'status', '--json']),
      home.run(['daemon', 'start']),
      home.run(['daemon', 'run']),
    ]);
    expect([status.status, JSON.parse(status.stdout)]).toMatchObject([3, { state: 'hung', pid: hung.pid }]);
    expect(start).toMatchObject({
      status: 69,
      stderr: expect.stringContaining('does not answer\nrun: calmcp daemon stop'),
    });
    expect(second.status).toBe(75);
    const stopped = await home.run(['daemon', 'stop']);
    expect(stopped).toMatchObject({ status: 0, stdout: 'The daemon did not answer, and was ended.\n' });
    expect(await filesOf(home)).toEqual([]);
  }, 40_000);

  test('that hangs is not ended where its process is not proven to be the one of the record', async () => {
    const home = await openHome();
    const hung = await home.keep();
    hung.kill('SIGSTOP');
    const innocent = spawn('sleep', ['60']);
    onTestFinished(() => void innocent.kill('SIGKILL'));
    const forged = { ...(await recordOf(home)), pid: innocent.pid };
    await writeFile(join(home.state, 'daemon.json'), JSON.stringify(forged), { mode: 0o600 });
    const { status, stderr } = await home.run(['daemon', 'stop']);
    expect([status, stderr]).toEqual([69, expect.stringContaining('does not end')]);
    expect([innocent.signalCode, hung.signalCode]).toEqual([null, null]);
    expect(await recordOf(home)).toEqual(forged);
  });

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'lets a question under way end at %s, and takes no new client',
    async (signal) => {
      const sandbox = await openSandbox();
      const home = await openHome(
        `version: 1\naccounts:\n  feed: { provider: ics, url: "${sandbox.origin}/feeds/community.ics" }\n`,
      );
      sandbox.fail({ match: ({ path }) => path.startsWith('/feeds/'), delayMs: 500 });
      const daemon = await home.keep();
      const { socket } = await recordOf(home);
      const client = await home.open({ ...SCRIPT, params: {} });
      const slow = client.ask(...today);
      await eventually(async () => sandbox.requests.length === 1);
      daemon.kill(signal);
      await eventually(async () => (await home.record()) === undefined);
      await expect(openLines(socket)).rejects.toThrow(/ENOENT|ECONNREFUSED/);
      expect((await slow).result.structuredContent).toMatchObject({ complete: true });
      client.end();
      await once(daemon, 'exit');
      expect([daemon.exitCode, daemon.log()]).toEqual([
        0,
        expect.stringMatching(/the daemon has finished: a signal \(\S+Z\)\n$/),
      ]);
    },
  );

  test('goes on with accounts that cannot be loaded, and says so in every answer until they are mended', async () => {
    const home = await openHome('version: 1\naccounts: { home: { provider: memry } }\n');
    const started = await home.run(['daemon', 'start']);
    expect(started.status).toBe(0);
    const client = await home.open();
    for (let time = 0; time < 2; time++) {
      const { result } = await client.ask(...today);
      expect([result.isError, result._meta['io.calmcp/error'].code]).toEqual([true, 'CONFIG_INVALID']);
    }
    await writeAccounts(home.folder, FIXED);
    expect(titlesIn(await client.ask(...today))).toEqual(['Review']);
    const log = await readFile(join(home.state, 'daemon.log'), 'utf8');
    // Once, however often it was asked.
    expect(log.match(/calmcp: CONFIG_INVALID/g)).toHaveLength(1);
  });

  test('says at once, and whenever it is looked at, that accounts.yaml cannot be used, and no more when it can', async () => {
    const home = await openHome('accounts: [');
    const what = expect.stringMatching(/accounts\.yaml/);
    expect(await home.run(['daemon', 'start'])).toMatchObject({ status: 0, stdout: what });
    expect(JSON.parse((await home.run(['daemon', 'status', '--json'])).stdout).notices).toContainEqual(what);
    expect((await home.run(['daemon', 'status'])).stdout).toMatch(/CONFIG_INVALID.*accounts\.yaml/s);
    await writeAccounts(home.folder, FIXED);
    const { notices, accounts } = JSON.parse((await home.run(['daemon', 'status', '--json'])).stdout);
    expect([notices, accounts.length]).toEqual([[], 1]);
  });

  test('that runs already says which options it does not take', async () => {
    const home = await openHome();
    await home.run(['daemon', 'start']);
    const { stdout } = await home.run(['daemon', 'start', '--pause-on', 'battery', '--idle-minutes', '5']);
    expect(stdout).toMatch(/runs already.*without --idle-minutes, --pause-on/s);
    expect((await home.run(['daemon', 'start'])).stdout).not.toMatch(/without/);
  });

  test('is one of the things that doctor looks at', async () => {
    const home = await openHome();
    const probe = async (env = {}): Promise<object> =>
      JSON.parse((await home.run(['doctor', '--json'], { env })).stdout).probes.find(
        ({ name }: { name: string }) => name === 'daemon',
      );
    expect(await probe()).toMatchObject({ state: 'ok', message: expect.stringMatching(/^none runs/) });
    await home.run(['daemon', 'start']);
    const { pid } = await recordOf(home);
    expect(await probe()).toMatchObject({ state: 'ok', message: expect.stringContaining(`process ${pid},`) });
    expect(await probe({ CALMCP_NOW: '2026-11-24T08:00:00Z' })).toMatchObject({
      state: 'warn',
      message: expect.stringContaining('not used from here'),
      hint: expect.stringContaining('calmcp daemon stop'),
    });
    process.kill(pid, 'SIGSTOP');
    expect(await probe()).toMatchObject({ state: 'warn', message: expect.stringContaining('does not answer') });
    process.kill(pid, 'SIGKILL');
    await eventually(async () => JSON.stringify(await probe()).includes('left files behind'));
  });

  test('is asked for accounts and commands that there are', async () => {
    const home = await openHome();
    await home.run(['daemon', 'start']);
    expect(await home.run(['daemon', 'status', '--account', 'nope'])).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/no account "nope".*it has: home/s),
    });
    expect(await home.run(['daemon', 'foo'])).toMatchObject({
      status: 64,
      stderr: expect.stringMatching(/no command "daemon foo".*run, start, stop, status/s),
    });
  });

  test('that cannot start says why, and leaves nothing', async () => {
    const home = await openHome();
    const { status, stderr } = await home.run(['daemon', 'start'], { env: { CALMCP_NOW: 'teatime' } });
    expect(status).toBe(69);
    expect(stderr).toMatch(/^calmcp: the daemon ended at once \(78\)\ncalmcp: CALMCP_NOW is no instant\n/);
    expect(stderr).toContain('daemon.log');
    expect(await filesOf(home)).toEqual(['daemon.log']);
  });

  test('ends by itself when nobody has been connected for as long as it was told', async () => {
    const home = await openHome();
    const daemon = await home.keep(['--idle-minutes', '0.01']);
    const client = await home.open();
    await client.ask('ping');
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(daemon.exitCode).toBe(null);
    const since = performance.now();
    client.end();
    await once(daemon, 'exit');
    expect(daemon.exitCode).toBe(0);
    expect(performance.now() - since).toBeGreaterThan(500);
    expect(await home.record()).toBeUndefined();
  });

  test('says from where it is not used: another accounts.yaml, clock or variable', async () => {
    const home = await openHome(`${FIXED}  feed: { provider: ics, path: "\${ENV:CALENDAR_FILE}" }\n`);
    const env = { CALENDAR_FILE: 'a.ics' };
    await home.run(['daemon', 'start'], { env });
    const usedHere = async (args: readonly string[], env: Record<string, string>): Promise<boolean> =>
      JSON.parse((await home.run(['daemon', 'status', '--json', ...args], { env })).stdout).usedHere;
    expect(await usedHere([], env)).toBe(true);
    const others = [
      { CALENDAR_FILE: 'b.ics' },
      {},
      { ...env, CALMCP_NOW: '2026-11-24T08:00:00Z' },
      { ...env, TZ: 'Asia/Tokyo' },
    ];
    expect(await Promise.all(others.map((other) => usedHere([], other)))).toEqual(others.map(() => false));
    await writeFile(join(home.folder, 'other.yaml'), FIXED);
    expect(await usedHere(['--config', join(home.folder, 'other.yaml')], env)).toBe(false);
    const shown = await home.run(['daemon', 'status'], { env: {} });
    expect(shown).toMatchObject({ status: 0, stdout: expect.stringContaining('It is not used from here') });
    expect((await home.run(['daemon', 'start'], { env: {} })).stdout).toContain('It is not used from here');
  });

  test('finishes when its folder is taken away', async () => {
    const home = await openHome();
    // It looks after itself more often when it is to end soon.
    const daemon = await home.keep(['--idle-minutes', '0.05']);
    const client = await home.open();
    await rm(home.state, { recursive: true });
    await client.heard(({ method }) => method === 'notifications/io.calmcp/finishing');
    client.end();
    await once(daemon, 'exit');
    expect(daemon.exitCode).toBe(0);
    await expect(stat(home.state)).rejects.toThrow(/ENOENT/);
  });

  test.each(['throw new Error(secret)', 'Promise.reject(new Error(secret))'])(
    'ends at an error that nobody caught (%s), says so without its words, and leaves nothing',
    async (happens) => {
      const home = await openHome();
      const bomb = join(home.folder, 'bomb.mjs');
      await writeFile(bomb, `const secret='Dinner with Anna';process.on('SIGUSR2',()=>{${happens}});`);
      const daemon = await home.keep([], { NODE_OPTIONS: `--import ${bomb}` });
      const client = await home.open();
      await client.ask('ping');
      daemon.kill('SIGUSR2');
      await client.closed;
      await eventually(async () => daemon.exitCode !== null);
      expect(daemon.exitCode).toBe(70);
      expect(daemon.log()).toMatch(/error the daemon ends: an error that nobody caught/);
      expect(daemon.log()).not.toContain('Anna');
      expect(await filesOf(home)).toEqual([]);
    },
  );

  test('keeps its log under a megabyte', async () => {
    const home = await openHome();
    await mkdir(home.state, { mode: 0o700 });
    const log = join(home.state, 'daemon.log');
    await writeFile(log, 'x'.repeat(600_000), { mode: 0o600 });
    await home.run(['daemon', 'start', '--idle-minutes', '0.1']);
    expect([(await stat(`${log}.1`)).size, (await stat(log)).size < 1_000]).toEqual([600_000, true]);
    const client = await home.open();
    // In one piece, or the daemon may look in the middle of it.
    appendFileSync(log, `${'y'.repeat(99)}\n`.repeat(6_000));
    await eventually(async () => (await stat(log)).size < 1_000);
    expect((await readFile(`${log}.1`, 'utf8')).endsWith('y\n')).toBe(true);
    expect(await modeOf(`${log}.1`)).toBe('600');
    await home.run(['daemon', 'stop']);
    await client.closed;
    // It goes on in the same file, at its new end.
    expect(await readFile(log, 'utf8')).toMatch(/^calmcp: the daemon has finished: a client told it to \(\S+Z\)\n$/);
  });

  test.runIf(isRoot && process.platform === 'linux')('does not need the disk once it runs', async (context) => {
    const home = await openHome();
    await mkdir(home.state, { mode: 0o700 });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', home.state], { stdio: 'ignore' });
    } catch {
      context.skip('this machine may not mount a small disk');
    }
    try {
      const full = join(home.state, 'full');
      const fill = (): Promise<void> => writeFile(full, Buffer.alloc(1_000_000)).catch(() => undefined);
      await fill();
      const refused = await home.run(['daemon', 'start']);
      expect(refused).toMatchObject({ status: 69, stderr: expect.stringMatching(/ended at once \(70\)|ENOSPC/) });
      await rm(full);
      expect((await filesOf(home)).filter((name) => !name.startsWith('daemon.log'))).toEqual([]);
      const daemon = await home.keep(['--log', 'debug']);
      await fill();
      const client = await home.open();
      expect(titlesIn(await client.ask(...today))).toEqual(['Review']);
      expect((await home.run(['daemon', 'status'])).status).toBe(0);
      const ended = once(daemon, 'exit');
      expect((await home.run(['daemon', 'stop'])).status).toBe(0);
      await ended;
      await rm(full);
      expect((await filesOf(home)).filter((name) => !name.startsWith('daemon.log'))).toEqual([]);
    } finally {
      execFileSync('umount', ['-l', home.state]);
    }
  });
});

/** The program of another version. */
async function buildVersion(version: string): Promise<string> {
  const outdir = join(await temporaryFolder(), 'dist');
  await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    loader: { '.yaml': 'text' },
    external: ['@napi-rs/keyring'],
    logLevel: 'error',
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    plugins: [
      {
        name: 'version',
        setup(own) {
          own.onLoad({ filter: /^.*\/package\.json$/ }, async ({ path }) => {
            const text = await readFile(path, 'utf8');
            const isOurs = path === join(root, 'package.json');
            return { contents: isOurs ? JSON.stringify({ ...JSON.parse(text), version }) : text, loader: 'json' };
          });
        },
      },
    ],
  });
  return join(outdir, 'main.js');
}

test('a newer program takes an older daemon’s place while that lets its questions end; an older one leaves it', async () => {
  const sandbox = await openSandbox();
  const home = await openHome(
    `version: 1\naccounts:\n  feed: { provider: ics, url: "${sandbox.origin}/feeds/community.ics" }\n`,
  );
  const newer = await buildVersion('99.0.0-beta.2');
  await home.run(['daemon', 'start']);
  const old = await recordOf(home);
  sandbox.fail({ match: ({ path }) => path.startsWith('/feeds/'), delayMs: 3_000, times: 1 });
  const client = await home.open();
  const slow = client.ask(...today);
  await eventually(async () => sandbox.requests.length === 1);

  const status = JSON.parse((await home.run(['daemon', 'status', '--json'], { program: newer })).stdout);
  expect(status).toMatchObject({ pid: old.pid, outdated: true });
  const replaced = await home.run(['daemon', 'start', '--json'], { program: newer });
  expect([replaced.status, replaced.stderr]).toEqual([0, '']);
  const now = await recordOf(home);
  expect(JSON.parse(replaced.stdout)).toMatchObject({ outcome: 'replaced', version: '99.0.0-beta.2', pid: now.pid });
  expect(now.pid).not.toBe(old.pid);
  // Both run: the old one for what it was asked, the new one for everybody else.
  expect(await isGone(old)).toBe(false);
  expect((await (await home.open()).ask(...today)).result.structuredContent).toMatchObject({ complete: true });
  expect((await slow).result.structuredContent).toMatchObject({ complete: true });
  client.end();
  await eventually(() => isGone(old));
  expect(await recordOf(home)).toEqual(now);

  expect(JSON.parse((await home.run(['daemon', 'start', '--json'])).stdout)).toMatchObject({
    outcome: 'running',
    pid: now.pid,
  });
  expect(await home.run(['daemon', 'run'])).toMatchObject({ status: 75 });
  // In the foreground as well.
  await home.run(['daemon', 'stop']);
  const first = await home.keep();
  const exit = once(first, 'exit');
  const taking = spawn(process.execPath, [newer, 'daemon', 'run'], {
    env: { ...builtEnvironment(home.folder), TMPDIR: home.folder },
    stdio: 'ignore',
  });
  onTestFinished(() => void taking.kill('SIGKILL'));
  await exit;
  await eventually(async () => (await home.record())?.pid === taking.pid);
  expect(first.exitCode).toBe(0);
}, 60_000);

test('a daemon of a service manager ends with a failure when it is to be replaced, so that it is started again', async () => {
  const home = await openHome();
  const daemon = await home.keep(['--service']);
  expect(await recordOf(home)).toMatchObject({ managed: true });
  const client = await home.open({ method: 'notifications/io.calmcp/finish', params: { restart: true } });
  client.end();
  await once(daemon, 'exit');
  // Not one of those that mean that starting it again is of no use.
  expect(daemon.exitCode).toBe(69);
  const again = await home.keep(['--service']);
  const ended = once(again, 'exit');
  await home.run(['daemon', 'stop']);
  expect(await ended).toEqual([0, null]);
});
