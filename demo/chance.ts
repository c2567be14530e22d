/**
 * Chance that can be repeated: the same seed gives the same numbers, whatever the machine and the
 * timing do. Each number belongs to a name, so what one consumer draws never shifts another's.
 */
import { createHash } from "node:crypto";

/** The next number of a series, uniform in [0, 1). */
export type Dice = () => number;

/** The number that belongs to these names, uniform in [0, 1). */
export function chance(seed: number, ...names: readonly (string | number)[]): number {
  const digest = createHash("sha256")
    .update([seed, ...names].join("/"))
    .digest();
  return digest.readUInt32BE(0) / 2 ** 32;
}

export function createDice(seed: number, name: string): Dice {
  let drawn = 0;
  return () => chance(seed, name, (drawn += 1));
}

/** A whole number from `least` to `most`. */
export function between(dice: Dice, least: number, most: number): number {
  return least + Math.floor(dice() * (most - least + 1));
}
