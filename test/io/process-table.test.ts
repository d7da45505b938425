import { execFileSync, spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { memoryOf, parsePs, processesOfGroup, processesWith, processOf } from '../../src/io/process-table.ts';

/** A process of its own group with a child in it. */
async function startFamily(env: Record<string, string> = {}): Promise<{ group: number; ended: Promise<unknown> }> {
  const sleep = 'setTimeout(() => {}, 30_000);';
  const program = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(sleep)}], { stdio: 'ignore' }); console.log('yes'); ${sleep}`;
  const running = spawn(process.execPath, ['-e', program], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const group = running.pid ?? 0;
  onTestFinished(() => {
    try {
      process.kill(-group, 'SIGKILL');
    } catch {
      // The test has ended it.
    }
  });
  const ended = new Promise((resolve) => running.once('exit', resolve));
  await new Promise((resolve) => running.stdout.once('data', resolve));
  return { group, ended };
}

test('a process is itself as long as it runs, and nothing afterwards', async () => {
  const { group, ended } = await startFamily();
  const first = await processOf(group);
  expect(first).toEqual({ pid: group, group, started: expect.stringMatching(/\d/) });
  expect(await processOf(group)).toEqual(first);
  expect((await processOf(process.pid))?.started).not.toBe(first?.started);
  process.kill(-group, 'SIGKILL');
  await ended;
  expect(await processOf(group)).toBeUndefined();
  expect(await processOf(2 ** 30)).toBeUndefined();
});

test('a group has all of its processes, also when the first of it has gone', async () => {
  const { group, ended } = await startFamily();
  expect(await processesOfGroup(group)).toHaveLength(2);
  process.kill(group, 'SIGKILL');
  await ended;
  const left = await processesOfGroup(group);
  expect(left).toHaveLength(1);
  expect(left[0]?.pid).not.toBe(group);
});

test.runIf(process.platform === 'linux')(
  'processes are found by the whole of a variable in their environment',
  async () => {
    const { group } = await startFamily({ CALMCP_TEST_MARK: 'one two' });
    const found = await processesWith('CALMCP_TEST_MARK', 'one two');
    expect(found.map((each) => each.group)).toEqual([group, group]);
    expect(await processesWith('CALMCP_TEST_MARK', 'one')).toEqual([]);
    expect(await processesWith('TEST_MARK', 'one two')).toEqual([]);
  },
);

test('ps is understood as it prints', async () => {
  const { group } = await startFamily();
  const printed = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,lstart='], {
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' },
    encoding: 'utf8',
  });
  const own = parsePs(printed).filter((each) => each.group === group);
  expect(own).toHaveLength(2);
  for (const { started } of own) expect(Math.abs(Date.parse(`${started} UTC`) - Date.now())).toBeLessThan(120_000);
  expect(parsePs('  4711  4700 Fri Nov 20 14:57:33 2026\n')).toEqual([
    { pid: 4_711, group: 4_700, started: 'Fri Nov 20 14:57:33 2026' },
  ]);
  expect(parsePs('')).toEqual([]);
});

test('memory is that of all of them, in bytes', async () => {
  const { group } = await startFamily();
  const [one, other] = (await processesOfGroup(group)).map(({ pid }) => pid);
  const alone = (await memoryOf([one ?? 0])) ?? 0;
  expect(alone).toBeGreaterThan(10_000_000);
  expect(await memoryOf([one ?? 0, other ?? 0])).toBeGreaterThan(alone);
  expect(await memoryOf([])).toBeUndefined();
  expect(await memoryOf([2 ** 30])).toBeUndefined();
});
