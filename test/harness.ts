/** A calmcp of one's own: the real app and the real command line on a sandbox, in a folder that is thrown away. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Temporal } from 'temporal-polyfill';
import { onTestFinished } from 'vitest';
import { parseConfig } from '../src/accounts/load.ts';
import { type App, type AppOptions, openApp } from '../src/accounts/registry.ts';
import { runCli } from '../src/cli/run.ts';
import type { Output, Shell } from '../src/cli/shell.ts';
import type { ChildServers } from '../src/core/child.ts';
import type { Call, Logger } from '../src/core/provider.ts';
import { createChildServers } from '../src/io/child-servers.ts';
import { createReadFile } from '../src/io/read-file.ts';
import { openSecretStores } from '../src/io/secret-store.ts';
import { createSigner } from '../src/io/signing-key.ts';
import { providers } from '../src/providers/index.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from '../src/sandbox/index.ts';

/** Monday 09:00 in Amsterdam, in the first week of the sandbox. */
export const NOW = '2026-11-23T08:00:00Z';
export const WEEK = '2026-11-23';

type End = () => unknown;

/** When things are thrown away: at the end of the test, or when {@link lasting} is told. */
let atEnd: (end: End) => void = (end) => onTestFinished(async () => void (await end()));

/** What `open` opens, for several tests: what takes seconds to start, and is only asked. */
export async function lasting<T>(open: () => Promise<T>): Promise<{ readonly opened: T; end(): Promise<void> }> {
  const ends: End[] = [];
  const before = atEnd;
  atEnd = (end) => ends.unshift(end);
  try {
    const opened = await open();
    return {
      opened,
      async end() {
        for (const end of ends) await end();
      },
    };
  } finally {
    atEnd = before;
  }
}

export const silentLog: Logger = { error() {}, warn() {}, info() {}, debug() {} };

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'calmcp-test-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function openSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ weekOf: WEEK, deviceCodeIntervalSeconds: 0.02, ...options });
  atEnd(() => sandbox.close());
  return sandbox;
}

/** For an app whose accounts have no child servers. */
export const noChildren: ChildServers = {
  open() {
    throw new TypeError('no child servers here');
  },
  async close() {},
};

/** One question's call, with nobody to cancel it. */
export function openCall(deadlineMs = 10_000): Call & { readonly requests: () => number } {
  let requests = 0;
  return {
    signal: AbortSignal.timeout(deadlineMs),
    deadline: performance.now() + deadlineMs,
    countRequest: () => {
      requests++;
    },
    requests: () => requests,
  };
}

export interface OpenedApp {
  readonly app: App;
  readonly folder: string;
}

/** The app of one accounts.yaml. Two of them over one `folder` are two processes' worth of state on one disk. */
export async function openTestApp(
  accountsYaml: string,
  options: Partial<Omit<AppOptions, 'config'>> & { readonly folder?: string } = {},
): Promise<OpenedApp> {
  const folder = options.folder ?? (await temporaryFolder());
  const secrets = openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' });
  const config = parseConfig(
    { name: 'accounts.yaml', text: accountsYaml, env: {}, readReference: () => undefined },
    providers,
  );
  const now = Temporal.Instant.from(NOW);
  const app = openApp({
    config,
    secrets: (cacheKey) => secrets.scope(cacheKey),
    fetch: globalThis.fetch,
    readFile: createReadFile(folder),
    now: () => now,
    systemTimeZone: 'Europe/Amsterdam',
    log: silentLog,
    sign: createSigner(join(folder, 'state')),
    children: createChildServers({
      stateFolder: join(folder, 'state'),
      machine: {
        env: process.env,
        from: join(import.meta.dirname, 'children/package.json'),
        version: '0.0.0-test',
      },
      log: options.log ?? silentLog,
    }),
    ...options,
  });
  atEnd(() => app.close());
  return { app, folder };
}

/** Plays the browser of a person who picks `username` on Google's page: follows it back to calmcp. */
export function googleBrowser(sandbox: Sandbox, username: string): (url: string) => Promise<void> {
  return async (url) => {
    const back = await sandbox.google.consent(url, username);
    // Not awaited: calmcp answers the browser when it has redeemed the code.
    void fetch(back).catch(() => undefined);
  };
}

/** Signs in to a Google account as a person would. */
export async function googleSignIn(app: App, sandbox: Sandbox, account: string, username: string): Promise<void> {
  await app.account(account).signIn(
    {
      method: 'browser',
      deviceCode: () => undefined,
      openUrl: googleBrowser(sandbox, username),
      pasteAnswer: async () => '',
    },
    openCall(),
  );
}

/** For an account that is asked more in a minute than a vendor allows. */
export const UNHURRIED = 'limits: { perMinute: 100000 }';

/** For a world that is struck by one fault after the other: what failed in one test is long ago in the next one. */
export const quickTime = (): number => performance.now() * 1_000;

export interface GoogleAccount {
  readonly id: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly more?: string;
}

/** accounts.yaml with Google accounts on a sandbox. */
export function googleAccounts({ origin }: Pick<Sandbox, 'origin'>, accounts: readonly GoogleAccount[]): string {
  const base = `${origin}/google`;
  const endpoints = `{ authorization: "${base}/o/oauth2/v2/auth", token: "${base}/token", revocation: "${base}/revoke", calendar: "${base}" }`;
  const entries = accounts.map(
    ({ id, clientId, clientSecret, more = '' }) => `
  ${id}:
    provider: google
    clientId: ${clientId}
    clientSecret: ${clientSecret}
    endpoints: ${endpoints}${more === '' ? '' : `\n    ${more}`}`,
  );
  return `version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:${entries.join('')}\n`;
}

/** One accounts.yaml of several: the head of the first, the accounts of all. */
export function joinAccounts(first: string, ...others: readonly string[]): string {
  return [first, ...others.map((yaml) => yaml.split('accounts:\n')[1] ?? '')].join('');
}

/** Signs in as a person would, who types the code and picks `username` on the sandbox's page. */
export async function signIn(app: App, sandbox: Sandbox, account: string, username: string): Promise<void> {
  await app.account(account).signIn(
    {
      method: 'device-code',
      deviceCode: ({ userCode }) => sandbox.approve(userCode, username),
      openUrl: async () => undefined,
      pasteAnswer: async () => '',
    },
    openCall(),
  );
}

export interface CliResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const collect = (write: (text: string) => void): Output => ({ write, isTerminal: false });

/** Runs one command in this process, in a home of its own. */
export async function cli(
  folder: string,
  args: readonly string[],
  { env = {}, ...shell }: Partial<Shell> = {},
): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  const status = await runCli(args, {
    env: { CALMCP_HOME: folder, CALMCP_KEYSTORE: 'keyfile', CALMCP_NOW: NOW, ...env },
    cwd: folder,
    home: folder,
    platform: process.platform,
    version: '0.0.0-test',
    packageFolder: join(import.meta.dirname, '..'),
    program: { node: process.execPath, script: bin },
    stdout: collect((text) => {
      stdout += text;
    }),
    stderr: collect((text) => {
      stderr += text;
    }),
    systemTimeZone: 'Europe/Amsterdam',
    fetch: globalThis.fetch,
    providers,
    interrupted: new AbortController().signal,
    readLine: async () => '',
    stdinEnded: async () => undefined,
    ...shell,
  });
  return { status, stdout, stderr };
}

export async function writeAccounts(folder: string, accountsYaml: string): Promise<void> {
  await writeFile(join(folder, 'accounts.yaml'), accountsYaml);
}

export interface MicrosoftAccount {
  readonly id: string;
  readonly tenantId: string;
  readonly clientId?: string;
  readonly username?: string;
}

/** accounts.yaml with Microsoft accounts on a sandbox. */
export function microsoftAccounts(sandbox: Pick<Sandbox, 'origin'>, accounts: readonly MicrosoftAccount[]): string {
  const entries = accounts.map(
    ({ id, tenantId, clientId = '11111111-1111-1111-1111-111111111111', username }) => `
  ${id}:
    provider: microsoft
    clientId: ${clientId}
    tenantId: ${tenantId}
    cloud: { authority: "${sandbox.origin}", graph: "${sandbox.origin}" }${username === undefined ? '' : `\n    username: ${username}`}`,
  );
  return `version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:${entries.join('')}\n`;
}

export const XEBIA = { id: 'xebia', tenantId: '22222222-2222-2222-2222-222222222222' } as const;
export const MARIMER = { id: 'marimer', tenantId: '33333333-3333-3333-3333-333333333333' } as const;

const bin = join(import.meta.dirname, '../dist/main.js');

/** The environment of the built program with its home in `folder`. */
export function builtEnvironment(folder: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', CALMCP_HOME: folder, CALMCP_KEYSTORE: 'keyfile', CALMCP_NOW: NOW };
}

/** A client of the built MCP server, which runs in a process of its own. */
export async function startMcpServer(folder: string): Promise<Client> {
  const client = new Client({ name: 'calmcp-test', version: '0' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [bin, 'mcp'],
      env: builtEnvironment(folder),
      stderr: 'ignore',
    }),
  );
  atEnd(() => client.close());
  return client;
}
