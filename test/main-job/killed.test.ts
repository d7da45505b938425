import { expect, test } from 'vitest';
import { sharedGoogleClient } from '../../src/sandbox/index.ts';
import {
  builtEnvironment,
  googleAccounts,
  googleSignIn,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';
import { killRounds } from './kill-rounds.ts';

/** In all, over both vendors; CALMCP_KILL_ROUNDS=2000 npx vitest run test/main-job/killed does more. */
const ROUNDS = Number(process.env.CALMCP_KILL_ROUNDS ?? 200);
const PER_VENDOR = Math.ceil(ROUNDS / 2);

const { clientId, clientSecret } = sharedGoogleClient;

test.each(['microsoft', 'google'])(
  `${PER_VENDOR} processes killed while they refresh a token of %s leave a cache that opens and an account that works`,
  async (vendor) => {
    // Entra leaves a refresh token good that was redeemed, and Google does not rotate them: so a token that was lost
    // between the answer and the disk costs nothing. What must not happen is a torn or an empty cache.
    const sandbox = await openSandbox({ reusableRefreshTokens: true });
    const folder = await temporaryFolder();
    const isGoogle = vendor === 'google';
    const yaml = isGoogle
      ? googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret }])
      : microsoftAccounts(sandbox, [XEBIA]);
    const { app } = await openTestApp(yaml, { folder });
    if (isGoogle) await googleSignIn(app, sandbox, 'home', 'you@home.example');
    else await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    await writeAccounts(folder, yaml);
    const { killed, amidst } = await killRounds({
      rounds: PER_VENDOR,
      folder,
      yaml,
      sandbox,
      cacheKey: isGoogle
        ? `${clientId}_home`
        : '11111111-1111-1111-1111-111111111111_22222222-2222-2222-2222-222222222222',
      env: builtEnvironment(folder),
    });
    // Or the kills came too early or too late to prove anything.
    expect(killed).toBeGreaterThan(PER_VENDOR / 2);
    expect(amidst).toBeGreaterThan(PER_VENDOR / 3);
  },
  60_000 + ROUNDS * 1_500,
);
