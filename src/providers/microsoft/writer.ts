/**
 * How a Microsoft 365 calendar is changed, whatever way leads to it.
 *
 * Graph was seen to answer 412 to a version that is no more (https://learn.microsoft.com/answers/questions/271870), and no page
 * about events promises it. So the version is compared with what is read just before a change, and told to Graph besides.
 */
import { createHash } from 'node:crypto';
import type { EventFields, EventWriter, StoredEvent } from '../../core/change.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Calendar, EventTime } from '../../core/event.ts';
import type { Call, ProviderContext } from '../../core/provider.ts';
import { checkFields } from './check-fields.ts';
import { draftOf } from './draft.ts';
import { around, findAgain, findCreated, orNothing } from './event-finder.ts';
import { explainChange, takenBy } from './graph-refusals.ts';
import type { AnswerVerb, EventAddress, EventBody, Mailbox } from './mailbox.ts';
import type { GraphEvent } from './map.ts';
import { type HeldEvent, holdEvent } from './stored.ts';

/** How many keys are made of one: the event of a key may be gone, and Exchange takes none twice. */
const KEYS = 3;
/** Days on both sides that an event is looked for in which was moved since it was created. */
const MOVED_DAYS = 31;

const VERBS = {
  accepted: 'accept',
  tentative: 'tentativelyAccept',
  declined: 'decline',
} as const satisfies Record<string, AnswerVerb>;

/** A GUID of a key: any text would do, and this is what everybody sends. */
function transactionOf(key: string, turn: number): string {
  const hex = createHash('sha256')
    .update(turn === 0 ? key : `${key}:${turn}`)
    .digest('hex');
  return hex.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

const isSameTime = (one: EventTime, other: EventTime): boolean =>
  one.kind === 'date'
    ? other.kind === 'date' && one.date === other.date
    : other.kind === 'timed' && one.epochMs === other.epochMs;

export function createWriter(
  { account, timeZone }: Pick<ProviderContext, 'account' | 'timeZone'>,
  mailbox: Mailbox,
): EventWriter {
  const limits = { account, timeZone, viaChild: mailbox.viaChild };

  async function changing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (thrown) {
      throw explainChange(thrown);
    }
  }

  function check(fields: EventFields, now?: StoredEvent): void {
    try {
      checkFields(fields, now, limits);
    } catch (thrown) {
      throw thrown instanceof CalmcpError ? thrown.of(account) : thrown;
    }
  }

  async function hold(address: EventAddress, call: Call): Promise<HeldEvent> {
    let row: GraphEvent;
    try {
      row = await mailbox.event(address, call);
    } catch (thrown) {
      // An id that Graph cannot read is one of an event that is not there.
      const explained = explainChange(thrown);
      throw explained instanceof CalmcpError && explained.code === 'NOT_FOUND' ? explained : thrown;
    }
    return holdEvent(row, { account, calendar: address.calendar });
  }

  /** @throws CalmcpError CONFLICT when it is another version by now */
  async function holdVersion(address: EventAddress, etag: string, call: Call): Promise<HeldEvent> {
    const held = await hold(address, call);
    if (held.stored.etag === etag) return held;
    throw new CalmcpError('CONFLICT', 'the event was changed in the meantime', {
      account,
      hint: 'look at it as it is now, and decide anew',
    });
  }

  /** What Graph answers to a change is the event as it is then; where something is left out of it, it is read. */
  async function heldAfter(row: GraphEvent | undefined, address: EventAddress, call: Call): Promise<StoredEvent> {
    const isWhole = row?.changeKey && row.start && row.end && row.type && row.id;
    if (!row || !isWhole) return (await hold(row?.id ? { ...address, id: row.id } : address, call)).stored;
    return holdEvent(row, { account, calendar: address.calendar }).stored;
  }

  /** The kind of online meetings of a calendar: Teams, for organisations. */
  async function onlineProvider({ id }: Calendar, call: Call): Promise<string> {
    const rows = await mailbox.calendars(call, ['allowedOnlineMeetingProviders', 'defaultOnlineMeetingProvider']);
    const own = rows.find((row) => row.id === id);
    const allowed = own?.allowedOnlineMeetingProviders ?? [];
    const wanted = own?.defaultOnlineMeetingProvider;
    const [provider] = wanted && wanted !== 'unknown' && allowed.includes(wanted) ? [wanted] : allowed;
    if (provider && provider !== 'unknown') return provider;
    throw new CalmcpError('INPUT_INVALID', 'Microsoft has no online meetings for this calendar', {
      account,
      hint: 'leave out online, and put an address of your own into the location',
    });
  }

  const isSetOnline = ({ online }: EventFields, held?: HeldEvent): boolean =>
    online === true && held?.stored.fields.online !== true;

  async function draft(fields: EventFields, calendar: Calendar, call: Call, held?: HeldEvent): Promise<EventBody> {
    const provider = isSetOnline(fields, held) ? await onlineProvider(calendar, call) : undefined;
    const isKept = fields.text !== undefined && held?.stored.fields.online === true;
    const markup = held && isKept ? await mailbox.markup?.({ calendar, id: held.stored.event.id }, call) : undefined;
    const body = draftOf(fields, { timeZone, held, provider, markup });
    const isLost = markup !== undefined && (body.body as { contentType?: string }).contentType !== 'html';
    if (!isLost) return body;
    throw new CalmcpError('INPUT_INVALID', 'the text of this online meeting cannot be told from the way into it', {
      account,
      hint: 'change the text in Outlook',
    });
  }

  return {
    alwaysNotifies: true,
    bin: 'the folder Deleted Items of Outlook',
    check,

    async get(calendar, id, call) {
      return (await hold({ calendar, id }, call)).stored;
    },

    async create(calendar, fields, { key }, call) {
      check(fields);
      const start = fields.start;
      if (start === undefined) throw new TypeError('check has let through an event without a start');
      const body = await draft(fields, calendar, call);
      const isSeries = Boolean(fields.recurrence);
      // Graph answers to what it has created before as if it had just done so. It was not there a moment ago, where it begins as
      // it shall: elsewhere it was moved since.
      const created = (stored: StoredEvent) => ({ stored, existed: !isSameTime(stored.event.start, start) });
      for (let turn = 0; turn < KEYS; turn++) {
        const transactionId = transactionOf(key, turn);
        const find = (days: number): Promise<string | undefined> =>
          findCreated(mailbox, calendar, around(start, days), transactionId, isSeries, call);
        // Looked for first: how long Exchange remembers what was created with which id, nobody says.
        const known = await find(0);
        if (known !== undefined) return { stored: (await hold({ calendar, id: known }, call)).stored, existed: true };
        let taken: string | undefined;
        try {
          const row = await changing(mailbox.create(calendar, { ...body, transactionId }, call));
          return created(await heldAfter(row, { calendar, id: row.id ?? '' }, call));
        } catch (thrown) {
          taken = takenBy(thrown);
          if (taken === undefined) throw thrown;
        }
        // It was created and no answer came back, or it was created and moved, or it is gone.
        const id = taken || (await find(MOVED_DAYS));
        const now = id === undefined ? undefined : await orNothing(hold({ calendar, id }, call));
        if (now !== undefined) return created(now.stored);
      }
      throw new CalmcpError('CONFLICT', 'this event was created before, and is gone', {
        account,
        hint: 'create it with another key',
      });
    },

    async update(calendar, id, fields, { etag }, call) {
      const address = { calendar, id };
      const held = await holdVersion(address, etag, call);
      check(fields, held.stored);
      const body = await draft(fields, calendar, call, held);
      if (Object.keys(body).length === 0) return held.stored;
      return heldAfter(await changing(mailbox.change(address, body, etag, call)), address, call);
    },

    async delete(calendar, id, { etag }, call) {
      const address = { calendar, id };
      await holdVersion(address, etag, call);
      await changing(mailbox.remove(address, etag, call));
    },

    async respond(calendar, id, { etag, response, comment, notify }, call) {
      const address = { calendar, id };
      const { row, stored } = await holdVersion(address, etag, call);
      if (row.isOrganizer === true)
        throw new CalmcpError('INPUT_INVALID', 'this is your own meeting: there is nobody to answer', {
          account,
          hint: 'change it, or delete it',
        });
      // An organizer who wants no answers gets none: Exchange refuses to send one.
      // https://github.com/microsoft/botframework-components/pull/1374
      const sendResponse = notify && row.responseRequested !== false;
      const body = { sendResponse, ...(sendResponse && comment ? { comment } : {}) };
      await changing(mailbox.answer(address, VERBS[response], body, call));
      const now = await afterAnswer(address, row, stored, call);
      // It says "202 Accepted", and may show it a moment later. What is declined may be gone.
      return { ...now, event: { ...now.event, myResponse: response } };
    },
  };

  async function afterAnswer(
    { calendar, id }: EventAddress,
    row: GraphEvent,
    before: StoredEvent,
    call: Call,
  ): Promise<StoredEvent> {
    const read = async (now: string): Promise<StoredEvent | undefined> =>
      (await orNothing(hold({ calendar, id: now }, call)))?.stored;
    const same = await read(id);
    if (same !== undefined) return same;
    const other = await findAgain(mailbox, calendar, row, before.event.start, call);
    return (other === undefined ? undefined : await read(other)) ?? before;
  }
}
