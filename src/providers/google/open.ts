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
import type { CalendarApi } from './calendar-api.ts';
import type { RequestKind } from './client.ts';
import { mapBlock, mapCalendar, mapEvent } from './map.ts';
import { chunkCalendars, chunkTime, joinParts, readAnswer, type Told, type Wording } from './people.ts';
import { createWriter } from './writer.ts';

/** A day more on both sides: all-day events belong to civil days, and lie elsewhere on Google's clock (T12). */
const padded = (range: Range): Span => ({ start: range.start - DAY, end: range.end + DAY });

const OWN: Wording = {
  notFound: { message: 'Google does not tell the busy times of this calendar' },
  failed: { message: 'Google does not tell the busy times of this calendar' },
};

const OTHERS: Wording = {
  notFound: {
    message: 'Google shows no calendar of this person to this account',
    hint: 'check the address; the person must share busy times with you',
  },
  failed: { message: 'Google cannot tell the busy times of this person now', hint: 'try again later' },
};

/** Addresses are compared without regard to case. */
const addressOf = (person: string): string => person.trim().toLowerCase();

function toldOf(answer: ReadonlyMap<string, Told>, id: string): Told {
  const told = answer.get(id);
  if (told === undefined) throw new TypeError('a calendar was not asked about');
  return told;
}

/** @param remedy what a person does when the sign-in does not cover the busy times of others */
export function openGoogle(
  { account, access, now }: Pick<ProviderContext, 'account' | 'access' | 'now'>,
  api: CalendarApi,
  remedy: string,
): CalendarProvider {
  async function readEvents(
    calendars: readonly Calendar[],
    range: Range,
    call: Call,
    depth: ReadDepth,
  ): Promise<CalendarRead[]> {
    const asOf = now().epochMilliseconds;
    const lists = await api.eventsOf(calendars, padded(range), depth, call);
    return calendars.map((calendar, index): CalendarRead => {
      const read = lists[index] ?? new CalmcpError('INTERNAL', 'not read', { account });
      if (read instanceof CalmcpError) return { calendar, error: read };
      const { rows, mark, problems = [] } = read;
      try {
        const events = rows.map((row) => mapEvent(row, { account, calendar }));
        if (problems.length > 0) return { calendar, asOf, events, problems };
        return { calendar, asOf, events, ...(mark === undefined ? {} : { mark }) };
      } catch (thrown) {
        return { calendar, error: failure(thrown) };
      }
    });
  }

  const failure = (thrown: unknown): CalmcpError => {
    if (thrown instanceof CalmcpError) return thrown;
    throw thrown;
  };

  /**
   * One entry for each of `ids`: its busy times in all of the range, or why there is no telling.
   * @throws CalmcpError when no request was answered
   */
  async function askBusy(
    ids: readonly string[],
    range: Span,
    call: Call,
    wording: Wording,
    kind: RequestKind,
  ): Promise<Told[]> {
    const answers = await Promise.all(
      chunkCalendars(ids).flatMap((chunk) =>
        chunkTime(range).map(async (window) => {
          const answer = await api
            .freeBusy(chunk, window, kind, call)
            .then((body) => readAnswer(body, chunk, account, wording))
            .catch(failure);
          return { chunk, answer };
        }),
      ),
    );
    const errors = answers.flatMap(({ answer }) => (answer instanceof CalmcpError ? [answer] : []));
    if (errors[0] !== undefined && errors.length === answers.length) throw errors[0];
    return ids.map((id) =>
      joinParts(
        answers
          .filter(({ chunk }) => chunk.includes(id))
          .map(({ answer }) => (answer instanceof CalmcpError ? { error: answer } : toldOf(answer, id))),
        range,
      ),
    );
  }

  /** With `access: busy` there is no more to be had than busy times, and each calendar may refuse on its own. */
  async function readBusy(calendars: readonly Calendar[], range: Range, call: Call): Promise<CalendarRead[]> {
    const asOf = now().epochMilliseconds;
    const ids = calendars.map(({ id }) => id);
    const told = await askBusy(ids, padded(range), call, OWN, { safe: true });
    return calendars.map((calendar, index): CalendarRead => {
      const own = told[index];
      if (own === undefined) throw new TypeError('a calendar was not asked about');
      if ('error' in own) return { calendar, error: own.error };
      const events = own.spans.map(({ start, end }) =>
        mapBlock({ start: new Date(start).toISOString(), end: new Date(end).toISOString() }, { account, calendar }),
      );
      return { calendar, asOf, events };
    });
  }

  async function freeBusy(people: readonly string[], range: Range, call: Call): Promise<PersonBusy[]> {
    const addresses = [...new Set(people.map(addressOf))];
    const told = await askBusy(addresses, range, call, OTHERS, {
      safe: true,
      uncovered: {
        message: 'the sign-in does not cover the busy times of other people',
        hint: remedy,
      },
    });
    return people.map((person): PersonBusy => {
      const own = told[addresses.indexOf(addressOf(person))];
      if (own === undefined) throw new TypeError('a person was not asked about');
      if ('error' in own) return { person, error: own.error };
      return { person, blocks: own.spans.map(({ start, end }) => ({ start, end, busy: 'busy' })) };
    });
  }

  return {
    async listCalendars(call) {
      // Without permission for the list there is one calendar that is known to be there.
      if (access === 'busy') return [{ id: 'primary', name: 'Primary', isDefault: true, access: 'free-busy' }];
      const rows = await api.calendars(call);
      return rows.filter(({ deleted }) => deleted !== true).map((row) => mapCalendar(row, account));
    },
    async readCalendars(calendars, range, call, depth = 'agenda') {
      const reading = access === 'busy' ? readBusy(calendars, range, call) : readEvents(calendars, range, call, depth);
      return reading.catch((thrown: unknown) => calendars.map((calendar) => ({ calendar, error: failure(thrown) })));
    },
    // Busy times have no marks.
    ...(access === 'busy' || api.stillHolds === undefined ? {} : { stillHolds: api.stillHolds }),
    freeBusy,
    ...(access === 'write' ? { writer: createWriter(account, api) } : {}),
    ...(api.close === undefined ? {} : { close: api.close }),
  };
}
