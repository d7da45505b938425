import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
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

const bin = join(import.meta.dirname, '../../dist/main.js');
const SEALINGS = Math.ceil(ROUNDS / 12);

/** A server that is asked once, and seals what it read when its client leaves. @param leaving called when it has answered */
async function askOnce(
  env: Record<string, string>,
  leaving: (end: () => void, kill: () => void) => void,
): Promise<string> {
  const server = spawn(process.execPath, [bin, 'mcp', '--no-daemon'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void server.kill('SIGKILL'));
  const send = (message: object): void =>
    void server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  const exited = once(server, 'exit');
  let said = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    const had = said.includes('"id":2');
    said += text;
    if (!had && said.includes('"id":2'))
      leaving(
        () => server.stdin.end(),
        () => server.kill('SIGKILL'),
      );
  });
  const clientInfo = { name: 't', version: '0' };
  send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo } });
  send({ method: 'notifications/initialized' });
  send({ id: 2, method: 'tools/call', params: { name: 'list_events', arguments: { range: 'today', detail: 'full' } } });
  await exited;
  return said;
}

test(
  `${SEALINGS} servers killed while they seal what they have read leave nothing that is told, or that stays`,
  async () => {
    const sandbox = await openSandbox();
    const folder = await temporaryFolder();
    const state = join(folder, 'state');
    const yaml = microsoftAccounts(sandbox, [XEBIA]).replace('    cloud:', '    cache: sealed\n    cloud:');
    const { app } = await openTestApp(yaml, { folder });
    await signIn(app, sandbox, 'xebia', 'you@xebia.example');
    await app.close();
    await writeAccounts(folder, yaml);
    await mkdir(state, { recursive: true });
    const env = builtEnvironment(folder);
    const halfWritten = async (): Promise<string[]> =>
      (await readdir(state)).filter((name) => /\.(?:tmp|lock|break)$/.test(name));
    let left = 0;
    for (let round = 0; round < SEALINGS; round++) {
      const said = await askOnce(env, (end, kill) => {
        const watcher = watch(state, (_event, name) => {
          if (!name?.endsWith('.tmp')) return;
          watcher.close();
          setTimeout(kill, Math.random() * 4);
        });
        end();
      });
      expect(said).toMatch(/"complete":true/);
      if ((await halfWritten()).length > 0) left++;
    }
    // Or the kills came too late to prove anything.
    expect(left).toBeGreaterThan(0);
    expect(await askOnce(env, (end) => end())).toMatch(/"complete":true/);
    expect(await halfWritten()).toEqual([]);
    const again = await askOnce(env, (end) => end());
    expect(again).toMatch(/"cached":true/);
  },
  60_000 + SEALINGS * 3_000,
);
