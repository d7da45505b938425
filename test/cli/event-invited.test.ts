/** Meetings with other people from a command line, on the sandbox: who is told is said before anybody is. */
import { describe, expect, test } from 'vitest';
import type { Outcome } from '../../src/operations/writing/outcome.ts';
import { calendar, event, mailbox, type Sandbox, singleMailbox } from '../../src/sandbox/index.ts';
import {
  type CliResult,
  cli,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const YOU = 'you@xebia.example';
const COLLEAGUE = 'colleague@xebia.example';

interface Office {
  readonly sandbox: Sandbox;
  run(...args: string[]): Promise<CliResult>;
  asked(answer: string, ...args: string[]): Promise<CliResult & { readonly questions: number }>;
  json(...args: string[]): Promise<Outcome>;
  idIn(account: string, title: string): Promise<string>;
  /** Requests that changed something. */
  writes(): string[];
  mails(): string[];
}

/** Two people of one organisation, each with an account here. */
async function openOffice(): Promise<Office> {
  const theirs = event({ subject: 'Theirs', start: '2026-11-24T10:00', end: '2026-11-24T11:00' });
  const data = singleMailbox([calendar('Calendar', []), calendar('Read only', [theirs], { canEdit: false })]);
  const [tenant] = data.tenants;
  const colleague = { oid: 'aaaaaaaa-0000-0000-0000-000000000002', username: COLLEAGUE, displayName: 'Colleague' };
  const sandbox = await openSandbox({
    data: {
      ...data,
      users: [...data.users, { ...colleague, tenant: tenant?.id ?? '' }],
      mailboxes: [...data.mailboxes, mailbox(COLLEAGUE, [calendar('Calendar', [])])],
    },
  });
  const yaml = microsoftAccounts(sandbox, [XEBIA, { ...XEBIA, id: 'mate' }]).replaceAll(
    '    provider: microsoft\n',
    '    provider: microsoft\n    access: write\n',
  );
  const { app, folder } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', YOU);
  await signIn(app, sandbox, 'mate', COLLEAGUE);
  await writeAccounts(folder, yaml);
  const run = (...args: string[]): Promise<CliResult> => cli(folder, args);
  return {
    sandbox,
    run,
    async asked(answer, ...args) {
      const shown: string[] = [];
      let questions = 0;
      const readLine = async (): Promise<string> => {
        questions++;
        return answer;
      };
      const stderr = { isTerminal: true, columns: 100, write: (text: string) => void shown.push(text) };
      return { ...(await cli(folder, args, { stderr, readLine })), stderr: shown.join(''), questions };
    },
    async json(...args) {
      const { stdout, stderr } = await run(...args, '--json');
      expect(stderr).toBe('');
      return JSON.parse(stdout) as Outcome;
    },
    async idIn(account, title) {
      const { stdout } = await run('search', title, 'this week', '--account', account, '--json');
      const { events } = JSON.parse(stdout) as { events: { id: string }[] };
      return events[0]?.id ?? '';
    },
    writes: () =>
      sandbox.requests
        .filter(({ method, path, batch }) => path.startsWith('/v1.0/') && method !== 'GET' && batch === undefined)
        .map(({ method }) => method),
    mails: () => sandbox.mails.map(({ kind, to, subject }) => `${kind} to ${to}: ${subject}`),
  };
}

const REVIEW = ['event', 'create', 'Review', '--account', 'xebia', '--start', 'tomorrow 10:00', '--duration', '1h'];
const INVITED = [...REVIEW, '--attendee', `Colleague <${COLLEAGUE}>`];

describe('a meeting with others', () => {
  test('is not written without --notify all, and a preview says who would be mailed', async () => {
    const { run, writes, mails } = await openOffice();
    for (const notify of [[], ['--notify', 'none']]) {
      const { status, stdout, stderr } = await run(...INVITED, ...notify);
      expect([status, stdout]).toEqual([64, '']);
      expect(stderr).toMatch(
        /others are invited: colleague@xebia\.example would be e-mailed\nsay so with --notify all; --dry-run shows it first$/m,
      );
    }
    const preview = await run(...INVITED, '--dry-run');
    expect(preview.status).toBe(0);
    expect(preview.stdout).toMatch(
      /attendees +colleague@xebia\.example\n {2}would mail +colleague@xebia\.example\n {2}needs +--notify all \(this server mails those invited/,
    );
    expect(preview.stdout).toMatch(/At the same time:\n {2}Tuesday 24 November 2026, 10:00–11:00 {2}Theirs/);
    expect([writes(), mails()]).toEqual([[], []]);
  });

  test('is written and mailed with it; the same again mails nobody a second time', async () => {
    const { run, json, mails } = await openOffice();
    expect(await json(...INVITED, '--notify', 'all')).toMatchObject({ outcome: 'created', mails: [COLLEAGUE] });
    expect(mails()).toEqual([`invitation to ${COLLEAGUE}: Review`]);
    const again = await run(...INVITED, '--notify', 'all');
    expect(again.stdout).toMatch(/^It was there already; nothing was done\n/);
    expect(again.stdout).not.toContain('mailed');
    expect(mails()).toHaveLength(1);
  });

  test('is shown and asked about at a terminal, before anybody is mailed', async () => {
    const { asked, writes, mails } = await openOffice();
    const no = await asked('n', ...INVITED, '--notify', 'all');
    expect(no).toMatchObject({ status: 0, stdout: '', questions: 1 });
    expect(no.stderr).toMatch(/would mail +colleague@xebia\.example[\s\S]*Do it\? \[y\/N\] nothing was done/);
    expect([writes(), mails()]).toEqual([[], []]);
    const yes = await asked('y', ...INVITED, '--notify', 'all');
    expect([yes.status, yes.questions]).toEqual([0, 1]);
    expect(yes.stdout).toMatch(/^Created\n[\s\S]* e-mailed +colleague@xebia\.example/);
    expect(mails()).toEqual([`invitation to ${COLLEAGUE}: Review`]);
    expect((await asked('', ...INVITED, '--notify', 'all', '--key', '2', '--yes')).questions).toBe(0);
  });

  test('is moved, and cancelled, by the same rules; what is nobody else’s business mails nobody', async () => {
    const { run, asked, idIn, mails } = await openOffice();
    await run(...INVITED, '--notify', 'all');
    const id = await idIn('xebia', 'Review');
    expect(await run('event', 'update', id, '--busy', 'tentative')).toMatchObject({ status: 0, stderr: '' });
    expect((await run('event', 'update', id, '--start', '11:00')).status).toBe(64);
    // Asked for nothing, where it would be refused anyway.
    const unsaid = await asked('y', 'event', 'delete', id);
    expect([unsaid.status, unsaid.questions]).toEqual([64, 0]);
    expect(unsaid.stderr).toMatch(/needs +--notify all[\s\S]*say so with --notify all/);
    expect(mails()).toHaveLength(1);
    expect((await run('event', 'update', id, '--start', '11:00', '--notify', 'all')).stdout).toMatch(
      /e-mailed +colleague/,
    );
    expect((await run('event', 'delete', id, '--notify', 'all')).stdout).toMatch(
      /^Deleted\n[\s\S]*e-mailed +colleague/,
    );
    expect(mails()).toEqual([
      `invitation to ${COLLEAGUE}: Review`,
      `update to ${COLLEAGUE}: Review`,
      expect.stringMatching(/^cancellation to colleague/),
    ]);
  });

  test('is answered: accept, maybe or decline, with or without a word to the organizer', async () => {
    const { run, idIn, mails, sandbox } = await openOffice();
    await run(...INVITED, '--notify', 'all');
    const id = await idIn('mate', 'Review');
    const answers = async (): Promise<string> => (await run('event', 'get', await idIn('xebia', 'Review'))).stdout;
    for (const [said, recorded] of [
      ['maybe', /tentative/],
      ['accept', /accepted/],
    ] as const) {
      const { status, stdout } = await run('event', 'respond', id, said, '--notify', 'all');
      expect([status, stdout]).toEqual([0, expect.stringMatching(/^Answered\n/)]);
      expect(stdout).toMatch(/e-mailed +you@xebia\.example/);
      expect(await answers()).toMatch(recorded);
    }
    const before = mails().length;
    const preview = await run('event', 'respond', id, 'decline', '--notify', 'none', '--dry-run');
    expect([preview.status, preview.stdout]).toEqual([0, expect.stringMatching(/response +accepted → declined/)]);
    expect(mails()).toHaveLength(before);
    expect((await run('event', 'respond', id, 'DECLINE', '--notify', 'all', '--comment', 'On leave')).status).toBe(0);
    expect(sandbox.mails.at(-1)).toMatchObject({ kind: 'response', to: YOU, comment: 'On leave' });
  });

  test('of somebody else is not changed, and it is said what can be done', async () => {
    const { run, idIn } = await openOffice();
    await run(...INVITED, '--notify', 'all');
    const id = await idIn('mate', 'Review');
    const { status, stderr } = await run(
      'event',
      'update',
      id,
      '--account',
      'mate',
      '--start',
      '15:00',
      '--notify',
      'all',
    );
    expect(status).toBe(77);
    expect(stderr).toMatch(/only its organizer can change it\ncalmcp event respond answers it/);
  });
});

describe('of Microsoft', () => {
  test('has what its calendar can hold, and refuses the rest before anything is sent', async () => {
    const { run, json, writes } = await openOffice();
    const { event: made } = await json(
      ...REVIEW,
      '--online',
      '--reminder',
      '15',
      '--category',
      'Blue',
      '--category',
      'Red',
    );
    expect(made).toMatchObject({ join: expect.stringContaining('teams') });
    const got = JSON.parse((await run('event', 'get', made?.id ?? '', '--json')).stdout) as { event: object };
    expect(got.event).toMatchObject({ categories: ['Blue', 'Red'], version: made?.version });
    const before = writes().length;
    for (const [more, says] of [
      [['--color', 'tomato'], /colour/],
      [['--type', 'focusTime'], /focus time/],
      [['--reminder', '5', '--reminder', '10'], /reminder/],
    ] as const) {
      const { status, stderr } = await run(...REVIEW, '--key', 'other', ...more);
      expect([status, stderr]).toEqual([64, expect.stringMatching(says)]);
      expect(stderr.trim().split('\n').length).toBeGreaterThan(1);
    }
    expect(writes()).toHaveLength(before);
    expect((await run('event', 'update', made?.id ?? '', '--no-reminder')).stdout).toMatch(
      /reminders +15 min before → none/,
    );
  });

  test('a calendar that can only be read is status 77', async () => {
    const { run, idIn, writes } = await openOffice();
    for (const args of [
      [...REVIEW, '--calendar', 'Read only'],
      ['event', 'delete', await idIn('xebia', 'Theirs'), '--yes'],
    ]) {
      const { status, stderr } = await run(...args);
      expect([status, stderr]).toEqual([77, expect.stringContaining('"Read only" can only be read')]);
    }
    expect(writes()).toEqual([]);
  });

  test('an account that nobody is signed in to is status 77, with the command for it', async () => {
    const { run } = await openOffice();
    await run('logout', '--account', 'xebia');
    const { status, stderr } = await run(...REVIEW);
    expect([status, stderr]).toEqual([77, expect.stringContaining('calmcp login --account xebia')]);
  });

  test('a change that somebody else was faster with is status 75, with what it is now', async () => {
    const { run, idIn, sandbox } = await openOffice();
    await run(...REVIEW);
    sandbox.fail({
      match: ({ method }) => method === 'PATCH',
      times: 1,
      status: 412,
      body: JSON.stringify({ error: { code: 'ErrorIrresolvableConflict', message: 'changed' } }),
    });
    const { status, stdout } = await run('event', 'update', await idIn('xebia', 'Review'), '--title', 'Retro');
    expect([status, stdout]).toEqual([
      75,
      expect.stringMatching(/^Nothing was done: the event has changed since\.[\s\S]*Review/),
    ]);
  });
});
