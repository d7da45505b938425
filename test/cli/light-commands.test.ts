/** What commands load of the bundle: a time says little on a machine that others use as well. */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDaemon, runDaemon, runProgram } from '../daemons.ts';
import { type CliResult, cli, lasting, temporaryFolder, writeAccounts } from '../harness.ts';

const root = join(import.meta.dirname, '../..');
const TZ = 'Europe/Amsterdam';

const ACCOUNTS = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  fixed:
    provider: memory
    events:
      - { title: Sprint review, start: 2026-11-23T10:00, end: 2026-11-23T10:45 }
`;

let home = '';
let program = '';
let metafile: Metafile | undefined;
let end = async (): Promise<void> => undefined;

beforeAll(async () => {
  const { opened, end: remove } = await lasting(temporaryFolder);
  home = opened;
  // As scripts/build.mjs has it, where it says what is in which file.
  ({ metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['src/main.ts'],
    outdir: join(home, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['@napi-rs/keyring'],
    loader: { '.yaml': 'text' },
    metafile: true,
    preserveSymlinks: true,
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
  }));
  program = join(home, 'dist', 'main.js');
  await writeAccounts(home, ACCOUNTS);
  const daemon = await runDaemon(home, { env: { TZ } });
  end = async () => {
    daemon.kill('SIGKILL');
    await daemon.ended;
    await remove();
  };
});

afterAll(() => end());

interface Loaded extends CliResult {
  /** Of calmcp, and packages by their names. */
  readonly sources: readonly string[];
}

let runs = 0;

/** Runs a command, and looks at what V8 had of it in the end. */
async function loadedBy(args: readonly string[]): Promise<Loaded> {
  const coverage = join(home, `coverage-${++runs}`);
  await mkdir(coverage);
  const ran = await runProgram(home, args, { program, env: { TZ, NODE_V8_COVERAGE: coverage } });
  const [report = ''] = await readdir(coverage);
  const { result } = JSON.parse(await readFile(join(coverage, report), 'utf8')) as { result: { url: string }[] };
  const files = result.flatMap(({ url }) => (url.startsWith('file:') ? [fileURLToPath(url)] : []));
  const outputs = new Map(Object.entries(metafile?.outputs ?? {}).map(([path, output]) => [join(root, path), output]));
  const inputs = files.flatMap((file) => Object.keys(outputs.get(file)?.inputs ?? {}));
  const names = inputs.map((input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? input);
  // Chunks without a name are shared code: all of them have to be in the bundle.
  expect(files.filter((file) => !outputs.has(file)).map((file) => relative(home, file).split(sep).join('/'))).toEqual(
    [],
  );
  return { ...ran, sources: [...new Set(names)].sort() };
}

const packagesOf = ({ sources }: Loaded): readonly string[] =>
  sources.filter((source) => !source.startsWith('src/') && source !== 'package.json');

/** What opens accounts and asks them. */
const HEAVY =
  /^src\/(?:providers|accounts|operations|sandbox)\/|^src\/cli\/open-app\.ts$|^(?:zod|yaml|temporal-polyfill)$/;
const heavyIn = ({ sources }: Loaded): readonly string[] =>
  sources.filter((source) => HEAVY.test(source) && source !== 'src/operations/most-items.ts');

describe('the daemon has answered, and the command has loaded neither schemas nor providers nor YAML:', () => {
  test.each([
    ['agenda', 'Sprint review'],
    ['agenda --json', 'Sprint review'],
    ['agenda this week --account fixed --time-zone Asia/Tokyo --ids', 'Sprint review'],
    ['search sprint', 'Sprint review'],
    ['freebusy', '10:00'],
    ['find-time --duration 45m', 'fixed'],
    ['conflicts', 'fixed'],
    ['status', 'fixed'],
  ])('%s', async (words, said) => {
    const loaded = await loadedBy(['--log', 'info', ...words.split(' ')]);
    expect(loaded).toMatchObject({ status: 0, stdout: expect.stringContaining(said) });
    expect(loaded.stderr).toMatch(/info the daemon is used/);
    expect(heavyIn(loaded)).toEqual([]);
    // Of the commands, those that ask.
    expect(loaded.sources).not.toContain('src/cli/commands/commands.ts');
  });

  test('and with --json nothing that puts times on a screen', async () => {
    expect(packagesOf(await loadedBy(['agenda', '--json']))).toEqual(['commander']);
  });
});

test('without the daemon a command loads all that it takes, so that what is said above can be wrong', async () => {
  const loaded = await loadedBy(['agenda', '--no-daemon']);
  expect(loaded).toMatchObject({ status: 0, stdout: expect.stringContaining('Sprint review') });
  expect(heavyIn(loaded)).toEqual(
    expect.arrayContaining([
      'zod',
      'yaml',
      'temporal-polyfill',
      'src/operations/list-events.ts',
      'src/providers/index.ts',
    ]),
  );
});

test('--version loads what reads the command line', async () => {
  const loaded = await loadedBy(['--version']);
  expect(loaded).toMatchObject({ status: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/), stderr: '' });
  expect(packagesOf(loaded)).toEqual(['commander']);
  expect(loaded.sources.filter((source) => /^src\/cli\/(?:commands|daemon\/(?!plain-mcp))/.test(source))).toEqual([]);
  expect(heavyIn(loaded)).toEqual([]);
});

test('what the daemon does not see of accounts.yaml is told as it is alone: a file that it names is gone, and so is it', async () => {
  const folder = await temporaryFolder();
  await writeAccounts(folder, ACCOUNTS.replace('fixed:', `fixed:\n    displayName: \${FILE:./name.txt}`));
  await writeFile(join(folder, 'name.txt'), 'Fixed');
  await openDaemon(folder, { env: { TZ } });
  const ask = (...args: string[]): Promise<CliResult> => cli(folder, ['agenda', ...args]);
  expect(await cli(folder, ['--log', 'info', 'agenda'])).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(/info the daemon is used/),
  });
  for (const gone of ['name.txt', 'accounts.yaml']) {
    await rm(join(folder, gone));
    const through = await ask();
    expect(through).toMatchObject({ status: 78, stdout: '', stderr: expect.stringContaining(gone) });
    expect(through).toEqual(await ask('--no-daemon'));
  }
});
