/** Databases as earlier versions left them: the migrations of today's folder, up to one of them. */
import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import { inject } from "vitest";
import { runAlone, urlOfDatabase, type TestDatabase } from "./postgres.ts";

export type Migration = { readonly tag: string; readonly sql: string };

type Journal = { readonly entries: readonly { readonly tag: string }[] };

const folder = fileURLToPath(new URL("../../drizzle", import.meta.url));
const journalPath = "meta/_journal.json";

/** In the order in which they run. */
export function readMigrations(): Migration[] {
  return readJournal().entries.map(({ tag }) => ({
    tag,
    sql: readFileSync(join(folder, `${tag}.sql`), "utf8"),
  }));
}

/** A database of its own with the schema as it was after the migration `tag`. */
export async function createDatabaseOf(tag: string): Promise<TestDatabase> {
  const created = await createEmptyDatabase();
  await migrateTo(created.url, tag);
  return created;
}

/** A database as an operator makes it for the first start. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const server = inject("postgresUrl");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await runAlone(server, `create database ${name}`);
  const url = urlOfDatabase(server, name);
  const drop = () => runAlone(server, `drop database if exists ${name} with (force)`);
  return { url, drop, [Symbol.asyncDispose]: drop };
}

async function migrateTo(url: string, tag: string): Promise<void> {
  const journal = readJournal();
  const last = journal.entries.findIndex((entry) => entry.tag === tag);
  if (last === -1) throw new Error(`there is no migration ${tag}`);
  const cut = mkdtempSync(join(tmpdir(), "tidegate-migrations-"));
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    cpSync(folder, cut, { recursive: true });
    const entries = journal.entries.slice(0, last + 1);
    writeFileSync(join(cut, journalPath), JSON.stringify({ ...journal, entries }));
    await migrate(drizzle(sql), { migrationsFolder: cut });
  } finally {
    await sql.end();
    rmSync(cut, { recursive: true });
  }
}

function readJournal(): Journal {
  return JSON.parse(readFileSync(join(folder, journalPath), "utf8")) as Journal;
}
