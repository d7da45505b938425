/** JSON-RPC on a socket, line by line: what a client sends is what a test says, right or wrong. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Message {
  readonly id?: string | number;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the other side says
  readonly result?: any;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the other side says
  readonly error?: any;
  readonly params?: unknown;
}

export interface LineClient {
  readonly said: readonly Message[];
  /** Sends as it is. */
  write(bytes: string | Uint8Array): void;
  send(message: object): void;
  /** Sends a request. @returns its answer. @throws when the connection ends before */
  ask(method: string, params?: object): Promise<Message>;
  /** The first message that fits. @throws when the connection ends before */
  heard(fits: (message: Message) => boolean): Promise<Message>;
  /** Takes nothing that is sent to it. */
  stopReading(): void;
  goOn(): void;
  end(): void;
  vanish(): void;
  /** Resolves when the other side has ended the connection. */
  readonly closed: Promise<void>;
}

export const SCRIPT = { method: 'notifications/io.calmcp/session', params: { answers: 'script' } };

export async function openLines(path: string, session?: object): Promise<LineClient> {
  const socket = connect(path);
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  const said: Message[] = [];
  const waiting = new Set<() => void>();
  let partial = '';
  let isClosed = false;
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (partial + text).split('\n');
    partial = lines.pop() ?? '';
    said.push(...lines.map((line) => JSON.parse(line) as Message));
    for (const look of waiting) look();
  });
  socket.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      isClosed = true;
      for (const look of waiting) look();
      resolve();
    });
  });
  const heard = (fits: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = said.find(fits);
        if (found === undefined && !isClosed) return;
        waiting.delete(look);
        if (found === undefined) reject(new Error('the connection has ended'));
        else resolve(found);
      };
      waiting.add(look);
      look();
    });
  const send = (message: object): void => void socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  if (session !== undefined) send(session);
  let last = 0;
  return {
    said,
    send,
    heard,
    closed,
    write: (bytes) => void socket.write(bytes),
    ask(method, params = {}) {
      const id = ++last;
      send({ id, method, params });
      return heard((message) => message.id === id);
    },
    stopReading: () => void socket.pause(),
    goOn: () => void socket.resume(),
    end: () => void socket.end(),
    vanish: () => void socket.destroy(),
  };
}

/** A tool call in a session of a script. */
export const call = (name: string, input: object = {}): [string, object] => ['tools/call', { name, arguments: input }];
