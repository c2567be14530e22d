/**
 * Counts what a gateway makes Postgres do: its statements by `pg_stat_statements`, and what they
 * write by reading the write-ahead log, record by record. These are counts: they are the same on a
 * machine that is quick and on one that is busy. Times are not looked at.
 */
import postgres from "postgres";
import { startOwnPostgres, type OwnPostgres } from "./own-postgres.ts";

export type Counts = Readonly<Record<string, number>>;

export type Costs = {
  readonly seconds: number;
  /** How often each was called: by the function that it calls, or the first table that it names. */
  readonly statements: Counts;
  /**
   * What happened to rows and entries of indexes, such as `inserted events`. A row that is `updated`
   * stays on its page and its indexes are left alone (HOT); one that is `moved` has new entries in
   * all of them. `confirmed` is the second record of a row that might have been there already.
   */
  readonly writes: Counts;
  /**
   * Bytes of the write-ahead log for these, without images of whole pages, and without splits of
   * pages: those come when they come, and are a twentieth of all in the long run.
   */
  readonly bytes: number;
  /** The same for tables that are written whether anything happens or not. */
  readonly background: number;
};

export type Meter = AsyncDisposable & {
  readonly postgres: OwnPostgres;
  /** Its statements are not counted. */
  readonly sql: postgres.Sql;
  /** What was done while `work` went on, by whomever. */
  measure(work: () => Promise<unknown>): Promise<Costs>;
};

/**
 * Written by the clock: leases, and sums of what happened, for which their tenants are locked. And
 * what Postgres keeps for itself.
 */
const background =
  /^(shard_leases|push_processes|housekeeper|log_settings|delivery_(minutes|hours)|tenants|pg_)/;

const partitionDay = /_\d{8}/;

export async function startMeter(): Promise<Meter> {
  await using opening = new AsyncDisposableStack();
  const server = opening.use(await startOwnPostgres());
  const first = connect(server.url);
  await first`alter system set shared_preload_libraries = 'pg_stat_statements'`;
  // It comes when it likes.
  await first`alter system set autovacuum = off`;
  await first.end();
  await server.stop();
  await server.start();
  const sql = connect(server.url);
  opening.defer(() => sql.end());
  await sql`create extension pg_stat_statements`;
  await sql`create extension pg_walinspect`;
  await sql`set pg_stat_statements.track = 'none'`;
  const opened = opening.move();
  return { postgres: server, sql, measure, [Symbol.asyncDispose]: () => opened.disposeAsync() };

  async function measure(work: () => Promise<unknown>): Promise<Costs> {
    await sql`select pg_stat_statements_reset()`;
    const [from, startedAt] = [await position(), performance.now()];
    await work();
    const seconds = (performance.now() - startedAt) / 1_000;
    return { seconds, statements: await readStatements(), ...(await readLog(from)) };
  }

  async function position(): Promise<string> {
    const [row] = await sql<[{ lsn: string }]>`select pg_current_wal_flush_lsn()::text as lsn`;
    return row.lsn;
  }

  async function readStatements(): Promise<Counts> {
    const rows = await sql<{ query: string; calls: string }[]>`
      select query, calls from pg_stat_statements`;
    return sum(rows.map(({ query, calls }) => [statementName(query), Number(calls)]));
  }

  async function readLog(from: string) {
    const to = await position();
    // Nothing at all is no range that could be read.
    if (to === from) return { writes: {}, bytes: 0, background: 0 };
    // Its first block alone stands for a record that has several.
    const records = await sql<LogRecord[]>`
      select pg_filenode_relation(reltablespace, relfilenode)::text as relation,
        resource_manager as manager, record_type as type, count(*)::int as count,
        sum(record_length - block_fpi_length)::int as bytes
      from pg_get_wal_block_info(${from}, ${to})
      where block_id = 0 and resource_manager in ('Heap', 'Heap2', 'Btree') group by 1, 2, 3`;
    const isBackground = ({ relation }: LogRecord) => background.test(relation ?? "pg_");
    const bytes = (some: LogRecord[]) =>
      some
        .filter((each) => !each.type.startsWith("SPLIT") && writeName(each) !== undefined)
        .reduce((all, each) => all + each.bytes, 0);
    const work = records.filter((record) => !isBackground(record));
    return {
      writes: sum(
        work.flatMap((record) => {
          const what = writeName(record);
          return what === undefined ? [] : [[what, record.count]];
        }),
      ),
      bytes: bytes(work),
      background: bytes(records.filter(isBackground)),
    };
  }
}

/** What `many` has more than `few`, for each of the `more` by which they differ. */
export function perOne(few: Counts, many: Counts, more: number): Counts {
  const names = new Set([...Object.keys(few), ...Object.keys(many)]);
  return sum([...names].map((name) => [name, ((many[name] ?? 0) - (few[name] ?? 0)) / more]));
}

type LogRecord = {
  readonly relation: string | null;
  readonly manager: string;
  readonly type: string;
  readonly count: number;
  readonly bytes: number;
};

/** Undefined for what only follows from others: pruning, and inner pages of indexes. */
function writeName({ relation, manager, type }: LogRecord): string | undefined {
  const what = manager === "Btree" ? entryNames[type] : rowNames[type.replace("+INIT", "")];
  return what && `${what} ${relation?.replace(partitionDay, "") ?? ""}`;
}

const rowNames: Record<string, string> = {
  INSERT: "inserted",
  MULTI_INSERT: "inserted",
  HEAP_CONFIRM: "confirmed",
  HOT_UPDATE: "updated",
  UPDATE: "moved",
  DELETE: "deleted",
  LOCK: "locked",
};

/** A split takes the entry that there was no room for. */
const entryNames: Record<string, string> = {
  INSERT_LEAF: "entered",
  INSERT_POST: "entered",
  SPLIT_L: "entered",
  SPLIT_R: "entered",
};

function statementName(query: string): string {
  // `$1` stands for what is a parameter, and for a number after it has been called a few times.
  const text = query.replaceAll(/["\s]+/g, " ").replaceAll(/extract\([^)]*\)|\$?\b\d+/g, "?");
  const called = /\bfrom ([a-z]\w+)\(\?/.exec(text)?.[1];
  return called ?? /\b(?:from|into|update) ([a-z]\w+)/i.exec(text)?.[1] ?? text.trim();
}

/** Names that come to nothing are left out. */
function sum(entries: readonly (readonly [string, number])[]): Counts {
  const sums: Record<string, number> = {};
  for (const [name, count] of entries) sums[name] = (sums[name] ?? 0) + count;
  return Object.fromEntries(Object.entries(sums).filter(([, count]) => count !== 0));
}

function connect(url: string): postgres.Sql {
  // One session, whose settings stay.
  return postgres(url, { max: 1, max_lifetime: null, fetch_types: false, onnotice: () => {} });
}
