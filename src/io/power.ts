/** Whether the machine runs on battery, and on a network that is paid by use. What the system does not tell is not known. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { childEnvironment } from './child-environment.ts';

/** `undefined`: not known, which is no reason to spare anything. */
export interface Power {
  readonly onBattery: boolean | undefined;
  readonly metered: boolean | undefined;
}

export interface PowerReaderOptions {
  readonly platform?: NodeJS.Platform;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Linux: where the kernel tells of its supplies. */
  readonly suppliesFolder?: string;
  /** Milliseconds of a clock that nobody sets. */
  readonly monotonic?: () => number;
  /** Milliseconds that one program of the system may take. */
  readonly limitMs?: number;
}

const KEPT_MS = 60_000;
const LIMIT_MS = 3_000;
const MAX_BYTES = 262_144;

/** What a program prints, without a shell; nothing where it is missing, fails or takes too long. */
type Ask = (program: string, args: readonly string[]) => Promise<string | undefined>;

function askerOf(env: NonNullable<PowerReaderOptions['env']>, limitMs: number): Ask {
  return (program, args) =>
    new Promise((resolve) => {
      execFile(
        program,
        [...args],
        {
          // nmcli says "yes" in the language of the person otherwise.
          env: { ...childEnvironment(env), LC_ALL: 'C', LANGUAGE: 'C' },
          timeout: limitMs,
          killSignal: 'SIGKILL',
          maxBuffer: MAX_BYTES,
          windowsHide: true,
        },
        (error, stdout) => resolve(error === null ? stdout : undefined),
      );
    });
}

interface Supply {
  readonly type: string;
  readonly online: string;
  readonly status: string;
}

/**
 * @see https://www.kernel.org/doc/Documentation/ABI/testing/sysfs-class-power
 * @returns `undefined` where nothing is told
 */
async function batteryOnLinux(folder: string): Promise<boolean | undefined> {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return undefined;
  const read = (name: string, file: string): Promise<string> =>
    readFile(join(folder, name, file), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  const all = await Promise.all(
    names.map(async (name): Promise<Supply | undefined> => {
      const [type, scope, present, online, status] = await Promise.all(
        ['type', 'scope', 'present', 'online', 'status'].map((file) => read(name, file)),
      );
      // The battery of a mouse, and a bay without one.
      if (scope === 'Device' || present === '0') return undefined;
      return { type: type ?? '', online: online ?? '', status: status ?? '' };
    }),
  );
  const supplies = all.flatMap((supply) => supply ?? []);
  const cells = supplies.filter(({ type }) => type === 'Battery' || type === 'UPS');
  const plugs = supplies.filter(({ type }) => /^(?:Mains|USB|Wireless)/.test(type));
  // 1: a fixed voltage, 2: one that the two sides agreed upon.
  if (plugs.some(({ online }) => online === '1' || online === '2')) return false;
  if (cells.length === 0) return false;
  if (cells.some(({ status }) => status === 'Discharging')) return true;
  if (cells.every(({ status }) => /^(?:Charging|Full|Not charging)$/.test(status))) return false;
  return plugs.some(({ online }) => online === '0') ? true : undefined;
}

/**
 * Of the devices that lead to the internet: those with a gateway. One that costs nothing is enough, as NetworkManager goes that
 * way first.
 * @param printed by `nmcli -t -f GENERAL.DEVICE,GENERAL.METERED,IP4.GATEWAY,IP6.GATEWAY dev show`
 */
export function parseNmcli(printed: string): boolean | undefined {
  const told = printed
    .split(/^(?=GENERAL\.DEVICE:)/m)
    .filter((device) => /^IP[46]\.GATEWAY:(?!--)\S/m.test(device))
    .flatMap((device) => /^GENERAL\.METERED:(yes|no)\b/m.exec(device)?.[1] ?? []);
  if (told.length === 0) return undefined;
  return told.every((word) => word === 'yes');
}

/** @param printed by `pmset -g batt`, see pmset(1) */
export function parsePmset(printed: string): boolean | undefined {
  const source = /drawing from '([^']*)'/.exec(printed)?.[1];
  if (source === 'AC Power') return false;
  return source === 'Battery Power' || source === 'UPS Power' ? true : undefined;
}

/**
 * One line each: the status of all batteries, and what the network costs. In Windows PowerShell, which alone knows WinRT by name.
 * @see https://learn.microsoft.com/windows/win32/cimwin32prov/win32-battery
 * @see https://learn.microsoft.com/uwp/api/windows.networking.connectivity.networkcosttype
 */
const POWERSHELL = [
  "$ErrorActionPreference='Stop'",
  "try { 'battery=' + (@(Get-CimInstance Win32_Battery | ForEach-Object BatteryStatus) -join ',') } catch {}",
  "try { 'cost=' + [Windows.Networking.Connectivity.NetworkInformation,Windows.Networking.Connectivity,ContentType=WindowsRuntime]::GetInternetConnectionProfile().GetConnectionCost().NetworkCostType } catch {}",
].join('; ');

/** @param printed by {@link POWERSHELL} */
export function parsePowershell(printed: string): Power {
  const batteries = /^battery=([\d,]*)\s*$/m.exec(printed)?.[1];
  const cost = /^cost=(\w+)\s*$/m.exec(printed)?.[1];
  const statuses = batteries?.split(',').filter((status) => status !== '');
  return {
    // 1: discharging, 4: low, 5: critical; 10 says nothing.
    onBattery: statuses?.includes('10') ? undefined : statuses?.some((status) => ['1', '4', '5'].includes(status)),
    metered: cost === 'Unrestricted' ? false : cost === 'Fixed' || cost === 'Variable' ? true : undefined,
  };
}

async function readNow(
  platform: NodeJS.Platform,
  folder: string,
  env: PowerReaderOptions['env'],
  ask: Ask,
): Promise<Power> {
  if (platform === 'linux') {
    const fields = 'GENERAL.DEVICE,GENERAL.METERED,IP4.GATEWAY,IP6.GATEWAY';
    const [onBattery, printed] = await Promise.all([
      batteryOnLinux(folder),
      ask('nmcli', ['-t', '-f', fields, 'dev', 'show']),
    ]);
    return { onBattery, metered: parseNmcli(printed ?? '') };
  }
  if (platform === 'darwin')
    return { onBattery: parsePmset((await ask('pmset', ['-g', 'batt'])) ?? ''), metered: undefined };
  if (platform === 'win32') {
    // By its whole path: a name alone would be looked for in the working folder first.
    const program = join(env?.SystemRoot ?? 'C:\\Windows', 'System32', 'WindowsPowerShell', 'v1.0', 'powershell.exe');
    return parsePowershell((await ask(program, ['-NoProfile', '-NonInteractive', '-Command', POWERSHELL])) ?? '');
  }
  return { onBattery: undefined, metered: undefined };
}

/**
 * How the machine is supplied, asked at most once a minute, and once for all who ask at the same time. Never throws: what is
 * missing, fails or takes longer than three seconds is not known.
 */
export function createPowerReader({
  platform = process.platform,
  env = process.env,
  suppliesFolder = '/sys/class/power_supply',
  monotonic = () => performance.now(),
  limitMs = LIMIT_MS,
}: PowerReaderOptions = {}): () => Promise<Power> {
  const ask = askerOf(env, limitMs);
  let kept: { readonly since: number; readonly power: Promise<Power> } | undefined;
  return () => {
    if (kept === undefined || monotonic() - kept.since >= KEPT_MS)
      kept = { since: monotonic(), power: readNow(platform, suppliesFolder, env, ask) };
    return kept.power;
  };
}
