import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt, neutralize, neutralizeShort, webAddress } from '../../src/core/text.ts';

describe('foreign text', () => {
  it.each([
    ['a plain title', 'Sprint review'],
    ['accents, composed and not', 'Réunion Re\u0301union'],
    ['ß, İ and Greek', 'Straße İstanbul Καλημέρα'],
    ['Chinese and Japanese', '会議 カレンダー'],
    ['Hebrew and Arabic', 'פגישה اجتماع'],
    ['Persian with its non-joiners', 'می\u200cخواهم خانه\u200cها'],
    ['Hindi conjuncts with a joiner', 'क्\u200dष शक्\u200cति'],
    ['Sinhala with a joiner', 'ශ්\u200dරී ලංකා'],
    ['a family', '👨\u200d👩\u200d👧\u200d👦'],
    ['professions with a skin tone', '👩🏽\u200d💻 🧑🏿\u200d🚀'],
    ['a heart on fire and a kiss', '❤\ufe0f\u200d🔥 👩\u200d❤\ufe0f\u200d💋\u200d👨'],
    ['a rainbow flag and a pirate flag', '🏳\ufe0f\u200d🌈 🏴\u200d☠\ufe0f'],
    ['flags of countries', '🇳🇱🇪🇺'],
    ['a keycap and a text heart', '1\ufe0f⃣ ❤\ufe0e'],
    ['a Mongolian letter with its variant', 'ᠠ\u180bᠨ'],
    ['a Japanese name with its variant', '辻\u{e0100}さん'],
    ['markup, which is data', '<b>ignore previous</b> [link](x) `rm`'],
  ])('keeps %s', (_, text) => {
    expect(neutralize(text)).toBe(text);
  });

  it.each([
    ['an escape sequence', '\u001b[2J\u001b]0;owned\u0007Hi', '[2J]0;ownedHi'],
    ['a C1 control', 'a\u009b31mb', 'a31mb'],
    ['a NUL and a backspace', 'a\u0000b\u0008c\u007f', 'abc'],
    ['a bidirectional override', 'exe.\u202egpj\u202c', 'exe.gpj'],
    ['bidirectional isolates and marks', '\u2066a\u2069\u200e\u200f\u061c', 'a'],
    ['zero-width spaces and a byte-order mark', '\ufefffree\u200bdom\u2060', 'freedom'],
    ['a soft hyphen', 'meet\u00ading', 'meeting'],
    ['fillers that look like nothing', '\u3164\u115f\u1160\uffa0\u034fa', 'a'],
    ['interlinear annotation', 'a\ufff9b\ufffac\ufffb', 'abc'],
    [
      'a sentence in tag characters',
      `Lunch${[...'obey'].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('')}`,
      'Lunch',
    ],
    ['bytes in variation selectors', '😀\ufe0f\u{e0142}\u{e0143}\u{e0144}', '😀\ufe0f'],
    ['a byte in a selector after each letter', 'f\u{e0142}r\ufe03e\ufe0fe 辻\u180b😀\u{e0101}', 'free 辻😀'],
    ['a selector that selects nothing', '\ufe0fa \ufe0fb', 'a b'],
    ['a joiner between Latin letters', 'pass\u200dword fi\u200cle', 'password file'],
    ['a joiner at an edge or in a row', '\u200dש\u200d\u200dל\u200d', 'של'],
    ['a joiner beside a space', 'می\u200c خواهم', 'می خواهم'],
  ])('takes out %s', (_, text, expected) => {
    expect(neutralize(text)).toBe(expected);
  });

  it('makes one line of many', () => {
    expect(neutralize('a\nb\r\nc\u2028d\u2029e\tf\u0085g\u000bh\fi')).toBe('a b c d e f g h i');
    expect(neutralize('\n a \n')).toBe('a');
    expect(neutralize('2026-10-12\n09:00 forged line')).not.toMatch(/\n/);
  });

  it('the flags of England, Scotland and Wales become black: their tag characters also spell what nobody sees', () => {
    expect(neutralize('🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f} v 🇫🇷')).toBe('🏴 v 🇫🇷');
  });

  it('half a character, as a cut title ends with, is shown as one that is missing', () => {
    expect(neutralize('Party \ud83c')).toBe('Party \ufffd');
    expect(neutralize('\udf89 Party')).toBe('\ufffd Party');
  });

  it('two halves do not meet to become what was taken out', () => {
    expect(neutralize('\udb40\u200b\udc41')).toBe('\ufffd\ufffd');
  });

  it('is cut between whole characters, and nothing that joined is left over', () => {
    expect(neutralizeShort('short', 5)).toBe('short');
    expect(neutralizeShort('longer', 5)).toBe('longe…');
    expect(neutralizeShort('ab😀', 3)).toBe('ab…');
    expect(neutralizeShort('👩\u200d🚀👩\u200d🚀', 8)).toBe('👩\u200d🚀👩…');
    expect(cutAt('a😀', 2)).toBe('a');
    // What nobody sees does not use up what is read.
    expect(neutralizeShort(`${'\u200b'.repeat(5_000)}Lunch`, 5)).toBe('Lunch');
    expect(neutralizeShort(`Lunch${'\u200b'.repeat(50_000)}`, 5)).toBe('Lunch…');
  });

  it('is no address when it is longer than one', () => {
    expect(webAddress('https://a.example/b')).toBe('https://a.example/b');
    expect(webAddress(`https://a.example/${'b'.repeat(5_000)}`)).toBeUndefined();
  });

  const nasty = fc
    .array(
      fc.oneof(
        fc.constantFrom(
          ...['\u200c', '\u200d', '\ufe0f', '\ufe0e', '\u{e0101}', '\u{e0061}', '\u202e', '\u200b', '\ud83d', '\ude00'],
          ...[
            ' ',
            '\n',
            '\u00a0',
            '\ufeff',
            'a',
            'é',
            '\u0301',
            'م',
            'क',
            '\u094d',
            '😀',
            '🏽',
            '❤',
            '🏳',
            '🌈',
            '♂',
            '1',
          ],
        ),
        fc.string({ unit: 'binary', maxLength: 2 }),
      ),
      { maxLength: 25 },
    )
    .map((parts) => parts.join(''));

  it('comes out the same the second time', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(neutralize(neutralize(text))).toBe(neutralize(text));
      }),
      { numRuns: 5_000 },
    );
  });

  it('never holds a control, a line break, a bidirectional control, a tag or half a character', () => {
    fc.assert(
      fc.property(nasty, (text) => {
        expect(neutralize(text)).not.toMatch(
          /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b\u200e\u200f\u{e0000}-\u{e007f}]/u,
        );
      }),
      { numRuns: 5_000 },
    );
  });
});
