import { chmod, lstat, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Shell } from '../../src/cli/shell.ts';
import {
  cli,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const CLIENT = '11111111-1111-1111-1111-111111111111';
const TENANT = '22222222-2222-2222-2222-222222222222';
const NEW = ['accounts', 'add', 'new', '--provider', 'microsoft', '--client-id', CLIENT, '--tenant-id', TENANT];

const FILE = `# mine
version: 1

accounts:
  fixed:   # odd   spacing
    provider: memory

  # a feed
  feed: { provider: ics, path: './calendars' }
`;

async function home(accounts: string | undefined = FILE): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  return folder;
}

const accountsOf = (folder: string): Promise<string> => readFile(join(folder, 'accounts.yaml'), 'utf8');

/** A person at a terminal who gives these answers, one after the other, and nothing after that. */
function person(answers: readonly string[]): Partial<Shell> & { readonly shown: () => string } {
  const left = [...answers];
  let shown = '';
  return {
    stderr: {
      isTerminal: true,
      write(text) {
        shown += text;
      },
    },
    readLine: async () => left.shift() ?? '',
    shown: () => shown,
  };
}

describe('accounts add by flags', () => {
  test('appends the account, leaves the rest as it is and says what to do next', async () => {
    const folder = await home();
    const { status, stdout, stderr } = await cli(folder, [
      ...NEW,
      ...['--access', 'write', '--display-name', 'New: one', '--time-zone', 'Europe/Berlin'],
      ...[
        '--set',
        'calendars.exclude=Birthdays, Team',
        '--set',
        'workingHours={"days":["mon"],"start":"09:00","end":"12:00"}',
      ],
    ]);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(
      `Added new (microsoft) to ${join(folder, 'accounts.yaml')}\nNext: calmcp login --account new\n`,
    );
    expect(await accountsOf(folder)).toBe(`${FILE}
  new:
    provider: microsoft
    clientId: ${CLIENT}
    tenantId: ${TENANT}
    access: write
    displayName: "New: one"
    timeZone: Europe/Berlin
    calendars:
      exclude:
        - Birthdays
        - Team
    workingHours:
      days:
        - mon
      start: 09:00
      end: 12:00
`);
    const list = await cli(folder, ['accounts', 'list', '--json']);
    expect(JSON.parse(list.stdout).accounts.at(-1)).toEqual({
      account: 'new',
      provider: 'microsoft',
      displayName: 'New: one',
      access: 'write',
      where: `tenant ${TENANT}`,
    });
  });

  test('makes a first accounts.yaml, for nobody else to read', async () => {
    const folder = await temporaryFolder();
    const { status, stdout } = await cli(folder, [
      ...[
        'accounts',
        'add',
        'files',
        '--provider',
        'ics',
        '--path',
        './calendars',
        '--email',
        'a@x.example,b@x.example',
      ],
      '--json',
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      account: 'files',
      provider: 'ics',
      file: join(folder, 'accounts.yaml'),
      next: 'calmcp accounts test files',
    });
    expect(await accountsOf(folder)).toContain('email:\n      - a@x.example\n      - b@x.example\n');
    expect((await stat(join(folder, 'accounts.yaml'))).mode & 0o777).toBe(0o600);
  });

  test('takes references to what is not set yet, and says so', async () => {
    const folder = await home();
    const { status, stderr } = await cli(folder, [
      ...['accounts', 'add', 'home', '--provider', 'google', '--client-id', 'x.apps.googleusercontent.com'],
      ...['--client-secret', '${ENV:HOME_SECRET}'],
    ]);
    expect([status, stderr]).toEqual([0, '${ENV:HOME_SECRET} has no value yet: set it before you use the account\n']);
    expect(await accountsOf(folder)).toContain('clientSecret: ${ENV:HOME_SECRET}\n');
  });

  test('warns of a secret in clear without repeating it', async () => {
    const folder = await home();
    const { status, stdout, stderr } = await cli(folder, [
      ...['accounts', 'add', 'new-feed', '--provider', 'ics', '--url', 'https://calendar.example/CANARY/basic.ics'],
    ]);
    expect(status).toBe(0);
    expect(stderr).toBe(
      'url stands in clear in accounts.yaml now; better: put it into the environment and write ${ENV:NEW_FEED_URL}\n',
    );
    expect(stdout + stderr + (await cli(folder, ['accounts', 'list'])).stdout).not.toContain('CANARY');
  });

  test.each<[string, string[], number, RegExp]>([
    ['an id that is taken', ['fixed', '--provider', 'memory'], 64, /there is an account fixed already/],
    ['an id that is none', ['Bad', '--provider', 'memory'], 64, /"Bad" is no account id/],
    ['no id and no provider', [], 64, /which account\? give its id and --provider/],
    ['an unknown kind', ['x', '--provider', 'gogle'], 64, /no kind of account\none of microsoft, google, ics, memory/],
    ['an unknown field', ['x', '--provider', 'memory', '--set', 'evnts=1'], 64, /memory accounts have no evnts/],
    [
      'a field of another kind',
      ['x', '--provider', 'memory', '--client-id', 'y'],
      64,
      /memory accounts have no clientId/,
    ],
    ['a prototype', ['x', '--provider', 'memory', '--set', '__proto__.x=1'], 64, /memory accounts have no __proto__/],
    ['--set without a value', ['x', '--provider', 'memory', '--set', 'events'], 64, /--set takes KEY=VALUE/],
    ['--set with broken JSON', ['x', '--provider', 'memory', '--set', 'events=[{'], 64, /events is no JSON/],
    [
      'wrong and missing values, all at once',
      ['x', '--provider', 'microsoft', '--client-id', 'CANARY', '--access', 'CANARY'],
      64,
      /not complete or not right; nothing was written\n--tenant-id: is missing.*\n--client-id: is no GUID.*\n--access: is not one of busy, read, write\n/s,
    ],
    ['neither of two', ['x', '--provider', 'ics'], 64, /give url or path\n/],
    ['an unknown flag', ['x', '--provider', 'ics', '--uri', 'y'], 64, /unknown option '--uri'/],
    ['--account', ['x', '--provider', 'memory', '--account', 'y'], 64, /no use for --account/],
  ])('%s is refused in one message, and nothing is written', async (_name, args, exit, says) => {
    const folder = await home();
    const { status, stdout, stderr } = await cli(folder, ['accounts', 'add', ...args]);
    expect(stderr).toMatch(says);
    expect([status, stdout]).toEqual([exit, '']);
    expect(stderr).not.toMatch(/CANARY|\n\s+at |\.ts:\d/);
    expect(await accountsOf(folder)).toBe(FILE);
  });

  test('a broken accounts.yaml is told with its problems and left as it is', async () => {
    const broken = `${FILE}  bad: { provider: memory, tilte: x }\n`;
    const folder = await home(broken);
    const { status, stderr } = await cli(folder, NEW);
    expect(status).toBe(78);
    expect(stderr).toMatch(/accounts\.yaml:10:28 accounts\.bad\.tilte: unknown key/);
    expect(await accountsOf(folder)).toBe(broken);
  });

  test('a symbolic link is written through to its file, whose mode stays', async () => {
    const folder = await temporaryFolder();
    const dotfiles = join(folder, 'dotfiles');
    await mkdir(dotfiles);
    await writeFile(join(dotfiles, 'calmcp.yaml'), FILE);
    await chmod(join(dotfiles, 'calmcp.yaml'), 0o640);
    await symlink('dotfiles/calmcp.yaml', join(folder, 'accounts.yaml'));
    expect((await cli(folder, NEW)).status).toBe(0);
    expect((await cli(folder, ['accounts', 'remove', 'new', '--yes'])).status).toBe(0);
    expect((await cli(folder, ['accounts', 'remove', 'fixed', '--yes'])).status).toBe(0);
    expect(await readlink(join(folder, 'accounts.yaml'))).toBe('dotfiles/calmcp.yaml');
    expect(await readFile(join(dotfiles, 'calmcp.yaml'), 'utf8')).not.toContain('fixed');
    expect((await stat(join(dotfiles, 'calmcp.yaml'))).mode & 0o777).toBe(0o640);
    expect((await lstat(join(folder, 'accounts.yaml.bak'))).mode & 0o777).toBe(0o600);
  });

  test('a link to nothing is not replaced', async () => {
    const folder = await temporaryFolder();
    await symlink('nowhere.yaml', join(folder, 'accounts.yaml'));
    const { status, stderr } = await cli(folder, NEW);
    expect(status).toBe(78);
    expect(stderr).toMatch(/is a symbolic link to a file that is not there/);
  });
});

describe('accounts add by answers', () => {
  test('asks for kind, id and fields, again after a wrong answer', async () => {
    const folder = await home();
    const asked = person(['gogle', 'microsoft', 'fixed', 'work', 'nope', CLIENT, TENANT, 'you@work.example']);
    const { status, stdout } = await cli(folder, ['accounts', 'add'], asked);
    expect(asked.shown()).toMatch(
      /Which kind of account\?\n {2}microsoft {2}Microsoft 365.*one of microsoft.*there is an account fixed already.*Application \(client\) id.*clientId: is no GUID: copy/s,
    );
    expect([status, stdout]).toEqual([0, expect.stringContaining('Next: calmcp login --account work')]);
    expect((await accountsOf(folder)).slice(FILE.length)).toBe(
      `\n  work:\n    provider: microsoft\n    clientId: ${CLIENT}\n    tenantId: ${TENANT}\n    username: you@work.example\n`,
    );
  });

  test('asks for what the flags left out, and for nothing else', async () => {
    const folder = await home();
    const asked = person([TENANT]);
    const args = ['accounts', 'add', 'work', '--provider', 'microsoft', '--client-id', CLIENT];
    expect((await cli(folder, args, asked)).status).toBe(0);
    expect(asked.shown().match(/:\s$/gm)).toHaveLength(1);
  });

  test('suggests a reference for a secret, warns of one in clear, and asks again where one of two is needed', async () => {
    const folder = await home();
    const asked = person(['ics', 'team', '', '', '', 'https://calendar.example/CANARY.ics', '', '']);
    expect((await cli(folder, ['accounts', 'add'], asked)).status).toBe(0);
    expect(asked.shown()).toMatch(/better a reference, \$\{ENV:TEAM_URL\}.*give url or path.*url stands in clear/s);
    expect(asked.shown()).not.toContain('CANARY');
  });

  test('ends after three wrong answers', async () => {
    const folder = await home();
    const { status } = await cli(folder, ['accounts', 'add'], person([]));
    expect(status).toBe(64);
    expect(await accountsOf(folder)).toBe(FILE);
  });

  test('ends at Ctrl-C', async () => {
    const interrupted = new AbortController();
    const asked = {
      ...person([]),
      interrupted: interrupted.signal,
      readLine: async () => {
        interrupted.abort(new Error('ended by SIGINT'));
        return '';
      },
    };
    expect((await cli(await home(), ['accounts', 'add'], asked)).status).toBe(130);
  });
});

describe('accounts remove', () => {
  test('takes the account out, keeps the file as it was and says how to undo', async () => {
    const folder = await home();
    const { status, stdout, stderr } = await cli(folder, ['accounts', 'remove', 'fixed', '--yes']);
    const file = join(folder, 'accounts.yaml');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`Removed fixed from ${file}\nTo undo: cp ${file}.bak ${file}\n`);
    expect(await accountsOf(folder)).toBe(FILE.replace('  fixed:   # odd   spacing\n    provider: memory\n', ''));
    expect(await readFile(`${file}.bak`, 'utf8')).toBe(FILE);
    expect((await stat(`${file}.bak`)).mode & 0o777).toBe(0o600);
  });

  test('asks first on a terminal, and needs --yes elsewhere', async () => {
    const folder = await home();
    expect((await cli(folder, ['accounts', 'remove', 'fixed'])).stderr).toMatch(/add --yes\nrun: calmcp accounts/);
    const no = person(['n']);
    expect((await cli(folder, ['accounts', 'remove', 'fixed'], no)).status).toBe(0);
    expect(no.shown()).toMatch(/Remove fixed from .*\? \[y\/N\] Nothing was changed\.\n$/);
    expect(await accountsOf(folder)).toBe(FILE);
    expect((await cli(folder, ['accounts', 'remove', 'fixed'], person(['y']))).status).toBe(0);
    expect(await accountsOf(folder)).not.toContain('fixed:');
  });

  test('names the known ones for one that is not there', async () => {
    const { status, stderr } = await cli(await home(), ['accounts', 'remove', 'nobody', '--yes']);
    expect([status, stderr]).toEqual([64, 'calmcp: there is no account "nobody"\nknown: fixed, feed\n']);
  });

  test('can take out the one account that is wrong, and refuses while another one is', async () => {
    const broken = `${FILE}  bad: { provider: memory, tilte: x }\n`;
    const folder = await home(broken);
    const other = await cli(folder, ['accounts', 'remove', 'fixed', '--yes']);
    expect(other.status).toBe(78);
    expect(other.stderr).toMatch(/so it was left as it is\n.*accounts\.bad\.tilte/);
    expect(await accountsOf(folder)).toBe(broken);
    expect((await cli(folder, ['accounts', 'remove', 'bad', '--yes'])).status).toBe(0);
    expect(await accountsOf(folder)).toBe(FILE);
  });

  test('leaves tokens on the machine and says so, or signs out first with --logout', async () => {
    const sandbox = await openSandbox();
    const folder = await home(microsoftAccounts(sandbox, [XEBIA, MARIMER]));
    const { app } = await openTestApp(await accountsOf(folder), { folder });
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    await signIn(app, sandbox, 'marimer', 'you@marimer.example');
    const asked = person(['y']);
    expect((await cli(folder, ['accounts', 'remove', 'xebia'], asked)).status).toBe(0);
    expect(asked.shown()).toMatch(
      /^xebia is signed in as you@xebia\.example\. Its tokens stay on this machine unless you add --logout\./,
    );
    await writeAccounts(folder, await readFile(join(folder, 'accounts.yaml.bak'), 'utf8'));
    expect((await cli(folder, ['status'])).stdout).toMatch(/^xebia .*signed-in/m);
    const gone = await cli(folder, ['accounts', 'remove', 'xebia', '--logout', '--yes', '--json']);
    expect(JSON.parse(gone.stdout)).toMatchObject({ account: 'xebia', signedOut: true, tokensStay: false });
    await writeAccounts(folder, await readFile(join(folder, 'accounts.yaml.bak'), 'utf8'));
    expect((await cli(folder, ['status'])).stdout).toMatch(/^xebia .*needs-login[\s\S]*^marimer .*signed-in/m);
  });
});

describe('accounts test', () => {
  test('reads today from each account and says how that went', async () => {
    const sandbox = await openSandbox();
    const folder = await home(
      `${microsoftAccounts(sandbox, [XEBIA, MARIMER])}  fixed: { provider: memory, events: [{ title: CANARY, start: 2026-11-23T10:00 }] }\n`,
    );
    const { app } = await openTestApp(await accountsOf(folder), { folder });
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    const { status, stdout } = await cli(folder, ['accounts', 'test']);
    expect(status).toBe(3);
    expect(stdout.split('\n')).toEqual([
      expect.stringMatching(/^xebia {4}ok {11}\d+\.\d s {2}\d calendars; \d+ events today$/),
      expect.stringMatching(/^marimer {2}needs-login {2}\d+\.\d s {2}.*; run: calmcp login --account marimer$/),
      expect.stringMatching(/^fixed {4}ok {11}\d+\.\d s {2}1 calendar; 1 event today$/),
      '',
    ]);
    expect(stdout).not.toContain('CANARY');
    const good = await cli(folder, ['accounts', 'test', 'xebia', 'fixed', '--json']);
    expect(good.status).toBe(0);
    expect(JSON.parse(good.stdout)).toMatchObject({
      complete: true,
      accounts: [
        { account: 'xebia', status: 'ok', milliseconds: expect.any(Number) },
        { account: 'fixed', status: 'ok', calendars: 1, events: 1 },
      ],
    });

    sandbox.revoke('you@xebia.example');
    sandbox.expireAccessTokens();
    const revoked = await cli(folder, ['accounts', 'test', 'xebia', 'marimer']);
    expect(revoked.status).toBe(77);
    expect(revoked.stdout).toMatch(/^xebia +needs-login .*run: calmcp login --account xebia$/m);
  });

  test('gives up on a server that hangs', async () => {
    const sandbox = await openSandbox();
    sandbox.fail({ match: ({ path }) => path.startsWith('/feeds/'), hang: true });
    const folder = await home(
      `version: 1\naccounts: { feed: { provider: ics, url: "${sandbox.origin}/feeds/CANARY.ics" } }\n`,
    );
    const { status, stdout } = await cli(folder, ['accounts', 'test', '--timeout', '0.3']);
    expect(status).toBe(69);
    expect(stdout).toMatch(/^feed {2}unavailable {2}0\.\d s {2}did not answer within 0\.3 s\n$/);
  });

  test.each([
    [['accounts', 'test', 'nobody'], /there is no account "nobody"/],
    [['accounts', 'test', '--timeout', 'soon'], /"soon" is no time limit/],
  ])('%s is refused', async (args, says) => {
    const { status, stderr } = await cli(await home(), args);
    expect(status).toBe(64);
    expect(stderr).toMatch(says);
  });
});

test('accounts alone lists them, and each of its commands has help with an example', async () => {
  const folder = await home();
  expect((await cli(folder, ['accounts'])).stdout).toBe('fixed  memory    read\nfeed   ics       read  ./calendars\n');
  for (const command of ['list', 'add', 'remove', 'test']) {
    const { status, stdout } = await cli(folder, ['accounts', command, '--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/Examples?:/);
  }
  const help = (await cli(folder, ['accounts', 'add', '--help'])).stdout;
  for (const flag of ['--client-id', '--tenant-id', '--client-secret', '--url', '--path', '--access', '--username'])
    expect(help).toContain(`${flag} <value>`);
});
