/**
 * Tenants as they are kept. A tenant has a log from its first moment on; one that is being erased
 * is shown until it is gone, and changed no more.
 */
import { randomUUID } from "node:crypto";
import { and, asc, eq, gt, isNull } from "drizzle-orm";
import type { Orm } from "../../db/database.ts";
import { erasures, tenants } from "../../db/schema.ts";
import { tenantErasing, type Tenant, type TenantLimits } from "../../http/auth.ts";
import type { TenantId } from "../../log/event.ts";
import { createTenantLog } from "../../log/new-log.ts";
import { keyAfter, toPage, type ListPage, type ListQuery } from "../pages.ts";

type TenantRow = typeof tenants.$inferSelect;

/** The erasure is null as long as nobody has asked for it. */
export type TenantView = {
  readonly row: TenantRow;
  readonly erasure: typeof erasures.$inferSelect | null;
};

export type TenantSettings = {
  readonly displayName: string | null;
  readonly limits: TenantLimits;
  /** Left as they are where they are not given: the tenant may have chosen them itself. */
  readonly operationalEvents?: readonly string[] | undefined;
};

type TenantPatch = Partial<Omit<TenantSettings, "limits">> & {
  readonly limits?: Partial<TenantLimits> | undefined;
};

const nameForm = /^[a-zA-Z0-9_.-]{1,128}$/;

/** `shards` is what the database was set up with; a tenant stays in its shard for ever. */
export function createTenantStore({ orm, shards }: { orm: Orm; shards: number }) {
  return { put, patch, find, list, operationalEvents, askOperationalEvents };

  /** Throws when a tenant of this name is being erased. */
  async function put(
    name: string,
    settings: TenantSettings,
  ): Promise<{ created: boolean; row: TenantRow }> {
    const id = randomUUID() as TenantId;
    const { displayName, limits, operationalEvents: asked } = settings;
    const columns = { displayName, ...toColumns(limits), ...toAsked(asked) };
    return orm.transaction(async (transaction) => {
      // Of two at once, the second waits for the first's commit and then changes its tenant.
      const [row] = await transaction
        .insert(tenants)
        .values({ id, name, shard: shardOf(id, shards), ...columns })
        .onConflictDoUpdate({
          target: tenants.name,
          set: columns,
          setWhere: isNull(tenants.erasingSince),
        })
        .returning();
      if (row === undefined) throw tenantErasing(name);
      const created = row.id === id;
      if (created) await createTenantLog(transaction, id);
      return { created, row };
    });
  }

  /** Changes what is given; throws when the tenant is being erased. */
  async function patch(
    name: string,
    { displayName, limits = {}, operationalEvents: asked }: TenantPatch,
  ): Promise<TenantRow | undefined> {
    const named = displayName !== undefined && { displayName };
    const changes = { ...named, ...toColumns(limits), ...toAsked(asked) };
    const [row] = await orm
      .update(tenants)
      // The name stays: an update that sets nothing is none.
      .set({ name, ...changes })
      .where(and(eq(tenants.name, name), isNull(tenants.erasingSince)))
      .returning();
    if (row === undefined && (await find(name)) !== undefined) throw tenantErasing(name);
    return row;
  }

  /** Which its log gets, as a type filter. */
  async function operationalEvents({ id }: Pick<Tenant, "id">): Promise<readonly string[]> {
    const [row] = await orm
      .select({ types: tenants.operationalEvents })
      .from(tenants)
      .where(eq(tenants.id, id));
    return row?.types ?? [];
  }

  /** Throws when the tenant is being erased. */
  async function askOperationalEvents(
    { id, name }: Pick<Tenant, "id" | "name">,
    types: readonly string[],
  ): Promise<void> {
    const asked = await orm
      .update(tenants)
      .set(toAsked(types))
      .where(and(eq(tenants.id, id), isNull(tenants.erasingSince)))
      .returning({ id: tenants.id });
    if (asked.length === 0) throw tenantErasing(name);
  }

  async function find(name: string): Promise<TenantView | undefined> {
    const [view] = await views().where(eq(tenants.name, name));
    return view;
  }

  async function list(query: ListQuery): Promise<ListPage<TenantView>> {
    const after = keyAfter(query, nameForm);
    const rows = await views()
      .where(after === undefined ? undefined : gt(tenants.name, after))
      .orderBy(asc(tenants.name))
      .limit(query.limit + 1);
    return toPage(rows, query, ({ row }) => row.name);
  }

  function views() {
    return orm
      .select({ row: tenants, erasure: erasures })
      .from(tenants)
      .leftJoin(erasures, eq(erasures.tenant, tenants.id));
  }
}

/** What is undefined is left as it is. */
function toColumns({ endpoints, ...rates }: Partial<TenantLimits>) {
  return { ...rates, ...(endpoints !== undefined && { endpointsMax: endpoints }) };
}

function toAsked(types: readonly string[] | undefined) {
  return types === undefined ? {} : { operationalEvents: [...types] };
}

/** The id is random (version 4), so its first 32 bits spread as evenly as any hash of it. */
export function shardOf(tenant: TenantId, shards: number): number {
  return Number.parseInt(tenant.slice(0, 8), 16) % shards;
}
