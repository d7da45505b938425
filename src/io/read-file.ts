import { constants, open, readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { CalmcpError } from '../core/errors.ts';
import type { FileRead, ReadFile } from '../core/provider.ts';

const HINT = 'check the path in accounts.yaml; it is relative to that file';
/** Files of a folder that are open at once: a folder may hold more of them than a process may open. */
const OPEN_AT_ONCE = 64;

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  EACCES: 'may not be read',
  EPERM: 'may not be read',
  EISDIR: 'is a folder',
  ENOTDIR: 'is not a folder',
};

function fileError(path: string, thrown: unknown): CalmcpError {
  const reason = (thrown as NodeJS.ErrnoException).code ?? '';
  return new CalmcpError(
    reason === 'ENOENT' ? 'NOT_FOUND' : 'UNAVAILABLE',
    `${path} ${REASONS[reason] ?? 'cannot be read'}`,
    {
      hint: HINT,
      cause: thrown,
    },
  );
}

async function readBounded(path: string, shown: string, maxBytes: number): Promise<string> {
  // Opening a pipe would wait for somebody to write into it, and a device has no end.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const info = await file.stat();
    if (!info.isFile())
      throw new CalmcpError('UNAVAILABLE', `${shown} is ${info.isDirectory() ? 'a folder' : 'not a regular file'}`, {
        hint: HINT,
      });
    if (info.size > maxBytes)
      throw new CalmcpError('BAD_RESPONSE', `${shown} is larger than ${Math.round(maxBytes / 1_048_576)} MiB`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

/** {@link ReadFile} for paths relative to `folder`; messages call a file as the user wrote it. */
export function createReadFile(folder: string): ReadFile {
  return async (path, { extensions, maxBytes }) => {
    const target = resolve(folder, path);
    const wanted = (name: string): boolean => extensions.some((extension) => name.toLowerCase().endsWith(extension));
    const read = async (file: string, shown: string): Promise<FileRead> => {
      const name = basename(file);
      try {
        return { name, text: await readBounded(file, shown, maxBytes) };
      } catch (thrown) {
        return { name, error: thrown instanceof CalmcpError ? thrown : fileError(shown, thrown) };
      }
    };
    try {
      if (!(await stat(target)).isDirectory())
        return [{ name: basename(target), text: await readBounded(target, path, maxBytes) }];
      const names = (await readdir(target)).filter(wanted).sort();
      const files: FileRead[] = [];
      for (let at = 0; at < names.length; at += OPEN_AT_ONCE) {
        const batch = names.slice(at, at + OPEN_AT_ONCE);
        files.push(...(await Promise.all(batch.map((name) => read(join(target, name), join(path, name))))));
      }
      return files;
    } catch (thrown) {
      throw thrown instanceof CalmcpError ? thrown : fileError(path, thrown);
    }
  };
}

/** A text file of the configuration, or `undefined` where there is none. @throws CalmcpError CONFIG_INVALID where it cannot be read */
export async function readTextFile(path: string, maxBytes: number): Promise<string | undefined> {
  try {
    return await readBounded(path, path, maxBytes);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    const { message, cause } = thrown instanceof CalmcpError ? thrown : fileError(path, thrown);
    throw new CalmcpError('CONFIG_INVALID', message, { cause });
  }
}
