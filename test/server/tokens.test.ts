/** What a model pays for, in tokens of o200k. The figures are printed. */
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { encode } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, onTestFinished, test } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import { createMcpServer } from '../../src/server/mcp.ts';
import { silentLog } from '../harness.ts';
import { openAccounts } from '../operations/questions.ts';

const ACCOUNTS = ['xebia', 'marimer', 'northwind', 'home'];
const TITLES = ['Sprint planning', 'Lunch', 'Architecture review', 'Call with the finance lead', 'Dentist'];

async function connect(app: () => Promise<App>): Promise<Client> {
  const server = createMcpServer({ version: '0', app, log: silentLog });
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: 'test', version: '0' });
  await Promise.all([server.connect(far), client.connect(near)]);
  onTestFinished(() => client.close());
  return client;
}

const tokensOf = (value: unknown): number => encode(typeof value === 'string' ? value : JSON.stringify(value)).length;

/** 25 events in each of four accounts, over five days, none of them alike. */
function yaml(): string {
  return ACCOUNTS.map((account, which) => {
    const events = Array.from({ length: 25 }, (_, index) => {
      const day = 23 + Math.floor(index / 5);
      const [hour, minute] = [8 + 2 * (index % 5), String(which * 15).padStart(2, '0')];
      const two = String(hour).padStart(2, '0');
      return `      - { title: ${TITLES[index % TITLES.length]}, start: 2026-11-${day}T${two}:${minute}, end: 2026-11-${day}T${String(hour + 1).padStart(2, '0')}:${minute} }`;
    });
    return `  ${account}:\n    provider: memory\n    events:\n${events.join('\n')}\n`;
  }).join('');
}

test('the tool list costs less than 3,000 tokens', async () => {
  const client = await connect(() => Promise.reject(new TypeError('not asked')));
  const { tools } = await client.listTools();
  const tokens = tokensOf({ tools });
  process.stdout.write(`tools/list: ${tokens} tokens, ${tools.length} tools\n`);
  expect(tools).toHaveLength(14);
  expect(tokens).toBeLessThan(3_000);
});

test('a hundred plain events of four accounts cost at most 4,200 tokens, and 2,400 as text', async () => {
  const app = await openAccounts(yaml());
  const client = await connect(async () => app);
  const { structuredContent, content } = await client.callTool({
    name: 'list_events',
    arguments: { range: 'this week' },
  });
  const { events, truncated } = structuredContent as { events: unknown[]; truncated?: true };
  expect(events).toHaveLength(100);
  expect(truncated).toBeUndefined();
  const text = (content as { text: string }[]).map((part) => part.text).join('\n');
  process.stdout.write(`100 events: ${tokensOf(structuredContent)} tokens structured, ${tokensOf(text)} as text\n`);
  expect(tokensOf(structuredContent)).toBeLessThanOrEqual(4_200);
  expect(tokensOf(text)).toBeLessThanOrEqual(2_400);
});
