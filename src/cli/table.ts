/** Columns as wide as their widest cell. */

/**
 * The locale is named so that no machine's own one is asked: graphemes are the same in all. Made where a text needs it: most do not,
 * and Intl takes longer to load than all that a command does.
 */
let segmenter: Intl.Segmenter | undefined;

function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

/** Letters and signs of one cell each, of which none joins another: ASCII, Latin, dashes, quotes, the ellipsis, a bar. */
const PLAIN = /^[ -~\u00A1-\u00AC\u00AE-\u02FF\u2010-\u2027\u258D]*$/;

/** A grapheme that is shown as one picture: by itself, by a variation selector or a skin tone, or joined to another. */
const EMOJI =
  /^(?:\p{Emoji_Presentation}|\p{Emoji}\uFE0F|\p{Emoji_Modifier_Base}\p{Emoji_Modifier}|\p{Extended_Pictographic}\p{Emoji_Modifier}?\u200D\p{Extended_Pictographic})/u;

/**
 * East Asian Width W and F, without what is emoji by itself.
 * @see https://www.unicode.org/Public/17.0.0/ucd/EastAsianWidth.txt
 */
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115F\u2329\u232A\u2630-\u2637\u268A-\u268F\u2E80-\u303E\u3041-\u3247\u3250-\uA4C6\uA960-\uA97C\uAC00-\uD7A3\uF900-\uFAFF\uFE10-\uFE19\uFE30-\uFE6B\uFF01-\uFF60\uFFE0-\uFFE6\u{16FE0}-\u{18DF2}\u{1AFF0}-\u{1B2FB}\u{1D300}-\u{1D356}\u{1D360}-\u{1D376}\u{1F200}-\u{1F265}\u{20000}-\u{3FFFD}]/u;

/**
 * Marks that stand on the letter before them, and what is invisible. Vowels and finals of Hangul are drawn into the
 * syllable that their initial began. A soft hyphen does take a cell on terminals.
 */
const ZERO_WIDTH = /(?!\u00AD)[\p{Mn}\p{Me}\p{Cc}\p{Default_Ignorable_Code_Point}\u1160-\u11FF\uD7B0-\uD7FB]/u;

/**
 * Each code point counts, as it does on terminals: half-width katakana with a voiced mark, Thai AM and the spacing vowels of
 * India take two cells and are one grapheme. A picture takes two, whatever it is made of.
 */
function graphemeWidth(grapheme: string): number {
  if (EMOJI.test(grapheme)) return 2;
  let width = 0;
  for (const character of grapheme) width += ZERO_WIDTH.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** Cells on a screen: East Asian wide characters and emoji take two. Combining marks take none. */
export function displayWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemesOf(text)) width += graphemeWidth(segment);
  return width;
}

/** As much of a text as fits, with an ellipsis where something is missing. */
export function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 1) return '';
  let fitting = '';
  let left = width - 1;
  for (const { segment } of graphemesOf(text)) {
    left -= graphemeWidth(segment);
    if (left < 0) break;
    fitting += segment;
  }
  return `${fitting.trimEnd()}…`;
}

/** A column, and the width that it keeps; one that keeps 0 is left out. */
export type Yield = readonly [column: number, least: number];

export interface TableOptions {
  readonly indent?: string;
  /** Styling, put on after padding was counted. */
  readonly style?: (cell: string, column: number, row: number) => string;
  /** Width of the screen: every row fits into it. Nothing is cut where it is not known. */
  readonly columns?: number | undefined;
  /** What gives way first where not everything fits; default: the last column. */
  readonly yields?: readonly Yield[];
}

/** Narrowest that a last column is cut to before the others lose something. */
const LEAST_WIDTH = 12;
const GAP = 2;
const LEFT_OUT = -1;

/** The width of each column; negative for one that is left out. */
function fittingWidths(natural: readonly number[], room: number, yields: readonly Yield[]): number[] {
  const widths = [...natural];
  const spare = (): number => {
    const shown = widths.filter((width) => width >= 0);
    return room - shown.reduce((sum, width) => sum + width, GAP * Math.max(shown.length - 1, 0));
  };
  // From the last, and the first column after all others; an ellipsis still says that there is something.
  const others = [...natural.keys()].slice(1).reverse();
  const lastResort = [others, [0]].flatMap((group) =>
    [1, 0].flatMap((least) => group.map((column): Yield => [column, least])),
  );
  for (const [column, least] of [...yields, ...lastResort]) {
    if (spare() >= 0) break;
    const width = widths[column];
    if (width === undefined) continue;
    widths[column] = least <= 0 ? LEFT_OUT : Math.min(width, Math.max(least, width + spare()));
  }
  // Leaving a column out may have made more room than was needed.
  for (const [column, width] of widths.entries())
    if (width >= 0) widths[column] = Math.min(natural[column] ?? 0, width + Math.max(spare(), 0));
  return widths;
}

/** Pads by what is seen. */
export function formatTable(
  rows: readonly (readonly string[])[],
  { indent = '', style = (cell) => cell, columns, yields }: TableOptions = {},
): string[] {
  const natural: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) natural[column] = Math.max(natural[column] ?? 0, displayWidth(cell));
  // A terminal that does not know its width says 0.
  const room = columns ? columns - indent.length : Number.POSITIVE_INFINITY;
  const widths = fittingWidths(natural, room, yields ?? [[natural.length - 1, LEAST_WIDTH]]);
  return rows.map((row, index) => {
    const cells = row.flatMap((cell, column) => {
      const width = widths[column] ?? LEFT_OUT;
      if (width < 0) return [];
      const shown = shorten(cell, width);
      return (shown === '' ? '' : style(shown, column, index)) + ' '.repeat(width - displayWidth(shown));
    });
    return (indent + cells.join(' '.repeat(GAP))).trimEnd();
  });
}
