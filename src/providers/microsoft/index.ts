import type { ProviderContext, ProviderDefinition } from '../../core/provider.ts';
import { type MicrosoftOptions, options } from './options.ts';
import type { Tokens } from './tokens.ts';

const cacheKey = ({ clientId, tenantId }: MicrosoftOptions): string => `${clientId}_${tenantId}`.toLowerCase();

/** One token cache and one client for all accounts of one registration in one tenant. */
async function openTokens(chosen: MicrosoftOptions, context: ProviderContext): Promise<Tokens> {
  const { createTokens } = await import('./tokens.ts');
  return context.share(cacheKey(chosen), () => createTokens(chosen, context));
}

export const microsoft: ProviderDefinition<typeof options> = {
  type: 'microsoft',
  title: 'Microsoft 365 or Outlook.com, through Microsoft Graph',
  options,
  // Outlook serves four requests at once for one mailbox and refuses the fifth:
  // https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
  concurrency: 4,
  cacheKey,
  async signIn(chosen, context, prompts, call) {
    const { scopesOf } = await import('./scopes.ts');
    const tokens = await openTokens(chosen, context);
    return tokens.signIn(context.account, scopesOf(context.access), chosen.username, prompts, call);
  },
  async signOut(chosen, context) {
    await (await openTokens(chosen, context)).signOut(context.account);
  },
  async signInState(chosen, context) {
    const identity = await (await openTokens(chosen, context)).identityOf(context.account);
    return identity === undefined ? { state: 'needs-login' } : { state: 'signed-in', identity };
  },
  async open(chosen, context) {
    const [{ openMicrosoft }, tokens] = await Promise.all([import('./open.ts'), openTokens(chosen, context)]);
    return openMicrosoft(chosen, context, tokens);
  },
};
