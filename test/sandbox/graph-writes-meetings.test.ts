import { describe, expect, test } from 'vitest';
import { errorOf, type Json, type Reply } from './client.ts';
import { attendee, type EventReply, on, openWriter, type Writer } from './graph-writer.ts';

const me = 'you@xebia.example';
const client = 'you@marimer.example';
const stranger = 'ann@elsewhere.example';

const kickOff = {
  subject: 'Kick-off',
  ...on('2026-12-10', '10:00', '11:00'),
  body: { contentType: 'text', content: 'Hello' },
  attendees: [attendee(client), attendee(stranger)],
};
const weekly = {
  ...kickOff,
  ...on('2026-12-07', '10:00', '11:00'),
  recurrence: {
    pattern: { type: 'weekly', interval: 1, daysOfWeek: ['monday'] },
    range: { type: 'numbered', startDate: '2026-12-07', numberOfOccurrences: 3 },
  },
};

const refusal = (reply: Reply) => [reply.status, errorOf(reply).code];

/** An organizer at one tenant and an attendee at another. */
async function openTwo(options: Parameters<typeof openWriter>[0] = {}) {
  const organizer = await openWriter(options);
  const guest = await openWriter({ username: client, at: organizer.sandbox });
  const { mails } = organizer.sandbox;
  const sent = () => mails.splice(0).map(({ kind, to }) => `${kind} ${to}`);
  return { organizer, guest, sent, mails };
}

const inDecember = async ({ view }: Writer): Promise<EventReply[]> => view('2026-12-07', '2027-01-01');

async function copyOf(guest: Writer): Promise<EventReply> {
  const [copy] = (await inDecember(guest)).filter(({ subject }) => String(subject).includes('Kick-off'));
  if (copy === undefined) throw new Error('no copy');
  return copy;
}

const statusOf = (event: Json, address: string) =>
  (event.attendees as { emailAddress: { address: string }; status: { response: string } }[]).find(
    ({ emailAddress }) => emailAddress.address === address,
  )?.status.response;

describe('an invitation', () => {
  test('is mailed to all, and waits for an answer in the mailbox of another tenant', async () => {
    const { organizer, guest, mails } = await openTwo();
    const made = await organizer.create(kickOff);
    expect(mails).toEqual([
      { vendor: 'microsoft', from: me, to: client, kind: 'invitation', subject: 'Kick-off' },
      { vendor: 'microsoft', from: me, to: stranger, kind: 'invitation', subject: 'Kick-off' },
    ]);
    const copy = await copyOf(guest);
    expect(copy).toMatchObject({
      iCalUId: made.iCalUId,
      isOrganizer: false,
      organizer: { emailAddress: { address: me } },
      responseStatus: { response: 'notResponded', time: '0001-01-01T00:00:00Z' },
      showAs: 'tentative',
      bodyPreview: 'Hello',
      start: made.start,
    });
    expect(copy.id).not.toBe(made.id);
    expect(statusOf(made, client)).toBe('none');
  });

  test('that hides the attendees names nobody but whom it goes to', async () => {
    const { organizer, guest } = await openTwo();
    await organizer.create({ ...kickOff, hideAttendees: true });
    expect((await copyOf(guest)).attendees).toMatchObject([{ emailAddress: { address: client } }]);
  });

  test('is not sent for a draft, until it is one no more', async () => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create({ ...kickOff, isDraft: true });
    expect(sent()).toEqual([]);
    await expect(copyOf(guest)).rejects.toThrow('no copy');
    await organizer.send('PATCH', `/events/${id}`, { isDraft: false });
    expect(sent()).toEqual([`invitation ${client}`, `invitation ${stranger}`]);
    expect(await copyOf(guest)).toMatchObject({ isOrganizer: false });
  });
});

describe('an answer', () => {
  test.each([
    ['accept', 'accepted', 'oof'],
    ['tentativelyAccept', 'tentativelyAccepted', 'tentative'],
  ])('by %s is in both calendars, and mailed to the organizer', async (action, response, showAs) => {
    const { organizer, guest, mails } = await openTwo();
    const { id } = await organizer.create({ ...kickOff, showAs: 'oof' });
    mails.length = 0;
    const copy = await copyOf(guest);
    const reply = await guest.send('POST', `/events/${copy.id}/${action}`, { comment: 'Fine', sendResponse: true });
    expect([reply.status, reply.body]).toEqual([202, {}]);
    expect(await copyOf(guest)).toMatchObject({ id: copy.id, showAs, responseStatus: { response } });
    expect(mails).toEqual([
      { vendor: 'microsoft', from: client, to: me, kind: 'response', subject: 'Kick-off', comment: 'Fine' },
    ]);
    const heard = await organizer.event(id);
    expect(statusOf(heard, client)).toBe(response);
    expect(statusOf(heard, stranger)).toBe('none');
  });

  test('without sendResponse stays with who gave it', async () => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create(kickOff);
    sent();
    const copy = await copyOf(guest);
    await guest.send('POST', `/events/${copy.id}/accept`, { SendResponse: false });
    expect((await copyOf(guest)).responseStatus).toMatchObject({ response: 'accepted' });
    expect(statusOf(await organizer.event(id), client)).toBe('none');
    expect(sent()).toEqual([]);
  });

  test('by decline takes the event out of the own calendar, and the organizer sees it', async () => {
    const { organizer, guest } = await openTwo();
    const { id } = await organizer.create(kickOff);
    const copy = await copyOf(guest);
    expect((await guest.send('POST', `/events/${copy.id}/decline`)).status).toBe(202);
    expect((await guest.send('GET', `/events/${copy.id}`)).status).toBe(404);
    expect(statusOf(await organizer.event(id), client)).toBe('declined');
  });

  test('by decline leaves it there, free, where the person keeps declined events', async () => {
    const { organizer, guest } = await openTwo({ graphRules: { declined: 'kept' } });
    await organizer.create(kickOff);
    await guest.send('POST', `/events/${(await copyOf(guest)).id}/decline`, {});
    expect(await copyOf(guest)).toMatchObject({ showAs: 'free', responseStatus: { response: 'declined' } });
  });

  test('may propose another time, where that is allowed and is said aloud', async () => {
    const { organizer, guest } = await openTwo();
    const { id } = await organizer.create(kickOff);
    const { id: copy } = await copyOf(guest);
    const proposedNewTime = on('2026-12-11', '10:00', '11:00');
    const answer = (body: Json, action = 'tentativelyAccept') => guest.send('POST', `/events/${copy}/${action}`, body);
    expect(refusal(await answer({ proposedNewTime, sendResponse: false }))).toEqual([400, 'ErrorInvalidParameter']);
    expect((await answer({ proposedNewTime }, 'accept')).status).toBe(400);
    expect((await answer({ proposedNewTime, sendResponse: true })).status).toBe(202);
    expect((await organizer.event(id)).attendees).toMatchObject([{ proposedNewTime }, {}]);
    await organizer.send('PATCH', `/events/${id}`, { allowNewTimeProposals: false, subject: 'Kick-off, really' });
    expect(refusal(await answer({ proposedNewTime }))).toEqual([400, 'ErrorInvalidParameter']);
  });

  test('is refused to the organizer, and aloud where none was asked for', async () => {
    const { organizer, guest } = await openTwo();
    const { id } = await organizer.create({ ...kickOff, responseRequested: false });
    const own = await organizer.send('POST', `/events/${id}/accept`, {});
    expect(refusal(own)).toEqual([400, 'ErrorInvalidRequest']);
    expect(errorOf(own).message).toBe(
      "Your request can't be completed. You can't respond to this meeting because you're the meeting organizer.",
    );
    const { id: copy } = await copyOf(guest);
    const aloud = await guest.send('POST', `/events/${copy}/accept`, { sendResponse: true });
    expect(errorOf(aloud).message).toContain("The meeting organizer hasn't requested a response.");
    expect((await guest.send('POST', `/events/${copy}/accept`, { sendResponse: false })).status).toBe(202);
    expect((await guest.send('POST', `/events/${copy}/accept`, { notify: true })).status).toBe(400);
  });
});

describe('an update by the organizer', () => {
  test('of the time is mailed, moves the copies and voids all answers', async () => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create(kickOff);
    await guest.send('POST', `/events/${(await copyOf(guest)).id}/accept`, {});
    sent();
    const { body } = await organizer.send('PATCH', `/events/${id}`, on('2026-12-11', '10:00', '11:00'));
    expect(sent()).toEqual([`update ${client}`, `update ${stranger}`]);
    expect(statusOf(body, client)).toBe('none');
    expect(await copyOf(guest)).toMatchObject({
      start: body.start,
      showAs: 'tentative',
      responseStatus: { response: 'notResponded' },
    });
  });

  test('of the subject is mailed and keeps the answers', async () => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create(kickOff);
    const copy = await copyOf(guest);
    await guest.send('POST', `/events/${copy.id}/accept`, {});
    await guest.send('PATCH', `/events/${copy.id}`, { categories: ['Client'] });
    sent();
    const { body } = await organizer.send('PATCH', `/events/${id}`, { subject: 'Kick-off 2' });
    expect(sent()).toEqual([`update ${client}`, `update ${stranger}`]);
    expect(statusOf(body, client)).toBe('accepted');
    expect(await copyOf(guest)).toMatchObject({
      id: copy.id,
      subject: 'Kick-off 2',
      categories: ['Client'],
      showAs: 'busy',
      responseStatus: { response: 'accepted' },
    });
  });

  test.each<[string, Json]>([
    ['categories', { categories: ['Project'] }],
    ['a reminder', { isReminderOn: false, reminderMinutesBeforeStart: 5 }],
    ['showAs', { showAs: 'oof' }],
  ])('of %s is nobody else’s business', async (_, change) => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create(kickOff);
    sent();
    const before = await copyOf(guest);
    expect((await organizer.send('PATCH', `/events/${id}`, change)).body).toMatchObject(change);
    expect(sent()).toEqual([]);
    expect(await copyOf(guest)).toEqual(before);
  });

  test('of the attendees alone is mailed to those who came or went', async () => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create({ ...kickOff, attendees: [attendee(stranger)] });
    sent();
    const attendees = [attendee(stranger), attendee(client)];
    await organizer.send('PATCH', `/events/${id}`, { attendees });
    expect(sent()).toEqual([`invitation ${client}`]);
    expect(await copyOf(guest)).toMatchObject({ isCancelled: false });
    await organizer.send('PATCH', `/events/${id}`, { attendees: [attendee(stranger)], subject: 'Kick-off 2' });
    expect(sent()).toEqual([`cancellation ${client}`, `update ${stranger}`]);
    expect(await copyOf(guest)).toMatchObject({ isCancelled: true, showAs: 'free', subject: 'Canceled: Kick-off' });
  });
});

test('an update by an attendee changes the own copy and nothing else, until the organizer changes it again', async () => {
  const { organizer, guest, sent } = await openTwo();
  const { id } = await organizer.create(kickOff);
  sent();
  const copy = await copyOf(guest);
  expect((await guest.send('PATCH', `/events/${copy.id}`, { subject: 'My Kick-off' })).status).toBe(200);
  expect((await copyOf(guest)).subject).toBe('My Kick-off');
  expect((await organizer.event(id)).subject).toBe('Kick-off');
  expect(sent()).toEqual([]);
  await organizer.send('PATCH', `/events/${id}`, { location: { displayName: 'Room 2' } });
  expect(await copyOf(guest)).toMatchObject({ subject: 'Kick-off', location: { displayName: 'Room 2' } });
});

describe('a cancellation', () => {
  test.each(['DELETE', 'cancel'])('by %s is mailed, and marks the copies', async (way) => {
    const { organizer, guest, mails } = await openTwo();
    const { id } = await organizer.create(kickOff);
    mails.length = 0;
    const { status } =
      way === 'DELETE'
        ? await organizer.send('DELETE', `/events/${id}`)
        : await organizer.send('POST', `/events/${id}/cancel`, { Comment: 'Sorry' });
    expect(status).toBe(way === 'DELETE' ? 204 : 202);
    const said = way === 'DELETE' ? {} : { comment: 'Sorry' };
    const mail = { vendor: 'microsoft', from: me, kind: 'cancellation', subject: 'Kick-off', ...said };
    expect(mails).toEqual([
      { ...mail, to: client },
      { ...mail, to: stranger },
    ]);
    expect((await organizer.send('GET', `/events/${id}`)).status).toBe(404);
    const copy = await copyOf(guest);
    expect(copy).toMatchObject({ subject: 'Canceled: Kick-off', isCancelled: true, showAs: 'free' });
    expect((await guest.send('POST', `/events/${copy.id}/accept`, {})).status).toBe(400);
    expect((await guest.send('DELETE', `/events/${copy.id}`)).status).toBe(204);
  });

  test('is the organizer’s alone', async () => {
    const { organizer, guest, sent } = await openTwo();
    await organizer.create(kickOff);
    sent();
    const { id } = await copyOf(guest);
    const reply = await guest.send('POST', `/events/${id}/cancel`, {});
    expect(refusal(reply)).toEqual([400, 'ErrorInvalidRequest']);
    expect(errorOf(reply).message).toBe(
      "Your request can't be completed. You need to be an organizer to cancel a meeting.",
    );
    expect(sent()).toEqual([]);
  });
});

test('an attendee who deletes a meeting tells nobody', async () => {
  const { organizer, guest, sent } = await openTwo();
  const { id } = await organizer.create(kickOff);
  sent();
  await guest.send('DELETE', `/events/${(await copyOf(guest)).id}`);
  await expect(copyOf(guest)).rejects.toThrow('no copy');
  expect(sent()).toEqual([]);
  expect(statusOf(await organizer.event(id), client)).toBe('none');
});

describe('a series of meetings', () => {
  const shape = async (writer: Writer) =>
    (await inDecember(writer))
      .filter(({ subject }) => /Kick-off|Special/.test(String(subject)))
      .map(({ subject, start, responseStatus }) => [
        start.dateTime.slice(5, 10),
        subject,
        (responseStatus as { response: string }).response,
      ]);

  test('is one invitation, and a series with the same uids in the other mailbox', async () => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create(weekly);
    expect(sent()).toEqual([`invitation ${client}`, `invitation ${stranger}`]);
    const [mine, theirs] = [await organizer.instances(id, '2026-12-01', '2027-01-01'), await inDecember(guest)];
    const uids = (events: readonly EventReply[]) => events.map(({ iCalUId }) => iCalUId);
    expect(uids(theirs.filter(({ subject }) => subject === 'Kick-off'))).toEqual(uids(mine));
    const master = await guest.event(String((await copyOf(guest)).seriesMasterId));
    expect(master).toMatchObject({
      type: 'seriesMaster',
      isOrganizer: false,
      recurrence: { pattern: { type: 'weekly' } },
    });
  });

  test('is answered as a whole, or one by one', async () => {
    const { organizer, guest } = await openTwo();
    const { id } = await organizer.create(weekly);
    const [first, second] = (await inDecember(guest)).filter(({ subject }) => subject === 'Kick-off');
    await guest.send('POST', `/events/${first?.seriesMasterId}/accept`, {});
    await guest.send('POST', `/events/${second?.id}/decline`, {});
    expect(await shape(guest)).toEqual([
      ['12-07', 'Kick-off', 'accepted'],
      ['12-21', 'Kick-off', 'accepted'],
    ]);
    const heard = await organizer.instances(id, '2026-12-01', '2027-01-01');
    expect(heard.map((event) => statusOf(event, client))).toEqual(['accepted', 'declined', 'accepted']);
    expect(statusOf(await organizer.event(id), client)).toBe('accepted');
  });

  test('whose occurrence is changed or deleted tells of that one, and the answers to the others stay', async () => {
    const { organizer, guest, sent } = await openTwo();
    const { id } = await organizer.create(weekly);
    await guest.send('POST', `/events/${(await copyOf(guest)).seriesMasterId}/accept`, {});
    const [first, second] = await organizer.instances(id, '2026-12-01', '2027-01-01');
    sent();
    await organizer.send('PATCH', `/events/${second?.id}`, {
      subject: 'Special',
      ...on('2026-12-15', '10:00', '11:00'),
    });
    expect(sent()).toEqual([`update ${client}`, `update ${stranger}`]);
    await organizer.send('DELETE', `/events/${first?.id}`);
    expect(sent()).toEqual([`cancellation ${client}`, `cancellation ${stranger}`]);
    expect(await shape(guest)).toEqual([
      ['12-07', 'Canceled: Kick-off', 'accepted'],
      ['12-15', 'Special', 'notResponded'],
      ['12-21', 'Kick-off', 'accepted'],
    ]);
    await organizer.send('PATCH', `/events/${id}`, { location: { displayName: 'Room 2' } });
    // One for the series, and one for the exception.
    expect(sent()).toEqual([`update ${client}`, `update ${stranger}`, `update ${client}`, `update ${stranger}`]);
  });

  test('that moves is a new question in the other mailbox', async () => {
    const { organizer, guest } = await openTwo();
    const { id } = await organizer.create(weekly);
    const { seriesMasterId } = await copyOf(guest);
    await guest.send('POST', `/events/${seriesMasterId}/accept`, {});
    await organizer.send('PATCH', `/events/${id}`, on('2026-12-07', '12:00', '13:00'));
    expect(await shape(guest)).toEqual([
      ['12-07', 'Kick-off', 'notResponded'],
      ['12-14', 'Kick-off', 'notResponded'],
      ['12-21', 'Kick-off', 'notResponded'],
    ]);
    expect((await copyOf(guest)).seriesMasterId).toBe(seriesMasterId);
  });

  test('of the data set is one meeting in two tenants too', async () => {
    const { organizer, guest, sent } = await openTwo();
    const steering = async ({ view }: Writer) =>
      (await view('2026-11-23', '2026-12-07')).filter(({ subject }) => String(subject).startsWith('Steering'));
    const [mine] = await steering(organizer);
    const [before] = await steering(guest);
    await organizer.send('PATCH', `/events/${mine?.seriesMasterId}`, { subject: 'Steering group' });
    expect(sent()).toEqual([`update ${client}`, 'update program.manager@marimer.example']);
    const after = await steering(guest);
    expect(after).toHaveLength(2);
    expect(after[0]).toMatchObject({
      id: before?.id,
      iCalUId: before?.iCalUId,
      subject: 'Steering group',
      responseStatus: { response: 'accepted' },
    });
  });
});
