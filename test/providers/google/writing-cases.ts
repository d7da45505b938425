/** What writing to a Google account does, whatever way leads there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventFields } from '../../../src/core/change.ts';
import type { CalendarEvent } from '../../../src/core/event.ts';
import { googleEvent, googleFaults } from '../../../src/sandbox/index.ts';
import { lasting, openCall } from '../../harness.ts';
import { at, CLUB, day, freshKey, GUEST, MATE, openWritable, type Way, type Writable, YOU, ZONE } from './writable.ts';

/** As Outlook's invitations get it at Google. */
export const IMPORTED = '_60q30c1g60o30e1i60o4ac1g60rj8gpl88rj2c1h84s34h9g';

const isInsert = ({ method }: { method: string }): boolean => method === 'POST';
const isDelete = ({ method }: { method: string }): boolean => method === 'DELETE';
const isPatch = ({ method }: { method: string }): boolean => method === 'PATCH';

const titled = (events: readonly CalendarEvent[], title: string): CalendarEvent[] =>
  events.filter((event) => event.title === title);

/** One hour in the first week of December 2026. */
const meeting = (title: string, more: EventFields = {}): EventFields => ({
  title,
  start: at('2026-12-01T10:00:00+01:00'),
  end: at('2026-12-01T11:00:00+01:00'),
  ...more,
});

/** Four Mondays, of which the second is right after the clocks go back. */
const series = (title: string, more: EventFields = {}): EventFields => ({
  title,
  start: at('2026-10-19T09:00:00+02:00'),
  end: at('2026-10-19T09:30:00+02:00'),
  recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=4',
  ...more,
});

export function describeWriting(way: Way): void {
  let world: Writable;
  let end: () => Promise<void>;
  const quiet = { notify: false };

  beforeAll(async () => {
    const imported = {
      ...googleEvent({
        summary: 'Imported',
        start: '2026-12-02T14:00',
        end: '2026-12-02T15:00',
        organizedBy: { email: 'boss@away.example' },
        invited: [{ email: GUEST }],
        response: 'needsAction',
        privateCopy: true,
      }),
      id: IMPORTED,
    };
    ({ opened: world, end } = await lasting(() => openWritable(way, { events: [imported] })));
  }, 60_000);
  afterAll(() => end());

  const make = async (fields: EventFields, notify = false) =>
    (await world.writer.create(world.mine, fields, { key: freshKey(), notify }, openCall())).stored;
  const change = async (id: string, fields: EventFields) => {
    const { etag } = await world.get(id);
    return world.writer.update(world.mine, id, fields, { etag, notify: false }, openCall());
  };
  const mailsAbout = (subject: string): string[] =>
    world.sandbox.mails.filter((mail) => mail.subject === subject).map(({ kind, to }) => `${kind} ${to}`);
  /** What reading finds under a title in the weeks that the tests write to. */
  const find = async (title: string): Promise<CalendarEvent[]> =>
    titled(await world.read('2026-10-18', '2026-12-20'), title);
  /** With `fault` for the first request that matches. */
  const during = (fault: Omit<Parameters<Writable['sandbox']['fail']>[0], 'times'>): void =>
    world.sandbox.fail({ times: 1, ...fault });

  describe('create', () => {
    test('holds every field, as reading and getting tell at once', async () => {
      const fields: EventFields = {
        title: 'Whole',
        start: at('2026-12-01T10:00:00+01:00'),
        end: at('2026-12-01T17:30:00+01:00', 'America/New_York'),
        text: 'Agenda:\n1 < 2 & <b>not bold</b> &amp; <guest@away.example>',
        location: 'Room 1',
        busy: 'free',
        sensitivity: 'private',
        attendees: [{ email: MATE }, { email: GUEST, name: 'Guest', optional: true }],
        online: true,
        reminders: [10, 60],
        color: 'tomato',
      };
      const { stored, existed } = await world.writer.create(
        world.mine,
        fields,
        { key: freshKey(), notify: true },
        openCall(),
      );
      expect(existed).toBe(false);
      expect(stored.fields).toEqual(fields);
      expect(stored).toMatchObject({ isSeries: false, event: { kind: 'single', myResponse: 'organizer' } });
      expect(await world.get(stored.event.id)).toEqual(stored);
      expect(world.held(stored.event.id)).toMatchObject({
        start: { instant: '2026-12-01T09:00:00Z', timeZone: ZONE },
        end: { instant: '2026-12-01T16:30:00Z', timeZone: 'America/New_York' },
        properties: {
          transparency: 'transparent',
          visibility: 'private',
          colorId: '11',
          reminders: {
            useDefault: false,
            overrides: [
              { method: 'popup', minutes: 10 },
              { method: 'popup', minutes: 60 },
            ],
          },
          hangoutLink: expect.stringContaining('https://meet.google.com/'),
        },
      });
      const [read] = await find('Whole');
      const { etag: _, ...event } = stored.event;
      expect(read).toMatchObject(event);
      expect(read).toMatchObject({ join: expect.stringContaining('https://meet.google.com/'), text: fields.text });
      expect(mailsAbout('Whole')).toEqual([`invitation ${MATE}`, `invitation ${GUEST}`]);
    });

    test('tells nobody when nobody is to be told', async () => {
      const { event } = await make(meeting('Silent', { attendees: [{ email: MATE }] }));
      expect(event.attendees).toEqual([{ email: MATE, response: 'notResponded' }]);
      expect(mailsAbout('Silent')).toEqual([]);
      expect(world.held(event.id, MATE)).toBeDefined();
    });

    test('holds whole days as dates, with an exclusive end', async () => {
      const { fields, event } = await make({ title: 'Leave', start: day('2026-12-03'), end: day('2026-12-05') });
      expect(fields).toEqual({ title: 'Leave', start: day('2026-12-03'), end: day('2026-12-05') });
      expect(world.held(event.id)).toMatchObject({ start: { date: '2026-12-03' }, end: { date: '2026-12-05' } });
    });

    test('takes a fixed offset and an unknown zone for the moment that they mean', async () => {
      const fixed = await make(meeting('Offset', { start: at('2026-12-01T10:00:00+01:00', '+01:00') }));
      expect(world.held(fixed.event.id)?.start).toEqual({ instant: '2026-12-01T09:00:00Z', timeZone: 'Etc/GMT-1' });
      const none = await make(meeting('No zone', { start: at('2026-12-01T10:00:00+01:00', null) }));
      expect(world.held(none.event.id)?.start).toEqual({ instant: '2026-12-01T09:00:00Z', timeZone: ZONE });
    });

    test('a series keeps its time of day when the clocks change', async () => {
      const stored = await make(series('Weekly'));
      expect(stored).toMatchObject({
        isSeries: true,
        event: { seriesId: stored.event.id, recurrenceKey: '2026-10-19T07:00:00Z', start: { zone: ZONE } },
        fields: { recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=4' },
      });
      const starts = (await find('Weekly')).map(({ start }) =>
        new Date(start.kind === 'timed' ? start.epochMs : 0).toISOString(),
      );
      expect(starts).toEqual(
        ['19T07', '26T08']
          .map((it) => `2026-10-${it}:00:00.000Z`)
          .concat(['02', '09'].map((it) => `2026-11-${it}T08:00:00.000Z`)),
      );
    });

    test('one key is one event, however often and whatever for it is created', async () => {
      const key = freshKey();
      const first = await world.writer.create(world.mine, meeting('Once'), { key, notify: false }, openCall());
      const again = await world.writer.create(world.mine, meeting('Other words'), { key, notify: false }, openCall());
      expect([first.existed, again.existed]).toEqual([false, true]);
      expect(again.stored).toEqual(first.stored);
      expect(await find('Once')).toHaveLength(1);
      // In another calendar it is another one.
      const club = await world.writer.create(world.club, meeting('Once'), { key, notify: false }, openCall());
      expect(club.existed).toBe(false);
      expect(world.held(club.stored.event.id, CLUB)).toBeDefined();
    });

    test('P06: what was created before its answer got lost exists once', async () => {
      during({ match: isInsert, dropAnswer: true });
      const { stored } = await world.writer.create(
        world.mine,
        meeting('Lost', { attendees: [{ email: GUEST }], online: true }),
        { key: freshKey(), notify: true },
        openCall(),
      );
      expect(stored.fields.title).toBe('Lost');
      expect(await find('Lost')).toHaveLength(1);
      expect(mailsAbout('Lost')).toEqual([`invitation ${GUEST}`]);
    });

    test('P06: a service that is down for a moment is asked again', async () => {
      during({ match: isInsert, ...googleFaults.backendError });
      await make(meeting('Second try'));
      expect(await find('Second try')).toHaveLength(1);
    });

    test('the key of an event that was deleted makes another one, three times', async () => {
      const key = freshKey();
      const create = () => world.writer.create(world.mine, meeting('Lives'), { key, notify: false }, openCall());
      for (let life = 0; life < 3; life++) {
        const { stored, existed } = await create();
        expect(existed).toBe(false);
        await world.writer.delete(world.mine, stored.event.id, { etag: stored.etag, notify: false }, openCall());
      }
      await expect(create()).rejects.toMatchObject({ code: 'CONFLICT', hint: 'use another key' });
      expect(await find('Lives')).toEqual([]);
    });
  });

  describe('event types', () => {
    test('focus time and time out of office decline nothing by themselves', async () => {
      const focus = await make(meeting('Deep work', { type: 'focusTime' }));
      expect(focus).toMatchObject({ event: { type: 'focusTime', busy: 'busy' }, fields: { type: 'focusTime' } });
      expect(world.held(focus.event.id)?.properties).toMatchObject({
        focusTimeProperties: { autoDeclineMode: 'declineNone' },
      });
      const away = await make(meeting('Away', { type: 'outOfOffice', busy: 'oof' }));
      expect(away).toMatchObject({ event: { busy: 'oof' }, fields: { type: 'outOfOffice', busy: 'oof' } });
      expect(world.held(away.event.id)?.properties).toMatchObject({
        outOfOfficeProperties: { autoDeclineMode: 'declineNone' },
      });
      expect((await find('Away')).map(({ busy }) => busy)).toEqual(['oof']);
    });

    test.each([
      ['home', { type: 'homeOffice' }, 'Home'],
      ['office', { type: 'officeLocation' }, 'Office'],
      ['office: Tower 2', { type: 'officeLocation', officeLocation: { label: 'Tower 2' } }, 'Tower 2'],
      ['Beach', { type: 'customLocation', customLocation: { label: 'Beach' } }, 'Beach'],
    ])('a working location says %s', async (location, properties, title) => {
      const { event, fields } = await make({
        type: 'workingLocation',
        location,
        start: day('2026-12-08'),
        end: day('2026-12-09'),
      });
      expect(fields).toMatchObject({ type: 'workingLocation', location, title, busy: 'free' });
      expect(world.held(event.id)?.properties).toMatchObject({
        workingLocationProperties: properties,
        transparency: 'transparent',
        visibility: 'public',
      });
    });

    test('only a primary calendar holds them, and nothing is asked to find out', async () => {
      const asked = await world.asked(async () => {
        const options = { key: freshKey(), notify: false };
        await expect(
          world.writer.create(world.club, meeting('x', { type: 'focusTime' }), options, openCall()),
        ).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      });
      expect(asked).toEqual([]);
    });
  });

  describe('update', () => {
    test('changes what is asked for and keeps the rest, and reading tells so at once', async () => {
      const before = await make(meeting('Draft', { location: 'Room 1', text: 'keep', reminders: [5], color: 'sage' }));
      const after = await change(before.event.id, {
        title: 'Final',
        start: at('2026-12-01T12:00:00+01:00', 'Europe/London'),
        end: at('2026-12-01T13:00:00+01:00', 'Europe/London'),
        busy: 'free',
        sensitivity: 'confidential',
        color: 'basil',
        reminders: [],
        text: 'a & b',
      });
      expect(after.etag).not.toBe(before.etag);
      expect(after.fields).toEqual({
        title: 'Final',
        start: at('2026-12-01T12:00:00+01:00', 'Europe/London'),
        end: at('2026-12-01T13:00:00+01:00', 'Europe/London'),
        location: 'Room 1',
        text: 'a & b',
        busy: 'free',
        sensitivity: 'confidential',
        color: 'basil',
        reminders: [],
      });
      expect(await world.get(before.event.id)).toEqual(after);
      expect(world.held(before.event.id)?.start).toEqual({
        instant: '2026-12-01T11:00:00Z',
        timeZone: 'Europe/London',
      });
      expect(await find('Draft')).toEqual([]);
      expect(await find('Final')).toMatchObject([
        { start: { epochMs: Date.parse('2026-12-01T11:00Z') }, busy: 'free' },
      ]);
    });

    test('an empty text and an empty place clear', async () => {
      const { event } = await make(meeting('Cleared', { location: 'Room 1', text: 'gone' }));
      const { fields } = await change(event.id, { text: '', location: '' });
      expect(fields).toEqual(meeting('Cleared'));
    });

    test('a time becomes a whole day and a time again', async () => {
      const { event } = await make(meeting('Switch'));
      const whole = await change(event.id, { start: day('2026-12-02'), end: day('2026-12-03') });
      expect(whole.fields).toEqual({ title: 'Switch', start: day('2026-12-02'), end: day('2026-12-03') });
      expect(world.held(event.id)?.start).toEqual({ date: '2026-12-02' });
      const timed = await change(event.id, { start: meeting('').start, end: meeting('').end } as EventFields);
      expect(timed.fields).toEqual(meeting('Switch'));
      expect(world.held(event.id)?.start).toEqual({ instant: '2026-12-01T09:00:00Z', timeZone: ZONE });
    });

    test('P08: another version is a conflict, and nothing is sent', async () => {
      const { event, etag } = await make(meeting('Version 1'));
      await change(event.id, { title: 'Version 2' });
      const asked = await world.asked(() =>
        expect(
          world.writer.update(world.mine, event.id, { title: 'Version 3' }, { etag, ...quiet }, openCall()),
        ).rejects.toMatchObject({ code: 'CONFLICT', account: 'home' }),
      );
      expect(asked.filter(({ method }) => method !== 'GET')).toEqual([]);
      expect(await find('Version 2')).toHaveLength(1);
    });

    test('P08: a change of reminders alone makes another version', async () => {
      const { event, etag } = await make(meeting('Reminded'));
      const { etag: later } = await change(event.id, { reminders: [15] });
      expect(later).not.toBe(etag);
      await expect(
        world.writer.update(world.mine, event.id, { reminders: [] }, { etag, ...quiet }, openCall()),
      ).rejects.toMatchObject({ code: 'CONFLICT' });
    });

    test('who stays invited keeps response and comment, who is new has none, and nobody is told', async () => {
      const { event } = await make(meeting('People', { attendees: [{ email: MATE }, { email: GUEST }] }));
      const attendees = [{ email: MATE, responseStatus: 'accepted', comment: 'With pleasure', additionalGuests: 2 }];
      await world.asMate('PATCH', `events/${event.id}`, { attendeesOmitted: true, attendees });
      const { fields, event: now } = await change(event.id, {
        attendees: [{ email: MATE.toUpperCase() }, { email: 'new@away.example' }],
      });
      expect(fields.attendees).toEqual([{ email: MATE }, { email: 'new@away.example' }]);
      expect(now.attendees?.map(({ response }) => response)).toEqual(['accepted', 'notResponded']);
      expect(world.held(event.id)?.properties.attendees).toEqual([
        expect.objectContaining({ email: MATE, comment: 'With pleasure', additionalGuests: 2 }),
        expect.objectContaining({ email: 'new@away.example', responseStatus: 'needsAction' }),
      ]);
      expect(mailsAbout('People')).toEqual([]);
      const none = await change(event.id, { attendees: [] });
      expect(none.fields.attendees).toBeUndefined();
    });

    test('a Meet link comes, and one that is there stays the same', async () => {
      const { event } = await make(meeting('Call'));
      const { event: now, fields } = await change(event.id, { online: true });
      expect(fields.online).toBe(true);
      expect(now.join).toContain('https://meet.google.com/');
      const { event: later } = await change(event.id, { online: true, title: 'Call' });
      expect(later.join).toBe(now.join);
    });

    test('an occurrence is changed by itself, and the series with its exceptions', async () => {
      const { event } = await make(series('Sync'));
      const [, second] = await find('Sync');
      const id = second?.id ?? '';
      const occurrence = await world.get(id);
      expect(occurrence).toMatchObject({ isSeries: false, event: { kind: 'occurrence', seriesId: event.id } });
      expect(occurrence.fields).not.toHaveProperty('recurrence');
      const moved = await change(id, {
        title: 'Sync, later',
        start: at('2026-10-27T15:00:00+01:00'),
        end: at('2026-10-27T16:00:00+01:00'),
      });
      expect(moved).toMatchObject({
        isSeries: false,
        event: { kind: 'exception', recurrenceKey: '2026-10-26T08:00:00Z' },
      });
      expect(await find('Sync')).toHaveLength(3);
      const all = await change(event.id, { location: 'Room 9' });
      expect(all).toMatchObject({ isSeries: true, fields: { title: 'Sync', location: 'Room 9' } });
      expect((await find('Sync')).map(({ location }) => location)).toEqual(['Room 9', 'Room 9', 'Room 9']);
      expect(await find('Sync, later')).toMatchObject([{ start: moved.event.start, location: 'Room 9' }]);
    });

    test('another rule keeps the days that were left out', async () => {
      const { event } = await make(series('Ruled'));
      const held = world.held(event.id);
      const calendar = world.sandbox.google.data.calendars.find(({ id }) => id === YOU);
      const lines = [...(held?.recurrence ?? []), 'EXDATE;TZID=Europe/Amsterdam:20261102T090000'];
      const at = calendar?.events.findIndex(({ id }) => id === event.id) ?? -1;
      if (held === undefined || calendar === undefined) throw new TypeError('no event');
      calendar.events[at] = { ...held, recurrence: lines };
      const { fields } = await change(event.id, { recurrence: 'FREQ=WEEKLY;BYDAY=MO;COUNT=3' });
      expect(fields.recurrence).toBe('FREQ=WEEKLY;BYDAY=MO;COUNT=3');
      expect(world.held(event.id)?.recurrence).toEqual(['RRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3', lines[1]]);
      expect(await find('Ruled')).toHaveLength(2);
      const once = await change(event.id, { recurrence: '' });
      expect(once.isSeries).toBe(false);
      expect(await find('Ruled')).toHaveLength(1);
    });

    test('an answer that got lost is told as unknown, and the change is not made again', async () => {
      const { event, etag } = await make(meeting('Unsure'));
      during({ match: isPatch, dropAnswer: true });
      const asked = await world.asked(() =>
        expect(
          world.writer.update(world.mine, event.id, { title: 'Unsure, done' }, { etag, ...quiet }, openCall()),
        ).rejects.toMatchObject({ code: 'UNAVAILABLE' }),
      );
      expect(asked.filter(isPatch)).toHaveLength(1);
      expect((await world.get(event.id)).fields.title).toBe('Unsure, done');
    });
  });

  describe('delete', () => {
    test('is seen at once, and done once', async () => {
      const { event, etag } = await make(meeting('Doomed', { attendees: [{ email: GUEST }] }));
      await world.writer.delete(world.mine, event.id, { etag, notify: true }, openCall());
      expect(await find('Doomed')).toEqual([]);
      expect(mailsAbout('Doomed')).toEqual([`cancellation ${GUEST}`]);
      await expect(world.get(event.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(world.writer.delete(world.mine, event.id, { etag, ...quiet }, openCall())).rejects.toMatchObject({
        code: expect.stringMatching(/NOT_FOUND|CONFLICT/),
      });
    });

    test('takes one occurrence away, or the whole series', async () => {
      const { event } = await make(series('Shrinks'));
      const [first] = await find('Shrinks');
      const one = await world.get(first?.id ?? '');
      await world.writer.delete(world.mine, one.event.id, { etag: one.etag, ...quiet }, openCall());
      expect((await find('Shrinks')).map(({ id }) => id)).not.toContain(one.event.id);
      expect(await find('Shrinks')).toHaveLength(3);
      await expect(world.get(one.event.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      const { etag } = await world.get(event.id);
      await world.writer.delete(world.mine, event.id, { etag, ...quiet }, openCall());
      expect(await find('Shrinks')).toEqual([]);
    });

    test('P08: another version is a conflict', async () => {
      const { event, etag } = await make(meeting('Stays'));
      await change(event.id, { location: 'elsewhere' });
      await expect(world.writer.delete(world.mine, event.id, { etag, ...quiet }, openCall())).rejects.toMatchObject({
        code: 'CONFLICT',
      });
      expect(await find('Stays')).toHaveLength(1);
    });

    test('tells nobody when nobody is to be told', async () => {
      const { event, etag } = await make(meeting('Fades', { attendees: [{ email: GUEST }] }));
      await world.writer.delete(world.mine, event.id, { etag, ...quiet }, openCall());
      expect(mailsAbout('Fades')).toEqual([]);
    });
  });

  describe('respond', () => {
    /** An invitation of the mate's. */
    async function invited(summary: string, more: object = {}): Promise<string> {
      const { id } = await world.asMate('POST', 'events', {
        summary,
        start: { dateTime: '2026-12-01T10:00:00+01:00', timeZone: ZONE },
        end: { dateTime: '2026-12-01T11:00:00+01:00', timeZone: ZONE },
        attendees: [{ email: YOU }, { email: GUEST, responseStatus: 'tentative', comment: 'Perhaps' }],
        ...more,
      });
      return String(id);
    }
    const respond = async (
      id: string,
      response: 'accepted' | 'tentative' | 'declined',
      notify: boolean,
      comment?: string,
    ) => {
      const { etag } = await world.get(id);
      const options = { response, notify, etag, ...(comment === undefined ? {} : { comment }) };
      return world.writer.respond(world.mine, id, options, openCall());
    };

    test('changes the own answer alone, and tells the organizer when asked to', async () => {
      const id = await invited('Please come');
      const { event } = await respond(id, 'accepted', true, 'On my way');
      expect(event.myResponse).toBe('accepted');
      expect(await find('Please come')).toMatchObject([{ myResponse: 'accepted' }]);
      expect(world.held(id, MATE)?.properties.attendees).toEqual([
        expect.objectContaining({ email: YOU, responseStatus: 'accepted', comment: 'On my way' }),
        expect.objectContaining({ email: GUEST, responseStatus: 'tentative', comment: 'Perhaps' }),
      ]);
      expect(mailsAbout('Please come')).toContain(`response ${MATE}`);
      const before = mailsAbout('Please come').length;
      const { event: later } = await respond(id, 'declined', false);
      expect(later.myResponse).toBe('declined');
      expect(mailsAbout('Please come')).toHaveLength(before);
    });

    test('to one occurrence, or to the whole series', async () => {
      const id = await invited('Again', { recurrence: ['RRULE:FREQ=DAILY;COUNT=3'] });
      const [first] = await find('Again');
      await respond(first?.id ?? '', 'declined', false);
      expect((await find('Again')).map(({ myResponse }) => myResponse)).toEqual([
        'declined',
        'notResponded',
        'notResponded',
      ]);
      await respond(id, 'tentative', false);
      expect((await find('Again')).map(({ myResponse }) => myResponse).slice(1)).toEqual(['tentative', 'tentative']);
    });

    test('defect 10: to an imported event, whose id begins with _', async () => {
      const { event } = await respond(IMPORTED, 'accepted', false);
      expect(event).toMatchObject({ id: IMPORTED, myResponse: 'accepted' });
      expect(await find('Imported')).toMatchObject([{ myResponse: 'accepted' }]);
    });

    test('P08: not to another version than the one that was read', async () => {
      const id = await invited('Moves');
      const { etag } = await world.get(id);
      await world.asMate('PATCH', `events/${id}`, { location: 'Elsewhere' });
      await expect(
        world.writer.respond(world.mine, id, { response: 'accepted', etag, notify: false }, openCall()),
      ).rejects.toMatchObject({ code: 'CONFLICT' });
      expect((await world.get(id)).event.myResponse).toBe('notResponded');
    });

    test('is not for organizers, nor for those who are not invited', async () => {
      const own = await make(meeting('Own', { attendees: [{ email: GUEST }] }));
      const alone = await make(meeting('Alone'));
      for (const { event } of [own, alone])
        await expect(respond(event.id, 'accepted', false)).rejects.toMatchObject({
          code: 'INPUT_INVALID',
          message: expect.stringContaining('organizer'),
        });
    });
  });

  describe('refusals', () => {
    test('have a code, words of calmcp’s, and a hint', async () => {
      const { event, etag } = await make(meeting('Refused'));
      const reason = (status: number, name: string, message: string) => ({
        status,
        body: JSON.stringify({
          error: { code: status, message, errors: [{ domain: 'calendar', reason: name, message }] },
        }),
      });
      const writer = 'You need to have writer access to this calendar.';
      const organizer = 'Shared properties can only be changed by the organizer of the event.';
      for (const [fault, code, says] of [
        [reason(403, 'requiredAccessLevel', writer), 'FORBIDDEN', /may not change the events of this calendar/],
        [reason(403, 'forbiddenForNonOrganizer', organizer), 'FORBIDDEN', /only its organizer/],
        [reason(403, 'forbidden', 'Forbidden'), 'FORBIDDEN', /does not let this account change/],
        [reason(403, 'quotaExceeded', 'Calendar usage limits exceeded.'), 'FORBIDDEN', /limited the calendar use/],
        [
          reason(403, 'insufficientPermissions', 'Request had insufficient authentication scopes.'),
          'FORBIDDEN',
          /sign-in does not cover/,
        ],
        [reason(400, 'invalid', 'Invalid attendee email.'), 'INPUT_INVALID', /does not take the event/],
        [reason(400, 'timeRangeEmpty', 'The specified time range is empty.'), 'INPUT_INVALID', /end before it starts/],
        [reason(404, 'notFound', 'Not Found'), 'NOT_FOUND', /does not know this event/],
        [reason(410, 'deleted', 'Resource has been deleted'), 'NOT_FOUND', /deleted already/],
        [googleFaults.backendError, 'UNAVAILABLE', /trouble/],
      ] as const) {
        during({ match: isPatch, ...fault });
        const asked = await world.asked(async () => {
          const thrown: unknown = await world.writer
            .update(world.mine, event.id, { title: 'Refused, changed' }, { etag, ...quiet }, openCall())
            .catch((error: unknown) => error);
          expect(thrown, String(says)).toMatchObject({ code, account: 'home', message: expect.stringMatching(says) });
          expect((thrown as Error).message).not.toContain('Invalid attendee');
          if (code === 'FORBIDDEN') expect(thrown).toHaveProperty('hint', expect.stringMatching(/./));
        });
        expect(asked.filter(isPatch), String(says)).toHaveLength(1);
      }
      expect((await world.get(event.id)).fields.title).toBe('Refused');
    });

    test.each(['rateLimitExceeded', 'userRateLimitExceeded', 'tooManyRequests'] as const)(
      'what Google has not done for want of patience (%s) is asked again',
      async (name) => {
        const { event, etag } = await make(meeting('Patient'));
        during({ match: isPatch, ...googleFaults[name] });
        const { fields } = await world.writer.update(
          world.mine,
          event.id,
          { title: `Patient ${name}` },
          { etag, ...quiet },
          openCall(),
        );
        expect(fields.title).toBe(`Patient ${name}`);
        during({ match: isDelete, ...googleFaults[name] });
        const now = await world.get(event.id);
        await world.writer.delete(world.mine, event.id, { etag: now.etag, ...quiet }, openCall());
        expect(await find(`Patient ${name}`)).toEqual([]);
      },
    );

    test('an event that is not there is not found', async () => {
      await expect(world.get('nosuchevent')).rejects.toMatchObject({ code: 'NOT_FOUND', account: 'home' });
      await expect(
        world.writer.delete(world.mine, 'nosuchevent', { etag: '"1"', ...quiet }, openCall()),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    test('what Google cannot hold is refused before anything is asked', async () => {
      const asked = await world.asked(async () => {
        for (const fields of [
          meeting('x', { categories: ['Red'] }),
          meeting('x', { busy: 'tentative' }),
          meeting('x', { sensitivity: 'personal' }),
          meeting('x', { color: 'mauve' }),
          meeting('x', { reminders: [1, 2, 3, 4, 5, 6] }),
        ])
          await expect(make(fields)).rejects.toMatchObject({ code: 'INPUT_INVALID', hint: expect.stringMatching(/./) });
        const reader = { ...world.mine, access: 'read' as const };
        await expect(
          world.writer.create(reader, meeting('x'), { key: freshKey(), notify: false }, openCall()),
        ).rejects.toMatchObject({ code: 'READ_ONLY' });
      });
      expect(asked).toEqual([]);
    });
  });
}
