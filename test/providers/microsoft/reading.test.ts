import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../../src/accounts/registry.ts';
import { type Agenda, listEvents } from '../../../src/operations/list-events.ts';
import {
  calendar,
  event,
  manyEvents,
  type Sandbox,
  type SandboxOptions,
  singleMailbox,
} from '../../../src/sandbox/index.ts';
import { microsoftAccounts, openSandbox, openTestApp, signIn, XEBIA } from '../../harness.ts';

const asker = { signal: new AbortController().signal };
const isView = ({ path }: { path: string }): boolean => path.endsWith('/calendarView');

async function signedIn(options: SandboxOptions, deadlineMs = 10_000): Promise<{ sandbox: Sandbox; app: App }> {
  const sandbox = await openSandbox(options);
  const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]), { deadlineMs });
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  return { sandbox, app };
}

const agenda = (app: App, range = '2026-11-23..2026-12-31'): Promise<Agenda> =>
  listEvents.run(app, { range, detail: 'full' }, asker);

const oneEvent = {
  data: singleMailbox([
    calendar('Calendar', [event({ subject: 'There', start: '2026-11-23T10:00', end: '2026-11-23T11:00' })]),
  ]),
};

describe('completeness', () => {
  test('W04: 1,001 events of one calendar are all listed, in a total order', async () => {
    const { sandbox, app } = await signedIn({
      data: singleMailbox([calendar('Calendar', manyEvents(1_001, '2026-11-23T08:00'))]),
    });
    const { events, complete, accounts } = await agenda(app);
    expect(complete).toBe(true);
    expect(events).toHaveLength(1_001);
    expect(new Set(events.map(({ id }) => id)).size).toBe(1_001);
    expect(accounts[0]?.requests).toBe(3);
    expect(sandbox.requests.filter(isView)).toHaveLength(2);
    const again = await agenda(app);
    expect(again.events).toEqual(events);
  });

  test('W05: a page without rows and with a next link is gone through', async () => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({
      match: isView,
      times: 1,
      status: 200,
      body: JSON.stringify({
        value: [],
        '@odata.nextLink': `${sandbox.origin}/v1.0/me/calendarView?startDateTime=2026-11-22T00:00:00Z&endDateTime=2027-01-01T00:00:00Z`,
      }),
    });
    expect((await agenda(app)).events.map(({ title }) => title)).toEqual(['There']);
  });

  test('next links that go round in a circle are an error', async () => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({
      match: isView,
      status: 200,
      body: JSON.stringify({
        value: [],
        '@odata.nextLink': `${sandbox.origin}/v1.0/me/calendarView?startDateTime=1&endDateTime=2`,
      }),
    });
    await expect(agenda(app)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringMatching(/without an end/),
    });
  });

  test('W07: a next link to another host is refused, and no token goes there', async () => {
    const seen: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.end('{"value":[]}');
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void other.close());
    const { sandbox, app } = await signedIn(oneEvent);
    const next = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1.0/me/calendarView?$skip=10`;
    sandbox.fail({ match: isView, status: 200, body: JSON.stringify({ value: [], '@odata.nextLink': next }) });
    await expect(agenda(app)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringMatching(/next page/),
    });
    expect(seen).toEqual([]);
  });

  test.each([
    'https://graph.microsoft.com.evil.example/v1.0/x',
    '//evil.example/v1.0/x',
    '/v1.0/me/x',
    'javascript:1',
    'http://127.0.0.1/v1.0/me',
  ])('a next link like %s is refused', async (next) => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({ match: isView, status: 200, body: JSON.stringify({ value: [], '@odata.nextLink': next }) });
    await expect(agenda(app)).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });

  test('an event that cannot be placed in time makes the answer an error, not a shorter list', async () => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({
      match: isView,
      status: 200,
      body: JSON.stringify({ value: [{ id: 'x', subject: 'No time', start: null }] }),
    });
    await expect(agenda(app)).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
});

test('T12: an all-day event is found from a few hours of its day, west of UTC too', async () => {
  const { app } = await signedIn({
    data: singleMailbox([
      calendar('Calendar', [event({ subject: 'Day off', start: '2026-11-23', end: '2026-11-24' })]),
    ]),
  });
  const titles = async (from: string, to: string, timeZone: string): Promise<(string | null | undefined)[]> =>
    (await listEvents.run(app, { from, to, timeZone, detail: 'full' }, asker)).events.map(({ title }) => title);
  expect(await titles('2026-11-23T20:00', '2026-11-23T22:00', 'America/Los_Angeles')).toEqual(['Day off']);
  expect(await titles('2026-11-23T00:30', '2026-11-23T01:00', 'Pacific/Kiritimati')).toEqual(['Day off']);
  expect(await titles('2026-11-24T00:00', '2026-11-24T06:00', 'America/Los_Angeles')).toEqual([]);
});

describe('what is asked of Graph', () => {
  test('immutable ids and UTC on every request, and the calendars of a small account in one', async () => {
    const { sandbox, app } = await signedIn({
      data: singleMailbox(['A', 'B', 'C'].map((name) => calendar(name, manyEvents(3, '2026-11-23T08:00')))),
    });
    await agenda(app);
    const sent = sandbox.requests.filter(({ path }) => path.startsWith('/v1.0/'));
    expect(sent.map(({ path }) => path.split('/').at(-1))).toEqual(['calendars', '$batch']);
    const graph = sent.flatMap(({ batch = [], ...request }) => [request, ...batch]);
    expect(graph.filter(isView)).toHaveLength(3);
    for (const { prefer } of graph)
      expect(prefer).toBe('IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"');
    for (const { query } of graph.filter(isView))
      expect(query).toMatchObject({ $top: '1000', $select: expect.stringContaining('iCalUId') });
  });

  test('more than twenty calendars are asked in as few batches as may be', async () => {
    const names = Array.from({ length: 23 }, (_, index) => `Calendar ${index}`);
    const { sandbox, app } = await signedIn({
      data: singleMailbox(names.map((name) => calendar(name, manyEvents(2, '2026-11-23T08:00', name)))),
    });
    const { events, accounts } = await agenda(app);
    expect(events).toHaveLength(46);
    const batches = sandbox.requests.filter(({ path }) => path === '/v1.0/$batch');
    expect(batches.map(({ batch }) => batch?.length)).toEqual([20, 3]);
    for (const { batch } of batches) for (const { prefer } of batch ?? []) expect(prefer).toContain('ImmutableId');
    expect(accounts[0]).toMatchObject({ status: 'ok', calendars: 23 });
  });

  test('pages of a batched calendar are followed to their end', async () => {
    const names = ['A', 'B', 'C', 'D', 'E'];
    const { app } = await signedIn({
      data: singleMailbox(
        names.map((name) => calendar(name, manyEvents(name === 'C' ? 1_200 : 1, '2026-11-23T08:00', name))),
      ),
    });
    expect((await agenda(app)).events).toHaveLength(1_204);
  });

  test('never more than four requests at once, however many questions are asked at the same time', async () => {
    const names = ['A', 'B', 'C', 'D', 'E', 'F'];
    const { sandbox, app } = await signedIn({
      data: singleMailbox(names.map((name) => calendar(name, manyEvents(1, '2026-11-23T08:00', name)))),
      delayMs: 30,
    });
    const answers = await Promise.all(Array.from({ length: 4 }, () => agenda(app)));
    for (const { complete } of answers) expect(complete).toBe(true);
    const all = sandbox.requests.flatMap((request) => [request, ...(request.batch ?? [])]);
    expect(all.map(({ status }) => status)).not.toContain(429);
  });
});

describe('errors', () => {
  test.each([
    { status: 403, body: '{"error":{"code":"ErrorAccessDenied"}}', code: 'FORBIDDEN', says: /does not allow/ },
    { status: 404, body: '{"error":{"code":"MailboxNotEnabledForRESTAPI"}}', code: 'FORBIDDEN', says: /no mailbox/ },
    { status: 404, body: '', code: 'NOT_FOUND', says: /does not know/ },
    { status: 200, body: '<html>Welcome to the hotel</html>', code: 'BAD_RESPONSE', says: /web page/ },
    { status: 200, body: '{"value":', code: 'BAD_RESPONSE', says: /instead of JSON/ },
    { status: 200, body: '{}', code: 'BAD_RESPONSE', says: /without a list/ },
    { status: 302, body: '', code: 'BAD_RESPONSE', says: /redirect/ },
    { status: 400, body: '{"error":{"code":"x","message":"CANARY"}}', code: 'BAD_RESPONSE', says: /refused/ },
  ])('$status $body is $code', async ({ status, body, code, says }) => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({
      match: isView,
      status,
      body,
      headers: status === 302 ? { location: 'https://elsewhere.example/' } : {},
    });
    const error = await agenda(app).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, message: expect.stringMatching(says), account: 'xebia' });
    expect(JSON.stringify([(error as Error).message, (error as { hint?: string }).hint])).not.toContain('CANARY');
  });

  test('429 is waited out when the deadline allows', async () => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({ match: isView, times: 1, status: 429, headers: { 'retry-after': '1' } });
    const started = performance.now();
    expect((await agenda(app)).complete).toBe(true);
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  test('F03: 429 with a pause longer than the deadline is told at once, and the account is left alone meanwhile', async () => {
    const { sandbox, app } = await signedIn(oneEvent, 2_000);
    sandbox.fail({ match: isView, times: 1, status: 429, headers: { 'retry-after': '7' } });
    await expect(agenda(app)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 7_000 });
    const asked = sandbox.requests.length;
    await expect(agenda(app)).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    expect(sandbox.requests).toHaveLength(asked);
  });

  test('F06: a 503 in passing is asked again', async () => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({ match: isView, times: 1, status: 503, headers: { 'retry-after': '0' } });
    expect((await agenda(app)).complete).toBe(true);
  });

  test('F05: of a batch only what was throttled is asked again, and a calendar that is gone is named', async () => {
    const names = ['A', 'B', 'C', 'D', 'E', 'F'];
    const { sandbox, app } = await signedIn({
      data: singleMailbox(names.map((name) => calendar(name, manyEvents(1, '2026-11-23T08:00', name)))),
    });
    const ids = sandbox.data.mailboxes[0]?.calendars.map(({ id }) => encodeURIComponent(id)) ?? [];
    sandbox.fail({
      match: ({ path }) => path.includes(ids[1] ?? '-'),
      times: 1,
      status: 429,
      headers: { 'Retry-After': '0' },
      inBatch: true,
    });
    sandbox.fail({ match: ({ path }) => isView({ path }) && path.includes(ids[2] ?? '-'), status: 404, inBatch: true });
    const { events, complete, accounts } = await agenda(app);
    expect(events).toHaveLength(5);
    expect(complete).toBe(false);
    expect(accounts[0]).toMatchObject({ status: 'partial', calendars: 5, problems: [expect.stringMatching(/^C: /)] });
    const asked = sandbox.requests.filter(({ path }) => path === '/v1.0/$batch' || isView({ path }));
    expect(asked.map(({ batch }) => batch?.length)).toEqual([6, undefined]);
    expect(asked[1]?.path).toContain(ids[1]);
  });

  test.each([
    [401, 'AUTH_REQUIRED'],
    [403, 'FORBIDDEN'],
    [500, 'UNAVAILABLE'],
  ])('%i inside of a batch is that calendar’s error, never an empty list', async (status, code) => {
    const names = ['A', 'B', 'C', 'D', 'E'];
    const { sandbox, app } = await signedIn({
      data: singleMailbox(names.map((name) => calendar(name, manyEvents(1, '2026-11-23T08:00', name)))),
    });
    sandbox.fail({ match: isView, status, body: '{"error":{"code":"x","message":"CANARY"}}', inBatch: true });
    const error = await agenda(app).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(`${(error as Error).message} ${(error as { hint?: string }).hint}`).not.toContain('CANARY');
  });

  test('a token that is refused inside of a batch is replaced once, and nothing is missing', async () => {
    const { sandbox, app } = await signedIn({
      data: singleMailbox(['A', 'B'].map((name) => calendar(name, manyEvents(1, '2026-11-23T08:00', name)))),
    });
    const before = sandbox.redemptions.length;
    sandbox.fail({ match: isView, times: 1, status: 401 });
    expect(await agenda(app)).toMatchObject({ complete: true, events: [{}, {}] });
    expect(sandbox.redemptions.slice(before)).toMatchObject([{ grant: 'refresh_token', outcome: 'ok' }]);
  });

  test('calendars are asked one by one where there are no batches', async () => {
    const { sandbox, app } = await signedIn({
      data: singleMailbox(['A', 'B'].map((name) => calendar(name, manyEvents(1, '2026-11-23T08:00', name)))),
    });
    sandbox.fail({ match: ({ path }) => path.endsWith('/$batch'), status: 404 });
    expect(await agenda(app)).toMatchObject({ complete: true, events: [{}, {}] });
    expect(sandbox.requests.filter(isView)).toHaveLength(2);
  });

  test('one calendar that answers with something else is an error of that one', async () => {
    const { sandbox, app } = await signedIn({
      data: singleMailbox(['A', 'B'].map((name) => calendar(name, manyEvents(1, '2026-11-23T08:00', name)))),
    });
    sandbox.fail({ match: isView, times: 1, status: 200, body: '{}' });
    const { complete, accounts, events } = await agenda(app);
    expect([complete, accounts[0]?.status, events.length]).toEqual([false, 'partial', 1]);
  });

  test('what Graph says of a refused sign-in stays in the cause', async () => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({ match: isView, status: 401, body: '{"error":{"code":"x","message":"CANARY"}}' });
    const error = await agenda(app).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'AUTH_REQUIRED' });
    expect(`${(error as Error).message} ${(error as { hint?: string }).hint}`).not.toContain('CANARY');
  });

  test('a sign-in that even fresh tokens do not help rests: the next question asks nobody', async () => {
    const { sandbox, app } = await signedIn(oneEvent);
    sandbox.fail({ match: ({ path }) => path.startsWith('/v1.0/'), status: 401 });
    await expect(agenda(app)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    const asked = sandbox.requests.length;
    await expect(agenda(app)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      hint: 'run: calmcp login --account xebia',
    });
    expect(sandbox.requests).toHaveLength(asked);
  });

  test('a server that hangs costs the deadline and makes the account unknown', async () => {
    const { sandbox, app } = await signedIn(oneEvent, 1_000);
    sandbox.fail({ match: isView, hang: true });
    const started = performance.now();
    await expect(agenda(app)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/within 1 s/),
    });
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('a sign-in service that is down is not a sign-in that expired', async () => {
    const { sandbox, app } = await signedIn({ ...oneEvent, accessTokenSeconds: 120 }, 2_000);
    sandbox.fail({ match: ({ path }) => path.endsWith('/token'), status: 503, body: '<html>' });
    await expect(agenda(app)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await app.account('xebia').signInState()).toMatchObject({ state: 'signed-in' });
  });

  test('an unknown tenant is a mistake in accounts.yaml and says so', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(
      microsoftAccounts(sandbox, [{ id: 'xebia', tenantId: '99999999-9999-9999-9999-999999999999' }]),
    );
    await expect(signIn(app, sandbox, 'xebia', 'you@xebia.example')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      hint: expect.stringMatching(/tenantId/),
    });
  });
});
