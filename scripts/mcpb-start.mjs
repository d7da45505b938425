// What a desktop program starts when calmcp is installed as a bundle (scripts/mcpb.mjs). `calmcp mcp`, with three habits of
// Claude Desktop kept away from it:
// - a setting that was left empty comes as it stands in the manifest, ${user_config.…}
//   (https://github.com/stickerdaniel/linkedin-mcp-server/issues/678);
// - variables of the manifest may not arrive, and arguments that nobody gave may
//   (https://github.com/modelcontextprotocol/mcpb/issues/297, https://github.com/dynatrace-oss/dynatrace-mcp/pull/408);
// - its own Node.js is a part of Electron, which on macOS neither loads a native module that somebody else signed nor runs a
//   helper process, and so reaches no keychain (https://github.com/modelcontextprotocol/mcpb/issues/229,
//   https://github.com/evoila/meho/issues/3341). A Node.js of this machine does.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WINDOWS = process.platform === 'win32';
const program = fileURLToPath(new URL('./dist/main.js', import.meta.url));
const { engines } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8'));

function setting(name) {
  const prefix = `--${name}=`;
  const value = process.argv.find((argument) => argument.startsWith(prefix))?.slice(prefix.length) ?? '';
  return /^\$\{.*\}$/.test(value) ? '' : value;
}

function programArguments() {
  const config = setting('config');
  return [
    'mcp',
    ...(config === '' ? [] : ['--config', config]),
    ...(setting('read-only') === 'true' ? ['--read-only'] : []),
  ];
}

const numbersOf = (version) => (version.match(/\d+/g) ?? []).map(Number);

function isNewEnough(version) {
  const [major = 0, minor = 0] = numbersOf(version);
  const [leastMajor = 0, leastMinor = 0] = numbersOf(engines.node);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

/** Where a Node.js may be that the PATH of a program with windows does not name. */
function usualFolders() {
  if (WINDOWS) return [join(process.env.ProgramFiles ?? 'C:\\Program Files', 'nodejs')];
  const versions = join(homedir(), '.nvm', 'versions', 'node');
  const ofNvm = existsSync(versions) ? readdirSync(versions) : [];
  const newestFirst = ofNvm.sort((one, other) => other.localeCompare(one, 'en', { numeric: true }));
  return [
    '/opt/homebrew/bin',
    '/usr/local/bin',
    '/usr/bin',
    join(homedir(), '.volta', 'bin'),
    ...newestFirst.map((version) => join(versions, version, 'bin')),
  ];
}

function findNode() {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...onPath, ...usualFolders()]
    .map((folder) => join(folder, WINDOWS ? 'node.exe' : 'node'))
    .find((file) => {
      if (!existsSync(file)) return false;
      const asked = { encoding: 'utf8', timeout: 5_000, windowsHide: true };
      const { status, stdout } = spawnSync(file, ['-p', 'process.versions.node'], asked);
      return status === 0 && isNewEnough(stdout);
    });
}

/** In another process: Electron has no real stdin to hand on, so everything goes through pipes. */
function runWith(node) {
  const server = spawn(node, [program, ...programArguments()], { windowsHide: true });
  process.stdin.pipe(server.stdin);
  server.stdout.pipe(process.stdout);
  server.stderr.pipe(process.stderr);
  // One that ends closes its pipe; `close` below has the verdict.
  server.stdin.on('error', () => undefined);
  server.once('error', (error) => {
    process.stderr.write(`calmcp: ${node} could not be started (${error.code ?? error.message})\n`);
    process.exit(1);
  });
  server.once('close', (status) => process.exit(status ?? 1));
}

async function runHere() {
  process.argv = [process.argv[0], program, ...programArguments()];
  await import(new URL('./dist/main.js', import.meta.url).href);
}

const other = process.versions.electron === undefined ? undefined : findNode();
if (process.versions.electron !== undefined && other === undefined)
  process.stderr.write(
    `calmcp: no Node.js ${engines.node} was found, so this runs inside the desktop program, which may reach no keychain. Get one at https://nodejs.org\n`,
  );
if (other === undefined) await runHere();
else runWith(other);
