/** `tokens: own`: the real ms-365 server signs in by itself, and keeps its tokens where no other account's are. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { App } from '../../../src/accounts/registry.ts';
import { type Agenda, listEvents } from '../../../src/operations/list-events.ts';
import type { Sandbox } from '../../../src/sandbox/index.ts';
import { childLine, withChild } from '../../children.ts';
import {
  type CliResult,
  cli,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../../harness.ts';
import { ask } from '../../operations/questions.ts';

const own = (sandbox: Sandbox): string => childLine('ms-365', sandbox, { transport: 'stdio', tokens: 'own' });

const week = (app: App, accounts: string): Promise<Agenda> =>
  ask(listEvents, app, { range: 'this week', detail: 'full', accounts });
const titles = ({ events }: Agenda): (string | null | undefined)[] => events.map(({ title }) => title);

/** The command, and a person who types the code that it tells. */
function login(folder: string, sandbox: Sandbox, account: string, username: string): Promise<CliResult> {
  let told = '';
  let isApproved = false;
  const stderr = {
    isTerminal: false,
    write(text: string): void {
      told += text;
      const code = /type (\S+) /.exec(told)?.[1];
      if (code === undefined || isApproved) return;
      isApproved = true;
      sandbox.approve(code, username);
    },
  };
  return cli(folder, ['login', '--account', account, '--device-code'], { stderr }).then((result) => ({
    ...result,
    stderr: told,
  }));
}

test('two tenants with one client id sign in one after the other in one home, and neither answers for the other', async () => {
  // Under 300 s MSAL counts a token as expired at once, so the children refresh theirs.
  const sandbox = await openSandbox({ accessTokenSeconds: 120 });
  const folder = await temporaryFolder();
  const yaml = withChild(microsoftAccounts(sandbox, [XEBIA, MARIMER]), own(sandbox), ['xebia', 'marimer']);
  await writeAccounts(folder, yaml);
  const first = await login(folder, sandbox, 'xebia', 'you@xebia.example');
  expect(first, first.stderr).toMatchObject({ status: 0, stdout: expect.stringContaining('you@xebia.example') });
  expect(await login(folder, sandbox, 'marimer', 'you@marimer.example')).toMatchObject({ status: 0 });

  const { app } = await openTestApp(yaml, { folder });
  const { stdout } = await cli(folder, ['status']);
  for (const [account, you] of [
    ['xebia', 'you@xebia.example'],
    ['marimer', 'you@marimer.example'],
  ])
    expect(stdout).toMatch(new RegExp(`^${account} .*signed-in +${you}`, 'm'));
  const read = async (): Promise<void> => {
    const asked = sandbox.requests.length;
    const [xebia, marimer] = await Promise.all([week(app, 'xebia'), week(app, 'marimer')]);
    expect([xebia.complete, marimer.complete]).toEqual([true, true]);
    expect(titles(xebia)).toContain('Sprint planning');
    expect(titles(xebia)).not.toContain('Aurora go/no-go');
    expect(titles(marimer)).toContain('Aurora go/no-go');
    expect(titles(marimer)).not.toContain('Sprint planning');
    for (const { mailbox, tenant } of sandbox.requests.slice(asked).filter(({ path }) => path.startsWith('/v1.0/')))
      expect(tenant).toBe(mailbox === 'you@xebia.example' ? XEBIA.tenantId : MARIMER.tenantId);
  };
  await read();
  // calmcp has nothing of it.
  expect((await readdir(join(folder, 'state'))).filter((name) => name.endsWith('.sealed'))).toEqual([]);
  for (const { tenant, tokenTenant = tenant, outcome } of sandbox.redemptions.filter(
    ({ grant }) => grant !== 'device_code',
  ))
    expect([tokenTenant, outcome]).toEqual([tenant, 'ok']);

  const refreshed = sandbox.redemptions.filter(({ grant }) => grant === 'refresh_token').map(({ tenant }) => tenant);
  expect(new Set(refreshed)).toEqual(new Set([XEBIA.tenantId, MARIMER.tenantId]));

  expect(await cli(folder, ['logout', '--account', 'xebia'])).toMatchObject({ status: 0 });
  expect(await app.account('xebia').signInState()).toEqual({ state: 'needs-login' });
  await expect(week(app, 'xebia')).rejects.toMatchObject({
    code: 'AUTH_REQUIRED',
    message: 'nobody is signed in',
    hint: 'run: calmcp login --account xebia',
  });
  expect(titles(await week(app, 'marimer'))).toContain('Aurora go/no-go');

  // One that was revoked is needs-login, and a new one mends it.
  sandbox.revoke('you@marimer.example');
  await expect(week(app, 'marimer')).rejects.toMatchObject({
    code: 'AUTH_REQUIRED',
    hint: 'run: calmcp login --account marimer',
  });
  await signIn(app, sandbox, 'marimer', 'you@marimer.example');
  expect((await week(app, 'marimer')).complete).toBe(true);
}, 60_000);

test('somebody else than username says is refused, and who was signed in stays so', async () => {
  const sandbox = await openSandbox();
  const pinned = withChild(microsoftAccounts(sandbox, [{ ...XEBIA, username: 'you@xebia.example' }]), own(sandbox), [
    'xebia',
  ]);
  const { app, folder } = await openTestApp(pinned);
  // Nobody is signed in yet: the server would end as it is started.
  await expect(week(app, 'xebia')).rejects.toMatchObject({ code: 'AUTH_REQUIRED', message: 'nobody is signed in' });
  const refused = {
    code: 'FORBIDDEN',
    message: 'expected you@xebia.example and bench@xebia.example signed in; nothing of it was kept',
  };
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  expect(titles(await week(app, 'xebia'))).toContain('Sprint planning');
  await expect(signIn(app, sandbox, 'xebia', 'bench@xebia.example')).rejects.toMatchObject(refused);
  const after = await week(app, 'xebia');
  expect([after.complete, titles(after).includes('Sprint planning')]).toEqual([true, true]);
  await app.close();

  // Whom accounts.yaml expects from now on, and another tenant: another sign-in, never the old one's calendars.
  for (const [changed, message] of [
    [{ ...XEBIA, username: 'bench@xebia.example' }, /expects bench@xebia\.example and you@xebia\.example is signed in/],
    [{ ...XEBIA, tenantId: MARIMER.tenantId }, /nobody is signed in/],
  ] as const) {
    const yaml = withChild(microsoftAccounts(sandbox, [changed]), own(sandbox), ['xebia']);
    const { app: later } = await openTestApp(yaml, { folder });
    await expect(week(later, 'xebia')).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: expect.stringMatching(message),
    });
  }
}, 60_000);
