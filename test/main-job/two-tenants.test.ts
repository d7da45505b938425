import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { openSecretStores } from '../../src/io/secret-store.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { joinAccounts, MARIMER, microsoftAccounts, openSandbox, openTestApp, signIn, WEEK, XEBIA } from '../harness.ts';

const asker = { signal: new AbortController().signal };

async function week(app: App, accounts?: string): Promise<Agenda> {
  return listEvents.run(
    app,
    { range: 'this week', detail: 'full', ...(accounts === undefined ? {} : { accounts }) },
    asker,
  );
}

const titles = ({ events }: Agenda): (string | null | undefined)[] => events.map(({ title }) => title);

/** What the sandbox holds for one person in the week asked, by title. */
function titlesInMailbox(sandbox: Sandbox, username: string): Set<string | null | undefined> {
  const mailbox = sandbox.data.mailboxes.find((candidate) => candidate.username === username);
  return new Set(
    mailbox?.calendars.flatMap(({ events }) => events.map((event) => event.properties.subject as string | null)),
  );
}

async function signedIn(sandboxOptions = {}): Promise<{ sandbox: Sandbox; app: App; yaml: string; folder: string }> {
  const sandbox = await openSandbox(sandboxOptions);
  const yaml = microsoftAccounts(sandbox, [XEBIA, MARIMER]);
  const { app, folder } = await openTestApp(yaml);
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await signIn(app, sandbox, 'marimer', 'you@marimer.example');
  return { sandbox, app, yaml, folder };
}

describe('two tenants with one client id', () => {
  test('each account shows the events of its own tenant', async () => {
    const { sandbox, app } = await signedIn();
    const [xebia, marimer] = await Promise.all([week(app, 'xebia'), week(app, 'marimer')]);
    expect(titles(xebia)).toContain('Sprint planning');
    expect(titles(marimer)).toContain('Aurora go/no-go');
    const own = titlesInMailbox(sandbox, 'you@xebia.example');
    const theirs = titlesInMailbox(sandbox, 'you@marimer.example');
    for (const title of titles(xebia)) expect(own).toContain(title);
    for (const title of titles(marimer)) expect(theirs).toContain(title);
    // The sandbox saw each mailbox asked with its own person's token, in that person's tenant.
    for (const { mailbox, tenant } of sandbox.requests.filter(({ path }) => path.startsWith('/v1.0/')))
      expect(tenant).toBe(mailbox === 'you@xebia.example' ? XEBIA.tenantId : MARIMER.tenantId);
  });

  test('asked together they give one agenda, the meeting of both once', async () => {
    const { app } = await signedIn();
    const agenda = await week(app);
    expect(agenda.complete).toBe(true);
    expect(agenda.accounts.map(({ account, status }) => [account, status])).toEqual([
      ['xebia', 'ok'],
      ['marimer', 'ok'],
    ]);
    const steering = agenda.events.filter(({ title }) => title === 'Steering committee');
    expect(steering).toHaveLength(1);
    expect(steering[0]?.accounts).toEqual(['xebia', 'marimer']);
    const starts = agenda.events.filter(({ allDay }) => !allDay).map(({ start }) => start);
    expect(starts).toEqual([...starts].sort());
  });

  test.each([
    { when: 'were refused by Graph', accessTokenSeconds: 3600, expire: true },
    // Under 300 s MSAL counts a token as expired at once.
    { when: 'ran out on the clock', accessTokenSeconds: 120, expire: false },
  ])(
    'each refresh token is redeemed in its own tenant only, after the access tokens $when',
    async ({ accessTokenSeconds, expire }) => {
      const { sandbox, app, yaml, folder } = await signedIn({ accessTokenSeconds });
      await week(app);
      if (expire) sandbox.expireAccessTokens();
      const before = sandbox.redemptions.length;
      // A process that runs on has the tokens in memory; a new one looks at the clock.
      const asked = expire ? app : (await openTestApp(yaml, { folder })).app;
      const [xebia, marimer, both] = await Promise.all([week(asked, 'xebia'), week(asked, 'marimer'), week(asked)]);
      expect(titles(xebia)).toContain('Sprint planning');
      expect(titles(marimer)).toContain('Aurora go/no-go');
      expect(both.complete).toBe(true);
      const refreshes = sandbox.redemptions.slice(before);
      expect(new Set(refreshes.map(({ tenant }) => tenant))).toEqual(new Set([XEBIA.tenantId, MARIMER.tenantId]));
      for (const { grant, outcome, tenant, tokenTenant } of refreshes) {
        expect([grant, outcome]).toEqual(['refresh_token', 'ok']);
        expect(tokenTenant).toBe(tenant);
      }
    },
  );

  test('a second process with the same state folder needs no new sign-in', async () => {
    const { sandbox, yaml, folder } = await signedIn();
    const { app } = await openTestApp(yaml, { folder });
    const agenda = await week(app);
    expect(agenda.complete).toBe(true);
    expect(sandbox.redemptions.filter(({ grant }) => grant === 'device_code')).toHaveLength(2);
  });

  test('the caches are two sealed files that only their owner can read, without a readable token', async () => {
    const { folder } = await signedIn();
    const state = join(folder, 'state');
    const sealed = (await readdir(state)).filter((name) => name.endsWith('.sealed'));
    expect(sealed).toHaveLength(2);
    for (const name of sealed) expect((await stat(join(state, name))).mode & 0o777).toBe(0o600);
    expect((await stat(state)).mode & 0o777).toBe(0o700);
  });

  test('two people of one tenant share the cache and never the identity', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA, { ...XEBIA, id: 'bench' }]));
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    await signIn(app, sandbox, 'bench', 'bench@xebia.example');
    sandbox.expireAccessTokens();
    const [own, bench] = await Promise.all([week(app, 'xebia'), week(app, 'bench')]);
    const benchTitles = titlesInMailbox(sandbox, 'bench@xebia.example');
    expect(bench.events.length).toBeGreaterThan(0);
    for (const title of titles(bench)) expect(benchTitles).toContain(title);
    expect(titles(own)).toContain('Sprint planning');
    await app.account('xebia').signOut();
    await expect(week(app, 'xebia')).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect((await week(app, 'bench')).complete).toBe(true);
  });

  test('signing in as somebody else than username says is refused, and nothing of it is kept', async () => {
    const sandbox = await openSandbox();
    const { app, folder } = await openTestApp(
      microsoftAccounts(sandbox, [{ ...XEBIA, username: 'you@xebia.example' }]),
    );
    await expect(signIn(app, sandbox, 'xebia', 'bench@xebia.example')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/expected you@xebia\.example and bench@xebia\.example signed in/),
    });
    expect(await app.account('xebia').signInState()).toEqual({ state: 'needs-login' });
    const cacheKey = '11111111-1111-1111-1111-111111111111_22222222-2222-2222-2222-222222222222';
    const stores = openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' });
    expect((await stores.scope(cacheKey).load()) ?? '').toBe('');
  });

  test('a username that accounts.yaml names later counts for who is signed in already', async () => {
    const { sandbox, folder } = await signedIn();
    const yaml = microsoftAccounts(sandbox, [{ ...XEBIA, username: 'bench@xebia.example' }]);
    const { app } = await openTestApp(yaml, { folder });
    await expect(week(app)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: 'accounts.yaml expects bench@xebia.example and you@xebia.example is signed in',
    });
  });

  test('another cloud has tokens of its own, whatever the ids are', async () => {
    const { sandbox, app, folder } = await signedIn();
    await week(app);
    const elsewhere = await openSandbox();
    const yaml = joinAccounts(
      microsoftAccounts(sandbox, [XEBIA]),
      microsoftAccounts(elsewhere, [{ ...XEBIA, id: 'other' }]),
    );
    const { app: both } = await openTestApp(yaml, { folder });
    const agenda = await week(both);
    expect(agenda.accounts.map(({ account, status }) => [account, status])).toEqual([
      ['xebia', 'ok'],
      ['other', 'needs-login'],
    ]);
    expect(elsewhere.requests.filter(({ authorized }) => authorized)).toEqual([]);
    await signIn(both, elsewhere, 'other', 'bench@xebia.example');
    const after = await week(both);
    expect(after.complete).toBe(true);
    for (const { mailbox } of elsewhere.requests.filter(({ authorized }) => authorized))
      expect(mailbox).toBe('bench@xebia.example');
  });

  test('an account may be called like a word of JavaScript', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [{ ...XEBIA, id: 'constructor' }]));
    expect(await app.account('constructor').signInState()).toEqual({ state: 'needs-login' });
  });

  test('an account that was somebody once is not silently somebody else', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    await expect(signIn(app, sandbox, 'xebia', 'bench@xebia.example')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(titles(await week(app))).toContain('Sprint planning');
  });
});

describe('one account whose grant was revoked', () => {
  test('the others answer, and the account is named with the command that mends it', async () => {
    const { sandbox, app } = await signedIn();
    sandbox.revoke('you@marimer.example');
    const agenda = await week(app);
    expect(agenda.complete).toBe(false);
    expect(agenda.accounts[1]).toMatchObject({
      account: 'marimer',
      status: 'needs-login',
      hint: 'run: calmcp login --account marimer',
    });
    expect(titles(agenda)).toContain('Sprint planning');
    expect(titles(agenda)).not.toContain('Aurora go/no-go');
    await signIn(app, sandbox, 'marimer', 'you@marimer.example');
    expect((await week(app)).complete).toBe(true);
  });

  test('all accounts failing is an error, not an empty day', async () => {
    const { sandbox, app } = await signedIn();
    sandbox.revoke('you@marimer.example');
    sandbox.revoke('you@xebia.example');
    await expect(week(app)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      problems: [expect.stringMatching(/^xebia: /), expect.stringMatching(/^marimer: /)],
    });
  });
});

test(`the sandbox starts its two weeks on ${WEEK}`, async () => {
  const { app } = await signedIn();
  expect((await week(app)).range).toEqual({
    start: '2026-11-23T00:00:00+01:00',
    end: '2026-11-30T00:00:00+01:00',
    timeZone: 'Europe/Amsterdam',
  });
});
