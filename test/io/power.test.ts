import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createPowerReader, parseNmcli, parsePmset, parsePowershell } from '../../src/io/power.ts';
import { temporaryFolder } from '../harness.ts';

type Supplies = Readonly<Record<string, Readonly<Record<string, string>>>>;

async function suppliesFolder(supplies: Supplies): Promise<string> {
  const folder = await temporaryFolder();
  for (const [name, files] of Object.entries(supplies)) {
    await mkdir(join(folder, name));
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder, name, file), `${text}\n`);
  }
  return folder;
}

const AC = { type: 'Mains', online: '1' };
const NO_AC = { type: 'Mains', online: '0' };
const cell = (status: string): Readonly<Record<string, string>> => ({
  type: 'Battery',
  scope: 'System',
  present: '1',
  status,
});

describe('on Linux', () => {
  test.each<[string, Supplies, boolean | undefined]>([
    ['plugged in', { AC, BAT0: cell('Charging') }, false],
    ['unplugged', { AC: NO_AC, BAT0: cell('Discharging') }, true],
    [
      'unplugged with a second battery that is not used',
      { AC: NO_AC, BAT0: cell('Discharging'), BAT1: cell('Full') },
      true,
    ],
    ['a weak plug that does not keep up', { AC, BAT0: cell('Discharging') }, false],
    ['charged by USB-C', { AC: NO_AC, usb0: { type: 'USB', online: '1' }, BAT0: cell('Charging') }, false],
    ['held at 80 %', { BAT0: cell('Not charging') }, false],
    ['a battery that does not say, with a plug that is out', { AC: NO_AC, BAT0: cell('Unknown') }, true],
    ['a battery that does not say', { BAT0: cell('Unknown') }, undefined],
    ['a desktop with the battery of a mouse', { mouse: { ...cell('Discharging'), scope: 'Device' } }, false],
    ['an empty bay', { AC: NO_AC, BAT1: { ...cell('Discharging'), present: '0' } }, false],
    ['a desktop', {}, false],
    ['a power cut behind a UPS', { ups: { type: 'UPS', status: 'Discharging' } }, true],
  ])('%s', async (_which, supplies, expected) => {
    const read = createPowerReader({
      platform: 'linux',
      suppliesFolder: await suppliesFolder(supplies),
      env: { PATH: '' },
    });
    expect(await read()).toEqual({ onBattery: expected, metered: undefined });
  });

  test('a container without supplies knows nothing, and is not taken for a laptop', async () => {
    const read = createPowerReader({ platform: 'linux', suppliesFolder: '/nowhere', env: { PATH: '' } });
    expect(await read()).toEqual({ onBattery: undefined, metered: undefined });
  });
});

/** As `nmcli -t` writes several devices. */
const devices = (...all: readonly (readonly [name: string, metered: string, gateway: string])[]): string =>
  all
    .map(([name, metered, gateway]) => `GENERAL.DEVICE:${name}\nGENERAL.METERED:${metered}\nIP4.GATEWAY:${gateway}\n`)
    .join('\n');

describe('what a network costs', () => {
  test.each<[string, string, boolean | undefined]>([
    ['a phone', devices(['wlan0', 'yes (guessed)', '192.168.43.1'], ['lo', 'unknown', '']), true],
    ['a cable', devices(['eth0', 'no (guessed)', '10.0.0.1']), false],
    ['a cable beside a phone', devices(['eth0', 'no', '10.0.0.1'], ['usb0', 'yes', '192.168.42.129']), false],
    ['a phone beside a bridge that leads nowhere', devices(['wlan0', 'yes', '10.1.1.1'], ['docker0', 'no', '']), true],
    [
      'a phone beside a bridge, as older ones write it',
      devices(['wlan0', 'yes', '10.1.1.1'], ['br0', 'no', '--']),
      true,
    ],
    ['a network that does not say', devices(['eth0', 'unknown', '10.0.0.1']), undefined],
    ['no network', devices(['wlan0', 'unknown', '']), undefined],
    ['nothing', '', undefined],
  ])('%s, as NetworkManager tells', (_which, printed, expected) => {
    expect(parseNmcli(printed)).toBe(expected);
  });
});

test.each([
  ["Now drawing from 'AC Power'\n -InternalBattery-0\t100%; charged;", false],
  ["Now drawing from 'Battery Power'\n -InternalBattery-0 (id=1)\t84%; discharging; 4:05 remaining", true],
  ["Now drawing from 'UPS Power'\n", true],
  ['Geen batterij', undefined],
])('pmset: %j', (printed, expected) => {
  expect(parsePmset(printed)).toBe(expected);
});

test.each([
  ['battery=1\r\ncost=Fixed\r\n', true, true],
  ['battery=2\r\ncost=Unrestricted\r\n', false, false],
  ['battery=6,5\r\ncost=Variable\r\n', true, true],
  ['battery=\r\ncost=Unknown\r\n', false, undefined],
  ['battery=10\r\n', undefined, undefined],
  ['cost=\r\n', undefined, undefined],
  ['', undefined, undefined],
])('PowerShell: %j', (printed, onBattery, metered) => {
  expect(parsePowershell(printed)).toEqual({ onBattery, metered });
});

describe.skipIf(process.platform === 'win32')('the program of the system', () => {
  /** A program of that name which notes each call. */
  async function program(
    name: string,
    body: string,
  ): Promise<{ env: Record<string, string>; calls(): Promise<string[]> }> {
    const folder = await temporaryFolder();
    await writeFile(join(folder, name), `#!/bin/sh\necho "$0 $* [$LC_ALL] [$SECRET]" >> ${folder}/calls\n${body}\n`);
    await chmod(join(folder, name), 0o700);
    return {
      env: { PATH: [folder, '/usr/bin', '/bin'].join(delimiter), LC_ALL: 'nl_NL.UTF-8', SECRET: 's3cret' },
      calls: async () =>
        (await readFile(join(folder, 'calls'), 'utf8'))
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => line.slice(folder.length + 1)),
    };
  }

  test('is asked once for all who ask at a time, in a language that is understood, without secrets, and again after a minute', async () => {
    const { env, calls } = await program(
      'nmcli',
      `printf 'GENERAL.DEVICE:wlan0\\nGENERAL.METERED:yes\\nIP4.GATEWAY:1.2.3.4\\n'`,
    );
    let now = 0;
    const read = createPowerReader({ platform: 'linux', suppliesFolder: '/nowhere', env, monotonic: () => now });
    const all = await Promise.all([read(), read(), read()]);
    expect(all).toEqual(Array(3).fill({ onBattery: undefined, metered: true }));
    now = 59_999;
    await read();
    expect(await calls()).toEqual([
      'nmcli -t -f GENERAL.DEVICE,GENERAL.METERED,IP4.GATEWAY,IP6.GATEWAY dev show [C] []',
    ]);
    now = 60_000;
    await read();
    expect(await calls()).toHaveLength(2);
  });

  test('that hangs is ended, and what it would have said is not known', async () => {
    const { env } = await program('pmset', 'exec sleep 20');
    const before = performance.now();
    const read = createPowerReader({ platform: 'darwin', env, limitMs: 200 });
    expect(await read()).toEqual({ onBattery: undefined, metered: undefined });
    expect(performance.now() - before).toBeLessThan(3_000);
  });

  test('that fails has said nothing', async () => {
    const { env } = await program('pmset', `echo "Now drawing from 'Battery Power'"; exit 1`);
    expect(await createPowerReader({ platform: 'darwin', env })()).toEqual({
      onBattery: undefined,
      metered: undefined,
    });
  });

  test('is found on macOS by its name and on Windows by its whole path', async () => {
    const { env } = await program('pmset', `echo "Now drawing from 'Battery Power'"`);
    expect((await createPowerReader({ platform: 'darwin', env })()).onBattery).toBe(true);
    const root = await temporaryFolder();
    const folder = join(root, 'System32/WindowsPowerShell/v1.0');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'powershell.exe'), '#!/bin/sh\nprintf "battery=1\\r\\ncost=Fixed\\r\\n"\n');
    await chmod(join(folder, 'powershell.exe'), 0o700);
    const read = createPowerReader({ platform: 'win32', env: { SystemRoot: root, PATH: '/usr/bin:/bin' } });
    expect(await read()).toEqual({ onBattery: true, metered: true });
  });
});

test('a system that calmcp does not know tells nothing', async () => {
  expect(await createPowerReader({ platform: 'freebsd', env: {} })()).toEqual({
    onBattery: undefined,
    metered: undefined,
  });
});
