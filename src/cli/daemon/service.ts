/** The services of the three systems: their files, and what makes each system read them. */
import { isAbsolute, join } from 'node:path';
import { CalmcpError } from '../../core/errors.ts';
import { quoted } from '../../io/private-file.ts';
import type { Shell } from '../shell.ts';
import { LABEL, launchdAgent } from './service-launchd.ts';
import type { ServiceProgram } from './service-program.ts';
import { sealed } from './service-seal.ts';
import { systemdUnit, UNIT } from './service-systemd.ts';
import { asUtf16, scheduledTask, taskVariables } from './service-task.ts';
import { runTool, type ToolCommand } from './service-tool.ts';

export interface ServiceFile {
  readonly path: string;
  readonly text: string;
  /** What is written. */
  readonly content: string | Buffer;
}

export interface SystemService {
  readonly id: 'systemd' | 'launchd' | 'task-scheduler';
  readonly title: string;
  /** The service itself comes first. */
  readonly paths: readonly string[];
  /** What goes into {@link paths}. @throws CalmcpError CONFIG_INVALID where it cannot be said there */
  files(program: ServiceProgram, owner: string): readonly ServiceFile[];
  /** All of them are fine where the service is known to the system and runs. */
  readonly probes: readonly ToolCommand[];
  /** Makes the system know it, and starts it. @param renewed whether it knew an earlier one */
  start(renewed: boolean): readonly ToolCommand[];
  /** Ends it, and has the system forget it. @param isKnown what {@link probes} said */
  stop(isKnown: boolean): readonly ToolCommand[];
  /** After the files are gone. */
  readonly forget: readonly ToolCommand[];
  /** Whether the system ends the daemon gently, and starts it again when it fails. */
  readonly supervises: boolean;
  /** What may stand in the way, for a person. */
  readonly trouble: string;
}

function systemd({ env, home }: Shell): SystemService {
  const base = env.XDG_CONFIG_HOME && isAbsolute(env.XDG_CONFIG_HOME) ? env.XDG_CONFIG_HOME : join(home, '.config');
  const path = join(base, 'systemd', 'user', UNIT);
  const systemctl = (...args: string[]): ToolCommand => ({ program: 'systemctl', args: ['--user', ...args] });
  return {
    id: 'systemd',
    title: 'systemd',
    paths: [path],
    files(program, owner) {
      const text = sealed((mark) => systemdUnit(program, mark), owner);
      return [{ path, text, content: text }];
    },
    probes: [systemctl('is-enabled', '--quiet', UNIT), systemctl('is-active', '--quiet', UNIT)],
    start: (renewed) => [
      systemctl('daemon-reload'),
      systemctl('enable', '--now', UNIT),
      // It may answer questions for a while before it ends.
      ...(renewed ? [systemctl('restart', '--no-block', UNIT)] : []),
    ],
    // What of it there is not, is not missed; what speaks to systemd at all is asked by the reload after it.
    stop: () =>
      [systemctl('stop', '--no-block', UNIT), systemctl('disable', UNIT)].map((command) => ({
        ...command,
        mayRefuse: true,
      })),
    forget: [systemctl('daemon-reload')],
    supervises: true,
    trouble: 'it needs a session of your own (not one by sudo or su; on a server: loginctl enable-linger). In one, run',
  };
}

function launchd({ home }: Shell): SystemService {
  const path = join(home, 'Library', 'LaunchAgents', `${LABEL}.plist`);
  const domain = `gui/${process.getuid?.() ?? 0}`;
  const launchctl = (...args: string[]): ToolCommand => ({ program: 'launchctl', args });
  // Not loaded, by two of its names; and ending still.
  const out: ToolCommand = { ...launchctl('bootout', `${domain}/${LABEL}`), mayRefuse: [3, 113, 36] };
  return {
    id: 'launchd',
    title: 'launchd',
    paths: [path],
    files(program, owner) {
      const text = sealed((mark) => launchdAgent(program, mark), owner);
      return [{ path, text, content: text }];
    },
    probes: [launchctl('print', `${domain}/${LABEL}`)],
    start: (renewed) => [
      // One that was disabled once is refused otherwise.
      { ...launchctl('enable', `${domain}/${LABEL}`), mayRefuse: true },
      ...(renewed ? [out] : []),
      // It is refused while the old one still answers questions.
      { ...launchctl('bootstrap', domain, path), ...(renewed ? { tries: 20 } : {}) },
    ],
    stop: () => [out],
    forget: [],
    supervises: true,
    trouble: 'it needs somebody who is logged in on the screen. There, run',
  };
}

/** The security identifier tells a person whatever their directory calls them. */
async function windowsUser(shell: Shell, system: string): Promise<string> {
  const whoami = { program: join(system, 'whoami.exe'), args: ['/user', '/fo', 'csv', '/nh'] };
  const result = await runTool(whoami, shell);
  const identifier = result.outcome === 'done' ? /"(S-1-[\d-]+)"\s*$/.exec(result.printed)?.[1] : undefined;
  if (identifier !== undefined) return identifier;
  const { USERDOMAIN: domain, USERNAME: name } = shell.env;
  if (name) return domain ? `${domain}\\${name}` : name;
  throw new CalmcpError('CONFIG_INVALID', 'Windows does not tell who you are', { hint: 'set USERDOMAIN and USERNAME' });
}

async function taskScheduler(shell: Shell): Promise<SystemService> {
  const { env, home } = shell;
  // By their whole paths: a name alone would be looked for in the working folder first.
  const system = join(env.SystemRoot || env.SYSTEMROOT || 'C:\\Windows', 'System32');
  const user = await windowsUser(shell, system);
  const task = `calmcp-daemon-${(env.USERNAME || user).replaceAll(/[\\/:*?"<>|]/g, '_')}`;
  // The same for every CALMCP_HOME: there is one task, and it is told by these whose it is.
  const folder = join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'calmcp');
  const [path, variablesFile] = [join(folder, 'daemon-task.xml'), join(folder, 'daemon-task.env')];
  const schtasks = (...args: string[]): ToolCommand => ({ program: join(system, 'schtasks.exe'), args });
  const end: ToolCommand = { ...schtasks('/End', '/TN', task), mayRefuse: true };
  return {
    id: 'task-scheduler',
    title: 'Task Scheduler',
    paths: [path, variablesFile],
    files(program, owner) {
      // Task Scheduler tries again what it could not start, and leaves alone what has ended, with whatever status: nothing may
      // count on it to start the daemon again. [MS-TSCH] 2.5.4.2
      const once = { ...program, args: program.args.filter((argument) => argument !== '--service') };
      const text = sealed((mark) => scheduledTask(once, { user, task, variablesFile }, mark), owner);
      const variables = sealed((mark) => taskVariables(program, mark), owner);
      return [
        { path, text, content: asUtf16(text) },
        { path: variablesFile, text: variables, content: variables },
      ];
    },
    probes: [schtasks('/Query', '/TN', task)],
    start: (renewed) => [
      schtasks('/Create', '/TN', task, '/XML', path, '/F'),
      ...(renewed ? [end] : []),
      schtasks('/Run', '/TN', task),
    ],
    stop: (isKnown) => (isKnown ? [end, schtasks('/Delete', '/TN', task, '/F')] : []),
    forget: [],
    supervises: false,
    trouble: 'an administrator may have forbidden it. In a window of cmd.exe, run',
  };
}

/** @throws CalmcpError INPUT_INVALID on a system whose services calmcp does not know */
export async function systemService(shell: Shell): Promise<SystemService> {
  const { platform, program } = shell;
  if (platform === 'linux') return systemd(shell);
  if (platform === 'darwin') return launchd(shell);
  if (platform === 'win32') return taskScheduler(shell);
  throw new CalmcpError('INPUT_INVALID', `calmcp does not know the services of ${platform}`, {
    hint: `have yours run: ${[program.node, program.script].map(quoted).join(' ')} daemon run --service`,
  });
}
