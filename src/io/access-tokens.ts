/**
 * The one owner of refreshing. Whatever the vendor: a good token is handed out from memory, one process at a time gets a
 * new one, and an account whose grant is dead is not asked about again until somebody has signed in.
 */
import { CalmcpError } from '../core/errors.ts';
import type { SecretStore } from '../core/provider.ts';

/** A token with less than this left is as good as expired: the request it is for takes time too. */
const MARGIN_MS = 300_000;
/** How long an account rests whose fresh tokens are refused: an outage of the service looks like that, too. */
const REST_MS = 300_000;

const DAY_MS = 86_400_000;

/** Epoch milliseconds of now, by the machine's clock: when a grant was last renewed. */
export const renewedNow = (): number => Date.now();

/** When a grant ends that is good for `days` after it was last renewed. */
export function lastsUntil(renewedAt: number, days: number): number {
  return renewedAt + days * DAY_MS;
}

/** Epoch milliseconds at which something that lives for `seconds` from now on ends, by the machine's clock. */
export function expiryIn(seconds: number): number {
  return Date.now() + seconds * 1_000;
}

/** Whether a token that ends at `expiresAt` is good for another request. */
export function isFresh(expiresAt: number): boolean {
  return expiresAt - Date.now() > MARGIN_MS;
}

export interface AccessToken {
  readonly accessToken: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

export interface AccessTokensOptions {
  /** Where the vendor's tokens are kept; says when another process has changed them. */
  readonly secrets: Pick<SecretStore, 'version' | 'exclusively'>;
  /**
   * Reads what is kept, which another process may have refreshed meanwhile, and redeems a refresh token only where that is
   * no good. Called under the lock of the cache key, once at a time per `key`.
   * @param rejected a token that the service did not accept though it should still be good
   * @throws CalmcpError AUTH_REQUIRED when only a person can help
   */
  readonly obtain: (key: string, rejected: string | undefined) => Promise<AccessToken>;
  /** Epoch milliseconds of the machine's clock, which tokens go by. */
  readonly clock?: () => number;
}

export interface AccessTokens {
  /** @param key names the account and what is asked for */
  get(key: string, rejected?: string): Promise<string>;
  /**
   * The service refuses even a token that was got because it had refused the one before: asking on would be a storm. The
   * account rests for a while, or until somebody has signed in.
   */
  rest(key: string, error: CalmcpError): Promise<void>;
  /** Whether the last answer was a refusal, and nothing has changed since. */
  isDead(key: string): Promise<boolean>;
}

/** An account that is not asked about, by the clock of {@link AccessTokensOptions}. */
interface Grave {
  readonly version: string;
  readonly from: number;
  readonly until: number;
  readonly error: CalmcpError;
}

export function createAccessTokens({ secrets, obtain, clock = Date.now }: AccessTokensOptions): AccessTokens {
  const known = new Map<string, AccessToken & { readonly version: string; readonly goodUntil: number }>();
  const dead = new Map<string, Grave>();
  const running = new Map<string, Promise<string>>();

  async function bury(key: string, error: CalmcpError, forMs: number): Promise<void> {
    const from = clock();
    dead.set(key, { version: await secrets.version(), from, until: from + forMs, error });
  }

  /** A clock that was set back says nothing of how long it has been: then it is tried again. */
  const isResting = ({ from, until }: Grave): boolean =>
    until === Number.POSITIVE_INFINITY || (from <= clock() && clock() < until);

  async function obtainAnew(key: string, rejected: string | undefined): Promise<string> {
    return secrets.exclusively(async () => {
      try {
        const token = await obtain(key, rejected);
        // A short-lived token is used for half of its life: with the usual margin it would be stale at once.
        const margin = Math.min(MARGIN_MS, (token.expiresAt - clock()) / 2);
        known.set(key, { ...token, version: await secrets.version(), goodUntil: token.expiresAt - margin });
        dead.delete(key);
        return token.accessToken;
      } catch (thrown) {
        known.delete(key);
        if (thrown instanceof CalmcpError && thrown.code === 'AUTH_REQUIRED')
          await bury(key, thrown, Number.POSITIVE_INFINITY);
        // An administrator may allow it without anything changing here.
        if (thrown instanceof CalmcpError && (thrown.code === 'FORBIDDEN' || thrown.code === 'CONFIG_INVALID'))
          await bury(key, thrown, REST_MS);
        throw thrown;
      }
    });
  }

  return {
    async get(key, rejected) {
      const version = await secrets.version();
      const grave = dead.get(key);
      if (grave?.version === version && isResting(grave)) throw grave.error;
      const token = known.get(key);
      if (token?.version === version && token.accessToken !== rejected && clock() < token.goodUntil)
        return token.accessToken;
      // A refresh that began before this token was refused would hand out the same one again.
      const flight = `${key}\0${rejected ?? ''}`;
      let flying = running.get(flight);
      if (flying === undefined) {
        flying = obtainAnew(key, rejected).finally(() => running.delete(flight));
        running.set(flight, flying);
      }
      return flying;
    },

    async isDead(key) {
      const grave = dead.get(key);
      return grave !== undefined && grave.version === (await secrets.version()) && isResting(grave);
    },

    rest: (key, error) => bury(key, error, REST_MS),
  };
}

/** The tokens of one account, as its requests need them. */
export interface RequestTokens {
  /** What a person does when the service refuses the tokens. */
  readonly remedy: string;
  get(rejected?: string): Promise<string>;
  /** Even a fresh token was refused. @param error what to tell meanwhile */
  rest(error: CalmcpError): Promise<void>;
}

/**
 * Sends a request with a token; one that is refused though it should be good is replaced. Twice at the most: the first replacement
 * may be one that another process was given before the service changed its mind.
 * @param send throws AUTH_REQUIRED with the service's answer as its cause when that refuses the token
 * @param describe the refusal in the provider's words
 */
export async function sendWithToken<T>(
  tokens: RequestTokens,
  send: (token: string) => Promise<T>,
  describe: (error: CalmcpError) => CalmcpError,
): Promise<T> {
  const refused = (thrown: unknown): thrown is CalmcpError =>
    thrown instanceof CalmcpError &&
    thrown.code === 'AUTH_REQUIRED' &&
    (thrown.cause as { readonly status?: unknown } | undefined)?.status === 401;
  let token = await tokens.get();
  for (let replaced = 0; ; replaced++)
    try {
      return await send(token);
    } catch (thrown) {
      if (!refused(thrown)) throw thrown;
      if (replaced === 2) {
        await tokens.rest(describe(thrown));
        throw thrown;
      }
      token = await tokens.get(token);
    }
}
