/**
 * A Postgres server for one test, to be killed, frozen and started again on its port. The one that
 * all tests share must not suffer that.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openCluster, superuser } from "../../src/db/cluster.ts";
import { createLogger } from "../../src/telemetry.ts";
import { waitUntil } from "./wait.ts";

export type OwnPostgres = AsyncDisposable & {
  readonly url: string;
  /** Of the cluster's files. */
  readonly directory: string;
  start(): Promise<void>;
  /** Ends all sessions and writes everything out. */
  stop(): Promise<void>;
  /** As after a crash: every session is cut, nothing is written out. */
  crash(): Promise<void>;
  /** It answers nothing and refuses nothing. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
};

const run = promisify(execFile);

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "tidegate-own-"));
  const log = createLogger({ level: "warn" });
  const cluster = await openCluster({ dataDir, durable: false, log });
  const port = await freePort();
  const start = () => cluster.start(port);
  await start();
  return {
    url: `postgres://${superuser}:${cluster.password}@127.0.0.1:${port}/postgres`,
    directory: cluster.directory,
    start,
    stop: () => cluster.stop(),
    async crash() {
      const server = await cluster.server();
      if (server !== undefined) process.kill(server.pid, "SIGQUIT");
      await waitUntil(async () => (await cluster.server()) === undefined, { deadlineMs: 20_000 });
    },
    freeze: () => signalAll("SIGSTOP"),
    thaw: () => signalAll("SIGCONT"),
    async [Symbol.asyncDispose]() {
      await signalAll("SIGCONT");
      await cluster.stop();
      await rm(dataDir, { recursive: true });
    },
  };

  async function signalAll(signal: NodeJS.Signals): Promise<void> {
    const server = await cluster.server();
    if (server === undefined) return;
    const { stdout } = await run("ps", ["-A", "-o", "pid=,ppid="]);
    const processes = stdout.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
    const children = processes.flatMap(([pid, parent]) => (parent === server.pid ? [pid] : []));
    // The parent first, which would take a child that stopped for one that needs attention.
    for (const pid of [server.pid, ...children]) {
      try {
        process.kill(pid ?? server.pid, signal);
      } catch {
        // A session that has ended since.
      }
    }
  }
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}
