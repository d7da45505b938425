import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');

test('the demo signs three accounts in, prints their merged week, says what comes next and leaves nothing behind', async () => {
  const home = await temporaryFolder();
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [bin, 'demo'], {
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, CALMCP_HOME: '/nowhere', CALMCP_KEYSTORE: 'keychain' },
    timeout: 20_000,
  });
  expect(stderr).toBe('');
  for (const account of ['xebia', 'marimer', 'northwind'])
    expect(stdout).toMatch(new RegExp(`^ {2}${account} +signed in as you@${account}\\.example$`, 'm'));
  for (const account of ['xebia', 'marimer', 'northwind', 'community'])
    expect(stdout).toMatch(new RegExp(`^${account} +ok `, 'm'));
  expect(stdout).not.toContain('INCOMPLETE');
  const steering = stdout.split('\n').filter((line) => line.includes('Steering committee'));
  expect(steering).toEqual([
    expect.stringMatching(/14:00–15:00 .* xebia, marimer /),
    // As marimer sees it.
    expect.stringMatching(/14:00–15:00 {2}Steering committee {2}marimer /),
  ]);
  expect(stdout).toMatch(/^ {2}1\. Monday 23 November 2026 +14:15–15:00$/m);
  expect(stdout).toMatch(/^ {2}13:30–14:00 {2}Retrospective +13:00–14:00 {2}xebia$/m);
  // A dry run of a new event in the one account that may be written to, and then the event.
  expect(stdout).toMatch(
    /^Nothing was done\. This would be:\n {2}where +northwind: Calendar\n {2}title +Roadmap talk$/m,
  );
  expect(stdout).toMatch(/^Created\n {2}where +northwind: Calendar\n {2}what +Monday 23 November 2026, 14:15–15:00/m);
  expect(stdout).toMatch(/^Your own calendars: calmcp init/m);
  expect(await readdir(home)).toEqual([]);
});

test('Ctrl-C ends the sandbox, and what it wrote is a configuration that works', async () => {
  const home = await temporaryFolder();
  const file = join(home, 'accounts.yaml');
  const running = execFile(process.execPath, [bin, 'sandbox', '--write', file], {
    env: { PATH: process.env.PATH, HOME: home },
  });
  const ended = new Promise((resolve) => running.once('exit', resolve));
  let told = '';
  await new Promise<void>((resolve) =>
    running.stderr?.on('data', (text: string) => {
      told += text;
      if (told.includes('Ctrl-C')) resolve();
    }),
  );
  const run = promisify(execFile);
  const env = { PATH: process.env.PATH, HOME: home, CALMCP_KEYSTORE: 'keyfile', CALMCP_CONFIG: file };
  const { stdout } = await run(process.execPath, [bin, 'agenda', 'today', '--account', 'community', '--json'], { env });
  expect(JSON.parse(stdout)).toMatchObject({ complete: true });
  running.kill('SIGINT');
  expect(await ended).toBe(0);
});
