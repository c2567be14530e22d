/** What is fixed when a database is first used, and must be the same for every process on it. */
import type { Sql } from "../db/database.ts";

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
