import { z } from 'zod';
import type { Account, App } from '../accounts/registry.ts';
import { DISCLOSURES } from '../core/disclosure.ts';
import { type CalmcpError, toCalmcpError } from '../core/errors.ts';
import { neutralize } from '../core/text.ts';
import { accountsInput, noticesOf, noticesOutput } from './envelope.ts';
import { fanOut, selectAccounts } from './fan-out.ts';
import { type Asker, defineOperation } from './operation.ts';

const account = z.object({
  account: z.string(),
  displayName: z.string().optional(),
  provider: z.string(),
  access: z.enum(['busy', 'read', 'write']),
  client: z.string().optional().describe('Whose it is, when not its own; an audience.'),
  share: z.enum(DISCLOSURES).optional().describe('What other audiences may see of it. Default busy.'),
  signIn: z.enum(['signed-in', 'needs-login', 'not-needed', 'unknown']),
  username: z.string().optional().describe('Who is signed in.'),
  sameAs: z.array(z.string()).optional().describe('Other accounts that are the same mailbox.'),
  scopes: z.array(z.string()).optional().describe('What was granted.'),
  lastsUntil: z.string().optional().describe('Day the sign-in ends on, if it is not used before.'),
  message: z.string().optional(),
  hint: z.string().optional(),
});

const output = z.object({ notices: noticesOutput, accounts: z.array(account) });
export type AccountList = z.output<typeof output>;

/** Accounts of one provider where the same person is signed in, by account: each with the others. */
export async function sameMailboxes(accounts: readonly Account[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const people = await Promise.all(
    accounts.map(async ({ id, provider, signInState }) => {
      // One whose sign-in cannot be looked at says so itself.
      const state = await signInState().catch(() => undefined);
      return { id, type: provider.type, identity: state?.identity };
    }),
  );
  const same = (a: (typeof people)[number], b: (typeof people)[number]): boolean =>
    a.id !== b.id &&
    a.type === b.type &&
    a.identity !== undefined &&
    b.identity !== undefined &&
    (a.identity.id === b.identity.id || a.identity.username.toLowerCase() === b.identity.username.toLowerCase());
  const twins = people.map((person) => {
    const others = people.filter((other) => same(person, other)).map(({ id }) => id);
    return [person.id, others] as const;
  });
  return new Map(twins.filter(([, others]) => others.length > 0));
}

/** What became of an account that was signed in, as far as this machine knew. */
function refused({ code, message, hint }: CalmcpError): Partial<z.output<typeof account>> {
  return {
    signIn: code === 'AUTH_REQUIRED' ? 'needs-login' : 'unknown',
    message,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** Asks the account's server for its calendars: the cheapest question that needs a good sign-in. */
async function tryAccount(app: App, entry: Account, asker: Asker): Promise<CalmcpError | undefined> {
  try {
    await fanOut(app, [entry], asker, async (account, call) => {
      await (await account.open()).listCalendars(call);
      return { value: undefined, calendars: 0, asOf: app.now().epochMilliseconds };
    });
    return undefined;
  } catch (thrown) {
    asker.signal.throwIfAborted();
    return toCalmcpError(thrown).of(entry.id);
  }
}

async function describe(
  { id, settings, sharing, provider, signInState }: Account,
  sameAs: readonly string[] | undefined,
  check: (() => Promise<CalmcpError | undefined>) | undefined,
): Promise<z.output<typeof account>> {
  const known = {
    account: id,
    ...(settings.displayName === undefined ? {} : { displayName: settings.displayName }),
    provider: provider.type,
    access: settings.access,
    ...(sharing.client === id ? {} : { client: neutralize(sharing.client) }),
    ...(sharing.share === 'busy' ? {} : { share: sharing.share }),
  };
  try {
    const { state, identity, reason, scopes, lastsUntil } = await signInState();
    const told = {
      ...known,
      signIn: state,
      ...(identity === undefined ? {} : { username: neutralize(identity.username) }),
      ...(sameAs === undefined ? {} : { sameAs: [...sameAs] }),
      ...(reason === undefined ? {} : { message: neutralize(reason) }),
      ...(state === 'needs-login' ? { hint: `run: calmcp login --account ${id}` } : {}),
    };
    const error = state === 'needs-login' || state === 'not-needed' ? undefined : await check?.();
    return {
      ...told,
      ...(scopes === undefined || scopes.length === 0 ? {} : { scopes: [...scopes] }),
      ...(lastsUntil === undefined ? {} : { lastsUntil: new Date(lastsUntil).toISOString().slice(0, 10) }),
      ...(error === undefined ? {} : refused(error)),
    };
  } catch (thrown) {
    const { message, hint } = toCalmcpError(thrown).of(id);
    return { ...known, signIn: 'unknown', message, ...(hint === undefined ? {} : { hint }) };
  }
}

export const listAccounts = defineOperation({
  name: 'list_accounts',
  title: 'List accounts',
  description: 'Lists the accounts, what may be done with each, and whether it is signed in.',
  effect: 'read',
  input: z.strictObject({
    accounts: accountsInput,
    check: z.boolean().optional().describe('Ask the servers whether sign-ins still hold.'),
  }),
  output,
  async run(app, { accounts, check }, asker) {
    const selected = app.accounts.length === 0 && accounts === undefined ? [] : selectAccounts(app, accounts);
    const twins = await sameMailboxes(app.accounts);
    return {
      ...noticesOf(app),
      accounts: await Promise.all(
        selected.map((entry) =>
          describe(entry, twins.get(entry.id), check ? () => tryAccount(app, entry, asker) : undefined),
        ),
      ),
    };
  },
});
