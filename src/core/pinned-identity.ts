/** Who may be signed in for an account: whom accounts.yaml names, else whoever signed in first. */
import { CalmcpError } from './errors.ts';
import type { Identity } from './provider.ts';

function isCalled({ username }: Identity, expected: string): boolean {
  return username.toLowerCase() === expected.toLowerCase();
}

/**
 * @param before who has been signed in for the account until now
 * @throws CalmcpError FORBIDDEN, with who was expected and who came
 */
export function requireExpected(came: Identity, username: string | undefined, before: Identity | undefined): void {
  const matches = username === undefined ? before === undefined || before.id === came.id : isCalled(came, username);
  if (matches) return;
  throw new CalmcpError(
    'FORBIDDEN',
    `expected ${username ?? before?.username} and ${came.username} signed in; nothing of it was kept`,
    {
      hint:
        username === undefined
          ? 'to change who this account is, run: calmcp logout --account <account>'
          : `sign in as ${username}, or change username in accounts.yaml`,
    },
  );
}

/** Why a sign-in of before does not count: accounts.yaml may have been changed since. `undefined` where it does. */
export function whyUnexpected(identity: Identity, username: string | undefined): string | undefined {
  if (username === undefined || isCalled(identity, username)) return undefined;
  return `accounts.yaml expects ${username} and ${identity.username} is signed in`;
}

/** @throws CalmcpError AUTH_REQUIRED for {@link whyUnexpected} */
export function requireStillExpected(identity: Identity, username: string | undefined): void {
  const reason = whyUnexpected(identity, username);
  if (reason === undefined) return;
  throw new CalmcpError('AUTH_REQUIRED', reason, {
    hint: 'run: calmcp login --account <account>',
  });
}
