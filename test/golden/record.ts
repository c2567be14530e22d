/**
 * `node test/golden/record.ts`: keeps what this version stores of the samples, as rows and as the
 * envelopes that must come out of them for ever, in a folder named after the newest migration.
 *
 * Needed once for each migration that changes how events are written, and for each new sample; a
 * test says so. What was released is never recorded over: the next folder is then `<migration>.2`.
 */
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseConfig } from "../../src/config.ts";
import { openDatabase, type Sql } from "../../src/db/database.ts";
import { openEmbeddedPostgres } from "../../src/db/embedded.ts";
import { startGateway } from "../../src/gateway.ts";
import { generateKeyRing } from "../../src/keyring.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { appendSamples } from "./samples.ts";

/** What an event's way out begins with; endpoints and keys are made anew by those who read. */
const tables = ["log_settings", "tenants", "heads", "log_days", "append_keys", "events"];

const operatorKey = "tg_op_recording_the_samples";

const dataDir = await mkdtemp(join(tmpdir(), "tidegate-golden-"));
const log = createLogger({ level: "warn" });
const server = await openEmbeddedPostgres({ dataDir, log, durable: false });
try {
  await record(server.url);
} finally {
  await server.stop();
  await rm(dataDir, { recursive: true });
}

async function record(databaseUrl: string): Promise<void> {
  const config = parseConfig({
    DATABASE_URL: databaseUrl,
    TIDEGATE_OPERATOR_KEY: operatorKey,
    TIDEGATE_SECRETS: generateKeyRing(),
    TIDEGATE_ROLES: "api",
    PORT: "0",
  });
  const gateway = await startGateway(config, log, fatal);
  const database = openDatabase(databaseUrl, { connections: 1, name: "record" });
  try {
    const refused = await appendSamples(gateway.url, operatorKey, () => nextDay(database.sql));
    for (const each of refused) console.error(`this version refuses ${each}`);
    await write(await rowsOf(database.sql), await envelopesOf(database.sql));
  } finally {
    await database.stop();
    await gateway.stop();
  }
}

/** The clock goes a day ahead and back: a log stays on the latest day that it has seen. */
async function nextDay(sql: Sql): Promise<void> {
  await sql`update heads set day = day + 1, at = at + interval '1 day' where head > 0`;
  await sql`
    insert into log_days (tenant, day, first_sequence, first_at)
    select tenant, day, head + 1, at from heads where head > 0`;
}

async function rowsOf(sql: Sql): Promise<string> {
  const [days] = await sql`select min(day)::text as first, max(day)::text as last from events`;
  const parts = [`select create_partitions('${days?.["first"]}', '${days?.["last"]}');\n`];
  for (const table of tables) {
    const columns = await sql<{ name: string }[]>`
      select column_name as name from information_schema.columns
      where table_schema = 'public' and table_name = ${table} order by ordinal_position`;
    const names = columns.map(({ name }) => `"${name}"`);
    const texts = names.map((name) => `${name}::text`).join(", ");
    const order = names.map((name) => `${table}.${name}`).join(", ");
    const rows = await sql.unsafe<Record<string, string | null>[]>(
      `select ${texts} from ${table} order by ${order}`,
    );
    const values = rows.map((row) => `(${Object.values(row).map(literal).join(", ")})`);
    parts.push(`insert into ${table} (${names.join(", ")}) values\n${values.join(",\n")};\n`);
  }
  return parts.join("\n");
}

async function envelopesOf(sql: Sql): Promise<string> {
  const rows = await sql<{ envelope: string }[]>`
    select envelope from events join tenants on tenants.id = tenant
    order by name collate "C", sequence`;
  return rows.map(({ envelope }) => `${envelope}\n`).join("");
}

async function write(rows: string, envelopes: string): Promise<void> {
  const folder = freeFolder();
  await mkdir(folder);
  await writeFile(join(folder, "rows.sql"), rows);
  await writeFile(join(folder, "envelopes.txt"), envelopes);
  console.log(`recorded ${folder}`);
}

function freeFolder(): string {
  const journal = new URL("../../drizzle/meta/_journal.json", import.meta.url);
  const { entries } = JSON.parse(readFileSync(journal, "utf8")) as { entries: { tag: string }[] };
  const first = fileURLToPath(new URL(entries.at(-1)?.tag ?? "", import.meta.url));
  for (let count = 1; ; count += 1) {
    const folder = count === 1 ? first : `${first}.${count}`;
    if (!existsSync(folder)) return folder;
  }
}

function literal(text: string | null): string {
  return text === null ? "null" : `'${text.replaceAll("'", "''")}'`;
}

function fatal(error: Error): never {
  throw error;
}
