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

/** How long a server stays that nobody holds any more: longer than a question takes. */
const GRACE_MS = 30_000;

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
  isEnded: boolean;
  grace: NodeJS.Timeout | undefined;
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
  const open = new Set<Entry>();
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
    clearTimeout(entry.grace);
    entry.holders++;
    return {
      ...entry.server,
      async close() {
        if (!isHeld) return;
        isHeld = false;
        entry.holders--;
        if (entry.holders > 0) return;
        // Questions under way go on, and an account that was taken over from a changed accounts.yaml finds it as it is.
        entry.grace = setTimeout(() => void end(entry, 'its account is no longer in accounts.yaml'), GRACE_MS);
        entry.grace.unref();
      },
    };
  }

  function end(entry: Entry, why: string): Promise<void> {
    clearTimeout(entry.grace);
    entry.isEnded = true;
    return entry.server.close(why).finally(() => open.delete(entry));
  }

  return {
    open(spec) {
      const key = JSON.stringify([spec, spec.args(spec.port), spec.environment('', '')]);
      const before = entries.get(spec.account);
      if (before?.key === key && !before.isEnded) return hold(before);
      // One after the other: two of them would want the same port.
      const gone = before === undefined ? Promise.resolve() : end(before, 'its child server is another one by now');
      const entry: Entry = {
        key,
        server: createChildServer(spec, host, gone),
        holders: 0,
        isEnded: false,
        grace: undefined,
      };
      entries.set(spec.account, entry);
      open.add(entry);
      return hold(entry);
    },
    async close() {
      await Promise.all([...open].map((entry) => end(entry, 'calmcp is closing')));
      await host.cleared;
    },
  };
}
