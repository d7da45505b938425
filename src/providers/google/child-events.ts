/**
 * One event through the child server. Its tools are not as exact as Google: what it would do otherwise than asked is refused, and
 * nothing is sent.
 */
import { createHash } from 'node:crypto';
import { CalmcpError } from '../../core/errors.ts';
import type { Call } from '../../core/provider.ts';
import { wallTimeToEpochMs } from '../../core/time.ts';
import type { ChildCaller } from '../../io/child-caller.ts';
import { EVENT_FIELDS, TYPE_FIELDS } from './child.ts';
import { type EventApi, sendUpdates } from './event-api.ts';
import type { GoogleTime } from './event-words.ts';
import type { GoogleEvent } from './map.ts';

/** What `create-event` takes as it is: CreateEventHandler in 2.6.3. */
const CREATED: ReadonlySet<string> = new Set([...EVENT_FIELDS, ...TYPE_FIELDS]);

/** What `update-event` takes as it is; it can remove nothing: UpdateEventHandler in 2.6.3. */
const UPDATED: Readonly<Record<string, string>> = {
  summary: 'the title',
  description: 'the text',
  location: 'the location',
  colorId: 'the color',
  reminders: 'reminders',
  recurrence: 'the recurrence',
  transparency: 'whether it is busy',
  visibility: 'the sensitivity',
  conferenceData: 'the online meeting',
};

const HINT = 'leave out child: in accounts.yaml for this account';

/** Said by the server about the row, or still on its way while nobody changes anything. */
const NOT_PART = ['startDayOfWeek', 'endDayOfWeek', 'calendarId', 'accountId', 'conferenceData', 'hangoutLink', 'etag'];

/** In the order of their names, however they came. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}

/**
 * The server keeps Google's etag to itself. `updated` would not do: a change of reminders leaves it as it is.
 * @see https://developers.google.com/workspace/calendar/api/v3/reference/events#updated
 */
function versionOf(row: GoogleEvent): string {
  const parts = Object.entries(row).filter(([name]) => !NOT_PART.includes(name));
  return createHash('sha256')
    .update(JSON.stringify(sorted(Object.fromEntries(parts))))
    .digest('hex')
    .slice(0, 32);
}

const sameAddress = (one: string | null | undefined, other: string | null | undefined): boolean =>
  one?.toLowerCase() === other?.toLowerCase();

export function openChildEvents(account: string, caller: ChildCaller): EventApi {
  const beyond = (what: string, hint = HINT): CalmcpError =>
    new CalmcpError('READ_ONLY', `its child server ${what}`, { account, hint });

  async function ask(
    verb: keyof ChildCaller,
    tool: string,
    calendarId: string,
    input: Readonly<Record<string, unknown>>,
    call: Call,
  ): Promise<unknown> {
    // It takes what has no @ for the name of a calendar, and looks for one that is called so.
    if (!calendarId.includes('@'))
      throw new CalmcpError('BAD_RESPONSE', 'Google sent a calendar with an id of another kind', { account });
    return caller[verb](tool, { account, calendarId, ...input }, call);
  }

  function rowIn(body: unknown): GoogleEvent {
    const { event } = (body ?? {}) as { event?: GoogleEvent };
    if (typeof event?.id !== 'string' || event.id === '')
      throw new CalmcpError('BAD_RESPONSE', 'its child server answered without the event', { account });
    return { ...event, etag: versionOf(event) };
  }

  /** With an offset it would drop the zone, so the time goes as the clock shows it. */
  function timeInput({ date, dateTime, timeZone }: GoogleTime): string {
    if (date) return date;
    if (!timeZone) return JSON.stringify({ dateTime });
    const local = (dateTime ?? '').replace(/(?:Z|[+-]\d\d:\d\d)$/, '');
    if (wallTimeToEpochMs(local, timeZone) !== Date.parse(dateTime ?? ''))
      throw beyond('cannot tell the two hours apart that the clock shows twice');
    return JSON.stringify({ dateTime: local, timeZone });
  }

  /** It finds out itself who stays, and knows addresses alone of the others: mergeAttendees in 2.6.3. */
  function attendeesInput(row: GoogleEvent, attendees: GoogleEvent['attendees']): { readonly email: string }[] {
    return (attendees ?? []).map((one) => {
      const before = row.attendees?.find(({ email }) => sameAddress(email, one.email));
      if (before === undefined ? one.displayName !== undefined || one.optional !== undefined : before !== one)
        throw beyond('changes nothing of people who are invited, and knows them by their address alone');
      return { email: one.email ?? '' };
    });
  }

  const event: EventApi['event'] = async (calendar, eventId, call) =>
    rowIn(await ask('read', 'get-event', calendar, { eventId }, call));

  function checkChange(notify: boolean): void {
    if (notify) throw beyond('changes an event without telling those who are invited', `${HINT}, or tell nobody`);
  }

  return {
    event,
    checkChange,
    async insert(calendar, row, notify, call) {
      const { id, start, end, ...rest } = row;
      const unknown = Object.keys(rest).find((name) => !CREATED.has(name));
      if (unknown !== undefined || !start || !end) throw new TypeError(`not for the child server: ${unknown}`);
      const input = {
        ...rest,
        eventId: id,
        summary: rest.summary ?? '',
        start: timeInput(start),
        end: timeInput(end),
        // Each time has its own; without this one it would ask Google for that of the calendar.
        timeZone: 'UTC',
        sendUpdates: sendUpdates(notify),
        // What else there is at that time has been looked at, in all accounts.
        calendarsToCheck: [],
        allowDuplicates: true,
      };
      const create = async (): Promise<GoogleEvent> => rowIn(await ask('write', 'create-event', calendar, input, call));
      try {
        return await create();
      } catch (thrown) {
        // Nobody knows whether it was made. If it was, its id is taken now.
        if (!(thrown instanceof CalmcpError) || thrown.code !== 'UNAVAILABLE') throw thrown;
        call.signal.throwIfAborted();
        return create();
      }
    },
    async patch(calendar, row, change, notify, call) {
      checkChange(notify);
      const { start, end, attendees, ...rest } = change;
      for (const [name, value] of Object.entries(rest)) {
        if (!(name in UPDATED)) throw beyond('cannot change this of an event');
        if (value === null) throw beyond(`cannot remove ${UPDATED[name]} of an event`);
      }
      const input = {
        ...rest,
        eventId: row.id,
        ...(start ? { start: timeInput(start) } : {}),
        ...(end ? { end: timeInput(end) } : {}),
        ...(attendees ? { attendees: attendeesInput(row, attendees) } : {}),
        timeZone: 'UTC',
        sendUpdates: sendUpdates(notify),
        checkConflicts: false,
      };
      return rowIn(await ask('write', 'update-event', calendar, input, call));
    },
    async remove(calendar, eventId, etag, notify, call) {
      const row = await event(calendar, eventId, call);
      if (row.status === 'cancelled') throw new CalmcpError('NOT_FOUND', 'the event is deleted already', { account });
      // It sends no If-Match: this is as near as it gets.
      if (row.etag !== etag)
        throw new CalmcpError('CONFLICT', 'the event is another version by now', {
          account,
          hint: 'read it again, and decide on what it says now',
        });
      try {
        await ask('write', 'delete-event', calendar, { eventId, sendUpdates: sendUpdates(notify) }, call);
      } catch (thrown) {
        // It was there a moment ago. The server repeats a delete whose answer got lost, and is told that it is gone.
        const { status } = ((thrown as Error).cause ?? {}) as { readonly status?: unknown };
        if (status !== 410) throw thrown;
      }
    },
    async respond(calendar, row, { responseStatus, comment }, notify, call) {
      // Without a scope it takes the id as it is; with `all` it would cut it at the first underscore.
      const input = {
        eventId: row.id,
        response: responseStatus,
        ...(comment === undefined ? {} : { comment }),
        sendUpdates: sendUpdates(notify),
      };
      return rowIn(await ask('write', 'respond-to-event', calendar, input, call));
    },
  };
}
