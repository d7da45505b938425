/** Short names of events, which lead back to them without anything being kept. */
import { createHash } from 'node:crypto';
import type { CalendarEvent, EventTime } from '../core/event.ts';
import { DAY } from '../core/time.ts';

/** RFC 4648 base32 alphabet in lower case, without the look-alikes: easy to read out and to type. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const BITS = 5n;
/** Letters that say on which day the event starts: 2^20 days, from about the year 600 to 3470. */
const DAY_LETTERS = 4;
const FIRST_DAY = 500_000;
/** Letters that follow from the event's own id: 30 bits, among the events of one account around one day. */
const ID_LETTERS = 6;
/** What is left of 24 characters for the account. */
const ACCOUNT_LETTERS = 24 - 1 - DAY_LETTERS - ID_LETTERS;

const SHAPE = new RegExp(
  `^([a-z0-9][a-z0-9_-]{0,${ACCOUNT_LETTERS - 1}})\\.([${ALPHABET}]{${DAY_LETTERS + ID_LETTERS}})$`,
);

function lettersOf(value: bigint, count: number): string {
  let left = value;
  let letters = '';
  for (let index = 0; index < count; index++) {
    letters = ALPHABET[Number(left & 31n)] + letters;
    left >>= BITS;
  }
  return letters;
}

function dayOf(start: EventTime): number {
  return Math.floor((start.kind === 'date' ? Date.parse(`${start.date}T00:00:00Z`) : start.epochMs) / DAY);
}

/** The part that follows from the id, and from whom the answer is for: what one audience is told means nothing to another. */
function idLetters({ account, calendar, id }: CalendarEvent, audience: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([account, calendar.id, id, audience]))
    .digest();
  return lettersOf(digest.readBigUInt64BE(0), ID_LETTERS);
}

/**
 * Short name of one event in answers for one audience: its account, a dot, its day and 30 bits of its own id. Stays the
 * same over restarts, on every machine. At most 24 characters; the id of an account longer than 13 is cut.
 */
export function referenceOf(event: CalendarEvent, audience: string): string {
  const day = lettersOf(BigInt(dayOf(event.start) + FIRST_DAY), DAY_LETTERS);
  return `${event.account.slice(0, ACCOUNT_LETTERS)}.${day}${idLetters(event, audience)}`;
}

export interface Reference {
  /** Whether it may be one of this account's. */
  isOf(account: string): boolean;
  /** Midnight in UTC of the day that the event started on when it was named, in epoch milliseconds. */
  readonly day: number;
  /** Whether it names this event, on whatever day it is now. */
  names(event: CalendarEvent, audience: string): boolean;
}

/** `undefined` for what no answer can have said. */
export function parseReference(text: string): Reference | undefined {
  const [, account, letters] = SHAPE.exec(text.trim().toLowerCase()) ?? [];
  if (account === undefined || letters === undefined) return undefined;
  const day = [...letters.slice(0, DAY_LETTERS)].reduce((value, letter) => value * 32 + ALPHABET.indexOf(letter), 0);
  return {
    isOf: (id) => id.slice(0, ACCOUNT_LETTERS) === account,
    day: (day - FIRST_DAY) * DAY,
    names: (event, audience) => idLetters(event, audience) === letters.slice(DAY_LETTERS),
  };
}
