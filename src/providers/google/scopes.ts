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

/** What reading cannot do without. */
export function calendarScopes(access: ProviderContext['access']): readonly string[] {
  return SCOPES[access];
}

/**
 * What a sign-in asks for: busy times of other people as well, which reading does not cover. Without it everything else
 * works, so it is never counted as missing.
 * @see https://developers.google.com/workspace/calendar/api/v3/reference/freebusy/query#auth
 */
export function askedScopes(access: ProviderContext['access']): readonly string[] {
  return access === 'busy' ? SCOPES.busy : [...SCOPES[access], `${CALENDAR}.events.freebusy`];
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
