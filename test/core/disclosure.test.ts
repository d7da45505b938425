import { describe, expect, it } from 'vitest';
import { busyOf, DEFAULT_POLICY, treatmentOf } from '../../src/core/busy.ts';
import { blocksOf, unionOfBlocks } from '../../src/core/busy-blocks.ts';
import {
  busyOnly,
  DISCLOSURES,
  type Disclosure,
  disclose,
  disclosureTo,
  mayName,
  OTHER_ACCOUNTS,
  OWNER,
} from '../../src/core/disclosure.ts';
import type { CalendarEvent, Sensitivity } from '../../src/core/event.ts';
import { pairsOf } from '../../src/core/intervals.ts';
import { mergeEvents } from '../../src/core/merge.ts';
import { zoneClock } from '../../src/core/time.ts';
import { at, BUSY, event, on, RESPONSES, STATUSES, TYPES } from './events.ts';

/** Every text of it that says something. */
const SECRETS = {
  account: 'secret-account',
  calendarId: 'secret-calendar-id',
  calendarName: 'Secret calendar',
  owner: 'secret-owner@client.example',
  id: 'secret-id',
  uid: 'secret-uid@client.example',
  seriesId: 'secret-series',
  zone: 'Pacific/Chatham',
  title: 'Secret merger',
  text: 'Secret text',
  location: 'Secret place',
  join: 'https://meet.google.com/secret',
  organizer: 'Secret Organizer',
  attendee: 'secret-attendee@client.example',
  category: 'Secret category',
  webLink: 'https://calendar.example/secret',
  etag: 'secret-etag',
  warning: 'Secret warning',
} as const;

const secret = event({
  account: SECRETS.account,
  calendar: {
    id: SECRETS.calendarId,
    name: SECRETS.calendarName,
    owner: SECRETS.owner,
    isDefault: false,
    access: 'write',
    color: '#c0ffee',
  },
  id: SECRETS.id,
  uid: SECRETS.uid,
  kind: 'occurrence',
  recurrenceKey: '2026-10-12T07:00:00Z',
  seriesId: SECRETS.seriesId,
  start: at('2026-10-12T07:00:00Z', SECRETS.zone),
  end: at('2026-10-12T08:00:00Z', SECRETS.zone),
  title: SECRETS.title,
  text: SECRETS.text,
  location: SECRETS.location,
  join: SECRETS.join,
  organizer: { name: SECRETS.organizer },
  attendees: [{ email: SECRETS.attendee, response: 'accepted' }],
  categories: [SECRETS.category],
  webLink: SECRETS.webLink,
  etag: SECRETS.etag,
  warnings: [SECRETS.warning],
  updated: 1,
});

const blind = (text: string): string =>
  `blind:${[...text].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7)}`;

/** What an audience that is another client may see, and what the client's own people may. */
const asOther = (of: CalendarEvent, share: Disclosure): CalendarEvent | null =>
  disclose(of, { audience: 'client B', client: 'client A', share, blind });
const asOwn = (of: CalendarEvent, share: Disclosure = 'busy'): CalendarEvent | null =>
  disclose(of, { audience: 'client A', client: 'client A', share, blind });

/** Names of the secrets that a value holds, wherever in it. */
function told(value: unknown): string[] {
  const text = JSON.stringify(value);
  return Object.entries(SECRETS)
    .filter(([, words]) => text.includes(words))
    .map(([name]) => name);
}

describe('how much an audience may see', () => {
  it('is everything for the owner, and for a client everything of its own', () => {
    for (const share of DISCLOSURES) {
      expect(disclosureTo(OWNER, { client: 'A', share })).toBe('full');
      expect(disclosureTo('A', { client: 'A', share })).toBe('full');
      expect(disclosureTo('B', { client: 'A', share })).toBe(share);
    }
  });

  it('a client is told by its exact name', () => {
    for (const audience of ['a', 'A ', '', 'AA', 'OWNER'])
      expect(disclosureTo(audience, { client: 'A', share: 'busy' })).toBe('busy');
    expect(mayName('A', { client: 'A', share: 'none' })).toBe(true);
    expect(mayName(OWNER, { client: 'A', share: 'none' })).toBe(true);
    expect(mayName('B', { client: 'A', share: 'full' })).toBe(false);
  });
});

describe('P01: an event as another client sees it', () => {
  it('is not there at all where nothing is shared', () => {
    expect(asOther(secret, 'none')).toBeNull();
    expect(asOther({ ...secret, sensitivity: 'private' }, 'none')).toBeNull();
  });

  it('is its time where busy time is shared', () => {
    const seen = asOther(secret, 'busy');
    expect(told(seen)).toEqual([]);
    expect(seen).toMatchObject({
      account: OTHER_ACCOUNTS,
      start: { epochMs: Date.parse('2026-10-12T07:00:00Z'), zone: null },
      end: { epochMs: Date.parse('2026-10-12T08:00:00Z'), zone: null },
      title: null,
      busy: 'busy',
      disclosed: 'busy',
    });
    expect(JSON.stringify(seen)).not.toContain('c0ffee');
  });

  it('has a title that says nothing where that is shared', () => {
    const seen = asOther(secret, 'masked');
    expect(told(seen)).toEqual([]);
    expect(seen).toMatchObject({ title: 'Client work', disclosed: 'masked' });
  });

  it('has its title where that is shared, and nothing else', () => {
    expect(told(asOther(secret, 'title'))).toEqual(['title']);
    expect(asOther(secret, 'title')).toMatchObject({ disclosed: 'title' });
  });

  it('has no account, calendar, id or UID where all is shared', () => {
    const seen = told(asOther(secret, 'full'));
    for (const name of ['title', 'text', 'location', 'attendee']) expect(seen).toContain(name);
    for (const name of ['account', 'calendarId', 'calendarName', 'owner', 'id', 'uid'])
      expect(seen).not.toContain(name);
  });

  it('that lasts all day has its days', () => {
    const seen = asOther({ ...secret, start: on('2026-10-12'), end: on('2026-10-13') }, 'busy');
    expect(seen).toMatchObject({ start: { date: '2026-10-12' }, end: { date: '2026-10-13' } });
  });

  it('P05: keeps copies of one meeting known as such, by a UID that says nothing', () => {
    const outlook =
      '040000008200E00074C5B7101A82E00807EA0A0C5025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B';
    const series = outlook.replace('07EA0A0C', '00000000');
    const uids = [outlook, series.toLowerCase(), ` ${series}`].map((uid) => asOther({ ...secret, uid }, 'busy')?.uid);
    expect(new Set(uids).size).toBe(1);
    expect(uids[0]).toBe(asOwn({ ...secret, uid: series })?.uid);
    expect(asOther({ ...secret, uid: null }, 'busy')?.uid).toBeNull();
    expect(asOther({ ...secret, uid: ' ' }, 'full')?.uid).toBeNull();
  });

  it('of one calendar of its own stays in one calendar, masked or not', () => {
    // What one calendar holds under one UID at two times is two meetings (merge.ts): neither hides the other.
    expect(asOwn({ ...secret, sensitivity: 'private' })?.calendar.id).toBe(asOwn(secret)?.calendar.id);
  });

  it('two events and two calendars stay two', () => {
    const ids = [secret, { ...secret, id: 'other' }, { ...secret, account: 'other' }].map((one) => {
      const seen = asOther(one, 'busy');
      return JSON.stringify([seen?.account, seen?.calendar.id, seen?.id]);
    });
    expect(new Set(ids).size).toBe(3);
  });
});

describe('P03: what is private', () => {
  it.each(['private', 'confidential', 'personal'] as const)(
    '%s is masked in the client’s own account too',
    (sensitivity) => {
      const seen = asOwn({ ...secret, sensitivity });
      expect(seen).toMatchObject({ title: 'Private', disclosed: 'masked', account: SECRETS.account });
      // Its account and its calendar are the client's own.
      expect(told(seen)).toEqual(['account', 'calendarId']);
    },
  );

  it.each(['busy', 'masked', 'title', 'full'] as const)('is not told to others of whom it shares %s', (share) => {
    const seen = asOther({ ...secret, sensitivity: 'private' }, share);
    expect(told(seen)).toEqual([]);
    expect(seen).toMatchObject({
      title: share === 'busy' ? null : 'Client work',
      disclosed: share === 'busy' ? 'busy' : 'masked',
    });
    // Nor that it is private.
    expect(seen?.sensitivity).toBe('normal');
  });

  it('is the owner’s to see', () => {
    const hidden = { ...secret, sensitivity: 'private' as const };
    expect(disclose(hidden, { audience: OWNER, client: 'client A', share: 'none', blind })).toBe(hidden);
  });
});

describe('the client’s own events', () => {
  it('are shown in full, but for the UID, which others may hold as well', () => {
    const seen = asOwn(secret);
    expect(seen).toEqual({ ...secret, uid: expect.stringMatching(/^blind:/) });
  });

  it('are shown so whatever is shared with others', () => {
    for (const share of DISCLOSURES) expect(asOwn(secret, share)).toEqual(asOwn(secret));
  });
});

describe('P04: a meeting that the audience and others hold', () => {
  const meeting = (account: string, more: Partial<CalendarEvent> = {}): CalendarEvent =>
    event({ account, id: account, uid: 'u', ...more });
  const clock = zoneClock('UTC');
  const clients: Readonly<Record<string, string>> = { own: 'A' };
  function blocks(events: readonly CalendarEvent[], audience: string): string[] {
    const shown = events.flatMap(
      (one) => disclose(one, { audience, blind, client: clients[one.account] ?? 'B', share: 'busy' }) ?? [],
    );
    const merged = mergeEvents(shown, { clock, order: () => 0 });
    return [...pairsOf(unionOfBlocks(blocksOf(merged, ({ ownerZone = 'UTC' }) => zoneClock(ownerZone))))].map((pair) =>
      pair.map((moment) => new Date(moment).toISOString().slice(5, 16)).join('..'),
    );
  }

  it.each([
    ['longer', [{}, { end: at('2026-10-12T09:00:00Z'), readOnly: true }]],
    [
      'elsewhere',
      [
        { start: on('2026-10-12'), end: on('2026-10-13') },
        { start: on('2026-10-12'), end: on('2026-10-13'), ownerZone: 'Pacific/Kiritimati', readOnly: true },
      ],
    ],
  ] as const)('P04: takes the time of a copy that is %s, for the audience as for the owner', (_, [first, second]) => {
    const events = [meeting('own', first), meeting('other-1', first), meeting('other-2', second)];
    expect(blocks(events, 'A')).toEqual(blocks(events, OWNER));
  });

  it('takes the time of all copies', () => {
    const events = [meeting('own'), meeting('other-1'), meeting('other-2', { myResponse: 'declined' })];
    expect(blocks(events, OWNER)).toEqual(['10-12T07:00..10-12T08:00']);
    expect(blocks(events, 'A')).toEqual(blocks(events, OWNER));
  });
});

describe('what remains where only busy time is shown', () => {
  const SENSITIVITIES: readonly Sensitivity[] = ['normal', 'private'];

  it('takes as much time as the event does, never less', () => {
    const rank = ['free', 'soft', 'busy'];
    for (const busy of BUSY)
      for (const status of STATUSES)
        for (const myResponse of RESPONSES)
          for (const type of TYPES)
            for (const sensitivity of SENSITIVITIES) {
              const whole = event({ busy, status, myResponse, type, sensitivity });
              // Where somebody works is free time, and nobody else's business.
              const told = busyOf(whole) === 'workingElsewhere' ? 'free' : busyOf(whole);
              expect(busyOf(busyOnly(whole))).toBe(told);
              for (const policy of [DEFAULT_POLICY, { ...DEFAULT_POLICY, focusTimeAs: 'free' as const }])
                expect(rank.indexOf(treatmentOf(busyOnly(whole), policy))).toBeGreaterThanOrEqual(
                  rank.indexOf(treatmentOf(whole, policy)),
                );
            }
  });

  it('is what it is, however often it is cut down', () => {
    expect(busyOnly(busyOnly(secret))).toEqual(busyOnly(secret));
    expect(told(busyOnly(secret))).toEqual(['account', 'calendarId', 'calendarName', 'owner', 'id', 'uid']);
  });

  it('D09: keeps that it is a block of calmcp’s own, where its owner lives, and that it comes from a feed', () => {
    const kept = { mirror: true, ownerZone: 'Europe/Amsterdam', fromFeed: true, sequence: 3 } as const;
    expect(asOther({ ...secret, ...kept }, 'busy')).toMatchObject(kept);
  });
});
