import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { join } from 'node:path';
import { CalmcpError } from '../core/errors.ts';
import { deriveKey, KEY_BYTES, type Keystore } from './keystore.ts';
import { createPrivateFile, readPrivateFile } from './private-file.ts';

// About a quarter of a second and 128 MiB, as OWASP advises for scrypt:
// https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#scrypt
const SCRYPT = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };

const HEADER = Buffer.from('calmcp-salt\x01', 'latin1');
const SALT_BYTES = 16;

export interface PassphraseOptions {
  readonly folder: string;
  /** Asked once a process, when the first key is needed. */
  readonly passphrase: (() => Promise<string>) | undefined;
}

/** Keys derived from a passphrase and the salt in `${folder}/passphrase.salt`. */
export function openPassphrase({ folder, passphrase }: PassphraseOptions): Keystore {
  const path = join(folder, 'passphrase.salt');
  let derived: { readonly salt: Buffer; readonly mainKey: Promise<Buffer> } | undefined;
  let creation: Promise<void> | undefined;

  async function askPassphrase(): Promise<string> {
    const text = (await passphrase?.()) ?? '';
    if (text === '') {
      throw new CalmcpError('CONFIG_INVALID', 'CALMCP_KEYSTORE is passphrase, but there is no passphrase', {
        hint: 'set CALMCP_PASSPHRASE_FILE (better) or CALMCP_PASSPHRASE (see docs/keystore.md)',
      });
    }
    // The same letters typed on two machines can be two byte strings: RFC 8265, section 4.2.
    return text.normalize('NFC');
  }

  function mainKeyOf(salt: Buffer): Promise<Buffer> {
    if (derived === undefined || !derived.salt.equals(salt)) {
      const mainKey = askPassphrase().then((text) => stretch(text, salt));
      derived = { salt, mainKey };
      mainKey.catch(() => {
        if (derived?.mainKey === mainKey) derived = undefined;
      });
    }
    return derived.mainKey;
  }

  async function get(cacheKey: string): Promise<Buffer | undefined> {
    const bytes = await readPrivateFile(path);
    if (bytes === undefined) return undefined;
    const salt = bytes.subarray(HEADER.length, HEADER.length + SALT_BYTES);
    const check = bytes.subarray(HEADER.length + SALT_BYTES);
    if (!bytes.subarray(0, HEADER.length).equals(HEADER) || check.length !== KEY_BYTES) {
      throw new CalmcpError('CONFIG_INVALID', `${path} is damaged or not a calmcp salt file`, {
        hint: 'put it back from a copy, or delete it, then log out and log in again',
      });
    }
    const mainKey = await mainKeyOf(salt);
    if (!timingSafeEqual(check, checkValue(mainKey))) {
      derived = undefined;
      throw new CalmcpError('CONFIG_INVALID', 'wrong passphrase', {
        hint: `give the passphrase that ${path} was made with`,
      });
    }
    return deriveKey(mainKey, `sealed file ${cacheKey}`);
  }

  async function createSalt(): Promise<void> {
    const salt = randomBytes(SALT_BYTES);
    const mainKey = await mainKeyOf(salt);
    await createPrivateFile(path, Buffer.concat([HEADER, salt, checkValue(mainKey)]));
  }

  return {
    kind: 'passphrase',
    whereIs: () => path,
    get,
    async create(cacheKey) {
      creation ??= createSalt().finally(() => {
        creation = undefined;
      });
      await creation;
      // Read back, as another process may have been first, perhaps with another passphrase.
      const key = await get(cacheKey);
      if (key === undefined) throw new CalmcpError('INTERNAL', `${path} vanished just after it was made`);
      return key;
    },
    // The salt serves every cache key, so one account's sign-out leaves it alone.
    async delete() {},
    async probe() {
      if ((await get('probe')) === undefined) await askPassphrase();
    },
  };
}

/** Tells a wrong passphrase from a damaged file, and gives a guesser nothing that a sealed file would not. */
function checkValue(mainKey: Buffer): Buffer {
  return deriveKey(mainKey, 'passphrase check');
}

function stretch(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase, salt, KEY_BYTES, SCRYPT, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
