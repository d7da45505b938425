/** One process of a child server: started in a group of its own with an environment of our making, and ended to the last. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { CalmcpError } from '../core/errors.ts';
import { GUARD_OPTIONS, LIFELINE_FD, LIFELINE_VARIABLE } from './child-guard.ts';
import { endProcesses, NONCE_VARIABLE, processesOf } from './child-lease.ts';
import { type ProcessEntry, processesOfGroup, processOf } from './process-table.ts';
import { settledWithin } from './time-limit.ts';

export interface ChildProgram {
  readonly command: string;
  readonly args: readonly string[];
  /** Beside the guard. */
  readonly nodeOptions?: readonly string[] | undefined;
  /** Only what is special in it. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder of its lease. */
  readonly folder: string;
  readonly nonce: string;
  /** What the system needs for programs to run at all: a part of our own environment. */
  readonly system: Readonly<Record<string, string | undefined>>;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Patience {
  /** Milliseconds after the end of stdin, and again after SIGTERM. */
  readonly ms: number;
  /** It does not look at its stdin, so the lifeline is cut at once as well. */
  readonly ignoresStdin: boolean;
}

export interface RunningProcess {
  readonly pid: number;
  readonly group: number;
  /** See {@link ProcessEntry.started}. */
  readonly started: string;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<Ending>;
  readonly hasEnded: () => boolean;
  /** End of stdin, then SIGTERM to the group, then SIGKILL, and waits until none of it runs. */
  stop(patience: Patience): Promise<void>;
}

/** Of our own environment: what programs cannot do without. All else could be a secret, or another account's. */
const SYSTEM = [
  'PATH',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'TZ',
  // Certificates of a company's own.
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  // Windows
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'PROGRAMDATA',
  'PROGRAMFILES',
];

/** Home, working folder and folder for temporary files, all inside `folder`. */
function placesIn(folder: string): { readonly home: string; readonly work: string; readonly temporary: string } {
  return { home: join(folder, 'home'), work: join(folder, 'work'), temporary: join(folder, 'tmp') };
}

/** The whole environment of a child server. */
export function environmentOf({ env, folder, nonce, system, nodeOptions = [] }: ChildProgram): Record<string, string> {
  const { home, temporary } = placesIn(folder);
  const kept = SYSTEM.flatMap((name) => (system[name] === undefined ? [] : [[name, system[name]] as const]));
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    USERPROFILE: home,
    APPDATA: join(home, 'AppData', 'Roaming'),
    LOCALAPPDATA: join(home, 'AppData', 'Local'),
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_STATE_HOME: join(home, '.local', 'state'),
    TMPDIR: temporary,
    TEMP: temporary,
    TMP: temporary,
    NODE_OPTIONS: [GUARD_OPTIONS, ...nodeOptions].join(' '),
    ...env,
    [LIFELINE_VARIABLE]: String(LIFELINE_FD),
    [NONCE_VARIABLE]: nonce,
  };
}

/** How often it is killed, as it may start others meanwhile, and how long that may take. */
const MOST_KILLS = 5;
const KILLED_MS = 1_000;
/** How often it is looked whether what a process has left behind has gone. */
const POLL_MS = 40;

const isWindows = process.platform === 'win32';

function startError(command: string, cause: NodeJS.ErrnoException): CalmcpError {
  return new CalmcpError(
    'CONFIG_INVALID',
    `the program of the child server could not be started (${cause.code ?? 'unknown'})`,
    {
      hint: `check child.command in accounts.yaml: is ${command.slice(0, 200)} there, and may it be run?`,
      cause,
    },
  );
}

function endGroup(group: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (group !== undefined) process.kill(-group, signal);
  } catch {
    // None of it runs any more.
  }
}

/** @throws CalmcpError CONFIG_INVALID when there is no such program */
export async function startProcess(program: ChildProgram): Promise<RunningProcess> {
  const { command, args, folder, nonce } = program;
  const places = placesIn(folder);
  for (const place of Object.values(places)) await mkdir(place, { recursive: true, mode: 0o700 });
  const child: ChildProcess = spawn(command, args, {
    cwd: places.work,
    env: environmentOf(program),
    // The last one is the lifeline.
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
    shell: false,
    windowsHide: true,
    detached: !isWindows,
  });
  let ending: Ending | undefined;
  const ended = new Promise<Ending>((resolve) => {
    child.once('exit', (code, signal) => {
      ending = { code, signal };
      resolve(ending);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(startError(command, error)));
  });
  const { pid, stdin, stdout, stderr } = child;
  const lifeline = child.stdio[LIFELINE_FD] as Writable | null | undefined;
  if (pid === undefined || stdin === null || stdout === null || stderr === null || !lifeline)
    throw new TypeError('a process without pipes');
  // Whoever is gone cannot be written to; that it is gone is told by `ended`.
  for (const stream of [stdin, stdout, stderr, lifeline]) stream.on('error', () => undefined);
  const group = pid;
  const started = (await processOf(pid))?.started ?? '';

  /** Of its group, when it ended: as long as one of them runs, the group is surely its own. */
  const orphans = ended.then(() => processesOfGroup(group));

  /** All of it that runs now. */
  const leftOver = async (): Promise<ProcessEntry[]> => {
    const found = await processesOf({ process: { pid, started, group }, nonce });
    if (ending === undefined) return found;
    const known = await orphans;
    if (known.length === 0) return found;
    const members = await processesOfGroup(group);
    const isOurs = members.some((each) => known.some((one) => one.pid === each.pid && one.started === each.started));
    return isOurs ? [...new Map([...found, ...members].map((each) => [each.pid, each])).values()] : found;
  };

  /** Whether all of it, grandchildren included, has gone within `ms`. */
  async function gone(ms: number): Promise<boolean> {
    const until = performance.now() + ms;
    for (;;) {
      if (ending !== undefined && (await leftOver()).length === 0) return true;
      const left = until - performance.now();
      if (left <= 0) return false;
      // The process itself is waited for; what it leaves behind has to be looked for.
      if (ending === undefined) await settledWithin(ended, left);
      else await new Promise((resolve) => setTimeout(resolve, Math.min(left, POLL_MS)));
    }
  }

  async function signalAll(signal: NodeJS.Signals): Promise<void> {
    if (isWindows) {
      await new Promise<void>((resolve) =>
        execFile('taskkill', ['/pid', String(pid), '/T', ...(signal === 'SIGKILL' ? ['/F'] : [])], () => resolve()),
      );
      return;
    }
    // The group at once: nothing can fork itself out of it in between.
    if (ending === undefined) endGroup(group, signal);
    await endProcesses(await leftOver(), signal);
  }

  let stopping: Promise<void> | undefined;
  return {
    pid,
    group,
    started,
    stdin,
    stdout,
    stderr,
    ended,
    hasEnded: () => ending !== undefined,
    stop(patience) {
      stopping ??= (async () => {
        stdin.end();
        // Its output is read on, so that it does not wait for that while it ends.
        stdout.resume();
        if (patience.ignoresStdin) lifeline.destroy();
        await settledWithin(ended, patience.ms);
        lifeline.destroy();
        // What it leaves behind has nothing to finish.
        if (!(await gone(0))) {
          await signalAll('SIGTERM');
          for (let tries = 0; tries < MOST_KILLS && !(await gone(tries === 0 ? patience.ms : KILLED_MS)); tries++)
            await signalAll('SIGKILL');
        }
        for (const stream of [stdin, stdout, stderr]) stream.destroy();
      })();
      return stopping;
    },
  };
}
