/** Daemons as other processes see them: looked at, started, told to finish, ended. Loads little: `calmcp mcp` comes by here. */

import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { mkdir, rename, stat } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CalmcpError, ERRORS } from '../../core/errors.ts';
import { FINISH, SESSION } from '../../core/session-names.ts';
import { findLeftovers, REACH_MS, removeLeftovers } from '../../io/daemon-home.ts';
import {
  type DaemonRecord,
  isDaemonAlive,
  matchesSurroundings,
  readDaemonRecord,
  type Surroundings,
  startOf,
} from '../../io/daemon-record.ts';
import { isOwnSocket, reach, type SocketPlace } from '../../io/daemon-socket.ts';
import { isNewer } from '../../io/daemon-version.ts';
import { redact } from '../../io/log.ts';
import { type Paths, resolvePaths } from '../../io/paths.ts';
import { requirePrivateFolder } from '../../io/private-file.ts';
import { readTextFile } from '../../io/read-file.ts';
import { pause } from '../../io/time-limit.ts';
import type { Shell } from '../shell.ts';
import { HEAP_FLAGS } from './heap-flags.ts';

/** What is typed for all commands and matters to a daemon. */
export interface DaemonOptions {
  readonly config?: string | undefined;
  readonly log?: string | undefined;
}

type Around = Pick<Shell, 'env' | 'platform' | 'home' | 'cwd' | 'systemTimeZone'>;
/** Who starts one. */
type Starter = Around & Pick<Shell, 'program' | 'version'>;

const MAX_CONFIG_BYTES = 1_048_576;
const EVERY_MS = 25;
const START_MS = 10_000;
/** A daemon lets questions under way end before it does, which takes no longer. */
export const DRAIN_MS = 25_000;
const FINISHED_MS = DRAIN_MS + 5_000;
const TERMINATED_MS = 2_000;
const FREE_MS = 1_000;
/** A service manager waits a little before it starts something again. */
const RESTARTED_MS = 8_000;

export const daemonPaths = (shell: Around, { config }: DaemonOptions): Paths => resolvePaths({ ...shell, config });

export function placeOf({ env, platform }: Around, { stateFolder }: Paths): SocketPlace {
  return { stateFolder, env, platform, temporaryFolder: tmpdir(), userId: process.getuid?.() };
}

/** What decides whether a daemon would answer as calmcp does here. */
export async function surroundingsHere(shell: Around, { configFile }: Paths): Promise<Surroundings> {
  // One that cannot be read is told where it is used.
  const configText = await readTextFile(configFile, MAX_CONFIG_BYTES).catch(() => undefined);
  return { env: shell.env, configFile, configText, systemTimeZone: shell.systemTimeZone };
}

/** `calmcp://daemon` */
export interface DaemonStatus {
  readonly pid: number;
  readonly version: string;
  readonly [fact: string]: unknown;
}

export type Seen =
  /** With what a daemon that was killed has left. */
  | { readonly state: 'none'; readonly leftovers: readonly string[] }
  /** It takes connections, or its process runs, and it does not answer. */
  | { readonly state: 'hung'; readonly record: DaemonRecord }
  | {
      readonly state: 'runs';
      readonly record: DaemonRecord;
      readonly status: DaemonStatus;
      /** Whether it is asked from here: same accounts.yaml, same clock, same variables. */
      readonly isUsedHere: boolean;
    };

async function connectTo({ socket }: DaemonRecord): Promise<Socket | 'nobody' | 'no answer'> {
  // Somebody else's would be told our questions.
  return (await isOwnSocket(socket)) ? reach(socket, REACH_MS) : 'nobody';
}

async function isListening(record: DaemonRecord): Promise<boolean> {
  const reached = await connectTo(record);
  if (typeof reached === 'object') reached.destroy();
  return reached !== 'nobody';
}

const line = (message: object): string => `${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`;

/** @returns `undefined` where it did not answer in time, or with something else */
async function statusFrom(socket: Socket): Promise<DaemonStatus | undefined> {
  let said = '';
  const answer = new Promise<string | undefined>((found) => {
    const timer = setTimeout(() => found(undefined), REACH_MS);
    const end = (text: string | undefined): void => {
      clearTimeout(timer);
      found(text);
    };
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('\n')) end(said.slice(0, said.indexOf('\n')));
    });
    socket.once('close', () => end(undefined)).on('error', () => undefined);
    socket.write(
      line({ method: SESSION, params: { answers: 'script' } }) +
        line({ id: 1, method: 'resources/read', params: { uri: 'calmcp://daemon' } }),
    );
  });
  try {
    const { result } = JSON.parse((await answer) ?? '{}');
    const status: unknown = JSON.parse(result.contents[0].text);
    return status as DaemonStatus;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}

/** How the daemon of this state folder is; takes at most a few seconds, also where it hangs. */
export async function lookAtDaemon(shell: Around, options: DaemonOptions): Promise<Seen> {
  const paths = daemonPaths(shell, options);
  const record = await readDaemonRecord(paths.stateFolder);
  const reached = record === undefined ? 'nobody' : await connectTo(record);
  if (record === undefined || reached === 'nobody')
    return { state: 'none', leftovers: (await findLeftovers(placeOf(shell, paths))).files };
  const status = reached === 'no answer' ? undefined : await statusFrom(reached);
  if (status === undefined) return { state: 'hung', record };
  return {
    state: 'runs',
    record,
    status,
    isUsedHere: matchesSurroundings(record, await surroundingsHere(shell, paths)),
  };
}

/** Asks again and again. @returns its answer, or `undefined` when there was none in time */
async function until<T>(ms: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined || performance.now() > end) return found;
    await pause(EVERY_MS, new AbortController().signal);
  }
}

const trueOrNothing = (holds: boolean): true | undefined => holds || undefined;

/** Whether clients do not find this daemon any more. */
async function hasLeft(stateFolder: string, { pid, since }: DaemonRecord): Promise<boolean> {
  const now = await readDaemonRecord(stateFolder);
  return now === undefined || now.pid !== pid || now.since !== since;
}

/**
 * Tells a daemon to finish. @param restart whoever manages it shall start it again
 * @returns whether it has taken its files away, which it does before it lets questions end
 */
async function tellToFinish(stateFolder: string, record: DaemonRecord, restart: boolean): Promise<boolean> {
  if (await hasLeft(stateFolder, record)) return true;
  const reached = await connectTo(record);
  if (reached === 'nobody' || reached === 'no answer') return false;
  reached.on('error', () => undefined).resume();
  // By now it may be another one that listens there.
  reached.write(line({ method: FINISH, params: { restart, pid: record.pid } }));
  const left = await until(REACH_MS, async () => trueOrNothing(await hasLeft(stateFolder, record)));
  reached.destroy();
  return left === true;
}

/** Sends a signal to the process of the record alone. @returns whether it was proven to be that */
async function signalDaemon(record: DaemonRecord, signal: NodeJS.Signals): Promise<boolean> {
  // A number alone may be somebody else's by now.
  if (record.started === null || (await startOf(record.pid)) !== record.started) return false;
  try {
    process.kill(record.pid, signal);
    return true;
  } catch {
    return false;
  }
}

export type Stopped = 'none' | 'finished' | 'ended';

/**
 * Has the daemon finish, and ends it where it does not.
 * @returns whether it finished by itself, or had to be ended
 * @throws CalmcpError UNAVAILABLE where it hangs and nothing proves which process it is
 */
export async function stopDaemon(shell: Around, options: DaemonOptions): Promise<Stopped> {
  const paths = daemonPaths(shell, options);
  const record = await readDaemonRecord(paths.stateFolder);
  const reached = record === undefined ? 'nobody' : await connectTo(record);
  if (record === undefined || reached === 'nobody') {
    await removeLeftovers(placeOf(shell, paths));
    return 'none';
  }
  if (reached !== 'no answer') reached.destroy();
  const isGone = (ms: number): Promise<true | undefined> =>
    until(ms, async () => trueOrNothing(!(await isDaemonAlive(record))));
  if ((await tellToFinish(paths.stateFolder, record, false)) && (await isGone(FINISHED_MS))) return 'finished';
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if ((await signalDaemon(record, signal)) && (await isGone(TERMINATED_MS))) break;
    // It was only slow to begin, and lets its questions end now.
    if ((await hasLeft(paths.stateFolder, record)) && (await isGone(FINISHED_MS))) return 'finished';
  }
  // Whatever listens there still was not proven to be the process of the record. One that was ended lets go in a moment.
  const isFree = await until(FREE_MS, async () => trueOrNothing(!(await isListening(record))));
  if ((await isDaemonAlive(record)) || !isFree)
    throw new CalmcpError('UNAVAILABLE', `the daemon does not end (process ${record.pid}, it says)`, {
      hint: 'end that process yourself, if it is calmcp',
    });
  await removeLeftovers(placeOf(shell, paths));
  return 'ended';
}

export const logPath = (stateFolder: string): string => join(stateFolder, 'daemon.log');
/** Two such files make the megabyte. */
export const LOG_BYTES = 512 * 1_024;
const SHOWN_LINES = 8;

/** @returns an open file at its end, which only this user can read */
async function openLog(stateFolder: string): Promise<number> {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 });
  await requirePrivateFolder(stateFolder);
  const path = logPath(stateFolder);
  const size = await stat(path).then(
    (status) => status.size,
    () => 0,
  );
  if (size > LOG_BYTES) await rename(path, `${path}.1`);
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  return openSync(path, flags, 0o600);
}

/** The last lines after `from`, as they may be shown. */
function linesSince(file: number, from: number): string[] {
  const size = Math.min(fstatSync(file).size - from, 65_536);
  if (size <= 0) return [];
  const bytes = Buffer.alloc(size);
  const read = readSync(file, bytes, 0, size, fstatSync(file).size - size);
  return redact(bytes.toString('utf8', 0, read))
    .split('\n')
    .filter((text) => text.trim() !== '')
    .slice(-SHOWN_LINES);
}

/** The variables of here, with their paths made whole: the daemon works in another folder. */
function environmentFor({ env, cwd }: Around): Record<string, string> {
  const whole = ['CALMCP_HOME', 'CALMCP_CONFIG', 'CALMCP_PASSPHRASE_FILE'];
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]): readonly (readonly [string, string])[] => {
      if (value === undefined) return [];
      return [[name, whole.includes(name) && value !== '' ? resolve(cwd, value) : value]];
    }),
  );
}

export interface StartOptions {
  /** Ends by itself when nobody has been connected for so long. */
  readonly idleMinutes?: number | undefined;
  /** See `calmcp daemon run --pause-on`. */
  readonly pauseOn?: string | undefined;
}

export interface Started {
  readonly record: DaemonRecord;
  /** `running`: there was one already, as new as this program or newer. */
  readonly outcome: 'started' | 'replaced' | 'running';
  readonly isUsedHere: boolean;
  /** What is wrong with its accounts.yaml. */
  readonly notices: readonly string[];
}

/** What a daemon says of itself that people should know. */
export const noticesOf = ({ notices }: DaemonStatus): readonly string[] =>
  Array.isArray(notices) ? notices.map(String) : [];

const isRunning = (seen: Seen): seen is Seen & { readonly state: 'runs' } => seen.state === 'runs';

/** Has a daemon run by itself, in a process of its own, and waits until it answers. */
async function launch(
  shell: Starter,
  options: DaemonOptions,
  { idleMinutes, pauseOn }: StartOptions,
): Promise<Seen & { readonly state: 'runs' }> {
  const paths = daemonPaths(shell, options);
  const { stateFolder } = paths;
  let file: number;
  try {
    file = await openLog(stateFolder);
  } catch (thrown) {
    if (thrown instanceof CalmcpError) throw thrown;
    const { code = 'unknown' } = thrown as NodeJS.ErrnoException;
    throw new CalmcpError('INTERNAL', `could not write ${logPath(stateFolder)} (${code})`, {
      cause: thrown,
      hint: 'check the free space and the permissions of its folder',
    });
  }
  try {
    const from = fstatSync(file).size;
    const child = spawn(
      shell.program.node,
      [
        ...HEAP_FLAGS,
        shell.program.script,
        ...(options.config === undefined ? [] : ['--config', resolve(shell.cwd, options.config)]),
        ...(options.log === undefined ? [] : ['--log', options.log]),
        'daemon',
        'run',
        ...(idleMinutes === undefined ? [] : ['--idle-minutes', String(idleMinutes)]),
        ...(pauseOn === undefined ? [] : ['--pause-on', pauseOn]),
      ],
      // Where it stands it holds no file system that somebody wants to take away.
      {
        cwd: stateFolder,
        env: environmentFor(shell),
        detached: true,
        stdio: ['ignore', 'ignore', file],
        windowsHide: true,
      },
    );
    let ended: number | string | undefined;
    child.once('error', (error: NodeJS.ErrnoException) => {
      ended = error.code ?? 'unknown';
    });
    child.once('exit', (status, signal) => {
      ended = status ?? signal ?? 'unknown';
    });
    child.unref();
    const seen = await until(START_MS, async () => {
      const record = await readDaemonRecord(stateFolder);
      // Another one that was started at the same moment does as well.
      const isThere = record !== undefined && (record.pid === child.pid || ended === ERRORS.CONFLICT.exit);
      const now = isThere ? await lookAtDaemon(shell, options) : undefined;
      if (now !== undefined && isRunning(now)) return now;
      return ended === undefined || ended === ERRORS.CONFLICT.exit ? undefined : ended;
    });
    if (typeof seen === 'object') return seen;
    if (seen === undefined && ended === undefined) {
      child.kill('SIGKILL');
      await removeLeftovers(placeOf(shell, paths)).catch(() => undefined);
    }
    const how = ended === undefined ? `did not answer within ${START_MS / 1_000} s` : `ended at once (${ended})`;
    throw new CalmcpError('UNAVAILABLE', `the daemon ${how}`, {
      problems: linesSince(file, from),
      hint: `its log: ${logPath(stateFolder)}`,
    });
  } finally {
    closeSync(file);
  }
}

function hungError({ pid }: DaemonRecord): CalmcpError {
  return new CalmcpError('UNAVAILABLE', `a daemon runs (process ${pid}) and does not answer`, {
    hint: 'run: calmcp daemon stop, which ends it',
  });
}

/**
 * Starts a daemon where none runs, and in the place of an older one.
 * @throws CalmcpError UNAVAILABLE where it does not start, with the end of its log, or where the one that runs hangs
 */
export async function startDaemon(shell: Starter, options: DaemonOptions, start: StartOptions = {}): Promise<Started> {
  const seen = await lookAtDaemon(shell, options);
  if (seen.state === 'hung') throw hungError(seen.record);
  if (seen.state === 'none') {
    const { record, isUsedHere, status } = await launch(shell, options, start);
    return { record, outcome: 'started', isUsedHere, notices: noticesOf(status) };
  }
  const { record, isUsedHere, status } = seen;
  if (!isNewer(shell.version, record.version))
    return { record, outcome: 'running', isUsedHere, notices: noticesOf(status) };
  return replaceDaemon(record, shell, options, start);
}

/**
 * Has an older daemon finish, which lets its questions end, and has a new one take its place at once. One that a service manager
 * started is started again by that.
 * @throws CalmcpError UNAVAILABLE where the old one does not finish, or the new one does not come
 */
export async function replaceDaemon(
  record: DaemonRecord,
  shell: Starter,
  options: DaemonOptions = {},
  start: StartOptions = {},
): Promise<Started> {
  const { stateFolder } = daemonPaths(shell, options);
  if (!(await tellToFinish(stateFolder, record, true)) && !(await hasLeft(stateFolder, record)))
    throw hungError(record);
  // The scheduler of Windows does not look at how a program ended.
  if (!record.managed || shell.platform === 'win32') {
    const { record: now, isUsedHere, status } = await launch(shell, options, start);
    return { record: now, outcome: 'replaced', isUsedHere, notices: noticesOf(status) };
  }
  const now = await until(RESTARTED_MS, async () => {
    const seen = await lookAtDaemon(shell, options);
    return isRunning(seen) ? seen : undefined;
  });
  if (now !== undefined && isNewer(shell.version, now.record.version))
    throw new CalmcpError('UNAVAILABLE', `its service manager starts calmcp ${now.record.version} again`, {
      hint: 'run: calmcp daemon install',
    });
  if (now !== undefined) {
    const { record: next, isUsedHere, status } = now;
    return { record: next, outcome: 'replaced', isUsedHere, notices: noticesOf(status) };
  }
  throw new CalmcpError(
    'UNAVAILABLE',
    'the daemon was told to finish, and its service manager has not started it again yet',
    {
      hint: 'see: calmcp daemon status',
    },
  );
}

/**
 * What `calmcp daemon run` does about an older daemon: it finishes. @returns whether its place is free
 */
export async function finishOlder(record: DaemonRecord, shell: Starter, options: DaemonOptions): Promise<boolean> {
  if (!isNewer(shell.version, record.version)) return false;
  const { stateFolder } = daemonPaths(shell, options);
  return tellToFinish(stateFolder, record, false);
}
