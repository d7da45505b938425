import { describe, expect, test } from 'vitest';
import type { App } from '../../../src/accounts/registry.ts';
import { listCalendars } from '../../../src/operations/list-calendars.ts';
import { type Agenda, listEvents } from '../../../src/operations/list-events.ts';
import {
  googleFaults,
  harborGoogleClient,
  homeGoogleClient,
  manyGoogleEvents,
  type Sandbox,
  type SandboxOptions,
  sharedGoogleClient,
  singleGoogleAccount,
} from '../../../src/sandbox/index.ts';
import {
  googleAccounts,
  googleBrowser,
  googleSignIn,
  openCall,
  openSandbox,
  openTestApp,
  signIn,
} from '../../harness.ts';

const asker = { signal: new AbortController().signal };
const isEvents = ({ path }: { path: string }): boolean => path.endsWith('/events');

async function signedIn(
  options: SandboxOptions = {},
  { more = '', client = sharedGoogleClient, deadlineMs = 10_000 } = {},
): Promise<{ sandbox: Sandbox; app: App; yaml: string; folder: string }> {
  const sandbox = await openSandbox(options);
  const { clientId, clientSecret } = client;
  const yaml = googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more }]);
  const { app, folder } = await openTestApp(yaml, { deadlineMs });
  await googleSignIn(app, sandbox, 'home', 'you@home.example');
  return { sandbox, app, yaml, folder };
}

const agenda = (app: App, range = '2026-11-23..2026-12-31'): Promise<Agenda> =>
  listEvents.run(app, { range, detail: 'full' }, asker);
const titles = ({ events }: Agenda): (string | null | undefined)[] => events.map(({ title }) => title);

describe('a Google account', () => {
  test('shows its calendars, the hidden and unselected ones only where they are named', async () => {
    const { sandbox, app } = await signedIn({}, { client: homeGoogleClient });
    const { calendars } = await listCalendars.run(app, {}, asker);
    expect(calendars.filter(({ skipped }) => skipped).length).toBeGreaterThan(0);
    const { accounts, complete } = await agenda(app, 'this week');
    expect(complete).toBe(true);
    expect(accounts[0]).toMatchObject({ status: 'ok', skipped: calendars.filter(({ skipped }) => skipped).length });
    const hidden = calendars.find(({ skipped }) => skipped)?.name ?? '';
    const yaml = googleAccounts(sandbox, [
      { id: 'home', ...homeGoogleClient, more: `calendars: { include: [${JSON.stringify(hidden)}] }` },
    ]);
    const { app: named } = await openTestApp(yaml);
    await googleSignIn(named, sandbox, 'home', 'you@home.example');
    expect((await agenda(named, 'this week')).accounts[0]).toMatchObject({ calendars: 1 });
  });

  test('W14: of a calendar of which it may see busy times it shows busy times', async () => {
    const { app } = await signedIn({}, { client: homeGoogleClient });
    const { calendars } = await listCalendars.run(app, {}, asker);
    const opaque = calendars.find(({ access }) => access === 'free-busy');
    const blocks = (await agenda(app)).events.filter((item) => item.calendar === opaque?.name);
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) {
      expect(block.title).toBe('Busy');
      expect(block).not.toHaveProperty('location');
      expect(block).not.toHaveProperty('recurring');
    }
  });

  test('S12, S15, S01: no working location, free holidays and birthdays, nothing declined', async () => {
    const { app } = await signedIn({}, { client: homeGoogleClient });
    const { events } = await agenda(app);
    expect(events.filter(({ response }) => response === 'declined')).toEqual([]);
    expect(events.filter(({ calendar, busy }) => /holiday/i.test(calendar ?? '') && busy !== 'free')).toEqual([]);
    for (const { title } of events) expect(title ?? '').not.toMatch(/working location/i);
  });

  test('W04: 2,501 events of one calendar are all listed', async () => {
    const { sandbox, app } = await signedIn({
      googleData: singleGoogleAccount(manyGoogleEvents(2_501, '2026-11-23T08:00')),
    });
    const { events, complete } = await agenda(app);
    expect([events.length, complete]).toEqual([2_501, true]);
    expect(sandbox.requests.filter(isEvents)).toHaveLength(2);
    for (const { query } of sandbox.requests.filter(isEvents))
      expect(query).toMatchObject({
        singleEvents: 'true',
        maxResults: '2500',
        eventTypes: expect.stringContaining('focusTime'),
        fields: expect.stringContaining('items('),
      });
  });

  test('the meeting that is in a Microsoft mailbox too is one', async () => {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = harborGoogleClient;
    const yaml = `${googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret }])}  xebia:
    provider: microsoft
    clientId: 11111111-1111-1111-1111-111111111111
    tenantId: 22222222-2222-2222-2222-222222222222
    cloud: { authority: "${sandbox.origin}", graph: "${sandbox.origin}" }
`;
    const { app } = await openTestApp(yaml);
    await googleSignIn(app, sandbox, 'home', 'you@harbor.example');
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    const { events } = await agenda(app, 'this week');
    const steering = events.filter(({ title }) => title === 'Steering committee');
    expect(steering.map(({ accounts }) => [...(accounts ?? [])].sort())).toEqual([['home', 'xebia']]);
  });
});

describe('access', () => {
  async function askedScopes(more: string): Promise<string> {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = sharedGoogleClient;
    const { app } = await openTestApp(googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more }]));
    let asked = '';
    await app.account('home').signIn(
      {
        method: 'browser',
        deviceCode: () => undefined,
        openUrl: async (url) => {
          asked = new URL(url).searchParams.get('scope') ?? '';
          await googleBrowser(sandbox, 'you@home.example')(url);
        },
        pasteAnswer: async () => '',
      },
      openCall(),
    );
    return asked;
  }

  test.each([
    ['access: busy', 'openid email https://www.googleapis.com/auth/calendar.freebusy'],
    [
      '',
      'openid email https://www.googleapis.com/auth/calendar.events.readonly https://www.googleapis.com/auth/calendar.calendarlist.readonly https://www.googleapis.com/auth/calendar.events.freebusy',
    ],
    [
      'access: write',
      'openid email https://www.googleapis.com/auth/calendar.events https://www.googleapis.com/auth/calendar.calendarlist.readonly https://www.googleapis.com/auth/calendar.events.freebusy',
    ],
  ])('%j asks for no more than it says', async (more, scopes) => {
    expect(await askedScopes(more)).toBe(scopes);
  });

  test('busy gets blocks of the primary calendar', async () => {
    const { app } = await signedIn(
      { googleData: singleGoogleAccount(manyGoogleEvents(3, '2026-11-23T08:00', 'Secret')) },
      { more: 'access: busy' },
    );
    const answer = await agenda(app, '2026-11-23');
    expect(titles(answer)).toEqual(['Busy']);
    expect(answer.events[0]).toMatchObject({ start: '2026-11-23T09:00:00+01:00', end: '2026-11-23T09:45:00+01:00' });
    expect(JSON.stringify(answer)).not.toContain('Secret');
  });

  test('write added later asks for a new sign-in instead of failing strangely', async () => {
    const { sandbox, yaml, folder } = await signedIn();
    const { app } = await openTestApp(yaml.replace('    provider: google', '    provider: google\n    access: write'), {
      folder,
    });
    await expect(agenda(app)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: 'the sign-in does not cover access: write',
      hint: 'run: calmcp login --account home',
    });
    await googleSignIn(app, sandbox, 'home', 'you@home.example');
    expect((await agenda(app)).complete).toBe(true);
  });

  test('a permission that was unticked on the page is told, and nothing is kept', async () => {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = sharedGoogleClient;
    const { app } = await openTestApp(googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret }]));
    const half = app.account('home').signIn(
      {
        method: 'browser',
        deviceCode: () => undefined,
        openUrl: async (url) => {
          const back = await sandbox.google.consent(url, 'you@home.example', {
            scopes: ['openid', 'email', 'https://www.googleapis.com/auth/calendar.calendarlist.readonly'],
          });
          void fetch(back).catch(() => undefined);
        },
        pasteAnswer: async () => '',
      },
      openCall(),
    );
    await expect(half).rejects.toMatchObject({ code: 'FORBIDDEN', hint: expect.stringMatching(/every box/) });
    expect(await app.account('home').signInState()).toEqual({ state: 'needs-login' });
  });
});

describe('tokens', () => {
  test.each([false, true])(
    'are refreshed when Google refuses them (refresh tokens rotate: %s)',
    async (googleRotatesRefreshTokens) => {
      const { sandbox, app } = await signedIn({ googleRotatesRefreshTokens });
      await agenda(app);
      for (let round = 1; round <= 3; round++) {
        sandbox.expireAccessTokens();
        expect((await agenda(app)).complete).toBe(true);
        expect(sandbox.google.redemptions.filter(({ grant }) => grant === 'refresh_token')).toHaveLength(round);
      }
    },
  );

  test('a revoked grant is needs-login with the command, costs no storm, and a new sign-in mends it', async () => {
    const { sandbox, app } = await signedIn();
    sandbox.revoke('you@home.example');
    await expect(agenda(app)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      hint: 'run: calmcp login --account home',
    });
    const asked = sandbox.requests.length;
    for (let time = 0; time < 3; time++) await expect(agenda(app)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect(sandbox.requests).toHaveLength(asked);
    await googleSignIn(app, sandbox, 'home', 'you@home.example');
    expect((await agenda(app)).complete).toBe(true);
  });

  test('somebody else than pinned, or than before, is refused and nothing of it kept', async () => {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = sharedGoogleClient;
    const { app } = await openTestApp(
      googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret, more: 'username: you@home.example' }]),
    );
    await expect(googleSignIn(app, sandbox, 'home', 'you@harbor.example')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'expected you@home.example and you@harbor.example signed in; nothing of it was kept',
    });
    expect(await app.account('home').signInState()).toEqual({ state: 'needs-login' });
    await googleSignIn(app, sandbox, 'home', 'you@home.example');
    expect(await app.account('home').signInState()).toMatchObject({
      state: 'signed-in',
      identity: { username: 'you@home.example' },
    });
  });

  test('signing out revokes the grant at Google and leaves nothing here', async () => {
    const { sandbox, app } = await signedIn();
    expect(await app.account('home').signOut()).toBeUndefined();
    expect(sandbox.requests.some(({ path, status }) => path.endsWith('/revoke') && status === 200)).toBe(true);
    expect(await app.account('home').signInState()).toEqual({ state: 'needs-login' });
  });

  test('signing out without a network forgets the tokens and says what to do', async () => {
    const { sandbox, app } = await signedIn();
    sandbox.fail({ match: ({ path }) => path.endsWith('/revoke'), status: 503 });
    expect(await app.account('home').signOut()).toMatch(/could not be told.*myaccount\.google\.com/);
    expect(await app.account('home').signInState()).toEqual({ state: 'needs-login' });
  });
});

describe('errors', () => {
  test.each([
    ['rateLimitExceeded', { status: 'RATE_LIMITED' }],
    ['userRateLimitExceeded', { status: 'RATE_LIMITED' }],
    ['tooManyRequests', { status: 'RATE_LIMITED' }],
    ['quotaExceeded', { status: 'FORBIDDEN' }],
    ['backendError', { status: 'UNAVAILABLE' }],
  ] as const)('%s is %o', async (fault, { status }) => {
    const { sandbox, app } = await signedIn({}, { deadlineMs: 1_500 });
    sandbox.fail({ match: isEvents, ...googleFaults[fault] });
    await expect(agenda(app)).rejects.toMatchObject({ code: status, account: 'home' });
  });

  test.each([
    '{}',
    '{"items":[]}',
    '{"kind":"calendar#events","items":{}}',
    '[]',
    'null',
    '<html>hotel</html>',
    '{"error":"x"}',
  ])('%s with status 200 is no list, and never an empty day', async (body) => {
    const { sandbox, app } = await signedIn();
    sandbox.fail({ match: isEvents, status: 200, body });
    await expect(agenda(app)).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });

  test('a throttled request is asked again', async () => {
    const { sandbox, app } = await signedIn();
    sandbox.fail({ match: isEvents, times: 1, ...googleFaults.rateLimitExceeded });
    expect((await agenda(app)).complete).toBe(true);
  });

  test('a calendar that is gone makes the account partial and is named', async () => {
    const { sandbox, app } = await signedIn({}, { client: homeGoogleClient });
    sandbox.fail({ match: ({ path }) => isEvents({ path }) && path.includes('holiday'), status: 404 });
    const { complete, accounts } = await agenda(app);
    expect(complete).toBe(false);
    expect(accounts[0]).toMatchObject({ status: 'partial', problems: [expect.stringMatching(/does not know|gone/)] });
  });

  test('a wrong client secret is a mistake in accounts.yaml', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(
      googleAccounts(sandbox, [{ id: 'home', clientId: sharedGoogleClient.clientId, clientSecret: 'GOCSPX-wrong' }]),
    );
    const error = await googleSignIn(app, sandbox, 'home', 'you@home.example').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    expect(`${(error as Error).message} ${(error as { hint?: string }).hint}`).not.toContain('GOCSPX');
  });
});
