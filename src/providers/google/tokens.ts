/** Sign-in and access tokens of one Google account. Each account of accounts.yaml has a grant of its own. */
import { z } from 'zod';
import { CalmcpError } from '../../core/errors.ts';
import { requireExpected, requireStillExpected } from '../../core/pinned-identity.ts';
import type { Call, HttpAnswer, Identity, ProviderContext, SignInPrompts } from '../../core/provider.ts';
import {
  type AccessToken,
  createAccessTokens,
  expiryIn,
  isFresh,
  type RequestTokens,
  renewedNow,
} from '../../io/access-tokens.ts';
import { type AuthorizationCode, signInWithBrowser } from '../../io/browser-sign-in.ts';
import { type HttpFailure, openExchange, readJson } from '../../io/http.ts';
import { endpointsOf, type GoogleOptions } from './options.ts';
import { askedScopes, calendarScopes, IDENTITY_SCOPES, missingScopes } from './scopes.ts';

/** What is sealed for one account. */
const recordSchema = z.object({
  version: z.literal(1),
  identity: z.object({ id: z.string(), username: z.string() }),
  refreshToken: z.string(),
  /** Granted scopes. */
  scopes: z.array(z.string()),
  accessToken: z.string().optional(),
  /** Epoch milliseconds. */
  expiresAt: z.number().optional(),
  /** Epoch milliseconds of the last time that a token was issued. */
  renewedAt: z.number().default(0),
});

export type Grant = z.output<typeof recordSchema>;

/** @see https://developers.google.com/identity/protocols/oauth2/native-app#exchange-authorization-code */
const tokenAnswer = z.object({
  access_token: z.string(),
  expires_in: z.number(),
  refresh_token: z.string().optional(),
  scope: z.string().optional(),
  id_token: z.string().optional(),
});

type TokenAnswer = z.output<typeof tokenAnswer>;

const NOT_REVOKED =
  'Google could not be told; to be sure, remove the access at https://myaccount.google.com/connections';

export interface GoogleTokens extends RequestTokens {
  signIn(prompts: SignInPrompts, call: Call): Promise<Identity>;
  signOut(): Promise<string | undefined>;
  grant(): Promise<Grant | undefined>;
  /** Whether a token was refused for good, and nothing has changed since. */
  isDead(): Promise<boolean>;
}

/** Who an id token is about. It came straight from the token endpoint, so its signature need not be checked (OIDC Core 3.1.3.7). */
function identityOf(idToken: string | undefined, clientId: string): Identity {
  try {
    const claims = JSON.parse(Buffer.from(idToken?.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<
      string,
      unknown
    >;
    const { sub, email, aud } = claims;
    if (typeof sub === 'string' && typeof email === 'string' && aud === clientId) return { id: sub, username: email };
  } catch {
    // told below
  }
  throw new CalmcpError('BAD_RESPONSE', 'Google did not say who signed in');
}

function oauthError(thrown: unknown): string | undefined {
  if (!(thrown instanceof CalmcpError)) return undefined;
  try {
    const { error } = JSON.parse((thrown.cause as Partial<HttpFailure> | undefined)?.body ?? '') as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    return undefined;
  }
}

export function createGoogleTokens(options: GoogleOptions, context: ProviderContext): GoogleTokens {
  const { account, access, secrets } = context;
  const endpoints = endpointsOf(options);
  const hint = `run: calmcp login --account ${account}`;
  const needsLogin = (message: string, cause?: unknown): CalmcpError =>
    new CalmcpError('AUTH_REQUIRED', message, { account, hint, cause });

  async function load(): Promise<Grant | undefined> {
    const sealed = await secrets.load();
    if (sealed === undefined) return undefined;
    try {
      return recordSchema.parse(JSON.parse(sealed));
    } catch (cause) {
      throw new CalmcpError('AUTH_REQUIRED', 'the saved sign-in is not one that this version can read', {
        account,
        hint: `run: calmcp logout --account ${account}, then calmcp login --account ${account}`,
        cause,
      });
    }
  }

  const save = (grant: Grant): Promise<void> => secrets.save(JSON.stringify(grant));

  async function postForm(url: string, form: Record<string, string | undefined>): Promise<HttpAnswer> {
    const fields = Object.entries(form).filter((field): field is [string, string] => field[1] !== undefined);
    return context.fetch(openExchange(context.closed))(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(fields).toString(),
    });
  }

  async function redeem(form: Record<string, string | undefined>): Promise<TokenAnswer> {
    try {
      const response = await postForm(endpoints.token, {
        client_id: options.clientId,
        client_secret: options.clientSecret,
        ...form,
      });
      const answer = tokenAnswer.safeParse(readJson(response, new URL(endpoints.token).host));
      if (answer.success) return answer.data;
      throw new CalmcpError('BAD_RESPONSE', 'Google answered without a token', { account });
    } catch (thrown) {
      switch (oauthError(thrown)) {
        case 'invalid_grant':
          throw needsLogin('the sign-in has expired or was withdrawn', thrown);
        case 'invalid_client':
        case 'deleted_client':
        case 'unauthorized_client':
          throw new CalmcpError('CONFIG_INVALID', 'Google does not accept the clientId and clientSecret', {
            account,
            hint: 'copy both anew from the Google Cloud console; the client must be of the type "Desktop app"',
            cause: thrown,
          });
        default:
          throw thrown;
      }
    }
  }

  /** Whether a grant covers what `access` asks for; a wider `access` than at the sign-in does not fail strangely later. */
  function requireScopes({ scopes }: Pick<Grant, 'scopes'>): void {
    if (missingScopes(scopes, calendarScopes(access)).length > 0)
      throw needsLogin(`the sign-in does not cover access: ${access}`);
  }

  const accessTokens = createAccessTokens({
    secrets,
    async obtain(_key, rejected): Promise<AccessToken> {
      const grant = await load();
      if (grant === undefined) throw needsLogin('nobody has signed in yet');
      requireStillExpected(grant.identity, options.username);
      requireScopes(grant);
      const { accessToken, expiresAt = 0 } = grant;
      if (accessToken !== undefined && accessToken !== rejected && isFresh(expiresAt))
        return { accessToken, expiresAt };
      const version = await secrets.version();
      const refresh = async (from: Grant): Promise<AccessToken> => {
        const answer = await redeem({ grant_type: 'refresh_token', refresh_token: from.refreshToken });
        const renewed = {
          ...from,
          refreshToken: answer.refresh_token ?? from.refreshToken,
          accessToken: answer.access_token,
          expiresAt: expiryIn(answer.expires_in),
          renewedAt: renewedNow(),
        };
        await save(renewed);
        return renewed;
      };
      try {
        return await refresh(grant);
      } catch (thrown) {
        // Somebody without our lock (a machine that slept) has refreshed: theirs is the good token.
        const moved = (await secrets.version()) !== version ? await load() : undefined;
        if (moved !== undefined && thrown instanceof CalmcpError && thrown.code === 'AUTH_REQUIRED')
          return refresh(moved);
        throw thrown;
      }
    },
  });

  async function keep(code: AuthorizationCode, before: Identity | undefined): Promise<Identity> {
    const answer = await redeem({
      grant_type: 'authorization_code',
      code: code.code,
      code_verifier: code.codeVerifier,
      redirect_uri: code.redirectUri,
    });
    const identity = identityOf(answer.id_token, options.clientId);
    requireExpected(identity, options.username, before);
    const scopes = (answer.scope ?? '').split(' ').filter((scope) => scope !== '');
    // People can untick single permissions on Google's page. That for other people's busy times may be missing.
    if (missingScopes(scopes, calendarScopes(access)).length > 0)
      throw new CalmcpError('FORBIDDEN', 'not all permissions for the calendar were given on Google’s page', {
        account,
        hint: `${hint}, and leave every box ticked`,
      });
    const { refresh_token: refreshToken } = answer;
    if (refreshToken === undefined)
      throw new CalmcpError('BAD_RESPONSE', 'Google gave no lasting permission', { account, hint });
    await secrets.exclusively(async () => {
      // Again: somebody else may have signed in for this account in the meantime.
      requireExpected(identity, options.username, (await load())?.identity);
      await save({
        version: 1,
        identity,
        refreshToken,
        scopes,
        accessToken: answer.access_token,
        expiresAt: expiryIn(answer.expires_in),
        renewedAt: renewedNow(),
      });
    });
    return identity;
  }

  return {
    async signIn(prompts, call) {
      // A keystore out of reach, and a file that cannot be opened, are told before a person is sent anywhere.
      const before = (await secrets.exclusively(load))?.identity;
      const loginHint = options.username ?? before?.username;
      return signInWithBrowser(
        {
          redirectHost: '127.0.0.1',
          authorizationUrl({ redirectUri, state, codeChallenge }) {
            const url = new URL(endpoints.authorization);
            const query = {
              client_id: options.clientId,
              redirect_uri: redirectUri,
              response_type: 'code',
              scope: [...IDENTITY_SCOPES, ...askedScopes(access)].join(' '),
              state,
              code_challenge: codeChallenge,
              code_challenge_method: 'S256',
              access_type: 'offline',
              // Without "consent" a second sign-in brings no refresh token.
              prompt: 'select_account consent',
              ...(loginHint === undefined ? {} : { login_hint: loginHint }),
            };
            for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
            return url.href;
          },
          async redeem(code) {
            const identity = await keep(code, before);
            return { value: identity, message: `${account} is ${identity.username}.` };
          },
        },
        prompts,
        call,
      );
    },

    async signOut() {
      return secrets.exclusively(async () => {
        const grant = await load().catch((thrown: unknown) => {
          // A keychain that is locked, or a wrong passphrase, may be put right; what does not open never will be.
          if (thrown instanceof CalmcpError && thrown.code === 'AUTH_REQUIRED') return 'unreadable' as const;
          throw thrown;
        });
        await secrets.remove();
        if (grant === undefined) return undefined;
        if (grant === 'unreadable') return NOT_REVOKED;
        try {
          await postForm(endpoints.revocation, { token: grant.refreshToken });
          return undefined;
        } catch (thrown) {
          // What Google does not know any more is revoked as well as can be.
          if (oauthError(thrown) === 'invalid_token') return undefined;
          return NOT_REVOKED;
        }
      });
    },

    grant: load,

    remedy: hint,
    get: (rejected) => accessTokens.get(account, rejected),
    rest: (error) => accessTokens.rest(account, error),
    isDead: () => accessTokens.isDead(account),
  };
}
