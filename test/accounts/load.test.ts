import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Config, parseConfig } from '../../src/accounts/load.ts';
import type { CalmcpError } from '../../src/core/errors.ts';
import { providers } from '../../src/providers/index.ts';
import { startProcessorTime } from '../processor-time.ts';

interface Sources {
  readonly env?: Record<string, string>;
  readonly files?: Record<string, string>;
}

function parse(text: string, { env = {}, files = {} }: Sources = {}): Config {
  return parseConfig({ name: 'accounts.yaml', text, env, readReference: (path) => files[path] }, providers);
}

function problems(text: string, sources?: Sources): readonly string[] {
  try {
    parse(text, sources);
  } catch (thrown) {
    expect(thrown).toMatchObject({ name: 'CalmcpError', code: 'CONFIG_INVALID' });
    return (thrown as CalmcpError).problems;
  }
  return [];
}

const GUID = '11111111-1111-1111-1111-111111111111';

test('accounts.example.yaml is valid', () => {
  const text = readFileSync(new URL('../../accounts.example.yaml', import.meta.url), 'utf8');
  const { accounts } = parse(text, {
    env: { CLIENT_FEED_URL: 'https://calendar.example/feed.ics', HOME_GOOGLE_SECRET: 'x' },
  });
  expect(accounts.map(({ id, provider }) => `${id} ${provider.type}`)).toEqual([
    'xebia microsoft',
    'marimer microsoft',
    'home google',
    'client-feed ics',
    'exports ics',
    'fixed memory',
  ]);
});

test('all problems are told at once, in the order of the file, with line and column', () => {
  expect(
    problems(`version: 2
defaults:
  timeZone: Mars/Olympus
acounts: {}
accounts:
  xebia:
    provider: microsoft
    clientId: nope
    tenantID: ${GUID}
    access: reed
  home:
    provider: gogle
  Bad:
    provider: memory
  list: [1]
`),
  ).toEqual([
    'accounts.yaml:1:10 version: write version: 1',
    'accounts.yaml:3:13 defaults.timeZone: is no time zone: give an IANA name such as Europe/Amsterdam',
    'accounts.yaml:4:1 acounts: unknown key; did you mean accounts?',
    'accounts.yaml:7:5 accounts.xebia.tenantId: is missing or not text',
    'accounts.yaml:8:15 accounts.xebia.clientId: is no GUID: copy the application (client) id of your app registration',
    'accounts.yaml:9:5 accounts.xebia.tenantID: unknown key; did you mean tenantId?',
    'accounts.yaml:10:13 accounts.xebia.access: is not one of busy, read, write',
    'accounts.yaml:12:15 accounts.home.provider: is unknown; one of microsoft, google, ics, memory',
    'accounts.yaml:13:3 accounts.Bad: an account id is lower-case letters, digits, - and _, at most 63 of them',
    'accounts.yaml:15:9 accounts.list: is not a map with provider and its options',
  ]);
});

describe('YAML', () => {
  test.each([
    ['a: [1', /not valid YAML/],
    ['version: 1\nversion: 1', /occurs twice/],
    ['accounts:\n\t- x', /not valid YAML|indent/],
    ['version: 1\n---\nversion: 1', /second document|not valid YAML/],
    ['- a\n- b', /not a map/],
    ['just text', /not a map/],
  ])('%j is told with its place', (text, says) => {
    const [first] = problems(text);
    expect(first).toMatch(/^accounts\.yaml:\d+:\d+ /);
    expect(first).toMatch(says);
  });

  test('T28: an alias bomb is refused in no time', () => {
    const bomb = ['version: 1', 'a0: &a0 [x, x, x, x, x, x, x, x, x]'];
    for (let level = 1; level < 12; level++)
      bomb.push(
        `a${level}: &a${level} [${Array(9)
          .fill(`*a${level - 1}`)
          .join(', ')}]`,
      );
    const spent = startProcessorTime();
    expect(problems(bomb.join('\n'))).toEqual([expect.stringMatching(/too many aliases/)]);
    expect(spent()).toBeLessThan(2_000);
  });

  test.each(['..', 'CON', 'con', '__proto__', 'constructor/x', 'a b', 'a'.repeat(300), '-a', '%2e', 'ä', 'nul'])(
    'T23: the account id %s is refused',
    (id) => {
      expect(problems(`version: 1\naccounts:\n  ${JSON.stringify(id)}: { provider: memory }`)).toEqual([
        expect.stringMatching(/^accounts\.yaml:3:3 .*an account id is/),
      ]);
    },
  );

  test('an id that is a word of JavaScript is an id like another', () => {
    expect(parse('version: 1\naccounts: { constructor: { provider: memory } }').accounts.map(({ id }) => id)).toEqual([
      'constructor',
    ]);
  });

  test('any text at all is a configuration or a told problem, never a crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: fc.constantFrom('a', ':', ' ', '\n', '-', '&', '*', '{', '}', '[', '"', '|', '#') }),
        ),
        (text) => {
          const told = problems(text);
          for (const problem of told) expect(problem).toMatch(/^accounts\.yaml:\d+:\d+ /);
          expect(told.length).toBeGreaterThan(0);
        },
      ),
    );
  });
});

describe('references', () => {
  const feed = (url: string): string => `version: 1\naccounts:\n  feed: { provider: ics, url: ${JSON.stringify(url)} }`;

  test('${ENV:NAME} and ${FILE:path} are resolved, a line feed at the end of a file dropped', () => {
    const sources = { env: { HOST: 'calendar.example' }, files: { './key': 'abc\n' } };
    expect(parse(feed('https://${ENV:HOST}/${FILE:./key}.ics'), sources).accounts[0]?.options.url).toBe(
      'https://calendar.example/abc.ics',
    );
  });

  test('what comes out of a reference is not looked at again', () => {
    const sources = { env: { A: 'https://x.example/${ENV:B}', B: 'secret' } };
    expect(String(parse(feed('${ENV:A}'), sources).accounts[0]?.options.url)).not.toContain('secret');
  });

  test('a missing, an empty and an unknown one name the reference and where it stands', () => {
    expect(problems(feed('${ENV:NOPE}'))).toEqual(['accounts.yaml:3:31 accounts.feed.url: ${ENV:NOPE} is not set']);
    expect(problems(feed('${ENV:EMPTY}'), { env: { EMPTY: '' } })[0]).toMatch(/\$\{ENV:EMPTY\} is empty/);
    expect(problems(feed('${FILE:./nope}'))[0]).toMatch(/\$\{FILE:\.\/nope\} is not readable/);
    expect(problems(feed('${VAULT:a:b}'))[0]).toMatch(/\$\{VAULT:a:b\} is unknown/);
  });

  test('keys are not resolved', () => {
    expect(problems('version: 1\n${ENV:X}: 1', { env: { X: 'accounts' } })).toEqual([
      expect.stringMatching(/\$\{ENV:X\}: unknown key/),
    ]);
  });

  test('no value of the file is repeated in a message, wherever it stands', () => {
    const canary = 'CANARY-s3cr3t';
    const texts = [
      feed(canary),
      feed('${ENV:SECRET}'),
      `version: 1\ndefaults: { timeZone: "${canary}", workingHours: { days: ["${canary}"], start: "${canary}", end: "${canary}" } }`,
      `version: 1\naccounts: { a: { provider: "${canary}" } }`,
      `version: 1\naccounts: { a: { provider: microsoft, clientId: "${canary}", tenantId: "${canary}!", username: 1, cloud: "${canary}", access: "${canary}" } }`,
      `version: 1\naccounts: { a: "${canary}" }`,
      `version: "${canary}"`,
      `version: 1\naccounts: { a: { provider: memory, events: [{ start: 5 }, "${canary}"] } }`,
      `clientSecret: "${canary}`,
    ];
    for (const text of texts) {
      const told = problems(text, { env: { SECRET: canary } });
      expect(told.length, text).toBeGreaterThan(0);
      expect(told.join('\n')).not.toContain(canary);
    }
  });
});

test('an endpoint is https, or this machine', () => {
  const cloud = (graph: string): string =>
    `version: 1\naccounts:\n  a: { provider: microsoft, clientId: ${GUID}, tenantId: ${GUID}, cloud: { authority: "https://login.example", graph: "${graph}" } }`;
  for (const good of ['https://graph.example', 'http://127.0.0.1:4010', 'http://localhost:1', 'http://[::1]:2'])
    expect(problems(cloud(good))).toEqual([]);
  for (const bad of [
    'http://graph.example',
    'ftp://127.0.0.1',
    'graph.example',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
  ])
    expect(problems(cloud(bad)), bad).toHaveLength(1);
});

describe('limits', () => {
  const microsoft = `  xebia: { provider: microsoft, clientId: ${GUID}, tenantId: ${GUID.replaceAll('1', '2')}`;

  test('of an account and of a registration are what the file says, whatever the case of the client id', () => {
    const id = 'ABCDEF00-1111-1111-1111-111111111111';
    const { accounts, registrations } = parse(`version: 1
registrations: { ${id}: { atOnce: 16, perMinute: 500 } }
accounts:
  xebia: { provider: microsoft, clientId: ${id.toLowerCase()}, tenantId: consumers, limits: { perMinute: 300 } }
`);
    expect(accounts[0]?.settings.limits).toEqual({ perMinute: 300 });
    expect([...registrations]).toEqual([[id.toLowerCase(), { atOnce: 16, perMinute: 500 }]]);
  });

  test.each([
    ['{ atOnce: 0 }', 'atOnce: is less than 1'],
    ['{ atOnce: 33 }', 'atOnce: is more than 32'],
    ['{ atOnce: 1.5 }', 'atOnce: is no whole number from 1 to 32'],
    ['{ perMinute: 9 }', 'perMinute: is less than 10'],
    ['{ perMinute: 100001 }', 'perMinute: is more than 100000'],
    ['{ perMinute: many }', 'perMinute: is no whole number from 10 to 100000'],
    ['{ perHour: 9 }', 'perHour: unknown key'],
  ])('%s is told with its place', (limits, told) => {
    expect(problems(`version: 1\naccounts:\n${microsoft}, limits: ${limits} }\n`)).toEqual([
      expect.stringMatching(new RegExp(String.raw`^accounts\.yaml:3:\d+ accounts\.xebia\.limits\.${told}$`)),
    ]);
  });

  test('of a registration that no account uses are a mistake', () => {
    const file = (clientId: string): string =>
      `version: 1\nregistrations:\n  ${clientId}: { perMinute: 500 }\naccounts:\n${microsoft} }\n`;
    expect(problems(file(GUID))).toEqual([]);
    expect(problems(file('1234.apps.googleusercontent.com'))).toEqual([
      'accounts.yaml:3:3 registrations.1234.apps.googleusercontent.com: no account has this client id',
    ]);
    expect(problems(file(GUID).replace('perMinute', 'perminute'))).toEqual([
      `accounts.yaml:3:43 registrations.${GUID}.perminute: unknown key`,
    ]);
  });
});
