/**
 * What keeps the log's tables in shape: partitions for the days to come, no more group records than
 * anybody can still ask for, and no day older than it is to be kept. And what notices that the
 * database is another one, when a standby was promoted under processes that run.
 */
import type { Sql } from "../db/database.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Chore } from "./housekeeping.ts";
import { createPartitions } from "./partitions.ts";
import { createRetention } from "./retention.ts";
import { noteDatabase } from "./settings.ts";

/** Partitions reach a week ahead, so this may fail for days. */
const partitionsEveryMs = 3_600_000;

const groupsEveryMs = 60_000;

/** One row, read and locked for a moment. Whoever starts looks at once. */
const identityEveryMs = 10_000;

/** Longer than an append looks for its outcome and a recheck looks back. */
const groupsKept = "15 minutes";

/** Rows per statement, so that it holds no locks for long. */
const groupsMaxRows = 10_000;

export function createLogChores(options: {
  /** Of its own, see `createRetention`. */
  sql: Sql;
  log: Logger;
  retentionDays: number;
}): Chore[] {
  const { sql, log } = options;
  return [
    { name: "identity", everyMs: identityEveryMs, run: lookAtDatabase },
    { name: "partitions", everyMs: partitionsEveryMs, run: makePartitions },
    { name: "groups", everyMs: groupsEveryMs, run: pruneGroups },
    createRetention(options),
  ];

  async function lookAtDatabase(): Promise<"done"> {
    await noteDatabase(sql, log);
    return "done";
  }

  async function makePartitions(): Promise<"done"> {
    await createPartitions(sql);
    return "done";
  }

  async function pruneGroups(): Promise<"done" | "more"> {
    const { count } = await sql`
      delete from append_groups where id in (
        select id from append_groups where at < clock_timestamp() - ${groupsKept}::interval
        limit ${groupsMaxRows} for update skip locked)`;
    return count === groupsMaxRows ? "more" : "done";
  }
}
