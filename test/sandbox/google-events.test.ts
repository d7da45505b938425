import { describe, expect, test } from 'vitest';
import {
  googleCalendar,
  googleCalendarIds,
  googleEvent,
  googleSeries,
  manyGoogleEvents,
  singleGoogleAccount,
} from '../../src/sandbox/index.ts';
import { get, openSandbox } from './client.ts';
import {
  type EventList,
  eventsUrl,
  type GoogleErrorBody,
  googleToken,
  list,
  openWith,
  refusal,
} from './google-client.ts';

const twoWeeks = { timeMin: '2026-11-23T00:00:00+01:00', timeMax: '2026-12-07T00:00:00+01:00' };
const meeting = { summary: 'Meeting', start: '2026-11-23T10:00', end: '2026-11-23T11:00' };

const names = ({ items }: EventList) => items.map(({ summary }) => summary);

describe('the window', () => {
  test('has what ends after its start and begins before its end', async () => {
    const { sandbox, token } = await openWith([
      googleEvent({ summary: 'before', start: '2026-11-23T09:00', end: '2026-11-23T10:00' }),
      googleEvent({ summary: 'into', start: '2026-11-23T09:00', end: '2026-11-23T10:01' }),
      googleEvent({ summary: 'around', start: '2026-11-22T09:00', end: '2026-11-24T10:00' }),
      googleEvent({ summary: 'out of', start: '2026-11-23T10:59', end: '2026-11-23T12:00' }),
      googleEvent({ summary: 'after', start: '2026-11-23T11:00', end: '2026-11-23T12:00' }),
      googleEvent({ summary: 'date', start: '2026-11-23', end: '2026-11-24' }),
      googleEvent({ summary: 'next date', start: '2026-11-24', end: '2026-11-25' }),
    ]);
    const { body } = await list(sandbox, token, {
      timeMin: '2026-11-23T10:00:00+01:00',
      timeMax: '2026-11-23T10:00:00Z',
      orderBy: 'startTime',
    });
    expect(names(body)).toEqual(['around', 'date', 'into', 'out of']);
  });

  test('cuts dates at the midnights of the calendar', async () => {
    const { sandbox, token } = await openWith([
      googleEvent({ summary: 'date', start: '2026-11-23', end: '2026-11-24' }),
    ]);
    const at = (timeMin: string, timeMax: string) => list(sandbox, token, { timeMin, timeMax });
    expect((await at('2026-11-22T22:00:00Z', '2026-11-22T23:00:00Z')).body.items).toHaveLength(0);
    expect((await at('2026-11-23T22:59:00Z', '2026-11-24T12:00:00Z')).body.items).toHaveLength(1);
    expect((await at('2026-11-23T23:00:00Z', '2026-11-24T12:00:00Z')).body.items).toHaveLength(0);
  });

  test.each([
    ['a time without an offset', { timeMin: '2026-11-23T00:00:00' }, 'badRequest'],
    ['a plus that became a space', { timeMin: '2026-11-23T00:00:00 01:00' }, 'badRequest'],
    ['a date', { timeMax: '2026-11-23' }, 'badRequest'],
    ['an empty range', { timeMin: '2026-11-23T00:00:00Z', timeMax: '2026-11-23T01:00:00+01:00' }, 'timeRangeEmpty'],
  ])('is refused with %s', async (_, parameters, reason) => {
    const { sandbox, token } = await openWith([]);
    expect(await refusal(eventsUrl(sandbox, parameters), token)).toEqual([400, reason]);
  });
});

describe('an event', () => {
  test('has the fields of the real one, in the zone of the calendar, and the zone its author meant', async () => {
    const colleague = { email: 'colleague@harbor.example', displayName: 'Colleague' };
    const { sandbox, token } = await openWith([
      googleEvent({ ...meeting, zone: 'America/New_York', organizedBy: colleague, response: 'tentative', meet: 'm' }),
    ]);
    const { items } = (await list(sandbox, token)).body;
    expect(items).toMatchObject([
      {
        kind: 'calendar#event',
        id: expect.stringMatching(/^[a-v0-9]{26}$/),
        etag: expect.stringMatching(/^"\w+"$/),
        status: 'confirmed',
        summary: 'Meeting',
        start: { dateTime: '2026-11-23T16:00:00+01:00', timeZone: 'America/New_York' },
        end: { dateTime: '2026-11-23T17:00:00+01:00', timeZone: 'America/New_York' },
        organizer: colleague,
        attendees: [
          { ...colleague, organizer: true, responseStatus: 'accepted' },
          { email: 'you@home.example', self: true, responseStatus: 'tentative' },
        ],
        iCalUID: `${items[0]?.id}@google.com`,
        hangoutLink: expect.stringMatching(/^https:\/\/meet\.google\.com\/\w{3}-\w{4}-\w{3}$/),
        eventType: 'default',
        reminders: { useDefault: true },
      },
    ]);
    expect(items[0]).not.toHaveProperty('recurringEventId');
  });

  test('is found without /google too, where a generated client goes that drops the path of its rootUrl', async () => {
    const { sandbox, token } = await openWith([googleEvent(meeting)]);
    const url = `${sandbox.origin}/calendar/v3/calendars/primary/events`;
    expect(names((await get<EventList>(url, token)).body)).toEqual(['Meeting']);
    expect(sandbox.requests.at(-1)?.path).toBe('/google/calendar/v3/calendars/primary/events');
  });

  test('is written in the zone that the request names; a date stays a date', async () => {
    const { sandbox, token } = await openWith([
      googleEvent(meeting),
      googleEvent({ summary: 'date', start: '2026-11-24', end: '2026-11-25' }),
    ]);
    const { items } = (await list(sandbox, token, { timeZone: 'UTC', orderBy: 'startTime' })).body;
    expect(items.map(({ start }) => start)).toEqual([
      { dateTime: '2026-11-23T09:00:00Z', timeZone: 'Europe/Amsterdam' },
      { date: '2026-11-24' },
    ]);
  });

  test('may have no summary', async () => {
    const { sandbox, token } = await openWith([googleEvent({ start: meeting.start, end: meeting.end })]);
    expect((await list(sandbox, token)).body.items[0]).not.toHaveProperty('summary');
  });

  test('with more attendees than maxAttendees shows the person alone', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox, 'calendar.readonly', 'you@harbor.example');
    const all = (await list(sandbox, token, { q: 'all hands' })).body.items[0];
    expect(all?.attendees).toHaveLength(200);
    expect(all?.attendeesOmitted).toBe(true);
    const few = (await list(sandbox, token, { q: 'all hands', maxAttendees: '10' })).body.items[0];
    expect(few?.attendees).toEqual([{ email: 'you@harbor.example', self: true, responseStatus: 'accepted' }]);
  });
});

describe('a series', () => {
  const series = googleSeries({
    ...meeting,
    start: '2026-10-19T09:00',
    end: '2026-10-19T10:00',
    rule: 'RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=5',
    cancelled: ['2026-10-21'],
    changed: { '2026-10-26': { start: '2026-10-27T15:00', end: '2026-10-27T16:00', summary: 'Moved' } },
  });
  const [master] = series;

  test('keeps its local time when the clocks change; the cancelled instance is gone, the moved one moved', async () => {
    const { sandbox, token } = await openWith(series);
    const { items } = (await list(sandbox, token, { orderBy: 'startTime', timeZone: 'UTC' })).body;
    expect(items).toMatchObject([
      { id: `${master?.id}_20261019T070000Z`, start: { dateTime: '2026-10-19T07:00:00Z' } },
      { id: `${master?.id}_20261026T080000Z`, summary: 'Moved', start: { dateTime: '2026-10-27T14:00:00Z' } },
      { id: `${master?.id}_20261028T080000Z`, start: { dateTime: '2026-10-28T08:00:00Z' } },
      { id: `${master?.id}_20261102T080000Z`, start: { dateTime: '2026-11-02T08:00:00Z' } },
    ]);
    expect(items[1]).toMatchObject({
      recurringEventId: master?.id,
      originalStartTime: { dateTime: '2026-10-26T08:00:00Z', timeZone: 'Europe/Amsterdam' },
      iCalUID: master?.properties.iCalUID,
    });
    expect(items[0]).not.toHaveProperty('recurrence');
  });

  test('has the instance that moved into a window, and not the one that moved out of it', async () => {
    const { sandbox, token } = await openWith(series);
    const on = (day: string) => list(sandbox, token, { timeMin: `${day}T00:00:00Z`, timeMax: `${day}T23:00:00Z` });
    expect((await on('2026-10-26')).body.items).toHaveLength(0);
    expect(names((await on('2026-10-27')).body)).toEqual(['Moved']);
  });

  test('comes as master, exceptions and cancelled stubs without singleEvents', async () => {
    const { sandbox, token } = await openWith(series);
    const { items } = (await list(sandbox, token, { singleEvents: 'false' })).body;
    expect(items).toHaveLength(3);
    expect(items.find(({ id }) => id === master?.id)).toMatchObject({
      recurrence: ['RRULE:FREQ=WEEKLY;BYDAY=MO,WE;COUNT=5'],
    });
    const stub = items.find(({ status }) => status === 'cancelled');
    expect(Object.keys(stub ?? {}).sort()).toEqual([
      'etag',
      'id',
      'kind',
      'originalStartTime',
      'recurringEventId',
      'status',
    ]);
  });

  test('shows its cancelled instances with showDeleted', async () => {
    const { sandbox, token } = await openWith(series);
    const { items } = (await list(sandbox, token, { showDeleted: 'true' })).body;
    expect(items.filter(({ status }) => status === 'cancelled')).toMatchObject([
      { id: `${master?.id}_20261021T070000Z`, recurringEventId: master?.id },
    ]);
  });

  test('of dates has dates in the ids of its instances', async () => {
    const { sandbox, token } = await openWith(
      googleSeries({ start: '2026-10-24', end: '2026-10-26', rule: 'RRULE:FREQ=DAILY;INTERVAL=7;COUNT=2' }),
    );
    const { items } = (await list(sandbox, token, { orderBy: 'startTime' })).body;
    expect(items.map(({ id, start, end }) => [id.split('_')[1], start, end])).toEqual([
      ['20261024', { date: '2026-10-24' }, { date: '2026-10-26' }],
      ['20261031', { date: '2026-10-31' }, { date: '2026-11-02' }],
    ]);
  });

  test.each([
    ['INTERVAL', 'RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3', ['2026-11-23', '2026-12-07', '2026-12-21']],
    ['UNTIL', 'RRULE:FREQ=DAILY;UNTIL=20261125T090000Z', ['2026-11-23', '2026-11-24', '2026-11-25']],
    ['UNTIL just before the last', 'RRULE:FREQ=DAILY;UNTIL=20261125T085959Z', ['2026-11-23', '2026-11-24']],
    [
      'BYDAY before the first',
      'RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;COUNT=3',
      ['2026-11-23', '2026-11-29', '2026-12-07'],
    ],
  ])('minds %s', async (_, rule, dates) => {
    const { sandbox, token } = await openWith(googleSeries({ ...meeting, rule }));
    const { items } = (await list(sandbox, token, { orderBy: 'startTime' })).body;
    expect(items.map(({ start }) => (start as { dateTime: string }).dateTime.slice(0, 10))).toEqual(dates);
  });

  test('at a time that the clocks jump over comes an hour later that day', async () => {
    const { sandbox, token } = await openWith(
      googleSeries({ start: '2027-03-27T02:30', end: '2027-03-27T03:00', rule: 'RRULE:FREQ=DAILY;COUNT=3' }),
    );
    const { items } = (await list(sandbox, token, { orderBy: 'startTime' })).body;
    expect(items.map(({ start }) => (start as { dateTime: string }).dateTime)).toEqual([
      '2027-03-27T02:30:00+01:00',
      '2027-03-28T03:30:00+02:00',
      '2027-03-29T02:30:00+02:00',
    ]);
  });

  test('that never ends is endless in a window, and ends somewhere without one', async () => {
    const { sandbox, token } = await openWith(googleSeries({ ...meeting, rule: 'RRULE:FREQ=DAILY' }));
    const far = await list(sandbox, token, { timeMin: '2031-03-01T00:00:00Z', timeMax: '2031-03-08T00:00:00Z' });
    expect(far.body.items).toHaveLength(7);
    expect((await list(sandbox, token, { maxResults: '2500' })).body.items.length).toBeLessThan(800);
  });

  test('that the sandbox cannot expand is refused when it is built', () => {
    for (const rule of ['RRULE:FREQ=HOURLY', 'RRULE:FREQ=YEARLY;BYWEEKNO=3', 'EXRULE:FREQ=DAILY']) {
      expect(() => googleSeries({ ...meeting, rule })).toThrow(RangeError);
    }
    expect(() => googleSeries({ ...meeting, rule: 'RRULE:FREQ=WEEKLY', cancelled: ['2026-11-24'] })).toThrow(
      '2026-11-24',
    );
  });
});

describe('what is listed', () => {
  test('is of the types that are asked for, all of them when none is', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox, 'calendar.readonly', 'you@harbor.example');
    const types = async (query: string) => {
      const { body } = await get<EventList>(
        `${eventsUrl(sandbox, { ...twoWeeks, singleEvents: 'true' })}${query}`,
        token,
      );
      return [...new Set(body.items.map(({ eventType }) => eventType))].sort();
    };
    expect(await types('&eventTypes=focusTime&eventTypes=outOfOffice')).toEqual(['focusTime', 'outOfOffice']);
    expect(await types('')).toEqual(['default', 'focusTime', 'outOfOffice', 'workingLocation']);
    expect(sandbox.requests.at(-2)?.query.eventTypes).toBe('focusTime,outOfOffice');
  });

  test('has no hidden invitations unless they are asked for', async () => {
    const { sandbox, token } = await openWith([{ ...googleEvent(meeting), hiddenInvitation: true }]);
    expect((await list(sandbox, token)).body.items).toHaveLength(0);
    expect((await list(sandbox, token, { showHiddenInvitations: 'true' })).body.items).toHaveLength(1);
  });

  test('has no deleted events unless they are asked for', async () => {
    const { sandbox, token } = await openWith([googleEvent({ ...meeting, status: 'cancelled' })]);
    expect((await list(sandbox, token)).body.items).toHaveLength(0);
    expect((await list(sandbox, token, { showDeleted: 'true' })).body.items).toMatchObject([{ status: 'cancelled' }]);
  });

  test('is narrowed by q, iCalUID and updatedMin', async () => {
    const old = googleEvent({ ...meeting, updated: '2026-01-01T00:00:00.000Z' });
    const { sandbox, token } = await openWith([
      old,
      googleEvent({ ...meeting, summary: 'Other', location: 'Utrecht' }),
    ]);
    expect(names((await list(sandbox, token, { q: 'utrecht other' })).body)).toEqual(['Other']);
    expect(names((await list(sandbox, token, { iCalUID: old.properties.iCalUID })).body)).toEqual(['Meeting']);
    expect(names((await list(sandbox, token, { updatedMin: '2026-06-01T00:00:00Z' })).body)).toEqual(['Other']);
  });
});

describe('a calendar of someone else', () => {
  test('that shows free and busy alone has blocks without anything else', async () => {
    const sandbox = await openSandbox();
    const { body } = await list(sandbox, await googleToken(sandbox), twoWeeks, googleCalendarIds.colleague);
    expect(body).toMatchObject({ accessRole: 'freeBusyReader' });
    expect(body.items.length).toBeGreaterThan(3);
    for (const item of body.items) {
      expect(item).toMatchObject({ status: 'confirmed', visibility: 'private' });
      for (const field of ['summary', 'organizer', 'creator', 'attendees', 'location', 'description']) {
        expect(item).not.toHaveProperty(field);
      }
    }
    expect(
      names((await list(sandbox, await googleToken(sandbox), { q: 'secret' }, googleCalendarIds.colleague)).body),
    ).toEqual([]);
  });

  test('that may be read hides the details of private events', async () => {
    const events = [googleEvent({ ...meeting, visibility: 'private' }), googleEvent({ ...meeting, summary: 'Open' })];
    const shared = googleCalendar('c_1@group.calendar.google.com', events, {
      access: { 'you@home.example': 'reader' },
    });
    const sandbox = await openSandbox({ googleData: singleGoogleAccount([], { others: [shared] }) });
    const { body } = await list(sandbox, await googleToken(sandbox), {}, shared.id);
    expect(names(body).sort()).toEqual(['Open', undefined]);
  });

  test.each(['nobody@home.example', googleCalendarIds.club, googleCalendarIds.home])(
    'is not found when it is not shared: %s',
    async (id) => {
      const sandbox = await openSandbox();
      const token = await googleToken(sandbox, 'calendar.readonly', 'you@harbor.example');
      expect(await refusal(eventsUrl(sandbox, {}, id), token)).toEqual([404, 'notFound']);
    },
  );

  test('is found under an id that has to be encoded', async () => {
    const sandbox = await openSandbox();
    const { body } = await list(sandbox, await googleToken(sandbox), {}, googleCalendarIds.holidays);
    expect(names(body)).toEqual(['Saint Nicholas Eve']);
    expect(sandbox.requests.at(-1)?.path).toContain('en.dutch%23holiday%40group.v.calendar.google.com');
  });
});

describe('a refusal', () => {
  test.each([
    ['an unknown parameter', { timemin: '2026-11-23T00:00:00Z' }, 'invalidParameter'],
    ['orderBy=startTime without singleEvents', { orderBy: 'startTime' }, 'invalid'],
    ['another orderBy', { orderBy: 'summary' }, 'invalidParameter'],
    ['no results', { maxResults: '0' }, 'invalidParameter'],
    ['half a result', { maxResults: '0.5' }, 'invalidParameter'],
    ['something that is neither true nor false', { singleEvents: '1' }, 'invalidParameter'],
    ['an unknown type of event', { eventTypes: 'party' }, 'invalidParameter'],
    ['a Windows zone', { timeZone: 'W. Europe Standard Time' }, 'invalid'],
    ['a page token that nobody gave', { pageToken: 'guess' }, 'invalid'],
  ])('meets %s', async (_, parameters, reason) => {
    const { sandbox, token } = await openWith([]);
    expect(await refusal(eventsUrl(sandbox, parameters), token)).toEqual([400, reason]);
  });

  test('meets a parameter that is given twice', async () => {
    const { sandbox, token } = await openWith([]);
    expect(await refusal(`${eventsUrl(sandbox, { q: 'a' })}&q=b`, token)).toEqual([400, 'invalidParameter']);
  });

  test('has Google’s shape', async () => {
    const { sandbox, token } = await openWith([]);
    const { body } = await get<GoogleErrorBody>(eventsUrl(sandbox, { orderBy: 'startTime' }), token);
    expect(body).toEqual({
      error: {
        code: 400,
        message: 'The requested ordering is not available for the particular query.',
        errors: [
          {
            domain: 'global',
            reason: 'invalid',
            message: 'The requested ordering is not available for the particular query.',
            location: 'orderBy',
            locationType: 'parameter',
          },
        ],
      },
    });
  });

  test('meets every other path and method', async () => {
    const { sandbox, token } = await openWith([]);
    const headers = { authorization: `Bearer ${token}` };
    const { rootUrl } = sandbox.google.endpoints;
    expect((await fetch(`${rootUrl}calendar/v3/channels/stop`, { headers })).status).toBe(404);
    expect((await fetch(eventsUrl(sandbox), { method: 'PATCH', headers })).status).toBe(404);
    expect((await fetch(`${rootUrl}nothing`)).status).toBe(404);
    expect(await refusal(`${rootUrl}calendar/v3/calendars/%zz/events`, token)).toEqual([400, 'badRequest']);
    expect((await fetch(`${rootUrl}token`)).status).toBe(405);
  });
});

describe('pages', () => {
  const quarters = manyGoogleEvents(7, '2026-11-23T09:00');

  test('hold 250 events unless told otherwise, and never more than 2,500', async () => {
    const { sandbox, token } = await openWith(manyGoogleEvents(2501, '2026-11-23T09:00'));
    expect((await list(sandbox, token)).body.items).toHaveLength(250);
    const { body } = await list(sandbox, token, { maxResults: '5000' });
    expect([body.items.length, typeof body.nextPageToken]).toEqual([2500, 'string']);
  });

  test('give everything once, and the sync token on the last one alone', async () => {
    const { sandbox, token } = await openWith(quarters);
    const pages: EventList[] = [];
    for (let pageToken: string | undefined = ''; pageToken !== undefined; pageToken = pages.at(-1)?.nextPageToken) {
      pages.push((await list(sandbox, token, { maxResults: '3', ...(pageToken === '' ? {} : { pageToken }) })).body);
    }
    expect(pages.map(({ items }) => items.length)).toEqual([3, 3, 1]);
    expect(new Set(pages.flatMap(({ items }) => items.map(({ id }) => id))).size).toBe(7);
    expect(pages.map(({ nextSyncToken }) => nextSyncToken !== undefined)).toEqual([false, false, true]);
  });

  test('stay with their question: other parameters, another calendar or another person are refused', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    const { nextPageToken: pageToken = '' } = (await list(sandbox, token, { ...twoWeeks, maxResults: '1' })).body;
    const asked = { ...twoWeeks, singleEvents: 'true', pageToken };
    expect(await refusal(eventsUrl(sandbox, { ...asked, timeMax: '2026-12-08T00:00:00Z' }), token)).toEqual([
      400,
      'invalid',
    ]);
    expect(await refusal(eventsUrl(sandbox, asked, googleCalendarIds.family), token)).toEqual([400, 'invalid']);
    const other = await googleToken(sandbox, 'calendar.readonly', 'you@harbor.example');
    expect(await refusal(eventsUrl(sandbox, asked), other)).toEqual([400, 'invalid']);
    expect((await get(eventsUrl(sandbox, { ...asked, maxResults: '2' }), token)).status).toBe(200);
  });
});

describe('a sync', () => {
  test('has what changed, what is new and what is gone since the token was given', async () => {
    const stays = googleEvent({ ...meeting, summary: 'Stays' });
    const { sandbox, token } = await openWith([
      stays,
      googleEvent(meeting),
      googleEvent({ ...meeting, summary: 'Goes' }),
    ]);
    const first = await list(sandbox, token);
    const [calendar] = sandbox.google.data.calendars;
    if (calendar === undefined) throw new Error('no calendar');
    const [, changes] = calendar.events;
    if (changes === undefined) throw new Error('no event');
    calendar.events = [
      stays,
      { ...changes, properties: { ...changes.properties, summary: 'Changed' } },
      googleEvent({ ...meeting, summary: 'New' }),
    ];
    const next = await list(sandbox, token, { syncToken: first.body.nextSyncToken ?? '' });
    expect(next.status).toBe(200);
    expect(next.body.items.map(({ summary, status }) => `${summary} ${status}`).sort()).toEqual([
      'Changed confirmed',
      'New confirmed',
      'undefined cancelled',
    ]);
    const again = await list(sandbox, token, { syncToken: next.body.nextSyncToken ?? '' });
    expect(again.body.items).toEqual([]);
  });

  test('has a stub for every instance of a series that was deleted', async () => {
    const series = googleSeries({ ...meeting, rule: 'RRULE:FREQ=WEEKLY;COUNT=3' });
    const { sandbox, token } = await openWith(series);
    const first = await list(sandbox, token);
    for (const calendar of sandbox.google.data.calendars) calendar.events = [];
    const next = await list(sandbox, token, { syncToken: first.body.nextSyncToken ?? '' });
    expect(next.body.items).toHaveLength(3);
    for (const item of next.body.items) {
      expect(item).toMatchObject({ status: 'cancelled', recurringEventId: series[0]?.id });
      expect(item).toHaveProperty('originalStartTime');
    }
  });

  test('stays in the window that it began with', async () => {
    const { sandbox, token } = await openWith([]);
    const first = await list(sandbox, token, twoWeeks);
    for (const calendar of sandbox.google.data.calendars) {
      calendar.events = [googleEvent(meeting), googleEvent({ start: '2026-12-08T10:00', end: '2026-12-08T11:00' })];
    }
    const next = await list(sandbox, token, { syncToken: first.body.nextSyncToken ?? '' });
    expect(names(next.body)).toEqual(['Meeting']);
  });

  test.each([
    ['timeMin', { timeMin: '2026-11-23T00:00:00Z' }],
    ['timeMax', { timeMax: '2026-11-23T00:00:00Z' }],
    ['orderBy', { orderBy: 'updated' }],
    ['q', { q: 'x' }],
    ['iCalUID', { iCalUID: 'x' }],
    ['updatedMin', { updatedMin: '2026-11-23T00:00:00Z' }],
    ['showDeleted=false', { showDeleted: 'false' }],
    ['another singleEvents', { singleEvents: 'false' }],
    ['other eventTypes', { eventTypes: 'default' }],
  ])('does not go together with %s', async (_, parameters) => {
    const { sandbox, token } = await openWith([]);
    const { nextSyncToken: syncToken = '' } = (await list(sandbox, token)).body;
    const url = eventsUrl(sandbox, { singleEvents: 'true', syncToken, ...parameters });
    expect(await refusal(url, token)).toEqual([400, 'invalid']);
  });

  test('does not start from a list that is ordered, searched or narrowed', async () => {
    const { sandbox, token } = await openWith([]);
    for (const parameters of [{ orderBy: 'startTime' }, { q: 'x' }, { iCalUID: 'x' }]) {
      expect((await list(sandbox, token, parameters)).body).not.toHaveProperty('nextSyncToken');
    }
  });

  test('is over with a 410 when the token expired, is unknown, or is of another calendar', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    const { nextSyncToken: syncToken = '' } = (await list(sandbox, token)).body;
    expect(await refusal(eventsUrl(sandbox, { syncToken: 'guess' }), token)).toEqual([410, 'fullSyncRequired']);
    const elsewhere = eventsUrl(sandbox, { singleEvents: 'true', syncToken }, googleCalendarIds.family);
    expect(await refusal(elsewhere, token)).toEqual([410, 'fullSyncRequired']);
    sandbox.google.expireSyncTokens();
    const late = eventsUrl(sandbox, { singleEvents: 'true', syncToken });
    expect(await refusal(late, token)).toEqual([410, 'fullSyncRequired']);
  });
});

describe('a field mask', () => {
  test('lets nothing through but what it names', async () => {
    const { sandbox, token } = await openWith([
      googleEvent({ ...meeting, organizedBy: { email: 'colleague@harbor.example' }, response: 'declined' }),
    ]);
    const fields = 'items(start/dateTime,end(dateTime),attendees(self,responseStatus)),nextPageToken';
    expect((await list(sandbox, token, { fields })).body).toEqual({
      items: [
        {
          start: { dateTime: '2026-11-23T10:00:00+01:00' },
          end: { dateTime: '2026-11-23T11:00:00+01:00' },
          attendees: [{ responseStatus: 'accepted' }, { self: true, responseStatus: 'declined' }],
        },
      ],
    });
    expect((await list(sandbox, token, { fields: 'nextPageToken' })).body).toEqual({});
    expect((await list(sandbox, token, { fields: 'items/id,items/status' })).body.items).toEqual([
      { id: expect.any(String), status: 'confirmed' },
    ]);
    expect((await list(sandbox, token, { fields: 'items/*' })).body.items[0]).toHaveProperty('iCalUID');
  });

  test.each([
    'pageToken',
    'items(id,titel)',
    'items/start/time',
    'items(id',
    'items(id))',
    'items()',
    '',
    'kind,,etag',
    'kind/x',
  ])('that asks for what is not there is refused: %j', async (fields) => {
    const { sandbox, token } = await openWith([]);
    expect(await refusal(eventsUrl(sandbox, { fields }), token)).toEqual([400, 'invalidParameter']);
  });
});
