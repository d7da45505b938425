import type { Command } from 'commander';
import { CalmcpError } from '../../core/errors.ts';
import { neutralize } from '../../core/text.ts';
import { isNewer } from '../../io/daemon-version.ts';
import { type AddCommand, EXIT_INCOMPLETE, type Run } from '../command.ts';
import { type DaemonStatus, lookAtDaemon, noticesOf, type Seen, startDaemon, stopDaemon } from '../daemon/lifecycle.ts';
import type { PauseOn } from '../daemon/run-daemon.ts';
import { addDaemonService } from '../daemon/service-commands.ts';
import type { GlobalOptions } from '../open-app.ts';
import { withProgress } from '../progress.ts';
import type { Shell } from '../shell.ts';
import { formatTable } from '../table.ts';

const MOST_IDLE_MINUTES = 10_080;

/** @throws CalmcpError INPUT_INVALID */
function parseMinutes(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && minutes > 0 && minutes <= MOST_IDLE_MINUTES) return minutes;
  throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(text.slice(0, 20))} is no number of minutes`, {
    hint: `give one from 0.01 to ${MOST_IDLE_MINUTES}`,
  });
}

const IDLE = ['--idle-minutes <number>', 'end when nobody has been connected for so long'] as const;

const PAUSE = [
  '--pause-on <when>',
  'battery, metered, or both with a comma: look at nothing then that nobody asks about',
] as const;
const PAUSE_ON: readonly PauseOn[] = ['battery', 'metered'];

/** @throws CalmcpError INPUT_INVALID */
function parsePauseOn(text = ''): readonly PauseOn[] {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  const unknown = words.find((word) => !PAUSE_ON.some((when) => when === word));
  if (unknown === undefined) return PAUSE_ON.filter((when) => words.includes(when));
  throw new CalmcpError('INPUT_INVALID', '--pause-on: give battery, metered, or battery,metered');
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const FLAGS = { idleMinutes: '--idle-minutes', pauseOn: '--pause-on', log: '--log' } as const;

const OTHER_SURROUNDINGS =
  'It is not used from here: it was started with another accounts.yaml, keystore, clock, time zone or variables that accounts.yaml names.';

function addRun(daemon: Command, shell: Shell, run: Run): void {
  daemon
    .command('run')
    .summary('the daemon itself, in the foreground')
    .description(
      'Answers for all clients on this machine until Ctrl-C, or until it is told to finish. Logs to stderr. An older daemon that ' +
        'runs already is told to finish first; where one runs that is as new, this one ends with status 75.',
    )
    .option('--service', 'a service manager started it, and starts it again')
    .option(...IDLE)
    .option(...PAUSE)
    .addHelpText(
      'after',
      '\nExamples:\n  calmcp daemon run\n  calmcp daemon run --log info\n  calmcp daemon run --service',
    )
    .action((_options: unknown, command: Command) =>
      run(async () => {
        const { service, ...options } = command.optsWithGlobals<
          GlobalOptions & { service?: true; idleMinutes?: string; pauseOn?: string }
        >();
        const idleMinutes = parseMinutes(options.idleMinutes);
        const pauseOn = parsePauseOn(options.pauseOn);
        const { runDaemon } = await import('../daemon/run-daemon.ts');
        return runDaemon(shell, { ...options, service: service === true, idleMinutes, pauseOn });
      }),
    );
}

function addStart(daemon: Command, shell: Shell, run: Run): void {
  daemon
    .command('start')
    .summary('start it in the background')
    .description(
      'Starts the daemon in a process of its own, which goes on when this terminal is closed, and waits until it answers. Where one ' +
        'runs already that is as new as this program, that is fine; an older one is replaced. Its log is daemon.log in the state folder.',
    )
    .option(...IDLE)
    .option(...PAUSE)
    .addHelpText('after', '\nExamples:\n  calmcp daemon start\n  calmcp daemon start --idle-minutes 30')
    .action((_options: unknown, command: Command) =>
      run(async () => {
        const options = command.optsWithGlobals<GlobalOptions & { idleMinutes?: string; pauseOn?: string }>();
        const idleMinutes = parseMinutes(options.idleMinutes);
        const pauseOn = parsePauseOn(options.pauseOn);
        const { record, outcome, isUsedHere, notices } = await withProgress(shell.stderr, 'starting the daemon', () =>
          startDaemon(shell, options, { idleMinutes, ...(pauseOn.length === 0 ? {} : { pauseOn: pauseOn.join(',') }) }),
        );
        const { pid, socket, version } = record;
        if (options.json) shell.stdout.write(json({ outcome, pid, version, socket, usedHere: isUsedHere, notices }));
        else {
          const what = {
            started: 'started',
            replaced: 'started in the place of an older one',
            running: 'runs already',
          };
          shell.stdout.write(`The daemon ${what[outcome]}: process ${pid}, calmcp ${version}\nSocket: ${socket}\n`);
          const given = (['idleMinutes', 'pauseOn', 'log'] as const).filter((name) => options[name] !== undefined);
          if (outcome === 'running' && given.length > 0)
            shell.stdout.write(
              `It goes on as it was started, without ${given.map((name) => FLAGS[name]).join(', ')}: calmcp daemon stop, and start it again\n`,
            );
          for (const notice of notices) shell.stdout.write(`${neutralize(notice)}\n`);
          if (!isUsedHere)
            shell.stdout.write(`${OTHER_SURROUNDINGS}\nTo use one: calmcp daemon stop, then calmcp daemon start\n`);
        }
        return 0;
      }),
    );
}

function addStop(daemon: Command, shell: Shell, run: Run): void {
  daemon
    .command('stop')
    .summary('let it finish, or end it')
    .description(
      'Has the daemon finish: it takes no new question, lets those under way end (25 s at most), and ends its child servers. One ' +
        'that does not is ended. Clients go on alone. What a daemon that was killed has left is removed.',
    )
    .addHelpText('after', '\nExample:\n  calmcp daemon stop')
    .action((_options: unknown, command: Command) =>
      run(async () => {
        const options = command.optsWithGlobals<GlobalOptions>();
        const stopped = await withProgress(shell.stderr, 'the daemon finishes', () => stopDaemon(shell, options));
        const what = {
          none: 'No daemon runs.',
          finished: 'The daemon has finished.',
          ended: 'The daemon did not answer, and was ended.',
        };
        shell.stdout.write(options.json ? json({ outcome: stopped }) : `${what[stopped]}\n`);
        return 0;
      }),
    );
}

/** What `status --json` prints, one way or the other. */
function structured(shell: Shell, seen: Seen): Record<string, unknown> {
  if (seen.state === 'none') return { state: seen.state, leftovers: seen.leftovers };
  const { pid, version, socket, configFile, managed, since } = seen.record;
  const record = { pid, version, socket, configFile, managed, since };
  if (seen.state === 'hung') return { state: seen.state, ...record };
  return {
    state: seen.state,
    ...record,
    ...seen.status,
    usedHere: seen.isUsedHere,
    outdated: isNewer(shell.version, seen.record.version),
  };
}

const MIB = 1_048_576;

const mib = (bytes: unknown): string => `${Math.round(Number(bytes) / MIB)} MiB`;

const factsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};

const listOf = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.map(factsOf) : [];

/** How people call what is counted: of one, and of many. */
const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  requests: ['request', 'requests'],
  retries: ['of them repeated', 'of them repeated'],
  throttled: ['told to slow down', 'told to slow down'],
  waiting: ['waits', 'wait'],
  running: ['under way', 'under way'],
  refusedByBreaker: ['not sent as it fails', 'not sent as it fails'],
  hits: ['question answered from memory', 'questions answered from memory'],
  stale: ['of them stale', 'of them stale'],
  joined: ['joined another', 'joined another'],
  misses: ['read', 'read'],
  confirmed: ['look that found nothing new', 'looks that found nothing new'],
  refreshed: ['reading in the background', 'readings in the background'],
  kept: ['reading in memory', 'readings in memory'],
  events: ['event', 'events'],
};

/** `12 requests, 1 of them repeated`: the numbers of an object that are not 0. */
function numbersIn(value: unknown): string {
  const facts = factsOf(value);
  const { breaker } = facts;
  return [
    ...Object.entries(WORDS).flatMap(([name, [one, many]]) => {
      const fact = facts[name];
      return typeof fact === 'number' && fact !== 0 ? [`${fact} ${fact === 1 ? one : many}`] : [];
    }),
    ...(breaker === 'open' || breaker === 'half-open' ? [`fails, and is left alone (breaker ${breaker})`] : []),
  ].join(', ');
}

/** `2026-11-23T08:00Z, 3 minutes ago` */
function sinceOf({ since }: { readonly since: string }): string {
  const minutes = Math.max(0, Math.round((Date.now() - Date.parse(since)) / 60_000));
  const [count, unit] =
    minutes < 120
      ? [minutes, 'minute']
      : minutes < 2_880
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / 1_440), 'day'];
  return `${since.slice(0, 16)}Z, ${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

function renderRunning(shell: Shell, seen: Seen & { readonly state: 'runs' }): string {
  const { record, isUsedHere } = seen;
  const status: DaemonStatus = seen.status;
  const memory = factsOf(status.memory);
  const paused = Array.isArray(status.pauseOn) ? status.pauseOn.map(String) : [];
  const sessions = factsOf(status.sessions);
  const head = formatTable([
    ['process', `${record.pid}${record.managed ? ', of a service manager' : ''}`],
    ['version', record.version],
    ['since', sinceOf(record)],
    ['socket', record.socket],
    ['accounts', record.configFile],
    ['memory', `${mib(memory.rss)}, of that ${mib(memory.heapUsed)} in use`],
    ['sessions', `${sessions.now} now, ${sessions.ever} ever`],
    ['questions', String(status.questions)],
    ...(paused.length === 0 ? [] : [['pauses on', paused.join(', ')]]),
  ]);
  const accounts = listOf(status.accounts).map(({ id, provider, traffic, readings }) => [
    String(id),
    String(provider),
    [numbersIn(traffic), numbersIn(readings)].filter((part) => part !== '').join('; ') || 'not asked yet',
  ]);
  const children = listOf(status.children).map(({ account, server, state, pid }) => [
    String(account),
    `server ${server}`,
    `${state}${pid === undefined ? '' : `, process ${pid}`}`,
  ]);
  const isOld = isNewer(shell.version, record.version);
  return [
    'The daemon runs.',
    ...head.map((row) => `  ${row}`),
    ...formatTable(
      [...accounts, ...children].map((row) => row.map(neutralize)),
      { indent: '  ' },
    ),
    ...noticesOf(status).map(neutralize),
    ...(isUsedHere ? [] : [OTHER_SURROUNDINGS]),
    ...(isOld ? [`It is older than this program (${shell.version}): calmcp daemon start replaces it.`] : []),
    '',
  ].join('\n');
}

/** What `--account` names. @throws CalmcpError ACCOUNT_UNKNOWN */
function onlyOf(seen: Seen, ids: readonly string[] | undefined): Seen {
  if (seen.state !== 'runs' || ids === undefined) return seen;
  const { accounts, children } = seen.status;
  const known = listOf(accounts).map(({ id }) => String(id));
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined)
    throw new CalmcpError('ACCOUNT_UNKNOWN', `the daemon has no account ${JSON.stringify(unknown.slice(0, 80))}`, {
      hint: known.length === 0 ? 'run: calmcp daemon status' : `it has: ${known.join(', ')}`,
    });
  const status = {
    ...seen.status,
    accounts: listOf(accounts).filter(({ id }) => ids.includes(String(id))),
    children: listOf(children).filter(({ account }) => ids.includes(String(account))),
  };
  return { ...seen, status };
}

function render(shell: Shell, seen: Seen): string {
  if (seen.state === 'runs') return renderRunning(shell, seen);
  if (seen.state === 'hung')
    return `The daemon (process ${seen.record.pid}) runs and does not answer: calmcp daemon stop ends it.\n`;
  const left = seen.leftovers.map((file) => `  ${file}\n`).join('');
  return `No daemon runs. To start one: calmcp daemon start\n${
    left === '' ? '' : `One that was killed has left these behind; the next one removes them:\n${left}`
  }`;
}

function addStatus(daemon: Command, shell: Shell, run: Run): void {
  daemon
    .command('status', { isDefault: true })
    .argument('[nothing]')
    .usage('[options]')
    .summary('whether it runs, and what it did')
    .description(
      'Prints process, memory, sessions and questions of the daemon, and of each account what was asked of it. Exit status 3 where ' +
        'none runs or where it does not answer.',
    )
    .addHelpText('after', '\nExamples:\n  calmcp daemon status\n  calmcp daemon status --json')
    .action((other: string | undefined, _options: unknown, command: Command) =>
      run(async () => {
        if (other !== undefined)
          throw new CalmcpError('INPUT_INVALID', `there is no command "daemon ${other.slice(0, 40)}"`, {
            hint: `there are: ${daemon.commands.map((each) => each.name()).join(', ')}`,
          });
        const options = command.optsWithGlobals<GlobalOptions>();
        const seen = onlyOf(await lookAtDaemon(shell, options), options.account);
        shell.stdout.write(options.json ? json(structured(shell, seen)) : render(shell, seen));
        return seen.state === 'runs' ? 0 : EXIT_INCOMPLETE;
      }),
    );
}

export const addDaemon: AddCommand = (program, shell, run) => {
  const daemon = program
    .command('daemon')
    .summary('one process that answers for all clients')
    .description(
      'A process that keeps sign-ins, child servers and what it has read ready for every client and command of this user. They use it ' +
        'where it runs, and work alone where it does not.',
    )
    .addHelpText('after', '\nExamples:\n  calmcp daemon start\n  calmcp daemon status\n  calmcp daemon stop');
  addRun(daemon, shell, run);
  addStart(daemon, shell, run);
  addStop(daemon, shell, run);
  addStatus(daemon, shell, run);
  addDaemonService(daemon, shell, run);
};
