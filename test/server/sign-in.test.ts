/** Signing in from within a conversation: the words are there at once, and clients that can show a page show it. */

import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { type SignInAnswer, signIn } from '../../src/operations/sign-in.ts';
import { homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
import { person } from '../cli/person.ts';
import {
  builtEnvironment,
  googleAccounts,
  googleBrowser,
  joinAccounts,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const YOU = 'you@xebia.example';
const HOME = 'you@home.example';

function accountsOn(sandbox: Sandbox): string {
  return joinAccounts(
    microsoftAccounts(sandbox, [XEBIA]),
    googleAccounts(sandbox, [{ id: 'home', ...homeGoogleClient, clientSecret: homeGoogleClient.clientSecret ?? '' }]),
    'accounts:\n  fixed: { provider: memory, events: [] }\n',
  );
}

/** Whoever asks waits for a person; unless they do. */
const ask = (
  app: App,
  account: string,
  signal = new AbortController().signal,
  method?: 'browser' | 'device-code',
): Promise<SignInAnswer> =>
  signIn.run(app, signIn.input.parse({ account, ...(method === undefined ? {} : { method }) }), { signal });

describe('sign_in', () => {
  test('with a code gives page, code and words at once, and says who it is when it is called again', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    const started = performance.now();
    const first = await ask(app, 'xebia');
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(first).toEqual({
      account: 'xebia',
      status: 'waiting',
      url: `${sandbox.origin}/devicelogin`,
      code: expect.stringMatching(/^[A-Z0-9-]{8,}$/),
      expiresInSeconds: expect.any(Number),
      message: `To sign in to xebia, open ${first.url} and type the code ${first.code}.`,
    });
    expect(first.expiresInSeconds).toBeGreaterThan(800);
    const second = ask(app, 'xebia');
    sandbox.approve(first.code ?? '', YOU);
    expect(await second).toEqual({
      account: 'xebia',
      status: 'signed-in',
      username: YOU,
      message: `xebia is signed in as ${YOU}.`,
    });
    const { accounts, events } = await listEvents.run(
      app,
      listEvents.input.parse({ range: 'this week', accounts: 'xebia' }),
      {
        signal: new AbortController().signal,
      },
    );
    expect(accounts).toMatchObject([{ account: 'xebia', status: 'ok' }]);
    expect(events.length).toBeGreaterThan(0);
  });

  test('of two calls at once is one sign-in, and both hear of its end', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    const [one, other] = [ask(app, 'xebia'), ask(app, 'xebia')];
    const { code = '' } = await one;
    sandbox.approve(code, YOU);
    expect(await other).toMatchObject({ status: 'signed-in', username: YOU });
    expect(sandbox.requests.filter(({ path }) => path.endsWith('/devicecode'))).toHaveLength(1);
  });

  test('that was told to one who has gone is told to the next one', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    const { code = '' } = await ask(app, 'xebia');
    const leaving = new AbortController();
    const left = expect(ask(app, 'xebia', leaving.signal)).rejects.toThrow('gone');
    leaving.abort(new Error('gone'));
    await left;
    sandbox.approve(code, YOU);
    expect(await ask(app, 'xebia')).toMatchObject({ status: 'signed-in' });
    expect(sandbox.requests.filter(({ path }) => path.endsWith('/devicecode'))).toHaveLength(1);
  });

  test.each<[string, (sandbox: Sandbox) => void, RegExp]>([
    [
      'cannot be begun',
      (sandbox) =>
        sandbox.fail({
          match: ({ path }) => path.endsWith('/devicecode'),
          status: 400,
          body: '{"error":"unauthorized_client","error_description":"AADSTS700016: x"}',
        }),
      /is not known in the tenant/,
    ],
    [
      'is declined',
      (sandbox) =>
        sandbox.fail({
          match: ({ path }) => path.endsWith('/token'),
          status: 400,
          body: '{"error":"authorization_declined","error_description":"x"}',
        }),
      /declined/,
    ],
    [
      'is of a code that ran out',
      (sandbox) =>
        sandbox.fail({
          match: ({ path }) => path.endsWith('/token'),
          status: 400,
          body: '{"error":"expired_token","error_description":"AADSTS70020: x"}',
        }),
      /the code was not used in time/,
    ],
  ])('that %s says so, and the next call begins a new one', async (_what, spoil, says) => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    spoil(sandbox);
    const first = await ask(app, 'xebia').catch((error: unknown) => error);
    // Whoever gets no code is not sent anywhere.
    if (!(first instanceof Error))
      expect(first).toMatchObject({ url: expect.stringMatching(/^http/), code: expect.stringMatching(/./) });
    const failed = first instanceof Error ? first : await ask(app, 'xebia').catch((error: unknown) => error);
    expect(failed).toMatchObject({ account: 'xebia', message: expect.stringMatching(says), hint: expect.any(String) });
    const codes = () => sandbox.requests.filter(({ path }) => path.endsWith('/devicecode')).length;
    const before = codes();
    await ask(app, 'xebia').catch(() => undefined);
    expect(codes()).toBe(before + 1);
  });

  test('as somebody else than accounts.yaml names is refused, and nothing of it is kept', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(microsoftAccounts(sandbox, [{ ...XEBIA, username: YOU }]));
    const { code = '' } = await ask(app, 'xebia');
    sandbox.approve(code, 'bench@xebia.example');
    await expect(ask(app, 'xebia')).rejects.toMatchObject({ message: expect.stringContaining(YOU) });
    expect(await app.account('xebia').signInState()).toMatchObject({ state: 'needs-login' });
  });

  test('that is called off ends at once, and the next call begins a new one', async () => {
    const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 30 });
    const { app } = await openTestApp(accountsOn(sandbox));
    const { code } = await ask(app, 'xebia');
    const waiting = ask(app, 'xebia');
    const refused = expect(waiting).rejects.toMatchObject({
      code: 'AUTH_REQUIRED',
      message: 'the sign-in was called off',
    });
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    app.signIns.current('xebia')?.cancel();
    await refused;
    expect(performance.now() - started).toBeLessThan(2_000);
    const again = await ask(app, 'xebia');
    expect(again.status).toBe('waiting');
    expect(again.code).not.toBe(code);
  });

  test('that waits does not keep calmcp from closing', async () => {
    const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 30 });
    const { app } = await openTestApp(accountsOn(sandbox));
    await ask(app, 'xebia');
    const { done } = app.signIns.current('xebia') ?? {};
    await app.close();
    await expect(done).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'calmcp is closing' });
  });

  test('in a browser opens the page on this machine, and is done when the person comes back', async () => {
    const sandbox = await openSandbox();
    const opened: string[] = [];
    const { app } = await openTestApp(accountsOn(sandbox), {
      openBrowser: async (url) => {
        opened.push(url);
        return true;
      },
    });
    const first = await ask(app, 'home');
    expect(first).toMatchObject({
      status: 'waiting',
      opened: true,
      url: opened[0],
      message: expect.stringContaining('browser that has just opened'),
    });
    expect(first).not.toHaveProperty('code');
    const second = ask(app, 'home');
    await googleBrowser(sandbox, HOME)(first.url ?? '');
    expect(await second).toMatchObject({ status: 'signed-in', username: HOME });
    expect(opened).toHaveLength(1);
  });

  test('in a browser where there is none gives the page to be opened on this machine', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    const first = await ask(app, 'home');
    expect(first).not.toHaveProperty('opened');
    expect(first.message).toBe(
      `To sign in to home, open this page in a browser on the machine that calmcp runs on: ${first.url}`,
    );
    await googleBrowser(sandbox, HOME)(first.url ?? '');
    expect(await ask(app, 'home')).toMatchObject({ status: 'signed-in' });
  });

  test('in a browser that the person declines says so', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    const { url = '' } = await ask(app, 'home');
    const second = expect(ask(app, 'home')).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'the sign-in was declined',
    });
    await fetch(sandbox.google.consent(url, HOME, { deny: true })).catch(() => undefined);
    await second;
  });

  test('takes the way that was asked for, where there is one', async () => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    const browser = await ask(app, 'xebia', undefined, 'browser');
    expect(browser.url).toContain('/oauth2/v2.0/authorize');
    await expect(ask(app, 'home', undefined, 'device-code')).rejects.toMatchObject({
      code: 'INPUT_INVALID',
      hint: 'run: calmcp login --account home',
    });
  });

  test.each([
    ['fixed', 'INPUT_INVALID', 'account fixed (memory) needs no sign-in'],
    ['nobody', 'ACCOUNT_UNKNOWN', 'there is no account "nobody"'],
  ])('of %s, which has none, is %s', async (account, code, message) => {
    const sandbox = await openSandbox();
    const { app } = await openTestApp(accountsOn(sandbox));
    await expect(ask(app, account)).rejects.toMatchObject({ code, message });
  });
});

interface Asked {
  readonly mode: string;
  readonly url: string;
  readonly message: string;
}

interface Connected {
  readonly sandbox: Sandbox;
  call(
    name: string,
    input: object,
  ): Promise<{ isError?: boolean; text: string; structured: Readonly<Record<string, unknown>> | undefined }>;
  /** What the client was asked to show. */
  readonly shown: Asked[];
}

const bin = join(import.meta.dirname, '../../dist/main.js');

/** @param answer what the person does at the page that the client shows; without it, the client can show none */
async function connect(
  mode: 'legacy' | { pin: string },
  answer?: (asked: Asked, sandbox: Sandbox) => Promise<'accept' | 'decline' | 'cancel'>,
  env: Record<string, string> = {},
): Promise<Connected> {
  const sandbox = await openSandbox();
  const folder = await temporaryFolder();
  await writeAccounts(folder, accountsOn(sandbox));
  const shown: Asked[] = [];
  const client = new Client(
    { name: 'calmcp-test', version: '0' },
    { versionNegotiation: { mode }, capabilities: answer === undefined ? {} : { elicitation: { url: {} } } },
  );
  if (answer !== undefined)
    client.setRequestHandler('elicitation/create', async ({ params }) => {
      const asked = params as unknown as Asked;
      shown.push(asked);
      return { action: await answer(asked, sandbox) };
    });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [bin, 'mcp'],
      // No display: nothing can be opened here unless a test says by what.
      env: { ...builtEnvironment(folder), ...env },
      stderr: 'ignore',
    }),
  );
  onTestFinished(() => client.close());
  await client.listTools();
  return {
    sandbox,
    shown,
    async call(name, input) {
      const { isError, content, structuredContent } = (await client.callTool({ name, arguments: { ...input } })) as {
        isError?: boolean;
        content: { text: string }[];
        structuredContent?: Readonly<Record<string, unknown>>;
      };
      return {
        ...(isError === undefined ? {} : { isError }),
        text: content[0]?.text ?? '',
        structured: structuredContent,
      };
    },
  };
}

describe.each<[string, 'legacy' | { pin: string }]>([
  ['2025', 'legacy'],
  ['2026-07-28', { pin: '2026-07-28' }],
])('a client of the %s era', (_era, mode) => {
  test('that shows no pages gets the words in the answer', async () => {
    const { sandbox, call } = await connect(mode);
    const first = await call('sign_in', { account: 'xebia' });
    const { code, url } = first.structured as { code: string; url: string };
    expect(first.text).toMatch(
      new RegExp(
        `open ${url} and type the code ${code}\\.\nThis can be done for \\d+ more minutes\\. Call sign_in again when it is done\\.$`,
      ),
    );
    sandbox.approve(code, YOU);
    expect((await call('sign_in', { account: 'xebia' })).text).toBe(`xebia is signed in as ${YOU}.`);
    const agenda = await call('list_events', { range: 'this week', accounts: 'xebia' });
    expect(agenda.structured).toMatchObject({ complete: true });
  });

  test('that shows pages shows this one with its code, and one call is all it takes', async () => {
    const { call, shown } = await connect(mode, async ({ message }, sandbox) => {
      sandbox.approve(/code (\S+)\.$/.exec(message)?.[1] ?? '', YOU);
      return 'accept';
    });
    const { structured } = await call('sign_in', { account: 'xebia' });
    expect(structured).toMatchObject({ status: 'signed-in', username: YOU });
    expect(shown).toMatchObject([
      {
        mode: 'url',
        url: expect.stringMatching(/\/devicelogin$/),
        message: expect.stringMatching(/^To sign in to xebia/),
      },
    ]);
  });

  test.each(['decline', 'cancel'] as const)(
    'whose person answers %s hears that, and can begin again',
    async (action) => {
      let isWilling = false;
      const { call, shown } = await connect(mode, async ({ message }, sandbox) => {
        if (!isWilling) return action;
        sandbox.approve(/code (\S+)\.$/.exec(message)?.[1] ?? '', YOU);
        return 'accept';
      });
      const refused = await call('sign_in', { account: 'xebia' });
      expect(refused).toMatchObject({
        isError: true,
        text: expect.stringMatching(/^AUTH_REQUIRED: the person does not want to sign in now\ncall sign_in again/),
      });
      isWilling = true;
      expect((await call('sign_in', { account: 'xebia' })).structured).toMatchObject({ status: 'signed-in' });
      expect(shown).toHaveLength(2);
      expect(shown[0]?.message).not.toBe(shown[1]?.message);
    },
  );

  test('is not asked to show a page that is open on this machine already', async () => {
    const { env } = await person({ picks: HOME });
    const { call, shown } = await connect(mode, async () => 'accept', env);
    const first = await call('sign_in', { account: 'home' });
    expect(first.structured).toMatchObject({ status: 'waiting', opened: true });
    expect((await call('sign_in', { account: 'home' })).structured).toMatchObject({
      status: 'signed-in',
      username: HOME,
    });
    expect(shown).toEqual([]);
  });

  test('that shows pages shows Google’s where nothing is open yet', async () => {
    const { call, shown } = await connect(mode, async ({ url }, sandbox) => {
      await googleBrowser(sandbox, HOME)(url);
      return 'accept';
    });
    expect((await call('sign_in', { account: 'home' })).structured).toMatchObject({ status: 'signed-in' });
    expect(shown).toHaveLength(1);
  });
});
