/** Two tenants with one client id and a Google account, each through a child server of its own: real packages, our sandbox. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import type { CalendarEvent } from '../../src/core/event.ts';
import type { CalendarProvider, ReadDepth } from '../../src/core/provider.ts';
import { getFreeBusy } from '../../src/operations/get-free-busy.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import { homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
import { childLine, withChild } from '../children.ts';
import {
  googleAccounts,
  googleSignIn,
  joinAccounts,
  MARIMER,
  microsoftAccounts,
  openCall,
  openSandbox,
  openTestApp,
  signIn,
  XEBIA,
} from '../harness.ts';
import { ask } from '../operations/questions.ts';

const USERS = { xebia: 'you@xebia.example', marimer: 'you@marimer.example', casa: 'you@home.example' } as const;
type AccountId = keyof typeof USERS;
const ACCOUNTS = Object.keys(USERS) as AccountId[];
const TENANTS: Readonly<Record<string, string>> = {
  [USERS.xebia]: XEBIA.tenantId,
  [USERS.marimer]: MARIMER.tenantId,
};

function threeAccounts(sandbox: Sandbox): string {
  return joinAccounts(
    microsoftAccounts(sandbox, [XEBIA, MARIMER]),
    googleAccounts(sandbox, [{ id: 'casa', ...homeGoogleClient }]),
  );
}

async function openSignedIn(sandbox: Sandbox, yaml: string): Promise<App> {
  const { app } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', USERS.xebia);
  await signIn(app, sandbox, 'marimer', USERS.marimer);
  await googleSignIn(app, sandbox, 'casa', USERS.casa);
  return app;
}

/** Ids of the calendars of one person, and titles of all events in them. */
function ownedBy(sandbox: Sandbox, username: string): { calendars: Set<string>; titles: Set<unknown> } {
  const { mailboxes } = sandbox.data;
  const own = mailboxes.find((mailbox) => mailbox.username === username)?.calendars ?? [];
  const shared = sandbox.google.data.calendars.filter(({ access }) => access[username] ?? access['*']);
  return {
    calendars: new Set([...own, ...shared].map(({ id }) => id)),
    titles: new Set([
      ...own.flatMap(({ events }) => events.map(({ properties }) => properties.subject)),
      ...shared.flatMap(({ events }) => events.map(({ properties }) => properties.summary ?? null)),
      'Busy',
    ]),
  };
}

describe.each(['http', 'stdio'])('two ms-365 children (%s) and a google-calendar one beside them', (transport) => {
  test('answer twenty questions at once, each account with its own events, read with its own token', async () => {
    const sandbox = await openSandbox({ delayMs: 5 });
    const yaml = withChild(threeAccounts(sandbox), childLine('ms-365', sandbox, { transport }), ['xebia', 'marimer']);
    const app = await openSignedIn(sandbox, withChild(yaml, childLine('google-calendar', sandbox), ['casa']));
    const warnings: Error[] = [];
    const hear = (warning: Error): number => warnings.push(warning);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));

    const asked = sandbox.requests.length;
    const week = (accounts?: string): Promise<Agenda> =>
      ask(listEvents, app, { range: 'this week', detail: 'full', ...(accounts ? { accounts } : {}) });
    const [agendas, everything, busyTimes] = await Promise.all([
      Promise.all(ACCOUNTS.flatMap((id) => [1, 2, 3, 4].map(async () => ({ id, agenda: await week(id) })))),
      Promise.all([week(), week()]),
      Promise.all(
        ACCOUNTS.flatMap((id) =>
          [1, 2].map(async () => ({ id, answer: await ask(getFreeBusy, app, { range: 'this week', accounts: id }) })),
        ),
      ),
    ]);

    for (const { id, agenda } of agendas) {
      expect(agenda.complete, id).toBe(true);
      expect(agenda.events.length).toBeGreaterThan(3);
      const { titles } = ownedBy(sandbox, USERS[id]);
      for (const { title, accounts } of agenda.events) {
        expect(titles, id).toContain(title);
        expect(accounts).toEqual([id]);
      }
    }
    const titled = (id: AccountId): unknown[] =>
      agendas.find((each) => each.id === id)?.agenda.events.map(({ title }) => title) ?? [];
    expect(titled('xebia')).toContain('Sprint planning');
    expect(titled('marimer')).toContain('Aurora go/no-go');
    for (const all of everything) {
      expect(all.complete).toBe(true);
      expect(all.accounts.map(({ account, status }) => [account, status])).toEqual(ACCOUNTS.map((id) => [id, 'ok']));
    }
    for (const { answer } of busyTimes) expect(answer.complete).toBe(true);

    // What the sandbox saw: every calendar was read with the token of whoever it belongs to, in that person's tenant.
    const reads = sandbox.requests.slice(asked).filter(({ path }) => /^\/(?:v1\.0|google\/calendar)\//.test(path));
    expect(new Set(reads.map(({ mailbox }) => mailbox))).toEqual(new Set(Object.values(USERS)));
    const views = reads.flatMap(({ path, mailbox, status, tenant }) => {
      const id = /\/calendars\/([^/]+)\/(?:calendarView|events)$/.exec(path)?.[1];
      expect(status, path).toBe(200);
      expect(tenant).toBe(TENANTS[mailbox ?? '']);
      return id === undefined ? [] : [{ id: decodeURIComponent(id), mailbox: mailbox ?? '' }];
    });
    expect(views.length).toBeGreaterThan(40);
    for (const { id, mailbox } of views) expect(ownedBy(sandbox, mailbox).calendars).toContain(id);
    // All of it came from the children: nobody asks Graph with our own client.
    expect(new Set(reads.map(({ host }) => host))).toEqual(
      new Set(['graph.microsoft.com', new URL(sandbox.origin).host]),
    );
    expect(warnings).toEqual([]);
  }, 60_000);
});

const RANGE = {
  start: Date.parse('2026-11-09T00:00:00Z'),
  end: Date.parse('2027-01-18T00:00:00Z'),
  timeZone: 'Europe/Amsterdam',
};

/** By calendar and time; what the sandbox holds has no two of the same. */
async function readAll(provider: CalendarProvider, depth: ReadDepth): Promise<Map<string, CalendarEvent>> {
  const calendars = await provider.listCalendars(openCall());
  const reads = await provider.readCalendars(calendars, RANGE, openCall(), depth);
  const events = reads.flatMap((read) => {
    if ('error' in read) throw read.error;
    expect(read.problems ?? []).toEqual([]);
    return read.events;
  });
  const keyed = new Map(
    events.map((event) => [JSON.stringify([event.calendar.id, event.start, event.end, event.title, event.uid]), event]),
  );
  expect(keyed.size).toBe(events.length);
  return keyed;
}

describe('the same events, field by field, as the direct way reads', () => {
  /**
   * What cannot be the same. ms-365 sends no header that asks for immutable ids, so the ids of events and series are those
   * that change when an event moves to another folder. google-calendar leaves the etag out, and the calendars that are hidden in
   * the list; nothing of calmcp's reading depends on either.
   */
  const ways = [
    { account: 'xebia', server: 'ms-365', more: { transport: 'http' }, different: ['id', 'seriesId'] },
    { account: 'marimer', server: 'ms-365', more: { transport: 'stdio' }, different: ['id', 'seriesId'] },
    { account: 'casa', server: 'google-calendar', more: {}, different: ['etag'] },
  ] as const;

  test.each(ways)('$account through $server $more', async ({ account, server, more, different }) => {
    const sandbox = await openSandbox();
    const yaml = threeAccounts(sandbox);
    const direct = await openSignedIn(sandbox, yaml);
    const through = await openSignedIn(sandbox, withChild(yaml, childLine(server, sandbox, more), [account]));
    const [one, other] = [await direct.account(account).open(), await through.account(account).open()];
    const wanted = (await one.listCalendars(openCall())).filter(({ name }) => name !== 'Sports club (old)');
    expect(await other.listCalendars(openCall())).toEqual(wanted);
    const without = (event: CalendarEvent | undefined): unknown => {
      if (event === undefined) return undefined;
      const copy: Record<string, unknown> = { ...event };
      for (const field of different) {
        // There or not in both, apart from the etag.
        if (field in copy && field !== 'etag') copy[field] = typeof copy[field];
        if (field === 'etag') delete copy[field];
      }
      return copy;
    };
    for (const depth of ['agenda', 'full'] as const) {
      const [expected, got] = [await readAll(one, depth), await readAll(other, depth)];
      for (const key of [...expected.keys()])
        if (expected.get(key)?.calendar.name === 'Sports club (old)') expected.delete(key);
      expect(expected.size).toBeGreaterThan(9);
      expect([...got.keys()].sort()).toEqual([...expected.keys()].sort());
      for (const [key, event] of got) expect(without(event), key).toEqual(without(expected.get(key)));
      // Occurrences of one series have the same series, those of another one another.
      const pairs = [...got].flatMap(([key, { seriesId }]) => {
        const theirs = expected.get(key)?.seriesId;
        return seriesId === undefined || theirs === undefined ? [] : [[theirs, seriesId] as const];
      });
      expect(pairs.length).toBeGreaterThan(1);
      expect(new Set(pairs.map(([theirs]) => theirs)).size).toBe(new Map(pairs.map((pair) => [String(pair), 1])).size);
    }
  });
});
