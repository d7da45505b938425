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

/** @returns how many of the processes were killed before they ended by themselves */
export async function killRounds({ rounds, folder, yaml, sandbox, cacheKey, env }: KillOptions): Promise<number> {
  let killed = 0;
  // Long enough for most to be killed at work, short enough for a few to come to their end.
  const longest = 450;
  for (let round = 0; round < rounds; round++) {
    sandbox.expireAccessTokens();
    const running = spawn(process.execPath, [bin, 'agenda', 'today'], { env, stdio: 'ignore' });
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      running.once('exit', (_code, signal) => resolve(signal)),
    );
    const timer = setTimeout(() => running.kill('SIGKILL'), 100 + Math.random() * (longest - 100));
    if ((await ended) === 'SIGKILL') killed++;
    clearTimeout(timer);
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
  return killed;
}
