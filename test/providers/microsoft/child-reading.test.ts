/** Completeness and refusals through the real ms-365 server: it has the same answers as Graph, and other words for errors. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { App } from '../../../src/accounts/registry.ts';
import type { PersonBusy } from '../../../src/core/provider.ts';
import { type Agenda, listEvents } from '../../../src/operations/list-events.ts';
import { calendar, manyEvents, type Sandbox, type SandboxData, singleMailbox } from '../../../src/sandbox/index.ts';
import { childLine, withChild } from '../../children.ts';
import { microsoftAccounts, openCall, openSandbox, openTestApp, signIn, XEBIA } from '../../harness.ts';
import { ask } from '../../operations/questions.ts';

const isView = ({ path }: { path: string }): boolean => path.endsWith('/calendarView');
const isList = ({ path }: { path: string }): boolean => path === '/v1.0/me/calendars';

async function signedIn(
  data: SandboxData | undefined,
  {
    transport = 'http',
    more = '',
    deadlineMs = 15_000,
    budgetClock,
  }: { transport?: string; more?: string; deadlineMs?: number; budgetClock?: () => number } = {},
): Promise<{ sandbox: Sandbox; app: App }> {
  const sandbox = await openSandbox(data === undefined ? {} : { data });
  const yaml = withChild(microsoftAccounts(sandbox, [XEBIA]), childLine('ms-365', sandbox, { transport }), ['xebia']);
  const { app } = await openTestApp(more === '' ? yaml : yaml.replace('\n  xebia:\n', `\n  xebia:\n    ${more}\n`), {
    deadlineMs,
    budgetClock,
  });
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  return { sandbox, app };
}

const agenda = (app: App): Promise<Agenda> => ask(listEvents, app, { range: '2026-11-23..2026-12-31', detail: 'full' });

test.each(['http', 'stdio'])('W04: 1,001 events of one calendar are all listed (%s)', async (transport) => {
  const { app, sandbox } = await signedIn(
    singleMailbox([calendar('Calendar', manyEvents(1_001, '2026-11-23T08:00'))]),
    {
      transport,
    },
  );
  const { events, complete } = await agenda(app);
  expect([events.length, complete]).toEqual([1_001, true]);
  expect(new Set(events.map(({ title }) => title)).size).toBe(1_001);
  expect(sandbox.requests.filter(isView)).toHaveLength(2);
});

test('what Microsoft refuses has its code, and is never an empty day', async () => {
  let moment = 0;
  const { app, sandbox } = await signedIn(
    singleMailbox([
      calendar('Calendar', manyEvents(3, '2026-11-23T08:00')),
      calendar('Team', manyEvents(2, '2026-11-24T08:00', 'Team')),
    ]),
    { deadlineMs: 2_500, budgetClock: () => moment },
  );
  // The server starts within this short deadline or the next one: it is not what is looked at here.
  const first = await vi.waitFor(() => agenda(app), { timeout: 30_000 });
  expect([first.events.length, first.complete]).toEqual([5, true]);
  async function during<T>(
    fault: Omit<Parameters<Sandbox['fail']>[0], 'match'>,
    match: typeof isView,
    work: () => Promise<T>,
  ): Promise<T> {
    // What was left alone because of the one before is asked again.
    moment += 60_000;
    let isOn = true;
    sandbox.fail({ match: (target) => isOn && match(target), ...fault });
    try {
      return await work();
    } finally {
      isOn = false;
    }
  }
  const outside: (string | undefined)[] = [];
  const other = createServer((request, response) => {
    outside.push(request.headers.authorization);
    response.end('{"value":[]}');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}/v1.0/me/calendarView`;
  const page = (next: string): string => JSON.stringify({ value: [], '@odata.nextLink': next });
  const noMailbox = JSON.stringify({ error: { code: 'MailboxNotEnabledForRESTAPI', message: 'No mailbox.' } });

  for (const [name, fault, code, says] of [
    ['429', { status: 429, headers: { 'retry-after': '30' } }, 'RATE_LIMITED', /HTTP 429/],
    ['403', { status: 403 }, 'FORBIDDEN', /does not allow/],
    ['no mailbox', { status: 403, body: noMailbox }, 'FORBIDDEN', /no mailbox/],
    ['404', { status: 404 }, 'NOT_FOUND', /HTTP 404/],
    ['500', { status: 500 }, 'UNAVAILABLE', /HTTP 500/],
    ['503', { status: 503 }, 'UNAVAILABLE', /HTTP 503/],
    ['a web page', { status: 200, body: '<html>hotel</html>' }, 'BAD_RESPONSE', /without a list/],
    ['no list', { status: 200, body: '{}' }, 'BAD_RESPONSE', /without a list/],
    ['nothing', { status: 200, body: '' }, 'BAD_RESPONSE', /without a list/],
    [
      'no end',
      { status: 200, body: page('https://graph.microsoft.com/v1.0/me/x?$skip=7') },
      'BAD_RESPONSE',
      /without an end/,
    ],
    ['a link without a cursor', { status: 200, body: page(elsewhere) }, 'UNAVAILABLE', /no answer/],
  ] as const)
    for (const match of name === '429' ? [isList] : code === 'BAD_RESPONSE' ? [isList, isView] : [isView]) {
      const thrown: unknown = await during(fault, match, () => agenda(app)).catch((error: unknown) => error);
      // What is asked again may come to the end of the question's time while it is.
      const isLate = code !== 'BAD_RESPONSE' && /did not answer/.test((thrown as Error).message);
      expect(thrown, `${name} ${match.name}`).toMatchObject({
        code: isLate ? 'UNAVAILABLE' : code,
        message: expect.stringMatching(isLate ? /./ : says),
        account: 'xebia',
      });
    }
  // W07: no token goes to where a next page is said to be.
  await during({ status: 200, body: page(`${elsewhere}?$skip=1`) }, isList, () => agenda(app).catch(() => undefined));
  expect(outside).toEqual([]);

  // A calendar that disappears is named, and the others answer.
  const gone = sandbox.data.mailboxes[0]?.calendars[1]?.id ?? '';
  const partial = await during(
    { status: 404 },
    (it) => isView(it) && decodeURIComponent(it.path).includes(gone),
    () => agenda(app),
  );
  expect(partial).toMatchObject({
    complete: false,
    accounts: [{ status: 'partial', problems: [expect.stringContaining('Team')] }],
  });
  expect(partial.events).toHaveLength(3);

  // calmcp asks again, and nobody else does.
  for (const status of [429, 503]) {
    const asked = sandbox.requests.length;
    sandbox.fail({ match: isView, times: 1, status });
    expect((await agenda(app)).complete).toBe(true);
    expect(sandbox.requests.slice(asked).filter(isView)).toHaveLength(3);
  }

  await sandbox.close();
  await expect(agenda(app)).rejects.toMatchObject({ code: 'UNAVAILABLE', account: 'xebia' });
}, 90_000);

describe.each(['', 'access: busy'])('busy times (%s)', (more) => {
  test('of other people, and why there is no telling', async () => {
    const { app, sandbox } = await signedIn(undefined, { more, deadlineMs: 6_000 });
    const provider = await app.account('xebia').open();
    const DAY = { start: Date.parse('2026-11-23T00:00Z'), end: Date.parse('2026-11-28T00:00Z'), timeZone: 'UTC' };
    const asked = async (...people: string[]): Promise<readonly PersonBusy[]> =>
      (await provider.freeBusy?.(people, DAY, openCall(6_000))) ?? [];
    const [bench, stranger] = await asked('bench@xebia.example', 'stranger@xebia.example');
    expect(bench).toMatchObject({ blocks: expect.arrayContaining([expect.anything()]) });
    expect(stranger).toMatchObject({ error: { code: expect.stringMatching(/NOT_FOUND|FORBIDDEN/) } });
    const own = await ask(listEvents, app, { range: 'this week', detail: 'full' });
    expect(own.complete).toBe(true);
    expect(own.events.length).toBeGreaterThan(3);
    let isOn = true;
    sandbox.fail({ match: ({ path }) => isOn && path.endsWith('/getSchedule'), status: 500 });
    await expect(asked('bench@xebia.example')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    isOn = false;
    const [again] = await asked('bench@xebia.example');
    expect(again).toEqual(bench);
  });
});
