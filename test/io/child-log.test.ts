import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { cleanLine, createChildLog, readChildLog } from '../../src/io/child-log.ts';
import { temporaryFolder } from '../harness.ts';

const at = () => new Date('2026-11-23T08:00:00Z');

test('lines come as they are made, whatever the pieces, and the last one without an end with the flush', async () => {
  const path = join(await temporaryFolder(), 'log');
  const log = createChildLog(path, at);
  for (const piece of ['one\ntw', 'o\n', '\n  \n', 'thr', 'ee']) log.write(piece);
  log.note('of its own');
  await log.flush();
  const stamp = '2026-11-23T08:00:00.000Z';
  expect(await readFile(path, 'utf8')).toBe(
    ['one', 'two', 'calmcp: of its own', 'three'].map((line) => `${stamp} ${line}\n`).join(''),
  );
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readChildLog(path, 2)).toEqual([`${stamp} calmcp: of its own`, `${stamp} three`]);
});

test('a line is kept without credentials, addresses, and what a terminal obeys, and not for ever', () => {
  expect(cleanLine('GET with Bearer abc.def for someone@home.example')).toBe('GET with [redacted] for [address]');
  expect(cleanLine('{"access_token":"abc"}')).toBe('{"access_token":"[redacted]"}');
  expect(cleanLine('red\u001b[31m\u202e text\r')).toBe('red [31m  text');
  expect(cleanLine('x'.repeat(10_000))).toBe(`${'x'.repeat(500)}…`);
});

test('a secret that comes in two pieces is seen as one', async () => {
  const path = join(await temporaryFolder(), 'log');
  const log = createChildLog(path, at);
  log.write('token Bearer abc');
  log.write('defghi\n');
  await log.flush();
  expect(await readFile(path, 'utf8')).not.toMatch(/abc|def/);
});

test('however much is said in whatever script, the files stay below half a mebibyte, and say that lines are missing', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'log');
  const log = createChildLog(path, at);
  for (let round = 0; round < 60; round++) {
    for (let line = 0; line < 200; line++) log.write(`${'会议'.repeat(100)} ${round}/${line}\n`);
    if (round % 3 === 0) await log.flush();
  }
  await log.flush();
  const files = await readdir(folder);
  expect(files.sort()).toEqual(['log', 'log.1']);
  let size = 0;
  for (const name of files) size += (await stat(join(folder, name))).size;
  expect(size).toBeLessThanOrEqual(512 * 1_024);
  expect(size).toBeGreaterThan(100_000);
  const lines = await readChildLog(path, 10_000);
  expect(lines.some((line) => /calmcp: \d+ lines were left out/.test(line))).toBe(true);
});

test('where nothing can be written nothing fails', async () => {
  const log = createChildLog(join(await temporaryFolder(), 'nowhere', 'log'));
  log.write('something\n');
  await log.flush();
});
