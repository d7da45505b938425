/** What a model sees of each tool, committed: a changed word shows in review. `npm run docs` writes it anew. */
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { expect, test } from 'vitest';
import { createMcpServer } from '../../src/server/mcp.ts';
import { silentLog } from '../harness.ts';

async function listTools(): Promise<Awaited<ReturnType<Client['listTools']>>['tools']> {
  const server = createMcpServer({
    version: '0',
    app: () => Promise.reject(new TypeError('not asked')),
    log: silentLog,
  });
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: 'test', version: '0' });
  await Promise.all([server.connect(far), client.connect(near)]);
  const { tools } = await client.listTools();
  await client.close();
  return tools;
}

test('each tool is the one that was agreed on', async () => {
  for (const tool of await listTools())
    await expect(`${JSON.stringify(tool, null, 2)}\n`).toMatchFileSnapshot(`__snapshots__/${tool.name}.json`);
});

test('names are snake_case and short, first sentences stand alone, annotations follow from the effect', async () => {
  for (const { name, title, description = '', annotations } of await listTools()) {
    expect(name).toMatch(/^[a-z]+(?:_[a-z]+)*$/);
    expect(name.length).toBeLessThanOrEqual(30);
    expect(title).toBeTruthy();
    expect(description.split('. ')[0]?.length).toBeLessThanOrEqual(160);
    const writing = /^(?:create|update|delete|respond)/.test(name) || name === 'sign_in';
    expect(annotations?.readOnlyHint).toBe(!writing);
    // What may take something away says so, by the specification's default.
    expect(annotations?.destructiveHint).toBe(/^(?:create|sign)/.test(name) ? false : undefined);
  }
});
