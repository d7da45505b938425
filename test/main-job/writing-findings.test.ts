/** What a hostile review of writing found: whose meeting it is, whom a change mails, and what nothing may be lost by. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openTestApp } from '../harness.ts';
import { accountOf, DIRECT, enter, handsOf, isKind, openWorld, type World } from './writing-world.ts';

const plus = (day: string, days: number): string =>
  new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
const weeks = (day: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => plus(day, 7 * index));
const month = (day: string): string => `${day}..${plus(day, 40)}`;

async function onDay(world: World, title: string, day: string): Promise<string> {
  const [id, ...more] = await world.ids(title, `${day}..${day}`);
  if (id === undefined || more.length > 0) throw new RangeError(`not one ${title} on ${day}`);
  return id;
}

/** Changes what Google holds of one's own copy, as its own pages do. */
function atGoogle(world: World, title: string, change: (properties: Record<string, unknown>) => object): void {
  const held = world.sandbox.google.data.calendars.find(({ id }) => id === world.you) as unknown as {
    events: { properties: Record<string, unknown> }[];
  };
  const all = held.events.filter(({ properties }) => properties.summary === title);
  if (all.length === 0) throw new RangeError(`nothing is called ${title}`);
  for (const one of all) one.properties = { ...one.properties, ...change(one.properties) };
}

/** Changes what Outlook holds of one's own series. */
function atGraph(world: World, title: string, change: object): void {
  type Series = { master: { properties: Record<string, unknown> } };
  const mine = world.sandbox.data.mailboxes.find(({ username }) => username === world.you);
  const series = (mine?.calendars ?? []).flatMap((each) => (each.series ?? []) as unknown as Series[]);
  const all = series.filter(({ master }) => master.properties.subject === title);
  if (all.length === 0) throw new RangeError(`nothing is called ${title}`);
  for (const { master } of all) master.properties = { ...master.properties, ...change };
}

describe('whose meeting it is', () => {
  async function declinedOwn() {
    const world = await openWorld('google');
    const { id, day } = await world.make('Mine', { attendees: [world.mate], notify: 'all' });
    const me = { email: world.you, organizer: true, self: true, responseStatus: 'declined' };
    atGoogle(world, 'Mine', ({ attendees }) => ({ attendees: [...(attendees as object[]), me] }));
    expect((await world.get(id)).event.response).toBe('declined');
    return { world, id, day };
  }

  test('a meeting of my own that I declined is still mine: deleting it needs notify and says whom it mails', async () => {
    const { world, id, day } = await declinedOwn();
    const preview = await world.delete({ id, dryRun: true });
    expect(preview.mails).toEqual([world.mate]);
    expect(preview.needs?.join()).toContain('notify: all');
    expect(preview.notes?.join() ?? '').not.toContain('somebody else');
    await expect(world.delete({ id })).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    expect(await world.theirs.seen('Mine', day)).toHaveLength(1);
    expect(world.mails('Mine')).toEqual([`invitation ${world.mate}`]);
    await world.delete({ id, notify: 'all' });
    expect(await world.theirs.seen('Mine', day)).toEqual([]);
    expect(world.mails('Mine')).toContain(`cancellation ${world.mate}`);
  });

  test('a meeting of my own that I declined can be changed', async () => {
    const { world, id, day } = await declinedOwn();
    expect(await world.update({ id, title: 'Mine too', notify: 'all' })).toMatchObject({ outcome: 'updated' });
    expect(await world.theirs.seen('Mine', day)).toEqual([`${day}T10:00 Mine too`]);
  });

  test('an invitation that says "none", as one by a distribution list does, is somebody else’s', async () => {
    const world = await openWorld('graph');
    const attendees = [world.you, 'third@away.example'];
    const { day } = await world.invited('Listed', { repeat: 'FREQ=WEEKLY;COUNT=4', attendees });
    atGraph(world, 'Listed', { responseStatus: { response: 'none', time: '0001-01-01T00:00:00Z' } });
    const id = await onDay(world, 'Listed', plus(day, 7));
    const refused = { code: 'INPUT_INVALID', message: expect.stringContaining('somebody else') };
    const before = world.mails('Listed');
    await expect(world.update({ id, scope: 'following', reminders: [5], notify: 'all' })).rejects.toMatchObject(
      refused,
    );
    await expect(world.update({ id, scope: 'all', title: 'Listed too', notify: 'all' })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    const preview = await world.delete({ id, scope: 'all', dryRun: true });
    expect(preview.mails).toBeUndefined();
    expect(preview.notes?.join()).toContain('only your copy goes');
    expect(world.mails('Listed')).toEqual(before);
    expect(await world.seen('Listed', month(day))).toHaveLength(4);
  });
});

describe.each(DIRECT)('by %s', (way) => {
  /** Four weeks of one's own, the third with a guest of its own. */
  async function withGuest(title: string) {
    const world = await openWorld(way);
    const { id, day } = await world.make(title, { repeat: 'FREQ=WEEKLY;COUNT=4' });
    const third = await onDay(world, title, plus(day, 14));
    await world.update({ id: third, scope: 'this', addAttendees: [world.mate], notify: 'all' });
    expect(world.mails(title)).toEqual([`invitation ${world.mate}`]);
    return { world, id, second: await onDay(world, title, plus(day, 7)) };
  }

  const CHANGES: readonly [string, (world: World, id: string, second: string, more: object) => Promise<unknown>][] = [
    ['deleting all', (world, id, _, more) => world.delete({ id, scope: 'all', ...more })],
    ['deleting the following ones', (world, _, id, more) => world.delete({ id, scope: 'following', ...more })],
    ['moving all', (world, id, _, more) => world.update({ id, scope: 'all', start: '16:00', ...more })],
    ['cutting in two', (world, _, id, more) => world.update({ id, scope: 'following', title: 'New half', ...more })],
  ];
  test.each(CHANGES)(
    '%s needs notify where one occurrence has a guest of its own, and names the guest',
    async (_, change) => {
      const { world, id, second } = await withGuest('Solo');
      const before = world.sandbox.mails.length;
      const held = world.held();
      expect(await change(world, id, second, { dryRun: true })).toMatchObject({
        outcome: 'preview',
        mails: [world.mate],
        needs: [expect.stringContaining('notify: all')],
      });
      await expect(change(world, id, second, {})).rejects.toMatchObject({
        code: 'INPUT_INVALID',
        message: expect.stringContaining(world.mate),
      });
      expect(world.sandbox.mails).toHaveLength(before);
      expect(world.held()).toEqual(held);
      expect(await change(world, id, second, { notify: 'all' })).toMatchObject({ mails: [world.mate] });
    },
  );

  test('what leaves such a series as it is, or says who else comes, is no news for the guest', async () => {
    const { world, id } = await withGuest('News');
    const more = ['new@away.example'];
    const shown = await world.update({ id, scope: 'all', addAttendees: more, dryRun: true });
    expect(shown.mails).toEqual(more);
    for (const change of [{ title: 'News' }, { reminders: [5] }])
      expect(await world.update({ id, scope: 'all', ...change, dryRun: true })).not.toHaveProperty('mails');
    expect(await world.update({ id, scope: 'all', title: 'Other news', dryRun: true })).toMatchObject({
      mails: [world.mate],
    });
  });

  /** Hands of the same person whose first change arrives late, after its connection broke. */
  async function withLateChange(world: World, ms: number) {
    let armed = true;
    let arrived: (status: number) => void = () => undefined;
    const arrival = new Promise<number>((resolve) => {
      arrived = resolve;
    });
    const late: typeof fetch = async (input, init) => {
      const request = new Request(input, init);
      if (!armed || request.method !== 'PATCH') return fetch(input, init);
      armed = false;
      const { url, method, headers } = request;
      const body = await request.text();
      void wait(ms)
        .then(() => fetch(url, { method, headers, body }))
        .then(({ status }) => arrived(status));
      throw new TypeError('fetch failed', {
        cause: Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }),
      });
    };
    const { app } = await openTestApp(accountOf(world.sandbox, way, 'desk', 'write'), { fetch: late });
    await enter(app, world.sandbox, way, 'desk', world.you);
    return { hands: handsOf(app), arrival };
  }

  test('a cut that arrives after its connection broke and after the look at it loses no meeting', async () => {
    const world = await openWorld(way);
    const { day } = await world.make('Late', { repeat: 'FREQ=WEEKLY;COUNT=6' });
    await world.delete({ id: await onDay(world, 'Late', plus(day, 21)), scope: 'this' });
    const { hands, arrival } = await withLateChange(world, 700);
    const [id = ''] = await hands.ids('Late', `${plus(day, 14)}..${plus(day, 14)}`);
    const outcome = await hands.update({ id, scope: 'following', title: 'Later' }).then(
      () => 'made',
      ({ code }: { code: string }) => code,
    );
    expect(await arrival).toBe(200);
    // What was called off is no meeting, and stays called off.
    const days = weeks(day, 6).filter((date) => date !== plus(day, 21));
    const old = days.map((date) => `${date}T10:00 Late`);
    const cut = days.map((date, index) => `${date}T10:00 ${index < 2 ? 'Late' : 'Later'}`);
    expect(await world.seen('Late', month(day))).toEqual(outcome === 'made' ? cut : old);
    expect(['made', 'UNAVAILABLE']).toContain(outcome);
  });

  test('a cut that was made, and neither answered nor to be looked at, loses no meeting', async () => {
    const world = await openWorld(way);
    const { day } = await world.make('Blind', { repeat: 'FREQ=WEEKLY;COUNT=5' });
    const id = await onDay(world, 'Blind', plus(day, 14));
    let state = 'before';
    const isLook = isKind(way, 'get');
    // The answer is lost, and the one look after it is refused.
    world.sandbox.fail({
      match({ method }) {
        if (method !== 'PATCH' || state !== 'before') return false;
        state = 'cut';
        return true;
      },
      dropAnswer: true,
    });
    world.sandbox.fail({ match: (target) => isLook(target) && state === 'cut', status: 400, times: 1 });
    await expect(world.update({ id, scope: 'following', title: 'Blinder' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(state).toBe('cut');
    expect(await world.seen('Blind', month(day))).toHaveLength(5);
  });

  test('the outcome of a cut tells what its preview told: changed occurrences, and formatting that goes', async () => {
    const world = await openWorld(way);
    const { day } = await world.make('Told', { repeat: 'FREQ=WEEKLY;COUNT=5', text: 'hello' });
    const formatted = '<b>hello</b> <a href="https://pages.example/agenda">agenda</a>';
    if (way === 'google') atGoogle(world, 'Told', () => ({ description: formatted }));
    else atGraph(world, 'Told', { body: { contentType: 'html', content: `<html><body>${formatted}</body></html>` } });
    const changed = await onDay(world, 'Told', plus(day, 21));
    await world.update({ id: changed, scope: 'this', title: 'Told apart' });
    const request = { id: await onDay(world, 'Told', plus(day, 14)), scope: 'following', title: 'Told anew' } as const;
    const preview = await world.update({ ...request, dryRun: true });
    expect(preview.notes?.join()).toContain('formatting');
    expect(preview.notes?.join()).toMatch(/changed by themselves.*1/);
    expect((await world.update(request)).notes).toEqual(preview.notes);
  });

  test('without text a cut has no formatting to lose, and says nothing of it', async () => {
    const world = await openWorld(way);
    const { day } = await world.make('Bare', { repeat: 'FREQ=WEEKLY;COUNT=4' });
    const id = await onDay(world, 'Bare', plus(day, 7));
    expect(await world.update({ id, scope: 'following', title: 'Barer' })).not.toHaveProperty('notes');
  });

  test('moving all leaves what was called off called off, and tells in preview and outcome what was changed by itself', async () => {
    const world = await openWorld(way);
    const { id, day } = await world.make('Move', { repeat: 'FREQ=WEEKLY;COUNT=5' });
    await world.delete({ id: await onDay(world, 'Move', plus(day, 14)), scope: 'this' });
    await world.update({ id: await onDay(world, 'Move', plus(day, 21)), scope: 'this', title: 'Move apart' });
    const request = { id, scope: 'all', start: '14:00' } as const;
    const told = expect.arrayContaining([expect.stringMatching(/changed by themselves.*1/)]);
    expect((await world.update({ ...request, dryRun: true })).notes).toEqual(told);
    expect((await world.update(request)).notes).toEqual(told);
    const seen = (await world.seen('Move', month(day))).map((line) => line.slice(0, 16));
    expect(seen).toEqual([0, 7, 21, 28].map((days) => `${plus(day, days)}T14:00`));
  });

  test('a wish whose event was moved and renamed is made anew when it is asked for again', async () => {
    const world = await openWorld(way);
    const wish = { account: 'desk', title: 'Again', start: '2027-02-02T10:00' };
    const first = await world.create(wish);
    expect(await world.create(wish)).toMatchObject({ outcome: 'existed', event: { id: first.event?.id } });
    await world.update({ id: first.event?.id ?? '', start: '2027-02-03T10:00', title: 'Renamed' });
    const second = await world.create(wish);
    expect(second).toMatchObject({ outcome: 'created', event: { title: 'Again' } });
    expect(second.event?.id).not.toBe(first.event?.id);
    expect(await world.create(wish)).toMatchObject({ outcome: 'existed', event: { id: second.event?.id } });
    expect(await world.seen('', '2027-02-01..2027-02-05')).toEqual([
      '2027-02-02T10:00 Again',
      '2027-02-03T10:00 Renamed',
    ]);
  });

  test('a key that was named is one event for ever, and says so when that one is another by now', async () => {
    const world = await openWorld(way);
    const wish = { account: 'desk', title: 'Named', start: '2027-02-09T10:00', key: 'mine' };
    const { event } = await world.create(wish);
    expect(await world.create(wish)).not.toHaveProperty('notes');
    await world.update({ id: event?.id ?? '', start: '2027-02-10T10:00', title: 'Renamed' });
    expect(await world.create(wish)).toMatchObject({
      outcome: 'existed',
      event: { title: 'Renamed' },
      notes: [expect.stringContaining('another key')],
    });
    expect(await world.seen('', '2027-02-08..2027-02-12')).toEqual(['2027-02-10T10:00 Renamed']);
  });

  test('people in another order or case, and the same instant in another zone, are one wish', async () => {
    const world = await openWorld(way);
    const other = 'b@away.example';
    const wish = { account: 'desk', title: 'One', start: '2027-01-05T10:00', notify: 'all' as const };
    expect(await world.create({ ...wish, attendees: [world.mate, other] })).toMatchObject({ outcome: 'created' });
    const same = [
      { ...wish, attendees: [other, world.mate] },
      { ...wish, attendees: ['B@away.example', world.mate] },
      { ...wish, attendees: [world.mate, other], start: '2027-01-05T10:00+01:00' },
      { ...wish, attendees: [world.mate, other], start: '2027-01-05T09:00Z', timeZone: 'UTC' },
    ];
    for (const each of same) expect(await world.create(each)).toMatchObject({ outcome: 'existed' });
    expect(await world.seen('One', '2027-01-05')).toHaveLength(1);
    expect(await world.create({ ...wish, attendees: [world.mate] })).toMatchObject({ outcome: 'created' });
  });

  test('what is written has nothing in it that hides or steers a screen', async () => {
    const world = await openWorld(way);
    const { event } = await world.create({
      account: 'desk',
      title: 'a\u202Eb\nc\u0000d',
      location: 'l\nm\u202E',
      text: 'first\u0000\nsecond\u202E',
      start: '2027-02-05T10:00',
    });
    await world.update({ id: event?.id ?? '', title: 'e\u202Ef\ng\u0000h' });
    await world.create({ account: 'desk', title: 'i\u202Ej\nk\u0000l', start: '2027-02-06T10:00' });
    const held = JSON.stringify(world.held());
    expect(held).toMatch(/"e[^"]{0,3}f[^"]{0,3}g[^"]{0,3}h"/);
    expect(held).toMatch(/"i[^"]{0,3}j[^"]{0,3}k[^"]{0,3}l"/);
    expect(held).not.toMatch(/\u202E|\\u202e|\\u0000|[fjl]\\n/i);
    // Lines of a text are its own.
    expect(held).toMatch(/first[^"]{0,8}second/);
  });
});
