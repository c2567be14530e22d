/**
 * Chance that repeats itself: the same seed gives the same choices. Tests say the seed in what they
 * expect, so that a failure names it; how processes interleave it does not decide.
 */
export type Chance = ReturnType<typeof createChance>;

export function createChance(seed = Date.now() % 2 ** 31) {
  let state = seed;
  return { seed, below, pick };

  /** A whole number from 0 to below `end`. */
  function below(end: number): number {
    // A linear congruential generator; its high bits are good enough to shuffle frames.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * end);
  }

  function pick<T>(from: readonly T[]): T {
    const picked = from[below(from.length)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  }
}
