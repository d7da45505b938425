/** P06 to P10 and what becomes of a write that goes wrong, on real accounts: the verbs as MCP and the command line call them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Fault, googleFaults } from '../../src/sandbox/index.ts';
import { lasting } from '../harness.ts';
import {
  accountOf,
  enter,
  handsOf,
  isChild,
  isGraph,
  isKind,
  type Kind,
  openWorld,
  VENDORS,
  type World,
} from './writing-world.ts';

describe('P06: less than access: write', () => {
  test.each(['graph', 'google', 'graph http', 'google child'] as const)(
    '%s: nothing is asked of anybody',
    async (way) => {
      const world = await openWorld(way, { access: 'read' });
      await world.theirs.create({ account: 'mate', title: 'Theirs', attendees: [world.you], notify: 'all', ...once() });
      const [id = ''] = isChild(way) ? [`desk.${'2'.repeat(10)}`] : await world.ids('Theirs', '2026-11-24');
      expect(id).toMatch(/^desk\./);
      const before = world.sandbox.requests.length;
      for (const attempt of [
        () => world.create({ account: 'desk', title: 'x', ...once() }),
        () => world.create({ account: 'desk', title: 'x', ...once(), dryRun: true }),
        () => world.update({ id, title: 'x' }),
        () => world.update({ id, account: 'desk', title: 'x', dryRun: true }),
        () => world.delete({ id }),
        () => world.respond({ id, response: 'accepted', notify: 'none' }),
      ])
        await expect(attempt()).rejects.toMatchObject({
          code: 'READ_ONLY',
          account: 'desk',
          hint: 'set access: write for desk there, then run: calmcp login --account desk',
        });
      await expect(world.create({ title: 'x', ...once() })).rejects.toMatchObject({ code: 'READ_ONLY' });
      expect(world.sandbox.requests).toHaveLength(before);
    },
  );

  test('google: with busy times alone nothing is asked either', async () => {
    const world = await openWorld('google', { access: 'busy' });
    await world.theirs.create({ account: 'mate', title: 'Theirs', attendees: [world.you], notify: 'all', ...once() });
    const before = world.sandbox.requests.length;
    await expect(world.create({ account: 'desk', title: 'x', ...once() })).rejects.toMatchObject({ code: 'READ_ONLY' });
    await expect(world.delete({ id: `desk.${'2'.repeat(10)}` })).rejects.toMatchObject({ code: 'READ_ONLY' });
    expect(world.sandbox.requests).toHaveLength(before);
  });
});

/** An hour in the week that the tests look at. */
function once() {
  return { start: '2026-11-24T15:00', end: '+1h' };
}

describe('P07: several accounts that may be written to', () => {
  test('and none named: it is asked which, and nothing else', async () => {
    const world = await openWorld('graph', {
      more: (sandbox) => [accountOf(sandbox, 'google', 'home', 'write'), accountOf(sandbox, 'google', 'look', 'read')],
    });
    const before = world.sandbox.requests.length;
    await expect(world.create({ title: 'x', ...once() })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      hint: 'name one as account: desk, home',
    });
    expect(world.sandbox.requests).toHaveLength(before);
  });

  test('a meeting that several hold is changed in the account of its id, or in the one that is named, and nowhere else', async () => {
    const world = await openWorld('graph', { more: (sandbox) => [accountOf(sandbox, 'graph', 'mate', 'write')] });
    await enter(world.app, world.sandbox, 'graph', 'mate', world.mate);
    const made = await world.create({
      account: 'desk',
      title: 'Both',
      ...once(),
      attendees: [world.mate],
      notify: 'all',
    });
    const id = made.event?.id ?? '';
    const { event } = await world.get(id);
    expect(event.accounts).toEqual(['desk', 'mate']);
    const theirs = await world.update({ id, account: 'mate', busy: 'free' });
    expect(theirs).toMatchObject({ outcome: 'updated', account: 'mate' });
    const mine = await world.update({ id, busy: 'tentative' });
    expect(mine).toMatchObject({ outcome: 'updated', account: 'desk' });
    const alone = await world.make('Alone');
    await expect(world.update({ id: alone.id, account: 'mate', title: 'x' })).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: 'it is in desk',
    });
    await expect(world.update({ id: alone.id, account: 'nobody', title: 'x' })).rejects.toMatchObject({
      code: 'ACCOUNT_UNKNOWN',
    });
  });
});

/** One verb on an event, with what there is after it has been done. */
interface Verb {
  readonly name: string;
  readonly kind: Kind;
  readonly outcome: string;
  /** An event that it can be done to. */
  prepare(world: World, title: string): Promise<{ readonly id: string; readonly day: string }>;
  act(world: World, id: string, version?: string): ReturnType<World['update']>;
  isDone(world: World, title: string, day: string): Promise<boolean>;
}

const VERBS: readonly Verb[] = [
  {
    name: 'update_event',
    kind: 'change',
    outcome: 'updated',
    prepare: (world, title) => world.make(title),
    act: (world, id, version) => world.update({ id, location: 'Room 1', ...(version ? { version } : {}) }),
    async isDone(world, title, day) {
      const [id = ''] = await world.ids(title, day);
      return (await world.get(id)).event.location === 'Room 1';
    },
  },
  {
    name: 'delete_event',
    kind: 'delete',
    outcome: 'deleted',
    prepare: (world, title) => world.make(title),
    act: (world, id, version) => world.delete({ id, ...(version ? { version } : {}) }),
    isDone: async (world, title, day) => (await world.ids(title, day)).length === 0,
  },
  {
    name: 'respond_to_event',
    kind: 'respond',
    outcome: 'responded',
    prepare: (world, title) => world.invited(title),
    act: (world, id, version) =>
      world.respond({ id, response: 'accepted', notify: 'none', ...(version ? { version } : {}) }),
    async isDone(world, title, day) {
      const [id = ''] = await world.ids(title, day);
      return (await world.get(id)).event.response === undefined;
    },
  },
];

// What is asked of the server for Microsoft is the same over a port: `writing-series` and test/providers show that.
for (const way of VENDORS.filter((each) => each !== 'graph http'))
  describe(way, () => {
    let world: World;
    let end: () => Promise<void>;
    beforeAll(async () => {
      ({ opened: world, end } = await lasting(() => openWorld(way)));
    }, 60_000);
    afterAll(() => end());

    test('P06: a calendar that can only be looked at is left alone', async () => {
      const [id = ''] = await world.ids('Theirs', '2026-11-24');
      const refused = { code: 'READ_ONLY', account: 'desk', message: expect.stringContaining('Only to read') };
      const written = await world.written(async () => {
        await expect(
          world.create({ account: 'desk', calendar: 'only to read', title: 'x', ...once() }),
        ).rejects.toMatchObject({ code: 'READ_ONLY', account: 'desk' });
        await expect(world.update({ id, title: 'x' })).rejects.toMatchObject(refused);
        await expect(world.delete({ id })).rejects.toMatchObject(refused);
        if (!isGraph(way))
          await expect(
            world.create({ account: 'desk', calendar: 'Only busy', title: 'x', ...once() }),
          ).rejects.toMatchObject({ code: expect.stringMatching(/READ_ONLY|NOT_FOUND/) });
        await expect(
          world.create({ account: 'desk', calendar: 'Nowhere', title: 'x', ...once() }),
        ).rejects.toMatchObject({ code: 'NOT_FOUND', hint: 'its calendars: Calendar, Side' });
      });
      expect(written).toEqual([]);
      const side = await world.create({ account: 'desk', calendar: 'side', title: 'Beside', ...once() });
      expect(side).toMatchObject({ outcome: 'created', calendar: 'Side' });
    });

    describe.each(VERBS)('$name', (verb) => {
      const tag = verb.name.slice(0, 3);

      test('P08: a version that was seen before is a conflict, told with the event as it is', async () => {
        const { id, day } = await verb.prepare(world, `Seen ${tag}`);
        const { version } = (await world.get(id)).event;
        world.rename(`Seen ${tag}`, `Seen ${tag} by others`);
        const written = await world.written(async () => {
          const told = await verb.act(world, id, version);
          expect(told).toMatchObject({
            outcome: 'conflict',
            account: 'desk',
            event: { title: `Seen ${tag} by others` },
          });
          expect(told.event?.version).not.toBe(version);
          const { event } = await world.get(id);
          expect(told.event?.version).toBe(event.version);
        });
        expect(written).toEqual([]);
        const { version: now } = (await world.get(id)).event;
        expect((await verb.act(world, id, now)).outcome).toBe(verb.outcome);
        expect(await verb.isDone(world, `Seen ${tag}`, day)).toBe(true);
      });

      test('P08: what changes in the last moment is a conflict, and not tried again', async () => {
        const { id } = await verb.prepare(world, `Race ${tag}`);
        // Where the way can tell no version to the vendor, between two looks: there is nothing later that could be seen.
        const tellsVersion = !isChild(way) && !(isGraph(way) && verb.kind === 'respond');
        const written = await world.written(async () => {
          const happens = (): void => world.rename(`Race ${tag}`, `Race ${tag}, lost`);
          const act = () => verb.act(world, id);
          const told = tellsVersion
            ? await world.asItComes(verb.kind, happens, act)
            : await world.asItComes('get', happens, act, 2);
          expect(told).toMatchObject({
            outcome: 'conflict',
            event: { title: `Race ${tag}, lost`, version: expect.any(String) },
          });
        });
        expect(written.map(({ status }) => status)).toEqual(tellsVersion ? [412] : []);
        const { event } = await world.get(id);
        expect(event.title).toBe(`Race ${tag}, lost`);
        expect(event.location).toBeUndefined();
        if (verb.kind === 'respond') expect(event.response).toBe('notResponded');
      });

      test('an answer that got lost is found out about: it is done, once', async () => {
        const { id, day } = await verb.prepare(world, `Lost ${tag}`);
        const written = await world.written(async () => {
          const told = await world.during(verb.kind, { dropAnswer: true, times: 1 }, () => verb.act(world, id));
          expect(told).toMatchObject({ outcome: verb.outcome, event: { title: `Lost ${tag}` } });
        });
        expect(await verb.isDone(world, `Lost ${tag}`, day)).toBe(true);
        // The Google child repeats a deletion by itself.
        const isRepeated = way === 'google child' && verb.kind === 'delete';
        expect(written.filter(isKind(way, verb.kind))).toHaveLength(isRepeated ? 2 : 1);
      });

      test('a server that could not do it did not: it is said so, and not done later', async () => {
        const { id, day } = await verb.prepare(world, `Down ${tag}`);
        const fault = isGraph(way) ? { status: 503 } : googleFaults.backendError;
        const written = await world.written(() =>
          world.during(verb.kind, fault, () =>
            expect(verb.act(world, id)).rejects.toMatchObject({
              code: 'UNAVAILABLE',
              account: 'desk',
              message: expect.stringMatching(/the change (?:was not made|is not there so far)/),
              hint: expect.any(String),
            }),
          ),
        );
        expect(await verb.isDone(world, `Down ${tag}`, day)).toBe(false);
        expect(new Set(written.map(({ status }) => status))).toEqual(new Set([503]));
        if (!isChild(way)) expect(written).toHaveLength(1);
      });

      if (!isChild(way)) {
        test('a server that dies over it leaves it open, and says so', async () => {
          const { id } = await verb.prepare(world, `Dead ${tag}`);
          let isSent = false;
          const isAfter: Fault['match'] = (target) => {
            isSent ||= isKind(way, verb.kind)(target);
            return isSent && target.method === 'GET';
          };
          const written = await world.written(() =>
            world.during(isAfter, { status: 503 }, () =>
              world.during(verb.kind, { dropAnswer: true }, () =>
                expect(verb.act(world, id)).rejects.toMatchObject({
                  code: 'UNAVAILABLE',
                  account: 'desk',
                  message: expect.stringContaining('nobody knows whether the change was made'),
                  hint: 'look at the event before you try again',
                }),
              ),
            ),
          );
          expect(written).toHaveLength(1);
        });

        test('one that does not answer in time is looked after', async () => {
          const { id, day } = await verb.prepare(world, `Slow ${tag}`);
          const act = (deadlineMs: number) => verb.act({ ...world, ...handsOf(world.app, { deadlineMs }) }, id);
          await world.during(verb.kind, { hang: true }, () =>
            expect(act(700)).rejects.toMatchObject({
              code: 'UNAVAILABLE',
              account: 'desk',
              message: expect.stringContaining('the change is not there so far'),
              hint: expect.stringContaining('in a moment'),
            }),
          );
          expect(await verb.isDone(world, `Slow ${tag}`, day)).toBe(false);
        });
      }

      const statuses: readonly (readonly [string, Omit<Fault, 'match'>, string])[] = [
        ['403', { status: 403 }, 'FORBIDDEN'],
        ['404', { status: 404 }, 'NOT_FOUND'],
      ];
      test.each(isChild(way) ? [] : statuses)('%s is told as it is', async (status, fault, code) => {
        const { id, day } = await verb.prepare(world, `No ${status} ${tag}`);
        const written = await world.written(() =>
          world.during(verb.kind, fault, () =>
            expect(verb.act(world, id)).rejects.toMatchObject({
              code,
              account: 'desk',
              hint: expect.stringMatching(/./),
            }),
          ),
        );
        expect(written).toHaveLength(1);
        expect(await verb.isDone(world, `No ${status} ${tag}`, day)).toBe(false);
      });

      // A child server that names no version to its vendor is not told that it is another one.
      const conflicts = way === 'google child' ? [] : isChild(way) ? ['412'] : ['409', '412'];
      test.each(conflicts)('%s is a conflict, not tried again', async (status) => {
        const { id, day } = await verb.prepare(world, `No ${status} ${tag}`);
        const written = await world.written(async () => {
          const told = await world.during(verb.kind, { status: Number(status) }, () => verb.act(world, id));
          expect(told).toMatchObject({ outcome: 'conflict', event: { title: `No ${status} ${tag}` } });
        });
        expect(written).toHaveLength(1);
        expect(await verb.isDone(world, `No ${status} ${tag}`, day)).toBe(false);
      });

      test('429 is done after the time that it asks for, once', async () => {
        const { id, day } = await verb.prepare(world, `Throttled ${tag}`);
        const throttled = isGraph(way)
          ? { status: 429, headers: { 'retry-after': '0.4' } }
          : googleFaults.tooManyRequests;
        const fault = { ...throttled, times: 1 };
        const written = await world.written(async () => {
          const told = await world.during(verb.kind, fault, () => verb.act(world, id));
          expect(told.outcome).toBe(verb.outcome);
        });
        expect(written.map(({ status }) => (status < 300 ? 'done' : status))).toEqual([429, 'done']);
        expect(await verb.isDone(world, `Throttled ${tag}`, day)).toBe(true);
      });
    });

    test('what was lost, and changed by somebody else since, is said to be neither done nor not done', async () => {
      const { id } = await world.make('Overtaken');
      const overtake = (): void => world.rename('Mine', 'Theirs');
      const written = await world.written(() =>
        world.afterwards('change', overtake, () =>
          world.during('change', { dropAnswer: true }, () =>
            expect(world.update({ id, title: 'Mine' })).rejects.toMatchObject({
              code: 'UNAVAILABLE',
              message: expect.stringContaining('has changed since, by this change or by another one'),
              hint: expect.stringContaining('look at it'),
            }),
          ),
        ),
      );
      expect(written).toHaveLength(1);
    });

    describe('create_event', () => {
      const isCreate = isKind(way, 'create');
      const times = () => ({ account: 'desk', start: `${world.day()}T10:00`, end: '+1h' });

      test.each(isChild(way) ? [1] : [1, 2])('P09: whose answer is lost (%i) exists once', async (lost) => {
        const wish = { ...times(), title: `Made ${lost}` };
        const written = await world.written(async () => {
          const told = await world.during('create', { dropAnswer: true, times: lost }, () => world.create(wish));
          expect(told).toMatchObject({ outcome: 'created', event: { title: wish.title } });
        });
        expect(written.filter(isCreate).length).toBeGreaterThan(lost);
        expect(await world.ids(wish.title, wish.start.slice(0, 10))).toHaveLength(1);
      });

      test('P09: one that nobody ever answers is found, or left open; asked for again it is there, once', async () => {
        const wish = { ...times(), title: 'Unheard' };
        await world.during('create', { dropAnswer: true }, async () => {
          // Graph is looked through before it is asked again.
          if (isGraph(way)) expect((await world.create(wish)).outcome).toBe('created');
          else
            await expect(world.create(wish)).rejects.toMatchObject({
              code: 'UNAVAILABLE',
              account: 'desk',
              message: expect.stringContaining('nobody knows whether it was created'),
              hint: 'ask for exactly the same again: it is created once',
            });
        });
        expect((await world.create(wish)).outcome).toBe('existed');
        expect(await world.ids('Unheard', wish.start.slice(0, 10))).toHaveLength(1);
      });

      test('P09: the same words, or the same key, are the same event, until that is deleted', async () => {
        const wish = { ...times(), title: 'Wish' };
        const day = wish.start.slice(0, 10);
        const first = await world.create(wish);
        const again = await world.create(wish);
        expect([first.outcome, again.outcome]).toEqual(['created', 'existed']);
        expect(again.event).toMatchObject({ id: first.event?.id, version: first.event?.version });
        const keyed = await world.create({ ...wish, key: 'one more' });
        const other = await world.create({ ...wish, title: 'Wish, in other words', key: 'one more' });
        expect([keyed.outcome, other.outcome]).toEqual(['created', 'existed']);
        expect(other.event).toMatchObject({ id: keyed.event?.id, title: 'Wish' });
        expect(await world.ids('Wish', day)).toHaveLength(2);
        await world.delete({ id: first.event?.id ?? '' });
        const anew = await world.create(wish);
        expect(anew.outcome).toBe('created');
        expect(anew.event?.id).not.toBe(first.event?.id);
        expect(await world.ids('Wish', day)).toHaveLength(2);
      });

      test('429 and 503 are asked again, and make it once', async () => {
        const faults = isGraph(way)
          ? [{ status: 429, headers: { 'retry-after': '0.4' } }, { status: 503 }]
          : [googleFaults.tooManyRequests, googleFaults.backendError];
        for (const [index, fault] of faults.entries()) {
          const wish = { ...times(), title: `Patient ${index}` };
          const told = await world.during('create', { ...fault, times: 1 }, () => world.create(wish));
          expect(told.outcome).toBe('created');
          expect(await world.ids(wish.title, wish.start.slice(0, 10))).toHaveLength(1);
        }
      });

      test.each(isChild(way) ? [] : ([403, 404, 412] as const))('%i is told as it is', async (status) => {
        const wish = { ...times(), title: `No ${status}` };
        const code = { 403: 'FORBIDDEN', 404: 'NOT_FOUND', 412: 'CONFLICT' }[status];
        const written = await world.written(() =>
          world.during('create', { status }, () =>
            expect(world.create(wish)).rejects.toMatchObject({
              code,
              account: 'desk',
              hint: expect.stringMatching(/./),
            }),
          ),
        );
        expect(new Set(written.map((one) => one.status))).toEqual(new Set([status]));
        expect(await world.ids(wish.title, wish.start.slice(0, 10))).toEqual([]);
      });

      test('a series that is there, and cannot be read, is not said to be missing', async () => {
        if (isChild(way)) return;
        const wish = { ...times(), title: 'Blind', repeat: 'FREQ=DAILY;COUNT=3' };
        let isMade = false;
        const isAfter: Fault['match'] = (target) => {
          if (isCreate(target)) isMade = true;
          return isMade && (target.method === 'GET' || target.path.endsWith('$batch'));
        };
        const told = await world.during(isAfter, { status: 503 }, () => world.create(wish));
        expect(told).toMatchObject({ outcome: 'created', event: { title: 'Blind', recurring: true } });
        // It has no id of its own that could be asked for.
        expect(told.event).not.toHaveProperty('id');
        expect(await world.ids('Blind', `${wish.start.slice(0, 10)}..2027-12-31`)).toHaveLength(3);
      });
    });

    test('P10: of what repeats it has to be said how much is meant', async () => {
      const { id, day } = await world.make('Repeats', { repeat: 'FREQ=DAILY;COUNT=3' });
      const written = await world.written(async () => {
        for (const act of [() => world.update({ id, title: 'x' }), () => world.delete({ id })])
          await expect(act()).rejects.toMatchObject({
            code: 'INPUT_INVALID',
            hint: expect.stringMatching(/scope: this .* following .* all/),
          });
        await expect(world.update({ id, scope: 'this', repeat: 'FREQ=DAILY' })).rejects.toMatchObject({
          code: 'INPUT_INVALID',
          hint: expect.stringContaining('scope: all'),
        });
      });
      expect(written).toEqual([]);
      // Of what does not, it may be said.
      const single = await world.make('Once');
      expect((await world.update({ id: single.id, scope: 'all', location: 'Room 1' })).outcome).toBe('updated');
      expect(await world.ids('Repeats', day)).toEqual([id]);
    });
  });
