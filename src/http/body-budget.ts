/**
 * Bounds what all request bodies together take of the memory, and those of one tenant. Counted is
 * what has arrived and not what is announced, so that a promise alone reserves nothing. What has
 * arrived of a slow body is held until its request is done, which a client can draw out by sending
 * little at a time: hence a tenant may hold a part only. Of bodies that grow together beyond a
 * bound, the one that meets it is refused and thereby makes room for the others.
 */
import type { TenantId } from "../log/event.ts";
import { Problem } from "../problem.ts";

/** One request's share. */
export type BodyShare = {
  /** From now on it counts for this tenant, too. To be told once, before anything is held. */
  belongTo(tenant: TenantId): void;
  /** Throws 503 when a body that is announced with so many bytes would not fit now. */
  expect(bytes: number): void;
  /** Holds so many from now on; throws 503 when there is no room for more than it had. */
  hold(bytes: number): void;
};

/**
 * Eight bodies of the largest size, or some 60,000 events on their way. With what is made of them
 * before they are appended they take three to four times as much.
 */
const defaultMaxBytes = 128 << 20;

/** What one tenant may have of it, so that its slow bodies do not shut out everybody else's. */
const tenantShare = 0.25;

/** Bodies are done with as fast as the database takes them. */
const retryAfterSeconds = 1;

export function createBodyBudget(maxBytes = defaultMaxBytes): { open(): BodyShare } {
  const tenantMaxBytes = Math.floor(maxBytes * tenantShare);
  /** Only tenants that hold some. */
  const ofTenants = new Map<TenantId, number>();
  let heldBytes = 0;

  return { open };

  function open(): BodyShare {
    let shareBytes = 0;
    let owner: TenantId | undefined;
    return {
      belongTo(tenant) {
        owner = tenant;
      },
      expect: (bytes) => requireRoom(bytes, owner),
      hold(bytes) {
        const more = bytes - shareBytes;
        if (more === 0) return;
        if (more > 0) requireRoom(more, owner);
        heldBytes += more;
        if (owner !== undefined) count(owner, more);
        shareBytes = bytes;
      },
    };
  }

  function count(tenant: TenantId, more: number): void {
    const bytes = (ofTenants.get(tenant) ?? 0) + more;
    if (bytes > 0) ofTenants.set(tenant, bytes);
    else ofTenants.delete(tenant);
  }

  function requireRoom(bytes: number, tenant: TenantId | undefined): void {
    if (heldBytes + bytes > maxBytes) throw full("this process");
    if (tenant === undefined) return;
    const tenantBytes = ofTenants.get(tenant) ?? 0;
    if (tenantBytes + bytes > tenantMaxBytes) throw full("the tenant, in this process,");
  }
}

function full(who: string): Problem {
  return new Problem("unavailable", `${who} has as many bytes of request bodies as it may`, {
    headers: { "retry-after": String(retryAfterSeconds) },
  });
}
