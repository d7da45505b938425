/** How the child server of a Microsoft account is started: `@softeria/ms-365-mcp-server`. */
import { join } from 'node:path';
import type { ChildKind, ChildSpec, ChildTool } from '../../core/child.ts';
import type { ProviderContext } from '../../core/provider.ts';
import { childBlockOf } from './child-options.ts';
import type { MicrosoftOptions } from './options.ts';
import { isPersonal } from './personal.ts';

/** One request of the server's, in milliseconds: a question takes no longer. */
const REQUEST_MS = 20_000;

export const MS_365: ChildKind = {
  server: 'ms-365',
  package: '@softeria/ms-365-mcp-server',
  version: '0.155.0',
  bin: 'ms-365-mcp-server',
  name: 'Microsoft365MCP',
  tools: [
    {
      name: 'list-calendars',
      inputs: ['top', 'select', 'skiptoken'],
      fingerprints: ['061b6ff85e226df7'],
      needed: true,
    },
    {
      name: 'get-specific-calendar-view',
      inputs: ['calendarId', 'startDateTime', 'endDateTime', 'top', 'select', 'skiptoken'],
      fingerprints: ['0a88d7d5f608c1bc'],
      needed: true,
    },
    { name: 'get-schedule', inputs: ['body'], fingerprints: ['c8210919b5479228'], needed: false },
  ],
};

/** What it is asked with besides, where the account may be written to. Without one of them, reading goes on. */
const WRITING_TOOLS: readonly ChildTool[] = [
  { name: 'get-specific-calendar-event', inputs: ['calendarId', 'eventId', 'select'], fingerprint: 'ebd635f197fec253' },
  { name: 'create-specific-calendar-event', inputs: ['calendarId', 'body'], fingerprint: '923afb6c7464e257' },
  {
    name: 'update-specific-calendar-event',
    inputs: ['calendarId', 'eventId', 'body'],
    fingerprint: '106957b3471f5c06',
  },
  {
    name: 'delete-specific-calendar-event',
    inputs: ['calendarId', 'eventId', 'If-Match'],
    fingerprint: '3ed2041fa1201c19',
  },
  { name: 'accept-calendar-event', inputs: ['eventId', 'body'], fingerprint: '482033ffd83311d2' },
  { name: 'tentatively-accept-calendar-event', inputs: ['eventId', 'body'], fingerprint: 'e0dfbec91d3bfa93' },
  { name: 'decline-calendar-event', inputs: ['eventId', 'body'], fingerprint: 'e0dfbec91d3bfa93' },
].map(({ fingerprint, ...tool }) => ({ ...tool, fingerprints: [fingerprint], needed: false }));

/** The files of a server that signs in by itself. Of another registration or tenant, the sign-in is another one. */
export interface OwnCache {
  readonly tokens: string;
  readonly selected: string;
  /** Whose they are: calmcp's own note. */
  readonly identity: string;
}

/** @param folder the account's, which outlives the server */
export function ownCache(folder: string, { clientId, tenantId }: MicrosoftOptions): OwnCache {
  const name = `${clientId}_${tenantId}`.toLowerCase();
  return {
    tokens: join(folder, `${name}.tokens.json`),
    selected: join(folder, `${name}.selected.json`),
    identity: join(folder, `${name}.identity.json`),
  };
}

type Access = ProviderContext['access'];

function kindFor(options: MicrosoftOptions, access: Access): ChildKind {
  // Free/busy of others is there for organisations alone.
  const reading = isPersonal(options) ? MS_365.tools.filter(({ name }) => name !== 'get-schedule') : MS_365.tools;
  return { ...MS_365, tools: access === 'write' ? [...reading, ...WRITING_TOOLS] : reading };
}

const flagsOf = (options: MicrosoftOptions, access: Access): string[] => [
  ...(access === 'write' ? [] : ['--read-only']),
  '--enabled-tools',
  `^(${kindFor(options, access)
    .tools.map(({ name }) => name)
    .join('|')})$`,
  ...(isPersonal(options) ? [] : ['--org-mode']),
];

/** @param access what it is started for; whoever only looks at what it is need not say */
export function childSpecOf(
  options: MicrosoftOptions,
  account: string,
  access: Access = 'read',
): ChildSpec | undefined {
  const block = childBlockOf(options.child);
  if (block === undefined) return undefined;
  const { transport, port, tokens, command } = block;
  const isOwn = tokens === 'own';
  return {
    account,
    kind: kindFor(options, access),
    command,
    transport,
    port,
    lending: isOwn ? 'none' : transport === 'http' ? 'request' : 'environment',
    args: (chosen) => [...flagsOf(options, access), ...(transport === 'http' ? ['--http', `127.0.0.1:${chosen}`] : [])],
    environment(folder, token) {
      // Its lease's folder goes with the server; the account's, one above, stays.
      const cache = ownCache(isOwn ? join(folder, '..') : folder, options);
      return {
        MS365_MCP_CLIENT_ID: options.clientId,
        MS365_MCP_TENANT_ID: options.tenantId,
        MS365_MCP_CLOUD_TYPE: options.cloud === 'china' ? 'china' : 'global',
        // The keychain of the desktop holds one entry for all of them.
        MS365_MCP_USE_KEYTAR: '0',
        MS365_MCP_TOKEN_CACHE_PATH: cache.tokens,
        MS365_MCP_SELECTED_ACCOUNT_PATH: cache.selected,
        ...(isOwn || token === undefined || transport === 'http' ? {} : { MS365_MCP_OAUTH_TOKEN: token }),
        // It logs what it is asked and writes who asked what to stderr.
        LOG_LEVEL: 'error',
        SILENT: '1',
        MS365_MCP_LOG_DIR: join(folder, 'logs'),
        MS365_MCP_AUDIT_LOG: 'false',
        // 120 requests a minute are few for somebody with many calendars.
        MS365_MCP_RATE_LIMIT_DISABLED: '1',
        // calmcp repeats what may be repeated, and nobody else.
        MS365_MCP_GRAPH_MAX_RETRIES: '0',
        MS365_MCP_GRAPH_CIRCUIT_DISABLED: '1',
        MS365_MCP_GRAPH_TIMEOUT_MS: String(REQUEST_MS),
      };
    },
  };
}
