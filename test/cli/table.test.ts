import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { displayWidth, formatTable, shorten } from '../../src/cli/table.ts';

const graphemes = (text: string): string[] =>
  [...new Intl.Segmenter('en', { granularity: 'grapheme' }).segment(text)].map(({ segment }) => segment);

describe('the width of a text on a screen', () => {
  // W and F of https://www.unicode.org/reports/tr11/ are two cells; so is what is shown as a picture
  // (https://www.unicode.org/reports/tr51/#Emoji_Presentation). Marks without a cell of their own are those of wcwidth.
  test.each<[string, string, number]>([
    ['nothing', '', 0],
    ['ASCII', 'Stand-up', 8],
    ['Latin letters', 'Überprüfung', 11],
    ['a combining mark', 'e\u0301', 1],
    ['several combining marks', 'Z\u0351\u036B\u0343', 1],
    ['Greek, Cyrillic, Hebrew', 'ΩЖא', 3],
    ['punctuation that is ambiguous in East Asia', '…–▍“”', 5],

    ['Han', '会議', 4],
    ['Han outside of the first plane', '𠮷野', 4],
    ['hiragana and katakana', 'かナ', 4],
    ['kana with a combining voiced mark', 'か\u3099', 2],
    ['full-width letters', 'ＡＢ', 4],
    ['the ideographic space', '\u3000', 2],
    ['half-width katakana', 'ｱｲｳ', 3],
    ['half-width katakana with a voiced mark', 'ｶ\uFF9E', 2],
    ['the half-width middle dot', '\uFF65', 1],
    ['the half fill space, which is neutral', '\u303F', 1],
    ['Lisu, which follows Yi', '\uA4D0', 1],
    ['Hangul', '회의', 4],
    ['Hangul of conjoining letters', '\u1112\u116C\u110B\u1174', 4],
    ['Hangul with a final', '\u1112\u1161\u11AB', 2],
    ['old Hangul', '\u1112\u119E\uD7CB', 2],
    ['Tangut and kana extensions', '\u{17000}\u{1B001}', 4],

    ['an emoji', '🎉', 2],
    ['a clock, emoji by itself', '⌚', 2],
    ['a skin tone', '👋🏽', 2],
    ['a skin tone on what is text by itself', '☝🏽', 2],
    ['a family', '👩‍👩‍👧', 2],
    ['a profession', '🧑🏿‍💻', 2],
    ['a heart on fire', '❤️‍🔥', 2],
    ['a heart on fire, without its selector', '❤‍🔥', 2],
    ['a flag', '🇳🇱', 2],
    ['two flags', '🇳🇱🇧🇪', 4],
    ['a keycap', '1️⃣', 2],
    ['a keycap without its selector', '1\u20E3', 1],
    ['digits, which may be part of a keycap', '1#*', 3],
    ['a heart, as text', '❤', 1],
    ['a heart, asked for as text', '❤\uFE0E', 1],
    ['a heart, as emoji', '❤️', 2],
    ['signs that are emoji only when asked for', '™©®ℹ↔☎', 6],
    ['one of them, asked for', '™️', 2],
    ['a skin tone on a letter, which changes nothing', 'a🏽', 3],
    ['mahjong and cards', '🀄🃏', 4],
    ['squared CJK', '🈁🈂', 4],

    ['Thai', 'ที่ประชุม', 6],
    ['Thai AM, two cells and one grapheme', 'น้ำ', 2],
    ['Devanagari', 'नमस्ते', 4],
    ['Devanagari with a spacing vowel', 'हिन्दी', 5],
    ['Arabic with marks', 'مُحَمَّد', 4],
    ['Arabic with a joiner', 'می\u200Cخواهم', 7],
    ['an Arabic number sign, which is format and visible', '\u0600', 1],

    ['a zero-width space', 'a\u200Bb', 2],
    ['a joiner', 'a\u200Db', 2],
    ['bidirectional controls', '\u202Ea\u202C', 1],
    ['a byte order mark', '\uFEFF', 0],
    ['a soft hyphen, which terminals show', 'a\u00ADb', 3],
    ['private use', '\uE0B0', 1],
    ['the replacement character', '\uFFFD', 1],
  ])('%s', (_name, text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  test('is the sum of its graphemes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(displayWidth(text)).toBe(graphemes(text).reduce((sum, grapheme) => sum + displayWidth(grapheme), 0));
      }),
    );
  });
});

/** Texts as calendars have them, and worse. */
const foreignText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc
    .array(
      fc.constantFrom('会議', '👩‍👩‍👧', '🇳🇱', '1️⃣', 'น้ำ', 'हिन्दी', 'e\u0301', '❤️', 'ｶ\uFF9E', ' ', 'Review', '\u3000'),
      {
        maxLength: 12,
      },
    )
    .map((parts) => parts.join('')),
);

describe('a text that is too long', () => {
  test.each<[string, number, string]>([
    ['Release of the claims portal', 28, 'Release of the claims portal'],
    ['Release of the claims portal', 27, 'Release of the claims port…'],
    ['Release of the claims portal', 12, 'Release of…'],
    ['会議の準備', 9, '会議の準…'],
    ['会議の準備', 8, '会議の…'],
    ['👩‍👩‍👧👩‍👩‍👧', 3, '👩‍👩‍👧…'],
    ['👩‍👩‍👧👩‍👩‍👧', 2, '…'],
    ['e\u0301e\u0301e\u0301', 2, 'e\u0301…'],
    ['Review', 1, '…'],
    ['Review', 0, ''],
    ['Review', -3, ''],
    ['', 0, ''],
  ])('%j in %i cells is %j', (text, width, shown) => {
    expect(shorten(text, width)).toBe(shown);
  });

  test('is cut between graphemes and fits', () => {
    fc.assert(
      fc.property(foreignText, fc.integer({ min: 0, max: 50 }), (text, width) => {
        const shown = shorten(text, width);
        expect(displayWidth(shown)).toBeLessThanOrEqual(width);
        if (shown === text) return;
        expect(displayWidth(text)).toBeGreaterThan(width);
        if (width === 0) return;
        expect(shown.endsWith('…')).toBe(true);
        const kept = shown.slice(0, -1);
        const whole = graphemes(text);
        const cuts = whole.map((_, index) => whole.slice(0, index).join('').trimEnd());
        expect(cuts).toContain(kept);
      }),
    );
  });
});

describe('a table', () => {
  test('pads by what is seen', () => {
    expect(
      formatTable([
        ['会議', 'a', 'x'],
        ['🎉', 'bcd', 'y'],
        ['ab', '', 'z'],
      ]),
    ).toEqual(['会議  a    x', '🎉    bcd  y', 'ab         z']);
  });

  test('styles what is left of a cell, and not its padding', () => {
    expect(formatTable([['a', 'long text'], ['bcd']], { columns: 12, style: (cell) => `<${cell}>` })).toEqual([
      '<a>    <long t…>',
      '<bcd>',
    ]);
  });

  test('that fits is as wide on a screen as without one', () => {
    const rows = [
      ['a', 'middle', 'end'],
      ['abc', 'm', 'the end'],
    ];
    expect(formatTable(rows, { columns: 20 })).toEqual(formatTable(rows));
    // Some terminals do not know how wide they are.
    expect(formatTable(rows, { columns: 0 })).toEqual(formatTable(rows));
  });

  test('gives way in the order it was told, keeps whole what it can, and leaves out what would be a stump', () => {
    const rows = [['10:00', 'A title of some length', 'xebia, marimer', 'recurring, in the library']];
    const yields = [
      [3, 10],
      [1, 8],
      [3, 0],
      [2, 0],
    ] as const;
    const at = (columns: number): string[] => formatTable(rows, { columns, yields });
    expect(at(72)).toEqual(['10:00  A title of some length  xebia, marimer  recurring, in the library']);
    expect(at(60)).toEqual(['10:00  A title of some length  xebia, marimer  recurring, i…']);
    expect(at(50)).toEqual(['10:00  A title of som…  xebia, marimer  recurring…']);
    expect(at(40)).toEqual(['10:00  A title of some…   xebia, marimer']);
    expect(at(30)).toEqual(['10:00  A title of some length']);
    expect(at(20)).toEqual(['10:00  A title of s…']);
    expect(at(8)).toEqual(['10:00  …']);
    expect(at(6)).toEqual(['10:00']);
    expect(at(4)).toEqual(['10:…']);
  });

  test('fits into its screen, whatever is in it', () => {
    const row = fc.array(foreignText, { minLength: 1, maxLength: 5 });
    const yields = fc.array(fc.tuple(fc.nat(5), fc.nat(30)), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(row, { maxLength: 5 }),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom('', '  '),
        fc.option(yields, { nil: undefined }),
        (rows, columns, indent, chosen) => {
          const options = { columns, indent, ...(chosen === undefined ? {} : { yields: chosen }) };
          for (const line of formatTable(rows, options)) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });

  test('cuts nothing where there is no screen', () => {
    fc.assert(
      fc.property(fc.array(fc.array(foreignText, { minLength: 1, maxLength: 4 }), { maxLength: 4 }), (rows) => {
        for (const [index, line] of formatTable(rows).entries())
          for (const cell of rows[index] ?? []) if (displayWidth(cell) > 0) expect(line).toContain(cell.trimEnd());
      }),
    );
  });
});
