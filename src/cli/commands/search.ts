import { type AddQuestion, ask } from '../command.ts';
import { addAnswerOptions, addRangeOptions, answerInputOf, moreText, rangeInputOf } from '../range-options.ts';

const question = {
  name: 'search_events',
  load: async () => (await import('../alone.ts')).searchEvents,
};

export const addSearch: AddQuestion = (program, shell, run) => {
  addAnswerOptions(
    addRangeOptions(
      program.command('search').argument('[text]', 'words that must all occur; "in quotes" for a phrase'),
      '30 days back to 90 days ahead',
    ),
    'events',
    '50',
  )
    .summary('events by what they say')
    .description(
      'Finds events of all accounts by words in title, place, people or text. Case and accents do not matter. Quote what ' +
        'has spaces in it.',
    )
    .option('--include-declined', 'also what was declined')
    .option('--ids', 'also the ids that calmcp event get takes')
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
    .action((query: string | undefined, words: string[], _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals();
        const { includeDeclined, ids } = options;
        const input = {
          ...(query === undefined ? {} : { query }),
          ...rangeInputOf(words, options),
          ...answerInputOf(options),
          includeDeclined,
        };
        return ask(shell, options, question, input, async (result, screen) => {
          const { renderAgenda } = await import('../renderers.ts');
          const { count, events, truncated } = result;
          const note = truncated ? `\n${count} found; ${events.length} are shown.\n` : '';
          const found = renderAgenda(result, screen, { withIds: ids, isSelection: true });
          return found + note + moreText('search', result, options, shell);
        });
      }),
    );
};
