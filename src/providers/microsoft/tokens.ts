/** Sign-in and access tokens of one app registration in one tenant. The accounts that share it share this. */
import {
  type AccountInfo,
  AuthError,
  type AuthenticationResult,
  type DeviceCodeRequest,
  InteractionRequiredAuthError,
  LogLevel,
  PublicClientApplication,
} from '@azure/msal-node';
import { CalmcpError } from '../../core/errors.ts';
import type { Call, Identity, ProviderContext, SignInPrompts } from '../../core/provider.ts';
import { cloudOf } from './cloud.ts';
import { createMsalNetwork, transportErrorOf } from './msal-network.ts';
import type { MicrosoftOptions } from './options.ts';
import { createTokenRecord } from './token-record.ts';

export interface Tokens {
  /** @throws CalmcpError FORBIDDEN when somebody else signed in than `username` or an earlier sign-in says */
  signIn(
    account: string,
    scopes: string[],
    username: string | undefined,
    prompts: SignInPrompts,
    call: Call,
  ): Promise<Identity>;
  signOut(account: string): Promise<void>;
  /** Who signed in for `account`, as far as this machine knows. */
  identityOf(account: string): Promise<Identity | undefined>;
  /**
   * An access token of the person who signed in for `account`, refreshed where needed.
   * @param rejected a token that the service did not accept though it should still be good
   * @throws CalmcpError AUTH_REQUIRED when a person has to sign in again
   */
  accessToken(account: string, scopes: string[], rejected?: string): Promise<string>;
}

function needsLogin(account: string, message: string, cause?: unknown): CalmcpError {
  return new CalmcpError('AUTH_REQUIRED', message, { account, hint: `run: calmcp login --account ${account}`, cause });
}

/** Entra's own number of a refusal: https://learn.microsoft.com/entra/identity-platform/reference-error-codes */
function refusalNumber({ errorMessage }: AuthError): string {
  const number = /AADSTS\d+/.exec(errorMessage)?.[0];
  return number === undefined ? '' : ` (${number})`;
}

export function createTokens(options: MicrosoftOptions, context: ProviderContext): Tokens {
  const { log } = context;
  const { authority } = cloudOf(options);
  const plain = authority.startsWith('http:');
  const network = createMsalNetwork((call) => context.fetch(call), plain ? authority : undefined);
  const record = createTokenRecord(context.secrets);
  const client = new PublicClientApplication({
    auth: {
      clientId: options.clientId,
      authority: `${plain ? authority.replace(/^http:/, 'https:') : authority}/${options.tenantId}`,
      // Known, so that MSAL asks nobody else about it. With its port: that is how MSAL compares.
      knownAuthorities: [new URL(authority).host],
    },
    cache: { cachePlugin: record.cachePlugin },
    system: {
      networkClient: network,
      loggerOptions: {
        piiLoggingEnabled: false,
        logLevel: LogLevel.Warning,
        loggerCallback: (_level, message) => log.debug('msal', { message }),
      },
    },
  });
  const refreshing = new Map<string, Promise<AuthenticationResult>>();

  function explain(thrown: unknown, account: string): CalmcpError {
    const transport = transportErrorOf(thrown);
    if (transport !== undefined) return transport.of(account);
    // MSAL knows most dead grants as "interaction required"; the rest come as plain invalid_grant.
    if (
      thrown instanceof InteractionRequiredAuthError ||
      (thrown instanceof AuthError && thrown.errorCode === 'invalid_grant')
    )
      return needsLogin(account, `the sign-in has expired or was withdrawn${refusalNumber(thrown)}`, thrown);
    if (!(thrown instanceof AuthError))
      return new CalmcpError('INTERNAL', 'the sign-in failed unexpectedly', { account, cause: thrown });
    if (thrown.errorCode === 'endpoints_resolution_error' || thrown.errorCode === 'openid_config_error') {
      const failure = network.discoveryFailure();
      return failure === undefined || failure.code === 'UNAVAILABLE' || failure.code === 'RATE_LIMITED'
        ? (failure ?? new CalmcpError('UNAVAILABLE', 'the sign-in service could not be reached', { cause: thrown })).of(
            account,
          )
        : new CalmcpError('CONFIG_INVALID', `the sign-in service does not know the tenant ${options.tenantId}`, {
            account,
            hint: 'check tenantId and cloud in accounts.yaml',
            cause: thrown,
          });
    }
    if (thrown.errorCode === 'device_code_expired')
      return new CalmcpError('AUTH_REQUIRED', 'the code was not used in time', {
        account,
        hint: `run it again: calmcp login --account ${account}`,
        cause: thrown,
      });
    if (thrown.errorCode === 'access_denied' || thrown.errorCode === 'authorization_declined')
      return new CalmcpError('FORBIDDEN', 'the sign-in was declined', { account, cause: thrown });
    return new CalmcpError(
      'AUTH_REQUIRED',
      `the sign-in service refused${refusalNumber(thrown) || `: ${thrown.errorCode}`}`,
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

  /** Removes a person from the cache unless another account of accounts.yaml is that person. */
  async function forget(homeAccountId: string): Promise<void> {
    const identities = Object.values(await record.identities());
    if (identities.some(({ id }) => id === homeAccountId)) return;
    const info = await cached(homeAccountId);
    if (info) await client.getTokenCache().removeAccount(info);
  }

  /** One refresh at a time for one person: the second one would redeem a token that the first one has used up. */
  function refresh(info: AccountInfo, scopes: string[]): Promise<AuthenticationResult> {
    const key = `${info.homeAccountId} ${scopes.join(' ')}`;
    let running = refreshing.get(key);
    if (running === undefined) {
      running = client
        .acquireTokenSilent({ account: info, scopes, forceRefresh: true })
        .finally(() => refreshing.delete(key));
      refreshing.set(key, running);
    }
    return running;
  }

  return {
    async signIn(account, scopes, username, prompts, call) {
      const request: DeviceCodeRequest & { cancel?: boolean } = {
        scopes,
        deviceCodeCallback: ({ verificationUri, userCode, expiresIn }) =>
          prompts.deviceCode({ verificationUri, userCode, expiresInSeconds: expiresIn }),
      };
      const cancel = (): void => {
        request.cancel = true;
      };
      call.signal.addEventListener('abort', cancel, { once: true });
      try {
        const { account: info } = (await client.acquireTokenByDeviceCode(request)) ?? {};
        if (!info) throw new CalmcpError('BAD_RESPONSE', 'the sign-in service did not say who signed in', { account });
        const expected = username ?? (await record.identities())[account]?.username;
        const stored = (await record.identities())[account];
        const came = info.username;
        const other =
          (username !== undefined && username.toLowerCase() !== came.toLowerCase()) ||
          (username === undefined && stored !== undefined && stored.id !== info.homeAccountId);
        if (other) {
          await forget(info.homeAccountId);
          throw new CalmcpError('FORBIDDEN', `expected ${expected} and ${came} signed in; nothing of it was kept`, {
            account,
            hint:
              username === undefined
                ? `to change who this account is, run: calmcp logout --account ${account}`
                : `sign in as ${username}, or change username in accounts.yaml`,
          });
        }
        const identity = { id: info.homeAccountId, username: came };
        await record.setIdentity(account, identity);
        return identity;
      } catch (thrown) {
        call.signal.throwIfAborted();
        throw thrown instanceof CalmcpError ? thrown.of(account) : explain(thrown, account);
      } finally {
        call.signal.removeEventListener('abort', cancel);
      }
    },

    async signOut(account) {
      const identity = await record.identities().then(
        (identities) => identities[account],
        () => 'unreadable' as const,
      );
      if (identity === 'unreadable') return context.secrets.remove();
      if (identity === undefined) return;
      await record.setIdentity(account, undefined);
      await forget(identity.id);
      if (Object.keys(await record.identities()).length === 0) await context.secrets.remove();
    },

    async identityOf(account) {
      return (await record.identities())[account];
    },

    async accessToken(account, scopes, rejected) {
      const identity = (await record.identities())[account];
      if (identity === undefined) throw needsLogin(account, 'nobody has signed in yet');
      const expected = options.username;
      if (expected !== undefined && expected.toLowerCase() !== identity.username.toLowerCase())
        throw needsLogin(account, `accounts.yaml expects ${expected} and ${identity.username} is signed in`);
      try {
        const info = await cached(identity.id);
        if (info === undefined) throw needsLogin(account, 'the sign-in is no longer in the token cache');
        const { accessToken } = await client.acquireTokenSilent({ account: info, scopes });
        if (accessToken !== rejected) return accessToken;
        return (await refresh(info, scopes)).accessToken;
      } catch (thrown) {
        throw thrown instanceof CalmcpError ? thrown.of(account) : explain(thrown, account);
      }
    },
  };
}
