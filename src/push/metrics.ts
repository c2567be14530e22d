/** What the push role is at, as metrics; a process without the role has none of them. */

import type { Metrics } from "../telemetry/metrics.ts";
import type { Push } from "./push.ts";

export function measurePush(metrics: Metrics, push: Push): void {
  metrics.gauge({
    name: "tidegate_shards_held",
    help: "Shards that this process pushes for",
    read: () => [{ value: push.status().shardsHeld }],
  });
  metrics.gauge({
    name: "tidegate_push_in_flight",
    help: "Attempts under way",
    read: () => [{ value: push.status().inFlight }],
  });
  metrics.gauge({
    name: "tidegate_replays_in_flight",
    help: "Attempts of replays under way",
    read: () => [{ value: push.status().replaysInFlight }],
  });
  metrics.counter({
    name: "tidegate_replays_total",
    help: "Attempts of replays that were begun",
    read: () => [{ value: push.status().replays }],
  });
  metrics.gauge({
    name: "tidegate_outcomes_unwritten",
    help: "Outcomes of attempts that the database has not taken yet",
    read: () => [{ value: push.status().unwritten }],
  });
}
