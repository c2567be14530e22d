/**
 * Who a key belongs to, and which tenant a name means, from memory whenever it can be. A key that
 * another process has revoked is refused within two seconds; what this process or a `changed`
 * frame tells of takes effect at once.
 *
 * Keys are looked up by their hash, so how long an answer takes says nothing about any key.
 */
import { and, between, eq, inArray, isNotNull, isNull, or } from "drizzle-orm";
import { sql as template } from "drizzle-orm";
import { alias } from "drizzle-orm/pg-core";
import { arrayText, type Orm } from "../db/database.ts";
import { keys, tenants } from "../db/schema.ts";
import type { ChangedFrame } from "../fanout/fanout.ts";
import type { Directory, Principal, Scope, Tenant } from "../http/auth.ts";
import type { TenantId } from "../log/event.ts";
import { hashKeyHex } from "./keys/keys.ts";
import { createLookup } from "./lookup.ts";

/** What other processes, and this one's memory, have to hear of after its commit. */
export type Change = Omit<ChangedFrame, "kind">;

export type ControlDirectory = Directory & {
  /** Whom the key with this SHA-256 belongs to, in hexadecimal digits. */
  principalOf(hash: string): Promise<Principal | undefined>;
  forget(what: Change["what"]): void;
  /** The tenant whose internal id starts with these 16 hexadecimal digits. */
  tenantByPrefix(prefix: string): Promise<Tenant | undefined>;
};

/**
 * Below the 5 s in which a revoked key has to be refused everywhere, with time for a slow answer;
 * and below the time for which an erased tenant's name is held back (tenants/erasure.ts).
 */
const ttlMs = 2_000;

/** Of tenants. One name that Postgres does not take (a NUL) would fail all that are asked with it. */
const nameForm = /^[\w.-]{1,128}$/;

/** What portal links were made by. */
const makers = alias(keys, "makers");

type KnownKey = { readonly principal: Principal; readonly expiresAt: number };

export function createDirectory({ orm }: { orm: Orm }): ControlDirectory {
  const keysByHash = createLookup({ load: loadKeys, ttlMs, rememberMissing: true });
  // That a tenant is missing or on its way out is never remembered: once the PUT of its name was
  // answered, every process must know it. Only operators ask by name, so nobody can make this
  // expensive.
  const lasting = {
    ttlMs,
    rememberMissing: false,
    mayRemember: ({ erasing }: Tenant) => !erasing,
  };
  const tenantsByName = createLookup({ load: loadTenants, ...lasting });
  const tenantsByPrefix = createLookup({ load: loadByPrefix, ...lasting });

  return {
    authenticate: (token) => principalOf(hashKeyHex(token)),
    principalOf,
    tenantByName,
    tenantByPrefix: tenantsByPrefix.get,
    forget,
  };

  /** Not `async`, since every append asks: a promise for a promise takes three turns more. */
  function tenantByName(name: string): Promise<Tenant | undefined> {
    return nameForm.test(name) ? tenantsByName.get(name) : Promise.resolve(undefined);
  }

  async function principalOf(hash: string): Promise<Principal | undefined> {
    const known = await keysByHash.get(hash);
    return known !== undefined && known.expiresAt > Date.now() ? known.principal : undefined;
  }

  function forget(what: Change["what"]): void {
    if (what === "tenants") {
      tenantsByName.forget();
      tenantsByPrefix.forget();
    }
    // A key's principal carries its tenant.
    if (what === "tenants" || what === "keys") keysByHash.forget();
  }

  async function loadKeys(hashes: readonly string[]): Promise<Map<string, KnownKey>> {
    const bytes = arrayText(hashes.map((hash) => `\\x${hash}`));
    const rows = await orm
      .select({ key: keys, tenant: tenants })
      .from(keys)
      .leftJoin(tenants, eq(tenants.id, keys.tenant))
      .leftJoin(makers, eq(makers.hash, keys.maker))
      .where(
        and(
          template`${keys.hash} = any(${bytes}::bytea[])`,
          or(isNull(keys.maker), isNotNull(makers.hash)),
        ),
      );
    return new Map(
      rows.flatMap(({ key, tenant }) => {
        const principal = toPrincipal(key, tenant);
        if (principal === undefined) return [];
        const expiresAt = key.expiresAt?.getTime() ?? Infinity;
        return [[key.hash.toString("hex"), { principal, expiresAt }]];
      }),
    );
  }

  async function loadTenants(names: readonly string[]): Promise<Map<string, Tenant>> {
    const rows = await orm
      .select()
      .from(tenants)
      .where(inArray(tenants.name, [...names]));
    return new Map(rows.map((row) => [row.name, toTenant(row)]));
  }

  async function loadByPrefix(prefixes: readonly string[]): Promise<Map<string, Tenant>> {
    // A range of uuids each, so that the primary key finds them.
    const ranges = prefixes.map((prefix) =>
      between(tenants.id, toUuid(prefix.padEnd(32, "0")), toUuid(prefix.padEnd(32, "f"))),
    );
    const rows = await orm
      .select()
      .from(tenants)
      .where(or(...ranges));
    return new Map(rows.map((row) => [row.id.replaceAll("-", "").slice(0, 16), toTenant(row)]));
  }
}

function toUuid(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Undefined for a key whose tenant is gone. */
function toPrincipal(
  key: typeof keys.$inferSelect,
  tenant: typeof tenants.$inferSelect | null,
): Principal | undefined {
  const keyId = key.id;
  if (key.tenant === null) return { kind: "operator", keyId };
  if (tenant === null) return undefined;
  return {
    kind: "tenant",
    keyId,
    tenant: toTenant(tenant),
    scopes: new Set(key.scopes as Scope[]),
    expiresAt: key.expiresAt?.getTime() ?? null,
  };
}

/** A tenant as requests know it. */
export function toTenant(row: typeof tenants.$inferSelect): Tenant {
  const { id, name, shard, appendsPerSecond, readsPerSecond, pushesPerSecond } = row;
  const limits = { appendsPerSecond, readsPerSecond, pushesPerSecond, endpoints: row.endpointsMax };
  return { id: id as TenantId, name, shard, limits, erasing: row.erasingSince !== null };
}
