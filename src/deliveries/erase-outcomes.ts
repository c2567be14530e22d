/**
 * Takes away what became of a tenant's deliveries, in steps. Its positions go first (see
 * `removePositions`): without them no outcome is recorded any more, so what is gone stays gone.
 *
 * Each function deletes at most `most` rows, in the manner of `eraseEvents` (erase-log.ts), and
 * returns how many there were; fewer are the last.
 */
import { sql as template } from "drizzle-orm";
import type { OrmTransaction } from "../db/database.ts";
import type { Day, TenantId } from "../log/event.ts";

export async function eraseDeliveries(
  transaction: OrmTransaction,
  tenant: TenantId,
  day: Day,
  most: number,
): Promise<number> {
  const { count } = await transaction.execute(template`
    delete from deliveries
    where tenant = ${tenant} and day = ${day} and (endpoint, day, sequence) <= (
      (select endpoint, day, sequence from deliveries where tenant = ${tenant} and day = ${day}
        order by endpoint, sequence offset ${most - 1} limit 1)
      union all
      (select endpoint, day, sequence from deliveries where tenant = ${tenant} and day = ${day}
        order by endpoint desc, sequence desc limit 1)
      limit 1)`);
  return count;
}

export async function eraseAttempts(
  transaction: OrmTransaction,
  tenant: TenantId,
  day: Day,
  most: number,
): Promise<number> {
  const { count } = await transaction.execute(template`
    delete from attempts
    where tenant = ${tenant} and day = ${day} and (endpoint, day, sequence, attempt) <= (
      (select endpoint, day, sequence, attempt from attempts
        where tenant = ${tenant} and day = ${day}
        order by endpoint, sequence, attempt offset ${most - 1} limit 1)
      union all
      (select endpoint, day, sequence, attempt from attempts
        where tenant = ${tenant} and day = ${day}
        order by endpoint desc, sequence desc, attempt desc limit 1)
      limit 1)`);
  return count;
}

/**
 * Statistics of a tenant, of whatever days: those of attempts, which do not end with its log. In the
 * sums over all tenants its attempts stay, as numbers without a name but that of the event type.
 */
export const eraseMinutes = statisticsEraserOf("delivery_minutes");
export const eraseHours = statisticsEraserOf("delivery_hours");

function statisticsEraserOf(name: string) {
  const table = template.identifier(name);
  return async (transaction: OrmTransaction, tenant: TenantId, most: number): Promise<number> => {
    let erased = 0;
    while (erased < most) {
      const day = await firstDay(transaction, tenant);
      if (day === undefined) break;
      erased += await eraseDay(transaction, tenant, day, most - erased);
    }
    return erased;
  };

  /** A descent for each day that a partition can be there for. */
  async function firstDay(transaction: OrmTransaction, tenant: TenantId) {
    const [row] = await transaction.execute<{ day: Day }>(template`
      select day::text from (
        select to_date(right(relname, 8), 'YYYYMMDD') as day
        from pg_inherits join pg_class on oid = inhrelid where inhparent = ${name}::regclass
      ) as days
      where exists (select from ${table} t where t.tenant = ${tenant} and t.day = days.day)
      order by day limit 1`);
    return row?.day;
  }

  async function eraseDay(
    transaction: OrmTransaction,
    tenant: TenantId,
    day: Day,
    most: number,
  ): Promise<number> {
    const { count } = await transaction.execute(template`
      delete from ${table}
      where tenant = ${tenant} and day = ${day} and (endpoint, day, at, type) <= (
        (select endpoint, day, at, type from ${table} where tenant = ${tenant} and day = ${day}
          order by endpoint, at, type offset ${most - 1} limit 1)
        union all
        (select endpoint, day, at, type from ${table} where tenant = ${tenant} and day = ${day}
          order by endpoint desc, at desc, type desc limit 1)
        limit 1)`);
    return count;
  }
}

/** Of all days. They stand in tables of their own, where a row's place alone names it. */
export const eraseRetries = eraserOf("retries");
export const eraseBlockedSubjects = eraserOf("blocked_subjects");
export const eraseReceiptRanges = eraserOf("receipt_ranges");
export const eraseReplays = eraserOf("replays");
export const eraseConsumers = eraserOf("consumers");

/** Of a small table that has the tenant in an index. */
export function eraserOf(name: string) {
  const table = template.identifier(name);
  return async (transaction: OrmTransaction, tenant: TenantId, most: number): Promise<number> => {
    const { count } = await transaction.execute(template`
      delete from ${table} where ctid = any(array(
        select ctid from ${table} where tenant = ${tenant} limit ${most}))`);
    return count;
  };
}
