import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  type DaemonRecord,
  isDaemonAlive,
  matchesSurroundings,
  readDaemonRecord,
  type Surroundings,
  startOf,
  surroundingsOf,
} from '../../src/io/daemon-record.ts';
import { isNewer } from '../../src/io/daemon-version.ts';
import { temporaryFolder } from '../harness.ts';

const RECORD: DaemonRecord = {
  pid: 4711,
  started: '12345',
  version: '1.2.3',
  socket: '/home/you/state/daemon.sock',
  configFile: '/home/you/accounts.yaml',
  surroundings: 'salt:hash',
  managed: false,
  since: '2026-11-23T08:00:00Z',
};

async function folderWith(text: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, 'daemon.json'), text, { mode: 0o600 });
  return folder;
}

describe('a record', () => {
  test('is read as it was written', async () => {
    expect(await readDaemonRecord(await folderWith(JSON.stringify(RECORD)))).toEqual(RECORD);
    const elsewhere = { ...RECORD, started: null };
    expect(await readDaemonRecord(await folderWith(JSON.stringify(elsewhere)))).toEqual(elsewhere);
  });

  test.each([
    ['cut short', JSON.stringify(RECORD).slice(0, 40)],
    ['empty', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['without a process', JSON.stringify({ ...RECORD, pid: undefined })],
    ['of process 0, which is everybody’s group', JSON.stringify({ ...RECORD, pid: 0 })],
    ['of a negative process, which is a group', JSON.stringify({ ...RECORD, pid: -1 })],
    ['with another kind of socket', JSON.stringify({ ...RECORD, socket: 1 })],
  ])('that is %s counts as none', async (_what, text) => {
    expect(await readDaemonRecord(await folderWith(text))).toBeUndefined();
  });

  test('that is not there, or in no folder, is none', async () => {
    expect(await readDaemonRecord(await temporaryFolder())).toBeUndefined();
    expect(await readDaemonRecord('/nowhere/at/all')).toBeUndefined();
  });

  test.skipIf(process.platform === 'win32')(
    'that others can change or that is a link counts as none: it could lead to their daemon',
    async () => {
      const open = await folderWith(JSON.stringify(RECORD));
      await chmod(join(open, 'daemon.json'), 0o622);
      expect(await readDaemonRecord(open)).toBeUndefined();
      const linked = join(await temporaryFolder(), 'state');
      await mkdir(linked, { mode: 0o700 });
      await symlink(join(await folderWith(JSON.stringify(RECORD)), 'daemon.json'), join(linked, 'daemon.json'));
      expect(await readDaemonRecord(linked)).toBeUndefined();
    },
  );
});

describe('a process is that of the record', () => {
  test('when it runs and was started at that moment', async () => {
    const started = await startOf(process.pid);
    expect(await isDaemonAlive({ pid: process.pid, started })).toBe(true);
  });

  test.skipIf(process.platform === 'win32')('and not when its number was given to another one', async () => {
    expect(await isDaemonAlive({ pid: process.pid, started: '1' })).toBe(false);
  });

  test('and not when it has gone', async () => {
    expect(await isDaemonAlive({ pid: 2 ** 22 + 1, started: '1' })).toBe(false);
    expect(await isDaemonAlive({ pid: 2 ** 22 + 1, started: null })).toBe(false);
  });
});

const HERE: Surroundings = {
  env: { FEED: 'https://feed.example/secret', CALMCP_KEYSTORE: 'keyfile', OTHER: 'a' },
  configFile: '/home/you/accounts.yaml',
  configText: 'accounts: { feed: { url: "${ENV:FEED}" } }',
  systemTimeZone: 'Europe/Amsterdam',
};

const fits = (other: Partial<Surroundings>): boolean =>
  matchesSurroundings({ surroundings: surroundingsOf(HERE) }, { ...HERE, ...other });

describe('surroundings', () => {
  test('are the same for the same', () => {
    expect(fits({})).toBe(true);
    expect(fits({ env: { ...HERE.env, CALMCP_NOW: '' } })).toBe(true);
  });

  test('do not differ by what decides nothing', () => {
    expect(fits({ env: { ...HERE.env, OTHER: 'b' } })).toBe(true);
    expect(fits({ configText: `${HERE.configText}\n# more accounts, which the daemon takes over` })).toBe(true);
  });

  test.each<[string, Partial<Surroundings>]>([
    ['accounts.yaml', { configFile: '/home/you/other.yaml' }],
    ['clock', { env: { ...HERE.env, CALMCP_NOW: '2026-11-23T08:00:00Z' } }],
    ['keystore', { env: { ...HERE.env, CALMCP_KEYSTORE: 'passphrase' } }],
    ['zone', { systemTimeZone: 'UTC' }],
    ['value of a variable that accounts.yaml names', { env: { ...HERE.env, FEED: 'https://feed.example/other' } }],
    ['variable that is not set', { env: { CALMCP_KEYSTORE: 'keyfile' } }],
    ['variable that is named now', { configText: `${HERE.configText} # \${ENV:OTHER}` }],
  ])('differ by another %s', (_what, other) => {
    expect(fits(other)).toBe(false);
  });

  test('are written so that no value can be found by trying', () => {
    const texts = new Set(Array.from({ length: 20 }, () => surroundingsOf(HERE)));
    expect(texts.size).toBe(20);
    for (const text of texts) {
      expect(text).toMatch(/^[0-9a-f]{24}:[0-9a-f]{8}$/);
      // 32 bits: of all feeds with a secret of ten letters, some 30,000 would fit.
      expect(text.split(':')[1]).toHaveLength(8);
    }
  });

  test('are all variables where a program of the person hands out tokens: it may go by any of them', () => {
    const configText = 'accounts: { work: { tokenCommand: [./token] } }';
    const env = { AZURE_CONFIG_DIR: '/anna', TERM: 'xterm', PWD: '/home' };
    const here = { ...HERE, configText, env };
    const record = { surroundings: surroundingsOf(here) };
    expect(matchesSurroundings(record, here)).toBe(true);
    expect(matchesSurroundings(record, { ...here, env: { ...env, TERM: 'vt100', PWD: '/tmp', SHLVL: '3' } })).toBe(
      true,
    );
    expect(matchesSurroundings(record, { ...here, env: { ...env, AZURE_CONFIG_DIR: '/bert' } })).toBe(false);
    expect(matchesSurroundings(record, { ...here, env: { TERM: 'xterm', PWD: '/home' } })).toBe(false);
  });

  test.each(['', 'x', ':', 'salt:'])('that are broken (%j) fit nothing', (surroundings) => {
    expect(matchesSurroundings({ surroundings }, HERE)).toBe(false);
  });
});

describe('a newer version', () => {
  /** In the order of https://semver.org/#spec-item-11 */
  const ORDER = [
    '0.9.9',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
    '1.2.0',
    '1.10.0',
    '10.0.0',
  ];

  test('is each one that comes later, and no other', () => {
    for (const [at, one] of ORDER.entries())
      for (const [against, other] of ORDER.entries())
        expect([one, other, isNewer(one, other)]).toEqual([one, other, at > against]);
  });

  test('is not another build of the same, nor what is no version', () => {
    expect(isNewer('1.0.0+b', '1.0.0+a')).toBe(false);
    expect(isNewer('newest', '1.0.0')).toBe(false);
    expect(isNewer('1.0.0', '')).toBe(false);
    expect(isNewer('1.0', '0.1.0')).toBe(false);
  });
});
