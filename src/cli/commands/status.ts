import { type AddQuestion, ask } from '../command.ts';

const question = {
  name: 'list_accounts',
  load: async () => (await import('../alone.ts')).listAccounts,
};

export const addStatus: AddQuestion = (program, shell, run) => {
  program
    .command('status')
    .summary('the accounts and who is signed in')
    .description('Prints every account, who is signed in, what was granted, and whether its server still accepts it.')
    .option('--offline', 'say what this machine knows, without asking any server')
    .addHelpText(
      'after',
      '\nExamples:\n  calmcp status\n  calmcp status --json --offline\n\nExit status 0: all was found out, signed in or not; 3: of an account it could not be.',
    )
    .action((options: { offline?: boolean }, command) =>
      run(() =>
        ask(
          shell,
          command.optsWithGlobals(),
          question,
          { check: !options.offline },
          async ({ accounts }, { style }) => {
            if (accounts.length === 0) return 'No accounts yet: calmcp accounts add\n';
            const { formatTable, sameMailboxAs } = await import('../renderers.ts');
            const rows = accounts.map(
              ({ account, provider, access, signIn, username, sameAs, scopes = [], lastsUntil, message, hint }) => [
                account,
                provider,
                access,
                signIn,
                username ?? '',
                [
                  scopes.length === 0 ? undefined : scopes.map((scope) => scope.split('/').at(-1)).join(' '),
                  lastsUntil === undefined || signIn !== 'signed-in' ? undefined : `unused it ends on ${lastsUntil}`,
                  sameMailboxAs(sameAs),
                  message,
                  hint,
                ]
                  .filter((fact) => fact !== undefined)
                  .join('; '),
              ],
            );
            const colour = (state: string) => (state === 'signed-in' || state === 'not-needed' ? 'green' : 'red');
            return `${formatTable(rows, { style: (cell, column) => (column === 3 ? style(colour(cell), cell) : cell) }).join('\n')}\n`;
          },
          ({ accounts }) => accounts.every(({ signIn }) => signIn !== 'unknown'),
        ),
      ),
    );
};
