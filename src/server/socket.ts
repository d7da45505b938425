/**
 * MCP on a socket: newline-delimited JSON-RPC as on stdio, one session a connection, many at once. On top of MCP there are
 * notifications of our own alone, so any MCP client can talk to it:
 * - `notifications/io.calmcp/session`, as the first line: what the session is to be like ({@link SessionOptions}).
 * - `notifications/io.calmcp/finish`, as the first line or in a session of a script: the daemon is to finish.
 * - `notifications/io.calmcp/finishing`, to sessions that began with the first of these: what is under way is answered, and
 *   what comes from now on is refused with {@link NOT_TAKEN} in the error's data: it was not begun, and can be asked elsewhere.
 *   Such a client ends its side when nothing of it is under way any more.
 */
import type { Socket } from 'node:net';
import {
  deserializeMessage,
  isJSONRPCErrorResponse,
  isJSONRPCNotification,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  ProtocolErrorCode,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { toCalmcpError } from '../core/errors.ts';
import { splitLines } from '../core/lines.ts';
import { FINISH, FINISHING, HEARD, NOT_TAKEN, SESSION } from '../core/session-names.ts';
import type { HeardEntry } from '../operations/heard.ts';
import { createMcpServer, type McpOptions, toolsOf } from './mcp.ts';
import { renderError } from './text.ts';

/** What a client may say of its session, in the params of its first line. */
export interface SessionOptions {
  /** Of the client's program. */
  readonly version?: string;
  readonly readOnly?: boolean;
  readonly tools?: readonly string[];
  /** `script`: inputs and structured answers as the operations have them, without text for a model. */
  readonly answers?: 'model' | 'script';
  /** What the session heard from a daemon before this one. It is told what it hears from now on ({@link HEARD}). */
  readonly heard?: readonly HeardEntry[];
}

/** Params of {@link FINISH}. */
export interface Finish {
  /** Whoever manages the daemon shall start it again. */
  readonly restart: boolean;
  /** Process of the daemon that is meant: by now another one may listen here. */
  readonly pid: number | undefined;
}

export interface SocketLimits {
  /** Bytes of one line from a client. */
  readonly line: number;
  /** Connections at once; of further ones a few scripts are served ({@link SPARE}), and all others closed. */
  readonly connections: number;
  /** Requests of one client under way; it is not listened to while there are more. */
  readonly underWay: number;
  /** Bytes that a client has not taken yet: it is not listened to while there are more... */
  readonly unsent: number;
  /** ...and is given up when there are so many. */
  readonly mostUnsent: number;
  /** Lines that are no JSON-RPC, after which a client is given up. */
  readonly garbage: number;
}

const MIB = 1_048_576;
const LIMITS: SocketLimits = {
  line: 16 * MIB,
  connections: 256,
  underWay: 64,
  unsent: 8 * MIB,
  mostUnsent: 64 * MIB,
  garbage: 100,
};

/** Commands get in where windows have taken all connections: to look how it is, and to stop it. */
const SPARE = 8;
/** How long one of those may take to say that it is a script, in milliseconds. */
const SPARE_MS = 2_000;
const TOO_MANY = 'too many connections';

/** How long a client of ours may take to end its side, when nothing of it is under way, in milliseconds. */
const END_MS = 1_000;

export interface SocketOptions extends Pick<McpOptions, 'version' | 'app' | 'log' | 'status'> {
  /** A client has told the daemon to finish. */
  readonly onFinish: (how: Finish) => void;
  readonly limits?: Partial<SocketLimits>;
}

export interface SocketService {
  /** Serves a client that has connected. */
  accept(socket: Socket): void;
  readonly sessions: { readonly now: number; readonly ever: number };
  /** Tools called, and answered. */
  readonly questions: number;
  /** Since when nobody has been connected, in milliseconds of `performance.now()`; `undefined` while somebody is. */
  readonly idleSince: number | undefined;
  /** Takes no further request, lets those under way end, and closes all connections, at the latest after `ms`. */
  drain(ms: number): Promise<void>;
}

interface Session {
  finish(): void;
  readonly closed: Promise<void>;
  destroy(): void;
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const isHeard = (value: unknown): value is readonly HeardEntry[] =>
  Array.isArray(value) &&
  value.every(
    (entry) =>
      Array.isArray(entry) &&
      typeof entry[0] === 'string' &&
      Array.isArray(entry[1]) &&
      entry[1].every((account) => typeof account === 'string'),
  );

/** @returns what is wrong with it, in words, instead */
function readSession(params: unknown): SessionOptions | string {
  const { version, readOnly, tools, answers, heard } = asRecord(params);
  const isList = Array.isArray(tools) && tools.every((name) => typeof name === 'string');
  if (
    (version !== undefined && typeof version !== 'string') ||
    (readOnly !== undefined && typeof readOnly !== 'boolean') ||
    (tools !== undefined && !isList) ||
    (heard !== undefined && !isHeard(heard)) ||
    (answers !== undefined && answers !== 'model' && answers !== 'script')
  )
    return `${SESSION} has params that cannot be read`;
  const session: SessionOptions = {
    ...(version === undefined ? {} : { version }),
    ...(readOnly === undefined ? {} : { readOnly }),
    ...(tools === undefined ? {} : { tools: tools as readonly string[] }),
    ...(answers === undefined ? {} : { answers }),
    ...(heard === undefined ? {} : { heard }),
  };
  try {
    toolsOf(session);
    return session;
  } catch (thrown) {
    return renderError(toCalmcpError(thrown));
  }
}

function readFinish(params: unknown): Finish {
  const { restart, pid } = asRecord(params);
  return { restart: restart === true, pid: typeof pid === 'number' ? pid : undefined };
}

interface SessionContext extends SocketOptions {
  readonly limits: SocketLimits;
  readonly isFinishing: () => boolean;
  /** There is room for a script alone. */
  readonly isSpare: boolean;
  readonly onQuestion: () => void;
}

/** A quiet close on any misbehaviour: the client reads the end of the stream, and nobody else is touched. */
function openSession(socket: Socket, context: SessionContext): Session {
  const { limits, log } = context;
  let options: SessionOptions | undefined;
  let refusal: string | undefined;
  let isFirst = true;
  let garbage = 0;
  /** Lines that have come and wait for their turn. */
  const lines: string[] = [];
  /** Requests that wait until others are answered. */
  let held: JSONRPCRequest[] = [];
  let isTaking = false;
  /** What the client waits for, and by which method. */
  const underWay = new Map<string | number, string>();

  const transport: Transport = {
    async start() {
      socket.on('data', (chunk: Buffer) => {
        if (!split(chunk)) giveUp('a line too long');
        listenOrWait();
      });
    },
    async send(message) {
      write(message);
      if (isJSONRPCResultResponse(message) || isJSONRPCErrorResponse(message)) settle(message.id, true);
    },
    async close() {
      // What was written is sent first.
      socket.end();
    },
  };

  function giveUp(why: string): void {
    log.warn('a client of the daemon was given up', { why });
    socket.destroy();
  }

  function write(message: JSONRPCMessage): void {
    if (!socket.writable) return;
    socket.write(serializeMessage(message));
    if (socket.writableLength > limits.mostUnsent) giveUp('it does not take its answers');
    else listenOrWait();
  }

  const isUnread = (): boolean => socket.writableLength > limits.unsent;
  const isBusy = (): boolean => underWay.size >= limits.underWay;

  /**
   * Takes what has come, as far as there is room for the answers; more is not read from it meanwhile. Requests of a client that has
   * asked much already wait, and what it calls off or answers does not wait behind them.
   */
  function listenOrWait(): void {
    if (isTaking) return;
    isTaking = true;
    while (!socket.destroyed && !isUnread()) {
      const next = isBusy() ? undefined : held.shift();
      if (next !== undefined) accept(next);
      else if (lines.length > 0 && held.length < limits.underWay) takeLine(lines.shift() ?? '');
      else break;
    }
    isTaking = false;
    if (lines.length > 0) socket.pause();
    else if (socket.isPaused()) socket.resume();
  }

  function settle(id: string | number | undefined, isAnswered: boolean): void {
    if (id === undefined) return;
    const method = underWay.get(id);
    if (!underWay.delete(id)) return;
    if (isAnswered && method === 'tools/call') context.onQuestion();
    listenOrWait();
    endWhenDone();
  }

  function refuse(id: string | number, code: number, message: string, data?: unknown): void {
    write({ jsonrpc: '2.0', id, error: { code, message, ...(data === undefined ? {} : { data }) } });
  }

  function endWhenDone(): void {
    if (!context.isFinishing() || underWay.size > 0) return;
    // One of ours ends its side itself, so nothing that it has sent meanwhile is lost.
    if (options === undefined && refusal === undefined) socket.end();
    else setTimeout(() => socket.end(), END_MS).unref();
  }

  /** @returns whether it was for us rather than for the MCP server */
  function isOurs(message: JSONRPCMessage, wasFirst: boolean): boolean {
    if (!isJSONRPCNotification(message) || !message.method.startsWith('notifications/io.calmcp/')) return false;
    if (message.method === SESSION && wasFirst) {
      const read = readSession(message.params);
      if (typeof read === 'string') refusal = read;
      else options = read;
      if (context.isFinishing()) write({ jsonrpc: '2.0', method: FINISHING });
    }
    // Not from the client of a relay, which passes on whatever it is told.
    if (message.method === FINISH && (wasFirst || options?.answers === 'script'))
      context.onFinish(readFinish(message.params));
    return true;
  }

  function accept(message: JSONRPCMessage): void {
    const wasFirst = isFirst;
    isFirst = false;
    const isForUs = isOurs(message, wasFirst);
    if (context.isSpare && options?.answers !== 'script') giveUp(TOO_MANY);
    if (isForUs || socket.destroyed) return;
    if (isJSONRPCRequest(message)) {
      const { id, method } = message;
      if (refusal !== undefined || context.isFinishing()) {
        if (refusal !== undefined) refuse(id, ProtocolErrorCode.InvalidParams, refusal);
        else refuse(id, ProtocolErrorCode.InternalError, 'the daemon is finishing', { [NOT_TAKEN]: true });
        return;
      }
      // One that is open for as long as the client likes is nothing to wait for.
      if (method !== 'subscriptions/listen') underWay.set(id, method);
    } else if (refusal !== undefined) return;
    else if (isJSONRPCNotification(message) && message.method === 'notifications/cancelled') {
      const { requestId } = asRecord(message.params);
      held = held.filter(({ id }) => id !== requestId);
      // Nothing is answered to it any more.
      settle(requestId as string | number | undefined, false);
    }
    transport.onmessage?.(message);
  }

  function takeLine(line: string): void {
    let message: JSONRPCMessage;
    try {
      message = deserializeMessage(line);
    } catch {
      garbage++;
      if (garbage === limits.garbage) giveUp('it does not speak MCP');
      return;
    }
    if (isJSONRPCRequest(message) && (isBusy() || held.length > 0)) held.push(message);
    else accept(message);
  }

  if (context.isSpare)
    setTimeout(() => {
      if (isFirst) giveUp(TOO_MANY);
    }, SPARE_MS).unref();

  const split = splitLines(limits.line, (line) => {
    if (line !== '') lines.push(line);
  });

  socket.on('drain', listenOrWait);
  // Said by 'close' as well; without a listener it would end the process.
  socket.on('error', (error) => log.debug('a connection to the daemon broke', { error }));
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      transport.onclose?.();
      resolve();
    });
  });
  serveStdio(
    () =>
      createMcpServer({
        version: context.version,
        app: context.app,
        log,
        readOnly: options?.readOnly,
        tools: options?.tools,
        answers: options?.answers,
        heard: options?.heard && {
          before: options.heard,
          tell: (entries) => write({ jsonrpc: '2.0', method: HEARD, params: { entries: [...entries] } }),
        },
        status: context.status,
      }),
    { transport, onerror: (error) => log.debug('MCP transport', { error }) },
  );
  return {
    closed,
    finish() {
      if (options !== undefined || refusal !== undefined) write({ jsonrpc: '2.0', method: FINISHING });
      endWhenDone();
    },
    destroy: () => socket.destroy(),
  };
}

/** Resolves when all have, or after `ms`; no timer is left. */
async function within(ms: number, all: readonly Promise<void>[]): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(all), late]);
  clearTimeout(timer);
}

/** Who may connect is the listener's care. */
export function createSocketService(options: SocketOptions): SocketService {
  const limits: SocketLimits = { ...LIMITS, ...options.limits };
  const open = new Set<Session>();
  let ever = 0;
  let questions = 0;
  let isFinishing = false;
  let idleSince = performance.now();

  const context: Omit<SessionContext, 'isSpare'> = {
    ...options,
    limits,
    isFinishing: () => isFinishing,
    onQuestion: () => {
      questions++;
    },
  };

  return {
    accept(socket) {
      const isSpare = open.size >= limits.connections;
      if (isFinishing || open.size >= limits.connections + SPARE) {
        if (!isFinishing) options.log.warn(TOO_MANY, { most: limits.connections });
        socket.on('error', () => undefined).destroy();
        return;
      }
      ever++;
      const session = openSession(socket, { ...context, isSpare });
      open.add(session);
      void session.closed.then(() => {
        open.delete(session);
        idleSince = performance.now();
      });
    },
    get sessions() {
      return { now: open.size, ever };
    },
    get questions() {
      return questions;
    },
    get idleSince() {
      return open.size > 0 ? undefined : idleSince;
    },
    async drain(ms) {
      isFinishing = true;
      const all = [...open];
      const closed = all.map((session) => session.closed);
      for (const session of all) session.finish();
      await within(ms, closed);
      for (const session of open) session.destroy();
      await within(END_MS, closed);
    },
  };
}
