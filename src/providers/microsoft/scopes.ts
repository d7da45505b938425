import type { ProviderContext } from '../../core/provider.ts';

/**
 * Never more than the account's `access` says. MSAL adds openid, profile and offline_access.
 * @see https://learn.microsoft.com/graph/permissions-reference#calendar-permissions
 */
const SCOPES = { busy: 'Calendars.ReadBasic', read: 'Calendars.Read', write: 'Calendars.ReadWrite' } as const;

export function scopesOf(access: ProviderContext['access']): string[] {
  return [SCOPES[access]];
}

const RANK = ['busy', 'read', 'write'] as const;

/** Whether what was granted is enough for an `access`; a wider permission is. What was not told may be. */
export function covers(granted: readonly string[], access: ProviderContext['access']): boolean {
  if (granted.length === 0) return true;
  const known = granted.map((scope) => scope.split('/').at(-1)?.toLowerCase());
  return RANK.slice(RANK.indexOf(access)).some((wider) => known.includes(SCOPES[wider].toLowerCase()));
}
