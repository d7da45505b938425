/** Long answers in parts: together they are the whole answer, whatever happens between two of them. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { z } from 'zod';
import type { App } from '../../src/accounts/registry.ts';
import type { CalendarEvent } from '../../src/core/event.ts';
import { pairsOf, subtract, unionOf } from '../../src/core/intervals.ts';
import { DAY } from '../../src/core/time.ts';
import { createSigner } from '../../src/io/signing-key.ts';
import { findConflicts } from '../../src/operations/find-conflicts.ts';
import { getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import type { Operation } from '../../src/operations/operation.ts';
import { searchEvents } from '../../src/operations/search-events.ts';
import { renderText } from '../../src/server/text.ts';
import { toolInput } from '../../src/server/tool-schema.ts';
import { at, on } from '../core/events.ts';
import { temporaryFolder } from '../harness.ts';
import { ask, at as now, openScripted, type ScriptedAccount } from './questions.ts';

const RUNS = Math.ceil(Number(process.env.CALMCP_PROPERTY_RUNS ?? 1_000) / 5);
vi.setConfig({ testTimeout: 60_000 * Math.max(1, RUNS / 200) });

const HOUR = 3_600_000;
const FIRST_DAY = Date.parse('2026-11-23T00:00:00Z');
const RANGE = { range: '2026-11-23..2026-11-25' } as const;
const dayAfter = (days: number): string => new Date(FIRST_DAY + days * DAY).toISOString().slice(0, 10);
const hourAfter = (hours: number) => at(new Date(FIRST_DAY + hours * HOUR).toISOString());

interface Page {
  readonly truncated?: true | undefined;
  readonly nextCursor?: string | undefined;
}
type Paged = Operation<z.ZodObject, z.ZodObject>;
const OPERATIONS = { listEvents, searchEvents, findConflicts, getFreeBusy } as unknown as Readonly<
  Record<'listEvents' | 'searchEvents' | 'findConflicts' | 'getFreeBusy', Paged>
>;

/** All parts of an answer. @param apps take turns, as processes that each answer a part */
async function partsOf<Answer extends Page>(
  operation: Paged,
  apps: readonly App[],
  question: Readonly<Record<string, unknown>>,
  limits: readonly number[],
): Promise<Answer[]> {
  const parts: Answer[] = [];
  let cursor: string | undefined;
  do {
    const app = apps[parts.length % apps.length] as App;
    const limit = limits[parts.length % limits.length];
    const input = cursor === undefined ? { ...question, limit } : { cursor, limit };
    const part = (await ask(operation, app, input)) as unknown as Answer;
    expect(part.truncated).toBe(part.nextCursor === undefined ? undefined : true);
    parts.push(part);
    cursor = part.nextCursor;
  } while (cursor !== undefined && parts.length < 500);
  expect(cursor).toBeUndefined();
  return parts;
}

const all = <Item>(parts: readonly object[], list: string): Item[] =>
  parts.flatMap((part) => (part as Readonly<Record<string, Item[]>>)[list] ?? []);

/** Many that begin at one moment, and all-day ones among them. */
const entry: fc.Arbitrary<Partial<CalendarEvent>> = fc.oneof(
  fc
    .tuple(fc.integer({ min: -3, max: 60 }), fc.integer({ min: 0, max: 3 }))
    .map(([from, length]) => ({ start: hourAfter(from), end: hourAfter(from + length) })),
  fc.constant({ start: hourAfter(9), end: hourAfter(10) }),
  fc
    .tuple(fc.integer({ min: -1, max: 2 }), fc.integer({ min: 1, max: 2 }))
    .map(([from, length]) => ({ start: on(dayAfter(from)), end: on(dayAfter(from + length)) })),
);

const entries = fc.array(
  fc.tuple(entry, fc.constantFrom('same word', 'other word', undefined)).map(([times, title]) => ({ ...times, title })),
  { maxLength: 14 },
);

/** Events with ids and, unless they have one, titles of their own. */
function named(
  name: string,
  events: readonly (Omit<Partial<CalendarEvent>, 'title'> & { readonly title?: string | null | undefined })[],
): Partial<CalendarEvent>[] {
  return events.map((event, index) => ({
    ...event,
    id: `${name}-${index}`,
    title: event.title ?? `word ${name} ${index}`,
  }));
}

const limits = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });

describe('the parts of an answer', () => {
  test('are the whole answer, whatever the limits, for the owner and for a client', async () => {
    const sign = createSigner(await temporaryFolder());
    await fc.assert(
      fc.asyncProperty(
        entries,
        entries,
        fc.constantFrom('busy', 'masked', 'title'),
        fc.constantFrom(undefined, 'client-b'),
        limits,
        async (a, b, share, audience, sizes) => {
          const app = openScripted(
            {
              a: { events: named('a', a), settings: `client: client-a, share: ${share}` },
              b: { events: named('b', b), settings: 'client: client-b' },
            },
            { sign },
          );
          const question = { ...RANGE, ...(audience === undefined ? {} : { audience }) };
          for (const [operation, input, lists] of [
            [OPERATIONS.listEvents, question, ['events']],
            [OPERATIONS.searchEvents, { ...question, query: 'word' }, ['events']],
            [OPERATIONS.findConflicts, question, ['conflicts']],
            [OPERATIONS.getFreeBusy, question, ['blocks', 'free']],
          ] as const) {
            const whole = await ask(operation, app, { ...input, limit: 1_000 });
            const parts = await partsOf(operation, [app], input, sizes);
            for (const list of lists) expect(all(parts, list)).toEqual(whole[list]);
            for (const part of parts.slice(0, -1))
              expect(lists.flatMap((list) => all([part], list)).length).toBe(sizes[parts.indexOf(part) % sizes.length]);
          }
        },
      ),
      { numRuns: RUNS },
    );
  });

  test('have each event once that was there all the time, though others came and went', async () => {
    const sign = createSigner(await temporaryFolder());
    await fc.assert(
      fc.asyncProperty(entries, entries, entries, limits, async (base, gone, come, sizes) => {
        const staying = named('stays', base).map((event, index) => ({ ...event, title: `word ${index}` }));
        const open = (...more: Partial<CalendarEvent>[][]): App =>
          openScripted({ a: { events: [staying, ...more].flat() } }, { sign });
        const alone = open();
        const [before, after] = [open(named('gone', gone)), open(named('come', come))];
        const idsIn = (items: readonly { id?: string | undefined }[]): (string | undefined)[] =>
          items.map(({ id }) => id).sort();
        for (const [operation, question] of [
          [OPERATIONS.listEvents, RANGE],
          [OPERATIONS.searchEvents, { ...RANGE, query: 'word' }],
        ] as const) {
          const known = idsIn(all([await ask(operation, alone, { ...question, limit: 1_000 })], 'events'));
          const parts = await partsOf(operation, [before, after], question, sizes);
          expect(idsIn(all(parts, 'events')).filter((id) => known.includes(id))).toEqual(known);
        }
        const taken = (parts: readonly object[]) => {
          const blocks = all<{ start: string; end: string }>(parts, 'blocks');
          return unionOf(
            blocks.map(({ start }) => Date.parse(start)),
            blocks.map(({ end }) => Date.parse(end)),
          );
        };
        const whole = await ask(OPERATIONS.getFreeBusy, alone, RANGE);
        const told = await partsOf(OPERATIONS.getFreeBusy, [before, after], RANGE, sizes);
        expect([...pairsOf(subtract(taken([whole]), taken(told)))]).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });

  test('of a client have as many blocks at one time as there are, though nothing tells them apart', async () => {
    const event = { start: hourAfter(9), end: hourAfter(10) };
    const app = await openSigned({
      a: { events: named('a', Array(7).fill(event)), settings: 'client: client-a, share: busy' },
      b: { events: named('b', [event]) },
    });
    const parts = await partsOf(OPERATIONS.listEvents, [app], { ...RANGE, audience: 'b' }, [2]);
    expect(parts.map((part) => all([part], 'events').length)).toEqual([2, 2, 2, 2]);
    const conflicts = await partsOf(OPERATIONS.findConflicts, [app], { ...RANGE, audience: 'b' }, [2]);
    expect(all(conflicts, 'conflicts')).toHaveLength(7);
  });

  test('are right though more begin at one moment than a cursor can name', async () => {
    const events = named('a', Array(1_200).fill({ start: on('2026-11-24'), end: on('2026-11-25') }));
    const app = await openSigned({ a: { events } });
    const parts = await partsOf(OPERATIONS.listEvents, [app], RANGE, [400]);
    expect(all<{ id: string }>(parts, 'events').map(({ id }) => id)).toEqual(
      (await ask(listEvents, app, RANGE)).events.map(({ id }) => id),
    );
  });

  test('of free and busy time tell of each account, person and stretch what is left', async () => {
    const app = await openSigned({
      a: { events: [{ start: hourAfter(8), end: hourAfter(12) }] },
      b: { events: [{ start: hourAfter(9), end: hourAfter(10), busy: 'oof' }] },
    });
    const parts = await partsOf<Page & { range: { start: string } }>(
      OPERATIONS.getFreeBusy,
      [app],
      { range: '2026-11-23' },
      [1],
    );
    expect(parts.map(({ range }) => range.start.slice(11, 16))).toEqual(['00:00', '10:00', '11:00', '13:00']);
    const own = parts.map((part) =>
      all<{ account: string; blocks: { start: string; end: string }[] }>([part], 'perAccount'),
    );
    expect(
      own.map(([first]) => first?.blocks.map(({ start, end }) => `${start.slice(11, 16)}-${end.slice(11, 16)}`)),
    ).toEqual([['09:00-10:00'], ['10:00-11:00'], ['11:00-13:00'], []]);
  });
});

async function openSigned(accounts: Readonly<Record<string, ScriptedAccount>>, state?: string): Promise<App> {
  return openScripted(accounts, { sign: createSigner(state ?? (await temporaryFolder())) });
}

const SECRET: ScriptedAccount = {
  events: named('secret', [
    { title: 'Nightfall', start: hourAfter(9), end: hourAfter(10) },
    { title: 'Nightfall two', start: hourAfter(11), end: hourAfter(12) },
    { title: 'Nightfall three', start: hourAfter(13), end: hourAfter(14) },
  ]),
  settings: 'client: client-a, share: busy',
};
const CLIENTS = { a: SECRET, b: {} };

describe('a cursor', () => {
  const first = async (app: App, question: object = {}): Promise<string> =>
    (await ask(listEvents, app, { ...RANGE, limit: 1, ...question })).nextCursor ?? '';
  const refused = { code: 'INPUT_INVALID', hint: expect.stringMatching(/./) };

  test('goes on alone, with the question once more, and with another limit or detail', async () => {
    const app = await openSigned(CLIENTS);
    const cursor = await first(app, { accounts: ['a', 'b'] });
    const alone = await ask(listEvents, app, { cursor });
    expect(alone.events.map(({ title }) => title)).toEqual(['Nightfall two', 'Nightfall three']);
    expect(await ask(listEvents, app, { cursor, ...RANGE, accounts: ['a', 'b'] })).toEqual(alone);
    const second = await ask(listEvents, app, { cursor, ...RANGE, limit: 1 });
    const third = await ask(listEvents, app, { cursor: second.nextCursor, ...RANGE, limit: 1, detail: 'compact' });
    expect(third.events).toMatchObject([{ title: 'Nightfall three', start: '2026-11-23T14:00+01:00' }]);
    expect(third.range).toEqual(alone.range);
  });

  test('keeps the range that words meant when they were said', async () => {
    const state = await temporaryFolder();
    const monday = await openSigned(CLIENTS, state);
    const cursor = (await ask(listEvents, monday, { range: 'today', limit: 1 })).nextCursor;
    const tuesday = openScripted(CLIENTS, {
      sign: createSigner(state),
      now: now('2026-11-24T08:00:00Z'),
    });
    expect((await ask(listEvents, tuesday, { cursor })).events.map(({ title }) => title)).toEqual([
      'Nightfall two',
      'Nightfall three',
    ]);
  });

  test('that somebody changed is refused', async () => {
    const app = await openSigned(CLIENTS);
    const cursor = await first(app);
    const [text = '', signature = ''] = cursor.split('.');
    const flip = (word: string, place: number): string =>
      `${word.slice(0, place)}${word[place] === 'A' ? 'B' : 'A'}${word.slice(place + 1)}`;
    const other = Buffer.from(Buffer.from(text, 'base64url').toString().replace('list_events', 'find_conflicts'));
    for (const bad of [
      '',
      '.',
      'nonsense',
      text,
      `.${signature}`,
      `${text}.`,
      `${flip(text, 0)}.${signature}`,
      `${flip(text, text.length - 2)}.${signature}`,
      `${text}.${flip(signature, 3)}`,
      `${text}.${signature}x`,
      `${other.toString('base64url')}.${signature}`,
    ])
      await expect(ask(listEvents, app, { cursor: bad }), bad).rejects.toMatchObject(refused);
  });

  test('of another calmcp, another tool or another question is refused', async () => {
    const [app, stranger] = [await openSigned(CLIENTS), await openSigned(CLIENTS)];
    const cursor = await first(app);
    await expect(ask(listEvents, stranger, { cursor })).rejects.toMatchObject(refused);
    await expect(ask(getFreeBusy, app, { cursor })).rejects.toMatchObject(refused);
    await expect(ask(searchEvents, app, { cursor })).rejects.toMatchObject(refused);
    for (const question of [
      { range: '2026-11-24' },
      { from: '2026-11-23', to: '2026-11-24' },
      { accounts: 'a' },
      { timeZone: 'Asia/Tokyo' },
      { includeDeclined: true },
    ])
      await expect(ask(listEvents, app, { cursor, ...question })).rejects.toMatchObject({
        ...refused,
        message: expect.stringContaining(Object.keys(question)[0] ?? ''),
      });
    const search = (await ask(searchEvents, app, { ...RANGE, query: 'nightfall', limit: 1 })).nextCursor;
    await expect(ask(searchEvents, app, { cursor: search, query: 'night' })).rejects.toMatchObject(refused);
  });

  test('is good in another process of this machine, by a key that nobody else can read', async () => {
    const state = await temporaryFolder();
    const cursor = await first(await openSigned(CLIENTS, state));
    expect((await ask(listEvents, await openSigned(CLIENTS, state), { cursor })).events).toHaveLength(2);
    expect(await readdir(state)).toEqual(['cursor.key']);
    if (process.platform !== 'win32') expect((await stat(join(state, 'cursor.key'))).mode & 0o777).toBe(0o600);
  });

  test('of a question about as many people as can be named is taken again', async () => {
    const people = Array.from(
      { length: 100 },
      (_, index) => `somebody.with.a.rather.long.name.${index}@department.subsidiary.away.example`,
    );
    const app = await openSigned({
      a: {
        events: [{ start: hourAfter(8), end: hourAfter(12) }],
        freeBusy: async (asked) => asked.map((person) => ({ person, blocks: [] })),
      },
    });
    const question = { range: '2026-11-23', people };
    const whole = await ask(getFreeBusy, app, question);
    const parts = await partsOf<Page & { people?: { person: string }[] }>(OPERATIONS.getFreeBusy, [app], question, [1]);
    expect(parts.length).toBeGreaterThan(1);
    expect(all(parts, 'blocks')).toHaveLength(whole.blocks.length);
    for (const part of parts) expect(part.people?.map(({ person }) => person)).toEqual(people);
  });

  test('is one of two that first need a key at the same time', async () => {
    const state = await temporaryFolder();
    const apps = await Promise.all(Array.from({ length: 6 }, () => openSigned(CLIENTS, state)));
    const cursors = await Promise.all(apps.map((app) => first(app)));
    for (const app of apps)
      for (const cursor of cursors) expect((await ask(listEvents, app, { cursor })).events).toHaveLength(2);
  });

  test('of an answer for a client goes on for that client, and tells nothing of others', async () => {
    const app = await openSigned(CLIENTS);
    const question = { ...RANGE, audience: 'client-b', limit: 1 };
    for (const [operation, input] of [
      [OPERATIONS.listEvents, question],
      [OPERATIONS.getFreeBusy, question],
    ] as const) {
      const parts = await partsOf<Page & { audience?: string }>(operation, [app], input, [1]);
      expect(parts.length).toBeGreaterThan(2);
      for (const { audience } of parts) expect(audience).toBe('client-b');
      const told = JSON.stringify([parts, parts.map((part) => readable(part.nextCursor))]);
      expect(told).not.toMatch(/nightfall|secret|"a"|client-a/i);
    }
  });

  test('of a client cannot become that of the owner, nor the other way round', async () => {
    const app = await openSigned(CLIENTS);
    const [client, owner] = [await first(app, { audience: 'client-b' }), await first(app)];
    for (const audience of ['owner', 'client-a'])
      await expect(ask(listEvents, app, { cursor: client, audience })).rejects.toMatchObject(refused);
    await expect(ask(listEvents, app, { cursor: owner, audience: 'client-b' })).rejects.toMatchObject(refused);
    const [text = '', signature = ''] = client.split('.');
    const without = Buffer.from(Buffer.from(text, 'base64url').toString().replace('"audience":"client-b"', ''));
    expect(without.toString()).not.toContain('client-b');
    const forged = `${without.toString('base64url')}.${signature}`;
    await expect(ask(listEvents, app, { cursor: forged })).rejects.toMatchObject(refused);
  });
});

function readable(cursor: string | undefined): string {
  return Buffer.from(cursor?.split('.')[0] ?? '', 'base64url').toString();
}

describe('what is too much for one part', () => {
  const title = 'x'.repeat(480);
  const long = named(
    'long',
    Array.from({ length: 220 }, (_, index) => ({
      title: `${title} ${index}`,
      start: hourAfter(9 + Math.floor(index / 20)),
      end: hourAfter(10 + Math.floor(index / 20)),
    })),
  );

  test.each<[string, Paged, object, string[]]>([
    ['a list', OPERATIONS.listEvents, {}, ['events']],
    ['a search', OPERATIONS.searchEvents, { query: 'xx' }, ['events']],
    ['conflicts', OPERATIONS.findConflicts, {}, ['conflicts', 'events']],
  ])('by size ends %s early, at 60,000 characters, and the rest follows', async (_what, operation, question, lists) => {
    const app = await openSigned({ a: { events: long } });
    const parts = await partsOf(operation, [app], { ...RANGE, ...question }, [1_000]);
    const sizes = parts.map((part) => lists.reduce((sum, list) => sum + JSON.stringify(all([part], list)).length, 0));
    // Brackets and commas aside.
    expect(Math.max(...sizes)).toBeLessThan(61_500);
    expect(parts.length).toBeGreaterThan(1);
    if (operation !== OPERATIONS.findConflicts) {
      expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(58_000);
      expect(all(parts, 'events')).toHaveLength(220);
    }
  });

  test('by number is 100 over MCP, unless asked otherwise', async () => {
    const app = await openSigned({ a: { events: long.map((event, index) => ({ ...event, title: `${index}` })) } });
    const answer = await listEvents.run(app, toolInput(listEvents as unknown as Operation).parse(RANGE) as never, {
      signal: new AbortController().signal,
    });
    expect([answer.events.length, answer.truncated]).toEqual([100, true]);
    expect((await ask(listEvents, app, RANGE)).events).toHaveLength(220);
  });

  test.each([0, -1, 1_001, 1.5, Number.NaN])('has a limit from 1 to 1000, and %d is none', (limit) => {
    for (const operation of Object.values(OPERATIONS)) {
      const { error } = operation.input.safeParse({ ...RANGE, limit });
      expect(error?.issues[0]).toMatchObject({ path: ['limit'], message: 'give a whole number from 1 to 1000' });
    }
  });
});

test('a last part whose events are gone by now says that there are no more, never that there are none', async () => {
  const events = [1, 2].map((hour) => ({ start: hourAfter(hour), end: hourAfter(hour + 1), title: `event ${hour}` }));
  const sign = createSigner(await temporaryFolder());
  const first = await ask(listEvents, openScripted({ a: { events } }, { sign }), { ...RANGE, limit: 1 });
  const after = openScripted({ a: { events: events.slice(0, 1) } }, { sign });
  const last = await ask(listEvents, after, { cursor: first.nextCursor });
  expect(last).toMatchObject({ events: [], continued: true, complete: true });
  expect(renderText('list_events', last)).toMatch(/^no more events$/m);
});
