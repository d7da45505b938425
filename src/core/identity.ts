/** When two copies are one meeting. */
import type { CalendarEvent, EventTime } from './event.ts';

/**
 * An Outlook GlobalObjectId in hexadecimal.
 * @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-oxcical/1d3aac05-a7b9-45cc-a213-47f0a0a2c5c1
 */
const GLOBAL_OBJECT_ID = /^040000008200E00074C5B7101A82E008[0-9A-F]+$/i;
/** Hexadecimal positions of the instance date: year, month and day of one occurrence, zero for the series. */
const INSTANCE_DATE = { from: 32, to: 40 } as const;
const NO_DATE = '00000000';
/**
 * `vCal-Uid` and 01 00 00 00, which start the data of a GlobalObjectId where Outlook wraps a foreign UID: the UID in
 * UTF-8 follows, then a zero byte.
 * @see https://learn.microsoft.com/openspecs/exchange_server_protocols/ms-asemail/9f00dbd2-c0e5-406c-8d74-52fffd0bbfd3
 */
const FOREIGN_UID = '7643616C2D55696401000000';
/** Hexadecimal position of the data: after 16 bytes of identifier, 4 of date, 8 of creation, 8 reserved, 4 of size. */
const DATA = 80;
/** With one byte of data. */
const SHORTEST = 82;

/**
 * The UID to compare by. Outlook puts the date of the occurrence into the UID in one mailbox and zeroes in another,
 * and wraps the UIDs of other systems: both are undone. Any other UID is kept as it is, case included
 * (RFC 5545 3.8.4.7).
 */
export function normalizeUid(uid: string): string {
  const trimmed = uid.trim();
  // Length first: it spares most UIDs of other systems the look at their letters.
  if (trimmed.length < SHORTEST || trimmed.length % 2 === 1 || !GLOBAL_OBJECT_ID.test(trimmed)) return trimmed;
  const upper = trimmed.toUpperCase();
  if (upper.startsWith(FOREIGN_UID, DATA)) {
    const [text = ''] = Buffer.from(upper.slice(DATA + FOREIGN_UID.length), 'hex')
      .toString('utf8')
      .split('\0');
    // What was wrapped may be the UID of another Outlook, which is one to normalise again.
    if (text.trim() !== '') return normalizeUid(text);
  }
  if (upper.startsWith(NO_DATE, INSTANCE_DATE.from)) return upper;
  return upper.slice(0, INSTANCE_DATE.from) + NO_DATE + upper.slice(INSTANCE_DATE.to);
}

/** A slot of a series in one spelling for all providers: `2026-10-12T07:00:00Z`. */
export function recurrenceKeyOf(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}

function slotOf(start: EventTime): string {
  return start.kind === 'date' ? start.date : recurrenceKeyOf(start.epochMs);
}

/** Start as a value that is equal exactly for equal moments or dates. */
export function startKey({ start }: CalendarEvent): string | number {
  return start.kind === 'date' ? start.date : start.epochMs;
}

export function endKey({ end }: CalendarEvent): string | number {
  return end.kind === 'date' ? end.date : end.epochMs;
}

/** What all events of one series and all copies of one meeting have in common, or `null` where there is no UID to go by. */
export function uidOf({ uid }: CalendarEvent): string | null {
  return uid === null ? null : normalizeUid(uid) || null;
}

/** Tells the occurrences of one UID apart: by the slot their series had planned, not by where they were moved to. */
export function slotKey({ kind, recurrenceKey, start }: CalendarEvent): string {
  return kind === 'single' ? '-' : (recurrenceKey ?? slotOf(start));
}
