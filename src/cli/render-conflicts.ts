/** Double bookings as a person reads them. */
import type { ConflictList } from '../operations/find-conflicts.ts';
import { accountPainter, renderDays, renderHead, timesOn } from './render-head.ts';
import type { Screen } from './shell.ts';
import { formatTable } from './table.ts';

/** The conflicts alone, day by day. */
export function conflictLines(answer: ConflictList, screen: Screen): string[] {
  const { style, columns } = screen;
  const { conflicts, events, complete, continued, count, possibleDuplicates, accounts } = answer;
  const paint = accountPainter(accounts, style);
  const byId = new Map(events.map((event) => [event.id, event]));
  const lines: string[] = [];
  if (conflicts.length === 0)
    lines.push('', `No ${continued ? 'more ' : ''}conflicts${complete ? '' : ' in the accounts that were read'}.`);
  // Two lines a pair: what wants the time, and when it is wanted as a whole.
  const rows = conflicts.flatMap((conflict) =>
    conflict.events.map((id, index) => {
      const event = id === null ? undefined : byId.get(id);
      const title = event === undefined ? 'another appointment' : (event.title ?? '(no title)');
      return {
        start: conflict.start,
        account: event?.accounts?.[0],
        cells: [
          index === 0 ? timesOn(conflict) : '',
          title,
          event === undefined ? '' : timesOn(event),
          event?.accounts?.join(', ') ?? '',
          index === 0 && conflict.tentative ? 'tentative' : '',
        ],
      };
    }),
  );
  const table = formatTable(
    rows.map(({ cells }) => cells),
    {
      indent: '  ',
      columns,
      style: (cell, column, row) => {
        if (column === 0) return style('red', cell);
        if (column === 3) return paint(rows[row]?.account, cell);
        return column === 1 ? cell : style('dim', cell);
      },
    },
  );
  lines.push(...renderDays(rows, table, screen));
  if (count !== undefined) lines.push('', `${count} conflicts in all; ${conflicts.length} are shown.`);
  if (possibleDuplicates !== undefined)
    lines.push('', style('dim', `Left out: ${possibleDuplicates} that look like copies of one meeting.`));
  return lines;
}

export function renderConflicts(answer: ConflictList, screen: Screen): string {
  return `${[...renderHead(answer, screen), ...conflictLines(answer, screen)].join('\n')}\n`;
}
