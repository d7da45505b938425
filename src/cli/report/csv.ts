/** A report for spreadsheets and scripts: RFC 4180, with CRLF. */
import { zoneClock } from '../../core/time.ts';
import type { FreeBusy } from '../../operations/get-free-busy.ts';
import { incompleteLine } from '../../server/text.ts';
import { KIND_WORDS, stretchesOf } from './stretches.ts';

/**
 * What spreadsheets take for the beginning of a formula, and would run.
 * @see https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^[=+\-@\t\r]/;

function cell(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

/** A comment comes first where something is missing: no reader of the file can overlook it, and no row follows in silence. */
export function renderCsv(answer: FreeBusy): string {
  const clock = zoneClock(answer.range.timeZone);
  const warning = incompleteLine(answer.accounts, answer.complete);
  const rows = stretchesOf(answer).map(({ start, end, kind, accounts }) => [
    clock.format(start),
    clock.format(end),
    KIND_WORDS[kind],
    accounts.join(' '),
  ]);
  return [
    ...(warning === undefined ? [] : [`# ${warning}`]),
    ...[['start', 'end', 'status', 'accounts'], ...rows].map((row) => row.map(cell).join(',')),
    '',
  ].join('\r\n');
}
