/** Other people's busy times, asked through one account. */
import { z } from 'zod';
import type { Account, App } from '../accounts/registry.ts';
import { mayName } from '../core/disclosure.ts';
import { CalmcpError } from '../core/errors.ts';
import type { BusyBlock } from '../core/event.ts';
import type { PersonBusy } from '../core/provider.ts';
import { neutralize } from '../core/text.ts';
import { fanOut } from './fan-out.ts';
import type { Asker } from './operation.ts';
import type { Question } from './question.ts';

const MOST_PEOPLE = 100;
const ADDRESS = /^[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\]+$/;

export const peopleInput = {
  people: z
    .union([z.string(), z.array(z.string())])
    .optional()
    .describe('E-mail addresses; their busy times count too.'),
  via: z.string().optional().describe('Account to ask people through.'),
};

export interface AskedPerson {
  readonly person: string;
  /** In the range and in order; absent: nobody could tell. */
  readonly blocks?: readonly BusyBlock[];
  readonly message?: string;
}

interface PeopleQuestion {
  readonly addresses: readonly string[];
  readonly account: Account;
}

/**
 * Who is asked about, and through which account. Nobody is asked yet.
 * @throws CalmcpError for an address that is none, and for an account that cannot tell or may not be named
 */
export async function parsePeople(
  app: App,
  { people, via }: { people?: string | readonly string[] | undefined; via?: string | undefined },
  { audience }: Question,
): Promise<PeopleQuestion | undefined> {
  const list = typeof people === 'string' ? people.split(',') : (people ?? []);
  const addresses = [...new Set(list.map((address) => address.trim().toLowerCase()).filter((text) => text !== ''))];
  if (addresses.length === 0) {
    // An empty variable of a script, say: nobody is not who was meant.
    if (people !== undefined)
      throw new CalmcpError('INPUT_INVALID', 'no person is named', { hint: 'give addresses, or leave people out' });
    if (via === undefined) return undefined;
    throw new CalmcpError('INPUT_INVALID', 'via says through whom people are asked, and no people are named', {
      hint: 'name them in people, or leave via out',
    });
  }
  const wrong = addresses.find((address) => !ADDRESS.test(address));
  if (wrong !== undefined)
    throw new CalmcpError('INPUT_INVALID', `${JSON.stringify(neutralize(wrong).slice(0, 80))} is no e-mail address`, {
      hint: 'give people as name@client.example',
    });
  if (addresses.length > MOST_PEOPLE)
    throw new CalmcpError('INPUT_INVALID', `${addresses.length} people are too many`, {
      hint: `ask about at most ${MOST_PEOPLE} at a time`,
    });
  // Whom an account knows is its client's business.
  const allowed = app.accounts.filter(({ sharing }) => mayName(audience, sharing));
  if (via !== undefined) {
    const account = allowed.find(({ id }) => id === via.trim());
    if (account === undefined)
      throw new CalmcpError('ACCOUNT_UNKNOWN', 'there is no such account to ask people through', {
        hint: `known: ${allowed.map(({ id }) => id).join(', ') || 'none for this audience'}`,
      });
    if (!(await canTell(account)))
      throw new CalmcpError('INPUT_INVALID', `${account.id} cannot tell the busy times of other people`, {
        hint: 'ask through a Microsoft 365 work account or a Google account',
      });
    return { addresses, account };
  }
  const able: Account[] = [];
  for (const account of allowed) if (await canTell(account)) able.push(account);
  const [only] = able;
  if (only === undefined)
    throw new CalmcpError('INPUT_INVALID', 'no account can tell the busy times of other people', {
      hint: 'that takes a Microsoft 365 work account or a Google account',
    });
  if (able.length > 1)
    throw new CalmcpError('INPUT_INVALID', 'several accounts can be asked about other people', {
      hint: `say which one with via: ${able.map(({ id }) => id).join(', ')}`,
    });
  return { addresses, account: only };
}

/** What cannot be opened may be able to: why it does not open is told when it is asked. */
async function canTell(account: Account): Promise<boolean> {
  const provider = await account.open().catch(() => undefined);
  return provider === undefined || provider.freeBusy !== undefined;
}

/** Asks. Whoever nobody knows anything of has no blocks and a message: unknown, not free. */
export async function readPeople(
  app: App,
  asked: PeopleQuestion,
  { range, audience }: Question,
  asker: Asker,
): Promise<readonly AskedPerson[]> {
  const { addresses, account } = asked;
  const failed = (error: CalmcpError): AskedPerson[] =>
    addresses.map((person) => ({ person, message: neutralize(error.message) }));
  try {
    const { answers } = await fanOut(
      app,
      [account],
      asker,
      async (_account, call) => {
        const provider = await account.open();
        if (provider.freeBusy === undefined) throw new TypeError(`${account.id} tells nothing of other people`);
        const value = await provider.freeBusy(addresses, range, call);
        return { value, calendars: 0, asOf: app.now().epochMilliseconds };
      },
      audience,
    );
    const known = new Map((answers[0]?.value ?? []).map((answer) => [answer.person.toLowerCase(), answer]));
    return addresses.map((person) => toAsked(person, known.get(person)));
  } catch (thrown) {
    asker.signal.throwIfAborted();
    if (thrown instanceof CalmcpError) return failed(thrown);
    throw thrown;
  }
}

function toAsked(person: string, answer: PersonBusy | undefined): AskedPerson {
  if (answer === undefined) return { person, message: 'nothing was said of this person' };
  if ('error' in answer) return { person, message: neutralize(answer.error.message) };
  return { person, blocks: answer.blocks };
}
