import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { CalmcpError } from '../core/errors.ts';
import { deriveKey, KEY_BYTES, type Keystore } from './keystore.ts';
import { createPrivateFile, readPrivateFile } from './private-file.ts';

/** Keys derived from 32 random bytes in `${folder}/keyfile`. Guards a copy of the sealed files alone, without that file. */
export function openKeyfile({ folder }: { readonly folder: string }): Keystore {
  const path = join(folder, 'keyfile');

  async function mainKey(): Promise<Buffer | undefined> {
    const bytes = await readPrivateFile(path);
    if (bytes !== undefined && bytes.length !== KEY_BYTES) {
      throw new CalmcpError('CONFIG_INVALID', `${path} is not a calmcp key file (it must hold ${KEY_BYTES} bytes)`, {
        hint: 'put it back from a copy, or delete it, then log out and log in again',
      });
    }
    return bytes;
  }

  async function get(cacheKey: string): Promise<Buffer | undefined> {
    const main = await mainKey();
    return main && deriveKey(main, `sealed file ${cacheKey}`);
  }

  return {
    kind: 'keyfile',
    whereIs: () => path,
    get,
    async create(cacheKey) {
      await createPrivateFile(path, randomBytes(KEY_BYTES));
      // Read back, as another process may have been first.
      const key = await get(cacheKey);
      if (key === undefined) throw new CalmcpError('INTERNAL', `${path} vanished just after it was made`);
      return key;
    },
    // The file serves every cache key, so one account's sign-out leaves it alone.
    async delete() {},
    async probe() {
      await mainKey();
    },
  };
}
