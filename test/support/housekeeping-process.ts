/**
 * A process that offers to keep house on the database given as argument: its chore leaves a row in
 * `turns` when it begins, and fills in the end of it a moment later. Its warnings go to stderr. On
 * SIGTERM it stops in order.
 */
import { setTimeout as delay } from "node:timers/promises";
import { openDatabase } from "../../src/db/database.ts";
import { startHousekeeping } from "../../src/log/housekeeping.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

const [url = ""] = process.argv.slice(2);

/** Long enough that two who kept house at once would overlap. */
const turnMs = 20;

const database = openDatabase(url, { connections: 2, name: "test housekeeping" });
const { sql } = database;
const housekeeping = startHousekeeping({
  sql,
  log: createLogger({ level: "warn" }),
  chores: [{ name: "turn", everyMs: 50, run }],
});
process.once("SIGTERM", () => void stop());

async function run({ isHeld }: { isHeld(): boolean }): Promise<"done"> {
  const [row] = await sql<[{ id: number }]>`
    insert into turns (process, began_at) values (${process.pid}, clock_timestamp()) returning id`;
  await delay(turnMs);
  if (isHeld()) await sql`update turns set ended_at = clock_timestamp() where id = ${row.id}`;
  return "done";
}

async function stop(): Promise<void> {
  await housekeeping.stop();
  await database.stop();
}
