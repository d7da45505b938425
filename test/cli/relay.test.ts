/** Between a client and servers that come and go: what is passed on, asked again, and told as unknown. */

import { type Duplex, duplexPair, PassThrough } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { READING_TOOLS, relay } from '../../src/cli/daemon/relay.ts';
import { splitLines } from '../../src/core/lines.ts';
import { type Channel, type Message, openChannel, readMessage, textOf } from '../../src/io/daemon-connection.ts';
import { operations } from '../../src/operations/index.ts';
import { silentLog } from '../harness.ts';

interface Server {
  readonly channel: Channel;
  /** All that it was told. */
  readonly said: Message[];
  send(message: Message): void;
  /** Without a word, as one that is killed. */
  die(): void;
  readonly isClosed: () => boolean;
}

type Answer = (message: Message, server: Server) => Message | undefined;

const VERSION = '2025-06-18';

/** Opens sessions, and answers questions with its name. */
const well =
  (name: string): Answer =>
  ({ id, method }) => {
    if (id === undefined || method === undefined) return undefined;
    return { id, result: method === 'initialize' ? { protocolVersion: VERSION, name } : { from: name } };
  };

/** Opens sessions, and answers nothing else. */
const slow: Answer = (message, server) => (message.method === 'initialize' ? well('slow')(message, server) : undefined);

function openServer(answer: Answer): Server {
  const [ours, theirs]: [Duplex, Duplex] = duplexPair();
  const said: Message[] = [];
  let isClosed = false;
  ours.once('close', () => {
    isClosed = true;
    theirs.destroy();
  });
  const server: Server = {
    channel: openChannel(ours),
    said,
    send: (message) => void theirs.write(`${textOf(message)}\n`),
    die: () => void ours.destroy(),
    isClosed: () => isClosed,
  };
  const take = splitLines(100_000_000, (line) => {
    const message = readMessage(line) ?? {};
    said.push(message);
    const reply = answer(message, server);
    if (reply !== undefined) server.send(reply);
  });
  theirs
    .on('data', take)
    .on('error', () => undefined)
    // As a socket of Node's does.
    .once('end', () => theirs.end());
  return server;
}

interface World {
  /** All that the client was told. */
  readonly heard: Message[];
  send(message: Message): void;
  /** @returns the answer */
  ask(message: Message): Promise<Message>;
  until(fits: (message: Message) => boolean): Promise<Message>;
  readonly output: PassThrough;
  readonly input: PassThrough;
  /** How long a daemon was to be waited for, each time one was looked for. */
  readonly patience: number[];
  /** How often this process had to do the work itself. */
  readonly alone: Server[];
  leave(): Promise<void>;
}

/** @param next daemons that there are later on, in turn */
function open(first: Server, next: readonly (Server | undefined)[] = []): World {
  const input = new PassThrough();
  const output = new PassThrough();
  const heard: Message[] = [];
  const patience: number[] = [];
  const alone: Server[] = [];
  const left = [...next];
  let leave: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    leave = resolve;
  });
  output.on(
    'data',
    splitLines(100_000_000, (line) => heard.push(readMessage(line) ?? {})),
  );
  const running = relay({
    input,
    output,
    gone,
    log: silentLog,
    first: first.channel,
    async reattach(ms) {
      patience.push(ms);
      return left.shift()?.channel;
    },
    async alone() {
      const server = openServer(well('alone'));
      alone.push(server);
      return server.channel;
    },
  });
  running.catch(() => undefined);
  onTestFinished(() => leave());
  const send = (message: Message): void => void input.write(`${textOf(message)}\n`);
  async function until(fits: (message: Message) => boolean): Promise<Message> {
    await expect.poll(() => heard.some(fits), { timeout: 3_000, interval: 2 }).toBe(true);
    return heard.find(fits) ?? {};
  }
  return {
    heard,
    send,
    until,
    async ask(message) {
      send(message);
      return until(({ id, method }) => id === message.id && method === undefined);
    },
    input,
    output,
    patience,
    alone,
    async leave() {
      leave();
      await running;
    },
  };
}

const INITIALIZE = { id: 1, method: 'initialize', params: { protocolVersion: VERSION } };
const INITIALIZED = { method: 'notifications/initialized' };

async function opened(first: Server, next: readonly (Server | undefined)[] = []): Promise<World> {
  const world = open(first, next);
  await world.ask(INITIALIZE);
  world.send(INITIALIZED);
  return world;
}

const toolCall = (id: number | string, name: string, input: object = {}, meta?: object): Message => ({
  id,
  method: 'tools/call',
  params: { name, arguments: input, ...(meta === undefined ? {} : { _meta: meta }) },
});

const read = (id: number | string, meta?: object): Message => toolCall(id, 'list_events', {}, meta);
const received = (server: Server, id: number | string): Promise<void> =>
  expect.poll(() => server.said.some((message) => message.id === id), { timeout: 3_000, interval: 2 }).toBe(true);

test('the tools that may be called again are those that only read', () => {
  expect([...READING_TOOLS].sort()).toEqual(
    operations
      .filter(({ effect }) => effect === 'read')
      .map(({ name }) => name)
      .sort(),
  );
});

describe('a daemon that breaks off', () => {
  test('while nobody asks anything is followed by another one at the next question, in a session like the one before', async () => {
    const [first, second] = [openServer(well('first')), openServer(well('second'))];
    const world = await opened(first, [second]);
    expect(await world.ask(read(2))).toMatchObject({ result: { from: 'first' } });
    first.die();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.patience).toEqual([]);
    expect(await world.ask(read(3))).toMatchObject({ result: { from: 'second' } });
    expect(second.said.map(({ method }) => method)).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
    expect(second.said[0]?.params).toEqual(INITIALIZE.params);
    // The client has opened once, and hears of one opening.
    expect(world.heard.map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  test('in the middle of questions: those that read are asked again, in order, and each is answered once', async () => {
    const [first, second] = [openServer(slow), openServer(well('second'))];
    const world = await opened(first, [second]);
    for (const id of ['a', 'b']) world.send(read(id));
    world.send({ id: 'c', method: 'tools/list' });
    world.send(toolCall('d', 'create_event', { dryRun: true }));
    await received(first, 'd');
    first.die();
    await world.until(({ id }) => id === 'd');
    expect(second.said.slice(2).map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd']);
    expect(world.heard.map(({ id }) => id)).toEqual([1, 'a', 'b', 'c', 'd']);
    for (const { result } of world.heard.slice(1)) expect(result).toEqual({ from: 'second' });
  });

  test.each([
    'create_event',
    'update_event',
    'delete_event',
    'respond_to_event',
    'sign_in',
    'a_tool_of_a_newer_daemon',
  ])('in the middle of %s: that is not asked again, and nobody claims to know', async (name) => {
    const [first, second] = [openServer(slow), openServer(well('second'))];
    const world = await opened(first, [second]);
    world.send(toolCall(2, name));
    await received(first, 2);
    first.die();
    const { result } = await world.until(({ id }) => id === 2);
    expect(result).toMatchObject({
      isError: true,
      content: [
        {
          type: 'text',
          text: /^UNAVAILABLE: .*daemon broke; nobody knows whether it was done\n.*before you try again$/,
        },
      ],
    });
    expect(result).not.toHaveProperty('resultType');
    expect(await world.ask(read(3))).toMatchObject({ result: { from: 'second' } });
    expect(second.said.some(({ id }) => id === 2)).toBe(false);
  });

  test('is told to a client of 2026-07-28 in a result of that revision, and its session needs no opening', async () => {
    const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28' };
    const [first, second] = [openServer(slow), openServer(well('second'))];
    const world = open(first, [second]);
    world.send(toolCall(1, 'delete_event', {}, meta));
    world.send(read(2, meta));
    await received(first, 2);
    first.die();
    expect((await world.until(({ id }) => id === 1)).result).toMatchObject({ resultType: 'complete', isError: true });
    expect(await world.until(({ id }) => id === 2)).toMatchObject({ result: { from: 'second' } });
    expect(second.said.map(({ id }) => id)).toEqual([2]);
  });

  test('in the middle of the opening: the client is answered by the next one', async () => {
    const [first, second] = [openServer(() => undefined), openServer(well('second'))];
    const world = open(first, [second]);
    world.send(INITIALIZE);
    await received(first, 1);
    first.die();
    expect(await world.until(({ id }) => id === 1)).toMatchObject({ result: { name: 'second' } });
    world.send(INITIALIZED);
    expect(await world.ask(read(2))).toMatchObject({ result: { from: 'second' } });
    expect(second.said.map(({ method }) => method)).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
  });

  test('with none to follow leaves the work to this process', async () => {
    const first = openServer(slow);
    const world = await opened(first);
    world.send(read(2));
    await received(first, 2);
    first.die();
    expect(await world.until(({ id }) => id === 2)).toMatchObject({ result: { from: 'alone' } });
    expect(await world.ask(read(3))).toMatchObject({ result: { from: 'alone' } });
    expect([world.patience, world.alone.length]).toEqual([[0], 1]);
    expect(world.alone[0]?.said.slice(0, 2).map(({ method }) => method)).toEqual([
      'initialize',
      'notifications/initialized',
    ]);
  });

  test('twice in a minute is not trusted a third time', async () => {
    const [first, second, third] = [openServer(slow), openServer(slow), openServer(well('third'))];
    const world = await opened(first, [second, third]);
    world.send(read(2));
    await received(first, 2);
    first.die();
    await received(second, 2);
    second.die();
    expect(await world.until(({ id }) => id === 2)).toMatchObject({ result: { from: 'alone' } });
    expect(third.said).toEqual([]);
  });

  test('and is followed by one that opens sessions in another way leaves the work to this process', async () => {
    const first = openServer(well('first'));
    const other = openServer(({ id }) =>
      id === undefined ? undefined : { id, result: { protocolVersion: '2099-01-01' } },
    );
    const world = await opened(first, [other]);
    first.die();
    expect(await world.ask(read(2))).toMatchObject({ result: { from: 'alone' } });
    expect(other.isClosed()).toBe(true);
  });
});

describe('a daemon that finishes', () => {
  const FINISHING = { method: 'notifications/io.calmcp/finishing' };

  test('answers what it has begun, while another one is asked already; the client hears nothing of it', async () => {
    const [first, second] = [openServer(slow), openServer(well('second'))];
    const world = await opened(first, [second]);
    world.send(toolCall(2, 'create_event'));
    await received(first, 2);
    first.send(FINISHING);
    expect(await world.ask(read(3))).toMatchObject({ result: { from: 'second' } });
    // One that is being replaced is waited for.
    expect(world.patience[0]).toBeGreaterThan(3_000);
    expect(first.isClosed()).toBe(false);
    first.send({ id: 2, result: { from: 'first' } });
    expect(await world.until(({ id }) => id === 2)).toMatchObject({ result: { from: 'first' } });
    await expect.poll(first.isClosed, { timeout: 2_000, interval: 5 }).toBe(true);
    expect(world.heard.map(({ id }) => id)).toEqual([1, 3, 2]);
  });

  test('is left at once when nothing is under way', async () => {
    const first = openServer(well('first'));
    await opened(first);
    first.send(FINISHING);
    await expect.poll(first.isClosed, { timeout: 2_000, interval: 5 }).toBe(true);
  });

  test('refuses what it has not begun, which is asked elsewhere, and be it a change', async () => {
    const refuses: Answer = (message, server) =>
      message.method === 'tools/call'
        ? { id: message.id ?? '', error: { code: -32_603, message: 'finishing', data: { 'io.calmcp/notTaken': true } } }
        : slow(message, server);
    const [first, second] = [openServer(refuses), openServer(slow)];
    const world = await opened(first, [second]);
    // The first one has this under way, so it is not left yet.
    world.send({ id: 'other', method: 'prompts/get' });
    world.send(toolCall(2, 'create_event'));
    await received(second, 2);
    first.send({ id: 2, result: { from: 'the one that has refused' } });
    first.send({ id: 'other', result: {} });
    await world.until(({ id }) => id === 'other');
    second.send({ id: 2, result: { from: 'second' } });
    expect(await world.until(({ id }) => id === 2)).toMatchObject({ result: { from: 'second' } });
    expect(second.said.filter(({ id }) => id === 2)).toHaveLength(1);
  });
});

describe('what is under way', () => {
  test('and given up by the client is given up where it was asked, and not asked again', async () => {
    const [first, second] = [openServer(slow), openServer(well('second'))];
    const world = await opened(first, [second]);
    world.send(read(2));
    world.send(read(3));
    await received(first, 3);
    const cancelled = { method: 'notifications/cancelled', params: { requestId: 2, reason: 'x' } };
    world.send(cancelled);
    await expect.poll(() => first.said.at(-1), { timeout: 2_000, interval: 2 }).toMatchObject(cancelled);
    first.die();
    await world.until(({ id }) => id === 3);
    expect(second.said.some(({ id }) => id === 2)).toBe(false);
    expect(world.heard.some(({ id }) => id === 2)).toBe(false);
  });

  test('tells its progress, which never falls, whoever answers', async () => {
    const progress = (by: number): Message => ({
      method: 'notifications/progress',
      params: { progressToken: 'p', progress: by, total: 3 },
    });
    const [first, second] = [openServer(slow), openServer(slow)];
    const world = await opened(first, [second]);
    world.send(read(2, { progressToken: 'p' }));
    await received(first, 2);
    first.send(progress(1));
    first.send(progress(2));
    await world.until(({ params }) => (params as { progress?: number } | undefined)?.progress === 2);
    first.die();
    await received(second, 2);
    for (const by of [1, 2, 3]) second.send(progress(by));
    second.send({ id: 2, result: {} });
    await world.until(({ id }) => id === 2);
    const told = world.heard.flatMap(({ method, params }) =>
      method === 'notifications/progress' ? [(params as { progress: number }).progress] : [],
    );
    expect(told).toEqual([1, 2, 3]);
  });

  test('is answered once, by the one that was asked last', async () => {
    const first = openServer(slow);
    const world = await opened(first);
    world.send(read(2));
    await received(first, 2);
    first.send({ id: 2, result: { from: 'first' } });
    first.send({ id: 2, result: { from: 'first again' } });
    first.send({ id: 99, result: { from: 'nobody asked' } });
    await world.ask({ id: 3, method: 'initialize', params: INITIALIZE.params });
    expect(world.heard.map(({ id }) => id)).toEqual([1, 2, 3]);
  });
});

describe('what a server asks of the client', () => {
  const elicit = { id: 0, method: 'elicitation/create', params: { message: 'x' } };

  test('is called off when the server is gone, and an answer to it reaches no other one', async () => {
    const [first, second] = [openServer(slow), openServer(slow)];
    const world = await opened(first, [second]);
    first.send(elicit);
    expect(await world.until(({ method }) => method === elicit.method)).toMatchObject(elicit);
    first.die();
    expect(await world.until(({ method }) => method === 'notifications/cancelled')).toMatchObject({
      params: { requestId: 0 },
    });
    world.send(read(2));
    await received(second, 2);
    world.send({ id: 0, result: { action: 'accept' } });
    // It counts from 0 as well, and means something else.
    second.send(elicit);
    const asked = await world.until(({ id, method }) => method === elicit.method && id !== 0);
    world.send({ id: asked.id ?? '', result: { action: 'decline' } });
    await received(second, 0);
    expect(second.said.filter(({ id }) => id === 0)).toMatchObject([{ result: { action: 'decline' } }]);
  });

  test('and calls off again is called off for the client', async () => {
    const [first, second] = [openServer(well('first')), openServer(slow)];
    const world = await opened(first, [second]);
    first.die();
    world.send(read(2));
    await received(second, 2);
    second.send(elicit);
    const { id } = await world.until(({ method }) => method === elicit.method);
    second.send({ method: 'notifications/cancelled', params: { requestId: 0 } });
    expect(await world.until(({ method }) => method === 'notifications/cancelled')).toMatchObject({
      params: { requestId: id },
    });
  });
});

describe('much at once', () => {
  test('an answer of 10 MB passes, byte for byte, to a client that reads slowly', async () => {
    const text = 'Überprüfung '.repeat(800_000);
    const first = openServer((message, server) =>
      message.method === 'tools/call' ? { id: message.id ?? '', result: { text } } : well('first')(message, server),
    );
    const world = await opened(first);
    world.output.pause();
    world.send(read(2));
    await received(first, 2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(world.heard.some(({ id }) => id === 2)).toBe(false);
    world.output.resume();
    const { result } = await world.until(({ id }) => id === 2);
    expect((result as { text: string }).text === text).toBe(true);
  });

  test('a client that does not read is not read for either: what waits has a bound', async () => {
    const first = openServer(well('first'));
    const world = await opened(first);
    world.output.pause();
    const line = 'x'.repeat(50_000);
    const many = 200;
    for (let sent = 0; sent < many; sent++) first.send({ method: 'notifications/message', params: { line } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(world.output.writableLength + world.output.readableLength).toBeLessThan(1_000_000);
    world.output.resume();
    await expect.poll(() => world.heard.length, { timeout: 3_000 }).toBe(1 + many);
  });

  test('a server that does not read makes the client wait', async () => {
    const [ours] = duplexPair();
    const first = openServer(well('first'));
    const world = open({ ...first, channel: openChannel(ours) });
    const line = `${textOf({ method: 'notifications/x', params: { text: 'x'.repeat(50_000) } })}\n`;
    let [sent, isFull] = [0, false];
    while (!isFull && sent < 1_000) {
      isFull = !world.input.write(line);
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(isFull).toBe(true);
  });

  test('a client’s message of more than 10 MiB ends the session in words', async () => {
    const input = new PassThrough();
    const running = relay({
      input,
      output: new PassThrough(),
      gone: new Promise(() => undefined),
      log: silentLog,
      first: openServer(slow).channel,
      reattach: async () => undefined,
      alone: async () => openServer(slow).channel,
    });
    input.write(Buffer.alloc(10_485_761, 'x'));
    await expect(running).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

test('when the client leaves, every connection is closed', async () => {
  const [first, second] = [openServer(slow), openServer(slow)];
  const world = await opened(first, [second]);
  world.send(toolCall(2, 'create_event'));
  await received(first, 2);
  first.send({ method: 'notifications/io.calmcp/finishing' });
  world.send(read(3));
  await received(second, 3);
  await world.leave();
  await expect.poll(() => [first.isClosed(), second.isClosed()], { timeout: 2_000, interval: 5 }).toEqual([true, true]);
});

test('what is no message is passed on in neither direction, and harms nothing', async () => {
  const first = openServer(well('first'));
  const world = await opened(first);
  world.input.write('garbage\n[1]\n"x"\n\n');
  expect(await world.ask(read(2))).toMatchObject({ result: { from: 'first' } });
  expect(first.said.map(({ method }) => method)).toEqual(['initialize', 'notifications/initialized', 'tools/call']);
});

test('a client is read again when its daemon finishes while that takes no more', async () => {
  const [ours, theirs]: [Duplex, Duplex] = duplexPair();
  theirs.on('error', () => undefined).once('end', () => theirs.end());
  const take = splitLines(100_000_000, (line) => {
    const { id = 0, method } = readMessage(line) ?? {};
    if (method === 'tools/call') theirs.write(`${textOf({ id, result: { from: 'first' } })}\n`);
  });
  const channel = openChannel(ours);
  const world = open({ channel } as Server, [openServer(well('second'))]);
  world.send(toolCall(1, 'list_events', { filler: 'x'.repeat(200_000) }));
  await expect.poll(() => channel.isFull).toBe(true);
  theirs.write(`${textOf({ method: 'notifications/io.calmcp/finishing' })}\n`);
  await new Promise((resolve) => setTimeout(resolve, 50));
  // It reads on, and answers.
  theirs.on('data', take);
  await world.until(({ id }) => id === 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(await world.ask(read(2))).toMatchObject({ result: { from: 'second' } });
});
