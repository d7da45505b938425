import { execFile } from 'node:child_process';
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Shell } from '../../src/cli/shell.ts';
import { type CliResult, cli, temporaryFolder, writeAccounts } from '../harness.ts';

const FIXED = `version: 1
accounts:
  fixed:
    provider: memory
    events: [{ title: Review, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }]
`;
const SCRIPT = join(import.meta.dirname, '../../dist/main.js');
const CLIENTS = ['claude-desktop', 'claude-code', 'vscode', 'cursor'] as const;
type ClientId = (typeof CLIENTS)[number];

/** Where each client keeps its file in a home, on each system. */
const FILES: Readonly<Record<'linux' | 'darwin' | 'win32', Readonly<Record<ClientId, string>>>> = {
  linux: {
    'claude-desktop': '.config/Claude/claude_desktop_config.json',
    'claude-code': '.claude.json',
    vscode: '.config/Code/User/mcp.json',
    cursor: '.cursor/mcp.json',
  },
  darwin: {
    'claude-desktop': 'Library/Application Support/Claude/claude_desktop_config.json',
    'claude-code': '.claude.json',
    vscode: 'Library/Application Support/Code/User/mcp.json',
    cursor: '.cursor/mcp.json',
  },
  win32: {
    'claude-desktop': 'AppData/Roaming/Claude/claude_desktop_config.json',
    'claude-code': '.claude.json',
    vscode: 'AppData/Roaming/Code/User/mcp.json',
    cursor: '.cursor/mcp.json',
  },
};

const containerOf = (client: ClientId): string => (client === 'vscode' ? 'servers' : 'mcpServers');

interface Home {
  readonly folder: string;
  run(args: readonly string[], shell?: Partial<Shell>): Promise<CliResult>;
  /** Puts a file in place, and names it. */
  put(path: string, text: string): Promise<string>;
}

async function openHome(platform: NodeJS.Platform = 'linux'): Promise<Home> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, FIXED);
  return {
    folder,
    run: (args, { env, ...shell } = {}) =>
      cli(folder, args, {
        platform,
        ...shell,
        env: { CALMCP_KEYSTORE: '', CALMCP_HOME: '', CALMCP_CONFIG: join(folder, 'accounts.yaml'), ...env },
      }),
    async put(path, text) {
      const file = join(folder, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
      return file;
    },
  };
}

const parse = (text: string): Record<string, Record<string, Record<string, unknown>>> => JSON.parse(text);

describe.each(['linux', 'darwin', 'win32'] as const)('on %s', (platform) => {
  test.each(CLIENTS)('install %s writes the entry beside the others, and --remove takes it out', async (client) => {
    const home = await openHome(platform);
    const container = containerOf(client);
    const before = `{\n    "keep": [1, 2],\n    "${container}": {\n        "other": { "command": "x", "env": { "KEY": "s3cret" } }\n    }\n}\n`;
    const file = await home.put(FILES[platform][client], before);
    const { status, stdout, stderr } = await home.run(['install', client]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`${file}, in "${container}":`);
    expect(stdout).toMatch(/^\+ {3}"command": /m);
    expect(stdout).toMatch(/^Next: /m);
    expect(stdout).not.toContain('s3cret');
    const text = await readFile(file, 'utf8');
    expect(parse(text)).toEqual({
      keep: [1, 2],
      [container]: {
        other: { command: 'x', env: { KEY: 's3cret' } },
        calmcp: {
          ...(client === 'claude-desktop' ? {} : { type: 'stdio' }),
          command: process.execPath,
          args: [SCRIPT, 'mcp'],
          env: { CALMCP_CONFIG: join(home.folder, 'accounts.yaml') },
        },
      },
    });
    const backup = /^The file as it was: (.+)$/m.exec(stdout)?.[1] ?? '';
    expect(backup).toMatch(/\.calmcp-backup-20261123T080000Z$/);
    expect(await readFile(backup, 'utf8')).toBe(before);

    const again = await home.run(['install', client]);
    expect(again).toMatchObject({ status: 0, stdout: expect.stringMatching(/has this entry already\.\n$/) });
    expect(await readFile(file, 'utf8')).toBe(text);

    expect((await home.run(['install', client, '--remove'])).stdout).toMatch(/^- {3}"command": /m);
    expect(await readFile(file, 'utf8')).toBe(before);
    const none = await home.run(['install', client, '--remove']);
    expect(none).toMatchObject({ status: 0, stdout: expect.stringContaining('has no entry "calmcp"') });
  });

  test.each(CLIENTS)('a %s that is not there is told with the places that were looked at', async (client) => {
    const home = await openHome(platform);
    const { status, stdout, stderr } = await home.run(['install', client]);
    expect([status, stdout]).toEqual([66, '']);
    expect(stderr).toContain(`looked for ${join(home.folder, FILES[platform][client])}`);
    expect(stderr).toContain(`calmcp install ${client} --print`);
    expect(await readdir(home.folder)).toEqual(['accounts.yaml']);
  });

  test.each(CLIENTS)('a %s that has no such file yet gets one, for its person alone', async (client) => {
    const home = await openHome(platform);
    const file = join(home.folder, FILES[platform][client]);
    const sign = { 'claude-code': '.claude', vscode: dirname(dirname(FILES[platform].vscode)) }[client as string];
    await mkdir(sign === undefined ? dirname(file) : join(home.folder, sign), { recursive: true });
    expect((await home.run(['install', client])).status).toBe(0);
    expect(Object.keys(parse(await readFile(file, 'utf8'))[containerOf(client)] ?? {})).toEqual(['calmcp']);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readdir(dirname(file))).filter((name) => name.includes('backup'))).toEqual([]);
  });
});

describe('the place', () => {
  const desktop = 'LocalCache/Roaming/Claude/claude_desktop_config.json';

  test('of Claude Desktop for Windows is in its package, where it came as one', async () => {
    const home = await openHome('win32');
    await mkdir(join(home.folder, 'AppData/Roaming/Claude'), { recursive: true });
    await mkdir(join(home.folder, 'AppData/Local/Packages/Claude_pzs8sxrjxfjjc'), { recursive: true });
    await mkdir(join(home.folder, 'AppData/Local/Packages/Claudette.Notes_abc'), { recursive: true });
    const { stdout } = await home.run(['install', 'claude-desktop']);
    expect(stdout).toContain(join(home.folder, 'AppData/Local/Packages/Claude_pzs8sxrjxfjjc', desktop));
    expect(await readdir(join(home.folder, 'AppData/Roaming/Claude'))).toEqual([]);
  });

  test('of two packages is the one in use', async () => {
    const home = await openHome('win32');
    await mkdir(join(home.folder, 'Local/Packages/Claude_aaa'), { recursive: true });
    const used = await home.put(join('Local/Packages/Claude_zzz', desktop), '{}');
    await home.run(['install', 'claude-desktop'], { env: { LOCALAPPDATA: join(home.folder, 'Local') } });
    expect(await readFile(used, 'utf8')).toContain('"calmcp"');
  });

  test.each<[string, NodeJS.Platform, ClientId, string, string]>([
    ['APPDATA', 'win32', 'claude-desktop', 'roaming', 'roaming/Claude/claude_desktop_config.json'],
    ['XDG_CONFIG_HOME', 'linux', 'claude-desktop', 'xdg', 'xdg/Claude/claude_desktop_config.json'],
    ['XDG_CONFIG_HOME', 'linux', 'vscode', 'xdg', 'xdg/Code/User/mcp.json'],
    ['APPDATA', 'win32', 'vscode', 'roaming', 'roaming/Code/User/mcp.json'],
    ['VSCODE_PORTABLE', 'win32', 'vscode', 'data', 'data/user-data/User/mcp.json'],
    ['VSCODE_APPDATA', 'darwin', 'vscode', 'apps', 'apps/Code/User/mcp.json'],
    ['CLAUDE_CONFIG_DIR', 'linux', 'claude-code', 'claude', 'claude/.claude.json'],
  ])('is where %s says on %s (%s)', async (variable, platform, client, value, path) => {
    const home = await openHome(platform);
    const elsewhere = await home.put(FILES[platform as 'linux'][client], '{}');
    const file = await home.put(path, '{}');
    await home.run(['install', client], { env: { [variable]: join(home.folder, value) } });
    expect(await readFile(file, 'utf8')).toContain('"calmcp"');
    expect(await readFile(elsewhere, 'utf8')).toBe('{}');
  });

  test('is that of VS Code Insiders where that alone is installed', async () => {
    const home = await openHome();
    const insiders = await home.put('.config/Code - Insiders/User/mcp.json', '{}');
    await home.run(['install', 'vscode']);
    expect(await readFile(insiders, 'utf8')).toContain('"calmcp"');
    const stable = await home.put('.config/Code/User/mcp.json', '{}');
    await home.run(['install', 'vscode', '--name', 'second']);
    expect(await readFile(stable, 'utf8')).toContain('"second"');
    expect(await readFile(insiders, 'utf8')).not.toContain('"second"');
  });
});

describe('the entry', () => {
  test('starts the real program: an MCP server that answers', async () => {
    const home = await openHome();
    const links = await home.put('bin/placeholder', '');
    await symlink(process.execPath, join(dirname(links), 'node'));
    await symlink(SCRIPT, join(dirname(links), 'calmcp'));
    const program = { node: join(dirname(links), 'node'), script: join(dirname(links), 'calmcp') };
    const { stdout } = await home.run(['install', 'cursor', '--print', '--json'], { program });
    const entry = JSON.parse(stdout) as { command: string; args: string[]; env: Record<string, string> };
    expect(entry).toMatchObject({ type: 'stdio', command: process.execPath, args: [SCRIPT, 'mcp'] });
    const client = new Client({ name: 'calmcp-test', version: '0' });
    onTestFinished(() => client.close());
    // As a client of the desktop starts it: with next to nothing in its environment.
    await client.connect(new StdioClientTransport({ ...entry, stderr: 'ignore' }));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('list_events');
    const { structuredContent } = await client.callTool({ name: 'list_accounts', arguments: {} });
    expect(JSON.stringify(structuredContent)).toContain('"fixed"');
  });

  test('carries what says which accounts there are, as full paths, and nothing secret', async () => {
    const home = await openHome();
    const args = ['install', 'vscode', '--print', '--json', '--read-only', '--tools', 'list_events, get_event'];
    const env = {
      CALMCP_CONFIG: '',
      CALMCP_HOME: './own',
      CALMCP_KEYSTORE: 'passphrase',
      CALMCP_PASSPHRASE: 's3cret',
      CALMCP_PASSPHRASE_FILE: '/s3cret',
      CALMCP_LOG: 'debug',
    };
    const { stdout, stderr } = await home.run(args, { env });
    expect(JSON.parse(stdout)).toEqual({
      type: 'stdio',
      command: process.execPath,
      args: [SCRIPT, 'mcp', '--read-only', '--tools', 'list_events,get_event'],
      env: { CALMCP_HOME: join(home.folder, 'own'), CALMCP_KEYSTORE: 'passphrase' },
    });
    expect(stdout + stderr).not.toContain('s3cret');
    expect(stderr).toContain('set CALMCP_PASSPHRASE_FILE or CALMCP_PASSPHRASE where VS Code is started');
    expect(stderr).toContain('Run: calmcp init');
    const named = await home.run(['install', 'vscode', '--print', '--json', '--config', 'other.yaml']);
    expect(JSON.parse(named.stdout)).toEqual({
      type: 'stdio',
      command: process.execPath,
      args: [SCRIPT, 'mcp', '--config', join(home.folder, 'other.yaml')],
    });
  });

  test('is printed for pasting, and nothing is written', async () => {
    const home = await openHome();
    const file = await home.put('.cursor/mcp.json', '{}');
    const { stdout, stderr } = await home.run(['install', 'cursor', '--print', '--name', 'work']);
    expect(parse(`{${stdout}}`)).toMatchObject({ work: { type: 'stdio', command: process.execPath } });
    expect(stderr).toBe(`Goes into "mcpServers" of ${file}\n`);
    expect(await readFile(file, 'utf8')).toBe('{}');
  });

  test('of Windows has its paths escaped', async () => {
    const home = await openHome('win32');
    const file = await home.put('.cursor/mcp.json', '{}');
    const program = {
      node: 'C:\\Program Files\\nodejs\\node.exe',
      script: 'C:\\Users\\me\\npm\\calmcp\\dist\\main.js',
    };
    await home.run(['install', 'cursor'], { program });
    const text = await readFile(file, 'utf8');
    expect(text).toContain('"C:\\\\Program Files\\\\nodejs\\\\node.exe"');
    expect(parse(text).mcpServers?.calmcp).toMatchObject({ command: program.node, args: [program.script, 'mcp'] });
    // Found again as one of ours, though that path is not on this machine.
    expect((await home.run(['install', 'cursor'])).stdout).toContain('Installed calmcp');
  });

  test.each<[string, string, string, RegExp | '']>([
    [
      'of npx',
      '/usr/bin/node',
      '/home/me/.npm/_npx/1f/node_modules/calmcp/dist/main.js',
      /npm install --global calmcp/,
    ],
    ['of pnpm dlx', '/usr/bin/node', '/home/me/.cache/pnpm/dlx-9/calmcp/dist/main.js', /npm install --global calmcp/],
    ['of nvm', '/home/me/.nvm/versions/node/v22.1.0/bin/node', '/opt/calmcp/dist/main.js', /^The path of node names/],
    [
      'of Homebrew',
      '/opt/homebrew/Cellar/node/24.3.0_1/bin/node',
      '/opt/calmcp/dist/main.js',
      /^The path of node names/,
    ],
    ['of the system', '/usr/bin/node', '/usr/lib/node_modules/calmcp/dist/main.js', ''],
  ])('that runs a program %s says so where that will go', async (_name, node, script, says) => {
    const home = await openHome();
    await home.put('.cursor/mcp.json', '{}');
    const { status, stderr } = await home.run(['install', 'cursor'], { program: { node, script } });
    expect(status).toBe(0);
    if (says === '') expect(stderr).toBe('');
    else expect(stderr).toMatch(says);
  });

  test('keeps what a person added to it, and takes new paths and options', async () => {
    const home = await openHome();
    const old = {
      command: 'calmcp',
      args: ['mcp'],
      env: { CALMCP_LOG: 'debug', CALMCP_HOME: '/old', X: 's3cret' },
      disabled: true,
    };
    const file = await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: old } }));
    const { status, stdout } = await home.run(['install', 'cursor', '--read-only']);
    expect(status).toBe(0);
    expect(stdout).not.toContain('s3cret');
    expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp).toEqual({
      type: 'stdio',
      command: process.execPath,
      args: [SCRIPT, 'mcp', '--read-only'],
      env: {
        CALMCP_HOME: '/old',
        CALMCP_CONFIG: join(home.folder, 'accounts.yaml'),
        CALMCP_LOG: 'debug',
        X: 's3cret',
      },
      disabled: true,
    });
  });

  const OLD = { CALMCP_HOME: 'C:\\old', CALMCP_CONFIG: '/old/accounts.yaml', CALMCP_KEYSTORE: 'keyfile' };
  const NONE = { CALMCP_HOME: '', CALMCP_CONFIG: '', CALMCP_KEYSTORE: '' };
  const AGAIN = '--remove, then again';

  test.each<[string, string[], Record<string, string>, Record<string, string>, string]>([
    [
      'from a shell that has none of them keeps all',
      [],
      {},
      OLD,
      `CALMCP_HOME=C:\\old CALMCP_CONFIG=/old/accounts.yaml CALMCP_KEYSTORE=keyfile (to take off: --no-config, ${AGAIN})`,
    ],
    [
      'from a shell that has other values gets those',
      [],
      { CALMCP_HOME: '/new', CALMCP_KEYSTORE: 'keychain' },
      { ...OLD, CALMCP_HOME: '/new', CALMCP_KEYSTORE: 'keychain' },
      'CALMCP_CONFIG=/old/accounts.yaml (to take off: --no-config)',
    ],
    [
      'from a shell that has one of them gets that one',
      [],
      { CALMCP_CONFIG: '/new/accounts.yaml' },
      { ...OLD, CALMCP_CONFIG: '/new/accounts.yaml' },
      `CALMCP_HOME=C:\\old CALMCP_KEYSTORE=keyfile (to take off: ${AGAIN})`,
    ],
    [
      'with --config loses CALMCP_CONFIG, which would be ignored',
      ['--config', '/other.yaml'],
      {},
      { CALMCP_HOME: 'C:\\old', CALMCP_KEYSTORE: 'keyfile' },
      `CALMCP_HOME=C:\\old CALMCP_KEYSTORE=keyfile (to take off: ${AGAIN})`,
    ],
    [
      'with --no-config loses CALMCP_CONFIG',
      ['--no-config'],
      {},
      { CALMCP_HOME: 'C:\\old', CALMCP_KEYSTORE: 'keyfile' },
      `CALMCP_HOME=C:\\old CALMCP_KEYSTORE=keyfile (to take off: ${AGAIN})`,
    ],
  ])('installed again %s, and says so', async (_name, args, env, left, kept) => {
    const home = await openHome();
    const entry = { command: 'node', args: [SCRIPT, 'mcp'], env: { ...OLD, X: 's3cret' } };
    const file = await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
    const { status, stdout, stderr } = await home.run(['install', 'cursor', ...args], { env: { ...NONE, ...env } });
    expect(status).toBe(0);
    expect(stdout + stderr).not.toContain('s3cret');
    expect(/^Kept as it was: (.*)$/m.exec(stdout)?.[1] ?? '').toBe(kept);
    expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp?.env).toEqual({ ...left, X: 's3cret' });
    const again = await home.run(['install', 'cursor'], { env: NONE });
    expect(again.stdout).toMatch(/^Kept as it was: .*\nCursor has this entry already\.\n$/);
  });

  test('that keeps CALMCP_KEYSTORE=passphrase asks for the passphrase where the client is started', async () => {
    const home = await openHome();
    const entry = { command: 'node', args: [SCRIPT, 'mcp'], env: { CALMCP_KEYSTORE: 'passphrase' } };
    await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
    expect((await home.run(['install', 'cursor'])).stderr).toContain('where Cursor is started');
  });

  test('of another program passes none of its variables on', async () => {
    const home = await openHome();
    const entry = { command: 'npx', args: ['other'], env: OLD };
    const file = await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
    const { stdout } = await home.run(['install', 'cursor', '--replace'], { env: NONE });
    expect(stdout).not.toContain('Kept');
    expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp).not.toHaveProperty('env');
  });

  const KEPT = ['--config', 'C:\\work\\accounts.yaml', '--read-only', '--tools', 'list_events,get_event'];

  test.each<[string, string, string[]]>([
    ['by full paths', 'node', [SCRIPT, 'mcp', ...KEPT]],
    ['by npx', 'npx', ['-y', 'calmcp', ...KEPT.slice(0, 2), 'mcp', ...KEPT.slice(2)]],
    ['with =', 'calmcp', ['mcp', `--config=${KEPT[1]}`, '--read-only', '--tools=x', `--tools=${KEPT[4]}`]],
  ])(
    'written %s keeps --config, --read-only and --tools when installed again, and says so',
    async (_name, command, args) => {
      const home = await openHome();
      const entry = { command, args };
      const file = await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
      const { status, stdout } = await home.run(['install', 'cursor']);
      expect(status).toBe(0);
      const says = `Kept as it was: ${KEPT.join(' ')} (to take off: --no-config, --no-read-only, --tools all)\n`;
      expect(stdout).toContain(says);
      // No CALMCP_CONFIG beside --config: one of them would be ignored.
      expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp).toEqual({
        type: 'stdio',
        command: process.execPath,
        args: [SCRIPT, 'mcp', ...KEPT],
      });
      expect((await home.run(['install', 'cursor'])).stdout).toBe(`${says}Cursor has this entry already.\n`);
    },
  );

  test.each<[string, string[], string[], string]>([
    [
      '--no-read-only',
      ['--no-read-only'],
      [...KEPT.slice(0, 2), ...KEPT.slice(3)],
      `${KEPT.slice(0, 2).join(' ')} ${KEPT.slice(3).join(' ')} (to take off: --no-config, --tools all)`,
    ],
    [
      '--tools all',
      ['--tools', 'all'],
      KEPT.slice(0, 3),
      `${KEPT.slice(0, 3).join(' ')} (to take off: --no-config, --no-read-only)`,
    ],
    [
      '--no-config',
      ['--no-config'],
      KEPT.slice(2),
      `${KEPT.slice(2).join(' ')} (to take off: --no-read-only, --tools all)`,
    ],
    ['all of them', ['--no-config', '--no-read-only', '--tools', 'all'], [], ''],
    [
      'others',
      ['--config', '/other.yaml', '--tools', 'find_conflicts'],
      ['--config', '/other.yaml', '--read-only', '--tools', 'find_conflicts'],
      '--read-only (to take off: --no-read-only)',
    ],
    [
      'others, for one that may write',
      ['--config', '/o.yaml', '--no-read-only', '--tools', 'get_event'],
      ['--config', '/o.yaml', '--tools', 'get_event'],
      '',
    ],
  ])('loses the old options to %s', async (_name, given, left, kept) => {
    const home = await openHome();
    const entry = { command: 'node', args: [SCRIPT, 'mcp', ...KEPT] };
    const file = await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
    const { stdout } = await home.run(['install', 'cursor', ...given]);
    expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp?.args).toEqual([SCRIPT, 'mcp', ...left]);
    expect(/^Kept as it was: (.*)$/m.exec(stdout)?.[1] ?? '').toBe(kept);
  });

  test('of another program passes none of its options on', async () => {
    const home = await openHome();
    const entry = { command: 'npx', args: ['other', '--read-only', '--tools', 'x'] };
    const file = await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
    expect((await home.run(['install', 'cursor', '--replace'])).stdout).not.toContain('Kept');
    expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp?.args).toEqual([SCRIPT, 'mcp']);
  });

  test('of another name has that name in the command that renews it', async () => {
    const home = await openHome();
    await home.put('.cursor/mcp.json', '{}');
    const program = { node: '/home/me/.nvm/versions/node/v22.1.0/bin/node', script: '/opt/calmcp/dist/main.js' };
    const { stderr } = await home.run(['install', 'cursor', '--name', 'work'], { program });
    expect(stderr).toMatch(/run again: calmcp install cursor --name work$/m);
  });

  test('of that name that is not ours is left alone, unless --replace says otherwise', async () => {
    const home = await openHome();
    const before =
      '{"mcpServers":{"calmcp":{"command":"npx","args":["other","--key","s3cret"],"headers":{"A":"s3cret"}}}}';
    const file = await home.put('.cursor/mcp.json', before);
    for (const more of [[], ['--remove']]) {
      const refused = await home.run(['install', 'cursor', ...more]);
      expect(refused).toMatchObject({ status: 64, stdout: '' });
      expect(refused.stderr).toMatch(/does not start calmcp[\s\S]*--replace/);
      expect(await readFile(file, 'utf8')).toBe(before);
    }
    const replaced = await home.run(['install', 'cursor', '--replace']);
    expect(replaced.status).toBe(0);
    expect(replaced.stdout).toContain('-   "command": "npx"');
    expect(replaced.stdout).not.toContain('s3cret');
    expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp).not.toHaveProperty('headers');
  });

  test.each([
    ['calmcp on the path', { command: 'C:\\npm\\calmcp.cmd', args: ['mcp'] }],
    ['npx', { command: 'npx', args: ['-y', 'calmcp@1.0.0', 'mcp'] }],
    ['a checkout of any name', { command: '/usr/bin/node', args: [SCRIPT, 'mcp', '--read-only'] }],
    ['a folder that is gone', { command: 'node', args: ['/gone/node_modules/calmcp/dist/main.js', 'mcp'] }],
  ])('is known as ours when it starts %s', async (_name, entry) => {
    const home = await openHome();
    await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
    expect((await home.run(['install', 'cursor', '--remove'])).stdout).toContain('Removed calmcp from Cursor.');
  });
});

describe('the file', () => {
  test('of VS Code keeps comments, byte order mark and Windows line ends; the mode stays', async () => {
    const home = await openHome();
    const before =
      '\ufeff{\r\n\t// my servers\r\n\t"servers": {\r\n\t\t"a": { "url": "https://x" }, // remote\r\n\t},\r\n\t/* end */\r\n}\r\n';
    const file = await home.put('.config/Code/User/mcp.json', before);
    await chmod(file, 0o640);
    expect((await home.run(['install', 'vscode'])).status).toBe(0);
    const text = await readFile(file, 'utf8');
    expect(text.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(text.startsWith(before.slice(0, before.indexOf('\r\n\t},')))).toBe(true);
    expect(text.endsWith('\r\n\t},\r\n\t/* end */\r\n}\r\n')).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    await home.run(['install', 'vscode', '--remove']);
    expect(await readFile(file, 'utf8')).toBe(before);
  });

  test.each<[string, ClientId, string, string | Uint8Array, RegExp]>([
    [
      'with a missing comma',
      'cursor',
      '.cursor/mcp.json',
      '{\n "a": 1\n "b": "s3cret"\n}',
      /mcp\.json:3:2 not valid JSON/,
    ],
    [
      'with a comment that Claude Code would not read',
      'claude-code',
      '.claude.json',
      '{} // s3cret',
      /\.json:1:4 not valid JSON: a comment/,
    ],
    ['that is no UTF-8', 'cursor', '.cursor/mcp.json', Buffer.from([0x7b, 0xff, 0x7d]), /not written in UTF-8/],
    ['with servers that are none', 'cursor', '.cursor/mcp.json', '{"mcpServers": "s3cret"}', /mcpServers is no object/],
  ])('%s is never overwritten', async (_name, client, path, content, says) => {
    const home = await openHome();
    const file = await home.put(path, '');
    await writeFile(file, content);
    for (const more of [[], ['--remove'], ['--replace', '--yes']]) {
      const { status, stdout, stderr } = await home.run(['install', client, ...more]);
      expect([status, stdout]).toEqual([78, '']);
      expect(stderr).toMatch(says);
      expect(stderr).not.toMatch(/s3cret|\n\s+at /);
    }
    expect(await readFile(file)).toEqual(Buffer.from(content));
    expect(await readdir(dirname(file))).toHaveLength(client === 'cursor' ? 1 : 2);
  });

  test('behind a symbolic link is written, and the link stays; a link to nothing is told', async () => {
    const home = await openHome();
    const real = await home.put('dotfiles/cursor.json', '{}');
    await mkdir(join(home.folder, '.cursor'));
    const link = join(home.folder, '.cursor/mcp.json');
    await symlink(real, link);
    expect((await home.run(['install', 'cursor'])).status).toBe(0);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readFile(real, 'utf8')).toContain('"calmcp"');
    expect(await readdir(dirname(real))).toEqual(['cursor.json']);
    await mkdir(join(home.folder, '.config/Code/User'), { recursive: true });
    await symlink(join(home.folder, 'nothing.json'), join(home.folder, '.config/Code/User/mcp.json'));
    expect(await home.run(['install', 'vscode'])).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('symbolic link'),
    });
  });

  test('that had a backup this second gets another one', async () => {
    const home = await openHome();
    const file = await home.put('.cursor/mcp.json', '{}');
    for (const more of [[], ['--remove'], []]) await home.run(['install', 'cursor', ...more]);
    const kept = (await readdir(dirname(file))).filter((name) => name.includes('calmcp-backup'));
    expect(kept.sort()).toEqual(
      [1, 2, 3].map((number) => `mcp.json.calmcp-backup-20261123T080000Z${number === 1 ? '' : `-${number}`}`),
    );
  });
});

describe('on a terminal', () => {
  const asked = (answer: string): { shown: () => string; shell: Partial<Shell> } => {
    let shown = '';
    const stderr = {
      isTerminal: true,
      write(text: string): void {
        shown += text;
      },
    };
    return { shown: () => shown, shell: { stderr, readLine: async () => answer } };
  };

  test('it asks after showing the change, and does what it is told', async () => {
    const home = await openHome();
    const file = await home.put('.cursor/mcp.json', '{}');
    const no = asked('n');
    const refused = await home.run(['install', 'cursor'], no.shell);
    expect(refused).toMatchObject({ status: 0, stdout: expect.stringContaining('+ "calmcp": {') });
    expect(no.shown()).toBe('Write this change? [y/N] Nothing was changed.\n');
    expect(await readFile(file, 'utf8')).toBe('{}');
    await home.run(['install', 'cursor'], asked('y').shell);
    expect(await readFile(file, 'utf8')).toContain('"calmcp"');
    const sure = asked('');
    await home.run(['install', 'cursor', '--remove', '--yes'], sure.shell);
    expect(sure.shown()).toBe('');
    expect(await readFile(file, 'utf8')).not.toContain('"calmcp"');
  });

  test('a file that changes while it asks is left as it is', async () => {
    const home = await openHome();
    const file = await home.put('.cursor/mcp.json', '{}');
    const readLine = async (): Promise<string> => {
      await writeFile(file, '{ "mine": 1 }');
      return 'y';
    };
    const { shown, shell } = asked('y');
    expect((await home.run(['install', 'cursor'], { ...shell, readLine })).status).toBe(75);
    expect(shown()).toContain('has changed meanwhile');
    expect(await readFile(file, 'utf8')).toBe('{ "mine": 1 }');
  });
});

test('--json prints what was done', async () => {
  const home = await openHome();
  const file = await home.put('.cursor/mcp.json', '{}');
  const { stdout, stderr } = await home.run(['install', 'cursor', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    client: 'cursor',
    file,
    name: 'calmcp',
    changed: true,
    entry: { args: [SCRIPT, 'mcp'] },
  });
  expect(stderr).toContain('+ "calmcp": {');
  expect(JSON.parse((await home.run(['install', 'cursor', '--json'])).stdout)).toMatchObject({ changed: false });
});

test('--json prints of the entry what calmcp makes, and hides what others put there', async () => {
  const home = await openHome();
  const env = { CALMCP_PASSPHRASE: 's3cret', HOME_GOOGLE_SECRET: 's3cret', CALMCP_LOG: 'debug' };
  const entry = { command: 'calmcp', args: ['mcp', '--read-only'], env, headers: { A: 's3cret' } };
  const file = await home.put('.cursor/mcp.json', JSON.stringify({ mcpServers: { calmcp: entry } }));
  const shown = {
    type: 'stdio',
    command: process.execPath,
    args: [SCRIPT, 'mcp', '--read-only'],
    env: {
      CALMCP_CONFIG: join(home.folder, 'accounts.yaml'),
      CALMCP_PASSPHRASE: '…',
      HOME_GOOGLE_SECRET: '…',
      CALMCP_LOG: 'debug',
    },
    headers: '…',
  };
  for (const changed of [true, false]) {
    const { stdout, stderr } = await home.run(['install', 'cursor', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ changed, kept: ['--read-only'], entry: shown });
    expect(stderr).toContain('Kept as it was: --read-only');
    expect(stdout + stderr).not.toContain('s3cret');
  }
  expect(parse(await readFile(file, 'utf8')).mcpServers?.calmcp).toMatchObject({ env, headers: { A: 's3cret' } });
});

test.each<[string, string[], RegExp]>([
  ['an unknown client', ['emacs'], /Allowed choices are claude-desktop, claude-code, vscode, cursor/],
  ['--print with --remove', ['cursor', '--print', '--remove'], /give either --print or --remove/],
  ['--remove with --tools', ['cursor', '--remove', '--tools', 'x'], /--remove goes with none of/],
  ['--remove with --no-read-only', ['cursor', '--remove', '--no-read-only'], /--remove goes with none of/],
  ['all tools and one more', ['cursor', '--print', '--tools', 'all,get_event'], /--tools names no tools/],
  ['a name with a space', ['cursor', '--name', 'my calendar'], /a name has letters/],
  ['tools that are none', ['cursor', '--print', '--tools', ' , '], /--tools names no tools/],
  ['an account', ['cursor', '--account', 'fixed'], /install has no use for --account/],
])('%s is refused', async (_name, args, says) => {
  const { status, stdout, stderr } = await (await openHome()).run(['install', ...args]);
  expect([status, stdout]).toEqual([64, '']);
  expect(stderr).toMatch(says);
});

test('the built program knows its own place, also behind the link that npm makes', async () => {
  const home = await openHome();
  const link = join(await temporaryFolder(), 'calmcp');
  await symlink(SCRIPT, link);
  const { stdout } = await promisify(execFile)(process.execPath, [link, 'install', 'cursor', '--print', '--json'], {
    env: { HOME: home.folder },
  });
  expect(JSON.parse(stdout)).toEqual({ type: 'stdio', command: process.execPath, args: [SCRIPT, 'mcp'] });
});
