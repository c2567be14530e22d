/** The metrics of the process, for those who collect them. */
import { z } from "zod";
import { route, type Route } from "./route.ts";

export type ShownMetrics = { readonly mediaType: string; text(): Promise<string> };

const example =
  "# HELP tidegate_component_up Whether a component works as it should\n" +
  "# TYPE tidegate_component_up gauge\n" +
  'tidegate_component_up{component="database"} 1\n';

export function createMetricsRoutes(metrics: ShownMetrics, access: "operator" | "public"): Route[] {
  return [
    route({
      method: "get",
      path: "/metrics",
      id: "getMetrics",
      tag: "system",
      summary: "What the process measures, in the text format of Prometheus",
      description:
        "Where `TIDEGATE_METRICS_ADDRESS` is set it is served there, without a key, and not here.",
      access,
      responses: { 200: { content: { "text/plain": z.string().meta({ example }) } } },
      async handle() {
        return { status: 200, text: await metrics.text(), contentType: metrics.mediaType };
      },
    }),
  ];
}
