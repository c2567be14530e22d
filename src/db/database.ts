/**
 * The connection to Postgres. `sql` is for the few statements that carry the guarantees, `orm` for
 * plain reads and writes; both use the same pool. Nothing here depends on session state, so a
 * transaction pooler may stand in between (add `?prepare=false` to the URL for one that cannot
 * keep prepared statements).
 */
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { migrate as runMigrations } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";
import * as deliverySchema from "./delivery-schema.ts";
import * as logSchema from "./schema.ts";

const schema = { ...logSchema, ...deliverySchema };

export type Sql = postgres.Sql<{ bigint: number; texts: string[] }>;
export type Orm = PostgresJsDatabase<typeof schema>;
/** An open transaction of `Orm`; `Orm` itself fits too. */
export type OrmTransaction = Pick<Orm, "select" | "insert" | "update" | "delete" | "execute">;

export type Database = {
  readonly sql: Sql;
  readonly orm: Orm;
  /** Lets running statements end, within two seconds, and closes the connections. */
  stop(): Promise<void>;
};

/** A host that does not answer at all is given up after this. Refusals are noticed at once. */
const connectTimeoutSeconds = 5;

/** Longest pause between two tries to connect, so that a restarted database is found quickly. */
const reconnectMaxSeconds = 0.5;

/** No statement of ours takes this long on a healthy server; a stuck one must not hold a slot. */
export const statementTimeoutMs = 15_000;

/**
 * The server answers within the statement time-out, and be it with an error. When it has said
 * nothing for this long on top, the network or the server is gone without a word: the connection is
 * dropped, and with it those of the pool that are idle.
 */
const silenceMarginMs = 3_000;

/** Below the statement time-out, so that waiting for a lock is told apart from slow work. */
const lockTimeoutMs = 5_000;

/** A process that is frozen between two statements of a transaction must not keep its locks. */
const idleInTransactionTimeoutMs = 5_000;

const sessionLimits = {
  lock_timeout: lockTimeoutMs,
  idle_in_transaction_session_timeout: idleInTransactionTimeoutMs,
};

/** The answer to a probe of ours must come before the prober gives up. */
const probeTimeoutMs = 2_000;

/** Any number: every gateway on this database must use the same one. */
const migrationLock = 7_433_001;

/**
 * Opens a pool. Connections are made when statements need them: the first may fail, not this.
 *
 * Every statement has an end, whatever happens to the server: under way it has the server's
 * time-outs and, should that be silent, our own; and what waits for a connection fails together
 * with the first attempt to make one while there is none. Behind statements that work, only
 * slowly, there is no limit to how many wait here: those are as many as `http/` lets in.
 */
export function openDatabase(
  url: string,
  options: { connections: number; name: string; statementTimeoutMs?: number },
): Database {
  const statementMs = options.statementTimeoutMs ?? statementTimeoutMs;
  const pooled = new URL(url).searchParams.get("prepare") === "false";
  const sql = postgres(url, {
    max: options.connections,
    connect_timeout: connectTimeoutSeconds,
    ...silenceLimit(statementMs + silenceMarginMs),
    backoff: (retries: number) => Math.min(reconnectMaxSeconds, 0.02 * 2 ** retries),
    fetch_types: false,
    onnotice: () => {},
    types: {
      bigint: { to: 20, from: [20], parse: Number, serialize: String },
      // Else drizzle reads `text[]` itself, and loses every backslash.
      texts: { to: 1009, from: [1009], parse: parseArrayText, serialize: (text: unknown) => text },
    },
    connection: {
      application_name: options.name,
      // A transaction pooler refuses start-up parameters that it does not know: there, set these
      // on the role (`alter role … set statement_timeout …`).
      ...(pooled ? {} : { ...sessionLimits, statement_timeout: statementMs }),
    },
  });
  return {
    sql,
    orm: drizzle(sql, { schema }),
    stop: () => sql.end({ timeout: 2 }),
  };
}

/** Whether the database answers now. Whoever asks gives up soon, so this does too. */
export async function probe(sql: Sql): Promise<"up" | "unreachable" | "no answer"> {
  const answer = sql`select 1`.then(
    () => "up" as const,
    () => "unreachable" as const,
  );
  return Promise.race([answer, delay(probeTimeoutMs, "no answer" as const, { ref: false })]);
}

/** Whether the server ends statements, as it does unless a pooler kept that from it. */
export async function hasTimeLimits(sql: Sql): Promise<boolean> {
  const [row] = await sql<{ limits: string[] }[]>`
    select array[current_setting('statement_timeout'), current_setting('lock_timeout')]::text[]
      as limits`;
  return row !== undefined && !row.limits.includes("0");
}

/** An option that `patches/` adds to the driver, and which its types do not know. */
function silenceLimit(ms: number): object {
  return { response_timeout: ms / 1_000 };
}

/**
 * Brings the schema up to date. Safe when several processes start at once: one migrates while the
 * others wait on a transaction lock, which works behind a transaction pooler too.
 */
export async function migrate(url: string): Promise<void> {
  const lock = openMigrationConnection(url);
  const work = openMigrationConnection(url);
  try {
    await lock.begin(async (transaction) => {
      await transaction`select pg_advisory_xact_lock(${migrationLock})`;
      await runMigrations(drizzle(work), {
        migrationsFolder: fileURLToPath(new URL("../../drizzle", import.meta.url)),
      });
    });
  } finally {
    await Promise.all([lock.end({ timeout: 2 }), work.end({ timeout: 2 })]);
  }
}

/** A migration may take its time, so no statement time-out here. */
function openMigrationConnection(url: string) {
  return postgres(url, {
    max: 1,
    connect_timeout: connectTimeoutSeconds,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: "tidegate migrate" },
  });
}

/** The text form of a Postgres array, for `${…}::text[]` parameters. */
export function arrayText(values: Iterable<string | number | null>): string {
  return columnText([...values], (value) => value);
}

/** The same of one value of each row. */
export function columnText<T>(
  rows: readonly T[],
  value: (row: T) => string | number | null,
): string {
  let last: string | number | null | undefined;
  let element = "";
  const elements = rows.map((row) => {
    const next = value(row);
    // Most columns of most statements hold one value again and again.
    if (next !== last) element = elementText((last = next));
    return element;
  });
  return `{${elements.join(",")}}`;
}

function elementText(value: string | number | null): string {
  if (value === null) return "NULL";
  if (typeof value === "number") return String(value);
  return `"${isPlain(value) ? value : value.replaceAll(/["\\]/g, "\\$&")}"`;
}

/** Looking twice costs a seventh of a replacement that finds nothing (15 of 100 ns for a uuid). */
function isPlain(text: string): boolean {
  return !text.includes('"') && !text.includes("\\");
}

const unitSeparator = "\u001f";

/**
 * Pieces of JSON for `(string_to_array(${…}, chr(31)))[2:]`, which is the array of them. JSON has no
 * control characters but between its tokens, so nothing needs an escape; of an array's text every
 * quote does, which took ten times as long as all else. The separator stands before each piece: of
 * no text at all there would be no array of one that is empty.
 */
export function separated(pieces: readonly string[]): string {
  const text = unitSeparator + pieces.join(unitSeparator);
  let found = 0;
  for (let at = 0; at !== -1; at = text.indexOf(unitSeparator, at + 1)) found += 1;
  // With one more, all that follow would stand with another's event.
  if (found !== pieces.length) throw notJson();
  return text;
}

/** As the database would say of a character that it does not take, so that only its event suffers. */
function notJson(): Error {
  return Object.assign(new Error("a piece of JSON has a control character"), { code: "22021" });
}

/** The elements of a one-dimensional array of text without nulls: `{a,"b, c"}`. */
function parseArrayText(text: string): string[] {
  const elements = text.slice(1, -1).matchAll(/"((?:[^"\\]|\\.)*)"|[^,]+/gs);
  return Array.from(elements, ([bare, quoted]) => quoted?.replaceAll(/\\(.)/gs, "$1") ?? bare);
}

/** How a failed statement ended, as far as it can be known. */
export type Failure =
  /** The server refused it or never got it: nothing was changed. */
  | "not-done"
  /** The connection broke: it may or may not have been committed. */
  | "in-doubt"
  /** The values were refused: the same statement will fail again. */
  | "data"
  /** No partition holds the row's day. Nothing was changed. */
  | "no-partition"
  /** Nothing that time or other values would mend. */
  | "fault";

const neverSent = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "CONNECT_TIMEOUT",
  // By `patches/`: the host took the connection and closed it before Postgres was ready.
  "CONNECT_CLOSED",
]);

/** Tells what is known of a statement after `error`. Source: appendix A of the Postgres manual. */
export function classifyFailure(error: unknown): Failure {
  const code = (error as { code?: unknown } | null)?.code;
  if (typeof code !== "string") return "fault";
  if (neverSent.has(code)) return "not-done";
  if (code.startsWith("CONNECTION_") || code.startsWith("E")) return "in-doubt";
  // Shut-downs and broken connections may come after the commit was made durable.
  if (/^(08|57P0[12]|40003)/.test(code)) return "in-doubt";
  // Starting up, too many connections, out of memory or disk, cancelled, lock not available,
  // deadlock, read-only standby.
  if (/^(57|53|55|40|25)/.test(code)) return "not-done";
  if (code === "23514") return "no-partition";
  if (/^(22|23)/.test(code)) return "data";
  return "fault";
}

/** True when the database cannot serve now but may again soon: the caller answers 503. */
export function isUnavailable(error: unknown): boolean {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  const failure = classifyFailure(cause);
  return failure === "not-done" || failure === "in-doubt";
}
