import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { type ConflictList, findConflicts } from '../../src/operations/find-conflicts.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { at, on } from '../core/events.ts';
import { calendar, event } from '../providers/ics/harness.ts';
import { ask, down, openAccounts, openScripted } from './questions.ts';

const monday = (app: App, more: object = {}): Promise<ConflictList> =>
  ask(findConflicts, app, { range: '2026-11-23', ...more });

const meeting = (title: string, hours: string, more: object = {}) => {
  const [start, end] = hours.split('-').map((time) => at(`2026-11-23T${time}:00Z`));
  return { title, ...(start && end ? { start, end } : {}), ...more };
};

/** `A + B 10:30-11:00`, by title and in UTC. */
function pairs({ conflicts, events }: ConflictList): string[] {
  const titleOf = (id: string | null): unknown => events.find((item) => item.id === id)?.title;
  const time = (text: string): string => new Date(text).toISOString().slice(11, 16);
  return conflicts.map(({ start, end, events: ids }) => `${ids.map(titleOf).join(' + ')} ${time(start)}-${time(end)}`);
}

describe('conflicts', () => {
  test('L17: A and B overlap, C is a copy of A: one pair, and each meeting once', async () => {
    const app = openScripted({
      work: { events: [meeting('A', '10:00-11:00', { uid: 'a' }), meeting('B', '10:30-11:30', { uid: 'b' })] },
      home: { events: [meeting('C', '10:00-11:00', { uid: 'a' })] },
    });
    const answer = await monday(app);
    expect(pairs(answer)).toEqual(['A + B 10:30-11:00']);
    expect(answer.events).toMatchObject([
      { title: 'A', accounts: ['work', 'home'] },
      { title: 'B', accounts: ['work'] },
    ]);
    expect(answer).not.toHaveProperty('count');
  });

  test('L17: between accounts, touching and free ones are none', async () => {
    const app = await openAccounts(`  work:
    provider: memory
    events:
      - { title: A, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }
      - { title: Free, start: 2026-11-23T10:00, end: 2026-11-23T11:00, busy: free }
      - { title: Declined, start: 2026-11-23T10:00, end: 2026-11-23T11:00, response: declined }
      - { title: Elsewhere, start: 2026-11-23T10:00, end: 2026-11-23T11:00, busy: workingElsewhere }
      - { title: Point, start: 2026-11-23T10:30 }
  home:
    provider: memory
    events:
      - { title: B, start: 2026-11-23T11:00, end: 2026-11-23T12:00 }
      - { title: C, start: 2026-11-23T11:59, end: 2026-11-23T13:00, busy: tentative }
`);
    const answer = await monday(app);
    expect(answer.conflicts).toMatchObject([
      { start: '2026-11-23T11:59:00+01:00', end: '2026-11-23T12:00:00+01:00', tentative: true },
    ]);
    expect(answer.events.map(({ title }) => title)).toEqual(['B', 'C']);
  });

  test('D01: one meeting in three mailboxes is none', async () => {
    const uid =
      '040000008200E00074C5B7101A82E008000000005025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B';
    const app = openScripted({
      outlook: { events: [meeting('A', '10:00-11:00', { uid, myResponse: 'organizer' })] },
      guest: { events: [meeting('A', '10:00-11:00', { uid: uid.replace(/^(.{32}).{8}/, '$107EA0B17') })] },
      google: { events: [meeting('A', '10:00-11:00', { uid: uid.toLowerCase() })] },
    });
    expect((await monday(app)).conflicts).toEqual([]);
  });

  test('D09: a Busy block that mirrors another account’s event is none, and does not hide one with a third', async () => {
    const app = openScripted({
      work: { events: [meeting('Review', '10:00-11:00')] },
      client: { events: [meeting('Busy', '10:00-11:00')] },
      home: { events: [meeting('Dentist', '10:30-11:30')] },
    });
    const answer = await monday(app);
    expect(pairs(answer)).toEqual(['Review + Dentist 10:30-11:00']);
    const { events } = await ask(listEvents, app, { range: '2026-11-23' });
    expect(events.map(({ title, mirror }) => [title, mirror])).toEqual([
      ['Busy', true],
      ['Review', undefined],
      ['Dentist', undefined],
    ]);
  });

  test('D09: a Busy block beside what was declined or is free is a meeting of its own', async () => {
    for (const more of [{ busy: 'free' }, { myResponse: 'declined' }]) {
      const app = openScripted({
        work: { events: [meeting('Review', '10:00-11:00', more)] },
        client: { events: [meeting('Busy', '10:00-11:00')] },
        home: { events: [meeting('Dentist', '10:30-11:30')] },
      });
      expect(pairs(await monday(app))).toEqual(['Busy + Dentist 10:30-11:00']);
    }
  });

  test('D09: a block of calmcp’s own is none, and is not on the agenda', async () => {
    const app = await openAccounts(
      `  work: { provider: memory, events: [{ title: A, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }] }
  client: { provider: ics, path: a.ics }
`,
      {
        'a.ics': calendar(
          event('SUMMARY:Busy', 'DTSTART:20261123T093000Z', 'DTEND:20261123T103000Z', 'X-CALMCP-MIRROR:1'),
        ),
      },
    );
    expect((await monday(app)).conflicts).toEqual([]);
    expect((await ask(listEvents, app, { range: '2026-11-23' })).events.map(({ title }) => title)).toEqual(['A']);
  });

  test('D07, D11: what looks like one meeting without proof is left out and counted, not hidden', async () => {
    const app = openScripted({
      work: { events: [meeting('Budget', '10:00-11:00', { uid: null })] },
      feed: { events: [meeting('Budget', '10:00-11:00', { uid: 'made-anew' })] },
    });
    expect(await monday(app)).toMatchObject({ conflicts: [], possibleDuplicates: 1 });
    const { events } = await ask(listEvents, app, { range: '2026-11-23' });
    expect(events).toHaveLength(2);
    expect(events[1]?.possibleDuplicateOf).toBe(events[0]?.id);
  });

  test('D06: two meetings of one title that other people called are a conflict', async () => {
    const app = openScripted({
      work: { events: [meeting('1:1', '10:00-11:00', { organizer: { email: 'ann@client.example' } })] },
      home: { events: [meeting('1:1', '10:00-11:00', { organizer: { email: 'bob@client.example' } })] },
    });
    expect(pairs(await monday(app))).toEqual(['1:1 + 1:1 10:00-11:00']);
  });

  test('R04: two occurrences of one series that lie over each other are a conflict', async () => {
    const text = calendar(
      event('SUMMARY:Weekly', 'DTSTART:20261116T100000Z', 'DTEND:20261116T110000Z', 'RRULE:FREQ=WEEKLY;COUNT=2'),
      event('SUMMARY:Weekly', 'RECURRENCE-ID:20261116T100000Z', 'DTSTART:20261123T103000Z', 'DTEND:20261123T113000Z'),
    );
    const app = await openAccounts('  work: { provider: ics, path: a.ics }\n', { 'a.ics': text });
    expect(pairs(await monday(app))).toEqual(['Weekly + Weekly 10:30-11:00']);
  });

  test('T12: a busy day is in conflict with every meeting of it, a free one with none', async () => {
    const day = { title: 'Trip', start: on('2026-11-23'), end: on('2026-11-24') };
    const other = meeting('A', '10:00-11:00');
    expect(pairs(await monday(openScripted({ work: { events: [{ ...day, busy: 'oof' }, other] } })))).toEqual([
      'Trip + A 10:00-11:00',
    ]);
    expect((await monday(openScripted({ work: { events: [{ ...day, busy: 'free' }, other] } }))).conflicts).toEqual([]);
  });

  test('S09: what was called off is in none', async () => {
    const app = openScripted({
      work: { events: [meeting('A', '10:00-11:00'), meeting('B', '10:00-11:00', { status: 'cancelled' })] },
    });
    expect((await monday(app)).conflicts).toEqual([]);
  });

  test('W03, W06: beyond the limit they are counted, and it is said', async () => {
    const app = openScripted({ work: { events: ['A', 'B', 'C'].map((title) => meeting(title, '10:00-11:00')) } });
    const answer = await monday(app, { limit: 2 });
    expect(answer).toMatchObject({ count: 3, truncated: true });
    expect(answer.conflicts).toHaveLength(2);
  });

  test('W02: between two meetings that began before the range are found, as far as they are in it', async () => {
    const app = openScripted({ work: { events: [meeting('A', '08:00-12:00'), meeting('B', '09:00-11:30')] } });
    const answer = await monday(app, { range: undefined, from: '2026-11-23T12:00', to: '2026-11-23T13:00' });
    expect(pairs(answer)).toEqual(['A + B 11:00-11:30']);
  });

  test('F01: with an account missing the answer is not complete, and no conflict is not none', async () => {
    const app = openScripted({ gone: { error: down }, work: { events: [meeting('A', '10:00-11:00')] } });
    expect(await monday(app)).toMatchObject({
      complete: false,
      conflicts: [],
      accounts: [{ status: 'unavailable' }, {}],
    });
    await expect(monday(app, { accounts: 'gone' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('W09: an end before the start is refused', async () => {
    const range = { range: undefined, from: '2026-11-23T10:00', to: '2026-11-23T09:00' };
    await expect(monday(openScripted({ work: {} }), range)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
