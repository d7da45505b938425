import { Argument } from 'commander';
import { neutralize } from '../../core/text.ts';
import type { AddCommand } from '../command.ts';

/** The shells of completion/scripts.ts, which is loaded when it is asked for. */
const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** What the scripts of shells ask, at each press of the tab key. */
const addComplete: AddCommand = (program, shell, run) => {
  program
    .command('__complete', { hidden: true })
    .addArgument(new Argument('<shell>').choices([...SHELLS]))
    .argument('[words...]', 'those before the cursor, and the one at it after a =')
    .action((name: (typeof SHELLS)[number], words: readonly string[]) =>
      run(async () => {
        const { candidatesFor } = await import('../completion/candidates.ts');
        const { joinAssignments } = await import('../completion/command-line.ts');
        const [typed = ''] = words.slice(-1);
        const current = typed.replace(/^=/, '');
        const isBash = name === 'bash';
        const joined = isBash ? joinAssignments([...words.slice(0, -1), current]) : [...words.slice(0, -1), current];
        const last = joined.at(-1) ?? '';
        // Whoever presses the tab key does not want to read of what is wrong.
        const found = await candidatesFor(shell, program, joined.slice(0, -1), last).catch(() => []);
        // Bash has cut the word at its = and puts the answer after that.
        const cut = isBash ? (/^--[\w-]+=/.exec(last)?.[0].length ?? 0) : 0;
        for (const [value, about = ''] of found) {
          const shown = value.startsWith('-') && cut > 0 ? value.slice(cut) : value;
          shell.stdout.write(`${neutralize(shown)}\t${neutralize(about)}\n`.replace(/^(:files)\t\n$/, '$1\n'));
        }
        return 0;
      }),
    );
};

export const addCompletion: AddCommand = (program, shell, run) => {
  addComplete(program, shell, run);
  program
    .command('completion')
    .summary('a script that has your shell complete calmcp')
    .description(
      'Prints a script that has a shell complete commands, options, account ids, ranges and topics at the tab key. Its first ' +
        'lines say where it goes.',
    )
    .addArgument(new Argument('<shell>', 'the shell').choices([...SHELLS]))
    .addHelpText(
      'after',
      `
Examples:
  source <(calmcp completion bash)                                          # in ~/.bashrc
  source <(calmcp completion zsh)                                           # in ~/.zshrc, after compinit
  calmcp completion fish > ~/.config/fish/completions/calmcp.fish
  calmcp completion powershell | Out-String | Invoke-Expression             # in $PROFILE`,
    )
    .action((name: (typeof SHELLS)[number]) =>
      run(async () => {
        const { SCRIPTS } = await import('../completion/scripts.ts');
        shell.stdout.write(SCRIPTS[name]);
        return 0;
      }),
    );
};
