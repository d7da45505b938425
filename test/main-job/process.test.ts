/** The built program as a process among others: pipes that close, disks that are full, things that hang. */
import { execFile, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  microsoftAccounts,
  NOW,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const run = promisify(execFile);

const HALF = `version: 1
accounts:
  fixed: { provider: memory, events: [{ title: Review, start: 2026-11-23T10:00 }] }
  feed: { provider: ics, path: ./missing.ics }
`;

function envOf(folder: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    CALMCP_HOME: folder,
    CALMCP_KEYSTORE: 'keyfile',
    CALMCP_NOW: NOW,
    TMPDIR: folder,
  };
}

async function home(accounts = HALF): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  return folder;
}

/** A line of a shell script; `$calmcp` is the program. */
async function shell(folder: string, script: string): Promise<string> {
  const { stdout } = await run('bash', ['-c', `calmcp="${process.execPath} ${bin}"; ${script}`], {
    env: envOf(folder),
    timeout: 25_000,
  });
  return stdout;
}

describe('the output', () => {
  test('that cannot be written is not success', async () => {
    expect(
      await shell(
        await home(),
        '$calmcp agenda today >/dev/full 2>"$CALMCP_HOME/err"; echo $?; cat "$CALMCP_HOME/err"',
      ),
    ).toBe('74\ncalmcp: the output could not be written (ENOSPC)\n');
  });

  test('that nobody reads to its end keeps the status of the answer', async () => {
    const folder = await home();
    expect(await shell(folder, '$calmcp agenda today 2>&1 | head -0; echo ${PIPESTATUS[0]}')).toBe('3\n');
    expect(
      await shell(folder, '$calmcp agenda --account nobody 2>&1 >/dev/null | head -0; echo ${PIPESTATUS[0]}'),
    ).toBe('64\n');
  });

  test('of a demo that is cut short leaves nothing behind', async () => {
    const folder = await home();
    await shell(folder, '$calmcp demo | head -1');
    expect((await readdir(folder)).filter((name) => name.startsWith('calmcp-demo'))).toEqual([]);
  });
});

test('an MCP server goes on when nobody reads its log', async () => {
  const folder = await home();
  const server = spawn(process.execPath, [bin, 'mcp'], {
    env: { ...envOf(folder), CALMCP_LOG: 'debug' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void server.kill('SIGKILL'));
  server.stderr.destroy();
  const send = (message: object): void =>
    void server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const answers = new Promise<string>((resolve) => {
    let said = '';
    server.stdout.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('"id":3')) resolve(said);
    });
  });
  send({
    id: 1,
    method: 'initialize',
    params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '0' } },
  });
  send({ method: 'notifications/initialized' });
  for (const id of [2, 3])
    send({ id, method: 'tools/call', params: { name: 'list_events', arguments: { range: 'today' } } });
  expect(await answers).toContain('INCOMPLETE');
});

test('a sign-in service that hangs does not hold the process when the answer is given', async () => {
  const sandbox = await openSandbox({ accessTokenSeconds: 120 });
  const yaml = `${microsoftAccounts(sandbox, [XEBIA])}  fixed: { provider: memory }\n`;
  const { app, folder } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await writeAccounts(folder, yaml);
  sandbox.fail({ match: ({ path }) => path.endsWith('/token'), hang: true });
  const started = performance.now();
  const output = await shell(folder, '$calmcp agenda today; echo $?');
  expect(output).toMatch(/xebia +unavailable +did not answer within 20 s/);
  expect(output).toMatch(/\n3\n$/);
  expect(performance.now() - started).toBeLessThan(22_500);
}, 40_000);

describe('a pipe where a file should be', () => {
  test.each([
    ['accounts.yaml', 'mkfifo p; $calmcp --config p agenda; echo $?', /is not a regular file[\s\S]*78/],
    [
      'a reference',
      'mkfifo p; printf \'version: 1\\naccounts: { a: { provider: ics, url: "${FILE:./p}" } }\' > a.yaml; $calmcp --config a.yaml agenda; echo $?',
      /is not readable[\s\S]*78/,
    ],
    [
      'an .ics file',
      "mkfifo p.ics; printf 'version: 1\\naccounts: { a: { provider: ics, path: ./p.ics } }' > a.yaml; $calmcp --config a.yaml agenda; echo $?",
      /is not a regular file[\s\S]*69/,
    ],
  ])('as %s is told at once', async (_name, script, says) => {
    const folder = await home();
    const started = performance.now();
    expect(await shell(folder, `cd ${folder}; { ${script}; } 2>&1`)).toMatch(says);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

test('a terminal that is closed ends a demo, and nothing of it stays', async () => {
  const folder = await home();
  const demo = spawn(process.execPath, [bin, 'demo'], { env: envOf(folder), stdio: 'ignore' });
  const ended = new Promise((resolve) => demo.once('exit', resolve));
  await new Promise((resolve) => setTimeout(resolve, 150));
  demo.kill('SIGHUP');
  await ended;
  expect((await readdir(folder)).filter((name) => name.startsWith('calmcp-demo'))).toEqual([]);
});
