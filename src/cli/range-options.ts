/** What the commands that ask about a stretch of time have in common. */
import type { Command } from 'commander';
import { CalmcpError } from '../core/errors.ts';
import { MOST_ITEMS } from '../operations/most-items.ts';
import type { GlobalOptions } from './open-app.ts';
import type { Shell } from './shell.ts';

/** Adds the range and whom the answer is for. @param usual what is asked about where no range is given */
export function addRangeOptions(command: Command, usual: string): Command {
  return command
    .argument('[range...]', `this week, tomorrow, 2026-12-01..2026-12-05, 2026-W49 …; default: ${usual}`)
    .option('--from <time>', 'instead of a range: a date or a time')
    .option('--to <time>', 'end for --from; a bare date includes that day')
    .option('--audience <client>', 'show only what this client may see; default: you, who sees all');
}

/** The same as an operation takes it. */
export function rangeInputOf(
  words: readonly string[],
  { from, to, audience }: { readonly from?: string; readonly to?: string; readonly audience?: string },
): Record<string, unknown> {
  return {
    ...(words.length === 0 ? {} : { range: words.join(' ') }),
    ...(from === undefined ? {} : { from }),
    ...(to === undefined ? {} : { to }),
    ...(audience === undefined ? {} : { audience }),
  };
}

/** Adds how much of an answer is wanted, and how fresh. @param usual how much is shown without a limit */
export function addAnswerOptions(command: Command, what: string, usual: string): Command {
  return command
    .option('--limit <number>', `most ${what} in one answer, at most ${MOST_ITEMS}; default: ${usual}`)
    .option('--cursor <text>', 'go on with an answer that was cut: it ends with the command for the next part')
    .option('--max-age <seconds>', 'how old what the daemon keeps may be; 0: read now; default: 60');
}

interface AnswerOptions extends GlobalOptions {
  readonly limit?: string | undefined;
  readonly maxAge?: string | undefined;
  readonly cursor?: string | undefined;
  readonly ids?: boolean | undefined;
}

export function answerInputOf({ limit, cursor, maxAge }: AnswerOptions): {
  limit?: number;
  cursor?: string;
  maxAgeSeconds?: number;
} {
  return {
    ...(maxAge === undefined ? {} : { maxAgeSeconds: parseCount(maxAge, '--max-age') }),
    ...(limit === undefined ? {} : { limit: parseCount(limit, '--limit') }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

function quoted(text: string, { platform }: Pick<Shell, 'platform'>): string {
  if (/^[\w./:@%+=,~-]+$/.test(text)) return text;
  return platform === 'win32' ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}

/** How a printed answer says that there is more: the command for it, in one line. What was asked is in the cursor. */
export function moreText(
  command: string,
  { nextCursor }: { readonly nextCursor?: string | undefined },
  { config, limit, ids }: AnswerOptions,
  shell: Pick<Shell, 'platform'>,
): string {
  if (nextCursor === undefined) return '';
  const words = [
    ...(config === undefined ? [] : ['--config', quoted(config, shell)]),
    ...(limit === undefined ? [] : ['--limit', limit]),
    ...(ids ? ['--ids'] : []),
  ];
  return `\nThere is more: ${['calmcp', command, ...words, '--cursor', nextCursor].join(' ')}\n`;
}

/** Minutes of `45`, `45m`, `1h`, `1h30m`, `1.5h` or `2d`. @throws CalmcpError INPUT_INVALID */
export function parseMinutes(text: string, option: string): number {
  const trimmed = text.trim().toLowerCase();
  const single = /^(\d+(?:\.\d+)?)\s*(m|min|minutes?|h|hours?|d|days?)?$/.exec(trimmed);
  const both = /^(\d+)\s*h\s*(\d{1,2})\s*(?:m|min)?$/.exec(trimmed);
  const minutes =
    single !== null
      ? Number(single[1]) * ({ h: 60, d: 1_440 }[(single[2] ?? 'm').charAt(0)] ?? 1)
      : both !== null
        ? Number(both[1]) * 60 + Number(both[2])
        : Number.NaN;
  if (Number.isInteger(minutes)) return minutes;
  throw new CalmcpError(
    'INPUT_INVALID',
    `${option}: ${JSON.stringify(text.slice(0, 20))} is no whole number of minutes`,
    {
      hint: 'write it as 45m, 1h or 1h30m',
    },
  );
}

/** A whole number. @throws CalmcpError INPUT_INVALID */
export function parseCount(text: string, option: string): number {
  if (/^\d{1,12}$/.test(text.trim())) return Number(text);
  throw new CalmcpError('INPUT_INVALID', `${option}: ${JSON.stringify(text.slice(0, 20))} is no number`, {
    hint: 'write it as 5',
  });
}

export const splitList = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
