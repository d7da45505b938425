/** calmcp is killed while real child servers are busy: they go with it, though nobody is left to end them. */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isPortFree } from '../../src/io/port-owner.ts';
import { pause } from '../../src/io/time-limit.ts';
import { homeGoogleClient } from '../../src/sandbox/index.ts';
import { childLine, type RealServer } from '../children.ts';
import {
  builtEnvironment,
  cli,
  googleAccounts,
  googleSignIn,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';
import { childrenUnder, untilNoneUnder } from '../processes.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const forever = new AbortController().signal;

/** Folders of running servers, which go with them. */
async function instances(folder: string, account: string): Promise<string[]> {
  const names = await readdir(join(folder, 'state', 'children', account)).catch(() => []);
  return names.filter((name) => /^\d+-/.test(name));
}

const ways: readonly (readonly [string, RealServer, Readonly<Record<string, string>>])[] = [
  ['ms-365 on a port', 'ms-365', {}],
  ['ms-365 on pipes', 'ms-365', { transport: 'stdio' }],
  ['google-calendar on pipes', 'google-calendar', {}],
];

describe.skipIf(process.platform !== 'linux')('calmcp killed in the middle of a call (Linux tells what runs)', () => {
  test.each(ways)(
    '%s ends by itself, and the next start removes what it left',
    async (_name, server, more) => {
      const sandbox = await openSandbox();
      const folder = await temporaryFolder();
      const line = childLine(server, sandbox, more);
      const isGoogle = server === 'google-calendar';
      const account = isGoogle ? 'home' : 'xebia';
      const yaml = isGoogle
        ? googleAccounts(sandbox, [{ id: 'home', ...homeGoogleClient, more: line }])
        : `${microsoftAccounts(sandbox, [XEBIA]).trimEnd()}\n    ${line}\n`;
      const { app } = await openTestApp(yaml, { folder });
      if (isGoogle) await googleSignIn(app, sandbox, account, 'you@home.example');
      else await signIn(app, sandbox, account, 'you@xebia.example');
      await app.close();
      await writeAccounts(folder, yaml);

      const isReading = ({ path }: { readonly path: string }): boolean => /calendarView|\/events$/i.test(path);
      sandbox.fail({ match: isReading, delayMs: 3_000, times: 1 });
      const running = spawn(process.execPath, [bin, 'agenda', 'today'], {
        env: builtEnvironment(folder),
        stdio: 'ignore',
      });
      onTestFinished(() => void running.kill('SIGKILL'));
      const ended = new Promise((resolve) => running.once('exit', resolve));
      while (!sandbox.requests.some(isReading)) await pause(10, forever);
      expect(await childrenUnder(folder)).not.toEqual([]);

      running.kill('SIGKILL');
      await ended;
      // The answer that it waits for comes after that: whatever it does then, nobody is there to read it.
      await untilNoneUnder(folder, 10_000);
      expect(await instances(folder, account)).toHaveLength(1);

      const answer = await cli(folder, ['agenda', 'today']);
      expect(answer.stderr).toBe('');
      expect(answer.status).toBe(0);
      expect(await instances(folder, account)).toEqual([]);
      expect(await childrenUnder(folder)).toEqual([]);
    },
    60_000,
  );

  test('a command ends when it has answered, with the server', async () => {
    const sandbox = await openSandbox();
    const folder = await temporaryFolder();
    const yaml = `${microsoftAccounts(sandbox, [XEBIA]).trimEnd()}\n    ${childLine('ms-365', sandbox)}\n`;
    const { app } = await openTestApp(yaml, { folder });
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    await app.close();
    await writeAccounts(folder, yaml);
    const running = spawn(process.execPath, [bin, 'agenda', 'today'], {
      env: builtEnvironment(folder),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const answered = new Promise<number>((resolve) => running.stdout.once('data', () => resolve(performance.now())));
    const ended = new Promise<number>((resolve) => running.once('exit', () => resolve(performance.now())));
    // A timer of five seconds, which nobody waited for, kept it alive once.
    expect((await ended) - (await answered)).toBeLessThan(4_000);
  }, 60_000);

  test('a server on a fixed port leaves it free', async () => {
    const sandbox = await openSandbox();
    const folder = await temporaryFolder();
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const yaml = `${microsoftAccounts(sandbox, [XEBIA]).trimEnd()}\n    ${childLine('ms-365', sandbox, { port })}\n`;
    const { app } = await openTestApp(yaml, { folder });
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    const provider = await app.account('xebia').open();
    await provider.listCalendars({
      signal: forever,
      deadline: performance.now() + 20_000,
      countRequest: () => undefined,
    });
    expect(await isPortFree(port)).toBe(false);
    await app.close();
    expect(await isPortFree(port)).toBe(true);
  }, 60_000);
});
