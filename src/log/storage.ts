/**
 * What the tables that grow take on disk. Sizes are the file system's; numbers of rows are what the
 * server's statistics estimate, which counts as it goes and does not survive its crash.
 */
import type { ReadSql } from "../db/read-within.ts";
import type { Day } from "./event.ts";
import { partitionedTables } from "./partitions.ts";

export type TableStorage = {
  readonly table: string;
  readonly partitions: number;
  /** With indexes and what is stored out of line. */
  readonly bytes: number;
  readonly rowsEstimate: number;
};

export type Storage = {
  /** Of the database as a whole. */
  readonly bytes: number;
  readonly tables: readonly TableStorage[];
  /** Of the log, of what may be read; null when it is empty. */
  readonly oldestDay: Day | null;
  /** Failed deliveries that are tried again. */
  readonly retriesEstimate: number;
};

export async function readStorage(sql: ReadSql): Promise<Storage> {
  const [row] = await sql<[Omit<Storage, "tables">]>`
    select pg_database_size(current_database()) as bytes,
      greatest(pg_stat_get_live_tuples(c.oid), c.reltuples, 0)::bigint as "retriesEstimate",
      (select min(day)::text from log_days
        where day >= (select oldest_day from log_settings)) as "oldestDay"
    from pg_class c where c.oid = 'retries'::regclass`;
  const tables = await sql<TableStorage[]>`
    select t.name as table, count(c.oid)::int as partitions,
      -- Of one that retention has just dropped there is no size.
      coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint as bytes,
      coalesce(sum(greatest(pg_stat_get_live_tuples(c.oid), c.reltuples, 0)), 0)::bigint
        as "rowsEstimate"
    from unnest(${`{${partitionedTables.join(",")}}`}::text[]) with ordinality as t(name, place)
      left join pg_inherits i on i.inhparent = t.name::regclass
      left join pg_class c on c.oid = i.inhrelid
    group by t.name, t.place order by t.place`;
  return { ...row, tables };
}
