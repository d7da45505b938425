import { describe, expect, test } from 'vitest';
import {
  deletedGoogleClient,
  googleClientId,
  googleClientSecret,
  googleFaults,
  googleSignIn,
  harborGoogleClient,
  homeGoogleClient,
  type Sandbox,
} from '../../src/sandbox/index.ts';
import { get, openSandbox, postForm } from './client.ts';
import { authorizationUrl, codeForm, listUrl, redirectUri, refreshForm, scopeRoot } from './google-client.ts';

const you = 'you@home.example';

const consented = (sandbox: Sandbox, changes: Record<string, string> = {}, options = {}) =>
  new URL(sandbox.google.consent(authorizationUrl(sandbox, changes), you, options)).searchParams;

const codeOf = (sandbox: Sandbox, changes: Record<string, string> = {}) =>
  consented(sandbox, changes).get('code') ?? '';

const redeem = (sandbox: Sandbox, form: Record<string, string>) => postForm(sandbox.google.endpoints.token, form);

const signedIn = (sandbox: Sandbox, options = {}) =>
  googleSignIn(sandbox, { username: you, clientId: googleClientId, ...options });

const claimsOf = (idToken: string) =>
  JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

describe('the authorization page', () => {
  test('shows the people with the hinted one chosen, and a box for every scope that is not about identity', async () => {
    const sandbox = await openSandbox();
    const page = await fetch(authorizationUrl(sandbox, { login_hint: 'you@harbor.example' }));
    const text = await page.text();
    expect(page.status).toBe(200);
    expect(text).toContain('value="you@harbor.example" checked');
    expect(text).not.toContain('value="you@home.example" checked');
    expect(text.match(/type="checkbox"/g)).toHaveLength(1);
  });

  test('sends the browser back with code, state and the scopes that stayed ticked', async () => {
    const sandbox = await openSandbox();
    const scope = `openid ${scopeRoot}calendar.readonly ${scopeRoot}calendar.events`;
    const url = authorizationUrl(sandbox, { scope });
    const form = new URLSearchParams({ username: you, decision: 'approve', scope: `${scopeRoot}calendar.readonly` });
    const answer = await fetch(url, { method: 'POST', body: form, redirect: 'manual' });
    expect(answer.status).toBe(302);
    const location = new URL(answer.headers.get('location') ?? '');
    expect(location.origin + location.pathname).toBe(redirectUri);
    expect(location.searchParams.get('state')).toBe('st');
    expect(location.searchParams.get('scope')).toBe(`openid ${scopeRoot}calendar.readonly`);
    expect((await redeem(sandbox, codeForm(location.searchParams.get('code') ?? ''))).body.scope).toBe(
      `openid ${scopeRoot}calendar.readonly`,
    );
  });

  test('sends the browser back with access_denied when the person says no', async () => {
    const sandbox = await openSandbox();
    const form = new URLSearchParams({ username: you, decision: 'deny' });
    const answer = await fetch(authorizationUrl(sandbox), { method: 'POST', body: form, redirect: 'manual' });
    expect(answer.headers.get('location')).toBe(`${redirectUri}?error=access_denied&state=st`);
    expect(consented(sandbox, {}, { deny: true }).get('error')).toBe('access_denied');
  });

  test.each([
    ['an unknown client', { client_id: 'nobody.apps.googleusercontent.com' }, 401, 'invalid_client'],
    ['a deleted client', { client_id: deletedGoogleClient.clientId }, 401, 'deleted_client'],
    ['no client', { client_id: '' }, 400, 'invalid_request'],
    ['a redirect address on the internet', { redirect_uri: 'http://evil.example/cb' }, 400, 'redirect_uri_mismatch'],
    [
      'a redirect address that only begins like loopback',
      { redirect_uri: 'http://127.0.0.1.evil.example/' },
      400,
      'redirect_uri_mismatch',
    ],
    ['a loopback address over https', { redirect_uri: 'https://127.0.0.1:5000/' }, 400, 'redirect_uri_mismatch'],
    ['no redirect address', { redirect_uri: '' }, 400, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 400, 'unsupported_response_type'],
    ['no scope', { scope: '' }, 400, 'invalid_request'],
    ['an unknown scope', { scope: `${scopeRoot}calendar.everything` }, 400, 'invalid_scope'],
    ['an unknown access type', { access_type: 'forever' }, 400, 'invalid_request'],
    ['an unknown prompt', { prompt: 'login' }, 400, 'invalid_request'],
  ])('shows an error and sends the browser nowhere for %s', async (_, changes, status, error) => {
    const sandbox = await openSandbox();
    const url = authorizationUrl(sandbox, changes);
    const page = await fetch(url, { redirect: 'manual' });
    expect(page.status).toBe(status);
    expect(page.headers.get('location')).toBeNull();
    expect(await page.text()).toContain(error);
    expect(() => sandbox.google.consent(url, you)).toThrow(error);
  });

  test.each([
    ['no code challenge', { code_challenge: '' }, 'invalid_request'],
    ['a plain code challenge', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['no code challenge method', { code_challenge_method: '' }, 'invalid_request'],
    ['a code challenge that is no SHA-256', { code_challenge: 'short' }, 'invalid_request'],
    ['prompt=none, as nobody is signed in', { prompt: 'none' }, 'login_required'],
  ])('tells the client of %s', async (_, changes, error) => {
    const sandbox = await openSandbox();
    const page = await fetch(authorizationUrl(sandbox, changes), { redirect: 'manual' });
    expect(page.status).toBe(302);
    const back = new URL(page.headers.get('location') ?? '').searchParams;
    expect([back.get('error'), back.get('state'), back.get('code')]).toEqual([error, 'st', null]);
  });

  test.each([
    'http://127.0.0.1:1/',
    'http://localhost:65535/a/b?c=d',
    'http://[::1]:8080/callback',
    'http://localhost/',
  ])('sends the browser to %s', async (address) => {
    const sandbox = await openSandbox();
    const location = sandbox.google.consent(authorizationUrl(sandbox, { redirect_uri: address }), you);
    expect(location.startsWith(address)).toBe(true);
  });

  test('refuses a box that it does not have, and a person that is not there', async () => {
    const sandbox = await openSandbox();
    const url = authorizationUrl(sandbox);
    expect(() => sandbox.google.consent(url, you, { scopes: [`${scopeRoot}calendar`] })).toThrow('no box');
    expect(() => sandbox.google.consent(url, 'nobody@home.example')).toThrow('nobody@home.example');
    const form = new URLSearchParams({ username: you, decision: 'approve', scope: `${scopeRoot}calendar` });
    expect((await fetch(url, { method: 'POST', body: form, redirect: 'manual' })).status).toBe(400);
  });

  test('keeps people of other organizations out of an internal client', async () => {
    const sandbox = await openSandbox();
    const url = authorizationUrl(sandbox, { client_id: harborGoogleClient.clientId });
    expect(() => sandbox.google.consent(url, you)).toThrow('org_internal');
    expect(sandbox.google.consent(url, 'you@harbor.example')).toContain('code=');
  });
});

describe('an authorization code', () => {
  test('gives tokens once; the second time it kills what it gave', async () => {
    const sandbox = await openSandbox();
    const code = codeOf(sandbox);
    const first = await redeem(sandbox, codeForm(code));
    expect(first.body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3600,
      scope: `openid ${scopeRoot}userinfo.email ${scopeRoot}calendar.readonly`,
    });
    expect((await get(listUrl(sandbox), String(first.body.access_token))).status).toBe(200);
    const again = await redeem(sandbox, codeForm(code));
    expect([again.status, again.body.error]).toEqual([400, 'invalid_grant']);
    expect((await get(listUrl(sandbox), String(first.body.access_token))).status).toBe(401);
    expect((await redeem(sandbox, refreshForm(String(first.body.refresh_token)))).body.error).toBe('invalid_grant');
    expect(sandbox.google.redemptions.map(({ grant, outcome }) => `${grant} ${outcome}`)).toEqual([
      'authorization_code ok',
      'authorization_code invalid_grant',
      'refresh_token invalid_grant',
    ]);
  });

  test('may come with the secret as HTTP Basic', async () => {
    const sandbox = await openSandbox();
    const form = codeForm(codeOf(sandbox), { client_id: '', client_secret: '' });
    const basic = (secret: string) => `Basic ${Buffer.from(`${googleClientId}:${secret}`).toString('base64')}`;
    const send = (secret: string) =>
      fetch(sandbox.google.endpoints.token, {
        method: 'POST',
        headers: { authorization: basic(secret) },
        body: new URLSearchParams(form),
      });
    expect((await send('GOCSPX-guess')).status).toBe(401);
    expect((await send(googleClientSecret)).status).toBe(200);
  });

  test('expires after ten minutes', async () => {
    let now = Date.now();
    const sandbox = await openSandbox({ now: () => now });
    const code = codeOf(sandbox);
    now += 600_000;
    expect((await redeem(sandbox, codeForm(code))).body.error).toBe('invalid_grant');
  });

  test.each([
    ['another redirect address', { redirect_uri: 'http://127.0.0.1:50124/callback' }, 400, 'redirect_uri_mismatch'],
    ['no redirect address', { redirect_uri: '' }, 400, 'invalid_request'],
    ['another verifier', { code_verifier: 'x'.repeat(43) }, 400, 'invalid_grant'],
    ['no verifier', { code_verifier: '' }, 400, 'invalid_grant'],
    ['a wrong secret', { client_secret: 'GOCSPX-guess' }, 401, 'invalid_client'],
    ['no secret', { client_secret: '' }, 400, 'invalid_request'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client'],
    [
      'another client',
      { client_id: homeGoogleClient.clientId, client_secret: homeGoogleClient.clientSecret },
      400,
      'invalid_grant',
    ],
    ['a code that was never issued', { code: '4/0Aguess' }, 400, 'invalid_grant'],
    ['no code', { code: '' }, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('is refused with %s', async (_, changes, status, error) => {
    const sandbox = await openSandbox();
    const answer = await redeem(sandbox, codeForm(codeOf(sandbox), changes));
    expect([answer.status, answer.body.error]).toEqual([status, error]);
  });

  test('gives a refresh token for offline access only', async () => {
    const sandbox = await openSandbox();
    const { body } = await redeem(sandbox, codeForm(codeOf(sandbox, { access_type: '' })));
    expect(body).not.toHaveProperty('refresh_token');
  });

  test('gives a refresh token the first time, and then with prompt=consent only', async () => {
    const sandbox = await openSandbox();
    const given = async (changes = {}) =>
      'refresh_token' in (await redeem(sandbox, codeForm(codeOf(sandbox, changes)))).body;
    expect([await given(), await given(), await given({ prompt: 'select_account' })]).toEqual([true, false, false]);
    expect(await given({ prompt: 'consent select_account' })).toBe(true);
  });

  test('has the scopes of earlier grants too when include_granted_scopes asks for them', async () => {
    const sandbox = await openSandbox();
    codeOf(sandbox, { scope: `${scopeRoot}calendar.freebusy` });
    const changes = { scope: `${scopeRoot}calendar.calendarlist.readonly`, include_granted_scopes: 'true' };
    expect(consented(sandbox, changes).get('scope')).toBe(
      `${scopeRoot}calendar.calendarlist.readonly ${scopeRoot}calendar.freebusy`,
    );
  });
});

describe('a refresh token', () => {
  test('gives access tokens again and again, and no new refresh token', async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signedIn(sandbox);
    for (let round = 0; round < 2; round += 1) {
      const { status, body } = await redeem(sandbox, refreshForm(refreshToken));
      expect(status).toBe(200);
      expect(body).not.toHaveProperty('refresh_token');
    }
    expect(sandbox.google.redemptions.at(-1)).toEqual({
      grant: 'refresh_token',
      clientId: googleClientId,
      username: you,
      refreshToken: 1,
      outcome: 'ok',
    });
  });

  test('rotates when the sandbox is told so: the old one dies at once', async () => {
    const sandbox = await openSandbox({ googleRotatesRefreshTokens: true });
    const { refreshToken } = await signedIn(sandbox);
    const first = await redeem(sandbox, refreshForm(refreshToken));
    expect(first.body.refresh_token).not.toBe(refreshToken);
    expect((await redeem(sandbox, refreshForm(refreshToken))).body).toEqual({
      error: 'invalid_grant',
      error_description: 'Token has been expired or revoked.',
    });
    expect((await redeem(sandbox, refreshForm(String(first.body.refresh_token)))).status).toBe(200);
    expect(sandbox.google.redemptions.slice(1).map((each) => [each.refreshToken, each.outcome])).toEqual([
      [1, 'ok'],
      [1, 'invalid_grant'],
      [2, 'ok'],
    ]);
  });

  test.each([
    ['that nobody issued', { refresh_token: '1//0guess' }, 400, 'invalid_grant'],
    ['that is missing', { refresh_token: '' }, 400, 'invalid_request'],
    [
      'of another client',
      { client_id: homeGoogleClient.clientId, client_secret: homeGoogleClient.clientSecret },
      400,
      'invalid_grant',
    ],
    ['with a wrong secret', { client_secret: 'GOCSPX-guess' }, 401, 'invalid_client'],
    ['for more scopes than it has', { scope: `${scopeRoot}calendar` }, 400, 'invalid_scope'],
  ])('%s is refused', async (_, changes, status, error) => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signedIn(sandbox);
    const answer = await redeem(sandbox, refreshForm(refreshToken, changes));
    expect([answer.status, answer.body.error]).toEqual([status, error]);
  });

  test('of a client that was deleted meanwhile is refused with deleted_client', async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signedIn(sandbox);
    const { clients } = sandbox.google.data;
    clients.splice(0, clients.length, ...clients.map((client) => ({ ...client, deleted: true })));
    const answer = await redeem(sandbox, refreshForm(refreshToken));
    expect([answer.status, answer.body.error]).toEqual([401, 'deleted_client']);
  });

  test('is dead after sandbox.revoke, until the person signs in anew', async () => {
    const sandbox = await openSandbox();
    const { refreshToken, accessToken } = await signedIn(sandbox);
    sandbox.revoke(you);
    expect((await redeem(sandbox, refreshForm(refreshToken))).body.error).toBe('invalid_grant');
    expect((await get(listUrl(sandbox), accessToken)).status).toBe(401);
    expect((await signedIn(sandbox, { prompt: 'select_account' })).refreshToken).not.toBe('');
  });

  test('meets the faults that a test injects', async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signedIn(sandbox);
    sandbox.fail({ match: ({ path }) => path === '/google/token', times: 1, ...googleFaults.invalidGrant });
    expect((await redeem(sandbox, refreshForm(refreshToken))).body.error).toBe('invalid_grant');
    expect((await redeem(sandbox, refreshForm(refreshToken))).status).toBe(200);
  });
});

describe('revocation', () => {
  test.each(['accessToken', 'refreshToken'] as const)(
    'with the %s kills the whole grant, of this client alone',
    async (which) => {
      const sandbox = await openSandbox();
      const mine = await signedIn(sandbox);
      const second = await signedIn(sandbox);
      const elsewhere = await signedIn(sandbox, { clientId: homeGoogleClient.clientId });
      expect((await postForm(sandbox.google.endpoints.revoke, { token: mine[which] })).status).toBe(200);
      expect((await get(listUrl(sandbox), second.accessToken)).status).toBe(401);
      expect((await redeem(sandbox, refreshForm(second.refreshToken))).body.error).toBe('invalid_grant');
      expect((await get(listUrl(sandbox), elsewhere.accessToken)).status).toBe(200);
    },
  );

  test('of a token that is unknown or dead already is refused with invalid_token', async () => {
    const sandbox = await openSandbox();
    const { revoke } = sandbox.google.endpoints;
    const { refreshToken } = await signedIn(sandbox);
    await postForm(revoke, { token: refreshToken });
    for (const token of ['guess', refreshToken]) {
      expect(await postForm(revoke, { token })).toMatchObject({ status: 400, body: { error: 'invalid_token' } });
    }
    expect(await postForm(revoke, {})).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });
});

describe('who it is', () => {
  test('stands in the id token: sub, address, domain of the workspace, and the nonce if one was given', async () => {
    const sandbox = await openSandbox();
    const { idToken } = await googleSignIn(sandbox, {
      username: 'you@harbor.example',
      clientId: harborGoogleClient.clientId,
    });
    expect(claimsOf(idToken)).toMatchObject({
      iss: 'https://accounts.google.com',
      aud: harborGoogleClient.clientId,
      sub: '10000000000000000002',
      email: 'you@harbor.example',
      email_verified: true,
      hd: 'harbor.example',
    });
    expect(claimsOf(idToken)).not.toHaveProperty('nonce');
    const withNonce = await redeem(sandbox, codeForm(codeOf(sandbox, { nonce: 'n1' })));
    expect(claimsOf(String(withNonce.body.id_token))).toMatchObject({ nonce: 'n1', email: you });
    expect(claimsOf(String(withNonce.body.id_token))).not.toHaveProperty('hd');
  });

  test('stands in no id token without the scope openid', async () => {
    const sandbox = await openSandbox();
    const { idToken } = await signedIn(sandbox, { scope: `${scopeRoot}calendar.readonly` });
    expect(idToken).toBe('');
  });

  test('is told by userinfo, the address only with the scope email', async () => {
    const sandbox = await openSandbox();
    const { userInfo } = sandbox.google.endpoints;
    const both = await signedIn(sandbox, { scope: 'openid email' });
    expect((await get(userInfo, both.accessToken)).body).toMatchObject({ sub: '10000000000000000001', email: you });
    const one = await signedIn(sandbox, { scope: 'openid' });
    expect((await get(userInfo, one.accessToken)).body).toEqual({ sub: '10000000000000000001' });
    const none = await signedIn(sandbox, { scope: `${scopeRoot}calendar.readonly` });
    for (const token of [none.accessToken, 'guess', undefined]) expect((await get(userInfo, token)).status).toBe(401);
  });

  test('is told by tokeninfo, with what the token is good for', async () => {
    const sandbox = await openSandbox();
    const { tokenInfo } = sandbox.google.endpoints;
    const { accessToken } = await signedIn(sandbox, { scope: `openid email ${scopeRoot}calendar.freebusy` });
    const { body } = await get(`${tokenInfo}?access_token=${accessToken}`);
    expect(body).toMatchObject({
      aud: googleClientId,
      sub: '10000000000000000001',
      email: you,
      email_verified: 'true',
      access_type: 'offline',
      scope: `openid ${scopeRoot}userinfo.email ${scopeRoot}calendar.freebusy`,
    });
    expect(Number(body.expires_in)).toBeGreaterThan(3590);
    expect((await get(tokenInfo, accessToken)).body.aud).toBe(googleClientId);
    sandbox.expireAccessTokens();
    expect(await get(`${tokenInfo}?access_token=${accessToken}`)).toMatchObject({
      status: 400,
      body: { error: 'invalid_token' },
    });
  });
});
