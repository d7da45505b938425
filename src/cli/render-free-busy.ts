/** Free and busy time as a person reads it. */
import type { FreeBusy } from '../operations/get-free-busy.ts';
import { accountPainter, renderDays, renderHead, timesOn } from './render-head.ts';
import { KIND_WORDS } from './report/stretches.ts';
import type { Screen } from './shell.ts';
import { formatTable } from './table.ts';

export function renderFreeBusy(answer: FreeBusy, screen: Screen): string {
  const { style, columns } = screen;
  const { blocks, free, complete, accounts, truncated, people = [] } = answer;
  const paint = accountPainter(accounts, style);
  const rows = [
    ...blocks.map(({ start, end, busy, accounts: own = [] }) => ({ start, end, kind: busy, own })),
    ...free.map(({ start, end }) => ({ start, end, kind: 'free' as const, own: [] as string[] })),
  ].sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
  const table = formatTable(
    rows.map((row) => [timesOn(row), KIND_WORDS[row.kind], row.own.join(', ')]),
    {
      indent: '  ',
      columns,
      style: (cell, column, row) => {
        if (column === 0) return style('cyan', cell);
        const { kind, own = [] } = rows[row] ?? {};
        if (column === 1)
          return kind === 'free' ? style('green', cell) : kind === 'unknown' ? style('red', cell) : cell;
        return own.map((account) => paint(account, account)).join(', ');
      },
    },
  );
  const lines = [...renderHead(answer, screen), ...renderDays(rows, table, screen)];
  if (blocks.length === 0 && complete && !truncated) lines.push('', 'Nothing takes time.');
  if (free.length === 0 && !truncated) lines.push('', 'No free time within working hours.');
  for (const { person, status, message, blocks: theirs } of people) {
    const rest = [status === 'unknown' ? style('red', 'unknown, not free') : undefined, message];
    lines.push('', [style('bold', person), ...rest].filter(Boolean).join(': '));
    if (status === 'unknown') continue;
    if (theirs.length === 0) lines.push('  nothing takes time');
    const cells = theirs.map((block) => [timesOn(block), KIND_WORDS[block.busy]]);
    lines.push(...renderDays(theirs, formatTable(cells, { indent: '  ' }), screen));
  }
  return `${lines.join('\n')}\n`;
}
