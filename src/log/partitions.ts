/**
 * The tables that grow are partitioned by day. A partition stands ready for every day that an
 * append may fall on; an append that finds none all the same (a clock that jumped, a process that
 * slept for a week) makes it and goes on. Partitions go without anybody waiting for it: they are
 * detached beside all that uses the table, and dropped when nothing does any more.
 */
import type { Sql } from "../db/database.ts";

export const partitionedTables = [
  "events",
  "deliveries",
  "attempts",
  "append_keys",
  "delivery_minutes",
  "delivery_hours",
] as const;

type PartitionedTable = (typeof partitionedTables)[number];

export type Partition = {
  readonly table: PartitionedTable;
  readonly name: string;
  /** `20261123`, as in its name. */
  readonly day: string;
  /** `detaching`: it was begun, and whoever began it did not finish. */
  readonly state: "attached" | "detaching" | "detached";
};

/** Days made ahead, so that a week without housekeeping stops nothing. */
const daysAhead = 7;

/**
 * Makes the partitions of yesterday (a clock may step back) to a week ahead of the database's
 * clock, but none that retention has taken: were the clock behind that, appends fall on the oldest
 * day that may be read.
 */
export async function createPartitions(sql: Sql): Promise<{ made: number }> {
  const [row] = await sql<[{ made: number }]>`
    select create_partitions(greatest(today - 1, oldest), greatest(today, oldest) + ${daysAhead}::int)
      as made
    from (select (clock_timestamp() at time zone 'UTC')::date as today,
            (select oldest_day from log_settings) as oldest) as days`;
  return row;
}

/** Those that are there, oldest first, also what a detach has left behind. */
export async function listPartitions(sql: Sql): Promise<Partition[]> {
  return sql<Partition[]>`
    select t.name as table, c.relname as name, right(c.relname, 8) as day,
      case when i.inhrelid is null then 'detached'
           when i.inhdetachpending then 'detaching'
           else 'attached' end as state
    from unnest(${`{${partitionedTables.join(",")}}`}::text[]) as t(name)
      join pg_class parent on parent.oid = t.name::regclass
      join pg_class c on c.relnamespace = parent.relnamespace and c.relkind = 'r'
        and c.relname ~ ('^' || t.name || '_[0-9]{8}$')
      left join pg_inherits i on i.inhrelid = c.oid
    order by day, t.name`;
}

/**
 * Takes the partition out of its table. Statements that use the table go on; this waits for those
 * that began before, as long as the lock time-out allows. Given up or cut off, it stays half done.
 */
export async function detachPartition(sql: Sql, { table, name }: Partition): Promise<void> {
  await sql.unsafe(`alter table ${table} detach partition ${name} concurrently`);
}

/** Finishes a detach that was cut off. Only one partition of a table can be in that state. */
export async function finishDetach(sql: Sql, { table, name }: Partition): Promise<void> {
  await sql.unsafe(`alter table ${table} detach partition ${name} finalize`);
}

/** Of a partition that is detached: its lock is then one that nobody else asks for. */
export async function dropPartition(sql: Sql, { name }: Partition): Promise<void> {
  await sql.unsafe(`drop table if exists ${name}`);
}
