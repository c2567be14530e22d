/**
 * What operators watch: numbers in the text format of Prometheus. A metric is declared with the
 * source it is read from when somebody asks, so whatever is measured pays nothing for it.
 *
 * Names follow Prometheus' conventions: `tidegate_`, the unit last, `_total` on what only grows.
 */

import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";

export type Reading = {
  /** Values of the labels that the metric declares. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
};

export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  /** Must not reject: one metric that cannot be read would take all others with it. */
  read(): readonly Reading[] | Promise<readonly Reading[]>;
};

export type Metrics = {
  /** What goes up and down. */
  gauge(metric: Metric): void;
  /** What only grows from the start of the process; its source counts, this only shows. */
  counter(metric: Metric): void;
  /** All of them, as they are now, and those of the process itself. */
  text(): Promise<string>;
};

export const metricsMediaType = Registry.PROMETHEUS_CONTENT_TYPE;

/** Of the process, of which there is one, however many gateways run in it. */
let processRegistry: Registry | undefined;

export function createMetrics(): Metrics {
  const registry = new Registry();
  return { gauge, counter, text };

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

  async function text(): Promise<string> {
    const texts = [await registry.metrics(), await ofProcess().metrics()];
    return texts.map((part) => part.trimEnd()).join("\n\n") + "\n";
  }
}

/** Made when it is first asked for, since it watches the event loop and the garbage collector. */
function ofProcess(): Registry {
  if (processRegistry === undefined) {
    processRegistry = new Registry();
    collectDefaultMetrics({ register: processRegistry });
  }
  return processRegistry;
}
