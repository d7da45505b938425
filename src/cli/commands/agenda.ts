import { listEvents } from '../../operations/list-events.ts';
import { type AddCommand, ask } from '../command.ts';
import { renderAgenda } from '../render-agenda.ts';
import { screenOf } from '../shell.ts';

export const addAgenda: AddCommand = (program, shell, run) => {
  program
    .command('agenda')
    .summary('what all calendars say, merged')
    .description('Prints the merged events of all accounts, each meeting once, after what was read of each account.')
    .argument('[range...]', 'this week, tomorrow, 2026-12-01..2026-12-05, 2026-W49 …; default: today')
    .option('--from <time>', 'instead of a range: a date or a time')
    .option('--to <time>', 'end for --from; a bare date includes that day')
    .option('--include-declined', 'also what was declined')
    .addHelpText(
      'after',
      `
Examples:
  calmcp agenda
  calmcp agenda this week --account xebia,home
  calmcp agenda --from 2026-12-01T09:00 --to 2026-12-01T18:00 --json

Exit status 0: complete; 3: printed, but an account could not be read.`,
    )
    .action((words: string[], _options: unknown, command) =>
      run(() => {
        const { from, to, includeDeclined, ...options } = command.optsWithGlobals();
        const input = { ...(words.length === 0 ? {} : { range: words.join(' ') }), from, to, includeDeclined };
        return ask(shell, options, listEvents, input, (result) => renderAgenda(result, screenOf(shell)));
      }),
    );
};
