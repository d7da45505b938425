import { describe, expect, test } from 'vitest';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { googleEvent } from '../../src/sandbox/index.ts';
import type { Json } from './client.ts';
import {
  at,
  type EventResource,
  guest,
  household,
  mailboxOf,
  openHousehold,
  other,
  outsider,
  slot,
  you,
} from './google-writes-client.ts';

const meeting = { ...slot, summary: 'Meeting', attendees: [{ email: guest }, { email: outsider }] };

const answers = ({ attendees = [] }: EventResource) =>
  Object.fromEntries(attendees.map(({ email, responseStatus }) => [email, responseStatus]));
const sent = ({ mails }: Sandbox) => mails.splice(0).map(({ kind, to }) => `${kind} ${to}`);

describe('an invitation', () => {
  test('puts a copy on the calendars of those who have one', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    const { event: copy } = await theirs.get(event.id);
    expect(copy).toMatchObject({
      id: event.id,
      iCalUID: event.iCalUID,
      summary: 'Meeting',
      attendees: [
        { email: guest, self: true, responseStatus: 'needsAction' },
        { email: outsider, responseStatus: 'needsAction' },
      ],
    });
    expect(copy.organizer).toEqual({ email: you });
    expect(event.organizer).toEqual({ email: you, self: true });
  });

  test.each<[Record<string, string>, string[]]>([
    [{}, []],
    [{ sendUpdates: 'none' }, []],
    [{ sendUpdates: 'all' }, [guest, outsider]],
    [{ sendUpdates: 'externalOnly' }, [outsider]],
    [{ sendNotifications: 'true' }, [guest, outsider]],
    [{ sendNotifications: 'true', sendUpdates: 'none' }, []],
  ])('is mailed with %j to %j, and so are changes and the end of it', async (query, people) => {
    const { sandbox, mine } = await openHousehold();
    const { event } = await mine.insert(meeting, query);
    expect(sandbox.mails).toMatchObject(
      people.map((to) => ({ vendor: 'google', from: you, to, kind: 'invitation', subject: 'Meeting' })),
    );
    sandbox.mails.length = 0;
    await mine.patch(event.id, { start: at('2026-11-23T09:00:00') }, query);
    expect(sent(sandbox)).toEqual(people.map((to) => `update ${to}`));
    await mine.patch(event.id, { colorId: '3', reminders: { useDefault: false } }, query);
    expect(sent(sandbox)).toEqual([]);
    await mine.remove(event.id, query);
    expect(sent(sandbox)).toEqual(people.map((to) => `cancellation ${to}`));
  });

  test('of more people and of fewer is told to those alone whom it concerns', async () => {
    const { sandbox, mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    await mine.patch(event.id, { attendees: [{ email: outsider }, { email: other }] }, { sendUpdates: 'all' });
    expect(sent(sandbox)).toEqual([`invitation ${other}`, `cancellation ${guest}`]);
    expect((await theirs.get(event.id)).event.status).toBe('cancelled');
    expect(await theirs.list()).toEqual([]);
    expect(await (await mailboxOf(sandbox, other)).list()).toMatchObject([{ id: event.id }]);
  });

  test('of the organizer does not mail the organizer', async () => {
    const { sandbox, mine } = await openHousehold();
    const { event } = await mine.insert(
      { ...slot, attendees: [{ email: you, responseStatus: 'accepted' }, { email: guest }] },
      { sendUpdates: 'all' },
    );
    expect(event.attendees?.[0]).toEqual({ email: you, organizer: true, self: true, responseStatus: 'accepted' });
    expect(sent(sandbox)).toEqual([`invitation ${guest}`]);
  });

  test('reaches the other calendars with every change of the organizer', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    await theirs.patch(event.id, { colorId: '7', reminders: { useDefault: false } });
    await mine.patch(event.id, { summary: 'Moved', start: at('2026-11-23T09:00:00'), colorId: '2' });
    expect((await theirs.get(event.id)).event).toMatchObject({
      summary: 'Moved',
      start: { dateTime: '2026-11-23T09:00:00+01:00' },
      sequence: 1,
      colorId: '7',
      reminders: { useDefault: false },
    });
    await mine.remove(event.id);
    expect(await theirs.list()).toEqual([]);
    expect((await theirs.get(event.id)).event.status).toBe('cancelled');
  });

  test('takes answers back where a list leaves them out', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    await theirs.patch(event.id, { attendees: [{ email: guest, responseStatus: 'accepted' }, { email: outsider }] });
    await mine.patch(event.id, { attendees: [{ email: guest }, { email: outsider }, { email: other }] });
    expect(answers((await mine.get(event.id)).event)[guest]).toBe('needsAction');
  });
});

describe('an answer', () => {
  test('given in the own calendar is on all copies, and mailed to the organizer where that is asked for', async () => {
    const { sandbox, mine, theirs } = await openHousehold();
    const { event } = await mine.insert({ ...meeting, attendees: [...meeting.attendees, { email: other }] });
    const { attendees = [] } = (await theirs.get(event.id)).event;
    const answered = attendees.map((each) =>
      each.self === true ? { ...each, responseStatus: 'accepted', comment: 'Gladly' } : each,
    );
    const { status, event: copy } = await theirs.patch(event.id, { attendees: answered }, { sendUpdates: 'all' });
    expect([status, answers(copy)]).toEqual([
      200,
      { [guest]: 'accepted', [outsider]: 'needsAction', [other]: 'needsAction' },
    ]);
    const organized = (await mine.get(event.id)).event;
    expect(answers(organized)).toEqual(answers(copy));
    expect(organized.attendees?.[0]).toMatchObject({ comment: 'Gladly' });
    expect([organized.sequence, organized.etag === event.etag]).toEqual([0, false]);
    expect(answers((await (await mailboxOf(sandbox, other)).get(event.id)).event)[guest]).toBe('accepted');
    expect(sandbox.mails).toEqual([
      { vendor: 'google', from: guest, to: you, kind: 'response', subject: 'Meeting', comment: 'Gladly' },
    ]);
  });

  test('is not mailed unless that is asked for', async () => {
    const { sandbox, mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    await theirs.patch(event.id, {
      attendees: [{ email: guest, responseStatus: 'declined' }],
      attendeesOmitted: true,
    });
    expect(sandbox.mails).toEqual([]);
    expect(answers((await mine.get(event.id)).event)).toEqual({ [guest]: 'declined', [outsider]: 'needsAction' });
  });

  test('counts for the person alone: nobody answers for others', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    const attendees = [
      { email: guest, responseStatus: 'accepted' },
      { email: outsider, responseStatus: 'declined' },
    ];
    expect((await theirs.patch(event.id, { attendees })).status).toBe(200);
    expect(answers((await mine.get(event.id)).event)).toEqual({ [guest]: 'accepted', [outsider]: 'needsAction' });
  });

  test('that names nobody else takes the others off the copy, unless it says that they are omitted', async () => {
    const invited = googleEvent({
      start: '2026-11-23T10:00',
      end: '2026-11-23T11:00',
      organizedBy: { email: outsider },
      invited: [{ email: other }],
      response: 'needsAction',
    });
    const { sandbox, mine } = await openHousehold(household([invited]));
    const attendees = [{ email: you, responseStatus: 'accepted' }];
    const omitted = await mine.patch(invited.id, { attendees, attendeesOmitted: true }, { sendUpdates: 'all' });
    expect(Object.keys(answers(omitted.event))).toEqual([outsider, you, other]);
    expect(sent(sandbox)).toEqual([`response ${outsider}`]);
    const forOthers = [...attendees, { email: other, responseStatus: 'declined' }];
    expect(answers((await mine.patch(invited.id, { attendees: forOthers })).event)).toEqual({
      [you]: 'accepted',
      [other]: 'needsAction',
    });
    expect(answers((await mine.patch(invited.id, { attendees })).event)).toEqual({ [you]: 'accepted' });
  });

  test('is no if the copy is deleted; the meeting goes on', async () => {
    const { sandbox, mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    await theirs.remove(event.id, { sendUpdates: 'all' });
    expect(sent(sandbox)).toEqual([`response ${you}`]);
    expect(answers((await mine.get(event.id)).event)[guest]).toBe('declined');
    expect(await mine.list()).toHaveLength(1);
    await mine.patch(event.id, { location: 'Room 1' });
    expect(await theirs.list()).toEqual([]);
  });

  test('to one instance is an exception on all copies', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert({
      ...meeting,
      recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'],
    });
    const one = `${event.id}_20261130T090000Z`;
    const attendees = [{ email: guest, responseStatus: 'declined' }];
    expect((await theirs.patch(one, { attendees, attendeesOmitted: true })).status).toBe(200);
    expect((await mine.instances(event.id)).map((each) => answers(each)[guest])).toEqual([
      'needsAction',
      'declined',
      'needsAction',
    ]);
    await theirs.patch(event.id, { attendees: [{ email: guest, responseStatus: 'accepted' }], attendeesOmitted: true });
    expect((await mine.instances(event.id)).map((each) => answers(each)[guest])).toEqual([
      'accepted',
      'declined',
      'accepted',
    ]);
  });
});

describe('somebody who was invited', () => {
  test.each<[string, Json]>([
    ['the title', { summary: 'Mine' }],
    ['the time', { start: at('2026-11-23T09:00:00') }],
    ['the place', { location: 'Elsewhere' }],
    ['what guests may do', { guestsCanModify: true }],
    ['shared properties', { extendedProperties: { shared: { a: 'b' } } }],
  ])('cannot change %s', async (_, body) => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert(meeting);
    expect(await theirs.patch(event.id, body)).toMatchObject({
      status: 403,
      reason: 'forbiddenForNonOrganizer',
      message: 'Shared properties can only be changed by the organizer of the event.',
    });
    expect((await theirs.get(event.id)).event).toMatchObject({ summary: 'Meeting' });
  });

  test('cannot replace the event without repeating what is shared', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert({ ...meeting, location: 'Room 1' });
    expect(await theirs.put(event.id, { ...slot, summary: 'Meeting' })).toMatchObject({
      status: 403,
      reason: 'forbiddenForNonOrganizer',
    });
  });

  test('changes what belongs to the own copy', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert({
      ...meeting,
      extendedProperties: { shared: { a: 'b' }, private: { c: 'd' } },
    });
    const own = { colorId: '7', transparency: 'transparent', visibility: 'private' };
    const { event: copy } = await theirs.patch(event.id, { ...own, extendedProperties: { private: { e: 'f' } } });
    expect(copy).toMatchObject({ ...own, extendedProperties: { shared: { a: 'b' }, private: { e: 'f' } } });
    const organized = (await mine.get(event.id)).event;
    expect(organized.extendedProperties).toEqual({ shared: { a: 'b' }, private: { c: 'd' } });
    for (const name of Object.keys(own)) expect(organized).not.toHaveProperty(name);
  });

  test('changes everything for everybody where guests may', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert({ ...meeting, guestsCanModify: true, colorId: '2' });
    const { status } = await theirs.patch(event.id, { summary: 'Theirs', colorId: '7' });
    expect([status, (await mine.get(event.id)).event]).toMatchObject([200, { summary: 'Theirs', colorId: '2' }]);
    expect((await theirs.get(event.id)).event).toMatchObject({ summary: 'Theirs', colorId: '7' });
  });

  test('brings others along, unless guests may not', async () => {
    const { sandbox, mine, theirs } = await openHousehold();
    const attendees = [{ email: guest }, { email: outsider }, { email: other }];
    const open = (await mine.insert(meeting)).event;
    expect((await theirs.patch(open.id, { attendees }, { sendUpdates: 'all' })).status).toBe(200);
    expect(sent(sandbox)).toEqual([`invitation ${other}`]);
    expect(Object.keys(answers((await mine.get(open.id)).event))).toEqual([guest, outsider, other]);
    expect(await (await mailboxOf(sandbox, other)).list()).toHaveLength(1);
    const closed = (await mine.insert({ ...meeting, guestsCanInviteOthers: false })).event;
    expect(await theirs.patch(closed.id, { attendees })).toMatchObject({ reason: 'forbiddenForNonOrganizer' });
  });

  test('to one instance alone has that one, and nothing of the rest', async () => {
    const { sandbox, mine } = await openHousehold();
    const { event } = await mine.insert({ ...slot, summary: 'Series', recurrence: ['RRULE:FREQ=WEEKLY;COUNT=3'] });
    await mine.patch(`${event.id}_20261130T090000Z`, { attendees: [{ email: other }] });
    const theirs = await mailboxOf(sandbox, other);
    expect((await theirs.list()).map(({ start }) => start.dateTime)).toEqual(['2026-11-30T10:00:00+01:00']);
    expect(await theirs.get(event.id)).toMatchObject({ status: 404 });
  });

  test('to a series sees its exceptions, its end and its cancelled instances', async () => {
    const { mine, theirs } = await openHousehold();
    const { event } = await mine.insert({ ...meeting, recurrence: ['RRULE:FREQ=WEEKLY;COUNT=4'] });
    await mine.patch(`${event.id}_20261130T090000Z`, { summary: 'Other' });
    await mine.remove(`${event.id}_20261207T090000Z`);
    expect((await theirs.list()).map(({ summary }) => summary)).toEqual(['Meeting', 'Other', 'Meeting']);
    await mine.patch(event.id, { recurrence: ['RRULE:FREQ=WEEKLY;UNTIL=20261129T000000Z'] });
    expect((await theirs.list()).map(({ summary }) => summary)).toEqual(['Meeting']);
    await mine.remove(event.id);
    expect(await theirs.list()).toEqual([]);
  });
});
