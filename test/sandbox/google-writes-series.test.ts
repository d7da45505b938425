import { describe, expect, test } from 'vitest';
import type { Json } from './client.ts';
import { at, type EventResource, household, type Mailbox, openHousehold } from './google-writes-client.ts';

/** Mondays and Wednesdays at nine in Amsterdam, over the end of summer time on 25 October 2026. */
const weekly = {
  summary: 'Standup',
  start: at('2026-10-19T09:00:00'),
  end: at('2026-10-19T09:30:00'),
  recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=6'],
};

const starts = (items: readonly EventResource[]) => items.map(({ start }) => start.dateTime ?? start.date);
const days = (items: readonly EventResource[]) => starts(items).map((text) => text?.slice(0, 10));

async function series(mine: Mailbox, body: Json = weekly): Promise<string> {
  const { status, event } = await mine.insert(body);
  expect(status).toBe(200);
  return event.id;
}

describe('a series', () => {
  test('keeps its wall time when the clocks change', async () => {
    const { mine } = await openHousehold();
    const id = await series(mine);
    const items = await mine.list();
    expect(starts(items)).toEqual([
      '2026-10-19T09:00:00+02:00',
      '2026-10-21T09:00:00+02:00',
      '2026-10-26T09:00:00+01:00',
      '2026-10-28T09:00:00+01:00',
      '2026-11-02T09:00:00+01:00',
      '2026-11-04T09:00:00+01:00',
    ]);
    expect(items.map((item) => item.id)).toEqual(
      ['1019T07', '1021T07', '1026T08', '1028T08', '1102T08', '1104T08'].map((day) => `${id}_2026${day}0000Z`),
    );
    expect(await mine.instances(id)).toEqual(items);
    expect((await mine.get(id)).event).toMatchObject({ recurrence: weekly.recurrence });
    const [first] = await mine.instances(id, { originalStart: '2026-10-26T08:00:00Z' });
    expect(first).toMatchObject({
      recurringEventId: id,
      originalStartTime: { dateTime: '2026-10-26T09:00:00+01:00', timeZone: 'Europe/Amsterdam' },
    });
  });

  test('keeps the wall time of its own zone, not that of the calendar', async () => {
    const { mine } = await openHousehold();
    await series(mine, {
      start: at('2026-10-21T09:00:00', 'America/New_York'),
      end: at('2026-10-21T10:00:00', 'America/New_York'),
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'],
    });
    expect(starts(await mine.list())).toEqual([
      '2026-10-21T15:00:00+02:00',
      '2026-10-28T14:00:00+01:00',
      '2026-11-04T15:00:00+01:00',
    ]);
  });

  test.each<[string, string[], string[]]>([
    ['the last day of the month', ['RRULE:FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3'], ['10-31', '11-30', '12-31']],
    ['the 31st, where there is one', ['RRULE:FREQ=MONTHLY;BYMONTHDAY=31;COUNT=3'], ['10-31', '12-31', '01-31']],
    ['the day of the start', ['RRULE:FREQ=MONTHLY;COUNT=3'], ['10-19', '11-19', '12-19']],
    ['the second Tuesday', ['RRULE:FREQ=MONTHLY;BYDAY=2TU;COUNT=3'], ['11-10', '12-08', '01-12']],
    ['the last Friday', ['RRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=2'], ['10-30', '11-27']],
    ['the last weekday', ['RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;COUNT=3'], ['10-30', '11-30', '12-31']],
    ['two days of a month', ['RRULE:FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24,25;COUNT=3'], ['12-24', '12-25', '12-24']],
    [
      'weekdays',
      ['RRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20261026T080000Z'],
      ['10-19', '10-20', '10-21', '10-22', '10-23', '10-26'],
    ],
    [
      'every second week from Sunday',
      ['RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;COUNT=4'],
      ['10-19', '11-01', '11-02', '11-15'],
    ],
    [
      'every second week from Monday',
      ['RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=MO;COUNT=4'],
      ['10-19', '10-25', '11-02', '11-08'],
    ],
    [
      'dates that are left out',
      ['RRULE:FREQ=WEEKLY;COUNT=4', 'EXDATE;TZID=Europe/Amsterdam:20261026T090000', 'EXDATE:20261109T080000Z'],
      ['10-19', '11-02'],
    ],
    [
      'dates that are added',
      ['RRULE:FREQ=WEEKLY;COUNT=2', 'RDATE;TZID=Europe/Amsterdam:20261022T090000'],
      ['10-19', '10-22', '10-26'],
    ],
  ])('has instances on %s', async (_, recurrence, expected) => {
    const { mine } = await openHousehold();
    await series(mine, { ...weekly, recurrence });
    expect(days(await mine.list()).map((day) => day?.slice(5))).toEqual(expected);
  });

  test('of a day that comes every four years skips the years between', async () => {
    const { mine } = await openHousehold();
    const times = { start: { date: '2024-02-29' }, end: { date: '2024-03-01' } };
    await series(mine, { ...times, recurrence: ['RRULE:FREQ=YEARLY;COUNT=2'] });
    expect(starts(await mine.list())).toEqual(['2024-02-29', '2028-02-29']);
  });
});

describe('an instance', () => {
  test('that is changed becomes an exception, in its place', async () => {
    const { mine } = await openHousehold();
    const id = await series(mine);
    const one = `${id}_20261026T080000Z`;
    const { event } = await mine.patch(one, {
      summary: 'Retro',
      start: at('2026-10-27T15:00:00'),
      end: at('2026-10-27T16:00:00'),
    });
    expect(event).toMatchObject({
      id: one,
      recurringEventId: id,
      originalStartTime: { dateTime: '2026-10-26T09:00:00+01:00' },
      start: { dateTime: '2026-10-27T15:00:00+01:00' },
      summary: 'Retro',
    });
    expect(event).not.toHaveProperty('recurrence');
    expect(days(await mine.list())).toEqual([
      '2026-10-19',
      '2026-10-21',
      '2026-10-27',
      '2026-10-28',
      '2026-11-02',
      '2026-11-04',
    ]);
  });

  test('that is deleted is cancelled, and stays so', async () => {
    const { mine } = await openHousehold();
    const id = await series(mine);
    const one = `${id}_20261026T080000Z`;
    expect((await mine.remove(one)).status).toBe(204);
    expect(await mine.remove(one)).toMatchObject({ status: 410, reason: 'deleted' });
    expect(days(await mine.instances(id))).not.toContain('2026-10-26');
    expect((await mine.get(one)).event).toMatchObject({ id: one, status: 'cancelled', recurringEventId: id });
    const cancelled = (await mine.instances(id, { showDeleted: 'true' })).filter(
      ({ status }) => status === 'cancelled',
    );
    expect(cancelled.map((item) => item.id)).toEqual([one]);
    expect((await mine.patch(one, { status: 'confirmed' })).status).toBe(200);
    expect(await mine.instances(id)).toHaveLength(6);
  });

  test('is cancelled by its status too, as the guide does it', async () => {
    const { mine } = await openHousehold();
    const id = await series(mine);
    const [first] = await mine.instances(id);
    expect((await mine.put(first?.id ?? '', { ...first, status: 'cancelled' })).event.status).toBe('cancelled');
    expect(await mine.instances(id)).toHaveLength(5);
  });

  test('that the rule does not give is not found', async () => {
    const { mine } = await openHousehold();
    const id = await series(mine);
    for (const suffix of ['20261020T070000Z', '20261026T070000Z', '20261026', '20261109T080000Z']) {
      expect(await mine.patch(`${id}_${suffix}`, { summary: 'x' })).toMatchObject({ status: 404, reason: 'notFound' });
    }
    expect(await mine.patch(`${id}_20261026T080000Z`, { recurrence: ['RRULE:FREQ=DAILY'] })).toMatchObject({
      status: 400,
    });
  });
});

describe('a change of the series', () => {
  async function withExceptions(mine: Mailbox) {
    const id = await series(mine);
    const [before, after] = [`${id}_20261021T070000Z`, `${id}_20261102T080000Z`];
    await mine.patch(before, { summary: 'Before' });
    await mine.patch(after, { summary: 'After', location: 'Room 2' });
    return { id, before, after };
  }

  const until = { recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261026T075959Z'] };

  test('reaches all instances, and of an exception what is not its own', async () => {
    const { mine } = await openHousehold();
    const { id } = await withExceptions(mine);
    await mine.patch(id, { summary: 'Daily', location: 'Room 1', end: at('2026-10-19T10:00:00') });
    const items = await mine.list();
    expect(items.map(({ summary, location }) => `${summary}, ${location}`)).toEqual([
      'Daily, Room 1',
      'Before, Room 1',
      'Daily, Room 1',
      'Daily, Room 1',
      'After, Room 2',
      'Daily, Room 1',
    ]);
    expect(items.every(({ end }) => (end as { dateTime: string }).dateTime.includes('T10:00:00'))).toBe(true);
  });

  test('that ends it between two exceptions keeps the one before and drops the one after', async () => {
    const { mine } = await openHousehold();
    const { id, after } = await withExceptions(mine);
    expect((await mine.patch(id, until)).event.recurrence).toEqual(until.recurrence);
    expect((await mine.list()).map(({ start, summary }) => `${start.dateTime} ${summary}`)).toEqual([
      '2026-10-19T09:00:00+02:00 Standup',
      '2026-10-21T09:00:00+02:00 Before',
    ]);
    expect(await mine.get(after)).toMatchObject({ status: 404 });
  });

  test('that ends it may leave the exceptions after it where they are', async () => {
    const data = household();
    const { mine } = await openHousehold({ ...data, keepsOrphans: true });
    const { id, after } = await withExceptions(mine);
    await mine.patch(id, until);
    expect((await mine.list()).map(({ summary }) => summary)).toEqual(['Standup', 'Before', 'After']);
    expect((await mine.remove(after)).status).toBe(204);
    expect((await mine.list()).map(({ summary }) => summary)).toEqual(['Standup', 'Before']);
  });

  test('that is split over the end of summer time leaves no day out and none twice', async () => {
    const { mine } = await openHousehold();
    const { id } = await withExceptions(mine);
    await mine.patch(id, until);
    await series(mine, {
      ...weekly,
      summary: 'New',
      start: at('2026-10-26T11:00:00'),
      end: at('2026-10-26T11:30:00'),
      recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=4'],
    });
    expect(starts(await mine.list())).toEqual([
      '2026-10-19T09:00:00+02:00',
      '2026-10-21T09:00:00+02:00',
      '2026-10-26T11:00:00+01:00',
      '2026-10-28T11:00:00+01:00',
      '2026-11-02T11:00:00+01:00',
      '2026-11-04T11:00:00+01:00',
    ]);
  });

  test('to another time of day leaves the exceptions without an instance to stand for', async () => {
    const { mine } = await openHousehold();
    const { id } = await withExceptions(mine);
    await mine.patch(id, { start: at('2026-10-19T08:00:00'), end: at('2026-10-19T08:30:00') });
    expect(new Set((await mine.list()).map(({ summary }) => summary))).toEqual(new Set(['Standup']));
    expect(await mine.list()).toHaveLength(6);
  });

  test('to a single event leaves one, and deleting it leaves none', async () => {
    const { mine } = await openHousehold();
    const { id } = await withExceptions(mine);
    await mine.patch(id, { recurrence: [] });
    expect(days(await mine.list())).toEqual(['2026-10-19']);
    const again = await series(mine);
    await mine.patch(`${again}_20261026T080000Z`, { summary: 'x' });
    await mine.remove(again);
    await mine.remove(id);
    expect(await mine.list()).toEqual([]);
    expect((await mine.get(again)).event.status).toBe('cancelled');
    expect(await mine.page({ singleEvents: 'false' })).toMatchObject({ items: [] });
  });

  test('is another version of its instances and exceptions too', async () => {
    const { mine } = await openHousehold();
    const { id, before } = await withExceptions(mine);
    const [first] = await mine.instances(id);
    const exception = (await mine.get(before)).event;
    await mine.patch(id, { colorId: '3' });
    const stale = { 'if-match': first?.etag ?? '' };
    expect(await mine.patch(first?.id ?? '', { summary: 'x' }, {}, stale)).toMatchObject({ status: 412 });
    expect((await mine.patch(before, { summary: 'y' }, {}, { 'if-match': exception.etag })).status).toBe(412);
  });
});
