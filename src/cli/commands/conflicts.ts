import { type AddQuestion, ask } from '../command.ts';
import { addAnswerOptions, addRangeOptions, answerInputOf, moreText, rangeInputOf } from '../range-options.ts';

const question = {
  name: 'find_conflicts',
  load: async () => (await import('../alone.ts')).findConflicts,
};

export const addConflicts: AddQuestion = (program, shell, run) => {
  addAnswerOptions(addRangeOptions(program.command('conflicts'), 'the next 7 days'), 'conflicts', '50')
    .summary('real double bookings across all accounts')
    .description(
      'Prints pairs of different meetings that want one time. Copies of one meeting, free, declined and cancelled ones, ' +
        'and blocks that mirror another account do not count.',
    )
    .addHelpText(
      'after',
      `
Examples:
  calmcp conflicts
  calmcp conflicts this month --json

Exit status 0: complete; 3: printed, but an account could not be read.
More: calmcp help ranges`,
    )
    .action((words: string[], _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals();
        const input = { ...rangeInputOf(words, options), ...answerInputOf(options) };
        return ask(shell, options, question, input, async (result, screen) => {
          const { renderConflicts } = await import('../renderers.ts');
          return renderConflicts(result, screen) + moreText('conflicts', result, options, shell);
        });
      }),
    );
};
