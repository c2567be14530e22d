/**
 * The embedded database: a Postgres of its own in the data directory, for one gateway at a time.
 *
 * Whoever uses the directory holds a lock, and the lock is a session of the database itself: it
 * goes when its process goes, however that ends, and nothing stale can be left behind. A gateway
 * that is killed leaves its server running; the next one adopts it. When the server dies under
 * us it is started again on the same port, and only if somebody else got hold of the directory
 * meanwhile is it lost, which `onLost` is told.
 */

import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import type { BaseLogger as Logger } from "pino";
import postgres from "postgres";
import { openCluster, superuser, type Cluster, type Server } from "./cluster.ts";

export type EmbeddedPostgres = AsyncDisposable & {
  readonly url: string;
  /** Stops the server too, if the lock is ours. Sessions that are still open are cut. */
  stop(): Promise<void>;
};

/** The lock's name, as two numbers: "tide", "gate". */
const lock = { class: 0x74696465, object: 0x67617465 };
const sessionName = "tidegate lock";
const database = "postgres";

/** A server notices within milliseconds that the gateway behind a session was killed. */
const heldPatienceMs = 3_000;
/** Recovery after a crash; the same limit as for a start of our own. */
const readyPatienceMs = 600_000;
/** Failing starts are retried: the port was taken, or a dying server is not quite gone. */
const startAttemptsMax = 8;
const pauseMs = 250;
const trimIntervalMs = 60_000;

type Lock = { readonly port: number; release(): Promise<void> };

type LockTry =
  | { kind: "locked"; lock: Lock }
  | { kind: "held"; holder: string }
  | { kind: "unready"; reason: Error };

export async function openEmbeddedPostgres(options: {
  dataDir: string;
  log: Logger;
  /** The database is gone for good; the process cannot go on. */
  onLost?: (error: Error) => void;
  /** False only in tests: quicker, but loses data when the machine stops. */
  durable?: boolean;
}): Promise<EmbeddedPostgres> {
  const { dataDir, log, onLost = () => {}, durable = true } = options;
  const cluster = await openCluster({ dataDir, durable, log });
  let stopping: Promise<void> | undefined;
  let recovery = Promise.resolve();
  let held: Lock | undefined = await takeLock(cluster, log, onClose);
  const { port } = held;
  const trimming = setInterval(trimLog, trimIntervalMs).unref();
  trimLog();
  return {
    url: `postgres://${superuser}:${cluster.password}@127.0.0.1:${port}/${database}`,
    stop,
    [Symbol.asyncDispose]: stop,
  };

  function onClose(): void {
    held = undefined;
    if (stopping === undefined) recovery = recover();
  }

  async function recover(): Promise<void> {
    log.error({ directory: cluster.directory }, "the embedded Postgres was interrupted");
    try {
      held = await takeLock(cluster, log, onClose, port);
      log.warn({ directory: cluster.directory }, "the embedded Postgres is back");
    } catch (cause) {
      const error = new Error(`The embedded Postgres is lost: ${messageOf(cause)}`, { cause });
      log.error({ err: error }, "the embedded Postgres is lost");
      onLost(error);
    }
  }

  function stop(): Promise<void> {
    stopping ??= shutDown();
    return stopping;
  }

  async function shutDown(): Promise<void> {
    clearInterval(trimming);
    await recovery;
    if (held === undefined) return;
    // The session with the lock ends together with the server, so until then nobody else can
    // adopt what is being stopped.
    const { release } = held;
    await cluster.stop();
    await release();
  }

  function trimLog(): void {
    cluster.trimLog().catch((error: unknown) => log.warn({ err: error }, "log not trimmed"));
  }
}

/**
 * Takes the lock, starting the server when none is running. A port that is given is one that
 * others already connect to, so no other will do.
 */
async function takeLock(
  cluster: Cluster,
  log: Logger,
  onClose: () => void,
  port?: number,
): Promise<Lock> {
  const firstSeen = new Map<LockTry["kind"], number>();
  for (;;) {
    const server = await runningServer(cluster, port);
    const tried = await tryLock(cluster, server, onClose);
    if (tried.kind === "locked") return tried.lock;
    const now = performance.now();
    const since = firstSeen.get(tried.kind) ?? now;
    if (!firstSeen.has(tried.kind)) {
      firstSeen.set(tried.kind, now);
      const why = tried.kind === "held" ? { holder: tried.holder } : { err: tried.reason };
      log.info({ directory: cluster.directory, ...why }, "waiting for the embedded Postgres");
    }
    if (tried.kind === "held" && now - since > heldPatienceMs) {
      throw new Error(
        `${cluster.dataDir} is in use by process ${tried.holder}: stop that one first, or give ` +
          "this one its own TIDEGATE_DATA_DIR",
      );
    }
    if (tried.kind === "unready" && now - since > readyPatienceMs) throw tried.reason;
    await delay(pauseMs);
  }
}

async function runningServer(cluster: Cluster, port: number | undefined): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const server = await cluster.server();
    if (server !== undefined) {
      if (port === undefined || server.port === port) return server;
      throw new Error(`another process has started it on port ${server.port}`);
    }
    try {
      await cluster.start(port ?? (await findFreePort()));
    } catch (error) {
      if (attempt === startAttemptsMax) throw error;
      await delay(pauseMs);
    }
  }
}

async function tryLock(cluster: Cluster, server: Server, onClose: () => void): Promise<LockTry> {
  let locked = false;
  const sql = postgres({
    host: "127.0.0.1",
    port: server.port,
    username: superuser,
    password: cluster.password,
    database,
    max: 1,
    // Otherwise the session, and the lock with it, would be exchanged for a new one now and then.
    max_lifetime: null,
    connect_timeout: 5,
    fetch_types: false,
    connection: { application_name: `${sessionName} ${process.pid}` },
    onclose: () => {
      if (locked) onClose();
    },
  });
  const release = () => sql.end({ timeout: 0 });
  try {
    const [row] = await sql<{ directory: string; locked: boolean }[]>`
      select current_setting('data_directory') as directory,
        pg_try_advisory_lock(${lock.class}, ${lock.object}) as locked`;
    if (row?.directory !== cluster.directory) {
      throw new Error(
        `process ${server.pid} on port ${server.port} serves ${row?.directory}, not ` +
          `${cluster.directory}: stop it first`,
      );
    }
    locked = row.locked;
    if (locked) return { kind: "locked", lock: { port: server.port, release } };
    return { kind: "held", holder: await findHolder(sql) };
  } catch (reason) {
    if (isPassing(reason)) return { kind: "unready", reason };
    throw reason;
  } finally {
    if (!locked) await release();
  }
}

/** The process that holds the lock, as it called itself. */
async function findHolder(sql: postgres.Sql): Promise<string> {
  const [row] = await sql<{ name: string }[]>`
    select activity.application_name as name
    from pg_locks
    join pg_stat_activity as activity using (pid)
    where locktype = 'advisory' and classid = ${lock.class} and objid = ${lock.object}
      and objsubid = 2 and granted`;
  return row?.name.slice(sessionName.length + 1) ?? "(just ended)";
}

/** What a server answers, or its port does not, while it starts, recovers or stops. */
function isPassing(error: unknown): error is Error {
  const passing = ["57P03", "57P01", "ECONNREFUSED", "ECONNRESET", "CONNECTION_CLOSED"];
  return error instanceof Error && "code" in error && passing.includes(String(error.code));
}

async function findFreePort(): Promise<number> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, "close");
  return port;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
