/** `calmcp children` and the child servers in `doctor` and `accounts`, with the real packages on a sandbox. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import type { ChildRow } from '../../src/cli/children.ts';
import type { Probe } from '../../src/cli/probe.ts';
import { judgeChild } from '../../src/cli/probe-child.ts';
import type { Shell } from '../../src/cli/shell.ts';
import type { ChildSpec } from '../../src/core/child.ts';
import type { ChildTimes } from '../../src/io/child-host.ts';
import { createChildServers } from '../../src/io/child-servers.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { childSpecOf } from '../../src/providers/microsoft/child.ts';
import { options as microsoftOptions } from '../../src/providers/microsoft/options.ts';
import { type Sandbox, sharedGoogleClient } from '../../src/sandbox/index.ts';
import { childLine, commandOf } from '../children.ts';
import {
  cli,
  googleAccounts,
  googleSignIn,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  silentLog,
  startMcpServer,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const PERSON = 'you@xebia.example';
const workspace = join(import.meta.dirname, '../children');

interface Home {
  readonly folder: string;
  readonly app: App;
}

/** Xebia through the real ms-365 server, and a calendar that stands in accounts.yaml. */
async function openHome(
  sandbox: Sandbox,
  child = childLine('ms-365', sandbox),
  { folder: given, times }: { readonly folder?: string; readonly times?: Partial<ChildTimes> } = {},
): Promise<Home> {
  const folder = given ?? (await temporaryFolder());
  const yaml = `${microsoftAccounts(sandbox, [XEBIA])}    ${child}\n  fixed: { provider: memory }\n`;
  await writeAccounts(folder, yaml);
  const hurried = times && {
    children: createChildServers({
      stateFolder: join(folder, 'state'),
      machine: { env: process.env, from: join(workspace, 'package.json'), version: '0' },
      log: silentLog,
      times,
    }),
  };
  const { app } = await openTestApp(yaml, { folder, ...hurried });
  await signIn(app, sandbox, XEBIA.id, PERSON);
  return { folder, app };
}

async function ask(app: App): Promise<void> {
  const { complete } = await listEvents.run(
    app,
    { range: 'today', detail: 'full' },
    { signal: AbortSignal.timeout(20_000) },
  );
  expect(complete).toBe(true);
}

async function statusOf(folder: string): Promise<{ readonly exit: number; readonly children: readonly ChildRow[] }> {
  const { status, stdout, stderr } = await cli(folder, ['children', '--json']);
  expect(stderr).toBe('');
  return { exit: status, ...(JSON.parse(stdout) as { children: readonly ChildRow[] }) };
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('children status', () => {
  test('is idle before the first question, and then tells what runs', async () => {
    const sandbox = await openSandbox();
    const { folder, app } = await openHome(sandbox);
    const before = await cli(folder, ['children', 'status']);
    expect(before).toEqual({ status: 0, stdout: 'xebia  ms-365  idle\n', stderr: '' });

    await ask(app);
    const { exit, children } = await statusOf(folder);
    expect(exit).toBe(0);
    expect(children).toEqual([
      {
        account: 'xebia',
        server: 'ms-365',
        state: 'ready',
        transport: 'http',
        pid: expect.any(Number),
        port: expect.any(Number),
        memory: expect.any(Number),
        restarts: 0,
        uptimeSeconds: expect.any(Number),
        owner: process.pid,
      },
    ]);
    const [row] = children;
    expect(row?.memory).toBeGreaterThan(30 * 1_048_576);
    const { stdout } = await cli(folder, ['children']);
    expect(stdout).toMatch(/^xebia {2}ms-365 {2}ready {2}pid \d+ {2}port \d+ {2}\d+ MiB {2}up \d+ s\n$/);
    expect((await cli(folder, ['children', 'status', '--account', 'fixed'])).stdout).toMatch(/^No account/);
    expect((await cli(folder, ['children', 'status', '--account', 'nobody'])).status).toBe(64);
    expect((await cli(folder, ['children', 'status', 'xebia', '--account', 'fixed'])).stdout).toMatch(
      /^xebia .* ready /,
    );

    // Another calmcp with an accounts.yaml that has given it up: what runs is shown.
    await writeAccounts(folder, microsoftAccounts(sandbox, [XEBIA]));
    expect((await statusOf(folder)).children).toMatchObject([{ account: 'xebia', pid: row?.pid }]);
    expect((await cli(folder, ['children', 'status', 'xebia'])).stdout).toMatch(/^xebia .* ready /);

    await app.close();
    expect(isRunning(row?.pid ?? 0)).toBe(false);
    expect((await statusOf(folder)).children).toEqual([]);
  });

  test('tells of some accounts alone, by their ids', async () => {
    const folder = await temporaryFolder();
    const [first, other] = [XEBIA, MARIMER].map((each) =>
      microsoftAccounts({ origin: 'http://127.0.0.1:9' }, [each]).trimEnd(),
    );
    const child = '\n    child: { command: [x] }';
    await writeAccounts(folder, `${first}${child}${other?.split('accounts:')[1]}${child}\n`);
    const rows = async (...args: readonly string[]) => (await cli(folder, ['children', ...args])).stdout;
    expect(await rows('status', 'marimer')).toBe('marimer  ms-365  idle\n');
    expect(await rows('marimer')).toBe('marimer  ms-365  idle\n');
    const both = 'xebia    ms-365  idle\nmarimer  ms-365  idle\n';
    expect(await rows('status', 'marimer', 'xebia')).toBe(both);
    expect(await rows('status', 'marimer', '--account', 'xebia')).toBe(both);
    expect(await rows()).toBe(both);
  });

  test('says so where no account has one, and how to get one', async () => {
    const folder = await temporaryFolder();
    await writeAccounts(folder, 'version: 1\naccounts:\n  fixed: { provider: memory }\n');
    const { status, stdout } = await cli(folder, ['children']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^No account is read through a child server\..* child: true .*\n$/);
    expect((await statusOf(folder)).children).toEqual([]);
  });

  test('exits with 3 for one that was left alone, and restart has it tried again', async () => {
    const sandbox = await openSandbox();
    const folder = await temporaryFolder();
    const flag = join(folder, 'mended');
    const program = join(folder, 'server.mjs');
    const [, , redirect, entry] = commandOf('ms-365', sandbox);
    await writeFile(
      program,
      `import { existsSync } from 'node:fs';
if (!existsSync(${JSON.stringify(flag)})) process.exit(7);
await import(${JSON.stringify(redirect)});
await import(${JSON.stringify(pathToFileURL(entry ?? '').href)});
`,
    );
    const child = `child: ${JSON.stringify({ command: [process.execPath, program] })}`;
    const { app } = await openHome(sandbox, child, { folder, times: { backoff: 1 } });
    const question = () =>
      listEvents.run(app, { range: 'today', detail: 'full' }, { signal: AbortSignal.timeout(20_000) });
    expect((await question()).complete).toBe(false);
    await expect
      .poll(async () => (await statusOf(folder)).children, { timeout: 20_000 })
      .toMatchObject([{ state: 'crash-loop', lastError: expect.stringContaining('(exit 7)') }]);
    const { status, stdout } = await cli(folder, ['children']);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^xebia {2}ms-365 {2}crash-loop .*\(exit 7\)$/m);
    expect(stdout).toMatch(
      /\n {9}see what it said: calmcp children logs xebia, then: calmcp children restart xebia\n$/,
    );

    await writeFile(flag, '');
    expect((await question()).accounts).toMatchObject([
      { account: 'xebia', status: 'unavailable', message: expect.stringContaining('keeps crashing') },
      { account: 'fixed', status: 'ok' },
    ]);
    const restarted = await cli(folder, ['children', 'restart', 'xebia']);
    expect(restarted).toEqual({
      status: 0,
      stdout: 'xebia: its server did not run; the next question starts it afresh\n',
      stderr: '',
    });
    expect((await question()).complete).toBe(true);
    expect(await statusOf(folder)).toMatchObject({ exit: 0, children: [{ state: 'ready' }] });
  });
});

describe('children restart', () => {
  test('ends the process, and another one takes its place, for whoever it belongs to', async () => {
    const sandbox = await openSandbox();
    const { folder, app } = await openHome(sandbox);
    const idle = await cli(folder, ['children', 'restart', 'xebia']);
    expect(idle).toEqual({
      status: 0,
      stdout: 'xebia: no server of it runs; the next question starts one\n',
      stderr: '',
    });

    await ask(app);
    const [{ pid: first = 0 } = {}] = (await statusOf(folder)).children;
    const restarted = await cli(folder, ['children', 'restart', 'xebia']);
    expect(restarted.status).toBe(0);
    const [, was, now] =
      /^xebia: process (\d+) ended; process (\d+) took its place, ready\n$/.exec(restarted.stdout) ?? [];
    expect(Number(was)).toBe(first);
    expect(isRunning(first)).toBe(false);
    expect(isRunning(Number(now))).toBe(true);
    expect((await statusOf(folder)).children).toMatchObject([{ pid: Number(now), state: 'ready', restarts: 1 }]);
    await ask(app);
    const { stdout } = await cli(folder, ['children', 'restart', 'xebia', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      account: 'xebia',
      restarted: [{ was: Number(now), state: 'ready', account: 'xebia' }],
    });
  });

  test('reaches the servers of every running calmcp, and a closed one leaves nothing', async () => {
    const sandbox = await openSandbox();
    const { folder, app } = await openHome(sandbox);
    await ask(app);
    const client = await startMcpServer(folder);
    await client.callTool({ name: 'list_events', arguments: { range: 'today' } });
    const { children } = await statusOf(folder);
    expect(children).toMatchObject([{ state: 'ready' }, { state: 'ready' }]);
    expect(new Set(children.map(({ owner }) => owner)).size).toBe(2);
    const { stdout: rows } = await cli(folder, ['children']);
    const owners = [...rows.matchAll(/^xebia .* {2}of calmcp (\d+)$/gm)].map(([, owner]) => Number(owner));
    expect(owners).toEqual(children.map(({ owner }) => owner));
    const before = children.map(({ pid }) => pid ?? 0);
    const restarted = await cli(folder, ['children', 'restart', 'xebia']);
    expect(restarted.stdout.match(/took its place, ready\n/g)).toHaveLength(2);
    expect(before.filter(isRunning)).toEqual([]);
    const after = (await statusOf(folder)).children.map(({ pid }) => pid ?? 0);
    expect(after.filter(isRunning)).toHaveLength(2);

    await client.close();
    await expect.poll(async () => (await statusOf(folder)).children, { timeout: 20_000 }).toHaveLength(1);
    await app.close();
    await expect.poll(() => after.filter(isRunning), { timeout: 20_000 }).toEqual([]);
    expect((await readdir(join(folder, 'state/children/xebia'))).filter((name) => name !== 'server.log')).toEqual([]);
  });

  test.each([
    [['status', 'nobody'], /no account "nobody".*known: xebia, fixed/s],
    [['status', 'xebia', 'nobody'], /no account "nobody"/],
    [['status', 'fixed'], /fixed has no child server.*those that have one: xebia/s],
    [['restart', 'nobody'], /no account "nobody".*known: xebia, fixed/s],
    [['logs', 'nobody'], /no account "nobody".*known: xebia, fixed/s],
    [['restart', 'fixed'], /fixed has no child server.*those that have one: xebia/s],
    [['logs', 'fixed'], /fixed has no child server/],
    [['restart', 'xebia', '--time-zone', 'UTC'], /no use for --time-zone/],
    [['logs', 'xebia', '--account', 'xebia'], /no use for --account/],
    [['logs', 'xebia', '--lines', '0'], /is no number of lines/],
    [['logs', 'xebia', '--lines', 'all'], /is no number of lines/],
    [['restart'], /missing required argument/],
  ])('%s is refused, and says why', async (args, says) => {
    const folder = await temporaryFolder();
    const yaml = `${microsoftAccounts({ origin: 'http://127.0.0.1:9' }, [XEBIA])}    child: { command: [x] }\n  fixed: { provider: memory }\n`;
    await writeAccounts(folder, yaml);
    const { status, stdout, stderr } = await cli(folder, ['children', ...args]);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(says);
  });
});

describe('children logs', () => {
  test('prints what was said, the last lines of it, safe for a terminal', async () => {
    const sandbox = await openSandbox();
    const { folder, app } = await openHome(sandbox);
    expect(await cli(folder, ['children', 'logs', 'xebia'])).toMatchObject({
      status: 0,
      stdout: 'xebia: its server has said nothing yet\n',
    });
    await ask(app);
    await app.close();
    const all = await cli(folder, ['children', 'logs', 'xebia']);
    expect(all.stdout).toMatch(/calmcp: started ms-365 as process \d+ on port \d+\n/);

    const log = join(folder, 'state/children/xebia/server.log');
    await writeFile(log, `${await readFile(log, 'utf8')}one\ntwo \u001b[31mred\u202e\u0007\nthree\n`);
    const last = await cli(folder, ['children', 'logs', 'xebia', '--lines', '2']);
    expect(last).toEqual({ status: 0, stdout: 'two [31mred\nthree\n', stderr: '' });
    const asJson = await cli(folder, ['children', 'logs', 'xebia', '--lines', '1', '--json']);
    expect(JSON.parse(asJson.stdout)).toEqual({ account: 'xebia', lines: ['three'] });
  });
});

async function examine(folder: string, shell: Partial<Shell> = {}, seconds = 30) {
  const { status, stdout } = await cli(
    folder,
    ['doctor', '--json', '--account', 'xebia', '--timeout', String(seconds)],
    shell,
  );
  const { probes } = JSON.parse(stdout) as { readonly probes: readonly Probe[] };
  const own = probes.filter(({ account }) => account !== undefined);
  return { status, own, probe: (name: string) => own.find((probe) => probe.name === name) };
}

/** Another version of a package, as far as its package.json tells; the program of the real one is run. */
async function installAs(version: string, sandbox: Sandbox): Promise<string> {
  const folder = await temporaryFolder();
  const name = '@softeria/ms-365-mcp-server';
  const own = join(folder, 'node_modules', name);
  await mkdir(own, { recursive: true });
  const bin = { 'ms-365-mcp-server': 'run.mjs' };
  await writeFile(join(own, 'package.json'), JSON.stringify({ name, version, bin }));
  const [, , redirect, entry] = commandOf('ms-365', sandbox);
  const imports = [redirect, pathToFileURL(entry ?? '').href].map((each) => `await import(${JSON.stringify(each)});\n`);
  await writeFile(join(own, 'run.mjs'), imports.join(''));
  return folder;
}

/** An account of the real Microsoft through the installed package. What this process asks of it is answered here. */
async function realHome(more = ''): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(
    folder,
    `version: 1
accounts:
  xebia:
    provider: microsoft
    clientId: 11111111-1111-1111-1111-111111111111
    tenantId: ${XEBIA.tenantId}
    child: true${more}
`,
  );
  return folder;
}

const NO_TOKEN = `\n    tokenCommand: ${JSON.stringify([process.execPath, '--print', '"not-a-real-token"'])}`;

const microsoftChild = childSpecOf(
  microsoftOptions.parse({ clientId: '11111111-1111-1111-1111-111111111111', tenantId: 'organizations', child: true }),
  'xebia',
) as ChildSpec;

const nobodyElse: Shell['fetch'] = async (input, init) =>
  new URL(input).hostname === '127.0.0.1' ? globalThis.fetch(input, init) : new Response(null, { status: 404 });

/** An MCP server on pipes that is not the one that is meant. */
const SOMEBODY_ELSE = `
const lines = require('node:readline').createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { id, method, params } = JSON.parse(line);
  if (id === undefined) return;
  const serverInfo = { name: 'somebody-else', version: '1' };
  const result = { protocolVersion: params?.protocolVersion, capabilities: { tools: {} }, serverInfo };
  const answer = method === 'initialize' ? { result } : { error: { code: -32601, message: 'no' } };
  console.log(JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
});
`;

describe('doctor', () => {
  test('starts the child server with the token of the account, and reads through it', async () => {
    const sandbox = await openSandbox();
    const { folder, app } = await openHome(sandbox);
    const { status, own, probe } = await examine(folder);
    expect(own.map(({ name }) => name)).toEqual(['service', 'clock', 'sign-in', 'child server', 'calendars']);
    expect(own.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok']);
    expect(probe('child server')?.message).toMatch(/^a program of your own \(node\w*(?:\.exe)?\), started in \d+ ms$/);
    expect(status).toBe(0);
    expect((await statusOf(folder)).children).toMatchObject([{ state: 'idle' }]);
    await app.close();
  });

  test('of a Google account as well', async () => {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = sharedGoogleClient;
    const more = childLine('google-calendar', sandbox);
    const yaml = googleAccounts(sandbox, [{ id: 'xebia', clientId, clientSecret, more }]);
    const { app, folder } = await openTestApp(yaml);
    await writeAccounts(folder, yaml);
    await googleSignIn(app, sandbox, 'xebia', 'you@home.example');
    await app.close();
    const { status, probe } = await examine(folder);
    expect(probe('child server')).toMatchObject({ state: 'ok' });
    expect(probe('calendars')).toMatchObject({ state: 'ok' });
    expect(status).toBe(0);
  });

  test('skips it where nobody is signed in', async () => {
    const sandbox = await openSandbox();
    const folder = await temporaryFolder();
    await writeAccounts(folder, `${microsoftAccounts(sandbox, [XEBIA])}    ${childLine('ms-365', sandbox)}\n`);
    const { probe } = await examine(folder);
    expect(probe('child server')).toMatchObject({
      state: 'skipped',
      message: expect.stringMatching(/not started, as the sign-in comes first$/),
    });
    expect(probe('calendars')).toMatchObject({ state: 'skipped' });
  });

  test('finds the package, and warns of a version that calmcp was not tried with', async () => {
    const found = await examine(await realHome(), { packageFolder: workspace, fetch: nobodyElse });
    expect(found.probe('child server')).toMatchObject({
      state: 'skipped',
      message: '@softeria/ms-365-mcp-server 0.155.0; not started, as the sign-in comes first',
    });
    const sandbox = await openSandbox();
    const packageFolder = await installAs('0.1.0', sandbox);
    const other = await examine(await realHome(NO_TOKEN), { packageFolder, fetch: nobodyElse });
    expect(other.probe('child server')).toMatchObject({
      state: 'warn',
      message: expect.stringMatching(/-server 0\.1\.0, started in \d+ ms; calmcp was tried with 0\.155\.0$/),
      hint: expect.stringContaining('npm i -g @softeria/ms-365-mcp-server@0.155.0'),
    });
    expect(other.probe('calendars')).toMatchObject({ state: 'fail', code: 'AUTH_REQUIRED' });
  });

  test('says how to install a package that is missing, in one line', async () => {
    const folder = await realHome(NO_TOKEN);
    const empty = { packageFolder: await temporaryFolder(), env: { PATH: '' }, fetch: nobodyElse };
    const { status, probe } = await examine(folder, empty);
    expect(probe('child server')).toMatchObject({
      state: 'fail',
      message: 'its child server @softeria/ms-365-mcp-server is not installed',
      hint: 'run: npm i -g @softeria/ms-365-mcp-server@0.155.0',
    });
    expect(probe('calendars')).toMatchObject({
      state: 'skipped',
      message: 'not read, as the child server comes first',
    });
    expect(status).toBe(78);
    const agenda = await cli(folder, ['agenda', 'today'], empty);
    expect(agenda.status).toBe(78);
    expect(agenda.stderr).toMatch(/is not installed.*npm i -g @softeria\/ms-365-mcp-server@0\.155\.0/s);
  });

  test.each([
    ['a program that there is not', ['./no-such-program'], /could not be started \(ENOENT\)/, 78],
    ['one that ends at once', [process.execPath, '--eval', 'process.exit(3)', '--'], /\(exit 3\)/, 69],
    ['another server', [process.execPath, '--eval', SOMEBODY_ELSE, '--'], /is not the ms-365 server/, 76],
  ])('%s: says what is wrong with it', async (_name, command, says, exit) => {
    const sandbox = await openSandbox();
    const { folder, app } = await openHome(sandbox, `child: ${JSON.stringify({ transport: 'stdio', command })}`);
    const { status, probe } = await examine(folder);
    expect(probe('service')).toMatchObject({ state: 'ok' });
    expect(probe('child server')).toMatchObject({ state: 'fail', message: expect.stringMatching(says) });
    expect(probe('calendars')).toMatchObject({ state: 'skipped' });
    expect(status).toBe(exit);
    await app.close();
  });
});

test('doctor says that a child server was not ready in the time that was given', async () => {
  const sandbox = await openSandbox();
  const silent = [process.execPath, '--eval', 'setInterval(() => undefined, 1000)', '--'];
  const { folder, app } = await openHome(sandbox, `child: ${JSON.stringify({ command: silent })}`);
  const { status, probe } = await examine(folder, {}, 0.5);
  expect(status).toBe(69);
  expect(probe('child server')).toMatchObject({
    state: 'fail',
    message: expect.stringMatching(/still starting|did not answer within 0\.5 s/),
    hint: expect.stringContaining('--timeout 30'),
  });
  await app.close();
});

describe('tools that are not as calmcp knows them', () => {
  const { kind } = microsoftChild;
  const seen = { program: kind.package, version: kind.version, milliseconds: 7 };

  test('are a warning where there is just less without them, a failure elsewhere', () => {
    const less = judgeChild(microsoftChild, 'x', { ...seen, withheld: ['get-schedule: it does not have it'] });
    expect(less).toMatchObject({ state: 'warn', problems: ['get-schedule: it does not have it'] });
    const withheld = ['list-calendars: it has it more than once', 'get-schedule: it does not have it'];
    const nothing = judgeChild(microsoftChild, 'x', { ...seen, withheld });
    expect(nothing).toMatchObject({ state: 'fail', code: 'BAD_RESPONSE', problems: withheld });
    for (const { hint } of [less, nothing]) expect(hint).toContain(`npm i -g ${kind.package}@${kind.version}`);
  });
});

describe('accounts', () => {
  test('add --child gives an account one, and list says so', async () => {
    const folder = await temporaryFolder();
    const ids = ['--client-id', '11111111-1111-1111-1111-111111111111', '--tenant-id', MARIMER.tenantId];
    const added = await cli(folder, ['accounts', 'add', 'marimer', '--provider', 'microsoft', ...ids, '--child']);
    expect([added.status, added.stderr]).toEqual([0, '']);
    const stdio = ['--set', 'child.transport=stdio'];
    expect((await cli(folder, ['accounts', 'add', 'piped', '--provider', 'microsoft', ...ids, ...stdio])).status).toBe(
      0,
    );
    const yaml = await readFile(join(folder, 'accounts.yaml'), 'utf8');
    expect(yaml).toMatch(/marimer:\n(?: {4}.*\n)* {4}child: true\n/);
    expect(yaml).toMatch(/piped:\n(?: {4}.*\n)* {4}child:\n {6}transport: stdio\n/);

    const { stdout } = await cli(folder, ['accounts', 'list']);
    expect(stdout).toMatch(/^marimer .*, through its child server ms-365$/m);
    const listed = JSON.parse((await cli(folder, ['accounts', 'list', '--json'])).stdout);
    expect(listed.accounts).toMatchObject([{ childServer: 'ms-365' }, { childServer: 'ms-365' }]);
    expect((await cli(folder, ['children'])).stdout).toBe('marimer  ms-365  idle\npiped    ms-365  idle\n');
    const help = await cli(folder, ['accounts', 'add', '--help']);
    expect(help.stdout).toMatch(/--child {2,}/);
    const feed = await cli(folder, [
      'accounts',
      'add',
      'feed',
      '--provider',
      'ics',
      '--url',
      'https://x.example/',
      '--child',
    ]);
    expect(feed.status).toBe(64);
    expect(feed.stderr).toMatch(/ics accounts have no child/);
  });
});

test('accounts remove --logout takes along what its servers have left', async () => {
  const sandbox = await openSandbox();
  const { folder, app } = await openHome(sandbox);
  await ask(app);
  await app.close();
  expect((await cli(folder, ['children', 'logs', 'xebia'])).stdout).toContain('started ms-365');
  const { status } = await cli(folder, ['accounts', 'remove', 'xebia', '--logout', '--yes']);
  expect(status).toBe(0);
  expect(await readdir(join(folder, 'state', 'children'))).not.toContain('xebia');
});
