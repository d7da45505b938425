import type { Command } from 'commander';
import { CalmcpError } from '../../core/errors.ts';
import type { AddCommand } from '../command.ts';
import { suggest } from '../help/suggest.ts';
import type { Topic } from '../help/topic.ts';
import { styleFor } from '../shell.ts';
import { formatTable } from '../table.ts';

const visibleCommands = (command: Command): readonly Command[] => command.createHelp().visibleCommands(command);

/** The command that words lead to. */
function commandAt(program: Command, words: readonly string[]): Command | undefined {
  return words.reduce<Command | undefined>(
    (command, word) =>
      command === undefined ? undefined : visibleCommands(command).find((each) => each.name() === word),
    program,
  );
}

function unknown(program: Command, topics: readonly Topic[], words: readonly string[]): CalmcpError {
  const parent = words.length > 1 ? commandAt(program, words.slice(0, -1)) : undefined;
  const known =
    words.length === 1
      ? [...topics.map(({ name }) => name), ...visibleCommands(program).map((command) => command.name())]
      : (parent === undefined ? [] : visibleCommands(parent)).map((command) => command.name());
  const before = words.slice(0, -1);
  const meant = suggest(words.at(-1) ?? '', [...new Set(known)]).map((word) =>
    ['calmcp help', ...before, word].join(' '),
  );
  return new CalmcpError(
    'INPUT_INVALID',
    `there is no topic or command ${JSON.stringify(words.join(' ').slice(0, 60))}`,
    {
      hint:
        meant.length > 0
          ? `did you mean: ${meant.join(', or ')}`
          : 'the topics: calmcp help topics; the commands: calmcp help',
    },
  );
}

export const addHelp: AddCommand = (program, shell, run) => {
  const write = (text: string): void => shell.stdout.write(`${text.trimEnd()}\n`);
  program
    .command('help')
    .summary('about a command or a topic; help topics lists the topics')
    .description('Prints what there is to know about a command or a topic.')
    .argument('[words...]', 'a topic, a command (with its sub-command), or topics for the list of topics')
    .addHelpText(
      'after',
      `
Examples:
  calmcp help topics
  calmcp help ranges
  calmcp help accounts add`,
    )
    .action((words: readonly string[]) =>
      run(async () => {
        if (words.length === 0) {
          program.outputHelp();
          return 0;
        }
        // Loaded when somebody reads: no other command pays for it.
        const { TOPICS } = await import('../help/topics.ts');
        const style = styleFor(shell.stdout, shell.env);
        if (words.length === 1 && words[0] === 'topics') {
          const rows = TOPICS.map(({ name, summary }) => [`  ${name}`, summary]);
          write(['Topics:', ...formatTable(rows), '', 'Read one with: calmcp help NAME'].join('\n'));
          return 0;
        }
        const command = commandAt(program, words);
        const topic = words.length === 1 ? TOPICS.find(({ name }) => name === words[0]) : undefined;
        if (topic !== undefined) {
          const also = command === undefined ? '' : `\nThe command of that name: calmcp ${topic.name} --help\n`;
          write(
            `${style('bold', `${topic.name}: ${topic.summary}`)}\n\n${topic.text.replace(/^\n+|\s+$/g, '')}\n${also}`,
          );
          return 0;
        }
        if (command === undefined) throw unknown(program, TOPICS, words);
        // As if it were typed: `accounts add` has options that are made when it runs.
        await program.parseAsync([...words, '--help'], { from: 'user' });
        return 0;
      }),
    );
};
