/**
 * A token bucket: so many a second, and never more at once than are worth `burstSeconds`. It starts
 * full.
 * What costs more than it can ever hold passes when it is full, and leaves a debt behind. The
 * time and the rate are arguments, so a changed rate holds from the next call on.
 */
export type Bucket = {
  /** Milliseconds until the cost can be taken; 0 when it can be now. */
  waitMs(cost: number, perSecond: number, nowMs: number): number;
  /** For whoever need not wait. */
  take(cost: number): void;
  level(perSecond: number, nowMs: number): Level;
};

export type Level = {
  /** Whole tokens, none while there is a debt. */
  readonly remaining: number;
  readonly fullInMs: number;
};

/** Sums of fractions miss whole numbers by far less than this. */
const tolerance = 1e-6;

export function createBucket(burstSeconds = 1): Bucket {
  let tokens = Number.POSITIVE_INFINITY;
  let refilledAt = 0;

  return {
    waitMs(cost, perSecond, nowMs) {
      refill(perSecond, nowMs);
      const missing = Math.min(cost, capacityOf(perSecond)) - tokens;
      return Math.max(0, Math.ceil(((missing - tolerance) / perSecond) * 1_000));
    },
    take(cost) {
      tokens -= cost;
    },
    level(perSecond, nowMs) {
      refill(perSecond, nowMs);
      const missing = capacityOf(perSecond) - tokens;
      return {
        remaining: Math.max(0, Math.floor(tokens + tolerance)),
        fullInMs: (missing / perSecond) * 1_000,
      };
    },
  };

  function refill(perSecond: number, nowMs: number): void {
    const gained = ((nowMs - refilledAt) / 1_000) * perSecond;
    tokens = Math.min(capacityOf(perSecond), tokens + gained);
    refilledAt = nowMs;
  }

  /** Of slow ones, one at a time must still be possible. */
  function capacityOf(perSecond: number): number {
    return Math.max(1, perSecond * burstSeconds);
  }
}
