/**
 * Holds tenants to their rates of appends and reads. The rates are those of one process: each
 * counts for itself, in memory, so n processes let through n times as much. A tenant without a
 * rate costs one look at its limits.
 *
 * Nothing waits here: what is too much is refused, with the time after which it would pass. The
 * headers are those of draft-ietf-httpapi-ratelimit-headers.
 */
import { LRUCache } from "lru-cache";
import { createBucket, type Bucket } from "../bucket.ts";
import type { TenantId } from "../log/event.ts";
import { Problem } from "../problem.ts";
import type { Tenant } from "./auth.ts";

export type Limited = "appends" | "reads";

export type Taken = {
  readonly allowed: boolean;
  /** 0 when it is allowed. */
  readonly retryAfterMs: number;
  /** For the response, `retry-after` among them when it is not allowed. */
  readonly headers: Record<string, string>;
};

/** A rate, and how much of it is left now in this process. */
export type Use = { readonly limit: number; readonly remaining: number };

export type RateLimiter = {
  /** Undefined where the tenant has no such limit. A cost above a second's worth goes into debt. */
  take(tenant: Tenant, kind: Limited, cost: number): Taken | undefined;
  /** Null where there is no limit. */
  use(tenant: Tenant): Readonly<Record<Limited, Use | null>>;
};

/** Far more than are busy at once. Of the others the bucket is full, or a debt is forgiven. */
const bucketsMax = 20_000;

export function createRateLimiter(clock: () => number = () => performance.now()): RateLimiter {
  const buckets = {
    appends: new LRUCache<TenantId, Bucket>({ max: bucketsMax }),
    reads: new LRUCache<TenantId, Bucket>({ max: bucketsMax }),
  };

  return {
    take,
    use: (tenant) => ({ appends: use(tenant, "appends"), reads: use(tenant, "reads") }),
  };

  function take(tenant: Tenant, kind: Limited, cost: number): Taken | undefined {
    const limit = limitOf(tenant, kind);
    if (limit === null) return undefined;
    const now = clock();
    const bucket = bucketOf(tenant.id, kind);
    const retryAfterMs = bucket.waitMs(cost, limit, now);
    const allowed = retryAfterMs === 0;
    if (allowed) bucket.take(cost);
    const { remaining, fullInMs } = bucket.level(limit, now);
    const headers: Record<string, string> = {
      "ratelimit-policy": `"${kind}";q=${limit};w=1`,
      ratelimit: `"${kind}";r=${remaining};t=${wholeSeconds(fullInMs)}`,
    };
    if (!allowed) headers["retry-after"] = String(wholeSeconds(retryAfterMs));
    return { allowed, retryAfterMs, headers };
  }

  function use(tenant: Tenant, kind: Limited): Use | null {
    const limit = limitOf(tenant, kind);
    if (limit === null) return null;
    return { limit, remaining: bucketOf(tenant.id, kind).level(limit, clock()).remaining };
  }

  function bucketOf(tenant: TenantId, kind: Limited): Bucket {
    let bucket = buckets[kind].get(tenant);
    if (bucket === undefined) buckets[kind].set(tenant, (bucket = createBucket()));
    return bucket;
  }
}

/** What a tenant is told that has taken too much. */
export function quotaExceeded(tenant: Tenant, kind: Limited, { headers }: Taken): Problem {
  const value = limitOf(tenant, kind);
  return new Problem("quota-exceeded", `the tenant has ${value} ${kind} a second`, {
    members: { limit: `${kind}_per_second`, value },
    headers,
  });
}

function limitOf({ limits }: Tenant, kind: Limited): number | null {
  return kind === "appends" ? limits.appendsPerSecond : limits.readsPerSecond;
}

/** At least one: a client that is told 0 would come back at once. */
function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
