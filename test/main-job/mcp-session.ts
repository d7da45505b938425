/** An MCP client in this process, and all that it is told: answers, progress, and what calmcp writes in its log meanwhile. */
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { onTestFinished } from 'vitest';
import type { App } from '../../src/accounts/registry.ts';
import type { Logger } from '../../src/core/provider.ts';
import { createLog } from '../../src/io/log.ts';
import { createMcpServer, type McpOptions } from '../../src/server/mcp.ts';

export interface Told {
  readonly isError: boolean;
  readonly text: string;
  readonly structured: Readonly<Record<string, unknown>>;
}

export interface McpSession {
  readonly client: Client;
  call(name: string, input?: Readonly<Record<string, unknown>>): Promise<Told>;
  /** What a client was told while it waited. */
  readonly progress: readonly string[];
}

/** A log as `--log debug` writes it. */
export function debugLog(): { readonly log: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return { lines, log: createLog({ level: 'debug', write: (line) => lines.push(line), now: () => new Date(0) }) };
}

export async function openSession(app: App, options: Partial<McpOptions> = {}): Promise<McpSession> {
  const { log } = debugLog();
  const server = createMcpServer({ version: '0', app: async () => app, log, ...options });
  const [near, far] = InMemoryTransport.createLinkedPair();
  const client = new Client({ name: 'calmcp-test', version: '0' });
  await Promise.all([server.connect(far), client.connect(near)]);
  onTestFinished(() => client.close());
  const progress: string[] = [];
  return {
    client,
    progress,
    async call(name, input = {}) {
      const result = await client.callTool(
        { name, arguments: { ...input } },
        { onprogress: (told) => progress.push(JSON.stringify(told)) },
      );
      const content = result.content as readonly { readonly text: string }[];
      return {
        isError: result.isError === true,
        text: content.map(({ text }) => text).join('\n'),
        structured: (result.structuredContent ?? {}) as Told['structured'],
      };
    },
  };
}
