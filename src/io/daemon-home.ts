/** One daemon a state folder: who may listen, and what is left of one that was killed. */
import { chmod, lstat, rename } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { CalmcpError } from '../core/errors.ts';
import { type DaemonRecord, readDaemonRecord, recordPath, startOf } from './daemon-record.ts';
import { isOwnSocket, makeSocketFolder, NEW_SUFFIX, reach, type SocketPlace, socketPathFor } from './daemon-socket.ts';
import { withLock } from './lock.ts';
import { removePrivateFile, requirePrivateFolder, writePrivateFile } from './private-file.ts';
import { limitedSignal } from './time-limit.ts';

/** Milliseconds that a daemon has for taking a connection. */
export const REACH_MS = 2_000;
/** The lock is held for a moment at the start and at the end of a daemon. */
const LOCK = { waitMs: 15_000, leaseMs: 20_000 } as const;

/** Clients that come at one moment, before they are looked at. */
const BACKLOG = 1_024;

const isWindows = process.platform === 'win32';

const withHome = <T>(stateFolder: string, work: () => Promise<T>): Promise<T> =>
  withLock(
    join(stateFolder, 'daemon.lock'),
    {
      signal: limitedSignal(
        LOCK.waitMs,
        () =>
          new CalmcpError('UNAVAILABLE', 'another calmcp is starting or ending a daemon', {
            hint: 'try again in a moment',
          }),
      ),
      leaseMs: LOCK.leaseMs,
    },
    work,
  );

/** Whether somebody of ours listens there, and be it one that answers nothing. */
async function isListening(path: string): Promise<boolean> {
  if (!(await isOwnSocket(path))) return false;
  const reached = await reach(path, REACH_MS);
  if (reached === 'nobody') return false;
  if (reached !== 'no answer') reached.destroy();
  return true;
}

export interface Listener {
  accept(socket: Socket): void;
  /** One that came could not be taken: no file is left to open, say. */
  failed(error: Error): void;
}

async function listen(path: string, listener: Listener): Promise<Server> {
  const server = createServer(listener.accept);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: BACKLOG }, () => {
      server.off('error', reject).on('error', listener.failed);
      resolve();
    });
  });
  return server;
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown';

/**
 * Listens under a name of its own first: whoever finds the socket by its name finds one that is closed to others already. And
 * closing it takes its first name away, never that of a later daemon.
 */
async function bind(path: string, listener: Listener): Promise<Server> {
  await makeSocketFolder(path);
  if (isWindows) return listen(path, listener);
  const unnamed = `${path}${NEW_SUFFIX}`;
  await removePrivateFile(unnamed);
  const server = await listen(unnamed, listener);
  try {
    await chmod(unnamed, 0o600);
    await rename(unnamed, path);
    return server;
  } catch (error) {
    server.close();
    throw error;
  }
}

export interface DaemonHome {
  readonly record: DaemonRecord;
  /** Writes what is true now of its surroundings. @throws CalmcpError */
  update(surroundings: string): Promise<void>;
  /** Whether clients still find this daemon; not when somebody has removed its files, or taken its place. */
  isOwn(): Promise<boolean>;
  /** Listens no more, and takes its files away; what is connected stays so. */
  release(): Promise<void>;
}

export type Claim = { readonly home: DaemonHome } | { readonly owner: DaemonRecord };

async function removeFiles(stateFolder: string, socket: string): Promise<void> {
  // The record first: what it tells must never be there without it being true.
  await removePrivateFile(recordPath(stateFolder));
  if (!isWindows && (await isOwnSocket(socket))) await removePrivateFile(socket);
}

/**
 * Becomes the daemon of a state folder, unless there is one: of several that want to at one moment, one does.
 * @throws CalmcpError CONFIG_INVALID for folders that are open to others or too long a path, INTERNAL when the disk refuses;
 *   nothing is left behind then
 */
export async function claimHome(
  place: SocketPlace,
  facts: Pick<DaemonRecord, 'version' | 'configFile' | 'surroundings' | 'managed' | 'since'>,
  listener: Listener,
): Promise<Claim> {
  const { stateFolder } = place;
  await requirePrivateFolder(stateFolder);
  const socket = socketPathFor(place);
  return withHome(stateFolder, async () => {
    const before = await readDaemonRecord(stateFolder);
    if (before !== undefined && (await isListening(before.socket))) return { owner: before };
    if (!isWindows && (before === undefined || before.socket !== socket) && (await isListening(socket)))
      throw new CalmcpError('UNAVAILABLE', `a daemon listens at ${socket} that has lost its record`, {
        hint: 'it ends by itself: try again in half a minute',
      });
    if (before !== undefined) await removeFiles(stateFolder, before.socket);
    let server: Server | undefined;
    try {
      server = await bind(socket, listener);
      const started = await startOf(process.pid);
      const record: DaemonRecord = { pid: process.pid, started, socket, ...facts };
      await write(stateFolder, record);
      return { home: await hold(stateFolder, record, server) };
    } catch (thrown) {
      server?.close();
      await removeFiles(stateFolder, socket).catch(() => undefined);
      if (thrown instanceof CalmcpError) throw thrown;
      throw new CalmcpError('INTERNAL', `could not listen at ${socket} (${codeOf(thrown)})`, {
        cause: thrown,
        hint: 'check the free space and the permissions of its folder',
      });
    }
  });
}

const write = (stateFolder: string, record: DaemonRecord): Promise<void> =>
  writePrivateFile(recordPath(stateFolder), `${JSON.stringify(record)}\n`);

/** Tells a file from another one of its name. */
async function inodeOf(path: string): Promise<string | undefined> {
  if (isWindows) return path;
  try {
    const { dev, ino } = await lstat(path, { bigint: true });
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}

async function hold(stateFolder: string, first: DaemonRecord, server: Server): Promise<DaemonHome> {
  const { pid, socket, since } = first;
  const own = await inodeOf(socket);
  let record = first;
  let released: Promise<void> | undefined;

  async function hasRecord(): Promise<boolean> {
    const now = await readDaemonRecord(stateFolder);
    return now?.pid === pid && now.since === since && now.socket === socket;
  }
  const hasSocket = async (): Promise<boolean> => (await inodeOf(socket)) === own;

  async function leave(): Promise<void> {
    server.close();
    if (await hasRecord()) await removePrivateFile(recordPath(stateFolder));
    if (!isWindows && (await hasSocket())) await removePrivateFile(socket);
  }

  return {
    get record() {
      return record;
    },
    update: (surroundings) =>
      withHome(stateFolder, async () => {
        if (released !== undefined || !(await hasRecord())) return;
        record = { ...record, surroundings };
        await write(stateFolder, record);
      }),
    isOwn: async () => (await hasRecord()) && (await hasSocket()),
    release() {
      released ??= (async () => {
        // A folder that is gone is not made again for its lock.
        const isThere = (await inodeOf(stateFolder)) !== undefined;
        // A full disk has no room for a lock; what is ours is taken away all the same.
        await (isThere ? withHome(stateFolder, leave).catch(leave) : leave());
      })();
      return released;
    },
  };
}

/** What a daemon that was killed has left behind. */
export interface Leftovers {
  readonly files: readonly string[];
}

/** Removes the files of a daemon that is gone; not of one that listens. @returns what was removed */
export async function removeLeftovers(place: SocketPlace): Promise<Leftovers> {
  const { stateFolder } = place;
  if ((await inodeOf(stateFolder)) === undefined) return { files: [] };
  return withHome(stateFolder, async () => {
    const record = await readDaemonRecord(stateFolder);
    const socket = record?.socket ?? (isWindows ? undefined : socketPathFor(place));
    if (socket !== undefined && (await isListening(socket))) return { files: [] };
    const files = await leftFiles(stateFolder, socket);
    for (const file of files) await removePrivateFile(file);
    return { files };
  });
}

async function leftFiles(stateFolder: string, socket: string | undefined): Promise<string[]> {
  const candidates = [
    recordPath(stateFolder),
    ...(socket === undefined || isWindows ? [] : [socket, `${socket}${NEW_SUFFIX}`]),
  ];
  const found = await Promise.all(candidates.map(inodeOf));
  return candidates.filter((_path, index) => found[index] !== undefined);
}

/** Looks for the same without touching it. @param place of a state folder that no daemon listens for */
export async function findLeftovers(place: SocketPlace): Promise<Leftovers> {
  const record = await readDaemonRecord(place.stateFolder);
  const socket = record?.socket ?? (isWindows ? undefined : socketPathFor(place));
  return { files: await leftFiles(place.stateFolder, socket) };
}
