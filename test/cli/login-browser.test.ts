import { describe, expect, test } from 'vitest';
import type { Output } from '../../src/cli/shell.ts';
import type { Fetch } from '../../src/core/provider.ts';
import { cli, openSandbox } from '../harness.ts';
import { knock } from '../io/connection.ts';
import { person } from './person.ts';
import { GOOGLE, homeFor, MICROSOFT, sealed, type Vendor } from './sign-in-accounts.ts';

const login = ({ account }: Vendor, ...options: string[]): string[] => ['login', '--account', account, ...options];

/** The port that calmcp asked to be sent back to. */
function portOf(url: string): number {
  return Number(new URL(new URL(url).searchParams.get('redirect_uri') ?? '').port);
}

/** The platform's fetch, and every secret that went through it. */
function watchedFetch(): { fetch: Fetch; secrets: Set<string> } {
  const secrets = new Set<string>();
  const names = ['code', 'code_verifier', 'client_secret', 'device_code', 'refresh_token', 'access_token', 'id_token'];
  return {
    secrets,
    async fetch(input, init) {
      const form = new URLSearchParams(typeof init?.body === 'string' ? init.body : '');
      const response = await globalThis.fetch(input, init);
      const answer: unknown = await response
        .clone()
        .json()
        .catch(() => ({}));
      for (const name of names) {
        for (const value of [form.get(name), (answer as Record<string, unknown>)[name]])
          if (typeof value === 'string') secrets.add(value);
      }
      return response;
    },
  };
}

/** A terminal, what was written on it, and the address on a line of its own. */
function screen(): { stderr: Output; told: () => string; address: () => string } {
  let text = '';
  const stderr = {
    isTerminal: true,
    write(more: string): void {
      text += more;
    },
  };
  return { stderr, told: () => text, address: () => /^(http\S+)$/m.exec(text)?.[1] ?? '' };
}

describe.each([MICROSOFT, GOOGLE])('login in a browser: $name', (vendor) => {
  test('signs in, says so on both sides, and leaves no secret in sight and no listener', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    const { env, pages, opened } = await person({ picks: vendor.you });
    const { fetch, secrets } = watchedFetch();
    const result = await cli(folder, login(vendor, '--browser', '--log', 'debug'), { env, fetch });
    expect(result).toMatchObject({ status: 0, stdout: `${vendor.account}: signed in as ${vendor.you}\n` });
    expect(result.stderr).toContain(await opened());
    const [page] = await pages();
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining(`${vendor.account} is ${vendor.you}.`) });
    expect(page?.url.startsWith(vendor.back)).toBe(true);
    expect(await knock(portOf(await opened()), '127.0.0.1')).toBe('ECONNREFUSED');
    expect(vendor.redemptions(sandbox)).toEqual(['authorization_code ok']);

    expect(secrets.size).toBeGreaterThanOrEqual(5);
    for (const secret of secrets) expect(`${result.stdout}${result.stderr}${page?.text}`).not.toContain(secret);

    expect((await cli(folder, ['status'])).stdout).toContain(vendor.you);
    expect((await cli(folder, ['agenda', 'this', 'week'])).status).toBe(0);
  });

  test('is what happens where there is a browser, without being asked for', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    const { env } = await person({ picks: vendor.you });
    expect((await cli(folder, login(vendor), { env })).status).toBe(0);
    expect(vendor.redemptions(sandbox)).toEqual(['authorization_code ok']);
  });

  test('T10: as another person than accounts.yaml says is refused, in the browser too, and nothing is kept', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox, vendor.you);
    const { env, pages } = await person({ picks: vendor.other });
    const { fetch, secrets } = watchedFetch();
    const result = await cli(folder, login(vendor, '--browser'), { env, fetch });
    const says = `expected ${vendor.you} and ${vendor.other} signed in; nothing of it was kept`;
    expect(result).toMatchObject({ status: 77, stdout: '', stderr: expect.stringContaining(says) });
    expect(result.stderr).toContain(`sign in as ${vendor.you}, or change username in accounts.yaml`);
    expect(await pages()).toMatchObject([{ status: 400, text: expect.stringContaining(says) }]);
    expect(await sealed(vendor, folder)).toBeUndefined();
    for (const secret of secrets) expect(result.stderr).not.toContain(secret);
    expect((await cli(folder, ['status'])).stdout).toContain('needs-login');
  });

  test('T10: as another person than before is refused, and the one before stays', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    await cli(folder, login(vendor, '--browser'), { env: (await person({ picks: vendor.you })).env });
    const before = await sealed(vendor, folder);
    expect(before).toContain(vendor.you);
    const { fetch, secrets } = watchedFetch();
    const { env } = await person({ picks: vendor.other });
    const result = await cli(folder, login(vendor, '--browser'), { env, fetch });
    expect(result.status).toBe(77);
    expect(result.stderr).toContain(`run: calmcp logout --account ${vendor.account}`);
    const after = (await sealed(vendor, folder)) ?? '';
    expect(after).toBe(before);
    expect(after).not.toContain(vendor.other);
    const tokens = [...secrets].filter((secret) => secret.length > 40);
    expect(tokens.length).toBeGreaterThanOrEqual(3);
    for (const token of tokens) expect(after).not.toContain(token);
    expect((await cli(folder, ['agenda', 'this', 'week'])).status).toBe(0);
  });

  test('sends the pinned person along as a hint', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox, vendor.you);
    const { env, opened } = await person({ picks: vendor.you });
    await cli(folder, login(vendor, '--browser'), { env });
    expect(new URL(await opened()).searchParams.get('login_hint')).toBe(vendor.you);
  });

  test('where the person says no', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    const { env, pages } = await person({ picks: vendor.you, declines: true });
    const result = await cli(folder, login(vendor, '--browser'), { env });
    expect(result).toMatchObject({ status: 77, stdout: '' });
    expect(result.stderr).toContain('the sign-in was declined');
    expect(result.stderr).toContain(`run: calmcp login --account ${vendor.account}\n`);
    expect(await pages()).toMatchObject([{ status: 400, text: expect.stringContaining('the sign-in was declined') }]);
    expect(vendor.redemptions(sandbox)).toEqual([]);
    expect(await sealed(vendor, folder)).toBeUndefined();
  });

  test('whose browser answers twice redeems once, and both answers get the page', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    const { env, pages } = await person({ picks: vendor.you, times: 2 });
    expect((await cli(folder, login(vendor, '--browser'), { env })).status).toBe(0);
    expect((await pages()).map(({ status }) => status)).toEqual([200, 200]);
    expect(vendor.redemptions(sandbox)).toEqual(['authorization_code ok']);
  });

  test('that nobody answers ends at once with Ctrl-C, and leaves no listener', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    const { env, opened } = await person({ picks: 'nobody' });
    const interrupted = new AbortController();
    const running = cli(folder, login(vendor, '--browser'), { env, interrupted: interrupted.signal });
    const port = portOf(await opened());
    expect(await knock(port, '127.0.0.1')).toBe('open');
    const before = performance.now();
    interrupted.abort(new Error('ended by SIGINT'));
    expect((await running).status).toBe(130);
    expect(performance.now() - before).toBeLessThan(500);
    expect(await knock(port, '127.0.0.1')).toBe('ECONNREFUSED');
  });

  test('whose token endpoint hangs ends soon with Ctrl-C', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    sandbox.fail({ match: ({ path }) => path.endsWith('/token'), hang: true });
    const { env, pages } = await person({ picks: vendor.you });
    const interrupted = new AbortController();
    const running = cli(folder, login(vendor, '--browser'), { env, interrupted: interrupted.signal });
    await expect
      .poll(() => sandbox.requests.some(({ path }) => path.endsWith('/token')), { timeout: 10_000 })
      .toBe(true);
    const before = performance.now();
    interrupted.abort(new Error('ended by SIGINT'));
    expect((await running).status).toBe(130);
    expect(performance.now() - before).toBeLessThan(2_000);
    expect(await pages()).toMatchObject([{ status: 400, text: expect.stringContaining('did not come to its end') }]);
    expect(await sealed(vendor, folder)).toBeUndefined();
  });

  test('goes on without a browser that cannot be started: the address is on the screen', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(vendor, sandbox);
    let told = '';
    let asked = false;
    const stderr = {
      isTerminal: false,
      write(text: string): void {
        told += text;
        const url = /^\w+: open (http\S+)$/m.exec(told)?.[1];
        if (url === undefined || asked) return;
        asked = true;
        const consent = vendor.name === 'google' ? sandbox.google.consent : sandbox.consent;
        void fetch(consent(url, vendor.you)).catch(() => undefined);
      },
    };
    const env = { BROWSER: '/nonexistent/browser' };
    expect((await cli(folder, login(vendor, '--browser'), { env, stderr })).status).toBe(0);
  });
});

describe('login without a browser', () => {
  test('at Google: prints the address, and takes the pasted one', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(GOOGLE, sandbox);
    const { fetch, secrets } = watchedFetch();
    const { stderr, told, address } = screen();
    const readLine = async (): Promise<string> => sandbox.google.consent(address(), GOOGLE.you);
    const result = await cli(folder, login(GOOGLE, '--no-browser'), { fetch, stderr, readLine });
    expect(result).toMatchObject({ status: 0, stdout: `home: signed in as ${GOOGLE.you}\n` });
    expect(told()).toContain('paste its whole address here:');
    for (const secret of secrets) expect(told() + result.stdout).not.toContain(secret);
    expect((await cli(folder, ['agenda'])).status).toBe(0);
  });

  test.each([
    ['garbage', 'hello', /that is no web address\nrun the command again/],
    ['nothing (no stdin)', '', /that is no web address/],
    ['T8: the address of another sign-in', 'http://127.0.0.1:1/?state=x&code=y', /belongs to another sign-in/],
  ])('at Google: %s is refused', async (_name, pasted, says) => {
    const sandbox = await openSandbox();
    const folder = await homeFor(GOOGLE, sandbox);
    const result = await cli(folder, login(GOOGLE, '--no-browser'), { readLine: async () => pasted });
    expect(result.status).toBe(64);
    expect(result.stderr).toMatch(says);
    expect(GOOGLE.redemptions(sandbox)).toEqual([]);
  });

  test('T10: at Google: as another person is refused', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(GOOGLE, sandbox, GOOGLE.you);
    const { stderr, told, address } = screen();
    const readLine = async (): Promise<string> => sandbox.google.consent(address(), GOOGLE.other);
    expect((await cli(folder, login(GOOGLE, '--no-browser'), { stderr, readLine })).status).toBe(77);
    expect(told()).toContain(`expected ${GOOGLE.you} and ${GOOGLE.other} signed in`);
    expect(await sealed(GOOGLE, folder)).toBeUndefined();
  });

  test('at Google: Ctrl-C while the address is waited for ends it', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(GOOGLE, sandbox);
    const interrupted = new AbortController();
    const readLine = (): Promise<string> => {
      setTimeout(() => interrupted.abort(new Error('ended by SIGINT')), 10);
      return new Promise(() => undefined);
    };
    const result = await cli(folder, login(GOOGLE, '--no-browser'), { readLine, interrupted: interrupted.signal });
    expect(result.status).toBe(130);
  });

  test('at Google: a device code is refused with the way that works', async () => {
    const sandbox = await openSandbox();
    const folder = await homeFor(GOOGLE, sandbox);
    expect(await cli(folder, login(GOOGLE, '--device-code'))).toEqual({
      status: 64,
      stdout: '',
      stderr:
        'calmcp: home: Google Calendar has no device code for calendars\nrun: calmcp login --account home --no-browser\n',
    });
    expect(sandbox.requests).toEqual([]);
  });

  test.each([['--no-browser'], ['--device-code'], []])('at Microsoft: a device code (%s)', async (...options) => {
    const sandbox = await openSandbox();
    const folder = await homeFor(MICROSOFT, sandbox);
    const { fetch, secrets } = watchedFetch();
    let told = '';
    const stderr = {
      isTerminal: false,
      write(text: string): void {
        told += text;
        const code = /type (\S+) /.exec(text)?.[1];
        if (code !== undefined) sandbox.approve(code, MICROSOFT.you);
      },
    };
    const result = await cli(folder, login(MICROSOFT, ...options), { fetch, stderr });
    expect(result.status).toBe(0);
    expect(MICROSOFT.redemptions(sandbox).at(-1)).toBe('device_code ok');
    for (const secret of secrets) expect(told + result.stdout).not.toContain(secret);
  });

  test('at Microsoft: Ctrl-C does not wait for the next poll', async () => {
    const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 20 });
    const folder = await homeFor(MICROSOFT, sandbox);
    const interrupted = new AbortController();
    let before = Number.POSITIVE_INFINITY;
    const stderr = {
      isTerminal: false,
      write(text: string): void {
        if (!text.includes('type ')) return;
        before = performance.now();
        interrupted.abort(new Error('ended by SIGINT'));
      },
    };
    const result = await cli(folder, login(MICROSOFT, '--no-browser'), { stderr, interrupted: interrupted.signal });
    expect(result.status).toBe(130);
    expect(performance.now() - before).toBeLessThan(3_000);
  });
});
