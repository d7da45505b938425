/** The plan of the house (docs/design.md), kept by force. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { providers } from '../src/providers/index.ts';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
  .map((name) => name.split(sep).join('/'));

const read = (file: string): string => readFileSync(join(src, file), 'utf8');

/** What a file imports: types, re-exports and dynamic imports too. */
function importsOf(file: string): string[] {
  const found = read(file).matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^;'"]*?from\s*['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)|(?:^|\n)\s*import\s*['"]([^'"]+)['"]/g,
  );
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
}

/** The file within src that a relative import means, or the package. */
function target(file: string, specifier: string): { readonly local?: string; readonly external?: string } {
  if (!specifier.startsWith('.')) return { external: specifier };
  const path = relative(src, resolve(src, file, '..', specifier))
    .split(sep)
    .join('/');
  return { local: path };
}

const folderOf = (file: string): string =>
  file.includes('/') ? (file.split('/')[0] ?? '') : file.replace(/\.ts$/, '');

/** Folder to the folders it may import from, itself aside. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  io: ['core'],
  providers: ['io', 'core'],
  accounts: ['io', 'core'],
  operations: ['accounts', 'core'],
  server: ['operations', 'accounts', 'core'],
  sandbox: [],
  cli: ['server', 'operations', 'accounts', 'sandbox', 'io', 'core'],
  main: ['cli', 'providers', 'io', 'core'],
};

/** windows-iana is a table, not a library: Windows zone names to IANA ones. */
const CORE_PACKAGES = new Set(['zod', 'temporal-polyfill', 'windows-iana']);

function violations(importer: string, specifier: string): string[] {
  const { local, external } = target(importer, specifier);
  const from = folderOf(importer);
  if (external !== undefined) {
    if (from === 'core' && !CORE_PACKAGES.has(external)) return [`${importer}: core may not import ${external}`];
    if (external === 'node:process' || external === 'process')
      return [`${importer}: take what you need of the process as an argument`];
    if (external === '@modelcontextprotocol/server' || external.startsWith('@modelcontextprotocol/server/'))
      return from === 'server' ? [] : [`${importer}: only server/ speaks MCP`];
    if (external.startsWith('@modelcontextprotocol/client'))
      return importer.startsWith('io/child-')
        ? []
        : [`${importer}: only the supervisor of child servers is an MCP client`];
    return [];
  }
  if (local === undefined || local.startsWith('..')) return [];
  const to = folderOf(local);
  if (from === to) {
    if (from !== 'providers') return [];
    const [own, other] = [importer.split('/')[1], local.split('/')[1]];
    if (importer === 'providers/index.ts' || own === other) return [];
    return [`${importer}: a provider may not import another one (${local})`];
  }
  return ALLOWED[from]?.includes(to) ? [] : [`${importer}: ${from} may not import ${to} (${local})`];
}

describe('imports', () => {
  test('every folder is in the plan', () => {
    expect([...new Set(files.map(folderOf))].sort()).toEqual(Object.keys(ALLOWED).sort());
  });

  test('go one way: main, cli, server, operations, accounts, core; providers, io, core', () => {
    expect(files.flatMap((file) => importsOf(file).flatMap((specifier) => violations(file, specifier)))).toEqual([]);
  });

  test('the rules bite', () => {
    expect(violations('core/event.ts', '../io/http.ts')).toHaveLength(1);
    expect(violations('core/event.ts', 'ical.js')).toHaveLength(1);
    expect(violations('providers/ics/open.ts', '../microsoft/graph.ts')).toHaveLength(1);
    expect(violations('providers/ics/open.ts', '../../accounts/load.ts')).toHaveLength(1);
    expect(violations('operations/fan-out.ts', '../io/http.ts')).toHaveLength(1);
    expect(violations('server/mcp.ts', '../sandbox/index.ts')).toHaveLength(1);
    expect(violations('accounts/load.ts', '../providers/index.ts')).toHaveLength(1);
    expect(violations('cli/run.ts', 'node:process')).toHaveLength(1);
    expect(violations('providers/google/child-api.ts', '@modelcontextprotocol/client')).toHaveLength(1);
    expect(importsOf('main.ts').length).toBeGreaterThan(3);
    expect(importsOf('providers/microsoft/index.ts')).toContain('./open.ts');
  });

  test('make no circle, types included', () => {
    // A type of a file that imports back is a circle too: the two are one room with a wall in it.
    const graph = new Map(
      files.map((file) => [file, importsOf(file).flatMap((specifier) => target(file, specifier).local ?? [])]),
    );
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) if (graph.has(next)) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});

describe('the process', () => {
  const pure = files.filter((file) => !/^(?:main\.ts|io\/|cli\/|sandbox\/)/.test(file));

  test.each([
    ['process', /(?<![.\w'-])process\.(?!processTicks)/],
    ['console', /(?<![.\w])console\./],
    ['global fetch', /(?<![.\w])(?:globalThis\.)?fetch\(['"`h]/],
    ['Date.now()', /\bDate\.now\(\)|new Date\(\)|Temporal\.Now\b/],
  ])('%s stays out of everything but main, io, cli and sandbox', (_name, pattern) => {
    expect(pure.filter((file) => pattern.test(withoutComments(read(file))))).toEqual([]);
  });

  test('nothing but main writes to stdout', () => {
    // The keychain's helper process and child servers have a stdout of their own, which is a pipe to us.
    const own = new Set(['main.ts', 'io/keystore-keychain.ts', 'io/child-guard.ts']);
    expect(files.filter((file) => !own.has(file) && /process\.stdout/.test(withoutComments(read(file))))).toEqual([]);
  });
});

function withoutComments(code: string): string {
  return code.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(?<!:)\/\/.*$/gm, '');
}

describe('every provider', () => {
  const folders = readdirSync(join(src, 'providers'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();

  test('that has a folder is in the list', () => {
    expect(providers.map(({ type }) => type).sort()).toEqual(folders);
  });

  test.each(folders)('%s runs the contract suite and is in the documents', (name) => {
    const contract = join(root, 'test/providers', name, 'contract.test.ts');
    expect(existsSync(contract) && readFileSync(contract, 'utf8').includes('providerContract(')).toBe(true);
    expect(readFileSync(join(root, 'docs/accounts.md'), 'utf8')).toContain(`provider: ${name}`);
    expect(readFileSync(join(root, 'accounts.example.yaml'), 'utf8')).toContain(`provider: ${name}`);
  });
});

test('files are named in kebab-case, and none is a utils, helpers, common or manager', () => {
  expect(files.filter((file) => !/^(?:[a-z0-9]+(?:-[a-z0-9]+)*\/)*[a-z0-9]+(?:-[a-z0-9]+)*\.ts$/.test(file))).toEqual(
    [],
  );
  expect(files.filter((file) => /(?:utils?|helpers?|common|manager)\.ts$/.test(file))).toEqual([]);
});
