import { describe, expect, test } from 'vitest';
import { busyOf } from '../../../src/core/busy.ts';
import { calendar, days, event, only, readText, type Setting } from './harness.ts';

const mine: Setting = { options: { email: ['Me@Example.org', 'alias@example.org'] } };
const at = 'DTSTART:20261012T090000Z';
const read = async (lines: readonly string[], setting?: Setting) =>
  only(await readText(calendar(event(at, ...lines)), days('2026-10-12'), setting));

describe('busy and status', () => {
  test.each([
    [[], 'busy'],
    [['TRANSP:OPAQUE'], 'busy'],
    [['TRANSP:TRANSPARENT'], 'free'],
    [['X-MICROSOFT-CDO-BUSYSTATUS:OOF', 'TRANSP:TRANSPARENT'], 'oof'],
    [['X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE'], 'workingElsewhere'],
    [['X-MICROSOFT-CDO-BUSYSTATUS:tentative'], 'tentative'],
    [['X-MICROSOFT-CDO-BUSYSTATUS:FREE'], 'free'],
    [['X-MICROSOFT-CDO-BUSYSTATUS:SOMETHING', 'TRANSP:TRANSPARENT'], 'free'],
  ])('%j claims %s', async (lines, busy) => {
    expect((await read(lines)).busy).toBe(busy);
  });

  test('STATUS and CLASS are told', async () => {
    expect(await read(['STATUS:TENTATIVE', 'CLASS:PRIVATE'])).toMatchObject({
      status: 'tentative',
      sensitivity: 'private',
    });
    expect(await read(['CLASS:CONFIDENTIAL'])).toMatchObject({ status: 'confirmed', sensitivity: 'confidential' });
  });

  test('a cancelled single event is listed as cancelled, and free', async () => {
    const found = await read(['STATUS:CANCELLED']);
    expect([found.status, busyOf(found)]).toEqual(['cancelled', 'free']);
  });
});

describe('people', () => {
  test('S03: what I declined is free though it is opaque', async () => {
    const found = await read(['TRANSP:OPAQUE', 'ATTENDEE;PARTSTAT=DECLINED:MAILTO:me@example.org'], mine);
    expect([found.myResponse, busyOf(found)]).toEqual(['declined', 'free']);
  });

  test.each([
    ['ATTENDEE;PARTSTAT=ACCEPTED:mailto:ALIAS@example.org', 'accepted'],
    ['ATTENDEE;PARTSTAT=TENTATIVE:mailto:me@example.org', 'tentative'],
    ['ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:me@example.org', 'notResponded'],
    ['ATTENDEE:mailto:me@example.org', 'notResponded'],
    ['ATTENDEE;PARTSTAT=DELEGATED:mailto:me@example.org', 'none'],
    ['ATTENDEE;EMAIL=me@example.org;PARTSTAT=DECLINED:urn:uuid:1', 'declined'],
    ['ATTENDEE;PARTSTAT=DECLINED:mailto:somebody@example.org', 'none'],
    ['ORGANIZER:mailto:me@example.org', 'organizer'],
  ])('%s makes my response %s', async (line, response) => {
    expect((await read([line], mine)).myResponse).toBe(response);
  });

  test('without an address of mine no response is mine', async () => {
    expect((await read(['ATTENDEE;PARTSTAT=DECLINED:mailto:me@example.org'])).myResponse).toBe('none');
  });

  test('attendees keep their names, answers and roles', async () => {
    const found = await read([
      'ORGANIZER;CN="Doe, Jane":mailto:jane@example.org',
      'ATTENDEE;CN=Bob;ROLE=OPT-PARTICIPANT;PARTSTAT=ACCEPTED:mailto:bob@example.org',
      'ATTENDEE;CUTYPE=ROOM;CN=Room 1;PARTSTAT=ACCEPTED:mailto:room1@example.org',
    ]);
    expect(found.organizer).toEqual({ name: 'Doe, Jane', email: 'jane@example.org' });
    expect(found.attendees).toEqual([
      { name: 'Bob', email: 'bob@example.org', response: 'accepted', optional: true },
      { name: 'Room 1', email: 'room1@example.org', response: 'accepted', resource: true },
    ]);
  });
});

describe('texts and links', () => {
  test('C01: a missing or blank title is null', async () => {
    expect((await read([])).title).toBeNull();
    expect((await read(['SUMMARY: '])).title).toBeNull();
  });

  test('folded, escaped and wrongly broken text comes back whole', async () => {
    const found = await read([
      'SUMMARY:Lunch\\, then',
      '  coffee',
      'DESCRIPTION:one\\ntwo',
      'three and no colon',
      'LOCATION:Here',
    ]);
    expect(found).toMatchObject({
      title: 'Lunch, then coffee',
      text: 'one\ntwo\nthree and no colon',
      location: 'Here',
    });
  });

  test.each([
    [
      'CONFERENCE',
      [
        'CONFERENCE;VALUE=URI;FEATURE=PHONE:tel:+123',
        'CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO:https://video.example.org/1',
        'X-GOOGLE-CONFERENCE:https://meet.google.com/x',
      ],
      'https://video.example.org/1',
    ],
    [
      'X-GOOGLE-CONFERENCE',
      [
        'X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/meetup-join/1',
        'X-GOOGLE-CONFERENCE:https://meet.google.com/abc',
      ],
      'https://meet.google.com/abc',
    ],
    [
      'Teams',
      ['X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/meetup-join/1'],
      'https://teams.microsoft.com/l/meetup-join/1',
    ],
    [
      'a Zoom address in the location',
      ['LOCATION:Room 3 or https://us02web.zoom.us/j/123?pwd=x'],
      'https://us02web.zoom.us/j/123?pwd=x',
    ],
    ['no address of a meeting', ['LOCATION:https://example.org/maps'], undefined],
    ['nothing that runs a script', ['X-GOOGLE-CONFERENCE:javascript:alert(1)'], undefined],
  ])('the way to join is %s', async (_, lines, join) => {
    expect((await read(lines)).join).toBe(join);
  });

  test('categories, link, sequence and last change are told', async () => {
    const found = await read([
      'CATEGORIES:Work,Team\\, A',
      'CATEGORIES:x',
      'URL:https://example.org/e/1',
      'SEQUENCE:3',
      'DTSTAMP:20261001T000000Z',
      'LAST-MODIFIED:20260901T080000Z',
    ]);
    expect(found).toMatchObject({
      categories: ['Work', 'Team, A', 'x'],
      webLink: 'https://example.org/e/1',
      sequence: 3,
      updated: Date.UTC(2026, 8, 1, 8),
      readOnly: true,
    });
    expect(found.fromFeed).toBeUndefined();
    expect((await read(['URL:file:///etc/passwd'])).webLink).toBeUndefined();
  });

  test('DTSTAMP is the last change, except in a calendar with a METHOD, where it is the moment of this copy', async () => {
    // RFC 5545 3.8.7.2
    const stamped = event(at, 'DTSTAMP:20261001T000000Z');
    const range = days('2026-10-12');
    expect(only(await readText(calendar(stamped), range)).updated).toBe(Date.UTC(2026, 9, 1));
    expect(only(await readText(calendar('METHOD:PUBLISH', stamped), range)).updated).toBeNull();
  });

  test('an event without a UID is kept, under an id that stays the same', async () => {
    const text = calendar(
      ['BEGIN:VEVENT', at, 'SUMMARY:a', 'END:VEVENT', 'BEGIN:VEVENT', at, 'SUMMARY:b', 'END:VEVENT'].join('\r\n'),
    );
    const ids = async (): Promise<string[]> => (await readText(text, days('2026-10-12'))).events.map(({ id }) => id);
    const first = await ids();
    expect(new Set(first).size).toBe(2);
    expect(await ids()).toEqual(first);
    expect((await readText(text, days('2026-10-12'))).events.map(({ uid }) => uid)).toEqual([null, null]);
  });
});

describe('busy times without events', () => {
  const freeBusy = (...lines: string[]): string =>
    calendar(
      ['BEGIN:VFREEBUSY', 'DTSTART:20261001T000000Z', 'DTEND:20261101T000000Z', ...lines, 'END:VFREEBUSY'].join('\r\n'),
    );

  test('VFREEBUSY becomes busy blocks without a title', async () => {
    const text = freeBusy(
      'FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20261012T050000Z/PT8H30M,20261012T160000Z/PT1H',
      'FREEBUSY;FBTYPE=FREE:20261012T140000Z/PT1H',
      'FREEBUSY;FBTYPE=BUSY-TENTATIVE:20261012T170000Z/20261012T180000Z',
      'FREEBUSY:20261012T190000Z/20261012T200000Z',
    );
    const { events, problems } = await readText(text, days('2026-10-12'));
    expect(problems).toBeUndefined();
    expect(events.map(({ busy, title }) => [busy, title])).toEqual([
      ['oof', null],
      ['oof', null],
      ['tentative', null],
      ['busy', null],
    ]);
  });

  test('what lies outside of what they speak about is not known to be free', async () => {
    const read = await readText(freeBusy(), days('2026-10-31', '2026-11-02'));
    expect(read.problems?.map(({ code }) => code)).toEqual(['BAD_RESPONSE']);
    expect((await readText(freeBusy(), days('2026-10-31'))).problems).toBeUndefined();
  });
});

test('tasks and journals are no events', async () => {
  const text = calendar(
    'BEGIN:VTODO\r\nUID:t\r\nDTSTART:20261012T090000Z\r\nEND:VTODO',
    'BEGIN:VJOURNAL\r\nUID:j\r\nDTSTART:20261012\r\nEND:VJOURNAL',
  );
  expect(await readText(text, days('2026-10-12'))).toMatchObject({ events: [] });
});
