// What all rows have in common: times, and the table that they end up in.

/** @param part of the sorted values that is not above the one given: 0.5 is the median */
export function quantile(values, part) {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
}

export const median = (values) => quantile(values, 0.5);

/** Milliseconds. */
export async function timed(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/**
 * Runs several works in turn, so that all see the same noise.
 * @param works by name; each gives milliseconds, or nothing, and is timed then
 * @returns all times, by name
 */
export async function inTurn(rounds, works) {
  const times = Object.fromEntries(Object.keys(works).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, work] of Object.entries(works)) {
      const started = performance.now();
      const told = await work();
      times[name].push(typeof told === 'number' ? told : performance.now() - started);
    }
  return times;
}

const digitsOf = (value) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
const textOf = (value) => (Number.isInteger(value) ? String(value) : value.toFixed(digitsOf(value)));

/**
 * One line of the table. A row is judged by its ratio where it has one, else by its figure.
 * @typedef {{
 *   what: string, figure: number, unit: string,
 *   ratio?: number, of?: string,
 *   aim?: number, rival?: number | string,
 * }} Row
 */

/** @param {Row} row */
function cellsOf({ what, figure, unit, ratio, of, aim, aimOf = ratio === undefined ? 'figure' : 'ratio', rival }) {
  const judged = aimOf === 'ratio' ? ratio : figure;
  const sign = aimOf === 'ratio' ? ' x' : ` ${unit}`;
  const verdict = aim === undefined ? '' : judged <= aim ? 'met' : 'MISSED';
  return [
    what,
    textOf(figure),
    unit,
    ratio === undefined ? '' : `${ratio.toFixed(2)} x`,
    of ?? '',
    aim === undefined ? '' : `<= ${aim}${sign}`,
    rival === undefined ? '' : typeof rival === 'string' ? rival : `${rival}${sign}`,
    verdict,
  ];
}

const HEAD = ['what', 'figure', 'unit', 'ratio', 'of', 'aim', 'best rival', 'aim is'];
/** Numbers stand at the right. */
const RIGHT = new Set([1, 3, 5, 6]);

/** @param {Row[]} rows @returns a table of Markdown that can be read as it is */
export function tableOf(rows) {
  const lines = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const pad = (text, column) => (RIGHT.has(column) ? text.padStart(widths[column]) : text.padEnd(widths[column]));
  const join = (cells) => `| ${cells.join(' | ')} |`;
  const rule = widths.map((width, column) => (RIGHT.has(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  const [head, ...body] = lines.map((line) => join(line.map(pad)));
  return [head, join(rule), ...body].join('\n');
}
