import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { clientId, northwindClientId, type Sandbox, tenantIds } from '../../src/sandbox/index.ts';
import { get, type Json, openSandbox, postForm, type Reply } from './client.ts';

const you = 'you@xebia.example';
const verifier = 'a-verifier-of-at-least-forty-three-characters-0123456789';
const redirectUri = 'http://localhost:50123';

/** The address that an app opens in the browser; an empty string leaves a parameter out. */
function authorizationUrl(
  sandbox: Sandbox,
  changes: Record<string, string> = {},
  tenant: string = tenantIds.xebia,
): string {
  const query = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope: 'Calendars.Read openid profile offline_access',
    state: 'st',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    ...changes,
  };
  const given = Object.entries(query).filter(([, value]) => value !== '');
  return `${sandbox.origin}/${tenant}/oauth2/v2.0/authorize?${new URLSearchParams(given)}`;
}

const consented = (sandbox: Sandbox, changes: Record<string, string> = {}, options = {}, tenant?: string) =>
  new URL(sandbox.consent(authorizationUrl(sandbox, changes, tenant), you, options)).searchParams;

const codeOf = (sandbox: Sandbox, changes: Record<string, string> = {}) =>
  consented(sandbox, changes).get('code') ?? '';

function redeem(
  sandbox: Sandbox,
  code: string,
  changes: Record<string, string> = {},
  tenant: string = tenantIds.xebia,
): Promise<Reply> {
  const form = {
    grant_type: 'authorization_code',
    client_id: clientId,
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...changes,
  };
  const given = Object.entries(form).filter(([, value]) => value !== '');
  return postForm(`${sandbox.origin}/${tenant}/oauth2/v2.0/token`, Object.fromEntries(given));
}

const claimsOf = (idToken: unknown) =>
  JSON.parse(Buffer.from(String(idToken).split('.')[1] ?? '', 'base64url').toString()) as Json;

describe('the authorization page', () => {
  test('lists the people of the tenant, and of no other', async () => {
    const sandbox = await openSandbox();
    const text = await (await fetch(authorizationUrl(sandbox))).text();
    expect(text).toContain('value="you@xebia.example" checked');
    expect(text).toContain('bench@xebia.example');
    expect(text).not.toContain('marimer.example');
  });

  test('of the organizations endpoint lists everyone whose tenant knows the application', async () => {
    const sandbox = await openSandbox();
    const text = await (await fetch(authorizationUrl(sandbox, {}, 'organizations'))).text();
    expect(text).toContain('you@marimer.example');
    expect(text).not.toContain('northwind.example');
  });

  test.each(['bench@xebia.example', 'Bench@Xebia.example'])('chooses the hinted person (%s)', async (hint) => {
    const sandbox = await openSandbox();
    const text = await (await fetch(authorizationUrl(sandbox, { login_hint: hint }))).text();
    expect(text).toContain('value="bench@xebia.example" checked');
    expect(text.match(/ checked/g)).toHaveLength(1);
  });

  test('sends the browser back with code and state, without JavaScript', async () => {
    const sandbox = await openSandbox();
    const page = await fetch(authorizationUrl(sandbox, { state: 'a&b="c"', prompt: 'select_account' }));
    const text = await page.text();
    expect(text).not.toContain('<script');
    const action = (/action="([^"]+)"/.exec(text)?.[1] ?? '').replaceAll('&amp;', '&');
    const answer = await fetch(new URL(action, page.url), {
      method: 'POST',
      body: new URLSearchParams({ username: you, decision: 'accept' }),
      redirect: 'manual',
    });
    expect(answer.status).toBe(302);
    const location = new URL(answer.headers.get('location') ?? '');
    expect(location.origin + location.pathname).toBe(`${redirectUri}/`);
    expect(location.searchParams.get('state')).toBe('a&b="c"');
    expect(location.searchParams.get('session_state')).toMatch(/^[\da-f-]{36}$/);
    expect((await redeem(sandbox, location.searchParams.get('code') ?? '')).status).toBe(200);
  });

  test('sends the browser back with access_denied when the person says no', async () => {
    const sandbox = await openSandbox();
    const url = authorizationUrl(sandbox).replace('/oauth2/v2.0/authorize', '/login');
    const body = new URLSearchParams({ username: you, decision: 'cancel' });
    const answer = await fetch(url, { method: 'POST', body, redirect: 'manual' });
    const location = new URL(answer.headers.get('location') ?? '');
    expect(Object.fromEntries(location.searchParams)).toMatchObject({ error: 'access_denied', state: 'st' });
    expect(consented(sandbox, {}, { deny: true }).get('error')).toBe('access_denied');
    expect(location.searchParams.has('code')).toBe(false);
  });

  test('with response_mode=form_post lets the browser post the answer', async () => {
    const sandbox = await openSandbox();
    const url = authorizationUrl(sandbox, { response_mode: 'form_post', state: '"><b>' });
    const body = new URLSearchParams({ username: you, decision: 'accept' });
    const page = await fetch(url.replace('/oauth2/v2.0/authorize', '/login'), { method: 'POST', body });
    const text = await page.text();
    expect(page.status).toBe(200);
    expect(text).toContain(`<form method="post" action="${redirectUri}">`);
    expect(text).toContain('name="state" value="&quot;&gt;&lt;b&gt;"');
    const code = /name="code" value="([^"]+)"/.exec(text)?.[1] ?? '';
    expect((await redeem(sandbox, code)).status).toBe(200);
    expect(() => sandbox.consent(url, you)).toThrow(/form_post/);
  });

  test.each([
    ['an unknown application', { client_id: northwindClientId }, 'AADSTS700016'],
    ['no application', { client_id: '' }, 'AADSTS900144'],
    ['no redirect address', { redirect_uri: '' }, 'AADSTS900144'],
    ['a redirect address on the internet', { redirect_uri: 'https://evil.example/' }, 'AADSTS50011'],
    ['one that only begins like localhost', { redirect_uri: 'http://localhost.evil.example/' }, 'AADSTS50011'],
    ['one that hides another host', { redirect_uri: 'http://localhost:1@evil.example/' }, 'AADSTS50011'],
    ['localhost over https', { redirect_uri: 'https://localhost:50123' }, 'AADSTS50011'],
    ['127.0.0.1, which is not registered', { redirect_uri: 'http://127.0.0.1:50123' }, 'AADSTS50011'],
    ['another path', { redirect_uri: 'http://localhost:50123/callback' }, 'AADSTS50011'],
    ['a query in the redirect address', { redirect_uri: 'http://localhost:50123/?x=1' }, 'AADSTS50011'],
    ['a port that is none', { redirect_uri: 'http://localhost:99999' }, 'AADSTS50011'],
  ])('shows an error and sends the browser nowhere for %s', async (_name, changes, error) => {
    const sandbox = await openSandbox();
    const url = authorizationUrl(sandbox, changes);
    const page = await fetch(url, { redirect: 'manual' });
    expect(page.status).toBe(400);
    expect(page.headers.get('location')).toBeNull();
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain(error);
    expect(() => sandbox.consent(url, you)).toThrow(error);
  });

  test('shows an error for an unknown tenant, and for a parameter that is given twice', async () => {
    const sandbox = await openSandbox();
    const unknown = await fetch(authorizationUrl(sandbox, {}, 'nowhere.example'), { redirect: 'manual' });
    expect([unknown.status, await unknown.text()]).toEqual([400, expect.stringContaining('AADSTS90002')]);
    const twice = await fetch(`${authorizationUrl(sandbox)}&redirect_uri=https%3A%2F%2Fevil.example`, {
      redirect: 'manual',
    });
    expect([twice.status, await twice.text()]).toEqual([400, expect.stringContaining('AADSTS9000411')]);
  });

  test('repeats nothing unescaped', async () => {
    const sandbox = await openSandbox();
    const text = await (await fetch(authorizationUrl(sandbox, { redirect_uri: '"><script>x' }))).text();
    expect(text).not.toContain('<script>');
    const shown = await (await fetch(authorizationUrl(sandbox, { scope: '<script>', state: '"><script>' }))).text();
    expect(shown).not.toContain('<script>');
  });

  test.each([
    ['no response type', { response_type: '' }, 'invalid_request', 900144],
    ['another response type', { response_type: 'id_token' }, 'unsupported_response_type', 700054],
    ['no scope', { scope: '' }, 'invalid_request', 900144],
    ['no challenge', { code_challenge: '' }, 'invalid_request', 9002325],
    ['the challenge itself as the verifier', { code_challenge_method: 'plain' }, 'invalid_request', 501491],
    ['no method of the challenge', { code_challenge_method: '' }, 'invalid_request', 501491],
    ['a challenge that is no SHA-256', { code_challenge: 'short' }, 'invalid_request', 501491],
    ['an answer in the fragment', { response_mode: 'fragment' }, 'invalid_request', 70007],
    ['an unknown prompt', { prompt: 'maybe' }, 'invalid_request', 90023],
    ['nobody to be asked', { prompt: 'none' }, 'login_required', 50058],
  ])('tells the application about %s', async (_name, changes, error, number) => {
    const sandbox = await openSandbox();
    const answer = await fetch(authorizationUrl(sandbox, changes), { redirect: 'manual' });
    expect(answer.status).toBe(302);
    const { origin, searchParams } = new URL(answer.headers.get('location') ?? '');
    expect(origin).toBe(redirectUri);
    expect(Object.fromEntries(searchParams)).toEqual({
      error,
      error_description: expect.stringMatching(new RegExp(`^AADSTS${number}: `)),
      state: 'st',
    });
  });

  test.each(['http://localhost', 'http://localhost/', 'http://localhost:1', 'http://localhost:65535/'])(
    'takes %s: the port is not compared',
    async (uri) => {
      const sandbox = await openSandbox();
      const code = codeOf(sandbox, { redirect_uri: uri });
      expect((await redeem(sandbox, code, { redirect_uri: uri })).status).toBe(200);
    },
  );

  test('lets nobody of another tenant in, and nobody it does not know', async () => {
    const sandbox = await openSandbox();
    const url = authorizationUrl(sandbox);
    expect(() => sandbox.consent(url, 'you@marimer.example')).toThrow(/AADSTS50020/);
    expect(() => sandbox.consent(url, 'who@xebia.example')).toThrow(/AADSTS50034/);
    const anyone = authorizationUrl(sandbox, {}, 'organizations');
    expect(() => sandbox.consent(anyone, 'you@northwind.example')).toThrow(/AADSTS700016/);
    expect(() => sandbox.consent(`${sandbox.origin}/devicelogin`, you)).toThrow(/not the authorization endpoint/);
  });
});

describe('an authorization code', () => {
  test('gives tokens for the person and the scopes', async () => {
    const sandbox = await openSandbox();
    const { status, body } = await redeem(sandbox, codeOf(sandbox, { nonce: 'once' }));
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', scope: 'Calendars.Read openid profile' });
    expect(claimsOf(body.id_token)).toMatchObject({ preferred_username: you, tid: tenantIds.xebia, nonce: 'once' });
    expect((await get(`${sandbox.origin}/v1.0/me/calendars`, String(body.access_token))).status).toBe(200);
    expect(sandbox.redemptions).toEqual([
      {
        tenant: tenantIds.xebia,
        tokenTenant: tenantIds.xebia,
        grant: 'authorization_code',
        username: you,
        clientId,
        outcome: 'ok',
      },
    ]);
  });

  test('has no nonce in its id token that nobody sent', async () => {
    const sandbox = await openSandbox();
    expect(claimsOf((await redeem(sandbox, codeOf(sandbox))).body.id_token)).not.toHaveProperty('nonce');
  });

  test('works once; the second time kills what came of the first, also after a refresh', async () => {
    const sandbox = await openSandbox();
    const code = codeOf(sandbox);
    const first = (await redeem(sandbox, code)).body;
    const refresh = (token: unknown) =>
      postForm(`${sandbox.origin}/${tenantIds.xebia}/oauth2/v2.0/token`, {
        grant_type: 'refresh_token',
        client_id: clientId,
        refresh_token: String(token),
      });
    const refreshed = (await refresh(first.refresh_token)).body;
    const bystander = (await redeem(sandbox, codeOf(sandbox))).body;
    expect((await redeem(sandbox, code)).body).toMatchObject({ error: 'invalid_grant', error_codes: [54005] });
    for (const token of [first.access_token, refreshed.access_token])
      expect((await get(`${sandbox.origin}/v1.0/me/calendars`, String(token))).status).toBe(401);
    expect((await refresh(refreshed.refresh_token)).body.error).toBe('invalid_grant');
    expect((await refresh(bystander.refresh_token)).status).toBe(200);
  });

  test.each([
    ['another verifier', { code_verifier: verifier.replace('a', 'b') }, 'invalid_grant', 501481],
    ['no verifier', { code_verifier: '' }, 'invalid_grant', 501481],
    ['another port', { redirect_uri: 'http://localhost:50124' }, 'invalid_grant', 500112],
    ['another spelling of the address', { redirect_uri: `${redirectUri}/` }, 'invalid_grant', 500112],
    ['no address', { redirect_uri: '' }, 'invalid_request', 900144],
    ['no code', { code: '' }, 'invalid_request', 900144],
    ['a code that nobody handed out', { code: 'made-up' }, 'invalid_grant', 9002313],
    ['an unknown application', { client_id: northwindClientId }, 'unauthorized_client', 700016],
    ['a secret, which a public client has not', { client_secret: 'x' }, 'invalid_client', 700025],
    ['a scope that was not asked for', { scope: 'Mail.Read' }, 'invalid_grant', 65001],
  ])('is refused with %s, and stays good', async (_name, changes, error, number) => {
    const sandbox = await openSandbox();
    const code = codeOf(sandbox);
    const { status, body } = await redeem(sandbox, code, changes);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error, error_codes: [number] });
    expect((await redeem(sandbox, code)).status).toBe(200);
  });

  test('is refused at the endpoint of another tenant', async () => {
    const sandbox = await openSandbox();
    const refused = await redeem(sandbox, codeOf(sandbox), {}, tenantIds.marimer);
    expect(refused.body).toMatchObject({ error: 'invalid_grant', error_codes: [700005] });
  });

  test('lives ten minutes', async () => {
    let now = Date.parse('2026-11-23T09:00:00Z');
    const sandbox = await openSandbox({ now: () => now });
    const [inTime, late] = [codeOf(sandbox), codeOf(sandbox)];
    now += 599_000;
    expect((await redeem(sandbox, inTime)).status).toBe(200);
    now += 1_000;
    expect((await redeem(sandbox, late)).body).toMatchObject({ error: 'invalid_grant', error_codes: [70008] });
  });

  test('dies with the grants of its person', async () => {
    const sandbox = await openSandbox();
    const code = codeOf(sandbox);
    sandbox.revoke(you);
    expect((await redeem(sandbox, code)).body.error).toBe('invalid_grant');
  });
});
