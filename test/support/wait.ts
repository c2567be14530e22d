/** Waits on observable state, never on time alone. */

import { setTimeout as delay } from "node:timers/promises";

/** Short against anything a test waits for, long against what a look costs. */
const lookEveryMs = 5;

/** Resolves with the first value that is not false or missing; fails after the deadline. */
export async function waitUntil<T>(
  condition: () => T | false | undefined | null | Promise<T | false | undefined | null>,
  { deadlineMs = 5_000, what = "the condition" }: { deadlineMs?: number; what?: string } = {},
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value !== false && value !== undefined && value !== null) return value;
    if (performance.now() > end) throw new Error(`${what} did not hold within ${deadlineMs} ms`);
    await delay(lookEveryMs);
  }
}
