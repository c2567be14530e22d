/**
 * Who is calling, and what the caller may do.
 *
 * A scope is granted by itself or by a wider one: `receive` includes `read`, and `manage` includes
 * every scope of its tenant (it can create keys of any scope, so less would only be a detour).
 * Operator keys have every scope on every tenant. What belongs to another tenant does not exist:
 * the answer is the same 404 as for a name nobody has, and no look-up tells the two apart.
 */
import type { Sequence, TenantId } from "../log/event.ts";
import type { Filter } from "../log/filter.ts";
import { Problem } from "../problem.ts";

export const scopes = ["append", "read", "receive", "manage"] as const;

export type Scope = (typeof scopes)[number];

/** What a tenant may do at most; null is no limit. Rates are per second and per process. */
export type TenantLimits = {
  /** Events. */
  readonly appendsPerSecond: number | null;
  /** Requests. */
  readonly readsPerSecond: number | null;
  /** Attempts. */
  readonly pushesPerSecond: number | null;
  readonly endpoints: number | null;
};

export type Tenant = {
  readonly id: TenantId;
  readonly name: string;
  readonly shard: number;
  readonly limits: TenantLimits;
  /** All of it is being erased: nobody may use it any more. */
  readonly erasing: boolean;
};

export type OperatorPrincipal = { readonly kind: "operator"; readonly keyId: string };

export type TenantPrincipal = {
  readonly kind: "tenant";
  readonly keyId: string;
  readonly tenant: Tenant;
  readonly scopes: ReadonlySet<Scope>;
  /** Milliseconds since 1970. */
  readonly expiresAt: number | null;
  /** What it was identified by, where that was not a key. */
  readonly ticket?: Ticket;
};

/**
 * Stands in for a key where none can be sent or shown: for one stream of one tenant, with a filter
 * that whoever holds the ticket cannot change. It dies with the key that made it.
 */
export type Ticket = {
  /** Tells it from all others, and is no secret. */
  readonly id: string;
  readonly filter: Filter;
  /** Whom it stands for by now; undefined when it, its key or its tenant is gone. */
  authenticate(): Promise<TenantPrincipal | undefined>;
  /**
   * Opens its stream, whose cursors will have this sequence or a later one. True once, to whoever
   * is the first of all processes.
   */
  open(reconnectsFrom: Sequence): Promise<boolean>;
  /** What it was opened with; undefined as long as it is not. */
  reconnectsFrom(): Promise<Sequence | undefined>;
};

export type Principal = OperatorPrincipal | TenantPrincipal;

/** Keys and tenants. Asked on every request, so it answers from memory whenever it can. */
export type Directory = {
  authenticate(token: string): Promise<Principal | undefined>;
  tenantByName(name: string): Promise<Tenant | undefined>;
};

/** What a route asks of its caller: nothing, an operator key, or a scope. */
export type Access = "public" | "operator" | Scope;

const grantedBy: Record<Scope, readonly Scope[]> = {
  append: ["append", "manage"],
  read: ["read", "receive", "manage"],
  receive: ["receive", "manage"],
  manage: ["manage"],
};

/** One token of printable characters; our own keys are far shorter than the bound. */
const bearerPattern = /^Bearer +([\x21-\x7e]{1,512})$/i;

/** The caller behind an `Authorization` header; throws 401 for a missing or wrong key. */
export async function authenticate(
  directory: Directory,
  authorization: string | undefined,
): Promise<Principal> {
  if (authorization === undefined) throw unauthorized("send a key: Authorization: Bearer <key>");
  const token = bearerToken(authorization);
  const principal = token === undefined ? undefined : await directory.authenticate(token);
  return authenticated(principal, "the key");
}

/** The key in an `Authorization` header. */
export function bearerToken(authorization: string | undefined): string | undefined {
  return bearerPattern.exec(authorization ?? "")?.[1];
}

/** The caller that a credential stands for; throws 401 where it stands for nobody any more. */
export function authenticated(principal: Principal | undefined, credential: string): Principal {
  if (principal === undefined || hasExpired(principal)) {
    throw unauthorized(`${credential} is not valid`);
  }
  return principal;
}

/** Throws 403 unless the caller may use a route with this access. */
export function authorize(principal: Principal, access: Access): void {
  if (principal.kind === "operator" || access === "public") return;
  if (access !== "operator" && grantedBy[access].some((scope) => principal.scopes.has(scope))) {
    return;
  }
  const detail =
    access === "operator"
      ? "only operator keys may do this"
      : `the key does not have the scope "${access}"`;
  throw new Problem("scope-missing", detail, {
    members: { scope: access },
    headers: { "www-authenticate": `Bearer error="insufficient_scope", scope="${access}"` },
  });
}

/**
 * The tenant a request acts on: the key's own, which it may also name, or the one an operator
 * names.
 */
export async function resolveTenant(
  directory: Directory,
  principal: Principal,
  name: string | undefined,
): Promise<Tenant> {
  if (principal.kind === "tenant") {
    if (name === undefined || name === principal.tenant.name) return principal.tenant;
    throw unknownTenant(name);
  }
  if (name === undefined) {
    throw new Problem("tenant-required", "an operator key names the tenant, e.g. ?tenant=acme");
  }
  const tenant = await directory.tenantByName(name);
  if (tenant === undefined) throw unknownTenant(name);
  if (tenant.erasing) throw tenantErasing(name);
  return tenant;
}

/**
 * For what outlives the check at its start: throws what a new request of the same caller would be
 * refused with by now.
 */
export async function reauthorize(
  directory: Directory,
  caller: { readonly authorization: string | undefined; readonly tenant: Tenant },
  access: Access,
): Promise<void> {
  const principal = await authenticate(directory, caller.authorization);
  await authorizeAgain(directory, principal, caller.tenant, access);
}

/** The same for a caller that was just identified anew. */
export async function authorizeAgain(
  directory: Directory,
  principal: Principal,
  { name, id }: Tenant,
  access: Access,
): Promise<void> {
  authorize(principal, access);
  const tenant = await resolveTenant(directory, principal, name);
  // Meanwhile the name may have become another tenant's.
  if (tenant.id !== id) throw unknownTenant(name);
}

function hasExpired(principal: Principal): boolean {
  if (principal.kind === "operator" || principal.expiresAt === null) return false;
  return principal.expiresAt <= Date.now();
}

export function unauthorized(detail: string): Problem {
  return new Problem("unauthorized", detail, {
    headers: { "www-authenticate": 'Bearer realm="tidegate"' },
  });
}

/** For whoever comes to a tenant by another way than its name. */
export function tenantErasing(name: string): Problem {
  return new Problem("tenant-erasing", `the tenant "${name}" is being erased`);
}

function unknownTenant(name: string): Problem {
  return new Problem("unknown-tenant", `there is no tenant "${name}"`);
}
