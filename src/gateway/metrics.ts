/** The metrics of a process, and who may read them: operators, or whoever reaches their address. */
import { createMetricsApp } from "../api.ts";
import type { Database } from "../db/database.ts";
import { measureFanout } from "../fanout/metrics.ts";
import type { Directory } from "../http/auth.ts";
import type { ShownMetrics } from "../http/metrics-routes.ts";
import { listen, type Listening } from "../http/server.ts";
import { measureHousekeeping } from "../log/housekeeping-metrics.ts";
import type { Housekeeping } from "../log/housekeeping.ts";
import { measureHeads } from "../log/metrics.ts";
import { measurePush } from "../push/metrics.ts";
import type { Push } from "../push/push.ts";
import { measureStreams } from "../stream/metrics.ts";
import { createMetrics, metricsMediaType, type Metrics } from "../telemetry/metrics.ts";
import { measurePools } from "./pools.ts";
import type { Services } from "./services.ts";
import type { Stages } from "./stages.ts";
import { version } from "./version.ts";

export function createGatewayMetrics(services: Services): Metrics {
  const metrics = createMetrics();
  // In all processes, so that it shows when there is none that pushes.
  metrics.gauge({
    name: "tidegate_shards",
    help: "Shards that the push processes share; those held by all of them add up to it",
    read: () => [{ value: services.shards }],
  });
  metrics.gauge({
    name: "tidegate_component_up",
    help: "1 where a component works as it should, and 0 where /readyz has a word for what is wrong",
    labels: ["component"],
    async read() {
      const { components } = await services.health.check();
      return Object.entries(components).map(([component, state]) => ({
        labels: { component },
        value: state === "up" ? 1 : 0,
      }));
    },
  });
  metrics.gauge({
    name: "tidegate_build_info",
    help: "1, with the version that runs",
    labels: ["version"],
    read: () => [{ labels: { version }, value: 1 }],
  });
  const { fanout, feed, counts, database } = services;
  measureFanout(metrics, fanout);
  feed.measure(metrics);
  counts.requests.measure(metrics);
  measureHeads(metrics, database.sql, counts.watch);
  return metrics;
}

/** What a process has beside that, by its roles. */
export function measureParts(
  metrics: Metrics,
  { config, counts }: Services,
  parts: { stages: Stages; housekeeping: Housekeeping; pools: Readonly<Record<string, Database>> },
): void {
  const { stages, housekeeping, pools } = parts;
  measurePools(metrics, pools);
  measureHousekeeping(metrics, housekeeping);
  if (!config.roles.has("api")) return;
  counts.appends.measure(metrics, stages.appender);
  measureStreams(metrics, stages.streams);
  stages.pull.measure(metrics);
}

export function measurePushRole(metrics: Metrics, { counts }: Services, push: Push): void {
  measurePush(metrics, push);
  counts.attempts.measure(metrics);
}

export function shownMetrics({ text }: Metrics): ShownMetrics {
  return { mediaType: metricsMediaType, text };
}

/** Undefined where the metrics have no address of their own. */
export async function serveMetrics(
  metrics: Metrics,
  { config, limiter, logger }: Services,
  directory: Directory,
): Promise<Listening | undefined> {
  if (config.metricsAddress === undefined) return undefined;
  const app = createMetricsApp({ metrics: shownMetrics(metrics), directory, limiter, log: logger });
  return await listen(app, { ...config.metricsAddress, log: logger });
}
