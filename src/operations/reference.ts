import { createHash } from 'node:crypto';
import type { CalendarEvent } from '../core/event.ts';

/** RFC 4648 base32 alphabet in lower case, without the look-alikes: easy to read out and to type. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const LETTERS = 10;
/** What is left of 24 characters for the account. */
const ACCOUNT_LETTERS = 24 - 1 - LETTERS;

/**
 * Short name of one event for answers: the account, a dot and 50 bits that follow from the event's own id, so that it
 * stays the same over restarts. At most 24 characters; the id of an account longer than 13 is cut.
 */
export function referenceOf({ account, calendar, id }: CalendarEvent): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([account, calendar.id, id]))
    .digest();
  let bits = digest.readBigUInt64BE(0);
  let letters = '';
  for (let index = 0; index < LETTERS; index++) {
    letters += ALPHABET[Number(bits & 31n)];
    bits >>= 5n;
  }
  return `${account.slice(0, ACCOUNT_LETTERS)}.${letters}`;
}
