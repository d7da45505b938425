/**
 * Which child servers run, told to whoever comes after a calmcp that was killed, and to `calmcp children`. Each has a folder
 * of its own with its lease, its home and its working folder; all of it goes when it is given up.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CHILD_STATES } from '../core/child.ts';
import { exists, type ProcessEntry, processesOfGroup, processesWith, processOf } from './process-table.ts';

const LEASE = 'lease.json';
/** In the environment of the server and of all that it starts. */
export const NONCE_VARIABLE = 'CALMCP_CHILD';
/** A folder without a lease that is older was never finished. */
const UNFINISHED_MS = 600_000;

const processSchema = z.object({ pid: z.number().int().positive(), started: z.string() });

const leaseSchema = z.object({
  account: z.string(),
  server: z.string(),
  transport: z.enum(['stdio', 'http']),
  nonce: z.string(),
  /** The calmcp that it belongs to. */
  owner: processSchema,
  state: z.enum(CHILD_STATES),
  /** Its own process, the first of its group; none while it does not run. */
  process: processSchema.extend({ group: z.number().int().positive() }).optional(),
  port: z.number().optional(),
  version: z.string().optional(),
  restarts: z.number(),
  lastError: z.string().optional(),
  /** Epoch milliseconds at which the process was started. */
  since: z.number().optional(),
});

export type Lease = z.output<typeof leaseSchema>;
export type LeaseFacts = Omit<Lease, 'account' | 'server' | 'transport' | 'nonce' | 'owner'>;

export interface HeldLease {
  readonly folder: string;
  readonly nonce: string;
  /** Writes what is true now. Changes that come while one is being written are written together. */
  update(facts: LeaseFacts): Promise<void>;
  /** Somebody asked for a fresh start (`calmcp children restart`) since this was last asked. */
  takeRestart(): Promise<boolean>;
  release(): Promise<void>;
}

/** Nothing is private in a system that does not tell when a process started: there only its number counts. */
async function describeSelf(): Promise<{ pid: number; started: string }> {
  return { pid: process.pid, started: (await processOf(process.pid))?.started ?? '' };
}

async function isAlive({ pid, started }: { readonly pid: number; readonly started: string }): Promise<boolean> {
  if (isWindows) return exists(pid);
  // Its own number proves nothing either: in a container every calmcp may have the same one.
  return (await processOf(pid))?.started === started;
}

const isWindows = process.platform === 'win32';

const RESTART = 'restart';

/** @param folder of all children of all accounts */
export async function holdLease(
  folder: string,
  about: Pick<Lease, 'account' | 'server' | 'transport'>,
): Promise<HeldLease> {
  const nonce = randomBytes(12).toString('hex');
  const own = join(folder, about.account, `${process.pid}-${nonce}`);
  await mkdir(own, { recursive: true, mode: 0o700 });
  const owner = await describeSelf();
  let latest: LeaseFacts = { state: 'idle', restarts: 0 };
  let writing: Promise<void> | undefined;
  let isDirty = false;
  let isReleased = false;

  async function write(): Promise<void> {
    while (isDirty && !isReleased) {
      isDirty = false;
      const temporary = join(own, `${LEASE}.tmp`);
      // Not synced: after a power cut there is no process left that it could tell of.
      await writeFile(temporary, JSON.stringify({ ...about, nonce, owner, ...latest }), { mode: 0o600 });
      await rename(temporary, join(own, LEASE));
    }
  }

  const update = (facts: LeaseFacts): Promise<void> => {
    latest = facts;
    isDirty = true;
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  };
  await update(latest);

  return {
    folder: own,
    nonce,
    update,
    async takeRestart() {
      const asked = await isThere(join(own, RESTART));
      if (asked) await rm(join(own, RESTART), { force: true });
      return asked;
    },
    async release() {
      isReleased = true;
      await writing?.catch(() => undefined);
      await rm(own, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

interface FoundLease {
  readonly folder: string;
  readonly lease: Lease | undefined;
}

async function foldersIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

async function findLeases(folder: string): Promise<FoundLease[]> {
  const folders = (await Promise.all((await foldersIn(folder)).map(foldersIn))).flat();
  // A folder of leases is named after the process that made it; others are the child's own.
  const owned = folders.filter((path) => /[\\/]\d+-[0-9a-f]{24}$/.test(path));
  return Promise.all(
    owned.map(async (path) => {
      const text = await readFile(join(path, LEASE), 'utf8').catch(() => '');
      try {
        return { folder: path, lease: leaseSchema.parse(JSON.parse(text)) };
      } catch {
        return { folder: path, lease: undefined };
      }
    }),
  );
}

export interface RunningLease {
  readonly folder: string;
  readonly lease: Lease;
}

/** Leases whose calmcp still runs. */
export async function listLeases(folder: string): Promise<RunningLease[]> {
  const found = await findLeases(folder);
  const alive = await Promise.all(found.map(({ lease }) => (lease === undefined ? false : isAlive(lease.owner))));
  const asked = await Promise.all(found.map(({ folder: path }) => isThere(join(path, RESTART))));
  return found.flatMap(({ folder: path, lease }, index) => {
    if (lease === undefined || !alive[index]) return [];
    // The next question starts it afresh; until then nobody looks.
    const isForgiven = asked[index] && (lease.state === 'crash-loop' || lease.state === 'backoff');
    return [{ folder: path, lease: isForgiven ? { ...lease, state: 'idle' as const } : lease }];
  });
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** The processes of a lease that are its own beyond doubt. */
export async function processesOf({
  process: leader,
  nonce,
}: Pick<Lease, 'process' | 'nonce'>): Promise<ProcessEntry[]> {
  const marked = await processesWith(NONCE_VARIABLE, nonce);
  // Its number is its group's as well, and the system gives that to nobody as long as one of the group runs.
  const isLeader = leader !== undefined && (await processOf(leader.pid))?.started === leader.started;
  const group = isLeader ? await processesOfGroup(leader.group) : [];
  const all = new Map([...marked, ...group].map((entry) => [entry.pid, entry]));
  all.delete(process.pid);
  return [...all.values()];
}

/** Ends processes, each of which is still the one that was looked at. */
export async function endProcesses(entries: readonly ProcessEntry[], signal: NodeJS.Signals): Promise<void> {
  for (const { pid, started } of entries) {
    if ((await processOf(pid))?.started !== started) continue;
    try {
      process.kill(pid, signal);
    } catch {
      // It has gone by itself meanwhile, or it is not ours to end.
    }
  }
}

/** How often it is looked whether something that was ended has gone, in milliseconds, and for how long. */
const GONE = { everyMs: 20, forMs: 2_000 };

async function stillRunning(entries: readonly ProcessEntry[]): Promise<ProcessEntry[]> {
  const found = await Promise.all(entries.map(({ pid }) => processOf(pid)));
  return entries.filter(({ started }, index) => found[index]?.started === started);
}

/** Asks whoever holds the lease for a fresh start, and ends what runs under it. */
export async function requestRestart({ folder, lease }: RunningLease): Promise<void> {
  // Its calmcp may end meanwhile, and take the folder along.
  await writeFile(join(folder, RESTART), '', { mode: 0o600 }).catch(() => undefined);
  const own = await processesOf(lease);
  await endProcesses(own, 'SIGTERM');
  for (let waited = 0; waited < GONE.forMs && (await stillRunning(own)).length > 0; waited += GONE.everyMs)
    await new Promise((resolve) => setTimeout(resolve, GONE.everyMs));
  await endProcesses(await stillRunning(own), 'SIGKILL');
}

async function isFolderOfDead(path: string): Promise<boolean> {
  const [, pid = ''] = /[\\/](\d+)-[0-9a-f]{24}$/.exec(path) ?? [];
  if (isWindows ? !exists(Number(pid)) : (await processOf(Number(pid))) === undefined) return true;
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Date.now() }));
  return Date.now() - mtimeMs > UNFINISHED_MS;
}

/**
 * Ends what a calmcp that was killed has left behind, and removes its files. Nothing else: a process whose number was
 * given to somebody else has another start, and one that nothing proves to be ours is left alone.
 * @returns how many processes were ended
 */
export async function endLeftovers(folder: string): Promise<number> {
  let ended = 0;
  for (const { folder: path, lease } of await findLeases(folder)) {
    if (lease === undefined ? !(await isFolderOfDead(path)) : await isAlive(lease.owner)) continue;
    if (lease !== undefined) {
      const left = await processesOf(lease);
      ended += left.length;
      await endProcesses(left, 'SIGKILL');
      for (let waited = 0; waited < GONE.forMs && (await processesOf(lease)).length > 0; waited += GONE.everyMs)
        await new Promise((resolve) => setTimeout(resolve, GONE.everyMs));
    }
    await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
  }
  return ended;
}
