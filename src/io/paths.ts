/** Where calmcp keeps its files, platform by platform. */
import { join, resolve } from 'node:path';

export interface PathsInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
  readonly cwd: string;
  /** `--config` of the command line: wins over the environment. */
  readonly config?: string | undefined;
}

export interface Paths {
  readonly configFile: string;
  /** Sealed token caches and their like; 0700. */
  readonly stateFolder: string;
}

function platformFolders({ env, platform, home }: PathsInput): { config: string; state: string } {
  if (platform === 'win32') {
    const config = env.APPDATA || join(home, 'AppData', 'Roaming');
    return { config: join(config, 'calmcp'), state: join(env.LOCALAPPDATA || config, 'calmcp', 'state') };
  }
  if (platform === 'darwin') {
    const folder = join(home, 'Library', 'Application Support', 'calmcp');
    return { config: folder, state: join(folder, 'state') };
  }
  // XDG Base Directory Specification 0.8: a relative path in these variables is to be ignored.
  const absolute = (value: string | undefined, fallback: string): string => (value?.startsWith('/') ? value : fallback);
  return {
    config: join(absolute(env.XDG_CONFIG_HOME, join(home, '.config')), 'calmcp'),
    state: join(absolute(env.XDG_STATE_HOME, join(home, '.local', 'state')), 'calmcp'),
  };
}

/** `CALMCP_CONFIG`, `CALMCP_HOME` and the platform's folders, in that order. */
export function resolvePaths(input: PathsInput): Paths {
  const { env, cwd } = input;
  const ownFolder = env.CALMCP_HOME ? resolve(cwd, env.CALMCP_HOME) : undefined;
  const platform = platformFolders(input);
  const configured = input.config || env.CALMCP_CONFIG;
  return {
    configFile: configured ? resolve(cwd, configured) : join(ownFolder ?? platform.config, 'accounts.yaml'),
    stateFolder: ownFolder ? join(ownFolder, 'state') : platform.state,
  };
}
