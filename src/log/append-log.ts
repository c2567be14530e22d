/** One wide line for each group that was committed, or could not be: the same keys always. */
import type { Logger } from "../telemetry/logger.ts";
import type { ObserveAppend } from "./append-report.ts";

export function createAppendLog(log: Logger): ObserveAppend {
  return ({ group, outcome, outcomes, durationMs, tries, error }) => {
    const level = outcome === "answered" ? "debug" : "warn";
    if (!log.isLevelEnabled(level)) return;
    const line = { events: group.length, outcome, ...outcomes, tries, durationMs, err: error };
    log[level](line, "append");
  };
}
