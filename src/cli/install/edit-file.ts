/** A client's configuration file, read whole and put back whole. */
import { readFile, stat } from 'node:fs/promises';
import { CalmcpError } from '../../core/errors.ts';
import { createPrivateFile, replaceOwnFile } from '../../io/private-file.ts';

/** Claude Code keeps its history in the same file. */
const MAX_BYTES = 64 * 1_048_576;

export interface ClientFile {
  /** Empty where there is no file yet. */
  readonly text: string;
  readonly exists: boolean;
}

/** @throws CalmcpError CONFIG_INVALID where it cannot be read, or would not come back as it was */
export async function readClientFile(path: string): Promise<ClientFile> {
  let bytes: Buffer;
  try {
    const info = await stat(path);
    if (!info.isFile()) throw new CalmcpError('CONFIG_INVALID', `${path} is no regular file`, { hint: 'move it away' });
    if (info.size > MAX_BYTES)
      throw new CalmcpError('CONFIG_INVALID', `${path} is larger than ${MAX_BYTES / 1_048_576} MiB`);
    bytes = await readFile(path);
  } catch (thrown) {
    if (thrown instanceof CalmcpError) throw thrown;
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return { text: '', exists: false };
    throw new CalmcpError('CONFIG_INVALID', `${path} cannot be read`, {
      cause: thrown,
      hint: 'check whose it is and its permissions',
    });
  }
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), exists: true };
  } catch {
    throw new CalmcpError('CONFIG_INVALID', `${path} is not written in UTF-8; it was left as it is`, {
      hint: 'save it as UTF-8 in an editor, then run it again',
    });
  }
}

/** Keeps the file as it is beside it. @param stamp digits and letters that say when */
async function backUp(path: string, text: string, stamp: string): Promise<string> {
  for (let number = 1; ; number++) {
    const backup = `${path}.calmcp-backup-${stamp}${number === 1 ? '' : `-${number}`}`;
    if (await createPrivateFile(backup, text)) return backup;
  }
}

/**
 * @returns the backup, where there was something to keep
 * @throws CalmcpError CONFLICT when the file has changed since it was read
 */
export async function writeClientFile(
  path: string,
  before: ClientFile,
  after: string,
  stamp: string,
): Promise<string | undefined> {
  const now = await readClientFile(path);
  if (now.text !== before.text || now.exists !== before.exists)
    throw new CalmcpError('CONFLICT', `${path} has changed meanwhile, so it was left as it is`, {
      hint: 'run it again',
    });
  const backup = before.exists ? await backUp(path, before.text, stamp) : undefined;
  await replaceOwnFile(path, after);
  return backup;
}
