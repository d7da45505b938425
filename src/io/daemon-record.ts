/** Which daemon serves a state folder, as it says itself. Loads next to nothing: every command looks here first. */
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readPrivateFile } from './private-file.ts';
import { exists, processOf } from './process-table.ts';

export interface DaemonRecord {
  readonly pid: number;
  /** As {@link processOf} tells; `null` in a system that does not. */
  readonly started: string | null;
  /** Of the program. */
  readonly version: string;
  /** Path of a Unix socket, or name of a named pipe. */
  readonly socket: string;
  readonly configFile: string;
  /** See {@link matchesSurroundings}. */
  readonly surroundings: string;
  /** Whether systemd, launchd or the like started it, and will do so again. */
  readonly managed: boolean;
  /** RFC 3339 */
  readonly since: string;
}

export const recordPath = (stateFolder: string): string => join(stateFolder, 'daemon.json');

function isRecord(value: unknown): value is DaemonRecord {
  const { pid, started, managed, ...texts } = (value ?? {}) as Partial<Record<keyof DaemonRecord, unknown>>;
  const { version, socket, configFile, surroundings, since } = texts;
  return (
    Number.isSafeInteger(pid) &&
    (pid as number) > 0 &&
    (started === null || typeof started === 'string') &&
    typeof managed === 'boolean' &&
    [version, socket, configFile, surroundings, since].every((text) => typeof text === 'string' && text !== '')
  );
}

/**
 * @returns `undefined` where there is none, and where it cannot be read or was not written by us alone: one who may write it
 *   could have us ask a daemon of their own
 */
export async function readDaemonRecord(stateFolder: string): Promise<DaemonRecord | undefined> {
  try {
    const value: unknown = JSON.parse((await readPrivateFile(recordPath(stateFolder)))?.toString('utf8') ?? 'null');
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** When this process, or another one, was started; `null` where the system does not tell, or it is gone. */
export async function startOf(pid: number): Promise<string | null> {
  return (await processOf(pid))?.started ?? null;
}

/**
 * Whether its process still runs, and not another one that was given its number. Says nothing of whether it answers. In a
 * system that does not tell when a process started, the number alone has to do: nothing may be ended on that ground.
 */
export async function isDaemonAlive({ pid, started }: Pick<DaemonRecord, 'pid' | 'started'>): Promise<boolean> {
  return started === null ? exists(pid) : (await startOf(pid)) === started;
}

/** What decides which accounts a question is asked of, and by which clock. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly configFile: string;
  /** `undefined` where there is no such file. */
  readonly configText: string | undefined;
  readonly systemTimeZone: string;
}

/** The variables that accounts.yaml names. Comments count as well: one too many only costs a daemon. */
function namedVariables(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/\$\{ENV:([^}]*)\}/g)].map(([, name]) => name ?? ''))].sort();
}

/** What differs from one window to the next, and decides nothing. */
const PASSING =
  /^(?:_|\w*PWD|SHLVL|(?:COLOR)?TERM\w*|COLUMNS|LINES|WINDOW\w*|STY|TMUX\w*|SSH_\w+|XDG_(?:SESSION|SEAT|VTNR)\w*|(?:WAYLAND_)?DISPLAY|DBUS_\w+|VTE_VERSION|PS\d|PROMPT\w*|HIST\w+|npm_\w+|VSCODE_\w+|CALMCP_(?:LOG|HOME|CONFIG|PASSPHRASE\w*))$/;

/** Whose token a program of the person's own hands out may hang on any variable: `AZURE_CONFIG_DIR`, `CLOUDSDK_CONFIG`, its own. */
function variablesFor({ env, configText = '' }: Surroundings): readonly string[] {
  const all = /\btokenCommand\b/.test(configText) ? Object.keys(env).filter((name) => !PASSING.test(name)) : [];
  return [...new Set(['CALMCP_NOW', 'CALMCP_KEYSTORE', ...namedVariables(configText), ...all.sort()])];
}

function fingerprint(salt: string, surroundings: Surroundings): string {
  const { env, configFile, systemTimeZone } = surroundings;
  const variables = variablesFor(surroundings);
  // An empty variable and none mean the same to calmcp.
  const facts = [configFile, systemTimeZone, variables.map((name) => [name, env[name] || null])];
  return createHash('sha256').update(salt).update(JSON.stringify(facts)).digest('hex').slice(0, 8);
}

/** `salt:hash`. Cut short, as values of variables may be secrets: too many others would fit as well to find one by trying. */
export function surroundingsOf(input: Surroundings, salt: string = randomBytes(12).toString('hex')): string {
  return `${salt}:${fingerprint(salt, input)}`;
}

/**
 * Whether this daemon would answer as calmcp does here. Where not it must not be asked: its answers would be of other accounts,
 * or of another day.
 */
export function matchesSurroundings(
  { surroundings }: Pick<DaemonRecord, 'surroundings'>,
  input: Surroundings,
): boolean {
  const [salt = '', hash] = surroundings.split(':');
  return hash === fingerprint(salt, input);
}
