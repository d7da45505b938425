/** Addresses that tokens and secrets may be sent to. */
import { z } from 'zod';

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|\[::1\])$/;

/** https, or plain http on this machine, which is how the sandbox works. */
export function isSafeEndpoint(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
}

/** A base address in accounts.yaml, without a slash at its end. */
export const endpointSchema = z
  .string()
  .refine(isSafeEndpoint, 'must be an https address; plain http is for this machine only')
  .transform((text) => text.replace(/\/+$/, ''));
