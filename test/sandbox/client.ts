import { afterEach } from 'vitest';
import {
  clientId,
  type Sandbox,
  type SandboxOptions,
  signIn,
  startSandbox,
  tenantIds,
} from '../../src/sandbox/index.ts';

/** The Monday that the tests of the default data set start on. */
export const weekOf = '2026-11-23';

export type Json = Record<string, unknown>;

export interface Reply<Body = Json> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

export interface Page {
  readonly value: (Json & { id: string })[];
  readonly '@odata.nextLink'?: string;
}

const open: Sandbox[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((sandbox) => sandbox.close()));
});

/** A sandbox that is closed when the test is over. */
export async function openSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const sandbox = await startSandbox({ weekOf, ...options });
  open.push(sandbox);
  return sandbox;
}

export async function get<Body = Json>(
  url: string,
  token?: string,
  headers: Record<string, string> = {},
): Promise<Reply<Body>> {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { headers: { ...authorization, ...headers } });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
}

export async function postForm(url: string, form: Record<string, string>): Promise<Reply> {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Json };
}

export interface BatchReply {
  readonly responses: { id: string; status: number; headers: Record<string, string>; body: Json }[];
}

export async function postBatch(sandbox: Sandbox, token: string, requests: unknown[]): Promise<Reply<BatchReply>> {
  const response = await fetch(`${sandbox.origin}/v1.0/$batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ requests }),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as BatchReply };
}

/** An access token of you@xebia.example, or of someone else. */
export async function tokenFor(sandbox: Sandbox, options: { username?: string; scope?: string } = {}): Promise<string> {
  const { username = 'you@xebia.example', ...rest } = options;
  const tenant = sandbox.data.users.find((user) => user.username === username)?.tenant ?? tenantIds.xebia;
  const application = sandbox.data.applications.find(({ tenants }) => tenants.includes(tenant));
  const signedIn = await signIn(sandbox, { username, tenant, clientId: application?.clientId ?? clientId, ...rest });
  return signedIn.accessToken;
}

export function viewUrl(sandbox: Sandbox, parameters: Record<string, string> = {}, calendarId?: string): string {
  const path = calendarId === undefined ? '/me/calendarView' : `/me/calendars/${calendarId}/calendarView`;
  const query = { startDateTime: '2026-11-23T00:00:00Z', endDateTime: '2026-12-07T00:00:00Z', ...parameters };
  return `${sandbox.origin}/v1.0${path}?${new URLSearchParams(query)}`;
}

export function errorOf(reply: Reply): { code: string; message: string } {
  return reply.body.error as { code: string; message: string };
}

/** Follows every nextLink. */
export async function allPages(url: string, token: string, headers: Record<string, string> = {}) {
  const items: Page['value'] = [];
  const sizes: number[] = [];
  for (let next: string | undefined = url; next !== undefined; ) {
    const { body }: Reply<Page> = await get<Page>(next, token, headers);
    items.push(...body.value);
    sizes.push(body.value.length);
    next = body['@odata.nextLink'];
  }
  return { items, sizes };
}
