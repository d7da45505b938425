/** Whether a question goes through the daemon, and the connection to it. Loads little: `calmcp mcp` comes by here. */
import { setTimeout as pause } from 'node:timers/promises';
import { toCalmcpError } from '../../core/errors.ts';
import type { Logger } from '../../core/provider.ts';
import { type Channel, connectDaemon, type NotConnected, type Session } from '../../io/daemon-connection.ts';
import { type DaemonRecord, matchesSurroundings, readDaemonRecord } from '../../io/daemon-record.ts';
import { isNewer } from '../../io/daemon-version.ts';
import { type Paths, resolvePaths } from '../../io/paths.ts';
import { readTextFile } from '../../io/read-file.ts';
import type { LightShell } from '../shell.ts';

const MAX_CONFIG_BYTES = 1_048_576;
/** One that nobody asked for by hand ends when nobody has asked it anything for so long. */
const IDLE_MINUTES = 30;
/** A service manager starts a daemon again within so many milliseconds. */
const RESTARTED_MS = 3_000;
const LOOK_EVERY_MS = 100;
/** One that a service manager has just started is what that starts: to replace it would bring it again. */
const JUST_STARTED_MS = 600_000;

export interface AttachOptions {
  readonly config?: string | undefined;
  readonly log?: string | undefined;
  /** `--no-daemon` */
  readonly daemon?: boolean | undefined;
}

/** What both ends have to agree on. */
interface Here extends Paths {
  readonly configText: string | undefined;
}

async function hereOf(shell: LightShell, { config }: AttachOptions): Promise<Here> {
  const { env, platform, home, cwd } = shell;
  const paths = resolvePaths({ env, platform, home, cwd, config });
  // One that cannot be read is told where it is used.
  const configText = await readTextFile(paths.configFile, MAX_CONFIG_BYTES).catch(() => undefined);
  return { ...paths, configText };
}

/** Whether this daemon would answer as calmcp does here. */
function isOfHere(record: DaemonRecord, shell: LightShell, { configFile, configText }: Here): boolean {
  const fits = (systemTimeZone: string): boolean =>
    matchesSurroundings(record, { env: shell.env, configFile, configText, systemTimeZone });
  const { likelyTimeZone: likely } = shell;
  return (likely !== undefined && fits(likely)) || fits(shell.systemTimeZone);
}

/** Whether `defaults.daemon` is `auto`. */
async function isAutomatic({ configText = '' }: Here): Promise<boolean> {
  // To read YAML costs more than all the rest of a relay.
  if (!/\bdaemon\b/.test(configText) || !/\bauto\b/.test(configText)) return false;
  const { asksForDaemon } = await import('./asks-for-daemon.ts');
  return asksForDaemon(configText);
}

/** A connection to the daemon that clients here are to use, or why there is none. */
type Outcome = Channel | NotConnected | 'elsewhere';

const REASONS: Readonly<Record<Outcome & string, string>> = {
  nobody: 'none runs',
  silent: 'it does not answer; calmcp daemon stop ends it',
  refused: 'it does not serve such a session',
  elsewhere:
    'it was started with another accounts.yaml, keystore, clock, time zone, or variables that accounts.yaml names',
};

/** The daemon's record as it stands now, and what comes of it. */
async function connectHere(
  shell: LightShell,
  here: Here,
  session: Session,
): Promise<{ readonly record?: DaemonRecord; readonly outcome: Outcome }> {
  const record = await readDaemonRecord(here.stateFolder);
  if (record === undefined) return { outcome: 'nobody' };
  return { record, outcome: isOfHere(record, shell, here) ? await connectDaemon(record, session) : 'elsewhere' };
}

/**
 * A connection to the daemon, where one is to be used. One that is older than this program is replaced, and with `defaults.daemon:
 * auto` one that is missing is started: one try each.
 * @param patienceMs how long one is waited for that may be about to start
 * @returns `undefined`: work alone
 */
export async function attachDaemon(
  shell: LightShell,
  options: AttachOptions,
  session: Omit<Session, 'version'>,
  log: Logger,
  patienceMs = 0,
): Promise<Channel | undefined> {
  if (options.daemon === false) return undefined;
  const here = await hereOf(shell, options);
  const connect = (): ReturnType<typeof connectHere> =>
    connectHere(shell, here, { version: shell.version, ...session });

  let { record, outcome } = await connect();
  const end = performance.now() + Math.max(patienceMs, record?.managed === true ? RESTARTED_MS : 0);
  while (outcome === 'nobody' && performance.now() < end) {
    await pause(LOOK_EVERY_MS);
    ({ record, outcome } = await connect());
  }
  const older =
    record !== undefined && typeof outcome !== 'string' && isNewer(shell.version, record.version) ? record : undefined;
  if (older?.managed === true && Date.now() - Date.parse(older.since) < JUST_STARTED_MS) {
    if (typeof outcome !== 'string') outcome.destroy();
    shell.stderr.write(
      `calmcp: works without its daemon, which is calmcp ${older.version}; to have it start this one: calmcp daemon install\n`,
    );
    return undefined;
  }
  if (older !== undefined || (outcome === 'nobody' && (await isAutomatic(here)))) {
    if (typeof outcome !== 'string') outcome.destroy();
    try {
      const { replaceDaemon, startDaemon } = await import('./lifecycle.ts');
      const start = (await isAutomatic(here)) ? { idleMinutes: IDLE_MINUTES } : {};
      if (older === undefined) await startDaemon(shell, options, start);
      else await replaceDaemon(older, shell, options, start);
    } catch (thrown) {
      shell.stderr.write(`calmcp: works without its daemon: ${toCalmcpError(thrown).message}\n`);
      log.info('the daemon is not used', { error: thrown });
      return undefined;
    }
    ({ record, outcome } = await connect());
  }
  // It costs each of them two seconds.
  if (outcome === 'silent')
    shell.stderr.write('calmcp: works without its daemon, which does not answer: calmcp daemon stop ends it\n');
  if (typeof outcome === 'string') log.info('the daemon is not used', { why: REASONS[outcome] });
  else log.info('the daemon is used', { process: record?.pid, version: record?.version });
  return typeof outcome === 'string' ? undefined : outcome;
}
