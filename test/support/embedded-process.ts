/**
 * A process that uses an embedded database like the gateway does: opens it in the directory given
 * as argument, tells the URL or the error in one JSON line among those of its log, and on SIGINT or SIGTERM still works
 * with the database for a moment before it stops it.
 */

import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";
import { openEmbeddedPostgres } from "../../src/db/embedded.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

/** Longer than a signal takes to reach every process of a terminal. */
const drainMs = 300;

const [dataDir = ""] = process.argv.slice(2);

try {
  const database = await openEmbeddedPostgres({
    dataDir,
    log: createLogger({ level: "info", destination: process.stdout }),
    durable: false,
  });
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void drain(database));
  tell({ url: database.url });
} catch (error) {
  tell({ error: error instanceof Error ? error.message : String(error) });
}

async function drain(database: { url: string; stop(): Promise<void> }): Promise<void> {
  await delay(drainMs);
  const sql = postgres(database.url, { max: 1 });
  const [row] = await sql`select 'drained' as state`;
  await sql.end();
  await database.stop();
  tell({ state: row?.["state"] });
}

function tell(line: object): void {
  console.log(JSON.stringify(line));
}
