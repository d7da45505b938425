import { hkdfSync } from 'node:crypto';

/** Where the keys of sealed files are kept. The user chooses with `CALMCP_KEYSTORE`; one never stands in for another. */
export type KeystoreKind = 'keychain' | 'passphrase' | 'keyfile';

/** Gives the 32-byte key that seals the file of one cache key. Reads its source every time: callers remember keys. */
export interface Keystore {
  readonly kind: KeystoreKind;
  /** Where the key of `cacheKey` should be found, as words for an error message. */
  whereIs(cacheKey: string): string;
  /**
   * @returns undefined when there is no key
   * @throws CalmcpError UNAVAILABLE when the source cannot be asked, CONFIG_INVALID when it is not fit for use
   */
  get(cacheKey: string): Promise<Buffer | undefined>;
  /** Makes a key, or adopts the one that another process made meanwhile. @throws CalmcpError as `get` */
  create(cacheKey: string): Promise<Buffer>;
  /** Forgets the key of `cacheKey`; fine when there is none. @throws CalmcpError as `get` */
  delete(cacheKey: string): Promise<void>;
  /** Whether keys can be had here, without leaving a trace. @throws CalmcpError as `get` */
  probe(): Promise<void>;
}

export const KEY_BYTES = 32;

/** One key per purpose from one main key, so that no two files share a key (HKDF-SHA256, RFC 5869). */
export function deriveKey(mainKey: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', mainKey, Buffer.alloc(0), `calmcp ${purpose}`, KEY_BYTES));
}
