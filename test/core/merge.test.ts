import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CalendarEvent } from '../../src/core/event.ts';
import { type MergedEvent, mergeEvents } from '../../src/core/merge.ts';
import { spanOf, zoneClock } from '../../src/core/time.ts';
import { at, calendar, event, on } from './events.ts';

const ACCOUNTS = ['work', 'client', 'home', 'feed'];
const clock = zoneClock('Europe/Amsterdam');
const merge = (events: Iterable<CalendarEvent>): MergedEvent[] =>
  mergeEvents(events, { clock, order: (account) => ACCOUNTS.indexOf(account) });

const accountsOf = ({ copies }: MergedEvent): string[] => copies.map(({ account }) => account);

/** One meeting in three mailboxes, as three backends tell it. */
const OUTLOOK =
  '040000008200E00074C5B7101A82E008000000005025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B';
const organizer = event({ account: 'work', id: 'w', uid: OUTLOOK, myResponse: 'organizer' });
const guest = event({
  account: 'client',
  id: 'c',
  uid: OUTLOOK.replace(/^(.{32}).{8}/, '$107EA0A0C'),
  myResponse: 'accepted',
  readOnly: true,
});
const atGoogle = event({ account: 'home', id: 'h', uid: OUTLOOK.toLowerCase(), myResponse: 'accepted', updated: 5 });

describe('one meeting, several mailboxes', () => {
  it('D01, D02: a meeting in three mailboxes is one item with three copies', () => {
    const merged = merge([atGoogle, guest, organizer]);
    expect(merged).toHaveLength(1);
    expect(merged[0]?.event).toBe(organizer);
    expect(merged.map(accountsOf)).toEqual([['work', 'home', 'client']]);
    expect(merged[0]?.staleCopies).toEqual([]);
  });

  it('D04: two occurrences with one UID are two items', () => {
    const slot = (day: string): CalendarEvent =>
      event({
        id: day,
        uid: 'series@google.com',
        kind: 'occurrence',
        recurrenceKey: `${day}T07:00:00Z`,
        start: at(`${day}T07:00:00Z`),
        end: at(`${day}T08:00:00Z`),
      });
    expect(merge([slot('2026-10-19'), slot('2026-10-12')]).map(({ event: { id } }) => id)).toEqual([
      '2026-10-12',
      '2026-10-19',
    ]);
  });

  it('D07: events without a UID are never merged and never lost', () => {
    const same = ACCOUNTS.map((account) => event({ account, uid: null }));
    expect(merge([...same, event({ id: 'other', uid: ' ' })])).toHaveLength(5);
    expect(merge([event({ uid: '' }), event({ account: 'home', uid: ' ', kind: 'occurrence' })])).toHaveLength(2);
  });

  it('D08: a calendar that two accounts can see counts once, told by who may write to it', () => {
    const shared = calendar('team@group');
    const seen = event({ account: 'work', calendar: { ...shared, access: 'read' }, uid: 'u', readOnly: true });
    const owned = event({ account: 'home', calendar: shared, uid: 'u' });
    const merged = merge([seen, owned]);
    expect(merged.map(accountsOf)).toEqual([['home', 'work']]);
  });

  it('D10: a feed of the same calendar is a copy, and the live one wins though the feed says it is newer', () => {
    const stale = event({
      account: 'feed',
      uid: OUTLOOK,
      fromFeed: true,
      readOnly: true,
      sequence: 9,
      updated: 9_999,
      start: at('2026-10-12T05:00:00Z'),
    });
    const live = event({ account: 'client', uid: OUTLOOK, readOnly: true, updated: 1 });
    const [merged] = merge([stale, live]);
    expect(merged?.event).toBe(live);
    expect(merged?.staleCopies).toEqual([stale]);
  });

  it('D12: the same id twice is one item, and the newest of them', () => {
    const before = event({ uid: 'u', updated: 1, title: 'Before' });
    const after = event({ uid: 'u', updated: 2, title: 'After', start: at('2026-10-12T09:00:00Z') });
    for (const rows of [
      [before, after],
      [after, before],
      [after, before, after],
    ]) {
      const merged = merge(rows);
      expect(merged.map(({ event: { title } }) => title)).toEqual(['After']);
      expect(merged[0]?.copies).toHaveLength(1);
    }
  });

  it('D12: ids are told apart by calendar, by account and by case', () => {
    const events = [
      event({ id: 'AAMk_x' }),
      event({ id: 'AAMk-x' }),
      event({ id: 'aamk_x' }),
      event({ id: 'AAMk_x', calendar: calendar('second') }),
      event({ id: 'AAMk_x', account: 'home' }),
    ];
    expect(merge(events)).toHaveLength(5);
  });

  it('who is invited to one occurrence of a series joins that occurrence', () => {
    const series = event({ id: 's', uid: OUTLOOK, kind: 'occurrence', recurrenceKey: '2026-10-12T07:00:00Z' });
    const next = event({
      id: 'n',
      uid: OUTLOOK,
      kind: 'occurrence',
      recurrenceKey: '2026-10-19T07:00:00Z',
      start: at('2026-10-19T07:00:00Z'),
      end: at('2026-10-19T08:00:00Z'),
    });
    for (const events of [
      [series, guest, next],
      [guest, next, series],
    ])
      expect(merge(events).map(accountsOf)).toEqual([['work', 'client'], ['work']]);
  });

  it('who is invited to two occurrences of a series keeps both of them', () => {
    const invited = (id: string, day: string): CalendarEvent =>
      event({ account: 'client', id, uid: OUTLOOK, start: at(`${day}T07:00:00Z`), end: at(`${day}T08:00:00Z`) });
    const two = [invited('a', '2026-10-12'), invited('b', '2026-10-19')];
    expect(merge(two)).toHaveLength(2);

    const series = two.map(({ start, end }, index) =>
      event({ account: 'work', id: `s${index}`, uid: OUTLOOK, kind: 'occurrence', start, end }),
    );
    for (const events of [
      [...two, ...series],
      [...series.toReversed(), ...two.toReversed()],
    ])
      expect(merge(events).map(accountsOf)).toEqual([
        ['work', 'client'],
        ['work', 'client'],
      ]);
  });

  it('one UID for everything in a feed is no reason to show one event only', () => {
    const feed = ['07', '09', '11'].map((hour) =>
      event({ account: 'feed', id: hour, uid: '1', start: at(`2026-10-12T${hour}:00:00Z`), fromFeed: true }),
    );
    const copy = event({ account: 'home', id: 'x', uid: '1', start: at('2026-10-12T09:00:00Z') });
    expect(merge([...feed, copy]).map(accountsOf)).toEqual([['feed'], ['home', 'feed'], ['feed']]);
  });
});

describe('a meeting that moved', () => {
  const moved = at('2026-10-12T12:00:00Z');

  it('is where its organizer has it, also where that backend tells no version', () => {
    const right = { ...organizer, start: moved, readOnly: true };
    const [merged] = merge([atGoogle, right, guest]);
    expect(merged?.event).toBe(right);
    expect(merged?.staleCopies).toEqual([atGoogle, guest]);
  });

  it('is where the newest copy has it when no mailbox is that of its organizer', () => {
    const old = event({ account: 'work', uid: 'u', sequence: 1, updated: 9 });
    const fresh = event({ account: 'home', uid: 'u', sequence: 2, updated: 1, start: moved, readOnly: true });
    expect(merge([old, fresh])[0]?.event).toBe(fresh);
    // An answer changes a copy as well: when it was changed shows nothing.
    const dated = [
      { ...old, updated: 1 },
      { ...fresh, sequence: 1, updated: 2 },
    ];
    expect(merge(dated).map((item) => item.event)).toEqual(dated);
  });

  it('a copy that tells no version is neither the oldest nor the newest one: the meeting may be at either time', () => {
    const silent = event({ account: 'work', uid: 'u', start: moved });
    const told = event({ account: 'home', uid: 'u', updated: 1, sequence: 1, readOnly: true });
    expect(merge([told, silent]).map((item) => item.event)).toEqual([told, silent]);
  });

  it('an invitation of somebody else with its UID and a higher version does not move it', () => {
    const real = event({ account: 'work', uid: 'u', sequence: 1, organizer: { email: 'anna@client.example' } });
    const forged = { ...real, account: 'home', sequence: 9, start: moved, organizer: { email: 'eve@evil.example' } };
    expect(merge([forged, real]).map((item) => item.event)).toEqual([real, forged]);
    const later = { ...forged, organizer: { email: 'Anna@client.example' } };
    expect(merge([later, real])).toMatchObject([{ event: later, staleCopies: [real] }]);
  });

  it('a copy at the same time is not stale, whatever else differs', () => {
    const renamed = event({ account: 'home', uid: OUTLOOK, title: 'Other', end: moved });
    expect(merge([organizer, renamed])[0]?.staleCopies).toEqual([]);
  });
});

describe('what a meeting does to time', () => {
  it('accepted in one mailbox and declined in another is busy', () => {
    const declined = { ...organizer, myResponse: 'declined' as const };
    expect(merge([declined, atGoogle])[0]?.busy).toBe('busy');
    expect(merge([declined])[0]?.busy).toBe('free');
  });

  it('called off for one guest is still on for the others', () => {
    const takenOff = event({ account: 'work', uid: OUTLOOK, status: 'cancelled', updated: 99, sequence: 9 });
    const [merged] = merge([takenOff, atGoogle]);
    expect(merged?.event).toBe(atGoogle);
    expect(merged?.busy).toBe('busy');
  });

  it('called off by its organizer is called off', () => {
    const off = { ...organizer, status: 'cancelled' as const };
    expect(merge([atGoogle, off])[0]?.event).toBe(off);
  });

  it('S08, D10: called off in the live calendar is called off, whatever its feed still says', () => {
    const off = event({ account: 'work', uid: 'u', status: 'cancelled' });
    const feed = event({ account: 'feed', uid: 'u', fromFeed: true });
    expect(merge([feed, off])[0]?.event).toBe(off);
  });
});

describe('order', () => {
  it('is by day, all-day first, then by start, end, title and id', () => {
    const timed = (id: string, start: string, end: string, title: string | null = 'x'): CalendarEvent =>
      event({ id, start: at(start), end: at(end), title });
    const events = [
      event({ id: '1', start: on('2026-10-11'), end: on('2026-10-14'), title: 'Trip' }),
      timed('2', '2026-10-11T21:30:00Z', '2026-10-12T01:00:00Z'),
      event({ id: '3', start: on('2026-10-12'), end: on('2026-10-13'), title: 'A' }),
      event({ id: '4', start: on('2026-10-12'), end: on('2026-10-14'), title: 'A' }),
      // Midnight in Amsterdam, the instant at which the all-day events start.
      timed('5', '2026-10-11T22:00:00Z', '2026-10-11T23:00:00Z'),
      timed('6', '2026-10-12T07:00:00Z', '2026-10-12T08:00:00Z'),
      timed('7', '2026-10-12T07:00:00Z', '2026-10-12T09:00:00Z', null),
      timed('8', '2026-10-12T07:00:00Z', '2026-10-12T09:00:00Z', 'a'),
      timed('9', '2026-10-12T07:00:00Z', '2026-10-12T09:00:00Z', 'b'),
      timed('A', '2026-10-12T07:00:00Z', '2026-10-12T09:00:00Z', 'b'),
      event({
        id: '0',
        account: 'zzz',
        start: at('2026-10-12T07:00:00Z'),
        end: at('2026-10-12T09:00:00Z'),
        title: 'b',
      }),
    ];
    expect(merge(events.toReversed()).map(({ event: { id } }) => id)).toEqual(events.map(({ id }) => id));
  });

  it('of copies that are equally good is by their ids', () => {
    const [a, b] = [event({ id: 'a', uid: 'u' }), event({ id: 'b', uid: 'u' })];
    for (const events of [
      [a, b],
      [b, a],
    ])
      expect(merge(events)[0]?.copies).toEqual([a, b]);
  });

  it('W04: 2,501 events are all there, in order, in little time', () => {
    const events = Array.from({ length: 2_501 }, (_, index) =>
      event({
        id: `e${index}`,
        uid: `u${index % 2_000}`,
        start: at(new Date(1_790_000_000_000 + ((index * 7_919) % 2_501) * 600_000).toISOString()),
        end: at(new Date(1_800_000_000_000).toISOString()),
      }),
    );
    const merged = merge(events);
    expect(merged.reduce((count, { copies }) => count + copies.length, 0)).toBe(2_501);
    const starts = merged.map(({ event: shown }) => spanOf(shown, clock).start);
    expect(starts).toEqual(starts.toSorted((a, b) => a - b));
  });
});

describe('any events at all', () => {
  const time = fc.oneof(
    fc.constantFrom('2026-10-12T07:00:00Z', '2026-10-12T22:00:00Z', '2026-10-25T00:30:00Z').map((text) => at(text)),
    fc.constantFrom('2026-10-12', '2026-10-13', '2026-10-25').map(on),
  );
  /** Few values for everything, so that ids, UIDs, slots and times clash in all ways. */
  const anyEvent: fc.Arbitrary<CalendarEvent> = fc
    .record({
      account: fc.constantFrom(...ACCOUNTS, 'unlisted'),
      calendar: fc.constantFrom('a', 'b').map((id) => calendar(id)),
      id: fc.constantFrom('1', '2', '3', '4'),
      uid: fc.constantFrom(null, '', 'u', 'v', 'u|-', OUTLOOK, OUTLOOK.replace(/^(.{32}).{8}/, '$107EA0A0C')),
      recurrenceKey: fc.constantFrom(null, '2026-10-12T07:00:00Z', '2026-10-12'),
      kind: fc.constantFrom('single', 'occurrence', 'exception'),
      start: time,
      title: fc.constantFrom(null, 'x', 'y'),
      status: fc.constantFrom('confirmed', 'cancelled', 'tentative'),
      myResponse: fc.constantFrom('organizer', 'accepted', 'declined', 'none'),
      busy: fc.constantFrom('free', 'busy', 'oof', 'unknown'),
      updated: fc.constantFrom(null, 0, 1, 2),
      sequence: fc.constantFrom(undefined, 0, 1),
      readOnly: fc.boolean(),
      fromFeed: fc.constantFrom(undefined, true),
    })
    .map(({ sequence, fromFeed, ...fields }) =>
      event({
        ...(fields as Partial<CalendarEvent>),
        end: fields.start,
        ...(sequence === undefined ? {} : { sequence }),
        ...(fromFeed ? { fromFeed } : {}),
      }),
    );
  const anyEvents = fc.array(anyEvent, { maxLength: 40 });
  const idOf = ({ account, calendar: { id: calendarId }, id }: CalendarEvent): string =>
    JSON.stringify([account, calendarId, id]);

  it('the order in which accounts and pages arrive does not show', () => {
    fc.assert(
      fc.property(
        anyEvents.chain((events) =>
          fc.tuple(fc.constant(events), fc.shuffledSubarray(events, { minLength: events.length })),
        ),
        ([events, shuffled]) => {
          expect(JSON.stringify(merge(shuffled))).toBe(JSON.stringify(merge(events)));
        },
      ),
      { numRuns: 1_500 },
    );
  });

  it('no event is lost and none is doubled', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const copies = merge(events).flatMap((merged) => merged.copies);
        expect(copies.map(idOf).toSorted()).toEqual([...new Set(events.map(idOf))].toSorted());
        for (const copy of copies) expect(events).toContain(copy);
      }),
      { numRuns: 1_000 },
    );
  });

  it('merging what was merged changes nothing', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        const once = merge(events);
        expect(merge(once.flatMap(({ copies }) => copies))).toEqual(once);
      }),
      { numRuns: 500 },
    );
  });

  it('no calendar has a meeting at two times, so that none of them hides the other', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        for (const { event: shown, copies, staleCopies } of merge(events)) {
          expect(copies[0]).toBe(shown);
          for (const copy of copies)
            for (const other of copies)
              if (copy.account === other.account && copy.calendar.id === other.calendar.id)
                expect(copy.start).toEqual(other.start);
          expect(staleCopies.every((copy) => copies.includes(copy))).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('a meeting is free only when it is free for everybody who has it', () => {
    fc.assert(
      fc.property(anyEvents, (events) => {
        for (const { busy, copies } of merge(events))
          if (busy === 'free')
            for (const copy of copies)
              expect(copy.busy === 'free' || copy.status === 'cancelled' || copy.myResponse === 'declined').toBe(true);
      }),
    );
  });
});
