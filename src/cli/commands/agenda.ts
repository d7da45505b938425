import { listEvents } from '../../operations/list-events.ts';
import { type AddCommand, ask } from '../command.ts';
import { addRangeOptions, rangeInputOf } from '../range-options.ts';
import { renderAgenda } from '../render-agenda.ts';
import { screenOf } from '../shell.ts';

export const addAgenda: AddCommand = (program, shell, run) => {
  addRangeOptions(program.command('agenda'), 'today')
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

Exit status 0: complete; 3: printed, but an account could not be read.
More: calmcp help ranges`,
    )
    .action((words: string[], _options: unknown, command) =>
      run(() => {
        const { includeDeclined, ids, ...options } = command.optsWithGlobals();
        const input = { ...rangeInputOf(words, options), includeDeclined };
        return ask(shell, options, listEvents, input, (result) =>
          renderAgenda(result, screenOf(shell), { withIds: ids }),
        );
      }),
    );
};
