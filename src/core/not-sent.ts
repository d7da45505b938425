/** The difference between "nobody knows whether it was done" and "it was never asked for". */
import type { CalmcpError } from './errors.ts';

/**
 * The `cause` of an error that was told before anything was sent that could change something: whoever writes need not
 * find out what became of it.
 */
export const NOT_SENT: unknown = Object.freeze({ sent: false });

export function wasNotSent({ cause }: CalmcpError): boolean {
  return cause === NOT_SENT;
}
