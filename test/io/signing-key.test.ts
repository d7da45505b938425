/** The key that cursors are signed with: nobody can guess it, and all processes of one machine have the same. */
import { createHmac } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createSigner } from '../../src/io/signing-key.ts';
import { temporaryFolder } from '../harness.ts';

const BYTES = 32;
const by = (key: Uint8Array): string => createHmac('sha256', key).update('text').digest('base64url').slice(0, 16);

test.each([
  ['empty', 0],
  ['one byte', 1],
  ['one byte short', BYTES - 1],
  ['too long', BYTES + 1],
])('a key file that is %s is replaced by one that is whole', async (_name, length) => {
  const folder = await temporaryFolder();
  const path = join(folder, 'cursor.key');
  const broken = Buffer.alloc(length, 7);
  await writeFile(path, broken, { mode: 0o600 });
  const signature = await createSigner(folder)('text');
  expect(signature).not.toBe(by(broken));
  const key = await readFile(path);
  expect(key).toHaveLength(BYTES);
  expect(signature).toBe(by(key));
  if (process.platform !== 'win32') expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await createSigner(folder)('text')).toBe(signature);
});

test('a key that is whole stays', async () => {
  const folder = await temporaryFolder();
  const key = Buffer.from(Array.from({ length: BYTES }, (_, index) => index));
  await writeFile(join(folder, 'cursor.key'), key, { mode: 0o600 });
  expect(await createSigner(folder)('text')).toBe(by(key));
  expect(await readFile(join(folder, 'cursor.key'))).toEqual(key);
});

test.each([
  ['there is none', undefined],
  ['it is empty', 0],
  ['it was cut short', BYTES - 1],
])('many that first need it at the same time, where %s, get one key', async (_name, length) => {
  for (let round = 0; round < 10; round++) {
    const folder = await temporaryFolder();
    if (length !== undefined) await writeFile(join(folder, 'cursor.key'), Buffer.alloc(length), { mode: 0o600 });
    const signatures = await Promise.all(Array.from({ length: 6 }, () => createSigner(folder)('text')));
    expect(new Set(signatures)).toEqual(new Set([by(await readFile(join(folder, 'cursor.key')))]));
  }
});

test('a key that cannot be had is asked for again', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'cursor.key');
  await writeFile(path, Buffer.alloc(BYTES, 7), { mode: 0o600 });
  const sign = createSigner(join(path, 'below-a-file'));
  await expect(sign('text')).rejects.toMatchObject({ code: expect.any(String) });
  await expect(sign('text')).rejects.toMatchObject({ code: expect.any(String) });
});
