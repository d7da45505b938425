/** Columns as wide as their widest cell. */

/** Cells on a screen: East Asian wide characters and emoji take two. Combining marks take none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text))
    width +=
      /\p{Extended_Pictographic}|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]/u.test(
        segment,
      )
        ? 2
        : 1;
  return width;
}

/** As much of a text as fits, with an ellipsis where something is missing. */
function shorten(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let fitting = '';
  for (const { segment } of new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(text)) {
    if (displayWidth(fitting + segment) > width - 1) break;
    fitting += segment;
  }
  return `${fitting}…`;
}

export interface TableOptions {
  readonly indent?: string;
  /** Styling, put on after padding was counted. */
  readonly style?: (cell: string, column: number, row: number) => string;
  /** Width of the screen: what does not fit of the last column is cut. */
  readonly columns?: number | undefined;
}

/** Narrowest that a last column is cut to; a narrower screen has to wrap. */
const LEAST_WIDTH = 12;

/** Pads by what is seen. */
export function formatTable(
  rows: readonly (readonly string[])[],
  { indent = '', style = (cell) => cell, columns }: TableOptions = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
  const taken = indent.length + widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const left = columns === undefined ? Number.POSITIVE_INFINITY : Math.max(columns - taken, LEAST_WIDTH);
  return rows.map((row, index) => {
    const cells = row.map((cell, column) => {
      const last = column === row.length - 1;
      const shown = last ? shorten(cell, left) : cell;
      const padding = last ? '' : ' '.repeat((widths[column] ?? 0) - displayWidth(shown));
      return (shown === '' ? '' : style(shown, column, index)) + padding;
    });
    return (indent + cells.join('  ')).trimEnd();
  });
}
