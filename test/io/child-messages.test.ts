import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { expect, onTestFinished, test } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import type { Fetch } from '../../src/core/provider.ts';
import { createChildFetch, createPipeTransport, LENT_HEADER, LIMITS } from '../../src/io/child-messages.ts';

async function openPipe() {
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const messages: unknown[] = [];
  const broken: CalmcpError[] = [];
  const strayed: number[] = [];
  let isClosed = false;
  const transport = createPipeTransport(
    stdin,
    stdout,
    (error) => broken.push(error),
    (length) => strayed.push(length),
  );
  transport.onmessage = (message) => messages.push(message);
  transport.onclose = () => {
    isClosed = true;
  };
  await transport.start();
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    transport,
    stdin,
    messages,
    broken,
    strayed,
    isClosed: () => isClosed,
    async says(text: string | Buffer) {
      stdout.write(text);
      await settle();
      await settle();
    },
    async ends() {
      stdout.end();
      await settle();
      await settle();
    },
  };
}

const request = (id: number): JSONRPCMessage => ({ jsonrpc: '2.0', id, method: 'ping' });
const answer = (id: number, more = '') => `${JSON.stringify({ jsonrpc: '2.0', id, result: { more } })}\n`;
const notice = (data = '') =>
  `${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } })}\n`;

test('messages are lines, in whatever pieces they come', async () => {
  const pipe = await openPipe();
  const bytes = Buffer.from(answer(1, 'vergü会议'));
  for (const byte of bytes) await pipe.says(Buffer.of(byte));
  await pipe.says(`${answer(2)}\r\n${answer(3).slice(0, 9)}`);
  await pipe.says(answer(3).slice(9));
  expect(pipe.messages).toEqual([
    { jsonrpc: '2.0', id: 1, result: { more: 'vergü会议' } },
    { jsonrpc: '2.0', id: 2, result: { more: '' } },
    { jsonrpc: '2.0', id: 3, result: { more: '' } },
  ]);
  expect(pipe.broken).toEqual([]);
});

test('what is no message is not for the protocol, and its text is not for the log either', async () => {
  const pipe = await openPipe();
  const odd = ['Hello!', '{"jsonrpc":"1.0"}', 'null', '[]', '"text"', 'x'.repeat(1_000)];
  await pipe.says(`${odd.join('\n')}\n`);
  expect(pipe.messages).toEqual([]);
  expect(pipe.strayed).toEqual(odd.map(({ length }) => length));
  expect(pipe.broken).toEqual([]);
});

test('too much that is no message ends it, unless it answers in between', async () => {
  const pipe = await openPipe();
  const most = `${'x'.repeat(LIMITS.garbage - 1)}\n`;
  for (let id = 1; id <= 3; id++) {
    await pipe.says(most);
    await pipe.transport.send(request(id));
    await pipe.says(answer(id));
  }
  expect(pipe.broken).toEqual([]);
  await pipe.says(`${most}xx\n${answer(9)}`);
  expect(pipe.broken.map(({ code }) => code)).toEqual(['BAD_RESPONSE']);
  expect(pipe.isClosed()).toBe(true);
  expect(pipe.messages).toHaveLength(3);
});

test.each([
  ['messages that nobody asked for', () => notice('x'.repeat(1_000))],
  ['answers to what nobody asked', (count: number) => answer(1_000_000 + count, 'x'.repeat(1_000))],
  ['the same answer again and again', () => answer(1, 'x'.repeat(1_000))],
])('%s end it when they are too many', async (_name, make) => {
  const pipe = await openPipe();
  await pipe.transport.send(request(1));
  for (let count = 0; count < 2_000; count++) await pipe.says(make(count));
  expect(pipe.broken).toEqual([expect.objectContaining({ code: 'BAD_RESPONSE' })]);
  expect(pipe.messages.length).toBeGreaterThan(500);
  expect(pipe.messages.length).toBeLessThan(1_200);
});

test('a line without an end is given up at the limit, and nothing is read after that', async () => {
  const pipe = await openPipe();
  const chunk = Buffer.alloc(LIMITS.message / 16, 'x');
  for (let count = 0; count < 20; count++) await pipe.says(chunk);
  expect(pipe.broken).toEqual([
    expect.objectContaining({ code: 'BAD_RESPONSE', message: expect.stringContaining('32 MiB') }),
  ]);
  await pipe.says(`\n${answer(1)}`);
  expect(pipe.messages).toEqual([]);
});

test('what is written to one that has gone fails', async () => {
  const pipe = await openPipe();
  await pipe.ends();
  expect(pipe.isClosed()).toBe(true);
  await expect(pipe.transport.send(request(1))).rejects.toMatchObject({ code: 'SEND_FAILED' });
});

function createOwnFetch(url: string, prove: () => Promise<void>): Fetch {
  const way = createChildFetch(Number(new URL(url).port), prove);
  onTestFinished(way.close);
  return way.fetch;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

test('a request goes out when the port was proven, and with the token that was lent for it alone', async () => {
  const seen: unknown[] = [];
  const url = await serve(({ headers }, response) => {
    seen.push([headers.authorization, headers[LENT_HEADER], headers['x-other']]);
    response.end('{}');
  });
  let proven = 0;
  const fetch = createOwnFetch(url, async () => {
    proven++;
    if (proven === 3) throw new CalmcpError('UNAVAILABLE', 'not its port');
  });
  const headers = { 'x-other': 'yes' };
  await fetch(url, { headers: { ...headers, [LENT_HEADER]: 'one' } });
  await fetch(url, { headers });
  await expect(fetch(url, { headers: { [LENT_HEADER]: 'three' } })).rejects.toThrow('not its port');
  expect(seen).toEqual([
    ['Bearer one', undefined, 'yes'],
    [undefined, undefined, 'yes'],
  ]);
});

test('no redirect is followed with the token', async () => {
  const seen: unknown[] = [];
  const elsewhere = await serve(({ headers }, response) => {
    seen.push(headers);
    response.end();
  });
  const url = await serve((_request, response) => response.writeHead(307, { location: elsewhere }).end());
  const fetch = createOwnFetch(url, async () => undefined);
  const answer = await fetch(url, { method: 'POST', body: '{}', headers: { [LENT_HEADER]: 'one' } });
  expect([answer.status, answer.ok]).toEqual([307, false]);
  expect(seen).toEqual([]);
});

test('an answer is as large as a message may be, whatever length it says it has', async () => {
  const url = await serve((_request, response) => {
    const chunk = Buffer.alloc(1_048_576, 'x');
    const pour = (): void => void response.write(chunk, (error) => (error ? undefined : pour()));
    pour();
  });
  const fetch = createOwnFetch(url, async () => undefined);
  await expect((await fetch(url)).text()).rejects.toMatchObject({
    code: 'BAD_RESPONSE',
    message: expect.stringContaining('32 MiB'),
  });
});

test('status and headers come through, with and without a body', async () => {
  const url = await serve(({ url: path }, response) => {
    response.writeHead(path === '/none' ? 204 : 405, { 'x-said': 'yes' }).end(path === '/none' ? undefined : 'no');
  });
  const fetch = createOwnFetch(url, async () => undefined);
  const refused = await fetch(url);
  expect([refused.status, refused.headers.get('x-said'), await refused.text()]).toEqual([405, 'yes', 'no']);
  const none = await fetch(`${url}none`);
  expect([none.status, none.body]).toEqual([204, null]);
});
