/** What all child servers of an app have in common. */
import type { Logger } from '../core/provider.ts';
import type { ChildMachine } from './child-connection.ts';
import type { Limiter } from './limiter.ts';

/** Milliseconds, all of them. Tests are in more of a hurry. */
export interface ChildTimes {
  /** From the start of its process to its list of tools. */
  readonly start: number;
  /** For how long of its start others wait for it, of whom only so many start at once. */
  readonly slot: number;
  /** Without a call for this long it is ended. */
  readonly idle: number;
  readonly pingEvery: number;
  readonly ping: number;
  /** Backoff after a crash: a random part of this, doubled each time, up to `backoffCap`. */
  readonly backoff: number;
  readonly backoffCap: number;
  /** How long a call waits for a server that is started again. */
  readonly reconnect: number;
  /** Running for this long without a crash makes up for earlier ones. */
  readonly stable: number;
  /** After the end of its stdin, and again after SIGTERM, before it is killed. */
  readonly stop: number;
}

export const CHILD_TIMES: ChildTimes = {
  start: 30_000,
  slot: 10_000,
  idle: 15 * 60_000,
  pingEvery: 30_000,
  ping: 5_000,
  backoff: 1_000,
  backoffCap: 60_000,
  reconnect: 3_000,
  stable: 5 * 60_000,
  stop: 5_000,
};

export interface ChildHost {
  /** The folder of all child servers of all accounts. */
  readonly folder: string;
  readonly machine: ChildMachine;
  readonly log: Logger;
  /** How many start at once. */
  readonly starts: Limiter;
  /** Resolves when what an earlier calmcp left behind has gone. */
  readonly cleared: Promise<unknown>;
  readonly times: ChildTimes;
  /** Uniform in [0, 1): the jitter. */
  readonly random: () => number;
}
