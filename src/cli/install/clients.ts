/** The MCP clients that `calmcp install` knows, and where each keeps its configuration. */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Shell } from '../shell.ts';

type Machine = Pick<Shell, 'env' | 'home' | 'platform' | 'cwd'>;

/** A file that the client reads, if it is installed there. */
export interface Place {
  readonly file: string;
  /** There when the client is. */
  readonly sign: string;
}

export interface McpClient {
  readonly id: string;
  readonly title: string;
  /** The object of its file that holds the servers. */
  readonly container: string;
  /** Whether an entry says of which kind it is. */
  readonly withType: boolean;
  /** Whether its file may have comments. */
  readonly withComments: boolean;
  /** Where to look, the likeliest first. */
  places(machine: Machine): Promise<readonly Place[]>;
  /** What a person does once it is installed, or taken out. */
  next(name: string): string;
  /** How one that is not there is had. */
  readonly get: string;
}

/** The folder in which desktop programs keep theirs: https://www.electronjs.org/docs/latest/api/app#appgetpathname */
function applicationData({ env, home, platform }: Machine): string {
  if (platform === 'win32') return env.APPDATA || join(home, 'AppData', 'Roaming');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support');
  return env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(home, '.config');
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Claude Desktop for Windows comes as a package, which reads this copy of its folder before the one in %APPDATA%:
 * https://learn.microsoft.com/windows/msix/desktop/desktop-to-uwp-behind-the-scenes#file-system
 */
async function packagedClaude({ env, home, platform }: Machine): Promise<readonly string[]> {
  if (platform !== 'win32') return [];
  const packages = join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'Packages');
  const names = await readdir(packages).catch(() => []);
  return names
    .filter((name) => /^Claude_[a-z0-9]+$/.test(name))
    .sort()
    .map((name) => join(packages, name));
}

const CLAUDE_FILE = 'claude_desktop_config.json';

/** https://modelcontextprotocol.io/docs/develop/connect-local-servers */
const claudeDesktop: McpClient = {
  id: 'claude-desktop',
  title: 'Claude Desktop',
  container: 'mcpServers',
  withType: false,
  withComments: false,
  async places(machine) {
    const packaged = (await packagedClaude(machine)).map((sign) => ({
      file: join(sign, 'LocalCache', 'Roaming', 'Claude', CLAUDE_FILE),
      sign,
    }));
    const used = await Promise.all(packaged.map(({ file }) => isThere(file)));
    const folder = join(applicationData(machine), 'Claude');
    return [
      ...packaged.filter((_place, index) => used[index]),
      ...packaged.filter((_place, index) => !used[index]),
      { file: join(folder, CLAUDE_FILE), sign: folder },
    ];
  },
  next: (name) =>
    `Quit Claude Desktop completely (closing its window is not enough) and start it again. Settings, Developer shows ${name}.`,
  get: 'install it (https://claude.ai/download) and start it once',
};

/** User scope: https://code.claude.com/docs/en/mcp#mcp-installation-scopes */
const claudeCode: McpClient = {
  id: 'claude-code',
  title: 'Claude Code',
  container: 'mcpServers',
  withType: true,
  withComments: false,
  async places({ env, home, cwd }) {
    // https://code.claude.com/docs/en/env-vars
    const own = env.CLAUDE_CONFIG_DIR ? resolve(cwd, env.CLAUDE_CONFIG_DIR) : undefined;
    const file = join(own ?? home, '.claude.json');
    return [
      { file, sign: file },
      { file, sign: own ?? join(home, '.claude') },
    ];
  },
  next: (name) =>
    `Start a new session: claude mcp get ${name} shows the entry, /mcp its state. (It is in user scope: all your projects have it.)`,
  get: 'install it (https://code.claude.com/docs/en/setup) and start it once',
};

/** https://code.visualstudio.com/docs/agents/reference/mcp-configuration; folders as VS Code finds them (userDataPath.ts) */
const vscode: McpClient = {
  id: 'vscode',
  title: 'VS Code',
  container: 'servers',
  withType: true,
  withComments: true,
  async places(machine) {
    const { env } = machine;
    const placeIn = (sign: string): Place => ({ file: join(sign, 'User', 'mcp.json'), sign });
    // https://code.visualstudio.com/docs/editor/portable
    if (env.VSCODE_PORTABLE) return [placeIn(join(env.VSCODE_PORTABLE, 'user-data'))];
    const folder = env.VSCODE_APPDATA || applicationData(machine);
    return ['Code', 'Code - Insiders'].map((product) => placeIn(join(folder, product)));
  },
  next: (name) => `In VS Code, run the command "MCP: List Servers", choose ${name} and start it.`,
  get: 'install it (https://code.visualstudio.com) and start it once',
};

/** https://cursor.com/docs/mcp */
const cursor: McpClient = {
  id: 'cursor',
  title: 'Cursor',
  container: 'mcpServers',
  withType: true,
  withComments: true,
  async places({ home }) {
    const sign = join(home, '.cursor');
    return [{ file: join(sign, 'mcp.json'), sign }];
  },
  next: (name) => `Restart Cursor, and see that ${name} is switched on in its settings, under MCP.`,
  get: 'install it (https://cursor.com) and start it once',
};

export const CLIENTS: readonly McpClient[] = [claudeDesktop, claudeCode, vscode, cursor];

export interface FoundPlace {
  /** The file to write. */
  readonly file: string | undefined;
  readonly lookedAt: readonly string[];
}

/** The first place where the client is. */
export async function findPlace(client: McpClient, machine: Machine): Promise<FoundPlace> {
  const places = await client.places(machine);
  const lookedAt = [...new Set(places.map(({ file }) => file))];
  for (const { file, sign } of places) {
    // The file alone is enough: a folder of dotfiles may hold it before the client was ever started.
    if ((await isThere(sign)) || (await isThere(file))) return { file, lookedAt };
  }
  return { file: undefined, lookedAt };
}
