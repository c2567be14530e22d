/** What it costs an attempt and a request to be counted, and what it would with the library's own. */
import { Histogram, Registry } from "prom-client";
import type { TenantId } from "../../src/log/event.ts";
import { createAttemptCounts, type CountedAttempt } from "../../src/push/attempt-metrics.ts";
import { createHistogram } from "../../src/telemetry/histogram.ts";
import { createTenantWatch } from "../../src/telemetry/tenant-watch.ts";
import { quantile } from "../measure.ts";

export type ObserverCosts = {
  /** Nanoseconds each, the median of the turns. */
  readonly histogram: number;
  readonly libraryHistogram: number;
  /** Of attempts that go round among so many tenants. */
  readonly fewTenants: number;
  readonly manyTenants: number;
};

const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const turns = 7;

/** From 2 ms to 7 s, as many short as long ones on a scale of magnitudes. */
const values = Float64Array.from({ length: 4_096 }, () => Math.exp(Math.random() * 8 - 6));

export function measureObservers(calls: number, tenants: number): ObserverCosts {
  const own = createHistogram(bounds);
  const library = new Histogram({
    ...{ name: "seconds", help: "Of a tenant", labelNames: ["tenant"], buckets: bounds },
    registers: [new Registry()],
  });
  const names = Array.from({ length: 100 }, (_, index) => `tenant-${index}`);
  return {
    histogram: costOf(calls, (index) => own.observe(valueAt(index))),
    libraryHistogram: costOf(calls, (index) =>
      library.observe({ tenant: names[index % names.length] ?? "" }, valueAt(index)),
    ),
    fewTenants: costOfAttempts(calls, 50),
    manyTenants: costOfAttempts(calls, tenants),
  };
}

function costOfAttempts(calls: number, tenants: number): number {
  const counts = createAttemptCounts(createTenantWatch({ places: 100, pinned: [] }));
  const attempts = Array.from({ length: tenants }, (_, index) => attemptOf(index));
  return costOf(calls, (index) => {
    const attempt = attempts[index % tenants];
    if (attempt !== undefined) counts.observe(attempt);
  });
}

/** Every tenth fails. */
function attemptOf(index: number): CountedAttempt {
  const failed = index % 10 === 0;
  const owner = { tenant: `id of ${index}` as TenantId, tenantName: `tenant-${index}` };
  return {
    delivery: { lane: { endpoint: { ...owner, id: `endpoint ${index}`, name: `ep_${index}` } } },
    outcome: failed ? "retry" : "delivered",
    record: { kind: failed ? "retrying" : "delivered", queueMs: 1, latencyMs: index % 1_000 },
  };
}

function valueAt(index: number): number {
  return values[index % values.length] ?? 0;
}

/** Of the processor's time. One more turn goes before those that count. */
function costOf(calls: number, call: (index: number) => void): number {
  const costs = Array.from({ length: turns + 1 }, () => {
    const before = process.cpuUsage();
    for (let index = 0; index < calls; index += 1) call(index);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / calls;
  });
  return quantile(costs.slice(1), 0.5);
}
