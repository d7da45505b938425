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

/** For a sign-in of before: accounts.yaml may have been changed since. @throws CalmcpError AUTH_REQUIRED */
export function requireStillExpected(identity: Identity, username: string | undefined): void {
  if (username === undefined || isCalled(identity, username)) return;
  throw new CalmcpError('AUTH_REQUIRED', `accounts.yaml expects ${username} and ${identity.username} is signed in`, {
    hint: 'run: calmcp login --account <account>',
  });
}
