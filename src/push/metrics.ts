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
    name: "tidegate_push_slots",
    help: "Slots of this process; an attempt takes one for every 128 KiB of its event",
    read: () => [{ value: push.status().slots }],
  });
  metrics.gauge({
    name: "tidegate_push_in_flight_ratio",
    help: "Share of the slots that are taken, 0 to 1",
    read() {
      const { slots, slotsUsed } = push.status();
      return [{ value: Math.min(1, slotsUsed / slots) }];
    },
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
  metrics.counter({
    name: "tidegate_dead_letters_total",
    help: "Deliveries that were given up",
    read: () => [{ value: push.status().deadLetters }],
  });
  metrics.counter({
    name: "tidegate_circuit_transitions_total",
    help: "Changes of endpoints' circuits, by what they changed to",
    labels: ["to"],
    read: () =>
      Object.entries(push.status().circuitChanges).map(([to, value]) => ({
        labels: { to },
        value,
      })),
  });
  measureLanes(metrics, push);
}

function measureLanes(metrics: Metrics, push: Pick<Push, "survey">): void {
  const survey = metrics.onceAScrape(() => push.survey());
  metrics.gauge({
    name: "tidegate_push_lanes",
    help: "Endpoints that this process drives: idle, live, lagging by more than 10 s, or held by a circuit, a rate or a change",
    labels: ["state"],
    async read() {
      const { lanes } = await survey();
      return Object.entries(lanes).map(([state, value]) => ({ labels: { state }, value }));
    },
  });
  metrics.gauge({
    name: "tidegate_push_backlog_age_seconds",
    help: "Age of the oldest event that waits for a slot and not for its endpoint, retries from when they were due; 0 without one",
    read: async () => [{ value: (await survey()).backlogAgeMs / 1_000 }],
  });
  metrics.gauge({
    name: "tidegate_retries_due",
    help: "Retries that are due and loaded, at most 100 of an endpoint",
    read: async () => [{ value: (await survey()).retriesDue }],
  });
}
