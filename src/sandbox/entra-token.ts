import { createHash, randomUUID } from 'node:crypto';
import type { User } from './data.ts';
import type { Authority, EntraContext } from './entra-context.ts';
import { findApplication } from './entra-device.ts';
import { entraRefusal } from './entra-refusal.ts';
import { type AuthorizationCode, type DeviceCode, type Grant, type RefreshToken, randomToken } from './grants.ts';
import { type Answer, type Incoming, json, Refusal } from './http.ts';
import type { Redemption } from './records.ts';
import { expandDefault, isPermission, parseScopes, shortScope } from './scopes.ts';

const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';

export function redeem(incoming: Incoming, authority: Authority, context: EntraContext): Answer {
  const form = new URLSearchParams(incoming.body);
  const grantType = form.get('grant_type');
  if (grantType === deviceCodeGrant || grantType === 'device_code') {
    const code = form.get('device_code') ?? form.get('code') ?? '';
    const device = context.grants.deviceCodes.get(code);
    return recorded('device_code', form, authority, context, device?.user, () =>
      redeemDeviceCode(device, form, authority, context, incoming.origin),
    );
  }
  if (grantType === 'authorization_code') {
    const code = context.grants.authorizationCodes.get(form.get('code') ?? '');
    return recorded('authorization_code', form, authority, context, code?.user, () =>
      redeemCode(code, form, authority, context, incoming.origin),
    );
  }
  if (grantType === 'refresh_token') {
    const token = context.grants.refreshTokens.get(form.get('refresh_token') ?? '');
    return recorded('refresh_token', form, authority, context, token?.user, () =>
      redeemRefreshToken(token, form, authority, context, incoming.origin),
    );
  }
  throw entraRefusal(
    'unsupported_grant_type',
    70003,
    `The app requested an unsupported grant type '${grantType ?? ''}'.`,
    {
      now: context.now(),
    },
  );
}

function recorded(
  grant: Redemption['grant'],
  form: URLSearchParams,
  authority: Authority,
  context: EntraContext,
  user: User | undefined,
  play: () => Answer,
): Answer {
  const record = (outcome: string) => {
    const known = user === undefined ? {} : { username: user.username, tokenTenant: user.tenant };
    context.redemptions.push({ tenant: authority.id, grant, clientId: form.get('client_id') ?? '', ...known, outcome });
  };
  try {
    const answer = play();
    record('ok');
    return answer;
  } catch (error) {
    if (error instanceof Refusal) record((error.answer.body as { error: string }).error);
    throw error;
  }
}

function redeemDeviceCode(
  device: DeviceCode | undefined,
  form: URLSearchParams,
  authority: Authority,
  context: EntraContext,
  origin: string,
): Answer {
  const refuse = refuser(context);
  findApplication(form.get('client_id') ?? '', authority, context);
  if (device === undefined) throw refuse('bad_verification_code', 70019, 'The provided device code is not valid.');
  if (device.clientId !== form.get('client_id'))
    throw refuse('invalid_grant', 70002, 'The device code was issued to another client.');
  if (device.tenant !== authority.id)
    throw refuse('invalid_grant', 50020, 'The device code was issued in another tenant.');
  if (device.redeemed) throw refuse('invalid_grant', 54005, 'The device code was already redeemed.');
  if (device.expiresAt <= context.now()) throw refuse('expired_token', 70020, 'The provided device code has expired.');
  if (device.user === undefined) {
    throw refuse(
      'authorization_pending',
      70016,
      'OAuth 2.0 device flow error. Authorization is pending. Continue polling.',
    );
  }
  device.redeemed = true;
  return issue({ user: device.user, clientId: device.clientId, scopes: device.scopes }, device.scopes, context, origin);
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#redeem-a-code-for-an-access-token */
function redeemCode(
  code: AuthorizationCode | undefined,
  form: URLSearchParams,
  authority: Authority,
  context: EntraContext,
  origin: string,
): Answer {
  const refuse = refuser(context);
  const value = form.get('code') ?? '';
  for (const name of ['client_id', 'code', 'redirect_uri']) {
    if ((form.get(name) ?? '') === '')
      throw refuse('invalid_request', 900144, `The request body must contain the following parameter: '${name}'.`);
  }
  findApplication(form.get('client_id') ?? '', authority, context);
  if (form.has('client_secret') || form.has('client_assertion')) {
    throw refuse(
      'invalid_client',
      700025,
      "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.",
    );
  }
  if (code === undefined) throw refuse('invalid_grant', 9002313, 'Invalid request. Request is malformed or invalid.');
  if (code.clientId !== form.get('client_id'))
    throw refuse('invalid_grant', 70000, 'The authorization code was issued to another client.');
  if (code.tenant !== authority.id) {
    throw refuse(
      'invalid_grant',
      700005,
      'Provided Authorization Code is intended to use against other tenant, thus rejected.',
    );
  }
  if (code.redeemed) {
    // RFC 6749 4.1.2: whoever brings a code for the second time may have stolen it, or lost it to a thief.
    context.grants.revokeCode(value);
    throw refuse(
      'invalid_grant',
      54005,
      'OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.',
    );
  }
  if (code.expiresAt <= context.now())
    throw refuse('invalid_grant', 70008, 'The provided authorization code or refresh token has expired.');
  if (code.redirectUri !== form.get('redirect_uri')) {
    throw refuse(
      'invalid_grant',
      500112,
      'The reply address does not match the reply address provided when requesting Authorization code.',
    );
  }
  if (
    createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url') !== code.challenge
  ) {
    throw refuse(
      'invalid_grant',
      501481,
      'The Code_Verifier does not match the code_challenge supplied in the authorization request.',
    );
  }
  const asked = requireConsented(form, code, context);
  code.redeemed = true;
  return issue({ ...code, code: value }, asked, context, origin, code.nonce);
}

function redeemRefreshToken(
  token: RefreshToken | undefined,
  form: URLSearchParams,
  authority: Authority,
  context: EntraContext,
  origin: string,
): Answer {
  const refuse = refuser(context);
  if (token === undefined) throw refuse('invalid_grant', 9002313, 'The refresh token is malformed or not valid.');
  const { user } = token;
  if (authority.tenant !== undefined && authority.id !== user.tenant) {
    throw refuse(
      'invalid_grant',
      50020,
      `User account '${user.username}' from identity provider '${origin}/${user.tenant}/' does not exist in tenant '${authority.tenant.name}': the refresh token was issued in another tenant.`,
    );
  }
  if (token.clientId !== form.get('client_id')) {
    throw refuse('invalid_grant', 700016, 'The refresh token was issued to another client identifier.');
  }
  if (token.revoked) {
    throw refuse(
      'invalid_grant',
      50173,
      'The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.',
      'bad_token',
    );
  }
  if (token.used && !context.reusableRefreshTokens)
    throw refuse('invalid_grant', 70000, 'The provided refresh token was already redeemed.');
  const asked = requireConsented(form, token, context);
  token.used = true;
  return issue(token, asked, context, origin);
}

/** @returns the scopes that are asked for now: those of the grant where none are */
function requireConsented(form: URLSearchParams, grant: Grant, context: EntraContext): readonly string[] {
  const asked = parseScopes(form.get('scope') ?? '');
  const granted = new Set(expandDefault(grant.scopes).map(shortScope));
  const missing = asked.filter((scope) => isPermission(scope) && !granted.has(shortScope(scope)));
  if (missing.length > 0) {
    throw refuser(context)(
      'invalid_grant',
      65001,
      `The user or administrator has not consented to use the application with the scopes ${missing.join(' ')}.`,
      'consent_required',
    );
  }
  return asked.length === 0 ? grant.scopes : asked;
}

function refuser({ now }: EntraContext) {
  return (error: string, number: number, message: string, suberror?: string) =>
    entraRefusal(error, number, message, { now: now(), ...(suberror === undefined ? {} : { suberror }) });
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-device-code#successful-authentication-response */
function issue(
  grant: Grant,
  scopes: readonly string[],
  context: EntraContext,
  origin: string,
  nonce?: string | undefined,
): Answer {
  const { user, clientId, code } = grant;
  const accessToken = randomToken('EwB.');
  const granted = expandDefault(scopes);
  const lifetime = context.accessTokenSeconds;
  context.grants.accessTokens.set(accessToken, {
    user,
    clientId,
    scopes: granted,
    code,
    expiresAt: context.now() + lifetime * 1000,
    state: 'alive',
  });
  const asked = new Set(scopes.map(shortScope));
  return json({
    token_type: 'Bearer',
    scope: granted.filter((scope) => shortScope(scope) !== 'offline_access').join(' '),
    expires_in: lifetime,
    ext_expires_in: lifetime,
    access_token: accessToken,
    ...(asked.has('offline_access') ? { refresh_token: issueRefreshToken(grant, context) } : {}),
    ...(asked.has('openid') ? { id_token: idToken(grant, context, origin, nonce) } : {}),
    client_info: base64({ uid: user.oid, utid: user.tenant }),
  });
}

function issueRefreshToken({ user, clientId, scopes, code }: Grant, context: EntraContext): string {
  const token = randomToken('1.A.');
  context.grants.refreshTokens.set(token, { user, clientId, scopes, code, used: false, revoked: false });
  return token;
}

/** Not signed: a public client does not check the signature of what it got over TLS from the issuer itself. */
function idToken({ user, clientId }: Grant, { now }: EntraContext, origin: string, nonce: string | undefined): string {
  const issuedAt = Math.floor(now() / 1000);
  const claims = {
    aud: clientId,
    iss: `${origin}/${user.tenant}/v2.0`,
    iat: issuedAt,
    nbf: issuedAt,
    exp: issuedAt + 3600,
    name: user.displayName,
    oid: user.oid,
    preferred_username: user.username,
    ...(nonce === undefined ? {} : { nonce }),
    sub: user.oid,
    tid: user.tenant,
    uti: randomUUID(),
    ver: '2.0',
  };
  return `${base64({ typ: 'JWT', alg: 'RS256', kid: 'sandbox' })}.${base64(claims)}.c2FuZGJveA`;
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
