/**
 * Keeps a partition ready for every day that an append may fall on. An append that finds none all
 * the same (a clock that jumped, a process that slept for a week) makes it and goes on.
 */
import type { Sql } from "../db/database.ts";

/** Days made ahead, so that a week without housekeeping stops nothing. */
const daysAhead = 7;

/** Makes the partitions of yesterday (a clock may step back) to a week ahead of the database's clock. */
export async function createPartitions(sql: Sql): Promise<{ made: number }> {
  const [row] = await sql<[{ made: number }]>`
    select create_partitions(today - 1, today + ${daysAhead}::int) as made
    from (select (clock_timestamp() at time zone 'UTC')::date as today) as clock`;
  return row;
}
