/**
 * The reason calmcp exists, kept as a story: the child server that everyone uses, run for two tenants in one HOME,
 * answers for the second tenant with the calendar of the first. Same sandbox, same client id, real package.
 */
import { spawn } from 'node:child_process';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect, onTestFinished, test } from 'vitest';
import { listEvents } from '../../src/operations/list-events.ts';
import { clientId, type Sandbox } from '../../src/sandbox/index.ts';
import { commandOf } from '../children.ts';
import { MARIMER, microsoftAccounts, openSandbox, openTestApp, signIn, temporaryFolder, XEBIA } from '../harness.ts';

const flags = ['--preset', 'calendar', '--read-only'];

interface Child {
  readonly command: string;
  readonly args: string[];
  readonly env: Record<string, string>;
}

/** The child as its README says to run it: registration and tenant in the environment, everything else by default. */
function child(sandbox: Sandbox, home: string, tenantId: string, ...more: string[]): Child {
  const [command = '', ...args] = commandOf('ms-365', sandbox);
  return {
    command,
    args: [...args, ...flags, ...more],
    env: {
      PATH: process.env.PATH ?? '',
      HOME: home,
      MS365_MCP_CLIENT_ID: clientId,
      MS365_MCP_TENANT_ID: tenantId,
      MS365_MCP_USE_KEYTAR: '0',
    },
  };
}

async function login(sandbox: Sandbox, home: string, tenantId: string, username: string): Promise<void> {
  const { command, args, env } = child(sandbox, home, tenantId, '--login');
  const running = spawn(command, args, { env, cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void running.kill('SIGKILL'));
  let said = '';
  let approved = false;
  const listen = (text: Buffer): void => {
    said += text.toString();
    const code = /code ([A-Z0-9-]{6,}) to authenticate/.exec(said)?.[1];
    if (code === undefined || approved) return;
    approved = true;
    sandbox.approve(code, username);
  };
  running.stdout.on('data', listen);
  running.stderr.on('data', listen);
  const status = await new Promise((resolve) => running.once('exit', resolve));
  expect(status, said).toBe(0);
}

async function subjects(sandbox: Sandbox, home: string, tenantId: string): Promise<string[]> {
  const client = new Client({ name: 'calmcp-test', version: '0' });
  await client.connect(new StdioClientTransport({ ...child(sandbox, home, tenantId), cwd: home, stderr: 'ignore' }));
  try {
    const result = await client.callTool({
      name: 'get-calendar-view',
      arguments: { startDateTime: '2026-11-23T00:00:00Z', endDateTime: '2026-11-30T00:00:00Z', fetchAllPages: true },
    });
    const [content] = result.content as { text: string }[];
    expect(result.isError ?? false, content?.text).toBe(false);
    return (JSON.parse(content?.text ?? '{}') as { value: { subject: string }[] }).value.map(({ subject }) => subject);
  } finally {
    await client.close();
  }
}

test('ms-365-mcp-server in one HOME answers for the second tenant with the first one’s calendar; calmcp does not', async () => {
  const sandbox = await openSandbox();
  const home = await temporaryFolder();
  await login(sandbox, home, XEBIA.tenantId, 'you@xebia.example');
  await login(sandbox, home, MARIMER.tenantId, 'you@marimer.example');

  const asked = sandbox.requests.length;
  const answer = await subjects(sandbox, home, MARIMER.tenantId);
  // Started for Marimer, no error, and these are Xebia's events: read with Xebia's token.
  expect(answer).toContain('Sprint planning');
  expect(answer).not.toContain('Aurora go/no-go');
  const readers = sandbox.requests.slice(asked).filter(({ path }) => path.endsWith('/calendarView'));
  expect(new Set(readers.map(({ mailbox }) => mailbox))).toEqual(new Set(['you@xebia.example']));

  const { app } = await openTestApp(microsoftAccounts(sandbox, [XEBIA, MARIMER]));
  await signIn(app, sandbox, 'xebia', 'you@xebia.example');
  await signIn(app, sandbox, 'marimer', 'you@marimer.example');
  const { events } = await listEvents.run(
    app,
    { accounts: 'marimer', range: 'this week', detail: 'full' },
    { signal: new AbortController().signal },
  );
  const titles = events.map(({ title }) => title);
  expect(titles).toContain('Aurora go/no-go');
  expect(titles).not.toContain('Sprint planning');
}, 60_000);
