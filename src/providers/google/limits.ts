/** What Google says with a refusal, and whom it concerns when it means "slow down". */

interface Refused {
  readonly error?: { readonly errors?: readonly { readonly reason?: string }[] };
}

/** @see https://developers.google.com/workspace/calendar/api/guides/errors */
export function reasonOf(body: string | undefined): string | undefined {
  try {
    const refused = JSON.parse(body ?? '') as Refused | readonly Refused[];
    // The batch endpoint wraps its own refusals in a list.
    const { error } = ('length' in refused ? refused[0] : refused) ?? {};
    return error?.errors?.[0]?.reason;
  } catch {
    return undefined;
  }
}

/** `rateLimitExceeded` is the project's quota, `userRateLimitExceeded` that of one person in it. */
export function isThrottledForAll({ body }: { readonly body: string }): boolean {
  return reasonOf(body) === 'rateLimitExceeded';
}
