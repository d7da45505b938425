import { execFile, execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import fastCheck from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HEAP_FLAGS } from '../../src/cli/daemon/heap-flags.ts';
import { launchdAgent } from '../../src/cli/daemon/service-launchd.ts';
import { pathWarnings, type ServiceProgram } from '../../src/cli/daemon/service-program.ts';
import { ownerOfSealed } from '../../src/cli/daemon/service-seal.ts';
import { systemdUnit } from '../../src/cli/daemon/service-systemd.ts';
import { asUtf16, scheduledTask, taskVariables, windowsArgument } from '../../src/cli/daemon/service-task.ts';
import { runTool } from '../../src/cli/daemon/service-tool.ts';
import type { Shell } from '../../src/cli/shell.ts';
import { type CliResult, cli, temporaryFolder, writeAccounts } from '../harness.ts';

const run = promisify(execFile);

/** Everything that one of the formats gives a meaning to. */
const NASTY = `a b "q" 's' 100% %h $HOME \${X} $(y) \\n <&> é 日本;z`;
/** The same without what Windows has no folders for, or Task Scheduler no way to say. */
const NASTY_WINDOWS = `a b 's' 100% $HOME {X} & é 日本;z`;

const LINUX: ServiceProgram = {
  node: '/usr/bin/node',
  script: `/opt/${NASTY}/dist/main.js`,
  args: ['daemon', 'run', '--service'],
  variables: { CALMCP_HOME: `/home/jo/${NASTY}`, PATH: '/usr/local/bin:/usr/bin' },
  home: '/home/jo',
  stateFolder: `/home/jo/${NASTY}[*?]/state`,
};
const WINDOWS: ServiceProgram = {
  node: 'C:\\Program Files\\nodejs\\node.exe',
  script: `C:\\Users\\Jö ${NASTY_WINDOWS}\\main.js`,
  args: ['daemon', 'run', '--service'],
  variables: { CALMCP_HOME: `C:\\new\\${NASTY_WINDOWS}`, CALMCP_KEYSTORE: 'keyfile' },
  home: 'C:\\Users\\Jö Ö',
  stateFolder: 'C:\\Users\\Jö Ö\\AppData\\Local\\calmcp\\state',
};
const PLACE = {
  user: 'S-1-5-21-1-2-3-1001',
  task: 'calmcp-daemon-Jö & Co',
  variablesFile: 'C:\\Users\\Jö Ö\\AppData\\Local\\calmcp\\state\\daemon-task.env',
} as const;

const golden = (name: string): string => `__snapshots__/daemon-service/${name}`;

/** The words of a command line as systemd.service(5) and systemd.syntax(7) say that they are read. */
function readBySystemd(line: string): string[] {
  const words = line.match(/"(?:[^"\\]|\\.)*"|[^\s"]+/g) ?? [];
  return words.map((word, index) => {
    const unquoted = word.startsWith('"') ? word.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') : word;
    const specifiers = unquoted.replaceAll(/%(.)/g, (_all, sign) => (sign === '%' ? '%' : '<specifier>'));
    if (index === 0) return specifiers;
    return specifiers.replaceAll(/\$(\$|\{?\w+\}?|$)/g, (_all, name) => (name === '$' ? '$' : '<variable>'));
  });
}

/** https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments */
function readByWindows(line: string): string[] {
  const words: string[] = [];
  let [word, quoted, backslashes]: [string | undefined, boolean, number] = [undefined, false, 0];
  for (const sign of `${line} `) {
    if (sign === '\\') {
      backslashes++;
      continue;
    }
    if (sign === '"') {
      word = (word ?? '') + '\\'.repeat(Math.floor(backslashes / 2));
      if (backslashes % 2 === 1) word += '"';
      else quoted = !quoted;
      backslashes = 0;
      continue;
    }
    if (backslashes > 0) word = (word ?? '') + '\\'.repeat(backslashes);
    backslashes = 0;
    if (/\s/.test(sign) && !quoted) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + sign;
  }
  return words;
}

const settingOf = (unit: string, key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1] ?? '';

/** Texts as paths may have them, made of what is dangerous. */
const anyPath = fastCheck
  .array(fastCheck.constantFrom(...`abN \\"'%$\{}()<>&;#*?[]!=~|é日`), { maxLength: 20 })
  .map((signs) => `/x${signs.join('')}`);

const hasPython = (() => {
  try {
    execFileSync('python3', ['-c', 'import plistlib'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();
const hasSystemd = (() => {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

describe('the unit of systemd', () => {
  test('is the one that was looked at', async () => {
    await expect(systemdUnit(LINUX, 'calmcp-service 0 0')).toMatchFileSnapshot(golden('calmcp.service'));
  });

  test('starts exactly the program that was meant, whatever its path', () => {
    fastCheck.assert(
      fastCheck.property(anyPath, anyPath, anyPath, (node, script, value) => {
        const unit = systemdUnit({ ...LINUX, node, script, variables: { A: value } }, 'mark');
        const words = readBySystemd(settingOf(unit, 'ExecStart'));
        const byShell = /["'\\]/.test(node);
        expect(words).toEqual([
          ...(byShell ? ['/bin/sh', '-c', 'exec "$0" "$@"'] : []),
          ...[node, ...HEAP_FLAGS, script, 'daemon', 'run', '--service'],
        ]);
        // No variables are put in here: systemd.exec(5), Environment=.
        expect(readBySystemd(`x ${settingOf(unit, 'Environment').replaceAll('$', '$$$$')}`)[1]).toBe(`A=${value}`);
      }),
      { numRuns: 300 },
    );
  });

  test('never tries again where that cannot help', () => {
    const unit = systemdUnit(LINUX, 'mark');
    expect(settingOf(unit, 'Restart')).toBe('on-failure');
    expect(settingOf(unit, 'RestartPreventExitStatus')).toBe('64 75 77 78');
  });

  test.skipIf(!hasSystemd)('has nothing that systemd does not understand', async () => {
    const folder = await temporaryFolder();
    const home = join(folder, 'a b "q" $x 100%');
    const program = {
      ...LINUX,
      node: process.execPath,
      script: join(home, 'main.js'),
      variables: { A: home, B: NASTY },
    };
    const file = join(folder, 'calmcp.service');
    const verify = async (text: string): Promise<string> => {
      await writeFile(file, text);
      const env = { PATH: process.env.PATH ?? '', XDG_RUNTIME_DIR: folder, HOME: folder, LC_ALL: 'C' };
      const verified = run('systemd-analyze', ['verify', '--user', '--man=no', file], { env });
      return (await verified.catch((error: { stderr: string }) => error)).stderr;
    };
    const said = (text: string): string[] => text.split('\n').filter((line) => line.includes('calmcp.service'));
    expect(said(await verify(systemdUnit(program, 'mark')))).toEqual([]);
    // And it would say so.
    expect(said(await verify(`${systemdUnit(program, 'mark')}[Service]\nRestartSecs=5\n`))).not.toEqual([]);
  });
});

describe('the agent of launchd', () => {
  test('is the one that was looked at', async () => {
    const agent = launchdAgent({ ...LINUX, home: '/Users/jo', stateFolder: '/Users/jo/s & t' }, 'calmcp-service 0 0');
    await expect(agent).toMatchFileSnapshot(golden('io.github.calmcp.daemon.plist'));
  });

  test.skipIf(!hasPython)('is a property list that says what was meant', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'agent.plist');
    await writeFile(file, launchdAgent(LINUX, 'mark'));
    const script = 'import json,plistlib,sys; print(json.dumps(plistlib.load(open(sys.argv[1],"rb"))))';
    const { stdout } = await run('python3', ['-c', script, file]);
    expect(JSON.parse(stdout)).toEqual({
      Label: 'io.github.calmcp.daemon',
      ProgramArguments: [LINUX.node, ...HEAP_FLAGS, LINUX.script, ...LINUX.args],
      EnvironmentVariables: LINUX.variables,
      WorkingDirectory: LINUX.home,
      StandardErrorPath: `${LINUX.stateFolder}/daemon.log`,
      Umask: 0o077,
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 30,
      ExitTimeOut: 40,
      ProcessType: 'Background',
    });
  });
});

describe('the task of Windows', () => {
  test('is the one that was looked at', async () => {
    await expect(scheduledTask(WINDOWS, PLACE, 'calmcp-service 0 0')).toMatchFileSnapshot(golden('task.xml'));
    await expect(taskVariables(WINDOWS, 'calmcp-service 0 0')).toMatchFileSnapshot(golden('task.env'));
  });

  test('gives programs the arguments that were meant', () => {
    fastCheck.assert(
      fastCheck.property(fastCheck.array(fastCheck.oneof(anyPath, fastCheck.string()), { maxLength: 4 }), (words) => {
        const tame = words.map((word) => word.replaceAll('\u0000', ''));
        expect(readByWindows(['x', ...tame.map(windowsArgument)].join(' ')).slice(1)).toEqual(tame);
      }),
      { numRuns: 500 },
    );
    expect(windowsArgument('C:\\a b\\')).toBe('"C:\\a b\\\\"');
    expect(windowsArgument('')).toBe('""');
  });

  test.skipIf(!hasPython)('is well-formed in UTF-16, and says what was meant', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'task.xml');
    await writeFile(file, asUtf16(scheduledTask(WINDOWS, PLACE, 'mark')));
    const script = `import json,sys,xml.etree.ElementTree as tree
found={}
for each in tree.parse(sys.argv[1]).iter():
  found.setdefault(each.tag.split('}')[1],[]).append(each.text)
print(json.dumps(found))`;
    const { stdout } = await run('python3', ['-c', script, file]);
    const found = JSON.parse(stdout) as Record<string, string[]>;
    expect(found).toMatchObject({
      URI: [`\\${PLACE.task}`],
      UserId: [PLACE.user, PLACE.user],
      LogonType: ['InteractiveToken'],
      RunLevel: ['LeastPrivilege'],
      DisallowStartIfOnBatteries: ['false'],
      StopIfGoingOnBatteries: ['false'],
      ExecutionTimeLimit: ['PT0S'],
      MultipleInstancesPolicy: ['IgnoreNew'],
      Hidden: ['true'],
      Command: ['%SystemRoot%\\System32\\conhost.exe'],
      WorkingDirectory: [WINDOWS.home],
    });
    expect(readByWindows(`x ${found.Arguments?.[0]}`).slice(1)).toEqual([
      '--headless',
      WINDOWS.node,
      `--env-file=${PLACE.variablesFile}`,
      ...HEAP_FLAGS,
      WINDOWS.script,
      ...WINDOWS.args,
    ]);
  });

  test('has its variables read by Node.js as they are', async () => {
    const folder = await temporaryFolder();
    const file = join(folder, 'task.env');
    const variables = {
      A: WINDOWS.variables.CALMCP_HOME ?? '',
      B: `C:\\new\\"x" 'y' #z`,
      C: 'C:\\t `b`',
      D: '$A ${A}',
    };
    await writeFile(file, taskVariables({ variables }, 'mark'));
    const show = 'process.stdout.write(JSON.stringify(process.env))';
    const { stdout } = await run(process.execPath, [`--env-file=${file}`, '-e', show], { env: {} });
    expect(JSON.parse(stdout)).toMatchObject(variables);
  });

  test.each(['C:\\100%TEMP%\\node.exe', 'C:\\$(Arg0)\\node.exe'])(
    'is refused where Task Scheduler would read a variable into it: %s',
    (node) => {
      expect(() => scheduledTask({ ...WINDOWS, node }, PLACE, 'mark')).toThrow(/would read a variable/);
    },
  );
});

test.each([
  ['/home/jo/.nvm/versions/node/v20.19.0/bin/node', '/opt/calmcp/dist/main.js', /^Node\.js is in a folder of nvm /],
  ['/run/user/1000/fnm_multishells/7_1/bin/node', '/opt/calmcp/dist/main.js', /a folder of fnm /],
  ['/home/jo/.volta/tools/image/node/20.19.0/bin/node', '/opt/calmcp/dist/main.js', /a folder of Volta /],
  ['C:\\Users\\jo\\AppData\\Local\\nvm\\v20.19.0\\node.exe', 'C:\\calmcp\\main.js', /a folder of nvm /],
  ['/opt/homebrew/Cellar/node/22.1.0/bin/node', '/opt/homebrew/lib/main.js', /a folder of Homebrew /],
  ['/usr/bin/node', '/home/jo/.npm/_npx/1a2b/node_modules/calmcp/dist/main.js', /npm install --global calmcp/],
  [
    '/x/mise/installs/node/20.19.0/bin/node',
    '/x/mise/installs/node/20.19.0/lib/node_modules/calmcp/dist/main.js',
    /^Node\.js and calmcp are in a folder of mise /,
  ],
])('%s, which will not stay, is told', (node, script, expected) => {
  expect(pathWarnings({ node, script })).toEqual([expect.stringMatching(expected)]);
});

test('a Node.js of the system is no reason for a warning', () => {
  expect(pathWarnings({ node: '/usr/bin/node', script: '/usr/lib/node_modules/calmcp/dist/main.js' })).toEqual([]);
});

/**
 * Stand-ins for the programs of the three systems. Each keeps what it was told in its folder, refuses what the real one refuses, and
 * notes its arguments in `calls`.
 */
const SYSTEMCTL = `
[ "$1" = --user ] || { echo "Failed to connect to system scope bus" >&2; exit 1; }
[ -e "$D/no-bus" ] && { echo "Failed to connect to bus: No medium found" >&2; exit 1; }
[ -e "$D/hangs" ] && exec sleep 60
shift
UNIT="\${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user/calmcp.service"
last() { for last; do :; done; echo "$last"; }
case "$1" in
  daemon-reload) if [ -e "$UNIT" ]; then cp "$UNIT" "$D/loaded"; else rm -f "$D/loaded"; fi ;;
  is-enabled) [ -e "$D/enabled" ] ;;
  is-active) [ -e "$D/active" ] ;;
  enable) [ -e "$UNIT" ] || exit 1; cmp -s "$UNIT" "$D/loaded" || exit 5; : > "$D/enabled"; [ "$2" != --now ] || : > "$D/active" ;;
  restart) [ -e "$D/loaded" ] || exit 5; : > "$D/active" ;;
  stop) [ -e "$D/loaded" ] || exit 5; rm -f "$D/active" ;;
  disable) [ -e "$UNIT" ] || exit 1; rm -f "$D/enabled" ;;
  *) exit 1 ;;
esac`;
const LAUNCHCTL = `
case "$1" in
  print) [ -e "$D/active" ] || exit 113 ;;
  enable) : ;;
  bootstrap) [ -e "$D/active" ] && exit 5; [ -e "$D/ending" ] && { rm "$D/ending"; exit 5; }; [ -e "$3" ] || exit 5; cp "$3" "$D/loaded"; : > "$D/active" ;;
  bootout) [ -e "$D/denied" ] && exit 1; [ -e "$D/active" ] || exit 3; rm -f "$D/active"; : > "$D/ending" ;;
  *) exit 1 ;;
esac`;
const SCHTASKS = `
case "$1" in
  /Query) [ -e "$D/loaded" ] || exit 1 ;;
  /Create)
    [ "$(head -c 2 "$5" | od -An -tx1 | tr -d ' ')" = fffe ] || exit 1
    [ ! -e "$D/loaded" ] || [ "$6" = /F ] || exit 1
    cp "$5" "$D/loaded" ;;
  /Run) [ -e "$D/loaded" ] || exit 1; : > "$D/active" ;;
  /End) [ -e "$D/active" ] || exit 1; rm -f "$D/active" ;;
  /Delete) [ ! -e "$D/denied" ] && [ -e "$D/loaded" ] && [ "$4" = /F ] || exit 1; rm -f "$D/loaded" ;;
  *) exit 1 ;;
esac`;
const WHOAMI = `printf '"machine\\\\jo","S-1-5-21-9-8-7-1001"\\r\\n'`;

interface Machine {
  readonly home: string;
  readonly bin: string;
  /** Where the service's own file goes. */
  readonly file: string;
  run(args: readonly string[], shell?: Partial<Shell>): Promise<CliResult>;
  calls(): Promise<string[]>;
  has(name: string): Promise<boolean>;
}

type Platform = 'linux' | 'darwin' | 'win32';

const FILES: Readonly<Record<Platform, string>> = {
  linux: '.config/systemd/user/calmcp.service',
  darwin: 'Library/LaunchAgents/io.github.calmcp.daemon.plist',
  win32: 'AppData/Local/calmcp/daemon-task.xml',
};

const ACCOUNTS = 'version: 1\naccounts: {}\n';

async function machineOf(platform: Platform, accounts = ACCOUNTS): Promise<Machine> {
  const home = await temporaryFolder();
  const bin = join(home, 'bin');
  const system = join(home, 'windows', 'System32');
  const program = async (path: string, body: string): Promise<void> => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `#!/bin/sh\nD=${bin}\necho "$*" >> "$D/calls"\n${body}\n`);
    await chmod(path, 0o700);
  };
  await mkdir(bin);
  if (platform === 'linux') await program(join(bin, 'systemctl'), SYSTEMCTL);
  if (platform === 'darwin') await program(join(bin, 'launchctl'), LAUNCHCTL);
  if (platform === 'win32') {
    await program(join(system, 'schtasks.exe'), SCHTASKS);
    await program(join(system, 'whoami.exe'), WHOAMI);
  }
  const own = join(home, 'calmcp');
  await mkdir(own);
  await writeAccounts(own, accounts);
  return {
    home,
    bin,
    file: join(home, FILES[platform]),
    run: (args, { env, ...shell } = {}) =>
      cli(own, ['daemon', ...args], {
        platform,
        home,
        program: { node: '/usr/bin/node', script: '/usr/lib/node_modules/calmcp/dist/main.js' },
        ...shell,
        env: {
          PATH: [bin, '/usr/bin', '/bin'].join(delimiter),
          HOME: home,
          CALMCP_HOME: own,
          CALMCP_KEYSTORE: 'keyfile',
          CALMCP_NOW: '2026-11-23T08:00:00Z',
          SystemRoot: join(home, 'windows'),
          USERNAME: 'jo',
          ...env,
        },
      }),
    async calls() {
      const text = await readFile(join(bin, 'calls'), 'utf8').catch(() => '');
      await rm(join(bin, 'calls'), { force: true });
      return text.split('\n').filter((line) => line !== '');
    },
    has: (name) =>
      stat(join(bin, name)).then(
        () => true,
        () => false,
      ),
  };
}

const textOf = async (file: string): Promise<string> => {
  const bytes = await readFile(file);
  return bytes[0] === 0xff ? bytes.toString('utf16le').slice(1) : bytes.toString('utf8');
};

describe.skipIf(process.platform === 'win32').each(['linux', 'darwin', 'win32'] as const)('on %s', (platform) => {
  test('install has the system run the daemon, a second time changes nothing, and uninstall leaves nothing', async () => {
    const machine = await machineOf(platform);
    const before = await readdir(machine.home, { recursive: true });
    const { status, stdout } = await machine.run(['install']);
    expect([status, stdout]).toEqual([0, expect.stringContaining(`Wrote ${machine.file}\n`)]);
    expect([await machine.has('loaded'), await machine.has('active')]).toEqual([true, true]);
    expect((await stat(machine.file)).mode & 0o777).toBe(0o600);
    const text = await textOf(machine.file);
    expect(text).toContain('daemon');
    expect(ownerOfSealed(text)).toMatch(/^[\da-f]{16}$/);
    expect(await readFile(join(machine.bin, 'loaded'))).toEqual(await readFile(machine.file));

    await machine.calls();
    const again = await machine.run(['install']);
    expect(again).toMatchObject({ status: 0, stdout: expect.stringMatching(/^Already installed: /) });
    expect(await textOf(machine.file)).toBe(text);
    expect((await machine.calls()).filter((call) => /enable --now|bootstrap|Create|Run/.test(call))).toEqual([]);

    const gone = await machine.run(['uninstall']);
    expect(gone).toMatchObject({ status: 0, stdout: expect.stringContaining(`Removed ${machine.file}\n`) });
    expect([(await machine.has('loaded')) && platform !== 'darwin', await machine.has('active')]).toEqual([
      false,
      false,
    ]);
    await rm(join(machine.bin, 'calls'), { force: true });
    await rm(join(machine.bin, 'loaded'), { force: true });
    const isFile = async (name: string): Promise<boolean> => (await stat(join(machine.home, name))).isFile();
    const files = async (names: readonly string[]): Promise<string[]> => {
      const kept = await Promise.all(names.map(async (name) => ((await isFile(name)) ? [name] : [])));
      return kept.flat().sort();
    };
    await rm(join(machine.bin, 'ending'), { force: true });
    expect(await files(await readdir(machine.home, { recursive: true }))).toEqual(await files(before));
    expect(await machine.run(['uninstall'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('Nothing is installed'),
    });
  });

  test('--print prints the text and --dry-run the change, and neither does anything', async () => {
    const machine = await machineOf(platform);
    const before = await readdir(machine.home, { recursive: true });
    const printed = await machine.run(['install', '--print']);
    expect([printed.status, printed.stderr]).toEqual([0, expect.stringContaining(`Goes into ${machine.file}`)]);
    expect(ownerOfSealed(printed.stdout)).toBeDefined();
    const dry = await machine.run(['install', '--dry-run']);
    expect([dry.status, dry.stdout]).toEqual([0, expect.stringMatching(/^\+ .*daemon/m)]);
    expect(dry.stdout).toContain('Nothing was written.');
    const calls = await machine.calls();
    expect(calls.filter((call) => !call.startsWith('/user'))).toEqual([]);
    expect(await readdir(machine.home, { recursive: true })).toEqual(before);
    expect((await machine.run(['install', '--print', '--json'])).stdout).toContain('"files"');
  });

  test('a file that somebody has changed is shown and left alone, and with --force kept beside the new one', async () => {
    const machine = await machineOf(platform);
    await machine.run(['install']);
    const fresh = await textOf(machine.file);
    const edited = fresh.replace('daemon', 'demon');
    await writeFile(machine.file, platform === 'win32' ? asUtf16(edited) : edited);
    await machine.calls();
    for (const args of [['install'], ['uninstall']]) {
      const { status, stdout, stderr } = await machine.run(args);
      expect(status).toBe(64);
      expect(stderr).toContain(`${machine.file} was changed since it was installed`);
      expect(stderr).toContain(`calmcp daemon ${args[0]} --force`);
      if (args[0] === 'install') expect(stdout).toMatch(/^- .*demon[\s\S]*^\+ .*daemon/m);
      expect(await textOf(machine.file)).toBe(edited);
    }
    expect((await machine.calls()).filter((call) => !call.startsWith('/user'))).toEqual([]);
    const { status, stdout } = await machine.run(['install', '--force']);
    expect(status).toBe(0);
    const backup = /^The file as it was: (.+)$/m.exec(stdout)?.[1] ?? '';
    expect(await textOf(backup)).toBe(edited);
    expect(await textOf(machine.file)).toBe(fresh);
    expect(await machine.has('active')).toBe(true);
  });

  test('one that is our own and older is renewed, and the daemon started anew', async () => {
    const machine = await machineOf(platform);
    await machine.run(['install']);
    await machine.calls();
    const { status, stdout } = await machine.run(['install'], { env: { CALMCP_LOG: 'debug' } });
    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\+ .*debug/m)]);
    const calls = (await machine.calls()).join('\n');
    expect(calls).toMatch(
      { linux: /restart --no-block/, darwin: /bootout[\s\S]*bootstrap/, win32: /End[\s\S]*Run/ }[platform],
    );
    expect(await machine.has('active')).toBe(true);
  });

  test('that of another CALMCP_HOME is not replaced, and not taken away', async () => {
    const machine = await machineOf(platform);
    await machine.run(['install']);
    const text = await textOf(machine.file);
    const other = await temporaryFolder();
    const env = { CALMCP_HOME: other };
    for (const args of [['install'], ['uninstall']]) {
      const { status, stderr } = await machine.run(args, { env });
      expect([status, stderr]).toEqual([64, expect.stringContaining('another accounts.yaml or CALMCP_HOME')]);
    }
    expect(await textOf(machine.file)).toBe(text);
    expect(await machine.has('active')).toBe(true);
  });

  test('what the service must know goes along, and no secret does', async () => {
    const machine = await machineOf(platform);
    const env = {
      CALMCP_PASSPHRASE_FILE: 'pass phrase.txt',
      CALMCP_PASSPHRASE: 'hunter2',
      CALMCP_LOG: 'info',
      GOOGLE_SECRET: 'hunter3',
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: 'http://jo:hunter4@proxy:8080',
      HTTP_PROXY: 'http://proxy:8080',
      TZ: 'Europe/Amsterdam',
      PATH: [machine.bin, '.', 'relative', '/usr/bin', '/usr/bin'].join(delimiter),
    };
    await machine.run(['install', '--pause-on', 'battery,metered'], { env });
    const files = platform === 'win32' ? [machine.file, machine.file.replace('.xml', '.env')] : [machine.file];
    const text = (await Promise.all(files.map(textOf))).join('');
    for (const there of [
      'CALMCP_HOME',
      'CALMCP_KEYSTORE',
      join(machine.home, 'calmcp', 'pass phrase.txt'),
      'http://proxy:8080',
      'Europe/Amsterdam',
      '--pause-on',
      'battery,metered',
    ])
      expect(text).toContain(there);
    expect(text).not.toMatch(/hunter|CALMCP_NOW|relative/);
    if (platform !== 'win32') expect(text).toContain([machine.bin, '/usr/bin'].join(delimiter));
  });

  test('variables that accounts.yaml names are told, with the way to give them, and are not in any file', async () => {
    const machine = await machineOf(
      platform,
      `version: 1
# secret: \${ENV:COMMENT}
accounts:
  work: { provider: google, clientId: "\${ENV:GOOGLE_ID}", clientSecret: "\${ENV:GOOGLE_SECRET}" }
`,
    );
    const env = { GOOGLE_ID: 'hunter1', GOOGLE_SECRET: 'hunter2' };
    const { status, stderr } = await machine.run(['install'], { env });
    expect(status).toBe(0);
    expect(stderr).toContain('The service does not know GOOGLE_ID, GOOGLE_SECRET,');
    expect(stderr).not.toMatch(/hunter|COMMENT/);
    expect(stderr).toContain(platform === 'linux' ? 'state/daemon.env' : 'write ${FILE:path}');
    expect(await textOf(machine.file)).not.toContain('hunter');
  });

  test('a path that no file of a service can hold is refused before anything is written', async () => {
    const machine = await machineOf(platform);
    const before = await readdir(machine.home, { recursive: true });
    const program = { node: '/usr/bin/node', script: '/opt/a\nExecStartPre=evil/main.js' };
    const { status, stderr } = await machine.run(['install'], { program });
    expect([status, stderr]).toEqual([78, expect.stringContaining('the path of calmcp has a character')]);
    await machine.calls();
    expect(await readdir(machine.home, { recursive: true })).toEqual(before);
  });
});

describe.skipIf(process.platform === 'win32')('with systemd', () => {
  test('secrets in daemon.env are found there, and one that others can read is told', async () => {
    const machine = await machineOf(
      'linux',
      'version: 1\naccounts:\n  work: { provider: google, clientId: a, clientSecret: "${ENV:SECRET}" }\n',
    );
    const file = join(machine.home, 'calmcp/state/daemon.env');
    await mkdir(dirname(file), { mode: 0o700 });
    await writeFile(file, 'SECRET=x\n', { mode: 0o600 });
    expect((await machine.run(['install'])).stderr).toBe('');
    await chmod(file, 0o644);
    expect((await machine.run(['install'])).stderr).toContain(`chmod 600 ${file}`);
  });

  test.each([
    [
      'refuses',
      async ({ bin }: Machine) => writeFile(join(bin, 'no-bus'), ''),
      /systemctl --user daemon-reload: it failed \(1\)/,
    ],
    ['is not there', async ({ bin }: Machine) => rm(join(bin, 'systemctl')), /there is no such program/],
  ])('one that %s is told with what to do by hand, and the file stays', async (_how, spoil, expected) => {
    const machine = await machineOf('linux');
    await spoil(machine);
    const env = { PATH: machine.bin };
    const { status, stderr } = await machine.run(['install'], { env: (await machine.has('systemctl')) ? {} : env });
    expect(status).toBe(69);
    expect(stderr).toMatch(expected);
    expect(stderr).toContain(`${machine.file} is written and stays`);
    expect(stderr).toMatch(/systemctl --user enable --now calmcp\.service|daemon run --service/);
    expect(stderr).not.toContain('No medium found');
    expect(ownerOfSealed(await textOf(machine.file))).toBeDefined();
    // The next one finds its file and only tells the system, here in vain again.
    expect((await machine.run(['install'], { env })).status).toBe(69);
    const gone = await machine.run(['uninstall'], { env });
    expect([gone.status, gone.stderr]).toEqual([69, expect.stringContaining('The files are removed')]);
    await expect(stat(machine.file)).rejects.toThrow('ENOENT');
  });

  test('a unit that is a link into a folder of dotfiles stays one', async () => {
    const machine = await machineOf('linux');
    await mkdir(dirname(machine.file), { recursive: true });
    await mkdir(join(machine.home, 'dotfiles'));
    const target = join(machine.home, 'dotfiles/calmcp.service');
    await writeFile(target, '');
    await symlink(target, machine.file);
    expect((await machine.run(['install', '--force'])).status).toBe(0);
    expect(ownerOfSealed(await textOf(target))).toBeDefined();
  });

  test('somebody else’s secrets in a unit are not shown', async () => {
    const machine = await machineOf('linux');
    await mkdir(dirname(machine.file), { recursive: true });
    await writeFile(
      machine.file,
      '[Service]\nEnvironment=API_KEY=hunter2\nEnvironment="PATH=/x" "TOKEN=hunter3"\nExecStart=/bin/true\n',
    );
    const { status, stdout, stderr } = await machine.run(['install']);
    expect(status).toBe(64);
    expect(stdout).toMatch(/^- Environment=API_KEY=…$/m);
    expect(stdout).toMatch(/^- ExecStart=\/bin\/true$/m);
    expect(stdout + stderr).not.toContain('hunter');
  });

  test('XDG_CONFIG_HOME says where units are', async () => {
    const machine = await machineOf('linux');
    const env = { XDG_CONFIG_HOME: join(machine.home, 'xdg') };
    const { stdout } = await machine.run(['install'], { env });
    expect(stdout).toContain(`Wrote ${join(machine.home, 'xdg/systemd/user/calmcp.service')}\n`);
  });

  test('--json prints the result alone', async () => {
    const machine = await machineOf('linux');
    const first = JSON.parse((await machine.run(['install', '--json'])).stdout);
    expect(first).toEqual({ manager: 'systemd', file: machine.file, remarks: [], changed: true });
    expect(JSON.parse((await machine.run(['install', '--json'])).stdout)).toMatchObject({ changed: false });
    expect(JSON.parse((await machine.run(['uninstall', '--json'])).stdout)).toMatchObject({ removed: [machine.file] });
  });
});

test.skipIf(process.platform === 'win32').each(['darwin', 'win32'] as const)(
  'a service that %s does not let go is not told as gone',
  async (platform) => {
    const machine = await machineOf(platform);
    await machine.run(['install']);
    await writeFile(join(machine.bin, 'denied'), '');
    const { status, stdout, stderr } = await machine.run(['uninstall']);
    expect([status, stderr]).toEqual([69, expect.stringMatching(/it failed \(1\)[\s\S]*(?:bootout|\/Delete)/)]);
    expect(stdout).not.toContain('Clients work without');
    expect(await machine.has('loaded')).toBe(true);
  },
);

test.skipIf(process.platform === 'win32')('a program of the system that hangs is ended, and that is told', async () => {
  const sleep = { program: 'sleep', args: ['20'] };
  const shell = { env: { PATH: '/usr/bin:/bin' }, interrupted: new AbortController().signal };
  expect(await runTool(sleep, shell, 100)).toEqual({ outcome: 'slow' });
});

test.skipIf(process.platform === 'win32')('a daemon that was started by hand makes room for the service', async () => {
  const platform = process.platform === 'darwin' ? 'darwin' : 'linux';
  const machine = await machineOf(platform);
  const program = { node: process.execPath, script: join(import.meta.dirname, '../../dist/main.js') };
  expect((await machine.run(['start'], { program })).status).toBe(0);
  const running = JSON.parse((await machine.run(['status', '--json'], { program })).stdout);
  expect(running.state).toBe('runs');
  onTestFinished(async () => void (await machine.run(['stop'], { program })));
  const { status, stdout } = await machine.run(['install'], { program });
  expect([status, stdout]).toEqual([0, expect.stringContaining(`Ended the daemon that ran (process ${running.pid}).`)]);
  expect((await machine.run(['status', '--json'], { program })).status).toBe(3);
});

test('a system whose services calmcp does not know is told what to run', async () => {
  const { status, stderr } = await cli(await temporaryFolder(), ['daemon', 'install'], { platform: 'freebsd' });
  expect([status, stderr]).toEqual([64, expect.stringMatching(/services of freebsd[\s\S]*daemon run --service/)]);
});
