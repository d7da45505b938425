/** What a hostile review of writing found about times: on whose clock, of which occurrence, and how far a series goes. */
import { describe, expect, test } from 'vitest';
import { openAccounts } from '../operations/questions.ts';
import { type Hands, handsOf } from './writing-world.ts';

/** Seen from Amsterdam. */
const open = async (): Promise<Hands> => handsOf(await openAccounts('  home: { provider: memory, access: write }\n'));

async function onDay({ app, ids }: Hands, title: string, day: string): Promise<string> {
  const [id, ...more] = await ids(title, day);
  if (id === undefined || more.length > 0) throw new RangeError(`not one ${title} on ${day}: ${app.accounts.length}`);
  return id;
}

describe('a time of day without a day', () => {
  /** 20:00 in New York is 02:00 of the next day in Amsterdam. */
  const evening = { title: 'Evening', start: '2026-12-01T20:00[America/New_York]', end: '+1h' };

  test('is of the day that was shown, whatever the clock of the event says', async () => {
    const hands = await open();
    const { event } = await hands.create(evening);
    const id = event?.id ?? '';
    expect(event?.start).toBe('2026-12-02T02:00:00+01:00');
    await hands.update({ id, start: '03:00' });
    expect(await hands.seen('Evening', '2026-11-30..2026-12-04')).toEqual(['2026-12-02T03:00 Evening']);
    const { event: now } = await hands.update({ id, end: '05:00' });
    expect(now).toMatchObject({ start: '2026-12-02T03:00:00+01:00', end: '2026-12-02T05:00:00+01:00' });
  });

  test('moves all of a series by no day when the one that was shown stays on its day', async () => {
    const hands = await open();
    await hands.create({ ...evening, repeat: 'FREQ=WEEKLY;COUNT=3' });
    const id = await onDay(hands, 'Evening', '2026-12-09');
    await hands.update({ id, scope: 'all', start: '03:00' });
    expect(await hands.seen('Evening', '2026-11-30..2026-12-31')).toEqual(
      ['02', '09', '16'].map((day) => `2026-12-${day}T03:00 Evening`),
    );
  });

  test('as an end is read in the zone that was named for its start', async () => {
    const hands = await open();
    const start = '2026-12-01T09:00[Asia/Tokyo]';
    const tokyo = { start: '2026-12-01T01:00:00+01:00', end: '2026-12-01T02:00:00+01:00' };
    expect((await hands.create({ title: 'Made', start, end: '10:00' })).event).toMatchObject(tokyo);
    const { event } = await hands.create(evening);
    expect((await hands.update({ id: event?.id ?? '', start, end: '10:00' })).event).toMatchObject(tokyo);
  });
});

describe('an occurrence that was moved, as the one to start from', () => {
  const TUESDAYS = ['2026-12-01', '2026-12-08', '2026-12-15', '2026-12-22', '2026-12-29'];

  /** Tuesdays at 10:00, the second of which is on a Wednesday at 14:00. */
  async function moved() {
    const hands = await open();
    await hands.create({ title: 'Weekly', start: '2026-12-01T10:00', end: '+1h', repeat: 'FREQ=WEEKLY;COUNT=5' });
    const second = await onDay(hands, 'Weekly', '2026-12-08');
    await hands.update({ id: second, scope: 'this', start: '2026-12-09T14:00' });
    const id = await onDay(hands, 'Weekly', '2026-12-09');
    const spans = async (): Promise<string[]> => {
      const all = [];
      for (const each of await hands.ids('Weekly', '2026-12-01..2027-01-31')) {
        const { event } = await hands.get(each);
        all.push(`${event.start.slice(0, 16)}/${event.end.slice(11, 16)}`);
      }
      return all;
    };
    return { hands, id, spans };
  }

  test('changes only the length of all when only the end is named', async () => {
    const { hands, id, spans } = await moved();
    const { changes } = await hands.update({ id, scope: 'all', end: '+30m' });
    expect(changes?.map(({ field }) => field)).toEqual(['end']);
    const seen = await spans();
    // The moved one keeps its place, or becomes like the others; the others keep theirs.
    expect(seen.filter((span) => !/2026-12-0[89]/.test(span))).toEqual(
      TUESDAYS.filter((day) => day !== '2026-12-08').map((day) => `${day}T10:00/10:30`),
    );
    expect(seen).toHaveLength(5);
  });

  test('changes only the length of the following ones when only the end is named', async () => {
    const { hands, id, spans } = await moved();
    const { changes } = await hands.update({ id, scope: 'following', end: '+30m' });
    expect(changes?.map(({ field }) => field)).toEqual(['end']);
    const seen = await spans();
    expect(seen[0]).toBe('2026-12-01T10:00/11:00');
    expect(seen.slice(2)).toEqual(TUESDAYS.slice(2).map((day) => `${day}T10:00/10:30`));
    expect(seen).toHaveLength(5);
  });

  test('keeps the days of all when another time of day is named', async () => {
    const { hands, id, spans } = await moved();
    await hands.update({ id, scope: 'all', start: '15:00' });
    const seen = await spans();
    expect(seen.filter((span) => !/2026-12-0[89]/.test(span))).toEqual(
      TUESDAYS.filter((day) => day !== '2026-12-08').map((day) => `${day}T15:00/16:00`),
    );
    expect(seen).toHaveLength(5);
  });
});

describe('a series that goes on for longer than a year', () => {
  async function long(count: number) {
    const hands = await open();
    await hands.create({ title: 'Long', start: '2026-11-24T09:00', repeat: `FREQ=WEEKLY;COUNT=${count}` });
    for (const day of ['2026-12-15', '2027-11-16'])
      await hands.delete({ id: await onDay(hands, 'Long', day), scope: 'this' });
    return hands;
  }
  const again = expect.stringMatching(/called off after 2027-12-\d\d is there again/);

  test('says when it is cut that what was called off later is there again, in preview and outcome', async () => {
    const hands = await long(120);
    const request = { id: await onDay(hands, 'Long', '2026-12-08'), scope: 'following', location: 'Room' } as const;
    expect((await hands.update({ ...request, dryRun: true })).notes).toContainEqual(again);
    expect((await hands.update(request)).notes).toContainEqual(again);
    for (const day of ['2026-12-15', '2027-11-16']) expect(await hands.seen('Long', day)).toEqual([]);
    expect(await hands.seen('Long', '2026-12-22')).toHaveLength(1);
  });

  test('says so when all of it moves', async () => {
    const hands = await long(120);
    const request = { id: await onDay(hands, 'Long', '2026-12-08'), scope: 'all', start: '10:00' } as const;
    expect((await hands.update({ ...request, dryRun: true })).notes).toContainEqual(again);
    expect((await hands.update(request)).notes).toContainEqual(again);
    for (const day of ['2026-12-15', '2027-11-16']) expect(await hands.seen('Long', day)).toEqual([]);
  });

  test('says nothing where it ends within the year', async () => {
    const hands = await long(54);
    const id = await onDay(hands, 'Long', '2026-12-08');
    expect(await hands.update({ id, scope: 'following', location: 'Room' })).not.toHaveProperty('notes');
  });
});

describe('moving all of a series', () => {
  test('by days keeps what was called off called off, over the change of the clocks', async () => {
    const hands = await open();
    await hands.create({ title: 'Shift', start: '2027-03-15T09:00', repeat: 'FREQ=WEEKLY;COUNT=4' });
    await hands.delete({ id: await onDay(hands, 'Shift', '2027-03-29'), scope: 'this' });
    await hands.update({ id: await onDay(hands, 'Shift', '2027-03-22'), scope: 'all', start: '2027-03-24T11:00' });
    expect(await hands.seen('Shift', '2027-03-01..2027-04-30')).toEqual(
      ['2027-03-17', '2027-03-24', '2027-04-07'].map((day) => `${day}T11:00 Shift`),
    );
  });

  test('keeps the first and the last called off, too', async () => {
    const hands = await open();
    await hands.create({ title: 'Ends', start: '2026-12-01T09:00', repeat: 'FREQ=WEEKLY;COUNT=5' });
    for (const day of ['01', '29'])
      await hands.delete({ id: await onDay(hands, 'Ends', `2026-12-${day}`), scope: 'this' });
    await hands.update({ id: await onDay(hands, 'Ends', '2026-12-08'), scope: 'all', start: '11:00' });
    expect(await hands.seen('Ends', '2026-11-30..2027-01-31')).toEqual(
      ['08', '15', '22'].map((day) => `2026-12-${day}T11:00 Ends`),
    );
    await hands.update({ id: await onDay(hands, 'Ends', '2026-12-15'), scope: 'following', start: '12:00' });
    expect(await hands.seen('Ends', '2026-11-30..2027-01-31')).toEqual(
      ['08T11', '15T12', '22T12'].map((day) => `2026-12-${day}:00 Ends`),
    );
  });

  test('says of a monthly one on other days that what was called off is there again', async () => {
    const hands = await open();
    const repeat = 'FREQ=MONTHLY;BYDAY=2TU;COUNT=5';
    await hands.create({ title: 'Monthly', start: '2026-12-08T09:00', repeat });
    await hands.delete({ id: await onDay(hands, 'Monthly', '2027-02-09'), scope: 'this' });
    const id = await onDay(hands, 'Monthly', '2026-12-08');
    const { notes } = await hands.update({ id, scope: 'all', start: '2026-12-09T09:00' });
    expect(notes?.join()).toContain('what was called off is there again');
  });
});

describe('a moment that no calendar has', () => {
  test.each([
    ['an offset of 25 hours', { start: '2026-12-01T09:00+25:00' }],
    ['the last minute of year 9999', { start: '9999-12-31T23:59' }],
    ['an end after year 9999', { start: '9999-12-31T23:50', end: '+30m' }],
    ['the last day of year 9999', { start: '9999-12-31' }],
  ])('is refused as input: %s', async (_, times) => {
    const hands = await open();
    await expect(hands.create({ title: 'Never', ...times })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });
});
