/** The one assertion of the conformance suite, which runs under any test runner. */

/** As JSON has them, with what is undefined left out. */
export function same(found: unknown, expected: unknown): void {
  const [one, two] = [textOf(found), textOf(expected)];
  if (one !== two) throw new Error(`expected ${two}, found ${one}`);
}

function textOf(value: unknown): string {
  return JSON.stringify(sorted(value)) ?? "undefined";
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null || value instanceof Error) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .sort(([one], [two]) => (one < two ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}
