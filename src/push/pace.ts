/**
 * How many attempts an endpoint may have under way: a window that starts at one, grows while
 * answers are fast and the window is what holds the lane back, and is halved by faults. Pure.
 *
 * It also says whether an endpoint is proven: its last answer was a fast one. Those that are not
 * (new, slow or silent) share a part of the slots, see scheduler.ts.
 */
import { isFault, type Verdict } from "./health.ts";

export type Pace = {
  /** Attempts, not always a whole number. */
  readonly limit: number;
  /** Below it the window grows by one with each answer, above it by one a round. */
  readonly threshold: number;
  /** When it was last halved: attempts that began before say nothing new. */
  readonly halvedAt: number;
  readonly proven: boolean;
};

/** A receiver that queues the event and answers is far below. */
const slowMs = 1_000;

export function initialPace(proven: boolean): Pace {
  return { limit: 1, threshold: Infinity, halvedAt: 0, proven };
}

export type PacedAttempt = {
  readonly verdict: Verdict;
  readonly latencyMs: number;
  /** When it began and ended, milliseconds since 1970. */
  readonly at: number;
  readonly now: number;
  /** As many were under way as the window allowed. */
  readonly full: boolean;
};

export function paceAfter(
  pace: Pace,
  { verdict, latencyMs, at, now, full }: PacedAttempt,
  { maxInFlight, timeoutMs }: { maxInFlight: number; timeoutMs: number },
): Pace {
  const proven = isFault(verdict) ? pace.proven && verdict !== "timeout" : latencyMs < slowMs;
  if (isFault(verdict) || verdict === "busy") {
    if (at < pace.halvedAt) return { ...pace, proven };
    const limit = Math.max(1, pace.limit / 2);
    return { limit, threshold: limit, halvedAt: now, proven };
  }
  const grows = full && latencyMs < timeoutMs / 2 && pace.limit < maxInFlight;
  if (!grows) return proven === pace.proven ? pace : { ...pace, proven };
  const step = pace.limit < pace.threshold ? 1 : 1 / pace.limit;
  return { ...pace, proven, limit: Math.min(maxInFlight, pace.limit + step) };
}
