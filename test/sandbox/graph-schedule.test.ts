import { describe, expect, test } from 'vitest';
import {
  calendar,
  event,
  mailbox,
  manyEvents,
  northwindClientId,
  type Sandbox,
  type SandboxOptions,
  singleMailbox,
  tenantIds,
} from '../../src/sandbox/index.ts';
import { errorOf, get, type Json, openSandbox, type Reply, tokenFor } from './client.ts';

const you = 'you@xebia.example';
const bench = 'bench@xebia.example';

interface Item {
  readonly status: string;
  readonly isPrivate: boolean;
  readonly subject?: string;
  readonly location?: string;
  readonly start: { readonly dateTime: string; readonly timeZone: string };
  readonly end: { readonly dateTime: string; readonly timeZone: string };
}

interface Schedules {
  readonly value: {
    readonly scheduleId: string;
    readonly availabilityView: string;
    readonly scheduleItems: Item[];
    readonly workingHours?: Json;
    readonly error?: { readonly message: string; readonly responseCode: string };
  }[];
}

const utc = (dateTime: string) => ({ dateTime, timeZone: 'UTC' });
const monday = { startTime: utc('2026-11-23T00:00:00'), endTime: utc('2026-11-24T00:00:00') };

async function ask(
  sandbox: Sandbox,
  body: unknown,
  { path = 'calendar/getSchedule', headers = {}, token = '' } = {},
): Promise<Reply<Schedules>> {
  const response = await fetch(`${sandbox.origin}/v1.0/me/${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token === '' ? await tokenFor(sandbox) : token}`,
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Schedules };
}

const refusalOf = (reply: Reply<Schedules>) => errorOf(reply as unknown as Reply);

const oneDay: SandboxOptions = {
  data: singleMailbox([
    calendar('Calendar', [
      event({ subject: 'Plain', start: '2026-11-23T10:00', end: '2026-11-23T11:00', place: 'Room 1' }),
      event({ subject: 'Secret', start: '2026-11-23T12:00', end: '2026-11-23T12:30', sensitivity: 'private' }),
      event({ subject: 'Maybe', start: '2026-11-23T13:00', end: '2026-11-23T14:00', showAs: 'tentative' }),
      event({ subject: 'Home', start: '2026-11-23T15:00', end: '2026-11-23T16:00', showAs: 'workingElsewhere' }),
      event({ subject: 'Night', start: '2026-11-23T23:30', end: '2026-11-24T08:00', showAs: 'oof' }),
    ]),
    calendar('Other', [event({ subject: 'Elsewhere', start: '2026-11-23T10:00', end: '2026-11-23T18:00' })]),
  ]),
};

describe('a schedule', () => {
  test('holds what is in the default calendar, with subjects and places of what is not private, times in UTC', async () => {
    const sandbox = await openSandbox(oneDay);
    const { status, body } = await ask(sandbox, { schedules: [you], ...monday, availabilityViewInterval: 60 });
    expect(status).toBe(200);
    expect(body.value).toHaveLength(1);
    expect(body.value[0]).toMatchObject({
      scheduleId: you,
      // Amsterdam is an hour ahead; working elsewhere is free, and what is cut by the end of the window still shows.
      availabilityView: viewOf([9, '2'], [11, '2'], [12, '1'], [22, '3'], [23, '3']),
      workingHours: { startTime: '09:00:00.0000000', timeZone: { name: 'W. Europe Standard Time' } },
    });
    expect(
      body.value[0]?.scheduleItems.map(({ status, subject, location, isPrivate }) => [
        status,
        subject,
        location,
        isPrivate,
      ]),
    ).toEqual([
      ['busy', 'Plain', 'Room 1', false],
      ['busy', undefined, undefined, true],
      ['tentative', 'Maybe', '', false],
      ['workingElsewhere', 'Home', '', false],
      ['oof', 'Night', '', false],
    ]);
    expect(body.value[0]?.scheduleItems[0]).toMatchObject({
      start: { dateTime: '2026-11-23T09:00:00.0000000', timeZone: 'UTC' },
      end: { dateTime: '2026-11-23T10:00:00.0000000', timeZone: 'UTC' },
    });
  });

  test('holds whole what is partly in the window, and an all-day event as its midnights', async () => {
    const sandbox = await openSandbox({
      data: singleMailbox([
        calendar('Calendar', [event({ subject: 'Leave', start: '2026-11-23', end: '2026-11-25', showAs: 'oof' })]),
      ]),
    });
    const { body } = await ask(sandbox, { schedules: [you], ...monday });
    expect(body.value[0]?.scheduleItems).toMatchObject([
      { start: { dateTime: '2026-11-22T23:00:00.0000000' }, end: { dateTime: '2026-11-24T23:00:00.0000000' } },
    ]);
  });

  test('is written in the zone of the Prefer header, which is confirmed', async () => {
    const sandbox = await openSandbox(oneDay);
    const zone = 'Eastern Standard Time';
    const { body, headers } = await ask(
      sandbox,
      {
        Schedules: [you],
        StartTime: { dateTime: '2026-11-23T01:00', timeZone: 'Europe/Amsterdam' },
        EndTime: { dateTime: '2026-11-23T11:00', timeZone: 'W. Europe Standard Time' },
      },
      { headers: { prefer: `outlook.timezone="${zone}"` } },
    );
    expect(body.value[0]?.scheduleItems).toMatchObject([
      { start: { dateTime: '2026-11-23T04:00:00.0000000', timeZone: zone } },
    ]);
    expect(body.value[0]?.availabilityView).toHaveLength(20);
    expect(headers.get('preference-applied')).toBe(`outlook.timezone="${zone}"`);
  });

  test('of somebody unknown, or of another tenant, is an error beside the others', async () => {
    const sandbox = await openSandbox();
    const schedules = [bench, 'nobody@xebia.example', 'you@marimer.example', 'BENCH@xebia.example'];
    const { status, body } = await ask(sandbox, { schedules, ...monday });
    expect(status).toBe(200);
    expect(body.value.map(({ scheduleId }) => scheduleId)).toEqual(schedules);
    expect(body.value.map(({ error }) => error?.responseCode)).toEqual([
      undefined,
      'ErrorMailRecipientNotFound',
      'ErrorMailRecipientNotFound',
      undefined,
    ]);
    expect(body.value.map(({ scheduleItems }) => scheduleItems.length)).toEqual([1, 0, 0, 1]);
  });

  test('of more than 1,000 items is an error', async () => {
    const sandbox = await openSandbox({
      data: singleMailbox([calendar('Calendar', manyEvents(1_001, '2026-11-23T00:00'))]),
    });
    const days = (end: string) => ({ schedules: [you], startTime: utc('2026-11-23T00:00'), endTime: utc(end) });
    expect((await ask(sandbox, days('2026-12-20T00:00'))).body.value[0]).toMatchObject({
      scheduleItems: [],
      error: { responseCode: '5006', message: expect.stringContaining('the actual size = 1001') },
    });
    expect((await ask(sandbox, days('2026-12-01T00:00'))).body.value[0]?.error).toBeUndefined();
  });

  test('can be asked for on a calendar by its id, and on none that is not there', async () => {
    const sandbox = await openSandbox();
    const own = sandbox.data.mailboxes.find(({ username }) => username === you)?.calendars[1];
    const other = sandbox.data.mailboxes.find(({ username }) => username === bench)?.calendars[0];
    const on = (id = '') => ({ path: `calendars/${encodeURIComponent(id)}/getSchedule` });
    expect((await ask(sandbox, { schedules: [bench], ...monday }, on(own?.id))).status).toBe(200);
    expect((await ask(sandbox, { schedules: [bench], ...monday }, on(other?.id))).status).toBe(404);
  });
});

describe('getSchedule is refused', () => {
  const many = Array.from({ length: 21 }, (_, index) => `p${index}@xebia.example`);
  test.each<[string, Json, string, RegExp]>([
    ['without schedules', { schedules: undefined }, 'ErrorInvalidParameter', /schedules/],
    ['with schedules that are no list', { schedules: you }, 'ErrorInvalidParameter', /schedules/],
    ['with a schedule that is no address', { schedules: [7] }, 'ErrorInvalidParameter', /schedules/],
    ['for nobody', { schedules: [] }, 'ErrorMailboxDataArrayEmpty', /no target users/],
    ['for 21 people', { schedules: many }, 'ErrorMailboxDataArrayTooBig', /allowed size = 20; the actual size = 21/],
    ['without a start', { startTime: undefined }, 'ErrorInvalidParameter', /startTime/],
    ['with a start that is a text', { startTime: '2026-11-23T00:00:00' }, 'ErrorInvalidParameter', /startTime/],
    ['with an end that has an offset', { endTime: utc('2026-11-24T00:00:00Z') }, 'ErrorInvalidParameter', /endTime/],
    ['with a day that is none', { endTime: utc('2026-11-31T00:00:00') }, 'ErrorInvalidParameter', /endTime/],
    ['without a zone', { endTime: { dateTime: '2026-11-24T00:00' } }, 'ErrorInvalidParameter', /endTime/],
    [
      'with a zone that is none',
      { endTime: { dateTime: '2026-11-24T00:00', timeZone: 'Mars' } },
      'TimeZoneNotSupportedException',
      /'Mars'/,
    ],
    ['with an end that is the start', { endTime: monday.startTime }, 'ErrorInvalidTimeInterval', /TimeWindow/],
    ['over 62 days', { endTime: utc('2027-01-24T00:00:00') }, 'ErrorTimeIntervalTooBig', /allowed limit = 62 days/],
    ['with slots of 4 minutes', { availabilityViewInterval: 4 }, 'ErrorInvalidMergedFreeBusyInterval', /between 5/],
    ['with slots of 1441 minutes', { availabilityViewInterval: 1441 }, 'ErrorInvalidMergedFreeBusyInterval', /1440/],
    ['with slots that are no number', { availabilityViewInterval: 'x' }, 'ErrorInvalidMergedFreeBusyInterval', /5/],
    [
      'with slots longer than the window',
      { endTime: utc('2026-11-23T00:29:00') },
      'ErrorInvalidMergedFreeBusyInterval',
      /less than the free\/busy time window/,
    ],
    ['with a parameter that it does not have', { people: [] }, 'BadRequest', /'people'/],
  ])('%s', async (_, changes, code, message) => {
    const sandbox = await openSandbox();
    const reply = await ask(sandbox, { schedules: [you], ...monday, ...changes });
    expect(reply.status).toBe(400);
    expect(refusalOf(reply)).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  test('with a body that is no JSON, or does not say that it is', async () => {
    const sandbox = await openSandbox();
    const body = JSON.stringify({ schedules: [you], ...monday });
    expect((await ask(sandbox, '{"schedules":')).status).toBe(400);
    expect((await ask(sandbox, '[]')).status).toBe(400);
    expect((await ask(sandbox, body, { headers: { 'content-type': 'text/plain' } })).status).toBe(400);
    expect((await ask(sandbox, body)).status).toBe(200);
  });

  test('with another method, and where there is no such action', async () => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox);
    expect((await get(`${sandbox.origin}/v1.0/me/calendar/getSchedule`, token)).status).toBe(405);
    expect((await ask(sandbox, {}, { path: 'getSchedule' })).status).toBe(400);
    expect((await ask(sandbox, {}, { path: 'calendar' })).status).toBe(405);
  });

  test.each([
    ['User.Read', 403],
    ['Calendars.ReadBasic', 200],
    ['Calendars.Read', 200],
    ['Calendars.ReadWrite', 200],
  ])('or not, with the scope %s: %i', async (scope, status) => {
    const sandbox = await openSandbox();
    const token = await tokenFor(sandbox, { scope });
    expect((await ask(sandbox, { schedules: [you], ...monday }, { token })).status).toBe(status);
  });
});

test('62 days without a minute are allowed, and 20 people', async () => {
  const sandbox = await openSandbox();
  const schedules = Array.from({ length: 20 }, (_, index) => `p${index}@xebia.example`);
  const reply = await ask(sandbox, { schedules, ...monday, endTime: utc('2027-01-23T23:59:00') });
  expect([reply.status, reply.body.value.length]).toEqual([200, 20]);
});

test('people of another tenant see their own colleagues', async () => {
  const sandbox = await openSandbox();
  sandbox.data.users.push({
    oid: 'aaaaaaaa-0000-0000-0000-000000000009',
    tenant: tenantIds.northwind,
    username: 'mate@northwind.example',
    displayName: 'Mate',
  });
  sandbox.data.mailboxes.push(mailbox('mate@northwind.example', [calendar('Calendar', [])]));
  expect(sandbox.data.applications.some(({ clientId }) => clientId === northwindClientId)).toBe(true);
  const token = await tokenFor(sandbox, { username: 'you@northwind.example' });
  const { body } = await ask(sandbox, { schedules: ['mate@northwind.example', bench], ...monday }, { token });
  expect(body.value.map(({ error }) => error === undefined)).toEqual([true, false]);
});

test('faults and the limit of four at a time strike it like any other request', async () => {
  const sandbox = await openSandbox({ delayMs: 50 });
  const token = await tokenFor(sandbox);
  const body = { schedules: [you], ...monday };
  const replies = await Promise.all(Array.from({ length: 5 }, () => ask(sandbox, body, { token })));
  expect(replies.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 429]);
  sandbox.fail({
    match: ({ method, path }) => method === 'POST' && path.endsWith('/getSchedule'),
    times: 1,
    status: 503,
  });
  expect((await ask(sandbox, body, { token })).status).toBe(503);
  expect((await ask(sandbox, body, { token })).status).toBe(200);
});

/** Twenty-four hours, all free but these. */
function viewOf(...hours: readonly [number, string][]): string {
  const slots: string[] = Array.from({ length: 24 }, () => '0');
  for (const [hour, digit] of hours) slots[hour] = digit;
  return slots.join('');
}
