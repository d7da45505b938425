import { getEvent } from '../../operations/get-event.ts';
import { type AddCommand, ask } from '../command.ts';
import { renderEvent } from '../render-event.ts';
import { screenOf } from '../shell.ts';

export const addEvent: AddCommand = (program, shell, run) => {
  const event = program.command('event').description('One event.').summary('one event');
  event
    .command('get')
    .argument('<id>', 'as calmcp agenda --ids and search --ids print it')
    .summary('all about one event')
    .description('Prints one event with its people, and with its text where asked for.')
    .option('--text', 'also the text that its author wrote')
    .option('--audience <client>', 'show only what this client may see; default: you, who sees all')
    .addHelpText(
      'after',
      `
Examples:
  calmcp search dentist --ids
  calmcp event get xebia.fwjcgmc5p3 --text`,
    )
    .action((id: string, _options: unknown, command) =>
      run(() => {
        const { text, audience, ...options } = command.optsWithGlobals();
        const input = { id, ...(text ? { text } : {}), ...(audience === undefined ? {} : { audience }) };
        return ask(shell, options, getEvent, input, (result) => renderEvent(result, screenOf(shell), text === true));
      }),
    );
};
