import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import { type FreeBusy, getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { at, on } from '../core/events.ts';
import { calendar, event } from '../providers/ics/harness.ts';
import { ask, down, openAccounts, openScripted } from './questions.ts';

const spans = (list: readonly { start: string; end: string }[]): string[] =>
  list.map(({ start, end }) => `${start}..${end}`);

/** `busy work 10:00..11:00`, on the clock of the answer. */
const blocks = ({ blocks: list }: FreeBusy): string[] =>
  list.map(
    ({ start, end, busy, accounts = [] }) =>
      `${busy} ${accounts.join('+')} ${start.slice(11, 16)}..${end.slice(11, 16) || end}`,
  );

const freeOf = (answer: FreeBusy): string[] =>
  spans(answer.free.map(({ start, end }) => ({ start: start.slice(11, 16), end: end.slice(11, 16) })));

const monday = (app: App, more: object = {}): Promise<FreeBusy> =>
  ask(getFreeBusy, app, { range: '2026-11-23', ...more });

describe('free and busy', () => {
  test('in all accounts together, free within the working hours', async () => {
    const app = await openAccounts(`  work:
    provider: memory
    events:
      - { title: A, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }
      - { title: B, start: 2026-11-23T16:00, end: 2026-11-23T18:00, busy: tentative }
  home:
    provider: memory
    events:
      - { title: C, start: 2026-11-23T11:00, end: 2026-11-23T12:00 }
      - { title: D, start: 2026-11-23T13:00, end: 2026-11-23T14:00, busy: free }
`);
    const answer = await monday(app);
    expect(answer.complete).toBe(true);
    // L02: what touches is one block.
    expect(blocks(answer)).toEqual(['busy work+home 10:00..12:00', 'tentative work 16:00..18:00']);
    expect(freeOf(answer)).toEqual(['09:00..10:00', '12:00..16:00']);
    expect(answer.perAccount).toMatchObject([
      { account: 'work', blocks: [{ busy: 'busy' }, { busy: 'tentative' }] },
      { account: 'home', blocks: [{ busy: 'busy' }] },
    ]);
    expect(JSON.stringify(answer)).not.toMatch(/title|"A"|"B"/);
  });

  test('compact, the same in fewer words', async () => {
    const app = openScripted({
      work: { events: [{ start: at('2026-11-23T09:00:00Z'), end: at('2026-11-23T10:00:00Z') }] },
    });
    const answer = await monday(app, { detail: 'compact' });
    expect(answer.blocks).toEqual([
      { start: '2026-11-23T10:00+01:00', end: '11:00', busy: 'busy', accounts: ['work'] },
    ]);
    expect(answer.free).toEqual([
      { start: '2026-11-23T09:00+01:00', end: '10:00' },
      { start: '2026-11-23T11:00+01:00', end: '17:30' },
    ]);
    expect(answer).not.toHaveProperty('perAccount');
  });

  test('T17: an event over midnight is one busy block, and the same one from both of its days', async () => {
    const app = await openAccounts(`  work:
    provider: memory
    events: [{ start: 2026-11-23T22:00, end: 2026-11-24T02:00 }]
`);
    const both = await ask(getFreeBusy, app, { range: '2026-11-23..2026-11-24' });
    expect(spans(both.blocks)).toEqual(['2026-11-23T22:00:00+01:00..2026-11-24T02:00:00+01:00']);
    expect(spans((await monday(app)).blocks)).toEqual(['2026-11-23T22:00:00+01:00..2026-11-24T00:00:00+01:00']);
    expect(spans((await ask(getFreeBusy, app, { range: '2026-11-24' })).blocks)).toEqual([
      '2026-11-24T00:00:00+01:00..2026-11-24T02:00:00+01:00',
    ]);
  });

  test('T18: an event without duration blocks nothing', async () => {
    const app = await openAccounts(`  work:
    provider: memory
    events: [{ title: Reminder, start: 2026-11-23T12:00 }]
`);
    const answer = await monday(app);
    expect(answer.blocks).toEqual([]);
    expect(freeOf(answer)).toEqual(['09:00..17:30']);
  });

  test('T08: is told with the minutes of the offset', async () => {
    const app = openScripted({
      work: { events: [{ start: at('2026-11-23T09:00:00Z'), end: at('2026-11-23T10:00:00Z') }] },
    });
    const answer = await monday(app, { timeZone: 'Asia/Kathmandu' });
    expect(spans(answer.blocks)).toEqual(['2026-11-23T14:45:00+05:45..2026-11-23T15:45:00+05:45']);
  });

  test('T01: on the day of 23 hours all of them are free or busy, and none twice', async () => {
    const events = [{ start: at('2026-03-29T00:30:00Z'), end: at('2026-03-29T01:30:00Z') }];
    const hours = 'workingHours: { days: [sun], start: "00:00", end: "23:59" }';
    const answer = await ask(getFreeBusy, openScripted({ work: { events, settings: hours } }), { range: '2026-03-29' });
    expect(spans(answer.blocks)).toEqual(['2026-03-29T01:30:00+01:00..2026-03-29T03:30:00+02:00']);
    expect(spans(answer.free)).toEqual([
      '2026-03-29T00:00:00+01:00..2026-03-29T01:30:00+01:00',
      '2026-03-29T03:30:00+02:00..2026-03-29T23:59:00+02:00',
    ]);
  });

  test.each([
    ['S01: what was declined', 'PARTSTAT=DECLINED', [], 'free'],
    ['S04: what was not answered', 'PARTSTAT=NEEDS-ACTION', [], 'tentative'],
    ['S07: what was accepted though all others declined', 'PARTSTAT=ACCEPTED', [], 'busy'],
    ['S08: what was called off', 'PARTSTAT=ACCEPTED', ['STATUS:CANCELLED'], 'free'],
    ['S10: what is transparent', 'PARTSTAT=ACCEPTED', ['TRANSP:TRANSPARENT'], 'free'],
    ['S11: working elsewhere', 'PARTSTAT=ACCEPTED', ['X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE'], 'free'],
    ['out of office', 'PARTSTAT=ACCEPTED', ['X-MICROSOFT-CDO-BUSYSTATUS:OOF'], 'oof'],
  ])('%s', async (_, answered, lines, expected) => {
    const text = calendar(
      event(
        'SUMMARY:Meeting',
        'DTSTART:20261123T090000Z',
        'DTEND:20261123T100000Z',
        'ORGANIZER:mailto:ann@client.example',
        `ATTENDEE;${answered}:mailto:me@client.example`,
        'ATTENDEE;PARTSTAT=DECLINED:mailto:bob@client.example',
        ...lines,
      ),
    );
    const app = await openAccounts('  work: { provider: ics, path: a.ics, email: me@client.example }\n', {
      'a.ics': text,
    });
    expect(blocks(await monday(app))).toEqual(expected === 'free' ? [] : [`${expected} work 10:00..11:00`]);
  });

  test('D01: a meeting in two mailboxes is one block of both', async () => {
    const meeting = { uid: 'u', start: at('2026-11-23T09:00:00Z'), end: at('2026-11-23T10:00:00Z') };
    const app = openScripted({ work: { events: [meeting] }, home: { events: [meeting] } });
    expect(blocks(await monday(app))).toEqual(['busy work+home 10:00..11:00']);
  });

  test('R01: the slot that an occurrence was moved away from is free', async () => {
    const text = calendar(
      event('DTSTART:20261109T090000Z', 'DTEND:20261109T100000Z', 'RRULE:FREQ=WEEKLY'),
      event('RECURRENCE-ID:20261123T090000Z', 'DTSTART:20261125T140000Z', 'DTEND:20261125T150000Z'),
    );
    const app = await openAccounts('  work: { provider: ics, path: a.ics }\n', { 'a.ics': text });
    expect((await monday(app)).blocks).toEqual([]);
    expect(blocks(await ask(getFreeBusy, app, { range: '2026-11-25' }))).toEqual(['busy work 15:00..16:00']);
  });
});

describe('all-day events', () => {
  test('T09: block the day of the viewer', async () => {
    const app = await openAccounts('  work: { provider: memory, events: [{ start: 2026-11-23, busy: oof }] }\n');
    for (const [timeZone, offset] of [
      ['Pacific/Kiritimati', '+14:00'],
      ['Europe/Amsterdam', '+01:00'],
      ['America/New_York', '-05:00'],
    ])
      expect(spans((await monday(app, { timeZone })).blocks)).toEqual([
        `2026-11-23T00:00:00${offset}..2026-11-24T00:00:00${offset}`,
      ]);
  });

  test('T09: of an account with a zone of its own block the day of its owner', async () => {
    const app = await openAccounts(`  far:
    provider: memory
    timeZone: Pacific/Kiritimati
    events: [{ start: 2026-01-01 }]
`);
    const answer = await ask(getFreeBusy, app, { range: '2025-12-31..2026-01-01', timeZone: 'UTC' });
    expect(spans(answer.blocks)).toEqual(['2025-12-31T10:00:00+00:00..2026-01-01T10:00:00+00:00']);
  });

  test('T09: and block it whichever of the days that it touches is asked about', async () => {
    const app = await openAccounts(`  far:
    provider: memory
    timeZone: Pacific/Kiritimati
    events: [{ start: 2026-01-01 }]
`);
    const one = async (range: string): Promise<string[]> =>
      spans((await ask(getFreeBusy, app, { range, timeZone: 'UTC' })).blocks);
    expect(await one('2026-01-01')).toEqual(['2026-01-01T00:00:00+00:00..2026-01-01T10:00:00+00:00']);
    expect(await one('2025-12-31')).toEqual(['2025-12-31T10:00:00+00:00..2026-01-01T00:00:00+00:00']);
  });

  test('T09: and do so from a file, whichever of the days is asked about', async () => {
    const app = await openAccounts('  far: { provider: ics, path: a.ics, timeZone: Pacific/Kiritimati }\n', {
      'a.ics': calendar(event('DTSTART;VALUE=DATE:20260101')),
    });
    const one = async (range: string): Promise<string[]> =>
      spans((await ask(getFreeBusy, app, { range, timeZone: 'UTC' })).blocks);
    expect(await one('2026-01-01')).toEqual(['2026-01-01T00:00:00+00:00..2026-01-01T10:00:00+00:00']);
    expect(await one('2025-12-31')).toEqual(['2025-12-31T10:00:00+00:00..2026-01-01T00:00:00+00:00']);
    expect(await one('2025-12-30')).toEqual([]);
    expect(await one('2026-01-02')).toEqual([]);
  });

  test('T12: a day of New York has the all-day events of that day and no others', async () => {
    const app = await openAccounts(`  work:
    provider: memory
    events: [{ start: 2026-10-12, busy: oof }, { start: 2026-10-13, busy: tentative }, { start: 2026-10-11, busy: busy }]
`);
    const answer = await ask(getFreeBusy, app, { range: '2026-10-12', timeZone: 'America/New_York' });
    expect(answer.blocks).toMatchObject([
      { start: '2026-10-12T00:00:00-04:00', end: '2026-10-13T00:00:00-04:00', busy: 'oof' },
    ]);
  });

  test('T13: of several days block all of them, from whichever day one looks', async () => {
    const app = openScripted({ work: { events: [{ start: on('2026-11-20'), end: on('2026-11-26') }] } });
    const answer = await monday(app);
    expect(blocks(answer)).toEqual(['busy work 00:00..00:00']);
    expect(answer.free).toEqual([]);
  });
});

describe('working hours', () => {
  const zones = `  ny:
    provider: memory
    timeZone: America/New_York
    workingHours: { days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00" }
  berlin:
    provider: memory
    timeZone: Europe/Berlin
    workingHours: { days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00" }
`;

  test.each([
    ['2026-02-16', '15:00..17:00'],
    ['2026-03-09', '14:00..17:00'],
    ['2026-03-27', '14:00..17:00'],
    ['2026-03-30', '15:00..17:00'],
  ])('L01: of New York and Berlin on %s have %s in common', async (range, expected) => {
    const app = await openAccounts(zones);
    expect(freeOf(await ask(getFreeBusy, app, { range, timeZone: 'Europe/Berlin' }))).toEqual([expected]);
  });

  test('L01: of the accounts that are asked alone count', async () => {
    const app = await openAccounts(zones);
    const answer = await ask(getFreeBusy, app, { range: '2026-02-16', timeZone: 'Europe/Berlin', accounts: 'berlin' });
    expect(freeOf(answer)).toEqual(['09:00..17:00']);
  });

  test('L15: on other days have only the days in common', async () => {
    const app = await openAccounts(`  tel-aviv:
    provider: memory
    workingHours: { days: [sun, mon, tue, wed, thu], start: "09:00", end: "17:00" }
  berlin:
    provider: memory
    workingHours: { days: [mon, tue, wed, thu, fri], start: "10:00", end: "18:00" }
`);
    const answer = await ask(getFreeBusy, app, { range: '2026-11-22..2026-11-28' });
    expect(answer.free.map(({ start, end }) => `${start.slice(8, 16)}-${end.slice(11, 16)}`)).toEqual([
      '23T10:00-17:00',
      '24T10:00-17:00',
      '25T10:00-17:00',
      '26T10:00-17:00',
    ]);
  });
});

describe('an account that could not be read', () => {
  test('F01: is unknown for the whole range, and nothing is free', async () => {
    const app = await openAccounts(
      `  gone: { provider: ics, path: missing.ics }
  work:
    provider: memory
    events: [{ start: 2026-11-23T10:00, end: 2026-11-23T11:00 }, { start: 2026-11-23T12:00, end: 2026-11-23T13:00, busy: tentative }]
`,
    );
    const answer = await monday(app);
    expect(answer).toMatchObject({
      complete: false,
      free: [],
      accounts: [
        { account: 'gone', status: 'unavailable' },
        { account: 'work', status: 'ok' },
      ],
    });
    // What is known to be busy is still told; tentative time is no better than unknown.
    expect(blocks(answer)).toEqual([
      'unknown gone 00:00..10:00',
      'busy work 10:00..11:00',
      'unknown gone 11:00..00:00',
    ]);
    expect(answer.perAccount?.[0]).toMatchObject({
      account: 'gone',
      blocks: [{ start: '2026-11-23T00:00:00+01:00', end: '2026-11-24T00:00:00+01:00', busy: 'unknown' }],
    });
  });

  test('F01: in part is unknown for the whole range as well, and what was read of it is told', async () => {
    const text = calendar(
      event('UID:a', 'DTSTART:20261123T090000Z', 'DTEND:20261123T100000Z'),
      event('UID:b', 'DTSTART;TZID=Mars/Olympus:20261123T110000', 'DTEND;TZID=Mars/Olympus:20261123T120000'),
    );
    const app = await openAccounts('  team: { provider: ics, path: a.ics }\n', { 'a.ics': text });
    const answer = await monday(app);
    expect(answer).toMatchObject({ complete: false, free: [], accounts: [{ status: 'partial' }] });
    expect(blocks(answer)[1]).toBe('busy team 10:00..11:00');
    expect(blocks(answer).map((text) => text.split(' ')[0])).toEqual(['unknown', 'busy', 'unknown']);
  });

  test('F01: one that was not asked about does no harm', async () => {
    const app = openScripted({ gone: { error: down }, work: {} });
    const answer = await monday(app, { accounts: 'work' });
    expect(answer).toMatchObject({ complete: true, blocks: [] });
    expect(freeOf(answer)).toEqual(['09:00..17:30']);
  });

  test('F02: when it is the only one, or all are, there is an error and no free time', async () => {
    const app = openScripted({ gone: { error: down }, lost: { error: down }, work: {} });
    await expect(monday(app, { accounts: 'gone' })).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(monday(app, { accounts: 'gone,lost' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      problems: ['gone: the server is down', 'lost: the server is down'],
    });
  });

  test('S17: a list of busy times that does not cover the range is unknown beyond it', async () => {
    const text = calendar(
      'BEGIN:VFREEBUSY',
      'DTSTART:20261123T080000Z',
      'DTEND:20261123T120000Z',
      'FREEBUSY:20261123T090000Z/20261123T100000Z',
      'END:VFREEBUSY',
    );
    const app = await openAccounts('  team: { provider: ics, path: a.ics }\n', { 'a.ics': text });
    expect(await monday(app)).toMatchObject({ complete: false, free: [] });
    const covered = await ask(getFreeBusy, app, { from: '2026-11-23T09:00', to: '2026-11-23T13:00' });
    expect(covered.complete).toBe(true);
    expect(freeOf(covered)).toEqual(['09:00..10:00', '11:00..13:00']);
  });
});

describe('blocks of calmcp’s own', () => {
  const mirrored = (uid: string): string =>
    calendar(
      event(`UID:${uid}`, 'SUMMARY:Busy', 'DTSTART:20261123T090000Z', 'DTEND:20261123T100000Z', 'X-CALMCP-MIRROR:1'),
    );

  test('D09: do not make a second account busy beside the meeting that they stand for', async () => {
    const app = await openAccounts(
      `  work: { provider: memory, events: [{ start: 2026-11-23T10:00, end: 2026-11-23T11:00 }] }
  client: { provider: ics, path: a.ics }
`,
      { 'a.ics': mirrored('m') },
    );
    expect(spans((await monday(app)).blocks)).toEqual(['2026-11-23T10:00:00+01:00..2026-11-23T11:00:00+01:00']);
  });

  test('D09: take the time of the account that they are in where it is asked alone', async () => {
    const app = await openAccounts(
      `  work: { provider: memory, events: [{ start: 2026-11-23T10:00, end: 2026-11-23T11:00 }] }
  client: { provider: ics, path: a.ics }
`,
      { 'a.ics': mirrored('m') },
    );
    expect(blocks(await monday(app, { accounts: 'client' }))).toEqual(['busy client 10:00..11:00']);
  });
});

describe('questions that cannot be answered', () => {
  test.each([
    ['an end before the start', { from: '2026-11-23T10:00', to: '2026-11-23T09:00' }],
    ['an end at the start', { from: '2026-11-23T10:00', to: '2026-11-23T10:00' }],
    ['more than the longest range', { from: '2026-01-01', to: '2027-02-01' }],
    ['half a range', { from: '2026-01-01' }],
    ['a zone that does not exist', { range: 'today', timeZone: 'Mars/Olympus' }],
    ['no account by an empty name', { range: 'today', accounts: '' }],
  ])('W09: %s is refused before anybody is asked', async (_, input) => {
    let asked = 0;
    const app = openScripted({ work: { asked: () => asked++ } });
    await expect(ask(getFreeBusy, app, input)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(asked).toBe(0);
  });

  test('W10: a range over the end of a year is a range like any other', async () => {
    const events = [{ start: at('2026-12-31T22:30:00Z'), end: at('2026-12-31T23:30:00Z') }];
    const answer = await ask(getFreeBusy, openScripted({ work: { events } }), { range: '2026-12-31..2027-01-01' });
    expect(spans(answer.blocks)).toEqual(['2026-12-31T23:30:00+01:00..2027-01-01T00:30:00+01:00']);
  });
});

describe('other people', () => {
  const people = 'bob@client.example,eve@client.example';

  test('L14: of whom nothing is known are unknown, and make the answer incomplete', async () => {
    const app = openScripted({
      work: {
        freeBusy: async (asked) =>
          asked.map((person) =>
            person.startsWith('bob')
              ? {
                  person,
                  blocks: [
                    {
                      start: Date.parse('2026-11-23T09:00:00Z'),
                      end: Date.parse('2026-11-23T10:00:00Z'),
                      busy: 'busy',
                    },
                  ],
                }
              : { person, error: new CalmcpError('NOT_FOUND', 'no such mailbox') },
          ),
      },
    });
    const answer = await monday(app, { people });
    expect(answer).toMatchObject({
      complete: false,
      people: [
        { person: 'bob@client.example', status: 'ok', blocks: [{ busy: 'busy' }] },
        {
          person: 'eve@client.example',
          status: 'unknown',
          blocks: [{ start: '2026-11-23T00:00:00+01:00', end: '2026-11-24T00:00:00+01:00', busy: 'unknown' }],
        },
      ],
    });
  });

  test('L14: who is left out of the answer is unknown as well', async () => {
    const app = openScripted({ work: { freeBusy: async () => [] } });
    expect(await monday(app, { people })).toMatchObject({
      complete: false,
      people: [{ status: 'unknown' }, { status: 'unknown' }],
    });
  });
});
