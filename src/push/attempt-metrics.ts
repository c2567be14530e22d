/**
 * What is counted of attempts: in all, and by tenant and endpoint for those that are watched. A
 * tenant's series begins when it comes among them and ends when it leaves; all others are counted
 * together, see telemetry/tenant-watch.ts. Which endpoints are named is decided alike, by how often
 * they fail.
 */
import { createHistogram, type Histogram } from "../telemetry/histogram.ts";
import { createLeaders } from "../telemetry/leaders.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { otherTenants, type TenantWatch } from "../telemetry/tenant-watch.ts";
import type { Endpoint } from "./endpoints.ts";
import type { AttemptReport } from "./report.ts";

/** Seconds. An attempt takes 30 s at most. */
const latencyBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Seconds: from at once to a backlog of an hour. */
const queueBounds = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 3_600];

/** Of a tenant's endpoints that have no series of their own. */
const otherEndpoints = "other";

/** What a tenant has while it is watched. `failures`: of endpoints without a series of their own. */
type OfTenant = { tenant: string; readonly latency: Histogram; failures: number };
type OfEndpoint = { readonly tenant: string; readonly endpoint: string; failures: number };

/** What of an attempt is counted. */
export type CountedAttempt = Pick<AttemptReport, "outcome"> & {
  readonly delivery: { readonly lane: { readonly endpoint: CountedEndpoint } };
  readonly record: Pick<AttemptReport["record"], "kind" | "queueMs" | "latencyMs">;
};

type CountedEndpoint = Pick<Endpoint, "tenant" | "tenantName" | "id" | "name">;

export type AttemptCounts = {
  observe(attempt: CountedAttempt): void;
  measure(metrics: Metrics): void;
};

/** `now` is monotonic, milliseconds. */
export function createAttemptCounts(
  watch: TenantWatch,
  now = () => performance.now(),
): AttemptCounts {
  const queue = createHistogram(queueBounds);
  const outcomes: Record<Shown, number> = {
    ...{ delivered: 0, awaiting_receipt: 0, retry: 0, dead: 0, disabled: 0, probe_failed: 0 },
  };
  /** By name, since a tenant may be made anew under the name of one that is gone. */
  const tenants = new Map<string, OfTenant>();
  const others = newSeries(otherTenants);
  const failing = createLeaders(watch.places);
  const endpoints = new Map<string, OfEndpoint>();
  return { observe, measure };

  function observe(attempt: CountedAttempt): void {
    const { delivery, outcome, record } = attempt;
    const { endpoint } = delivery.lane;
    const isAccepted = record.kind === "delivered" || record.kind === "awaiting_receipt";
    const failed = !isAccepted || outcome === "probe failed";
    outcomes[shownOutcome(attempt)] += 1;
    queue.observe(record.queueMs / 1_000);
    const series = seriesOf(endpoint, failed);
    series.latency.observe(record.latencyMs / 1_000);
    if (failed) countFailure(endpoint, series);
  }

  function seriesOf({ tenant, tenantName }: CountedEndpoint, failed: boolean): OfTenant {
    if (!watch.attempted(tenant, tenantName, failed)) return others;
    let series = tenants.get(tenantName);
    if (series === undefined) tenants.set(tenantName, (series = newSeries(tenant)));
    series.tenant = tenant;
    return series;
  }

  function countFailure({ id, name, tenantName }: CountedEndpoint, ofTenant: OfTenant): void {
    if (!failing.add(id, 1) || tenantName === otherTenants) {
      ofTenant.failures += 1;
      return;
    }
    let series = endpoints.get(id);
    if (series === undefined) {
      endpoints.set(id, (series = { tenant: tenantName, endpoint: name, failures: 0 }));
    }
    series.failures += 1;
  }

  /** Chooses anew, and lets go of those that are not watched any more. */
  function review(): void {
    const at = now();
    watch.review(at);
    failing.review(at);
    for (const [name, { tenant }] of tenants) {
      if (!watch.isWatched(tenant, name)) tenants.delete(name);
    }
    for (const id of endpoints.keys()) if (!failing.has(id)) endpoints.delete(id);
  }

  function measure(metrics: Metrics): void {
    const all = metrics.onceAScrape(() => {
      review();
      return [...tenants, [otherTenants, others] as const];
    });
    metrics.counter({
      name: "tidegate_delivery_attempts_total",
      help: "Attempts by what followed: delivered, accepted and awaiting a receipt, a retry, given up, endpoint disabled, or a probe that failed",
      labels: ["outcome"],
      read: () =>
        Object.entries(outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
    });
    metrics.histogram({
      name: "tidegate_delivery_queue_seconds",
      help: "From when an event could have been sent to when its attempt began",
      read: () => [{ value: queue }],
    });
    metrics.histogram({
      name: "tidegate_delivery_latency_seconds",
      help: "How long attempts took, whatever their outcome, of the tenants that are watched and of all others together",
      labels: ["tenant"],
      read: () => all().map(([tenant, { latency }]) => ({ labels: { tenant }, value: latency })),
    });
    metrics.counter({
      name: "tidegate_delivery_failures_total",
      help: "Attempts that failed, of the endpoints and tenants that are watched and of all others together",
      labels: ["tenant", "endpoint"],
      read: () => [
        ...all().map(([tenant, { failures: value }]) => ({
          labels: { tenant, endpoint: otherEndpoints },
          value,
        })),
        ...Array.from(endpoints.values(), ({ tenant, endpoint, failures: value }) => ({
          labels: { tenant, endpoint },
          value,
        })),
      ],
    });
  }
}

function newSeries(tenant: string): OfTenant {
  return { tenant, latency: createHistogram(latencyBounds), failures: 0 };
}

type Shown = "delivered" | "awaiting_receipt" | "retry" | "dead" | "disabled" | "probe_failed";

function shownOutcome({ outcome, record }: CountedAttempt): Shown {
  switch (outcome) {
    case "delivered":
      return record.kind === "awaiting_receipt" ? "awaiting_receipt" : "delivered";
    case "retry":
    case "dead":
      return outcome;
    case "disable":
      return "disabled";
    case "probe failed":
      return "probe_failed";
  }
}
