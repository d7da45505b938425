/** Long answers on a command line: each ends with the command for the next part. */
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, temporaryFolder, writeAccounts } from '../harness.ts';

const HOURS = [10, 11, 12, 13, 14, 15, 16];
const eventsOf = (word: string): string =>
  HOURS.map((hour) => `{ title: ${word} ${hour}, start: "2026-11-24T${hour}:00", end: "2026-11-24T${hour}:30" }`).join(
    ', ',
  );
const ACCOUNTS = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  home: { provider: memory, client: me, share: busy, events: [${eventsOf('Visit')}] }
  work: { provider: memory, events: [${eventsOf('Call')}] }
`;

interface Answer {
  readonly truncated?: true;
  readonly nextCursor?: string;
  readonly [list: string]: unknown;
}

async function openHome(): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, ACCOUNTS);
  return folder;
}

/** The command that an answer ends with. */
function commandIn(text: string): string[] | undefined {
  const [, line] = /^There is more: calmcp (.+)$/m.exec(text) ?? [];
  return line?.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", ''));
}

/** All parts, each by the very command that the one before ended with. */
async function parts(folder: string, args: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (let next: readonly string[] | undefined = args; next !== undefined && found.length < 50; ) {
    const { status, stdout, stderr } = await cli(folder, next);
    expect([status, stderr]).toEqual([0, '']);
    found.push(stdout);
    next = commandIn(stdout);
  }
  return found;
}

describe('an answer that was cut', () => {
  test.each<[string[], RegExp, number]>([
    [['agenda', 'tomorrow', '--limit', '3'], /^[! ] +\d\d:\d\d.*(?:Visit|Call) \d+/gm, 14],
    [['search', 'visit', 'tomorrow', '--limit', '2'], /^[! ] +\d\d:\d\d.*Visit \d+/gm, 7],
    [['conflicts', 'tomorrow', '--limit', '2'], /^ +\d\d:\d\d–/gm, 7],
    [['freebusy', 'tomorrow', '--limit', '4'], /^ +\d\d:\d\d–.*(?:busy|free)/gm, 15],
  ])('of %j goes on by the command it ends with, until all is told', async (args, rows, count) => {
    const folder = await openHome();
    const told = await parts(folder, args);
    expect(told.length).toBeGreaterThan(2);
    expect(told.flatMap((text) => text.match(rows) ?? [])).toHaveLength(count);
    for (const text of told.slice(0, -1)) {
      expect(text.trimEnd().split('\n').at(-1)).toMatch(
        new RegExp(`^There is more: calmcp ${args[0]} --limit \\d --cursor \\S+$`),
      );
      // Of a part nobody knows where nothing is.
      expect(text).not.toMatch(/Nothing|No free time/);
    }
    expect(told.at(-1)).not.toContain('There is more');
  });

  test('has in JSON what the next one is asked for with', async () => {
    const folder = await openHome();
    const { stdout } = await cli(folder, ['agenda', 'tomorrow', '--limit', '10', '--json']);
    const { truncated, nextCursor = '' } = JSON.parse(stdout) as Answer;
    expect(truncated).toBe(true);
    const rest = JSON.parse((await cli(folder, ['agenda', '--cursor', nextCursor, '--json'])).stdout) as Answer;
    expect(rest.events).toHaveLength(4);
    expect([rest.truncated, rest.nextCursor]).toEqual([undefined, undefined]);
    const whole = JSON.parse((await cli(folder, ['agenda', 'tomorrow', '--json'])).stdout) as Answer;
    expect([JSON.parse(stdout).events, rest.events].flat()).toEqual(whole.events);
    if (process.platform !== 'win32') expect((await stat(join(folder, 'state/cursor.key'))).mode & 0o777).toBe(0o600);
  });

  test('keeps range, accounts, zone and audience; ids and another accounts.yaml are said again', async () => {
    const folder = await openHome();
    await mkdir(join(folder, 'my own'));
    await writeFile(join(folder, 'my own/a.yaml'), ACCOUNTS);
    const args = [
      '--config',
      'my own/a.yaml',
      '--time-zone',
      'UTC',
      '--account',
      'home',
      'agenda',
      'tomorrow',
      '--ids',
      '--limit',
      '5',
    ];
    const told = await parts(folder, args);
    expect(told).toHaveLength(2);
    expect(told[0]).toContain(`calmcp agenda --config 'my own/a.yaml' --limit 5 --ids --cursor `);
    expect(told[1]).toMatch(/15:00–15:30.*home\.[0-9a-z]{10}/);
    expect(told[1]).toContain(', UTC (+00:00)');
    expect(told[1]).not.toMatch(/^work/m);
    const client = await parts(folder, ['agenda', 'tomorrow', '--audience', 'work', '--limit', '5']);
    for (const text of client) expect(text).toContain('as work may see it');
    expect(client.join('')).not.toMatch(/Visit|home/);
  });
});

describe('is refused, with what to do:', () => {
  test.each<[string[], RegExp]>([
    [['agenda', '--limit', '0'], /^calmcp: --limit: give a whole number from 1 to 1000$/m],
    [['freebusy', '--limit', '1001'], /^calmcp: --limit: give a whole number from 1 to 1000$/m],
    [['conflicts', '--limit', 'many'], /--limit: "many" is no number\nwrite it as 5/],
    [['agenda', '--cursor', 'abc.def'], /the cursor is none of this calmcp\ngive nextCursor as it was, or ask again/],
    [['search'], /there is nothing to search for\ngive a word/],
  ])('%j', async (args, says) => {
    const { status, stdout, stderr } = await cli(await openHome(), args);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(says);
  });

  test('a cursor that is longer than any', async () => {
    const { status, stderr } = await cli(await openHome(), ['agenda', '--cursor', 'x'.repeat(32_001)]);
    expect([status, stderr]).toEqual([64, expect.stringContaining('--cursor: at most 32000 characters')]);
  });

  test('a cursor with another command, or another question', async () => {
    const folder = await openHome();
    const { stdout } = await cli(folder, ['agenda', 'tomorrow', '--limit', '3']);
    const cursor = commandIn(stdout)?.at(-1) ?? '';
    const other = await cli(folder, ['conflicts', '--cursor', cursor]);
    expect([other.status, other.stderr]).toEqual([64, expect.stringContaining('the cursor is of calmcp agenda')]);
    const another = await cli(folder, ['agenda', 'today', '--cursor', cursor]);
    expect([another.status, another.stderr]).toEqual([64, expect.stringContaining('another range')]);
    expect((await cli(folder, ['agenda', 'tomorrow', '--cursor', cursor])).status).toBe(0);
  });
});
