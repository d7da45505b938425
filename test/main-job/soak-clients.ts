/** Who asks in the soak: MCP clients on the daemon's socket, `calmcp mcp` as processes, and commands. They count every answer. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { splitLines } from '../../src/core/lines.ts';
import { NOT_TAKEN } from '../../src/core/session-names.ts';
import { envelopeOf, factsOf, type Message, readMessage, textOf } from '../../src/io/daemon-connection.ts';
import { readDaemonRecord } from '../../src/io/daemon-record.ts';

export const program = process.env.CALMCP_SOAK_PROGRAM ?? join(import.meta.dirname, '../../dist/main.js');

export const sleep = (ms: number): Promise<void> => pause(ms);

/** What came of one question. */
export type Outcome =
  | {
      readonly kind: 'answer';
      readonly structured: Readonly<Record<string, unknown>>;
      readonly text: string | undefined;
    }
  /** calmcp's error: its code, and all that was said with it. */
  | { readonly kind: 'error'; readonly code: string; readonly text: string }
  /** The connection broke; what a client of a daemon that was killed sees. */
  | { readonly kind: 'lost' }
  /** A daemon that finishes has not begun it. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'cancelled' };

export interface Asker {
  readonly name: string;
  /** The way: how much may be expected of it when the daemon ends. */
  readonly way: 'socket' | 'relay' | 'command';
  ask(tool: string, input: Readonly<Record<string, unknown>>, cancelAfterMs?: number): Promise<Outcome>;
  end(): Promise<void>;
}

export interface Surroundings {
  readonly env: Readonly<Record<string, string>>;
  readonly stateFolder: string;
  /** Something that may not happen. */
  readonly violation: (what: string) => void;
  /** A line of somebody's stderr. */
  readonly log: (who: string, line: string) => void;
}

interface Wire {
  send(line: string): void;
  end(): void;
  readonly closed: Promise<unknown>;
}

type Opened = (onLine: (line: string) => void) => Promise<Wire>;

const MOST = 64 * 1_048_576;
/** How long after it was called off a question may still be answered: the answer was on its way, or the daemon stood still. */
const LATE_MS = 5_000;

/** The revision with a handshake, and the one where every request speaks for itself. */
export type Era = '2025' | '2026';

interface Pending {
  readonly settle: (outcome: Outcome) => void;
}

/** Nobody waits longer, whatever was killed or stopped meanwhile: then there is no answer. */
const NEVER_MS = 90_000;

function outcomeOf({ error, result }: Message): Outcome {
  if (error !== undefined) {
    const { data, message } = factsOf(error);
    if (factsOf(data)[NOT_TAKEN] === true) return { kind: 'refused' };
    return { kind: 'error', code: 'PROTOCOL', text: String(message) };
  }
  const { isError, content, structuredContent, _meta } = factsOf(result);
  const text = (Array.isArray(content) ? content : []).map((part) => String(factsOf(part).text)).join('\n');
  if (structuredContent !== undefined && structuredContent !== null)
    return { kind: 'answer', structured: factsOf(structuredContent), text: text === '' ? undefined : text };
  if (isError !== true) return { kind: 'error', code: 'PROTOCOL', text: 'an answer without an answer' };
  const { code, message, hint, problems } = factsOf(factsOf(_meta)['io.calmcp/error']);
  if (code !== undefined) return { kind: 'error', code: String(code), text: [message, hint, problems].join('\n') };
  return { kind: 'error', code: /^[A-Z_]+/.exec(text)?.[0] ?? '', text };
}

/** Speaks MCP line by line, so that nothing is swallowed by a client library. */
async function openPeer(
  name: string,
  way: Asker['way'],
  era: Era,
  { violation }: Surroundings,
  open: Opened,
  /** Before anything else is said. */
  preface: readonly string[] = [],
): Promise<Asker & { readonly isOpen: () => boolean }> {
  const pending = new Map<number, Pending>();
  /** Called off, and when; they may be answered all the same, once. */
  const calledOff = new Map<number, number>();
  let last = 0;
  let wire: Wire | undefined;
  let isOver = false;

  function onLine(line: string): void {
    const message = readMessage(line);
    if (message === undefined) {
      violation(`${name}: what it was sent is no message: ${line.slice(0, 80)}`);
      return;
    }
    const { id, method } = message;
    if (method !== undefined) {
      if (id !== undefined)
        wire?.send(textOf(method === 'ping' ? { id, result: {} } : { id, error: { code: -32_601, message: 'no' } }));
      return;
    }
    const waiting = pending.get(Number(id));
    if (waiting !== undefined) {
      pending.delete(Number(id));
      waiting.settle(outcomeOf(message));
      return;
    }
    const since = calledOff.get(Number(id));
    if (since === undefined) violation(`${name}: answered twice, or not asked: ${String(id)} ${line.slice(0, 200)}`);
    else if (performance.now() - since > LATE_MS) violation(`${name}: answered long after it was called off`);
    calledOff.delete(Number(id));
  }
  function onClosed(closed: Wire): void {
    // Of one that was given up before it was used.
    if (wire !== closed) return;
    wire = undefined;
    calledOff.clear();
    for (const [id, { settle }] of pending) {
      pending.delete(id);
      settle({ kind: 'lost' });
    }
    if (isOver) return;
    if (way === 'relay') violation(`${name}: it ended by itself`);
    else void reopen();
  }
  function request(
    method: string,
    params: Readonly<Record<string, unknown>>,
    cancelAfterMs?: number,
  ): Promise<Outcome> {
    const id = ++last;
    return new Promise((settle) => {
      if (wire === undefined) return settle({ kind: 'lost' });
      const never = setTimeout(() => {
        if (!pending.delete(id)) return;
        violation(`${name}: ${method} was never answered`);
        settle({ kind: 'cancelled' });
      }, NEVER_MS);
      pending.set(id, {
        settle(outcome) {
          clearTimeout(never);
          settle(outcome);
        },
      });
      const _meta = era === '2026' ? { _meta: envelopeOf('0.0.0') } : {};
      wire.send(textOf({ id, method, params: { ...params, ..._meta } }));
      if (cancelAfterMs === undefined) return;
      setTimeout(() => {
        const waiting = pending.get(id);
        if (waiting === undefined) return;
        pending.delete(id);
        calledOff.set(id, performance.now());
        wire?.send(textOf({ method: 'notifications/cancelled', params: { requestId: id } }));
        waiting.settle({ kind: 'cancelled' });
      }, cancelAfterMs);
    });
  }
  async function begin(): Promise<void> {
    const opened = await open(onLine);
    void opened.closed.then(() => onClosed(opened));
    wire = opened;
    for (const line of preface) opened.send(line);
    if (era === '2026') return;
    const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name, version: '0' } };
    await request('initialize', params);
    opened.send(textOf({ method: 'notifications/initialized' }));
  }
  async function reopen(): Promise<void> {
    // Nobody listens yet: the next daemon is on its way.
    for (let isOpen = false; !isOpen && !isOver; ) {
      await sleep(100);
      isOpen = await begin().then(
        () => true,
        () => false,
      );
    }
  }
  await begin();
  return {
    name,
    way,
    isOpen: () => wire !== undefined,
    ask: (tool, input, cancelAfterMs) => request('tools/call', { name: tool, arguments: input }, cancelAfterMs),
    async end() {
      isOver = true;
      wire?.end();
    },
  };
}

/** An MCP client on the daemon's socket, which comes back when the daemon has gone. */
export function openSocketClient(name: string, era: Era, isScript: boolean, here: Surroundings): Promise<Asker> {
  const open: Opened = async (onLine) => {
    const record = await readDaemonRecord(here.stateFolder);
    if (record === undefined) throw new Error('no daemon');
    const socket = connect(record.socket);
    await once(socket, 'connect');
    const take = splitLines(MOST, onLine);
    socket.on('data', take).on('error', () => undefined);
    return {
      closed: new Promise<void>((resolve) => socket.once('close', () => resolve())),
      send: (line) => void socket.write(`${line}\n`),
      end: () => void socket.end(),
    };
  };
  const preface = isScript
    ? [textOf({ method: 'notifications/io.calmcp/session', params: { answers: 'script', version: '0.0.0' } })]
    : [];
  return openPeer(name, 'socket', era, here, open, preface);
}

function eachLine(stream: NonNullable<ChildProcess['stderr']>, take: (line: string) => void): void {
  stream.on('data', splitLines(MOST, take));
}

/** `calmcp mcp`, as a client starts it. */
export async function openRelayClient(name: string, era: Era, here: Surroundings): Promise<Asker> {
  const child = spawn(process.execPath, [program, 'mcp'], { env: here.env, stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  eachLine(child.stderr, (line) => here.log(name, line));
  child.stdin.on('error', () => undefined);
  const peer = await openPeer(name, 'relay', era, here, async (onLine) => {
    child.stdout.on('data', splitLines(MOST, onLine));
    return {
      closed: ended,
      send: (line) => void child.stdin.write(`${line}\n`),
      end: () => void child.stdin.end(),
    };
  });
  return {
    ...peer,
    async end() {
      await peer.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
      const [status, signal] = await ended;
      clearTimeout(timer);
      if (status !== 0) here.violation(`${name}: ended with ${status ?? signal}`);
    },
  };
}

export interface CommandResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runProgram(
  args: readonly string[],
  { env }: Pick<Surroundings, 'env'>,
  killAfterMs?: number,
): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGINT'), killAfterMs);
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(timer);
  return { status, signal, stdout, stderr };
}

const FLAGS: Readonly<Record<string, string>> = {
  from: '--from',
  to: '--to',
  timeZone: '--time-zone',
  audience: '--audience',
  limit: '--limit',
  maxAgeSeconds: '--max-age',
  cursor: '--cursor',
  hours: '--hours',
  account: '--account',
  accounts: '--account',
  start: '--start',
  end: '--end',
  key: '--key',
};
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  list_events: ['agenda'],
  search_events: ['search'],
  get_free_busy: ['freebusy'],
  find_conflicts: ['conflicts'],
  find_free_time: ['find-time'],
  get_event: ['event', 'get'],
  create_event: ['event', 'create'],
  update_event: ['event', 'update'],
  delete_event: ['event', 'delete'],
  list_accounts: ['accounts', 'list'],
};

function wordsOf(tool: string, input: Readonly<Record<string, unknown>>): string[] {
  const { query, id, title, durationMinutes, ...rest } = input;
  const words = COMMANDS[tool];
  if (words === undefined) throw new RangeError(`no command for ${tool}`);
  const named = tool === 'create_event' ? title : (query ?? id);
  return [
    ...words,
    ...(named === undefined ? [] : [String(named)]),
    ...(tool === 'update_event' && title !== undefined ? ['--title', String(title)] : []),
    ...(durationMinutes === undefined ? [] : ['--duration', `${String(durationMinutes)}m`]),
    ...Object.entries(rest).flatMap(([name, value]) => {
      const flag = FLAGS[name];
      return flag === undefined ? [] : [flag, String(value)];
    }),
    '--json',
    ...(/_event$/.test(tool) && tool !== 'get_event' ? ['--yes'] : []),
  ];
}

/** Codes of calmcp's errors by exit status; several share one. */
const CODES: Readonly<Record<number, string>> = {
  64: 'INPUT_INVALID',
  66: 'NOT_FOUND',
  69: 'UNAVAILABLE',
  70: 'INTERNAL',
  75: 'RATE_LIMITED',
  76: 'BAD_RESPONSE',
  77: 'AUTH_REQUIRED',
  78: 'CONFIG_INVALID',
};

/** Commands, each a process of its own. */
export function openCommandClient(name: string, here: Surroundings): Asker {
  return {
    name,
    way: 'command',
    async ask(tool, input, cancelAfterMs) {
      const { status, signal, stdout, stderr } = await runProgram(wordsOf(tool, input), here, cancelAfterMs);
      const lines = stderr.split('\n').filter((line) => line !== '');
      const isLogged = (line: string): boolean => /^\d{4}-\d\d-\d\dT\S+ (?:error|warn|info|debug) /.test(line);
      for (const line of lines.filter(isLogged)) here.log(name, line);
      const text = lines.filter((line) => !isLogged(line)).join('\n');
      here.log(name, text);
      if (cancelAfterMs !== undefined && stdout === '') return { kind: 'cancelled' };
      if (signal !== null || status === null) return { kind: 'error', code: 'SIGNAL', text: `${signal} ${text}` };
      if (stdout !== '')
        try {
          return { kind: 'answer', structured: JSON.parse(stdout) as Record<string, unknown>, text: undefined };
        } catch {
          return { kind: 'error', code: 'OUTPUT', text: `no JSON: ${stdout.slice(0, 200)}` };
        }
      return { kind: 'error', code: CODES[status] ?? `EXIT_${status}`, text };
    },
    async end() {},
  };
}
