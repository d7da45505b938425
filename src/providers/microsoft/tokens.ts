/** Sign-in and access tokens of one app registration in one tenant. The accounts that share it share this. */
import {
  type AccountInfo,
  AuthError,
  type AuthenticationResult,
  type DeviceCodeRequest,
  type ICachePlugin,
  InteractionRequiredAuthError,
  LogLevel,
  PublicClientApplication,
} from '@azure/msal-node';
import { CalmcpError } from '../../core/errors.ts';
import { requireExpected, requireStillExpected } from '../../core/pinned-identity.ts';
import type { Call, Identity, ProviderContext, SignInPrompts } from '../../core/provider.ts';
import { type AccessToken, createAccessTokens, renewedNow } from '../../io/access-tokens.ts';
import { type BrowserSignIn, signInWithBrowser } from '../../io/browser-sign-in.ts';
import type { HttpFailure } from '../../io/http.ts';
import { cloudOf } from './cloud.ts';
import { createMsalNetwork, type MsalNetwork, transportErrorOf } from './msal-network.ts';
import type { MicrosoftOptions } from './options.ts';
import { explainRefusal, refusalNumbers } from './refusals.ts';
import { createTokenRecord, type SignedIn } from './token-record.ts';

export interface Tokens {
  /** Pins who may be signed in for `account`; `undefined` leaves it to the first sign-in. */
  expect(account: string, username: string | undefined): void;
  /** @throws CalmcpError FORBIDDEN when somebody else signed in than expected */
  signIn(account: string, scopes: string[], prompts: SignInPrompts, call: Call): Promise<Identity>;
  /** @returns what the person should know beyond "done" */
  signOut(account: string): Promise<string | undefined>;
  /** Whether a token for this was refused for good, and nothing has changed since. */
  isDead(account: string, scopes: string[]): Promise<boolean>;
  /** Who signed in for `account`, as far as this machine knows. */
  signedIn(account: string): Promise<SignedIn | undefined>;
  /**
   * An access token of the person who signed in for `account`, refreshed where needed.
   * @param rejected a token that the service did not accept though it should still be good
   * @throws CalmcpError AUTH_REQUIRED when a person has to sign in again
   */
  accessToken(account: string, scopes: string[], rejected?: string): Promise<string>;
  /** The service refuses fresh tokens as well: no further ones are asked for, for now. */
  rest(account: string, scopes: string[], error: CalmcpError): Promise<void>;
}

function needsLogin(account: string, message: string, cause?: unknown): CalmcpError {
  return new CalmcpError('AUTH_REQUIRED', message, { account, hint: `run: calmcp login --account ${account}`, cause });
}

/** MSAL knows most dead grants as "interaction required"; the rest come as plain invalid_grant. */
function isDeadGrant(thrown: unknown): thrown is AuthError {
  return (
    thrown instanceof InteractionRequiredAuthError ||
    (thrown instanceof AuthError && thrown.errorCode === 'invalid_grant')
  );
}

/** What Entra said, wherever it stands: in MSAL's error, in an answer, or in what the browser came back with. */
function saidBy(thrown: unknown): string {
  if (thrown instanceof AuthError) return thrown.errorMessage;
  if (!(thrown instanceof CalmcpError)) return '';
  if (typeof thrown.cause === 'string') return thrown.cause;
  return String((thrown.cause as Partial<HttpFailure> | undefined)?.body ?? '');
}

/** What an access token is for. */
interface TokenKey {
  readonly account: string;
  readonly scopes: string[];
  readonly username: string | null;
}

export function createTokens(options: MicrosoftOptions, context: ProviderContext): Tokens {
  const { log, secrets } = context;
  const { authority } = cloudOf(options);
  const plain = authority.startsWith('http:');
  const openNetwork = (): MsalNetwork =>
    createMsalNetwork((call) => context.fetch(call), context.closed, plain ? authority : undefined);
  const network = openNetwork();
  const record = createTokenRecord(secrets);

  function createClient(networkClient: MsalNetwork, cachePlugin?: ICachePlugin): PublicClientApplication {
    return new PublicClientApplication({
      auth: {
        clientId: options.clientId,
        authority: `${plain ? authority.replace(/^http:/, 'https:') : authority}/${options.tenantId}`,
        // Known, so that MSAL asks nobody else about it. With its port: that is how MSAL compares.
        knownAuthorities: [new URL(authority).host],
      },
      ...(cachePlugin === undefined ? {} : { cache: { cachePlugin } }),
      system: {
        networkClient,
        loggerOptions: {
          piiLoggingEnabled: false,
          logLevel: LogLevel.Warning,
          loggerCallback: (_level, message) => log.debug('msal', { message }),
        },
      },
    });
  }

  const client = createClient(network, record.cachePlugin);

  const usernames = new Map<string, string | undefined>();

  /** With whom accounts.yaml expects: what was true of one person says nothing of another. */
  const keyOf = (account: string, scopes: string[]): string =>
    JSON.stringify({ account, scopes, username: usernames.get(account) ?? null } satisfies TokenKey);

  /** What went wrong in a sentence, with a remedy where one is known. Entra's own text stays in the cause. */
  function explain(thrown: unknown, account: string, signIn?: MsalNetwork): CalmcpError {
    const { discoveryFailure } = signIn ?? network;
    // Of a sign-in alone: what serves many questions may have been refused for another one.
    const lastRefusal = (): string => signIn?.lastRefusal() ?? '';
    const transport = transportErrorOf(thrown);
    const refused = { account, clientId: options.clientId, tenantId: options.tenantId };
    const said = saidBy(transport ?? thrown);
    const own = thrown instanceof CalmcpError && transport?.cause === undefined;
    const refusal =
      explainRefusal(said, refused, thrown) ?? (own ? undefined : explainRefusal(lastRefusal(), refused, thrown));
    if (refusal !== undefined) return refusal;
    if (transport !== undefined) return transport.of(account);
    if (isDeadGrant(thrown)) return needsLogin(account, 'the sign-in has expired or was withdrawn', thrown);
    if (!(thrown instanceof AuthError) && refusalNumbers(lastRefusal()).length === 0)
      return new CalmcpError('INTERNAL', 'the sign-in failed unexpectedly', { account, cause: thrown });
    // Of a device code, MSAL has the word of the answer in its message alone.
    const [, told] = /^post_request_failed: (\w+)/.exec(thrown instanceof AuthError ? thrown.message : '') ?? [];
    const word = thrown instanceof AuthError ? (told ?? thrown.errorCode) : '';
    switch (word) {
      case 'endpoints_resolution_error':
      case 'openid_config_error': {
        const failure = discoveryFailure();
        const explained = explainRefusal(saidBy(failure), refused, failure);
        if (explained !== undefined) return explained;
        return (
          failure ?? new CalmcpError('UNAVAILABLE', 'the sign-in service could not be reached', { cause: thrown })
        ).of(account);
      }
      case 'device_code_expired':
      case 'expired_token':
        return needsLogin(account, 'the code was not used in time', thrown);
      case 'access_denied':
      case 'authorization_declined':
        return new CalmcpError('FORBIDDEN', 'the sign-in was declined', {
          account,
          hint: `run: calmcp login --account ${account}`,
          cause: thrown,
        });
    }
    const [number] = [...refusalNumbers(said), ...refusalNumbers(lastRefusal())];
    return new CalmcpError(
      'AUTH_REQUIRED',
      `the sign-in service refused (${number === undefined ? word : `AADSTS${number}`})`,
      {
        account,
        hint: `check clientId and tenantId in accounts.yaml, then run: calmcp login --account ${account}`,
        cause: thrown,
      },
    );
  }

  async function cached(homeAccountId: string): Promise<AccountInfo | undefined> {
    const accounts = await client.getTokenCache().getAllAccounts();
    return accounts.find((account) => account.homeAccountId === homeAccountId);
  }

  /** Who is signed in for an account. @throws CalmcpError AUTH_REQUIRED where nobody is, or somebody else should be */
  async function requireIdentity(account: string): Promise<Identity> {
    const identity = (await record.identities()).get(account);
    if (identity === undefined) throw needsLogin(account, 'nobody has signed in yet');
    requireStillExpected(identity, usernames.get(account));
    return identity;
  }

  async function acquire(account: string, scopes: string[], rejected: string | undefined): Promise<AccessToken> {
    const { id } = await requireIdentity(account);
    const info = await cached(id);
    if (info === undefined) throw needsLogin(account, 'the sign-in is no longer in the token cache');
    const silent = await client.acquireTokenSilent({ account: info, scopes });
    const result =
      silent.accessToken === rejected
        ? await client.acquireTokenSilent({ account: info, scopes, forceRefresh: true })
        : silent;
    if (!result.fromCache) await record.renew(account, renewedNow());
    return { accessToken: result.accessToken, expiresAt: result.expiresOn?.getTime() ?? 0 };
  }

  function browserFlow(
    fresh: PublicClientApplication,
    account: string,
    scopes: string[],
    before: Identity | undefined,
    keep: (result: AuthenticationResult) => Promise<Identity>,
    describe: (thrown: unknown) => CalmcpError,
  ): BrowserSignIn<Identity> {
    const hint = usernames.get(account) ?? before?.username;
    return {
      // The address that a registration for "mobile and desktop" has; its port is not compared.
      redirectHost: 'localhost',
      authorizationUrl: async ({ redirectUri, state, codeChallenge }) => {
        const url = await fresh.getAuthCodeUrl({
          scopes,
          redirectUri,
          state,
          codeChallenge,
          codeChallengeMethod: 'S256',
          responseMode: 'query',
          // Entra does not honour both: with a choice of accounts the hint is dropped.
          ...(hint === undefined ? { prompt: 'select_account' } : { loginHint: hint }),
        });
        return network.toPlain(url);
      },
      async redeem({ code, codeVerifier, redirectUri }) {
        try {
          const value = await keep(await fresh.acquireTokenByCode({ code, codeVerifier, redirectUri, scopes }));
          return { value, message: `${account} is ${value.username}.` };
        } catch (thrown) {
          // Said here already, so that the page in the browser says it too.
          throw describe(thrown);
        }
      },
    };
  }

  const accessTokens = createAccessTokens({
    secrets,
    async obtain(key, rejected) {
      const { account, scopes } = JSON.parse(key) as TokenKey;
      const version = await secrets.version();
      try {
        return await acquire(account, scopes, rejected);
      } catch (thrown) {
        // Somebody without our lock (an older program, a machine that slept) has refreshed: theirs is the good token.
        if (isDeadGrant(thrown) && (await secrets.version()) !== version)
          return acquire(account, scopes, rejected).catch((again: unknown) => {
            throw explain(again, account);
          });
        throw explain(thrown, account);
      }
    },
  });

  return {
    expect(account, username) {
      usernames.set(account, username);
    },

    async signIn(account, scopes, prompts, call) {
      const freshNetwork = openNetwork();
      try {
        // A keystore out of reach, and a cache that cannot be opened, are told before a person is sent anywhere.
        const before = (await secrets.exclusively(record.identities)).get(account);
        // A client of its own, without a cache: nothing is kept of a sign-in before it is known whose it is.
        const fresh = createClient(freshNetwork);
        const keep = async (result: AuthenticationResult | null): Promise<Identity> => {
          const info = result?.account;
          if (!info) throw new CalmcpError('BAD_RESPONSE', 'the sign-in service did not say who signed in');
          const identity = { id: info.homeAccountId, username: info.username };
          requireExpected(identity, usernames.get(account), before);
          const granted = (result?.scopes ?? []).filter((scope) => /calendars/i.test(scope));
          const signedIn = { ...identity, scopes: granted, renewedAt: renewedNow() };
          await secrets.exclusively(async () => {
            // Again: somebody else may have signed in for this account in the meantime.
            requireExpected(identity, usernames.get(account), (await record.identities()).get(account));
            await record.addSignIn(account, signedIn, fresh.getTokenCache().serialize());
          });
          return identity;
        };
        return prompts.method === 'device-code'
          ? await keep(await signInWithDeviceCode(fresh, scopes, prompts, call))
          : await signInWithBrowser(
              browserFlow(fresh, account, scopes, before, keep, (thrown) => explain(thrown, account, freshNetwork)),
              prompts,
              call,
            );
      } catch (thrown) {
        call.signal.throwIfAborted();
        throw explain(thrown, account, freshNetwork);
      }
    },

    async signOut(account) {
      return secrets.exclusively(async () => {
        let identities: Map<string, SignedIn>;
        try {
          identities = new Map(await record.identities());
        } catch (thrown) {
          // A keychain that is locked, or a wrong passphrase, may be put right; what does not open never will be.
          if (!(thrown instanceof CalmcpError && thrown.code === 'AUTH_REQUIRED')) throw thrown;
          await secrets.remove();
          return 'the saved sign-in could not be opened, so it was removed for all accounts with this clientId and tenantId';
        }
        const gone = identities.get(account);
        if (gone === undefined) return undefined;
        identities.delete(account);
        if (identities.size === 0) {
          await secrets.remove();
          return undefined;
        }
        await record.removeIdentity(account);
        // Another account of accounts.yaml may be the same person.
        if ([...identities.values()].some(({ id }) => id === gone.id)) return undefined;
        const info = await cached(gone.id);
        if (info) await client.getTokenCache().removeAccount(info);
        return undefined;
      });
    },

    async signedIn(account) {
      return (await record.identities()).get(account);
    },

    accessToken: (account, scopes, rejected) => accessTokens.get(keyOf(account, scopes), rejected),
    isDead: (account, scopes) => accessTokens.isDead(keyOf(account, scopes)),
    rest: (account, scopes, error) => accessTokens.rest(keyOf(account, scopes), error),
  };
}

async function signInWithDeviceCode(
  client: PublicClientApplication,
  scopes: string[],
  prompts: SignInPrompts,
  call: Call,
): Promise<AuthenticationResult | null> {
  const request: DeviceCodeRequest & { cancel?: boolean } = {
    scopes,
    deviceCodeCallback({ verificationUri, userCode, expiresIn }) {
      // MSAL takes a refusal for a code, and would go on to ask whether somebody has typed it.
      if ((verificationUri as string | undefined) === undefined) request.cancel = true;
      else prompts.deviceCode({ verificationUri, userCode, expiresInSeconds: expiresIn });
    },
  };
  const cancel = (): void => {
    request.cancel = true;
  };
  call.signal.addEventListener('abort', cancel, { once: true });
  try {
    return await client.acquireTokenByDeviceCode(request);
  } finally {
    call.signal.removeEventListener('abort', cancel);
  }
}
