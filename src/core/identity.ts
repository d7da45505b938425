/** When two copies are one meeting. */
import type { CalendarEvent, EventTime } from './event.ts';

/**
 * Start of an Outlook GlobalObjectId in hexadecimal.
 * @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcical/1d3aac05-a7b9-45cc-a213-47f0a0a2c5c1
 */
const GLOBAL_OBJECT_ID = '040000008200E00074C5B7101A82E008';
/** Hexadecimal positions of the instance date: year, month and day of one occurrence, zero for the series. */
const INSTANCE_DATE = { from: 32, to: 40 } as const;
/**
 * `vCal-Uid` and 01 00 00 00, which start the data of a GlobalObjectId where Outlook wraps a foreign UID: the UID in
 * UTF-8 follows, then a zero byte.
 * @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-asemail/9f00dbd2-c0e5-406c-8d74-52fffd0bbfd3
 */
const FOREIGN_UID = '7643616C2D55696401000000';
/** Hexadecimal position of the data: after 16 bytes of identifier, 4 of date, 8 of creation, 8 reserved, 4 of size. */
const DATA = 80;

/**
 * The UID to compare by. Outlook puts the date of the occurrence into the UID in one mailbox and zeroes in another,
 * and wraps the UIDs of other systems: both are undone. Any other UID is kept as it is, case included
 * (RFC 5545 3.8.4.7).
 */
export function normalizeUid(uid: string): string {
  const trimmed = uid.trim();
  if (!isGlobalObjectId(trimmed)) return trimmed;
  const upper = trimmed.toUpperCase();
  if (upper.startsWith(FOREIGN_UID, DATA)) {
    const [text = ''] = Buffer.from(upper.slice(DATA + FOREIGN_UID.length), 'hex')
      .toString('utf8')
      .split('\0');
    // What was wrapped may be the UID of another Outlook, which is one to normalise again.
    if (text.trim() !== '') return normalizeUid(text);
  }
  return `${upper.slice(0, INSTANCE_DATE.from)}00000000${upper.slice(INSTANCE_DATE.to)}`;
}

function isGlobalObjectId(uid: string): boolean {
  return (
    uid.length >= 82 &&
    uid.length % 2 === 0 &&
    /^[0-9a-f]+$/i.test(uid) &&
    uid.toUpperCase().startsWith(GLOBAL_OBJECT_ID)
  );
}

/** A slot of a series in one spelling for all providers: `2026-10-12T07:00:00Z`. */
export function recurrenceKeyOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}

function slotOf(start: EventTime): string {
  return start.kind === 'date' ? start.date : recurrenceKeyOf(start.epochMs);
}

/** Start as a text that is equal exactly for equal moments or dates. */
export function startKey(event: CalendarEvent): string {
  return event.start.kind === 'date' ? event.start.date : String(event.start.epochMs);
}

export function endKey({ end }: CalendarEvent): string {
  return end.kind === 'date' ? end.date : String(end.epochMs);
}

/**
 * What all copies of one meeting have in common, or `null` where there is no UID to go by (such an event is only ever
 * itself). Occurrences are told apart by the slot their series had planned, not by where they were moved to.
 */
export function meetingKey(event: CalendarEvent): string | null {
  if (event.uid === null || event.uid.trim() === '') return null;
  const slot = event.kind === 'single' ? '-' : (event.recurrenceKey ?? slotOf(event.start));
  return `${normalizeUid(event.uid)}|${slot}`;
}
