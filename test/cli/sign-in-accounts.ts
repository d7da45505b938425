/** One account of each vendor that a person can sign in to, on a sandbox. */
import { join } from 'node:path';
import { openSecretStores } from '../../src/io/secret-store.ts';
import { providers } from '../../src/providers/index.ts';
import { homeGoogleClient, type Sandbox } from '../../src/sandbox/index.ts';
import { googleAccounts, microsoftAccounts, temporaryFolder, writeAccounts, XEBIA } from '../harness.ts';

export interface Vendor {
  readonly name: 'microsoft' | 'google';
  readonly account: string;
  readonly you: string;
  readonly other: string;
  /** How the redirect address begins. */
  readonly back: string;
  accounts(sandbox: Sandbox, username?: string): string;
  /** What was redeemed and how that ended. */
  redemptions(sandbox: Sandbox): string[];
}

const { clientId, clientSecret = '' } = homeGoogleClient;

export const MICROSOFT: Vendor = {
  name: 'microsoft',
  account: XEBIA.id,
  you: 'you@xebia.example',
  other: 'bench@xebia.example',
  back: 'http://localhost:',
  accounts: (sandbox, username) =>
    microsoftAccounts(sandbox, [username === undefined ? XEBIA : { ...XEBIA, username }]),
  redemptions: ({ redemptions }) => redemptions.map(({ grant, outcome }) => `${grant} ${outcome}`),
};

export const GOOGLE: Vendor = {
  name: 'google',
  account: 'home',
  you: 'you@home.example',
  other: 'colleague@harbor.example',
  back: 'http://127.0.0.1:',
  accounts: (sandbox, username) =>
    googleAccounts(sandbox, [
      { id: 'home', clientId, clientSecret, ...(username === undefined ? {} : { more: `username: ${username}` }) },
    ]),
  redemptions: ({ google }) => google.redemptions.map(({ grant, outcome }) => `${grant} ${outcome}`),
};

export async function homeFor(vendor: Vendor, sandbox: Sandbox, username?: string): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, vendor.accounts(sandbox, username));
  return folder;
}

/** What is sealed for the account, in clear. */
export function sealed({ name, account }: Vendor, folder: string): Promise<string | undefined> {
  const options: Record<string, string> =
    name === 'google' ? { clientId } : { clientId: '11111111-1111-1111-1111-111111111111', tenantId: XEBIA.tenantId };
  const key = providers.find(({ type }) => type === name)?.cacheKey?.(options, account);
  if (key === undefined) throw new Error(`${name} has no cache key`);
  return openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' })
    .scope(key)
    .load();
}
