import { describe, expect, it } from 'vitest';
import { blocksOf, type ClockOf, layer, type OwnedBlock } from '../../src/core/busy-blocks.ts';
import type { BlockingBusy, CalendarEvent } from '../../src/core/event.ts';
import { mergeEvents } from '../../src/core/merge.ts';
import { zoneClock } from '../../src/core/time.ts';
import { at, event, on } from './events.ts';

const ACCOUNTS = ['work', 'client', 'home'];

/** The blocks of events for a viewer in a zone, as `work busy 2026-10-12T07:00Z..2026-10-12T08:00Z`. */
function blocks(events: readonly CalendarEvent[], zone = 'UTC'): string[] {
  const order = (account: string): number => ACCOUNTS.indexOf(account);
  const clockOf: ClockOf = ({ ownerZone = zone }) => zoneClock(ownerZone);
  return blocksOf(mergeEvents(events, { clock: zoneClock(zone), order }), clockOf).map(
    ({ owner, busy, start, end }) => `${owner} ${busy} ${iso(start)}..${iso(end)}`,
  );
}

const iso = (epochMs: number): string => new Date(epochMs).toISOString().replace(':00.000Z', 'Z');

describe('what events do to time', () => {
  it('T17: an event over midnight is one block', () => {
    const night = event({ start: at('2026-10-12T20:00:00Z'), end: at('2026-10-13T00:00:00Z') });
    for (const zone of ['UTC', 'Europe/Amsterdam', 'Pacific/Kiritimati'])
      expect(blocks([night], zone)).toEqual(['work busy 2026-10-12T20:00Z..2026-10-13T00:00Z']);
  });

  it('T18: an event without duration blocks nothing', () => {
    expect(blocks([event({ end: at('2026-10-12T07:00:00Z') })])).toEqual([]);
    expect(blocks([event({ end: at('2026-10-12T07:00:00Z'), busy: 'oof' })])).toEqual([]);
  });

  it('T19: an event that ends before it starts blocks nothing, least of all the time between', () => {
    expect(blocks([event({ end: at('2026-10-12T06:00:00Z') })])).toEqual([]);
  });

  it('T09: an all-day event blocks the day of whoever looks at it', () => {
    const newYear = event({ start: on('2026-01-01'), end: on('2026-01-02') });
    expect(blocks([newYear], 'Pacific/Kiritimati')).toEqual(['work busy 2025-12-31T10:00Z..2026-01-01T10:00Z']);
    expect(blocks([newYear], 'Europe/Amsterdam')).toEqual(['work busy 2025-12-31T23:00Z..2026-01-01T23:00Z']);
    expect(blocks([newYear], 'America/New_York')).toEqual(['work busy 2026-01-01T05:00Z..2026-01-02T05:00Z']);
  });

  it('T09: an all-day event of somebody who lives in a zone of their own blocks their day', () => {
    const newYear = event({ start: on('2026-01-01'), end: on('2026-01-02'), ownerZone: 'Pacific/Kiritimati' });
    for (const zone of ['Europe/Amsterdam', 'America/New_York'])
      expect(blocks([newYear], zone)).toEqual(['work busy 2025-12-31T10:00Z..2026-01-01T10:00Z']);
  });

  it('T03, T06: an all-day event blocks 23 and 25 hours on the days that last so long', () => {
    const day = (date: string, next: string): CalendarEvent => event({ start: on(date), end: on(next) });
    expect(blocks([day('2026-03-08', '2026-03-09')], 'America/New_York')).toEqual([
      'work busy 2026-03-08T05:00Z..2026-03-09T04:00Z',
    ]);
    expect(blocks([day('2026-11-01', '2026-11-02')], 'America/New_York')).toEqual([
      'work busy 2026-11-01T04:00Z..2026-11-02T05:00Z',
    ]);
    expect(blocks([day('2026-04-24', '2026-04-25')], 'Africa/Cairo')).toEqual([
      'work busy 2026-04-23T22:00Z..2026-04-24T21:00Z',
    ]);
  });

  it('T13: an all-day event of several days is one block, its last day included', () => {
    expect(blocks([event({ start: on('2026-10-12'), end: on('2026-10-15') })])).toEqual([
      'work busy 2026-10-12T00:00Z..2026-10-15T00:00Z',
    ]);
  });

  it.each([
    ['S01: what was declined', { myResponse: 'declined' }],
    ['S08: what was called off', { status: 'cancelled' }],
    ['S10: what is transparent', { busy: 'free' }],
    ['S11: working elsewhere', { busy: 'workingElsewhere' }],
    ['S12: a working location', { type: 'workingLocation' }],
    ['S15: a birthday', { type: 'birthday' }],
  ] as const)('%s blocks nothing', (_, fields) => {
    expect(blocks([event(fields)])).toEqual([]);
  });

  it('S04, S17: what is tentative or not told blocks, each in its way', () => {
    expect(blocks([event({ myResponse: 'notResponded' })])).toEqual([
      'work tentative 2026-10-12T07:00Z..2026-10-12T08:00Z',
    ]);
    expect(blocks([event({ busy: 'unknown' })])).toEqual(['work busy 2026-10-12T07:00Z..2026-10-12T08:00Z']);
  });
});

describe('a meeting with several copies', () => {
  it('D01: blocks the time of all who hold it and have not declined', () => {
    expect(
      blocks([
        event({ account: 'work', uid: 'u', myResponse: 'organizer' }),
        event({ account: 'client', uid: 'u', myResponse: 'declined' }),
        event({ account: 'home', uid: 'u', myResponse: 'notResponded' }),
      ]),
    ).toEqual([
      'work busy 2026-10-12T07:00Z..2026-10-12T08:00Z',
      'home tentative 2026-10-12T07:00Z..2026-10-12T08:00Z',
    ]);
  });

  it('D05: that moved blocks its new time in every mailbox, and leaves the old one free', () => {
    const moved = { start: at('2026-10-12T12:00:00Z'), end: at('2026-10-12T13:00:00Z') };
    expect(
      blocks([
        event({ account: 'work', uid: 'u' }),
        event({ account: 'home', uid: 'u', myResponse: 'organizer', ...moved }),
      ]),
    ).toEqual(['home busy 2026-10-12T12:00Z..2026-10-12T13:00Z', 'work busy 2026-10-12T12:00Z..2026-10-12T13:00Z']);
  });

  it('T09: that lasts all day blocks the day of each of its owners', () => {
    const day = { uid: 'u', start: on('2026-10-12'), end: on('2026-10-13') };
    expect(
      blocks([
        event({ account: 'work', ...day }),
        event({ account: 'home', ...day, ownerZone: 'Pacific/Kiritimati' }),
      ]).sort(),
    ).toEqual(['home busy 2026-10-11T10:00Z..2026-10-12T10:00Z', 'work busy 2026-10-12T00:00Z..2026-10-13T00:00Z']);
  });

  it('blocks as long as the longest copy says', () => {
    expect(
      blocks([
        event({ account: 'work', uid: 'u', myResponse: 'organizer' }),
        event({ account: 'home', uid: 'u', end: at('2026-10-12T09:00:00Z') }),
      ]),
    ).toEqual(['work busy 2026-10-12T07:00Z..2026-10-12T08:00Z', 'home busy 2026-10-12T07:00Z..2026-10-12T09:00Z']);
  });
});

describe('blocks laid over each other', () => {
  const block = (owner: string, busy: BlockingBusy, start: number, end: number): OwnedBlock => ({
    owner,
    busy,
    start,
    end,
  });
  const range = { start: 0, end: 100 };
  const laid = (...list: readonly OwnedBlock[]): string[] =>
    layer(list, range).map(({ start, end, busy, owners }) => `${start}-${end} ${busy} ${owners.join('+')}`);

  it('L02: what touches and is equally severe is one block, of all who make it', () => {
    expect(laid(block('a', 'busy', 10, 20), block('b', 'busy', 20, 30))).toEqual(['10-30 busy a+b']);
    expect(laid(block('a', 'busy', 10, 20), block('b', 'busy', 15, 30), block('a', 'busy', 30, 40))).toEqual([
      '10-40 busy a+b',
    ]);
  });

  it('what touches and is not equally severe is two', () => {
    expect(laid(block('a', 'busy', 10, 20), block('a', 'tentative', 20, 30))).toEqual([
      '10-20 busy a',
      '20-30 tentative a',
    ]);
  });

  it('the most severe wins: out of office, busy, unknown, tentative', () => {
    expect(
      laid(
        block('t', 'tentative', 0, 40),
        block('u', 'unknown', 10, 50),
        block('b', 'busy', 20, 60),
        block('o', 'oof', 30, 35),
      ),
    ).toEqual(['0-10 tentative t', '10-20 unknown u', '20-30 busy b', '30-35 oof o', '35-60 busy b']);
  });

  it('what is under something more severe names nobody who is not as severe', () => {
    expect(laid(block('a', 'busy', 0, 50), block('b', 'tentative', 0, 50))).toEqual(['0-50 busy a']);
    expect(laid(block('b', 'tentative', 0, 50), block('a', 'busy', 10, 20))).toEqual([
      '0-10 tentative b',
      '10-20 busy a',
      '20-50 tentative b',
    ]);
  });

  it('W02: is cut to the range, and what lies outside is gone', () => {
    expect(laid(block('a', 'busy', -50, 10), block('b', 'oof', 90, 500), block('c', 'busy', 200, 300))).toEqual([
      '0-10 busy a',
      '90-100 oof b',
    ]);
    expect(laid(block('a', 'busy', -50, 0), block('b', 'busy', 100, 200))).toEqual([]);
  });

  it('of nothing is nothing', () => {
    expect(laid()).toEqual([]);
  });
});
