/** What a client is told about calmcp. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readTextFile } from '../../io/read-file.ts';
import type { Shell } from '../shell.ts';
import type { McpClient } from './clients.ts';
import { type EntryOptions, optionArguments } from './entry-options.ts';
import { isCarried, type Variables } from './entry-variables.ts';

export interface Entry {
  readonly type?: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Without symbolic links: npm's bin is one, and so is what a version manager puts first in PATH. */
const realPathOf = (path: string): Promise<string> => realpath(path).catch(() => path);

/** What the entry of this calmcp starts. */
export const scriptOf = ({ program }: Shell): Promise<string> => realPathOf(program.script);

export async function makeEntry(
  shell: Shell,
  client: McpClient,
  options: EntryOptions,
  variables: Variables,
): Promise<Entry> {
  const { program } = shell;
  const [command, script] = await Promise.all([realPathOf(program.node), scriptOf(shell)]);
  return {
    ...(client.withType ? { type: 'stdio' } : {}),
    command,
    args: [script, 'mcp', ...optionArguments(options)],
    ...(Object.keys(variables).length === 0 ? {} : { env: variables }),
  };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Whether an entry starts calmcp: from wherever, however somebody wrote it. */
export async function isCalmcp(entry: unknown, script: string): Promise<boolean> {
  if (!isRecord(entry) || typeof entry.command !== 'string' || !Array.isArray(entry.args)) return false;
  const args = entry.args.filter((argument) => typeof argument === 'string');
  const [first = '', second] = args;
  const program = entry.command.split(/[\\/]/).at(-1) ?? '';
  if (/^calmcp(?:\.cmd|\.exe|\.ps1)?$/i.test(program)) return args.includes('mcp');
  if (/^(?:npx|pnpx|bunx|npm|pnpm)(?:\.cmd|\.exe)?$/i.test(program))
    return args.includes('mcp') && args.some((argument) => /^calmcp(?:@|$)/.test(argument));
  if (second !== 'mcp' || !/main\.js$/.test(first)) return false;
  if (first === script || /[\\/]calmcp[\\/](?:.*[\\/])?main\.js$/.test(first)) return true;
  // A checkout may be called anything.
  const manifest = await readTextFile(join(dirname(first), '..', 'package.json'), 65_536).catch(() => undefined);
  try {
    return manifest !== undefined && (JSON.parse(manifest) as { name?: unknown }).name === 'calmcp';
  } catch {
    return false;
  }
}

/** The new entry with what the person has added to the old one: another variable, `disabled`, a time limit. */
export function mergeEntry(before: unknown, entry: Entry): Readonly<Record<string, unknown>> {
  if (!isRecord(before)) return { ...entry };
  const { command: _command, args: _args, type: _type, env: oldEnv, ...rest } = before;
  const others = Object.entries(isRecord(oldEnv) ? oldEnv : {}).filter(([name]) => !isCarried(name));
  const { env: newEnv, ...head } = entry;
  const env = { ...newEnv, ...Object.fromEntries(others) };
  const merged = { ...head, ...(Object.keys(env).length === 0 && oldEnv === undefined ? {} : { env }), ...rest };
  return isDeepStrictEqual(merged, before) ? before : merged;
}

const RUN_ONCE = /[\\/](?:_npx|dlx(?:-[^\\/]+)?|bunx-[^\\/]+)[\\/]/;
const VERSION = /(?:^|[-_@])v?\d+\.\d+\.\d+/;

/** What may go wrong later with the paths of an entry. */
export function warningsOf({ command, args }: Entry, id: string, name: string): readonly string[] {
  const [script = ''] = args;
  const again = `calmcp install ${id}${name === 'calmcp' ? '' : ` --name ${name}`}`;
  if (RUN_ONCE.test(script))
    return [
      `calmcp runs from a cache (${dirname(script)}) that may be emptied at any time. Run: npm install --global calmcp, then ${again}`,
    ];
  const versioned = [command, script].filter((path) => path.split(/[\\/]/).some((part) => VERSION.test(part)));
  if (versioned.length === 0) return [];
  const what = versioned.map((path) => basename(path)).join(' and ');
  return [`The path of ${what} names a version. When that version goes, run again: ${again}`];
}
