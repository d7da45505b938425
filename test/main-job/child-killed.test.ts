import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isPortFree } from '../../src/io/port-owner.ts';
import { childLine } from '../children.ts';
import {
  builtEnvironment,
  MARIMER,
  microsoftAccounts,
  openSandbox,
  openTestApp,
  signIn,
  temporaryFolder,
  writeAccounts,
  XEBIA,
} from '../harness.ts';
import { childKillRounds } from './child-kill-rounds.ts';

/** In all; `node scripts/child-kill-rounds.mjs 1000` does more. */
const ROUNDS = Number(process.env.CALMCP_CHILD_KILL_ROUNDS ?? 300);
/** Of these with the real package, which takes its time to start. */
const REAL_ROUNDS = Math.ceil(ROUNDS / 30);
const PLAYED_ROUNDS = Math.ceil((ROUNDS - REAL_ROUNDS) / 2);

const played = join(import.meta.dirname, '../fakes/child-server.mjs');

/** One that the system gives to no passing connection of others: theirs begin at 32,768. */
async function quietPort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (await isPortFree(port)) return port;
  }
}

/** A played package, which starts quickly. */
const playedAccount = (child: string): string => `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  work:
    provider: microsoft
    clientId: 11111111-1111-1111-1111-111111111111
    tenantId: ${XEBIA.tenantId}
    tokenCommand: [echo, token]
    child: { ${child}, command: [${JSON.stringify(process.execPath)}, ${JSON.stringify(played)}, --delay, "30"] }
`;

describe.skipIf(process.platform !== 'linux')(
  'servers and calmcp killed at random moments (Linux tells what runs)',
  () => {
    test.each(['pipes', 'a port'])(
      `${PLAYED_ROUNDS} rounds with a server on %s leave no process, no folder and no port behind`,
      async (way) => {
        const folder = await temporaryFolder();
        const port = await quietPort();
        const yaml = playedAccount(way === 'pipes' ? 'transport: stdio' : `port: ${port}`);
        await writeAccounts(folder, yaml);
        const rounds = PLAYED_ROUNDS;
        const setting = { rounds, folder, yaml, env: builtEnvironment(folder), ports: [port], typicalMs: 700 };
        const { killed } = await childKillRounds(setting);
        // Or the kills came too late to prove anything.
        expect(killed).toBeGreaterThan(rounds / 8);
      },
      60_000 + ROUNDS * 3_000,
    );

    test(
      `${REAL_ROUNDS} rounds with the real package do neither`,
      async () => {
        const sandbox = await openSandbox();
        const folder = await temporaryFolder();
        const port = await quietPort();
        const [pipes, http] = [XEBIA, MARIMER].map((account) => microsoftAccounts(sandbox, [account]).trimEnd());
        const yaml = `${pipes}\n    ${childLine('ms-365', sandbox, { transport: 'stdio' })}${http?.split('accounts:')[1]}\n    ${childLine('ms-365', sandbox, { port })}\n`;
        const { app } = await openTestApp(yaml, { folder });
        await signIn(app, sandbox, 'xebia', 'you@xebia.example');
        await signIn(app, sandbox, 'marimer', 'you@marimer.example');
        await app.close();
        await writeAccounts(folder, yaml);
        const setting = {
          rounds: REAL_ROUNDS,
          folder,
          yaml,
          env: builtEnvironment(folder),
          ports: [port],
          typicalMs: 2_500,
        };
        const { killed } = await childKillRounds(setting);
        expect(killed).toBeGreaterThan(0);
      },
      60_000 + ROUNDS * 1_000,
    );
  },
);
