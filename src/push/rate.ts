/**
 * How fast a lane may begin attempts: what its endpoint allows, and for a while after an outage a
 * ramp, so that a receiver that has just come back is not met by all that waited for it at once.
 * Waiting costs nothing: no attempt has begun, and no delay of a retry has.
 */
import { createBucket } from "../bucket.ts";

/** A tenth of a second's worth at once: receivers count too, and not in our seconds. */
const burstSeconds = 0.1;

/** Doubled every second, to the rate that is as good as none. */
const rampPerSecond = 20;
const rampMaxPerSecond = 5_000;

export type Rate = {
  /** Milliseconds until an attempt may begin; 0 when it may now. */
  waitMs(now: number): number;
  take(): void;
  /** From now on by the ramp. */
  startRamp(now: number): void;
};

/** `now` is by `performance.now()`; null is no limit. */
export function createRate(perSecond: number | null): Rate {
  let bucket = createBucket(burstSeconds);
  let rampSince: number | undefined;

  return {
    waitMs(now) {
      const limit = limitAt(now);
      return limit === Infinity ? 0 : bucket.waitMs(1, limit, now);
    },
    take: () => bucket.take(1),
    startRamp(now) {
      // What was sent while there was no limit is no debt.
      if (perSecond === null) bucket = createBucket(burstSeconds);
      rampSince = now;
    },
  };

  function limitAt(now: number): number {
    const own = perSecond ?? Infinity;
    if (rampSince === undefined) return own;
    const ramp = rampPerSecond * 2 ** ((now - rampSince) / 1_000);
    if (ramp >= rampMaxPerSecond) rampSince = undefined;
    return Math.min(own, ramp);
  }
}
