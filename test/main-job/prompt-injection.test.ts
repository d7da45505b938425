/** Forty hostile texts in every field of events of four kinds of account: nothing is done, fetched, forged or passed on. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderText } from '../../src/server/text.ts';
import { HOSTILE, UNPRINTABLE } from '../fixtures/hostile-texts.ts';
import { cli, openTestApp } from '../harness.ts';
import { problemsIn, problemsInJson } from './answer-shape.ts';
import { ACCOUNTS, type HostileWorld, hasMark, marksOf, openHostile } from './hostile-accounts.ts';
import { debugLog, type McpSession, openSession, type Told } from './mcp-session.ts';

const WEEK = { range: '2026-11-23..2026-11-29' };

interface Opened extends HostileWorld {
  readonly session: McpSession;
  readonly log: readonly string[];
}

async function open(): Promise<Opened> {
  const { log, lines } = debugLog();
  const world = await openHostile(log);
  return { ...world, session: await openSession(world.app, { log }), log: lines };
}

/** What nobody wants to have happened. */
function expectNothingDone({ decoy, context, sandbox, log, session }: Opened): void {
  expect(decoy.visits).toEqual([]);
  expect(existsSync(context.loot)).toBe(false);
  const isWrite = /\/(?:events|calendars?)(?:\/|$)/;
  const writes = sandbox.requests
    .flatMap((request) => [request, ...(request.batch ?? [])])
    // Of a batch it counts what is in it.
    .filter(({ method, path, batch }) => batch === undefined && method !== 'GET' && isWrite.test(path));
  expect(writes).toEqual([]);
  expect(sandbox.mails).toEqual([]);
  expect([...log, ...session.progress].filter(hasMark)).toEqual([]);
}

async function askFor(
  { session }: Opened,
  tool: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Told['structured']> {
  const told = await session.call(tool, input);
  if (told.isError) throw new Error(told.text);
  expect(problemsIn(tool, told)).toEqual([]);
  return told.structured;
}

/** All parts of an answer. */
async function allParts(
  world: Opened,
  tool: string,
  input: Readonly<Record<string, unknown>>,
): Promise<Told['structured'][]> {
  const parts = [await askFor(world, tool, input)];
  for (let cursor = parts[0]?.nextCursor; cursor !== undefined; cursor = parts.at(-1)?.nextCursor)
    parts.push(await askFor(world, tool, { cursor, limit: 40 }));
  return parts;
}

const eventsOf = (parts: readonly Told['structured'][]): { id: string; title: string }[] =>
  parts.flatMap(({ events }) => events as { id: string; title: string }[]);

describe('tools that show events', () => {
  test('give each its one line and its fields, whatever it says, in whatever parts', async () => {
    const world = await open();
    for (const detail of ['compact', 'full']) {
      const events = eventsOf(await allParts(world, 'list_events', { ...WEEK, detail, limit: 40 }));
      // Two more: those of the calendar __proto__.
      expect(events).toHaveLength(ACCOUNTS.length * HOSTILE.length + 2);
      expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
      const shown = events.flatMap(({ title }) => marksOf(title, 'title'));
      expect(shown.sort()).toEqual(world.events.flatMap((one) => marksOf(one.say('title'), 'title')).sort());
    }
    const { text } = await world.session.call('list_events', { range: '2026-11-29' });
    expect(text).toMatch(/Called off\? · graph\.\w+ · __proto__ · "Declined"$/m);
    const found = await allParts(world, 'search_events', { ...WEEK, query: 'lunch', limit: 10 });
    expect(eventsOf(found).length).toBeGreaterThan(20);
    const conflicts = await allParts(world, 'find_conflicts', { ...WEEK, limit: 30 });
    expect(conflicts.flatMap((part) => part.conflicts as unknown[]).length).toBeGreaterThan(100);
    const { calendars } = await askFor(world, 'list_calendars', {});
    expect((calendars as unknown[]).length).toBeGreaterThan(15);
    expectNothingDone(world);
  });

  test('show a body when it was asked for, and mark every line of it', async () => {
    const world = await open();
    const events = eventsOf([await askFor(world, 'list_events', { ...WEEK, limit: 300 })]);
    for (const [index, { id }] of events.entries()) {
      const { event } = (await askFor(world, 'get_event', { id, text: true })) as { event: { text?: string } };
      if (index % 8 === 0)
        expect(await askFor(world, 'get_event', { id, detail: 'full' })).not.toHaveProperty('event.text');
      // What was only markup leaves nothing.
      if (event.text !== undefined) expect(event.text.length).toBeLessThanOrEqual(4_000);
    }
    expectNothingDone(world);
  }, 60_000);

  test('name a calendar that fails in one line, and nothing of its events', async () => {
    const world = await open();
    world.sandbox.fail({ status: 500, match: ({ path }) => path.includes('hostile') && path.endsWith('/events') });
    const { complete, accounts } = await askFor(world, 'list_events', WEEK);
    expect(complete).toBe(false);
    expect(accounts).toContainEqual(expect.objectContaining({ account: 'google', status: 'partial' }));
    expectNothingDone(world);
  });
});

test('what shows no events has nothing of them: free time, accounts, prompts, descriptions, errors', async () => {
  const world = await open();
  const { session } = world;
  const { client } = session;
  const { structured: agenda } = await session.call('list_events', { ...WEEK, limit: 300 });
  const [first] = eventsOf([agenda]);
  const title = first?.title ?? '';
  const answers = await Promise.all([
    session.call('get_free_busy', { ...WEEK, detail: 'full' }),
    session.call('find_free_time', { ...WEEK, durationMinutes: 15, limit: 100 }),
    session.call('list_accounts', { check: true }),
    session.call('get_current_time'),
    session.call('get_event', { id: 'graph.0000000000' }),
    session.call('update_event', { id: first?.id, title: 'x', dryRun: true }),
    session.call('update_event', { id: 'feed.0000000000', title: 'x' }),
    session.call('create_event', { title, start: '2026-11-24T10:00' }),
    session.call('create_event', {
      title,
      start: '2026-11-24T10:00',
      account: 'graph',
      categories: [title],
      color: title,
    }),
    session.call('sign_in', { account: 'nobody' }),
    session.call('sign_in', { account: 'feed' }),
  ]);
  for (const { text, structured } of answers) {
    expect(text).not.toMatch(UNPRINTABLE);
    expect(hasMark(text + JSON.stringify(structured))).toBe(false);
    expect(problemsInJson(structured)).toEqual([]);
  }
  const { prompts } = await client.listPrompts();
  const said = await Promise.all(prompts.map(({ name }) => client.getPrompt({ name, arguments: {} })));
  const told = [client.getInstructions(), await client.listTools(), await client.listResources(), prompts, said];
  expect(hasMark(JSON.stringify(told))).toBe(false);
  expectNothingDone(world);
});

test('resources say what the tools say, and a hostile address is refused', async () => {
  const world = await open();
  const { client, call } = world.session;
  const uri = `calendar://agenda/${encodeURIComponent(WEEK.range)}`;
  const [agenda] = (await client.readResource({ uri })).contents as { text: string }[];
  expect(agenda?.text).toBe((await call('list_events', { ...WEEK, limit: 200 })).text);
  const [accounts] = (await client.readResource({ uri: 'calendar://accounts' })).contents as { text: string }[];
  expect(accounts?.text.split('\n').map((line) => line.split(':')[0])).toEqual(ACCOUNTS);
  for (const words of ['today\ngoogle: ok', '\u202etoday', '%zz', '../accounts', '__proto__']) {
    const refused = await client.readResource({ uri: `calendar://agenda/${encodeURIComponent(words)}` }).then(
      () => undefined,
      (thrown: Error) => thrown.message,
    );
    // What is left of the second is a word that there is.
    expect(refused === undefined).toBe(words === '\u202etoday');
    expect(refused ?? '').not.toMatch(UNPRINTABLE);
    expect(refused ?? '').not.toMatch(/^google: ok/m);
  }
  expectNothingDone(world);
});

test('prompts take hostile words as one line of data', async () => {
  const { session, context } = await open();
  for (const [, text] of HOSTILE) {
    const words = text('mark', context).slice(0, 200);
    const { messages } = await session.client.getPrompt({
      name: 'plan_meeting',
      arguments: { what: words, who: words },
    });
    const [said] = messages.map(({ content }) => (content as { text: string }).text);
    expect(said).not.toMatch(/\n/);
    expect(said).not.toMatch(UNPRINTABLE);
  }
});

test('a reference or a cursor that an event names opens nothing', async () => {
  const world = await open();
  const { call } = world.session;
  const events = eventsOf([(await call('list_events', { ...WEEK, limit: 300 })).structured]);
  for (const id of [
    world.context.id,
    events[0]?.title,
    '__proto__',
    '../graph',
    `${events[0]?.id} ${world.context.id}`,
  ])
    for (const tool of ['get_event', 'delete_event', 'update_event'])
      expect(await call(tool, { id, ...(tool === 'update_event' ? { title: 'x' } : {}) })).toMatchObject({
        isError: true,
        text: expect.stringMatching(/^NOT_FOUND: there is no event/),
      });
  // The owner's reference means nothing to a client.
  const stranger = { audience: 'stranger' };
  expect(await call('get_event', { id: events[0]?.id, ...stranger })).toMatchObject({ isError: true });
  // A cursor that is made up, changed, or meant for somebody else.
  const { nextCursor = '' } = (await call('list_events', { ...WEEK, ...stranger, limit: 5 })).structured as {
    nextCursor?: string;
  };
  const [body = '', signature] = nextCursor.split('.');
  const mine = JSON.parse(Buffer.from(body, 'base64url').toString()) as { input: Record<string, unknown> };
  expect(mine.input).toMatchObject(stranger);
  const forged = Buffer.from(JSON.stringify({ ...mine, input: {} })).toString('base64url');
  for (const cursor of [world.context.cursor, `${forged}.${signature}`, `${forged}.`, events[0]?.title])
    expect(await call('list_events', { cursor })).toMatchObject({ isError: true });
  // The real one still shows no more than the stranger may see.
  const more = await call('list_events', { cursor: nextCursor });
  expect(more.structured).toMatchObject(stranger);
  expect(hasMark(more.text)).toBe(false);
  expectNothingDone(world);
}, 60_000);

test('words of an event that are passed on to a tool come back in one line, and change nothing', async () => {
  const world = await open();
  const { call } = await openSession(
    (await openTestApp('version: 1\naccounts:\n  memory: { provider: memory, access: write }\n')).app,
  );
  for (const [, text] of HOSTILE) {
    const words = text('zqpassedqz', world.context).slice(0, 75);
    const answers = await Promise.all([
      call('list_events', { range: words }),
      call('list_events', { ...WEEK, accounts: words }),
      call('list_events', { ...WEEK, timeZone: words }),
      call('list_events', { ...WEEK, audience: words }),
      call('list_events', { cursor: words }),
      call('search_events', { ...WEEK, query: words }),
      call('get_event', { id: words }),
      call('find_free_time', { durationMinutes: 30, people: words }),
      call('find_free_time', { durationMinutes: 30, hours: words }),
      call('create_event', { title: 'x', start: words }),
      call('create_event', { title: 'x', start: '2026-11-24T10:00', end: words }),
      call('create_event', { title: 'x', start: '2026-11-24T10:00', repeat: words }),
      call('sign_in', { account: words }),
    ]);
    for (const { text: said } of answers.filter(({ isError }) => isError)) {
      expect(said).toMatch(/^[A-Z_]+: /);
      expect(said).not.toMatch(UNPRINTABLE);
      expect(said.split('\n').length).toBeLessThanOrEqual(3);
    }
  }
});

describe('changes', () => {
  test('a dry run with hostile values tells each in one line', async () => {
    const world = await open();
    for (const [index, [, text]] of HOSTILE.entries()) {
      const words = text('zqdraftqz', world.context).slice(0, 255);
      const account = ['graph', 'google', 'memory'][index % 3];
      // A session of its own: what was read of one client is not written to another one.
      const session = await openSession(world.app);
      const draft = { account, title: words, location: words, text: words, start: '2026-11-23T12:00', dryRun: true };
      const told = await session.call('create_event', draft);
      expect([told.isError, ...problemsIn('create_event', told)]).toEqual([false]);
      const wrong = await session.call('create_event', { ...draft, calendar: words, attendees: [words] });
      expect(wrong.isError).toBe(true);
      expect(wrong.text).not.toMatch(UNPRINTABLE);
      expect(wrong.text.split('\n').length).toBeLessThanOrEqual(2);
    }
    expectNothingDone(world);
  }, 60_000);

  test('a dry run on a hostile event, and a version that is old, show it in one line', async () => {
    const world = await open();
    const { call } = world.session;
    const { structured } = await call('list_events', { ...WEEK, accounts: ['graph', 'google'], limit: 300 });
    for (const { id } of eventsOf([structured]).filter((_, index) => index % 3 === 0)) {
      const answers = await Promise.all([
        call('respond_to_event', { id, response: 'declined', notify: 'all', dryRun: true }),
        call('delete_event', { id, dryRun: true }),
        call('delete_event', { id, version: '0123456789', notify: 'none' }),
      ]);
      // The event of the calendar __proto__ is nobody's invitation.
      for (const told of answers.filter(({ text }) => !text.includes('it is no invitation')))
        expect(problemsIn('delete_event', told)).toEqual([]);
      expect(answers[2]?.structured).toMatchObject({ outcome: 'conflict' });
    }
    expectNothingDone(world);
  }, 60_000);

  test('a hostile event that is made for real comes back as one line, before and after its change', async () => {
    const world = await open();
    const { app } = await openTestApp('version: 1\naccounts:\n  memory: { provider: memory, access: write }\n');
    const { call } = await openSession(app);
    for (const [, text] of HOSTILE) {
      const words = text('zqmadeqz', world.context).slice(0, 255);
      const made = await call('create_event', { title: words, location: words, start: '2026-11-24T10:00' });
      expect(problemsIn('create_event', made)).toEqual([]);
      const { id } = made.structured.event as { id: string };
      const change = { id, title: `${words} -> ${words}`.slice(0, 255), location: `${words} again`, dryRun: true };
      const changed = await call('update_event', change);
      expect(problemsIn('update_event', changed)).toEqual([]);
      // One arrow: what was, and what would be.
      for (const line of changed.text.split('\n').filter((row) => /^(?:title|location): /.test(row)))
        expect(line.split(' -> ').length).toBeLessThanOrEqual(2);
      expect((await call('delete_event', { id })).isError).toBe(false);
    }
  });
});

test('commands print every event in its own line, and reports nothing of any', async () => {
  const world = await open();
  const outputs = new Map<string, string>();
  const run = async (...args: string[]): Promise<string> => {
    const { status, stdout, stderr } = await cli(world.folder, [...args, '--log', 'debug']);
    expect([0, 3]).toContain(status);
    expect(hasMark(stderr)).toBe(false);
    expect(stdout.replaceAll('\r\n', '\n')).not.toMatch(UNPRINTABLE);
    outputs.set(args.join(' '), stdout);
    return stdout;
  };
  const agenda = await run('agenda', WEEK.range, '--ids');
  for (const one of world.events)
    for (const mark of marksOf(one.say('title'), 'title'))
      expect(agenda.split('\n').filter((line) => line.split('overlaps')[0]?.includes(mark))).toHaveLength(1);
  await run('search', 'lunch', WEEK.range);
  await run('conflicts', WEEK.range);
  const json = JSON.parse(await run('agenda', WEEK.range, '--json')) as { events: { id: string }[] };
  expect(problemsInJson(json)).toEqual([]);
  for (const { id } of json.events.slice(0, 40)) await run('event', 'get', id, '--text');
  for (const [command, output] of outputs)
    for (const line of output.split('\n')) {
      // What a forged line would be, at its very beginning.
      const forged =
        /^(?:INCOMPLETE: the time of everybody|TRUNCATED|google: ok, 9|no events$|version: 0123|needs: nothing)/;
      expect(forged.test(line) ? `${command}: ${line}` : '').toBe('');
    }
  for (const format of ['md', 'csv', 'html', 'ics', 'json']) {
    const report = await run('report', 'freebusy', WEEK.range, '--format', format);
    expect(hasMark(report)).toBe(false);
    if (format === 'csv') expect(report.split(/[\r\n,]+/).filter((cell) => /^"?[=+@-]/.test(cell))).toEqual([]);
    if (format === 'html') expect(report).not.toMatch(/<script|onerror|http:\/\//);
    if (format === 'ics') expect(report.match(/^BEGIN:VEVENT/gm)?.length).toBe(report.match(/^END:VEVENT/gm)?.length);
  }
  await run('freebusy', WEEK.range);
  await run('find-time', WEEK.range, '-d', '15m');
  expectNothingDone(world);
}, 60_000);

test('these checks bite: an answer with the texts as they came is refused', async () => {
  const { context, session } = await open();
  const { structured } = await session.call('list_events', { ...WEEK, limit: 1 });
  const [event] = structured.events as Record<string, unknown>[];
  const { nextCursor: _cursor, truncated: _truncated, ...answer } = structured;
  const caught = HOSTILE.filter(([, text]) => {
    const raw = { ...answer, events: [{ ...event, title: text('mark', context) }] };
    const told = { isError: false, structured: raw, text: renderText('list_events', raw) };
    return problemsIn('list_events', told).length > 0;
  }).map(([name]) => name);
  expect(caught).toEqual(
    expect.arrayContaining([
      'a system role',
      'an incomplete answer',
      'a complete account',
      'a heading of another day',
      'another event',
      'no events',
      'a cut answer',
      'a terminal that is taken over',
      'letters turned round',
      'letters nobody sees',
      'a sentence in tag characters',
      'bytes in variation selectors',
      'ten thousand characters',
      'half a character and a NUL',
      'lines of all kinds',
      'an iCalendar injection',
    ]),
  );
  // Of the separator as well, where it is left as it is.
  const line = `${String(event?.start).slice(11, 16)}-${event?.end} Lunch · ${context.id} · ${event?.id}`;
  const told = { ...answer, events: [{ ...event, title: `Lunch · ${context.id}` }] };
  const text = renderText('list_events', told).split('\n').with(-1, line).join('\n');
  expect(problemsIn('list_events', { structured: told, text })).not.toEqual([]);
});
