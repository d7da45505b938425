import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import { wasNotSent } from '../../src/core/not-sent.ts';
import type { Call, Fetch, HttpAnswer, Logger, RequestTraits } from '../../src/core/provider.ts';
import {
  codeOfStatus,
  createHttp,
  type HttpFailure,
  httpError,
  parseRetryAfter,
  readJson,
  readText,
} from '../../src/io/http.ts';
import { createPatience } from '../../src/io/patience.ts';
import { pause } from '../../src/io/time-limit.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, count: number) => void;

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server that notes when it was asked; `handler` gets the number of the request, from 1. */
async function serve(
  handler: Handler,
): Promise<{ url: string; host: string; asked: number[]; requests: IncomingMessage[] }> {
  const asked: number[] = [];
  const requests: IncomingMessage[] = [];
  const server: Server = createServer((request, response) => {
    asked.push(performance.now());
    requests.push(request);
    request.resume();
    handler(request, response, asked.length);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}/`, host, asked, requests };
}

async function serveTcp(
  onConnection: (socket: Socket, count: number) => void,
): Promise<{ host: string; connections: () => number }> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server: TcpServer = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket, ++count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => count };
}

interface TestCall extends Call {
  readonly requests: () => number;
  readonly abort: (reason: unknown) => void;
}

/** A question with `ms` milliseconds to answer; what its deadline throws is `late`. */
const late = new CalmcpError('UNAVAILABLE', 'did not answer in time');
function ask(ms = 10_000): TestCall {
  let requests = 0;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(late), ms);
  closers.push(() => clearTimeout(timer));
  return {
    signal: controller.signal,
    deadline: performance.now() + ms,
    countRequest: () => requests++,
    requests: () => requests,
    abort: (reason) => controller.abort(reason),
  };
}

const silent: Logger = { error() {}, warn() {}, info() {}, debug() {} };
/** HTTP of one account, without any pause between attempts that the server did not ask for. */
const account = (concurrency = 8, options: { random?: () => number; log?: Logger; fetch?: Fetch } = {}) =>
  createHttp({
    fetch: options.fetch ?? fetch,
    patience: createPatience({
      account: 'work',
      log: options.log ?? silent,
      limits: { atOnce: concurrency },
      random: options.random ?? (() => 0),
    }),
  });

const get = (url: string | URL, call: Call = ask(), traits?: RequestTraits, init?: RequestInit): Promise<HttpAnswer> =>
  account()(call, traits)(url, init);

const caught = (promise: Promise<unknown>): Promise<CalmcpError> =>
  promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (thrown) => thrown,
  );

const end =
  (status: number, body = '', headers: Record<string, string> = {}): Handler =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };

/** First one answer, then another for all requests that follow. */
const first =
  (handler: Handler, then: Handler = end(200, 'fine')): Handler =>
  (request, response, count) =>
    (count === 1 ? handler : then)(request, response, count);

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('an answer', () => {
  it('comes with its status, headers and body', async () => {
    const { url } = await serve(end(200, 'Réunion', { etag: '"7"', 'content-type': 'text/plain' }));
    const response = await get(url);
    expect([response.status, response.headers.get('etag'), readText(response)]).toEqual([200, '"7"', 'Réunion']);
  });

  it('is unpacked, and measured unpacked', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('x'.repeat(100_000)));
    });
    expect(readText(await get(url))).toHaveLength(100_000);
    expect((await caught(get(url, ask(), { maxBytes: 99_999 }))).code).toBe('BAD_RESPONSE');
  });

  it.each([204, 205, 304])('of status %i has no body and is no failure', async (status) => {
    const { url, asked } = await serve(end(status));
    const response = await get(url);
    expect([response.status, readText(response), asked.length]).toEqual([status, '', 1]);
  });

  it.each([301, 302, 303, 307, 308])(
    'of status %i is handed over: nobody follows it, and no token travels',
    async (status) => {
      const target = await serve(end(200, 'stolen'));
      const { url, asked } = await serve(end(status, 'moved', { location: target.url }));
      for (const redirect of ['manual', 'follow'] as const) {
        const response = await get(url, ask(), {}, { redirect, headers: { authorization: 'Bearer SECRET' } });
        expect([response.status, response.headers.get('location'), readText(response)]).toEqual([
          status,
          target.url,
          'moved',
        ]);
      }
      expect(asked).toHaveLength(2);
      expect(target.asked).toHaveLength(0);
    },
  );

  it('up to the cap is read, and one byte more is an error that is not retried', async () => {
    const { url, asked } = await serve(end(200, 'x'.repeat(1_000)));
    expect(readText(await get(url, ask(), { maxBytes: 1_000 }))).toHaveLength(1_000);
    const call = ask();
    expect(await caught(get(url, call, { maxBytes: 999 }))).toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringContaining('more than'),
    });
    expect([asked.length, call.requests()]).toEqual([2, 1]);
  });

  it('that never ends is given up at the cap', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      response.on('error', () => {});
      more();
    });
    expect((await caught(get(url, ask(), { maxBytes: 1_000_000 }))).code).toBe('BAD_RESPONSE');
  });
});

describe('a status', () => {
  it.each([
    [400, 'BAD_RESPONSE', 1],
    [401, 'AUTH_REQUIRED', 1],
    [403, 'FORBIDDEN', 1],
    [404, 'NOT_FOUND', 1],
    [405, 'BAD_RESPONSE', 1],
    [408, 'UNAVAILABLE', 3],
    [409, 'CONFLICT', 1],
    [410, 'NOT_FOUND', 1],
    [412, 'CONFLICT', 1],
    [422, 'BAD_RESPONSE', 1],
    [429, 'RATE_LIMITED', 5],
    [500, 'UNAVAILABLE', 3],
    [502, 'UNAVAILABLE', 3],
    [503, 'UNAVAILABLE', 3],
    [504, 'UNAVAILABLE', 3],
  ] as const)(
    'of %i is %s after %i requests, and the words of the server stay in the cause',
    async (status, code, requests) => {
      const { url, host, asked } = await serve(end(status, 'SECRET words', { 'x-detail': 'SECRET' }));
      const call = ask();
      const error = await caught(get(url, call));
      expect(error).toBeInstanceOf(CalmcpError);
      expect(error.code).toBe(code);
      expect(codeOfStatus(status)).toBe(code);
      expect([asked.length, call.requests()]).toEqual([requests, requests]);
      expect(error.message).toContain(host);
      expect(error.message).toContain(`HTTP ${status}`);
      expect(JSON.stringify([error.message, error.hint, error.problems])).not.toContain('SECRET');
      const { status: said, headers, body } = error.cause as HttpFailure;
      expect([said, headers.get('x-detail'), body]).toEqual([status, 'SECRET', 'SECRET words']);
    },
  );

  it('keeps the beginning of a long failure only', async () => {
    const { url } = await serve(end(400, 'x'.repeat(100_000)));
    expect(((await caught(get(url))).cause as HttpFailure).body).toHaveLength(8_192);
  });

  it('F06: 503 once and then fine is fine', async () => {
    const { url } = await serve(first(end(503)));
    const call = ask();
    expect(readText(await get(url, call))).toBe('fine');
    expect(call.requests()).toBe(2);
  });

  it('logs that a request is repeated, and why', async () => {
    const lines: unknown[] = [];
    const { url, host } = await serve(first(end(503)));
    await account(8, { log: { ...silent, info: (message, details) => lines.push([message, details]) } })(ask())(url);
    expect(lines).toEqual([['request repeated', { account: 'work', host, error: 'UNAVAILABLE', tries: 1, waitMs: 0 }]]);
  });

  it('waits a random part of one second, then of two, and gives up at once when the deadline comes first', async () => {
    const { url, asked } = await serve(end(503));
    const http = account(8, { random: () => 0.1 });
    const started = performance.now();
    expect((await caught(http(ask(450))(url))).code).toBe('UNAVAILABLE');
    expect(performance.now() - started).toBeLessThan(440);
    // 100 ms and 200 ms waited; the 400 ms that come next are too long.
    expect(asked).toHaveLength(3);
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).toBeGreaterThanOrEqual(99);
    expect((asked[2] ?? 0) - (asked[1] ?? 0)).toBeGreaterThanOrEqual(199);
  });
});

describe('a POST', () => {
  const post = (url: string, traits?: RequestTraits, call: Call = ask()) =>
    get(url, call, traits, { method: 'POST', body: '{}' });

  it.each([500, 503, 408])('that got %i is not sent again: it may have been done', async (status) => {
    const { url, asked } = await serve(end(status));
    expect((await caught(post(url))).code).toBe('UNAVAILABLE');
    expect(asked).toHaveLength(1);
  });

  it('that lost its connection is not sent again', async () => {
    const { host, connections } = await serveTcp((socket) => socket.once('data', () => socket.destroy()));
    expect((await caught(post(`http://${host}/`))).code).toBe('UNAVAILABLE');
    expect(connections()).toBe(1);
  });

  it('that changes nothing is sent again, with its body', async () => {
    const bodies: string[] = [];
    const { url } = await serve((request, response, count) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        bodies.push(body);
        response.writeHead(count === 1 ? 503 : 200).end('fine');
      });
    });
    expect(readText(await post(url, { safe: true }))).toBe('fine');
    expect(bodies).toEqual(['{}', '{}']);
  });

  it('that got 429 is sent again: it was not done', async () => {
    const { url, asked } = await serve(first(end(429)));
    expect((await post(url)).status).toBe(200);
    expect(asked).toHaveLength(2);
  });

  it.each(['PUT', 'PATCH', 'DELETE', 'post'])('and a %s too', async (method) => {
    const { url, asked } = await serve(end(503));
    await caught(get(url, ask(), {}, { method }));
    expect(asked).toHaveLength(1);
  });
});

describe('F03: Retry-After', () => {
  it('keeps the whole account away from that host, and nobody else', async () => {
    const throttled = await serve(first(end(429, '', { 'retry-after': '1' })));
    const other = await serve(end(200));
    const http = account();
    const refused = http(ask())(throttled.url);
    await expect.poll(() => throttled.asked.length).toBe(1);
    await sleep(50);
    // The same account and host wait; another host and another account do not.
    const waiting = [http(ask())(throttled.url), http(ask())(throttled.url, { method: 'POST' })];
    await http(ask())(other.url);
    await account()(ask())(throttled.url);
    expect(performance.now() - (throttled.asked[0] ?? 0)).toBeLessThan(900);
    expect(throttled.asked).toHaveLength(2);
    for (const response of await Promise.all([refused, ...waiting])) expect(response.status).toBe(200);
    for (const moment of throttled.asked.slice(2))
      expect(moment - (throttled.asked[0] ?? 0)).toBeGreaterThanOrEqual(999);
    expect(throttled.asked).toHaveLength(5);
  });

  it.each([-3_600_000, 3_600_000])('as a date is one of the server’s clock, also where ours is %i ms off', (off) => {
    const theirs = Date.now() + off;
    const headers = new Headers({
      date: new Date(theirs).toUTCString(),
      'retry-after': new Date(theirs + 2_000).toUTCString(),
    });
    expect(httpError('graph.example', { status: 503, headers, body: '' }).retryAfterMs).toBe(2_000);
  });

  it('is obeyed as a date too', async () => {
    const until = Math.ceil(Date.now() / 1000 + 1) * 1000;
    const moments: number[] = [];
    const { url } = await serve((request, response, count) => {
      moments.push(Date.now());
      first(end(503, '', { 'retry-after': new Date(until).toUTCString() }))(request, response, count);
    });
    expect((await get(url)).status).toBe(200);
    expect(moments).toHaveLength(2);
    expect(moments[1]).toBeGreaterThanOrEqual(until - 2);
  });

  it.each([429, 503])('beyond the deadline is an error at once, with the time to wait (%i)', async (status) => {
    const { url, asked } = await serve(end(status, '', { 'retry-after': '60' }));
    const http = account();
    const started = performance.now();
    const error = await caught(http(ask(5_000))(url));
    expect(error).toMatchObject({ code: codeOfStatus(status), retryAfterMs: 60_000 });

    const call = ask(5_000);
    const next = await caught(http(call)(url));
    expect(next.code).toBe('RATE_LIMITED');
    expect(next.retryAfterMs).toBeGreaterThan(58_000);
    expect(next.retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect([asked.length, call.requests()]).toEqual([1, 0]);
  });

  it('counts also when the request itself is not sent again', async () => {
    const { url, asked } = await serve(end(503, '', { 'retry-after': '60' }));
    const http = account();
    await caught(http(ask(5_000))(url, { method: 'POST' }));
    expect((await caught(http(ask(5_000))(url))).code).toBe('RATE_LIMITED');
    expect(asked).toHaveLength(1);
  });

  it('of a refusal that is no throttling means nothing', async () => {
    const { url, asked } = await serve(end(403, '', { 'retry-after': '60' }));
    const http = account();
    expect((await caught(http(ask())(url))).retryAfterMs).toBeUndefined();
    expect((await caught(http(ask())(url))).code).toBe('FORBIDDEN');
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['7', 7_000],
    [' 7 ', 7_000],
    ['0', 0],
    ['1.5', 1_500],
    ['Fri, 20 Nov 2026 09:00:07 GMT', 7_000],
    ['Fri, 20 Nov 2026 08:00:00 GMT', 0],
    ['999999999', 24 * 3_600_000],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
  ])('%j is %j milliseconds', (value, expected) => {
    expect(parseRetryAfter(value, Date.parse('2026-11-20T09:00:00Z'))).toBe(expected);
  });
});

describe('a network that fails', () => {
  it('is UNAVAILABLE when the connection is refused, after all attempts', async () => {
    const { host } = await serveTcp(() => {});
    for (const close of closers.splice(0)) close();
    const call = ask();
    expect(await caught(get(`http://${host}/`, call))).toMatchObject({
      code: 'UNAVAILABLE',
      message: `${host}: it refused the connection`,
    });
    expect(call.requests()).toBe(3);
  });

  it('is UNAVAILABLE when the name is unknown', async () => {
    const error = await caught(get('http://name.invalid/'));
    expect(error.code).toBe('UNAVAILABLE');
    expect(error.message).toMatch(/^name\.invalid: its address could not be (?:found|looked up)$/);
  });

  it('is UNAVAILABLE when the other side speaks no TLS', async () => {
    const { host } = await serve(end(200));
    expect(await caught(get(`https://${host}/`))).toMatchObject({
      code: 'UNAVAILABLE',
      message: `${host}: no secure connection could be made`,
    });
  });

  it('is UNAVAILABLE when the other side speaks no HTTP', async () => {
    const { host } = await serveTcp((socket) => socket.once('data', () => socket.end('SECRET\r\n')));
    const error = await caught(get(`http://${host}/`));
    expect(error).toMatchObject({ code: 'UNAVAILABLE', message: `${host}: the request failed` });
  });

  it('and comes back is fine', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nfine';
    const { host, connections } = await serveTcp((socket, count) =>
      socket.once('data', () => (count < 3 ? socket.resetAndDestroy() : socket.end(answer))),
    );
    const call = ask();
    expect(readText(await get(`http://${host}/`, call))).toBe('fine');
    expect([connections(), call.requests()]).toEqual([3, 3]);
  });

  it.each([
    ['by its length', 'Content-Length: 100\r\n\r\n{"value":[]'],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\nb\r\n{"value":[]\r\n'],
  ])('in the middle of a body announced %s is retried, and never half an answer', async (_, rest) => {
    const cut = await serveTcp((socket) => socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\n${rest}`)));
    expect(await caught(get(`http://${cut.host}/`))).toMatchObject({
      code: 'UNAVAILABLE',
      message: `${cut.host}: the connection broke`,
    });
    expect(cut.connections()).toBe(3);

    const { url, asked } = await serve(
      first((_request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('{"value":[]');
        setTimeout(() => response.destroy(), 20);
      }),
    );
    expect(readText(await get(url))).toBe('fine');
    expect(asked).toHaveLength(2);
  });

  it('in the middle of the body of a POST is an error, and not retried', async () => {
    const { url, asked } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      setTimeout(() => response.destroy(), 20);
    });
    expect((await caught(get(url, ask(), {}, { method: 'POST' }))).code).toBe('UNAVAILABLE');
    expect(asked).toHaveLength(1);
  });
});

describe('the deadline', () => {
  it('F01: is all that a server costs which accepts and never answers', async () => {
    const { url, asked } = await serve(() => {});
    const started = performance.now();
    expect(await caught(get(url, ask(200)))).toBe(late);
    expect(performance.now() - started).toBeLessThan(1_000);
    expect(asked).toHaveLength(1);
  });

  it('ends a body that only trickles', async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await caught(get(url, ask(200)))).toBe(late);
  });

  it('ends a pause and a wait for a slot', async () => {
    const { url } = await serve(end(503));
    const reason = new Error('the asker gave up');
    const call = ask();
    const pausing = account(8, { random: () => 0.99 })(call)(url);
    setTimeout(() => call.abort(reason), 50);
    expect(await caught(pausing)).toBe(reason);

    const stuck = await serve(() => {});
    const http = account(1);
    const holder = ask();
    const held = caught(http(holder)(stuck.url));
    const queued = ask(100);
    expect(await caught(http(queued)(stuck.url))).toBe(late);
    expect([stuck.asked.length, queued.requests()]).toEqual([1, 0]);
    holder.abort(reason);
    expect(await held).toBe(reason);
  });

  it('ends the wait of others for the host that asked for it', async () => {
    const { url } = await serve(end(429, '', { 'retry-after': '3' }));
    const http = account();
    await caught(http(ask(1_000))(url));
    const call = ask(10_000);
    const waiting = http(call)(url);
    setTimeout(() => call.abort(late), 50);
    expect(await caught(waiting)).toBe(late);
  });

  it('aborted for a reason that looks like trouble of the network is not logged as a repetition', async () => {
    const lines: string[] = [];
    const { url, asked } = await serve(() => {});
    const call = ask();
    const running = account(8, { log: { ...silent, info: (message) => lines.push(message) } })(call)(url);
    await expect.poll(() => asked.length).toBe(1);
    call.abort(new CalmcpError('UNAVAILABLE', 'the question has been answered'));
    expect((await caught(running)).message).toBe('the question has been answered');
    expect(lines).toEqual([]);
  });

  it('that has passed already sends nothing', async () => {
    const { url, asked } = await serve(end(200));
    const call = ask();
    call.abort(late);
    expect(await caught(get(url, call))).toBe(late);
    expect([asked.length, call.requests()]).toEqual([0, 0]);
  });

  it('of a pause is its reason, and the pause leaves nothing behind', async () => {
    const controller = new AbortController();
    await pause(1, controller.signal);
    controller.abort(late);
    await expect(pause(1, controller.signal)).rejects.toBe(late);
  });
});

describe('the slots of an account', () => {
  /** A server that counts how many requests it has under way; their weight is in the path. */
  async function measured() {
    let now = 0;
    const seen = { most: 0, order: [] as string[] };
    const server = await serve((request, response) => {
      const weight = Number(request.url?.slice(1).split('-')[0]);
      now += weight;
      seen.most = Math.max(seen.most, now);
      seen.order.push(request.url ?? '');
      response.writeHead(200).write('part of it');
      setTimeout(() => {
        now -= weight;
        response.end();
      }, 30);
    });
    return { ...server, seen };
  }

  it('are never more than were configured, until the last byte of each answer', async () => {
    const { url, seen } = await measured();
    const http = account(3);
    await Promise.all(Array.from({ length: 12 }, (_, index) => http(ask())(`${url}1-${index}`)));
    expect(seen.most).toBe(3);
    expect(seen.order).toHaveLength(12);
  });

  it('are taken by weight: a batch of four weighs four', async () => {
    const { url, seen } = await measured();
    const http = account(4);
    await Promise.all(
      [4, 1, 1, 2, 4, 3, 1].map((weight, index) => http(ask(), { weight })(`${url}${weight}-${index}`)),
    );
    expect(seen.most).toBe(4);
  });

  it('are given first come, first served', async () => {
    const { url, seen } = await measured();
    const http = account(1);
    const names = ['1-a', '1-b', '1-c', '1-d'];
    await Promise.all(names.map((name) => http(ask())(`${url}${name}`)));
    expect(seen.order).toEqual(names.map((name) => `/${name}`));
  });

  it('of a request that gave up while it waited go to the next', async () => {
    const { url, seen } = await measured();
    const http = account(1);
    const gone = ask();
    const running = http(ask())(`${url}1-a`);
    const waiting = caught(http(gone)(`${url}1-b`));
    const next = http(ask())(`${url}1-c`);
    gone.abort(late);
    expect(await waiting).toBe(late);
    await Promise.all([running, next]);
    expect(seen.order).toEqual(['/1-a', '/1-c']);
  });

  it('are free during the pause before a repetition', async () => {
    const { url, asked } = await serve((request, response) => {
      response.writeHead(request.url === '/bad' && asked.length === 1 ? 503 : 200).end();
    });
    const http = account(1, { random: () => 0.3 });
    const bad = http(ask())(`${url}bad`);
    await expect.poll(() => asked.length).toBe(1);
    const started = performance.now();
    await http(ask())(url);
    expect(performance.now() - started).toBeLessThan(200);
    expect((await bad).status).toBe(200);
  });

  it('of one account are not those of another', async () => {
    const { url, asked } = await serve(() => {});
    const [one, other] = [ask(), ask()];
    const runs = [caught(account(1)(one)(url)), caught(account(1)(other)(url))];
    await expect.poll(() => asked.length).toBe(2);
    one.abort(late);
    other.abort(late);
    await Promise.all(runs);
  });
});

describe('a server that fails all the time', () => {
  it('is left alone; a change that was not sent says so, and one that was sent does not', async () => {
    const { url, asked } = await serve(end(503));
    const http = account();
    const post = { method: 'POST', body: '{}' };
    const sent: CalmcpError[] = [];
    for (let count = 0; count < 5; count++) sent.push(await caught(http(ask())(url, post)));
    expect(sent.map(wasNotSent)).toEqual([false, false, false, false, false]);
    expect(wasNotSent(await caught(http(ask())(url, post)))).toBe(true);
    expect(asked).toHaveLength(5);

    const [other, call] = [account(), ask()];
    // Asked before: a change may be on its way by now, and a question not.
    expect((await other(call)((await serve(end(200))).url, post)).status).toBe(200);
    for (let count = 0; count < 5; count++) await caught(other(ask())(url, post));
    expect(wasNotSent(await caught(other(call)(url)))).toBe(false);
    expect(wasNotSent(await caught(other(ask())(url)))).toBe(true);
  });

  it('is counted by what its service counts: a batch is all that is in it', async () => {
    const { url, asked } = await serve(end(200));
    const http = createHttp({
      fetch,
      patience: createPatience({ account: 'work', log: silent, limits: { atOnce: 4, perMinute: 40 } }),
    });
    await http(ask(), { cost: 20 })(url);
    expect(await caught(http(ask(1_000))(url))).toMatchObject({ code: 'RATE_LIMITED' });
    expect(asked).toHaveLength(1);
  });
});

describe('JSON', () => {
  const jsonOf = async (text: string): Promise<unknown> =>
    readJson({ status: 200, headers: new Headers(), body: Buffer.from(text) }, 'graph.example');

  it('is what was sent', async () => {
    const { url } = await serve(end(200, '\ufeff{"value":[1]}'));
    expect(readJson(await get(url), 'graph')).toEqual({ value: [1] });
  });

  it('that is a web page points at what stands in between, and does not quote it', async () => {
    const error = await caught(jsonOf('\n <!DOCTYPE html><title>SECRET</title>'));
    expect(error).toMatchObject({
      code: 'BAD_RESPONSE',
      message: 'graph.example answered with a web page instead of JSON',
      hint: expect.stringContaining('proxy'),
    });
    expect(`${error.message}${error.hint}`).not.toContain('SECRET');
  });

  it.each(['', '{"value":[', 'SECRET', 'undefined'])('that is %j is an error and not an empty answer', async (body) => {
    const error = await caught(jsonOf(body));
    expect(error).toMatchObject({
      code: 'BAD_RESPONSE',
      message: 'graph.example answered with something instead of JSON',
    });
    expect(error.hint).toBeUndefined();
  });
});
