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

/** Pads by what is seen; styling goes on afterwards, by `style(cell, column)`. */
export function formatTable(
  rows: readonly (readonly string[])[],
  {
    indent = '',
    style = (cell) => cell,
  }: { readonly indent?: string; readonly style?: (cell: string, column: number, row: number) => string } = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell));
  return rows.map((row, index) => {
    const cells = row.map((cell, column) => {
      const padding = ' '.repeat((widths[column] ?? 0) - displayWidth(cell));
      return style(cell, column, index) + padding;
    });
    return (indent + cells.join('  ')).trimEnd();
  });
}
