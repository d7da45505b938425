import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { renderCsv } from '../../src/cli/report/csv.ts';
import { daysOf } from '../../src/cli/report/days.ts';
import { factsOf } from '../../src/cli/report/facts.ts';
import { renderHtml } from '../../src/cli/report/html.ts';
import { renderMarkdown } from '../../src/cli/report/markdown.ts';
import type { FreeBusy } from '../../src/operations/get-free-busy.ts';
import { northwindClientId, type Sandbox } from '../../src/sandbox/index.ts';
import {
  type CliResult,
  cli,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const FORMATS = ['md', 'csv', 'html', 'ics', 'json'] as const;

const PEOPLE: Readonly<Record<string, string>> = {
  xebia: 'you@xebia.example',
  marimer: 'you@marimer.example',
  northwind: 'you@northwind.example',
};

/** Three tenants, all signed in. */
async function consultant(sandbox: Sandbox): Promise<string> {
  const folder = await temporaryFolder();
  const northwind = { id: 'northwind', tenantId: '44444444-4444-4444-4444-444444444444', clientId: northwindClientId };
  await writeAccounts(folder, microsoftAccounts(sandbox, [XEBIA, MARIMER, northwind]));
  for (const [account, username] of Object.entries(PEOPLE)) {
    const write = (text: string): void => {
      const code = /type (\S+) /.exec(text)?.[1];
      if (code !== undefined) sandbox.approve(code, username);
    };
    const { status } = await cli(folder, ['login', '--account', account], { stderr: { isTerminal: false, write } });
    expect(status).toBe(0);
  }
  return folder;
}

async function memory(events: string, more = ''): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(
    folder,
    `version: 1\ndefaults: { timeZone: Europe/Amsterdam }\naccounts:\n  work: { provider: memory, events: [${events}] }\n${more}`,
  );
  return folder;
}

const REVIEW = '{ title: Secret review, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }';

const report = (folder: string, ...args: string[]): Promise<CliResult> => cli(folder, ['report', 'freebusy', ...args]);

const answer: FreeBusy = {
  range: { start: '2026-11-23T00:00:00+01:00', end: '2026-11-24T00:00:00+01:00', timeZone: 'Europe/Amsterdam' },
  complete: true,
  accounts: [{ account: 'work', status: 'ok', asOf: '2026-11-23T08:00:00Z' }],
  blocks: [],
  free: [],
};

describe('a report of three tenants', () => {
  let sandbox: Sandbox;
  let folder: string;

  beforeEach(async () => {
    sandbox = await openSandbox();
    folder = await consultant(sandbox);
  });

  test('is the same twice, in every format, and says what is free and busy', async () => {
    for (const format of FORMATS) {
      const first = await report(folder, '--format', format);
      const second = await report(folder, '--format', format);
      expect([first.status, first.stderr]).toEqual([0, '']);
      expect(second.stdout).toBe(first.stdout);
      expect(first.stdout).not.toContain('INCOMPLETE');
      expect(first.stdout).not.toMatch(/Sprint planning|Mortgage|Herengracht/);
    }
    const { stdout: md } = await report(folder);
    expect(md.split('\n').slice(0, 6)).toEqual([
      '# Free/busy, 23–29 November 2026',
      '',
      '- Yours',
      '- Time zone: Europe/Amsterdam (+01:00)',
      '- As of: 23 November 2026, 09:00 (+01:00)',
      expect.stringMatching(/^- Free within working hours: \d+ h/),
    ]);
    expect(md).toMatch(/^## Monday 23 November 2026\n\n\| Time {8}\| Status +\| Accounts +\|\n\| -+ \| -+ \| -+ \|$/m);
    expect(md).toMatch(/^\| 10:00–12:45 \| busy +\| xebia +\|$/m);
    expect(md).toMatch(/^\| 08:00–09:00 \| out of office +\|/m);
    const { stdout: csv } = await report(folder, '--format', 'csv');
    expect(csv.split('\r\n')[0]).toBe('start,end,status,accounts');
    expect(csv).toMatch(/\r\n2026-11-23T10:00:00\+01:00,2026-11-23T\d\d:\d\d:00\+01:00,busy,xebia/);
    const starts = csv
      .split('\r\n')
      .slice(1, -1)
      .map((row) => Date.parse(row.split(',')[0] ?? ''));
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
    expect(csv).toContain(',free,\r\n');
    const { stdout: json } = await report(folder, '--format', 'json');
    expect((await report(folder, '--json')).stdout).toBe(json);
    expect(JSON.parse(json)).toMatchObject({ complete: true, perAccount: expect.any(Array), free: expect.any(Array) });
  });

  test('for an audience names no other account, and no title of anybody', async () => {
    const secrets = [
      ...sandbox.data.mailboxes
        .flatMap(({ calendars }) => calendars.flatMap(({ events }) => events))
        .flatMap(({ properties }) => [
          properties.subject ?? '',
          properties.location.displayName,
          properties.iCalUId ?? '',
        ]),
      'xebia',
      'northwind',
      '.example',
    ].filter((text) => text !== '' && !/^(?:busy|free)$/i.test(text));
    expect(secrets.length).toBeGreaterThan(50);
    for (const format of FORMATS) {
      const { status, stdout, stderr } = await report(folder, '--audience', 'marimer', '--format', format);
      expect([status, stderr]).toEqual([0, '']);
      expect(secrets.filter((secret) => stdout.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
      // A table for other programs holds rows and nothing else.
      if (format !== 'csv') expect(stdout).toMatch(/for marimer|"audience": "marimer"/i);
    }
    sandbox.revoke('you@northwind.example');
    sandbox.expireAccessTokens();
    for (const format of FORMATS) {
      const { status, stdout, stderr } = await report(folder, '--audience', 'marimer', '--format', format);
      expect(status).toBe(3);
      expect(secrets.filter((secret) => `${stdout}${stderr}`.toLowerCase().includes(secret.toLowerCase()))).toEqual([]);
      if (format !== 'json') expect(stdout).toMatch(/incomplete: the time of other accounts is unknown/i);
    }
  });

  test('that lacks one says so in its first lines, shows its time as unknown, and exits with 3', async () => {
    sandbox.revoke('you@marimer.example');
    sandbox.expireAccessTokens();
    const said = 'INCOMPLETE: the time of marimer is unknown, not free.';
    const first = async (format: string): Promise<string[]> => {
      const { status, stdout, stderr } = await report(folder, '--format', format);
      expect(status).toBe(3);
      // How to mend it is for whoever runs it.
      expect(stderr).toMatch(/^marimer: needs-login, .*run: calmcp login --account marimer\n$/);
      expect(stdout).not.toMatch(/calmcp login/);
      return stdout.split(/\r?\n/);
    };
    expect((await first('md')).slice(0, 3)).toEqual(['# Free/busy, 23–29 November 2026', '', `**${said}**`]);
    const csv = await first('csv');
    expect(csv.slice(0, 2)).toEqual([`# ${said}`, 'start,end,status,accounts']);
    expect(csv.filter((row) => row.includes(',free,'))).toEqual([]);
    expect(csv.filter((row) => row.includes(',unknown,marimer')).length).toBeGreaterThan(3);
    const html = await first('html');
    expect(html[4]).toBe('<title>INCOMPLETE: Free/busy, 23–29 November 2026</title>');
    expect(html.join('\n')).toContain('<strong>Incomplete: the time of marimer is unknown, not free.</strong>');
    expect((await first('ics')).slice(0, 5)).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//calmcp//report freebusy//EN',
      'X-CALMCP-COMPLETE:FALSE',
      'X-WR-CALDESC:INCOMPLETE: the time of marimer is unknown\\, not free.',
    ]);
    const json = await report(folder, '--format', 'json');
    expect([json.status, json.stderr]).toEqual([3, '']);
    expect(JSON.parse(json.stdout)).toMatchObject({ complete: false, free: [] });
  });

  test('that cannot be reached is unknown as well', async () => {
    sandbox.fail({ match: ({ mailbox }) => mailbox === 'you@northwind.example', status: 403, inBatch: true });
    const { status, stdout } = await report(folder, 'tomorrow', '-o', 'tomorrow.csv');
    expect([status, stdout]).toEqual([3, '']);
    expect(await readFile(join(folder, 'tomorrow.csv'), 'utf8')).toMatch(/^# INCOMPLETE: the time of northwind is/);
  });

  test('whose question fails leaves the file as it was', async () => {
    await writeFile(join(folder, 'week.html'), 'last week');
    for (const username of Object.values(PEOPLE)) sandbox.revoke(username);
    sandbox.expireAccessTokens();
    const { status, stdout, stderr } = await report(folder, '-o', 'week.html');
    expect([status, stdout]).toEqual([77, '']);
    expect(stderr).toMatch(/^calmcp: none of the 3 accounts could be read/);
    expect(await readFile(join(folder, 'week.html'), 'utf8')).toBe('last week');
  });
});

test('the progress of a report for somebody else names no account', async () => {
  const sandbox = await openSandbox();
  const folder = await consultant(sandbox);
  const told = async (...args: string[]): Promise<string> => {
    // Long enough for a person to be told that work goes on.
    sandbox.fail({ match: ({ mailbox }) => mailbox === 'you@northwind.example', delayMs: 1_500, times: 1 });
    let text = '';
    const write = (part: string): void => {
      text += part;
    };
    await cli(folder, ['report', 'freebusy', 'today', ...args], { stderr: { isTerminal: true, write } });
    return text;
  };
  expect(await told('--audience', 'marimer')).toMatch(/^(?!.*xebia)[\s\S]*asking all accounts …/);
  expect(await told()).toContain('asking xebia, marimer, northwind …');
});

describe('the file', () => {
  test('is for its owner alone, comes whole or not at all, and is told in one line', async () => {
    const folder = await memory(REVIEW);
    const path = join(folder, 'week.html');
    await writeFile(path, 'old');
    await chmod(path, 0o644);
    const { status, stdout, stderr } = await report(folder, '-o', 'week.html');
    expect([status, stdout, stderr]).toEqual([0, '', `The report is in ${path}\n`]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readFile(path, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  test.each([
    ['a.md', [], /^# Free\/busy/],
    ['a.csv', [], /^start,end/],
    ['a.HTML', [], /^<!doctype html>/],
    ['a.ics', [], /^BEGIN:VCALENDAR/],
    ['a.json', [], /^\{\n {2}"range"/],
    ['a.txt', [], /^# Free\/busy/],
    ['a.html', ['--format', 'csv'], /^start,end/],
    ['a.html', ['--json'], /^\{\n/],
  ])('%s with %j has the right format', async (name, args, begins) => {
    const folder = await memory(REVIEW);
    expect((await report(folder, '-o', name, ...args)).status).toBe(0);
    expect(await readFile(join(folder, name), 'utf8')).toMatch(begins);
  });

  test('- is stdout', async () => {
    const folder = await memory(REVIEW);
    const { stdout, stderr } = await report(folder, '-o', '-', '--format', 'csv');
    expect([stdout, stderr]).toEqual([(await report(folder, '--format', 'csv')).stdout, '']);
  });

  test('behind a symbolic link is the one that is written', async () => {
    const folder = await memory(REVIEW);
    await mkdir(join(folder, 'public'));
    await writeFile(join(folder, 'public', 'busy.csv'), 'old');
    await symlink('public/busy.csv', join(folder, 'link.csv'));
    expect((await report(folder, '-o', 'link.csv')).status).toBe(0);
    expect(await readFile(join(folder, 'public', 'busy.csv'), 'utf8')).toMatch(/^start,end/);
  });

  test.each<[string, string, RegExp]>([
    ['in a folder that is not there', 'nope/week.html', /there is no folder .*nope\nrun: mkdir -p .*nope\n/],
    ['that is a folder', '.', /is a folder\nname a file in it: .*freebusy\.html\n/],
    ['without a name', '', /--output names no file\n/],
    ['that is a device', '/dev/null', /\/dev\/null is no regular file\nuse -o - /],
    [
      'behind a link to nothing',
      'dangling',
      /dangling is a symbolic link to a file that is not there\nremove the link: /,
    ],
  ])('%s is refused before anybody is asked', async (_name, output, says) => {
    const folder = await memory(REVIEW);
    await symlink('nowhere', join(folder, 'dangling'));
    const { status, stdout, stderr } = await report(folder, '-o', output);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(says);
  });
});

describe('wrong input', () => {
  test.each<[string, string[], RegExp]>([
    [
      'an unknown format',
      ['--format', 'pdf'],
      /argument 'pdf' is invalid. Allowed choices are md, csv, html, ics, json/,
    ],
    ['two formats', ['--json', '--format', 'html'], /--json and --format html are two formats\n/],
    ['words that are no range', ['some', 'day'], /cannot read the range "some day"/],
    ['from without to', ['--from', '2026-12-01'], /from and to belong together/],
    ['an audience without a name', ['--audience', ' '], /the audience has no name/],
    ['an unknown account', ['--account', 'nobody'], /there is no account "nobody"/],
  ])('%s', async (_name, args, says) => {
    const { status, stdout, stderr } = await report(await memory(REVIEW), ...args);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(says);
  });

  test('an audience that no account belongs to is told to whoever runs it, and not in the report', async () => {
    const { status, stdout, stderr } = await report(await memory(REVIEW), '--audience', '<b>acme|*');
    expect(status).toBe(0);
    expect(stderr).toContain('no account belongs to <b>acme|*');
    expect(stdout).toContain('- For \\<b\\>acme\\|\\*');
    expect(stdout).not.toContain('no account belongs');
  });

  test('report alone shows what reports there are', async () => {
    const { status, stderr } = await cli(await memory(REVIEW), ['report']);
    expect(status).toBe(64);
    expect(stderr).toMatch(/Usage: calmcp report[\s\S]*freebusy/);
  });

  test('the help has examples', async () => {
    expect((await report(await memory(REVIEW), '--help')).stdout).toMatch(
      /Examples:[\s\S]*Exit status 0: complete; 3:/,
    );
  });
});

test('the range may have times, and is asked for in the zone of the command', async () => {
  const folder = await memory(REVIEW);
  const { stdout } = await report(folder, '--from', '2026-11-23T09:30', '--to', '2026-11-23T12:00');
  expect(stdout).toMatch(/^# Free\/busy, Monday 23 November 2026, 09:30–12:00\n/);
  expect(stdout).toContain('| 10:00–11:00 | busy ');
  const { stdout: elsewhere } = await report(folder, 'today', '--time-zone', 'America/New_York', '--format', 'csv');
  expect(elsewhere).toContain('2026-11-23T04:00:00-05:00,2026-11-23T05:00:00-05:00,busy,work');
});

describe('csv', () => {
  test('quotes what needs it, and disarms what a spreadsheet would run', () => {
    const [start, end] = ['2026-11-23T10:00:00+01:00', '2026-11-23T11:00:00+01:00'];
    for (const [account, cell] of [
      ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
      ['+1', "'+1"],
      ['-1', "'-1"],
      ['@sum', "'@sum"],
      ['\t=1', "'\t=1"],
      ['a,b', '"a,b"'],
    ] as const)
      expect(renderCsv({ ...answer, blocks: [{ start, end, busy: 'busy', accounts: [account] }] })).toBe(
        `start,end,status,accounts\r\n${start},${end},busy,${cell}\r\n`,
      );
  });
});

describe('days', () => {
  const cut = (start: string, end: string, blocks: FreeBusy['blocks'], timeZone = 'Europe/Amsterdam') =>
    daysOf({ range: { start, end, timeZone }, blocks, free: [] });

  test('that a block goes over each have their share', () => {
    const block = { start: '2026-11-23T22:00:00+01:00', end: '2026-11-26T02:30:00+01:00', busy: 'busy' as const };
    const days = cut('2026-11-23T00:00:00+01:00', '2026-11-27T00:00:00+01:00', [block]);
    expect(
      days.map(({ date, shares }) => [date, ...shares.map(({ times, top, bottom }) => [times, top, bottom])]),
    ).toEqual([
      ['2026-11-23', ['from 22:00', 22, 24]],
      ['2026-11-24', ['all day', 0, 24]],
      ['2026-11-25', ['all day', 0, 24]],
      ['2026-11-26', ['until 02:30', 0, 2.5]],
    ]);
  });

  test('that end with a block end at 24:00', () => {
    const block = { start: '2026-11-23T22:00:00+01:00', end: '2026-11-24T00:00:00+01:00', busy: 'oof' as const };
    const days = cut('2026-11-23T12:00:00+01:00', '2026-11-24T12:00:00+01:00', [block]);
    expect(days).toMatchObject([
      { top: 12, bottom: 24, shares: [{ times: '22:00–24:00', top: 22, bottom: 24 }] },
      { top: 0, bottom: 12, shares: [] },
    ]);
  });

  test('of 25 hours lie on the wall clock, with offsets', () => {
    const at = (from: string, to: string) => ({
      start: `2026-10-25T${from}`,
      end: `2026-10-25T${to}`,
      busy: 'busy' as const,
    });
    const [day] = cut('2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00', [
      at('01:30:00+02:00', '02:30:00+01:00'),
      at('02:45:00+01:00', '03:15:00+01:00'),
      at('10:00:00+01:00', '11:00:00+01:00'),
    ]);
    expect(day).toMatchObject({ unusualHours: 25, top: 0, bottom: 24 });
    expect(day?.shares).toMatchObject([
      // 02:00 to 03:00 passes twice, and all of the first time is in it.
      { times: '01:30 +02:00–02:30 +01:00', top: 1.5, bottom: 3 },
      { times: '02:45–03:15 +01:00', top: 2.75, bottom: 3.25 },
      { times: '10:00–11:00 +01:00', top: 10, bottom: 11 },
    ]);
  });

  test('of 23 hours lie on the wall clock, with offsets', () => {
    const [day] = cut('2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00', [
      { start: '2026-03-29T01:30:00+01:00', end: '2026-03-29T03:30:00+02:00', busy: 'busy' },
    ]);
    expect(day).toMatchObject({
      unusualHours: 23,
      shares: [{ times: '01:30 +01:00–03:30 +02:00', top: 1.5, bottom: 3.5 }],
    });
    expect(
      factsOf({
        ...answer,
        range: { start: '2026-03-28T00:00:00+01:00', end: '2026-03-30T00:00:00+02:00', timeZone: 'Europe/Amsterdam' },
      }),
    ).toMatchObject({ title: '28–29 March 2026', zone: 'Europe/Amsterdam (+01:00, +02:00 from 29 March 2026)' });
  });

  test('that begin after midnight, where clocks change at midnight, begin with their first moment', () => {
    const [day] = cut(
      '2026-04-24T01:00:00+03:00',
      '2026-04-25T00:00:00+03:00',
      [{ start: '2026-04-24T01:00:00+03:00', end: '2026-04-25T00:00:00+03:00', busy: 'busy' }],
      'Africa/Cairo',
    );
    expect(day).toMatchObject({ date: '2026-04-24', top: 1, bottom: 24, shares: [{ times: 'all day' }] });
  });
});

describe('html', () => {
  test('takes nothing that is not text for markup', () => {
    const [start, end] = ['2026-11-23T10:00:00+01:00', '2026-11-23T11:00:00+01:00'];
    const evil = `<script>alert("x")</script>'&`;
    const page = renderHtml({
      ...answer,
      audience: evil,
      complete: false,
      accounts: [{ account: evil, status: 'unavailable' }],
      blocks: [{ start, end, busy: 'busy', accounts: [evil] }],
    });
    expect(page).not.toMatch(/<script|alert\("|'&(?!#)/);
    expect(page).toContain('&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62;&#39;&#38;');
    expect(page).not.toMatch(/https?:|url\(|@import/);
    expect(renderMarkdown({ ...answer, audience: evil })).toContain('- For \\<script\\>alert\\("x"\\)');
  });

  test('of 370 full days is small and quick', () => {
    const pad = (value: number): string => String(value).padStart(2, '0');
    const kinds = ['busy', 'tentative', 'oof', 'unknown'] as const;
    const blocks: FreeBusy['blocks'] = [];
    const free: FreeBusy['free'] = [];
    for (let day = 0; day < 370; day++) {
      const date = new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
      for (let hour = 8; hour < 18; hour++) {
        const at = (minute: number): string => `${date}T${pad(hour)}:${pad(minute)}:00+00:00`;
        blocks.push({ start: at(0), end: at(40), busy: kinds[hour % 4] ?? 'busy', accounts: ['xebia', 'marimer'] });
        free.push({ start: at(40), end: at(59) });
      }
    }
    const page = renderHtml({
      ...answer,
      range: { start: '2026-01-01T00:00:00+00:00', end: '2027-01-06T00:00:00+00:00', timeZone: 'UTC' },
      blocks,
      free,
    });
    expect(Buffer.byteLength(page)).toBeLessThan(2_000_000);
    expect(page.match(/<section class="week"/g)).toHaveLength(54);
  });
});
