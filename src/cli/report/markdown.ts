/** A report as Markdown: readable as it is, and as what it is made into. */
import type { FreeBusy } from '../../operations/get-free-busy.ts';
import { dayName } from '../day-names.ts';
import { displayWidth } from '../table.ts';
import { daysOf } from './days.ts';
import { factsOf } from './facts.ts';
import { KIND_WORDS } from './stretches.ts';

/** A text of somebody else's without the meaning that Markdown would give to its characters. */
function literal(text: string): string {
  return text.replaceAll(/[\\`*_{}[\]<>()#+!|~&]/g, String.raw`\$&`);
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => displayWidth(row[column] ?? ''))));
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const padded = rows.map((row) =>
    line(row.map((text, column) => text + ' '.repeat((widths[column] ?? 0) - displayWidth(text)))),
  );
  return [...padded.slice(0, 1), line(widths.map((width) => '-'.repeat(width))), ...padded.slice(1)];
}

export function renderMarkdown(answer: FreeBusy): string {
  const { title, whom, zone, asOf, free, warning } = factsOf(answer);
  const days = daysOf(answer);
  const namesAccounts = days.some(({ shares }) => shares.some(({ accounts }) => accounts.length > 0));
  const lines = [`# Free/busy, ${title}`, ''];
  if (warning !== undefined) lines.push(`**${literal(warning)}**`, '');
  lines.push(`- ${literal(whom)}`, `- Time zone: ${zone}`);
  if (asOf !== undefined) lines.push(`- As of: ${asOf}`);
  lines.push(`- Free within working hours: ${free}`);
  for (const { date, unusualHours, shares } of days) {
    lines.push(
      '',
      `## ${dayName(date)}${unusualHours === undefined ? '' : ` (${unusualHours} hours: clocks change)`}`,
      '',
    );
    if (shares.length === 0) {
      lines.push('No busy time, no working hours.');
      continue;
    }
    const rows = shares.map(({ times, kind, accounts }) => [
      times,
      KIND_WORDS[kind],
      ...(namesAccounts ? [literal(accounts.join(', '))] : []),
    ]);
    lines.push(...table([['Time', 'Status', ...(namesAccounts ? ['Accounts'] : [])], ...rows]));
  }
  return `${lines.join('\n')}\n`;
}
