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
export function commandOf(server: RealServer, { origin }: Pick<Sandbox, 'origin'>): string[] {
  const [name, entry] = ENTRIES[server];
  const folder = join(workspace.resolve(`${name}/package.json`), '..');
  return [process.execPath, '--import', `${redirect}?origin=${encodeURIComponent(origin)}`, join(folder, entry)];
}

/** A `child:` line of accounts.yaml. */
export function childLine(
  server: RealServer,
  sandbox: Pick<Sandbox, 'origin'>,
  more: Readonly<Record<string, string | number>> = {},
): string {
  return `child: ${JSON.stringify({ server, ...more, command: commandOf(server, sandbox) })}`;
}
