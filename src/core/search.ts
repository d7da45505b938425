/** Finding words in events, however they are written. */
import type { CalendarEvent, Person } from './event.ts';
import { neutralize } from './text.ts';

/** Accents and other marks above and below letters; the marks that some scripts write vowels with are left alone. */
const ACCENTS = /[\u0300-\u036f]/g;
/** What joins letters or chooses how one looks: who types a word leaves it out. */
const JOINERS = /[\u200c\u200d]|\p{Variation_Selector}/gu;
const ASCII = /^[\x20-\x7e]*$/;
/** Has nothing in it that nobody sees. */
const LATIN = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u024f]*$/;

/**
 * A text in the form that is compared: without case, accents, width and compatibility variants, so that `reunion`
 * finds `Réunion`, `strasse` finds `Straße` and `istanbul` finds `İSTANBUL` (C02). Characters that nobody sees are gone,
 * and space is one space wherever it is.
 * @see https://www.unicode.org/reports/tr15/ for NFKD; lower and then upper case makes one of `ẞ`, `ß` and `ss`, and of
 * `ı` and `i`
 */
export function foldText(text: string): string {
  // Most texts, at a tenth of the cost.
  if (ASCII.test(text) && !text.includes('  ')) return text.toLowerCase().trim();
  return foldLetters(text).replaceAll(/\s+/g, ' ').trim();
}

function foldLetters(text: string): string {
  return (
    (LATIN.test(text) ? text : neutralize(text).replaceAll(JOINERS, ''))
      .normalize('NFKD')
      .replaceAll(ACCENTS, '')
      .toLowerCase()
      .toUpperCase()
      .normalize('NFKD')
      .replaceAll(ACCENTS, '')
      .toLowerCase()
      .replaceAll('ς', 'σ')
      // What word processors make of the quotes that people type.
      .replaceAll(/[\u2018\u2019\u02BC]/g, "'")
      .replaceAll(/[\u201C-\u201E]/g, '"')
  );
}

/** A search: all of these words, anywhere in one event. */
export type Query = readonly string[];

/** Words are separated by space; what stands in double quotes is looked for as it is. */
export function parseQuery(text: string): Query {
  return [...foldText(text).matchAll(/"([^"]+)"|([^\s"]+)/g)]
    .map(([, quoted, word]) => (quoted ?? word ?? '').trim())
    .filter((word) => word !== '');
}

/** Whether every word is found in the title, the place, the people, the categories or the text. */
export function matches(event: CalendarEvent, query: Query): boolean {
  for (const word of query) if (!saysSomewhere(event, word)) return false;
  return true;
}

/** Field by field, without a list of them or a function for each event: this runs for all events of a search. */
function saysSomewhere(event: CalendarEvent, word: string): boolean {
  const { organizer, attendees, categories } = event;
  if (says(event.title, word) || says(event.location, word) || says(event.text, word)) return true;
  if (organizer !== undefined && isCalled(organizer, word)) return true;
  if (categories !== undefined) for (const category of categories) if (says(category, word)) return true;
  if (attendees !== undefined) for (const attendee of attendees) if (isCalled(attendee, word)) return true;
  return false;
}

function isCalled({ name, email }: Person, word: string): boolean {
  return says(name, word) || says(email, word);
}

function says(field: string | null | undefined, word: string): boolean {
  return field ? foldText(field).includes(word) : false;
}
