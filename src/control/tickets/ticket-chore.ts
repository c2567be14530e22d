/** Takes away tickets that are over: they expired, or nobody opened them in time. */
import type { Sql } from "../../db/database.ts";
import type { Chore } from "../../log/housekeeping.ts";

const everyMs = 60_000;

/** Rows per statement, so that it holds no locks for long. */
const rowsMax = 10_000;

export function createTicketChore({ sql }: { sql: Sql }): Chore {
  return { name: "tickets", everyMs, run };

  async function run(): Promise<"done" | "more"> {
    const { count } = await sql`
      delete from tickets where hash in (
        select hash from tickets where good_until <= clock_timestamp()
        limit ${rowsMax} for update skip locked)`;
    return count === rowsMax ? "more" : "done";
  }
}
