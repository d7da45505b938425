import { type AddQuestion, ask } from '../command.ts';
import { addAnswerOptions, addRangeOptions, answerInputOf, moreText, rangeInputOf } from '../range-options.ts';

/** What `calmcp agenda` asks. */
const question = {
  name: 'list_events',
  load: async () => (await import('../alone.ts')).listEvents,
};

export const addAgenda: AddQuestion = (program, shell, run) => {
  addAnswerOptions(addRangeOptions(program.command('agenda'), 'today'), 'events', 'all')
    .summary('what all calendars say, merged')
    .description('Prints the merged events of all accounts, each meeting once, after what was read of each account.')
    .option('--include-declined', 'also what was declined')
    .option('--ids', 'also the ids that calmcp event get takes')
    .addHelpText(
      'after',
      `
Examples:
  calmcp agenda
  calmcp agenda this week --account xebia,home
  calmcp agenda --from 2026-12-01T09:00 --to 2026-12-01T18:00 --json
  calmcp agenda this month --limit 20

Exit status 0: complete; 3: printed, but an account could not be read.
More: calmcp help ranges`,
    )
    .action((words: string[], _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals();
        const { includeDeclined, ids, cursor } = options;
        const input = { ...rangeInputOf(words, options), ...answerInputOf(options), includeDeclined };
        return ask(shell, options, question, input, async (result, screen) => {
          const { renderAgenda } = await import('../renderers.ts');
          // Of a part nobody can say on which days there is nothing.
          const isSelection = result.truncated === true || cursor !== undefined;
          const agenda = renderAgenda(result, screen, { withIds: ids, isSelection });
          return agenda + moreText('agenda', result, options, shell);
        });
      }),
    );
};
