import { setMaxListeners } from 'node:events';

/** How many requests one mailbox sees at once. */
export interface Limiter {
  /**
   * Waits for `weight` free slots (first come, first served), then runs `task`. A `$batch` of four weighs four.
   * @throws the signal's reason when it aborts while waiting
   */
  run<T>(weight: number, signal: AbortSignal, task: () => Promise<T>): Promise<T>;
}

export function createLimiter(slots: number): Limiter {
  let free = slots;
  const queue: { readonly weight: number; readonly start: () => void }[] = [];

  function next(): void {
    for (let first = queue[0]; first !== undefined && first.weight <= free; first = queue[0]) {
      queue.shift();
      free -= first.weight;
      first.start();
    }
  }

  function acquire(weight: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        queue.splice(queue.indexOf(waiting), 1);
        reject(signal.reason);
        next();
      };
      const waiting = {
        weight,
        start: () => {
          signal.removeEventListener('abort', abort);
          resolve();
        },
      };
      signal.throwIfAborted();
      // A question about many calendars waits for many things: Node would call that a leak, on stderr.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', abort, { once: true });
      queue.push(waiting);
      next();
    });
  }

  return {
    async run(weight, signal, task) {
      const taken = Math.min(weight, slots);
      await acquire(taken, signal);
      try {
        return await task();
      } finally {
        free += taken;
        next();
      }
    },
  };
}
