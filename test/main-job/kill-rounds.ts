/**
 * Kills a process at random moments while it refreshes tokens, and looks at what it leaves: run by
 * test/main-job/killed.test.ts for some rounds and by scripts/kill-rounds.mjs for many.
 */
import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openSecretStores } from '../../src/io/secret-store.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import type { Sandbox } from '../../src/sandbox/index.ts';
import { openTestApp } from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');

export interface KillOptions {
  readonly rounds: number;
  readonly folder: string;
  readonly yaml: string;
  readonly sandbox: Sandbox;
  readonly cacheKey: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface KillOutcome {
  /** Killed before they ended by themselves. */
  readonly killed: number;
  /** Killed within 40 ms of asking for a token: while the answer was under way, sealed or written. */
  readonly amidst: number;
}

const isTokenRequest = ({ path }: { readonly path: string }): boolean => path.endsWith('/token');

export async function killRounds({ rounds, folder, yaml, sandbox, cacheKey, env }: KillOptions): Promise<KillOutcome> {
  let killed = 0;
  let amidst = 0;
  for (let round = 0; round < rounds; round++) {
    sandbox.expireAccessTokens();
    const before = sandbox.requests.filter(isTokenRequest).length;
    const running = spawn(process.execPath, [bin, 'agenda', 'today'], { env, stdio: 'ignore' });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      running.once('exit', (_code, signal) => resolve(signal)),
    );
    let asked = false;
    const kill = (): void => void running.kill('SIGKILL');
    // Every fourth one at any moment of its life, the others just when they have asked for a token.
    const anyTime = round % 4 === 0 ? setTimeout(kill, 50 + Math.random() * 350) : undefined;
    const watch = setInterval(() => {
      if (asked || sandbox.requests.filter(isTokenRequest).length === before) return;
      asked = true;
      if (anyTime === undefined) setTimeout(kill, Math.random() * 40);
    }, 1);
    if ((await ended) === 'SIGKILL') {
      killed++;
      if (asked) amidst++;
    }
    clearInterval(watch);
    clearTimeout(anyTime);
    // The cache is the old or the new one, whole: it opens, and holds a record.
    const stores = openSecretStores({ folder: join(folder, 'state'), keystore: 'keyfile' });
    JSON.parse((await stores.scope(cacheKey).load()) ?? '');
    if (round % 20 === 19 || round === rounds - 1) {
      const { app } = await openTestApp(yaml, { folder });
      const { complete } = await listEvents.run(
        app,
        { range: 'today', detail: 'full' },
        { signal: new AbortController().signal },
      );
      if (!complete) throw new Error(`after round ${round} the account does not work`);
      await app.close();
    }
  }
  // The lock of the last one that was killed has been taken over, and its half-written files are gone.
  const left = (await readdir(join(folder, 'state'))).filter(
    (name) => !/^(?:keyfile|[0-9a-f]{64}\.sealed)$/.test(name),
  );
  if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`);
  return { killed, amidst };
}
