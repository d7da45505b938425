import { createHash } from 'node:crypto';
import {
  type GoogleEvent,
  googleClientId,
  googleClientSecret,
  googleSignIn,
  type Sandbox,
  singleGoogleAccount,
} from '../../src/sandbox/index.ts';
import { get, type Json, openSandbox, type Reply } from './client.ts';

export const scopeRoot = 'https://www.googleapis.com/auth/';
export const redirectUri = 'http://127.0.0.1:50123/callback';
export const verifier = 'a-verifier-of-at-least-forty-three-characters-0123456789';

export interface EventList {
  readonly items: (Json & { id: string; status: string; summary?: string })[];
  readonly nextPageToken?: string;
  readonly nextSyncToken?: string;
}

export interface GoogleErrorBody {
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly status?: string;
    readonly errors: { domain: string; reason: string; message: string; location?: string }[];
    readonly details?: Json[];
  };
}

/** The address that an app opens in the browser; an empty string leaves a parameter out. */
export function authorizationUrl(sandbox: Sandbox, changes: Record<string, string> = {}): string {
  const query = {
    response_type: 'code',
    client_id: googleClientId,
    redirect_uri: redirectUri,
    scope: `openid email ${scopeRoot}calendar.readonly`,
    state: 'st',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    access_type: 'offline',
    ...changes,
  };
  const given = Object.entries(query).filter(([, value]) => value !== '');
  return `${sandbox.google.endpoints.authorize}?${new URLSearchParams(given)}`;
}

export function codeForm(code: string, changes: Record<string, string> = {}): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    code,
    client_id: googleClientId,
    client_secret: googleClientSecret,
    redirect_uri: redirectUri,
    code_verifier: verifier,
    ...changes,
  };
}

export function refreshForm(refreshToken: string, changes: Record<string, string> = {}): Record<string, string> {
  return {
    grant_type: 'refresh_token',
    refresh_token: refreshToken,
    client_id: googleClientId,
    client_secret: googleClientSecret,
    ...changes,
  };
}

export async function googleToken(
  sandbox: Sandbox,
  scope: string = 'calendar.readonly',
  username: string = 'you@home.example',
): Promise<string> {
  const scopes = scope.split(' ').map((name) => (name === 'openid' || name === 'email' ? name : scopeRoot + name));
  return (await googleSignIn(sandbox, { username, clientId: googleClientId, scope: scopes.join(' ') })).accessToken;
}

export function eventsUrl(sandbox: Sandbox, parameters: Record<string, string> = {}, calendarId = 'primary'): string {
  const path = `calendar/v3/calendars/${encodeURIComponent(calendarId)}/events`;
  return `${sandbox.google.endpoints.rootUrl}${path}?${new URLSearchParams(parameters)}`;
}

export function listUrl(sandbox: Sandbox, parameters: Record<string, string> = {}): string {
  return `${sandbox.google.endpoints.rootUrl}calendar/v3/users/me/calendarList?${new URLSearchParams(parameters)}`;
}

/** A sandbox with nothing but these events in one primary calendar, and a token to read it. */
export async function openWith(events: readonly GoogleEvent[]): Promise<{ sandbox: Sandbox; token: string }> {
  const sandbox = await openSandbox({ googleData: singleGoogleAccount(events) });
  return { sandbox, token: await googleToken(sandbox) };
}

/** `events.list`, expanded unless told otherwise. */
export function list(
  sandbox: Sandbox,
  token: string,
  parameters: Record<string, string> = {},
  calendarId?: string,
): Promise<Reply<EventList>> {
  return get<EventList>(eventsUrl(sandbox, { singleEvents: 'true', ...parameters }, calendarId), token);
}

/** Status and reason of a refusal by the Calendar API. */
export async function refusal(url: string, token?: string): Promise<[number, string | undefined]> {
  const { status, body } = await get<GoogleErrorBody>(url, token);
  return [status, body.error?.errors[0]?.reason];
}
