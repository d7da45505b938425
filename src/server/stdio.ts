import type { Duplex } from 'node:stream';
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import { createMcpServer, type McpOptions } from './mcp.ts';

export { toolsOf } from './mcp.ts';

/**
 * Serves MCP on stdin and stdout to clients of both protocol eras, and resolves when the client has gone.
 * @param gone resolves when stdin has ended
 * @param stream in the place of both
 */
export async function serveMcpOnStdio(options: McpOptions, gone: Promise<void>, stream?: Duplex): Promise<void> {
  const handle = serveStdio(() => createMcpServer(options), {
    ...(stream === undefined ? {} : { transport: new StdioServerTransport(stream, stream) }),
    onerror: (error) => options.log.warn('MCP transport', { error }),
  });
  await gone;
  await handle.close();
}
