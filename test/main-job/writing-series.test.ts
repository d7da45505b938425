/** This, following, all: what becomes of a series over the change of the clocks, by its exceptions, and when half of it fails. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { googleFaults } from '../../src/sandbox/index.ts';
import { lasting } from '../harness.ts';
import { isChild, isGraph, isKind, openWorld, type Way, type World } from './writing-world.ts';

/** Europe changes its clocks on 25 October 2026, America on 1 November. */
const AUTUMN = '2026-09-28..2026-12-31';
/** Eight Mondays. */
const mondays = { account: 'desk', start: '2026-10-05T09:00', end: '+1h', repeat: 'FREQ=WEEKLY;BYDAY=MO;COUNT=8' };
const DATES = ['10-05', '10-12', '10-19', '10-26', '11-02', '11-09', '11-16', '11-23'];
const BEFORE = DATES.slice(0, 3);
const AFTER = DATES.slice(3);

const on = (dates: readonly string[], time: string, title: string): string[] =>
  dates.map((date) => `2026-${date}${time === '' ? '' : `T${time}`} ${title}`);

let made = 0;
const fresh = (title: string): string => `${title} ${++made}:`;

interface Series {
  readonly title: string;
  /** The id of the occurrence that is on a day now. */
  on(date: string): Promise<string>;
  seen(timeZone?: string): Promise<string[]>;
}

async function series(world: World, input: Partial<Parameters<World['create']>[0]> = {}): Promise<Series> {
  const title = fresh('Series');
  const { outcome, event } = await world.create({ ...mondays, title, ...input });
  if (outcome !== 'created' || event?.recurring !== true) throw new Error(`not created: ${outcome}`);
  return {
    title,
    async on(date) {
      const [id, ...more] = await world.ids(title, `2026-${date}`);
      if (id === undefined || more.length > 0) throw new RangeError(`not one on ${date}`);
      return id;
    },
    seen: (timeZone) => world.seen(title, AUTUMN, timeZone),
  };
}

const cases = (way: Way, open: () => World): void => {
  const isVendor = way !== 'memory';

  describe('following', () => {
    test('cuts right before the occurrence, over the change of the clocks, and both halves keep their time of day', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      const told = await world.update({ id: await at('10-26'), scope: 'following', start: '11:00' });
      expect(told).toMatchObject({
        outcome: 'updated',
        event: { start: '2026-10-26T11:00:00+01:00', end: '2026-10-26T12:00:00+01:00', recurring: true },
      });
      expect(await seen()).toEqual([...on(BEFORE, '09:00', title), ...on(AFTER, '11:00', title)]);
      // Read at once, by the id that the change told.
      expect(await at('10-26')).toBe(told.event?.id);
      if (!isVendor || isGraph(way)) return;
      const rules = world.held().flatMap((one) => {
        const { recurrence, properties } = one as { recurrence?: string[]; properties: { summary?: string } };
        return properties.summary === title ? (recurrence ?? []) : [];
      });
      // A second before the occurrence, not a day: 26 October 09:00 in Amsterdam is 08:00 UTC.
      expect(rules[0]).toContain('UNTIL=20261026T075959Z');
      expect(rules[1]).toContain('COUNT=5');
    });

    test('of a series of New York that is seen from Amsterdam goes by the clock of New York', async () => {
      const world = open();
      const {
        title,
        on: at,
        seen,
      } = await series(world, {
        start: '2026-10-19T09:00[America/New_York]',
        repeat: 'FREQ=WEEKLY;COUNT=5',
      });
      const dates = ['10-19', '10-26', '11-02', '11-09', '11-16'];
      expect(await seen()).toEqual([
        `2026-10-19T15:00 ${title}`,
        `2026-10-26T14:00 ${title}`,
        ...on(dates.slice(2), '15:00', title),
      ]);
      // 15:00 in Amsterdam is 10:00 in New York in this one week.
      await world.update({ id: await at('10-26'), scope: 'following', start: '15:00' });
      expect(await seen('America/New_York')).toEqual([
        `2026-10-19T09:00 ${title}`,
        ...on(dates.slice(1), '10:00', title),
      ]);
      await world.update({ id: await at('11-09'), scope: 'following', title: `${title} late` });
      expect(await seen('America/New_York')).toEqual([
        `2026-10-19T09:00 ${title}`,
        ...on(dates.slice(1, 3), '10:00', title),
        ...on(dates.slice(3), '10:00', `${title} late`),
      ]);
      expect((await seen()).at(1)).toBe(`2026-10-26T15:00 ${title}`);
    });

    test('of whole days', async () => {
      const world = open();
      const {
        title,
        on: at,
        seen,
      } = await series(world, {
        start: '2026-10-23',
        end: '2026-10-25',
        repeat: 'FREQ=WEEKLY;BYDAY=FR;COUNT=5',
      });
      const [first, second, ...rest] = ['10-23', '10-30', '11-06', '11-13', '11-20'] as const;
      const [id = ''] = await world.ids(title, '2026-11-06');
      const told = await world.update({ id, scope: 'following', start: '2026-11-07', title: `${title} later` });
      expect(told.event).toMatchObject({ start: '2026-11-07', end: '2026-11-09', allDay: true });
      expect(await seen()).toEqual(
        [
          ...on([first, second], '', title),
          ...on(
            rest.map((date) => date.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10))),
            '',
            `${title} later`,
          ).map((line) => line.replace('11-10', '11-21')),
        ].map((line) => line),
      );
      void at;
      if (isGraph(way) || !isVendor) return;
      const held = JSON.stringify(world.held());
      // Dates alone: a time in the rule of a series of whole days is not allowed (RFC 5545 3.3.10).
      expect(held).toContain('UNTIL=20261105"');
    });

    test.each([
      ['COUNT', 'FREQ=WEEKLY;BYDAY=MO;COUNT=8', DATES],
      ['UNTIL', 'FREQ=WEEKLY;BYDAY=MO;UNTIL=20261124', DATES],
      ['an UNTIL in UTC', 'FREQ=WEEKLY;BYDAY=MO;UNTIL=20261123T080000Z', DATES],
      ['no end', 'FREQ=WEEKLY;BYDAY=MO', [...DATES, '11-30', '12-07', '12-14', '12-21', '12-28']],
    ])('a rule with %s has as many occurrences as before', async (_name, repeat, dates) => {
      const world = open();
      const { title, on: at, seen } = await series(world, { repeat });
      await world.update({ id: await at('10-19'), scope: 'following', location: 'Room 2' });
      expect(await seen()).toEqual(on(dates, '09:00', title));
      const [id = ''] = await world.ids(title, '2026-11-23');
      expect((await world.get(id)).event.location).toBe('Room 2');
    });

    test('keeps what was changed before it, and called-off ones stay called off', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({
        id: await at('10-12'),
        scope: 'this',
        title: `${title} special`,
        start: '2026-10-13T10:00',
      });
      await world.delete({ id: await at('10-05'), scope: 'this' });
      await world.delete({ id: await at('11-09'), scope: 'this' });
      await world.update({ id: await at('11-16'), scope: 'this', title: `${title} other` });
      const wish = { id: await at('10-26'), scope: 'following', start: '08:00', end: '+30m' } as const;
      const preview = await world.update({ ...wish, dryRun: true });
      expect(preview).toMatchObject({
        outcome: 'preview',
        notes: ['changed by themselves, and like the others then: 1'],
      });
      expect(await world.update(wish)).toMatchObject({ outcome: 'updated', notes: preview.notes });
      expect(await seen()).toEqual([
        `2026-10-13T10:00 ${title} special`,
        `2026-10-19T09:00 ${title}`,
        ...on(['10-26', '11-02', '11-16', '11-23'], '08:00', title),
      ]);
    });

    test('from the first occurrence on is all of it, and from the last one that one', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      const before = isVendor ? world.held().length : 0;
      await world.update({ id: await at('10-05'), scope: 'following', start: '10:00' });
      expect(await seen()).toEqual(on(DATES, '10:00', title));
      // The same series, and not another one.
      if (isVendor) expect(world.held()).toHaveLength(before);
      await world.update({ id: await at('11-23'), scope: 'following', title: `${title} end` });
      expect(await seen()).toEqual([...on(DATES.slice(0, -1), '10:00', title), `2026-11-23T10:00 ${title} end`]);
    });

    test('on another day of the week', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({ id: await at('10-26'), scope: 'following', start: '2026-10-27T09:00' });
      expect(await seen()).toEqual([
        ...on(BEFORE, '09:00', title),
        ...on(['10-27', '11-03', '11-10', '11-17', '11-24'], '09:00', title),
      ]);
    });

    test('to a day on the other side of the change of the clocks, early in the morning', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world, { start: '2026-10-10T06:30', repeat: 'FREQ=WEEKLY;COUNT=6' });
      await world.delete({ id: await at('11-07'), scope: 'this' });
      await world.update({ id: await at('10-24'), scope: 'following', start: '2026-10-25T06:30' });
      expect(await seen()).toEqual(on(['10-10', '10-17', '10-25', '11-01', '11-15'], '06:30', title));
    });

    test('in another rhythm, or once', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({ id: await at('10-26'), scope: 'following', repeat: 'FREQ=WEEKLY;INTERVAL=2;COUNT=2' });
      expect(await seen()).toEqual(on([...BEFORE, '10-26', '11-09'], '09:00', title));
    });

    test('from an occurrence that was moved: a time of day leaves the series on its own days', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({ id: await at('10-26'), scope: 'this', start: '2026-10-28T14:00' });
      await world.update({ id: await at('10-28'), scope: 'following', start: '15:00' });
      expect(await seen()).toEqual([...on(BEFORE, '09:00', title), ...on(AFTER, '15:00', title)]);
    });

    test('from an occurrence that was moved: with a day that is named the others move as it does', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({ id: await at('10-26'), scope: 'this', start: '2026-10-28T14:00' });
      await world.update({ id: await at('10-28'), scope: 'following', start: '2026-10-28T15:00' });
      expect(await seen()).toEqual([
        ...on(BEFORE, '09:00', title),
        ...on(['10-28', '11-04', '11-11', '11-18', '11-25'], '15:00', title),
      ]);
    });

    test('with an occurrence that was moved to the other side: it belongs where it was planned', async () => {
      // Outlook moves none past its neighbours.
      if (isGraph(way)) return;
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({
        id: await at('10-12'),
        scope: 'this',
        start: '2026-11-12T17:00',
        title: `${title} early one`,
      });
      await world.update({
        id: await at('11-02'),
        scope: 'this',
        start: '2026-10-08T17:00',
        title: `${title} late one`,
      });
      await world.update({ id: await at('10-26'), scope: 'following', start: '11:00' });
      expect(await seen()).toEqual(
        [
          ...on(['10-05', '10-19'], '09:00', title),
          ...on(AFTER, '11:00', title),
          `2026-11-12T17:00 ${title} early one`,
        ].sort(),
      );
    });
  });

  describe('all', () => {
    test('move as one of them is moved, each over its own change of the clocks', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({ id: await at('11-02'), scope: 'all', start: '2026-11-03T08:30', end: '+45m' });
      const tuesdays = ['10-06', '10-13', '10-20', '10-27', '11-03', '11-10', '11-17', '11-24'];
      expect(await seen()).toEqual(on(tuesdays, '08:30', title));
      const [id = ''] = await world.ids(title, '2026-10-13');
      expect((await world.get(id)).event).toMatchObject({
        start: '2026-10-13T08:30:00+02:00',
        end: '2026-10-13T09:15:00+02:00',
      });
    });

    test('get another rule, and become one event', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      const told = await world.update({ id: await at('10-12'), scope: 'all', repeat: 'FREQ=WEEKLY;BYDAY=MO;COUNT=3' });
      expect(told).toMatchObject({ outcome: 'updated', event: { repeats: 'every week on Monday, 3 times' } });
      expect(await seen()).toEqual(on(BEFORE, '09:00', title));
      if (isChild(way)) return;
      await world.update({ id: await at('10-12'), scope: 'all', repeat: '' });
      expect(await seen()).toEqual(on(['10-05'], '09:00', title));
    });
  });

  describe('delete', () => {
    test('this one, this and following, or all', async () => {
      const world = open();
      const { title, on: at, seen } = await series(world);
      await world.update({ id: await at('10-12'), scope: 'this', title: `${title} special` });
      await world.update({ id: await at('11-16'), scope: 'this', title: `${title} other` });
      await world.delete({ id: await at('10-19'), scope: 'this' });
      const told = await world.delete({ id: await at('11-09'), scope: 'following' });
      expect(told).toMatchObject({ outcome: 'deleted', notes: ['this and all later occurrences'] });
      const left = [
        `2026-10-05T09:00 ${title}`,
        `2026-10-12T09:00 ${title} special`,
        ...on(['10-26', '11-02'], '09:00', title),
      ];
      expect(await seen()).toEqual(left);
      await world.delete({ id: await at('11-02'), scope: 'following' });
      expect(await seen()).toEqual(left.slice(0, -1));
      expect(await world.delete({ id: await at('10-26'), scope: 'all' })).toMatchObject({
        notes: expect.arrayContaining(['the whole series, past occurrences too']),
      });
      expect(await seen()).toEqual([]);
      const other = await series(world);
      await world.delete({ id: await other.on('10-05'), scope: 'following' });
      expect(await other.seen()).toEqual([]);
    });
  });

  if (!isVendor) return;

  describe('respond', () => {
    test('to this one, to this and following, or to all', async () => {
      const world = open();
      const title = fresh('Asked');
      await world.theirs.create({ ...mondays, account: 'mate', title, attendees: [world.you], notify: 'all' });
      const answers = async (): Promise<string[]> => {
        const ids = await world.ids(title, AUTUMN);
        const events = await Promise.all(ids.map((id) => world.get(id)));
        return events.map(({ event: { response = 'accepted' } }) => response);
      };
      const at = async (date: string): Promise<string> => (await world.ids(title, `2026-${date}`))[0] ?? '';
      const [none, yes, maybe] = ['notResponded', 'accepted', 'tentative'];
      await world.respond({ id: await at('10-12'), scope: 'this', response: 'accepted', notify: 'none' });
      expect(await answers()).toEqual([none, yes, ...Array(6).fill(none)]);
      const wish = { id: await at('11-02'), scope: 'following', response: 'tentative', notify: 'none' } as const;
      expect((await world.respond({ ...wish, dryRun: true })).notes).toEqual([
        '4 occurrences, one by one, until 2026-11-23',
      ]);
      expect(await world.respond(wish)).toMatchObject({ outcome: 'responded', event: { response: 'tentative' } });
      expect(await answers()).toEqual([none, yes, none, none, ...Array(4).fill(maybe)]);
      const cut = { id: await at('10-26'), scope: 'following' } as const;
      const written = await world.written(async () => {
        for (const act of [() => world.update({ ...cut, reminders: [5] }), () => world.delete(cut)])
          await expect(act()).rejects.toMatchObject({
            code: 'INPUT_INVALID',
            account: 'desk',
            hint: expect.stringContaining('scope: this or all'),
          });
      });
      expect(written).toEqual([]);
      await world.respond({ id: await at('10-05'), scope: 'all', response: 'accepted', notify: 'none' });
      expect((await answers()).slice(0, 4)).toEqual(Array(4).fill(yes));
    });
  });
};

/** What becomes of "following" when something of it fails. */
const failing = (way: Way, open: () => World): void => {
  const down = isGraph(way) ? { status: 503 } : googleFaults.backendError;

  async function started() {
    const world = open();
    const one = await series(world);
    await world.update({ id: await one.on('10-12'), scope: 'this', title: `${one.title} special` });
    await world.delete({ id: await one.on('11-09'), scope: 'this' });
    const before = world.held();
    const wish = { id: await one.on('10-26'), scope: 'following', start: '11:00' } as const;
    return { world, ...one, wish, before };
  }

  test.each([
    ['403', { status: 403 }, { code: 'FORBIDDEN', account: 'desk', hint: expect.any(String) }],
    ['503', down, { code: 'UNAVAILABLE', account: 'desk', message: expect.stringContaining('was not made') }],
  ])('the old series refuses its end (%s): it is as it was, and the new one is gone', async (_name, fault, error) => {
    const { world, wish, before, seen } = await started();
    const listed = await seen();
    await world.during('change', fault, () => expect(world.update(wish)).rejects.toMatchObject(error));
    expect(world.held(before)).toEqual(before);
    expect(await seen()).toEqual(listed);
  });

  test.each(['412', 'a change by somebody else'])('%s: a conflict, and both are as they were', async (name) => {
    const { world, wish, before, title } = await started();
    const act = () => world.update(wish);
    const told =
      name === '412'
        ? await world.during('change', { status: 412 }, act)
        : await world.asItComes('change', () => world.rename(title, `${title} taken`), act);
    expect(told).toMatchObject({
      outcome: 'conflict',
      notes: expect.arrayContaining([expect.stringMatching(/nothing was done/)]),
    });
    if (name === '412') expect(world.held(before)).toEqual(before);
    else expect(world.held(before)).toHaveLength(before.length);
  });

  test.each(['change', 'create', 'delete'] as const)(
    'an answer that gets lost (%s) is found out about',
    async (kind) => {
      const { world, wish, title, seen } = await started();
      const written = await world.written(async () => {
        const told = await world.during(kind, { dropAnswer: true, times: 1 }, () => world.update(wish));
        expect(told.outcome).toBe('updated');
      });
      expect(await seen()).toEqual([
        `2026-10-05T09:00 ${title}`,
        `2026-10-12T09:00 ${title} special`,
        `2026-10-19T09:00 ${title}`,
        ...on(['10-26', '11-02', '11-16', '11-23'], '11:00', title),
      ]);
      expect(written.filter(isKind(way, 'change'))).toHaveLength(1);
    },
  );

  test('one occurrence: a lost answer is found out about, and a refusal leaves it', async () => {
    const { world, title, on: at, seen, before } = await started();
    const id = await at('10-26');
    for (const [kind, act] of [
      ['change', () => world.update({ id, scope: 'this', start: '11:00' })],
      ['delete', () => world.delete({ id, scope: 'this' })],
    ] as const) {
      await world.during(kind, { status: 403 }, () => expect(act()).rejects.toMatchObject({ code: 'FORBIDDEN' }));
      if (kind === 'change') expect(world.held(before)).toEqual(before);
      const written = await world.written(async () => {
        const told = await world.during(kind, { dropAnswer: true, times: 1 }, act);
        expect(told.outcome).toMatch(/updated|deleted/);
      });
      expect(written).toHaveLength(1);
      const now = (await seen()).filter((line) => line.startsWith('2026-10-26'));
      expect(now).toEqual(kind === 'change' ? [`2026-10-26T11:00 ${title}`] : []);
    }
  });

  test('P08: a version of the series, or of the occurrence that was seen, is told from another one', async () => {
    const { world, title, on: at, seen } = await started();
    const id = await at('10-26');
    const { version } = (await world.get(id)).event;
    const listed = await seen();
    world.rename(title, `${title} by others`);
    for (const scope of ['following', 'all'] as const) {
      const written = await world.written(async () => {
        const told = await world.update({ id, scope, start: '11:00', version });
        expect(told).toMatchObject({ outcome: 'conflict', event: { title: `${title} by others` } });
      });
      expect(written).toEqual([]);
    }
    expect((await seen()).map((line) => line.slice(0, 16))).toEqual(listed.map((line) => line.slice(0, 16)));
    const { version: now } = (await world.get(id)).event;
    expect((await world.update({ id, scope: 'following', start: '11:00', version: now })).outcome).toBe('updated');
  });

  test('the new one cannot be made: nothing is touched', async () => {
    const { world, wish, before } = await started();
    const written = await world.written(() =>
      world.during('create', { status: 403 }, () =>
        expect(world.update(wish)).rejects.toMatchObject({ code: 'FORBIDDEN', account: 'desk' }),
      ),
    );
    expect(world.held(before)).toEqual(before);
    expect(written.every(isKind(way, 'create'))).toBe(true);
  });

  test('nobody answers whether the new one was made: asked for again, all is done once', async () => {
    const { world, wish, title, seen } = await started();
    await world.during('create', { dropAnswer: true }, async () => {
      if (!isGraph(way))
        await expect(world.update(wish)).rejects.toMatchObject({
          code: 'UNAVAILABLE',
          message: expect.stringContaining('nobody knows whether it was created'),
          hint: expect.stringContaining('again'),
        });
    });
    expect((await world.update(wish)).outcome).toBe('updated');
    expect(await seen()).toEqual([
      `2026-10-05T09:00 ${title}`,
      `2026-10-12T09:00 ${title} special`,
      `2026-10-19T09:00 ${title}`,
      ...on(['10-26', '11-02', '11-16', '11-23'], '11:00', title),
    ]);
  });

  test('what was called off cannot be called off in the new one: all is taken back', async () => {
    const { world, wish, before } = await started();
    const isOccurrence = ({ method, path }: { method: string; path: string }) =>
      method === 'DELETE' &&
      (isGraph(way) ? path.endsWith('AAEA%3D') || path.endsWith('AAEA=') : /_\d{8}T\d{6}Z$/.test(path));
    await world.during(isOccurrence, { status: 403 }, () =>
      expect(world.update(wish)).rejects.toMatchObject({ code: 'FORBIDDEN', account: 'desk' }),
    );
    expect(world.held(before)).toEqual(before);
  });

  test('the new one cannot be taken back either: it is said that both are there', async () => {
    const { world, wish, before, title, seen } = await started();
    let isCut = false;
    const later = ({ method }: { method: string }) => {
      isCut ||= method === 'PATCH';
      return isCut && method === 'DELETE';
    };
    await world.during(later, { status: 403 }, () =>
      world.during('change', { status: 403 }, () =>
        expect(world.update(wish)).rejects.toMatchObject({
          code: 'CONFLICT',
          account: 'desk',
          message: expect.stringContaining('both are there now'),
          hint: 'list the events and delete one of the two series',
        }),
      ),
    );
    expect(world.held(before).length).toBeGreaterThan(before.length);
    expect((await seen()).filter((line) => line.startsWith('2026-10-26'))).toEqual([
      `2026-10-26T09:00 ${title}`,
      `2026-10-26T11:00 ${title}`,
    ]);
  });

  test('the answer to taking it back gets lost: it is gone all the same', async () => {
    const { world, wish, before } = await started();
    let isCut = false;
    const later = ({ method }: { method: string }) => {
      isCut ||= method === 'PATCH';
      return isCut && method === 'DELETE';
    };
    await world.during(later, { dropAnswer: true }, () =>
      world.during('change', { status: 403 }, () =>
        expect(world.update(wish)).rejects.toMatchObject({ code: 'FORBIDDEN' }),
      ),
    );
    expect(world.held(before)).toEqual(before);
  });

  test('whoever asked gives up in the middle: it is brought to its end', async () => {
    const { world, wish, title, seen } = await started();
    const given = new AbortController();
    const told = world.asItComes(
      'create',
      () => given.abort(),
      () => world.updateFor(given.signal, wish),
    );
    await told.catch(() => undefined);
    expect(await seen()).toEqual([
      `2026-10-05T09:00 ${title}`,
      `2026-10-12T09:00 ${title} special`,
      `2026-10-19T09:00 ${title}`,
      ...on(['10-26', '11-02', '11-16', '11-23'], '11:00', title),
    ]);
  });

  test('deleting this and following: a refusal leaves all, a lost answer does not cut twice', async () => {
    const { world, wish, before, title, seen } = await started();
    const { id, scope } = wish;
    await world.during('change', { status: 403 }, () =>
      expect(world.delete({ id, scope })).rejects.toMatchObject({ code: 'FORBIDDEN', account: 'desk' }),
    );
    expect(world.held(before)).toEqual(before);
    const written = await world.written(async () => {
      const told = await world.during('change', { dropAnswer: true, times: 1 }, () => world.delete({ id, scope }));
      expect(told.outcome).toBe('deleted');
    });
    expect(written).toHaveLength(1);
    expect(await seen()).toEqual([
      `2026-10-05T09:00 ${title}`,
      `2026-10-12T09:00 ${title} special`,
      `2026-10-19T09:00 ${title}`,
    ]);
  });
};

const describeWay = (
  name: string,
  way: Way,
  work: (open: () => World) => void,
  options: Parameters<typeof openWorld>[1] = {},
): void =>
  void describe(name, () => {
    let world: World;
    let end: () => Promise<void>;
    beforeAll(async () => {
      ({ opened: world, end } = await lasting(() => openWorld(way, options)));
      world.sandbox.google.data.keepsOrphans = name.includes('orphans');
    }, 60_000);
    afterAll(() => end());
    work(() => world);
  });

for (const way of ['graph', 'google', 'memory'] as const)
  describeWay(way, way, (open) => {
    cases(way, open);
    if (way !== 'memory') describe('a half that fails', () => failing(way, open));
  });

/** What is changed by itself, before and after a cut. */
const changed = (open: () => World): void =>
  test('a series that is cut keeps what was changed before, and nothing of what was after', async () => {
    const world = open();
    for (const name of ['update', 'delete'] as const) {
      const { title, on: at, seen } = await series(world);
      await world.update({
        id: await at('10-12'),
        scope: 'this',
        title: `${title} special`,
        start: '2026-10-13T10:00',
      });
      await world.delete({ id: await at('10-05'), scope: 'this' });
      await world.delete({ id: await at('11-09'), scope: 'this' });
      await world.update({ id: await at('11-16'), scope: 'this', title: `${title} other`, start: '2026-11-17T10:00' });
      const id = await at('10-26');
      const told =
        name === 'update'
          ? await world.update({ id, scope: 'following', start: '11:00' })
          : await world.delete({ id, scope: 'following' });
      expect(told.outcome).toMatch(/updated|deleted/);
      expect(await seen(), name).toEqual([
        `2026-10-13T10:00 ${title} special`,
        `2026-10-19T09:00 ${title}`,
        ...(name === 'update' ? on(['10-26', '11-02', '11-16', '11-23'], '11:00', title) : []),
      ]);
    }
  });

describeWay('google that keeps orphans', 'google', changed);
describeWay('graph that loses exceptions', 'graph', changed, {
  sandbox: { graphRules: { exceptionsOnRangeChange: 'lost' } },
});
for (const way of ['google child', 'graph stdio', 'graph http'] as const)
  describeWay(way, way, (open) => {
    changed(open);
    if (way === 'graph http') return;
    test('the old series refuses its end: it is as it was, and the new one is gone', async () => {
      const world = open();
      const one = await series(world);
      const before = world.held();
      const body = { error: { code: 403, message: 'You need to have writer access to this calendar.' } };
      const fault = isGraph(way) ? { status: 403 } : { status: 403, body: JSON.stringify(body) };
      await world.during('change', fault, async () => {
        const wish = { id: await one.on('10-26'), scope: 'following', start: '11:00' } as const;
        await expect(world.update(wish)).rejects.toMatchObject({ code: 'FORBIDDEN', account: 'desk' });
      });
      expect(world.held(before)).toEqual(before);
    });
  });
