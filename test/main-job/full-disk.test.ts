/** The disk of the state folder is full, or fills up, while calmcp runs: as processes see it, with tokens, children and readings. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openSecretStores } from '../../src/io/secret-store.ts';
import type { Agenda } from '../../src/operations/list-events.ts';
import { homeGoogleClient, type Sandbox, type SandboxOptions } from '../../src/sandbox/index.ts';
import { childLine, withChild } from '../children.ts';
import {
  builtEnvironment,
  googleAccounts,
  googleSignIn,
  joinAccounts,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const PAGE = 4_096;

function mount(folder: string): boolean {
  try {
    const options = `size=512k,nr_inodes=96,mode=700`;
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Whether small disks can be made here, without one staying. */
async function canMount(): Promise<boolean> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = join(import.meta.dirname, `../../node_modules/.calmcp-mount-${process.pid}`);
  await mkdir(folder, { recursive: true });
  const can = mount(folder);
  if (can) execFileSync('umount', [folder]);
  await rm(folder, { recursive: true, force: true });
  return can;
}

const mayMount = await canMount();

interface Disk {
  readonly state: string;
  /** Takes all room, for bytes and for names, but for so many pages of bytes (and then some names, too). */
  fill(freePages?: number): Promise<void>;
  empty(): Promise<void>;
  /** What calmcp has put there. */
  files(): Promise<string[]>;
}

async function openDisk(folder: string): Promise<Disk> {
  const state = join(folder, 'state');
  await mkdir(state, { mode: 0o700 });
  if (!mount(state)) throw new Error('no disk');
  onTestFinished(() => void execFileSync('umount', ['-l', state]));
  const isFiller = (name: string): boolean => name.startsWith('full-');
  const empty = async (): Promise<void> => {
    for (const name of (await readdir(state)).filter(isFiller)) await rm(join(state, name));
  };
  return {
    state,
    empty,
    async fill(freePages = 0) {
      await writeFile(join(state, 'full-spare'), Buffer.alloc(freePages * PAGE));
      // Page by page to the last one, whatever is free.
      await writeFile(join(state, 'full-bytes'), Buffer.alloc(1_048_576)).catch(() => undefined);
      for (let name = 0; name < 96; name++) await writeFile(join(state, `full-${name}`), '').catch(() => undefined);
      if (freePages === 0) return;
      for (const name of ['spare', ...Array(12).keys()]) await rm(join(state, `full-${name}`), { force: true });
    },
    files: async () => (await readdir(state, { recursive: true })).filter((name) => !isFiller(name)).sort(),
  };
}

interface World {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly disk: Disk;
  readonly env: Readonly<Record<string, string>>;
}

async function openWorld(
  change: (yaml: string, sandbox: Sandbox) => string = (yaml) => yaml,
  options: SandboxOptions = {},
): Promise<World> {
  const sandbox = await openSandbox(options);
  const folder = await temporaryFolder();
  const disk = await openDisk(folder);
  const yaml = change(
    joinAccounts(
      microsoftAccounts(sandbox, [XEBIA, MARIMER]),
      googleAccounts(sandbox, [{ id: 'casa', ...homeGoogleClient }]),
    ).replace('    cloud:', '    access: write\n    cache: sealed\n    cloud:'),
    sandbox,
  );
  const { app } = await openTestApp(yaml, { folder });
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await signIn(app, sandbox, 'marimer', 'you@marimer.example');
  await googleSignIn(app, sandbox, 'casa', 'you@home.example');
  await app.close();
  await writeAccounts(folder, yaml);
  return { sandbox, folder, disk, env: { ...builtEnvironment(folder), TMPDIR: folder } };
}

interface Program {
  readonly client: Client;
  log(): string;
  ask(range: string): Promise<Agenda>;
  /** Never told from memory. */
  askLive(range: string): Promise<Agenda>;
  create(title: string): Promise<unknown>;
}

async function openProgram({ env }: World, args: readonly string[]): Promise<Program> {
  const client = new Client({ name: 'calmcp-test', version: '0' });
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [bin, 'mcp', ...args],
    env: { ...env },
    stderr: 'pipe',
  });
  let said = '';
  transport.stderr?.on('data', (text: Buffer) => {
    said += text.toString();
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  async function call(name: string, input: object): Promise<unknown> {
    const { isError, content, structuredContent } = await client.callTool({ name, arguments: { ...input } });
    expect(isError, JSON.stringify(content)).toBeFalsy();
    return structuredContent;
  }
  return {
    client,
    log: () => said,
    ask: (range) => call('list_events', { range, detail: 'full' }) as Promise<Agenda>,
    askLive: (range) => call('list_events', { range, maxAgeSeconds: 0, detail: 'full' }) as Promise<Agenda>,
    create: (title) =>
      call('create_event', { account: 'xebia', title, start: '2026-11-26T06:00', end: '2026-11-26T06:30' }),
  };
}

/** The daemon, and what it says. */
async function startDaemon({ env }: World): Promise<{ readonly log: () => string; finish(): Promise<unknown> }> {
  const daemon = spawn(process.execPath, [bin, 'daemon', 'run'], { env, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void daemon.kill('SIGKILL'));
  let said = '';
  daemon.stderr.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  while (!said.includes('listens at')) await new Promise((resolve) => setTimeout(resolve, 10));
  return {
    log: () => said,
    finish() {
      daemon.kill('SIGTERM');
      return once(daemon, 'exit');
    },
  };
}

const refreshesOf = ({ redemptions, google }: Sandbox): number =>
  [...redemptions, ...google.redemptions].filter(({ grant }) => grant === 'refresh_token').length;

const statuses = ({ accounts }: Agenda): unknown[] => accounts.map(({ account, status }) => [account, status]);
const ALL_WELL = [
  ['xebia', 'ok'],
  ['marimer', 'ok'],
  ['casa', 'ok'],
];

/** Sealed files that open, and nothing that was half written or is locked. */
async function checkLeft({ disk, folder }: World): Promise<void> {
  expect(
    (await disk.files()).filter(
      (name) =>
        !/^(?:keyfile|changed|cursor\.key|[0-9a-f]{64}\.sealed|children(?:\/[a-z]+)?)$/.test(name) &&
        !/\.log$/.test(name),
    ),
  ).toEqual([]);
  const stores = openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' });
  for (const key of [`${homeGoogleClient.clientId}_casa`, 'readings_xebia'])
    expect([key, await stores.scope(key).load()]).toEqual([key, expect.stringMatching(/^\{/)]);
}

test.runIf(process.env.CI !== undefined && process.platform === 'linux' && process.getuid?.() === 0)(
  'CI fills disks, unless its machine may not mount any',
  (context) => {
    if (!mayMount) context.skip('this machine may not mount a small disk');
  },
);

describe.skipIf(!mayMount)('a full disk', () => {
  test.each(['alone', 'daemon'])(
    'is nothing to answers and changes while it runs (%s)',
    async (way) => {
      const world = await openWorld((yaml, sandbox) =>
        withChild(yaml, childLine('ms-365', sandbox, { transport: 'http' }), ['marimer']),
      );
      const { sandbox, disk } = world;
      const daemon = way === 'daemon' ? await startDaemon(world) : undefined;
      const program = await openProgram(world, way === 'daemon' ? [] : ['--no-daemon']);
      expect(statuses(await program.ask('today'))).toEqual(ALL_WELL);
      await disk.fill();
      const sealed = (await disk.files()).filter((name) => name.endsWith('.sealed'));
      const bytes = (): Promise<Buffer[]> => Promise.all(sealed.map((name) => readFile(join(disk.state, name))));
      const before = await bytes();

      const next = await program.ask('next week');
      expect(statuses(next)).toEqual(ALL_WELL);
      expect(next.events.length).toBeGreaterThan(0);
      await program.create('Early bird');
      const after = await program.ask('2026-11-26');
      expect(statuses(after)).toEqual(ALL_WELL);
      expect(after.events.map(({ title }) => title)).toContain('Early bird');
      expect((daemon ?? program).log()).toMatch(/warn others are not told of a change.*ENOSPC/);

      // What cannot be kept is not redeemed: a token that is lost between the vendor and the disk may be the last one.
      const redeemed = refreshesOf(sandbox);
      sandbox.expireAccessTokens();
      const refused = await program.client.callTool({ name: 'list_events', arguments: { range: '2026-12-07' } });
      expect([refused.isError, JSON.stringify(refused.content)]).toEqual([
        true,
        expect.stringMatching(/none of the 3 accounts could be read.*xebia: could not write .*ENOSPC/),
      ]);
      expect(refreshesOf(sandbox)).toBe(redeemed);
      expect(await bytes()).toEqual(before);

      await disk.empty();
      expect(statuses(await program.ask('2026-12-07'))).toEqual(ALL_WELL);
      // Read with the tokens that are sealed now, so that it is sealed at the end.
      expect(statuses(await program.ask('2026-12-08'))).toEqual(ALL_WELL);
      await program.client.close();
      await daemon?.finish();
      await checkLeft(world);
    },
    60_000,
  );

  test('takes from nobody what was taken for the token that is on its way, however many want it at the same time', async () => {
    const disk = await openDisk(await temporaryFolder());
    const stores = openSecretStores({ folder: disk.state, keystore: 'keyfile' });
    const [one, ...others] = ['one', 'two', 'three', 'four'].map((key) => stores.scope(key));
    for (const store of [one, ...others]) await store?.save('x'.repeat(3_000));
    // Enough for two of them.
    await disk.fill(8);
    let kept = 0;
    let refused = 0;
    let isOver = false;
    const wanting = others.map(async (store) => {
      while (!isOver) await store.exclusively(async () => undefined).catch(() => refused++);
    });
    for (let round = 0; round < 60; round++)
      await one
        ?.exclusively(() =>
          one.save(`${round} ${'y'.repeat(3_000)}`).then(
            () => kept++,
            (error) => expect(error).toBeUndefined(),
          ),
        )
        .catch((error: Error) => {
          if (!/ENOSPC/.test(error.message)) throw error;
        });
    isOver = true;
    await Promise.all(wanting);
    expect([kept > 5, refused > 5]).toEqual([true, true]);
    expect((await disk.files()).filter((name) => /tmp|lock/.test(name))).toEqual([]);
  }, 60_000);

  test('at the start is told in every answer, and when there is room again all is well', async () => {
    const world = await openWorld();
    await world.disk.fill();
    const program = await openProgram(world, ['--no-daemon']);
    for (let time = 0; time < 2; time++) {
      const { isError, content } = await program.client.callTool({
        name: 'list_events',
        arguments: { range: 'today' },
      });
      expect([isError, JSON.stringify(content)]).toEqual([
        true,
        expect.stringMatching(/none of the 3 accounts could be read.*could not write .*ENOSPC.*free space/),
      ]);
    }
    await world.disk.empty();
    expect(statuses(await program.ask('today'))).toEqual(ALL_WELL);
    await program.client.close();
    await checkLeft(world);
  }, 30_000);

  test('with a few pages left loses no sign-in, though each refresh token is good for once', async () => {
    const world = await openWorld((yaml) => yaml, { googleRotatesRefreshTokens: true });
    const { sandbox, disk } = world;
    const program = await openProgram(world, ['--no-daemon']);
    expect(statuses(await program.ask('today'))).toEqual(ALL_WELL);
    const refused = new Map<number, string>();
    const rooms = [1, 2, 3, 4, 5, 6, 8, 12, 16, 32];
    for (const pages of rooms) {
      await disk.fill(pages);
      sandbox.expireAccessTokens();
      const { isError, content, structuredContent } = await program.client.callTool({
        name: 'list_events',
        arguments: { range: 'today', maxAgeSeconds: 0, detail: 'full' },
      });
      if (isError || !(structuredContent as Agenda).complete) refused.set(pages, JSON.stringify(content));
      await disk.empty();
      expect(statuses(await program.askLive('today')), `${pages} pages`).toEqual(ALL_WELL);
    }
    // From too little room to enough.
    expect([refused.get(1), refused.get(32)]).toEqual([expect.stringContaining('ENOSPC'), undefined]);
    await program.client.close();
    await checkLeft(world);
  }, 60_000);
});
