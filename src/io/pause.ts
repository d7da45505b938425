/** A service's wish to be left alone for a while. */
import { CalmcpError } from '../core/errors.ts';
import type { Supply } from './waiting-line.ts';

export interface Pause extends Supply {
  /** Nobody asks for so many milliseconds from now on. */
  extend(ms: number): void;
}

export function createPause(host: string): Pause {
  let until = 0;
  return {
    extend(ms) {
      until = Math.max(until, performance.now() + ms);
    },
    waitFor(_need, _ahead, leftMs) {
      const wait = Math.max(0, until - performance.now());
      if (wait > 0 && wait >= leftMs)
        throw new CalmcpError('RATE_LIMITED', `${host} asked us to wait`, { retryAfterMs: wait });
      return wait;
    },
    take: () => () => undefined,
  };
}
