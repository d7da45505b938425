/** Where the daemon listens: a Unix socket that is its user's alone, or a named pipe. */
import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { CalmcpError } from '../core/errors.ts';
import { quoted } from './private-file.ts';

/** `sun_path` of macOS holds 104 bytes with the zero at its end, that of Linux 108: unix(7). */
const MOST_BYTES = 103;
/** A socket is bound under this name, and gets its own one when it is ready. */
export const NEW_SUFFIX = '.new';

export interface SocketPlace {
  readonly stateFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Of this machine, for whoever has no `XDG_RUNTIME_DIR`. */
  readonly temporaryFolder: string;
  /** `undefined` in a system without. */
  readonly userId: number | undefined;
}

/**
 * In the state folder; where its path is too long for a socket, in the folder of the session, and else in that of temporary files.
 * Of a named pipe everybody may make the next one of a name that is free, so that name is another one each time.
 * @throws CalmcpError CONFIG_INVALID where all of them are too long
 */
export function socketPathFor({ stateFolder, env, platform, temporaryFolder, userId }: SocketPlace): string {
  if (platform === 'win32') return `\\\\.\\pipe\\calmcp-${randomBytes(16).toString('hex')}`;
  const hash = createHash('sha256').update(stateFolder).digest('hex').slice(0, 12);
  // XDG Base Directory Specification 0.8: a relative path is to be ignored.
  const session = env.XDG_RUNTIME_DIR?.startsWith('/') ? [join(env.XDG_RUNTIME_DIR, `calmcp-${hash}`, 'd.sock')] : [];
  const candidates = [
    join(stateFolder, 'daemon.sock'),
    ...session,
    join(temporaryFolder, `calmcp-${userId ?? 0}-${hash}`, 'd.sock'),
  ];
  const found = candidates.find((path) => Buffer.byteLength(path) + NEW_SUFFIX.length <= MOST_BYTES);
  if (found !== undefined) return found;
  throw new CalmcpError('CONFIG_INVALID', 'the path of the daemon’s socket would be too long for this system', {
    hint: `set CALMCP_HOME or XDG_RUNTIME_DIR to a folder whose path has fewer than ${MOST_BYTES - 40} characters`,
  });
}

async function statusOf(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Whether nobody but this user can have put a socket there, or something in its place: its folder is theirs, no link, and closed
 * to others. Names of pipes are not to be guessed.
 */
export async function isOwnSocket(path: string): Promise<boolean> {
  if (process.platform === 'win32') return path.startsWith('\\\\.\\pipe\\calmcp-');
  try {
    const [folder, socket] = await Promise.all([lstat(dirname(path)), lstat(path)]);
    return isOwnFolder(folder) && socket.isSocket() && socket.uid === process.getuid?.();
  } catch {
    return false;
  }
}

const isOwnFolder = (status: { isDirectory(): boolean; uid: number | bigint; mode: number | bigint }): boolean =>
  status.isDirectory() && Number(status.uid) === process.getuid?.() && (Number(status.mode) & 0o077) === 0;

/** Makes the folder of a socket where there is none. @throws CalmcpError CONFIG_INVALID where it is not this user's alone */
export async function makeSocketFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const status = await statusOf(folder);
  if (status !== undefined && isOwnFolder(status)) return;
  const why = status?.isDirectory() === true && Number(status.uid) === process.getuid?.();
  throw new CalmcpError(
    'CONFIG_INVALID',
    `${folder}, where the daemon’s socket belongs, ${why ? 'is open to other users of this machine' : 'is not a folder of yours'}`,
    { hint: why ? `run: chmod 700 ${quoted(folder)}` : 'move it away, or set XDG_RUNTIME_DIR to a folder of yours' },
  );
}

/** What has come of a connection: nobody listens there, nobody has answered in time, or there is one. */
export type Reached = Socket | 'nobody' | 'no answer';

/** The listening socket of the kernel is the truth about whether a daemon is there: it goes with its process. */
export async function reach(path: string, ms: number): Promise<Reached> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const settle = (reached: Reached): void => {
      clearTimeout(timer);
      socket.off('connect', connected);
      // Without a listener an error would end the process.
      if (reached === socket) socket.off('error', failed);
      else socket.destroy();
      resolve(reached);
    };
    const connected = (): void => settle(socket);
    const failed = ({ code }: NodeJS.ErrnoException): void => {
      // Not EAGAIN (Linux: its queue is full) and the like: somebody does listen there.
      const isNobody = code === 'ECONNREFUSED' || code === 'ENOENT' || code === 'ENOTSOCK' || code === 'ENOTDIR';
      settle(isNobody ? 'nobody' : 'no answer');
    };
    const timer = setTimeout(() => settle('no answer'), ms);
    socket.once('connect', connected).on('error', failed);
  });
}
