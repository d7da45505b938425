// Installs and builds what is missing or older than its sources, so that `npm run demo` and `npm test` work on a fresh machine.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
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

/** Whether all that its package.json asks for is there: an installation that was cut short leaves some of it. */
function isInstalled(folder) {
  const record = join(folder, 'node_modules', '.package-lock.json');
  if (modified(record) < modified(join(folder, 'package-lock.json'))) return false;
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.keys({ ...dependencies, ...devDependencies }).every((name) =>
    existsSync(join(folder, 'node_modules', name)),
  );
}

/** Runs the npm that runs this script, with its stdout on our stderr: stdout stays free for what was asked for. */
export function npm(args, options) {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];
  const withOutput = { stdio: ['ignore', 2, 2], ...options };
  const { npm_execpath: program } = process.env;
  if (program) run(process.execPath, [program, ...args, ...quiet], withOutput);
  else run('npm', [...args, ...quiet], { ...withOutput, shell: process.platform === 'win32' });
}

/** One that is a link is somebody else's: npm would empty the folder that it leads to. */
const isBorrowed = (modules) => lstatSync(modules, { throwIfNoEntry: false })?.isSymbolicLink() === true;

function installIn(folder, what) {
  if (isBorrowed(join(folder, 'node_modules')) || isInstalled(folder)) return;
  console.error(`Installing ${what} (npm ci) …`);
  npm(['ci'], { cwd: folder });
}

export function installMissing() {
  checkNode();
  installIn(root, 'dependencies');
}

/** Packages of tests alone, each lot with a folder and a lock file of its own: `npm run demo` does not fetch them. */
const TEST_PACKAGES = {
  /** A third of a gigabyte. */
  children: 'the child servers of the tests',
  clients: 'the MCP clients of the tests',
  packaging: 'what checks the packages',
};

/** @param names folders of `test/`; those that have no package.json are passed over */
export function installTestPackages(names = Object.keys(TEST_PACKAGES)) {
  for (const name of names) {
    const folder = join(root, 'test', name);
    if (existsSync(join(folder, 'package.json'))) installIn(folder, TEST_PACKAGES[name]);
  }
}

/** The real child servers, which benchmarks and kill rounds use too. */
export const installChildren = () => installTestPackages(['children']);

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
