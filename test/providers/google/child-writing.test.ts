/** What the real google-calendar server makes of changes; what it would get wrong is refused. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventFields } from '../../../src/core/change.ts';
import { childSpecOf } from '../../../src/providers/google/child.ts';
import { options } from '../../../src/providers/google/options.ts';
import type { SandboxRequest } from '../../../src/sandbox/index.ts';
import { lasting, openCall } from '../../harness.ts';
import { at, freshKey, GUEST, MATE, openWritable, type Writable } from './writable.ts';
import { describeWriting } from './writing-cases.ts';

describe('writing to Google through its child server', () => describeWriting('child'));

describe('what the child server does its own way', () => {
  let world: Writable;
  let end: () => Promise<void>;
  beforeAll(async () => {
    ({ opened: world, end } = await lasting(() => openWritable('child')));
  }, 60_000);
  afterAll(() => end());

  const meeting = (title: string, more: EventFields = {}): EventFields => ({
    title,
    start: at('2026-12-01T10:00:00+01:00'),
    end: at('2026-12-01T11:00:00+01:00'),
    ...more,
  });
  const make = async (fields: EventFields) =>
    (await world.writer.create(world.mine, fields, { key: freshKey(), notify: false }, openCall())).stored;
  const writes = (asked: readonly SandboxRequest[]): SandboxRequest[] => asked.filter(({ method }) => method !== 'GET');

  test('defect 9: a change that is to be told is refused, as it would tell nobody', async () => {
    const { event, etag } = await make(meeting('Told', { attendees: [{ email: MATE }] }));
    const refused = await world.asked(() =>
      expect(
        world.writer.update(world.mine, event.id, { location: 'x' }, { etag, notify: true }, openCall()),
      ).rejects.toMatchObject({ code: 'READ_ONLY', hint: expect.stringContaining('leave out child:') }),
    );
    expect(writes(refused)).toEqual([]);
    // What it would do: this is why.
    const asked = await world.asked(() =>
      world.writer.update(world.mine, event.id, { location: 'x' }, { etag, notify: false }, openCall()),
    );
    expect(writes(asked).map(({ query }) => query)).toEqual([{}]);
  });

  test('its own look for conflicts and duplicates costs nothing and is in nobody’s way', async () => {
    await make(meeting('Twin'));
    const created = await world.asked(() => make(meeting('Twin')));
    expect(created.map(({ method }) => method)).toEqual(['POST']);
    const { event, etag } = await make(meeting('Triplet'));
    const times = { start: meeting('').start, end: meeting('').end } as EventFields;
    const updated = await world.asked(() =>
      world.writer.update(world.mine, event.id, { ...times, title: 'Twin' }, { etag, notify: false }, openCall()),
    );
    expect(updated.filter(({ path }) => path.endsWith('/events'))).toEqual([]);
    expect(await world.read('2026-11-30', '2026-12-03')).toHaveLength(4);
  });

  test.each([
    ['spring, New York', 'America/New_York', '2027-03-14T03:00:00-04:00'],
    ['spring, Amsterdam', 'Europe/Amsterdam', '2027-03-28T03:30:00+02:00'],
    ['autumn, Amsterdam, the first of two', 'Europe/Amsterdam', '2026-10-25T02:15:00+02:00'],
    ['autumn, Sydney', 'Australia/Sydney', '2027-04-04T04:00:00+10:00'],
    ['autumn, Tokyo has none', 'Asia/Tokyo', '2026-11-01T02:30:00+09:00'],
  ])('defect 16: times around a change of the clocks are right: %s', async (_name, zone, instant) => {
    const start = at(instant, zone);
    const stop = { ...start, epochMs: start.epochMs + 1_800_000 };
    const { event } = await make({ title: 'Clocks', start, end: stop });
    expect(world.held(event.id)).toMatchObject({
      start: { instant: new Date(start.epochMs).toISOString().replace('.000', ''), timeZone: zone },
    });
    const { etag } = await world.get(event.id);
    const { fields } = await world.writer.update(
      world.mine,
      event.id,
      { start, end: { ...stop, epochMs: stop.epochMs + 60_000 } },
      { etag, notify: false },
      openCall(),
    );
    expect(fields.start).toEqual(start);
  });

  test('defect 16: the second of two hours that look the same is refused rather than missed', async () => {
    const start = at('2026-10-25T02:30:00+01:00');
    const asked = await world.asked(() =>
      expect(make({ title: 'x', start, end: at('2026-10-25T03:30:00+01:00') })).rejects.toMatchObject({
        code: 'READ_ONLY',
        message: expect.stringContaining('the clock shows twice'),
      }),
    );
    expect(asked).toEqual([]);
  });

  test('what it cannot take away or hand on is refused, and nothing is sent', async () => {
    const { event, etag } = await make(
      meeting('Fixed', { online: true, color: 'grape', attendees: [{ email: GUEST, optional: true }] }),
    );
    const asked = await world.asked(async () => {
      for (const fields of [
        { online: false },
        { color: '' },
        { attendees: [{ email: GUEST }] },
        {
          attendees: [
            { email: GUEST, optional: true as const },
            { email: MATE, name: 'Mate' },
          ],
        },
      ])
        await expect(
          world.writer.update(world.mine, event.id, fields, { etag, notify: false }, openCall()),
          JSON.stringify(fields),
        ).rejects.toMatchObject({
          code: 'READ_ONLY',
          account: 'home',
          hint: expect.stringContaining('leave out child:'),
        });
    });
    expect(writes(asked)).toEqual([]);
    expect((await world.get(event.id)).etag).toBe(etag);
  });

  test('defect 12: a create that Google takes too long for is asked again, and exists once', async () => {
    world.sandbox.fail({ match: ({ method }) => method === 'POST', times: 1, delayMs: 3_300, dropAnswer: true });
    const { stored } = await world.writer.create(
      world.mine,
      meeting('Slow'),
      { key: freshKey(), notify: false },
      openCall(15_000),
    );
    expect(stored.fields.title).toBe('Slow');
    const read = await world.read('2026-11-30', '2026-12-03');
    expect(read.filter(({ title }) => title === 'Slow')).toHaveLength(1);
  });

  test('a delete that it repeats by itself is done, not missing', async () => {
    const { event, etag } = await make(meeting('Gone'));
    world.sandbox.fail({ match: ({ method }) => method === 'DELETE', times: 1, dropAnswer: true });
    const asked = await world.asked(() =>
      world.writer.delete(world.mine, event.id, { etag, notify: false }, openCall()),
    );
    expect(writes(asked).map(({ status }) => status)).toEqual([204, 410]);
    await expect(world.writer.delete(world.mine, event.id, { etag, notify: false }, openCall())).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: 'the event is deleted already',
    });
  });

  test('its tools that change something are there with access: write alone', () => {
    const chosen = options.parse({ clientId: 'client', child: true });
    const toolsOf = (access?: 'busy' | 'read' | 'write'): string =>
      childSpecOf(chosen, 'home', access)?.environment('/folder', undefined).ENABLED_TOOLS ?? '';
    for (const access of [undefined, 'busy', 'read'] as const)
      expect(toolsOf(access)).toBe('list-calendars,list-events,get-freebusy');
    expect(toolsOf('write')).toBe(
      'list-calendars,list-events,get-freebusy,get-event,create-event,update-event,delete-event,respond-to-event',
    );
  });
});
