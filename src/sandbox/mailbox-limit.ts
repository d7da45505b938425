import { graphRefusal } from './graph-refusal.ts';

const maximum = 4;

/** At most four requests at a time for one mailbox. https://learn.microsoft.com/graph/throttling-limits#outlook-service-limits */
export function createMailboxLimit() {
  const running = new Map<string, number>();

  return {
    /** @throws the 429; else gives what to call when the request is over */
    enter(mailbox: string): () => void {
      const before = running.get(mailbox) ?? 0;
      if (before >= maximum) {
        throw graphRefusal(429, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.', {
          'retry-after': '1',
        });
      }
      running.set(mailbox, before + 1);
      return () => running.set(mailbox, (running.get(mailbox) ?? 1) - 1);
    },
  };
}
