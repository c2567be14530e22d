/** What a gateway costs that nobody asks for anything: its own time and memory, and Postgres's. */
import { setTimeout as delay } from "node:timers/promises";
import type { Sql } from "../../src/db/database.ts";
import { quantile } from "../measure.ts";
import { cpuOf, cpuOfServer, findServer } from "./cpu.ts";
import { until } from "./endpoints.ts";
import { watchRss } from "./rss.ts";

export type Idle = {
  /** Shares of a core. */
  readonly gateway: number;
  /** Of this its event loop. */
  readonly loop: number;
  readonly postgres: number;
  readonly broker: number | undefined;
  readonly transactionsPerSecond: number;
  readonly walPerSecond: number;
  /** Bytes, the median. */
  readonly rss: number;
};

/** What a start has left to do ends when the gateway uses less than this of a core for a second. */
const settledCores = 0.1;
const patienceSeconds = 60;

/** Backends tell what they did within this time. */
const statisticsMs = 1_500;

export async function measureIdle(given: {
  sql: Sql;
  seconds: number;
  pid: number;
  brokerPid: number | undefined;
}): Promise<Idle> {
  const { sql, seconds, pid, brokerPid } = given;
  const server = await findServer(sql);
  await until("the gateway settled", patienceSeconds, async () => {
    const before = await cpuOf(pid);
    await delay(1_000);
    return (await cpuOf(pid)).all - before.all <= settledCores;
  });
  const rss = await watchRss(pid);
  await delay(statisticsMs);
  rss.take();
  const before = await look();
  await delay(seconds * 1_000);
  const after = await look();
  const samples = rss.take();
  await rss.stop();
  const perSecond = (of: (look: Look) => number) =>
    ((of(after) - of(before)) / (after.atMs - before.atMs)) * 1_000;
  return {
    gateway: perSecond(({ gateway }) => gateway.all),
    loop: perSecond(({ gateway }) => gateway.loop),
    postgres: perSecond(({ postgres }) => postgres),
    broker: brokerPid === undefined ? undefined : perSecond(({ broker }) => broker),
    transactionsPerSecond: perSecond(({ transactions }) => transactions),
    walPerSecond: perSecond(({ wal }) => wal),
    rss: quantile(samples, 0.5),
  };

  async function look() {
    const [row] = await sql<[{ transactions: number; wal: number }]>`
      select xact_commit as transactions, (pg_current_wal_lsn() - '0/0')::float8 as wal
      from pg_stat_database where datname = current_database()`;
    const [gateway, postgres, broker] = await Promise.all([
      cpuOf(pid),
      cpuOfServer(server),
      brokerPid === undefined ? 0 : cpuOf(brokerPid).then(({ all }) => all),
    ]);
    return { ...row, gateway, postgres, broker, atMs: performance.now() };
  }
}

type Look = {
  readonly transactions: number;
  readonly wal: number;
  readonly gateway: { readonly all: number; readonly loop: number };
  readonly postgres: number;
  readonly broker: number;
  readonly atMs: number;
};
