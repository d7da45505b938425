/** A file of its own, as it loads Temporal. */
import { Temporal } from 'temporal-polyfill';
import { CalmcpError } from '../core/errors.ts';
import type { Shell } from './shell.ts';

/** The clock: `CALMCP_NOW`, or the machine's. @throws CalmcpError CONFIG_INVALID */
export function clockOf({ env }: Pick<Shell, 'env'>): () => Temporal.Instant {
  const fixed = env.CALMCP_NOW;
  if (!fixed) return () => Temporal.Now.instant();
  try {
    const instant = Temporal.Instant.from(fixed);
    // A year that four digits can write, with room for a range on both sides.
    if (/^(?:1\d|[2-8]\d|9[0-8])\d{2}-/.test(instant.toString())) return () => instant;
  } catch {
    // told below
  }
  throw new CalmcpError('CONFIG_INVALID', 'CALMCP_NOW is no instant', { hint: 'give it as 2026-11-23T08:00:00Z' });
}
