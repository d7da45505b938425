/** What `calmcp doctor` looks at on this machine: no account is asked. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { findClearSecrets } from '../accounts/fields.ts';
import type { Config } from '../accounts/load.ts';
import { isLockLeftBehind } from '../io/lock.ts';
import type { Paths } from '../io/paths.ts';
import { quoted, requirePrivateFolder } from '../io/private-file.ts';
import type { SecretStores } from '../io/secret-store.ts';
import { readConfigText } from './open-app.ts';
import { failedProbe, type Probe } from './probe.ts';
import type { Shell } from './shell.ts';

/** As in package.json. */
const LEAST_NODE = [20, 19] as const;
/** A file that is being written is there for less than a second. */
const LEFT_BEHIND_MS = 10 * 60_000;

export function probeNode(version: string): Probe {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1]);
  if (fits) return { name: 'node', state: 'ok', message: `Node.js ${version}` };
  return {
    name: 'node',
    state: 'fail',
    message: `Node.js ${version} is too old: calmcp needs ${LEAST_NODE.join('.')} or later`,
    hint: 'install a current one: https://nodejs.org',
    code: 'INTERNAL',
  };
}

export function describeConfig({ accounts }: Config, { configFile }: Paths): Probe {
  const count = `${accounts.length} account${accounts.length === 1 ? '' : 's'}`;
  return accounts.length === 0
    ? {
        name: 'config',
        state: 'warn',
        message: `${configFile} names no accounts yet`,
        hint: 'run: calmcp accounts add',
      }
    : { name: 'config', state: 'ok', message: `${configFile}: ${count}` };
}

/** Who may read and change accounts.yaml. */
export async function probeConfigFile(shell: Shell, paths: Paths): Promise<Probe> {
  const name = 'config file';
  const { configFile } = paths;
  if (shell.platform === 'win32') return { name, state: 'skipped', message: 'Windows keeps access lists, not modes' };
  try {
    const text = await readConfigText(paths);
    if (text === undefined) return { name, state: 'skipped', message: 'there is none yet' };
    const { mode, uid } = await stat(configFile);
    const folder = await stat(dirname(configFile));
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    const own = process.getuid?.();
    if (own !== undefined && uid !== own && uid !== 0)
      return {
        name,
        state: 'warn',
        message: `${configFile} belongs to another user, who can change where calmcp sends your tokens`,
        hint: `run: sudo chown "$(id -u)" ${quoted(configFile)}`,
      };
    if ((mode & 0o022) !== 0)
      return {
        name,
        state: 'warn',
        message: `other users of this machine may change ${configFile} (${octal}), and with it where calmcp sends your tokens`,
        hint: `run: chmod 600 ${quoted(configFile)}`,
      };
    if ((folder.mode & 0o002) !== 0 && (folder.mode & 0o1000) === 0)
      return {
        name,
        state: 'warn',
        message: `every user of this machine may replace files in ${dirname(configFile)}`,
        hint: `run: chmod go-w ${quoted(dirname(configFile))}`,
      };
    const secrets = findClearSecrets(text, shell.providers);
    const places = secrets.map(({ account, field }) => `${field} of ${account}`).join(', ');
    if (secrets.length > 0 && (mode & 0o044) !== 0)
      return {
        name,
        state: 'warn',
        message: `${configFile} can be read by other users (${octal}) and holds in clear: ${places}`,
        hint: `run: chmod 600 ${quoted(configFile)}`,
      };
    const remark = secrets.length === 0 ? 'no secret in clear' : `in clear, for you alone: ${places}`;
    return { name, state: 'ok', message: `mode ${octal}, ${remark}` };
  } catch (thrown) {
    return failedProbe(name, thrown);
  }
}

export async function probeStateFolder({ stateFolder }: Paths): Promise<Probe> {
  const name = 'state folder';
  try {
    await requirePrivateFolder(stateFolder);
    const files = await readdir(stateFolder).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code === 'ENOENT') return undefined;
      throw thrown;
    });
    if (files === undefined) return { name, state: 'ok', message: `${stateFolder} is made at the first sign-in` };
    return { name, state: 'ok', message: `${stateFolder}, for you alone` };
  } catch (thrown) {
    if (['EACCES', 'EPERM'].includes((thrown as NodeJS.ErrnoException).code ?? ''))
      return {
        name,
        state: 'fail',
        message: `${stateFolder} may not be read`,
        hint: `run: chmod 700 ${quoted(stateFolder)}`,
        code: 'CONFIG_INVALID',
      };
    return failedProbe(name, thrown);
  }
}

/** Locks and half-written files of a calmcp that was killed. */
export async function probeLeftovers({ stateFolder }: Paths): Promise<Probe> {
  const name = 'leftovers';
  const files = await readdir(stateFolder).catch(() => []);
  const left: string[] = [];
  for (const file of files) {
    const path = join(stateFolder, file);
    if (/\.lock(?:\.break)?$/.test(file) && (await isLockLeftBehind(path).catch(() => false))) left.push(path);
    if (!file.endsWith('.tmp')) continue;
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
    if (Date.now() - mtimeMs > LEFT_BEHIND_MS) left.push(path);
  }
  if (left.length === 0) return { name, state: 'ok', message: 'nothing of an earlier run lies about' };
  return {
    name,
    state: 'warn',
    message: `an earlier run was cut short and left ${left.map((path) => basename(path)).join(', ')}; that does no harm`,
    hint: `run: rm ${left.map(quoted).join(' ')}`,
  };
}

const TRIED: Readonly<Record<string, string>> = {
  keychain: 'the keychain kept, gave back and deleted an entry',
  passphrase: 'the passphrase is there and the right one',
  keyfile: 'the key file can be used',
};

/** @param needed whether an account has something to seal */
export async function probeKeystore(shell: Shell, open: () => SecretStores, needed: boolean): Promise<Probe> {
  const name = 'keystore';
  try {
    await open().probe();
    return { name, state: 'ok', message: TRIED[shell.env.CALMCP_KEYSTORE || 'keychain'] ?? 'it can be used' };
  } catch (thrown) {
    const failed = failedProbe(name, thrown);
    if (needed) return failed;
    const { code: _code, ...probe } = failed;
    return { ...probe, state: 'warn', message: `${probe.message}; no account needs it so far` };
  }
}
