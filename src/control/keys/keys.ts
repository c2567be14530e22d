/**
 * Keys as they are kept: only their hash. A key is shown once, by the answer that creates it.
 *
 * An operator key belongs to no tenant, and its one scope is `operator`. The word has to be sent,
 * so that an operator who forgets to name the tenant gets an error and not a key to everything.
 */
import { hash, randomBytes } from "node:crypto";
import { and, asc, eq, gt, isNull, ne, sql as template } from "drizzle-orm";
import type { Orm } from "../../db/database.ts";
import { keys, tenants } from "../../db/schema.ts";
import type { Scope } from "../../http/auth.ts";
import type { TenantId } from "../../log/event.ts";
import { timeOrderedUuid } from "../../db/ids.ts";
import { keyAfter, toPage, type ListPage, type ListQuery } from "../pages.ts";
import { lockTenant } from "../tenants/lock.ts";

export type NewKey = {
  /** Null for an operator key. */
  readonly tenant: TenantId | null;
  readonly scopes: readonly (Scope | typeof operatorScope)[];
  readonly description: string | null;
  readonly expiresAt: Date | null;
};

export type KeyRow = Omit<typeof keys.$inferSelect, "hash" | "maker">;

export const operatorScope = "operator";

/** Nobody guesses 192 bits. */
export const keyBytes = 24;

/** One row for the configured key, so that changing the configuration revokes the old one. */
const configuredId = "key_configured";

export const keyIdForm = /^key_(configured|[0-9a-f]{32})$/;

const shown = {
  id: keys.id,
  tenant: keys.tenant,
  scopes: keys.scopes,
  description: keys.description,
  createdAt: keys.createdAt,
  expiresAt: keys.expiresAt,
};

/** Tokens of portal links are no keys to whoever manages keys: their makers are. */
const isManaged = isNull(keys.maker);

export function createKeyStore(orm: Orm) {
  return { create, list, remove };

  /** Throws when its tenant is being erased, or gone. */
  async function create(wanted: NewKey): Promise<{ key: string; row: KeyRow }> {
    // The prefix tells people, and scanners for leaked secrets, what they have found.
    const prefix = wanted.tenant === null ? "tg_op_" : "tg_tn_";
    const key = prefix + randomBytes(keyBytes).toString("base64url");
    const id = newKeyId();
    const scopes = [...new Set(wanted.scopes)];
    const values = { ...wanted, id, scopes, hash: hashKey(key) };
    return orm.transaction(async (transaction) => {
      if (wanted.tenant !== null) await lockTenant(transaction, wanted.tenant);
      const [row] = await transaction.insert(keys).values(values).returning(shown);
      if (row === undefined) throw new Error("an insert returned no row");
      return { key, row };
    });
  }

  /** The tenant's keys, or the operators' for null; the oldest first. */
  async function list(tenant: TenantId | null, query: ListQuery): Promise<ListPage<KeyRow>> {
    const after = keyAfter(query, keyIdForm);
    const owned = tenant === null ? isNull(keys.tenant) : eq(keys.tenant, tenant);
    const rows = await orm
      .select(shown)
      .from(keys)
      .where(and(owned, isManaged, after === undefined ? undefined : gt(keys.id, after)))
      .orderBy(asc(keys.id))
      .limit(query.limit + 1);
    return toPage(rows, query, ({ id }) => id);
  }

  /** Of any owner when no tenant is given. Undefined when there is no such key. */
  async function remove(
    id: string,
    tenant: TenantId | undefined,
  ): Promise<{ tenant: TenantId | null; shard: number } | undefined> {
    // Of another form there is none, and not every text is one that Postgres takes.
    if (!keyIdForm.test(id)) return undefined;
    const owned = tenant === undefined ? undefined : eq(keys.tenant, tenant);
    const [removed] = await orm
      .delete(keys)
      .where(and(eq(keys.id, id), owned, isManaged))
      .returning({
        tenant: template<TenantId | null>`${keys.tenant}`,
        shard: template<number>`coalesce(
          (select ${tenants.shard} from ${tenants} where ${tenants.id} = ${keys.tenant}), 0)`,
      });
    return removed;
  }
}

export function newKeyId(): string {
  return `key_${timeOrderedUuid(Date.now()).replaceAll("-", "")}`;
}

export function hashKey(key: string): Buffer {
  return hash("sha256", key, "buffer");
}

/** The same in hexadecimal digits. Not of the Buffer, which takes five times as long to make. */
export function hashKeyHex(key: string): string {
  return hash("sha256", key, "hex");
}

/** Makes the configured operator key valid. Can be repeated, and done by many processes at once. */
export async function ensureOperatorKey(orm: Orm, key: string): Promise<void> {
  const values = { id: configuredId, hash: hashKey(key), scopes: [operatorScope] };
  await orm.transaction(async (transaction) => {
    // An operator key that was made by a request may be configured later: it is the same key.
    const asMade = and(eq(keys.hash, values.hash), ne(keys.id, configuredId), isNull(keys.tenant));
    await transaction.delete(keys).where(asMade);
    await transaction
      .insert(keys)
      .values({ ...values, description: "The configured operator key" })
      .onConflictDoUpdate({ target: keys.id, set: { hash: values.hash } });
  });
}
