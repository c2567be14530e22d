/** A span for each group that was committed, or could not be, below each request in it. */
import type { Span, Tracing } from "../telemetry/tracing.ts";
import type { ObserveAppend } from "./append-report.ts";

export function createAppendTracing(tracing: Tracing): ObserveAppend {
  return ({ group, at, outcome, outcomes, tries, durationMs }) => {
    const above = new Set<Span>();
    for (const { event } of group) if (event.span !== undefined) above.add(event.span);
    if (above.size === 0) return;
    const attributes = {
      "db.system.name": "postgresql",
      "db.operation.batch.size": group.length,
      "tidegate.appended": outcomes.appended,
      "tidegate.deferred": outcomes.deferred,
      "tidegate.tries": tries,
    };
    const errorType = outcome === "answered" ? undefined : outcome;
    for (const { context: parent } of above) {
      const start = { kind: "client", parent, at, attributes } as const;
      tracing.record("commit", start, { at: at + durationMs, errorType });
    }
  };
}
