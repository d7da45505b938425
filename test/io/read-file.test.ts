import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createReadFile, readTextFile } from '../../src/io/read-file.ts';

const isWindows = process.platform === 'win32';
const isRoot = process.getuid?.() === 0;
const options = { extensions: ['.ics'], maxBytes: 100 };

let folder: string;
const read = (path: string, maxBytes = options.maxBytes) => createReadFile(folder)(path, { ...options, maxBytes });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calmcp-read-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('a file', () => {
  it('is read by its path from the folder, whatever its extension', async () => {
    await writeFile(join(folder, 'team.txt'), 'Réunion');
    const expected = [{ name: 'team.txt', text: 'Réunion' }];
    expect(await read('team.txt')).toEqual(expected);
    expect(await read('./team.txt')).toEqual(expected);
    expect(await read(join(folder, 'team.txt'))).toEqual(expected);
  });

  it('is followed where it is a link', async () => {
    await writeFile(join(folder, 'a.ics'), 'x');
    await symlink(join(folder, 'a.ics'), join(folder, 'b.ics'));
    expect(await read('b.ics')).toEqual([{ name: 'b.ics', text: 'x' }]);
  });

  it('that is not there is NOT_FOUND, called as the user wrote it', async () => {
    await expect(read('./gone.ics')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      message: './gone.ics does not exist',
      hint: expect.stringContaining('accounts.yaml'),
    });
    await symlink(join(folder, 'gone.ics'), join(folder, 'dangling.ics'));
    await expect(read('dangling.ics')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('below a file is an error and not NOT_FOUND', async () => {
    await writeFile(join(folder, 'a.ics'), 'x');
    await expect(read('a.ics/b.ics')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('of the largest size is read, and one byte more is refused', async () => {
    await writeFile(join(folder, 'a.ics'), 'x'.repeat(100));
    expect(await read('a.ics')).toEqual([{ name: 'a.ics', text: 'x'.repeat(100) }]);
    await expect(read('a.ics', 99)).rejects.toMatchObject({
      code: 'BAD_RESPONSE',
      message: expect.stringContaining('a.ics is larger than'),
    });
  });

  it('that is empty is an empty text and not nothing', async () => {
    await writeFile(join(folder, 'a.ics'), '');
    expect(await read('a.ics')).toEqual([{ name: 'a.ics', text: '' }]);
  });

  it.skipIf(isWindows)('that is a pipe or a device is refused, without waiting for it', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.ics')]);
    await expect(read('pipe.ics')).rejects.toMatchObject({ message: 'pipe.ics is not a regular file' });
    await expect(read('/dev/zero')).rejects.toMatchObject({ message: '/dev/zero is not a regular file' });
  });

  it.skipIf(isWindows || isRoot)('that may not be read is an error (root may read everything)', async () => {
    await writeFile(join(folder, 'a.ics'), 'x');
    await chmod(join(folder, 'a.ics'), 0);
    await expect(read('a.ics')).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'a.ics may not be read' });
  });
});

describe('a folder', () => {
  it('gives its files with the extension, sorted by name, and not those of folders in it', async () => {
    for (const name of ['b.ics', 'A.ICS', 'a.ics', 'notes.txt', 'ics', 'x.ics.tmp'])
      await writeFile(join(folder, name), name);
    await mkdir(join(folder, 'sub'));
    await writeFile(join(folder, 'sub', 'c.ics'), 'c');
    expect(await read('.')).toEqual(['A.ICS', 'a.ics', 'b.ics'].map((name) => ({ name, text: name })));
  });

  it('without a file has none', async () => {
    expect(await read('.')).toEqual([]);
  });

  it('tells of each file that cannot be read, and gives the others', async () => {
    await mkdir(join(folder, 'team', 'folder.ics'), { recursive: true });
    await writeFile(join(folder, 'team', 'good.ics'), 'good');
    await writeFile(join(folder, 'team', 'large.ics'), 'x'.repeat(101));
    await symlink(join(folder, 'gone'), join(folder, 'team', 'link.ics'));
    const files = await read('team');
    expect(files.map((file) => ('error' in file ? [file.name, file.error.code, file.error.message] : file))).toEqual([
      ['folder.ics', 'UNAVAILABLE', `${join('team', 'folder.ics')} is a folder`],
      { name: 'good.ics', text: 'good' },
      ['large.ics', 'BAD_RESPONSE', `${join('team', 'large.ics')} is larger than 0 MiB`],
      ['link.ics', 'NOT_FOUND', `${join('team', 'link.ics')} does not exist`],
    ]);
  });

  it('with very many files is read, in order', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `e${String(index).padStart(4, '0')}.ics`);
    await Promise.all(names.map((name) => writeFile(join(folder, name), name)));
    expect(await read('.')).toEqual(names.map((name) => ({ name, text: name })));
  });
});

describe('a text file of calmcp itself', () => {
  it('is its text, or undefined where there is none', async () => {
    await writeFile(join(folder, 'accounts.yaml'), 'version: 1');
    expect(await readTextFile(join(folder, 'accounts.yaml'), 100)).toBe('version: 1');
    expect(await readTextFile(join(folder, 'gone.yaml'), 100)).toBeUndefined();
    expect(await readTextFile(join(folder, 'gone', 'gone.yaml'), 100)).toBeUndefined();
  });

  it('that cannot be read is an error and never undefined', async () => {
    await writeFile(join(folder, 'large.yaml'), 'x'.repeat(101));
    await expect(readTextFile(join(folder, 'large.yaml'), 100)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await readTextFile(join(folder, 'large.yaml'), 101)).toHaveLength(101);
    await expect(readTextFile(folder, 100_000)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(readTextFile(join(folder, 'large.yaml', 'x'), 100)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
