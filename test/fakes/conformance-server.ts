/**
 * The HTTP front of the conformance tests, and the server that the suite asks for, mounted on the production one.
 * What is mounted is said by the suite: https://github.com/modelcontextprotocol/conformance
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { localhostHostValidation, localhostOriginValidation, toNodeHandler } from '@modelcontextprotocol/node';
import {
  createMcpHandler,
  type McpServer,
  type McpServerFactory,
  type ServerNotifier,
} from '@modelcontextprotocol/server';
import { mountPrompts, mountResources } from './conformance-contents.ts';
import { mountInputTools } from './conformance-input-tools.ts';
import { mountTools } from './conformance-tools.ts';

export interface HttpFront {
  readonly url: string;
  close(): Promise<void>;
}

/** Serves MCP over HTTP to clients of both eras, to callers on this machine alone. */
export async function openHttpFront(
  build: (context: Parameters<McpServerFactory>[0], notify: ServerNotifier) => McpServer,
): Promise<HttpFront> {
  const handler = createMcpHandler((context) => build(context, handler.notify));
  const answer = toNodeHandler(handler);
  // createMcpHandler looks at neither header: a page that has a name lead to 127.0.0.1 would be answered.
  const guards = [localhostHostValidation(), localhostOriginValidation()];
  const server = createServer((request, response) => {
    if (guards.every((passes) => passes(request, response)))
      void answer(request as Parameters<typeof answer>[0], response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async close() {
      await handler.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Mounts all that the suite calls on a server that is otherwise as in production. */
export function mountFixtures(server: McpServer, notify: ServerNotifier): McpServer {
  // Its lists change where a test tool says so; those of production do not.
  server.server.registerCapabilities({ logging: {}, tools: { listChanged: true }, prompts: { listChanged: true } });
  mountTools(server, notify);
  mountInputTools(server);
  mountResources(server);
  mountPrompts(server);
  return server;
}
