/** The bundle for one-click installation, run as its manifest says and a desktop program does. */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { untilNoneUnder } from '../processes.ts';
import {
  type Finished,
  filesBelow,
  type HandOut,
  handOut,
  machineSettings,
  readJson,
  runAlone,
  withoutChunks,
} from './hand-out.ts';

const MEGABYTE = 1_000_000;
const root = join(import.meta.dirname, '../..');
const tools = createRequire(join(import.meta.dirname, 'package.json'));

interface Started {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly tools: readonly { readonly name: string; readonly description: string }[];
  readonly prompts?: readonly { readonly name: string }[];
}
type Settings = Readonly<Record<string, string | boolean>>;
/** What Claude Desktop makes of a manifest, by the package that it shares with bundlers. */
type ReadManifest = (asked: {
  readonly manifest: Manifest;
  readonly extensionPath: string;
  readonly systemDirs: Readonly<Record<string, string>>;
  readonly userConfig: Settings;
  readonly pathSeparator: string;
}) => Promise<Started>;

let made: HandOut;
let bundle: string;
let folder: string;
let manifest: Manifest;
let readManifest: ReadManifest;

const mcpb = (...args: readonly string[]): Promise<Finished> =>
  runAlone(process.execPath, [join(tools.resolve('@anthropic-ai/mcpb'), '../cli/cli.js'), ...args], {
    cwd: root,
    env: {},
  });

beforeAll(async () => {
  made = await handOut();
  const out = await made.folder('out');
  const HOME = await made.folder('builder');
  const script = join(root, 'scripts/mcpb.mjs');
  const built = await runAlone(process.execPath, [script, '--package', made.packed, '--out', out], {
    cwd: root,
    env: { ...machineSettings(), HOME },
  });
  if (built.status !== 0) throw new Error(`mcpb.mjs: ${built.stdout}${built.stderr}`);
  const [name = ''] = await filesBelow(out);
  bundle = join(out, name);
  folder = await made.folder('Claude Extensions/local calmcp');
  expect(await mcpb('unpack', bundle, folder)).toMatchObject({ status: 0 });
  // As Claude Desktop unpacks it: https://github.com/modelcontextprotocol/mcpb/issues/294
  for (const file of await filesBelow(folder)) await chmod(join(folder, file), 0o600);
  manifest = await readJson<Manifest>(folder, 'manifest.json');
  const library = (await import(pathToFileURL(tools.resolve('@anthropic-ai/mcpb')).href)) as {
    getMcpConfigForManifest: ReadManifest;
  };
  readManifest = library.getMcpConfigForManifest;
}, 120_000);
afterAll(() => made?.end());

interface Desktop {
  /** What the person chose. */
  readonly settings?: Settings;
  /** Options of the Node.js that runs it, and arguments that the desktop program adds. */
  readonly options?: readonly string[];
  readonly added?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts the server as the manifest says, in an empty home, and asks it. */
async function asInstalled<T>(home: string, desktop: Desktop, ask: (client: Client) => Promise<T>): Promise<T> {
  const { command, args, env } = await readManifest({
    manifest,
    extensionPath: folder,
    systemDirs: { HOME: home },
    userConfig: desktop.settings ?? {},
    pathSeparator: '/',
  });
  expect(command).toBe('node');
  const client = new Client({ name: 'calmcp-test', version: '0' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [...(desktop.options ?? []), ...args, ...(desktop.added ?? [])],
      env: { PATH: '', HOME: home, USERPROFILE: home, CALMCP_KEYSTORE: 'keyfile', ...env, ...desktop.env },
      cwd: home,
      stderr: 'ignore',
    }),
  );
  try {
    return await ask(client);
  } finally {
    await client.close();
  }
}

const toolNames = async (client: Client): Promise<string[]> => (await client.listTools()).tools.map(({ name }) => name);

async function titles(client: Client): Promise<string> {
  const answer = await client.callTool({ name: 'list_events', arguments: { range: '2026-12-25' } });
  return JSON.stringify(answer.content);
}

async function accountsFile(title: string): Promise<string> {
  const path = join(await made.folder('My calendars'), `${title}.yaml`);
  const events = `[{ title: ${title}, start: 2026-12-25 }]`;
  await writeFile(path, `version: 1\naccounts:\n  fixed:\n    provider: memory\n    events: ${events}\n`);
  return path;
}

describe('the bundle', () => {
  test('is named after its version, and is one that mcpb can show and calls valid', async () => {
    expect(bundle).toMatch(new RegExp(`calmcp-${manifest.version}\\.mcpb$`));
    const shown = await mcpb('info', bundle);
    expect(shown.status).toBe(0);
    const valid = await mcpb('validate', join(folder, 'manifest.json'));
    expect(valid.stdout).toContain('passes');
    const broken = join(await made.folder('broken'), 'manifest.json');
    await writeFile(broken, JSON.stringify({ ...manifest, server: {} }));
    expect((await mcpb('validate', broken)).status).not.toBe(0);
  });

  test('holds these files and no others, native parts for six kinds of desktop among them', async () => {
    const files = withoutChunks(await filesBelow(folder));
    await expect(`${files.join('\n')}\n`).toMatchFileSnapshot('__golden__/mcpb-files.txt');
    expect(files.filter((file) => file.endsWith('.node'))).toHaveLength(6);
  });

  test('is small enough to hand to somebody', async () => {
    expect((await readFile(bundle)).byteLength).toBeLessThan(8 * MEGABYTE);
  });

  test('has the native part of this machine, and it loads', async () => {
    const load = "console.log(typeof require('@napi-rs/keyring').AsyncEntry)";
    const { stdout } = await runAlone(process.execPath, ['-e', load], { cwd: folder, env: {} });
    expect(stdout.trim()).toBe('function');
  });

  test('tells of the tools and the prompts that its server has', async () => {
    const listed = await asInstalled(await made.folder('home of tools'), {}, async (client) => ({
      tools: (await client.listTools()).tools,
      prompts: client.getServerCapabilities()?.prompts === undefined ? [] : (await client.listPrompts()).prompts,
    }));
    expect(manifest.tools).toEqual(listed.tools.map(({ name, description }) => ({ name, description })));
    expect(manifest.tools.length).toBeGreaterThan(5);
    expect((manifest.prompts ?? []).map(({ name }) => name)).toEqual(listed.prompts.map(({ name }) => name));
  });
});

describe('installed', () => {
  test('with every setting left empty, answers from the accounts in the home', async () => {
    const home = await made.folder('home of defaults');
    const text = await asInstalled(home, {}, titles);
    // Nobody has any accounts yet, and is told what to do: not that a file named after a placeholder is missing.
    expect(text).toContain('calmcp init');
    expect(text).not.toContain('user_config');
  });

  test('reads the file that was chosen', async () => {
    const accounts_file = await accountsFile('Office closed');
    const text = await asInstalled(await made.folder('home of chosen'), { settings: { accounts_file } }, titles);
    expect(text).toContain('Office closed');
  });

  test('has no tool that writes when it was set to read only', async () => {
    const settings = { accounts_file: await accountsFile('Read'), read_only: true };
    const home = await made.folder('home of read only');
    const annotated = await asInstalled(home, { settings }, async (client) => (await client.listTools()).tools);
    expect(annotated.length).toBeGreaterThan(5);
    const writing = /^(?:create|update|delete|respond_to)_event$/;
    expect(annotated.filter(({ name }) => writing.test(name))).toEqual([]);
    // Signing in changes no calendar, and is no reading either.
    const others = annotated.filter(({ annotations }) => annotations?.readOnlyHint !== true);
    expect(others.map(({ name }) => name)).toEqual(['sign_in']);
  });

  test('takes no notice of arguments that nobody gave', async () => {
    const settings = { accounts_file: await accountsFile('Office closed') };
    const added = ['--type=utility', '--lang=en-US', 'node.mojom.NodeService'];
    const text = await asInstalled(await made.folder('home of added'), { settings, added }, titles);
    expect(text).toContain('Office closed');
  });
});

describe('in a desktop program that runs it with its own Node.js', () => {
  /** What tells Electron from Node.js, and an executable that runs no helpers. */
  const electron = `data:text/javascript,${encodeURIComponent(`
    Object.defineProperty(process, 'versions', { value: { ...process.versions, electron: '39.0.0' } });
    process.execPath = '/nonexistent/Claude Helper (Plugin)';
  `)}`;
  const options = ['--import', electron];

  test('is handed on to a Node.js of this machine, and goes when its client goes', async () => {
    const settings = { accounts_file: await accountsFile('Office closed') };
    const bin = await made.folder('bin');
    const marker = join(bin, 'asked');
    // Says that it was asked, then is the real one.
    const script = `#!/bin/sh\necho "$@" >> '${marker}'\nexec '${process.execPath}' "$@"\n`;
    await writeFile(join(bin, 'node'), script, { mode: 0o755 });
    const home = await made.folder('home of another node');
    const text = await asInstalled(home, { settings, options, env: { PATH: bin } }, titles);
    expect(text).toContain('Office closed');
    expect(await readFile(marker, 'utf8')).toContain(`${join(folder, 'dist/main.js')} mcp --config`);
    await untilNoneUnder(home, 5_000);
  });

  test('passes over a Node.js that is too old', async () => {
    const bin = await made.folder('old bin');
    const marker = join(bin, 'asked');
    const script = `#!/bin/sh\necho "$@" >> '${marker}'\necho 18.20.8\n`;
    await writeFile(join(bin, 'node'), script, { mode: 0o755 });
    const home = await made.folder('home of an old node');
    const names = await asInstalled(home, { options, env: { PATH: bin } }, toolNames);
    expect(names).toContain('find_free_time');
    expect(await readFile(marker, 'utf8')).toBe('-p process.versions.node\n');
  });
});
