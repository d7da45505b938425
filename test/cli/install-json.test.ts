/** Edits of files that belong to other programs: what is not the entry stays, byte by byte. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { entryOf, removeEntry, setEntry } from '../../src/cli/install/json-edit.ts';
import { parseJson } from '../../src/cli/install/json-text.ts';

const PATH = { container: 'servers', name: 'calmcp' };
const JSONC = { name: 'mcp.json', withComments: true };
const PLAIN = { name: 'config.json', withComments: false };
const ENTRY = { command: 'node', args: ['mcp'] };

const set = (text: string, value: unknown = ENTRY): string => setEntry(text, PATH, value, JSONC);
const remove = (text: string): string => removeEntry(text, PATH, JSONC);

/** Without comments and last commas, for a reader that knows neither. */
const meaning = (text: string): unknown => parseJson(text, JSONC).value;

describe('an entry is put in', () => {
  test.each<[string, string, string]>([
    [
      'after others, as they are indented',
      '{\n\t"servers": {\n\t\t"one": { "command": "x" }\n\t},\n\t"inputs": []\n}\n',
      '{\n\t"servers": {\n\t\t"one": { "command": "x" },\n\t\t"calmcp": {\n\t\t\t"command": "node",\n\t\t\t"args": [\n\t\t\t\t"mcp"\n\t\t\t]\n\t\t}\n\t},\n\t"inputs": []\n}\n',
    ],
    [
      'before the comma that ends the list of somebody who writes one',
      '{\n  "servers": {\n    "one": 1, // mine\n  },\n}',
      '{\n  "servers": {\n    "one": 1, // mine\n    "calmcp": 2,\n  },\n}',
    ],
    [
      'after the comment beside the last one',
      '{\n  "servers": {\n    "one": 1 // no comma here\n    // nothing more\n  }\n}',
      '{\n  "servers": {\n    "one": 1, // no comma here\n    "calmcp": 2\n    // nothing more\n  }\n}',
    ],
    ['into an object on one line', '{"a":1,"servers":{"one":1}}', '{"a":1,"servers":{"one":1,"calmcp":2}}'],
    [
      'into an object that was empty',
      '{\r\n  "servers": {}\r\n}',
      '{\r\n  "servers": {\r\n    "calmcp": 2\r\n  }\r\n}',
    ],
    [
      'with the object it goes into',
      '{\n  "theme": "dark"\n}\n',
      '{\n  "theme": "dark",\n  "servers": {\n    "calmcp": 2\n  }\n}\n',
    ],
    ['into an empty file', '', '{\n  "servers": {\n    "calmcp": 2\n  }\n}\n'],
    ['into a file of a byte order mark', '\ufeff', '\ufeff{\n  "servers": {\n    "calmcp": 2\n  }\n}\n'],
    ['below a comment in an empty object', '{ "servers": { /* none */ } }', '{ "servers": { /* none */ "calmcp":2} }'],
    [
      'in place of the old one',
      '{ "servers": { "calmcp": { "a": 1 }, "b": 2 } }',
      '{ "servers": { "calmcp": 2, "b": 2 } }',
    ],
  ])('%s', (_name, before, after) => {
    const value = after.includes('"node"') ? ENTRY : 2;
    expect(set(before, value)).toBe(after);
  });

  test('and taken out again: the file is what it was', () => {
    for (const text of [
      '{\n\t"servers": {\n\t\t"one": { "command": "x" }\n\t}\n}\n',
      '{\n  "servers": {\n    "one": 1, // mine\n  },\n}',
      '{\r\n  "servers": {\r\n    "one": 1 // no comma\r\n    // nothing more\r\n  }\r\n}',
      '{"a":1,"servers":{"one":1}}',
      '{\n  "servers": {},\n  "a": 1\n}',
      '{ "servers": { "one": 1 } }',
    ]) {
      const installed = set(text);
      expect(entryOf(installed, PATH, JSONC)).toEqual(ENTRY);
      expect(remove(installed)).toBe(text);
    }
  });
});

describe('an entry is taken out', () => {
  test.each<[string, string, string]>([
    ['from the middle', '{"servers":{"a":1,"calmcp":2,"b":3}}', '{"servers":{"a":1,"b":3}}'],
    ['from the beginning', '{ "servers": { "calmcp": 2, "b": 3 } }', '{ "servers": { "b": 3 } }'],
    [
      'with what is written beside it, and not with what is written above',
      '{\n  "servers": {\n    // the first\n    "calmcp": 2, // ours\n    "b": 3\n  }\n}',
      '{\n  "servers": {\n    // the first\n    "b": 3\n  }\n}',
    ],
    [
      'where the brace stands on its line, after a comment on the line above',
      '{\n  "servers": {\n    "a": 1, // a\n    "calmcp": 2 } }',
      '{\n  "servers": {\n    "a": 1 // a\n } }',
    ],
    ['where there is none', '{ "servers": { "b": 3 } }', '{ "servers": { "b": 3 } }'],
    ['where there are no servers', '{ "a": 3 }', '{ "a": 3 }'],
  ])('%s', (_name, before, after) => {
    expect(remove(before)).toBe(after);
    expect(entryOf(after, PATH, JSONC)).toBeUndefined();
  });
});

describe('a file that is not valid is told by line and column, and nothing of it is shown', () => {
  test.each<[string, string, RegExp]>([
    ['a missing comma', '{\n  "a": "s3cret"\n  "b": 1\n}', /:3:3 not valid JSON: a comma or \} is missing/],
    ['a text without an end', '{\n  "a": "s3cret\n}', /:2:8 not valid JSON/],
    ['no end', '{ "a": [1, 2', /:1:13 not valid JSON: a comma or \] is missing/],
    ['nothing behind a colon', '{"a": }', /:1:7 not valid JSON: a value is missing/],
    ['two files in one', '{}\n{}', /:2:1 not valid JSON: something follows/],
    ['a list', '[1]', /the file is no object/],
    ['servers that are a list', '{ "servers": [] }', /servers is no object/],
    ['a name that is there twice', '{"servers":{"calmcp":1,"calmcp":2}}', /"calmcp" twice/],
    ['a comment that does not end', '{} /* s3cret', /:1:4 not valid JSON: a comment that does not end/],
    ['depth', `${'['.repeat(5_000)}`, /nested too deep/],
    ['a number that is none', '{"a": 01}', /:1:8 not valid JSON/],
  ])('%s', (_name, text, says) => {
    for (const edit of [() => set(text), () => remove(text), () => entryOf(text, PATH, JSONC)]) {
      expect(edit).toThrowError(says);
      expect(edit).not.toThrowError(/s3cret/);
    }
  });

  test('what VS Code allows, other clients do not read', () => {
    for (const text of ['{ "a": 1, }', '{ // note\n}', '{ "a": [1, ] }']) {
      expect(meaning(text)).toBeTypeOf('object');
      expect(() => setEntry(text, PATH, 1, PLAIN)).toThrowError(/config\.json:1:\d+ not valid JSON/);
    }
  });
});

/** JSON as people write it: spaces, comments and last commas anywhere. */
const space = fc.constantFrom('', ' ', '\n', '\n  ', '\t', ' /* c */ ', ' // c, }\n');
const key = fc.oneof(fc.constantFrom('servers', 'calmcp', 'a"b', '__proto__', 'ü', ''), fc.string());
const object = (members: readonly (readonly [string, string])[], gaps: readonly string[], comma: boolean): string => {
  const gap = (index: number): string => gaps[index % gaps.length] ?? '';
  const unique = [...new Map(members).entries()];
  const body = unique.map(
    ([name, value], index) =>
      `${gap(index)}${JSON.stringify(name)}${gap(index + 1)}:${gap(index + 2)}${value}${gap(index + 3)}`,
  );
  return `{${body.join(',')}${comma && body.length > 0 ? ',' : ''}${gap(7)}}`;
};
const gaps = fc.array(space, { minLength: 1, maxLength: 9 });
const value = fc.json({ maxDepth: 2 });
const servers = fc
  .tuple(fc.array(fc.tuple(key, value), { maxLength: 4 }), gaps, fc.boolean())
  .map((parts) => object(...parts));
const files = fc
  .tuple(fc.array(fc.tuple(key, fc.oneof(value, servers)), { maxLength: 3 }), gaps, fc.boolean(), fc.option(servers))
  .map(([members, space, comma, own]) =>
    object(
      [...members.filter(([name]) => name !== 'servers'), ...(own === null ? [] : [['servers', own] as const])],
      space,
      comma,
    ),
  );

test('whatever stands in a file: the entry is there, then gone, and all else is what it was', () => {
  fc.assert(
    fc.property(files, value, (text, written) => {
      const before = meaning(text) as Record<string, Record<string, unknown>>;
      const entry: unknown = JSON.parse(written);
      const installed = set(text, entry);
      const after = meaning(installed) as Record<string, Record<string, unknown>>;
      expect(after.servers).toEqual({ ...before.servers, calmcp: entry });
      expect({ ...after, servers: 0 }).toEqual({ ...before, servers: 0 });
      expect(set(installed, entry)).toBe(installed);
      // A comment goes with the old entry that it stands beside, and with nothing else.
      const comments = (of: string): number => of.split(/\/\*|\/\/ c/).length;
      if (before.servers?.calmcp === undefined) expect(comments(installed)).toBeGreaterThanOrEqual(comments(text));
      const removed = meaning(remove(installed)) as Record<string, Record<string, unknown>>;
      const { calmcp: _gone, ...rest } = before.servers ?? {};
      expect(removed.servers).toEqual(rest);
      expect({ ...removed, servers: 0 }).toEqual({ ...before, servers: 0 });
    }),
    { numRuns: 500 },
  );
});
