/** The supervisor with a real process below it, which has one fault: test/fakes/child-server.mjs. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import { listLeases, requestRestart } from '../../src/io/child-lease.ts';
import { readChildLog } from '../../src/io/child-log.ts';
import { childrenFolder } from '../../src/io/child-servers.ts';
import { freePort } from '../../src/io/port-owner.ts';
import { openCall } from '../harness.ts';
import {
  fakeSpec,
  foldersOf,
  isRunning,
  readView,
  recorded,
  type Supervised,
  supervise,
  until,
} from './child-harness.ts';

const subjects = (text: string): string[] =>
  (JSON.parse(text) as { value: { subject: string }[] }).value.map(({ subject }) => subject);

const both = ['stdio', 'http'] as const;

/** Starts of its process. */
const starts = async ({ folder }: Supervised, account?: string): Promise<number> =>
  (await recorded(folder, account)).filter(({ started }) => started !== undefined).length;

const callsOf = async ({ folder }: Supervised): Promise<string[]> =>
  (await recorded(folder)).flatMap(({ call }) => call ?? []);

describe.each(both)('over %s', (transport) => {
  test('a server is started by the first call, answers many at once, and leaves nothing behind when it is closed', async () => {
    const supervised = await supervise();
    const server = supervised.open('none', { transport });
    expect(await supervised.lease()).toBeUndefined();
    const answers = await Promise.all(Array.from({ length: 20 }, () => readView(server)));
    for (const { text } of answers) expect(subjects(text)).toEqual(['Stand-up of token', 'Review of token']);
    expect(await starts(supervised)).toBe(1);
    const pid = await supervised.pid();
    const lease = await supervised.lease();
    expect(lease).toMatchObject({ state: 'ready', restarts: 0, account: 'work' });
    expect(lease?.port === undefined).toBe(transport === 'stdio');
    expect(await isRunning(pid)).toBe(true);
    await supervised.children.close();
    expect(await isRunning(pid)).toBe(false);
    expect(await foldersOf(supervised.state)).not.toContainEqual(expect.stringMatching(/^\d+-/));
    await expect(readView(server)).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'calmcp is closing' });
  });

  test('a read that it crashed of is made once more', async () => {
    const supervised = await supervise();
    const server = supervised.open('crash-once-mid-call', { transport });
    expect(subjects((await readView(server)).text)).toHaveLength(2);
    expect(await callsOf(supervised)).toHaveLength(2);
    await supervised.reaches({ state: 'ready', restarts: 1 });
  });

  test('a read that it crashes of again is given up, and says that the child server is the matter', async () => {
    const supervised = await supervise();
    const server = supervised.open('crash-mid-call', { transport });
    await expect(readView(server)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      account: 'work',
      message: expect.stringContaining('its child server'),
      hint: expect.stringContaining('calmcp children logs work'),
    });
    expect(await callsOf(supervised)).toHaveLength(2);
  });

  test('a server that blocks completely misses three pings and is started again', async () => {
    const supervised = await supervise({ ping: 250 });
    const server = supervised.open('hang-once', { transport });
    await expect(readView(server, 'token', 1_000)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'its child server did not answer in time',
    });
    await until(async () => (await starts(supervised)) === 2, 'a second start');
    await supervised.reaches({ state: 'ready' });
    expect(subjects((await readView(server)).text)).toHaveLength(2);
    const said = await readChildLog(join(server.folder, 'server.log'), 100);
    expect(said.filter((line) => line.includes('no answer to a ping'))).toHaveLength(3);
  });

  test('a call that hangs is given up in time, and the server that answers all else is left alone', async () => {
    const supervised = await supervise({ ping: 5_000 });
    const server = supervised.open('hang-in-call', { transport });
    await expect(readView(server, 'token', 1_500)).rejects.toThrow('its child server did not answer in time');
    await until(async () => (await recorded(supervised.folder)).some(({ ping }) => ping), 'a ping');
    await supervised.reaches({ state: 'ready', restarts: 0 });
    expect(await starts(supervised)).toBe(1);
  });

  test('a server that is never ready ends with its start budget', async () => {
    const supervised = await supervise({ start: 600, backoff: 60_000, backoffCap: 60_000 });
    const server = supervised.open('never-ready', { transport });
    const began = performance.now();
    await expect(readView(server)).rejects.toThrow('its child server was not ready within 1 s');
    // Whatever time limits the MCP library has of its own.
    expect(performance.now() - began).toBeLessThan(4_000);
    await supervised.reaches({ state: 'backoff' });
    for (const { pid } of await recorded(supervised.folder)) expect(await isRunning(pid)).toBe(false);
  });

  test('a question whose time ends before the start does is told so', async () => {
    const supervised = await supervise();
    const server = supervised.open('never-ready', { transport });
    await expect(readView(server, 'token', 1_000)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: 'its child server is still starting',
    });
  });

  test('a server with another name is not asked anything', async () => {
    const supervised = await supervise();
    const server = supervised.open('wrong-name', { transport });
    await expect(readView(server)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringContaining('another name'),
    });
    expect(await callsOf(supervised)).toEqual([]);
  });

  test('a server that ignores the end of stdin and SIGTERM is killed', async () => {
    const supervised = await supervise();
    const server = supervised.open('deaf', { transport });
    await readView(server);
    const pid = await supervised.pid();
    const began = performance.now();
    await server.stop();
    expect(await isRunning(pid)).toBe(false);
    // Once after the end of stdin, and once after SIGTERM.
    expect(performance.now() - began).toBeGreaterThan(900);
    expect((await recorded(supervised.folder)).filter(({ heard }) => heard === 'SIGTERM').length).toBeGreaterThan(0);
    await supervised.reaches({ state: 'idle' });
  });

  test.each(['grandchild', 'grandchild-detached', 'grandchild-bare'])('a %s goes with the server', async (fault) => {
    const supervised = await supervise();
    const server = supervised.open(fault, { transport });
    await readView(server);
    const left = (await recorded(supervised.folder)).flatMap(({ grandchild }) => grandchild ?? []);
    expect(left).toHaveLength(1);
    expect(await isRunning(left[0] ?? 0)).toBe(true);
    // It ends as if by itself, and what it leaves behind goes at once.
    process.kill(await supervised.pid(), 'SIGKILL');
    await until(async () => !(await isRunning(left[0] ?? 0)), 'the end of what it left behind');
    await supervised.reaches({ state: 'ready' });
    const all = (await recorded(supervised.folder)).map(({ pid, grandchild }) => grandchild ?? pid);
    await supervised.children.close();
    for (const pid of all) expect(await isRunning(pid)).toBe(false);
  });

  test('an answer that is too large is refused, and said to be so', async () => {
    const supervised = await supervise();
    const server = supervised.open('huge', { transport });
    await expect(readView(server)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: 'its child server sent an answer of more than 32 MiB',
    });
  });

  test.each([
    ['tool-missing', 'does not have it'],
    ['tool-doubled', 'more than once'],
    ['tools-changed', 'not as it was'],
  ])('with %s the tool is withheld, and the others go on', async (fault, why) => {
    const supervised = await supervise();
    const server = supervised.open(fault, { transport });
    expect((await server.read('list-calendars', {}, openCall(), 'token')).isError).toBe(false);
    await expect(readView(server)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringContaining(`get-specific-calendar-view of its child server is not used: it `),
    });
    await expect(readView(server)).rejects.toThrow(why);
    await expect(server.read('download-bytes', {}, openCall(), 'token')).rejects.toThrow('calmcp does not know it');
    await supervised.reaches({ state: 'degraded' });
    expect((await server.probe(openCall(), 'token')).withheld).toEqual([expect.stringContaining(why)]);
    expect(await callsOf(supervised)).toEqual(['list-calendars']);
  });

  test.each(['no-tools', 'huge-tools'])('a server with %s is not used', async (fault) => {
    const supervised = await supervise();
    await expect(readView(supervised.open(fault, { transport }))).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
});

test('a server that says later that its tools have changed is looked at again before the next call', async () => {
  const supervised = await supervise();
  const server = supervised.open('tools-change-later');
  await server.read('list-calendars', {}, openCall(), 'token');
  await expect(readView(server)).rejects.toThrow('not as it was');
  expect(await callsOf(supervised)).toEqual(['list-calendars']);
  await supervised.reaches({ state: 'degraded' });
});

describe('stdout', () => {
  test('a little garbage does no harm', async () => {
    const supervised = await supervise();
    const server = supervised.open('garbage-little');
    expect(subjects((await readView(server)).text)).toHaveLength(2);
    expect(await starts(supervised)).toBe(1);
  });

  test.each([
    ['garbage-much', 'prints things that are no MCP messages'],
    ['flood-notifications', 'floods calmcp'],
    ['flood-answers', 'floods calmcp'],
  ])('%s ends the server, and a call that waits is told', async (fault, why) => {
    const supervised = await supervise({ backoff: 60_000, backoffCap: 60_000 });
    const server = supervised.open(fault, { delay: 5_000 });
    await expect(readView(server)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringContaining(why),
    });
    await supervised.reaches({ state: 'backoff' });
    for (const { pid } of await recorded(supervised.folder)) expect(await isRunning(pid)).toBe(false);
  });

  test('a line without an end is cut off', async () => {
    const supervised = await supervise();
    await expect(readView(supervised.open('endless-line'))).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: 'its child server sent an answer of more than 32 MiB',
    });
  });

  test('a server that closes its output is started again', async () => {
    const supervised = await supervise();
    const server = supervised.open('close-stdout-once');
    expect(subjects((await readView(server)).text)).toHaveLength(2);
    expect(await starts(supervised)).toBe(2);
  });
});

describe('a crash loop', () => {
  test('waits with full jitter, doubling, then is left alone until somebody asks for a fresh start', async () => {
    const jitter = [0.5, 1, 0.5, 0.25];
    const supervised = await supervise(
      { backoff: 100, backoffCap: 300 },
      { random: () => jitter.shift() ?? Number.NaN },
    );
    const server = supervised.open('crash-at-start');
    const error = await readView(server).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: 'its child server ended as it was started (exit 2)' });
    await supervised.reaches({ state: 'crash-loop' });
    expect(await starts(supervised)).toBe(5);
    expect(jitter).toEqual([]);

    await expect(readView(server)).rejects.toMatchObject({
      message: 'its child server keeps crashing, 5 times by now, and was left alone',
      hint: expect.stringContaining('calmcp children restart work'),
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await starts(supervised)).toBe(5);

    const [lease] = await listLeases(childrenFolder(supervised.state));
    if (lease === undefined) throw new Error('no lease');
    await requestRestart(lease);
    await expect(readView(server)).rejects.toThrow('ended as it was started');
    expect(await starts(supervised)).toBeGreaterThan(5);
  });

  test('is not forgotten when nobody asks for a while', async () => {
    const supervised = await supervise({ idle: 100 });
    const server = supervised.open('crash-mid-call');
    for (let call = 0; call < 4; call++) await readView(server).catch(() => undefined);
    await supervised.reaches({ state: 'crash-loop' });
    await new Promise((resolve) => setTimeout(resolve, 400));
    await supervised.reaches({ state: 'crash-loop' });
  });

  test('crashes count no more after a stable time', async () => {
    const supervised = await supervise({ stable: 150 });
    const server = supervised.open('none');
    for (let crash = 1; crash <= 6; crash++) {
      await readView(server);
      await new Promise((resolve) => setTimeout(resolve, 400));
      const pid = await supervised.pid();
      process.kill(pid, 'SIGKILL');
      await until(async () => {
        const lease = await supervised.lease();
        return lease?.state === 'ready' && lease.process?.pid !== pid;
      }, 'another process');
    }
    await supervised.reaches({ state: 'ready', restarts: 6 });
  });

  test('without a stable time in between the same crashes add up', async () => {
    const supervised = await supervise();
    const server = supervised.open('none');
    await readView(server);
    for (let crash = 1; crash <= 5; crash++) {
      await supervised.reaches({ state: 'ready' });
      const pid = await supervised.pid();
      process.kill(pid, 'SIGKILL');
      await until(async () => {
        const lease = await supervised.lease();
        return lease?.state === 'crash-loop' || (lease?.state === 'ready' && lease.process?.pid !== pid);
      }, 'what comes after a crash');
    }
    await supervised.reaches({ state: 'crash-loop' });
  });
});

test('a call that meets backoff tries once to start it, and the next one in the same pause is told to wait', async () => {
  const supervised = await supervise({ backoff: 60_000, backoffCap: 60_000, reconnect: 8_000 });
  const server = supervised.open('crash-once-at-start');
  await expect(readView(server)).rejects.toThrow('ended as it was started');
  await supervised.reaches({ state: 'backoff' });
  expect(subjects((await readView(server)).text)).toHaveLength(2);
});

test('a call that meets backoff does not wait for long', async () => {
  const supervised = await supervise({ backoff: 60_000, backoffCap: 60_000, start: 600, reconnect: 300 });
  const server = supervised.open('never-ready');
  await expect(readView(server)).rejects.toThrow('not ready');
  await supervised.reaches({ state: 'backoff' });
  const began = performance.now();
  await expect(readView(server)).rejects.toMatchObject({ message: expect.stringMatching(/still starting|restarting/) });
  expect(performance.now() - began).toBeLessThan(2_000);
});

test('a server that nobody asks is ended, and started again by the next call', async () => {
  const supervised = await supervise({ idle: 300 });
  const server = supervised.open('none');
  await readView(server);
  const pid = await supervised.pid();
  await supervised.reaches({ state: 'idle' });
  expect(await isRunning(pid)).toBe(false);
  expect((await readView(server)).isError).toBe(false);
  expect(await starts(supervised)).toBe(2);
  await supervised.reaches({ restarts: 0 });
});

test('a call that comes while it is being ended waits for that, and gets a new one on the same port', async () => {
  const supervised = await supervise();
  const port = await freePort();
  const server = supervised.open('deaf-to-stdin', { transport: 'http', port });
  await readView(server);
  const first = await supervised.pid();
  const [, answer] = await Promise.all([server.stop(), readView(server, 'other')]);
  expect(subjects(answer.text)[0]).toBe('Stand-up of other');
  expect(await isRunning(first)).toBe(false);
  expect(await isRunning(await supervised.pid())).toBe(true);
  expect(await supervised.lease()).toMatchObject({ state: 'ready', port });
});

test('closing in the middle of a start leaves nothing', async () => {
  const supervised = await supervise();
  const server = supervised.open('none', { transport: 'http' });
  const asked = readView(server).catch((thrown: unknown) => thrown);
  await until(async () => (await starts(supervised)) === 1, 'a start');
  await supervised.children.close();
  expect(await asked).toBeInstanceOf(CalmcpError);
  for (const { pid } of await recorded(supervised.folder)) expect(await isRunning(pid)).toBe(false);
  expect(await foldersOf(supervised.state)).not.toContainEqual(expect.stringMatching(/^\d+-/));
});

test('no more than four start at once', async () => {
  const supervised = await supervise({ start: 1_000, backoff: 60_000, backoffCap: 60_000 });
  const accounts = Array.from({ length: 6 }, (_, index) => `a${index}`);
  const asked = accounts.map((account) =>
    readView(supervised.open('never-ready', { account })).catch((thrown: CalmcpError) => thrown.message),
  );
  let most = 0;
  let isDone = false;
  const watching = (async () => {
    while (!isDone) {
      const leases = await listLeases(childrenFolder(supervised.state));
      const running = leases.filter(({ lease }) => lease.state === 'starting' && lease.process !== undefined);
      most = Math.max(most, running.length);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const messages = await Promise.all(asked);
  isDone = true;
  await watching;
  expect(most).toBe(4);
  // Waiting for a turn is no part of the start budget: the last ones were started as well.
  expect(new Set(messages)).toEqual(new Set(['its child server was not ready within 1 s']));
  for (const account of accounts) expect(await starts(supervised, account)).toBe(1);
});

test('calmcp children restart ends the process, which counts as no crash', async () => {
  const supervised = await supervise();
  const server = supervised.open('none');
  await readView(server);
  const pid = await supervised.pid();
  const [lease] = await listLeases(childrenFolder(supervised.state));
  if (lease === undefined) throw new Error('no lease');
  await requestRestart(lease);
  await until(async () => {
    const now = await supervised.lease();
    return now?.state === 'ready' && now.process?.pid !== pid;
  }, 'another process');
  expect(await isRunning(pid)).toBe(false);
  await supervised.reaches({ restarts: 1, lastError: undefined });
});

test('calmcp children restart ends one that ignores SIGTERM as well', async () => {
  const supervised = await supervise();
  const server = supervised.open('deaf');
  await readView(server);
  const pid = await supervised.pid();
  const [lease] = await listLeases(childrenFolder(supervised.state));
  if (lease === undefined) throw new Error('no lease');
  await requestRestart(lease);
  await until(async () => !(await isRunning(pid)), 'its end');
  await until(async () => (await starts(supervised)) === 2, 'another start');
  // Not deaf for ten seconds more.
  await supervised.reaches({ state: 'ready' });
  const again = await supervised.pid();
  process.kill(again, 'SIGKILL');
});

test('no such program is a mistake of accounts.yaml, and no crash', async () => {
  const supervised = await supervise();
  const { children, folder } = supervised;
  const server = children.open({
    account: 'work',
    kind: (await import('../../src/providers/microsoft/child.ts')).MS_365,
    command: [join(folder, 'nowhere')],
    transport: 'stdio',
    port: 0,
    lending: 'environment',
    args: () => [],
    environment: () => ({}),
  });
  for (let call = 0; call < 6; call++)
    await expect(readView(server)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: 'the program of the child server could not be started (ENOENT)',
      hint: expect.stringContaining('child.command'),
    });
  await supervised.reaches({ state: 'idle' });
});

test('a package that is not installed is one line that says how to install it', async () => {
  const { children } = await supervise();
  const { MS_365 } = await import('../../src/providers/microsoft/child.ts');
  const server = children.open({
    account: 'work',
    kind: { ...MS_365, package: '@nobody/nothing-of-the-kind' },
    transport: 'stdio',
    port: 0,
    lending: 'environment',
    args: () => [],
    environment: () => ({}),
  });
  await expect(readView(server)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'its child server @nobody/nothing-of-the-kind is not installed',
    hint: `run: npm i -g @nobody/nothing-of-the-kind@${MS_365.version}`,
  });
});

describe('tokens', () => {
  test('over http each request has its own', async () => {
    const supervised = await supervise();
    const server = supervised.open('none', { transport: 'http' });
    for (const token of ['one', 'two', 'one'])
      expect(subjects((await readView(server, token)).text)[0]).toBe(`Stand-up of ${token}`);
    const mixed = await Promise.all(Array.from({ length: 12 }, (_, index) => readView(server, `t${index}`)));
    expect(mixed.map(({ text }) => subjects(text)[0])).toEqual(mixed.map((_, index) => `Stand-up of t${index}`));
    expect(await starts(supervised)).toBe(1);
  });

  test('in the environment another one is another process, and what the old one is busy with ends first', async () => {
    const supervised = await supervise();
    const server = supervised.open('none', { delay: 700 });
    await server.probe(openCall(), 'one');
    const old = readView(server, 'one');
    await until(async () => (await callsOf(supervised)).length === 1, 'a call');
    const [first, second, third] = await Promise.all([old, readView(server, 'two'), readView(server, 'two')]);
    expect(subjects(first.text)[0]).toBe('Stand-up of one');
    expect(subjects(second.text)[0]).toBe('Stand-up of two');
    expect(subjects(third.text)[0]).toBe('Stand-up of two');
    expect(await starts(supervised)).toBe(2);
    await supervised.reaches({ state: 'ready', restarts: 0 });
    // Whoever asks with the token of before gets its answer: it may be somebody else's.
    expect(subjects((await readView(server, 'one')).text)[0]).toBe('Stand-up of one');
    const mixed = await Promise.all(['one', 'two', 'one', 'two'].map((token) => readView(server, token)));
    expect(mixed.map(({ text }) => subjects(text)[0])).toEqual([
      'Stand-up of one',
      'Stand-up of two',
      'Stand-up of one',
      'Stand-up of two',
    ]);
  });

  test('closing while the old one is still busy leaves nothing', async () => {
    const supervised = await supervise();
    const server = supervised.open('hang-in-call');
    const old = readView(server, 'one').catch(() => undefined);
    await until(async () => (await callsOf(supervised)).length === 1, 'a call');
    const next = readView(server, 'two').catch(() => undefined);
    await supervised.reaches({ state: 'stopping' });
    await supervised.children.close();
    await Promise.all([old, next]);
    for (const { pid } of await recorded(supervised.folder)) expect(await isRunning(pid)).toBe(false);
  });

  test('a server that refuses the sign-in says so with the status that replaces the token', async () => {
    const supervised = await supervise();
    const server = supervised.open('refused-sign-in', { transport: 'http' });
    await expect(readView(server, 'bad')).rejects.toMatchObject({ code: 'AUTH_REQUIRED', cause: { status: 401 } });
    await readView(server, 'good');
    await expect(readView(server, 'bad')).rejects.toMatchObject({ code: 'AUTH_REQUIRED', cause: { status: 401 } });
    await supervised.reaches({ state: 'ready', restarts: 0 });
  });
});

describe('ports', () => {
  /** Somebody else's server, which notes what it is asked. */
  async function squat(port: number) {
    const asked: { url: string | undefined; headers: unknown }[] = [];
    const server = createServer((request, response) => {
      asked.push({ url: request.url, headers: request.headers });
      response.end('{}');
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    onTestFinished(() => void server.close());
    return asked;
  }

  test('a fixed port that belongs to somebody else gets no request at all', async () => {
    const supervised = await supervise();
    const port = await freePort();
    const asked = await squat(port);
    const server = supervised.open('none', { transport: 'http', port });
    await expect(readView(server)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `port ${port} of its child server is taken`,
      hint: expect.stringContaining('auto'),
    });
    await supervised.reaches({ state: 'idle' });
    expect(asked).toEqual([]);
    expect(await starts(supervised)).toBe(0);
  });

  test('however often it was asked for meanwhile, a fixed port that is free again is used', async () => {
    const supervised = await supervise();
    const port = await freePort();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
    const server = supervised.open('none', { transport: 'http', port });
    for (let question = 0; question < 3; question++) await expect(readView(server)).rejects.toThrow('is taken');
    await new Promise((resolve) => other.close(resolve));
    expect(subjects((await readView(server)).text)).toHaveLength(2);
  });

  test('somebody who takes the port when the server has died gets no request at all', async () => {
    const supervised = await supervise({ backoff: 5_000, backoffCap: 5_000 });
    const port = await freePort();
    const server = supervised.open('none', { transport: 'http', port });
    await readView(server);
    process.kill(await supervised.pid(), 'SIGKILL');
    await supervised.reaches({ state: 'backoff' });
    const asked = await squat(port);
    await expect(readView(server)).rejects.toThrow(`port ${port} of its child server is taken`);
    expect(asked).toEqual([]);
  });

  test('somebody who takes the port of a server that still runs gets no request at all, and it is started on another', async () => {
    const supervised = await supervise();
    const server = supervised.open('close-port-once', { transport: 'http' });
    await server.probe(openCall(), 'token');
    const pid = await supervised.pid();
    const before = await supervised.lease();
    const first = readView(server).catch((thrown: unknown) => thrown);
    const port = before?.port ?? 0;
    await until(async () => (await callsOf(supervised)).length > 0, 'a call');
    let asked: unknown[] | undefined;
    await until(async () => {
      asked = await squat(port).catch(() => undefined);
      return asked !== undefined;
    }, 'the port is free');
    await first;
    expect(subjects((await readView(server)).text)).toHaveLength(2);
    await supervised.pid();
    const now = await supervised.lease();
    expect(now?.port).not.toBe(port);
    expect(asked).toEqual([]);
    expect(await isRunning(pid)).toBe(false);
  });

  test('a server that listens for other machines is told nothing', async () => {
    const supervised = await supervise({ backoff: 60_000, backoffCap: 60_000 });
    const server = supervised.open('everywhere', { transport: 'http' });
    await expect(readView(server)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('listens for other machines too'),
    });
    expect(await callsOf(supervised)).toEqual([]);
    for (const { pid } of await recorded(supervised.folder)) expect(await isRunning(pid)).toBe(false);
  });
});

describe('what it knows and says', () => {
  test('its environment is made from scratch, and its home, working and temporary folders are private and empty', async () => {
    const env = {
      PATH: process.env.PATH,
      LANG: 'C.UTF-8',
      HOME: '/somebody',
      CALMCP_PASSPHRASE: 'CANARY-1',
      MS365_MCP_OAUTH_TOKEN: 'CANARY-2',
      NODE_OPTIONS: '--no-deprecation',
      XDG_RUNTIME_DIR: '/somebody',
      SSH_AUTH_SOCK: '/somebody',
      HTTPS_PROXY: 'http://CANARY-3@127.0.0.1:9',
    };
    const supervised = await supervise({}, { machine: { env, from: import.meta.filename, version: '0' } });
    const server = supervised.open('none', { environment: { SPECIAL: 'yes' } });
    await readView(server);
    const { started } = (await recorded(supervised.folder))[0] ?? {};
    if (started === undefined) throw new Error('it was not started');
    const { env: seen, cwd, argv } = started;
    expect(JSON.stringify(seen)).not.toMatch(/CANARY|somebody|no-deprecation/);
    expect(JSON.stringify(argv)).not.toContain('token');
    expect(Object.keys(seen).sort()).toEqual(
      [
        'APPDATA',
        'CALMCP_CHILD',
        'HOME',
        'LANG',
        'LOCALAPPDATA',
        'MS365_MCP_OAUTH_TOKEN',
        'NODE_OPTIONS',
        'PATH',
        'SPECIAL',
        'TEMP',
        'TMP',
        'TMPDIR',
        'USERPROFILE',
        'XDG_CACHE_HOME',
        'XDG_CONFIG_HOME',
        'XDG_DATA_HOME',
        'XDG_STATE_HOME',
      ].sort(),
    );
    for (const place of [cwd, seen.HOME, seen.TMPDIR]) {
      expect(place?.startsWith(server.folder)).toBe(true);
      expect((await stat(place ?? '')).mode & 0o777).toBe(0o700);
      expect(await readdir(place ?? '')).toEqual([]);
    }
    expect((await stat(server.folder)).mode & 0o777).toBe(0o700);
  });

  test('its log is capped and holds no secret, and nor does that of calmcp', async () => {
    const supervised = await supervise();
    const server = supervised.open('talkative');
    await readView(server, 'TOKEN-OF-THE-ACCOUNT');
    await supervised.children.close();
    const files = (await readdir(server.folder)).filter((name) => name.startsWith('server.log'));
    expect(files.length).toBeGreaterThan(0);
    let size = 0;
    for (const name of files) {
      const file = join(server.folder, name);
      size += (await stat(file)).size;
      expect((await stat(file)).mode & 0o777).toBe(0o600);
      expect(await readFile(file, 'utf8')).not.toMatch(/SECRET-OF-THE-LOG|TOKEN-OF-THE-ACCOUNT/);
    }
    expect(size).toBeGreaterThan(50_000);
    expect(size).toBeLessThanOrEqual(512 * 1_024);
    expect(supervised.logged.join('\n')).not.toMatch(/SECRET-OF-THE-LOG|TOKEN-OF-THE-ACCOUNT/);
  });

  test('what it says as it crashes is in its log alone, without the secret and the address', async () => {
    const supervised = await supervise({ backoff: 60_000, backoffCap: 60_000 });
    const server = supervised.open('crash-at-start');
    const error = (await readView(server).catch((thrown: unknown) => thrown)) as CalmcpError;
    expect(`${error.message} ${error.hint}`).not.toContain('cannot go on');
    await until(async () => (await readChildLog(join(server.folder, 'server.log'), 9)).length >= 3, 'a log');
    const said = (await readChildLog(join(server.folder, 'server.log'), 9)).join('\n');
    expect(said).toContain('cannot go on');
    expect(said).not.toMatch(/SECRET-OF-THE-LOG|someone@home/);
  });

  test('what a tool says is handed on as it is, with what it says of the vendor', async () => {
    const supervised = await supervise();
    const refused = await readView(supervised.open('status-403', { account: 'a' }));
    expect(refused).toMatchObject({ isError: true, meta: { http_status: 403 } });
    const odd = await readView(supervised.open('no-content', { account: 'b' })).catch((thrown: unknown) => thrown);
    expect(odd).toSatisfy((value) => value instanceof CalmcpError || (value as { text: string }).text === '');
  });
});

test('a program on pipes that takes longer to load than the first question waits is waited for', async () => {
  const supervised = await supervise({ start: 25_000 });
  const spec = fakeSpec('none', { folder: supervised.folder });
  const command = ['bash', '-c', 'sleep 11; exec "$0" "$@"', ...(spec.command ?? [])];
  const server = supervised.children.open({ ...spec, command });
  expect(subjects((await readView(server, 'token', 25_000)).text)).toHaveLength(2);
  await supervised.reaches({ state: 'ready', restarts: 0 });
}, 40_000);

test('however many questions meet a pause, it is tried once in it, and does not count as more crashes', async () => {
  const supervised = await supervise({ backoff: 60_000, backoffCap: 60_000 });
  const server = supervised.open('crash-at-start');
  for (let question = 0; question < 10; question++) await expect(readView(server)).rejects.toThrow();
  await supervised.reaches({ state: 'backoff' });
  expect(await starts(supervised)).toBe(2);
});

test('a server whose account was taken over goes on with what it is busy with, and is not started again', async () => {
  const supervised = await supervise();
  const before = supervised.open('none', { delay: 500 });
  const busy = readView(before);
  await until(async () => (await callsOf(supervised)).length === 1, 'a call');
  await before.close();
  const after = supervised.open('none', { delay: 500 });
  expect(subjects((await readView(after)).text)).toHaveLength(2);
  expect(subjects((await busy).text)).toHaveLength(2);
  expect(await starts(supervised)).toBe(1);
});

test('one for which nobody is signed in is seen to wait for that, and is ready when somebody is', async () => {
  const supervised = await supervise();
  const server = supervised.open('none');
  server.needsLogin(new CalmcpError('AUTH_REQUIRED', 'nobody is signed in'));
  await supervised.reaches({ state: 'needs-login', lastError: 'nobody is signed in' });
  await readView(server);
  await supervised.reaches({ state: 'ready' });
  server.needsLogin(new CalmcpError('AUTH_REQUIRED', 'nobody is signed in'));
  await supervised.reaches({ state: 'needs-login' });
  await readView(server);
  await supervised.reaches({ state: 'ready', lastError: undefined });
  expect(await starts(supervised)).toBe(1);
});

test('closing at any moment of a start takes no longer than ending the process', async () => {
  for (const ms of [0, 5, 15, 60, 200]) {
    const supervised = await supervise({ stop: 10_000 });
    void readView(supervised.open('never-ready')).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, ms));
    const began = performance.now();
    await supervised.children.close();
    expect(performance.now() - began, `after ${ms} ms`).toBeLessThan(8_000);
  }
});

test('four that are never ready do not keep a fifth from starting', async () => {
  const supervised = await supervise({ slot: 300, start: 20_000 });
  const accounts = ['one', 'two', 'three', 'four'];
  for (const account of accounts) void readView(supervised.open('never-ready', { account })).catch(() => undefined);
  await until(
    async () => (await Promise.all(accounts.map((id) => supervised.lease(id)))).every((each) => each?.process),
    'all start',
  );
  expect(subjects((await readView(supervised.open('none', { account: 'five' }))).text)).toHaveLength(2);
});
