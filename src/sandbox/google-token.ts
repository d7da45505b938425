import { createHash } from 'node:crypto';
import type { GoogleContext } from './google-context.ts';
import type { GoogleClient, GoogleUser } from './google-data.ts';
import type { GoogleCode, GoogleGrant, GoogleRefreshToken } from './google-grants.ts';
import { oauthRefusal } from './google-refusal.ts';
import { hasEmailScope, hasProfileScope, parseGoogleScopes } from './google-scopes.ts';
import { randomToken } from './grants.ts';
import { type Answer, type Incoming, json, Refusal } from './http.ts';

/** https://developers.google.com/identity/protocols/oauth2/native-app#exchange-authorization-code */
export function redeemAtGoogle(incoming: Incoming, context: GoogleContext): Answer {
  const form = new URLSearchParams(incoming.body);
  const grantType = form.get('grant_type') ?? '';
  if (grantType === 'authorization_code') {
    const code = context.grants.codes.get(form.get('code') ?? '');
    return recorded(grantType, incoming, code?.user, undefined, context, (client) =>
      redeemCode(code, form, client, context),
    );
  }
  if (grantType === 'refresh_token') {
    const token = context.grants.refreshTokens.get(form.get('refresh_token') ?? '');
    return recorded(grantType, incoming, token?.user, token?.number, context, (client) =>
      redeemRefreshToken(token, form, client, context),
    );
  }
  throw oauthRefusal(400, 'unsupported_grant_type', `Invalid grant_type: ${grantType}`);
}

/** https://developers.google.com/identity/protocols/oauth2/native-app#tokenrevoke: with one token, the whole grant. */
export function revokeAtGoogle({ query, body }: Incoming, { grants }: GoogleContext): Answer {
  const value = new URLSearchParams(body).get('token') ?? query.get('token');
  if (value === null || value === '') throw oauthRefusal(400, 'invalid_request', 'Missing required parameter: token');
  const access = grants.accessTokens.get(value);
  const refresh = grants.refreshTokens.get(value);
  const alive = (access !== undefined && access.state !== 'revoked') || refresh?.revoked === false;
  const token = access ?? refresh;
  if (token === undefined || !alive) throw oauthRefusal(400, 'invalid_token', 'Token expired or revoked');
  grants.revokeGrant(token.clientId, token.user.username);
  return json({});
}

function recorded(
  grant: 'authorization_code' | 'refresh_token',
  incoming: Incoming,
  user: GoogleUser | undefined,
  refreshToken: number | undefined,
  context: GoogleContext,
  play: (client: GoogleClient) => Answer,
): Answer {
  const credentials = credentialsOf(incoming);
  const record = (outcome: string) => {
    context.redemptions.push({
      grant,
      clientId: credentials.clientId,
      ...(user === undefined ? {} : { username: user.username }),
      ...(refreshToken === undefined ? {} : { refreshToken }),
      outcome,
    });
  };
  try {
    const answer = play(authenticateClient(credentials, context));
    record('ok');
    return answer;
  } catch (error) {
    if (error instanceof Refusal) record((error.answer.body as { error: string }).error);
    throw error;
  }
}

interface Credentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** In the form or as HTTP Basic (RFC 6749 2.3.1). */
function credentialsOf({ body, headers }: Incoming): Credentials {
  const form = new URLSearchParams(body);
  const basic = /^Basic (\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (basic === undefined) {
    return { clientId: form.get('client_id') ?? '', clientSecret: form.get('client_secret') ?? '' };
  }
  const decoded = new URLSearchParams(Buffer.from(basic, 'base64').toString('utf8').replace(':', '='));
  const [[clientId, clientSecret] = ['', '']] = [...decoded];
  return { clientId, clientSecret };
}

function authenticateClient({ clientId, clientSecret }: Credentials, { data }: GoogleContext): GoogleClient {
  if (clientId === '') throw oauthRefusal(400, 'invalid_request', 'Could not determine client ID from request.');
  const client = data.clients.find((each) => each.clientId === clientId);
  if (client === undefined) throw oauthRefusal(401, 'invalid_client', 'The OAuth client was not found.');
  if (client.deleted === true) throw oauthRefusal(401, 'deleted_client', 'The OAuth client was deleted.');
  if (clientSecret === '') throw oauthRefusal(400, 'invalid_request', 'client_secret is missing.');
  if (clientSecret !== client.clientSecret) {
    throw oauthRefusal(401, 'invalid_client', 'The provided client secret is invalid.');
  }
  return client;
}

function redeemCode(
  code: GoogleCode | undefined,
  form: URLSearchParams,
  { clientId }: GoogleClient,
  context: GoogleContext,
): Answer {
  const value = form.get('code') ?? '';
  if (value === '') throw oauthRefusal(400, 'invalid_request', 'Missing required parameter: code');
  const redirectUri = form.get('redirect_uri') ?? '';
  if (redirectUri === '') throw oauthRefusal(400, 'invalid_request', 'Missing parameter: redirect_uri');
  if (code === undefined) throw oauthRefusal(400, 'invalid_grant', 'Malformed auth code.');
  if (code.clientId !== clientId) throw oauthRefusal(400, 'invalid_grant', 'Bad Request');
  if (code.used) {
    // RFC 6749 4.1.2: whoever brings a code for the second time may have stolen it, or lost it to a thief.
    context.grants.revokeCode(value);
    throw oauthRefusal(400, 'invalid_grant', 'Bad Request');
  }
  if (code.expiresAt <= context.now()) throw oauthRefusal(400, 'invalid_grant', 'Bad Request');
  if (code.redirectUri !== redirectUri) throw oauthRefusal(400, 'redirect_uri_mismatch', 'Bad Request');
  const verifier = form.get('code_verifier') ?? '';
  if (verifier === '') throw oauthRefusal(400, 'invalid_grant', 'Missing code verifier.');
  if (createHash('sha256').update(verifier).digest('base64url') !== code.challenge) {
    throw oauthRefusal(400, 'invalid_grant', 'Invalid code verifier.');
  }
  code.used = true;
  const answer = issue(code, code.scopes, value, code.nonce, context);
  if (!code.offline || !code.asked) return json(answer);
  return json({ ...answer, refresh_token: issueRefreshToken(code, value, context) });
}

function redeemRefreshToken(
  token: GoogleRefreshToken | undefined,
  form: URLSearchParams,
  { clientId }: GoogleClient,
  context: GoogleContext,
): Answer {
  if ((form.get('refresh_token') ?? '') === '') {
    throw oauthRefusal(400, 'invalid_request', 'Missing required parameter: refresh_token');
  }
  if (token === undefined || token.revoked || token.clientId !== clientId) {
    throw oauthRefusal(400, 'invalid_grant', 'Token has been expired or revoked.');
  }
  const asked = parseGoogleScopes(form.get('scope') ?? '');
  const missing = asked.filter((scope) => !token.scopes.includes(scope));
  if (missing.length > 0) throw oauthRefusal(400, 'invalid_scope', 'Some requested scopes cannot be granted.');
  const answer = issue(token, asked.length === 0 ? token.scopes : asked, token.code, undefined, context);
  if (!context.rotatesRefreshTokens) return json(answer);
  token.revoked = true;
  return json({ ...answer, refresh_token: issueRefreshToken(token, token.code, context) });
}

function issue(
  grant: GoogleGrant,
  scopes: readonly string[],
  code: string,
  nonce: string | undefined,
  context: GoogleContext,
): Record<string, unknown> {
  const { user, clientId, offline } = grant;
  const accessToken = randomToken('ya29.a0');
  const lifetime = context.accessTokenSeconds;
  const expiresAt = context.now() + lifetime * 1000;
  context.grants.accessTokens.set(accessToken, { user, clientId, scopes, offline, expiresAt, code, state: 'alive' });
  return {
    access_token: accessToken,
    expires_in: lifetime,
    scope: scopes.join(' '),
    token_type: 'Bearer',
    ...(scopes.includes('openid') ? { id_token: idToken(grant, scopes, accessToken, nonce, context) } : {}),
  };
}

function issueRefreshToken(
  { user, clientId, scopes, offline }: GoogleGrant,
  code: string,
  context: GoogleContext,
): string {
  const { refreshTokens } = context.grants;
  const token = randomToken('1//0');
  refreshTokens.set(token, { user, clientId, scopes, offline, code, number: refreshTokens.size + 1, revoked: false });
  return token;
}

/** Not signed, as with Entra ID here. https://developers.google.com/identity/openid-connect/openid-connect#an-id-tokens-payload */
function idToken(
  { user, clientId }: GoogleGrant,
  scopes: readonly string[],
  accessToken: string,
  nonce: string | undefined,
  { now }: GoogleContext,
): string {
  const issuedAt = Math.floor(now() / 1000);
  const claims = {
    iss: 'https://accounts.google.com',
    azp: clientId,
    aud: clientId,
    sub: user.sub,
    at_hash: createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url'),
    ...personOf(user, scopes),
    ...(nonce === undefined ? {} : { nonce }),
    iat: issuedAt,
    exp: issuedAt + 3600,
  };
  return `${base64({ alg: 'RS256', kid: 'sandbox', typ: 'JWT' })}.${base64(claims)}.c2FuZGJveA`;
}

/** What the scopes allow to say of a person, but for `sub`. */
export function personOf(user: GoogleUser, scopes: readonly string[]): Record<string, unknown> {
  const { username, displayName, hostedDomain } = user;
  const some = hasEmailScope(scopes) || hasProfileScope(scopes);
  return {
    ...(some && hostedDomain !== undefined ? { hd: hostedDomain } : {}),
    ...(hasEmailScope(scopes) ? { email: username, email_verified: true } : {}),
    ...(hasProfileScope(scopes) ? { name: displayName, given_name: displayName.split(' ')[0] } : {}),
  };
}

function base64(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
