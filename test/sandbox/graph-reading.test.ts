import { describe, expect, test } from 'vitest';
import { calendar, event, manyEvents, singleMailbox } from '../../src/sandbox/index.ts';
import { allPages, get, openSandbox, type Page, tokenFor, viewUrl } from './client.ts';

const immutable = { prefer: 'IdType="ImmutableId"' };

test('the answer says who I am and which calendars I have', async () => {
  const sandbox = await openSandbox();
  const token = await tokenFor(sandbox);
  const me = await get(`${sandbox.origin}/v1.0/me`, token);
  expect(me.body).toMatchObject({ userPrincipalName: 'you@xebia.example', mail: 'you@xebia.example' });
  expect(me.headers.get('odata-version')).toBe('4.0');
  expect(me.headers.get('request-id')).toMatch(/^[0-9a-f-]{36}$/);

  const { body } = await get<Page>(`${sandbox.origin}/v1.0/me/calendars`, token);
  expect(body.value.map(({ name, isDefaultCalendar, canEdit }) => ({ name, isDefaultCalendar, canEdit }))).toEqual([
    { name: 'Calendar', isDefaultCalendar: true, canEdit: true },
    { name: 'Team', isDefaultCalendar: false, canEdit: true },
    { name: 'Birthdays', isDefaultCalendar: false, canEdit: false },
  ]);
  const one = await get(`${sandbox.origin}/v1.0/me/calendars/${body.value[1]?.id}?$select=name`, token);
  expect(one.body).toMatchObject({ name: 'Team' });
  expect(one.body).not.toHaveProperty('canEdit');
});

describe('pages', () => {
  test('hold ten items unless asked otherwise, and the nextLink keeps every query option', async () => {
    const sandbox = await openSandbox({
      data: singleMailbox([calendar('Calendar', manyEvents(25, '2026-11-23T00:00'))]),
    });
    const token = await tokenFor(sandbox);
    const { body } = await get<Page>(viewUrl(sandbox, { $select: 'subject', $orderby: 'start/dateTime' }), token);
    expect(body.value).toHaveLength(10);
    const next = new URL(body['@odata.nextLink'] ?? '');
    expect(next.origin).toBe(sandbox.origin);
    expect(Object.fromEntries(next.searchParams)).toEqual({
      startDateTime: '2026-11-23T00:00:00Z',
      endDateTime: '2026-12-07T00:00:00Z',
      $select: 'subject',
      $orderby: 'start/dateTime',
      $skip: '10',
    });
    const { items, sizes } = await allPages(viewUrl(sandbox, { $orderby: 'start/dateTime' }), token);
    expect(sizes).toEqual([10, 10, 5]);
    expect(items.map(({ subject }) => subject)).toEqual(Array.from({ length: 25 }, (_, index) => `Event ${index + 1}`));
  });

  test('of a thousand leave one of 1,001 events for the next page', async () => {
    const sandbox = await openSandbox({
      data: singleMailbox([calendar('Calendar', manyEvents(1001, '2026-11-23T00:00'))]),
    });
    const { sizes, items } = await allPages(viewUrl(sandbox, { $top: '1000' }), await tokenFor(sandbox));
    expect(sizes).toEqual([1000, 1]);
    expect(new Set(items.map(({ id }) => id)).size).toBe(1001);
  });

  test('of calendars are pages too', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox, { username: 'you@northwind.example' });
    const { sizes } = await allPages(`${sandbox.origin}/v1.0/me/calendars?$top=4`, token);
    expect(sizes).toEqual([4, 2]);
  });

  test('come last event first when no order was asked for', async () => {
    const sandbox = await openSandbox({
      data: singleMailbox([calendar('Calendar', manyEvents(3, '2026-11-23T00:00'))]),
    });
    const { items } = await allPages(viewUrl(sandbox), await tokenFor(sandbox));
    expect(items.map(({ subject }) => subject)).toEqual(['Event 3', 'Event 2', 'Event 1']);
  });
});

describe('times', () => {
  const data = singleMailbox([
    calendar('Calendar', [
      event({ subject: 'Timed', start: '2026-11-23T09:00', end: '2026-11-23T10:00' }),
      event({ subject: 'Whole day', start: '2026-11-24', end: '2026-11-25' }),
    ]),
  ]);
  const read = async (prefer: Record<string, string>) => {
    const sandbox = await openSandbox({ data });
    const { body, headers } = await get<Page>(
      viewUrl(sandbox, { $orderby: 'start/dateTime' }),
      await tokenFor(sandbox),
      prefer,
    );
    return { starts: body.value.map(({ start }) => start), headers };
  };

  test('are UTC with seven fractional digits unless a zone is preferred', async () => {
    const { starts, headers } = await read({});
    expect(starts).toEqual([
      { dateTime: '2026-11-23T08:00:00.0000000', timeZone: 'UTC' },
      { dateTime: '2026-11-24T00:00:00.0000000', timeZone: 'UTC' },
    ]);
    expect(headers.get('preference-applied')).toBeNull();
  });

  test.each(['Eastern Standard Time', 'America/New_York'])(
    'are in %s when it is preferred, all-day events at midnight',
    async (zone) => {
      const { starts, headers } = await read({ prefer: `outlook.timezone="${zone}"` });
      expect(starts).toEqual([
        { dateTime: '2026-11-23T03:00:00.0000000', timeZone: zone },
        { dateTime: '2026-11-24T00:00:00.0000000', timeZone: zone },
      ]);
      expect(headers.get('preference-applied')).toBe(`outlook.timezone="${zone}"`);
    },
  );
});

describe('the range of a calendarView', () => {
  const subjects = async (startDateTime: string, endDateTime: string) => {
    const events = [
      event({ subject: 'Night', start: '2026-11-23T22:00', end: '2026-11-24T02:00', zone: 'UTC' }),
      event({ subject: 'Instant', start: '2026-11-24T05:00', end: '2026-11-24T05:00', zone: 'UTC' }),
    ];
    const sandbox = await openSandbox({ data: singleMailbox([calendar('Calendar', events)]) });
    const { items } = await allPages(viewUrl(sandbox, { startDateTime, endDateTime }), await tokenFor(sandbox));
    return items.map(({ subject }) => subject);
  };

  test('takes what overlaps it, not what touches it', async () => {
    expect(await subjects('2026-11-24T00:00:00Z', '2026-11-24T01:00:00Z')).toEqual(['Night']);
    expect(await subjects('2026-11-24T02:00:00Z', '2026-11-24T03:00:00Z')).toEqual([]);
    expect(await subjects('2026-11-23T21:00:00Z', '2026-11-23T22:00:00Z')).toEqual([]);
  });

  test('takes an event without length at its start', async () => {
    expect(await subjects('2026-11-24T05:00:00Z', '2026-11-24T06:00:00Z')).toEqual(['Instant']);
    expect(await subjects('2026-11-24T04:00:00Z', '2026-11-24T05:00:00Z')).toEqual([]);
  });

  test('is UTC without an offset, and an offset counts', async () => {
    expect(await subjects('2026-11-24T01:59:00', '2026-11-24T03:00:00')).toEqual(['Night']);
    expect(await subjects('2026-11-24T03:00:00+01:00', '2026-11-24T04:00:00+01:00')).toEqual([]);
  });
});

describe('ids', () => {
  test('are others when immutable ones are asked for, and each kind is found by its own kind only', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    const usual = await get<Page>(viewUrl(sandbox, { $top: '1' }), token);
    const lasting = await get<Page>(viewUrl(sandbox, { $top: '1' }), token, immutable);
    const [usualId, lastingId] = [usual.body.value[0]?.id, lasting.body.value[0]?.id];
    expect(usual.body.value[0]?.subject).toBe(lasting.body.value[0]?.subject);
    expect(usualId).not.toBe(lastingId);
    expect(lasting.headers.get('preference-applied')).toBe('IdType="ImmutableId"');

    const read = async (id: string | undefined, headers: Record<string, string>) =>
      (await get(`${sandbox.origin}/v1.0/me/events/${id}`, token, headers)).status;
    expect(await read(usualId, {})).toBe(200);
    expect(await read(lastingId, immutable)).toBe(200);
    expect(await read(usualId, immutable)).toBe(404);
    expect(await read(lastingId, {})).toBe(404);
  });

  test('of calendars are the same either way', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    const url = `${sandbox.origin}/v1.0/me/calendars`;
    const [usual, lasting] = [await get<Page>(url, token), await get<Page>(url, token, immutable)];
    expect(usual.body.value.map(({ id }) => id)).toEqual(lasting.body.value.map(({ id }) => id));
  });

  test('are unique over all mailboxes', async () => {
    const { data } = await openSandbox();
    const ids = data.mailboxes.flatMap(({ calendars }) =>
      calendars.flatMap(({ id, events }) => [id, ...events.flatMap((each) => [each.id, each.immutableId])]),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('$select', () => {
  test('gives id and etag with what was asked for, and nothing else', async () => {
    const sandbox = await openSandbox();
    const { body } = await get<Page>(
      viewUrl(sandbox, { $select: 'subject,showAs', $top: '1' }),
      await tokenFor(sandbox),
    );
    expect(Object.keys(body.value[0] ?? {}).sort()).toEqual(['@odata.etag', 'id', 'showAs', 'subject']);
  });

  test('of the modification date in a calendarView gives year 1, unless the organizer is selected too', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    const modified = async (select: string) => {
      const { body } = await get<Page>(viewUrl(sandbox, { $select: select, $top: '1' }), token);
      return body.value[0]?.lastModifiedDateTime;
    };
    expect(await modified('subject,lastModifiedDateTime')).toBe('0001-01-01T00:00:00Z');
    expect(await modified('organizer,lastModifiedDateTime')).toMatch(/^2026-/);
  });
});

test('an event is found in its own calendar only', async () => {
  const sandbox = await openSandbox();
  const token = await tokenFor(sandbox);
  const [main, team] = sandbox.data.mailboxes[0]?.calendars ?? [];
  const id = main?.events[0]?.id;
  const status = async (path: string) => (await get(`${sandbox.origin}/v1.0/me${path}`, token)).status;
  expect(await status(`/events/${id}`)).toBe(200);
  expect(await status(`/calendars/${main?.id}/events/${id}`)).toBe(200);
  expect(await status(`/calendars/${team?.id}/events/${id}`)).toBe(404);
});

test('with Calendars.ReadBasic alone, an event comes without its body', async () => {
  const sandbox = await openSandbox();
  const token = await tokenFor(sandbox, { scope: 'https://graph.microsoft.com/Calendars.ReadBasic' });
  const { items } = await allPages(viewUrl(sandbox), token);
  expect(items.length).toBeGreaterThan(10);
  for (const item of items) {
    expect(item).toHaveProperty('subject');
    expect(item).not.toHaveProperty('body');
    expect(item).not.toHaveProperty('bodyPreview');
  }
});

test('data that changes while the sandbox runs is seen at once', async () => {
  const sandbox = await openSandbox({ data: singleMailbox([calendar('Calendar', [])]) });
  const token = await tokenFor(sandbox);
  expect((await allPages(viewUrl(sandbox), token)).items).toHaveLength(0);
  sandbox.data.mailboxes[0]?.calendars[0]?.events.push(
    event({ subject: 'New', start: '2026-11-23T09:00', end: '2026-11-23T10:00' }),
  );
  expect((await allPages(viewUrl(sandbox), token)).items).toHaveLength(1);
});
