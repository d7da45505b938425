import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { CalmcpError } from '../../core/errors.ts';
import { quoted, writePrivateFile } from '../../io/private-file.ts';
import { type FreeBusy, getFreeBusy } from '../../operations/get-free-busy.ts';
import { coverageLine } from '../../server/text.ts';
import { clockOf } from '../clock-of.ts';
import { type AddCommand, answerOf, EXIT_INCOMPLETE } from '../command.ts';
import type { GlobalOptions } from '../open-app.ts';
import { addRangeOptions, rangeInputOf } from '../range-options.ts';
import { renderCsv } from '../report/csv.ts';
import { renderHtml } from '../report/html.ts';
import { renderIcalendar } from '../report/icalendar.ts';
import { renderMarkdown } from '../report/markdown.ts';
import type { Shell } from '../shell.ts';

const FORMATS = ['md', 'csv', 'html', 'ics', 'json'] as const;
type Format = (typeof FORMATS)[number];

interface Options extends GlobalOptions {
  readonly format?: Format;
  readonly output?: string;
  readonly from?: string;
  readonly to?: string;
  readonly audience?: string;
}

/** What was said, else what the ending of the file says, else Markdown. @throws CalmcpError INPUT_INVALID */
function formatOf({ format, json, output = '' }: Options): Format {
  if (json && format !== undefined && format !== 'json')
    throw new CalmcpError('INPUT_INVALID', `--json and --format ${format} are two formats`, {
      hint: 'leave one of them out',
    });
  if (json) return 'json';
  const ending = extname(output).slice(1).toLowerCase();
  const known = ending === 'txt' ? 'md' : FORMATS.find((candidate) => candidate === ending);
  if (format === undefined && known === undefined && ending !== '')
    throw new CalmcpError('INPUT_INVALID', `there is no report of the kind .${ending.slice(0, 20)}`, {
      hint: `end the name in .${FORMATS.join(', .')}, or give --format`,
    });
  return format ?? known ?? 'md';
}

function render(format: Format, answer: FreeBusy, generatedAt: number): string {
  switch (format) {
    case 'md':
      return renderMarkdown(answer);
    case 'csv':
      return renderCsv(answer);
    case 'html':
      return renderHtml(answer);
    case 'ics':
      return renderIcalendar(answer, generatedAt);
    case 'json':
      return `${JSON.stringify(answer, null, 2)}\n`;
  }
}

/**
 * Where a report can be put, found out before anybody is asked; `undefined` for stdout. A symbolic link is followed.
 * @throws CalmcpError INPUT_INVALID
 */
async function targetOf({ cwd }: Shell, output: string | undefined): Promise<string | undefined> {
  if (output === undefined || output === '-') return undefined;
  // An empty variable of a script, say.
  if (output.trim() === '')
    throw new CalmcpError('INPUT_INVALID', '--output names no file', { hint: 'name one, or leave it out for stdout' });
  const path = resolve(cwd, output);
  const folder = dirname(path);
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory())
    throw new CalmcpError('INPUT_INVALID', `there is no folder ${folder}`, { hint: `run: mkdir -p ${quoted(folder)}` });
  const there = await stat(path).catch(() => undefined);
  if (there === undefined && (await lstat(path).catch(() => undefined)) !== undefined)
    throw new CalmcpError('INPUT_INVALID', `${path} is a symbolic link to a file that is not there`, {
      hint: `remove the link: rm ${quoted(path)}`,
    });
  if (there === undefined) return path;
  if (there.isDirectory())
    throw new CalmcpError('INPUT_INVALID', `${path} is a folder`, {
      hint: `name a file in it: ${quoted(resolve(path, 'freebusy.html'))}`,
    });
  // A pipe or a device would be replaced by a file.
  if (!there.isFile())
    throw new CalmcpError('INPUT_INVALID', `${path} is no regular file`, { hint: 'use -o - and redirect stdout' });
  return realpath(path);
}

async function report(shell: Shell, words: readonly string[], options: Options): Promise<number> {
  const format = formatOf(options);
  const target = await targetOf(shell, options.output);
  const now = clockOf(shell);
  const answer = await answerOf(shell, options, getFreeBusy, {
    range: words.length === 0 && options.from === undefined && options.to === undefined ? 'this week' : undefined,
    ...rangeInputOf(words, options),
    detail: 'full',
    // It goes to somebody else, who cannot ask again.
    maxAgeSeconds: 0,
  });
  const text = render(format, answer, now().epochMilliseconds);
  if (target === undefined) shell.stdout.write(text);
  else
    await writePrivateFile(target, text).catch((cause: unknown) => {
      throw new CalmcpError('INPUT_INVALID', `${target} cannot be written`, {
        hint: 'name a file in a folder of yours that is not full',
        cause,
      });
    });
  // For whoever runs it, and not for whoever the report is for: how to mend what is missing, and what calmcp says of itself.
  if (format !== 'json' || target !== undefined) {
    const failed = answer.accounts.filter(({ status }) => status !== 'ok' && status !== 'stale');
    for (const line of [...(answer.notices ?? []), ...failed.map(coverageLine)]) shell.stderr.write(`${line}\n`);
  }
  if (target !== undefined)
    shell.stderr.write(`${answer.complete ? 'The report' : 'The incomplete report'} is in ${target}\n`);
  return answer.complete ? 0 : EXIT_INCOMPLETE;
}

export const addReport: AddCommand = (program, shell, run) => {
  const reports = program
    .command('report')
    .summary('write a report to a file: Markdown, CSV, HTML, iCalendar, JSON')
    .description('Writes reports for scripts and for other people.')
    .addHelpText('after', '\nExample:\n  calmcp report freebusy next week --audience marimer -o week.html');
  addRangeOptions(reports.command('freebusy'), 'this week')
    .summary('when you are busy and free')
    .description(
      'Writes when you are busy and free, all accounts together, without titles. A report that could not read everything says so in its first lines.',
    )
    .addOption(
      new Option('--format <format>', 'default: what the ending of the file says, else md').choices([...FORMATS]),
    )
    .option('-o, --output <file>', 'the file to write, readable by you alone; - is stdout (default)')
    .addHelpText(
      'after',
      `
Examples:
  calmcp report freebusy
  calmcp report freebusy next week --audience marimer -o marimer.html
  calmcp report freebusy 2026-12 --format csv > december.csv

Exit status 0: complete; 3: written, but an account could not be read.`,
    )
    .action((words: string[], _options: unknown, command: Command) =>
      run(() => report(shell, words, command.optsWithGlobals<Options>())),
    );
};
