/** MCP messages on the pipes of a child server, and how much of anything is taken from it. */
import { Agent, type IncomingMessage, request } from 'node:http';
import { pipeline, Readable, Transform, type Writable } from 'node:stream';
import type { JSONRPCMessage, Transport } from '@modelcontextprotocol/client';
import { CalmcpError } from '../core/errors.ts';
import type { Fetch } from '../core/provider.ts';

const MIB = 1_048_576;

/** How much a child server may say. */
export const LIMITS = {
  /** One message in bytes, and so one answer. */
  message: 32 * MIB,
  /** Bytes on stdout that are no MCP message, since the last answer. */
  garbage: 64 * 1_024,
  /** Bytes of messages that nobody asked for, since the last answer. */
  unasked: MIB,
  /** The list of its tools, as JSON. */
  tools: 4 * MIB,
} as const;

const tooLarge = (): CalmcpError =>
  new CalmcpError('BAD_RESPONSE', `its child server sent an answer of more than ${LIMITS.message / MIB} MiB`, {
    hint: 'ask about less time',
  });

const notMcp = (what: string): CalmcpError =>
  new CalmcpError('BAD_RESPONSE', `its child server ${what}`, {
    hint: 'see what it says: calmcp children logs <account>',
  });

/** With the code that the MCP library has for it. */
const sendFailed = (cause?: Error): Error =>
  Object.assign(new Error('the child server has gone', { cause }), { code: 'SEND_FAILED' });

const NEWLINE = 0x0a;

/**
 * Messages as lines: https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#stdio
 * @param broken called once when it sends what cannot be taken; nothing is read after that
 * @param strayed told the length of a line that is no message; what it says may be anything, a calendar's text too
 */
export function createPipeTransport(
  stdin: Writable,
  stdout: Readable,
  broken: (error: CalmcpError) => void,
  strayed: (length: number) => void,
): Transport {
  /** Ids of what was asked and not answered yet. */
  const asked = new Set<unknown>();
  let parts: Buffer[] = [];
  let size = 0;
  let garbage = 0;
  let unasked = 0;
  let isClosed = false;

  function giveUp(error: CalmcpError): void {
    stdout.off('data', take);
    stdout.resume();
    parts = [];
    broken(error);
    void transport.close();
  }

  function takeLine(line: string): void {
    if (line.trim() === '') return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (typeof message !== 'object' || message === null || (message as { jsonrpc?: unknown }).jsonrpc !== '2.0') {
      garbage += line.length;
      strayed(line.length);
      if (garbage > LIMITS.garbage) giveUp(notMcp('prints things that are no MCP messages'));
      return;
    }
    const { id } = message as { id?: unknown };
    if (!('method' in message) && asked.delete(id)) {
      unasked = 0;
      garbage = 0;
    } else unasked += line.length;
    if (unasked > LIMITS.unasked) {
      giveUp(notMcp('floods calmcp with messages that nobody asked for'));
      return;
    }
    transport.onmessage?.(message as JSONRPCMessage);
  }

  function take(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0 && !isClosed; end = chunk.indexOf(NEWLINE, from)) {
      const part = chunk.subarray(from, end);
      const line = parts.length === 0 ? part : Buffer.concat([...parts, part]);
      parts = [];
      size = 0;
      from = end + 1;
      takeLine(line.toString('utf8'));
    }
    if (isClosed || from === chunk.length) return;
    parts.push(chunk.subarray(from));
    size += chunk.length - from;
    if (size > LIMITS.message) giveUp(tooLarge());
  }

  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    transport.onclose?.();
  };

  const transport: Transport & { readonly pid: undefined; readonly stderr: undefined } = {
    // By these the MCP library tells pipes from a port: on pipes, a server that does not answer its first question is an old one.
    pid: undefined,
    stderr: undefined,
    async start() {
      stdout.on('data', take);
      stdout.once('close', close);
      stdout.once('end', close);
    },
    send: (message) =>
      new Promise((resolve, reject) => {
        if (isClosed || !stdin.writable) return reject(sendFailed());
        if ('id' in message && 'method' in message) asked.add(message.id);
        stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(sendFailed(error)) : resolve()));
      }),
    async close() {
      close();
    },
  };
  return transport;
}

/** Carries the token of a request through the MCP library, which takes no `authorization` of a single request. */
export const LENT_HEADER = 'x-calmcp-lent';

/** Counts what passes, and breaks off when it is more than one message may be. */
function capped(body: Readable): Readable {
  let size = 0;
  const counter = new Transform({
    transform(part: Buffer, _encoding, done) {
      size += part.byteLength;
      if (size > LIMITS.message) done(tooLarge());
      else done(null, part);
    },
  });
  return pipeline(body, counter, () => undefined);
}

/**
 * `fetch` for the child's own port. Not the platform's: that follows redirects, and goes by way of a proxy where the
 * environment names one (NODE_USE_ENV_PROXY), with the token.
 * @param prove that the port is the child's; before every request
 */
export function createChildFetch(port: number, prove: () => Promise<void>): { fetch: Fetch; close(): void } {
  const agent = new Agent({ keepAlive: true });
  return {
    async fetch(input, init = {}) {
      await prove();
      const { pathname, search } = new URL(input);
      const headers = new Headers(init.headers);
      const token = headers.get(LENT_HEADER);
      headers.delete(LENT_HEADER);
      if (token !== null) headers.set('authorization', `Bearer ${token}`);
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(
          {
            agent,
            host: '127.0.0.1',
            port,
            path: pathname + search,
            method: init.method ?? 'GET',
            headers: Object.fromEntries(headers),
            ...(init.signal ? { signal: init.signal } : {}),
          },
          resolve,
        );
        // As fetch says it of a connection that breaks.
        sent.once('error', (cause) =>
          reject(init.signal?.aborted ? init.signal.reason : new TypeError('fetch failed', { cause })),
        );
        sent.end(typeof init.body === 'string' ? init.body : undefined);
      });
      const status = answer.statusCode ?? 0;
      const isBodiless = status === 204 || status === 205 || status === 304;
      if (isBodiless) answer.resume();
      const body = isBodiless ? null : (Readable.toWeb(capped(answer)) as ReadableStream<Uint8Array>);
      const told = Object.entries(answer.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, String(value)] as [string, string]],
      );
      return new Response(body, { status, headers: told });
    },
    close: () => agent.destroy(),
  };
}
