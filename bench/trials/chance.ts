/** Chance that repeats itself: the same seed gives the same choices. */
export type Chance = {
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
  /** True in this share of the cases. */
  happens(share: number): boolean;
};

export function createChance(seed: number): Chance {
  let state = seed >>> 0;
  return { below: (end) => Math.floor(next() * end), happens: (share) => next() < share };

  /** A linear congruential generator, its high bits mixed once more. */
  function next(): number {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    return ((mixed ^ (mixed >>> 12)) >>> 0) / 2 ** 32;
  }
}
