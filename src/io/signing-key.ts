/** A key of this machine's, for knowing again what calmcp itself has said. */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { withLock } from './lock.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

const BYTES = 32;
/** Milliseconds that one process has for making the key, while others wait. */
const LOCK_MS = 10_000;

/** @returns signs a text: 16 characters. The key is made when it is first needed. */
export function createSigner(stateFolder: string): (text: string) => Promise<string> {
  let key: Promise<Buffer> | undefined;

  async function load(): Promise<Buffer> {
    const path = join(stateFolder, 'cursor.key');
    const known = await readPrivateFile(path);
    // One that was cut short would be easy to guess: cursors of before are asked for again.
    if (known?.length === BYTES) return known;
    const signal = AbortSignal.timeout(LOCK_MS);
    return withLock(`${path}.lock`, { signal, leaseMs: LOCK_MS }, async () => {
      const others = await readPrivateFile(path);
      if (others?.length === BYTES) return others;
      const fresh = randomBytes(BYTES);
      await writePrivateFile(path, fresh);
      return fresh;
    });
  }

  return async (text) => {
    key ??= load();
    key.catch(() => {
      key = undefined;
    });
    return createHmac('sha256', await key)
      .update(text)
      .digest('base64url')
      .slice(0, 16);
  };
}
