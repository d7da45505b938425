import { listAccounts } from '../../operations/list-accounts.ts';
import { type AddCommand, ask, EXIT_INCOMPLETE } from '../command.ts';
import { styleFor } from '../shell.ts';
import { formatTable } from '../table.ts';

export const addStatus: AddCommand = (program, shell, run) => {
  program
    .command('status')
    .summary('the accounts and who is signed in')
    .description('Prints every account, whether it is signed in and as whom, without asking any server.')
    .addHelpText('after', '\nExample:\n  calmcp status --json')
    .action((_options: unknown, command) =>
      run(async () => {
        const style = styleFor(shell.stdout, shell.env);
        let unknown = false;
        const status = await ask(shell, command.optsWithGlobals(), listAccounts, {}, ({ accounts }) => {
          unknown = accounts.some(({ signIn }) => signIn === 'unknown');
          if (accounts.length === 0) return 'No accounts yet: add one to accounts.yaml (see accounts.example.yaml).\n';
          const rows = accounts.map(({ account, provider, access, signIn, username, message, hint }) => [
            account,
            provider,
            access,
            signIn,
            username ?? '',
            [message, hint].filter((fact) => fact !== undefined).join('; '),
          ]);
          const colour = (state: string) => (state === 'signed-in' || state === 'not-needed' ? 'green' : 'red');
          return `${formatTable(rows, { style: (cell, column) => (column === 3 ? style(colour(cell), cell) : cell) }).join('\n')}\n`;
        });
        return unknown ? EXIT_INCOMPLETE : status;
      }),
    );
};
