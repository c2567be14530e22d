/** Lets through so many a second, evenly from the start; who is late catches up. */
import { setTimeout as delay } from "node:timers/promises";

export function createPace(perSecond: number, signal: AbortSignal): () => Promise<void> {
  const startedAt = performance.now();
  let count = 0;
  return async () => {
    const dueMs = startedAt + (count / perSecond) * 1_000 - performance.now();
    count += 1;
    if (dueMs >= 1) await delay(dueMs, undefined, { signal }).catch(() => {});
  };
}
