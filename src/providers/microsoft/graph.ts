/** Microsoft Graph over HTTP: pages to their end, batches, and Graph's errors in calmcp's words. */
import { CalmcpError } from '../../core/errors.ts';
import type { Call, HttpAnswer, ProviderContext, RequestTraits } from '../../core/provider.ts';
import { type RequestTokens, sendWithToken } from '../../io/access-tokens.ts';
import { askInBatches } from '../../io/batches.ts';
import { type HttpFailure, httpError, readJson } from '../../io/http.ts';
import { explain } from './graph-refusals.ts';
import { type Page, parsePage, readToEnd } from './pages.ts';

/** Sub-requests in one `$batch`: https://learn.microsoft.com/graph/json-batching#batch-size-limitations */
const BATCH_SIZE = 20;
/** Graph runs this many sub-requests of one batch for one mailbox at once, and throttles more in bad times. */
const BATCH_PARALLEL = 4;

/**
 * Ids that survive a move between folders, times in UTC, texts without markup: asked for on every single request, as Graph answers
 * with other ids and local times where one lacks it.
 */
const PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"';
const PREFER_MARKUP = PREFER.replace('"text"', '"html"');

export interface Graph {
  /** All rows of a list. `path` is relative to the version, `/me/calendars?$top=100`. */
  list<Row>(path: string, call: Call): Promise<Row[]>;
  /** Several lists with as few requests as may be; each is its rows or its error, in the order of `paths`. */
  listMany<Row>(paths: readonly string[], call: Call): Promise<(Row[] | CalmcpError)[]>;
  /** One thing. @param markup with texts as they are stored */
  read(path: string, call: Call, markup?: boolean): Promise<unknown>;
  /** A question that takes a body. It changes nothing there, so it is asked again like any other. */
  post(path: string, body: unknown, call: Call): Promise<unknown>;
  /** Changes something. @returns what Graph answers, if anything */
  write(change: GraphChange, call: Call): Promise<unknown>;
}

export interface GraphChange {
  readonly method: 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  /** The `changeKey` of the version that may be changed. */
  readonly version?: string;
  /** Done twice it is done once, so it may be asked again like a question. */
  readonly repeatable?: boolean;
}

interface BatchAnswer {
  readonly id: string;
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export function createGraph(base: string, context: ProviderContext, scope: string, tokens: RequestTokens): Graph {
  const root = new URL(`${base}/v1.0/`);
  const { account } = context;

  async function sendWith(
    token: string,
    url: URL,
    init: RequestInit,
    call: Call,
    traits: RequestTraits,
  ): Promise<HttpAnswer> {
    const headers = { ...init.headers, authorization: `Bearer ${token}`, accept: 'application/json' };
    const response = await context.fetch(call, traits)(url, { ...init, headers });
    if (response.status >= 300)
      throw new CalmcpError('BAD_RESPONSE', `${url.host} answered with a redirect, which is not followed`);
    return response;
  }

  /** Sends one request; a token that is refused though it should be good is refreshed once. */
  async function send(url: URL, init: RequestInit, call: Call, traits: RequestTraits): Promise<HttpAnswer> {
    try {
      return await sendWithToken(
        tokens,
        (token) => sendWith(token, url, init, call, traits),
        (error) => explain(error, account, scope, tokens.remedy),
      );
    } catch (thrown) {
      throw describe(thrown);
    }
  }

  const describe = (thrown: unknown): unknown =>
    thrown instanceof CalmcpError && thrown.account === undefined
      ? explain(thrown, account, scope, tokens.remedy)
      : thrown;

  function jsonOf(answer: HttpAnswer, { host }: URL): unknown {
    try {
      return readJson(answer, host);
    } catch (thrown) {
      throw describe(thrown);
    }
  }

  async function ask(url: URL, init: RequestInit, call: Call, after?: CalmcpError): Promise<unknown> {
    const response = await send(url, init, call, { safe: true, after });
    return jsonOf(response, url);
  }

  const get = (url: URL, call: Call, prefer = PREFER, after?: CalmcpError): Promise<unknown> =>
    ask(url, { headers: { prefer } }, call, after);

  /** @throws CalmcpError BAD_RESPONSE for what is no list, and for a next page anywhere but at the configured Graph */
  function pageOf<Row>(body: unknown): Page<Row> {
    const page = parsePage<Row>(body, root.host, account);
    if (page.next === undefined) return page;
    const next = URL.canParse(page.next) ? new URL(page.next) : undefined;
    if (next?.origin !== root.origin || !next.pathname.startsWith(root.pathname))
      throw new CalmcpError(
        'BAD_RESPONSE',
        `the next page of the answer lies at ${next === undefined ? 'no valid address' : next.host}, not at ${root.host}: it was not asked for`,
        {
          account,
          hint: 'something between you and Microsoft changes its answers; do not sign in again before you know what',
        },
      );
    return { ...page, next: next.href };
  }

  const failure = (thrown: unknown): CalmcpError => {
    if (thrown instanceof CalmcpError) return thrown;
    throw thrown;
  };

  const rowsFrom = async <Row>(body: unknown, call: Call): Promise<Row[]> =>
    readToEnd(pageOf<Row>(body), async (next) => pageOf<Row>(await get(new URL(next), call)), root.host, account);

  const resolve = (path: string): URL => new URL(path.replace(/^\//, ''), root);

  async function list<Row>(path: string, call: Call): Promise<Row[]> {
    return rowsFrom<Row>(await get(resolve(path), call), call);
  }

  async function write({ method, path, body, version, repeatable }: GraphChange, call: Call): Promise<unknown> {
    const headers = {
      prefer: PREFER,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      // Exchange compares it: 412 is ErrorIrresolvableConflict. The etag of an event is its changeKey.
      ...(version === undefined ? {} : { 'if-match': `W/"${version}"` }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const url = resolve(path);
    const response = await send(url, init, call, repeatable ? { safe: true } : {});
    return response.body.byteLength === 0 ? undefined : jsonOf(response, url);
  }

  function post(path: string, body: unknown, call: Call): Promise<unknown> {
    const headers = { 'content-type': 'application/json', prefer: PREFER };
    return ask(resolve(path), { method: 'POST', body: JSON.stringify(body), headers }, call);
  }

  /** @throws CalmcpError when the batch as a whole fails */
  async function sendBatch(
    paths: readonly string[],
    token: string,
    call: Call,
  ): Promise<(Pick<BatchAnswer, 'body'> | CalmcpError)[]> {
    const requests = paths.map((url, id) => ({ id: String(id), method: 'GET', url, headers: { Prefer: PREFER } }));
    const headers = { 'content-type': 'application/json', prefer: PREFER };
    const init = { method: 'POST', body: JSON.stringify({ requests }), headers };
    const weight = Math.min(BATCH_PARALLEL, paths.length);
    const response = await sendWith(token, resolve('/$batch'), init, call, { weight, cost: paths.length, safe: true });
    const body = readJson(response, root.host);
    const { responses } = (body ?? {}) as { responses?: readonly (BatchAnswer | null)[] };
    if (!Array.isArray(responses))
      throw new CalmcpError('BAD_RESPONSE', `${root.host} answered a batch without answers`, { account });
    const answers = new Map(responses.map((answer) => [answer?.id, answer]));
    return requests.map(({ id }) => {
      const answer = answers.get(id) ?? undefined;
      if (answer === undefined)
        return new CalmcpError('BAD_RESPONSE', `${root.host} left out a part of its answer`, { account });
      return answer.status >= 200 && answer.status < 300 ? { body: answer.body } : errorOf(answer);
    });
  }

  function errorOf({ status, headers = {}, body }: BatchAnswer): CalmcpError {
    const failure: HttpFailure = { status, headers: new Headers(headers), body: JSON.stringify(body ?? null) };
    return explain(httpError(root.host, failure), account, scope, tokens.remedy);
  }

  return {
    list,
    post,
    write,
    read: (path, call, markup) => get(resolve(path), call, markup ? PREFER_MARKUP : PREFER),
    async listMany<Row>(paths: readonly string[], call: Call) {
      const pathAt = (place: number): string => paths[place] ?? '';
      const firsts = await askInBatches<Pick<BatchAnswer, 'body'>>(paths.length, {
        most: BATCH_SIZE,
        tokens,
        explain: (error) => explain(error, account, scope, tokens.remedy),
        send: (places, token) => sendBatch(places.map(pathAt), token, call),
        alone: async (place, after) => ({ body: await get(resolve(pathAt(place)), call, PREFER, after) }),
      });
      return Promise.all(
        firsts.map(async (first) =>
          first instanceof CalmcpError ? first : rowsFrom<Row>(first.body, call).catch(failure),
        ),
      );
    },
  };
}
