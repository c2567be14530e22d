/**
 * What a turn cost the processes that were measured: processor time, memory, and what the database
 * wrote. All of it is read from outside (`/proc`, the server's own counters), so reading costs the
 * gateway nothing. What cannot be read, where there is no `/proc` or Postgres runs elsewhere, is
 * not a number.
 */
import type { Sql } from "../src/db/database.ts";
import { summarize, type Summary } from "./measure.ts";
import { cpuOf, cpuOfServer, findServer } from "./trials/cpu.ts";
import { rssOf } from "./trials/rss.ts";

/** Of one turn. Where not said otherwise, for 10,000 events. */
export type Cost = {
  /** Processor seconds of the gateway, all threads; where there are two processes, of both. */
  readonly gateway: number;
  /** Processor seconds of all processes of its Postgres. */
  readonly postgres: number;
  /** MB that the gateway held when the turn was over, whatever the events. */
  readonly rss: number;
  /** Bytes of an event. */
  readonly wal: number;
  /** Nearly always of a single statement each. */
  readonly transactions: number;
  /** Rows inserted, updated and deleted. */
  readonly rows: number;
};

/** Sessions tell their server what they did at most once in a second, so a turn's own are blurred. */
type Blurred = "transactions" | "rows";

/** Blurred parts are those of all turns together. */
export type CostSummary = { readonly [Part in Exclude<keyof Cost, Blurred>]: Summary } & {
  readonly [Part in Blurred]: number;
};

type Reading = Record<"gateway" | "postgres" | "wal" | "transactions" | "rows", number>;

export type CostMeter = {
  /** What it takes from now until the function that is returned is called. */
  start(): Promise<(events: number) => Promise<Cost>>;
};

export async function openCostMeter(sql: Sql, gatewayPids: readonly number[]): Promise<CostMeter> {
  const server = await findServer(sql).catch(() => undefined);
  return {
    async start() {
      const before = await read();
      return async (events) => {
        const after = await read();
        const used = (part: keyof Reading) => after[part] - before[part];
        const per10k = (part: keyof Reading) => (used(part) / events) * 10_000;
        return {
          gateway: per10k("gateway"),
          postgres: per10k("postgres"),
          rss: (await ofEach(rssOf)) / 1e6,
          wal: used("wal") / events,
          transactions: per10k("transactions"),
          rows: per10k("rows"),
        };
      };
    },
  };

  async function read(): Promise<Reading> {
    const [counted] = await sql<[Omit<Reading, "gateway" | "postgres">]>`
      select (pg_current_wal_insert_lsn() - '0/0')::bigint as wal, xact_commit as transactions,
        tup_inserted + tup_updated + tup_deleted as rows
      from pg_stat_database where datname = current_database()`;
    const [gateway, postgres] = await Promise.all([
      ofEach(async (pid) => (await cpuOf(pid)).all),
      server === undefined ? Number.NaN : cpuOfServer(server),
    ]);
    return { gateway, postgres, ...counted };
  }

  /** Of all processes together. */
  async function ofEach(reading: (pid: number) => Promise<number>): Promise<number> {
    return sum(await Promise.all(gatewayPids.map((pid) => orNaN(reading(pid)))));
  }
}

/** What this system does not tell. */
export async function orNaN(reading: Promise<number>): Promise<number> {
  return await reading.catch(() => Number.NaN);
}

export function summarizeCosts(turns: readonly { cost: Cost }[]): CostSummary {
  const each = (part: keyof Cost) => turns.map(({ cost }) => cost[part]);
  const mean = (part: keyof Cost) => sum(each(part)) / turns.length;
  return {
    gateway: summarize(each("gateway")),
    postgres: summarize(each("postgres")),
    rss: summarize(each("rss")),
    wal: summarize(each("wal")),
    transactions: mean("transactions"),
    rows: mean("rows"),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
