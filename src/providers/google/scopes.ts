import type { ProviderContext } from '../../core/provider.ts';

const CALENDAR = 'https://www.googleapis.com/auth/calendar';

/**
 * Never more than the account's `access` says.
 * @see https://developers.google.com/workspace/calendar/api/auth
 */
const SCOPES = {
  busy: [`${CALENDAR}.freebusy`],
  read: [`${CALENDAR}.events.readonly`, `${CALENDAR}.calendarlist.readonly`],
  write: [`${CALENDAR}.events`, `${CALENDAR}.calendarlist.readonly`],
} as const;

export function calendarScopes(access: ProviderContext['access']): readonly string[] {
  return SCOPES[access];
}

/** Who it is: for the pinned identity. */
export const IDENTITY_SCOPES: readonly string[] = ['openid', 'email'];

/** What of `wanted` a grant does not cover. A wider scope of the same kind covers a narrower one. */
export function missingScopes(granted: readonly string[], wanted: readonly string[]): readonly string[] {
  const covered = new Set(granted.flatMap((scope) => [scope, ...(WIDER[scope] ?? [])]));
  return wanted.filter((scope) => !covered.has(scope));
}

const WIDER: Readonly<Record<string, readonly string[]>> = {
  [`${CALENDAR}.events`]: [`${CALENDAR}.events.readonly`],
};
