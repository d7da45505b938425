/** How many requests are under way at once, by weight. */
import type { Supply } from './waiting-line.ts';

/**
 * Background work leaves one slot for questions. What alone weighs more than that still gets all it needs, when nothing
 * else runs: weighing it less would send more at once than the service takes.
 * @param most may change; what runs already is not ended
 */
export function createSlots(most: () => number): Supply {
  let taken = 0;
  let takenByBackground = 0;
  const weightOf = (weight: number): number => Math.min(weight, most());
  return {
    waitFor({ weight, background }) {
      const slots = most();
      const wanted = weightOf(weight);
      if (taken + wanted > slots) return Number.POSITIVE_INFINITY;
      const forBackground = Math.max(1, slots - 1);
      if (background && taken > 0 && takenByBackground + wanted > forBackground) return Number.POSITIVE_INFINITY;
      return 0;
    },
    take({ weight, background }) {
      const own = weightOf(weight);
      const ofBackground = background ? own : 0;
      taken += own;
      takenByBackground += ofBackground;
      return () => {
        taken -= own;
        takenByBackground -= ofBackground;
      };
    },
  };
}
