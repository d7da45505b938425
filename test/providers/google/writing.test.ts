import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventFields } from '../../../src/core/change.ts';
import { type GoogleEvent, sharedGoogleClient } from '../../../src/sandbox/index.ts';
import { googleAccounts, googleSignIn, lasting, openCall, openSandbox, openTestApp } from '../../harness.ts';
import { at, CLUB, freshKey, GUEST, MATE, openWritable, type Writable, YOU, ZONE } from './writable.ts';
import { describeWriting } from './writing-cases.ts';

describe('writing to Google directly', () => describeWriting('direct'));

describe('what only the direct way does', () => {
  let world: Writable;
  let end: () => Promise<void>;
  beforeAll(async () => {
    ({ opened: world, end } = await lasting(() => openWritable('direct')));
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
  const quiet = { notify: false };
  /** Changes what Google holds the moment that a request of this method comes in. */
  function asItComes(method: string, id: string, change: (event: GoogleEvent) => GoogleEvent): void {
    const calendar = world.sandbox.google.data.calendars.find((one) => one.id === YOU);
    if (calendar === undefined) throw new TypeError('no calendar');
    let isDone = false;
    world.sandbox.fail({
      match(target) {
        if (isDone || target.method !== method) return false;
        isDone = true;
        calendar.events = calendar.events.map((event) => (event.id === id ? change(event) : event));
        return false;
      },
      status: 500,
    });
  }
  const renamed = (event: GoogleEvent): GoogleEvent => ({
    ...event,
    properties: { ...event.properties, summary: 'Somebody was faster' },
  });

  test('P08: a change between the last look and the own one is a conflict, sent once', async () => {
    const { event, etag } = await make(meeting('Race'));
    asItComes('PATCH', event.id, renamed);
    const asked = await world.asked(() =>
      expect(
        world.writer.update(world.mine, event.id, { title: 'Mine' }, { etag, ...quiet }, openCall()),
      ).rejects.toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('another version') }),
    );
    expect(asked.filter(({ method }) => method === 'PATCH').map(({ status }) => status)).toEqual([412]);
    expect((await world.get(event.id)).fields.title).toBe('Somebody was faster');
  });

  test('P08: nothing is deleted that changed a moment ago', async () => {
    const { event, etag } = await make(meeting('Race'));
    asItComes('DELETE', event.id, renamed);
    await expect(world.writer.delete(world.mine, event.id, { etag, ...quiet }, openCall())).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    expect((await world.get(event.id)).fields.title).toBe('Somebody was faster');
  });

  test('the answers of others are not written back from an old look', async () => {
    const { event, etag } = await make(meeting('Answers', { attendees: [{ email: MATE }] }));
    asItComes('PATCH', event.id, (held) => ({
      ...held,
      properties: {
        ...held.properties,
        attendees: held.properties.attendees?.map((one) => ({ ...one, responseStatus: 'accepted' as const })) ?? [],
      },
    }));
    const attendees = [{ email: MATE }, { email: GUEST }];
    await expect(
      world.writer.update(world.mine, event.id, { attendees }, { etag, ...quiet }, openCall()),
    ).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(world.held(event.id)?.properties.attendees?.map(({ responseStatus }) => responseStatus)).toEqual([
      'accepted',
    ]);
  });

  test('defect 9: those who are invited are told of a change when they are to be, and not otherwise', async () => {
    const { event } = await make(meeting('Told', { attendees: [{ email: MATE }, { email: GUEST }] }));
    const change = async (fields: EventFields, notify: boolean) => {
      const before = world.sandbox.mails.length;
      const { etag } = await world.get(event.id);
      await world.writer.update(world.mine, event.id, fields, { etag, notify }, openCall());
      return world.sandbox.mails.slice(before).map(({ kind, to }) => `${kind} ${to}`);
    };
    expect(await change({ location: 'Room 2' }, false)).toEqual([]);
    expect(await change({ location: 'Room 3' }, true)).toEqual([`update ${MATE}`, `update ${GUEST}`]);
    const attendees = [{ email: MATE }, { email: 'new@away.example' }];
    expect(await change({ attendees }, true)).toEqual(
      expect.arrayContaining([`cancellation ${GUEST}`, 'invitation new@away.example']),
    );
    expect(await change({ attendees: [{ email: MATE }] }, false)).toEqual([]);
  });

  test('takes away a Meet link and a color', async () => {
    const { event, etag } = await make(meeting('Plain', { online: true, color: 'grape' }));
    const { fields } = await world.writer.update(
      world.mine,
      event.id,
      { online: false, color: '' },
      { etag, ...quiet },
      openCall(),
    );
    expect(fields).toEqual(meeting('Plain'));
    expect(world.held(event.id)?.properties).not.toHaveProperty('conferenceData');
  });

  test('makes somebody optional, and asks for them again', async () => {
    const { event } = await make(meeting('Optional', { attendees: [{ email: GUEST, optional: true }] }));
    for (const attendees of [[{ email: GUEST }], [{ email: GUEST, optional: true as const }]]) {
      const { etag } = await world.get(event.id);
      const options = { etag, ...quiet };
      const { fields } = await world.writer.update(world.mine, event.id, { attendees }, options, openCall());
      expect(fields.attendees).toEqual(attendees);
    }
  });

  test('a working location moves, and its title with it', async () => {
    const { event, etag } = await make(meeting('', { type: 'workingLocation', location: 'home' }));
    const options = { etag, ...quiet };
    const { fields } = await world.writer.update(world.mine, event.id, { location: 'office: 2' }, options, openCall());
    expect(fields).toMatchObject({ title: '2', location: 'office: 2' });
  });

  test('a guest who may not see the others answers without touching them', async () => {
    const { id } = await world.asMate('POST', 'events', {
      summary: 'Secret guests',
      start: { dateTime: '2026-12-01T10:00:00+01:00', timeZone: ZONE },
      end: { dateTime: '2026-12-01T11:00:00+01:00', timeZone: ZONE },
      attendees: [{ email: YOU }, { email: GUEST }],
      guestsCanSeeOtherGuests: false,
    });
    const { etag, event } = await world.get(String(id));
    expect(event.attendeesOmitted).toBe(true);
    const options = { response: 'accepted', etag, notify: false } as const;
    await world.writer.respond(world.mine, String(id), options, openCall());
    expect(world.held(String(id), MATE)?.properties.attendees?.map((one) => [one.email, one.responseStatus])).toEqual([
      [YOU, 'accepted'],
      [GUEST, 'needsAction'],
    ]);
    const now = await world.get(String(id));
    expect(() => world.writer.check({ attendees: [{ email: MATE }] }, now)).toThrow(/not all who are invited/);
  });

  test('a delete whose answer got lost is not made again, and nobody says that it was done', async () => {
    const { event, etag } = await make(meeting('Gone?'));
    world.sandbox.fail({ match: ({ method }) => method === 'DELETE', times: 1, dropAnswer: true });
    const asked = await world.asked(() =>
      expect(world.writer.delete(world.mine, event.id, { etag, ...quiet }, openCall())).rejects.toMatchObject({
        code: 'UNAVAILABLE',
      }),
    );
    expect(asked).toHaveLength(1);
    await expect(world.get(event.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const { etag: stale } = event;
    await expect(
      world.writer.delete(world.mine, event.id, { etag: stale ?? '', ...quiet }, openCall()),
    ).rejects.toMatchObject({ code: expect.stringMatching(/CONFLICT|NOT_FOUND/) });
  });

  test('a calendar that may no longer be changed says so', async () => {
    const calendar = world.sandbox.google.data.calendars.find(({ id }) => id === CLUB);
    const at = world.sandbox.google.data.calendars.findIndex(({ id }) => id === CLUB);
    if (calendar === undefined) throw new TypeError('no calendar');
    world.sandbox.google.data.calendars[at] = { ...calendar, access: { [CLUB]: 'owner', [YOU]: 'reader' } };
    await expect(
      world.writer.create(world.club, meeting('x'), { key: freshKey(), notify: false }, openCall()),
    ).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('may not change the events') });
    world.sandbox.google.data.calendars[at] = calendar;
  });
});

describe('access', () => {
  const { clientId, clientSecret } = sharedGoogleClient;
  const yamlOf = (sandbox: Writable['sandbox'], access: string): string =>
    googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more: `access: ${access}` }]);

  test.each(['busy', 'read'])('with access: %s there is no way to write', async (access) => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(yamlOf(sandbox, access));
    expect((await app.account('home').open()).writer).toBeUndefined();
  });

  test('a sign-in for reading has to be made anew for writing, and nothing is asked before', async () => {
    const sandbox = await openSandbox();
    const { app, folder } = await openTestApp(yamlOf(sandbox, 'read'));
    await googleSignIn(app, sandbox, 'home', 'you@home.example');
    const { app: later } = await openTestApp(yamlOf(sandbox, 'write'), { folder });
    const { writer } = await later.account('home').open();
    const before = sandbox.requests.length;
    const calendar = { id: YOU, name: 'You', isDefault: true, access: 'write' } as const;
    await expect(writer?.get(calendar, 'x', openCall())).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      hint: 'run: calmcp login --account home',
    });
    expect(sandbox.requests).toHaveLength(before);
  });
});
