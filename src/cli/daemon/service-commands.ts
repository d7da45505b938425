/** `calmcp daemon install` and `uninstall`: the daemon as a service of the system. */
import { mkdir, readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { CalmcpError } from '../../core/errors.ts';
import { neutralize } from '../../core/text.ts';
import { isDaemonAlive, readDaemonRecord } from '../../io/daemon-record.ts';
import {
  createPrivateFile,
  quoted,
  removePrivateFile,
  replaceOwnFile,
  writePrivateFile,
} from '../../io/private-file.ts';
import { pause } from '../../io/time-limit.ts';
import { clockOf } from '../clock-of.ts';
import type { Run } from '../command.ts';
import { logOf } from '../log-of.ts';
import { type GlobalOptions, pathsOf } from '../open-app.ts';
import { type Shell, styleFor } from '../shell.ts';
import { stopDaemon } from './lifecycle.ts';
import { type ServiceFile, type SystemService, systemService } from './service.ts';
import { differenceLines } from './service-difference.ts';
import { type ServiceProgram, serviceProgram } from './service-program.ts';
import { serviceRemarks } from './service-remarks.ts';
import { ownerOf, ownerOfSealed } from './service-seal.ts';
import { runTool, type ToolCommand, typed } from './service-tool.ts';

interface InstallOptions extends GlobalOptions {
  readonly print?: true;
  readonly dryRun?: true;
  readonly force?: true;
  readonly pauseOn?: string;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** A file of a service is a page or two. */
const MAX_BYTES = 1_048_576;

type FileState =
  | 'missing'
  /** As install wrote it, for these accounts. */
  | 'own'
  /** As install wrote it, for those of another accounts.yaml or CALMCP_HOME. */
  | 'foreign'
  /** Changed since, or written by somebody else. */
  | 'edited';

interface FoundFile {
  readonly path: string;
  readonly state: FileState;
  readonly bytes: Buffer;
  readonly text: string;
}

const isUtf16 = (bytes: Buffer): boolean => bytes[0] === 0xff && bytes[1] === 0xfe;

/** @throws CalmcpError CONFIG_INVALID where something is there that cannot be read */
async function findFile(path: string, owner: string): Promise<FoundFile> {
  let bytes: Buffer;
  try {
    const status = await stat(path);
    if (!status.isFile() || status.size > MAX_BYTES)
      throw new CalmcpError('CONFIG_INVALID', `${path} is not the file of a service`, { hint: 'move it away' });
    bytes = await readFile(path);
  } catch (thrown) {
    if (thrown instanceof CalmcpError) throw thrown;
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT')
      return { path, state: 'missing', bytes: Buffer.alloc(0), text: '' };
    throw new CalmcpError('CONFIG_INVALID', `${path} cannot be read`, {
      cause: thrown,
      hint: 'check whose it is and its permissions',
    });
  }
  const text = bytes.toString(isUtf16(bytes) ? 'utf16le' : 'utf8').replace(/^\ufeff/, '');
  const sealedBy = ownerOfSealed(text);
  return { path, state: sealedBy === undefined ? 'edited' : sealedBy === owner ? 'own' : 'foreign', bytes, text };
}

const WHY: Readonly<Record<'foreign' | 'edited', string>> = {
  foreign: 'is of a calmcp with another accounts.yaml or CALMCP_HOME',
  edited: 'was changed since it was installed, or was written by somebody else',
};

/** @throws CalmcpError INPUT_INVALID for a file that somebody may miss */
function requireOwn(found: readonly FoundFile[], verb: 'install' | 'uninstall'): void {
  for (const { path, state } of found)
    if (state === 'foreign' || state === 'edited')
      throw new CalmcpError('INPUT_INVALID', `${path} ${WHY[state]}; it was left as it is`, {
        hint: `look at it; to ${verb === 'install' ? 'replace' : 'remove'} it all the same: calmcp daemon ${verb} --force`,
      });
}

/** Milliseconds between two tries. */
const AGAIN_MS = 500;

interface Failure {
  readonly command: ToolCommand;
  readonly why: string;
  readonly said?: string;
}

/** Runs them in turn. @returns what failed first */
async function runAll(shell: Shell, commands: readonly ToolCommand[]): Promise<Failure | undefined> {
  for (const command of commands)
    for (let left = command.tries ?? 1; left > 0; left--) {
      const result = await runTool(command, shell);
      shell.interrupted.throwIfAborted();
      if (result.outcome === 'done') break;
      if (result.outcome === 'missing') return { command, why: 'there is no such program' };
      if (result.outcome === 'slow') return { command, why: 'it did not end within 10 s' };
      if (command.mayRefuse === true || command.mayRefuse?.includes(Number(result.exit))) break;
      if (left === 1) return { command, why: `it failed (${result.exit})`, said: result.said };
      await pause(AGAIN_MS, shell.interrupted);
    }
  return undefined;
}

function failureError(
  { platform, program }: Shell,
  service: SystemService,
  { command, why, said }: Failure,
  kept: string,
  byHand: readonly ToolCommand[],
): CalmcpError {
  const commands = byHand.map((each) => typed(each, platform)).join(' && ');
  const isMissing = why.startsWith('there is no');
  return new CalmcpError('UNAVAILABLE', `${typed(command, platform)}: ${why}. ${kept}`, {
    cause: said === undefined ? undefined : new Error(said),
    hint: isMissing
      ? `have whatever starts programs here run: ${[program.node, program.script].map(quoted).join(' ')} daemon run --service`
      : `${service.trouble}: ${commands}`,
  });
}

async function isRunning(shell: Shell, { probes }: SystemService): Promise<boolean> {
  for (const probe of probes) {
    const { outcome } = await runTool(probe, shell);
    shell.interrupted.throwIfAborted();
    if (outcome !== 'done') return false;
  }
  return true;
}

async function write(shell: Shell, { path, content }: ServiceFile, before: FoundFile): Promise<string | undefined> {
  let backup: string | undefined;
  if (before.state === 'edited' || before.state === 'foreign') {
    const stamp = clockOf(shell)().toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
    for (let number = 1; backup === undefined; number++) {
      const candidate = `${path}.calmcp-backup-${stamp}${number === 1 ? '' : `-${number}`}`;
      if (await createPrivateFile(candidate, before.bytes)) backup = candidate;
    }
  }
  // A person's own file may be a link into a folder of dotfiles; what is in the state folder is not.
  if (typeof content === 'string') await replaceOwnFile(path, content);
  else await writePrivateFile(path, content);
  return backup;
}

/** Prints what would be written, and nothing else, for those who put it in place themselves. */
function print(shell: Shell, service: SystemService, files: readonly ServiceFile[], options: InstallOptions): number {
  const commands = service.start(false).map((command) => typed(command, shell.platform));
  if (options.json) {
    const shown = files.map(({ path, text }) => ({ path, text }));
    shell.stdout.write(json({ manager: service.id, files: shown, commands }));
    return 0;
  }
  const [main, ...others] = files;
  shell.stdout.write(main?.text ?? '');
  const encoding = typeof main?.content === 'string' ? '' : ', in UTF-16';
  shell.stderr.write(`Goes into ${main?.path}${encoding}, then: ${commands.join(' && ')}\n`);
  for (const { path, text } of others) shell.stderr.write(`It needs ${path} as well:\n${text}`);
  return 0;
}

/** Ends a daemon that no service manager looks after: it would keep the service from starting. */
async function endUnmanaged(shell: Shell, options: GlobalOptions, tell: (line: string) => void): Promise<boolean> {
  const record = await readDaemonRecord(pathsOf(shell, options).stateFolder);
  if (record === undefined || record.managed || !(await isDaemonAlive(record))) return false;
  await stopDaemon(shell, options);
  tell(`Ended the daemon that ran (process ${record.pid}).`);
  return true;
}

async function install(shell: Shell, options: InstallOptions): Promise<number> {
  const paths = pathsOf(shell, options);
  const [service, program]: [SystemService, ServiceProgram] = [
    await systemService(shell),
    await serviceProgram(shell, paths, options),
  ];
  const owner = ownerOf(paths.configFile, paths.stateFolder);
  const files = service.files(program, owner);
  const remarks = (await serviceRemarks(shell, paths, program, service)).map(neutralize);
  const remark = (): void => {
    for (const line of remarks) shell.stderr.write(`${line}\n`);
  };
  if (options.print) {
    const status = print(shell, service, files, options);
    remark();
    return status;
  }

  const output = options.json ? shell.stderr : shell.stdout;
  const tell = (line: string): void => output.write(`${line}\n`);
  const found = await Promise.all(files.map(({ path }) => findFile(path, owner)));
  const changes = files.flatMap((file, index) => {
    const before = found[index];
    return before === undefined || before.text === file.text ? [] : [{ file, before }];
  });
  const isNew = found.every(({ state }) => state === 'missing');
  const style = styleFor(output, shell.env);
  for (const { file, before } of changes) {
    if (before.state === 'missing' && !options.dryRun) continue;
    tell(style('bold', `${neutralize(file.path)}:`));
    for (const line of differenceLines(before.text, file.text, style)) tell(line);
  }
  const [main] = service.paths;
  const result = { manager: service.id, file: main, remarks };
  const commands = service.start(!isNew && changes.length > 0);
  if (options.dryRun) {
    if (changes.length === 0) tell(`${main} is as it would be written.`);
    for (const { before } of changes)
      if (before.state === 'edited' || before.state === 'foreign')
        tell(`${before.path} ${WHY[before.state]}: it would be replaced with --force alone.`);
    tell(
      `Nothing was written. It would run: ${commands.map((command) => typed(command, shell.platform)).join(' && ')}`,
    );
    if (options.json) shell.stdout.write(json({ ...result, changed: false, wouldChange: changes.length > 0 }));
    remark();
    return 0;
  }
  if (!options.force)
    requireOwn(
      changes.map(({ before }) => before),
      'install',
    );
  if (changes.length === 0 && (await isRunning(shell, service))) {
    tell(`Already installed: ${main}`);
    if (options.json) shell.stdout.write(json({ ...result, changed: false }));
    remark();
    return 0;
  }
  // launchd does not make the folder of its log.
  if (service.id === 'launchd') await mkdir(paths.stateFolder, { recursive: true, mode: 0o700 });
  const backups: string[] = [];
  for (const { file, before } of changes) {
    const backup = await write(shell, file, before);
    if (backup !== undefined) backups.push(backup);
    tell(`${before.state === 'missing' ? 'Wrote' : 'Replaced'} ${file.path}`);
  }
  for (const backup of backups) tell(`The file as it was: ${backup}`);
  const hasEnded = await endUnmanaged(shell, options, tell);
  const failure = await runAll(shell, commands);
  if (failure !== undefined) {
    if (hasEnded) tell('No daemon runs now. To start one without the system: calmcp daemon start');
    remark();
    throw failureError(shell, service, failure, `${main} is written and stays`, commands);
  }
  tell(`${service.title} starts calmcp's daemon now, and whenever you log in. See: calmcp daemon status`);
  if (options.json)
    shell.stdout.write(json({ ...result, changed: changes.length > 0, ...(backups.length > 0 ? { backups } : {}) }));
  remark();
  return 0;
}

async function uninstall(shell: Shell, options: InstallOptions): Promise<number> {
  const paths = pathsOf(shell, options);
  const service = await systemService(shell);
  const owner = ownerOf(paths.configFile, paths.stateFolder);
  const found = await Promise.all(service.paths.map((path) => findFile(path, owner)));
  const tell = (line: string): void => (options.json ? shell.stderr : shell.stdout).write(`${line}\n`);
  const there = found.filter(({ state }) => state !== 'missing');
  const [main] = service.paths;
  if (!options.force) requireOwn(there, 'uninstall');
  // Of a task the system keeps a copy, which outlives our file.
  const isKnown = await isRunning(shell, service);
  if (there.length === 0 && !isKnown) {
    tell(`Nothing is installed: there is no ${main}.`);
    if (options.json) shell.stdout.write(json({ manager: service.id, file: main, removed: [] }));
    return 0;
  }
  // The system would end it without letting it finish.
  if (!service.supervises) await endUnmanaged(shell, options, tell);
  const stop = service.stop(isKnown);
  const stopped = await runAll(shell, stop);
  for (const { path } of there) {
    await removePrivateFile(path);
    tell(`Removed ${path}`);
  }
  const failure = stopped ?? (await runAll(shell, service.forget));
  if (failure !== undefined)
    throw failureError(shell, service, failure, `The files are removed, and ${service.title} was not told`, [
      ...stop,
      ...service.forget,
    ]);
  tell(
    service.supervises
      ? 'The daemon ends when it has answered what it is asked. Clients work without it.'
      : 'Clients work without the daemon.',
  );
  if (options.json)
    shell.stdout.write(json({ manager: service.id, file: main, removed: there.map(({ path }) => path) }));
  return 0;
}

/** Adds `install` and `uninstall` to `calmcp daemon`. */
export function addDaemonService(daemon: Command, shell: Shell, run: Run): void {
  daemon
    .command('install')
    .summary('have the system start the daemon whenever you log in')
    .description(
      'Makes the daemon a service of the system: a user unit of systemd, an agent of launchd, or a task of Windows that runs when you ' +
        'log in. It works as calmcp does in this shell: --config, CALMCP_HOME, CALMCP_CONFIG, CALMCP_KEYSTORE, ' +
        'CALMCP_PASSPHRASE_FILE, CALMCP_LOG and PATH go along. Secrets never do. A file that is there and was not written by ' +
        'this command, or was changed since, is shown and left alone.',
    )
    .option('--pause-on <when>', 'as for calmcp daemon run: battery, metered, or both with a comma')
    .option('--print', 'print what would be written, and do nothing')
    .option('--dry-run', 'show what would change, and do nothing')
    .option('--force', 'replace also what somebody has changed; it is kept beside it')
    .addHelpText(
      'after',
      `
Examples:
  calmcp daemon install
  calmcp daemon install --print
  CALMCP_KEYSTORE=keyfile calmcp daemon install --dry-run

Exit status 0: it runs, or ran already; 64: the file of somebody else is in the way; 69: the system refused, and what was written stays.
More: docs/daemon.md`,
    )
    .action((_options: unknown, command: Command) =>
      run(async () => {
        const options = command.optsWithGlobals<InstallOptions>();
        if (options.print && (options.dryRun || options.force))
          throw new CalmcpError('INPUT_INVALID', '--print goes with neither --dry-run nor --force');
        // What is wrong is told now, not by a service that does not start.
        logOf(shell, options);
        if (options.pauseOn?.split(',').some((when) => !['battery', 'metered'].includes(when.trim())))
          throw new CalmcpError('INPUT_INVALID', '--pause-on: give battery, metered, or battery,metered');
        return install(shell, options);
      }),
    );
  daemon
    .command('uninstall')
    .summary('take the service away')
    .description(
      'Ends the service and removes exactly what install has written. Sign-ins and accounts stay, and clients work without a daemon.',
    )
    .option('--force', 'also where somebody has changed it')
    .addHelpText('after', '\nExample:\n  calmcp daemon uninstall')
    .action((_options: unknown, command: Command) =>
      run(() => uninstall(shell, command.optsWithGlobals<InstallOptions>())),
    );
}
