/** How long requests take, by operation and by the class of their answers. */
import { createHistogram, type Histogram } from "../telemetry/histogram.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { RequestDone } from "./mount.ts";

/** Seconds. A long poll takes 30 s at most, uploads take as long as they are. */
const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type RequestCounts = {
  observe(done: RequestDone): void;
  measure(metrics: Metrics): void;
};

/** Operations are those that are declared, so there are only so many. */
export function createRequestCounts(): RequestCounts {
  /** By operation, then by the first digit of the status. */
  const operations = new Map<string, (Histogram | undefined)[]>();
  return { observe, measure };

  function observe({ operation, status, durationMs }: RequestDone): void {
    let classes = operations.get(operation);
    if (classes === undefined) operations.set(operation, (classes = []));
    const digit = Math.floor(status / 100);
    const histogram = (classes[digit] ??= createHistogram(durationBounds));
    histogram.observe(durationMs / 1_000);
  }

  function measure(metrics: Metrics): void {
    metrics.histogram({
      name: "tidegate_http_request_duration_seconds",
      help: "Time until a request was answered, or until its stream began",
      labels: ["operation", "status"],
      read: () =>
        [...operations].flatMap(([operation, classes]) =>
          classes.flatMap((value, digit) =>
            value === undefined ? [] : [{ labels: { operation, status: `${digit}xx` }, value }],
          ),
        ),
    });
  }
}
