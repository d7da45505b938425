/** Clients of every age, and of both eras, get the same from the built program. */
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { processOf } from '../../src/io/process-table.ts';
import { operations } from '../../src/operations/index.ts';
import type { Agenda } from '../../src/operations/list-events.ts';
import { runDaemon, sessionsOf } from '../daemons.ts';
import { lasting, temporaryFolder, writeAccounts } from '../harness.ts';
import { type AnyClient, CLIENTS, connectClient } from './any-client.ts';

const ACCOUNTS = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  fixed:
    provider: memory
    events:
      - { title: "Sprint\\u202e review", start: 2026-11-23T10:00, end: 2026-11-23T10:45 }
      - { title: Conference, start: 2026-11-24, end: 2026-11-27, busy: oof }
  feed: { provider: ics, path: ./missing.ics }
`;

async function home(accounts = ACCOUNTS): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  return folder;
}

async function connect(name: string, accounts?: string): Promise<AnyClient> {
  const client = await connectClient(name, await home(accounts));
  onTestFinished(() => client.close());
  return client;
}

const ALONE = Object.keys(CLIENTS).map((name) => [name, 'alone'] as const);
/** The oldest and the newest: what lies between is the same lines, passed on. */
const ATTACHED = ['sdk 1.12', 'v2 in the 2026-07-28 era'].map((name) => [name, 'attached to a daemon'] as const);

describe.each([...ALONE, ...ATTACHED])('a client on %s, %s,', (name, how) => {
  const isAttached = how !== 'alone';
  let client: AnyClient;
  let folder = '';
  let end = async (): Promise<void> => undefined;

  beforeAll(async () => {
    const { opened, end: remove } = await lasting(home);
    folder = opened;
    const daemon = isAttached ? await runDaemon(folder) : undefined;
    client = await connectClient(name, folder);
    end = async () => {
      await client.close();
      daemon?.kill('SIGKILL');
      await daemon?.ended;
      await remove();
    };
  });

  afterAll(() => end());

  test('meets calmcp, and is told how to use it', async () => {
    if (isAttached) expect(await sessionsOf(folder)).toBe(1);
    expect(client.getServerVersion()).toMatchObject({ name: 'calmcp' });
    expect(client.getServerCapabilities()).toHaveProperty('tools');
    expect(client.getInstructions()).toMatch(/An account that is not ok is UNKNOWN/);
  });

  test('lists the tools, with titles, annotations, and schemas that need no resolving', async () => {
    const { tools } = await client.listTools();
    expect(tools.map((tool) => tool.name)).toEqual(
      expect.arrayContaining(operations.map((operation) => operation.name)),
    );
    for (const { title, ...tool } of tools) {
      // A client that is older than titles keeps them, or has that of the annotations.
      expect(title ?? tool.annotations?.title).toEqual(expect.any(String));
      expect(tool.annotations).toMatchObject({
        readOnlyHint: expect.any(Boolean),
      });
      expect(tool.inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(tool.outputSchema).toMatchObject({ type: 'object' });
      expect(JSON.stringify(tool)).not.toMatch(/\$ref|\$schema/);
    }
  });

  test('gets the same facts as structure and as text, coverage first, and learns what is missing', async () => {
    const result = await client.call('list_events', { range: 'this week' });
    expect(result.isError ?? false).toBe(false);
    expect(result.structuredContent).toEqual({
      range: { start: '2026-11-23T00:00:00+01:00', end: '2026-11-30T00:00:00+01:00', timeZone: 'Europe/Amsterdam' },
      complete: false,
      accounts: [
        { account: 'fixed', status: 'ok', calendars: 1 },
        {
          account: 'feed',
          status: 'unavailable',
          message: expect.stringMatching(/missing\.ics/),
          hint: expect.any(String),
        },
      ],
      events: [
        {
          id: expect.stringMatching(/^fixed\.[0-9a-z]{10}$/),
          title: 'Sprint review',
          start: '2026-11-23T10:00+01:00',
          end: '10:45',
        },
        {
          id: expect.any(String),
          title: 'Conference',
          start: '2026-11-24',
          end: '2026-11-27',
          allDay: true,
          busy: 'oof',
        },
      ],
    });
    const { events } = result.structuredContent as unknown as Agenda;
    expect(result.content[0]?.text.split('\n')).toEqual([
      'fixed: ok, 1 calendar',
      expect.stringMatching(/^feed: unavailable, .*missing\.ics/),
      'INCOMPLETE: the time of feed is unknown, not free.',
      '2026-11-23T00:00:00+01:00 to 2026-11-30T00:00:00+01:00 Europe/Amsterdam',
      '2026-11-23 Mon +01:00',
      `10:00-10:45 Sprint review · ${events[0]?.id}`,
      '2026-11-24 Tue',
      `all day until 2026-11-26 Conference · ${events[1]?.id} · oof`,
    ]);
  });

  test('takes the answer of every reading tool for what its schema promises', async () => {
    const agenda = await client.call('list_events', { range: 'today' });
    const id = (agenda.structuredContent as unknown as Agenda).events[0]?.id;
    const questions: Readonly<Record<string, object>> = {
      list_accounts: {},
      list_calendars: {},
      list_events: { range: 'this week', detail: 'full' },
      search_events: { query: 'sprint', range: 'this week' },
      get_event: { id },
      get_free_busy: { range: 'this week' },
      find_free_time: { range: 'this week', durationMinutes: 45 },
      find_conflicts: { range: 'this week' },
      get_current_time: {},
    };
    const reading = operations.filter(({ effect }) => effect === 'read').map((operation) => operation.name);
    expect(Object.keys(questions)).toEqual(reading);
    for (const [tool, input] of Object.entries(questions)) {
      const { isError = false, structuredContent, content } = await client.call(tool, input);
      expect({ tool, isError, text: content[0]?.text }).toEqual({ tool, isError: false, text: expect.any(String) });
      expect(structuredContent).toEqual(expect.any(Object));
    }
  });

  test.each<[string, string, object, RegExp]>([
    ['an unknown account', 'list_events', { accounts: 'nobody' }, /^ACCOUNT_UNKNOWN: .*"nobody"\nknown: fixed, feed$/],
    ['an unknown zone', 'list_events', { timeZone: 'Mars/Base' }, /^INPUT_INVALID: unknown time zone "Mars\/Base"\n/],
    ['a range that is none', 'list_events', { range: 'whenever' }, /^INPUT_INVALID: .*whenever/],
    [
      'a value of the wrong type',
      'find_free_time',
      { durationMinutes: 'long' },
      /durationMinutes: give a whole number from 1 to/,
    ],
    ['a missing value', 'get_event', {}, /\bid\b.*expected string/is],
    ['a key that is not known', 'list_events', { rnage: 'today' }, /rnage/],
    ['an event that is not known', 'get_event', { id: 'fixed.0000000000' }, /^[A-Z_]+: /],
  ])('is told about %s in words it can act on', async (_what, tool, input, says) => {
    const { isError, content, structuredContent } = await client.call(tool, input);
    expect(isError).toBe(true);
    expect(content[0]?.text).toMatch(says);
    expect(structuredContent).toBeUndefined();
  });

  // https://modelcontextprotocol.io/specification/2025-11-25/server/tools#error-handling: a protocol error, not an answer.
  test('is refused a tool that does not exist, by its name', async () => {
    await expect(client.call('list_meetings')).rejects.toMatchObject({
      code: -32602,
      message: expect.stringContaining('list_meetings'),
    });
  });
});

describe.each(Object.keys(CLIENTS))('a client on %s', (name) => {
  test('hears of a broken accounts.yaml at the call, not by a server that is gone', async () => {
    const broken = await connect(name, 'version: 1\naccounts:\n  a: { provider: nope }\n');
    const result = await broken.call('list_accounts');
    expect(result.isError).toBe(true);
    expect(result.content[0]?.text).toMatch(
      /^CONFIG_INVALID: .*accounts\.yaml has a problem\n.*accounts\.yaml:3:18 accounts\.a\.provider: is unknown/,
    );
  });

  test('leaves no process behind when it closes, and waits for none', async () => {
    const leaving = await connect(name);
    const started = performance.now();
    await leaving.close();
    await expect.poll(() => processOf(leaving.pid), { timeout: 2_000, interval: 20 }).toBeUndefined();
    // SDK clients end a server by force that is still there after two seconds.
    expect(performance.now() - started).toBeLessThan(1_900);
  });
});
