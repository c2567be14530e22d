/**
 * How many attempts an endpoint may have under way: a window that starts at one, grows while
 * answers are fast and the window is what holds the lane back, and is halved by faults. Pure.
 *
 * It also says how an endpoint stands, by which slots are shared (scheduler.ts): proven when its last
 * answer was a fast one, new before its first, else slow, which includes silent.
 */
import { isFault, type Verdict } from "./health.ts";

export type Pace = {
  /** Attempts, not always a whole number. */
  readonly limit: number;
  /** Below it the window grows by one with each answer, above it by one a round. */
  readonly threshold: number;
  /** When it was last halved: attempts that began before say nothing new. */
  readonly halvedAt: number;
  readonly standing: Standing;
};

export type Standing = "proven" | "new" | "slow";

/** A receiver that queues the event and answers is far below. */
const slowMs = 1_000;

export function initialPace(standing: Standing): Pace {
  return { limit: 1, threshold: Infinity, halvedAt: 0, standing };
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
  const standing = standingAfter(pace.standing, verdict, latencyMs);
  if (isFault(verdict) || verdict === "busy") {
    if (at < pace.halvedAt) return { ...pace, standing };
    const limit = Math.max(1, pace.limit / 2);
    return { limit, threshold: limit, halvedAt: now, standing };
  }
  const grows = full && latencyMs < timeoutMs / 2 && pace.limit < maxInFlight;
  if (!grows) return standing === pace.standing ? pace : { ...pace, standing };
  const step = pace.limit < pace.threshold ? 1 : 1 / pace.limit;
  return { ...pace, standing, limit: Math.min(maxInFlight, pace.limit + step) };
}

function standingAfter(before: Standing, verdict: Verdict, latencyMs: number): Standing {
  if (!isFault(verdict)) return latencyMs < slowMs ? "proven" : "slow";
  // One that fails at once holds no slot.
  return before === "proven" && verdict !== "timeout" ? "proven" : "slow";
}
