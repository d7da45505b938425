/** The one place that sends HTTP, retries it and turns what comes back into a CalmcpError. */
import type { Patience } from '../core/budget.ts';
import { CalmcpError, type ErrorCode } from '../core/errors.ts';
import type { Call, Fetch, HttpAnswer, RequestTraits, Send } from '../core/provider.ts';
import { limitedSignal } from './time-limit.ts';

/** Longest pause a server may ask for and be believed. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;
/** How much of an error's body is kept for the provider and the log. */
const ERROR_BODY_CHARS = 8_192;
const DEFAULT_MAX_BYTES = 64 * 1_048_576;

const utf8 = new TextDecoder();

/** What the server said, kept as the `cause` of the error for the provider that knows how to read it. */
export interface HttpFailure {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface HttpOptions {
  readonly fetch: Fetch;
  readonly patience: Patience;
}

export type Http = (call: Call, traits?: RequestTraits) => Send;

/** Status to code. What a vendor means by it in particular is for its provider to refine. */
export function codeOfStatus(status: number): ErrorCode {
  if (status === 401) return 'AUTH_REQUIRED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 404 || status === 410) return 'NOT_FOUND';
  if (status === 409 || status === 412) return 'CONFLICT';
  if (status === 429) return 'RATE_LIMITED';
  if (status === 408 || status >= 500) return 'UNAVAILABLE';
  return 'BAD_RESPONSE';
}

/**
 * Milliseconds a server asks us to wait: seconds or an HTTP date (RFC 9110 10.2.3). `undefined` when it does not say.
 * @param nowMs epoch milliseconds of the clock that a date is of
 */
export function parseRetryAfter(value: string | null, nowMs = Date.now()): number | undefined {
  if (value === null) return undefined;
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs;
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, seconds), MAX_RETRY_AFTER_MS);
}

const SENTENCES: Readonly<Partial<Record<ErrorCode, string>>> = {
  AUTH_REQUIRED: 'did not accept the sign-in',
  FORBIDDEN: 'does not allow this',
  NOT_FOUND: 'does not know what was asked for',
  CONFLICT: 'says that it changed in the meantime',
  RATE_LIMITED: 'asks us to slow down',
  UNAVAILABLE: 'is having trouble',
};

const NETWORK_SENTENCES: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its address could not be found',
  EAI_AGAIN: 'its address could not be looked up',
  ECONNREFUSED: 'it refused the connection',
  ECONNRESET: 'the connection broke',
  UND_ERR_SOCKET: 'the connection broke',
  UND_ERR_CONNECT_TIMEOUT: 'it could not be reached in time',
  ETIMEDOUT: 'it could not be reached in time',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no network',
  EPROTO: 'no secure connection could be made',
};

function networkError(host: string, thrown: unknown): CalmcpError {
  const code = ((thrown as { cause?: { code?: unknown } }).cause?.code ?? '') as string;
  const security = /CERT|SIGNED|ISSUER|ALTNAME/.test(code)
    ? 'its certificate could not be trusted'
    : /TLS|SSL/.test(code)
      ? 'no secure connection could be made'
      : undefined;
  return new CalmcpError('UNAVAILABLE', `${host}: ${NETWORK_SENTENCES[code] ?? security ?? 'the request failed'}`, {
    cause: thrown,
  });
}

/** What an answer from 300 on means, be it of a request or of a part of a batch. */
export function httpError(host: string, failure: HttpFailure, isThrottled?: RequestTraits['isThrottled']): CalmcpError {
  const { status, headers } = failure;
  const code = isThrottled?.(failure) ? 'RATE_LIMITED' : codeOfStatus(status);
  // A date is one of their clock: ours may be set wrong.
  const theirNow = Date.parse(headers.get('date') ?? '');
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), Number.isNaN(theirNow) ? Date.now() : theirNow);
  return new CalmcpError(code, `${host} ${SENTENCES[code] ?? 'refused the request'} (HTTP ${status})`, {
    retryAfterMs: code === 'RATE_LIMITED' || code === 'UNAVAILABLE' ? retryAfterMs : undefined,
    cause: failure,
  });
}

/** The whole body, so that a slot is held and a failure is retried until the last byte; never more than `maxBytes`. */
async function readBody({ headers, body }: Response, maxBytes: number, host: string): Promise<Uint8Array> {
  if (body === null) return new Uint8Array();
  // A reader of our own: `for await` makes three promises of each part.
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  const announced = Number(headers.get('content-length'));
  for (;;) {
    if (Math.max(size, announced) > maxBytes) {
      reader.cancel().catch(() => undefined);
      throw new CalmcpError('BAD_RESPONSE', `${host} answered with more than ${Math.round(maxBytes / 1_048_576)} MiB`);
    }
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    parts.push(value);
  }
  const [only = new Uint8Array()] = parts;
  return parts.length > 1 ? Buffer.concat(parts) : only;
}

/**
 * HTTP for one account, within its budgets: Retry-After obeyed by all of its requests, a few retries of what may safely be
 * repeated, all within the deadline of the question.
 *
 * Resolves with 2xx and 3xx answers (redirects are not followed: a token must not travel on its own).
 * @throws CalmcpError for everything else, with an {@link HttpFailure} as its cause where there was an answer
 */
export function createHttp({ fetch, patience }: HttpOptions): Http {
  async function attempt(
    url: URL,
    init: RequestInit,
    call: Call,
    { maxBytes = DEFAULT_MAX_BYTES, isThrottled }: RequestTraits,
  ): Promise<HttpAnswer> {
    call.countRequest();
    let response: Response;
    let body: Uint8Array;
    try {
      response = await fetch(url, { ...init, redirect: 'manual', signal: call.signal });
      body = await readBody(response, maxBytes, url.host);
    } catch (thrown) {
      call.signal.throwIfAborted();
      throw thrown instanceof CalmcpError ? thrown : networkError(url.host, thrown);
    }
    const { status, headers } = response;
    if (status < 400) return { status, headers, body };
    throw httpError(url.host, { status, headers, body: utf8.decode(body.subarray(0, ERROR_BODY_CHARS)) }, isThrottled);
  }

  return (call, traits = {}) =>
    (input, init = {}) => {
      const url = new URL(input);
      const { weight, cost, safe = false, after } = traits;
      const isRead = /^(?:GET|HEAD)$/i.test(init.method ?? 'GET');
      return patience.run(url.host, { weight, cost, after, isRead, isRepeatable: safe || isRead }, call, () =>
        attempt(url, init, call, traits),
      );
    };
}

/** One exchange with a sign-in service. It may serve several questions, so none of them can cut it short. */
const EXCHANGE_MS = 30_000;

/** A call of its own for an exchange with a sign-in service: 30 s, counted for no question. @param closed ends it earlier */
export function openExchange(closed: AbortSignal): Call {
  return {
    signal: limitedSignal(
      EXCHANGE_MS,
      () => new CalmcpError('UNAVAILABLE', `the sign-in service did not answer within ${EXCHANGE_MS / 1_000} s`),
      closed,
    ),
    deadline: performance.now() + EXCHANGE_MS,
    countRequest: () => undefined,
    unnamed: true,
  };
}

/** The text of an answer in UTF-8, without a byte order mark. */
export const readText = ({ body }: HttpAnswer): string => utf8.decode(body);

/** The JSON of an answer. @throws CalmcpError BAD_RESPONSE when it is something else, a proxy's web page for instance */
export function readJson(answer: HttpAnswer, host: string): unknown {
  const text = readText(answer);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const page = /^\s*</.test(text);
    throw new CalmcpError(
      'BAD_RESPONSE',
      `${host} answered with ${page ? 'a web page' : 'something'} instead of JSON`,
      {
        hint: page
          ? 'a proxy or a network sign-in page may stand in between: open a web page in your browser'
          : undefined,
        cause,
      },
    );
  }
}
