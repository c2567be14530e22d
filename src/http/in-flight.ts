/**
 * Bounds how many requests are under way at once, all together and for one tenant, so that memory
 * stays bounded when they come faster than they end: when the database hangs, each of them waits.
 * Long polls count like all others, since what a request holds is the same whatever it waits for.
 * Streams count until they have begun; from then on they have a bound of their own.
 */
import type { TenantId } from "../log/event.ts";
import { Problem } from "../problem.ts";

export type InFlight = {
  /** Throws 503 when there are too many. Whoever is let in must leave. */
  enter(): void;
  leave(): void;
  /** The same for one tenant, on top. */
  enterTenant(tenant: TenantId): void;
  leaveTenant(tenant: TenantId): void;
};

/** About 20 kB each, connection included. */
const defaultMax = 20_000;

/** What one tenant may have of it, so that its patience is not everybody's overload. */
const tenantShare = 0.25;

/** Those that are under way end within a minute at most, and most of them at once. */
const retryAfterSeconds = 1;

export function createInFlight(max = defaultMax): InFlight {
  const tenantMax = Math.max(1, Math.floor(max * tenantShare));
  /** Only tenants that have some. */
  const ofTenants = new Map<TenantId, number>();
  let running = 0;

  return { enter, leave, enterTenant, leaveTenant };

  function enter(): void {
    if (running >= max) throw overloaded("this process");
    running += 1;
  }

  function leave(): void {
    running -= 1;
  }

  function enterTenant(tenant: TenantId): void {
    const count = ofTenants.get(tenant) ?? 0;
    if (count >= tenantMax) throw overloaded("the tenant, in this process,");
    ofTenants.set(tenant, count + 1);
  }

  function leaveTenant(tenant: TenantId): void {
    const count = ofTenants.get(tenant) ?? 0;
    if (count > 1) ofTenants.set(tenant, count - 1);
    else ofTenants.delete(tenant);
  }
}

function overloaded(who: string): Problem {
  return new Problem("unavailable", `${who} has as many requests under way as it may`, {
    headers: { "retry-after": String(retryAfterSeconds) },
  });
}
