import { describe, expect, test } from 'vitest';
import { type GoogleEventInput, googleCalendar, googleEvent, googleSeries } from '../../src/sandbox/index.ts';
import type { Json } from './client.ts';
import { at, household, mailboxOf, openHousehold, outsider, slot, you } from './google-writes-client.ts';

const day = { start: { date: '2026-11-23' }, end: { date: '2026-11-24' } };

describe('a resource is refused', () => {
  test.each<[string, Json, string]>([
    ['without an end', { start: slot.start }, 'required'],
    ['without a start', { end: slot.end }, 'invalid'],
    ['with a time and a date', { start: slot.start, end: { date: '2026-11-24' } }, 'invalid'],
    ['with both in one', { start: { ...slot.start, date: '2026-11-23' }, end: slot.end }, 'invalid'],
    ['with neither', { start: { timeZone: 'UTC' }, end: slot.end }, 'invalid'],
    ['with a time without offset and zone', { ...slot, start: { dateTime: '2026-11-23T10:00:00' } }, 'required'],
    ['with a time without seconds', { ...slot, start: at('2026-11-23T10:00') }, 'invalid'],
    ['with a day that is none', { start: { date: '2026-02-30' }, end: { date: '2026-03-01' } }, 'invalid'],
    ['with a Windows zone', { ...slot, start: at('2026-11-23T10:00:00', 'W. Europe Standard Time') }, 'invalid'],
    ['that ends before it starts', { start: slot.end, end: slot.start }, 'timeRangeEmpty'],
    ['of no days', { start: day.start, end: day.start }, 'timeRangeEmpty'],
    ['with a colour that is none', { ...slot, colorId: '12' }, 'invalid'],
    ['with another visibility', { ...slot, visibility: 'secret' }, 'invalid'],
    ['with another transparency', { ...slot, transparency: 'free' }, 'invalid'],
    ['with another status', { ...slot, status: 'maybe' }, 'invalid'],
    ['with a summary that is no text', { ...slot, summary: 5 }, 'invalid'],
    ['with an attendee without an address', { ...slot, attendees: [{ displayName: 'x' }] }, 'required'],
    ['with an attendee without a good address', { ...slot, attendees: [{ email: 'x' }] }, 'invalid'],
    ['with another answer', { ...slot, attendees: [{ email: outsider, responseStatus: 'yes' }] }, 'invalid'],
    ['with a source that is no page', { ...slot, source: { url: 'mailto:x' } }, 'invalid'],
    ['with a field that no event has', { ...slot, sumary: 'x' }, 'invalidParameter'],
    [
      'with a reminder by another method',
      { ...slot, reminders: { useDefault: false, overrides: [{ method: 'sms', minutes: 5 }] } },
      'invalid',
    ],
    [
      'with a reminder five weeks before',
      { ...slot, reminders: { useDefault: false, overrides: [{ method: 'popup', minutes: 40_321 }] } },
      'invalid',
    ],
    [
      'with six reminders',
      { ...slot, reminders: { useDefault: false, overrides: Array(6).fill({ method: 'popup', minutes: 5 }) } },
      'invalid',
    ],
    [
      'with default and own reminders',
      { ...slot, reminders: { useDefault: true, overrides: [{ method: 'popup', minutes: 5 }] } },
      'cannotUseDefaultRemindersAndSpecifyOverride',
    ],
    ['with an extended property that is no text', { ...slot, extendedProperties: { private: { a: 1 } } }, 'invalid'],
  ])('%s', async (_, body, reason) => {
    const { mine } = await openHousehold();
    expect(await mine.insert(body)).toMatchObject({ status: 400, reason });
    expect(await mine.list()).toEqual([]);
  });

  test('that is no JSON object', async () => {
    const { mine } = await openHousehold();
    expect(await mine.insert([] as unknown as Json)).toMatchObject({ status: 400, reason: 'parseError' });
  });

  test.each([
    ['sendUpdates', 'everybody'],
    ['conferenceDataVersion', '2'],
    ['conferenceDataVersion', 'yes'],
    ['sendNotifications', '1'],
    ['eventId', 'x'],
  ])('with the parameter %s=%s', async (name, value) => {
    const { mine } = await openHousehold();
    expect((await mine.insert(slot, { [name]: value })).status).toBe(400);
    expect(await mine.list()).toEqual([]);
  });

  test.each([
    ['an id', { conferenceSolutionKey: { type: 'hangoutsMeet' } }, 'required'],
    ['a solution', { requestId: 'r' }, 'invalid'],
    ['a solution that is still there', { requestId: 'r', conferenceSolutionKey: { type: 'eventHangout' } }, 'invalid'],
  ])('with a request for a conference without %s', async (_, createRequest, reason) => {
    const { mine } = await openHousehold();
    const written = await mine.insert({ ...slot, conferenceData: { createRequest } }, { conferenceDataVersion: '1' });
    expect(written).toMatchObject({ status: 400, reason });
  });
});

describe('a recurrence is refused', () => {
  test.each<[string, Json, readonly string[]]>([
    ['with a start of its own', slot, ['DTSTART:20261123T100000Z', 'RRULE:FREQ=DAILY']],
    ['without a prefix', slot, ['FREQ=DAILY']],
    ['with a frequency that is none', slot, ['RRULE:FREQ=FORTNIGHTLY']],
    ['with a part that is none', slot, ['RRULE:FREQ=DAILY;EVERY=2']],
    ['with a part twice', slot, ['RRULE:FREQ=DAILY;INTERVAL=2;INTERVAL=3']],
    ['with COUNT and UNTIL', slot, ['RRULE:FREQ=DAILY;COUNT=2;UNTIL=20261201T000000Z']],
    ['with a COUNT below one', slot, ['RRULE:FREQ=DAILY;COUNT=-1']],
    ['with an ordinal in a week', slot, ['RRULE:FREQ=WEEKLY;BYDAY=1MO']],
    ['until a date where it starts at a time', slot, ['RRULE:FREQ=DAILY;UNTIL=20261201']],
    ['until a time where it starts on a date', day, ['RRULE:FREQ=DAILY;UNTIL=20261201T000000Z']],
    ['until a local time', slot, ['RRULE:FREQ=DAILY;UNTIL=20261201T000000']],
    ['that the sandbox cannot expand: EXRULE', slot, ['RRULE:FREQ=DAILY', 'EXRULE:FREQ=WEEKLY']],
    ['that the sandbox cannot expand: hours', slot, ['RRULE:FREQ=HOURLY']],
    ['that the sandbox cannot expand: two rules', slot, ['RRULE:FREQ=DAILY', 'RRULE:FREQ=WEEKLY']],
  ])('%s', async (_, times, recurrence) => {
    const { mine } = await openHousehold();
    expect(await mine.insert({ ...times, recurrence })).toMatchObject({
      status: 400,
      reason: 'invalid',
      message: 'Invalid recurrence rule.',
    });
  });

  test('without a zone for start and end', async () => {
    const { mine } = await openHousehold();
    const offset = { start: { dateTime: '2026-11-23T10:00:00+01:00' }, end: { dateTime: '2026-11-23T11:00:00+01:00' } };
    const refused = { status: 400, reason: 'required', message: 'Missing time zone definition for start time.' };
    expect(await mine.insert({ ...offset, recurrence: ['RRULE:FREQ=DAILY'] })).toMatchObject(refused);
    expect((await mine.insert(offset)).status).toBe(200);
  });
});

describe('an event of a type of its own', () => {
  const workingLocation = {
    ...day,
    eventType: 'workingLocation',
    transparency: 'transparent',
    visibility: 'public',
    workingLocationProperties: { type: 'homeOffice', homeOffice: {} },
  };
  const focusTime = { ...slot, eventType: 'focusTime', focusTimeProperties: { chatStatus: 'doNotDisturb' } };
  const outOfOffice = {
    ...slot,
    eventType: 'outOfOffice',
    outOfOfficeProperties: { autoDeclineMode: 'declineAllConflictingInvitations', declineMessage: 'Away' },
  };

  test.each([
    ['focus time', focusTime],
    ['out of office', outOfOffice],
    ['a working location', workingLocation],
    ['a working location for some hours', { ...workingLocation, ...slot }],
  ])('is made: %s', async (_, body: Json) => {
    const { mine } = await openHousehold();
    const { status, event } = await mine.insert(body);
    expect([status, event.eventType]).toEqual([200, body.eventType]);
    expect((await mine.patch(event.id, { summary: 'Renamed', eventType: body.eventType })).status).toBe(200);
    expect(await mine.patch(event.id, { eventType: 'default' })).toMatchObject({ status: 400 });
    expect(await mine.list({ eventTypes: String(body.eventType) })).toHaveLength(1);
  });

  test.each<[string, Json, string]>([
    ['focus time of a day', { ...focusTime, ...day }, 'malformedFocusTimeEvent'],
    ['focus time with guests', { ...focusTime, attendees: [{ email: outsider }] }, 'malformedFocusTimeEvent'],
    ['out of office for a day', { ...outOfOffice, ...day }, 'malformedOutOfOfficeEvent'],
    ['out of office with a description', { ...outOfOffice, description: 'x' }, 'malformedOutOfOfficeEvent'],
    ['out of office with guests', { ...outOfOffice, attendees: [{ email: outsider }] }, 'malformedOutOfOfficeEvent'],
    [
      'out of office that declines somehow',
      { ...outOfOffice, outOfOfficeProperties: { autoDeclineMode: 'yes' } },
      'invalid',
    ],
    ['a meeting with properties of absence', { ...slot, outOfOfficeProperties: {} }, 'malformedOutOfOfficeEvent'],
    [
      'a working location of two days',
      { ...workingLocation, end: { date: '2026-11-25' } },
      'malformedWorkingLocationEvent',
    ],
    ['a working location that is busy', { ...workingLocation, transparency: null }, 'malformedWorkingLocationEvent'],
    ['a working location that is private', { ...workingLocation, visibility: null }, 'malformedWorkingLocationEvent'],
    ['a working location with a place', { ...workingLocation, location: 'x' }, 'malformedWorkingLocationEvent'],
    [
      'a working location of no kind',
      { ...workingLocation, workingLocationProperties: null },
      'malformedWorkingLocationEvent',
    ],
    ['a birthday', { ...day, eventType: 'birthday' }, 'eventTypeRestriction'],
    ['something from Gmail', { ...slot, eventType: 'fromGmail' }, 'eventTypeRestriction'],
    ['a party', { ...slot, eventType: 'party' }, 'invalid'],
  ])('is refused: %s', async (_, body, reason) => {
    const { mine } = await openHousehold();
    expect(await mine.insert(body)).toMatchObject({ status: 400, reason });
  });

  test('is for primary calendars', async () => {
    const second = googleCalendar('c_2@group.calendar.google.com', [], { access: { [you]: 'owner' } });
    const { sandbox } = await openHousehold(household([], [second]));
    const mailbox = await mailboxOf(sandbox, you, { calendarId: second.id });
    expect(await mailbox.insert(focusTime)).toMatchObject({ status: 400, reason: 'malformedFocusTimeEvent' });
  });

  test('that Google made takes a few changes, and a birthday is not deleted', async () => {
    const made: Partial<GoogleEventInput> = {
      eventType: 'birthday',
      transparency: 'transparent',
      visibility: 'private',
    };
    const birthday = googleSeries({ start: '2000-11-23', end: '2000-11-24', rule: 'RRULE:FREQ=YEARLY', ...made });
    const flight = googleEvent({ start: '2026-11-23T10:00', end: '2026-11-23T12:00', eventType: 'fromGmail' });
    const { mine } = await openHousehold(household([...birthday, flight]));
    const id = birthday[0]?.id ?? '';
    const restricted = { status: 400, reason: 'eventTypeRestriction' };
    expect((await mine.patch(id, { colorId: '3' })).status).toBe(200);
    expect(await mine.patch(id, { location: 'x' })).toMatchObject(restricted);
    expect(await mine.remove(id)).toMatchObject(restricted);
    expect((await mine.patch(flight.id, { transparency: 'transparent' })).status).toBe(200);
    expect(await mine.patch(flight.id, { summary: 'x' })).toMatchObject(restricted);
  });
});
