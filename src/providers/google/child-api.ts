/**
 * The Calendar API through a child MCP server. Its answers have the shape of Google's, so everything after them is as on the
 * direct way.
 *
 * What it leaves out has to be found out, as it does not say so itself: it reads one page of 250 events and passes no page
 * token on. So a full page is read again in two halves, and what free/busy says of the same time must be among the events.
 */
import type { ChildAnswer, ChildSpec } from '../../core/child.ts';
import type { Span } from '../../core/chunks.ts';
import { CalmcpError, type ErrorCode } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import { type Intervals, intersect, interval, NOTHING, pairsOf, subtract, unionOf } from '../../core/intervals.ts';
import type { Call, ProviderContext, ReadDepth } from '../../core/provider.ts';
import { DAY } from '../../core/time.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { createChildCaller } from '../../io/child-caller.ts';
import type { CalendarApi } from './calendar-api.ts';
import type { calendar_v3 } from './client.ts';
import type { GoogleCalendar, GoogleEvent } from './map.ts';
import { chunkTime, readAnswer } from './people.ts';

/** Events on the one page that it reads: Google's default, as it asks for no other size. */
const PAGE = 250;
/** Calendars on the one page of their list. */
const CALENDARS_PAGE = 100;
/** Time in which there are more events than that is not cut any further. */
const SHORTEST = 60_000;
const SECOND = 1_000;

/** What the server makes of Google's answers: handleGoogleApiError in 2.6.3. It has no numbers, only these words. */
const WORDS: readonly (readonly [RegExp, ErrorCode, number])[] = [
  [
    /token is invalid or expired|tokens? (?:is|are) no longer valid|Invalid Credentials|invalid authentication|UNAUTHENTICATED|No authenticated accounts|Account ".*" not found/i,
    'AUTH_REQUIRED',
    401,
  ],
  [/Rate limit exceeded|rateLimitExceeded|quota/i, 'RATE_LIMITED', 429],
  [/Access denied/i, 'FORBIDDEN', 403],
  [/Resource not found/i, 'NOT_FOUND', 404],
  [/server error|backendError/i, 'UNAVAILABLE', 503],
];

const SENTENCES: Readonly<Partial<Record<ErrorCode, string>>> = {
  AUTH_REQUIRED: 'Google no longer accepts the sign-in',
  RATE_LIMITED: 'Google asks its child server to slow down',
  FORBIDDEN: 'Google does not allow this account to read this calendar',
  NOT_FOUND: 'Google does not know what its child server asked for',
  UNAVAILABLE: 'Google is having trouble',
};

/** @throws CalmcpError */
function readText({ text, isError }: ChildAnswer): unknown {
  if (isError) {
    const [, code, status] = WORDS.find(([words]) => words.test(text)) ?? [];
    if (code !== undefined) throw new CalmcpError(code, SENTENCES[code] ?? '', { cause: { status, body: text } });
    throw new CalmcpError('UNAVAILABLE', 'its child server got no answer from Google', {
      hint: 'see what it said: calmcp children logs <account>',
      cause: { status: 0, body: text },
    });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new CalmcpError('BAD_RESPONSE', 'its child server answered with something instead of JSON', { cause });
  }
}

const instant = (epochMs: number, round: (seconds: number) => number): string =>
  new Date(round(epochMs / SECOND) * SECOND).toISOString().replace('.000Z', 'Z');

/** Full seconds around it, in UTC, so that the server has no zone to look up. */
const timesOf = ({ start, end }: Span) => ({
  timeMin: instant(start, Math.floor),
  timeMax: instant(end, Math.ceil),
  timeZone: 'UTC',
});

/** What an agenda does not ask Google for: the server asks for all of it, always. */
function trim(row: GoogleEvent, depth: ReadDepth): GoogleEvent {
  if (depth === 'full') return row;
  const { description: _text, guestsCanSeeOtherGuests: _guests, attendees, ...rest } = row;
  const own = attendees?.map(({ self, responseStatus }) => ({
    ...(self === undefined ? {} : { self }),
    ...(responseStatus === undefined ? {} : { responseStatus }),
  }));
  return own === undefined ? rest : { ...rest, attendees: own };
}

/** The time that events take, with room for whatever zone a whole day is meant in. */
function timeOf(rows: readonly GoogleEvent[]): Intervals {
  const spans = rows.map(({ start, end }) => {
    const room = start?.date ? DAY : 0;
    return [
      Date.parse(start?.date ?? start?.dateTime ?? '') - room,
      Date.parse(end?.date ?? end?.dateTime ?? '') + room,
    ] as const;
  });
  const real = spans.filter(([start, end]) => end > start);
  return unionOf(
    real.map(([start]) => start),
    real.map(([, end]) => end),
  );
}

export function openChildApi(
  spec: ChildSpec,
  context: ProviderContext,
  tokens: RequestTokens,
  concurrency: number,
): CalendarApi {
  const { account } = context;
  const child = context.children.open(spec);
  const call = createChildCaller({
    account,
    log: context.log,
    child,
    concurrency,
    tokens,
    // Google's client inside it has made its own attempts.
    repeats: false,
    read: readText,
    explain: (error) => {
      const hint = error.code === 'AUTH_REQUIRED' ? tokens.remedy : error.hint;
      return new CalmcpError(error.code, error.message, { account, hint, cause: error.cause });
    },
  });
  const ask = (tool: string, input: Readonly<Record<string, unknown>>, asker: Call): Promise<unknown> =>
    call(tool, { account, ...input }, asker);

  function rowsOf<Row>(body: unknown, name: string): Row[] {
    const { [name]: rows, totalCount, partialFailures } = (body ?? {}) as Record<string, unknown>;
    if (!Array.isArray(rows) || totalCount !== rows.length || partialFailures !== undefined)
      throw new CalmcpError('BAD_RESPONSE', 'its child server answered without a list', { account });
    return rows;
  }

  async function list(id: string, window: Span, asker: Call): Promise<GoogleEvent[]> {
    const rows = rowsOf<GoogleEvent>(await ask('list-events', { calendarId: id, ...timesOf(window) }, asker), 'events');
    if (rows.length < PAGE) return rows;
    const { start, end } = window;
    if (end - start <= SHORTEST)
      throw new CalmcpError(
        'BAD_RESPONSE',
        `more than ${PAGE} events lie in one minute: its child server reads no more`,
        {
          account,
          hint: 'leave out child: in accounts.yaml for this account',
        },
      );
    const middle = Math.ceil((start + end) / 2 / SECOND) * SECOND;
    const halves = await Promise.all([
      list(id, { start, end: middle }, asker),
      list(id, { start: middle, end }, asker),
    ]);
    // What goes on over the middle is in both.
    return [...new Map(halves.flat().map((row) => [row.id, row])).values()];
  }

  async function askBusy(
    ids: readonly string[],
    window: Span,
    asker: Call,
  ): Promise<calendar_v3.Schema$FreeBusyResponse> {
    const body = await ask('get-freebusy', { calendars: ids.map((id) => ({ id })), ...timesOf(window) }, asker);
    const { calendars } = (body ?? {}) as { calendars?: Record<string, calendar_v3.Schema$FreeBusyCalendar> };
    if (typeof calendars !== 'object' || calendars === null)
      throw new CalmcpError('BAD_RESPONSE', 'its child server answered without busy times', { account });
    return { kind: 'calendar#freeBusy', calendars };
  }

  /** All that is busy, or nothing where Google does not tell that of this calendar. */
  async function busyTime(id: string, window: Span, asker: Call): Promise<Intervals> {
    const wording = { message: '' };
    const told = await Promise.all(
      chunkTime(window).map(async (part) =>
        readAnswer(await askBusy([id], part, asker), [id], account, { notFound: wording, failed: wording }).get(id),
      ),
    );
    const spans = told.flatMap((one) => (one !== undefined && 'spans' in one ? one.spans : []));
    return unionOf(
      spans.map(({ start }) => start),
      spans.map(({ end }) => end),
    );
  }

  return {
    async calendars(asker) {
      const rows = rowsOf<GoogleCalendar>(await ask('list-calendars', {}, asker), 'calendars');
      if (rows.length < CALENDARS_PAGE) return rows;
      throw new CalmcpError(
        'BAD_RESPONSE',
        `the account has ${CALENDARS_PAGE} calendars or more: its child server reads no more`,
        {
          account,
          hint: 'leave out child: in accounts.yaml for this account',
        },
      );
    },
    async events({ id }: Calendar, window, depth, asker) {
      // It takes what has no @ for the name of a calendar, and looks for one that is called so.
      if (!id.includes('@'))
        throw new CalmcpError('BAD_RESPONSE', 'Google sent a calendar with an id of another kind', { account });
      const [first, busy] = await Promise.all([
        list(id, window, asker),
        busyTime(id, window, asker).catch((thrown: unknown) => {
          if (!(thrown instanceof CalmcpError)) throw thrown;
          return NOTHING;
        }),
      ]);
      const within = intersect(busy, interval(window.start, window.end));
      let rows = first;
      let missing = subtract(within, timeOf(rows));
      if (missing.length > 0) {
        const again = await Promise.all([...pairsOf(missing)].map(([start, end]) => list(id, { start, end }, asker)));
        rows = [...new Map([...rows, ...again.flat()].map((row) => [row.id, row])).values()];
        missing = subtract(within, timeOf(rows));
      }
      const problems =
        missing.length === 0
          ? []
          : [
              new CalmcpError(
                'BAD_RESPONSE',
                'its child server leaves out events: Google says that more of this time is busy',
                { account },
              ),
            ];
      return { rows: rows.map((row) => trim(row, depth)), problems };
    },
    async freeBusy(ids, window, _kind, asker) {
      const { calendars, ...rest } = await askBusy(ids, window, asker);
      // It says "not found" of everything that it could not ask about.
      const told = Object.entries(calendars ?? {}).map(([id, { errors, ...entry }]) => [
        id,
        { ...entry, ...(errors === undefined ? {} : { errors: [{ reason: 'unknown' }] }) },
      ]);
      return { ...rest, calendars: Object.fromEntries(told) };
    },
    close: () => child.close(),
  };
}
