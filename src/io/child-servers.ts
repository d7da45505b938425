/** All child servers of one app: one for each account that has one. */
import { join } from 'node:path';
import type { ChildServer, ChildServers } from '../core/child.ts';
import type { Logger } from '../core/provider.ts';
import type { ChildMachine } from './child-connection.ts';
import { endLeftovers } from './child-lease.ts';
import { CHILD_TIMES, type ChildHost, type ChildTimes, createChildServer } from './child-server.ts';
import { createLimiter } from './limiter.ts';

/** Starting one keeps a processor busy for half a second. */
const STARTS_AT_ONCE = 4;

/** The folder of all child servers. */
export const childrenFolder = (stateFolder: string): string => join(stateFolder, 'children');

export interface ChildServersOptions {
  readonly stateFolder: string;
  readonly machine: ChildMachine;
  readonly log: Logger;
  readonly times?: Partial<ChildTimes>;
  readonly random?: () => number;
}

export function createChildServers({
  stateFolder,
  machine,
  log,
  times = {},
  random = Math.random,
}: ChildServersOptions): ChildServers {
  const folder = childrenFolder(stateFolder);
  const servers = new Map<string, { readonly key: string; readonly server: ChildServer; readonly isClosed: boolean }>();
  /** Those that are closing included. */
  const open = new Set<ChildServer>();
  const host: ChildHost = {
    folder,
    machine,
    log,
    starts: createLimiter(STARTS_AT_ONCE),
    cleared: endLeftovers(folder).then(
      (ended) => {
        if (ended > 0) log.info('ended child servers that an earlier calmcp left behind', { processes: ended });
      },
      (error: unknown) => log.warn('child servers of an earlier calmcp not looked for', { error }),
    ),
    times: { ...CHILD_TIMES, ...times },
    random,
  };

  return {
    open(spec) {
      const key = JSON.stringify([spec, spec.args(spec.port), spec.environment('', '')]);
      const before = servers.get(spec.account);
      if (before?.key === key && !before.isClosed) return before.server;
      // One after the other: two of them would want the same port.
      const server = createChildServer(spec, host, before?.server.close() ?? Promise.resolve());
      const entry = {
        key,
        isClosed: false,
        server: {
          ...server,
          close() {
            entry.isClosed = true;
            return server.close().finally(() => open.delete(server));
          },
        },
      };
      servers.set(spec.account, entry);
      open.add(server);
      return entry.server;
    },
    async close() {
      await Promise.all([...open].map((server) => server.close()));
      await host.cleared;
    },
  };
}
