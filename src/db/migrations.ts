/** Which migrations a database has had, against those that this version knows. */
import { readFile } from "node:fs/promises";
import type { ReadSql } from "./read-within.ts";

export type Migrations = {
  readonly applied: number;
  /** By this version. */
  readonly known: number;
  /** The name of the last one; null when a newer version made it. */
  readonly latest: string | null;
};

/** What drizzle-kit writes; `when` is what the database has of each. */
type Journal = { readonly entries: readonly { readonly when: number; readonly tag: string }[] };

const journalFile = new URL("../../drizzle/meta/_journal.json", import.meta.url);

let journal: Promise<Journal> | undefined;

export async function readMigrations(sql: ReadSql): Promise<Migrations> {
  const { entries } = await (journal ??= readJournal());
  const [row] = await sql<{ applied: number; last: number | null }[]>`
    select count(*)::int as applied, max(created_at) as last from drizzle.__drizzle_migrations`;
  const latest = entries.find(({ when }) => when === row?.last)?.tag ?? null;
  return { applied: row?.applied ?? 0, known: entries.length, latest };
}

async function readJournal(): Promise<Journal> {
  try {
    return JSON.parse(await readFile(journalFile, "utf8")) as Journal;
  } catch (error) {
    journal = undefined; // the next one tries again
    throw error;
  }
}
