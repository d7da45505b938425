import { describe, expect, it } from 'vitest';
import type { ClockOf } from '../../src/core/busy-blocks.ts';
import { findConflicts } from '../../src/core/conflicts.ts';
import type { CalendarEvent } from '../../src/core/event.ts';
import { mergeEvents } from '../../src/core/merge.ts';
import { zoneClock } from '../../src/core/time.ts';
import { at, event, on } from './events.ts';

const ACCOUNTS = ['work', 'client', 'home'];

/** An event of 2026-10-12, `10:00-11:00` in UTC, called by its id. */
function meeting(id: string, hours: string, fields: Partial<CalendarEvent> = {}): CalendarEvent {
  const [start, end] = hours.split('-').map((time) => at(`2026-10-12T${time}:00Z`));
  return event({ id, title: id, start, end, ...fields } as Partial<CalendarEvent>);
}

const ALWAYS = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY };

function conflicts(
  events: readonly CalendarEvent[],
  { limit = 99, zone = 'UTC', same = [] as readonly string[] } = {},
): { pairs: string[]; count: number } {
  const order = (account: string): number => ACCOUNTS.indexOf(account);
  const clockOf: ClockOf = ({ ownerZone = zone }) => zoneClock(ownerZone);
  const found = findConflicts(mergeEvents(events, { clock: zoneClock(zone), order }), {
    range: ALWAYS,
    clockOf,
    limit,
    isSame: (a, b) => same.includes(a.event.id) && same.includes(b.event.id),
  });
  const time = (epochMs: number): string => new Date(epochMs).toISOString().slice(8, 16).replace('12T', '');
  return {
    count: found.count,
    pairs: found.pairs.map(
      ({ start, end, events: [a, b] }) => `${a.event.id} ${b.event.id} ${time(start)}-${time(end)}`,
    ),
  };
}

describe('conflicts', () => {
  it('L17: two meetings that overlap are one pair, and a copy of one of them makes no other', () => {
    const a = meeting('A', '10:00-11:00', { uid: 'a' });
    const b = meeting('B', '10:30-11:30', { uid: 'b' });
    const c = meeting('C', '10:00-11:00', { uid: 'a', account: 'home' });
    for (const events of [
      [a, b, c],
      [c, b, a],
    ])
      expect(conflicts(events)).toEqual({ pairs: ['A B 10:30-11:00'], count: 1 });
  });

  it('L17: meetings that touch are none', () => {
    expect(conflicts([meeting('A', '10:00-11:00'), meeting('B', '11:00-12:00')]).count).toBe(0);
    expect(conflicts([meeting('A', '10:00-11:01'), meeting('B', '11:00-12:00')]).pairs).toEqual(['A B 11:00-11:01']);
  });

  it.each([
    ['free', { busy: 'free' }],
    ['declined', { myResponse: 'declined' }],
    ['called off', { status: 'cancelled' }],
    ['a birthday', { type: 'birthday' }],
    ['a holiday', { type: 'holiday' }],
    ['a working location', { type: 'workingLocation' }],
    ['working elsewhere', { busy: 'workingElsewhere' }],
  ] as const)('L17: what is %s is in none', (_, fields) => {
    expect(conflicts([meeting('A', '10:00-11:00'), meeting('B', '10:00-11:00', fields)]).count).toBe(0);
  });

  it.each([
    ['tentative', { busy: 'tentative' }],
    ['not answered', { myResponse: 'notResponded' }],
    ['not told', { busy: 'unknown' }],
    ['focus time', { type: 'focusTime' }],
    ['out of office', { busy: 'oof' }],
  ] as const)('what is %s is in one', (_, fields) => {
    expect(conflicts([meeting('A', '10:00-11:00'), meeting('B', '10:00-11:00', fields)]).count).toBe(1);
  });

  it('T18: an event without duration is in none', () => {
    expect(conflicts([meeting('A', '10:00-11:00'), meeting('B', '10:30-10:30')]).count).toBe(0);
    expect(conflicts([meeting('A', '10:30-10:30'), meeting('B', '10:30-10:30')]).count).toBe(0);
    expect(conflicts([meeting('A', '10:00-11:00'), meeting('B', '10:45-10:15')]).count).toBe(0);
  });

  it('D01: one meeting in three mailboxes is none', () => {
    expect(conflicts(ACCOUNTS.map((account) => meeting(account, '10:00-11:00', { uid: 'u', account }))).count).toBe(0);
  });

  it('D05: a meeting that moved is none with its own old copy', () => {
    const old = meeting('old', '10:00-12:00', { uid: 'u', account: 'work' });
    const fresh = meeting('new', '11:00-13:00', { uid: 'u', account: 'home', myResponse: 'organizer' });
    expect(conflicts([old, fresh]).count).toBe(0);
    expect(conflicts([old, fresh, meeting('X', '10:00-11:00')]).count).toBe(0);
    expect(conflicts([old, fresh, meeting('X', '12:00-12:30')]).pairs).toEqual(['new X 12:00-12:30']);
  });

  it('R04: two occurrences of one series that were moved onto each other are one', () => {
    const slot = (day: string, hours: string): CalendarEvent =>
      meeting(day, hours, { uid: 's', kind: 'exception', recurrenceKey: `2026-10-${day}T10:00:00Z` });
    expect(conflicts([slot('05', '10:00-11:00'), slot('12', '10:30-11:30')])).toEqual({
      pairs: ['05 12 10:30-11:00'],
      count: 1,
    });
  });

  it('T12: an all-day event that takes time is one with every meeting of its day', () => {
    const trip = event({ id: 'trip', start: on('2026-10-12'), end: on('2026-10-13') });
    const events = [
      trip,
      meeting('A', '10:00-11:00'),
      event({ id: 'next', start: on('2026-10-13'), end: on('2026-10-14') }),
    ];
    expect(conflicts(events)).toEqual({ pairs: ['trip A 10:00-11:00'], count: 1 });
    expect(conflicts([{ ...trip, busy: 'free' }, ...events.slice(1)]).count).toBe(0);
  });

  it('T09: an all-day event lies where its owner lives', () => {
    const there = event({
      id: 'trip',
      start: on('2026-10-12'),
      end: on('2026-10-13'),
      ownerZone: 'Pacific/Kiritimati',
    });
    expect(conflicts([there, meeting('A', '09:00-11:00')]).pairs).toEqual(['trip A 09:00-10:00']);
    expect(conflicts([there, meeting('A', '10:00-11:00')]).pairs).toEqual([]);
  });

  it('of three meetings at one time there are three, and of one in another one', () => {
    expect(
      conflicts([meeting('A', '10:00-12:00'), meeting('B', '10:30-10:45'), meeting('C', '11:00-13:00')]).pairs,
    ).toEqual(['A B 10:30-10:45', 'A C 11:00-12:00']);
    expect(
      conflicts([meeting('A', '10:00-12:00'), meeting('B', '10:00-12:00'), meeting('C', '11:59-13:00')]).pairs,
    ).toEqual(['A B 10:00-12:00', 'A C 11:59-12:00', 'B C 11:59-12:00']);
  });

  it('a long meeting is not forgotten when shorter ones end', () => {
    const events = [meeting('A', '08:00-18:00'), meeting('B', '09:00-09:30'), meeting('C', '17:00-17:30')];
    expect(conflicts(events).pairs).toEqual(['A B 09:00-09:30', 'A C 17:00-17:30']);
  });

  it('what is likely one and the same is none, and still is one with others', () => {
    const events = [meeting('A', '10:00-11:00'), meeting('B', '10:00-11:00'), meeting('C', '10:30-11:30')];
    expect(conflicts(events, { same: ['A', 'B'] }).pairs).toEqual(['A C 10:30-11:00', 'B C 10:30-11:00']);
  });

  it('W06: beyond the limit they are counted, the first ones listed', () => {
    const events = [meeting('A', '10:00-12:00'), meeting('B', '10:00-12:00'), meeting('C', '11:00-13:00')];
    expect(conflicts(events, { limit: 1 })).toEqual({ pairs: ['A B 10:00-12:00'], count: 3 });
  });
});
