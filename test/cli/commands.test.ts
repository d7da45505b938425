import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startSandbox } from '../../src/sandbox/index.ts';
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

const FIXED = `version: 1
accounts:
  fixed:
    provider: memory
    events: [{ title: Review, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }]
`;

async function home(accounts?: string): Promise<string> {
  const folder = await temporaryFolder();
  if (accounts !== undefined) await writeAccounts(folder, accounts);
  return folder;
}

/** One clear message: its first line starts so, there is no stack trace, and it went to stderr. */
function expectFailure({ status, stdout, stderr }: Awaited<ReturnType<typeof cli>>, exit: number, says: RegExp): void {
  expect(stderr).toMatch(says);
  expect(status).toBe(exit);
  expect(stdout).toBe('');
  expect(stderr).not.toMatch(/\n\s+at |node:|\.ts:\d/);
}

describe('the first minutes', () => {
  test('init, agenda: a first answer without any account', async () => {
    const folder = await home();
    const init = await cli(folder, ['init']);
    expect([init.status, init.stderr]).toEqual([0, '']);
    expect(init.stdout).toContain(join(folder, 'accounts.yaml'));
    expect((await stat(join(folder, 'accounts.yaml'))).mode & 0o777).toBe(0o600);
    const agenda = await cli(folder, ['agenda', 'next', '2', 'days']);
    expect(agenda.stderr).toBe('');
    expect(agenda.status).toBe(0);
    expect(agenda.stdout).toMatch(/^files {2}ok {2}1 calendar$/m);
    expect(agenda.stdout).toContain('calmcp reads this folder');
  });

  test('init leaves an accounts.yaml that is there as it is', async () => {
    const folder = await home(FIXED);
    expectFailure(await cli(folder, ['init']), 64, /is there already and was left as it is/);
    expect(await readFile(join(folder, 'accounts.yaml'), 'utf8')).toBe(FIXED);
  });

  test('init --print prints the commented example', async () => {
    const { stdout } = await cli(await home(), ['init', '--print']);
    const example = await readFile(join(import.meta.dirname, '../../accounts.example.yaml'), 'utf8');
    expect(stdout.split('\n').slice(1)).toEqual(example.split('\n').slice(1));
    const schema = /\$schema=(.+)/.exec(stdout)?.[1] ?? '';
    expect(JSON.parse(await readFile(schema, 'utf8'))).toMatchObject({ title: 'calmcp accounts.yaml' });
  });

  test('login, status, agenda, logout', async () => {
    const sandbox = await openSandbox();
    const folder = await home(microsoftAccounts(sandbox, [XEBIA, MARIMER]));
    // The person at the sign-in page: reads the code where calmcp shows it.
    const person = (username: string) => ({
      stderr: {
        isTerminal: false,
        write(text: string): void {
          const code = /type (\S+) /.exec(text)?.[1];
          if (code !== undefined) sandbox.approve(code, username);
        },
      },
    });
    expect(await cli(folder, ['login', '--account', 'xebia'], person('you@xebia.example'))).toMatchObject({
      status: 0,
      stdout: 'xebia: signed in as you@xebia.example\n',
    });
    const before = await cli(folder, ['status']);
    expect(before.stdout.split('\n')).toEqual([
      expect.stringMatching(
        /^xebia {4}microsoft {2}read {2}signed-in {4}you@xebia\.example {2}Calendars\.Read; unused it ends on \d{4}-\d\d-\d\d$/,
      ),
      expect.stringMatching(/^marimer {2}microsoft {2}read {2}needs-login .*run: calmcp login --account marimer$/),
      '',
    ]);
    const half = await cli(folder, ['agenda', 'this', 'week']);
    expect(half.status).toBe(3);
    expect(half.stdout).toMatch(/^marimer +needs-login +.*run: calmcp login --account marimer$/m);
    expect(half.stdout).toMatch(/^INCOMPLETE: the time of marimer is unknown, not free\.$/m);
    expect(half.stdout).toContain('Sprint planning');

    expect((await cli(folder, ['login', '--all'], person('you@marimer.example'))).stdout).toBe(
      'marimer: signed in as you@marimer.example\n',
    );
    expect((await cli(folder, ['login', '--all'])).stdout).toBe('Every account is signed in.\n');
    const whole = await cli(folder, ['agenda', 'this week', '--json']);
    expect(whole.status).toBe(0);
    expect(JSON.parse(whole.stdout)).toMatchObject({ complete: true });

    sandbox.revoke('you@marimer.example');
    const revoked = await cli(folder, ['status']);
    expect(revoked.stdout).toMatch(/^marimer .*needs-login .*withdrawn.*; run: calmcp login --account marimer$/m);
    expect((await cli(folder, ['status', '--offline'])).stdout).toMatch(/^marimer .*signed-in /m);
    expect(JSON.parse((await cli(folder, ['status', '--json'])).stdout).accounts).toMatchObject([
      { account: 'xebia', signIn: 'signed-in', scopes: ['Calendars.Read'], lastsUntil: expect.any(String) },
      { account: 'marimer', signIn: 'needs-login', hint: 'run: calmcp login --account marimer' },
    ]);

    expect((await cli(folder, ['logout', '--account', 'xebia,marimer'])).status).toBe(0);
    const after = await cli(folder, ['agenda']);
    expectFailure(
      after,
      77,
      /none of the 2 accounts could be read, so nothing is known about this time\nxebia: .*\nmarimer: /,
    );
    expect((await cli(folder, ['logout', '--account', 'xebia'])).status).toBe(0);
  });
});

describe('an agenda', () => {
  test('is stable text without colours for a pipe, colours for a terminal unless NO_COLOR', async () => {
    const folder = await home(FIXED);
    const esc = '\u001b';
    const plain = await cli(folder, ['agenda']);
    expect(plain.stdout).toBe(
      [
        'fixed  ok  1 calendar',
        '',
        'Monday 23 November 2026, Europe/Amsterdam (+01:00)',
        '',
        'Monday 23 November 2026',
        '  10:00–11:00  Review  fixed',
        '',
      ].join('\n'),
    );
    let shown = '';
    const terminal = {
      isTerminal: true,
      write(text: string): void {
        shown += text;
      },
    };
    await cli(folder, ['agenda'], { stdout: terminal });
    expect(shown).toContain(`${esc}[1m`);
    shown = '';
    await cli(folder, ['agenda'], { stdout: terminal, env: { NO_COLOR: '1' } });
    expect(shown).not.toContain(esc);
  });

  test('T17: an event over midnight stands under both days', async () => {
    const folder = await home(
      'version: 1\naccounts:\n  a: { provider: memory, events: [{ title: Release, start: 2026-11-23T22:00, end: 2026-11-24T02:00 }] }\n',
    );
    const { stdout } = await cli(folder, ['agenda', '2026-11-23..2026-11-24']);
    expect(stdout).toMatch(
      /Monday 23 November 2026\n {2}22:00–… {2}Release {2}a\n\nTuesday 24 November 2026\n {2}…–02:00 {2}Release {2}a\n/,
    );
    expect((await cli(folder, ['agenda', '2026-11-23', '--json'])).stdout.match(/Release/g)).toHaveLength(1);
  });

  test('global options may stand before and after the command', async () => {
    const folder = await home(FIXED);
    const after = await cli(folder, ['agenda', '--json', '--time-zone', 'America/New_York']);
    const before = await cli(folder, ['--json', '--time-zone', 'America/New_York', 'agenda']);
    expect(after.stdout).toBe(before.stdout);
    expect(JSON.parse(after.stdout)).toMatchObject({ range: { timeZone: 'America/New_York' } });
  });

  test('of one unreadable file among good ones is incomplete and names it', async () => {
    const folder = await home('version: 1\naccounts:\n  files: { provider: ics, path: . }\n');
    await writeFile(
      join(folder, 'good.ics'),
      'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261123T100000Z\r\nSUMMARY:Good\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n',
    );
    await writeFile(join(folder, 'bad.ics'), '<html>not a calendar</html>');
    const { status, stdout } = await cli(folder, ['agenda', 'today']);
    expect(status).toBe(3);
    expect(stdout).toMatch(/^files {2}partial {2}1 calendar; .*bad/m);
    expect(stdout).toContain('Good');
  });

  test('nothing of an event reaches the terminal that could steer it', async () => {
    const folder = await home(
      `version: 1\naccounts:\n  a: { provider: memory, events: [{ title: "\\e]0;owned\\a\\u202eevil\\u200b", location: "x\\r\\ny\\e[2J", start: 2026-11-23T10:00 }] }\n`,
    );
    for (const args of [['agenda'], ['agenda', '--json']]) {
      const { stdout } = await cli(folder, args);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u202e]|\\u001b|\\r/);
      expect(stdout).toContain('evil');
    }
  });
});

describe('bad input gives one message, its exit status and no stack trace', () => {
  test.each<[string, string[], number, RegExp]>([
    [
      'an unknown account',
      ['agenda', '--account', 'nobody'],
      64,
      /^calmcp: there is no account "nobody"\nknown: fixed\n/,
    ],
    ['a zone that is none', ['agenda', '--time-zone', 'Mars/Base'], 64, /^calmcp: unknown time zone "Mars\/Base"\n/],
    [
      'words that are no range',
      ['agenda', 'some', 'day'],
      64,
      /^calmcp: cannot read the range "some day"\nranges are: today/,
    ],
    [
      'a range that ends before it starts',
      ['agenda', '2026-12-05..2026-12-01'],
      64,
      /^calmcp: the range ends before it starts\n/,
    ],
    ['from without to', ['agenda', '--from', '2026-12-01'], 64, /^calmcp: from and to belong together\n/],
    ['a day that does not exist', ['agenda', '2026-02-30'], 64, /^calmcp: 2026-02-30 is not a day/],
    ['ten years', ['agenda', '2026-01-01..2036-01-01'], 64, /more than 370 days/],
    ['an unknown command', ['agend'], 64, /unknown command 'agend'[\s\S]*agenda/],
    ['an unknown option', ['agenda', '--frm', 'x'], 64, /unknown option '--frm'/],
    ['an unknown log level', ['agenda', '--log', 'loud'], 64, /'loud' is invalid/],
    ['login without an account', ['login'], 64, /^calmcp: which account\?/],
    ['login to an account without sign-in', ['login', '--account', 'fixed'], 64, /needs no sign-in/],
    ['an account that is an empty text', ['agenda', '--account', ''], 64, /^calmcp: no account is named\n/],
    ['an option without a use', ['status', '--time-zone', 'UTC'], 64, /^calmcp: status has no use for --time-zone\n/],
    ['a demo of one account', ['demo', '--account', 'x'], 64, /^calmcp: demo has no use for --account\n/],
    ['--all and --account', ['login', '--all', '--account', 'fixed'], 64, /^calmcp: give either --all or --account/],
    ['logout of an account without sign-in', ['logout', '--account', 'fixed'], 64, /needs no sign-in/],
    ['status of an unknown account', ['status', '--account', 'nobody'], 64, /there is no account "nobody"/],
    ['a folder for accounts.yaml', ['agenda', '--config', '/'], 78, /^calmcp: \/ is a folder/],
    ['a missing --config', ['agenda', '--config', '/nope/a.yaml'], 78, /run: calmcp init --config \/nope\/a\.yaml/],
    ['a port that is none', ['sandbox', '--port', '99999'], 64, /is no port/],
  ])('%s', async (_name, args, exit, says) => {
    expectFailure(await cli(await home(FIXED), args), exit, says);
  });

  test.each<[string, string | undefined, number, RegExp]>([
    ['a missing accounts.yaml', undefined, 78, /^calmcp: there is no .*accounts\.yaml\nrun: calmcp init/],
    ['a YAML error', 'version: 1\naccounts: [', 78, /accounts\.yaml:2:\d+ not valid YAML/],
    ['an unknown key', `${FIXED}    tilte: x\n`, 78, /accounts\.yaml:6:5 accounts\.fixed\.tilte: unknown key/],
    ['no accounts', 'version: 1\naccounts: {}', 78, /names no accounts/],
    [
      'a reference to nothing',
      'version: 1\naccounts: { f: { provider: ics, url: "${ENV:CALMCP_NOPE}" } }',
      78,
      /is not set\nset what is missing: export CALMCP_NOPE=…/,
    ],
    [
      'the placeholder of init',
      'version: 1\naccounts: { w: { provider: microsoft, clientId: 00000000-0000-0000-0000-000000000000, tenantId: x.example } }',
      78,
      /clientId: is still the placeholder/,
    ],
    [
      'a feed’s address as a path',
      'version: 1\naccounts: { f: { provider: ics, path: "https://calendar.example/private-CANARY/basic.ics" } }',
      78,
      /^(?!.*CANARY)[\s\S]*path is a web address: write url instead/,
    ],
    [
      'times that are none',
      'version: 1\naccounts: { m: { provider: memory, events: [{ start: 2026-13-45 }, { start: "2026-02-30T09:00:00+01:00" }, { start: 2026-01-02, end: 2026-01-01 }] } }',
      78,
      /events\.0\.start: is no time[\s\S]*events\.1\.start: is no time[\s\S]*events\.2\.end: is not after start/,
    ],
    ['an empty file', '', 78, /accounts\.yaml:1:1 version: write version: 1/],
  ])('%s', async (_name, accounts, exit, says) => {
    expectFailure(await cli(await home(accounts), ['agenda']), exit, says);
  });

  test.each<[string, Record<string, string>, number, RegExp]>([
    ['CALMCP_NOW', { CALMCP_NOW: 'yesterday' }, 78, /CALMCP_NOW is no instant/],
    ['CALMCP_NOW far away', { CALMCP_NOW: '+275760-09-13T00:00:00Z' }, 78, /CALMCP_NOW is no instant/],
    [
      'CALMCP_KEYSTORE',
      { CALMCP_KEYSTORE: 'sticky-note' },
      78,
      /CALMCP_KEYSTORE is not one of keychain, passphrase, keyfile/,
    ],
    ['CALMCP_LOG', { CALMCP_LOG: 'loud' }, 64, /unknown log level/],
  ])('a wrong %s', async (_name, env, exit, says) => {
    expectFailure(await cli(await home(FIXED), ['agenda'], { env }), exit, says);
  });

  test.each(['', 'Etc/Unknown', 'Foo/Bar'])('a system whose time zone is %j', async (systemTimeZone) => {
    expectFailure(
      await cli(await home(FIXED), ['agenda'], { systemTimeZone }),
      78,
      /time zone of this system is not known\nset TZ/,
    );
  });

  test('a missing .ics file', async () => {
    expectFailure(
      await cli(await home('version: 1\naccounts: { feed: { provider: ics, path: ./nope.ics } }'), ['agenda']),
      66,
      /feed: .*\.\/nope\.ics/,
    );
  });

  test('a feed that is down keeps its address to itself', async () => {
    const gone = await startSandbox();
    await gone.close();
    const folder = await home(
      `version: 1\naccounts: { feed: { provider: ics, url: "${gone.origin}/private-CANARY/basic.ics?token=CANARY" } }`,
    );
    for (const log of ['warn', 'debug']) {
      const { status, stderr } = await cli(folder, ['agenda', '--log', log]);
      expect(status).toBe(69);
      expect(stderr).toMatch(/refused the connection/);
      expect(stderr).not.toContain('CANARY');
    }
  }, 60_000);

  test('a login without a reachable keychain names the choices, and writes nothing', async () => {
    const sandbox = await openSandbox();
    const folder = await home(microsoftAccounts(sandbox, [XEBIA]));
    const env = { CALMCP_KEYSTORE: 'keychain', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' };
    const { DBUS_SESSION_BUS_ADDRESS: before } = process.env;
    process.env.DBUS_SESSION_BUS_ADDRESS = env.DBUS_SESSION_BUS_ADDRESS;
    try {
      const person = {
        isTerminal: false,
        write(text: string): void {
          told += text;
          const code = /type (\S+) /.exec(text)?.[1];
          if (code !== undefined) sandbox.approve(code, 'you@xebia.example');
        },
      };
      let told = '';
      const { status } = await cli(folder, ['login', '--account', 'xebia'], { env, stderr: person });
      expect(status).toBe(69);
      expect(told).toMatch(/CALMCP_KEYSTORE=passphrase or keyfile/);
      await expect(stat(join(folder, 'state'))).rejects.toMatchObject({ code: 'ENOENT' });
    } finally {
      if (before === undefined) delete process.env.DBUS_SESSION_BUS_ADDRESS;
      else process.env.DBUS_SESSION_BUS_ADDRESS = before;
    }
  });
});

describe('help', () => {
  test.each(['agenda', 'login', 'logout', 'status', 'init', 'mcp', 'sandbox'])(
    'of %s has an example',
    async (command) => {
      const { status, stdout } = await cli(await home(), [command, '--help']);
      expect(status).toBe(0);
      expect(stdout).toMatch(/Examples?[:,]|Entry for/);
    },
  );
});

test('--verbose says on stderr what an answer cost, and leaves stdout as it is', async () => {
  const sandbox = await openSandbox();
  const { app, folder } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
  await writeAccounts(folder, microsoftAccounts(sandbox, [XEBIA]));
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  const plain = await cli(folder, ['agenda', 'today']);
  sandbox.fail({
    match: ({ path }) => path === '/v1.0/me/calendars',
    status: 503,
    headers: { 'retry-after': '0' },
    times: 1,
  });
  const { status, stdout, stderr } = await cli(folder, ['agenda', 'today', '--verbose']);
  expect({ status, stdout }).toEqual({ status: plain.status, stdout: plain.stdout });
  expect(stderr).toMatch(
    /^calmcp: xebia: 3 requests, 1 sent again, as of 2026-11-23T08:00:00Z\ncalmcp: 3 requests in \d+\.\d\d s, answered by this process\n$/,
  );
  expect((await cli(folder, ['status', '--offline', '--verbose'])).stderr).toMatch(/^calmcp: 0 requests in/);
  expect((await cli(folder, ['login', '--verbose', '--account', 'xebia'])).stderr).toMatch(/no use for --verbose/);
});
