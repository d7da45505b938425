import type { Span } from '../../core/chunks.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, Range } from '../../core/event.ts';
import type {
  CalendarProvider,
  CalendarRead,
  Call,
  PersonBusy,
  ProviderContext,
  ReadDepth,
} from '../../core/provider.ts';
import { DAY } from '../../core/time.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { cloudOf } from './cloud.ts';
import { createGraph } from './graph.ts';
import {
  CALENDAR_FIELDS,
  EVENT_FIELDS,
  FULL_EVENT_FIELDS,
  type GraphCalendar,
  type GraphEvent,
  mapCalendar,
  mapEvent,
} from './map.ts';
import type { MicrosoftOptions } from './options.ts';
import {
  chunkPeople,
  chunkTime,
  halve,
  joinBlocks,
  joinParts,
  keyOf,
  readSchedules,
  requestOf,
  type Told,
  toldOf,
} from './schedule.ts';
import { scopesOf } from './scopes.ts';

/** Largest page of a calendar view: https://learn.microsoft.com/graph/api/calendar-list-calendarview */
const PAGE_SIZE = 1_000;

/**
 * Where personal accounts are, by name and by id: they have no free/busy.
 * @see https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference#payload-claims (tid)
 */
const CONSUMERS = ['consumers', '9188040d-6c67-4c5b-b112-36a304b66dad'];

function viewPath({ id }: Calendar, range: Range, depth: ReadDepth): string {
  const query = new URLSearchParams({
    // A day more on both sides: all-day events are placed in UTC here and belong to civil days (T12).
    startDateTime: new Date(range.start - DAY).toISOString(),
    endDateTime: new Date(range.end + DAY).toISOString(),
    $select: (depth === 'full' ? FULL_EVENT_FIELDS : EVENT_FIELDS).join(','),
    $top: String(PAGE_SIZE),
  });
  return `/me/calendars/${encodeURIComponent(id)}/calendarView?${query}`;
}

export function openMicrosoft(
  options: MicrosoftOptions,
  context: ProviderContext,
  tokens: RequestTokens,
): CalendarProvider {
  const { account, access, now } = context;
  const graph = createGraph(cloudOf(options).graph, context, scopesOf(access).join(' '), tokens);

  async function ask(people: readonly string[], window: Span, call: Call): Promise<Map<string, Told>> {
    const body = await graph.post('/me/calendar/getSchedule', requestOf(people, window), call);
    return readSchedules(body, people, account);
  }

  const failure = (thrown: unknown): CalmcpError => {
    if (thrown instanceof CalmcpError) return thrown;
    throw thrown;
  };

  /** Whoever has more in a window than an answer may hold is asked about half by half, down to a day. */
  async function askInFull(people: readonly string[], window: Span, call: Call): Promise<Map<string, Told>> {
    const answer = await ask(people, window, call);
    const halves = halve(window);
    if (halves === undefined) return answer;
    for (const [key, told] of answer) {
      if (!('tooMuch' in told && told.tooMuch)) continue;
      const parts: Told[] = [];
      for (const half of halves) {
        const part = await askInFull([key], half, call).catch(failure);
        parts.push(part instanceof CalmcpError ? { error: part } : toldOf(part, key));
        // What is missing in one half is missing in the whole: no need for the other one.
        if (parts.some((each) => 'error' in each)) break;
      }
      answer.set(key, joinParts(parts));
    }
    return answer;
  }

  async function freeBusy(people: readonly string[], range: Range, call: Call): Promise<PersonBusy[]> {
    const answers = await Promise.all(
      chunkPeople(people).flatMap((chunk) =>
        chunkTime(range).map(async (window) => ({
          keys: chunk.map(keyOf),
          answer: await askInFull(chunk, window, call).catch(failure),
        })),
      ),
    );
    const errors = answers.flatMap(({ answer }) => (answer instanceof CalmcpError ? [answer] : []));
    if (errors[0] !== undefined && errors.length === answers.length) throw errors[0];
    return people.map((person): PersonBusy => {
      const key = keyOf(person);
      const whole = joinParts(
        answers
          .filter(({ keys }) => keys.includes(key))
          .map(({ answer }) => (answer instanceof CalmcpError ? { error: answer } : toldOf(answer, key))),
      );
      if ('error' in whole) return { person, error: whole.error };
      return { person, blocks: joinBlocks(whole.blocks, range) };
    });
  }

  return {
    ...(CONSUMERS.includes(options.tenantId.toLowerCase()) ? {} : { freeBusy }),
    async listCalendars(call) {
      const query = new URLSearchParams({ $select: CALENDAR_FIELDS.join(','), $top: '100' });
      const rows = await graph.list<GraphCalendar>(`/me/calendars?${query}`, call);
      // Whose mailbox this is, its default calendar tells.
      const mine = rows.find(({ isDefaultCalendar }) => isDefaultCalendar === true)?.owner?.address;
      return rows.map((row) => mapCalendar(row, account, mine ?? undefined));
    },
    async readCalendars(calendars, range, call, depth = 'agenda') {
      const asOf = now().epochMilliseconds;
      const lists = await graph.listMany<GraphEvent>(
        calendars.map((calendar) => viewPath(calendar, range, depth)),
        call,
      );
      return calendars.map((calendar, index): CalendarRead => {
        const rows = lists[index];
        if (rows === undefined || rows instanceof CalmcpError)
          return { calendar, error: rows ?? new CalmcpError('INTERNAL', 'not read', { account }) };
        try {
          return { calendar, asOf, events: rows.map((row) => mapEvent(row, { account, calendar })) };
        } catch (thrown) {
          if (thrown instanceof CalmcpError) return { calendar, error: thrown };
          throw thrown;
        }
      });
    },
  };
}
