import { whyUnexpected } from '../../core/pinned-identity.ts';
import type { ProviderContext, ProviderDefinition } from '../../core/provider.ts';
import type { RequestTokens } from '../../io/access-tokens.ts';
import { lastsUntil } from '../../io/access-tokens.ts';
import { createCommandTokens } from '../../io/token-command.ts';
import { childSpecOf } from './child.ts';
import { checkChild, childBlockOf } from './child-options.ts';
import type { ChildSignIn } from './child-sign-in.ts';
import { cloudOf } from './cloud.ts';
import { isThrottledForAll } from './limits.ts';
import { type MicrosoftOptions, options } from './options.ts';
import type { Tokens } from './tokens.ts';

const cacheKey = ({ clientId, tenantId }: MicrosoftOptions): string => `${clientId}_${tenantId}`.toLowerCase();

/**
 * A refresh token that is not used for this long is dead.
 * @see https://learn.microsoft.com/entra/identity-platform/refresh-tokens#token-lifetime
 */
const UNUSED_DAYS = 90;

/** One token cache and one client for all accounts of one registration in one tenant. */
async function openTokens(chosen: MicrosoftOptions, context: ProviderContext): Promise<Tokens> {
  const { createTokens } = await import('./tokens.ts');
  // By cloud as well: another cloud has its own sign-in service, whatever the ids are.
  const tokens = context.share(`${cacheKey(chosen)} ${cloudOf(chosen).authority}`, () => createTokens(chosen, context));
  tokens.expect(context.account, chosen.username);
  return tokens;
}

/**
 * Outlook serves four requests at once for one mailbox and refuses the fifth, and 10,000 in ten minutes:
 * https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
 */
const LIMITS = { atOnce: 4, perMinute: 1_000 };
/** For all mailboxes together nothing is published that one person could reach. */
const REGISTRATION_LIMITS = { atOnce: 64 };

/** Does something with the sign-in of a child server that signs in by itself; nothing where it does not. */
async function withOwnSignIn<T>(
  chosen: MicrosoftOptions,
  context: ProviderContext,
  work: (signIn: ChildSignIn) => Promise<T>,
): Promise<{ readonly value: T } | undefined> {
  const spec = childSpecOf(chosen, context.account, context.access);
  if (spec?.lending !== 'none') return undefined;
  const { openChildSignIn } = await import('./child-sign-in.ts');
  const child = context.children.open(spec);
  try {
    return { value: await work(openChildSignIn(chosen, spec, child, context)) };
  } finally {
    await child.close();
  }
}

/** The access tokens of one account, wherever they come from. */
async function requestTokens(chosen: MicrosoftOptions, context: ProviderContext): Promise<RequestTokens> {
  const { account, access } = context;
  if (chosen.tokenCommand !== undefined) return createCommandTokens(chosen.tokenCommand, account);
  const [tokens, { scopesOf }] = await Promise.all([openTokens(chosen, context), import('./scopes.ts')]);
  const scopes = scopesOf(access);
  return {
    remedy: `run: calmcp login --account ${account}`,
    get: (rejected) => tokens.accessToken(account, scopes, rejected),
    rest: (error) => tokens.rest(account, scopes, error),
  };
}

export const microsoft: ProviderDefinition<typeof options> = {
  type: 'microsoft',
  title: 'Microsoft 365 or Outlook.com, through Microsoft Graph',
  options,
  check: checkChild,
  limits: LIMITS,
  registrationLimits: REGISTRATION_LIMITS,
  // Tenants of one cloud have their registration in common where their client id is the same.
  registration: (chosen) => ({
    clientId: chosen.clientId,
    key: `${chosen.clientId.toLowerCase()} ${cloudOf(chosen).graph}`,
  }),
  isThrottledForAll,
  cacheKey,
  signInMethods({ tokenCommand, child }) {
    if (tokenCommand !== undefined) return [];
    return childBlockOf(child)?.tokens === 'own' ? ['device-code'] : ['browser', 'device-code'];
  },
  async signIn(chosen, context, prompts, call) {
    const own = await withOwnSignIn(chosen, context, (signIn) => signIn.signIn(prompts, call));
    if (own !== undefined) return own.value;
    const { scopesOf } = await import('./scopes.ts');
    const tokens = await openTokens(chosen, context);
    return tokens.signIn(context.account, scopesOf(context.access), prompts, call);
  },
  async signOut(chosen, context) {
    const own = await withOwnSignIn(chosen, context, (signIn) => signIn.signOut());
    if (own !== undefined) return undefined;
    return (await openTokens(chosen, context)).signOut(context.account);
  },
  async signInState(chosen, context) {
    if (chosen.tokenCommand !== undefined) return { state: 'not-needed' };
    const own = await withOwnSignIn(chosen, context, (signIn) => signIn.state());
    if (own !== undefined) return own.value;
    const signedIn = await (await openTokens(chosen, context)).signedIn(context.account);
    if (signedIn === undefined) return { state: 'needs-login' };
    const { id, username, scopes, renewedAt } = signedIn;
    const { scopesOf, covers } = await import('./scopes.ts');
    const tokens = await openTokens(chosen, context);
    const known = { identity: { id, username }, scopes };
    const reason =
      whyUnexpected({ id, username }, chosen.username) ??
      (covers(scopes, context.access) ? undefined : `the sign-in does not cover access: ${context.access}`) ??
      ((await tokens.isDead(context.account, scopesOf(context.access)))
        ? 'Microsoft no longer accepts the sign-in'
        : undefined);
    if (reason !== undefined) return { state: 'needs-login', ...known, reason };
    return { state: 'signed-in', identity: { id, username }, scopes, lastsUntil: lastsUntil(renewedAt, UNUSED_DAYS) };
  },
  async open(chosen, context) {
    const { openMicrosoft } = await import('./open.ts');
    const { scopesOf } = await import('./scopes.ts');
    const spec = childSpecOf(chosen, context.account, context.access);
    if (spec === undefined) {
      const [{ createGraph }, { openMailbox }, tokens] = await Promise.all([
        import('./graph.ts'),
        import('./mailbox.ts'),
        requestTokens(chosen, context),
      ]);
      const scope = scopesOf(context.access).join(' ');
      return openMicrosoft(chosen, context, openMailbox(createGraph(cloudOf(chosen).graph, context, scope, tokens)));
    }
    const { openChildMailbox } = await import('./child-mailbox.ts');
    const isOwn = spec.lending === 'none';
    const lent = isOwn ? undefined : await requestTokens(chosen, context);
    const child = context.children.open(spec);
    const tokens = lent ?? (await import('./child-sign-in.ts')).ownTokens(chosen, child, context);
    // A server that signs in by itself refreshes once for each call under way, and a refresh token may be good for one time.
    const mailbox = openChildMailbox(child, context, tokens, isOwn);
    return openMicrosoft(chosen, context, mailbox);
  },
  childSpec: (chosen, account) => childSpecOf(chosen, account),
  endpoints(chosen) {
    const { authority, graph } = cloudOf(chosen);
    return [...new Set([authority, graph].map((address) => new URL(address).origin))];
  },
  where: ({ tenantId }) => `tenant ${tenantId}`,
};
