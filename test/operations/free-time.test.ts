import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import { type FreeTime, findFreeTime } from '../../src/operations/find-free-time.ts';
import { at as instant, on } from '../core/events.ts';
import { calendar, event } from '../providers/ics/harness.ts';
import { ask, at, down, openAccounts, openScripted } from './questions.ts';

type Asked = Parameters<typeof findFreeTime.input.parse>[0] & object;

const monday = (app: App, more: Asked = {}): Promise<FreeTime> =>
  ask(findFreeTime, app, { durationMinutes: 60, range: '2026-11-23', ...more });

/** `10:00-11:00`, with ` soft` and why. */
const slots = ({ slots: list }: FreeTime): string[] =>
  list.map(({ start, end, soft }) => `${start.slice(11, 16)}-${end.slice(11, 16)}${soft ? ' soft' : ''}`);

const meeting = (start: string, end: string, more: object = {}) => ({
  start: instant(`2026-11-23T${start}:00+01:00`),
  end: instant(`2026-11-23T${end}:00+01:00`),
  ...more,
});

/** A day from nine to five, in Amsterdam. */
const OFFICE = 'workingHours: { days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00" }';
const office = (...events: readonly object[]): App => openScripted({ work: { settings: OFFICE, events } });
const early = { now: at('2026-01-01T00:00:00Z') };

describe('free time', () => {
  test.each([
    ['in winter', '2026-02-16', '15:00-17:00'],
    ['while only America has changed its clocks', '2026-03-09', '14:00-16:00'],
    ['on the last day of that', '2026-03-27', '14:00-16:00'],
    ['when Europe has changed its own', '2026-03-30', '15:00-17:00'],
  ])('L01: of somebody in New York and somebody in Berlin %s', async (_, range, expected) => {
    const hours = 'workingHours: { days: [mon, tue, wed, thu, fri], start: "09:00", end: "17:00" }';
    const app = openScripted(
      {
        ny: { settings: `timeZone: America/New_York, ${hours}` },
        berlin: { settings: `timeZone: Europe/Berlin, ${hours}` },
      },
      early,
    );
    const found = await ask(findFreeTime, app, { durationMinutes: 120, range, timeZone: 'Europe/Berlin', limit: 1 });
    expect(slots(found)).toEqual([expected]);
    expect(found.range.timeZone).toBe('Europe/Berlin');
  });

  test('L02: two meetings that touch leave no time between them', async () => {
    const app = office(meeting('09:00', '11:00'), meeting('11:00', '12:00'));
    expect(slots(await monday(app, { limit: 1 }))).toEqual(['12:00-13:00']);
  });

  test('L03, L04: a gap as long as the slot is offered, one a minute shorter is not', async () => {
    const app = office(meeting('09:00', '10:00'), meeting('11:00', '12:00'), meeting('12:59', '17:00'));
    expect(slots(await monday(app, { gridMinutes: 1 }))).toEqual(['10:00-11:00']);
    expect(slots(await monday(app, { gridMinutes: 1, durationMinutes: 59 }))).toEqual(['10:00-10:59', '12:00-12:59']);
  });

  test('L06: begins on the grid of the viewer', async () => {
    const app = office(meeting('09:00', '10:07'));
    expect(slots(await monday(app, { limit: 1 }))).toEqual(['10:15-11:15']);
    // T08: 10:15 in Amsterdam is 15:00 in Kathmandu, and 10:30 is 15:15.
    const nepal = await monday(app, { limit: 1, timeZone: 'Asia/Kathmandu', gridMinutes: 30 });
    expect(nepal.slots[0]).toMatchObject({ start: '2026-11-23T15:00:00+05:45', end: '2026-11-23T16:00:00+05:45' });
  });

  test('L13: begins no sooner than now and the notice, rounded up to the grid', async () => {
    const app = openScripted({ work: { settings: OFFICE } }, { now: at('2026-11-23T09:50:01Z') });
    expect(slots(await monday(app, { limit: 1 }))).toEqual(['11:00-12:00']);
    expect(slots(await monday(app, { limit: 1, noticeMinutes: 10 }))).toEqual(['11:15-12:15']);
    const tomorrow = await ask(findFreeTime, app, { durationMinutes: 60, noticeMinutes: 1_440, limit: 1 });
    expect(tomorrow.slots[0]?.start).toBe('2026-11-24T11:00:00+01:00');
  });

  test('L12: the same question has the same answer', async () => {
    const app = office(meeting('10:00', '10:30'), meeting('13:00', '14:00', { busy: 'tentative' }));
    for (const rank of ['earliest', 'spread', 'compact'] as const)
      expect(await monday(app, { rank })).toEqual(await monday(app, { rank }));
  });

  test('L15: of two who work on other days is on the days in common', async () => {
    const app = openScripted({
      tlv: { settings: 'workingHours: { days: [sun, mon, tue, wed, thu], start: "09:00", end: "17:00" }' },
      ams: { settings: OFFICE },
    });
    const found = await ask(findFreeTime, app, {
      durationMinutes: 480,
      range: '2026-11-22..2026-11-29',
      limit: 9,
      noticeMinutes: 0,
    });
    expect(found.slots.map(({ start }) => start.slice(8, 10))).toEqual(['23', '24', '25', '26']);
  });

  test('in other hours than those of accounts.yaml, where it is asked for', async () => {
    const app = openScripted({ work: { settings: OFFICE } });
    expect(slots(await monday(app, { hours: '18:00-20:00' }))).toEqual(['18:00-19:00', '19:00-20:00']);
    const night = await ask(findFreeTime, app, { durationMinutes: 1_440, range: '2026-11-28', hours: 'any' });
    expect(night.slots).toMatchObject([{ start: '2026-11-28T00:00:00+01:00', end: '2026-11-29T00:00:00+01:00' }]);
    const sunday = await ask(findFreeTime, app, {
      durationMinutes: 60,
      range: '2026-11-24..2026-11-30',
      days: ['sun'],
      limit: 1,
    });
    expect(sunday.slots[0]?.start).toBe('2026-11-29T09:00:00+01:00');
  });

  test('L16: limits per day count the days of the viewer', async () => {
    const app = openScripted({ work: { settings: OFFICE } });
    const found = await ask(findFreeTime, app, {
      durationMinutes: 60,
      range: '2026-11-23..2026-11-25',
      limitPerDay: 1,
    });
    expect(found.slots.map(({ start }) => start.slice(0, 13))).toEqual([
      '2026-11-23T09',
      '2026-11-24T09',
      '2026-11-25T09',
    ]);
  });
});

describe('time to keep free around meetings', () => {
  const buffers = { bufferBefore: 15, bufferAfter: 15 };

  test('L05: is kept free around each of them', async () => {
    const app = office(meeting('10:00', '11:00'));
    expect(slots(await monday(app, { ...buffers, durationMinutes: 45, limit: 2 }))).toEqual([
      '09:00-09:45',
      '11:15-12:00',
    ]);
    expect(slots(await monday(app, { ...buffers, durationMinutes: 46, limit: 1 }))).toEqual(['11:15-12:01']);
    expect(slots(await monday(app, { bufferBefore: 30, limit: 1 }))).toEqual(['11:00-12:00']);
    expect(slots(await monday(app, { bufferAfter: 30, limit: 2 }))).toEqual(['09:00-10:00', '11:30-12:30']);
  });

  test('L05: not around what has no duration, and not around what is free', async () => {
    const app = office(meeting('10:00', '10:00'), meeting('12:00', '13:00', { busy: 'free' }), {
      ...meeting('14:00', '15:00'),
      myResponse: 'declined',
    });
    expect(slots(await monday(app, { ...buffers, durationMinutes: 480 }))).toEqual(['09:00-17:00']);
  });

  test('not around whole days', async () => {
    const app = office({ start: on('2026-11-25'), end: on('2026-11-26') });
    for (const range of ['2026-11-24', '2026-11-26']) {
      const found = await monday(app, { ...buffers, durationMinutes: 1_440, hours: 'any', range });
      expect(slots(found)).toEqual(['00:00-00:00']);
    }
  });

  test('around what is tentative as well', async () => {
    const app = office(meeting('10:00', '11:00', { busy: 'tentative' }));
    const found = await monday(app, { ...buffers, durationMinutes: 60, limit: 9 });
    expect(slots(found)).toEqual([
      '11:15-12:15',
      '12:15-13:15',
      '13:15-14:15',
      '14:15-15:15',
      '15:15-16:15',
      '09:00-10:00 soft',
      '10:00-11:00 soft',
    ]);
  });

  test('L05: is kept free after a meeting that ends where the range begins', async () => {
    const app = office(meeting('09:00', '10:00'), meeting('12:00', '13:00'));
    const range = { range: undefined, from: '2026-11-23T10:00', to: '2026-11-23T12:00' };
    expect(slots(await monday(app, { ...range, ...buffers, limit: 9, gridMinutes: 5, durationMinutes: 90 }))).toEqual([
      '10:15-11:45',
    ]);
  });
});

describe('whole days', () => {
  const day = (more: object) => office({ start: on('2026-11-23'), end: on('2026-11-24'), ...more });

  test('L08: out of office, the day is lost', async () => {
    expect(await monday(day({ busy: 'oof' }))).toMatchObject({ slots: [], emptyReason: 'noGap' });
    expect(await monday(day({ type: 'outOfOffice' }))).toMatchObject({ slots: [] });
  });

  test('L08: a birthday has no effect', async () => {
    expect(slots(await monday(day({ busy: 'free' }), { limit: 1 }))).toEqual(['09:00-10:00']);
    expect(slots(await monday(day({ type: 'birthday' }), { limit: 1 }))).toEqual(['09:00-10:00']);
  });

  test('L08: busy all day takes the day, and has no effect where that is asked for', async () => {
    expect(slots(await monday(day({ busy: 'busy' })))).toEqual([]);
    expect(slots(await monday(day({ busy: 'busy' }), { ignoreAllDay: true, limit: 1 }))).toEqual(['09:00-10:00']);
  });

  test('L08: a day out of office is used last even then, and said', async () => {
    const found = await monday(day({ busy: 'oof' }), { ignoreAllDay: true, limit: 1 });
    expect(found.slots).toMatchObject([{ soft: true, reasons: ['out of office all day in work'] }]);
  });

  test('T15: midnight to midnight is no whole day', async () => {
    const app = office({ start: instant('2026-11-23T00:00:00+01:00'), end: instant('2026-11-24T00:00:00+01:00') });
    expect(slots(await monday(app, { ignoreAllDay: true }))).toEqual([]);
  });
});

describe('what is not plainly busy', () => {
  test('L09: tentative time comes after all that is free, with the reason', async () => {
    const app = office(meeting('09:00', '16:00', { busy: 'tentative' }));
    const found = await monday(app, { limit: 2 });
    expect(found.slots).toMatchObject([
      { start: '2026-11-23T16:00:00+01:00' },
      { start: '2026-11-23T09:00:00+01:00', soft: true, reasons: ['tentative in work'] },
    ]);
    expect(found.slots[0]).not.toHaveProperty('soft');
    expect(slots(await monday(app, { tentativeAs: 'busy' }))).toEqual(['16:00-17:00']);
    expect(slots(await monday(app, { tentativeAs: 'free', limit: 1 }))).toEqual(['09:00-10:00']);
  });

  test('S04: an invitation nobody answered is tentative', async () => {
    const found = await monday(office(meeting('09:00', '17:00', { myResponse: 'notResponded' })), { limit: 1 });
    expect(found.slots).toMatchObject([{ soft: true }]);
  });

  test('S14: focus time is busy, and used last where that is asked for', async () => {
    const app = office(meeting('09:00', '17:00', { type: 'focusTime' }));
    expect(slots(await monday(app))).toEqual([]);
    const found = await monday(app, { focusTimeAs: 'soft', limit: 1 });
    expect(found.slots).toMatchObject([{ soft: true, reasons: ['focus time in work'] }]);
  });

  test('S11: working elsewhere is free, and not where that is asked for', async () => {
    const app = office(meeting('09:00', '17:00', { busy: 'workingElsewhere' }));
    expect(slots(await monday(app, { limit: 1 }))).toEqual(['09:00-10:00']);
    expect((await monday(app, { workingElsewhereAs: 'soft', limit: 1 })).slots).toMatchObject([
      { soft: true, reasons: ['working elsewhere in work'] },
    ]);
    expect(slots(await monday(app, { workingElsewhereAs: 'busy' }))).toEqual([]);
  });

  test('S17: what a calendar will not tell is busy', async () => {
    expect(slots(await monday(office(meeting('09:00', '17:00', { busy: 'unknown' }))))).toEqual([]);
  });

  test('S01, S07: what I declined is free, what all others declined is not', async () => {
    const others = [{ email: 'bob@client.example', response: 'declined' as const }];
    expect(slots(await monday(office(meeting('09:00', '17:00', { myResponse: 'declined' })), { limit: 1 }))).toEqual([
      '09:00-10:00',
    ]);
    expect(
      slots(await monday(office(meeting('09:00', '17:00', { myResponse: 'organizer', attendees: others })))),
    ).toEqual([]);
  });

  test('R01: the slot that an occurrence was moved away from is free', async () => {
    const text = calendar(
      event('DTSTART:20261109T080000Z', 'DTEND:20261109T160000Z', 'RRULE:FREQ=WEEKLY'),
      event('RECURRENCE-ID:20261123T080000Z', 'DTSTART:20261125T080000Z', 'DTEND:20261125T160000Z'),
    );
    const app = await openAccounts(`  work: { provider: ics, path: a.ics, ${OFFICE} }\n`, { 'a.ics': text });
    expect(slots(await monday(app, { durationMinutes: 480 }))).toEqual(['09:00-17:00']);
    expect(slots(await monday(app, { durationMinutes: 480, range: '2026-11-25' }))).toEqual([]);
  });

  test('is told by what it is in the mailbox that holds it', async () => {
    const app = openScripted({
      work: { settings: OFFICE, events: [meeting('09:00', '17:00', { uid: 'u', busy: 'tentative' })] },
      home: { settings: OFFICE, events: [meeting('09:00', '10:00', { uid: 'u' })] },
    });
    const found = await monday(app, { limit: 1 });
    expect(found.slots).toMatchObject([
      { start: '2026-11-23T10:00:00+01:00', soft: true, reasons: expect.arrayContaining(['tentative in work']) },
    ]);
  });
});

describe('L10: where there is no slot, the answer says why', () => {
  test('the hours are too short, or there are none', async () => {
    const found = await monday(office(), { durationMinutes: 481 });
    expect(found).toMatchObject({
      slots: [],
      emptyReason: 'outsideHours',
      explanation: expect.stringMatching(/working hours/),
    });
    expect(await monday(office(), { range: '2026-11-28' })).toMatchObject({ slots: [], emptyReason: 'outsideHours' });
  });

  test('the range is shorter than the slot', async () => {
    const range = { range: undefined, from: '2026-11-23T10:00', to: '2026-11-23T10:30' };
    expect(await monday(office(), range)).toMatchObject({ slots: [], emptyReason: 'outsideHours' });
  });

  test('the hours have gone by', async () => {
    const app = openScripted({ work: { settings: OFFICE } }, { now: at('2026-11-23T15:30:00Z') });
    expect(await monday(app)).toMatchObject({ slots: [], emptyReason: 'tooSoon' });
    expect(await monday(app, { range: '2026-11-20' })).toMatchObject({ slots: [], emptyReason: 'tooSoon' });
    expect(await monday(app, { range: '2026-11-24', noticeMinutes: 9_999 })).toMatchObject({ emptyReason: 'tooSoon' });
  });

  test('everything is taken', async () => {
    const found = await monday(office(meeting('09:00', '16:20')));
    expect(found).toMatchObject({ slots: [], emptyReason: 'noGap', explanation: expect.stringMatching(/40 min/) });
  });

  test('the grid is too wide', async () => {
    const found = await monday(office(meeting('09:00', '10:05'), meeting('11:50', '17:00')), { gridMinutes: 60 });
    expect(found).toMatchObject({ slots: [], emptyReason: 'noGap', explanation: expect.stringMatching(/grid of 1 h/) });
  });
});

describe('an account that could not be read', () => {
  test('F01: every slot says that it is not known to be free', async () => {
    const app = await openAccounts(
      `  gone: { provider: ics, path: missing.ics, ${OFFICE} }
  work: { provider: memory, ${OFFICE}, events: [{ start: 2026-11-23T09:00, end: 2026-11-23T16:00 }] }
`,
    );
    const found = await monday(app);
    expect(found.complete).toBe(false);
    expect(found.slots).toMatchObject([{ start: '2026-11-23T16:00:00+01:00', unverified: ['gone'] }]);
  });

  test('F01: with one broken event in a file it is known no better', async () => {
    const text = calendar(event('DTSTART;TZID=Mars/Olympus:20261123T110000'));
    const app = await openAccounts(`  team: { provider: ics, path: a.ics, ${OFFICE} }\n`, { 'a.ics': text });
    const found = await monday(app, { limit: 1 });
    expect(found).toMatchObject({
      complete: false,
      accounts: [{ status: 'partial' }],
      slots: [{ unverified: ['team'] }],
    });
  });

  test('F02: when none could be read there is an error, and nobody is free', async () => {
    const app = openScripted({ gone: { error: down }, lost: { error: down } });
    await expect(monday(app)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('F01: what is full is full, whoever is missing', async () => {
    const app = openScripted({
      gone: { error: down },
      work: { settings: OFFICE, events: [meeting('08:00', '18:00')] },
    });
    expect(await monday(app)).toMatchObject({ complete: false, slots: [], emptyReason: 'noGap' });
  });

  test('L14: neither are people of whom nothing is known', async () => {
    const busyBob: NonNullable<Parameters<typeof openScripted>[0][string]['freeBusy']> = async (people) =>
      people.map((person) =>
        person.startsWith('bob')
          ? {
              person,
              blocks: [
                {
                  start: Date.parse('2026-11-23T08:00:00Z'),
                  end: Date.parse('2026-11-23T14:00:00Z'),
                  busy: 'busy' as const,
                },
                {
                  start: Date.parse('2026-11-23T14:00:00Z'),
                  end: Date.parse('2026-11-23T15:00:00Z'),
                  busy: 'unknown' as const,
                },
              ],
            }
          : { person, error: new CalmcpError('NOT_FOUND', 'no such mailbox') },
      );
    const app = openScripted({ work: { settings: OFFICE, freeBusy: busyBob } });
    // Bob's unknown hour is not free either.
    const bob = await monday(app, { people: 'bob@client.example' });
    expect(slots(bob)).toEqual(['16:00-17:00']);
    expect(bob.complete).toBe(true);
    const both = await monday(app, { people: 'bob@client.example, eve@client.example' });
    expect(both).toMatchObject({
      complete: false,
      slots: [{ start: '2026-11-23T16:00:00+01:00', unverified: ['eve@client.example'] }],
      people: [{ status: 'ok' }, { status: 'unknown' }],
    });
  });
});

describe('blocks that stand for a meeting of another account', () => {
  test('D09: take no other time than that meeting', async () => {
    const app = openScripted({
      work: { settings: OFFICE, events: [meeting('09:00', '10:00')] },
      client: { settings: OFFICE, events: [meeting('09:00', '10:00', { title: 'Busy', mirror: true })] },
    });
    expect(slots(await monday(app, { limit: 1 }))).toEqual(['10:00-11:00']);
  });

  test('D09: take the time of their account where it is asked alone', async () => {
    const app = openScripted({
      work: { settings: OFFICE, events: [meeting('09:00', '10:00')] },
      client: { settings: OFFICE, events: [meeting('09:00', '10:00', { title: 'Busy', mirror: true })] },
    });
    expect(slots(await monday(app, { limit: 1, accounts: 'client' }))).toEqual(['10:00-11:00']);
  });
});

describe('questions that cannot be answered', () => {
  test.each([
    { durationMinutes: 0 },
    { durationMinutes: -30 },
    { durationMinutes: 0.5 },
    { durationMinutes: 1_441 },
    { durationMinutes: '30' },
    { durationMinutes: Number.NaN },
    {},
    { durationMinutes: 30, bufferBefore: -1 },
    { durationMinutes: 30, gridMinutes: 0 },
    { durationMinutes: 30, limit: 0 },
    { durationMinutes: 30, limitPerDay: 0 },
    { durationMinutes: 30, noticeMinutes: 1.5 },
    { durationMinutes: 30, days: [] },
    { durationMinutes: 30, tentativeAs: 'maybe' },
    { durationMinutes: 30, duration: 30 },
  ])('L11: %j is no input', (input) => {
    expect(findFreeTime.input.safeParse(input).success).toBe(false);
  });

  test.each([
    ['an end before the start', { range: undefined, from: '2026-11-23T10:00', to: '2026-11-23T09:00' }],
    ['a start without an end', { range: undefined, from: '2026-11-23T10:00' }],
    ['more than the longest range', { range: undefined, from: '2026-01-01', to: '2027-02-01' }],
    ['hours that end before they start', { hours: '17:00-09:00' }],
    ['hours that are none', { hours: '9-17' }],
    ['hours of no length', { hours: '09:00-09:00' }],
    ['a grid that does not divide the day', { gridMinutes: 7 }],
  ])('W09: %s is refused before anybody is asked', async (_, more) => {
    let asked = 0;
    const app = openScripted({ work: { asked: () => asked++ } });
    await expect(monday(app, more)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(asked).toBe(0);
  });

  test('without a range are about the next seven days', async () => {
    const { range } = await ask(findFreeTime, openScripted({ work: {} }), { durationMinutes: 30 });
    const days = Temporal.Instant.from(range.end).since(Temporal.Instant.from(range.start)).total('hours') / 24;
    expect([range.start, days]).toEqual(['2026-11-23T00:00:00+01:00', 7]);
  });
});
