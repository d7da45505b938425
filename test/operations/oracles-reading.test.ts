/** Cases of reading that every calendar program gets wrong once, from the backend to the answer. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { listCalendars } from '../../src/operations/list-calendars.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import {
  calendar,
  event,
  googleCalendar,
  googleEvent,
  type Sandbox,
  type SandboxRequest,
  sharedGoogleClient,
  singleGoogleAccount,
  singleMailbox,
} from '../../src/sandbox/index.ts';
import {
  googleAccounts,
  googleSignIn,
  MARIMER,
  microsoftAccounts,
  openCall,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  XEBIA,
} from '../harness.ts';

const asker = { signal: new AbortController().signal };
const isView = ({ path }: { path: string }): boolean => path.endsWith('/calendarView');
const isEvents = ({ path }: { path: string }): boolean => path.endsWith('/events');
const at = { start: '2026-11-23T10:00', end: '2026-11-23T11:00' } as const;

const agenda = (app: App): Promise<Agenda> => listEvents.run(app, { range: '2026-11-23', detail: 'full' }, asker);
const titles = ({ events }: Agenda): unknown[] => events.map(({ title }) => title).sort();

async function openGoogle(sandbox: Sandbox, more = ''): Promise<App> {
  const { clientId, clientSecret } = sharedGoogleClient;
  const { app } = await openTestApp(googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more }]));
  await googleSignIn(app, sandbox, 'home', 'you@home.example');
  return app;
}

/** Plays `then` as the first request of that kind arrives, before it is answered. */
function once(sandbox: Sandbox, which: (request: { path: string }) => boolean, then: () => void): void {
  let done = false;
  sandbox.fail({
    match: (request) => {
      if (!done && which(request)) {
        done = true;
        then();
      }
      return false;
    },
  });
}

describe('W11: a calendar that its owner does not show', () => {
  const shown = (name: string) => googleCalendar(name, [googleEvent({ summary: name, ...at })]);
  async function setting(): Promise<Sandbox> {
    const googleData = singleGoogleAccount([googleEvent({ summary: 'primary', ...at })], {
      others: ['ticked', 'unticked', 'hidden'].map((name) => ({ ...shown(name), access: { '*': 'reader' as const } })),
    });
    const [user] = googleData.users;
    if (user)
      user.calendarList = user.calendarList.map((entry) => ({
        ...entry,
        selected: entry.calendarId !== 'unticked',
        hidden: entry.calendarId === 'hidden',
      }));
    return openSandbox({ googleData });
  }

  test('is left out and counted as such', async () => {
    const app = await openGoogle(await setting());
    const answer = await agenda(app);
    expect(titles(answer)).toEqual(['primary', 'ticked']);
    expect(answer.complete).toBe(true);
    expect(answer.accounts).toMatchObject([{ status: 'ok', calendars: 2, skipped: 2 }]);
    const { calendars } = await listCalendars.run(app, {}, asker);
    expect(calendars.flatMap(({ name, skipped }) => (skipped ? [name] : [])).sort()).toEqual(['hidden', 'unticked']);
  });

  test('is read where accounts.yaml names it', async () => {
    const app = await openGoogle(await setting(), 'calendars: { include: [primary, Unticked, hid*] }');
    const answer = await agenda(app);
    expect(titles(answer)).toEqual(['hidden', 'unticked']);
    expect(answer.accounts[0]).toMatchObject({ calendars: 2, skipped: 2 });
  });
});

describe('W12: a calendar that is deleted between the list and the reading', () => {
  function check(answer: Agenda): void {
    expect(titles(answer)).toEqual(['stays']);
    expect(answer.complete).toBe(false);
    expect(answer.accounts).toMatchObject([
      { status: 'partial', calendars: 1, problems: [expect.stringMatching(/^goes: /)] },
    ]);
  }

  test.each([1, 5])('makes a Microsoft account with %i others partial, and is named', async (others) => {
    const calendars = [
      'goes',
      ...Array.from({ length: others }, (_, index) => (index === 0 ? 'stays' : `other ${index}`)),
    ].map((name) => calendar(name, name.startsWith('other') ? [] : [event({ subject: name, ...at })]));
    const sandbox = await openSandbox({ data: singleMailbox(calendars) });
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    const [box] = sandbox.data.mailboxes;
    once(
      sandbox,
      ({ path }) => isView({ path }) || path.endsWith('$batch'),
      () => box?.calendars.shift(),
    );
    const answer = await agenda(app);
    expect(titles(answer)).toEqual(['stays']);
    expect(answer.complete).toBe(false);
    expect(answer.accounts).toMatchObject([
      { status: 'partial', calendars: others, problems: [expect.stringMatching(/^goes: /)] },
    ]);
    // The list is not remembered: the next answer knows that it is gone.
    expect((await agenda(app)).accounts).toMatchObject([{ status: 'ok', calendars: others }]);
  });

  test('makes a Google account partial, and is named', async () => {
    const goes = googleCalendar('goes', [googleEvent({ summary: 'goes', ...at })], {
      access: { 'you@home.example': 'owner' },
    });
    const googleData = singleGoogleAccount([googleEvent({ summary: 'stays', ...at })], { others: [goes] });
    const sandbox = await openSandbox({ googleData });
    const app = await openGoogle(sandbox);
    once(sandbox, isEvents, () => sandbox.google.data.calendars.pop());
    check(await agenda(app));
    expect((await agenda(app)).accounts).toMatchObject([{ status: 'ok', calendars: 1 }]);
  });

  // One question reads a folder once: inside of one, no file can go.
  test('is an error of its file, and of no other, where a folder is asked twice', async () => {
    const folder = await temporaryFolder();
    const file = (name: string): string =>
      ['BEGIN:VCALENDAR', 'VERSION:2.0', 'BEGIN:VEVENT', `UID:${name}`, `SUMMARY:${name}`, 'DTSTART:20261123T100000Z']
        .concat('END:VEVENT', 'END:VCALENDAR', '')
        .join('\r\n');
    for (const name of ['goes', 'stays']) await writeFile(join(folder, `${name}.ics`), file(name));
    const { app } = await openTestApp('version: 1\naccounts:\n  files: { provider: ics, path: . }\n', { folder });
    const provider = await app.account('files').open();
    const calendars = await provider.listCalendars(openCall());
    await rm(join(folder, 'goes.ics'));
    const range = { start: Date.parse('2026-11-23T00:00Z'), end: Date.parse('2026-11-24T00:00Z'), timeZone: 'UTC' };
    const reads = await provider.readCalendars(calendars, range, openCall());
    expect(reads.map((read) => ('error' in read ? read.error.code : read.events.map(({ title }) => title)))).toEqual([
      'NOT_FOUND',
      ['stays'],
    ]);
  });
});

describe('F12: a sign-in that is revoked while a question is answered', () => {
  const tokenRequests = (requests: readonly SandboxRequest[]): number =>
    requests.filter(({ path }) => path.endsWith('/token')).length;

  test('is needs-login for that account alone at Microsoft, without a storm of retries', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA, MARIMER]));
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    await signIn(app, sandbox, 'marimer', 'you@marimer.example');
    once(sandbox, isView, () => sandbox.revoke('you@xebia.example'));
    const before = [...sandbox.requests];
    const answer = await agenda(app);
    expect(answer.complete).toBe(false);
    expect(answer.accounts).toMatchObject([
      { account: 'xebia', status: 'needs-login', hint: 'run: calmcp login --account xebia' },
      { account: 'marimer', status: 'ok' },
    ]);
    expect(answer.events.every(({ id }) => id?.startsWith('marimer'))).toBe(true);
    const asked = sandbox.requests.slice(before.length);
    expect(tokenRequests(asked)).toBe(1);
    // One list, and each of its calendars once.
    expect(asked.filter(({ mailbox }) => mailbox === 'you@xebia.example').length).toBeLessThanOrEqual(4);
    const later = sandbox.requests.length;
    expect((await agenda(app)).accounts[0]).toMatchObject({ status: 'needs-login' });
    expect(sandbox.requests.slice(later).every(({ mailbox }) => mailbox === 'you@marimer.example')).toBe(true);
  });

  test('is needs-login at Google, without a storm of retries', async () => {
    const others = ['a', 'b', 'c'].map((id) =>
      googleCalendar(id, [], { access: { 'you@home.example': 'owner' as const } }),
    );
    const sandbox = await openSandbox({ googleData: singleGoogleAccount([], { others }) });
    const app = await openGoogle(sandbox);
    once(sandbox, isEvents, () => sandbox.revoke('you@home.example'));
    const before = sandbox.requests.length;
    await expect(agenda(app)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      hint: 'run: calmcp login --account home',
    });
    const asked = sandbox.requests.slice(before);
    expect(tokenRequests(asked)).toBe(1);
    expect(asked.filter(isEvents).length).toBeLessThanOrEqual(4);
    const later = sandbox.requests.length;
    await expect(agenda(app)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect(sandbox.requests).toHaveLength(later);
  });
});

test('F11: what changed between two questions is in the second answer', async () => {
  const sandbox = await openSandbox({
    data: singleMailbox([calendar('Calendar', [event({ subject: 'old', ...at })])]),
  });
  const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  expect(titles(await agenda(app))).toEqual(['old']);
  const [own] = sandbox.data.mailboxes[0]?.calendars ?? [];
  own?.events.push(event({ subject: 'new', ...at }));
  expect(titles(await agenda(app))).toEqual(['new', 'old']);
  own?.events.splice(0);
  expect(await agenda(app)).toMatchObject({ complete: true, events: [] });
});

test('D09: a block that calmcp put there itself is not on the agenda', async () => {
  const own = { extendedProperties: { private: { calmcpMirror: '1' } } };
  const googleData = singleGoogleAccount([
    googleEvent({ summary: 'Busy', ...at, ...own }),
    googleEvent({ summary: 'Review', ...at }),
  ]);
  const app = await openGoogle(await openSandbox({ googleData }));
  expect(titles(await agenda(app))).toEqual(['Review']);
});
