/** `npm pack`: what is in it, and that it is enough. */
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { filesBelow, type HandOut, handOut, loadedFrom, npm, readJson, runAlone, withoutChunks } from './hand-out.ts';

interface PackageJson {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

const MEGABYTE = 1_000_000;
/** For whoever changes calmcp, in the repository. */
const FOR_DEVELOPERS = /^docs\/(?:design|adding-a-provider|releasing)\.md$|^docs\/decisions(?:\/|$)/;

let made: HandOut;
beforeAll(async () => {
  made = await handOut();
}, 60_000);
afterAll(() => made?.end());

/** Where a page leads: inline links and pictures, those by reference, and those in HTML. */
const linksIn = (page: string): string[] =>
  [/\]\(<?([^)>\s]+)/g, /^\[[^\]]+\]:\s*<?([^>\s]+)/gm, /(?:href|src)="([^"]+)"/g].flatMap((link) =>
    [...page.matchAll(link)].map(([, address = '']) => address),
  );

/** The names that GitHub gives headings: https://docs.github.com/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links */
const anchorsIn = (page: string): string[] =>
  [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );

const text = (...path: string[]): Promise<string> => readFile(join(made.packed, ...path), 'utf8');

describe('the package', () => {
  test('holds these files and no others', async () => {
    // After a change that is meant: npx vitest run test/packaging --update
    const files = withoutChunks(await filesBelow(made.packed));
    await expect(`${files.join('\n')}\n`).toMatchFileSnapshot('__golden__/package-files.txt');
  });

  test('holds no piece of the program that nothing loads', async () => {
    const dist = join(made.packed, 'dist');
    const files = await readdir(dist);
    expect(files.filter((file) => file.endsWith('.js')).sort()).toEqual(await loadedFrom(dist));
    const ofNothing = files.filter(
      (file) => file.endsWith('.LEGAL.txt') && !files.includes(file.replace('.LEGAL.txt', '')),
    );
    expect(ofNothing).toEqual([]);
  });

  test('holds no path of the machine that built it, and no source map', async () => {
    const telling = [made.source, join(import.meta.dirname, '../..'), 'sourceMappingURL='];
    for (const file of await filesBelow(join(made.packed, 'dist'))) {
      const content = await text('dist', file);
      expect(
        telling.filter((word) => content.includes(word)),
        file,
      ).toEqual([]);
    }
  });

  test('is small', async () => {
    const files = await filesBelow(made.packed);
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(made.packed, file))).size));
    const unpacked = sizes.reduce((sum, size) => sum + size, 0);
    expect((await stat(made.tarball)).size).toBeLessThan(1.4 * MEGABYTE);
    expect(unpacked).toBeLessThan(6 * MEGABYTE);
  });

  test('has every file, and every heading, that its pages lead to', async () => {
    const files = await filesBelow(made.packed);
    const pages = files.filter((file) => file.endsWith('.md'));
    const headings = new Map(
      await Promise.all(pages.map(async (page) => [page, anchorsIn(await text(page))] as const)),
    );
    const missing: string[] = [];
    let followed = 0;
    for (const page of pages)
      for (const link of linksIn(await text(page))) {
        if (/^[a-z]+:/.test(link)) continue;
        followed++;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(page, '..', path).replaceAll('\\', '/');
        const isThere = files.includes(target) && (anchor === undefined || headings.get(target)?.includes(anchor));
        if (!isThere) missing.push(`${page}: ${link}`);
      }
    expect(pages).toContain('README.md');
    expect(followed).toBeGreaterThan(20);
    expect(missing).toEqual([]);
    expect(files.filter((file) => FOR_DEVELOPERS.test(file))).toEqual([]);
  });

  test('names the licence of all that is built into it', async () => {
    const licences = await text('dist/THIRD-PARTY-LICENSES.txt');
    for (const name of ['@azure/msal-node', '@modelcontextprotocol/server', 'ical.js', 'zod'])
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\((?:MIT|Apache-2\\.0|MPL-2\\.0)\\)`, 'm'));
    // A head, and nothing below it: a package whose licence was not found.
    expect(licences).not.toMatch(/-{80}\n(?:.+\n)+-{80}\n\s*(?:-{80}|$)/);
  });
});

describe('installed into an empty folder, with an empty home', () => {
  let folder: string;
  let home: string;
  let temporary: string;
  let packageFolder: string;

  beforeAll(async () => {
    [folder, home, temporary] = await Promise.all([
      made.folder('installed here'),
      made.folder('home'),
      made.folder('tmp'),
    ]);
    const npmHome = await made.folder('npm home');
    const installed = await npm(['install', '--omit=dev', '--no-audit', '--no-fund', made.tarball], folder, npmHome);
    expect(installed.stderr).not.toMatch(/npm error|EBADENGINE|deprecated/);
    expect(installed.status).toBe(0);
    packageFolder = join(folder, 'node_modules/calmcp');
  }, 90_000);

  /** Node.js itself refuses the program every write elsewhere: https://nodejs.org/api/permissions.html */
  function confined(): string[] {
    const [major = 0] = process.versions.node.split('.').map(Number);
    return [
      '--disable-warning=ExperimentalWarning',
      '--disable-warning=SecurityWarning',
      major >= 24 ? '--permission' : '--experimental-permission',
      '--allow-fs-read=*',
      '--allow-child-process',
      ...[home, temporary].map((path) => `--allow-fs-write=${join(path, '*')}`),
      // What the permissions of later versions forbid besides.
      ...(major >= 24 ? ['--allow-addons'] : []),
      ...(major >= 25 ? ['--allow-net'] : []),
    ];
  }

  const environment = (): Record<string, string> => ({
    HOME: home,
    USERPROFILE: home,
    TMPDIR: temporary,
    TEMP: temporary,
    TZ: 'Europe/Amsterdam',
  });
  const main = (): string => join(packageFolder, 'dist/main.js');
  const calmcp = (args: readonly string[], more: Record<string, string> = {}) =>
    runAlone(process.execPath, [...confined(), main(), ...args], { cwd: folder, env: { ...environment(), ...more } });

  test('runs by its name, and is the version of package.json', async () => {
    const { version, bin } = await readJson<PackageJson>(packageFolder, 'package.json');
    expect(bin).toEqual({ calmcp: 'dist/main.js' });
    const name = join(folder, 'node_modules/.bin/calmcp');
    const { stdout } = await runAlone(name, ['--version'], { cwd: folder, env: environment() });
    expect(stdout.trim()).toBe(version);
  });

  test('runs the demo, which leaves nothing behind', async () => {
    const before = await filesBelow(folder);
    const { status, stdout, stderr } = await calmcp(['demo']);
    expect(stderr).not.toMatch(/error/i);
    expect(status).toBe(0);
    expect(stdout).toContain('Steering committee');
    expect(await filesBelow(folder)).toEqual(before);
    expect(await filesBelow(home)).toEqual([]);
    expect(await filesBelow(temporary)).toEqual([]);
  });

  test('may not write anywhere else, so that the other tests mean something', async () => {
    const elsewhere = await made.folder('elsewhere');
    const { status } = await calmcp(['init'], { CALMCP_HOME: elsewhere });
    expect(status).not.toBe(0);
    expect(await filesBelow(elsewhere)).toEqual([]);
  });

  test('serves MCP as the registry says, and writes to its own folders alone', async () => {
    const before = await filesBelow(folder);
    expect((await calmcp(['init'])).status).toBe(0);
    const config = (await filesBelow(home)).find((file) => file.endsWith('calmcp/accounts.yaml')) ?? '';
    await writeFile(
      join(home, config),
      'version: 1\naccounts:\n  fixed:\n    provider: memory\n    events: [{ title: Office closed, start: 2026-12-25 }]\n',
    );
    interface Registered {
      readonly packages: readonly [{ readonly packageArguments: readonly { readonly value: string }[] }];
    }
    const registered = await readJson<Registered>(made.source, 'server.json');
    const args = registered.packages[0].packageArguments.map(({ value }) => value);
    const client = new Client({ name: 'calmcp-test', version: '0' });
    const transport = {
      command: process.execPath,
      args: [...confined(), main(), ...args],
      cwd: folder,
      env: environment(),
    };
    await client.connect(new StdioClientTransport({ ...transport, stderr: 'ignore' }));
    try {
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('find_free_time');
      const answer = await client.callTool({ name: 'list_events', arguments: { range: '2026-12-25' } });
      expect(answer.isError ?? false).toBe(false);
      expect(JSON.stringify(answer.content)).toContain('Office closed');
    } finally {
      await client.close();
    }
    expect(await filesBelow(folder)).toEqual(before);
    expect(await filesBelow(temporary)).toEqual([]);
    const own = await filesBelow(home);
    expect(own).toContain(config);
    expect(
      own.filter(
        (file) => !/^(?:\.config|\.local\/state|Library\/Application Support|AppData\/\w+)\/calmcp\//.test(file),
      ),
    ).toEqual([]);
  });

  test('depends on what it uses, and on nothing else', async () => {
    const listed = await npm(['ls', '--omit=dev', '--all'], folder, await made.folder('npm home'));
    expect(listed.status).toBe(0);
    const { dependencies } = await readJson<PackageJson>(packageFolder, 'package.json');
    const sources = (await filesBelow(join(made.source, 'src'))).filter((file) => file.endsWith('.ts'));
    const code = (await Promise.all(sources.map((file) => readFile(join(made.source, 'src', file), 'utf8')))).join(
      '\n',
    );
    const unused = Object.keys(dependencies).filter((name) => !new RegExp(`['"(]${name}(?:/[^'"]*)?['")]`).test(code));
    expect(unused).toEqual([]);
  });

  test('needs nothing in node_modules but what the build leaves out', async () => {
    const build = await readFile(join(made.source, 'scripts/build.mjs'), 'utf8');
    const leftOut = [...(/external: \[(.*?)\]/.exec(build)?.[1] ?? '').matchAll(/'(.+?)'/g)].map(
      ([, name]) => name ?? '',
    );
    const { dependencies } = await readJson<PackageJson>(packageFolder, 'package.json');
    expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(leftOut));
    const bare = await made.folder('bare/node_modules');
    await cp(packageFolder, join(bare, 'calmcp'), { recursive: true });
    for (const name of leftOut) {
      await mkdir(join(bare, name, '..'), { recursive: true });
      await cp(join(folder, 'node_modules', name), join(bare, name), { recursive: true });
    }
    const { status, stdout } = await runAlone(process.execPath, [join(bare, 'calmcp/dist/main.js'), 'demo'], {
      cwd: bare,
      env: environment(),
    });
    expect(status).toBe(0);
    expect(stdout).toContain('Steering committee');
  });
});
