/**
 * What holds for a whole database: what is fixed when it is first used, and must be the same for
 * every process on it, and whether it was restored from a backup since.
 */
import type { Sql } from "../db/database.ts";
import type { Logger } from "../telemetry/logger.ts";

/**
 * The number of shards that this database was set up with. The first process decides it: a
 * tenant's shard is stored with the tenant, so a later change would split a tenant's frames.
 */
export async function fixShards(sql: Sql, wanted: number): Promise<number> {
  await sql`insert into log_settings (shards) values (${wanted}) on conflict do nothing`;
  const [row] = await sql<{ shards: number }[]>`select shards from log_settings`;
  if (row === undefined) throw new Error("log_settings has no row");
  return row.shards;
}

/**
 * Notes which database this is, and says so when it is another one than before: then the log may
 * come out of a backup, and a cursor that is beyond its end was handed out after that. (After a
 * failover that lost nothing there are no such cursors.) What is marked here stays so for good,
 * since they may come back after years.
 */
export async function noteDatabase(sql: Sql, log: Logger): Promise<void> {
  const [row] = await sql<{ restored: boolean }[]>`select note_database() as restored`;
  if (row?.restored !== true) return;
  log.warn(
    "the database is another one than before (restored, or a standby that was promoted): cursors of " +
      "what it does not hold get feed-reset",
  );
}

/** Asked anew each time: another process may have found it, and an operator may have said it. */
export async function wasRestored(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ restored: boolean }[]>`
    select restored_at is not null as restored from log_settings`;
  return row?.restored === true;
}
