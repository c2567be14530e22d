/**
 * What all rows share: a durable Postgres in a temporary directory, a gateway on it, and the
 * workers. All of it is stopped and removed at the end, also after an error or a signal.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { openDatabase, type Sql } from "../src/db/database.ts";
import { openEmbeddedPostgres } from "../src/db/embedded.ts";
import type { Tenant } from "../src/http/auth.ts";
import { generateKeyRing } from "../src/keyring.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { startGatewayProcess, type GatewayProcess } from "./gateway.ts";
import { startWorker, type Operations, type Worker } from "./worker.ts";
import type { BareOperations } from "./workers/bare.ts";
import type { LoadOperations } from "./workers/load.ts";
import type { ReceiverOperations } from "./workers/receiver.ts";
import type { StreamOperations } from "./workers/streams.ts";

export type Rig = {
  /** The directory that holds the database. */
  readonly dir: string;
  readonly sql: Sql;
  readonly gateway: GatewayProcess;
  readonly operatorKey: string;
  readonly workers: Workers;
  /** Where the receiver listens. */
  readonly receiverUrl: string;
  /** Sends a request to the gateway and returns the answer's body; throws unless it is a 2xx. */
  request(method: string, path: string, body?: object): Promise<unknown>;
  createTenant(name: string): Promise<Tenant>;
  /** Makes a tenant's log hold so many events, without the gateway. */
  seed(tenant: Tenant, events: number): Promise<void>;
  /** Waits; rejects at once when the run is interrupted. */
  pause(ms: number): Promise<void>;
};

type Workers = {
  readonly load: Worker<LoadOperations>;
  readonly bare: Worker<BareOperations>;
  readonly receiver: Worker<ReceiverOperations>;
  readonly streams: Worker<StreamOperations>;
};

const requestTimeoutMs = 20_000;

/** Opens the rig on `opening`, whose owner stops it. An `interrupt` ends every call under way. */
export async function openRig(
  parent: string,
  opening: AsyncDisposableStack,
  interrupt: AbortSignal,
): Promise<Rig> {
  const dir = await mkdtemp(join(parent, "tidegate-bench-"));
  opening.defer(() => rm(dir, { recursive: true, force: true }));
  const log = createLogger({ level: "error" });
  const postgres = opening.use(await openEmbeddedPostgres({ dataDir: dir, log }));
  interrupt.throwIfAborted();
  const { sql, stop } = openDatabase(postgres.url, { connections: 2, name: "bench" });
  opening.defer(stop);

  const operatorKey = `tg_op_${randomBytes(24).toString("base64url")}`;
  const keys = { operatorKey, secrets: generateKeyRing() };
  const gateway = await startGatewayProcess(dir, { databaseUrl: postgres.url, ...keys });
  opening.defer(() => gateway.stop());
  interrupt.throwIfAborted();

  const workers = startWorkers(postgres.url, opening, interrupt);
  const receiverUrl = await workers.receiver.call("where");
  return {
    ...{ dir, sql, gateway, operatorKey, workers, receiverUrl, request, createTenant },
    seed: (tenant, events) => workers.bare.call("seed", { tenant, events }),
    pause: (ms) => delay(ms, undefined, { signal: interrupt }),
  };

  async function request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(gateway.url + path, {
      method,
      headers: { authorization: `Bearer ${operatorKey}`, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.any([interrupt, AbortSignal.timeout(requestTimeoutMs)]),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  async function createTenant(name: string): Promise<Tenant> {
    await request("PUT", `/tenants/${name}`, {});
    const [tenant] = await sql<Tenant[]>`select id, name, shard from tenants where name = ${name}`;
    if (tenant === undefined) throw new Error(`the tenant ${name} was not created`);
    return tenant;
  }
}

/** An interrupt stops them at once, and with them every call that the run waits for. */
function startWorkers(
  databaseUrl: string,
  opening: AsyncDisposableStack,
  interrupt: AbortSignal,
): Workers {
  return {
    load: start<LoadOperations>("load"),
    bare: start<BareOperations>("bare", { DATABASE_URL: databaseUrl }),
    receiver: start<ReceiverOperations>("receiver"),
    streams: start<StreamOperations>("streams"),
  };

  function start<Offered extends Operations>(
    name: string,
    environment: Record<string, string> = {},
  ): Worker<Offered> {
    const worker = startWorker<Offered>(name, environment);
    opening.defer(() => worker.stop());
    interrupt.addEventListener("abort", () => void worker.stop());
    return worker;
  }
}
