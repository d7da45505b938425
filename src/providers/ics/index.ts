/** Calendars from an iCalendar feed (RFC 5545) or from .ics files: read-only, without sign-in. */
import { CalmcpError } from '../../core/errors.ts';
import type { ProviderDefinition } from '../../core/provider.ts';
import { feedAddress } from './address.ts';
import { check, options } from './options.ts';

export const ics: ProviderDefinition<typeof options> = {
  type: 'ics',
  title: 'iCalendar feed or .ics files',
  options,
  check,
  async open(chosen, context) {
    const wrong = check(chosen);
    if (wrong !== undefined)
      throw new CalmcpError('CONFIG_INVALID', `account ${context.account}: ${wrong}`, {
        account: context.account,
        hint: 'compare with accounts.example.yaml',
      });
    const { openIcs } = await import('./open.ts');
    return openIcs(chosen, context);
  },
  endpoints: ({ url }) => (url === undefined ? [] : [feedAddress(url)?.origin ?? ''].filter((origin) => origin !== '')),
  where: ({ url, path }) => path ?? feedAddress(url ?? '')?.host ?? '',
};
