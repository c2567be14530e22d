/** Tenants as they are kept. A tenant has a log from its first moment on. */
import { randomUUID } from "node:crypto";
import { asc, eq, gt } from "drizzle-orm";
import type { Orm } from "../../db/database.ts";
import { tenants } from "../../db/schema.ts";
import type { TenantId } from "../../log/event.ts";
import { createTenantLog } from "../../log/new-log.ts";
import { keyAfter, toPage, type ListPage, type ListQuery } from "../pages.ts";

export type TenantRow = typeof tenants.$inferSelect;

const nameForm = /^[a-zA-Z0-9_.-]{1,128}$/;

/** `shards` is what the database was set up with; a tenant stays in its shard for ever. */
export function createTenantStore({ orm, shards }: { orm: Orm; shards: number }) {
  return { put, rename, find, list };

  async function put(
    name: string,
    displayName: string | null,
  ): Promise<{ created: boolean; tenant: TenantRow }> {
    const id = randomUUID() as TenantId;
    return orm.transaction(async (transaction) => {
      // Of two at once, the second waits for the first's commit and then changes its tenant.
      const [tenant] = await transaction
        .insert(tenants)
        .values({ id, name, displayName, shard: shardOf(id, shards) })
        .onConflictDoUpdate({ target: tenants.name, set: { displayName } })
        .returning();
      if (tenant === undefined) throw new Error("an upsert returned no row");
      const created = tenant.id === id;
      if (created) await createTenantLog(transaction, id);
      return { created, tenant };
    });
  }

  async function rename(name: string, displayName: string | null): Promise<TenantRow | undefined> {
    const named = eq(tenants.name, name);
    const [tenant] = await orm.update(tenants).set({ displayName }).where(named).returning();
    return tenant;
  }

  async function find(name: string): Promise<TenantRow | undefined> {
    const [tenant] = await orm.select().from(tenants).where(eq(tenants.name, name));
    return tenant;
  }

  async function list(query: ListQuery): Promise<ListPage<TenantRow>> {
    const after = keyAfter(query, nameForm);
    const rows = await orm
      .select()
      .from(tenants)
      .where(after === undefined ? undefined : gt(tenants.name, after))
      .orderBy(asc(tenants.name))
      .limit(query.limit + 1);
    return toPage(rows, query, ({ name }) => name);
  }
}

/** The id is random (version 4), so its first 32 bits spread as evenly as any hash of it. */
export function shardOf(tenant: TenantId, shards: number): number {
  return Number.parseInt(tenant.slice(0, 8), 16) % shards;
}
