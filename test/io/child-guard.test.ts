/** The guard in processes of its own: each test has a counterpart that shows what happens without it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { GUARD_OPTIONS, LIFELINE_FD, LIFELINE_VARIABLE } from '../../src/io/child-guard.ts';
import { pause } from '../../src/io/time-limit.ts';
import { temporaryFolder } from '../harness.ts';

/** How soon the guard has to end it. */
const SOON_MS = 5_000;
/** How long one has to go on to count as not ended. */
const GOES_ON_MS = 1_500;

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

function start(
  script: string,
  env: Readonly<Record<string, string>>,
  lifeline: 'pipe' | 'ignore' | number = 'ignore',
): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    env: { PATH: process.env.PATH ?? '', SystemRoot: process.env.SystemRoot ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe', lifeline],
  });
  started.push(child);
  return child;
}

/** Resolves when it has said that it is ready. */
const readiness = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.stdout?.once('data', () => resolve());
    child.once('exit', (code) => reject(new Error(`ended at once (${code})`)));
  });

/** @returns its exit status, `still running` after that time */
const endOf = (child: ChildProcess, withinMs: number): Promise<number | NodeJS.Signals | null | 'still running'> =>
  Promise.race([
    new Promise<number | NodeJS.Signals | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode ?? child.signalCode);
      else child.once('exit', (code, signal) => resolve(code ?? signal));
    }),
    pause(withinMs, new AbortController().signal).then(() => 'still running' as const),
  ]);

/** Reports what goes wrong on the stderr that went wrong, as real servers do. */
const REPORTER = `
process.on('uncaughtException', (error) => console.error('uncaught', error));
setInterval(() => process.stderr.write('a line\\n'), 20);
console.log('ready');
`;

/** Has something to do for ever. */
const SERVER = `
import { createServer } from 'node:http';
createServer(() => undefined).listen(0, '127.0.0.1', () => console.log('ready'));
`;

const withLifeline = { NODE_OPTIONS: GUARD_OPTIONS, [LIFELINE_VARIABLE]: String(LIFELINE_FD) };

describe('a server whose stderr nobody reads any more', () => {
  async function deafen(env: Readonly<Record<string, string>>): Promise<ChildProcess> {
    const child = start(REPORTER, env);
    await readiness(child);
    child.stderr?.destroy();
    return child;
  }

  test('ends by itself', async () => {
    expect(await endOf(await deafen({ NODE_OPTIONS: GUARD_OPTIONS }), SOON_MS)).toBe(0);
  });

  test('would go on without the guard', async () => {
    expect(await endOf(await deafen({}), GOES_ON_MS)).toBe('still running');
  });
});

describe('the lifeline', () => {
  const cut = (child: ChildProcess): void => {
    const lifeline = child.stdio[LIFELINE_FD];
    if (!lifeline) throw new TypeError('no lifeline');
    lifeline.destroy();
  };

  test('ends a server that has a port open when it ends, and not before', async () => {
    const child = start(SERVER, withLifeline, 'pipe');
    await readiness(child);
    expect(await endOf(child, GOES_ON_MS)).toBe('still running');
    cut(child);
    expect(await endOf(child, SOON_MS)).toBe(0);
  });

  test('keeps nothing running that has nothing to do', async () => {
    expect(await endOf(start('', withLifeline, 'pipe'), SOON_MS)).toBe(0);
  });

  test.each([
    ['without the guard', { [LIFELINE_VARIABLE]: String(LIFELINE_FD) }],
    ['of somebody else', { NODE_OPTIONS: GUARD_OPTIONS }],
  ])('%s ends nothing', async (_name, env) => {
    const child = start(SERVER, env, 'pipe');
    await readiness(child);
    cut(child);
    expect(await endOf(child, GOES_ON_MS)).toBe('still running');
  });

  test('is no plain file: one that a wrapper opened there ends nothing', async () => {
    const file = openSync(join(await temporaryFolder(), 'log'), 'w+');
    try {
      const child = start(SERVER, withLifeline, file);
      await readiness(child);
      expect(await endOf(child, GOES_ON_MS)).toBe('still running');
    } finally {
      closeSync(file);
    }
  });

  test('is not handed on: what the server starts does not know of it', async () => {
    const child = start(
      `console.log(JSON.stringify(process.env.${LIFELINE_VARIABLE} ?? null)); setInterval(() => undefined, 1_000);`,
      withLifeline,
      'pipe',
    );
    const said = await new Promise<string>((resolve) => child.stdout?.once('data', (data) => resolve(String(data))));
    expect(said.trim()).toBe('null');
  });
});
