import { spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtEnvironment, cli, lasting, temporaryFolder, writeAccounts } from '../harness.ts';

const ACCOUNTS = `version: 1
accounts:
  work: { provider: memory, displayName: "Work: main", client: northwind, events: [] }
  home: { provider: memory, events: [] }
`;

async function openHome(accounts = ACCOUNTS): Promise<string> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  return folder;
}

/** What is offered at the end of a line. */
async function offered(line: string, accounts?: string): Promise<string[]> {
  const words = line.split(' ');
  const last = words.pop() ?? '';
  const home = await openHome(accounts);
  const { status, stdout, stderr } = await cli(home, ['__complete', 'zsh', '--', ...words.slice(1), `=${last}`]);
  expect([status, stderr]).toEqual([0, '']);
  return stdout
    .split('\n')
    .filter((row) => row !== '')
    .map((row) => row.split('\t')[0] ?? '');
}

describe('at the tab key are offered', () => {
  test('commands and sub-commands', async () => {
    expect(await offered('calmcp ')).toEqual(expect.arrayContaining(['agenda', 'install', 'help', 'event']));
    expect(await offered('calmcp ')).not.toContain('__complete');
    expect(await offered('calmcp a')).toEqual(['accounts', 'agenda']);
    expect(await offered('calmcp accounts ')).toEqual(expect.arrayContaining(['list', 'add', 'remove', 'test']));
    expect(await offered('calmcp --json --account home ag')).toEqual(['agenda']);
  });

  test('options that the command has a use for, and each once', async () => {
    const agenda = await offered('calmcp agenda --');
    expect(agenda).toEqual(expect.arrayContaining(['--from', '--ids', '--json', '--account', '--help']));
    expect(await offered('calmcp agenda --ids --i')).toEqual(['--include-declined']);
    expect(await offered('calmcp mcp --')).not.toContain('--json');
    expect(await offered('calmcp accounts add --client-')).toEqual(['--client-id', '--client-secret']);
  });

  test('account ids, also several in one word and for arguments', async () => {
    expect(await offered('calmcp agenda --account ')).toEqual(['work', 'home']);
    expect(await offered('calmcp agenda --account h')).toEqual(['home']);
    expect(await offered('calmcp agenda --account=w')).toEqual(['--account=work']);
    expect(await offered('calmcp agenda --account work,')).toEqual(['work,home']);
    expect(await offered('calmcp accounts remove ')).toEqual(['work', 'home']);
    expect(await offered('calmcp accounts test home ')).toEqual(['work']);
    expect(await offered('calmcp children logs w')).toEqual(['work']);
    expect(await offered('calmcp find-time -d 30m --via h')).toEqual(['home']);
    expect(await offered('calmcp accounts add ')).toEqual([]);
  });

  test('clients, zones, choices, topics and tools', async () => {
    expect(await offered('calmcp freebusy --audience ')).toEqual(['owner', 'northwind', 'home']);
    expect(await offered('calmcp agenda --time-zone Europe/Amst')).toEqual(['Europe/Amsterdam']);
    expect(await offered('calmcp find-time --rank ')).toEqual(['earliest', 'spread', 'compact']);
    expect(await offered('calmcp find-time --days mon,t')).toEqual(['mon,tue', 'mon,thu']);
    expect(await offered('calmcp install cl')).toEqual(['claude-desktop', 'claude-code']);
    expect(await offered('calmcp install cursor --tools list_ev')).toEqual(['list_events']);
    expect(await offered('calmcp accounts add x --provider m')).toEqual(['microsoft', 'memory']);
    expect(await offered('calmcp help ra')).toEqual(['ranges']);
    expect(await offered('calmcp help accounts re')).toEqual(['remove']);
    expect(await offered('calmcp completion ')).toEqual(['bash', 'zsh', 'fish', 'powershell']);
  });

  test('what can be said of an event', async () => {
    expect(await offered('calmcp event ')).toEqual(expect.arrayContaining(['get', 'create', 'update', 'respond']));
    expect(await offered('calmcp event create x --busy ')).toEqual([
      'free',
      'tentative',
      'busy',
      'oof',
      'workingElsewhere',
    ]);
    expect(await offered('calmcp event create x --type f')).toEqual(['focusTime']);
    expect(await offered('calmcp event update x --scope ')).toEqual(['this', 'following', 'all']);
    expect(await offered('calmcp event update x --sensitivity p')).toEqual(['personal', 'private']);
    expect(await offered('calmcp event delete x --notify=')).toEqual(['--notify=all', '--notify=none']);
    expect(await offered('calmcp event respond x ')).toEqual(['accept', 'tentative', 'decline']);
    expect(await offered('calmcp event create x --account ')).toEqual(['work', 'home']);
    expect(await offered('calmcp agenda --cur')).toEqual(['--cursor']);
  });

  test('the words of a range, one after the other', async () => {
    expect(await offered('calmcp agenda to')).toEqual(['today', 'tomorrow']);
    expect(await offered('calmcp agenda this ')).toEqual(['week', 'weekend', 'month']);
    expect(await offered('calmcp agenda next 10 ')).toEqual(['days', 'weeks']);
    expect(await offered('calmcp agenda --json next w')).toEqual(['week', 'weekend', 'wednesday']);
    expect(await offered('calmcp search dentist nex')).toEqual(['next']);
    expect(await offered('calmcp agenda this week ')).toEqual([]);
  });

  test('every word that is offered for a range makes one', async () => {
    const home = await openHome();
    for (const first of await offered('calmcp agenda ')) {
      const second = await offered(`calmcp agenda ${first} `);
      for (const word of second.length === 0 ? [''] : second) {
        const words = [first, word, ...(/^\d/.test(word) ? ['days'] : [])].filter((each) => each !== '');
        const { status, stderr } = await cli(home, ['agenda', ...words]);
        expect([words, stderr, status]).toEqual([words, '', 0]);
      }
    }
  });

  test('file names where a file belongs', async () => {
    expect(await offered('calmcp report freebusy -o ')).toEqual([':files']);
    expect(await offered('calmcp --config ')).toEqual([':files']);
  });

  test('nothing where accounts.yaml is wrong or something is unknown, and never an error', async () => {
    expect(await offered('calmcp agenda --account ', 'version: [')).toEqual([]);
    expect(await offered('calmcp --config /nope/x.yaml agenda --account ')).toEqual([]);
    expect(await offered('calmcp nope --wrong ')).toEqual(expect.any(Array));
    expect(await offered('calmcp event get ')).toEqual([]);
  });

  test('accounts of the file that --config names', async () => {
    const other = await openHome('version: 1\naccounts: { elsewhere: { provider: memory, events: [] } }\n');
    expect(await offered(`calmcp --config ${join(other, 'accounts.yaml')} agenda --account `)).toEqual(['elsewhere']);
  });
});

test.each(['bash', 'zsh', 'fish', 'powershell'])(
  'completion %s prints a script that asks calmcp itself',
  async (shell) => {
    const { status, stdout } = await cli(await openHome(), ['completion', shell]);
    expect(status).toBe(0);
    expect(stdout).toContain(`calmcp __complete ${shell}`);
    expect(stdout).toMatch(/^#/);
  },
);

/** A folder with calmcp in it, as npm would put it on the path, and files to complete. */
let opened: Awaited<ReturnType<typeof lasting<string>>>;
let folder = '';
beforeAll(async () => {
  opened = await lasting(openHome);
  folder = opened.opened;
  await mkdir(join(folder, 'bin'));
  const bin = join(import.meta.dirname, '../../dist/main.js');
  await writeFile(join(folder, 'bin/calmcp'), `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`);
  await chmod(join(folder, 'bin/calmcp'), 0o755);
  await writeFile(join(folder, 'my report.html'), '');
  for (const shell of ['bash', 'zsh', 'fish'])
    await writeFile(join(folder, `completion.${shell}`), (await cli(folder, ['completion', shell])).stdout);
});
afterAll(() => opened.end());

function runShell(program: string, args: readonly string[]): { readonly stdout: string; readonly stderr: string } {
  const environment = builtEnvironment(folder);
  const { stdout, stderr, error } = spawnSync(program, args, {
    cwd: folder,
    env: { ...environment, PATH: `${join(folder, 'bin')}${delimiter}${environment.PATH}`, HOME: folder, TERM: 'dumb' },
    encoding: 'utf8',
    timeout: 25_000,
  });
  if (error !== undefined) throw error;
  return { stdout, stderr };
}

const isThere = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;

describe.skipIf(!isThere('bash'))('bash (skipped where there is none)', () => {
  /** @param words as bash has split them */
  const complete = (...words: readonly string[]): readonly string[] => {
    const script = `set -u
source completion.bash
source completion.bash
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
_calmcp
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = runShell('bash', ['--norc', '--noprofile', '-c', script]);
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  };

  test('completes commands, account ids, words of ranges and files', () => {
    expect(complete('calmcp', 'ag')).toEqual(['agenda']);
    expect(complete('calmcp', 'agenda', '--account', '')).toEqual(['work', 'home']);
    expect(complete('calmcp', 'agenda', 'next', 'wed')).toEqual(['wednesday']);
    expect(complete('calmcp', 'report', 'freebusy', '-o', 'my')).toEqual(['my report.html']);
  });

  test('completes behind the = that it splits words at', () => {
    expect(complete('calmcp', 'agenda', '--account', '=', 'ho')).toEqual(['home']);
    expect(complete('calmcp', 'agenda', '--account', '=')).toEqual(['work', 'home']);
    expect(complete('calmcp', 'agenda', '--account', '=', 'home', '--id')).toEqual(['--ids']);
  });

  test('runs nothing of what is typed', () => {
    for (const word of ['$(touch owned)', '`touch owned`', '; touch owned', '$((1', '"', '*'])
      expect(complete('calmcp', 'agenda', word, '')).toEqual(expect.any(Array));
    expect(runShell('bash', ['-c', 'ls']).stdout).not.toContain('owned');
  });
});

describe.skipIf(!isThere('fish'))('fish (skipped where there is none)', () => {
  const complete = (line: string): readonly string[] => {
    const script = `source completion.fish; complete -C '${line}'`;
    const { stdout, stderr } = runShell('fish', ['--no-config', '-c', script]);
    expect(stderr).toBe('');
    return stdout.split('\n').filter((row) => row !== '');
  };

  test('completes with what a word means', () => {
    expect(complete('calmcp agend')).toEqual(['agenda\twhat all calendars say, merged']);
    expect(complete('calmcp agenda --account ')).toEqual(['work\tWork: main', 'home']);
    expect(complete('calmcp agenda --account=ho')).toEqual(['--account=home']);
    expect(complete('calmcp report freebusy -o my').map((row) => row.split('\t')[0])).toEqual(['my report.html']);
  });
});

describe.skipIf(!isThere('zsh'))('zsh (skipped where there is none)', () => {
  /** A shell in a terminal of its own, in which the line is typed. */
  const typed = (line: string): string => {
    const script = `
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "PS1='> '; autoload -Uz compinit; compinit -u -D; source completion.zsh; bindkey '^I' complete-word; echo re""ady"
zpty -r inner seen '*ready*'
zpty -w -n inner ${JSON.stringify(line)}$'\\t'$'\\x01'"print -r -- '<<"$'\\x05'">>'"$'\\n'
zpty -r inner seen $'*\\n<<*>>*'
print -r -- "\${seen##*$'\\n'<<}"
zpty -d inner`;
    const { stdout } = runShell('zsh', ['-f', '-c', script]);
    return stdout;
  };

  test('completes commands and account ids', () => {
    expect(typed('calmcp agend')).toMatch(/^calmcp agenda>>/);
    expect(typed('calmcp agenda --account=ho')).toMatch(/^calmcp agenda --account=home>>/);
    expect(typed('calmcp agenda --account wo')).toMatch(/^calmcp agenda --account work>>/);
  }, 60_000);
});

test('nothing but the completion itself loads it', async () => {
  const loaded = await readdir(join(import.meta.dirname, '../../dist'));
  expect(loaded.some((name) => /^candidates-\w+\.js$/.test(name))).toBe(true);
  expect(loaded.some((name) => /^topics-\w+\.js$/.test(name))).toBe(true);
});
