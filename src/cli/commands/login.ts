import type { Account, App } from '../../accounts/registry.ts';
import { CalmcpError, toCalmcpError } from '../../core/errors.ts';
import { listAccounts } from '../../operations/list-accounts.ts';
import { renderError } from '../../server/text.ts';
import { type AddCommand, EXIT_INCOMPLETE } from '../command.ts';
import { type GlobalOptions, openAppFor } from '../open-app.ts';
import { type SignInChoice, signInTo } from '../sign-in.ts';

/** The accounts that were named. @throws CalmcpError INPUT_INVALID where none was */
export function namedAccounts(app: App, { account = [] }: GlobalOptions, verb: string): readonly Account[] {
  if (account.length > 0) return account.map((id) => app.account(id));
  const known = app.accounts.filter(({ signInMethods }) => signInMethods.length > 0).map(({ id }) => id);
  throw new CalmcpError('INPUT_INVALID', `which account? ${verb} needs --account`, {
    hint: known.length === 0 ? 'no account in accounts.yaml needs a sign-in' : `one of ${known.join(', ')}`,
  });
}

/** Those that need a sign-in: as far as this machine knows, and by what their servers say. */
async function notSignedIn(app: App, signal: AbortSignal): Promise<readonly Account[]> {
  const { accounts } = await listAccounts.run(app, { check: true }, { signal });
  const wanted = await Promise.all(
    app.accounts.map(async ({ id, signInMethods, signInState }) => {
      if (signInMethods.length === 0) return false;
      if (accounts.some(({ account, signIn }) => account === id && signIn === 'needs-login')) return true;
      // One whose cache cannot be opened is in need of a login, and will say so.
      return signInState().then(
        () => false,
        () => true,
      );
    }),
  );
  return app.accounts.filter((_account, index) => wanted[index]);
}

export const addLogin: AddCommand = (program, shell, run) => {
  program
    .command('login')
    .summary('sign in to an account')
    .description(
      'Signs in: in your browser where there is one, else with a code that you type on a web page (Microsoft), or by pasting\n' +
        'back the address of a page (Google, whose device codes do not cover calendars).',
    )
    .option('--all', 'every account that is not signed in, one after the other')
    .option('--browser', 'in a browser on this machine')
    .option('--no-browser', 'without a browser on this machine')
    .option('--device-code', 'with a code that is typed on a web page, on any machine (Microsoft)')
    .addHelpText(
      'after',
      `
Examples:
  calmcp login --account xebia
  calmcp login --account xebia --device-code
  calmcp login --account home --no-browser
  calmcp login --all

Exit status 0: signed in; 3: with --all, some were not; 77: not signed in.`,
    )
    .action((_options: unknown, command) =>
      run(async () => {
        const { all, browser, deviceCode, ...options } = command.optsWithGlobals() as GlobalOptions &
          SignInChoice & { all?: boolean };
        if (all && options.account !== undefined)
          throw new CalmcpError('INPUT_INVALID', 'give either --all or --account');
        const app = await openAppFor(shell, options, { attended: true });
        try {
          const accounts = all ? await notSignedIn(app, shell.interrupted) : namedAccounts(app, options, 'login');
          if (accounts.length === 0) shell.stdout.write('Every account is signed in.\n');
          let failed = 0;
          for (const [index, account] of accounts.entries()) {
            if (accounts.length > 1) shell.stderr.write(`[${index + 1}/${accounts.length}] ${account.id}\n`);
            try {
              const { identity } = await account.signInState().catch(() => ({ identity: undefined }));
              if (identity !== undefined)
                shell.stderr.write(`${account.id}: ${identity.username} is signed in; signing in anew\n`);
              const { username } = await signInTo(account, { browser, deviceCode }, shell);
              shell.stdout.write(`${account.id}: signed in as ${username}\n`);
            } catch (thrown) {
              // One that fails does not keep the others from being asked.
              if (accounts.length === 1 || shell.interrupted.aborted) throw thrown;
              failed++;
              shell.stderr.write(`${renderError(toCalmcpError(thrown).of(account.id))}\n`);
            }
          }
          if (failed === accounts.length && failed > 0)
            throw new CalmcpError('AUTH_REQUIRED', `none of the ${failed} accounts was signed in`);
          return failed === 0 ? 0 : EXIT_INCOMPLETE;
        } finally {
          await app.close();
        }
      }),
    );
};

export const addLogout: AddCommand = (program, shell, run) => {
  program
    .command('logout')
    .summary('forget the sign-in of an account')
    .description(
      'Removes the tokens of an account from this machine, and revokes them where the provider can (Google).',
    )
    .addHelpText('after', '\nExample:\n  calmcp logout --account xebia')
    .action((_options: unknown, command) =>
      run(async () => {
        const options = command.optsWithGlobals() as GlobalOptions;
        const app = await openAppFor(shell, options, { attended: true });
        try {
          for (const account of namedAccounts(app, options, 'logout')) {
            if (account.signInMethods.length === 0)
              throw new CalmcpError('INPUT_INVALID', `account ${account.id} needs no sign-in`, { account: account.id });
            const before = await account.signInState().catch(() => undefined);
            const remark = await account.signOut();
            shell.stdout.write(
              before?.state === 'needs-login'
                ? `${account.id}: was not signed in\n`
                : `${account.id}: signed out; nothing of it is left on this machine\n`,
            );
            if (remark !== undefined) shell.stderr.write(`${account.id}: ${remark}\n`);
          }
          return 0;
        } finally {
          await app.close();
        }
      }),
    );
};
