import { type ExecFileException, execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

// A real gnome-keyring on a D-Bus session bus of its own, in a home of its own: nothing of the developer's is touched.

const isInstalled = (program: string, ...args: string[]) => {
  try {
    execFileSync(program, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

const NEEDED = ['dbus-run-session', 'gnome-keyring-daemon', 'dbus-send'];
const missing = NEEDED.filter((program) => !isInstalled('which', program));
const hasSecretTool = isInstalled('which', 'secret-tool');
const isCi = Boolean(process.env.CI);
const reason = missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} not installed)`;

const CACHE_KEY = 'client-1_tenant-1';
const SEALED = `${createHash('sha256').update(CACHE_KEY).digest('hex')}.sealed`;
const SECRET_TOOL = `secret-tool lookup service calmcp username ${CACHE_KEY}`;

/** Starts the daemon with its keyring open and waits until it is on the bus; its process id is in $G. */
const WITH_KEYRING = `
printf ci-password | gnome-keyring-daemon --unlock --components=secrets --foreground >/dev/null 2>&1 & G=$!
trap 'kill -CONT $G; kill $G' EXIT
for i in $(seq 50); do
  dbus-send --session --print-reply --dest=org.freedesktop.DBus / org.freedesktop.DBus.NameHasOwner \
    string:org.freedesktop.secrets 2>/dev/null | grep -q true && break
  sleep .1
done
`;

interface Step {
  readonly step: string;
  readonly result?: unknown;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly cause?: string;
  readonly tookMs: number;
  readonly longestPauseMs: number;
  readonly files: readonly string[];
}

const bundleFolder = fileURLToPath(new URL('../../node_modules/.cache/calmcp-test/', import.meta.url));
const bundle = join(bundleFolder, `keychain-${process.pid}.mjs`);
let home: string;
let folder: string;

/** Runs a program without the developer's own bus. Rejects with its stderr when it fails. */
function run(program: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Promise<string> {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    XDG_RUNTIME_DIR: join(home, 'run'),
    XDG_DATA_HOME: join(home, 'data'),
    XDG_CACHE_HOME: join(home, 'cache'),
    XDG_CONFIG_HOME: join(home, 'config'),
    STEPS: `${process.execPath} ${bundle} ${folder}`,
    ...more,
  };
  if (!('DBUS_SESSION_BUS_ADDRESS' in more)) delete environment.DBUS_SESSION_BUS_ADDRESS;
  delete environment.DISPLAY;
  delete environment.WAYLAND_DISPLAY;
  delete environment.NODE_OPTIONS;
  return new Promise((resolve, reject) => {
    execFile(program, args, { env: environment, timeout: 25_000 }, (error: ExecFileException | null, stdout, stderr) =>
      error === null ? resolve(stdout) : reject(new Error(`${error.message}\n${stderr}`)),
    );
  });
}

const inSession = (script: string, more?: NodeJS.ProcessEnv) =>
  run('dbus-run-session', ['--', 'bash', '-c', script], more);
const withKeyring = (script: string, more?: NodeJS.ProcessEnv) => inSession(WITH_KEYRING + script, more);
/** Runs `names` on a bare bus: whatever services this machine has are not on it. */
async function onBus(policy: string, names: readonly string[], more?: NodeJS.ProcessEnv): Promise<string> {
  const configuration = join(home, 'bus.conf');
  await writeFile(
    configuration,
    `<busconfig><type>session</type><listen>unix:tmpdir=${home}</listen>
    <policy context="default"><allow send_destination="*"/><allow own="*"/>${policy}</policy></busconfig>`,
  );
  const session = [`--config-file=${configuration}`, '--', process.execPath, bundle, folder, ...names];
  return run('dbus-run-session', session, more);
}

const steps = (output: string): Step[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Step);

describe.skipIf(missing.length > 0 && !isCi)(`the keychain keystore on a real Secret Service${reason}`, () => {
  beforeAll(async () => {
    expect(missing, 'CI must run this suite: apt-get install gnome-keyring libsecret-tools dbus').toEqual([]);
    await build({
      entryPoints: [fileURLToPath(new URL('keychain-script.ts', import.meta.url))],
      outfile: bundle,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      packages: 'external',
      logLevel: 'error',
    });
  });

  afterAll(() => rm(bundle, { force: true }));

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), 'calmcp-keychain-'));
    for (const name of ['run', 'data', 'cache', 'config']) await mkdir(join(home, name), { mode: 0o700 });
    folder = join(home, 'state');
  });

  afterEach(() => rm(home, { recursive: true, force: true }));

  it('gives a second process the 20 KB that a first one saved, under one key made once', async () => {
    const output = await withKeyring(`
      $STEPS save save load
      ${hasSecretTool ? `echo "key=$(${SECRET_TOOL})"` : ''}
      $STEPS load save load
      ${hasSecretTool ? `echo "key=$(${SECRET_TOOL})"` : ''}
    `);

    const results = steps(output).map(({ result, message }) => message ?? result);
    expect(results).toEqual([20_413, 20_413, 'the value', 'the value', 20_413, 'the value']);
    const [saved] = steps(output);
    expect(saved?.files).toEqual([SEALED]);
    expect((await readFile(join(folder, SEALED))).includes('token ')).toBe(false);
    if (hasSecretTool) {
      const keys = output.split('\n').filter((line) => line.startsWith('key='));
      expect(keys).toHaveLength(2);
      expect(keys[0]).toMatch(/^key=[A-Za-z0-9+/]{43}=$/);
      expect(keys[1]).toBe(keys[0]);
    }
  });

  it('adopts one key when several processes save for the first time at once', async () => {
    const output = await withKeyring(`
      for i in 1 2 3 4; do $STEPS save > ${home}/save$i & P="$P $!"; done
      wait $P
      cat ${home}/save*
      $STEPS load
    `);
    expect(steps(output).map(({ result, message }) => message ?? result)).toEqual([
      ...Array(4).fill(20_413),
      'the value',
    ]);
  });

  it('deletes file and key on removal, and signs in afresh after that', async () => {
    const output = await withKeyring(`
      $STEPS save remove load remove
      ${hasSecretTool ? `${SECRET_TOOL} && echo still there` : ''}
      $STEPS load save load
    `);
    expect(steps(output).map(({ result, message }) => message ?? result)).toEqual([
      20_413,
      'removed',
      'nothing',
      'removed',
      'nothing',
      20_413,
      'the value',
    ]);
    expect(output).not.toContain('still there');
  });

  it.runIf(hasSecretTool)('says "key lost" when the file has no key, and makes no other until removal', async () => {
    const output = await withKeyring(`
      $STEPS save
      secret-tool clear service calmcp username ${CACHE_KEY}
      $STEPS load save
      ${SECRET_TOOL} && echo a key was made
      $STEPS remove save load
    `);
    const [, load, save, ...after] = steps(output);
    for (const refused of [load, save]) {
      expect(refused).toMatchObject({
        code: 'AUTH_REQUIRED',
        message: expect.stringMatching(/^key lost: .*client-1_tenant-1\)$/),
        hint: expect.stringContaining('calmcp logout --account'),
        files: [SEALED],
      });
    }
    expect(output).not.toContain('a key was made');
    expect(after.map(({ result }) => result)).toEqual(['removed', 20_413, 'the value']);
  });

  it.runIf(hasSecretTool)('refuses an entry that is no key, without showing it', async () => {
    const output = await withKeyring(`
      printf not-a-key | secret-tool store --label=x service calmcp username ${CACHE_KEY}
      $STEPS save
    `);
    const [refused] = steps(output);
    expect(refused).toMatchObject({ code: 'AUTH_REQUIRED', files: [] });
    expect(output).not.toContain('not-a-key');
  });

  it('can be probed without leaving an entry', async () => {
    const output = await withKeyring(`
      $STEPS probe
      ${hasSecretTool ? 'secret-tool search --all service calmcp 2>&1' : ''}
    `);
    expect(steps(output)).toMatchObject([{ result: 'fine', files: [] }]);
    expect(output).not.toContain('probe-');
  });

  it.each([
    ['no D-Bus address', {}],
    ['a D-Bus address that nobody listens on', { DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent/bus' }],
  ])('with %s says so within a second, names the choices and writes nothing', async (_, environment) => {
    const output = await run(process.execPath, [bundle, folder, 'probe', 'save'], environment);

    expect(steps(output)).toHaveLength(2);
    for (const step of steps(output)) {
      expect(step).toMatchObject({
        code: 'UNAVAILABLE',
        message: 'no keychain is reachable (no D-Bus session)',
        hint: expect.stringContaining('CALMCP_KEYSTORE=passphrase or keyfile'),
        files: [],
      });
      expect(step.tookMs).toBeLessThan(1_000);
    }
  });

  it('on a bus without any keyring service says so and writes nothing', async () => {
    const output = await onBus('<allow eavesdrop="true"/>', ['probe', 'save']);
    const refusal = {
      code: 'UNAVAILABLE',
      message: 'no keychain is reachable (no keyring service is running)',
      files: [],
    };
    expect(steps(output)).toMatchObject([refusal, refusal]);
  });

  it('on a bus that never answers gives up in time, keeps ticking and can end the process', async () => {
    // Nobody may receive anything on this bus, not even the answer to "hello".
    const started = performance.now();
    const output = await onBus('', ['probe', 'save'], { TIME_LIMIT_MS: '500' });

    for (const step of steps(output)) {
      expect(step).toMatchObject({ code: 'UNAVAILABLE', message: 'the keychain did not answer', files: [] });
      expect(step.tookMs).toBeLessThan(1_500);
      expect(step.longestPauseMs).toBeLessThan(400);
    }
    expect(steps(output)).toHaveLength(2);
    expect(performance.now() - started).toBeLessThan(6_000);
  });

  it('with a daemon but no keyring yet says so and writes nothing', async () => {
    const output = await inSession(`
      gnome-keyring-daemon --components=secrets --foreground >/dev/null 2>&1 & G=$!
      trap 'kill $G' EXIT
      sleep 1
      $STEPS probe save
    `);
    expect(steps(output)).toMatchObject([
      { code: 'UNAVAILABLE', message: 'no keychain is reachable (there is no keyring yet)', files: [] },
      { code: 'UNAVAILABLE', message: 'no keychain is reachable (there is no keyring yet)', files: [] },
    ]);
  });

  it('with a locked keyring fails to load and to save, and keeps the file', async () => {
    await withKeyring('$STEPS save');
    const before = await readFile(join(folder, SEALED));
    const output = await inSession(`
      gnome-keyring-daemon --components=secrets --foreground >/dev/null 2>&1 & G=$!
      trap 'kill $G' EXIT
      sleep 1
      $STEPS load save
    `);
    for (const step of steps(output)) {
      expect(step).toMatchObject({
        code: 'UNAVAILABLE',
        message: expect.stringContaining('it is locked'),
        files: [SEALED],
      });
    }
    expect(steps(output)).toHaveLength(2);
    expect(await readFile(join(folder, SEALED))).toEqual(before);
  });

  it.each([
    ["the library's limit of 2 s", undefined, 4_000],
    ['ours', '700', 1_500],
  ])('with a hung daemon gives up after %s, while the event loop keeps ticking', async (_, timeLimit, atMostMs) => {
    const started = performance.now();
    const output = await withKeyring(
      `
      $STEPS save
      kill -STOP $G
      $STEPS load
      kill -CONT $G
      $STEPS load
    `,
      timeLimit === undefined ? {} : { TIME_LIMIT_MS: timeLimit },
    );

    const [saved, hung, after] = steps(output);
    expect(saved?.result).toBe(20_413);
    expect(hung).toMatchObject({ code: 'UNAVAILABLE', message: 'the keychain did not answer', files: [SEALED] });
    expect(hung?.tookMs).toBeLessThan(atMostMs);
    expect(hung?.longestPauseMs).toBeLessThan(400);
    expect(after?.result).toBe('the value');
    // A helper that is still stuck must not hold the process.
    expect(performance.now() - started).toBeLessThan(12_000);
  });
});
