import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../src/accounts/load.ts';
import { type App, openApp } from '../../src/accounts/registry.ts';
import { CalmcpError } from '../../src/core/errors.ts';
import type { Calendar, CalendarEvent } from '../../src/core/event.ts';
import type { CalendarProvider, Call, ProviderDefinition } from '../../src/core/provider.ts';
import { listCalendars } from '../../src/operations/list-calendars.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import { NOW, noChildren, silentLog } from '../harness.ts';

const calendar = (name: string): Calendar => ({ id: name, name, isDefault: name === 'Work', access: 'read' });

function event(account: string, inCalendar: Calendar, title = 'Here'): CalendarEvent {
  const at = (hour: number) =>
    ({ kind: 'timed', epochMs: Date.parse(`2026-11-23T${hour}:00:00Z`), zone: null }) as const;
  return {
    account,
    calendar: inCalendar,
    id: `${inCalendar.id}/${title}`,
    uid: null,
    recurrenceKey: null,
    kind: 'single',
    start: at(10),
    end: at(11),
    title,
    busy: 'busy',
    status: 'confirmed',
    sensitivity: 'normal',
    myResponse: 'none',
    type: 'default',
    updated: null,
    readOnly: true,
  };
}

type Behaviour = (account: string) => Partial<CalendarProvider>;

const well: Behaviour = (account) => ({
  listCalendars: async () => [calendar('Work')],
  readCalendars: async (asked) => asked.map((each) => ({ calendar: each, events: [event(account, each)], asOf: 0 })),
});

/** An app in which each account behaves as told. */
function appOf(behaviours: Readonly<Record<string, Behaviour>>, extra = '', deadlineMs = 200): App {
  const scripted: ProviderDefinition = {
    type: 'scripted',
    title: 'behaves as a test tells it',
    options: z.strictObject({}),
    open: async (_options, { account }) =>
      ({ ...well(account), ...behaviours[account]?.(account) }) as CalendarProvider,
  };
  const text = `version: 1\naccounts:\n${Object.keys(behaviours)
    .map((id) => `  ${id}: { provider: scripted${extra} }`)
    .join('\n')}`;
  return openApp({
    config: parseConfig({ name: 'accounts.yaml', text, env: {}, readReference: () => undefined }, [scripted]),
    secrets: () => {
      throw new TypeError('no secrets');
    },
    fetch: globalThis.fetch,
    readFile: async () => [],
    now: () => Temporal.Instant.from(NOW),
    systemTimeZone: 'UTC',
    children: noChildren,
    sign: async (text) => text,
    log: silentLog,
    deadlineMs,
  });
}

const today = (app: App, signal = new AbortController().signal): Promise<Agenda> =>
  listEvents.run(app, { range: 'today', detail: 'full' }, { signal });

describe('an account that is in trouble', () => {
  test.each<[string, Behaviour, object]>([
    [
      'hangs and heeds its signal',
      () => ({
        listCalendars: ({ signal }: Call) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
      }),
      { status: 'unavailable', message: 'did not answer within 0.2 s' },
    ],
    [
      'hangs and does not heed its signal',
      () => ({ readCalendars: () => new Promise(() => undefined) }),
      { status: 'unavailable', message: 'did not answer within 0.2 s' },
    ],
    [
      'needs a login',
      () => ({
        listCalendars: () =>
          Promise.reject(new CalmcpError('AUTH_REQUIRED', 'gone', { hint: 'run: calmcp login --account <account>' })),
      }),
      { status: 'needs-login', hint: 'run: calmcp login --account bad' },
    ],
    [
      'is throttled',
      () => ({ listCalendars: () => Promise.reject(new CalmcpError('RATE_LIMITED', 'wait', { retryAfterMs: 6_400 })) }),
      { status: 'rate-limited', retryAfterSeconds: 7 },
    ],
    [
      'is forbidden',
      () => ({ listCalendars: () => Promise.reject(new CalmcpError('FORBIDDEN', 'no')) }),
      { status: 'forbidden' },
    ],
    [
      'has a mistake in its code',
      () => ({ readCalendars: () => Promise.reject(new TypeError('CANARY')) }),
      { status: 'unavailable', message: 'something in calmcp went wrong' },
    ],
    [
      'throws before it promises',
      () => ({
        listCalendars: () => {
          throw new TypeError('CANARY');
        },
      }),
      { status: 'unavailable', message: 'something in calmcp went wrong' },
    ],
    [
      'answers for fewer calendars than asked',
      () => ({ readCalendars: async () => [] }),
      { status: 'unavailable', message: 'something in calmcp went wrong' },
    ],
    [
      'has no calendar',
      () => ({ listCalendars: async () => [] }),
      { status: 'unavailable', message: 'the account has no calendar' },
    ],
    [
      'fails in its only calendar',
      () => ({
        readCalendars: async (asked) =>
          asked.map((each) => ({ calendar: each, error: new CalmcpError('NOT_FOUND', 'gone') })),
      }),
      { status: 'unavailable', message: 'gone' },
    ],
  ])('that %s is unknown, and the other one answers', async (_name, bad, coverage) => {
    const { complete, accounts, events } = await today(appOf({ bad, good: well }));
    expect(complete).toBe(false);
    expect(accounts).toMatchObject([
      { account: 'bad', ...coverage },
      { account: 'good', status: 'ok' },
    ]);
    expect(events.map(({ accounts: own }) => own)).toEqual([['good']]);
    expect(JSON.stringify(accounts)).not.toContain('CANARY');
  });

  test('one calendar of several that fails makes the account partial, and is named', async () => {
    const app = appOf({
      some: (account) => ({
        listCalendars: async () => ['Work', 'Team', 'Home'].map(calendar),
        readCalendars: async (asked) =>
          asked.map((each) =>
            each.name === 'Team'
              ? { calendar: each, error: new CalmcpError('UNAVAILABLE', 'broken') }
              : {
                  calendar: each,
                  events: [event(account, each, each.name)],
                  asOf: 0,
                  ...(each.name === 'Home'
                    ? { problems: [new CalmcpError('BAD_RESPONSE', 'one series is too large')] }
                    : {}),
                },
          ),
      }),
    });
    const { complete, accounts, events } = await today(app);
    expect(complete).toBe(false);
    expect(accounts).toMatchObject([
      { status: 'partial', calendars: 2, problems: ['Team: broken', 'Home: one series is too large'] },
    ]);
    expect(events).toHaveLength(2);
  });

  test.each<[string, Partial<CalendarEvent>]>([
    ['a moment beyond all time', { end: { kind: 'timed', epochMs: 9e15, zone: null } }],
    ['no number', { start: { kind: 'timed', epochMs: Number.NaN, zone: null } }],
    ['the year 12000', { end: { kind: 'timed', epochMs: Date.UTC(12_000, 1), zone: null } }],
    ['no date', { start: { kind: 'date', date: 'garbage' }, end: { kind: 'date', date: 'garbage2' } }],
    [
      'a day that does not exist',
      { start: { kind: 'date', date: '2026-02-30' }, end: { kind: 'date', date: '2026-03-01' } },
    ],
  ])('one event with %s costs its calendar, not the answer', async (_name, odd) => {
    const bad: Behaviour = (account) => ({
      readCalendars: async (asked) =>
        asked.map((each) => ({ calendar: each, events: [{ ...event(account, each), ...odd }], asOf: 0 })),
    });
    const { complete, accounts, events } = await today(appOf({ bad, good: well }));
    expect(complete).toBe(false);
    expect(accounts).toMatchObject([
      { status: 'unavailable', message: 'an event in it has a time that is none' },
      { status: 'ok' },
    ]);
    expect(events).toHaveLength(1);
  });

  test('what a calendar is called cannot steer the screen it is named on', async () => {
    const nasty = '\u001b]0;owned\u0007\u202eTeam';
    const bad: Behaviour = () => ({
      listCalendars: async () => [calendar('Work'), calendar(nasty)],
      readCalendars: async (asked) =>
        asked.map((each) =>
          each.name === 'Work'
            ? { calendar: each, events: [], asOf: 0 }
            : { calendar: each, error: new CalmcpError('NOT_FOUND', `${nasty} is gone`) },
        ),
    });
    const { accounts } = await today(appOf({ bad }));
    expect(accounts[0]?.problems).toEqual([']0;ownedTeam: ]0;ownedTeam is gone']);
  });

  test('one deadline holds for all, however many hang', async () => {
    const hang: Behaviour = () => ({ listCalendars: () => new Promise(() => undefined) });
    const started = performance.now();
    await today(appOf({ a: hang, b: hang, c: hang, good: well }));
    expect(performance.now() - started).toBeLessThan(1_000);
  });

  test('F02: all in trouble is an error with every reason, not an empty day', async () => {
    const no: Behaviour = () => ({ listCalendars: () => Promise.reject(new CalmcpError('UNAVAILABLE', 'down')) });
    const login: Behaviour = () => ({
      listCalendars: () => Promise.reject(new CalmcpError('AUTH_REQUIRED', 'gone', { hint: 'log in' })),
    });
    await expect(today(appOf({ a: no, b: login }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      problems: ['a: down', 'b: gone'],
      hint: 'log in',
    });
    await expect(today(appOf({ a: login, b: login }))).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
  });
});

test('an asker who gives up gets no answer, and what runs for it is ended', async () => {
  let ended = false;
  const slow: Behaviour = () => ({
    listCalendars: ({ signal }: Call) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          ended = true;
          reject(signal.reason);
        }),
      ),
  });
  const asker = new AbortController();
  const answer = today(appOf({ slow, good: well }, '', 10_000), asker.signal);
  const reason = new Error('never mind');
  await new Promise((resolve) => setTimeout(resolve, 20));
  asker.abort(reason);
  await expect(answer).rejects.toBe(reason);
  expect(ended).toBe(true);
});

test('an account that opens badly once is opened anew the next time', async () => {
  let opened = 0;
  const definition: ProviderDefinition = {
    type: 'flaky',
    title: 'fails at first',
    options: z.strictObject({}),
    async open(_options, { account }) {
      if (opened++ === 0) throw new CalmcpError('UNAVAILABLE', 'not yet');
      return well(account) as CalendarProvider;
    },
  };
  const app = openApp({
    config: parseConfig(
      { name: 'a', text: 'version: 1\naccounts: { a: { provider: flaky } }', env: {}, readReference: () => undefined },
      [definition],
    ),
    secrets: () => {
      throw new TypeError('no secrets');
    },
    fetch: globalThis.fetch,
    readFile: async () => [],
    now: () => Temporal.Instant.from(NOW),
    systemTimeZone: 'UTC',
    children: noChildren,
    sign: async (text) => text,
    log: silentLog,
  });
  await expect(today(app)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect((await today(app)).complete).toBe(true);
  expect(opened).toBe(2);
});

describe('the calendars of an account', () => {
  const three: Behaviour = () => ({
    listCalendars: async () => ['Work', 'Workshops', 'Birthdays (private)'].map(calendar),
  });
  test.each([
    ['', ['Work', 'Workshops', 'Birthdays (private)'], undefined],
    [', calendars: { include: ["work*"] }', ['Work', 'Workshops'], 1],
    [', calendars: { exclude: ["Birthdays (private)"] }', ['Work', 'Workshops'], 1],
    [', calendars: { include: ["*"], exclude: ["*shops", "*day*"] }', ['Work'], 2],
    [', calendars: { include: ["Work"] }', ['Work'], 2],
  ])('filtered by %j are the ones that count', async (filter, names, skipped) => {
    const app = appOf({ a: three }, filter);
    const { accounts, events } = await today(app);
    expect(events.map((item) => item.calendar).sort()).toEqual([...names].sort());
    expect(accounts[0]?.skipped).toBe(skipped);
    const { calendars } = await listCalendars.run(app, {}, { signal: new AbortController().signal });
    expect(calendars.filter((each) => !each.skipped).map(({ name }) => name)).toEqual(names);
  });

  test('a name to include that no calendar has makes the answer incomplete: it may have been renamed', async () => {
    const { complete, accounts } = await today(appOf({ a: three }, ', calendars: { include: ["Work", "Team"] }'));
    expect(complete).toBe(false);
    expect(accounts).toMatchObject([
      { status: 'partial', problems: ['no calendar is called "Team" (calendars.include)'] },
    ]);
  });

  test('all excluded is a mistake that is told, not an empty day', async () => {
    await expect(today(appOf({ a: three }, ', calendars: { include: ["Nothing"] }'))).rejects.toMatchObject({
      message: expect.stringMatching(/all excluded/),
    });
  });
});
