import { CryptoProvider, InteractionRequiredAuthError, PublicClientApplication } from '@azure/msal-node';
import { expect, test } from 'vitest';
import { clientId, type Sandbox, tenantIds } from '../../src/sandbox/index.ts';
import { get, openSandbox } from './client.ts';
import { plainHttpNetwork } from './msal-network.ts';

const scopes = ['Calendars.Read', 'User.Read'];

function clientOf({ origin }: Sandbox, tenant: string = tenantIds.xebia): PublicClientApplication {
  const { host } = new URL(origin);
  return new PublicClientApplication({
    auth: { clientId, authority: `https://${host}/${tenant}`, knownAuthorities: [host] },
    system: { networkClient: plainHttpNetwork(origin) },
  });
}

async function signInWithMsal(sandbox: Sandbox, client: PublicClientApplication, username: string) {
  const result = await client.acquireTokenByDeviceCode({
    scopes,
    deviceCodeCallback: ({ userCode }) => sandbox.approve(userCode, username),
  });
  if (result?.account == null) throw new Error('msal gave no account');
  return { ...result, account: result.account };
}

test('msal signs in with a device code, reads, and answers from its cache', async () => {
  const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 0.05 });
  const client = clientOf(sandbox);
  const signedIn = await signInWithMsal(sandbox, client, 'you@xebia.example');
  expect(signedIn.account).toMatchObject({
    username: 'you@xebia.example',
    tenantId: tenantIds.xebia,
    homeAccountId: `aaaaaaaa-0000-0000-0000-000000000001.${tenantIds.xebia}`,
  });
  expect((await get(`${sandbox.origin}/v1.0/me`, signedIn.accessToken)).status).toBe(200);

  const before = sandbox.redemptions.length;
  const silent = await client.acquireTokenSilent({ scopes, account: signedIn.account });
  expect(silent.accessToken).toBe(signedIn.accessToken);
  expect(silent.fromCache).toBe(true);
  expect(sandbox.redemptions).toHaveLength(before);
});

test('msal rotates the refresh token on every forced refresh', async () => {
  const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 0.05 });
  const client = clientOf(sandbox);
  const { account, accessToken } = await signInWithMsal(sandbox, client, 'you@xebia.example');
  const first = await client.acquireTokenSilent({ scopes, account, forceRefresh: true });
  const second = await client.acquireTokenSilent({ scopes, account, forceRefresh: true });
  expect(new Set([accessToken, first.accessToken, second.accessToken]).size).toBe(3);
  const refreshes = sandbox.redemptions.filter(({ grant }) => grant === 'refresh_token');
  expect(refreshes.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
});

test('msal signs in with an authorization code and PKCE', async () => {
  const sandbox = await openSandbox();
  const client = clientOf(sandbox);
  const { verifier, challenge } = await new CryptoProvider().generatePkceCodes();
  const redirectUri = 'http://localhost:50123';
  const request = { scopes, redirectUri, responseMode: 'query', codeChallenge: challenge } as const;
  const url = await client.getAuthCodeUrl({ ...request, codeChallengeMethod: 'S256', prompt: 'select_account' });
  const plain = url.replace(/^https:/, 'http:');
  const code = new URL(sandbox.consent(plain, 'you@xebia.example')).searchParams.get('code') ?? '';
  const { account } = await client.acquireTokenByCode({ scopes, redirectUri, code, codeVerifier: verifier });
  expect(account).toMatchObject({ username: 'you@xebia.example', tenantId: tenantIds.xebia });
  if (account === null) throw new Error('msal gave no account');
  await client.acquireTokenSilent({ scopes, account, forceRefresh: true });
  expect(sandbox.redemptions.map(({ grant, outcome }) => `${grant} ${outcome}`)).toEqual([
    'authorization_code ok',
    'refresh_token ok',
  ]);
});

test('msal asks for interaction once the grant was revoked', async () => {
  const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 0.05 });
  const client = clientOf(sandbox);
  const { account } = await signInWithMsal(sandbox, client, 'you@xebia.example');
  sandbox.revoke('you@xebia.example');
  const refused = client.acquireTokenSilent({ scopes, account, forceRefresh: true });
  await expect(refused).rejects.toBeInstanceOf(InteractionRequiredAuthError);
  await expect(refused).rejects.toMatchObject({ errorCode: 'invalid_grant' });
});

test('msal keeps two tenants of one client id apart', async () => {
  const sandbox = await openSandbox({ deviceCodeIntervalSeconds: 0.05 });
  const [xebia, marimer] = [clientOf(sandbox), clientOf(sandbox, tenantIds.marimer)];
  const mine = await signInWithMsal(sandbox, xebia, 'you@xebia.example');
  const theirs = await signInWithMsal(sandbox, marimer, 'you@marimer.example');
  await xebia.acquireTokenSilent({ scopes, account: mine.account, forceRefresh: true });
  await marimer.acquireTokenSilent({ scopes, account: theirs.account, forceRefresh: true });
  const crossed = sandbox.redemptions.filter(
    ({ tenant, tokenTenant }) => tokenTenant !== undefined && tenant !== tokenTenant,
  );
  expect(crossed).toEqual([]);
});
