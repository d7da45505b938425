import {
  type GoogleCalendar,
  type GoogleData,
  type GoogleEvent,
  googleCalendar,
  googleUser,
  type Sandbox,
  type SandboxOptions,
  sharedGoogleClient,
} from '../../src/sandbox/index.ts';
import { type Json, openSandbox } from './client.ts';
import { eventsUrl, type GoogleErrorBody, googleToken } from './google-client.ts';

export const you = 'you@home.example';
export const guest = 'guest@home.example';
export const other = 'other@home.example';
/** Has no Google calendar. */
export const outsider = 'outsider@elsewhere.example';

export type EventResource = Json & {
  readonly id: string;
  readonly etag: string;
  readonly status: string;
  readonly updated: string;
  readonly sequence: number;
  readonly attendees?: readonly Json[];
  readonly start: { readonly dateTime?: string; readonly date?: string; readonly timeZone?: string };
};

export interface Written {
  readonly status: number;
  readonly event: EventResource;
  /** Of a refusal. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

export interface Mailbox {
  insert(body: Json, query?: Record<string, string>): Promise<Written>;
  patch(id: string, body: Json, query?: Record<string, string>, headers?: Record<string, string>): Promise<Written>;
  put(id: string, body: Json, query?: Record<string, string>, headers?: Record<string, string>): Promise<Written>;
  remove(id: string, query?: Record<string, string>, headers?: Record<string, string>): Promise<Written>;
  get(id: string, query?: Record<string, string>, headers?: Record<string, string>): Promise<Written>;
  instances(id: string, query?: Record<string, string>): Promise<EventResource[]>;
  list(query?: Record<string, string>): Promise<EventResource[]>;
  /** The answer of `events.list` as a whole. */
  page(query: Record<string, string>): Promise<{ items: EventResource[]; nextSyncToken: string }>;
}

/** Three people with a primary calendar each, and what else is given. */
export function household(events: readonly GoogleEvent[] = [], others: readonly GoogleCalendar[] = []): GoogleData {
  const calendars = [googleCalendar(you, events), googleCalendar(guest, []), googleCalendar(other, []), ...others];
  return {
    clients: [sharedGoogleClient],
    users: [you, guest, other].map((username, index) =>
      googleUser(
        index + 1,
        username,
        calendars.filter(({ access }) => username in access).map(({ id }) => ({ calendarId: id, selected: true })),
      ),
    ),
    calendars,
  };
}

export async function openHousehold(
  googleData: GoogleData = household(),
  options: SandboxOptions = {},
): Promise<{ sandbox: Sandbox; mine: Mailbox; theirs: Mailbox }> {
  const sandbox = await openSandbox({ googleData, ...options });
  return { sandbox, mine: await mailboxOf(sandbox, you), theirs: await mailboxOf(sandbox, guest) };
}

export async function mailboxOf(
  sandbox: Sandbox,
  username: string,
  options: { scope?: string; calendarId?: string } = {},
): Promise<Mailbox> {
  const { scope = 'calendar.events', calendarId = 'primary' } = options;
  const token = await googleToken(sandbox, scope, username);
  const url = (suffix: string, query: Record<string, string>) => {
    const [path, search] = eventsUrl(sandbox, query, calendarId).split('?');
    return `${path}${suffix}?${search}`;
  };
  const call = async (
    method: string,
    address: string,
    body?: Json,
    headers: Record<string, string> = {},
  ): Promise<Written> => {
    const response = await fetch(address, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer: unknown = text === '' ? {} : JSON.parse(text);
    const { error } = answer as Partial<GoogleErrorBody>;
    return {
      status: response.status,
      event: answer as EventResource,
      reason: error?.errors[0]?.reason,
      message: error?.message,
    };
  };
  const page = async (address: string) =>
    (await call('GET', address)).event as unknown as { items: EventResource[]; nextSyncToken: string };
  return {
    insert: (body, query = {}) => call('POST', url('', query), body),
    patch: (id, body, query = {}, headers = {}) => call('PATCH', url(`/${id}`, query), body, headers),
    put: (id, body, query = {}, headers = {}) => call('PUT', url(`/${id}`, query), body, headers),
    remove: (id, query = {}, headers = {}) => call('DELETE', url(`/${id}`, query), undefined, headers),
    get: (id, query = {}, headers = {}) => call('GET', url(`/${id}`, query), undefined, headers),
    instances: async (id, query = {}) => (await page(url(`/${id}/instances`, query))).items,
    list: async (query = {}) => (await page(url('', { singleEvents: 'true', orderBy: 'startTime', ...query }))).items,
    page: (query) => page(url('', query)),
  };
}

export const at = (dateTime: string, timeZone = 'Europe/Amsterdam') => ({ dateTime, timeZone });

/** A quarter of an hour on 23 November 2026. */
export const slot = { start: at('2026-11-23T10:00:00'), end: at('2026-11-23T10:15:00') };
