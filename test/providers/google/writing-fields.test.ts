import { describe, expect, test } from 'vitest';
import type { EventFields } from '../../../src/core/change.ts';
import type { Calendar } from '../../../src/core/event.ts';
import { checkFields } from '../../../src/providers/google/check-fields.ts';
import { COLORS, colorIdOf, colorOf } from '../../../src/providers/google/colors.ts';
import {
  descriptionOf,
  timeOf,
  workingLocationOf,
  workingLocationWords,
} from '../../../src/providers/google/event-words.ts';
import { mapEvent } from '../../../src/providers/google/map.ts';
import { storedEvent } from '../../../src/providers/google/stored-event.ts';
import { changedEvent, newEvent } from '../../../src/providers/google/to-google.ts';
import { at, day } from './writable.ts';

const calendar: Calendar = { id: 'you@home.example', name: 'You', isDefault: true, access: 'write' };
const start = at('2026-12-01T10:00:00+01:00');
const end = at('2026-12-01T11:00:00+01:00');
const plain: EventFields = { title: 'x', start, end };
const row = {
  id: 'abcde',
  etag: '"1"',
  summary: 'x',
  start: { dateTime: '2026-12-01T10:00:00+01:00', timeZone: 'Europe/Amsterdam' },
  end: { dateTime: '2026-12-01T11:00:00+01:00', timeZone: 'Europe/Amsterdam' },
  reminders: { useDefault: true },
};
const stored = (more: object = {}) => storedEvent({ ...row, ...more }, 'home', calendar);
const refusal = (fields: EventFields, now?: ReturnType<typeof stored>): unknown => {
  try {
    checkFields(fields, now);
    return undefined;
  } catch (thrown) {
    return thrown;
  }
};

describe('what Google cannot hold is refused, with a way out', () => {
  test.each<[string, EventFields, RegExp]>([
    ['no time', { title: 'x' }, /both/],
    ['a date and a time', { start: day('2026-12-01'), end }, /both/],
    ['no day of the calendar', { start: day('2026-02-30'), end: day('2026-03-01') }, /real/],
    ['an end before the start', { start: end, end: start }, /end after/],
    ['no whole day', { start: day('2026-12-01'), end: day('2026-12-01') }, /exclusive/],
    ['categories', { ...plain, categories: ['Red'] }, /color instead.*tomato/],
    ['a color it has no name for', { ...plain, color: 'red' }, /lavender/],
    ['tentative', { ...plain, busy: 'tentative' }, /busy: free/],
    ['out of office on a meeting', { ...plain, busy: 'oof' }, /type: outOfOffice/],
    ['working elsewhere on a meeting', { ...plain, busy: 'workingElsewhere' }, /type: workingLocation/],
    ['a personal event', { ...plain, sensitivity: 'personal' }, /private/],
    ['six reminders', { ...plain, reminders: [1, 2, 3, 4, 5, 6] }, /leave out/],
    ['a reminder five weeks before', { ...plain, reminders: [50_400] }, /40320/],
    ['half a minute', { ...plain, reminders: [0.5] }, /minutes/],
    ['no rule', { ...plain, recurrence: 'every now and then' }, /RFC 5545/],
    [
      'a series without a zone',
      { ...plain, start: at('2026-12-01T10:00:00Z', null), recurrence: 'FREQ=DAILY' },
      /IANA/,
    ],
    [
      'a series in half an hour of a zone',
      { ...plain, start: at('2026-12-01T10:00:00Z', '+05:30'), recurrence: 'FREQ=DAILY' },
      /IANA/,
    ],
    ['a guest without an address', { ...plain, attendees: [{ email: 'mate' }] }, /name@host/],
    ['focus time of a whole day', { type: 'focusTime', start: day('2026-12-01'), end: day('2026-12-02') }, /as times/],
    ['free focus time', { ...plain, type: 'focusTime', busy: 'free' }, /leave out busy/],
    [
      'guests out of office',
      { ...plain, type: 'outOfOffice', attendees: [{ email: 'a@b.example' }] },
      /leave out attendees/,
    ],
    ['a text out of office', { ...plain, type: 'outOfOffice', text: 'x' }, /title/],
    ['a working location of no place', { ...plain, type: 'workingLocation' }, /home, office/],
    [
      'a private working location',
      { ...plain, type: 'workingLocation', location: 'home', sensitivity: 'private' },
      /leave out/,
    ],
    [
      'a working location of two days',
      { type: 'workingLocation', location: 'home', start: day('2026-12-01'), end: day('2026-12-03') },
      /each day/,
    ],
  ])('%s', (_name, fields, hint) => {
    expect(refusal(fields)).toMatchObject({ code: 'INPUT_INVALID', hint: expect.stringMatching(hint) });
  });

  test.each<[string, EventFields, object, RegExp]>([
    ['another type', { type: 'focusTime' }, {}, /create another/],
    [
      'a rule for one occurrence',
      { recurrence: 'FREQ=DAILY' },
      { recurringEventId: 'master', originalStartTime: row.start },
      /whole series/,
    ],
    ['one end of another kind', { start: day('2026-12-01') }, {}, /both/],
    [
      'guests that are not all known',
      { attendees: [] },
      { attendeesOmitted: true, attendees: [{ email: 'a@b.example' }] },
      /organizer/,
    ],
    ['no place for a working location', { location: '' }, { eventType: 'workingLocation' }, /home/],
  ])('of an event that is there: %s', (_name, fields, more, hint) => {
    expect(refusal(fields, stored(more))).toMatchObject({ code: 'INPUT_INVALID', hint: expect.stringMatching(hint) });
  });

  test('what it can hold is not', () => {
    expect(
      refusal({ ...plain, categories: [], color: '', busy: 'free', sensitivity: 'normal', reminders: [0, 40_320] }),
    ).toBe(undefined);
    expect(refusal({ title: 'y' }, stored())).toBe(undefined);
    expect(refusal({ type: 'default', location: '' }, stored())).toBe(undefined);
    // The zone of a series that Google gave none for is not looked at where the times stay.
    const odd = {
      recurrence: ['RRULE:FREQ=DAILY'],
      start: { dateTime: '2026-12-01T09:00:00Z' },
      end: { dateTime: '2026-12-01T10:00:00Z' },
    };
    expect(refusal({ title: 'y' }, stored(odd))).toBe(undefined);
  });
});

describe('words', () => {
  test('each color has a name and a number', () => {
    expect(COLORS).toHaveLength(11);
    for (const name of COLORS) expect(colorOf(colorIdOf(name))).toBe(name);
    expect(colorIdOf(' Tomato ')).toBe('11');
    expect(colorOf('24')).toBeUndefined();
  });

  test.each([
    'a & b',
    '1 < 2 > 0',
    '<b>bold</b> &amp; <br>',
    '<script>alert(1)</script>',
    '<mate@home.example>',
    'line\n\nline &lt; &#60;',
    '&amp;amp;',
  ])('a text comes back as it was said: %j', (text) => {
    const { text: read } = mapEvent({ ...row, description: descriptionOf(text) }, { account: 'home', calendar });
    expect(read).toBe(text);
  });

  test('a text without markup is sent as it is', () => {
    expect(descriptionOf('R&D: 1 < 2')).toBe('R&D: 1 < 2');
    expect(descriptionOf('<a href="https://away.example">x</a>')).not.toContain('<a');
  });

  test.each(['home', 'office', 'office: Tower 2', 'Beach house'])(
    'a place of work comes back as it was said: %s',
    (words) => {
      expect(workingLocationWords(workingLocationOf(words))).toBe(words);
    },
  );

  test.each([
    ['Europe/Amsterdam', '2026-12-01T10:00:00+01:00', 'Europe/Amsterdam'],
    ['-05:00', '2026-12-01T04:00:00-05:00', 'Etc/GMT+5'],
    ['+05:30', '2026-12-01T14:30:00+05:30', undefined],
    [null, '2026-12-01T09:00:00+00:00', undefined],
  ])('a time in %s', (zone, dateTime, timeZone) => {
    expect(timeOf(at('2026-12-01T10:00:00+01:00', zone))).toEqual(
      timeZone === undefined ? { dateTime } : { dateTime, timeZone },
    );
  });
});

describe('a stored event', () => {
  test('leaves out what was left to a default', () => {
    expect(stored()).toMatchObject({ etag: '"1"', isSeries: false, fields: { title: 'x', start, end } });
    expect(Object.keys(stored().fields)).toEqual(['title', 'start', 'end']);
    expect(stored({ reminders: { useDefault: false } }).fields.reminders).toEqual([]);
  });

  test.each([
    ['pending', /still making/],
    ['failure', /could not make/],
  ])('says of a Meet link that it is not there: %s', (statusCode, says) => {
    const createRequest = { requestId: 'r', conferenceSolutionKey: { type: 'hangoutsMeet' }, status: { statusCode } };
    const { event, fields } = stored({ conferenceData: { createRequest } });
    expect(event.warnings).toEqual([expect.stringMatching(says)]);
    expect(fields.online ?? false).toBe(statusCode === 'pending');
  });

  test('has neither the organizer nor anything twice among its guests', () => {
    const { fields } = stored({
      organizer: { email: 'You@home.example', self: true },
      attendees: [
        { email: 'you@home.example', self: true, organizer: true, responseStatus: 'accepted' },
        { email: 'room@home.example', resource: true, responseStatus: 'accepted' },
        { email: 'mate@home.example', displayName: 'Mate', optional: true },
      ],
    });
    expect(fields.attendees).toEqual([
      { email: 'room@home.example' },
      { email: 'mate@home.example', name: 'Mate', optional: true },
    ]);
  });

  test('what is no event is a bad answer', () => {
    for (const wrong of ['<html>hotel</html>', {}, { id: 'abcde' }, { ...row, etag: undefined }])
      expect(() => storedEvent(wrong as never, 'home', calendar)).toThrow(
        expect.objectContaining({ code: 'BAD_RESPONSE' }),
      );
  });
});

describe('a change', () => {
  test('says no more than what changes', () => {
    expect(changedEvent(row, { title: 'y' }, 'r')).toEqual({ summary: 'y' });
    expect(changedEvent(row, { online: false, categories: [], color: '' }, 'r')).toEqual({});
  });

  test('keeps the organizer, and of who stays all that Google holds', () => {
    const own = { email: 'you@home.example', self: true, organizer: true, responseStatus: 'accepted' };
    const room = { email: 'room@home.example', resource: true, responseStatus: 'accepted', comment: 'c' };
    const now = { ...row, organizer: { email: 'you@home.example', self: true }, attendees: [own, room] };
    const attendees = [
      { email: 'Room@home.example' },
      { email: 'you@home.example' },
      { email: 'a@b.example' },
      { email: 'A@b.example' },
    ];
    expect(changedEvent(now, { attendees }, 'r').attendees).toEqual([own, room, { email: 'A@b.example' }]);
  });

  test('a reminder by mail stays one', () => {
    const overrides = [
      { method: 'email', minutes: 60 },
      { method: 'popup', minutes: 5 },
    ];
    const now = { ...row, reminders: { useDefault: false, overrides } };
    expect(changedEvent(now, { reminders: [60, 10] }, 'r').reminders).toEqual({
      useDefault: false,
      overrides: [
        { method: 'email', minutes: 60 },
        { method: 'popup', minutes: 10 },
      ],
    });
  });

  test('takes the other form of a time away', () => {
    expect(changedEvent(row, { start: day('2026-12-01'), end: day('2026-12-02') }, 'r')).toEqual({
      start: { date: '2026-12-01', dateTime: null, timeZone: null },
      end: { date: '2026-12-02', dateTime: null, timeZone: null },
    });
    expect(newEvent('abcde', { start: day('2026-12-01'), end: day('2026-12-02') })).toEqual({
      id: 'abcde',
      start: { date: '2026-12-01' },
      end: { date: '2026-12-02' },
    });
  });
});
