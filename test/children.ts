/** The real child servers, which `npm test` installs in a workspace of their own, led to a sandbox. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Sandbox } from '../src/sandbox/index.ts';

const workspace = createRequire(join(import.meta.dirname, 'children', 'package.json'));
const redirect = new URL('./fakes/redirect.mjs', import.meta.url).href;

const ENTRIES = {
  'ms-365': ['@softeria/ms-365-mcp-server', 'dist/index.js'],
  'google-calendar': ['@cocal/google-calendar-mcp', 'build/index.js'],
} as const;

export type RealServer = keyof typeof ENTRIES;

/** What runs one of them with all that it asks of its vendor sent to the sandbox. */
export function commandOf(
  server: RealServer,
  { origin }: Pick<Sandbox, 'origin'>,
  /** What the preload is told besides: see redirect.mjs. */
  told: Readonly<Record<string, string>> = {},
): string[] {
  const [name, entry] = ENTRIES[server];
  const folder = join(workspace.resolve(`${name}/package.json`), '..');
  const preload = `${redirect}?${new URLSearchParams({ origin, ...told })}`;
  return [process.execPath, '--import', preload, join(folder, entry)];
}

/** A `child:` line of accounts.yaml. */
export function childLine(
  server: RealServer,
  sandbox: Pick<Sandbox, 'origin'>,
  more: Readonly<Record<string, string | number>> = {},
  told: Readonly<Record<string, string>> = {},
): string {
  return `child: ${JSON.stringify({ server, ...more, command: commandOf(server, sandbox, told) })}`;
}

/** accounts.yaml with these accounts read through a child server. @param line see {@link childLine} */
export function withChild(accountsYaml: string, line: string, ids: readonly string[]): string {
  return ids.reduce((yaml, id) => {
    const changed = yaml.replace(`\n  ${id}:\n`, `\n  ${id}:\n    ${line}\n`);
    if (changed === yaml) throw new RangeError(`no account ${id}`);
    return changed;
  }, accountsYaml);
}
