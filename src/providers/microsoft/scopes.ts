import type { ProviderContext } from '../../core/provider.ts';

/**
 * Never more than the account's `access` says. MSAL adds openid, profile and offline_access.
 * @see https://learn.microsoft.com/graph/permissions-reference#calendar-permissions
 */
const SCOPES = { busy: 'Calendars.ReadBasic', read: 'Calendars.Read', write: 'Calendars.ReadWrite' } as const;

export function scopesOf(access: ProviderContext['access']): string[] {
  return [SCOPES[access]];
}
