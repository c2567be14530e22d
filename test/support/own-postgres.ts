/**
 * A Postgres server for one test, to be killed, frozen and started again on its port. The one that
 * all tests share must not suffer that.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openCluster, superuser } from "../../src/db/cluster.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
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

/** Of a server that is told to end at once; it removes its file when its children are gone. */
const endMaxMs = 6_000;
const endLookMs = 20;

export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), "tidegate-own-"));
  const log = createLogger({ level: "warn" });
  const cluster = await openCluster({ dataDir, durable: false, log });
  const port = await freePort();
  const start = () => cluster.start(port);
  // A run that is aborted leaves no server behind, which has a session of its own.
  const endAtExit = () => endNow(cluster.directory);
  process.prependOnceListener("exit", endAtExit);
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
      process.off("exit", endAtExit);
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

/** Ends the server while this process ends, when nothing can be awaited any more. */
function endNow(directory: string): void {
  const file = join(directory, "postmaster.pid");
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, "utf8").split("\n")[0]);
  try {
    // 0 would be this process's own group.
    if (pid > 0) for (const signal of ["SIGQUIT", "SIGCONT"] as const) process.kill(pid, signal);
  } catch {
    return; // It has ended, and left its file behind.
  }
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let waitedMs = 0; existsSync(file) && waitedMs < endMaxMs; waitedMs += endLookMs) {
    Atomics.wait(pause, 0, 0, endLookMs);
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
