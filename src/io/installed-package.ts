/** Packages that a person may have installed beside calmcp. They are looked for, and never downloaded. */
import { readFile, realpath } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';

export interface InstalledPackage {
  /** File of its program. */
  readonly entry: string;
  readonly version: string;
}

interface PackageFile {
  readonly name?: string;
  readonly version?: string;
  readonly bin?: string | Readonly<Record<string, string>>;
}

async function readPackage(folder: string, name: string, bin: string): Promise<InstalledPackage | undefined> {
  try {
    const file = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as PackageFile;
    const program = typeof file.bin === 'string' ? file.bin : file.bin?.[bin];
    if (file.name !== name || program === undefined) return undefined;
    return { entry: join(folder, program), version: file.version ?? '' };
  } catch {
    return undefined;
  }
}

/** The folders that could be the package of a file, innermost first. */
function* foldersAround(file: string): Generator<string> {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    yield folder;
    if (folder === dirname(folder)) return;
  }
}

/**
 * Beside calmcp (both installed with `npm i -g`, or in one project), or where PATH leads to its program.
 * @param from a file of calmcp's own
 * @param path PATH of the environment
 */
export async function findPackage(
  { name, bin }: { readonly name: string; readonly bin: string },
  { from, path }: { readonly from: string; readonly path: string | undefined },
): Promise<InstalledPackage | undefined> {
  for (const folder of createRequire(from).resolve.paths(name) ?? []) {
    const found = await readPackage(join(folder, name), name, bin);
    if (found !== undefined) return found;
  }
  for (const folder of (path ?? '').split(delimiter).filter((each) => each !== '')) {
    // A link on Linux and macOS; on Windows a script that lies beside the node_modules of all global packages.
    const link = await realpath(join(folder, bin)).catch(() => undefined);
    const candidates = [...(link === undefined ? [] : foldersAround(link)), join(folder, 'node_modules', name)];
    for (const candidate of candidates) {
      const found = await readPackage(candidate, name, bin);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
