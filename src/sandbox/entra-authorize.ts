import { randomUUID } from 'node:crypto';
import type { Application, User } from './data.ts';
import type { Authority, EntraContext } from './entra-context.ts';
import { findApplication } from './entra-device.ts';
import { entraPage, showEntraPage } from './entra-page.ts';
import { entraRefusal } from './entra-refusal.ts';
import { randomToken } from './grants.ts';
import { type Answer, escapeHtml, html, type Incoming, Refusal, redirect, withParameters } from './http.ts';
import { parseScopes } from './scopes.ts';

export const authorizeEndpoint = 'oauth2/v2.0/authorize';
/** Where the page sends what the person chose. */
export const loginEndpoint = 'login';

const codeSeconds = 600;

export interface EntraConsentOptions {
  /** The person says no. */
  readonly deny?: boolean;
}

type ResponseMode = 'query' | 'form_post';

/** A request that may be shown to a person; whatever is wrong with it otherwise is told to the client, or to nobody. */
interface AuthorizationRequest {
  readonly application: Application;
  readonly authority: Authority;
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly scopes: readonly string[];
  readonly state: string | undefined;
  readonly challenge: string;
  readonly nonce: string | undefined;
  readonly loginHint: string | undefined;
  readonly clientInfo: boolean;
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow#request-an-authorization-code */
export function showSignInPage({ query }: Incoming, findAuthority: () => Authority, context: EntraContext): Answer {
  return inBrowser(() => {
    const request = readRequest(query, findAuthority, context);
    return html(signInPage(request, context, `/${request.authority.asked}/${loginEndpoint}?${query}`));
  });
}

export function submitSignInPage(
  { query, body }: Incoming,
  findAuthority: () => Authority,
  context: EntraContext,
): Answer {
  return inBrowser(() => {
    const form = new URLSearchParams(body);
    const deny = form.get('decision') !== 'accept';
    return decide(readRequest(query, findAuthority, context), form.get('username') ?? '', { deny }, context);
  });
}

/** What a person does, without the browser. @throws Error with what the browser would show */
export function consent(
  query: URLSearchParams,
  username: string,
  options: EntraConsentOptions,
  findAuthority: () => Authority,
  context: EntraContext,
): string {
  const { headers, body, status } = inBrowser(() =>
    decide(readRequest(query, findAuthority, context), username, options, context),
  );
  if (headers.location !== undefined) return headers.location;
  if (status === 200)
    throw new Error('With response_mode=form_post the browser posts a form: it takes one to play it.');
  const words = String(body)
    .replace(/<(style|script)>.*?<\/\1>/gs, ' ')
    .replace(/<[^>]*>/g, ' ');
  throw new Error(words.replace(/\s+/g, ' ').trim());
}

/** In a browser a refusal is a page. */
function inBrowser(play: () => Answer): Answer {
  try {
    return play();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { body, status } = error.answer;
    if (typeof body === 'string') return error.answer;
    const { error_description: description } = body as { error_description: string };
    return showEntraPage(
      `<h1>Sign in</h1><p>Sorry, but we’re having trouble signing you in.</p><p>${escapeHtml(description)}</p>`,
      status,
    );
  }
}

/** In the order of trust: without a known application and its own redirect address, no browser is sent anywhere. */
function readRequest(
  query: URLSearchParams,
  findAuthority: () => Authority,
  context: EntraContext,
): AuthorizationRequest {
  const authority = findAuthority();
  const refuse = (number: number, message: string) =>
    entraRefusal('invalid_request', number, message, { now: context.now() });
  for (const name of new Set(query.keys())) {
    if (query.getAll(name).length > 1)
      throw refuse(9000411, `The request is not properly formatted. The parameter '${name}' is duplicated.`);
  }
  const missing = (name: string) => `The request body must contain the following parameter: '${name}'.`;
  const clientId = query.get('client_id') ?? '';
  if (clientId === '') throw refuse(900144, missing('client_id'));
  const application = findApplication(clientId, authority, context);
  const redirectUri = query.get('redirect_uri') ?? '';
  if (redirectUri === '') throw refuse(900144, missing('redirect_uri'));
  if (!isRegistered(redirectUri)) {
    throw refuse(
      50011,
      `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs configured for the application '${clientId}'. Make sure the redirect URI sent in the request matches one added to your application in the Azure portal.`,
    );
  }

  const state = query.get('state') ?? undefined;
  const mode = query.get('response_mode') ?? 'query';
  const responseMode: ResponseMode = mode === 'form_post' ? mode : 'query';
  const tell = (error: string, number: number, message: string) => {
    const refusal = entraRefusal(error, number, message, { now: context.now() });
    const { error_description: description } = refusal.answer.body as { error_description: string };
    return new Refusal(answerClient({ redirectUri, responseMode }, { error, error_description: description, state }));
  };
  // With a code the real one plays "fragment" as well, for pages that run in a browser; nothing here is one.
  if (mode !== responseMode) throw tell('invalid_request', 70007, `'${mode}' is not a supported 'response_mode'.`);
  const responseType = query.get('response_type') ?? '';
  if (responseType === '') throw tell('invalid_request', 900144, missing('response_type'));
  if (responseType !== 'code') {
    throw tell(
      'unsupported_response_type',
      700054,
      `response_type '${responseType}' is not enabled for the application.`,
    );
  }
  const scopes = parseScopes(query.get('scope') ?? '');
  if (scopes.length === 0) throw tell('invalid_request', 900144, missing('scope'));
  // The real one asks this of single-page apps only. RFC 8252 8.1 asks it of every native one, and so do we.
  const challenge = query.get('code_challenge') ?? '';
  if (challenge === '') {
    throw tell(
      'invalid_request',
      9002325,
      'Proof Key for Code Exchange is required for authorization code redemption.',
    );
  }
  if (query.get('code_challenge_method') !== 'S256' || !/^[\w-]{43}$/.test(challenge))
    throw tell('invalid_request', 501491, "The 'code_challenge' is not one of the method S256.");
  const prompt = query.get('prompt') ?? '';
  if (!['', 'select_account', 'login', 'consent', 'none'].includes(prompt))
    throw tell('invalid_request', 90023, `Unsupported 'prompt' value '${prompt}'.`);
  if (prompt === 'none')
    throw tell('login_required', 50058, 'A silent sign-in request was sent but no user is signed in.');
  return {
    application,
    authority,
    redirectUri,
    responseMode,
    scopes,
    state,
    challenge,
    nonce: query.get('nonce') ?? undefined,
    loginHint: query.get('login_hint') ?? undefined,
    clientInfo: query.get('client_info') === '1',
  };
}

/**
 * `http://localhost` of the platform "Mobile and desktop applications", the port aside.
 * https://learn.microsoft.com/entra/identity-platform/reply-url#localhost-exceptions
 */
function isRegistered(uri: string): boolean {
  return /^http:\/\/localhost(?::\d{1,5})?\/?$/.test(uri) && URL.canParse(uri);
}

function decide(
  request: AuthorizationRequest,
  username: string,
  { deny = false }: EntraConsentOptions,
  context: EntraContext,
): Answer {
  const { application, authority, state } = request;
  if (deny) {
    return answerClient(request, {
      error: 'access_denied',
      error_subcode: 'cancel',
      error_description: 'the user canceled the authentication',
      state,
    });
  }
  const user = context.data.users.find((each) => each.username === username);
  const refuse = (number: number, message: string) =>
    entraRefusal('invalid_request', number, message, { now: context.now() });
  if (user === undefined) throw refuse(50034, `The user account ${username} does not exist in the directory.`);
  if (authority.tenant !== undefined && user.tenant !== authority.id) {
    throw refuse(
      50020,
      `User account '${username}' does not exist in tenant '${authority.tenant.name}' and cannot access the application '${application.clientId}' (${application.name}) in that tenant.`,
    );
  }
  if (!application.tenants.includes(user.tenant))
    throw refuse(700016, `The tenant of ${username} does not know this application.`);
  const code = randomToken('1.AX');
  context.grants.authorizationCodes.set(code, {
    user,
    clientId: application.clientId,
    tenant: authority.id,
    scopes: request.scopes,
    redirectUri: request.redirectUri,
    challenge: request.challenge,
    nonce: request.nonce,
    expiresAt: context.now() + codeSeconds * 1000,
    redeemed: false,
  });
  const clientInfo = JSON.stringify({ uid: user.oid, utid: user.tenant });
  return answerClient(request, {
    code,
    client_info: request.clientInfo ? Buffer.from(clientInfo).toString('base64url') : undefined,
    state,
    session_state: randomUUID(),
  });
}

function answerClient(
  { redirectUri, responseMode }: Pick<AuthorizationRequest, 'redirectUri' | 'responseMode'>,
  parameters: Readonly<Record<string, string | undefined>>,
): Answer {
  if (responseMode === 'query') return redirect(withParameters(redirectUri, parameters));
  const fields = Object.entries(parameters)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${escapeHtml(value ?? '')}">`);
  return html(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Working…</title></head>
<body><form method="post" action="${escapeHtml(redirectUri)}">
${fields.join('\n')}
<noscript><p>Script is off. Go on by yourself.</p><button>Continue</button></noscript>
</form><script>document.forms[0].submit()</script></body></html>
`);
}

function peopleOf({ application, authority }: AuthorizationRequest, { data }: EntraContext): User[] {
  const { tenant } = authority;
  return data.users.filter((user) =>
    tenant === undefined ? application.tenants.includes(user.tenant) : user.tenant === tenant.id,
  );
}

function signInPage(request: AuthorizationRequest, context: EntraContext, action: string): string {
  const people = peopleOf(request, context);
  const hinted = people.find(({ username }) => username === request.loginHint?.toLowerCase());
  const boxes = people.map((user, index) => {
    const checked = hinted === undefined ? index === 0 : hinted === user;
    return `<p><label><input type="radio" name="username" value="${escapeHtml(user.username)}"${checked ? ' checked' : ''}> ${escapeHtml(user.displayName)}, ${escapeHtml(user.username)}</label></p>`;
  });
  return entraPage(`<h1>Sign in to ${escapeHtml(request.application.name)}</h1>
<form method="post" action="${escapeHtml(action)}">
<fieldset><legend>Pick an account</legend>
${boxes.join('\n')}
</fieldset>
<p>It asks for ${escapeHtml(request.scopes.join(' '))}.</p>
<p><button name="decision" value="accept">Accept</button> <button name="decision" value="cancel">Cancel</button></p>
</form>`);
}
