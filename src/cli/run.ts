/** argv to exit status. */
import { Command, CommanderError, Option } from 'commander';
import { CalmcpError, ERRORS, toCalmcpError } from '../core/errors.ts';
import { LOG_LEVELS } from '../io/log.ts';
import { renderError } from '../server/text.ts';
import type { AddCommand, Run } from './command.ts';
import { addAccounts } from './commands/accounts.ts';
import { addAgenda } from './commands/agenda.ts';
import { addChildren } from './commands/children.ts';
import { addConflicts } from './commands/conflicts.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvent } from './commands/event.ts';
import { addFindTime } from './commands/find-time.ts';
import { addFreeBusy } from './commands/freebusy.ts';
import { addInit } from './commands/init.ts';
import { addLogin, addLogout } from './commands/login.ts';
import { addMcp } from './commands/mcp.ts';
import { addReport } from './commands/report.ts';
import { addSandbox } from './commands/sandbox.ts';
import { addSearch } from './commands/search.ts';
import { addStatus } from './commands/status.ts';
import { logOf } from './open-app.ts';
import type { Shell } from './shell.ts';

const COMMANDS: readonly AddCommand[] = [
  addInit,
  addAccounts,
  addLogin,
  addLogout,
  addStatus,
  addDoctor,
  addAgenda,
  addSearch,
  addFreeBusy,
  addFindTime,
  addConflicts,
  addEvent,
  addReport,
  addChildren,
  addMcp,
  addSandbox,
  addDemo,
];

const USAGE = ERRORS.INPUT_INVALID.exit;
/** What shells report for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

function createProgram(shell: Shell): Command {
  return new Command('calmcp')
    .description('Asks all your calendars at once: several Microsoft 365 tenants, feeds and files.')
    .version(shell.version, '-V, --version')
    .option('--config <path>', 'accounts.yaml to use')
    .option('--json', 'print exactly the structured result')
    .option('--time-zone <zone>', 'zone of the answer')
    .option(
      '--account <ids>',
      'accounts to ask, separated by commas; repeatable (default: all)',
      (value: string, before: string[] = []) => [
        ...before,
        ...value
          .split(',')
          .map((id) => id.trim())
          .filter((id) => id !== ''),
      ],
    )
    .addOption(new Option('--log <level>', 'what to log on stderr').choices([...LOG_LEVELS]))
    .configureOutput({ writeOut: (text) => shell.stdout.write(text), writeErr: (text) => shell.stderr.write(text) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('(add --help to see what there is)')
    .exitOverride();
}

/** The global options that a command has no use for; a command that is not named here uses them all. */
const UNUSED: Readonly<Record<string, readonly string[]>> = {
  init: ['json', 'timeZone', 'account'],
  login: ['json', 'timeZone'],
  logout: ['json', 'timeZone'],
  list: ['timeZone', 'account'],
  add: ['account'],
  remove: ['timeZone', 'account'],
  test: ['timeZone'],
  status: ['timeZone'],
  restart: ['timeZone', 'account'],
  logs: ['timeZone', 'account'],
  doctor: ['timeZone'],
  mcp: ['json', 'timeZone', 'account'],
  sandbox: ['json', 'timeZone', 'account', 'config'],
  get: ['account'],
  demo: ['json', 'timeZone', 'account', 'config'],
};

/** An option that is taken and does nothing would be believed. @throws CalmcpError INPUT_INVALID */
function refuseUnused(command: Command): void {
  const given = command.optsWithGlobals();
  const unused = (UNUSED[command.name()] ?? []).find((option) => given[option] !== undefined);
  if (unused === undefined) return;
  const flag = unused.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new CalmcpError('INPUT_INVALID', `${command.name()} has no use for --${flag}`, { hint: 'leave it out' });
}

function reportError(shell: Shell, thrown: unknown, level: string | undefined): number {
  const error = toCalmcpError(thrown);
  shell.stderr.write(`calmcp: ${renderError(error).replace(`${error.code}: `, '')}\n`);
  try {
    logOf(shell, { log: level }).debug('failed', { error: thrown });
  } catch {
    // An unknown log level has been reported already, as the error itself.
  }
  return ERRORS[error.code].exit;
}

/** Runs one command. @returns the exit status: 0, 3 for an incomplete answer, or that of the error (architecture.md) */
export async function runCli(argv: readonly string[], shell: Shell): Promise<number> {
  const program = createProgram(shell);
  let status = 0;
  const run: Run = async (action) => {
    status = await action();
  };
  for (const add of COMMANDS) add(program, shell, run);
  program.hook('preAction', (_program, command) => refuseUnused(command));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE;
    if (shell.interrupted.aborted && !(thrown instanceof CalmcpError)) return INTERRUPTED;
    return reportError(shell, thrown, program.opts<{ log?: string }>().log);
  }
}
