/** What a running app knows of its sign-ins when accounts.yaml, another person or another process change them. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Config } from '../../src/accounts/load.ts';
import { parseConfig } from '../../src/accounts/load.ts';
import type { App } from '../../src/accounts/registry.ts';
import { openSecretStores } from '../../src/io/secret-store.ts';
import { listAccounts } from '../../src/operations/list-accounts.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import { providers } from '../../src/providers/index.ts';
import { type Sandbox, sharedGoogleClient } from '../../src/sandbox/index.ts';
import {
  cli,
  googleAccounts,
  googleSignIn,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const asker = { signal: new AbortController().signal };
const today = (app: App, accounts?: string): Promise<Agenda> =>
  listEvents.run(app, { range: 'this week', detail: 'full', ...(accounts === undefined ? {} : { accounts }) }, asker);
const config = (text: string): Config =>
  parseConfig({ name: 'a', text, env: {}, readReference: () => undefined }, providers);

const YOU = 'you@xebia.example';
const BENCH = 'bench@xebia.example';
const pinned = (sandbox: Sandbox, a: string, b: string): string =>
  microsoftAccounts(sandbox, [
    { ...XEBIA, id: 'a', username: a },
    { ...XEBIA, id: 'b', username: b },
  ]);

describe('a changed accounts.yaml', () => {
  test('that swaps the people of two accounts is not answered with the mailbox of the other', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(pinned(sandbox, YOU, BENCH));
    await signIn(app, sandbox, 'a', YOU);
    await signIn(app, sandbox, 'b', BENCH);
    expect((await today(app)).complete).toBe(true);
    app.apply(config(pinned(sandbox, BENCH, YOU)));
    await expect(today(app)).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      problems: [
        expect.stringMatching(/^a: accounts\.yaml expects bench@/),
        expect.stringMatching(/^b: .* expects you@/),
      ],
    });
    // And back: nothing was wrong with the sign-ins.
    app.apply(config(pinned(sandbox, YOU, BENCH)));
    expect((await today(app)).complete).toBe(true);
  });

  test('leaves an account that did not change as it is, and makes a changed one anew', async () => {
    const text = (title: string): string =>
      `version: 1\naccounts:\n  same: { provider: memory }\n  other: { provider: memory, displayName: ${title} }\n`;
    const { app } = await openTestApp(text('One'));
    const [same, other] = [app.account('same'), app.account('other')];
    app.apply(config(text('Two')));
    expect(app.account('same')).toBe(same);
    expect(app.account('other')).not.toBe(other);
    app.apply(config('version: 1\naccounts: { same: { provider: memory } }'));
    expect(() => app.account('other')).toThrow(/no account "other"/);
  });
});

test.each(['microsoft', 'google'])(
  'of two people who sign in to one new %s account at once, the first one stays',
  async (vendor) => {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = sharedGoogleClient;
    const yaml =
      vendor === 'google'
        ? googleAccounts(sandbox, [{ id: 'a', clientId, clientSecret }])
        : microsoftAccounts(sandbox, [{ ...XEBIA, id: 'a' }]);
    const { app, folder } = await openTestApp(yaml);
    const { app: second } = await openTestApp(yaml, { folder });
    const [one, other] = vendor === 'google' ? ['you@home.example', 'you@harbor.example'] : [YOU, BENCH];
    const enter = vendor === 'google' ? googleSignIn : signIn;
    const outcomes = await Promise.allSettled([
      enter(app, sandbox, 'a', one ?? ''),
      enter(second, sandbox, 'a', other ?? ''),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const winner = outcomes[0]?.status === 'fulfilled' ? one : other;
    expect(await app.account('a').signInState()).toMatchObject({ identity: { username: winner } });
  },
);

describe('a sign-in that no longer holds', () => {
  test('is told by list_accounts without asking, once it is known, and login --all mends it', async () => {
    const sandbox = await openSandbox();
    const yaml = microsoftAccounts(sandbox, [XEBIA]);
    const { app, folder } = await openTestApp(yaml);
    await writeAccounts(folder, yaml);
    await signIn(app, sandbox, 'xebia', YOU);
    sandbox.revoke(YOU);
    await expect(today(app)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect((await listAccounts.run(app, {}, asker)).accounts[0]).toMatchObject({
      signIn: 'needs-login',
      hint: 'run: calmcp login --account xebia',
    });
    const login = await cli(folder, ['login', '--all'], {
      stderr: {
        isTerminal: false,
        write(text) {
          const code = /type (\S+) /.exec(text)?.[1];
          if (code !== undefined) sandbox.approve(code, YOU);
        },
      },
    });
    expect(login).toMatchObject({ status: 0, stdout: 'xebia: signed in as you@xebia.example\n' });
    expect((await today(app)).complete).toBe(true);
  });

  test('because access was widened is told offline too', async () => {
    const sandbox = await openSandbox();
    const yaml = microsoftAccounts(sandbox, [XEBIA]);
    const { app } = await openTestApp(yaml);
    await signIn(app, sandbox, 'xebia', YOU);
    expect((await listAccounts.run(app, {}, asker)).accounts[0]).toMatchObject({
      signIn: 'signed-in',
      scopes: ['Calendars.Read'],
    });
    app.apply(config(yaml.replace('    provider: microsoft', '    provider: microsoft\n    access: write')));
    expect((await listAccounts.run(app, {}, asker)).accounts[0]).toMatchObject({ signIn: 'needs-login' });
  });

  test('status has one exit status, as a table and as JSON', async () => {
    const sandbox = await openSandbox();
    const yaml = microsoftAccounts(sandbox, [XEBIA]);
    const { app, folder } = await openTestApp(yaml);
    await writeAccounts(folder, yaml);
    await signIn(app, sandbox, 'xebia', YOU);
    sandbox.fail({ match: ({ path }) => path.startsWith('/v1.0/'), status: 404 });
    const results = [await cli(folder, ['status']), await cli(folder, ['status', '--json'])];
    expect(results.map(({ status }) => status)).toEqual([3, 3]);
  });
});

test.each(['microsoft', 'google'])(
  'a refresh of %s that is refused is tried once more when the cache has moved on meanwhile',
  async (vendor) => {
    const sandbox = await openSandbox();
    const { clientId, clientSecret } = sharedGoogleClient;
    const isGoogle = vendor === 'google';
    const yaml = isGoogle
      ? googleAccounts(sandbox, [{ id: 'a', clientId, clientSecret }])
      : microsoftAccounts(sandbox, [{ ...XEBIA, id: 'a' }]);
    const { app, folder } = await openTestApp(yaml);
    if (isGoogle) await googleSignIn(app, sandbox, 'a', 'you@home.example');
    else await signIn(app, sandbox, 'a', YOU);
    await today(app);
    sandbox.expireAccessTokens();
    sandbox.fail({
      match: ({ path }) => path.endsWith('/token'),
      times: 1,
      delayMs: 400,
      status: 400,
      body: '{"error":"invalid_grant","error_description":"AADSTS70000: used"}',
    });
    const answer = today(app);
    // Somebody without our lock writes the cache.
    await new Promise((resolve) => setTimeout(resolve, 200));
    const store = openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' }).scope(
      isGoogle ? `${clientId}_a` : '11111111-1111-1111-1111-111111111111_22222222-2222-2222-2222-222222222222',
    );
    await store.save((await store.load()) ?? '');
    expect((await answer).complete).toBe(true);
  },
);

test('signing out of Google with a file that does not open says that nothing could be revoked', async () => {
  const sandbox = await openSandbox();
  const { clientId, clientSecret } = sharedGoogleClient;
  const { app, folder } = await openTestApp(googleAccounts(sandbox, [{ id: 'a', clientId, clientSecret }]));
  await googleSignIn(app, sandbox, 'a', 'you@home.example');
  const [sealed = ''] = (await readdir(join(folder, 'state'))).filter((name) => name.endsWith('.sealed'));
  const path = join(folder, 'state', sealed);
  await writeFile(path, (await readFile(path)).subarray(0, 60));
  expect(await app.account('a').signOut()).toMatch(/could not be told.*myaccount/);
  expect(await app.account('a').signInState()).toEqual({ state: 'needs-login' });
});

test('tokens that live shortly are used for half of their life, not redeemed at every question', async () => {
  const sandbox = await openSandbox({ accessTokenSeconds: 200 });
  const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA]));
  await signIn(app, sandbox, 'xebia', YOU);
  for (let question = 0; question < 5; question++) await today(app);
  expect(sandbox.redemptions.filter(({ grant }) => grant === 'refresh_token').length).toBeLessThanOrEqual(1);
});
