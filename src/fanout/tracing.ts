/**
 * The moment at which a commit is told, as a span below each request in it. What other processes
 * make of it is seen where they begin: in their own spans.
 */
import type { Span, Tracing } from "../telemetry/tracing.ts";
import type { EventsFrame, Fanout } from "./fanout.ts";

export type TracedRun = { readonly frame: EventsFrame; readonly spans: Iterable<Span> };

export function publishTraced(
  tracing: Tracing,
  fanout: Pick<Fanout, "publish" | "status">,
  runs: readonly TracedRun[],
): void {
  const at = performance.now();
  fanout.publish(runs.map(({ frame }) => frame));
  const told = { at: performance.now() };
  for (const { frame, spans } of runs) {
    for (const { context: parent } of spans) {
      const attributes = {
        "messaging.system": "tidegate",
        "messaging.batch.message_count": frame.last - frame.first + 1,
        "tidegate.sequence": frame.first,
        "tidegate.fanout": fanout.status().state,
      };
      tracing.record("fanout", { kind: "producer", parent, at, attributes }, told);
    }
  }
}
