import { clientId, type Sandbox, type SandboxOptions, signIn } from '../../src/sandbox/index.ts';
import { type Json, openSandbox, type Page, type Reply } from './client.ts';

export interface EventReply extends Json {
  readonly id: string;
  readonly '@odata.etag': string;
  readonly start: { readonly dateTime: string; readonly timeZone: string };
  readonly end: { readonly dateTime: string; readonly timeZone: string };
}

export const amsterdam = 'Europe/Amsterdam';

/** Start and end of an event on one day: `on('2026-11-24', '10:00', '11:00')`. */
export function on(day: string, from: string, until: string, timeZone = amsterdam) {
  return {
    start: { dateTime: `${day}T${from}:00`, timeZone },
    end: { dateTime: `${day}T${until}:00`, timeZone },
  };
}

export const attendee = (address: string) => ({ type: 'required', emailAddress: { address, name: address } });

export interface Writer {
  readonly sandbox: Sandbox;
  readonly token: string;
  /** Anything at Graph; the path begins after /v1.0/me. */
  send(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Reply>;
  create(body: Json, headers?: Record<string, string>): Promise<EventReply>;
  event(id: string): Promise<EventReply>;
  /** In the given days, in order. */
  view(from: string, until: string): Promise<EventReply[]>;
  instances(id: string, from: string, until: string): Promise<EventReply[]>;
}

/** Somebody who may write, at a sandbox of their own or at one that is there. */
export async function openWriter(
  options: SandboxOptions & { username?: string; scope?: string; at?: Sandbox } = {},
): Promise<Writer> {
  const { username = 'you@xebia.example', scope = 'Calendars.ReadWrite User.Read', at, ...rest } = options;
  const sandbox = at ?? (await openSandbox(rest));
  const tenant = sandbox.data.users.find((user) => user.username === username)?.tenant ?? '';
  const application = sandbox.data.applications.find(({ tenants }) => tenants.includes(tenant));
  const { accessToken } = await signIn(sandbox, {
    username,
    tenant,
    clientId: application?.clientId ?? clientId,
    scope: `${scope} openid offline_access`,
  });

  const send: Writer['send'] = async (method, path, body, headers = {}) => {
    const response = await fetch(`${sandbox.origin}/v1.0/me${path}`, {
      method,
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Json };
  };
  const must = async (reply: Promise<Reply>, status: number): Promise<Json> => {
    const { status: was, body } = await reply;
    if (was !== status) throw new Error(`${was}: ${JSON.stringify(body)}`);
    return body;
  };
  const list = async (path: string, from: string, until: string) => {
    const range = new URLSearchParams({
      startDateTime: `${from}T00:00:00Z`,
      endDateTime: `${until}T00:00:00Z`,
      $orderby: 'start/dateTime',
      $top: '100',
    });
    return (await must(send('GET', `${path}?${range}`), 200)) as unknown as Page & { value: EventReply[] };
  };

  return {
    sandbox,
    token: accessToken,
    send,
    create: async (body, headers) => (await must(send('POST', '/events', body, headers), 201)) as EventReply,
    event: async (id) => (await must(send('GET', `/events/${id}`), 200)) as EventReply,
    view: async (from, until) => (await list('/calendarView', from, until)).value,
    instances: async (id, from, until) => (await list(`/events/${id}/instances`, from, until)).value,
  };
}
