/** Rates of tenants: what passes when, and what the headers say about it. */
import { describe, expect, test } from "vitest";
import { createBucket } from "../../src/bucket.ts";
import type { Tenant, TenantLimits } from "../../src/http/auth.ts";
import { createRateLimiter, quotaExceeded } from "../../src/http/rate-limit.ts";
import type { TenantId } from "../../src/log/event.ts";
import { unlimited } from "../support/tenant.ts";

/** At `at` ms a cost of `cost` passes (`waitMs` 0) or not, and leaves so much. */
type Step = { at: number; cost: number; waitMs: number; remaining: number };

const bucketCases: { name: string; perSecond: number; steps: Step[] }[] = [
  {
    name: "a full bucket gives a second's worth at once, and no more",
    perSecond: 3,
    steps: [
      { at: 0, cost: 1, waitMs: 0, remaining: 2 },
      { at: 0, cost: 2, waitMs: 0, remaining: 0 },
      { at: 0, cost: 1, waitMs: 334, remaining: 0 },
    ],
  },
  {
    name: "it fills evenly, and never above a second's worth",
    perSecond: 10,
    steps: [
      { at: 0, cost: 10, waitMs: 0, remaining: 0 },
      { at: 99, cost: 1, waitMs: 1, remaining: 0 },
      { at: 100, cost: 1, waitMs: 0, remaining: 0 },
      { at: 350, cost: 1, waitMs: 0, remaining: 1 },
      { at: 60_000, cost: 10, waitMs: 0, remaining: 0 },
      { at: 60_000, cost: 1, waitMs: 100, remaining: 0 },
    ],
  },
  {
    name: "what is refused costs nothing",
    perSecond: 2,
    steps: [
      { at: 0, cost: 1, waitMs: 0, remaining: 1 },
      { at: 0, cost: 2, waitMs: 500, remaining: 1 },
      { at: 0, cost: 2, waitMs: 500, remaining: 1 },
      { at: 0, cost: 1, waitMs: 0, remaining: 0 },
    ],
  },
  {
    name: "a cost beyond its size passes when it is full, and leaves a debt to wait for",
    perSecond: 10,
    steps: [
      { at: 0, cost: 1, waitMs: 0, remaining: 9 },
      { at: 0, cost: 1_000, waitMs: 100, remaining: 9 },
      { at: 100, cost: 1_000, waitMs: 0, remaining: 0 },
      { at: 100, cost: 1, waitMs: 99_100, remaining: 0 },
      { at: 99_199, cost: 1, waitMs: 1, remaining: 0 },
      { at: 99_200, cost: 1, waitMs: 0, remaining: 0 },
    ],
  },
  {
    name: "below one a second one passes at a time",
    perSecond: 0.5,
    steps: [
      { at: 0, cost: 1, waitMs: 0, remaining: 0 },
      { at: 1_000, cost: 1, waitMs: 1_000, remaining: 0 },
      { at: 2_000, cost: 1, waitMs: 0, remaining: 0 },
    ],
  },
];

test.each(bucketCases)("bucket: $name", ({ perSecond, steps }) => {
  const bucket = createBucket();
  for (const { at, cost, waitMs, remaining } of steps) {
    const wait = bucket.waitMs(cost, perSecond, at);
    expect({ at, wait }).toEqual({ at, wait: waitMs });
    if (wait === 0) bucket.take(cost);
    expect({ at, ...bucket.level(perSecond, at) }).toMatchObject({ at, remaining });
  }
});

test("bucket: in the long run as much passes as its rate, whatever is asked and when", () => {
  for (const perSecond of [1, 3, 7, 1_000]) {
    const bucket = createBucket();
    let passed = 0;
    for (let at = 0; at <= 60_000; at += 7) {
      while (bucket.waitMs(1, perSecond, at) === 0) {
        bucket.take(1);
        passed += 1;
      }
    }
    // The second's worth that it starts with on top. The last refill may fall short of a whole one.
    expect(passed).toBeGreaterThanOrEqual(perSecond * 61 - Math.ceil(perSecond * 0.007) - 1);
    expect(passed).toBeLessThanOrEqual(perSecond * 61);
  }
});

describe("the limiter", () => {
  const tenant = (id: string, limits: Partial<TenantLimits>): Tenant => ({
    id: id as TenantId,
    name: id,
    shard: 0,
    erasing: false,
    limits: { ...unlimited.limits, ...limits },
  });

  test("says nothing about a tenant without limits", () => {
    const limiter = createRateLimiter(() => 0);
    expect(limiter.take(tenant("a", {}), "appends", 1_000_000)).toBeUndefined();
    expect(limiter.take(tenant("a", { readsPerSecond: 1 }), "appends", 5)).toBeUndefined();
    expect(limiter.use(tenant("a", {}))).toEqual({ appends: null, reads: null });
  });

  test("tells in structured fields what there is and what is left", () => {
    const limiter = createRateLimiter(() => 0);
    const acme = tenant("acme", { appendsPerSecond: 100 });
    expect(limiter.take(acme, "appends", 58)).toEqual({
      allowed: true,
      retryAfterMs: 0,
      headers: { "ratelimit-policy": '"appends";q=100;w=1', ratelimit: '"appends";r=42;t=1' },
    });
    expect(limiter.use(acme).appends).toEqual({ limit: 100, remaining: 42 });
  });

  test("refuses with whole seconds to wait, and a problem that names the limit", () => {
    const limiter = createRateLimiter(() => 0);
    const acme = tenant("acme", { readsPerSecond: 1 });
    limiter.take(acme, "reads", 3);
    const taken = limiter.take(acme, "reads", 1);
    expect(taken).toEqual({
      allowed: false,
      retryAfterMs: 3_000,
      headers: {
        "ratelimit-policy": '"reads";q=1;w=1',
        ratelimit: '"reads";r=0;t=3',
        "retry-after": "3",
      },
    });
    if (taken === undefined) throw new Error("there is a limit");
    expect(quotaExceeded(acme, "reads", taken)).toMatchObject({
      slug: "quota-exceeded",
      status: 429,
      members: { limit: "reads_per_second", value: 1 },
      headers: taken.headers,
    });
  });

  test("keeps tenants and kinds apart", () => {
    const limiter = createRateLimiter(() => 0);
    const limits = { appendsPerSecond: 1, readsPerSecond: 1 };
    for (const id of ["a", "b"]) {
      for (const kind of ["appends", "reads"] as const) {
        expect(limiter.take(tenant(id, limits), kind, 1)?.allowed).toBe(true);
        expect(limiter.take(tenant(id, limits), kind, 1)?.allowed).toBe(false);
      }
    }
  });

  test("a changed limit holds from the next request on", () => {
    let now = 0;
    const limiter = createRateLimiter(() => now);
    const allowed = (perSecond: number, cost: number) =>
      limiter.take(tenant("a", { readsPerSecond: perSecond }), "reads", cost)?.allowed;
    expect(allowed(100, 50)).toBe(true);
    // 50 are left of the old limit, of which the new one keeps 2.
    expect(allowed(2, 2)).toBe(true);
    expect(allowed(2, 1)).toBe(false);
    now = 100;
    expect(allowed(1_000, 100)).toBe(true);
    expect(allowed(1_000, 1)).toBe(false);
  });

  test("remembers so many tenants that all who are busy are among them", () => {
    const limiter = createRateLimiter(() => 0);
    const limits = { readsPerSecond: 1 };
    for (let index = 0; index < 20_000; index += 1)
      limiter.take(tenant(`${index}`, limits), "reads", 1);
    expect(limiter.take(tenant("0", limits), "reads", 1)?.allowed).toBe(false);
    limiter.take(tenant("another", limits), "reads", 1);
    expect(limiter.take(tenant("0", limits), "reads", 1)?.allowed).toBe(false);
    expect(limiter.take(tenant("1", limits), "reads", 1)?.allowed).toBe(true);
  });
});
