/** A key of this machine's, for knowing again what calmcp itself has said. */
import { createHmac, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createPrivateFile, readPrivateFile, writePrivateFile } from './private-file.ts';

const BYTES = 32;

/** @returns signs a text: 16 characters. The key is made when it is first needed. */
export function createSigner(stateFolder: string): (text: string) => Promise<string> {
  let key: Promise<Buffer> | undefined;

  async function load(): Promise<Buffer> {
    const path = join(stateFolder, 'cursor.key');
    const known = await readPrivateFile(path);
    if (known?.length === BYTES) return known;
    const fresh = randomBytes(BYTES);
    // One that was cut short would be easy to guess: cursors of before are asked for again.
    if (known !== undefined) {
      await writePrivateFile(path, fresh);
      return fresh;
    }
    if (await createPrivateFile(path, fresh)) return fresh;
    return (await readPrivateFile(path)) ?? fresh;
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
