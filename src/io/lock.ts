/** One owner at a time, across processes. A lock of a process that died is taken over, at once where that can be seen. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { CalmcpError } from '../core/errors.ts';
import { exists, startedAt } from './process-table.ts';
import { pause } from './time-limit.ts';

export interface LockOptions {
  /** Ends the wait. */
  readonly signal: AbortSignal;
  /** Milliseconds after which a lock may be taken from its owner even if that still runs (a sleeping machine). */
  readonly leaseMs: number;
}

interface Owner {
  readonly pid: number;
  /** When the process started, as the system counts it; tells a process from a later one with its number. */
  readonly started: string | null;
  readonly host: string;
  readonly nonce: string;
  /** When its lease ends: epoch milliseconds, for other machines. */
  readonly until: number;
  /** The same by {@link uptime}, for this machine. */
  readonly untilUptime?: number;
}

const POLL_MS = { least: 10, most: 40 };

/** How old a lock without readable content has to be, in milliseconds: its owner died between two steps, or is there yet. */
const UNREADABLE_MS = 2_000;

/** No lease is longer: a lock that claims one was written when a clock was wrong. */
const LONGEST_LEASE_MS = 600_000;

/** Milliseconds of the clock that nobody sets. All processes of a machine share it, as long as that is not started anew. */
const uptime = (): number => Number(process.hrtime.bigint() / 1_000_000n);

async function isStale(owner: Owner): Promise<boolean> {
  const isHere = owner.host === hostname();
  if (isHere && !exists(owner.pid)) return true;
  if (isHere && owner.started !== null && (await startedAt(owner.pid)) !== owner.started) return true;
  // The time of day may have been set while it is held: nobody may lose a lock by that, or keep it for a day.
  const left = isHere && owner.untilUptime !== undefined ? owner.untilUptime - uptime() : owner.until - Date.now();
  return left <= 0 || left > LONGEST_LEASE_MS;
}

function isOwner(value: unknown): value is Owner {
  const { pid, host, nonce, until, untilUptime } = (value ?? {}) as Partial<Record<keyof Owner, unknown>>;
  return (
    typeof pid === 'number' &&
    typeof host === 'string' &&
    typeof nonce === 'string' &&
    typeof until === 'number' &&
    (untilUptime === undefined || typeof untilUptime === 'number')
  );
}

function parseOwner(text: string): Owner | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isOwner(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Anything but a lock that is held by somebody else, in words. */
function lockError(path: string, thrown: unknown): unknown {
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === undefined || thrown instanceof CalmcpError) return thrown;
  return new CalmcpError('INTERNAL', `could not write ${path} (${code})`, {
    cause: thrown,
    hint: 'check the free space and the permissions of its folder',
  });
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const owner = parseOwner(await readFile(path, 'utf8'));
    const { mtimeMs } = await stat(path);
    if (owner === undefined) return { pid: 0, started: null, host: '', nonce: '', until: mtimeMs + UNREADABLE_MS };
    return { ...owner, until: Math.min(owner.until, mtimeMs + LONGEST_LEASE_MS) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw lockError(path, error);
  }
}

/** Whether a lock is there whose owner is gone; the next one who wants it takes it. */
export async function isLockLeftBehind(path: string): Promise<boolean> {
  const owner = await readOwner(path);
  return owner !== undefined && (await isStale(owner));
}

/** @returns false when there is such a file already */
async function createLock(path: string, owner: Owner): Promise<boolean> {
  try {
    // Not by way of another name: whoever is killed would leave that behind.
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(owner));
    } catch (error) {
      // On a full disk: an empty lock would hold up everybody for a while.
      await rm(path, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw lockError(path, error);
  }
}

async function describeSelf(): Promise<Omit<Owner, 'until' | 'untilUptime'>> {
  return { pid: process.pid, started: await startedAt(process.pid), host: hostname(), nonce: randomUUID() };
}

type Self = Awaited<ReturnType<typeof describeSelf>>;

const forLease = (self: Self, leaseMs: number): Owner => ({
  ...self,
  until: Date.now() + leaseMs,
  untilUptime: uptime() + leaseMs,
});

const BREAK_MS = 5_000;

/**
 * Removes a lock whose owner is gone. Two processes may come to that verdict at once, and by then a third may own a new
 * lock of that name: so only one breaks at a time, and looks again first.
 */
async function breakLock(path: string, seen: Owner, self: Self): Promise<void> {
  const breaking = `${path}.break`;
  if (!(await createLock(breaking, forLease(self, BREAK_MS)))) {
    const other = await readOwner(breaking);
    if (other !== undefined && (await isStale(other))) await rm(breaking, { force: true });
    return;
  }
  try {
    if ((await readOwner(path))?.nonce === seen.nonce) await rm(path, { force: true });
  } finally {
    await rm(breaking, { force: true });
  }
}

/**
 * Runs `work` while no other process runs its own under the same path.
 * @throws the signal's reason when it aborts while waiting
 */
export async function withLock<T>(path: string, { signal, leaseMs }: LockOptions, work: () => Promise<T>): Promise<T> {
  const self = await describeSelf();
  await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw lockError(path, error);
  });
  while (!(await createLock(path, forLease(self, leaseMs)))) {
    signal.throwIfAborted();
    const owner = await readOwner(path);
    if (owner === undefined) continue;
    if (await isStale(owner)) await breakLock(path, owner, self);
    else await pause(POLL_MS.least + Math.random() * (POLL_MS.most - POLL_MS.least), signal);
  }
  try {
    return await work();
  } finally {
    // Not ours any more when it was taken from us: then it is not ours to remove.
    if ((await readOwner(path))?.nonce === self.nonce) await rm(path, { force: true });
  }
}

/** The reason to give up waiting for a lock. */
export function lockTimeout(seconds: number): CalmcpError {
  return new CalmcpError('UNAVAILABLE', `another calmcp has been busy signing in for ${seconds} s`, {
    hint: 'try again in a moment',
  });
}
