import { describe, expect, it } from 'vitest';
import type { CalendarEvent } from '../../src/core/event.ts';
import { normalizeUid, recurrenceKeyOf, slotKey, startKey, uidOf } from '../../src/core/identity.ts';
import { at, event, on } from './events.ts';

/** The example of [MS-OXOCAL] 4.1.2.1: an exception moved from 2008-03-25. */
const EXCEPTION =
  '040000008200E00074C5B7101A82E00807D803195025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B';
const SERIES =
  '040000008200E00074C5B7101A82E008000000005025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B';

/** A GlobalObjectId around a UID, byte by byte as in [MS-ASEMAIL] 2.2.2.37 and [MS-OXOCAL] 2.2.1.27. */
function wrap(uid: string, { date = '00000000', created = '0000000000000000', size = true, end = '00' } = {}): string {
  const data = Buffer.concat([Buffer.from('vCal-Uid', 'ascii'), Buffer.from([1, 0, 0, 0]), Buffer.from(uid, 'utf8')]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(size ? data.length + 1 : uid.length);
  const header = `040000008200E00074C5B7101A82E008${date}${created}0000000000000000${length.toString('hex')}`;
  return `${header}${data.toString('hex')}${end}`.toUpperCase();
}

/** What merging tells meetings apart by. */
function meetingKey(event: CalendarEvent): string | null {
  const uid = uidOf(event);
  return uid === null ? null : `${uid}|${slotKey(event)}`;
}

describe('UIDs', () => {
  it('D02: an Outlook UID with the date of an occurrence in it is the UID of the series', () => {
    expect(normalizeUid(EXCEPTION)).toBe(SERIES);
    expect(normalizeUid(SERIES)).toBe(SERIES);
    const dated = SERIES.replace(/^(.{32}).{8}/, '$107EA0A0C');
    expect(normalizeUid(dated)).toBe(SERIES);
    expect(normalizeUid(` ${dated.toLowerCase()}\n`)).toBe(SERIES);
  });

  it('reads the examples of [MS-ASEMAIL] 4.3 as that page does', () => {
    const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');
    expect(normalizeUid(hex('BAAAAIIA4AB0xbcQGoLgCAfUCRDgQMnBJoXEAQAAAAAAAAAAEAAAAAvw7UtuTulOnjnjhns3jvM='))).toBe(
      '040000008200E00074C5B7101A82E00800000000E040C9C12685C4010000000000000000100000000BF0ED4B6E4EE94E9E39E3867B378EF3',
    );
    expect(
      normalizeUid(
        hex(
          'BAAAAIIA4AB0xbcQGoLgCAAAAAAAAAAAAAAAAAAAAAAAAAAAMwAAAHZDYWwtVWlkAQAAAHs4MTQxMkQzQy0yQTI0LTRFOUQtQjIwRS0xMUY3QkJFOTI3OTl9AA==',
        ),
      ),
    ).toBe('{81412D3C-2A24-4E9D-B20E-11F7BBE92799}');
  });

  it('unwraps a Google UID as Exchange has wrapped it', () => {
    // Found in the field: a public test fixture of an Exchange export.
    expect(
      normalizeUid(
        '040000008200E00074C5B7101A82E0080000000000000000000000000000000000000000320000007643616C2D55696401000000' +
          '7672706C34687074676A3174763433713766617275673166326740676F6F676C652E636F6D00',
      ),
    ).toBe('vrpl4hptgj1tv43q7farug1f2g@google.com');
  });

  it.each([
    ['plain', wrap('abc123@google.com')],
    ['with the date of an occurrence', wrap('abc123@google.com', { date: '07EA0A0C' })],
    ['with a time of creation', wrap('abc123@google.com', { created: '5025D461E473C801' })],
    ['in lower case', wrap('abc123@google.com').toLowerCase()],
    ['with a size that counts the UID only', wrap('abc123@google.com', { size: false })],
    ['without the last zero', wrap('abc123@google.com', { end: '' })],
    ['with more behind the zero', wrap('abc123@google.com', { end: '00FFFF' })],
    ['wrapped twice', wrap(wrap('abc123@google.com'))],
  ])('unwraps a foreign UID %s', (_, uid) => {
    expect(normalizeUid(uid)).toBe('abc123@google.com');
  });

  it('keeps letters beyond ASCII and the case of a wrapped UID', () => {
    expect(normalizeUid(wrap('Réunion-Ä-会議@example.org'))).toBe('Réunion-Ä-会議@example.org');
  });

  it('normalises the UID of an Outlook that another one has wrapped', () => {
    expect(normalizeUid(wrap(EXCEPTION))).toBe(SERIES);
  });

  it('keeps an Outlook UID with nothing wrapped in it', () => {
    const empty = wrap('');
    expect(normalizeUid(empty)).toBe(empty);
    expect(normalizeUid(wrap('  '))).toBe(wrap('  '));
  });

  it('looks for the marker where the data starts and nowhere else', () => {
    const marker = '7643616C2D55696401000000';
    const later = `${SERIES.slice(0, 80)}FF${marker}61626300`;
    expect(normalizeUid(later)).toBe(later);
  });

  it.each([
    ['too short', SERIES.slice(0, 80)],
    ['of odd length', SERIES.slice(0, 83)],
    ['not hexadecimal', `${SERIES}XY`],
    ['of another kind', SERIES.replace('0400', '0500')],
    ['of anybody else', 'Event-ABC-Def@Example.ORG'],
  ])('keeps a UID %s as it is', (_, uid) => {
    expect(normalizeUid(uid)).toBe(uid);
  });

  it('takes the shortest GlobalObjectId there is', () => {
    expect(normalizeUid(`${EXCEPTION.slice(0, 80)}FF`)).toBe(`${SERIES.slice(0, 80)}FF`);
  });

  it('normalises once and for all', () => {
    for (const uid of [EXCEPTION, wrap('a@b'), wrap(wrap('x')), wrap(EXCEPTION), ' a ', 'A'])
      expect(normalizeUid(normalizeUid(uid))).toBe(normalizeUid(uid));
  });
});

describe('the key of a meeting', () => {
  it('D04: two occurrences of one series are two meetings', () => {
    const monday = event({ uid: 'u', kind: 'occurrence', recurrenceKey: '2026-10-12T07:00:00Z' });
    const next = event({ uid: 'u', kind: 'occurrence', recurrenceKey: '2026-10-19T07:00:00Z' });
    expect(meetingKey(monday)).not.toBe(meetingKey(next));
  });

  it('is that of the planned slot, also after a move', () => {
    const planned = event({ uid: 'u', kind: 'occurrence', recurrenceKey: '2026-10-12T07:00:00Z' });
    const moved = event({
      uid: 'u',
      kind: 'exception',
      recurrenceKey: '2026-10-12T07:00:00Z',
      start: at('2026-10-20T07:00:00Z'),
    });
    expect(meetingKey(moved)).toBe(meetingKey(planned));
  });

  it('is that of its start where a backend does not tell the slot, in the same spelling', () => {
    const told = event({ uid: 'u', kind: 'occurrence', recurrenceKey: '2026-10-12T07:00:00Z' });
    expect(meetingKey(event({ uid: 'u', kind: 'occurrence' }))).toBe(meetingKey(told));
    const allDay = event({ uid: 'u', kind: 'occurrence', recurrenceKey: '2026-10-12', start: on('2026-10-12') });
    expect(meetingKey({ ...allDay, recurrenceKey: null })).toBe(meetingKey(allDay));
  });

  it('D07: there is none without a UID', () => {
    for (const uid of [null, '', ' ', '\t\n']) expect(meetingKey(event({ uid }))).toBeNull();
  });

  it('tells a single event from the occurrences of the same UID', () => {
    expect(meetingKey(event({ uid: 'u' }))).not.toBe(meetingKey(event({ uid: 'u', kind: 'occurrence' })));
  });

  it('writes slots and starts so that equal moments are equal texts', () => {
    expect(recurrenceKeyOf(Date.UTC(2026, 9, 12, 7))).toBe('2026-10-12T07:00:00Z');
    expect(startKey(event({ start: at('2026-10-12T09:00:00+02:00') }))).toBe(startKey(event()));
    expect(startKey(event({ start: on('2026-10-12') }))).toBe('2026-10-12');
  });
});
