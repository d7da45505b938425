/** Whom a refusal of Google's concerns that means "slow down". */

function reasonIn(body: string): unknown {
  try {
    const { error } = JSON.parse(body) as { error?: { errors?: readonly { reason?: unknown }[] } };
    return error?.errors?.[0]?.reason;
  } catch {
    return undefined;
  }
}

/**
 * `rateLimitExceeded` is the project's quota, `userRateLimitExceeded` that of one person in it.
 * @see https://developers.google.com/workspace/calendar/api/guides/errors
 */
export function isThrottledForAll({ body }: { readonly body: string }): boolean {
  return reasonIn(body) === 'rateLimitExceeded';
}
