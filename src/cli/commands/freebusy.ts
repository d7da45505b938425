import { type AddQuestion, ask } from '../command.ts';
import {
  addAnswerOptions,
  addRangeOptions,
  answerInputOf,
  moreText,
  rangeInputOf,
  splitList,
} from '../range-options.ts';

const question = {
  name: 'get_free_busy',
  load: async () => (await import('../alone.ts')).getFreeBusy,
};

export const addFreeBusy: AddQuestion = (program, shell, run) => {
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
        return ask(shell, options, question, input, async (result, screen) => {
          const { renderFreeBusy } = await import('../renderers.ts');
          return renderFreeBusy(result, screen) + moreText('freebusy', result, options, shell);
        });
      }),
    );
};
