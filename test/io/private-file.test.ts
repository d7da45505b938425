import { execFileSync } from 'node:child_process';
import { chmod, chown, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createPrivateFile,
  readPrivateFile,
  removePrivateFile,
  replaceOwnFile,
  requirePrivateFolder,
  writePrivateFile,
} from '../../src/io/private-file.ts';

const isWindows = process.platform === 'win32';
const isRoot = process.getuid?.() === 0;

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calmcp-private-'));
  path = join(folder, 'secret');
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const modeOf = async (name: string) => ((await stat(name)).mode & 0o777).toString(8);

describe('writePrivateFile', () => {
  it('gives back what it wrote, and leaves no other file', async () => {
    await writePrivateFile(path, 'first');
    await writePrivateFile(path, Buffer.from([0, 255, 10]));

    expect(await readPrivateFile(path)).toEqual(Buffer.from([0, 255, 10]));
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it.skipIf(isWindows)('makes files 0600 in folders 0700, whatever the umask and the old mode', async () => {
    const nested = join(folder, 'a', 'b', 'secret');
    const previous = process.umask(0);
    try {
      await writePrivateFile(nested, 'x');
      await writeFile(path, 'old', { mode: 0o666 });
      await writePrivateFile(path, 'new');
    } finally {
      process.umask(previous);
    }

    expect(await modeOf(nested)).toBe('600');
    expect(await modeOf(path)).toBe('600');
    expect(await modeOf(join(folder, 'a', 'b'))).toBe('700');
    expect(await modeOf(join(folder, 'a'))).toBe('700');
  });

  it('keeps the old target and cleans up when the new file cannot be put in place', async () => {
    await mkdir(join(path, 'occupied'), { recursive: true });

    await expect(writePrivateFile(path, 'x')).rejects.toMatchObject({
      code: 'INTERNAL',
      message: expect.stringContaining(path),
    });
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it('replaces a symbolic link instead of writing through it', async () => {
    const target = join(folder, 'target');
    await writeFile(target, 'untouched', { mode: 0o600 });
    await symlink(target, path);

    await writePrivateFile(path, 'mine');

    expect(await readFile(target, 'utf8')).toBe('untouched');
    expect((await readPrivateFile(path))?.toString()).toBe('mine');
  });

  it('leaves one whole value when many write at once', async () => {
    const values = Array.from({ length: 20 }, (_, index) => String(index).repeat(5_000));
    await Promise.all(values.map((value) => writePrivateFile(path, value)));

    expect(values).toContain((await readPrivateFile(path))?.toString());
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it.skipIf(isWindows)('refuses a folder in which everybody may replace files, and says what to type', async () => {
    await chmod(folder, 0o777);

    const refusal = { code: 'CONFIG_INVALID', hint: `run: chmod 700 ${folder}` };
    await expect(writePrivateFile(path, 'x')).rejects.toMatchObject(refusal);
    await expect(readPrivateFile(path)).rejects.toMatchObject(refusal);
    expect(await readdir(folder)).toEqual([]);
  });

  it.skipIf(isWindows)('accepts a sticky folder such as /tmp', async () => {
    await chmod(folder, 0o1777);
    await writePrivateFile(path, 'x');
    expect((await readPrivateFile(path))?.toString()).toBe('x');
  });

  it.runIf(isRoot && process.platform === 'linux')('keeps the old file when the disk is full', async (context) => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', folder], { stdio: 'ignore' });
    } catch {
      context.skip('this machine may not mount a small disk');
    }
    try {
      await writePrivateFile(path, 'old');
      await expect(writePrivateFile(path, Buffer.alloc(1024 * 1024))).rejects.toMatchObject({
        code: 'INTERNAL',
        message: `could not write ${path} (ENOSPC)`,
      });
      expect((await readPrivateFile(path))?.toString()).toBe('old');
      expect(await readdir(folder)).toEqual(['secret']);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

describe('createPrivateFile', () => {
  it('lets exactly one of many creators win and never replaces', async () => {
    const values = Array.from({ length: 20 }, (_, index) => `value ${index}`);
    const won = await Promise.all(values.map((value) => createPrivateFile(path, value)));

    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await readPrivateFile(path))?.toString()).toBe(values[won.indexOf(true)]);
    expect(await readdir(folder)).toEqual(['secret']);
    if (!isWindows) expect(await modeOf(path)).toBe('600');
  });
});

describe('readPrivateFile', () => {
  it('finds nothing where there is no file and no folder', async () => {
    expect(await readPrivateFile(path)).toBeUndefined();
    expect(await readPrivateFile(join(folder, 'missing', 'secret'))).toBeUndefined();
  });

  it('tells an empty file from a missing one', async () => {
    await writePrivateFile(path, '');
    expect(await readPrivateFile(path)).toEqual(Buffer.alloc(0));
  });

  it.skipIf(isWindows).each([0o640, 0o604, 0o660, 0o602, 0o644])(
    'refuses mode %o and says what to type',
    async (mode) => {
      await writeFile(path, 'x');
      await chmod(path, mode);

      await expect(readPrivateFile(path)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(path),
        hint: `run: chmod 600 ${path}`,
      });
    },
  );

  it.skipIf(isWindows)('quotes a path with spaces and quotes in what to type', async () => {
    const odd = join(folder, "it's here");
    await writeFile(odd, 'x');
    await chmod(odd, 0o644);

    await expect(readPrivateFile(odd)).rejects.toMatchObject({ hint: `run: chmod 600 '${folder}/it'\\''s here'` });
  });

  it('refuses a symbolic link, dangling or not', async () => {
    await symlink(join(folder, 'target'), path);
    const refusal = { code: 'CONFIG_INVALID', message: `${path} is a symbolic link` };

    await expect(readPrivateFile(path)).rejects.toMatchObject(refusal);
    await writeFile(join(folder, 'target'), 'x', { mode: 0o600 });
    await expect(readPrivateFile(path)).rejects.toMatchObject(refusal);
  });

  it.skipIf(isWindows)('refuses what is no regular file, without waiting for it', async () => {
    execFileSync('mkfifo', ['-m', '600', path]);
    await expect(readPrivateFile(path)).rejects.toMatchObject({ message: `${path} is not a regular file` });
    await expect(readPrivateFile(folder)).rejects.toMatchObject({ message: `${folder} is not a regular file` });
  });

  it.runIf(isRoot)('refuses a file of another user (run as root)', async () => {
    await writePrivateFile(path, 'x');
    await chown(path, 12_345, 12_345);

    await expect(readPrivateFile(path)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${path} belongs to another user`,
      hint: `run: sudo chown "$(id -u)" ${path} && chmod 600 ${path}`,
    });
  });
});

describe('replaceOwnFile', () => {
  it('makes a file 0600, and keeps the mode of one that is there whatever the umask', async () => {
    const previous = process.umask(0o077);
    try {
      await replaceOwnFile(path, 'first');
      expect(await modeOf(path)).toBe('600');
      await chmod(path, 0o664);
      await replaceOwnFile(path, 'second');
    } finally {
      process.umask(previous);
    }
    expect(await readFile(path, 'utf8')).toBe('second');
    if (!isWindows) expect(await modeOf(path)).toBe('664');
    expect(await readdir(folder)).toEqual(['secret']);
  });

  it('writes through symbolic links, and refuses one to nothing', async () => {
    await mkdir(join(folder, 'dotfiles'));
    await symlink('dotfiles/target', path);
    await expect(replaceOwnFile(path, 'x')).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: `${path} is a symbolic link to a file that is not there`,
    });
    await writeFile(join(folder, 'dotfiles/target'), 'old');
    await replaceOwnFile(path, 'new');
    expect(await readFile(join(folder, 'dotfiles/target'), 'utf8')).toBe('new');
    expect((await lstat(path)).isSymbolicLink()).toBe(true);
    expect(await readdir(join(folder, 'dotfiles'))).toEqual(['target']);
  });
});

describe('requirePrivateFolder', () => {
  it('is content with a folder for one user, and with none', async () => {
    await requirePrivateFolder(folder);
    await requirePrivateFolder(path);
  });

  it.skipIf(isWindows).each([0o755, 0o750, 0o770, 0o777, 0o1777])(
    'refuses mode %o and says what to type',
    async (mode) => {
      await chmod(folder, mode);
      await expect(requirePrivateFolder(folder)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `${folder} is open to other users of this machine`,
        hint: `run: chmod 700 ${folder}`,
      });
    },
  );

  it('refuses what is no folder', async () => {
    await writeFile(path, '');
    await expect(requirePrivateFolder(path)).rejects.toMatchObject({ message: `${path} is not a folder` });
  });

  it.runIf(isRoot)('refuses a folder of another user (run as root)', async () => {
    await chown(folder, 12_345, 12_345);
    await expect(requirePrivateFolder(folder)).rejects.toMatchObject({
      message: `${folder} belongs to another user`,
      hint: `run: sudo chown "$(id -u)" ${folder} && chmod 700 ${folder}`,
    });
  });
});

describe('removePrivateFile', () => {
  it('deletes a file, and is content when there is none', async () => {
    await writePrivateFile(path, 'x');
    await removePrivateFile(path);
    await removePrivateFile(path);
    expect(await readdir(folder)).toEqual([]);
  });
});
