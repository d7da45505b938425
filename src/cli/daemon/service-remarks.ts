/** What a person must know who has calmcp run as a service. */
import { CalmcpError } from '../../core/errors.ts';
import type { Paths } from '../../io/paths.ts';
import { quoted, readPrivateFile } from '../../io/private-file.ts';
import { parseConfigText, readConfigText } from '../open-app.ts';
import type { Shell } from '../shell.ts';
import type { SystemService } from './service.ts';
import { pathWarnings, proxiesWithPassword, type ServiceProgram } from './service-program.ts';
import { secretsFile, UNIT } from './service-systemd.ts';

/** The variables that accounts.yaml names as `${ENV:NAME}`. */
function namedVariables(shell: Shell, paths: Paths, text: string): readonly string[] {
  const named = new Set<string>();
  try {
    // As if none were set: each is told as missing then, those in comments are not.
    parseConfigText({ ...shell, env: {} }, paths, text, (reference) => {
      const name = /^\$\{ENV:(.*)\}$/.exec(reference)?.[1];
      if (name !== undefined) named.add(name);
    });
  } catch {
    // Something else is wrong in it, which the daemon will tell: better one name too many here.
    for (const [, name] of text.matchAll(/\$\{ENV:([^}]*)\}/g)) named.add(name ?? '');
  }
  return [...named].sort();
}

/** Those that the file which systemd reads for the service does not have yet. */
async function missingIn(path: string, names: readonly string[]): Promise<readonly string[]> {
  const text = (await readPrivateFile(path))?.toString('utf8') ?? '';
  return names.filter((name) => !text.split('\n').some((line) => line.trimStart().startsWith(`${name}=`)));
}

/** How secrets come to a service, which gets none of this shell's. */
async function secretRemarks(
  program: ServiceProgram,
  service: SystemService,
  names: readonly string[],
): Promise<readonly string[]> {
  if (names.length === 0) return [];
  const list = names.join(', ');
  if (service.id !== 'systemd')
    return [
      `The service does not know ${list}, and they are not written into its file: secrets do not belong there. ` +
        `In accounts.yaml write \${FILE:path} instead of \${ENV:NAME}; for a passphrase set CALMCP_PASSPHRASE_FILE.`,
    ];
  const path = secretsFile(program);
  try {
    const missing = await missingIn(path, names);
    if (missing.length === 0) return [];
    return [
      `The service does not know ${missing.join(', ')}, and they are not written into its file: secrets do not belong there. ` +
        `Put them into a file for you alone (install -m 600 /dev/null ${quoted(path)}), a line NAME=value each, then run: ` +
        `systemctl --user restart ${UNIT}. Or write \${FILE:path} instead of \${ENV:NAME} in accounts.yaml.`,
    ];
  } catch (thrown) {
    if (!(thrown instanceof CalmcpError)) throw thrown;
    return [`${thrown.message}, and holds secrets${thrown.hint === undefined ? '' : `: ${thrown.hint}`}`];
  }
}

export async function serviceRemarks(
  shell: Shell,
  paths: Paths,
  program: ServiceProgram,
  service: SystemService,
): Promise<readonly string[]> {
  const { env } = shell;
  // One that cannot be read is told by the daemon in each answer.
  const text = await readConfigText(paths).catch(() => undefined);
  const needsPassphrase = env.CALMCP_KEYSTORE === 'passphrase' && !env.CALMCP_PASSPHRASE_FILE;
  const names = [
    ...(text === undefined ? [] : namedVariables(shell, paths, text)),
    ...(needsPassphrase ? ['CALMCP_PASSPHRASE'] : []),
    ...proxiesWithPassword(shell),
  ];
  return [
    ...pathWarnings(program),
    ...(await secretRemarks(program, service, names)),
    ...(text === undefined ? [`There is no ${paths.configFile} yet. Run: calmcp init`] : []),
  ];
}
