/** Chance that can be had again: the same seed gives the same choices, whoever else draws meanwhile. */

export interface Chance {
  /** From `least` up to, but not, `end`. */
  between(least: number, end: number): number;
  /** A whole number from `least` to `most`. */
  whole(least: number, most: number): number;
  pick<T>(from: readonly T[]): T;
  /** Whether something happens that does so in this share of cases. */
  happens(share: number): boolean;
  /** Chance of its own for whoever is called so. */
  of(name: string): Chance;
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const letter of text) value = Math.imul(value ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

/** mulberry32 */
export function createChance(seed: string): Chance {
  let state = hash(seed);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    between: (least, end) => least + next() * (end - least),
    whole: (least, most) => Math.floor(least + next() * (most - least + 1)),
    pick<T>(from: readonly T[]): T {
      if (from.length === 0) throw new RangeError('nothing to pick from');
      return from[Math.floor(next() * from.length)] as T;
    },
    happens: (share) => next() < share,
    of: (name) => createChance(`${seed}/${name}`),
  };
}
