/** Words of one client's events stay out of the calendars of others, unless accounts.yaml shares them. */
import type { Account, App } from '../../accounts/registry.ts';
import type { EventFields } from '../../core/change.ts';
import { DISCLOSURES, type Disclosure, disclosureTo } from '../../core/disclosure.ts';
import { CalmcpError } from '../../core/errors.ts';
import type { Heard } from '../heard.ts';

/** Characters of a text in which a sentence may go on that began in another field. */
const LONGEST_REST = 200;

/** Each of the fields right before and right after each of the others. */
function together({ title, location, text }: EventFields): string | undefined {
  const rest = text?.slice(0, LONGEST_REST);
  if ([title, location, rest].filter(Boolean).length < 2) return undefined;
  return [title, location, rest, title, rest, location, title].filter(Boolean).join(' ');
}

/** What another client must be allowed to see for a word of it to be written there. */
const PLACES = [
  { field: 'title', needed: 'title', of: ({ title }: EventFields) => title },
  { field: 'location', needed: 'full', of: ({ location }: EventFields) => location },
  { field: 'text', needed: 'full', of: ({ text }: EventFields) => text },
  { field: 'categories', needed: 'full', of: ({ categories }: EventFields) => categories?.join(' ') },
  {
    field: 'name of somebody invited',
    needed: 'full',
    of: ({ attendees }: EventFields) => attendees?.map(({ name = '' }) => name).join(' '),
  },
  // One sentence over two fields is one all the same.
  { field: 'title, location and text together', needed: 'full', of: together },
] as const satisfies readonly {
  readonly field: string;
  readonly needed: Disclosure;
  readonly of: (fields: EventFields) => string | undefined;
}[];

const allows = (level: Disclosure, needed: Disclosure): boolean =>
  DISCLOSURES.indexOf(level) >= DISCLOSURES.indexOf(needed);

/**
 * Refuses text that was read in this session, from accounts of other clients alone, and that these do not share.
 * @throws CalmcpError FORBIDDEN
 */
export function refuseBorrowedText(app: App, heard: Heard | undefined, target: Account, fields: EventFields): void {
  if (heard === undefined) return;
  const audience = target.sharing.client;
  for (const { field, needed, of } of PLACES)
    for (const sources of heard.sourcesOf(of(fields) ?? '')) {
      const accounts = app.accounts.filter(({ id }) => sources.includes(id));
      // An account that is gone from accounts.yaml shares nothing.
      const isKnownThere = accounts.some(({ sharing }) => allows(disclosureTo(audience, sharing), needed));
      if (isKnownThere) continue;
      throw new CalmcpError(
        'FORBIDDEN',
        `the ${field} has words of an event of ${sources.join(', ')}, which shares no ${needed === 'title' ? 'titles' : 'such text'} with ${audience}`,
        {
          account: target.id,
          hint: `use other words, or let accounts.yaml share it: share: ${needed} for ${sources.join(', ')}`,
        },
      );
    }
}
