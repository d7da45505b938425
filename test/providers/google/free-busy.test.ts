import { describe, expect, test } from 'vitest';
import type { App } from '../../../src/accounts/registry.ts';
import type { Calendar, Range } from '../../../src/core/event.ts';
import type { CalendarProvider, CalendarRead, PersonBusy } from '../../../src/core/provider.ts';
import {
  type GoogleCalendar,
  type GoogleEvent,
  googleCalendar,
  googleEvent,
  googleFaults,
  type Sandbox,
  sharedGoogleClient,
  singleGoogleAccount,
} from '../../../src/sandbox/index.ts';
import { googleAccounts, googleSignIn, openCall, openSandbox, openTestApp } from '../../harness.ts';

const you = 'you@home.example';
const mate = 'mate@home.example';
const isFreeBusy = ({ path }: { path: string }): boolean => path.endsWith('/freeBusy');
const root = 'https://www.googleapis.com/auth/calendar';

function rangeOf(from: string, to: string): Range {
  return { start: Date.parse(`${from}Z`), end: Date.parse(`${to}Z`), timeZone: 'Europe/Amsterdam' };
}

const DAY = rangeOf('2026-11-23T00:00', '2026-11-24T00:00');
const at = (start: string, end: string) => ({ start, end, zone: 'UTC' });
const busyDay = [googleEvent({ summary: 'CANARY', location: 'CANARY', ...at('2026-11-23T10:00', '2026-11-23T11:00') })];

/** A calendar of somebody who shares busy times with you. */
function shared(id: string, events: readonly GoogleEvent[] = busyDay): GoogleCalendar {
  return googleCalendar(id, events, { access: { [id]: 'owner', [you]: 'freeBusyReader' } });
}

/** What Google cannot compute. */
const broken = (id: string): GoogleCalendar =>
  shared(
    id,
    busyDay.map((event) => ({ ...event, recurrence: ['RRULE:FREQ=SECONDLY'] })),
  );

interface Opened {
  readonly sandbox: Sandbox;
  readonly app: App;
  readonly provider: CalendarProvider;
}

async function signedIn(
  others: readonly GoogleCalendar[],
  { more = '', own = [] as readonly GoogleEvent[] } = {},
): Promise<Opened> {
  const sandbox = await openSandbox({ googleData: singleGoogleAccount(own, { others }) });
  const { clientId, clientSecret } = sharedGoogleClient;
  const { app } = await openTestApp(googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more }]));
  await googleSignIn(app, sandbox, 'home', you);
  return { sandbox, app, provider: await app.account('home').open() };
}

async function freeBusy(
  provider: CalendarProvider,
  people: readonly string[],
  range: Range = DAY,
  deadlineMs = 10_000,
): Promise<readonly PersonBusy[]> {
  if (provider.freeBusy === undefined) throw new Error('it cannot tell');
  return provider.freeBusy(people, range, openCall(deadlineMs));
}

const text = (epochMs: number) => new Date(epochMs).toISOString().slice(0, 16);

/** `2026-11-23T10:00 2026-11-23T11:00 busy`, or the code of the error. */
function told(answer: PersonBusy): string[] | string {
  if ('error' in answer) return answer.error.code;
  return answer.blocks.map(({ start, end, busy }) => `${text(start)} ${text(end)} ${busy}`);
}

const tenToEleven = ['2026-11-23T10:00 2026-11-23T11:00 busy'];

const calendarOf = (id: string): Calendar => ({ id, name: id, isDefault: false, access: 'free-busy' });

/** The calendars of an account with `access: busy`, as {@link told}. */
async function readOwn(provider: CalendarProvider, ids: readonly string[], range: Range = DAY) {
  const reads = await provider.readCalendars(ids.map(calendarOf), range, openCall());
  expect(reads.map(({ calendar }) => calendar.id)).toEqual(ids);
  return reads.map((read: CalendarRead) => {
    if ('error' in read) return read.error.code;
    return read.events.map(({ id, start, end, busy }) => {
      if (start.kind === 'date' || end.kind === 'date') throw new Error('a block is no whole day');
      expect(id).toBe(`busy ${start.epochMs} ${end.epochMs}`);
      return `${text(start.epochMs)} ${text(end.epochMs)} ${busy}`;
    });
  });
}

/** What the next requests get instead of an answer of the sandbox. */
function answerWith({ sandbox }: Opened, body: unknown): void {
  sandbox.fail({ match: isFreeBusy, status: 200, body: JSON.stringify(body) });
}

const answerFor = (calendars: unknown) => ({ kind: 'calendar#freeBusy', calendars });

describe('busy times of somebody else', () => {
  test('are cut to the range, without a word of what they are', async () => {
    const { sandbox, provider } = await signedIn([
      shared(mate, [...busyDay, googleEvent({ summary: 'CANARY', ...at('2026-11-23T23:00', '2026-11-24T02:00') })]),
    ]);
    const result = await freeBusy(provider, [mate]);
    expect(result.map(told)).toEqual([[...tenToEleven, '2026-11-23T23:00 2026-11-24T00:00 busy']]);
    expect(JSON.stringify(result)).not.toContain('CANARY');
    expect(sandbox.requests.filter(isFreeBusy)).toMatchObject([{ method: 'POST', status: 200 }]);
  });

  test('are told to the millisecond of the range, though Google knows seconds', async () => {
    const { provider } = await signedIn([shared(mate)]);
    const range = rangeOf('2026-11-23T10:30:00.250', '2026-11-23T10:30:00.750');
    expect(await freeBusy(provider, [mate], range)).toEqual([
      { person: mate, blocks: [{ start: range.start, end: range.end, busy: 'busy' }] },
    ]);
  });

  test('are one answer for each address as it was given, and asked for once', async () => {
    const { sandbox, provider } = await signedIn([shared(mate), shared('b@home.example', [])]);
    const people = ['B@Home.example', mate, 'MATE@home.example', 'b@home.example'];
    const answers = await freeBusy(provider, people);
    expect(answers.map(({ person }) => person)).toEqual(people);
    expect(answers.map(told)).toEqual([[], tenToEleven, tenToEleven, []]);
    expect(sandbox.requests.filter(isFreeBusy)).toHaveLength(1);
  });

  test.each(['access: busy', 'access: write'])('are told to an account with %s', async (more) => {
    const { provider } = await signedIn([shared(mate)], { more });
    expect((await freeBusy(provider, [mate])).map(told)).toEqual([tenToEleven]);
  });

  test('need a sign-in', async () => {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = sharedGoogleClient;
    const { app } = await openTestApp(googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret }]));
    await expect(freeBusy(await app.account('home').open(), [mate])).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
  });

  test('are all that a sign-in without their permission does not cover', async () => {
    const sandbox = await openSandbox({ googleData: singleGoogleAccount(busyDay, { others: [shared(mate)] }) });
    const { clientId, clientSecret } = sharedGoogleClient;
    const { app } = await openTestApp(googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret }]));
    await app.account('home').signIn(
      {
        method: 'browser',
        deviceCode: () => undefined,
        openUrl: async (url) => {
          const scopes = ['openid', 'email', `${root}.events.readonly`, `${root}.calendarlist.readonly`];
          void fetch(await sandbox.google.consent(url, you, { scopes })).catch(() => undefined);
        },
        pasteAnswer: async () => '',
      },
      openCall(),
    );
    expect(await app.account('home').signInState()).toMatchObject({ state: 'signed-in' });
    const provider = await app.account('home').open();
    await expect(freeBusy(provider, [mate])).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'the sign-in does not cover the busy times of other people',
      hint: 'run: calmcp login --account home, and leave every box ticked',
      account: 'home',
    });
    expect(await app.account('home').signInState()).toMatchObject({ state: 'signed-in' });
    const [read] = await provider.readCalendars([calendarOf(you)], DAY, openCall());
    expect(read).toMatchObject({ events: [expect.anything()] });
    await googleSignIn(app, sandbox, 'home', you);
    expect((await freeBusy(provider, [mate])).map(told)).toEqual([tenToEleven]);
  });
});

describe('limits', () => {
  // 60 days after the start of the range, for people; a day before that for one's own calendars, which are padded.
  const year = rangeOf('2026-11-23T00:00', '2027-11-28T00:00');
  const overEdges = [
    ...busyDay,
    googleEvent(at('2027-01-20T20:00', '2027-01-21T04:00')),
    googleEvent(at('2027-01-21T20:00', '2027-01-22T04:00')),
    googleEvent(at('2027-03-01T00:00', '2027-08-01T00:00')),
    googleEvent(at('2027-11-27T10:00', '2027-11-27T11:00')),
  ];
  const blocks = [
    '2026-11-23T10:00 2026-11-23T11:00 busy',
    '2027-01-20T20:00 2027-01-21T04:00 busy',
    '2027-01-21T20:00 2027-01-22T04:00 busy',
    '2027-03-01T00:00 2027-08-01T00:00 busy',
    '2027-11-27T10:00 2027-11-27T11:00 busy',
  ];

  test('W09: a year of somebody is asked in parts, and a block across their edges is one block', async () => {
    const { sandbox, provider } = await signedIn([shared(mate, overEdges)]);
    expect((await freeBusy(provider, [mate], year)).map(told)).toEqual([blocks]);
    expect(sandbox.requests.filter(isFreeBusy).map(({ status }) => status)).toEqual(Array(7).fill(200));
  });

  test('W09: a year of one’s own busy times is asked in parts, and its blocks have the ids that they always have', async () => {
    const { sandbox, provider } = await signedIn([], { more: 'access: busy', own: overEdges });
    expect(await readOwn(provider, ['primary'], year)).toEqual([blocks]);
    expect(sandbox.requests.filter(isFreeBusy).map(({ status }) => status)).toEqual(Array(7).fill(200));
    const edge = rangeOf('2027-01-20T00:00', '2027-01-22T00:00');
    expect(await readOwn(provider, ['primary'], edge)).toEqual([blocks.slice(1, 3)]);
  });

  test('W17: more than 50 people are asked in parts', async () => {
    const people = Array.from({ length: 101 }, (_, index) => `p${index}@home.example`);
    const { sandbox, provider } = await signedIn(people.map((person) => shared(person)));
    const answers = await freeBusy(provider, people);
    expect(answers.map(({ person }) => person)).toEqual(people);
    for (const answer of answers) expect(told(answer)).toEqual(tenToEleven);
    expect(sandbox.requests.filter(isFreeBusy).map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('W17: more than 50 calendars of one’s own are asked in parts', async () => {
    const ids = Array.from({ length: 51 }, (_, index) => `c${index}@group.calendar.google.com`);
    const { sandbox, provider } = await signedIn(
      ids.map((id) => shared(id)),
      { more: 'access: busy' },
    );
    expect(await readOwn(provider, ids)).toEqual(ids.map(() => tenToEleven));
    expect(sandbox.requests.filter(isFreeBusy)).toHaveLength(2);
  });
});

describe('nobody is free for want of an answer', () => {
  test('W15: somebody who is not found, and somebody whom Google fails on, are errors; the others are told', async () => {
    const { provider } = await signedIn([shared(mate), broken('b@home.example')]);
    const answers = await freeBusy(provider, ['nobody@home.example', mate, 'b@home.example']);
    expect(answers.map(told)).toEqual(['NOT_FOUND', tenToEleven, 'UNAVAILABLE']);
    expect(answers[0]).toMatchObject({
      person: 'nobody@home.example',
      error: { account: 'home', hint: expect.stringMatching(/check the address/) },
    });
  });

  test('W15: a calendar of one’s own that is not found, and one that Google fails on, are errors; the others are told', async () => {
    const { provider } = await signedIn([broken('b@home.example')], { more: 'access: busy', own: busyDay });
    expect(await readOwn(provider, ['nobody@home.example', 'primary', 'b@home.example'])).toEqual([
      'NOT_FOUND',
      tenToEleven,
      'UNAVAILABLE',
    ]);
  });

  test.each([
    ['notFound', 'NOT_FOUND'],
    ['internalError', 'UNAVAILABLE'],
    ['tooManyCalendarsRequested', 'UNAVAILABLE'],
    ['groupTooBig', 'UNAVAILABLE'],
    ['somethingNew', 'UNAVAILABLE'],
  ])('W15: %s, beside an empty list or not, is %s of that one alone', async (reason, code) => {
    const errors = [{ domain: 'global', reason }];
    const fine = { busy: [{ start: '2026-11-23T11:00:00+01:00', end: '2026-11-23T11:00:00Z' }] };
    const people = await signedIn([]);
    answerWith(
      people,
      answerFor({ [mate]: { errors, busy: [] }, 'b@home.example': { errors }, 'c@home.example': fine }),
    );
    const answers = await freeBusy(people.provider, [mate, 'b@home.example', 'c@home.example']);
    expect(answers.map(told)).toEqual([code, code, tenToEleven]);
    const own = await signedIn([], { more: 'access: busy' });
    answerWith(own, answerFor({ primary: { errors, busy: [] }, 'c@home.example': fine }));
    expect(await readOwn(own.provider, ['primary', 'c@home.example'])).toEqual([code, tenToEleven]);
  });

  test.each([
    ['left out', {}],
    ['nothing', { [mate]: null }],
    ['without a list', { [mate]: {} }],
    ['no list', { [mate]: { busy: {} } }],
    ['a list of nothing', { [mate]: { busy: [null] } }],
    ['without an end', { [mate]: { busy: [{ start: '2026-11-23T10:00:00Z' }] } }],
    ['at no time', { [mate]: { busy: [{ start: 'soon', end: 'later' }] } }],
    ['on whole days', { [mate]: { busy: [{ start: '2026-11-23', end: '2026-11-24' }] } }],
    ['without an offset', { [mate]: { busy: [{ start: '2026-11-23T10:00:00', end: '2026-11-23T11:00:00' }] } }],
    ['backwards', { [mate]: { busy: [{ start: '2026-11-23T11:00:00Z', end: '2026-11-23T10:00:00Z' }] } }],
    ['with errors that are no list', { [mate]: { busy: [], errors: {} } }],
    ['an expanded group', { 'member@home.example': { busy: [] } }],
  ])('what is %s is an error of that one alone', async (_, calendars) => {
    const opened = await signedIn([]);
    answerWith(opened, answerFor({ ...calendars, 'b@home.example': { busy: [] } }));
    const [answer, other] = (await freeBusy(opened.provider, [mate, 'b@home.example'])).map(told);
    expect(answer).toMatch(/^(?:BAD_RESPONSE|UNAVAILABLE)$/);
    expect(other).toEqual([]);
  });

  test.each([
    '{}',
    '[]',
    'null',
    '{"kind":"calendar#freeBusy"}',
    '{"calendars":{}}',
    '<html>hotel</html>',
    '{"error":"x"}',
  ])('%s with status 200 is no answer', async (body) => {
    const people = await signedIn([shared(mate)]);
    people.sandbox.fail({ match: isFreeBusy, status: 200, body });
    await expect(freeBusy(people.provider, [mate])).rejects.toMatchObject({ code: 'BAD_RESPONSE', account: 'home' });
    const own = await signedIn([], { more: 'access: busy' });
    own.sandbox.fail({ match: isFreeBusy, status: 200, body });
    expect(await readOwn(own.provider, ['primary'])).toEqual(['BAD_RESPONSE']);
  });

  test('somebody of whom a part of the range is not known is not known, and neither is a calendar', async () => {
    const quarter = rangeOf('2026-11-23T00:00', '2027-02-23T00:00');
    const people = await signedIn([shared(mate)]);
    people.sandbox.fail({ match: isFreeBusy, times: 1, status: 400 });
    expect((await freeBusy(people.provider, [mate], quarter)).map(told)).toEqual(['BAD_RESPONSE']);
    const own = await signedIn([], { more: 'access: busy', own: busyDay });
    own.sandbox.fail({ match: isFreeBusy, times: 1, status: 400 });
    expect(await readOwn(own.provider, ['primary'], quarter)).toEqual(['BAD_RESPONSE']);
  });

  test('a request that failed is an error of the people in it', async () => {
    const people = Array.from({ length: 51 }, (_, index) => `p${index}@home.example`);
    const { sandbox, provider } = await signedIn(people.map((person) => shared(person)));
    sandbox.fail({ match: isFreeBusy, times: 1, ...googleFaults.quotaExceeded });
    const answers = await freeBusy(provider, people);
    const failed = answers.filter((answer) => told(answer) === 'FORBIDDEN').map(({ person }) => person);
    expect([people.slice(0, 50), people.slice(50)]).toContainEqual(failed);
    for (const answer of answers) if (!failed.includes(answer.person)) expect(told(answer)).toEqual(tenToEleven);
  });

  test.each(['rateLimitExceeded', 'tooManyRequests', 'backendError', 'internalError'] as const)(
    '%s in passing is asked again, for people and for one’s own',
    async (fault) => {
      const people = await signedIn([shared(mate)]);
      people.sandbox.fail({ match: isFreeBusy, times: 1, ...googleFaults[fault] });
      expect((await freeBusy(people.provider, [mate])).map(told)).toEqual([tenToEleven]);
      const own = await signedIn([], { more: 'access: busy', own: busyDay });
      own.sandbox.fail({ match: isFreeBusy, times: 1, ...googleFaults[fault] });
      expect(await readOwn(own.provider, ['primary'])).toEqual([tenToEleven]);
    },
  );

  test.each([
    ['rateLimitExceeded', 'RATE_LIMITED'],
    ['backendError', 'UNAVAILABLE'],
    ['quotaExceeded', 'FORBIDDEN'],
  ] as const)('%s for everything is thrown as %s', async (fault, code) => {
    const { sandbox, provider } = await signedIn([shared(mate)]);
    sandbox.fail({ match: isFreeBusy, ...googleFaults[fault] });
    await expect(freeBusy(provider, [mate], DAY, 1_500)).rejects.toMatchObject({ code, account: 'home' });
  });
});
