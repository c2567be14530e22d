/**
 * Reads that look at whole tables, for people who wait for an answer: given up after a while, since
 * half an answer now is better than all of it when nobody looks any more, and held to one
 * connection and one core, which what delivers events must not miss.
 */
import type postgres from "postgres";
import type { Sql } from "./database.ts";

/** What asks within a transaction; `Sql` itself fits too. */
export type ReadSql = postgres.ISql<{ bigint: number; texts: string[] }>;

/** The server ended the statement: it took too long, or waited too long for a lock. */
const givenUp = new Set(["57014", "55P03"]);

/** Undefined when a statement took longer than `limitMs`. All else that fails is thrown. */
export async function readWithin<Found>(
  sql: Sql,
  limitMs: number,
  read: (sql: ReadSql) => Promise<Found>,
): Promise<Found | undefined> {
  let found: Found | undefined;
  try {
    await sql.begin("read only", async (transaction) => {
      // Compiling takes longer than such a statement does.
      await transaction`
        select set_config('statement_timeout', ${String(limitMs)}, true),
          set_config('jit', 'off', true), set_config('max_parallel_workers_per_gather', '0', true)`;
      found = await read(transaction);
    });
    return found;
  } catch (error) {
    if (givenUp.has(String((error as { code?: unknown } | null)?.code))) return undefined;
    throw error;
  }
}
