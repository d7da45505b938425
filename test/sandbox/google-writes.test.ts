import { describe, expect, test } from 'vitest';
import { googleCalendar, googleClientId, googleSignIn } from '../../src/sandbox/index.ts';
import { type Json, openSandbox } from './client.ts';
import { scopeRoot } from './google-client.ts';
import { at, guest, household, mailboxOf, openHousehold, slot, you } from './google-writes-client.ts';

const named = (items: readonly Json[]) => items.map(({ summary }) => summary);

describe('a new event', () => {
  test('is answered as it is stored, and is in the next list, get and free/busy', async () => {
    const { sandbox, mine } = await openHousehold();
    const { status, event } = await mine.insert({
      ...slot,
      summary: 'Planning',
      description: '<b>Agenda</b>',
      location: 'Room 1',
      colorId: '5',
      visibility: 'private',
      reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 10 }] },
      extendedProperties: { private: { key: 'value' } },
      source: { url: 'https://example.org/', title: 'Example' },
    });
    expect([status, event]).toMatchObject([
      200,
      {
        kind: 'calendar#event',
        id: expect.stringMatching(/^[a-v0-9]{26}$/),
        iCalUID: `${event.id}@google.com`,
        status: 'confirmed',
        summary: 'Planning',
        start: { dateTime: '2026-11-23T10:00:00+01:00', timeZone: 'Europe/Amsterdam' },
        end: { dateTime: '2026-11-23T10:15:00+01:00', timeZone: 'Europe/Amsterdam' },
        creator: { email: you, self: true },
        organizer: { email: you, self: true },
        sequence: 0,
        eventType: 'default',
        colorId: '5',
        visibility: 'private',
        reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 10 }] },
        extendedProperties: { private: { key: 'value' } },
        source: { url: 'https://example.org/', title: 'Example' },
      },
    ]);
    expect((await mine.get(event.id)).event).toEqual(event);
    expect(await mine.list()).toEqual([event]);
    const reading = await googleSignIn(sandbox, {
      username: you,
      clientId: googleClientId,
      scope: `${scopeRoot}calendar.freebusy`,
    });
    const busy = await fetch(`${sandbox.google.endpoints.rootUrl}calendar/v3/freeBusy`, {
      method: 'POST',
      headers: { authorization: `Bearer ${reading.accessToken}` },
      body: JSON.stringify({ timeMin: '2026-11-23T00:00:00Z', timeMax: '2026-11-24T00:00:00Z', items: [{ id: you }] }),
    });
    expect(await busy.json()).toMatchObject({
      calendars: { [you]: { busy: [{ start: '2026-11-23T09:00:00Z', end: '2026-11-23T09:15:00Z' }] } },
    });
  });

  test('has defaults for what is not said, and no fields for them', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({
      start: { date: '2026-11-23' },
      end: { date: '2026-11-24' },
      transparency: 'opaque',
    });
    expect(event).toMatchObject({ start: { date: '2026-11-23' }, reminders: { useDefault: true } });
    for (const name of ['summary', 'description', 'attendees', 'transparency', 'visibility', 'hangoutLink']) {
      expect(event).not.toHaveProperty(name);
    }
  });

  test('on a shared calendar is organized by the calendar and created by the person', async () => {
    const shared = googleCalendar('c_1@group.calendar.google.com', [], {
      summary: 'Family',
      access: { [you]: 'writer' },
    });
    const { sandbox } = await openHousehold(household([], [shared]));
    const { event } = await (await mailboxOf(sandbox, you, { calendarId: shared.id })).insert(slot);
    expect(event).toMatchObject({
      creator: { email: you },
      organizer: { email: shared.id, displayName: 'Family', self: true },
    });
  });

  test.each([
    [{ dateTime: '2026-11-23T10:00:00+02:00' }, '2026-11-23T09:00:00+01:00', 'Europe/Amsterdam'],
    [{ dateTime: '2026-11-23T10:00:00+02:00', timeZone: 'Asia/Tokyo' }, '2026-11-23T09:00:00+01:00', 'Asia/Tokyo'],
    [{ dateTime: '2026-11-23T10:00:00', timeZone: 'Asia/Tokyo' }, '2026-11-23T02:00:00+01:00', 'Asia/Tokyo'],
    [{ dateTime: '2026-11-23T10:00:00.000Z' }, '2026-11-23T11:00:00+01:00', 'Europe/Amsterdam'],
  ])('starts when its offset or its zone says: %j', async (start, dateTime, timeZone) => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ start, end: { dateTime: '2026-11-23T20:00:00Z' } });
    expect(event.start).toEqual({ dateTime, timeZone });
  });

  test('has no conference unless the version of conference data is asked for', async () => {
    const { mine } = await openHousehold();
    const conferenceData = {
      createRequest: { requestId: 'r1', conferenceSolutionKey: { type: 'hangoutsMeet' } },
    };
    const without = (await mine.insert({ ...slot, conferenceData })).event;
    expect([without.hangoutLink, without.conferenceData]).toEqual([undefined, undefined]);
    const { event } = await mine.insert({ ...slot, conferenceData }, { conferenceDataVersion: '1' });
    expect(event).toMatchObject({
      hangoutLink: expect.stringMatching(/^https:\/\/meet\.google\.com\/[a-z]{3}-[a-z]{4}-[a-z]{3}$/),
      conferenceData: {
        createRequest: { requestId: 'r1', status: { statusCode: 'success' } },
        entryPoints: [{ entryPointType: 'video', uri: event.hangoutLink }],
      },
    });
  });

  test('has attachments where the client says that it supports them', async () => {
    const { mine } = await openHousehold();
    const attachments = [{ fileUrl: 'https://example.org/notes', title: 'Notes' }];
    expect((await mine.insert({ ...slot, attachments })).event).not.toHaveProperty('attachments');
    const { event } = await mine.insert({ ...slot, attachments }, { supportsAttachments: 'true' });
    expect(event.attachments).toEqual(attachments);
  });

  test('answers with the fields that are asked for', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'x' }, { fields: 'summary,start/timeZone' });
    expect(event).toEqual({ summary: 'x', start: { timeZone: 'Europe/Amsterdam' } });
  });
});

describe('an id of the client', () => {
  test('is the id of the event, once: also when it was deleted', async () => {
    const { mine } = await openHousehold();
    const id = 'calmcp0123456789';
    expect((await mine.insert({ ...slot, id })).event.id).toBe(id);
    expect(await mine.insert({ ...slot, id })).toMatchObject({ status: 409, reason: 'duplicate' });
    expect((await mine.remove(id)).status).toBe(204);
    expect(await mine.insert({ ...slot, id })).toMatchObject({ status: 409, reason: 'duplicate' });
  });

  test.each(['abcd', 'a'.repeat(1025), 'calmcp-1', 'Calmcp1', 'wxyz1'])('is refused: %s', async (id) => {
    const { mine } = await openHousehold();
    expect(await mine.insert({ ...slot, id })).toMatchObject({ status: 400, reason: 'invalid' });
  });

  test('makes one event of a request that is repeated because its answer was lost', async () => {
    const { sandbox, mine } = await openHousehold();
    sandbox.fail({ match: ({ method }) => method === 'POST', times: 1, dropAnswer: true });
    const body = { ...slot, id: 'calmcp0001', summary: 'Once' };
    await expect(mine.insert(body)).rejects.toThrow();
    expect(await mine.insert(body)).toMatchObject({ status: 409, reason: 'duplicate' });
    expect(named(await mine.list())).toEqual(['Once']);
  });
});

describe('whoever may not write', () => {
  test('is told of the scope that is missing', async () => {
    const { sandbox } = await openHousehold();
    const reader = await mailboxOf(sandbox, you, { scope: 'calendar.events.readonly' });
    for (const written of [await reader.insert(slot), await reader.patch('x', {}), await reader.remove('x')]) {
      expect(written).toMatchObject({ status: 403, reason: 'insufficientPermissions' });
    }
    const { event } = await reader.insert(slot);
    expect(event).toMatchObject({ error: { details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT' }] } });
  });

  test('has a scope for own calendars alone', async () => {
    const shared = googleCalendar('c_1@group.calendar.google.com', [], { access: { [you]: 'writer' } });
    const { sandbox } = await openHousehold(household([], [shared]));
    const scope = 'calendar.events.owned';
    expect((await (await mailboxOf(sandbox, you, { scope })).insert(slot)).status).toBe(200);
    const elsewhere = await mailboxOf(sandbox, you, { scope, calendarId: shared.id });
    expect(await elsewhere.insert(slot)).toMatchObject({ status: 403, reason: 'insufficientPermissions' });
  });

  test.each(['reader', 'freeBusyReader'] as const)('is only a %s of the calendar', async (role) => {
    const shared = googleCalendar('c_1@group.calendar.google.com', [], { access: { [you]: role } });
    const { sandbox } = await openHousehold(household([], [shared]));
    const mailbox = await mailboxOf(sandbox, you, { calendarId: shared.id });
    expect(await mailbox.insert(slot)).toMatchObject({ status: 403, reason: 'requiredAccessLevel' });
  });

  test('does not learn whether a calendar of others exists', async () => {
    const { sandbox } = await openHousehold();
    const mailbox = await mailboxOf(sandbox, you, { calendarId: guest });
    expect(await mailbox.insert(slot)).toMatchObject({ status: 404, reason: 'notFound' });
  });
});

describe('a change', () => {
  test('of a PATCH leaves what it does not name, and clears with null', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'Old', location: 'Room 1', colorId: '5' });
    const changed = (await mine.patch(event.id, { summary: 'New', location: null })).event;
    expect(changed).toMatchObject({ summary: 'New', colorId: '5', start: event.start, sequence: 0 });
    expect(changed).not.toHaveProperty('location');
    expect(Date.parse(changed.updated)).toBeGreaterThan(Date.parse(event.updated));
    expect(changed.etag).not.toBe(event.etag);
    expect((await mine.get(event.id)).event).toEqual(changed);
  });

  test('of a PUT replaces all, but for what cannot be changed', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'Old', location: 'Room 1', colorId: '5' });
    const changed = (await mine.put(event.id, { ...slot, summary: 'New' })).event;
    expect(changed).toMatchObject({ id: event.id, iCalUID: event.iCalUID, summary: 'New', created: event.created });
    expect([changed.location, changed.colorId]).toEqual([undefined, undefined]);
    expect(await mine.put(event.id, { summary: 'No times' })).toMatchObject({ status: 400, reason: 'required' });
  });

  test('of the time alone counts up the sequence, which nobody may count down', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert(slot);
    const moved = (await mine.patch(event.id, { end: at('2026-11-23T10:30:00') })).event;
    expect(moved.sequence).toBe(1);
    expect((await mine.patch(event.id, { summary: 'x' })).event.sequence).toBe(1);
    expect(await mine.put(event.id, { ...slot, sequence: 0 })).toMatchObject({ status: 400, reason: 'invalid' });
  });

  test('of reminders alone is another version, but not another time of change', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert(slot);
    const changed = (await mine.patch(event.id, { reminders: { useDefault: false } })).event;
    expect([changed.updated, changed.etag === event.etag]).toEqual([event.updated, false]);
  });

  test('from a time to a date has to take the time away', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert(slot);
    const day = { start: { date: '2026-11-23' }, end: { date: '2026-11-24' } };
    expect(await mine.patch(event.id, day)).toMatchObject({
      status: 400,
      reason: 'invalid',
      message: 'Invalid start time.',
    });
    const clean = {
      start: { date: '2026-11-23', dateTime: null, timeZone: null },
      end: { date: '2026-11-24', dateTime: null },
    };
    expect((await mine.patch(event.id, clean)).event.start).toEqual({ date: '2026-11-23' });
  });

  test('of reminders to the defaults has to take the own ones away', async () => {
    const { mine } = await openHousehold();
    const reminders = { useDefault: false, overrides: [{ method: 'popup', minutes: 5 }] };
    const { event } = await mine.insert({ ...slot, reminders });
    expect(await mine.patch(event.id, { reminders: { useDefault: true } })).toMatchObject({
      status: 400,
      reason: 'cannotUseDefaultRemindersAndSpecifyOverride',
    });
    const { event: reset } = await mine.patch(event.id, { reminders: { useDefault: true, overrides: null } });
    expect(reset.reminders).toEqual({ useDefault: true });
  });

  test('keeps the conference unless the version says otherwise', async () => {
    const { mine } = await openHousehold();
    const createRequest = { requestId: 'r1', conferenceSolutionKey: { type: 'hangoutsMeet' } };
    const version = { conferenceDataVersion: '1' };
    const { event } = await mine.insert({ ...slot, conferenceData: { createRequest } }, version);
    const link = event.hangoutLink;
    expect((await mine.patch(event.id, { conferenceData: null })).event.hangoutLink).toBe(link);
    expect((await mine.put(event.id, slot)).event.hangoutLink).toBe(link);
    expect((await mine.patch(event.id, { conferenceData: { createRequest } }, version)).event.hangoutLink).toBe(link);
    const again = { createRequest: { ...createRequest, requestId: 'r2' } };
    expect((await mine.patch(event.id, { conferenceData: again }, version)).event.hangoutLink).not.toBe(link);
    const removed = (await mine.patch(event.id, { conferenceData: null }, version)).event;
    expect([removed.hangoutLink, removed.conferenceData]).toEqual([undefined, undefined]);
  });

  test('of what is not there is not found', async () => {
    const { mine } = await openHousehold();
    for (const written of [await mine.patch('nothing', {}), await mine.remove('nothing'), await mine.get('nothing')]) {
      expect(written).toMatchObject({ status: 404, reason: 'notFound' });
    }
  });
});

describe('If-Match', () => {
  test('with the version that is there lets a change through, with another one none', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'One' });
    const first = { 'if-match': event.etag };
    expect((await mine.patch(event.id, { summary: 'Two' }, {}, first)).status).toBe(200);
    const stale = { status: 412, reason: 'conditionNotMet', message: 'Precondition Failed' };
    expect(await mine.patch(event.id, { summary: 'Three' }, {}, first)).toMatchObject(stale);
    expect(await mine.put(event.id, slot, {}, first)).toMatchObject(stale);
    expect(await mine.remove(event.id, {}, first)).toMatchObject(stale);
    expect(named(await mine.list())).toEqual(['Two']);
    const { etag } = (await mine.get(event.id)).event;
    expect((await mine.remove(event.id, {}, { 'if-match': etag })).status).toBe(204);
  });

  test('is the same version however the event is shown', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert(slot);
    expect((await mine.get(event.id, { timeZone: 'Asia/Tokyo' })).event.etag).toBe(event.etag);
    expect((await mine.list({ timeZone: 'UTC' })).map(({ etag }) => etag)).toEqual([event.etag]);
    expect((await mine.get(event.id, {}, { 'if-none-match': event.etag })).status).toBe(304);
  });

  test('changes with every change, however fast they come', async () => {
    const { mine } = await openHousehold(household(), { now: () => Date.parse('2026-11-01T00:00:00Z') });
    const { event } = await mine.insert({ ...slot, summary: 'One' });
    const etags = [event.etag];
    for (const summary of ['Two', 'One', 'Two']) etags.push((await mine.patch(event.id, { summary })).event.etag);
    expect(new Set(etags).size).toBe(4);
  });
});

describe('a deleted event', () => {
  test('is gone from lists and from free time, stays for get and showDeleted, and cannot be deleted twice', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'Gone' });
    expect((await mine.remove(event.id)).status).toBe(204);
    expect(await mine.list()).toEqual([]);
    expect((await mine.get(event.id)).event).toMatchObject({ status: 'cancelled', summary: 'Gone' });
    expect(await mine.list({ showDeleted: 'true' })).toMatchObject([{ id: event.id, status: 'cancelled' }]);
    expect(await mine.list({ updatedMin: event.updated })).toMatchObject([{ id: event.id, status: 'cancelled' }]);
    expect(await mine.remove(event.id)).toMatchObject({ status: 410, reason: 'deleted' });
  });

  test('cannot be changed but by restoring it', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'Back' });
    await mine.remove(event.id);
    expect(await mine.patch(event.id, { summary: 'x' })).toMatchObject({ status: 403, reason: 'forbidden' });
    expect((await mine.patch(event.id, { status: 'confirmed' })).status).toBe(200);
    expect(named(await mine.list())).toEqual(['Back']);
  });

  test('is in the next sync, as changes and new events are', async () => {
    const { mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'Goes' });
    const { nextSyncToken: syncToken } = await mine.page({ singleEvents: 'true' });
    await mine.remove(event.id);
    await mine.insert({ ...slot, summary: 'New' });
    const { items } = await mine.page({ singleEvents: 'true', syncToken });
    expect(items.map(({ status }) => status).sort()).toEqual(['cancelled', 'confirmed']);
  });
});

test('what a client looks up before it writes is there', async () => {
  const sandbox = await openSandbox();
  const { accessToken } = await googleSignIn(sandbox, {
    username: you,
    clientId: googleClientId,
    scope: `${scopeRoot}calendar`,
  });
  const get = async (path: string) => {
    const address = `${sandbox.google.endpoints.rootUrl}calendar/v3/${path}`;
    const response = await fetch(address, { headers: { authorization: `Bearer ${accessToken}` } });
    return [response.status, await response.json()] as const;
  };
  expect(await get('calendars/primary')).toMatchObject([200, { id: you, timeZone: 'Europe/Amsterdam' }]);
  expect(await get('users/me/calendarList/primary')).toMatchObject([
    200,
    { id: you, accessRole: 'owner', primary: true },
  ]);
  expect(await get('users/me/settings/timezone')).toMatchObject([200, { value: 'Europe/Amsterdam' }]);
  const [, colors] = await get('colors');
  expect(Object.keys((colors as { event: Json }).event)).toHaveLength(11);
  expect((await get('calendars/nobody'))[0]).toBe(404);
});
