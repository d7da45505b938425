/** Connections to the daemon, line by line: MCP behind a first line of our own, as `server/socket.ts` has it. */
import type { Duplex } from 'node:stream';
import { splitLines } from '../core/lines.ts';
import { NOT_TAKEN, SESSION } from '../core/session-names.ts';
import type { DaemonRecord } from './daemon-record.ts';
import { isOwnSocket, reach } from './daemon-socket.ts';

/** The revision without a handshake: each request says for itself who asks. */
const REVISION = '2026-07-28';
const META = 'io.modelcontextprotocol';

/** What is in `_meta` of a request of ours, as {@link REVISION} wants it. */
export function envelopeOf(version: string): Readonly<Record<string, unknown>> {
  return {
    [`${META}/protocolVersion`]: REVISION,
    [`${META}/clientInfo`]: { name: 'calmcp', version },
    [`${META}/clientCapabilities`]: {},
  };
}

export const isOfThatRevision = (params: unknown): boolean =>
  factsOf(factsOf(params)._meta)[`${META}/protocolVersion`] !== undefined;

/** A message of JSON-RPC 2.0, of whatever kind. */
export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

export const factsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

/** @returns `undefined` for what is no message */
export function readMessage(line: string): Message | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Message) : undefined;
  } catch {
    return undefined;
  }
}

export const textOf = (message: Message): string => JSON.stringify({ jsonrpc: '2.0', ...message });

export interface Listener {
  line(text: string): void;
  /** There is room for more. */
  drain(): void;
  /** Nothing comes any more. */
  closed(): void;
  /** Whether an answer is waited for. */
  isAwaiting(): boolean;
}

/** Lines in both directions. */
export interface Channel {
  listen(listener: Listener): void;
  send(line: string): void;
  /** Whether it has been sent more than it takes at once. */
  readonly isFull: boolean;
  pause(): void;
  resume(): void;
  /** What was sent goes out first. */
  end(): void;
  destroy(): void;
}

/** What is sent to us is ours or the daemon's: longer than any answer can be. */
const MOST_BYTES = 268_435_456;

/** Lines over a stream. What comes before anybody listens is kept. */
export function openChannel(stream: Duplex): Channel {
  let listener: Listener | undefined;
  let isClosed = false;
  const early: string[] = [];
  const take = splitLines(MOST_BYTES, (line) => {
    if (line === '' || stream.destroyed) return;
    if (listener === undefined) early.push(line);
    else listener.line(line);
  });
  stream.on('data', (piece: Buffer) => {
    if (!take(piece)) stream.destroy();
  });
  stream.on('drain', () => listener?.drain());
  stream.once('end', () => stream.end());
  // Said by 'close' as well; without a listener it would end the process.
  stream.on('error', () => undefined);
  stream.once('close', () => {
    isClosed = true;
    listener?.closed();
  });
  return {
    listen(next) {
      listener = next;
      for (const line of early.splice(0)) listener.line(line);
      if (isClosed) queueMicrotask(() => next.closed());
    },
    send(line) {
      if (stream.writable) stream.write(`${line}\n`);
    },
    get isFull() {
      return stream.writableNeedDrain;
    },
    pause: () => void stream.pause(),
    resume: () => void stream.resume(),
    end: () => void stream.end(),
    destroy: () => void stream.destroy(),
  };
}

/** See `server/socket.ts`. */
export interface Session {
  /** Of this program. */
  readonly version: string;
  readonly readOnly?: boolean | undefined;
  readonly tools?: readonly string[] | undefined;
  readonly answers: 'model' | 'script';
  /** What the session heard before: hashes, and from which accounts. */
  readonly heard?: Told | undefined;
}

/** As the daemon tells it, and is told it again: nobody here looks into it. */
export type Told = readonly unknown[];

export interface Patience {
  /** Milliseconds for the first answer. */
  readonly helloMs: number;
  /** Milliseconds without a word, while an answer is waited for, after which the daemon is asked whether it is there... */
  readonly quietMs: number;
  /** ...and those after which it is taken for lost. */
  readonly lostMs: number;
}

/** A question ends within 25 s (operations/deadline.ts), so a daemon that is well has said something by then. */
export const PATIENCE: Patience = { helloMs: 2_000, quietMs: 26_000, lostMs: 30_000 };

/** Names of our own requests, beside those of the client. */
const HELLO = 'io.calmcp/hello';
const PULSE = 'io.calmcp/pulse';

/** What every daemon answers at once, in whatever state its session is. */
const greeting = (id: string, version: string): string =>
  textOf({ id, method: 'server/discover', params: { _meta: envelopeOf(version) } });

/** Closes a channel whose other side has fallen silent while an answer is waited for. @param early what was heard before */
function watchOver(
  channel: Channel,
  version: string,
  { quietMs, lostMs }: Patience,
  early: readonly string[],
): Channel {
  const everyMs = (lostMs - quietMs) / 4;
  let isAwaiting = (): boolean => false;
  let isPaused = false;
  let hasAsked = false;
  let [quiet, looked] = [0, 0];
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    const now = performance.now();
    const since = now - looked;
    looked = now;
    if (!isAwaiting()) {
      stop();
      return;
    }
    // Nothing is heard by one who does not listen, or slept as the whole machine did.
    quiet = isPaused || since > 5 * everyMs ? 0 : quiet + since;
    if (quiet >= lostMs && hasAsked) channel.destroy();
    else if (quiet >= quietMs && !hasAsked) {
      hasAsked = true;
      channel.send(greeting(PULSE, version));
    }
  }
  function stop(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    listen(listener) {
      isAwaiting = listener.isAwaiting;
      const line = (text: string): void => {
        quiet = 0;
        hasAsked = false;
        if (!text.includes(PULSE) || readMessage(text)?.id !== PULSE) listener.line(text);
      };
      for (const text of early) line(text);
      channel.listen({
        ...listener,
        line,
        closed() {
          stop();
          listener.closed();
        },
      });
    },
    send(text) {
      if (timer === undefined) {
        [quiet, looked] = [0, performance.now()];
        timer = setInterval(look, everyMs).unref();
      }
      channel.send(text);
    },
    get isFull() {
      return channel.isFull;
    },
    pause() {
      isPaused = true;
      channel.pause();
    },
    resume() {
      isPaused = false;
      channel.resume();
    },
    end: channel.end,
    destroy: channel.destroy,
  };
}

/**
 * What has come of a connection, where there is none: nobody listens there (any more), nobody has answered in time, or the session
 * is one that this daemon does not serve.
 */
export type NotConnected = 'nobody' | 'silent' | 'refused';

/**
 * A connection to a daemon that has just answered on it. It closes by itself when the daemon hangs later on.
 * @returns within `helloMs` and a little
 */
export async function connectDaemon(
  { socket }: Pick<DaemonRecord, 'socket'>,
  session: Session,
  patience: Patience = PATIENCE,
): Promise<Channel | NotConnected> {
  const end = performance.now() + patience.helloMs;
  // Somebody else's would be told our questions.
  if (!(await isOwnSocket(socket))) return 'nobody';
  const reached = await reach(socket, patience.helloMs);
  if (reached === 'nobody') return 'nobody';
  if (reached === 'no answer') return 'silent';
  const channel = openChannel(reached);
  const early: string[] = [];
  const outcome = await new Promise<NotConnected | undefined>((resolve) => {
    const timer = setTimeout(() => resolve('silent'), Math.max(0, end - performance.now()));
    const settle = (result: NotConnected | undefined): void => {
      clearTimeout(timer);
      resolve(result);
    };
    channel.listen({
      line(text) {
        const { id, error } = readMessage(text) ?? {};
        if (id !== HELLO) early.push(text);
        else if (error === undefined) settle(undefined);
        else settle(factsOf(factsOf(error).data)[NOT_TAKEN] === true ? 'nobody' : 'refused');
      },
      drain: () => undefined,
      closed: () => settle('nobody'),
      isAwaiting: () => true,
    });
    channel.send(textOf({ method: SESSION, params: session }));
    channel.send(greeting(HELLO, session.version));
  });
  if (outcome === undefined) return watchOver(channel, session.version, patience, early);
  channel.destroy();
  return outcome;
}
