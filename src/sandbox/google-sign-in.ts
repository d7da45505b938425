import { createHash, randomBytes } from 'node:crypto';
import type { GoogleEndpoints } from './google.ts';
import type { ConsentOptions } from './google-authorize.ts';
import type { GoogleClient } from './google-data.ts';

/** What `googleSignIn` needs of a sandbox. */
interface GoogleSignInSandbox {
  readonly google: {
    readonly endpoints: GoogleEndpoints;
    readonly data: { readonly clients: readonly GoogleClient[] };
    consent(authorizationUrl: string, username: string, options?: ConsentOptions): string;
  };
}

export interface GoogleSignedIn {
  readonly accessToken: string;
  /** Empty when Google gave none: online access, or a second sign-in without prompt=consent. */
  readonly refreshToken: string;
  readonly idToken: string;
  readonly scope: string;
}

const scopeRoot = 'https://www.googleapis.com/auth/';

export const googleReadScope = `openid email ${scopeRoot}calendar.events.readonly ${scopeRoot}calendar.calendarlist.readonly`;

/** A person signs in with an authorization code and PKCE, over HTTP: the short way to tokens for a test or a demo. */
export async function googleSignIn(
  sandbox: GoogleSignInSandbox,
  options: { username: string; clientId: string; scope?: string; prompt?: string } & ConsentOptions,
): Promise<GoogleSignedIn> {
  const { username, clientId, scope = googleReadScope, prompt = 'consent', ...consent } = options;
  const { endpoints, data } = sandbox.google;
  const verifier = randomBytes(32).toString('base64url');
  const redirectUri = 'http://127.0.0.1:9/callback';
  const state = randomBytes(16).toString('base64url');
  const query = new URLSearchParams({
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    access_type: 'offline',
    prompt,
    login_hint: username,
  });
  const back = new URL(sandbox.google.consent(`${endpoints.authorize}?${query}`, username, consent)).searchParams;
  if (back.get('state') !== state) throw new Error('The state came back changed.');
  if (back.has('error')) throw new Error(String(back.get('error')));
  const response = await fetch(endpoints.token, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: back.get('code') ?? '',
      client_id: clientId,
      client_secret: data.clients.find((client) => client.clientId === clientId)?.clientSecret ?? '',
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }),
  });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`${String(body.error)}: ${String(body.error_description)}`);
  return {
    accessToken: String(body.access_token),
    refreshToken: String(body.refresh_token ?? ''),
    idToken: String(body.id_token ?? ''),
    scope: String(body.scope),
  };
}
