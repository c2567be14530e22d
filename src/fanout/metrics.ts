/** What is counted and known of the fan-out, as metrics. */

import type { Metrics } from "../telemetry/metrics.ts";
import type { Fanout } from "./fanout.ts";

export function measureFanout(metrics: Metrics, fanout: Fanout): void {
  metrics.gauge({
    name: "tidegate_fanout_state_changed_timestamp_seconds",
    help: "When the fan-out came into its state, as tidegate_component_up shows it, since 1970",
    read: () => [{ value: fanout.status().since / 1_000 }],
  });
  metrics.counter({
    name: "tidegate_fanout_frames_total",
    help: "Frames by what became of them: carried to other processes, dropped unsent, failed, or received unreadable",
    labels: ["outcome"],
    read() {
      const { carried, dropped, failed, unreadable } = fanout.status().counts;
      return Object.entries({ carried, dropped, failed, unreadable }).map(([outcome, value]) => ({
        labels: { outcome },
        value,
      }));
    },
  });
  metrics.counter({
    name: "tidegate_fanout_receivers_threw_total",
    help: "Frames that a receiver in this process failed on",
    read: () => [{ value: fanout.status().counts.threw }],
  });
}
