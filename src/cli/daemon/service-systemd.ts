/** The unit of systemd's manager of one person. */

import { posix } from 'node:path';
import { HEAP_FLAGS } from './heap-flags.ts';
import type { ServiceProgram } from './service-program.ts';

export const UNIT = 'calmcp.service';

/** systemd.syntax(7): C escapes within quotes; systemd.unit(5): `%%` for a percent sign. */
function quoted(text: string): string {
  const escaped = text.replaceAll('%', '%%').replaceAll('\\', '\\\\').replaceAll('"', '\\"');
  return /^[\w@%+=:,./-]+$/.test(text) ? escaped : `"${escaped}"`;
}

/** systemd.service(5), "Command lines": variables are put in everywhere but in the name of the program. */
const argument = (text: string): string => quoted(text).replaceAll('$', '$$$$');

function commandLine({ node, script, args }: ServiceProgram): string {
  const line = [...HEAP_FLAGS, script, ...args].map(argument);
  // systemd refuses a program with one of these in its name, escaped or not, so a shell has to start it.
  if (!/["'\\]/.test(node)) return [quoted(node), ...line].join(' ');
  return ['/bin/sh', '-c', argument('exec "$0" "$@"'), argument(node), ...line].join(' ');
}

/** Not quoted, and a pattern of glob(7): systemd.exec(5), EnvironmentFile=. */
const environmentFile = (path: string): string =>
  path.replaceAll(/[\\*?[\]]/g, (sign) => `\\${sign}`).replaceAll('%', '%%');

/** Variables that must not be in a unit, which other programs may read: a line `NAME=value` each. */
export const secretsFile = ({ stateFolder }: Pick<ServiceProgram, 'stateFolder'>): string =>
  posix.join(stateFolder, 'daemon.env');

/**
 * @param mark goes into a comment
 * @see systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5)
 */
export function systemdUnit(program: ServiceProgram, mark: string): string {
  const variables = Object.entries(program.variables).map(
    ([name, value]) => `Environment=${quoted(`${name}=${value}`)}`,
  );
  return `# ${mark}
# Written by: calmcp daemon install. To change something, run: systemctl --user edit ${UNIT}

[Unit]
Description=calmcp, all calendars at once
StartLimitIntervalSec=300
StartLimitBurst=5

[Service]
Type=exec
ExecStart=${commandLine(program)}
WorkingDirectory=~
${variables.map((line) => `${line}\n`).join('')}# Secrets that accounts.yaml names as \${ENV:NAME}.
EnvironmentFile=-${environmentFile(secretsFile(program))}
UMask=0077
NoNewPrivileges=yes

Restart=on-failure
RestartSec=5
# Wrong usage, another daemon at work, no sign-in, a wrong configuration: trying again does not help.
RestartPreventExitStatus=64 75 77 78
# Questions under way are answered first. Child servers end with the daemon; a browser that it opened for a sign-in stays.
TimeoutStopSec=40
KillMode=process

[Install]
WantedBy=default.target
`;
}
