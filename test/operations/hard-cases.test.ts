/** What a hostile review found: each was wrong once. */
import { expect, test } from 'vitest';
import type { CalendarEvent } from '../../src/core/event.ts';
import { findConflicts } from '../../src/operations/find-conflicts.ts';
import { findFreeTime } from '../../src/operations/find-free-time.ts';
import { getEvent } from '../../src/operations/get-event.ts';
import { getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { renderText } from '../../src/server/text.ts';
import { at, on } from '../core/events.ts';
import { ask, openAccounts, openScripted } from './questions.ts';

const DAY = '2026-11-24';
const today = { range: DAY } as const;

const meeting = (from: string, to: string, more: Partial<CalendarEvent> = {}): Partial<CalendarEvent> => ({
  start: at(`${DAY}T${from}:00+01:00`),
  end: at(`${DAY}T${to}:00+01:00`),
  title: 'Review',
  ...more,
});

const clock = ({ start, end }: { start: string; end: string }): string => `${start.slice(11, 16)}-${end.slice(11, 16)}`;

test('copies of one UID at two times, and nothing that shows which is old: both times are taken', async () => {
  const accounts = {
    a: { events: [meeting('10:00', '11:00', { uid: 'm', myResponse: 'accepted' as const })] },
    b: { events: [meeting('14:00', '15:00', { uid: 'm', myResponse: 'accepted' as const })] },
  };
  const app = openScripted(accounts);
  expect((await ask(getFreeBusy, app, today)).blocks.map(clock)).toEqual(['10:00-11:00', '14:00-15:00']);
  expect((await ask(listEvents, app, today)).events.map(clock)).toEqual(['10:00-11:00', '14:00-15:00']);
  // Whoever asks, and whatever else is asked.
  expect((await ask(getFreeBusy, app, { ...today, audience: 'c' })).blocks.map(clock)).toEqual([
    '10:00-11:00',
    '14:00-15:00',
  ]);
  expect((await ask(getFreeBusy, app, { ...today, accounts: 'b' })).blocks.map(clock)).toEqual(['14:00-15:00']);
});

test('the organizer’s own copy shows that another one is old: its time is free', async () => {
  const app = openScripted({
    a: { events: [meeting('10:00', '11:00', { uid: 'm', myResponse: 'organizer' })] },
    b: { events: [meeting('14:00', '15:00', { uid: 'm', myResponse: 'accepted' })] },
  });
  expect((await ask(getFreeBusy, app, today)).blocks.map(clock)).toEqual(['10:00-11:00']);
  expect((await ask(listEvents, app, today)).events[0]?.notes?.[0]).toMatch(/^b still has it at/);
});

const boss = { email: 'boss@client.example' };
const evil = { email: 'eve@evil.example' };

test.each<[string, Partial<CalendarEvent>, Partial<CalendarEvent>]>([
  ['my own meeting', { organizer: evil, myResponse: 'organizer' }, { organizer: boss, sequence: 4 }],
  ['a declined one, beside a feed', { organizer: evil, myResponse: 'declined' }, { organizer: boss, fromFeed: true }],
  ['a later one without organizer', { sequence: 9 }, { organizer: boss, sequence: 4 }],
  ['one that was changed later', { organizer: boss, updated: 9 }, { organizer: boss, updated: 1 }],
  ['one that was called off', { organizer: evil, status: 'cancelled', myResponse: 'organizer' }, { organizer: boss }],
])('%s with the UID of another meeting does not free the time of that one', async (_, forged, real) => {
  const app = openScripted({
    a: { events: [meeting('14:00', '15:00', { uid: 'm', myResponse: 'accepted', ...forged })] },
    b: { events: [meeting('10:00', '11:00', { uid: 'm', myResponse: 'accepted', ...real })] },
  });
  expect((await ask(getFreeBusy, app, today)).blocks.map(clock)).toContain('10:00-11:00');
});

test('called off by somebody who is not its organizer, a meeting is still on', async () => {
  const app = openScripted({
    a: {
      events: [meeting('10:00', '11:00', { uid: 'm', organizer: evil, status: 'cancelled', myResponse: 'organizer' })],
    },
    b: { events: [meeting('10:00', '11:00', { uid: 'm', organizer: boss, myResponse: 'accepted' })] },
  });
  expect((await ask(getFreeBusy, app, today)).blocks.map(clock)).toEqual(['10:00-11:00']);
});

test('a third copy that tells no version does not turn the question which is old around', async () => {
  const accounts = {
    a: { events: [meeting('10:00', '11:00', { uid: 'm', organizer: boss, sequence: 0, updated: 200 })] },
    b: { events: [meeting('14:00', '15:00', { uid: 'm', organizer: boss, sequence: 1, updated: 100 })] },
  };
  const third = { events: [meeting('14:00', '15:00', { uid: 'm', organizer: boss, updated: 100, fromFeed: true })] };
  for (const app of [openScripted(accounts), openScripted({ ...accounts, f: third })])
    expect((await ask(getFreeBusy, app, today)).blocks.map(clock)).toEqual(['14:00-15:00']);
});

test('two guests of two occurrences hold two meetings, whichever was changed later', async () => {
  const single = (day: string, updated: number): Partial<CalendarEvent> => ({
    start: at(`${day}T10:00:00+01:00`),
    end: at(`${day}T11:00:00+01:00`),
    uid: 'm',
    sequence: 0,
    updated,
    organizer: boss,
  });
  const app = openScripted({ a: { events: [single(DAY, 1)] }, b: { events: [single('2026-11-25', 2)] } });
  expect((await ask(getFreeBusy, app, { range: `${DAY}..2026-11-25` })).blocks).toHaveLength(2);
});

test('one meeting is no conflict with itself, though an audience sees it as its own and as busy time', async () => {
  const app = openScripted({
    a: { events: [meeting('10:00', '11:00', { uid: 'm', myResponse: 'accepted' })] },
    b: { events: [meeting('10:00', '11:00', { uid: 'm', myResponse: 'notResponded' })] },
  });
  for (const audience of ['b', 'a', 'c', undefined])
    expect((await ask(findConflicts, app, { ...today, audience })).conflicts).toEqual([]);
});

test('an audience is told of conflicts with its own events, and of none among those of others', async () => {
  const app = openScripted({
    a: { settings: 'share: title', events: [meeting('10:00', '11:00', { uid: 'x', title: 'Board' })] },
    b: { events: [meeting('10:30', '11:30', { uid: 'y', title: 'Own' })] },
    c: { events: [meeting('10:45', '11:45', { uid: 'z', title: 'Third' })] },
  });
  const told = await ask(findConflicts, app, { ...today, audience: 'b' });
  expect(told.conflicts.map(({ titles, events }) => titles ?? events)).toEqual([
    ['Board', 'Own'],
    [expect.any(String), null],
  ]);
  expect(JSON.stringify(told)).not.toContain('Third');
  expect((await ask(findConflicts, app, today)).conflicts).toHaveLength(3);
});

test('two masked events of one time are not one for their equal titles', async () => {
  const app = openScripted({
    b: {
      events: [
        meeting('10:00', '11:00', { uid: 'x', sensitivity: 'private' }),
        meeting('10:00', '11:00', {
          uid: 'y',
          sensitivity: 'private',
          calendar: { id: 'second', name: 'Second', isDefault: false, access: 'read' },
        }),
      ],
    },
  });
  const told = await ask(findConflicts, app, { ...today, audience: 'b' });
  expect(told.conflicts).toHaveLength(1);
  expect(told).not.toHaveProperty('possibleDuplicates');
});

test('where somebody works is shown to nobody who may see busy times', async () => {
  const app = openScripted({
    a: { events: [{ start: on(DAY), end: on('2026-11-25'), busy: 'workingElsewhere', title: 'At home' }] },
    b: {},
  });
  const agenda = await ask(listEvents, app, { ...today, audience: 'b' });
  expect(agenda.events).toEqual([]);
  const slots = (workingElsewhereAs: 'free' | 'soft' | 'busy'): Promise<unknown> =>
    ask(findFreeTime, app, { ...today, audience: 'b', durationMinutes: 30, workingElsewhereAs });
  expect(await slots('soft')).toEqual(await slots('free'));
  expect(await slots('busy')).toEqual(await slots('free'));
  // Its owner may take it for busy.
  const own = await ask(findFreeTime, app, { ...today, durationMinutes: 30, workingElsewhereAs: 'busy' });
  expect(own).toMatchObject({ slots: [], emptyReason: 'noGap' });
});

test('an audience cannot find out by guessing which accounts there are', async () => {
  const app = openScripted({ a: {}, hidden: { settings: 'share: none' }, b: {} });
  const refusals = await Promise.all(
    ['a', 'hidden', 'nobody'].map((accounts) =>
      ask(getFreeBusy, app, { ...today, audience: 'b', accounts }).catch((thrown: Error) =>
        thrown.message.replace(JSON.stringify(accounts), 'X'),
      ),
    ),
  );
  expect(new Set(refusals).size).toBe(1);
  expect((await ask(getFreeBusy, app, { ...today, audience: 'b', accounts: 'b' })).complete).toBe(true);
});

test.each(['ow\u200bner', ' owner', 'owner ', 'ow\u00adner', ''])(
  'audience %j is refused, and not taken for the owner',
  async (audience) => {
    const app = openScripted({ a: { events: [meeting('10:00', '11:00')] } });
    await expect(ask(listEvents, app, { ...today, audience })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  },
);

test('the time to keep free after a meeting of other people reaches into the range as well', async () => {
  const app = openScripted({
    a: {
      settings: 'workingHours: { days: [tue], start: "09:00", end: "17:00" }',
      freeBusy: async (people, range) =>
        people.map((person) => {
          const block = { start: Date.parse(`${DAY}T09:00:00+01:00`), end: Date.parse(`${DAY}T10:00:00+01:00`) };
          const isIn = block.end > range.start && block.start < range.end;
          return { person, blocks: isIn ? [{ ...block, busy: 'busy' as const }] : [] };
        }),
    },
  });
  const asked = { from: `${DAY}T10:00`, to: `${DAY}T12:00`, durationMinutes: 30, bufferAfter: 30, limit: 1 };
  const found = await ask(findFreeTime, app, { ...asked, people: 'bob@client.example', via: 'a' });
  expect(found.slots.map(clock)).toEqual(['10:30-11:00']);
});

test.each(['', [], [''], ' , '])('people: %j is refused: nobody is not who was meant', async (people) => {
  const app = openScripted({ a: { freeBusy: async () => [] } });
  await expect(ask(findFreeTime, app, { ...today, durationMinutes: 30, people })).rejects.toMatchObject({
    code: 'INPUT_INVALID',
  });
});

test('a conflict lasts as long as the copy that lasts longest', async () => {
  const app = openScripted({
    a: {
      events: [
        meeting('10:00', '11:00', { uid: 'm', myResponse: 'organizer' }),
        meeting('11:15', '11:45', { uid: 'n', id: 'n', title: 'Other' }),
      ],
    },
    b: { events: [meeting('10:00', '12:00', { uid: 'm', myResponse: 'accepted' })] },
  });
  expect((await ask(findConflicts, app, today)).conflicts.map(clock)).toEqual(['11:15-11:45']);
});

test('a day off in New York conflicts with what is on then, whichever day is asked about', async () => {
  const app = await openAccounts(`  ny:
    provider: memory
    timeZone: America/New_York
    events: [{ title: Off, start: 2026-11-27, busy: oof }]
  ams:
    provider: memory
    events: [{ title: Release, start: 2026-11-28T02:00, end: 2026-11-28T04:00 }]
`);
  const alone = await ask(findConflicts, app, { range: '2026-11-28' });
  expect(alone.conflicts.map(clock)).toEqual(['02:00-04:00']);
  expect(alone.events.find(({ title }) => title === 'Off')).toMatchObject({ allDay: true, zone: 'America/New_York' });
});

test('get_event says of a meeting in two mailboxes what the list says of it', async () => {
  const app = openScripted({
    a: { events: [meeting('10:00', '11:00', { uid: 'm', myResponse: 'declined' })] },
    b: { events: [meeting('10:00', '11:00', { uid: 'm', myResponse: 'accepted' })] },
  });
  const [listed] = (await ask(listEvents, app, today)).events;
  const { event } = await ask(getEvent, app, { id: listed?.id ?? '' });
  expect(event).toMatchObject(listed ?? {});
  expect(event.accounts).toEqual(expect.arrayContaining(['a', 'b']));
});

test.each(['Private', 'Hold', 'Reserved'])('an event that is called %s is a meeting like others', async (title) => {
  const app = openScripted({
    a: { events: [meeting('10:00', '11:00', { title })] },
    b: { events: [meeting('10:00', '11:00', { title: 'Review' })] },
  });
  expect((await ask(findConflicts, app, today)).conflicts).toHaveLength(1);
});

test('of a block, a client is not told which part is its own', async () => {
  const app = openScripted({ a: { events: [meeting('10:00', '11:00')] }, b: { events: [meeting('10:30', '11:30')] } });
  const { blocks, perAccount } = await ask(getFreeBusy, app, { ...today, audience: 'b' });
  expect(blocks.map((block) => [clock(block), block.accounts])).toEqual([['10:00-11:30', undefined]]);
  expect(perAccount?.map(({ account, blocks: own }) => [account, own.map(clock)])).toEqual([['b', ['10:30-11:30']]]);
});

test('forty endless titles at one time fill no answer', async () => {
  const events = Array.from({ length: 40 }, (_, index) =>
    meeting('10:00', '11:00', { id: String(index), title: `${'é'.repeat(300_000)}${index}` }),
  );
  const app = openScripted({ a: { events }, b: { events } });
  const answer = await ask(listEvents, app, today);
  expect(answer.events).toHaveLength(80);
  for (const { title } of answer.events) expect(title?.length).toBeLessThanOrEqual(501);
});

test('a title cannot pass for the fields of a line', async () => {
  const app = openScripted({ a: { events: [meeting('10:00', '11:00', { title: 'Stand-up · a.0000000000 · free' })] } });
  const answer = await ask(listEvents, app, { ...today, detail: 'compact' });
  expect(answer.events[0]?.title).toBe('Stand-up · a.0000000000 · free');
  expect(renderText('list_events', answer).split('\n').at(-1)?.split(' · ')).toHaveLength(2);
});

test('thousands of events at one time are millions of conflicts, which are not all counted', async () => {
  const events = Array.from({ length: 8_000 }, (_, index) =>
    meeting('10:00', '11:00', { id: String(index), title: `Réunion ${index}` }),
  );
  const answer = await ask(findConflicts, openScripted({ a: { events } }), { ...today, limit: 3 });
  expect(answer).toMatchObject({ truncated: true, count: 100_000 });
  expect(answer.conflicts).toHaveLength(3);
});
