/** The calendars of a Google account, changed. */
import { createHash } from 'node:crypto';
import type { EventWriter, StoredEvent } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar } from '../../core/event.ts';
import type { Call } from '../../core/provider.ts';
import { checkFields, isStatusType } from './check-fields.ts';
import type { EventApi } from './event-api.ts';
import type { GoogleEvent } from './map.ts';
import { storedEvent } from './stored-event.ts';
import { changedEvent, newEvent } from './to-google.ts';

/** How often an event may be deleted and made again with the same key. */
const MAX_LIVES = 3;

/** In base32hex, as ids have to be: https://developers.google.com/workspace/calendar/api/v3/reference/events#id */
function hashOf(...parts: readonly (string | number)[]): string {
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest();
  return Array.from(digest, (byte) => (byte & 31).toString(32)).join('');
}

export function createWriter(account: string, api: EventApi): EventWriter {
  const refuse = (code: 'INPUT_INVALID' | 'READ_ONLY' | 'CONFLICT', message: string, hint: string): CalmcpError =>
    new CalmcpError(code, message, { account, hint });

  const stored = (row: GoogleEvent, calendar: Calendar): StoredEvent => storedEvent(row, account, calendar);

  function requireWritable({ access }: Calendar): void {
    if (access !== 'write')
      throw refuse('READ_ONLY', 'this calendar can only be read', 'choose a calendar that this account may change');
  }

  /** As it is at this moment: what was deleted is there for a while, and says so. */
  async function current({ id: calendar }: Calendar, id: string, call: Call): Promise<GoogleEvent> {
    const row = await api.event(calendar, id, call);
    if (row?.status !== 'cancelled') return row;
    throw new CalmcpError('NOT_FOUND', 'the event is deleted', { account, hint: 'list the events again' });
  }

  /** @throws CalmcpError CONFLICT before anything is sent that Google would refuse */
  async function version(calendar: Calendar, id: string, etag: string, call: Call): Promise<GoogleEvent> {
    requireWritable(calendar);
    const row = await current(calendar, id, call);
    if (row.etag === etag) return row;
    throw refuse('CONFLICT', 'the event is another version by now', 'read it again, and decide on what it says now');
  }

  /** The event with this id, if there is one that was not deleted. */
  async function existing(calendar: Calendar, id: string, call: Call): Promise<GoogleEvent | undefined> {
    try {
      return await current(calendar, id, call);
    } catch (thrown) {
      if (thrown instanceof CalmcpError && thrown.code === 'NOT_FOUND') return undefined;
      throw thrown;
    }
  }

  function requireGuest({ attendees = [], organizer }: GoogleEvent): void {
    const own = attendees.find(({ self }) => self === true);
    if (organizer?.self === true || own?.organizer === true)
      throw refuse('INPUT_INVALID', 'the organizer does not answer an invitation', 'change the event, or delete it');
    if (own === undefined)
      throw refuse(
        'INPUT_INVALID',
        'the owner of this calendar is not invited to the event',
        'answer it in the account that is invited',
      );
  }

  return {
    check(fields, now, notify = false) {
      checkFields(fields, now);
      if (now !== undefined) api.checkChange?.(notify);
    },
    alwaysNotifies: false,
    bin: 'the bin of Google Calendar, for 30 days',
    async get(calendar, id, call) {
      return stored(await current(calendar, id, call), calendar);
    },
    async create(calendar, fields, { key, notify }, call) {
      requireWritable(calendar);
      checkFields(fields);
      if (isStatusType(fields.type) && !calendar.isDefault)
        throw refuse('INPUT_INVALID', 'only a primary calendar can hold this type of event', 'leave out the calendar');
      for (let life = 0; life < MAX_LIVES; life++) {
        const row = newEvent(hashOf(calendar.id, key, life), fields);
        let sent = 0;
        const countRequest = (): void => {
          sent++;
          call.countRequest();
        };
        try {
          const made = await api.insert(calendar.id, row, notify, { ...call, countRequest });
          return { stored: stored(made, calendar), existed: false };
        } catch (thrown) {
          if (!(thrown instanceof CalmcpError) || thrown.code !== 'CONFLICT') throw thrown;
        }
        // An id is never free again: https://developers.google.com/workspace/calendar/api/guides/version-resources
        const there = await existing(calendar, row.id ?? '', call);
        // What is there after a request that was sent again is what the first one made.
        if (there !== undefined) return { stored: stored(there, calendar), existed: sent < 2 };
      }
      throw refuse('CONFLICT', `the event was made and deleted ${MAX_LIVES} times with this key`, 'use another key');
    },
    async update(calendar, id, fields, { etag, notify }, call) {
      const row = await version(calendar, id, etag, call);
      checkFields(fields, stored(row, calendar));
      const change = changedEvent(row, fields, hashOf(id, etag));
      if (Object.keys(change).length === 0) return stored(row, calendar);
      return stored(await api.patch(calendar.id, row, change, notify, call), calendar);
    },
    async delete(calendar, id, { etag, notify }, call) {
      requireWritable(calendar);
      await api.remove(calendar.id, id, etag, notify, call);
    },
    async respond(calendar, id, { response, comment, etag, notify }, call) {
      const row = await version(calendar, id, etag, call);
      requireGuest(row);
      const answered = { responseStatus: response, ...(comment === undefined ? {} : { comment }) };
      return stored(await api.respond(calendar.id, row, answered, notify, call), calendar);
    },
  };
}
