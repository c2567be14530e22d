/**
 * What is counted of attempts, by tenant and endpoint: the number of series is bounded, and each of
 * them only grows while it is there.
 */
import { expect, test } from "vitest";
import type { TenantId } from "../../src/log/event.ts";
import { createAttemptCounts, type CountedAttempt } from "../../src/push/attempt-metrics.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createTenantWatch } from "../../src/telemetry/tenant-watch.ts";
import { createChance } from "../support/chance.ts";
import { readMetrics, type Samples } from "../support/metrics.ts";

const minuteMs = 60_000;

function openCounts(options: { places: number; pinned?: readonly string[] }) {
  let laterMs = 0;
  const watch = createTenantWatch({ pinned: [], ...options });
  const counts = createAttemptCounts(watch, () => performance.now() + laterMs);
  const metrics = createMetrics();
  counts.measure(metrics);
  return { ...counts, metrics, scrape, later };

  async function scrape(): Promise<Samples> {
    return ofTenants(readMetrics(await metrics.text()));
  }

  /** A minute is over: it is time to choose anew. */
  function later() {
    laterMs += minuteMs;
  }
}

function repeat(times: number, act: () => void): void {
  for (let count = 0; count < times; count += 1) act();
}

/** The series that name tenants. */
function ofTenants(samples: Samples): Samples {
  return new Map([...samples].filter(([name]) => name.includes("tenant=")));
}

function attempt(tenant: string, failed = false, endpoint = `ep_${tenant}`): CountedAttempt {
  const owner = { tenant: `id of ${tenant}` as TenantId, tenantName: tenant };
  return {
    delivery: { lane: { endpoint: { ...owner, id: endpoint, name: endpoint } } },
    outcome: failed ? "retry" : "delivered",
    record: { kind: failed ? "retrying" : "delivered", queueMs: 1, latencyMs: 20 },
  };
}

function attemptsOf(samples: Samples, tenant: string): number | undefined {
  return samples.get(`tidegate_delivery_latency_seconds_count{tenant="${tenant}"}`);
}

function failuresOf(samples: Samples, tenant: string, endpoint: string): number | undefined {
  return samples.get(`tidegate_delivery_failures_total{tenant="${tenant}",endpoint="${endpoint}"}`);
}

test("of 100,000 tenants that all fail, so many have series as there are places, and one for the others", async () => {
  const pinned = ["pinned"];
  const { observe, metrics, scrape } = openCounts({ places: 100, pinned });
  for (let index = 0; index < 100_000; index += 1) {
    observe(attempt(`tenant-${index}`));
    observe(attempt(`tenant-${index}`, true));
  }
  observe(attempt("pinned"));
  const samples = await scrape();
  const named = [...samples.keys()].filter((name) => /_count\{tenant=/.test(name));
  // 50 for the busiest and 50 for those that fail, who may be the same.
  expect(named.length).toBeGreaterThan(50);
  expect(named.length).toBeLessThanOrEqual(100 + pinned.length + 1);
  expect(attemptsOf(samples, "pinned")).toBe(1);
  const counted = named.reduce((sum, name) => sum + (samples.get(name) ?? 0), 0);
  expect(counted).toBe(200_001);
  // Of a histogram 15 lines each, and the endpoints' failures.
  expect(samples.size).toBeLessThanOrEqual(102 * (15 + 1) + 101);
  expect((await metrics.text()).length).toBeLessThan(300_000);
});

test("a tenant that comes in begins its own series, and one that goes out is among the others", async () => {
  const { observe, scrape, later } = openCounts({ places: 2 });
  repeat(10, () => observe(attempt("first")));
  repeat(10, () => observe(attempt("failing", true)));
  repeat(90, () => observe(attempt("busy")));
  const before = await scrape();
  expect(attemptsOf(before, "first")).toBe(10);
  expect(failuresOf(before, "failing", "ep_failing")).toBe(10);
  expect(attemptsOf(before, "busy")).toBeUndefined();
  expect(attemptsOf(before, "other")).toBe(90);

  later();
  await scrape();
  observe(attempt("busy"));
  observe(attempt("first"));
  const after = await scrape();
  expect(attemptsOf(after, "busy")).toBe(1);
  expect(attemptsOf(after, "first")).toBeUndefined();
  expect(attemptsOf(after, "other")).toBe(91);
  expect(failuresOf(after, "failing", "ep_failing")).toBe(10);
});

test("no series goes back while it is there, and all together never tell more than there was", async () => {
  const chance = createChance();
  const { observe, scrape, later } = openCounts({ places: 6 });
  let before = await scrape();
  for (let round = 0; round < 40; round += 1) {
    // Others are busy each time, so that places change.
    const favourites = chance.below(30);
    const attempts = 1 + chance.below(300);
    repeat(attempts, () => {
      const tenant = chance.below(2) === 0 ? favourites : chance.below(30);
      observe(attempt(`tenant-${tenant}`, chance.below(4) === 0));
    });
    if (chance.below(2) === 0) later();
    const now = await scrape();
    const told = (name: RegExp) =>
      [...now.keys()].filter((each) => name.test(each)).map((each) => now.get(each) ?? 0);
    const grown = [...now].map(([name, value]) => {
      const growth = value - (before.get(name) ?? 0);
      expect(growth, `${name}, seed ${chance.seed}`).toBeGreaterThanOrEqual(0);
      return name.includes("latency_seconds_count") ? growth : 0;
    });
    expect(sumOf(grown), `seed ${chance.seed}`).toBeLessThanOrEqual(attempts);
    expect(told(/latency_seconds_count/).length).toBeLessThanOrEqual(7);
    expect(told(/failures_total/).length).toBeLessThanOrEqual(13);
    before = now;
  }
});

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

test("a tenant that is named as the others are has no series of its own", async () => {
  const { observe, scrape } = openCounts({ places: 10 });
  observe(attempt("other", true));
  observe(attempt("acme", true));
  const samples = await scrape();
  expect(attemptsOf(samples, "other")).toBe(1);
  expect(failuresOf(samples, "other", "other")).toBe(1);
  expect(failuresOf(samples, "acme", "ep_acme")).toBe(1);
});
