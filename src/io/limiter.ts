/** How much of one kind runs at once. */
import { createSlots } from './slots.ts';
import { createWaitingLine } from './waiting-line.ts';

export interface Limiter {
  /**
   * Waits for `weight` free slots, then runs `task`. A `$batch` of four weighs four. First come, first served; background
   * work comes after everything else, and leaves one slot free.
   * @throws the signal's reason when it aborts while waiting
   */
  run<T>(weight: number, signal: AbortSignal, task: () => Promise<T>, background?: boolean): Promise<T>;
}

export function createLimiter(most: number): Limiter {
  const line = createWaitingLine();
  const supplies = [createSlots(() => most)];
  return {
    async run(weight, signal, task, background = false) {
      const call = { signal, deadline: Number.POSITIVE_INFINITY };
      const giveBack = await line.enter({ weight, cost: 1, background, again: false }, supplies, call);
      try {
        return await task();
      } finally {
        giveBack();
      }
    },
  };
}
