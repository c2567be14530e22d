/** The stores of an inbox on real databases, each with a second one as another process has it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Pool, type PoolClient } from "pg";
import postgres, { type Sql, type TransactionSql } from "postgres";
import type { StoreUnderTest } from "../../src/client/conformance.ts";
import { memoryStore } from "../../src/client/inbox/memory.ts";
import { postgresStore } from "../../src/client/postgres.ts";
import { sqliteStore } from "../../src/client/sqlite.ts";
import { createTestDatabase, runAlone } from "./postgres.ts";

export async function openMemoryStore(): Promise<StoreUnderTest<undefined>> {
  return { store: memoryStore() };
}

/** A schema of its own for each store in one database: a database takes many times as long. */
export async function openPostgresPlace(): Promise<
  AsyncDisposable & { newSchema(): Promise<Place> }
> {
  const database = await createTestDatabase();
  let schemas = 0;
  return {
    async newSchema() {
      const schema = `inbox_${(schemas += 1)}`;
      await runAlone(database.url, `create schema ${schema}`);
      await runAlone(database.url, `create table ${schema}.written (text text)`);
      return { url: database.url, schema };
    },
    [Symbol.asyncDispose]: () => database.drop(),
  };
}

export type Place = { readonly url: string; readonly schema: string };

export async function openPostgresJsStore(place: Place): Promise<StoreUnderTest<TransactionSql>> {
  const [sql, other] = [connectTo(place), connectTo(place)];
  return {
    store: postgresStore(sql),
    other: postgresStore(other),
    async write(transaction, text) {
      await transaction`insert into written values (${text})`;
    },
    async written() {
      return (await sql<{ text: string }[]>`select text from written`).map(({ text }) => text);
    },
    async close() {
      await Promise.all([sql.end(), other.end()]);
    },
  };
}

export function connectTo({ url, schema }: Place): Sql {
  return postgres(url, { max: 4, onnotice: () => {}, connection: { search_path: schema } });
}

export async function openPgStore({ url, schema }: Place): Promise<StoreUnderTest<PoolClient>> {
  const options = { connectionString: url, max: 4, options: `-c search_path=${schema}` };
  const [pool, other] = [new Pool(options), new Pool(options)];
  return {
    store: postgresStore(pool),
    other: postgresStore(other),
    async write(client, text) {
      await client.query("insert into written values ($1)", [text]);
    },
    async written() {
      const { rows } = await pool.query<{ text: string }>("select text from written");
      return rows.map(({ text }) => text);
    },
    async close() {
      await Promise.all([pool.end(), other.end()]);
    },
  };
}

export async function openSqliteStore(): Promise<StoreUnderTest<DatabaseSync>> {
  const directory = await mkdtemp(join(tmpdir(), "tidegate-inbox-"));
  const path = join(directory, "inbox.db");
  const [db, other] = [new DatabaseSync(path), new DatabaseSync(path)];
  db.exec("create table written (text text)");
  return {
    store: sqliteStore(db),
    other: sqliteStore(other),
    async write(transaction, text) {
      transaction.prepare("insert into written values (?)").run(text);
    },
    async written() {
      const rows = db.prepare("select text from written").all();
      return rows.map(({ text }) => String(text));
    },
    async close() {
      db.close();
      other.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
