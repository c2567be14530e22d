/**
 * What operators watch: numbers in the text format of Prometheus. A metric is declared with the
 * source it is read from when somebody asks, so whatever is measured pays nothing for it.
 *
 * Names follow Prometheus' conventions: `tidegate_`, the unit last, `_total` on what only grows.
 */

import { collectDefaultMetrics, Counter, Gauge, Histogram as Shown, Registry } from "prom-client";
import type { Histogram } from "./histogram.ts";

export type Reading = {
  /** Values of the labels that the metric declares. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

export type HistogramReadings = {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: Histogram;
};

type Declared = {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
};

export type Metric = Declared & {
  /** Must not reject: one metric that cannot be read would take all others with it. */
  read(): readonly Reading[] | Promise<readonly Reading[]>;
};

export type Metrics = {
  /** What goes up and down. */
  gauge(metric: Metric): void;
  /** What only grows from the start of the process; its source counts, this only shows. */
  counter(metric: Metric): void;
  /** How values are spread, since the start of the process. */
  histogram(metric: Declared & { read(): readonly HistogramReadings[] }): void;
  /** Reads it once for all metrics of a scrape that show a part of it. */
  onceAScrape<T>(read: () => T): () => T;
  /** All of them, as they are now, and those of the process itself. */
  text(): Promise<string>;
};

/** Named against the conventions, and the first two look at each open connection. */
const leftOut = [
  ...["nodejs_active_handles", "nodejs_active_handles_total"],
  ...["nodejs_active_requests", "nodejs_active_requests_total"],
  "nodejs_active_resources_total",
];

export const metricsMediaType = Registry.PROMETHEUS_CONTENT_TYPE;

/** Of the process, of which there is one, however many gateways run in it. */
let processRegistry: Registry | undefined;

export function createMetrics(): Metrics {
  const registry = new Registry();
  let scrapes = 0;
  return { gauge, counter, histogram, onceAScrape, text };

  function gauge({ name, help, labels = [], read }: Metric): void {
    const shown = new Gauge({
      ...{ name, help, labelNames: labels, registers: [registry] },
      async collect() {
        const readings = await read();
        shown.reset();
        for (const reading of readings) shown.set(reading.labels ?? {}, reading.value);
      },
    });
  }

  function counter({ name, help, labels = [], read }: Metric): void {
    const shown = new Counter({
      ...{ name, help, labelNames: labels, registers: [registry] },
      async collect() {
        const readings = await read();
        shown.reset();
        for (const reading of readings) shown.inc(reading.labels ?? {}, reading.value);
      },
    });
  }

  /** The library's own would look up a value's labels each time, so it only shows ours. */
  function histogram(metric: Parameters<Metrics["histogram"]>[0]): void {
    const { name, help, labels = [], read } = metric;
    const shown = new Shown({ ...{ name, help, labelNames: labels, registers: [registry] } });
    const values = () => read().flatMap((each) => samplesOf(name, each));
    const inForm = async () => ({ ...{ name, help, type: "histogram" }, values: values() });
    Object.assign(shown, { get: inForm, getForPromString: inForm });
  }

  function onceAScrape<T>(read: () => T): () => T {
    let known: { readonly scrape: number; readonly value: T } | undefined;
    return () => {
      if (known?.scrape !== scrapes) known = { scrape: scrapes, value: read() };
      return known.value;
    };
  }

  async function text(): Promise<string> {
    scrapes += 1;
    const texts = [await registry.metrics(), await ofProcess().metrics()];
    return texts.map((part) => part.trimEnd()).join("\n\n") + "\n";
  }
}

function samplesOf(name: string, { labels = {}, value }: HistogramReadings) {
  const { cumulative, sum } = value.read();
  const count = cumulative.at(-1) ?? 0;
  return [
    ...cumulative.map((below, index) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: String(value.bounds[index] ?? "+Inf") },
      value: below,
    })),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}

/** Made when it is first asked for, since it watches the event loop and the garbage collector. */
function ofProcess(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
    for (const name of leftOut) processRegistry.removeSingleMetric(name);
  }
  return processRegistry;
}
