import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, link, lstat, mkdir, open, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CalmcpError } from '../core/errors.ts';

// Windows has neither owners nor mode bits: there the access list of the user's profile folder does this work.
const isWindows = process.platform === 'win32';

/**
 * Puts `bytes` at `path`, readable by this user alone: whoever reads `path` meanwhile, or after a crash, finds the old
 * content or the new one. A missing folder is made with mode 0700.
 *
 * @param room what {@link takeRoom} took in the same folder: it becomes the file, so that the disk is asked for nothing more
 * @throws CalmcpError CONFIG_INVALID when everybody may write in the folder, INTERNAL when the disk refuses
 */
export async function writePrivateFile(path: string, bytes: Uint8Array | string, room?: string): Promise<void> {
  await throughTemporaryFile(path, bytes, (temporary) => rename(temporary, path), 0o600, room);
}

/**
 * Like {@link writePrivateFile}, but never replaces a file: of several processes that create `path` at once exactly one
 * gets `true`, and no process ever sees the file half written.
 *
 * @returns false when something was there already
 * @throws CalmcpError as {@link writePrivateFile}
 */
export async function createPrivateFile(path: string, bytes: Uint8Array | string): Promise<boolean> {
  return throughTemporaryFile(path, bytes, async (temporary) => {
    try {
      // A link, as rename(2) would replace the file of whoever came first.
      await link(temporary, path);
      return true;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/**
 * The content of a file that only this user can read or change.
 *
 * @returns undefined when there is no such file
 * @throws CalmcpError CONFIG_INVALID when it is a symbolic link, not a regular file, somebody else's, readable by
 *   others, or in a folder that everybody may write in; INTERNAL when the disk refuses
 */
export async function readPrivateFile(path: string): Promise<Buffer | undefined> {
  let file: FileHandle;
  try {
    await checkFolder(dirname(path));
    if (isWindows && (await lstat(path)).isSymbolicLink()) throw symbolicLink(path);
    // O_NONBLOCK: opening a named pipe would wait for a writer for ever.
    file = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    // FreeBSD says EMLINK where others say ELOOP: https://man.freebsd.org/cgi/man.cgi?open(2)
    if (errorCode(error) === 'ELOOP' || errorCode(error) === 'EMLINK') throw symbolicLink(path);
    if (errorCode(error) === 'EACCES') throw notYours(path);
    throw diskRefused('read', path, error);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw new CalmcpError('CONFIG_INVALID', `${path} is not a regular file`);
    if (!isWindows) {
      if (status.uid !== process.getuid?.()) throw notYours(path);
      if ((status.mode & 0o077) !== 0) {
        throw new CalmcpError('CONFIG_INVALID', `${path} can be read or changed by other users of this machine`, {
          hint: `run: chmod 600 ${quoted(path)}`,
        });
      }
    }
    return await file.readFile();
  } catch (error) {
    throw diskRefused('read', path, error);
  } finally {
    await file.close();
  }
}

/**
 * Puts `text` in the place of a file that is the person's own: atomic, through symbolic links (a folder of dotfiles), and
 * with the mode it has. A file that is not there yet gets mode 0600.
 *
 * @throws CalmcpError as {@link writePrivateFile}; CONFIG_INVALID when it is a link to nothing
 */
export async function replaceOwnFile(path: string, text: string): Promise<void> {
  let target = path;
  let mode = 0o600;
  try {
    target = await realpath(path);
    mode = (await stat(target)).mode & 0o777;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw diskRefused('write', path, error);
    if (await lstat(path).catch(() => undefined))
      throw new CalmcpError('CONFIG_INVALID', `${path} is a symbolic link to a file that is not there`, {
        hint: `make that file, or remove the link: rm ${quoted(path)}`,
      });
  }
  await throughTemporaryFile(target, text, (temporary) => rename(temporary, target), mode);
}

/**
 * Requires of a folder that other users of this machine can neither look into it nor change it; fine when there is none.
 * @throws CalmcpError CONFIG_INVALID
 */
export async function requirePrivateFolder(folder: string): Promise<void> {
  let status: Stats;
  try {
    status = await stat(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    if (errorCode(error) === 'EACCES') throw notYours(folder, 700);
    throw diskRefused('read', folder, error);
  }
  if (!status.isDirectory())
    throw new CalmcpError('CONFIG_INVALID', `${folder} is not a folder`, {
      hint: 'move it away, or set CALMCP_HOME to another folder',
    });
  if (isWindows) return;
  if (status.uid !== process.getuid?.()) throw notYours(folder, 700);
  if ((status.mode & 0o077) !== 0)
    throw new CalmcpError('CONFIG_INVALID', `${folder} is open to other users of this machine`, {
      hint: `run: chmod 700 ${quoted(folder)}`,
    });
}

/** Deletes `path`, or the symbolic link at `path`; fine when there is none. @throws CalmcpError INTERNAL */
export async function removePrivateFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw diskRefused('delete', path, error);
  }
}

/**
 * Takes so much of the disk at `path`, for what has to be written later. Nothing of it is synced.
 * @throws CalmcpError INTERNAL when there is not so much
 */
export async function takeRoom(path: string, bytes: number): Promise<void> {
  try {
    await rm(path, { force: true });
    // No zeros: some file systems store them in no room at all.
    await writeFile(path, randomBytes(bytes), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    await giveRoomBack(path);
    throw diskRefused('write', path, error);
  }
}

/** Of {@link takeRoom}; what stays of it is overwritten by the next one. */
export async function giveRoomBack(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

async function throughTemporaryFile<T>(
  path: string,
  bytes: Uint8Array | string,
  publish: (temporary: string) => Promise<T>,
  mode = 0o600,
  room?: string,
): Promise<T> {
  const folder = dirname(path);
  const temporary = room ?? `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await checkFolder(folder);
    const file = await open(temporary, room === undefined ? 'wx' : 'r+', 0o600);
    try {
      // The umask has its say in the mode of a new file.
      if (mode !== 0o600) await file.chmod(mode);
      await file.writeFile(bytes);
      if (room !== undefined) await file.truncate(Buffer.byteLength(bytes));
      await file.sync();
    } finally {
      await file.close();
    }
    const result = await publish(temporary);
    await syncFolder(folder);
    return result;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw diskRefused('write', path, error);
  }
}

/** Where everybody may rename files, what was read need not be what was written. A sticky folder such as /tmp is safe. */
async function checkFolder(folder: string): Promise<void> {
  if (isWindows) return;
  const { mode } = await stat(folder);
  if ((mode & 0o002) !== 0 && (mode & 0o1000) === 0) {
    throw new CalmcpError('CONFIG_INVALID', `every user of this machine may replace files in ${folder}`, {
      hint: `run: chmod 700 ${quoted(folder)}`,
    });
  }
}

/** Makes the new name itself survive a power cut; Windows cannot open a folder, some network file systems cannot sync one. */
async function syncFolder(folder: string): Promise<void> {
  if (isWindows) return;
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EOPNOTSUPP'].includes(errorCode(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

function symbolicLink(path: string): CalmcpError {
  return new CalmcpError('CONFIG_INVALID', `${path} is a symbolic link`, {
    hint: `put the file itself there, then run: chmod 600 ${quoted(path)}`,
  });
}

function notYours(path: string, mode: 600 | 700 = 600): CalmcpError {
  return new CalmcpError('CONFIG_INVALID', `${path} belongs to another user`, {
    hint: `run: sudo chown "$(id -u)" ${quoted(path)} && chmod ${mode} ${quoted(path)}`,
  });
}

function diskRefused(verb: 'read' | 'write' | 'delete', path: string, error: unknown): CalmcpError {
  if (error instanceof CalmcpError) return error;
  const code = errorCode(error);
  return new CalmcpError('INTERNAL', `could not ${verb} ${path}${code === undefined ? '' : ` (${code})`}`, {
    cause: error,
    hint: 'check the free space and the permissions of its folder',
  });
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** A path as it may be typed in a shell. */
export function quoted(path: string): string {
  return /^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}
