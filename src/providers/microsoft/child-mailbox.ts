/**
 * A mailbox through its child MCP server. The answers have the shape of Graph's, so everything after them is as on the direct
 * way.
 *
 * What is different: ids are those that change when an event moves to another folder, as no header can be asked for; and
 * nothing tells how long to wait after "too many requests".
 */
import type { ChildAnswer, ChildServer } from '../../core/child.ts';
import type { Span } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { Call, ProviderContext, ReadDepth } from '../../core/provider.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { createChildCaller } from '../../io/child-caller.ts';
import { codeOfStatus, type HttpFailure } from '../../io/http.ts';
import { explain } from './graph.ts';
import { CALENDARS_PAGE, fieldsOf, type Mailbox, VIEW_PAGE } from './mailbox.ts';
import { CALENDAR_FIELDS, type GraphCalendar, type GraphEvent } from './map.ts';
import { requestOf } from './schedule.ts';
import { scopesOf } from './scopes.ts';

/** A list longer than this many pages is a loop. */
const MAX_PAGES = 1_000;

/** Graph's own words in the child's error: "Microsoft Graph API error: 404 Not Found - {…}". */
function failureOf({ text, meta }: ChildAnswer): HttpFailure | undefined {
  const { http_status: status } = meta;
  if (typeof status !== 'number') return undefined;
  const said = errorText(text);
  return { status, headers: new Headers(), body: said.slice(Math.max(0, said.indexOf('{'))) };
}

function errorText(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    return typeof error === 'string' ? error : text;
  } catch {
    return text;
  }
}

/** @throws CalmcpError with `{ status }` as its cause where Microsoft refused */
function readAnswer(answer: ChildAnswer): unknown {
  if (answer.isError) {
    const failure = failureOf(answer);
    if (failure !== undefined)
      throw new CalmcpError(
        codeOfStatus(failure.status),
        `Microsoft refused what its child server asked (HTTP ${failure.status})`,
        { cause: failure },
      );
    // Words of the package, for want of anything better: auth.js and lib/graph-resilience.js of 0.155.0.
    if (/acquire token|No access token|No valid token|not logged in|No accounts? found/i.test(answer.text))
      throw new CalmcpError('AUTH_REQUIRED', 'its child server has no sign-in that Microsoft accepts', {
        cause: { status: 401 },
      });
    throw new CalmcpError('UNAVAILABLE', 'its child server got no answer from Microsoft', {
      hint: 'see whether it can be reached from here: calmcp doctor --account <account>',
      cause: { status: 0, body: answer.text },
    });
  }
  try {
    return JSON.parse(answer.text);
  } catch (cause) {
    throw new CalmcpError('BAD_RESPONSE', 'its child server answered with something instead of JSON', { cause });
  }
}

export function openChildMailbox(
  child: ChildServer,
  context: ProviderContext,
  tokens: RequestTokens,
  concurrency: number,
): Mailbox {
  const { account, access } = context;
  const ask = createChildCaller({
    account,
    log: context.log,
    child,
    concurrency,
    tokens,
    read: readAnswer,
    explain: (error) => explain(error, account, scopesOf(access).join(' '), tokens.remedy),
  });

  async function list<Row>(tool: string, input: Readonly<Record<string, unknown>>, call: Call): Promise<Row[]> {
    const rows: Row[] = [];
    const seen = new Set<string>();
    for (let next: string | undefined, page = 0; ; page++) {
      const body = await ask.read(tool, { ...input, ...(next === undefined ? {} : { skiptoken: next }) }, call);
      const { value, '@odata.nextLink': link } = (body ?? {}) as { value?: unknown; '@odata.nextLink'?: unknown };
      if (!Array.isArray(value))
        throw new CalmcpError('BAD_RESPONSE', 'its child server answered without a list', { account });
      for (const row of value) rows.push(row);
      if (link === undefined || link === null) return rows;
      next = String(link);
      if (seen.has(next) || page >= MAX_PAGES)
        throw new CalmcpError('BAD_RESPONSE', 'its child server keeps sending next pages without an end', { account });
      seen.add(next);
    }
  }

  async function view(
    { id }: Calendar,
    { start, end }: Span,
    depth: ReadDepth,
    call: Call,
  ): Promise<GraphEvent[] | CalmcpError> {
    try {
      const times = { startDateTime: new Date(start).toISOString(), endDateTime: new Date(end).toISOString() };
      const input = { calendarId: id, ...times, select: fieldsOf(depth), top: VIEW_PAGE };
      return await list<GraphEvent>('get-specific-calendar-view', input, call);
    } catch (thrown) {
      if (thrown instanceof CalmcpError) return thrown;
      throw thrown;
    }
  }

  return {
    calendars: (call) =>
      list<GraphCalendar>('list-calendars', { select: CALENDAR_FIELDS.join(','), top: CALENDARS_PAGE }, call),
    views: (calendars, window, depth, call) =>
      Promise.all(calendars.map((calendar) => view(calendar, window, depth, call))),
    schedule: (people, window, call) => ask.read('get-schedule', { body: requestOf(people, window) }, call),
    close: () => child.close(),
  };
}
