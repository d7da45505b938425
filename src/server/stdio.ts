import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { createMcpServer, type McpOptions } from './mcp.ts';

export { toolsOf } from './mcp.ts';

/**
 * Serves MCP on stdin and stdout to clients of both protocol eras, and resolves when the client has gone.
 * @param gone resolves when stdin has ended
 */
export async function serveMcpOnStdio(options: McpOptions, gone: Promise<void>): Promise<void> {
  const handle = serveStdio(() => createMcpServer(options), {
    onerror: (error) => options.log.warn('MCP transport', { error }),
  });
  await gone;
  await handle.close();
}
