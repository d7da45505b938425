import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createCommandTokens } from '../../src/io/token-command.ts';
import { listAccounts } from '../../src/operations/list-accounts.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { calendar, event, signIn, singleMailbox } from '../../src/sandbox/index.ts';
import { cli, microsoftAccounts, openSandbox, openTestApp, temporaryFolder, writeAccounts, XEBIA } from '../harness.ts';

/** A program that notes each of its runs and prints what `body` makes. */
async function program(body: string): Promise<{ command: string[]; runs: () => Promise<number> }> {
  const folder = await temporaryFolder();
  const file = join(folder, 'token.cjs');
  const notes = join(folder, 'runs');
  await writeFile(notes, '');
  await writeFile(file, `require('fs').appendFileSync(${JSON.stringify(notes)}, 'x');\n${body}`);
  return { command: [process.execPath, file], runs: async () => (await readFile(notes, 'utf8')).length };
}

describe('a token command', () => {
  test('is run once for all who ask, and again when its token was refused', async () => {
    const { command, runs } = await program('console.log("token-" + process.pid)');
    const tokens = createCommandTokens(command, 'a');
    const [first, second] = await Promise.all([tokens.get(), tokens.get()]);
    expect(first).toBe(second);
    expect(await tokens.get()).toBe(first);
    expect(await runs()).toBe(1);
    expect(await tokens.get(first)).not.toBe(first);
    expect(await runs()).toBe(2);
  });

  test('may say when its token ends', async () => {
    const soon = await program(
      'console.log(JSON.stringify({ accessToken: "t", expiresOn: new Date(Date.now() + 60000).toISOString() }))',
    );
    const tokens = createCommandTokens(soon.command, 'a');
    await tokens.get();
    await tokens.get();
    expect(await soon.runs()).toBe(2);
    const later = await program(
      'console.log(JSON.stringify({ accessToken: "t", expiresOn: Math.floor(Date.now() / 1000) + 3600 }))',
    );
    const kept = createCommandTokens(later.command, 'a');
    await kept.get();
    await kept.get();
    expect(await later.runs()).toBe(1);
  });

  test.each([
    ['fails', 'console.error("CANARY"); process.exit(3)', 'AUTH_REQUIRED', /failed \(exit 3\)/],
    ['prints nothing', '', 'BAD_RESPONSE', /printed no token/],
    ['prints a sentence', 'console.log("please CANARY log in")', 'BAD_RESPONSE', /printed no token/],
    ['prints other JSON', 'console.log(JSON.stringify({ token: "CANARY" }))', 'BAD_RESPONSE', /without an accessToken/],
    [
      'prints without an end',
      'process.stdout.write("x".repeat(200000)); setInterval(() => {}, 1000)',
      'BAD_RESPONSE',
      /more than a token/,
    ],
  ])('that %s is told in our words', async (_name, body, code, message) => {
    const error = await createCommandTokens((await program(body)).command, 'a')
      .get()
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, account: 'a', message: expect.stringMatching(message) });
    expect(`${(error as Error).message} ${(error as { hint?: string }).hint}`).not.toContain('CANARY');
  });

  test('that does not exist, or needs a shell, is a mistake in accounts.yaml', async () => {
    for (const command of [['/nonexistent/program'], ['echo token; echo more']])
      await expect(createCommandTokens(command, 'a').get()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  test('that hangs is given up after ten seconds', async () => {
    const { command } = await program('setInterval(() => {}, 1000)');
    const started = performance.now();
    await expect(createCommandTokens(command, 'a').get()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - started).toBeLessThan(11_500);
  }, 20_000);
});

test('an account with a token command needs no sign-in, no keystore, and reads its calendar', async () => {
  const sandbox = await openSandbox({
    data: singleMailbox([
      calendar('Calendar', [event({ subject: 'There', start: '2026-11-23T10:00', end: '2026-11-23T11:00' })]),
    ]),
  });
  const { accessToken } = await signIn(sandbox, {
    username: 'you@xebia.example',
    tenant: XEBIA.tenantId,
    clientId: '11111111-1111-1111-1111-111111111111',
    scope: 'Calendars.Read',
  });
  const { command } = await program(`console.log(${JSON.stringify(accessToken)})`);
  const yaml = `${microsoftAccounts(sandbox, [XEBIA])}    tokenCommand: ${JSON.stringify(command)}\n`;
  const { app } = await openTestApp(yaml);
  const asker = { signal: new AbortController().signal };
  const { events } = await listEvents.run(app, { range: 'today', detail: 'full' }, asker);
  expect(events.map(({ title }) => title)).toEqual(['There']);
  expect((await listAccounts.run(app, {}, asker)).accounts[0]).toMatchObject({ signIn: 'not-needed' });

  const folder = await temporaryFolder();
  await writeAccounts(folder, yaml);
  const login = await cli(folder, ['login', '--account', 'xebia']);
  expect([login.status, login.stderr]).toEqual([64, expect.stringMatching(/needs no sign-in/)]);

  sandbox.revoke('you@xebia.example');
  await expect(listEvents.run(app, { range: 'today', detail: 'full' }, asker)).rejects.toMatchObject({
    code: 'AUTH_REQUIRED',
    hint: expect.stringMatching(/tokenCommand/),
  });
});
