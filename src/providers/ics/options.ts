/** What accounts.yaml may say about an account of this provider. */
import { z } from 'zod';
import { feedAddress } from './address.ts';

export const options = z.strictObject({
  url: z
    .string()
    .refine((text) => feedAddress(text) !== null, {
      error: 'give an https:// or webcal:// address (http:// only on 127.0.0.1, [::1] or localhost)',
    })
    .optional()
    .describe(
      'Address of the feed: https:// or webcal://, or http:// on this machine. It usually holds a secret: calmcp never shows more of it than its host.',
    )
    .meta({ writeOnly: true }),
  path: z
    .string()
    .min(1)
    .optional()
    .describe('Instead of url: an .ics file, or a folder of them, relative to accounts.yaml.'),
  email: z
    .union([z.email(), z.array(z.email()).min(1)])
    .optional()
    .describe('Your address or addresses in these calendars: tells which answer to an invitation is yours.'),
});

export type IcsOptions = z.output<typeof options>;

/** Exactly one of `url` and `path`, which no single field can say. `undefined` when all is well. */
export function check({ url, path }: IcsOptions): string | undefined {
  if (url !== undefined && path !== undefined) return 'give either url or path, not both';
  if (path !== undefined && /^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return 'path is a web address: write url instead';
  return url === undefined && path === undefined ? 'give url or path' : undefined;
}
