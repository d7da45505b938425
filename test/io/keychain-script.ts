// Bundled by keychain.test.ts and run by plain Node inside a D-Bus session of its own: `node … FOLDER STEP…`. Prints one
// line of JSON per step.
import { readdir } from 'node:fs/promises';
import { CalmcpError } from '../../src/core/errors.ts';
import { openSecretStores, type SecretStores } from '../../src/io/secret-store.ts';

const CACHE_KEY = 'client-1_tenant-1';

/** About what three accounts' tokens take. */
const VALUE = JSON.stringify({ tokens: 'token '.repeat(3_400) });

const steps: Readonly<Record<string, (stores: SecretStores) => Promise<unknown>>> = {
  async save(stores) {
    await stores.scope(CACHE_KEY).save(VALUE);
    return VALUE.length;
  },
  async load(stores) {
    const value = await stores.scope(CACHE_KEY).load();
    return value === VALUE ? 'the value' : (value ?? 'nothing');
  },
  async remove(stores) {
    await stores.scope(CACHE_KEY).remove();
    return 'removed';
  },
  async probe(stores) {
    await stores.probe();
    return 'fine';
  },
};

const [folder = '', ...names] = process.argv.slice(2);
const timeLimit = process.env.TIME_LIMIT_MS;
const stores = openSecretStores({
  folder,
  keystore: 'keychain',
  keychainTimeLimitMs: timeLimit === undefined ? undefined : Number(timeLimit),
});

for (const name of names) {
  const started = performance.now();
  let last = started;
  let longestPauseMs = 0;
  const ticker = setInterval(() => {
    longestPauseMs = Math.max(longestPauseMs, performance.now() - last);
    last = performance.now();
  }, 10);
  let outcome: Record<string, unknown>;
  try {
    outcome = { result: await steps[name]?.(stores) };
  } catch (error) {
    if (!(error instanceof CalmcpError)) throw error;
    outcome = { code: error.code, message: error.message, hint: error.hint, cause: String(error.cause) };
  }
  clearInterval(ticker);
  const tookMs = performance.now() - started;
  longestPauseMs = Math.max(longestPauseMs, performance.now() - last);
  const files = await readdir(folder).catch(() => []);
  process.stdout.write(`${JSON.stringify({ step: name, ...outcome, tookMs, longestPauseMs, files })}\n`);
}
