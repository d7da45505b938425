/** The agent of launchd, macOS' manager of services. */

import { posix } from 'node:path';
import { HEAP_FLAGS } from './heap-flags.ts';
import type { ServiceProgram } from './service-program.ts';

export const LABEL = 'io.github.calmcp.daemon';

export const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const string = (text: string): string => `<string>${escapeXml(text)}</string>`;

/**
 * @param mark goes into a comment
 * @see launchd.plist(5)
 */
export function launchdAgent(
  { node, script, args, variables, home, stateFolder }: ServiceProgram,
  mark: string,
): string {
  const words = [node, ...HEAP_FLAGS, script, ...args].map((word) => `    ${string(word)}\n`).join('');
  const pairs = Object.entries(variables)
    .map(([name, value]) => `    <key>${escapeXml(name)}</key>${string(value)}\n`)
    .join('');
  // Umask 63 is 0077: a property list knows no octal numbers.
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${mark} -->
<!-- Written by: calmcp daemon install -->
<plist version="1.0">
<dict>
  <key>Label</key>${string(LABEL)}
  <key>ProgramArguments</key>
  <array>
${words}  </array>
  <key>EnvironmentVariables</key>
  <dict>
${pairs}  </dict>
  <key>WorkingDirectory</key>${string(home)}
  <key>StandardErrorPath</key>${string(posix.join(stateFolder, 'daemon.log'))}
  <key>Umask</key><integer>63</integer>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key><false/>
  </dict>
  <key>ThrottleInterval</key><integer>30</integer>
  <key>ExitTimeOut</key><integer>40</integer>
  <key>ProcessType</key><string>Background</string>
</dict>
</plist>
`;
}
