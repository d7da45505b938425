/** Proposed slots as a person reads them. */
import type { FreeTime } from '../operations/find-free-time.ts';
import { dayName } from './day-names.ts';
import { renderHead, timesOn } from './render-head.ts';
import type { Screen } from './shell.ts';
import { formatTable, type Yield } from './table.ts';

/** On a narrow screen the reasons give way first, then the day; never the mark that a slot is not verified, nor its times. */
const YIELDS: readonly Yield[] = [
  [2, 12],
  [0, 16],
  [2, 0],
];

/** The slots alone, a line each. */
export function slotLines({ slots, explanation }: FreeTime, { style, columns }: Screen): string[] {
  if (slots.length === 0) return [`No free slot: ${explanation ?? ''}.`];
  const rows = slots.map(({ start, end, reasons = [], unverified }, index) => [
    `${unverified === undefined ? ' ' : '?'} ${index + 1}. ${dayName(start.slice(0, 10))}`,
    timesOn({ start, end }),
    reasons.join(', '),
  ]);
  const unknown = [...new Set(slots.flatMap(({ unverified = [] }) => unverified))];
  const table = formatTable(rows, {
    columns,
    yields: YIELDS,
    style: (cell, column, row) => {
      if (column === 1) return style('cyan', cell);
      if (column === 2) return style('dim', cell);
      return slots[row]?.unverified === undefined ? cell : style('red', cell.slice(0, 1)) + cell.slice(1);
    },
  });
  return unknown.length === 0
    ? table
    : [...table, '', style('red', `? not verified: the time of ${unknown.join(', ')} is unknown, not free`)];
}

export function renderFreeTime(answer: FreeTime, screen: Screen): string {
  const people = (answer.people ?? []).flatMap(({ person, status, message }) =>
    status === 'ok' ? [] : [screen.style('red', `${person}: unknown, not free${message ? `: ${message}` : ''}`)],
  );
  return `${[...renderHead(answer, screen), ...people, '', ...slotLines(answer, screen)].join('\n')}\n`;
}
