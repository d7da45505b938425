/** All child servers of one app: one for each account that has one. */
import { join } from 'node:path';
import type { ChildServer, ChildServers } from '../core/child.ts';
import type { Logger } from '../core/provider.ts';
import type { ChildMachine } from './child-connection.ts';
import { CHILD_TIMES, type ChildHost, type ChildTimes } from './child-host.ts';
import { endLeftovers } from './child-lease.ts';
import { createChildServer } from './child-server.ts';
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

/** A server that several may hold: an account that was taken over from a changed accounts.yaml, a sign-in. */
interface Entry {
  readonly key: string;
  readonly server: ChildServer;
  holders: number;
}

export function createChildServers({
  stateFolder,
  machine,
  log,
  times = {},
  random = Math.random,
}: ChildServersOptions): ChildServers {
  const folder = childrenFolder(stateFolder);
  const entries = new Map<string, Entry>();
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

  function hold(entry: Entry): ChildServer {
    let isHeld = true;
    entry.holders++;
    return {
      ...entry.server,
      async close() {
        if (!isHeld) return;
        isHeld = false;
        entry.holders--;
        if (entry.holders === 0) await end(entry);
      },
    };
  }

  function end(entry: Entry): Promise<void> {
    entry.holders = 0;
    return entry.server.close().finally(() => open.delete(entry.server));
  }

  return {
    open(spec) {
      const key = JSON.stringify([spec, spec.args(spec.port), spec.environment('', '')]);
      const before = entries.get(spec.account);
      if (before?.key === key && before.holders > 0) return hold(before);
      // One after the other: two of them would want the same port.
      const server = createChildServer(spec, host, before === undefined ? Promise.resolve() : end(before));
      const entry = { key, server, holders: 0 };
      entries.set(spec.account, entry);
      open.add(server);
      return hold(entry);
    },
    async close() {
      await Promise.all([...open].map((server) => server.close()));
      await host.cleared;
    },
  };
}
