import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hasBrowser, openBrowser } from '../../src/io/open-browser.ts';
import { temporaryFolder } from '../harness.ts';

/** A browser that writes down how it was started. */
async function recorder(): Promise<{ program: string; started: () => Promise<unknown>; folder: string }> {
  const folder = await temporaryFolder();
  const program = join(folder, 'a browser "with" $(odd) name');
  const record = join(folder, 'argv.json');
  await writeFile(
    program,
    `#!${process.execPath}
const { renameSync, writeFileSync } = require('node:fs');
writeFileSync('${record}.part', JSON.stringify(process.argv.slice(2)));
renameSync('${record}.part', '${record}');
`,
  );
  await chmod(program, 0o755);
  const read = (): Promise<unknown> =>
    readFile(record, 'utf8').then(
      (text) => JSON.parse(text) as unknown,
      () => undefined,
    );
  return {
    program,
    folder,
    started: () => expect.poll(read, { timeout: 10_000 }).toBeDefined().then(read),
  };
}

const platform = 'linux';

describe('openBrowser', () => {
  test.each([
    ['a shell’s substitution', (folder: string) => `https://x.example/$(touch\${IFS}${folder}/owned)`],
    [
      'backticks and separators',
      (folder: string) => `https://x.example/?a=\`touch ${folder}/owned\`;touch ${folder}/owned&b|c`,
    ],
    ['spaces, quotes and percent signs', () => `https://x.example/a b'c"d%20e?f=%PATH%&g='h'"i" j#k "l`],
    ['what would be another option', () => 'https://x.example/ --user-data-dir=/tmp -e'],
    ['http on this machine', () => 'http://127.0.0.1:4000/devicelogin'],
  ])('T33: hands %s to the program as one argument, without a shell', async (_name, urlIn) => {
    const { program, started, folder } = await recorder();
    const url = urlIn(folder);
    expect(await openBrowser(url, { platform, env: { BROWSER: program } })).toBe(true);
    expect(await started()).toEqual([new URL(url).href]);
    await expect(stat(join(folder, 'owned'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('T33: hands on what was checked, not what was written', async () => {
    const { program, started } = await recorder();
    await openBrowser('\t \nhttps://x.example/', { platform, env: { BROWSER: program } });
    expect(await started()).toEqual(['https://x.example/']);
  });

  test('T33: keeps from the program what is meant for calmcp alone', async () => {
    const folder = await temporaryFolder();
    const [program, record] = [join(folder, 'browser'), join(folder, 'env')];
    await writeFile(program, `#!/bin/sh\n/usr/bin/env > '${record}.part'; /bin/mv '${record}.part' '${record}'\n`);
    await chmod(program, 0o755);
    const env = { BROWSER: program, DISPLAY: ':0', CALMCP_PASSPHRASE: 'CANARY', CALMCP_HOME: '/x' };
    await openBrowser('https://x.example/', { platform, env });
    const read = (): Promise<string> => readFile(record, 'utf8').catch(() => '');
    await expect.poll(read, { timeout: 10_000 }).toContain('DISPLAY=:0');
    expect(await read()).not.toMatch(/CALMCP|CANARY/);
  });

  test.each([
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/html,x',
    'ftp://x.example/',
    'vscode://x',
    'ms-settings:about',
    'http://x.example/',
    'http://127.0.0.1.x.example/',
    'http://localhost.x.example/',
    'http://x.example@evil.example/',
    'https',
    '-e',
    '',
  ])('T33: opens nothing for %s', async (url) => {
    const { program, folder } = await recorder();
    const opening = (async () => openBrowser(url, { platform, env: { BROWSER: program } }))();
    await expect(opening).rejects.toThrow(TypeError);
    await expect(stat(join(folder, 'argv.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each(['http://localhost:1/', 'http://[::1]:1/', 'http://127.0.0.1/', 'HTTPS://X.EXAMPLE'])(
    'opens %s',
    async (url) => {
      const { program, started } = await recorder();
      expect(await openBrowser(url, { platform, env: { BROWSER: program } })).toBe(true);
      expect(await started()).toEqual([new URL(url).href]);
    },
  );

  test('says so when there is no such program, or it may not be started', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'text'), 'not a program', { mode: 0o600 });
    for (const BROWSER of ['/nonexistent/browser', 'firefox --private-window', join(folder, 'text'), folder])
      expect(await openBrowser('https://x.example/', { platform, env: { BROWSER } })).toBe(false);
  });
});

describe('hasBrowser', () => {
  test.each<[boolean, NodeJS.Platform, Record<string, string>]>([
    [false, 'linux', {}],
    [true, 'linux', { DISPLAY: ':0' }],
    [true, 'linux', { WAYLAND_DISPLAY: 'wayland-0' }],
    [false, 'linux', { DISPLAY: 'localhost:10.0', SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }],
    [true, 'linux', { SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22', BROWSER: '/usr/bin/remote-open' }],
    [true, 'darwin', {}],
    [false, 'darwin', { SSH_TTY: '/dev/ttys001' }],
    [true, 'win32', {}],
  ])('is %s on %s with %j', (expected, on, env) => {
    expect(hasBrowser({ platform: on, env })).toBe(expected);
  });
});
