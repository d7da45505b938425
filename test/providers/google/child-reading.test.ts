/**
 * What the real google-calendar server leaves out or does not say: it reads one page, passes no page token on, has words
 * instead of numbers for what Google refuses, and says "not found" of every busy time that it could not ask about.
 */
import { expect, test } from 'vitest';
import type { App } from '../../../src/accounts/registry.ts';
import type { PersonBusy } from '../../../src/core/provider.ts';
import { getFreeBusy } from '../../../src/operations/get-free-busy.ts';
import { type Agenda, listEvents } from '../../../src/operations/list-events.ts';
import {
  type GoogleCalendar,
  type GoogleData,
  googleCalendar,
  googleEvent,
  googleFaults,
  manyGoogleEvents,
  type Sandbox,
  sharedGoogleClient,
  singleGoogleAccount,
} from '../../../src/sandbox/index.ts';
import { childLine, withChild } from '../../children.ts';
import { googleAccounts, googleSignIn, openCall, openSandbox, openTestApp } from '../../harness.ts';
import { ask } from '../../operations/questions.ts';

const you = 'you@home.example';
const { clientId, clientSecret } = sharedGoogleClient;
const isEvents = ({ path }: { path: string }): boolean => path.endsWith('/events');
const isFreeBusy = ({ path }: { path: string }): boolean => path.endsWith('/freeBusy');
const isCalendarApi = ({ path }: { path: string }): boolean => path.startsWith('/google/calendar/');

async function signedIn(
  googleData: GoogleData,
  {
    more = '',
    told = {},
    deadlineMs = 15_000,
    budgetClock,
  }: {
    more?: string;
    told?: Record<string, string>;
    deadlineMs?: number;
    budgetClock?: () => number;
  } = {},
): Promise<{ sandbox: Sandbox; app: App }> {
  const sandbox = await openSandbox({ googleData });
  const yaml = googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more }]);
  const child = withChild(yaml, childLine('google-calendar', sandbox, {}, told), ['home']);
  const { app } = await openTestApp(child, { deadlineMs, budgetClock });
  await googleSignIn(app, sandbox, 'home', you);
  return { sandbox, app };
}

const agenda = (app: App, range = '2026-11-23..2026-12-31'): Promise<Agenda> =>
  ask(listEvents, app, { range, detail: 'full' });
const titles = ({ events }: Agenda): unknown[] => events.map(({ title }) => title);

/** A calendar that is shared with you. */
const shared = (
  name: string,
  events: GoogleCalendar['events'],
  role: 'reader' | 'freeBusyReader' = 'reader',
): GoogleCalendar => {
  const id = `${name}@group.calendar.google.com`;
  return googleCalendar(id, events, { summary: name, access: { [id]: 'owner', [you]: role } });
};

test('W04: 281 events of one calendar and 1,300 of another are all listed, from pages of 250', async () => {
  // Right in the middle of what is asked, where it is cut in two.
  const middle = googleEvent({ summary: 'Middle', start: '2026-12-12T11:00', end: '2026-12-12T11:00', zone: 'UTC' });
  const { app } = await signedIn(
    singleGoogleAccount([...manyGoogleEvents(280, '2026-11-23T08:00'), middle], {
      others: [shared('Shifts', manyGoogleEvents(1_300, '2026-11-24T08:00', 'Shift'))],
    }),
  );
  const { events, complete } = await agenda(app);
  expect([events.length, complete]).toEqual([1_581, true]);
  expect(new Set(events.map(({ title }) => title)).size).toBe(1_581);
  expect(titles({ events } as Agenda)).toContain('Middle');
});

test('pages that are shorter than they could be are found out by free/busy, also behind a day that is not busy', async () => {
  const home = googleEvent({ summary: 'Home', start: '2026-11-23', end: '2026-11-28', transparency: 'transparent' });
  const { app, sandbox } = await signedIn(singleGoogleAccount([home, ...manyGoogleEvents(200, '2026-11-23T08:00')]), {
    told: { pageSize: '70' },
  });
  const { events, complete } = await agenda(app);
  expect([events.length, complete]).toEqual([201, true]);
  expect(sandbox.requests.filter(isEvents).length).toBeGreaterThan(2);
  // Where asking again brings nothing, the answer is not complete and says so.
  sandbox.fail({ match: isEvents, status: 200, body: '{"kind":"calendar#events","items":[]}' });
  const empty = await agenda(app);
  expect(empty.complete).toBe(false);
  expect(empty.accounts[0]).toMatchObject({
    status: 'partial',
    problems: [expect.stringContaining('leaves out events')],
  });
  const busy = await ask(getFreeBusy, app, { range: '2026-11-23' });
  expect(busy.complete).toBe(false);
});

test('a day off does not hide the meeting of the next morning that a short page left out', async () => {
  const off = googleEvent({ summary: 'Day off', start: '2026-11-24', end: '2026-11-25' });
  const meeting = googleEvent({ summary: 'Meeting', start: '2026-11-25T08:00', end: '2026-11-25T10:00' });
  const { app } = await signedIn(singleGoogleAccount([off, meeting]), { told: { pageSize: '1' } });
  const { events, complete } = await agenda(app);
  expect([events.map(({ title }) => title), complete]).toEqual([['Day off', 'Meeting'], true]);
});

test('what Google refuses has its code, and is never an empty day', async () => {
  let moment = 0;
  const { app, sandbox } = await signedIn(
    singleGoogleAccount(manyGoogleEvents(3, '2026-11-23T08:00'), {
      others: [shared('Club', manyGoogleEvents(2, '2026-11-24T08:00', 'Club'))],
    }),
    { deadlineMs: 4_500, budgetClock: () => moment },
  );
  expect((await agenda(app)).complete).toBe(true);
  async function during<T>(
    fault: Omit<Parameters<Sandbox['fail']>[0], 'match'>,
    match: typeof isEvents,
    work: () => Promise<T>,
  ) {
    let isOn = true;
    sandbox.fail({ match: (target) => isOn && match(target), ...fault });
    try {
      return await work();
    } finally {
      isOn = false;
    }
  }
  const json = (error: object): { body: string } => ({ body: JSON.stringify({ error }) });
  const scopes = 'Request had insufficient authentication scopes.';
  for (const [name, fault, match, code, says] of [
    ['rateLimitExceeded', googleFaults.rateLimitExceeded, isEvents, 'RATE_LIMITED', /slow down/],
    ['tooManyRequests', googleFaults.tooManyRequests, isEvents, 'RATE_LIMITED', /slow down/],
    ['quotaExceeded', googleFaults.quotaExceeded, isEvents, 'FORBIDDEN', /limited the calendar use/],
    ['dailyLimitExceeded', googleFaults.dailyLimitExceeded, isEvents, 'FORBIDDEN', /does not allow/],
    ['scopes', { status: 403, ...json({ code: 403, message: scopes }) }, isEvents, 'FORBIDDEN', /does not cover/],
    ['400', { status: 400, ...json({ code: 400, message: 'Bad' }) }, isEvents, 'BAD_RESPONSE', /refused/],
    ['404', { status: 404 }, isEvents, 'NOT_FOUND', /does not know/],
    ['backendError', googleFaults.backendError, isEvents, 'UNAVAILABLE', /having trouble/],
    ['no answer', { delayMs: 3_500 }, isEvents, 'UNAVAILABLE', /in time/],
    // The server makes an empty list of all of these.
    ['a web page', { status: 200, body: '<html>hotel</html>' }, isCalendarApi, 'BAD_RESPONSE', /without the calendars/],
    [
      'no list',
      { status: 200, body: '{}' },
      (it: { path: string }) => isEvents(it) || isFreeBusy(it),
      'UNAVAILABLE',
      /no busy times/,
    ],
  ] as const) {
    // What was left alone because of the one before is asked again.
    moment += 60_000;
    const thrown: unknown = await during(fault, match, () => agenda(app)).catch((error: unknown) => error);
    // What is asked again may come to the end of the question's time while it is.
    const isRepeated = code === 'RATE_LIMITED' || code === 'UNAVAILABLE';
    const isLate = isRepeated && /did not answer (?:within|in time)/.test((thrown as Error).message);
    expect(thrown, name).toMatchObject({
      code: isLate ? 'UNAVAILABLE' : code,
      message: expect.stringMatching(isLate ? /./ : says),
      account: 'home',
    });
  }

  // One calendar that is gone is named, and the others answer.
  const partial = await during(
    { status: 404 },
    (it) => isEvents(it) && it.path.includes('Club'),
    () => agenda(app),
  );
  expect(partial).toMatchObject({
    complete: false,
    accounts: [{ status: 'partial', problems: [expect.stringContaining('Club')] }],
  });
  expect(partial.events).toHaveLength(3);

  // Events that nothing vouches for are told, with that.
  const unsure = await during(googleFaults.backendError, isFreeBusy, () => agenda(app));
  expect(unsure.events).toHaveLength(5);
  expect(unsure).toMatchObject({
    complete: false,
    accounts: [{ status: 'partial', problems: [expect.stringContaining('could not be found out'), expect.anything()] }],
  });

  // What the server does not ask again, calmcp does.
  sandbox.fail({ match: isEvents, times: 1, ...googleFaults.rateLimitExceeded });
  expect((await agenda(app)).complete).toBe(true);

  await sandbox.close();
  await expect(agenda(app)).rejects.toMatchObject({
    code: 'UNAVAILABLE',
    account: 'home',
    hint: 'see whether it can be reached from here: calmcp doctor --account home',
  });
}, 90_000);

test('a hundred calendars are more than the server reads, and that is said', async () => {
  const others = Array.from({ length: 99 }, (_, index) => shared(`Room ${index}`, []));
  const { app } = await signedIn(singleGoogleAccount([], { others }));
  await expect(agenda(app)).rejects.toMatchObject({
    code: 'BAD_RESPONSE',
    message: expect.stringContaining('100 calendars or more'),
    hint: expect.stringContaining('leave out child:'),
  });
});

const at = { start: '2026-11-23T10:00', end: '2026-11-23T11:00', zone: 'UTC' };
const DAY = {
  start: Date.parse('2026-11-23T00:00Z'),
  end: Date.parse('2026-11-24T00:00Z'),
  timeZone: 'Europe/Amsterdam',
};

test.each(['', 'access: busy'])('busy times of other people, and why there is no telling (%s)', async (more) => {
  const mate = googleCalendar('mate@home.example', [googleEvent({ summary: 'CANARY', ...at })], {
    access: { 'mate@home.example': 'owner', [you]: 'freeBusyReader' },
  });
  const { app, sandbox } = await signedIn(
    singleGoogleAccount(
      [googleEvent({ summary: 'CANARY', start: '2026-11-23T13:00', end: '2026-11-23T14:00', zone: 'UTC' })],
      {
        others: [mate],
      },
    ),
    { more, deadlineMs: 6_000 },
  );
  const provider = await app.account('home').open();
  const asked = async (...people: string[]): Promise<unknown[]> =>
    ((await provider.freeBusy?.(people, DAY, openCall(6_000))) ?? []).map((answer: PersonBusy) =>
      'error' in answer
        ? answer.error.code
        : answer.blocks.map(({ start }) => new Date(start).toISOString().slice(11, 16)),
    );
  expect(await asked('mate@home.example', 'stranger@home.example')).toEqual([['10:00'], 'NOT_FOUND']);
  const own = await ask(listEvents, app, { range: '2026-11-23', detail: 'full' });
  expect(own.complete).toBe(true);
  if (more !== '') {
    expect(titles(own)).toEqual(['Busy']);
    expect(JSON.stringify(own)).not.toContain('CANARY');
  }
  // Not "no such person", and not "free": Google did not answer.
  let isOn = true;
  sandbox.fail({ match: (it) => isOn && isFreeBusy(it), ...googleFaults.backendError });
  await expect(asked('mate@home.example')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  isOn = false;
  // A token that is refused there is told of nowhere but at another question.
  sandbox.expireAccessTokens();
  expect(await asked('mate@home.example')).toEqual([['10:00']]);
  sandbox.revoke(you);
  await expect(asked('mate@home.example')).rejects.toMatchObject({ code: 'AUTH_REQUIRED', account: 'home' });
});
