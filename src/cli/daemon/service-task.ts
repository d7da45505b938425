/** The task of Windows' Task Scheduler. */

import { CalmcpError } from '../../core/errors.ts';
import { HEAP_FLAGS } from './heap-flags.ts';
import { escapeXml } from './service-launchd.ts';
import type { ServiceProgram } from './service-program.ts';

/** One argument as CommandLineToArgvW takes it apart: https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments */
export function windowsArgument(text: string): string {
  if (/^[^\s"]+$/.test(text)) return text;
  return `"${text.replaceAll(/(\\*)"/g, '$1$1\\"').replace(/(\\+)$/, '$1$1')}"`;
}

/** Task Scheduler puts values in for `%NAME%` and `$(Name)`, and knows no way to write these two as they are. */
function requireLiteral(text: string): string {
  if (!/%[^%]+%|\$\(/.test(text)) return text;
  throw new CalmcpError('CONFIG_INVALID', `Task Scheduler would read a variable into ${text}`, {
    hint: 'install calmcp, and keep its files, in folders without % and $( in their names',
  });
}

/**
 * The variables of a task, which has none of its own: Node.js reads them. Quotes of two kinds keep backslashes as they are.
 * @see https://nodejs.org/docs/latest-v20.x/api/cli.html#--env-fileconfig
 */
export function taskVariables({ variables }: Pick<ServiceProgram, 'variables'>, mark: string): string {
  const lines = Object.entries(variables).map(([name, value]) => {
    const quote = ["'", '`'].find((sign) => !value.includes(sign));
    if (quote !== undefined) return `${name}=${quote}${value}${quote}\n`;
    throw new CalmcpError('CONFIG_INVALID', `${name} has quotes that Node.js cannot read from a file`, {
      hint: "choose a path without both ' and `",
    });
  });
  return `# ${mark}\n# Written by: calmcp daemon install\n${lines.join('')}`;
}

export interface TaskPlace {
  /** `MACHINE\name`, or a security identifier. */
  readonly user: string;
  /** Of the task: names are those of the whole machine. */
  readonly task: string;
  /** Where {@link taskVariables} are. */
  readonly variablesFile: string;
}

/**
 * Node.js is a program of the console, so a task that runs in somebody's session would open a window for it. `--headless` gives
 * it a console without one; Microsoft ships it for its own use and does not document it.
 */
const WITHOUT_WINDOW = ['%SystemRoot%\\System32\\conhost.exe', '--headless'] as const;

/**
 * @param mark goes into a comment
 * @see https://learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema
 */
export function scheduledTask(program: ServiceProgram, { user, task, variablesFile }: TaskPlace, mark: string): string {
  const { node, script, args, home } = program;
  const [command, option] = WITHOUT_WINDOW;
  const words = [node, `--env-file=${variablesFile}`, ...HEAP_FLAGS, script, ...args];
  const line = [option, ...words.map((word) => windowsArgument(requireLiteral(word)))].join(' ');
  return `<?xml version="1.0" encoding="UTF-16"?>
<!-- ${mark} -->
<!-- Written by: calmcp daemon install -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>calmcp, all calendars at once: the daemon that its clients share</Description>
    <URI>\\${escapeXml(task)}</URI>
  </RegistrationInfo>
  <Triggers>
    <LogonTrigger>
      <Enabled>true</Enabled>
      <UserId>${escapeXml(user)}</UserId>
    </LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <UserId>${escapeXml(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <AllowHardTerminate>true</AllowHardTerminate>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>false</RunOnlyIfNetworkAvailable>
    <IdleSettings>
      <StopOnIdleEnd>false</StopOnIdleEnd>
      <RestartOnIdle>false</RestartOnIdle>
    </IdleSettings>
    <AllowStartOnDemand>true</AllowStartOnDemand>
    <Enabled>true</Enabled>
    <Hidden>true</Hidden>
    <RunOnlyIfIdle>false</RunOnlyIfIdle>
    <WakeToRun>false</WakeToRun>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>5</Priority>
    <RestartOnFailure>
      <Interval>PT1M</Interval>
      <Count>255</Count>
    </RestartOnFailure>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>${escapeXml(command)}</Command>
      <Arguments>${escapeXml(line)}</Arguments>
      <WorkingDirectory>${escapeXml(requireLiteral(home))}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
`;
}

/** As `schtasks` reads it without doubt: little-endian UTF-16 with its mark. */
export const asUtf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');
