/** Cursors of one machine: two servers that start at the same time take each other's. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startMcpServer, temporaryFolder, writeAccounts } from '../harness.ts';

const ACCOUNTS = `version: 1
accounts:
  home:
    provider: memory
    events:
      - { title: First, start: 2026-11-23T10:00, end: 2026-11-23T11:00 }
      - { title: Second, start: 2026-11-23T12:00, end: 2026-11-23T13:00 }
`;

test.each([
  ['none', undefined],
  ['an empty one', 0],
  ['one that was cut short', 7],
])('two processes that find %s have one key', async (_name, length) => {
  const folder = await temporaryFolder();
  await writeAccounts(folder, ACCOUNTS);
  if (length !== undefined) {
    await mkdir(join(folder, 'state'), { mode: 0o700 });
    await writeFile(join(folder, 'state', 'cursor.key'), Buffer.alloc(length), { mode: 0o600 });
  }
  const servers = await Promise.all([startMcpServer(folder), startMcpServer(folder)]);
  const list = async (index: number, input: Record<string, unknown>) =>
    (await servers[index % 2]?.callTool({ name: 'list_events', arguments: { ...input, limit: 1 } }))
      ?.structuredContent as { events: { title: string }[]; nextCursor?: string };
  const first = await Promise.all(servers.map((_, index) => list(index, { range: '2026-11-23' })));
  for (const [index, { events, nextCursor }] of first.entries()) {
    expect(events.map(({ title }) => title)).toEqual(['First']);
    const next = await list(index + 1, { cursor: nextCursor });
    expect(next.events.map(({ title }) => title)).toEqual(['Second']);
  }
});
