/** Proposed slots as a person reads them. */
import type { FreeTime } from '../operations/find-free-time.ts';
import { dayName } from './render-agenda.ts';
import { renderHead, timesOn } from './render-head.ts';
import type { Screen } from './shell.ts';
import { formatTable } from './table.ts';

/** The slots alone, a line each. */
export function slotLines({ slots, explanation }: FreeTime, { style, columns }: Screen): string[] {
  if (slots.length === 0) return [`No free slot: ${explanation ?? ''}.`];
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
  return formatTable(rows, {
    indent: '  ',
    columns,
    style: (cell, column, row) => {
      if (column === 2) return style('cyan', cell);
      return column === 3 ? style(slots[row]?.unverified === undefined ? 'dim' : 'red', cell) : cell;
    },
  });
}

export function renderFreeTime(answer: FreeTime, screen: Screen): string {
  const people = (answer.people ?? []).flatMap(({ person, status, message }) =>
    status === 'ok' ? [] : [screen.style('red', `${person}: unknown, not free${message ? `: ${message}` : ''}`)],
  );
  return `${[...renderHead(answer, screen), ...people, '', ...slotLines(answer, screen)].join('\n')}\n`;
}
