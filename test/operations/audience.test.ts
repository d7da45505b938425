/** What a client sees of the calendars of a person who has other clients. */
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { CalmcpError, toCalmcpError } from '../../src/core/errors.ts';
import type { Logger } from '../../src/core/provider.ts';
import { findConflicts } from '../../src/operations/find-conflicts.ts';
import { findFreeTime } from '../../src/operations/find-free-time.ts';
import { getEvent } from '../../src/operations/get-event.ts';
import { getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { listCalendars } from '../../src/operations/list-calendars.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { searchEvents } from '../../src/operations/search-events.ts';
import { at } from '../core/events.ts';
import { ask, openAccounts, openScripted, type ScriptedAccount } from './questions.ts';

const DAY = '2026-11-23';
const B = { range: DAY, audience: 'client-b' } as const;
const times = { start: at(`${DAY}T09:00:00Z`, 'Pacific/Chatham'), end: at(`${DAY}T10:00:00Z`, 'Pacific/Chatham') };

const merger = {
  ...times,
  id: 'SECRET-id',
  uid: 'SECRET-uid',
  title: 'SECRET Merger',
  location: 'SECRET room',
  text: 'SECRET text',
  join: 'https://meet.google.com/SECRET',
  webLink: 'https://calendar.example/SECRET',
  organizer: { name: 'SECRET Ann', email: 'ann@SECRET.example' },
  attendees: [{ email: 'bob@SECRET.example', response: 'accepted' as const }],
  categories: ['SECRET'],
  warnings: ['SECRET warning'],
  calendar: { id: 'SECRET', name: 'SECRET calendar', isDefault: true, access: 'read' as const },
};
const own = { start: at(`${DAY}T13:00:00Z`), end: at(`${DAY}T14:00:00Z`), uid: 'own', title: 'Own review' };

/** Two clients: what is told to B never has a word of A, whose account is called `alpha`. */
function clients(alpha: ScriptedAccount, beta: ScriptedAccount = { events: [own] }, log?: Logger): App {
  return openScripted(
    {
      alpha: { settings: 'client: client-a, displayName: SECRET A, share: busy', ...alpha },
      beta: { settings: 'client: client-b', ...beta },
    },
    log === undefined ? {} : { log },
  );
}

const LEAK = /SECRET|Merger|alpha|client-a|Chatham/i;

/** All that can be asked. */
async function everything(app: App, more: object = {}): Promise<unknown[]> {
  const asked = { ...B, ...more };
  return Promise.all([
    ask(listEvents, app, { ...asked, includeDeclined: true }),
    ask(listEvents, app, { ...asked, detail: 'compact' }),
    ask(getFreeBusy, app, asked),
    ask(findFreeTime, app, { ...asked, durationMinutes: 30 }),
    ask(findConflicts, app, asked),
    ask(searchEvents, app, { ...asked, query: 'review' }),
    ask(searchEvents, app, { ...asked, query: 'SECRET' }),
  ]);
}

describe('P01: what client B sees of an event of client A', () => {
  test('is start, end and busy, and nothing else', async () => {
    const { events, accounts } = await ask(listEvents, clients({ events: [merger] }), B);
    expect(events[0]).toEqual({
      start: '2026-11-23T10:00:00+01:00',
      end: '2026-11-23T11:00:00+01:00',
      busy: 'busy',
    });
    expect(events[1]).toMatchObject({ title: 'Own review', accounts: ['beta'] });
    expect(accounts.map(({ account }) => account)).toEqual(['beta', 'other accounts']);
  });

  test('P05: has no word of it in any answer', async () => {
    for (const more of [
      {},
      { myResponse: 'declined' as const },
      { busy: 'tentative' as const },
      { status: 'cancelled' as const },
    ])
      expect(JSON.stringify(await everything(clients({ events: [{ ...merger, ...more }] })))).not.toMatch(LEAK);
  });

  test('in a zone of the answer says nothing about where A is', async () => {
    const answers = await everything(clients({ events: [merger] }), { timeZone: 'Asia/Tokyo' });
    expect(JSON.stringify(answers)).not.toMatch(LEAK);
  });

  test('is the same whatever A’s event is called and wherever it is', async () => {
    const other = { ...times, id: 'x', title: null, calendar: { ...merger.calendar, id: 'y', name: 'z' } };
    expect(await everything(clients({ events: [merger] }))).toEqual(await everything(clients({ events: [other] })));
  });

  test('is nothing where it takes no time', async () => {
    const app = clients({
      events: [
        { ...merger, busy: 'free' },
        { ...merger, id: '2', myResponse: 'declined' },
      ],
    });
    expect((await ask(listEvents, app, { ...B, includeDeclined: true })).events).toHaveLength(1);
  });

  test.each([
    ['masked', { title: 'Client work', start: expect.any(String), end: expect.any(String) }],
    ['title', { title: 'SECRET Merger', start: expect.any(String), end: expect.any(String) }],
  ])('is its time and a title where %s is shared', async (share, expected) => {
    const app = clients({ events: [merger], settings: `client: client-a, share: ${share}` });
    expect((await ask(listEvents, app, B)).events[0]).toEqual(expected);
  });

  test('has no id and no account where all is shared', async () => {
    const app = clients({ events: [merger], settings: 'client: client-a, share: full' });
    const [seen] = (await ask(listEvents, app, B)).events;
    expect(seen).toMatchObject({ title: 'SECRET Merger', location: 'SECRET room' });
    expect(seen).not.toHaveProperty('id');
    expect(JSON.stringify(seen)).not.toMatch(/alpha|SECRET calendar/);
  });

  test('is not there where nothing is shared, and no account is', async () => {
    const app = clients({ events: [merger], settings: 'client: client-a, share: none' });
    const answer = await ask(listEvents, app, B);
    expect(answer.events.map(({ title }) => title)).toEqual(['Own review']);
    expect(answer.accounts.map(({ account }) => account)).toEqual(['beta']);
    expect((await ask(getFreeBusy, app, B)).blocks).toHaveLength(1);
  });

  test('takes its time: B is told when one is free', async () => {
    const hours = 'workingHours: { days: [mon], start: "10:00", end: "12:00" }';
    const app = clients(
      { events: [merger], settings: `client: client-a, ${hours}` },
      { settings: `client: client-b, ${hours}` },
    );
    const found = await ask(findFreeTime, app, { ...B, durationMinutes: 60 });
    expect(found.slots.map(({ start }) => start)).toEqual(['2026-11-23T11:00:00+01:00']);
    const { blocks } = await ask(getFreeBusy, app, B);
    expect(blocks).toEqual([{ start: '2026-11-23T10:00:00+01:00', end: '2026-11-23T11:00:00+01:00', busy: 'busy' }]);
  });

  test('A itself and the owner see it in full', async () => {
    const app = clients({ events: [merger] });
    for (const asked of [{ range: DAY }, { range: DAY, audience: 'owner' }, { range: DAY, audience: 'client-a' }])
      expect((await ask(listEvents, app, asked)).events[0]).toMatchObject({
        title: 'SECRET Merger',
        accounts: ['alpha'],
      });
  });

  test('whoever has no account sees what all share with others, and is told so', async () => {
    const answer = await ask(listEvents, clients({ events: [merger] }), { ...B, audience: 'Client-B' });
    expect(answer.events).toEqual([
      { start: expect.any(String), end: expect.any(String), busy: 'busy' },
      { start: expect.any(String), end: expect.any(String), busy: 'busy' },
    ]);
    expect(answer.notices).toHaveLength(1);
    for (const audience of ['', ' ', '\u200b', 'x'.repeat(81)])
      await expect(ask(listEvents, clients({}), { ...B, audience })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});

describe('P02: what client B finds of client A', () => {
  test('is nothing by a word of it, and counts nothing', async () => {
    const app = clients({ events: [merger] });
    for (const query of ['merger', 'SECRET', 'bob', 'room', 'alpha', 'client work', 'busy'])
      expect(await ask(searchEvents, app, { ...B, query })).toMatchObject({ events: [], count: 0 });
    expect(await ask(searchEvents, app, { ...B, query: 'review' })).toMatchObject({ count: 1 });
    expect(await ask(searchEvents, app, { range: DAY, query: 'merger' })).toMatchObject({ count: 1 });
  });

  test('is told in the same words as if it were not there', async () => {
    const query = { ...B, query: 'merger' };
    expect(await ask(searchEvents, clients({ events: [merger] }), query)).toEqual(
      await ask(searchEvents, clients({ events: [] }), query),
    );
  });

  test('is a title where titles are shared, and not what else there is', async () => {
    const app = clients({ events: [merger], settings: 'client: client-a, share: title' });
    expect(await ask(searchEvents, app, { ...B, query: 'merger' })).toMatchObject({ count: 1 });
    expect(await ask(searchEvents, app, { ...B, query: 'room' })).toMatchObject({ count: 0 });
  });
});

describe('P03: what is private', () => {
  const hidden = {
    ...own,
    id: 'p',
    uid: 'p',
    title: 'SECRET Doctor',
    location: 'SECRET',
    sensitivity: 'private' as const,
  };

  test('is masked for the client whose account it is in, and has no id', async () => {
    const app = clients({}, { events: [hidden] });
    const answer = await ask(listEvents, app, B);
    expect(answer.events).toEqual([
      { title: 'Private', start: '2026-11-23T14:00:00+01:00', end: '2026-11-23T15:00:00+01:00' },
    ]);
    expect(await ask(searchEvents, app, { ...B, query: 'doctor' })).toMatchObject({ count: 0 });
    expect(JSON.stringify(await everything(app))).not.toMatch(LEAK);
  });

  test('is masked for others though all is shared with them, and nobody learns that it is private', async () => {
    const app = clients({ events: [hidden], settings: 'client: client-a, share: full' }, {});
    expect((await ask(listEvents, app, B)).events).toEqual([
      { title: 'Client work', start: expect.any(String), end: expect.any(String) },
    ]);
  });

  test('is the owner’s to see', async () => {
    const app = clients({}, { events: [hidden] });
    expect((await ask(listEvents, app, { range: DAY })).events).toMatchObject([
      { title: 'SECRET Doctor', private: true },
    ]);
  });
});

describe('P04: a meeting that A and B both hold', () => {
  const shared = { ...merger, uid: 'shared', myResponse: 'organizer' as const };
  const inAmsterdam = { start: at(`${DAY}T09:00:00Z`), end: at(`${DAY}T10:00:00Z`) };
  const copy = { ...inAmsterdam, uid: 'shared', title: 'Joint review', myResponse: 'accepted' as const };

  test('is one for B: its own copy, without a word of the other', async () => {
    const { events } = await ask(listEvents, clients({ events: [shared] }, { events: [copy] }), B);
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ title: 'Joint review', accounts: ['beta'] });
    expect(JSON.stringify(await everything(clients({ events: [shared] }, { events: [copy] })))).not.toMatch(LEAK);
  });

  test('is the owner’s one, with both', async () => {
    const { events } = await ask(listEvents, clients({ events: [shared] }, { events: [copy] }), { range: DAY });
    expect(events).toMatchObject([{ accounts: ['alpha', 'beta'], title: 'SECRET Merger' }]);
  });

  test('is still one where A shares titles or all: B’s copy is B’s to see', async () => {
    for (const share of ['masked', 'title', 'full']) {
      const app = clients({ events: [shared], settings: `client: client-a, share: ${share}` }, { events: [copy] });
      const { events } = await ask(listEvents, app, B);
      expect(events.map(({ title }) => title)).toEqual(['Joint review']);
      expect(JSON.stringify(events)).not.toMatch(LEAK);
    }
  });

  test('and that B declined takes its time because A has not, and says no more than that', async () => {
    const declined = { ...copy, myResponse: 'declined' as const };
    const app = clients({ events: [shared] }, { events: [declined] });
    expect((await ask(listEvents, app, B)).events).toEqual([
      { start: expect.any(String), end: expect.any(String), busy: 'busy' },
    ]);
  });

  test('and that A has moved is at B’s time for B, and A’s time is taken', async () => {
    const moved = { ...shared, start: at(`${DAY}T15:00:00Z`), end: at(`${DAY}T16:00:00Z`) };
    const { events } = await ask(listEvents, clients({ events: [moved] }, { events: [copy] }), B);
    expect(events.map(({ title, start }) => [title, start.slice(11, 16)])).toEqual([
      ['Joint review', '10:00'],
      [undefined, '16:00'],
    ]);
    expect(JSON.stringify(events)).not.toMatch(LEAK);
    expect(JSON.stringify(events)).not.toContain('still has it');
  });

  test('is no conflict for B', async () => {
    const app = clients({ events: [shared] }, { events: [copy] });
    expect((await ask(findConflicts, app, B)).conflicts).toEqual([]);
  });
});

describe('conflicts with what may not be seen', () => {
  test('have a time and no event', async () => {
    const app = clients({ events: [merger] }, { events: [{ ...own, ...times, start: at(`${DAY}T09:30:00Z`) }] });
    const { conflicts, events } = await ask(findConflicts, app, B);
    expect(conflicts).toMatchObject([{ start: '2026-11-23T10:30:00+01:00', end: '2026-11-23T11:00:00+01:00' }]);
    expect(conflicts[0]?.events).toEqual([null, expect.stringMatching(/^beta\./)]);
    expect(events).toHaveLength(2);
    expect(JSON.stringify({ conflicts, events })).not.toMatch(LEAK);
  });
});

describe('P05: what goes wrong', () => {
  const secretly = new CalmcpError('NOT_FOUND', 'SECRET is gone from alpha', {
    hint: 'look at SECRET',
    account: 'alpha',
  });

  test('with an account of A is told without a word of it, in answers and logs', async () => {
    const lines: string[] = [];
    const note = (message: string, details?: unknown): void => {
      lines.push(
        `${message} ${JSON.stringify(details, (_, value) => (value instanceof Error ? `${value.message} ${JSON.stringify(value)}` : value))}`,
      );
    };
    const app = clients({ error: secretly }, undefined, { error: note, warn: note, info: note, debug: note });
    const answers = await everything(app);
    for (const answer of answers) expect(answer).toMatchObject({ complete: false });
    expect(JSON.stringify(answers)).not.toMatch(LEAK);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.join('\n')).not.toMatch(LEAK);
  });

  test('with an account of A makes its time unknown, not free', async () => {
    const app = clients({ error: secretly });
    const { free, blocks, accounts } = await ask(getFreeBusy, app, B);
    expect(free).toEqual([]);
    expect(blocks[0]).toEqual({ start: expect.any(String), end: expect.any(String), busy: 'unknown' });
    expect(accounts.at(-1)).toMatchObject({ account: 'other accounts', status: 'unavailable' });
    const { slots } = await ask(findFreeTime, app, { ...B, durationMinutes: 30, limit: 1 });
    expect(slots).toMatchObject([{ unverified: ['other accounts'] }]);
  });

  test('with all accounts is an error that names none', async () => {
    const app = clients({ error: secretly }, { error: new CalmcpError('UNAVAILABLE', 'down') });
    for (const question of [ask(listEvents, app, B), ask(getFreeBusy, app, B), ask(findConflicts, app, B)]) {
      const error = await question.then(() => undefined, toCalmcpError);
      expect(error).toMatchObject({ code: 'UNAVAILABLE' });
      expect(JSON.stringify([error?.message, error])).not.toMatch(LEAK);
    }
  });

  test('with names that are none is told the same as for names that B may not know', async () => {
    const app = clients({ events: [merger] });
    const id = (await ask(listEvents, app, { range: DAY })).events[0]?.id ?? '';
    expect(id).toMatch(/^alpha\./);
    const known = await ask(getEvent, app, { id, audience: 'client-b' }).catch(toCalmcpError);
    const unknown = await ask(getEvent, app, { id: 'zulu.0000000000', audience: 'client-b' }).catch(toCalmcpError);
    const shape = (error: unknown): unknown => ({
      ...(error as CalmcpError),
      message: (error as CalmcpError).message.replace(/"[^"]*"/, '""'),
    });
    expect(shape(known)).toEqual(shape(unknown));
    const missing = await ask(listEvents, app, { ...B, accounts: 'zulu' }).catch(toCalmcpError);
    expect(JSON.stringify([(missing as CalmcpError).message, missing])).not.toMatch(LEAK);
    await expect(ask(getFreeBusy, app, { ...B, people: 'x@y.example', via: 'alpha' })).rejects.toMatchObject({
      code: 'ACCOUNT_UNKNOWN',
      hint: expect.not.stringMatching(/alpha/),
    });
  });
});

describe('ids', () => {
  test('that one audience was given mean nothing to another', async () => {
    const app = clients({ events: [merger] });
    const idFor = async (audience: string, title: RegExp): Promise<string> =>
      (await ask(listEvents, app, { range: DAY, audience })).events.find((item) => title.test(item.title ?? ''))?.id ??
      '';
    const [forOwner, forB] = [await idFor('owner', /Own/), await idFor('client-b', /Own/)];
    expect(forOwner).not.toBe(forB);
    expect((await ask(getEvent, app, { id: forB, audience: 'client-b' })).event.title).toBe('Own review');
    expect((await ask(getEvent, app, { id: forOwner })).event.title).toBe('Own review');
    await expect(ask(getEvent, app, { id: forOwner, audience: 'client-b' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await expect(ask(getEvent, app, { id: forB })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('of what may not be seen in full there are none', async () => {
    for (const share of ['busy', 'masked', 'title', 'full']) {
      const app = clients({ events: [merger], settings: `client: client-a, share: ${share}` }, {});
      expect((await ask(listEvents, app, B)).events[0]).not.toHaveProperty('id');
    }
  });
});

describe('the same question', () => {
  test('L12: has the same answer for a client, though what it is about may not be told', async () => {
    const later = at(`${DAY}T10:30:00Z`);
    const app = openScripted({
      alpha: {
        settings: 'client: client-a',
        events: [
          { ...times, uid: 'u' },
          { ...times, uid: 'v', busy: 'tentative' },
        ],
      },
      gamma: {
        settings: 'client: client-c',
        events: [
          { ...times, end: later, uid: 'u' },
          { ...times, uid: 'w', busy: 'oof' },
        ],
      },
      beta: { settings: 'client: client-b' },
    });
    const answers = new Set<string>();
    for (let round = 0; round < 40; round++) answers.add(JSON.stringify(await ask(listEvents, app, B)));
    expect(answers.size).toBe(1);
  });
});

test('P01: from accounts.yaml as a person writes it, to the calendars that an audience is told of', async () => {
  const app = await openAccounts(`  alpha:
    provider: memory
    client: client-a
    displayName: SECRET
    events:
      - { title: SECRET Merger, start: 2026-11-23T10:00, end: 2026-11-23T11:00, location: SECRET, uid: SECRET }
  beta:
    provider: memory
    client: client-b
    events:
      - { title: Own review, start: 2026-11-23T14:00, end: 2026-11-23T15:00 }
      - { title: SECRET Doctor, start: 2026-11-23T16:00, end: 2026-11-23T17:00, sensitivity: private }
`);
  expect(JSON.stringify(await everything(app))).not.toMatch(LEAK);
  // list_calendars answers the owner alone: it takes no audience.
  expect(listCalendars.input.safeParse({ audience: 'client-b' }).success).toBe(false);
  expect(findFreeTime.input.safeParse({ durationMinutes: 30, audience: 'client-b' }).success).toBe(true);
});
