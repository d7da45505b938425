/** The built program as a daemon and as clients of it, each in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { type DaemonRecord, readDaemonRecord } from '../src/io/daemon-record.ts';
import { builtEnvironment, type CliResult, temporaryFolder } from './harness.ts';

const dist = join(import.meta.dirname, '../dist');
export const bin = join(dist, 'main.js');

export interface Running {
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the built one. */
  readonly program?: string;
}

const environment = (folder: string, { env = {} }: Running): Record<string, string> => ({
  ...builtEnvironment(folder),
  TMPDIR: folder,
  ...env,
});

function start(
  folder: string,
  args: readonly string[],
  running: Running,
): ChildProcess & { readonly said: () => string } {
  const child = spawn(process.execPath, [running.program ?? bin, ...args], {
    cwd: folder,
    env: environment(folder, running),
    stdio: 'pipe',
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.on('error', () => undefined);
  return Object.assign(child, { said: () => said });
}

/** Outside of tests as well. @throws when it does not become so within 15 s */
export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; !(await holds()); ) {
    if (performance.now() > end) throw new Error(`not within 15 s: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface DaemonProcess {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when it has ended. */
  readonly ended: Promise<unknown>;
  readonly said: () => string;
}

/** `daemon run`, once it answers. Ended by whoever starts it, at the latest by {@link endDaemon}. */
export async function runDaemon(folder: string, running: Running = {}): Promise<DaemonProcess> {
  const child = start(folder, ['daemon', 'run'], running);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await eventually(() => child.said().includes('listens at') || child.exitCode !== null).catch((thrown: unknown) => {
    child.kill('SIGKILL');
    throw thrown;
  });
  if (child.exitCode !== null) throw new Error(child.said());
  return { pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), ended, said: child.said };
}

/** The same, until the test ends. */
export async function openDaemon(folder: string, running: Running = {}): Promise<DaemonProcess> {
  const daemon = await runDaemon(folder, running);
  onTestFinished(() => daemon.kill('SIGKILL'));
  return daemon;
}

export const recordOf = (folder: string): Promise<DaemonRecord | undefined> => readDaemonRecord(join(folder, 'state'));

/** Ends whatever daemon the state folder has when the test ends: one that a client started, say. */
export function endDaemonOf(folder: string): void {
  onTestFinished(async () => {
    const record = await recordOf(folder);
    if (record === undefined) return;
    try {
      process.kill(record.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  });
}

export interface ProgramResult extends CliResult {
  readonly ms: number;
}

export interface Program {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  readonly result: Promise<ProgramResult>;
}

/** Starts a command as a program. */
export function startProgram(folder: string, args: readonly string[], running: Running = {}): Program {
  const started = performance.now();
  const child = start(folder, args, running);
  child.stdin?.end();
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const result = new Promise<ProgramResult>((resolve) =>
    child.once('close', (status) =>
      resolve({ status: status ?? -1, stdout, stderr: child.said(), ms: performance.now() - started }),
    ),
  );
  return { pid: child.pid ?? 0, kill: (signal) => void child.kill(signal), result };
}

/** Runs a command to its end. */
export const runProgram = (folder: string, args: readonly string[], running: Running = {}): Promise<ProgramResult> =>
  startProgram(folder, args, running).result;

/** Sessions of the daemon of this folder, that of the one who asks left out. */
export async function sessionsOf(folder: string): Promise<number> {
  const { stdout } = await runProgram(folder, ['daemon', 'status', '--json']);
  return (JSON.parse(stdout) as { sessions: { now: number } }).sessions.now - 1;
}

export interface Said {
  readonly id?: number | string;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says
  readonly result?: any;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the server says
  readonly error?: any;
}

/** A client that starts `calmcp mcp`, and says what a test says. */
export interface Wire {
  readonly pid: number;
  readonly lines: readonly Said[];
  send(message: object): void;
  /** @returns the answer. @throws when the server ends before */
  ask(method: string, params?: object): Promise<Said>;
  call(tool: string, input?: object): Promise<Said>;
  /** On stderr. */
  readonly said: () => string;
  /** Closes stdin. @returns the exit status, and how long it took */
  leave(): Promise<{ readonly status: number | null; readonly ms: number }>;
}

/** @param args what comes behind `calmcp` */
export function openWire(folder: string, args: readonly string[] = ['mcp'], running: Running = {}): Wire {
  const child = start(folder, args, { ...running, env: { CALMCP_LOG: 'info', ...running.env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const lines: Said[] = [];
  const waiting = new Map<number, (said: Said) => void>();
  if (child.stdout === null || child.stdin === null) throw new TypeError('no pipes');
  const { stdin } = child;
  createInterface(child.stdout).on('line', (line) => {
    const said = JSON.parse(line) as Said;
    lines.push(said);
    if (typeof said.id === 'number' && said.method === undefined) waiting.get(said.id)?.(said);
  });
  const send = (message: object): void => void stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let last = 0;
  const ask: Wire['ask'] = (method, params = {}) =>
    new Promise((resolve, reject) => {
      const id = ++last;
      waiting.set(id, resolve);
      void ended.then((status) => reject(new Error(`ended with ${status}: ${child.said()}`)));
      send({ id, method, params });
    });
  return {
    pid: child.pid ?? 0,
    lines,
    send,
    ask,
    call: (name, input = {}) => ask('tools/call', { name, arguments: input }),
    said: child.said,
    async leave() {
      const started = performance.now();
      stdin.end();
      return { status: await ended, ms: performance.now() - started };
    },
  };
}

/** Opened as clients of 2025 open. */
export async function openClient(folder: string, args?: readonly string[], running?: Running): Promise<Wire> {
  const wire = openWire(folder, args, running);
  const clientInfo = { name: 'calmcp-test', version: '0' };
  await wire.ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo });
  wire.send({ method: 'notifications/initialized' });
  return wire;
}

/** The built program, which takes itself for another version. */
export async function otherVersion(version: string): Promise<string> {
  const folder = await temporaryFolder();
  const program = join(folder, 'dist', 'main.js');
  await cp(dist, join(folder, 'dist'), { recursive: true });
  const text = await readFile(program, 'utf8');
  const own = /(?<=\bname:"calmcp",version:")[^"]+/;
  if (!own.test(text)) throw new Error('the version is not where it was');
  await writeFile(program, text.replace(own, version));
  return program;
}
