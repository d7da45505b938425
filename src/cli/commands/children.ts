import type { Command } from 'commander';
import { CalmcpError } from '../../core/errors.ts';
import { neutralize } from '../../core/text.ts';
import { listLeases, type RunningLease, requestRestart } from '../../io/child-lease.ts';
import { readChildLog } from '../../io/child-log.ts';
import { pause } from '../../io/time-limit.ts';
import {
  type ChildRow,
  describeLease,
  isTroubled,
  logOfChild,
  readChildren,
  requireAccount,
  requireChild,
  runsOf,
} from '../children.ts';
import { type AddCommand, EXIT_INCOMPLETE, type Run } from '../command.ts';
import type { GlobalOptions } from '../open-app.ts';
import { withProgress } from '../progress.ts';
import { type Shell, styleFor } from '../shell.ts';
import { formatTable } from '../table.ts';

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const NONE = `No account is read through a child server. For one that shall be, write child: true in accounts.yaml (docs/child-servers.md).\n`;

/** `42 s`, `7 min`, `3 h`, `5 d`. */
function lengthOf(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3_600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

const MIB = 1_048_576;

function cellsOf(row: ChildRow, _index: number, all: readonly ChildRow[]): readonly string[] {
  const { account, server, state, pid, port, memory, restarts, uptimeSeconds, version, lastError, owner } = row;
  const isOneOfSome = all.filter((other) => other.account === account).length > 1;
  return [
    account,
    server,
    state,
    pid === undefined ? '' : `pid ${pid}`,
    port === undefined ? '' : `port ${port}`,
    memory === undefined ? '' : `${Math.round(memory / MIB)} MiB`,
    uptimeSeconds === undefined ? '' : `up ${lengthOf(uptimeSeconds)}`,
    restarts === 0 ? '' : `${restarts} restart${restarts === 1 ? '' : 's'}`,
    version ?? '',
    isOneOfSome && owner !== undefined ? `of calmcp ${owner}` : '',
    lastError ?? '',
  ];
}

/** Where its state stands. */
const STATE_COLUMN = 2;

const COLOURS = {
  idle: 'dim',
  starting: 'cyan',
  stopping: 'cyan',
  ready: 'green',
  degraded: 'yellow',
  backoff: 'red',
  'needs-login': 'red',
  'crash-loop': 'red',
} as const;

function render(rows: readonly ChildRow[], shell: Shell): string {
  const style = styleFor(shell.stdout, shell.env);
  const cells = rows.map(cellsOf);
  // A column of which nobody has anything takes no room.
  const used = [...(cells[0] ?? []).keys()].filter((column) => cells.some((row) => row[column] !== ''));
  const table = formatTable(
    cells.map((row) => used.map((column) => row[column] ?? '')),
    {
      columns: shell.stdout.isTerminal ? shell.stdout.columns : undefined,
      style: (cell, column, row) => (column === STATE_COLUMN ? style(COLOURS[rows[row]?.state ?? 'idle'], cell) : cell),
    },
  );
  const lines = rows.flatMap(({ hint }, row) => [
    table[row] ?? '',
    ...(hint === undefined ? [] : [`         ${style('bold', hint)}`]),
  ]);
  return `${lines.join('\n')}\n`;
}

function addStatus(children: Command, shell: Shell, run: Run): void {
  children
    .command('status', { isDefault: true })
    .summary('what runs, and how it is')
    .description(
      'Prints the child servers of every running calmcp: state, process, port, memory, how long it runs, how often it was started ' +
        'again, and why. An account whose server does not run is idle: the next question starts it. Exit status 3 when one needs ' +
        'attention.',
    )
    .argument('[ids...]', 'some accounts (default: all)')
    .addHelpText('after', '\nExamples:\n  calmcp children\n  calmcp children status xebia\n  calmcp children --json')
    .action((ids: readonly string[], _options: unknown, command: Command) =>
      run(async () => {
        const options = command.optsWithGlobals<GlobalOptions>();
        const found = await readChildren(shell, options);
        for (const id of options.account ?? []) requireAccount(found, id);
        for (const id of ids) if (!runsOf(found, id)) requireChild(found, id);
        const asked = [...ids, ...(options.account ?? [])];
        const isAsked = (id: string): boolean => asked.length === 0 || asked.includes(id);
        const running = await Promise.all(
          found.leases.filter(({ lease }) => isAsked(lease.account)).map((lease) => describeLease(lease, Date.now())),
        );
        const known = [...found.specs].filter(([id]) => isAsked(id));
        const rows = [
          ...known.flatMap(([id, { kind, transport }]): readonly ChildRow[] => {
            const own = running.filter(({ account }) => account === id);
            const idle: ChildRow = { account: id, server: kind.server, state: 'idle', transport, restarts: 0 };
            return own.length > 0 ? own : [idle];
          }),
          // Another calmcp may still go by an accounts.yaml that named them.
          ...running.filter(({ account }) => !found.specs.has(account)),
        ];
        if (options.json) shell.stdout.write(json({ children: rows }));
        else shell.stdout.write(rows.length === 0 ? NONE : render(rows, shell));
        return rows.some(isTroubled) ? EXIT_INCOMPLETE : 0;
      }),
    );
}

/** How long a server has to be ready again, in milliseconds, and how often it is looked at. */
const RESTART = { forMs: 20_000, everyMs: 100 } as const;

/** @returns the lease when it is as wished, or as it is when that took too long; nothing when its calmcp has ended */
async function waitFor(
  folder: string,
  asked: RunningLease,
  isDone: (now: RunningLease) => boolean,
  signal: AbortSignal,
): Promise<RunningLease | undefined> {
  for (let waited = 0; ; waited += RESTART.everyMs) {
    const now = (await listLeases(folder)).find((each) => each.folder === asked.folder);
    if (now === undefined || isDone(now) || waited >= RESTART.forMs) return now;
    await pause(RESTART.everyMs, signal);
  }
}

interface Restarted {
  readonly was: number | undefined;
  readonly row: ChildRow | undefined;
}

/** Has one server started anew by the calmcp that it belongs to. */
async function restart(folder: string, asked: RunningLease, signal: AbortSignal): Promise<Restarted> {
  const was = asked.lease.process?.pid;
  await requestRestart(asked);
  if (was === undefined) return { was, row: await describeLease(asked, Date.now()) };
  const isSettled = ({ lease }: RunningLease): boolean =>
    lease.process?.pid !== was && (['ready', 'degraded'].includes(lease.state) || isTroubled(lease));
  const now = await waitFor(folder, asked, isSettled, signal);
  return { was, row: now && (await describeLease(now, Date.now())) };
}

function sentenceOf(id: string, { was, row }: Restarted): string {
  if (row === undefined) return `${id}: process ${was} ended, and so did the calmcp that it belonged to`;
  if (was === undefined) return `${id}: its server did not run; the next question starts it afresh`;
  if (row.pid === was) return `${id}: process ${was} was told to end, and its calmcp has not noticed it yet`;
  const again = row.pid === undefined ? '' : `; process ${row.pid} took its place`;
  const why = isTroubled(row) && row.lastError !== undefined ? `: ${row.lastError}` : '';
  return `${id}: process ${was} ended${again}, ${row.state}${why}`;
}

function addRestart(children: Command, shell: Shell, run: Run): void {
  children
    .command('restart')
    .summary('start the servers of an account anew')
    .description(
      'Ends the child servers of an account and has the calmcp that each belongs to start it again: also one that was left alone ' +
        'after it had crashed too often. Questions under way are asked again.',
    )
    .argument('<id>', 'the account')
    .addHelpText(
      'after',
      '\nExample:\n  calmcp children restart xebia\n\nExit status 0: it is ready, or starts with the next question; 3: it needs attention.',
    )
    .action((id: string, _options: unknown, command: Command) =>
      run(async () => {
        const options = command.optsWithGlobals<GlobalOptions>();
        const found = await readChildren(shell, options);
        requireChild(found, id);
        const own = found.leases.filter(({ lease }) => lease.account === id);
        const restarted = await withProgress(shell.stderr, `restarting ${id}`, () =>
          Promise.all(own.map((each) => restart(found.folder, each, shell.interrupted))),
        );
        if (options.json)
          shell.stdout.write(
            json({ account: id, restarted: restarted.map(({ was, row }) => ({ ...(was ? { was } : {}), ...row })) }),
          );
        else if (restarted.length === 0)
          shell.stdout.write(`${id}: no server of it runs; the next question starts one\n`);
        else for (const each of restarted) shell.stdout.write(`${sentenceOf(id, each)}\n`);
        return restarted.some(({ was, row }) => was !== undefined && row !== undefined && isTroubled(row))
          ? EXIT_INCOMPLETE
          : 0;
      }),
    );
}

const MOST_LINES = 10_000;

/** @throws CalmcpError INPUT_INVALID */
function parseLines(text: string): number {
  const count = Number(text);
  if (/^\d+$/.test(text) && count > 0 && count <= MOST_LINES) return count;
  throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(text.slice(0, 20))} is no number of lines`, {
    hint: `give one from 1 to ${MOST_LINES}`,
  });
}

function addLogs(children: Command, shell: Shell, run: Run): void {
  children
    .command('logs')
    .summary('what the servers of an account said')
    .description(
      'Prints the last lines that the child servers of an account wrote to stderr, and what calmcp did with them. Tokens and mail ' +
        'addresses are taken out before it is kept.',
    )
    .argument('<id>', 'the account')
    .option('--lines <number>', 'how many lines', '100')
    .addHelpText('after', '\nExamples:\n  calmcp children logs xebia\n  calmcp children logs xebia --lines 20')
    .action((id: string, _options: unknown, command: Command) =>
      run(async () => {
        const { lines: wanted, ...options } = command.optsWithGlobals<GlobalOptions & { lines: string }>();
        const count = parseLines(wanted);
        const found = await readChildren(shell, options);
        requireChild(found, id);
        const lines = (await readChildLog(logOfChild(found, id), count)).map(neutralize);
        if (options.json) shell.stdout.write(json({ account: id, lines }));
        else if (lines.length === 0) shell.stdout.write(`${id}: its server has said nothing yet\n`);
        else shell.stdout.write(`${lines.join('\n')}\n`);
        return 0;
      }),
    );
}

export const addChildren: AddCommand = (program, shell, run) => {
  const children = program
    .command('children')
    .summary('child MCP servers: what runs, restart, logs')
    .description('The MCP servers of others that accounts with a child: block are read through.')
    .addHelpText(
      'after',
      '\nExamples:\n  calmcp children\n  calmcp children restart xebia\n  calmcp children logs xebia --lines 20',
    );
  addStatus(children, shell, run);
  addRestart(children, shell, run);
  addLogs(children, shell, run);
};
