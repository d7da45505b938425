import type { AccessToken, Grants } from './grants.ts';
import { graphRefusal } from './graph-refusal.ts';
import { hasScope } from './scopes.ts';

/** The token behind an Authorization header, dead or alive. */
export function findToken(header: string | undefined, grants: Grants): AccessToken | undefined {
  return grants.accessTokens.get(bearer(header) ?? '');
}

export function authenticate(header: string | undefined, grants: Grants, now: number): AccessToken {
  const value = bearer(header);
  if (header === undefined || header === '') throw unauthorized('Access token is empty.');
  if (value === undefined) throw unauthorized('CompactToken parsing failed with error code: 80049217');
  const token = grants.accessTokens.get(value);
  if (token === undefined) throw unauthorized('Access token validation failure.');
  if (token.state === 'revoked') {
    throw unauthorized('Continuous access evaluation resulted in challenge: the session of this user was revoked.');
  }
  if (token.state === 'expired' || token.expiresAt <= now) {
    throw unauthorized('Lifetime validation failed, the token is expired.');
  }
  return token;
}

/** https://learn.microsoft.com/graph/permissions-reference#calendars-permissions */
export function requireCalendars({ scopes }: AccessToken): { readonly basicOnly: boolean } {
  if (hasScope(scopes, ['calendars.read', 'calendars.readwrite'])) return { basicOnly: false };
  if (hasScope(scopes, ['calendars.readbasic'])) return { basicOnly: true };
  throw accessDenied();
}

export function requireCalendarWriting({ scopes }: AccessToken): void {
  if (!hasScope(scopes, ['calendars.readwrite'])) throw accessDenied();
}

export function requireMailboxSettings({ scopes }: AccessToken): void {
  if (!hasScope(scopes, ['mailboxsettings.read', 'mailboxsettings.readwrite'])) throw accessDenied();
}

export function requireUser({ scopes }: AccessToken): void {
  if (!hasScope(scopes, ['user.read', 'user.readwrite', 'user.readbasic'])) {
    throw graphRefusal(403, 'Authorization_RequestDenied', 'Insufficient privileges to complete the operation.');
  }
}

function bearer(header: string | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(header ?? '')?.[1];
}

function accessDenied() {
  return graphRefusal(403, 'ErrorAccessDenied', 'Access is denied. Check credentials and try again.');
}

function unauthorized(message: string) {
  return graphRefusal(401, 'InvalidAuthenticationToken', message, {
    'www-authenticate': `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`,
  });
}
