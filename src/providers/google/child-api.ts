/**
 * The Calendar API through a child MCP server. Its answers have the shape of Google's, so everything after them is as on the
 * direct way.
 *
 * What it leaves out has to be found out, as it does not say so itself: it reads one page of 250 events and passes no page
 * token on. So a full page is read again in two halves, and what free/busy says of the same time must be among the events.
 */
import type { ChildSpec } from '../../core/child.ts';
import type { Span } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import { type Intervals, intersect, interval, pairsOf, subtract, unionOf } from '../../core/intervals.ts';
import type { Call, ProviderContext, ReadDepth } from '../../core/provider.ts';
import { parseZone, type ZoneClock, zoneClock } from '../../core/time.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { createChildCaller } from '../../io/child-caller.ts';
import type { CalendarApi, EventsRead } from './calendar-api.ts';
import { openChildEvents } from './child-events.ts';
import { readText } from './child-refusals.ts';
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

/**
 * The time that events make busy, whole days on the clock of their calendar. What is transparent explains no busy time: a
 * working location lasts all day, and anything could be hidden behind it.
 */
function busyOf(rows: readonly GoogleEvent[], { startOfDay }: ZoneClock): Intervals {
  const moment = (time: GoogleEvent['start']): number =>
    time?.date ? startOfDay(time.date) : Date.parse(time?.dateTime ?? '');
  const spans = rows
    .filter(({ transparency }) => transparency !== 'transparent')
    .map(({ start, end }) => [moment(start), moment(end)] as const)
    .filter(([start, end]) => end > start);
  return unionOf(
    spans.map(([start]) => start),
    spans.map(([, end]) => end),
  );
}

type BusyEntry = calendar_v3.Schema$FreeBusyCalendar;

/**
 * Whether Google did not answer at all. The server then says "not found", as Google does of a calendar that it does not
 * know, but Google names the domain of its errors: queryFreeBusyMultiAccount in 2.6.3.
 */
const isExcuse = ({ errors }: BusyEntry): boolean => Array.isArray(errors) && errors.some(({ domain }) => !domain);

const WORDING = { message: 'Google does not tell the busy times of this calendar' };

const onceEach = (rows: readonly GoogleEvent[]): GoogleEvent[] => [
  ...new Map(rows.map((row) => [row.id, row])).values(),
];

export function openChildApi(spec: ChildSpec, context: ProviderContext, tokens: RequestTokens): CalendarApi {
  const { account } = context;
  const child = context.children.open(spec);
  /** Of calendars, as their list tells. */
  const zones = new Map<string, string>();
  const call = createChildCaller({
    patience: context.patience,
    child,
    tokens,
    read: readText,
    explain: (error) => {
      const isForSignIn = error.code === 'AUTH_REQUIRED' || error.code === 'FORBIDDEN';
      const hint = error.hint ?? (isForSignIn ? tokens.remedy : undefined);
      return new CalmcpError(error.code, error.message, { hint, cause: error.cause }).of(account);
    },
  });
  const ask = (tool: string, input: Readonly<Record<string, unknown>>, asker: Call): Promise<unknown> =>
    call.read(tool, { account, ...input }, asker);

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
      // What has no duration and lies right in the middle would be in neither: Google's bounds exclude.
      list(id, { start, end: middle + SECOND }, asker),
      list(id, { start: middle, end }, asker),
    ]);
    // What goes on over the middle is in both.
    return onceEach(halves.flat());
  }

  async function askBusyOnce(ids: readonly string[], window: Span, asker: Call): Promise<[string, BusyEntry][]> {
    const body = await ask('get-freebusy', { calendars: ids.map((id) => ({ id })), ...timesOf(window) }, asker);
    const { calendars } = (body ?? {}) as { calendars?: Record<string, BusyEntry> };
    if (typeof calendars !== 'object' || calendars === null)
      throw new CalmcpError('BAD_RESPONSE', 'its child server answered without busy times', { account });
    return Object.entries(calendars);
  }

  /** Says "not found" only where Google did. @throws CalmcpError where Google did not answer */
  async function askBusy(
    ids: readonly string[],
    window: Span,
    asker: Call,
  ): Promise<calendar_v3.Schema$FreeBusyResponse> {
    let entries = await askBusyOnce(ids, window, asker);
    if (entries.length > 0 && entries.every(([, entry]) => isExcuse(entry))) {
      // It does not say why. Another question does: a token that is refused is replaced on the way.
      await ask('list-calendars', {}, asker).catch((thrown: unknown) => {
        // With access: busy it is not allowed, and that is no reason.
        if (!(thrown instanceof CalmcpError) || thrown.code !== 'FORBIDDEN') throw thrown;
      });
      entries = await askBusyOnce(ids, window, asker);
      if (entries.every(([, entry]) => isExcuse(entry)))
        throw new CalmcpError('UNAVAILABLE', 'its child server got no busy times from Google', { account });
    }
    const told = entries.map(([id, entry]) => [
      id,
      isExcuse(entry) ? { ...entry, errors: [{ reason: 'unknown' }] } : entry,
    ]);
    return { kind: 'calendar#freeBusy', calendars: Object.fromEntries(told) };
  }

  /** All that is busy; nothing where Google does not tell that of this calendar. @throws CalmcpError */
  async function busyTime(id: string, window: Span, asker: Call): Promise<Intervals> {
    const told = await Promise.all(
      chunkTime(window).map(async (part) =>
        readAnswer(await askBusy([id], part, asker), [id], account, { notFound: WORDING, failed: WORDING }).get(id),
      ),
    );
    const spans = told.flatMap((one) => {
      if (one === undefined) return [];
      if ('spans' in one) return one.spans;
      if (one.error.code === 'NOT_FOUND') return [];
      throw one.error;
    });
    return unionOf(
      spans.map(({ start }) => start),
      spans.map(({ end }) => end),
    );
  }

  /** Reads again what Google calls busy and nothing that was read explains, as long as that brings anything. */
  async function complete(id: string, first: GoogleEvent[], busy: Intervals, asker: Call): Promise<EventsRead> {
    const clock = zoneClock(zones.get(id) ?? context.timeZone);
    let rows = first;
    for (;;) {
      const missing = subtract(busy, busyOf(rows, clock));
      if (missing.length === 0) return { rows };
      const again = await Promise.all([...pairsOf(missing)].map(([start, end]) => list(id, { start, end }, asker)));
      const more = onceEach([...rows, ...again.flat()]);
      if (more.length === rows.length) break;
      rows = more;
    }
    return {
      rows,
      problems: [
        new CalmcpError(
          'BAD_RESPONSE',
          'its child server leaves out events: Google says that more of this time is busy',
          { account },
        ),
      ],
    };
  }

  async function readEvents({ id }: Calendar, window: Span, depth: ReadDepth, asker: Call): Promise<EventsRead> {
    // It takes what has no @ for the name of a calendar, and looks for one that is called so.
    if (!id.includes('@'))
      throw new CalmcpError('BAD_RESPONSE', 'Google sent a calendar with an id of another kind', { account });
    const [first, busy] = await Promise.all([
      list(id, window, asker),
      busyTime(id, window, asker).catch((thrown: unknown) => {
        if (thrown instanceof CalmcpError) return thrown;
        throw thrown;
      }),
    ]);
    if (busy instanceof CalmcpError) {
      // What is no list at all, a proxy's web page for instance, comes out of it as an empty one.
      if (first.length === 0) throw busy;
      const unsure = new CalmcpError(busy.code, 'whether its child server told all events could not be found out', {
        account,
        cause: busy,
      });
      return { rows: first.map((row) => trim(row, depth)), problems: [unsure] };
    }
    const read = await complete(id, first, intersect(busy, interval(window.start, window.end)), asker);
    return { ...read, rows: read.rows.map((row) => trim(row, depth)) };
  }

  return {
    ...openChildEvents(account, call),
    async calendars(asker) {
      const rows = rowsOf<GoogleCalendar>(await ask('list-calendars', {}, asker), 'calendars');
      // What is no list at all comes out of it as an empty one; everybody has a calendar of their own.
      if (!rows.some(({ primary }) => primary === true))
        throw new CalmcpError('BAD_RESPONSE', 'its child server answered without the calendars of this account', {
          account,
        });
      for (const { id, timeZone } of rows) {
        const zone = parseZone(timeZone ?? '');
        if (id && zone !== null) zones.set(id, zone);
      }
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
    // It takes one calendar at a time, and gives no sync tokens.
    eventsOf: (calendars, window, depth, asker) =>
      Promise.all(
        calendars.map((calendar) =>
          readEvents(calendar, window, depth, asker).catch((thrown: unknown) => {
            if (thrown instanceof CalmcpError) return thrown;
            throw thrown;
          }),
        ),
      ),
    freeBusy: (ids, window, _kind, asker) => askBusy(ids, window, asker),
    close: () => child.close(),
  };
}
