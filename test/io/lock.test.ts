import { spawn } from 'node:child_process';
import { access, mkdir, readdir, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { describe, expect, onTestFinished, test } from 'vitest';
import { withLock } from '../../src/io/lock.ts';
import { temporaryFolder } from '../harness.ts';

const never = new AbortController().signal;
const LEASE = { signal: never, leaseMs: 60_000 };
const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function ownerFile(
  path: string,
  owner: Partial<Record<'pid' | 'started' | 'host' | 'nonce' | 'until' | 'untilUptime', unknown>>,
): Promise<void> {
  await writeFile(
    path,
    JSON.stringify({
      pid: process.pid,
      started: null,
      host: hostname(),
      nonce: 'x',
      until: Date.now() + 60_000,
      ...owner,
    }),
  );
}

/** A process of its own that takes the lock at argv[2], says "held" and keeps it for argv[3] milliseconds. */
async function holderProgram(folder: string): Promise<string> {
  const outfile = join(folder, 'holder.mjs');
  await build({
    stdin: {
      contents: `import { withLock } from './src/io/lock.ts';
        await withLock(process.argv[2], { signal: new AbortController().signal, leaseMs: 60_000 }, async () => {
          process.stdout.write('held');
          await new Promise((resolve) => setTimeout(resolve, Number(process.argv[3])));
        });`,
      resolveDir: join(import.meta.dirname, '../..'),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    banner: { js: "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);" },
  });
  return outfile;
}

describe('a lock', () => {
  test('lets one run after the other and leaves nothing behind', async () => {
    const folder = await temporaryFolder();
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 20 }, () =>
        withLock(join(folder, 'a.lock'), LEASE, async () => {
          most = Math.max(most, ++inside);
          await new Promise((resolve) => setTimeout(resolve, 2));
          inside--;
        }),
      ),
    );
    expect(most).toBe(1);
    expect(await readdir(folder)).toEqual([]);
  });

  test('is given back when the work throws, and the error comes through', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    const error = new Error('broken');
    await expect(withLock(path, LEASE, () => Promise.reject(error))).rejects.toBe(error);
    expect(await exists(path)).toBe(false);
  });

  test('of a process that runs is waited for, and no longer than the signal says', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    await ownerFile(path, {});
    const started = performance.now();
    await expect(
      withLock(path, { signal: AbortSignal.timeout(200), leaseMs: 60_000 }, async () => 1),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(performance.now() - started).toBeGreaterThan(190);
    expect(await exists(path)).toBe(true);
  });

  test.each([
    ['a process that is gone', { pid: 2 ** 22 + 1 }],
    ['an earlier process with the same number', { started: '1' }],
    ['a lease that has run out', { until: Date.now() - 1 }],
    ['a lease on another machine that has run out', { host: 'elsewhere', until: Date.now() - 1 }],
  ])('of %s is taken at once', async (_name, owner) => {
    const path = join(await temporaryFolder(), 'a.lock');
    await ownerFile(path, owner);
    const started = performance.now();
    expect(await withLock(path, LEASE, async () => 'mine')).toBe('mine');
    expect(performance.now() - started).toBeLessThan(500);
    expect(await exists(path)).toBe(false);
  });

  const inAMinute = (): number => Number(process.hrtime.bigint() / 1_000_000n) + 60_000;
  const DAY = 86_400_000;

  test.each([
    ['forward', Date.now() - DAY],
    ['back', Date.now() + DAY],
  ])('of a process that runs is not lost when the clock is set %s by a day', async (_way, until) => {
    const path = join(await temporaryFolder(), 'a.lock');
    await ownerFile(path, { until, untilUptime: inAMinute() });
    await expect(
      withLock(path, { signal: AbortSignal.timeout(200), leaseMs: 60_000 }, async () => 1),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(await exists(path)).toBe(true);
  });

  test.each([
    ['whose lease has run out, and whose clock was set back since', { until: Date.now() + DAY, untilUptime: 1 }],
    ['of a time before the machine was started anew', { until: Date.now() + DAY, untilUptime: inAMinute() + 10 * DAY }],
    [
      'of another machine, from a time when this one’s clock was a day ahead',
      { host: 'elsewhere', until: Date.now() + DAY },
    ],
  ])('%s is taken at once', async (_name, owner) => {
    const path = join(await temporaryFolder(), 'a.lock');
    await ownerFile(path, owner);
    const ahead = new Date(Date.now() + DAY);
    await utimes(path, ahead, ahead);
    const started = performance.now();
    expect(await withLock(path, LEASE, async () => 'mine')).toBe('mine');
    expect(performance.now() - started).toBeLessThan(500);
  });

  test('that stays unreadable is nobody’s, also when it was made by a clock that was a day ahead', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    await writeFile(path, '');
    const ahead = new Date(Date.now() + DAY);
    await utimes(path, ahead, ahead);
    expect(await withLock(path, LEASE, async () => 'mine')).toBe('mine');
  });

  test('on another machine is believed until its lease is over, whatever runs here under that number', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    await ownerFile(path, { host: 'elsewhere', pid: 2 ** 22 + 1, until: Date.now() + 300 });
    const started = performance.now();
    await withLock(path, LEASE, async () => undefined);
    expect(performance.now() - started).toBeGreaterThan(250);
  });

  test('that stays unreadable is nobody’s', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    await writeFile(path, '');
    const started = performance.now();
    expect(await withLock(path, LEASE, async () => 'mine')).toBe('mine');
    // Its owner might have been about to write its name into it.
    expect(performance.now() - started).toBeGreaterThan(1_500);
  });

  test.each(['{}', '5', 'null', '[]', '{"pid":"x"}'])('that holds %s is nobody’s', async (content) => {
    const path = join(await temporaryFolder(), 'a.lock');
    await writeFile(path, content);
    const long = new Date(Date.now() - 10_000);
    await utimes(path, long, long);
    expect(await withLock(path, LEASE, async () => 'mine')).toBe('mine');
  });

  test('with a lease that no lock can have, of a machine whose clock was wrong, is believed for ten minutes at most', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    await ownerFile(path, { host: 'elsewhere', until: Date.now() + 365 * 86_400_000 });
    const long = new Date(Date.now() - 601_000);
    await utimes(path, long, long);
    expect(await withLock(path, LEASE, async () => 'mine')).toBe('mine');
  });

  test('that is a folder, or cannot be written, is told with its path', async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, 'a.lock'));
    await expect(withLock(join(folder, 'a.lock'), LEASE, async () => 1)).rejects.toMatchObject({
      name: 'CalmcpError',
      message: expect.stringMatching(/could not write .*a\.lock \(EISDIR\)/),
    });
    await expect(withLock('/dev/null/state/a.lock', LEASE, async () => 1)).rejects.toMatchObject({
      name: 'CalmcpError',
    });
  });

  test('that was taken from us is not removed by us', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    await withLock(path, LEASE, () => ownerFile(path, { nonce: 'theirs' }));
    expect(await exists(path)).toBe(true);
  });

  test('left behind in the middle of breaking another one is broken too', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    await ownerFile(path, { pid: 2 ** 22 + 1 });
    await ownerFile(`${path}.break`, { pid: 2 ** 22 + 1 });
    expect(await withLock(path, LEASE, async () => 'mine')).toBe('mine');
    expect(await exists(`${path}.break`)).toBe(false);
  });

  test('is kept between processes, and that of one that was killed is free at once', async () => {
    const folder = await temporaryFolder();
    const program = await holderProgram(folder);
    const path = join(folder, 'a.lock');
    const holder = spawn(process.execPath, [program, path, '60000'], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void holder.kill('SIGKILL'));
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    let got = false;
    const waiting = withLock(path, LEASE, async () => {
      got = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(got).toBe(false);
    holder.kill('SIGKILL');
    const killed = performance.now();
    await waiting;
    expect(performance.now() - killed).toBeLessThan(1_000);
  });

  test('of a dead process that many want at once goes to one after the other', async () => {
    const path = join(await temporaryFolder(), 'a.lock');
    for (let round = 0; round < 20; round++) {
      await ownerFile(path, { pid: 2 ** 22 + 1 });
      let inside = 0;
      await Promise.all(
        Array.from({ length: 8 }, () =>
          withLock(path, LEASE, async () => {
            expect(++inside).toBe(1);
            await new Promise((resolve) => setImmediate(resolve));
            inside--;
          }),
        ),
      );
    }
  });
});
