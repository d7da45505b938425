/** What a service of the system starts: this calmcp, with what it must know of this shell. */
import { realpath } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { CalmcpError } from '../../core/errors.ts';
import type { Paths } from '../../io/paths.ts';
import type { Shell } from '../shell.ts';

export interface ServiceProgram {
  /** Node.js, the main script, and what follows it. */
  readonly node: string;
  readonly script: string;
  readonly args: readonly string[];
  /** In the order of their names. */
  readonly variables: Readonly<Record<string, string>>;
  readonly home: string;
  readonly stateFolder: string;
}

/** Paths: a service starts in another folder. */
const PATHS = ['CALMCP_HOME', 'CALMCP_PASSPHRASE_FILE', 'NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE'];
/** Words. A daemon in another zone than its clients would not be asked by them. */
const WORDS = ['CALMCP_KEYSTORE', 'CALMCP_LOG', 'TZ', 'SSL_CERT_DIR', 'NODE_USE_SYSTEM_CA', 'NODE_USE_ENV_PROXY'];
/** Ignored by Node.js without NODE_USE_ENV_PROXY. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];
/** These are ignored where they are relative: XDG Base Directory Specification 0.8. */
const FOLDERS = ['XDG_CONFIG_HOME', 'XDG_STATE_HOME'];

// None of the three kinds of file can say them, or not in all places.
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
const UNTELLABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufffe\uffff]|\p{Cs}/u;

/** @throws CalmcpError CONFIG_INVALID where no file of a service can hold it */
function requireTellable(what: string, value: string): string {
  if (!UNTELLABLE.test(value)) return value;
  throw new CalmcpError('CONFIG_INVALID', `${what} has a character that the file of a service cannot hold`, {
    hint: 'it must be without line breaks and other control characters',
  });
}

/** Whether an address names a user, and so most likely a password. */
const hasCredentials = (value: string): boolean => value.includes('@');

/** Those of the environment that go along only where they hold no password. */
export function proxiesWithPassword({ env }: Pick<Shell, 'env'>): readonly string[] {
  return env.NODE_USE_ENV_PROXY ? PROXIES.filter((name) => hasCredentials(env[name] ?? '')) : [];
}

/** Where child servers and token commands are looked for. */
function searchPath(env: Shell['env'], node: string): string {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => isAbsolute(folder) && !UNTELLABLE.test(folder));
  // `#!/usr/bin/env node` of a program of theirs.
  return [...new Set([...folders, dirname(node)])].join(delimiter);
}

/** What the command line says that is a variable for a service. */
interface Given {
  readonly config?: string | undefined;
  readonly log?: string | undefined;
  /** Goes to `calmcp daemon run`, which checks it. */
  readonly pauseOn?: string | undefined;
}

function variablesFor(
  { env: ownEnv, cwd, platform }: Shell,
  { configFile }: Paths,
  { config, log }: Given,
  node: string,
): ServiceProgram['variables'] {
  const env = log === undefined ? ownEnv : { ...ownEnv, CALMCP_LOG: log };
  const given = (names: readonly string[]): [string, string][] =>
    names.flatMap((name) => (env[name] ? [[name, env[name]] as [string, string]] : []));
  const all = [
    ...given(PATHS).map(([name, value]) => [name, resolve(cwd, value)] as const),
    ...given(WORDS),
    ...(env.NODE_USE_ENV_PROXY ? given(PROXIES).filter(([, value]) => !hasCredentials(value)) : []),
    // Windows gives a task the variables of its person, PATH among them.
    ...(platform === 'win32' ? [] : given(FOLDERS).filter(([, value]) => isAbsolute(value))),
    ...(platform === 'win32' ? [] : [['PATH', searchPath(env, node)] as const]),
    ...(config || env.CALMCP_CONFIG ? [['CALMCP_CONFIG', configFile] as const] : []),
  ];
  return Object.fromEntries(
    all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [name, requireTellable(name, value)]),
  );
}

const segmentsOf = (path: string): readonly string[] => path.split(/[\\/]/);
/** `v20.19.0`, `node@22`'s folder `22.1.0`, `nodejs-20.1.0`; and the folder of one shell, which goes with it. */
const isPassing = (path: string): boolean =>
  segmentsOf(path).some((part) => /(?:^|[-_@])v?\d+\.\d+\.\d+/.test(part) || part === 'fnm_multishells');

const realPathOf = (path: string): Promise<string> => realpath(path).catch(() => path);

/**
 * Node.js under a name that stays: a package manager's link (`/opt/homebrew/bin/node`) outlives the folder of a version that
 * it leads to.
 */
async function lastingNode({ env, platform, program }: Shell): Promise<string> {
  const real = await realPathOf(program.node);
  if (!isPassing(real)) return real;
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const link = join(folder, platform === 'win32' ? 'node.exe' : 'node');
    if (isAbsolute(folder) && !isPassing(link) && (await realpath(link).catch(() => '')) === real) return link;
  }
  return real;
}

/** @throws CalmcpError CONFIG_INVALID for what the file of a service cannot hold */
export async function serviceProgram(shell: Shell, paths: Paths, options: Given): Promise<ServiceProgram> {
  const [node, script] = await Promise.all([lastingNode(shell), realPathOf(shell.program.script)]);
  return {
    node: requireTellable('the path of Node.js', node),
    script: requireTellable('the path of calmcp', script),
    args: [
      ...['daemon', 'run', '--service'],
      ...(options.pauseOn === undefined ? [] : ['--pause-on', requireTellable('--pause-on', options.pauseOn)]),
    ],
    variables: variablesFor(shell, paths, options, node),
    home: requireTellable('the home folder', shell.home),
    stateFolder: requireTellable('the state folder', paths.stateFolder),
  };
}

/** Where a version manager keeps what it removes with a version. */
const MANAGERS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['fnm', /[\\/](?:fnm_multishells|node-versions)[\\/]/],
  ['nvm', /[\\/]\.?nvm[\\/]/i],
  ['Volta', /[\\/]\.?volta[\\/]/i],
  ['asdf', /[\\/]\.asdf[\\/]/],
  ['mise', /[\\/]mise[\\/]/],
  ['nodenv', /[\\/]\.nodenv[\\/]/],
  ['nvs', /[\\/]\.?nvs[\\/]/],
  ['Homebrew', /[\\/]Cellar[\\/]/],
];
const RUN_ONCE = /[\\/](?:_npx|dlx(?:-[^\\/]+)?|bunx-[^\\/]+)[\\/]/;
const AGAIN = 'calmcp daemon install';

/** What may go wrong later with the paths that are started. */
export function pathWarnings({ node, script }: Pick<ServiceProgram, 'node' | 'script'>): readonly string[] {
  if (RUN_ONCE.test(script))
    return [
      `calmcp runs from a cache (${dirname(script)}) that may be emptied at any time. Run: npm install --global calmcp, then ${AGAIN}`,
    ];
  const passing = [node, script].filter(isPassing);
  if (passing.length === 0) return [];
  const what = passing.map((path) => (path === node ? 'Node.js' : 'calmcp')).join(' and ');
  const [manager] = MANAGERS.find(([, pattern]) => passing.some((path) => pattern.test(path))) ?? [];
  return [
    `${what} ${passing.length > 1 ? 'are' : 'is'} in ${manager === undefined ? 'a folder' : `a folder of ${manager}`} that names a version (${passing.join(', ')}). ` +
      `When that version goes, the service no longer starts: run ${AGAIN} after each change of version.`,
  ];
}
