/**
 * A mailbox through its child MCP server. The answers have the shape of Graph's, so everything after them is as on the direct
 * way.
 *
 * What is different: ids are those that change when an event moves to another folder, as no header can be asked for; and
 * nothing tells how long to wait after "too many requests". Which version an event must have to be changed, it cannot be told either;
 * to be deleted, it can.
 */
import type { ChildAnswer, ChildServer } from '../../core/child.ts';
import type { Span } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { Call, ProviderContext } from '../../core/provider.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { createChildCaller } from '../../io/child-caller.ts';
import { codeOfStatus, type HttpFailure } from '../../io/http.ts';
import { explain } from './graph-refusals.ts';
import { type AnswerVerb, CALENDARS_PAGE, type EventAddress, fieldsOf, type Mailbox, VIEW_PAGE } from './mailbox.ts';
import { CALENDAR_FIELDS, type GraphCalendar, type GraphEvent, STORED_EVENT_FIELDS } from './map.ts';
import { parsePage, readToEnd } from './pages.ts';
import { requestOf } from './schedule.ts';
import { scopesOf } from './scopes.ts';

/** They take no calendar: the whole mailbox is looked through. */
const ANSWER_TOOLS = {
  accept: 'accept-calendar-event',
  tentativelyAccept: 'tentatively-accept-calendar-event',
  decline: 'decline-calendar-event',
} as const satisfies Record<AnswerVerb, string>;

/** Graph's own words in the child's error: "Microsoft Graph API error: 404 Not Found - {…}". */
function failureOf({ text, meta }: ChildAnswer): HttpFailure | undefined {
  const { http_status: status } = meta;
  if (typeof status !== 'number') return undefined;
  const said = errorText(text);
  // It appends a sentence of its own to some.
  const body = said.slice(Math.max(0, said.indexOf('{')), said.lastIndexOf('}') + 1);
  return { status, headers: new Headers(), body };
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
    // Of the MCP library in it: it has asked nobody.
    if (/^MCP error -32602\b/.test(answer.text))
      throw new CalmcpError('INPUT_INVALID', 'its child server does not take this', {
        hint: 'leave out child: for this account to ask Microsoft directly',
      });
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
  oneByOne: boolean,
): Mailbox {
  const { account, access } = context;
  const ask = createChildCaller({
    patience: context.patience,
    child,
    oneByOne,
    tokens,
    read: readAnswer,
    explain: (error) => explain(error, account, scopesOf(access).join(' '), tokens.remedy),
  });

  const HOST = 'its child server';

  async function list<Row>(tool: string, input: Readonly<Record<string, unknown>>, call: Call): Promise<Row[]> {
    const page = async (next?: string) =>
      parsePage<Row>(
        await ask.read(tool, { ...input, ...(next === undefined ? {} : { skiptoken: next }) }, call),
        HOST,
        account,
      );
    return readToEnd(await page(), page, HOST, account);
  }

  const view = (
    { id }: Calendar,
    { start, end }: Span,
    fields: readonly string[],
    call: Call,
  ): Promise<GraphEvent[]> => {
    const times = { startDateTime: new Date(start).toISOString(), endDateTime: new Date(end).toISOString() };
    const input = { calendarId: id, ...times, select: fields.join(','), top: VIEW_PAGE };
    return list<GraphEvent>('get-specific-calendar-view', input, call);
  };

  const placed = ({ calendar, id }: EventAddress) => ({ calendarId: calendar.id, eventId: id });

  /** Once more where nobody knows whether it was done: its `transactionId` makes it one event all the same. */
  async function createTwice(input: Readonly<Record<string, unknown>>, call: Call): Promise<GraphEvent> {
    const once = async (): Promise<GraphEvent> =>
      (await ask.write('create-specific-calendar-event', input, call)) as GraphEvent;
    try {
      return await once();
    } catch (thrown) {
      const isLost = thrown instanceof CalmcpError && thrown.code === 'UNAVAILABLE';
      if (!isLost || call.signal.aborted || performance.now() >= call.deadline) throw thrown;
      return once();
    }
  }

  return {
    viaChild: true,
    calendars: (call, fields = []) =>
      list<GraphCalendar>(
        'list-calendars',
        { select: [...CALENDAR_FIELDS, ...fields].join(','), top: CALENDARS_PAGE },
        call,
      ),
    views: (calendars, window, depth, call) =>
      Promise.all(
        calendars.map((calendar) =>
          view(calendar, window, fieldsOf(depth), call).catch((thrown: unknown) => {
            if (thrown instanceof CalmcpError) return thrown;
            throw thrown;
          }),
        ),
      ),
    view,
    schedule: (people, window, call) => ask.read('get-schedule', { body: requestOf(people, window) }, call),
    event: async (address, call, fields = STORED_EVENT_FIELDS) =>
      (await ask.read(
        'get-specific-calendar-event',
        { ...placed(address), select: fields.join(',') },
        call,
      )) as GraphEvent,
    // No `markup`: it asks for texts without, and nothing that is sent says otherwise.
    create: ({ id }, body, call) => createTwice({ calendarId: id, body }, call),
    // Its tool takes no header: what was read just before is all that tells of another version.
    change: async (address, body, _version, call) =>
      (await ask.write('update-specific-calendar-event', { ...placed(address), body }, call)) as GraphEvent,
    async remove(address, version, call) {
      await ask.write('delete-specific-calendar-event', { ...placed(address), 'If-Match': `W/"${version}"` }, call);
    },
    async answer({ id }, verb, body, call) {
      await ask.write(ANSWER_TOOLS[verb], { eventId: id, body }, call);
    },
    close: () => child.close(),
  };
}
