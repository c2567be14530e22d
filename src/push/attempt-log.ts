/** One wide line for each attempt: the same keys, whatever came of it. */
import { eventId } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ObserveAttempt } from "./report.ts";

export function createAttemptLog(log: Logger): ObserveAttempt {
  return ({ delivery, trigger, outcome, record, retryInMs }) => {
    // Successes are most of the lines and least of the news.
    const level = outcome === "delivered" ? "debug" : "info";
    if (!log.isLevelEnabled(level)) return;
    const { tenantName: tenant, name } = delivery.lane.endpoint;
    const line = {
      ...{ tenant, event: eventId(delivery.event), endpoint: name, attempt: delivery.attempt },
      ...{ trigger, outcome, status: record.statusCode, error: record.error },
      ...{ queueMs: record.queueMs, latencyMs: record.latencyMs, retryInMs },
    };
    log[level](line, "attempt");
  };
}
