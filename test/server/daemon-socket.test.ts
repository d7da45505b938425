/** Many clients on one socket: what each may ask for, and that none of them harms another. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { createSocketService, type Finish, type SocketLimits, type SocketService } from '../../src/server/socket.ts';
import { openSandbox, openTestApp, silentLog, temporaryFolder } from '../harness.ts';
import { call, type LineClient, openLines, SCRIPT } from './line-client.ts';

const FIXED = `version: 1
accounts:
  home: { provider: memory, access: write, events: [{ title: Review, start: 2026-11-23T10:00 }] }
`;

interface World {
  readonly path: string;
  readonly service: SocketService;
  /** How often a client has told it to finish, and how. */
  readonly finishes: Finish[];
  open(session?: object): Promise<LineClient>;
}

async function serve(limits: Partial<SocketLimits> = {}, app?: App, yaml = FIXED): Promise<World> {
  const opened = app ?? (await openTestApp(yaml)).app;
  const finishes: Finish[] = [];
  const service = createSocketService({
    version: '1.2.3',
    app: async () => opened,
    log: silentLog,
    status: async () => ({ pid: 1, sessions: service.sessions, questions: service.questions }),
    onFinish: (how) => finishes.push(how),
    limits,
  });
  const server = createServer(service.accept);
  const path = join(await temporaryFolder(), 's');
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(async () => {
    server.close();
    await service.drain(0);
  });
  return { path, service, finishes, open: (session) => openLines(path, session) };
}

/** An account that takes as long as it is told. */
async function serveSlow(ms: number): Promise<World & { readonly sandbox: Sandbox; readonly app: App }> {
  const sandbox = await openSandbox();
  const { app } = await openTestApp(
    `version: 1\naccounts:\n  feed: { provider: ics, url: "${sandbox.origin}/feeds/community.ics" }\n`,
  );
  sandbox.fail({ match: ({ path }) => path.startsWith('/feeds/'), delayMs: ms });
  return { ...(await serve({}, app)), sandbox, app };
}

/** @throws when it does not become so within 5 s */
async function eventually(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 10) {
    if (waited > 5_000) throw new Error(`not within 5 s: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const INITIALIZE: [string, object] = [
  'initialize',
  { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'test', version: '0' } },
];

describe('a session', () => {
  test('without a word of its own is plain MCP', async () => {
    const client = await (await serve()).open();
    expect((await client.ask(...INITIALIZE)).result.serverInfo).toMatchObject({ name: 'calmcp', version: '1.2.3' });
    client.send({ method: 'notifications/initialized' });
    const { result } = await client.ask('tools/list');
    expect(result.tools.map(({ name }: { name: string }) => name)).toContain('create_event');
    const agenda = await client.ask(...call('list_events', { range: 'today' }));
    expect(agenda.result.content[0].text).toContain('Review');
    // What commands alone have a use for is nowhere to be seen.
    expect(JSON.stringify((await client.ask('resources/list')).result)).not.toContain('calmcp://');
    expect((await client.ask('resources/read', { uri: 'calmcp://daemon' })).error).toMatchObject({ code: -32602 });
  });

  test('has the tools that it asks for, and its neighbour has all', async () => {
    const world = await serve();
    const chosen = { readOnly: true, tools: ['list_events'] };
    const client = await world.open({ ...SCRIPT, params: chosen });
    const names = async (each: LineClient): Promise<string[]> =>
      (await each.ask('tools/list')).result.tools.map(({ name }: { name: string }) => name);
    expect(await names(client)).toEqual(['list_events']);
    expect(await names(await world.open())).toContain('create_event');
    expect((await client.ask(...call('create_event', { title: 'x' }))).error).toMatchObject({ code: -32602 });
  });

  test.each<[string, object, RegExp]>([
    ['a tool that is none', { tools: ['list_evnts'] }, /list_evnts: no tool/],
    ['a tool that writes, read-only', { readOnly: true, tools: ['create_event'] }, /no tool of a read-only server/],
    ['something else than a list of tools', { tools: 'list_events' }, /cannot be read/],
    ['answers of another kind', { answers: 'poem' }, /cannot be read/],
  ])('that asks for %s is told so at every request', async (_what, params, says) => {
    const client = await (await serve()).open({ ...SCRIPT, params });
    for (let time = 0; time < 2; time++)
      expect((await client.ask(...INITIALIZE)).error).toMatchObject({ code: -32602, message: says });
    expect((await client.ask('tools/list')).error).toMatchObject({ message: says });
  });

  test('is what its first line says, and nothing that comes later', async () => {
    const client = await (await serve()).open();
    await client.ask('ping');
    client.send({ ...SCRIPT, params: { tools: ['list_events'] } });
    expect((await client.ask('tools/list')).result.tools.length).toBeGreaterThan(5);
  });
});

describe('a session of a script', () => {
  test('asks without an opening, and has the structured answer alone, with all of its parts', async () => {
    const world = await serve();
    const client = await world.open(SCRIPT);
    const { result } = await client.ask(...call('list_events', { range: 'today' }));
    expect(result.content).toEqual([]);
    expect(result.structuredContent).toMatchObject({ complete: true, events: [{ title: 'Review' }] });
    // Over MCP it would be compact.
    expect(result.structuredContent.events[0]).toHaveProperty('accounts');
    const model = (await (await world.open()).ask(...call('list_events', { range: 'today' }))).result;
    expect(model.structuredContent.events[0]).not.toHaveProperty('accounts');
  });

  test('learns all that an error says, and a model does not', async () => {
    const world = await serve();
    const ask = call('list_events', { range: 'today', accounts: ['nobody'] });
    const { result } = await (await world.open(SCRIPT)).ask(...ask);
    expect([result.isError, result._meta]).toEqual([
      true,
      {
        'io.calmcp/error': {
          code: 'ACCOUNT_UNKNOWN',
          message: 'there is no account "nobody"',
          hint: 'known: home',
        },
      },
    ]);
    expect((await (await world.open()).ask(...ask)).result._meta?.['io.calmcp/error']).toBeUndefined();
  });

  test('reads how the daemon is', async () => {
    const world = await serve();
    const client = await world.open(SCRIPT);
    await client.ask(...call('get_current_time'));
    const { result } = await client.ask('resources/read', { uri: 'calmcp://daemon' });
    expect(JSON.parse(result.contents[0].text)).toEqual({ pid: 1, sessions: { now: 1, ever: 1 }, questions: 1 });
  });
});

describe('a client that misbehaves', () => {
  test('with lines that are nothing is answered all the same, until it is too much', async () => {
    const world = await serve({ garbage: 50 });
    const other = await world.open();
    const client = await world.open();
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n{"jsonrpc":"2.0"}\n[]\n{"\n\u0000\n"x"\n42\nnull\n');
    expect((await client.ask('ping')).result).toEqual({});
    client.write('x\n'.repeat(60));
    await client.closed;
    expect((await other.ask('ping')).result).toEqual({});
  });

  test('with a line without end is given up; one that is long and comes in pieces is read', async () => {
    const world = await serve({ line: 100_000 });
    const other = await world.open();
    const params = { _meta: { title: 'é'.repeat(40_000) } };
    const bytes = Buffer.from(`${JSON.stringify({ jsonrpc: '2.0', id: 'é', method: 'ping', params })}\n`);
    const long = await world.open();
    // Cut in the middle of letters, too.
    for (let at = 0; at < bytes.length; at += 9_999) {
      long.write(bytes.subarray(at, at + 9_999));
      await other.ask('ping');
    }
    expect((await long.heard(({ id }) => id === 'é')).result).toEqual({});
    long.write('x'.repeat(100_001));
    await long.closed;
    expect((await other.ask('ping')).result).toEqual({});
  });

  test('by coming a thousand times holds nobody else up', async () => {
    const world = await serve({ connections: 20 });
    const first = await world.open();
    await first.ask('ping');
    // The system itself turns some of them away.
    const coming = await Promise.allSettled(Array.from({ length: 1_000 }, () => world.open()));
    const many = coming.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    expect(many.length).toBeGreaterThan(100);
    await eventually(() => world.service.sessions.now === 20);
    expect((await first.ask('ping')).result).toEqual({});
    for (const client of many) client.vanish();
    await eventually(() => world.service.sessions.now === 1);
    expect((await (await world.open()).ask('ping')).result).toEqual({});
  });

  test('by taking all connections leaves room for commands, and for no more windows', async () => {
    const world = await serve({ connections: 2 });
    const [one, two] = [await world.open(), await world.open()];
    await Promise.all([one.ask('ping'), two.ask('ping')]);
    const third = await world.open();
    const closed = third.closed;
    third.send({ id: 1, method: 'ping' });
    await closed;
    const script = await world.open(SCRIPT);
    expect((await script.ask('ping')).result).toEqual({});
    const silent = await world.open();
    await silent.closed;
    await eventually(() => world.service.sessions.now === 3);
  });

  test('by not taking its answers is not listened to, then given up; one that takes them late gets them all', async () => {
    const events = Array.from(
      { length: 400 },
      (_, index) => `{ title: "${'meeting '.repeat(20)}${index}", start: 2026-11-23T10:00 }`,
    );
    const yaml = `version: 1\naccounts:\n  home: { provider: memory, events: [${events.join(', ')}] }\n`;
    const world = await serve({ underWay: 2, unsent: 300_000, mostUnsent: 3_000_000 }, undefined, yaml);
    const ask = (id: number): object => {
      const [method, params] = call('list_events', { range: 'today' });
      return { id, method, params };
    };
    const late = await world.open(SCRIPT);
    late.stopReading();
    for (let id = 1; id <= 12; id++) late.send(ask(id));
    const other = await world.open();
    await eventually(() => world.service.questions >= 2);
    await new Promise((resolve) => setTimeout(resolve, 100));
    await other.ask('ping');
    expect(world.service.questions).toBeLessThan(12);
    late.goOn();
    for (let id = 1; id <= 12; id++)
      expect((await late.heard((message) => message.id === id)).result.structuredContent.events).toHaveLength(400);

    const strict = await serve({ unsent: 300_000, mostUnsent: 500_000 }, undefined, yaml);
    const never = await strict.open(SCRIPT);
    never.stopReading();
    for (let id = 1; id <= 12; id++) never.send(ask(id));
    await eventually(() => strict.service.sessions.now === 0);
  });

  test('by asking too much at once waits for its own answers, and gets them all', async () => {
    const world = await serveSlow(100);
    let most = 0;
    const busy = await serve({ underWay: 4 }, world.app);
    const client = await busy.open(SCRIPT);
    const looking = setInterval(() => {
      most = Math.max(most, world.sandbox.requests.filter(({ status }) => status === 0).length);
    }, 5);
    onTestFinished(() => clearInterval(looking));
    const asked = Array.from({ length: 50 }, () => client.ask(...call('list_events', { range: 'today' })));
    // More than is read at once.
    client.write(`${JSON.stringify({ jsonrpc: '2.0', id: 'one of many', method: 'ping' })}\n`.repeat(3_000));
    client.send({ id: 'last', method: 'ping' });
    for (const { result } of await Promise.all(asked))
      expect(result.structuredContent).toMatchObject({ complete: true });
    expect((await client.heard(({ id }) => id === 'last')).result).toEqual({});
    expect(busy.service.questions).toBe(50);
    expect(most).toBeLessThanOrEqual(4);
  });

  test('by asking too much at once can call all of it off, what was not begun as well', async () => {
    const world = await serveSlow(20_000);
    const client = await world.open(SCRIPT);
    const ids = Array.from({ length: 100 }, (_, index) => index + 1);
    const live = { name: 'list_events', arguments: { range: 'today', maxAgeSeconds: 0 } };
    for (const id of ids) client.send({ id, method: 'tools/call', params: live });
    await eventually(() => world.sandbox.requests.length > 0);
    for (const requestId of ids) client.send({ method: 'notifications/cancelled', params: { requestId } });
    const began = performance.now();
    client.send({ id: 'ping', method: 'ping' });
    await client.heard(({ id }) => id === 'ping');
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  test('by vanishing takes its questions along', async () => {
    const world = await serveSlow(30_000);
    const client = await world.open(SCRIPT);
    const ended = client.ask(...call('list_events', { range: 'today' })).catch(() => 'vanished');
    await eventually(() => world.sandbox.requests.length === 1);
    const started = performance.now();
    client.vanish();
    expect(await ended).toBe('vanished');
    await eventually(() => world.service.sessions.now === 0);
    // Nothing of it is under way any more: it would take half a minute.
    await world.service.drain(25_000);
    expect(performance.now() - started).toBeLessThan(3_000);
    expect(world.service.questions).toBe(0);
  });
});

describe('a service that finishes', () => {
  test('lets questions under way end, refuses new ones as not begun, and closes who has none', async () => {
    // Longer than ours have for ending their side.
    const world = await serveSlow(1_300);
    const asking = await world.open(SCRIPT);
    const plain = await world.open();
    const plainAsking = await world.open();
    const idle = await world.open(SCRIPT);
    await plain.ask('ping');
    await idle.ask('ping');
    const plainSlow = plainAsking.ask(...call('list_events', { range: 'today' }));
    const slow = asking.ask(...call('list_events', { range: 'today' }));
    await eventually(() => world.sandbox.requests.length > 0 && world.service.sessions.now === 4);
    const drained = world.service.drain(25_000);
    await plain.closed;
    // One of ours is told, and ends by itself: nothing that it has sent meanwhile is lost.
    await idle.heard(({ method }) => method === 'notifications/io.calmcp/finishing');
    expect((await idle.ask(...call('get_current_time'))).error).toMatchObject({
      message: 'the daemon is finishing',
      data: { 'io.calmcp/notTaken': true },
    });
    idle.end();
    expect((await slow).result.structuredContent).toMatchObject({ complete: true });
    expect((await plainSlow).result.structuredContent).toMatchObject({ complete: true });
    asking.end();
    await drained;
    expect(world.service.sessions.now).toBe(0);
    const late = await world.open();
    await late.closed;
  });

  test('waits no longer than it is told', async () => {
    const world = await serveSlow(30_000);
    const client = await world.open(SCRIPT);
    const slow = client.ask(...call('list_events', { range: 'today' })).catch(() => 'broken');
    await eventually(() => world.sandbox.requests.length === 1);
    const started = performance.now();
    await world.service.drain(300);
    expect(await slow).toBe('broken');
    expect(performance.now() - started).toBeLessThan(2_500);
  });

  test('ends sessions of ours that do not end themselves', async () => {
    const world = await serve();
    const client = await world.open(SCRIPT);
    await client.ask('ping');
    const started = performance.now();
    await world.service.drain(25_000);
    await client.closed;
    expect(performance.now() - started).toBeLessThan(4_000);
  });

  test('is asked to by a first line or a script, not by whoever a relay speaks for', async () => {
    const { open, finishes } = await serve();
    const finish = { method: 'notifications/io.calmcp/finish' };
    const relay = await open({ ...SCRIPT, params: { answers: 'model' } });
    relay.send(finish);
    await relay.ask('ping');
    const later = await open();
    await later.ask('ping');
    later.send(finish);
    await later.ask('ping');
    expect(finishes).toEqual([]);
    const first = await open({ ...finish, params: { restart: true, pid: 4711 } });
    await first.ask('ping');
    const script = await open(SCRIPT);
    script.send(finish);
    await script.ask('ping');
    expect(finishes).toEqual([
      { restart: true, pid: 4711 },
      { restart: false, pid: undefined },
    ]);
  });
});
