import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { addAccount, removeAccount } from '../../src/accounts/edit.ts';
import { isAccountId } from '../../src/accounts/schema.ts';

const ENTRY = { provider: 'microsoft', clientId: 'c', tenantId: 't' };
const WRITTEN = '  new:\n    provider: microsoft\n    clientId: c\n    tenantId: t\n';
const EXAMPLE = readFileSync(new URL('../../accounts.example.yaml', import.meta.url), 'utf8');

const thrown = (work: () => unknown): unknown => {
  try {
    return work();
  } catch (error) {
    return error;
  }
};

describe('an account that is added', () => {
  test('comes last, in block style, indented and set apart as its neighbours are', () => {
    const text = `version: 1 # the format

accounts:
    one: # first
        provider:   memory   # odd spacing stays

    two: { provider: memory }
    # a comment at the end of the accounts

# about the defaults
defaults: { timeZone: "Europe/Amsterdam" }
`;
    expect(addAccount(text, 'new', { provider: 'ics', calendars: { exclude: ['Birthdays'] } })).toBe(
      text.replace(
        '    # a comment at the end of the accounts\n',
        (line) => `${line}
    new:
        provider: ics
        calendars:
            exclude:
                - Birthdays
`,
      ),
    );
  });

  test.each([
    ['an empty map', 'version: 1\naccounts: {} # none yet\n', 'version: 1\naccounts: # none yet\n  new:\n'],
    ['a null', 'version: 1\naccounts: null\n', 'version: 1\naccounts:\n  new:\n'],
    ['nothing', 'accounts:\nversion: 1\n', 'accounts:\n  new:\n'],
    ['commented-out accounts', 'accounts:\n  # old:\n  #   x\nversion: 1\n', 'accounts:\n  new:\n'],
    ['nothing at its end', 'version: 1\n\naccounts:\n', `version: 1\n\naccounts:\n${WRITTEN}`],
    ['a comment beside the key', 'accounts: # mine\n  # old\n', `accounts: # mine\n${WRITTEN}  # old\n`],
    ['no key', 'version: 1\n# the end\n', 'version: 1\n# the end\naccounts:\n  new:\n'],
    ['no text', '', 'accounts:\n  new:\n'],
    ['comments alone', '# mine\n', '# mine\naccounts:\n  new:\n'],
    [
      'no end of the last line',
      'accounts:\n  a: { provider: memory }',
      'accounts:\n  a: { provider: memory }\n  new:\n',
    ],
  ])('makes its place in a file with %s', (_name, text, begins) => {
    const added = addAccount(text, 'new', ENTRY);
    expect(added.slice(0, begins.length)).toBe(begins);
    for (const line of text.split('\n').filter((part) => part.includes('#')))
      expect(added).toContain(line.replace(/^accounts: \{\} /, ''));
    expect(added.endsWith('\n')).toBe(text === '' || text.endsWith('\n'));
    expect(parse(added)).toEqual({ ...parse(text), accounts: { ...parse(text)?.accounts, new: ENTRY } });
  });

  test('stands in a JSON or flow file as JSON', () => {
    expect(addAccount('{ "version": 1, "accounts": {} }', 'new', { provider: 'memory' })).toBe(
      '{ "version": 1, "accounts": { "new": {"provider":"memory"} } }',
    );
    expect(addAccount('accounts: { a: {}, # one\n }\n', 'b', {})).toBe('accounts: { a: {}, "b": {} # one\n }\n');
  });

  test('may be called what YAML takes for something else', () => {
    for (const id of ['null', 'true', '123', '1e5', 'no'])
      expect(parse(addAccount(EXAMPLE, id, ENTRY)).accounts[id]).toEqual(ENTRY);
  });

  test('keeps the line ends of Windows', () => {
    const text = EXAMPLE.replaceAll('\n', '\r\n');
    const added = addAccount(text, 'new', ENTRY);
    expect(added.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/);
    expect(removeAccount(added, 'new')).toBe(text);
  });

  test.each([
    ['an id that is taken', EXAMPLE, 'xebia', 'INPUT_INVALID', /already/],
    ['an id that is none', EXAMPLE, '../x', 'INPUT_INVALID', /is no account id/],
    ['a file that is no YAML', 'accounts: [', 'new', 'CONFIG_INVALID', /not valid YAML/],
    ['a list', '- a', 'new', 'CONFIG_INVALID', /is not a map/],
    ['accounts that are a list', 'accounts: [a]', 'new', 'CONFIG_INVALID', /not a plain map/],
    ['accounts that are an alias', 'a: &a {}\naccounts: *a', 'new', 'CONFIG_INVALID', /not a plain map/],
    ['the end of a document', 'version: 1\n...\n', 'new', undefined, undefined],
  ])('refuses %s', (_name, text, id, code, message) => {
    const result = thrown(() => addAccount(text, id, ENTRY));
    if (code === undefined) expect(parse(result as string).accounts.new).toEqual(ENTRY);
    else expect(result).toMatchObject({ name: 'CalmcpError', code, message: expect.stringMatching(message as RegExp) });
  });
});

describe('an account that is removed', () => {
  test('leaves all other lines as they are', () => {
    const text = `accounts:
  one:
    provider: memory   # odd   spacing
    # inside of one

  # about two
  two:
    provider: 'ics'
    path: "./x"
    # path: ./y

  three: {provider: memory}
`;
    expect(removeAccount(text, 'two')).toBe(
      text.replace('\n  two:\n    provider: \'ics\'\n    path: "./x"\n    # path: ./y\n', '\n'),
    );
    expect(removeAccount(text, 'three')).toBe(text.replace('\n  three: {provider: memory}\n', ''));
    expect(removeAccount(text, 'one')).toBe(
      text.replace('  one:\n    provider: memory   # odd   spacing\n    # inside of one\n', ''),
    );
  });

  test('leaves an empty map where it was the only one', () => {
    expect(removeAccount('accounts: # mine\n  a: {}\n  # later\nversion: 1\n', 'a')).toBe(
      'accounts: {} # mine\n  # later\nversion: 1\n',
    );
  });

  test.each([
    ['{ a: {}, b: {}, c: {} }', 'a', '{ b: {}, c: {} }'],
    ['{ a: {}, b: {}, c: {} }', 'b', '{ a: {}, c: {} }'],
    ['{ a: {}, b: {}, c: {} }', 'c', '{ a: {}, b: {} }'],
    ['{ a: {} }', 'a', '{}'],
    ['{ a: {}, # about a\n  b: {} }', 'b', '{ a: {}, # about a\n   }'],
    ['{\n  a: {},\n  # about b\n  b: {}\n }', 'a', '{\n  # about b\n  b: {}\n }'],
  ])('leaves a flow map %s without %s', (before, id, after) => {
    expect(removeAccount(`accounts: ${before}\n`, id)).toBe(`accounts: ${after}\n`);
  });

  test('is refused while others repeat a part of it, and names them', () => {
    const text = `accounts:
  a: &base { provider: memory, events: &events [] }
  b: *base
  c: { provider: memory, events: *events }
defaults: {}
`;
    expect(thrown(() => removeAccount(text, 'a'))).toMatchObject({
      code: 'INPUT_INVALID',
      message: 'account a cannot be removed: b repeats a part of it (*base)',
      hint: 'move what is marked &base out of a first',
    });
    expect(removeAccount(text, 'b')).toBe(text.replace('  b: *base\n', ''));
  });

  test('may repeat itself, and others may use its anchors when they set them anew', () => {
    const text = 'accounts:\n  a: { x: &x 1, y: *x }\n  b: { x: &x 2, y: *x }\n';
    expect(removeAccount(text, 'a')).toBe('accounts:\n  b: { x: &x 2, y: *x }\n');
  });

  test('that is not there is told with those that are', () => {
    expect(thrown(() => removeAccount('accounts: { a: {}, b: {} }', 'c'))).toMatchObject({
      code: 'ACCOUNT_UNKNOWN',
      hint: 'known: a, b',
    });
    expect(thrown(() => removeAccount('version: 1', 'c'))).toMatchObject({ code: 'ACCOUNT_UNKNOWN' });
  });
});

const id = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/).filter(isAccountId);
const text = fc.string({ maxLength: 12 }).map((value) => value.replaceAll(/[^ -~]/g, 'é'));
const entry = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z]{1,8}$/),
  fc.oneof(
    text,
    fc.boolean(),
    fc.integer(),
    fc.array(text, { maxLength: 3 }),
    fc.constant('line\nline\n'),
    fc.constant({}),
  ),
  { maxKeys: 4 },
);
const comment = fc.constantFrom(
  '',
  '',
  '\n',
  '  # a comment\n',
  '\n  # one\n  # two\n\n',
  '    # deeper\n',
  '# at the margin\n',
);

/** One account as somebody may have typed it. */
const written = fc.constantFrom(
  (name: string) => `  ${name}: { provider: memory }\n`,
  (name: string) => `  ${name}: # remark\n    provider:   memory\n`,
  (name: string) => `  "${name}":\n      provider: 'memory'   # odd\n\n      timeZone: UTC\n`,
  (name: string) => `  ${name}:\n    provider: memory\n    events:\n    - { title: "x" }\n    # - more\n`,
  (name: string) => `  ${name}:\n    displayName: |\n      two\n      lines\n    note: >-\n      folded\n`,
  (name: string) => `  ${name}: &${name}\n    provider: memory\n`,
  (name: string) => `  ${name}:\n    text: |+\n      kept\n\n`,
);

const file = fc
  .record({
    head: fc.constantFrom('', 'version: 1\n', '# mine\nversion: 1\n\n', '%YAML 1.2\n---\nversion: 1\n'),
    names: fc.uniqueArray(id, { minLength: 1, maxLength: 4 }),
    shapes: fc.array(written, { minLength: 4, maxLength: 4 }),
    comments: fc.array(comment, { minLength: 4, maxLength: 4 }),
    tail: fc.constantFrom('', 'defaults: {}\n', '\n# about defaults\ndefaults:\n  timeZone: UTC\n', '\n\n'),
    cut: fc.boolean(),
    windows: fc.boolean(),
  })
  .map(({ head, names, shapes, comments, tail, cut, windows }) => {
    const accounts = names.map((name, index) => (comments[index] ?? '') + shapes[index]?.(name)).join('');
    const whole = `${head}accounts:\n${accounts}${tail}`;
    const ended = cut ? whole.replace(/\n$/, '') : whole;
    return { text: windows ? ended.replaceAll('\n', '\r\n') : ended, names };
  });

describe('whatever the file looks like', () => {
  test('adding an account and removing it again gives the file back', () => {
    fc.assert(
      fc.property(file, id, entry, (before, name, value) => {
        fc.pre(!before.names.includes(name));
        const added = addAccount(before.text, name, value);
        expect(parse(added).accounts[name]).toEqual(value);
        expect(removeAccount(added, name)).toBe(before.text);
      }),
      { numRuns: 500 },
    );
  });

  test('removing an account takes away lines and touches no other', () => {
    fc.assert(
      fc.property(file, fc.nat(3), (before, index) => {
        const name = before.names[index % before.names.length] ?? '';
        const after = removeAccount(before.text, name);
        const lines = before.text.split(/\r?\n/);
        let at = 0;
        // (The last line end stays where the text before it needs it.)
        for (const line of after.replace(/\r?\n$/, '').split(/\r?\n/)) {
          const found = lines.indexOf(line.replace('accounts: {}', 'accounts:'), at);
          expect(found, `${JSON.stringify(line)} in order`).toBeGreaterThanOrEqual(at);
          at = found + 1;
        }
        const { [name]: _gone, ...others } = parse(before.text).accounts;
        expect(parse(after).accounts).toEqual(others);
      }),
      { numRuns: 500 },
    );
  });
});
