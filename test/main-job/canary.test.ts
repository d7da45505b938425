/** Every token, code and secret that passes by is remembered, and must turn up nowhere but on the wire. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
import {
  type CliResult,
  cli,
  googleAccounts,
  googleBrowser,
  microsoftAccounts,
  openSandbox,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const NAMES = [
  'access_token',
  'refresh_token',
  'id_token',
  'device_code',
  'code',
  'code_verifier',
  'client_secret',
  'token',
];

/** A fetch that remembers what is secret in what it sends and gets. */
function listeningFetch(secrets: Set<string>): typeof fetch {
  const remember = (value: unknown): void => {
    // Long enough to be a secret, and to be found by chance nowhere.
    if (typeof value === 'string' && value.length >= 16) secrets.add(value);
  };
  return async (input, init) => {
    remember(/^Bearer (.+)$/.exec(new Headers(init?.headers).get('authorization') ?? '')?.[1]);
    if (typeof init?.body === 'string')
      for (const [name, value] of new URLSearchParams(init.body)) if (NAMES.includes(name)) remember(value);
    const response = await fetch(input, init);
    const text = await response.clone().text();
    try {
      const body = JSON.parse(text) as Record<string, unknown>;
      for (const name of NAMES) remember(body[name]);
    } catch {
      // no JSON, no tokens
    }
    return response;
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

test('no token, code or secret is in any output, log, file or message, in good days and in bad ones', async () => {
  const sandbox: Sandbox = await openSandbox();
  const folder = await temporaryFolder();
  // A browser that notes what it was started with; its note is among the files that are looked through below.
  const browser = join(folder, 'browser.cjs');
  await writeFile(
    browser,
    `#!${process.execPath}\nrequire('fs').writeFileSync(__filename + '.seen', JSON.stringify([process.argv, process.env]));\n`,
    { mode: 0o755 },
  );
  const secrets = new Set<string>([homeGoogleClient.clientSecret]);
  const feed = 'private-CANARYFEED0123456789';
  const { clientId } = homeGoogleClient;
  const google = googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret: '${ENV:HOME_SECRET}' }]);
  const yaml = `${microsoftAccounts(sandbox, [XEBIA])}${google.split('accounts:\n')[1]}  feed: { provider: ics, url: "\${ENV:FEED}" }\n`;
  await writeAccounts(folder, yaml);
  const env = {
    HOME_SECRET: homeGoogleClient.clientSecret,
    FEED: `${sandbox.origin}/feeds/${feed}/basic.ics?token=${feed}`,
    BROWSER: browser,
  };
  secrets.add(feed);
  const fetch = listeningFetch(secrets);

  const results: CliResult[] = [];
  const run = async (...args: string[]): Promise<void> => {
    let told = '';
    const stderr = {
      isTerminal: false,
      write(text: string): void {
        told += text;
        const code = /type (\S+) /.exec(text)?.[1];
        if (code !== undefined) sandbox.approve(code, 'you@xebia.example');
        const page = /open (http\S+\/auth\?\S+)/.exec(text)?.[1];
        if (page !== undefined) void googleBrowser(sandbox, 'you@home.example')(page);
      },
    };
    // Whoever pastes: opens the address that was told, and copies the one that it ends at.
    const readLine = async (): Promise<string> => {
      const url = /\n(http\S+\/auth\?\S+)\n/.exec(told)?.[1] ?? '';
      const back = await sandbox.google.consent(url, 'you@home.example');
      secrets.add(new URL(back).searchParams.get('code') ?? '');
      return back;
    };
    const result = await cli(folder, [...args, '--log', 'debug'], { env, fetch, stderr, readLine });
    results.push({ ...result, stderr: told });
  };

  await run('login', '--account', 'xebia', '--device-code');
  await run('login', '--account', 'home', '--browser');
  expect(results.map(({ status }) => status)).toEqual([0, 0]);
  expect(secrets.size).toBeGreaterThan(8);
  await run('login', '--account', 'home', '--no-browser');
  expect(results.at(-1)?.status).toBe(0);
  await run('status');
  await run('status', '--json');
  await run('login', '--all');
  await run('accounts', 'add', 'extra', '--provider', 'memory');
  await run('accounts', 'remove', 'extra', '--yes');
  await run('agenda', 'this week');
  await run('agenda', '--json');
  sandbox.expireAccessTokens();
  await run('agenda');

  // Servers that repeat what they were sent, in every kind of answer.
  const echo = (): string =>
    JSON.stringify({
      error: 'invalid_request',
      error_description: [...secrets].join(' '),
      message: [...secrets].join(' '),
    });
  const isData = ({ path }: { path: string }): boolean => /^\/(?:v1\.0|google\/calendar|feeds)\//.test(path);
  for (const status of [200, 302, 400, 401, 403, 404, 409, 429, 500]) {
    sandbox.fail({
      match: isData,
      times: 8,
      status,
      body: echo(),
      headers: { 'retry-after': '60', location: `https://x.example/?t=${[...secrets][0]}` },
      inBatch: true,
    });
    await run('agenda', 'today');
  }
  const isToken = ({ path }: { path: string }): boolean => /\/token$/.test(path);
  for (const [status, error] of [
    [400, 'invalid_grant'],
    [400, 'invalid_request'],
    [401, 'invalid_client'],
    [500, 'server_error'],
  ] as const) {
    sandbox.expireAccessTokens();
    sandbox.fail({
      match: isToken,
      times: 4,
      status,
      body: JSON.stringify({ error, error_description: `AADSTS70000: ${[...secrets].join(' ')}` }),
    });
    await run('agenda', 'today');
    await run('login', '--account', 'xebia', '--device-code');
  }
  await run('doctor');
  await run('accounts', 'list');
  await run('accounts', 'test');
  await run('logout', '--account', 'home');
  expect(await readFile(`${browser}.seen`, 'utf8')).toContain('/auth?');
  for (const file of await filesBelow(folder)) {
    const content = await readFile(file, 'latin1');
    for (const secret of secrets) expect(content.includes(secret), `${file} holds a secret`).toBe(false);
  }
  await run('logout', '--account', 'xebia');

  const told = results.flatMap(({ stdout, stderr }) => `${stdout}\n${stderr}`.split('\n'));
  for (const secret of secrets) expect(told.filter((line) => line.includes(secret)).slice(0, 2)).toEqual([]);
}, 180_000);
