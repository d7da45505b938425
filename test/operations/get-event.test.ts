import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { type EventAnswer, getEvent } from '../../src/operations/get-event.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { at, on } from '../core/events.ts';
import { calendar, event } from '../providers/ics/harness.ts';
import { ask, down, openAccounts, openScripted, type ScriptedAccount } from './questions.ts';

const DAY = '2026-11-23';
const times = { start: at(`${DAY}T09:00:00Z`), end: at(`${DAY}T10:00:00Z`) };

async function idsOf(app: App, more: object = {}): Promise<string[]> {
  const { events } = await ask(listEvents, app, { range: DAY, ...more });
  return events.map(({ id = '' }) => id);
}

const get = (app: App, id: string, more: object = {}): Promise<EventAnswer> => ask(getEvent, app, { id, ...more });

async function first(app: App, more: object = {}): Promise<EventAnswer['event']> {
  const [id = ''] = await idsOf(app);
  return (await get(app, id, more)).event;
}

describe('one event', () => {
  test('comes by the id that another answer gave it, with its people, and its text where that is asked for', async () => {
    const app = openScripted({
      work: {
        events: [
          {
            ...times,
            title: 'Review',
            text: 'Bring figures',
            organizer: { name: 'Ann', email: 'ann@client.example' },
            attendees: [{ name: 'Bob', email: 'bob@client.example', response: 'accepted', optional: true }],
            categories: ['Finance'],
            webLink: 'https://calendar.example/1',
            updated: Date.parse('2026-11-01T00:00:00Z'),
            readOnly: true,
          },
        ],
      },
    });
    const found = await first(app);
    expect(found).toMatchObject({
      title: 'Review',
      start: '2026-11-23T10:00:00+01:00',
      organizer: { name: 'Ann', email: 'ann@client.example' },
      attendees: [{ name: 'Bob', email: 'bob@client.example', response: 'accepted', optional: true }],
      attendeeCount: 1,
      categories: ['Finance'],
      webLink: 'https://calendar.example/1',
      readOnly: true,
      updated: '2026-11-01T00:00:00.000Z',
    });
    expect(found).not.toHaveProperty('text');
    expect(found).not.toHaveProperty('attendeesOmitted');
    expect(await first(app, { text: true })).toMatchObject({ text: 'Bring figures' });
  });

  test('C05: of 500 attendees the first 50 are listed, all are counted, and it is said', async () => {
    const attendees = Array.from(
      { length: 500 },
      (_, index) => `ATTENDEE;PARTSTAT=ACCEPTED:mailto:p${index}@client.example`,
    );
    const text = calendar(
      event(`DTSTART:20261123T090000Z`, 'DTEND:20261123T100000Z', 'SUMMARY:All hands', ...attendees),
    );
    const app = await openAccounts('  work: { provider: ics, path: a.ics }\n', { 'a.ics': text });
    const found = await first(app);
    expect(found).toMatchObject({ attendeeCount: 500, attendeesOmitted: true });
    expect(found.attendees).toHaveLength(50);
    expect(found.attendees?.[0]).toEqual({ email: 'p0@client.example', response: 'accepted' });
    expect(JSON.stringify((await ask(listEvents, app, { range: DAY })).events)).not.toContain('p0@');
  });

  test.each([
    [50, false],
    [51, true],
  ])('C05: of %i attendees some are omitted: %s', async (count, omitted) => {
    const attendees = Array.from({ length: count }, (_, index) => ({
      email: `p${index}@client.example`,
      response: 'none' as const,
    }));
    const found = await first(openScripted({ work: { events: [{ ...times, attendees }] } }));
    expect(found.attendees).toHaveLength(50);
    expect(found.attendeeCount).toBe(count);
    expect(found.attendeesOmitted ?? false).toBe(omitted);
  });

  test('C06: attendees that are hidden are hidden, and not none', async () => {
    const found = await first(openScripted({ work: { events: [{ ...times, attendeesOmitted: true }] } }));
    expect(found).toMatchObject({ attendeesOmitted: true });
    expect(found).not.toHaveProperty('attendees');
    expect(found).not.toHaveProperty('attendeeCount');
    const none = await first(openScripted({ work: { events: [{ ...times, attendees: [] }] } }));
    expect(none).toMatchObject({ attendees: [], attendeeCount: 0 });
    expect(none).not.toHaveProperty('attendeesOmitted');
  });

  test('S07: says that all others declined, and is busy', async () => {
    const text = calendar(
      event(
        'DTSTART:20261123T090000Z',
        'DTEND:20261123T100000Z',
        'ORGANIZER:mailto:me@client.example',
        'ATTENDEE;PARTSTAT=ACCEPTED:mailto:me@client.example',
        'ATTENDEE;PARTSTAT=DECLINED:mailto:bob@client.example',
        'ATTENDEE;PARTSTAT=DECLINED:mailto:eve@client.example',
        'ATTENDEE;PARTSTAT=ACCEPTED;CUTYPE=ROOM:mailto:room@client.example',
      ),
    );
    const app = await openAccounts('  work: { provider: ics, path: a.ics, email: me@client.example }\n', {
      'a.ics': text,
    });
    const found = await first(app);
    expect(found).toMatchObject({ notes: ['all others declined'] });
    expect(found).not.toHaveProperty('busy');
  });

  test.each<[string, ScriptedAccount['events']]>([
    [
      'one other comes',
      [
        {
          attendees: [
            { email: 'a@x.example', response: 'declined' },
            { email: 'b@x.example', response: 'accepted' },
          ],
        },
      ],
    ],
    [
      'one other has not answered',
      [
        {
          attendees: [
            { email: 'a@x.example', response: 'declined' },
            { email: 'b@x.example', response: 'notResponded' },
          ],
        },
      ],
    ],
    ['nobody else was asked', [{ attendees: [{ email: 'me@x.example', response: 'organizer' }] }]],
    ['there is nobody', [{}]],
  ])('S07: does not say so where %s', async (_, events = []) => {
    const found = await first(openScripted({ work: { events: events.map((one) => ({ ...times, ...one })) } }));
    expect(found).not.toHaveProperty('notes');
  });

  test('S07: knows the organizer among the attendees however the address is written', async () => {
    const app = openScripted({
      work: {
        events: [
          {
            ...times,
            myResponse: 'organizer',
            organizer: { email: 'Me@Client.example' },
            attendees: [
              { email: 'me@client.example', response: 'accepted' },
              { email: 'bob@client.example', response: 'declined' },
            ],
          },
        ],
      },
    });
    expect(await first(app)).toMatchObject({ notes: ['all others declined'] });
  });

  test('T18: says of an event without duration that it blocks no time', async () => {
    const found = await first(openScripted({ work: { events: [{ ...times, end: times.start }] } }));
    expect(found).toMatchObject({ start: '2026-11-23T10:00:00+01:00', end: '2026-11-23T10:00:00+01:00' });
    expect(found.notes).toEqual(['no duration: blocks no time']);
  });

  test('T29: a zone of another name and the same clock is not told, one with another clock is', async () => {
    const zoned = (zone: string): object => ({ ...times, start: at(`${DAY}T09:00:00Z`, zone) });
    const app = openScripted({ work: { events: [zoned('Europe/Kiev'), zoned('Europe/Berlin')] } });
    const [kyiv = '', berlin = ''] = await idsOf(app);
    expect((await get(app, kyiv, { timeZone: 'Europe/Kyiv' })).event).not.toHaveProperty('zone');
    expect((await get(app, berlin)).event).not.toHaveProperty('zone');
    expect((await get(app, kyiv)).event).toMatchObject({ zone: 'Europe/Kiev', start: '2026-11-23T10:00:00+01:00' });
  });

  test('T22: a floating time is said to be one', async () => {
    const text = calendar(event('DTSTART:20261123T100000', 'DTEND:20261123T110000'));
    const app = await openAccounts('  work: { provider: ics, path: a.ics }\n', { 'a.ics': text });
    expect(await first(app)).toMatchObject({ floating: true, start: '2026-11-23T10:00:00+01:00' });
  });

  test('C09: addresses that are none and texts that steer a screen are not told', async () => {
    const app = openScripted({
      work: {
        events: [
          {
            ...times,
            title: '\u001b]0;owned\u0007Hi\u202e',
            webLink: 'javascript:alert(1)',
            join: 'file:///etc/passwd',
            organizer: { name: 'A\u0007nn' },
            text: 'one\u001b[2J\n\n\n\ntwo',
          },
        ],
      },
    });
    const found = await first(app, { text: true });
    expect(found).toMatchObject({ title: ']0;ownedHi', organizer: { name: 'Ann' }, text: 'one[2J\n\ntwo' });
    expect(found).not.toHaveProperty('webLink');
    expect(found).not.toHaveProperty('join');
  });

  test('C03: a long text is cut, and it is said', async () => {
    const long = { ...times, text: 'x'.repeat(4_001) };
    const found = await first(openScripted({ work: { events: [long] } }), { text: true });
    expect(found.text).toHaveLength(4_000);
    expect(found.textTruncated).toBe(true);
    const short = await first(openScripted({ work: { events: [{ ...times, text: 'x'.repeat(4_000) }] } }), {
      text: true,
    });
    expect(short).not.toHaveProperty('textTruncated');
  });
});

describe('an event that has changed since it was listed', () => {
  const account = (more: object): Readonly<Record<string, ScriptedAccount>> => ({
    work: { events: [{ id: 'same', ...times, ...more }] },
  });

  test('R02: is found on the day that it was moved to', async () => {
    const [id = ''] = await idsOf(openScripted(account({})));
    const moved = { start: at('2026-12-24T09:00:00Z'), end: at('2026-12-24T10:00:00Z') };
    expect((await get(openScripted(account(moved)), id)).event.start).toBe('2026-12-24T10:00:00+01:00');
    const day = { start: on('2027-01-04'), end: on('2027-01-05') };
    expect((await get(openScripted(account(day)), id)).event).toMatchObject({ allDay: true, start: '2027-01-04' });
  });

  test('R03: and is gone is not found', async () => {
    const [id = ''] = await idsOf(openScripted(account({})));
    await expect(get(openScripted(account({ id: 'other' })), id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('F01: in an account that cannot be read is unknown, and not gone', async () => {
    const [id = ''] = await idsOf(openScripted(account({})));
    await expect(get(openScripted({ work: { error: down } }), id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('F01: in an account of which not everything could be read is unknown, and not gone', async () => {
    const there = event('UID:a', 'DTSTART:20261123T090000Z', 'DTEND:20261123T100000Z');
    const broken = event('UID:b', 'DTSTART;TZID=Mars/Olympus:20261123T110000');
    const open = (...events: readonly string[]): Promise<App> =>
      openAccounts('  work: { provider: ics, path: a.ics }\n', { 'a.ics': calendar(...events) });
    const [id = ''] = await idsOf(await open(there));
    await expect(get(await open(broken), id)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect((await get(await open(there, broken), id)).complete).toBe(false);
  });

  test.each(['', 'nonsense', 'work.', 'work.zzzz', 'other.0123456789', `work.${'0'.repeat(10)}`, '../etc/passwd'])(
    'the id %j names none',
    async (id) => {
      await expect(get(openScripted(account({})), id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  );

  test('D04: two occurrences of a series have two ids, and each names its own', async () => {
    const text = calendar(
      event('SUMMARY:Twice', 'DTSTART:20261123T090000Z', 'DTEND:20261123T093000Z', 'RRULE:FREQ=HOURLY;COUNT=2'),
    );
    const app = await openAccounts('  work: { provider: ics, path: a.ics }\n', { 'a.ics': text });
    const ids = await idsOf(app);
    expect(new Set(ids).size).toBe(2);
    const starts = await Promise.all(ids.map(async (id) => (await get(app, id)).event.start));
    expect(starts).toEqual(['2026-11-23T10:00:00+01:00', '2026-11-23T11:00:00+01:00']);
  });

  test('ids of accounts with long names that begin alike name their own', async () => {
    const app = openScripted({
      'a-very-long-account-one': { events: [{ ...times, title: 'One' }] },
      'a-very-long-account-two': { events: [{ ...times, title: 'Two' }] },
    });
    const { events } = await ask(listEvents, app, { range: DAY });
    for (const { id = '', title } of events) {
      expect(id.length).toBeLessThanOrEqual(24);
      expect((await get(app, id)).event.title).toBe(title);
    }
  });
});
