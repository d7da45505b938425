/** How every answer begins on a screen: what was read, and for which time. */

import { addDays } from '../core/civil-days.ts';
import type { AccountCoverage } from '../core/coverage.ts';
import type { Head } from '../operations/question.ts';
import { incompleteLine, offsetOf, weekdayName } from '../server/text.ts';
import { dayName, finalDayOf, isMidnight } from './day-names.ts';
import type { Screen, Style } from './shell.ts';
import { formatTable } from './table.ts';

/** Neighbours in this list differ most, for whoever has few accounts. */
const ACCOUNT_COLOURS = ['blue', 'orange', 'violet', 'teal', 'pink', 'brown', 'steel', 'mauve'] as const;
/** Stands before the events of an account, in its colour. */
export const MARKER = '▍';

/** Writes a text in the colour of an account: its place in the answer decides. */
export function accountPainter(
  accounts: readonly { readonly account: string }[],
  style: Style,
): (account: string | undefined, text: string) => string {
  const places = new Map(accounts.map(({ account }, index) => [account, index]));
  return (account, text) => {
    const colour = ACCOUNT_COLOURS[(places.get(account ?? '') ?? -1) % ACCOUNT_COLOURS.length];
    return colour === undefined ? text : style(colour, text);
  };
}

export function renderCoverage(accounts: readonly AccountCoverage[], complete: boolean, style: Style): string[] {
  const paint = accountPainter(accounts, style);
  const rows = accounts.map(({ account, status, calendars, skipped, message, hint, problems = [] }) => [
    // The legend of the events' markers.
    style.isColoured ? `${MARKER} ${account}` : account,
    status,
    [
      calendars === undefined ? undefined : `${calendars} calendar${calendars === 1 ? '' : 's'}`,
      skipped === undefined ? undefined : `${skipped} skipped`,
      message,
      hint,
      ...problems,
    ]
      .filter((fact) => fact !== undefined)
      .join('; '),
  ]);
  const lines = formatTable(rows, {
    style: (cell, column, row) => {
      if (column === 0) return paint(accounts[row]?.account, cell);
      return column === 1 ? style(cell === 'ok' ? 'green' : cell === 'stale' ? 'yellow' : 'red', cell) : cell;
    },
  });
  const warning = incompleteLine(accounts, complete);
  return warning === undefined ? lines : [...lines, style('red', warning)];
}

/** `Monday 23 November 2026 to Sunday 29 November 2026, Europe/Amsterdam (+01:00)`; with times where days are not whole. */
function rangeLine({ range, audience }: Pick<Head, 'range' | 'audience'>): string {
  const { start, end, timeZone } = range;
  const [firstDay, lastDay] = [start.slice(0, 10), finalDayOf(range)];
  const isWhole = isMidnight(start) && isMidnight(end);
  const offsets = [...new Set([offsetOf(start), offsetOf(end)])].join(' to ');
  const [from, to] = isWhole
    ? [dayName(firstDay), dayName(lastDay)]
    : [
        `${dayName(firstDay)} ${start.slice(11, 16)}`,
        `${firstDay === lastDay ? '' : `${dayName(lastDay)} `}${isMidnight(end) ? '24:00' : end.slice(11, 16)}`,
      ];
  const whom = audience === undefined ? '' : `, as ${audience} may see it`;
  return `${from === to ? from : `${from} to ${to}`}, ${timeZone} (${offsets})${whom}`;
}

const MIDNIGHT = '00:00';

/** `10:00–10:45`, `22:00–Fri 01:30`, `13:00–24:00`, `all day`; of times as `--json` has them. */
export function timesOn({
  start,
  end,
  allDay,
}: {
  readonly start: string;
  readonly end: string;
  readonly allDay?: true | undefined;
}): string {
  const [firstDay, endDay] = [start.slice(0, 10), end.slice(0, 10)];
  if (allDay) {
    const lastDay = addDays(endDay, -1);
    return lastDay <= firstDay ? 'all day' : `all day to ${weekdayName(lastDay)} ${lastDay.slice(8)}`;
  }
  const [from, to] = [start.slice(11, 16), end.slice(11, 16)];
  if (start === end) return from;
  // At midnight a day is over before the next one begins.
  const lastDay = to === MIDNIGHT ? addDays(endDay, -1) : endDay;
  const until = to === MIDNIGHT ? '24:00' : to;
  // Where clocks change in between, the same time of day may be another moment.
  const offset = offsetOf(end) === offsetOf(start) ? '' : offsetOf(end);
  return `${from}–${lastDay === firstDay ? '' : `${weekdayName(lastDay)} `}${until}${offset}`;
}

export function renderHead(head: Head, { style }: Screen): string[] {
  return [
    ...(head.notices ?? []).map((notice) => style('yellow', notice)),
    ...renderCoverage(head.accounts, head.complete, style),
    '',
    rangeLine(head),
  ];
}

/** A heading per day, and lines under it. */
export function renderDays<Item extends { readonly start: string }>(
  items: readonly Item[],
  lines: readonly string[],
  { style }: Screen,
): string[] {
  const rendered: string[] = [];
  let heading = '';
  for (const [index, { start }] of items.entries()) {
    const day = start.slice(0, 10);
    if (day !== heading) rendered.push('', style('bold', dayName(day)));
    heading = day;
    rendered.push(lines[index] ?? '');
  }
  return rendered;
}
