import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client112 } from 'mcp-sdk-1.12/client/index.js';
import { StdioClientTransport as Stdio112 } from 'mcp-sdk-1.12/client/stdio.js';
import { Client as Client132 } from 'mcp-sdk-1.32/client/index.js';
import { StdioClientTransport as Stdio132 } from 'mcp-sdk-1.32/client/stdio.js';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Agenda } from '../../src/operations/list-events.ts';
import { NOW, temporaryFolder, writeAccounts } from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');

const ACCOUNTS = `version: 1
defaults: { timeZone: Europe/Amsterdam }
accounts:
  fixed:
    provider: memory
    events:
      - { title: "Sprint\\u202e review", start: 2026-11-23T10:00, end: 2026-11-23T10:45 }
      - { title: Conference, start: 2026-11-24, end: 2026-11-27, busy: oof }
  feed: { provider: ics, path: ./missing.ics }
`;

async function server(accounts = ACCOUNTS): Promise<{ command: string; args: string[]; env: Record<string, string> }> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, accounts);
  return {
    command: process.execPath,
    args: [bin, 'mcp'],
    env: {
      PATH: process.env.PATH ?? '',
      CALMCP_HOME: folder,
      CALMCP_KEYSTORE: 'keyfile',
      CALMCP_NOW: NOW,
      CALMCP_LOG: 'debug',
    },
  };
}

/** What the tests need of a client of any age. */
interface AnyClient {
  listTools(): Promise<{ tools: { name: string; inputSchema: object; outputSchema?: object | undefined }[] }>;
  callTool(request: { name: string; arguments: Record<string, unknown> }): Promise<unknown>;
  close(): Promise<void>;
}

const info = { name: 'calmcp-test', version: '0' };

const CLIENTS: Readonly<Record<string, (accounts?: string) => Promise<AnyClient>>> = {
  'sdk 1.12': async (accounts) => {
    const client = new Client112(info);
    await client.connect(new Stdio112({ ...(await server(accounts)), stderr: 'ignore' }));
    return client as AnyClient;
  },
  'sdk 1.32': async (accounts) => {
    const client = new Client132(info);
    await client.connect(new Stdio132({ ...(await server(accounts)), stderr: 'ignore' }));
    return client as AnyClient;
  },
  'v2 in the 2025 era': async (accounts) => {
    const client = new ClientV2(info, { versionNegotiation: { mode: 'legacy' } });
    await client.connect(new StdioV2({ ...(await server(accounts)), stderr: 'ignore' }));
    return client as AnyClient;
  },
  'v2 in the 2026-07-28 era': async (accounts) => {
    const client = new ClientV2(info, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    await client.connect(new StdioV2({ ...(await server(accounts)), stderr: 'ignore' }));
    return client as AnyClient;
  },
};

async function connect(name: string, accounts?: string): Promise<AnyClient> {
  const client = await CLIENTS[name]?.(accounts);
  if (client === undefined) throw new TypeError(name);
  onTestFinished(() => client.close());
  return client;
}

interface ToolResult {
  readonly isError?: boolean;
  readonly content: { readonly type: string; readonly text: string }[];
  readonly structuredContent?: unknown;
}

describe.each(Object.keys(CLIENTS))('a client on %s', (name) => {
  test('lists the tools, with schemas that need no resolving', async () => {
    const { tools } = await (await connect(name)).listTools();
    expect(tools.map((tool) => tool.name)).toEqual([
      'list_accounts',
      'list_calendars',
      'list_events',
      'search_events',
      'get_event',
      'get_free_busy',
      'find_free_time',
      'find_conflicts',
      'get_current_time',
    ]);
    for (const tool of tools) {
      expect(JSON.stringify(tool)).not.toMatch(/\$ref|\$schema/);
      expect(tool.outputSchema).toMatchObject({ type: 'object' });
    }
  });

  test('gets the same facts as structure and as text, coverage first, and learns what is missing', async () => {
    const client = await connect(name);
    const result = (await client.callTool({ name: 'list_events', arguments: { range: 'this week' } })) as ToolResult;
    expect(result.isError ?? false).toBe(false);
    expect(result.structuredContent).toEqual({
      range: { start: '2026-11-23T00:00:00+01:00', end: '2026-11-30T00:00:00+01:00', timeZone: 'Europe/Amsterdam' },
      complete: false,
      accounts: [
        { account: 'fixed', status: 'ok', calendars: 1, asOf: '2026-11-23T08:00:00Z', requests: 0 },
        {
          account: 'feed',
          status: 'unavailable',
          message: expect.stringMatching(/missing\.ics/),
          hint: expect.any(String),
          requests: 0,
        },
      ],
      events: [
        {
          id: expect.stringMatching(/^fixed\.[0-9a-z]{10}$/),
          title: 'Sprint review',
          start: '2026-11-23T10:00+01:00',
          end: '10:45',
        },
        {
          id: expect.any(String),
          title: 'Conference',
          start: '2026-11-24',
          end: '2026-11-27',
          allDay: true,
          busy: 'oof',
        },
      ],
    });
    const { events } = result.structuredContent as Agenda;
    expect(result.content[0]?.text.split('\n')).toEqual([
      'fixed: ok, 1 calendar, as of 2026-11-23T08:00:00Z',
      expect.stringMatching(/^feed: unavailable, .*missing\.ics/),
      'INCOMPLETE: the time of feed is unknown, not free.',
      '2026-11-23T00:00:00+01:00 to 2026-11-30T00:00:00+01:00 Europe/Amsterdam',
      '2026-11-23 Mon +01:00',
      `10:00-10:45 Sprint review · ${events[0]?.id}`,
      '2026-11-24 Tue',
      `all day until 2026-11-26 Conference · ${events[1]?.id} · oof`,
    ]);
  });

  test('is told about a wrong argument and an unknown account in words it can act on', async () => {
    const client = await connect(name);
    const unknown = (await client.callTool({ name: 'list_events', arguments: { accounts: 'nobody' } })) as ToolResult;
    expect(unknown.isError).toBe(true);
    expect(unknown.content[0]?.text).toBe('ACCOUNT_UNKNOWN: there is no account "nobody"\nknown: fixed, feed');
    const zone = (await client.callTool({ name: 'list_events', arguments: { timeZone: 'Mars/Base' } })) as ToolResult;
    expect(zone.isError).toBe(true);
    expect(zone.content[0]?.text).toMatch(/^INPUT_INVALID: unknown time zone "Mars\/Base"\n/);
  });

  test('hears of a broken accounts.yaml at the call, not by a server that is gone', async () => {
    const client = await connect(name, 'version: 1\naccounts:\n  a: { provider: nope }\n');
    expect((await client.listTools()).tools).toHaveLength(9);
    const result = (await client.callTool({ name: 'list_accounts', arguments: {} })) as ToolResult;
    expect(result.isError).toBe(true);
    expect(result.content[0]?.text).toMatch(
      /^CONFIG_INVALID: .*accounts\.yaml has a problem\n.*accounts\.yaml:3:18 accounts\.a\.provider: is unknown/,
    );
  });
});

test('stdout carries the protocol and nothing else, whatever is logged; the server ends with its client', async () => {
  const { command, args, env } = await server();
  const running = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  onTestFinished(() => void running.kill('SIGKILL'));
  const lines: unknown[] = [];
  const reader = createInterface(running.stdout);
  const answered = new Promise<void>((resolve) =>
    reader.on('line', (line) => {
      lines.push(JSON.parse(line));
      if (lines.length === 2) resolve();
    }),
  );
  const send = (message: object): void =>
    void running.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  send({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: info } });
  send({ method: 'notifications/initialized' });
  send({ id: 2, method: 'tools/call', params: { name: 'list_events', arguments: { range: 'today' } } });
  await answered;
  const ended = new Promise((resolve) => running.once('exit', resolve));
  running.stdin.end();
  expect(await ended).toBe(0);
  expect(lines).toMatchObject([{ id: 1 }, { id: 2 }]);
});
