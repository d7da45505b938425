/** Writing as clients do it: through an MCP session, through the command line, on a machine of another zone. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { builtEnvironment, startMcpServer, writeAccounts } from '../harness.ts';
import { openSession } from './mcp-session.ts';
import { accountOf, enter, isGraph, openWorld, type World } from './writing-world.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');
const run = promisify(execFile);

describe('words of other clients', () => {
  const SECRET = 'Nightfall merger talks with Contoso';

  /** `desk` at Microsoft, of one client, and `home` at Google, of another one. */
  async function two(share = ''): Promise<World> {
    const of = (yaml: string, id: string, line: string): string =>
      yaml.replace(`\n  ${id}:\n`, `\n  ${id}:\n    ${line}\n`);
    const world = await openWorld('graph', {
      more: (sandbox) => [of(accountOf(sandbox, 'google', 'home', 'write'), 'home', 'client: home')],
      settings: `client: desk${share}`,
    });
    await enter(world.app, world.sandbox, 'google', 'home', 'you@home.example');
    return world;
  }

  const textAt = (world: World, at: 'desk' | 'home'): string =>
    JSON.stringify(at === 'desk' ? world.held() : world.sandbox.google.data.calendars);

  test('that a session has read are not written to another client’s account, by whatever verb', async () => {
    const world = await two();
    const { day } = await world.make(SECRET, {
      location: 'Vault room 7, behind the waterfall',
      text: 'The code is one two three four five six seven',
    });
    const own = await world.create({ account: 'home', title: 'Lunch', start: `${day}T12:00` });
    const id = own.event?.id ?? '';
    const session = await openSession(world.app);
    const create = { account: 'home', start: `${day}T15:00` };
    // Nothing was read yet: whoever asks knows these words by themselves.
    const knows = { account: 'home', title: SECRET, start: '2027-09-01T10:00' };
    expect((await session.call('create_event', knows)).isError).toBe(false);

    const { structured } = await session.call('list_events', { range: day });
    const [secret] = (structured.events as { id: string; title: string }[]).filter(({ title }) => title === SECRET);
    await session.call('get_event', { id: secret?.id ?? '', text: true });
    const before = textAt(world, 'home');
    const requests = world.sandbox.requests.length;
    for (const [tool, input] of [
      ['create_event', { ...create, title: SECRET }],
      ['create_event', { ...create, title: `re: ${SECRET.toUpperCase()}!` }],
      ['create_event', { ...create, title: 'x', location: 'vault room 7 (behind the waterfall)' }],
      ['create_event', { ...create, title: 'x', text: 'Notes: the code is one two three four five six seven, bye' }],
      ['create_event', { ...create, title: SECRET, dryRun: true }],
    ] as const) {
      const told = await session.call(tool, input);
      expect(told.isError, JSON.stringify(input)).toBe(true);
      expect(told.text).toMatch(/^FORBIDDEN: .*desk/);
      expect(told.text).not.toMatch(/nightfall|waterfall|one two/i);
    }
    // Refused before anybody was asked.
    expect(world.sandbox.requests).toHaveLength(requests);
    const changed = await session.call('update_event', { id, title: SECRET });
    expect(changed).toMatchObject({ isError: true, text: expect.stringMatching(/^FORBIDDEN: /) });
    expect(textAt(world, 'home')).toBe(before);

    // To its own account, and in words of one's own, it may.
    expect(
      (await session.call('create_event', { account: 'desk', title: `${SECRET} 2`, start: `${day}T16:00` })).isError,
    ).toBe(false);
    expect((await session.call('update_event', { id, title: 'Lunch, later', start: '13:00' })).isError).toBe(false);
    // Another session has heard nothing.
    const fresh = await openSession(world.app);
    expect((await fresh.call('create_event', { ...create, title: SECRET })).isError).toBe(false);
  });

  test('nor as the comment of an answer', async () => {
    const world = await two();
    const { id, day } = await world.invited('Please come');
    await world.create({ account: 'home', title: SECRET, start: `${day}T18:00` });
    const session = await openSession(world.app);
    const answer = (comment: string) =>
      session.call('respond_to_event', { id, response: 'declined', notify: 'all', comment });
    await session.call('list_events', { range: day });
    const mails = world.sandbox.mails.length;
    expect(await answer(`Sorry: ${SECRET}`)).toMatchObject({
      isError: true,
      text: expect.stringMatching(/^FORBIDDEN: /),
    });
    expect(world.sandbox.mails).toHaveLength(mails);
    expect((await answer('Sorry, another time')).isError).toBe(false);
  });

  test('unless accounts.yaml shares them', async () => {
    const world = await two(', share: full');
    const { day } = await world.make(SECRET);
    const session = await openSession(world.app);
    await session.call('list_events', { range: day });
    const told = await session.call('create_event', { account: 'home', title: SECRET, start: `${day}T15:00` });
    expect(told.isError).toBe(false);
    expect(textAt(world, 'home')).toContain(SECRET);
  });

  test('not through the program as it is installed either', async () => {
    const world = await two();
    const { day } = await world.make(SECRET);
    await writeAccounts(world.folder, world.yaml);
    const client = await startMcpServer(world.folder);
    const call = (name: string, input: Record<string, unknown>) => client.callTool({ name, arguments: input });
    await call('list_events', { range: day });
    const told = await call('create_event', { account: 'home', title: SECRET, start: `${day}T15:00` });
    expect(told).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^FORBIDDEN: /) }] });
    expect(textAt(world, 'home')).not.toContain('Nightfall');
    const own = await call('create_event', { account: 'home', title: 'Dinner', start: `${day}T19:00` });
    expect(own).toMatchObject({ structuredContent: { outcome: 'created', event: { title: 'Dinner' } } });
    expect(textAt(world, 'home')).toContain('Dinner');
  });
});

describe.each([
  ['graph', 'Pacific/Kiritimati'],
  ['google', 'America/St_Johns'],
] as const)('%s, on a machine in %s', (way, zone) => {
  test('times without a zone are those of accounts.yaml', async () => {
    const world = await openWorld(way);
    await writeAccounts(world.folder, world.yaml);
    const calmcp = async (...args: readonly string[]): Promise<Record<string, unknown>> => {
      const env = { ...builtEnvironment(world.folder), TZ: zone };
      const { stdout } = await run(process.execPath, [bin, ...args, '--json'], { env });
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    const title = 'Far away';
    const made = await calmcp(
      ...['event', 'create', title, '--account', 'desk', '--start', '2026-10-05T09:00', '--end', '+1h'],
      ...['--repeat', 'FREQ=WEEKLY;BYDAY=MO;COUNT=8'],
    );
    expect(made).toMatchObject({ outcome: 'created', event: { start: '2026-10-05T09:00:00+02:00' } });
    const whole = await calmcp(
      ...[
        'event',
        'create',
        'Whole days',
        '--account',
        'desk',
        '--start',
        '2026-10-23',
        '--repeat',
        'FREQ=WEEKLY;COUNT=4',
      ],
    );
    expect(whole).toMatchObject({ outcome: 'created', event: { start: '2026-10-23', allDay: true } });
    const [timedId = ''] = await world.ids(title, '2026-10-26');
    const [wholeId = ''] = await world.ids('Whole days', '2026-10-30');
    await calmcp('event', 'update', timedId, '--scope', 'following', '--start', '11:00');
    await calmcp('event', 'update', wholeId, '--scope', 'following', '--title', 'Whole days, later');
    const range = '2026-10-01..2026-11-30';
    expect(await world.seen(title, range)).toEqual([
      ...['10-05', '10-12', '10-19'].map((date) => `2026-${date}T09:00 ${title}`),
      ...['10-26', '11-02', '11-09', '11-16', '11-23'].map((date) => `2026-${date}T11:00 ${title}`),
    ]);
    expect(await world.seen('Whole days', range)).toEqual([
      '2026-10-23 Whole days',
      ...['10-30', '11-06', '11-13'].map((date) => `2026-${date} Whole days, later`),
    ]);
    if (isGraph(way)) return;
    const rules = JSON.stringify(world.held());
    expect(rules).toContain('UNTIL=20261026T075959Z');
    expect(rules).toContain('UNTIL=20261029"');
  });
});
