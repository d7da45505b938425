import type { GoogleAccessToken, GoogleGrants } from './google-grants.ts';
import { googleRefusal } from './google-refusal.ts';
import { type GoogleMethod, scopesFor } from './google-scopes.ts';
import type { Refusal } from './http.ts';

const realm = 'Bearer realm="https://accounts.google.com/"';
const hint =
  'Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.';

/** The token behind an Authorization header, dead or alive. */
export function findGoogleToken(header: string | undefined, grants: GoogleGrants): GoogleAccessToken | undefined {
  return grants.accessTokens.get(bearer(header) ?? '');
}

export function isAlive({ state, expiresAt }: GoogleAccessToken, now: number): boolean {
  return state === 'alive' && expiresAt > now;
}

/** @throws the 401 that a missing, unknown, expired or revoked token gets */
export function authenticateGoogle(header: string | undefined, grants: GoogleGrants, now: number): GoogleAccessToken {
  if (bearer(header) === undefined) {
    throw unauthorized(
      `Request is missing required authentication credential. ${hint}`,
      'required',
      'Login Required.',
      realm,
    );
  }
  const token = findGoogleToken(header, grants);
  if (token === undefined || !isAlive(token, now)) {
    throw unauthorized(
      `Request had invalid authentication credentials. ${hint}`,
      'authError',
      'Invalid Credentials',
      `${realm}, error="invalid_token"`,
    );
  }
  return token;
}

/** @throws the 403 that a token without any of the scopes of `method` gets */
export function requireScope({ scopes }: GoogleAccessToken, method: GoogleMethod): void {
  if (!scopesFor[method].some((scope) => scopes.includes(scope))) throw insufficientScopes(method);
}

export function insufficientScopes(method: GoogleMethod): Refusal {
  return googleRefusal(
    403,
    'Request had insufficient authentication scopes.',
    { reason: 'insufficientPermissions', message: 'Insufficient Permission' },
    {
      headers: {
        'www-authenticate': `${realm}, error="insufficient_scope", scope="${scopesFor[method].join(' ')}"`,
      },
      more: {
        status: 'PERMISSION_DENIED',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'ACCESS_TOKEN_SCOPE_INSUFFICIENT',
            domain: 'googleapis.com',
            metadata: { method, service: 'calendar-json.googleapis.com' },
          },
        ],
      },
    },
  );
}

function unauthorized(message: string, reason: string, short: string, challenge: string): Refusal {
  return googleRefusal(
    401,
    message,
    { reason, message: short, location: 'Authorization', locationType: 'header' },
    { headers: { 'www-authenticate': challenge }, more: { status: 'UNAUTHENTICATED' } },
  );
}

function bearer(header: string | undefined): string | undefined {
  return /^Bearer (\S+)$/i.exec(header ?? '')?.[1];
}
