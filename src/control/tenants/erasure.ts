/**
 * Erases tenants: all that belongs to one, and nothing else.
 *
 *     active ──► erasing ──► gone
 *
 * It begins at one moment, with a transaction that takes what is needed to use the tenant: its
 * keys are deleted, its log has ended (no append finds it), its consumers have no positions (no
 * outcome is recorded any more), and whoever adds to a tenant finds it locked or erasing. From then
 * on nothing new comes, so rows can be deleted at leisure, and a step that was done stays done.
 *
 * The rows go in transactions of their own, each small and each counting what it deleted, so what
 * is told of an erasure is exact after any crash, and whoever keeps house next goes on from what is
 * left. Retention may take days meanwhile: then fewer events are erased than there were.
 *
 * The name is free when the tenant's row goes, as the last. A tenant that is created under it has
 * another internal id, which event ids and cursors carry: those of the erased one find nothing.
 */
import { setTimeout as delay } from "node:timers/promises";
import { and, asc, eq, isNull, sql as template } from "drizzle-orm";
import type { Orm, OrmTransaction } from "../../db/database.ts";
import { endpoints, erasures, keys, tenants } from "../../db/schema.ts";
import {
  eraseAttempts,
  eraseBlockedSubjects,
  eraseConsumers,
  eraseDeliveries,
  eraseHours,
  eraseMinutes,
  eraseReceiptRanges,
  eraseReplays,
  eraseRetries,
  eraserOf,
} from "../../deliveries/erase-outcomes.ts";
import { removePositions } from "../../deliveries/positions.ts";
import {
  endTenantLog,
  eraseAppendKeys,
  eraseEvents,
  firstLogDay,
  removeLogDay,
} from "../../log/erase-log.ts";
import type { TenantId } from "../../log/event.ts";
import type { Chore } from "../../log/housekeeping.ts";
import type { Logger } from "../../telemetry/logger.ts";

/** The name under which housekeeping can be woken for it. */
export const erasureChore = "erasures";

/** When no frame told that one has begun. An installation without any pays one empty look. */
const everyMs = 1_000;

/** About 30 ms of deleting, and less of locks that somebody else could want. */
const batchRows = 5_000;

/** More wait until some of these are done. */
const atOnceMax = 100;

/**
 * Longer than any process takes the name for the tenant that had it (directory.ts), should it not
 * have heard of the erasure.
 */
const nameHeldMs = 5_000;

/** Undefined when there is no such tenant, or one that is being erased already. */
export async function beginErasure(
  orm: Orm,
  name: string,
): Promise<{ tenant: TenantId; shard: number } | undefined> {
  return orm.transaction(async (transaction) => {
    const [begun] = await transaction
      .update(tenants)
      .set({ erasingSince: template`clock_timestamp()` })
      .where(and(eq(tenants.name, name), isNull(tenants.erasingSince)))
      .returning({ id: tenants.id, shard: tenants.shard });
    if (begun === undefined) return undefined;
    const tenant = begun.id as TenantId;
    const { count: keyRows } = await transaction.delete(keys).where(eq(keys.tenant, tenant));
    const { events } = await endTenantLog(transaction, tenant);
    const positionRows = await removePositions(transaction, tenant);
    await transaction
      .insert(erasures)
      .values({ tenant, eventsTotal: events, rowsErased: keyRows + positionRows });
    return { tenant, shard: begun.shard };
  });
}

/** Takes one step of each erasure that is under way, and tells whether there are more to take. */
export function createErasureChore({ orm, log }: { orm: Orm; log: Logger }): Chore {
  return { name: erasureChore, everyMs, run };

  async function run({ isHeld }: { isHeld(): boolean }): Promise<"done" | "more"> {
    const underWay = await orm
      .select({ tenant: erasures.tenant })
      .from(erasures)
      .innerJoin(tenants, eq(tenants.id, erasures.tenant))
      .orderBy(asc(tenants.erasingSince))
      .limit(atOnceMax);
    let isMore = false;
    for (const { tenant } of underWay) {
      if (!isHeld()) return "done";
      const startedAt = performance.now();
      if (
        (await orm.transaction((transaction) => step(transaction, tenant as TenantId))) === "more"
      ) {
        isMore = true;
        // As long a rest as the work took: the database is there for others.
        await delay(performance.now() - startedAt);
      }
    }
    return isMore ? "more" : "done";
  }

  async function step(transaction: OrmTransaction, tenant: TenantId): Promise<"done" | "more"> {
    // A housekeeper that has lost its lease without knowing may be at it still.
    const [own] = await transaction
      .select()
      .from(erasures)
      .where(eq(erasures.tenant, tenant))
      .for("update", { skipLocked: true });
    if (own === undefined) return "done";
    await goByIndex(transaction);
    const erased = await eraseRows(transaction, tenant);
    const eventsErased = own.eventsErased + erased.events;
    const rowsErased = own.rowsErased + erased.others;
    await transaction
      .update(erasures)
      .set({ eventsErased, rowsErased })
      .where(eq(erasures.tenant, tenant));
    if (erased.isMore) return "more";
    const removed = await remove(transaction, tenant);
    if (removed !== undefined) {
      const line = { ...removed, tenantId: tenant, outcome: "erased", err: null };
      log.info({ ...line, events: eventsErased, rows: rowsErased }, "erasure");
    }
    return "done";
  }
}

/**
 * For this transaction: whatever the planner believes of a partition that it has no statistics of,
 * it reads no more rows than are to be deleted.
 */
async function goByIndex(transaction: OrmTransaction): Promise<void> {
  await transaction.execute(template`
    select set_config(name, 'off', true)
    from unnest(array['enable_seqscan', 'enable_bitmapscan', 'enable_sort']) as name`);
}

type Erased = {
  readonly events: number;
  readonly others: number;
  readonly isMore: boolean;
};

const keptByDay = [eraseAppendKeys, eraseDeliveries, eraseAttempts];
const eraseTickets = eraserOf("tickets");
const keptTogether = [
  ...[eraseMinutes, eraseHours],
  ...[eraseRetries, eraseBlockedSubjects, eraseReceiptRanges, eraseReplays, eraseConsumers],
  ...[eraseEndpoints, eraseTickets],
];

/** Up to a batch of what is left. */
async function eraseRows(transaction: OrmTransaction, tenant: TenantId): Promise<Erased> {
  let events = 0;
  let others = 0;
  const left = () => batchRows - events - others;

  for (;;) {
    const day = await firstLogDay(transaction, tenant);
    if (day === undefined) break;
    events += await eraseEvents(transaction, tenant, day, left());
    for (const erase of keptByDay) {
      if (left() > 0) others += await erase(transaction, tenant, day, left());
    }
    if (left() === 0) return { events, others, isMore: true };
    await removeLogDay(transaction, tenant, day);
    others += 1;
    if (left() === 0) return { events, others, isMore: true };
  }
  for (const erase of keptTogether) {
    if (left() > 0) others += await erase(transaction, tenant, left());
  }
  return { events, others, isMore: left() === 0 };
}

async function eraseEndpoints(
  transaction: OrmTransaction,
  tenant: TenantId,
  most: number,
): Promise<number> {
  const some = transaction
    .select({ id: endpoints.id })
    .from(endpoints)
    .where(eq(endpoints.tenant, tenant))
    .orderBy(asc(endpoints.id))
    .limit(most);
  const { count } = await transaction
    .delete(endpoints)
    .where(and(eq(endpoints.tenant, tenant), template`${endpoints.id} = any(array(${some}))`));
  return count;
}

/** The tenant and its erasure at once: who sees the one sees the other. */
async function remove(
  transaction: OrmTransaction,
  tenant: TenantId,
): Promise<{ tenant: string; durationMs: number } | undefined> {
  const heldUntil = template`${tenants.erasingSince} + ${nameHeldMs} * interval '1 ms'`;
  const [removed] = await transaction
    .delete(tenants)
    .where(and(eq(tenants.id, tenant), template`${heldUntil} <= clock_timestamp()`))
    .returning({
      tenant: tenants.name,
      durationMs: template<number>`round(
        extract(epoch from clock_timestamp() - ${tenants.erasingSince}) * 1000)::float8`,
    });
  if (removed === undefined) return undefined;
  await transaction.delete(erasures).where(eq(erasures.tenant, tenant));
  return removed;
}
