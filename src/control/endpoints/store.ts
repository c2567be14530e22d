/**
 * Endpoints as they are kept. An endpoint is its settings here and its position in `deliveries/`;
 * both are made, changed and removed in one transaction, so that whoever delivers never sees the
 * one without the other.
 */
import { isDeepStrictEqual } from "node:util";
import { and, asc, count, eq, gt, sql as template } from "drizzle-orm";
import type { Database, Orm, OrmTransaction } from "../../db/database.ts";
import { endpoints, tenants } from "../../db/schema.ts";
import {
  endpointName,
  endpointUuid,
  openHeaders,
  openSecrets,
  sealHeaders,
  sealSecrets,
  type EndpointSecret,
} from "../../deliveries/endpoint.ts";
import { removeOwed } from "../../deliveries/owed.ts";
import {
  beginAnew,
  bumpGeneration,
  createPosition,
  movePosition,
  removePosition,
  viewPositions,
  type Moved,
  type PositionView,
} from "../../deliveries/positions.ts";
import type { SignatureVersion } from "../../deliveries/secrets.ts";
import type { Tenant } from "../../http/auth.ts";
import type { KeyRing } from "../../keyring.ts";
import type { Position, Sequence, TenantId } from "../../log/event.ts";
import type { Filter } from "../../log/filter.ts";
import { Problem } from "../../problem.ts";
import { toTenant } from "../directory.ts";
import { timeOrderedUuid } from "../../db/ids.ts";
import { keyAfter, toPage, type ListPage, type ListQuery } from "../pages.ts";
import { lockTenant } from "../tenants/lock.ts";
import { changesDelivery, type EndpointSettings } from "./settings.ts";

export type EndpointRow = typeof endpoints.$inferSelect;

export type Endpoint = { readonly tenant: Tenant; readonly row: EndpointRow };

/** Newest first; `signature` is the kind of the newest. */
export type Secrets = {
  readonly secrets: readonly EndpointSecret[];
  readonly signature: SignatureVersion;
};

export type EndpointView = Endpoint & { readonly position: PositionView };

const idForm = /^ep_[0-9a-f]{32}$/;

export type EndpointStore = ReturnType<typeof createEndpointStore>;

export function createEndpointStore({ database, ring }: { database: Database; ring: KeyRing }) {
  const { orm, sql } = database;
  return { create, find, list, change, changeSecrets, move, remove, secretOf, overlapEndOf, view };

  /** Throws when the tenant has as many as it may have. */
  async function create(
    tenant: Tenant,
    settings: EndpointSettings,
    {
      secret,
      signature,
      start,
    }: { secret: string; signature: SignatureVersion; start: Position | "latest" },
  ): Promise<Endpoint> {
    const id = timeOrderedUuid(Date.now());
    const secrets = sealSecrets(ring, id, [{ secret, expiresAt: null }]);
    return orm.transaction(async (transaction) => {
      // Of two at once, the second counts the first's.
      const { endpointsMax } = await lockTenant(transaction, tenant.id);
      if (endpointsMax !== null) await requireRoom(transaction, tenant.id, endpointsMax);
      const values = { tenant: tenant.id, id, secrets, signature, ...toColumns(id, settings) };
      const [row] = await transaction.insert(endpoints).values(values).returning();
      if (row === undefined) throw new Error("an insert returned no row");
      const { shard } = tenant;
      await createPosition(transaction, { tenant: tenant.id, consumer: id, shard, start });
      return { tenant, row };
    });
  }

  /** Of any tenant when none is given. What has not the form of an id is unknown like any other. */
  async function find(id: string, tenant: Tenant | undefined): Promise<Endpoint | undefined> {
    const uuid = endpointUuid(id);
    if (uuid === undefined) return undefined;
    const owned = tenant === undefined ? undefined : eq(endpoints.tenant, tenant.id);
    const [found] = await orm
      .select({ row: endpoints, tenant: tenants })
      .from(endpoints)
      .innerJoin(tenants, eq(tenants.id, endpoints.tenant))
      .where(and(eq(endpoints.id, uuid), owned));
    if (found === undefined) return undefined;
    return { row: found.row, tenant: toTenant(found.tenant) };
  }

  /** The oldest first. */
  async function list(tenant: Tenant, query: ListQuery): Promise<ListPage<EndpointRow>> {
    const after = endpointUuid(keyAfter(query, idForm) ?? "");
    const later = after === undefined ? undefined : gt(endpoints.id, after);
    const rows = await orm
      .select()
      .from(endpoints)
      .where(and(eq(endpoints.tenant, tenant.id), later))
      .orderBy(asc(endpoints.id))
      .limit(query.limit + 1);
    return toPage(rows, query, (row) => endpointName(row.id));
  }

  /**
   * `edit` gets the settings as they are under the lock, so that of two changes at once none is
   * lost. Undefined when the endpoint is gone.
   */
  async function change(
    { tenant, row: { id } }: Endpoint,
    edit: (settings: EndpointSettings) => EndpointSettings,
  ): Promise<Endpoint | undefined> {
    return orm.transaction(async (transaction) => {
      const locked = await lockOwn(transaction, tenant, id);
      if (locked === undefined) return undefined;
      const before = toSettings(locked);
      const after = edit(before);
      if (isDeepStrictEqual(before, after)) return { tenant, row: locked };
      const [row] = await transaction
        .update(endpoints)
        .set({ ...toColumns(id, after), updatedAt: template`now()` })
        .where(isOwn(tenant, id))
        .returning();
      if (row === undefined) throw new Error("a locked row was not updated");
      if (changesDelivery(before, after)) {
        await beginAnew(transaction, { tenant: tenant.id, consumer: id });
      }
      return { tenant, row };
    });
  }

  /**
   * Like `change`. Work in flight becomes void, so that whoever signs reads them anew; an outage
   * goes on, since no secret ends one.
   */
  async function changeSecrets(
    { tenant, row: { id } }: Endpoint,
    edit: (before: Secrets) => Secrets,
  ): Promise<Endpoint | undefined> {
    return orm.transaction(async (transaction) => {
      const locked = await lockOwn(transaction, tenant, id);
      if (locked === undefined) return undefined;
      const before = openSecrets(ring, id, locked.secrets);
      const { secrets, signature } = edit({ secrets: before, signature: locked.signature });
      const sealed = sealSecrets(ring, id, secrets);
      const [row] = await transaction
        .update(endpoints)
        .set({ secrets: sealed, signature, updatedAt: template`now()` })
        .where(isOwn(tenant, id))
        .returning();
      if (row === undefined) throw new Error("a locked row was not updated");
      await bumpGeneration(transaction, { tenant: tenant.id, consumer: id });
      return { tenant, row };
    });
  }

  /**
   * Puts an endpoint elsewhere in the log, with what its filter matched last there; see
   * `movePosition`. Says why not if it was not moved.
   */
  async function move(
    { tenant, row }: Endpoint,
    { to, lastMatched }: { to: Position; lastMatched: Sequence },
  ): Promise<Moved | "gone" | "filter-changed"> {
    return orm.transaction(async (transaction) => {
      const locked = await lockOwn(transaction, tenant, row.id);
      if (locked === undefined) return "gone";
      if (!isDeepStrictEqual(filterOf(locked), filterOf(row))) return "filter-changed";
      const of = { tenant: tenant.id, consumer: row.id };
      return (await movePosition(transaction, { ...of, to, lastMatched })) ?? "gone";
    });
  }

  /** False when it was gone already. */
  async function remove({ tenant, row: { id } }: Endpoint): Promise<boolean> {
    const consumer = { tenant: tenant.id, consumer: id };
    const removed = await orm.transaction(async (transaction) => {
      const rows = await transaction
        .delete(endpoints)
        .where(isOwn(tenant, id))
        .returning({ id: endpoints.id });
      await removePosition(transaction, consumer);
      return rows.length > 0;
    });
    await removeOwed(orm, consumer);
    return removed;
  }

  /** The secret that signs now. */
  function secretOf({ row }: Endpoint): string {
    const [newest] = openSecrets(ring, row.id, row.secrets);
    if (newest === undefined) throw new Error(`endpoint ${row.id} has no secret`);
    return newest.secret;
  }

  /** When the newest secret is the only one that signs; undefined when it is. */
  function overlapEndOf({ row }: Endpoint, now: number): number | undefined {
    const ends = openSecrets(ring, row.id, row.secrets).map(({ expiresAt }) => expiresAt ?? 0);
    const last = Math.max(...ends);
    return last > now ? last : undefined;
  }

  /** With their positions; what was removed in the meantime is left out. */
  async function view(tenant: Tenant, rows: readonly EndpointRow[]): Promise<EndpointView[]> {
    const ids = rows.map(({ id }) => id);
    const positions = await viewPositions(sql, tenant.id, ids);
    return rows.flatMap((row) => {
      const position = positions.get(row.id);
      return position === undefined ? [] : [{ tenant, row, position }];
    });
  }

  function toColumns(id: string, settings: EndpointSettings) {
    const { types, subjects, headers, retryScheduleMs, ...same } = settings;
    return {
      ...same,
      types: types && [...types],
      subjects: subjects && [...subjects],
      retryScheduleMs: retryScheduleMs && [...retryScheduleMs],
      headers: sealHeaders(ring, id, headers),
      headerNames: Object.keys(headers).toSorted(),
    };
  }

  function toSettings(row: EndpointRow): EndpointSettings {
    const { url, types, subjects, description, metadata } = row;
    const { timeoutMs, maxInFlight, retryScheduleMs, format } = row;
    const { ratePerSecond, ordering, giveUpAfterMs, drainDeadLetters } = row;
    const { requireReceipt, receiptTimeoutMs } = row;
    const headers = openHeaders(ring, row.id, row.headers);
    return {
      ...{ url, types, subjects, description, metadata, headers },
      ...{ timeoutMs, maxInFlight, retryScheduleMs, format },
      ...{ ratePerSecond, ordering, giveUpAfterMs, drainDeadLetters },
      ...{ requireReceipt, receiptTimeoutMs },
    };
  }
}

/** As the row is under its lock, which comes before those of its position and its retries. */
async function lockOwn(
  transaction: OrmTransaction,
  tenant: Tenant,
  id: string,
): Promise<EndpointRow | undefined> {
  const own = transaction.select().from(endpoints).where(isOwn(tenant, id));
  const [locked] = await own.for("update");
  return locked;
}

export function filterOf({ types, subjects }: EndpointRow): Filter {
  return { types, subjects };
}

function isOwn(tenant: Tenant, id: string) {
  return and(eq(endpoints.tenant, tenant.id), eq(endpoints.id, id));
}

async function countEndpoints(orm: Pick<Orm, "select">, tenant: TenantId): Promise<number> {
  const [row] = await orm
    .select({ endpoints: count() })
    .from(endpoints)
    .where(eq(endpoints.tenant, tenant));
  return row?.endpoints ?? 0;
}

async function requireRoom(transaction: OrmTransaction, tenant: TenantId, most: number) {
  if ((await countEndpoints(transaction, tenant)) < most) return;
  const detail = `the tenant may have ${most} endpoints and has them; remove one first`;
  throw new Problem("quota-exceeded", detail, { members: { limit: "endpoints", value: most } });
}
