/** A Postgres that a trial can bring down, and start again in the same place. */
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { openCluster, superuser } from "../../src/db/cluster.ts";
import { openDatabase } from "../../src/db/database.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import type { Stage } from "./stage.ts";

export type ControlledPostgres = {
  readonly url: string;
  /** Signals the server's first process; the others end by themselves. */
  kill(signal: "SIGQUIT" | "SIGKILL"): Promise<void>;
  /** Resolves with the moment (`performance.now`) in which it answered a first statement. */
  start(): Promise<number>;
};

/** How often a server that starts is asked. */
const lookMs = 10;

export async function openControlledPostgres(stage: Stage): Promise<ControlledPostgres> {
  const log = createLogger({ level: "error" });
  const cluster = await openCluster({ dataDir: stage.dir, durable: !stage.small, log });
  const port = await findFreePort();
  const url = `postgres://${superuser}:${cluster.password}@127.0.0.1:${port}/postgres`;
  stage.defer(() => cluster.stop());
  await stage.open(() => cluster.start(port));
  return { url, kill, start };

  async function kill(signal: "SIGQUIT" | "SIGKILL"): Promise<void> {
    const server = await cluster.server();
    if (server === undefined) throw new Error("there is no server to bring down");
    process.kill(server.pid, signal);
  }

  async function start(): Promise<number> {
    // Takes away what a killed server left behind.
    if ((await cluster.server()) !== undefined) throw new Error("the server still runs");
    const [answeredAt] = await Promise.all([firstAnswer(), stage.open(() => cluster.start(port))]);
    return answeredAt;
  }

  async function firstAnswer(): Promise<number> {
    for (;;) {
      // A pool of its own each time, since one that failed waits before it tries again.
      const { sql, stop } = openDatabase(url, { connections: 1, name: "first answer" });
      try {
        await sql`select 1`;
        return performance.now();
      } catch {
        await delay(lookMs);
      } finally {
        await stop();
      }
    }
  }
}

async function findFreePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
