// Installs and builds what is missing or older than its sources, so that `npm run demo` and `npm test` work on a fresh machine.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs a program with our output; ends this process with its status when it fails. */
export function run(program, args, options = {}) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) console.error(`${program}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newest(folder) {
  return Math.max(
    0,
    ...readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .map((entry) => modified(join(entry.parentPath ?? entry.path, entry.name))),
  );
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`calmcp needs Node.js 20.19 or later; this is ${process.versions.node}. Get one at https://nodejs.org`);
  process.exit(1);
}

/** @param witness a package that is there when all of them are */
function installIn(folder, witness, what) {
  const installed = join(folder, 'node_modules', '.package-lock.json');
  if (
    modified(installed) >= modified(join(folder, 'package-lock.json')) &&
    existsSync(join(folder, 'node_modules', witness))
  )
    return;
  console.error(`Installing ${what} (npm ci) …`);
  // npm_execpath is the npm that runs this script; stdout stays free for what was asked for.
  const npm = process.env.npm_execpath;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];
  const options = { cwd: folder, stdio: ['ignore', 2, 2] };
  if (npm) run(process.execPath, [npm, ...args], options);
  else run('npm', args, { ...options, shell: process.platform === 'win32' });
}

export function installMissing() {
  checkNode();
  installIn(root, 'esbuild', 'dependencies');
}

/** The real child servers, for tests alone: a third of a gigabyte. */
export function installChildren() {
  installIn(join(root, 'test', 'children'), '@cocal', 'the child servers of the tests');
}

export function buildMissing() {
  const built = modified(join(root, 'dist', 'main.js'));
  const sources = Math.max(
    newest(join(root, 'src')),
    modified(join(root, 'package.json')),
    modified(join(root, 'accounts.example.yaml')),
    modified(join(root, 'scripts', 'build.mjs')),
  );
  if (built < sources) run(process.execPath, [join(root, 'scripts', 'build.mjs')]);
}
