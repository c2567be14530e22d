/** What a line does not show: a value that has none beside it. */

/** The steps with a value between two without: a line begins with a second one. */
export function lonely(values: ArrayLike<number | null | undefined>): number[] {
  const has = (at: number) => values[at] !== null && values[at] !== undefined;
  return Array.from(values, (_, at) => at).filter((at) => has(at) && !has(at - 1) && !has(at + 1));
}
