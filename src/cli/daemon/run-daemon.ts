/** The daemon itself: one process that answers for all clients of a state folder, until it is told to finish. */

import { fstatSync, rmSync } from 'node:fs';
import { copyFile, stat, truncate } from 'node:fs/promises';
import type { App } from '../../accounts/registry.ts';
import { CalmcpError, ERRORS, toCalmcpError } from '../../core/errors.ts';
import type { Logger } from '../../core/provider.ts';
import { listLeases } from '../../io/child-lease.ts';
import { childrenFolder } from '../../io/child-servers.ts';
import { type Claim, claimHome, type DaemonHome } from '../../io/daemon-home.ts';
import { matchesSurroundings, recordPath, surroundingsOf } from '../../io/daemon-record.ts';
import { createPowerReader } from '../../io/power.ts';
import { renderError } from '../../server/text.ts';
import { describeLease } from '../children.ts';
import { clockOf } from '../clock-of.ts';
import { logOf } from '../log-of.ts';
import { type GlobalOptions, openSecrets, pathsOf } from '../open-app.ts';
import type { Shell } from '../shell.ts';
import { openWatchedApp } from '../watched-app.ts';
import { DRAIN_MS, finishOlder, LOG_BYTES, logPath, placeOf, surroundingsHere } from './lifecycle.ts';

/** How often the daemon looks after itself, in milliseconds. */
const ROUND_MS = 10_000;
/** Milliseconds after which it ends though something still holds the process. */
const LINGER_MS = 2_000;
/** A service manager that restarts what failed starts it again. */
const EXIT_RESTART = ERRORS.UNAVAILABLE.exit;
const CRASHED = ERRORS.INTERNAL.exit;

export interface RunOptions extends GlobalOptions {
  /** A service manager started it, and does so again when it fails. */
  readonly service: boolean;
  /** Ends when nobody has been connected for so long. */
  readonly idleMinutes: number | undefined;
  /** When nothing is looked at that nobody asks about. */
  readonly pauseOn: readonly PauseOn[];
}

export type PauseOn = 'battery' | 'metered';

const told = (record: { readonly pid: number; readonly version: string }): string =>
  `process ${record.pid}, calmcp ${record.version}`;

/** @throws CalmcpError CONFLICT where one runs that is not older */
async function claim(shell: Shell, options: RunOptions, claimOnce: () => Promise<Claim>): Promise<DaemonHome> {
  const first = await claimOnce();
  if ('home' in first) return first.home;
  const next = (await finishOlder(first.owner, shell, options)) ? await claimOnce() : first;
  if ('home' in next) return next.home;
  throw new CalmcpError('CONFLICT', `a daemon runs already (${told(next.owner)})`, {
    hint: 'see: calmcp daemon status; end it: calmcp daemon stop',
  });
}

/** The log of `daemon start`, which is this process's stderr, begins anew when it is full. */
async function keepLogSmall(stateFolder: string): Promise<void> {
  const path = logPath(stateFolder);
  const { ino, size } = await stat(path);
  if (size <= LOG_BYTES || fstatSync(2).ino !== ino) return;
  // stderr goes on in this very file, at its end (O_APPEND), wherever that is by then.
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
}

/** An error that nobody caught may have left anything half done: nothing is answered after it. */
function endAtUncaught(log: Logger, ownFiles: () => readonly string[]): () => void {
  const end = (error: unknown): void => {
    log.error('the daemon ends: an error that nobody caught', { error });
    for (const path of ownFiles()) rmSync(path, { force: true });
    process.exit(CRASHED);
  };
  process.on('uncaughtException', end).on('unhandledRejection', end);
  return () => void process.off('uncaughtException', end).off('unhandledRejection', end);
}

/** Says what is wrong with the configuration, and again when something else is. */
function telling(shell: Shell, app: () => Promise<App>): () => Promise<App> {
  let last = '';
  return async () => {
    try {
      const opened = await app();
      last = '';
      return opened;
    } catch (thrown) {
      const text = renderError(toCalmcpError(thrown));
      if (thrown instanceof CalmcpError && text !== last) shell.stderr.write(`calmcp: ${text}\n`);
      last = text;
      throw thrown;
    }
  };
}

async function childrenOf(stateFolder: string, pid: number): Promise<unknown[]> {
  const leases = await listLeases(childrenFolder(stateFolder));
  return Promise.all(
    leases.filter(({ lease }) => lease.owner.pid === pid).map((lease) => describeLease(lease, Date.now())),
  );
}

/** Runs until it is told to finish, by a signal or a client, or has no use any more. @returns the exit status */
export async function runDaemon(shell: Shell, options: RunOptions): Promise<number> {
  const paths = pathsOf(shell, options);
  const { stateFolder, configFile } = paths;
  const log = logOf(shell, options);
  // A clock that cannot be read is told at once.
  clockOf(shell);
  const { createSocketService } = await import('../../server/socket.ts');

  const readPower = createPowerReader({ platform: shell.platform, env: shell.env });
  const watched = openWatchedApp(shell, options, {
    async isPaused() {
      if (options.pauseOn.length === 0) return false;
      const { onBattery, metered } = await readPower();
      const is = { battery: onBattery, metered } as const;
      return options.pauseOn.some((when) => is[when] === true);
    },
  });
  const app = telling(shell, watched.app);
  let home: DaemonHome | undefined;
  let finish: (status: number, why: string) => void = () => undefined;
  const finished = new Promise<{ readonly status: number; readonly why: string }>((resolve) => {
    finish = (status, why) => resolve({ status, why });
  });

  const service = createSocketService({
    version: shell.version,
    app,
    log,
    onFinish({ restart, pid = process.pid }) {
      if (pid === process.pid) finish(restart && options.service ? EXIT_RESTART : 0, 'a client told it to');
    },
    async status() {
      const opened = await app().catch(toCalmcpError);
      const isOpen = !(opened instanceof CalmcpError);
      const { rss, heapUsed } = process.memoryUsage();
      const { pid, version, since, socket, managed } = home?.record ?? {};
      return {
        pid,
        version,
        since,
        socket,
        managed,
        configFile,
        node: process.version,
        pauseOn: options.pauseOn,
        memory: { rss, heapUsed },
        sessions: service.sessions,
        questions: service.questions,
        notices: isOpen ? opened.notices : renderError(opened).split('\n'),
        accounts: (isOpen ? opened.accounts : []).map(({ id, provider, traffic, readings }) => ({
          id,
          provider: provider.type,
          traffic: traffic(),
          readings: readings.stats(),
        })),
        children: await childrenOf(stateFolder, process.pid),
      };
    },
  });

  const here = await surroundingsHere(shell, paths);
  const facts = {
    version: shell.version,
    configFile,
    surroundings: surroundingsOf(here),
    managed: options.service,
    since: new Date().toISOString(),
  };
  const listener = {
    accept: service.accept,
    failed: (error: Error) => log.error('a client could not be let in', { error }),
  };
  home = await claim(shell, options, () => claimHome(placeOf(shell, paths), facts, listener));
  const own = home;
  let isFound = true;
  const unwatch = endAtUncaught(log, () => {
    // Those of a later daemon, once this one has left.
    if (!isFound) return [];
    return [recordPath(stateFolder), ...(shell.platform === 'win32' ? [] : [own.record.socket])];
  });
  shell.stderr.write(
    `calmcp ${shell.version}: the daemon listens at ${own.record.socket} (process ${own.record.pid}, ${facts.since})\n`,
  );
  const interrupted = (): void => finish(0, 'a signal');
  if (shell.interrupted.aborted) interrupted();
  shell.interrupted.addEventListener('abort', interrupted, { once: true });

  async function look(): Promise<void> {
    if (!(await own.isOwn())) {
      log.warn('the files of this daemon were removed or replaced: it finishes');
      return finish(0, 'its files are gone');
    }
    const now = await surroundingsHere(shell, paths);
    // accounts.yaml names other variables by now.
    if (!matchesSurroundings(own.record, now)) await own.update(surroundingsOf(now));
    await keepLogSmall(stateFolder).catch(() => undefined);
  }
  const idleMs = (options.idleMinutes ?? Number.POSITIVE_INFINITY) * 60_000;
  const rounds = setInterval(
    () => {
      const { idleSince } = service;
      if (idleSince !== undefined && performance.now() - idleSince >= idleMs) finish(0, 'nobody was connected');
      else look().catch((error: unknown) => log.warn('the daemon could not look after itself', { error }));
    },
    Math.min(ROUND_MS, idleMs / 4),
  );

  // Told at the start, when somebody may look; and the first question finds the accounts open.
  await openSecrets(shell, paths, false)
    .checkFiles()
    .catch((thrown: unknown) => shell.stderr.write(`calmcp: ${renderError(toCalmcpError(thrown))}\n`));
  void app().catch(() => undefined);

  const { status, why } = await finished;
  clearInterval(rounds);
  isFound = false;
  await own.release().catch((error: unknown) => log.warn('the files of the daemon were not removed', { error }));
  await service.drain(DRAIN_MS);
  await watched.close();
  unwatch();
  shell.stderr.write(`calmcp: the daemon has finished: ${why} (${new Date().toISOString()})\n`);
  setTimeout(() => process.exit(status), LINGER_MS).unref();
  return status;
}
