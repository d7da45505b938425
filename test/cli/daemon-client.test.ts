/** Commands that ask through the daemon: the same answers, bytes and statuses as without one, whatever becomes of it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Sandbox } from '../../src/sandbox/index.ts';
import {
  endDaemonOf,
  openDaemon,
  otherVersion,
  type ProgramResult,
  recordOf,
  runDaemon,
  runProgram,
  startProgram,
} from '../daemons.ts';
import {
  type CliResult,
  cli,
  lasting,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const TZ = 'Europe/Amsterdam';

const FIXED = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  home: { provider: memory, access: write, client: acme }
  fixed:
    provider: memory
    events:
      - { title: Sprint review, start: 2026-11-23T10:00, end: 2026-11-23T10:45 }
      - { title: Dentist, start: 2026-11-23T10:30, end: 2026-11-23T11:00 }
      - { title: Conference, start: 2026-11-24, end: 2026-11-27, busy: oof }
`;
const WITH_MISSING = `${FIXED}  feed: { provider: ics, path: ./missing.ics }\n`;

const USED = /info the daemon is used/;
const NOT_USED = /info the daemon is not used/;

/** In this process, which costs less than one more; with `--log info`, so that it says whether the daemon was asked. */
const run = (folder: string, args: readonly string[], stderr?: never): Promise<CliResult> =>
  cli(folder, ['--log', 'info', ...args], { ...(stderr ?? {}) });

/** What is logged is not what is said. */
const withoutLog = ({ status, stdout, stderr }: CliResult): CliResult => ({
  status,
  // How often and when accounts were asked is where a daemon differs.
  stdout: stdout.replaceAll(/,?\n *"(?:asOf|requests|retries|cached)": .*?(?=,?\n)/g, ''),
  stderr: stderr.replaceAll(/^\d{4}-.* (?:info|debug) .*\n/gm, ''),
});

describe('a command says the same through the daemon and alone, byte for byte:', () => {
  let folder = '';
  let end = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const { opened, end: remove } = await lasting(temporaryFolder);
    folder = opened;
    await writeAccounts(folder, WITH_MISSING);
    const daemon = await runDaemon(folder, { env: { TZ } });
    end = async () => {
      daemon.kill('SIGKILL');
      await daemon.ended;
      await remove();
    };
  });

  afterAll(() => end());

  test.each<[string, number]>([
    ['agenda this week', 3],
    ['agenda this week --account fixed', 0],
    ['agenda this week --json', 3],
    ['agenda this week --limit 1', 3],
    ['agenda 2026-11-23 --time-zone America/New_York --account fixed --json', 0],
    ['agenda this week --audience acme', 3],
    ['search sprint --account fixed', 0],
    ['search sprint --json', 3],
    ['freebusy this week --account fixed', 0],
    ['freebusy this week --account fixed --json', 0],
    ['find-time this week --duration 45m --account fixed', 0],
    ['find-time this week --duration 45m --json', 3],
    ['conflicts this week --account fixed', 0],
    ['conflicts this week --json', 3],
    ['status', 0],
    ['status --json', 0],
    ['report freebusy this week --account fixed', 0],
    ['event create Lunch --start 2026-11-25T12:00 --account home --dry-run', 3],
    ['event create Lunch --start 2026-11-25T12:00 --account home --dry-run --json', 3],
    // Errors, each with its text and status.
    ['agenda this week --account nobody', 64],
    ['agenda whenever', 64],
    ['agenda this week --time-zone Mars/Base', 64],
    ['agenda this week --limit 0', 64],
    ['agenda this week --account feed', 66],
    ['event get fixed.0000000000', 66],
    ['event create Lunch --start 2026-11-25T12:00 --account fixed', 77],
    ['event delete home.0000000000', 66],
  ])('%s', async (words, status) => {
    const args = words.split(' ');
    const through = await run(folder, args);
    expect([words, through.status, through.stderr]).toEqual([
      words,
      status,
      expect.stringMatching(status === 64 && !words.endsWith('nobody') ? /^calmcp: |used/ : USED),
    ]);
    const alone = await cli(folder, ['--no-daemon', ...args]);
    expect(withoutLog(through)).toEqual(withoutLog(alone));
  });

  test('and it is the daemon that was asked, unless it is told not to, or has other accounts, another clock or another zone', async () => {
    expect((await run(folder, ['agenda'])).stderr).toMatch(USED);
    expect((await run(folder, ['--no-daemon', 'agenda'])).stderr).not.toMatch(USED);
    const args = ['--log', 'info', 'agenda', '--json'];
    const later = await cli(folder, args, { env: { CALMCP_NOW: '2026-11-24T08:00:00Z' } });
    expect(later.stderr).toMatch(NOT_USED);
    expect(JSON.parse(later.stdout).range.start).toBe('2026-11-24T00:00:00+01:00');
    expect((await cli(folder, args, { systemTimeZone: 'Asia/Tokyo' })).stderr).toMatch(NOT_USED);
    const other = join(folder, 'other.yaml');
    await writeFile(other, 'version: 1\naccounts: { elsewhere: { provider: memory } }\n');
    const elsewhere = await cli(folder, ['--config', other, ...args]);
    expect(elsewhere.stderr).toMatch(NOT_USED);
    expect(JSON.parse(elsewhere.stdout).accounts.map(({ account }: { account: string }) => account)).toEqual([
      'elsewhere',
    ]);
  });

  test('a new event is made once, and found again by both', async () => {
    const create = ['event', 'create', 'Lunch', '--start', '2026-11-25T12:00', '--account', 'home', '--json'];
    const made = await run(folder, create);
    expect([made.status, made.stderr]).toEqual([0, expect.stringMatching(USED)]);
    const again = await cli(folder, ['--no-daemon', ...create]);
    expect(JSON.parse(again.stdout).event.id).toBe(JSON.parse(made.stdout).event.id);
    const { id } = JSON.parse(made.stdout).event;
    const got = await run(folder, ['event', 'get', id]);
    expect(got.stdout).toContain('Lunch');
    expect(withoutLog(got)).toEqual(withoutLog(await cli(folder, ['--no-daemon', 'event', 'get', id])));
    expect((await run(folder, ['event', 'delete', id, '--yes'])).status).toBe(0);
  });

  test('an accounts.yaml that cannot be used is told as it is alone, though the daemon goes on with the last good one', async () => {
    onTestFinished(() => writeAccounts(folder, WITH_MISSING));
    await writeAccounts(folder, 'version: 1\naccounts:\n  a: { provider: nope }\n');
    for (const args of [['agenda'], ['event', 'create', 'x', '--start', '2026-11-25T12:00', '--account', 'home']]) {
      const through = await run(folder, args);
      expect(through.status).toBe(78);
      expect(withoutLog(through)).toEqual(withoutLog(await cli(folder, ['--no-daemon', ...args])));
    }
  });
});

interface SlowWorld {
  readonly folder: string;
  readonly sandbox: Sandbox;
  readonly arrived: (fits: (path: string, method: string) => boolean, count?: number) => Promise<void>;
}

/** One account that takes its time when it is told to. */
async function openSlow(): Promise<SlowWorld> {
  const sandbox = await openSandbox();
  const yaml = microsoftAccounts(sandbox, [XEBIA]).replace(
    'provider: microsoft',
    'provider: microsoft\n    access: write',
  );
  const { app, folder } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await writeAccounts(folder, yaml);
  return {
    folder,
    sandbox,
    arrived: (fits, count = 1) =>
      expect
        .poll(() => sandbox.requests.filter(({ path, method }) => fits(path, method)).length, {
          timeout: 10_000,
          interval: 5,
        })
        .toBeGreaterThanOrEqual(count),
  };
}

const isGraph = (path: string): boolean => path.startsWith('/v1.0/');
const isCreation = (path: string, method: string): boolean => method === 'POST' && path.endsWith('/events');
const CREATE = ['event', 'create', 'Lunch', '--start', '2026-11-25T12:00', '--account', 'xebia'];

describe('a daemon that is killed with -9 in the middle of', () => {
  test('a question is forgotten: the command asks again by itself', async () => {
    const { folder, sandbox, arrived } = await openSlow();
    const daemon = await openDaemon(folder, { env: { TZ } });
    sandbox.fail({ match: ({ path }) => isGraph(path), delayMs: 10_000, times: 1 });
    const asked = run(folder, ['agenda', '--json']);
    await arrived(isGraph);
    daemon.kill('SIGKILL');
    const { status, stdout, stderr } = await asked;
    expect([status, JSON.parse(stdout).complete]).toEqual([0, true]);
    expect(stderr).toMatch(/asked again without it/);
  });

  test('a change says that nobody knows, and it was made once at most', async () => {
    const { folder, sandbox, arrived } = await openSlow();
    const daemon = await openDaemon(folder, { env: { TZ } });
    sandbox.fail({ match: ({ path, method }) => isCreation(path, method), delayMs: 400 });
    const asked = cli(folder, CREATE);
    await arrived(isCreation);
    daemon.kill('SIGKILL');
    expect(await asked).toEqual({
      status: 69,
      stdout: '',
      stderr:
        'calmcp: the connection to calmcp’s daemon broke; nobody knows whether it was done\nlook at the event before you try again\n',
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(sandbox.requests.filter(({ path, method }) => isCreation(path, method))).toHaveLength(1);
  });
});

test('a daemon that hangs costs a command two seconds, and a change is not sent to it', async () => {
  const folder = await temporaryFolder();
  await writeAccounts(folder, FIXED);
  const daemon = await openDaemon(folder, { env: { TZ } });
  daemon.kill('SIGSTOP');
  const started = performance.now();
  const { status, stderr } = await run(folder, [
    'event',
    'create',
    'Lunch',
    '--start',
    '2026-11-25T12:00',
    '--account',
    'home',
  ]);
  expect(performance.now() - started).toBeLessThan(6_000);
  expect([status, stderr]).toEqual([
    0,
    expect.stringMatching(/the daemon is not used why=it does not answer; calmcp daemon stop/),
  ]);
  daemon.kill('SIGCONT');
  const { stdout } = await cli(folder, ['--no-daemon', 'agenda', '2026-11-25', '--json']);
  expect(JSON.parse(stdout).events.filter(({ title }: { title: string }) => title === 'Lunch')).toHaveLength(1);
});

test('Ctrl-C ends the command, and its question in the daemon', async () => {
  const { folder, sandbox, arrived } = await openSlow();
  await openDaemon(folder, { env: { TZ } });
  sandbox.fail({ match: ({ path }) => isGraph(path), delayMs: 15_000 });
  const command = startProgram(folder, ['agenda'], { env: { TZ } });
  await arrived(isGraph);
  command.kill('SIGINT');
  const { status, stdout, ms } = await command.result;
  expect([status, stdout]).toEqual([130, '']);
  expect(ms).toBeLessThan(10_000);
  const questions = async (): Promise<number> =>
    (JSON.parse((await cli(folder, ['daemon', 'status', '--json'])).stdout) as { sessions: { now: number } }).sessions
      .now;
  // The one that asks for the status, and nobody else.
  await expect.poll(questions, { timeout: 5_000 }).toBe(1);
});

describe('defaults.daemon: auto', () => {
  const AUTO = FIXED.replace('timeZone: Europe/Amsterdam }', 'timeZone: Europe/Amsterdam, daemon: auto }');

  test('has the first question start the daemon, which the next ones use', async () => {
    const folder = await temporaryFolder();
    await writeAccounts(folder, AUTO);
    endDaemonOf(folder);
    const ask = (): Promise<ProgramResult> => runProgram(folder, ['agenda', '--log', 'info'], { env: { TZ } });
    const [first, same] = await Promise.all([ask(), ask()]);
    for (const { status, stderr } of [first, same]) expect([status, stderr]).toEqual([0, expect.stringMatching(USED)]);
    const record = await recordOf(folder);
    expect(record).toMatchObject({ managed: false });
    const next = await ask();
    expect(next.stdout).toBe(first.stdout);
    expect(next.stderr).toContain(`process=${record?.pid}`);
  });

  test('that does not work says so in one line, and the question is answered', async () => {
    const folder = await temporaryFolder();
    await writeAccounts(folder, AUTO);
    endDaemonOf(folder);
    // Where its log belongs nothing can be written.
    const program = { node: process.execPath, script: join(folder, 'not-there.js') };
    const { status, stdout, stderr } = await cli(folder, ['agenda'], { program });
    expect(status).toBe(0);
    expect(stdout).toContain('Sprint review');
    expect(stderr).toMatch(/^calmcp: works without its daemon: .*\n$/);
  });

  test.each([
    ['manual', AUTO.replace('auto', 'manual')],
    ['only said in a note', `${FIXED}# daemon: auto\n`],
  ])('%s starts none', async (_what, accounts) => {
    const folder = await temporaryFolder();
    await writeAccounts(folder, accounts);
    const { status, stderr } = await run(folder, ['agenda']);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/the daemon is not used why=none runs/)]);
    expect(await recordOf(folder)).toBeUndefined();
  });
});

test('a newer command replaces an older daemon, and an older one asks a newer daemon', async () => {
  const folder = await temporaryFolder();
  await writeAccounts(folder, FIXED);
  endDaemonOf(folder);
  const old = await openDaemon(folder);
  const newer = await otherVersion('99.1.0');
  const asked = await runProgram(folder, ['agenda', '--log', 'info'], { program: newer });
  expect([asked.status, asked.stderr]).toEqual([0, expect.stringMatching(/the daemon is used .*version=99\.1\.0/)]);
  await old.ended;
  const older = await runProgram(folder, ['agenda', '--log', 'info']);
  expect([older.stdout, older.stderr]).toEqual([
    asked.stdout,
    expect.stringMatching(/the daemon is used .*version=99\.1\.0/),
  ]);
});
