import { whyUnexpected } from '../../core/pinned-identity.ts';
import type { ProviderContext, ProviderDefinition } from '../../core/provider.ts';
import { lastsUntil } from '../../io/access-tokens.ts';
import { createCommandTokens } from '../../io/token-command.ts';
import { childSpecOf } from './child.ts';
import { checkChild } from './child-options.ts';
import { isThrottledForAll } from './limits.ts';
import { endpointsOf, type GoogleOptions, options } from './options.ts';
import type { GoogleTokens } from './tokens.ts';

/**
 * A refresh token that is not used for six months is dead; that of an app in the state "Testing" dies after seven days,
 * which nothing here can tell.
 * @see https://developers.google.com/identity/protocols/oauth2#expiration
 */
const UNUSED_DAYS = 182;

/**
 * Of one account (in one project), and of a project; how many at once Google does not say.
 * https://developers.google.com/workspace/calendar/api/guides/quota
 */
const LIMITS = { atOnce: 8, perMinute: 600 };
const REGISTRATION_LIMITS = { atOnce: 64, perMinute: 10_000 };

async function openTokens(chosen: GoogleOptions, context: ProviderContext): Promise<GoogleTokens> {
  const { createGoogleTokens } = await import('./tokens.ts');
  // By all that it is made from: a changed accounts.yaml takes effect in a running server.
  const key = JSON.stringify([context.account, context.access, chosen]);
  return context.share(key, () => createGoogleTokens(chosen, context));
}

export const google: ProviderDefinition<typeof options> = {
  type: 'google',
  title: 'Google Calendar',
  options,
  check: checkChild,
  limits: LIMITS,
  registrationLimits: REGISTRATION_LIMITS,
  registration: (chosen) => ({
    clientId: chosen.clientId,
    key: `${chosen.clientId} ${new URL(endpointsOf(chosen).calendar).origin}`,
  }),
  isThrottledForAll,
  // A grant belongs to one person, so every account has its own.
  cacheKey: ({ clientId }, account) => `${clientId}_${account}`,
  // Google's device codes cannot be used for calendars:
  // https://developers.google.com/identity/protocols/oauth2/limited-input-device#allowedscopes
  signInMethods: ({ tokenCommand }) => (tokenCommand === undefined ? ['browser', 'paste'] : []),
  async signIn(chosen, context, prompts, call) {
    return (await openTokens(chosen, context)).signIn(prompts, call);
  },
  async signOut(chosen, context) {
    return (await openTokens(chosen, context)).signOut();
  },
  async signInState(chosen, context) {
    if (chosen.tokenCommand !== undefined) return { state: 'not-needed' };
    const grant = await (await openTokens(chosen, context)).grant();
    if (grant === undefined) return { state: 'needs-login' };
    const { identity, scopes, renewedAt } = grant;
    const { calendarScopes, missingScopes } = await import('./scopes.ts');
    const isNarrow = missingScopes(scopes, calendarScopes(context.access)).length > 0;
    const reason =
      whyUnexpected(identity, chosen.username) ??
      (isNarrow ? `the sign-in does not cover access: ${context.access}` : undefined) ??
      ((await (await openTokens(chosen, context)).isDead()) ? 'Google no longer accepts the sign-in' : undefined);
    if (reason !== undefined) return { state: 'needs-login', identity, scopes, reason };
    return { state: 'signed-in', identity, scopes, lastsUntil: lastsUntil(renewedAt, UNUSED_DAYS) };
  },
  async open(chosen, context) {
    const { openGoogle } = await import('./open.ts');
    const { tokenCommand } = chosen;
    const tokens =
      tokenCommand === undefined
        ? await openTokens(chosen, context)
        : createCommandTokens(tokenCommand, context.account);
    const remedy = tokenCommand === undefined ? `${tokens.remedy}, and leave every box ticked` : tokens.remedy;
    const spec = childSpecOf(chosen, context.account, context.access);
    if (spec === undefined) {
      const [{ createGoogleClient }, { openCalendarApi }] = await Promise.all([
        import('./client.ts'),
        import('./calendar-api.ts'),
      ]);
      const client = createGoogleClient(endpointsOf(chosen).calendar, context, tokens);
      return openGoogle(context, openCalendarApi(client), remedy);
    }
    const { openChildApi } = await import('./child-api.ts');
    return openGoogle(context, openChildApi(spec, context, tokens), remedy);
  },
  childSpec: childSpecOf,
  endpoints(chosen) {
    const { authorization, token, calendar } = endpointsOf(chosen);
    return [...new Set([authorization, token, calendar].map((address) => new URL(address).origin))];
  },
  where: (chosen) => chosen.username ?? new URL(endpointsOf(chosen).calendar).host,
};
