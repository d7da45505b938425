import { describe, expect, it } from 'vitest';
import type { CalendarEvent } from '../../src/core/event.ts';
import { foldText, matches, parseQuery } from '../../src/core/search.ts';
import { event } from './events.ts';

const found = (query: string, fields: Partial<CalendarEvent>): boolean => matches(event(fields), parseQuery(query));
const inTitle = (query: string, title: string): boolean => found(query, { title });

describe('C02: a word is found however it is written', () => {
  it.each([
    ['without its accents', 'reunion', 'Réunion'],
    ['without accents that stand apart', 'reunion', 'Re\u0301union'],
    ['with an accent that the title writes apart', 'réunion', 'Re\u0301union'],
    ['with an accent apart, as the title does not', 're\u0301union', 'Réunion'],
    ['in capitals', 'RÉUNION', 'réunion'],
    ['with ss for ß', 'strasse', 'Straße'],
    ['with ß for ss', 'straße', 'Hauptstrasse'],
    ['with ß where the title is in capitals', 'straße', 'HAUPTSTRASSE'],
    ['with ß where the title has the capital one', 'straße', 'HAUPTSTRAẞE'],
    ['with the capital ẞ', 'STRAẞE', 'Hauptstrasse'],
    ['without the dot of a Turkish İ', 'istanbul', 'İSTANBUL'],
    ['with that dot', 'İstanbul', 'istanbul'],
    ['with a Turkish ı', 'ısparta', 'ISPARTA'],
    ['with a sigma that is not the last letter', 'ΟΔΟΣ', 'οδος'],
    ['with a last sigma', 'οδος', 'Οδοσ'],
    ['with a last sigma that is not the last letter there', 'οδος', 'ΟΔΟΣΗΜΑΝΣΗ'],
    ['in letters of full width', 'budget', 'Ｂｕｄｇｅｔ'],
    ['without a ligature', 'office', 'o\ufb03ce'],
    ['in Chinese', '会議', '第3回会議'],
    ['in half-width Katakana', 'ｶﾚﾝﾀﾞｰ', 'カレンダー'],
    ['in Hebrew', 'פגישה', 'פגישה חשובה'],
    ['in Arabic', 'اجتماع', 'اجتماع الفريق'],
    ['in Persian without its joiner', 'میخواهم', 'می\u200cخواهم'],
    ['in Russian capitals', 'СОВЕЩАНИЕ', 'совещание'],
    ['with an emoji', '🎉', 'Party 🎉!'],
    ['with an emoji that chooses no look', '❤', 'I ❤\ufe0f NY'],
    ['with an emoji that chooses one', '❤\ufe0f', 'I ❤ NY'],
    ['though something invisible is in it', 'freedom', 'free\u200bdom\u00ad'],
    ['though its direction is turned around', 'invoice', '\u202einvoice\u202c'],
    ['in the middle of a longer one', 'union', 'Réunion'],
  ])('%s', (_, query, title) => {
    expect(inTitle(query, title)).toBe(true);
  });

  it.each([
    ['another word', 'reunion', 'Union'],
    ['a word that one letter is missing of', 'reunions', 'Réunion'],
    ['an ignored event', 'x', ''],
  ])('and %s is not', (_, query, title) => {
    expect(inTitle(query, title)).toBe(false);
  });

  it('vowel signs and other marks that are part of a letter are not accents', () => {
    expect(inTitle('की', 'का')).toBe(false);
    expect(inTitle('ぱ', 'は')).toBe(false);
  });

  it('a pattern is a text like any other', () => {
    expect(inTitle('.*', 'Stand-up')).toBe(false);
    expect(inTitle('(', 'Review (draft)')).toBe(true);
    expect(inTitle('%', 'OKR 50%')).toBe(true);
  });
});

describe('words of a query', () => {
  it('are separated by any space, and all of them must be found', () => {
    expect(parseQuery('  Budget\u00a0 review\t2026 ')).toEqual(['budget', 'review', '2026']);
    expect(inTitle('review budget', 'Budget review')).toBe(true);
    expect(inTitle('budget review', 'Budget')).toBe(false);
  });

  it('may be found in different fields of one event', () => {
    const fields = {
      title: 'Budget',
      location: 'Room Curie',
      text: 'Bring the figures',
      organizer: { name: 'Zoë', email: 'zoe@client.example' },
      attendees: [{ name: 'Jürgen', email: 'j@other.example', response: 'accepted' }],
      categories: ['Finance'],
    } as const;
    for (const query of ['budget curie figures zoe client.example jurgen other.example finance', 'ZOË JÜRGEN'])
      expect(found(query, fields)).toBe(true);
    expect(found('budget marie', fields)).toBe(false);
  });

  it('in quotes are one phrase, and a quote that does not end is none', () => {
    expect(parseQuery('"Budget  review" 2026')).toEqual(['budget review', '2026']);
    expect(inTitle('"budget review"', 'Budget Review')).toBe(true);
    expect(inTitle('"budget review"', 'Review of the budget')).toBe(false);
    expect(inTitle('"budget review"', 'Budget  review')).toBe(true);
    expect(found('"the figures"', { text: 'Bring the \n figures' })).toBe(true);
    expect(parseQuery('"budget review')).toEqual(['budget', 'review']);
    expect(parseQuery('“budget”')).not.toEqual([]);
  });

  it('are none where nothing is said', () => {
    for (const text of ['', '  ', '""', '"', '" "', '\u200b', '\u0301']) expect(parseQuery(text)).toEqual([]);
  });

  it('C01: find nothing in an event without texts', () => {
    expect(found('untitled', { title: null })).toBe(false);
    expect(found('null', { title: null })).toBe(false);
    expect(found('undefined', { title: null })).toBe(false);
  });

  it('do not look at names of accounts, calendars and ids', () => {
    expect(found('work', { title: 'x' })).toBe(false);
    expect(found('primary', { title: 'x' })).toBe(false);
    expect(found('event-1', { title: 'x' })).toBe(false);
  });
});

describe('folding', () => {
  /** All that has case, is a mark or changes at all when it is folded. */
  const FOLDING = /[\p{Cased}\p{M}\p{Sk}\p{Changes_When_NFKC_Casefolded}\p{Variation_Selector}]/u;
  const CHARACTERS = Array.from({ length: 0x110000 }, (_, point) => point)
    .filter((point) => point < 0xd800 || point > 0xdfff)
    .map((point) => String.fromCodePoint(point))
    .filter((character) => FOLDING.test(character));

  it('is done once and for all', () => {
    for (const character of CHARACTERS) {
      const folded = foldText(`я${character}`);
      if (foldText(folded) !== folded) throw new Error(`${character} folds to ${folded}, and then on`);
    }
    expect(CHARACTERS.length).toBeGreaterThan(9_000);
  });

  it('does not see case, but for letters with an iota below', () => {
    for (const character of CHARACTERS) {
      // An accent that is a letter of its own in capitals: ancient Greek only.
      if (character.normalize('NFD').includes('\u0345')) continue;
      const folded = foldText(character);
      if (foldText(character.toUpperCase()) !== folded || foldText(character.toLowerCase()) !== folded)
        throw new Error(`${character} folds to ${folded}, and its other case to something else`);
    }
  });

  it('does not see whether accents stand apart', () => {
    for (const character of CHARACTERS)
      for (const form of ['NFC', 'NFD'] as const)
        if (foldText(character.normalize(form)) !== foldText(character)) throw new Error(`${character} in ${form}`);
  });
});
