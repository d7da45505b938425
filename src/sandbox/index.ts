import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SandboxData } from './data.ts';
import { createDataSet, mondayOf } from './data-set.ts';
import { answerEntra, consentAtEntra } from './entra.ts';
import type { EntraConsentOptions } from './entra-authorize.ts';
import type { EntraContext } from './entra-context.ts';
import { approve } from './entra-device.ts';
import { createFaults, lostAnswer } from './faults.ts';
import { answerFeed, createFeed } from './feed.ts';
import { answerGoogle, type GoogleEndpoints, googleEndpoints } from './google.ts';
import { findGoogleToken } from './google-auth.ts';
import { type ConsentOptions, consent } from './google-authorize.ts';
import type { GoogleContext } from './google-context.ts';
import type { GoogleData } from './google-data.ts';
import { createGoogleDataSet } from './google-data-set.ts';
import { createGoogleGrants } from './google-grants.ts';
import { createGooglePages } from './google-pages.ts';
import { createGrants } from './grants.ts';
import { createGraphFront, tokenOf } from './graph-front.ts';
import type { GraphRules } from './graph-rules.ts';
import { type Answer, answerOf, flatHeaders, type Incoming, readBody, send } from './http.ts';
import {
  type Fault,
  type GoogleRedemption,
  type Redemption,
  recordOf,
  type SandboxMail,
  type SandboxRequest,
} from './records.ts';

export { calendar, clientId, mailbox, manyEvents, type SeriesInput, singleMailbox, weekly } from './build-data.ts';
export { type EventInput, event } from './build-event.ts';
export type * from './data.ts';
export { createDataSet, northwindClientId, tenantIds } from './data-set.ts';
export type { EntraConsentOptions } from './entra-authorize.ts';
export type { GoogleEndpoints } from './google.ts';
export type { ConsentOptions } from './google-authorize.ts';
export {
  type GoogleEventInput,
  type GoogleSeriesInput,
  googleCalendar,
  googleClientId,
  googleClientSecret,
  googleEvent,
  googleSeries,
  googleUser,
  manyGoogleEvents,
  sharedGoogleClient,
  singleGoogleAccount,
} from './google-build.ts';
export type * from './google-data.ts';
export {
  createGoogleDataSet,
  deletedGoogleClient,
  googleCalendarIds,
  harborGoogleClient,
  homeGoogleClient,
} from './google-data-set.ts';
export { googleFaults } from './google-refusal.ts';
export { type GoogleSignedIn, googleReadScope, googleSignIn } from './google-sign-in.ts';
export type { GraphRules } from './graph-rules.ts';
export { outlookUid } from './opaque.ts';
export type { Fault, FaultTarget, GoogleRedemption, Redemption, SandboxMail, SandboxRequest } from './records.ts';
export { type SignedIn, signIn } from './sign-in.ts';

export interface SandboxOptions {
  /** Default: any free port. */
  readonly port?: number;
  /** Default: `createDataSet(weekOf)`. */
  readonly data?: SandboxData;
  /** Default: `createGoogleDataSet(weekOf)`. */
  readonly googleData?: GoogleData;
  /** Whether a refresh at Google brings a new refresh token and kills the old one; the real one does not. Default: false. */
  readonly googleRotatesRefreshTokens?: boolean;
  /** How long an access token lives. Default: 3600. */
  readonly accessTokenSeconds?: number;
  /** Polling interval told to a client that waits for a person. Default: 5; fractions are allowed. */
  readonly deviceCodeIntervalSeconds?: number;
  /**
   * Whether Entra ID takes a refresh token again after it has given a new one for it. The real one does ("doesn't revoke
   * old refresh tokens when used to fetch new access tokens"), but does not promise it; a token that works once finds the
   * mistakes. https://learn.microsoft.com/entra/identity-platform/refresh-tokens#token-lifetime Default: false.
   */
  readonly reusableRefreshTokens?: boolean;
  /** What Graph does where sources disagree. */
  readonly graphRules?: GraphRules;
  /** The Monday (YYYY-MM-DD) that the default data starts on. Default: this week's. */
  readonly weekOf?: string;
  /** How long every answer of Graph and of the Google Calendar API takes, so that requests overlap. Default: 0. */
  readonly delayMs?: number;
  /** Epoch milliseconds. Default: Date.now. */
  readonly now?: () => number;
}

export interface Sandbox {
  readonly origin: string;
  readonly data: SandboxData;
  /** In order of arrival. */
  readonly requests: SandboxRequest[];
  /** At Entra ID; those at Google are in `google`. */
  readonly redemptions: Redemption[];
  /** What the vendors have sent to people, in order; one entry for each recipient. */
  readonly mails: SandboxMail[];
  readonly google: SandboxGoogle;
  /**
   * What the person does on the device-code page.
   * @throws when the code is unknown or expired, or the user is not in the tenant it is for
   */
  approve(userCode: string, username: string): void;
  /**
   * What the person does on Entra ID's page that an app opened in the browser, without the browser.
   * @returns where the browser is sent: the app's redirect address with a code, or with an error. Nothing is fetched.
   * @throws with what the browser shows when it is sent nowhere: unknown application, person of another tenant, ...
   */
  consent(authorizationUrl: string, username: string, options?: EntraConsentOptions): string;
  /** The access tokens issued so far are expired from now on, at both. */
  expireAccessTokens(): void;
  /** Everything granted to this user so far is dead; a new sign-in works. */
  revoke(username: string): void;
  /** The first fault added that matches and is not used up strikes, before anything else looks at the request. */
  fail(fault: Fault): void;
  close(): Promise<void>;
}

export interface SandboxGoogle {
  readonly data: GoogleData;
  readonly endpoints: GoogleEndpoints;
  /** In order of arrival. */
  readonly redemptions: GoogleRedemption[];
  /**
   * What the person does on the page that an app opened in the browser, without the browser.
   * @returns where the browser is sent: the app's redirect address with a code, or with an error. Nothing is fetched.
   * @throws with what the browser shows when it is sent nowhere: unknown client, address that is not loopback, ...
   */
  consent(authorizationUrl: string, username: string, options?: ConsentOptions): string;
  /** The sync tokens issued so far get a 410 from now on. */
  expireSyncTokens(): void;
}

/**
 * Starts a local Microsoft (Entra ID under /{tenant}/, Graph under /v1.0/), a local Google (OAuth 2.0 and the Calendar
 * API under /google/) and a feed (under /feeds/): one origin, plain HTTP on 127.0.0.1.
 */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { port = 0, accessTokenSeconds = 3600, deviceCodeIntervalSeconds = 5, delayMs = 0, now = Date.now } = options;
  const weekOf = options.weekOf ?? mondayOf(now());
  const data = options.data ?? createDataSet(weekOf);
  const feed = createFeed(weekOf);
  const requests: SandboxRequest[] = [];
  const redemptions: Redemption[] = [];
  const mails: SandboxMail[] = [];
  const grants = createGrants();
  const faults = createFaults();
  const entra: EntraContext = {
    data,
    grants,
    redemptions,
    accessTokenSeconds,
    deviceCodeIntervalSeconds,
    reusableRefreshTokens: options.reusableRefreshTokens ?? false,
    now,
  };
  const google: GoogleContext = {
    data: options.googleData ?? createGoogleDataSet(weekOf),
    grants: createGoogleGrants(),
    pages: createGooglePages(),
    faults,
    redemptions: [],
    mails,
    accessTokenSeconds,
    rotatesRefreshTokens: options.googleRotatesRefreshTokens ?? false,
    delayMs,
    now,
  };
  const graph = createGraphFront({ data, grants, faults, mails, rules: options.graphRules ?? {}, delayMs, now });
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
    mails,
    approve: (userCode, username) => approve(userCode, username, entra),
    consent: (url, username, choices = {}) => consentAtEntra(url, username, choices, entra),
    google: {
      data: google.data,
      endpoints: googleEndpoints(origin),
      redemptions: google.redemptions,
      consent: (url, username, choices = {}) => consent(url, username, choices, google),
      expireSyncTokens: google.pages.expireSyncTokens,
    },
    expireAccessTokens: () => {
      grants.expireAccessTokens();
      google.grants.expireAccessTokens();
    },
    revoke: (username) => {
      grants.revoke(username);
      google.grants.revoke(username);
    },
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
    const { authorization } = incoming.headers;
    const token = tokenOf(incoming, grants);
    const holder = token ?? findGoogleToken(authorization, google.grants);
    const record = recordOf(incoming, holder, token?.user.tenant ?? tenantOf(incoming.path));
    requests.push(record);
    const { method, path } = incoming;
    const target = { method, path, ...(holder === undefined ? {} : { mailbox: holder.user.username }) };
    const struck = await faults.strike(target, false, gone.signal);
    const answer = struck === undefined || struck === lostAnswer ? await play(incoming, record) : struck;
    record.status = answer.status;
    if (struck === lostAnswer) response.destroy();
    else send(response, answer);
  }

  function play(incoming: Incoming, record: SandboxRequest): Promise<Answer> {
    if (incoming.path.startsWith('/v1.0/')) return graph(incoming, record);
    if (incoming.path.startsWith('/feeds/')) return Promise.resolve(answerFeed(incoming, feed));
    if (incoming.path.startsWith('/google/')) return answerGoogle(incoming, google, record);
    return answerOf(() => answerEntra(incoming, entra));
  }

  async function incomingOf(request: IncomingMessage, signal: AbortSignal): Promise<Incoming> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sandbox');
    const headers = flatHeaders(request);
    const believed = headers['x-original-host'];
    return {
      method: request.method ?? 'GET',
      // googleapis-common drops the path of a `rootUrl` that is set for the whole client: the same API, at the root.
      path: pathname
        .replace(/%24batch$/i, '$batch')
        .replace(/^\/(calendar|batch\/calendar)\/v3(?=\/|$)/, '/google/$1/v3'),
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
    if (['v1.0', 'devicelogin', 'feeds', 'google', ''].includes(asked)) return undefined;
    return data.tenants.find(({ domain }) => domain === asked.toLowerCase())?.id ?? asked;
  }
}
