/** What clients can attach to a conversation: the same answers as the tools give, as text. */
import { type McpServer, ResourceTemplate, type ServerContext } from '@modelcontextprotocol/server';
import { neutralize } from '../core/text.ts';
import { listAccounts } from '../operations/list-accounts.ts';
import { listEvents } from '../operations/list-events.ts';
import type { Operation } from '../operations/operation.ts';

const WORDS = ['today', 'tomorrow', 'this week', 'next week', 'next 7 days', 'this month'];
/** Events of an agenda as a resource. */
const MOST_EVENTS = 200;
/** How long a client may keep what it read, in milliseconds. */
const FRESH_MS = 60_000;
const CACHE = { ttlMs: FRESH_MS, cacheScope: 'private' } as const;

const addressOf = (range: string): string => `calendar://agenda/${encodeURIComponent(range)}`;

/** What is not encoded well is told as a range that cannot be read. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param answer what a tool would say, as text. @throws what is told to the client */
export function registerResources(
  server: McpServer,
  answer: (operation: Operation, input: Readonly<Record<string, unknown>>, context: ServerContext) => Promise<string>,
  tools: ReadonlySet<string>,
): void {
  const mimeType = 'text/plain';
  if (tools.has(listAccounts.name))
    server.registerResource(
      'accounts',
      'calendar://accounts',
      {
        title: 'Accounts',
        description: 'The accounts and whether each is signed in.',
        mimeType,
        cacheHint: CACHE,
      },
      async (uri, context) => ({
        contents: [{ uri: uri.href, mimeType, text: await answer(listAccounts, {}, context) }],
      }),
    );
  if (tools.has(listEvents.name))
    server.registerResource(
      'agenda',
      new ResourceTemplate('calendar://agenda/{range}', {
        list: () => ({
          resources: WORDS.slice(0, 4).map((range) => ({ uri: addressOf(range), name: `agenda ${range}`, mimeType })),
        }),
        complete: { range: (begun) => WORDS.filter((range) => range.startsWith(begun.toLowerCase())) },
      }),
      {
        title: 'Agenda',
        description: 'The merged events of all accounts in a range, such as today or 2026-12-01..2026-12-05.',
        mimeType,
        cacheHint: CACHE,
      },
      async (uri, { range }, context) => {
        const words = neutralize(decoded(String(Array.isArray(range) ? range[0] : range)));
        const text = await answer(listEvents, { range: words, detail: 'compact', limit: MOST_EVENTS }, context);
        return { contents: [{ uri: uri.href, mimeType, text }] };
      },
    );
}

/** How the daemon is, for calmcp's own commands: nothing that a conversation has a use for. */
export function registerStatus(server: McpServer, status: () => Promise<unknown>): void {
  const mimeType = 'application/json';
  server.registerResource(
    'daemon',
    'calmcp://daemon',
    { title: 'Daemon', description: 'The daemon: process, memory, sessions, accounts.', mimeType },
    async (uri) => ({ contents: [{ uri: uri.href, mimeType, text: JSON.stringify(await status()) }] }),
  );
}
