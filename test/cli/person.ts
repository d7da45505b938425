/** A person at a browser, as a program: follows the sign-in page by HTTP alone, without JavaScript. */
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryFolder } from '../harness.ts';

export interface PersonOptions {
  readonly picks: string;
  /** Default: agrees. */
  readonly declines?: boolean;
  /** How often the browser goes back to calmcp with the answer; default once. */
  readonly times?: number;
}

export interface Page {
  readonly status: number;
  readonly text: string;
  /** Where it was. */
  readonly url: string;
}

export interface Person {
  /** For the environment of calmcp. */
  readonly env: { readonly BROWSER: string };
  /** The pages of calmcp that were shown, once they are there. */
  pages(): Promise<Page[]>;
  /** The page that was opened, once it was. */
  opened(): Promise<string>;
}

const PROGRAM = `
const { renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { folder, picks, declines = false, times = 1 } = OPTIONS;
const keep = (name, value) => {
  writeFileSync(join(folder, name + '.part'), JSON.stringify(value));
  renameSync(join(folder, name + '.part'), join(folder, name));
};
const decode = (text) => text.replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
(async () => {
  const [url] = process.argv.slice(2);
  keep('opened', url);
  if (picks === 'nobody') return;
  const html = await (await fetch(url)).text();
  const action = decode(/<form method="post" action="([^"]+)"/.exec(html)[1]);
  const form = new URLSearchParams({ username: picks });
  for (const [, name, value] of html.matchAll(/type="checkbox" name="([^"]+)" value="([^"]+)" checked/g))
    form.append(name, decode(value));
  const buttons = [...html.matchAll(/<button name="([^"]+)" value="([^"]+)"/g)];
  const [, name, value] = buttons[declines ? 1 : 0];
  form.set(name, value);
  const sent = await fetch(new URL(action, url), { method: 'POST', body: form, redirect: 'manual' });
  const back = sent.headers.get('location');
  if (back === null) return keep('page-0', { status: sent.status, text: await sent.text(), url: String(sent.url) });
  await Promise.all(
    Array.from({ length: times }, async (_, index) => {
      const page = await fetch(back);
      keep('page-' + index, { status: page.status, text: await page.text(), url: back });
    }),
  );
})();
`;

export async function person(options: PersonOptions): Promise<Person> {
  const folder = await temporaryFolder();
  const program = join(folder, 'browser');
  const source = `#!${process.execPath}\n${PROGRAM.replace('OPTIONS', JSON.stringify({ folder, ...options }))}`;
  await writeFile(program, source);
  await chmod(program, 0o755);
  const read = async (wanted: RegExp): Promise<string[]> => {
    const names = (await readdir(folder)).filter((name) => wanted.test(name)).sort();
    return Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  };
  const wait = async (wanted: RegExp, count: number): Promise<string[]> => {
    await expect.poll(() => read(wanted), { timeout: 15_000 }).toHaveLength(count);
    return read(wanted);
  };
  return {
    env: { BROWSER: program },
    pages: async () => (await wait(/^page-\d+$/, options.times ?? 1)).map((page) => JSON.parse(page) as Page),
    opened: async () => JSON.parse((await wait(/^opened$/, 1))[0] ?? '') as string,
  };
}
