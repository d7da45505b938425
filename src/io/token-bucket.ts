/** A rate of requests: a burst goes through, and then they are paced. */
import { CalmcpError } from '../core/errors.ts';
import type { Need, Supply } from './waiting-line.ts';

const MINUTE_MS = 60_000;
/** Part of a minute's requests that may go out at once. The rest of them comes back over a minute, so that no minute sees more. */
const BURST = 1 / 2;
/** Part of the burst that background work leaves to questions. */
const KEPT_FOR_QUESTIONS = 1 / 4;

export interface TokenBucketOptions {
  /** Requests in any 60 seconds, at least 2. One that costs more than half of it at once still goes out, and is paid off after. */
  readonly perMinute: number;
  /** What to tell whoever would have to wait longer than it has time. */
  readonly hint: string;
  /** How messages call what is asked. */
  readonly host: string;
  /** Milliseconds of a clock that nobody sets. */
  readonly now?: () => number;
}

export function createTokenBucket({
  perMinute,
  hint,
  host,
  now = () => performance.now(),
}: TokenBucketOptions): Supply {
  const most = Math.max(1, Math.floor(perMinute * BURST));
  const perMs = (perMinute - most) / MINUTE_MS;
  let tokens = most;
  let asOf = now();

  function refill(): void {
    const moment = now();
    tokens = Math.min(most, tokens + (moment - asOf) * perMs);
    asOf = moment;
  }

  /** What must be there for it: a full bucket is enough for anything. */
  function wanted({ cost, background }: Need, ahead: number): number {
    const own = Math.min(cost + (background ? most * KEPT_FOR_QUESTIONS : 0), most);
    return own + ahead;
  }

  return {
    waitFor(need, ahead, leftMs) {
      refill();
      const wait = (wanted(need, ahead) - tokens) / perMs;
      if (wait <= 0) return 0;
      if (wait >= leftMs)
        throw new CalmcpError('RATE_LIMITED', `${host}: it would take more than ${perMinute} requests a minute`, {
          hint,
          retryAfterMs: Math.ceil(wait),
        });
      return wait;
    },
    take({ cost }) {
      refill();
      tokens -= cost;
      return () => undefined;
    },
  };
}
