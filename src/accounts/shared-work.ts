import { setMaxListeners } from 'node:events';
import type { Call } from '../core/call.ts';

export interface SharedWork<T> {
  /** Waits for it, having begun it where nobody has. @throws the reason of the call's signal when that aborts */
  join(call: Call): Promise<T>;
  /** Everybody who waited has gone, and it was ended: whoever wants it now begins anew. */
  readonly isGivenUp: boolean;
}

/**
 * One piece of work that several questions wait for: as long as one of them does, it goes on, with the time of the one that has
 * most of it.
 */
export function shareWork<T>(work: (call: Call) => Promise<T>): SharedWork<T> {
  const ended = new AbortController();
  // One listener for each request of it.
  setMaxListeners(Number.POSITIVE_INFINITY, ended.signal);
  const waiting = new Set<Call>();
  let begun: Promise<T> | undefined;
  /** When nobody waits any more: those who left early say nothing of how long it took. */
  let lastDeadline = Number.POSITIVE_INFINITY;
  function join(call: Call): Promise<T> {
    waiting.add(call);
    begun ??= work({
      signal: ended.signal,
      get deadline() {
        return waiting.size === 0 ? lastDeadline : Math.max(...[...waiting].map(({ deadline }) => deadline));
      },
      // Whoever asked first is told what it cost.
      countRequest: () => call.countRequest(),
      countRetry: () => call.countRetry?.(),
      get background() {
        return [...waiting].every(({ background }) => background === true);
      },
      ...(call.since === undefined ? {} : { since: call.since }),
      ...(call.unnamed ? { unnamed: true as const } : {}),
    });
    // Where everybody has given up, nobody is left to hear of it.
    begun.catch(() => undefined);
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(call);
        lastDeadline = call.deadline;
        if (waiting.size === 0) ended.abort(call.signal.reason);
        reject(call.signal.reason);
      };
      if (call.signal.aborted) return leave();
      call.signal.addEventListener('abort', leave, { once: true });
      begun?.then(resolve, reject).finally(() => {
        call.signal.removeEventListener('abort', leave);
        waiting.delete(call);
      });
    });
  }
  return {
    join,
    get isGivenUp() {
      return ended.signal.aborted;
    },
  };
}
