import { describe, expect, test } from 'vitest';
import { calendar, clientId, event, singleMailbox } from '../../src/sandbox/index.ts';
import { errorOf, type Reply } from './client.ts';
import { attendee, on, openWriter } from './graph-writer.ts';

const review = { subject: 'Review', ...on('2026-12-10', '10:00', '11:00') };
const immutable = { prefer: 'IdType="ImmutableId"' };

const refusal = (reply: Reply) => [reply.status, errorOf(reply).code];

describe('an event that was created', () => {
  test('is in the next view, has what was asked for, and what Graph adds', async () => {
    const { create, view, event } = await openWriter();
    const made = await create({
      ...review,
      body: { contentType: 'HTML', content: '<p>Bring <b>coffee</b></p>' },
      location: { displayName: 'Room 1' },
      categories: ['Project'],
      showAs: 'tentative',
      sensitivity: 'private',
      importance: 'high',
      isReminderOn: false,
      reminderMinutesBeforeStart: 30,
    });
    expect(made).toMatchObject({
      subject: 'Review',
      type: 'singleInstance',
      start: { dateTime: '2026-12-10T09:00:00.0000000', timeZone: 'UTC' },
      originalStartTimeZone: 'Europe/Amsterdam',
      bodyPreview: 'Bring coffee',
      location: { displayName: 'Room 1' },
      locations: [{ displayName: 'Room 1' }],
      isOrganizer: true,
      organizer: { emailAddress: { name: 'You', address: 'you@xebia.example' } },
      responseStatus: { response: 'organizer' },
      recurrence: null,
    });
    expect(made['@odata.etag']).toBe(`W/"${made.changeKey}"`);
    expect(made.iCalUId).toMatch(/^040000008200E00074C5B7101A82E00800000000[0-9A-F]+$/);
    expect((await view('2026-12-10', '2026-12-11')).map(({ id }) => id)).toEqual([made.id]);
    expect(await event(made.id)).toMatchObject({ showAs: 'tentative', sensitivity: 'private', isReminderOn: false });
  });

  test.each(['/calendar/events', '/calendars/{id}/events'])('is made at %s too', async (path) => {
    const { sandbox, send } = await openWriter();
    const team = sandbox.data.mailboxes[0]?.calendars[1]?.id ?? '';
    const { status, body } = await send('POST', path.replace('{id}', team), review);
    expect(status).toBe(201);
    const inTeam = await send('GET', `/calendars/${team}/events/${body.id}`);
    expect(inTeam.status).toBe(path === '/calendar/events' ? 404 : 200);
  });

  test('has both kinds of id, and each is found by its own kind', async () => {
    const { create, send } = await openWriter();
    const { id: lasting } = await create(review, immutable);
    expect((await send('GET', `/events/${lasting}`, undefined, immutable)).status).toBe(200);
    expect((await send('GET', `/events/${lasting}`)).status).toBe(404);
    expect((await send('PATCH', `/events/${lasting}`, { subject: 'New' }, immutable)).body.id).toBe(lasting);
  });

  test('takes Windows zones and times with an offset', async () => {
    const { create } = await openWriter();
    const { start } = await create({
      ...review,
      start: { dateTime: '2026-12-10T10:00:00', timeZone: 'Eastern Standard Time' },
      end: { dateTime: '2026-12-10T16:30:00Z', timeZone: 'Eastern Standard Time' },
    });
    expect(start.dateTime).toBe('2026-12-10T15:00:00.0000000');
  });

  test('lasts whole days when it says so, under one name of its zone or two', async () => {
    const { create, send } = await openWriter();
    const away = { subject: 'Away', isAllDay: true, ...on('2026-12-10', '00:00', '00:00') };
    const until = (timeZone: string) => ({ ...away, end: { dateTime: '2026-12-12T00:00:00', timeZone } });
    const { start, end } = await create(until('W. Europe Standard Time'));
    expect([start.dateTime, end.dateTime]).toEqual(['2026-12-10T00:00:00.0000000', '2026-12-12T00:00:00.0000000']);
    expect(refusal(await send('POST', '/events', until('Europe/London')))).toEqual([400, 'ErrorInvalidRequest']);
  });
});

describe('a create is refused', () => {
  const { start, end } = review;
  test.each([
    ['an unknown property', { location2: 'x' }, 'RequestBodyRead'],
    ['an unknown member of a value', { body: { contentType: 'text', text: 'x' } }, 'RequestBodyRead'],
    ['a value of another type', { isAllDay: 'yes' }, 'RequestBodyRead'],
    ['an unknown name in a list of names', { showAs: 'away' }, 'RequestBodyRead'],
    ['an unknown sensitivity', { sensitivity: 'secret' }, 'RequestBodyRead'],
    ['an unknown zone', { start: { ...start, timeZone: 'Mars/Base' } }, 'TimeZoneNotSupportedException'],
    ['a fixed offset under a zone name', { start: { ...start, timeZone: 'EST' } }, 'TimeZoneNotSupportedException'],
    ['no zone', { start: { dateTime: start.dateTime } }, 'TimeZoneNotSupportedException'],
    ['a date for a time', { start: { ...start, dateTime: '2026-12-10' } }, 'RequestBodyRead'],
    ['a day that is not', { start: { ...start, dateTime: '2026-02-30T10:00:00' } }, 'RequestBodyRead'],
    ['no end', { end: undefined }, 'ErrorPropertyValidationFailure'],
    ['an end before the start', { start: end, end: start }, 'ErrorPropertyValidationFailure'],
    ['whole days that begin at ten', { isAllDay: true }, 'ErrorInvalidRequest'],
    ['whole days without one', { isAllDay: true, ...on('2026-12-10', '00:00', '00:00') }, 'ErrorInvalidRequest'],
    ['an attendee without an address', { attendees: [{ emailAddress: { name: 'Ann' } }] }, 'ErrorInvalidRecipients'],
    [
      'an attendee of an unknown kind',
      { attendees: [{ ...attendee('a@b.example'), type: 'guest' }] },
      'RequestBodyRead',
    ],
  ])('for %s', async (_, wrong, code) => {
    const { send, view } = await openWriter();
    expect(refusal(await send('POST', '/events', { ...review, ...wrong }))).toEqual([400, code]);
    expect(await view('2026-12-09', '2026-12-12')).toEqual([]);
  });

  test('for a body that is not JSON, or not called so', async () => {
    const { send } = await openWriter();
    expect((await send('POST', '/events')).status).toBe(400);
    expect((await send('POST', '/events', review, { 'content-type': 'text/plain' })).status).toBe(400);
  });

  test('with what Graph says about all-day events', async () => {
    const { send } = await openWriter();
    expect(errorOf(await send('POST', '/events', { ...review, isAllDay: true })).message).toBe(
      "Your request can't be completed. The Event.Start property for an all-day event needs to be set to midnight.",
    );
  });

  test('in a calendar that may only be looked at', async () => {
    const { sandbox, send } = await openWriter();
    const birthdays = sandbox.data.mailboxes[0]?.calendars[2];
    const path = `/calendars/${birthdays?.id}/events`;
    expect(refusal(await send('POST', path, review))).toEqual([403, 'ErrorAccessDenied']);
    const one = `${path}/${birthdays?.events[0]?.id}`;
    expect(refusal(await send('PATCH', one, { subject: 'x' }))).toEqual([403, 'ErrorAccessDenied']);
    expect(refusal(await send('DELETE', one))).toEqual([403, 'ErrorAccessDenied']);
    expect(birthdays?.events).toHaveLength(2);
  });
});

test('without Calendars.ReadWrite nothing is written, whatever it is', async () => {
  const { sandbox, send } = await openWriter({ scope: 'Calendars.Read' });
  const id = sandbox.data.mailboxes[0]?.calendars[0]?.events[0]?.id;
  const before = structuredClone(sandbox.data.mailboxes);
  for (const [method, path] of [
    ['POST', '/events'],
    ['PATCH', `/events/${id}`],
    ['DELETE', `/events/${id}`],
    ['POST', `/events/${id}/accept`],
    ['POST', `/events/${id}/cancel`],
  ] as const) {
    expect(refusal(await send(method, path, method === 'DELETE' ? undefined : review))).toEqual([
      403,
      'ErrorAccessDenied',
    ]);
  }
  expect(sandbox.data.mailboxes).toEqual(before);
});

describe('an update', () => {
  test('changes what it names, leaves the rest, and makes a new version', async () => {
    let now = Date.parse('2026-11-23T08:00:00Z');
    const { create, send, event } = await openWriter({ now: () => now });
    const made = await create({ ...review, categories: ['Project'] });
    now += 60_000;
    const { status, body } = await send('PATCH', `/events/${made.id}`, {
      subject: 'Review 2',
      ...on('2026-12-11', '09:00', '10:00'),
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: made.id, iCalUId: made.iCalUId, subject: 'Review 2', categories: ['Project'] });
    expect(body['@odata.etag']).not.toBe(made['@odata.etag']);
    expect(body.lastModifiedDateTime).toBe('2026-11-23T08:01:00.0000000Z');
    expect(await event(made.id)).toEqual(body);
  });

  test('of an event that is in the data set works as well', async () => {
    const { view, send } = await openWriter();
    const lunch = (await view('2026-11-23', '2026-11-24')).find(
      ({ subject }) => subject === 'Lunch with the new joiner',
    );
    const { body } = await send('PATCH', `/events/${lunch?.id}`, { subject: 'Lunch' });
    expect(body).toMatchObject({ subject: 'Lunch', start: lunch?.start, iCalUId: lunch?.iCalUId });
    expect((await view('2026-11-23', '2026-11-24')).map(({ subject }) => subject)).toContain('Lunch');
  });

  test('with an etag that is not the present one is refused and changes nothing', async () => {
    const { create, send, event } = await openWriter();
    const made = await create(review);
    const first = await send('PATCH', `/events/${made.id}`, { subject: 'A' }, { 'if-match': made['@odata.etag'] });
    expect(first.status).toBe(200);
    const stale = { 'if-match': made['@odata.etag'] };
    expect(refusal(await send('PATCH', `/events/${made.id}`, { subject: 'B' }, stale))).toEqual([
      412,
      'ErrorIrresolvableConflict',
    ]);
    expect(refusal(await send('DELETE', `/events/${made.id}`, undefined, stale))[0]).toBe(412);
    expect((await event(made.id)).subject).toBe('A');
    const current = { 'if-match': String(first.body['@odata.etag']) };
    expect((await send('DELETE', `/events/${made.id}`, undefined, current)).status).toBe(204);
  });

  test('does not hear what the service sets, and refuses to move the start behind the end', async () => {
    const { create, send } = await openWriter();
    const made = await create(review);
    const { body } = await send('PATCH', `/events/${made.id}`, { ...made, iCalUId: 'other', subject: 'Same' });
    expect(body).toMatchObject({ iCalUId: made.iCalUId, subject: 'Same' });
    const late = { start: { dateTime: '2026-12-10T12:00:00', timeZone: 'Europe/Amsterdam' } };
    expect((await send('PATCH', `/events/${made.id}`, late)).status).toBe(400);
  });
});

test('a deleted event is gone, for good', async () => {
  const { create, send, view } = await openWriter();
  const { id } = await create(review);
  expect((await send('DELETE', `/events/${id}`)).status).toBe(204);
  expect(await view('2026-12-10', '2026-12-11')).toEqual([]);
  expect(refusal(await send('DELETE', `/events/${id}`))).toEqual([404, 'ErrorItemNotFound']);
  expect(refusal(await send('PATCH', `/events/${id}`, { subject: 'x' }))).toEqual([404, 'ErrorItemNotFound']);
});

describe('a transactionId', () => {
  const planned = { ...review, transactionId: 'd6b5b0a8-0001' };

  test('makes one event of a create that is repeated after its answer was lost', async () => {
    const { sandbox, send, create, view } = await openWriter();
    sandbox.fail({ match: ({ method }) => method === 'POST', times: 1, dropAnswer: true });
    await expect(send('POST', '/events', planned)).rejects.toThrow();
    expect(sandbox.requests.at(-1)).toMatchObject({ method: 'POST', status: 201 });
    const { start, end, ...rest } = planned;
    const again = await create({ ...rest, end, start });
    expect(again.transactionId).toBe(planned.transactionId);
    expect((await view('2026-12-10', '2026-12-11')).map(({ id }) => id)).toEqual([again.id]);
  });

  test('without which the repeated create makes a second event', async () => {
    const { sandbox, send, create, view } = await openWriter();
    sandbox.fail({ match: ({ method }) => method === 'POST', times: 1, dropAnswer: true });
    await expect(send('POST', '/events', review)).rejects.toThrow();
    await create(review);
    expect(await view('2026-12-10', '2026-12-11')).toHaveLength(2);
  });

  test('is refused for another event, with the id of the one that has it', async () => {
    const { send, create } = await openWriter();
    const made = await create(planned);
    const other = await send('POST', '/events', { ...planned, subject: 'Other' });
    expect(refusal(other)).toEqual([400, 'ErrorDuplicateTransactionId']);
    expect(other.body.error).toHaveProperty(['@event.existingEventId'], made.id);
    expect(refusal(await send('PATCH', `/events/${made.id}`, { transactionId: 'other' }))[0]).toBe(400);
  });

  test('is always refused the second time where the sandbox is told so', async () => {
    const { send, create } = await openWriter({ graphRules: { repeatedTransaction: 'refused' } });
    await create(planned);
    expect(refusal(await send('POST', '/events', planned))).toEqual([400, 'ErrorDuplicateTransactionId']);
  });
});

describe('an online meeting', () => {
  const online = { ...review, isOnlineMeeting: true, onlineMeetingProvider: 'teamsForBusiness' };
  const joinUrl = expect.stringContaining('https://teams.microsoft.com/');

  test('has an address, and stays online whatever isOnlineMeeting says later', async () => {
    const { create, send } = await openWriter();
    const made = await create({ ...online, body: { contentType: 'text', content: 'Agenda' } });
    expect(made).toMatchObject({ isOnlineMeeting: true, onlineMeeting: { joinUrl } });
    const { body } = await send('PATCH', `/events/${made.id}`, { isOnlineMeeting: false });
    expect(body).toMatchObject({ isOnlineMeeting: true, onlineMeeting: made.onlineMeeting });
  });

  test('is offline after an update of the body that drops the part with the address, and only then', async () => {
    const { create, send } = await openWriter();
    const made = await create(online);
    const { content } = made.body as { content: string };
    const kept = await send('PATCH', `/events/${made.id}`, {
      body: { contentType: 'html', content: content.replace('<body>', '<body><p>Agenda</p>') },
    });
    expect(kept.body).toMatchObject({ isOnlineMeeting: true, onlineMeeting: { joinUrl } });
    const lost = await send('PATCH', `/events/${made.id}`, { body: { contentType: 'text', content: 'Agenda' } });
    expect(lost.body).toMatchObject({ isOnlineMeeting: false, onlineMeeting: null });
  });

  test('is an ordinary one where the calendar allows no provider: the wish is ignored', async () => {
    const personal = { ...calendar('Calendar', []), allowedOnlineMeetingProviders: [] };
    const { create } = await openWriter({ data: singleMailbox([personal]) });
    expect(await create(online)).toMatchObject({ isOnlineMeeting: false, onlineMeeting: null });
  });
});

test('a body that was written is read whole as text, not as its preview', async () => {
  const { create, send } = await openWriter();
  const content = 'Long & wide <wall>\n'.repeat(40);
  const { id, bodyPreview } = await create({ ...review, body: { contentType: 'text', content } });
  expect(bodyPreview).toHaveLength(255);
  const { body } = await send('GET', `/events/${id}`, undefined, { prefer: 'outlook.body-content-type="text"' });
  expect(body.body).toEqual({ contentType: 'text', content });
});

test('a create counts in getSchedule', async () => {
  const data = singleMailbox([
    calendar('Calendar', [event({ subject: 'Old', start: '2026-12-10T08:00', end: '2026-12-10T09:00' })]),
  ]);
  const { create, send } = await openWriter({ data });
  expect(data.applications[0]?.clientId).toBe(clientId);
  await create(review);
  const { body } = await send('POST', '/calendar/getSchedule', {
    schedules: ['you@xebia.example'],
    startTime: { dateTime: '2026-12-10T08:00:00', timeZone: 'Europe/Amsterdam' },
    endTime: { dateTime: '2026-12-10T12:00:00', timeZone: 'Europe/Amsterdam' },
    availabilityViewInterval: 60,
  });
  expect(body.value).toMatchObject([{ availabilityView: '2020' }]);
});
