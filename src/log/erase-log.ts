/**
 * Takes a tenant's log away. It ends at one moment, when its row in `heads` goes: an append either
 * committed before or finds no log. What it held goes afterwards, day by day and in steps, of which
 * each deletes so few rows that nobody else waits for it.
 *
 * Some traces are left to their age: days that retention has let go leave with their partitions;
 * `append_groups` holds the tenant's internal id, which by then means nothing, for a quarter of an
 * hour; the fan-out's stream holds frames for some minutes, which nobody is given any more. The
 * space on disk is Postgres's to reuse, by vacuum.
 */
import { and, asc, eq, sql as template } from "drizzle-orm";
import type { OrmTransaction } from "../db/database.ts";
import { heads, logDays } from "../db/schema.ts";
import type { Day, TenantId } from "./event.ts";

/** Waits for the append that is under way. Returns how many events there are to erase. */
export async function endTenantLog(
  transaction: OrmTransaction,
  tenant: TenantId,
): Promise<{ events: number }> {
  const [ended] = await transaction
    .delete(heads)
    .where(eq(heads.tenant, tenant))
    .returning({ head: heads.head });
  // A second statement on purpose: its snapshot holds what that append committed.
  const [oldest] = await transaction
    .select({ first: logDays.firstSequence })
    .from(logDays)
    .where(eq(logDays.tenant, tenant))
    .orderBy(asc(logDays.day))
    .limit(1);
  if (ended === undefined || oldest === undefined) return { events: 0 };
  return { events: ended.head - oldest.first + 1 };
}

/** The first of the days that still hold something: of all that is kept by an event's day. */
export async function firstLogDay(
  transaction: OrmTransaction,
  tenant: TenantId,
): Promise<Day | undefined> {
  const [row] = await transaction
    .select({ day: logDays.day })
    .from(logDays)
    .where(eq(logDays.tenant, tenant))
    .orderBy(asc(logDays.day))
    .limit(1);
  return row?.day;
}

/** To be called when nothing of the day is left: who comes back then starts with the next. */
export async function removeLogDay(
  transaction: OrmTransaction,
  tenant: TenantId,
  day: Day,
): Promise<void> {
  await transaction.delete(logDays).where(and(eq(logDays.tenant, tenant), eq(logDays.day, day)));
}

/**
 * Deletes the first `most` that are left of a day's events, and returns how many there were; fewer
 * are the last. It goes along the key, up to the last of them or of all. With a list of the rows to
 * delete, a planner without statistics compares every row of the day with the whole list (1.9 s for
 * 5,000 of 20,000 rows, against 50 ms).
 */
export async function eraseEvents(
  transaction: OrmTransaction,
  tenant: TenantId,
  day: Day,
  most: number,
): Promise<number> {
  const { count } = await transaction.execute(template`
    delete from events where tenant = ${tenant} and day = ${day} and sequence <= (
      (select sequence from events where tenant = ${tenant} and day = ${day}
        order by sequence offset ${most - 1} limit 1)
      union all
      (select sequence from events where tenant = ${tenant} and day = ${day}
        order by sequence desc limit 1)
      limit 1)`);
  return count;
}

/** The deduplication keys of a day, like its events. */
export async function eraseAppendKeys(
  transaction: OrmTransaction,
  tenant: TenantId,
  day: Day,
  most: number,
): Promise<number> {
  const { count } = await transaction.execute(template`
    delete from append_keys where tenant = ${tenant} and day = ${day} and key <= (
      (select key from append_keys where tenant = ${tenant} and day = ${day}
        order by key offset ${most - 1} limit 1)
      union all
      (select key from append_keys where tenant = ${tenant} and day = ${day}
        order by key desc limit 1)
      limit 1)`);
  return count;
}
