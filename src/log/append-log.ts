/** One wide line for each group that was committed, or could not be: the same keys always. */
import type { Logger } from "../telemetry/logger.ts";
import type { ObserveAppend } from "./append-report.ts";

export function createAppendLog(log: Logger): ObserveAppend {
  return ({ group, outcome, outcomes, durationMs, tries, error }) => {
    const level = outcome === "answered" ? "debug" : "warn";
    if (!log.isLevelEnabled(level)) return;
    const tenants = new Set(group.map(({ event }) => event.tenant));
    const [first = null] = tenants;
    const line = {
      ...{ tenantId: tenants.size === 1 ? first : null, tenants: tenants.size },
      ...{ events: group.length, outcome, ...outcomes, tries, err: error ?? null },
      durationMs: Math.round(durationMs),
    };
    log[level](line, "append");
  };
}
