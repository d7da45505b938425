import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { statSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { CalmcpError } from '../core/errors.ts';
import type { SecretStore } from '../core/provider.ts';
import type { Keystore, KeystoreKind } from './keystore.ts';
import { openKeychain } from './keystore-keychain.ts';
import { openKeyfile } from './keystore-keyfile.ts';
import { openPassphrase } from './keystore-passphrase.ts';
import { lockTimeout, withLock } from './lock.ts';
import {
  giveRoomBack,
  readPrivateFile,
  removePrivateFile,
  requirePrivateFolder,
  takeRoom,
  writePrivateFile,
} from './private-file.ts';

export interface SecretStores {
  /** Whether what lies in the folder is this user's alone. Opens no key. @throws CalmcpError CONFIG_INVALID naming the file */
  checkFiles(): Promise<void>;
  /** The sealed value of `cacheKey`; the same object every time. Calls on it run one after another. */
  scope(cacheKey: string): SecretStore;
  /** Whether the keystore can be used, without leaving a trace. @throws CalmcpError saying what to do */
  probe(): Promise<void>;
}

export interface SecretStoresOptions {
  /**
   * Holds the sealed files, the salt and the key file. Made with mode 0700 at the first save; one that is open to other
   * users is refused.
   */
  readonly folder: string;
  readonly keystore: KeystoreKind;
  /** Needed for `passphrase`: asked once a process, when the first key is needed. */
  readonly passphrase?: (() => Promise<string>) | undefined;
  /** Milliseconds that the keychain may take. Give a person at a prompt more. Default 5,000. */
  readonly keychainTimeLimitMs?: number | undefined;
}

/** Opens nothing yet: the keystore is asked when the first sealed value is loaded or saved. */
export function openSecretStores(options: SecretStoresOptions): SecretStores {
  const { folder } = options;
  return openSealedFiles(folder, openKeystore(options));
}

function openKeystore({ folder, keystore, passphrase, keychainTimeLimitMs }: SecretStoresOptions): Keystore {
  switch (keystore) {
    case 'keychain':
      return openKeychain({ timeLimitMs: keychainTimeLimitMs });
    case 'passphrase':
      return openPassphrase({ folder, passphrase });
    case 'keyfile':
      return openKeyfile({ folder });
  }
}

/** {@link openSecretStores} with any keystore. */
export function openSealedFiles(folder: string, keystore: Keystore): SecretStores {
  const scopes = new Map<string, SecretStore>();
  return {
    scope(cacheKey) {
      let store = scopes.get(cacheKey);
      if (store === undefined) {
        store = openSealedFile(folder, keystore, cacheKey);
        scopes.set(cacheKey, store);
      }
      return store;
    },
    async checkFiles() {
      await requirePrivateFolder(folder);
      for (const name of await readdir(folder).catch(() => []))
        if (name.endsWith('.sealed') || name === 'keyfile' || name === 'passphrase.salt')
          await readPrivateFile(join(folder, name));
    },
    async probe() {
      await requirePrivateFolder(folder);
      await keystore.probe();
    },
  };
}

/**
 * One sealed file. It exists and opens, or it does not exist; everything else is an error and stays untouched until
 * `remove()`, because an empty token cache in its place would sign everybody out without a word.
 *
 * Processes that write at once leave the old or the new value. A read and a write that belong together need a lock
 * around both (io/lock.ts).
 */
function openSealedFile(folder: string, keystore: Keystore, cacheKey: string): SecretStore {
  // A hash, as tenant ids can hold characters that a file name cannot.
  const path = join(folder, `${createHash('sha256').update(cacheKey).digest('hex')}.sealed`);
  const header = Buffer.concat([MAGIC, Buffer.from([VERSION, KIND_BYTES[keystore.kind]])]);
  const bound = Buffer.concat([header, Buffer.from(cacheKey)]);
  let key: Buffer | undefined;
  let tail: Promise<unknown> = Promise.resolve();

  /** Two saves at once in one process must not make two keys. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = tail.then(work);
    tail = turn.catch(() => {});
    return turn;
  }

  async function load(failed?: { readonly sealed: Buffer; readonly error: CalmcpError }): Promise<string | undefined> {
    await requirePrivateFolder(folder);
    const sealed = await readPrivateFile(path);
    if (sealed === undefined) return undefined;
    if (failed?.sealed.equals(sealed)) throw failed.error;
    checkHeader(sealed);

    const value = key && unseal(sealed, key, bound);
    if (value !== undefined) return value;

    // Also when a key is remembered: another process may have signed out and in again since.
    const current = await keystore.get(cacheKey);
    const opened = current && unseal(sealed, current, bound);
    if (opened !== undefined) {
      key = current;
      return opened;
    }
    const error = current === undefined ? keyLost() : unreadable('it is damaged or was not sealed with this key');
    if (failed !== undefined) throw error;
    // Another process may have replaced file and key between our two reads: only the same bytes twice are a verdict.
    return load({ sealed, error });
  }

  async function save(value: string): Promise<void> {
    if ((await load()) !== undefined && key !== undefined) {
      // To give it back and to ask for it again would be to let another one have it in between.
      const taken = room;
      room = undefined;
      await writePrivateFile(path, seal(value, key, header, bound), taken);
      return;
    }
    // No file: a key from before may be stale, so ask again, and only now may one be made.
    key = await keystore.get(cacheKey);
    const created = key === undefined;
    key ??= await keystore.create(cacheKey);
    await writePrivateFile(path, seal(value, key, header, bound));
    if (!created) return;

    // Two processes can each have made a key. The later one stands, and whoever sees it last seals with it.
    const standing = await keystore.get(cacheKey);
    if (standing === undefined) throw keyLost();
    if (standing.equals(key)) return;
    key = standing;
    await writePrivateFile(path, seal(value, key, header, bound));
  }

  async function remove(): Promise<void> {
    key = undefined;
    // The file first: a key without a file is harmless, a file without its key is an error.
    await removePrivateFile(path);
    await keystore.delete(cacheKey);
  }

  function checkHeader(sealed: Buffer): void {
    if (sealed.length === 0) throw unreadable('it is empty');
    if (!sealed.subarray(0, MAGIC.length).equals(MAGIC.subarray(0, sealed.length))) {
      throw unreadable('it is not a sealed file of calmcp');
    }
    if (sealed.length < HEADER_BYTES) throw unreadable('it is cut short');
    if (sealed[MAGIC.length] !== VERSION) {
      throw unreadable('it was made by another version of calmcp', `update calmcp, or run: ${LOG_IN_AGAIN}`);
    }
    const kind = KINDS.find((candidate) => KIND_BYTES[candidate] === sealed[MAGIC.length + 1]);
    if (kind === undefined) throw unreadable('it is damaged');
    if (sealed.length < HEADER_BYTES + IV_BYTES + TAG_BYTES) throw unreadable('it is cut short');
    if (kind !== keystore.kind) {
      throw new CalmcpError('AUTH_REQUIRED', `${path} was sealed with CALMCP_KEYSTORE=${kind}, not ${keystore.kind}`, {
        hint: `set CALMCP_KEYSTORE=${kind}, or run: ${LOG_IN_AGAIN}`,
      });
    }
  }

  // AUTH_REQUIRED for both, as a new sign-in is the remedy; but never to be mistaken for "not signed in yet".
  function unreadable(reason: string, hint = `run: ${LOG_IN_AGAIN}`): CalmcpError {
    return new CalmcpError('AUTH_REQUIRED', `the saved sign-in ${path} could not be opened: ${reason}`, { hint });
  }

  function keyLost(): CalmcpError {
    return new CalmcpError(
      'AUTH_REQUIRED',
      `key lost: ${path} is there, but its key is gone from ${keystore.whereIs(cacheKey)}`,
      { hint: `if a keyring is merely not open, open it; else run: ${LOG_IN_AGAIN}` },
    );
  }

  let lockTail: Promise<unknown> = Promise.resolve();

  async function version(): Promise<string> {
    // Every save is a new file under the old name. Each question asks several times for each account, and waiting for a
    // thread that looks takes twenty times as long as looking.
    const found = statSync(path, { bigint: true, throwIfNoEntry: false });
    return found === undefined ? 'none' : `${found.ino} ${found.mtimeNs} ${found.size}`;
  }

  let hasCleaned = false;

  /** Half-written files of a process that was killed; under the lock there is no other writer. */
  async function removeLeftovers(): Promise<void> {
    if (hasCleaned) return;
    hasCleaned = true;
    const own = `${basename(path)}.`;
    for (const name of await readdir(folder))
      if (name.startsWith(own) && name.endsWith('.tmp')) await removePrivateFile(join(folder, name));
  }

  /** Of the disk: see {@link keepRoom}. */
  let room: string | undefined;

  /**
   * Room for another sealed file, taken before the work: a refresh token that is good for once must not be redeemed when what
   * comes for it cannot be kept.
   */
  async function keepRoom<T>(work: () => Promise<T>): Promise<T> {
    const size = await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    // Of a kill it is left behind like a half-written file, and goes with those.
    const place = `${path}.room.tmp`;
    if (size > 0) {
      await takeRoom(place, size + GROWTH_BYTES);
      room = place;
    }
    try {
      return await work();
    } finally {
      if (room !== undefined) await giveRoomBack(place);
      room = undefined;
    }
  }

  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(lockTimeout(LOCK_WAIT_MS / 1_000)), LOCK_WAIT_MS);
    const turn = lockTail
      .then(async () => {
        // A keystore out of reach is told before anything is written, be it a lock.
        await requirePrivateFolder(folder);
        if (key === undefined) await inTurn(() => keystore.get(cacheKey));
        return withLock(`${path}.lock`, { signal: waiting.signal, leaseMs: LOCK_LEASE_MS }, async () => {
          await removeLeftovers();
          return keepRoom(work);
        });
      })
      .finally(() => clearTimeout(timer));
    lockTail = turn.catch(() => {});
    return turn;
  }

  return {
    load: () => inTurn(() => load()),
    save: (value) => inTurn(() => save(value)),
    remove: () => inTurn(remove),
    version,
    exclusively,
  };
}

/** Longer than the two exchanges with a sign-in service that a refresh may take (30 s each). */
const LOCK_LEASE_MS = 90_000;
const LOCK_WAIT_MS = 120_000;

/** Longer tokens than before. */
const GROWTH_BYTES = 8_192;

const LOG_IN_AGAIN = 'calmcp logout --account <account>, then calmcp login --account <account>';

// Layout: magic 6, version 1, keystore 1 | iv 12 | tag 16 | AES-256-GCM ciphertext. Header and cache key are
// authenticated with it, so a file copied over another account's does not open.
const MAGIC = Buffer.from('calmcp');
const VERSION = 1;
const KIND_BYTES: Readonly<Record<KeystoreKind, number>> = { keychain: 1, passphrase: 2, keyfile: 3 };
const KINDS = Object.keys(KIND_BYTES) as KeystoreKind[];
const HEADER_BYTES = MAGIC.length + 2;
const IV_BYTES = 12;
const TAG_BYTES = 16;

function seal(value: string, key: Buffer, header: Buffer, bound: Buffer): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(bound);
  const ciphertext = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()]);
  return Buffer.concat([header, iv, cipher.getAuthTag(), ciphertext]);
}

/** @returns undefined when the file does not open with this key */
function unseal(sealed: Buffer, key: Buffer, bound: Buffer): string | undefined {
  const iv = sealed.subarray(HEADER_BYTES, HEADER_BYTES + IV_BYTES);
  const tag = sealed.subarray(HEADER_BYTES + IV_BYTES, HEADER_BYTES + IV_BYTES + TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(bound);
  decipher.setAuthTag(tag);
  try {
    const start = decipher.update(sealed.subarray(HEADER_BYTES + IV_BYTES + TAG_BYTES));
    return Buffer.concat([start, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
