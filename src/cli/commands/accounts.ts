import type { Command } from 'commander';
import { addAccount, removeAccount } from '../../accounts/edit.ts';
import type { ChildSpec } from '../../core/child.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { SignInState } from '../../core/provider.ts';
import { neutralize } from '../../core/text.ts';
import { quoted } from '../../io/private-file.ts';
import { accountFlags, clearSecretWarnings, composeAccount } from '../account-entry.ts';
import { forgetChild } from '../children.ts';
import { type AddCommand, EXIT_INCOMPLETE, type Run } from '../command.ts';
import { editConfig } from '../edit-config.ts';
import { logOf } from '../log-of.ts';
import { type GlobalOptions, openAppFor, parseConfigText, pathsOf, readConfig, readConfigText } from '../open-app.ts';
import { withProgress } from '../progress.ts';
import { confirm } from '../prompt.ts';
import { type Shell, styleFor } from '../shell.ts';
import { formatTable } from '../table.ts';
import { exitOf, parseTimeout, tryAccount } from '../try-account.ts';

const childOf = (spec: ChildSpec | undefined): { readonly childServer?: string } =>
  spec === undefined ? {} : { childServer: spec.kind.server };

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** Ids of a file, right or not as the rest of it may be. */
async function idsOf(shell: Shell, options: GlobalOptions): Promise<ReadonlySet<string>> {
  const paths = pathsOf(shell, options);
  const text = await readConfigText(paths);
  if (text === undefined) return new Set();
  const { accounts } = parseConfigText(shell, paths, text, () => undefined);
  return new Set(accounts.map(({ id }) => id));
}

function addList(accounts: Command, shell: Shell, run: Run): void {
  accounts
    .command('list', { isDefault: true })
    .summary('what accounts.yaml says')
    .description('Prints the accounts of accounts.yaml, in its order. Asks no server and opens no sign-in.')
    .addHelpText('after', '\nExamples:\n  calmcp accounts list\n  calmcp accounts list --json')
    .action((_options: unknown, command: Command) =>
      run(async () => {
        const options = command.optsWithGlobals<GlobalOptions>();
        const config = await readConfig(shell, pathsOf(shell, options), options.config !== undefined);
        const listed = config.accounts.map(({ id, provider, settings, options: own }) => ({
          account: id,
          provider: provider.type,
          ...(settings.displayName === undefined ? {} : { displayName: neutralize(settings.displayName) }),
          access: settings.access,
          ...(settings.client === undefined || settings.client === id ? {} : { client: neutralize(settings.client) }),
          ...(settings.share === 'busy' ? {} : { share: settings.share }),
          ...(provider.where === undefined ? {} : { where: neutralize(provider.where(own)) }),
          ...childOf(provider.childSpec?.(own, id)),
        }));
        if (options.json) shell.stdout.write(json({ accounts: listed }));
        else if (listed.length === 0) shell.stdout.write('No accounts yet: calmcp accounts add\n');
        else {
          const rows = listed.map(
            ({ account, provider, displayName = '', access, client, share, where = '', childServer }) => [
              account,
              provider,
              displayName,
              access,
              [
                where,
                childServer && `through its child server ${childServer}`,
                client && `of ${client}`,
                share && `shares ${share}`,
              ]
                .filter(Boolean)
                .join(', '),
            ],
          );
          const style = styleFor(shell.stdout, shell.env);
          const { columns } = shell.stdout;
          shell.stdout.write(
            `${formatTable(rows, { columns, style: (cell, column) => (column === 0 ? style('bold', cell) : cell) }).join('\n')}\n`,
          );
        }
        return 0;
      }),
    );
}

function addAdd(accounts: Command, shell: Shell, run: Run): void {
  const add = accounts
    .command('add')
    .summary('add an account to accounts.yaml')
    .description(
      'Adds an account at the end of accounts.yaml and leaves the rest of the file as it is. On a terminal it asks for what is ' +
        `needed and was not given. A secret is better given as a reference, \${ENV:NAME} or \${FILE:path}, than in clear.`,
    )
    .argument('[id]', 'short name of the account: lower-case letters, digits, - and _')
    .option('--provider <kind>', `kind of account: ${shell.providers.map(({ type }) => type).join(', ')}`);
  // Made when this command runs: the schemas take their time, and no other command needs them.
  accounts.hook('preSubcommand', (_accounts, chosen) => {
    if (chosen === add) for (const option of accountFlags(shell.providers)) add.addOption(option);
  });
  add
    .option(
      '--set <key=value>',
      'any other field, with dots for what is inside of it; lists with commas, maps as JSON; repeatable',
      (value: string, before: string[] = []) => [...before, value],
    )
    .addHelpText(
      'after',
      `
--time-zone is the account's own zone here.

Examples:
  calmcp accounts add
  calmcp accounts add xebia --provider microsoft --client-id 1111… --tenant-id 2222… --access write
  calmcp accounts add marimer --provider microsoft --client-id 1111… --tenant-id 3333… --child
  calmcp accounts add home --provider google --client-id ….apps.googleusercontent.com --client-secret '\${ENV:HOME_CLIENT_SECRET}'
  calmcp accounts add feed --provider ics --url '\${ENV:FEED_URL}' --set calendars.exclude=Birthdays,Team`,
    )
    .action((id: string | undefined, _options: unknown, command: Command) =>
      run(async () => {
        const options = command.optsWithGlobals<GlobalOptions>();
        const { provider, set = [], ...given } = command.opts<{ provider?: string; set?: string[] }>();
        const paths = pathsOf(shell, options);
        const fields = {
          // A flag without a value says true.
          ...Object.fromEntries(Object.entries(given).map(([name, value]) => [name, String(value)])),
          ...(options.timeZone === undefined ? {} : { timeZone: options.timeZone }),
        };
        const account = await composeAccount(shell, paths, { id, provider, fields, set }, await idsOf(shell, options));
        const edit = await editConfig(shell, paths, (text) =>
          addAccount(text ?? 'version: 1\n\naccounts:\n', account.id, account.entry),
        );
        await edit.save();
        const warnings = [
          ...clearSecretWarnings(account),
          ...edit.unresolved.map((reference) => `${reference} has no value yet: set it before you use the account`),
        ];
        const signIn = (account.provider.signInMethods ?? []).length > 0;
        const next = signIn ? `calmcp login --account ${account.id}` : `calmcp accounts test ${account.id}`;
        for (const warning of warnings) shell.stderr.write(`${warning}\n`);
        const result = { account: account.id, provider: account.provider.type, file: paths.configFile, next };
        shell.stdout.write(
          options.json
            ? json(result)
            : `Added ${account.id} (${account.provider.type}) to ${paths.configFile}\nNext: ${next}\n`,
        );
        return 0;
      }),
    );
}

/** How the account is signed in; `undefined` where that cannot be told, which must not keep anybody from removing it. */
async function signInStateOf(shell: Shell, options: GlobalOptions, id: string): Promise<SignInState | undefined> {
  try {
    const app = await openAppFor(shell, options);
    try {
      return await app.account(id).signInState();
    } finally {
      await app.close();
    }
  } catch {
    return undefined;
  }
}

async function signOut(shell: Shell, options: GlobalOptions, id: string): Promise<void> {
  const app = await openAppFor(shell, options, { attended: true });
  try {
    const remark = await app.account(id).signOut();
    if (remark !== undefined) shell.stderr.write(`${id}: ${remark}\n`);
  } finally {
    await app.close();
  }
}

/** What was read goes with its account. One that cannot be opened must not keep anybody from removing it. */
async function wipeReadings(shell: Shell, options: GlobalOptions, id: string): Promise<void> {
  try {
    const app = await openAppFor(shell, options, { attended: true });
    await app
      .account(id)
      .wipeReadings()
      .finally(() => app.close());
  } catch (error) {
    logOf(shell, options).warn('what was read of the account may still be on disk, sealed', { error });
  }
}

function addRemove(accounts: Command, shell: Shell, run: Run): void {
  accounts
    .command('remove')
    .summary('take an account out of accounts.yaml')
    .description(
      'Takes an account out of accounts.yaml and leaves the rest of the file as it is. The file as it was is kept beside it, ' +
        'as accounts.yaml.bak. Its tokens stay on this machine unless you sign out of it, now with --logout or before.',
    )
    .argument('<id>', 'the account')
    .option('--logout', 'sign out first')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nExamples:\n  calmcp accounts remove xebia\n  calmcp accounts remove xebia --logout --yes')
    .action((id: string, _options: unknown, command: Command) =>
      run(async () => {
        const {
          logout = false,
          yes = false,
          ...options
        } = command.optsWithGlobals<GlobalOptions & { logout?: boolean; yes?: boolean }>();
        const paths = pathsOf(shell, options);
        const edit = await editConfig(shell, paths, (text) => {
          if (text !== undefined) return removeAccount(text, id);
          throw new CalmcpError('CONFIG_INVALID', `there is no ${paths.configFile}`, { hint: 'run: calmcp init' });
        });
        const signIn = logout ? undefined : await signInStateOf(shell, options, id);
        const tokensStay = signIn?.state === 'signed-in';
        if (!yes) {
          if (!shell.stderr.isTerminal)
            throw new CalmcpError('INPUT_INVALID', `to remove ${id} without being asked, add --yes`, {
              hint: `run: calmcp accounts remove ${id}${tokensStay ? ' --logout' : ''} --yes`,
            });
          if (tokensStay)
            shell.stderr.write(
              `${id} is signed in${signIn.identity === undefined ? '' : ` as ${neutralize(signIn.identity.username)}`}. Its tokens stay on this machine unless you add --logout.\n`,
            );
          if (!(await confirm(shell, `Remove ${id} from ${paths.configFile}?`))) {
            shell.stderr.write('Nothing was changed.\n');
            return 0;
          }
        }
        if (logout) {
          await signOut(shell, options, id);
          await forgetChild(paths, id);
        } else await wipeReadings(shell, options, id);
        const backup = `${paths.configFile}.bak`;
        await edit.save({ backup });
        const undo = `${shell.platform === 'win32' ? 'copy' : 'cp'} ${quoted(backup)} ${quoted(paths.configFile)}`;
        if (tokensStay)
          shell.stderr.write(`The tokens of ${id} stay on this machine; to remove them: undo, then add --logout\n`);
        shell.stdout.write(
          options.json
            ? json({ account: id, file: paths.configFile, backup, signedOut: logout, tokensStay, undo })
            : `Removed ${id} from ${paths.configFile}${logout ? ' and signed out of it' : ''}\nTo undo: ${undo}\n`,
        );
        return 0;
      }),
    );
}

function addTest(accounts: Command, shell: Shell, run: Run): void {
  accounts
    .command('test')
    .summary('read today from accounts, and say how that went')
    .description('Opens each account, lists its calendars and reads today. Shows no event.')
    .argument('[ids...]', 'accounts (default: all)')
    .option('--timeout <seconds>', 'how long an account may take', '20')
    .addHelpText(
      'after',
      '\nExamples:\n  calmcp accounts test\n  calmcp accounts test xebia --json\n\nExit status 0: all could be read; 3: some; others: none (calmcp help exit-status).',
    )
    .action((ids: readonly string[], _options: unknown, command: Command) =>
      run(async () => {
        const { timeout, ...options } = command.optsWithGlobals<GlobalOptions & { timeout: string }>();
        const deadlineMs = parseTimeout(timeout);
        const app = await openAppFor(shell, options);
        try {
          const named = [...new Set([...ids, ...(options.account ?? [])])].map((id) => app.account(id));
          const tested = named.length > 0 ? named : app.accounts;
          if (tested.length === 0)
            throw new CalmcpError('CONFIG_INVALID', 'accounts.yaml names no accounts yet', {
              hint: 'run: calmcp accounts add',
            });
          const label = `testing ${tested.map(({ id }) => id).join(', ')}`;
          const trials = await withProgress(shell.stderr, label, () =>
            Promise.all(tested.map((account) => tryAccount({ ...app, deadlineMs }, account, shell.interrupted))),
          );
          const complete = trials.every(({ coverage }) => coverage.status === 'ok');
          const results = trials.map(({ coverage, events, milliseconds }) => ({
            ...coverage,
            ...(events === undefined ? {} : { events }),
            milliseconds,
          }));
          if (options.json) shell.stdout.write(json({ complete, accounts: results }));
          else {
            const style = styleFor(shell.stdout, shell.env);
            const rows = results.map(({ account, status, calendars, events, milliseconds, ...result }) => [
              account,
              status,
              `${(milliseconds / 1_000).toFixed(1)} s`,
              [
                calendars === undefined ? undefined : `${calendars} calendar${calendars === 1 ? '' : 's'}`,
                events === undefined ? undefined : `${events} event${events === 1 ? '' : 's'} today`,
                result.message,
                result.hint,
                ...(result.problems ?? []),
              ]
                .filter((fact) => fact !== undefined)
                .join('; '),
            ]);
            const lines = formatTable(rows, {
              style: (cell, column) => (column === 1 ? style(cell.trim() === 'ok' ? 'green' : 'red', cell) : cell),
            });
            shell.stdout.write(`${lines.join('\n')}\n`);
          }
          const status = exitOf(
            trials.flatMap(({ error }) => error?.code ?? []),
            trials.some(({ error }) => error === undefined),
          );
          return status === 0 && !complete ? EXIT_INCOMPLETE : status;
        } finally {
          await app.close();
        }
      }),
    );
}

export const addAccounts: AddCommand = (program, shell, run) => {
  const accounts = program
    .command('accounts')
    .summary('list, add, remove and test accounts')
    .description('Edits accounts.yaml without losing a comment, and tries accounts out.')
    .addHelpText(
      'after',
      '\nExamples:\n  calmcp accounts list\n  calmcp accounts add\n  calmcp accounts test\n\nMore: calmcp help accounts',
    );
  addList(accounts, shell, run);
  addAdd(accounts, shell, run);
  addRemove(accounts, shell, run);
  addTest(accounts, shell, run);
};
