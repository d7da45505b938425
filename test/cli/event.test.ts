/** Writing from a command line, on accounts of provider memory: what is typed, asked, printed, and told to scripts. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/operations/writing/outcome.ts';
import { type CliResult, cli, temporaryFolder, writeAccounts } from '../harness.ts';

const ONE = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  home: { provider: memory, access: write }
  fixed: { provider: memory, events: [{ title: Yoga, start: 2026-11-24T14:30, end: 2026-11-24T15:30 }] }
`;
const TWO = ONE.replace('  fixed:', '  work: { provider: memory, access: write }\n  fixed:');

/** What somebody types, or does before. */
type Reply = string | (() => Promise<string>);

interface Home {
  run(...args: string[]): Promise<CliResult>;
  /** At a terminal, with somebody who answers. */
  asked(answers: readonly Reply[], ...args: string[]): Promise<CliResult & { readonly questions: number }>;
  json(...args: string[]): Promise<Outcome>;
  /** `2026-11-24T14:00 Dentist` */
  events(range?: string): Promise<string[]>;
  idOf(title: string, range?: string): Promise<string>;
}

async function openHome(accounts = ONE): Promise<Home> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  const run = (...args: string[]): Promise<CliResult> => cli(folder, args);
  const agenda = async (range: string): Promise<{ id: string; title: string; start: string }[]> =>
    JSON.parse((await run('agenda', range, '--account', 'home', '--json')).stdout).events;
  return {
    run,
    async asked(answers, ...args) {
      const left = [...answers];
      let [shown, questions] = ['', 0];
      const stderr = {
        isTerminal: true,
        columns: 100,
        write(text: string): void {
          shown += text;
        },
      };
      const readLine = async (): Promise<string> => {
        questions++;
        const reply = left.shift() ?? '';
        return typeof reply === 'string' ? reply : reply();
      };
      const { status, stdout } = await cli(folder, args, { stderr, readLine });
      return { status, stdout, stderr: shown, questions };
    },
    async json(...args) {
      const { stdout, stderr } = await run(...args, '--json');
      expect(stderr).toBe('');
      return JSON.parse(stdout) as Outcome;
    },
    events: async (range = '2026-11-23..2026-11-29') =>
      (await agenda(range)).map(({ start, title }) => `${start.slice(0, 16)} ${title}`),
    idOf: async (title, range = '2026-11-23..2026-11-29') =>
      (await agenda(range)).find((event) => event.title === title)?.id ?? '',
  };
}

const DENTIST = ['event', 'create', 'Dentist', '--start', 'tomorrow 14:00', '--duration', '45m'];
const STAND_UP = [
  'event',
  'create',
  'Stand-up',
  '--start',
  '2026-11-23T09:00',
  '--duration',
  '15m',
  '--repeat',
  'weekdays',
];

describe('event create', () => {
  test('makes one event, says what and where, and what else is then; the same again is the same event', async () => {
    const { run, events } = await openHome();
    const made = await run(...DENTIST);
    expect(made).toMatchObject({ status: 0, stderr: '' });
    expect(made.stdout).toMatch(
      /^Created\n {2}where +home: Events\n {2}what +Tuesday 24 November 2026, 14:00–14:45 {2}Dentist\n {2}id +home\.\w{10}\n {2}version +\w+\n\nAt the same time:\n {2}Tuesday 24 November 2026, 14:30–15:30 {2}Yoga \(fixed\)\n$/,
    );
    const again = await run(...DENTIST);
    expect([again.status, again.stdout.split('\n')[0]]).toEqual([0, 'It was there already; nothing was done']);
    expect(again.stdout).not.toMatch(/same time|Perhaps/);
    expect((await run(...DENTIST, '--key', 'second')).stdout).toMatch(/^Created\n/);
    expect(await events()).toEqual(['2026-11-24T14:00 Dentist', '2026-11-24T14:00 Dentist']);
  });

  test('only shows what it would do with --dry-run, and then does just that', async () => {
    const { run, events, json } = await openHome();
    const { status, stdout } = await run(...DENTIST, '--location', 'Main Street', '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Nothing was done\. This would be:\n/);
    for (const row of [/title +Dentist/, /start +2026-11-24T14:00\+01:00/, /location +Main Street/, /Yoga \(fixed\)/])
      expect(stdout).toMatch(row);
    expect(await events()).toEqual([]);
    expect(await json(...DENTIST, '--dry-run')).toMatchObject({
      outcome: 'preview',
      account: 'home',
      calendar: 'Events',
      complete: true,
      conflicts: [{ title: 'Yoga' }],
    });
    expect(await json(...DENTIST)).toMatchObject({
      outcome: 'created',
      event: { title: 'Dentist', version: expect.any(String) },
    });
    expect(await events()).toHaveLength(1);
  });

  test.each<[string, string[], Partial<Outcome['event']>]>([
    [
      'whole days',
      ['--start', '2026-12-24', '--end', '2026-12-27'],
      { start: '2026-12-24', end: '2026-12-27', allDay: true },
    ],
    ['one whole day', ['--start', 'friday'], { start: '2026-11-27', end: '2026-11-28', allDay: true }],
    ['half an hour, unless said otherwise', ['--start', '2026-11-24T14:00'], { end: '2026-11-24T14:30:00+01:00' }],
    ['an end', ['--start', 'tomorrow 14:00', '--end', '16:15'], { end: '2026-11-24T16:15:00+01:00' }],
    [
      'a length of more than a day',
      ['--start', '2026-11-24T14:00', '--duration', '2d'],
      { end: '2026-11-26T14:00:00+01:00' },
    ],
    [
      'a zone of its own',
      ['--start', '2026-11-24T09:00[America/New_York]'],
      { start: '2026-11-24T15:00:00+01:00', zone: 'America/New_York' },
    ],
    [
      'the zone of the answer',
      ['--start', '2026-11-24T09:00', '--time-zone', 'America/New_York'],
      { start: '2026-11-24T09:00:00-05:00' },
    ],
    [
      'what it does to the day',
      ['--start', '2026-11-24', '--busy', 'oof', '--sensitivity', 'private'],
      { busy: 'oof', private: true },
    ],
    [
      'a series',
      ['--start', '2026-11-24T09:00', '--repeat', 'FREQ=DAILY;COUNT=5'],
      { recurring: true, repeats: 'every day, 5 times' },
    ],
  ])('takes %s', async (_what, args, event) => {
    const { json } = await openHome();
    expect(await json('event', 'create', 'Trip', ...args)).toMatchObject({ outcome: 'created', event });
  });

  test('--json is exactly what the operation says', async () => {
    const { json } = await openHome();
    const made = await json(...DENTIST);
    expect(made).toEqual({
      outcome: 'created',
      account: 'home',
      calendar: 'Events',
      event: {
        id: expect.stringMatching(/^home\.\w{10}$/),
        title: 'Dentist',
        start: '2026-11-24T14:00:00+01:00',
        end: '2026-11-24T14:45:00+01:00',
        accounts: ['home'],
        calendar: 'Events',
        version: expect.any(String),
      },
      complete: true,
      accounts: [
        expect.objectContaining({ account: 'home', status: 'ok' }),
        expect.objectContaining({ account: 'fixed' }),
      ],
      conflicts: [expect.objectContaining({ title: 'Yoga' })],
    });
  });
});

describe('event update, delete and respond', () => {
  test('change what is named, and nothing else', async () => {
    const { run, idOf, events } = await openHome();
    await run(...DENTIST, '--location', 'Main Street');
    const id = await idOf('Dentist');
    const { status, stdout } = await run('event', 'update', id, '--start', '15:00', '--title', 'Dentist, check-up');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Changed\n/);
    expect(stdout).toMatch(/start +2026-11-24T14:00\+01:00 → 2026-11-24T15:00\+01:00/);
    expect(stdout).toMatch(/end +2026-11-24T14:45\+01:00 → 2026-11-24T15:45\+01:00/);
    expect(await events()).toEqual(['2026-11-24T15:00 Dentist, check-up']);
    expect((await run('event', 'get', id)).stdout).toMatch(/where +Main Street/);
    await run('event', 'update', id, '--location', '');
    expect((await run('event', 'get', id)).stdout).not.toContain('Main Street');
  });

  test('delete what is named; what is gone is not there any more', async () => {
    const { run, idOf, events } = await openHome();
    await run(...DENTIST);
    const id = await idOf('Dentist');
    const gone = await run('event', 'delete', id);
    expect([gone.status, gone.stdout.split('\n')[0]]).toEqual([0, 'Deleted']);
    // There is nothing left that an id or a version would be of use for.
    expect(gone.stdout).not.toMatch(/ id | version /);
    expect(await events()).toEqual([]);
    for (const args of [
      ['delete', id],
      ['update', id, '--title', 'x'],
      ['get', id],
    ]) {
      const { status, stderr } = await run('event', ...args);
      expect([status, stderr]).toEqual([
        66,
        expect.stringMatching(/there is no event "home\.\w+"\nlist the events again/),
      ]);
    }
  });

  test('of a series change as much as --scope says', async () => {
    const { run, idOf, events } = await openHome();
    await run(...STAND_UP);
    const onWednesday = () => idOf('Stand-up', '2026-11-25');
    const without = await run('event', 'update', await onWednesday(), '--start', '10:00');
    expect([without.status, without.stderr]).toEqual([
      64,
      expect.stringContaining('give --scope this for this one, following'),
    ]);
    await run('event', 'update', await onWednesday(), '--scope', 'this', '--start', '10:00');
    expect((await run('event', 'delete', await idOf('Stand-up', '2026-11-26'), '--scope', 'following')).stdout).toMatch(
      /note +this and all later occurrences/,
    );
    expect(await events('2026-11-23..2026-12-31')).toEqual([
      '2026-11-23T09:00 Stand-up',
      '2026-11-24T09:00 Stand-up',
      '2026-11-25T10:00 Stand-up',
    ]);
    await run('event', 'update', await onWednesday(), '--scope', 'all', '--title', 'Daily');
    expect((await events()).map((line) => line.slice(17))).toEqual(['Daily', 'Daily', 'Daily']);
    await run('event', 'delete', await idOf('Daily'), '--scope', 'all');
    expect(await events()).toEqual([]);
  });

  test('what was changed by itself goes with the rest that follows', async () => {
    const { run, idOf, events } = await openHome();
    await run(...STAND_UP);
    await run('event', 'update', await idOf('Stand-up', '2026-11-26'), '--scope', 'this', '--start', '11:00');
    await run('event', 'delete', await idOf('Stand-up', '2026-11-25'), '--scope', 'following');
    expect(await events('2026-11-23..2026-12-31')).toEqual(['2026-11-23T09:00 Stand-up', '2026-11-24T09:00 Stand-up']);
  });

  test('a series is made to happen once by an empty --repeat', async () => {
    const { run, idOf, events } = await openHome();
    await run(...STAND_UP);
    const { stdout } = await run('event', 'update', await idOf('Stand-up'), '--scope', 'all', '--repeat', '');
    expect(stdout).toMatch(/repeat +every week on Monday to Friday → once/);
    expect(await events('2026-11-23..2026-12-31')).toEqual(['2026-11-23T09:00 Stand-up']);
  });

  test('P08: another version than the one that was seen is status 75, with the event as it is now', async () => {
    const { run, json, events } = await openHome();
    const { event } = await json(...DENTIST);
    const { id = '', version = '' } = event ?? {};
    expect((await run('event', 'get', id)).stdout).toMatch(new RegExp(`version +${version}`));
    await run('event', 'update', id, '--title', 'Hygienist');
    for (const change of [
      ['update', id, '--title', 'x'],
      ['delete', id],
    ]) {
      const late = await run('event', ...change, '--if-version', version);
      expect(late).toMatchObject({ status: 75, stderr: '' });
      expect(late.stdout).toMatch(/^Nothing was done: the event has changed since\. As it is now:\n/);
      expect(late.stdout).toMatch(/14:00–14:45 {2}Hygienist/);
    }
    expect(await events()).toEqual(['2026-11-24T14:00 Hygienist']);
  });
});

describe('at a terminal', () => {
  test.each([
    ['y', 'deleted'],
    ['yes', 'deleted'],
    ['n', 'kept'],
    ['', 'kept'],
    ['maybe', 'kept'],
  ])('deleting shows the event and asks; %j and it is %s', async (answer, outcome) => {
    const { run, asked, idOf, events } = await openHome();
    await run(...DENTIST);
    const { status, stdout, stderr, questions } = await asked([answer], 'event', 'delete', await idOf('Dentist'));
    expect([status, questions]).toEqual([0, 1]);
    expect(stderr).toMatch(/Nothing was done\. This would be:\n[\s\S]*14:00–14:45 {2}Dentist[\s\S]*Do it\? \[y\/N\] /);
    if (outcome === 'deleted') expect(stdout).toMatch(/^Deleted\n/);
    else
      expect([stdout, stderr.trimEnd().split('\n').at(-1)]).toEqual(['', expect.stringContaining('nothing was done')]);
    expect(await events()).toHaveLength(outcome === 'deleted' ? 0 : 1);
  });

  test('nobody is asked with --yes, --dry-run or --json, for what mails nobody, nor without a terminal', async () => {
    const { run, asked, idOf, events } = await openHome();
    for (const more of [['--yes'], ['-y'], ['--json'], ['--dry-run']]) {
      await run(...DENTIST);
      const { status, questions } = await asked([], 'event', 'delete', await idOf('Dentist'), ...more);
      expect([status, questions]).toEqual([0, 0]);
      expect(await events()).toHaveLength(more[0] === '--dry-run' ? 1 : 0);
    }
    expect((await asked([], 'event', 'update', await idOf('Dentist'), '--title', 'x')).questions).toBe(0);
    expect((await asked([], ...DENTIST, '--key', '2')).questions).toBe(0);
    expect((await run('event', 'delete', await idOf('x'))).stdout).toMatch(/^Deleted/);
  });

  test('what was shown is what is deleted: a change while the question stood is a conflict', async () => {
    const { run, asked, idOf, events } = await openHome();
    await run(...DENTIST);
    const id = await idOf('Dentist');
    const late = async (): Promise<string> => {
      await run('event', 'update', id, '--title', 'Operation');
      return 'y';
    };
    const { status, stdout } = await asked([late], 'event', 'delete', id);
    expect([status, stdout]).toEqual([75, expect.stringContaining('Operation')]);
    expect(await events()).toEqual(['2026-11-24T14:00 Operation']);
  });

  test('a version that is old is told without a question', async () => {
    const { run, asked, json } = await openHome();
    const { event } = await json(...DENTIST);
    await run('event', 'update', event?.id ?? '', '--title', 'Hygienist');
    const late = await asked(['y'], 'event', 'delete', event?.id ?? '', '--if-version', event?.version ?? '');
    expect(late).toMatchObject({
      status: 75,
      questions: 0,
      stdout: expect.stringMatching(/^Nothing was done: the event has changed/),
    });
  });
});

describe('is refused with what to type, and nothing is written:', () => {
  const create = (...more: string[]): string[] => ['event', 'create', 'x', '--start', 'tomorrow 10:00', ...more];
  const HOME = ['--account', 'home'];

  test.each<[string, string[], number, RegExp]>([
    [
      'several accounts that could be meant',
      create(),
      64,
      /which account is it for\? .*\nname one with --account: home, work$/m,
    ],
    ['two accounts', create('--account', 'home,work'), 64, /an event is in one account\nname one with --account$/m],
    ['--account given twice', create(...HOME, '--account', 'work'), 64, /an event is in one account/],
    [
      'an account that is not there',
      create('--account', 'nope'),
      64,
      /there is no account "nope"\nknown: home, work, fixed$/m,
    ],
    [
      'P06: one that is only read',
      create('--account', 'fixed'),
      77,
      /fixed has access: read.*\nset access: write for fixed there$/m,
    ],
    [
      'a calendar that is not there',
      create(...HOME, '--calendar', 'Sport'),
      66,
      /no calendar is called so\nits calendars: Events$/m,
    ],
    [
      'a time that is none',
      create(...HOME, '--end', 'half past'),
      64,
      /cannot read end "half past"\ngive --end as 2026-12-01T10:00/,
    ],
    [
      'a day that is mistyped',
      ['event', 'create', 'x', ...HOME, '--start', 'tomorow 10:00'],
      64,
      /cannot read start "tomorow 10:00"\ngive --start as/,
    ],
    [
      'a time that the clocks skip',
      ['event', 'create', 'x', ...HOME, '--start', '2027-03-28T02:30'],
      64,
      /start 02:30 does not exist on 2027-03-28.*\nthe next time there is 03:30$/m,
    ],
    [
      'a zone that is none',
      ['event', 'create', 'x', ...HOME, '--start', '2026-11-24T10:00[Mars/Base]'],
      64,
      /unknown time zone "Mars\/Base"/,
    ],
    ['no start', ['event', 'create', 'x', ...HOME], 64, /required option '--start <time>' not specified/],
    ['no title', ['event', 'create', ...HOME, '--start', 'friday'], 64, /missing required argument 'title'/],
    [
      'an end before the start',
      create(...HOME, '--end', '09:00'),
      64,
      /the end is not after the start\ngive a later end$/m,
    ],
    [
      'an end of whole days that is none',
      ['event', 'create', 'x', ...HOME, '--start', '2026-12-24', '--end', '2026-12-24'],
      64,
      /not after the start\n.*2026-12-25$/m,
    ],
    [
      'both an end and a length',
      create(...HOME, '--end', '11:00', '--duration', '1h'),
      64,
      /--end and --duration say the same\ngive one of them$/m,
    ],
    [
      'a length that is none',
      create(...HOME, '--duration', 'long'),
      64,
      /--duration: "long" is no whole number of minutes\nwrite it as 45m, 1h or 1h30m$/m,
    ],
    [
      'a reminder that is no number',
      create(...HOME, '--reminder', 'abc'),
      64,
      /--reminder: "abc" is no number\nwrite it as 5$/m,
    ],
    [
      'a reminder that is too early',
      create(...HOME, '--reminder', '99999'),
      64,
      /--reminder: give a whole number from 0 to 40320$/m,
    ],
    [
      'six reminders',
      create(...HOME, ...Array(6).fill(['--reminder', '5']).flat()),
      64,
      /--reminder: at most 5 of them$/m,
    ],
    [
      'a busy that is none',
      create(...HOME, '--busy', 'bussy'),
      64,
      /Allowed choices are free, tentative, busy, oof, workingElsewhere\.$/m,
    ],
    [
      'a sensitivity that is none',
      create(...HOME, '--sensitivity', 'secret'),
      64,
      /Allowed choices are normal, personal, private, confidential\.$/m,
    ],
    [
      'a type that is none',
      create(...HOME, '--type', 'focus'),
      64,
      /Allowed choices are default, focusTime, outOfOffice, workingLocation\.$/m,
    ],
    ['a notify that is none', create(...HOME, '--notify', 'some'), 64, /Allowed choices are all, none\.$/m],
    [
      'a title that is too long',
      ['event', 'create', 'x'.repeat(256), ...HOME, '--start', 'friday'],
      64,
      /title: at most 255 characters$/m,
    ],
    [
      'an attendee without an address',
      create(...HOME, '--attendee', 'ann'),
      64,
      /"ann" is no e-mail address\ngive attendees as name@client\.example/,
    ],
    [
      'attendees where nobody can be invited',
      create(...HOME, '--attendee', 'ann@client.example'),
      64,
      /has no attendees\nleave attendees out/,
    ],
    [
      'a rule that is none',
      create(...HOME, '--repeat', 'fortnightly'),
      64,
      /the recurrence is not a rule\n.*daily, weekdays, weekly, monthly, yearly/,
    ],
    [
      'a rule that its start does not fit',
      create(...HOME, '--repeat', 'FREQ=WEEKLY;BYDAY=MO'),
      64,
      /does not start at a time that.*\nstart it on 2026-11-30T10:00/,
    ],
    [
      'a scope that is none',
      ['event', 'update', 'home.0000000000', '--scope', 'one', '--title', 'x'],
      64,
      /Allowed choices are this, following, all\.$/m,
    ],
    [
      'an id that is none',
      ['event', 'update', 'Dentist', '--title', 'x'],
      66,
      /there is no event "Dentist"\nlist the events again/,
    ],
    ['an id of an account that is only read', ['event', 'delete', 'fixed.0000000000'], 77, /fixed has access: read/],
    [
      'an answer that is none',
      ['event', 'respond', 'home.0000000000', 'perhaps', '--notify', 'none'],
      64,
      /"perhaps" is no answer\nanswer accept, tentative or decline$/m,
    ],
    [
      'an answer that does not say who is told',
      ['event', 'respond', 'home.0000000000', 'accept'],
      64,
      /is the organizer to be told\?\nsay so: --notify all, or --notify none$/m,
    ],
    [
      'a comment that nobody gets',
      ['event', 'respond', 'home.0000000000', 'accept', '--notify', 'none', '--comment', 'x'],
      64,
      /a comment that nobody is sent is lost\ngive --notify all, or leave comment out$/m,
    ],
    [
      'an option that event get has no use for',
      ['event', 'get', 'home.0000000000', '--account', 'home'],
      64,
      /get has no use for --account\nleave it out$/m,
    ],
    [
      'an option that is mistyped',
      create(...HOME, '--attendees', 'ann@client.example'),
      64,
      /Did you mean --attendee\?/,
    ],
  ])('%s', async (_what, args, status, says) => {
    const { run, events } = await openHome(TWO);
    const result = await run(...args);
    expect([result.status, result.stdout]).toEqual([status, '']);
    expect(result.stderr).toMatch(says);
    // In the words of a command line, not of a tool.
    expect(result.stderr).not.toMatch(/dryRun|: true|_event\b|notify: |scope: |as account/);
    expect(await events()).toEqual([]);
  });

  test.each<[string, string[], RegExp]>([
    ['nothing to change', [], /nothing is to be changed\nname what is to be different/],
    [
      'somebody taken off who is not invited',
      ['--remove-attendee', 'ann@client.example'],
      /not invited: ann@client\.example\ncalmcp event get tells who is$/m,
    ],
    [
      'a copy in an account that has none',
      ['--title', 'x', '--account', 'work'],
      /work does not hold this event\nit is in home$/m,
    ],
    [
      'an event that is no invitation, to be answered',
      [],
      /it is no invitation: there is nobody to answer\ncalmcp event update and calmcp event delete change your own events$/m,
    ],
  ])('%s', async (what, change, says) => {
    const { run, events, idOf } = await openHome(TWO);
    await run(...DENTIST, '--account', 'home');
    const id = await idOf('Dentist');
    const isAnswer = what.endsWith('answered');
    const { stderr, status } = await run(
      'event',
      ...(isAnswer ? ['respond', id, 'accept', '--notify', 'all'] : ['update', id, ...change]),
    );
    expect(stderr).toMatch(says);
    expect(status).toBeGreaterThanOrEqual(64);
    expect(await events()).toEqual(['2026-11-24T14:00 Dentist']);
  });
});

describe('exit status', () => {
  test('3 for a preview that does not know all accounts, 0 for the change itself', async () => {
    const { run } = await openHome(`${ONE}  feed: { provider: ics, path: ./missing.ics }\n`);
    const preview = await run(...DENTIST, '--dry-run');
    expect(preview.status).toBe(3);
    expect(preview.stdout).toMatch(/feed +unavailable/);
    expect(preview.stdout).toContain('There may be more at that time.');
    expect((await run(...DENTIST)).status).toBe(0);
  });

  test('78 without accounts, before anything is asked', async () => {
    const { status, stderr } = await cli(await temporaryFolder(), DENTIST);
    expect([status, stderr]).toEqual([78, expect.stringContaining('calmcp init')]);
  });
});
