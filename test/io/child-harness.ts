/** A supervisor of its own for the server that plays a child server with one fault: test/fakes/child-server.mjs. */
import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import type { ChildServer, ChildServers, ChildSpec } from '../../src/core/child.ts';
import type { Logger } from '../../src/core/provider.ts';
import type { ChildTimes } from '../../src/io/child-host.ts';
import { type Lease, listLeases } from '../../src/io/child-lease.ts';
import { type ChildServersOptions, childrenFolder, createChildServers } from '../../src/io/child-servers.ts';
import type { ListedTool } from '../../src/io/child-tools.ts';
import { processesWith, processOf } from '../../src/io/process-table.ts';
import { MS_365 } from '../../src/providers/microsoft/child.ts';
import { openCall, silentLog, temporaryFolder } from '../harness.ts';

export const fakeServer = join(import.meta.dirname, '../fakes/child-server.mjs');

/** Quick, but not so quick that a busy machine makes a difference. */
export const QUICK: Partial<ChildTimes> = {
  start: 10_000,
  pingEvery: 60_000,
  ping: 400,
  backoff: 20,
  backoffCap: 40,
  reconnect: 8_000,
  stop: 500,
};

export interface FakeOptions {
  readonly account?: string;
  readonly transport?: 'stdio' | 'http';
  readonly port?: number;
  readonly lending?: ChildSpec['lending'];
  readonly delay?: number;
  /** Files that the server shares with those before and after it. */
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export function fakeArguments(fault: string, folder: string, account: string, delay = 0): string[] {
  const files = ['--state', join(folder, `${account}-state`), '--record', join(folder, `${account}-record`)];
  return [fakeServer, '--fault', fault, ...files, '--delay', String(delay)];
}

export function fakeSpec(fault: string, options: FakeOptions): ChildSpec {
  const { account = 'work', transport = 'stdio', port = 0, delay, folder, environment = {} } = options;
  return {
    account,
    kind: MS_365,
    command: [process.execPath, ...fakeArguments(fault, folder, account, delay)],
    transport,
    port,
    lending: options.lending ?? (transport === 'http' ? 'request' : 'environment'),
    args: (chosen) => ['--read-only', ...(transport === 'http' ? ['--http', `127.0.0.1:${chosen}`] : [])],
    environment: (_folder, token) => ({
      ...environment,
      ...(token === undefined || transport === 'http' ? {} : { MS365_MCP_OAUTH_TOKEN: token }),
    }),
  };
}

export interface Recorded {
  readonly pid: number;
  readonly started?: { readonly argv: string[]; readonly env: Record<string, string>; readonly cwd: string };
  readonly call?: string;
  readonly token?: string;
  readonly ping?: true;
  readonly grandchild?: number;
  readonly heard?: string;
}

/** What the server with this fault was told, by all of its processes. */
export async function recorded(folder: string, account = 'work'): Promise<Recorded[]> {
  const text = await readFile(join(folder, `${account}-record`), 'utf8').catch(() => '');
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
}

export interface Supervised {
  readonly children: ChildServers;
  /** The folder of the app's state. */
  readonly state: string;
  /** For files of the tests. */
  readonly folder: string;
  open(fault: string, options?: Partial<FakeOptions>): ChildServer;
  lease(account?: string): Promise<Awaited<ReturnType<typeof listLeases>>[number]['lease'] | undefined>;
  /** Number of its process, as soon as the lease says that it is ready: never 0, which would be all of ours. */
  pid(): Promise<number>;
  /** Until its lease says this, which is written a moment later. */
  reaches(facts: Partial<Lease>, account?: string): Promise<void>;
  /** Every line of the log of calmcp. */
  readonly logged: string[];
}

export async function supervise(
  times: Partial<ChildTimes> = {},
  options: Partial<ChildServersOptions> = {},
): Promise<Supervised> {
  const folder = await temporaryFolder();
  const state = join(folder, 'state');
  const logged: string[] = [];
  const note = (message: string, details: unknown = {}): void => {
    logged.push(`${message} ${JSON.stringify(details)}`);
  };
  const log: Logger = { ...silentLog, info: note, warn: note, debug: note };
  const children = createChildServers({
    stateFolder: state,
    machine: { env: process.env, from: import.meta.filename, version: '0.0.0-test' },
    log,
    times: { ...QUICK, ...times },
    random: () => 1,
    ...options,
  });
  onTestFinished(() => children.close());
  const lease = async (account = 'work') =>
    (await listLeases(childrenFolder(state))).find((each) => each.lease.account === account)?.lease;
  return {
    children,
    state,
    folder,
    logged,
    open: (fault, more = {}) => children.open(fakeSpec(fault, { folder, ...more })),
    lease,
    async pid() {
      let pid: number | undefined;
      await until(async () => {
        const now = await lease();
        pid = now?.state === 'ready' || now?.state === 'degraded' ? now.process?.pid : undefined;
        return pid !== undefined;
      }, 'a lease of a process that is ready');
      if (pid === undefined) throw new TypeError('no process');
      return pid;
    },
    async reaches(facts, account) {
      let last: Lease | undefined;
      await until(async () => {
        last = await lease(account);
        return Object.entries(facts).every(([name, value]) => last?.[name as keyof Lease] === value);
      }, JSON.stringify(facts)).catch((error: Error) => {
        throw new Error(`${error.message}; it is ${JSON.stringify(last)}`);
      });
    },
  };
}

/** Waits for what comes about by itself. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, ms = 15_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`did not come about: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

export const isRunning = async (pid: number): Promise<boolean> => (await processOf(pid)) !== undefined;

/** A question that reads the one calendar. */
export function readView(server: ChildServer, token = 'token', deadlineMs?: number) {
  const input = { calendarId: 'calendar-1', startDateTime: 'x', endDateTime: 'y' };
  return server.read('get-specific-calendar-view', input, openCall(deadlineMs), token);
}

export async function foldersOf(state: string, account = 'work'): Promise<string[]> {
  return readdir(join(childrenFolder(state), account)).catch(() => []);
}

/** Processes that were started by a supervisor, whatever became of their parents. */
export const processesOfNonce = (nonce: string) => processesWith('CALMCP_CHILD', nonce);

/** What the server says of its tools when asked on its pipes. */
export async function listedBy(fault: string): Promise<ListedTool[]> {
  const running = spawn(process.execPath, [fakeServer, '--fault', fault], { stdio: ['pipe', 'pipe', 'inherit'] });
  onTestFinished(() => void running.kill('SIGKILL'));
  running.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' })}\n`);
  for await (const line of createInterface({ input: running.stdout }))
    return (JSON.parse(line) as { result: { tools: ListedTool[] } }).result.tools;
  throw new Error('it said nothing');
}
