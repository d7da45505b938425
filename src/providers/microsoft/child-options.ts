import { z } from 'zod';
import { CHILD_FORMS, childCommandSchema } from '../../io/child-options.ts';

/** Ports below are for programs of the system. */
const LOWEST_PORT = 1_024;
const HIGHEST_PORT = 65_535;
const NO_PORT = `is no port from ${LOWEST_PORT} to ${HIGHEST_PORT}, nor auto`;

const block = z.strictObject({
  server: z.literal('ms-365').optional().describe('Kind of server: @softeria/ms-365-mcp-server.'),
  transport: z
    .enum(['http', 'stdio'])
    .optional()
    .describe('http (default): on a port of 127.0.0.1, with a token for each request. stdio: on pipes.'),
  port: z
    .union([z.literal('auto'), z.number().int(NO_PORT).min(LOWEST_PORT, NO_PORT).max(HIGHEST_PORT, NO_PORT)], NO_PORT)
    .optional()
    .describe('Of http: auto (default) takes any free port.'),
  tokens: z
    .enum(['lent', 'own'])
    .optional()
    .describe(
      'lent (default): calmcp signs in, and lends short-lived access tokens. own (stdio alone): the server signs in by itself and keeps its tokens in the account’s private folder.',
    ),
  command: childCommandSchema.optional(),
});

export const childSchema = z
  .union([z.literal(true), block], CHILD_FORMS)
  .optional()
  .describe('Reads the account through a child MCP server of its own; true: with all defaults.');

export interface ChildBlock {
  readonly transport: 'http' | 'stdio';
  /** 0 is any free one. */
  readonly port: number;
  readonly tokens: 'lent' | 'own';
  readonly command: readonly string[] | undefined;
}

export function childBlockOf(child: z.output<typeof childSchema>): ChildBlock | undefined {
  if (child === undefined) return undefined;
  const { transport = 'http', port = 'auto', tokens = 'lent', command } = child === true ? {} : child;
  return { transport, port: port === 'auto' ? 0 : port, tokens, command };
}

/** What is wrong with the block as a whole. */
export function checkChild({
  child,
  cloud,
  tokenCommand,
}: {
  readonly child?: z.output<typeof childSchema>;
  readonly cloud: unknown;
  readonly tokenCommand?: unknown;
}): string | undefined {
  const block = childBlockOf(child);
  if (block === undefined) return undefined;
  if (block.transport === 'stdio' && block.port !== 0) return 'child.port is for transport: http alone';
  if (block.tokens === 'own' && block.transport === 'http')
    return 'child.tokens: own is for transport: stdio alone: whoever reaches the port of such a server is signed in';
  if (block.tokens === 'own' && tokenCommand !== undefined)
    return 'child.tokens: own and tokenCommand exclude each other';
  if (block.command === undefined && cloud !== 'global' && cloud !== 'china')
    return 'the ms-365 server knows the clouds global and china alone; give child.command a server of your own for another one';
  return undefined;
}
