/** Proposed slots as a person reads them. */
import type { FreeTime } from '../operations/find-free-time.ts';
import { dayName } from './render-agenda.ts';
import { renderHead, timesOn } from './render-head.ts';
import type { Screen } from './shell.ts';
import { formatTable } from './table.ts';

export function renderFreeTime(answer: FreeTime, screen: Screen): string {
  const { style, columns } = screen;
  const { slots, explanation, people = [] } = answer;
  const lines = renderHead(answer, screen);
  for (const { person, status, message } of people)
    if (status === 'unknown') lines.push(style('red', `${person}: unknown, not free${message ? `: ${message}` : ''}`));
  if (slots.length === 0) return `${[...lines, '', `No free slot: ${explanation ?? ''}.`].join('\n')}\n`;
  const rows = slots.map((slot, index) => [
    `${index + 1}.`,
    dayName(slot.start.slice(0, 10)),
    timesOn(slot),
    [
      slot.unverified === undefined ? undefined : `NOT VERIFIED: ${slot.unverified.join(', ')} unknown`,
      ...(slot.reasons ?? []),
    ]
      .filter(Boolean)
      .join(', '),
  ]);
  const table = formatTable(rows, {
    indent: '  ',
    columns,
    style: (cell, column, row) => {
      if (column === 2) return style('cyan', cell);
      return column === 3 ? style(slots[row]?.unverified === undefined ? 'dim' : 'red', cell) : cell;
    },
  });
  return `${[...lines, '', ...table].join('\n')}\n`;
}
