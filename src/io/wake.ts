/**
 * Notices that the machine has slept, or that its clock was set: what was read before is older than its age says.
 *
 * Two signs are needed, because the clock that nobody sets (`performance.now()`, uv_hrtime of libuv) is another one on each system:
 * - Linux: CLOCK_MONOTONIC does not count sleep (clock_gettime(2)), and timers go by it, so no tick is late. But the time of day
 *   has gone on: the two have drifted apart.
 * - macOS: mach_continuous_time counts sleep (libuv, src/unix/darwin.c), so the two move alike. But nothing runs in sleep: the next
 *   tick is late.
 * - Windows: QueryPerformanceCounter counts sleep, too (QueryUnbiasedInterruptTime is the one that does not). The tick is late.
 * Late is also the tick of a process that was stopped (SIGSTOP), or whose virtual machine was.
 *
 * A clock that is set makes the two drift apart everywhere. Corrections in small steps do not: CLOCK_MONOTONIC follows them, and
 * the fastest (chrony, 83 ms a second) come to 0.4 s between two ticks.
 */

/** All in milliseconds. */
const DRIFT_MS = 2_000;
const LATE_MS = 15_000;
const EVERY_MS = 5_000;

export interface Jump {
  /** `drift`: the time of day moved otherwise than time went by. `late`: nothing ran for a while. */
  readonly kind: 'drift' | 'late';
  /** How far the two clocks moved since they were last looked at, in milliseconds. */
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export interface ClockWatch {
  /**
   * Looks now: before something is used that would be wrong after a jump which no tick has noticed yet. Reads two clocks and
   * costs nothing.
   */
  check(): void;
  end(): void;
}

export interface ClockWatchOptions {
  /** Called once for each jump, out of {@link ClockWatch.check} or a tick. */
  readonly onJump: (jump: Jump) => void;
  /** Milliseconds of the time of day. */
  readonly wall?: () => number;
  /** Milliseconds of the clock that nobody sets. */
  readonly monotonic?: () => number;
  /** Calls `tick` again and again without keeping the process alive. @returns what ends it */
  readonly repeat?: (tick: () => void, everyMs: number) => () => void;
}

function repeatByTimer(tick: () => void, everyMs: number): () => void {
  const timer = setInterval(tick, everyMs).unref();
  return () => clearInterval(timer);
}

export function watchClocks({
  onJump,
  wall = () => Date.now(),
  monotonic = () => performance.now(),
  repeat = repeatByTimer,
}: ClockWatchOptions): ClockWatch {
  let last = { wall: wall(), monotonic: monotonic() };
  const look = (isTick: boolean): void => {
    const now = { wall: wall(), monotonic: monotonic() };
    const wallMs = now.wall - last.wall;
    const monotonicMs = now.monotonic - last.monotonic;
    const kind =
      Math.abs(wallMs - monotonicMs) > DRIFT_MS ? 'drift' : monotonicMs > EVERY_MS + LATE_MS ? 'late' : undefined;
    // From a tick on, so that what a slow correction adds up to is never taken for a jump; from a jump on, so that it is told once.
    if (isTick || kind !== undefined) last = now;
    if (kind !== undefined) onJump({ kind, wallMs, monotonicMs });
  };
  const end = repeat(() => look(true), EVERY_MS);
  return { check: () => look(false), end };
}
