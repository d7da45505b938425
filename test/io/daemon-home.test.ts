import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { claimHome, type DaemonHome, findLeftovers, type Listener, removeLeftovers } from '../../src/io/daemon-home.ts';
import { type DaemonRecord, readDaemonRecord } from '../../src/io/daemon-record.ts';
import { isOwnSocket, reach, type SocketPlace, socketPathFor } from '../../src/io/daemon-socket.ts';
import { temporaryFolder } from '../harness.ts';

const isWindows = process.platform === 'win32';
const isRoot = process.getuid?.() === 0;

const FACTS = {
  version: '1.0.0',
  configFile: '/accounts.yaml',
  surroundings: 'salt:hash',
  managed: false,
  since: '2026-11-23T08:00:00Z',
};

const SILENT: Listener = {
  accept: (socket) => void socket.on('error', () => undefined),
  failed(error) {
    throw error;
  },
};
const GREETING: Listener = {
  ...SILENT,
  // Some only look whether somebody is there.
  accept: (socket) => void socket.on('error', () => undefined).end('hello'),
};

async function openPlace(stateFolder?: string): Promise<SocketPlace> {
  const folder = stateFolder ?? join(await temporaryFolder(), 'state');
  const temporary = await temporaryFolder();
  return {
    stateFolder: folder,
    env: {},
    platform: process.platform,
    temporaryFolder: temporary,
    userId: process.getuid?.(),
  };
}

/** A place whose own path is too long for a socket. */
async function openDeepPlace(): Promise<SocketPlace> {
  const folder = join(await temporaryFolder(), 'd'.repeat(90), 'state');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return openPlace(folder);
}

/** @throws the record of the one that runs already */
async function claimed(place: SocketPlace, facts: Partial<typeof FACTS> = {}): Promise<DaemonHome> {
  const claim = await claimHome(place, { ...FACTS, ...facts }, GREETING);
  if ('owner' in claim) throw new Error(`process ${claim.owner.pid} has it`);
  onTestFinished(() => claim.home.release());
  return claim.home;
}

async function greeting(path: string): Promise<string> {
  const socket = connect(path).setEncoding('utf8');
  let said = '';
  socket.on('data', (text) => {
    said += text;
  });
  await once(socket, 'close');
  return said;
}

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

/** What a daemon that was killed leaves: a socket that nobody listens to, and its record. */
async function leaveBehind({ stateFolder }: SocketPlace, record: Partial<DaemonRecord> = {}): Promise<void> {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  const socket = join(stateFolder, 'daemon.sock');
  const listener = spawn(process.execPath, [
    '-e',
    `require('net').createServer().listen(${JSON.stringify(socket)}, () => console.log('x'))`,
  ]);
  await once(listener.stdout, 'data');
  listener.kill('SIGKILL');
  await once(listener, 'exit');
  const whole: DaemonRecord = { ...FACTS, pid: listener.pid ?? 0, started: '1', socket, ...record };
  await writeFile(join(stateFolder, 'daemon.json'), JSON.stringify(whole), { mode: 0o600 });
}

describe.skipIf(isWindows)('a daemon’s home', () => {
  test('is a socket and a record that nobody else can touch, and nothing when it is given up', async () => {
    const place = await openPlace();
    const home = await claimed(place);
    const { socket } = home.record;
    expect(await Promise.all([place.stateFolder, socket, join(place.stateFolder, 'daemon.json')].map(modeOf))).toEqual([
      '700',
      '600',
      '600',
    ]);
    expect(await readDaemonRecord(place.stateFolder)).toEqual(home.record);
    expect(home.record).toMatchObject({ ...FACTS, pid: process.pid, socket: join(place.stateFolder, 'daemon.sock') });
    expect(await greeting(socket)).toBe('hello');
    expect([await isOwnSocket(socket), await home.isOwn()]).toEqual([true, true]);
    await home.release();
    expect(await readdir(place.stateFolder)).toEqual([]);
    await expect(greeting(socket)).rejects.toThrow(/ENOENT/);
  });

  test('has one owner, however many want it at one moment', async () => {
    const place = await openPlace();
    const claims = await Promise.all(Array.from({ length: 12 }, () => claimHome(place, FACTS, SILENT)));
    const homes = claims.flatMap((claim) => ('home' in claim ? [claim.home] : []));
    onTestFinished(async () => void (await Promise.all(homes.map((home) => home.release()))));
    expect(homes).toHaveLength(1);
    for (const claim of claims) if ('owner' in claim) expect(claim.owner).toEqual(homes[0]?.record);
  });

  test('is not taken from an owner that has stopped answering', async () => {
    const place = await openPlace();
    const claim = await claimHome(place, FACTS, SILENT);
    if ('home' in claim) onTestFinished(() => claim.home.release());
    await expect(claimed(place)).rejects.toThrow(`process ${process.pid} has it`);
  });

  test('is taken over from one that was killed, also when its number was given to somebody else', async () => {
    const place = await openPlace();
    await leaveBehind(place, { pid: process.pid });
    const { files } = await findLeftovers(place);
    expect(files.map((path) => path.slice(place.stateFolder.length + 1)).sort()).toEqual([
      'daemon.json',
      'daemon.sock',
    ]);
    const home = await claimed(place);
    expect(await greeting(home.record.socket)).toBe('hello');
  });

  test('is cleaned of what one that was killed has left, and of nothing while one listens', async () => {
    const place = await openPlace();
    await leaveBehind(place);
    await writeFile(join(place.stateFolder, 'daemon.sock.new'), '');
    expect((await removeLeftovers(place)).files).toHaveLength(3);
    expect(await readdir(place.stateFolder)).toEqual([]);
    const home = await claimed(place);
    expect(await removeLeftovers(place)).toEqual({ files: [] });
    expect(await home.isOwn()).toBe(true);
  });

  test('without a record is refused as long as somebody listens there', async () => {
    const place = await openPlace();
    const home = await claimed(place);
    await rm(join(place.stateFolder, 'daemon.json'));
    expect(await home.isOwn()).toBe(false);
    await expect(claimed(place)).rejects.toMatchObject({ code: 'UNAVAILABLE', message: /lost its record/ });
  });

  test('that was lost to a later one is left alone by the one before', async () => {
    const place = await openPlace();
    const first = await claimed(place);
    // Somebody tidied up.
    await rm(place.stateFolder, { recursive: true });
    const second = await claimed(place, { since: '2026-11-23T09:00:00Z' });
    expect([await first.isOwn(), await second.isOwn()]).toEqual([false, true]);
    await first.release();
    expect(await second.isOwn()).toBe(true);
    expect(await greeting(second.record.socket)).toBe('hello');
  });

  test('that is gone with its folder is not made again', async () => {
    const place = await openPlace();
    const home = await claimed(place);
    await rm(place.stateFolder, { recursive: true });
    await home.release();
    await expect(stat(place.stateFolder)).rejects.toThrow(/ENOENT/);
  });

  test('says new surroundings, unless it was lost', async () => {
    const place = await openPlace();
    const home = await claimed(place);
    await home.update('salt:other');
    expect((await readDaemonRecord(place.stateFolder))?.surroundings).toBe('salt:other');
    expect(await home.isOwn()).toBe(true);
    await home.release();
    await home.update('salt:third');
    expect(await readdir(place.stateFolder)).toEqual([]);
  });

  test('in a folder that others may look into is refused', async () => {
    const place = await openPlace();
    await mkdir(place.stateFolder, { mode: 0o755 });
    await expect(claimed(place)).rejects.toMatchObject({ code: 'CONFIG_INVALID', hint: /chmod 700/ });
    expect(await readdir(place.stateFolder)).toEqual([]);
  });

  test.runIf(isRoot && process.platform === 'linux')(
    'on a full disk is a clear error that leaves nothing, and is given up without a trace',
    async (context) => {
      const place = await openPlace();
      await mkdir(place.stateFolder, { mode: 0o700 });
      try {
        const options = 'size=64k,nr_inodes=6,mode=700';
        execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place.stateFolder], { stdio: 'ignore' });
      } catch {
        context.skip('this machine may not mount a small disk');
      }
      const fill = async (inodes: number): Promise<string[]> => {
        const names = Array.from({ length: inodes }, (_, index) => join(place.stateFolder, `full-${index}`));
        for (const name of names) await writeFile(name, '');
        return names;
      };
      try {
        // 5 files in all: the folder itself is one. With room for the lock, then for the socket too, but not for the record.
        for (const inodes of [5, 4, 3]) {
          const full = await fill(inodes);
          await expect(claimed(place)).rejects.toMatchObject({ code: 'INTERNAL', message: /ENOSPC/ });
          expect(await readdir(place.stateFolder)).toHaveLength(inodes);
          for (const name of full) await rm(name);
        }
        const home = await claimed(place);
        const full = await fill(3);
        expect(await greeting(home.record.socket)).toBe('hello');
        await home.release();
        for (const name of full) await rm(name);
        expect(await readdir(place.stateFolder)).toEqual([]);
      } finally {
        execFileSync('umount', [place.stateFolder]);
      }
    },
  );
});

describe.skipIf(isWindows)('a socket whose path would be too long', () => {
  test('is in the folder of the session, else in that of temporary files', async () => {
    const place = await openDeepPlace();
    const session = await temporaryFolder();
    const inSession = socketPathFor({ ...place, env: { XDG_RUNTIME_DIR: session } });
    expect(inSession).toMatch(new RegExp(`^${session}/calmcp-[0-9a-f]{12}/d\\.sock$`));
    const relative = socketPathFor({ ...place, env: { XDG_RUNTIME_DIR: 'run' } });
    expect(relative).toMatch(
      new RegExp(`^${place.temporaryFolder}/calmcp-${process.getuid?.()}-[0-9a-f]{12}/d\\.sock$`),
    );
    expect(socketPathFor({ ...place, env: { XDG_RUNTIME_DIR: `/${'r'.repeat(90)}` } })).toBe(relative);
    // Another state folder has another daemon.
    expect(socketPathFor({ ...place, stateFolder: `${place.stateFolder}2` })).not.toBe(relative);
  });

  test('is one that the system takes, to the last byte', async () => {
    const folder = await temporaryFolder();
    const most = 103 - '.new'.length - '/daemon.sock'.length;
    const longest = join(folder, 'x'.repeat(most - Buffer.byteLength(folder) - 1));
    const home = await claimed(await openPlace(longest));
    expect(home.record.socket).toBe(join(longest, 'daemon.sock'));
    expect(await greeting(home.record.socket)).toBe('hello');
    // One byte more, and each of these is two.
    expect(socketPathFor(await openPlace(`${longest}x`))).not.toContain(longest);
    expect(socketPathFor(await openPlace(longest.replaceAll('x', 'é')))).not.toContain('é');
  });

  test('is as private as any other, and its folder is found again', async () => {
    const place = await openDeepPlace();
    const home = await claimed(place);
    const { socket } = home.record;
    expect(dirname(dirname(socket))).toBe(place.temporaryFolder);
    expect([await modeOf(dirname(socket)), await modeOf(socket), await isOwnSocket(socket)]).toEqual([
      '700',
      '600',
      true,
    ]);
    await home.release();
    expect(await readdir(dirname(socket))).toEqual([]);
    await claimed(place);
  });

  test('that is too long everywhere is told, with what to do', async () => {
    const place = { ...(await openDeepPlace()), temporaryFolder: `/${'t'.repeat(90)}` };
    expect(() => socketPathFor(place)).toThrow(/too long for this system/);
    await expect(claimed(place)).rejects.toMatchObject({ code: 'CONFIG_INVALID', hint: /CALMCP_HOME/ });
  });

  test('is not put into a folder that others can open, nor through a link, nor into somebody else’s', async () => {
    const place = await openDeepPlace();
    const folder = dirname(socketPathFor(place));
    const refused = { code: 'CONFIG_INVALID' };
    await mkdir(folder, { mode: 0o755 });
    await expect(claimed(place)).rejects.toMatchObject({ ...refused, hint: `run: chmod 700 ${folder}` });
    await chmod(folder, 0o700);
    await rename(folder, `${folder}-elsewhere`);
    await symlink(`${folder}-elsewhere`, folder);
    await expect(claimed(place)).rejects.toMatchObject({ ...refused, message: /is not a folder of yours/ });
    await rm(folder);
    await writeFile(folder, '');
    await expect(claimed(place)).rejects.toMatchObject({ ...refused, message: /is not a folder of yours/ });
    await rm(folder);
    if (isRoot) {
      await mkdir(folder, { mode: 0o700 });
      await chown(folder, 12_345, 12_345);
      await expect(claimed(place)).rejects.toMatchObject({ ...refused, message: /is not a folder of yours/ });
    }
    expect(await readDaemonRecord(place.stateFolder)).toBeUndefined();
  });
});

describe.skipIf(isWindows)('a client', () => {
  test('does not take a socket that somebody else may have put there for ours', async () => {
    const place = await openDeepPlace();
    const home = await claimed(place);
    const { socket } = home.record;
    await chmod(dirname(socket), 0o777);
    expect(await isOwnSocket(socket)).toBe(false);
    await chmod(dirname(socket), 0o700);
    expect(await isOwnSocket(socket)).toBe(true);
    if (isRoot) {
      await chown(dirname(socket), 12_345, 12_345);
      expect(await isOwnSocket(socket)).toBe(false);
      await chown(dirname(socket), 0, 0);
    }
    expect(await isOwnSocket('/nowhere/d.sock')).toBe(false);
    await writeFile(join(dirname(socket), 'file'), '');
    expect(await isOwnSocket(join(dirname(socket), 'file'))).toBe(false);
  });

  test('nor does the next daemon: one that sits where ours was is no owner', async () => {
    const place = await openDeepPlace();
    const home = await claimed(place);
    const folder = dirname(home.record.socket);
    // Somebody else has made the folder anew, and listens in it.
    await chmod(folder, 0o777);
    await expect(claimed(place)).rejects.toMatchObject({ code: 'CONFIG_INVALID', hint: `run: chmod 700 ${folder}` });
    expect(await readdir(folder)).toEqual(['d.sock']);
  });

  test('tells nobody from one who does not answer', async () => {
    const place = await openPlace();
    await leaveBehind(place);
    expect(await reach(join(place.stateFolder, 'daemon.sock'), 1_000)).toBe('nobody');
    expect(await reach(join(place.stateFolder, 'none.sock'), 1_000)).toBe('nobody');
    await writeFile(join(place.stateFolder, 'file'), '');
    expect(await reach(join(place.stateFolder, 'file'), 1_000)).toBe('nobody');
    // Whose queue is full.
    const path = join(place.stateFolder, 'full.sock');
    const stopped = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen({path:${JSON.stringify(path)},backlog:1},()=>{console.log('x');setTimeout(()=>process.kill(process.pid,'SIGSTOP'),50)})`,
    ]);
    onTestFinished(() => void stopped.kill('SIGKILL'));
    await once(stopped.stdout, 'data');
    await new Promise((resolve) => setTimeout(resolve, 150));
    const reached = await Promise.all(Array.from({ length: 5 }, () => reach(path, 200)));
    for (const socket of reached) if (typeof socket !== 'string') socket.destroy();
    expect(reached).toContain('no answer');
    expect(reached).not.toContain('nobody');
  });
});

test('a pipe’s name is another one each time, as anybody may take one that is free', async () => {
  const place: SocketPlace = { ...(await openPlace()), platform: 'win32' };
  const names = new Set([socketPathFor(place), socketPathFor(place)]);
  expect(names.size).toBe(2);
  for (const name of names) expect(name).toMatch(/^\\\\\.\\pipe\\calmcp-[0-9a-f]{32}$/);
});
