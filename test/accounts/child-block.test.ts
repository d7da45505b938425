/** What accounts.yaml may say of child servers, and what is said where it may not, or where the server is not there. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseConfig } from '../../src/accounts/load.ts';
import type { CalmcpError } from '../../src/core/errors.ts';
import { createChildServers } from '../../src/io/child-servers.ts';
import { listEvents } from '../../src/operations/list-events.ts';
import { providers } from '../../src/providers/index.ts';
import { openTestApp, silentLog, temporaryFolder } from '../harness.ts';
import { ask } from '../operations/questions.ts';

const GUID = '11111111-1111-1111-1111-111111111111';
const microsoft = (child: string, more = ''): string =>
  `version: 1\naccounts:\n  work:\n    provider: microsoft\n    clientId: ${GUID}\n    tenantId: ${GUID}\n    child: ${child}\n${more}`;
const google = (child: string, more = ''): string =>
  `version: 1\naccounts:\n  home:\n    provider: google\n    clientId: x.apps.googleusercontent.com\n    clientSecret: y\n    child: ${child}\n${more}`;
const other = (provider: string): string =>
  `version: 1\naccounts:\n  own:\n    provider: ${provider}\n    child: true\n`;

function problems(text: string): readonly string[] {
  try {
    parseConfig({ name: 'accounts.yaml', text, env: {}, readReference: () => undefined }, providers);
  } catch (thrown) {
    expect(thrown).toMatchObject({ name: 'CalmcpError', code: 'CONFIG_INVALID' });
    return (thrown as CalmcpError).problems;
  }
  return [];
}

test.each([
  microsoft('true'),
  microsoft('{ server: ms-365, transport: http, port: auto }'),
  microsoft('{ port: 45000 }'),
  microsoft('{ transport: stdio }'),
  microsoft('{ transport: stdio, tokens: own }'),
  microsoft('{ command: [node, mine.js] }', '    cloud: usgov\n'),
  microsoft('true', '    cloud: china\n'),
  google('true'),
  google('{ server: google-calendar, transport: stdio, command: [node, mine.js] }'),
])('%s is valid', (text) => {
  expect(problems(text)).toEqual([]);
});

test.each([
  [microsoft('{ prot: 1 }'), 'accounts.yaml:7:14 accounts.work.child.prot: unknown key'],
  ...['80', '70000', '"47001"', '47001.5', '-1', '.inf', 'null', 'any', '[47001]'].map((port): [string, string] => [
    microsoft(`{ port: ${port} }`),
    `accounts.yaml:7:20 accounts.work.child.port: is no port from 1024 to 65535, nor auto`,
  ]),
  [microsoft('{ server: google-calendar }'), /^accounts\.yaml:7:22 accounts\.work\.child\.server: .*ms-365/],
  [microsoft('{ command: [] }'), /^accounts\.yaml:7:23 accounts\.work\.child\.command: /],
  ...['false', '"yes"', 'null', '1', '[]'].flatMap((child): [string, RegExp][] => [
    [microsoft(child), /^accounts\.yaml:7:\d+ accounts\.work\.child: write true, or a map; leave it out for none$/],
    [google(child), /^accounts\.yaml:7:\d+ accounts\.home\.child: write true, or a map; leave it out for none$/],
  ]),
  [
    microsoft('{ transport: stdio, port: 45000 }'),
    /^accounts\.yaml:\d+:\d+ accounts\.work.*: child\.port is for transport: http alone/,
  ],
  [
    microsoft('{ tokens: own }'),
    /^accounts\.yaml:\d+:\d+ accounts\.work.*: child\.tokens: own is for transport: stdio alone/,
  ],
  [
    microsoft('{ transport: stdio, tokens: own }', '    tokenCommand: [token]\n'),
    /^accounts\.yaml:\d+:\d+ accounts\.work.*: child\.tokens: own and tokenCommand exclude each other/,
  ],
  [
    microsoft('true', '    cloud: usgov\n'),
    /^accounts\.yaml:\d+:\d+ accounts\.work.*: the ms-365 server knows the clouds global and china alone/,
  ],
  [google('{ transport: http }'), /^accounts\.yaml:7:25 accounts\.home\.child\.transport: /],
  [google('{ port: 45000 }'), /^accounts\.yaml:7:14 accounts\.home\.child\.port: unknown key/],
  [
    google(
      'true',
      '    endpoints: { authorization: "http://127.0.0.1:1/a", token: "http://127.0.0.1:1/t", revocation: "http://127.0.0.1:1/r", calendar: "http://127.0.0.1:1" }\n',
    ),
    /^accounts\.yaml:\d+:\d+ accounts\.home.*: the google-calendar server knows Google’s own addresses alone/,
  ],
  [other('memory'), /^accounts\.yaml:5:5 accounts\.own\.child: unknown key/],
  [`${other('ics')}    files: x.ics\n`, /^accounts\.yaml:5:5 accounts\.own\.child: unknown key/],
])('%s is told with its place', (text, says) => {
  const told = problems(text);
  const found = told.find((line) => (typeof says === 'string' ? line === says : says.test(line)));
  expect(found, told.join('\n')).toBeDefined();
});

const second = (id: string, child: string): string =>
  `  ${id}:\n    provider: microsoft\n    clientId: ${GUID}\n    tenantId: ${GUID}\n    child: ${child}\n`;

test('a port belongs to one account alone: each further one is told, with whose it is', () => {
  const text = microsoft(
    '{ port: 47001 }',
    second('also', '{ port: 47001 }') + second('own', '{ port: 47002 }') + second('third', '{ port: 47001 }'),
  );
  expect(problems(text)).toEqual([
    'accounts.yaml:12:20 accounts.also.child.port: is that of accounts.work as well; give each a port of its own, or auto',
    'accounts.yaml:22:20 accounts.third.child.port: is that of accounts.work as well; give each a port of its own, or auto',
  ]);
});

test.each([
  microsoft('{ port: 47001 }', second('also', '{ port: 47002 }')),
  microsoft('true', second('also', '{ port: auto }')),
  microsoft('{ transport: stdio }', second('also', '{ transport: stdio }')),
])('%s has no port twice', (text) => {
  expect(problems(text)).toEqual([]);
});

test.each([
  ['ms-365', microsoft('true', '    tokenCommand: TOKEN\n'), '@softeria/ms-365-mcp-server@0.155.0'],
  ['google-calendar', google('true', '    tokenCommand: TOKEN\n'), '@cocal/google-calendar-mcp@2.6.3'],
])(
  '%s that is not installed is told in one line with how to install it, and nothing is downloaded',
  async (_name, text, pinned) => {
    const folder = await temporaryFolder();
    const asked: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (input) => {
      asked.push(input);
      throw new TypeError('no network here');
    };
    const yaml = text.replace('TOKEN', JSON.stringify([process.execPath, '-p', '"token"']));
    const children = createChildServers({
      stateFolder: join(folder, 'state'),
      machine: { env: { PATH: folder }, from: join(folder, 'package.json'), version: '0.0.0-test' },
      log: silentLog,
    });
    const { app } = await openTestApp(yaml, { folder, children, fetch });
    for (let time = 0; time < 2; time++)
      await expect(ask(listEvents, app, { range: 'today', detail: 'full' })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: `its child server ${pinned.replace(/@[\d.]+$/, '')} is not installed`,
        hint: `run: npm i -g ${pinned}`,
      });
    expect(asked).toEqual([]);
  },
);
