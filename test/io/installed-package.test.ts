import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { findPackage } from '../../src/io/installed-package.ts';
import { temporaryFolder } from '../harness.ts';

const wanted = { name: '@some/server', bin: 'some-server' };

async function install(folder: string, file: object = {}): Promise<string> {
  const own = join(folder, 'node_modules', '@some', 'server');
  await mkdir(join(own, 'dist'), { recursive: true });
  await writeFile(join(own, 'dist', 'index.js'), '');
  const about = { name: wanted.name, version: '1.2.3', bin: { [wanted.bin]: 'dist/index.js' }, ...file };
  await writeFile(join(own, 'package.json'), JSON.stringify(about));
  return own;
}

const find = (from: string, path?: string) => findPackage(wanted, { from: join(from, 'calmcp', 'package.json'), path });

test('a package beside calmcp, or in a folder around it, is found with its version', async () => {
  const folder = await temporaryFolder();
  const own = await install(folder);
  expect(await find(folder)).toEqual({ entry: join(own, 'dist', 'index.js'), version: '1.2.3' });
  expect(await find(join(folder, 'deep', 'below'))).toMatchObject({ version: '1.2.3' });
});

test('a package with one program is found as well', async () => {
  const folder = await temporaryFolder();
  const own = await install(folder, { bin: './dist/index.js' });
  expect(await find(folder)).toMatchObject({ entry: join(own, 'dist', 'index.js') });
});

test('where PATH leads to its program, by a link or beside a folder of packages, it is found', async () => {
  const [nowhere, one, other] = [await temporaryFolder(), await temporaryFolder(), await temporaryFolder()];
  const linked = await install(one);
  await mkdir(join(one, 'bin'));
  await symlink(join(linked, 'dist', 'index.js'), join(one, 'bin', wanted.bin));
  const path = ['', join(nowhere, 'bin'), join(one, 'bin')].join(delimiter);
  expect(await find(nowhere, path)).toEqual({ entry: join(linked, 'dist', 'index.js'), version: '1.2.3' });
  const beside = await install(other);
  expect(await find(nowhere, other)).toMatchObject({ entry: join(beside, 'dist', 'index.js') });
});

test.each([
  ['another name', { name: '@some/other' }],
  ['no program of that name', { bin: { other: 'dist/index.js' } }],
  ['no program', { bin: undefined }],
])('a package with %s is another one', async (_name, file) => {
  const folder = await temporaryFolder();
  await install(folder, file);
  expect(await find(folder, process.env.PATH)).toBeUndefined();
});

test('a program of that name that is none of the package is not run', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, wanted.bin), '#!/bin/sh\n');
  expect(await find(await temporaryFolder(), folder)).toBeUndefined();
});

test('the real package is found in its workspace', async () => {
  const from = join(import.meta.dirname, '../children/package.json');
  const found = await findPackage(
    { name: '@softeria/ms-365-mcp-server', bin: 'ms-365-mcp-server' },
    { from, path: undefined },
  );
  expect(found?.version).toBe('0.155.0');
});
