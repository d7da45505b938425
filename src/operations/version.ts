import { createHash } from 'node:crypto';

/** Short for an etag: changes when the event does. */
export function versionOf(etag: string): string {
  return createHash('sha256').update(etag).digest('hex').slice(0, 10);
}
