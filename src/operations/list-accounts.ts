import { z } from 'zod';
import type { Account } from '../accounts/registry.ts';
import { toCalmcpError } from '../core/errors.ts';
import { defineOperation } from './operation.ts';

const account = z.object({
  account: z.string(),
  displayName: z.string().optional(),
  provider: z.string(),
  access: z.enum(['busy', 'read', 'write']),
  signIn: z.enum(['signed-in', 'needs-login', 'not-needed', 'unknown']),
  username: z.string().optional().describe('Who is signed in.'),
  message: z.string().optional(),
  hint: z.string().optional(),
});

const output = z.object({ accounts: z.array(account) });
export type AccountList = z.output<typeof output>;

async function describe({ id, settings, provider, signInState }: Account): Promise<z.output<typeof account>> {
  const known = {
    account: id,
    ...(settings.displayName === undefined ? {} : { displayName: settings.displayName }),
    provider: provider.type,
    access: settings.access,
  };
  try {
    const { state, identity } = await signInState();
    return {
      ...known,
      signIn: state,
      ...(identity === undefined ? {} : { username: identity.username }),
      ...(state === 'needs-login' ? { hint: `run: calmcp login --account ${id}` } : {}),
    };
  } catch (thrown) {
    const { message, hint } = toCalmcpError(thrown).of(id);
    return { ...known, signIn: 'unknown', message, ...(hint === undefined ? {} : { hint }) };
  }
}

export const listAccounts = defineOperation({
  name: 'list_accounts',
  title: 'List accounts',
  description: 'Lists the configured accounts and whether each is signed in, without asking any server.',
  effect: 'read',
  input: z.object({}),
  output,
  async run(app) {
    return { accounts: await Promise.all(app.accounts.map(describe)) };
  },
});
