// What the bundle holds of others, with their licences: they ask that their text goes along, and MPL-2.0 (ical.js) that
// people are told where the source is.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PACKAGE = /^(.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//;
const LICENCE_FILE = /^(licen[cs]e|copying|notice)([-.](md|txt|mit|bsd|apache.*))?$/i;
/** Some packages say it in their README alone. */
const LICENCE_SECTION = /^(?:#+ *licen[cs]e\b|licen[cs]e\n-+\n)[\s\S]*/im;
const LINE = '-'.repeat(80);

/** Folders of the packages whose code is in the output. */
function packageFolders({ outputs }) {
  const paths = Object.values(outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((path) => inputs[path].bytesInOutput > 0),
  );
  return [...new Set(paths.flatMap((path) => PACKAGE.exec(path)?.[1] ?? []))];
}

function readLicence(folder) {
  const read = (file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n');
  const { name, version, license, repository, homepage } = JSON.parse(read('package.json'));
  const source = repository?.url ?? repository ?? homepage;
  const files = readdirSync(folder).sort();
  const texts = files.filter((file) => LICENCE_FILE.test(file)).map(read);
  const readme = files.find((file) => /^readme\.md$/i.test(file));
  const text = texts.length > 0 ? texts.join('\n') : (LICENCE_SECTION.exec(readme ? read(readme) : '')?.[0] ?? '');
  return { title: `${name} ${version} (${license}) ${source ?? ''}`.trim(), text: text.trim() };
}

/** @param root what the paths of esbuild's metafile are relative to */
export function licencesOf(metafile, root) {
  const packages = packageFolders(metafile)
    .map((folder) => join(root, folder))
    .filter((folder) => existsSync(join(folder, 'package.json')))
    .map(readLicence)
    .sort((one, other) => one.title.localeCompare(other.title, 'en'));
  const titles = new Map();
  for (const { title, text } of packages) titles.set(text, [...(titles.get(text) ?? []), title]);
  return [...titles].map(([text, names]) => [LINE, ...names, LINE, text, ''].join('\n')).join('\n');
}
