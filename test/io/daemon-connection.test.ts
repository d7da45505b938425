/** The client's end of the daemon's socket: who is talked to, how long, and what a silence means. */

import { once } from 'node:events';
import { chmod, mkdir } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { splitLines } from '../../src/core/lines.ts';
import {
  type Channel,
  connectDaemon,
  type Message,
  type NotConnected,
  type Patience,
  readMessage,
  textOf,
} from '../../src/io/daemon-connection.ts';
import { temporaryFolder } from '../harness.ts';

const PATIENCE: Patience = { helloMs: 300, quietMs: 160, lostMs: 240 };
const SESSION = { version: '1.2.3', answers: 'script' } as const;

interface Peer {
  readonly path: string;
  readonly said: Message[];
  /** Writes to whoever is connected. */
  write(bytes: string): void;
  connect(): Promise<Channel | NotConnected>;
}

/** @param answer what is said to each message */
async function listen(answer: (message: Message, socket: Socket) => object | undefined): Promise<Peer> {
  const said: Message[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const take = splitLines(1_000_000, (line) => {
      const message = readMessage(line) ?? {};
      said.push(message);
      const reply = answer(message, socket);
      if (reply !== undefined) socket.write(`${textOf(reply)}\n`);
    });
    socket.on('data', take).on('error', () => undefined);
  });
  const path = join(await temporaryFolder(), 's');
  server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    path,
    said,
    write: (bytes) => {
      for (const socket of sockets) socket.write(bytes);
    },
    connect: () => connectDaemon({ socket: path }, SESSION, PATIENCE),
  };
}

const greets = ({ id, method }: Message): object | undefined =>
  method === 'server/discover' ? { id, result: {} } : undefined;

interface Heard {
  readonly lines: string[];
  readonly closed: Promise<number>;
}

function hear(channel: Channel | NotConnected, isAwaiting = true): Heard {
  if (typeof channel === 'string') throw new Error(channel);
  const lines: string[] = [];
  const started = performance.now();
  const closed = new Promise<number>((resolve) =>
    channel.listen({
      line: (line) => lines.push(line),
      drain: () => undefined,
      closed: () => resolve(performance.now() - started),
      isAwaiting: () => isAwaiting,
    }),
  );
  onTestFinished(() => channel.destroy());
  return { lines, closed };
}

test('a daemon is told what the session is to be like, and has to answer before anything is asked of it', async () => {
  const peer = await listen(greets);
  expect(typeof (await peer.connect())).toBe('object');
  expect(peer.said).toMatchObject([
    { method: 'notifications/io.calmcp/session', params: SESSION },
    { method: 'server/discover', params: { _meta: { 'io.modelcontextprotocol/clientInfo': { version: '1.2.3' } } } },
  ]);
});

test('one that takes connections and says nothing is given up in time', async () => {
  const peer = await listen(() => undefined);
  const started = performance.now();
  expect(await peer.connect()).toBe('silent');
  expect(performance.now() - started).toBeLessThan(2 * PATIENCE.helloMs);
});

test.each<[NotConnected, string, (message: Message, socket: Socket) => object | undefined]>([
  [
    'refused',
    'does not serve such a session',
    ({ id }) => (id === undefined ? undefined : { id, error: { code: -32_602 } }),
  ],
  [
    'nobody',
    'is finishing',
    ({ id }) => (id === undefined ? undefined : { id, error: { code: -32_603, data: { 'io.calmcp/notTaken': true } } }),
  ],
  ['nobody', 'closes the connection', (_message, socket) => void socket.destroy()],
])('%s: one that %s', async (outcome, _what, answer) => {
  expect(await (await listen(answer)).connect()).toBe(outcome);
});

test('a socket that is not there, and one in a folder of everybody, are nobody’s', async () => {
  const folder = await temporaryFolder();
  expect(await connectDaemon({ socket: join(folder, 'none') }, SESSION, PATIENCE)).toBe('nobody');
  const open = join(folder, 'open');
  await mkdir(open, { mode: 0o777 });
  const server = createServer((socket) => socket.destroy());
  const connections: unknown[] = [];
  server.on('connection', (socket) => connections.push(socket));
  server.listen(join(open, 's'));
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  await chmod(open, 0o777);
  expect(await connectDaemon({ socket: join(open, 's') }, SESSION, PATIENCE)).toBe('nobody');
  expect(connections).toEqual([]);
});

test('what comes with the greeting is not lost, and lines come whole whatever their pieces', async () => {
  const peer = await listen((message, socket) => {
    if (message.method === 'server/discover')
      socket.write(`${textOf({ id: message.id ?? 0, result: {} })}\n{"early":1}\n`);
    return undefined;
  });
  const { lines } = hear(await peer.connect());
  const long = 'ü'.repeat(3_000_000);
  const bytes = Buffer.from(`{"a":"${long}"}\r\n{"b":1}\n`);
  for (const at of [0, 1, 2])
    peer.write(bytes.subarray((bytes.length / 3) * at, (bytes.length / 3) * (at + 1)) as never);
  await expect.poll(() => lines.length, { timeout: 5_000 }).toBe(3);
  expect(lines.map((line) => line.length)).toEqual([11, long.length + 8, 7]);
  expect(lines[1]).toBe(`{"a":"${long}"}`);
});

test('a daemon that falls silent while an answer is waited for is asked whether it is there, and left when it is not', async () => {
  let isWell = true;
  const peer = await listen((message) => (isWell ? greets(message) : undefined));
  const channel = await peer.connect();
  const { lines, closed } = hear(channel);
  if (typeof channel === 'string') throw new Error(channel);
  channel.send(textOf({ id: 7, method: 'tools/call' }));
  // As long as it answers that, a long question is a long question; and nobody else hears of it.
  await new Promise((resolve) => setTimeout(resolve, 3 * PATIENCE.lostMs));
  expect(peer.said.filter(({ id }) => id === 'io.calmcp/pulse').length).toBeGreaterThan(1);
  expect(lines).toEqual([]);
  isWell = false;
  const since = performance.now();
  await closed;
  expect(performance.now() - since).toBeLessThan(4 * PATIENCE.lostMs);
});

test('one of whom nothing is wanted may be silent, and so may one that is not listened to', async () => {
  const peer = await listen(greets);
  const idle = await peer.connect();
  hear(idle, false);
  const deaf = await peer.connect();
  hear(deaf);
  if (typeof idle === 'string' || typeof deaf === 'string') throw new Error('not connected');
  idle.send(textOf({ method: 'x' }));
  deaf.send(textOf({ id: 1, method: 'x' }));
  deaf.pause();
  await new Promise((resolve) => setTimeout(resolve, 2 * PATIENCE.lostMs));
  expect(peer.said.filter(({ id }) => id === 'io.calmcp/pulse')).toEqual([]);
});

test('a line that is longer than allowed ends the reading', () => {
  const lines: string[] = [];
  const take = splitLines(4, (line) => lines.push(line));
  expect([take(Buffer.from('1234\n12')), take(Buffer.from('34\n')), take(Buffer.from('12345'))]).toEqual([
    true,
    true,
    false,
  ]);
  expect(lines).toEqual(['1234', '1234']);
  expect(splitLines(4, () => undefined)(Buffer.from('12345\n'))).toBe(false);
});
