import { getFreeBusy } from '../../operations/get-free-busy.ts';
import { type AddCommand, ask } from '../command.ts';
import {
  addAnswerOptions,
  addRangeOptions,
  answerInputOf,
  moreText,
  rangeInputOf,
  splitList,
} from '../range-options.ts';
import { renderFreeBusy } from '../render-free-busy.ts';
import { screenOf } from '../shell.ts';

export const addFreeBusy: AddCommand = (program, shell, run) => {
  addAnswerOptions(addRangeOptions(program.command('freebusy'), 'today'), 'stretches', 'all')
    .summary('when you are busy and free, all accounts together')
    .description('Prints busy and free time of all accounts together, without titles. Unknown time is never free.')
    .option('--people <addresses>', 'also other people, by e-mail address, separated by commas')
    .option('--via <account>', 'the account that people are asked through')
    .addHelpText(
      'after',
      `
Examples:
  calmcp freebusy this week
  calmcp freebusy tomorrow --audience marimer
  calmcp freebusy next week --people architect@xebia.example --via xebia --json

Exit status 0: complete; 3: printed, but somebody's time could not be read.
More: calmcp help ranges`,
    )
    .action((words: string[], _options: unknown, command) =>
      run(() => {
        const options = command.optsWithGlobals();
        const { people, via } = options;
        const input = {
          ...rangeInputOf(words, options),
          ...answerInputOf(options),
          ...(people === undefined ? {} : { people: splitList(people) }),
          ...(via === undefined ? {} : { via }),
        };
        return ask(
          shell,
          options,
          getFreeBusy,
          input,
          (result) => renderFreeBusy(result, screenOf(shell)) + moreText('freebusy', result, options, shell),
        );
      }),
    );
};
