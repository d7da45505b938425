/** The package as `npm publish` would send it, and what it does on a machine that has nothing else of calmcp. */
import { execFile, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';

const checkout = join(import.meta.dirname, '../..');
/** What no checkout hands on, and what is too much to copy. */
const LEFT_OUT = /(?:^|[\\/])(?:node_modules|\.git|dist|dist-mcpb|coverage)$/;

export interface Finished {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Where {
  readonly cwd: string;
  /** Besides PATH, all there is. */
  readonly env: Readonly<Record<string, string>>;
}

/** A program with an environment of its own, run to its end. */
export async function runAlone(program: string, args: readonly string[], { cwd, env }: Where): Promise<Finished> {
  const options = { cwd, env: { PATH: process.env.PATH ?? '', ...env }, maxBuffer: 64 * 1024 * 1024 };
  try {
    return { status: 0, ...(await promisify(execFile)(program, args, options)) };
  } catch (thrown) {
    const { code, stdout = '', stderr = '' } = thrown as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw thrown;
    return { status: code, stdout, stderr };
  }
}

const NETWORK = /^(?:https?_proxy|no_proxy|node_extra_ca_certs|ssl_cert_file)$/i;

/** How this machine reaches the registry, and where it keeps what it has downloaded once: no setting of a person. */
export function machineSettings(): Record<string, string> {
  const { stdout } = spawnSync('npm', ['config', 'get', 'cache', 'registry', 'cafile'], {
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const known = stdout.matchAll(/^(cache|registry|cafile)=(?!null$)(.+)$/gm);
  const environment = Object.entries(process.env).filter(([name]) => NETWORK.test(name)) as [string, string][];
  return Object.fromEntries([
    ...environment,
    ...[...known].map(([, name, value = '']) => [`npm_config_${name}`, value] as const),
  ]);
}

/** npm of a person who has set nothing. @param home an empty folder */
export async function npm(args: readonly string[], cwd: string, home: string): Promise<Finished> {
  const settings = join(home, 'npmrc');
  await writeFile(settings, '');
  const { npm_execpath: program } = process.env;
  return runAlone(program ? process.execPath : 'npm', program ? [program, ...args] : args, {
    cwd,
    env: {
      ...machineSettings(),
      HOME: home,
      npm_config_userconfig: settings,
      npm_config_globalconfig: join(home, 'global-npmrc'),
      npm_config_update_notifier: 'false',
    },
  });
}

export interface HandOut {
  readonly tarball: string;
  /** Unpacked, as npm would install it, without its dependencies. */
  readonly packed: string;
  /** The copy of the checkout that it was made in. */
  readonly source: string;
  folder(name: string): Promise<string>;
  end(): Promise<void>;
}

/** Builds and packs a copy of the checkout: other tests run its `dist` meanwhile. */
export async function handOut(): Promise<HandOut> {
  const work = await mkdtemp(join(tmpdir(), 'calmcp-hand-out-'));
  const folder = async (name: string): Promise<string> => {
    const path = join(work, name);
    await mkdir(path, { recursive: true });
    return path;
  };
  const source = join(work, 'source');
  await cp(checkout, source, { recursive: true, filter: (path) => path === checkout || !LEFT_OUT.test(path) });
  await symlink(join(checkout, 'node_modules'), join(source, 'node_modules'), 'junction');
  const to = await folder('tarball');
  const { status, stderr } = await npm(['pack', '--pack-destination', to], source, await folder('pack-home'));
  const [name] = await readdir(to);
  if (status !== 0 || name === undefined) throw new Error(`npm pack: ${stderr}`);
  const tarball = join(to, name);
  // With bsdtar on Windows and macOS, GNU tar elsewhere: https://learn.microsoft.com/virtualization/community/team-blog/2017/20171219-tar-and-curl-come-to-windows
  const unpacked = await runAlone('tar', ['-xzf', tarball, '-C', work], { cwd: work, env: {} });
  if (unpacked.status !== 0) throw new Error(`tar: ${unpacked.stderr}`);
  return {
    tarball,
    packed: join(work, 'package'),
    source,
    folder,
    end: () => rm(work, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** Files below a folder, with `/`, in order. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort();
}

export const readJson = async <T>(...path: string[]): Promise<T> =>
  JSON.parse(await readFile(join(...path), 'utf8')) as T;

/** Pieces of the program whose names change with their content: esbuild's chunks, and the legal comments of those. */
const CHUNK = /^(?:.*\/)?dist\/[\w.-]+-[A-Z0-9]{8}\.js(?:\.LEGAL\.txt)?$/;

export const withoutChunks = (files: readonly string[]): string[] => files.filter((file) => !CHUNK.test(file));

/** What dist/main.js loads sooner or later, and itself. */
export async function loadedFrom(dist: string): Promise<string[]> {
  const found = new Set(['main.js']);
  for (const file of found)
    for (const [, name = ''] of (await readFile(join(dist, file), 'utf8')).matchAll(/["']\.\/([\w.-]+\.js)["']/g))
      found.add(name);
  return [...found].sort();
}
