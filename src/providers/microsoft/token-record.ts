/** What is sealed for one cache key: MSAL's cache, and which of its people each account of accounts.yaml is. */
import type { ICachePlugin, TokenCacheContext } from '@azure/msal-node';
import { z } from 'zod';
import { CalmcpError } from '../../core/errors.ts';
import type { Identity, SecretStore } from '../../core/provider.ts';

const recordSchema = z.object({
  version: z.literal(1),
  /** As MSAL serializes it. */
  msal: z.string().optional(),
  /** Account id of accounts.yaml to who it is; `id` is MSAL's homeAccountId. */
  identities: z.record(z.string(), z.object({ id: z.string(), username: z.string() })),
});

type Content = z.output<typeof recordSchema>;

export interface TokenRecord {
  readonly cachePlugin: ICachePlugin;
  identities(): Promise<Readonly<Record<string, Identity>>>;
  setIdentity(account: string, identity: Identity | undefined): Promise<void>;
}

export function createTokenRecord(secrets: SecretStore): TokenRecord {
  let last: Promise<void> = Promise.resolve();

  /** Waits for its turn. @returns what ends the turn */
  async function turn(): Promise<() => void> {
    const before = last;
    let end: () => void = () => undefined;
    last = new Promise((resolve) => {
      end = resolve;
    });
    await before;
    return end;
  }

  async function load(): Promise<Content> {
    const sealed = await secrets.load();
    if (sealed === undefined) return { version: 1, identities: {} };
    try {
      return recordSchema.parse(JSON.parse(sealed));
    } catch (cause) {
      throw new CalmcpError('AUTH_REQUIRED', 'the token cache is not one that this version can read', {
        hint: 'log out and log in again',
        cause,
      });
    }
  }

  const save = (content: Content): Promise<void> => secrets.save(JSON.stringify(content));
  const turns = new WeakMap<TokenCacheContext, () => void>();

  return {
    cachePlugin: {
      // MSAL reads, changes and writes its whole cache. Another access in between would put back what it had read
      // before, and with it a refresh token that has been used up: so one at a time, from the first to the last step.
      async beforeCacheAccess(context) {
        turns.set(context, await turn());
        const { msal } = await load();
        if (msal !== undefined) context.tokenCache.deserialize(msal);
      },
      // Called after a failed beforeCacheAccess too.
      async afterCacheAccess(context) {
        try {
          if (context.cacheHasChanged) await save({ ...(await load()), msal: context.tokenCache.serialize() });
        } finally {
          turns.get(context)?.();
        }
      },
    },
    async identities() {
      return (await load()).identities;
    },
    async setIdentity(account, identity) {
      const end = await turn();
      try {
        const { identities, ...content } = await load();
        const { [account]: _old, ...others } = identities;
        await save({ ...content, identities: identity === undefined ? others : { ...others, [account]: identity } });
      } finally {
        end();
      }
    },
  };
}
