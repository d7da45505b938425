/** argv to exit status. */
import { Command, CommanderError, Help, Option } from 'commander';
import { CalmcpError, ERRORS } from '../core/errors.ts';
import { LOG_LEVELS } from '../io/log.ts';
import type { AskingShell, Run } from './command.ts';
import { isUnused, refuseUnused } from './help/global-options.ts';

/** In the groups of `calmcp --help`. */
const COMMANDS: readonly (readonly [group: string, names: readonly string[]])[] = [
  ['Setting up:', ['init', 'accounts', 'login', 'logout', 'status', 'doctor']],
  ['Asking:', ['agenda', 'search', 'freebusy', 'find-time', 'conflicts', 'report']],
  ['One event:', ['event']],
  ['For clients and scripts:', ['mcp', 'install', 'daemon', 'children', 'completion']],
  ['Help, and trying it out:', ['help', 'demo', 'sandbox']],
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

/** What comes before a command. */
function createRoot(shell: AskingShell): Command {
  return new Command('calmcp')
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
}

/**
 * The commands, each with `run` around what it does.
 * @param name the one that will be run. One that asks comes alone; with any other all of them, as help and errors tell what there is
 */
export async function createProgram(shell: AskingShell, run: Run, name = ''): Promise<Command> {
  const { questions } = await import('./commands/questions.ts');
  const program = createRoot(shell);
  const one = Object.hasOwn(questions, name) ? questions[name] : undefined;
  if (one !== undefined) {
    one(program, shell, run);
    return program;
  }
  const [{ commands }, whole] = await Promise.all([
    import('./commands/commands.ts'),
    'providers' in shell ? shell : shell.whole(),
  ]);
  const all = { ...questions, ...commands };
  for (const [group, names] of COMMANDS) {
    program.commandsGroup(group);
    for (const each of names) all[each]?.(program, whole, run);
  }
  return program;
}

/** Runs one command. @returns the exit status: 0, 3 for an incomplete answer, or that of the error (architecture.md) */
export async function runCli(argv: readonly string[], shell: AskingShell): Promise<number> {
  let status = 0;
  let program: Command | undefined;
  try {
    // Read as the whole program begins: --version, and what is wrong with an option before the command, end here.
    const [name] = createRoot(shell).parseOptions([...argv]).operands;
    const run: Run = async (action) => {
      status = await action();
    };
    program = await createProgram(shell, run, name);
    await program.parseAsync(argv, { from: 'user' });
    return status;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : USAGE;
    if (shell.interrupted.aborted && !(thrown instanceof CalmcpError)) return INTERRUPTED;
    const { reportError } = await import('./report-error.ts');
    return reportError(shell, thrown, program?.opts<{ log?: string }>().log);
  }
}
