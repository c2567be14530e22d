/** One wide line for each attempt: the same keys, whatever came of it. */
import { deliveryId } from "../deliveries/delivery-id.ts";
import { replayName } from "../deliveries/replays.ts";
import { eventId, tenantPrefix } from "../log/event.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { ObserveAttempt } from "./report.ts";

export function createAttemptLog(log: Logger): ObserveAttempt {
  return ({ delivery, trigger, outcome, record, retryInMs, traceId: trace }) => {
    // Successes are most of the lines and least of the news.
    const level = outcome === "delivered" ? "debug" : "info";
    if (!log.isLevelEnabled(level)) return;
    const { event, lane, attempt, replay } = delivery;
    const { tenant, tenantName, name, id } = lane.endpoint;
    const line = {
      ...{ tenant: tenantName, event: eventId(event), type: event.type, endpoint: name },
      delivery: deliveryId({ tenantPrefix: tenantPrefix(tenant), endpoint: id, position: event }),
      ...{ attempt, trigger, replay: replay ? replayName(replay.run.id) : null, outcome },
      ...{ status: record.statusCode, error: record.error },
      ...{ queueMs: record.queueMs, latencyMs: record.latencyMs, retryInMs, trace },
    };
    log[level](line, "attempt");
  };
}
