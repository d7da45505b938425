/** What the system tells of processes. A number alone is no name: it is given to another process when its owner ends. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessEntry {
  readonly pid: number;
  readonly group: number;
  /** When it started, as the system counts it; tells a process from a later one with its number. */
  readonly started: string;
}

const run = promisify(execFile);

/** `null` where there is no /proc; else what it says, or nothing of a process that is gone. */
async function fromProc(pid: number): Promise<ProcessEntry | undefined | null> {
  if (process.platform !== 'linux') return null;
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in brackets before it and may hold anything: proc_pid_stat(5).
    const [state, , group, ...more] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // One that has ended and that nobody has waited for yet is gone for all purposes.
    if (state === 'Z' || state === 'X') return undefined;
    return { pid, group: Number(group), started: more[16] ?? '' };
  } catch {
    return undefined;
  }
}

/** Whether there is a process with this number, ours or not; nothing says that it is the one that was meant. */
export function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: somebody else's process, so it runs.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** {@link ProcessEntry.started} as /proc tells it; `null` where that is not to be had at once, or the process is gone. */
export async function startedAt(pid: number): Promise<string | null> {
  return (await fromProc(pid))?.started ?? null;
}

/** Lines of `ps -o pid=,pgid=,lstart=`. */
export function parsePs(printed: string): ProcessEntry[] {
  return [...printed.matchAll(/^\s*(\d+)\s+(\d+)\s+(\S.*\S)\s*$/gm)].map(([, pid, group, started]) => ({
    pid: Number(pid),
    group: Number(group),
    started: started ?? '',
  }));
}

async function fromPs(...which: readonly string[]): Promise<ProcessEntry[]> {
  if (process.platform === 'win32') return [];
  try {
    const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' };
    return parsePs((await run('ps', [...which, '-o', 'pid=,pgid=,lstart='], { env })).stdout);
  } catch {
    // It says so with its status when there is no such process.
    return [];
  }
}

/** A running process; nothing where there is none, and on Windows, which tells too little. */
export async function processOf(pid: number): Promise<ProcessEntry | undefined> {
  const entry = await fromProc(pid);
  return entry === null ? (await fromPs('-p', String(pid)))[0] : entry;
}

/** All running processes. */
async function allProcesses(): Promise<ProcessEntry[]> {
  if (process.platform !== 'linux') return fromPs('-A');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const entries = await Promise.all(pids.map((pid) => fromProc(Number(pid))));
  return entries.flatMap((entry) => entry ?? []);
}

export async function processesOfGroup(group: number): Promise<ProcessEntry[]> {
  return (await allProcesses()).filter((entry) => entry.group === group);
}

/** Running processes that were started with `NAME=value` in their environment. Linux alone tells. */
export async function processesWith(name: string, value: string): Promise<ProcessEntry[]> {
  if (process.platform !== 'linux') return [];
  const all = await allProcesses();
  const wanted = `${name}=${value}`;
  const found = await Promise.all(
    all.map(async (entry) => {
      // Somebody else's cannot be read, and is not ours then.
      const environment = await readFile(`/proc/${entry.pid}/environ`, 'utf8').catch(() => '');
      return environment.split('\0').includes(wanted) ? [entry] : [];
    }),
  );
  return found.flat();
}

/** Resident memory of these processes in bytes, as far as the system tells. */
export async function memoryOf(pids: readonly number[]): Promise<number | undefined> {
  if (process.platform === 'win32' || pids.length === 0) return undefined;
  if (process.platform === 'linux') {
    const sizes = await Promise.all(
      pids.map(async (pid) => {
        const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
        return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
      }),
    );
    return sizes.reduce((sum, size) => sum + size, 0) || undefined;
  }
  try {
    const { stdout } = await run('ps', ['-o', 'rss=', '-p', pids.join(',')]);
    return stdout.split('\n').reduce((sum, size) => sum + Number(size) * 1_024, 0) || undefined;
  } catch {
    return undefined;
  }
}
