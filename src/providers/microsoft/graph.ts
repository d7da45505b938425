/** Microsoft Graph over HTTP: pages to their end, batches, and Graph's errors in calmcp's words. */
import { CalmcpError } from '../../core/errors.ts';
import type { Call, ProviderContext } from '../../core/provider.ts';
import { type RequestTokens, sendWithToken } from '../../io/access-tokens.ts';
import { codeOfStatus, type HttpFailure, parseRetryAfter, readJson } from '../../io/http.ts';
import { pause } from '../../io/time-limit.ts';

/** Sub-requests in one `$batch`: https://learn.microsoft.com/graph/json-batching#batch-size-limitations */
const BATCH_SIZE = 20;
/** Graph runs this many sub-requests of one batch for one mailbox at once, and throttles more in bad times. */
const BATCH_PARALLEL = 4;
/** A list longer than this many pages is a loop. */
const MAX_PAGES = 1_000;

/**
 * Ids that survive a move between folders, times in UTC, texts without markup: asked for on every single request, as Graph answers
 * with other ids and local times where one lacks it.
 */
const PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"';

export interface Graph {
  /** All rows of a list. `path` is relative to the version, `/me/calendars?$top=100`. */
  list<Row>(path: string, call: Call): Promise<Row[]>;
  /** Several lists with as few requests as may be; each is its rows or its error, in the order of `paths`. */
  listMany<Row>(paths: readonly string[], call: Call): Promise<(Row[] | CalmcpError)[]>;
  /** A question that takes a body. It changes nothing there, so it is asked again like any other. */
  post(path: string, body: unknown, call: Call): Promise<unknown>;
}

interface Page<Row> {
  readonly value: readonly Row[];
  readonly next: URL | undefined;
}

interface BatchAnswer {
  readonly id: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Graph's error in calmcp's words; its own text stays in the cause. */
export function explain(error: CalmcpError, account: string, scope: string, remedy: string): CalmcpError {
  const failure = error.cause as Partial<HttpFailure> | undefined;
  // Only what Graph said is put into other words: a keystore that does not open is no refusal of Microsoft's.
  if (failure?.status === undefined) return error.of(account);
  const code = graphCode(failure.body);
  const as = (message: string, hint: string, kind = error.code): CalmcpError =>
    new CalmcpError(kind, message, { account, hint, cause: error.cause });
  if (error.code === 'AUTH_REQUIRED') return as('Microsoft no longer accepts the sign-in', remedy);
  if (code === 'MailboxNotEnabledForRESTAPI')
    return as('this account has no mailbox in Microsoft 365', 'sign in as somebody who has one', 'FORBIDDEN');
  if (error.code === 'FORBIDDEN')
    return as(
      'Microsoft does not allow this account to read calendars',
      `the token lacks ${scope}, or an administrator forbids it; ${remedy}`,
    );
  return error.of(account);
}

function graphCode(body: unknown): string | undefined {
  try {
    const parsed = (typeof body === 'string' ? JSON.parse(body) : body) as { error?: { code?: unknown } } | undefined;
    return typeof parsed?.error?.code === 'string' ? parsed.error.code : undefined;
  } catch {
    return undefined;
  }
}

export function createGraph(base: string, context: ProviderContext, scope: string, tokens: RequestTokens): Graph {
  const root = new URL(`${base}/v1.0/`);
  const { account } = context;

  /** Sends one request; a token that is refused though it should be good is refreshed once. */
  async function send(url: URL, init: RequestInit, call: Call, weight: number): Promise<unknown> {
    const attempt = async (token: string): Promise<Response> =>
      context.fetch(call, { weight, safe: true })(url, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${token}`, accept: 'application/json' },
      });
    try {
      const response = await sendWithToken(tokens, attempt, (error) => explain(error, account, scope, tokens.remedy));
      if (response.status >= 300)
        throw new CalmcpError('BAD_RESPONSE', `${url.host} answered with a redirect, which is not followed`);
      return await readJson(response, url.host);
    } catch (thrown) {
      throw thrown instanceof CalmcpError && thrown.account === undefined
        ? explain(thrown, account, scope, tokens.remedy)
        : thrown;
    }
  }

  const get = (url: URL, call: Call): Promise<unknown> => send(url, { headers: { prefer: PREFER } }, call, 1);

  /** @throws CalmcpError BAD_RESPONSE for what is no list, and for a next page anywhere but at the configured Graph */
  function parsePage<Row>(body: unknown): Page<Row> {
    const { value, '@odata.nextLink': nextLink } = (body ?? {}) as { value?: unknown; '@odata.nextLink'?: unknown };
    if (!Array.isArray(value))
      throw new CalmcpError('BAD_RESPONSE', `${root.host} answered without a list`, { account });
    if (nextLink === undefined || nextLink === null) return { value, next: undefined };
    const next = URL.canParse(String(nextLink)) ? new URL(String(nextLink)) : undefined;
    if (next?.origin !== root.origin || !next.pathname.startsWith(root.pathname))
      throw new CalmcpError(
        'BAD_RESPONSE',
        `the next page of the answer lies at ${next === undefined ? 'no valid address' : next.host}, not at ${root.host}: it was not asked for`,
        {
          account,
          hint: 'something between you and Microsoft changes its answers; do not sign in again before you know what',
        },
      );
    return { value, next };
  }

  async function readToEnd<Row>(first: Page<Row>, call: Call): Promise<Row[]> {
    const rows = [...first.value];
    const seen = new Set<string>();
    for (let page = first; page.next !== undefined; ) {
      const address = page.next.href;
      if (seen.has(address) || seen.size >= MAX_PAGES)
        throw new CalmcpError('BAD_RESPONSE', `${root.host} keeps sending next pages without an end`, { account });
      seen.add(address);
      page = parsePage<Row>(await get(page.next, call));
      for (const row of page.value) rows.push(row);
    }
    return rows;
  }

  const resolve = (path: string): URL => new URL(path.replace(/^\//, ''), root);

  async function list<Row>(path: string, call: Call): Promise<Row[]> {
    return readToEnd(parsePage<Row>(await get(resolve(path), call)), call);
  }

  function post(path: string, body: unknown, call: Call, weight = 1): Promise<unknown> {
    const headers = { 'content-type': 'application/json', prefer: PREFER };
    return send(resolve(path), { method: 'POST', body: JSON.stringify(body), headers }, call, weight);
  }

  async function postBatch(paths: readonly string[], call: Call): Promise<Map<string, BatchAnswer>> {
    const requests = paths.map((url, id) => ({ id: String(id), method: 'GET', url, headers: { Prefer: PREFER } }));
    const body = await post('/$batch', { requests }, call, Math.min(BATCH_PARALLEL, paths.length));
    const { responses } = (body ?? {}) as { responses?: readonly BatchAnswer[] };
    if (!Array.isArray(responses))
      throw new CalmcpError('BAD_RESPONSE', `${root.host} answered a batch without answers`, { account });
    return new Map(responses.map((answer) => [answer.id, answer]));
  }

  function errorOf({ status, headers = {}, body }: BatchAnswer): CalmcpError {
    const code = codeOfStatus(status);
    const all = new Headers(headers);
    const failure: HttpFailure = { status, headers: all, body: JSON.stringify(body ?? null) };
    const error = new CalmcpError(code, `${root.host} refused a part of the request (HTTP ${status})`, {
      retryAfterMs:
        code === 'RATE_LIMITED' || code === 'UNAVAILABLE' ? parseRetryAfter(all.get('retry-after')) : undefined,
      cause: failure,
    });
    return explain(error, account, scope, tokens.remedy);
  }

  /** One batch and the repetition of what was throttled in it, four at a time, while the deadline allows. */
  async function runBatch<Row>(paths: readonly string[], call: Call): Promise<(Row[] | CalmcpError)[]> {
    const results = new Map<number, Row[] | CalmcpError>();
    let open = paths.map((_path, index) => index);
    let size = BATCH_SIZE;
    for (let tries = 1; open.length > 0; tries++) {
      const throttled: { readonly index: number; readonly error: CalmcpError }[] = [];
      for (let at = 0; at < open.length; at += size) {
        const chunk = open.slice(at, at + size);
        const answers = await postBatch(
          chunk.map((index) => paths[index] ?? ''),
          call,
        );
        const settle = async (index: number, position: number): Promise<void> => {
          const answer = answers.get(String(position));
          try {
            if (answer === undefined)
              throw new CalmcpError('BAD_RESPONSE', `${root.host} left out a part of its answer`, { account });
            if (answer.status >= 300) throw errorOf(answer);
            results.set(index, await readToEnd(parsePage<Row>(answer.body), call));
          } catch (thrown) {
            if (!(thrown instanceof CalmcpError)) throw thrown;
            results.set(index, thrown);
            if (answer?.status === 429 || answer?.status === 503) throttled.push({ index, error: thrown });
          }
        };
        await Promise.all(chunk.map(settle));
      }
      const wait = Math.max(...throttled.map(({ error }) => error.retryAfterMs ?? 1_000 * 2 ** (tries - 1)), 0);
      if (throttled.length === 0 || tries >= 5 || performance.now() + wait >= call.deadline) break;
      await pause(wait, call.signal);
      open = throttled.map(({ index }) => index);
      size = BATCH_PARALLEL;
    }
    return paths.map((_path, index) => results.get(index) as Row[] | CalmcpError);
  }

  return {
    list,
    post,
    async listMany<Row>(paths: readonly string[], call: Call) {
      // Up to four run side by side as they are; from there on a batch asks for less.
      if (paths.length > BATCH_PARALLEL) return runBatch<Row>(paths, call);
      return Promise.all(
        paths.map((path) =>
          list<Row>(path, call).catch((thrown: unknown) => {
            if (thrown instanceof CalmcpError) return thrown;
            throw thrown;
          }),
        ),
      );
    },
  };
}
