import { findGoogleToken, isAlive } from './google-auth.ts';
import type { GoogleContext } from './google-context.ts';
import { googleRefusal, oauthRefusal } from './google-refusal.ts';
import { hasEmailScope, isIdentityScope } from './google-scopes.ts';
import { personOf } from './google-token.ts';
import { type Answer, type Incoming, json } from './http.ts';

/** What an access token is good for; numbers and booleans are strings here. */
export function tokenInfo({ query, body, headers }: Incoming, { grants, now }: GoogleContext): Answer {
  const value = query.get('access_token') ?? new URLSearchParams(body).get('access_token') ?? '';
  // google-auth-library sends it in the header.
  const token = grants.accessTokens.get(value) ?? findGoogleToken(headers.authorization, grants);
  if (token === undefined || !isAlive(token, now())) throw oauthRefusal(400, 'invalid_token', 'Invalid Value');
  const { user, clientId, scopes, expiresAt, offline } = token;
  return json({
    azp: clientId,
    aud: clientId,
    ...(scopes.some(isIdentityScope) ? { sub: user.sub } : {}),
    scope: scopes.join(' '),
    exp: String(Math.floor(expiresAt / 1000)),
    expires_in: String(Math.floor((expiresAt - now()) / 1000)),
    ...(hasEmailScope(scopes) ? { email: user.username, email_verified: 'true' } : {}),
    access_type: offline ? 'offline' : 'online',
  });
}

/** https://developers.google.com/identity/openid-connect/openid-connect#obtaininguserprofileinformation */
export function userInfo({ headers }: Incoming, { grants, now }: GoogleContext): Answer {
  const token = findGoogleToken(headers.authorization, grants);
  if (token === undefined || !isAlive(token, now())) {
    throw oauthRefusal(401, 'invalid_request', 'Invalid Credentials');
  }
  if (!token.scopes.some(isIdentityScope)) {
    throw googleRefusal(401, 'Request is missing required authentication credential.', {
      reason: 'required',
      location: 'Authorization',
      locationType: 'header',
    });
  }
  return json({ sub: token.user.sub, ...personOf(token.user, token.scopes) });
}
