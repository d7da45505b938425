/** The processes of the soak from outside: what they write to their logs, and what they hold. Linux alone tells. */
import { appendFileSync } from 'node:fs';
import { open, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { splitLines } from '../../src/core/lines.ts';
import { BIRDS } from './soak-world.ts';

const TITLE = new RegExp(BIRDS.join('|'));
/** What Node says of a program that forgot something. */
const WARNING = /MaxListenersExceeded|\bWarning:|unhandled|[Uu]ncaught|nobody caught|^\s+at /;

export interface LogWatch {
  take(who: string, line: string): void;
  /** Follows a file that is truncated from time to time. Ends when it is told to. */
  follow(path: string): () => Promise<void>;
  /** Lines at `warn` and above, without their times: how often each. */
  readonly loud: ReadonlyMap<string, number>;
  readonly lines: number;
}

/** @param copy a file that gets all of it, for whoever looks for the cause of something */
export function watchLogs(
  secrets: ReadonlySet<string>,
  violation: (what: string) => void,
  copy: string | undefined,
): LogWatch {
  const loud = new Map<string, number>();
  let lines = 0;

  function take(who: string, line: string): void {
    if (line === '') return;
    lines++;
    if (copy !== undefined) appendFileSync(copy, `${who}: ${line}\n`);
    if (TITLE.test(line)) violation(`${who}: a title in its log: ${line.slice(0, 300)}`);
    for (const word of line.match(/[\w.~+/=-]{16,}/g) ?? [])
      for (const secret of secrets)
        if (word.includes(secret)) violation(`${who}: a secret in its log: ${line.slice(0, 60)}…`);
    if (WARNING.test(line)) violation(`${who}: ${line.slice(0, 500)}`);
    const [, level, rest = ''] = /^\S+Z (error|warn) (.*)$/.exec(line) ?? [];
    if (level === undefined) return;
    const text = `${level} ${rest.replaceAll(/\d+/g, '0')}`;
    loud.set(text, (loud.get(text) ?? 0) + 1);
  }
  return {
    take,
    loud,
    get lines() {
      return lines;
    },
    follow(path) {
      let at = 0;
      let pieces = splitLines(1_048_576, (line) => take('daemon', line));
      const look = async (): Promise<void> => {
        const file = await open(path, 'r').catch(() => undefined);
        if (file === undefined) return;
        try {
          const { size } = await file.stat();
          if (size < at) {
            at = 0;
            pieces = splitLines(1_048_576, (line) => take('daemon', line));
          }
          while (at < size) {
            const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536, at);
            if (bytesRead === 0) break;
            at += bytesRead;
            pieces(buffer.subarray(0, bytesRead));
          }
        } finally {
          await file.close();
        }
      };
      let looking: Promise<void> = Promise.resolve();
      const timer = setInterval(() => {
        looking = looking.then(look);
      }, 200);
      return async () => {
        clearInterval(timer);
        await looking;
        await look();
      };
    },
  };
}

interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Processes with this folder in their environment. */
export async function processesOf(folder: string): Promise<Running[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid): Promise<Running[]> => {
      const read = (name: string): Promise<string> => readFile(join('/proc', pid, name), 'utf8').catch(() => '');
      const [environment, stat, command] = await Promise.all([read('environ'), read('stat'), read('cmdline')]);
      const [, state, parent] = /\) (\w) (\d+)/.exec(stat) ?? [];
      if (state === undefined || state === 'Z' || !environment.includes(folder)) return [];
      return [{ pid: Number(pid), parent: Number(parent), command: command.replaceAll('\0', ' ').slice(0, 120) }];
    }),
  );
  return found.flat();
}

/** What a process holds open, sorted; sockets and pipes without their numbers. */
export async function openFiles(pid: number): Promise<string[]> {
  const folder = join('/proc', String(pid), 'fd');
  const names = await readdir(folder).catch(() => []);
  const files = await Promise.all(names.map((name) => readlink(join(folder, name)).catch(() => '')));
  return files
    .filter((file) => file !== '')
    .map((file) => file.replace(/:\[\d+\]$/, ''))
    .sort();
}

/** Megabytes. */
export async function residentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
}
