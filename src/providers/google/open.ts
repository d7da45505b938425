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
import { createGoogleClient, type RequestKind } from './client.ts';
import {
  CALENDAR_FIELDS,
  EVENT_FIELDS,
  EVENT_TYPES,
  FULL_EVENT_FIELDS,
  mapBlock,
  mapCalendar,
  mapEvent,
} from './map.ts';
import { endpointsOf, type GoogleOptions } from './options.ts';
import { chunkCalendars, chunkTime, joinParts, readAnswer, requestOf, type Told, type Wording } from './people.ts';

/** Largest pages: https://developers.google.com/workspace/calendar/api/v3/reference/events/list */
const EVENTS_PAGE = 2_500;
const CALENDARS_PAGE = 250;
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

export function openGoogle(options: GoogleOptions, context: ProviderContext, tokens: RequestTokens): CalendarProvider {
  const { account, access, now } = context;
  const client = createGoogleClient(endpointsOf(options).calendar, context, tokens);

  async function readEvents(calendar: Calendar, range: Range, call: Call, depth: ReadDepth): Promise<CalendarRead> {
    const asOf = now().epochMilliseconds;
    const { start, end } = padded(range);
    const pages = await client.pages('calendar#events', call, (api, pageToken, request) =>
      api.events.list(
        {
          calendarId: calendar.id,
          timeMin: new Date(start).toISOString(),
          timeMax: new Date(end).toISOString(),
          singleEvents: true,
          showDeleted: false,
          showHiddenInvitations: false,
          eventTypes: EVENT_TYPES,
          maxResults: EVENTS_PAGE,
          fields: depth === 'full' ? FULL_EVENT_FIELDS : EVENT_FIELDS,
          ...(pageToken === undefined ? {} : { pageToken }),
        },
        request,
      ),
    );
    const rows = pages.flatMap(({ items }) => items ?? []);
    return { calendar, asOf, events: rows.map((row) => mapEvent(row, { account, calendar })) };
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
          const answer = await client
            .request(
              call,
              (api, request) => api.freebusy.query({ requestBody: requestOf(chunk, window) }, request),
              kind,
            )
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
        hint: options.tokenCommand === undefined ? `${tokens.remedy}, and leave every box ticked` : tokens.remedy,
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
      const pages = await client.pages('calendar#calendarList', call, (api, pageToken, request) =>
        api.calendarList.list(
          {
            maxResults: CALENDARS_PAGE,
            showHidden: true,
            fields: CALENDAR_FIELDS,
            ...(pageToken === undefined ? {} : { pageToken }),
          },
          request,
        ),
      );
      return pages
        .flatMap(({ items }) => items ?? [])
        .filter(({ deleted }) => deleted !== true)
        .map((row) => mapCalendar(row, account));
    },
    async readCalendars(calendars, range, call, depth = 'agenda') {
      if (access !== 'busy')
        return Promise.all(
          calendars.map((calendar) =>
            readEvents(calendar, range, call, depth).catch((thrown: unknown) => ({ calendar, error: failure(thrown) })),
          ),
        );
      return readBusy(calendars, range, call).catch((thrown: unknown) =>
        calendars.map((calendar) => ({ calendar, error: failure(thrown) })),
      );
    },
    freeBusy,
  };
}
