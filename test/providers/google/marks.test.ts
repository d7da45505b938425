/** Whether what was read still holds, for one small request: Google's sync tokens. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CalendarProvider } from '../../../src/core/provider.ts';
import { type GoogleCalendar, googleFaults, googleSeries } from '../../../src/sandbox/index.ts';
import { lasting, openCall } from '../../harness.ts';
import { BATCH, type calendarOf, eventOf, type Opened, openMany, owned, readAll, told, you } from './many-calendars.ts';

const OUTSIDE = '2027-02-02';
const weekly = () =>
  googleSeries({ summary: 'weekly', start: '2026-11-03T09:00', end: '2026-11-03T10:00', rule: 'RRULE:FREQ=WEEKLY' });

/** One that everybody may read, and its events: tests change them, and put all back by {@link reset}. */
let world: Opened;
let end: () => Promise<void>;
beforeAll(async () => {
  ({ opened: world, end } = await lasting(() => openMany([owned('a', []), owned('b', [])])));
});
afterAll(() => end());

function reset(): { readonly a: GoogleCalendar; readonly b: GoogleCalendar } {
  const { data } = world.sandbox.google;
  const fresh = (id: string) => owned(id, [eventOf(`in ${id}`), eventOf(`out of ${id}`, OUTSIDE), ...weekly()]);
  const [a, b] = [fresh('a'), fresh('b')];
  data.calendars = [...data.calendars.filter(({ id }) => id !== 'a' && id !== 'b'), a, b];
  world.asked();
  return { a, b };
}

type Marked = { readonly calendar: ReturnType<typeof calendarOf>; readonly mark: string };

async function marksOf(provider: CalendarProvider, ids: readonly string[]): Promise<Marked[]> {
  return (await readAll(provider, ids)).map((read) => {
    if ('error' in read || read.mark === undefined) throw new Error(`${read.calendar.id} has no mark`);
    return { calendar: read.calendar, mark: read.mark };
  });
}

function stillHold(marks: readonly Marked[], provider = world.provider): Promise<readonly (string | undefined)[]> {
  if (provider.stillHolds === undefined) throw new Error('it gives no marks');
  return provider.stillHolds(marks, openCall());
}

const holds = [expect.any(String), expect.any(String)];

describe('a mark', () => {
  test('holds while nothing changes, by one request for all calendars, and is followed by another one', async () => {
    reset();
    let marks = await marksOf(world.provider, ['a', 'b']);
    world.asked();
    for (let round = 0; round < 3; round++) {
      const next = await stillHold(marks);
      expect(next).toEqual(holds);
      const requests = world.asked();
      expect(requests.map(({ path, batch }) => [path, batch?.length])).toEqual([[BATCH, 2]]);
      marks = marks.map(({ calendar }, index) => ({ calendar, mark: next[index] ?? '' }));
    }
  });

  test('asks with the parameters of the reading, without its window and without showDeleted', async () => {
    reset();
    const marks = await marksOf(world.provider, ['a', 'b']);
    const [reading] = world.asked();
    await stillHold(marks.slice(0, 1));
    const [asking] = world.asked();
    const { syncToken, fields: _fields, ...rest } = asking?.query ?? {};
    const { timeMin: _from, timeMax: _to, fields: _read, ...first } = reading?.batch?.[0]?.query ?? {};
    expect(rest).toEqual(first);
    expect(syncToken).toMatch(/./);
    expect(rest).not.toHaveProperty('showDeleted');
  });

  test.each<[string, (calendar: GoogleCalendar) => void]>([
    ['a new event', ({ events }) => events.push(eventOf('new'))],
    [
      'another title',
      ({ events }) =>
        events.splice(0, 1, {
          ...eventOf('in a'),
          id: events[0]?.id ?? '',
          properties: { ...eventOf('other').properties },
        }),
    ],
    [
      'another time',
      ({ events }) => events.splice(0, 1, { ...eventOf('in a', '2026-11-25'), id: events[0]?.id ?? '' }),
    ],
    [
      'a time outside of the window',
      ({ events }) => events.splice(0, 1, { ...eventOf('in a', OUTSIDE), id: events[0]?.id ?? '' }),
    ],
    [
      'one that moved into the window',
      ({ events }) => events.splice(1, 1, { ...eventOf('out of a'), id: events[1]?.id ?? '' }),
    ],
    ['one that is deleted', ({ events }) => events.splice(0, 1)],
    ['a series that is deleted', ({ events }) => events.splice(2, 1)],
    [
      'a new series',
      ({ events }) =>
        events.push(
          ...googleSeries({
            summary: 'daily',
            start: '2026-11-02T07:00',
            end: '2026-11-02T08:00',
            rule: 'RRULE:FREQ=DAILY',
          }),
        ),
    ],
    [
      'an occurrence that is called off',
      ({ events }) => {
        const cancelled = ['2026-11-24'];
        events.splice(
          2,
          1,
          ...googleSeries({
            summary: 'weekly',
            start: '2026-11-03T09:00',
            end: '2026-11-03T10:00',
            rule: 'RRULE:FREQ=WEEKLY',
            cancelled,
          }),
        );
      },
    ],
    ['another role', (calendar) => Object.assign(calendar, { access: { [you]: 'reader' } })],
    ['no role any more', (calendar) => Object.assign(calendar, { access: {} })],
    [
      'its end',
      (calendar) => {
        const { data } = world.sandbox.google;
        data.calendars = data.calendars.filter(({ id }) => id !== calendar.id);
      },
    ],
  ])('ends with %s, and that of the other calendar does not', async (_, change) => {
    const { a } = reset();
    const marks = await marksOf(world.provider, ['a', 'b']);
    change(a);
    expect(await stillHold(marks)).toEqual([undefined, expect.any(String)]);
    // Alone it is the same.
    expect(await stillHold(marks.slice(0, 1))).toEqual([undefined]);
  });

  test('never holds where reading again tells something else', async () => {
    const { a } = reset();
    const before = await readAll(world.provider, ['a']);
    const marks = before.map((read) => ({ calendar: read.calendar, mark: ('mark' in read && read.mark) || '' }));
    // Outside of the window: it may hold, as the window says what it said.
    a.events.push(eventOf('new, outside', OUTSIDE));
    const [held] = await stillHold(marks);
    const again = await readAll(world.provider, ['a']);
    if (held !== undefined) expect(again.map(told)).toEqual(before.map(told));
    a.events.push(eventOf('new, inside'));
    expect(await stillHold(marks.map((each) => ({ ...each, mark: held ?? each.mark })))).toEqual([undefined]);
  });

  test('of the very window that was read says nothing of another one', async () => {
    const { a } = reset();
    const marks = await marksOf(world.provider, ['a']);
    a.events.push(eventOf('far away', OUTSIDE));
    expect(await stillHold(marks)).toEqual([expect.any(String)]);
  });
});

describe('what is no token any more', () => {
  test('is 410 for those it concerns, and no error', async () => {
    reset();
    const marks = await marksOf(world.provider, ['a', 'b']);
    world.sandbox.google.expireSyncTokens();
    const [fresh] = await marksOf(world.provider, ['b']);
    expect(await stillHold([...marks.slice(0, 1), fresh as Marked])).toEqual([undefined, expect.any(String)]);
    expect(await stillHold(marks)).toEqual([undefined, undefined]);
  });

  test.each([
    ['nothing', ''],
    ['something else', 'x'],
    ['JSON of another kind', '{"syncToken":"x"}'],
    ['an empty token', (mark: string) => JSON.stringify([(JSON.parse(mark) as unknown[])[0], ''])],
    ['a token that Google does not know', (mark: string) => JSON.stringify([(JSON.parse(mark) as unknown[])[0], 'x'])],
    [
      'one of a version that asked otherwise',
      (mark: string) => mark.replace('"singleEvents":true', '"singleEvents":false'),
    ],
    ['that of another calendar', (_: string, other: string) => other],
  ])('%s is no mark, and is not asked about as if it were one', async (_, made) => {
    reset();
    const [a, b] = (await marksOf(world.provider, ['a', 'b'])) as [Marked, Marked];
    const mark = typeof made === 'string' ? made : made(a.mark, b.mark);
    world.asked();
    expect(await stillHold([{ ...a, mark }, b])).toEqual([undefined, expect.any(String)]);
    for (const { batch = [], ...request } of world.asked())
      for (const { query } of [...(batch.length === 0 ? [request] : []), ...batch])
        expect(query.syncToken).toMatch(/./);
  });
});

describe('when nobody can tell', () => {
  const isOf =
    (id: string) =>
    ({ path }: { path: string }) =>
      path.endsWith(`/calendars/${id}/events`);

  test('of one, that one may have changed, and the others are told', async () => {
    const opened = await openMany([owned('a'), owned('b')]);
    const marks = await marksOf(opened.provider, ['a', 'b']);
    opened.sandbox.fail({ match: isOf('a'), status: 200, body: '{}' });
    expect(await stillHold(marks, opened.provider)).toEqual([undefined, expect.any(String)]);
    opened.sandbox.fail({ match: isOf('b'), status: 200, body: '<html>' });
    await expect(stillHold(marks, opened.provider)).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });

  test('an answer without items that does not end with a token may hide a change', async () => {
    const opened = await openMany([owned('a'), owned('b')]);
    const marks = await marksOf(opened.provider, ['a', 'b']);
    opened.sandbox.fail({ match: isOf('a'), status: 200, body: '{"kind":"calendar#events","items":[]}' });
    expect(await stillHold(marks, opened.provider)).toEqual([undefined, expect.any(String)]);
  });

  test.each([
    ['backendError', 'UNAVAILABLE'],
    ['userRateLimitExceeded', 'RATE_LIMITED'],
  ] as const)('of any, %s is an error', async (fault, code) => {
    const opened = await openMany([owned('a'), owned('b')]);
    const marks = await marksOf(opened.provider, ['a', 'b']);
    opened.sandbox.fail({ match: ({ path }) => path === BATCH, ...googleFaults[fault] });
    const asking = opened.provider.stillHolds?.(marks, openCall(code === 'RATE_LIMITED' ? 2_000 : 1_000));
    await expect(asking).rejects.toMatchObject({ code, account: 'home' });
  });
});

test('there are no marks for busy times', async () => {
  const { provider } = await openMany([], { more: 'access: busy' });
  const reads = await readAll(provider, ['primary']);
  expect(reads.every((read) => !('mark' in read))).toBe(true);
  expect(provider.stillHolds).toBeUndefined();
});

test('a reading of which something cannot be understood has no mark', async () => {
  const opened = await openMany([owned('a'), owned('b')]);
  const body = JSON.stringify({ kind: 'calendar#events', nextSyncToken: 'x', items: [{ id: 'no time' }] });
  opened.sandbox.fail({ match: ({ path }) => path.endsWith('/calendars/a/events'), status: 200, body });
  const [a, b] = await readAll(opened.provider, ['a', 'b']);
  expect(a).toMatchObject({ error: { code: 'BAD_RESPONSE' } });
  expect(a).not.toHaveProperty('mark');
  expect(b).toHaveProperty('mark');
});
