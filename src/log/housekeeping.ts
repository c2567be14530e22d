/**
 * Keeps the log's tables in shape while the gateway runs: partitions for the days to come, and no
 * more group records than anybody can still ask for. Every process may run it at any time.
 */
import type { Sql } from "../db/database.ts";
import type { Logger } from "../telemetry.ts";
import { createPartitions } from "./partitions.ts";

const everyMs = 60_000;

/** Partitions reach a week ahead, so this may fail for days. */
const partitionsEvery = 60;

/** Longer than an append looks for its outcome and a recheck looks back. */
const groupsKept = "15 minutes";

/** Rows per statement, so that it holds no locks for long. */
const pruneMaxRows = 10_000;

export function startHousekeeping(sql: Sql, log: Logger): { stop(): Promise<void> } {
  let turns = 0;
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    turns += 1;
    running = tidy(turns % partitionsEvery === 0).catch((error: unknown) =>
      log.warn({ err: error }, "housekeeping failed, trying again in a minute"),
    );
  }, everyMs);

  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };

  async function tidy(withPartitions: boolean): Promise<void> {
    if (withPartitions) await createPartitions(sql);
    let removed: number;
    do {
      const result = await sql`
        delete from append_groups where id in (
          select id from append_groups where at < clock_timestamp() - ${groupsKept}::interval
          limit ${pruneMaxRows} for update skip locked)`;
      removed = result.count;
    } while (removed === pruneMaxRows);
  }
}
