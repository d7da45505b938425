/** argv to exit status. */
import { Command, CommanderError, Help, Option } from 'commander';
import { CalmcpError, ERRORS, toCalmcpError } from '../core/errors.ts';
import { LOG_LEVELS } from '../io/log.ts';
import { renderError } from '../server/text.ts';
import type { AddCommand, Run } from './command.ts';
import { addAccounts } from './commands/accounts.ts';
import { addAgenda } from './commands/agenda.ts';
import { addChildren } from './commands/children.ts';
import { addCompletion } from './commands/completion.ts';
import { addConflicts } from './commands/conflicts.ts';
import { addDaemon } from './commands/daemon.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEvent } from './commands/event.ts';
import { addFindTime } from './commands/find-time.ts';
import { addFreeBusy } from './commands/freebusy.ts';
import { addHelp } from './commands/help.ts';
import { addInit } from './commands/init.ts';
import { addInstall } from './commands/install.ts';
import { addLogin, addLogout } from './commands/login.ts';
import { addMcp } from './commands/mcp.ts';
import { addReport } from './commands/report.ts';
import { addSandbox } from './commands/sandbox.ts';
import { addSearch } from './commands/search.ts';
import { addStatus } from './commands/status.ts';
import { inCommandWords } from './help/command-words.ts';
import { isUnused, refuseUnused } from './help/global-options.ts';
import { logOf } from './open-app.ts';
import type { Shell } from './shell.ts';

/** In the groups of `calmcp --help`. */
const COMMANDS: readonly (readonly [group: string, commands: readonly AddCommand[]])[] = [
  ['Setting up:', [addInit, addAccounts, addLogin, addLogout, addStatus, addDoctor]],
  ['Asking:', [addAgenda, addSearch, addFreeBusy, addFindTime, addConflicts, addReport]],
  ['One event:', [addEvent]],
  ['For clients and scripts:', [addMcp, addInstall, addDaemon, addChildren, addCompletion]],
  ['Help, and trying it out:', [addHelp, addDemo, addSandbox]],
];

const USAGE = ERRORS.INPUT_INVALID.exit;
/** What shells report for a program that Ctrl-C ended. */
const INTERRUPTED = 130;

const SUMMARY =
  'Asks all your calendars at once: several Microsoft 365 tenants, Google accounts, feeds and files, directly or through ' +
  'child MCP servers. One merged agenda, each meeting once, and a plain word about every account that could not be read.';

const ABOUT = `
Examples:
  calmcp demo                                   # all of it in a minute, without any account
  calmcp init                                   # the first step with accounts of your own
  calmcp agenda this week
  calmcp find-time next week --duration 45m
  calmcp install claude-desktop

Exit status 0: a complete answer; 3: an answer in which an account is missing; others: calmcp help exit-status.
More: calmcp COMMAND --help, and calmcp help topics.`;

/** All commands, each with `run` around what it does. */
export function createProgram(shell: Shell, run: Run): Command {
  const program = new Command('calmcp')
    .description(SUMMARY)
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
    .option('--no-daemon', 'work without the daemon, also where one runs')
    .option('--verbose', 'say on stderr what the answer cost: requests, repetitions, what came from memory')
    .configureOutput({ writeOut: (text) => shell.stdout.write(text), writeErr: (text) => shell.stderr.write(text) })
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions(command) {
        return Help.prototype.visibleGlobalOptions.call(this, command).filter((option) => !isUnused(command, option));
      },
    })
    .helpCommand(false)
    .addHelpText('after', ABOUT)
    .showHelpAfterError('(add --help to see what there is)')
    .exitOverride()
    .hook('preAction', (_program, command) => refuseUnused(command));
  for (const [group, commands] of COMMANDS) {
    program.commandsGroup(group);
    for (const add of commands) add(program, shell, run);
  }
  return program;
}

function reportError(shell: Shell, thrown: unknown, level: string | undefined): number {
  const error = toCalmcpError(thrown);
  shell.stderr.write(`calmcp: ${inCommandWords(renderError(error).replace(`${error.code}: `, ''))}\n`);
  try {
    logOf(shell, { log: level }).debug('failed', { error: thrown });
  } catch {
    // An unknown log level has been reported already, as the error itself.
  }
  return ERRORS[error.code].exit;
}

/** Runs one command. @returns the exit status: 0, 3 for an incomplete answer, or that of the error (architecture.md) */
export async function runCli(argv: readonly string[], shell: Shell): Promise<number> {
  let status = 0;
  const program = createProgram(shell, async (action) => {
    status = await action();
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE;
    if (shell.interrupted.aborted && !(thrown instanceof CalmcpError)) return INTERRUPTED;
    return reportError(shell, thrown, program.opts<{ log?: string }>().log);
  }
}
