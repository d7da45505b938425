import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { endLeftovers, holdLease, type Lease, listLeases, processesOf } from '../../src/io/child-lease.ts';
import { processOf } from '../../src/io/process-table.ts';
import { temporaryFolder } from '../harness.ts';
import { isRunning } from './child-harness.ts';

const NONCE = 'ab'.repeat(12);
const about = { account: 'work', server: 'ms-365', transport: 'stdio' } as const;

/** A process that does nothing for a while. */
async function startSleeper(
  env: Record<string, string> = {},
): Promise<{ pid: number; started: string; group: number }> {
  const running = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'], {
    env,
    stdio: 'ignore',
    detached: true,
  });
  onTestFinished(() => void running.kill('SIGKILL'));
  await new Promise((resolve) => running.once('spawn', resolve));
  const entry = await processOf(running.pid ?? 0);
  if (entry === undefined) throw new Error('it does not run');
  return entry;
}

/** A number and a start that no process has any more. */
async function gone(): Promise<{ pid: number; started: string }> {
  const running = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 300)'], { stdio: 'ignore' });
  const ended = new Promise((resolve) => running.once('exit', resolve));
  const { pid, started } = (await processOf(running.pid ?? 0)) ?? { pid: 0, started: '' };
  await ended;
  return { pid, started };
}

async function writeLease(
  folder: string,
  { owner, nonce = NONCE, ...more }: Partial<Lease> & Pick<Lease, 'owner'>,
): Promise<string> {
  const own = join(folder, 'work', `${owner.pid}-${nonce}`);
  await mkdir(join(own, 'home'), { recursive: true });
  const lease = { ...about, nonce, owner, state: 'ready', restarts: 0, ...more };
  await writeFile(join(own, 'lease.json'), JSON.stringify(lease));
  return own;
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

test('a lease tells others what is true now, is private, and goes with all of its folder', async () => {
  const folder = await temporaryFolder();
  const held = await holdLease(folder, about);
  expect((await stat(held.folder)).mode & 0o777).toBe(0o700);
  expect((await stat(join(held.folder, 'lease.json'))).mode & 0o777).toBe(0o600);
  const process = { pid: 4, started: '5', group: 4 };
  void held.update({ state: 'starting', restarts: 0 });
  void held.update({ state: 'ready', restarts: 0, process, port: 6 });
  await held.update({ state: 'degraded', restarts: 1, process });
  const [found] = await listLeases(folder);
  expect(found?.lease).toMatchObject({ ...about, state: 'degraded', restarts: 1, process, nonce: held.nonce });
  expect(found?.lease.port).toBeUndefined();
  await held.release();
  await held.update({ state: 'ready', restarts: 1 });
  expect(await listLeases(folder)).toEqual([]);
  expect(await readdir(join(folder, 'work'))).toEqual([]);
});

test('a fresh start that was asked for is noticed once', async () => {
  const folder = await temporaryFolder();
  const held = await holdLease(folder, about);
  expect(await held.takeRestart()).toBe(false);
  await writeFile(join(held.folder, 'restart'), '');
  expect([await held.takeRestart(), await held.takeRestart()]).toEqual([true, false]);
});

test('what a calmcp that was killed left behind is ended, whatever session it is in, and its files go', async () => {
  const folder = await temporaryFolder();
  const leader = await startSleeper({ CALMCP_CHILD: NONCE });
  const other = await startSleeper({ CALMCP_CHILD: NONCE });
  const own = await writeLease(folder, { owner: await gone(), process: leader });
  expect(await listLeases(folder)).toEqual([]);
  expect(await endLeftovers(folder)).toBe(2);
  expect(await isRunning(leader.pid)).toBe(false);
  expect(await isRunning(other.pid)).toBe(false);
  expect(await isThere(own)).toBe(false);
});

test('a leader that has lost its environment is found by its number and start', async () => {
  const folder = await temporaryFolder();
  const leader = await startSleeper();
  await writeLease(folder, { owner: await gone(), process: leader });
  expect(await endLeftovers(folder)).toBe(1);
  expect(await isRunning(leader.pid)).toBe(false);
});

test('a process that was given the number of one that has ended is not touched', async () => {
  const folder = await temporaryFolder();
  const stranger = await startSleeper();
  const own = await writeLease(folder, { owner: await gone(), process: { ...stranger, started: '1' } });
  expect(await endLeftovers(folder)).toBe(0);
  expect(await isRunning(stranger.pid)).toBe(true);
  expect(await isThere(own)).toBe(false);
});

test('what belongs to a calmcp that runs is left alone', async () => {
  const folder = await temporaryFolder();
  const leader = await startSleeper({ CALMCP_CHILD: NONCE });
  const { pid, started } = await startSleeper();
  const own = await writeLease(folder, { owner: { pid, started }, process: leader });
  const mine = await holdLease(folder, about);
  expect(await endLeftovers(folder)).toBe(0);
  expect(await isRunning(leader.pid)).toBe(true);
  expect(await isThere(own)).toBe(true);
  expect(await isThere(mine.folder)).toBe(true);
  expect(await listLeases(folder)).toHaveLength(2);
});

test('one of an earlier calmcp with the number of this one, as in a container, counts as left behind', async () => {
  const folder = await temporaryFolder();
  const leader = await startSleeper({ CALMCP_CHILD: NONCE });
  const own = await writeLease(folder, { owner: { pid: process.pid, started: '1' }, process: leader });
  expect(await listLeases(folder)).toEqual([]);
  expect(await endLeftovers(folder)).toBe(1);
  expect(await isRunning(leader.pid)).toBe(false);
  expect(await isThere(own)).toBe(false);
});

test('a folder that was never finished goes when its calmcp has gone, or after a while', async () => {
  const folder = await temporaryFolder();
  const dead = await gone();
  const alive = await startSleeper();
  const paths = {
    dead: join(folder, 'work', `${dead.pid}-${NONCE}`),
    broken: join(folder, 'work', `${dead.pid}-${'cd'.repeat(12)}`),
    young: join(folder, 'work', `${alive.pid}-${NONCE}`),
    old: join(folder, 'work', `${alive.pid}-${'cd'.repeat(12)}`),
    own: join(folder, 'work', 'own'),
  };
  for (const path of Object.values(paths)) await mkdir(path, { recursive: true });
  await writeFile(join(paths.broken, 'lease.json'), '{"account":"wo');
  await writeFile(join(paths.own, 'tokens.json'), '{}');
  const before = new Date(Date.now() - 3_600_000);
  await utimes(paths.old, before, before);
  expect(await endLeftovers(folder)).toBe(0);
  expect((await readdir(join(folder, 'work'))).sort()).toEqual([`${alive.pid}-${NONCE}`, 'own']);
  expect(await readFile(join(paths.own, 'tokens.json'), 'utf8')).toBe('{}');
  expect(await isRunning(alive.pid)).toBe(true);
});

test('where there are no child servers there is nothing to end', async () => {
  expect(await endLeftovers(join(await temporaryFolder(), 'nowhere'))).toBe(0);
});

test('calmcp itself is never one of the processes of a lease', async () => {
  const self = await processOf(process.pid);
  if (self === undefined) throw new Error('no self');
  expect((await processesOf({ nonce: NONCE, process: self })).map(({ pid }) => pid)).not.toContain(process.pid);
});
