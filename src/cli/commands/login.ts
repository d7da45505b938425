import type { Account, App } from '../../accounts/registry.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Call, Identity } from '../../core/provider.ts';
import type { AddCommand } from '../command.ts';
import { type GlobalOptions, openAppFor } from '../open-app.ts';
import { withProgress } from '../progress.ts';
import type { Shell } from '../shell.ts';

/** Entra's device codes live 15 minutes. */
const SIGN_IN_MS = 15 * 60_000;

async function signIn(account: Account, shell: Shell): Promise<Identity> {
  const call: Call = {
    signal: AbortSignal.any([shell.interrupted, AbortSignal.timeout(SIGN_IN_MS)]),
    deadline: performance.now() + SIGN_IN_MS,
    countRequest: () => undefined,
  };
  return withProgress(shell.stderr, `waiting for the sign-in of ${account.id}`, () =>
    account.signIn(
      {
        deviceCode({ verificationUri, userCode, expiresInSeconds }) {
          shell.stderr.write(
            `${account.id}: open ${verificationUri} and type ${userCode} (within ${Math.round(expiresInSeconds / 60)} minutes)\n`,
          );
        },
      },
      call,
    ),
  );
}

/** The accounts that were named. @throws CalmcpError INPUT_INVALID where none was */
export function namedAccounts(app: App, { account = [] }: GlobalOptions, verb: string): readonly Account[] {
  if (account.length > 0) return account.map((id) => app.account(id));
  const known = app.accounts.filter(({ signInNeeded }) => signInNeeded).map(({ id }) => id);
  throw new CalmcpError('INPUT_INVALID', `which account? ${verb} needs --account`, {
    hint: known.length === 0 ? 'no account in accounts.yaml needs a sign-in' : `one of ${known.join(', ')}`,
  });
}

export const addLogin: AddCommand = (program, shell, run) => {
  program
    .command('login')
    .summary('sign in to an account')
    .description('Signs in with a code that you type on a web page, on this machine or any other.')
    .option('--all', 'every account that is not signed in, one after the other')
    .addHelpText('after', '\nExamples:\n  calmcp login --account xebia\n  calmcp login --all')
    .action((_options: unknown, command) =>
      run(async () => {
        const { all, ...options } = command.optsWithGlobals() as GlobalOptions & { all?: boolean };
        const app = await openAppFor(shell, options, true);
        try {
          const accounts = all ? await notSignedIn(app) : namedAccounts(app, options, 'login');
          if (accounts.length === 0) shell.stdout.write('Every account is signed in.\n');
          for (const account of accounts) {
            const { username } = await signIn(account, shell);
            shell.stdout.write(`${account.id}: signed in as ${username}\n`);
          }
          return 0;
        } finally {
          await app.close();
        }
      }),
    );
};

async function notSignedIn(app: App): Promise<readonly Account[]> {
  const states = await Promise.all(
    app.accounts.map(async (account) => ({ account, ...(await account.signInState()) })),
  );
  return states.filter(({ state }) => state === 'needs-login').map(({ account }) => account);
}

export const addLogout: AddCommand = (program, shell, run) => {
  program
    .command('logout')
    .summary('forget the sign-in of an account')
    .description('Removes the tokens of an account from this machine.')
    .addHelpText('after', '\nExample:\n  calmcp logout --account xebia')
    .action((_options: unknown, command) =>
      run(async () => {
        const options = command.optsWithGlobals() as GlobalOptions;
        const app = await openAppFor(shell, options, true);
        try {
          for (const account of namedAccounts(app, options, 'logout')) {
            await account.signOut();
            shell.stdout.write(`${account.id}: signed out; nothing of it is left on this machine\n`);
          }
          return 0;
        } finally {
          await app.close();
        }
      }),
    );
};
