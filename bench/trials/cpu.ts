/** Processor time of processes, and what all of a Postgres server uses. Linux only, like /proc. */
import { readFile, readdir } from "node:fs/promises";
import type { Sql } from "../../src/db/database.ts";

/** In seconds since the process began. */
export type CpuSeconds = {
  readonly all: number;
  /** Of the first thread alone: in a Node process its event loop. */
  readonly loop: number;
};

/** Linux counts in hundredths for whoever reads it, whatever it counts in itself. */
const ticksPerSecond = 100;

export async function cpuOf(pid: number): Promise<CpuSeconds> {
  const [all, loop] = await Promise.all([
    readStat(`/proc/${pid}/stat`),
    readStat(`/proc/${pid}/task/${pid}/stat`),
  ]);
  return { all: all.own, loop: loop.own };
}

/** The first process of the server that answers here. */
export async function findServer(sql: Sql): Promise<number> {
  const [row] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`;
  const { parent } = await readStat(`/proc/${row.pid}/stat`);
  const name = (await readFile(`/proc/${parent}/comm`, "utf8")).trim();
  if (name !== "postgres") throw new Error("the Postgres server is not on this machine");
  return parent;
}

/** Of the server with all its processes; those that have ended count as their parent waited for. */
export async function cpuOfServer(pid: number): Promise<number> {
  const own = await readStat(`/proc/${pid}/stat`);
  const others = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  // One that ends while it is looked at is missing now and counts the next time.
  const stats = await Promise.allSettled(others.map((each) => readStat(`/proc/${each}/stat`)));
  const children = stats.flatMap((stat) => (stat.status === "fulfilled" ? [stat.value] : []));
  return children
    .filter(({ parent }) => parent === pid)
    .reduce((sum, child) => sum + child.own, own.own + own.waitedFor);
}

type Stat = { readonly parent: number; readonly own: number; readonly waitedFor: number };

async function readStat(path: string): Promise<Stat> {
  const text = await readFile(path, "utf8");
  // The name of the program stands in brackets and may hold anything.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // By proc(5) utime and stime, then cutime and cstime; the third field comes first here.
  const seconds = (first: number) =>
    (Number(fields[first]) + Number(fields[first + 1])) / ticksPerSecond;
  return { parent: Number(fields[1]), own: seconds(11), waitedFor: seconds(13) };
}
