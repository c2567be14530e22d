/** When a failed delivery is tried again, by its endpoint's schedule. */

/** Full jitter may come out at nothing, and an endpoint that has just failed needs a moment. */
export const retryDelayMinMs = 1_000;

/**
 * Delay before the next attempt, or undefined when the delivery is dead. Full jitter over all of
 * the scheduled delay but its first second: were less than that only raised to it, a fifth of what
 * fails together would come again together.
 */
export function retryDelayMs(
  scheduleMs: readonly number[],
  attempt: number,
  chance: number,
): number | undefined {
  const baseMs = scheduleMs[attempt - 1];
  if (baseMs === undefined) return undefined;
  return retryDelayMinMs + Math.max(0, baseMs - retryDelayMinMs) * chance;
}
