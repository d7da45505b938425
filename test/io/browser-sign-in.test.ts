import { createHash } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CalmcpError } from '../../src/core/errors.ts';
import type { SignInPrompts } from '../../src/core/provider.ts';
import {
  type AuthorizationCode,
  type AuthorizationRequest,
  type BrowserSignIn,
  signInWithBrowser,
} from '../../src/io/browser-sign-in.ts';
import { openCall } from '../harness.ts';
import { knock } from './connection.ts';

type Person = (request: AuthorizationRequest) => Promise<unknown> | unknown;

interface Started {
  /** What the vendor's page was asked. */
  readonly requests: AuthorizationRequest[];
  /** What was to be redeemed. */
  readonly codes: AuthorizationCode[];
  readonly result: Promise<string>;
  readonly controller: AbortController;
}

/** A sign-in whose vendor is this function: it remembers what it was asked. */
function start(
  person: Person,
  options: Partial<BrowserSignIn<string>> & { paste?: (url: string) => string; limitMs?: number } = {},
): Started {
  const { paste, limitMs, ...flow } = options;
  const requests: AuthorizationRequest[] = [];
  const codes: AuthorizationCode[] = [];
  const controller = new AbortController();
  onTestFinished(() => controller.abort(new Error('the test is over')));
  const prompts: SignInPrompts = {
    method: paste === undefined ? 'browser' : 'paste',
    deviceCode: () => expect.fail('this is no device code'),
    async openUrl() {
      const [request] = requests;
      if (request) await person(request);
    },
    pasteAnswer: async (url) => paste?.(url) ?? '',
  };
  const result = signInWithBrowser<string>(
    {
      redirectHost: '127.0.0.1',
      authorizationUrl(request) {
        requests.push(request);
        return `https://vendor.example/?state=${request.state}`;
      },
      async redeem(code) {
        codes.push(code);
        return { message: `this is ${code.code}`, value: code.code };
      },
      ...flow,
    },
    prompts,
    { ...openCall(), signal: controller.signal },
    limitMs,
  );
  result.catch(() => undefined);
  return { requests, codes, result, controller };
}

const back = ({ redirectUri }: AuthorizationRequest, answer: Record<string, string>): string =>
  `${redirectUri}/?${new URLSearchParams(answer)}`;

const portOf = ({ requests }: Started): number => Number(new URL(requests[0]?.redirectUri ?? '').port);

/** A browser that is sent back with `code`; nobody waits for the page it is shown. */
const answers =
  (code: string): Person =>
  (request) =>
    void fetch(back(request, { code, state: request.state })).catch(() => undefined);

async function failure(result: Promise<unknown>): Promise<CalmcpError> {
  const thrown = await result.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(CalmcpError);
  return thrown as CalmcpError;
}

describe('a browser on this machine', () => {
  test('brings a code, which is redeemed with the verifier and the address of this very sign-in', async () => {
    const started = start(answers('abc'));
    expect(await started.result).toBe('abc');
    expect(started.codes).toEqual([
      { code: 'abc', codeVerifier: expect.any(String), redirectUri: started.requests[0]?.redirectUri },
    ]);
    expect(started.requests[0]?.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await knock(portOf(started), '127.0.0.1')).toBe('ECONNREFUSED');
  });

  test('is sent to localhost where the vendor wants that, and it is still 127.0.0.1 that listens', async () => {
    const started = start(
      ({ redirectUri, state }) =>
        void fetch(back({ redirectUri, state, codeChallenge: '' }, { code: 'abc', state })).catch(() => undefined),
      { redirectHost: 'localhost' },
    );
    await expect.poll(() => started.requests.length).toBe(1);
    expect(started.requests[0]?.redirectUri).toMatch(/^http:\/\/localhost:\d+$/);
    expect(await started.result).toBe('abc');
  });

  test('T8: has a verifier as RFC 7636 wants it, and a challenge that is its S256', async () => {
    // Appendix B of the RFC, to know that this is how S256 is done.
    expect(createHash('sha256').update('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk').digest('base64url')).toBe(
      'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    );
    const started = start(answers('abc'));
    await started.result;
    const [code, request] = [started.codes[0], started.requests[0]];
    expect(code?.codeVerifier).toMatch(/^[A-Za-z0-9\-._~]{43,128}$/);
    expect(
      createHash('sha256')
        .update(code?.codeVerifier ?? '')
        .digest('base64url'),
    ).toBe(request?.codeChallenge);
    expect(request?.state).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(request)).not.toContain(code?.codeVerifier);
  });

  test('T8: has another state, verifier and port every time', async () => {
    const flows = [1, 2, 3].map(() => start(answers('abc')));
    await Promise.all(flows.map(({ result }) => result));
    expect(new Set(flows.flatMap(({ requests, codes }) => [requests[0]?.state, codes[0]?.codeVerifier])).size).toBe(6);
    expect(new Set(flows.map(portOf)).size).toBe(3);
  });

  test('T8: of one sign-in is turned away by another one', async () => {
    const [one, two] = [start(() => undefined), start(() => undefined)];
    await expect.poll(() => one.requests.length + two.requests.length).toBe(2);
    const [first, second] = [one.requests[0], two.requests[0]];
    if (!first || !second) throw new Error('two sign-ins should have begun');
    const crossed = await fetch(back(second, { code: 'crossed', state: first.state }));
    expect(crossed.status).toBe(400);
    const pages = [
      fetch(back(second, { code: 'two', state: second.state })),
      fetch(back(first, { code: 'one', state: first.state })),
    ];
    expect(await Promise.all([one.result, two.result])).toEqual(['one', 'two']);
    expect(
      await Promise.all(pages.map(async (page) => (await (await page).text()).match(/this is (\w+)/)?.[1])),
    ).toEqual(['two', 'one']);
    expect([one.codes.length, two.codes.length]).toEqual([1, 1]);
  });

  test('that answers twice has its code redeemed once', async () => {
    const started = start((request) => {
      void answers('abc')(request);
      void answers('abc')(request);
    });
    expect(await started.result).toBe('abc');
    expect(started.codes).toHaveLength(1);
  });

  test('where the person says no: FORBIDDEN, and the page says so', async () => {
    let page: Promise<Response> | undefined;
    const started = start((request) => {
      page = fetch(back(request, { error: 'access_denied', error_description: 'CANARY', state: request.state }));
    });
    expect(await failure(started.result)).toMatchObject({
      code: 'FORBIDDEN',
      message: 'the sign-in was declined',
      hint: 'run: calmcp login --account <account>',
    });
    expect(await (await page)?.text()).toContain('the sign-in was declined');
    expect(started.codes).toEqual([]);
    expect(await knock(portOf(started), '127.0.0.1')).toBe('ECONNREFUSED');
  });

  test('that brings an error: AUTH_REQUIRED, without what the server wrote about it', async () => {
    let page: Promise<Response> | undefined;
    const started = start((request) => {
      const error = `server_error${'<img src=x>'.repeat(20)}`;
      page = fetch(back(request, { error, error_description: 'CANARY of the server', state: request.state }));
    });
    const error = await failure(started.result);
    expect(error.code).toBe('AUTH_REQUIRED');
    expect(error.message).toMatch(/^the sign-in service refused \(server_error[\w.-]{0,48}\)$/);
    expect([error.message, error.hint, ...error.problems].join()).not.toContain('CANARY');
    expect(await (await page)?.text()).not.toMatch(/CANARY|<img/);
  });

  test('that brings neither code nor error: BAD_RESPONSE', async () => {
    const started = start((request) => void fetch(back(request, { state: request.state })).catch(() => undefined));
    expect(await failure(started.result)).toMatchObject({ code: 'BAD_RESPONSE' });
  });

  test('is told when the redemption fails, in our words alone', async () => {
    for (const [thrown, says] of [
      [
        new CalmcpError('FORBIDDEN', 'expected a@x and b@x signed in', { cause: 'CANARY' }),
        /expected a@x and b@x signed in\./,
      ],
      [new Error('CANARY'), /did not come to its end/],
    ] as const) {
      let page: Promise<Response> | undefined;
      const started = start(
        (request) => {
          page = fetch(back(request, { code: 'abc', state: request.state }));
        },
        { redeem: () => Promise.reject(thrown) },
      );
      await expect(started.result).rejects.toBe(thrown);
      const answer = await page;
      expect(answer?.status).toBe(400);
      const text = (await answer?.text()) ?? '';
      expect(text).toMatch(says);
      expect(text).not.toContain('CANARY');
    }
  });
});

describe('nobody comes', () => {
  test('Ctrl-C ends it at once, and nothing listens any more', async () => {
    const started = start(() => undefined);
    await expect.poll(() => started.requests.length).toBe(1);
    expect(await knock(portOf(started), '127.0.0.1')).toBe('open');
    const before = performance.now();
    started.controller.abort(new Error('Ctrl-C'));
    await expect(started.result).rejects.toThrow('Ctrl-C');
    expect(performance.now() - before).toBeLessThan(300);
    expect(await knock(portOf(started), '127.0.0.1')).toBe('ECONNREFUSED');
  });

  test('Ctrl-C does not wait for a vendor that does not answer, before and after the page', async () => {
    const hangs = (): Promise<never> => new Promise(() => undefined);
    const before = start(() => undefined, { authorizationUrl: hangs });
    const after = start(answers('abc'), { redeem: hangs });
    await expect.poll(() => after.requests.length).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    for (const { controller, result } of [before, after]) {
      controller.abort(new Error('Ctrl-C'));
      await expect(result).rejects.toThrow('Ctrl-C');
    }
    expect(await knock(portOf(after), '127.0.0.1')).toBe('ECONNREFUSED');
  });

  test('Ctrl-C before it has begun sends nobody anywhere', async () => {
    let opened = false;
    const started = start(() => {
      opened = true;
    });
    started.controller.abort(new Error('Ctrl-C'));
    await expect(started.result).rejects.toThrow('Ctrl-C');
    expect(opened).toBe(false);
  });

  test('it ends by itself, and who comes late finds nobody', async () => {
    const started = start(() => undefined, { limitMs: 100 });
    expect(await failure(started.result)).toMatchObject({
      code: 'AUTH_REQUIRED',
      message: 'nobody came back from the sign-in page within five minutes',
      hint: 'run: calmcp login --account <account>',
    });
    const [request] = started.requests;
    if (!request) throw new Error('a sign-in should have begun');
    await expect(fetch(back(request, { code: 'late', state: request.state }))).rejects.toThrow();
    expect(started.codes).toEqual([]);
  });

  test('the limit is the person’s: who came in time is redeemed, however long that takes', async () => {
    const started = start(answers('abc'), {
      limitMs: 300,
      redeem: ({ code }) =>
        new Promise((resolve) => setTimeout(() => resolve({ message: '', value: `slowly ${code}` }), 500)),
    });
    expect(await started.result).toBe('slowly abc');
  });
});

describe('an address that is pasted', () => {
  const address = (url: string, answer: Record<string, string> = { code: 'abc' }): string => {
    const state = new URL(url).searchParams.get('state') ?? '';
    return `http://127.0.0.1:1/?${new URLSearchParams({ state, ...answer })}`;
  };

  test('is redeemed, and nothing has listened', async () => {
    const started = start(() => expect.fail('no browser is opened'), { paste: (url) => address(url) });
    expect(await started.result).toBe('abc');
    expect(started.requests[0]?.redirectUri).toBe('http://127.0.0.1:1');
    expect(started.codes[0]?.redirectUri).toBe('http://127.0.0.1:1');
  });

  test('may have white space around it', async () => {
    expect(await start(() => undefined, { paste: (url) => ` \t${address(url)} \r\n` }).result).toBe('abc');
  });

  test.each([
    ['T8: of another sign-in', () => 'http://127.0.0.1:1/?code=evil&state=another', /belongs to another sign-in/],
    ['T8: without a state', () => 'http://127.0.0.1:1/?code=evil', /belongs to another sign-in/],
    ['that is only the code', () => '4/0AQSTgQ', /is no web address/],
    ['that is empty', () => '', /is no web address/],
    ['that is blank', () => '   ', /is no web address/],
    ['cut off before the state', (url: string) => address(url).split('state=')[0] ?? '', /belongs to another sign-in/],
  ])('%s is refused, and no code is redeemed', async (_name, paste, says) => {
    const started = start(() => undefined, { paste });
    const error = await failure(started.result);
    expect(error).toMatchObject({ code: 'INPUT_INVALID', message: expect.stringMatching(says) });
    expect(error.hint).toMatch(/^run the command again/);
    expect(started.codes).toEqual([]);
  });

  test('may be one that says no', async () => {
    const started = start(() => undefined, { paste: (url) => address(url, { error: 'access_denied' }) });
    expect(await failure(started.result)).toMatchObject({ code: 'FORBIDDEN' });
  });

  test('is not waited for after Ctrl-C, nor for ever', async () => {
    const hangs = { pasteAnswer: (): Promise<string> => new Promise(() => undefined) };
    const flow: BrowserSignIn<string> = {
      redirectHost: '127.0.0.1',
      authorizationUrl: () => 'https://vendor.example/',
      redeem: () => Promise.reject(new Error('nothing to redeem')),
    };
    const prompts: SignInPrompts = { method: 'paste', deviceCode() {}, openUrl: async () => undefined, ...hangs };
    const controller = new AbortController();
    const interrupted = signInWithBrowser(flow, prompts, { ...openCall(), signal: controller.signal });
    controller.abort(new Error('Ctrl-C'));
    await expect(interrupted).rejects.toThrow('Ctrl-C');
    expect(await failure(signInWithBrowser(flow, prompts, openCall(), 50))).toMatchObject({ code: 'AUTH_REQUIRED' });
  });
});
