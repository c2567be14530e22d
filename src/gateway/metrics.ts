/** The metrics of a process, and who may read them: operators, or whoever reaches their address. */
import { createMetricsApp } from "../api.ts";
import type { Directory } from "../http/auth.ts";
import type { ShownMetrics } from "../http/metrics-routes.ts";
import { listen, type Listening } from "../http/server.ts";
import { measureFanout } from "../fanout/metrics.ts";
import { createMetrics, metricsMediaType, type Metrics } from "../telemetry/metrics.ts";
import { readiness, type Services } from "./services.ts";

export function createGatewayMetrics(services: Services): Metrics {
  const metrics = createMetrics();
  metrics.gauge({
    name: "tidegate_component_up",
    help: "1 where a component works as it should, and 0 where /readyz has a word for what is wrong",
    labels: ["component"],
    async read() {
      const { components } = await readiness(services);
      return Object.entries(components).map(([component, state]) => ({
        labels: { component },
        value: state === "up" ? 1 : 0,
      }));
    },
  });
  measureFanout(metrics, services.fanout);
  return metrics;
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
