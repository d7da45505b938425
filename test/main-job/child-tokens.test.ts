/** What the children know of the sign-ins, and what happens when a token comes to its end: real packages, our sandbox. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { openSecretStores } from '../../src/io/secret-store.ts';
import { type Agenda, listEvents } from '../../src/operations/list-events.ts';
import { homeGoogleClient, type Sandbox, type SandboxOptions } from '../../src/sandbox/index.ts';
import { childLine, type RealServer, withChild } from '../children.ts';
import {
  googleAccounts,
  googleSignIn,
  joinAccounts,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  XEBIA,
} from '../harness.ts';
import { ask } from '../operations/questions.ts';

const { clientId, clientSecret = '' } = homeGoogleClient;

interface Way {
  readonly name: string;
  readonly server: RealServer;
  readonly more: Readonly<Record<string, string>>;
  readonly account: 'xebia' | 'casa';
  readonly you: string;
}

const WAYS: readonly Way[] = [
  { name: 'ms-365 on http', server: 'ms-365', more: {}, account: 'xebia', you: 'you@xebia.example' },
  {
    name: 'ms-365 on stdio',
    server: 'ms-365',
    more: { transport: 'stdio' },
    account: 'xebia',
    you: 'you@xebia.example',
  },
  { name: 'google-calendar', server: 'google-calendar', more: {}, account: 'casa', you: 'you@home.example' },
];

interface Opened {
  readonly sandbox: Sandbox;
  readonly app: App;
  readonly folder: string;
}

/** The account through its child, and Marimer beside it on the direct way. */
async function openWay({ server, more, account, you }: Way, options: SandboxOptions = {}): Promise<Opened> {
  const sandbox = await openSandbox(options);
  const yaml = joinAccounts(
    microsoftAccounts(sandbox, account === 'xebia' ? [XEBIA, MARIMER] : [MARIMER]),
    ...(account === 'casa' ? [googleAccounts(sandbox, [{ id: 'casa', clientId, clientSecret }])] : []),
  );
  const { app, folder } = await openTestApp(withChild(yaml, childLine(server, sandbox, more), [account]));
  if (account === 'casa') await googleSignIn(app, sandbox, 'casa', you);
  else await signIn(app, sandbox, 'xebia', you);
  await signIn(app, sandbox, 'marimer', 'you@marimer.example');
  return { sandbox, app, folder };
}

const week = (app: App, accounts: string): Promise<Agenda> =>
  ask(listEvents, app, { range: 'this week', detail: 'full', accounts });

/** Processes that have this folder in their environment: id to their whole environment. */
async function processesIn(folder: string): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (environment.includes(folder)) found.set(Number(name), environment);
  }
  return found;
}

async function filesIn(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file, 'latin1')] as const)));
}

/** All that is sealed for the account that could be a token. */
async function sealedTokens(folder: string, account: string): Promise<{ refresh: string[]; access: string[] }> {
  const key = account === 'casa' ? `${clientId}_casa` : `11111111-1111-1111-1111-111111111111_${XEBIA.tenantId}`;
  const stores = openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' });
  const sealed = (await stores.scope(key).load()) ?? '';
  if (account === 'casa') {
    const { refreshToken, accessToken } = JSON.parse(sealed) as { refreshToken: string; accessToken: string };
    return { refresh: [refreshToken], access: [accessToken] };
  }
  const { msal } = JSON.parse(sealed) as { msal: string };
  const cache = JSON.parse(msal) as Record<string, Record<string, { readonly secret: string }>>;
  const secrets = (kind: string): string[] => Object.values(cache[kind] ?? {}).map(({ secret }) => secret);
  return { refresh: secrets('RefreshToken'), access: secrets('AccessToken') };
}

describe.each(WAYS)('$name', (way) => {
  const { account, you } = way;
  const isOwn = ({ mailbox }: { mailbox?: string }): boolean => mailbox === you;

  test.skipIf(process.platform !== 'linux')(
    'never has a refresh token, and the token of no other account',
    async () => {
      const { sandbox, app, folder } = await openWay(way);
      expect((await week(app, account)).complete).toBe(true);
      const { refresh, access } = await sealedTokens(folder, account);
      expect([refresh.length > 0, access.length > 0]).toEqual([true, true]);
      const children = await processesIn(join(folder, 'state', 'children', account));
      expect(children.size).toBeGreaterThan(0);
      const files = await filesIn(join(folder, 'state', 'children'));
      expect([...files.keys()].length).toBeGreaterThan(0);
      const commands = await Promise.all([...children.keys()].map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8')));
      const environments = [...children.values()];
      for (const text of [...environments, ...commands, ...files.values()]) {
        for (const token of refresh) expect(text.includes(token)).toBe(false);
        expect(text).not.toContain(clientSecret);
      }
      // Where the access token is: with each request and nowhere, in the environment, or in one file.
      const has = (texts: Iterable<string>): number =>
        [...texts].filter((text) => access.some((token) => text.includes(token))).length;
      expect([has(environments) > 0, has(commands), has(files.values())]).toEqual(
        way.name === 'ms-365 on http' ? [false, 0, 0] : way.name === 'ms-365 on stdio' ? [true, 0, 0] : [false, 0, 1],
      );
      // Five minutes before the end of a token, the google-calendar server would ask for the refresh token that it has not.
      for (const text of files.values()) expect(text).not.toContain('expiry_date');
      for (const { mailbox } of sandbox.requests.filter(({ path }) => path.endsWith('/calendarView')))
        expect(mailbox).toBe(you);
    },
  );

  test('a token that is refused is refreshed by calmcp alone, and the question is answered', async () => {
    const { sandbox, app, folder } = await openWay(way);
    const first = await week(app, account);
    const before = [...(await processesIn(join(folder, 'state', 'children', account))).keys()];
    sandbox.expireAccessTokens();
    const asked = sandbox.requests.length;
    const [one, other] = await Promise.all([week(app, account), week(app, account)]);
    for (const agenda of [one, other]) {
      expect(agenda.complete).toBe(true);
      expect(agenda.events).toEqual(first.events);
    }
    const since = sandbox.requests.slice(asked);
    expect(since.some(({ status }) => status === 401)).toBe(true);
    // One refresh for both questions; the child has nothing to refresh with.
    expect(since.filter(({ path }) => path.endsWith('/token'))).toHaveLength(1);
    if (process.platform !== 'linux') return;
    const after = [...(await processesIn(join(folder, 'state', 'children', account))).keys()];
    // A token in the environment needs another process.
    if (way.name === 'ms-365 on stdio') expect(after).not.toEqual(before);
    else expect(after).toEqual(before);
  });

  test('a revoked sign-in is needs-login with what to do, no storm and no crash, and a new one mends it', async () => {
    const { sandbox, app, folder } = await openWay(way);
    await week(app, account);
    sandbox.revoke(you);
    const both = await week(app, `${account},marimer`.split(',') as never);
    expect(both.complete).toBe(false);
    expect(both.accounts.map(({ account: id, status }) => [id, status]).sort()).toEqual(
      [
        [account, 'needs-login'],
        ['marimer', 'ok'],
      ].sort(),
    );
    const own = both.accounts.find(({ account: id }) => id === account);
    expect(own).toMatchObject({ hint: expect.stringContaining(`run: calmcp login --account ${account}`) });
    const asked = sandbox.requests.filter(isOwn).length;
    for (let time = 0; time < 3; time++)
      await expect(week(app, account)).rejects.toMatchObject({ code: 'AUTH_REQUIRED' });
    expect(sandbox.requests.filter(isOwn)).toHaveLength(asked);
    const log = await readFile(join(folder, 'state', 'children', account, 'server.log'), 'utf8');
    expect(log.match(/started (?:ms-365|google-calendar) as process/g)).toHaveLength(1);
    if (account === 'casa') await googleSignIn(app, sandbox, 'casa', you);
    else await signIn(app, sandbox, 'xebia', you);
    expect((await week(app, account)).complete).toBe(true);
  });
});

test('ms-365 on stdio: what is under way when another token needs another process is let finish', async () => {
  const way = WAYS[1] as Way;
  const { sandbox, app } = await openWay(way);
  await week(app, 'xebia');
  const isView = ({ path }: { path: string }): boolean => path.endsWith('/calendarView');
  const asked = sandbox.requests.length;
  sandbox.fail({ match: isView, times: 3, delayMs: 1_200 });
  const slow = week(app, 'xebia');
  const views = () => sandbox.requests.slice(asked).filter(isView);
  while (views().length < 3) await new Promise((resolve) => setTimeout(resolve, 10));
  sandbox.fail({ match: ({ path }) => path === '/v1.0/me/calendars', times: 1, status: 401 });
  const [one, other] = await Promise.all([slow, week(app, 'xebia')]);
  expect([one.complete, other.complete]).toEqual([true, true]);
  expect(other.events).toEqual(one.events);
  // Three calendars, two questions: nothing was asked twice.
  expect(views()).toHaveLength(6);
});
