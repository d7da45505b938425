/** What is sealed for one cache key: MSAL's cache, and which of its people each account of accounts.yaml is. */
import type { ICachePlugin } from '@azure/msal-node';
import { z } from 'zod';
import { CalmcpError } from '../../core/errors.ts';
import type { SecretStore } from '../../core/provider.ts';

const recordSchema = z.object({
  version: z.literal(1),
  /** As MSAL serializes it. */
  msal: z.string().optional(),
  /** Account id of accounts.yaml to who it is; `id` is MSAL's homeAccountId. */
  identities: z.record(
    z.string(),
    z.object({
      id: z.string(),
      username: z.string(),
      scopes: z.array(z.string()).default([]),
      /** Epoch milliseconds of the last time that a token was issued. */
      renewedAt: z.number().default(0),
    }),
  ),
});

type Content = z.output<typeof recordSchema>;

/** A cache in MSAL's own format: kinds of entries, each a map by key. */
type MsalCache = Record<string, Record<string, unknown>>;

const EMPTY_CACHE = JSON.stringify({ Account: {}, IdToken: {}, AccessToken: {}, RefreshToken: {}, AppMetadata: {} });

/** All entries of both; those of `newer` where both have one. */
function mergeCaches(older: string, newer: string): string {
  const merged = JSON.parse(older) as MsalCache;
  for (const [kind, entries] of Object.entries(JSON.parse(newer) as MsalCache))
    merged[kind] = { ...merged[kind], ...entries };
  return JSON.stringify(merged);
}

/** Who an account is, and what was granted when. */
export type SignedIn = Content['identities'][string];

export interface TokenRecord {
  /** MSAL's access to the sealed cache. Every use of it belongs inside of `secrets.exclusively`. */
  readonly cachePlugin: ICachePlugin;
  /** By account id. */
  identities(): Promise<ReadonlyMap<string, SignedIn>>;
  /** Takes in a sign-in: who it was, and the cache that MSAL made of it. */
  addSignIn(account: string, signedIn: SignedIn, msal: string): Promise<void>;
  /** A token was issued anew. */
  renew(account: string, renewedAt: number): Promise<void>;
  removeIdentity(account: string): Promise<void>;
}

/** Reads are free; what changes the record belongs inside of `secrets.exclusively`. */
export function createTokenRecord(secrets: SecretStore): TokenRecord {
  async function load(): Promise<Content> {
    const sealed = await secrets.load();
    if (sealed === undefined) return { version: 1, identities: {} };
    try {
      return recordSchema.parse(JSON.parse(sealed));
    } catch (cause) {
      throw new CalmcpError('AUTH_REQUIRED', 'the token cache is not one that this version can read', {
        hint: 'run: calmcp logout --account <account>, then calmcp login --account <account>',
        cause,
      });
    }
  }

  const save = (content: Content): Promise<void> => secrets.save(JSON.stringify(content));

  return {
    cachePlugin: {
      async beforeCacheAccess({ tokenCache }) {
        tokenCache.deserialize((await load()).msal ?? EMPTY_CACHE);
      },
      async afterCacheAccess({ tokenCache, cacheHasChanged }) {
        if (cacheHasChanged) await save({ ...(await load()), msal: tokenCache.serialize() });
      },
    },
    async identities() {
      // A map, as an account may be called `constructor`.
      return new Map(Object.entries((await load()).identities));
    },
    async renew(account, renewedAt) {
      const content = await load();
      const known = new Map(Object.entries(content.identities)).get(account);
      if (known === undefined) return;
      await save({ ...content, identities: { ...content.identities, [account]: { ...known, renewedAt } } });
    },
    async addSignIn(account, signedIn, msal) {
      const content = await load();
      await save({
        ...content,
        msal: mergeCaches(content.msal ?? EMPTY_CACHE, msal),
        identities: { ...content.identities, [account]: signedIn },
      });
    },
    async removeIdentity(account) {
      const { identities, ...content } = await load();
      const { [account]: _gone, ...others } = identities;
      await save({ ...content, identities: others });
    },
  };
}
