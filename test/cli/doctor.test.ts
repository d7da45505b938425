import { chmod, mkdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Probe } from '../../src/cli/probe.ts';
import { probeNode } from '../../src/cli/probe-machine.ts';
import type { Shell } from '../../src/cli/shell.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/index.ts';
import {
  cli,
  MARIMER,
  type MicrosoftAccount,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const FIXED = 'version: 1\naccounts:\n  fixed: { provider: memory }\n';

async function home(accounts: string | undefined = FIXED): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  return folder;
}

interface Report {
  readonly status: number;
  readonly healthy: boolean;
  readonly text: string;
  readonly probe: (name: string, account?: string) => Probe | undefined;
}

async function examine(folder: string, args: readonly string[] = [], shell: Partial<Shell> = {}): Promise<Report> {
  const { status, stdout, stderr } = await cli(folder, ['doctor', '--json', ...args], shell);
  expect(stderr).toBe('');
  const { healthy, probes } = JSON.parse(stdout) as { healthy: boolean; probes: Probe[] };
  return {
    status,
    healthy,
    text: stdout,
    probe: (name, account) => probes.find((probe) => probe.name === name && probe.account === account),
  };
}

async function signedIn(sandbox: Sandbox, accounts: readonly (MicrosoftAccount & { person?: string })[]) {
  const folder = await home(microsoftAccounts(sandbox, accounts));
  const { app } = await openTestApp(await readFile(join(folder, 'accounts.yaml'), 'utf8'), { folder });
  for (const { id, person } of accounts) if (person !== undefined) await signIn(app, sandbox, id, person);
  await app.close();
  return folder;
}

const PERSON = 'you@xebia.example';

describe('doctor finds everything all right', () => {
  test('and says so, probe by probe', async () => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON, username: PERSON }]);
    await chmod(join(folder, 'accounts.yaml'), 0o600);
    const { status, stdout, stderr } = await cli(folder, ['doctor']);
    const host = new URL(sandbox.origin).host;
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^ok {2}calmcp {2}node {10}Node\.js \d+/),
      expect.stringMatching(/^ok {2}calmcp {2}config {8}.*accounts\.yaml: 1 account$/),
      'ok  calmcp  config file   mode 0600, no secret in clear',
      expect.stringMatching(/^ok {2}calmcp {2}state folder {2}.*state, for you alone$/),
      'ok  calmcp  leftovers     nothing of an earlier run lies about',
      'ok  calmcp  keystore      the key file can be used',
      'ok  calmcp  daemon        none runs, and none is needed',
      expect.stringMatching(new RegExp(`^ok {2}xebia {3}service {7}${host} answered \\(\\d+ ms\\)$`)),
      `ok  xebia   clock         as that of ${host}`,
      `ok  xebia   sign-in       signed in as ${PERSON}`,
      expect.stringMatching(/^ok {2}xebia {3}calendars {5}\d calendars read, \d+ events today \(\d+ ms\)$/),
      '',
      'All is well.',
      '',
    ]);
  });

  test('with an account that asks nobody, and with none at all', async () => {
    const fixed = await examine(await home());
    expect(fixed).toMatchObject({ status: 0, healthy: true });
    expect(fixed.probe('service', 'fixed')).toMatchObject({ state: 'skipped' });
    expect(fixed.probe('calendars', 'fixed')).toMatchObject({ state: 'ok' });
    const none = await examine(await home('version: 1\naccounts: {}\n'));
    expect(none).toMatchObject({ status: 0, healthy: true });
    expect(none.probe('config')).toMatchObject({ state: 'warn', hint: 'run: calmcp accounts add' });
  });
});

describe('doctor names what is wrong with an account, and the command to type', () => {
  test('nobody signed in: one of two is 3, all of them is 77', async () => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }, MARIMER]);
    const both = await examine(folder);
    expect(both).toMatchObject({ status: 3, healthy: false });
    expect(both.probe('sign-in', 'marimer')).toMatchObject({
      state: 'fail',
      message: 'nobody is signed in',
      hint: 'run: calmcp login --account marimer',
    });
    expect(both.probe('calendars', 'marimer')).toMatchObject({ state: 'skipped' });
    const one = await examine(folder, ['--account', 'marimer']);
    expect(one.status).toBe(77);
    expect(one.probe('sign-in', 'xebia')).toBeUndefined();
  });

  test('a grant that was revoked', async () => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }]);
    sandbox.revoke(PERSON);
    sandbox.expireAccessTokens();
    const report = await examine(folder);
    expect(report.status).toBe(77);
    expect(report.probe('sign-in', 'xebia')).toMatchObject({ state: 'ok' });
    expect(report.probe('calendars', 'xebia')).toMatchObject({
      state: 'fail',
      hint: 'run: calmcp login --account xebia',
      code: 'AUTH_REQUIRED',
    });
  });

  test('somebody else than accounts.yaml expects', async () => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }]);
    await writeAccounts(folder, microsoftAccounts(sandbox, [{ ...XEBIA, username: 'boss@xebia.example' }]));
    const report = await examine(folder);
    expect(report.status).toBe(77);
    expect(report.probe('sign-in', 'xebia')).toMatchObject({
      state: 'fail',
      message: `accounts.yaml expects boss@xebia.example and ${PERSON} is signed in`,
    });
  });

  test('two accounts of one mailbox, which status says too', async () => {
    const sandbox = await openSandbox();
    const twin = { ...XEBIA, id: 'twin' };
    const folder = await signedIn(sandbox, [
      { ...XEBIA, person: PERSON },
      { ...twin, person: PERSON },
      { ...MARIMER, person: 'you@marimer.example' },
    ]);
    const report = await examine(folder, ['--account', 'xebia,marimer']);
    expect(report.status).toBe(0);
    expect(report.probe('mailbox', 'xebia')).toMatchObject({
      state: 'warn',
      message: 'xebia and twin are the same mailbox: it is read twice',
    });
    expect(report.probe('mailbox', 'marimer')).toBeUndefined();
    const status = await cli(folder, ['status']);
    expect(status.stdout).toMatch(/^xebia .*the same mailbox as twin$/m);
    expect(status.stdout).toMatch(/^twin .*the same mailbox as xebia$/m);
    expect(JSON.parse((await cli(folder, ['status', '--json'])).stdout).accounts.map(sameAs)).toEqual([
      ['twin'],
      ['xebia'],
      undefined,
    ]);
  });

  test('a service that hangs, in the time that was given', async () => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }]);
    sandbox.fail({ match: () => true, hang: true });
    const started = performance.now();
    const report = await examine(folder, ['--timeout', '0.5']);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(report.status).toBe(69);
    expect(report.probe('service', 'xebia')).toMatchObject({
      state: 'fail',
      message: `${new URL(sandbox.origin).host} did not answer within 0.5 s`,
      hint: expect.stringContaining(`curl -sSI ${sandbox.origin}`),
    });
    expect(report.probe('clock', 'xebia')).toMatchObject({ state: 'skipped' });
    expect(report.probe('calendars', 'xebia')).toMatchObject({ state: 'skipped' });
  });

  test('a service that answers to the calendar question alone not', async () => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }]);
    sandbox.fail({ match: ({ path }) => path.startsWith('/v1.0/'), hang: true });
    const report = await examine(folder, ['--timeout', '0.5']);
    expect(report.probe('service', 'xebia')).toMatchObject({ state: 'ok' });
    expect(report.probe('calendars', 'xebia')).toMatchObject({ state: 'fail', message: 'did not answer within 0.5 s' });
  });

  test('a feed that is down, without a word of its path', async () => {
    const gone = await startSandbox();
    await gone.close();
    const folder = await home(
      `version: 1\naccounts: { feed: { provider: ics, url: "${gone.origin}/private-CANARY/basic.ics?token=CANARY" } }\n`,
    );
    const report = await examine(folder, ['--timeout', '1']);
    expect(report.status).toBe(69);
    expect(report.probe('service', 'feed')).toMatchObject({
      state: 'fail',
      message: expect.stringMatching(/refused the connection/),
    });
    expect(report.text).not.toContain('CANARY');
  });

  test('any answer of the service counts as one, and the date of a cached one is not taken for the time', async () => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }]);
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    sandbox.fail({ match: isHead, status: 404, headers: { date, age: '3600' } });
    const report = await examine(folder);
    expect(report.status).toBe(0);
    expect(report.probe('service', 'xebia')).toMatchObject({ state: 'ok' });
    expect(report.probe('clock', 'xebia')).toMatchObject({ state: 'ok' });
  });

  test.each([
    [1, 'ok', 0, /^as that of/],
    [3, 'warn', 0, /clock of this machine is 3 minutes behind 127/],
    [-3, 'warn', 0, /3 minutes ahead of/],
    [7, 'fail', 3, /7 minutes behind .*: sign-ins will be refused/],
  ])('a clock that is %s minutes off: %s', async (minutes, state, exit, says) => {
    const sandbox = await openSandbox();
    const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }]);
    const date = new Date(Date.now() + minutes * 60_000).toUTCString();
    sandbox.fail({ match: isHead, status: 200, headers: { date } });
    const report = await examine(folder, [], { platform: 'linux' });
    expect(report.probe('clock', 'xebia')).toMatchObject({ state, message: expect.stringMatching(says) });
    if (state !== 'ok') expect(report.probe('clock', 'xebia')?.hint).toBe('run: sudo timedatectl set-ntp true');
    expect(report.status).toBe(exit);
  });

  test('an unknown account is a mistake in the question', async () => {
    const { status, stdout, stderr } = await cli(await home(), ['doctor', '--account', 'nobody']);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/there is no account "nobody"/);
  });
});

describe('doctor names what is wrong with this machine', () => {
  test('an accounts.yaml with problems, all of them, and what else can be told', async () => {
    const report = await examine(await home(`${FIXED}  bad: { provider: memory, tilte: x }\n  worse: 1\n`));
    expect(report.status).toBe(78);
    expect(report.probe('config')?.problems).toEqual([
      expect.stringMatching(/accounts\.yaml:4:28 accounts\.bad\.tilte: unknown key/),
      expect.stringMatching(/accounts\.yaml:5:10 accounts\.worse: is not a map/),
    ]);
    expect(report.probe('keystore')).toMatchObject({ state: 'ok' });
    expect(report.probe('accounts')).toMatchObject({ state: 'skipped' });
  });

  test('no accounts.yaml', async () => {
    const report = await examine(await temporaryFolder());
    expect(report.status).toBe(78);
    expect(report.probe('config')).toMatchObject({ state: 'fail', hint: expect.stringContaining('calmcp init') });
  });

  test.skipIf(process.platform === 'win32')('who may read and change accounts.yaml', async () => {
    const literal = `version: 1
accounts:
  home: { provider: google, clientId: x.apps.googleusercontent.com, clientSecret: CANARY }
  other: { provider: google, clientId: x.apps.googleusercontent.com, clientSecret: "\${ENV:SECRET}" }
`;
    const folder = await home(literal);
    const file = join(folder, 'accounts.yaml');
    const look = async (mode: number) => {
      await chmod(file, mode);
      const report = await examine(folder, ['--account', 'other', '--timeout', '0.1'], {
        env: { SECRET: 'CANARY' },
        fetch: async () => new Response(null),
      });
      expect(report.text).not.toContain('CANARY');
      return report.probe('config file');
    };
    expect(await look(0o600)).toMatchObject({
      state: 'ok',
      message: 'mode 0600, in clear, for you alone: clientSecret of home',
    });
    expect(await look(0o640)).toMatchObject({
      state: 'warn',
      message: expect.stringMatching(/can be read by other users \(0640\) and holds in clear: clientSecret of home$/),
      hint: `run: chmod 600 ${file}`,
    });
    expect(await look(0o620)).toMatchObject({ state: 'warn', message: expect.stringMatching(/may change/) });
    await writeFile(file, literal.replace('CANARY', '"${ENV:SECRET}"'));
    expect(await look(0o644)).toMatchObject({ state: 'ok', message: 'mode 0644, no secret in clear' });
  });

  test.skipIf(process.platform === 'win32')(
    'a state folder that is open to others: every question says so',
    async () => {
      const sandbox = await openSandbox();
      const folder = await signedIn(sandbox, [{ ...XEBIA, person: PERSON }]);
      const state = join(folder, 'state');
      await chmod(state, 0o755);
      const hint = `run: chmod 700 ${state}`;
      const report = await examine(folder);
      expect(report.status).toBe(78);
      for (const probe of [report.probe('state folder'), report.probe('keystore'), report.probe('sign-in', 'xebia')])
        expect(probe).toMatchObject({
          state: 'fail',
          message: expect.stringContaining('is open to other users'),
          hint,
        });
      const agenda = await cli(folder, ['agenda']);
      expect(agenda.status).toBe(78);
      expect(agenda.stderr).toContain(hint);
      await chmod(state, 0o700);
      expect((await examine(folder)).status).toBe(0);
    },
  );

  test('a state folder that is none', async () => {
    const folder = await home();
    await writeFile(join(folder, 'state'), '');
    const report = await examine(folder);
    expect(report.status).toBe(3);
    expect(report.probe('state folder')).toMatchObject({
      state: 'fail',
      message: expect.stringMatching(/is not a folder/),
    });
  });

  test('locks and temporary files of a calmcp that was killed, not those in use', async () => {
    const folder = await home();
    const state = join(folder, 'state');
    await mkdir(state, { mode: 0o700 });
    const owner = { pid: process.pid, started: null, host: 'elsewhere', nonce: 'x' };
    await writeFile(join(state, 'a.sealed.lock'), JSON.stringify({ ...owner, until: Date.now() - 1 }));
    await writeFile(join(state, 'b.sealed.lock'), JSON.stringify({ ...owner, until: Date.now() + 60_000 }));
    await writeFile(join(state, 'c.sealed.0123.tmp'), '');
    await writeFile(join(state, 'd.sealed.4567.tmp'), '');
    await utimes(join(state, 'c.sealed.0123.tmp'), 1, 1);
    const report = await examine(folder);
    expect(report.status).toBe(0);
    expect(report.probe('leftovers')).toMatchObject({
      state: 'warn',
      message: 'an earlier run was cut short and left a.sealed.lock, c.sealed.0123.tmp; that does no harm',
      hint: `run: rm ${join(state, 'a.sealed.lock')} ${join(state, 'c.sealed.0123.tmp')}`,
    });
    await rm(state, { recursive: true });
  });

  test('no keychain: a problem where an account needs it, a warning elsewhere', async () => {
    const sandbox = await openSandbox();
    const { DBUS_SESSION_BUS_ADDRESS: before } = process.env;
    process.env.DBUS_SESSION_BUS_ADDRESS = 'unix:path=/nonexistent';
    try {
      const env = { CALMCP_KEYSTORE: 'keychain' };
      const needed = await examine(await home(microsoftAccounts(sandbox, [XEBIA])), [], { env });
      expect(needed.probe('keystore')).toMatchObject({
        state: 'fail',
        message: expect.stringContaining('no keychain is reachable'),
        hint: expect.stringContaining('CALMCP_KEYSTORE=passphrase or keyfile'),
      });
      expect(needed.status).not.toBe(0);
      const unneeded = await examine(await home(), [], { env });
      expect(unneeded.probe('keystore')).toMatchObject({ state: 'warn' });
      expect(unneeded.status).toBe(0);
    } finally {
      if (before === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
      else process.env.DBUS_SESSION_BUS_ADDRESS = before;
    }
  });

  test('a CALMCP_KEYSTORE that is none, a CALMCP_NOW that is none', async () => {
    const keystore = await examine(await home(), [], { env: { CALMCP_KEYSTORE: 'sticky-note' } });
    expect(keystore.status).toBe(78);
    expect(keystore.probe('keystore')).toMatchObject({ message: expect.stringContaining('is not one of keychain') });
    const now = await examine(await home(), [], { env: { CALMCP_NOW: 'yesterday' } });
    expect(now.status).toBe(78);
    expect(now.probe('accounts')).toMatchObject({ state: 'fail', message: 'CALMCP_NOW is no instant' });
  });

  test.each([
    ['20.18.3', 'fail'],
    ['18.20.0', 'fail'],
    ['20.19.0', 'ok'],
    ['22.1.0', 'ok'],
  ])('Node.js %s: %s', (version, state) => {
    expect(probeNode(version)).toMatchObject({ state });
  });
});

test('doctor shows problems and what to type under their line, in colour on a terminal', async () => {
  const folder = await home('version: 1\naccounts: [\n');
  let shown = '';
  const terminal = {
    isTerminal: true,
    write(text: string): void {
      shown += text;
    },
  };
  expect((await cli(folder, ['doctor'], { stdout: terminal })).status).toBe(78);
  const esc = '\u001b';
  expect(shown).toContain(`${esc}[31mfail${esc}[39m`);
  expect(shown).toMatch(/\n {9}.*accounts\.yaml:\d+:\d+ not valid YAML/);
  expect(shown).toMatch(/\n1 problem\n$/);
});

const isHead = ({ method }: { readonly method: string }): boolean => method === 'HEAD';
const sameAs = ({ sameAs: others }: { readonly sameAs?: readonly string[] }): readonly string[] | undefined => others;
