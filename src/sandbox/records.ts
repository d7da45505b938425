import type { Incoming } from './http.ts';

/** One request that reached the sandbox, or one step of a batch. */
export interface SandboxRequest {
  readonly method: string;
  readonly path: string;
  /** Of a parameter that was given several times, all values, with commas. */
  readonly query: Readonly<Record<string, string>>;
  /** Of the endpoint for Entra ID, of the token for Graph: a GUID where the sandbox knows the tenant. None for Google. */
  readonly tenant?: string;
  /** The username that the access token was issued to, also when the token is dead. */
  readonly mailbox?: string;
  /** The host the client believes it talks to: `x-original-host` of a redirecting preload, else `host`. */
  readonly host?: string;
  readonly authorized: boolean;
  readonly prefer?: string;
  /** 0 until it is answered. */
  status: number;
  /** The steps of Graph's `$batch` or the calls of Google's, in the order they were sent. */
  readonly batch?: SandboxRequest[];
}

/** One attempt to redeem something at a token endpoint of Entra ID. */
export interface Redemption {
  /** Tenant of the endpoint. */
  readonly tenant: string;
  readonly grant: 'device_code' | 'authorization_code' | 'refresh_token';
  readonly clientId: string;
  readonly username?: string;
  /** Where the redeemed token was issued. */
  readonly tokenTenant?: string;
  /** `ok`, or the `error` of the answer. */
  readonly outcome: string;
}

/** One attempt to redeem something at Google's token endpoint. */
export interface GoogleRedemption {
  readonly grant: 'authorization_code' | 'refresh_token';
  readonly clientId: string;
  readonly username?: string;
  /** Which of the refresh tokens that the sandbox issued, in order; 1 is the first one. */
  readonly refreshToken?: number;
  /** `ok`, or the `error` of the answer. */
  readonly outcome: string;
}

/** One mail that a vendor sends to one person because of what happened in a calendar. */
export interface SandboxMail {
  readonly vendor: 'microsoft' | 'google';
  readonly from: string;
  readonly to: string;
  readonly kind: 'invitation' | 'update' | 'cancellation' | 'response';
  /** Of the event; empty when it has none. */
  readonly subject: string;
  readonly comment?: string;
}

/** A fault to inject. Without `status`, `headers` and `body` it only delays (or hangs) what it matches. */
export interface Fault {
  readonly match: (request: FaultTarget) => boolean;
  /** How often it strikes; without it, always. */
  readonly times?: number;
  /** 503 when only `headers` or `body` are given. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly delayMs?: number;
  /** Never answers; ends when the client gives up or the sandbox closes. */
  readonly hang?: boolean;
  /**
   * The request is served, whatever it changes is changed, and then the connection is cut before the answer: what a client
   * cannot tell from a request that never arrived. Of the rest only `delayMs` counts then. Not for steps of a batch.
   */
  readonly dropAnswer?: boolean;
  /** Whether it strikes the steps of a batch, too. Default: true. */
  readonly inBatch?: boolean;
}

export interface FaultTarget {
  readonly method: string;
  readonly path: string;
  readonly mailbox?: string;
}

/** The record of a request that is not answered yet. */
export function recordOf(
  incoming: Incoming,
  token: { readonly user: { readonly username: string; readonly tenant?: string } } | undefined,
  tenant: string | undefined = token?.user.tenant,
): SandboxRequest {
  const { method, path, query, headers } = incoming;
  const host = headers['x-original-host'] ?? headers.host;
  return {
    method,
    path,
    query: Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).join(',')])),
    authorized: (headers.authorization ?? '') !== '',
    status: 0,
    ...(tenant === undefined ? {} : { tenant }),
    ...(token === undefined ? {} : { mailbox: token.user.username }),
    ...(host === undefined ? {} : { host }),
    ...(headers.prefer === undefined ? {} : { prefer: headers.prefer }),
    ...(path === '/v1.0/$batch' || path === '/google/batch/calendar/v3' ? { batch: [] } : {}),
  };
}
