/** Who is e-mailed, what a dry run shows, and whether what was written is read at once: by every way to a calendar. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lasting } from '../harness.ts';
import { accountOf, enter, isGraph, openWorld, STRANGER, VENDORS, type World } from './writing-world.ts';

const weekly = { repeat: 'FREQ=WEEKLY;COUNT=4' } as const;

// One of the two ways to talk to the server for Microsoft: what is asked of it is the same.
for (const way of VENDORS.filter((each) => each !== 'graph http'))
  describe(way, () => {
    let world: World;
    let end: () => Promise<void>;
    beforeAll(async () => {
      ({ opened: world, end } = await lasting(() => openWorld(way)));
    }, 60_000);
    afterAll(() => end());

    type Told = Awaited<ReturnType<World['create']>>;
    /** Asks for a preview, then does it: those whom the preview named are mailed, and nobody else. */
    async function previewed(wish: (more: { dryRun?: true }) => Promise<Told>): Promise<Told & { mailed: string[] }> {
      let preview: Told | undefined;
      const quiet = await world.mailed(async () => {
        const written = await world.written(async () => {
          preview = await wish({ dryRun: true });
        });
        expect(written).toEqual([]);
      });
      expect(quiet).toEqual([]);
      let told: Told | undefined;
      const mailed = await world.mailed(async () => {
        told = await wish({});
      });
      if (preview === undefined || told === undefined) throw new TypeError('nothing was told');
      expect(preview.outcome).toBe('preview');
      expect([...(preview.mails ?? [])].sort()).toEqual(mailed);
      expect([...(told.mails ?? [])].sort()).toEqual(mailed);
      return { ...told, mailed };
    }

    const both = () => [STRANGER, world.mate].sort();
    const meeting = async (title: string, more: Parameters<World['make']>[1] = {}) =>
      world.make(title, { attendees: [world.mate], optionalAttendees: [STRANGER], notify: 'all', ...more });
    // The Google child tells nobody of a change, so it makes none that somebody would have to be told of.
    const isMute = way === 'google child';

    describe('notify', () => {
      test('those invited are named before they are invited, and nobody is without notify: all', async () => {
        const wish = {
          account: 'desk',
          title: 'Invites',
          start: `${world.day()}T10:00`,
          attendees: [world.mate],
          optionalAttendees: [STRANGER],
        };
        const before = world.sandbox.requests.length;
        for (const notify of [undefined, 'none'] as const)
          await expect(world.create({ ...wish, ...(notify ? { notify } : {}) })).rejects.toMatchObject({
            code: 'INPUT_INVALID',
            account: 'desk',
            message: expect.stringContaining(`${world.mate}, ${STRANGER} would be e-mailed`),
            hint: expect.stringContaining('notify: all'),
          });
        expect(world.sandbox.requests).toHaveLength(before);
        const preview = await world.create({ ...wish, dryRun: true });
        expect(preview).toMatchObject({
          mails: [world.mate, STRANGER],
          needs: [expect.stringContaining('notify: all')],
        });
        const { mailed } = await previewed((more) => world.create({ ...wish, notify: 'all', ...more }));
        expect(mailed).toEqual(both());
        expect(world.mails('Invites')).toEqual([`invitation ${world.mate}`, `invitation ${STRANGER}`]);
      });

      test('a change of one’s own meeting says whom it mails', async () => {
        const { id } = await meeting('Changes');
        for (const change of [{ start: '14:00' }, { title: 'Changes a lot' }, { location: 'Room 1' }]) {
          const written = await world.written(() =>
            expect(world.update({ id, ...change })).rejects.toMatchObject({
              code: 'INPUT_INVALID',
              message: expect.stringContaining(world.mate),
              hint: expect.stringContaining('notify: all'),
            }),
          );
          expect(written).toEqual([]);
          if (isMute) {
            // A preview says so as well.
            for (const dryRun of [true, false])
              await expect(world.update({ id, ...change, notify: 'all', dryRun })).rejects.toMatchObject({
                code: 'READ_ONLY',
                account: 'desk',
                hint: expect.stringContaining('leave out child:'),
              });
            continue;
          }
          const { mailed } = await previewed((more) => world.update({ id, ...change, notify: 'all', ...more }));
          expect(mailed, JSON.stringify(change)).toEqual(both());
        }
      });

      test('who is added or removed hears of it, and the others do not', async () => {
        if (isMute) return;
        const { id } = await meeting('Guests');
        const added = await previewed((more) =>
          world.update({ id, addAttendees: ['late@away.example'], notify: 'all', ...more }),
        );
        expect(added.mailed).toEqual(['late@away.example']);
        const removed = await previewed((more) =>
          world.update({ id, removeAttendees: [STRANGER], notify: 'all', ...more }),
        );
        expect(removed.mailed).toEqual([STRANGER]);
        const swapped = await previewed((more) =>
          world.update({ id, title: 'Guests 2', removeAttendees: ['late@away.example'], notify: 'all', ...more }),
        );
        expect(swapped.mailed).toEqual(['late@away.example', world.mate]);
      });

      test('what is nobody else’s business mails nobody, and needs nobody’s leave', async () => {
        const { id } = await meeting('Private');
        const fields = isGraph(way)
          ? [{ reminders: [5] }, { busy: 'tentative' as const }, { categories: ['Red category'] }]
          : [{ reminders: [5] }, { busy: 'free' as const }, { color: 'tomato' }, { sensitivity: 'private' as const }];
        for (const change of fields) {
          const { mailed, outcome, needs } = await previewed((more) => world.update({ id, ...change, ...more }));
          expect([mailed, outcome, needs], JSON.stringify(change)).toEqual([[], 'updated', undefined]);
        }
        // With other words for what it is already, it is no change that anybody could be told of.
        const same = await previewed((more) => world.update({ id, title: 'Private', ...more }));
        expect(same.mailed).toEqual([]);
        const alone = await world.make('Alone');
        expect(
          (await previewed((more) => world.update({ id: alone.id, title: 'Alone, too', ...more }))).mailed,
        ).toEqual([]);
      });

      test('a deletion cancels the meeting for those invited, and takes away no more than the own copy of another’s', async () => {
        const { id } = await meeting('Off');
        await expect(world.delete({ id })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
        const own = await previewed((more) => world.delete({ id, notify: 'all', ...more }));
        expect(own.mailed).toEqual(both());
        expect(world.mails('Off').slice(-2)).toEqual([`cancellation ${world.mate}`, `cancellation ${STRANGER}`]);
        const theirs = await world.invited('Theirs to call off');
        const copy = await previewed((more) => world.delete({ id: theirs.id, ...more }));
        expect(copy.mailed).toEqual([]);
        expect(copy.notes).toContain('a meeting of somebody else: only your copy goes');
        expect(await world.theirs.ids('Theirs to call off', theirs.day)).toHaveLength(1);
      });

      test('an answer goes to the organizer, with its words, or to nobody', async () => {
        const { id } = await world.invited('Answer me');
        await expect(
          world.respond({ id, response: 'accepted', notify: 'none', comment: 'On my way' }),
        ).rejects.toMatchObject({ code: 'INPUT_INVALID' });
        const silent = await previewed((more) => world.respond({ id, response: 'tentative', notify: 'none', ...more }));
        expect(silent.mailed).toEqual([]);
        const heard = await previewed((more) =>
          world.respond({ id, response: 'accepted', notify: 'all', comment: 'On my way', ...more }),
        );
        expect(heard).toMatchObject({
          mailed: [world.mate],
          changes: [{ field: 'response', from: 'tentative', to: 'accepted' }],
        });
        expect(world.sandbox.mails.at(-1)).toMatchObject({ kind: 'response', to: world.mate, comment: 'On my way' });
      });

      test('a series: one occurrence, those that follow, all', async () => {
        const { id, day } = await meeting('Rounds', weekly);
        if (isMute) {
          // Nothing is begun that could not be brought to its end.
          const [, second = ''] = await world.ids('Rounds', `${day}..2027-12-31`);
          const cut = { id: second, scope: 'following', notify: 'all' } as const;
          const written = await world.written(async () => {
            await expect(world.update({ ...cut, start: '16:00' })).rejects.toMatchObject({ code: 'READ_ONLY' });
            await expect(world.delete(cut)).rejects.toMatchObject({ code: 'READ_ONLY' });
          });
          expect(written).toEqual([]);
          await world.delete({ id, scope: 'all', notify: 'all' });
          return;
        }
        const one = await previewed((more) =>
          world.update({ id, scope: 'this', location: 'Room 1', notify: 'all', ...more }),
        );
        expect(one.mailed).toEqual(both());
        const all = await previewed((more) =>
          world.update({ id, scope: 'all', location: 'Room 2', notify: 'all', ...more }),
        );
        expect(all.mailed).toEqual(both());
        const later = new Date(Date.parse(day) + 14 * 86_400_000).toISOString().slice(0, 10);
        const [third = ''] = await world.ids('Rounds', later);
        const following = await previewed((more) =>
          world.update({ id: third, scope: 'following', start: '16:00', notify: 'all', ...more }),
        );
        expect(following.mailed).toEqual(both());
        const [last = ''] = await world.ids('Rounds', later);
        const gone = await previewed((more) => world.delete({ id: last, scope: 'following', notify: 'all', ...more }));
        expect(gone.mailed).toEqual(both());
      });
    });

    describe('a dry run', () => {
      test('writes nothing, whatever it is a preview of', async () => {
        const { id } = await world.make('Dry', weekly);
        const invited = await world.invited('Dry invitation');
        const before = world.held();
        const written = await world.written(async () => {
          for (const scope of ['this', 'following', 'all'] as const) {
            expect(await world.update({ id, scope, start: '15:00', dryRun: true })).toMatchObject({
              outcome: 'preview',
            });
            expect(await world.delete({ id, scope, dryRun: true })).toMatchObject({ outcome: 'preview' });
          }
          const answer = { id: invited.id, response: 'accepted', notify: 'all', dryRun: true } as const;
          expect(await world.respond(answer)).toMatchObject({ outcome: 'preview' });
        });
        expect(written).toEqual([]);
        expect(world.held()).toEqual(before);
      });

      test('tells the exact change, which is then made', async () => {
        const { id, day } = await world.make('Exact', { location: 'Room 1', reminders: [10] });
        const wish = { id, title: 'Exactly', start: '11:30', location: 'Room 2', text: 'New\nwords', reminders: [5] };
        const preview = await world.update({ ...wish, dryRun: true });
        const offset = /([+-]\d\d:\d\d)$/.exec(preview.event?.start ?? '')?.[1];
        const changes = [
          { field: 'title', from: 'Exact', to: 'Exactly' },
          { field: 'start', from: `${day}T10:00${offset}`, to: `${day}T11:30${offset}` },
          { field: 'end', from: `${day}T11:00${offset}`, to: `${day}T12:30${offset}` },
          { field: 'location', from: 'Room 1', to: 'Room 2' },
          { field: 'text', to: 'New words' },
          { field: 'reminders', from: '10 min before', to: '5 min before' },
        ];
        expect(new Set(preview.changes)).toEqual(new Set(changes));
        const told = await world.update({ ...wish, version: preview.event?.version });
        expect(told).toMatchObject({ outcome: 'updated', changes: preview.changes });
        const { event } = await world.get(told.event?.id ?? '');
        expect(event).toMatchObject({
          title: 'Exactly',
          start: `${day}T11:30:00${offset}`,
          end: `${day}T12:30:00${offset}`,
          location: 'Room 2',
          text: 'New\nwords',
        });
      });

      test('an event is in nobody’s way when it is moved onto itself', async () => {
        const { id, day } = await world.make('Itself', weekly);
        await world.create({ account: 'desk', title: 'Neighbour', start: `${day}T11:30`, end: '+30m' });
        for (const scope of ['this', 'following', 'all'] as const) {
          const preview = await world.update({ id, scope, start: '10:45', dryRun: true });
          expect(
            preview.conflicts?.map(({ title }) => title),
            scope,
          ).toEqual(['Neighbour']);
        }
      });
    });

    describe('what was written is read at once', () => {
      const idOf = ({ event }: Told): string => event?.id ?? '';

      test('by the id that the change told: created, changed, moved to another day, deleted', async () => {
        const { id, day, version } = await world.make('Read');
        expect(await world.ids('Read', day)).toEqual([id]);
        const { event } = await world.get(id);
        expect(event).toMatchObject({ title: 'Read', version });
        const named = await world.update({ id, title: 'Read again' });
        expect(idOf(named)).toBe(id);
        expect(await world.seen('Read', day)).toEqual([`${day}T10:00 Read again`]);
        const other = new Date(Date.parse(day) + 86_400_000).toISOString().slice(0, 10);
        const moved = await world.update({ id, start: `${other}T09:00`, version: named.event?.version });
        expect(moved.outcome).toBe('updated');
        expect(await world.ids('Read', other)).toEqual([idOf(moved)]);
        // The id that it had before leads to it as well.
        for (const each of [id, idOf(moved)])
          expect((await world.get(each)).event).toMatchObject({ title: 'Read again', version: moved.event?.version });
        const whole = await world.update({ id: idOf(moved), start: other });
        expect(whole.event).toMatchObject({ start: other, allDay: true });
        expect(await world.seen('Read', other)).toEqual([`${other} Read again`]);
        await world.delete({ id: idOf(whole) });
        expect(await world.ids('Read', `${day}..${other}`)).toEqual([]);
        await expect(world.update({ id, title: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      });

      test('of a series: its first occurrence, one that was changed, the first of those that follow', async () => {
        const { id, day } = await world.make('Round', weekly);
        const at = (week: number) => new Date(Date.parse(day) + week * 7 * 86_400_000).toISOString().slice(0, 10);
        expect(await world.ids('Round', day)).toEqual([id]);
        expect((await world.get(id)).event).toMatchObject({ title: 'Round', recurring: true });
        const [second = ''] = await world.ids('Round', at(1));
        const one = await world.update({ id: second, scope: 'this', start: '12:00' });
        expect(await world.ids('Round', at(1))).toEqual([idOf(one)]);
        expect((await world.update({ id: idOf(one), scope: 'this', location: 'Room 1' })).outcome).toBe('updated');
        const [third = ''] = await world.ids('Round', at(2));
        const following = await world.update({ id: third, scope: 'following', start: '13:00' });
        expect(await world.ids('Round', at(2))).toEqual([idOf(following)]);
        const [fourth = ''] = await world.ids('Round', at(3));
        const all = await world.update({ id: fourth, scope: 'all', title: 'Rounded' });
        expect(await world.ids('Rounded', at(2))).toEqual([idOf(all)]);
        expect((await world.delete({ id: idOf(all), scope: 'all' })).outcome).toBe('deleted');
        expect(await world.ids('Round', `${day}..${at(5)}`)).toHaveLength(2);
      });

      test('an answer', async () => {
        const { id, day } = await world.invited('Reply');
        const told = await world.respond({ id, response: 'accepted', notify: 'none' });
        expect(await world.ids('Reply', day)).toEqual([idOf(told)]);
        const changed = await world.update({ id: idOf(told), reminders: [5] });
        expect(changed.outcome).toBe('updated');
      });
    });
  });

describe('conflicts and duplicates of all accounts', () => {
  async function three(): Promise<World> {
    const world = await openWorld('graph', {
      more: (sandbox) => [
        accountOf(sandbox, 'google', 'home', 'write'),
        'accounts:\n  notes: { provider: memory, access: write }\n',
      ],
    });
    await enter(world.app, world.sandbox, 'google', 'home', 'you@home.example');
    return world;
  }
  const times = { start: '2026-12-08T10:00', end: '+1h' };

  test('are told before and after, and an account that fails is named', async () => {
    const world = await three();
    for (const account of ['desk', 'home', 'notes'])
      await world.create({ account, title: `At ${account}`, start: '2026-12-08T10:30', end: '+1h' });
    await world.create({ account: 'home', title: 'Review', ...times });
    await world.create({ account: 'notes', title: 'Free', ...times, busy: 'free' });
    const wish = { account: 'desk', title: 'REVIEW', ...times };
    const preview = await world.create({ ...wish, dryRun: true });
    expect(preview).toMatchObject({
      outcome: 'preview',
      complete: true,
      conflicts: [{ title: 'At desk' }, { title: 'At home' }, { title: 'At notes' }],
      possibleDuplicates: [{ title: 'Review' }],
    });
    const isGoogle = ({ path }: { path: string }): boolean => path.startsWith('/google/calendar/');
    const told = await world.during(isGoogle, { status: 503 }, () => world.create(wish));
    expect(told).toMatchObject({
      outcome: 'created',
      complete: false,
      conflicts: [{ title: 'At desk' }, { title: 'At notes' }],
      accounts: [
        { account: 'desk', status: 'ok' },
        { account: 'home', status: 'unavailable' },
        { account: 'notes', status: 'ok' },
      ],
    });
    // The second look at the same hour finds what was made, once.
    const id = told.event?.id ?? '';
    const moved = await world.during(isGoogle, { status: 503 }, () =>
      world.update({ id, start: '2026-12-08T11:00', dryRun: true }),
    );
    expect(moved).toMatchObject({ complete: false, conflicts: [{ title: 'At desk' }, { title: 'At notes' }] });
  });

  test('of a series: each of its occurrences', async () => {
    const world = await three();
    await world.create({ account: 'home', title: 'Third week', start: '2026-12-22T10:15', end: '+15m' });
    const wish = { account: 'desk', title: 'Series', ...times, repeat: 'FREQ=WEEKLY;COUNT=4', dryRun: true };
    expect(await world.create(wish)).toMatchObject({ complete: true, conflicts: [{ title: 'Third week' }] });
  });
});
