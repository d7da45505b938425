/** The Calendar API through Google's own client, over calmcp's HTTP: one place retries, and it is not this one. */
import { calendar, type calendar_v3 } from '@googleapis/calendar';
import { CalmcpError } from '../../core/errors.ts';
import type { Call, ProviderContext } from '../../core/provider.ts';
import { type RequestTokens, sendWithToken } from '../../io/access-tokens.ts';
import type { HttpFailure } from '../../io/http.ts';
import { type EventPurpose, refusalOf } from './refusals.ts';

export type Client = calendar_v3.Calendar;
export type { calendar_v3 };

/** Where Google's client believes the API is. */
const API = 'https://www.googleapis.com';
/** A list longer than this many pages is a loop. */
const MAX_PAGES = 1_000;

/** @see https://developers.google.com/workspace/calendar/api/guides/errors */
const THROTTLED = new Set(['rateLimitExceeded', 'userRateLimitExceeded']);

/** Everything that is passed to one request of Google's client. */
export interface RequestOptions {
  readonly retry: false;
  readonly headers: Record<string, string>;
  readonly fetchImplementation: typeof globalThis.fetch;
}

interface Page {
  kind?: string | null;
  items?: unknown;
  nextPageToken?: string | null;
}

/** What is special about one request. */
export interface RequestKind {
  /** Does nothing more when it is sent again though it is a POST, so it is asked again like a GET. */
  readonly safe?: boolean;
  /** About one event: what a refusal means depends on it. */
  readonly purpose?: EventPurpose;
  /** Of the only version that may be changed. */
  readonly etag?: string;
  /** What to say where the sign-in lacks the permission; default: that it does not cover `access`. */
  readonly uncovered?: { readonly message: string; readonly hint: string };
}

export interface GoogleClient {
  /** One request. @throws CalmcpError */
  request<T>(
    call: Call,
    send: (client: Client, options: RequestOptions) => Promise<{ data: T }>,
    kind?: RequestKind,
  ): Promise<T>;
  /**
   * All pages of a list. @throws CalmcpError for pages without an end, and for an answer that does not say that it is
   * such a list: an object without rows would read as an empty day
   */
  pages<T extends Page>(
    kind: string,
    call: Call,
    send: (client: Client, pageToken: string | undefined, options: RequestOptions) => Promise<{ data: T }>,
  ): Promise<T[]>;
}

export function reasonOf(body: string | undefined): string | undefined {
  try {
    const { error } = JSON.parse(body ?? '') as { error?: { errors?: { reason?: string }[] } };
    return error?.errors?.[0]?.reason;
  } catch {
    return undefined;
  }
}

/** The CalmcpError of our own fetch, out of what Google's client wrapped around it. */
function unwrap(thrown: unknown): unknown {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth++)
    if (error instanceof CalmcpError) return error;
  return thrown;
}

export function createGoogleClient(base: string, context: ProviderContext, tokens: RequestTokens): GoogleClient {
  const { account, access } = context;
  const client = calendar({ version: 'v3' });
  const hint = tokens.remedy;

  /** Google's refusal in calmcp's words; its own text stays in the cause. */
  function explain(error: CalmcpError, { uncovered, purpose }: RequestKind): CalmcpError {
    const failure = error.cause as Partial<HttpFailure> | undefined;
    // Only what Google said is put into other words: a keystore that does not open is no refusal of Google's.
    if (failure?.status === undefined) return error.of(account);
    const reason = reasonOf(failure.body);
    const as = (message: string, advice: string): CalmcpError =>
      new CalmcpError(error.code, message, { account, hint: advice, cause: error.cause });
    if (error.code === 'AUTH_REQUIRED') return as('Google no longer accepts the sign-in', hint);
    if (reason === 'quotaExceeded')
      return as(
        'Google has limited the calendar use of this account',
        'wait: it may take hours; see Google’s calendar use limits',
      );
    if (reason === 'insufficientPermissions' || reason === 'ACCESS_TOKEN_SCOPE_INSUFFICIENT')
      return as(uncovered?.message ?? `the sign-in does not cover access: ${access}`, uncovered?.hint ?? hint);
    // What is repeated, or may be, keeps its code.
    const refusal =
      purpose === undefined || error.code === 'RATE_LIMITED' ? undefined : refusalOf(failure.status, reason, purpose);
    if (refusal !== undefined)
      return new CalmcpError(refusal.code, refusal.message, { account, hint: refusal.hint, cause: error.cause });
    if (error.code === 'FORBIDDEN') return as('Google does not allow this account to read this calendar', hint);
    return error.of(account);
  }

  function fetchFor(call: Call, { safe = false }: RequestKind): typeof globalThis.fetch {
    const send = context.fetch(call, {
      safe,
      isThrottled: ({ status, body }) => status === 403 && THROTTLED.has(reasonOf(body) ?? ''),
    });
    return (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      if (!url.startsWith(`${API}/`)) throw new TypeError('a request to another host than the Calendar API');
      // The deadline of the question is in `send`; Google's client adds no signal of its own.
      const { signal: _signal, ...rest } = init ?? {};
      return send(base + url.slice(API.length), rest);
    };
  }

  const request: GoogleClient['request'] = async (call, send, kind = {}) => {
    const explained = (error: CalmcpError): CalmcpError => explain(error, kind);
    const attempt = async (token: string) => {
      try {
        const options = {
          retry: false,
          headers: {
            authorization: `Bearer ${token}`,
            ...(kind.etag === undefined ? {} : { 'if-match': kind.etag }),
          },
          fetchImplementation: fetchFor(call, kind),
        } as const;
        return (await send(client, options)).data;
      } catch (thrown) {
        throw unwrap(thrown);
      }
    };
    try {
      return await sendWithToken(tokens, attempt, explained);
    } catch (thrown) {
      call.signal.throwIfAborted();
      throw thrown instanceof CalmcpError && thrown.account === undefined ? explained(thrown) : thrown;
    }
  };

  return {
    request,
    async pages(kind, call, send) {
      const pages = [];
      const seen = new Set<string>();
      let pageToken: string | undefined;
      do {
        const page = await request(call, (api, options) => send(api, pageToken, options));
        if (page?.kind !== kind || !Array.isArray(page.items ?? []))
          throw new CalmcpError('BAD_RESPONSE', 'Google answered with something that is no list', { account });
        pages.push(page);
        pageToken = page.nextPageToken ?? undefined;
        if (pageToken !== undefined && (seen.has(pageToken) || seen.size >= MAX_PAGES))
          throw new CalmcpError('BAD_RESPONSE', 'Google keeps sending next pages without an end', { account });
        if (pageToken !== undefined) seen.add(pageToken);
      } while (pageToken !== undefined);
      return pages;
    },
  };
}
