import { searchEvents } from '../../operations/search-events.ts';
import { type AddCommand, ask } from '../command.ts';
import { addRangeOptions, parseCount, rangeInputOf } from '../range-options.ts';
import { renderAgenda } from '../render-agenda.ts';
import { screenOf } from '../shell.ts';

export const addSearch: AddCommand = (program, shell, run) => {
  addRangeOptions(
    program.command('search').argument('<text>', 'words that must all occur; "in quotes" for a phrase'),
    '30 days back to 90 days ahead',
  )
    .summary('events by what they say')
    .description(
      'Finds events of all accounts by words in title, place, people or text. Case and accents do not matter. Quote what ' +
        'has spaces in it.',
    )
    .option('--include-declined', 'also what was declined')
    .option('--ids', 'also the ids that calmcp event get takes')
    .option('--limit <number>', 'most events, at most 200; default: 50')
    .addHelpText(
      'after',
      `
Examples:
  calmcp search dentist
  calmcp search "steering committee" this month
  calmcp search reunion 2026-12 --account home --json

Exit status 0: complete; 3: printed, but an account could not be read.
More: calmcp help ranges`,
    )
    .action((query: string, words: string[], _options: unknown, command) =>
      run(() => {
        const { limit, includeDeclined, ids, ...options } = command.optsWithGlobals();
        const input = {
          query,
          ...rangeInputOf(words, options),
          includeDeclined,
          ...(limit === undefined ? {} : { limit: parseCount(limit, '--limit') }),
        };
        return ask(shell, options, searchEvents, input, (result) => {
          const note = result.truncated
            ? `\n${result.count} found; the first ${result.events.length} are shown.\n`
            : '';
          return renderAgenda(result, screenOf(shell), { withIds: ids, isSelection: true }) + note;
        });
      }),
    );
};
