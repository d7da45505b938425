import { describe, expect, test } from 'vitest';
import type { App } from '../../../src/accounts/registry.ts';
import type { Range } from '../../../src/core/event.ts';
import type { CalendarProvider, PersonBusy } from '../../../src/core/provider.ts';
import {
  calendar,
  event,
  mailbox,
  manyEvents,
  type Sandbox,
  type SandboxData,
  type SandboxEvent,
  singleMailbox,
} from '../../../src/sandbox/index.ts';
import { microsoftAccounts, openCall, openSandbox, openTestApp, signIn, XEBIA } from '../../harness.ts';

const mate = 'mate@xebia.example';
const isSchedule = ({ path }: { path: string }): boolean => path.endsWith('/getSchedule');

/** In UTC, as instants. */
function rangeOf(from: string, to: string): Range {
  return { start: Date.parse(`${from}Z`), end: Date.parse(`${to}Z`), timeZone: 'Europe/Amsterdam' };
}

const DAY = rangeOf('2026-11-23T00:00', '2026-11-24T00:00');

/** You, and colleagues with these events in their default calendars. */
function tenantOf(colleagues: Readonly<Record<string, readonly SandboxEvent[]>>): SandboxData {
  const data = singleMailbox([calendar('Calendar', [])]);
  Object.entries(colleagues).forEach(([username, events], index) => {
    const oid = `bbbbbbbb-0000-0000-0000-${String(index).padStart(12, '0')}`;
    data.users.push({ oid, tenant: XEBIA.tenantId, username, displayName: username });
    data.mailboxes.push(mailbox(username, [calendar('Calendar', [...events])]));
  });
  return data;
}

async function signedIn(
  data: SandboxData,
  { more = '', delayMs = 0 } = {},
): Promise<{ sandbox: Sandbox; app: App; provider: CalendarProvider }> {
  const sandbox = await openSandbox({ data, delayMs });
  const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]) + more);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  return { sandbox, app, provider: await app.account('xebia').open() };
}

async function freeBusy(
  provider: CalendarProvider,
  people: readonly string[],
  range: Range,
  deadlineMs = 10_000,
): Promise<readonly PersonBusy[]> {
  if (provider.freeBusy === undefined) throw new Error('it cannot tell');
  return provider.freeBusy(people, range, openCall(deadlineMs));
}

/** `10:00-11:00 busy`, or the code of the error. */
function told(answer: PersonBusy | undefined): string[] | string | undefined {
  if (answer === undefined) return undefined;
  if ('error' in answer) return answer.error.code;
  const text = (epochMs: number) => new Date(epochMs).toISOString().slice(0, 16);
  return answer.blocks.map(({ start, end, busy }) => `${text(start)} ${text(end)} ${busy}`);
}

const at = (from: string, to: string) => ({ start: from, end: to, zone: 'UTC' });
const busyDay = [event({ subject: 'Plain', ...at('2026-11-23T10:00', '2026-11-23T11:00') })];

describe('busy times of a colleague', () => {
  test('are what is not free, cut to the range and in order', async () => {
    const { provider } = await signedIn(
      tenantOf({
        [mate]: [
          event({ subject: 'Late', ...at('2026-11-23T22:00', '2026-11-24T02:00'), showAs: 'oof' }),
          event({ subject: 'Plain', ...at('2026-11-23T10:00', '2026-11-23T11:00') }),
          event({ subject: 'Next', ...at('2026-11-23T11:00', '2026-11-23T11:30') }),
          event({ subject: 'Maybe', ...at('2026-11-23T10:30', '2026-11-23T12:00'), showAs: 'tentative' }),
          event({ subject: 'Hidden', ...at('2026-11-23T13:00', '2026-11-23T14:00'), showAs: 'unknown' }),
          event({ subject: 'Free', ...at('2026-11-23T14:00', '2026-11-23T15:00'), showAs: 'free' }),
          event({ subject: 'Home', ...at('2026-11-23T15:00', '2026-11-23T16:00'), showAs: 'workingElsewhere' }),
          event({ subject: 'Point', ...at('2026-11-23T17:00', '2026-11-23T17:00') }),
        ],
      }),
    );
    const [answer] = await freeBusy(provider, [mate], DAY);
    expect(told(answer)).toEqual([
      '2026-11-23T10:00 2026-11-23T11:30 busy',
      '2026-11-23T10:30 2026-11-23T12:00 tentative',
      '2026-11-23T13:00 2026-11-23T14:00 unknown',
      '2026-11-23T22:00 2026-11-24T00:00 oof',
    ]);
  });

  test('come without the titles and places that Microsoft sends along', async () => {
    const { sandbox, provider } = await signedIn(
      tenantOf({
        [mate]: [event({ subject: 'CANARY1', ...at('2026-11-23T10:00', '2026-11-23T11:00'), place: 'CANARY2' })],
      }),
    );
    const result = await freeBusy(provider, [mate], DAY);
    expect(told(result[0])).toHaveLength(1);
    expect(JSON.stringify(result)).not.toContain('CANARY');
    expect(result).toEqual([
      {
        person: mate,
        blocks: [{ start: Date.parse('2026-11-23T10:00Z'), end: Date.parse('2026-11-23T11:00Z'), busy: 'busy' }],
      },
    ]);
    // The sandbox does send them.
    expect(sandbox.data.mailboxes[1]?.calendars[0]?.events[0]?.properties.location.displayName).toBe('CANARY2');
  });

  test('of a quarter of an hour, less than the slots of Microsoft’s own view, are told', async () => {
    const { provider } = await signedIn(tenantOf({ [mate]: busyDay }));
    const [answer] = await freeBusy(provider, [mate], rangeOf('2026-11-23T10:35', '2026-11-23T10:50'));
    expect(told(answer)).toEqual(['2026-11-23T10:35 2026-11-23T10:50 busy']);
  });

  test('of somebody with nothing to do are an empty list, in one request', async () => {
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: [] }));
    expect(await freeBusy(provider, [mate], DAY)).toEqual([{ person: mate, blocks: [] }]);
    expect(sandbox.requests.filter(isSchedule)).toMatchObject([{ method: 'POST', status: 200 }]);
    expect(sandbox.requests.find(isSchedule)?.prefer).toContain('outlook.timezone="UTC"');
  });

  test('are one answer for each address as it was given, and asked for once', async () => {
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: busyDay, 'b@xebia.example': [] }));
    const people = ['B@Xebia.example', mate, 'MATE@xebia.example', 'b@xebia.example'];
    const answers = await freeBusy(provider, people, DAY);
    expect(answers.map(({ person }) => person)).toEqual(people);
    expect(answers.map((answer) => told(answer)?.length)).toEqual([0, 1, 1, 0]);
    expect(sandbox.requests.filter(isSchedule)).toHaveLength(1);
  });

  test('are told to an account with access: busy too', async () => {
    const sandbox = await openSandbox({ data: tenantOf({ [mate]: busyDay }) });
    const yaml = microsoftAccounts(sandbox, [XEBIA]).replace(
      'provider: microsoft',
      'provider: microsoft\n    access: busy',
    );
    const { app } = await openTestApp(yaml);
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    const [answer] = await freeBusy(await app.account('xebia').open(), [mate], DAY);
    expect(told(answer)).toHaveLength(1);
  });

  test('need a sign-in', async () => {
    const sandbox = await openSandbox({ data: tenantOf({ [mate]: busyDay }) });
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
    await expect(freeBusy(await app.account('xebia').open(), [mate], DAY)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      hint: 'run: calmcp login --account xebia',
    });
  });
});

describe('limits', () => {
  test('W09: more than 62 days are asked in parts, and a block across an edge is one block', async () => {
    const { sandbox, provider } = await signedIn(
      tenantOf({
        [mate]: [
          event({ subject: 'First', ...at('2026-11-23T10:00', '2026-11-23T11:00') }),
          // 60 days after the start of the range.
          event({ subject: 'Edge', ...at('2027-01-21T20:00', '2027-01-22T04:00') }),
          event({ subject: 'Touching', ...at('2027-01-22T04:00', '2027-01-22T05:00') }),
          event({ subject: 'Last', ...at('2027-11-27T10:00', '2027-11-27T11:00') }),
        ],
      }),
    );
    const [answer] = await freeBusy(provider, [mate], rangeOf('2026-11-23T00:00', '2027-11-28T00:00'));
    expect(told(answer)).toEqual([
      '2026-11-23T10:00 2026-11-23T11:00 busy',
      '2027-01-21T20:00 2027-01-22T05:00 busy',
      '2027-11-27T10:00 2027-11-27T11:00 busy',
    ]);
    expect(sandbox.requests.filter(isSchedule).map(({ status }) => status)).toEqual(Array(7).fill(200));
  });

  test('W17: more than 20 people are asked in parts, four requests at a time', async () => {
    const people = Array.from({ length: 105 }, (_, index) => `p${index}@xebia.example`);
    const { sandbox, provider } = await signedIn(
      tenantOf(Object.fromEntries(people.map((person) => [person, busyDay]))),
      { delayMs: 20 },
    );
    const answers = await freeBusy(provider, people, DAY);
    expect(answers.map(({ person }) => person)).toEqual(people);
    for (const answer of answers) expect(told(answer)).toEqual(['2026-11-23T10:00 2026-11-23T11:00 busy']);
    expect(sandbox.requests.filter(isSchedule).map(({ status }) => status)).toEqual(Array(6).fill(200));
  });

  test('more than 1,000 items of one person are asked for in halves; the others are not asked again', async () => {
    // Two months of quarters of an hour: 30 days hold more than 2,800 of them, a week 672.
    const { sandbox, provider } = await signedIn(
      tenantOf({ [mate]: manyEvents(5_760, '2026-11-23T00:00'), 'b@xebia.example': busyDay }),
    );
    const range = rangeOf('2026-11-23T00:00', '2027-01-22T00:00');
    const [full, other] = await freeBusy(provider, [mate, 'b@xebia.example'], range);
    expect(told(full)).toEqual(['2026-11-23T00:00 2027-01-22T00:00 busy']);
    expect(told(other)).toEqual(['2026-11-23T10:00 2026-11-23T11:00 busy']);
    // The whole, 2 x 30 days, 4 x 15 days, 8 x 7.5 days.
    expect(sandbox.requests.filter(isSchedule)).toHaveLength(15);
  });

  test('more than 1,000 items in a single day are an error, soon', async () => {
    const crowd = Array.from({ length: 1_001 }, () =>
      event({ subject: 'Crowd', ...at('2026-11-23T10:00', '2026-11-23T10:15') }),
    );
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: crowd, 'b@xebia.example': busyDay }));
    const range = rangeOf('2026-11-23T00:00', '2026-12-23T00:00');
    const [full, other] = await freeBusy(provider, [mate, 'b@xebia.example'], range);
    expect(full).toMatchObject({ error: { code: 'UNAVAILABLE', hint: expect.stringMatching(/less time/) } });
    expect(told(other)).toHaveLength(1);
    expect(sandbox.requests.filter(isSchedule).length).toBeLessThan(8);
  });
});

describe('nobody is free for want of an answer', () => {
  test('W16: somebody unknown is an error with a hint, and the others are told', async () => {
    const { provider } = await signedIn(tenantOf({ [mate]: busyDay }));
    const [unknown, known, foreign] = await freeBusy(
      provider,
      ['nobody@xebia.example', mate, 'you@marimer.example'],
      DAY,
    );
    expect(unknown).toMatchObject({
      person: 'nobody@xebia.example',
      error: { code: 'NOT_FOUND', account: 'xebia', hint: expect.stringMatching(/check the address/) },
    });
    expect(unknown).not.toHaveProperty('blocks');
    expect(told(known)).toHaveLength(1);
    expect(told(foreign)).toBe('NOT_FOUND');
    expect(unknown && 'error' in unknown && unknown.error.message).not.toMatch(/SMTP|Active Directory/);
  });

  test.each([
    ['ErrorNoFreeBusyAccess', 'FORBIDDEN'],
    ['ErrorMailboxLogonFailed', 'UNAVAILABLE'],
    ['ErrorProxyRequestProcessingFailed', 'UNAVAILABLE'],
    [undefined, 'UNAVAILABLE'],
  ])('W16: the response code %s is %s of that person', async (responseCode, code) => {
    const { sandbox, provider } = await signedIn(tenantOf({}));
    answerWith(sandbox, {
      value: [
        { scheduleId: mate, availabilityView: '', scheduleItems: [], error: { message: 'CANARY', responseCode } },
        { scheduleId: 'b@xebia.example', availabilityView: '0', scheduleItems: [] },
      ],
    });
    const answers = await freeBusy(provider, [mate, 'b@xebia.example'], DAY);
    expect(answers.map(told)).toEqual([code, []]);
    expect(answers[0] && 'error' in answers[0] && `${answers[0].error.message} ${answers[0].error.hint}`).not.toContain(
      'CANARY',
    );
  });

  test.each(['consumers', 'Consumers', '9188040d-6c67-4c5b-b112-36a304b66dad'])(
    'W16: a personal account (%s) cannot be asked at all',
    async (tenantId) => {
      const sandbox = await openSandbox();
      const { app } = await openTestApp(microsoftAccounts(sandbox, [{ id: 'outlook', tenantId }, XEBIA]));
      expect((await app.account('outlook').open()).freeBusy).toBeUndefined();
      expect((await app.account('xebia').open()).freeBusy).toBeTypeOf('function');
    },
  );

  const utc = (dateTime: string, timeZone = 'UTC') => ({ dateTime, timeZone });
  const item = { status: 'busy', start: utc('2026-11-23T10:00:00.0000000'), end: utc('2026-11-23T11:00:00.0000000') };

  test.each([
    ['no schedule of this person', []],
    ['a schedule of somebody else', [{ scheduleId: 'x@xebia.example', scheduleItems: [] }]],
    ['a schedule without a name', [{ scheduleItems: [item] }]],
    [
      'two schedules of this person',
      [
        { scheduleId: mate, scheduleItems: [item] },
        { scheduleId: mate, scheduleItems: [] },
      ],
    ],
    ['a schedule without items', [{ scheduleId: mate, availabilityView: '0' }]],
    ['items that are no list', [{ scheduleId: mate, scheduleItems: {} }]],
    ['an item that is nothing', [{ scheduleId: mate, scheduleItems: [null] }]],
    ['an item without a start', [{ scheduleId: mate, scheduleItems: [{ ...item, start: undefined }] }]],
    ['an item without an end', [{ scheduleId: mate, scheduleItems: [{ ...item, end: null }] }]],
    ['a free item without a time', [{ scheduleId: mate, scheduleItems: [item, { status: 'free' }] }]],
    ['an item with a time that is none', [{ scheduleId: mate, scheduleItems: [{ ...item, end: utc('soon') }] }]],
    [
      'an item with a day that is none',
      [{ scheduleId: mate, scheduleItems: [{ ...item, end: utc('2026-13-40T10:00') }] }],
    ],
    [
      'an item in a zone that is none',
      [{ scheduleId: mate, scheduleItems: [{ ...item, end: utc('2026-11-23T12:00', 'Mars') }] }],
    ],
    [
      'an item that ends before it starts',
      [{ scheduleId: mate, scheduleItems: [{ ...item, start: item.end, end: item.start }] }],
    ],
    ['a view that is busy, and no items', [{ scheduleId: mate, availabilityView: '0020', scheduleItems: [] }]],
  ])('%s is an error of that person alone', async (_, rows) => {
    const { sandbox, provider } = await signedIn(tenantOf({}));
    answerWith(sandbox, { value: [...rows, { scheduleId: 'b@xebia.example', scheduleItems: [item] }] });
    const answers = await freeBusy(provider, [mate, 'b@xebia.example'], DAY);
    expect(answers.map(told)).toEqual(['BAD_RESPONSE', ['2026-11-23T10:00 2026-11-23T11:00 busy']]);
  });

  test.each(['{}', '[]', 'null', '{"value":{}}', '{"value":', '<html>hotel</html>'])(
    '%s with status 200 is no answer',
    async (body) => {
      const { sandbox, provider } = await signedIn(tenantOf({ [mate]: busyDay }));
      sandbox.fail({ match: isSchedule, status: 200, body });
      await expect(freeBusy(provider, [mate], DAY)).rejects.toMatchObject({ code: 'BAD_RESPONSE', account: 'xebia' });
    },
  );

  test('what is said in other words is read: capital letters, another zone, statuses that nobody knows', async () => {
    const { sandbox, provider } = await signedIn(tenantOf({}));
    const noon = { start: utc('2026-11-23T12:00:00'), end: utc('2026-11-23T13:00:00') };
    answerWith(sandbox, {
      value: [
        {
          scheduleId: mate.toUpperCase(),
          availabilityView: '',
          scheduleItems: [
            { ...item, status: 'Tentative' },
            { ...noon, status: 'onTheMoon' },
            {
              start: utc('2026-11-23T15:00', 'W. Europe Standard Time'),
              end: utc('2026-11-23T15:30', 'Europe/Amsterdam'),
            },
            { ...noon, status: 'WorkingElsewhere' },
            { ...noon, status: 'constructor' },
          ],
        },
      ],
    });
    const [answer] = await freeBusy(provider, [mate], DAY);
    expect(told(answer)).toEqual([
      '2026-11-23T10:00 2026-11-23T11:00 tentative',
      '2026-11-23T12:00 2026-11-23T13:00 unknown',
      '2026-11-23T14:00 2026-11-23T14:30 unknown',
    ]);
  });

  test('somebody of whom a part of the range is not known is not known', async () => {
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: busyDay, 'b@xebia.example': busyDay }));
    sandbox.fail({ match: isSchedule, times: 1, status: 400 });
    const range = rangeOf('2026-11-23T00:00', '2027-02-23T00:00');
    const answers = await freeBusy(provider, [mate, 'b@xebia.example'], range);
    expect(answers.map(told)).toEqual(['BAD_RESPONSE', 'BAD_RESPONSE']);
  });

  test('a request that failed is an error of the people in it', async () => {
    const people = Array.from({ length: 21 }, (_, index) => `p${index}@xebia.example`);
    const { sandbox, provider } = await signedIn(
      tenantOf(Object.fromEntries(people.map((person) => [person, busyDay]))),
    );
    sandbox.fail({ match: isSchedule, times: 1, status: 403 });
    const answers = await freeBusy(provider, people, DAY);
    const failed = answers.filter((answer) => told(answer) === 'FORBIDDEN').map(({ person }) => person);
    expect([people.slice(0, 20), people.slice(20)]).toContainEqual(failed);
    for (const answer of answers) if (!failed.includes(answer.person)) expect(told(answer)).toHaveLength(1);
  });

  test.each([
    [403, 'FORBIDDEN', /does not allow/],
    [400, 'BAD_RESPONSE', /refused/],
    [302, 'BAD_RESPONSE', /redirect/],
  ])('%i for everything is thrown as %s', async (status, code, message) => {
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: busyDay }));
    sandbox.fail({ match: isSchedule, status, body: '{"error":{"code":"x","message":"CANARY"}}' });
    const error = await freeBusy(provider, [mate], rangeOf('2026-11-23T00:00', '2027-02-23T00:00')).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code, message: expect.stringMatching(message), account: 'xebia' });
    expect(`${(error as Error).message} ${(error as { hint?: string }).hint}`).not.toContain('CANARY');
  });

  test('429 and 503 in passing are asked again; lasting ones are thrown', async () => {
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: busyDay }));
    const again = { match: isSchedule, times: 1, headers: { 'retry-after': '0' } };
    sandbox.fail({ ...again, status: 429 });
    sandbox.fail({ ...again, status: 503 });
    expect(told((await freeBusy(provider, [mate], DAY))[0])).toHaveLength(1);
    expect(sandbox.requests.filter(isSchedule).map(({ status }) => status)).toEqual([429, 503, 200]);
    sandbox.fail({ match: isSchedule, status: 500 });
    await expect(freeBusy(provider, [mate], DAY, 2_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  test('a server that hangs costs the deadline, and nobody is free', async () => {
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: busyDay }));
    sandbox.fail({ match: isSchedule, hang: true });
    const started = performance.now();
    await expect(freeBusy(provider, [mate], DAY, 500)).rejects.toThrow();
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('a token that expired is renewed', async () => {
    const { sandbox, provider } = await signedIn(tenantOf({ [mate]: busyDay }));
    sandbox.expireAccessTokens();
    expect(told((await freeBusy(provider, [mate], DAY))[0])).toHaveLength(1);
  });
});

/** What the next requests get instead of an answer of the sandbox. */
function answerWith(sandbox: Sandbox, body: unknown): void {
  sandbox.fail({ match: isSchedule, status: 200, body: JSON.stringify(body) });
}
