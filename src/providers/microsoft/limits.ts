/** Whom a refusal of Graph's concerns that means "slow down". */

/**
 * `ApplicationThrottled` is about the app registration, except where it names the concurrency of the mailbox: Outlook counts
 * that for an app and a mailbox together, and the others go on.
 * @see https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits
 */
export function isThrottledForAll({ body }: { readonly body: string }): boolean {
  try {
    const { error } = JSON.parse(body) as { error?: { code?: unknown; message?: unknown } };
    return error?.code === 'ApplicationThrottled' && !String(error.message).includes('MailboxConcurrency');
  } catch {
    return false;
  }
}
