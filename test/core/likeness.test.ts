import { describe, expect, it } from 'vitest';
import type { CalendarEvent } from '../../src/core/event.ts';
import { findLikeness } from '../../src/core/likeness.ts';
import { mergeEvents } from '../../src/core/merge.ts';
import { zoneClock } from '../../src/core/time.ts';
import { at, calendar, event, on } from './events.ts';

/** In the order of a merged list, too: what is alike in all else comes by account. */
const ACCOUNTS = ['client', 'feed', 'home', 'work'];

/** Ids of what looks like a mirror, and `copy of original` for what looks like a duplicate. */
function likeness(events: readonly CalendarEvent[]): { mirrors: string[]; duplicates: string[] } {
  const merged = mergeEvents(events, {
    clock: zoneClock('UTC'),
    order: (account) => ACCOUNTS.indexOf(account),
  });
  const found = findLikeness(merged);
  return {
    mirrors: [...found.mirrors].map((item) => item.event.id),
    duplicates: [...found.duplicates].map(([item, original]) => `${item.event.id} of ${original.event.id}`),
  };
}

const meeting = event({ account: 'client', id: 'meeting', title: 'Budget' });
const block = event({ account: 'home', id: 'block', title: 'Busy' });

describe('blocks that mirror another account', () => {
  it('D09: a block called Busy at the time of another account’s event is likely its mirror', () => {
    expect(likeness([meeting, block]).mirrors).toEqual(['block']);
    expect(likeness([block, meeting]).mirrors).toEqual(['block']);
  });

  it.each(['Busy', 'busy', ' BUSY ', 'Blocked', 'Personal Commitment', 'Unavailable', 'ｂｕｓｙ'])(
    'D09: such a block may be called %j',
    (title) => {
      expect(likeness([meeting, { ...block, title }]).mirrors).toEqual(['block']);
    },
  );

  it.each([
    ['has a title of its own', { title: 'Busy season kick-off' }],
    ['has no title', { title: null }],
    ['has people in it', { attendees: [{ email: 'a@b.example', response: 'accepted' }] }],
    ['begins a minute later', { start: at('2026-10-12T07:01:00Z') }],
    ['ends a minute later', { end: at('2026-10-12T08:01:00Z') }],
    ['is in the same account', { account: 'client', calendar: calendar('second') }],
    ['is of an account of which no more than busy time is shown', { disclosed: 'busy' }],
  ] as const)('D09: what %s is a meeting of its own', (_, fields) => {
    expect(likeness([meeting, { ...block, ...fields } as CalendarEvent]).mirrors).toEqual([]);
  });

  it('D09: a block beside what takes no time mirrors nothing: it takes time of its own', () => {
    // Were it a mirror, a conflict of the block with a third meeting would be lost.
    for (const fields of [{ busy: 'free' }, { myResponse: 'declined' }, { busy: 'workingElsewhere' }] as const)
      expect(likeness([{ ...meeting, ...fields }, block]).mirrors).toEqual([]);
    expect(likeness([{ ...meeting, busy: 'tentative' }, block]).mirrors).toEqual(['block']);
  });

  it('D09: two blocks mirror an event, not each other', () => {
    const other = { ...block, account: 'work', id: 'other' };
    expect(likeness([meeting, block, other]).mirrors).toEqual(['block', 'other']);
    expect(likeness([block, other]).mirrors).toEqual([]);
  });

  it('D09: an all-day block mirrors an all-day event of the same days', () => {
    const days = { start: on('2026-10-12'), end: on('2026-10-14') };
    expect(
      likeness([
        { ...meeting, ...days },
        { ...block, ...days },
      ]).mirrors,
    ).toEqual(['block']);
    expect(
      likeness([
        { ...meeting, ...days },
        { ...block, ...days, end: on('2026-10-13') },
      ]).mirrors,
    ).toEqual([]);
  });
});

describe('events that are perhaps one', () => {
  const copy = event({ account: 'home', id: 'copy', title: 'Budget' });

  it('D07: two events without UID, of the same title and times, in two accounts are told to be alike', () => {
    expect(likeness([meeting, copy]).duplicates).toEqual(['copy of meeting']);
    expect(likeness([copy, meeting]).duplicates).toEqual(['copy of meeting']);
  });

  it('D11: so are those whose UIDs are made anew at every reading', () => {
    expect(
      likeness([
        { ...meeting, uid: 'x1' },
        { ...copy, uid: 'x2' },
      ]).duplicates,
    ).toEqual(['copy of meeting']);
    expect(likeness([meeting, { ...meeting, calendar: calendar('second'), id: 'copy' }]).duplicates).toEqual([
      'copy of meeting',
    ]);
  });

  it('D06: titles are compared as people read them, and organizers by address', () => {
    const organizer = { name: 'Ann', email: 'Ann@client.example' };
    const same = { title: ' BUDGET', organizer: { email: 'ann@CLIENT.example' } };
    expect(
      likeness([
        { ...meeting, organizer },
        { ...copy, ...same },
      ]).duplicates,
    ).toHaveLength(1);
    expect(
      likeness([
        { ...meeting, organizer },
        { ...copy, title: 'Budget' },
      ]).duplicates,
    ).toHaveLength(1);
    const accents = [
      { ...meeting, title: 'Réunion' },
      { ...copy, title: 'Re\u0301union' },
    ]; // composed and not
    expect(likeness(accents).duplicates).toHaveLength(1);
  });

  it.each([
    ['of other titles', { title: 'Budget II' }],
    ['without a title', { title: null }],
    ['of other starts', { start: at('2026-10-12T06:59:00Z') }],
    ['of other ends', { end: at('2026-10-12T08:01:00Z') }],
    ['of other organizers', { organizer: { email: 'bob@client.example' } }],
    ['in one calendar', { account: 'client' }],
  ] as const)('D06: events %s are not alike', (_, fields) => {
    const ann = { ...meeting, organizer: { email: 'ann@client.example' } };
    expect(likeness([ann, { ...copy, ...fields } as CalendarEvent]).duplicates).toEqual([]);
  });

  it('P01: events of which only a mask is shown are not alike for it', () => {
    const mask = { title: 'Client work', disclosed: 'masked' } as const;
    expect(
      likeness([
        { ...meeting, ...mask },
        { ...copy, ...mask },
      ]).duplicates,
    ).toEqual([]);
  });

  it('D06: two events without any title are not alike', () => {
    expect(
      likeness([
        { ...meeting, title: null },
        { ...copy, title: null },
      ]).duplicates,
    ).toEqual([]);
  });

  it('D01: copies with one UID are one event and not alike', () => {
    expect(
      likeness([
        { ...meeting, uid: 'u' },
        { ...copy, uid: 'u' },
      ]),
    ).toEqual({ mirrors: [], duplicates: [] });
  });

  it('D11: of three that are alike the later ones are of the first', () => {
    expect(likeness([meeting, copy, { ...copy, account: 'work', id: 'third' }]).duplicates).toEqual([
      'copy of meeting',
      'third of meeting',
    ]);
  });

  it('D06: two that other people called are not alike for the sake of a third one that nobody called', () => {
    const ann = { ...meeting, organizer: { email: 'ann@client.example' } };
    const bob = { ...copy, account: 'work', id: 'bob', organizer: { email: 'bob@client.example' } };
    expect(likeness([ann, copy, bob]).duplicates).toEqual(['copy of meeting', 'bob of copy']);
    expect(likeness([ann, bob]).duplicates).toEqual([]);
  });
});
