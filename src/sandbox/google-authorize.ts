import type { GoogleContext } from './google-context.ts';
import type { GoogleClient, GoogleUser } from './google-data.ts';
import { errorPage } from './google-refusal.ts';
import { isIdentityScope, isKnownScope, parseGoogleScopes } from './google-scopes.ts';
import { randomToken } from './grants.ts';
import { type Answer, escapeHtml, html, type Incoming, Refusal, redirect, withParameters } from './http.ts';

export const authorizePath = '/google/o/oauth2/v2/auth';

const codeSeconds = 600;

export interface ConsentOptions {
  /** The person says no. */
  readonly deny?: boolean;
  /** Those that stay ticked, of the ones that can be unticked. Default: all. */
  readonly scopes?: readonly string[];
}

/** A request that may be shown to a person; whatever is wrong with it otherwise is told to the client, or to nobody. */
interface AuthorizationRequest {
  readonly client: GoogleClient;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly challenge: string;
  readonly nonce: string | undefined;
  readonly offline: boolean;
  readonly prompt: readonly string[];
  readonly loginHint: string | undefined;
  readonly includeGranted: boolean;
}

/** https://developers.google.com/identity/protocols/oauth2/native-app#step-2:-send-a-request-to-googles-oauth-2.0-server */
export function showConsentPage({ query, path }: Incoming, context: GoogleContext): Answer {
  return html(consentPage(readRequest(query, context), context, `${path}?${query}`));
}

export function submitConsentPage({ query, body }: Incoming, context: GoogleContext): Answer {
  const request = readRequest(query, context);
  const form = new URLSearchParams(body);
  const user = context.data.users.find(({ username }) => username === form.get('username'));
  if (user === undefined) throw new Refusal(errorPage(400, 'invalid_request', 'Couldn’t find your Google Account'));
  const options = { deny: form.get('decision') !== 'approve', scopes: form.getAll('scope') };
  return redirect(decide(request, user, options, context));
}

/**
 * What a person does in the browser that an app opened.
 * @returns where the browser is sent
 * @throws Error with what the browser shows when it is sent nowhere
 */
export function consent(url: string, username: string, options: ConsentOptions, context: GoogleContext): string {
  const { pathname, searchParams } = new URL(url);
  if (pathname !== authorizePath) throw new Error(`${pathname} is not the authorization endpoint.`);
  const user = context.data.users.find((each) => each.username === username);
  if (user === undefined) throw new Error(`Couldn’t find the Google Account ${username}.`);
  try {
    return decide(readRequest(searchParams, context), user, options, context);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { location } = error.answer.headers;
    if (location !== undefined) return location;
    throw new Error(
      String(error.answer.body)
        .replace(/<[^>]*>/g, ' ')
        .replace(/\s+/g, ' ')
        .trim(),
    );
  }
}

/** In the order of trust: without a known client and a loopback address of its own, no browser is sent anywhere. */
function readRequest(query: URLSearchParams, { data }: GoogleContext): AuthorizationRequest {
  for (const name of new Set(query.keys())) {
    if (query.getAll(name).length > 1)
      throw refuse(400, 'invalid_request', `OAuth 2 parameters can only have a single value: ${name}`);
  }
  const clientId = query.get('client_id') ?? '';
  if (clientId === '') throw refuse(400, 'invalid_request', 'Missing required parameter: client_id');
  const client = data.clients.find((each) => each.clientId === clientId);
  if (client === undefined) throw refuse(401, 'invalid_client', 'The OAuth client was not found.');
  if (client.deleted === true) throw refuse(401, 'deleted_client', 'The OAuth client was deleted.');
  const redirectUri = query.get('redirect_uri') ?? '';
  if (redirectUri === '') throw refuse(400, 'invalid_request', 'Missing required parameter: redirect_uri');
  if (!isLoopback(redirectUri)) {
    throw refuse(400, 'redirect_uri_mismatch', 'You can’t sign in because this app sent an invalid request.');
  }
  if (!query.has('response_type')) throw refuse(400, 'invalid_request', 'Missing required parameter: response_type');
  if (query.get('response_type') !== 'code') {
    throw refuse(400, 'unsupported_response_type', 'The sandbox knows response_type=code only.');
  }
  const scopes = parseGoogleScopes(query.get('scope') ?? '');
  if (scopes.length === 0) throw refuse(400, 'invalid_request', 'Missing required parameter: scope');
  const unknown = scopes.filter((scope) => !isKnownScope(scope));
  if (unknown.length > 0) {
    throw refuse(400, 'invalid_scope', `Some requested scopes were invalid. {invalid=[${unknown.join(', ')}]}`);
  }
  const accessType = query.get('access_type') ?? 'online';
  if (accessType !== 'online' && accessType !== 'offline') {
    throw refuse(400, 'invalid_request', `Invalid access_type: ${accessType}`);
  }
  const prompt = (query.get('prompt') ?? '').split(/\s+/).filter((word) => word !== '');
  const odd = prompt.find((word) => !['none', 'consent', 'select_account'].includes(word));
  if (odd !== undefined)
    throw refuse(400, 'invalid_request', `Invalid parameter value for prompt: Invalid prompt: ${odd}`);
  const state = query.get('state') ?? undefined;
  const tell = (error: string, description: string) =>
    new Refusal(redirect(withParameters(redirectUri, { error, error_description: description, state })));
  if (prompt.includes('none')) {
    throw prompt.length > 1
      ? tell('invalid_request', 'prompt=none cannot be combined.')
      : tell('login_required', 'Nobody is signed in to the sandbox.');
  }
  const challenge = query.get('code_challenge') ?? '';
  if (challenge === '') throw tell('invalid_request', 'Code challenge is required.');
  if (query.get('code_challenge_method') !== 'S256') {
    throw tell('invalid_request', 'Code challenge method must be S256.');
  }
  if (!/^[\w-]{43}$/.test(challenge))
    throw tell('invalid_request', 'Code challenge is not the base64url of a SHA-256.');
  return {
    client,
    redirectUri,
    scopes,
    state,
    challenge,
    nonce: query.get('nonce') ?? undefined,
    offline: accessType === 'offline',
    prompt,
    loginHint: query.get('login_hint') ?? undefined,
    includeGranted: query.get('include_granted_scopes') === 'true',
  };
}

function decide(
  request: AuthorizationRequest,
  user: GoogleUser,
  options: ConsentOptions,
  context: GoogleContext,
): string {
  const { client, redirectUri, state } = request;
  if (client.internalTo !== undefined && client.internalTo !== user.hostedDomain) {
    throw refuse(
      403,
      'org_internal',
      `${client.name} is restricted to users within its organization: ${user.username} is not one of them.`,
    );
  }
  const kept = options.scopes === undefined ? request.scopes : parseGoogleScopes(options.scopes.join(' '));
  const strange = kept.filter((scope) => !request.scopes.includes(scope));
  if (strange.length > 0) throw refuse(400, 'invalid_scope', `The page has no box for ${strange.join(' ')}.`);
  const scopes = request.scopes.filter((scope) => isIdentityScope(scope) || kept.includes(scope));
  if (options.deny === true || scopes.length === 0) {
    return withParameters(redirectUri, { error: 'access_denied', state });
  }
  const before = context.grants.consented(client.clientId, user.username);
  const granted = request.includeGranted ? [...new Set([...scopes, ...before])] : scopes;
  const code = randomToken('4/0A');
  context.grants.codes.set(code, {
    user,
    clientId: client.clientId,
    scopes: granted,
    offline: request.offline,
    redirectUri,
    challenge: request.challenge,
    nonce: request.nonce,
    asked: before.length === 0 || request.prompt.includes('consent'),
    expiresAt: context.now() + codeSeconds * 1000,
    used: false,
  });
  context.grants.consent(client.clientId, user.username, scopes);
  return withParameters(redirectUri, { state, code, scope: granted.join(' ') });
}

/** https://developers.google.com/identity/protocols/oauth2/native-app#redirect-uri_loopback: any port, any path. */
function isLoopback(uri: string): boolean {
  try {
    const { protocol, hostname, username, password } = new URL(uri);
    const loopback = hostname === '127.0.0.1' || hostname === 'localhost' || hostname === '[::1]';
    return protocol === 'http:' && loopback && username === '' && password === '' && !uri.includes('#');
  } catch {
    return false;
  }
}

function refuse(status: number, error: string, description: string): Refusal {
  return new Refusal(errorPage(status, error, description));
}

function consentPage(request: AuthorizationRequest, { data }: GoogleContext, action: string): string {
  const hinted = data.users.find(({ username, sub }) => username === request.loginHint || sub === request.loginHint);
  const people = data.users.map(({ username, displayName }, index) => {
    const checked = hinted === undefined ? index === 0 : hinted.username === username;
    return `<p><label><input type="radio" name="username" value="${escapeHtml(username)}"${checked ? ' checked' : ''}> ${escapeHtml(displayName)}, ${escapeHtml(username)}</label></p>`;
  });
  const boxes = request.scopes
    .filter((scope) => !isIdentityScope(scope))
    .map(
      (scope) =>
        `<p><label><input type="checkbox" name="scope" value="${escapeHtml(scope)}" checked> ${escapeHtml(scope)}</label></p>`,
    );
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sandbox sign-in for Google</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}</style></head>
<body><main>
<h1>${escapeHtml(request.client.name)} wants access to your Google Account</h1>
<form method="post" action="${escapeHtml(action)}">
<fieldset><legend>Who signs in?</legend>
${people.join('\n')}
</fieldset>
<fieldset><legend>What may it do?</legend>
${boxes.join('\n')}
</fieldset>
<p><button name="decision" value="approve">Continue</button> <button name="decision" value="deny">Cancel</button></p>
</form>
<p><small>This is the calmcp sandbox. No password, no real account.</small></p>
</main></body>
</html>
`;
}
