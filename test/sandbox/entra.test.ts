import { describe, expect, test } from 'vitest';
import { clientId, northwindClientId, type Sandbox, signIn, tenantIds } from '../../src/sandbox/index.ts';
import { get, openSandbox, postForm } from './client.ts';

const deviceGrant = 'urn:ietf:params:oauth:grant-type:device_code';
const scope = 'Calendars.Read User.Read openid profile offline_access';

const deviceCode = (sandbox: Sandbox, tenant: string = tenantIds.xebia, form: Record<string, string> = {}) =>
  postForm(`${sandbox.origin}/${tenant}/oauth2/v2.0/devicecode`, { client_id: clientId, scope, ...form });

const token = (sandbox: Sandbox, form: Record<string, string>, tenant: string = tenantIds.xebia) =>
  postForm(`${sandbox.origin}/${tenant}/oauth2/v2.0/token`, { client_id: clientId, ...form });

const refresh = (sandbox: Sandbox, refreshToken: string, tenant: string = tenantIds.xebia, form = {}) =>
  token(sandbox, { grant_type: 'refresh_token', refresh_token: refreshToken, ...form }, tenant);

const youAtXebia = { username: 'you@xebia.example', tenant: tenantIds.xebia, clientId };

describe('discovery', () => {
  test('a tenant is found by GUID and by domain, and its issuer names the GUID', async () => {
    const { origin } = await openSandbox();
    for (const tenant of [tenantIds.xebia, 'xebia.example']) {
      const { body } = await get(`${origin}/${tenant}/v2.0/.well-known/openid-configuration`);
      expect(body).toMatchObject({
        issuer: `${origin}/${tenantIds.xebia}/v2.0`,
        token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
        device_authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/devicecode`,
      });
    }
  });

  test('an unknown tenant is refused with AADSTS90002', async () => {
    const { origin } = await openSandbox();
    const { status, body } = await get(`${origin}/nowhere.example/v2.0/.well-known/openid-configuration`);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: 'invalid_tenant', error_codes: [90002] });
    expect(body.error_description).toMatch(/^AADSTS90002: .*Trace ID: .*Correlation ID: .*Timestamp: /);
  });

  test('a client that was redirected from the real host gets links to the real host', async () => {
    const { origin } = await openSandbox();
    const url = `${origin}/${tenantIds.xebia}/v2.0/.well-known/openid-configuration`;
    const { body } = await get(url, undefined, { 'x-original-host': 'login.microsoftonline.com' });
    expect(body.issuer).toBe(`https://login.microsoftonline.com/${tenantIds.xebia}/v2.0`);
  });
});

describe('a device code', () => {
  test('is pending until the person approves it, and then gives tokens once', async () => {
    const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 0.1 });
    const { body: device } = await deviceCode(sandbox);
    expect(device).toMatchObject({
      interval: 0.1,
      expires_in: 900,
      verification_uri: `${sandbox.origin}/devicelogin`,
    });
    const form = { grant_type: deviceGrant, device_code: String(device.device_code) };
    expect((await token(sandbox, form)).body.error).toBe('authorization_pending');

    sandbox.approve(String(device.user_code).toLowerCase(), 'you@xebia.example');
    const granted = await token(sandbox, form);
    expect(granted.status).toBe(200);
    expect(granted.body).toMatchObject({
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'Calendars.Read User.Read openid profile',
    });

    const again = await token(sandbox, form);
    expect(again.status).toBe(400);
    expect(again.body.error).toBe('invalid_grant');
    expect(sandbox.redemptions.map(({ outcome }) => outcome)).toEqual(['authorization_pending', 'ok', 'invalid_grant']);
  });

  test('says who signed in, and never a nonce that nobody sent', async () => {
    const sandbox = await openSandbox();
    const { idToken } = await signIn(sandbox, youAtXebia);
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({
      aud: clientId,
      iss: `${sandbox.origin}/${tenantIds.xebia}/v2.0`,
      tid: tenantIds.xebia,
      preferred_username: 'you@xebia.example',
      ver: '2.0',
    });
    expect(claims).not.toHaveProperty('nonce');
  });

  test('is refused to an application that the tenant does not know', async () => {
    const sandbox = await openSandbox();
    const { status, body } = await deviceCode(sandbox, tenantIds.northwind);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: 'unauthorized_client', error_codes: [700016] });
    const known = await deviceCode(sandbox, tenantIds.northwind, { client_id: northwindClientId });
    expect(known.status).toBe(200);
  });

  test('is refused without a scope', async () => {
    const sandbox = await openSandbox();
    expect((await deviceCode(sandbox, tenantIds.xebia, { scope: '' })).body.error).toBe('invalid_request');
  });

  test('expires after fifteen minutes, for the person and for the client', async () => {
    let now = Date.parse('2026-11-23T09:00:00Z');
    const sandbox = await openSandbox({ now: () => now });
    const { body: device } = await deviceCode(sandbox);
    now += 900_000;
    expect(() => sandbox.approve(String(device.user_code), 'you@xebia.example')).toThrow(/expired/);
    const late = await token(sandbox, { grant_type: deviceGrant, device_code: String(device.device_code) });
    expect(late.body.error).toBe('expired_token');
  });

  test('cannot be approved by someone of another tenant, nor when it is not known', async () => {
    const sandbox = await openSandbox();
    const { body: device } = await deviceCode(sandbox);
    expect(() => sandbox.approve(String(device.user_code), 'you@marimer.example')).toThrow(/AADSTS50020/);
    expect(() => sandbox.approve('NOSUCHONE', 'you@xebia.example')).toThrow(/did not work/);
  });

  test('that nobody handed out is refused', async () => {
    const sandbox = await openSandbox();
    const { body } = await token(sandbox, { grant_type: deviceGrant, device_code: 'made-up' });
    expect(body.error).toBe('bad_verification_code');
  });

  test('of the organizations endpoint lets anyone in whose tenant knows the application', async () => {
    const sandbox = await openSandbox();
    const options = { tenant: 'organizations', clientId };
    await signIn(sandbox, { ...options, username: 'you@marimer.example' });
    await expect(signIn(sandbox, { ...options, username: 'you@northwind.example' })).rejects.toThrow(/AADSTS700016/);
  });
});

describe('the device-code page', () => {
  test('lets a person type the code and choose an account', async () => {
    const sandbox = await openSandbox();
    const { body: device } = await deviceCode(sandbox);
    const page = await fetch(`${sandbox.origin}/devicelogin`);
    expect(await page.text()).toContain('you@marimer.example');

    const body = new URLSearchParams({ code: String(device.user_code), username: 'you@xebia.example' });
    const done = await fetch(`${sandbox.origin}/devicelogin`, { method: 'POST', body });
    expect(done.status).toBe(200);
    const granted = await token(sandbox, { grant_type: deviceGrant, device_code: String(device.device_code) });
    expect(granted.status).toBe(200);
  });

  test('answers a wrong code with a sentence and another try, and repeats nothing unescaped', async () => {
    const sandbox = await openSandbox();
    const body = new URLSearchParams({ code: '"><script>', username: 'you@xebia.example' });
    const refused = await fetch(`${sandbox.origin}/devicelogin`, { method: 'POST', body });
    const text = await refused.text();
    expect(refused.status).toBe(400);
    expect(text).toContain('That code did not work');
    expect(text).toContain('<form');
    expect(text).not.toContain('<script>');
  });
});

describe('a refresh token', () => {
  test('rotates: each can be redeemed once, and the second time is recorded', async () => {
    const sandbox = await openSandbox();
    const first = await signIn(sandbox, youAtXebia);
    const second = await refresh(sandbox, first.refreshToken);
    expect(second.status).toBe(200);
    expect(second.body.refresh_token).not.toBe(first.refreshToken);
    expect(second.body.access_token).not.toBe(first.accessToken);

    const replay = await refresh(sandbox, first.refreshToken);
    expect(replay.status).toBe(400);
    expect(replay.body.error).toBe('invalid_grant');
    expect(sandbox.redemptions.at(-1)).toEqual({
      tenant: tenantIds.xebia,
      tokenTenant: tenantIds.xebia,
      grant: 'refresh_token',
      username: 'you@xebia.example',
      clientId,
      outcome: 'invalid_grant',
    });
    expect((await refresh(sandbox, String(second.body.refresh_token))).status).toBe(200);
  });

  test('works again after a new one was given for it, where the sandbox is as lenient as Entra ID', async () => {
    const sandbox = await openSandbox({ reusableRefreshTokens: true });
    const first = await signIn(sandbox, youAtXebia);
    const second = await refresh(sandbox, first.refreshToken);
    expect(second.body.refresh_token).not.toBe(first.refreshToken);
    expect((await refresh(sandbox, first.refreshToken)).status).toBe(200);
    expect((await refresh(sandbox, String(second.body.refresh_token))).status).toBe(200);
    sandbox.revoke('you@xebia.example');
    expect((await refresh(sandbox, first.refreshToken)).body).toMatchObject({ error_codes: [50173] });
  });

  test('is refused at the endpoint of another tenant although the client id is the same, and stays good at home', async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signIn(sandbox, youAtXebia);
    const { status, body } = await refresh(sandbox, refreshToken, tenantIds.marimer);
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: 'invalid_grant', error_codes: [50020] });
    expect(sandbox.redemptions.at(-1)).toMatchObject({ tenant: tenantIds.marimer, tokenTenant: tenantIds.xebia });
    expect((await refresh(sandbox, refreshToken)).status).toBe(200);
  });

  test('is refused to another client', async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signIn(sandbox, youAtXebia);
    const { body } = await refresh(sandbox, refreshToken, tenantIds.xebia, { client_id: northwindClientId });
    expect(body).toMatchObject({ error: 'invalid_grant', error_codes: [700016] });
  });

  test('gives no more than what was consented to', async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signIn(sandbox, youAtXebia);
    const { body } = await refresh(sandbox, refreshToken, tenantIds.xebia, { scope: 'Mail.Read' });
    expect(body).toMatchObject({ error: 'invalid_grant', error_codes: [65001], suberror: 'consent_required' });
  });

  test('is only handed out for offline_access', async () => {
    const sandbox = await openSandbox();
    const { refreshToken } = await signIn(sandbox, { ...youAtXebia, scope: 'Calendars.Read' });
    expect(refreshToken).toBe('');
  });

  test('is dead once the grant was revoked, until the person signs in again', async () => {
    const sandbox = await openSandbox();
    const { refreshToken, accessToken } = await signIn(sandbox, youAtXebia);
    sandbox.revoke('you@xebia.example');
    expect((await refresh(sandbox, refreshToken)).body).toMatchObject({ error: 'invalid_grant', error_codes: [50173] });
    expect((await get(`${sandbox.origin}/v1.0/me`, accessToken)).status).toBe(401);
    const again = await signIn(sandbox, youAtXebia);
    expect((await get(`${sandbox.origin}/v1.0/me`, again.accessToken)).status).toBe(200);
  });

  test('that nobody handed out is refused', async () => {
    const sandbox = await openSandbox();
    expect((await refresh(sandbox, 'made-up')).body.error).toBe('invalid_grant');
  });
});

test('a grant type that is missing or not played is refused', async () => {
  const sandbox = await openSandbox();
  expect((await token(sandbox, {})).body.error).toBe('unsupported_grant_type');
  const { status, body } = await token(sandbox, { grant_type: 'password' });
  expect(status).toBe(400);
  expect(body.error).toBe('unsupported_grant_type');
});

test('the requests that arrive are recorded with their tenant and their answer', async () => {
  const sandbox = await openSandbox();
  await signIn(sandbox, { ...youAtXebia, tenant: 'xebia.example' });
  expect(sandbox.requests).toMatchObject([
    { method: 'POST', path: '/xebia.example/oauth2/v2.0/devicecode', tenant: tenantIds.xebia, status: 200 },
    { method: 'POST', path: '/xebia.example/oauth2/v2.0/token', tenant: tenantIds.xebia, status: 200 },
  ]);
});
