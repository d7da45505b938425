/** The built program and the protocol's own messages: what no client of an SDK shows. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { builtEnvironment, temporaryFolder, writeAccounts } from '../harness.ts';

const bin = join(import.meta.dirname, '../../dist/main.js');

const ACCOUNTS = `version: 1
accounts:
  fixed: { provider: memory, events: [{ title: Review, start: 2026-11-23T10:00 }] }
  feed: { provider: ics, path: ./missing.ics }
`;

interface Answer {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

interface Wire {
  /** Everything that has come out, line by line. */
  readonly lines: readonly Answer[];
  ask(method: string, params: object): Promise<Answer>;
  tell(method: string): void;
  /** Closes stdin. @returns the exit status, and how long it took */
  leave(): Promise<{ readonly status: number | null; readonly ms: number }>;
}

async function start(): Promise<Wire> {
  const folder = await temporaryFolder();
  await writeAccounts(folder, ACCOUNTS);
  const env = { ...builtEnvironment(folder), CALMCP_LOG: 'debug' };
  const running = spawn(process.execPath, [bin, 'mcp'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void running.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve) => running.once('exit', resolve));
  const lines: Answer[] = [];
  const waiting = new Map<number, (answer: Answer) => void>();
  createInterface(running.stdout).on('line', (line) => {
    const answer = JSON.parse(line) as Answer;
    lines.push(answer);
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer);
  });
  const send = (message: object): void =>
    void running.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  let id = 0;
  return {
    lines,
    ask: (method, params) =>
      new Promise((resolve) => {
        waiting.set(++id, resolve);
        send({ id, method, params });
      }),
    tell: (method) => send({ method }),
    async leave() {
      const started = performance.now();
      running.stdin.end();
      const status = await ended;
      return { status, ms: performance.now() - started };
    },
  };
}

const clientInfo = { name: 'calmcp-test', version: '0' };

function initialize(wire: Wire, protocolVersion = '2025-06-18'): Promise<Answer> {
  return wire.ask('initialize', { protocolVersion, capabilities: {}, clientInfo });
}

const modern = {
  _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': {},
  },
};

const call = { name: 'list_events', arguments: { range: 'today' } };

test.each(['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'])(
  'a client of %s gets its own version, and nothing but the protocol on stdout; stdin closed, the server ends by itself',
  async (version) => {
    const wire = await start();
    expect(await initialize(wire, version)).toMatchObject({ result: { protocolVersion: version } });
    wire.tell('notifications/initialized');
    expect(await wire.ask('tools/call', call)).toMatchObject({ result: { structuredContent: { complete: false } } });
    const { status, ms } = await wire.leave();
    expect(status).toBe(0);
    expect(ms).toBeLessThan(2_000);
    expect(wire.lines.map(({ id }) => id)).toEqual([1, 2]);
  },
);

test('a client of 2026-07-28 discovers, calls without a handshake, and leaves', async () => {
  const wire = await start();
  const { result } = await wire.ask('server/discover', modern);
  expect(result).toMatchObject({ supportedVersions: expect.arrayContaining(['2026-07-28']) });
  expect(await wire.ask('tools/call', { ...call, ...modern })).toMatchObject({
    result: { structuredContent: { complete: false } },
  });
  const { status, ms } = await wire.leave();
  expect(status).toBe(0);
  expect(ms).toBeLessThan(2_000);
});

// Claude Code 2.1.280: https://github.com/anthropics/claude-code/issues/96183
test('a client that discovers and then initializes after all is served', async () => {
  const wire = await start();
  expect(await wire.ask('server/discover', modern)).toHaveProperty('result');
  expect(await initialize(wire)).toMatchObject({ result: { protocolVersion: '2025-06-18' } });
  wire.tell('notifications/initialized');
  expect(await wire.ask('tools/call', call)).toMatchObject({ result: { structuredContent: { complete: false } } });
});

test('the list of tools does not change, and nothing promises that it would', async () => {
  const wire = await start();
  const { result: discovered } = await wire.ask('server/discover', modern);
  expect(discovered).toMatchObject({ capabilities: { tools: expect.anything() } });
  expect(JSON.stringify(discovered?.capabilities)).not.toMatch(/"listChanged":true/);
});

test('a server that is left in the middle of a question ends all the same', async () => {
  const wire = await start();
  await initialize(wire);
  wire.tell('notifications/initialized');
  void wire.ask('tools/call', call);
  const { status, ms } = await wire.leave();
  expect(status).toBe(0);
  expect(ms).toBeLessThan(2_000);
});
