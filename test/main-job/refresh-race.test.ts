/** Two running servers of one person, and one refresh token that may be redeemed once. */
import { expect, test } from 'vitest';
import { type Sandbox, sharedGoogleClient } from '../../src/sandbox/index.ts';
import {
  googleAccounts,
  googleSignIn,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  startMcpServer,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';

const ROUNDS = 50;
const CALLS = 20;

interface Coverage {
  readonly complete: boolean;
  readonly accounts: readonly { readonly status: string }[];
}

interface Vendor {
  /** accounts.yaml, with the account signed in, in `folder`. */
  signIn(sandbox: Sandbox, folder: string): Promise<void>;
  refreshes(sandbox: Sandbox): readonly { readonly outcome: string }[];
}

const VENDORS: Readonly<Record<string, Vendor>> = {
  microsoft: {
    async signIn(sandbox, folder) {
      const yaml = microsoftAccounts(sandbox, [XEBIA]);
      const { app } = await openTestApp(yaml, { folder });
      await signIn(app, sandbox, 'xebia', 'you@xebia.example');
      await writeAccounts(folder, yaml);
    },
    refreshes: ({ redemptions }) => redemptions.filter(({ grant }) => grant === 'refresh_token'),
  },
  google: {
    async signIn(sandbox, folder) {
      const { clientId, clientSecret } = sharedGoogleClient;
      const yaml = googleAccounts(sandbox, [{ id: 'home', clientId, clientSecret }]);
      const { app } = await openTestApp(yaml, { folder });
      await googleSignIn(app, sandbox, 'home', 'you@home.example');
      await writeAccounts(folder, yaml);
    },
    refreshes: ({ google }) => google.redemptions.filter(({ grant }) => grant === 'refresh_token'),
  },
};

test.each(Object.entries(VENDORS))(
  `two processes with ${CALLS} calls each redeem a refresh token of %s once per rotation, ${ROUNDS} times over`,
  async (_name, vendor) => {
    const sandbox = await openSandbox({ googleRotatesRefreshTokens: true });
    const folder = await temporaryFolder();
    await vendor.signIn(sandbox, folder);
    const servers = await Promise.all([startMcpServer(folder), startMcpServer(folder)]);
    for (let round = 1; round <= ROUNDS; round++) {
      sandbox.expireAccessTokens();
      const answers = await Promise.all(
        servers.flatMap((server) =>
          Array.from({ length: CALLS }, () => server.callTool({ name: 'list_events', arguments: { range: 'today' } })),
        ),
      );
      for (const { structuredContent, content } of answers)
        expect(
          (structuredContent as Coverage | undefined)?.accounts[0]?.status,
          JSON.stringify(content).slice(0, 300),
        ).toBe('ok');
      expect(vendor.refreshes(sandbox)).toHaveLength(round);
    }
    expect(new Set(vendor.refreshes(sandbox).map(({ outcome }) => outcome))).toEqual(new Set(['ok']));
  },
  180_000,
);
