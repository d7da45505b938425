/** The Calendar API through Google's own client, over calmcp's HTTP: one place retries, and it is not this one. */
import { calendar, type calendar_v3 } from '@googleapis/calendar';
import { CalmcpError } from '../../core/errors.ts';
import type { Call, ProviderContext, RequestTraits } from '../../core/provider.ts';
import { type RequestTokens, sendWithToken } from '../../io/access-tokens.ts';
import { askInBatches } from '../../io/batches.ts';
import { type HttpFailure, httpError, readText } from '../../io/http.ts';
import { BATCH_PATH, MOST_CALLS, readBatch, writeBatch } from './batch.ts';
import { reasonOf } from './limits.ts';
import { type EventPurpose, refusalOf } from './refusals.ts';

export type Client = calendar_v3.Calendar;
export type { calendar_v3 };

/** Where Google's client believes the API is. */
const API = 'https://www.googleapis.com';
/** https://fetch.spec.whatwg.org/#null-body-status */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);
/** A list longer than this many pages is a loop. */
const MAX_PAGES = 1_000;

/** @see https://developers.google.com/workspace/calendar/api/guides/errors */
const THROTTLED = new Set(['rateLimitExceeded', 'userRateLimitExceeded']);

const isThrottled: NonNullable<RequestTraits['isThrottled']> = ({ status, body }) =>
  status === 403 && THROTTLED.has(reasonOf(body) ?? '');

/** Slots of the account's concurrency that a batch takes at most. */
const BATCH_WEIGHT = 4;

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
  /** It failed so as a part of a batch, and is asked by itself. */
  readonly after?: CalmcpError | undefined;
}

/** One of several lists. */
export interface ListQuestion<T extends Page> {
  /** Its first page, for a batch: path and query. */
  readonly address: string;
  /** Any page, by itself. */
  readonly send: (client: Client, pageToken: string | undefined, options: RequestOptions) => Promise<{ data: T }>;
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
  /** The same of several lists, with as few requests as may be. One entry for each: its pages, or why they are not known. */
  pagesOfEach<T extends Page>(
    kind: string,
    questions: readonly ListQuestion<T>[],
    call: Call,
  ): Promise<(T[] | CalmcpError)[]>;
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

  function fetchFor(call: Call, { safe = false, after }: RequestKind): typeof globalThis.fetch {
    const send = context.fetch(call, { safe, after, isThrottled });
    return async (input, init) => {
      const url = input instanceof Request ? input.url : String(input);
      if (!url.startsWith(`${API}/`)) throw new TypeError('a request to another host than the Calendar API');
      // The deadline of the question is in `send`; Google's client adds no signal of its own.
      const { signal: _signal, ...rest } = init ?? {};
      const { status, headers, body } = await send(base + url.slice(API.length), rest);
      return new Response(BODILESS.has(status) ? null : new Uint8Array(body), { status, headers });
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

  type SendPage<T> = ListQuestion<T & Page>['send'];

  /** @throws CalmcpError BAD_RESPONSE for what does not say that it is such a list */
  function pageOf<T extends Page>(kind: string, page: T | null | undefined): T {
    if (page?.kind !== kind || !Array.isArray(page.items ?? []))
      throw new CalmcpError('BAD_RESPONSE', 'Google answered with something that is no list', { account });
    return page;
  }

  /** The first page and all that come after it. */
  async function readToEnd<T extends Page>(kind: string, first: T, call: Call, send: SendPage<T>): Promise<T[]> {
    const pages = [first];
    const seen = new Set<string>();
    for (let pageToken = first.nextPageToken ?? undefined; pageToken !== undefined; ) {
      if (seen.has(pageToken) || seen.size >= MAX_PAGES)
        throw new CalmcpError('BAD_RESPONSE', 'Google keeps sending next pages without an end', { account });
      seen.add(pageToken);
      const token = pageToken;
      const page = pageOf(kind, await request(call, (api, options) => send(api, token, options)));
      pages.push(page);
      pageToken = page.nextPageToken ?? undefined;
    }
    return pages;
  }

  const pages: GoogleClient['pages'] = async (kind, call, send) => {
    const first = await request(call, (api, options) => send(api, undefined, options));
    return readToEnd(kind, pageOf(kind, first), call, send);
  };

  /** @throws CalmcpError when the batch as a whole fails */
  async function sendBatch(
    addresses: readonly string[],
    token: string,
    call: Call,
  ): Promise<({ page: unknown } | CalmcpError)[]> {
    const { contentType, body } = writeBatch(addresses);
    const { length } = addresses;
    const traits = { weight: Math.min(BATCH_WEIGHT, length), cost: length, safe: true, isThrottled };
    const response = await context.fetch(call, traits)(`${base}${BATCH_PATH}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
      body,
    });
    const answers = readBatch(response.headers.get('content-type'), readText(response), addresses.length);
    if (response.status !== 200 || answers === undefined)
      throw new CalmcpError('BAD_RESPONSE', 'Google answered with something that is no answer to a batch', { account });
    return answers.map((answer) => {
      if (answer === undefined)
        return new CalmcpError('BAD_RESPONSE', 'Google left out a part of its answer', { account });
      if (answer.status >= 300) return explain(httpError(new URL(base).host, answer, isThrottled), {});
      try {
        return { page: JSON.parse(answer.body) as unknown };
      } catch {
        return new CalmcpError('BAD_RESPONSE', 'Google answered with something that is no list', { account });
      }
    });
  }

  return {
    request,
    pages,
    async pagesOfEach<T extends Page>(kind: string, questions: readonly ListQuestion<T>[], call: Call) {
      const questionAt = (place: number): ListQuestion<T> => {
        const question = questions[place];
        if (question === undefined) throw new TypeError('nothing was asked there');
        return question;
      };
      const firsts = await askInBatches<{ readonly page: unknown }>(questions.length, {
        most: MOST_CALLS,
        tokens,
        explain: (error) => explain(error, {}),
        send: (places, token) =>
          sendBatch(
            places.map((place) => questionAt(place).address),
            token,
            call,
          ),
        alone: async (place, after) => ({
          page: await request(call, (api, options) => questionAt(place).send(api, undefined, options), { after }),
        }),
      });
      return Promise.all(
        firsts.map(async (first, place) => {
          if (first instanceof CalmcpError) return first;
          try {
            return await readToEnd<T>(kind, pageOf(kind, first.page as T), call, questionAt(place).send);
          } catch (thrown) {
            if (thrown instanceof CalmcpError) return thrown;
            throw thrown;
          }
        }),
      );
    },
  };
}
