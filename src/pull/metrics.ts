/** What is handed out in pages, as metrics. Pages of what an endpoint missed are not among them. */
import type { Metrics } from "../telemetry/metrics.ts";
import type { Pull } from "./pull.ts";
import type { Waits } from "./waits.ts";

export function measurePull(
  metrics: Metrics,
  { pull, waits }: { pull: Pick<Pull, "counts">; waits: Pick<Waits, "size"> },
): void {
  metrics.counter({
    name: "tidegate_pull_pages_total",
    help: "Pages of the log that were read for pollers and named consumers",
    read: () => [{ value: pull.counts().pages }],
  });
  metrics.counter({
    name: "tidegate_pull_events_total",
    help: "Events in those pages",
    read: () => [{ value: pull.counts().events }],
  });
  metrics.gauge({
    name: "tidegate_pull_waiting",
    help: "Requests that wait for events",
    read: () => [{ value: waits.size() }],
  });
}
