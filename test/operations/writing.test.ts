/** What every write has in common, on accounts of provider memory; the vendors' own ways are in test/providers. */
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { createEvent } from '../../src/operations/create-event.ts';
import { deleteEvent } from '../../src/operations/delete-event.ts';
import { createHeard } from '../../src/operations/heard.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { respondToEvent } from '../../src/operations/respond-to-event.ts';
import { updateEvent } from '../../src/operations/update-event.ts';
import { ask, openAccounts } from './questions.ts';

const ONE = '  home: { provider: memory, access: write }\n';
const TWO = `${ONE}  work: { provider: memory, access: write }\n`;

async function titles(app: App, range: string): Promise<string[]> {
  const { events } = await ask(listEvents, app, { range });
  return events.map(({ title, start }) => `${start.slice(0, 16)} ${title}`);
}

const standUp = {
  title: 'Stand-up',
  start: '2026-11-23T09:00',
  end: '+15m',
  repeat: 'FREQ=DAILY;COUNT=5',
} as const;

describe('the target', () => {
  test('P07: with several writable accounts and none named, nothing is written, and they are listed', async () => {
    const app = await openAccounts(TWO);
    await expect(ask(createEvent, app, { title: 'x', start: 'tomorrow 10:00' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      hint: expect.stringContaining('home, work'),
    });
  });

  test('the only writable account is the target, and what was written is read at once', async () => {
    const app = await openAccounts(`${ONE}  other: { provider: memory }\n`);
    const { outcome, event } = await ask(createEvent, app, { title: 'Dentist', start: '2026-11-24T10:00' });
    expect(outcome).toBe('created');
    const { events } = await ask(listEvents, app, { range: '2026-11-24' });
    expect(events).toMatchObject([{ id: event?.id, title: 'Dentist', start: '2026-11-24T10:00:00+01:00' }]);
  });

  test('P06: an account with less than access: write is refused, and so is one that is not there', async () => {
    const app = await openAccounts('  home: { provider: memory }\n');
    await expect(ask(createEvent, app, { title: 'x', start: '2026-11-24' })).rejects.toMatchObject({
      code: 'READ_ONLY',
    });
    await expect(ask(createEvent, app, { account: 'home', title: 'x', start: '2026-11-24' })).rejects.toMatchObject({
      code: 'READ_ONLY',
      account: 'home',
      hint: expect.stringContaining('access: write'),
    });
    await expect(ask(createEvent, app, { account: 'nobody', title: 'x', start: '2026-11-24' })).rejects.toMatchObject({
      code: 'ACCOUNT_UNKNOWN',
    });
  });
});

describe('creating', () => {
  test('P09: the same wish twice is one event; with another key it is two', async () => {
    const app = await openAccounts(ONE);
    const wish = { title: 'Focus', start: '2026-11-24T10:00' };
    expect((await ask(createEvent, app, wish)).outcome).toBe('created');
    expect((await ask(createEvent, app, wish)).outcome).toBe('existed');
    expect((await ask(createEvent, app, { ...wish, key: 'again' })).outcome).toBe('created');
    expect(await titles(app, '2026-11-24')).toHaveLength(2);
  });

  test('a dry run writes nothing, and tells the change, conflicts and likely duplicates of all accounts', async () => {
    const app = await openAccounts(TWO);
    await ask(createEvent, app, { account: 'work', title: 'Review', start: '2026-11-24T10:30', end: '+1h' });
    const preview = await ask(createEvent, app, {
      account: 'home',
      title: 'Plumber',
      start: '2026-11-24T10:00',
      end: '+1h',
      dryRun: true,
    });
    expect(preview).toMatchObject({
      outcome: 'preview',
      complete: true,
      conflicts: [{ title: 'Review' }],
      changes: expect.arrayContaining([{ field: 'start', to: '2026-11-24T10:00+01:00' }]),
    });
    const again = { account: 'home', title: 'review', start: '2026-11-24T10:30', end: '+1h', dryRun: true };
    expect(await ask(createEvent, app, again)).toMatchObject({
      possibleDuplicates: [{ title: 'Review' }],
      conflicts: [],
    });
    expect(await titles(app, '2026-11-24')).toEqual(['2026-11-24T10:30 Review']);
  });

  test.each([
    [{ start: '2026-11-24T25:00' }, /cannot read start/],
    [{ start: '2026-03-29T02:30' }, /does not exist/],
    [{ start: '2026-11-24', end: '2026-11-24' }, /not after/],
    [{ start: '2026-11-24T10:00', end: '2026-11-25' }, /not of one kind/],
    [{ start: '2026-11-24T10:00', end: '2026-11-24T09:00' }, /not after/],
    [{ start: '2026-11-24T10:00', repeat: 'FREQ=NEVER' }, /./],
    [{ start: '2026-11-24T10:00', repeat: 'FREQ=WEEKLY;BYDAY=MO' }, /does not start/],
    [{ start: '2026-11-24T10:00[Mars/Base]' }, /unknown time zone/],
    [{ start: '2026-11-24T10:00+05:00[Europe/Amsterdam]' }, /offset/],
    [{ start: '2026-11-24T10:00', attendees: ['nobody'] }, /no e-mail address/],
  ])('refuses %j with a hint', async (times, message) => {
    const app = await openAccounts(ONE);
    await expect(ask(createEvent, app, { title: 'x', ...times })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      message: expect.stringMatching(message),
      hint: expect.any(String),
    });
  });
});

test.each([
  ['2026-11-24T10:00+09:00', '11:00', '03:00'],
  ['2026-11-24T10:00+09:00', '2026-11-24T11:00', '03:00'],
  ['2026-11-24T10:00+01:00', '11:00', '11:00'],
  // The clocks go back in between: what is said beside the zone's own offset is in the zone.
  ['2026-10-25T01:30+02:00', '04:00', '04:00'],
])('an end is read as its start was: %s to %s', async (start, end, until) => {
  const app = await openAccounts(ONE);
  const { event } = await ask(createEvent, app, { title: 'x', start, end });
  expect(event?.end.slice(11, 16)).toBe(until);
});

describe('a series', () => {
  async function opened(): Promise<{ app: App; idOn: (day: string) => Promise<string> }> {
    const app = await openAccounts(ONE);
    await ask(createEvent, app, standUp);
    return {
      app,
      idOn: async (day) => (await ask(listEvents, app, { range: day })).events[0]?.id ?? '',
    };
  }
  const WEEK = '2026-11-23..2026-11-29';

  test('P10: a change without a scope is refused', async () => {
    const { app, idOn } = await opened();
    await expect(ask(updateEvent, app, { id: await idOn('2026-11-25'), title: 'x' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      hint: expect.stringContaining('scope'),
    });
  });

  test('this one alone is changed, or deleted', async () => {
    const { app, idOn } = await opened();
    await ask(updateEvent, app, { id: await idOn('2026-11-25'), scope: 'this', start: '11:00' });
    await ask(deleteEvent, app, { id: await idOn('2026-11-26'), scope: 'this' });
    expect(await titles(app, WEEK)).toEqual([
      '2026-11-23T09:00 Stand-up',
      '2026-11-24T09:00 Stand-up',
      '2026-11-25T11:00 Stand-up',
      '2026-11-27T09:00 Stand-up',
    ]);
  });

  test('all are moved by what one of them is moved', async () => {
    const { app, idOn } = await opened();
    await ask(updateEvent, app, { id: await idOn('2026-11-25'), scope: 'all', start: '09:30', title: 'Daily' });
    expect((await titles(app, WEEK)).map((line) => line.slice(11))).toEqual(Array(5).fill('09:30 Daily'));
  });

  test('this and following: the ones before stay as they were, called-off ones stay called off', async () => {
    const { app, idOn } = await opened();
    await ask(updateEvent, app, { id: await idOn('2026-11-23'), scope: 'this', title: 'Kick-off' });
    await ask(deleteEvent, app, { id: await idOn('2026-11-26'), scope: 'this' });
    await ask(updateEvent, app, { id: await idOn('2026-11-25'), scope: 'following', start: '10:00' });
    expect(await titles(app, WEEK)).toEqual([
      '2026-11-23T09:00 Kick-off',
      '2026-11-24T09:00 Stand-up',
      '2026-11-25T10:00 Stand-up',
      '2026-11-27T10:00 Stand-up',
    ]);
  });

  test('deleting this and following leaves the ones before', async () => {
    const { app, idOn } = await opened();
    expect((await ask(deleteEvent, app, { id: await idOn('2026-11-25'), scope: 'following' })).outcome).toBe('deleted');
    expect(await titles(app, WEEK)).toEqual(['2026-11-23T09:00 Stand-up', '2026-11-24T09:00 Stand-up']);
  });
});

describe('versions', () => {
  test('P08: a stale version is a conflict, told with the event as it is now, and nothing is done', async () => {
    const app = await openAccounts(ONE);
    const { event } = await ask(createEvent, app, { title: 'Plan', start: '2026-11-24T10:00' });
    const id = event?.id ?? '';
    await ask(updateEvent, app, { id, title: 'Plan B' });
    const late = await ask(updateEvent, app, { id, title: 'Plan C', version: event?.version });
    expect(late).toMatchObject({ outcome: 'conflict', event: { title: 'Plan B' } });
    expect(await titles(app, '2026-11-24')).toEqual(['2026-11-24T10:00 Plan B']);
    expect(await ask(updateEvent, app, { id, title: 'Plan C', version: late.event?.version })).toMatchObject({
      outcome: 'updated',
    });
  });
});

describe('words of other clients', () => {
  const CLIENTS = `  a: { provider: memory, access: write, client: client-a }
  b: { provider: memory, access: write, client: client-b }
`;

  test('what was read of one client is not written to another one, until its account shares it', async () => {
    const app = await openAccounts(CLIENTS);
    await ask(createEvent, app, { account: 'a', title: 'Project Nightfall merger talks', start: '2026-11-24T10:00' });
    const asker = { signal: new AbortController().signal, heard: createHeard() };
    const run = (account: string, title: string) =>
      createEvent.run(app, createEvent.input.parse({ account, title, start: '2026-11-25T10:00' }), asker);
    // Nothing was read yet: these are words of the person's own.
    await run('b', 'Nightfall is a fine word');
    await listEvents.run(app, listEvents.input.parse({ range: '2026-11-24' }), asker);
    await expect(run('b', 'Re: project nightfall MERGER talks')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.not.stringContaining('ightfall'),
      hint: expect.stringContaining('share: title'),
    });
    expect((await run('a', 'Project Nightfall merger talks, part 2')).outcome).toBe('created');
    expect((await run('b', 'Lunch')).outcome).toBe('created');

    const sharing = await openAccounts(CLIENTS.replace('client: client-a', 'client: client-a, share: title'));
    const shared = { title: 'Project Nightfall merger talks', start: '2026-11-24T10:00' };
    await ask(createEvent, sharing, { account: 'a', ...shared });
    const other = { ...asker, heard: createHeard() };
    await listEvents.run(sharing, listEvents.input.parse({ range: '2026-11-24' }), other);
    const copied = await createEvent.run(sharing, createEvent.input.parse({ account: 'b', ...shared }), other);
    expect(copied.outcome).toBe('created');
  });
});

test('an event of nobody else cannot be answered', async () => {
  const app = await openAccounts(ONE);
  const { event } = await ask(createEvent, app, { title: 'Alone', start: '2026-11-24T10:00' });
  await expect(
    ask(respondToEvent, app, { id: event?.id ?? '', response: 'accepted', notify: 'none' }),
  ).rejects.toMatchObject({ code: 'INPUT_INVALID' });
});
