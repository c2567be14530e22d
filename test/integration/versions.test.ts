/**
 * Versions side by side: a process of the version before goes on with the database that the next
 * one has migrated, so what it calls must still be there.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { createDatabaseOf } from "../support/migrations.ts";
import { createTestDatabase } from "../support/postgres.ts";

/** One line each, as Postgres writes them: what they take and what they return. */
const golden = readFileSync(new URL("../golden/functions.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "");

test("functions that a version may call are there, with the same arguments", async () => {
  await using database = await createTestDatabase();
  // One that was added gets its line. One that is missing may go when no process calls it any more.
  expect(await functionsOf(database.url)).toEqual(golden);
});

test("what the version before reads and writes of tables is there, and no more is asked", async () => {
  await using older = await createDatabaseOf("0005_push_engine");
  await using newer = await createTestDatabase();
  const before = await columnsOf(older.url);
  const after = await columnsOf(newer.url);
  expect(before.length).toBeGreaterThan(100);
  for (const { column, type } of before) {
    expect(after).toContainEqual({ column, type, isOptional: expect.any(Boolean) });
  }
  const known = new Set(before.map(({ column }) => column));
  const tables = new Set(before.map(({ column }) => tableOf(column)));
  const added = after.filter(({ column }) => tables.has(tableOf(column)) && !known.has(column));
  expect(added.filter(({ isOptional }) => !isOptional)).toEqual([]);
});

async function functionsOf(url: string): Promise<string[]> {
  return query(url, async (sql) => {
    const rows = await sql<{ line: string }[]>`
      select proname || '(' || pg_get_function_arguments(oid) || ') -> '
        || pg_get_function_result(oid) as line
      from pg_proc where pronamespace = 'public'::regnamespace order by 1`;
    return rows.map(({ line }) => line);
  });
}

function tableOf(column: string): string {
  return column.slice(0, column.indexOf("."));
}

async function columnsOf(url: string) {
  return query(url, async (sql) => [
    ...(await sql<{ column: string; type: string; isOptional: boolean }[]>`
      select c.relname || '.' || attname as column, format_type(atttypid, atttypmod) as type,
        not attnotnull or atthasdef as "isOptional"
      from pg_attribute join pg_class c on c.oid = attrelid
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
        and attnum > 0 and not attisdropped
      order by 1`),
  ]);
}

async function query<T>(url: string, ask: (sql: Sql) => Promise<T>): Promise<T> {
  const { sql, stop } = openDatabase(url, { connections: 1, name: "test" });
  try {
    return await ask(sql);
  } finally {
    await stop();
  }
}
