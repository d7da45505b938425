import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SandboxData } from './data.ts';
import { createDataSet, mondayOf } from './data-set.ts';
import { answerEntra } from './entra.ts';
import type { EntraContext } from './entra-context.ts';
import { approve } from './entra-device.ts';
import { createFaults } from './faults.ts';
import { answerFeed, createFeed } from './feed.ts';
import { createGrants } from './grants.ts';
import { createGraphFront, tokenOf } from './graph-front.ts';
import { type Answer, answerOf, flatHeaders, type Incoming, readBody, send } from './http.ts';
import { type Fault, type Redemption, recordOf, type SandboxRequest } from './records.ts';

export { calendar, clientId, mailbox, manyEvents, type SeriesInput, singleMailbox, weekly } from './build-data.ts';
export { type EventInput, event } from './build-event.ts';
export type * from './data.ts';
export { createDataSet, northwindClientId, tenantIds } from './data-set.ts';
export { outlookUid } from './opaque.ts';
export type { Fault, FaultTarget, Redemption, SandboxRequest } from './records.ts';
export { type SignedIn, signIn } from './sign-in.ts';

export interface SandboxOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Default: `createDataSet(weekOf)`. */
  readonly data?: SandboxData;
  /** How long an access token lives. Default: 3600. */
  readonly accessTokenSeconds?: number;
  /** Polling interval told to a client that waits for a person. Default: 5; fractions are allowed. */
  readonly deviceCodeIntervalSeconds?: number;
  /** The Monday (YYYY-MM-DD) that the default data starts on. Default: this week's. */
  readonly weekOf?: string;
  /** How long every Graph answer takes, so that requests overlap. Default: 0. */
  readonly delayMs?: number;
  /** Epoch milliseconds. Default: Date.now. */
  readonly now?: () => number;
}

export interface Sandbox {
  readonly origin: string;
  readonly data: SandboxData;
  /** In order of arrival. */
  readonly requests: SandboxRequest[];
  readonly redemptions: Redemption[];
  /**
   * What the person does on the device-code page.
   * @throws when the code is unknown or expired, or the user is not in the tenant it is for
   */
  approve(userCode: string, username: string): void;
  /** The access tokens issued so far are expired from now on. */
  expireAccessTokens(): void;
  /** Everything granted to this user so far is dead; a new sign-in works. */
  revoke(username: string): void;
  /** The first fault added that matches and is not used up strikes, before anything else looks at the request. */
  fail(fault: Fault): void;
  close(): Promise<void>;
}

/** Starts a local Microsoft: Entra ID under /{tenant}/, Graph under /v1.0/, and a feed under /feeds/, one origin, plain HTTP on 127.0.0.1. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, accessTokenSeconds = 3600, deviceCodeIntervalSeconds = 5, delayMs = 0, now = Date.now } = options;
  const weekOf = options.weekOf ?? mondayOf(now());
  const data = options.data ?? createDataSet(weekOf);
  const feed = createFeed(weekOf);
  const requests: SandboxRequest[] = [];
  const redemptions: Redemption[] = [];
  const grants = createGrants();
  const faults = createFaults();
  const entra: EntraContext = { data, grants, redemptions, accessTokenSeconds, deviceCodeIntervalSeconds, now };
  const graph = createGraphFront({ data, grants, faults, delayMs, now });
  let origin = '';

  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    origin,
    data,
    requests,
    redemptions,
    approve: (userCode, username) => approve(userCode, username, entra),
    expireAccessTokens: grants.expireAccessTokens,
    revoke: grants.revoke,
    fail: faults.add,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const incoming = await incomingOf(request, gone.signal);
    const token = tokenOf(incoming, grants);
    const record = recordOf(incoming, token, token?.user.tenant ?? tenantOf(incoming.path));
    requests.push(record);
    const { method, path } = incoming;
    const target = { method, path, ...(token === undefined ? {} : { mailbox: token.user.username }) };
    const answer = (await faults.strike(target, false, gone.signal)) ?? (await play(incoming, record));
    record.status = answer.status;
    send(response, answer);
  }

  function play(incoming: Incoming, record: SandboxRequest): Promise<Answer> {
    if (incoming.path.startsWith('/v1.0/')) return graph(incoming, record);
    if (incoming.path.startsWith('/feeds/')) return Promise.resolve(answerFeed(incoming, feed));
    return answerOf(() => answerEntra(incoming, entra));
  }

  async function incomingOf(request: IncomingMessage, signal: AbortSignal): Promise<Incoming> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox');
    const headers = flatHeaders(request);
    const believed = headers['x-original-host'];
    return {
      method: request.method ?? 'GET',
      path: pathname.replace(/%24batch$/i, '$batch'),
      query: searchParams,
      headers,
      body: await readBody(request),
      // A preload that redirects the real hosts to here says so: then links must lead to the real hosts too.
      origin: believed === undefined ? origin : `https://${believed}`,
      signal,
    };
  }

  function tenantOf(path: string): string | undefined {
    const asked = path.split('/')[1] ?? '';
    if (['v1.0', 'devicelogin', 'feeds', ''].includes(asked)) return undefined;
    return data.tenants.find(({ domain }) => domain === asked.toLowerCase())?.id ?? asked;
  }
}
