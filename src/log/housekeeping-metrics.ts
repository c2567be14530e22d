/** Whether house is kept, as metrics: all chores are done by one process of all. */
import type { Metrics } from "../telemetry/metrics.ts";
import type { Housekeeping } from "./housekeeping.ts";

export function measureHousekeeping(
  metrics: Metrics,
  { status }: Pick<Housekeeping, "status">,
): void {
  metrics.gauge({
    name: "tidegate_housekeeper",
    help: "1 in the process that keeps house, 0 in the others",
    read: () => [{ value: status().isHeld ? 1 : 0 }],
  });
  metrics.gauge({
    name: "tidegate_housekeeping_last_success_timestamp_seconds",
    help: "When a chore was last done by this process, since 1970; nothing before that",
    labels: ["chore"],
    read: () =>
      status().chores.flatMap(({ name, doneAt }) =>
        doneAt === undefined ? [] : [{ labels: { chore: name }, value: doneAt / 1_000 }],
      ),
  });
  metrics.counter({
    name: "tidegate_housekeeping_failures_total",
    help: "Turns of a chore that failed in this process",
    labels: ["chore"],
    read: () =>
      status().chores.map(({ name, failures }) => ({ labels: { chore: name }, value: failures })),
  });
}
