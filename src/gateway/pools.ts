/** The connections of this process's pools, as metrics. What waits is not told by the driver. */
import type { Metrics } from "../telemetry/metrics.ts";
import type { Database, Sql } from "../db/database.ts";

/** What `patches/` adds to the driver, and which its types do not know; without it nothing is told. */
type Counted = { connections?(): { open: number; busy: number; connecting: number } };

/** By the pools' names. */
export function measurePools(metrics: Metrics, pools: Readonly<Record<string, Database>>): void {
  metrics.gauge({
    name: "tidegate_database_connections",
    help: "Connections by pool: busy with statements, open with nothing to do, or being made",
    labels: ["pool", "state"],
    read: () =>
      Object.entries(pools).flatMap(([pool, { sql }]) =>
        Object.entries((sql as Sql & Counted).connections?.() ?? {}).map(([state, value]) => ({
          labels: { pool, state },
          value,
        })),
      ),
  });
  metrics.gauge({
    name: "tidegate_database_connections_max",
    help: "Connections that a pool opens at most",
    labels: ["pool"],
    read: () =>
      Object.entries(pools).map(([pool, { sql }]) => ({
        labels: { pool },
        value: sql.options.max,
      })),
  });
}
