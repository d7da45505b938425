import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { Temporal } from 'temporal-polyfill';
import { describe, expect, test } from 'vitest';
import { suggest } from '../../src/cli/help/suggest.ts';
import { TOPICS } from '../../src/cli/help/topics.ts';
import { createProgram } from '../../src/cli/run.ts';
import type { Shell } from '../../src/cli/shell.ts';
import { ERRORS } from '../../src/core/errors.ts';
import { parseRange } from '../../src/core/range.ts';
import { parseRecurrence } from '../../src/core/recurrence.ts';
import { providers } from '../../src/providers/index.ts';
import { cli, NOW, temporaryFolder } from '../harness.ts';

const root = join(import.meta.dirname, '../..');

interface Open {
  readonly program: Command;
  /** What was printed. */
  readonly text: () => string;
}

/** All commands, none of which does anything. */
async function openProgram(): Promise<Open> {
  let text = '';
  const output = {
    isTerminal: false,
    write(added: string): void {
      text += added;
    },
  };
  const shell: Shell = {
    env: {},
    cwd: '/',
    home: '/',
    platform: 'linux',
    version: '0',
    packageFolder: root,
    program: { node: 'node', script: 'main.js' },
    stdout: output,
    stderr: output,
    systemTimeZone: 'UTC',
    fetch: () => Promise.reject(new TypeError('nobody asks here')),
    providers,
    interrupted: new AbortController().signal,
    readLine: async () => '',
    stdinEnded: async () => undefined,
  };
  return { program: await createProgram(shell, async () => undefined), text: () => text };
}

interface Leaf {
  /** The words that lead to it. */
  readonly words: readonly string[];
  readonly command: Command;
}

function leavesOf(command: Command, words: readonly string[] = []): readonly Leaf[] {
  const below = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => command.commands.includes(each));
  return below.length === 0 ? [{ words, command }] : below.flatMap((each) => leavesOf(each, [...words, each.name()]));
}

const leaves = leavesOf((await openProgram()).program);
const groups = [...new Set(leaves.flatMap(({ words }) => (words.length > 1 ? [words[0] ?? ''] : [])))];

async function helpOf(words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await cli(await temporaryFolder(), [...words, '--help']);
  expect([status, stderr]).toEqual([0, '']);
  return stdout;
}

/** The indented lines of a text that run calmcp. */
const examplesIn = (text: string): readonly string[] =>
  text.split('\n').filter((line) => /^ {2,}(?:\S.* )?(?:[A-Z_]+=\S+ )*(?:source <\()?calmcp(?: |$)/.test(line));

const examplesOf = (help: string): readonly string[] => examplesIn(help.slice(help.search(/\nExamples?[:,]/)));

/** The words behind `calmcp`, as a shell would split them: without comments, pipes and redirections. */
function argvOf(line: string): readonly string[] {
  const words: string[] = [];
  // What a line says beside a command stands at some distance.
  const rest = line
    .slice(line.search(/calmcp(?: |$)/))
    .replace(/^calmcp/, '')
    .replace(/ {3,}.*$/, '');
  for (const [, single, double, plain] of rest.matchAll(/\s+(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|(\S+))|\S/g)) {
    const word = single ?? double ?? plain;
    if (word === undefined || (plain !== undefined && /^(?:[#|>&]|\|\|)/.test(plain))) break;
    words.push(plain === undefined ? word : plain.replace(/\)$/, ''));
    if (plain?.endsWith(')')) break;
  }
  return words;
}

/** @returns the command that the words lead to, when all of them are understood */
async function understood(words: readonly string[]): Promise<string> {
  const { program, text } = await openProgram();
  let ran = '';
  program.hook('preAction', (_program, command) => {
    const path: string[] = [];
    for (let at: Command | null = command; at?.parent; at = at.parent) path.unshift(at.name());
    ran = path.join(' ');
  });
  await program.parseAsync([...words], { from: 'user' }).catch((thrown: unknown) => {
    if (!(thrown instanceof CommanderError) || thrown.exitCode !== 0) throw new Error(`${words.join(' ')}: ${text()}`);
    ran = 'help';
  });
  return ran;
}

describe('every command', () => {
  test('there are as many as there were, at least', () => {
    expect(leaves.length).toBeGreaterThan(22);
  });

  test.each(leaves.map(({ words, command }) => [words.join(' '), words, command] as const))(
    '%s says in one line what it does, describes itself, and has examples that work',
    async (name, words, command) => {
      expect(command.summary()).toMatch(/^\S.{5,70}[^.]$/);
      expect(command.description()).toMatch(/\.$/);
      const help = await helpOf(words);
      expect(help).toMatch(/^Usage: calmcp /);
      expect(help).toMatch(/\nExamples?[:,]/);
      const examples = examplesOf(help);
      const ran = await Promise.all(examples.map((line) => understood(argvOf(line))));
      expect(ran.some((command) => command === name)).toBe(true);
    },
  );

  test.each(groups)('the group %s has an example too', async (group) => {
    const examples = examplesOf(await helpOf([group]));
    expect(examples.length).toBeGreaterThan(0);
    for (const line of examples) expect(await understood(argvOf(line))).not.toBe('');
  });

  test('its help lists the options for all commands that it has a use for, and no other', async () => {
    expect(await helpOf(['agenda'])).toMatch(/--time-zone <zone>/);
    const mcp = await helpOf(['mcp']);
    expect(mcp).toMatch(/--config <path>/);
    expect(mcp).not.toMatch(/--json|--time-zone|--account/);
  });

  test('is in a group of the help of calmcp, whose examples work', async () => {
    const help = await helpOf([]);
    const listed = help.slice(0, help.indexOf('Examples:'));
    for (const command of (await openProgram()).program.commands.filter((each) => !each.name().startsWith('__')))
      expect(listed).toMatch(new RegExp(`:\\n(?: .*\\n)* {2}${command.name()} `));
    expect(listed).not.toMatch(/^Commands:/m);
    for (const line of examplesOf(help)) expect(await understood(argvOf(line))).not.toBe('');
  });
});

test('examples that are wrong are noticed', async () => {
  await expect(understood(argvOf('  calmcp agenda --nope'))).rejects.toThrow(/unknown option/);
  await expect(understood(argvOf('  calmcp find-time next week'))).rejects.toThrow(/required option/);
  expect(argvOf('  X=1 calmcp search "a b" --json | jq .x # so')).toEqual(['search', 'a b', '--json']);
});

describe('help', () => {
  const run = async (...words: string[]): ReturnType<typeof cli> => cli(await temporaryFolder(), ['help', ...words]);

  test('alone is that of calmcp; of a command, what --help says', async () => {
    expect((await run()).stdout).toBe(await helpOf([]));
    expect((await run('agenda')).stdout).toBe(await helpOf(['agenda']));
    const add = await run('accounts', 'add');
    expect(add).toMatchObject({ status: 0, stdout: await helpOf(['accounts', 'add']) });
    expect(add.stdout).toContain('--client-id');
  });

  test('topics lists all of them', async () => {
    const { status, stdout } = await run('topics');
    expect(status).toBe(0);
    for (const { name, summary } of TOPICS) expect(stdout).toMatch(new RegExp(`^  ${name} +${summary}$`, 'm'));
    for (const name of 'ranges accounts audiences exit-status files writing clients scripts recurrence'.split(' '))
      expect(TOPICS.map((topic) => topic.name)).toContain(name);
  });

  test.each(TOPICS.map((topic) => [topic.name, topic] as const))(
    '%s is text for a terminal, whose commands exist and whose references lead somewhere',
    async (name, topic) => {
      const { status, stdout } = await run(name);
      expect([status, stdout.split('\n')[0]]).toEqual([0, `${name}: ${topic.summary}`]);
      const isTooLong = (line: string): boolean => line.length > 80 && !/calmcp report/.test(line);
      expect(stdout.split('\n').filter(isTooLong)).toEqual([]);
      for (const line of examplesIn(topic.text)) expect(await understood(argvOf(line))).not.toBe('');
      for (const [, other] of topic.text.matchAll(/calmcp help ([\w-]+)/g))
        expect(TOPICS.map((each) => each.name)).toContain(other);
      for (const [path] of topic.text.matchAll(/docs\/[\w/.-]*\w/g))
        expect([path, existsSync(join(root, path))]).toEqual([path, true]);
    },
  );

  test('of a topic that is called like a command names the command', async () => {
    expect((await run('accounts')).stdout).toMatch(/\nThe command of that name: calmcp accounts --help\n$/);
  });

  test.each<[string[], string]>([
    [['rangs'], 'calmcp help ranges'],
    [['exit'], 'calmcp help exit-status'],
    [['agneda'], 'calmcp help agenda'],
    [['accounts', 'remvoe'], 'calmcp help accounts remove'],
    [['xyzzy'], 'calmcp help topics'],
  ])('of %j, which is nothing, says what may be meant', async (words, meant) => {
    const { status, stdout, stderr } = await run(...words);
    expect([status, stdout]).toEqual([64, '']);
    expect(stderr).toContain(meant);
  });
});

describe('a word that was mistyped', () => {
  test.each<[string[], RegExp]>([
    [['agneda'], /unknown command 'agneda'\n\(Did you mean agenda\?\)/],
    [['report', 'freebsuy'], /Did you mean freebusy\?/],
    [['agenda', '--include-declind'], /Did you mean --include-declined\?/],
  ])('%j is answered with the one that may be meant', async (args, says) => {
    const { status, stderr } = await cli(await temporaryFolder(), args);
    expect(status).toBe(64);
    expect(stderr).toMatch(says);
  });

  test('is told from one that means something else', () => {
    expect(suggest('ragnes', ['ranges', 'files'])).toEqual(['ranges']);
    expect(suggest('scri', ['scripts', 'recurrence'])).toEqual(['scripts']);
    expect(suggest('banana', ['ranges', 'files'])).toEqual([]);
    expect(suggest('', ['ranges'])).toEqual([]);
  });
});

describe('topics are true', () => {
  const textOf = (name: string): string => TOPICS.find((topic) => topic.name === name)?.text ?? '';

  test('ranges: every one that is listed is a range', () => {
    const [, list = ''] = /needed\.\n\n([\s\S]*?)\n\n/.exec(textOf('ranges')) ?? [];
    const ranges = list.split('\n').flatMap((line) => line.trim().split(/ {3,}/)[0]?.split('  ') ?? []);
    expect(ranges.length).toBeGreaterThan(18);
    for (const range of ranges)
      expect(() => parseRange({ range }, { now: Temporal.Instant.from(NOW), timeZone: 'UTC' })).not.toThrow();
  });

  test('exit-status: every code, with its number', () => {
    for (const [code, { exit }] of Object.entries(ERRORS))
      expect([code, textOf('exit-status')]).toEqual([
        code,
        expect.stringMatching(new RegExp(`^  ${exit} .*${code}`, 'm')),
      ]);
  });

  test('recurrence: every rule and every word is read', () => {
    const rules = [...textOf('recurrence').matchAll(/^ {2}(FREQ=\S+)/gm)].map(([, rule]) => rule ?? '');
    expect(rules.length).toBeGreaterThan(7);
    for (const rule of [...rules, 'daily', 'weekdays', 'weekly', 'monthly', 'yearly'])
      expect(() => parseRecurrence(rule)).not.toThrow();
  });
});
