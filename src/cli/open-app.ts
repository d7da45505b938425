/** From files and environment to an open app. */
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Config, type ConfigSource, parseConfig } from '../accounts/load.ts';
import { type App, openApp } from '../accounts/registry.ts';
import type { ChildServers } from '../core/child.ts';
import { CalmcpError } from '../core/errors.ts';
import { parseZone } from '../core/time.ts';
import { openChangeStamp } from '../io/change-stamp.ts';
import type { ChildMachine } from '../io/child-connection.ts';
import { createChildServers } from '../io/child-servers.ts';
import { hasBrowser, openBrowser } from '../io/open-browser.ts';
import { type Paths, resolvePaths } from '../io/paths.ts';
import { createReadFile, readTextFile } from '../io/read-file.ts';
import { openSecretStores, type SecretStores } from '../io/secret-store.ts';
import { createSigner } from '../io/signing-key.ts';
import { watchClocks } from '../io/wake.ts';
import { clockOf } from './clock-of.ts';
import { logOf } from './log-of.ts';
import type { Shell } from './shell.ts';

const MAX_CONFIG_BYTES = 1_048_576;
const MAX_REFERENCE_BYTES = 65_536;
/** An unlock prompt of the desktop's keychain may wait for a person during `login`, and for nobody elsewhere. */
const KEYCHAIN_MS = { attended: 120_000, unattended: 5_000 };

export interface GlobalOptions {
  readonly config?: string | undefined;
  readonly log?: string | undefined;
  readonly json?: boolean | undefined;
  readonly timeZone?: string | undefined;
  readonly account?: readonly string[] | undefined;
  /** `--no-daemon` */
  readonly daemon?: boolean | undefined;
  /** Also tell what an answer cost. */
  readonly verbose?: boolean | undefined;
}

export function pathsOf(shell: Shell, options: Pick<GlobalOptions, 'config'>): Paths {
  return resolvePaths({ ...shell, config: options.config });
}

/** The text of accounts.yaml, or `undefined` where there is none. @throws CalmcpError CONFIG_INVALID where it cannot be read */
export function readConfigText({ configFile }: Paths): Promise<string | undefined> {
  return readTextFile(configFile, MAX_CONFIG_BYTES);
}

export async function readConfig(shell: Shell, paths: Paths, named: boolean): Promise<Config> {
  const { configFile } = paths;
  const text = await readConfigText(paths);
  if (text === undefined)
    throw new CalmcpError('CONFIG_INVALID', `there is no ${configFile}`, {
      hint: `run: calmcp init${named ? ` --config ${configFile}` : ''}, or try it all without accounts: calmcp demo`,
    });
  return parseConfigText(shell, paths, text);
}

/** @param onMissing see {@link ConfigSource} */
export function parseConfigText(
  shell: Shell,
  { configFile }: Paths,
  text: string,
  onMissing?: ConfigSource['onMissing'],
): Config {
  const readReference = (path: string): string | undefined => {
    const target = resolve(dirname(configFile), path);
    try {
      const info = statSync(target);
      // A pipe would be waited for, and nothing could end that.
      return info.isFile() && info.size <= MAX_REFERENCE_BYTES ? readFileSync(target, 'utf8') : undefined;
    } catch {
      return undefined;
    }
  };
  return parseConfig({ name: configFile, text, env: shell.env, readReference, onMissing }, shell.providers);
}

async function readPassphrase({ env, cwd }: Shell): Promise<string> {
  if (env.CALMCP_PASSPHRASE) return env.CALMCP_PASSPHRASE;
  const path = env.CALMCP_PASSPHRASE_FILE;
  if (!path)
    throw new CalmcpError('CONFIG_INVALID', 'CALMCP_KEYSTORE=passphrase needs a passphrase', {
      hint: 'set CALMCP_PASSPHRASE_FILE (better) or CALMCP_PASSPHRASE',
    });
  try {
    return (await readFile(resolve(cwd, path), 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    throw new CalmcpError('CONFIG_INVALID', `the file of CALMCP_PASSPHRASE_FILE (${path}) cannot be read`, { cause });
  }
}

export function openSecrets(shell: Shell, { stateFolder }: Paths, attended: boolean): SecretStores {
  const keystore = shell.env.CALMCP_KEYSTORE || 'keychain';
  if (keystore !== 'keychain' && keystore !== 'passphrase' && keystore !== 'keyfile')
    throw new CalmcpError('CONFIG_INVALID', 'CALMCP_KEYSTORE is not one of keychain, passphrase, keyfile');
  return openSecretStores({
    folder: stateFolder,
    keystore,
    passphrase: () => readPassphrase(shell),
    keychainTimeLimitMs: attended ? KEYCHAIN_MS.attended : KEYCHAIN_MS.unattended,
  });
}

/** accounts.yaml as it stands now. @throws CalmcpError CONFIG_INVALID */
export async function loadConfig(shell: Shell, options: Pick<GlobalOptions, 'config'>): Promise<Config> {
  const config = await readConfig(shell, pathsOf(shell, options), options.config !== undefined);
  if (config.defaults.timeZone === undefined && parseZone(shell.systemTimeZone) === null)
    throw new CalmcpError('CONFIG_INVALID', 'the time zone of this system is not known', {
      hint: 'set TZ to one such as Europe/Amsterdam, or defaults.timeZone in accounts.yaml',
    });
  return config;
}

/** What child servers are started with. */
export function machineOf({ env, packageFolder, version }: Shell): ChildMachine {
  return { env, from: join(packageFolder, 'package.json'), version };
}

export interface OpenOptions {
  /** A person sits in front of it who may be asked to unlock a keychain. */
  readonly attended?: boolean;
  /** Sees what the accounts do with their child servers. */
  readonly watch?: (children: ChildServers) => ChildServers;
  /** It answers many questions: what is read for one is kept for the next. */
  readonly keeps?: boolean;
}

export async function openAppFor(
  shell: Shell,
  options: GlobalOptions,
  { attended = false, watch = (children) => children, keeps = false }: OpenOptions = {},
): Promise<App> {
  const paths = pathsOf(shell, options);
  const log = logOf(shell, options);
  const now = clockOf(shell);
  const secrets = openSecrets(shell, paths, attended);
  return openApp({
    config: await loadConfig(shell, options),
    secrets: (cacheKey) => secrets.scope(cacheKey),
    fetch: shell.fetch,
    readFile: createReadFile(dirname(paths.configFile)),
    now,
    systemTimeZone: shell.systemTimeZone,
    log,
    sign: createSigner(paths.stateFolder),
    changes: openChangeStamp(paths.stateFolder),
    keeping: keeps
      ? { monotonic: () => performance.now(), wall: () => Date.now(), watchClocks: (onJump) => watchClocks({ onJump }) }
      : undefined,
    openBrowser: async (url) => hasBrowser(shell) && openBrowser(url, shell),
    children: watch(createChildServers({ stateFolder: paths.stateFolder, machine: machineOf(shell), log })),
  });
}
