/** Counts each attempt for the statistics. */
import type { Statistics } from "../deliveries/statistics.ts";
import { countAttempt } from "../deliveries/tally.ts";
import type { ObserveAttempt } from "./report.ts";

export function createAttemptCounter({ countsOf }: Pick<Statistics, "countsOf">): ObserveAttempt {
  return ({ delivery: { lane, event, attempt }, record }) => {
    const { kind, queueMs, latencyMs } = record;
    const failed = kind !== "delivered" && kind !== "awaiting_receipt";
    const retry = attempt > 1;
    countAttempt(countsOf(lane.endpoint, event.type), { failed, retry, queueMs, latencyMs });
  };
}
