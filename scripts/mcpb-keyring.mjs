// The one thing that the bundle has in node_modules: the keychain library, with its native parts for all desktops. Six of them
// are 12 MB, 4 MB packed: one file for everybody is worth that.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npm } from './prepare.mjs';

export const KEYRING = '@napi-rs/keyring';
/** Of glibc alone: there is no desktop program for musl. */
const DESKTOP = /-(darwin|win32|linux)-(x64|arm64)(-msvc|-gnu)?$/;
/** What only developers read. */
const NOT_NEEDED = ['keytar.js', 'keytar.d.ts', 'index.d.ts', 'README.md'];

const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'));

/**
 * Installs it, at the version and with the checksums of our lock file.
 * @param folder gets node_modules and a package.json
 * @param lockedIn folder of package-lock.json
 */
export function installKeyring(folder, lockedIn, packageJson) {
  const locked = readJson(lockedIn, 'package-lock.json').packages;
  const { version, optionalDependencies } = locked[`node_modules/${KEYRING}`];
  const native = Object.keys(optionalDependencies).filter((name) => DESKTOP.test(name));
  const { name, license, engines, type } = packageJson;
  const bundled = { name, version: packageJson.version, license, engines, type, dependencies: { [KEYRING]: version } };
  const all = { ...bundled.dependencies, ...Object.fromEntries(native.map((one) => [one, optionalDependencies[one]])) };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: all }));
  // --force: npm refuses packages of other systems otherwise.
  npm(['install', '--force', '--ignore-scripts', '--omit=optional', '--no-package-lock'], { cwd: folder });

  const installed = readJson(folder, 'node_modules', '.package-lock.json').packages;
  for (const path of Object.keys(all).map((one) => `node_modules/${one}`))
    if (installed[path]?.integrity === undefined || installed[path].integrity !== locked[path]?.integrity)
      throw new Error(`${path} is not the one of package-lock.json`);

  for (const file of NOT_NEEDED) rmSync(join(folder, 'node_modules', KEYRING, file), { force: true });
  for (const one of native) rmSync(join(folder, 'node_modules', one, 'README.md'), { force: true });
  rmSync(join(folder, 'node_modules', '.package-lock.json'));
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(bundled, undefined, 2)}\n`);
}
