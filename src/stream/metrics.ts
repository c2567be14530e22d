/** The open streams of this process and what ended the others, as metrics. */
import type { Metrics } from "../telemetry/metrics.ts";
import type { Streams } from "./streams.ts";

export function measureStreams(metrics: Metrics, streams: Pick<Streams, "size" | "ended">): void {
  metrics.gauge({
    name: "tidegate_stream_subscribers",
    help: "Open streams",
    read: () => [{ value: streams.size() }],
  });
  metrics.counter({
    name: "tidegate_stream_closed_total",
    help: "Streams that are over, by what ended them; their clients go on where they were",
    labels: ["reason"],
    read: () =>
      Object.entries(streams.ended()).map(([reason, value]) => ({ labels: { reason }, value })),
  });
}
