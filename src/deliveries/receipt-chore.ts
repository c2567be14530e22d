/** Takes away receipts through events that retention has taken: nobody asks for them any more. */
import type { Sql } from "../db/database.ts";
import type { Chore } from "../log/housekeeping.ts";

/** As often as days go at the most. */
const everyMs = 3_600_000;

/** Rows per statement, so that it holds no locks for long. */
const rowsMax = 10_000;

export function createReceiptChore({ sql }: { sql: Sql }): Chore {
  return { name: "receipts", everyMs, run };

  async function run(): Promise<"done" | "more"> {
    const { count } = await sql`
      delete from receipt_ranges where ctid = any(array(
        select ctid from receipt_ranges where day < (select oldest_day from log_settings)
        limit ${rowsMax}))`;
    return count === rowsMax ? "more" : "done";
  }
}
