import { findConflicts } from '../../operations/find-conflicts.ts';
import { type AddCommand, ask } from '../command.ts';
import { addAnswerOptions, addRangeOptions, answerInputOf, moreText, rangeInputOf } from '../range-options.ts';
import { renderConflicts } from '../render-conflicts.ts';
import { screenOf } from '../shell.ts';

export const addConflicts: AddCommand = (program, shell, run) => {
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
        return ask(
          shell,
          options,
          findConflicts,
          input,
          (result) => renderConflicts(result, screenOf(shell)) + moreText('conflicts', result, options, shell),
        );
      }),
    );
};
