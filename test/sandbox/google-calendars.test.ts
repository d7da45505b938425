import { describe, expect, test } from 'vitest';
import { googleCalendarIds, googleEvent, googleFaults, googleSeries, type Sandbox } from '../../src/sandbox/index.ts';
import { get, type Json, openSandbox, type Reply } from './client.ts';
import {
  type EventList,
  eventsUrl,
  type GoogleErrorBody,
  googleToken,
  list,
  listUrl,
  openWith,
  refusal,
} from './google-client.ts';

const { home, family, holidays, colleague, club, recipes } = googleCalendarIds;

const calendars = (sandbox: Sandbox, token: string, parameters: Record<string, string> = {}) =>
  get<EventList>(listUrl(sandbox, parameters), token);

const ids = ({ body }: Reply<EventList>) => body.items.map(({ id }) => id);

describe('the calendar list', () => {
  test('has the calendars of the person with their roles, but for the hidden ones', async () => {
    const sandbox = await openSandbox();
    const reply = await calendars(sandbox, await googleToken(sandbox));
    expect(reply.body.items).toMatchObject([
      { id: home, accessRole: 'owner', primary: true, selected: true, timeZone: 'Europe/Amsterdam' },
      { id: family, accessRole: 'writer', summary: 'Family', summaryOverride: 'Family & friends' },
      { id: holidays, accessRole: 'reader' },
      { id: colleague, accessRole: 'freeBusyReader' },
      { id: recipes, accessRole: 'owner' },
    ]);
    expect(reply.body.items[4]).not.toHaveProperty('selected');
    expect(reply.body.items[1]).not.toHaveProperty('primary');
  });

  test('has the hidden, the deleted and the well shared ones when it is asked for them', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    expect(ids(await calendars(sandbox, token, { showHidden: 'true' }))).toContain(club);
    expect(ids(await calendars(sandbox, token, { minAccessRole: 'writer' }))).toEqual([home, family, recipes]);
    const [you] = sandbox.google.data.users;
    if (you === undefined) throw new Error('nobody');
    you.calendarList = you.calendarList.map((entry) =>
      entry.calendarId === family ? { ...entry, deleted: true } : entry,
    );
    expect(ids(await calendars(sandbox, token))).not.toContain(family);
    const shown = await calendars(sandbox, token, { showDeleted: 'true' });
    expect(shown.body.items.find(({ id }) => id === family)).toMatchObject({ deleted: true });
  });

  test('comes in pages', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    const first = await calendars(sandbox, token, { maxResults: '3' });
    const { nextPageToken: pageToken = '' } = first.body;
    const second = await calendars(sandbox, token, { maxResults: '3', pageToken });
    expect([...ids(first), ...ids(second)]).toEqual([home, family, holidays, colleague, recipes]);
    expect(second.body).not.toHaveProperty('nextPageToken');
    expect(await refusal(listUrl(sandbox, { pageToken: 'guess' }), token)).toEqual([400, 'invalid']);
    expect(await refusal(listUrl(sandbox, { pageToken, showHidden: 'true' }), token)).toEqual([400, 'invalid']);
  });

  test('can be synced: what changed and what was taken off it', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    const { nextSyncToken: syncToken = '' } = (await calendars(sandbox, token, { showHidden: 'true' })).body;
    const [you] = sandbox.google.data.users;
    if (you === undefined) throw new Error('nobody');
    you.calendarList = you.calendarList
      .filter(({ calendarId }) => calendarId !== recipes)
      .map((entry) => (entry.calendarId === family ? { ...entry, hidden: true } : entry));
    const { items } = (await calendars(sandbox, token, { syncToken })).body;
    expect(items).toMatchObject([
      { id: family, hidden: true },
      { id: recipes, deleted: true },
    ]);
    for (const changes of [{ minAccessRole: 'reader' }, { showHidden: 'false' }, { showDeleted: 'false' }]) {
      expect(await refusal(listUrl(sandbox, { syncToken, ...changes }), token)).toEqual([400, 'invalid']);
    }
    sandbox.google.expireSyncTokens();
    expect(await refusal(listUrl(sandbox, { syncToken }), token)).toEqual([410, 'fullSyncRequired']);
  });

  test('honours a field mask, and refuses what it does not know', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    const fields = 'items(id,accessRole),nextPageToken';
    expect((await calendars(sandbox, token, { fields, maxResults: '1' })).body).toEqual({
      items: [{ id: home, accessRole: 'owner' }],
      nextPageToken: expect.any(String),
    });
    expect(await refusal(listUrl(sandbox, { fields: 'items(name)' }), token)).toEqual([400, 'invalidParameter']);
    expect(await refusal(listUrl(sandbox, { minAccessRole: 'editor' }), token)).toEqual([400, 'invalidParameter']);
    expect(await refusal(listUrl(sandbox, { order: 'id' }), token)).toEqual([400, 'invalidParameter']);
  });
});

describe('a token', () => {
  test('that is missing, unknown, expired or revoked gets a 401 with a challenge', async () => {
    let now = Date.now();
    const sandbox = await openSandbox({ now: () => now, accessTokenSeconds: 60 });
    const old = await googleToken(sandbox);
    now += 60_000;
    const expired = await googleToken(sandbox);
    sandbox.expireAccessTokens();
    const revoked = await googleToken(sandbox);
    sandbox.revoke('you@home.example');
    for (const token of [old, expired, revoked, 'guess']) {
      expect(await refusal(listUrl(sandbox), token)).toEqual([401, 'authError']);
    }
    const { status, headers, body } = await get<GoogleErrorBody>(listUrl(sandbox));
    expect(status).toBe(401);
    expect(body.error).toMatchObject({ code: 401, status: 'UNAUTHENTICATED', errors: [{ reason: 'required' }] });
    expect(headers.get('www-authenticate')).toContain('Bearer realm="https://accounts.google.com/"');
    expect(sandbox.requests.filter(({ status }) => status === 401).map(({ mailbox }) => mailbox)).toEqual([
      'you@home.example',
      'you@home.example',
      'you@home.example',
      undefined,
      undefined,
    ]);
  });

  const list200 = ['calendar', 'calendar.readonly', 'calendar.calendarlist', 'calendar.calendarlist.readonly'];
  const events200 = ['calendar', 'calendar.readonly', 'calendar.events', 'calendar.events.readonly'];
  const freeBusy200 = ['calendar', 'calendar.readonly', 'calendar.freebusy', 'calendar.events.freebusy'];
  const all = [...new Set([...list200, ...events200, ...freeBusy200, 'calendar.settings.readonly'])];

  test.each(all)('with the scope %s opens what it should, and nothing else', async (scope) => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox, scope);
    const status = (names: string[]) => (names.includes(scope) ? 200 : 403);
    expect((await get(listUrl(sandbox), token)).status).toBe(status(list200));
    expect((await list(sandbox, token)).status).toBe(status(events200));
    expect((await freeBusy(sandbox, token, [home])).status).toBe(status(freeBusy200));
  });

  test('for owned or public calendars opens no others', async () => {
    const sandbox = await openSandbox();
    const owned = await googleToken(sandbox, 'calendar.events.owned.readonly');
    const open = await googleToken(sandbox, 'calendar.events.public.readonly');
    const status = async (token: string, id: string) => (await list(sandbox, token, {}, id)).status;
    expect([await status(owned, home), await status(owned, family)]).toEqual([200, 403]);
    expect([await status(open, holidays), await status(open, home)]).toEqual([200, 403]);
  });

  test('without the scope is told so in Google’s words', async () => {
    const sandbox = await openSandbox();
    const { body, headers } = await get<GoogleErrorBody>(
      eventsUrl(sandbox),
      await googleToken(sandbox, 'calendar.freebusy'),
    );
    expect(body.error).toMatchObject({
      code: 403,
      status: 'PERMISSION_DENIED',
      errors: [{ domain: 'global', reason: 'insufficientPermissions' }],
      details: [{ reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', metadata: { method: 'calendar.v3.Events.List' } }],
    });
    expect(headers.get('www-authenticate')).toContain('insufficient_scope');
  });

  test('of Microsoft is none of Google, and the other way round', async () => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    expect((await get(`${sandbox.origin}/v1.0/me`, token)).status).toBe(401);
  });
});

describe('a fault', () => {
  test.each([
    ['authError', 401, 'authError', 'global'],
    ['rateLimitExceeded', 403, 'rateLimitExceeded', 'usageLimits'],
    ['userRateLimitExceeded', 403, 'userRateLimitExceeded', 'usageLimits'],
    ['quotaExceeded', 403, 'quotaExceeded', 'usageLimits'],
    ['dailyLimitExceeded', 403, 'dailyLimitExceeded', 'usageLimits'],
    ['tooManyRequests', 429, 'rateLimitExceeded', 'usageLimits'],
    ['fullSyncRequired', 410, 'fullSyncRequired', 'calendar'],
    ['internalError', 500, 'backendError', 'global'],
    ['backendError', 503, 'backendError', 'global'],
  ] as const)('called %s has Google’s shape', async (name, status, reason, domain) => {
    const sandbox = await openSandbox();
    const token = await googleToken(sandbox);
    sandbox.fail({ match: ({ mailbox }) => mailbox === home, times: 1, ...googleFaults[name] });
    const reply = await get<GoogleErrorBody>(listUrl(sandbox), token);
    expect([reply.status, reply.body.error.code]).toEqual([status, status]);
    expect(reply.body.error.errors).toMatchObject([{ reason, domain }]);
    expect((await get(listUrl(sandbox), token)).status).toBe(200);
  });

  test('without a body of its own has Google’s shape too', async () => {
    const sandbox = await openSandbox();
    sandbox.fail({ match: () => true, status: 503 });
    expect(await refusal(listUrl(sandbox))).toEqual([503, 'backendError']);
  });
});

async function freeBusy(sandbox: Sandbox, token: string, items: string[], changes: Json = {}, mask = '') {
  const response = await fetch(`${sandbox.google.endpoints.rootUrl}calendar/v3/freeBusy${mask}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      timeMin: '2026-11-23T00:00:00Z',
      timeMax: '2026-11-24T00:00:00Z',
      items: items.map((id) => ({ id })),
      ...changes,
    }),
  });
  return { status: response.status, body: (await response.json()) as FreeBusy & GoogleErrorBody };
}

interface FreeBusy {
  readonly calendars: Record<string, { busy: { start: string; end: string }[]; errors?: Json[] }>;
}

describe('free and busy', () => {
  const at = (from: string, to: string) => ({ start: `2026-11-23T${from}`, end: `2026-11-23T${to}`, zone: 'UTC' });
  const stranger = { email: 'stranger@far.example' };

  test('is merged and cut to the window; free, declined and cancelled time is left out', async () => {
    const { sandbox, token } = await openWith([
      googleEvent({ ...at('08:00', '09:00') }),
      googleEvent({ ...at('08:30', '09:30'), organizedBy: stranger, response: 'tentative' }),
      googleEvent({ ...at('09:30', '10:00'), organizedBy: stranger, response: 'needsAction' }),
      googleEvent({ ...at('11:00', '12:00'), organizedBy: stranger, response: 'declined' }),
      googleEvent({ ...at('12:00', '13:00'), transparency: 'transparent' }),
      googleEvent({ ...at('13:00', '14:00'), status: 'cancelled' }),
      googleEvent({ ...at('14:00', '15:00'), status: 'tentative' }),
      googleEvent({ start: '2026-11-23T23:00', end: '2026-11-24T03:00', zone: 'UTC' }),
      ...googleSeries({
        ...at('16:00', '16:30'),
        start: '2026-11-20T16:00',
        end: '2026-11-20T16:30',
        rule: 'RRULE:FREQ=DAILY',
      }),
    ]);
    const { body } = await freeBusy(sandbox, token, ['primary']);
    expect(body).toEqual({
      kind: 'calendar#freeBusy',
      timeMin: '2026-11-23T00:00:00.000Z',
      timeMax: '2026-11-24T00:00:00.000Z',
      calendars: {
        primary: {
          busy: [
            { start: '2026-11-23T08:00:00Z', end: '2026-11-23T10:00:00Z' },
            { start: '2026-11-23T14:00:00Z', end: '2026-11-23T15:00:00Z' },
            { start: '2026-11-23T16:00:00Z', end: '2026-11-23T16:30:00Z' },
            { start: '2026-11-23T23:00:00Z', end: '2026-11-24T00:00:00Z' },
          ],
        },
      },
    });
  });

  test('is written in the zone that the request names', async () => {
    const { sandbox, token } = await openWith([googleEvent(at('08:00', '09:00'))]);
    const { body } = await freeBusy(sandbox, token, [home], { timeZone: 'America/New_York' });
    expect(body.calendars[home]?.busy).toEqual([
      { start: '2026-11-23T03:00:00-05:00', end: '2026-11-23T04:00:00-05:00' },
    ]);
  });

  test('of a calendar that is not there is an error of that calendar alone', async () => {
    const sandbox = await openSandbox();
    const { status, body } = await freeBusy(sandbox, await googleToken(sandbox), [colleague, 'nobody@home.example']);
    expect(status).toBe(200);
    expect(body.calendars[colleague]?.busy).toHaveLength(1);
    expect(body.calendars['nobody@home.example']).toEqual({
      errors: [{ domain: 'global', reason: 'notFound' }],
      busy: [],
    });
  });

  test('of more than 50 calendars is an error of each of them', async () => {
    const { sandbox, token } = await openWith([]);
    const many = Array.from({ length: 50 }, (_, index) => `c${index}@group.calendar.google.com`);
    expect((await freeBusy(sandbox, token, many)).body.calendars[many[0] ?? '']?.errors).toMatchObject([
      { reason: 'notFound' },
    ]);
    const { body } = await freeBusy(sandbox, token, [home, ...many]);
    expect(body.calendars[home]?.errors).toMatchObject([{ reason: 'tooManyCalendarsRequested' }]);
  });

  test('honours a field mask', async () => {
    const { sandbox, token } = await openWith([]);
    const { body } = await freeBusy(sandbox, token, [home], {}, '?fields=calendars');
    expect(body).toEqual({ calendars: { [home]: { busy: [] } } });
  });

  test.each([
    ['no start', { timeMin: undefined }, 'required'],
    ['no end', { timeMax: undefined }, 'required'],
    ['a start without an offset', { timeMin: '2026-11-23T00:00:00' }, 'badRequest'],
    ['an empty range', { timeMax: '2026-11-23T00:00:00Z' }, 'timeRangeEmpty'],
    ['half a year', { timeMax: '2027-05-23T00:00:00Z' }, 'timeRangeTooLong'],
    ['an unknown zone', { timeZone: 'Mars/Base' }, 'invalid'],
    ['too large a calendarExpansionMax', { calendarExpansionMax: 51 }, 'invalid'],
    ['too large a groupExpansionMax', { groupExpansionMax: 101 }, 'invalid'],
    ['items without ids', { items: [{}] }, 'badRequest'],
  ])('is refused with %s', async (_, changes, reason) => {
    const { sandbox, token } = await openWith([]);
    const { status, body } = await freeBusy(sandbox, token, [home], changes);
    expect([status, body.error.errors[0]?.reason]).toEqual([400, reason]);
  });

  test('is refused when the question is not JSON', async () => {
    const { sandbox, token } = await openWith([]);
    const response = await fetch(`${sandbox.google.endpoints.rootUrl}calendar/v3/freeBusy`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: 'timeMin=now',
    });
    expect([response.status, ((await response.json()) as GoogleErrorBody).error.errors[0]?.reason]).toEqual([
      400,
      'parseError',
    ]);
  });
});
